package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, timeRows) }

// timeUnits are the units of time_diff and time_trunc in nanoseconds.
var timeUnits = map[string]int64{"HOUR": 3600e9, "MINUTE": 60e9, "SECOND": 1e9, "MILLISECOND": 1e6, "MICROSECOND": 1e3}

func timeUnit(fn, name string) (int64, error) {
	if u, ok := timeUnits[strings.ToUpper(name)]; ok {
		return u, nil
	}
	return 0, sparkerr.New("INVALID_PARAMETER_VALUE.TIME_UNIT", "parameter", "`unit`", "functionName", types.Quote(fn), "invalidValue", "'"+name+"'")
}

func timeRows() []*Row {
	return group("datetime_funcs",
		fn("make_time", "4.1.0", "make_time(hour, minute, second): the time of day of its parts.", sig(to(types.Time), tInt, tInt, tSeconds), e3(makeTime), "make_time(6, 30, 45.887)", "06:30:45.887"),
		timeText("to_time", false, "to_time('12.10.05', 'HH.mm.ss')", "12:10:05"), timeText("try_to_time", true, "try_to_time('foo')", "NULL"),
		fn("get_time", "4.1.0", "The time of day of a text by a pattern.", sig(to(types.Time), tStr, tStr), getTime).internal(),
		fn("time_diff", "4.1.0", "time_diff(unit, start, end): the whole units from start to end.", sig(to(types.Long), tStr, tTime, tTime), e3(func(_ *kernel.Ctx, unit string, a, b int64) (int64, error) {
			u, err := timeUnit("time_diff", unit)
			if err != nil {
				return 0, err
			}
			return (b - a) / u, nil
		}), "time_diff('HOUR', TIME'20:30:29', TIME'21:30:29')", "1"),
		fn("time_trunc", "4.1.0", "time_trunc(unit, time): the start of the unit that the time lies in.", sig(like(1), tStr, tTime), e2(func(_ *kernel.Ctx, unit string, v int64) (int64, error) {
			u, err := timeUnit("time_trunc", unit)
			if err != nil {
				return 0, err
			}
			return v - v%u, nil
		}), "time_trunc('HOUR', TIME'09:32:05.359')", "09:00:00"),
		fn("time_from_seconds", "4.2.0", "time_from_seconds(seconds): the time of day so many seconds after midnight.", sig(to(types.Time), tNum), timeFromSeconds, "time_from_seconds(3661)", "01:01:01"),
		timeFrom("time_from_millis", "milliseconds", 1e6, "time_from_millis(1000)", "00:00:01"), timeFrom("time_from_micros", "microseconds", 1e3, "time_from_micros(1)", "00:00:00.000001"),
		fn("time_to_seconds", "4.2.0", "time_to_seconds(time): the seconds since midnight.", sig(to(types.Decimal(14, 6)), tTime), f1(func(v int64) types.Int128 { return types.I128(v / 1000) }),
			"time_to_seconds(TIME'01:00:00')", "3600.000000").total(),
		timeTo("time_to_millis", "milliseconds", 1e6, "time_to_millis(TIME'01:00:00')", "3600000"), timeTo("time_to_micros", "microseconds", 1e3, "time_to_micros(TIME'01:00:00')", "3600000000"),
	)
}

func makeTime(_ *kernel.Ctx, h, m int32, s types.Int128) (int64, error) {
	v := s.Int64()
	switch {
	case h < 0 || h > 23:
		return 0, badTime("Invalid value for HourOfDay (valid values 0 - 23): " + itoa(int64(h)))
	case m < 0 || m > 59:
		return 0, badTime("Invalid value for MinuteOfHour (valid values 0 - 59): " + itoa(int64(m)))
	case v < 0 || v >= types.MicrosPerMinute:
		return 0, badTime("Invalid value for SecondOfMinute (valid values 0 - 59): " + itoa(types.FloorDiv(v, types.MicrosPerSecond)))
	}
	return (int64(h)*types.MicrosPerHour + int64(m)*types.MicrosPerMinute + v) * 1000, nil
}

func badTime(msg string) error {
	return sparkerr.New("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", msg)
}

func timeTo(name, what string, unit int64, examples ...string) *Row {
	return fn(name, "4.2.0", name+"(time): the "+what+" since midnight.", sig(to(types.Long), tTime), f1(func(v int64) int64 { return v / unit }), examples...).total()
}

func timeFrom(name, what string, unit int64, examples ...string) *Row {
	return fn(name, "4.2.0", name+"("+what+"): the time of day so many "+what+" after midnight.", sig(to(types.Time), tLong), e1(func(_ *kernel.Ctx, v int64) (int64, error) {
		return timeOfDay(types.MulInt64(v, unit))
	}), examples...)
}

// timeOfDay checks nanoseconds since midnight.
func timeOfDay(ns types.Int128) (int64, error) {
	if ns.Sign() < 0 || !ns.Fits64() || ns.Int64() >= types.NanosPerDay {
		return 0, badTime("Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, but got " + types.FormatDecimal(ns, 0) + " nanoseconds")
	}
	return ns.Int64(), nil
}

func timeFromSeconds(c *expr.Call) (kernel.Func, error) {
	t := c.Args[0].Type()
	return kernel.EachRow(c.T, func(_ *kernel.Ctx, row []any) (any, error) {
		var ns types.Int128
		switch x := row[0].(type) {
		case types.Int128:
			ns, _ = types.Rescale(x, int(t.Scale), 9)
		case float32:
			ns = types.I128(int64(float64(x) * 1e9))
		case float64:
			ns = types.I128(int64(x * 1e9))
		default:
			v, _ := integerValue(row[0])
			ns = types.MulInt64(v, 1e9)
		}
		v, err := timeOfDay(ns)
		return v - v%1000, err
	}), nil
}

// timeText is a function that reads a time of day, by a pattern when there is one.
func timeText(name string, try bool, examples ...string) *Row {
	return sugar(name, "4.1.0", name+"(str[, pattern]): the time of day of a text.", args(tStr, tStr.optional()), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
		mode := mode(env)
		if try {
			mode = expr.CastTry
		}
		if len(a) == 1 {
			a = append(a[:1:1], expr.NewLiteral("", types.String))
		}
		e, err := bindCall(env, "get_time", a...)
		if err != nil {
			return nil, err
		}
		c := *e.(*expr.Call)
		c.Mode, c.Null = mode, c.Null || try
		return &c, nil
	}, examples...)
}

func getTime(c *expr.Call) (kernel.Func, error) {
	p, soft := pattern{parsing: true}, c.Mode != expr.CastAnsi
	return kernel.Each2(c.T, func(_ *kernel.Ctx, s, src string) (int64, bool, error) {
		if src == "" { // no pattern
			if v, ok := types.ParseTime(s); ok {
				return v, true, nil
			}
			src = "HH:mm:ss.SSSSSS"
		} else if f, err := p.of(src); err != nil {
			return 0, false, err
		} else if v, err := f.Parse(s); err == nil {
			return v.Nanos - v.Nanos%1000, true, nil
		}
		if soft {
			return 0, false, nil
		}
		return 0, false, sparkerr.New("CANNOT_PARSE_TIME", "input", "'"+s+"'", "format", "'"+src+"'")
	}), nil
}
