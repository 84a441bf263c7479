package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/types"
)

func (r *resolver) extractExpr(x *expr.Extract, s *scope) (expr.Expr, error) {
	c, err := r.expr(x.Child, s)
	if err != nil {
		return nil, err
	}
	k, err := r.expr(x.Key, s)
	if err != nil {
		return nil, err
	}
	return r.extract(unalias(c), unalias(k), x.At)
}

// extract is field, element or map access: child.key or child[key].
func (r *resolver) extract(child, key expr.Expr, at *expr.Origin) (expr.Expr, error) {
	t := child.Type()
	lit, _ := key.(*expr.Literal)
	name, named := "", false
	if lit != nil {
		name, named = lit.Value.(string)
	}
	switch {
	case t.Kind == types.StructKind && named:
		f, err := r.field(t, name, at)
		if err != nil {
			return nil, err
		}
		return &expr.Call{Name: "get_field", Args: []expr.Expr{child, expr.NewLiteral(f.Name, types.String)}, T: f.Type,
			Null: child.Nullable() || f.Nullable, At: at}, nil
	case t.Kind == types.ArrayKind && t.Elem().Kind == types.StructKind && named:
		f, err := r.field(t.Elem(), name, at)
		if err != nil {
			return nil, err
		}
		return &expr.Call{Name: "get_array_struct_fields", Args: []expr.Expr{child, expr.NewLiteral(f.Name, types.String)},
			T: types.Array(f.Type, t.ContainsNull() || f.Nullable), Null: child.Nullable(), At: at}, nil
	case t.Kind == types.ArrayKind, t.Kind == types.MapKind:
		return r.item(child, key, at)
	case t.Kind == types.StructKind:
		return nil, fail(at, "INVALID_EXTRACT_FIELD", "field", r.sqlExpr(key), "expr", r.sqlExpr(child))
	case t.Kind == types.VariantKind:
		return nil, fail(at, "INVALID_EXTRACT_BASE_FIELD_TYPE", "base", r.sqlExpr(child), "other", sqlType(t))
	}
	return nil, fail(at, "INVALID_EXTRACT_BASE_FIELD_TYPE", "base", r.sqlExpr(child), "other", sqlType(t))
}

func (r *resolver) field(t types.Type, name string, at *expr.Origin) (types.Field, error) {
	var found *types.Field
	fields := t.Fields()
	for i := range fields {
		if !r.same(fields[i].Name, name) {
			continue
		}
		if found != nil {
			n := 0
			for _, f := range fields {
				if r.same(f.Name, name) {
					n++
				}
			}
			return types.Field{}, fail(at, "AMBIGUOUS_REFERENCE_TO_FIELDS", "field", sqlID(name), "count", itoa(n))
		}
		found = &fields[i]
	}
	if found == nil {
		names := make([]string, len(fields))
		for i, f := range fields {
			names[i] = sqlID(f.Name)
		}
		return types.Field{}, fail(at, "FIELD_NOT_FOUND", "fieldName", sqlID(name), "fields", strings.Join(names, ", "))
	}
	return *found, nil
}

// item is array[ordinal] or map[key].
func (r *resolver) item(child, key expr.Expr, at *expr.Origin) (expr.Expr, error) {
	if row, ok := function.Lookup("get_item"); ok && row.Bind != nil {
		return r.bind(row, &expr.Func{Name: []string{"get_item"}, At: at}, []expr.Expr{child, key})
	}
	t := child.Type()
	want := types.Int
	if t.Kind == types.MapKind {
		want = t.Key()
	}
	if got := key.Type(); t.Kind == types.ArrayKind && !got.IsIntegral() && got.Kind != types.NullKind {
		return nil, fail(at, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"`+r.sql(child)+"["+r.sql(key)+`]"`, "paramIndex", "second",
			"requiredType", `"INTEGRAL"`, "inputSql", r.sqlExpr(key), "inputType", sqlType(got))
	}
	if t.Kind == types.MapKind || key.Type().Kind == types.NullKind {
		key = r.to(key, want)
	}
	return &expr.Call{Name: "get_item", Args: []expr.Expr{child, key}, T: t.Elem(), Null: true, Mode: r.castMode(), At: at}, nil
}

// updateFields rebuilds a struct with one field set, added or dropped; the path may lead into nested structs.
func (r *resolver) updateFields(x *expr.UpdateFields, s *scope) (expr.Expr, error) {
	c, err := r.expr(x.Child, s)
	if err != nil {
		return nil, err
	}
	var v expr.Expr
	if x.Value != nil {
		if v, err = r.expr(x.Value, s); err != nil {
			return nil, err
		}
		v = unalias(v)
	}
	return r.update(unalias(c), x.Field, v)
}

func (r *resolver) update(c expr.Expr, path []string, value expr.Expr) (expr.Expr, error) {
	t := c.Type()
	if t.Kind != types.StructKind {
		return nil, fail(nil, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"update_fields(`+r.sql(c)+`)"`, "paramIndex", "first",
			"requiredType", `"STRUCT"`, "inputSql", r.sqlExpr(c), "inputType", sqlType(t))
	}
	var args []expr.Expr
	found := false
	for _, f := range t.Fields() {
		var e expr.Expr = &expr.Call{Name: "get_field", Args: []expr.Expr{c, expr.NewLiteral(f.Name, types.String)}, T: f.Type, Null: c.Nullable() || f.Nullable}
		if r.same(f.Name, path[0]) {
			found = true
			switch {
			case len(path) > 1:
				var err error
				if e, err = r.update(e, path[1:], value); err != nil {
					return nil, err
				}
			case value == nil:
				continue
			default:
				e = value
			}
		}
		args = append(args, expr.NewLiteral(f.Name, types.String), e)
	}
	if !found && len(path) > 1 {
		return nil, fail(nil, "FIELD_NOT_FOUND", "fieldName", sqlID(path[0]), "fields", fieldList(t))
	}
	if !found && value != nil {
		args = append(args, expr.NewLiteral(path[0], types.String), value)
	}
	if len(args) == 0 {
		return nil, fail(nil, "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS", "sqlExpr", `"update_fields(`+r.sql(c)+`)"`)
	}
	st := namedStruct(args)
	if !c.Nullable() {
		return st, nil
	}
	return &expr.Call{Name: "if", Args: []expr.Expr{expr.NewCall("isnull", types.Boolean, c), &expr.Literal{T: st.T}, st}, T: st.T, Null: true}, nil
}

func fieldList(t types.Type) string {
	names := make([]string, len(t.Fields()))
	for i, f := range t.Fields() {
		names[i] = sqlID(f.Name)
	}
	return strings.Join(names, ", ")
}

// namedStruct makes a struct of name and value pairs.
func namedStruct(args []expr.Expr) *expr.Call {
	var fields []types.Field
	for i := 0; i+1 < len(args); i += 2 {
		fields = append(fields, types.Field{Name: args[i].(*expr.Literal).Value.(string), Type: args[i+1].Type(), Nullable: args[i+1].Nullable()})
	}
	return &expr.Call{Name: "named_struct", Args: args, T: types.Struct(fields...)}
}
