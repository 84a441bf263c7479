package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// textGrouper groups by one STRING or BINARY key. It keeps a view per group; long texts lie in its own chunks.
type textGrouper struct {
	t      types.Type
	views  []columnar.View // by group
	bufs   [][]byte
	null   uint32 // group of null + 1
	slots  []textSlot
	slab   []byte // of slots
	hashes [probeRows]uint64
	out    keyBuffers
	held   int64
}

// textSlot: 8 bytes; the text is compared only when the upper half of the hash agrees.
type textSlot struct {
	tag   uint32
	group uint32 // + 1; 0: empty
}

const textChunk = 1 << 20

func newTextGrouper(t types.Type) *textGrouper { return &textGrouper{t: t} }

func (g *textGrouper) len() int { return len(g.views) }

func (g *textGrouper) bytes() int64 {
	return int64(cap(g.views))*16 + int64(cap(g.slots))*8 + g.held
}

func (g *textGrouper) ahead(n int) int64 {
	return int64(slotsFor(len(g.slots), len(g.views)+n)-len(g.slots)) * 8
}

func (g *textGrouper) reset() {
	used := len(g.views)
	g.views, g.null = g.views[:0], 0
	if tooLarge(len(g.slots), used) {
		g.free()
	}
	clear(g.slots)
	if len(g.bufs) > 0 {
		g.bufs = g.bufs[:1]
		g.bufs[0] = g.bufs[0][:0]
		g.held = int64(cap(g.bufs[0]))
	}
}

func (g *textGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	v := &keys[0]
	views := columnar.Of[columnar.View](v.Data)[:n]
	for from := 0; from < n; from += probeRows {
		to := min(from+probeRows, n)
		g.probe(views[from:to], v, from, ids[from:to])
	}
}

func (g *textGrouper) rehash(n int) {
	size := slotsFor(0, n)
	g.free()
	g.slots, g.slab = memory.Slots[textSlot](memory.Buffers, size)
	mask := uint32(size - 1)
	for i := range g.views {
		if uint32(i)+1 == g.null {
			continue
		}
		h := textHash(&g.views[i], g.bufs)
		s := uint32(h)
		for g.slots[s&mask].group != 0 {
			s++
		}
		g.slots[s&mask] = textSlot{tag: uint32(h >> 32), group: uint32(i) + 1}
	}
}

func (g *textGrouper) probe(views []columnar.View, v *columnar.Vector, base int, ids []uint32) {
	if 2*(len(g.views)+len(views)) > len(g.slots) {
		g.rehash(len(g.views) + len(views))
	}
	h := g.hashes[:len(views)]
	for i := range views {
		if v.Valid == nil || v.Valid.Get(base+i) {
			h[i] = textHash(&views[i], v.Bufs)
		}
	}
	mask := uint32(len(g.slots) - 1)
	for i := range views {
		if v.Valid != nil && !v.Valid.Get(base+i) {
			ids[i] = g.nullGroup()
			continue
		}
		ids[i] = g.find(&views[i], v.Bufs, h[i], mask)
	}
}

func (g *textGrouper) find(w *columnar.View, bufs [][]byte, h uint64, mask uint32) uint32 {
	tag := uint32(h >> 32)
	for s := uint32(h); ; s++ {
		p := &g.slots[s&mask]
		if p.group == 0 {
			*p = textSlot{tag: tag, group: g.add(w, bufs) + 1}
			return p.group - 1
		}
		if p.tag == tag && columnar.ViewEqual(w, bufs, &g.views[p.group-1], g.bufs) {
			return p.group - 1
		}
	}
}

// add keeps a text as the next group.
func (g *textGrouper) add(w *columnar.View, bufs [][]byte) uint32 {
	own := *w
	if w.Len > columnar.InlineMax {
		own.Buf, own.Off = g.keep(columnar.ViewBytes(w, bufs))
	}
	g.views = append(g.views, own)
	return uint32(len(g.views) - 1)
}

func (g *textGrouper) keep(text []byte) (buf, off uint32) {
	last := len(g.bufs) - 1
	if last < 0 || len(g.bufs[last])+len(text) > cap(g.bufs[last]) {
		size := textChunk
		if last < 0 {
			size = 16 << 10
		} else if c := 2 * cap(g.bufs[last]); c < size {
			size = c
		}
		size = max(size, len(text))
		g.bufs = append(g.bufs, make([]byte, 0, size))
		g.held += int64(size)
		last++
	}
	off = uint32(len(g.bufs[last]))
	g.bufs[last] = append(g.bufs[last], text...)
	return uint32(last), off
}

func (g *textGrouper) nullGroup() uint32 {
	if g.null == 0 {
		g.views = append(g.views, columnar.View{})
		g.null = uint32(len(g.views))
	}
	return g.null - 1
}

func (g *textGrouper) keys(out []columnar.Vector, from, to int) {
	v := columnar.Vector{Type: g.t, N: to - from, Data: columnar.Bytes(g.views[from:to]), Bufs: g.bufs}
	if g.null > 0 && int(g.null-1) >= from && int(g.null-1) < to {
		v.Valid = g.out.bits(to - from)
		v.Valid.Clear(int(g.null-1) - from)
	}
	out[0] = v
}

func (g *textGrouper) free() {
	memory.Buffers.Put(g.slab)
	g.slots, g.slab = nil, nil
}
