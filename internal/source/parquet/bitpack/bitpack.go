// Package bitpack unpacks runs of integers of 0 to 32 bits, least significant bit first, as Parquet packs them.
package bitpack

import "unsafe"

//go:generate go run ./generate

// Slack is the number of bytes that must be readable behind packed input.
const Slack = 16

// Unpack fills dst, whose length is a multiple of 8, from len(dst)/8*w packed bytes; Slack bytes more must be readable.
func Unpack(dst []uint32, src []byte, w uint) { unpackers[w](dst, src) }

// UnpackMax is Unpack that also gives the largest value, 0 if there is none.
func UnpackMax(dst []uint32, src []byte, w uint) uint32 { return unpackMax(dst, src, w) }

func largest(v []uint32) (out uint32) {
	for _, x := range v {
		out = max(out, x)
	}
	return out
}

// AnyAbove says whether a value is greater than limit; limit is below 1<<31.
//
// Two values are looked at in one word: subtracting them from the limit sets a lane's sign bit where a value is above it.
// A borrow from the upper lane only happens when the lower one is above the limit already.
func AnyAbove(v []uint32, limit uint32) bool {
	pair := uint64(limit)<<32 | uint64(limit)
	var acc, acc2 uint64
	for len(v) >= 8 {
		d := (*[4]uint64)(unsafe.Pointer((*[8]uint32)(v)))
		a, b, c, e := d[0], d[1], d[2], d[3]
		acc |= a | (pair - a) | b | (pair - b)
		acc2 |= c | (pair - c) | e | (pair - e)
		v = v[8:]
	}
	acc |= acc2
	for _, x := range v {
		acc |= uint64(x | (limit - x))
	}
	return acc&(1<<63|1<<31) != 0
}
