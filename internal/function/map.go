package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/regex"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, mapMakeRows, mapPartRows, structRows) }

// mapBuilder collects the entries of one map: null keys are refused, repeated ones too unless the session lets the last win.
type mapBuilder struct {
	t    types.Type
	m    types.MapValue
	seen map[string]int
	key  []byte
	last bool
}

func newMapBuilder(c *kernel.Ctx, t types.Type) *mapBuilder {
	return &mapBuilder{t: t, m: types.MapValue{Keys: []any{}, Values: []any{}}, seen: map[string]int{},
		last: c.Conf != nil && strings.EqualFold(c.Conf("spark.sql.mapKeyDedupPolicy"), "LAST_WIN")}
}

func (b *mapBuilder) add(k, v any) error {
	if k == nil {
		return sparkerr.New("NULL_MAP_KEY")
	}
	b.key = kernel.AppendValueKey(b.key[:0], b.t.Key(), k)
	if at, ok := b.seen[string(b.key)]; ok {
		if !b.last {
			return sparkerr.New("DUPLICATED_MAP_KEY", "key", string(types.AppendValue(nil, k, b.t.Key(), nil)), "mapKeyDedupPolicy", `"spark.sql.mapKeyDedupPolicy"`)
		}
		b.m.Values[at] = v
		return nil
	}
	b.seen[string(b.key)] = len(b.m.Keys)
	b.m.Keys, b.m.Values = append(b.m.Keys, k), append(b.m.Values, v)
	return nil
}

// maps lifts a function that fills a map from a row of values that are not null.
func maps(f func(b *mapBuilder, row []any) (null bool, err error)) func(*expr.Call) (kernel.Func, error) {
	return func(call *expr.Call) (kernel.Func, error) {
		return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
			b := newMapBuilder(c, call.T)
			if null, err := f(b, row); null || err != nil {
				return nil, err
			}
			return b.m, nil
		}), nil
	}
}

func mapMakeRows() []*Row {
	return group("map_funcs",
		boundRow("map", "2.0.0", "map(key, value, …): a map of the entries.", bindMap, maps(func(b *mapBuilder, row []any) (bool, error) {
			for i := 0; i+1 < len(row); i += 2 {
				if err := b.add(row[i], row[i+1]); err != nil {
					return false, err
				}
			}
			return false, nil
		}), "map(1.0, '2', 3.0, '4')", "{1.0 -> 2, 3.0 -> 4}").seesNulls(),
		fn("map_from_arrays", "2.4.0", "map_from_arrays(keys, values): a map of the keys and values at the same places.", sig(func(a []expr.Expr) types.Type {
			return types.Map(a[0].Type().Elem(), a[1].Type().Elem(), a[1].Type().ContainsNull())
		}, tArray, tArray), maps(func(b *mapBuilder, row []any) (bool, error) {
			keys, values := row[0].([]any), row[1].([]any)
			if len(keys) != len(values) {
				return false, sparkerr.New("_LEGACY_ERROR_TEMP_2128")
			}
			for i := range keys {
				if err := b.add(keys[i], values[i]); err != nil {
					return false, err
				}
			}
			return false, nil
		}), "map_from_arrays(array(1.0, 3.0), array('2', '4'))", "{1.0 -> 2, 3.0 -> 4}"),
		fn("map_from_entries", "2.4.0", "map_from_entries(array): a map of an array of structs of two fields.", nil, maps(func(b *mapBuilder, row []any) (bool, error) {
			for _, e := range row[0].([]any) {
				if e == nil {
					return true, nil
				}
			}
			for _, e := range row[0].([]any) {
				if err := b.add(e.([]any)[0], e.([]any)[1]); err != nil {
					return false, err
				}
			}
			return false, nil
		}), "map_from_entries(array(struct(1, 'a'), struct(2, 'b')))", "{1 -> a, 2 -> b}").binds(bindMapFromEntries),
		boundRow("map_concat", "2.4.0", "map_concat(map, …): the entries of all maps.", bindMapConcat, maps(func(b *mapBuilder, row []any) (bool, error) {
			for _, x := range row {
				m := x.(types.MapValue)
				for i := range m.Keys {
					if err := b.add(m.Keys[i], m.Values[i]); err != nil {
						return false, err
					}
				}
			}
			return false, nil
		}), "map_concat(map(1, 'a', 2, 'b'), map(3, 'c'))", "{1 -> a, 2 -> b, 3 -> c}"),
		fn("str_to_map", "2.0.1", "str_to_map(text[, pairDelim[, keyValueDelim]]): a map of the pairs of a text.", sig(to(types.Map(types.String, types.String, true)), tStr,
			tStr.defaultTo(","), tStr.defaultTo(":")), strToMap, "str_to_map('a:1,b:2,c:3', ',', ':')", "{a -> 1, b -> 2, c -> 3}"),
	)
}

func bindMap(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("map")
	if n := len(call.Args); n%2 != 0 {
		return nil, pairsWanted("map", n)
	}
	args := append([]expr.Expr{}, call.Args...)
	var keys, values []int
	for i := range args {
		if i%2 == 0 {
			keys = append(keys, i)
		} else {
			values = append(values, i)
		}
	}
	t := types.Map(types.Null, types.Null, false)
	if len(args) > 0 {
		var err error
		if args, err = commonArgs(call, args, keys, false); err != nil {
			return nil, mapDiff(err, "CREATE_MAP_KEY_DIFF_TYPES", call, keys)
		}
		if args, err = commonArgs(call, args, values, false); err != nil {
			return nil, mapDiff(err, "CREATE_MAP_VALUE_DIFF_TYPES", call, values)
		}
		null := false
		for _, v := range values {
			null = null || args[v].Nullable()
		}
		t = types.Map(args[0].Type(), args[1].Type(), null)
	}
	if t.Key().HasMap() {
		return nil, mismatch("INVALID_MAP_KEY_TYPE", call, "keyType", quoted(t.Key().SQL()))
	}
	return r.call(env, call, t, false, args...), nil
}

func pairsWanted(name string, n int) error {
	return sparkerr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(name), "expectedNum", "2n (n > 0)", "actualNum", itoa(int64(n)), "docroot", docroot)
}

func mapDiff(_ error, condition string, call *expr.Func, which []int) error {
	list := make([]string, len(which))
	for i, k := range which {
		list[i] = quoted(call.Args[k].Type().SQL())
	}
	return mismatch(condition, call, "functionName", "`map`", "dataType", "["+strings.Join(list, ", ")+"]")
}

func bindMapFromEntries(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 1); err != nil {
		return nil, err
	}
	r, _ := Lookup("map_from_entries")
	a := call.Args[0]
	t := a.Type()
	if t.Kind != types.ArrayKind || t.Elem().Kind != types.StructKind || len(t.Elem().Fields()) != 2 {
		return nil, mismatch("MAP_FROM_ENTRIES_WRONG_TYPE", call, "functionName", "`map_from_entries`", "childExpr", quoted(a.SQL()), "childType", quoted(t.SQL()))
	}
	f := t.Elem().Fields()
	return r.call(env, call, types.Map(f[0].Type, f[1].Type, f[1].Nullable), a.Nullable() || t.ContainsNull(), a), nil
}

func bindMapConcat(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("map_concat")
	if len(call.Args) == 0 {
		return r.call(env, call, types.Map(types.String, types.String, false), false), nil
	}
	hasNull, null := false, false
	for _, a := range call.Args {
		if t := a.Type(); t.Kind != types.MapKind && t.Kind != types.NullKind {
			list := make([]string, len(call.Args))
			for i, a := range call.Args {
				list[i] = quoted(a.Type().SQL())
			}
			return nil, mismatch("MAP_CONCAT_DIFF_TYPES", call, "functionName", "`map_concat`", "dataType", "["+strings.Join(list, ", ")+"]")
		} else if t.Kind == types.MapKind {
			hasNull = hasNull || t.ContainsNull()
		}
		null = null || a.Nullable()
	}
	args, err := commonArgs(call, call.Args, []int{-1}, true)
	if err != nil {
		return nil, err
	}
	t := args[0].Type()
	if t.Kind == types.MapKind {
		t = types.Map(t.Key(), t.Elem(), hasNull)
	}
	return r.call(env, call, t, null, args...), nil
}

func strToMap(call *expr.Call) (kernel.Func, error) {
	pairs, kv := patterns{fn: "str_to_map"}, patterns{fn: "str_to_map"}
	return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
		p, err := pairs.of(row[1].(string))
		if err != nil {
			return nil, err
		}
		q, err := kv.of(row[2].(string))
		if err != nil {
			return nil, err
		}
		b := newMapBuilder(c, call.T)
		for _, pair := range splitText(p, row[0].(string), row[1].(string), -1) {
			var value any
			parts := splitText(q, pair, row[2].(string), 2)
			if len(parts) > 1 {
				value = parts[1]
			}
			if err := b.add(parts[0], value); err != nil {
				return nil, err
			}
		}
		return b.m, nil
	}), nil
}

func splitText(r *regex.Regex, s, delim string, limit int) []string {
	if delim == "" && s != "" {
		return strings.Split(s, "")
	}
	return r.Split(nil, s, limit)
}

func mapPartRows() []*Row {
	kid := func(k int) func(*expr.Call) (kernel.Func, error) {
		return is(func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			v := args[0]
			v.Kids = []columnar.Vector{args[0].Kids[k]}
			return v, nil
		})
	}
	return group("map_funcs",
		fn("map_keys", "2.3.0", "map_keys(map): the keys.", sig(func(a []expr.Expr) types.Type { return types.Array(a[0].Type().Key(), false) }, tMap), kid(0),
			"map_keys(map(1, 'a', 2, 'b'))", "[1, 2]").total(),
		fn("map_values", "2.3.0", "map_values(map): the values.", sig(func(a []expr.Expr) types.Type {
			return types.Array(a[0].Type().Elem(), a[0].Type().ContainsNull())
		}, tMap), kid(1), "map_values(map(1, 'a', 2, 'b'))", "[a, b]").total(),
		fn("map_entries", "3.0.0", "map_entries(map): an array of structs of key and value.", sig(func(a []expr.Expr) types.Type {
			return types.Array(types.Struct(entryFields(a[0].Type())...), false)
		}, tMap), is(func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			v := args[0]
			keys, values := kernel.FlatKid(c, &args[0], 0), kernel.FlatKid(c, &args[0], 1)
			v.Kids = []columnar.Vector{{Type: types.Struct(entryFields(args[0].Type)...), N: keys.N, Kids: []columnar.Vector{*keys, *values}}}
			return v, nil
		}), "map_entries(map(1, 'a', 2, 'b'))", "[{1, a}, {2, b}]").total(),
		boundRow("map_contains_key", "3.3.0", "map_contains_key(map, key): whether the map has the key.", bindMapContainsKey, is(func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			m := *kernel.FlatArg(c, &args[0])
			m.Kids = m.Kids[:1]
			return kernel.Contains(c, []columnar.Vector{m, args[1]}, n)
		}), "map_contains_key(map(1, 'a', 2, 'b'), 1)", "true").total(),
	)
}

func bindMapContainsKey(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup("map_contains_key")
	m, k := call.Args[0], call.Args[1]
	if m.Type().Kind == types.NullKind || k.Type().Kind == types.NullKind {
		return nil, mismatch("NULL_TYPE", call, "functionName", "`map_contains_key`")
	}
	if m.Type().Kind != types.MapKind {
		return nil, wrongType(call, 0, tMap, m)
	}
	t := m.Type()
	key, ok := types.Wider(t.Key(), k.Type())
	if !ok || t.Key().Kind == types.StringKind != (k.Type().Kind == types.StringKind) {
		return nil, mismatch("MAP_FUNCTION_DIFF_TYPES", call, "functionName", "`map_contains_key`", "dataType", `"MAP"`, "leftType", quoted(t.SQL()), "rightType", quoted(k.Type().SQL()))
	}
	args := []expr.Expr{castTo(env, m, types.Map(key, t.Elem(), t.ContainsNull())), castTo(env, k, key)}
	return r.call(env, call, types.Boolean, m.Nullable() || k.Nullable(), args...), nil
}

func structRows() []*Row {
	return group("struct_funcs",
		boundRow("named_struct", "1.5.0", "named_struct(name, value, …): a struct of named values.", bindNamedStruct, func(c *expr.Call) (kernel.Func, error) {
			which := make([]int, len(c.Args)/2)
			for i := range which {
				which[i] = 2*i + 1
			}
			return kernel.MakeStruct(which), nil
		}, "named_struct('a', 1, 'b', 2)", "{1, 2}").seesNulls().total(),
		(&Row{Name: "struct", Kind: Special, Since: "1.4.0", Usage: "struct(value, …): a struct of the values, named by their columns.", Bind: bindStruct, Total: always}).
			examples([]string{"struct(1, 2, 3)", "{1, 2, 3}"}),
	)
}

func bindNamedStruct(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if n := len(call.Args); n%2 != 0 {
		return nil, pairsWanted("named_struct", n)
	}
	r, _ := Lookup("named_struct")
	args := make([]expr.Expr, len(call.Args))
	fields := make([]types.Field, len(call.Args)/2)
	for i := range fields {
		name, err := structName(env, call, 2*i)
		if err != nil {
			return nil, err
		}
		v := unaliased(call.Args[2*i+1])
		args[2*i], args[2*i+1] = expr.NewLiteral(name, types.String), v
		fields[i] = types.Field{Name: name, Type: v.Type(), Nullable: v.Nullable()}
	}
	return r.call(env, call, types.Struct(fields...), false, args...), nil
}

// structName is the constant name at an even place of named_struct.
func structName(env *BindEnv, call *expr.Func, i int) (string, error) {
	e := unaliased(call.Args[i])
	if l, ok := e.(*expr.Literal); ok {
		if s, ok := l.Value.(string); ok {
			return s, nil
		}
	} else if Foldable(e) && env.Fold != nil && e.Type().Kind == types.StringKind {
		v, err := env.Fold(e)
		if err != nil {
			return "", err
		}
		if s, ok := v.(string); ok {
			return s, nil
		}
		return "", mismatch("UNEXPECTED_NULL", call, "exprName", "[`NULL`]")
	}
	var bad []string
	for k := 0; k < len(call.Args); k += 2 {
		if l, ok := call.Args[k].(*expr.Literal); !ok || l.T.Kind != types.StringKind {
			bad = append(bad, quoted(call.Args[k].SQL()))
		}
	}
	return "", mismatch("CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", call, "inputExprs", "["+strings.Join(bad, ", ")+"]")
}

func unaliased(e expr.Expr) expr.Expr {
	for {
		a, ok := e.(*expr.Alias)
		if !ok {
			return e
		}
		e = a.Child
	}
}

func bindStruct(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	args := make([]expr.Expr, 0, 2*len(call.Args))
	for i, a := range call.Args {
		args = append(args, expr.NewLiteral(fieldName(a, i), types.String), unaliased(a))
	}
	return bindCall(env, "named_struct", args...)
}

// fieldName is the name that a value gives its field: its own, or col with its place.
func fieldName(e expr.Expr, i int) string {
	switch x := e.(type) {
	case *expr.NamedArg:
		return x.Name
	case *expr.Column:
		return x.Name
	case *expr.Alias:
		return x.Name
	case *expr.LambdaVar:
		return x.Name
	case *expr.OuterRef:
		return x.Col.Name
	case *expr.Call:
		if x.Name == "get_field" || x.Name == "get_array_struct_fields" {
			if l, ok := x.Args[1].(*expr.Literal); ok {
				return l.Value.(string)
			}
		}
	}
	return "col" + itoa(int64(i+1))
}
