package types

import "math/bits"

// How values of each type are held in Go, in literals and wherever single values travel (any):
//
//	VOID nil · BOOLEAN bool · TINYINT int8 · SMALLINT int16 · INT int32 · BIGINT int64 · FLOAT float32 · DOUBLE float64
//	DECIMAL Int128 (unscaled; precision and scale are in the type) · STRING string · BINARY []byte
//	DATE int32 (days) · TIMESTAMP, TIMESTAMP_NTZ int64 (µs) · TIME int64 (ns) · year-month int32 (months)
//	day-time int64 (µs) · CALENDAR INTERVAL CalendarInterval · ARRAY []any · MAP MapValue · STRUCT []any

// Int128 is a signed 128-bit integer in two's complement: the unscaled value of a wide decimal.
// In memory the low word comes first, as in Arrow.
type Int128 struct {
	Lo uint64
	Hi int64
}

// CalendarInterval is Spark's legacy interval.
type CalendarInterval struct {
	Months, Days int32
	Micros       int64
}

// MapValue is one value of a map type.
type MapValue struct{ Keys, Values []any }

// I128 widens an int64.
func I128(v int64) Int128 { return Int128{uint64(v), v >> 63} }

// Add and Sub wrap around on overflow.
func (a Int128) Add(b Int128) Int128 {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	return Int128{lo, a.Hi + b.Hi + int64(c)}
}
func (a Int128) Sub(b Int128) Int128 {
	lo, c := bits.Sub64(a.Lo, b.Lo, 0)
	return Int128{lo, a.Hi - b.Hi - int64(c)}
}

// Neg is -a.
func (a Int128) Neg() Int128 { return Int128{}.Sub(a) }

// Cmp is -1, 0 or 1.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Sign is -1, 0 or 1.
func (a Int128) Sign() int { return a.Cmp(Int128{}) }

// Fits64 says whether a is an int64; Int64 is its low word.
func (a Int128) Fits64() bool { return a.Hi == int64(a.Lo)>>63 }
func (a Int128) Int64() int64 { return int64(a.Lo) }
