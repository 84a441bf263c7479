package physical

import (
	"slices"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// Grouping below joins: where the aggregates need columns of one side of a join only, and that side has many rows for each
// value of the columns that are needed later, it is grouped by these columns first and the states of its groups are joined.
// Each of them meets the partners that its rows would have met, so that merging the states gives the aggregates of the joined
// rows. A side that turns out not to be repetitive passes as it is, as any Partial aggregation lets it.

// groupsBelow stands for a join's side that is grouped: its output are the keys and the states.
type groupsBelow struct {
	keys  []expr.Expr
	aggs  []AggExpr
	child logical.Plan
}

func (g *groupsBelow) IsPlan()                  {}
func (g *groupsBelow) Children() []logical.Plan { return []logical.Plan{g.child} }
func (g *groupsBelow) WithChildren(c []logical.Plan) logical.Plan {
	q := *g
	q.child = c[0]
	return &q
}
func (g *groupsBelow) Exprs() []expr.Expr                   { return nil }
func (g *groupsBelow) WithExprs(e []expr.Expr) logical.Plan { return g }
func (g *groupsBelow) Output() []*expr.Column               { return g.partial(nil).output() }
func (g *groupsBelow) partial(child Plan) *Aggregate {
	return &Aggregate{Mode: Partial, Keys: g.keys, Aggs: g.aggs, Child: child}
}

func (pl *Planner) groupsBelow(g *groupsBelow) (Plan, spread, error) {
	c, s, err := pl.plan(g.child)
	if s.kind == HashPart {
		s = spread{kind: UnknownPart, n: s.n}
	}
	return g.partial(c), s, err
}

// What pays: a side of so many rows at least, for each group so many, of which the joins above drop few; and a grouping by
// everything that is not much coarser than that of the side, for such a one has few groups and is cheap by itself.
const (
	eagerRows    = 50_000
	eagerPerRow  = 3.5
	eagerKept    = 0.7
	eagerCoarser = 8
)

// planEager plans a grouping over joins by the groups of one side, if that can be and pays.
func (b *aggBuilder) planEager(n *logical.Aggregate, groups float64) (Plan, spread, bool, error) {
	e := eager{pl: b.pl, args: map[expr.ID]bool{}, groups: groups, joined: b.pl.est.Of(n.Child).Rows}
	need := map[expr.ID]bool{}
	for _, k := range b.keys {
		columnIDs(need, k)
	}
	child := n.Child
	if p, ok := child.(*logical.Project); ok && onlyColumns(p.List) {
		child = p.Child
	}
	j, ok := child.(*logical.Join)
	if !ok || !e.aggregates(b.aggs) {
		return nil, spread{}, false, nil
	}
	pushed, ok := e.push(j, need)
	if !ok {
		return nil, spread{}, false, nil
	}
	c, s, err := b.pl.plan(pushed)
	if err != nil {
		return nil, s, false, err
	}
	if s.kind != SinglePart {
		c = &Aggregate{Mode: PartialMerge, Loose: true, Keys: b.keys, Aggs: b.mode(PartialMerge), Child: c}
		c, s = b.pl.byKeys(c, spread{kind: UnknownPart, n: s.n}, b.cols, groups)
		return &Aggregate{Mode: Final, Keys: b.cols, Aggs: b.mode(Final), Child: c}, s, true, nil
	}
	return &Aggregate{Mode: Final, Keys: b.keys, Aggs: b.mode(Final), Child: c}, s, true, nil
}

type eager struct {
	pl     *Planner
	aggs   []AggExpr
	args   map[expr.ID]bool // columns that the aggregates need
	groups float64          // of the whole grouping
	joined float64          // rows of the joins
}

// decomposable are aggregates whose merged states do not depend on the order of rows.
var decomposable = map[string]bool{"sum": true, "count": true, "avg": true, "min": true, "max": true}

func (e *eager) aggregates(aggs []AggExpr) bool {
	for _, a := range aggs {
		if a.Agg.Distinct || len(a.Agg.Order) > 0 || len(a.State) == 0 || !decomposable[a.Agg.Name] || expr.Any(a.Agg, random) {
			return false
		}
		columnIDs(e.args, a.Agg)
		a.Mode = Partial
		e.aggs = append(e.aggs, a)
	}
	return len(e.args) > 0
}

// push groups a side of the join, or of a join below it; need are the columns that are needed above.
func (e *eager) push(j *logical.Join, need map[expr.ID]bool) (logical.Plan, bool) {
	if j.Hint.Exists != nil || j.Hint.Single || j.Hint.NullAware {
		return nil, false
	}
	below := map[expr.ID]bool{}
	for id := range need {
		below[id] = true
	}
	if j.Cond != nil {
		columnIDs(below, j.Cond)
	}
	for side, in := range []logical.Plan{j.Left, j.Right} {
		if !preserved(j.Kind, side) || !e.covers(in) {
			continue
		}
		next, ok := logical.Plan(nil), false
		if inner, isJoin := in.(*logical.Join); isJoin {
			next, ok = e.push(inner, below)
		}
		if !ok {
			next, ok = e.group(in, below)
		}
		if !ok {
			return nil, false
		}
		sides := []logical.Plan{j.Left, j.Right}
		sides[side] = next
		out := j.WithChildren(sides)
		e.pl.est.Of(out)
		return out, true
	}
	return nil, false
}

// preserved says whether a join yields for each row of a side what it meets, never a row of the other side alone.
func preserved(k logical.JoinKind, side int) bool {
	return k == logical.InnerJoin || k == logical.LeftJoin && side == 0 || k == logical.RightJoin && side == 1
}

// covers says whether all that the aggregates need comes from p.
func (e *eager) covers(p logical.Plan) bool {
	have := map[expr.ID]bool{}
	for _, c := range p.Output() {
		have[c.ID] = true
	}
	for id := range e.args {
		if !have[id] {
			return false
		}
	}
	return true
}

// group puts a grouping over p if it pays.
func (e *eager) group(p logical.Plan, need map[expr.ID]bool) (logical.Plan, bool) {
	var keys []expr.Expr
	for _, c := range p.Output() {
		if need[c.ID] {
			if !c.T.IsOrderable() {
				return nil, false
			}
			keys = append(keys, c)
		}
	}
	in := e.pl.est.Of(p)
	groups := in.Groups(keys)
	if len(keys) == 0 || in.Rows < eagerRows || in.Rows < eagerPerRow*groups || e.joined < eagerKept*in.Rows || e.groups*eagerCoarser < groups {
		return nil, false
	}
	g := &groupsBelow{keys: keys, aggs: slices.Clone(e.aggs), child: p}
	in.Rows = groups
	e.pl.est.Assume(g, in)
	return g, true
}

func columnIDs(set map[expr.ID]bool, e expr.Expr) {
	cols := map[expr.ID]*expr.Column{}
	expr.Columns(e, cols)
	for id := range cols {
		set[id] = true
	}
}

func onlyColumns(list []expr.Expr) bool {
	for _, e := range list {
		if _, ok := e.(*expr.Column); !ok {
			return false
		}
	}
	return true
}
