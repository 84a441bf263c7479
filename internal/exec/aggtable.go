package exec

import (
	"errors"
	"fmt"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// aggLayout says where keys, arguments and states lie in the columns that an Aggregate node's program computes, and in
// the rows of its spill files.
type aggLayout struct {
	session *kernel.Session
	list    []expr.Expr // keys, then what each aggregate needs
	keys    []types.Type
	calls   []aggPlace
	spill   *types.Schema // keys, then the states of all aggregates
}

// aggPlace is the place of one aggregate.
type aggPlace struct {
	x      physical.AggExpr
	args   []int // of the program's columns: arguments, or states when the mode merges
	order  []int // of the program's columns: ORDER BY inside the call
	filter int   // -1: none
	state  []int // of the spilled columns
	// whole says that the aggregate keeps more than its state tells (DISTINCT, ORDER BY inside): its rows are spilled.
	whole bool
}

func newAggLayout(p *physical.Aggregate) *aggLayout {
	l := &aggLayout{spill: &types.Schema{}}
	for _, k := range p.Keys {
		l.list = append(l.list, k)
		l.keys = append(l.keys, k.Type())
		l.spill.Fields = append(l.spill.Fields, types.Field{Name: "key", Type: k.Type(), Nullable: true})
	}
	for _, x := range p.Aggs {
		l.calls = append(l.calls, l.place(x))
	}
	return l
}

func (l *aggLayout) place(x physical.AggExpr) aggPlace {
	c := aggPlace{x: x, filter: -1}
	add := func(e expr.Expr) int {
		l.list = append(l.list, e)
		return len(l.list) - 1
	}
	c.whole = !x.Mode.Merges() && (x.Agg.Distinct || len(x.Agg.Order) > 0)
	for _, s := range x.State {
		if c.whole {
			break
		}
		c.state = append(c.state, len(l.spill.Fields))
		l.spill.Fields = append(l.spill.Fields, types.Field{Name: "state", Type: s.T, Nullable: true})
	}
	if x.Mode.Merges() {
		for _, s := range x.State {
			c.args = append(c.args, add(s))
		}
		return c
	}
	for _, a := range x.Agg.Args {
		c.args = append(c.args, add(a))
	}
	for _, o := range x.Agg.Order {
		c.order = append(c.order, add(o.Child))
	}
	if x.Agg.Filter != nil {
		c.filter = add(x.Agg.Filter)
	}
	return c
}

// rowSchema is the form in which the rows that an aggregate holds are spilled: keys, arguments, order.
func (l *aggLayout) rowSchema(c *aggPlace) *types.Schema {
	s := &types.Schema{}
	add := func(t types.Type) { s.Fields = append(s.Fields, types.Field{Type: t, Nullable: true}) }
	for _, t := range l.keys {
		add(t)
	}
	for _, at := range append(c.args[:len(c.args):len(c.args)], c.order...) {
		add(l.list[at].Type())
	}
	return s
}

// aggTable is the groups seen so far with the states of their aggregates.
type aggTable struct {
	layout *aggLayout
	groups *front // nil: no keys, one group
	calls  []aggCall
	ids    []uint32
	cols   []columnar.Vector // of rows
	states int64             // bytes of the states
	room   int               // groups that those have room for, about
}

// aggCall is the state of one aggregate.
type aggCall struct {
	aggPlace
	agg      kernel.Agg
	ctx      kernel.Ctx
	gathered []kernel.Scratch
	argv     []columnar.Vector
	sel      []uint32
	ids      []uint32
	one      kernel.Scratch
	ordered  *orderedAgg
	follows  bool // another call's state is this one's too: there is nothing to add
}

func newAggTable(l *aggLayout, env *Env, t *Task) (*aggTable, error) {
	a := &aggTable{layout: l, calls: make([]aggCall, len(l.calls)), cols: make([]columnar.Vector, len(l.spill.Fields))}
	if len(l.keys) > 0 {
		a.groups = newFront(l.keys)
	}
	for i := range a.calls {
		c := &a.calls[i]
		c.aggPlace = l.calls[i]
		if err := c.start(env, t); err != nil {
			return nil, err
		}
		for k := range i {
			if c.follows = follows(c, &a.calls[k]); c.follows {
				break
			}
		}
	}
	return a, a.startGlobal()
}

// follows makes the state of c read that of d, if both sum the same: the sum and the average of a column.
func follows(c, d *aggCall) bool {
	a, isSum := c.agg.(*kernel.SumWide)
	b, same := d.agg.(*kernel.SumWide)
	return isSum && same && c.x.Mode == d.x.Mode && c.x.Agg.Filter == nil && d.x.Agg.Filter == nil &&
		expr.Fingerprint(c.x.Agg.Args[0]) == expr.Fingerprint(d.x.Agg.Args[0]) && a.Follow(b)
}

// newAgg makes the empty state of an aggregate.
func (e *Env) newAgg(a *expr.Agg) (kernel.Agg, error) {
	if e.ExternalAgg != nil {
		if agg, err := e.ExternalAgg(a); agg != nil || err != nil {
			return agg, err
		}
	}
	return eval.NewAgg(a)
}

func (c *aggCall) start(env *Env, t *Task) error {
	agg, err := env.newAgg(c.x.Agg)
	if err != nil {
		return err
	}
	n := max(len(c.args), len(c.state)) + len(c.order)
	c.gathered, c.argv = make([]kernel.Scratch, n), make([]columnar.Vector, n)
	c.ctx = *t.ctx()
	c.ctx.Scratch = &kernel.Scratch{}
	if !c.x.Mode.Merges() {
		if c.x.Agg.Distinct {
			agg = newDistinctAgg(agg, c.x.Agg)
		}
		if len(c.x.Agg.Order) > 0 {
			c.ordered = newOrderedAgg(agg, c.x.Agg)
			agg = c.ordered
		}
		if (c.x.Agg.Distinct || c.ordered != nil) && !c.x.Mode.Emits() {
			return fmt.Errorf("aggregate %s: %w", c.x.Agg.SQL(), errWhole)
		}
	}
	c.agg = agg
	return nil
}

var errWhole = errors.New("a DISTINCT or ordered aggregate has no partial form")

// startGlobal makes the one group of an aggregation without keys, which exists without rows too.
func (a *aggTable) startGlobal() error {
	if a.groups != nil {
		return nil
	}
	for i := range a.calls {
		c := &a.calls[i]
		args := make([]columnar.Vector, len(c.args))
		for k, at := range c.args {
			args[k] = columnar.Nulls(a.layout.list[at].Type(), 0)
		}
		if err := c.feed(args, nil, 0, nil, 1); err != nil {
			return err
		}
	}
	return nil
}

func (c *aggCall) feed(args, order []columnar.Vector, n int, ids []uint32, groups int) error {
	c.ctx.Scratch.Reset()
	if c.x.Mode.Merges() {
		return c.agg.Merge(&c.ctx, args, n, ids, groups)
	}
	if c.ordered != nil {
		return c.ordered.collect(args, order, n, ids, groups)
	}
	return c.agg.Update(&c.ctx, args, n, ids, groups)
}

// len is the number of groups.
func (a *aggTable) len() int {
	if a.groups == nil {
		return 1
	}
	return a.groups.len()
}

// assign finds the groups of n rows by their keys.
func (a *aggTable) assign(keys []columnar.Vector, n int) []uint32 {
	if a.groups == nil {
		return nil
	}
	if cap(a.ids) < n {
		a.ids = make([]uint32, n+n/4)
	}
	ids := a.ids[:n]
	a.groups.assign(keys, n, ids)
	return ids
}

// update adds n rows of the program's columns.
func (a *aggTable) update(cols []columnar.Vector, n int) error {
	ids := a.assign(cols[:len(a.layout.keys)], n)
	return a.updateIDs(cols, n, ids, a.len())
}

func (a *aggTable) updateIDs(cols []columnar.Vector, n int, ids []uint32, groups int) error {
	for i := range a.calls {
		if err := a.calls[i].update(cols, n, ids, groups); err != nil {
			return err
		}
	}
	return nil
}

func (c *aggCall) update(cols []columnar.Vector, n int, ids []uint32, groups int) error {
	if c.follows {
		return nil
	}
	sel := []uint32(nil)
	if c.filter >= 0 {
		c.one.Reset()
		v := c.one.Flatten(&cols[c.filter])
		c.sel = selectTrue(c.sel, &v, n)
		if sel = c.sel; len(sel) == n {
			sel = nil
		}
	}
	argv := c.argv[:0]
	for k, at := range c.args {
		argv = append(argv, c.chosen(k, &cols[at], sel))
	}
	args := len(argv)
	for k, at := range c.order {
		argv = append(argv, c.chosen(args+k, &cols[at], sel))
	}
	if sel != nil {
		n = len(sel)
		if ids != nil {
			if cap(c.ids) < n {
				c.ids = make([]uint32, n+n/4)
			}
			columnar.GatherInto(c.ids[:n], ids, sel)
			ids = c.ids[:n]
		}
	}
	return c.feed(argv[:args], argv[args:], n, ids, groups)
}

// chosen is the rows of a column that sel names, in the column's form; all for nil.
func (c *aggCall) chosen(k int, v *columnar.Vector, sel []uint32) columnar.Vector {
	if sel == nil {
		return *v
	}
	c.gathered[k].Reset()
	return c.gathered[k].Gather(v, sel)
}

// selectTrue lists the rows of a flat boolean that are true, reusing sel.
func selectTrue(sel []uint32, v *columnar.Vector, n int) []uint32 {
	if cap(sel) < n+1 {
		sel = make([]uint32, n+n/4+1)
	}
	out, k := sel[:n+1], 0
	for i, b := range v.Data[:n] {
		out[k] = uint32(i)
		ok := uint64(b)
		if v.Valid != nil {
			ok &= v.Valid[i>>6] >> (uint(i) & 63)
		}
		k += int(ok & 1)
	}
	return out[:k]
}

// merge adds n rows of a spill file.
func (a *aggTable) merge(cols []columnar.Vector, n int) error {
	ids := a.assign(cols[:len(a.layout.keys)], n)
	groups := a.len()
	for i := range a.calls {
		c := &a.calls[i]
		if c.whole {
			continue // its rows come by again
		}
		argv := c.argv[:0]
		for k, at := range c.state {
			argv = append(argv, c.chosen(k, &cols[at], nil))
		}
		c.ctx.Scratch.Reset()
		if err := c.agg.Merge(&c.ctx, argv, n, ids, groups); err != nil {
			return err
		}
	}
	return nil
}

// again adds rows that call i held before they were spilled.
func (a *aggTable) again(i int, b *columnar.Batch) error {
	keys, c := len(a.layout.keys), &a.calls[i]
	ids := a.assign(b.Cols[:keys], b.N)
	args := b.Cols[keys : keys+len(c.args)]
	return c.feed(args, b.Cols[keys+len(c.args):], b.N, ids, a.len())
}

// rows makes the columns of groups [from, to): keys, and of each aggregate its result or state as its mode says; all
// states if spill is set.
func (a *aggTable) rows(out []columnar.Vector, from, to int, spill bool) error {
	at := len(a.layout.keys)
	if a.groups != nil {
		a.groups.groups(out[:at], from, to)
	}
	for i := range a.calls {
		c := &a.calls[i]
		if spill && c.whole {
			continue
		}
		c.ctx.Scratch.Reset()
		if c.x.Mode.Emits() && !spill {
			v, err := c.agg.Result(&c.ctx, from, to)
			if err != nil {
				return err
			}
			v.Type = c.x.Agg.T
			out[at] = v
			at++
			continue
		}
		states, err := c.agg.State(&c.ctx, from, to)
		if err != nil {
			return err
		}
		for k := range states {
			states[k].Type = c.x.State[k].T
			out[at] = states[k]
			at++
		}
	}
	return nil
}

// bytes is the memory held.
func (a *aggTable) bytes() int64 {
	var n int64
	for i := range a.calls {
		n += a.calls[i].agg.Bytes()
	}
	if n != a.states { // they have just grown by half
		a.states, a.room = n, a.len()+a.len()/2
	}
	if a.groups != nil {
		n += a.groups.bytes()
	}
	return n
}

// ahead is how much more may be held once n more rows are added: all of them may be new groups.
func (a *aggTable) ahead(n int) int64 {
	if a.groups == nil {
		return 0
	}
	more := a.groups.ahead(n)
	if a.len()+n > a.room {
		more += a.states / 2
	}
	return more
}

// reset forgets all groups and keeps the memory.
func (a *aggTable) reset() error {
	if a.groups != nil {
		a.groups.reset()
	}
	for i := range a.calls {
		a.calls[i].agg.Reset()
	}
	return a.startGlobal()
}

// free gives slabs back; the table is not used any more.
func (a *aggTable) free() {
	if a == nil {
		return
	}
	if a.groups != nil {
		a.groups.free()
	}
	for i := range a.calls {
		if d, ok := a.calls[i].agg.(interface{ free() }); ok {
			d.free()
		}
	}
}
