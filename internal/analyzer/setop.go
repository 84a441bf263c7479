package analyzer

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// common is the type that two expressions are brought to, side by side.
func (r *resolver) common(a, b types.Type) (types.Type, bool) {
	if a.SameType(b) && !a.IsNested() {
		return a, true
	}
	return types.Wider(a, b)
}

func (r *resolver) setOp(p *logical.SetOp) (rel, error) {
	in := make([]rel, len(p.Inputs))
	for i, c := range p.Inputs {
		x, err := r.query(c)
		if err != nil {
			return rel{}, err
		}
		in[i] = x
	}
	name := setName(p)
	at := originOfPlan(p.Inputs[0])
	if p.ByName {
		var err error
		if in, err = r.byName(in, p.AllowMissing); err != nil {
			return rel{}, err
		}
	}
	for i, x := range in[1:] {
		if len(x.out) != len(in[0].out) {
			return rel{}, fail(at, "NUM_COLUMNS_MISMATCH", "operator", name, "firstNumColumns", itoa(len(in[0].out)),
				"invalidOrdinalNum", ordinal(i+2), "invalidNumColumns", itoa(len(x.out)))
		}
	}
	if err := r.widen(in, name, at); err != nil {
		return rel{}, err
	}
	if !p.All || p.Kind != logical.Union {
		if err := r.comparable(in[0].out, at); err != nil {
			return rel{}, err
		}
	}
	q := *p
	q.ByName, q.AllowMissing = false, false
	q.Inputs = make([]logical.Plan, len(in))
	for i, x := range in {
		q.Inputs[i] = x.p
	}
	if p.Kind != logical.Union {
		q.Out = nil
		return rel{p: &q, out: in[0].out}, nil
	}
	q.Out = unionOutput(in)
	return rel{p: &q, out: q.Out}, nil
}

func setName(p *logical.SetOp) string {
	n := [...]string{logical.Union: "UNION", logical.Intersect: "INTERSECT", logical.Except: "EXCEPT"}[p.Kind]
	if p.All && p.Kind != logical.Union {
		n += " ALL"
	}
	return n
}

// unionOutput makes fresh columns of the first input's names; a column may be null when any input's may.
func unionOutput(in []rel) []*expr.Column {
	out := make([]*expr.Column, len(in[0].out))
	for i, c := range in[0].out {
		q := *c
		q.ID, q.Qualifier = expr.NextID(), nil
		for _, x := range in[1:] {
			q.Null = q.Null || x.out[i].Null
			q.T = orNull(q.T, x.out[i].T)
		}
		out[i] = &q
	}
	return out
}

// orNull merges what may be null inside of two types that are otherwise equal.
func orNull(a, b types.Type) types.Type {
	if !a.IsNested() || a.Equal(b) || a.Kind != b.Kind {
		return a
	}
	switch a.Kind {
	case types.ArrayKind:
		return types.Array(orNull(a.Elem(), b.Elem()), a.ContainsNull() || b.ContainsNull())
	case types.MapKind:
		return types.Map(orNull(a.Key(), b.Key()), orNull(a.Elem(), b.Elem()), a.ContainsNull() || b.ContainsNull())
	}
	fields := append([]types.Field{}, a.Fields()...)
	for i, f := range b.Fields() {
		fields[i].Type = orNull(fields[i].Type, f.Type)
		fields[i].Nullable = fields[i].Nullable || f.Nullable
	}
	return types.Struct(fields...)
}

// widen casts the inputs' columns to common types.
func (r *resolver) widen(in []rel, name string, at *expr.Origin) error {
	target := make([]types.Type, len(in[0].out))
	for i, c := range in[0].out {
		target[i] = c.T
		for k, x := range in[1:] {
			t, ok := r.common(target[i], x.out[i].T)
			if !ok {
				return incompatible(name, i, k+1, x.out[i].T, c.T, at)
			}
			target[i] = t
		}
	}
	for k, x := range in {
		in[k] = r.castAll(x, target)
	}
	return nil
}

func incompatible(name string, column, table int, got, want types.Type, at *expr.Origin) error {
	return fail(at, "INCOMPATIBLE_COLUMN_TYPE", "operator", name, "columnOrdinalNumber", ordinal(column+1), "tableOrdinalNumber", ordinal(table+1),
		"dataType1", sqlType(got), "dataType2", sqlType(want), "hint", "")
}

// castAll casts a relation's columns to types, where they differ.
func (r *resolver) castAll(x rel, target []types.Type) rel {
	list := make([]expr.Expr, len(x.out))
	changed := false
	for i, c := range x.out {
		list[i] = c
		if e := r.to(c, target[i]); e != expr.Expr(c) {
			list[i], changed = &expr.Alias{Child: e, Name: c.Name, ID: expr.NextID()}, true
		}
	}
	if !changed {
		return x
	}
	return rel{p: &logical.Project{List: list, Child: x.p}, out: outputs(list)}
}

// byName orders the other inputs' columns as the first one's.
func (r *resolver) byName(in []rel, allowMissing bool) ([]rel, error) {
	for _, x := range in {
		if err := r.noDuplicates(x.out); err != nil {
			return nil, err
		}
	}
	names := in[0].out[:len(in[0].out):len(in[0].out)]
	if allowMissing {
		for _, x := range in[1:] {
			for _, c := range x.out {
				if r.nth(names, c.Name, 0) == nil {
					names = append(names, c)
				}
			}
		}
	}
	out := make([]rel, len(in))
	for k, x := range in {
		list := make([]expr.Expr, 0, len(names))
		for _, n := range names {
			c := r.nth(x.out, n.Name, 0)
			switch {
			case c != nil:
				list = append(list, r.fitStruct(c, n, allowMissing))
			case allowMissing:
				list = append(list, &expr.Alias{Child: &expr.Literal{T: n.T}, Name: n.Name, ID: expr.NextID()})
			default:
				return nil, fail(nil, "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", n.Name, "fieldNames", quotedNames(x.out))
			}
		}
		if !allowMissing && k > 0 && len(x.out) > len(names) {
			return nil, fail(nil, "NUM_COLUMNS_MISMATCH", "operator", "UNION", "firstNumColumns", itoa(len(names)), "invalidOrdinalNum", ordinal(k+1),
				"invalidNumColumns", itoa(len(x.out)))
		}
		out[k] = x
		if !sameColumns(list, x.out) {
			out[k] = rel{p: &logical.Project{List: list, Child: x.p}, out: outputs(list)}
		}
	}
	return out, nil
}

func quotedNames(cols []*expr.Column) string {
	s := ""
	for i, c := range cols {
		if i > 0 {
			s += ", "
		}
		s += c.Name
	}
	return s
}

func sameColumns(list []expr.Expr, cols []*expr.Column) bool {
	if len(list) != len(cols) {
		return false
	}
	for i, e := range list {
		if e != expr.Expr(cols[i]) {
			return false
		}
	}
	return true
}

// fitStruct orders (and fills) a struct column's fields as another's.
func (r *resolver) fitStruct(c, like *expr.Column, allowMissing bool) expr.Expr {
	if c.T.Kind != types.StructKind || like.T.Kind != types.StructKind || c.T.SameType(like.T) {
		return c
	}
	e := r.fitFields(c, like.T, allowMissing)
	if e == nil {
		return c
	}
	return &expr.Alias{Child: e, Name: c.Name, ID: expr.NextID()}
}

func (r *resolver) fitFields(e expr.Expr, like types.Type, allowMissing bool) expr.Expr {
	var args []expr.Expr
	used := 0
	for _, f := range like.Fields() {
		g, err := r.field(e.Type(), f.Name, nil)
		switch {
		case err == nil:
			used++
			v := r.getField(e, g)
			if g.Type.Kind == types.StructKind && f.Type.Kind == types.StructKind && !g.Type.SameType(f.Type) {
				if n := r.fitFields(v, f.Type, allowMissing); n != nil {
					v = n
				}
			}
			args = append(args, expr.NewLiteral(f.Name, types.String), v)
		case allowMissing:
			args = append(args, expr.NewLiteral(f.Name, types.String), &expr.Literal{T: f.Type})
		default:
			return nil
		}
	}
	for _, g := range e.Type().Fields() {
		if _, err := r.field(like, g.Name, nil); err != nil {
			if !allowMissing {
				return nil
			}
			args = append(args, expr.NewLiteral(g.Name, types.String), r.getField(e, g))
		}
	}
	st := namedStruct(args)
	if !e.Nullable() {
		return st
	}
	return &expr.Call{Name: "if", Args: []expr.Expr{expr.NewCall("isnull", types.Boolean, e), &expr.Literal{T: st.T}, st}, T: st.T, Null: true}
}

func (r *resolver) noDuplicates(cols []*expr.Column) error {
	for i, c := range cols {
		for _, d := range cols[:i] {
			if r.same(c.Name, d.Name) {
				return fail(nil, "COLUMN_ALREADY_EXISTS", "columnName", sqlID(c.Name))
			}
		}
	}
	return nil
}

// values evaluates an inline table.
func (r *resolver) values(p *logical.Values) (rel, error) {
	width := len(p.Rows[0])
	rows := make([][]expr.Expr, len(p.Rows))
	target := make([]types.Type, width)
	null := make([]bool, width)
	s := &scope{strict: true}
	for i, row := range p.Rows {
		if len(row) != width {
			return rel{}, fail(p.At, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", itoa(width), "actualNumCols", itoa(len(row)), "rowIndex", itoa(i))
		}
		rows[i] = make([]expr.Expr, width)
		for k, e := range row {
			v, err := r.inlineValue(e, s)
			if err != nil {
				return rel{}, err
			}
			rows[i][k] = v
			t := v.Type()
			ok := true
			if i > 0 {
				t, ok = r.common(target[k], t)
			}
			if !ok {
				return rel{}, fail(p.At, "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "colName", sqlID("col"+itoa(k+1)))
			}
			target[k] = t
			null[k] = null[k] || v.Nullable()
		}
	}
	return r.inlineTable(rows, target, null)
}

func (r *resolver) inlineValue(e expr.Expr, s *scope) (expr.Expr, error) {
	before := r.flags
	r.flags = 0
	v, err := r.expr(e, s)
	if err != nil {
		return nil, err
	}
	v = unalias(v)
	if r.flags&(hasAgg|hasWindow|hasGenerator|hasSubquery) != 0 {
		return nil, fail(originOf(e), "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "expr", r.sqlExpr(v))
	}
	r.flags = before
	return v, nil
}

func (r *resolver) inlineTable(rows [][]expr.Expr, target []types.Type, null []bool) (rel, error) {
	schema := &types.Schema{Fields: make([]types.Field, len(target))}
	for k, t := range target {
		schema.Fields[k] = types.Field{Name: "col" + itoa(k+1), Type: t, Nullable: null[k]}
	}
	batch := &columnar.Batch{Schema: schema, Cols: make([]columnar.Vector, len(target)), N: len(rows)}
	for k, t := range target {
		b := columnar.NewBuilder(t, len(rows))
		for _, row := range rows {
			v, err := r.fold(r.to(row[k], t))
			if err != nil {
				return rel{}, err
			}
			b.Append(v)
		}
		batch.Cols[k] = b.Finish()
	}
	p := &logical.LocalRelation{Schema: schema, Batches: []*columnar.Batch{batch}, Out: columns(schema, nil)}
	return rel{p: p, out: p.Out}, nil
}
