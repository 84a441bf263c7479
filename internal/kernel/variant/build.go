// Package variant reads and writes the binary form of VARIANT: a value and the metadata that holds its field names.
package variant

import (
	"encoding/binary"
	"errors"
	"math"
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/kernel/jsonval"
	"github.com/firesteel/firesteel/internal/types"
)

// Basic types of a value.
const (
	primitive byte = iota
	shortText
	object
	array
)

// Primitive types.
const (
	nullValue byte = iota
	trueValue
	falseValue
	int8Value
	int16Value
	int32Value
	int64Value
	doubleValue
	decimal4
	decimal8
	decimal16
	dateValue
	timestampValue
	ntzValue
	floatValue
	binaryValue
	textValue
)

// ErrDuplicate is an object with a field twice; the key follows the text.
type ErrDuplicate struct{ Key string }

func (e *ErrDuplicate) Error() string { return "duplicate object key " + e.Key }

// ErrUnsupported is a value that has no variant form.
var ErrUnsupported = errors.New("no variant form")

// Builder writes one variant.
type Builder struct {
	ids  map[string]int
	keys []string
}

// NewBuilder makes an empty builder.
func NewBuilder() *Builder { return &Builder{ids: map[string]int{}} }

func (b *Builder) id(key string) int {
	if i, ok := b.ids[key]; ok {
		return i
	}
	b.ids[key] = len(b.keys)
	b.keys = append(b.keys, key)
	return len(b.keys) - 1
}

// Metadata is the dictionary of the field names used so far.
func (b *Builder) Metadata() []byte {
	total := 0
	for _, k := range b.keys {
		total += len(k)
	}
	w := width(max(total, len(b.keys)))
	out := append([]byte{}, 1|byte(w-1)<<6)
	out = appendInt(out, len(b.keys), w)
	at := 0
	for _, k := range b.keys {
		out = appendInt(out, at, w)
		at += len(k)
	}
	out = appendInt(out, at, w)
	for _, k := range b.keys {
		out = append(out, k...)
	}
	return out
}

func width(n int) int {
	switch {
	case n < 1<<8:
		return 1
	case n < 1<<16:
		return 2
	case n < 1<<24:
		return 3
	}
	return 4
}

func appendInt(dst []byte, v, w int) []byte {
	for range w {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}

func header(prim byte) byte { return prim << 2 }

func appendNumber(dst []byte, v int64) []byte {
	switch {
	case v == int64(int8(v)):
		return append(dst, header(int8Value), byte(v))
	case v == int64(int16(v)):
		return binary.LittleEndian.AppendUint16(append(dst, header(int16Value)), uint16(v))
	case v == int64(int32(v)):
		return binary.LittleEndian.AppendUint32(append(dst, header(int32Value)), uint32(v))
	}
	return binary.LittleEndian.AppendUint64(append(dst, header(int64Value)), uint64(v))
}

func appendDecimal(dst []byte, v types.Int128, scale int) []byte {
	switch {
	case scale <= 9 && v.FitsPrecision(9):
		return binary.LittleEndian.AppendUint32(append(dst, header(decimal4), byte(scale)), uint32(v.Int64()))
	case scale <= 18 && v.FitsPrecision(18):
		return binary.LittleEndian.AppendUint64(append(dst, header(decimal8), byte(scale)), uint64(v.Int64()))
	}
	dst = append(dst, header(decimal16), byte(scale))
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, v.Lo), uint64(v.Hi))
}

func appendText(dst []byte, s string) []byte {
	if len(s) < 64 {
		return append(append(dst, shortText|byte(len(s))<<2), s...)
	}
	return append(binary.LittleEndian.AppendUint32(append(dst, header(textValue)), uint32(len(s))), s...)
}

// AppendJSON adds a JSON value.
func (b *Builder) AppendJSON(dst []byte, d *jsonval.Doc, v int32) ([]byte, error) {
	switch d.Kind(v) {
	case jsonval.Null:
		return append(dst, header(nullValue)), nil
	case jsonval.True:
		return append(dst, header(trueValue)), nil
	case jsonval.False:
		return append(dst, header(falseValue)), nil
	case jsonval.Text:
		return appendText(dst, string(d.AppendText(nil, v))), nil
	case jsonval.Array:
		var items [][]byte
		for k := d.First(v); k >= 0; k = d.Next(k) {
			item, err := b.AppendJSON(nil, d, k)
			if err != nil {
				return dst, err
			}
			items = append(items, item)
		}
		return appendArray(dst, items), nil
	case jsonval.Object:
		var fields []field
		for k := d.First(v); k >= 0; k = d.Next(k) {
			key := strings.Clone(d.Key(k))
			id := b.id(key)
			item, err := b.AppendJSON(nil, d, k)
			if err != nil {
				return dst, err
			}
			fields = append(fields, field{key, id, item})
		}
		return appendObject(dst, fields)
	}
	return appendJSONNumber(dst, d.Raw(v)), nil
}

func appendJSONNumber(dst []byte, s string) []byte {
	if v, ok := types.ParseLong(s, math.MinInt64, math.MaxInt64, false); ok {
		return appendNumber(dst, v)
	}
	if !strings.ContainsAny(s, "eE") {
		if v, scale, ok := types.ParseDecimal(s); ok && scale <= types.MaxPrecision && v.FitsPrecision(types.MaxPrecision) {
			return appendDecimal(dst, v, scale)
		}
	}
	f, _ := types.ParseFloat(s, 64)
	return binary.LittleEndian.AppendUint64(append(dst, header(doubleValue)), math.Float64bits(f))
}

type field struct {
	key  string
	id   int
	data []byte
}

func appendObject(dst []byte, fields []field) ([]byte, error) {
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].key < fields[j].key })
	size, top := 0, 0
	for i, f := range fields {
		if i > 0 && fields[i-1].key == f.key {
			return dst, &ErrDuplicate{f.key}
		}
		size += len(f.data)
		top = max(top, f.id)
	}
	idWidth, offWidth := width(top), width(size)
	large := len(fields) > 255
	h := byte(offWidth-1) | byte(idWidth-1)<<2
	if large {
		h |= 1 << 4
	}
	dst = append(dst, object|h<<2)
	dst = appendCount(dst, len(fields), large)
	for _, f := range fields {
		dst = appendInt(dst, f.id, idWidth)
	}
	at := 0
	for _, f := range fields {
		dst = appendInt(dst, at, offWidth)
		at += len(f.data)
	}
	dst = appendInt(dst, at, offWidth)
	for _, f := range fields {
		dst = append(dst, f.data...)
	}
	return dst, nil
}

func appendCount(dst []byte, n int, large bool) []byte {
	if large {
		return appendInt(dst, n, 4)
	}
	return append(dst, byte(n))
}

func appendArray(dst []byte, items [][]byte) []byte {
	size := 0
	for _, x := range items {
		size += len(x)
	}
	offWidth, large := width(size), len(items) > 255
	h := byte(offWidth - 1)
	if large {
		h |= 1 << 2
	}
	dst = append(dst, array|h<<2)
	dst = appendCount(dst, len(items), large)
	at := 0
	for _, x := range items {
		dst = appendInt(dst, at, offWidth)
		at += len(x)
	}
	dst = appendInt(dst, at, offWidth)
	for _, x := range items {
		dst = append(dst, x...)
	}
	return dst
}

// AppendValue adds a value of a type (as types/value.go holds it).
func (b *Builder) AppendValue(dst []byte, t types.Type, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(dst, header(nullValue)), nil
	case bool:
		if x {
			return append(dst, header(trueValue)), nil
		}
		return append(dst, header(falseValue)), nil
	case int8:
		return appendNumber(dst, int64(x)), nil
	case int16:
		return appendNumber(dst, int64(x)), nil
	case float32:
		return binary.LittleEndian.AppendUint32(append(dst, header(floatValue)), math.Float32bits(x)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, header(doubleValue)), math.Float64bits(x)), nil
	case types.Int128:
		return appendDecimal(dst, x, int(t.Scale)), nil
	case string:
		return appendText(dst, x), nil
	case []byte:
		return append(binary.LittleEndian.AppendUint32(append(dst, header(binaryValue)), uint32(len(x))), x...), nil
	case int32:
		switch t.Kind {
		case types.IntKind:
			return appendNumber(dst, int64(x)), nil
		case types.DateKind:
			return binary.LittleEndian.AppendUint32(append(dst, header(dateValue)), uint32(x)), nil
		}
		return dst, ErrUnsupported
	case int64:
		switch t.Kind {
		case types.LongKind:
			return appendNumber(dst, x), nil
		case types.TimestampKind:
			return binary.LittleEndian.AppendUint64(append(dst, header(timestampValue)), uint64(x)), nil
		case types.TimestampNTZKind:
			return binary.LittleEndian.AppendUint64(append(dst, header(ntzValue)), uint64(x)), nil
		}
		return dst, ErrUnsupported
	}
	return b.appendNested(dst, t, v)
}

func (b *Builder) appendNested(dst []byte, t types.Type, v any) ([]byte, error) {
	var err error
	switch x := v.(type) {
	case types.MapValue:
		fields := make([]field, len(x.Keys))
		for i, k := range x.Keys {
			key, ok := k.(string)
			if !ok {
				return dst, ErrUnsupported
			}
			fields[i] = field{key: key, id: b.id(key)}
			if fields[i].data, err = b.AppendValue(nil, t.Elem(), x.Values[i]); err != nil {
				return dst, err
			}
		}
		return appendObject(dst, fields)
	case []any:
		switch t.Kind {
		case types.VariantKind:
			return b.appendCopy(dst, Value{Data: x[0].([]byte), Meta: x[1].([]byte)})
		case types.StructKind:
			fields := make([]field, len(x))
			for i, f := range t.Fields() {
				fields[i] = field{key: f.Name, id: b.id(f.Name)}
				if fields[i].data, err = b.AppendValue(nil, f.Type, x[i]); err != nil {
					return dst, err
				}
			}
			return appendObject(dst, fields)
		}
		items := make([][]byte, len(x))
		for i, e := range x {
			if items[i], err = b.AppendValue(nil, t.Elem(), e); err != nil {
				return dst, err
			}
		}
		return appendArray(dst, items), nil
	}
	return dst, ErrUnsupported
}

// appendCopy adds a variant with its field names in this builder's dictionary.
func (b *Builder) appendCopy(dst []byte, v Value) ([]byte, error) {
	var err error
	switch v.Kind() {
	case Object:
		fields := make([]field, v.Len())
		for i := range fields {
			key, x := v.Field(i)
			fields[i] = field{key: key, id: b.id(key)}
			if fields[i].data, err = b.appendCopy(nil, x); err != nil {
				return dst, err
			}
		}
		return appendObject(dst, fields)
	case Array:
		items := make([][]byte, v.Len())
		for i := range items {
			if items[i], err = b.appendCopy(nil, v.Elem(i)); err != nil {
				return dst, err
			}
		}
		return appendArray(dst, items), nil
	}
	return append(dst, v.Data[:v.size()]...), nil
}
