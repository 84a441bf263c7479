package kernel

import (
	"sort"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Collect gathers the values of each group in order of arrival. Aggregates that need all values (collect_list, percentiles, mode,
// listagg …) are a Collect with a finishing function. The partial form is one array column.
type Collect struct {
	aggBase
	elem      types.Type // what is collected: the argument, or a struct of the arguments
	out       types.Type
	keepNulls bool
	distinct  bool
	finish    func(c *Ctx, list *columnar.Vector, rows []uint32) (any, error) // nil: the list itself
	vals      *columnar.Appender
	owner     []uint32
	seen      map[string]struct{}
	key       []byte
	order     []uint32 // values sorted by group, stable
	starts    []uint32
	list      columnar.Vector
	built     bool
}

// NewCollect makes a state that collects values of type elem. finish computes one group's result of type out from the collected
// values: rows of list, in order of arrival. Without finish the result is ARRAY<elem>.
func NewCollect(elem, out types.Type, keepNulls, distinct bool, finish func(c *Ctx, list *columnar.Vector, rows []uint32) (any, error)) *Collect {
	return &Collect{elem: elem, out: out, keepNulls: keepNulls, distinct: distinct, finish: finish, vals: columnar.NewAppender(elem)}
}

// Update adds rows; several arguments are collected as a struct.
func (a *Collect) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	v := args[0]
	if len(args) > 1 && a.elem.Kind == types.StructKind {
		v = columnar.Vector{Type: a.elem, N: n}
		for i := range args[:len(a.elem.Fields())] {
			v.Kids = append(v.Kids, *a.flat(&args[i]))
		}
		v.Valid = v.Kids[0].Valid
	}
	return a.add(&v, n, group, nil)
}

// add appends the rows of v, or those that rows names, to the groups that group gives for each position.
func (a *Collect) add(v *columnar.Vector, n int, group []uint32, rows []uint32) error {
	if a.built {
		a.vals, a.built = columnar.NewAppender(a.elem), false
		a.vals.AppendVector(&a.list)
	}
	keep := a.s.IDs(n)[:0]
	for i := range n {
		r := uint32(i)
		if rows != nil {
			r = rows[i]
		}
		if !a.keepNulls && v.Null(int(r)) {
			continue
		}
		g := groupOf(group, i)
		if a.distinct && !a.isNew(v, int(r), g) {
			continue
		}
		keep = append(keep, r)
		a.owner = append(a.owner, g)
	}
	a.vals.AppendRows(v, keep)
	return nil
}

func (a *Collect) isNew(v *columnar.Vector, i int, g uint32) bool {
	if a.seen == nil {
		a.seen = map[string]struct{}{}
	}
	a.key = append(a.key[:0], byte(g), byte(g>>8), byte(g>>16), byte(g>>24))
	a.key = AppendKey(a.key, v, i)
	if _, ok := a.seen[string(a.key)]; ok {
		return false
	}
	a.seen[string(a.key)] = struct{}{}
	return true
}

// AppendKey appends bytes that are equal for equal values (row i of v, any form): zeros and NaNs of floats are made one.
func AppendKey(dst []byte, v *columnar.Vector, i int) []byte {
	if v.Null(i) {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	v, i = locate(v, i)
	switch l := columnar.LayoutOf(v.Type); l {
	case columnar.View16:
		t := v.Text(i)
		dst = append(dst, byte(len(t)), byte(len(t)>>8), byte(len(t)>>16), byte(len(t)>>24))
		return append(dst, t...)
	case columnar.Float32x:
		f := columnar.Of[float32](v.Data)[i]
		return types.AppendValue(dst, f+0, types.Float, nil)
	case columnar.Float64x:
		f := columnar.Of[float64](v.Data)[i]
		return append(types.AppendValue(dst, f+0, types.Double, nil), ' ')
	case columnar.List, columnar.Entries:
		offs := columnar.Of[int32](v.Data)
		dst = append(dst, byte(offs[i+1]-offs[i]), byte((offs[i+1]-offs[i])>>8), byte((offs[i+1]-offs[i])>>16))
		for e := offs[i]; e < offs[i+1]; e++ {
			for k := range v.Kids {
				dst = AppendKey(dst, &v.Kids[k], int(e))
			}
		}
		return dst
	case columnar.Record:
		for k := range v.Kids {
			dst = AppendKey(dst, &v.Kids[k], i)
		}
		return dst
	default:
		w := l.Width()
		return append(dst, v.Data[i*w:(i+1)*w]...)
	}
}

// Merge adds partial lists.
func (a *Collect) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	v := a.flat(&state[0])
	offs := columnar.Of[int32](v.Data)
	var rows, owners []uint32
	for i := range n {
		if v.Null(i) {
			continue
		}
		for e := offs[i]; e < offs[i+1]; e++ {
			rows, owners = append(rows, uint32(e)), append(owners, groupOf(group, i))
		}
	}
	return a.add(&v.Kids[0], len(rows), owners, rows)
}

// build sorts the values by group.
func (a *Collect) build() {
	if a.built {
		return
	}
	a.built = true
	starts := make([]uint32, a.groups+1)
	for _, g := range a.owner {
		starts[g+1]++
	}
	for i := range a.groups {
		starts[i+1] += starts[i]
	}
	next := append([]uint32(nil), starts...)
	a.order = make([]uint32, len(a.owner))
	for i, g := range a.owner {
		a.order[next[g]] = uint32(i)
		next[g]++
	}
	a.starts = starts
	a.list = a.vals.Finish()
}

func (a *Collect) rows(g int) []uint32 {
	if g+1 >= len(a.starts) {
		return nil
	}
	return a.order[a.starts[g]:a.starts[g+1]]
}

// State is the lists of groups [from, to).
func (a *Collect) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	a.build()
	return []columnar.Vector{a.lists(from, to)}, nil
}

func (a *Collect) lists(from, to int) columnar.Vector {
	var sel []uint32
	offs := make([]int32, to-from+1)
	for g := from; g < to; g++ {
		sel = append(sel, a.rows(g)...)
		offs[g-from+1] = int32(len(sel))
	}
	v := columnar.Vector{Type: types.Array(a.elem, a.keepNulls), N: to - from, Data: columnar.Bytes(offs)}
	v.Kids = []columnar.Vector{columnar.Gather(&a.list, sel)}
	return v
}

// Result is the list, or what finish makes of it.
func (a *Collect) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	a.build()
	if a.finish == nil {
		v := a.lists(from, to)
		v.Type = a.out
		return v, nil
	}
	b := columnar.NewBuilder(a.out, to-from)
	for g := from; g < to; g++ {
		v, err := a.finish(c, &a.list, a.rows(g))
		if err != nil {
			return columnar.Vector{}, err
		}
		b.Append(v)
	}
	return b.Finish(), nil
}

// Bytes is the memory held.
func (a *Collect) Bytes() int64 {
	held := a.vals.Bytes()
	if a.built {
		held = a.list.Bytes()
	}
	return held + int64(cap(a.owner))*4 + int64(len(a.seen))*64 + int64(cap(a.order))*4 + a.s.Size()
}

// Reset empties the state.
func (a *Collect) Reset() {
	a.vals, a.owner, a.seen, a.order, a.starts, a.built, a.groups = columnar.NewAppender(a.elem), a.owner[:0], nil, nil, nil, false, 0
	a.list = columnar.Vector{}
}

// SortRows sorts row numbers of a flat vector by value, descending with desc; nulls come first, or last with nullsLast. Stable.
func SortRows(v *columnar.Vector, rows []uint32, desc, nullsLast bool) []uint32 {
	out := append([]uint32(nil), rows...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := int(out[i]), int(out[j])
		if na, nb := v.Null(a), v.Null(b); na || nb {
			return na && !nb && !nullsLast || nb && !na && nullsLast
		}
		c := CompareAt(v, a, v, b)
		return c < 0 && !desc || c > 0 && desc
	})
	return out
}
