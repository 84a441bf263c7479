package exec

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// sortKey is one ordering of rows by a column of the sorted form.
type sortKey struct {
	col        int
	t          types.Type
	desc       bool
	nullsFirst bool
}

func sortKeysOf(order []expr.SortOrder, cols []int) []sortKey {
	keys := make([]sortKey, len(order))
	for i, o := range order {
		keys[i] = sortKey{cols[i], o.Child.Type(), o.Desc, o.NullsFirst}
	}
	return keys
}

// prefixPlan says how the sort keys of a row become one word: rows with a smaller word come first. Rows with equal words
// are still to be compared by the keys from tie on (the first of which is in the word in part, perhaps).
type prefixPlan struct {
	parts []prefixPart
	used  uint // bits of the word
	tie   int
}

// prefixPart is one key's share: the code of a value is its ordered word less lo, with room for null at the right end.
type prefixPart struct {
	key   sortKey
	lo    uint64
	span  uint64
	skip  int  // texts: the bytes that all have in common
	short bool // words of texts of at most 7 further bytes, with their length
	half  bool // the code does not fit with a null beside it: its last bit is dropped
	nulls bool
	drop  uint // low bits of the code that have no place
	bits  uint
}

// planByType makes a plan that fits all rows there may ever be.
func planByType(keys []sortKey) *prefixPlan {
	p := &prefixPlan{}
	for _, k := range keys {
		part := prefixPart{key: k, nulls: true}
		exact := true
		part.lo, part.span, exact = wordRange(k.t)
		if !p.add(part, exact) {
			break
		}
	}
	return p
}

// planByRows makes the plan that needs the fewest bits for the given rows.
func planByRows(keys []sortKey, cols []columnar.Vector, n int, tmp *[]uint64) *prefixPlan {
	p := &prefixPlan{}
	for _, k := range keys {
		v := &cols[k.col]
		part := prefixPart{key: k, nulls: v.MayHaveNulls()}
		_, _, exact := wordRange(k.t)
		if columnar.LayoutOf(k.t) == columnar.View16 {
			part.skip, part.short = textShape(v)
			exact = part.short
		}
		*tmp = sized(*tmp, n)
		orderedWords(*tmp, v, part.skip, part.short)
		part.lo, part.span = sortBounds(*tmp, v.Valid)
		if columnar.LayoutOf(k.t) == columnar.Int128x && part.lo >= 1<<62 && part.lo+part.span < 3<<62 {
			exact = true // none needs more than 62 bits
		}
		if !p.add(part, exact) {
			break
		}
	}
	return p
}

// add gives a key its place; false if no more keys can follow.
func (p *prefixPlan) add(part prefixPart, exact bool) bool {
	top := part.span
	if part.nulls {
		if part.half = top == ^uint64(0); part.half {
			top, exact = top>>1, false
		}
		top++
	}
	part.bits = uint(bits.Len64(top))
	if free := 64 - p.used; part.bits > free {
		part.drop, part.bits, exact = part.bits-free, free, false
	}
	p.used += part.bits
	p.parts = append(p.parts, part)
	if exact {
		p.tie++
	}
	return exact
}

// wordRange is the range of the ordered words of a type, and whether equal words mean equal values.
func wordRange(t types.Type) (lo, span uint64, exact bool) {
	const sign = 1 << 63
	switch columnar.LayoutOf(t) {
	case columnar.NoData:
		return 0, 0, true
	case columnar.Bool8:
		return 0, 1, true
	case columnar.Int8x:
		return sign - 1<<7, 1<<8 - 1, true
	case columnar.Int16x:
		return sign - 1<<15, 1<<16 - 1, true
	case columnar.Int32x:
		return sign - 1<<31, 1<<32 - 1, true
	case columnar.Int64x, columnar.Float32x, columnar.Float64x:
		return 0, ^uint64(0), true
	case columnar.Int128x, columnar.View16:
		return 0, ^uint64(0), false
	}
	return 0, 0, false
}

// orderedWords sets out[i] to a word that orders as value i does; what null rows get does not matter. v is flat or const.
func orderedWords(out []uint64, v *columnar.Vector, skip int, short bool) {
	if v.Form != columnar.Flat {
		orderedOther(out, v, skip, short)
		return
	}
	switch columnar.LayoutOf(v.Type) {
	case columnar.Bool8:
		for i, x := range v.Data[:len(out)] {
			out[i] = uint64(x)
		}
	case columnar.Int8x:
		signedWords(out, columnar.Of[int8](v.Data))
	case columnar.Int16x:
		signedWords(out, columnar.Of[int16](v.Data))
	case columnar.Int32x:
		signedWords(out, columnar.Of[int32](v.Data))
	case columnar.Int64x:
		signedWords(out, columnar.Of[int64](v.Data))
	case columnar.Float32x:
		floatOrder(out, columnar.Of[float32](v.Data))
	case columnar.Float64x:
		floatOrder(out, columnar.Of[float64](v.Data))
	case columnar.Int128x:
		for i, x := range columnar.Of[types.Int128](v.Data)[:len(out)] {
			out[i] = wideWord(x)
		}
	case columnar.View16:
		textWords(out, v, skip, short)
	default:
		clear(out)
	}
}

// orderedOther computes the words of the values of a Dict or Const and spreads them.
func orderedOther(out []uint64, v *columnar.Vector, skip int, short bool) {
	d := *valuesOf(v)
	if v.Form == columnar.Const {
		d.Form, d.N = columnar.Flat, 1
	}
	words := make([]uint64, d.N)
	orderedWords(words, &d, skip, short)
	for i := range out {
		c := uint32(0)
		if v.Form == columnar.Dict {
			c = v.Codes[i]
		}
		out[i] = words[c]
	}
}

func signedWords[T int8 | int16 | int32 | int64](out []uint64, v []T) {
	v = v[:len(out)]
	for i, x := range v {
		out[i] = uint64(int64(x)) ^ 1<<63
	}
}

func floatOrder[T float32 | float64](out []uint64, v []T) {
	v = v[:len(out)]
	for i, x := range v {
		w := math.Float64bits(float64(x) + 0) // -0.0 + 0 is 0.0
		switch {
		case x != x:
			w = ^uint64(0)
		case w>>63 != 0:
			w = ^w
		default:
			w |= 1 << 63
		}
		out[i] = w
	}
}

// wideWord orders 128-bit integers: those of 62 bits apart, the rest by their high word.
func wideWord(x types.Int128) uint64 {
	const small = 1 << 62
	switch {
	case x.Fits64() && x.Int64() >= -small && x.Int64() < small:
		return uint64(x.Int64() + small + 1<<62)
	case x.Hi < 0:
		return uint64(x.Hi>>2) + 1<<61
	}
	return uint64(x.Hi>>2) + 3<<62
}

// textWords are eight bytes after the first skip, or, for short texts, seven and the length.
func textWords(out []uint64, v *columnar.Vector, skip int, short bool) {
	views := columnar.Of[columnar.View](v.Data)[:len(out)]
	if skip > 0 {
		skippedWords(out, views, v, skip, short)
		return
	}
	if short {
		for i := range views {
			s := &views[i]
			out[i] = uint64(bits.ReverseBytes32(s.Prefix))<<32 | uint64(bits.ReverseBytes32(s.Buf)) | uint64(s.Len)
		}
		return
	}
	for i := range views {
		s := &views[i]
		if s.Len <= columnar.InlineMax {
			out[i] = uint64(bits.ReverseBytes32(s.Prefix))<<32 | uint64(bits.ReverseBytes32(s.Buf))
		} else if v.Valid == nil || v.Valid.Get(i) {
			out[i] = binary.BigEndian.Uint64(v.Bufs[s.Buf][s.Off:])
		}
	}
}

func skippedWords(out []uint64, views []columnar.View, v *columnar.Vector, skip int, short bool) {
	for i := range views {
		if v.Valid != nil && !v.Valid.Get(i) {
			continue
		}
		b := columnar.ViewBytes(&views[i], v.Bufs)[skip:]
		var w uint64
		if len(b) >= 8 {
			w = binary.BigEndian.Uint64(b)
		} else {
			for k, x := range b {
				w |= uint64(x) << (56 - 8*k)
			}
			if short {
				w |= uint64(len(b))
			}
		}
		out[i] = w
	}
}

// textShape finds how many bytes all texts of a column begin with, and whether none has more than 7 bytes after them.
func textShape(v *columnar.Vector) (skip int, short bool) {
	if v.Form != columnar.Flat {
		return 0, false
	}
	views := columnar.Of[columnar.View](v.Data)[:v.N]
	var common []byte
	longest, first := 0, true
	for i := range views {
		if v.Valid != nil && !v.Valid.Get(i) {
			continue
		}
		s := &views[i]
		longest = max(longest, int(s.Len))
		switch {
		case first:
			common, first = columnar.ViewBytes(s, v.Bufs), false
		case len(common) > 0:
			common = sharedPrefix(common, columnar.ViewBytes(s, v.Bufs))
		case longest > 7:
			return 0, false
		}
	}
	return len(common), longest-len(common) <= 7
}

func sharedPrefix(a, b []byte) []byte {
	n := min(len(a), len(b))
	if bytes.Equal(a[:n], b[:n]) {
		return a[:n]
	}
	for i := range n {
		if a[i] != b[i] {
			return a[:i]
		}
	}
	return a[:n]
}

func sortBounds(words []uint64, valid columnar.Bitmap) (lo, span uint64) {
	lo, hi := ^uint64(0), uint64(0)
	if valid == nil {
		for _, w := range words {
			lo, hi = min(lo, w), max(hi, w)
		}
	} else {
		for i, w := range words {
			if valid[i>>6]>>(uint(i)&63)&1 != 0 {
				lo, hi = min(lo, w), max(hi, w)
			}
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi - lo
}

// words computes the rows' words. tmp is a buffer.
func (p *prefixPlan) words(out []uint64, cols []columnar.Vector, tmp *[]uint64) {
	clear(out)
	*tmp = sized(*tmp, len(out))
	for i := range p.parts {
		part := &p.parts[i]
		v := &cols[part.key.col]
		orderedWords(*tmp, v, part.skip, part.short)
		part.mix(out, *tmp, v)
	}
}

// mix puts the key's code behind what out holds already.
func (p *prefixPart) mix(out, words []uint64, v *columnar.Vector) {
	add, null, top := uint64(0), uint64(0), p.span
	half := uint(0)
	if p.half {
		half, top = 1, top>>1
	}
	if p.nulls {
		if p.key.nullsFirst {
			add = 1
		} else {
			null = top + 1
		}
	}
	flip := uint64(0) // desc: span - code
	if p.key.desc {
		flip = ^uint64(0)
	}
	lo, drop, shift := p.lo, p.drop, p.bits
	span := p.span & flip
	allNull := v.Type.Kind == types.NullKind || v.Form == columnar.Const && v.Null(0)
	nulls := v.Valid != nil && v.Form != columnar.Const
	for i, w := range words {
		code := w - lo
		if flip != 0 {
			code = span - code
		}
		code = code>>half + add
		if allNull || nulls && v.Valid[i>>6]>>(uint(i)&63)&1 == 0 {
			code = null
		}
		out[i] = out[i]<<shift | code>>drop
	}
}

// compareKeys orders row i of a against row j of b by keys.
func compareKeys(keys []sortKey, a []columnar.Vector, i int, b []columnar.Vector, j int) int {
	for k := range keys {
		key := &keys[k]
		x, y := &a[key.col], &b[key.col]
		switch nx, ny := x.Null(i), y.Null(j); {
		case nx && ny:
			continue
		case nx != ny:
			if nx == key.nullsFirst {
				return -1
			}
			return 1
		}
		if c := kernel.CompareAt(x, i, y, j); c != 0 {
			if key.desc {
				return -c
			}
			return c
		}
	}
	return 0
}
