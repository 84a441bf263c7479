package analyzer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func (r *resolver) filter(p *logical.Filter) (rel, error) {
	x, err := r.plan(p.Child)
	if err != nil {
		return rel{}, err
	}
	if x.block != nil && x.block.agg {
		return r.having(p, x)
	}
	if x, err = r.close(x); err != nil {
		return rel{}, err
	}
	before := r.flags
	r.flags = 0
	s := r.scopeOf(x)
	var cond expr.Expr
	q, err := r.pulling(x, s, func() (list []expr.Expr, err error) {
		cond, err = r.condition(p.Cond, s)
		return []expr.Expr{cond}, err
	})
	if err != nil {
		return rel{}, err
	}
	if err := r.checkCondition(p, cond, x); err != nil {
		return rel{}, err
	}
	r.flags = before
	out := finishPulled(&logical.Filter{Cond: r.to(cond, types.Boolean), Child: q.p}, x, q)
	return rel{p: out, out: x.out, hint: x.hint}, nil
}

// checkCondition: a WHERE is boolean and has no aggregates, windows and generators.
func (r *resolver) checkCondition(p *logical.Filter, cond expr.Expr, x rel) error {
	if r.flags&hasWindow != 0 {
		return fail(nil, "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "WHERE")
	}
	if r.flags&hasGenerator != 0 {
		return fail(nil, "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", "'Filter "+r.sql(cond))
	}
	if r.flags&hasAgg != 0 {
		bad := cond
		if a := findAgg(cond); a != nil {
			bad = a
		}
		return fail(originOf(p.Cond), "INVALID_WHERE_CONDITION", "condition", r.sqlExpr(cond), "expressionList", r.full(bad))
	}
	return r.boolean(cond, originOf(p.Cond))
}

func (r *resolver) boolean(cond expr.Expr, at *expr.Origin) error {
	if t := cond.Type(); t.Kind != types.BooleanKind && t.Kind != types.NullKind {
		return fail(at, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "sqlExpr", r.sqlExpr(cond), "filter", r.sqlExpr(cond), "type", sqlType(t))
	}
	return nil
}

// having adds a condition to a pending aggregate: names are looked up in its output, then in its input.
func (r *resolver) having(p *logical.Filter, x rel) (rel, error) {
	b := x.block
	before := r.flags
	r.flags = 0
	s := &scope{cols: x.out, below: b.in, df: r.frames, first: groupsOf(b)}
	cond, err := r.condition(p.Cond, s)
	if err != nil {
		return rel{}, err
	}
	if r.flags&hasWindow != 0 {
		return rel{}, fail(nil, "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "HAVING")
	}
	r.flags = before
	if err := r.boolean(cond, originOf(p.Cond)); err != nil {
		return rel{}, err
	}
	if cond, err = r.regroup(b, cond); err != nil {
		return rel{}, err
	}
	q := *b
	q.having = append(b.having[:len(b.having):len(b.having)], r.to(cond, types.Boolean))
	return rel{block: &q, out: x.out, hint: x.hint}, nil
}

func (r *resolver) sort(p *logical.Sort) (rel, error) {
	x, err := r.plan(p.Child)
	if err != nil {
		return rel{}, err
	}
	before := r.flags
	r.flags = 0
	defer func() { r.flags = before }()
	if x.block == nil {
		return r.sortPlan(p, x)
	}
	b := x.block
	s := &scope{cols: x.out, below: b.in, df: r.frames}
	closed := b.agg && b.sets == nil && (b.flags&hasWindow != 0 || havingAdds(b))
	if closed { // the aggregate is complete: only its groups can be added to it
		s.below = &scope{cols: groupColumns(b)}
	}
	order, err := r.sortOrder(p, x, s)
	if err != nil {
		return rel{}, err
	}
	if closed && r.flags&hasAgg != 0 {
		return rel{}, r.aggInSort(b, order)
	}
	if b.agg {
		for i, o := range order {
			if order[i].Child, err = r.regroup(b, o.Child); err != nil {
				return rel{}, err
			}
		}
	} else if r.flags&hasAgg != 0 {
		return rel{}, r.aggInSort(b, order)
	}
	if r.flags&hasWindow != 0 {
		return rel{}, r.windowInSort(order)
	}
	q, err := r.build(b, x.out, order, p.Global)
	if err != nil {
		return rel{}, err
	}
	return rel{p: q, out: x.out, hint: x.hint}, nil
}

// havingAdds says whether a HAVING needs more of the aggregate than the select list has.
func havingAdds(b *block) bool {
	out := outputs(b.list)
	adds := false
	for _, h := range b.having {
		expr.Walk(h, func(e expr.Expr) bool {
			switch x := e.(type) {
			case *expr.Column:
				adds = adds || !contains(out, x.ID)
			case *expr.Agg:
				adds = adds || !listed(b.list, x)
			}
			return !adds && !listed(b.list, e)
		})
	}
	return adds
}

// listed says whether an item of the list is e.
func listed(list []expr.Expr, e expr.Expr) bool {
	for _, l := range list {
		if expr.Same(unalias(l), e) {
			return true
		}
	}
	return false
}

// groupsOf are the groups as they are written.
func groupsOf(b *block) []expr.Expr {
	if b.sets != nil {
		return b.sets.exprs
	}
	return b.group
}

// groupColumns are the groups that are plain columns.
func groupColumns(b *block) []*expr.Column {
	var out []*expr.Column
	for _, g := range b.group {
		if c, ok := g.(*expr.Column); ok {
			out = append(out, c)
		}
	}
	return out
}

func (r *resolver) windowInSort(order []expr.SortOrder) error {
	for _, o := range order {
		if expr.Any(o.Child, isWindow) {
			return fail(originOf(o.Child), "UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "SORT", "invalidExprSqls", r.sqlExpr(o.Child))
		}
	}
	return nil
}

// aggInSort: an aggregate above rows that are not grouped.
func (r *resolver) aggInSort(b *block, order []expr.SortOrder) error {
	for _, o := range order {
		if a := findAgg(o.Child); a != nil {
			return fail(a.At, "UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "SORT", "invalidExprSqls", r.sqlExpr(a))
		}
	}
	return nil
}

func (r *resolver) sortPlan(p *logical.Sort, x rel) (rel, error) {
	s := r.scopeOf(x)
	var order []expr.SortOrder
	q, err := r.pulling(x, s, func() (list []expr.Expr, err error) {
		order, err = r.sortOrder(p, x, s)
		return orderExprs(order), err
	})
	if err != nil {
		return rel{}, err
	}
	if r.flags&hasAgg != 0 {
		return rel{}, r.aggInSort(nil, order)
	}
	if r.flags&hasWindow != 0 {
		return rel{}, r.windowInSort(order)
	}
	out := finishPulled(&logical.Sort{Order: order, Global: p.Global, Child: q.p}, x, q)
	return rel{p: out, out: x.out, hint: x.hint}, nil
}

// sortOrder resolves ORDER BY: positions, ALL, names, expressions.
func (r *resolver) sortOrder(p *logical.Sort, x rel, s *scope) ([]expr.SortOrder, error) {
	visible := cutHidden(rel{out: x.out}).out
	if p.All {
		var order []expr.SortOrder
		dir := expr.SortOrder{NullsFirst: true}
		if len(p.Order) > 0 {
			dir = p.Order[0]
		}
		for _, c := range visible {
			order = append(order, expr.SortOrder{Child: c, Desc: dir.Desc, NullsFirst: dir.NullsFirst})
		}
		return order, r.orderable(order)
	}
	order := make([]expr.SortOrder, 0, len(p.Order))
	for _, o := range p.Order {
		e, err := r.sortKey(o.Child, visible, s)
		if err != nil {
			return nil, err
		}
		if list, ok := e.(starKeys); ok {
			for _, k := range list.keys {
				order = append(order, expr.SortOrder{Child: unalias(k), Desc: o.Desc, NullsFirst: o.NullsFirst})
			}
			continue
		}
		order = append(order, expr.SortOrder{Child: unalias(e), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	return order, r.orderable(order)
}

// starKeys carries the columns of a star in ORDER BY.
type starKeys struct {
	expr.Expr
	keys []expr.Expr
}

func (r *resolver) sortKey(e expr.Expr, out []*expr.Column, s *scope) (expr.Expr, error) {
	switch x := e.(type) {
	case *expr.Literal:
		if x.T.Kind != types.IntKind || x.Value == nil || r.conf("spark.sql.orderByOrdinal") == "false" {
			return x, nil
		}
		n := int(x.Value.(int32))
		if n < 1 || n > len(out) {
			return nil, fail(x.At, "ORDER_BY_POS_OUT_OF_RANGE", "index", itoa(n), "size", itoa(len(out)))
		}
		return out[n-1], nil
	case *expr.Star, *expr.Regex:
		keys, err := r.expand(e, s)
		return starKeys{keys: keys}, err
	}
	k, err := r.expr(e, s)
	if err == nil || s.below == nil || !unfit(err) {
		return k, err
	}
	// The output's column of that name does not fit: the input's may.
	if below, again := r.expr(e, &scope{cols: s.below.cols, below: &scope{cols: s.cols}, df: s.df}); again == nil {
		return below, nil
	}
	return k, err
}

// unfit says whether a name was found, but is not the right one.
func unfit(err error) bool {
	return sparkerr.Is(err, "AMBIGUOUS_REFERENCE") || sparkerr.Is(err, "INVALID_EXTRACT_BASE_FIELD_TYPE") || sparkerr.Is(err, "FIELD_NOT_FOUND")
}

func (r *resolver) orderable(order []expr.SortOrder) error {
	for i := range order {
		o := &order[i]
		if t := o.Child.Type(); !t.IsOrderable() {
			return fail(originOf(o.Child), "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", "`sortorder`", "dataType", sqlType(t), "sqlExpr", `"`+o.SQL()+`"`)
		}
	}
	return nil
}

// pulling resolves expressions above a resolved plan. Names that the plan's output lacks are looked for below its
// projections (DataFrame filters and sorts may name columns that a select before dropped), and carried up.
func (r *resolver) pulling(x rel, s *scope, f func() ([]expr.Expr, error)) (rel, error) {
	_, err := f()
	if err == nil {
		return x, nil
	}
	if !sparkerr.Is(err, "UNRESOLVED_COLUMN") && !sparkerr.Is(err, "CANNOT_RESOLVE_DATAFRAME_COLUMN") {
		return x, err
	}
	below := hiddenBelow(x.p, x.out)
	if len(below) == 0 {
		return x, err
	}
	s.below = &scope{cols: below, df: allNodes(s.df)}
	list, again := f()
	if again != nil {
		return x, err
	}
	used := map[expr.ID]*expr.Column{}
	for _, e := range list {
		expr.Columns(e, used)
	}
	var wanted []*expr.Column
	for _, c := range below {
		if used[c.ID] != nil {
			wanted = append(wanted, c)
		}
	}
	return rel{p: carry(x.p, wanted), out: x.out}, nil
}

// allNodes are DataFrame nodes and all below them.
func allNodes(list []*dfNode) []*dfNode {
	var out []*dfNode
	for _, n := range list {
		out = append(append(out, n), allNodes(n.children)...)
	}
	return out
}

// hiddenBelow are the columns below the projections of p that p could pass on.
func hiddenBelow(p logical.Plan, out []*expr.Column) []*expr.Column {
	switch x := p.(type) {
	case *logical.Project:
		var more []*expr.Column
		for _, c := range append(x.Child.Output(), hiddenBelow(x.Child, x.Child.Output())...) {
			if !contains(out, c.ID) && !contains(more, c.ID) {
				more = append(more, c)
			}
		}
		return more
	case *logical.Aggregate:
		var more []*expr.Column
		for _, g := range x.Group {
			if c, ok := g.(*expr.Column); ok && !contains(out, c.ID) {
				more = append(more, c)
			}
		}
		return more
	case *logical.Filter:
		return hiddenBelow(x.Child, out)
	case *logical.Sort:
		return hiddenBelow(x.Child, out)
	case *logical.Limit:
		return hiddenBelow(x.Child, out)
	case *logical.Offset:
		return hiddenBelow(x.Child, out)
	case *logical.Sample:
		return hiddenBelow(x.Child, out)
	case *logical.Repartition:
		return hiddenBelow(x.Child, out)
	}
	return nil
}

// carry adds columns to the projections of p down to where they come from.
func carry(p logical.Plan, cols []*expr.Column) logical.Plan {
	switch x := p.(type) {
	case *logical.Project:
		child := x.Child
		have := child.Output()
		for _, c := range cols {
			if !contains(have, c.ID) {
				child = carry(child, cols)
				break
			}
		}
		list := x.List[:len(x.List):len(x.List)]
		out := outputs(list)
		for _, c := range cols {
			if !contains(out, c.ID) {
				list = append(list, c)
			}
		}
		return &logical.Project{List: list, Child: child}
	case *logical.Aggregate:
		list := x.List[:len(x.List):len(x.List)]
		out := outputs(list)
		for _, c := range cols {
			if !contains(out, c.ID) && inGroup(x.Group, c) {
				list = append(list, c)
			}
		}
		return &logical.Aggregate{Group: x.Group, List: list, Child: x.Child}
	case *logical.Filter, *logical.Sort, *logical.Limit, *logical.Offset, *logical.Sample, *logical.Repartition:
		return p.WithChildren([]logical.Plan{carry(p.Children()[0], cols)})
	}
	return p
}

// finishPulled cuts the columns that were carried up.
func finishPulled(p logical.Plan, x, q rel) logical.Plan {
	if q.p == x.p {
		return p
	}
	return &logical.Project{List: columnExprs(x.out), Child: p}
}
