package exec

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// wordGrouper groups by one key that fits 64 bits: by direct address while the integers lie close together, then by an
// open-addressing table with linear probing, at most half full.
type wordGrouper struct {
	t       types.Type
	l       columnar.Layout
	vals    []uint64 // by group
	null    uint32   // group of null + 1
	direct  []uint32 // group + 1 of base + index; nil: not (any more) by direct address
	base    int64
	slots   []wordSlot
	slab    []byte // of slots
	shift   uint
	scratch []uint64
	hashes  [probeRows]uint32
	out     keyBuffers
	hashed  bool
}

type wordSlot struct {
	key   uint64
	group uint32 // + 1; 0: empty
	_     uint32
}

const (
	probeRows   = 1024
	directMax   = 1 << 16
	firstSlots  = 4096
	groupsLimit = math.MaxUint32 - 1
)

func newWordGrouper(t types.Type) *wordGrouper {
	l := columnar.LayoutOf(t)
	return &wordGrouper{t: t, l: l, hashed: l == columnar.Float32x || l == columnar.Float64x}
}

func (g *wordGrouper) len() int { return len(g.vals) }

func (g *wordGrouper) bytes() int64 {
	return int64(cap(g.vals))*8 + int64(cap(g.direct))*4 + int64(cap(g.slots))*16 + int64(cap(g.scratch))*8
}

func (g *wordGrouper) ahead(n int) int64 {
	if !g.hashed { // by direct address, which is small
		return 0
	}
	return int64(slotsFor(len(g.slots), len(g.vals)+n)-len(g.slots)) * 16
}

func (g *wordGrouper) reset() {
	used := len(g.vals)
	g.vals, g.null = g.vals[:0], 0
	clear(g.direct)
	if tooLarge(len(g.slots), used) {
		g.free()
	}
	clear(g.slots)
}

func (g *wordGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	v := &keys[0]
	vals := g.load(v, n)
	if !g.hashed && g.reach(vals, v.Valid) {
		g.byAddress(vals, v.Valid, ids)
		return
	}
	if !g.hashed {
		g.toHash()
	}
	for from := 0; from < n; from += probeRows {
		to := min(from+probeRows, n)
		if v.Valid == nil {
			g.probe(vals[from:to], ids[from:to])
		} else {
			g.probeNulls(vals[from:to], v.Valid, from, ids[from:to])
		}
	}
}

// load widens the values to 64 bits.
func (g *wordGrouper) load(v *columnar.Vector, n int) []uint64 {
	if g.l == columnar.Int64x {
		return columnar.Of[uint64](v.Data)[:n]
	}
	if cap(g.scratch) < n {
		g.scratch = make([]uint64, n+n/4)
	}
	out := g.scratch[:n]
	loadWords(out, v, g.l)
	return out
}

// loadWords widens values of a layout that fits 64 bits; floats become the bits of their key.
func loadWords(out []uint64, v *columnar.Vector, l columnar.Layout) {
	switch l {
	case columnar.Bool8, columnar.Int8x:
		widenInts(out, columnar.Of[int8](v.Data))
	case columnar.Int16x:
		widenInts(out, columnar.Of[int16](v.Data))
	case columnar.Int32x:
		widenInts(out, columnar.Of[int32](v.Data))
	case columnar.Int64x:
		widenInts(out, columnar.Of[int64](v.Data))
	case columnar.Float32x:
		for i, f := range columnar.Of[float32](v.Data)[:len(out)] {
			out[i] = uint64(floatBits(f))
		}
	case columnar.Float64x:
		for i, f := range columnar.Of[float64](v.Data)[:len(out)] {
			out[i] = doubleBits(f)
		}
	}
}

func widenInts[T ~int8 | ~int16 | ~int32 | ~int64](out []uint64, vals []T) {
	vals = vals[:len(out)]
	for i, x := range vals {
		out[i] = uint64(int64(x))
	}
}

// reach makes the direct table cover the values if their whole range stays small.
func (g *wordGrouper) reach(vals []uint64, valid columnar.Bitmap) bool {
	lo, hi, any := wordBounds(vals, valid)
	if !any {
		return true
	}
	if len(g.direct) > 0 {
		lo, hi = min(lo, g.base), max(hi, g.base+int64(len(g.direct))-1)
	}
	span := uint64(hi) - uint64(lo)
	if span >= directMax {
		return false
	}
	if int(span)+1 <= len(g.direct) {
		return true
	}
	size := max(64, 2*len(g.direct))
	for size <= int(span) {
		size *= 2
	}
	if room := size - int(span) - 1; lo < g.base && len(g.direct) > 0 && lo > math.MinInt64+int64(room) {
		lo -= int64(room) // the range grows downwards
	}
	if lo > math.MaxInt64-int64(size) {
		lo = math.MaxInt64 - int64(size) + 1
	}
	next := make([]uint32, size)
	if len(g.direct) > 0 {
		copy(next[g.base-lo:], g.direct)
	}
	g.direct, g.base = next, lo
	return true
}

func wordBounds(vals []uint64, valid columnar.Bitmap) (lo, hi int64, any bool) {
	lo, hi = math.MaxInt64, math.MinInt64
	if valid == nil {
		for _, v := range vals {
			lo, hi = min(lo, int64(v)), max(hi, int64(v))
		}
		return lo, hi, len(vals) > 0
	}
	for i, v := range vals {
		if valid.Get(i) {
			lo, hi = min(lo, int64(v)), max(hi, int64(v))
		}
	}
	return lo, hi, lo <= hi
}

func (g *wordGrouper) byAddress(vals []uint64, valid columnar.Bitmap, ids []uint32) {
	base, direct := uint64(g.base), g.direct
	ids = ids[:len(vals)]
	for i, v := range vals {
		if valid != nil && !valid.Get(i) {
			ids[i] = g.nullGroup()
			continue
		}
		p := &direct[v-base]
		if *p == 0 {
			g.vals = append(g.vals, v)
			*p = uint32(len(g.vals))
		}
		ids[i] = *p - 1
	}
}

// nullGroup is the group of the null key.
func (g *wordGrouper) nullGroup() uint32 {
	if g.null == 0 {
		g.vals = append(g.vals, 0)
		g.null = uint32(len(g.vals))
	}
	return g.null - 1
}

// toHash leaves direct addressing.
func (g *wordGrouper) toHash() {
	g.direct, g.hashed = nil, true
	g.rehash(len(g.vals))
}

// rehash makes a table for more than n groups and puts the known ones in.
func (g *wordGrouper) rehash(n int) {
	size := slotsFor(0, n)
	g.free()
	g.slots, g.slab = memory.Slots[wordSlot](memory.Buffers, size)
	g.shift = 64 - log2(size)
	mask := uint32(size - 1)
	for i, v := range g.vals {
		if uint32(i)+1 == g.null {
			continue
		}
		s := uint32(v * hashMul >> g.shift)
		for g.slots[s&mask].group != 0 {
			s++
		}
		g.slots[s&mask] = wordSlot{key: v, group: uint32(i) + 1}
	}
}

func log2(size int) uint {
	n := uint(0)
	for 1<<n < size {
		n++
	}
	return n
}

// probe hashes all values, then finds or adds each. Runs of equal values are looked up once.
func (g *wordGrouper) probe(vals []uint64, ids []uint32) {
	if 2*(len(g.vals)+len(vals)) > len(g.slots) {
		g.rehash(len(g.vals) + len(vals))
	}
	h := g.hashes[:len(vals)]
	for i, v := range vals {
		h[i] = uint32(v * hashMul >> g.shift)
	}
	slots, mask := g.slots, uint32(len(g.slots)-1)
	ids = ids[:len(vals)]
	last, lastID := ^vals[0], uint32(0)
	for i, v := range vals {
		if v == last {
			ids[i] = lastID
			continue
		}
		last = v
		for s := h[i]; ; s++ {
			p := &slots[s&mask]
			if p.group == 0 {
				g.vals = append(g.vals, v)
				p.key, p.group = v, uint32(len(g.vals))
			} else if p.key != v {
				continue
			}
			lastID = p.group - 1
			break
		}
		ids[i] = lastID
	}
}

// probeNulls is probe for rows some of which are null.
func (g *wordGrouper) probeNulls(vals []uint64, valid columnar.Bitmap, base int, ids []uint32) {
	if 2*(len(g.vals)+len(vals)) > len(g.slots) {
		g.rehash(len(g.vals) + len(vals))
	}
	slots, mask := g.slots, uint32(len(g.slots)-1)
	for i, v := range vals {
		if !valid.Get(base + i) {
			ids[i] = g.nullGroup()
			continue
		}
		for s := uint32(v * hashMul >> g.shift); ; s++ {
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

func (g *wordGrouper) keys(out []columnar.Vector, from, to int) {
	v := g.out.flat(g.t, to-from)
	storeWords(&v, g.l, g.vals[from:to])
	if g.null > 0 && int(g.null-1) >= from && int(g.null-1) < to {
		v.Valid = g.out.bits(to - from)
		v.Valid.Clear(int(g.null-1) - from)
	}
	out[0] = v
}

// storeWords is the inverse of loadWords.
func storeWords(v *columnar.Vector, l columnar.Layout, words []uint64) {
	switch l.Width() {
	case 1:
		narrowWords(columnar.Of[uint8](v.Data), words)
	case 2:
		narrowWords(columnar.Of[int16](v.Data), words)
	case 4:
		narrowWords(columnar.Of[uint32](v.Data), words)
	case 8:
		copy(columnar.Of[uint64](v.Data), words)
	}
}

func narrowWords[T ~uint8 | ~int16 | ~uint32](dst []T, words []uint64) {
	dst = dst[:len(words)]
	for i, w := range words {
		dst[i] = T(w)
	}
}

func (g *wordGrouper) free() {
	memory.Buffers.Put(g.slab)
	g.slots, g.slab = nil, nil
}
