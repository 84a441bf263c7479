package physical

import (
	"slices"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// addRuntimeFilters connects broadcast hash joins with the scans of their probe sides: the keys of a finished build tell
// the scan which rows can be dropped before any other column is read. A filter is right wherever a row that does not
// match is dropped by the join anyway. Across processes the builds of shuffled joins tell theirs too if they are selective: a
// probe row that is not read need not be shuffled.
func (pl *Planner) addRuntimeFilters(p Plan) Plan {
	return Up(p, func(n Plan) Plan {
		j, ok := n.(*HashJoin)
		if !ok || !dropsProbe(j) {
			return n
		}
		_, build := j.sides()
		if _, ok := build.(*Broadcast); ok || !pl.InProcess {
			return pl.connect(j)
		}
		return n
	})
}

// publisher finds the exchange that can tell the values of a build side's key: that of the build side itself, or the one
// that a column comes from.
func (pl *Planner) publisher(build Plan, key expr.Expr) (below Plan, put func(pub RuntimePub) Plan, ok bool) {
	c, isCol := key.(*expr.Column)
	switch build.(type) {
	case *Broadcast, *Exchange:
	default:
		if !isCol {
			return nil, nil, false
		}
	}
	return publisherOf(build, c)
}

// publisherOf finds the exchange that a column of a build side comes from: its values above are among those that it carries,
// whatever lies between. put gives the plan with that exchange publishing too.
func publisherOf(p Plan, c *expr.Column) (below Plan, put func(pub RuntimePub) Plan, ok bool) {
	switch n := p.(type) {
	case *Broadcast:
		return n.Child, func(pub RuntimePub) Plan {
			x := *n
			x.Publish = append(x.Publish[:len(x.Publish):len(x.Publish)], pub)
			return &x
		}, true
	case *Exchange:
		return n.Child, func(pub RuntimePub) Plan {
			x := *n
			x.Publish = append(x.Publish[:len(x.Publish):len(x.Publish)], pub)
			return &x
		}, selective(n.Child)
	case *Project, *Filter, *HashJoin, *MergeJoin:
	default:
		return nil, nil, false
	}
	children := p.Children()
	for i, child := range children {
		if !has(child, c.ID) {
			continue
		}
		below, put, ok := publisherOf(child, c)
		return below, func(pub RuntimePub) Plan {
			out := append([]Plan(nil), children...)
			out[i] = put(pub)
			return p.WithChildren(out)
		}, ok
	}
	return nil, nil, false
}

func has(p Plan, id expr.ID) bool {
	for _, c := range p.Output() {
		if c.ID == id {
			return true
		}
	}
	return false
}

// sides are the inputs as the join uses them.
func (p *HashJoin) sides() (probe, build Plan) {
	if p.BuildRight {
		return p.Left, p.Right
	}
	return p.Right, p.Left
}

// dropsProbe says whether probe rows without a match vanish.
func dropsProbe(j *HashJoin) bool {
	switch j.Kind {
	case logical.InnerJoin, logical.CrossJoin, logical.SemiJoin:
		return true
	case logical.RightJoin:
		return j.BuildRight
	case logical.LeftJoin, logical.AntiJoin:
		return !j.BuildRight
	}
	return false
}

func (pl *Planner) connect(j *HashJoin) Plan {
	probeKeys, buildKeys := j.LeftKeys, j.RightKeys
	if !j.BuildRight {
		probeKeys, buildKeys = buildKeys, probeKeys
	}
	probe, build := j.sides()
	found := false
	for i, k := range probeKeys {
		col, ok := k.(*expr.Column)
		if !ok || !filterable(col.T) || buildKeys[i].Type() != col.T {
			continue
		}
		below, put, ok := pl.publisher(build, buildKeys[i])
		if !ok {
			continue
		}
		ref := RuntimeRef{ID: pl.nextRuntime + 1, Column: col}
		if next, ok := attach(probe, ref, selective(below)); ok {
			pl.nextRuntime++
			found, probe = true, next
			build = put(RuntimePub{ref.ID, buildKeys[i]})
		}
	}
	if filtered, ok := filterBuild(j, probe, build, probeKeys, buildKeys); ok {
		found, build = true, filtered
	}
	if !found {
		return j
	}
	q := *j
	if q.Left, q.Right = build, probe; j.BuildRight {
		q.Left, q.Right = probe, build
	}
	return &q
}

// filterBuild gives the build side of an inner join the filters that drop rows of its probe side by the same keys: rows of the
// build side that they drop would find no partner. A build side that filters rows by itself is not made to wait: others may be
// waiting for its keys.
func filterBuild(j *HashJoin, probe, build Plan, probeKeys, buildKeys []expr.Expr) (Plan, bool) {
	b, ok := build.(*Broadcast)
	if !ok || j.Kind != logical.InnerJoin || b.Shared > 0 || selective(b.Child) {
		return build, false
	}
	found, child := false, b.Child
	for i, k := range probeKeys {
		from, isCol := k.(*expr.Column)
		to, same := buildKeys[i].(*expr.Column)
		if !isCol || !same || from.T != to.T {
			continue
		}
		for _, id := range filtersOf(probe, from.ID) {
			if next, ok := attach(child, RuntimeRef{ID: id, Column: to}, false); ok {
				found, child = true, next
			}
		}
	}
	return b.WithChildren([]Plan{child}), found
}

// filtersOf are the filters by the keys of selective build sides that the scan of a column has.
func filtersOf(p Plan, column expr.ID) []int {
	var ids []int
	published := map[int]bool{}
	Walk(p, func(n Plan) bool {
		switch n := n.(type) {
		case *Broadcast:
			if selective(n.Child) {
				for _, pub := range n.Publish {
					published[pub.ID] = true
				}
			}
		case *Scan:
			for _, ref := range n.Runtime {
				if ref.Column.ID == column {
					ids = append(ids, ref.ID)
				}
			}
		}
		return true
	})
	return slices.DeleteFunc(ids, func(id int) bool { return !published[id] })
}

// filterable types map to integers in order.
func filterable(t types.Type) bool {
	return t.IsIntegral() || t.Kind == types.DateKind
}

// selective says whether a plan filters what it reads, so that its keys are likely to be few of those that there are.
func selective(p Plan) bool {
	found := false
	Walk(p, func(n Plan) bool {
		switch n := n.(type) {
		case *Filter:
			found = true
		case *Scan:
			found = found || len(n.Filters) > 0
		}
		return !found
	})
	return found
}

// attach finds the scan that a column comes from, through operators below which dropping its rows early is right. With
// equal set it goes on to the columns that joins on the way make equal to it.
func attach(p Plan, ref RuntimeRef, equal bool) (Plan, bool) {
	switch n := p.(type) {
	case *Scan:
		for _, c := range n.Out {
			if c.ID == ref.Column.ID {
				q := *n
				q.Runtime = append(q.Runtime[:len(q.Runtime):len(q.Runtime)], ref)
				return &q, true
			}
		}
		return p, false
	case *Aggregate:
		if !isKey(n.Keys, ref.Column.ID) {
			return p, false
		}
	case *Project:
		return attachThrough(n, ref, equal)
	case *Exchange:
		if n.Shared > 0 {
			return p, false // others want other rows
		}
	case *Filter, *Sort, *HashJoin, *MergeJoin:
	default:
		return p, false
	}
	children := p.Children()
	for i, c := range children {
		if _, isBuild := c.(*Broadcast); isBuild || !passes(p, i) {
			continue
		}
		if next, ok := attach(c, ref, equal); ok {
			out := append([]Plan(nil), children...)
			out[i] = next
			if j, isJoin := p.(*HashJoin); isJoin && equal {
				out[1-i] = attachEqual(j, i, out[1-i], ref)
			}
			return p.WithChildren(out), true
		}
	}
	return p, false
}

// attachEqual hands the filter on to the other side of an inner join whose key equals the column: its rows that are not
// among the keys would find no partner. side is the column's.
func attachEqual(j *HashJoin, side int, other Plan, ref RuntimeRef) Plan {
	if j.Kind != logical.InnerJoin {
		return other
	}
	mine, theirs := j.LeftKeys, j.RightKeys
	if side == 1 {
		mine, theirs = theirs, mine
	}
	for i, k := range mine {
		c, ok := k.(*expr.Column)
		d, same := theirs[i].(*expr.Column)
		if !ok || !same || c.ID != ref.Column.ID || d.T != c.T {
			continue
		}
		in, isBuild := other.(*Broadcast)
		if isBuild && in.Shared > 0 {
			return other
		}
		if !isBuild {
			next, _ := attach(other, RuntimeRef{ID: ref.ID, Column: d}, true)
			return next
		}
		if next, ok := attach(in.Child, RuntimeRef{ID: ref.ID, Column: d}, true); ok {
			return in.WithChildren([]Plan{next})
		}
	}
	return other
}

// attachThrough follows a column through a projection, by its new name or its old.
func attachThrough(n *Project, ref RuntimeRef, equal bool) (Plan, bool) {
	for _, e := range n.List {
		switch x := e.(type) {
		case *expr.Alias:
			if x.ID == ref.Column.ID {
				c, ok := x.Child.(*expr.Column)
				if !ok {
					return n, false
				}
				ref.Column = c
			}
		}
	}
	next, ok := attach(n.Child, ref, equal)
	if !ok {
		return n, false
	}
	return n.WithChildren([]Plan{next}), true
}

// passes says whether rows of child i may be dropped when the column's value is known not to be wanted above.
func passes(p Plan, i int) bool {
	kind := logical.InnerJoin
	switch j := p.(type) {
	case *HashJoin:
		kind = j.Kind
	case *MergeJoin:
		kind = j.Kind
	default:
		return true
	}
	switch kind {
	case logical.InnerJoin, logical.CrossJoin:
		return true
	case logical.RightJoin:
		return i == 1
	case logical.FullJoin:
		return false
	}
	return i == 0
}

func isKey(keys []expr.Expr, id expr.ID) bool {
	for _, k := range keys {
		if c, ok := k.(*expr.Column); ok && c.ID == id {
			return true
		}
	}
	return false
}
