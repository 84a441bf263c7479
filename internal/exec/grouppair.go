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
	vals   []pair   // by group; there is room for half as many as slots
	nulls  []uint32 // by group; nil while no key was null
	slots  []hashSlot
	slabs  [2][]byte // of slots and vals
	shift  uint
	rows   []pair
	mask   []uint32 // of the batch's rows
	word   []uint64
	tags   [probeRows]uint32
	out    []keyBuffers
	words  []uint64
}

type pair [2]uint64

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
	return int64(cap(g.vals))*16 + int64(cap(g.nulls))*4 + int64(cap(g.slots))*8 + int64(cap(g.rows))*28
}

// ahead counts a slot and half a value each.
func (g *pairGrouper) ahead(n int) int64 {
	return int64(slotsFor(len(g.slots), len(g.vals)+n)-len(g.slots)) * 16
}

func (g *pairGrouper) reset() {
	used := len(g.vals)
	g.vals, g.nulls = g.vals[:0], nil
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
	null := false
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
				null = true
			}
		}
	}
	if null && g.nulls == nil {
		g.nulls = make([]uint32, len(g.vals))
	}
}

func pairHash(p pair, nulls uint32) uint64 { return mixWord(p[0]+uint64(nulls), p[1]*hashMul) }

// rehash makes a table for n groups; where they are follows from the slots alone.
func (g *pairGrouper) rehash(n int) {
	size := slotsFor(0, n)
	old, oldVals, slabs := g.slots, g.vals, g.slabs
	g.slots, g.slabs[0] = memory.Slots[hashSlot](memory.Buffers, size)
	g.vals, g.slabs[1] = memory.Slots[pair](memory.Buffers, size/2)
	g.vals = g.vals[:copy(g.vals, oldVals)]
	g.shift = 32 - log2(size)
	slots, mask := g.slots, uint32(size-1)
	for _, p := range old {
		if p == 0 {
			continue
		}
		s := uint32(p>>32) >> g.shift
		for slots[s&mask] != 0 {
			s++
		}
		slots[s&mask] = p
	}
	for _, b := range slabs {
		memory.Buffers.Put(b)
	}
}

func (g *pairGrouper) probe(rows []pair, nulls, ids []uint32) {
	if 2*(len(g.vals)+len(rows)) > len(g.slots) {
		g.rehash(len(g.vals) + len(rows))
	}
	tags := g.tags[:len(rows)]
	nulls = nulls[:len(rows)]
	for i, v := range rows {
		tags[i] = uint32(pairHash(v, nulls[i]) >> 32)
	}
	slots, mask := g.slots, uint32(len(g.slots)-1)
	ids = ids[:len(rows)]
	for i, v := range rows {
		if i > 0 && v == rows[i-1] && nulls[i] == nulls[i-1] {
			ids[i] = ids[i-1]
			continue
		}
		tag := tags[i]
		for s := tag >> g.shift; ; s++ {
			p := slots[s&mask]
			if p == 0 {
				g.add(v, nulls[i])
				slots[s&mask] = hashSlot(tag)<<32 | hashSlot(len(g.vals))
				ids[i] = uint32(len(g.vals) - 1)
				break
			}
			if uint32(p>>32) != tag {
				continue
			}
			if k := uint32(p) - 1; g.vals[k] == v && (g.nulls == nil || g.nulls[k] == nulls[i]) {
				ids[i] = k
				break
			}
		}
	}
}

// add makes a group.
func (g *pairGrouper) add(v pair, nulls uint32) {
	g.vals = append(g.vals, v)
	if g.nulls != nil {
		g.nulls = append(g.nulls, nulls)
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
		if g.nulls == nil {
			out[i] = v
			continue
		}
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
	for i, b := range g.slabs {
		memory.Buffers.Put(b)
		g.slabs[i] = nil
	}
	g.slots, g.vals = nil, nil
}
