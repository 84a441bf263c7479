package frame

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/firesteel/firesteel/internal/columnar"
)

type signed interface{ ~int16 | ~int32 | ~int64 }

// packInts writes the minimum (8 bytes), the width (1 byte: 0, 1, 2, 4 or 8) and the distances from the minimum.
// Null rows do not count for the minimum; what is read back for them is arbitrary.
func packInts[T signed](dst []byte, vals []T, valid columnar.Bitmap, base int) []byte {
	lo, hi := bounds(vals, valid, base)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(int64(lo)))
	switch span := uint64(int64(hi)) - uint64(int64(lo)); {
	case span == 0:
		return append(dst, 0)
	case span < 1<<8:
		return packAs[T, uint8](append(dst, 1), vals, lo)
	case span < 1<<16:
		return packAs[T, uint16](append(dst, 2), vals, lo)
	case span < 1<<32:
		return packAs[T, uint32](append(dst, 4), vals, lo)
	}
	return packAs[T, uint64](append(dst, 8), vals, lo)
}

func bounds[T signed](vals []T, valid columnar.Bitmap, base int) (lo, hi T) {
	first := 0
	for valid != nil && first < len(vals) && !valid.Get(base+first) {
		first++
	}
	if first == len(vals) {
		return 0, 0
	}
	lo, hi = vals[first], vals[first]
	if valid == nil {
		for _, v := range vals {
			lo, hi = min(lo, v), max(hi, v)
		}
		return lo, hi
	}
	for i := first; i < len(vals); i++ {
		if valid.Get(base + i) {
			lo, hi = min(lo, vals[i]), max(hi, vals[i])
		}
	}
	return lo, hi
}

type word interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

// reserve adds n elements of W to dst, 8-byte aligned in memory or not, and returns them as a slice of W.
func reserve[W word](dst []byte, n int) ([]byte, []W) {
	var w W
	size := n * int(unsafe.Sizeof(w))
	dst = slices.Grow(dst, size+8)
	at := len(dst)
	dst = dst[:at+size]
	if n == 0 {
		return dst, nil
	}
	// Unaligned words: amd64 and arm64 load and store them at full speed.
	return dst, unsafe.Slice((*W)(unsafe.Pointer(&dst[at])), n)
}

func packAs[T signed, W word](dst []byte, vals []T, lo T) []byte {
	dst, out := reserve[W](dst, len(vals))
	out = out[:len(vals)]
	for i, v := range vals {
		out[i] = W(uint64(int64(v)) - uint64(int64(lo)))
	}
	return dst
}

// packCodes writes unsigned numbers: the width (1, 2 or 4) and the numbers.
func packCodes(dst []byte, codes []uint32) []byte {
	var all uint32
	for _, c := range codes {
		all |= c
	}
	switch {
	case all == 0:
		return append(dst, 0)
	case all < 1<<8:
		return narrow[uint8](append(dst, 1), codes)
	case all < 1<<16:
		return narrow[uint16](append(dst, 2), codes)
	}
	return narrow[uint32](append(dst, 4), codes)
}

func narrow[W word](dst []byte, codes []uint32) []byte {
	dst, out := reserve[W](dst, len(codes))
	out = out[:len(codes)]
	for i, c := range codes {
		out[i] = W(c)
	}
	return dst
}

// words views n packed words at the start of src.
func words[W word](src []byte, n int) []W {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*W)(unsafe.Pointer(unsafe.SliceData(src))), n)
}

func unpackInts[T signed](dst []T, src []byte, lo int64, width int) {
	switch width {
	case 0:
		for i := range dst {
			dst[i] = T(lo)
		}
	case 1:
		unpackAs(dst, words[uint8](src, len(dst)), lo)
	case 2:
		unpackAs(dst, words[uint16](src, len(dst)), lo)
	case 4:
		unpackAs(dst, words[uint32](src, len(dst)), lo)
	case 8:
		unpackAs(dst, words[uint64](src, len(dst)), lo)
	}
}

func unpackAs[T signed, W word](dst []T, src []W, lo int64) {
	src = src[:len(dst)]
	for i, w := range src {
		dst[i] = T(uint64(lo) + uint64(w))
	}
}

func unpackCodes(dst []uint32, src []byte, width int) {
	switch width {
	case 0:
		clear(dst)
	case 1:
		widen(dst, words[uint8](src, len(dst)))
	case 2:
		widen(dst, words[uint16](src, len(dst)))
	case 4:
		widen(dst, words[uint32](src, len(dst)))
	}
}

func widen[W word](dst []uint32, src []W) {
	src = src[:len(dst)]
	for i, w := range src {
		dst[i] = uint32(w)
	}
}
