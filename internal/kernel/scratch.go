package kernel

import "github.com/firesteel/firesteel/internal/columnar"

// Scratch owns the buffers of one expression node, reused batch after batch.
type Scratch struct {
	bufs   [][]byte
	next   int
	newest []byte
	bits   []columnar.Bitmap
	bit    int
	ids    [][]uint32
	id     int
	text   []byte
	heap   [1][]byte
	refs   [][]byte
	dict   *columnar.Vector
}

// Bytes returns a reusable, not cleared, padded buffer of n values of the layout. Reset makes all of them free again.
func (s *Scratch) Bytes(l columnar.Layout, n int) []byte {
	size := n * l.Width()
	if s.next == len(s.bufs) {
		s.bufs = append(s.bufs, nil)
	}
	b := s.bufs[s.next]
	if cap(b) < size {
		b = columnar.Make(l, n+n/4)
		s.bufs[s.next] = b
	}
	s.next++
	s.newest = b[:size]
	return s.newest
}

// Bits returns a reusable bitmap of n bits, all clear.
func (s *Scratch) Bits(n int) columnar.Bitmap {
	b := s.RawBits(n)
	clear(b)
	return b
}

// RawBits is a reusable bitmap of n bits with any content.
func (s *Scratch) RawBits(n int) columnar.Bitmap {
	if s.bit == len(s.bits) {
		s.bits = append(s.bits, nil)
	}
	words := (n + 63) / 64
	if cap(s.bits[s.bit]) < words {
		s.bits[s.bit] = make(columnar.Bitmap, words+words/4+1)
	}
	b := s.bits[s.bit][:words]
	s.bit++
	return b
}

// FullBits returns a reusable bitmap with bits 0..n-1 set.
func (s *Scratch) FullBits(n int) columnar.Bitmap {
	b := s.RawBits(n)
	for i := range b {
		b[i] = ^uint64(0)
	}
	if r := n % 64; r != 0 {
		b[len(b)-1] = 1<<r - 1
	}
	return b
}

// IDs returns a reusable, not cleared list of n row numbers.
func (s *Scratch) IDs(n int) []uint32 {
	if s.id == len(s.ids) {
		s.ids = append(s.ids, nil)
	}
	if cap(s.ids[s.id]) < n {
		s.ids[s.id] = make([]uint32, n+n/4+16)
	}
	b := s.ids[s.id][:n]
	s.id++
	return b
}

// Refs returns a reusable, empty list of buffer references with room for n.
func (s *Scratch) Refs(n int) [][]byte {
	if cap(s.refs) < n {
		s.refs = make([][]byte, 0, n+4)
	}
	return s.refs[:0]
}

// KeepRefs remembers a list that grew beyond what Refs gave.
func (s *Scratch) KeepRefs(r [][]byte) { s.refs = r }

// Text is the reusable, empty text heap of a node; KeepText stores it back after it has grown and makes it the one buffer of
// the result.
func (s *Scratch) Text() []byte {
	if cap(s.text) > keptText { // of a few large texts: those that follow may be small
		s.text = nil
	}
	return s.text[:0]
}

// keptText is the size up to which a heap of texts is used again.
const keptText = 16 << 20

// KeepText returns the buffer list of a vector whose long views point into text.
func (s *Scratch) KeepText(text []byte) [][]byte {
	s.text = text
	s.heap[0] = text
	return s.heap[:]
}

// Reset makes the buffers free for the next batch.
func (s *Scratch) Reset() { s.next, s.bit, s.id = 0, 0, 0 }

// Texts is the bytes of the heap that is in use.
func (s *Scratch) Texts() int64 { return int64(len(s.text)) }

// Size is the memory held.
func (s *Scratch) Size() int64 {
	n := int64(cap(s.text))
	for _, b := range s.bufs {
		n += int64(cap(b))
	}
	for _, b := range s.bits {
		n += int64(cap(b)) * 8
	}
	for _, b := range s.ids {
		n += int64(cap(b)) * 4
	}
	return n
}

// Flatten is v in Flat form; what has to be copied goes to the node's buffers.
func (s *Scratch) Flatten(v *columnar.Vector) columnar.Vector {
	switch v.Form {
	case columnar.Dict:
		out := s.gatherFlat(v.Dict, v.Codes, false)
		out.Type, out.Valid = v.Type, v.Valid
		return out
	case columnar.Const:
		if v.Null(0) {
			return s.Nulls(v, v.N)
		}
		sel := s.IDs(v.N)
		clear(sel)
		one := *v
		one.Form, one.N, one.Valid = columnar.Flat, 1, nil
		return s.gatherFlat(&one, sel, false)
	}
	return *v
}

// Nulls is a flat vector of n nulls of v's type.
func (s *Scratch) Nulls(v *columnar.Vector, n int) columnar.Vector {
	l := columnar.LayoutOf(v.Type)
	if l >= columnar.List || l == columnar.NoData {
		return columnar.Nulls(v.Type, n)
	}
	out := columnar.Vector{Type: v.Type, N: n, Valid: s.Bits(n), Data: s.Bytes(l, n)}
	clear(out.Data)
	return out
}

// Gather keeps the rows that sel names: a Dict stays a Dict, a Const a Const.
func (s *Scratch) Gather(v *columnar.Vector, sel []uint32) columnar.Vector {
	out := columnar.Vector{Type: v.Type, Form: v.Form, N: len(sel), Bufs: v.Bufs}
	switch v.Form {
	case columnar.Const:
		out.Valid, out.Data, out.Kids = v.Valid, v.Data, v.Kids
		return out
	case columnar.Dict:
		out.Codes, out.Dict = s.IDs(len(sel)), v.Dict
		columnar.GatherInto(out.Codes, v.Codes, sel)
		if v.Valid != nil {
			out.Valid = s.gatherBits(v.Valid, sel)
		}
		return out
	}
	return s.gatherFlat(v, sel, true)
}

func (s *Scratch) gatherBits(b columnar.Bitmap, sel []uint32) columnar.Bitmap {
	out := s.Bits(len(sel))
	for i, r := range sel {
		out[i>>6] |= (b[r>>6] >> (r & 63) & 1) << (uint(i) & 63)
	}
	return out
}

func (s *Scratch) gatherFlat(v *columnar.Vector, sel []uint32, valid bool) columnar.Vector {
	l := columnar.LayoutOf(v.Type)
	if l >= columnar.List || l == columnar.NoData {
		return columnar.Gather(v, sel)
	}
	n := len(sel)
	out := columnar.Vector{Type: v.Type, N: n, Bufs: v.Bufs, Data: s.Bytes(l, n)}
	if valid && v.Valid != nil {
		out.Valid = s.gatherBits(v.Valid, sel)
	}
	switch l.Width() {
	case 1:
		columnar.GatherInto(out.Data, v.Data, sel)
	case 2:
		columnar.GatherInto(columnar.Of[int16](out.Data), columnar.Of[int16](v.Data), sel)
	case 4:
		columnar.GatherInto(columnar.Of[uint32](out.Data), columnar.Of[uint32](v.Data), sel)
	case 8:
		columnar.GatherInto(columnar.Of[uint64](out.Data), columnar.Of[uint64](v.Data), sel)
	case 16:
		columnar.GatherInto(columnar.Of[columnar.View](out.Data), columnar.Of[columnar.View](v.Data), sel)
	}
	return out
}

// Out is an uncleared flat result of n rows of type T in the node's buffers.
func Out[T columnar.Fixed](c *Ctx, n int) []T {
	var z T
	return columnar.Of[T](c.Scratch.Bytes(layoutOfSize(z), n))
}

func layoutOfSize(z any) columnar.Layout {
	switch z.(type) {
	case int8, uint8, bool:
		return columnar.Int8x
	case int16:
		return columnar.Int16x
	case int32, uint32, float32:
		return columnar.Int32x
	case int64, uint64, float64:
		return columnar.Int64x
	}
	return columnar.Int128x
}

// Flat wraps computed values as a vector without a type: the caller of a Func sets it.
func Flat[T columnar.Fixed](v []T) columnar.Vector {
	return columnar.Vector{N: len(v), Data: columnar.Bytes(v)}
}

// last is the buffer that Bytes gave last.
func (s *Scratch) last() []byte { return s.newest }

// dictVector is the node's own vector for a dictionary that it builds.
func (s *Scratch) dictVector() *columnar.Vector {
	if s.dict == nil {
		s.dict = &columnar.Vector{}
	}
	return s.dict
}
