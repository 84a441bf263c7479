package parquet

import (
	"encoding/binary"
	"math"
)

// Thrift compact wire types.
const (
	tStop   = 0
	tTrue   = 1
	tFalse  = 2
	tByte   = 3
	tI16    = 4
	tI32    = 5
	tI64    = 6
	tDouble = 7
	tBinary = 8
	tList   = 9
	tSet    = 10
	tMap    = 11
	tStruct = 12
)

// maxDepth bounds the nesting of structs and lists in foreign bytes.
const maxDepth = 32

// thrift reads Thrift's compact protocol from bytes that may be anything: after the first fault bad stays set, and all
// reads give zero.
type thrift struct {
	b     []byte
	p     int
	depth int
	bad   bool
}

func (r *thrift) fail() { r.bad, r.p = true, len(r.b) }

func (r *thrift) byte() byte {
	if r.p >= len(r.b) {
		r.fail()
		return 0
	}
	c := r.b[r.p]
	r.p++
	return c
}

func (r *thrift) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.p:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.p += n
	return v
}

func (r *thrift) i64() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *thrift) i32() int32 {
	v := r.i64()
	if v != int64(int32(v)) {
		r.fail()
		return 0
	}
	return int32(v)
}

// binary returns bytes of the input, not copied.
func (r *thrift) binary() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.p) {
		r.fail()
		return nil
	}
	v := r.b[r.p : r.p+int(n) : r.p+int(n)]
	r.p += int(n)
	return v
}

// fields calls f for each field of a struct; f reads the value or calls skip.
func (r *thrift) fields(f func(id int16, typ byte)) {
	if r.depth++; r.depth > maxDepth {
		r.fail()
	}
	var id int16
	for !r.bad {
		h := r.byte()
		if h == tStop {
			break
		}
		if d := h >> 4; d != 0 {
			id += int16(d)
		} else {
			id = int16(r.i64())
		}
		f(id, h&15)
	}
	r.depth--
}

// list reads a list header: element type and length; the length is at most the number of bytes left.
func (r *thrift) list() (typ byte, n int) {
	h := r.byte()
	u := uint64(h >> 4)
	if u == 15 {
		u = r.uvarint()
	}
	if u > uint64(len(r.b)-r.p) {
		r.fail()
		return 0, 0
	}
	return h & 15, int(u)
}

// bool is the value of a boolean field: its type says it.
func (r *thrift) bool(typ byte) bool { return typ == tTrue }

func (r *thrift) double() float64 {
	if len(r.b)-r.p < 8 {
		r.fail()
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.b[r.p:]))
	r.p += 8
	return v
}

// skip passes over a value. inList: booleans of lists take a byte, those of fields none.
func (r *thrift) skip(typ byte, inList bool) {
	switch typ {
	case tTrue, tFalse:
		if inList {
			r.byte()
		}
	case tByte:
		r.byte()
	case tI16, tI32, tI64:
		r.uvarint()
	case tDouble:
		r.double()
	case tBinary:
		r.binary()
	case tList, tSet:
		r.skipList()
	case tMap:
		r.skipMap()
	case tStruct:
		r.fields(func(_ int16, t byte) { r.skip(t, false) })
	default:
		r.fail()
	}
}

func (r *thrift) skipList() {
	if r.depth++; r.depth > maxDepth {
		r.fail()
	}
	t, n := r.list()
	for i := 0; i < n && !r.bad; i++ {
		r.skip(t, true)
	}
	r.depth--
}

func (r *thrift) skipMap() {
	n := r.uvarint()
	if n == 0 {
		return
	}
	if n > uint64(len(r.b)-r.p) {
		r.fail()
		return
	}
	kv := r.byte()
	for i := uint64(0); i < n && !r.bad; i++ {
		r.skip(kv>>4, true)
		r.skip(kv&15, true)
	}
}

// structs reads a list of structs.
func structs[T any](r *thrift, typ byte, one func(r *thrift, v *T)) []T {
	if typ != tList {
		r.skip(typ, false)
		return nil
	}
	t, n := r.list()
	if t != tStruct && n > 0 {
		r.fail()
		return nil
	}
	out := make([]T, 0, min(n, 1024))
	for i := 0; i < n && !r.bad; i++ {
		var v T
		one(r, &v)
		out = append(out, v)
	}
	return out
}
