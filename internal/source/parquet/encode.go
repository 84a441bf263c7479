package parquet

import (
	"encoding/binary"
	"math/bits"
)

// hybridOut writes the RLE/bit-packed encoding of values of width w.
func appendHybrid(dst []byte, v []uint32, w uint) []byte {
	for i := 0; i < len(v); {
		run := runLength(v[i:])
		if run >= 8 || i+run == len(v) {
			dst = appendRLE(dst, v[i], run, w)
			i += run
			continue
		}
		n := packedLength(v[i:])
		dst = appendPacked(dst, v[i:i+n], w)
		i += n
	}
	return dst
}

func runLength(v []uint32) int {
	n := 1
	for n < len(v) && v[n] == v[0] {
		n++
	}
	return n
}

// packedLength is how many values to bit-pack: whole groups of eight, up to a run that is worth its own header.
func packedLength(v []uint32) int {
	n := 8
	for n < len(v) && n < 504 {
		if runLength(v[n:min(n+16, len(v))]) >= 16 {
			break
		}
		n += 8
	}
	return min(n, len(v))
}

func appendRLE(dst []byte, v uint32, n int, w uint) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for k := uint(0); k < w; k += 8 {
		dst = append(dst, byte(v>>k))
	}
	return dst
}

// appendPacked writes values in groups of eight; a last group that is not full is filled with zeros.
func appendPacked(dst []byte, v []uint32, w uint) []byte {
	groups := (len(v) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	var acc uint64
	var n uint
	for i := range groups * 8 {
		if i < len(v) {
			acc |= uint64(v[i]) << n
		}
		for n += w; n >= 8; n -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	return dst
}

// appendLevels writes levels with the length that v1 pages put before them.
func appendLevels(dst []byte, levels []uint8, top int, scratch []uint32) ([]byte, []uint32) {
	if top == 0 {
		return dst, scratch
	}
	scratch = grow(scratch, len(levels))
	for i, l := range levels {
		scratch[i] = uint32(l)
	}
	at := len(dst)
	dst = appendHybrid(append(dst, 0, 0, 0, 0), scratch, uint(bits.Len(uint(top))))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, scratch
}

// appendBits packs booleans, one byte each, to bits.
func appendBits(dst, v []byte) []byte {
	for i := 0; i < len(v); i += 8 {
		var c byte
		for k, b := range v[i:min(i+8, len(v))] {
			c |= b << k
		}
		dst = append(dst, c)
	}
	return dst
}
