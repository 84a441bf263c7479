package analyzer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// block is a resolved select list that is not turned into plan nodes yet, because a HAVING or ORDER BY above may need more
// columns of it. Its expressions are over the columns of child, with aggregates, windows and generators still inside.
type block struct {
	child  logical.Plan
	in     *scope
	agg    bool
	group  []expr.Expr
	sets   *groupingSets // nil without grouping sets
	list   []expr.Expr   // Column or Alias each
	flags  flags         // of the list
	having []expr.Expr   // conditions over the list's outputs, the input and aggregates
	gens   []*generated  // generators of the list, by alias
	at     *expr.Origin
}

// items are the columns that the list gives.
func outputs(list []expr.Expr) []*expr.Column {
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

// close turns a pending select list into plan nodes.
func (r *resolver) close(x rel) (rel, error) {
	if x.block == nil {
		return x, nil
	}
	p, err := r.build(x.block, x.out, nil, false)
	if err != nil {
		return rel{}, err
	}
	return rel{p: p, out: x.out, hint: x.hint}, nil
}

// build makes the nodes of a block, with the rows ordered by order if there is one: aggregate, HAVING, windows, generators,
// lateral aliases, sort. The result's columns are out.
func (r *resolver) build(b *block, out []*expr.Column, order []expr.SortOrder, global bool) (logical.Plan, error) {
	p, list, in := b.child, b.list, b.in.cols
	if b.agg {
		if err := r.checkGrouped(b); err != nil {
			return nil, err
		}
		simple := b.flags&layered == 0 && len(b.having) == 0 && outOnly(order, out)
		if simple {
			p = &logical.Aggregate{Group: b.group, List: likeGroups(list, b.group), Child: p}
			return sorted(p, order, global), nil
		}
		s := newSplit(b)
		var err error
		if p, list, order, err = r.splitAggregate(b, s, order); err != nil {
			return nil, err
		}
		if s.final { // the aggregate computes the list itself
			return finish(sorted(p, order, global), out), nil
		}
		in = outputs(s.pieces)
	}
	p, list, err := r.layers(p, in, list, b)
	if err != nil {
		return nil, err
	}
	return r.projectSorted(p, in, list, out, order, global)
}

func outOnly(order []expr.SortOrder, out []*expr.Column) bool {
	for _, o := range order {
		if !coveredBy(o.Child, out) || expr.Any(o.Child, isAgg) {
			return false
		}
	}
	return true
}

// coveredBy says whether all columns of e are among cols.
func coveredBy(e expr.Expr, cols []*expr.Column) bool {
	return !expr.Any(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Column)
		return ok && !contains(cols, c.ID)
	})
}

func isAgg(e expr.Expr) bool { _, ok := e.(*expr.Agg); return ok }

func sorted(p logical.Plan, order []expr.SortOrder, global bool) logical.Plan {
	if order == nil {
		return p
	}
	return &logical.Sort{Order: order, Global: global, Child: p}
}

// finish cuts p's output down to out if it is wider.
func finish(p logical.Plan, out []*expr.Column) logical.Plan {
	if len(p.Output()) == len(out) {
		return p
	}
	return &logical.Project{List: columnExprs(out), Child: p}
}

// projectSorted makes the projection of list, below it whatever the order needs besides, and the sort.
func (r *resolver) projectSorted(p logical.Plan, in []*expr.Column, list []expr.Expr, out []*expr.Column, order []expr.SortOrder, global bool) (logical.Plan, error) {
	if order == nil {
		return &logical.Project{List: list, Child: p}, nil
	}
	wide := list[:len(list):len(list)]
	seen := map[expr.ID]bool{}
	for _, c := range out {
		seen[c.ID] = true
	}
	for _, o := range order {
		expr.Walk(o.Child, func(x expr.Expr) bool {
			if c, ok := x.(*expr.Column); ok && !seen[c.ID] {
				seen[c.ID] = true
				wide = append(wide, c)
			}
			return true
		})
	}
	p = sorted(&logical.Project{List: wide, Child: p}, order, global)
	if len(wide) == len(list) {
		return p, nil
	}
	return &logical.Project{List: columnExprs(out), Child: p}, nil
}

// split moves what an aggregate must compute (groups and aggregate functions) out of expressions above it.
type split struct {
	b      *block
	pieces []expr.Expr // Column or Alias each: the aggregate's list
	final  bool        // pieces begin with the block's own list
	ids    map[expr.ID]expr.Expr
}

// layered are the parts of a list that are computed above the aggregate. Correlated subqueries are among them: their outer
// columns then are the aggregate's output.
const layered = hasWindow | hasGenerator | hasLCA | hasSubquery

func newSplit(b *block) *split {
	s := &split{b: b, ids: map[expr.ID]expr.Expr{}}
	if s.final = b.flags&layered == 0; s.final {
		s.pieces = append(s.pieces, b.list...)
	}
	return s
}

// splitAggregate builds the aggregate and the HAVING filter of a block. What it returns as list and order is over the
// aggregate's output.
func (r *resolver) splitAggregate(b *block, s *split, order []expr.SortOrder) (logical.Plan, []expr.Expr, []expr.SortOrder, error) {
	list := b.list
	if !s.final {
		list = make([]expr.Expr, len(b.list))
		for i, e := range b.list {
			list[i] = s.item(e)
		}
	}
	var having []expr.Expr
	for _, h := range b.having {
		if !s.final { // names of the list mean its expressions below the windows
			h = inline(h, b.list)
		}
		having = append(having, s.rewrite(h))
	}
	if order != nil {
		up := make([]expr.SortOrder, len(order))
		for i, o := range order {
			up[i] = expr.SortOrder{Child: s.rewriteKeeping(o.Child, b.list), Desc: o.Desc, NullsFirst: o.NullsFirst}
		}
		order = up
	}
	for _, e := range append(having, orderExprs(order)...) {
		if err := r.checkMoved(b, s, e); err != nil {
			return nil, nil, nil, err
		}
	}
	var p logical.Plan = &logical.Aggregate{Group: b.group, List: likeGroups(s.pieces, b.group), Child: b.child}
	for _, h := range having {
		p = &logical.Filter{Cond: h, Child: p}
	}
	if s.final && order == nil {
		return finish(p, outputs(b.list)), list, nil, nil
	}
	return p, list, order, nil
}

func orderExprs(order []expr.SortOrder) []expr.Expr {
	out := make([]expr.Expr, len(order))
	for i, o := range order {
		out[i] = o.Child
	}
	return out
}

// inline replaces references to items of the list by the items' expressions, all the way down.
func inline(e expr.Expr, list []expr.Expr) expr.Expr {
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok {
			return x
		}
		for _, l := range list {
			if a, ok := l.(*expr.Alias); ok && a.ID == c.ID {
				return inline(a.Child, list)
			}
		}
		return x
	})
}

func (s *split) item(e expr.Expr) expr.Expr {
	switch x := e.(type) {
	case *expr.Alias:
		c := s.rewrite(x.Child)
		if c == x.Child {
			return x
		}
		q := *x
		q.Child = c
		return &q
	case *expr.Column:
		c := s.rewrite(x).(*expr.Column)
		if c.ID == x.ID {
			return x
		}
		return &expr.Alias{Child: c, Name: x.Name, ID: x.ID, Qualifier: x.Qualifier}
	}
	return s.rewrite(e)
}

// rewriteKeeping is rewrite, but references to the list's own items stay: they are there above the aggregate.
func (s *split) rewriteKeeping(e expr.Expr, list []expr.Expr) expr.Expr {
	if c, ok := e.(*expr.Column); ok {
		for _, l := range list {
			if idOf(l) == c.ID {
				return e
			}
		}
	}
	if p := s.piece(e); p != nil {
		return p
	}
	return expr.MapChildren(e, func(x expr.Expr) expr.Expr { return s.rewriteKeeping(x, list) })
}

// rewrite replaces groups and aggregates by columns of the aggregate's output.
func (s *split) rewrite(e expr.Expr) expr.Expr {
	if p := s.piece(e); p != nil {
		return p
	}
	if w, ok := e.(*expr.Window); ok {
		return s.window(w)
	}
	return expr.MapChildren(e, s.rewrite)
}

// window keeps the function of a window, also when it is an aggregate, and rewrites what is below.
func (s *split) window(w *expr.Window) expr.Expr {
	kids := w.Children()
	out := make([]expr.Expr, len(kids))
	out[0] = expr.MapChildren(kids[0], s.rewrite)
	for i, k := range kids[1:] {
		out[i+1] = s.rewrite(k)
	}
	return w.WithChildren(out)
}

// piece is the aggregate's column for e when e is a group or an aggregate function, else nil.
func (s *split) piece(e expr.Expr) expr.Expr {
	if c, ok := e.(*expr.Column); ok {
		for _, p := range s.pieces {
			if idOf(p) == c.ID {
				return c
			}
		}
	}
	group := inGroup(s.b.group, e)
	if !group && !isAgg(e) {
		return nil
	}
	if _, ok := e.(*expr.Literal); ok {
		return nil
	}
	for _, p := range s.pieces {
		if a, ok := p.(*expr.Alias); ok && expr.Same(a.Child, e) {
			return a.Column()
		}
	}
	if c, ok := e.(*expr.Column); ok {
		s.pieces = append(s.pieces, c)
		return c
	}
	a := &expr.Alias{Child: e, Name: e.SQL(), ID: expr.NextID(), Auto: true}
	s.pieces = append(s.pieces, a)
	return a.Column()
}

func inGroup(group []expr.Expr, e expr.Expr) bool {
	for _, g := range group {
		if g == e || expr.Same(g, e) {
			return true
		}
	}
	return false
}

// likeGroups writes what means the same as a group, but in other words (1 + a for a + 1), as the group is written.
func likeGroups(list, group []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = likeGroup(e, group)
	}
	return out
}

func likeGroup(e expr.Expr, group []expr.Expr) expr.Expr {
	switch e.(type) {
	case *expr.Column, *expr.Literal, *expr.Agg:
		return e
	}
	for _, g := range group {
		if g == e {
			return e
		}
		if expr.Same(g, e) {
			return g
		}
	}
	return expr.MapChildren(e, func(x expr.Expr) expr.Expr { return likeGroup(x, group) })
}

func idOf(e expr.Expr) expr.ID {
	switch x := e.(type) {
	case *expr.Column:
		return x.ID
	case *expr.Alias:
		return x.ID
	}
	return 0
}

// layers computes windows, generators and items that later items refer to by lateral alias, one projection a layer, and
// returns the plan below the last projection with its list.
func (r *resolver) layers(p logical.Plan, in []*expr.Column, list []expr.Expr, b *block) (logical.Plan, []expr.Expr, error) {
	if b.flags&hasLCA == 0 {
		return r.flat(p, in, list, b)
	}
	level := map[expr.ID]int{}
	depth := 0
	used := map[expr.ID]bool{}
	for _, e := range list {
		n := 0
		expr.Walk(unalias(e), func(x expr.Expr) bool {
			if c, ok := x.(*expr.Column); ok {
				if l, ok := level[c.ID]; ok {
					used[c.ID] = true
					n = max(n, l+1)
				}
			}
			return true
		})
		if a, ok := e.(*expr.Alias); ok {
			level[a.ID] = n
		}
		depth = max(depth, n)
	}
	list = append([]expr.Expr{}, list...)
	for l := 0; l < depth; l++ {
		step := columnExprs(in)
		for i, e := range list {
			if a, ok := e.(*expr.Alias); ok && level[a.ID] == l && used[a.ID] {
				step = append(step, a)
				list[i] = a.Column()
			}
		}
		var err error
		var flat []expr.Expr
		if p, flat, err = r.flat(p, in, step, b); err != nil {
			return nil, nil, err
		}
		p = &logical.Project{List: flat, Child: p}
		in = outputs(flat)
	}
	return r.flat(p, in, list, b)
}

// flat takes windows and generators out of a list.
func (r *resolver) flat(p logical.Plan, in []*expr.Column, list []expr.Expr, b *block) (logical.Plan, []expr.Expr, error) {
	if b.flags&hasWindow != 0 {
		p, list = r.extractWindows(p, in, list)
	}
	if b.flags&hasGenerator != 0 {
		return r.extractGenerators(p, list, b)
	}
	return p, list, nil
}
