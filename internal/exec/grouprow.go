package exec

import (
	"bytes"
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// rowGrouper groups by any keys: each row's keys are written as a string of bytes that is equal for equal keys, and the
// bytes are hashed and compared. A row is a bit per key for null, the fixed-width values, a 4-byte length for each key
// of variable length, and their bytes.
type rowGrouper struct {
	ts     []types.Type
	fields []rowField
	fixed  int // bytes before the variable parts

	addr   []rowAddr // by group
	chunks [][]byte
	held   int64
	slots  []textSlot
	slab   []byte               // of slots
	nested []*columnar.Appender // by key; nil for keys that are read back from the bytes
	done   []columnar.Vector    // what nested collected, once it is asked for

	buf    []byte // rows of the batch
	ends   []uint32
	cursor []uint32
	hashes []uint64
	parts  []nestedPart
	fresh  []uint32 // rows that made a new group
	out    []keyBuffers
}

type rowField struct {
	l  columnar.Layout
	at int
}

type rowAddr struct{ chunk, off, size uint32 }

type nestedPart struct {
	buf  []byte
	ends []uint32
}

func isNested(l columnar.Layout) bool { return l >= columnar.List }

func newRowGrouper(ts []types.Type) *rowGrouper {
	g := &rowGrouper{ts: ts, fields: make([]rowField, len(ts)), out: make([]keyBuffers, len(ts)),
		nested: make([]*columnar.Appender, len(ts)), parts: make([]nestedPart, len(ts))}
	at := (len(ts) + 7) / 8
	for i, t := range ts {
		l := columnar.LayoutOf(t)
		g.fields[i] = rowField{l, at}
		switch {
		case l == columnar.View16 || isNested(l):
			at += 4
		default:
			at += l.Width()
		}
	}
	g.fixed = at
	g.reset()
	return g
}

func (g *rowGrouper) len() int { return len(g.addr) }

func (g *rowGrouper) bytes() int64 {
	n := int64(cap(g.addr))*12 + g.held + int64(cap(g.slots))*8 + int64(cap(g.buf))
	for _, a := range g.nested {
		if a != nil {
			n += a.Bytes()
		}
	}
	return n
}

func (g *rowGrouper) ahead(n int) int64 {
	return int64(slotsFor(len(g.slots), len(g.addr)+n)-len(g.slots)) * 8
}

func (g *rowGrouper) reset() {
	used := len(g.addr)
	g.addr = g.addr[:0]
	if tooLarge(len(g.slots), used) {
		g.free()
	}
	clear(g.slots)
	if len(g.chunks) > 0 {
		g.chunks = g.chunks[:1]
		g.chunks[0] = g.chunks[0][:0]
		g.held = int64(cap(g.chunks[0]))
	}
	g.done = nil
	for i, t := range g.ts {
		if isNested(g.fields[i].l) {
			g.nested[i] = columnar.NewAppender(t)
		}
	}
}

func (g *rowGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	g.encode(keys, n)
	if 2*(len(g.addr)+n) > len(g.slots) {
		g.rehash(len(g.addr) + n)
	}
	start := uint32(0)
	for i, end := range g.ends {
		g.hashes[i] = xxh3.Hash(g.buf[start:end])
		start = end
	}
	g.fresh = g.fresh[:0]
	mask := uint32(len(g.slots) - 1)
	start = 0
	for i, end := range g.ends {
		ids[i] = g.find(g.buf[start:end], g.hashes[i], mask, i)
		start = end
	}
	g.keepNested(keys)
}

// encode writes the rows of the batch to g.buf.
func (g *rowGrouper) encode(keys []columnar.Vector, n int) {
	g.measure(keys, n)
	clear(g.buf)
	for i := range keys {
		g.put(i, &keys[i], n)
	}
}

// measure computes where each row ends.
func (g *rowGrouper) measure(keys []columnar.Vector, n int) {
	if cap(g.ends) < n {
		g.ends, g.cursor, g.hashes = make([]uint32, n+n/4), make([]uint32, n+n/4), make([]uint64, n+n/4)
	}
	g.ends, g.cursor, g.hashes = g.ends[:n], g.cursor[:n], g.hashes[:n]
	for i := range g.ends {
		g.ends[i] = uint32(g.fixed)
	}
	for k := range keys {
		v := &keys[k]
		switch l := g.fields[k].l; {
		case l == columnar.View16:
			views := columnar.Of[columnar.View](v.Data)[:n]
			for i := range views {
				if v.Valid == nil || v.Valid.Get(i) {
					g.ends[i] += views[i].Len
				}
			}
		case isNested(l):
			g.encodeNested(k, v, n)
		}
	}
	total := uint32(0)
	for i, size := range g.ends {
		g.cursor[i] = total + uint32(g.fixed)
		total += size
		g.ends[i] = total
	}
	if cap(g.buf) < int(total) {
		g.buf = columnar.Make(columnar.Int8x, int(total+total/4))
	}
	g.buf = g.buf[:total]
}

func (g *rowGrouper) rowStart(i int) int {
	if i == 0 {
		return 0
	}
	return int(g.ends[i-1])
}

// put writes key k of all rows.
func (g *rowGrouper) put(k int, v *columnar.Vector, n int) {
	f := g.fields[k]
	if v.MayHaveNulls() {
		for i := range n {
			if v.Null(i) {
				g.buf[g.rowStart(i)+k/8] |= 1 << (k % 8)
			}
		}
	}
	switch {
	case f.l == columnar.View16:
		g.putTexts(f.at, v, n)
	case isNested(f.l):
		g.putNested(k, v, n)
	default:
		g.putFixed(f, v, n)
	}
}

func (g *rowGrouper) putFixed(f rowField, v *columnar.Vector, n int) {
	w := f.l.Width()
	switch {
	case v.Valid != nil:
		for i := range n {
			if v.Valid.Get(i) {
				putKey(g.buf[g.rowStart(i)+f.at:], v, f.l, w, i)
			}
		}
	case f.l == columnar.Int32x:
		at := uint32(f.at)
		for i, x := range columnar.Of[uint32](v.Data)[:n] {
			binary.LittleEndian.PutUint32(g.buf[at:], x)
			at = g.ends[i] + uint32(f.at)
		}
	case f.l == columnar.Int64x:
		at := uint32(f.at)
		for i, x := range columnar.Of[uint64](v.Data)[:n] {
			binary.LittleEndian.PutUint64(g.buf[at:], x)
			at = g.ends[i] + uint32(f.at)
		}
	default:
		for i := range n {
			putKey(g.buf[g.rowStart(i)+f.at:], v, f.l, w, i)
		}
	}
}

// putKey writes the bytes of one fixed-width value, zeros and NaNs made equal.
func putKey(dst []byte, v *columnar.Vector, l columnar.Layout, w, i int) {
	switch l {
	case columnar.Float32x:
		binary.LittleEndian.PutUint32(dst, floatBits(columnar.Of[float32](v.Data)[i]))
	case columnar.Float64x:
		binary.LittleEndian.PutUint64(dst, doubleBits(columnar.Of[float64](v.Data)[i]))
	default:
		copy(dst[:w], v.Data[i*w:])
	}
}

func (g *rowGrouper) putTexts(at int, v *columnar.Vector, n int) {
	views := columnar.Of[columnar.View](v.Data)[:n]
	for i := range views {
		if v.Valid != nil && !v.Valid.Get(i) {
			continue
		}
		text := columnar.ViewBytes(&views[i], v.Bufs)
		binary.LittleEndian.PutUint32(g.buf[g.rowStart(i)+at:], uint32(len(text)))
		copy(g.buf[g.cursor[i]:], text)
		g.cursor[i] += uint32(len(text))
	}
}

// encodeNested writes nested values to a buffer of their own and adds their sizes to the rows.
func (g *rowGrouper) encodeNested(k int, v *columnar.Vector, n int) {
	p := &g.parts[k]
	p.buf, p.ends = p.buf[:0], p.ends[:0]
	deep := deepFlat(v)
	for i := range n {
		before := len(p.buf)
		if v.Valid == nil || v.Valid.Get(i) {
			p.buf = appendKey(p.buf, &deep, i)
		}
		p.ends = append(p.ends, uint32(len(p.buf)))
		g.ends[i] += uint32(len(p.buf) - before)
	}
}

func (g *rowGrouper) putNested(k int, v *columnar.Vector, n int) {
	p, start := &g.parts[k], uint32(0)
	for i := range n {
		part := p.buf[start:p.ends[i]]
		start = p.ends[i]
		binary.LittleEndian.PutUint32(g.buf[g.rowStart(i)+g.fields[k].at:], uint32(len(part)))
		copy(g.buf[g.cursor[i]:], part)
		g.cursor[i] += uint32(len(part))
	}
}

// deepFlat is v with all vectors below it flat.
func deepFlat(v *columnar.Vector) columnar.Vector {
	out := v.Flatten()
	if len(out.Kids) > 0 {
		kids := make([]columnar.Vector, len(out.Kids))
		for i := range kids {
			kids[i] = deepFlat(&out.Kids[i])
		}
		out.Kids = kids
	}
	return out
}

// appendKey writes one value so that equal values have equal bytes: 0 for null, else 1 and the value.
func appendKey(dst []byte, v *columnar.Vector, i int) []byte {
	if v.Null(i) {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch l := columnar.LayoutOf(v.Type); l {
	case columnar.View16:
		text := v.Text(i)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
		return append(dst, text...)
	case columnar.List, columnar.Entries:
		offs := columnar.Of[int32](v.Data)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(offs[i+1]-offs[i]))
		for e := offs[i]; e < offs[i+1]; e++ {
			for k := range v.Kids {
				dst = appendKey(dst, &v.Kids[k], int(e))
			}
		}
		return dst
	case columnar.Record:
		for k := range v.Kids {
			dst = appendKey(dst, &v.Kids[k], i)
		}
		return dst
	default:
		w := l.Width()
		var b [16]byte
		putKey(b[:], v, l, w, i)
		return append(dst, b[:w]...)
	}
}

func (g *rowGrouper) rehash(n int) {
	size := slotsFor(0, n)
	g.free()
	g.slots, g.slab = memory.Slots[textSlot](memory.Buffers, size)
	mask := uint32(size - 1)
	for i, a := range g.addr {
		h := xxh3.Hash(g.chunks[a.chunk][a.off : a.off+a.size])
		s := uint32(h)
		for g.slots[s&mask].group != 0 {
			s++
		}
		g.slots[s&mask] = textSlot{tag: uint32(h >> 32), group: uint32(i) + 1}
	}
}

func (g *rowGrouper) find(row []byte, h uint64, mask uint32, i int) uint32 {
	tag := uint32(h >> 32)
	for s := uint32(h); ; s++ {
		p := &g.slots[s&mask]
		if p.group == 0 {
			g.addr = append(g.addr, g.keep(row))
			g.fresh = append(g.fresh, uint32(i))
			*p = textSlot{tag: tag, group: uint32(len(g.addr))}
			return p.group - 1
		}
		if p.tag != tag {
			continue
		}
		a := g.addr[p.group-1]
		if bytes.Equal(row, g.chunks[a.chunk][a.off:a.off+a.size]) {
			return p.group - 1
		}
	}
}

func (g *rowGrouper) keep(row []byte) rowAddr {
	last := len(g.chunks) - 1
	if last < 0 || len(g.chunks[last])+len(row) > cap(g.chunks[last]) {
		size := textChunk
		if last < 0 {
			size = 16 << 10
		} else if c := 2 * cap(g.chunks[last]); c < size {
			size = c
		}
		size = max(size, len(row))
		g.chunks = append(g.chunks, make([]byte, 0, size))
		g.held += int64(size)
		last++
	}
	off := len(g.chunks[last])
	g.chunks[last] = append(g.chunks[last], row...)
	return rowAddr{uint32(last), uint32(off), uint32(len(row))}
}

// keepNested copies nested keys of new groups, for they cannot be read back from the bytes.
func (g *rowGrouper) keepNested(keys []columnar.Vector) {
	for i, a := range g.nested {
		if a != nil && len(g.fresh) > 0 {
			a.AppendRows(&keys[i], g.fresh)
		}
	}
}

func (g *rowGrouper) keys(out []columnar.Vector, from, to int) {
	if g.done == nil {
		g.done = make([]columnar.Vector, len(g.ts))
		for i, a := range g.nested {
			if a != nil {
				g.done[i] = a.Finish()
			}
		}
	}
	for k, f := range g.fields {
		switch {
		case isNested(f.l):
			out[k] = g.done[k].Window(from&^63, to)
			if from&63 != 0 {
				out[k] = g.done[k].Slice(from, to)
			}
		default:
			out[k] = g.column(k, from, to)
		}
	}
}

// column reads a key of groups [from, to) back from the bytes.
func (g *rowGrouper) column(k, from, to int) columnar.Vector {
	f := g.fields[k]
	v := g.out[k].flat(g.ts[k], to-from)
	w := f.l.Width()
	clear(v.Data)
	for i, a := range g.addr[from:to] {
		row := g.chunks[a.chunk][a.off : a.off+a.size]
		switch {
		case row[k/8]>>(k%8)&1 != 0:
			if v.Valid == nil {
				v.Valid = g.out[k].bits(to - from)
			}
			v.Valid.Clear(i)
		case f.l == columnar.View16:
			columnar.Of[columnar.View](v.Data)[i] = g.view(k, row, a)
		default:
			copy(v.Data[i*w:(i+1)*w], row[f.at:])
		}
	}
	v.Bufs = g.chunks
	return v
}

// view is the text of key k: behind the texts and nested values of the keys before it.
func (g *rowGrouper) view(k int, row []byte, a rowAddr) columnar.View {
	at := uint32(g.fixed)
	for i := range k {
		if l := g.fields[i].l; l == columnar.View16 || isNested(l) {
			at += binary.LittleEndian.Uint32(row[g.fields[i].at:])
		}
	}
	n := binary.LittleEndian.Uint32(row[g.fields[k].at:])
	return columnar.MakeView(row[at:at+n], a.chunk, a.off+at)
}

func (g *rowGrouper) free() {
	memory.Buffers.Put(g.slab)
	g.slots, g.slab = nil, nil
}
