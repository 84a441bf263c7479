package analyzer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

func (r *resolver) aggregate(p *logical.Aggregate) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	timed := r.timed
	defer func() { r.timed = timed }()
	if x, err = r.withTimeWindow(x, p.Group, p.List); err != nil {
		return rel{}, err
	}
	in := r.scopeOf(x)
	b := &block{child: x.p, in: in, agg: true, at: originOfPlan(p)}
	if err := r.selectList(b, p.List, in); err != nil {
		return rel{}, err
	}
	before := r.flags
	defer func() { r.flags = before }()
	if p.All {
		err = r.groupByAll(b)
	} else {
		err = r.groupBy(b, p.Group)
	}
	if err != nil {
		return rel{}, err
	}
	return rel{block: b, out: b.outputs(), hint: x.hint}, nil
}

// groupBy resolves the GROUP BY list: columns of the input, positions and names of the select list.
func (r *resolver) groupBy(b *block, group []expr.Expr) error {
	s := *b.in
	for _, e := range b.list {
		if a, ok := e.(*expr.Alias); ok {
			s.lca = append(s.lca, a)
		}
	}
	sets := false
	for _, g := range group {
		if _, ok := g.(*expr.GroupingSets); ok {
			sets = true
		}
	}
	if sets {
		return r.groupBySets(b, group, &s)
	}
	b.group = make([]expr.Expr, 0, len(group))
	for _, g := range group {
		e, err := r.groupItem(b, g, &s)
		if err != nil {
			return err
		}
		b.group = append(b.group, e)
	}
	if b.flags&hasGrouping != 0 {
		return fail(nil, "UNSUPPORTED_GROUPING_EXPRESSION")
	}
	return nil
}

func (r *resolver) groupItem(b *block, g expr.Expr, s *scope) (expr.Expr, error) {
	if l, ok := g.(*expr.Literal); ok && l.T.Kind == types.IntKind && l.Value != nil && r.conf("spark.sql.groupByOrdinal") != "false" {
		return r.groupPosition(b, l)
	}
	r.flags = 0
	e, err := r.expr(g, s)
	if err != nil {
		return nil, err
	}
	e = unalias(e)
	if r.flags&hasLCA != 0 {
		e = inline(e, b.list)
	}
	if a := findAgg(e); a != nil {
		return nil, fail(originOf(g), "GROUP_BY_AGGREGATE", "sqlExpr", r.full(a))
	}
	switch {
	case r.flags&hasWindow != 0 || expr.Any(e, isWindow):
		return nil, fail(originOf(g), "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "GROUP BY")
	case r.flags&hasGenerator != 0:
		return nil, fail(originOf(g), "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", "'Aggregate")
	}
	return e, r.groupable(e)
}

func isWindow(e expr.Expr) bool { _, ok := e.(*expr.Window); return ok }

// groupable: rows can be grouped by everything but variants and old intervals.
func (r *resolver) groupable(e expr.Expr) error {
	if t := e.Type(); !t.IsOrderable() && !t.HasMap() {
		return fail(originOf(e), "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "sqlExpr", r.sqlExpr(e), "dataType", sqlType(t))
	}
	return nil
}

func (r *resolver) groupPosition(b *block, l *expr.Literal) (expr.Expr, error) {
	n := int(l.Value.(int32))
	if n < 1 || n > len(b.list) {
		return nil, fail(l.At, "GROUP_BY_POS_OUT_OF_RANGE", "index", itoa(n), "size", itoa(len(b.list)))
	}
	e := unalias(b.list[n-1])
	if b.flags&hasLCA != 0 {
		e = inline(e, b.list)
	}
	if findAgg(e) != nil {
		return nil, fail(l.At, "GROUP_BY_POS_AGGREGATE", "index", itoa(n), "aggExpr", r.full(b.list[n-1]))
	}
	return e, r.groupable(e)
}

// findAgg is the first aggregate function in e that does not run over a window.
func findAgg(e expr.Expr) *expr.Agg {
	var found *expr.Agg
	walkAggs(e, func(a *expr.Agg) { found = a })
	return found
}

func walkAggs(e expr.Expr, f func(*expr.Agg)) {
	switch x := e.(type) {
	case *expr.Agg:
		f(x)
		return
	case *expr.Window:
		for i, c := range x.Children() {
			if i > 0 {
				walkAggs(c, f)
				continue
			}
			for _, a := range c.Children() {
				walkAggs(a, f)
			}
		}
		return
	}
	for _, c := range e.Children() {
		walkAggs(c, f)
	}
}

// groupByAll groups by the items without aggregates.
func (r *resolver) groupByAll(b *block) error {
	for _, e := range b.list {
		if findAgg(e) == nil && !expr.Any(e, isWindow) {
			g := unalias(e)
			if b.flags&hasLCA != 0 {
				g = inline(g, b.list)
			}
			b.group = append(b.group, g)
		}
	}
	for _, e := range b.list {
		if findAgg(e) != nil && len(b.group) == 0 && r.ungrouped(b, e) != nil {
			return fail(b.at, "UNRESOLVED_ALL_IN_GROUP_BY")
		}
	}
	if b.flags&hasGrouping != 0 {
		return fail(nil, "UNSUPPORTED_GROUPING_EXPRESSION")
	}
	return nil
}

// checkGrouped: outside of aggregates only groups may occur.
func (r *resolver) checkGrouped(b *block) error {
	for _, e := range b.list {
		if bad := r.ungrouped(b, e); bad != nil {
			return r.missingAggregation(b, bad)
		}
	}
	for _, g := range b.gens {
		if bad := r.ungrouped(b, g.call); bad != nil {
			return r.missingAggregation(b, bad)
		}
	}
	return nil
}

func (r *resolver) missingAggregation(b *block, bad expr.Expr) error {
	if s, ok := bad.(*expr.Subquery); ok {
		return fail(s.At, "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "sqlExpr", r.sqlExpr(s))
	}
	if len(b.group) == 0 {
		return fail(b.at, "MISSING_GROUP_BY")
	}
	return fail(nil, "MISSING_AGGREGATION", "expression", r.sqlExpr(bad), "expressionAnyValue", `"any_value(`+r.sql(bad)+`)"`)
}

// ungrouped finds a column in e that is neither grouped nor inside an aggregate.
func (r *resolver) ungrouped(b *block, e expr.Expr) expr.Expr {
	if inGroup(b.group, e) {
		return nil
	}
	switch x := e.(type) {
	case *expr.Agg, *expr.Literal, *expr.LambdaVar:
		return nil
	case *expr.Column:
		if b.owns(x.ID) {
			return nil
		}
		return x
	case *expr.Window:
		return r.ungroupedWindow(b, x)
	case *expr.Subquery:
		for _, o := range x.Outer {
			if r.ungrouped(b, o) != nil {
				return x
			}
		}
		for _, v := range x.Values {
			if bad := r.ungrouped(b, v); bad != nil {
				return bad
			}
		}
		return nil
	}
	for _, c := range e.Children() {
		if bad := r.ungrouped(b, c); bad != nil {
			return bad
		}
	}
	return nil
}

func (r *resolver) ungroupedWindow(b *block, w *expr.Window) expr.Expr {
	for i, c := range w.Children() {
		list := []expr.Expr{c}
		if i == 0 {
			list = c.Children()
		}
		for _, e := range list {
			if bad := r.ungrouped(b, e); bad != nil {
				return bad
			}
		}
	}
	return nil
}

// owns says whether an id is made by the block itself: an item referred to by lateral alias, or a generator's column.
func (b *block) owns(id expr.ID) bool {
	for _, e := range b.list {
		if a, ok := e.(*expr.Alias); ok && a.ID == id {
			return true
		}
	}
	for _, g := range b.gens {
		if contains(g.out, id) {
			return true
		}
	}
	return false
}

// checkMoved: what was moved above the aggregate may refer to its output only.
func (r *resolver) checkMoved(b *block, s *split, e expr.Expr) error {
	var bad *expr.Column
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok && bad == nil && !b.owns(c.ID) {
			known := false
			for _, p := range s.pieces {
				known = known || idOf(p) == c.ID
			}
			if !known {
				bad = c
			}
		}
		return true
	})
	if bad == nil {
		return nil
	}
	return unresolvedColumn(originOf(e), []string{bad.Name}, &scope{cols: outputs(b.list)})
}
