package parquet

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// dictWriter gives codes to distinct values in order of appearance. Values of 4 and 8 bytes are keys by themselves, others
// are byte strings in an arena.
type dictWriter struct {
	slots []uint32 // code+1; 0 is free
	mask  uint64
	keys  []uint64 // by code, fixed values
	arena []byte
	ends  []uint32 // by code, byte strings
	size  int      // of the dictionary page
}

const dictSlots = 1 << 10

func (d *dictWriter) reset() {
	if d.slots == nil {
		d.slots = make([]uint32, dictSlots)
	}
	clear(d.slots)
	d.mask = uint64(len(d.slots) - 1)
	d.keys, d.arena, d.ends, d.size = d.keys[:0], d.arena[:0], d.ends[:0], 0
}

func (d *dictWriter) len() int { return max(len(d.keys), len(d.ends)) }

func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
	return hi ^ lo
}

// fixed is the code of a value of width bytes.
func (d *dictWriter) fixed(v uint64, width int) uint32 {
	for i := mix(v) & d.mask; ; i = (i + 1) & d.mask {
		c := d.slots[i]
		if c == 0 {
			d.keys = append(d.keys, v)
			d.size += width
			d.slots[i] = uint32(len(d.keys))
			if len(d.keys)*2 > len(d.slots) {
				d.grow(func(code int) uint64 { return mix(d.keys[code]) })
			}
			return uint32(len(d.keys) - 1)
		}
		if d.keys[c-1] == v {
			return c - 1
		}
	}
}

func (d *dictWriter) entry(code int) []byte {
	start := uint32(0)
	if code > 0 {
		start = d.ends[code-1]
	}
	return d.arena[start:d.ends[code]]
}

// bytes is the code of a byte string; prefix is what it takes in the dictionary page besides its bytes.
func (d *dictWriter) bytes(v []byte, prefix int) uint32 {
	for i := xxhash.Sum64(v) & d.mask; ; i = (i + 1) & d.mask {
		c := d.slots[i]
		if c == 0 {
			d.arena = append(d.arena, v...)
			d.ends = append(d.ends, uint32(len(d.arena)))
			d.size += len(v) + prefix
			d.slots[i] = uint32(len(d.ends))
			if len(d.ends)*2 > len(d.slots) {
				d.grow(func(code int) uint64 { return xxhash.Sum64(d.entry(code)) })
			}
			return uint32(len(d.ends) - 1)
		}
		if string(d.entry(int(c-1))) == string(v) {
			return c - 1
		}
	}
}

func (d *dictWriter) grow(hash func(code int) uint64) {
	d.slots = make([]uint32, 2*len(d.slots))
	d.mask = uint64(len(d.slots) - 1)
	for code := range d.len() {
		i := hash(code) & d.mask
		for d.slots[i] != 0 {
			i = (i + 1) & d.mask
		}
		d.slots[i] = uint32(code + 1)
	}
}
