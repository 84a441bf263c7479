package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// inner resolves a plan inside of an expression (or the right side of a lateral join): names that it does not know are looked
// up in s and in the scopes around. used are the columns of s and of the scopes around that it refers to.
func (r *resolver) inner(p logical.Plan, s *scope) (x rel, used []*expr.Column, err error) {
	f := &frame{scope: s, parent: r.frame}
	windows, flags, frames := r.windows, r.flags, r.frames
	r.frame, r.windows, r.frames = f, nil, nil
	r.nest++
	x, err = r.query(p)
	r.nest--
	r.frame, r.windows, r.frames, r.flags = f.parent, windows, frames, flags
	return x, f.used, err
}

// outerRefs are the outer columns of a subquery as the expressions of the query around it see them.
func outerRefs(used []*expr.Column, s *scope) []expr.Expr {
	if len(used) == 0 {
		return nil
	}
	out := make([]expr.Expr, len(used))
	for i, c := range used {
		if contains(s.cols, c.ID) || s.below != nil && contains(s.below.cols, c.ID) {
			out[i] = c
		} else {
			out[i] = &expr.OuterRef{Col: c}
		}
	}
	return out
}

func (r *resolver) subquery(x *expr.Subquery, s *scope) (expr.Expr, error) {
	p, err := r.subqueryPlan(x)
	if err != nil {
		return nil, err
	}
	values, err := r.inValues(x, s)
	if err != nil {
		return nil, err
	}
	q, used, err := r.inner(p, s)
	if err != nil {
		return nil, err
	}
	r.subqueries++
	y := *x
	y.ID, y.PlanRef, y.Plan, y.Values = expr.NextID(), 0, q.p, values
	y.Outer = outerRefs(used, s)
	r.flags |= hasSubquery
	switch x.Kind {
	case expr.ScalarSubquery:
		if len(q.out) != 1 {
			return nil, fail(x.At, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(q.out)))
		}
		y.T, y.Null = q.out[0].T, true
	case expr.ArraySubquery:
		if len(q.out) != 1 {
			return nil, fail(x.At, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(q.out)))
		}
		y.T = types.Array(q.out[0].T, q.out[0].Null)
	case expr.ExistsSubquery:
		y.T = types.Boolean
	case expr.InSubquery:
		return r.inSubquery(&y, q)
	}
	return &y, nil
}

func (r *resolver) subqueryPlan(x *expr.Subquery) (logical.Plan, error) {
	if x.PlanRef != 0 {
		p, ok := r.refs[x.PlanRef]
		if !ok {
			return nil, fail(x.At, "CONNECT_INVALID_PLAN.INVALID_WITH_RELATION_REFERENCE")
		}
		return p, nil
	}
	return x.Plan.(logical.Plan), nil
}

// inValues resolves the left side of IN; one struct stands for its fields.
func (r *resolver) inValues(x *expr.Subquery, s *scope) ([]expr.Expr, error) {
	values, err := r.exprs(x.Values, s)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		values[i] = unalias(v)
	}
	if len(values) != 1 {
		return values, nil
	}
	if c, ok := expr.IsCall(values[0], "named_struct"); ok && !isAttribute(x.Values[0]) {
		var fields []expr.Expr
		for i := 1; i < len(c.Args); i += 2 {
			fields = append(fields, c.Args[i])
		}
		return fields, nil
	}
	return values, nil
}

func isAttribute(e expr.Expr) bool { _, ok := e.(*expr.Attribute); return ok }

// inSubquery brings both sides of IN to common types.
func (r *resolver) inSubquery(y *expr.Subquery, q rel) (expr.Expr, error) {
	y.T = types.Boolean
	if len(y.Values) != len(q.out) {
		return nil, fail(y.At, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "sqlExpr", r.sqlExpr(y), "leftLength", itoa(len(y.Values)),
			"rightLength", itoa(len(q.out)), "leftColumns", r.quotedList(y.Values), "rightColumns", r.quotedList(columnExprs(q.out)))
	}
	values, list := make([]expr.Expr, len(y.Values)), make([]expr.Expr, len(q.out))
	changed := false
	for i, v := range y.Values {
		c := q.out[i]
		t, ok := r.common(v.Type(), c.T)
		if !ok {
			return nil, r.inMismatch(y, q)
		}
		values[i], list[i] = r.to(v, t), c
		if e := r.to(c, t); e != expr.Expr(c) {
			changed = true
			list[i] = &expr.Alias{Child: e, Name: c.Name, ID: expr.NextID(), Auto: true}
		}
		y.Null = y.Null || v.Nullable() || c.Null
	}
	y.Values = values
	if changed {
		y.Plan = &logical.Project{List: list, Child: q.p}
	}
	return y, nil
}

func (r *resolver) inMismatch(y *expr.Subquery, q rel) error {
	var bad, left, right []string
	for i, v := range y.Values {
		c := q.out[i]
		left, right = append(left, sqlType(v.Type())), append(right, sqlType(c.T))
		if _, ok := r.common(v.Type(), c.T); !ok {
			bad = append(bad, "("+r.sql(v)+":"+v.Type().String()+", "+qualified(c)+":"+c.T.String()+")")
		}
	}
	return fail(y.At, "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "sqlExpr", r.sqlExpr(y), "mismatchedColumns", strings.Join(bad, ", "),
		"leftType", strings.Join(left, ", "), "rightType", strings.Join(right, ", "))
}

func (r *resolver) quotedList(list []expr.Expr) string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = r.sqlExpr(e)
	}
	return strings.Join(s, ", ")
}

// qualified is a column's name with its qualifier.
func qualified(c *expr.Column) string {
	return strings.Join(append(c.Qualifier[:len(c.Qualifier):len(c.Qualifier)], c.Name), ".")
}
