package exec

import (
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// wholeAgg is an aggregate that can tell the rows it holds: their groups, and their arguments and order.
type wholeAgg interface {
	held(emit func(group []uint32, rows []columnar.Vector) error) error
}

// distinctAgg hands each combination of arguments to an aggregate once per group.
type distinctAgg struct {
	kernel.Agg
	set   *front
	keys  []columnar.Vector // group, then the arguments
	ids   []uint32
	sel   []uint32
	group []uint32
	zero  []uint32
	arena []kernel.Scratch
	argv  []columnar.Vector
}

func newDistinctAgg(in kernel.Agg, a *expr.Agg) *distinctAgg {
	ts := []types.Type{types.Int}
	for _, x := range a.Args {
		ts = append(ts, x.Type())
	}
	return &distinctAgg{Agg: in, set: newFront(ts), keys: make([]columnar.Vector, len(ts)), arena: make([]kernel.Scratch, len(a.Args)),
		argv: make([]columnar.Vector, len(a.Args))}
}

func (d *distinctAgg) Update(c *kernel.Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	if n == 0 {
		return d.Agg.Update(c, args, 0, group, groups)
	}
	for len(d.zero) < n {
		d.zero = append(d.zero, 0)
	}
	if group == nil {
		group = d.zero[:n]
	}
	d.keys[0] = columnar.NewFlat(types.Int, group)
	copy(d.keys[1:], args)
	if cap(d.ids) < n {
		d.ids = make([]uint32, n+n/4)
	}
	ids, next := d.ids[:n], uint32(d.set.len())
	d.set.assign(d.keys, n, ids)
	d.sel = d.sel[:0]
	for i, id := range ids {
		if id == next { // new combinations are numbered in the order of their first rows
			d.sel = append(d.sel, uint32(i))
			next++
		}
	}
	for i := range args {
		d.arena[i].Reset()
		d.argv[i] = d.arena[i].Gather(&args[i], d.sel)
	}
	d.group = d.group[:0]
	for _, i := range d.sel {
		d.group = append(d.group, group[i])
	}
	return d.Agg.Update(c, d.argv, len(d.sel), d.group, groups)
}

func (d *distinctAgg) held(emit func([]uint32, []columnar.Vector) error) error {
	for from := 0; from < d.set.len(); from += BatchRows {
		d.set.groups(d.keys, from, min(from+BatchRows, d.set.len()))
		if err := emit(columnar.Values[uint32](&d.keys[0]), d.keys[1:]); err != nil {
			return err
		}
	}
	return nil
}

func (d *distinctAgg) Bytes() int64 { return d.Agg.Bytes() + d.set.bytes() }

func (d *distinctAgg) free() { d.set.free() }

func (d *distinctAgg) Reset() {
	d.Agg.Reset()
	d.set.reset()
}

// orderedAgg keeps all rows and hands them to an aggregate in the order that the call asks for.
type orderedAgg struct {
	kernel.Agg
	call   *expr.Agg
	order  []expr.SortOrder
	group  *columnar.Appender
	args   []*columnar.Appender
	keys   []*columnar.Appender
	groups int
	fed    bool
}

func newOrderedAgg(in kernel.Agg, a *expr.Agg) *orderedAgg {
	o := &orderedAgg{Agg: in, call: a, order: a.Order}
	o.clear()
	return o
}

func (o *orderedAgg) clear() {
	o.group, o.args, o.keys, o.fed = columnar.NewAppender(types.Int), nil, nil, false
	for _, x := range o.call.Args {
		o.args = append(o.args, columnar.NewAppender(x.Type()))
	}
	for _, s := range o.call.Order {
		o.keys = append(o.keys, columnar.NewAppender(s.Child.Type()))
	}
}

func (o *orderedAgg) collect(args, order []columnar.Vector, n int, group []uint32, groups int) error {
	if o.fed {
		return sparkerr.Internal("rows came after an ordered aggregate was read")
	}
	o.groups = groups
	if group == nil {
		group = make([]uint32, n)
	}
	ids := columnar.NewFlat(types.Int, group[:n])
	o.group.AppendVector(&ids)
	for i := range args {
		o.args[i].AppendVector(&args[i])
	}
	for i := range order {
		o.keys[i].AppendVector(&order[i])
	}
	return nil
}

func (o *orderedAgg) held(emit func([]uint32, []columnar.Vector) error) error {
	group := o.group.Finish()
	var cols []columnar.Vector
	for _, a := range append(o.args[:len(o.args):len(o.args)], o.keys...) {
		cols = append(cols, a.Finish())
	}
	part := make([]columnar.Vector, len(cols))
	for from := 0; from < group.N; from += BatchRows {
		to := min(from+BatchRows, group.N)
		for i := range cols {
			part[i] = cols[i].Window(from, to)
		}
		if err := emit(columnar.Values[uint32](&group)[from:to], part); err != nil {
			return err
		}
	}
	return nil
}

func (o *orderedAgg) Result(c *kernel.Ctx, from, to int) (columnar.Vector, error) {
	if !o.fed {
		if err := o.feed(c); err != nil {
			return columnar.Vector{}, err
		}
	}
	return o.Agg.Result(c, from, to)
}

// feed sorts the rows (equal ones stay in the order they came) and updates the aggregate.
func (o *orderedAgg) feed(c *kernel.Ctx) error {
	o.fed = true
	keys := make([]columnar.Vector, len(o.keys))
	for i, k := range o.keys {
		keys[i] = k.Finish()
	}
	group := o.group.Finish()
	sel := make([]uint32, group.N)
	for i := range sel {
		sel[i] = uint32(i)
	}
	slices.SortStableFunc(sel, func(a, b uint32) int { return compareOrder(keys, o.order, int(a), int(b)) })
	args := make([]columnar.Vector, len(o.args))
	for i, a := range o.args {
		v := a.Finish()
		args[i] = columnar.Gather(&v, sel)
	}
	sorted := columnar.Gather(&group, sel)
	return o.Agg.Update(c, args, len(sel), columnar.Values[uint32](&sorted), max(o.groups, 1))
}

// compareOrder compares two rows of sort keys.
func compareOrder(keys []columnar.Vector, order []expr.SortOrder, a, b int) int {
	for i := range keys {
		v, o := &keys[i], order[i]
		na, nb := v.Null(a), v.Null(b)
		switch {
		case na && nb:
			continue
		case na != nb:
			if na == o.NullsFirst {
				return -1
			}
			return 1
		}
		if c := kernel.CompareAt(v, a, v, b); c != 0 {
			if o.Desc {
				return -c
			}
			return c
		}
	}
	return 0
}

func (o *orderedAgg) free() {
	if d, ok := o.Agg.(interface{ free() }); ok {
		d.free()
	}
}

func (o *orderedAgg) Bytes() int64 {
	n := o.Agg.Bytes()
	for _, l := range [][]*columnar.Appender{{o.group}, o.args, o.keys} {
		for _, a := range l {
			n += a.Bytes()
		}
	}
	return n
}

func (o *orderedAgg) Reset() {
	o.Agg.Reset()
	o.clear()
}
