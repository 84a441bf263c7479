package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// outerRefs are the outer columns that a plan refers to.
func outerRefs(p logical.Plan) map[expr.ID]*expr.Column {
	out := map[expr.ID]*expr.Column{}
	logical.Walk(p, func(n logical.Plan) bool {
		for _, e := range n.Exprs() {
			collectOuter(e, out)
		}
		return true
	})
	return out
}

func collectOuter(e expr.Expr, out map[expr.ID]*expr.Column) {
	expr.Walk(e, func(x expr.Expr) bool {
		switch o := x.(type) {
		case *expr.OuterRef:
			out[o.Col.ID] = o.Col
		case *expr.Subquery:
			for id, c := range outerRefs(o.Plan.(logical.Plan)) {
				out[id] = c
			}
		}
		return true
	})
}

func hasOuter(e expr.Expr) bool {
	return expr.Any(e, func(x expr.Expr) bool { _, ok := x.(*expr.OuterRef); return ok })
}

// puller takes correlated conditions out of a subquery's plan. References to columns that are not the outer side's are of a
// query further out, and stay.
type puller struct {
	outer  map[expr.ID]bool   // the outer side's columns
	global *logical.Aggregate // the aggregate without groups that may be grouped: the caller knows what no rows mean
}

// pullUp takes the correlated conditions out of a plan. They come back over columns of the plan's output (which may have
// grown at its end) and of the outer query. ok is false when the correlation is of another kind.
func pullUp(p, outer logical.Plan) (out logical.Plan, conds []expr.Expr, ok bool) {
	u := &puller{outer: ids(outer.Output())}
	return u.plan(p)
}

// refers says whether e has references to the outer side.
func (u *puller) refers(e expr.Expr) bool {
	return expr.Any(e, func(x expr.Expr) bool { o, ok := x.(*expr.OuterRef); return ok && u.outer[o.Col.ID] })
}

func (u *puller) planRefers(p logical.Plan) bool {
	for id := range outerRefs(p) {
		if u.outer[id] {
			return true
		}
	}
	return false
}

// free turns references to the outer side into plain columns: at the level of the join they are.
func (u *puller) free(e expr.Expr) expr.Expr {
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		if o, ok := x.(*expr.OuterRef); ok && u.outer[o.Col.ID] {
			return o.Col
		}
		return x
	})
}

func (u *puller) plan(p logical.Plan) (out logical.Plan, conds []expr.Expr, ok bool) {
	if !u.planRefers(p) {
		return p, nil, true
	}
	switch n := p.(type) {
	case *logical.Filter:
		return u.filter(n)
	case *logical.Project:
		return u.project(n)
	case *logical.Aggregate:
		return u.aggregate(n)
	case *logical.Join:
		return u.join(n)
	case *logical.SubqueryAlias, *logical.Hint:
		c, conds, ok := u.plan(p.Children()[0])
		return c, conds, ok
	case *logical.Sort:
		for _, e := range n.Exprs() {
			if u.refers(e) {
				return p, nil, false
			}
		}
		c, conds, ok := u.plan(n.Child)
		return n.WithChildren([]logical.Plan{c}), conds, ok
	}
	return p, nil, false
}

func (u *puller) filter(n *logical.Filter) (logical.Plan, []expr.Expr, bool) {
	child, conds, ok := u.plan(n.Child)
	if !ok {
		return n, nil, false
	}
	var stay []expr.Expr
	for _, c := range expr.Conjuncts(n.Cond) {
		if u.refers(c) {
			conds = append(conds, u.free(c))
		} else {
			stay = append(stay, c)
		}
	}
	return filter(child, stay), conds, true
}

func (u *puller) project(n *logical.Project) (logical.Plan, []expr.Expr, bool) {
	for _, e := range n.List {
		if u.refers(e) {
			return n, nil, false
		}
	}
	child, conds, ok := u.plan(n.Child)
	if !ok {
		return n, nil, false
	}
	list := append([]expr.Expr(nil), n.List...)
	list = append(list, columns(missing(conds, child.Output(), n.Output()))...)
	return &logical.Project{List: list, Child: child}, conds, true
}

// missing are the columns of from that conditions need and out lacks.
func missing(conds []expr.Expr, from, out []*expr.Column) []*expr.Column {
	need := map[expr.ID]*expr.Column{}
	for _, c := range conds {
		expr.Columns(c, need)
	}
	have := ids(out)
	var add []*expr.Column
	for _, c := range from {
		if need[c.ID] != nil && !have[c.ID] {
			add = append(add, c)
		}
	}
	return add
}

// aggregate groups by the inner sides of the pulled equalities too. Other conditions cannot pass a grouping.
func (u *puller) aggregate(n *logical.Aggregate) (logical.Plan, []expr.Expr, bool) {
	if len(n.Group) == 0 && n != u.global {
		return n, nil, false // there is a row even where none matches
	}
	for _, e := range n.Exprs() {
		if u.refers(e) {
			return n, nil, false
		}
	}
	child, conds, ok := u.plan(n.Child)
	if !ok {
		return n, nil, false
	}
	inner := ids(child.Output())
	q := *n
	q.Child = child
	q.Group = append([]expr.Expr(nil), n.Group...)
	q.List = append([]expr.Expr(nil), n.List...)
	have := ids(q.Output())
	keys := prints(q.Group)
	for i, c := range conds {
		eq, isEq := c.(*expr.Call)
		if !isEq || eq.Name != "=" && eq.Name != "<=>" {
			return n, nil, false
		}
		side := 0
		if !logical.Covered(eq.Args[0], inner) {
			side = 1
		}
		if !logical.Covered(eq.Args[side], inner) || !within(eq.Args[1-side], outside(eq.Args[1-side], inner)) {
			return n, nil, false
		}
		col := groupBy(&q, eq.Args[side], have, keys)
		args := append([]expr.Expr(nil), eq.Args...)
		args[side] = col
		conds[i] = eq.WithChildren(args)
	}
	return &q, conds, true
}

// outside is the set of e's columns that are not inner.
func outside(e expr.Expr, inner map[expr.ID]bool) map[expr.ID]bool {
	cols := map[expr.ID]*expr.Column{}
	expr.Columns(e, cols)
	out := map[expr.ID]bool{}
	for id := range cols {
		out[id] = !inner[id]
	}
	return out
}

// groupBy makes sure that e is a key and in the output, and gives its column.
func groupBy(a *logical.Aggregate, e expr.Expr, have map[expr.ID]bool, keys map[string]bool) *expr.Column {
	if f := expr.Fingerprint(e); !keys[f] {
		keys[f] = true
		a.Group = append(a.Group, e)
	}
	col, ok := e.(*expr.Column)
	if ok && have[col.ID] {
		return col
	}
	if ok {
		have[col.ID] = true
		a.List = append(a.List, col)
		return col
	}
	alias := expr.NewAlias(e, e.SQL())
	a.List = append(a.List, alias)
	return alias.Column()
}

func (u *puller) join(n *logical.Join) (logical.Plan, []expr.Expr, bool) {
	q := *n
	var conds []expr.Expr
	ok := true
	pull := func(p *logical.Plan) {
		var more []expr.Expr
		var good bool
		*p, more, good = u.plan(*p)
		ok = ok && good
		conds = append(conds, more...)
	}
	switch n.Kind {
	case logical.InnerJoin, logical.CrossJoin:
		pull(&q.Left)
		pull(&q.Right)
		var stay []expr.Expr
		for _, c := range expr.Conjuncts(n.Cond) {
			if u.refers(c) {
				conds = append(conds, u.free(c))
			} else {
				stay = append(stay, c)
			}
		}
		q.Cond = expr.And(stay...)
		return &q, conds, ok
	case logical.LeftJoin, logical.SemiJoin, logical.AntiJoin, logical.ExistenceJoin:
		pull(&q.Left)
		ok = ok && !u.planRefers(n.Right)
	case logical.RightJoin:
		pull(&q.Right)
		ok = ok && !u.planRefers(n.Left)
	default:
		return n, nil, false
	}
	if n.Cond != nil && u.refers(n.Cond) {
		return n, nil, false
	}
	return &q, conds, ok
}

// lateral turns a lateral join into a plain one over the decorrelated right side.
func (r *unnester) lateral(j *logical.Join) logical.Plan {
	q := *j
	q.Lateral = false
	u := &puller{outer: ids(j.Left.Output())}
	if !u.planRefers(j.Right) {
		return &q
	}
	if p, ok := r.liftProject(&q, u); ok {
		return p
	}
	right, conds, ok := pullUp(j.Right, j.Left)
	if !ok {
		right, conds, ok = decorrelate(j.Right, j.Left)
	}
	if !ok {
		r.fail(sparkerr.Unsupported("lateral subquery with this kind of correlation"))
		return j
	}
	out := j.Output()
	q.Right, q.Cond = right, expr.And(append(conds, j.Cond)...)
	if q.Kind == logical.CrossJoin && q.Cond != nil {
		q.Kind = logical.InnerJoin
	}
	if len(q.Output()) != len(out) {
		return &logical.Project{List: columns(out), Child: &q}
	}
	return &q
}

// liftProject moves a right side's projection that computes with outer columns above an inner join.
func (r *unnester) liftProject(j *logical.Join, u *puller) (logical.Plan, bool) {
	p, ok := j.Right.(*logical.Project)
	if !ok || j.Kind != logical.InnerJoin && j.Kind != logical.CrossJoin {
		return nil, false
	}
	own := false
	for _, e := range p.List {
		own = own || u.refers(e)
	}
	if !own {
		return nil, false
	}
	q := *j
	q.Right, q.Cond, q.Lateral = p.Child, nil, true
	list := columns(j.Left.Output())
	for _, e := range p.List {
		list = append(list, u.free(e))
	}
	out := filter(&logical.Project{List: list, Child: r.lateral(&q)}, expr.Conjuncts(j.Cond))
	return out, true
}
