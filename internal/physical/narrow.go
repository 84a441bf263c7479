package physical

import (
	"github.com/firesteel/firesteel/internal/expr"
)

// narrowJoins tells each join which of its columns are read above, so that it does not gather the others.
func narrowJoins(p Plan, need map[expr.ID]bool) Plan {
	below := need
	switch n := p.(type) {
	case *Exchange:
		if n.Shared > 0 {
			below = idSet(n.Child.Output())
		}
	case *Broadcast:
		if n.Shared > 0 {
			below = idSet(n.Child.Output())
		}
	case *Project, *Aggregate, *Expand, *Generate, *WriteFiles:
		below = map[expr.ID]bool{}
	case *Union:
		return narrowUnion(n)
	case *HashJoin:
		q := *n
		q.Narrow = wanted(joinOutput(n.Kind, n.Hint, n.Left, n.Right), need)
		p = &q
	case *MergeJoin:
		q := *n
		q.Narrow = wanted(joinOutput(n.Kind, n.Hint, n.Left, n.Right), need)
		p = &q
	case *LoopJoin:
		q := *n
		q.Narrow = wanted(joinOutput(n.Kind, n.Hint, n.Left, n.Right), need)
		p = &q
	}
	below = withColumns(below, p)
	return MapChildren(p, func(c Plan) Plan { return narrowJoins(c, below) })
}

// narrowUnion needs all columns of its inputs: they count by position.
func narrowUnion(n *Union) Plan {
	return MapChildren(n, func(c Plan) Plan { return narrowJoins(c, idSet(c.Output())) })
}

// withColumns adds the columns that a node reads itself to a copy of the set.
func withColumns(set map[expr.ID]bool, p Plan) map[expr.ID]bool {
	out := make(map[expr.ID]bool, len(set)+8)
	for id := range set {
		out[id] = true
	}
	cols := map[expr.ID]*expr.Column{}
	for _, e := range p.Exprs() {
		expr.Columns(e, cols)
	}
	for id := range cols {
		out[id] = true
	}
	switch n := p.(type) {
	case *Aggregate:
		for _, a := range n.Aggs {
			for _, s := range a.State {
				out[s.ID] = true
			}
		}
	case *Generate:
		for _, c := range n.Required {
			out[c.ID] = true
		}
	case *WriteFiles:
		for _, c := range n.Child.Output() {
			out[c.ID] = true
		}
	case *Broadcast:
		addPublished(out, n.Publish)
	case *Exchange:
		addPublished(out, n.Publish)
	}
	return out
}

func addPublished(set map[expr.ID]bool, list []RuntimePub) {
	for _, pub := range list {
		cols := map[expr.ID]*expr.Column{}
		expr.Columns(pub.Key, cols)
		for id := range cols {
			set[id] = true
		}
	}
}

// wanted keeps the columns of the set; nil when that is all of them.
func wanted(cols []*expr.Column, need map[expr.ID]bool) []*expr.Column {
	out := make([]*expr.Column, 0, len(cols))
	for _, c := range cols {
		if need[c.ID] {
			out = append(out, c)
		}
	}
	if len(out) == len(cols) {
		return nil
	}
	return out
}

func idSet(cols []*expr.Column) map[expr.ID]bool {
	m := make(map[expr.ID]bool, len(cols))
	for _, c := range cols {
		m[c.ID] = true
	}
	return m
}
