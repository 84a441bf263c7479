package function

import (
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, mapLambdaRows, pairLambdaRows) }

// mapHigher makes the row of a function of a map and a lambda of key and value. body, when not VOID, is the lambda's result type.
func mapHigher(name, since, usage string, body types.Type, out func(m types.Type, l *expr.Lambda) types.Type, run func(call *expr.Call) kernel.HigherOrder, examples ...string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, NullIn: true}
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 2); err != nil {
			return nil, err
		}
		m := call.Args[0]
		if m.Type().Kind != types.MapKind {
			return nil, wrongType(call, 0, tMap, m)
		}
		l, err := bindLambda(env, call, 1, entryFields(m.Type())...)
		if err != nil {
			return nil, err
		}
		if body.Kind != types.NullKind {
			if k := l.Body.Type(); k.Kind != body.Kind && k.Kind != types.NullKind {
				return nil, wrongType(call, 1, exactly(body), l)
			}
			l = &expr.Lambda{Params: l.Params, Body: castTo(env, l.Body, body)}
		}
		return r.call(env, call, out(m.Type(), l), m.Nullable(), m, l), nil
	}
	r.HigherOrder = func(c *expr.Call) (kernel.HigherOrder, error) { return run(c), nil }
	return r.examples(examples)
}

func mapLambdaRows() []*Row {
	return group("lambda_funcs",
		mapHigher("map_filter", "3.0.0", "map_filter(map, (k, v) -> …): the entries for which the function is true.", types.Boolean,
			func(m types.Type, _ *expr.Lambda) types.Type { return m }, func(*expr.Call) kernel.HigherOrder { return kernel.FilterEntries },
			"map_filter(map(1, 0, 2, 2, 3, -1), (k, v) -> k > v)", "{1 -> 0, 3 -> -1}"),
		mapHigher("transform_values", "3.0.0", "transform_values(map, (k, v) -> …): the map with the function's values.", types.Null,
			func(m types.Type, l *expr.Lambda) types.Type {
				return types.Map(m.Key(), l.Body.Type(), l.Body.Nullable())
			}, func(*expr.Call) kernel.HigherOrder { return kernel.MapEntries(false) },
			"transform_values(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> v + 1)", "{1 -> 2, 2 -> 3, 3 -> 4}"),
		mapHigher("transform_keys", "3.0.0", "transform_keys(map, (k, v) -> …): the map with the function's keys.", types.Null,
			func(m types.Type, l *expr.Lambda) types.Type {
				return types.Map(l.Body.Type(), m.Elem(), m.ContainsNull())
			}, transformKeys,
			"transform_keys(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> k + 1)", "{2 -> 1, 3 -> 2, 4 -> 3}"),
	)
}

// transformKeys checks the new keys after the lambda.
func transformKeys(call *expr.Call) kernel.HigherOrder {
	run := kernel.MapEntries(true)
	return func(c *kernel.Ctx, args []columnar.Vector, lambdas []kernel.Apply, n int) (columnar.Vector, error) {
		v, err := run(c, args, lambdas, n)
		if err != nil {
			return v, err
		}
		v.Type = call.T
		out := columnar.NewBuilder(call.T, n)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.Append(nil)
				continue
			}
			m := v.ValueAt(i).(types.MapValue)
			b := newMapBuilder(c, call.T)
			for k := range m.Keys {
				if err := b.add(m.Keys[k], m.Values[k]); err != nil {
					return v, err
				}
			}
			out.Append(b.m)
		}
		return out.Finish(), nil
	}
}

func pairLambdaRows() []*Row {
	zip := &Row{Name: "zip_with", Since: "2.4.0", Usage: "zip_with(a, b, (x, y) -> …): the array of the function of elements at the same place; a shorter array has nulls at its end.", NullIn: true}
	zip.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 3, 3); err != nil {
			return nil, err
		}
		a, b := call.Args[0], call.Args[1]
		for i := range 2 {
			if _, err := arrayArg(call, i); err != nil {
				return nil, err
			}
		}
		l, err := bindLambda(env, call, 2, types.Field{Name: "x", Type: a.Type().Elem(), Nullable: true}, types.Field{Name: "y", Type: b.Type().Elem(), Nullable: true})
		if err != nil {
			return nil, err
		}
		return zip.call(env, call, types.Array(l.Body.Type(), l.Body.Nullable()), a.Nullable() || b.Nullable(), a, b, l), nil
	}
	zip.HigherOrder = func(*expr.Call) (kernel.HigherOrder, error) { return kernel.ZipWith, nil }
	return group("lambda_funcs", zip.examples([]string{"zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)", "[4, 6]"}), mapZipWith(), arraySort())
}

func mapZipWith() *Row {
	r := &Row{Name: "map_zip_with", Since: "3.0.0", Usage: "map_zip_with(a, b, (k, x, y) -> …): the map of the function of the values under each key of either map.", NullIn: true}
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 3, 3); err != nil {
			return nil, err
		}
		a, b := call.Args[0], call.Args[1]
		for i := range 2 {
			if call.Args[i].Type().Kind != types.MapKind {
				return nil, wrongType(call, i, tMap, call.Args[i])
			}
		}
		ta, tb := a.Type(), b.Type()
		key, ok := types.Wider(ta.Key(), tb.Key())
		if !ok {
			return nil, mismatch("MAP_ZIP_WITH_DIFF_TYPES", call, "functionName", "`map_zip_with`", "leftType", quoted(ta.Key().SQL()), "rightType", quoted(tb.Key().SQL()))
		}
		l, err := bindLambda(env, call, 2, types.Field{Name: "k", Type: key}, types.Field{Name: "x", Type: ta.Elem(), Nullable: true}, types.Field{Name: "y", Type: tb.Elem(), Nullable: true})
		if err != nil {
			return nil, err
		}
		a, b = castTo(env, a, types.Map(key, ta.Elem(), ta.ContainsNull())), castTo(env, b, types.Map(key, tb.Elem(), tb.ContainsNull()))
		return r.call(env, call, types.Map(key, l.Body.Type(), l.Body.Nullable()), a.Nullable() || b.Nullable(), a, b, l), nil
	}
	r.HigherOrder = func(*expr.Call) (kernel.HigherOrder, error) { return kernel.ZipMaps, nil }
	return r.examples([]string{"map_zip_with(map(1, 'a', 2, 'b'), map(1, 'x', 2, 'y'), (k, x, y) -> concat(x, y))", "{1 -> ax, 2 -> by}"})
}

// arraySort is array_sort(array[, (l, r) -> …]): without a function in order with nulls last.
func arraySort() *Row {
	r := &Row{Name: "array_sort", Since: "2.4.0", Usage: "array_sort(array[, (l, r) -> …]): the array in order, nulls last; or in the order of a function that is negative, 0 or positive.", NullIn: true}
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 1, 2); err != nil {
			return nil, err
		}
		t, err := arrayArg(call, 0)
		if err != nil {
			return nil, err
		}
		a := call.Args[0]
		if len(call.Args) == 1 {
			if !t.Elem().IsOrderable() && t.Elem().Kind != types.NullKind {
				return nil, mismatch("INVALID_ORDERING_TYPE", call, "functionName", "`array_sort`", "dataType", quoted(t.Elem().SQL()))
			}
			return r.call(env, call, t, a.Nullable(), a), nil
		}
		e := types.Field{Name: "x", Type: t.Elem(), Nullable: t.ContainsNull()}
		l, err := bindLambda(env, call, 1, e, e)
		if err != nil {
			return nil, err
		}
		if bt := l.Body.Type(); bt.Kind != types.IntKind {
			return nil, mismatch("UNEXPECTED_RETURN_TYPE", call, "functionName", "`lambdafunction`", "expectedType", `"INT"`, "actualType", quoted(bt.SQL()))
		}
		return r.call(env, call, t, a.Nullable(), a, l), nil
	}
	r.Kernel = lists(func(c *expr.Call, row []any) (any, error) {
		t, list := elemType(c, 0), row[0].([]any)
		slices.SortStableFunc(list, func(a, b any) int {
			if a == nil || b == nil {
				return -kernel.CompareValues(t, a, b)
			}
			return kernel.CompareValues(t, a, b)
		})
		return list, nil
	})
	r.HigherOrder = func(*expr.Call) (kernel.HigherOrder, error) {
		return kernel.SortBy(func() error { return sparkerr.New("COMPARATOR_RETURNS_NULL", "firstValue", "", "secondValue", "") }), nil
	}
	return r.examples([]string{"array_sort(array('b', 'd', NULL, 'c', 'a'))", "[a, b, c, d, null]",
		"array_sort(array(5, 6, 1), (l, r) -> CASE WHEN l < r THEN 1 WHEN l > r THEN -1 ELSE 0 END)", "[6, 5, 1]"})
}
