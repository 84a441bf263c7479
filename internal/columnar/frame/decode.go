package frame

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/pierrec/lz4/v4"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Decoder reads frames of one schema. The batch it returns, and the string bytes in it that point into the frame, hold
// until the next Decode; the caller keeps the frame's bytes unchanged until then.
type Decoder struct {
	// Seal is the cipher of sealed frames. Frames that are not sealed are refused when it is set.
	Seal cipher.AEAD
	open []byte
	out  columnar.Batch
	bufs []buffers
}

// buffers are what one column of the result is built in.
type buffers struct {
	data  []byte
	valid columnar.Bitmap
	codes []uint32
	lens  []uint32
	text  []byte
	bufs  [][]byte
	dict  *columnar.Vector
	under *buffers
	kids  []buffers
	kidsV []columnar.Vector
}

// NewDecoder makes a decoder for batches of a schema.
func NewDecoder(s *types.Schema) *Decoder {
	d := &Decoder{bufs: make([]buffers, len(s.Fields))}
	d.out = columnar.Batch{Schema: s, Cols: make([]columnar.Vector, len(s.Fields))}
	return d
}

// unseal gives the columns of a body. A key that is not the one the frame was sealed with, or none, opens nothing.
func (d *Decoder) unseal(header, body []byte) ([]byte, error) {
	isSealed := binary.LittleEndian.Uint32(header) == sealed
	switch {
	case !isSealed && d.Seal == nil:
		return body, nil
	case !isSealed:
		return nil, fmt.Errorf("%w: it is not encrypted", ErrCorrupt)
	case d.Seal == nil:
		return nil, fmt.Errorf("%w: it is encrypted", ErrCorrupt)
	}
	var err error
	if d.open, err = d.Seal.Open(d.open[:0], nil, body, header[:12]); err != nil {
		return nil, fmt.Errorf("%w: its key is another", ErrCorrupt)
	}
	return d.open, nil
}

// Decode reads the frame that data holds, header included. Damage is ErrCorrupt.
func (d *Decoder) Decode(data []byte) (*columnar.Batch, error) {
	size, rows, err := Body(data)
	if err != nil || len(data) < HeaderSize+size {
		return nil, ErrCorrupt
	}
	body := data[HeaderSize : HeaderSize+size]
	if crc32.Checksum(body, table) != binary.LittleEndian.Uint32(data[12:]) {
		return nil, fmt.Errorf("%w: its checksum differs", ErrCorrupt)
	}
	if body, err = d.unseal(data[:HeaderSize], body); err != nil {
		return nil, err
	}
	r := reader{rest: body}
	for i, f := range d.out.Schema.Fields {
		r.column(&d.out.Cols[i], f.Type, rows, &d.bufs[i])
	}
	if r.bad || len(r.rest) != 0 {
		return nil, fmt.Errorf("%w: its columns do not fit the schema", ErrCorrupt)
	}
	d.out.N = rows
	return &d.out, nil
}

type reader struct {
	rest []byte
	bad  bool
}

var nothing [64]byte

// take cuts n bytes off; after the end it notes the damage and gives zeros.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad = true
		if n >= 0 && n <= len(nothing) {
			return nothing[:n]
		}
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) u32() int { return int(binary.LittleEndian.Uint32(r.take(4))) }

func (r *reader) column(v *columnar.Vector, t types.Type, n int, b *buffers) {
	head := r.take(2)
	enc, flags := head[0], head[1]
	*v = columnar.Vector{Type: t, N: n}
	if flags&hasNulls != 0 {
		r.validity(v, n, b)
	}
	if r.bad {
		return
	}
	l := columnar.LayoutOf(t)
	switch enc {
	case encNone:
		r.bad = r.bad || l != columnar.NoData
	case encConst:
		r.column(v, t, 1, b)
		v.Form, v.N = columnar.Const, n
	case encDict:
		r.dict(v, t, n, b)
	case encRaw:
		v.Data = grow(&b.data, l, n)
		copy(v.Data, r.take(n*l.Width()))
	case encPacked:
		r.packed(v, l, n, b)
	case encNarrow:
		r.narrow(v, l, n, b)
	case encText:
		r.texts(v, l, n, flags, b)
	case encList:
		r.list(v, t, l, n, b)
	case encRecord:
		r.kids(v, columnar.RecordFields(t), n, b)
	default:
		r.bad = true
	}
}

func (r *reader) validity(v *columnar.Vector, n int, b *buffers) {
	words := (n + 63) / 64
	src := r.take(words * 8)
	if r.bad {
		return
	}
	if cap(b.valid) < words {
		b.valid = make(columnar.Bitmap, words+words/4)
	}
	v.Valid = b.valid[:words]
	for i := range v.Valid {
		v.Valid[i] = binary.LittleEndian.Uint64(src[i*8:])
	}
}

// grow makes *buf large enough for n values and returns that part of it.
func grow(buf *[]byte, l columnar.Layout, n int) []byte {
	if size := n * l.Width(); cap(*buf) < size {
		*buf = columnar.Make(l, n+n/4)
	}
	return (*buf)[:n*l.Width()]
}

func (r *reader) packed(v *columnar.Vector, l columnar.Layout, n int, b *buffers) {
	lo, width := int64(binary.LittleEndian.Uint64(r.take(8))), int(r.take(1)[0])
	src := r.take(n * width)
	if r.bad {
		return
	}
	v.Data = grow(&b.data, l, n)
	switch l {
	case columnar.Int16x:
		unpackInts(columnar.Of[int16](v.Data), src, lo, width)
	case columnar.Int32x:
		unpackInts(columnar.Of[int32](v.Data), src, lo, width)
	case columnar.Int64x:
		unpackInts(columnar.Of[int64](v.Data), src, lo, width)
	default:
		r.bad = true
	}
}

func (r *reader) narrow(v *columnar.Vector, l columnar.Layout, n int, b *buffers) {
	lo, width := int64(binary.LittleEndian.Uint64(r.take(8))), int(r.take(1)[0])
	src := r.take(n * width)
	if r.bad || l != columnar.Int128x {
		r.bad = true
		return
	}
	v.Data = grow(&b.data, l, n)
	// Unpack into the upper half, then widen from the front: element i lies at or behind where it is written.
	low := columnar.Of[int64](v.Data)[n:]
	unpackInts(low[:n:n], src, lo, width)
	wide := columnar.Of[types.Int128](v.Data)
	for i := range wide {
		wide[i] = types.I128(low[i])
	}
}

func (r *reader) codes(dst *[]uint32, n int) []uint32 {
	width := int(r.take(1)[0])
	src := r.take(n * width)
	if cap(*dst) < n {
		*dst = make([]uint32, n+n/4)
	}
	out := (*dst)[:n]
	if !r.bad {
		unpackCodes(out, src, width)
	}
	return out
}

func (r *reader) dict(v *columnar.Vector, t types.Type, n int, b *buffers) {
	codes := r.codes(&b.codes, n)
	if b.dict == nil {
		b.dict, b.under = &columnar.Vector{}, &buffers{}
	}
	var most uint32
	for _, c := range codes {
		most = max(most, c)
	}
	// The dictionary has as many entries as its own encoding says: it is written with its length before it.
	size := r.u32()
	r.bad = r.bad || n > 0 && int(most) >= size
	if r.bad {
		return
	}
	r.column(b.dict, t, size, b.under)
	b.dict.DictID = columnar.NextDictID()
	v.Form, v.Codes, v.Dict = columnar.Dict, codes, b.dict
}

func (r *reader) texts(v *columnar.Vector, l columnar.Layout, n int, flags byte, b *buffers) {
	lens := r.codes(&b.lens, n)
	size := r.u32()
	text := r.text(size, flags, b)
	if r.bad || l != columnar.View16 {
		r.bad = true
		return
	}
	v.Data = grow(&b.data, l, n)
	views := columnar.Of[columnar.View](v.Data)
	off := 0
	for i, n := range lens {
		end := off + int(n)
		if end > size {
			r.bad = true
			return
		}
		views[i] = columnar.MakeView(text[off:end], 0, uint32(off))
		off = end
	}
	b.bufs = append(b.bufs[:0], text)
	v.Bufs = b.bufs
}

func (r *reader) text(size int, flags byte, b *buffers) []byte {
	if flags&compressed == 0 {
		return r.take(size)
	}
	src := r.take(r.u32())
	if r.bad || size > 1<<31 {
		r.bad = true
		return nil
	}
	if cap(b.text) < size {
		b.text = make([]byte, size+size/4)
	}
	n, err := lz4.UncompressBlock(src, b.text[:size])
	r.bad = err != nil || n != size
	return b.text[:size]
}

func (r *reader) list(v *columnar.Vector, t types.Type, l columnar.Layout, n int, b *buffers) {
	lens := r.codes(&b.lens, n)
	if r.bad || l != columnar.List && l != columnar.Entries {
		r.bad = true
		return
	}
	v.Data = grow(&b.data, l, n+1)
	offs := columnar.Of[int32](v.Data)
	end := int64(0)
	offs[0] = 0
	for i, k := range lens {
		end += int64(k)
		offs[i+1] = int32(end)
	}
	if end > 1<<31-1 {
		r.bad = true
		return
	}
	fields := []types.Field{{Type: t.Elem()}}
	if l == columnar.Entries {
		fields = []types.Field{{Type: t.Key()}, {Type: t.Elem()}}
	}
	r.kids(v, fields, int(end), b)
}

func (r *reader) kids(v *columnar.Vector, fields []types.Field, n int, b *buffers) {
	if len(b.kids) < len(fields) {
		b.kids = make([]buffers, len(fields))
		b.kidsV = make([]columnar.Vector, len(fields))
	}
	v.Kids = b.kidsV
	for i, f := range fields {
		r.column(&v.Kids[i], f.Type, n, &b.kids[i])
	}
}
