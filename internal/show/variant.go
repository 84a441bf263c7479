package show

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// variant is a variant value as JSON text; a damaged one shows as MALFORMED_VARIANT.
func (f *Format) variant(value, metadata []byte) (out string) {
	defer func() { // indexes come from the data
		if recover() != nil {
			out = "MALFORMED_VARIANT"
		}
	}()
	var b strings.Builder
	v := variantText{f, metadata, &b}
	v.value(value, 0)
	return b.String()
}

type variantText struct {
	f    *Format
	meta []byte
	b    *strings.Builder
}

// uint reads a little-endian number of n bytes.
func uintOf(b []byte, n int) int {
	x := 0
	for i := n - 1; i >= 0; i-- {
		x = x<<8 | int(b[i])
	}
	return x
}

// key is entry id of the metadata's dictionary.
func (v variantText) key(id int) string {
	size := int(v.meta[0]>>6) + 1
	n := uintOf(v.meta[1:], size)
	offs := v.meta[1+size:]
	text := offs[(n+1)*size:]
	return string(text[uintOf(offs[id*size:], size):uintOf(offs[(id+1)*size:], size)])
}

const maxVariantDepth = 1000

func (v variantText) value(b []byte, depth int) {
	if depth > maxVariantDepth {
		panic("too deep")
	}
	head := int(b[0] >> 2)
	switch b[0] & 3 {
	case 0:
		v.primitive(head, b[1:])
	case 1:
		v.quoted(string(b[1 : 1+head]))
	case 2:
		v.object(head, b[1:], depth)
	case 3:
		v.array(head, b[1:], depth)
	}
}

func (v variantText) object(head int, b []byte, depth int) {
	offSize, idSize, countSize := head&3+1, head>>2&3+1, 1
	if head>>4&1 != 0 {
		countSize = 4
	}
	n := uintOf(b, countSize)
	ids := b[countSize:]
	offs := ids[n*idSize:]
	data := offs[(n+1)*offSize:]
	v.b.WriteByte('{')
	for i := range n {
		if i > 0 {
			v.b.WriteByte(',')
		}
		v.quoted(v.key(uintOf(ids[i*idSize:], idSize)))
		v.b.WriteByte(':')
		v.value(data[uintOf(offs[i*offSize:], offSize):], depth+1)
	}
	v.b.WriteByte('}')
}

func (v variantText) array(head int, b []byte, depth int) {
	offSize, countSize := head&3+1, 1
	if head>>2&1 != 0 {
		countSize = 4
	}
	n := uintOf(b, countSize)
	offs := b[countSize:]
	data := offs[(n+1)*offSize:]
	v.b.WriteByte('[')
	for i := range n {
		if i > 0 {
			v.b.WriteByte(',')
		}
		v.value(data[uintOf(offs[i*offSize:], offSize):], depth+1)
	}
	v.b.WriteByte(']')
}

func (v variantText) primitive(kind int, b []byte) {
	le := binary.LittleEndian
	switch kind {
	case 0:
		v.b.WriteString("null")
	case 1:
		v.b.WriteString("true")
	case 2:
		v.b.WriteString("false")
	case 3:
		v.int(int64(int8(b[0])))
	case 4:
		v.int(int64(int16(le.Uint16(b))))
	case 5:
		v.int(int64(int32(le.Uint32(b))))
	case 6:
		v.int(int64(le.Uint64(b)))
	case 7:
		v.b.WriteString(types.FormatFloat(math.Float64frombits(le.Uint64(b)), 64))
	case 8:
		v.decimal(types.I128(int64(int32(le.Uint32(b[1:])))), b[0])
	case 9:
		v.decimal(types.I128(int64(le.Uint64(b[1:]))), b[0])
	case 10:
		v.decimal(types.Int128{Lo: le.Uint64(b[1:]), Hi: int64(le.Uint64(b[9:]))}, b[0])
	case 14:
		v.b.WriteString(types.FormatFloat(float64(math.Float32frombits(le.Uint32(b))), 32))
	case 15:
		v.quoted(base64.StdEncoding.EncodeToString(b[4 : 4+le.Uint32(b)]))
	case 16:
		v.quoted(string(b[4 : 4+le.Uint32(b)]))
	default:
		v.time(kind, b)
	}
}

func (v variantText) time(kind int, b []byte) {
	le := binary.LittleEndian
	switch kind {
	case 11:
		v.quoted(types.FormatDate(int32(le.Uint32(b))))
	case 12:
		us := int64(le.Uint64(b))
		off := v.f.offset(us)
		v.quoted(types.FormatTimestampNTZ(us+off) + zoneText(off/1e6))
	case 13:
		v.quoted(types.FormatTimestampNTZ(int64(le.Uint64(b))))
	default:
		panic("unknown kind")
	}
}

func zoneText(sec int64) string {
	sign := "+"
	if sec < 0 {
		sign, sec = "-", -sec
	}
	return sign + string([]byte{byte('0' + sec/36000), byte('0' + sec/3600%10), ':', byte('0' + sec%3600/600), byte('0' + sec/60%10)})
}

func (v variantText) int(x int64) { v.b.WriteString(strconv.FormatInt(x, 10)) }

// decimal prints without trailing zeros of the fraction.
func (v variantText) decimal(x types.Int128, scale byte) {
	s := types.FormatDecimal(x, int(scale))
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	v.b.WriteString(s)
}

func (v variantText) quoted(s string) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		panic("no text")
	}
	v.b.WriteString(strings.TrimSuffix(b.String(), "\n"))
}
