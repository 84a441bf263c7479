package function

import (
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"

	"github.com/firesteel/firesteel/internal/expr"
)

func init() { groups = append(groups, intervalRows) }

func intervalRows() []*Row {
	zero := tInt.defaultTo(int32(0))
	seconds := func(p int) In { return exactly(types.Decimal(p, 6)).defaultTo(types.Int128{}) }
	calendar := func() *Sig { return sig(to(types.Calendar), zero, zero, zero, zero, zero, zero, seconds(18)) }
	names := []string{"years", "months", "weeks", "days", "hours", "mins", "secs"}
	return group("datetime_funcs",
		fn("make_interval", "3.0.0", "make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]]): an interval of its parts.", calendar(), makeInterval(false),
			"make_interval(100, 11, 1, 1, 12, 30, 01.001001)", "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds").named(names...),
		fn("try_make_interval", "4.0.0", "try_make_interval([years[, months[, …]]]): make_interval, or null where it overflows.", calendar().nullable(), makeInterval(true),
			"try_make_interval(2147483647)", "NULL").named(names...).total(),
		fn("make_dt_interval", "3.2.0", "make_dt_interval([days[, hours[, mins[, secs]]]]): a day-time interval of its parts.", sig(to(types.DayTime), zero, zero, zero, seconds(18)), makeDayTime,
			"make_dt_interval(1, 12, 30, 01.001001)", "INTERVAL '1 12:30:01.001001' DAY TO SECOND").named("days", "hours", "mins", "secs"),
		fn("make_ym_interval", "3.2.0", "make_ym_interval([years[, months]]): a year-month interval of its parts.", sig(to(types.YearMonth), zero, zero), e2(makeYearMonth),
			"make_ym_interval(1, 2)", "INTERVAL '1-2' YEAR TO MONTH").named("years", "months"),
	)
}

// makeInterval answers null instead of an overflow for try and in sessions without ANSI.
func makeInterval(try bool) func(c *expr.Call) (kernel.Func, error) {
	return func(c *expr.Call) (kernel.Func, error) {
		soft := try || c.Mode == expr.CastLegacy
		return kernel.EachRow(c.T, func(_ *kernel.Ctx, row []any) (any, error) {
			n := func(i int) int64 { return int64(row[i].(int32)) }
			months := n(0)*12 + n(1)
			days := n(2)*7 + n(3)
			us := types.MulInt64(n(4), types.MicrosPerHour).Add(types.MulInt64(n(5), types.MicrosPerMinute)).Add(row[6].(types.Int128))
			if months != int64(int32(months)) || days != int64(int32(days)) || !us.Fits64() {
				if soft {
					return nil, nil
				}
				return nil, kernel.Overflow("overflow", "")
			}
			return types.CalendarInterval{Months: int32(months), Days: int32(days), Micros: us.Int64()}, nil
		}), nil
	}
}

func makeDayTime(c *expr.Call) (kernel.Func, error) {
	return kernel.Each4(c.T, func(_ *kernel.Ctx, d, h, m int32, s types.Int128) (int64, bool, error) {
		us := types.MulInt64(int64(d), types.MicrosPerDay).Add(types.MulInt64(int64(h), types.MicrosPerHour)).Add(types.MulInt64(int64(m), types.MicrosPerMinute)).Add(s)
		if !us.Fits64() {
			return 0, false, sparkerr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
		}
		return us.Int64(), true, nil
	}), nil
}

func makeYearMonth(_ *kernel.Ctx, y, m int32) (int32, error) {
	v := int64(y)*12 + int64(m)
	if v != int64(int32(v)) {
		return 0, sparkerr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
	}
	return int32(v), nil
}
