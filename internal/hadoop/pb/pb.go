// Package pb reads and writes protocol buffer messages (proto2) as plain structs, for the few messages of Hadoop that are
// needed here. The tag of a field is its number, with options after commas:
//
//	Name  string  `pb:"1"`        written unless it is empty
//	ID    int64   `pb:"2,req"`    written also when it is zero
//	Call  int32   `pb:"3,sint"`   zigzag
//	Seq   int64   `pb:"4,fixed"`  eight bytes (four for an int32)
//
// Kinds: bool, string, []byte, int32, int64, uint32, uint64, float32, pointers to structs, and slices of those. Fields that a
// struct does not name are skipped. Messages come from the network: lengths are checked, and nesting is bounded.
package pb

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrMalformed is the error of bytes that are no message of the wanted type.
var ErrMalformed = errors.New("malformed protocol buffer message")

// maxDepth bounds how deep messages nest.
const maxDepth = 32

// Field is one field of a message as its struct declares it.
type Field struct {
	Number   protowire.Number
	Required bool // written also when it is zero
	Encoding string
	index    int
}

var cache sync.Map // reflect.Type -> []Field

// Fields lists the fields of a struct type.
func Fields(t reflect.Type) []Field {
	if f, ok := cache.Load(t); ok {
		return f.([]Field)
	}
	var out []Field
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("pb")
		if !ok {
			continue
		}
		parts := strings.Split(tag, ",")
		n, err := strconv.Atoi(parts[0])
		if err != nil || !protowire.Number(n).IsValid() {
			panic(fmt.Sprintf("pb: field %s of %s has the tag %q", t.Field(i).Name, t, tag))
		}
		f := Field{Number: protowire.Number(n), index: i}
		for _, o := range parts[1:] {
			if o == "req" {
				f.Required = true
			} else {
				f.Encoding = o
			}
		}
		out = append(out, f)
	}
	cache.Store(t, out)
	return out
}

// Index is the position of the field in its struct.
func (f Field) Index() int { return f.index }

// Marshal encodes a message: a pointer to a struct.
func Marshal(m any) []byte { return appendMessage(nil, reflect.ValueOf(m).Elem()) }

// AppendDelimited appends the message with its length before it.
func AppendDelimited(b []byte, m any) []byte { return protowire.AppendBytes(b, Marshal(m)) }

func appendMessage(b []byte, v reflect.Value) []byte {
	for _, f := range Fields(v.Type()) {
		x := v.Field(f.index)
		if x.Kind() == reflect.Slice && x.Type().Elem().Kind() != reflect.Uint8 {
			for i := range x.Len() {
				b = appendField(b, f, x.Index(i))
			}
			continue
		}
		if !x.IsZero() || f.Required && x.Kind() != reflect.Pointer {
			b = appendField(b, f, x)
		}
	}
	return b
}

func appendField(b []byte, f Field, v reflect.Value) []byte {
	varint := func(n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, f.Number, protowire.VarintType), n)
	}
	switch v.Kind() {
	case reflect.Bool:
		return varint(protowire.EncodeBool(v.Bool()))
	case reflect.Int32, reflect.Int64:
		return appendInt(b, f, v)
	case reflect.Uint32, reflect.Uint64:
		return varint(v.Uint())
	case reflect.Float32:
		return protowire.AppendFixed32(protowire.AppendTag(b, f.Number, protowire.Fixed32Type), math.Float32bits(float32(v.Float())))
	case reflect.String:
		return protowire.AppendString(protowire.AppendTag(b, f.Number, protowire.BytesType), v.String())
	case reflect.Slice:
		return protowire.AppendBytes(protowire.AppendTag(b, f.Number, protowire.BytesType), v.Bytes())
	case reflect.Pointer:
		return protowire.AppendBytes(protowire.AppendTag(b, f.Number, protowire.BytesType), appendMessage(nil, v.Elem()))
	}
	panic("pb: no encoding for " + v.Type().String())
}

func appendInt(b []byte, f Field, v reflect.Value) []byte {
	switch {
	case f.Encoding == "sint":
		return protowire.AppendVarint(protowire.AppendTag(b, f.Number, protowire.VarintType), protowire.EncodeZigZag(v.Int()))
	case f.Encoding == "fixed" && v.Kind() == reflect.Int32:
		return protowire.AppendFixed32(protowire.AppendTag(b, f.Number, protowire.Fixed32Type), uint32(v.Int()))
	case f.Encoding == "fixed":
		return protowire.AppendFixed64(protowire.AppendTag(b, f.Number, protowire.Fixed64Type), uint64(v.Int()))
	}
	return protowire.AppendVarint(protowire.AppendTag(b, f.Number, protowire.VarintType), uint64(v.Int()))
}

// Unmarshal decodes a message into a pointer to a struct; byte slices are copied.
func Unmarshal(b []byte, m any) error { return decode(b, reflect.ValueOf(m).Elem(), 0) }

// ConsumeDelimited decodes a message that has its length before it and returns what follows.
func ConsumeDelimited(b []byte, m any) ([]byte, error) {
	body, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return nil, fmt.Errorf("%w: it is cut off", ErrMalformed)
	}
	return b[n:], Unmarshal(body, m)
}

func decode(b []byte, v reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: it nests too deep", ErrMalformed)
	}
	fields := Fields(v.Type())
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: a field without a tag", ErrMalformed)
		}
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if size < 0 {
			return fmt.Errorf("%w: field %d is cut off", ErrMalformed, num)
		}
		for _, f := range fields {
			if f.Number == num {
				if err := decodeField(b[n:n+size], typ, f, v.Field(f.index), depth); err != nil {
					return err
				}
			}
		}
		b = b[n+size:]
	}
	return nil
}

func decodeField(b []byte, typ protowire.Type, f Field, v reflect.Value, depth int) error {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8 {
		if packed, ok := unpack(b, typ, v.Type().Elem().Kind()); ok {
			for _, p := range packed {
				x := reflect.New(v.Type().Elem()).Elem()
				setInt(x, f, p)
				v.Set(reflect.Append(v, x))
			}
			return nil
		}
		x := reflect.New(v.Type().Elem()).Elem()
		if err := decodeValue(b, typ, f, x, depth); err != nil {
			return err
		}
		v.Set(reflect.Append(v, x))
		return nil
	}
	return decodeValue(b, typ, f, v, depth)
}

// unpack gives the numbers of a packed field.
func unpack(b []byte, typ protowire.Type, elem reflect.Kind) ([]uint64, bool) {
	switch elem {
	case reflect.Bool, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
	default:
		return nil, false
	}
	body, n := protowire.ConsumeBytes(b)
	if typ != protowire.BytesType || n < 0 {
		return nil, false
	}
	var out []uint64
	for len(body) > 0 {
		x, n := protowire.ConsumeVarint(body)
		if n < 0 {
			return nil, false
		}
		out, body = append(out, x), body[n:]
	}
	return out, true
}

func decodeValue(b []byte, typ protowire.Type, f Field, v reflect.Value, depth int) error {
	wrong := fmt.Errorf("%w: field %d has wire type %d", ErrMalformed, f.Number, typ)
	switch typ {
	case protowire.VarintType:
		n, _ := protowire.ConsumeVarint(b)
		if !setInt(v, f, n) {
			return wrong
		}
	case protowire.Fixed32Type:
		n, _ := protowire.ConsumeFixed32(b)
		switch {
		case v.Kind() == reflect.Float32:
			v.SetFloat(float64(math.Float32frombits(n)))
		case v.Kind() == reflect.Int32 && f.Encoding == "fixed":
			v.SetInt(int64(int32(n)))
		default:
			return wrong
		}
	case protowire.Fixed64Type:
		n, _ := protowire.ConsumeFixed64(b)
		if v.Kind() != reflect.Int64 || f.Encoding != "fixed" {
			return wrong
		}
		v.SetInt(int64(n))
	case protowire.BytesType:
		body, _ := protowire.ConsumeBytes(b)
		switch v.Kind() {
		case reflect.String:
			v.SetString(string(body))
		case reflect.Slice:
			v.SetBytes(append([]byte{}, body...))
		case reflect.Pointer:
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			return decode(body, v.Elem(), depth+1)
		default:
			return wrong
		}
	default:
		return wrong
	}
	return nil
}

func setInt(v reflect.Value, f Field, n uint64) bool {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(protowire.DecodeBool(n))
	case reflect.Int32, reflect.Int64:
		x := int64(n)
		if f.Encoding == "sint" {
			x = protowire.DecodeZigZag(n)
		}
		if v.Kind() == reflect.Int32 {
			x = int64(int32(x))
		}
		v.SetInt(x)
	case reflect.Uint32:
		v.SetUint(uint64(uint32(n)))
	case reflect.Uint64:
		v.SetUint(n)
	default:
		return false
	}
	return true
}
