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
// of all kinds are one, nulls hash alike. word is room for as many rows.
func keyHashes(cols []columnar.Vector, n int, out, word []uint64) {
	out, word = out[:n], word[:n]
	clear(out)
	for i := range cols {
		groupWords(word, &cols[i])
		foldWords(out, word, cols[i].Valid)
	}
}

// foldWords mixes one hash a row into out.
func foldWords(out, word []uint64, valid columnar.Bitmap) {
	word = word[:len(out)]
	if valid == nil {
		for i, w := range word {
			out[i] = mixWord(out[i], w)
		}
		return
	}
	for i, w := range word {
		if !valid.Get(i) {
			w = nullHash
		}
		out[i] = mixWord(out[i], w)
	}
}

// groupWords gives each row a number that is equal for equal values; null rows get any.
func groupWords(word []uint64, v *columnar.Vector) {
	switch l := columnar.LayoutOf(v.Type); {
	case l == columnar.NoData:
		clear(word)
	case wordLayout(l):
		loadWords(word, v, l)
	case l == columnar.Int128x || l == columnar.Interval16:
		for i, x := range columnar.Of[types.Int128](v.Data)[:len(word)] {
			word[i] = mixWord(x.Lo, uint64(x.Hi))
		}
	case l == columnar.View16:
		views := columnar.Of[columnar.View](v.Data)[:len(word)]
		for i := range views {
			if v.Valid == nil || v.Valid.Get(i) {
				word[i] = textHash(&views[i], v.Bufs)
			}
		}
	case l == columnar.Record:
		clear(word)
		for k := range v.Kids {
			foldKid(word, &v.Kids[k])
		}
	default:
		listWords(word, v)
	}
}

// foldKid mixes a field of a struct into the words.
func foldKid(word []uint64, v *columnar.Vector) {
	kid, one := v.Flatten(), make([]uint64, len(word))
	groupWords(one, &kid)
	foldWords(word, one, kid.Valid)
}

func listWords(word []uint64, v *columnar.Vector) {
	offs := columnar.Of[int32](v.Data)
	for i := range word {
		word[i] = uint64(offs[i+1] - offs[i])
	}
	for k := range v.Kids {
		elems := make([]uint64, v.Kids[k].N)
		foldKid(elems, &v.Kids[k])
		for i := range word {
			for e := offs[i]; e < offs[i+1]; e++ {
				word[i] = mixWord(word[i], elems[e])
			}
		}
	}
}

// textHash hashes one text.
func textHash(w *columnar.View, bufs [][]byte) uint64 {
	if w.Len <= columnar.InlineMax {
		return mixWord(uint64(w.Len)|uint64(w.Prefix)<<32, uint64(w.Buf)|uint64(w.Off)<<32)
	}
	return xxh3.Hash(bufs[w.Buf][w.Off : w.Off+w.Len])
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
