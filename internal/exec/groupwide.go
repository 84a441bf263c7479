package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// wideGrouper groups by several keys of fixed width that do not fit a pair: they are packed into words, of which the last says
// which keys are null; their bits are zero then.
type wideGrouper struct {
	ts     []types.Type
	fields []pairField
	width  int      // words of a group
	vals   []uint64 // width words a group
	slots  []textSlot
	slab   []byte   // of slots
	rows   []uint64 // of the batch: width words a row
	word   []uint64 // one key of the batch
	hashes [probeRows]uint64
	out    []keyBuffers
}

// maxWide is the largest number of words.
const maxWide = 12

// newWideGrouper returns nil if the keys are not of fixed width, or too many.
func newWideGrouper(ts []types.Type) grouper {
	if len(ts) > 64 {
		return nil
	}
	g := &wideGrouper{ts: ts, fields: make([]pairField, len(ts)), out: make([]keyBuffers, len(ts))}
	var used []uint
	place := func(bits uint) (word, shift uint) {
		for w := range used {
			if used[w]+bits <= 64 {
				shift = used[w]
				used[w] += bits
				return uint(w), shift
			}
		}
		used = append(used, bits)
		return uint(len(used) - 1), 0
	}
	for width := 8; width > 0; width /= 2 { // wide ones first
		for i, t := range ts {
			l := columnar.LayoutOf(t)
			if !wordLayout(l) {
				return nil
			}
			if l.Width() == width {
				f := &g.fields[i]
				f.l, f.bits = l, uint(width*8)
				f.word, f.shift = place(f.bits)
			}
		}
	}
	g.width = len(used) + 1
	if g.width > maxWide {
		return nil
	}
	return g
}

func (g *wideGrouper) len() int { return len(g.vals) / g.width }

func (g *wideGrouper) bytes() int64 {
	return int64(cap(g.vals))*8 + int64(cap(g.slots))*8 + int64(cap(g.rows)+cap(g.word))*8
}

func (g *wideGrouper) ahead(n int) int64 {
	return int64(slotsFor(len(g.slots), g.len()+n)-len(g.slots)) * 8
}

func (g *wideGrouper) reset() {
	used := g.len()
	g.vals = g.vals[:0]
	if tooLarge(len(g.slots), used) {
		g.free()
	}
	clear(g.slots)
}

func (g *wideGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	g.pack(keys, n)
	for from := 0; from < n; from += probeRows {
		to := min(from+probeRows, n)
		g.probe(g.rows[from*g.width:to*g.width], ids[from:to])
	}
}

func (g *wideGrouper) pack(keys []columnar.Vector, n int) {
	g.rows, g.word = sized(g.rows, n*g.width), sized(g.word, n)
	clear(g.rows)
	for i := range keys {
		f, word := &g.fields[i], g.word
		loadWords(word, &keys[i], f.l)
		keep := ^uint64(0) >> (64 - f.bits)
		at, valid := int(f.word), keys[i].Valid
		if valid == nil {
			for _, w := range word {
				g.rows[at] |= (w & keep) << f.shift
				at += g.width
			}
			continue
		}
		for r, w := range word {
			if valid.Get(r) {
				g.rows[at] |= (w & keep) << f.shift
			} else {
				g.rows[(r+1)*g.width-1] |= 1 << i
			}
			at += g.width
		}
	}
}

func wideHash(key []uint64) uint64 {
	h := uint64(0)
	for _, w := range key {
		h = mixWord(h, w)
	}
	return h
}

func (g *wideGrouper) rehash(n int) {
	size := slotsFor(0, n)
	g.free()
	g.slots, g.slab = memory.Slots[textSlot](memory.Buffers, size)
	mask := uint32(size - 1)
	for i := range g.len() {
		h := wideHash(g.vals[i*g.width : (i+1)*g.width])
		s := uint32(h)
		for g.slots[s&mask].group != 0 {
			s++
		}
		g.slots[s&mask] = textSlot{tag: uint32(h >> 32), group: uint32(i) + 1}
	}
}

func (g *wideGrouper) probe(rows []uint64, ids []uint32) {
	if 2*(g.len()+len(ids)) > len(g.slots) {
		g.rehash(g.len() + len(ids))
	}
	h := g.hashes[:len(ids)]
	for i := range h {
		h[i] = wideHash(rows[i*g.width : (i+1)*g.width])
	}
	mask := uint32(len(g.slots) - 1)
	for i := range ids {
		ids[i] = g.find(rows[i*g.width:(i+1)*g.width], h[i], mask)
	}
}

func (g *wideGrouper) find(key []uint64, h uint64, mask uint32) uint32 {
	tag := uint32(h >> 32)
	for s := uint32(h); ; s++ {
		p := &g.slots[s&mask]
		if p.group == 0 {
			g.vals = append(g.vals, key...)
			*p = textSlot{tag: tag, group: uint32(g.len())}
			return p.group - 1
		}
		if p.tag == tag && sameWords(key, g.vals[int(p.group-1)*g.width:]) {
			return p.group - 1
		}
	}
}

// sameWords says whether b begins with a.
func sameWords(a, b []uint64) bool {
	b = b[:len(a)]
	for i, w := range a {
		if w != b[i] {
			return false
		}
	}
	return true
}

func (g *wideGrouper) keys(out []columnar.Vector, from, to int) {
	n := to - from
	g.word = sized(g.word, n)
	vals := g.vals[from*g.width : to*g.width]
	nulls := uint64(0)
	for at := g.width - 1; at < len(vals); at += g.width {
		nulls |= vals[at]
	}
	for i := range g.fields {
		f := &g.fields[i]
		v := g.out[i].flat(g.ts[i], n)
		for r, at := 0, int(f.word); r < n; r, at = r+1, at+g.width {
			g.word[r] = vals[at] >> f.shift
		}
		storeWords(&v, f.l, g.word)
		if nulls>>i&1 != 0 {
			v.Valid = g.out[i].bits(n)
			for r, at := 0, g.width-1; r < n; r, at = r+1, at+g.width {
				if vals[at]>>i&1 != 0 {
					v.Valid.Clear(r)
				}
			}
		}
		out[i] = v
	}
}

func (g *wideGrouper) free() {
	memory.Buffers.Put(g.slab)
	g.slots, g.slab = nil, nil
}
