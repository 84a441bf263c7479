package rpc

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// ErrMalformed is the error of bytes that are not an encoded value.
var ErrMalformed = errors.New("the message is malformed")

// maxDepth bounds how deep values nest: pointers, interfaces and custom types count.
const maxDepth = 20_000

// Codec writes Go values compactly and reads them back. What it writes follows from the Go types alone: structs are their
// exported fields in order, numbers are varints, an interface is the number of its concrete type in the list that Union
// gave it. So both sides must be of one build. Reading is safe on any bytes: they give a value or an error.
//
// Types are registered before the first use; after that a Codec may be used by several goroutines.
type Codec struct {
	mu     sync.RWMutex
	plans  map[reflect.Type]*plan
	unions map[reflect.Type]*union
	shared map[reflect.Type]bool // pointers that keep their identity
}

// plan is how values of one type travel.
type plan struct {
	enc func(e *Encoder, v reflect.Value)
	dec func(d *Decoder, v reflect.Value)
}

// union lists the concrete types of an interface; the number of a type is its place plus one.
type union struct {
	types []reflect.Type
	tags  map[reflect.Type]int
}

// NewCodec makes a codec that knows Go's own types.
func NewCodec() *Codec {
	c := &Codec{plans: map[reflect.Type]*plan{}, unions: map[reflect.Type]*union{}, shared: map[reflect.Type]bool{}}
	Custom(c, encodeInt64s, decodeInt64s)
	Custom(c, func(e *Encoder, b []byte) { e.Blob(b) }, (*Decoder).Blob)
	return c
}

// Custom says how values of T travel, instead of what follows from the type.
func Custom[T any](c *Codec, enc func(*Encoder, T), dec func(*Decoder) T) {
	t := reflect.TypeFor[T]()
	c.plans[t] = &plan{
		enc: func(e *Encoder, v reflect.Value) {
			x, _ := v.Interface().(T)
			enc(e, x)
		},
		dec: func(d *Decoder, v reflect.Value) {
			d.nested(func() {
				x := dec(d)
				if d.err == nil {
					v.Set(reflect.ValueOf(&x).Elem())
				}
			})
		},
	}
}

// Union adds concrete types that may stand behind the interface I, in an order that never changes within a build.
func Union[I any](c *Codec, impls ...I) {
	t := reflect.TypeFor[I]()
	u := c.unions[t]
	if u == nil {
		u = &union{tags: map[reflect.Type]int{}}
		c.unions[t] = u
	}
	for _, i := range impls {
		it := reflect.TypeOf(i)
		if u.tags[it] == 0 {
			u.types = append(u.types, it)
			u.tags[it] = len(u.types)
		}
	}
}

// Shared says that pointers of the types of these (nil) pointers keep their identity within a message: what several of them
// point to travels once, and is one again on the other side.
func Shared(c *Codec, of ...any) {
	for _, p := range of {
		c.shared[reflect.TypeOf(p)] = true
	}
}

// Members are the concrete types that Union listed for I.
func Members[I any](c *Codec) []reflect.Type {
	if u := c.unions[reflect.TypeFor[I]()]; u != nil {
		return slices.Clone(u.types)
	}
	return nil
}

// MembersOf is Members for a type that is known only at run time.
func (c *Codec) MembersOf(t reflect.Type) []reflect.Type {
	if u := c.unions[t]; u != nil {
		return slices.Clone(u.types)
	}
	return nil
}

// Append adds the encoding of v, a pointer to a value or the value itself, to dst.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	e := &Encoder{codec: c, buf: dst}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	e.value(rv)
	return e.buf, e.err
}

// Decode reads into the value that into points to. All bytes must be used up.
func (c *Codec) Decode(data []byte, into any) error {
	d := &Decoder{codec: c, rest: data}
	d.value(reflect.ValueOf(into).Elem())
	if d.err == nil && len(d.rest) > 0 {
		d.Fail("%d bytes are left over", len(d.rest))
	}
	return d.err
}

// Next reads one value from the front of data, into what into points to, and returns the rest.
func (c *Codec) Next(data []byte, into any) (rest []byte, err error) {
	d := &Decoder{codec: c, rest: data}
	d.value(reflect.ValueOf(into).Elem())
	return d.rest, d.err
}

// plan finds or makes the plan of a type.
func (c *Codec) plan(t reflect.Type) *plan {
	c.mu.RLock()
	p := c.plans[t]
	c.mu.RUnlock()
	if p != nil {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.make(t)
}

// make makes the plans of a type and of what it consists of; the lock is held.
func (c *Codec) make(t reflect.Type) *plan {
	if p := c.plans[t]; p != nil {
		return p
	}
	p := &plan{}
	c.plans[t] = p
	switch t.Kind() {
	case reflect.Bool:
		p.enc = func(e *Encoder, v reflect.Value) { e.Bool(v.Bool()) }
		p.dec = func(d *Decoder, v reflect.Value) { v.SetBool(d.Bool()) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.enc = func(e *Encoder, v reflect.Value) { e.Int(v.Int()) }
		p.dec = decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.enc = func(e *Encoder, v reflect.Value) { e.Uint(v.Uint()) }
		p.dec = decodeUint
	case reflect.Float32, reflect.Float64:
		p.enc = func(e *Encoder, v reflect.Value) { e.Float(v.Float()) }
		p.dec = func(d *Decoder, v reflect.Value) { v.SetFloat(d.Float()) }
	case reflect.String:
		p.enc = func(e *Encoder, v reflect.Value) { e.Text(v.String()) }
		p.dec = func(d *Decoder, v reflect.Value) { v.SetString(d.Text()) }
	case reflect.Slice:
		c.slice(p, t)
	case reflect.Array:
		c.array(p, t)
	case reflect.Map:
		c.mapping(p, t)
	case reflect.Pointer:
		c.pointer(p, t)
	case reflect.Struct:
		c.structure(p, t)
	case reflect.Interface:
		c.iface(p, t)
	default:
		refuse(p, t)
	}
	return p
}

// refuse makes a plan that fails: of functions, channels, and structs with hidden fields.
func refuse(p *plan, t reflect.Type) {
	p.enc = func(e *Encoder, _ reflect.Value) { e.Fail("values of type %s do not travel", t) }
	p.dec = func(d *Decoder, _ reflect.Value) { d.Fail("values of type %s do not travel", t) }
}

func decodeInt(d *Decoder, v reflect.Value) {
	n := d.Int()
	if v.OverflowInt(n) {
		d.Fail("%d does not fit %s", n, v.Type())
		return
	}
	v.SetInt(n)
}

func decodeUint(d *Decoder, v reflect.Value) {
	n := d.Uint()
	if v.OverflowUint(n) {
		d.Fail("%d does not fit %s", n, v.Type())
		return
	}
	v.SetUint(n)
}

// slice: 0 for nil, else the length plus one and the elements.
func (c *Codec) slice(p *plan, t reflect.Type) {
	elem := c.make(t.Elem())
	p.enc = func(e *Encoder, v reflect.Value) {
		if v.IsNil() {
			e.Uint(0)
			return
		}
		e.Uint(uint64(v.Len()) + 1)
		for i := range v.Len() {
			elem.enc(e, v.Index(i))
		}
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		n, ok := d.length()
		if !ok {
			return
		}
		v.Set(reflect.MakeSlice(t, 0, min(n, 64)))
		d.nested(func() {
			for i := 0; i < n && d.err == nil; i++ {
				v.Grow(1)
				v.SetLen(i + 1)
				elem.dec(d, v.Index(i))
			}
		})
	}
}

func (c *Codec) array(p *plan, t reflect.Type) {
	elem := c.make(t.Elem())
	p.enc = func(e *Encoder, v reflect.Value) {
		for i := range v.Len() {
			elem.enc(e, v.Index(i))
		}
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		for i := 0; i < v.Len() && d.err == nil; i++ {
			elem.dec(d, v.Index(i))
		}
	}
}

// mapping: keys in order, so that equal maps have equal encodings.
func (c *Codec) mapping(p *plan, t reflect.Type) {
	key, elem := c.make(t.Key()), c.make(t.Elem())
	p.enc = func(e *Encoder, v reflect.Value) {
		if v.IsNil() {
			e.Uint(0)
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, compareKeys)
		e.Uint(uint64(len(keys)) + 1)
		for _, k := range keys {
			key.enc(e, k)
			elem.enc(e, v.MapIndex(k))
		}
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		n, ok := d.length()
		if !ok {
			return
		}
		v.Set(reflect.MakeMap(t))
		d.nested(func() {
			for i := 0; i < n && d.err == nil; i++ {
				k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
				key.dec(d, k)
				elem.dec(d, x)
				v.SetMapIndex(k, x)
			}
		})
	}
}

func compareKeys(a, b reflect.Value) int {
	if a.CanInt() {
		return cmp.Compare(a.Int(), b.Int())
	}
	return cmp.Compare(a.String(), b.String())
}

func (c *Codec) pointer(p *plan, t reflect.Type) {
	elem := c.make(t.Elem())
	if c.shared[t] {
		c.reference(p, t, elem)
		return
	}
	p.enc = func(e *Encoder, v reflect.Value) {
		e.Bool(!v.IsNil())
		if !v.IsNil() {
			e.nested(func() { elem.enc(e, v.Elem()) })
		}
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		if !d.Bool() {
			return
		}
		d.nested(func() {
			v.Set(reflect.New(t.Elem()))
			elem.dec(d, v.Elem())
		})
	}
}

// reference: 0 for nil, 1 and the value for one that is new, else its number plus two. Values are numbered when they are
// complete, so that no reference leads in a circle.
func (c *Codec) reference(p *plan, t reflect.Type, elem *plan) {
	p.enc = func(e *Encoder, v reflect.Value) {
		if v.IsNil() {
			e.Uint(0)
			return
		}
		at := v.UnsafePointer()
		if n, ok := e.refs[at]; ok && n.t == t {
			e.Uint(uint64(n.number) + 2)
			return
		}
		e.Uint(1)
		e.nested(func() { elem.enc(e, v.Elem()) })
		if e.refs == nil {
			e.refs = map[unsafe.Pointer]ref{}
		}
		e.refs[at] = ref{t, e.count}
		e.count++
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		switch n := d.Uint(); {
		case n == 0:
		case n == 1:
			d.nested(func() {
				x := reflect.New(t.Elem())
				elem.dec(d, x.Elem())
				v.Set(x)
				d.refs = append(d.refs, x)
			})
		case n-2 >= uint64(len(d.refs)) || d.refs[n-2].Type() != t:
			d.Fail("there is no %s number %d", t, n-2)
		default:
			v.Set(d.refs[n-2])
		}
	}
}

// structure: the exported fields in order. Hidden ones are an error, except those without data.
func (c *Codec) structure(p *plan, t reflect.Type) {
	type field struct {
		at   int
		plan *plan
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.IsExported():
			fields = append(fields, field{i, c.make(f.Type)})
		case f.Type.Size() > 0:
			refuse(p, t)
			return
		}
	}
	p.enc = func(e *Encoder, v reflect.Value) {
		for _, f := range fields {
			f.plan.enc(e, v.Field(f.at))
		}
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		for _, f := range fields {
			if d.err != nil {
				return
			}
			f.plan.dec(d, v.Field(f.at))
		}
	}
}

func (c *Codec) iface(p *plan, t reflect.Type) {
	u := c.unions[t]
	if u == nil {
		refuse(p, t)
		return
	}
	members := make([]*plan, len(u.types))
	elems := make([]reflect.Type, len(u.types))
	for i, m := range u.types {
		// A pointer behind an interface is never nil: it travels as what it points to, unless it is shared.
		if elems[i] = m; m.Kind() == reflect.Pointer && !c.shared[m] {
			elems[i] = m.Elem()
		}
		members[i] = c.make(elems[i])
	}
	p.enc = func(e *Encoder, v reflect.Value) {
		if v.IsNil() {
			e.Uint(0)
			return
		}
		x := v.Elem()
		tag := u.tags[x.Type()]
		if tag == 0 {
			e.Fail("%s is not registered as a %s", x.Type(), t)
			return
		}
		e.Uint(uint64(tag))
		if x.Kind() == reflect.Pointer {
			if x.IsNil() {
				e.Fail("a nil pointer stands for a %s", t)
				return
			}
			if elems[tag-1] != x.Type() {
				x = x.Elem()
			}
		}
		e.nested(func() { members[tag-1].enc(e, x) })
	}
	p.dec = func(d *Decoder, v reflect.Value) {
		tag := d.Uint()
		if tag == 0 {
			return
		}
		if tag > uint64(len(members)) {
			d.Fail("there is no %s number %d", t, tag)
			return
		}
		d.nested(func() {
			x := reflect.New(elems[tag-1])
			members[tag-1].dec(d, x.Elem())
			if u.types[tag-1] == elems[tag-1] {
				x = x.Elem()
			}
			if x.Kind() == reflect.Pointer && x.IsNil() {
				d.Fail("nothing stands for a %s", t)
				return
			}
			v.Set(x)
		})
	}
}

// Encoder writes one message. After a failure it writes nothing more.
type Encoder struct {
	codec *Codec
	buf   []byte
	depth int
	err   error
	refs  map[unsafe.Pointer]ref // what shared pointers led to
	count int                    // of refs: a struct and its first field may lie at one address
	texts map[string]int
}

type ref struct {
	t      reflect.Type
	number int
}

// Fail notes why the value cannot be written.
func (e *Encoder) Fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

func (e *Encoder) nested(f func()) {
	if e.depth++; e.depth > maxDepth {
		e.Fail("the value nests deeper than %d", maxDepth)
	} else if e.err == nil {
		f()
	}
	e.depth--
}

func (e *Encoder) value(v reflect.Value) { e.codec.plan(v.Type()).enc(e, v) }

// Bool, Int, Uint, Float, Text and Blob write one value.
func (e *Encoder) Bool(b bool) {
	if b {
		e.buf = append(e.buf, 1)
	} else {
		e.buf = append(e.buf, 0)
	}
}
func (e *Encoder) Int(n int64)   { e.buf = binary.AppendVarint(e.buf, n) }
func (e *Encoder) Uint(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }
func (e *Encoder) Float(f float64) {
	e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(f))
}
func (e *Encoder) Text(s string) {
	e.Uint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

// SharedText writes a text that occurs often in the message: the second time only its number.
func (e *Encoder) SharedText(s string) {
	if n, ok := e.texts[s]; ok {
		e.Uint(uint64(n) + 1)
		return
	}
	e.Uint(0)
	e.Text(s)
	if e.texts == nil {
		e.texts = map[string]int{}
	}
	e.texts[s] = len(e.texts)
}

// Blob keeps nil and empty apart.
func (e *Encoder) Blob(b []byte) {
	if b == nil {
		e.Uint(0)
		return
	}
	e.Uint(uint64(len(b)) + 1)
	e.buf = append(e.buf, b...)
}

// Value writes the value of any registered type.
func Value[T any](e *Encoder, v T) { e.value(reflect.ValueOf(&v).Elem()) }

// Decoder reads one message. After a failure it gives zeros.
type Decoder struct {
	codec *Codec
	rest  []byte
	depth int
	err   error
	refs  []reflect.Value
	texts []string
}

// Fail notes that the bytes make no sense. The error is an ErrMalformed.
func (d *Decoder) Fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

// Err is the first failure.
func (d *Decoder) Err() error { return d.err }

func (d *Decoder) nested(f func()) {
	if d.depth++; d.depth > maxDepth {
		d.Fail("it nests deeper than %d", maxDepth)
	} else if d.err == nil {
		f()
	}
	d.depth--
}

func (d *Decoder) value(v reflect.Value) { d.codec.plan(v.Type()).dec(d, v) }

// Read reads the value of any registered type.
func Read[T any](d *Decoder) (v T) {
	d.value(reflect.ValueOf(&v).Elem())
	return v
}

// Bool, Int, Uint, Float, Text and Blob read one value.
func (d *Decoder) Bool() bool {
	b := d.take(1)
	if b == nil {
		return false
	}
	if b[0] > 1 {
		d.Fail("%d is no truth value", b[0])
	}
	return b[0] == 1
}

func (d *Decoder) Int() int64 {
	if d.err != nil {
		return 0
	}
	n, size := binary.Varint(d.rest)
	if size <= 0 {
		d.Fail("a number is cut off")
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *Decoder) Uint() uint64 {
	if d.err != nil {
		return 0
	}
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.Fail("a number is cut off")
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *Decoder) Float() float64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

func (d *Decoder) Text() string { return string(d.take(d.Uint())) }

// SharedText reads what Encoder.SharedText wrote.
func (d *Decoder) SharedText() string {
	n := d.Uint()
	if n == 0 {
		s := d.Text()
		d.texts = append(d.texts, s)
		return s
	}
	if n > uint64(len(d.texts)) {
		d.Fail("there is no text number %d", n-1)
		return ""
	}
	return d.texts[n-1]
}

// Blob is a copy of the bytes.
func (d *Decoder) Blob() []byte {
	n, ok := d.length()
	if !ok {
		return nil
	}
	return append([]byte{}, d.take(uint64(n))...)
}

// take cuts n bytes off.
func (d *Decoder) take(n uint64) []byte {
	if d.err != nil {
		return nil
	}
	if n > uint64(len(d.rest)) {
		d.Fail("%d bytes are missing", n-uint64(len(d.rest)))
		return nil
	}
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out
}

// length reads a length plus one; false stands for nil. Every element takes at least a byte, so that no length can be
// larger than what is left.
func (d *Decoder) length() (int, bool) {
	n := d.Uint()
	if n == 0 || d.err != nil {
		return 0, false
	}
	if n-1 > uint64(len(d.rest)) {
		d.Fail("a list of %d is cut off", n-1)
		return 0, false
	}
	return int(n - 1), true
}

func encodeInt64s(e *Encoder, l []int64) {
	if l == nil {
		e.Uint(0)
		return
	}
	e.Uint(uint64(len(l)) + 1)
	for _, n := range l {
		e.Int(n)
	}
}

func decodeInt64s(d *Decoder) []int64 {
	n, ok := d.length()
	if !ok {
		return nil
	}
	out := make([]int64, 0, n)
	for i := 0; i < n && d.err == nil; i++ {
		out = append(out, d.Int())
	}
	return out
}
