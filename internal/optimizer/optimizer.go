// Package optimizer rewrites resolved logical plans into cheaper ones of the same meaning: it simplifies expressions,
// turns subqueries into joins, pushes filters down, orders joins by estimates, and prunes columns. It is pure.
package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
)

// Context is what the rules need of the session.
type Context struct {
	// Fold evaluates a constant expression. When it fails the expression is left for run time.
	Fold func(e expr.Expr) (any, error)
	// Estimator is shared with the physical planner.
	Estimator *logical.Estimator
	// Excluded names rules that the user switched off.
	Excluded map[string]bool
}

// Rule is one rewriting of a whole plan.
type Rule struct {
	Name  string
	Apply func(c *Context, p logical.Plan) (logical.Plan, error)
}

// Rules are the rewritings in the order in which a plan goes through them.
func Rules() []Rule {
	return []Rule{
		{"EliminateSubqueryAliases", dropAliases},
		{"InlineCTE", inlineCTEs},
		{"ReplaceOperators", replaceOperators},
		{"ConstantFolding", simplify},
		{"RewriteSubqueries", rewriteSubqueries},
		{"PushDownPredicates", pushFilters},
		{"PushDownLeftSemiAntiJoin", pushSemiJoins},
		{"PushDownPredicatesAgain", pushFilters},
		{"ConstantFoldingAgain", simplify},
		{"PropagateEmptyRelation", propagateEmpty},
		{"CostBasedJoinReorder", reorderJoins},
		{"ColumnPruning", pruneColumns},
		{"CollapseProject", collapseProjects},
		{"DistinctBelowJoin", distinctBelowJoins},
		{"LimitRecursion", limitRecursion},
	}
}

// Optimize applies all rules in order. A rule that fails fails the query.
func Optimize(c *Context, p logical.Plan) (logical.Plan, error) {
	for _, r := range Rules() {
		if c.Excluded[r.Name] {
			continue
		}
		next, err := r.Apply(c, p)
		if err != nil {
			return nil, err
		}
		p = next
	}
	return p, nil
}

// each lifts a rewriting of single nodes, bottom-up. Plans inside subquery expressions are rewritten too.
func each(f func(logical.Plan) logical.Plan) func(*Context, logical.Plan) (logical.Plan, error) {
	return func(_ *Context, p logical.Plan) (logical.Plan, error) { return everywhere(p, f), nil }
}

// everywhere is logical.Up over a plan and the plans inside its subquery expressions.
func everywhere(p logical.Plan, f func(logical.Plan) logical.Plan) logical.Plan {
	return logical.Up(p, func(n logical.Plan) logical.Plan {
		return f(mapSubqueries(n, func(q logical.Plan) logical.Plan { return everywhere(q, f) }))
	})
}

// dropAliases removes nodes that only matter for names.
func dropAliases(c *Context, p logical.Plan) (logical.Plan, error) {
	return each(func(n logical.Plan) logical.Plan {
		switch x := n.(type) {
		case *logical.SubqueryAlias:
			return x.Child
		case *logical.PlanID:
			return x.Child
		case *logical.WithWindows:
			return x.Child
		}
		return n
	})(c, p)
}

// deterministic says whether e gives the same value whenever it is computed on the same row.
func deterministic(e expr.Expr) bool {
	return !expr.Any(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Call)
		if !ok {
			return false
		}
		r, found := function.Lookup(c.Name)
		return found && r.NonDeterministic
	})
}

// ids is the set of column ids of an output.
func ids(cols []*expr.Column) map[expr.ID]bool {
	m := make(map[expr.ID]bool, len(cols))
	for _, c := range cols {
		m[c.ID] = true
	}
	return m
}

// within says whether all columns of e are in the set (none at all counts), and no outer reference is left in it.
func within(e expr.Expr, set map[expr.ID]bool) bool {
	ok := true
	expr.Walk(e, func(x expr.Expr) bool {
		switch c := x.(type) {
		case *expr.Column:
			ok = ok && set[c.ID]
		case *expr.OuterRef:
			ok = false
		}
		return ok
	})
	return ok
}

// substitute replaces columns by expressions.
func substitute(e expr.Expr, by map[expr.ID]expr.Expr) expr.Expr {
	if len(by) == 0 {
		return e
	}
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.Column); ok {
			if to, ok := by[c.ID]; ok {
				return to
			}
		}
		return x
	})
}

// definitions maps the ids of a projection's aliases to their expressions.
func definitions(list []expr.Expr) map[expr.ID]expr.Expr {
	m := map[expr.ID]expr.Expr{}
	for _, e := range list {
		if a, ok := e.(*expr.Alias); ok {
			m[a.ID] = a.Child
		}
	}
	return m
}

func columns(cols []*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		out[i] = c
	}
	return out
}

// filter puts a Filter over p unless there are no conditions.
func filter(p logical.Plan, conds []expr.Expr) logical.Plan {
	if len(conds) == 0 {
		return p
	}
	return &logical.Filter{Cond: expr.And(conds...), Child: p}
}
