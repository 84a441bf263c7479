package exec

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// joinIndex finds the build rows of a key. A key is one word: the integers of all key columns packed by their ranges if
// they fit 64 bits, else a hash of the columns (then whoever looks up compares the columns themselves).
//
// Words are looked up in an array if their range is small, else by open addressing. Rows of one word hang together by
// next, in ascending order. Rows are numbered from 1 here; 0 is none. The index is not changed once it is built.
type joinIndex struct {
	hashed bool
	parts  []wordPart // packed: one per key column
	last   uint64     // packed: the largest word of a row
	room   bool       // packed: last+1 stands for words that no row has

	direct []uint32 // by word, and one more: last+1
	slots  []joinSlot
	shift  uint
	wrap   uint32
	next   []uint32 // nil: no word has two rows
}

// wordPart packs one column: (value-lo)*mul, for values up to lo+span.
type wordPart struct {
	lo   int64
	span uint64
	mul  uint64
}

type joinSlot struct {
	word uint64
	head uint32
}

// slotBytes is the index's memory for n rows at most, what building it takes included.
func indexBytes(n int) int64 { return int64(slotCount(n))*16 + int64(n)*12 }

func slotCount(n int) int { return 1 << bits.Len(uint(max(2*n, 32)-1)) }

// packable says whether values of a type are integers of up to 64 bits.
func packable(t types.Type) bool {
	switch columnar.LayoutOf(t) {
	case columnar.Bool8, columnar.Int8x, columnar.Int16x, columnar.Int32x, columnar.Int64x, columnar.Float32x, columnar.Float64x:
		return true
	}
	return false
}

// joinWords computes the words of rows. It belongs to one goroutine; the words hold until its next use.
type joinWords struct {
	flat  []rowBuf
	words []uint64
	tmp   []uint64
	valid columnar.Bitmap
	miss  columnar.Bitmap
}

// run gives the word of each of n rows, and which have no null among the keys (nil: all).
func (k *joinWords) run(x *joinIndex, cols []*columnar.Vector, n int) ([]uint64, columnar.Bitmap) {
	k.words = sized(k.words, n)
	valid := k.validity(cols, n)
	if x.hashed {
		hashRows(k.words, cols, &k.tmp)
		return k.words, valid
	}
	if len(k.flat) < len(cols) {
		k.flat = make([]rowBuf, len(cols))
	}
	if len(cols) == 1 {
		k.single(x, cols[0], n)
		return k.words, valid
	}
	clear(k.words)
	missed := false
	k.miss = sized(k.miss, (n+63)/64)
	clear(k.miss)
	for i, c := range cols {
		v := k.flatten(c, i)
		missed = k.add(&x.parts[i], v, n) || missed
	}
	if missed {
		for i := range k.words {
			if k.miss.Get(i) {
				k.words[i] = x.last + 1
			}
		}
	}
	return k.words, valid
}

// validity combines the key columns' nulls.
func (k *joinWords) validity(cols []*columnar.Vector, n int) columnar.Bitmap {
	var out columnar.Bitmap
	for _, c := range cols {
		switch {
		case c.Type.Kind == types.NullKind || c.Form == columnar.Const && c.Null(0):
			k.valid = sized(k.valid, (n+63)/64)
			clear(k.valid)
			return k.valid
		case c.Valid == nil || c.Form == columnar.Const:
		case out == nil:
			out = c.Valid
		default:
			k.valid = sized(k.valid, (n+63)/64)
			out = columnar.And(k.valid, out, c.Valid, n)
		}
	}
	return out
}

func (k *joinWords) flatten(v *columnar.Vector, i int) *columnar.Vector {
	if v.Form == columnar.Flat {
		return v
	}
	rows := v.Codes
	src := v.Dict
	if v.Form == columnar.Const {
		one := *v
		one.Form, one.N, one.Valid = columnar.Flat, 1, nil
		src, rows = &one, make([]uint32, v.N)
	}
	f := k.flat[i].gather(src, rows)
	return &f
}

// single packs one column; values that no row has become last+1.
func (k *joinWords) single(x *joinIndex, c *columnar.Vector, n int) {
	if c.Form == columnar.Dict && c.Dict.N <= 2*n {
		k.tmp = sized(k.tmp, c.Dict.N)
		k.packOne(k.tmp, x, c.Dict)
		columnar.GatherInto(k.words, k.tmp, c.Codes[:n])
		return
	}
	k.packOne(k.words, x, k.flatten(c, 0))
}

func (k *joinWords) packOne(dst []uint64, x *joinIndex, v *columnar.Vector) {
	lo, last := x.parts[0].lo, x.last
	switch columnar.LayoutOf(v.Type) {
	case columnar.Bool8:
		packWords(dst, v.Data, lo, last, x.room)
	case columnar.Int8x:
		packWords(dst, columnar.Of[int8](v.Data), lo, last, x.room)
	case columnar.Int16x:
		packWords(dst, columnar.Of[int16](v.Data), lo, last, x.room)
	case columnar.Int32x:
		packWords(dst, columnar.Of[int32](v.Data), lo, last, x.room)
	case columnar.Int64x:
		packWords(dst, columnar.Of[int64](v.Data), lo, last, x.room)
	default:
		hashFlat(dst, v)
		packWords(dst, columnar.Of[int64](columnar.Bytes(dst)), lo, last, x.room)
	}
}

func packWords[T uint8 | int8 | int16 | int32 | int64](dst []uint64, v []T, lo int64, last uint64, room bool) {
	v = v[:len(dst)]
	if !room {
		for i, x := range v {
			dst[i] = uint64(int64(x) - lo)
		}
		return
	}
	for i, x := range v {
		dst[i] = min(uint64(int64(x)-lo), last+1)
	}
}

// add mixes one of several columns into the words; it says whether some value is out of range.
func (k *joinWords) add(p *wordPart, v *columnar.Vector, n int) bool {
	switch columnar.LayoutOf(v.Type) {
	case columnar.Bool8:
		return addWords(k.words, v.Data, p, k.miss)
	case columnar.Int8x:
		return addWords(k.words, columnar.Of[int8](v.Data), p, k.miss)
	case columnar.Int16x:
		return addWords(k.words, columnar.Of[int16](v.Data), p, k.miss)
	case columnar.Int32x:
		return addWords(k.words, columnar.Of[int32](v.Data), p, k.miss)
	case columnar.Int64x:
		return addWords(k.words, columnar.Of[int64](v.Data), p, k.miss)
	}
	k.tmp = sized(k.tmp, n)
	hashFlat(k.tmp, v)
	return addWords(k.words, columnar.Of[int64](columnar.Bytes(k.tmp)), p, k.miss)
}

func addWords[T uint8 | int8 | int16 | int32 | int64](dst []uint64, v []T, p *wordPart, miss columnar.Bitmap) bool {
	lo, span, mul := p.lo, p.span, p.mul
	v = v[:len(dst)]
	missed := false
	for i, x := range v {
		d := uint64(int64(x) - lo)
		if d > span {
			miss.Set(i)
			missed = true
			d = 0
		}
		dst[i] += d * mul
	}
	return missed
}

// pack finds the ranges of the key columns of n rows; false if the keys cannot be packed.
func (x *joinIndex) pack(cols []*columnar.Vector, n int) bool {
	for _, c := range cols {
		if !packable(c.Type) {
			return false
		}
	}
	if len(cols) == 0 {
		return false
	}
	x.parts = make([]wordPart, len(cols))
	total := uint64(1) // the product of the ranges; 0: 2^64
	for i, c := range cols {
		lo, hi := keyBounds(c, n)
		p := &x.parts[i]
		p.lo, p.span, p.mul = lo, uint64(hi-lo), total
		over, prod := bits.Mul64(total, p.span+1)
		if over != 0 || p.span == ^uint64(0) || total == 0 {
			if len(cols) > 1 {
				return false
			}
			prod = 0
		}
		total = prod
	}
	x.last = total - 1
	x.room = x.last != ^uint64(0)
	return x.room || len(cols) == 1
}

// keyBounds are the smallest and largest value of a column; 0 and 0 if it has none.
func keyBounds(v *columnar.Vector, n int) (lo, hi int64) {
	valid := v.Valid
	switch v.Form {
	case columnar.Dict:
		v, n, valid = v.Dict, v.Dict.N, nil
	case columnar.Const:
		n = min(n, 1)
	}
	if valid != nil && valid.Count(n) == 0 || n == 0 {
		return 0, 0
	}
	switch columnar.LayoutOf(v.Type) {
	case columnar.Bool8:
		return 0, 1
	case columnar.Int8x:
		return -128, 127
	case columnar.Int16x:
		return boundsOf(columnar.Of[int16](v.Data)[:n], valid)
	case columnar.Int32x:
		return boundsOf(columnar.Of[int32](v.Data)[:n], valid)
	case columnar.Int64x:
		return boundsOf(columnar.Of[int64](v.Data)[:n], valid)
	}
	words := make([]uint64, n)
	hashFlat(words, v)
	return boundsOf(columnar.Of[int64](columnar.Bytes(words)), valid)
}

func boundsOf[T int16 | int32 | int64](v []T, valid columnar.Bitmap) (int64, int64) {
	if valid == nil {
		lo, hi := v[0], v[0]
		for _, x := range v {
			lo, hi = min(lo, x), max(hi, x)
		}
		return int64(lo), int64(hi)
	}
	first := true
	var lo, hi T
	for i, x := range v {
		if valid[i>>6]>>(uint(i)&63)&1 == 0 {
			continue
		}
		if first {
			lo, hi, first = x, x, false
		}
		lo, hi = min(lo, x), max(hi, x)
	}
	return int64(lo), int64(hi)
}

// parallelRows is the number of rows from which building is worth more than one goroutine.
const parallelRows = 1 << 17

// buildIndex makes the index of the key columns of n rows, n < 2^32-1. workers may work side by side. The columns'
// rows with a null key are not in it.
func buildIndex(cols []*columnar.Vector, n, workers int) *joinIndex {
	x := &joinIndex{}
	if !x.pack(cols, n) {
		x.hashed, x.parts, x.last, x.room = true, nil, ^uint64(0), false
	}
	if n < parallelRows {
		workers = 1
	}
	words, valid := x.allWords(cols, n, workers)
	if !x.hashed && x.room && (x.last < 1<<14 || x.last/4 <= uint64(n)) {
		x.direct = make([]uint32, x.last+2)
		hugePages(columnar.Bytes(x.direct))
		x.fillDirect(words, valid, workers)
		return x
	}
	count := slotCount(n)
	x.slots = make([]joinSlot, count)
	hugeSlots(x.slots)
	x.shift = uint(64 - bits.TrailingZeros(uint(count)))
	x.fillSlots(words, valid, workers)
	return x
}

// allWords computes the words of all build rows.
func (x *joinIndex) allWords(cols []*columnar.Vector, n, workers int) ([]uint64, columnar.Bitmap) {
	out := make([]uint64, n)
	valid := (&joinWords{}).validity(cols, n)
	split(n, workers, func(from, to int) {
		k := joinWords{}
		part := make([]columnar.Vector, len(cols))
		refs := make([]*columnar.Vector, len(cols))
		for ; from < to; from += wordRows {
			end := min(from+wordRows, to)
			for i, c := range cols {
				part[i] = c.Window(from, end)
				refs[i] = &part[i]
			}
			k.words = out[from:end:end]
			k.run(x, refs, end-from)
		}
	})
	return out, valid
}

const wordRows = 8192

// split runs f over parts of n rows in up to workers goroutines; parts start at multiples of 64.
func split(n, workers int, f func(from, to int)) {
	if workers <= 1 {
		f(0, n)
		return
	}
	step := ((n+workers-1)/workers + 63) &^ 63
	each((n+step-1)/step, func(i int) { f(i*step, min(i*step+step, n)) })
}

// fillDirect enters the rows; each worker takes a range of words.
func (x *joinIndex) fillDirect(words []uint64, valid columnar.Bitmap, workers int) {
	next := make([]uint32, len(words))
	step := len(x.direct)/workers + 1
	dups := make([]bool, workers)
	each(workers, func(w int) {
		dups[w] = enterDirect(x.direct, next, words, valid, uint64(w*step), uint64(step), workers > 1)
	})
	x.keepNext(next, dups)
}

func (x *joinIndex) keepNext(next []uint32, dups []bool) {
	for _, d := range dups {
		if d {
			x.next = next
		}
	}
}

// each runs f(0) … f(n-1) side by side. A panic of one becomes the caller's.
func each(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	failed := make([]any, n)
	for i := range n {
		wg.Go(func() {
			defer func() { failed[i] = recover() }()
			f(i)
		})
	}
	wg.Wait()
	for _, r := range failed {
		if r != nil {
			panic(r)
		}
	}
}

// enterDirect enters the rows with words in [lo, lo+span), from the last to the first so that chains ascend.
func enterDirect(direct, next []uint32, words []uint64, valid columnar.Bitmap, lo, span uint64, ranged bool) (dups bool) {
	next = next[:len(words)]
	for i := len(words) - 1; i >= 0; i-- {
		w := words[i]
		if ranged && w-lo >= span || valid != nil && valid[i>>6]>>(uint(i)&63)&1 == 0 {
			continue
		}
		if h := direct[w]; h != 0 {
			next[i] = h
			dups = true
		}
		direct[w] = uint32(i) + 1
	}
	return dups
}

// fillSlots enters the rows; each worker takes a part of the slots, in which words that collide stay.
func (x *joinIndex) fillSlots(words []uint64, valid columnar.Bitmap, workers int) {
	parts := 1 << (bits.Len(uint(workers)) - 1)
	sub := len(x.slots) / parts
	if parts > 1 && !x.even(words, parts, sub) {
		parts, sub = 1, len(x.slots)
	}
	x.wrap = uint32(sub - 1)
	next := make([]uint32, len(words))
	dups := make([]bool, parts)
	each(parts, func(p int) {
		dups[p] = x.enterSlots(next, words, valid, uint32(p*sub), uint32(sub), parts > 1)
	})
	x.keepNext(next, dups)
}

// even says whether the words spread so evenly that no part of the slots gets too full.
func (x *joinIndex) even(words []uint64, parts, sub int) bool {
	counts := make([]int, parts)
	shift := x.shift + uint(bits.TrailingZeros(uint(sub)))
	for _, w := range words {
		counts[w*mixA>>shift]++
	}
	for _, c := range counts {
		if c > sub-sub/4 {
			return false
		}
	}
	return true
}

func (x *joinIndex) enterSlots(next []uint32, words []uint64, valid columnar.Bitmap, lo, span uint32, ranged bool) (dups bool) {
	next = next[:len(words)]
	slots, shift, wrap := x.slots, x.shift, x.wrap
	for i := len(words) - 1; i >= 0; i-- {
		w := words[i]
		at := uint32(w * mixA >> shift)
		if ranged && at-lo >= span || valid != nil && valid[i>>6]>>(uint(i)&63)&1 == 0 {
			continue
		}
		s := &slots[at]
		for s.head != 0 && s.word != w {
			at = at&^wrap | (at+1)&wrap
			s = &slots[at]
		}
		if s.head != 0 {
			next[i] = s.head
			dups = true
		}
		s.word, s.head = w, uint32(i)+1
	}
	return dups
}

// find sets heads[i] to the first row with the word, 0 if there is none. pend is a buffer of the length of words.
func (x *joinIndex) find(words []uint64, heads, pend []uint32) {
	heads = heads[:len(words)]
	if x.direct != nil {
		direct := x.direct
		for i, w := range words {
			heads[i] = direct[w]
		}
		return
	}
	slots, shift := x.slots, x.shift
	pend = pend[:len(words)]
	k := 0
	for i, w := range words {
		s := &slots[w*mixA>>shift]
		heads[i] = s.head
		pend[k] = uint32(i)
		more := 0
		if s.word != w {
			more = 1
		}
		if s.head == 0 {
			more = 0
		}
		k += more
	}
	for _, i := range pend[:k] {
		w := words[i]
		at := uint32(w * mixA >> shift)
		s := &slots[at]
		for s.head != 0 && s.word != w {
			at = at&^x.wrap | (at+1)&x.wrap
			s = &slots[at]
		}
		heads[i] = s.head
	}
}

func hugeSlots(s []joinSlot) {
	hugePages(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(joinSlot{}))))
}
