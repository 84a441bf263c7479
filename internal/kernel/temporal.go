package kernel

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// AddIntervals gives the loop of a + b, or a - b, over two intervals of one type.
func AddIntervals(t types.Type, sub bool, m Mode) Func {
	switch t.Kind {
	case types.YearMonthKind:
		return intervalSum[int32](sub, m)
	case types.DayTimeKind:
		return intervalSum[int64](sub, m)
	}
	return Each2(t, func(_ *Ctx, a, b types.CalendarInterval) (types.CalendarInterval, bool, error) {
		sign := int64(1)
		if sub {
			sign = -1
		}
		months, days := int64(a.Months)+sign*int64(b.Months), int64(a.Days)+sign*int64(b.Days)
		us := types.I128(a.Micros).Add(types.MulInt64(sign, b.Micros))
		out := types.CalendarInterval{Months: int32(months), Days: int32(days), Micros: us.Int64()}
		if m != Legacy && (int64(out.Months) != months || int64(out.Days) != days || !us.Fits64()) {
			return bad[types.CalendarInterval](m, func() error { return IntervalOverflow(tryName(sub)) })
		}
		return out, true, nil
	})
}

func tryName(sub bool) string {
	if sub {
		return "try_subtract"
	}
	return "try_add"
}

func intervalSum[T int32 | int64](sub bool, m Mode) Func {
	loop := addLoop[T]
	if sub {
		loop = subLoop[T]
	}
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two2[T](c, args, n)
		out := Out[T](c, n)
		v := Flat(out)
		if !loop(out, x, y) {
			return v, nil
		}
		for i := range out {
			a, b, s := x[i], y[i], out[i]
			over := (a^s)&(b^s) < 0
			if sub {
				over = (a^b)&(a^s) < 0
			}
			if !over || !rowCounts(c.Valid, i) {
				continue
			}
			if m != Try {
				return v, IntervalOverflow(tryName(sub))
			}
			v.Valid = clearBit(c, v.Valid, i, n)
		}
		return v, nil
	}
}

// SubDates is the day-time interval between two dates.
func SubDates() Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two[int32](c, args, n)
		out := Out[int64](c, n)
		for i := range out {
			out[i] = (int64(x[i]) - int64(y[i])) * types.MicrosPerDay
		}
		return Flat(out), nil
	}
}

// SubTimestamps is the day-time interval between two timestamps, on the local clock.
func SubTimestamps(t types.Type) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two[int64](c, args, n)
		out := Out[int64](c, n)
		for i := range out {
			a, b := x[i], y[i]
			if t.Kind == types.TimestampKind && rowCounts(c.Valid, i) {
				a, b = types.ToLocal(a, c.Zone), types.ToLocal(b, c.Zone)
			}
			out[i] = a - b
			if (a^b)&(a^out[i]) < 0 && rowCounts(c.Valid, i) {
				return columnar.Vector{}, Overflow("overflow", "")
			}
		}
		return Flat(out), nil
	}
}

// AddToTime moves a date, timestamp or time of day by an interval, backwards with sub.
func AddToTime(base, interval types.Type, sub bool, m Mode) (Func, error) {
	sign := int64(1)
	if sub {
		sign = -1
	}
	over := func(err error) (int64, bool, error) { return bad[int64](m, func() error { return err }) }
	switch {
	case base.Kind == types.DateKind && interval.Kind == types.YearMonthKind:
		return Each2(base, func(c *Ctx, a, b int32) (int32, bool, error) {
			v, ok := types.AddMonths(a, sign*int64(b))
			if !ok {
				return bad[int32](m, func() error { return dateOverflow("add months to a date") })
			}
			return v, true, nil
		}), nil
	case base.Kind == types.DateKind && interval.Kind == types.DayTimeKind:
		return Each2(base, func(c *Ctx, a int32, b int64) (int32, bool, error) {
			v := int64(a) + sign*(b/types.MicrosPerDay)
			if v != int64(int32(v)) {
				return bad[int32](m, func() error { return Overflow("overflow", "") })
			}
			return int32(v), true, nil
		}), nil
	case base.Kind == types.DateKind:
		return Each2(base, func(c *Ctx, a int32, b types.CalendarInterval) (int32, bool, error) {
			return addCalendarToDate(c, a, b, sign, m)
		}), nil
	case base.Kind == types.TimeKind && interval.Kind == types.DayTimeKind:
		return Each2(base, func(c *Ctx, a, b int64) (int64, bool, error) {
			v := types.I128(a).Add(types.MulInt64(sign*1000, b))
			if v.Sign() < 0 || !v.Fits64() || v.Int64() >= types.NanosPerDay {
				return over(sparkerr.New("DATETIME_OVERFLOW", "operation", "add "+string(types.AppendDayTime(nil, sign*b, interval))+
					" to the time value '"+string(types.AppendTime(nil, a))+"'"))
			}
			return v.Int64(), true, nil
		}), nil
	case base.Kind != types.TimestampKind && base.Kind != types.TimestampNTZKind:
		return nil, sparkerr.Unsupported("interval arithmetic on " + base.SQL())
	}
	local := base.Kind == types.TimestampKind
	switch interval.Kind {
	case types.YearMonthKind:
		return Each2(base, func(c *Ctx, a int64, b int32) (int64, bool, error) {
			v, ok := addToTimestamp(c, a, sign*int64(b), 0, 0, local)
			if !ok {
				return over(dateOverflow("add an interval to a timestamp"))
			}
			return v, true, nil
		}), nil
	case types.DayTimeKind:
		return Each2(base, func(c *Ctx, a, b int64) (int64, bool, error) {
			v, ok := addToTimestamp(c, a, 0, sign*(b/types.MicrosPerDay), sign*(b%types.MicrosPerDay), local)
			if !ok {
				return over(Overflow("overflow", ""))
			}
			return v, true, nil
		}), nil
	}
	return Each2(base, func(c *Ctx, a int64, b types.CalendarInterval) (int64, bool, error) {
		us := types.MulInt64(sign, b.Micros)
		v, ok := addToTimestamp(c, a, sign*int64(b.Months), sign*int64(b.Days), us.Int64(), local)
		if !ok || !us.Fits64() {
			return over(Overflow("overflow", ""))
		}
		return v, true, nil
	}), nil
}

func dateOverflow(operation string) error {
	return sparkerr.New("DATETIME_OVERFLOW", "operation", operation)
}

func addCalendarToDate(c *Ctx, a int32, b types.CalendarInterval, sign int64, m Mode) (int32, bool, error) {
	if b.Micros != 0 {
		if m == Ansi {
			return 0, false, sparkerr.New("INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION")
		}
		us, ok := addToTimestamp(c, int64(a)*types.MicrosPerDay, sign*int64(b.Months), sign*int64(b.Days), sign*b.Micros, false)
		return int32(types.FloorDiv(us, types.MicrosPerDay)), ok, nil
	}
	v, ok := types.AddMonths(a, sign*int64(b.Months))
	d := int64(v) + sign*int64(b.Days)
	if !ok || d != int64(int32(d)) {
		return bad[int32](m, func() error { return Overflow("overflow", "") })
	}
	return int32(d), true, nil
}

// addToTimestamp adds months and days on the local calendar and then microseconds.
func addToTimestamp(c *Ctx, us, months, days, micros int64, local bool) (int64, bool) {
	if months != 0 || days != 0 {
		if local {
			us = types.ToLocal(us, c.Zone)
		}
		day := types.FloorDiv(us, types.MicrosPerDay)
		tod := us - day*types.MicrosPerDay
		moved, ok := types.AddMonths(int32(day), months)
		total := types.MulInt64(int64(moved)+days, types.MicrosPerDay).Add(types.I128(tod))
		if !ok || !total.Fits64() {
			return 0, false
		}
		us = total.Int64()
		if local {
			us = types.FromLocal(us, c.Zone)
		}
	}
	r := us + micros
	return r, (us^r)&(micros^r) >= 0
}

// AddToTimestamp adds months and days on the local calendar (of the session zone when local is set, else as it stands) and then
// microseconds; false on overflow.
func AddToTimestamp(c *Ctx, us, months, days, micros int64, local bool) (int64, bool) {
	return addToTimestamp(c, us, months, days, micros, local)
}

// ScaleInterval multiplies, or divides, an interval by a number of type num (BIGINT, DOUBLE or decimal), rounding half up.
func ScaleInterval(t, num types.Type, div bool, m Mode) Func {
	if t.Kind == types.CalendarKind {
		return scaleCalendar(div, m)
	}
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if t.Kind == types.YearMonthKind {
		lo, hi = math.MinInt32, math.MaxInt32
	}
	scale := func(a int64, b any) (int64, bool, error) {
		v, ok, zero := scaled(a, b, int(num.Scale), div)
		switch {
		case zero:
			return bad[int64](m, func() error { return sparkerr.New("INTERVAL_DIVIDED_BY_ZERO") })
		case !ok || v < lo || v > hi:
			return bad[int64](m, func() error { return scaleOverflow(t, div) })
		}
		return v, true, nil
	}
	if t.Kind == types.YearMonthKind {
		return Each2(t, func(_ *Ctx, a int32, b any) (int32, bool, error) {
			v, ok, err := scale(int64(a), b)
			return int32(v), ok, err
		})
	}
	return Each2(t, func(_ *Ctx, a int64, b any) (int64, bool, error) { return scale(a, b) })
}

func scaleOverflow(t types.Type, div bool) error {
	hint := "try_multiply"
	if div {
		hint = "try_divide"
	}
	return IntervalOverflow(hint)
}

// scaled is a*b or a/b rounded half up.
func scaled(a int64, b any, scale int, div bool) (v int64, ok, zero bool) {
	switch x := b.(type) {
	case int64:
		if !div {
			p := types.MulInt64(a, x)
			return p.Int64(), p.Fits64(), false
		}
		if x == 0 {
			return 0, false, true
		}
		q, ok := types.DivScaled(types.I128(a), types.I128(x), 0, true)
		return q.Int64(), ok && q.Fits64(), false
	case float64:
		if div && x == 0 {
			return 0, false, true
		}
		f := float64(a) * x
		if div {
			f = float64(a) / x
		}
		f = math.Round(f)
		return int64(f), f == f && f >= math.MinInt64 && f < math.MaxInt64, false
	case types.Int128:
		if div && x == (types.Int128{}) {
			return 0, false, true
		}
		var q types.Int128
		if div {
			q, ok = types.DivScaled(types.I128(a), x, scale, true)
		} else {
			q, ok = types.MulScaled(types.I128(a), x, scale)
		}
		return q.Int64(), ok && q.Fits64(), false
	}
	return 0, false, false
}

func scaleCalendar(div bool, m Mode) Func {
	return Each2(types.Calendar, func(_ *Ctx, a types.CalendarInterval, b float64) (types.CalendarInterval, bool, error) {
		if div {
			if b == 0 {
				return bad[types.CalendarInterval](m, func() error { return sparkerr.New("INTERVAL_DIVIDED_BY_ZERO") })
			}
			b = 1 / b
		}
		months, days, us := math.Trunc(float64(a.Months)*b), math.Trunc(float64(a.Days)*b), math.Round(float64(a.Micros)*b)
		if math.Abs(months) > math.MaxInt32 || math.Abs(days) > math.MaxInt32 || math.Abs(us) > math.MaxInt64 || months != months {
			return bad[types.CalendarInterval](m, func() error { return scaleOverflow(types.Calendar, div) })
		}
		return types.CalendarInterval{Months: int32(months), Days: int32(days), Micros: int64(us)}, true, nil
	})
}

// DivIntervals is the whole number of times that one interval holds another of its kind.
func DivIntervals(t types.Type, m Mode) Func {
	div := func(a, b int64) (int64, bool, error) {
		if b == 0 {
			return bad[int64](m, DivideByZero)
		}
		if a == math.MinInt64 && b == -1 {
			return bad[int64](m, func() error { return IntervalOverflow("try_divide") })
		}
		return a / b, true, nil
	}
	if t.Kind == types.YearMonthKind {
		return Each2(types.Long, func(_ *Ctx, a, b int32) (int64, bool, error) { return div(int64(a), int64(b)) })
	}
	return Each2(types.Long, func(_ *Ctx, a, b int64) (int64, bool, error) { return div(a, b) })
}

// ShiftDays gives the loop of a date plus sign times a count of days of type k (INT, SMALLINT or TINYINT); it wraps around.
func ShiftDays(k types.Type, sign int64) Func {
	add := func(d int32, n int64) (int32, bool, error) { return d + int32(sign*n), true, nil }
	switch k.Kind {
	case types.ByteKind:
		return Each2(types.Date, func(_ *Ctx, d int32, n int8) (int32, bool, error) { return add(d, int64(n)) })
	case types.ShortKind:
		return Each2(types.Date, func(_ *Ctx, d int32, n int16) (int32, bool, error) { return add(d, int64(n)) })
	}
	return Each2(types.Date, func(_ *Ctx, d, n int32) (int32, bool, error) { return add(d, int64(n)) })
}
