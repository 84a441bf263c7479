package logical

import "github.com/firesteel/firesteel/internal/expr"

// NearestByJoin joins each row of Left with the N rows of Right that rank best by Rank: smallest, or greatest if
// Similarity. Kind is InnerJoin or LeftJoin. Approx allows an index that may miss some.
type NearestByJoin struct {
	node
	Left, Right Plan
	Kind        JoinKind
	Approx      bool
	N           int
	Rank        expr.Expr
	Similarity  bool
}

func (p *NearestByJoin) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *NearestByJoin) WithChildren(c []Plan) Plan {
	q := *p
	q.Left, q.Right = c[0], c[1]
	return &q
}
func (p *NearestByJoin) Exprs() []expr.Expr { return []expr.Expr{p.Rank} }
func (p *NearestByJoin) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Rank = e[0]
	return &q
}

// Output implements Plan.
func (p *NearestByJoin) Output() []*expr.Column {
	l := p.Left.Output()
	r := p.Right.Output()
	if p.Kind == LeftJoin {
		r = nullable(r)
	}
	return append(l[:len(l):len(l)], r...)
}

// TableArgument says how the rows of a table argument of a function reach it: partitioned, ordered, or all together.
type TableArgument struct {
	node
	Partition []expr.Expr
	Order     []expr.SortOrder
	Single    bool
	Child     Plan
}

func (p *TableArgument) Children() []Plan { return []Plan{p.Child} }
func (p *TableArgument) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *TableArgument) Exprs() []expr.Expr {
	var l exprList
	l.many(p.Partition)
	l.order(p.Order)
	return l
}
func (p *TableArgument) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.Partition = l.takeMany(p.Partition)
	q.Order = l.takeOrder(p.Order)
	return &q
}

// Output implements Plan.
func (p *TableArgument) Output() []*expr.Column { return p.Child.Output() }
