package rdd

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// Codec writes and reads values of T.
type Codec[T any] struct{ c *coder }

// CodecOf is the codec of a type. Channels, functions and unsafe pointers cannot be encoded.
func CodecOf[T any]() (Codec[T], error) {
	c, err := coderOf(reflect.TypeFor[T](), false)
	return Codec[T]{c}, err
}

// Append appends the encoding of a value.
func (c Codec[T]) Append(b []byte, v *T) ([]byte, error) {
	w := writer{b: b}
	c.c.write(&w, unsafe.Pointer(v))
	return w.b, w.err
}

// Read reads a value and returns what follows it.
func (c Codec[T]) Read(b []byte, v *T) ([]byte, error) {
	r := reader{b: b}
	c.c.read(&r, unsafe.Pointer(v))
	return r.b, r.err
}

// Weigh is about how many bytes a value takes in memory.
func (c Codec[T]) Weigh(v *T) int64 { return c.c.weigh(unsafe.Pointer(v)) }

// Fixed says that all values weigh the same.
func (c Codec[T]) Fixed() bool { return c.c.fixed }

// Hash is a hash that is the same in every process. Keys says whether a type has one.
func (c Codec[T]) Hash(v *T) uint64 { return c.c.hash(unsafe.Pointer(v)) }

// Keys is an error for types whose values have no identity beyond this process: pointers, channels, functions.
func (c Codec[T]) Keys() error {
	if c.c.hash == nil {
		return fmt.Errorf("%s cannot be a key: it is or has a pointer, whose identity ends with the process", c.c.t)
	}
	return nil
}

// ErrDamaged is the error of bytes that are no encoding of a value.
var ErrDamaged = errors.New("damaged record")

type writer struct {
	b     []byte
	depth int
	err   error
}

type reader struct {
	b     []byte
	depth int
	err   error
}

func (r *reader) fail() { r.failWith(ErrDamaged) }

func (r *reader) failWith(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) uvarint() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reader) varint() int64 {
	n, k := binary.Varint(r.b)
	if k <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// length reads the number of elements, each of which takes least bytes at the least.
func (r *reader) length(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.b))/uint64(max(least, 1)) && least > 0 || n > math.MaxInt32 {
		r.fail()
		return 0
	}
	return int(n)
}

// coder are the functions for one type; p points to a value of it.
type coder struct {
	t     reflect.Type
	write func(w *writer, p unsafe.Pointer)
	read  func(r *reader, p unsafe.Pointer)
	weigh func(p unsafe.Pointer) int64
	hash  func(p unsafe.Pointer) uint64 // nil: no key
	fixed bool                          // weighs its size
	least int                           // bytes of the shortest encoding
}

type coderKey struct {
	t   reflect.Type
	ops bool
}

var coders sync.Map // coderKey → *coder

// coderOf makes the coder of a type; ops allows functions, as fields of operators.
func coderOf(t reflect.Type, ops bool) (*coder, error) {
	if c, ok := coders.Load(coderKey{t, ops}); ok {
		return c.(*coder), nil
	}
	b := &coderBuilder{ops: ops, made: map[reflect.Type]*coder{}}
	c, err := b.make(t)
	if err != nil {
		return nil, fmt.Errorf("values of type %s cannot be encoded: %w", t, err)
	}
	got, _ := coders.LoadOrStore(coderKey{t, ops}, c)
	return got.(*coder), nil
}

// coderBuilder makes coders; those being made are known, so that a type may contain pointers to itself.
type coderBuilder struct {
	ops  bool
	made map[reflect.Type]*coder
}

var (
	marshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

func (b *coderBuilder) make(t reflect.Type) (*coder, error) {
	if c := b.made[t]; c != nil {
		return c, nil
	}
	c := &coder{t: t, least: 1}
	b.made[t] = c
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(unmarshalerType) &&
		reflect.PointerTo(t).Implements(marshalerType) {
		c.marshaled()
		return c, nil
	}
	return c, b.fill(c)
}

func (b *coderBuilder) fill(c *coder) error {
	switch c.t.Kind() {
	case reflect.Bool:
		number(c, func(w *writer, v bool) { w.b = append(w.b, byte(bit(v))) }, func(r *reader) bool { x := r.bytes(1); return len(x) == 1 && x[0] == 1 }, bit)
	case reflect.Int:
		signed[int](c)
	case reflect.Int8:
		signed[int8](c)
	case reflect.Int16:
		signed[int16](c)
	case reflect.Int32:
		signed[int32](c)
	case reflect.Int64:
		signed[int64](c)
	case reflect.Uint:
		unsigned[uint](c)
	case reflect.Uint8:
		number(c, func(w *writer, v byte) { w.b = append(w.b, v) }, func(r *reader) byte { return one(r) }, func(v byte) uint64 { return uint64(v) })
	case reflect.Uint16:
		unsigned[uint16](c)
	case reflect.Uint32:
		unsigned[uint32](c)
	case reflect.Uint64:
		unsigned[uint64](c)
	case reflect.Uintptr:
		unsigned[uintptr](c)
	case reflect.Float32:
		number(c, func(w *writer, v float32) { w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(v)) },
			func(r *reader) float32 { return math.Float32frombits(uint32(word(r, 4))) }, func(v float32) uint64 { return floatBits(float64(v)) })
		c.least = 4
	case reflect.Float64:
		number(c, func(w *writer, v float64) { w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v)) },
			func(r *reader) float64 { return math.Float64frombits(word(r, 8)) }, floatBits)
		c.least = 8
	case reflect.Complex64:
		number(c, func(w *writer, v complex64) {
			w.b = binary.LittleEndian.AppendUint64(w.b, uint64(math.Float32bits(real(v)))<<32|uint64(math.Float32bits(imag(v))))
		},
			func(r *reader) complex64 {
				x := word(r, 8)
				return complex(math.Float32frombits(uint32(x>>32)), math.Float32frombits(uint32(x)))
			}, func(v complex64) uint64 { return mix(floatBits(float64(real(v)))) ^ floatBits(float64(imag(v))) })
		c.least = 8
	case reflect.String:
		c.text()
	default:
		return b.composite(c)
	}
	return nil
}

func (b *coderBuilder) composite(c *coder) error {
	switch c.t.Kind() {
	case reflect.Struct:
		return b.record(c)
	case reflect.Slice:
		return b.slice(c)
	case reflect.Array:
		return b.array(c)
	case reflect.Map:
		return b.mapping(c)
	case reflect.Pointer:
		return b.pointer(c)
	case reflect.Interface:
		b.dynamic(c)
		return nil
	case reflect.Func:
		if b.ops {
			c.function()
			return nil
		}
	}
	return fmt.Errorf("it is or has a %s", c.t.Kind())
}

func bit(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// floatBits: 0 and -0 are equal, and so must their hashes be.
func floatBits(v float64) uint64 {
	if v == 0 {
		return 0
	}
	return math.Float64bits(v)
}

func one(r *reader) byte {
	if x := r.bytes(1); len(x) == 1 {
		return x[0]
	}
	return 0
}

func word(r *reader, n uint64) (v uint64) {
	for i, x := range r.bytes(n) {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// mix spreads the bits of a number over a word.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func number[T any](c *coder, write func(*writer, T), read func(*reader) T, bits func(T) uint64) {
	size := int64(c.t.Size())
	c.fixed = true
	c.write = func(w *writer, p unsafe.Pointer) { write(w, *(*T)(p)) }
	c.read = func(r *reader, p unsafe.Pointer) { *(*T)(p) = read(r) }
	c.weigh = func(unsafe.Pointer) int64 { return size }
	c.hash = func(p unsafe.Pointer) uint64 { return mix(bits(*(*T)(p))) }
}

func signed[T int | int8 | int16 | int32 | int64](c *coder) {
	number(c, func(w *writer, v T) { w.b = binary.AppendVarint(w.b, int64(v)) }, func(r *reader) T { return T(r.varint()) }, func(v T) uint64 { return uint64(v) })
}

func unsigned[T uint | uint16 | uint32 | uint64 | uintptr](c *coder) {
	number(c, func(w *writer, v T) { w.b = binary.AppendUvarint(w.b, uint64(v)) }, func(r *reader) T { return T(r.uvarint()) }, func(v T) uint64 { return uint64(v) })
}

func (c *coder) text() {
	c.write = func(w *writer, p unsafe.Pointer) {
		s := *(*string)(p)
		w.b = append(binary.AppendUvarint(w.b, uint64(len(s))), s...)
	}
	c.read = func(r *reader, p unsafe.Pointer) { *(*string)(p) = string(r.bytes(r.uvarint())) }
	c.weigh = func(p unsafe.Pointer) int64 { return 16 + int64(len(*(*string)(p))) }
	c.hash = func(p unsafe.Pointer) uint64 { return xxh3.HashString(*(*string)(p)) }
}

// marshaled types encode themselves.
func (c *coder) marshaled() {
	size := int64(c.t.Size())
	marshal := func(p unsafe.Pointer) ([]byte, error) {
		return reflect.NewAt(c.t, p).Interface().(encoding.BinaryMarshaler).MarshalBinary()
	}
	c.write = func(w *writer, p unsafe.Pointer) {
		b, err := marshal(p)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.b = append(binary.AppendUvarint(w.b, uint64(len(b))), b...)
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		b := r.bytes(r.uvarint())
		if r.err != nil {
			return
		}
		if err := reflect.NewAt(c.t, p).Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(b); err != nil {
			r.failWith(fmt.Errorf("%w: %w", ErrDamaged, err))
		}
	}
	c.weigh = func(unsafe.Pointer) int64 { return size + 16 }
	if c.t.Comparable() {
		c.hash = func(p unsafe.Pointer) uint64 {
			b, _ := marshal(p) // a key that cannot be encoded fails when it is written
			return xxh3.Hash(b)
		}
	}
}

// fieldCoder is a field of a struct.
type fieldCoder struct {
	off uintptr
	c   *coder
}

// record encodes all fields, also those that are not exported: both sides are the same program.
func (b *coderBuilder) record(c *coder) error {
	var fields []fieldCoder
	c.fixed, c.least = true, 0
	keys := true
	for i := range c.t.NumField() {
		f := c.t.Field(i)
		if f.Name == "_" || f.Tag.Get("rdd") == "-" {
			continue
		}
		fc, err := b.make(f.Type)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		fields = append(fields, fieldCoder{f.Offset, fc})
		c.fixed = c.fixed && fc.fixed
		c.least += fc.least
		keys = keys && fc.hash != nil
	}
	size := int64(c.t.Size())
	c.write = func(w *writer, p unsafe.Pointer) {
		for i := range fields {
			fields[i].c.write(w, unsafe.Add(p, fields[i].off))
		}
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		for i := range fields {
			fields[i].c.read(r, unsafe.Add(p, fields[i].off))
		}
	}
	c.weigh = func(p unsafe.Pointer) int64 {
		n := size
		for i := range fields {
			if f := &fields[i]; !f.c.fixed {
				n += f.c.weigh(unsafe.Add(p, f.off)) - int64(f.c.t.Size())
			}
		}
		return n
	}
	if keys {
		c.hash = func(p unsafe.Pointer) uint64 {
			h := uint64(0)
			for i := range fields {
				h = mix(h*31 + fields[i].c.hash(unsafe.Add(p, fields[i].off)))
			}
			return h
		}
	}
	return nil
}

type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

// slice: a nil slice stays nil. Elements that take no bytes are counted, not read.
func (b *coderBuilder) slice(c *coder) error {
	elem, err := b.make(c.t.Elem())
	if err != nil {
		return err
	}
	if c.t.Elem().Kind() == reflect.Uint8 {
		c.blob()
		return nil
	}
	t, size := c.t, c.t.Elem().Size()
	c.write = func(w *writer, p unsafe.Pointer) {
		h := (*sliceHeader)(p)
		if h.data == nil {
			w.b = append(w.b, 0)
			return
		}
		w.b = binary.AppendUvarint(w.b, uint64(h.len)+1)
		for i := range h.len {
			elem.write(w, unsafe.Add(h.data, uintptr(i)*size))
		}
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		n := r.uvarint()
		if n == 0 {
			*(*sliceHeader)(p) = sliceHeader{}
			return
		}
		if n--; elem.least > 0 && n > uint64(len(r.b))/uint64(elem.least) || n > math.MaxInt32 {
			r.fail()
			return
		}
		v := reflect.NewAt(t, p).Elem()
		v.Set(reflect.MakeSlice(t, int(n), int(n)))
		data := v.UnsafePointer()
		for i := range n {
			elem.read(r, unsafe.Add(data, uintptr(i)*size))
		}
	}
	c.weigh = func(p unsafe.Pointer) int64 {
		h := (*sliceHeader)(p)
		n := 24 + int64(h.cap)*int64(size)
		if elem.fixed {
			return n
		}
		for i := range h.len {
			n += elem.weigh(unsafe.Add(h.data, uintptr(i)*size)) - int64(size)
		}
		return n
	}
	return nil
}

func (c *coder) blob() {
	c.write = func(w *writer, p unsafe.Pointer) {
		s := *(*[]byte)(p)
		if s == nil {
			w.b = append(w.b, 0)
			return
		}
		w.b = append(binary.AppendUvarint(w.b, uint64(len(s))+1), s...)
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		n := r.uvarint()
		if n == 0 {
			*(*[]byte)(p) = nil
			return
		}
		*(*[]byte)(p) = append([]byte{}, r.bytes(n-1)...)
	}
	c.weigh = func(p unsafe.Pointer) int64 { return 24 + int64(len(*(*[]byte)(p))) }
}

func (b *coderBuilder) array(c *coder) error {
	elem, err := b.make(c.t.Elem())
	if err != nil {
		return err
	}
	n, size := c.t.Len(), c.t.Elem().Size()
	c.fixed, c.least = elem.fixed, n*elem.least
	c.write = func(w *writer, p unsafe.Pointer) {
		for i := range n {
			elem.write(w, unsafe.Add(p, uintptr(i)*size))
		}
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		for i := range n {
			elem.read(r, unsafe.Add(p, uintptr(i)*size))
		}
	}
	c.weigh = func(p unsafe.Pointer) (sum int64) {
		for i := range n {
			sum += elem.weigh(unsafe.Add(p, uintptr(i)*size))
		}
		return sum
	}
	if elem.hash != nil {
		c.hash = func(p unsafe.Pointer) uint64 {
			h := uint64(0)
			for i := range n {
				h = mix(h*31 + elem.hash(unsafe.Add(p, uintptr(i)*size)))
			}
			return h
		}
	}
	return nil
}

func (b *coderBuilder) mapping(c *coder) error {
	key, err := b.make(c.t.Key())
	if err != nil {
		return err
	}
	value, err := b.make(c.t.Elem())
	if err != nil {
		return err
	}
	t := c.t
	c.write = func(w *writer, p unsafe.Pointer) {
		m := reflect.NewAt(t, p).Elem()
		if m.IsNil() {
			w.b = append(w.b, 0)
			return
		}
		w.b = binary.AppendUvarint(w.b, uint64(m.Len())+1)
		k, v := reflect.New(t.Key()), reflect.New(t.Elem())
		for it := m.MapRange(); it.Next(); {
			k.Elem().SetIterKey(it)
			v.Elem().SetIterValue(it)
			key.write(w, k.UnsafePointer())
			value.write(w, v.UnsafePointer())
		}
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		m := reflect.NewAt(t, p).Elem()
		n := r.uvarint()
		if n == 0 {
			m.SetZero()
			return
		}
		if n--; n > uint64(len(r.b))+1 {
			r.fail()
			return
		}
		out := reflect.MakeMapWithSize(t, int(n))
		for range n {
			k, v := reflect.New(t.Key()), reflect.New(t.Elem())
			key.read(r, k.UnsafePointer())
			value.read(r, v.UnsafePointer())
			if r.err != nil {
				return
			}
			out.SetMapIndex(k.Elem(), v.Elem())
		}
		m.Set(out)
	}
	c.weigh = func(p unsafe.Pointer) int64 {
		m := reflect.NewAt(t, p).Elem()
		return 48 + int64(m.Len())*int64(t.Key().Size()+t.Elem().Size()+16)
	}
	return nil
}

// maxDepth bounds chains of pointers: a structure that contains itself has no end.
const maxDepth = 10_000

var errDepth = errors.New("a value has more than 10,000 pointers in a chain, or contains itself")

func (b *coderBuilder) pointer(c *coder) error {
	elem, err := b.make(c.t.Elem())
	if err != nil {
		return err
	}
	t := c.t.Elem()
	c.write = func(w *writer, p unsafe.Pointer) {
		q := *(*unsafe.Pointer)(p)
		if q == nil || w.err != nil {
			w.b = append(w.b, 0)
			return
		}
		w.b = append(w.b, 1)
		if w.depth++; w.depth > maxDepth {
			w.err = errDepth
		} else {
			elem.write(w, q)
		}
		w.depth--
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		if one(r) == 0 {
			*(*unsafe.Pointer)(p) = nil
			return
		}
		q := reflect.New(t)
		if r.depth++; r.depth > maxDepth {
			r.fail()
		} else {
			elem.read(r, q.UnsafePointer())
		}
		r.depth--
		*(*unsafe.Pointer)(p) = q.UnsafePointer()
	}
	c.weigh = func(p unsafe.Pointer) int64 {
		q := *(*unsafe.Pointer)(p)
		if q == nil || !elem.fixed {
			return 8 + int64(t.Size())
		}
		return 8 + elem.weigh(q)
	}
	return nil
}

// The tags of interface values.
const (
	tagNil   = 0
	tagImage = 1 // a type of the program, by place and name
	tagLocal = 2 // a type that this process made
)

// dynamic encodes interface values with their type.
func (b *coderBuilder) dynamic(c *coder) {
	ops := b.ops
	load := func(p unsafe.Pointer) reflect.Value { return reflect.NewAt(c.t, p).Elem().Elem() }
	c.write = func(w *writer, p unsafe.Pointer) {
		v := load(p)
		if !v.IsValid() {
			w.b = append(w.b, tagNil)
			return
		}
		elem, err := coderOf(v.Type(), ops)
		if err != nil {
			w.err = err
			return
		}
		writeType(w, v.Type())
		q := reflect.New(v.Type())
		q.Elem().Set(v)
		elem.write(w, q.UnsafePointer())
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		t := readType(r)
		if t == nil {
			reflect.NewAt(c.t, p).Elem().SetZero()
			return
		}
		elem, err := coderOf(t, ops)
		if err != nil || !t.AssignableTo(c.t) {
			r.fail()
			return
		}
		q := reflect.New(t)
		elem.read(r, q.UnsafePointer())
		reflect.NewAt(c.t, p).Elem().Set(q.Elem())
	}
	c.weigh = func(p unsafe.Pointer) int64 {
		v := load(p)
		if !v.IsValid() {
			return 16
		}
		elem, err := coderOf(v.Type(), ops)
		if err != nil {
			return 32
		}
		q := reflect.New(v.Type())
		q.Elem().Set(v)
		return 16 + elem.weigh(q.UnsafePointer())
	}
	c.hash = func(p unsafe.Pointer) uint64 {
		v := load(p)
		if !v.IsValid() {
			return 0
		}
		elem, err := coderOf(v.Type(), ops)
		if err != nil || elem.hash == nil {
			return 1 // it fails when it is written
		}
		q := reflect.New(v.Type())
		q.Elem().Set(v)
		return mix(xxh3.HashString(v.Type().String()) + elem.hash(q.UnsafePointer()))
	}
}

func writeType(w *writer, t reflect.Type) {
	place, ok := placeOf(typeObject(t))
	if !ok {
		w.b = binary.AppendUvarint(append(w.b, tagLocal), localID(t))
		return
	}
	name := t.String()
	w.b = binary.AppendVarint(append(w.b, tagImage), place)
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(xxh3.HashString(name)))
}

// readType is nil for no type, and after a failure.
func readType(r *reader) reflect.Type {
	switch one(r) {
	case tagImage:
		place, sum := r.varint(), uint32(word(r, 4))
		if r.err != nil {
			return nil
		}
		return knownType(r, place, sum)
	case tagLocal:
		t, ok := localType(r.uvarint())
		if !ok {
			r.fail()
		}
		return t
	}
	return nil
}

// knownTypes are the types that were read before, by place: looking at a descriptor is safe only where one lies, so a
// place that cannot be one is refused first.
var knownTypes sync.Map // int64 → reflect.Type

func knownType(r *reader, place int64, sum uint32) reflect.Type {
	if t, ok := knownTypes.Load(place); ok {
		return t.(reflect.Type)
	}
	if _, ok := placeOf(objectAt(place)); !ok || place%8 != 0 {
		r.fail()
		return nil
	}
	t := typeAt(place)
	if uint32(xxh3.HashString(t.String())) != sum {
		r.fail()
		return nil
	}
	knownTypes.Store(place, t)
	return t
}

// function encodes a function of the program by its place and name.
func (c *coder) function() {
	c.write = func(w *writer, p unsafe.Pointer) {
		object := *(*unsafe.Pointer)(p)
		if object == nil {
			w.b = append(w.b, tagNil)
			return
		}
		place, ok := placeOf(object)
		if !ok {
			if w.err == nil {
				w.err = &ClosureError{nameOf(object)}
			}
			return
		}
		name := nameOf(object)
		w.b = binary.AppendVarint(append(w.b, tagImage), place)
		w.b = append(binary.AppendUvarint(w.b, uint64(len(name))), name...)
	}
	c.read = func(r *reader, p unsafe.Pointer) {
		if one(r) == tagNil {
			*(*unsafe.Pointer)(p) = nil
			return
		}
		place := r.varint()
		name := string(r.bytes(r.uvarint()))
		if r.err != nil {
			return
		}
		object := objectAt(place)
		if _, ok := placeOf(object); !ok || nameOf(object) != name {
			r.failWith(fmt.Errorf("%w: this program has no function %s at its place", ErrDamaged, name))
			return
		}
		*(*unsafe.Pointer)(p) = object
	}
	c.weigh = func(unsafe.Pointer) int64 { return 8 }
}

// opCodec is the codec of values that may hold operators and functions.
func opCodec[T any]() (Codec[T], error) {
	c, err := coderOf(reflect.TypeFor[T](), true)
	return Codec[T]{c}, err
}
