package function

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// dateOp and intervalOp are the rows that + - * / and div become beside dates, timestamps and intervals.
func dateOp(name string) *Row {
	return &Row{Name: name, Internal: true, NullIn: true, Group: "datetime_funcs", Kernel: func(c *expr.Call) (kernel.Func, error) {
		switch name {
		case "sub_dates":
			return kernel.SubDates(), nil
		case "sub_timestamps":
			return kernel.SubTimestamps(c.Args[0].Type()), nil
		}
		return kernel.AddToTime(c.Args[0].Type(), c.Args[1].Type(), name == "sub_interval", Mode(c.Mode))
	}}
}

func intervalOp(name string) *Row {
	return &Row{Name: name, Internal: true, NullIn: true, Group: "math_funcs", Kernel: func(c *expr.Call) (kernel.Func, error) {
		a, b := c.Args[0].Type(), c.Args[1].Type()
		if name == "div_intervals" {
			return kernel.DivIntervals(a, Mode(c.Mode)), nil
		}
		return kernel.ScaleInterval(a, b, name == "div_interval" || name == "divide_interval", Mode(c.Mode)), nil
	}}
}

// intervalDays is the number of days of a day interval: what date + interval adds.
func intervalDays() *Row {
	return &Row{Name: "extractansiintervaldays", Internal: true, NullIn: true, Total: always, Group: "datetime_funcs",
		Kernel: f1(func(us int64) int32 { return int32(us / types.MicrosPerDay) })}
}

func isInterval(t types.Type) bool { return t.IsInterval() || t.Kind == types.CalendarKind }

// bindTemporal resolves arithmetic with a date, timestamp, time or interval operand; nil when there is none.
func bindTemporal(env *BindEnv, r *Row, call *expr.Func) (expr.Expr, error) {
	a, b := call.Args[0], call.Args[1]
	ta, tb := a.Type(), b.Type()
	if !temporal(ta) && !temporal(tb) {
		return nil, nil
	}
	t := &temporalBinder{env: env, call: call, mode: mode(env)}
	if symbolOf(r.Name) != r.Name {
		t.mode, t.try = expr.CastTry, r.Name
	}
	switch symbolOf(r.Name) {
	case "+":
		return t.add(r, a, b)
	case "-":
		return t.sub(r, a, b)
	case "*":
		switch {
		case isInterval(ta) && scales(tb):
			return t.scale("mul_interval", a, b), nil
		case isInterval(tb) && scales(ta):
			return t.scale("mul_interval", b, a), nil
		}
	case "/":
		if isInterval(ta) && scales(tb) {
			return t.scale("div_interval", a, b), nil
		}
	case "div":
		if ta.IsInterval() && ta.Kind == tb.Kind {
			return t.node("div_intervals", types.Long, a, b), nil
		}
	}
	return nil, nil
}

func temporal(t types.Type) bool { return t.IsDatetime() || isInterval(t) || t.Kind == types.TimeKind }

func scales(t types.Type) bool {
	return t.IsNumeric() || t.Kind == types.StringKind || t.Kind == types.NullKind
}

// temporalName is the row that computes a try function over temporal operands; "" when it is plain arithmetic.
func temporalName(op string, c *expr.Call) string {
	a, b := c.Args[0].Type(), c.Args[1].Type()
	switch {
	case op == "+" && isInterval(b) && !isInterval(a):
		return "add_interval"
	case op == "-" && isInterval(b) && !isInterval(a):
		return "sub_interval"
	case op == "-" && a.Kind == types.DateKind && b.Kind == types.DateKind:
		return "sub_dates"
	case op == "-" && pointInTime(a) && pointInTime(b):
		return "sub_timestamps"
	case a.Kind == types.DateKind && op == "+":
		return "date_add"
	case a.Kind == types.DateKind && op == "-":
		return "date_sub"
	case op == "*" && isInterval(a):
		return "mul_interval"
	case op == "/" && isInterval(a):
		return "div_interval"
	}
	return ""
}

type temporalBinder struct {
	env  *BindEnv
	call *expr.Func
	mode expr.CastMode
	try  string // name of the try function, "" for operators
}

func (t *temporalBinder) node(name string, result types.Type, a, b expr.Expr) expr.Expr {
	switch {
	case t.try != "":
		name = t.try
	case a.Type().Kind == types.CalendarKind && name == "mul_interval":
		name = "multiply_interval"
	case a.Type().Kind == types.CalendarKind && name == "div_interval":
		name = "divide_interval"
	}
	return &expr.Call{Name: name, Args: []expr.Expr{a, b}, T: result, Null: a.Nullable() || b.Nullable() || t.mode == expr.CastTry, Mode: t.mode, At: t.call.At}
}

func (t *temporalBinder) scale(name string, interval, num expr.Expr) expr.Expr {
	result := interval.Type()
	switch result.Kind {
	case types.YearMonthKind:
		result = types.YearMonth
	case types.DayTimeKind:
		result = types.DayTime
	}
	k := num.Type()
	if !k.IsNumeric() || result.Kind == types.CalendarKind {
		num = castTo(t.env, num, types.Double)
	} else if k.IsIntegral() {
		num = castTo(t.env, num, types.Long)
	} else if k.Kind == types.FloatKind {
		num = castTo(t.env, num, types.Double)
	}
	return t.node(name, result, interval, num)
}

// add resolves a + b with a temporal side.
func (t *temporalBinder) add(r *Row, a, b expr.Expr) (expr.Expr, error) {
	if isInterval(a.Type()) && !isInterval(b.Type()) || a.Type().Kind != types.DateKind && b.Type().Kind == types.DateKind {
		a, b = b, a // the interval or the number of days comes second
	}
	return t.shift(r, "+", "add_interval", "date_add", a, b)
}

func (t *temporalBinder) sub(r *Row, a, b expr.Expr) (expr.Expr, error) {
	ta, tb := a.Type(), b.Type()
	switch {
	case ta.Kind == types.DateKind && tb.Kind == types.DateKind:
		return t.node("sub_dates", types.Type{Kind: types.DayTimeKind}, a, b), nil
	case ta.Kind == types.DateKind && tb.Kind == types.StringKind || ta.Kind == types.StringKind && tb.Kind == types.DateKind:
		return t.node("sub_dates", types.Type{Kind: types.DayTimeKind}, castTo(t.env, a, types.Date), castTo(t.env, b, types.Date)), nil
	case pointInTime(ta) && (tb.IsDatetime() || tb.Kind == types.StringKind || tb.Kind == types.NullKind), pointInTime(tb) && (ta.IsDatetime() || ta.Kind == types.StringKind || ta.Kind == types.NullKind):
		both := types.Timestamp
		if ta.Kind != types.TimestampKind && tb.Kind != types.TimestampKind {
			both = types.TimestampNTZ
		}
		return t.node("sub_timestamps", types.DayTime, castTo(t.env, a, both), castTo(t.env, b, both)), nil
	}
	return t.shift(r, "-", "sub_interval", "date_sub", a, b)
}

func pointInTime(t types.Type) bool {
	return t.Kind == types.TimestampKind || t.Kind == types.TimestampNTZKind
}

// shift moves a date or timestamp by an interval or by days, or adds two intervals.
func (t *temporalBinder) shift(r *Row, op, byInterval, byDays string, a, b expr.Expr) (expr.Expr, error) {
	ta, tb := a.Type(), b.Type()
	switch {
	case isInterval(tb) && (ta.IsDatetime() || ta.Kind == types.TimeKind):
		if ta.Kind == types.DateKind && tb.Kind == types.DayTimeKind && tb.To != types.Day {
			a = castTo(t.env, a, types.Timestamp)
		}
		if ta.Kind == types.DateKind && tb.Kind == types.DayTimeKind && tb.To == types.Day && t.try == "" {
			return bindCall(t.env, byDays, a, expr.NewCall("extractansiintervaldays", types.Int, b))
		}
		return t.node(byInterval, a.Type(), a, b), nil
	case isInterval(tb) && !tb.IsInterval() && ta.Kind == types.StringKind, tb.Kind == types.DayTimeKind && ta.Kind == types.StringKind:
		moved := t.node(byInterval, types.Timestamp, castTo(t.env, a, types.Timestamp), b)
		return castTo(t.env, moved, ta), nil
	case isInterval(ta) || isInterval(tb):
		common, ok := types.Tightest(ta, tb)
		if !ok {
			if tb.Kind == types.DayTimeKind || tb.Kind == types.CalendarKind {
				return nil, mismatch("UNEXPECTED_INPUT_TYPE", expr.NewFunc(byInterval, a, b), "paramIndex", "first", "requiredType",
					`("TIMESTAMP" or "TIMESTAMP WITHOUT TIME ZONE")`, "inputSql", quoted(a.SQL()), "inputType", quoted(ta.SQL()))
			}
			return nil, mismatch("BINARY_OP_DIFF_TYPES", t.call, "left", quoted(ta.SQL()), "right", quoted(tb.SQL()))
		}
		c := r.call(t.env, t.call, common, a.Nullable() || b.Nullable(), castTo(t.env, a, common), castTo(t.env, b, common))
		c.Mode = t.mode
		return c, nil
	case ta.Kind == types.DateKind:
		if tb.Kind == types.LongKind || tb.Kind == types.StringKind {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", expr.NewFunc(byDays, a, b), "paramIndex", "second",
				"requiredType", `("INT" or "SMALLINT" or "TINYINT")`, "inputSql", quoted(b.SQL()), "inputType", quoted(tb.SQL()))
		}
		e, err := Bind(t.env, &expr.Func{Name: []string{byDays}, Args: []expr.Expr{a, b}, At: t.call.At})
		if c, ok := e.(*expr.Call); ok && t.try != "" {
			q := *c
			q.Name, q.Mode, q.Null = t.try, expr.CastTry, true
			return &q, err
		}
		return e, err
	}
	return nil, mismatch("BINARY_OP_DIFF_TYPES", t.call, "left", quoted(ta.SQL()), "right", quoted(tb.SQL()))
}
