package arrowipc

import (
	"encoding/binary"
	"math/bits"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Encoder writes batches of one schema, each as a stream of its own: schema, one record batch, end.
// It is used by one goroutine at a time.
type Encoder struct {
	schema []byte
	large  bool
	metaN  int // size of the record batch message without its body
	nodes  []node
	bufs   []span
	b      *flatbuffers.Builder
}

type node struct{ rows, nulls int64 }
type span struct{ at, size int64 }

var endOfStream = []byte{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}

// NewEncoder makes an encoder; types that Arrow streams do not carry give an error.
func NewEncoder(s *types.Schema, o Options) (*Encoder, error) {
	msg, err := schemaMessage(s, o)
	if err != nil {
		return nil, err
	}
	e := &Encoder{schema: msg, large: o.Large, b: flatbuffers.NewBuilder(512)}
	for _, f := range s.Fields {
		e.reserve(f.Type)
	}
	e.metaN = len(e.metadata(1, 1))
	return e, nil
}

// reserve counts the nodes and buffers of a column, with values that are written in full.
func (e *Encoder) reserve(t types.Type) {
	e.nodes = append(e.nodes, node{1, 1})
	n := 2 // validity and values
	switch columnar.LayoutOf(t) {
	case columnar.NoData:
		n = 0
	case columnar.View16:
		n = 3
	case columnar.List:
		e.bufs = append(e.bufs, span{1, 1}, span{1, 1})
		e.reserve(t.Elem())
		return
	case columnar.Entries:
		e.bufs = append(e.bufs, span{1, 1}, span{1, 1})
		e.reserve(types.Struct(types.Field{Type: t.Key()}, types.Field{Type: t.Elem()}))
		return
	case columnar.Record:
		e.bufs = append(e.bufs, span{1, 1})
		for _, f := range columnar.RecordFields(t) {
			e.reserve(f.Type)
		}
		return
	}
	for range n {
		e.bufs = append(e.bufs, span{1, 1})
	}
}

// metadata frames the record batch message of the collected nodes and buffers.
func (e *Encoder) metadata(rows, body int64) []byte {
	b := e.b
	b.Reset()
	b.StartVector(16, len(e.bufs), 8)
	for _, s := range slices.Backward(e.bufs) {
		b.Prep(8, 16)
		b.PrependInt64(s.size)
		b.PrependInt64(s.at)
	}
	bufs := b.EndVector(len(e.bufs))
	b.StartVector(16, len(e.nodes), 8)
	for _, n := range slices.Backward(e.nodes) {
		b.Prep(8, 16)
		b.PrependInt64(n.nulls)
		b.PrependInt64(n.rows)
	}
	nodes := b.EndVector(len(e.nodes))
	b.StartObject(5)
	b.PrependInt64Slot(0, rows, -1)
	b.PrependUOffsetTSlot(1, nodes, 0)
	b.PrependUOffsetTSlot(2, bufs, 0)
	batch := b.EndObject()
	b.StartObject(5)
	b.PrependInt16Slot(0, metadataV5, 0)
	b.PrependByteSlot(1, headerRecordBatch, 0)
	b.PrependUOffsetTSlot(2, batch, 0)
	b.PrependInt64Slot(3, body, -1)
	b.Finish(b.EndObject())
	return frame(b.FinishedBytes(), e.metaN)
}

// Encode appends rows [from, to) of a batch to dst as a whole stream.
func (e *Encoder) Encode(dst []byte, b *columnar.Batch, from, to int) []byte {
	dst = append(dst, e.schema...)
	e.nodes, e.bufs = e.nodes[:0], e.bufs[:0]
	meta := len(dst)
	dst = append(dst, make([]byte, e.metaN)...)
	w := bodyWriter{e, dst, len(dst)}
	for i := range b.Cols {
		w.column(&b.Cols[i], from, to)
	}
	dst = w.out
	copy(dst[meta:], e.metadata(int64(to-from), int64(len(dst)-meta-e.metaN)))
	return append(dst, endOfStream...)
}

// bodyWriter appends the buffers of columns.
type bodyWriter struct {
	e     *Encoder
	out   []byte
	start int // where the body begins in out
}

// buffer appends a buffer of size bytes, which the caller fills, and zeros up to a multiple of 8.
func (w *bodyWriter) buffer(size int) []byte {
	at := len(w.out)
	padded := (size + 7) / 8 * 8
	w.out = slices.Grow(w.out, padded)[:at+padded]
	clear(w.out[at+size:])
	w.e.bufs = append(w.e.bufs, span{int64(at - w.start), int64(size)})
	return w.out[at : at+size]
}

// column appends rows [from, to) of a column. The layouts are those of types.Type; nulls hold any value.
func (w *bodyWriter) column(v *columnar.Vector, from, to int) {
	l := columnar.LayoutOf(v.Type)
	if l == columnar.NoData {
		w.e.nodes = append(w.e.nodes, node{int64(to - from), int64(to - from)})
		return
	}
	if l == columnar.View16 {
		w.validity(v, from, to)
		w.text(v, from, to)
		return
	}
	if v.Form != columnar.Flat {
		sel := make([]uint32, to-from)
		for i := range sel {
			sel[i] = uint32(from + i)
		}
		g := columnar.Gather(v, sel)
		flat := g.Flatten()
		v, from, to = &flat, 0, to-from
	}
	w.validity(v, from, to)
	switch l {
	case columnar.List:
		a, b := w.offsets(v, from, to)
		w.column(&v.Kids[0], a, b)
	case columnar.Entries:
		a, b := w.offsets(v, from, to)
		w.e.nodes = append(w.e.nodes, node{int64(b - a), 0})
		w.buffer(0)
		w.column(&v.Kids[0], a, b)
		w.column(&v.Kids[1], a, b)
	case columnar.Record:
		for i := range v.Kids {
			w.column(&v.Kids[i], from, to)
		}
	default:
		w.fixed(v, l, from, to)
	}
}

// validity appends the node and the bitmap; a column without nulls has an empty one.
func (w *bodyWriter) validity(v *columnar.Vector, from, to int) {
	n := to - from
	switch {
	case v.Valid == nil:
		w.e.nodes = append(w.e.nodes, node{int64(n), 0})
		w.buffer(0)
		return
	case v.Form == columnar.Const:
		nulls := 0
		if !v.Valid.Get(0) {
			nulls = n
		}
		w.e.nodes = append(w.e.nodes, node{int64(n), int64(nulls)})
		if nulls == 0 {
			w.buffer(0)
		} else {
			clear(w.buffer((n + 7) / 8))
		}
		return
	}
	w.e.nodes = append(w.e.nodes, node{int64(n), 0})
	at := len(w.e.nodes) - 1
	dst := w.buffer((n + 7) / 8)
	set := copyBits(dst, v.Valid, from, n)
	w.e.nodes[at].nulls = int64(n - set)
}

// copyBits copies n bits from position from, clears the rest of the last byte, and counts the set ones.
func copyBits(dst []byte, src columnar.Bitmap, from, n int) int {
	shift, word, set := uint(from)&63, from>>6, 0
	var tmp [8]byte
	for i := 0; i < n; i += 64 {
		x := src[word] >> shift
		if shift != 0 && word+1 < len(src) {
			x |= src[word+1] << (64 - shift)
		}
		word++
		if left := n - i; left < 64 {
			x &= 1<<uint(left) - 1
		}
		set += bits.OnesCount64(x)
		binary.LittleEndian.PutUint64(tmp[:], x)
		copy(dst[i/8:], tmp[:])
	}
	return set
}

// offsets appends list offsets that start at zero and returns the range of elements.
func (w *bodyWriter) offsets(v *columnar.Vector, from, to int) (int, int) {
	if len(v.Data) == 0 { // no rows at all
		clear(w.buffer(4))
		return 0, 0
	}
	src := columnar.Of[int32](v.Data)[from : to+1]
	dst := w.buffer(4 * len(src))
	base := src[0]
	for i, o := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], uint32(o-base))
	}
	return int(base), int(src[len(src)-1])
}

// fixed appends values of fixed width, widened or packed where Arrow's form differs.
func (w *bodyWriter) fixed(v *columnar.Vector, l columnar.Layout, from, to int) {
	n := to - from
	switch {
	case l == columnar.Bool8:
		packBools(w.buffer((n+7)/8), v.Data[from:to])
	case l == columnar.Int64x && v.Type.Kind == types.DecimalKind:
		dst := w.buffer(16 * n)
		for i, x := range columnar.Of[int64](v.Data)[from:to] {
			binary.LittleEndian.PutUint64(dst[16*i:], uint64(x))
			binary.LittleEndian.PutUint64(dst[16*i+8:], uint64(x>>63))
		}
	case l == columnar.Interval16:
		dst := w.buffer(16 * n)
		for i, x := range columnar.Of[types.CalendarInterval](v.Data)[from:to] {
			binary.LittleEndian.PutUint32(dst[16*i:], uint32(x.Months))
			binary.LittleEndian.PutUint32(dst[16*i+4:], uint32(x.Days))
			binary.LittleEndian.PutUint64(dst[16*i+8:], uint64(x.Micros*1000))
		}
	default:
		width := l.Width()
		copy(w.buffer(n*width), v.Data[from*width:to*width])
	}
}

func packBools(dst, src []byte) {
	clear(dst)
	for i, b := range src {
		dst[i>>3] |= b & 1 << (uint(i) & 7)
	}
}

// text appends offsets and bytes of a string or binary column in any form.
func (w *bodyWriter) text(v *columnar.Vector, from, to int) {
	n, width := to-from, 4
	if w.e.large {
		width = 8
	}
	at := len(w.out)
	w.buffer(width * (n + 1))
	t := textRows{v, v, nil}
	if v.Form == columnar.Dict {
		t.data = v.Dict
	}
	t.views = columnar.Of[columnar.View](t.data.Data)
	total := t.offsets(w.out[at:], width, from, to)
	data := w.buffer(total)
	t.copy(data, from, to)
}

// textRows reads the views of a column.
type textRows struct {
	v, data *columnar.Vector
	views   []columnar.View
}

// view is the view of row i, nil for a null.
func (t *textRows) view(i int) *columnar.View {
	switch t.v.Form {
	case columnar.Dict:
		if t.v.Valid != nil && !t.v.Valid.Get(i) {
			return nil
		}
		return &t.views[t.v.Codes[i]]
	case columnar.Const:
		i = 0
	}
	if t.v.Valid != nil && !t.v.Valid.Get(i) {
		return nil
	}
	return &t.views[i]
}

func (t *textRows) offsets(dst []byte, width, from, to int) int {
	total := 0
	for i := from; ; i++ {
		if width == 4 {
			binary.LittleEndian.PutUint32(dst[4*(i-from):], uint32(total))
		} else {
			binary.LittleEndian.PutUint64(dst[8*(i-from):], uint64(total))
		}
		if i == to {
			return total
		}
		if x := t.view(i); x != nil {
			total += int(x.Len)
		}
	}
}

func (t *textRows) copy(dst []byte, from, to int) {
	for i := from; i < to; i++ {
		if x := t.view(i); x != nil {
			dst = dst[copy(dst, columnar.ViewBytes(x, t.data.Bufs)):]
		}
	}
}
