package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// groupingSets is what a block with ROLLUP, CUBE or GROUPING SETS was made into: an Expand below the aggregate with a
// column for each group expression, null where a set leaves it out, and the grouping id.
type groupingSets struct {
	exprs []expr.Expr
	cols  []*expr.Column
	id    *expr.Column
}

// groupingCall keeps grouping() and grouping_id() as calls until the sets are known.
func (r *resolver) groupingCall(f *expr.Func, s *scope) (expr.Expr, error) {
	args := make([]expr.Expr, len(f.Args))
	for i, a := range f.Args {
		if s.below != nil {
			s = &scope{cols: s.below.cols, below: &scope{cols: s.cols}, strict: s.strict}
		}
		e, err := r.expr(a, s)
		if err != nil {
			return nil, err
		}
		args[i] = unalias(e)
	}
	return r.grouping(f, args)
}

func (r *resolver) grouping(f *expr.Func, args []expr.Expr) (expr.Expr, error) {
	r.flags |= hasGrouping
	name := strings.ToLower(f.Name[0])
	t := types.Long
	if name == "grouping" {
		t = types.Byte
		if len(args) != 1 {
			return nil, fail(f.At, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`grouping`", "expectedNum", "1", "actualNum", itoa(len(args)),
				"docroot", "https://spark.apache.org/docs/latest")
		}
	} else if r.conf("spark.sql.legacy.integerGroupingId") == "true" {
		t = types.Int
	}
	return &expr.Call{Name: name, Args: args, T: t, At: f.At}, nil
}

// groupBySets resolves a GROUP BY with grouping sets and puts the Expand below.
func (r *resolver) groupBySets(b *block, group []expr.Expr, s *scope) error {
	var all []expr.Expr
	sets := [][]int{nil}
	add := func(e expr.Expr) (int, error) {
		g, err := r.groupItem(b, e, s)
		if err != nil {
			return 0, err
		}
		for i, x := range all {
			if expr.Same(x, g) {
				return i, nil
			}
		}
		all = append(all, g)
		return len(all) - 1, nil
	}
	for _, g := range group {
		next, err := groupElement(g, add)
		if err != nil {
			return err
		}
		sets = cross(sets, next)
	}
	if len(all) > 64 {
		return fail(nil, "GROUPING_SIZE_LIMIT_EXCEEDED", "maxSize", "64")
	}
	r.expandSets(b, all, sets)
	for i, e := range b.list {
		x, err := r.groupingItem(b, e)
		if err != nil {
			return err
		}
		b.list[i] = x
	}
	for _, g := range b.gens {
		x, err := r.regroup(b, g.call)
		if err != nil {
			return err
		}
		g.call = x.(*expr.Call)
	}
	return nil
}

// groupElement lists the sets (as indexes of group expressions) of one element of GROUP BY.
func groupElement(g expr.Expr, add func(expr.Expr) (int, error)) ([][]int, error) {
	gs, ok := g.(*expr.GroupingSets)
	if !ok {
		i, err := add(g)
		return [][]int{{i}}, err
	}
	var parts [][]int
	for _, set := range gs.Sets {
		if len(set) == 1 && gs.Kind == expr.SetsGrouping {
			if inner, ok := set[0].(*expr.GroupingSets); ok {
				more, err := groupElement(inner, add)
				if err != nil {
					return nil, err
				}
				parts = append(parts, more...)
				continue
			}
		}
		var part []int
		for _, e := range set {
			i, err := add(e)
			if err != nil {
				return nil, err
			}
			part = append(part, i)
		}
		parts = append(parts, part)
	}
	switch gs.Kind {
	case expr.RollupGrouping:
		return rollup(parts), nil
	case expr.CubeGrouping:
		return cube(parts), nil
	}
	return parts, nil
}

func rollup(parts [][]int) [][]int {
	var out [][]int
	for n := len(parts); n >= 0; n-- {
		var set []int
		for _, p := range parts[:n] {
			set = append(set, p...)
		}
		out = append(out, set)
	}
	return out
}

func cube(parts [][]int) [][]int {
	if len(parts) == 0 {
		return [][]int{nil}
	}
	rest := cube(parts[1:])
	var out [][]int
	for _, s := range rest {
		out = append(out, append(append([]int{}, parts[0]...), s...))
	}
	return append(out, rest...)
}

func cross(a, b [][]int) [][]int {
	var out [][]int
	for _, x := range a {
		for _, y := range b {
			out = append(out, append(append([]int{}, x...), y...))
		}
	}
	return out
}

// expandSets builds the Expand and the block's groups.
func (r *resolver) expandSets(b *block, all []expr.Expr, sets [][]int) {
	g := &groupingSets{exprs: all, cols: make([]*expr.Column, len(all))}
	masks := make([]int64, len(sets))
	for i, set := range sets {
		mask := int64(1)<<len(all) - 1
		for _, k := range set {
			mask &^= 1 << (len(all) - 1 - k)
		}
		masks[i] = mask
	}
	inputs := r.precompute(b, all)
	for i, e := range inputs {
		null := e.Nullable()
		for _, m := range masks {
			null = null || m>>(len(all)-1-i)&1 == 1
		}
		g.cols[i] = &expr.Column{ID: expr.NextID(), Name: groupName(all[i]), T: e.Type(), Null: null}
		if c, ok := all[i].(*expr.Column); ok {
			g.cols[i].Qualifier = c.Qualifier
		}
	}
	g.id = &expr.Column{ID: expr.NextID(), Name: "spark_grouping_id", T: types.Long}
	if r.conf("spark.sql.legacy.integerGroupingId") == "true" {
		g.id.T = types.Int
	}
	b.sets = g
	b.group = append(columnExprs(g.cols), g.id)
	b.child = g.expand(b, inputs, masks)
}

func groupName(e expr.Expr) string {
	if c, ok := e.(*expr.Column); ok {
		return c.Name
	}
	return e.SQL()
}

// precompute evaluates group expressions that are no plain columns once, below the Expand.
func (r *resolver) precompute(b *block, all []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(all))
	list := columnExprs(b.in.cols)
	extra := false
	for i, e := range all {
		out[i] = e
		if _, ok := e.(*expr.Column); ok {
			continue
		}
		a := &expr.Alias{Child: e, Name: groupName(e), ID: expr.NextID(), Auto: true}
		list = append(list, a)
		out[i], extra = a.Column(), true
	}
	if extra {
		b.child = &logical.Project{List: list, Child: b.child}
	}
	return out
}

func (g *groupingSets) expand(b *block, inputs []expr.Expr, masks []int64) logical.Plan {
	out := append(b.in.cols[:len(b.in.cols):len(b.in.cols)], g.cols...)
	out = append(out, g.id)
	var pos *expr.Column
	if duplicates(masks) {
		pos = &expr.Column{ID: expr.NextID(), Name: "_gen_grouping_pos", T: types.Int}
		out = append(out, pos)
		b.group = append(b.group, pos)
	}
	projections := make([][]expr.Expr, len(masks))
	for i, m := range masks {
		row := columnExprs(b.in.cols)
		for k, e := range inputs {
			if m>>(len(inputs)-1-k)&1 == 1 {
				e = &expr.Literal{T: e.Type()}
			}
			row = append(row, e)
		}
		if g.id.T.Kind == types.IntKind {
			row = append(row, expr.NewLiteral(int32(m), types.Int))
		} else {
			row = append(row, expr.NewLiteral(m, types.Long))
		}
		if pos != nil {
			row = append(row, expr.NewLiteral(int32(i), types.Int))
		}
		projections[i] = row
	}
	return &logical.Expand{Projections: projections, Out: out, Child: b.child}
}

func duplicates(masks []int64) bool {
	seen := map[int64]bool{}
	for _, m := range masks {
		if seen[m] {
			return true
		}
		seen[m] = true
	}
	return false
}

// groupingItem rewrites an item of the list and keeps its name.
func (r *resolver) groupingItem(b *block, e expr.Expr) (expr.Expr, error) {
	x, err := r.regroup(b, unalias(e))
	if err != nil {
		return nil, err
	}
	switch o := e.(type) {
	case *expr.Alias:
		q := *o
		q.Child = x
		return &q, nil
	case *expr.Column:
		if c, ok := x.(*expr.Column); ok {
			q := *c
			q.Name = o.Name
			return &q, nil
		}
	}
	return x, nil
}

// regroup puts the Expand's columns in place of group expressions outside of aggregates, and answers grouping functions.
func (r *resolver) regroup(b *block, e expr.Expr) (expr.Expr, error) {
	g := b.sets
	if g == nil {
		if c := findGrouping(e); c != nil {
			return nil, fail(c.At, "UNSUPPORTED_GROUPING_EXPRESSION")
		}
		return e, nil
	}
	var failed error
	var walk func(e expr.Expr) expr.Expr
	walk = func(e expr.Expr) expr.Expr {
		for i, x := range g.exprs {
			if expr.Same(x, e) {
				return g.cols[i]
			}
		}
		switch x := e.(type) {
		case *expr.Agg:
			return x
		case *expr.Window:
			kids := x.Children()
			out := make([]expr.Expr, len(kids))
			out[0] = expr.MapChildren(kids[0], walk)
			for i, k := range kids[1:] {
				out[i+1] = walk(k)
			}
			return x.WithChildren(out)
		case *expr.Subquery:
			return g.subquery(x, walk)
		case *expr.Call:
			if x.Name == "grouping" || x.Name == "grouping_id" {
				y, err := r.groupingValue(g, x)
				if err != nil {
					failed = err
				}
				return y
			}
		}
		return expr.MapChildren(e, walk)
	}
	out := walk(e)
	return out, failed
}

func findGrouping(e expr.Expr) *expr.Call {
	var found *expr.Call
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Call); ok && (c.Name == "grouping" || c.Name == "grouping_id") {
			found = c
		}
		return true
	})
	return found
}

// subquery renames outer columns inside of a correlated subquery's plan too.
func (g *groupingSets) subquery(x *expr.Subquery, walk func(expr.Expr) expr.Expr) expr.Expr {
	y := expr.MapChildren(x, walk).(*expr.Subquery)
	if y == x {
		return x
	}
	to := map[expr.ID]*expr.Column{}
	for i, o := range x.Outer {
		if c, ok := o.(*expr.Column); ok {
			to[c.ID] = y.Outer[i].(*expr.Column)
		}
	}
	y.Plan = mapOuter(y.Plan.(logical.Plan), to)
	return y
}

// mapOuter replaces outer references in a plan and in the subqueries inside of it.
func mapOuter(p logical.Plan, to map[expr.ID]*expr.Column) logical.Plan {
	return logical.UpExprs(p, func(e expr.Expr) expr.Expr {
		switch x := e.(type) {
		case *expr.OuterRef:
			if c, ok := to[x.Col.ID]; ok {
				return &expr.OuterRef{Col: c}
			}
		case *expr.Subquery:
			q := *x
			q.Plan = mapOuter(x.Plan.(logical.Plan), to)
			return &q
		}
		return e
	})
}

// groupingValue computes grouping(x) and grouping_id() from the grouping id.
func (r *resolver) groupingValue(g *groupingSets, c *expr.Call) (expr.Expr, error) {
	if c.Name == "grouping_id" {
		if len(c.Args) > 0 && !expr.SameAll(c.Args, g.exprs) {
			return nil, fail(c.At, "GROUPING_ID_COLUMN_MISMATCH", "groupingIdColumn", sqlArgs(r, c.Args), "groupByColumns", sqlArgs(r, g.exprs))
		}
		return g.id, nil
	}
	for i, x := range g.exprs {
		if !expr.Same(x, c.Args[0]) {
			continue
		}
		shift := expr.NewLiteral(int32(len(g.exprs)-1-i), types.Int)
		var one expr.Expr = expr.NewLiteral(int64(1), types.Long)
		if g.id.T.Kind == types.IntKind {
			one = expr.NewLiteral(int32(1), types.Int)
		}
		bit := expr.NewCall("&", g.id.T, expr.NewCall(">>", g.id.T, g.id, shift), one)
		return &expr.Cast{Child: bit, To: types.Byte, Mode: r.castMode(), Implicit: true}, nil
	}
	return nil, fail(c.At, "GROUPING_COLUMN_MISMATCH", "grouping", r.sql(c.Args[0]), "groupingColumns", sqlArgs(r, g.exprs))
}
