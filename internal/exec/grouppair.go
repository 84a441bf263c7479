package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// pairGrouper groups by several keys that fit 16 bytes together, packed into two words, with a mask of those that are
// null, whose values are zero then.
type pairGrouper struct {
	ts     []types.Type
	fields []pairField
	vals   []pair   // by group
	nulls  []uint32 // by group
	slots  []pairSlot
	slab   []byte // of slots
	shift  uint
	rows   []pair
	mask   []uint32 // of the batch's rows
	word   []uint64
	hashes [probeRows]uint32
	out    []keyBuffers
	words  []uint64
}

type pair [2]uint64

type pairSlot struct {
	key   pair
	group uint32 // + 1; 0: empty
	nulls uint32
}

// pairField says which bits of which word a key has.
type pairField struct {
	l                 columnar.Layout
	word, shift, bits uint
}

// newPairGrouper returns nil if the keys do not fit.
func newPairGrouper(ts []types.Type) grouper {
	if len(ts) > 16 {
		return nil
	}
	g := &pairGrouper{ts: ts, fields: make([]pairField, len(ts)), out: make([]keyBuffers, len(ts))}
	var used [2]uint
	place := func(bits uint) (word, shift uint, ok bool) {
		for w := range uint(2) {
			if used[w]+bits <= 64 {
				shift = used[w]
				used[w] += bits
				return w, shift, true
			}
		}
		return 0, 0, false
	}
	for width := 8; width > 0; width /= 2 { // wide ones first
		for i, t := range ts {
			l := columnar.LayoutOf(t)
			if !wordLayout(l) {
				return nil
			}
			if l.Width() != width {
				continue
			}
			f, ok := &g.fields[i], false
			f.l, f.bits = l, uint(width*8)
			if f.word, f.shift, ok = place(f.bits); !ok {
				return nil
			}
		}
	}
	return g
}

func (g *pairGrouper) len() int { return len(g.vals) }

func (g *pairGrouper) bytes() int64 {
	return int64(cap(g.vals))*16 + int64(cap(g.nulls))*4 + int64(cap(g.slots))*24 + int64(cap(g.rows))*28
}

func (g *pairGrouper) ahead(n int) int64 {
	return int64(slotsFor(len(g.slots), len(g.vals)+n)-len(g.slots)) * 24
}

func (g *pairGrouper) reset() {
	used := len(g.vals)
	g.vals, g.nulls = g.vals[:0], g.nulls[:0]
	if tooLarge(len(g.slots), used) {
		g.free()
	}
	clear(g.slots)
}

func (g *pairGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	g.pack(keys, n)
	for from := 0; from < n; from += probeRows {
		to := min(from+probeRows, n)
		g.probe(g.rows[from:to], g.mask[from:to], ids[from:to])
	}
}

func (g *pairGrouper) pack(keys []columnar.Vector, n int) {
	if cap(g.rows) < n {
		g.rows, g.word, g.mask = make([]pair, n+n/4), make([]uint64, n+n/4), make([]uint32, n+n/4)
	}
	g.rows, g.mask = g.rows[:n], g.mask[:n]
	clear(g.rows)
	clear(g.mask)
	for i := range keys {
		f, word := &g.fields[i], g.word[:n]
		loadWords(word, &keys[i], f.l)
		mask := ^uint64(0) >> (64 - f.bits)
		valid := keys[i].Valid
		if valid == nil {
			for r, w := range word {
				g.rows[r][f.word] |= (w & mask) << f.shift
			}
			continue
		}
		for r, w := range word {
			if valid.Get(r) {
				g.rows[r][f.word] |= (w & mask) << f.shift
			} else {
				g.mask[r] |= 1 << i
			}
		}
	}
}

func pairHash(p pair, nulls uint32) uint64 { return mixWord(p[0]+uint64(nulls), p[1]*hashMul) }

func (g *pairGrouper) rehash(n int) {
	size := slotsFor(0, n)
	g.free()
	g.slots, g.slab = memory.Slots[pairSlot](memory.Buffers, size)
	g.shift = 64 - log2(size)
	mask := uint32(size - 1)
	for i, v := range g.vals {
		h := pairHash(v, g.nulls[i])
		s := uint32(h >> g.shift)
		for g.slots[s&mask].group != 0 {
			s++
		}
		g.slots[s&mask] = pairSlot{key: v, group: uint32(i) + 1, nulls: g.nulls[i]}
	}
}

func (g *pairGrouper) probe(rows []pair, nulls, ids []uint32) {
	if 2*(len(g.vals)+len(rows)) > len(g.slots) {
		g.rehash(len(g.vals) + len(rows))
	}
	h := g.hashes[:len(rows)]
	nulls = nulls[:len(rows)]
	for i, v := range rows {
		h[i] = uint32(pairHash(v, nulls[i]) >> g.shift)
	}
	slots, mask := g.slots, uint32(len(g.slots)-1)
	ids = ids[:len(rows)]
	for i, v := range rows {
		if i > 0 && v == rows[i-1] && nulls[i] == nulls[i-1] {
			ids[i] = ids[i-1]
			continue
		}
		for s := h[i]; ; s++ {
			p := &slots[s&mask]
			if p.group == 0 {
				g.vals, g.nulls = append(g.vals, v), append(g.nulls, nulls[i])
				p.key, p.group, p.nulls = v, uint32(len(g.vals)), nulls[i]
			} else if p.key != v || p.nulls != nulls[i] {
				continue
			}
			ids[i] = p.group - 1
			break
		}
	}
}

func (g *pairGrouper) keys(out []columnar.Vector, from, to int) {
	n := to - from
	if cap(g.words) < n {
		g.words = make([]uint64, n)
	}
	words := g.words[:n]
	for i := range g.fields {
		f := &g.fields[i]
		v := g.out[i].flat(g.ts[i], n)
		for r, p := range g.vals[from:to] {
			words[r] = p[f.word] >> f.shift
		}
		storeWords(&v, f.l, words)
		for r, m := range g.nulls[from:to] {
			if m>>i&1 == 0 {
				continue
			}
			if v.Valid == nil {
				v.Valid = g.out[i].bits(n)
			}
			v.Valid.Clear(r)
		}
		out[i] = v
	}
}

func (g *pairGrouper) free() {
	memory.Buffers.Put(g.slab)
	g.slots, g.slab = nil, nil
}
