package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// pushFilters moves conditions as far down as they can go: into scans where possible. Outer joins whose padded rows a
// condition rejects become inner ones on the way.
func pushFilters(c *Context, p logical.Plan) (logical.Plan, error) { return push(p, nil), nil }

// push returns p with the conditions applied to its output. Conditions are deterministic and over p's columns.
func push(p logical.Plan, conds []expr.Expr) logical.Plan {
	switch n := p.(type) {
	case *logical.Filter:
		return pushFilter(n, conds)
	case *logical.Project:
		return pushProject(n, conds)
	case *logical.Join:
		return pushJoin(n, conds)
	case *logical.Aggregate:
		return pushAggregate(n, conds)
	case *logical.SetOp:
		return pushUnion(n, conds)
	case *logical.Window:
		return pushWindow(n, conds)
	case *logical.Sort, *logical.Repartition, *logical.Hint, *logical.Distinct:
		return p.WithChildren([]logical.Plan{push(p.Children()[0], conds)})
	case *logical.Generate:
		down, stay := split(conds, ids(n.Child.Output()))
		q := *n
		q.Child = push(n.Child, down)
		return filter(&q, stay)
	case *logical.Relation:
		if len(conds) == 0 {
			return p
		}
		q := *n
		q.Filters = appendNew(n.Filters, conds)
		return &q
	}
	p = logical.MapChildren(p, func(k logical.Plan) logical.Plan { return push(k, nil) })
	return filter(p, conds)
}

// split divides conditions into those over the columns of the set and the rest.
func split(conds []expr.Expr, set map[expr.ID]bool) (in, rest []expr.Expr) {
	for _, c := range conds {
		if within(c, set) {
			in = append(in, c)
		} else {
			rest = append(rest, c)
		}
	}
	return in, rest
}

// appendNew adds the conditions that are not there yet.
func appendNew(have, more []expr.Expr) []expr.Expr {
	seen := prints(have)
	out := have[:len(have):len(have)]
	for _, c := range more {
		if f := expr.Fingerprint(c); !seen[f] {
			seen[f] = true
			out = append(out, c)
		}
	}
	return out
}

func pushFilter(n *logical.Filter, conds []expr.Expr) logical.Plan {
	var down, stay []expr.Expr
	for _, c := range expr.Conjuncts(n.Cond) {
		if deterministic(c) {
			down = append(down, c)
		} else {
			stay = append(stay, c)
		}
	}
	return filter(push(n.Child, appendNew(conds, down)), stay)
}

func pushProject(n *logical.Project, conds []expr.Expr) logical.Plan {
	defs := definitions(n.List)
	var down, stay []expr.Expr
	for _, c := range conds {
		d := substitute(c, defs)
		if deterministic(d) && !hasAggregate(d) {
			down = append(down, d)
		} else {
			stay = append(stay, c)
		}
	}
	q := *n
	q.Child = push(n.Child, down)
	return filter(&q, stay)
}

func hasAggregate(e expr.Expr) bool {
	return expr.Any(e, func(x expr.Expr) bool {
		switch x.(type) {
		case *expr.Agg, *expr.Window:
			return true
		}
		return false
	})
}

// pushAggregate pushes conditions on grouping keys.
func pushAggregate(n *logical.Aggregate, conds []expr.Expr) logical.Plan {
	defs := definitions(n.List)
	keys := map[expr.ID]bool{}
	for _, g := range n.Group {
		if c, ok := g.(*expr.Column); ok {
			keys[c.ID] = true
		}
	}
	group := prints(n.Group)
	var down, stay []expr.Expr
	for _, c := range conds {
		d := substitute(c, defs)
		if len(n.Group) > 0 && !hasAggregate(d) && overKeys(d, keys, group) {
			down = append(down, d)
		} else {
			stay = append(stay, c)
		}
	}
	q := *n
	q.Child = push(n.Child, down)
	return filter(&q, stay)
}

// overKeys says whether e depends on the grouping expressions only.
func overKeys(e expr.Expr, keys map[expr.ID]bool, group map[string]bool) bool {
	if group[expr.Fingerprint(e)] {
		return true
	}
	if c, ok := e.(*expr.Column); ok {
		return keys[c.ID]
	}
	for _, k := range e.Children() {
		if !overKeys(k, keys, group) {
			return false
		}
	}
	return true
}

func pushUnion(n *logical.SetOp, conds []expr.Expr) logical.Plan {
	if n.Kind != logical.Union || !n.All {
		return filter(logical.MapChildren(n, func(k logical.Plan) logical.Plan { return push(k, nil) }), conds)
	}
	q := *n
	q.Out = n.Output()
	q.Inputs = make([]logical.Plan, len(n.Inputs))
	for i, in := range n.Inputs {
		by := map[expr.ID]expr.Expr{}
		for j, c := range in.Output() {
			by[q.Out[j].ID] = c
		}
		down := make([]expr.Expr, len(conds))
		for j, c := range conds {
			down[j] = substitute(c, by)
		}
		q.Inputs[i] = push(in, down)
	}
	return &q
}

func pushWindow(n *logical.Window, conds []expr.Expr) logical.Plan {
	part := map[expr.ID]bool{}
	for _, e := range n.Partition {
		if c, ok := e.(*expr.Column); ok {
			part[c.ID] = true
		}
	}
	var down, stay []expr.Expr
	for _, c := range conds {
		if len(part) > 0 && logical.Covered(c, part) {
			down = append(down, c)
		} else {
			stay = append(stay, c)
		}
	}
	q := *n
	q.Child = push(n.Child, down)
	return filter(&q, stay)
}

// pushJoin deals conditions out to the join's sides and its condition, as the kind allows.
func pushJoin(n *logical.Join, conds []expr.Expr) logical.Plan {
	q := *n
	left, right := ids(n.Left.Output()), ids(n.Right.Output())
	q.Kind = strengthen(n, conds, left, right)
	on := deterministicOnly(expr.Conjuncts(n.Cond))
	switch q.Kind {
	case logical.InnerJoin, logical.CrossJoin:
		return pushInner(&q, append(expr.Conjuncts(n.Cond), conds...), left, right)
	case logical.LeftJoin, logical.SemiJoin, logical.AntiJoin, logical.ExistenceJoin:
		l, above := split(conds, left)
		var r []expr.Expr
		if !n.Hint.NullAware && on {
			var rest []expr.Expr
			r, rest = splitCovered(expr.Conjuncts(n.Cond), right)
			if q.Kind == logical.SemiJoin {
				var more []expr.Expr
				more, rest = splitCovered(rest, left)
				l = append(l, more...)
			}
			q.Cond = expr.And(rest...)
		}
		q.Left, q.Right = push(n.Left, appendNew(l, derive(expr.Conjuncts(q.Cond), left, q.Kind == logical.SemiJoin))), push(n.Right, r)
		return filter(&q, above)
	case logical.RightJoin:
		r, above := split(conds, right)
		l, rest := splitCovered(expr.Conjuncts(n.Cond), left)
		q.Cond = expr.And(rest...)
		q.Left, q.Right = push(n.Left, l), push(n.Right, r)
		return filter(&q, above)
	}
	q.Left, q.Right = push(n.Left, nil), push(n.Right, nil)
	return filter(&q, conds)
}

func deterministicOnly(conds []expr.Expr) bool {
	for _, c := range conds {
		if !deterministic(c) {
			return false
		}
	}
	return true
}

// splitCovered is split for conditions that use at least one column.
func splitCovered(conds []expr.Expr, set map[expr.ID]bool) (in, rest []expr.Expr) {
	for _, c := range conds {
		if logical.Covered(c, set) {
			in = append(in, c)
		} else {
			rest = append(rest, c)
		}
	}
	return in, rest
}

func pushInner(q *logical.Join, conds []expr.Expr, left, right map[expr.ID]bool) logical.Plan {
	conds = infer(appendNew(nil, conds))
	l, rest := splitCovered(conds, left)
	r, rest := splitCovered(rest, right)
	l = appendNew(l, derive(rest, left, true))
	r = appendNew(r, derive(rest, right, true))
	q.Left, q.Right, q.Cond = push(q.Left, l), push(q.Right, r), expr.And(rest...)
	q.Kind = logical.InnerJoin
	if q.Cond == nil {
		q.Kind = logical.CrossJoin
	}
	return q
}

// derive weakens ORs over both sides to what they say about one side: (a1 and b1) or (a2 and b2) implies a1 or a2.
func derive(conds []expr.Expr, side map[expr.ID]bool, allowed bool) []expr.Expr {
	if !allowed {
		return nil
	}
	var out []expr.Expr
	for _, c := range conds {
		parts := disjuncts(c)
		if len(parts) < 2 {
			continue
		}
		weak := make([]expr.Expr, 0, len(parts))
		for _, p := range parts {
			if in, _ := splitCovered(expr.Conjuncts(p), side); len(in) > 0 {
				weak = append(weak, expr.And(in...))
			}
		}
		if len(weak) == len(parts) {
			out = append(out, or(weak))
		}
	}
	return out
}

// infer carries conditions between column and constant over equalities of columns.
func infer(conds []expr.Expr) []expr.Expr {
	for _, c := range conds {
		eq, ok := expr.IsCall(c, "=")
		if !ok {
			continue
		}
		a, ok1 := eq.Args[0].(*expr.Column)
		b, ok2 := eq.Args[1].(*expr.Column)
		if !ok1 || !ok2 || a.T != b.T {
			continue
		}
		var more []expr.Expr
		for _, o := range conds {
			if col, ok := constantOn(o); ok {
				switch col.ID {
				case a.ID:
					more = append(more, substitute(o, map[expr.ID]expr.Expr{a.ID: b}))
				case b.ID:
					more = append(more, substitute(o, map[expr.ID]expr.Expr{b.ID: a}))
				}
			}
		}
		conds = appendNew(conds, more)
	}
	return conds
}

// constantOn finds the one column of a comparison with constants.
func constantOn(e expr.Expr) (*expr.Column, bool) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) < 2 {
		return nil, false
	}
	switch c.Name {
	case "=", "<", "<=", ">", ">=", "in":
	default:
		return nil, false
	}
	cols := map[expr.ID]*expr.Column{}
	expr.Columns(c, cols)
	if len(cols) != 1 || hasSubqueryExpr(c) || hasOuter(c) {
		return nil, false
	}
	for _, col := range cols {
		return col, true
	}
	return nil, false
}

// strengthen gives the join kind once it is known that rows padded with nulls are thrown away above.
func strengthen(n *logical.Join, conds []expr.Expr, left, right map[expr.ID]bool) logical.JoinKind {
	rejectsLeft, rejectsRight := false, false
	for _, c := range conds {
		rejectsLeft = rejectsLeft || rejectsNull(c, left)
		rejectsRight = rejectsRight || rejectsNull(c, right)
	}
	switch {
	case n.Hint.Single:
		return n.Kind
	case n.Kind == logical.LeftJoin && rejectsRight, n.Kind == logical.RightJoin && rejectsLeft, n.Kind == logical.FullJoin && rejectsLeft && rejectsRight:
		return logical.InnerJoin
	case n.Kind == logical.FullJoin && rejectsLeft:
		return logical.LeftJoin
	case n.Kind == logical.FullJoin && rejectsRight:
		return logical.RightJoin
	}
	return n.Kind
}

// rejectsNull says whether a condition is not true when all columns of the set are null.
func rejectsNull(e expr.Expr, set map[expr.ID]bool) bool {
	c, ok := e.(*expr.Call)
	if !ok {
		return false
	}
	switch c.Name {
	case "and":
		return rejectsNull(c.Args[0], set) || rejectsNull(c.Args[1], set)
	case "or":
		return rejectsNull(c.Args[0], set) && rejectsNull(c.Args[1], set)
	case "not":
		in, ok := c.Args[0].(*expr.Call)
		return ok && nullIn(in, set)
	case "isnotnull":
		return nullIn(c.Args[0], set)
	}
	return nullIn(c, set)
}

// strict functions give null when an argument is null.
var strict = map[string]bool{"=": true, "<": true, "<=": true, ">": true, ">=": true, "+": true, "-": true, "*": true, "/": true, "%": true,
	"like": true, "startswith": true, "endswith": true, "contains": true, "substring": true, "upper": true, "lower": true, "year": true,
	"month": true, "abs": true, "negative": true, expr.UnaryMinus: true, "round": true, "between": true}

// nullIn says whether e is null when all columns of the set are.
func nullIn(e expr.Expr, set map[expr.ID]bool) bool {
	switch x := e.(type) {
	case *expr.Column:
		return set[x.ID]
	case *expr.Cast:
		return nullIn(x.Child, set)
	case *expr.Call:
		if x.Name == "in" {
			return nullIn(x.Args[0], set)
		}
		if !strict[x.Name] {
			return false
		}
		for _, a := range x.Args {
			if nullIn(a, set) {
				return true
			}
		}
	}
	return false
}

// pushSemiJoins moves semi and anti joins below inner joins when they look at one side only.
func pushSemiJoins(c *Context, p logical.Plan) (logical.Plan, error) {
	return logical.Down(p, func(n logical.Plan) logical.Plan {
		j, ok := n.(*logical.Join)
		if !ok || j.Kind != logical.SemiJoin && j.Kind != logical.AntiJoin {
			return n
		}
		return c.sinkSemi(j)
	}), nil
}

// sinkBelow is the share of rows that a semi or anti join must leave at most for it to be worth doing early.
const sinkBelow = 0.5

func (c *Context) sinkSemi(j *logical.Join) logical.Plan {
	below, ok := j.Left.(*logical.Join)
	if !ok || j.Cond == nil || below.Kind != logical.InnerJoin && below.Kind != logical.CrossJoin {
		return j
	}
	used := map[expr.ID]*expr.Column{}
	expr.Columns(j.Cond, used)
	for i, side := range []logical.Plan{below.Left, below.Right} {
		if !coversLeft(used, ids(side.Output()), ids(j.Right.Output())) {
			continue
		}
		q, out := *j, *below
		q.Left = side
		if c.Estimator.Of(&q).Rows > sinkBelow*c.Estimator.Of(side).Rows {
			return j
		}
		if i == 0 {
			out.Left = c.sinkSemi(&q)
		} else {
			out.Right = c.sinkSemi(&q)
		}
		return &out
	}
	return j
}

// coversLeft says whether all used columns that are not the right side's are in the set, and there is one.
func coversLeft(used map[expr.ID]*expr.Column, side, right map[expr.ID]bool) bool {
	some := false
	for id := range used {
		switch {
		case side[id]:
			some = true
		case !right[id]:
			return false
		}
	}
	return some
}
