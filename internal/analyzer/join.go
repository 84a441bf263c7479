package analyzer

import (
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

func (r *resolver) join(p *logical.Join) (rel, error) {
	left, err := r.closed(p.Left)
	if err != nil {
		return rel{}, err
	}
	right, err := r.joinRight(p, left)
	if err != nil {
		return rel{}, err
	}
	q := *p
	q.Left, q.Right, q.Using, q.Natural, q.Cond = left.p, right.p, nil, false, nil
	if left.hint != "" {
		q.Hint.Left = left.hint
	}
	if right.hint != "" {
		q.Hint.Right = right.hint
	}
	names := p.Using
	if p.Natural {
		names = r.commonNames(left.out, right.out)
	}
	if len(names) > 0 {
		return r.usingJoin(&q, names, left, right)
	}
	q.Cond, err = r.joinCondition(p, left, right)
	if err != nil {
		return rel{}, err
	}
	if p.Lateral {
		if g := lateralGenerator(p.Kind, q.Cond, left, right); g != nil {
			return rel{p: g, out: g.Output(), hint: left.hint}, nil
		}
	}
	return rel{p: &q, out: joinOutput(p.Kind, left.out, right.out, q.Hint.Exists), hint: joinHint(p.Kind, left)}, nil
}

// joinHint: a semi or anti join passes on the hint of its left side.
func joinHint(k logical.JoinKind, left rel) string {
	if k == logical.SemiJoin || k == logical.AntiJoin {
		return left.hint
	}
	return ""
}

func (r *resolver) joinRight(p *logical.Join, left rel) (rel, error) {
	if !p.Lateral {
		return r.closed(p.Right)
	}
	s := &scope{cols: left.out}
	right, _, err := r.inner(p.Right, s)
	return right, err
}

func joinOutput(k logical.JoinKind, left, right []*expr.Column, exists *expr.Column) []*expr.Column {
	l := left[:len(left):len(left)]
	switch k {
	case logical.SemiJoin, logical.AntiJoin:
		return l
	case logical.ExistenceJoin:
		return append(l, exists)
	case logical.LeftJoin:
		return append(l, nullableColumns(right)...)
	case logical.RightJoin:
		return append(nullableColumns(l), right...)
	case logical.FullJoin:
		return append(nullableColumns(l), nullableColumns(right)...)
	}
	return append(l, right...)
}

func nullableColumns(cols []*expr.Column) []*expr.Column {
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		out[i] = c
		if !c.Null {
			q := *c
			q.Null = true
			out[i] = &q
		}
	}
	return out
}

func (r *resolver) joinCondition(p *logical.Join, left, right rel) (expr.Expr, error) {
	if p.Cond == nil {
		return nil, nil
	}
	before := r.flags
	r.flags = 0
	s := &scope{cols: append(left.out[:len(left.out):len(left.out)], right.out...), df: r.frames}
	cond, err := r.condition(p.Cond, s)
	if err != nil {
		return nil, err
	}
	found := r.flags
	r.flags = before
	at := originOf(p.Cond)
	if t := cond.Type(); t.Kind != types.BooleanKind && t.Kind != types.NullKind {
		return nil, fail(at, "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "joinCondition", r.sqlExpr(cond), "conditionType", sqlType(t))
	}
	switch {
	case found&hasWindow != 0:
		return nil, fail(at, "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "JOIN")
	case found&(hasAgg|hasGenerator) != 0:
		return nil, fail(at, "UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "JOIN", "invalidExprSqls", r.sqlExpr(cond))
	}
	return r.to(cond, types.Boolean), nil
}

func (r *resolver) commonNames(left, right []*expr.Column) []string {
	var names []string
	for _, l := range left {
		for _, x := range right {
			if !l.Hidden && !x.Hidden && r.same(l.Name, x.Name) {
				names = append(names, l.Name)
				break
			}
		}
	}
	return names
}

// usingKey finds the column of one side that USING names.
func (r *resolver) usingKey(name, side string, cols []*expr.Column) (*expr.Column, error) {
	found := r.pick(&scope{cols: cols}, nil, name)
	switch {
	case len(found) == 0 || found[0].Hidden:
		names := make([]string, 0, len(cols))
		for _, c := range cols {
			if !c.Hidden {
				names = append(names, sqlID(c.Name))
			}
		}
		slices.Sort(names)
		return nil, fail(nil, "UNRESOLVED_USING_COLUMN_FOR_JOIN", "colName", sqlID(name), "side", side, "suggestion", strings.Join(names, ", "))
	case len(found) > 1:
		return nil, ambiguous(nil, []string{name}, found)
	}
	return found[0], nil
}

// usingJoin joins on equal columns and merges each pair into one. The other side's columns stay reachable by qualified name.
func (r *resolver) usingJoin(q *logical.Join, names []string, left, right rel) (rel, error) {
	var lk, rk []*expr.Column
	var cond expr.Expr
	for _, n := range names {
		l, err := r.usingKey(n, "left", left.out)
		if err != nil {
			return rel{}, err
		}
		x, err := r.usingKey(n, "right", right.out)
		if err != nil {
			return rel{}, err
		}
		eq, err := r.operator("=", l, x)
		if err != nil {
			return rel{}, err
		}
		lk, rk = append(lk, l), append(rk, x)
		cond = expr.And(cond, eq)
	}
	q.Cond = cond
	if q.Kind == logical.CrossJoin {
		q.Kind = logical.InnerJoin
	}
	both := joinOutput(q.Kind, left.out, right.out, nil)
	nl := min(len(left.out), len(both))
	list, err := r.mergedColumns(q.Kind, lk, rk, both[:nl], both[nl:])
	if err != nil {
		return rel{}, err
	}
	return rel{p: &logical.Project{List: list, Child: q}, out: outputs(list), hint: joinHint(q.Kind, left)}, nil
}

func (r *resolver) operator(name string, args ...expr.Expr) (expr.Expr, error) {
	row, ok := builtin(&expr.Func{Name: []string{name}, Internal: true})
	if !ok {
		return nil, r.noRoutine(&expr.Func{Name: []string{name}})
	}
	return r.bind(row, &expr.Func{Name: []string{name}}, args)
}

func (r *resolver) mergedColumns(k logical.JoinKind, lk, rk, left, right []*expr.Column) ([]expr.Expr, error) {
	byID := func(cols []*expr.Column, id expr.ID) *expr.Column {
		for _, c := range cols {
			if c.ID == id {
				return c
			}
		}
		return nil
	}
	var list, hidden []expr.Expr
	hide := func(c *expr.Column) {
		q := *c
		q.Hidden = true
		hidden = append(hidden, &q)
	}
	for i := range lk {
		l := byID(left, lk[i].ID)
		switch k {
		case logical.SemiJoin, logical.AntiJoin, logical.ExistenceJoin:
			list = append(list, l)
		case logical.RightJoin:
			list = append(list, byID(right, rk[i].ID))
			hide(l)
		case logical.FullJoin:
			x := byID(right, rk[i].ID)
			e, err := r.operator("coalesce", l, x)
			if err != nil {
				return nil, err
			}
			list = append(list, &expr.Alias{Child: e, Name: l.Name, ID: expr.NextID()})
			hide(l)
			hide(x)
		default:
			list = append(list, l)
			hide(byID(right, rk[i].ID))
		}
	}
	for _, c := range left {
		if !contains(lk, c.ID) {
			list = append(list, c)
		}
	}
	for _, c := range right {
		if !contains(rk, c.ID) {
			list = append(list, c)
		}
	}
	return append(list, hidden...), nil
}
