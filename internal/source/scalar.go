package source

import (
	"math"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

func parseDate(s string) (int32, bool) { return types.ParseDate(s) }

func parseTimestamp(s string, env *Env) (int64, bool) {
	return types.ParseTimestamp(s, env.zone(), 0)
}

// zone is the session's time zone.
func (e *Env) zone() *time.Location {
	if e == nil || e.Session == nil || e.Session.Zone == nil {
		return time.UTC
	}
	return e.Session.Zone
}

// caseSensitive says how column names are matched.
func (e *Env) caseSensitive() bool { return e != nil && e.Session != nil && e.Session.CaseSensitive }

// parseValue reads one value of an atomic type as a cast from text does.
func parseValue(s string, t types.Type, env *Env) (v any, ok bool) {
	switch t.Kind {
	case types.StringKind:
		return s, true
	case types.BinaryKind:
		return []byte(s), true
	case types.BooleanKind:
		return types.ParseBool(types.TrimAll(s))
	case types.ByteKind:
		n, ok := types.ParseLong(types.TrimAll(s), math.MinInt8, math.MaxInt8, false)
		return int8(n), ok
	case types.ShortKind:
		n, ok := types.ParseLong(types.TrimAll(s), math.MinInt16, math.MaxInt16, false)
		return int16(n), ok
	case types.IntKind:
		n, ok := types.ParseLong(types.TrimAll(s), math.MinInt32, math.MaxInt32, false)
		return int32(n), ok
	case types.LongKind:
		return types.ParseLong(types.TrimAll(s), math.MinInt64, math.MaxInt64, false)
	case types.FloatKind:
		f, ok := types.ParseFloat(types.TrimAll(s), 32)
		return float32(f), ok
	case types.DoubleKind:
		return types.ParseFloat(types.TrimAll(s), 64)
	case types.DecimalKind:
		return parseDecimal(types.TrimAll(s), t)
	case types.DateKind:
		return types.ParseDate(types.TrimAll(s))
	case types.TimestampKind:
		return parseTimestamp(types.TrimAll(s), env)
	case types.TimestampNTZKind:
		return types.ParseTimestampNTZ(types.TrimAll(s), true)
	case types.TimeKind:
		return types.ParseTime(types.TrimAll(s))
	case types.YearMonthKind:
		return types.ParseYearMonth(s, t)
	case types.DayTimeKind:
		return types.ParseDayTime(s, t)
	}
	return nil, false
}

func parseDecimal(s string, t types.Type) (any, bool) {
	d, scale, ok := types.ParseDecimal(s)
	if !ok {
		return nil, false
	}
	return types.ToDecimal(d, scale, t)
}
