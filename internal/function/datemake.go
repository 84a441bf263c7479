package function

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/datefmt"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, calendarRows, makeDateRows, unixUnitRows, zoneRows) }

var tSeconds = exactly(types.Decimal(16, 6))

// calendarRows are the fields that are texts, days as numbers and the time of day.
func calendarRows() []*Row {
	clock := fn("current_time", "4.1.0", "current_time([precision]): the time of day at the start of the query.", nil, func(c *expr.Call) (kernel.Func, error) {
		t := c.T
		return func(c *kernel.Ctx, _ []columnar.Vector, n int) (columnar.Vector, error) {
			ns := types.FloorMod(types.ToLocal(c.Now, c.Zone), types.MicrosPerDay) * 1000
			return columnar.NewConst(t, ns-ns%types.PowInt64(9-int(t.Precision)), n), nil
		}, nil
	}, "typeof(current_time(3))", "time(3)").binds(bindCurrentTime).total()
	return group("datetime_funcs", clock,
		fn("dayname", "4.0.0", "dayname(date): the short name of the day.", sig(to(types.String), tDate), b1(func(dst []byte, d int32) []byte {
			return append(dst, datefmt.DayName(datefmt.DayOfWeek(d))...)
		}), "dayname(DATE'2008-02-20')", "Wed").total(),
		fn("monthname", "4.0.0", "monthname(date): the short name of the month.", sig(to(types.String), tDate), b1(func(dst []byte, d int32) []byte {
			_, m, _ := types.CivilDate(d)
			return append(dst, datefmt.MonthName(m)...)
		}), "monthname('2008-02-20')", "Feb").total(),
		fn("unix_date", "3.1.0", "unix_date(date): the days since 1970-01-01.", sig(to(types.Int), tDate), is(kernel.MapDates(sameDay)), "unix_date(DATE'1970-01-02')", "1").total(),
		fn("date_from_unix_date", "3.1.0", "date_from_unix_date(days): the date so many days after 1970-01-01.", sig(to(types.Date), tInt), is(kernel.MapDates(sameDay)),
			"date_from_unix_date(1)", "1970-01-02").total(),
	)
}

func sameDay(d int32) int32 { return d }

func bindCurrentTime(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 0, 1); err != nil {
		return nil, err
	}
	row, _ := Lookup("current_time")
	t := types.Time
	if len(call.Args) == 1 {
		l, ok := call.Args[0].(*expr.Literal)
		if !ok {
			return nil, notConstant(call, "precision", types.Int, call.Args[0])
		}
		p, isInt := integerValue(l.Value)
		if !isInt || p < 0 || p > 6 {
			return nil, mismatch("VALUE_OUT_OF_RANGE", call, "exprName", "precision", "valueRange", "[0, 6]", "currentValue", l.SQL())
		}
		t.Precision = uint8(p)
	}
	return row.call(env, call, t, false), nil
}

// outOfBounds is the error of date and time parts that make no date.
func outOfBounds(msg string) error {
	return sparkerr.New("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "rangeMessage", msg, "ansiConfig", `"spark.sql.ansi.enabled"`)
}

func badPart(name string, lo, hi int, got int32) error {
	top := strconv.Itoa(hi)
	if name == "DayOfMonth" {
		top = "28/31"
	}
	return outOfBounds("Invalid value for " + name + " (valid values " + strconv.Itoa(lo) + " - " + top + "): " + itoa(int64(got)))
}

func dateOf(y, m, d int32) (int32, error) {
	switch {
	case m < 1 || m > 12:
		return 0, badPart("MonthOfYear", 1, 12, m)
	case d < 1 || d > 31:
		return 0, badPart("DayOfMonth", 1, 31, d)
	}
	v, ok := types.MakeDate(int(y), int(m), int(d))
	if ok {
		return v, nil
	}
	if m == 2 && d == 29 {
		return 0, outOfBounds("Invalid date 'February 29' as '" + itoa(int64(y)) + "' is not a leap year")
	}
	return 0, outOfBounds("Invalid date '" + strings.ToUpper(datefmt.FullMonthName(int(m))) + " " + itoa(int64(d)) + "'")
}

// clockOf is the time of day in microseconds; 60 seconds are the start of the next minute.
func clockOf(h, m int32, sec int64, try string) (int64, error) {
	switch {
	case h < 0 || h > 23:
		return 0, badPart("HourOfDay", 0, 23, h)
	case m < 0 || m > 59:
		return 0, badPart("MinuteOfHour", 0, 59, m)
	case sec < 0 || sec > types.MicrosPerMinute:
		text := types.FormatDecimal(types.I128(sec), 6)
		return 0, sparkerr.New("INVALID_FRACTION_OF_SECOND", "secAndMicros", strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
	}
	return int64(h)*types.MicrosPerHour + int64(m)*types.MicrosPerMinute + sec, nil
}

// zones finds time zones by name, again only when the name changes.
type zones struct {
	name string
	loc  *time.Location
}

func (z *zones) of(name string) (*time.Location, error) {
	if z.loc != nil && z.name == name {
		return z.loc, nil
	}
	loc, ok := types.ParseZone(name)
	if !ok {
		return nil, sparkerr.New("INVALID_TIMEZONE", "timeZone", strings.Clone(name))
	}
	z.name, z.loc = strings.Clone(name), loc
	return loc, nil
}

func makeDateRows() []*Row {
	stamp := func(name, since string, t types.Type, zone, try bool, examples ...string) *Row {
		r := &Row{Name: name, Since: since, Usage: name + "(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).", NullIn: true,
			Bind: bindMakeTimestamp(name, t, zone, try), Kernel: makeTimestamp(try)}
		return r.examples(examples)
	}
	parts := "(2014, 12, 28, 6, 30, 45.887)"
	return group("datetime_funcs",
		fn("make_date", "3.0.0", "make_date(year, month, day): the date of its parts.", sig(to(types.Date), tInt, tInt, tInt), func(c *expr.Call) (kernel.Func, error) {
			legacy := c.Mode == expr.CastLegacy
			return kernel.Each3(c.T, func(_ *kernel.Ctx, y, m, d int32) (int32, bool, error) {
				v, err := dateOf(y, m, d)
				if err != nil && legacy {
					return 0, false, nil
				}
				return v, true, err
			}), nil
		}, "make_date(2013, 7, 15)", "2013-07-15").named("year", "month", "day"),
		stamp("make_timestamp", "3.0.0", types.Timestamp, true, false, "make_timestamp"+parts, "2014-12-28 06:30:45.887"),
		stamp("make_timestamp_ltz", "3.4.0", types.Timestamp, true, false, "make_timestamp_ltz"+parts, "2014-12-28 06:30:45.887"),
		stamp("make_timestamp_ntz", "3.4.0", types.TimestampNTZ, false, false, "make_timestamp_ntz"+parts, "2014-12-28 06:30:45.887"),
		stamp("try_make_timestamp", "4.0.0", types.Timestamp, true, true, "try_make_timestamp(2024, 13, 22, 15, 30, 0)", "NULL"),
		stamp("try_make_timestamp_ltz", "4.0.0", types.Timestamp, true, true, "try_make_timestamp_ltz(2024, 13, 22, 15, 30, 0)", "NULL"),
		stamp("try_make_timestamp_ntz", "4.0.0", types.TimestampNTZ, false, true, "try_make_timestamp_ntz(2024, 13, 22, 15, 30, 0)", "NULL"),
	)
}

func bindMakeTimestamp(name string, t types.Type, zone, try bool) func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	six := []In{tInt, tInt, tInt, tInt, tInt, tSeconds}
	two := []In{tDate, tTime}
	if zone {
		six, two = append(six, tStr.optional()), append(two, tStr.optional())
	}
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		in := six
		if n := len(call.Args); n == 2 || n == 3 && zone {
			in = two
		} else if err := needArgs(call, 6, len(six)); err != nil {
			return nil, err
		}
		row, _ := Lookup(name)
		args, err := (&Row{Name: name, Sig: &Sig{In: in}}).coerce(env, call, call.Args)
		if err != nil {
			return nil, err
		}
		null := try || mode(env) != expr.CastAnsi
		for _, a := range args {
			null = null || a.Nullable()
		}
		return row.call(env, call, t, null, args...), nil
	}
}

func makeTimestamp(try bool) func(c *expr.Call) (kernel.Func, error) {
	return func(call *expr.Call) (kernel.Func, error) {
		var z zones
		soft := try || call.Mode == expr.CastLegacy
		utc := call.T.Kind == types.TimestampKind
		return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
			local, rest, err := localParts(row, call.Name)
			if err != nil {
				if soft {
					return nil, nil
				}
				return nil, err
			}
			if !utc {
				return local, nil
			}
			zone := c.Zone
			if len(rest) == 1 {
				if zone, err = z.of(rest[0].(string)); err != nil {
					return nil, err
				}
			}
			return types.FromLocal(local, zone), nil
		}), nil
	}
}

// localParts is the local time of (date, time) or of six parts, and the arguments after them.
func localParts(row []any, name string) (int64, []any, error) {
	if ns, ok := row[1].(int64); ok {
		return int64(row[0].(int32))*types.MicrosPerDay + ns/1000, row[2:], nil
	}
	day, err := dateOf(row[0].(int32), row[1].(int32), row[2].(int32))
	if err != nil {
		return 0, nil, err
	}
	us, err := clockOf(row[3].(int32), row[4].(int32), row[5].(types.Int128).Int64(), name)
	return int64(day)*types.MicrosPerDay + us, row[6:], err
}

func unixUnitRows() []*Row {
	unixUnit := func(name, what string, unit int64) *Row {
		return fn(name, "3.1.0", name+"(timestamp): the "+what+" since the epoch.", sig(to(types.Long), tTimestamp), f1(func(us int64) int64 { return types.FloorDiv(us, unit) }),
			name+"(TIMESTAMP('1970-01-01 00:00:01Z'))", itoa(types.MicrosPerSecond/unit)).total()
	}
	times := func(name, what string, unit int64, example, result string) *Row {
		return fn(name, "3.1.0", name+"("+what+"): the timestamp so many "+what+" after the epoch.", sig(to(types.Timestamp), tIntegral), timesUnit(unit), example, result)
	}
	return group("datetime_funcs",
		unixUnit("unix_seconds", "seconds", types.MicrosPerSecond), unixUnit("unix_millis", "milliseconds", 1000), unixUnit("unix_micros", "microseconds", 1),
		times("timestamp_millis", "milliseconds", 1000, "timestamp_millis(1230219000123)", "2008-12-25 07:30:00.123"),
		times("timestamp_micros", "microseconds", 1, "timestamp_micros(1230219000123123)", "2008-12-25 07:30:00.123123"),
		fn("timestamp_seconds", "3.1.0", "timestamp_seconds(seconds): the timestamp so many seconds after the epoch.", sig(to(types.Timestamp), tNum), timestampSeconds,
			"timestamp_seconds(1230219000)", "2008-12-25 07:30:00").binds(bindTimestampSeconds),
	)
}

func timesUnit(unit int64) func(c *expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) {
		scaled := func(v int64) (int64, bool, error) {
			us := types.MulInt64(v, unit)
			if !us.Fits64() {
				return 0, false, kernel.Overflow("long overflow", "")
			}
			return us.Int64(), true, nil
		}
		switch c.Args[0].Type().Kind {
		case types.ByteKind:
			return kernel.Each1(c.T, func(_ *kernel.Ctx, v int8) (int64, bool, error) { return scaled(int64(v)) }), nil
		case types.ShortKind:
			return kernel.Each1(c.T, func(_ *kernel.Ctx, v int16) (int64, bool, error) { return scaled(int64(v)) }), nil
		case types.IntKind:
			return kernel.Each1(c.T, func(_ *kernel.Ctx, v int32) (int64, bool, error) { return scaled(int64(v)) }), nil
		}
		return kernel.Each1(c.T, func(_ *kernel.Ctx, v int64) (int64, bool, error) { return scaled(v) }), nil
	}
}

// bindTimestampSeconds: doubles may be NaN, which gives null.
func bindTimestampSeconds(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("timestamp_seconds")
	e, err := row.bindSig(env, call)
	if c, ok := e.(*expr.Call); ok {
		c.Null = c.Null || c.Args[0].Type().IsFractional()
	}
	return e, err
}

func timestampSeconds(c *expr.Call) (kernel.Func, error) {
	fromFloat := func(f float64) (int64, bool, error) {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, false, nil
		}
		if f *= 1e6; f >= math.MaxInt64 {
			return math.MaxInt64, true, nil
		} else if f <= math.MinInt64 {
			return math.MinInt64, true, nil
		}
		return int64(f), true, nil
	}
	switch t := c.Args[0].Type(); t.Kind {
	case types.FloatKind:
		return kernel.Each1(c.T, func(_ *kernel.Ctx, v float32) (int64, bool, error) { return fromFloat(float64(v)) }), nil
	case types.DoubleKind:
		return kernel.Each1(c.T, func(_ *kernel.Ctx, v float64) (int64, bool, error) { return fromFloat(v) }), nil
	case types.DecimalKind:
		return kernel.Each1(c.T, func(_ *kernel.Ctx, v types.Int128) (int64, bool, error) {
			us, ok := types.Rescale(v, int(t.Scale), 6)
			if back, exact := types.Rescale(us, 6, int(t.Scale)); !exact || back != v {
				return 0, false, sparkerr.New("_LEGACY_ERROR_TEMP_0063", "msg", "Rounding necessary")
			}
			if !ok || !us.Fits64() {
				return 0, false, kernel.Overflow("long overflow", "")
			}
			return us.Int64(), true, nil
		}), nil
	}
	return timesUnit(types.MicrosPerSecond)(c)
}

func zoneRows() []*Row {
	return group("datetime_funcs",
		fn("from_utc_timestamp", "1.5.0", "from_utc_timestamp(timestamp, zone): the time in the zone when it is timestamp in UTC.", sig(to(types.Timestamp), tTimestamp, tStr),
			shiftZone(false), "from_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-31 09:00:00"),
		fn("to_utc_timestamp", "1.5.0", "to_utc_timestamp(timestamp, zone): the time in UTC when it is timestamp in the zone.", sig(to(types.Timestamp), tTimestamp, tStr),
			shiftZone(true), "to_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-30 15:00:00"),
		fn("convert_timezone", "3.4.0", "convert_timezone([from, ]to, timestamp): the local time in zone to when it is timestamp in zone from.",
			sig(to(types.TimestampNTZ), tStr, tStr, tNTZ), convertZone, "convert_timezone('Europe/Brussels', 'America/Los_Angeles', TIMESTAMP_NTZ'2021-12-06 00:00:00')",
			"2021-12-05 15:00:00").binds(bindConvertZone),
	)
}

func shiftZone(toUTC bool) func(*expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) {
		var z zones
		var session, clock kernel.ZoneClock
		return kernel.Each2(c.T, func(c *kernel.Ctx, us int64, name string) (int64, bool, error) {
			zone, err := z.of(name)
			if err != nil {
				return 0, false, err
			}
			// both read the text that the timestamp shows in the session's zone
			local := session.ToLocal(us, c.Zone)
			if toUTC {
				local = clock.FromLocal(local, zone)
			} else {
				local = clock.ToLocal(local, zone)
			}
			return session.FromLocal(local, c.Zone), true, nil
		}), nil
	}
}

func bindConvertZone(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("convert_timezone")
	if len(call.Args) == 2 {
		zone, err := bindCall(env, "current_timezone")
		if err != nil {
			return nil, err
		}
		q := *call
		q.Args = append([]expr.Expr{zone}, call.Args...)
		call = &q
	}
	return row.bindSig(env, call)
}

func convertZone(c *expr.Call) (kernel.Func, error) {
	var from, to zones
	var a, b kernel.ZoneClock
	return kernel.Each3(c.T, func(_ *kernel.Ctx, src, dst string, us int64) (int64, bool, error) {
		x, err := from.of(src)
		if err != nil {
			return 0, false, err
		}
		y, err := to.of(dst)
		if err != nil {
			return 0, false, err
		}
		return b.ToLocal(a.FromLocal(us, x), y), true, nil
	}), nil
}
