// Package physical holds physical plans as data: what to run, not how. Operators are built from it by the exec room;
// EXPLAIN, the wire and the tests read it. A plan is cut into stages at its exchanges.
package physical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// Plan is a node of a physical plan. Plans are immutable.
type Plan interface {
	Children() []Plan
	WithChildren(c []Plan) Plan
	Exprs() []expr.Expr
	WithExprs(e []expr.Expr) Plan
	// Output are the columns that the node yields, in order; expressions above refer to them by id.
	Output() []*expr.Column
}

type node struct{}

// AggMode is the phase of an aggregation.
type AggMode uint8

// The modes say what comes in and what goes out: Partial updates and gives states, Final merges states and gives
// results, Complete updates and gives results, PartialMerge merges and gives states.
const (
	Partial AggMode = iota
	Final
	Complete
	PartialMerge
)

// Merges is true for modes whose input are states, Emits for those whose output are results.
func (m AggMode) Merges() bool { return m == Final || m == PartialMerge }
func (m AggMode) Emits() bool  { return m == Final || m == Complete }

// AggExpr is one aggregate of an Aggregate node with a mode of its own (DISTINCT makes them differ within a node).
// When Mode merges, Agg's arguments and filter are not evaluated: the State columns are found in the input by id.
// A Distinct Agg appears in Complete mode only, and the operator removes duplicates itself.
type AggExpr struct {
	Agg   *expr.Agg
	Mode  AggMode
	Out   *expr.Column
	State []*expr.Column
}

// PartKind is how rows are spread over partitions.
type PartKind uint8

// The kinds of partitioning.
const (
	SinglePart PartKind = iota
	HashPart
	RangePart
	RoundRobinPart
	UnknownPart
)

// Partitioning is the target of an exchange.
type Partitioning struct {
	Kind  PartKind
	N     int
	Keys  []expr.Expr
	Order []expr.SortOrder // RangePart
}

// PartitionSpec says what one task of a stage reads of its input: partitions [From, To), of all map outputs or of
// maps [MapFrom, MapTo) when MapTo > 0 (a skewed partition split).
type PartitionSpec struct{ From, To, MapFrom, MapTo int }

// RuntimeRef is a filter that a scan asks for when its splits are opened: rows whose Column is not among the keys of
// the build with this id may be dropped. RuntimePub is the build's side: the values of Key over a Broadcast's rows fill in ID.
type (
	RuntimeRef struct {
		ID     int
		Column *expr.Column
	}
	RuntimePub struct {
		ID  int
		Key expr.Expr
	}
)

func outputOf(list []expr.Expr) []*expr.Column {
	out := make([]*expr.Column, 0, len(list))
	for _, e := range list {
		switch x := e.(type) {
		case *expr.Column:
			out = append(out, x)
		case *expr.Alias:
			out = append(out, x.Column())
		}
	}
	return out
}

func (p *Aggregate) output() []*expr.Column {
	out := outputOf(p.Keys)
	for _, a := range p.Aggs {
		if a.Mode.Emits() {
			out = append(out, a.Out)
		} else {
			out = append(out, a.State...)
		}
	}
	return out
}

// joinOutput is the output of a join of any strategy.
func joinOutput(kind logical.JoinKind, hint logical.JoinHint, left, right Plan) []*expr.Column {
	l := left.Output()
	l = l[:len(l):len(l)]
	switch kind {
	case logical.SemiJoin, logical.AntiJoin:
		return l
	case logical.ExistenceJoin:
		return append(l, hint.Exists)
	case logical.LeftJoin:
		return append(l, nullable(right.Output())...)
	case logical.RightJoin:
		return append(nullable(l), right.Output()...)
	case logical.FullJoin:
		return append(nullable(l), nullable(right.Output())...)
	}
	return append(l, right.Output()...)
}

func (p *HashJoin) output() []*expr.Column {
	return narrowed(p.Narrow, p.Kind, p.Hint, p.Left, p.Right)
}
func (p *MergeJoin) output() []*expr.Column {
	return narrowed(p.Narrow, p.Kind, p.Hint, p.Left, p.Right)
}
func (p *LoopJoin) output() []*expr.Column {
	return narrowed(p.Narrow, p.Kind, p.Hint, p.Left, p.Right)
}

// narrowed is the output of a join that may be asked for fewer columns.
func narrowed(narrow []*expr.Column, kind logical.JoinKind, hint logical.JoinHint, left, right Plan) []*expr.Column {
	if narrow != nil {
		return narrow
	}
	return joinOutput(kind, hint, left, right)
}

func nullable(cols []*expr.Column) []*expr.Column {
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		q := *c
		q.Null = true
		out[i] = &q
	}
	return out
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

// MapChildren applies f to the children and rebuilds p only if one changed.
func MapChildren(p Plan, f func(Plan) Plan) Plan {
	old := p.Children()
	var out []Plan
	for i, c := range old {
		n := f(c)
		if n != c && out == nil {
			out = append(make([]Plan, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, n)
		}
	}
	if out == nil {
		return p
	}
	return p.WithChildren(out)
}

// Up rewrites bottom-up.
func Up(p Plan, f func(Plan) Plan) Plan {
	return f(MapChildren(p, func(c Plan) Plan { return Up(c, f) }))
}

// Walk visits p and everything below; f returns false to skip the children of a node.
func Walk(p Plan, f func(Plan) bool) {
	if !f(p) {
		return
	}
	for _, c := range p.Children() {
		Walk(c, f)
	}
}

// MapExprs applies f to the node's own expressions and rebuilds p only if one changed. The aggregates of an Aggregate
// are among them: see AggExpr.
func MapExprs(p Plan, f func(expr.Expr) expr.Expr) Plan {
	old := p.Exprs()
	var out []expr.Expr
	for i, e := range old {
		n := f(e)
		if n != e && out == nil {
			out = append(make([]expr.Expr, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, n)
		}
	}
	if out == nil {
		return p
	}
	return p.WithExprs(out)
}
