package kernel

import (
	"cmp"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// CompareAt orders row i of a against row j of b, which have one type: -1, 0 or 1. At the top neither may be null; inside arrays and
// structs null comes first. Any form of vector. This is the slow, general comparison.
func CompareAt(a *columnar.Vector, i int, b *columnar.Vector, j int) int {
	a, i = locate(a, i)
	b, j = locate(b, j)
	switch columnar.LayoutOf(a.Type) {
	case columnar.Bool8, columnar.Int8x:
		if a.Type.Kind == types.BooleanKind {
			return cmp.Compare(a.Data[i], b.Data[j])
		}
		return cmp.Compare(int8(a.Data[i]), int8(b.Data[j]))
	case columnar.Int16x:
		return compareAs[int16](a, i, b, j)
	case columnar.Int32x:
		return compareAs[int32](a, i, b, j)
	case columnar.Int64x:
		return compareAs[int64](a, i, b, j)
	case columnar.Float32x:
		return compareFloats(float64(columnar.Of[float32](a.Data)[i]), float64(columnar.Of[float32](b.Data)[j]))
	case columnar.Float64x:
		return compareFloats(columnar.Of[float64](a.Data)[i], columnar.Of[float64](b.Data)[j])
	case columnar.Int128x:
		return columnar.Of[types.Int128](a.Data)[i].Cmp(columnar.Of[types.Int128](b.Data)[j])
	case columnar.View16:
		return columnar.ViewCompare(&columnar.Of[columnar.View](a.Data)[i], a.Bufs, &columnar.Of[columnar.View](b.Data)[j], b.Bufs)
	case columnar.Interval16:
		return compareIntervals(columnar.Of[types.CalendarInterval](a.Data)[i], columnar.Of[types.CalendarInterval](b.Data)[j])
	case columnar.List:
		return compareLists(a, i, b, j, 0)
	case columnar.Entries:
		if c := compareLists(a, i, b, j, 0); c != 0 {
			return c
		}
		return compareLists(a, i, b, j, 1)
	case columnar.Record:
		for k := range a.Kids {
			if c := compareNullFirst(&a.Kids[k], i, &b.Kids[k], j); c != 0 {
				return c
			}
		}
	}
	return 0
}

// locate goes from any form to the flat vector and the row in it.
func locate(v *columnar.Vector, i int) (*columnar.Vector, int) {
	switch v.Form {
	case columnar.Dict:
		return v.Dict, int(v.Codes[i])
	case columnar.Const:
		return v, 0
	}
	return v, i
}

func compareAs[T interface {
	Ordered
	columnar.Fixed
}](a *columnar.Vector, i int, b *columnar.Vector, j int) int {
	return cmp.Compare(columnar.Of[T](a.Data)[i], columnar.Of[T](b.Data)[j])
}

// compareFloats: NaN is the greatest and equals itself; the zeros are equal.
func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case a != a && b != b:
		return 0
	case a != a:
		return 1
	}
	return -1
}

func compareIntervals(a, b types.CalendarInterval) int {
	if c := cmp.Compare(a.Months, b.Months); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Days, b.Days); c != 0 {
		return c
	}
	return cmp.Compare(a.Micros, b.Micros)
}

func compareLists(a *columnar.Vector, i int, b *columnar.Vector, j, kid int) int {
	x, y := columnar.Of[int32](a.Data)[i:], columnar.Of[int32](b.Data)[j:]
	n, m := int(x[1]-x[0]), int(y[1]-y[0])
	for k := 0; k < min(n, m); k++ {
		if c := compareNullFirst(&a.Kids[kid], int(x[0])+k, &b.Kids[kid], int(y[0])+k); c != 0 {
			return c
		}
	}
	return cmp.Compare(n, m)
}

func compareNullFirst(a *columnar.Vector, i int, b *columnar.Vector, j int) int {
	switch na, nb := a.Null(i), b.Null(j); {
	case na && nb:
		return 0
	case na:
		return -1
	case nb:
		return 1
	}
	return CompareAt(a, i, b, j)
}

// CompareNullFirst is CompareAt with null before every value.
func CompareNullFirst(a *columnar.Vector, i int, b *columnar.Vector, j int) int {
	return compareNullFirst(a, i, b, j)
}
