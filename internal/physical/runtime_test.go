package physical

import (
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// star joins a probe side a with a build side b, and the result with a build side c, all by one key.
func star(inner logical.JoinKind, filters []expr.Expr) Plan {
	column := func(name string) *expr.Column { return &expr.Column{ID: expr.NextID(), Name: name, T: types.Long} }
	a, b, c := column("a"), column("b"), column("c")
	scan := func(c *expr.Column, f []expr.Expr) *Scan { return &Scan{Out: []*expr.Column{c}, Filters: f, Limit: -1} }
	join := func(l, r Plan, lk, rk *expr.Column, kind logical.JoinKind) Plan {
		return &HashJoin{Left: l, Right: &Broadcast{Child: r}, Kind: kind, BuildRight: true, Broadcast: true,
			LeftKeys: []expr.Expr{lk}, RightKeys: []expr.Expr{rk}}
	}
	return join(join(scan(a, nil), scan(b, nil), a, b, inner), scan(c, filters), a, c, logical.InnerJoin)
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

// The keys of a filtered build side reach the build sides of the joins below, where their keys are equal.
func TestRuntimeFiltersReachEqualKeys(t *testing.T) {
	some := []expr.Expr{expr.NewLiteral(true, types.Boolean)}
	for _, c := range []struct {
		name      string
		inner     logical.JoinKind
		filters   []expr.Expr
		a, b      int
		published int
	}{
		{"filtered", logical.InnerJoin, some, 2, 1, 2},
		{"not filtered", logical.InnerJoin, nil, 2, 0, 2},
		{"outer", logical.LeftJoin, some, 1, 0, 1},
	} {
		p := NewPlanner(Options{}, logical.NewEstimator()).addRuntimeFilters(star(c.inner, c.filters))
		refs, published := runtimeOf(p)
		if refs["a"] != c.a || refs["b"] != c.b || refs["c"] != 0 || published != c.published {
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
