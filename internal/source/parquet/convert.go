package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// step says how physical values become values of a Spark type.
type step uint8

const (
	asIs        step = iota // same bytes
	bytesView               // byte strings to views
	int32Int8               // narrowing: the file's annotation promises the range
	int32Int16              //
	int32Int64              // times mul
	uint32Int64             //
	int32Double             //
	int32Wide               // to Int128, times mul
	int64Mul                // times mul
	int64Div                // divided by mul, rounded down
	int64Wide               // to Int128, times mul
	uint64Wide              // unsigned to Int128
	floatDouble             //
	int96Micros             //
	bytesInt64              // big-endian two's complement, times mul
	bytesWide               //
	toBool                  // bits to bytes
)

// conversion from a leaf's physical values to a Spark type.
type conversion struct {
	step step
	mul  int64 // factor or divisor; 0 is 1
	fit  int   // decimals of 128 bits: values beyond 10^fit are refused; 0: no check
}

// conversionTo finds how a leaf is read as type t; ok is false if Spark does not read it so either.
func conversionTo(n *Node, t types.Type) (c conversion, ok bool) {
	if t.Kind == types.NullKind {
		return conversion{}, n.logical.kind == logicalUnknown
	}
	switch n.phys {
	case BooleanType:
		return conversion{step: toBool}, t.Kind == types.BooleanKind
	case Int32Type:
		return fromInt32(n.logical, t)
	case Int64Type:
		return fromInt64(n.logical, t)
	case Int96Type:
		return conversion{step: int96Micros}, t.Kind == types.TimestampKind || t.Kind == types.TimestampNTZKind
	case FloatType:
		if t.Kind == types.DoubleKind {
			return conversion{step: floatDouble}, true
		}
		return conversion{}, t.Kind == types.FloatKind
	case DoubleType:
		return conversion{}, t.Kind == types.DoubleKind
	}
	return fromBytes(n, t)
}

func fromInt32(l logical, t types.Type) (conversion, bool) {
	switch t.Kind {
	case types.IntKind, types.YearMonthKind:
		return conversion{}, l.kind == logicalNone || l.kind == logicalInteger && !(l.bits == 32 && !l.signed)
	case types.DateKind:
		return conversion{}, l.kind == logicalNone || l.kind == logicalDate
	case types.ByteKind:
		return conversion{step: int32Int8}, l.kind == logicalNone || l.kind == logicalInteger
	case types.ShortKind:
		return conversion{step: int32Int16}, l.kind == logicalNone || l.kind == logicalInteger
	case types.LongKind:
		if l.kind == logicalInteger && !l.signed {
			return conversion{step: uint32Int64}, true
		}
		return conversion{step: int32Int64}, l.kind == logicalNone || l.kind == logicalInteger
	case types.DoubleKind:
		return conversion{step: int32Double}, l.kind == logicalNone || l.kind == logicalInteger
	case types.TimestampNTZKind:
		return conversion{step: int32Int64, mul: 86400e6}, l.kind == logicalDate
	case types.DecimalKind:
		return decimalStep(l, t, 10, int32Int64, int32Wide)
	}
	return conversion{}, false
}

func fromInt64(l logical, t types.Type) (conversion, bool) {
	plain := l.kind == logicalNone || l.kind == logicalInteger && l.signed
	switch t.Kind {
	case types.LongKind:
		return conversion{}, plain || l.kind == logicalTimestamp && l.unit == nanos
	case types.DayTimeKind:
		return conversion{}, plain
	case types.TimestampKind, types.TimestampNTZKind:
		if l.kind != logicalTimestamp {
			return conversion{}, plain && t.Kind == types.TimestampKind
		}
		switch l.unit {
		case millis:
			return conversion{step: int64Mul, mul: 1000}, true
		case nanos:
			return conversion{step: int64Div, mul: 1000}, true
		}
		return conversion{}, true
	case types.TimeKind:
		return conversion{step: int64Mul, mul: 1000}, l.kind == logicalTime && l.unit == micros
	case types.DecimalKind:
		if l.kind == logicalInteger && !l.signed {
			return conversion{step: uint64Wide}, t.Precision >= 20 && t.Scale == 0
		}
		return decimalStep(l, t, 20, int64Mul, int64Wide)
	}
	return conversion{}, false
}

func fromBytes(n *Node, t types.Type) (conversion, bool) {
	switch t.Kind {
	case types.StringKind:
		return conversion{step: bytesView}, n.phys == ByteArrayType && n.logical.kind != logicalDecimal
	case types.BinaryKind:
		return conversion{step: bytesView}, n.logical.kind != logicalDecimal
	case types.DecimalKind:
		if n.logical.kind != logicalDecimal {
			return conversion{}, false
		}
		return decimalStep(n.logical, t, 0, bytesInt64, bytesWide)
	}
	return conversion{}, false
}

// decimalStep reads decimals of the file's precision and scale as t, which must be at least as wide on both sides of the
// point. Integers without annotation count as decimals of intDigits digits.
func decimalStep(l logical, t types.Type, intDigits int, narrow, wide step) (conversion, bool) {
	precision, scale := int(l.precision), int(l.scale)
	if l.kind != logicalDecimal {
		if l.kind != logicalNone && !(l.kind == logicalInteger && l.signed) {
			return conversion{}, false
		}
		precision, scale = intDigits, 0
	}
	up := int(t.Scale) - scale
	if up < 0 || int(t.Precision)-up < precision {
		return conversion{}, false
	}
	c := conversion{step: narrow, mul: 1}
	if columnar.LayoutOf(t) == columnar.Int128x {
		c.step = wide
	}
	if up > 18 {
		return conversion{}, false
	}
	for range up {
		c.mul *= 10
	}
	if c.step == int64Mul && c.mul == 1 {
		c.step = asIs
	}
	return c, true
}

// convertFixed turns n physical values of fixed width in src into dst, whose layout is that of the target type.
func (c conversion) convertFixed(dst, src []byte, n, width int) {
	mul := max(c.mul, 1)
	switch c.step {
	case asIs:
		copy(dst, src[:n*width])
	case int32Int8:
		for i, v := range columnar.Of[int32](src)[:n] {
			dst[i] = byte(v)
		}
	case int32Int16:
		d := columnar.Of[int16](dst)
		for i, v := range columnar.Of[int32](src)[:n] {
			d[i] = int16(v)
		}
	case int32Int64:
		d := columnar.Of[int64](dst)
		for i, v := range columnar.Of[int32](src)[:n] {
			d[i] = int64(v) * mul
		}
	case uint32Int64:
		d := columnar.Of[int64](dst)
		for i, v := range columnar.Of[uint32](src)[:n] {
			d[i] = int64(v)
		}
	case int32Double:
		d := columnar.Of[float64](dst)
		for i, v := range columnar.Of[int32](src)[:n] {
			d[i] = float64(v)
		}
	case floatDouble:
		d := columnar.Of[float64](dst)
		for i, v := range columnar.Of[float32](src)[:n] {
			d[i] = float64(v)
		}
	case int64Mul, int64Div:
		c.scaleInt64(columnar.Of[int64](dst), columnar.Of[int64](src)[:n])
	default:
		c.convertWide(dst, src, n, width)
	}
}

func (c conversion) scaleInt64(dst, src []int64) {
	mul := max(c.mul, 1)
	dst = dst[:len(src)]
	if c.step == int64Mul {
		for i, v := range src {
			dst[i] = v * mul
		}
		return
	}
	for i, v := range src {
		q := v / mul
		if v%mul < 0 {
			q--
		}
		dst[i] = q
	}
}

func (c conversion) convertWide(dst, src []byte, n, width int) {
	mul := max(c.mul, 1)
	wide := columnar.Of[types.Int128](dst)
	switch c.step {
	case int32Wide:
		for i, v := range columnar.Of[int32](src)[:n] {
			wide[i] = mul128(types.I128(int64(v)), mul)
		}
	case int64Wide:
		for i, v := range columnar.Of[int64](src)[:n] {
			wide[i] = mul128(types.I128(v), mul)
		}
	case uint64Wide:
		for i, v := range columnar.Of[uint64](src)[:n] {
			wide[i] = types.Int128{Lo: v}
		}
	case int96Micros:
		d := columnar.Of[int64](dst)
		for i := range n {
			d[i] = fromInt96(src[i*12 : i*12+12])
		}
	case bytesInt64:
		d := columnar.Of[int64](dst)
		for i := range n {
			d[i] = bigEndian(src[i*width:i*width+width]).Int64() * mul
		}
	case bytesWide:
		for i := range n {
			wide[i] = mul128(bigEndian(src[i*width:i*width+width]), mul)
		}
	}
}

// julianEpoch is the Julian day number of 1970-01-01.
const julianEpoch = 2440588

// fromInt96 reads nanoseconds of the day and a Julian day number as microseconds.
func fromInt96(b []byte) int64 {
	nano := int64(binary.LittleEndian.Uint64(b))
	day := int64(binary.LittleEndian.Uint32(b[8:]))
	return (day-julianEpoch)*86400e6 + nano/1000
}

// bigEndian reads a two's complement number; bytes beyond sixteen are sign.
func bigEndian(b []byte) types.Int128 {
	var v types.Int128
	if len(b) == 0 {
		return v
	}
	if b[0] >= 0x80 {
		v = types.I128(-1)
	}
	for _, c := range b {
		v.Hi = v.Hi<<8 | int64(v.Lo>>56)
		v.Lo = v.Lo<<8 | uint64(c)
	}
	return v
}

// mul128 is v*m for m > 0, wrapping around.
func mul128(v types.Int128, m int64) types.Int128 {
	if m == 1 {
		return v
	}
	hi, lo := bits.Mul64(v.Lo, uint64(m))
	return types.Int128{Lo: lo, Hi: v.Hi*m + int64(hi)}
}

// convertStrings turns byte strings into dst: views into buffer 0, or decimals.
func (c conversion) convertStrings(dst []byte, s strings) {
	n := len(s.offs) - 1
	mul := max(c.mul, 1)
	for i := range n {
		from, to := s.offs[i], s.offs[i+1]
		switch c.step {
		case bytesView:
			columnar.Of[columnar.View](dst)[i] = view(s.buf, int(from), int(to-from))
		case bytesInt64:
			columnar.Of[int64](dst)[i] = bigEndian(s.buf[from:to]).Int64() * mul
		case bytesWide:
			columnar.Of[types.Int128](dst)[i] = mul128(bigEndian(s.buf[from:to]), mul)
		}
	}
}
