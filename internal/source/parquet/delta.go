package parquet

import (
	"encoding/binary"
	"errors"
)

var errDelta = errors.New("delta-encoded values are damaged")

// varints reads the header numbers of delta encodings.
type varints struct {
	b   []byte
	p   int
	bad bool
}

func (v *varints) uvarint() uint64 {
	x, n := binary.Uvarint(v.b[v.p:])
	if n <= 0 {
		v.bad = true
		return 0
	}
	v.p += n
	return x
}

func (v *varints) zigzag() int64 {
	u := v.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// deltaInts decodes DELTA_BINARY_PACKED values, at most len(dst), wrapping around as the format says. It returns how
// many there are and the number of bytes read. b has padding behind it.
func deltaInts(dst []int64, b []byte) (n, size int, err error) {
	v := varints{b: b}
	block, minis, total, last := v.uvarint(), v.uvarint(), v.uvarint(), v.zigzag()
	if v.bad || total > uint64(len(dst)) {
		return 0, 0, errDelta
	}
	if total == 0 {
		return 0, v.p, nil
	}
	if minis == 0 || block == 0 || block%minis != 0 || block/minis%8 != 0 || block > 1<<20 {
		return 0, 0, errDelta
	}
	dst = dst[:total]
	dst[0] = last
	n = 1
	for n < len(dst) {
		if n, last, err = deltaBlock(dst, n, last, &v, int(minis), int(block/minis)); err != nil {
			return 0, 0, err
		}
	}
	return n, v.p, nil
}

// deltaBlock decodes one block from dst[n] on; miniblocks behind the last value may be missing.
func deltaBlock(dst []int64, n int, last int64, v *varints, minis, per int) (int, int64, error) {
	least := v.zigzag()
	if v.bad || minis > len(v.b)-v.p {
		return 0, 0, errDelta
	}
	widths := v.b[v.p : v.p+minis]
	v.p += minis
	for _, w := range widths {
		if n == len(dst) {
			break
		}
		k := min(per, len(dst)-n)
		need, size := (k*int(w)+7)/8, per*int(w)/8
		if w > 64 || need > len(v.b)-v.p {
			return 0, 0, errDelta
		}
		last = deltaMini(dst[n:n+k], v.b[v.p:], uint(w), least, last)
		n += k
		v.p = min(v.p+size, len(v.b))
	}
	return n, last, nil
}

// deltaMini decodes a miniblock of width w; src is readable 9 bytes beyond the last value.
func deltaMini(dst []int64, src []byte, w uint, least, last int64) int64 {
	if w == 0 {
		for i := range dst {
			last += least
			dst[i] = last
		}
		return last
	}
	src = src[:len(src)+16]
	mask := ^uint64(0) >> (64 - w)
	bit := uint(0)
	for i := range dst {
		p, s := bit>>3, bit&7
		x := binary.LittleEndian.Uint64(src[p:]) >> s
		if s+w > 64 {
			x |= uint64(src[p+8]) << (64 - s)
		}
		last += least + int64(x&mask)
		dst[i] = last
		bit += w
	}
	return last
}

// strings is a page's byte strings: offset and length of each in buf.
type strings struct {
	buf  []byte
	offs []int64 // one more than there are strings
}

// deltaLength decodes DELTA_LENGTH_BYTE_ARRAY: n lengths, then the bytes. It returns the offsets of the strings in b.
func deltaLength(b []byte, n int) (offs []int64, err error) {
	offs = make([]int64, n+1)
	got, size, err := deltaInts(offs[1:], b)
	if err != nil || got != n {
		return nil, errDelta
	}
	at := int64(size)
	offs[0] = at
	for i, k := range offs[1:] {
		if k < 0 || k > int64(len(b))-at {
			return nil, errShort
		}
		at += k
		offs[i+1] = at
	}
	return offs, nil
}

// deltaStrings decodes DELTA_BYTE_ARRAY: lengths of the prefix shared with the string before, then the suffixes.
// The strings are put into a buffer from get, which leaves padding.
func deltaStrings(b []byte, n int, get func(int) []byte) (strings, error) {
	prefix := make([]int64, n)
	got, size, err := deltaInts(prefix, b)
	if err != nil || got != n {
		return strings{}, errDelta
	}
	suffix := b[size:]
	cuts, err := deltaLength(suffix, n)
	if err != nil {
		return strings{}, err
	}
	var total int64
	for i := range n {
		k := cuts[i+1] - cuts[i]
		before := int64(0)
		if i > 0 {
			before = prefix[i-1] + cuts[i] - cuts[i-1]
		}
		if prefix[i] < 0 || prefix[i] > before {
			return strings{}, errDelta
		}
		if total += prefix[i] + k; total > 1<<31 {
			return strings{}, errDelta
		}
	}
	out := strings{buf: get(int(total)), offs: make([]int64, n+1)}
	at := int64(0)
	for i := range n {
		start := out.offs[max(i-1, 0)]
		copy(out.buf[at:], out.buf[start:start+prefix[i]])
		at += prefix[i]
		at += int64(copy(out.buf[at:], suffix[cuts[i]:cuts[i+1]]))
		out.offs[i+1] = at
	}
	return out, nil
}

// unsplit reverses BYTE_STREAM_SPLIT: byte k of all n values lies together.
func unsplit(dst, src []byte, n, width int) error {
	if len(src) < n*width {
		return errShort
	}
	for k := range width {
		stream := src[k*n : k*n+n]
		for i, c := range stream {
			dst[i*width+k] = c
		}
	}
	return nil
}
