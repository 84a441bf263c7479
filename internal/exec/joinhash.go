package exec

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

const (
	mixA = 0x9E3779B97F4A7C15
	mixB = 0xD6E8FEB86659FD93
	mixC = 0xA0761D6478BD642F
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^mixB, b^mixC)
	return hi ^ lo
}

// hashRows sets h[i] to a hash of row i of the columns. Equal keys have equal hashes, floats as Spark compares them. The
// hash is the same in every process. Null rows get any value.
func hashRows(h []uint64, cols []*columnar.Vector, bufs *[]uint64) {
	for i := range h {
		h[i] = mixA
	}
	for _, v := range cols {
		hashColumn(h, v, bufs)
	}
}

// hashColumn mixes a column into h. A dictionary is hashed entry by entry if that is less work.
func hashColumn(h []uint64, v *columnar.Vector, bufs *[]uint64) {
	switch v.Form {
	case columnar.Flat:
		one := sized(*bufs, len(h))
		*bufs = one
		hashFlat(one, v)
		for i := range h {
			h[i] = mix(h[i], one[i])
		}
	case columnar.Const:
		one := *v
		one.Form, one.N = columnar.Flat, 1
		w := []uint64{0}
		if !v.Null(0) {
			hashFlat(w, &one)
		}
		for i := range h {
			h[i] = mix(h[i], w[0])
		}
	case columnar.Dict:
		ent := sized(*bufs, v.Dict.N)
		*bufs = ent
		hashFlat(ent, v.Dict)
		codes := v.Codes[:len(h)]
		for i, c := range codes {
			h[i] = mix(h[i], ent[c])
		}
	}
}

// hashFlat sets out[i] to a word that stands for value i.
func hashFlat(out []uint64, v *columnar.Vector) {
	switch columnar.LayoutOf(v.Type) {
	case columnar.NoData:
		clear(out)
	case columnar.Bool8, columnar.Int8x:
		widen(out, columnar.Of[int8](v.Data))
	case columnar.Int16x:
		widen(out, columnar.Of[int16](v.Data))
	case columnar.Int32x:
		widen(out, columnar.Of[int32](v.Data))
	case columnar.Int64x:
		widen(out, columnar.Of[int64](v.Data))
	case columnar.Float32x:
		floatWords(out, columnar.Of[float32](v.Data))
	case columnar.Float64x:
		floatWords(out, columnar.Of[float64](v.Data))
	case columnar.Int128x:
		for i, x := range columnar.Of[types.Int128](v.Data)[:len(out)] {
			out[i] = mix(x.Lo, uint64(x.Hi))
		}
	case columnar.Interval16:
		for i, x := range columnar.Of[types.CalendarInterval](v.Data)[:len(out)] {
			out[i] = mix(uint64(uint32(x.Months))|uint64(uint32(x.Days))<<32, uint64(x.Micros))
		}
	case columnar.View16:
		hashViews(out, columnar.Of[columnar.View](v.Data)[:len(out)], v)
	default:
		for i := range out {
			out[i] = hashNested(v, i)
		}
	}
}

func widen[T int8 | int16 | int32 | int64](out []uint64, v []T) {
	v = v[:len(out)]
	for i, x := range v {
		out[i] = uint64(int64(x))
	}
}

// floatWords are the bits of floats, one pattern for all NaNs and one for both zeros.
func floatWords[T float32 | float64](out []uint64, v []T) {
	v = v[:len(out)]
	for i, x := range v {
		f := float64(x)
		w := math.Float64bits(f + 0) // -0.0 + 0 is 0.0
		if f != f {
			w = 0x7FF8000000000000
		}
		out[i] = w
	}
}

func hashViews(out []uint64, views []columnar.View, v *columnar.Vector) {
	for i := range views {
		s := &views[i]
		if s.Len <= columnar.InlineMax {
			out[i] = mix(uint64(s.Len)|uint64(s.Prefix)<<32, uint64(s.Buf)|uint64(s.Off)<<32)
			continue
		}
		if v.Valid == nil || v.Valid.Get(i) {
			out[i] = hashText(columnar.ViewBytes(s, v.Bufs))
		}
	}
}

// hashText hashes more than 12 bytes.
func hashText(b []byte) uint64 {
	h := uint64(len(b))
	tail := b[len(b)-8:]
	for ; len(b) > 16; b = b[16:] {
		h = mix(binary.LittleEndian.Uint64(b)^h, binary.LittleEndian.Uint64(b[8:]))
	}
	if len(b) > 8 {
		h = mix(h, binary.LittleEndian.Uint64(b))
	}
	return mix(h, binary.LittleEndian.Uint64(tail))
}

// hashNested hashes one array, map or struct; slow.
func hashNested(v *columnar.Vector, i int) uint64 {
	if v.Null(i) {
		return 1
	}
	switch v.Form {
	case columnar.Dict:
		return hashNested(v.Dict, int(v.Codes[i]))
	case columnar.Const:
		i = 0
	}
	h := uint64(mixA)
	switch columnar.LayoutOf(v.Type) {
	case columnar.List, columnar.Entries:
		offs := columnar.Of[int32](v.Data)
		for k := range v.Kids {
			for e := offs[i]; e < offs[i+1]; e++ {
				h = mix(h, hashNested(&v.Kids[k], int(e)))
			}
		}
		return h
	case columnar.Record:
		for k := range v.Kids {
			h = mix(h, hashNested(&v.Kids[k], i))
		}
		return h
	}
	var w [1]uint64
	one := v.Slice(i, i+1)
	one.Form = columnar.Flat
	hashFlat(w[:], &one)
	return w[0]
}

// plain is a column's flat values, and where in them rows lie.
func plain(v *columnar.Vector, rows []uint32, buf *[]uint32) (*columnar.Vector, []uint32) {
	switch v.Form {
	case columnar.Dict:
		out := sized(*buf, len(rows))
		*buf = out
		for i, r := range rows {
			if r == noRow {
				r = 0
			}
			out[i] = v.Codes[r]
		}
		return v.Dict, out
	case columnar.Const:
		out := sized(*buf, len(rows))
		*buf = out
		clear(out)
		return v, out
	}
	return v, rows
}

// dropUnequal puts noRow in brow where the values of row prow[i] of a and row brow[i] of b differ. Neither is null there.
func dropUnequal(a, b *columnar.Vector, prow, brow []uint32, bufs *[2][]uint32) {
	a, at := plain(a, prow, &bufs[0])
	b, bt := plain(b, brow, &bufs[1])
	switch columnar.LayoutOf(b.Type) {
	case columnar.NoData:
	case columnar.Bool8, columnar.Int8x:
		dropFixed[int8](a, b, at, bt, brow)
	case columnar.Int16x:
		dropFixed[int16](a, b, at, bt, brow)
	case columnar.Int32x:
		dropFixed[int32](a, b, at, bt, brow)
	case columnar.Int64x:
		dropFixed[int64](a, b, at, bt, brow)
	case columnar.Int128x:
		dropFixed[types.Int128](a, b, at, bt, brow)
	case columnar.Interval16:
		dropFixed[types.CalendarInterval](a, b, at, bt, brow)
	case columnar.Float32x:
		dropFloats[float32](a, b, at, bt, brow)
	case columnar.Float64x:
		dropFloats[float64](a, b, at, bt, brow)
	case columnar.View16:
		x, y := columnar.Of[columnar.View](a.Data), columnar.Of[columnar.View](b.Data)
		for i, r := range brow {
			if r != noRow && !columnar.ViewEqual(&x[at[i]], a.Bufs, &y[bt[i]], b.Bufs) {
				brow[i] = noRow
			}
		}
	default:
		for i, r := range brow {
			if r != noRow && kernel.CompareAt(a, int(at[i]), b, int(bt[i])) != 0 {
				brow[i] = noRow
			}
		}
	}
}

func dropFixed[T int8 | int16 | int32 | int64 | types.Int128 | types.CalendarInterval](a, b *columnar.Vector, at, bt, brow []uint32) {
	x, y := columnar.Of[T](a.Data), columnar.Of[T](b.Data)
	at, bt = at[:len(brow)], bt[:len(brow)]
	for i, r := range brow {
		if r != noRow && x[at[i]] != y[bt[i]] {
			brow[i] = noRow
		}
	}
}

func dropFloats[T float32 | float64](a, b *columnar.Vector, at, bt, brow []uint32) {
	x, y := columnar.Of[T](a.Data), columnar.Of[T](b.Data)
	for i, r := range brow {
		if r == noRow {
			continue
		}
		if p, q := x[at[i]], y[bt[i]]; p != q && (p == p || q == q) {
			brow[i] = noRow
		}
	}
}
