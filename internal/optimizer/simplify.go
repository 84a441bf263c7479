package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// simplify folds constants and simplifies boolean logic in every expression, and drops filters that are always true.
func simplify(c *Context, p logical.Plan) (logical.Plan, error) {
	return everywhere(p, func(n logical.Plan) logical.Plan {
		n = logical.MapExprs(n, func(e expr.Expr) expr.Expr { return c.simplifyNamed(e) })
		f, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		if l, ok := f.Cond.(*expr.Literal); ok {
			if l.Value == true {
				return f.Child
			}
			return &logical.LocalRelation{Out: f.Output()}
		}
		return n
	}), nil
}

// simplifyNamed keeps the top of named expressions.
func (c *Context) simplifyNamed(e expr.Expr) expr.Expr {
	if _, ok := e.(*expr.Alias); ok {
		return expr.MapChildren(e, c.simplifyExpr)
	}
	return c.simplifyExpr(e)
}

func (c *Context) simplifyExpr(e expr.Expr) expr.Expr {
	e = expr.MapChildren(e, c.simplifyExpr)
	switch x := e.(type) {
	case *expr.Call:
		if out := simplifyLogic(x); out != e {
			return out
		}
	case *expr.Cast:
		if x.Child.Type() == x.To {
			return x.Child
		}
	default:
		return e
	}
	return c.fold(e)
}

// fold replaces an expression over constants by its value; one that fails is left to fail when it is run.
func (c *Context) fold(e expr.Expr) expr.Expr {
	for _, a := range e.Children() {
		if _, ok := a.(*expr.Literal); !ok {
			return e
		}
	}
	if c.Fold == nil || !deterministic(e) {
		return e
	}
	if call, ok := e.(*expr.Call); ok && unfoldable(call) {
		return e
	}
	v, err := c.Fold(e)
	if err != nil {
		return e
	}
	return &expr.Literal{Value: v, T: e.Type()}
}

// unfoldable calls have no value of their own: generators, and functions that look at the task.
func unfoldable(c *expr.Call) bool {
	if row, ok := function.Lookup(c.Name); ok && row.Kind == function.Generator {
		return true
	}
	switch c.Name {
	case "assert_true", "raise_error", "spark_partition_id", "input_file_name",
		"monotonically_increasing_id", "sleep":
		return true
	}
	return false
}

func isBool(e expr.Expr, v bool) bool {
	l, ok := e.(*expr.Literal)
	return ok && l.Value == v
}

// simplifyLogic applies the laws of three-valued logic that need no evaluation.
func simplifyLogic(c *expr.Call) expr.Expr {
	switch {
	case c.Name == "and" && len(c.Args) == 2:
		a, b := c.Args[0], c.Args[1]
		switch {
		case isBool(a, true):
			return b
		case isBool(b, true):
			return a
		case isBool(a, false) || isBool(b, false):
			return expr.False
		}
	case c.Name == "or" && len(c.Args) == 2:
		a, b := c.Args[0], c.Args[1]
		switch {
		case isBool(a, false):
			return b
		case isBool(b, false):
			return a
		case isBool(a, true) || isBool(b, true):
			return expr.True
		}
		return factor(c)
	case c.Name == "not":
		return simplifyNot(c)
	case (c.Name == "isnotnull" || c.Name == "isnull") && !c.Args[0].Nullable():
		if _, isLit := c.Args[0].(*expr.Literal); !isLit && deterministic(c.Args[0]) {
			return &expr.Literal{Value: c.Name == "isnotnull", T: types.Boolean}
		}
	}
	return c
}

var negated = map[string]string{"<": ">=", ">=": "<", ">": "<=", "<=": ">"}

func simplifyNot(c *expr.Call) expr.Expr {
	in, ok := c.Args[0].(*expr.Call)
	if !ok {
		return c
	}
	switch in.Name {
	case "not":
		return in.Args[0]
	case "isnull", "isnotnull":
		q := *in
		q.Name = map[string]string{"isnull": "isnotnull", "isnotnull": "isnull"}[in.Name]
		return &q
	case "or":
		return expr.NewCall("and", types.Boolean, simplifyNot2(in.Args[0]), simplifyNot2(in.Args[1]))
	}
	if op, ok := negated[in.Name]; ok {
		q := *in
		q.Name = op
		return &q
	}
	return c
}

func simplifyNot2(e expr.Expr) expr.Expr {
	n := &expr.Call{Name: "not", Args: []expr.Expr{e}, T: types.Boolean, Null: e.Nullable()}
	return simplifyNot(n)
}

// disjuncts splits at ORs.
func disjuncts(e expr.Expr) []expr.Expr {
	if c, ok := expr.IsCall(e, "or"); ok && len(c.Args) == 2 {
		return append(disjuncts(c.Args[0]), disjuncts(c.Args[1])...)
	}
	return []expr.Expr{e}
}

func or(list []expr.Expr) expr.Expr {
	out := list[0]
	for _, e := range list[1:] {
		out = expr.NewCall("or", types.Boolean, out, e)
	}
	return out
}

// factor turns (a and b) or (a and c) into a and (b or c).
func factor(c *expr.Call) expr.Expr {
	parts := disjuncts(c)
	common := expr.Conjuncts(parts[0])
	for _, p := range parts[1:] {
		have := prints(expr.Conjuncts(p))
		var keep []expr.Expr
		for _, e := range common {
			if have[expr.Fingerprint(e)] {
				keep = append(keep, e)
			}
		}
		if common = keep; len(common) == 0 {
			return c
		}
	}
	drop := prints(common)
	rest := make([]expr.Expr, len(parts))
	for i, p := range parts {
		var left []expr.Expr
		for _, e := range expr.Conjuncts(p) {
			if !drop[expr.Fingerprint(e)] {
				left = append(left, e)
			}
		}
		if len(left) == 0 {
			return expr.And(common...)
		}
		rest[i] = expr.And(left...)
	}
	return expr.And(append(common, or(rest))...)
}

func prints(list []expr.Expr) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, e := range list {
		m[expr.Fingerprint(e)] = true
	}
	return m
}
