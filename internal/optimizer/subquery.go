package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// rewriteSubqueries turns subquery expressions into joins, innermost first. Uncorrelated scalar subqueries stay
// expressions (their value is computed once, before the query runs) with an optimized plan.
func rewriteSubqueries(c *Context, p logical.Plan) (logical.Plan, error) {
	r := &unnester{c: c}
	out := r.plan(p)
	return out, r.err
}

type unnester struct {
	c   *Context
	err error
}

func (r *unnester) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *unnester) plan(p logical.Plan) logical.Plan {
	p = logical.MapChildren(p, r.plan)
	if j, ok := p.(*logical.Join); ok && j.Lateral {
		p = r.lateral(j)
	}
	if !hasSubquery(p) {
		return p
	}
	switch n := p.(type) {
	case *logical.Filter:
		return r.filter(n)
	case *logical.Join:
		return r.joinCond(n)
	}
	if len(p.Children()) != 1 {
		return r.leaves(p)
	}
	return r.inExprs(p)
}

func hasSubquery(p logical.Plan) bool {
	for _, e := range p.Exprs() {
		if expr.Any(e, func(x expr.Expr) bool { _, ok := x.(*expr.Subquery); return ok }) {
			return true
		}
	}
	return false
}

// leaves handles nodes that cannot take a join below: only uncorrelated scalar subqueries may stand there.
func (r *unnester) leaves(p logical.Plan) logical.Plan {
	return logical.MapExprs(p, func(e expr.Expr) expr.Expr {
		return expr.Up(e, func(x expr.Expr) expr.Expr {
			if s, ok := x.(*expr.Subquery); ok {
				return r.scalarValue(s)
			}
			return x
		})
	})
}

// filter handles conjuncts one by one: [NOT] EXISTS and [NOT] IN become semi and anti joins, all else is computed by
// joins below and read from columns.
func (r *unnester) filter(f *logical.Filter) logical.Plan {
	out, child := f.Output(), r.child(f.Child)
	var rest []expr.Expr
	for _, cond := range expr.Conjuncts(f.Cond) {
		if next, ok := r.asJoin(child, cond); ok {
			child = next
			continue
		}
		rest = append(rest, cond)
	}
	width := len(child.Output())
	for i, cond := range rest {
		rest[i], child = r.replace(cond, child)
	}
	p := filter(child, rest)
	if width != len(child.Output()) {
		return &logical.Project{List: columns(out), Child: p}
	}
	return p
}

func (r *unnester) child(p logical.Plan) logical.Plan { return p }

// asJoin turns a conjunct that is a quantified subquery into a semi or anti join.
func (r *unnester) asJoin(child logical.Plan, cond expr.Expr) (logical.Plan, bool) {
	negate := false
	if n, ok := expr.IsCall(cond, "not"); ok {
		cond, negate = n.Args[0], true
	}
	s, ok := cond.(*expr.Subquery)
	if !ok || s.Kind != expr.ExistsSubquery && s.Kind != expr.InSubquery {
		return nil, false
	}
	s, child = r.plainValues(s, child)
	sub, conds := r.quantified(s, child)
	kind := logical.SemiJoin
	hint := logical.JoinHint{}
	if negate {
		kind = logical.AntiJoin
		if s.Kind == expr.InSubquery && r.mayBeNull(s, conds) {
			hint.NullAware = len(conds) == len(s.Values)
			if !hint.NullAware {
				conds = unknownMatches(conds, len(s.Values))
			}
		}
	}
	return &logical.Join{Left: child, Right: sub, Kind: kind, Cond: expr.And(conds...), Hint: hint}, true
}

// plainValues computes the subqueries on the left side of an IN by joins over child.
func (r *unnester) plainValues(s *expr.Subquery, child logical.Plan) (*expr.Subquery, logical.Plan) {
	var values []expr.Expr
	for i, v := range s.Values {
		if hasSubqueryExpr(v) && values == nil {
			values = append(values, s.Values[:i]...)
		}
		if values != nil {
			v, child = r.replace(v, child)
			values = append(values, v)
		}
	}
	if values == nil {
		return s, child
	}
	q := *s
	q.Values = values
	return &q, child
}

// unknownMatches makes the first n equalities, those of a correlated NOT IN, hold when a side is null: such a pair keeps the
// outer row out as a match does.
func unknownMatches(conds []expr.Expr, n int) []expr.Expr {
	out := append([]expr.Expr(nil), conds...)
	for i := range n {
		eq := conds[i].(*expr.Call)
		null := expr.NewCall("or", types.Boolean, isNull(eq.Args[0]), isNull(eq.Args[1]))
		out[i] = expr.NewCall("or", types.Boolean, eq, null)
	}
	return out
}

func hasSubqueryExpr(e expr.Expr) bool {
	return expr.Any(e, func(x expr.Expr) bool { _, ok := x.(*expr.Subquery); return ok })
}

// mayBeNull says whether a NOT IN can meet a null on either side.
func (r *unnester) mayBeNull(s *expr.Subquery, conds []expr.Expr) bool {
	for i, v := range s.Values {
		if v.Nullable() {
			return true
		}
		if eq, ok := expr.IsCall(conds[i], "="); ok && eq.Args[1].Nullable() {
			return true
		}
	}
	return false
}

// quantified decorrelates the plan of an IN or EXISTS and gives the join conditions: the equalities of IN first.
func (r *unnester) quantified(s *expr.Subquery, child logical.Plan) (logical.Plan, []expr.Expr) {
	sub := r.plan(s.Plan.(logical.Plan))
	if s.Kind == expr.ExistsSubquery {
		sub = dropForExists(sub)
	}
	sub = disjoint(sub, child)
	values := sub.Output()
	if len(values) > len(s.Values) {
		values = values[:len(s.Values)]
	}
	var conds []expr.Expr
	for i, v := range s.Values {
		conds = append(conds, expr.Eq(v, values[i]))
	}
	out, pulled, ok := pullUp(sub, child)
	if !ok {
		out, pulled, ok = decorrelate(sub, child)
	}
	if !ok {
		r.fail(unsupported(s))
		return sub, conds
	}
	return out, append(conds, pulled...)
}

// dropForExists removes what does not change whether there is a row.
func dropForExists(p logical.Plan) logical.Plan {
	switch n := p.(type) {
	case *logical.Project:
		return dropForExistsProject(n)
	case *logical.Sort:
		return dropForExists(n.Child)
	case *logical.Limit:
		if l, ok := n.N.(*expr.Literal); ok && l.Value != int32(0) && l.Value != int64(0) {
			return dropForExists(n.Child)
		}
	}
	return p
}

func dropForExistsProject(n *logical.Project) logical.Plan { return dropForExists(n.Child) }

// disjoint renews the subquery's ids if it shares some with the outer side, as when both read one relation node.
func disjoint(sub, outer logical.Plan) logical.Plan {
	have := ids(outer.Output())
	clash := false
	logical.Walk(sub, func(n logical.Plan) bool {
		for _, c := range n.Output() {
			clash = clash || have[c.ID]
		}
		return !clash
	})
	if !clash {
		return sub
	}
	return freshInner(sub)
}

// freshInner renews the ids that a subquery makes, outer references apart.
func freshInner(p logical.Plan) logical.Plan {
	r := &renewer{ids: map[expr.ID]expr.ID{}}
	outer := map[expr.ID]*expr.Column{}
	logical.Walk(p, func(n logical.Plan) bool {
		for _, e := range n.Exprs() {
			expr.Walk(e, func(x expr.Expr) bool {
				if o, ok := x.(*expr.OuterRef); ok {
					outer[o.Col.ID] = o.Col
				}
				return true
			})
		}
		return true
	})
	out := r.plan(p)
	back := map[expr.ID]*expr.Column{}
	for id, c := range outer {
		if n, ok := r.ids[id]; ok {
			back[n] = c
		}
	}
	if len(back) == 0 {
		return out
	}
	return logical.UpExprs(out, func(x expr.Expr) expr.Expr {
		if o, ok := x.(*expr.OuterRef); ok {
			if c, ok := back[o.Col.ID]; ok {
				return &expr.OuterRef{Col: c}
			}
		}
		return x
	})
}

func unsupported(s *expr.Subquery) error {
	return sparkerr.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_COLUMN_IS_NOT_ALLOWED_IN_PREDICATE", "treeNode", s.SQL())
}

// inExprs handles subqueries in projections, aggregates, sorts …: joins below compute them.
func (r *unnester) inExprs(p logical.Plan) logical.Plan {
	child := p.Children()[0]
	width := len(child.Output())
	out := p.Output()
	n := logical.MapExprs(p, func(e expr.Expr) expr.Expr {
		if !hasSubqueryExpr(e) {
			return e
		}
		var next expr.Expr
		next, child = r.replace(e, child)
		return next
	})
	n = n.WithChildren([]logical.Plan{child})
	if len(child.Output()) != width && len(n.Output()) != len(out) {
		return &logical.Project{List: columns(out), Child: n}
	}
	return n
}

// joinCond handles a join whose condition holds subqueries: those over one side are computed there.
func (r *unnester) joinCond(j *logical.Join) logical.Plan {
	if j.Kind == logical.InnerJoin || j.Kind == logical.CrossJoin {
		bare := *j
		bare.Cond, bare.Kind = nil, logical.InnerJoin
		return r.filter(&logical.Filter{Cond: j.Cond, Child: &bare})
	}
	out := j.Output()
	left, right := j.Left, j.Right
	cond := expr.Up(j.Cond, func(x expr.Expr) expr.Expr {
		s, ok := x.(*expr.Subquery)
		if !ok {
			return x
		}
		var next expr.Expr
		if len(s.Outer) > 0 && within(expr.And(s.Outer...), ids(right.Output())) {
			next, right = r.replace(s, right)
		} else {
			next, left = r.replace(s, left)
		}
		return next
	})
	q := *j
	q.Left, q.Right, q.Cond = left, right, cond
	if len(q.Output()) != len(out) {
		return &logical.Project{List: columns(out), Child: &q}
	}
	return &q
}

// replace computes the subqueries of e by joins over child, and gives e over their columns.
func (r *unnester) replace(e expr.Expr, child logical.Plan) (expr.Expr, logical.Plan) {
	out := expr.Up(e, func(x expr.Expr) expr.Expr {
		s, ok := x.(*expr.Subquery)
		if !ok {
			return x
		}
		switch s.Kind {
		case expr.ExistsSubquery, expr.InSubquery:
			var col expr.Expr
			col, child = r.existence(s, child)
			return col
		case expr.ScalarSubquery:
			if len(outerRefs(s.Plan.(logical.Plan))) == 0 {
				return r.scalarValue(s)
			}
			var val expr.Expr
			val, child = r.scalarJoin(s, child)
			return val
		}
		r.fail(sparkerr.Unsupported("subquery as " + s.SQL()))
		return x
	})
	return out, child
}

// existence adds a boolean column that says whether the subquery has a match; IN with nulls becomes null where SQL says so.
func (r *unnester) existence(s *expr.Subquery, child logical.Plan) (expr.Expr, logical.Plan) {
	sub, conds := r.quantified(s, child)
	mark := &expr.Column{ID: expr.NextID(), Name: "exists", T: types.Boolean}
	j := &logical.Join{Left: child, Right: sub, Kind: logical.ExistenceJoin, Cond: expr.And(conds...), Hint: logical.JoinHint{Exists: mark}}
	if s.Kind != expr.InSubquery || !r.mayBeNull(s, conds) {
		return mark, j
	}
	return r.nullAware(s, sub, conds, mark, j)
}

// nullAware gives x IN (…) its third value: null when there is no match, but a null on either side might have been one.
func (r *unnester) nullAware(s *expr.Subquery, sub logical.Plan, conds []expr.Expr, mark *expr.Column, j logical.Plan) (expr.Expr, logical.Plan) {
	maybe := make([]expr.Expr, len(conds))
	for i, c := range conds {
		maybe[i] = c
		if i < len(s.Values) {
			eq := c.(*expr.Call)
			null := expr.NewCall("or", types.Boolean, isNull(eq.Args[0]), isNull(eq.Args[1]))
			maybe[i] = expr.NewCall("or", types.Boolean, c, null)
		}
	}
	again := fresh(sub)
	by := map[expr.ID]expr.Expr{}
	for i, c := range sub.Output() {
		by[c.ID] = again.Output()[i]
	}
	for i := range maybe {
		maybe[i] = substitute(maybe[i], by)
	}
	doubt := &expr.Column{ID: expr.NextID(), Name: "doubt", T: types.Boolean}
	j2 := &logical.Join{Left: j, Right: again, Kind: logical.ExistenceJoin, Cond: expr.And(maybe...), Hint: logical.JoinHint{Exists: doubt}}
	val := &expr.Call{Name: "when", T: types.Boolean, Null: true, Args: []expr.Expr{mark, expr.True, doubt, expr.NullBool, expr.False}}
	return val, j2
}

func isNull(e expr.Expr) expr.Expr {
	return &expr.Call{Name: "isnull", Args: []expr.Expr{e}, T: types.Boolean}
}

// scalarValue optimizes the plan of an uncorrelated subquery, whatever its kind, to one value.
func (r *unnester) scalarValue(s *expr.Subquery) expr.Expr {
	q := *s
	q.Outer = nil
	plan := s.Plan.(logical.Plan)
	switch s.Kind {
	case expr.ScalarSubquery:
	case expr.ExistsSubquery:
		one := expr.NewLiteral(int32(1), types.Int)
		plan = &logical.Limit{N: one, Child: dropForExists(plan)}
		count := expr.NewAlias(&expr.Agg{Name: "count", Args: []expr.Expr{one}, T: types.Long}, "n")
		plan = &logical.Aggregate{List: []expr.Expr{count}, Child: plan}
		test := expr.NewAlias(expr.NewCall(">", types.Boolean, count.Column(), expr.NewLiteral(int64(0), types.Long)), "exists")
		plan = &logical.Project{List: []expr.Expr{test}, Child: plan}
		q.Kind = expr.ScalarSubquery
	default:
		r.fail(unsupported(s))
		return s
	}
	if len(outerRefs(plan)) > 0 {
		r.fail(unsupported(s))
		return s
	}
	opt, err := Optimize(r.c, plan)
	if err != nil {
		r.fail(err)
		return s
	}
	q.Plan = opt
	return &q
}

// scalarJoin computes a correlated scalar subquery by a left join.
func (r *unnester) scalarJoin(s *expr.Subquery, child logical.Plan) (expr.Expr, logical.Plan) {
	sub := disjoint(r.plan(s.Plan.(logical.Plan)), child)
	value := sub.Output()[0]
	val := expr.Expr(nullableColumn(value))
	u := &puller{outer: ids(child.Output())}
	var empty expr.Expr
	u.global, empty = globalValue(sub)
	plan, conds, ok := u.plan(sub)
	if !ok {
		empty = nil
		plan, conds, ok = decorrelate(sub, child)
	}
	if !ok {
		r.fail(unsupported(s))
		return s, child
	}
	if empty != nil {
		mark := expr.NewAlias(expr.True, "matched")
		plan = &logical.Project{List: append(columns(plan.Output()), mark), Child: plan}
		matched := mark.Column()
		matched.Null = true
		val = &expr.Call{Name: "when", T: value.T, Null: true, Args: []expr.Expr{isNull(matched), empty, val}}
	}
	hint := logical.JoinHint{Single: u.global == nil}
	return val, &logical.Join{Left: child, Right: plan, Kind: logical.LeftJoin, Cond: expr.And(conds...), Hint: hint}
}

func nullableColumn(c *expr.Column) *expr.Column {
	q := *c
	q.Null = true
	return &q
}

// globalValue finds the aggregate without groups that gives a subquery its one row, below projections, and what the
// subquery yields for no input rows (count gives 0): nil for null.
func globalValue(p logical.Plan) (global *logical.Aggregate, empty expr.Expr) {
	var list []expr.Expr
	for {
		switch n := p.(type) {
		case *logical.Project:
			if list == nil {
				list = n.List[:1]
			} else {
				list = []expr.Expr{substitute(list[0], definitions(n.List))}
			}
			p = n.Child
			continue
		case *logical.Aggregate:
			if len(n.Group) > 0 {
				return nil, nil
			}
			top := n.List[0]
			if list != nil {
				top = substitute(list[0], definitions(n.List))
			}
			if a, ok := top.(*expr.Alias); ok {
				top = a.Child
			}
			return n, overNothing(top)
		}
		return nil, nil
	}
}

// emptyAgg is an aggregate's value over no rows.
func emptyAgg(a *expr.Agg) *expr.Literal {
	switch a.Name {
	case "count", "count_if", "approx_count_distinct", "regr_count":
		return &expr.Literal{Value: int64(0), T: a.T}
	case "collect_list", "collect_set", "array_agg":
		return &expr.Literal{Value: []any{}, T: a.T}
	}
	return &expr.Literal{T: a.T}
}
