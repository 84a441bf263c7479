package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, timeWindowRows) }

func timeWindowRows() []*Row {
	return group("datetime_funcs",
		boundRow("window", "2.0.0", "window(time, width[, slide[, start]]): the window of a time: a struct of its start and end.", bindWindow, windowKernel,
			"window(TIMESTAMP'2021-01-01 00:04:30', '5 minutes')", "{2021-01-01 00:00:00, 2021-01-01 00:05:00}").total(),
		fn("window_time", "3.4.0", "window_time(window): the last microsecond of a window.", nil, func(*expr.Call) (kernel.Func, error) {
			return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
				ends, out := columnar.Of[int64](kernel.FlatKid(c, &args[0], 1).Data), kernel.Out[int64](c, n)
				for i := range out {
					out[i] = ends[i] - 1
				}
				return kernel.Flat(out), nil
			}, nil
		}, "window_time(window(TIMESTAMP'2021-01-01 00:04:30', '5 minutes'))", "2021-01-01 00:04:59.999999").binds(bindWindowTime).total(),
	)
}

// bindWindow folds width, slide and start to microseconds.
func bindWindow(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 2, 4); err != nil {
		return nil, err
	}
	r, _ := Lookup("window")
	ts := call.Args[0]
	if k := ts.Type().Kind; k != types.TimestampKind && k != types.TimestampNTZKind {
		to, ok := tAnyTS.implicit(ts.Type(), env.Session.Ansi)
		if !ok {
			return nil, wrongType(call, 0, tAnyTS, ts)
		}
		ts = castTo(env, ts, to)
	}
	var us [3]int64
	for i := range us {
		if i+1 >= len(call.Args) {
			break
		}
		v, err := windowInterval(env, call, i+1)
		if err != nil {
			return nil, err
		}
		us[i] = v
	}
	if len(call.Args) < 3 {
		us[1] = us[0]
	}
	for i, name := range []string{"window_duration", "slide_duration"} {
		if us[i] <= 0 {
			return nil, mismatch("VALUE_OUT_OF_RANGE", call, "exprName", types.Quote(name), "valueRange", "(0, 9223372036854775807]", "currentValue", itoa(us[i])+"L")
		}
	}
	switch {
	case us[1] > us[0]:
		return nil, mismatch("PARAMETER_CONSTRAINT_VIOLATION", call, "leftExprName", "`slide_duration`", "leftExprValue", itoa(us[1])+"L", "constraint", "<=",
			"rightExprName", "`window_duration`", "rightExprValue", itoa(us[0])+"L")
	case us[1] != us[0]:
		return nil, sparkerr.Unsupported("function window with a slide")
	}
	args := []expr.Expr{ts}
	for _, v := range us {
		args = append(args, expr.NewLiteral(v, types.Long))
	}
	f := types.Field{Name: "start", Type: ts.Type(), Nullable: true}
	g := f
	g.Name = "end"
	return r.call(env, call, types.Struct(f, g), ts.Nullable(), args...), nil
}

// windowInterval is a constant interval in microseconds: a text or an interval without months.
func windowInterval(env *BindEnv, call *expr.Func, i int) (int64, error) {
	a := call.Args[i]
	if !Foldable(a) {
		return 0, notConstant(call, []string{"", "windowDuration", "slideDuration", "startTime"}[i], types.String, a)
	}
	v, err := env.Fold(a)
	if err != nil {
		return 0, err
	}
	switch x := v.(type) {
	case int64:
		return x, nil
	case types.CalendarInterval:
		if x.Months == 0 {
			return int64(x.Days)*types.MicrosPerDay + x.Micros, nil
		}
	case string:
		iv, ok := types.ParseCalendar(x)
		if ok && iv.Months == 0 {
			return int64(iv.Days)*types.MicrosPerDay + iv.Micros, nil
		}
		return 0, illegalArgument("The provided interval (" + strings.TrimSpace(x) + ") is not a time span")
	}
	return 0, wrongType(call, i, tStr, a)
}

func windowKernel(call *expr.Call) (kernel.Func, error) {
	width, _ := call.Args[1].(*expr.Literal).Value.(int64)
	start, _ := call.Args[3].(*expr.Literal).Value.(int64)
	fields := call.T.Fields()
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		ts := columnar.Of[int64](kernel.FlatArg(c, &args[0]).Data)
		from, to := kernel.Out[int64](c, n), kernel.Out[int64](c, n)
		for i := range from {
			from[i] = ts[i] - types.FloorMod(ts[i]-start, width)
			to[i] = from[i] + width
		}
		a, b := kernel.Flat(from), kernel.Flat(to)
		a.Type, b.Type = fields[0].Type, fields[1].Type
		return columnar.Vector{N: n, Kids: []columnar.Vector{a, b}}, nil
	}, nil
}

func bindWindowTime(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 1); err != nil {
		return nil, err
	}
	r, _ := Lookup("window_time")
	a := call.Args[0]
	t := a.Type()
	if t.Kind != types.StructKind || len(t.Fields()) != 2 || !t.Fields()[1].Type.IsDatetime() || t.Fields()[0].Name != "start" || t.Fields()[1].Name != "end" {
		return nil, wrongType(call, 0, In{name: "STRUCT<start: TIMESTAMP, end: TIMESTAMP>"}, a)
	}
	return r.call(env, call, t.Fields()[1].Type, a.Nullable(), a), nil
}
