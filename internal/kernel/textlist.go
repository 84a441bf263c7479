package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// TextLists3 lifts a function that makes a list of texts of two texts and a number (the row must say NullIn). The texts are copied
// before the next row.
func TextLists3(f func(a, b string, n int32) ([]string, error)) Func {
	var views []columnar.View
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, d := newSource[string](&args[0]), newSource[string](&args[1]), newSource[int32](&args[2])
		offs := columnar.Of[int32](c.Scratch.Bytes(columnar.List, n+1))
		offs[0] = 0
		heap := c.Scratch.Text()
		views = views[:0]
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				offs[i+1] = int32(len(views))
				continue
			}
			list, err := f(a.at(i), b.at(i), d.at(i))
			if err != nil {
				return columnar.Vector{}, err
			}
			for _, s := range list {
				at := uint32(len(heap))
				heap = append(heap, s...)
				views = append(views, columnar.MakeView(heap[at:], 0, at))
				if len(s) <= columnar.InlineMax {
					heap = heap[:at]
				}
			}
			offs[i+1] = int32(len(views))
		}
		kid := columnar.Vector{Type: types.String, N: len(views), Data: columnar.Bytes(views), Bufs: c.Scratch.KeepText(heap)}
		return columnar.Vector{N: n, Data: columnar.Bytes(offs), Kids: []columnar.Vector{kid}}, nil
	}
}
