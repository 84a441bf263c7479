package function

import (
	"errors"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/jsonval"
	"github.com/firesteel/firesteel/internal/kernel/variant"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() {
	groups = append(groups, variantRows)
	kernel.VariantCast = variantCast
}

func variantRows() []*Row {
	get := func(name string, examples ...string) *Row {
		return fn(name, "4.0.0", name+"(variant, path[, type]): the part of the variant at the path, as a type.", nil, variantGet(name == "try_variant_get"), examples...).binds(bindVariantGet(name))
	}
	return group("variant_funcs",
		fn("parse_json", "4.0.0", "parse_json(json): the JSON text as a variant.", sig(to(types.Variant), tStr), parseJSON(false), `to_json(parse_json('{"b":1,"a":0.8}'))`, `{"a":0.8,"b":1}`),
		fn("try_parse_json", "4.0.0", "try_parse_json(json): parse_json, or null where the text is no JSON.", sig(to(types.Variant), tStr).nullable(), parseJSON(true), `try_parse_json('{"a":1,')`, "NULL").total(),
		get("variant_get", `variant_get(parse_json('{"a": 1}'), '$.a', 'int')`, "1"), get("try_variant_get", `try_variant_get(parse_json('[1, "hello"]'), '$[1]', 'int')`, "NULL"),
		fn("is_variant_null", "4.0.0", "is_variant_null(variant): whether it is JSON's null.", sig(to(types.Boolean), tVariant).never(), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			v, ok := variantOf(row[0])
			return ok && v.IsNull(), nil
		}), "is_variant_null(parse_json('null'))", "true").seesNulls(),
		fn("is_valid_variant", "4.2.0", "is_valid_variant(variant): whether its bytes can be read.", sig(to(types.Boolean), tVariant), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			v, _ := variantOf(row[0])
			return v.Check(), nil
		}), "is_valid_variant(parse_json('null'))", "true").total(),
		fn("schema_of_variant", "4.0.0", "schema_of_variant(variant): the schema that the variant suggests.", sig(to(types.String), tVariant), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			v, _ := variantOf(row[0])
			return variantSchema(inferVariant(v)), nil
		}), `schema_of_variant(parse_json('[{"b":true,"a":0}]'))`, "ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>"),
		fn("to_variant_object", "4.0.0", "to_variant_object(expr): the struct, array or map as a variant.", sig(to(types.Variant), tAny), toVariant, "to_json(to_variant_object(named_struct('a', 1, 'b', 2)))", `{"a":1,"b":2}`),
	)
}

// variantOf is a value of type VARIANT.
func variantOf(v any) (variant.Value, bool) {
	row, ok := v.([]any)
	if !ok {
		return variant.Value{}, false
	}
	return variant.Value{Data: row[0].([]byte), Meta: row[1].([]byte)}, true
}

func asRow(v variant.Value) any { return []any{v.Bytes(), v.Meta} }

func parseJSON(try bool) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) {
		d := jsonval.Doc{Options: jsonval.Options{NoQuotes: true, NoSpecial: true}}
		return kernel.EachRow(c.T, func(_ *kernel.Ctx, row []any) (any, error) {
			s := row[0].(string)
			var data []byte
			err := errMalformed
			b := variant.NewBuilder()
			if d.Parse(s) && types.TrimAll(s[d.End():]) == "" {
				data, err = b.AppendJSON(nil, &d, 0)
			}
			var twice *variant.ErrDuplicate
			switch {
			case err == nil:
				return []any{data, b.Metadata()}, nil
			case try:
				return nil, nil
			case errors.As(err, &twice):
				return nil, sparkerr.New("VARIANT_DUPLICATE_KEY", "key", twice.Key)
			}
			return nil, sparkerr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", s, "failFastMode", "FAILFAST")
		}), nil
	}
}

var errMalformed = errors.New("malformed")

// bindVariantGet takes the type out of the arguments: it is the call's.
func bindVariantGet(name string) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 3); err != nil {
			return nil, err
		}
		r, _ := Lookup(name)
		t := types.Variant
		if len(call.Args) == 3 {
			if l, ok := call.Args[2].(*expr.Literal); !ok || l.Value != "variant" {
				var err error
				if t, err = foldSchema(env, call.Args[2]); err != nil {
					return nil, err
				}
			}
		}
		args, err := (&Row{Name: name, Sig: &Sig{In: []In{tVariant, tStr}}}).coerce(env, call, call.Args[:2])
		if err != nil {
			return nil, err
		}
		return r.call(env, call, t, true, args...), nil
	}
}

type variantStep struct {
	name  string
	index int // -1: a name
}

// parseVariantPath reads $, .name, ['name'], ["name"] and [n].
func parseVariantPath(s string) ([]variantStep, bool) {
	steps := []variantStep{}
	if s == "" || s[0] != '$' {
		return nil, false
	}
	for s = s[1:]; s != ""; {
		switch {
		case s[0] == '.':
			n := strings.IndexAny(s[1:], ".[") + 1
			if n == 0 {
				n = len(s)
			}
			if n == 1 {
				return nil, false
			}
			steps, s = append(steps, variantStep{s[1:n], -1}), s[n:]
		case s[0] == '[' && len(s) > 3 && (s[1] == '\'' || s[1] == '"'):
			n := strings.Index(s[2:], s[1:2]+"]")
			if n < 0 {
				return nil, false
			}
			steps, s = append(steps, variantStep{s[2 : n+2], -1}), s[n+4:]
		case s[0] == '[':
			n := strings.IndexByte(s, ']')
			if n < 0 {
				return nil, false
			}
			k, err := strconv.Atoi(s[1:n])
			if err != nil || k < 0 {
				return nil, false
			}
			steps, s = append(steps, variantStep{index: k}), s[n+1:]
		default:
			return nil, false
		}
	}
	return steps, true
}

func follow(v variant.Value, steps []variantStep) (variant.Value, bool) {
	for _, st := range steps {
		ok := false
		switch {
		case st.index < 0 && v.Kind() == variant.Object:
			v, ok = v.Get(st.name)
		case st.index >= 0 && v.Kind() == variant.Array && st.index < v.Len():
			v, ok = v.Elem(st.index), true
		}
		if !ok {
			return v, false
		}
	}
	return v, true
}

func variantGet(try bool) func(*expr.Call) (kernel.Func, error) {
	return func(call *expr.Call) (kernel.Func, error) {
		w := newVariantCaster(call.T, try)
		last, known := "", false
		var steps []variantStep
		return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
			v, _ := variantOf(row[0])
			if p := row[1].(string); !known || p != last {
				var ok bool
				if steps, ok = parseVariantPath(p); !ok {
					return nil, sparkerr.New("INVALID_VARIANT_GET_PATH", "path", p, "functionName", types.Quote(call.Name))
				}
				last, known = p, true
			}
			v, ok := follow(v, steps)
			if !ok {
				return nil, nil
			}
			return w.cast(c, v)
		}), nil
	}
}

// variantCaster converts variants to a type.
type variantCaster struct {
	t     types.Type
	try   bool
	casts map[[2]types.Type]kernel.Func
}

func newVariantCaster(t types.Type, try bool) *variantCaster {
	return &variantCaster{t: t, try: try, casts: map[[2]types.Type]kernel.Func{}}
}

func (w *variantCaster) cast(c *kernel.Ctx, v variant.Value) (any, error) {
	out, ok := w.to(c, w.t, v)
	if ok || w.try {
		return out, nil
	}
	return nil, sparkerr.New("INVALID_VARIANT_CAST", "value", string(v.AppendJSON(nil, c.Zone)), "dataType", quoted(w.t.SQL()))
}

func (w *variantCaster) to(c *kernel.Ctx, t types.Type, v variant.Value) (any, bool) {
	kind := v.Kind()
	switch {
	case t.Kind == types.VariantKind:
		return asRow(v), true
	case v.IsNull():
		return nil, true
	case t.Kind == types.ArrayKind:
		if kind != variant.Array {
			return nil, false
		}
		out := make([]any, v.Len())
		for i := range out {
			x, ok := w.to(c, t.Elem(), v.Elem(i))
			if !ok {
				return nil, false
			}
			out[i] = x
		}
		return out, true
	case t.Kind == types.MapKind || t.Kind == types.StructKind:
		return w.object(c, t, v)
	case kind != variant.Scalar:
		if t.Kind != types.StringKind {
			return nil, false
		}
		return string(v.AppendJSON(nil, c.Zone)), true
	}
	x, from := v.Scalar()
	if from.SameType(t) {
		return x, true
	}
	return w.scalar(c, x, from, t)
}

func (w *variantCaster) object(c *kernel.Ctx, t types.Type, v variant.Value) (any, bool) {
	if v.Kind() != variant.Object {
		return nil, false
	}
	if t.Kind == types.MapKind {
		m := types.MapValue{Keys: []any{}, Values: []any{}}
		for i, n := 0, v.Len(); i < n; i++ {
			k, x := v.Field(i)
			y, ok := w.to(c, t.Elem(), x)
			if !ok {
				return nil, false
			}
			m.Keys, m.Values = append(m.Keys, k), append(m.Values, y)
		}
		return m, t.Key().Kind == types.StringKind
	}
	row := make([]any, len(t.Fields()))
	for i, f := range t.Fields() {
		x, found := v.Get(f.Name)
		if !found {
			continue
		}
		y, ok := w.to(c, f.Type, x)
		if !ok {
			return nil, false
		}
		row[i] = y
	}
	return row, true
}

// scalar casts one value as TRY_CAST does; what that makes null does not fit.
func (w *variantCaster) scalar(c *kernel.Ctx, x any, from, t types.Type) (any, bool) {
	if !types.CanCast(from, t, true) || t.Kind == types.BinaryKind {
		return nil, false
	}
	key := [2]types.Type{from, t}
	f := w.casts[key]
	if f == nil {
		var err error
		if f, err = kernel.Cast(from, t, kernel.Try); err != nil {
			return nil, false
		}
		w.casts[key] = f
	}
	b := columnar.NewBuilder(from, 1)
	b.Append(x)
	ctx := kernel.Ctx{Session: c.Session, Scratch: &kernel.Scratch{}}
	v, err := f(&ctx, []columnar.Vector{b.Finish()}, 1)
	if err != nil {
		return nil, false
	}
	v.Type = t
	out := v.ValueAt(0)
	return out, out != nil
}

// variantCast is the cast from and to VARIANT.
func variantCast(from, to types.Type, m kernel.Mode) kernel.Func {
	if to.Kind == types.VariantKind {
		f := toVariantKernel(from)
		return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return f(c, args, n) }
	}
	w := newVariantCaster(to, m != kernel.Ansi)
	return kernel.EachRow(to, func(c *kernel.Ctx, row []any) (any, error) {
		v, ok := variantOf(row[0])
		if !ok {
			return nil, nil
		}
		return w.cast(c, v)
	})
}

func toVariant(call *expr.Call) (kernel.Func, error) {
	return toVariantKernel(call.Args[0].Type()), nil
}

func toVariantKernel(from types.Type) kernel.Func {
	return kernel.EachRow(types.Variant, func(_ *kernel.Ctx, row []any) (any, error) {
		if row[0] == nil {
			return nil, nil
		}
		b := variant.NewBuilder()
		data, err := b.AppendValue(nil, from, row[0])
		if err != nil {
			return nil, sparkerr.Unsupported("VARIANT of " + from.SQL()).WithCause(err)
		}
		return []any{data, b.Metadata()}, nil
	})
}

// inferVariant is the type that a variant suggests; VOID for null, VARIANT where parts disagree.
func inferVariant(v variant.Value) types.Type {
	switch v.Kind() {
	case variant.Array:
		elem := types.Null
		for i, n := 0, v.Len(); i < n; i++ {
			elem = mergeVariant(elem, inferVariant(v.Elem(i)))
		}
		return types.Array(elem, true)
	case variant.Object:
		fields := make([]types.Field, v.Len())
		for i := range fields {
			k, x := v.Field(i)
			fields[i] = types.Field{Name: k, Type: inferVariant(x), Nullable: true}
		}
		return types.Struct(fields...)
	}
	_, t := v.Scalar()
	return t
}

func mergeVariant(a, b types.Type) types.Type {
	switch t := mergeJSON(a, b); {
	case t.Kind == types.StringKind && (a.Kind != types.StringKind || b.Kind != types.StringKind) && a.Kind != types.NullKind && b.Kind != types.NullKind:
		return types.Variant
	default:
		return t
	}
}

// variantSchema prints a schema with OBJECT for structs.
func variantSchema(t types.Type) string {
	switch t.Kind {
	case types.ArrayKind:
		return "ARRAY<" + variantSchema(t.Elem()) + ">"
	case types.StructKind:
		parts := make([]string, len(t.Fields()))
		for i, f := range t.Fields() {
			parts[i] = types.QuoteIfNeeded(f.Name) + ": " + variantSchema(f.Type)
		}
		return "OBJECT<" + strings.Join(parts, ", ") + ">"
	}
	return t.SQL()
}
