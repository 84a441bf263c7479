package function

import (
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, dateFieldRows, dateMathRows, nowRows) }

// dateField is a number taken from a date; timestamps are cast to their local date.
func dateField(name, since, usage string, f func(days int32) int32, examples ...string) *Row {
	return fn(name, since, usage, sig(to(types.Int), tDate), f1(f), examples...).total()
}

// clockField is a number taken from the local time of day of a timestamp or time.
func clockField(name, since, usage string, f func(us int64) int32, examples ...string) *Row {
	return fn(name, since, usage, sig(to(types.Int), oneOf(tTimestamp, tNTZ, tTime)), func(c *expr.Call) (kernel.Func, error) {
		switch c.Args[0].Type().Kind {
		case types.TimestampKind:
			return kernel.Each1(c.T, func(c *kernel.Ctx, a int64) (int32, bool, error) {
				return f(types.FloorMod(types.ToLocal(a, c.Zone), types.MicrosPerDay)), true, nil
			}), nil
		case types.TimeKind:
			return kernel.Each1(c.T, func(_ *kernel.Ctx, a int64) (int32, bool, error) { return f(a / 1000), true, nil }), nil
		}
		return kernel.Each1(c.T, func(_ *kernel.Ctx, a int64) (int32, bool, error) {
			return f(types.FloorMod(a, types.MicrosPerDay)), true, nil
		}), nil
	}, examples...).total()
}

func yearOf(d int32) int32    { y, _, _ := types.CivilDate(d); return int32(y) }
func monthOf(d int32) int32   { _, m, _ := types.CivilDate(d); return int32(m) }
func dayOf(d int32) int32     { _, _, v := types.CivilDate(d); return int32(v) }
func quarterOf(d int32) int32 { return (monthOf(d)-1)/3 + 1 }

func dateFieldRows() []*Row {
	return group("datetime_funcs",
		dateField("year", "1.5.0", "year(date): the year.", yearOf, "year('2016-07-30')", "2016"),
		dateField("quarter", "1.5.0", "quarter(date): the quarter, 1 to 4.", quarterOf, "quarter('2016-08-31')", "3"),
		dateField("month", "1.5.0", "month(date): the month, 1 to 12.", monthOf, "month('2016-07-30')", "7"),
		dateField("day", "1.5.0", "day(date): the day of the month.", dayOf, "day('2009-07-30')", "30").alias("dayofmonth").own(),
		dateField("dayofyear", "1.5.0", "dayofyear(date): the day of the year, from 1.", func(d int32) int32 { return int32(types.DayOfYear(d)) }, "dayofyear('2016-04-09')", "100"),
		dateField("dayofweek", "2.3.0", "dayofweek(date): the day of the week, 1 for Sunday.", func(d int32) int32 { return int32(types.DayOfWeek(d)) }, "dayofweek('2009-07-30')", "5"),
		dateField("weekday", "2.4.0", "weekday(date): the day of the week, 0 for Monday.", func(d int32) int32 { return int32(types.ISOWeekday(d)) - 1 }, "weekday('2009-07-30')", "3"),
		dateField("weekofyear", "1.5.0", "weekofyear(date): the week of the year by ISO 8601.", func(d int32) int32 { _, w := types.ISOWeek(d); return int32(w) }, "weekofyear('2008-02-20')", "8"),
		dateField("yearofweek", "3.0.0", "the year that the date's ISO week belongs to.", func(d int32) int32 { y, _ := types.ISOWeek(d); return int32(y) }, "extract(YEAROFWEEK FROM date'2008-12-31')", "2009").internal(),
		dateField("dayofweek_iso", "3.0.0", "the day of the week, 1 for Monday.", func(d int32) int32 { return int32(types.ISOWeekday(d)) }, "extract(DOW_ISO FROM date'2008-12-31')", "3").internal(),
		clockField("hour", "1.5.0", "hour(timestamp): the hour.", func(us int64) int32 { return int32(us / types.MicrosPerHour) }, "hour(timestamp'2018-02-14 12:58:59')", "12"),
		clockField("minute", "1.5.0", "minute(timestamp): the minute.", func(us int64) int32 { return int32(us / types.MicrosPerMinute % 60) }, "minute(timestamp'2009-07-30 12:58:59')", "58"),
		clockField("second", "1.5.0", "second(timestamp): the second.", func(us int64) int32 { return int32(us / types.MicrosPerSecond % 60) }, "second(timestamp'2018-02-14 12:58:59')", "59"),
		secondFraction(), intervalField(),
		sugar("extract", "3.0.0", "extract(field FROM source): a part of a date, timestamp, time or interval.", args(tStr, tAny), bindExtract,
			"extract(YEAR FROM TIMESTAMP '2019-08-12 01:00:00.123456')", "2019", "extract(SECONDS FROM timestamp'2019-10-01 00:00:01.000001')", "1.000001",
			"extract(MINUTE FROM INTERVAL '123 23:55:59.002001' DAY TO SECOND)", "55"),
		sugar("date_part", "3.0.0", "date_part(field, source): a part of a date, timestamp, time or interval.", args(tStr, tAny), bindExtract,
			"date_part('doy', DATE'2019-08-12')", "224").alias("datepart").own(),
	)
}

func secondFraction() *Row {
	t := types.Decimal(8, 6)
	return fn("second_with_fraction", "3.0.0", "the second with its fraction.", sig(to(t), oneOf(tTimestamp, tNTZ, tTime)), func(c *expr.Call) (kernel.Func, error) {
		in := c.Args[0].Type().Kind
		return kernel.Each1(t, func(c *kernel.Ctx, a int64) (types.Int128, bool, error) {
			switch in {
			case types.TimestampKind:
				a = types.ToLocal(a, c.Zone)
			case types.TimeKind:
				a /= 1000
			}
			return types.I128(types.FloorMod(a, types.MicrosPerMinute)), true, nil
		}), nil
	}, "extract(SECOND FROM timestamp'2019-10-01 00:00:01.5')", "1.500000").internal().total()
}

// intervalField takes a field out of an interval: args are the interval and the field's name.
func intervalField() *Row {
	r := fn("interval_field", "3.0.0", "a field of an interval.", nil, func(c *expr.Call) (kernel.Func, error) {
		field, _ := constant(c.Args[1]).(string)
		return kernel.Each2(c.T, func(_ *kernel.Ctx, a any, _ string) (any, bool, error) {
			months, days, us := intervalParts(a, c.Args[0].Type())
			switch field {
			case "year":
				return int32(months / 12), true, nil
			case "month":
				return int8(months % 12), true, nil
			case "day":
				return int32(days), true, nil
			case "hour":
				return int8(us / types.MicrosPerHour % 24), true, nil
			case "minute":
				return int8(us / types.MicrosPerMinute % 60), true, nil
			}
			return types.I128(us % types.MicrosPerMinute), true, nil
		}), nil
	}, "extract(DAY FROM INTERVAL '3' DAY)", "3").internal().total()
	return r
}

func intervalParts(a any, t types.Type) (months int32, days, us int64) {
	switch x := a.(type) {
	case int32:
		return x, 0, 0
	case int64:
		return 0, x / types.MicrosPerDay, x % types.MicrosPerDay
	case types.CalendarInterval:
		return x.Months, int64(x.Days), x.Micros
	}
	return 0, 0, 0
}

var extractNames = map[string]string{
	"YEAR": "year", "Y": "year", "YEARS": "year", "YR": "year", "YRS": "year", "YEAROFWEEK": "yearofweek", "QUARTER": "quarter", "QTR": "quarter",
	"MONTH": "month", "MON": "month", "MONS": "month", "MONTHS": "month", "WEEK": "weekofyear", "W": "weekofyear", "WEEKS": "weekofyear",
	"DAY": "day", "D": "day", "DAYS": "day", "DAYOFWEEK": "dayofweek", "DOW": "dayofweek", "DAYOFWEEK_ISO": "dayofweek_iso", "DOW_ISO": "dayofweek_iso",
	"DOY": "dayofyear", "HOUR": "hour", "H": "hour", "HOURS": "hour", "HR": "hour", "HRS": "hour", "MINUTE": "minute", "M": "minute", "MIN": "minute",
	"MINS": "minute", "MINUTES": "minute", "SECOND": "second_with_fraction", "S": "second_with_fraction", "SEC": "second_with_fraction",
	"SECONDS": "second_with_fraction", "SECS": "second_with_fraction",
}

// bindExtract resolves extract(field FROM source) by the field's constant name.
func bindExtract(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
	if !Foldable(a[0]) {
		return nil, mismatch("NON_FOLDABLE_INPUT", expr.NewFunc("date_part", a...), "inputName", "`field`", "inputType", `"STRING"`, "inputExpr", quoted(a[0].SQL()))
	}
	v, err := env.Fold(a[0])
	if err != nil {
		return nil, err
	}
	field, ok := v.(string)
	if v == nil {
		return expr.NewLiteral(nil, types.Double), nil
	}
	name := extractNames[strings.ToUpper(field)]
	t := a[1].Type()
	bad := sparkerr.New("INVALID_EXTRACT_FIELD", "field", types.Quote(field), "expr", quoted(a[1].SQL()))
	if !ok || name == "" {
		return nil, bad
	}
	if !isInterval(t) {
		if t.Kind == types.StringKind {
			a[1] = castTo(env, a[1], types.Timestamp)
		}
		return bindCall(env, name, a[1])
	}
	out := types.Byte
	switch name {
	case "year", "day":
		out = types.Int
	case "second_with_fraction":
		out, name = types.Decimal(8, 6), "second"
	case "month", "hour", "minute":
	default:
		return nil, bad
	}
	if t.Kind == types.YearMonthKind && name != "year" && name != "month" || t.Kind == types.DayTimeKind && (name == "year" || name == "month") {
		return nil, bad
	}
	return expr.NewCall("interval_field", out, a[1], expr.NewLiteral(name, types.String)), nil
}

// tDays is a count of days: INT and smaller.
var tDays = oneOf(tInt, tShort, tByte)

func dateMathRows() []*Row {
	shift := func(name, usage string, sign int64, examples ...string) *Row {
		r := fn(name, "1.5.0", usage, sig(to(types.Date), tDate, tDays), func(c *expr.Call) (kernel.Func, error) {
			k := c.Args[1].Type()
			return kernel.ShiftDays(k, sign), nil
		}, examples...).total()
		return r
	}
	return group("datetime_funcs",
		shift("date_add", "date_add(date, days): the date so many days later.", 1, "date_add('2016-07-30', 1)", "2016-07-31").alias("dateadd").own(),
		shift("date_sub", "date_sub(date, days): the date so many days earlier.", -1, "date_sub('2016-07-30', 1)", "2016-07-29"),
		fn("datediff", "1.5.0", "datediff(end, start): the number of days from start to end.", sig(to(types.Int), tDate, tDate),
			f2(func(a, b int32) int32 { return a - b }), "datediff('2009-07-31', '2009-07-30')", "1").alias("date_diff").own().total(),
		fn("add_months", "1.5.0", "add_months(date, n): the date n months later, the last of the month at most.", sig(to(types.Date), tDate, tInt),
			e2(func(_ *kernel.Ctx, d, n int32) (int32, error) {
				v, ok := types.AddMonths(d, int64(n))
				if !ok {
					return 0, kernel.Overflow("overflow", "")
				}
				return v, nil
			}), "add_months('2016-08-31', 1)", "2016-09-30"),
		fn("last_day", "1.5.0", "last_day(date): the last day of the month.", sig(to(types.Date), tDate), f1(func(d int32) int32 {
			y, m, _ := types.CivilDate(d)
			return types.DaysFromCivil(y, m, types.DaysInMonth(y, m))
		}), "last_day('2009-01-12')", "2009-01-31").total(),
		fn("next_day", "1.5.0", "next_day(date, weekday): the first such weekday after the date.", sig(to(types.Date), tDate, tStr).nullable(), nextDay, "next_day('2015-01-14', 'TU')", "2015-01-20"),
		fn("months_between", "1.5.0", "months_between(a, b[, round]): the months from b to a, with days of 31 to the month.", sig(to(types.Double), tTimestamp, tTimestamp, tBool.defaultTo(true)),
			e3(func(c *kernel.Ctx, a, b int64, round bool) (float64, error) {
				return monthsBetween(types.ToLocal(a, c.Zone), types.ToLocal(b, c.Zone), round), nil
			}), "months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677").total(),
		fn("trunc", "1.5.0", "trunc(date, unit): the first day of the unit that holds the date.", sig(to(types.Date), tDate, tStr).nullable(),
			m2(func(_ *kernel.Ctx, d int32, unit string) (int32, bool, error) {
				u := types.TruncUnit(unit)
				return types.TruncDate(d, u), u >= types.YearUnit && u <= types.WeekUnit, nil
			}), "trunc('2019-08-04', 'week')", "2019-07-29", "trunc('2009-02-12', 'MM')", "2009-02-01").total(),
		fn("date_trunc", "2.3.0", "date_trunc(unit, timestamp): the start of the unit that holds the timestamp.", sig(like(1), tStr, tAnyTS).nullable(), dateTrunc,
			"date_trunc('YEAR', timestamp_ntz'2015-03-05T09:32:05.359')", "2015-01-01 00:00:00").total(),
		timestampAddRow(), timestampDiffRow(),
	)
}

func nextDay(c *expr.Call) (kernel.Func, error) {
	m := Mode(c.Mode)
	return kernel.Each2(c.T, func(_ *kernel.Ctx, d int32, name string) (int32, bool, error) {
		k := types.WeekdayNamed(name)
		if k == 0 {
			if m == kernel.Ansi {
				return 0, false, sparkerr.New("ILLEGAL_DAY_OF_WEEK", "string", strings.Clone(name))
			}
			return 0, false, nil
		}
		return d + 1 + int32(types.FloorMod(int64(k-types.ISOWeekday(d)-1), 7)), true, nil
	}), nil
}

// monthsBetween counts whole months when both are the same day of the month or both last days, else adds the rest over 31 days.
func monthsBetween(a, b int64, round bool) float64 {
	da, db := int32(types.FloorDiv(a, types.MicrosPerDay)), int32(types.FloorDiv(b, types.MicrosPerDay))
	y1, m1, d1 := types.CivilDate(da)
	y2, m2, d2 := types.CivilDate(db)
	months := float64((y1-y2)*12 + m1 - m2)
	if d1 == d2 || d1 == types.DaysInMonth(y1, m1) && d2 == types.DaysInMonth(y2, m2) {
		return months
	}
	rest := float64(d1-d2)*86400 + math.Floor(float64(types.FloorMod(a, types.MicrosPerDay))/1e6) - math.Floor(float64(types.FloorMod(b, types.MicrosPerDay))/1e6)
	v := months + rest/(31*86400)
	if round {
		v = math.Round(v*1e8) / 1e8
	}
	return v
}

func dateTrunc(c *expr.Call) (kernel.Func, error) {
	local := c.T.Kind == types.TimestampKind
	return kernel.Each2(c.T, func(c *kernel.Ctx, unit string, us int64) (int64, bool, error) {
		u := types.TruncUnit(unit)
		if u == types.NoUnit {
			return 0, false, nil
		}
		if !local || u >= types.MinuteUnit {
			return types.TruncLocal(us, u), true, nil
		}
		return types.FromLocal(types.TruncLocal(types.ToLocal(us, c.Zone), u), c.Zone), true, nil
	}), nil
}

// unitAmount is a number of units as months, days and microseconds.
func unitAmount(unit string, n int64) (months, days, us int64, ok bool) {
	switch strings.ToUpper(unit) {
	case "YEAR":
		return n * 12, 0, 0, true
	case "QUARTER":
		return n * 3, 0, 0, true
	case "MONTH":
		return n, 0, 0, true
	case "WEEK":
		return 0, n * 7, 0, true
	case "DAY", "DAYOFYEAR":
		return 0, n, 0, true
	case "HOUR":
		return 0, 0, n * types.MicrosPerHour, true
	case "MINUTE":
		return 0, 0, n * types.MicrosPerMinute, true
	case "SECOND":
		return 0, 0, n * types.MicrosPerSecond, true
	case "MILLISECOND":
		return 0, 0, n * 1000, true
	case "MICROSECOND":
		return 0, 0, n, true
	}
	return 0, 0, 0, false
}

func timestampAddRow() *Row {
	return fn("timestampadd", "3.3.0", "timestampadd(unit, n, timestamp): the timestamp n units later.", sig(like(2), tStr.constant(), tLong, tAnyTS), func(c *expr.Call) (kernel.Func, error) {
		local := c.T.Kind == types.TimestampKind
		return kernel.Each3(c.T, func(c *kernel.Ctx, unit string, n, us int64) (int64, bool, error) {
			months, days, micros, ok := unitAmount(unit, n)
			if !ok {
				return 0, false, sparkerr.New("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", "`timestampadd`", "parameter", "`unit`", "invalidValue", "'"+unit+"'")
			}
			v, ok := kernel.AddToTimestamp(c, us, months, days, micros, local)
			if !ok {
				return 0, false, sparkerr.New("DATETIME_OVERFLOW", "operation", "add "+types.LiteralText(n, types.Long, nil)+" "+unit+" to a timestamp")
			}
			return v, true, nil
		}), nil
	}, "timestampadd(HOUR, 8, timestamp_ntz'2022-02-20 03:30:00')", "2022-02-20 11:30:00")
}

func timestampDiffRow() *Row {
	return fn("timestampdiff", "3.3.0", "timestampdiff(unit, start, end): the whole units from start to end.", sig(to(types.Long), tStr.constant(), tTimestamp, tTimestamp),
		e3(func(c *kernel.Ctx, unit string, a, b int64) (int64, error) {
			months, days, us, ok := unitAmount(unit, 1)
			a, b = types.ToLocal(a, c.Zone), types.ToLocal(b, c.Zone)
			switch {
			case !ok:
				return 0, sparkerr.New("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", "`timestampdiff`", "parameter", "`unit`", "invalidValue", "'"+unit+"'")
			case months > 0:
				return wholeMonths(a, b) / months, nil
			case days > 0:
				us = days * types.MicrosPerDay
			}
			return (b - a) / us, nil
		}), "timestampdiff(HOUR, timestamp_ntz'2022-02-11 20:30:00', timestamp_ntz'2022-02-12 04:30:00')", "8")
}

// wholeMonths is the number of months that fit between two local date-times.
func wholeMonths(a, b int64) int64 {
	if a > b {
		return -wholeMonths(b, a)
	}
	da, db := int32(types.FloorDiv(a, types.MicrosPerDay)), int32(types.FloorDiv(b, types.MicrosPerDay))
	y1, m1, d1 := types.CivilDate(da)
	y2, m2, d2 := types.CivilDate(db)
	n := int64(y2-y1)*12 + int64(m2-m1)
	if d2 < d1 || d2 == d1 && types.FloorMod(b, types.MicrosPerDay) < types.FloorMod(a, types.MicrosPerDay) {
		n--
	}
	return n
}

// nowRows are fixed for the life of a query.
func nowRows() []*Row {
	now := func(name, since, usage string, t types.Type, f func(c *kernel.Ctx) any, example string) *Row {
		r := &Row{Name: name, Since: since, Usage: usage, Sig: sig(to(t)).never(), Total: always, Kernel: func(c *expr.Call) (kernel.Func, error) {
			return kernel.Each0(c.T, func(c *kernel.Ctx) (any, bool, error) { return f(c), true, nil }), nil
		}}
		return r.examples([]string{example, "true"})
	}
	return group("datetime_funcs",
		now("current_date", "1.5.0", "current_date(): the date when the query started.", types.Date, func(c *kernel.Ctx) any {
			return int32(types.FloorDiv(types.ToLocal(c.Now, c.Zone), types.MicrosPerDay))
		}, "current_date() = curdate()").alias("curdate").own(),
		now("current_timestamp", "1.5.0", "current_timestamp(): the time when the query started.", types.Timestamp, func(c *kernel.Ctx) any { return c.Now },
			"current_timestamp() = now()").alias("now").own(),
		now("localtimestamp", "3.4.0", "localtimestamp(): the local date and time when the query started.", types.TimestampNTZ, func(c *kernel.Ctx) any { return types.ToLocal(c.Now, c.Zone) },
			"localtimestamp() is not null"),
		now("current_timezone", "3.1.0", "current_timezone(): the session's time zone.", types.String, func(c *kernel.Ctx) any { return c.ZoneName }, "current_timezone() is not null"),
	)
}
