package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// propagateEmpty cuts what is known to yield no rows: joins that cannot match, branches of unions, and all that is
// computed row by row above them.
func propagateEmpty(c *Context, p logical.Plan) (logical.Plan, error) {
	return each(func(n logical.Plan) logical.Plan {
		if yieldsNothing(n) {
			return &logical.LocalRelation{Out: n.Output()}
		}
		switch x := n.(type) {
		case *logical.SetOp:
			return withoutEmpty(x)
		case *logical.Join:
			return joinWithEmpty(x)
		}
		return n
	})(c, p)
}

func isEmpty(p logical.Plan) bool {
	l, ok := p.(*logical.LocalRelation)
	if !ok {
		return false
	}
	for _, b := range l.Batches {
		if b.N > 0 {
			return false
		}
	}
	return true
}

func yieldsNothing(p logical.Plan) bool {
	switch n := p.(type) {
	case *logical.Project, *logical.Filter, *logical.Sort, *logical.Limit, *logical.Offset, *logical.Tail, *logical.Window, *logical.Expand,
		*logical.Sample, *logical.Repartition, *logical.Distinct:
		return isEmpty(p.Children()[0])
	case *logical.Generate:
		return isEmpty(n.Child)
	case *logical.Aggregate:
		return len(n.Group) > 0 && isEmpty(n.Child)
	case *logical.Join:
		return emptyJoin(n)
	}
	return false
}

func emptyJoin(j *logical.Join) bool {
	never := isBool(j.Cond, false) || isNullLiteral(j.Cond)
	switch j.Kind {
	case logical.InnerJoin, logical.CrossJoin, logical.SemiJoin:
		return never || isEmpty(j.Left) || isEmpty(j.Right)
	case logical.LeftJoin, logical.AntiJoin, logical.ExistenceJoin:
		return isEmpty(j.Left)
	case logical.RightJoin:
		return isEmpty(j.Right)
	case logical.FullJoin:
		return isEmpty(j.Left) && isEmpty(j.Right)
	}
	return false
}

func isNullLiteral(e expr.Expr) bool {
	l, ok := e.(*expr.Literal)
	return ok && l.Value == nil
}

// joinWithEmpty drops the empty right side of an anti join.
func joinWithEmpty(j *logical.Join) logical.Plan {
	if j.Kind == logical.AntiJoin && isEmpty(j.Right) {
		return j.Left
	}
	return j
}

// withoutEmpty drops the empty branches of a UNION ALL.
func withoutEmpty(s *logical.SetOp) logical.Plan {
	if s.Kind != logical.Union || !s.All {
		return s
	}
	var keep []logical.Plan
	for _, in := range s.Inputs {
		if !isEmpty(in) {
			keep = append(keep, in)
		}
	}
	switch len(keep) {
	case len(s.Inputs):
		return s
	case 0:
		return &logical.LocalRelation{Out: s.Output()}
	case 1:
		return renamed(keep[0], s.Output())
	}
	q := *s
	q.Inputs, q.Out = keep, s.Output()
	return &q
}
