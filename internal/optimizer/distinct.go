package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// distinctBelowJoins removes duplicates before semi and anti joins rather than behind them, where there are many: of the side
// that is only looked into, and of the other one if its duplicates are removed afterwards anyway, as INTERSECT and EXCEPT do.
func distinctBelowJoins(c *Context, p logical.Plan) (logical.Plan, error) {
	return each(func(n logical.Plan) logical.Plan {
		switch x := n.(type) {
		case *logical.Join:
			return c.distinctRight(x)
		case *logical.Aggregate:
			return c.distinctLeft(x)
		}
		return n
	})(c, p)
}

// existence says whether a join only asks which left rows find a partner, by nothing but equal keys.
func existence(j *logical.Join) bool {
	_, rest := logical.EquiKeys(j)
	return (j.Kind == logical.SemiJoin || j.Kind == logical.AntiJoin) && len(rest) == 0 && !j.Hint.NullAware
}

func (c *Context) distinctRight(j *logical.Join) logical.Plan {
	if !existence(j) || !c.repetitive(j.Right) {
		return j
	}
	q := *j
	q.Right = distinct(j.Right)
	return &q
}

func (c *Context) distinctLeft(a *logical.Aggregate) logical.Plan {
	j, ok := a.Child.(*logical.Join)
	if !ok || !existence(j) || !onlyColumns(a) || !c.repetitive(j.Left) {
		return a
	}
	q := *j
	q.Left = distinct(j.Left)
	return &logical.Project{List: a.List, Child: &q}
}

// onlyColumns says whether an aggregate does nothing but remove duplicates of its child's rows.
func onlyColumns(a *logical.Aggregate) bool {
	in := a.Child.Output()
	if len(a.Group) != len(in) {
		return false
	}
	keys := map[expr.ID]bool{}
	for _, k := range a.Group {
		if c, ok := k.(*expr.Column); ok {
			keys[c.ID] = true
		}
	}
	for _, c := range in {
		if !keys[c.ID] {
			return false
		}
	}
	for _, e := range a.List {
		if !within(e, keys) || expr.Any(e, isAgg) {
			return false
		}
	}
	return true
}

func isAgg(e expr.Expr) bool {
	_, ok := e.(*expr.Agg)
	return ok
}

// repetitive says whether a plan is believed to yield many rows of which most are equal to others.
func (c *Context) repetitive(p logical.Plan) bool {
	const many, times = 50_000, 4
	if _, grouped := p.(*logical.Aggregate); grouped {
		return false
	}
	for _, col := range p.Output() {
		if !col.T.IsOrderable() {
			return false
		}
	}
	e := c.Estimator.Of(p)
	return e.Rows >= many && e.Rows >= times*e.Groups(columns(p.Output()))
}
