package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// FlatKid is kid k of a vector in Flat form.
func FlatKid(c *Ctx, v *columnar.Vector, k int) *columnar.Vector { return FlatArg(c, &v.Kids[k]) }

// Field is field k of struct vectors: the kid itself. The row must say NullIn: the parent's nulls come from there.
func Field(k int) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		return *FlatKid(c, &args[0], k), nil
	}
}

// FieldOfElements is the array of field k of an array of structs.
func FieldOfElements(k int) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		v := args[0]
		elems := FlatKid(c, &v, 0)
		kid := *FlatKid(c, elems, k)
		if elems.Valid != nil {
			kid.Valid = columnar.And(c.Scratch.RawBits(elems.N), kid.Valid, elems.Valid, elems.N)
		}
		v.Kids = []columnar.Vector{kid}
		return v, nil
	}
}

// MakeStruct builds structs of the arguments that which names.
func MakeStruct(which []int) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		kids := make([]columnar.Vector, len(which))
		for i, k := range which {
			kids[i] = *FlatArg(c, &args[k])
			kids[i].N = n
		}
		return columnar.Vector{N: n, Kids: kids}, nil
	}
}

// MakeArray builds arrays of one element for each argument, all of type elem.
func MakeArray(elem types.Type) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		return columnar.Vector{N: n, Data: everyK(c, n, len(args)), Kids: []columnar.Vector{interleave(c, elem, args, n)}}, nil
	}
}

// everyK are the offsets of n lists of k elements.
func everyK(c *Ctx, n, k int) []byte {
	offs := columnar.Of[int32](c.Scratch.Bytes(columnar.List, n+1))
	for i := range offs {
		offs[i] = int32(i * k)
	}
	return columnar.Bytes(offs)
}

// interleave is the column of all arguments of row 0, then of row 1, and so on.
func interleave(c *Ctx, t types.Type, args []columnar.Vector, n int) columnar.Vector {
	if len(args) == 1 {
		return *FlatArg(c, &args[0])
	}
	all := columnar.NewAppender(t)
	for i := range args {
		a := *FlatArg(c, &args[i])
		a.N = n
		all.AppendVector(&a)
	}
	v := all.Finish()
	sel := c.Scratch.IDs(n * len(args))
	for i := range n {
		for k := range args {
			sel[i*len(args)+k] = uint32(k*n + i)
		}
	}
	return columnar.Gather(&v, sel)
}

// Equal gives a comparison of entry i of one flat vector with entry j of another of the same type, both not null.
func Equal(a, b *columnar.Vector) func(i, j int) bool {
	switch columnar.LayoutOf(a.Type) {
	case columnar.Int32x:
		return equalFixed[int32](a, b)
	case columnar.Int64x:
		return equalFixed[int64](a, b)
	case columnar.View16:
		x, y := columnar.Of[columnar.View](a.Data), columnar.Of[columnar.View](b.Data)
		return func(i, j int) bool { return columnar.ViewEqual(&x[i], a.Bufs, &y[j], b.Bufs) }
	}
	return func(i, j int) bool { return CompareAt(a, i, b, j) == 0 }
}

func equalFixed[T int32 | int64](a, b *columnar.Vector) func(i, j int) bool {
	x, y := columnar.Of[T](a.Data), columnar.Of[T](b.Data)
	return func(i, j int) bool { return x[i] == y[j] }
}

// Contains says whether an array has a value: null when it is not found and the array has nulls.
func Contains(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	list, want := FlatArg(c, &args[0]), FlatArg(c, &args[1])
	elems := FlatKid(c, list, 0)
	out := Out[bool](c, n)
	v := Flat(out)
	eq := Equal(elems, want)
	offs := columnar.Of[int32](list.Data)
	for i := range out {
		out[i] = false
		if !rowCounts(c.Valid, i) {
			continue
		}
		sawNull := false
		for e := int(offs[i]); e < int(offs[i+1]); e++ {
			if elems.Null(e) {
				sawNull = true
			} else if eq(e, i) {
				out[i] = true
				break
			}
		}
		if sawNull && !out[i] {
			v.Valid = clearBit(c, v.Valid, i, n)
		}
	}
	return v, nil
}

// Pick gathers entry at[i] of a flat vector for each row; negative is null.
func Pick(c *Ctx, from *columnar.Vector, at []int32) columnar.Vector {
	n := len(at)
	if from.N == 0 {
		return columnar.Nulls(from.Type, n)
	}
	sel := c.Scratch.IDs(n)
	var valid columnar.Bitmap
	for i, e := range at {
		sel[i] = uint32(max(e, 0))
		if e < 0 {
			valid = clearBit(c, valid, i, n)
		}
	}
	out := c.Scratch.Gather(from, sel)
	if valid != nil {
		out.Valid = columnar.And(valid, valid, out.Valid, n)
	}
	return out
}

// Item is element access: of an array by a position from 0 (from 1 or, negative, from the end when one is set), of a map by key. bad
// makes the error for a position that is not there; nil: null.
func Item(index types.Type, one bool, bad func(index, size int) error) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		list := FlatArg(c, &args[0])
		offs := columnar.Of[int32](list.Data)
		at := columnar.Of[int32](c.Scratch.Bytes(columnar.Int32x, n))
		if list.Type.Kind == types.MapKind {
			keys := FlatKid(c, list, 0)
			eq := Equal(keys, FlatArg(c, &args[1]))
			for i := range at {
				at[i] = -1
				if !rowCounts(c.Valid, i) {
					continue
				}
				for e := int(offs[i]); e < int(offs[i+1]); e++ {
					if eq(e, i) {
						at[i] = int32(e)
						break
					}
				}
			}
			return Pick(c, FlatKid(c, list, 1), at), nil
		}
		get := integerAt(&args[1], index)
		for i := range at {
			at[i] = -1
			if !rowCounts(c.Valid, i) {
				continue
			}
			k, size := get(i), int(offs[i+1]-offs[i])
			pos := k
			if one {
				if pos > 0 {
					pos--
				} else if pos < 0 {
					pos += size
				} else {
					pos = -1
				}
			}
			if pos >= 0 && pos < size {
				at[i] = offs[i] + int32(pos)
			} else if bad != nil {
				if err := bad(k, size); err != nil {
					return columnar.Vector{}, err
				}
			}
		}
		return Pick(c, FlatKid(c, list, 0), at), nil
	}
}

// integerAt reads rows of an integer column.
func integerAt(v *columnar.Vector, t types.Type) func(i int) int {
	mask := -1
	if v.Form == columnar.Const {
		mask = 0
	}
	switch t.Kind {
	case types.ByteKind:
		x := columnar.Of[int8](v.Data)
		return func(i int) int { return int(x[i&mask]) }
	case types.ShortKind:
		x := columnar.Of[int16](v.Data)
		return func(i int) int { return int(x[i&mask]) }
	case types.LongKind:
		x := columnar.Of[int64](v.Data)
		return func(i int) int { return int(x[i&mask]) }
	}
	x := columnar.Of[int32](v.Data)
	return func(i int) int { return int(x[i&mask]) }
}

// Sizes are the numbers of elements of arrays or maps.
func Sizes(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	offs, out := columnar.Of[int32](args[0].Data), Out[int32](c, n)
	for i := range out {
		out[i] = offs[i+1] - offs[i]
	}
	return Flat(out), nil
}
