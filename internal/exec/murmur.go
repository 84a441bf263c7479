package exec

import (
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Spark's hash partitioning: the 32-bit MurmurHash3 of its own flavour (each trailing byte is mixed by itself), column
// after column with the hash so far as seed, from 42. Nulls leave the hash as it is.

const partitionSeed = 42

func murmurMix(h, k uint32) uint32 {
	h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	return bits.RotateLeft32(h, 13)*5 + 0xe6546b64
}

func murmurEnd(h, n uint32) uint32 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func murmurInt(h, v uint32) uint32 { return murmurEnd(murmurMix(h, v), 4) }

func murmurLong(h uint32, v uint64) uint32 {
	return murmurEnd(murmurMix(murmurMix(h, uint32(v)), uint32(v>>32)), 8)
}

func murmurText(h uint32, b []byte) uint32 {
	n := uint32(len(b))
	for len(b) >= 4 {
		h = murmurMix(h, uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24)
		b = b[4:]
	}
	for _, c := range b {
		h = murmurMix(h, uint32(int32(int8(c))))
	}
	return murmurEnd(h, n)
}

// murmurColumn folds a flat column into the hashes.
func murmurColumn(v *columnar.Vector, h []uint32) {
	switch l := columnar.LayoutOf(v.Type); l {
	case columnar.NoData:
	case columnar.Bool8, columnar.Int8x:
		murmurInts(columnar.Of[int8](v.Data), v.Valid, h)
	case columnar.Int16x:
		murmurInts(columnar.Of[int16](v.Data), v.Valid, h)
	case columnar.Int32x:
		murmurInts(columnar.Of[int32](v.Data), v.Valid, h)
	case columnar.Int64x:
		murmurLongs(columnar.Of[uint64](v.Data), v.Valid, h)
	default:
		for i := range h {
			if !v.Null(i) {
				h[i] = murmurValue(v, l, i, h[i])
			}
		}
	}
}

func murmurInts[T ~int8 | ~int16 | ~int32](vals []T, valid columnar.Bitmap, h []uint32) {
	vals = vals[:len(h)]
	for i, x := range vals {
		if valid == nil || valid.Get(i) {
			h[i] = murmurInt(h[i], uint32(int32(x)))
		}
	}
}

func murmurLongs(vals []uint64, valid columnar.Bitmap, h []uint32) {
	vals = vals[:len(h)]
	for i, x := range vals {
		if valid == nil || valid.Get(i) {
			h[i] = murmurLong(h[i], x)
		}
	}
}

// murmurValue hashes one value that is not null.
func murmurValue(v *columnar.Vector, l columnar.Layout, i int, h uint32) uint32 {
	switch l {
	case columnar.Float32x:
		return murmurInt(h, floatBits(columnar.Of[float32](v.Data)[i]))
	case columnar.Float64x:
		return murmurLong(h, doubleBits(columnar.Of[float64](v.Data)[i]))
	case columnar.Int128x:
		return murmurText(h, bigBytes(columnar.Of[types.Int128](v.Data)[i]))
	case columnar.View16:
		return murmurText(h, v.Text(i))
	case columnar.Interval16:
		x := columnar.Of[types.CalendarInterval](v.Data)[i]
		return murmurInt(murmurInt(murmurLong(h, uint64(x.Micros)), uint32(x.Days)), uint32(x.Months))
	case columnar.List, columnar.Entries:
		offs := columnar.Of[int32](v.Data)
		for e := int(offs[i]); e < int(offs[i+1]); e++ {
			for k := range v.Kids {
				h = murmurKid(&v.Kids[k], e, h)
			}
		}
	case columnar.Record:
		for k := range v.Kids {
			h = murmurKid(&v.Kids[k], i, h)
		}
	}
	return h
}

// murmurKid hashes one value of a nested vector.
func murmurKid(v *columnar.Vector, i int, h uint32) uint32 {
	if v.Null(i) {
		return h
	}
	one := columnar.Gather(v, []uint32{uint32(i)})
	one = one.Flatten()
	out := [1]uint32{h}
	murmurColumn(&one, out[:])
	return out[0]
}

// bigBytes are the two's complement bytes of an integer, big-endian, as few as its sign allows.
func bigBytes(x types.Int128) []byte {
	var b [16]byte
	for i := range 8 {
		b[i] = byte(uint64(x.Hi) >> (56 - 8*i))
		b[8+i] = byte(x.Lo >> (56 - 8*i))
	}
	start := 0
	for start < 15 && (b[start] == 0 && b[start+1] < 0x80 || b[start] == 0xff && b[start+1] >= 0x80) {
		start++
	}
	return b[start:]
}
