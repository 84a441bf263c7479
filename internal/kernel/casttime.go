package kernel

import (
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

func castToDatetime(from, to types.Type, m Mode) Func {
	switch to.Kind {
	case types.DateKind:
		return castToDate(from, m)
	case types.TimestampKind:
		return castToTimestamp(from, m)
	case types.TimestampNTZKind:
		return castToNTZ(from, m)
	}
	return castToTime(from, to, m)
}

func castToDate(from types.Type, m Mode) Func {
	switch from.Kind {
	case types.StringKind:
		return Each1(types.Date, func(c *Ctx, a string) (int32, bool, error) {
			if v, ok := types.ParseDate(a); ok {
				return v, true, nil
			}
			return bad[int32](m, func() error { return castInvalid(strings.Clone(a), from, types.Date) })
		})
	case types.TimestampKind:
		return Each1(types.Date, func(c *Ctx, a int64) (int32, bool, error) {
			return int32(types.FloorDiv(types.ToLocal(a, c.Zone), types.MicrosPerDay)), true, nil
		})
	case types.TimestampNTZKind:
		return Each1(types.Date, func(c *Ctx, a int64) (int32, bool, error) {
			return int32(types.FloorDiv(a, types.MicrosPerDay)), true, nil
		})
	}
	return nil
}

func castToTimestamp(from types.Type, m Mode) Func {
	to := types.Timestamp
	seconds := func(c *Ctx, a any, v int64) (int64, bool, error) {
		us := types.MulInt64(v, types.MicrosPerSecond)
		if us.Fits64() {
			return us.Int64(), true, nil
		}
		if m == Legacy {
			return saturate[int64](float64(v)), true, nil
		}
		return bad[int64](m, func() error { return castOverflow(a, from, to, c.Zone) })
	}
	switch from.Kind {
	case types.StringKind:
		return Each1(to, func(c *Ctx, a string) (int64, bool, error) {
			if v, ok := types.ParseTimestamp(a, c.Zone, c.Now); ok {
				return v, true, nil
			}
			return bad[int64](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case types.DateKind:
		return Each1(to, func(c *Ctx, a int32) (int64, bool, error) {
			return types.FromLocal(int64(a)*types.MicrosPerDay, c.Zone), true, nil
		})
	case types.TimestampNTZKind:
		return Each1(to, func(c *Ctx, a int64) (int64, bool, error) { return types.FromLocal(a, c.Zone), true, nil })
	case types.BooleanKind:
		return Each1(to, func(c *Ctx, a bool) (int64, bool, error) { return int64(b2i(a)), true, nil })
	case types.ByteKind:
		return Each1(to, func(c *Ctx, a int8) (int64, bool, error) { return seconds(c, a, int64(a)) })
	case types.ShortKind:
		return Each1(to, func(c *Ctx, a int16) (int64, bool, error) { return seconds(c, a, int64(a)) })
	case types.IntKind:
		return Each1(to, func(c *Ctx, a int32) (int64, bool, error) { return seconds(c, a, int64(a)) })
	case types.LongKind:
		return Each1(to, func(c *Ctx, a int64) (int64, bool, error) { return seconds(c, a, a) })
	case types.FloatKind:
		return Each1(to, func(c *Ctx, a float32) (int64, bool, error) { return floatSeconds(c, float64(a), a, from, m) })
	case types.DoubleKind:
		return Each1(to, func(c *Ctx, a float64) (int64, bool, error) { return floatSeconds(c, a, a, from, m) })
	case types.DecimalKind:
		return Each1(to, func(c *Ctx, a types.Int128) (int64, bool, error) {
			var v types.Int128
			ok := true
			if from.Scale > 6 {
				v = types.DropDigits(a, int(from.Scale)-6, types.Down)
			} else {
				v, ok = types.Rescale(a, int(from.Scale), 6)
			}
			if ok && v.Fits64() {
				return v.Int64(), true, nil
			}
			return bad[int64](m, func() error { return castOverflow(a, from, to, c.Zone) })
		})
	}
	return nil
}

func floatSeconds(c *Ctx, f float64, a any, from types.Type, m Mode) (int64, bool, error) {
	us := math.Trunc(f * 1e6)
	switch {
	case us != us || math.IsInf(us, 0):
		if m != Ansi {
			return 0, false, nil
		}
		return 0, false, castInvalidNumber(a, from)
	case us >= math.MinInt64 && us < math.MaxInt64:
		return int64(us), true, nil
	case m == Legacy:
		return saturate[int64](us), true, nil
	}
	return bad[int64](m, func() error { return castOverflow(a, from, types.Timestamp, c.Zone) })
}

func castInvalidNumber(a any, from types.Type) error { return castInvalid(a, from, types.Timestamp) }

func castToNTZ(from types.Type, m Mode) Func {
	to := types.TimestampNTZ
	switch from.Kind {
	case types.StringKind:
		return Each1(to, func(c *Ctx, a string) (int64, bool, error) {
			if v, ok := types.ParseTimestampNTZ(a, true); ok {
				return v, true, nil
			}
			return bad[int64](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case types.DateKind:
		return Each1(to, func(c *Ctx, a int32) (int64, bool, error) { return int64(a) * types.MicrosPerDay, true, nil })
	case types.TimestampKind:
		return Each1(to, func(c *Ctx, a int64) (int64, bool, error) { return types.ToLocal(a, c.Zone), true, nil })
	}
	return nil
}

func castToTime(from, to types.Type, m Mode) Func {
	unit := int64(1)
	for range 9 - int(to.Precision) {
		unit *= 10
	}
	switch from.Kind {
	case types.StringKind:
		return Each1(to, func(c *Ctx, a string) (int64, bool, error) {
			if v, ok := types.ParseTime(a); ok {
				return v - v%unit, true, nil
			}
			return bad[int64](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case types.TimestampKind:
		return Each1(to, func(c *Ctx, a int64) (int64, bool, error) {
			v := types.FloorMod(types.ToLocal(a, c.Zone), types.MicrosPerDay) * 1000
			return v - v%unit, true, nil
		})
	case types.TimestampNTZKind:
		return Each1(to, func(c *Ctx, a int64) (int64, bool, error) {
			v := types.FloorMod(a, types.MicrosPerDay) * 1000
			return v - v%unit, true, nil
		})
	case types.TimeKind:
		return Each1(to, func(c *Ctx, a int64) (int64, bool, error) { return a - a%unit, true, nil })
	}
	return nil
}

func castToInterval(from, to types.Type, m Mode) Func {
	switch {
	case to.Kind == types.CalendarKind && from.Kind == types.StringKind:
		return Each1(to, func(_ *Ctx, a string) (types.CalendarInterval, bool, error) {
			if v, ok := types.ParseCalendar(a); ok {
				return v, true, nil
			}
			return bad[types.CalendarInterval](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case to.Kind == types.YearMonthKind && from.Kind == types.StringKind:
		return Each1(to, func(_ *Ctx, a string) (int32, bool, error) {
			if v, ok := types.ParseYearMonth(a, to); ok {
				return v, true, nil
			}
			return bad[int32](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case to.Kind == types.DayTimeKind && from.Kind == types.StringKind:
		return Each1(to, func(_ *Ctx, a string) (int64, bool, error) {
			if v, ok := types.ParseDayTime(a, to); ok {
				return v, true, nil
			}
			return bad[int64](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case to.Kind == types.YearMonthKind && from.Kind == to.Kind: // to whole years
		return Each1(to, func(_ *Ctx, a int32) (int32, bool, error) { return a / 12 * 12, true, nil })
	case to.Kind == types.DayTimeKind && from.Kind == to.Kind:
		unit := dayTimeUnit(to.To)
		return Each1(to, func(_ *Ctx, a int64) (int64, bool, error) { return a / unit * unit, true, nil })
	case from.IsIntegral() || from.Kind == types.DecimalKind:
		return numberToInterval(from, to, m)
	}
	return nil
}

// numberToInterval takes a number as a count of the interval's end unit; decimals keep the fraction of seconds.
func numberToInterval(from, to types.Type, m Mode) Func {
	unit, hi := int64(1), int64(math.MaxInt32)
	if to.Kind == types.DayTimeKind {
		unit, hi = dayTimeUnit(to.To), math.MaxInt64
	} else if to.To == types.Year {
		unit = 12
	}
	conv := func(c *Ctx, a any) (int64, bool, error) {
		v, scale := types.I128(integerOf(a)), 0
		if d, ok := a.(types.Int128); ok {
			v, scale = d, int(from.Scale)
		}
		total, ok := types.MulScaled(v, types.I128(unit), scale)
		if ok && total.Fits64() && total.Int64() <= hi && total.Int64() >= -hi-1 {
			return total.Int64(), true, nil
		}
		return bad[int64](m, func() error { return castOverflow(a, from, to, c.Zone) })
	}
	if to.Kind == types.DayTimeKind {
		return Each1(to, func(c *Ctx, a any) (int64, bool, error) { return conv(c, a) })
	}
	return Each1(to, func(c *Ctx, a any) (int32, bool, error) {
		v, ok, err := conv(c, a)
		return int32(v), ok, err
	})
}
