package kernel

import (
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
)

// entries runs a lambda of key and value over all entries of maps and gives the flat result, one row an entry, with the entries.
func entries(c *Ctx, m *columnar.Vector, f Apply, n int) (elem, row []uint32, out columnar.Vector, err error) {
	elem, row = Elements(c, m, n)
	params := []columnar.Vector{c.Scratch.Gather(FlatKid(c, m, 0), elem), c.Scratch.Gather(FlatKid(c, m, 1), elem)}
	if len(elem) == 0 {
		return elem, row, columnar.Vector{}, nil
	}
	v, err := f(params, row, len(elem))
	if err != nil {
		return nil, nil, v, err
	}
	return elem, row, *FlatArg(c, &v), nil
}

// regroup writes the offsets of lists whose elements belong to ascending rows.
func regroup(c *Ctx, row []uint32, n int) []byte {
	offs := columnar.Of[int32](c.Scratch.Bytes(columnar.List, n+1))
	k := 0
	for i := range n {
		offs[i] = int32(k)
		for k < len(row) && int(row[k]) == i {
			k++
		}
	}
	offs[n] = int32(k)
	return columnar.Bytes(offs)
}

// FilterEntries keeps the entries for which the lambda is true.
func FilterEntries(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
	m := &args[0]
	elem, row, keep, err := entries(c, m, lambdas[0], n)
	if err != nil {
		return keep, err
	}
	k := 0
	for i := range elem {
		if !keep.Null(i) && keep.Data[i] != 0 {
			elem[k], row[k] = elem[i], row[i]
			k++
		}
	}
	kids := []columnar.Vector{c.Scratch.Gather(FlatKid(c, m, 0), elem[:k]), c.Scratch.Gather(FlatKid(c, m, 1), elem[:k])}
	return columnar.Vector{N: n, Data: regroup(c, row[:k], n), Kids: kids}, nil
}

// MapEntries replaces the values of maps, or the keys, by the lambda's results.
func MapEntries(keys bool) HigherOrder {
	return func(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
		m := &args[0]
		elem, row, out, err := entries(c, m, lambdas[0], n)
		if err != nil {
			return out, err
		}
		kids := []columnar.Vector{c.Scratch.Gather(FlatKid(c, m, 0), elem), c.Scratch.Gather(FlatKid(c, m, 1), elem)}
		if len(elem) > 0 && keys {
			kids[0] = out
		} else if len(elem) > 0 {
			kids[1] = out
		}
		return columnar.Vector{N: n, Data: regroup(c, row, n), Kids: kids}, nil
	}
}

// ZipWith runs the lambda over pairs of elements at the same place; where one array is shorter its element is null.
func ZipWith(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
	a, b := columnar.Of[int32](args[0].Data), columnar.Of[int32](args[1].Data)
	var atA, atB []int32
	var row []uint32
	for i := range n {
		if !rowCounts(c.Valid, i) {
			continue
		}
		for k := range max(a[i+1]-a[i], b[i+1]-b[i]) {
			x, y := int32(-1), int32(-1)
			if a[i]+k < a[i+1] {
				x = a[i] + k
			}
			if b[i]+k < b[i+1] {
				y = b[i] + k
			}
			atA, atB, row = append(atA, x), append(atB, y), append(row, uint32(i))
		}
	}
	params := []columnar.Vector{Pick(c, FlatKid(c, &args[0], 0), atA), Pick(c, FlatKid(c, &args[1], 0), atB)}
	return applied(c, lambdas[0], params, row, n)
}

// applied runs a lambda over elements that belong to ascending rows and makes arrays of the results.
func applied(c *Ctx, f Apply, params []columnar.Vector, row []uint32, n int) (columnar.Vector, error) {
	v, err := f(params, row, len(row))
	if err != nil {
		return v, err
	}
	return columnar.Vector{N: n, Data: regroup(c, row, n), Kids: []columnar.Vector{*FlatArg(c, &v)}}, nil
}

// ZipMaps runs the lambda over each key of either map with the values under it.
func ZipMaps(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
	keyType := args[0].Type.Key()
	keys := columnar.NewBuilder(keyType, 0)
	var atA, atB []int32
	var row []uint32
	a, b := columnar.Of[int32](args[0].Data), columnar.Of[int32](args[1].Data)
	ka, kb := FlatKid(c, &args[0], 0), FlatKid(c, &args[1], 0)
	eq := Equal(ka, kb)
	for i := range n {
		if !rowCounts(c.Valid, i) {
			continue
		}
		first := len(row)
		for x := a[i]; x < a[i+1]; x++ {
			y := b[i]
			for y < b[i+1] && !eq(int(x), int(y)) {
				y++
			}
			if y == b[i+1] {
				y = -1
			}
			keys.Append(ka.ValueAt(int(x)))
			atA, atB, row = append(atA, x), append(atB, y), append(row, uint32(i))
		}
		for y := b[i]; y < b[i+1]; y++ {
			if slices.Contains(atB[first:], y) {
				continue
			}
			keys.Append(kb.ValueAt(int(y)))
			atA, atB, row = append(atA, -1), append(atB, y), append(row, uint32(i))
		}
	}
	keyCol := keys.Finish()
	params := []columnar.Vector{keyCol, Pick(c, FlatKid(c, &args[0], 1), atA), Pick(c, FlatKid(c, &args[1], 1), atB)}
	out, err := applied(c, lambdas[0], params, row, n)
	if err == nil {
		out.Kids = []columnar.Vector{keyCol, out.Kids[0]}
	}
	return out, err
}

// SortBy sorts arrays by a lambda that compares two elements; isNull makes the error of a comparison without answer.
func SortBy(isNull func() error) HigherOrder {
	return func(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
		kid := FlatKid(c, &args[0], 0)
		offs := columnar.Of[int32](args[0].Data)
		order := make([]uint32, kid.N)
		for i := range order {
			order[i] = uint32(i)
		}
		var failed error
		for i := range n {
			if !rowCounts(c.Valid, i) || failed != nil {
				continue
			}
			slices.SortStableFunc(order[offs[i]:offs[i+1]], func(x, y uint32) int {
				if failed != nil {
					return 0
				}
				params := []columnar.Vector{columnar.Gather(kid, []uint32{x}), columnar.Gather(kid, []uint32{y})}
				v, err := lambdas[0](params, []uint32{uint32(i)}, 1)
				if err != nil {
					failed = err
					return 0
				}
				if v.Null(0) {
					failed = isNull()
					return 0
				}
				r, _ := v.ValueAt(0).(int32)
				return int(r)
			})
		}
		if failed != nil {
			return columnar.Vector{}, failed
		}
		v := args[0]
		v.Kids = []columnar.Vector{columnar.Gather(kid, order)}
		return v, nil
	}
}
