package function

import (
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/text"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, collectionRows, itemRows, sequenceRows) }

var tCollection = oneOf(tArray, tMap)

func collectionRows() []*Row {
	return group("collection_funcs",
		fn("size", "1.5.0", "size(collection): the number of elements of an array or map.", sig(to(types.Int), tCollection), size, "size(array('b', 'd', 'c', 'a'))", "4").
			alias("cardinality").own().seesNulls().binds(bindSize).total(),
		fn("reverse", "1.5.0", "reverse(expr): the text or array from its end to its start.", sig(like(0), oneOf(tStr, tArray)), reverse, "reverse('Fire')", "eriF",
			"reverse(array(2, 1, 4, 3))", "[3, 4, 1, 2]").total(),
		boundRow("element_at", "2.4.0", "element_at(array, position): the element, from 1, negative from the end; element_at(map, key): the value.", bindElementAt, elementAt,
			"element_at(array(1, 2, 3), 2)", "2", "element_at(map(1, 'a', 2, 'b'), 2)", "b"),
		boundRow("try_element_at", "3.5.0", "try_element_at(array, position): element_at, or null outside of the array.", bindElementAt, elementAt,
			"try_element_at(array(1, 2, 3), 7)", "NULL"),
	)
}

// bindSize: without ANSI the size of null is -1.
func bindSize(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("size")
	e, err := r.bindSig(env, call)
	if c, ok := e.(*expr.Call); ok && c.Mode == expr.CastLegacy {
		c.Null = false
	}
	return e, err
}

func size(call *expr.Call) (kernel.Func, error) {
	legacy := call.Mode == expr.CastLegacy
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		if args[0].Form == columnar.Const {
			args[0] = *kernel.FlatArg(c, &args[0])
		}
		v, err := kernel.Sizes(c, args, n)
		if args[0].Valid == nil || !legacy {
			v.Valid = args[0].Valid
			return v, err
		}
		out := columnar.Of[int32](v.Data)
		for i := range out {
			if !args[0].Valid.Get(i) {
				out[i] = -1
			}
		}
		return v, err
	}, nil
}

func reverse(c *expr.Call) (kernel.Func, error) {
	if c.T.Kind != types.ArrayKind {
		return b1(text.AppendReverse)(c)
	}
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		v := args[0]
		kid := kernel.FlatKid(c, &v, 0)
		offs := columnar.Of[int32](v.Data)
		sel := c.Scratch.IDs(kid.N)
		for i := range sel {
			sel[i] = uint32(i)
		}
		for i := range n {
			if c.Valid == nil || c.Valid.Get(i) {
				slices.Reverse(sel[offs[i]:offs[i+1]])
			}
		}
		v.Kids = []columnar.Vector{c.Scratch.Gather(kid, sel)}
		return v, nil
	}, nil
}

// bindElementAt binds element_at and try_element_at of arrays and maps.
func bindElementAt(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup(rowName(call))
	c, k := call.Args[0], call.Args[1]
	switch t := c.Type(); t.Kind {
	case types.ArrayKind:
		if kt := k.Type(); !kt.IsIntegral() && kt.Kind != types.NullKind {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", "second", "requiredType", `"INT"`, "inputSql", quoted(k.SQL()), "inputType", quoted(kt.SQL()))
		}
		null := c.Nullable() || k.Nullable() || t.ContainsNull() || r.Name != "element_at" || mode(env) != expr.CastAnsi
		return r.call(env, call, t.Elem(), null, c, castTo(env, k, types.Int)), nil
	case types.MapKind:
		key, ok := types.Wider(t.Key(), k.Type())
		if !ok || k.Type().Kind == types.NullKind || t.Key().Kind == types.StringKind != (k.Type().Kind == types.StringKind) {
			return nil, mismatch("MAP_FUNCTION_DIFF_TYPES", call, "functionName", types.Quote(r.Name), "dataType", `"MAP"`, "leftType", quoted(t.SQL()), "rightType", quoted(k.Type().SQL()))
		}
		return r.call(env, call, t.Elem(), true, castTo(env, c, types.Map(key, t.Elem(), t.ContainsNull())), castTo(env, k, key)), nil
	}
	return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", "first", "requiredType", `("ARRAY" or "MAP")`, "inputSql", quoted(c.SQL()), "inputType", quoted(c.Type().SQL()))
}

func elementAt(call *expr.Call) (kernel.Func, error) {
	soft := call.Name != "element_at" || call.Mode == expr.CastLegacy
	return kernel.Item(call.Args[1].Type(), true, func(k, size int) error {
		switch {
		case k == 0:
			return sparkerr.New("INVALID_INDEX_OF_ZERO")
		case soft:
			return nil
		}
		return indexError("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", k, size)
	}), nil
}

func itemRows() []*Row {
	return group("collection_funcs",
		boundRow("get_item", "1.0.0", "array[index] or map[key].", bindItem, getItem).internal(),
		fn("get_field", "1.0.0", "The field of a struct.", nil, func(c *expr.Call) (kernel.Func, error) {
			k, err := fieldIndex(c.Args[0].Type(), c.Args[1])
			return kernel.Field(k), err
		}).internal().total(),
		fn("get_array_struct_fields", "1.0.0", "A field of each struct of an array.", nil, func(c *expr.Call) (kernel.Func, error) {
			k, err := fieldIndex(c.Args[0].Type().Elem(), c.Args[1])
			return kernel.FieldOfElements(k), err
		}).internal().total(),
	)
}

func fieldIndex(t types.Type, name expr.Expr) (int, error) {
	l, ok := name.(*expr.Literal)
	want, _ := literalText(l, ok)
	for i, f := range t.Fields() {
		if f.Name == want {
			return i, nil
		}
	}
	return 0, sparkerr.Internal("function: no field %s in %s", want, t)
}

// bindItem binds array[index] and map[key].
func bindItem(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	r, _ := Lookup("get_item")
	c, k := call.Args[0], call.Args[1]
	t := c.Type()
	if t.Kind == types.MapKind {
		key, ok := types.Wider(t.Key(), k.Type())
		if !ok {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", "second", "requiredType", quoted(t.Key().SQL()), "inputSql", quoted(k.SQL()), "inputType", quoted(k.Type().SQL()))
		}
		return r.call(env, call, t.Elem(), true, castTo(env, c, types.Map(key, t.Elem(), t.ContainsNull())), castTo(env, k, key)), nil
	}
	if kt := k.Type(); !kt.IsIntegral() && kt.Kind != types.NullKind {
		return nil, sparkerr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted(c.SQL()+"["+k.SQL()+"]"), "paramIndex", "second", "requiredType", `"INTEGRAL"`,
			"inputSql", quoted(k.SQL()), "inputType", quoted(kt.SQL()))
	} else if kt.Kind == types.NullKind {
		k = castTo(env, k, types.Int)
	}
	null := c.Nullable() || k.Nullable() || t.ContainsNull() || mode(env) != expr.CastAnsi
	return r.call(env, call, t.Elem(), null, c, k), nil
}

func getItem(call *expr.Call) (kernel.Func, error) {
	soft := call.Mode == expr.CastLegacy
	return kernel.Item(call.Args[1].Type(), false, func(k, size int) error {
		if soft {
			return nil
		}
		return indexError("INVALID_ARRAY_INDEX", k, size)
	}), nil
}

func sequenceRows() []*Row {
	return group("array_funcs",
		fn("sequence", "2.4.0", "sequence(start, stop[, step]): an array from start to stop, both inclusive.", nil, sequence, "sequence(1, 5)", "[1, 2, 3, 4, 5]", "sequence(5, 1)", "[5, 4, 3, 2, 1]",
			"sequence(DATE'2018-01-01', DATE'2018-03-01', INTERVAL 1 MONTH)", "[2018-01-01, 2018-02-01, 2018-03-01]").named("start", "stop", "step").binds(bindSequence),
	)
}

func bindSequence(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 3); err != nil {
		return nil, err
	}
	r, _ := Lookup("sequence")
	args := append([]expr.Expr{}, call.Args...)
	t, ok := types.Wider(args[0].Type(), args[1].Type())
	if t.Kind == types.StringKind {
		ok = false
	}
	bad := func() error {
		return mismatch("SEQUENCE_WRONG_INPUT_TYPES", call, "functionName", "`sequence`", "startType", `("TIMESTAMP" or "TIMESTAMP_NTZ" or "DATE")`,
			"stepType", `("INTERVAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`, "otherStartType", `"INTEGRAL"`)
	}
	if !ok || !t.IsIntegral() && !t.IsDatetime() {
		return nil, bad()
	}
	if len(args) == 3 {
		st := args[2].Type()
		switch {
		case t.IsIntegral() && (st.IsIntegral() || st.Kind == types.NullKind):
			wide, _ := types.Wider(t, st)
			if st.Kind == types.NullKind {
				wide = t
			}
			t = wide
			args[2] = castTo(env, args[2], t)
		case t.IsDatetime() && isInterval(st):
		case t.IsDatetime() && st.Kind == types.StringKind:
			args[2] = castTo(env, args[2], types.Calendar)
		default:
			return nil, bad()
		}
	}
	args[0], args[1] = castTo(env, args[0], t), castTo(env, args[1], t)
	null := false
	for _, a := range args {
		null = null || a.Nullable()
	}
	return r.call(env, call, types.Array(t, false), null, args...), nil
}

func sequence(call *expr.Call) (kernel.Func, error) {
	t := call.T.Elem()
	if t.IsIntegral() {
		return kernel.EachRow(call.T, func(_ *kernel.Ctx, row []any) (any, error) { return integerSequence(row) }), nil
	}
	return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) { return timeSequence(c, t, row) }), nil
}

func integerSequence(row []any) (any, error) {
	start, _ := integerValue(row[0])
	stop, _ := integerValue(row[1])
	step := int64(1)
	if start > stop {
		step = -1
	}
	if len(row) == 3 {
		step, _ = integerValue(row[2])
	}
	if !(step > 0 && start <= stop || step < 0 && start >= stop || step == 0 && start == stop) {
		return nil, badBounds(start, stop, itoa(step))
	}
	n := int64(1)
	if step != 0 {
		n += (stop - start) / step
	}
	if n > maxArray || n < 0 {
		return nil, sizeLimit(n, "sequence")
	}
	if err := kernel.Room("sequence", n*boxed); err != nil {
		return nil, err
	}
	out := make([]any, n)
	for i := range out {
		v := start + int64(i)*step
		switch row[0].(type) {
		case int8:
			out[i] = int8(v)
		case int16:
			out[i] = int16(v)
		case int32:
			out[i] = int32(v)
		default:
			out[i] = v
		}
	}
	return out, nil
}

func badBounds(start, stop int64, step string) error {
	return illegalArgument("requirement failed: Illegal sequence boundaries: " + itoa(start) + " to " + itoa(stop) + " by " + step)
}

// illegalArgument is an error that Spark raises without a condition.
func illegalArgument(msg string) error {
	return &sparkerr.Error{Condition: "_LEGACY_ERROR_TEMP_0063", Params: map[string]string{"msg": msg}, Class: sparkerr.IllegalArgumentException}
}

// timeSequence adds multiples of the step to the start, so that months keep the start's day where they have it.
func timeSequence(c *kernel.Ctx, t types.Type, row []any) (any, error) {
	date := t.Kind == types.DateKind
	start, stop := asMicros(row[0], c, date), asMicros(row[1], c, date)
	step := types.CalendarInterval{Days: 1}
	if len(row) == 3 {
		step = asCalendar(row[2])
	} else if start > stop {
		step.Days = -1
	}
	if date && step.Micros%types.MicrosPerDay != 0 {
		return nil, illegalArgument("sequence step must be an interval day to second of day granularity if start and end values are dates")
	}
	local := t.Kind != types.TimestampNTZKind
	about := int64(step.Months)*28*types.MicrosPerDay + int64(step.Days)*types.MicrosPerDay + step.Micros
	if !(about > 0 && start <= stop || about < 0 && start >= stop || about == 0 && start == stop) {
		a, b := start, stop
		by := itoa(about)
		if date {
			a, b, by = int64(row[0].(int32)), int64(row[1].(int32)), itoa(about/types.MicrosPerDay)
		}
		return nil, badBounds(a, b, by)
	}
	out := []any{}
	for i := int64(0); ; i++ {
		v, ok := kernel.AddToTimestamp(c, start, int64(step.Months)*i, int64(step.Days)*i, step.Micros*i, local)
		if !ok || about > 0 && v > stop || about < 0 && v < stop {
			return out, nil
		}
		if date {
			out = append(out, int32(types.FloorDiv(types.ToLocal(v, c.Zone), types.MicrosPerDay)))
		} else {
			out = append(out, v)
		}
		if about == 0 {
			return out, nil
		}
		if i > maxArray {
			return nil, sizeLimit(i, "sequence")
		}
	}
}

func asMicros(v any, c *kernel.Ctx, date bool) int64 {
	if date {
		return types.FromLocal(int64(v.(int32))*types.MicrosPerDay, c.Zone)
	}
	return v.(int64)
}

func asCalendar(v any) types.CalendarInterval {
	switch x := v.(type) {
	case int32:
		return types.CalendarInterval{Months: x}
	case int64:
		if x%types.MicrosPerDay == 0 {
			return types.CalendarInterval{Days: int32(x / types.MicrosPerDay)}
		}
		return types.CalendarInterval{Micros: x}
	}
	return v.(types.CalendarInterval)
}
