package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// pairGrouper groups by several keys that fit 16 bytes together, packed into two words. Each key has a bit that is set
// for null; its value is zero then.
type pairGrouper struct {
	ts     []types.Type
	fields []pairField
	vals   []pair // by group
	slots  []pairSlot
	shift  uint
	rows   []pair
	word   []uint64
	hashes [probeRows]uint32
	out    []keyBuffers
	words  []uint64
}

type pair [2]uint64

type pairSlot struct {
	key   pair
	group uint32 // + 1; 0: empty
	_     uint32
}

// pairField says where a key lies: the bits of its value and the bit of its null.
type pairField struct {
	l                   columnar.Layout
	word, shift, bits   uint
	nullWord, nullShift uint
}

// newPairGrouper returns nil if the keys do not fit.
func newPairGrouper(ts []types.Type) grouper {
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
	for i := range g.fields {
		f, ok := &g.fields[i], false
		if f.nullWord, f.nullShift, ok = place(1); !ok {
			return nil
		}
	}
	return g
}

func (g *pairGrouper) len() int { return len(g.vals) }

func (g *pairGrouper) bytes() int64 {
	return int64(cap(g.vals))*16 + int64(cap(g.slots))*24 + int64(cap(g.rows))*16
}

func (g *pairGrouper) reset() {
	used := len(g.vals)
	g.vals = g.vals[:0]
	g.slots = emptied(g.slots, used)
}

func (g *pairGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	g.pack(keys, n)
	for from := 0; from < n; from += probeRows {
		to := min(from+probeRows, n)
		g.probe(g.rows[from:to], ids[from:to])
	}
}

func (g *pairGrouper) pack(keys []columnar.Vector, n int) {
	if cap(g.rows) < n {
		g.rows, g.word = make([]pair, n+n/4), make([]uint64, n+n/4)
	}
	g.rows = g.rows[:n]
	clear(g.rows)
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
				g.rows[r][f.nullWord] |= 1 << f.nullShift
			}
		}
	}
}

func pairHash(p pair) uint64 { return mixWord(p[0], p[1]*hashMul) }

func (g *pairGrouper) rehash(n int) {
	size := firstSlots
	for size < 4*n {
		size *= 2
	}
	g.slots = make([]pairSlot, size)
	g.shift = 64 - log2(size)
	mask := uint32(size - 1)
	for i, v := range g.vals {
		h := pairHash(v)
		s := uint32(h >> g.shift)
		for g.slots[s&mask].group != 0 {
			s++
		}
		g.slots[s&mask] = pairSlot{key: v, group: uint32(i) + 1}
	}
}

func (g *pairGrouper) probe(rows []pair, ids []uint32) {
	if 2*(len(g.vals)+len(rows)) > len(g.slots) {
		g.rehash(len(g.vals) + len(rows))
	}
	h := g.hashes[:len(rows)]
	for i, v := range rows {
		h[i] = uint32(pairHash(v) >> g.shift)
	}
	slots, mask := g.slots, uint32(len(g.slots)-1)
	ids = ids[:len(rows)]
	for i, v := range rows {
		if i > 0 && v == rows[i-1] {
			ids[i] = ids[i-1]
			continue
		}
		for s := h[i]; ; s++ {
			p := &slots[s&mask]
			if p.group == 0 {
				g.vals = append(g.vals, v)
				p.key, p.group = v, uint32(len(g.vals))
			} else if p.key != v {
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
		nulls := false
		for r, p := range g.vals[from:to] {
			words[r] = p[f.word] >> f.shift
			nulls = nulls || p[f.nullWord]>>f.nullShift&1 != 0
		}
		storeWords(&v, f.l, words)
		if nulls {
			v.Valid = g.out[i].bits(n)
			for r, p := range g.vals[from:to] {
				if p[f.nullWord]>>f.nullShift&1 != 0 {
					v.Valid.Clear(r)
				}
			}
		}
		out[i] = v
	}
}
