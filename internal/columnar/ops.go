package columnar

import (
	"github.com/firesteel/firesteel/internal/types"
)

// NewConst is a constant vector of n rows; v's Go type is as types/value.go says.
func NewConst(t types.Type, v any, n int) Vector {
	b := NewBuilder(t, 1)
	b.Append(v)
	out := b.Finish()
	out.Form, out.N = Const, n
	return out
}

// NewDict is a dictionary vector.
func NewDict(dict *Vector, codes []uint32, valid Bitmap) Vector {
	return Vector{Type: dict.Type, Form: Dict, N: len(codes), Valid: valid, Codes: codes, Dict: dict}
}

// Row gives the row of Flat data that holds row i: the code of a Dict, 0 of a Const.
func (v *Vector) row(i int) int {
	switch v.Form {
	case Dict:
		return int(v.Codes[i])
	case Const:
		return 0
	}
	return i
}

// values is the vector that holds the data: the dictionary of a Dict, else v.
func (v *Vector) values() *Vector {
	if v.Form == Dict {
		return v.Dict
	}
	return v
}

// Text is the bytes of row i of a View16 vector in any form; they must not be changed. Nulls give garbage.
func (v *Vector) Text(i int) []byte {
	d := v.values()
	views := Of[View](d.Data)
	return ViewBytes(&views[v.row(i)], d.Bufs)
}

// Flatten returns the vector in Flat form: itself if it is flat, else a new one of its own buffers (strings share Bufs).
func (v *Vector) Flatten() Vector {
	switch v.Form {
	case Dict:
		out := Gather(v.Dict, v.Codes)
		out.Valid = v.Valid
		return out
	case Const:
		if v.Valid != nil && !v.Valid.Get(0) {
			return Nulls(v.Type, v.N)
		}
		one := *v
		one.Form, one.N, one.Valid = Flat, 1, nil
		return Gather(&one, make([]uint32, v.N))
	}
	return *v
}

// Nulls is a flat vector of n nulls.
func Nulls(t types.Type, n int) Vector {
	out := Vector{Type: t, N: n, Valid: NewBitmap(n)}
	l := LayoutOf(t)
	if l == List || l == Entries {
		out.Data = Make(l, n+1)
	} else {
		out.Data = Make(l, n)
	}
	out.Kids = emptyKids(t, l, n)
	return out
}

func emptyKids(t types.Type, l Layout, n int) []Vector {
	switch l {
	case List:
		return []Vector{NewBuilder(t.Elem(), 0).Finish()}
	case Entries:
		return []Vector{NewBuilder(t.Key(), 0).Finish(), NewBuilder(t.Elem(), 0).Finish()}
	case Record:
		fields := RecordFields(t)
		kids := make([]Vector, len(fields))
		for i, f := range fields {
			kids[i] = Nulls(f.Type, n)
		}
		return kids
	}
	return nil
}

// RecordFields are the fields of a Record layout: a struct's, or a variant's value and metadata.
func RecordFields(t types.Type) []types.Field {
	if t.Kind == types.VariantKind {
		return variantFields
	}
	return t.Fields()
}

var variantFields = []types.Field{{Name: "value", Type: types.Binary}, {Name: "metadata", Type: types.Binary}}

// Gather copies the rows that sel names, in that order. A Dict stays a Dict and a Const a Const; string bytes are shared.
func Gather(v *Vector, sel []uint32) Vector {
	out := Vector{Type: v.Type, Form: v.Form, N: len(sel), Bufs: v.Bufs}
	if v.Form == Const {
		out.Valid, out.Data, out.Kids = v.Valid, v.Data, v.Kids
		return out
	}
	if v.Valid != nil {
		out.Valid = gatherBits(v.Valid, sel)
	}
	if v.Form == Dict {
		out.Codes, out.Dict = make([]uint32, len(sel)), v.Dict
		GatherInto(out.Codes, v.Codes, sel)
		return out
	}
	gatherFlat(&out, v, sel)
	return out
}

func gatherBits(b Bitmap, sel []uint32) Bitmap {
	out := NewBitmap(len(sel))
	for i, s := range sel {
		out[i>>6] |= (b[s>>6] >> (s & 63) & 1) << (uint(i) & 63)
	}
	return out
}

// GatherInto sets dst[i] = src[sel[i]].
func GatherInto[T any](dst, src []T, sel []uint32) {
	dst = dst[:len(sel)]
	for i, s := range sel {
		dst[i] = src[s]
	}
}

func gatherFlat(out, v *Vector, sel []uint32) {
	l := LayoutOf(v.Type)
	switch l {
	case List, Entries:
		gatherNested(out, v, sel)
		return
	case Record:
		out.Kids = make([]Vector, len(v.Kids))
		for i := range v.Kids {
			out.Kids[i] = Gather(&v.Kids[i], sel)
		}
		return
	}
	out.Data = Make(l, len(sel))
	switch l.Width() {
	case 1:
		GatherInto(out.Data, v.Data, sel)
	case 2:
		GatherInto(Of[int16](out.Data), Of[int16](v.Data), sel)
	case 4:
		GatherInto(Of[uint32](out.Data), Of[uint32](v.Data), sel)
	case 8:
		GatherInto(Of[uint64](out.Data), Of[uint64](v.Data), sel)
	case 16:
		GatherInto(Of[View](out.Data), Of[View](v.Data), sel)
	}
}

// gatherNested rebuilds offsets and gathers the elements of the chosen rows; null rows become empty.
func gatherNested(out, v *Vector, sel []uint32) {
	offs := Of[int32](v.Data)
	out.Data = Make(List, len(sel)+1)
	to := Of[int32](out.Data)
	var elems []uint32
	for i, s := range sel {
		if v.Valid == nil || v.Valid.Get(int(s)) {
			for e := offs[s]; e < offs[s+1]; e++ {
				elems = append(elems, uint32(e))
			}
		}
		to[i+1] = int32(len(elems))
	}
	out.Kids = make([]Vector, len(v.Kids))
	for i := range v.Kids {
		kid := v.Kids[i].Flatten()
		out.Kids[i] = Gather(&kid, elems)
	}
}

// Select keeps the rows of b that sel names.
func (b *Batch) Select(sel []uint32) *Batch {
	out := &Batch{Schema: b.Schema, N: len(sel), Cols: make([]Vector, len(b.Cols))}
	for i := range b.Cols {
		out.Cols[i] = Gather(&b.Cols[i], sel)
	}
	return out
}

// Slice is rows [from, to) of a vector, copied.
func (v *Vector) Slice(from, to int) Vector {
	sel := make([]uint32, to-from)
	for i := range sel {
		sel[i] = uint32(from + i)
	}
	return Gather(v, sel)
}

// Clone copies a batch so that it holds after the producer's next Next; string bytes in use are copied too.
func (b *Batch) Clone() *Batch {
	out := &Batch{Schema: b.Schema, N: b.N, Cols: make([]Vector, len(b.Cols))}
	for i := range b.Cols {
		a := NewAppender(b.Cols[i].Type)
		a.AppendVector(&b.Cols[i])
		out.Cols[i] = a.Finish()
	}
	return out
}

// Bytes is the memory that a vector's own buffers take (a shared dictionary counts once for each vector).
func (v *Vector) Bytes() int64 {
	n := int64(cap(v.Data)) + int64(len(v.Valid))*8 + int64(cap(v.Codes))*4
	for _, b := range v.Bufs {
		n += int64(cap(b))
	}
	for i := range v.Kids {
		n += v.Kids[i].Bytes()
	}
	if v.Dict != nil {
		n += v.Dict.Bytes()
	}
	return n
}

// Bytes is the memory that a batch's buffers take.
func (b *Batch) Bytes() int64 {
	var n int64
	for i := range b.Cols {
		n += b.Cols[i].Bytes()
	}
	return n
}
