package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
)

func popcount(x uint64) int { return bits.OnesCount64(x) }

// spread puts dense values at the rows whose bits are set; other rows get some value. src must be readable one value
// beyond the number of set bits.
func spread[T any](dst, src []T, valid columnar.Bitmap) {
	j := 0
	for w := 0; w*64 < len(dst); w++ {
		d, b := dst[w*64:min(len(dst), w*64+64)], valid[w]
		if b == ^uint64(0) && len(d) == 64 {
			copy(d, src[j:j+64])
			j += 64
			continue
		}
		for i := range d {
			d[i] = src[j]
			j += int(b >> uint(i) & 1)
		}
	}
}

// spreadBytes is spread over values of a width in bytes.
func spreadBytes(dst, src []byte, width int, valid columnar.Bitmap) {
	switch width {
	case 1:
		spread(dst, src, valid)
	case 2:
		spread(columnar.Of[int16](dst), columnar.Of[int16](src), valid)
	case 4:
		spread(columnar.Of[uint32](dst), columnar.Of[uint32](src), valid)
	case 8:
		spread(columnar.Of[uint64](dst), columnar.Of[uint64](src), valid)
	case 16:
		spread(columnar.Of[columnar.View](dst), columnar.Of[columnar.View](src), valid)
	}
}

// copyBits copies bits [from, from+n) of src to dst from bit 0; the rest of dst's last word is cleared.
func copyBits(dst, src columnar.Bitmap, from, n int) {
	s := uint(from) & 63
	src = src[from>>6:]
	words := (n + 63) / 64
	for i := range words {
		x := src[i] >> s
		if s != 0 && i+1 < len(src) {
			x |= src[i+1] << (64 - s)
		}
		dst[i] = x
	}
	if r := uint(n) & 63; r != 0 {
		dst[words-1] &= 1<<r - 1
	}
}

// countBits counts the set bits in [from, to).
func countBits(b columnar.Bitmap, from, to int) int { return b.Count(to) - b.Count(from) }

// text is a walk over length-prefixed byte strings of a page.
type text struct {
	b   []byte // values; padding is readable behind them
	pos int
}

// inline masks keep the first n bytes of a short text, as the two parts of its view.
var inlineLo, inlineHi = inlineMasks()

func inlineMasks() (lo, hi [columnar.InlineMax + 1]uint64) {
	for n := range lo {
		for i := range n {
			if i < 4 {
				lo[n] |= 0xff << (8 * i)
			} else {
				hi[n] |= 0xff << (8 * (i - 4))
			}
		}
	}
	return lo, hi
}

// views makes the views of the next len(dst) strings; long ones point into buffer 0, which is the page.
func (t *text) views(dst []columnar.View, base int) error {
	b, pos, end := t.b[:len(t.b)+16], t.pos, len(t.b)
	for i := range dst {
		if pos+4 > end {
			return errShort
		}
		n := binary.LittleEndian.Uint32(b[pos:])
		pos += 4
		if uint64(n) > uint64(end-pos) {
			return errShort
		}
		x := binary.LittleEndian.Uint64(b[pos:])
		if n > columnar.InlineMax {
			dst[i] = columnar.View{Len: n, Prefix: uint32(x), Buf: 0, Off: uint32(base + pos)}
		} else {
			y := uint64(binary.LittleEndian.Uint32(b[pos+8:]))
			hi := (x>>32 | y<<32) & inlineHi[n]
			dst[i] = columnar.View{Len: n, Prefix: uint32(x & inlineLo[n]), Buf: uint32(hi), Off: uint32(hi >> 32)}
		}
		pos += int(n)
	}
	t.pos = pos
	return nil
}

// skip passes over n strings.
func (t *text) skip(n int) error {
	b, pos, end := t.b, t.pos, len(t.b)
	for range n {
		if pos+4 > end {
			return errShort
		}
		k := binary.LittleEndian.Uint32(b[pos:])
		pos += 4
		if uint64(k) > uint64(end-pos) {
			return errShort
		}
		pos += int(k)
	}
	t.pos = pos
	return nil
}

// pick makes views only of the strings that sel names, out of the next n; sel ascends.
func (t *text) pick(dst []columnar.View, sel []uint32, n, base int) error {
	at := 0
	for i, s := range sel {
		if err := t.skip(int(s) - at); err != nil {
			return err
		}
		if err := t.views(dst[i:i+1], base); err != nil {
			return err
		}
		at = int(s) + 1
	}
	return t.skip(n - at)
}

// view makes the view of a string at [off, off+n) of a buffer with padding.
func view(buf []byte, off, n int) columnar.View {
	return columnar.MakeView(buf[off:off+n], 0, uint32(off))
}
