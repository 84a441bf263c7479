package shuffle

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// The first batches of a partition are small, so that many partitions of few rows take little memory. One that begins with
// firstRows or fewer has no room for more, for it may be all that a small task has. The values of so many rows fill slabs,
// padding included, however wide they are.
var binRows = [...]int{256 - memory.Pad, 1024 - memory.Pad, 4096 - memory.Pad}

const firstRows = 16

// bins collect rows by partition in slabs. Full bins go to emit as batches; whoever has them gives the slabs back by free.
type bins struct {
	schema  *types.Schema
	layouts []columnar.Layout
	parts   []bin
	emit    func(part int, b *columnar.Batch) error
	flat    []kernel.Scratch
	cols    []columnar.Vector
	pending int64             // bytes in bins that are not full, estimated
	coders  []*columnar.Coder // by column: of texts that come as rows of dictionaries and are kept so; nil: kept flat
	coded   [][]uint32        // the codes of the batch being added
	begun   bool
}

type bin struct {
	cols  []binColumn
	n     int
	room  int // rows
	step  int // of binRows
	begun bool
	bytes int64
}

// binColumn is a column of a bin.
type binColumn struct {
	data   []byte
	valid  columnar.Bitmap // nil: no nulls so far
	bufs   [][]byte
	nested *columnar.Appender
}

func newBins(schema *types.Schema, parts int, emit func(int, *columnar.Batch) error) *bins {
	s := &bins{schema: schema, parts: make([]bin, parts), emit: emit,
		flat: make([]kernel.Scratch, len(schema.Fields)), cols: make([]columnar.Vector, len(schema.Fields)),
		coders: make([]*columnar.Coder, len(schema.Fields)), coded: make([][]uint32, len(schema.Fields))}
	for _, f := range schema.Fields {
		s.layouts = append(s.layouts, columnar.LayoutOf(f.Type))
	}
	return s
}

// size estimates the bytes that the rows of b take once copied.
func size(b *columnar.Batch) int64 {
	var n int64
	for i := range b.Cols {
		n += vectorSize(&b.Cols[i], b.N)
	}
	return n
}

func vectorSize(v *columnar.Vector, rows int) int64 {
	l := columnar.LayoutOf(v.Type)
	n := int64(l.Width()*rows) + int64(rows/8)
	if v.Form == columnar.Dict {
		if v.Dict.N == 0 {
			return n
		}
		whole := vectorSize(v.Dict, v.Dict.N)
		return max(n, whole*int64(rows)/int64(v.Dict.N))
	}
	if l == columnar.View16 {
		for _, w := range columnar.Of[columnar.View](v.Data) {
			if w.Len > columnar.InlineMax {
				n += int64(w.Len)
			}
		}
	}
	for i := range v.Kids {
		n += vectorSize(&v.Kids[i], v.Kids[i].N)
	}
	return n
}

// add copies the rows of b to their bins. bytes is their estimated size.
func (s *bins) add(b *columnar.Batch, order, bounds []uint32, bytes int64) error {
	if err := s.load(b); err != nil {
		return err
	}
	s.pending += bytes
	for p := range s.parts {
		n := b.N
		if order != nil {
			n = int(bounds[p+1] - bounds[p])
		}
		perRow := bytes / int64(max(b.N, 1))
		for from := 0; from < n; {
			k := &s.parts[p]
			s.open(k, n-from)
			m := min(n-from, k.room-k.n)
			if order != nil {
				at := int(bounds[p]) + from
				s.gather(k, order[at:at+m])
			} else {
				s.copy(k, from, m)
			}
			k.n += m
			k.bytes += perRow * int64(m)
			from += m
			if k.n == k.room {
				if err := s.cut(p); err != nil {
					return err
				}
			}
		}
		if order == nil {
			return nil
		}
	}
	return nil
}

// load brings the columns of b into the forms in which bins keep them. The first batch tells which texts are kept as codes; a
// column that comes otherwise later is kept flat from then on.
func (s *bins) load(b *columnar.Batch) error {
	for i := range b.Cols {
		v := &b.Cols[i]
		codable := s.layouts[i] == columnar.View16 && columnar.Codable(v)
		if codable && !s.begun {
			s.coders[i] = columnar.NewCoder(s.schema.Fields[i].Type)
		}
		if s.coders[i] != nil && !codable {
			if err := s.flush(); err != nil {
				return err
			}
			s.coders[i] = nil
		}
	}
	s.begun = true
	for i := range b.Cols {
		v := &b.Cols[i]
		c := s.coders[i]
		if c == nil {
			s.flat[i].Reset()
			s.cols[i] = s.flat[i].Flatten(v)
			continue
		}
		if cap(s.coded[i]) < b.N {
			s.coded[i] = make([]uint32, b.N+b.N/4)
		}
		codes := s.coded[i][:b.N]
		c.Codes(codes, v)
		s.cols[i] = columnar.Vector{Type: types.Int, N: b.N, Valid: v.Valid, Data: columnar.Bytes(codes)}
	}
	return nil
}

// width is the number of bytes that a row takes in the slab of column i.
func (s *bins) width(i int) int {
	if s.coders[i] != nil {
		return 4
	}
	return s.layouts[i].Width()
}

// open gives an empty bin its slabs; rows are there for it.
func (s *bins) open(k *bin, rows int) {
	if k.room > 0 {
		return
	}
	if !k.begun && rows <= firstRows {
		k.room = firstRows
	} else {
		k.room = binRows[k.step]
		k.step = min(k.step+1, len(binRows)-1)
	}
	k.begun = true
	k.cols = make([]binColumn, len(s.cols))
	for i, l := range s.layouts {
		if l >= columnar.List {
			k.cols[i].nested = columnar.NewAppender(s.schema.Fields[i].Type)
		} else if k.room == firstRows && l != columnar.NoData {
			k.cols[i].data = columnar.Make(columnar.Int8x, firstRows*s.width(i)) // the smallest slab is much larger
		} else if l != columnar.NoData {
			k.cols[i].data = memory.Buffers.Get(k.room * s.width(i))
		}
	}
}

// gather appends the rows that sel names.
func (s *bins) gather(k *bin, sel []uint32) {
	for i := range k.cols {
		c, v := &k.cols[i], &s.cols[i]
		if c.nested != nil {
			c.nested.AppendRows(v, sel)
			continue
		}
		if v.Valid != nil || c.valid != nil {
			c.markRows(v.Valid, sel, k.n, k.room)
		}
		w := s.width(i)
		dst := c.data[k.n*w : (k.n+len(sel))*w]
		switch w {
		case 1:
			columnar.GatherInto(dst, v.Data, sel)
		case 2:
			columnar.GatherInto(columnar.Of[int16](dst), columnar.Of[int16](v.Data), sel)
		case 4:
			columnar.GatherInto(columnar.Of[uint32](dst), columnar.Of[uint32](v.Data), sel)
		case 8:
			columnar.GatherInto(columnar.Of[uint64](dst), columnar.Of[uint64](v.Data), sel)
		case 16:
			columnar.GatherInto(columnar.Of[columnar.View](dst), columnar.Of[columnar.View](v.Data), sel)
		}
		if s.layouts[i] == columnar.View16 && s.coders[i] == nil {
			c.own(columnar.Of[columnar.View](dst), v.Bufs, k.n)
		}
	}
}

// copy appends n rows from row from on.
func (s *bins) copy(k *bin, from, n int) {
	for i := range k.cols {
		c, v := &k.cols[i], &s.cols[i]
		if c.nested != nil {
			part := v.Slice(from, from+n)
			c.nested.AppendVector(&part)
			continue
		}
		if v.Valid != nil || c.valid != nil {
			c.mark(v.Valid, from, n, k.n, k.room)
		}
		w := s.width(i)
		dst := c.data[k.n*w : (k.n+n)*w]
		copy(dst, v.Data[from*w:])
		if s.layouts[i] == columnar.View16 && s.coders[i] == nil {
			c.own(columnar.Of[columnar.View](dst), v.Bufs, k.n)
		}
	}
}

// startNulls makes the validity of a bin that had no nulls so far.
func (c *binColumn) startNulls(room int) {
	if c.valid == nil {
		c.valid = columnar.FullBitmap(room)
	}
}

// markRows clears the bits of null rows; at is the number of rows before them.
func (c *binColumn) markRows(valid columnar.Bitmap, sel []uint32, at, room int) {
	c.startNulls(room)
	if valid == nil {
		return
	}
	for i, r := range sel {
		if !valid.Get(int(r)) {
			c.valid.Clear(at + i)
		}
	}
}

func (c *binColumn) mark(valid columnar.Bitmap, from, n, at, room int) {
	c.startNulls(room)
	if valid == nil {
		return
	}
	for i := range n {
		if !valid.Get(from + i) {
			c.valid.Clear(at + i)
		}
	}
}

// own copies long texts to the bin's slabs; at is the number of rows before the views. Null rows become empty.
func (c *binColumn) own(views []columnar.View, bufs [][]byte, at int) {
	for i := range views {
		w := &views[i]
		if c.valid != nil && !c.valid.Get(at+i) {
			*w = columnar.View{}
			continue
		}
		if w.Len > columnar.InlineMax {
			w.Buf, w.Off = c.keep(columnar.ViewBytes(w, bufs))
		}
	}
}

func (c *binColumn) keep(text []byte) (buf, off uint32) {
	last := len(c.bufs) - 1
	if last < 0 || len(c.bufs[last])+len(text) > cap(c.bufs[last])-memory.Pad {
		size := 8 << 10 << min(2*len(c.bufs), 5)
		c.bufs = append(c.bufs, memory.Buffers.Get(max(size-memory.Pad, len(text)))[:0])
		last++
	}
	off = uint32(len(c.bufs[last]))
	c.bufs[last] = append(c.bufs[last], text...)
	return uint32(last), off
}

// cut empties a bin into a batch.
func (s *bins) cut(p int) error {
	k := &s.parts[p]
	if k.n == 0 {
		return nil
	}
	b := &columnar.Batch{Schema: s.schema, N: k.n, Cols: make([]columnar.Vector, len(k.cols))}
	for i := range k.cols {
		c := &k.cols[i]
		if c.nested != nil {
			b.Cols[i] = c.nested.Finish()
			continue
		}
		v := columnar.Vector{Type: s.schema.Fields[i].Type, N: k.n, Data: c.data, Bufs: c.bufs}
		if coder := s.coders[i]; coder != nil {
			coder.Seal()
			v.Form, v.Dict, v.Data = columnar.Dict, coder.Dict(), nil
			v.Codes = columnar.Of[uint32](c.data[:cap(c.data)])[:k.n] // the whole slab, for free
		} else if w := s.width(i); w > 0 {
			v.Data = c.data[:k.n*w]
		}
		if c.valid != nil {
			v.Valid = c.valid[:(k.n+63)/64]
			if r := k.n % 64; r != 0 {
				v.Valid[len(v.Valid)-1] &= 1<<r - 1
			}
		}
		b.Cols[i] = v
	}
	s.pending -= k.bytes
	*k = bin{step: k.step, begun: true}
	return s.emit(p, b)
}

// flush cuts all bins.
func (s *bins) flush() error {
	for p := range s.parts {
		if err := s.cut(p); err != nil {
			return err
		}
	}
	return nil
}

// drop gives the slabs of rows that were never cut back.
func (s *bins) drop() {
	for p := range s.parts {
		for i := range s.parts[p].cols {
			c := &s.parts[p].cols[i]
			memory.Buffers.Put(c.data)
			for _, b := range c.bufs {
				memory.Buffers.Put(b)
			}
		}
		s.parts[p] = bin{}
	}
}

// free gives the slabs of a batch back.
func free(b *columnar.Batch) {
	for i := range b.Cols {
		v := &b.Cols[i]
		if columnar.LayoutOf(v.Type) >= columnar.List {
			continue
		}
		memory.Buffers.Put(v.Data)
		memory.Buffers.Put(columnar.Bytes(v.Codes[:cap(v.Codes)]))
		for _, t := range v.Bufs {
			memory.Buffers.Put(t)
		}
		v.Data, v.Bufs, v.Codes = nil, nil, nil
	}
}
