package columnar

import "math/bits"

// Bitmap is a set of row numbers, bit i of word i/64. A nil Bitmap as validity means that all rows are valid.
type Bitmap []uint64

// NewBitmap makes a bitmap of n bits, all clear; FullBitmap all set.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+63)/64) }

// FullBitmap has bits 0..n-1 set and the rest of its last word clear.
func FullBitmap(n int) Bitmap {
	b := NewBitmap(n)
	for i := range b {
		b[i] = ^uint64(0)
	}
	if r := n % 64; r != 0 {
		b[len(b)-1] = 1<<r - 1
	}
	return b
}

// Get, Set and Clear touch one bit.
func (b Bitmap) Get(i int) bool { return b[i>>6]>>(uint(i)&63)&1 != 0 }
func (b Bitmap) Set(i int)      { b[i>>6] |= 1 << (uint(i) & 63) }
func (b Bitmap) Clear(i int)    { b[i>>6] &^= 1 << (uint(i) & 63) }

// Count is the number of set bits among the first n.
func (b Bitmap) Count(n int) int {
	c := 0
	for _, w := range b[:n>>6] {
		c += bits.OnesCount64(w)
	}
	if r := uint(n) & 63; r != 0 {
		c += bits.OnesCount64(b[n>>6] & (1<<r - 1))
	}
	return c
}

// And writes a AND b over n bits to dst (which may be a or b); nil means all set. It returns nil when both are nil.
func And(dst, a, b Bitmap, n int) Bitmap {
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		a = b
	case b == nil:
		b = a
	}
	words := (n + 63) / 64
	if cap(dst) < words {
		dst = make(Bitmap, words)
	}
	dst, a, b = dst[:words], a[:words], b[:words]
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
	return dst
}
