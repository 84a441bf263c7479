// Package snappy decompresses Snappy blocks. On processors with BMI2 short literals and copies, which is what pages of
// numbers and of words consist of, go through a loop without branches on their kind; the rest is done in Go. Elsewhere
// the decoder of the s2 package does all.
package snappy

import (
	"encoding/binary"
	"errors"
)

// ErrCorrupt is a block that does not decompress to the length that is expected of it.
var ErrCorrupt = errors.New("a Snappy block is damaged")

// Decode fills dst, which has exactly the block's uncompressed length, from src.
func Decode(dst, src []byte) error {
	n, k := binary.Uvarint(src)
	if k <= 0 || n != uint64(len(dst)) {
		return ErrCorrupt
	}
	if n == 0 {
		return nil
	}
	return decode(dst, src, k)
}

// Kinds of elements: the low bits of a tag.
const (
	literal = iota
	copy1   // offset of 11 bits, length 4 to 11
	copy2   // offset of 16 bits, length 1 to 64
	copy4   // offset of 32 bits, length 1 to 64
)

// element decodes the element at src[s:] to dst[d:] and returns the positions behind it; ok is false for a damaged one.
func element(dst, src []byte, d, s int) (nd, ns int, ok bool) {
	if s >= len(src) {
		return d, s, false
	}
	tag := src[s]
	s++
	if tag&3 == literal {
		n, more := int(tag>>2), 0
		if n >= 60 {
			if more = n - 59; more > len(src)-s {
				return d, s, false
			}
			n = 0
			for i := range more {
				n |= int(src[s+i]) << (8 * i)
			}
			s += more
		}
		n++
		if n <= 0 || n > len(src)-s || n > len(dst)-d {
			return d, s, false
		}
		copy(dst[d:d+n], src[s:])
		return d + n, s + n, true
	}
	n, off := int(tag>>2)+1, 0
	switch size := [4]int{0, 1, 2, 4}[tag&3]; {
	case size > len(src)-s:
		return d, s, false
	case tag&3 == copy1:
		n, off = int(tag>>2&7)+4, int(tag>>5)<<8|int(src[s])
		s++
	case tag&3 == copy2:
		off = int(src[s]) | int(src[s+1])<<8
		s += 2
	default:
		off = int(binary.LittleEndian.Uint32(src[s:]))
		s += 4
	}
	if off <= 0 || off > d || n > len(dst)-d {
		return d, s, false
	}
	if off >= n {
		copy(dst[d:d+n], dst[d-off:])
		return d + n, s, true
	}
	for end := d + n; d < end; { // what is copied begins to repeat: ever longer parts of it are there
		d += copy(dst[d:end], dst[d-off:d])
	}
	return d, s, true
}
