package function

import (
	"slices"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, arrayMakeRows, arrayElementRows, arraySetRows, arrayOrderRows) }

// bindFunc is the Bind of a row.
type bindFunc = func(env *BindEnv, call *expr.Func) (expr.Expr, error)

// arrayArg wants an array as the first argument and gives its type.
func arrayArg(call *expr.Func, i int) (types.Type, error) {
	t := call.Args[i].Type()
	if t.Kind != types.ArrayKind {
		return t, wrongType(call, i, tArray, call.Args[i])
	}
	return t, nil
}

// withElement binds (array, …) calls whose argument at is cast to the common type of elements and itself. out makes the result type
// from the array's type and the nullability of the new element; null says when the result is.
func withElement(lo, hi, at int, out func(arr types.Type, elemNull bool) types.Type, null Nullness) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, lo, hi); err != nil {
			return nil, err
		}
		arr, err := arrayArg(call, 0)
		if err != nil {
			return nil, err
		}
		args := append([]expr.Expr{}, call.Args...)
		val := args[at].Type()
		elem, ok := types.Wider(arr.Elem(), val)
		if ok && val.Kind == types.StringKind && arr.Elem().Kind != types.StringKind && arr.Elem().Kind != types.NullKind {
			ok = false
		}
		if !ok {
			return nil, mismatch("ARRAY_FUNCTION_DIFF_TYPES", call, "functionName", types.Quote(rowName(call)), "dataType", `"ARRAY"`,
				"leftType", quoted(arr.SQL()), "rightType", quoted(val.SQL()))
		}
		args[0] = castTo(env, args[0], types.Array(elem, arr.ContainsNull()))
		args[at] = castTo(env, args[at], elem)
		row, _ := Lookup(rowName(call))
		isNull := null == NullAlways
		for i, a := range args {
			isNull = isNull || null == NullFromArgs && (i != at || at == 1) && a.Nullable()
		}
		return row.call(env, call, out(args[0].Type(), args[at].Nullable()), isNull, args...), nil
	}
}

func rowName(call *expr.Func) string { return strings.ToLower(call.Name[len(call.Name)-1]) }

// sameArrays binds calls of two arrays, both cast to their common type.
func sameArrays(out func(a, b types.Type) types.Type) bindFunc {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 2, 2); err != nil {
			return nil, err
		}
		a, b := call.Args[0].Type(), call.Args[1].Type()
		if _, err := arrayArg(call, 0); err != nil && a.Kind != types.NullKind {
			return nil, err
		}
		if _, err := arrayArg(call, 1); err != nil && b.Kind != types.NullKind {
			return nil, err
		}
		t, ok := types.Wider(a, b)
		if !ok || t.Kind != types.ArrayKind {
			return nil, mismatch("BINARY_ARRAY_DIFF_TYPES", call, "functionName", types.Quote(rowName(call)), "arrayType", `"ARRAY"`,
				"leftType", quoted(a.SQL()), "rightType", quoted(b.SQL()))
		}
		row, _ := Lookup(rowName(call))
		x, y := castTo(env, call.Args[0], t), castTo(env, call.Args[1], t)
		if a.Kind == types.ArrayKind && b.Kind == types.ArrayKind {
			a, b = types.Array(t.Elem(), a.ContainsNull()), types.Array(t.Elem(), b.ContainsNull())
		} else {
			a, b = t, t
		}
		c := row.call(env, call, out(a, b), x.Nullable() || y.Nullable(), x, y)
		if row.Name == "arrays_overlap" {
			c.Null = c.Null || a.ContainsNull() || b.ContainsNull()
		}
		return c, nil
	}
}

// boundRow makes a row with its own Bind.
func boundRow(name, since, usage string, bind bindFunc, k func(*expr.Call) (kernel.Func, error), examples ...string) *Row {
	return fn(name, since, usage, nil, k, examples...).binds(bind)
}

// lists lifts a function of rows of Go values that are not null.
func lists(f func(c *expr.Call, row []any) (any, error)) func(*expr.Call) (kernel.Func, error) {
	return func(call *expr.Call) (kernel.Func, error) {
		return kernel.EachRow(call.T, func(_ *kernel.Ctx, row []any) (any, error) { return f(call, row) }), nil
	}
}

func elemType(c *expr.Call, i int) types.Type { return c.Args[i].Type().Elem() }

func arrayMakeRows() []*Row {
	same := func(a types.Type, _ bool) types.Type { return a }
	nullable := func(a types.Type, null bool) types.Type { return types.Array(a.Elem(), a.ContainsNull() || null) }
	return group("array_funcs",
		boundRow("array", "1.1.0", "array(expr, …): an array of the values.", bindArray, func(c *expr.Call) (kernel.Func, error) {
			return kernel.MakeArray(c.T.Elem()), nil
		}, "array(1, 2, 3)", "[1, 2, 3]").seesNulls().total(),
		fn("array_repeat", "2.4.0", "array_repeat(element, n): an array of n times the element.", &Sig{In: []In{tAny, tInt}, Out: func(a []expr.Expr) types.Type {
			return types.Array(a[0].Type(), a[0].Nullable())
		}}, rowsOf(arrayRepeat), "array_repeat('ab', 2)", "[ab, ab]").seesNulls().binds(bindArrayRepeat),
		boundRow("array_append", "3.4.0", "array_append(array, element): the array with the element at its end.", withElement(2, 2, 1, nullable, NullFromArgs), rowsOf(arrayAppend),
			"array_append(array('b', 'd'), 'a')", "[b, d, a]").seesNulls().total(),
		boundRow("array_prepend", "3.5.0", "array_prepend(array, element): the array with the element at its start.", withElement(2, 2, 1, nullable, NullFromArgs), rowsOf(arrayPrepend),
			"array_prepend(array('b', 'd'), 'a')", "[a, b, d]").seesNulls().total(),
		boundRow("array_insert", "3.4.0", "array_insert(array, pos, element): the array with the element at position pos, negative from the end.", bindArrayInsert,
			rowsOf(arrayInsert), "array_insert(array(1, 2, 4), 3, 3)", "[1, 2, 3, 4]").seesNulls(),
		boundRow("array_remove", "2.4.0", "array_remove(array, element): the array without the elements that equal it.", withElement(2, 2, 1, same, NullFromArgs),
			lists(func(c *expr.Call, row []any) (any, error) {
				t := elemType(c, 0)
				return slices.DeleteFunc(row[0].([]any), func(x any) bool { return x != nil && kernel.CompareValues(t, x, row[1]) == 0 }), nil
			}), "array_remove(array(1, 2, 3, NULL, 3), 3)", "[1, 2, null]").total(),
		fn("array_compact", "3.4.0", "array_compact(array): the array without nulls.", sig(func(a []expr.Expr) types.Type { return types.Array(a[0].Type().Elem(), false) }, tArray),
			lists(func(_ *expr.Call, row []any) (any, error) {
				return slices.DeleteFunc(row[0].([]any), func(x any) bool { return x == nil }), nil
			}), "array_compact(array(1, 2, NULL))", "[1, 2]").total(),
		fn("flatten", "2.4.0", "flatten(arrays): one array of the elements of all.", sig(func(a []expr.Expr) types.Type { return a[0].Type().Elem() }, tArray).check(wantNestedArray),
			lists(flatten), "flatten(array(array(1, 2), array(3, 4)))", "[1, 2, 3, 4]").binds(bindFlatten).total(),
		fn("slice", "2.4.0", "slice(array, start, length): a part of the array, from 1, negative from the end.", sig(like(0), tArray, tInt, tInt), lists(slice),
			"slice(array(1, 2, 3, 4), 2, 2)", "[2, 3]").named("x", "start", "length"),
		fn("array_size", "3.3.0", "array_size(array): the number of elements.", sig(to(types.Int), tArray), is(kernel.Sizes), "array_size(array('b', 'd'))", "2").total(),
	)
}

func bindArray(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("array")
	t, null := types.Null, false
	args := call.Args
	if len(args) > 0 {
		var err error
		if args, err = commonArgs(call, args, []int{-1}, false); err != nil {
			return nil, err
		}
		t = args[0].Type()
	}
	for _, a := range args {
		null = null || a.Nullable()
	}
	return row.call(env, call, types.Array(t, null), false, args...), nil
}

func bindArrayRepeat(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("array_repeat")
	e, err := row.bindSig(env, call)
	if c, ok := e.(*expr.Call); ok {
		c.Null = c.Args[1].Nullable()
	}
	return e, err
}

const maxArray = 1<<31 - 1 - 15

func arrayRepeat(_ *kernel.Ctx, row []any) (any, error) {
	n, ok := row[1].(int32)
	if !ok {
		return nil, nil
	}
	if int64(n) > maxArray {
		return nil, sizeLimit(int64(n), "array_repeat")
	}
	if err := kernel.Room("array_repeat", int64(n)*boxed); err != nil {
		return nil, err
	}
	return slices.Repeat([]any{row[0]}, max(int(n), 0)), nil
}

// boxed is what an element takes while an array is made, at least.
const boxed = 16

func sizeLimit(n int64, fn string) error {
	return sparkerr.New("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "numberOfElements", itoa(n), "maxRoundedArrayLength", itoa(maxArray), "functionName", types.Quote(fn))
}

func arrayAppend(_ *kernel.Ctx, row []any) (any, error) {
	list, ok := row[0].([]any)
	if !ok {
		return nil, nil
	}
	return append(list, row[1]), nil
}

func arrayPrepend(_ *kernel.Ctx, row []any) (any, error) {
	list, ok := row[0].([]any)
	if !ok {
		return nil, nil
	}
	return append([]any{row[1]}, list...), nil
}

func bindArrayInsert(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 3, 3); err != nil {
		return nil, err
	}
	if t := call.Args[1].Type(); !t.IsIntegral() || t.Kind == types.LongKind {
		return nil, wrongType(call, 1, tInt, call.Args[1])
	}
	q := *call
	q.Args = append([]expr.Expr{}, call.Args...)
	q.Args[1] = castTo(env, q.Args[1], types.Int)
	e, err := withElement(3, 3, 2, func(a types.Type, null bool) types.Type { return types.Array(a.Elem(), true) }, NullFromArgs)(env, &q)
	if c, ok := e.(*expr.Call); ok {
		c.Null = c.Args[0].Nullable() || c.Args[1].Nullable()
	}
	return e, err
}

func arrayInsert(_ *kernel.Ctx, row []any) (any, error) {
	list, ok := row[0].([]any)
	pos, ok2 := row[1].(int32)
	if !ok || !ok2 {
		return nil, nil
	}
	p, n := int(pos), len(list)
	switch {
	case p == 0:
		return nil, sparkerr.New("INVALID_INDEX_OF_ZERO")
	case p > 0 && p-1 <= n:
		return slices.Insert(list, p-1, row[2]), nil
	case p > 0:
		if p > maxArray {
			return nil, sizeLimit(int64(p), "array_insert")
		}
		out := make([]any, p)
		copy(out, list)
		out[p-1] = row[2]
		return out, nil
	case -p <= n+1:
		return slices.Insert(list, n+p+1, row[2]), nil
	}
	if -p > maxArray {
		return nil, sizeLimit(int64(-p), "array_insert")
	}
	out := make([]any, -p)
	out[0] = row[2]
	copy(out[-p-n:], list)
	return out, nil
}

func wantNestedArray(a []expr.Expr) error {
	if t := a[0].Type(); t.Elem().Kind != types.ArrayKind {
		return sparkerr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted("flatten("+a[0].SQL()+")"), "paramIndex", "first", "requiredType", `"ARRAY" of "ARRAY"`,
			"inputSql", quoted(a[0].SQL()), "inputType", quoted(t.SQL()))
	}
	return nil
}

func bindFlatten(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("flatten")
	e, err := row.bindSig(env, call)
	if c, ok := e.(*expr.Call); ok {
		c.Null = c.Null || c.Args[0].Type().ContainsNull()
	}
	return e, err
}

func flatten(_ *expr.Call, row []any) (any, error) {
	out := []any{}
	for _, x := range row[0].([]any) {
		list, ok := x.([]any)
		if !ok {
			return nil, nil
		}
		out = append(out, list...)
	}
	return out, nil
}

func slice(_ *expr.Call, row []any) (any, error) {
	list, start, n := row[0].([]any), int(row[1].(int32)), int(row[2].(int32))
	switch {
	case start == 0:
		return nil, sparkerr.New("INVALID_PARAMETER_VALUE.START", "parameter", "`start`", "functionName", "`slice`")
	case n < 0:
		return nil, sparkerr.New("INVALID_PARAMETER_VALUE.LENGTH", "parameter", "`length`", "functionName", "`slice`", "length", strconv.Itoa(n))
	case start < 0:
		start += len(list)
	default:
		start--
	}
	if start < 0 || start >= len(list) {
		return []any{}, nil
	}
	return list[start:min(start+n, len(list))], nil
}

func arrayElementRows() []*Row {
	return group("array_funcs",
		boundRow("array_contains", "1.5.0", "array_contains(array, value): whether the array has the value.", bindArrayContains, is(kernel.Contains), "array_contains(array(1, 2, 3), 2)", "true").total(),
		boundRow("array_position", "2.4.0", "array_position(array, value): the position of the first such element, from 1; 0 when there is none.",
			withElement(2, 2, 1, func(types.Type, bool) types.Type { return types.Long }, NullFromArgs), lists(func(c *expr.Call, row []any) (any, error) {
				t := elemType(c, 0)
				return int64(slices.IndexFunc(row[0].([]any), func(x any) bool { return x != nil && kernel.CompareValues(t, x, row[1]) == 0 }) + 1), nil
			}), "array_position(array(3, 2, 1), 1)", "3").total(),
		fn("array_min", "2.4.0", "array_min(array): the least element; nulls are skipped.", sig(elemOf(0), tArray).nullable(), extremeOf(-1), "array_min(array(1, 20, NULL, 3))", "1").total(),
		fn("array_max", "2.4.0", "array_max(array): the greatest element; nulls are skipped.", sig(elemOf(0), tArray).nullable(), extremeOf(1), "array_max(array(1, 20, NULL, 3))", "20").total(),
		fn("array_join", "2.4.0", "array_join(array, delimiter[, nullReplacement]): the elements as one text.",
			sig(to(types.String), arrayOf(tStr), tStr, tStr.optional()), func(*expr.Call) (kernel.Func, error) { return arrayJoin, nil }, "array_join(array('hello', 'world'), ' ')", "hello world").total(),
		fn("get", "3.4.0", "get(array, index): the element at the index, from 0; null outside of the array.", sig(elemOf(0), tArray, tInt).nullable(), func(c *expr.Call) (kernel.Func, error) {
			return kernel.Item(types.Int, false, nil), nil
		}, "get(array(1, 2, 3), 0)", "1", "get(array(1, 2, 3), 3)", "NULL").total(),
	)
}

func bindArrayContains(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	if call.Args[0].Type().Kind == types.NullKind || call.Args[1].Type().Kind == types.NullKind {
		return nil, mismatch("NULL_TYPE", call, "functionName", "`array_contains`")
	}
	e, err := withElement(2, 2, 1, func(types.Type, bool) types.Type { return types.Boolean }, NullFromArgs)(env, call)
	if c, ok := e.(*expr.Call); ok {
		c.Null = c.Null || c.Args[0].Type().ContainsNull()
	}
	return e, err
}

func extremeOf(sign int) func(*expr.Call) (kernel.Func, error) {
	return lists(func(c *expr.Call, row []any) (any, error) {
		t := elemType(c, 0)
		var best any
		for _, x := range row[0].([]any) {
			if x != nil && (best == nil || sign*kernel.CompareValues(t, x, best) > 0) {
				best = x
			}
		}
		return best, nil
	})
}

func arrayJoin(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	return kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
		if c.Valid != nil && !c.Valid.Get(i) {
			return dst, true
		}
		from, to := kernel.Span(&args[0], i)
		first := true
		for e := from; e < to; e++ {
			kid := &args[0].Kids[0]
			null := kid.Null(e)
			if null && len(args) < 3 {
				continue
			}
			if !first {
				dst = append(dst, args[1].Text(i)...)
			}
			first = false
			if null {
				dst = append(dst, args[2].Text(i)...)
			} else {
				dst = append(dst, kid.Text(e)...)
			}
		}
		return dst, true
	}), nil
}

func arraySetRows() []*Row {
	either := func(a, b types.Type) types.Type { return types.Array(a.Elem(), a.ContainsNull() || b.ContainsNull()) }
	both := func(a, b types.Type) types.Type { return types.Array(a.Elem(), a.ContainsNull() && b.ContainsNull()) }
	left := func(a, _ types.Type) types.Type { return a }
	return group("array_funcs",
		fn("array_distinct", "2.4.0", "array_distinct(array): the array without repeated elements.", sig(like(0), tArray), lists(func(c *expr.Call, row []any) (any, error) {
			return distinct(c, kernel.NewValueSet(elemType(c, 0)), nil, row[0].([]any)), nil
		}), "array_distinct(array(1, 2, 3, NULL, 3))", "[1, 2, 3, null]").total(),
		boundRow("array_union", "2.4.0", "array_union(a, b): the elements of both arrays, each once.", sameArrays(either), lists(func(c *expr.Call, row []any) (any, error) {
			seen := kernel.NewValueSet(elemType(c, 0))
			return distinct(c, seen, distinct(c, seen, nil, row[0].([]any)), row[1].([]any)), nil
		}), "array_union(array(1, 2, 3), array(1, 3, 5))", "[1, 2, 3, 5]").total(),
		boundRow("array_intersect", "2.4.0", "array_intersect(a, b): the elements that are in both arrays, each once.", sameArrays(both), lists(func(c *expr.Call, row []any) (any, error) {
			other := setOf(c, row[1].([]any))
			return distinct(c, kernel.NewValueSet(elemType(c, 0)), nil, slices.DeleteFunc(row[0].([]any), func(x any) bool { return !other.Has(x) })), nil
		}), "array_intersect(array(1, 2, 3), array(1, 3, 5))", "[1, 3]").total(),
		boundRow("array_except", "2.4.0", "array_except(a, b): the elements of a that are not in b, each once.", sameArrays(left), lists(func(c *expr.Call, row []any) (any, error) {
			return distinct(c, setOf(c, row[1].([]any)), nil, row[0].([]any)), nil
		}), "array_except(array(1, 2, 3), array(1, 3, 5))", "[2]").total(),
		boundRow("arrays_overlap", "2.4.0", "arrays_overlap(a, b): whether an element is in both arrays.", sameArrays(func(a, b types.Type) types.Type { return types.Boolean }), lists(arraysOverlap),
			"arrays_overlap(array(1, 2, 3), array(3, 4, 5))", "true").total(),
		fn("arrays_zip", "2.4.0", "arrays_zip(a, b, …): an array of structs of the elements at the same place.", nil, rowsOf(arraysZip), "arrays_zip(array(1, 2, 3), array(2, 3, 4))",
			"[{1, 2}, {2, 3}, {3, 4}]").binds(bindArraysZip).seesNulls().total(),
	)
}

func setOf(c *expr.Call, list []any) *kernel.ValueSet {
	s := kernel.NewValueSet(elemType(c, 0))
	for _, x := range list {
		s.Add(x)
	}
	return s
}

// distinct adds the elements that seen has not yet.
func distinct(_ *expr.Call, seen *kernel.ValueSet, out, list []any) []any {
	if out == nil {
		out = []any{}
	}
	for _, x := range list {
		if seen.Add(x) {
			out = append(out, x)
		}
	}
	return out
}

func arraysOverlap(c *expr.Call, row []any) (any, error) {
	a, b := row[0].([]any), row[1].([]any)
	other, sawNull := setOf(c, b), false
	for _, x := range a {
		if x == nil {
			sawNull = true
		} else if other.Has(x) {
			return true, nil
		}
	}
	if len(a) > 0 && len(b) > 0 && (sawNull || other.Has(nil)) {
		return nil, nil
	}
	return false, nil
}

func bindArraysZip(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("arrays_zip")
	fields := make([]types.Field, len(call.Args))
	null := false
	args := append([]expr.Expr{}, call.Args...)
	for i, a := range args {
		t := a.Type()
		if t.Kind == types.NullKind {
			t = types.Array(types.Null, true)
			args[i] = castTo(env, a, t)
		} else if _, err := arrayArg(call, i); err != nil {
			return nil, err
		}
		fields[i] = types.Field{Name: zipName(a, i), Type: t.Elem(), Nullable: true}
		null = null || a.Nullable()
	}
	return row.call(env, call, types.Array(types.Struct(fields...), false), null, args...), nil
}

// zipName is the field's name for an array: that of a column or field, else its number.
func zipName(e expr.Expr, i int) string {
	switch x := e.(type) {
	case *expr.Column:
		return x.Name
	case *expr.Alias:
		return x.Name
	case *expr.Call:
		if x.Name == "get_field" || x.Name == "get_array_struct_fields" {
			if l, ok := x.Args[1].(*expr.Literal); ok {
				return l.Value.(string)
			}
		}
	}
	return strconv.Itoa(i)
}

func arraysZip(_ *kernel.Ctx, row []any) (any, error) {
	n := 0
	for _, x := range row {
		list, ok := x.([]any)
		if !ok {
			return nil, nil
		}
		n = max(n, len(list))
	}
	out := make([]any, n)
	for i := range out {
		rec := make([]any, len(row))
		for k, x := range row {
			if list := x.([]any); i < len(list) {
				rec[k] = list[i]
			}
		}
		out[i] = rec
	}
	return out, nil
}

func arrayOrderRows() []*Row {
	return group("array_funcs",
		fn("sort_array", "1.5.0", "sort_array(array[, ascending]): the array in order; nulls first, or last when descending.", sig(like(0), tArray, tBool.defaultTo(true)).check(orderedElements),
			lists(func(c *expr.Call, row []any) (any, error) {
				t, sign := elemType(c, 0), 1
				if !row[1].(bool) {
					sign = -1
				}
				list := row[0].([]any)
				slices.SortStableFunc(list, func(a, b any) int { return sign * kernel.CompareValues(t, a, b) })
				return list, nil
			}), "sort_array(array('b', 'd', NULL, 'c', 'a'), true)", "[null, a, b, c, d]").total(),
		fn("shuffle", "2.4.0", "shuffle(array[, seed]): the array in random order.", sig(like(0), tArray, tLong.constant().optional()), shuffle, "size(shuffle(array(1, 2, 3)))", "3").volatile().binds(bindShuffle).total(),
	)
}

func orderedElements(a []expr.Expr) error {
	t := a[0].Type().Elem()
	if t.IsOrderable() || t.Kind == types.NullKind {
		return nil
	}
	return sparkerr.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", quoted("sort_array("+a[0].SQL()+", "+a[1].SQL()+")"), "functionName", "`sort_array`", "dataType", quoted(t.SQL()))
}
