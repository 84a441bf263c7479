package kernel

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// CompareValues orders two values of a type (as types/value.go holds them): -1, 0 or 1. Null comes first. NaN is the greatest
// number and equals itself; zeros are equal.
func CompareValues(t types.Type, a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(b2i(a != nil), b2i(b != nil))
	}
	switch x := a.(type) {
	case bool:
		return cmp.Compare(b2i(x), b2i(b.(bool)))
	case int8:
		return cmp.Compare(x, b.(int8))
	case int16:
		return cmp.Compare(x, b.(int16))
	case int32:
		return cmp.Compare(x, b.(int32))
	case int64:
		return cmp.Compare(x, b.(int64))
	case float32:
		return compareFloats(float64(x), float64(b.(float32)))
	case float64:
		return compareFloats(x, b.(float64))
	case types.Int128:
		return x.Cmp(b.(types.Int128))
	case string:
		return strings.Compare(x, b.(string))
	case []byte:
		return bytes.Compare(x, b.([]byte))
	case types.CalendarInterval:
		y := b.(types.CalendarInterval)
		return cmp.Or(cmp.Compare(x.Months, y.Months), cmp.Compare(x.Days, y.Days), cmp.Compare(x.Micros, y.Micros))
	case types.MapValue:
		y := b.(types.MapValue)
		return cmp.Or(compareValueLists(t.Key(), x.Keys, y.Keys), compareValueLists(t.Elem(), x.Values, y.Values))
	case []any:
		y := b.([]any)
		if t.Kind == types.ArrayKind {
			return compareValueLists(t.Elem(), x, y)
		}
		for i, f := range t.Fields() {
			if c := CompareValues(f.Type, x[i], y[i]); c != 0 {
				return c
			}
		}
	}
	return 0
}

func compareValueLists(t types.Type, a, b []any) int {
	for i := range min(len(a), len(b)) {
		if c := CompareValues(t, a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// AppendValueKey adds bytes that are equal for equal values of a type and differ for others.
func AppendValueKey(dst []byte, t types.Type, v any) []byte {
	if v == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch x := v.(type) {
	case bool:
		return append(dst, byte(b2i(x)))
	case int8:
		return append(dst, byte(x))
	case int16:
		return binary.LittleEndian.AppendUint16(dst, uint16(x))
	case int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(x))
	case int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(x))
	case float32:
		return appendFloatKey(dst, float64(x))
	case float64:
		return appendFloatKey(dst, x)
	case types.Int128:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, x.Lo), uint64(x.Hi))
	case string:
		return append(binary.AppendUvarint(dst, uint64(len(x))), x...)
	case []byte:
		return append(binary.AppendUvarint(dst, uint64(len(x))), x...)
	case types.CalendarInterval:
		dst = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(dst, uint32(x.Months)), uint32(x.Days))
		return binary.LittleEndian.AppendUint64(dst, uint64(x.Micros))
	case types.MapValue:
		dst = binary.AppendUvarint(dst, uint64(len(x.Keys)))
		for i := range x.Keys {
			dst = AppendValueKey(AppendValueKey(dst, t.Key(), x.Keys[i]), t.Elem(), x.Values[i])
		}
	case []any:
		dst = binary.AppendUvarint(dst, uint64(len(x)))
		for i, e := range x {
			dst = AppendValueKey(dst, partType(t, i), e)
		}
	}
	return dst
}

// partType is the type of part i of an array or struct.
func partType(t types.Type, i int) types.Type {
	if t.Kind == types.StructKind {
		return t.Fields()[i].Type
	}
	return t.Elem()
}

func appendFloatKey(dst []byte, f float64) []byte {
	if f == 0 {
		f = math.Abs(f) // one zero
	}
	if math.IsNaN(f) {
		f = math.NaN()
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

// ValueSet is a set of values of one type.
type ValueSet struct {
	t    types.Type
	seen map[string]struct{}
	key  []byte
}

// NewValueSet makes an empty set.
func NewValueSet(t types.Type) *ValueSet { return &ValueSet{t: t, seen: map[string]struct{}{}} }

// Add adds a value; false when it was there.
func (s *ValueSet) Add(v any) bool {
	s.key = AppendValueKey(s.key[:0], s.t, v)
	if _, ok := s.seen[string(s.key)]; ok {
		return false
	}
	s.seen[string(s.key)] = struct{}{}
	return true
}

// Has says whether a value is in the set; Len is the number of values.
func (s *ValueSet) Has(v any) bool {
	s.key = AppendValueKey(s.key[:0], s.t, v)
	_, ok := s.seen[string(s.key)]
	return ok
}
func (s *ValueSet) Len() int { return len(s.seen) }
