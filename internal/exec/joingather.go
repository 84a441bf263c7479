package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// noRow stands in a list of row numbers for a row of nulls.
const noRow = ^uint32(0)

// rowBuf is what one column of an operator's output is gathered into. Its buffers are used again for the next batch.
type rowBuf struct {
	data  []byte
	valid columnar.Bitmap
	codes []uint32
	null  *columnar.Vector // a constant null of the column's type
}

// gather copies the rows of v that are named. A Dict stays a Dict and a Const a Const; string bytes are shared.
func (b *rowBuf) gather(v *columnar.Vector, rows []uint32) columnar.Vector {
	out := columnar.Vector{Type: v.Type, Form: v.Form, N: len(rows), Bufs: v.Bufs}
	switch v.Form {
	case columnar.Const:
		out.Valid, out.Data, out.Kids = v.Valid, v.Data, v.Kids
		return out
	case columnar.Dict:
		b.codes = sized(b.codes, len(rows))
		columnar.GatherInto(b.codes, v.Codes, rows)
		out.Codes, out.Dict, out.Bufs = b.codes, v.Dict, nil
	default:
		l := columnar.LayoutOf(v.Type)
		if l >= columnar.List || l == columnar.NoData {
			return columnar.Gather(v, rows)
		}
		out.Data = b.fixed(v.Data, l, rows)
	}
	if v.Valid != nil {
		b.valid = sized(b.valid, (len(rows)+63)/64)
		gatherBits(b.valid, v.Valid, rows)
		out.Valid = b.valid
	}
	return out
}

// gatherOuter is gather for rows among which there may be noRow: safe are the rows with 0 in those places, and present
// has the bits of the others.
func (b *rowBuf) gatherOuter(v *columnar.Vector, safe []uint32, present columnar.Bitmap) columnar.Vector {
	if v.N == 0 || v.Type.Kind == types.NullKind {
		return b.nulls(v.Type, len(safe))
	}
	if v.Form == columnar.Const {
		f := v.Slice(0, 1)
		f.Form = columnar.Flat
		v = &f
		safe = make([]uint32, len(safe))
	}
	out := b.gather(v, safe)
	if out.Valid == nil {
		b.valid = sized(b.valid, len(present))
		copy(b.valid, present)
		out.Valid = b.valid
		return out
	}
	columnar.And(out.Valid, out.Valid, present, len(safe))
	return out
}

// nulls is a constant vector of n nulls.
func (b *rowBuf) nulls(t types.Type, n int) columnar.Vector {
	if b.null == nil || !b.null.Type.Equal(t) {
		c := columnar.NewConst(t, nil, 1)
		b.null = &c
	}
	out := *b.null
	out.N = n
	return out
}

func (b *rowBuf) fixed(src []byte, l columnar.Layout, rows []uint32) []byte {
	n := len(rows)
	if cap(b.data) < n*l.Width() {
		b.data = columnar.Make(l, n+n/4)
	}
	dst := b.data[:n*l.Width()]
	gatherFixed(dst, src, l, rows)
	return dst
}

// sized is s with length n, its content undefined.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4+16)
	}
	return s[:n]
}

// gatherBits sets dst to the bits of src that rows name.
func gatherBits(dst, src columnar.Bitmap, rows []uint32) {
	for w := range dst {
		part := rows[w*64 : min(w*64+64, len(rows))]
		var x uint64
		for i, r := range part {
			x |= (src[r>>6] >> (r & 63) & 1) << uint(i)
		}
		dst[w] = x
	}
}

// trueRows writes the rows for which a condition is true and returns their number. rows has room for v.N.
func trueRows(v *columnar.Vector, rows []uint32) int {
	k := 0
	switch {
	case v.Type.Kind == types.NullKind:
		return 0
	case v.Form == columnar.Const:
		if v.Null(0) || v.Data[0] == 0 {
			return 0
		}
		for i := range v.N {
			rows[i] = uint32(i)
		}
		return v.N
	case v.Form == columnar.Dict:
		for i, c := range v.Codes[:v.N] {
			rows[k] = uint32(i)
			k += int(v.Dict.Data[c] & 1)
		}
	default:
		for i, b := range v.Data[:v.N] {
			rows[k] = uint32(i)
			k += int(b & 1)
		}
	}
	if v.Valid == nil {
		return k
	}
	n := 0
	for _, r := range rows[:k] {
		rows[n] = r
		n += int(v.Valid[r>>6] >> (r & 63) & 1)
	}
	return n
}
