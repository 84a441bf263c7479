package variant

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"github.com/firesteel/firesteel/internal/kernel/jsonval"
	"github.com/firesteel/firesteel/internal/types"
)

// Value is a variant, or a part of one. A malformed one panics when it is read beyond its bytes: Check finds that out.
type Value struct{ Data, Meta []byte }

// Kind says whether a value is an object, an array or neither.
type Kind uint8

// The kinds.
const (
	Scalar Kind = iota
	Object
	Array
)

func (v Value) basic() byte  { return v.Data[0] & 3 }
func (v Value) header() byte { return v.Data[0] >> 2 }

// Kind of the value.
func (v Value) Kind() Kind {
	switch v.basic() {
	case object:
		return Object
	case array:
		return Array
	}
	return Scalar
}

// IsNull says whether the value is JSON's null.
func (v Value) IsNull() bool { return v.Data[0] == header(nullValue) }

func readInt(b []byte, w int) int {
	n := 0
	for i := w - 1; i >= 0; i-- {
		n = n<<8 | int(b[i])
	}
	return n
}

// layout of a container: number of parts, where ids, offsets and values start, and the widths.
type layout struct {
	n, ids, offs, values int
	idWidth, offWidth    int
}

func (v Value) layout() (l layout) {
	h := v.header()
	l.offWidth = int(h&3) + 1
	large := h>>2&1 != 0
	if v.basic() == object {
		l.idWidth = int(h>>2&3) + 1
		large = h>>4&1 != 0
	}
	count := 1
	if large {
		count = 4
	}
	l.n = readInt(v.Data[1:], count)
	l.ids = 1 + count
	l.offs = l.ids + l.n*l.idWidth
	l.values = l.offs + (l.n+1)*l.offWidth
	return l
}

// Len is the number of fields or elements.
func (v Value) Len() int { return v.layout().n }

func (v Value) at(l *layout, i int) Value {
	off := readInt(v.Data[l.offs+i*l.offWidth:], l.offWidth)
	return Value{v.Data[l.values+off:], v.Meta}
}

// Elem is element i of an array.
func (v Value) Elem(i int) Value {
	l := v.layout()
	return v.at(&l, i)
}

// Field is field i of an object, by the order of names.
func (v Value) Field(i int) (string, Value) {
	l := v.layout()
	return v.key(readInt(v.Data[l.ids+i*l.idWidth:], l.idWidth)), v.at(&l, i)
}

func (v Value) key(id int) string {
	w := int(v.Meta[0]>>6) + 1
	n := readInt(v.Meta[1:], w)
	start := 1 + (n+2)*w
	from := readInt(v.Meta[1+(id+1)*w:], w)
	to := readInt(v.Meta[1+(id+2)*w:], w)
	return string(v.Meta[start+from : start+to])
}

// Get is a field by name.
func (v Value) Get(name string) (Value, bool) {
	for i, n := 0, v.Len(); i < n; i++ {
		if k, x := v.Field(i); k == name {
			return x, true
		}
	}
	return Value{}, false
}

// size is the number of bytes of the value.
func (v Value) size() int {
	switch v.basic() {
	case shortText:
		return 1 + int(v.header())
	case object, array:
		l := v.layout()
		return l.values + readInt(v.Data[l.offs+l.n*l.offWidth:], l.offWidth)
	}
	switch v.header() {
	case nullValue, trueValue, falseValue:
		return 1
	case int8Value:
		return 2
	case int16Value:
		return 3
	case int32Value, dateValue, floatValue:
		return 5
	case decimal4:
		return 6
	case decimal8:
		return 10
	case decimal16:
		return 18
	case binaryValue, textValue:
		return 5 + int(binary.LittleEndian.Uint32(v.Data[1:]))
	}
	return 9
}

// Bytes is the value alone, without what follows it.
func (v Value) Bytes() []byte { return v.Data[:v.size()] }

// Check says whether the whole value can be read.
func (v Value) Check() (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if len(v.Data) == 0 || len(v.Meta) == 0 || v.Meta[0]&15 != 1 {
		return false
	}
	v.AppendJSON(nil, time.UTC)
	return v.size() <= len(v.Data)
}

// Scalar is the value as Go holds it, with its type; VOID for null.
func (v Value) Scalar() (any, types.Type) {
	b := v.Data[1:]
	if v.basic() == shortText {
		return string(b[:v.header()]), types.String
	}
	le := binary.LittleEndian
	switch v.header() {
	case trueValue, falseValue:
		return v.header() == trueValue, types.Boolean
	case int8Value:
		return int64(int8(b[0])), types.Long
	case int16Value:
		return int64(int16(le.Uint16(b))), types.Long
	case int32Value:
		return int64(int32(le.Uint32(b))), types.Long
	case int64Value:
		return int64(le.Uint64(b)), types.Long
	case doubleValue:
		return math.Float64frombits(le.Uint64(b)), types.Double
	case floatValue:
		return math.Float32frombits(le.Uint32(b)), types.Float
	case decimal4:
		return decimal(types.I128(int64(int32(le.Uint32(b[1:])))), int(b[0]))
	case decimal8:
		return decimal(types.I128(int64(le.Uint64(b[1:]))), int(b[0]))
	case decimal16:
		return decimal(types.Int128{Lo: le.Uint64(b[1:]), Hi: int64(le.Uint64(b[9:]))}, int(b[0]))
	case dateValue:
		return int32(le.Uint32(b)), types.Date
	case timestampValue:
		return int64(le.Uint64(b)), types.Timestamp
	case ntzValue:
		return int64(le.Uint64(b)), types.TimestampNTZ
	case binaryValue:
		return b[4 : 4+le.Uint32(b)], types.Binary
	case textValue:
		return string(b[4 : 4+le.Uint32(b)]), types.String
	}
	return nil, types.Null
}

// decimal drops zeros at the end of the fraction.
func decimal(v types.Int128, scale int) (any, types.Type) {
	for scale > 0 {
		q, r := v.QuoRem(types.I128(10))
		if r != (types.Int128{}) {
			break
		}
		v, scale = q, scale-1
	}
	return v, types.Decimal(max(v.Digits(), scale, 1), scale)
}

// AppendJSON adds the value as JSON; zone is the session's.
func (v Value) AppendJSON(dst []byte, zone *time.Location) []byte {
	switch v.Kind() {
	case Object:
		dst = append(dst, '{')
		for i, n := 0, v.Len(); i < n; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			k, x := v.Field(i)
			dst = x.AppendJSON(append(jsonval.AppendQuoted(dst, k), ':'), zone)
		}
		return append(dst, '}')
	case Array:
		dst = append(dst, '[')
		for i, n := 0, v.Len(); i < n; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.Elem(i).AppendJSON(dst, zone)
		}
		return append(dst, ']')
	}
	x, t := v.Scalar()
	switch t.Kind {
	case types.StringKind:
		return jsonval.AppendQuoted(dst, x.(string))
	case types.BinaryKind:
		return jsonval.AppendQuoted(dst, base64.StdEncoding.EncodeToString(x.([]byte)))
	case types.DateKind, types.TimestampKind, types.TimestampNTZKind:
		return jsonval.AppendQuoted(dst, string(types.AppendValue(nil, x, t, zone)))
	case types.DoubleKind, types.FloatKind:
		s := string(types.AppendValue(nil, x, t, nil))
		if s[len(s)-1] > '9' {
			return jsonval.AppendQuoted(dst, s)
		}
		return append(dst, s...)
	}
	return types.AppendValue(dst, x, t, nil)
}
