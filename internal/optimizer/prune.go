package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// pruneColumns drops columns that nobody reads, down to the scans.
func pruneColumns(c *Context, p logical.Plan) (logical.Plan, error) {
	return prune(p, ids(p.Output())), nil
}

// used adds the columns of expressions to a copy of the set.
func used(need map[expr.ID]bool, exprs []expr.Expr) map[expr.ID]bool {
	out := make(map[expr.ID]bool, len(need)+8)
	for id := range need {
		out[id] = true
	}
	cols := map[expr.ID]*expr.Column{}
	for _, e := range exprs {
		expr.Columns(e, cols)
	}
	for id := range cols {
		out[id] = true
	}
	return out
}

// keep filters named expressions by what is needed.
func keep(list []expr.Expr, need map[expr.ID]bool) []expr.Expr {
	out := make([]expr.Expr, 0, len(list))
	for _, e := range list {
		switch x := e.(type) {
		case *expr.Column:
			if !need[x.ID] {
				continue
			}
		case *expr.Alias:
			if !need[x.ID] {
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

func keepColumns(cols []*expr.Column, need map[expr.ID]bool) []*expr.Column {
	out := make([]*expr.Column, 0, len(cols))
	for _, c := range cols {
		if need[c.ID] {
			out = append(out, c)
		}
	}
	return out
}

// prune returns p with an output that has at least the needed columns, and a little more where that costs nothing.
func prune(p logical.Plan, need map[expr.ID]bool) logical.Plan {
	switch n := p.(type) {
	case *logical.Project:
		q := *n
		q.List = keep(n.List, need)
		q.Child = prune(n.Child, used(nil, q.List))
		return &q
	case *logical.Aggregate:
		q := *n
		q.List = keep(n.List, need)
		q.Child = prune(n.Child, used(used(nil, q.List), q.Group))
		return &q
	case *logical.Filter, *logical.Sort, *logical.Repartition:
		below := used(need, p.Exprs())
		return narrowed(p.WithChildren([]logical.Plan{prune(p.Children()[0], below)}), need)
	case *logical.Join:
		below := used(need, p.Exprs())
		q := *n
		q.Left, q.Right = prune(n.Left, below), prune(n.Right, below)
		return &q
	case *logical.Relation:
		return pruneRelation(n, need)
	case *logical.LocalRelation, *logical.CachedRelation, *logical.Range:
		return narrowed(p, need)
	case *logical.Window:
		q := *n
		q.List = keep(n.List, need)
		if len(q.List) == 0 {
			return prune(n.Child, need)
		}
		q.Child = prune(n.Child, used(need, q.Exprs()))
		return &q
	case *logical.Generate:
		q := *n
		q.Child = prune(n.Child, used(need, p.Exprs()))
		return &q
	case *logical.Limit, *logical.Offset, *logical.Tail, *logical.Sample, *logical.Hint:
		return p.WithChildren([]logical.Plan{prune(p.Children()[0], need)})
	case *logical.SetOp:
		return pruneUnion(n, need)
	case *logical.Expand:
		return pruneExpand(n, need)
	case *logical.RecursiveCTE:
		return logical.MapChildren(p, exactly)
	}
	return logical.MapChildren(p, func(k logical.Plan) logical.Plan { return prune(k, ids(k.Output())) })
}

// exactly prunes below p, whose columns stay as they are, in order.
func exactly(p logical.Plan) logical.Plan {
	out := p.Output()
	q := prune(p, ids(out))
	now := q.Output()
	same := len(now) == len(out)
	for i := 0; same && i < len(out); i++ {
		same = now[i].ID == out[i].ID
	}
	if same {
		return q
	}
	return &logical.Project{List: columns(out), Child: q}
}

// narrowed puts a projection over p when it yields columns that are not needed.
func narrowed(p logical.Plan, need map[expr.ID]bool) logical.Plan {
	out := p.Output()
	if kept := keepColumns(out, need); len(kept) < len(out) {
		return &logical.Project{List: columns(kept), Child: p}
	}
	return p
}

// pruneRelation reads the needed columns and those of its filters; a projection then drops the latter.
func pruneRelation(n *logical.Relation, need map[expr.ID]bool) logical.Plan {
	q := *n
	q.Out = keepColumns(n.Out, used(need, n.Filters))
	return narrowed(&q, need)
}

func pruneUnion(n *logical.SetOp, need map[expr.ID]bool) logical.Plan {
	out := n.Output()
	q := *n
	q.Out = keepColumns(out, need)
	q.Inputs = make([]logical.Plan, len(n.Inputs))
	for i, in := range n.Inputs {
		var list []expr.Expr
		for j, c := range in.Output() {
			if need[out[j].ID] {
				list = append(list, c)
			}
		}
		if len(list) < len(out) {
			in = &logical.Project{List: list, Child: in}
		}
		q.Inputs[i] = prune(in, ids(in.Output()))
	}
	return &q
}

func pruneExpand(n *logical.Expand, need map[expr.ID]bool) logical.Plan {
	q := *n
	q.Out = keepColumns(n.Out, need)
	q.Projections = make([][]expr.Expr, len(n.Projections))
	var all []expr.Expr
	for i, row := range n.Projections {
		for j, e := range row {
			if need[n.Out[j].ID] {
				q.Projections[i] = append(q.Projections[i], e)
			}
		}
		all = append(all, q.Projections[i]...)
	}
	q.Child = prune(n.Child, used(nil, all))
	return &q
}

// collapseProjects merges adjacent projections where no work is done twice, and drops those that do nothing.
func collapseProjects(c *Context, p logical.Plan) (logical.Plan, error) {
	return each(func(n logical.Plan) logical.Plan {
		top, ok := n.(*logical.Project)
		if !ok {
			return n
		}
		if sameColumns(top) {
			return top.Child
		}
		below, ok := top.Child.(*logical.Project)
		if !ok || !mergeable(top, below) {
			return n
		}
		defs := definitions(below.List)
		list := make([]expr.Expr, len(top.List))
		for i, e := range top.List {
			list[i] = substituteNamed(e, defs)
		}
		return &logical.Project{List: list, Child: below.Child}
	})(c, p)
}

// sameColumns says whether a projection passes its input on as it is.
func sameColumns(p *logical.Project) bool {
	in := p.Child.Output()
	if len(in) != len(p.List) {
		return false
	}
	for i, e := range p.List {
		if c, ok := e.(*expr.Column); !ok || c.ID != in[i].ID {
			return false
		}
	}
	return true
}

// substituteNamed replaces columns, keeping the name and id of a column that is replaced as a whole.
func substituteNamed(e expr.Expr, by map[expr.ID]expr.Expr) expr.Expr {
	if c, ok := e.(*expr.Column); ok {
		if to, ok := by[c.ID]; ok {
			return &expr.Alias{Child: to, Name: c.Name, ID: c.ID, Qualifier: c.Qualifier, Metadata: c.Metadata}
		}
		return e
	}
	return substitute(e, by)
}

// mergeable says whether no expensive or random expression below is used twice above.
func mergeable(top, below *logical.Project) bool {
	uses := map[expr.ID]int{}
	for _, e := range top.List {
		expr.Walk(e, func(x expr.Expr) bool {
			if c, ok := x.(*expr.Column); ok {
				uses[c.ID]++
			}
			return true
		})
	}
	for _, e := range below.List {
		a, ok := e.(*expr.Alias)
		if !ok {
			continue
		}
		if !deterministic(a.Child) || uses[a.ID] > 1 && !cheap(a.Child) {
			return false
		}
	}
	return true
}

func cheap(e expr.Expr) bool {
	switch x := e.(type) {
	case *expr.Column, *expr.Literal:
		return true
	case *expr.Cast:
		return cheap(x.Child)
	}
	return false
}
