package exec

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// wordGrouper groups by one key that fits 64 bits: by direct address while the integers lie close together, else by an
// open-addressing table with linear probing, at most half full. A table that would grow gives way to direct address when the
// keys have turned out to lie close enough.
type wordGrouper struct {
	t       types.Type
	l       columnar.Layout
	vals    []uint64 // by group
	null    uint32   // group of null + 1
	lo, hi  int64    // bounds of the keys so far, if any
	any     bool
	direct  []uint32 // group + 1 of base + index; nil: not by direct address
	base    int64
	slots   []hashSlot
	slab    []byte // of slots or direct
	shift   uint
	scratch []uint64
	tags    [probeRows]uint32
	out     keyBuffers
	floats  bool // never by direct address
	hashed  bool
}

// hashSlot is the upper half of a key's hash, which says where the slot should be, and below it the group's number + 1; 0: empty.
type hashSlot uint64

const (
	probeRows   = 1024
	directMax   = 1 << 16 // keys in a range of this width are always addressed directly,
	directMost  = 1 << 28 // of this never
	directRoom  = 8       // a part of a direct table more than needed
	firstSlots  = 4096
	groupsLimit = math.MaxUint32 - 1
)

func newWordGrouper(t types.Type) *wordGrouper {
	l := columnar.LayoutOf(t)
	floats := l == columnar.Float32x || l == columnar.Float64x
	return &wordGrouper{t: t, l: l, floats: floats, hashed: floats}
}

func (g *wordGrouper) len() int { return len(g.vals) }

func (g *wordGrouper) bytes() int64 {
	return int64(cap(g.vals))*8 + int64(cap(g.direct))*4 + int64(cap(g.slots))*8 + int64(cap(g.scratch))*8
}

func (g *wordGrouper) ahead(n int) int64 {
	if !g.hashed {
		return int64(slotsFor(0, n))*8 + int64(len(g.direct))*4 // the range may become twice as wide
	}
	return int64(slotsFor(len(g.slots), len(g.vals)+n)-len(g.slots)) * 8
}

func (g *wordGrouper) reset() {
	used := len(g.vals)
	g.vals, g.null, g.any = g.vals[:0], 0, false
	if tooLarge(len(g.slots), used) || len(g.direct) > directMax && tooLarge(len(g.direct), used) {
		g.free()
		g.hashed = g.floats
	}
	clear(g.direct)
	clear(g.slots)
}

func (g *wordGrouper) assign(keys []columnar.Vector, n int, ids []uint32) {
	v := &keys[0]
	vals := g.load(v, n)
	if !g.floats {
		g.widen(vals, v.Valid)
	}
	if !g.hashed && !g.reach(n) {
		g.toHash(n)
	} else if g.hashed && 2*(len(g.vals)+n) > len(g.slots) {
		g.grow(n)
	}
	if !g.hashed {
		g.byAddress(vals, v.Valid, ids)
		return
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

// widen takes a batch's values into the bounds.
func (g *wordGrouper) widen(vals []uint64, valid columnar.Bitmap) {
	lo, hi, any := wordBounds(vals, valid)
	switch {
	case any && g.any:
		g.lo, g.hi = min(g.lo, lo), max(g.hi, hi)
	case any:
		g.lo, g.hi, g.any = lo, hi, true
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

// close says whether direct address takes no more than a table of that many groups would.
func (g *wordGrouper) close(groups int) bool {
	span := uint64(g.hi) - uint64(g.lo)
	return span < directMax || span < 2*uint64(slotsFor(0, groups)) && span < directMost
}

// reach makes the direct table cover the keys, if they lie close enough together for n more groups.
func (g *wordGrouper) reach(n int) bool {
	if !g.any {
		return true
	}
	if g.lo >= g.base && uint64(g.hi)-uint64(g.base) < uint64(len(g.direct)) {
		return true
	}
	if !g.close(len(g.vals) + n) {
		return false
	}
	if len(g.vals) == 0 {
		g.free()
	}
	lo, span := g.lo, int(g.hi-g.lo)+1
	if len(g.direct) > 0 && g.base < lo {
		lo, span = g.base, span+int(lo-g.base)
	}
	size := max(64, span+span/directRoom)
	if room := int64(size - span); len(g.direct) > 0 && lo < g.base && lo > math.MinInt64+room {
		lo -= room // the range grows downwards
	}
	lo = min(lo, math.MaxInt64-int64(size)+1)
	old, oldBase, slab := g.direct, g.base, g.slab
	g.direct, g.slab = memory.Slots[uint32](memory.Buffers, size)
	g.base = lo
	if len(old) > 0 {
		copy(g.direct[oldBase-lo:], old)
	}
	memory.Buffers.Put(slab)
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

// toHash leaves direct addressing for a table with room for n more groups.
func (g *wordGrouper) toHash(n int) {
	g.free()
	g.hashed = true
	g.rehash(n)
}

// grow makes room for n more groups.
func (g *wordGrouper) grow(n int) {
	if g.floats || !g.any || !g.close(len(g.vals)+n) {
		g.rehash(n)
		return
	}
	g.free()
	g.hashed = false
	g.reach(n)
	for i, v := range g.vals {
		if uint32(i)+1 != g.null {
			g.direct[int64(v)-g.base] = uint32(i) + 1
		}
	}
}

// rehash makes a table for n more groups and puts the known ones in.
func (g *wordGrouper) rehash(n int) {
	g.free()
	size := slotsFor(0, len(g.vals)+n)
	g.slots, g.slab = memory.Slots[hashSlot](memory.Buffers, size)
	g.shift = 32 - log2(size)
	slots, mask := g.slots, uint32(size-1)
	for i, v := range g.vals {
		if uint32(i)+1 == g.null {
			continue
		}
		tag := wordTag(v)
		s := tag >> g.shift
		for slots[s&mask] != 0 {
			s++
		}
		slots[s&mask] = hashSlot(tag)<<32 | hashSlot(i+1)
	}
}

func wordTag(v uint64) uint32 { return uint32(v * hashMul >> 32) }

func log2(size int) uint {
	n := uint(0)
	for 1<<n < size {
		n++
	}
	return n
}

// probe hashes all values, then finds or adds each. Runs of equal values are looked up once.
func (g *wordGrouper) probe(vals []uint64, ids []uint32) {
	tags := g.tags[:len(vals)]
	for i, v := range vals {
		tags[i] = wordTag(v)
	}
	ids = ids[:len(vals)]
	last, lastID := ^vals[0], uint32(0)
	for i, v := range vals {
		if v != last {
			last, lastID = v, g.find(v, tags[i])
		}
		ids[i] = lastID
	}
}

// find gives the group of a value, a new one if there is none.
func (g *wordGrouper) find(v uint64, tag uint32) uint32 {
	slots, mask := g.slots, uint32(len(g.slots)-1)
	for s := tag >> g.shift; ; s++ {
		p := slots[s&mask]
		if p == 0 {
			g.vals = append(g.vals, v)
			slots[s&mask] = hashSlot(tag)<<32 | hashSlot(len(g.vals))
			return uint32(len(g.vals) - 1)
		}
		if k := uint32(p) - 1; uint32(p>>32) == tag && g.vals[k] == v {
			return k
		}
	}
}

// probeNulls is probe for rows some of which are null.
func (g *wordGrouper) probeNulls(vals []uint64, valid columnar.Bitmap, base int, ids []uint32) {
	for i, v := range vals {
		if valid.Get(base + i) {
			ids[i] = g.find(v, wordTag(v))
		} else {
			ids[i] = g.nullGroup()
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
	g.slots, g.direct, g.slab = nil, nil, nil
}
