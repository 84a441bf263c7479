// Package bitpack unpacks runs of integers of 0 to 32 bits, least significant bit first, as Parquet packs them.
package bitpack

//go:generate go run ./generate

// Slack is the number of bytes that must be readable behind packed input.
const Slack = 8

// Unpack fills dst, whose length is a multiple of 8, from len(dst)/8*w packed bytes; Slack bytes more must be readable.
func Unpack(dst []uint32, src []byte, w uint) { unpackers[w](dst, src) }

// AnyAbove says whether a value is greater than limit; values and limit are below 1<<31, else the answer is true.
func AnyAbove(v []uint32, limit uint32) bool {
	var acc uint32
	for len(v) >= 8 {
		d := (*[8]uint32)(v)
		a := d[0] | (limit - d[0]) | d[1] | (limit - d[1])
		b := d[2] | (limit - d[2]) | d[3] | (limit - d[3])
		c := d[4] | (limit - d[4]) | d[5] | (limit - d[5])
		e := d[6] | (limit - d[6]) | d[7] | (limit - d[7])
		acc |= a | b | c | e
		v = v[8:]
	}
	for _, x := range v {
		acc |= x | (limit - x)
	}
	return acc>>31 != 0
}
