package logical

import "github.com/firesteel/firesteel/internal/expr"

// JoinKind is the way a join combines rows.
type JoinKind uint8

// The join kinds. ExistenceJoin adds the boolean column Hint.Exists: whether a match was found.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	CrossJoin
	SemiJoin
	AntiJoin
	ExistenceJoin
)

var joinNames = [...]string{"Inner", "LeftOuter", "RightOuter", "FullOuter", "Cross", "LeftSemi", "LeftAnti", "ExistenceJoin"}

// String is Spark's name of the kind.
func (k JoinKind) String() string { return joinNames[k] }

// JoinHint is what hints and rules decided about a join.
type JoinHint struct {
	Left, Right string       // strategy hints that apply to a side: BROADCAST, MERGE, SHUFFLE_HASH, SHUFFLE_REPLICATE_NL, NO_BROADCAST_HASH …
	Exists      *expr.Column // ExistenceJoin: the column it adds
	NullAware   bool         // AntiJoin of NOT IN: a null on either side matches everything
	Single      bool         // LeftJoin of a scalar subquery: more than one match is SCALAR_SUBQUERY_TOO_MANY_ROWS
}

// SetKind is the set operation.
type SetKind uint8

// The set operations.
const (
	Union SetKind = iota
	Intersect
	Except
)

// CTE is one common table expression of a With.
type CTE struct {
	Name     string
	Columns  []string
	Plan     Plan
	MaxLevel int // MAX RECURSION LEVEL; 0: the session's
	At       *expr.Origin
}

func (p *Join) output() []*expr.Column {
	l := p.Left.Output()
	l = l[:len(l):len(l)]
	switch p.Kind {
	case SemiJoin, AntiJoin:
		return l
	case ExistenceJoin:
		return append(l, p.Hint.Exists)
	case LeftJoin:
		return append(l, nullable(p.Right.Output())...)
	case RightJoin:
		return append(nullable(l), p.Right.Output()...)
	case FullJoin:
		return append(nullable(l), nullable(p.Right.Output())...)
	}
	return append(l, p.Right.Output()...)
}

func (p *SetOp) output() []*expr.Column {
	if p.Out != nil {
		return p.Out
	}
	return p.Inputs[0].Output()
}

func (p *SubqueryAlias) output() []*expr.Column {
	in := p.Child.Output()
	out := make([]*expr.Column, len(in))
	for i, c := range in {
		q := *c
		q.Qualifier = p.Name
		if i < len(p.Columns) {
			q.Name = p.Columns[i]
		}
		out[i] = &q
	}
	return out
}

// outColumns are the generator's columns: nullable when OUTER may pad them.
func (p *Generate) outColumns() []*expr.Column {
	if p.Outer {
		return nullable(p.Out)
	}
	return p.Out
}

// exprList collects a node's expressions in order, and deals them out again.
type exprList []expr.Expr

func (l *exprList) one(e expr.Expr) {
	if e != nil {
		*l = append(*l, e)
	}
}
func (l *exprList) many(es []expr.Expr) { *l = append(*l, es...) }
func (l *exprList) order(os []expr.SortOrder) {
	for _, o := range os {
		*l = append(*l, o.Child)
	}
}
func (l *exprList) rows(rows [][]expr.Expr) {
	for _, r := range rows {
		*l = append(*l, r...)
	}
}

func (l *exprList) takeOne(old expr.Expr) expr.Expr {
	if old == nil {
		return nil
	}
	return l.takeMany([]expr.Expr{old})[0]
}
func (l *exprList) takeMany(old []expr.Expr) []expr.Expr {
	if len(old) == 0 {
		return old
	}
	n := len(old)
	out := (*l)[:n:n]
	*l = (*l)[n:]
	return out
}
func (l *exprList) takeOrder(old []expr.SortOrder) []expr.SortOrder {
	out := make([]expr.SortOrder, len(old))
	for i, o := range old {
		out[i] = expr.SortOrder{Child: (*l)[i], Desc: o.Desc, NullsFirst: o.NullsFirst}
	}
	*l = (*l)[len(old):]
	return out
}
func (l *exprList) takeRows(old [][]expr.Expr) [][]expr.Expr {
	out := make([][]expr.Expr, len(old))
	for i, r := range old {
		out[i] = l.takeMany(r)
	}
	return out
}
