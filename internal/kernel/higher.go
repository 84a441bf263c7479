package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Apply runs a lambda body over n elements. params are the lambda's parameters (fewer than it declares is an error), flat or constant;
// rows gives for each element the row it belongs to, whose outer columns the body sees; nil: element i belongs to row i. The result
// has n rows, any form, and holds until the lambda's next call.
type Apply func(params []columnar.Vector, rows []uint32, n int) (columnar.Vector, error)

// HigherOrder is a Func with lambdas: args are the arguments that are no lambdas, lambdas the others, each in order.
type HigherOrder func(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error)

// Elements lists, for a flat array or map vector, the rows that are not null and the numbers of their elements: elem[k] is an index
// into the kids, row[k] the row it belongs to.
func Elements(c *Ctx, v *columnar.Vector, n int) (elem, row []uint32) {
	offs := columnar.Of[int32](v.Data)
	total := 0
	for i := range n {
		if !v.Null(i) {
			total += int(offs[i+1] - offs[i])
		}
	}
	elem, row = c.Scratch.IDs(total), c.Scratch.IDs(total)
	k := 0
	for i := range n {
		if v.Null(i) {
			continue
		}
		for e := offs[i]; e < offs[i+1]; e++ {
			elem[k], row[k] = uint32(e), uint32(i)
			k++
		}
	}
	return elem, row
}

// FlatArg is an argument in Flat form.
func FlatArg(c *Ctx, v *columnar.Vector) *columnar.Vector {
	if v.Form == columnar.Flat {
		return v
	}
	f := c.Scratch.Flatten(v)
	return &f
}

// elementArgs are the parameters (element, index) for the elements of a flat array vector.
func elementArgs(c *Ctx, v *columnar.Vector, elem, row []uint32) [2]columnar.Vector {
	offs := columnar.Of[int32](v.Data)
	kid := v.Kids[0]
	if kid.Form != columnar.Flat {
		kid = kid.Flatten()
	}
	index := Out[int32](c, len(elem))
	for k := range elem {
		index[k] = int32(elem[k]) - offs[row[k]]
	}
	out := [2]columnar.Vector{c.Scratch.Gather(&kid, elem), Flat(index)}
	out[1].Type = types.Int
	return out
}

// counted makes the offsets of rows that have the given elements, listed by row in ascending order.
func counted(c *Ctx, row []uint32, n int) []byte {
	data := c.Scratch.Bytes(columnar.List, n+1)
	offs := columnar.Of[int32](data)
	clear(offs)
	for _, r := range row {
		offs[r+1]++
	}
	for i := range n {
		offs[i+1] += offs[i]
	}
	return data
}

// Transform is transform(array, x -> …).
func Transform(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
	elem, row := Elements(c, &args[0], n)
	params := elementArgs(c, &args[0], elem, row)
	v, err := lambdas[0](params[:], row, len(elem))
	if err != nil {
		return v, err
	}
	if v.Form != columnar.Flat {
		v = c.Scratch.Flatten(&v)
	}
	return columnar.Vector{N: n, Data: counted(c, row, n), Kids: []columnar.Vector{v}}, nil
}

// FilterElements is filter(array, x -> …).
func FilterElements(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
	elem, row := Elements(c, &args[0], n)
	params := elementArgs(c, &args[0], elem, row)
	v, err := lambdas[0](params[:], row, len(elem))
	if err != nil {
		return v, err
	}
	keep := SelectTrue(c, &v, len(elem), nil, c.Scratch.IDs(len(elem)), false)
	kept, rows := c.Scratch.IDs(len(keep)), c.Scratch.IDs(len(keep))
	columnar.GatherInto(kept, elem, keep)
	columnar.GatherInto(rows, row, keep)
	kid := args[0].Kids[0].Flatten()
	return columnar.Vector{N: n, Data: counted(c, rows, n), Kids: []columnar.Vector{columnar.Gather(&kid, kept)}}, nil
}

// AnyElement is exists (want true: one true decides) or forall (want false: one false decides).
func AnyElement(want bool) HigherOrder {
	return func(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
		elem, row := Elements(c, &args[0], n)
		params := elementArgs(c, &args[0], elem, row)
		v, err := lambdas[0](params[:], row, len(elem))
		if err != nil {
			return v, err
		}
		out := c.Scratch.Bytes(columnar.Bool8, n)
		for i := range out {
			out[i] = b2b(!want)
		}
		res := columnar.Vector{N: n, Data: out, Valid: c.Scratch.FullBits(n)}
		if v.Form != columnar.Flat {
			v = c.Scratch.Flatten(&v)
		}
		for k, r := range row {
			if v.Null(k) {
				if out[r] != b2b(want) {
					res.Valid.Clear(int(r))
				}
			} else if v.Data[k] == b2b(want) {
				out[r] = b2b(want)
				res.Valid.Set(int(r))
			}
		}
		return res, nil
	}
}

// FoldElements is aggregate(array, start, (acc, x) -> …[, acc -> …]): the k-th elements of all rows are merged in one step.
func FoldElements(c *Ctx, args []columnar.Vector, lambdas []Apply, n int) (columnar.Vector, error) {
	offs := columnar.Of[int32](args[0].Data)
	kid := args[0].Kids[0].Flatten()
	acc := columnar.Gather(&args[1], allRows(n))
	for step := int32(0); ; step++ {
		var rows, elem []uint32
		for i := range n {
			if !args[0].Null(i) && offs[i]+step < offs[i+1] {
				rows, elem = append(rows, uint32(i)), append(elem, uint32(offs[i]+step))
			}
		}
		if len(rows) == 0 {
			break
		}
		params := []columnar.Vector{columnar.Gather(&acc, rows), columnar.Gather(&kid, elem)}
		v, err := lambdas[0](params, rows, len(rows))
		if err != nil {
			return v, err
		}
		scratch := Ctx{Session: c.Session, Scratch: &Scratch{}}
		rest := without(rows, n)
		acc = Merge(&scratch, args[1].Type, []Part{{Vec: &acc, Rows: rest, Dense: true}, {Vec: &v, Rows: rows}}, n)
		acc = acc.Flatten()
		acc.Type = args[1].Type
		a := columnar.NewAppender(acc.Type)
		a.AppendVector(&acc)
		acc = a.Finish()
	}
	out := acc
	if len(lambdas) > 1 {
		v, err := lambdas[1]([]columnar.Vector{acc}, nil, n)
		if err != nil {
			return v, err
		}
		out = v
	}
	if args[0].Valid != nil {
		out = out.Flatten()
		out.Valid = columnar.And(nil, out.Valid, args[0].Valid, n)
	}
	return out, nil
}

func allRows(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

// without are the rows of 0..n-1 that are not among the ascending rows.
func without(rows []uint32, n int) []uint32 {
	out := make([]uint32, 0, n-len(rows))
	k := 0
	for i := range uint32(n) {
		if k < len(rows) && rows[k] == i {
			k++
			continue
		}
		out = append(out, i)
	}
	return out
}
