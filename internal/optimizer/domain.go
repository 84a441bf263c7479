package optimizer

import (
	"sort"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// domain decorrelates plans of any shape: the distinct values of the outer columns that a plan refers to are joined in where
// it starts to refer to them, and every row carries its values up as keys. The result joins the outer side on equal keys.
// It costs a second run of the outer side, so it is for what pullUp cannot do.
type domain struct {
	source logical.Plan    // the outer side
	cols   []*expr.Column  // its columns that the plan refers to
	want   map[expr.ID]int // their places in cols
	at     map[expr.ID]*expr.Column
}

// decorrelate gives a plan without references to the outer side, with keys that equal the outer columns for the rows that
// belong to an outer row. ok is false when some node has no such form.
func decorrelate(p, outer logical.Plan) (out logical.Plan, conds []expr.Expr, ok bool) {
	d := &domain{source: outer, want: map[expr.ID]int{}, at: map[expr.ID]*expr.Column{}}
	refs := outerRefs(p)
	for _, c := range outer.Output() {
		if refs[c.ID] != nil && d.at[c.ID] == nil {
			d.at[c.ID] = c
			d.cols = append(d.cols, c)
		}
	}
	sort.Slice(d.cols, func(i, j int) bool { return d.cols[i].ID < d.cols[j].ID })
	for i, c := range d.cols {
		if !c.T.IsOrderable() {
			return p, nil, false
		}
		d.want[c.ID] = i
	}
	out, keys, ok := d.push(p)
	return out, same(columns(d.cols), keys), ok
}

// same is the null-safe equality of lists, one condition each.
func same(a []expr.Expr, b []*expr.Column) []expr.Expr {
	conds := make([]expr.Expr, len(b))
	for i := range b {
		conds[i] = &expr.Call{Name: "<=>", Args: []expr.Expr{a[i], b[i]}, T: types.Boolean}
	}
	return conds
}

// values is a new copy of the domain and its columns.
func (d *domain) values() (logical.Plan, []*expr.Column) {
	copied := freshInner(d.source)
	place := map[expr.ID]int{}
	for i, c := range d.source.Output() {
		place[c.ID] = i
	}
	list, keys := make([]expr.Expr, len(d.cols)), make([]*expr.Column, len(d.cols))
	for i, c := range d.cols {
		a := expr.NewAlias(copied.Output()[place[c.ID]], c.Name)
		list[i], keys[i] = a, a.Column()
	}
	return distinct(&logical.Project{List: list, Child: copied}), keys
}

// refers says whether an expression or a plan refers to the domain.
func (d *domain) refers(e expr.Expr) bool {
	return expr.Any(e, func(x expr.Expr) bool {
		o, ok := x.(*expr.OuterRef)
		if !ok {
			return false
		}
		_, ok = d.want[o.Col.ID]
		return ok
	})
}

func (d *domain) planRefers(p logical.Plan) bool {
	for id := range outerRefs(p) {
		if _, ok := d.want[id]; ok {
			return true
		}
	}
	return false
}

// bind puts keys in the place of references to the domain.
func (d *domain) bind(e expr.Expr, keys []*expr.Column) expr.Expr {
	if e == nil {
		return nil
	}
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		if o, ok := x.(*expr.OuterRef); ok {
			if i, ok := d.want[o.Col.ID]; ok {
				return keys[i]
			}
		}
		return x
	})
}

func (d *domain) bindAll(list []expr.Expr, keys []*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = d.bind(e, keys)
	}
	return out
}

// push gives p joined with the domain: its columns and, somewhere among them, the keys.
func (d *domain) push(p logical.Plan) (logical.Plan, []*expr.Column, bool) {
	if !d.planRefers(p) {
		dom, keys := d.values()
		return &logical.Join{Left: dom, Right: p, Kind: logical.InnerJoin}, keys, true
	}
	switch n := p.(type) {
	case *logical.Filter, *logical.Sort, *logical.Generate, *logical.SubqueryAlias, *logical.Hint:
		child, keys, ok := d.push(p.Children()[0])
		q := logical.MapExprs(p.WithChildren([]logical.Plan{child}), func(e expr.Expr) expr.Expr { return d.bind(e, keys) })
		return q, keys, ok
	case *logical.Project:
		child, keys, ok := d.push(n.Child)
		return &logical.Project{List: append(d.bindAll(n.List, keys), columns(keys)...), Child: child}, keys, ok
	case *logical.Aggregate:
		return d.aggregate(n)
	case *logical.Limit, *logical.Offset:
		return d.limit(p)
	case *logical.Join:
		return d.join(n)
	case *logical.SetOp:
		return d.union(n)
	case *logical.Window:
		return d.window(n)
	}
	return p, nil, false
}

// aggregate groups by the keys too. Without groups of its own there is a row for each value of the domain, of no input too.
func (d *domain) aggregate(n *logical.Aggregate) (logical.Plan, []*expr.Column, bool) {
	child, keys, ok := d.push(n.Child)
	q := *n
	q.Child = child
	q.Group = append(d.bindAll(n.Group, keys), columns(keys)...)
	q.List = append(d.bindAll(n.List, keys), columns(keys)...)
	if len(n.Group) > 0 {
		return &q, keys, ok
	}
	all, own := d.values()
	mark := expr.NewAlias(expr.True, "matched")
	matched := mark.Column()
	matched.Null = true
	list := make([]expr.Expr, 0, len(n.List)+len(own))
	inner := make([]expr.Expr, 0, len(n.List)+len(keys)+1)
	for _, e := range n.List {
		a, isAlias := e.(*expr.Alias)
		if !isAlias {
			return n, nil, false
		}
		part := expr.NewAlias(d.bind(a.Child, keys), a.Name)
		inner = append(inner, part)
		top := *a
		top.Child = nullableColumn(part.Column())
		if empty := overNothing(d.bind(a.Child, own)); empty != nil {
			top.Child = &expr.Call{Name: "when", T: a.Child.Type(), Null: true, Args: []expr.Expr{isNull(matched), empty, top.Child}}
		}
		list = append(list, &top)
	}
	q.List = append(append(inner, columns(keys)...), mark)
	j := &logical.Join{Left: all, Right: &q, Kind: logical.LeftJoin, Cond: expr.And(same(columns(own), keys)...)}
	return &logical.Project{List: append(list, columns(own)...), Child: j}, own, ok
}

// overNothing is an aggregate's item over no rows; nil if that is null.
func overNothing(e expr.Expr) expr.Expr {
	if a, ok := e.(*expr.Agg); ok {
		e = emptyAgg(a)
	} else {
		e = expr.Down(e, func(x expr.Expr) expr.Expr {
			if a, ok := x.(*expr.Agg); ok {
				return emptyAgg(a)
			}
			return x
		})
	}
	if l, ok := e.(*expr.Literal); ok && l.Value == nil {
		return nil
	}
	return e
}

// limit counts the rows of each value of the domain.
func (d *domain) limit(p logical.Plan) (logical.Plan, []*expr.Column, bool) {
	var count, skip expr.Expr
	child := p
	if l, ok := child.(*logical.Limit); ok {
		count, child = l.N, l.Child
	}
	if o, ok := child.(*logical.Offset); ok {
		skip, child = o.N, o.Child
	}
	var order []expr.SortOrder
	if s, ok := child.(*logical.Sort); ok {
		order, child = s.Order, s.Child
	}
	in, keys, ok := d.push(child)
	bound := make([]expr.SortOrder, len(order))
	for i, o := range order {
		o.Child = d.bind(o.Child, keys)
		bound[i] = o
	}
	spec := expr.WindowSpec{Partition: columns(keys), Order: bound, Unit: expr.Rows, Upper: expr.Bound{Kind: expr.CurrentRow}}
	number := expr.NewAlias(&expr.Window{Func: &expr.Call{Name: "row_number", T: types.Int}, Spec: spec}, "row_number")
	w := &logical.Window{List: []expr.Expr{number}, Partition: spec.Partition, Order: bound, Child: in}
	long := func(e expr.Expr) expr.Expr {
		if e.Type().Kind == types.LongKind {
			return e
		}
		return &expr.Cast{Child: e, To: types.Long, Mode: expr.CastLegacy, Implicit: true}
	}
	at := long(number.Column())
	var conds []expr.Expr
	if skip != nil {
		conds = append(conds, expr.NewCall(">", types.Boolean, at, long(skip)))
		at = expr.NewCall("-", types.Long, at, long(skip))
	}
	if count != nil {
		conds = append(conds, expr.NewCall("<=", types.Boolean, at, long(count)))
	}
	list := append(columns(child.Output()), columns(keys)...)
	return &logical.Project{List: list, Child: filter(w, conds)}, keys, ok
}

// join joins the domain into the sides that refer to it; an outer join's preserved side always gets it.
func (d *domain) join(n *logical.Join) (logical.Plan, []*expr.Column, bool) {
	q := *n
	left, right := d.planRefers(n.Left), d.planRefers(n.Right)
	switch n.Kind {
	case logical.InnerJoin, logical.CrossJoin:
		left = left || !right
		q.Kind = logical.InnerJoin
	case logical.RightJoin:
		right = true
	case logical.FullJoin:
		left, right = true, true
	default:
		left = true
	}
	if right && q.Hint.NullAware {
		return n, nil, false
	}
	var lk, rk []*expr.Column
	lok, rok := true, true
	if left {
		q.Left, lk, lok = d.push(n.Left)
	}
	if right {
		q.Right, rk, rok = d.push(n.Right)
	}
	keys := lk
	if !left || n.Kind == logical.RightJoin {
		keys = rk
	}
	cond := d.bind(n.Cond, keys)
	if n.Kind == logical.FullJoin && n.Cond != nil && d.refers(n.Cond) {
		return n, nil, false
	}
	if left && right {
		cond = expr.And(append(same(columns(lk), rk), cond)...)
	}
	q.Cond = cond
	if n.Kind != logical.FullJoin {
		return &q, keys, lok && rok
	}
	list := columns(n.Output())
	keys = make([]*expr.Column, len(lk))
	for i := range lk {
		either := &expr.Call{Name: "coalesce", Args: []expr.Expr{nullableColumn(lk[i]), nullableColumn(rk[i])}, T: lk[i].T, Null: true}
		a := expr.NewAlias(either, lk[i].Name)
		list, keys[i] = append(list, a), a.Column()
	}
	return &logical.Project{List: list, Child: &q}, keys, lok && rok
}

// union joins the domain into every input.
func (d *domain) union(n *logical.SetOp) (logical.Plan, []*expr.Column, bool) {
	if n.Kind != logical.Union || !n.All {
		return n, nil, false
	}
	q := *n
	q.Inputs = make([]logical.Plan, len(n.Inputs))
	keys := make([]*expr.Column, len(d.cols))
	for i, c := range d.cols {
		keys[i] = &expr.Column{ID: expr.NextID(), Name: c.Name, T: c.T, Null: c.Null}
	}
	q.Out = append(append([]*expr.Column(nil), n.Output()...), keys...)
	for i, in := range n.Inputs {
		pushed, k, ok := d.push(in)
		if !ok {
			return n, nil, false
		}
		q.Inputs[i] = &logical.Project{List: append(columns(in.Output()), columns(k)...), Child: pushed}
	}
	return &q, keys, true
}

// window partitions by the keys too.
func (d *domain) window(n *logical.Window) (logical.Plan, []*expr.Column, bool) {
	child, keys, ok := d.push(n.Child)
	q := logical.MapExprs(n.WithChildren([]logical.Plan{child}), func(e expr.Expr) expr.Expr { return d.bind(e, keys) }).(*logical.Window)
	w := *q
	w.Partition = append(append([]expr.Expr(nil), w.Partition...), columns(keys)...)
	w.List = make([]expr.Expr, len(q.List))
	for i, e := range q.List {
		w.List[i] = expr.Up(e, func(x expr.Expr) expr.Expr {
			if f, ok := x.(*expr.Window); ok {
				g := *f
				g.Spec.Partition = w.Partition
				return &g
			}
			return x
		})
	}
	return &w, keys, ok
}
