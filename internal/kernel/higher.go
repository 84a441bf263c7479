package kernel

import "github.com/firesteel/firesteel/internal/columnar"

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
