package optimizer

import (
	"math"
	"math/bits"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// maxExact is the largest number of relations that are ordered by dynamic programming; more are joined greedily.
const maxExact = 10

// maxGreedy is the largest number of relations that are ordered at all: of more, the last ones are joined as they were written.
const maxGreedy = 60

// reorderJoins orders each group of adjacent inner joins by estimated cost.
func reorderJoins(c *Context, p logical.Plan) (logical.Plan, error) { return c.reorder(p), nil }

func (c *Context) reorder(p logical.Plan) logical.Plan {
	j, ok := p.(*logical.Join)
	if !ok || !freeJoin(j) || relations(j) > maxGreedy {
		return logical.MapChildren(p, c.reorder)
	}
	g := &joinGraph{c: c}
	g.flatten(j)
	for i := range g.leaves {
		g.leaves[i] = c.reorder(g.leaves[i])
	}
	if len(g.leaves) < 3 {
		return j.WithChildren(g.leaves)
	}
	out := filter(g.order(), g.constant())
	if !sameOrder(out.Output(), p.Output()) {
		return &logical.Project{List: columns(p.Output()), Child: out}
	}
	return out
}

func sameOrder(a, b []*expr.Column) bool {
	for i := range a {
		if a[i].ID != b[i].ID {
			return false
		}
	}
	return true
}

// freeJoin says whether a join may be moved: inner, and without a hint by the user.
func freeJoin(j *logical.Join) bool {
	return (j.Kind == logical.InnerJoin || j.Kind == logical.CrossJoin) && j.Hint.Left == "" && j.Hint.Right == "" && !j.Lateral
}

// relations counts the leaves of a group of joins.
func relations(p logical.Plan) int {
	if j, ok := p.(*logical.Join); ok && freeJoin(j) {
		return relations(j.Left) + relations(j.Right)
	}
	return 1
}

// joinGraph is a set of relations and the conditions between them.
type joinGraph struct {
	c      *Context
	leaves []logical.Plan
	conds  []graphCond
	owner  map[expr.ID]int
}

type graphCond struct {
	cond expr.Expr
	mask uint64 // relations that it needs
}

func (g *joinGraph) flatten(p logical.Plan) {
	j, ok := p.(*logical.Join)
	if !ok || !freeJoin(j) {
		g.leaves = append(g.leaves, p)
		return
	}
	g.flatten(j.Left)
	g.flatten(j.Right)
	for _, c := range expr.Conjuncts(j.Cond) {
		g.conds = append(g.conds, graphCond{cond: c})
	}
}

func (g *joinGraph) order() logical.Plan {
	g.owner = map[expr.ID]int{}
	for i, l := range g.leaves {
		for _, col := range l.Output() {
			g.owner[col.ID] = i
		}
	}
	for i := range g.conds {
		cols := map[expr.ID]*expr.Column{}
		expr.Columns(g.conds[i].cond, cols)
		for id := range cols {
			g.conds[i].mask |= 1 << g.owner[id]
		}
	}
	if len(g.leaves) <= maxExact {
		return g.exact()
	}
	return g.greedy()
}

// constant are the conditions without columns: they belong to no join.
func (g *joinGraph) constant() []expr.Expr {
	var out []expr.Expr
	for _, c := range g.conds {
		if c.mask == 0 {
			out = append(out, c.cond)
		}
	}
	return out
}

// candidate is a join tree over a set of relations.
type candidate struct {
	plan logical.Plan
	mask uint64
	cost float64
	rows float64
}

// leaf starts with one relation, under the conditions that need nothing else.
func (g *joinGraph) leaf(i int) *candidate {
	var own []expr.Expr
	for _, c := range g.conds {
		if c.mask == 1<<i {
			own = append(own, c.cond)
		}
	}
	p := filter(g.leaves[i], own)
	return &candidate{plan: p, mask: 1 << i, rows: g.c.Estimator.Of(p).Rows}
}

// join combines two trees with the conditions that become possible; the smaller side goes right, where it is built.
func (g *joinGraph) join(a, b *candidate) *candidate {
	if a.rows < b.rows {
		a, b = b, a
	}
	both := a.mask | b.mask
	var conds []expr.Expr
	for _, c := range g.conds {
		if c.mask&^both == 0 && c.mask&^a.mask != 0 && c.mask&^b.mask != 0 {
			conds = append(conds, c.cond)
		}
	}
	kind := logical.InnerJoin
	if len(conds) == 0 {
		kind = logical.CrossJoin
	}
	j := &logical.Join{Left: a.plan, Right: b.plan, Kind: kind, Cond: expr.And(conds...)}
	rows := g.c.Estimator.Of(j).Rows
	// A build row costs about three probe rows; each output row is written once; without keys every pair is looked at.
	cost := a.cost + b.cost + a.rows*0.3 + b.rows + rows
	if keys, _ := logical.EquiKeys(j); len(keys) == 0 {
		cost += a.rows * b.rows * 0.1
	}
	return &candidate{plan: j, mask: both, rows: rows, cost: cost}
}

func (g *joinGraph) connected(a, b uint64) bool {
	for _, c := range g.conds {
		if c.mask&a != 0 && c.mask&b != 0 && c.mask&^(a|b) == 0 {
			return true
		}
	}
	return false
}

// exact finds the cheapest tree over connected sets by dynamic programming; cross products only join what is unconnected.
func (g *joinGraph) exact() logical.Plan {
	n := len(g.leaves)
	best := make([]*candidate, 1<<n)
	for i := range n {
		best[1<<i] = g.leaf(i)
	}
	for set := uint64(1); set < 1<<n; set++ {
		if bits.OnesCount64(set) < 2 {
			continue
		}
		for sub := (set - 1) & set; sub > set/2-1 && sub > 0; sub = (sub - 1) & set {
			a, b := best[sub], best[set^sub]
			if a == nil || b == nil || !g.connected(sub, set^sub) {
				continue
			}
			if lower := a.cost + b.cost; best[set] != nil && lower >= best[set].cost {
				continue
			}
			if j := g.join(a, b); best[set] == nil || j.cost < best[set].cost {
				best[set] = j
			}
		}
	}
	if all := best[1<<n-1]; all != nil {
		return all.plan
	}
	return g.greedy()
}

// greedy joins the pair with the smallest result again and again, connected pairs first.
func (g *joinGraph) greedy() logical.Plan {
	var trees []*candidate
	for i := range g.leaves {
		trees = append(trees, g.leaf(i))
	}
	tried := map[[2]uint64]*candidate{}
	for len(trees) > 1 {
		bi, bj := 0, 1
		var best *candidate
		bestCost := math.Inf(1)
		for _, needEdge := range []bool{true, false} {
			for i := range trees {
				for j := i + 1; j < len(trees); j++ {
					if needEdge && !g.connected(trees[i].mask, trees[j].mask) {
						continue
					}
					pair := [2]uint64{trees[i].mask, trees[j].mask}
					if tried[pair] == nil {
						tried[pair] = g.join(trees[i], trees[j])
					}
					if t := tried[pair]; t.rows+t.cost*1e-9 < bestCost {
						best, bestCost, bi, bj = t, t.rows+t.cost*1e-9, i, j
					}
				}
			}
			if best != nil {
				break
			}
		}
		trees[bi] = best
		trees = append(trees[:bj], trees[bj+1:]...)
	}
	return trees[0].plan
}
