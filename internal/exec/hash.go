package exec

import (
	"math"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// The hash of this file places rows in the tables and spill partitions of one operator. It is fixed, so that a retried
// task gives its rows in the same order. (Exchanges hash as Spark does: see murmur.go.)

const hashMul = 0x9E3779B97F4A7C15

const nullHash = 0x5bd1e9955bd1e995

func mixWord(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^hashMul, 0xD6E8FEB86659FD93)
	return hi ^ lo
}

// keyHashes sets out[i] to the hash of row i of the columns, which are Flat. Equal keys have equal hashes: zeros and NaNs
// of all kinds are one, nulls hash alike.
func keyHashes(cols []columnar.Vector, n int, out []uint64) {
	clear(out[:n])
	for i := range cols {
		keyHash(&cols[i], out[:n])
	}
}

func keyHash(v *columnar.Vector, out []uint64) {
	switch l := columnar.LayoutOf(v.Type); l {
	case columnar.Bool8, columnar.Int8x:
		keyHashInts(columnar.Of[int8](v.Data), v.Valid, out)
	case columnar.Int16x:
		keyHashInts(columnar.Of[int16](v.Data), v.Valid, out)
	case columnar.Int32x:
		keyHashInts(columnar.Of[int32](v.Data), v.Valid, out)
	case columnar.Int64x:
		keyHashInts(columnar.Of[int64](v.Data), v.Valid, out)
	case columnar.Float32x:
		for i, f := range columnar.Of[float32](v.Data)[:len(out)] {
			out[i] = mixWord(out[i], uint64(floatBits(f)))
		}
		keyHashNulls(v, out)
	case columnar.Float64x:
		for i, f := range columnar.Of[float64](v.Data)[:len(out)] {
			out[i] = mixWord(out[i], doubleBits(f))
		}
		keyHashNulls(v, out)
	case columnar.Int128x, columnar.Interval16:
		for i, x := range columnar.Of[types.Int128](v.Data)[:len(out)] {
			out[i] = mixWord(mixWord(out[i], x.Lo), uint64(x.Hi))
		}
		keyHashNulls(v, out)
	case columnar.View16:
		keyHashTexts(v, out)
	case columnar.List, columnar.Entries:
		keyHashLists(v, out)
	case columnar.Record:
		for k := range v.Kids {
			kid := v.Kids[k].Flatten()
			keyHash(&kid, out)
		}
		keyHashNulls(v, out)
	}
}

// keyHashNulls replaces what garbage under null rows did: their hash forgets earlier columns, which costs collisions only.
func keyHashNulls(v *columnar.Vector, out []uint64) {
	if v.Valid == nil {
		return
	}
	for i := range out {
		if !v.Valid.Get(i) {
			out[i] = nullHash
		}
	}
}

func keyHashInts[T ~int8 | ~int16 | ~int32 | ~int64](vals []T, valid columnar.Bitmap, out []uint64) {
	vals = vals[:len(out)]
	if valid == nil {
		for i, x := range vals {
			out[i] = mixWord(out[i], uint64(x))
		}
		return
	}
	for i, x := range vals {
		if valid.Get(i) {
			out[i] = mixWord(out[i], uint64(x))
		} else {
			out[i] = nullHash
		}
	}
}

func keyHashTexts(v *columnar.Vector, out []uint64) {
	views := columnar.Of[columnar.View](v.Data)[:len(out)]
	for i := range views {
		if v.Valid != nil && !v.Valid.Get(i) {
			out[i] = nullHash
			continue
		}
		out[i] = mixWord(out[i], textHash(&views[i], v.Bufs))
	}
}

// textHash hashes one text.
func textHash(w *columnar.View, bufs [][]byte) uint64 {
	if w.Len <= columnar.InlineMax {
		return mixWord(uint64(w.Len)|uint64(w.Prefix)<<32, uint64(w.Buf)|uint64(w.Off)<<32)
	}
	return xxh3.Hash(bufs[w.Buf][w.Off : w.Off+w.Len])
}

func keyHashLists(v *columnar.Vector, out []uint64) {
	offs := columnar.Of[int32](v.Data)
	for k := range v.Kids {
		kid := v.Kids[k].Flatten()
		elems := make([]uint64, kid.N)
		keyHash(&kid, elems)
		for i := range out {
			for e := offs[i]; e < offs[i+1]; e++ {
				out[i] = mixWord(out[i], elems[e])
			}
		}
	}
	for i := range out {
		out[i] = mixWord(out[i], uint64(offs[i+1]-offs[i]))
	}
	keyHashNulls(v, out)
}

// doubleBits and floatBits are the bits of a key: one zero, one NaN.
func doubleBits(f float64) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

func floatBits(f float32) uint32 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return 0x7fc00000
	}
	return math.Float32bits(f)
}
