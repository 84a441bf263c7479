package physical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// rollup plans the input of a grouping over an Expand so that rows are grouped by all the keys first and only the states of
// these groups are repeated for the grouping sets: one group for many rows. It answers nil where that cannot be: for
// aggregates that have no partial form, and expansions that are no grouping sets.
func (b *aggBuilder) rollup(e *logical.Expand) *Expand {
	r := rollup{keyOf: map[expr.ID]bool{}, argOf: map[expr.ID]expr.Expr{}}
	if !r.positions(e, b.keys) || !r.aggregates(b.aggs) {
		return nil
	}
	return r.expand(e)
}

type rollup struct {
	keyOf map[expr.ID]bool      // outputs of the Expand that are keys
	argOf map[expr.ID]expr.Expr // outputs that are the same in all its projections
	aggs  []AggExpr             // over the Expand's child
}

// positions sorts the outputs of the Expand into keys and what it hands through.
func (r *rollup) positions(e *logical.Expand, keys []expr.Expr) bool {
	for _, k := range keys {
		c, ok := k.(*expr.Column)
		if !ok {
			return false
		}
		r.keyOf[c.ID] = true
	}
	for i, c := range e.Out {
		first := e.Projections[0][i]
		if r.keyOf[c.ID] {
			if !nulledOnly(e.Projections, i) {
				return false
			}
			continue
		}
		same := true
		for _, p := range e.Projections {
			same = same && expr.Fingerprint(p[i]) == expr.Fingerprint(first)
		}
		if same {
			r.argOf[c.ID] = first
		}
	}
	return len(e.Projections) > 1
}

// nulledOnly says whether an output is one column or null in the projections, or a constant in each.
func nulledOnly(projections [][]expr.Expr, i int) bool {
	var col *expr.Column
	constants := 0
	for _, p := range projections {
		switch x := p[i].(type) {
		case *expr.Column:
			if col != nil && col.ID != x.ID {
				return false
			}
			col = x
		case *expr.Literal:
			if x.Value != nil {
				constants++
			}
		default:
			return false
		}
	}
	return col == nil || constants == 0
}

// aggregates puts the arguments of the aggregates in terms of the Expand's child.
func (r *rollup) aggregates(aggs []AggExpr) bool {
	for _, a := range aggs {
		if a.Agg.Distinct || len(a.Agg.Order) > 0 || len(a.State) == 0 {
			return false
		}
		known := true
		in := expr.Up(a.Agg, func(x expr.Expr) expr.Expr {
			c, ok := x.(*expr.Column)
			if !ok {
				return x
			}
			arg, ok := r.argOf[c.ID]
			known = known && ok
			if !ok {
				return x
			}
			return arg
		})
		agg, ok := in.(*expr.Agg)
		if !known || !ok {
			return false
		}
		a.Agg, a.Mode = agg, Partial
		r.aggs = append(r.aggs, a)
	}
	return true
}

// expand repeats the states. Its Child's child is yet to be set.
func (r *rollup) expand(e *logical.Expand) *Expand {
	inner := &Aggregate{Mode: Partial, Aggs: r.aggs}
	seen := map[expr.ID]bool{}
	out := &Expand{Projections: make([][]expr.Expr, len(e.Projections))}
	for i, c := range e.Out {
		if !r.keyOf[c.ID] {
			continue
		}
		out.Out = append(out.Out, c)
		for k, p := range e.Projections {
			out.Projections[k] = append(out.Projections[k], p[i])
			if col, ok := p[i].(*expr.Column); ok && !seen[col.ID] {
				seen[col.ID] = true
				inner.Keys = append(inner.Keys, col)
			}
		}
	}
	for _, a := range r.aggs {
		for _, s := range a.State {
			out.Out = append(out.Out, s)
			for k := range e.Projections {
				out.Projections[k] = append(out.Projections[k], s)
			}
		}
	}
	out.Child = inner
	return out
}

// planRollup plans a grouping over an Expand by its states, if it can be.
func (b *aggBuilder) planRollup(n *logical.Aggregate, groups float64) (Plan, spread, bool, error) {
	e, ok := n.Child.(*logical.Expand)
	if !ok {
		return nil, spread{}, false, nil
	}
	states := b.rollup(e)
	if states == nil || len(b.aggs) == 0 {
		return nil, spread{}, false, nil
	}
	c, s, err := b.pl.plan(e.Child)
	if err != nil {
		return nil, s, false, err
	}
	var in Plan = states.WithChildren([]Plan{states.Child.WithChildren([]Plan{c})})
	if s.kind != SinglePart {
		in = &Aggregate{Mode: PartialMerge, Loose: true, Keys: b.keys, Aggs: b.mode(PartialMerge), Child: in}
		in, s = b.pl.byKeys(in, spread{kind: UnknownPart, n: s.n}, b.cols, groups)
	}
	return &Aggregate{Mode: Final, Keys: b.cols, Aggs: b.mode(Final), Child: in}, s, true, nil
}
