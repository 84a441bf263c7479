package physical

import (
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// star joins a probe side a with a build side b, and the result with a build side c, all by one key.
func star(inner, outer logical.JoinKind, below, filters []expr.Expr) Plan {
	column := func(name string) *expr.Column { return &expr.Column{ID: expr.NextID(), Name: name, T: types.Long} }
	a, b, c := column("a"), column("b"), column("c")
	scan := func(c *expr.Column, f []expr.Expr) *Scan { return &Scan{Out: []*expr.Column{c}, Filters: f, Limit: -1} }
	join := func(l, r Plan, lk, rk *expr.Column, kind logical.JoinKind) Plan {
		return &HashJoin{Left: l, Right: &Broadcast{Child: r}, Kind: kind, BuildRight: true, Broadcast: true,
			LeftKeys: []expr.Expr{lk}, RightKeys: []expr.Expr{rk}}
	}
	return join(join(scan(a, nil), scan(b, below), a, b, inner), scan(c, filters), a, c, outer)
}

// runtimeOf is the number of runtime filters of each scan, by the name of its column, and all that are published.
func runtimeOf(p Plan) (refs map[string]int, published int) {
	refs = map[string]int{}
	Walk(p, func(n Plan) bool {
		switch n := n.(type) {
		case *Scan:
			refs[n.Out[0].Name] = len(n.Runtime)
		case *Broadcast:
			published += len(n.Publish)
		}
		return true
	})
	return refs, published
}

// The keys of a filtered build side reach the build sides of the joins below and above, where their keys are equal.
func TestRuntimeFiltersReachEqualKeys(t *testing.T) {
	some := []expr.Expr{expr.NewLiteral(true, types.Boolean)}
	for _, c := range []struct {
		name      string
		below     logical.JoinKind
		above     logical.JoinKind
		filterB   []expr.Expr
		filterC   []expr.Expr
		a, b, c   int
		published int
	}{
		{"the upper filtered", logical.InnerJoin, logical.InnerJoin, nil, some, 2, 1, 0, 2},
		{"the lower filtered", logical.InnerJoin, logical.InnerJoin, some, nil, 2, 0, 1, 2},
		{"both filtered", logical.InnerJoin, logical.InnerJoin, some, some, 2, 1, 0, 2},
		{"not filtered", logical.InnerJoin, logical.InnerJoin, nil, nil, 2, 0, 0, 2},
		{"outer below", logical.LeftJoin, logical.InnerJoin, nil, some, 1, 0, 0, 1},
		{"outer above, whose build rows stay", logical.InnerJoin, logical.FullJoin, some, nil, 1, 0, 0, 1},
	} {
		p := NewPlanner(Options{}, logical.NewEstimator()).addRuntimeFilters(star(c.below, c.above, c.filterB, c.filterC))
		refs, published := runtimeOf(p)
		if refs["a"] != c.a || refs["b"] != c.b || refs["c"] != c.c || published != c.published {
			t.Errorf("%s: filters %v, published %d", c.name, refs, published)
		}
		for _, s := range Cut(p) {
			for _, id := range append(s.After, s.Inputs...) {
				if id >= len(Cut(p)) || id == s.ID {
					t.Errorf("%s: stage %d waits for %d", c.name, s.ID, id)
				}
			}
		}
	}
}
