package analyzer

import (
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// Extension is an expression or plan node of another room (Python functions and the like) that knows how to resolve itself.
type Extension interface {
	// Resolve gives the resolved form; children resolves an expression against the node's input.
	Resolve(children func(e expr.Expr) (expr.Expr, error)) (expr.Expr, error)
}

// extraExpr resolves the rarest expressions.
func (r *resolver) extraExpr(e expr.Expr, s *scope) (expr.Expr, error) {
	if x, ok := e.(Extension); ok {
		return x.Resolve(func(c expr.Expr) (expr.Expr, error) {
			v, err := r.expr(c, s)
			if err != nil {
				return nil, err
			}
			return unalias(v), nil
		})
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e, nil
	}
	out, err := r.exprs(kids, s)
	if err != nil {
		return nil, err
	}
	for i, k := range out {
		out[i] = unalias(k)
	}
	return e.WithChildren(out), nil
}

// extra resolves the nodes that plan and plan2 do not know: those that expand, and those of other rooms, whose expressions
// see the columns of all children.
func (r *resolver) extra(p logical.Plan) (rel, error) {
	switch x := p.(type) {
	case *logical.Resolved:
		return r.alreadyResolved(x)
	case logical.Expander:
		return r.expandNode(x)
	case *logical.Qualify:
		return r.qualify(x)
	case *logical.Window:
		return rel{}, unknown(p)
	}
	kids := p.Children()
	in := make([]logical.Plan, len(kids))
	s := &scope{}
	for i, k := range kids {
		x, err := r.query(k)
		if err != nil {
			return rel{}, err
		}
		in[i] = x.p
		s.cols = append(s.cols, x.out...)
	}
	s.df = r.frames
	exprs, err := r.exprs(p.Exprs(), s)
	if err != nil {
		return rel{}, err
	}
	for i, e := range exprs {
		exprs[i] = unalias(e)
	}
	q := p
	if len(in) > 0 {
		q = q.WithChildren(in)
	}
	if len(exprs) > 0 {
		q = q.WithExprs(exprs)
	}
	if o, ok := q.(interface {
		Analyzed(fresh func() expr.ID) (logical.Plan, error)
	}); ok {
		if q, err = o.Analyzed(expr.NextID); err != nil {
			return rel{}, err
		}
	}
	return rel{p: q, out: q.Output()}, nil
}

// alreadyResolved takes over a subtree that this resolver made before.
func (r *resolver) alreadyResolved(x *logical.Resolved) (rel, error) {
	if k, ok := r.kept[x]; ok {
		return k, nil
	}
	return leaf(x.Plan), nil
}

// expandNode resolves the children of a node that stands for others, lets it expand, and resolves the result.
func (r *resolver) expandNode(x logical.Expander) (rel, error) {
	kids := x.Children()
	in := make([]logical.Plan, len(kids))
	s := &scope{}
	hint := ""
	for i, k := range kids {
		y, err := r.query(k)
		if err != nil {
			return rel{}, err
		}
		w := &logical.Resolved{Plan: y.p}
		if r.kept == nil {
			r.kept = map[*logical.Resolved]rel{}
		}
		r.kept[w] = y
		in[i], hint = w, y.hint
		s.cols = append(s.cols, y.out...)
	}
	s.df = r.frames
	env := &logical.ExpandEnv{Same: r.same, Resolve: func(e expr.Expr) (expr.Expr, error) {
		v, err := r.expr(e, s)
		if err != nil {
			return nil, err
		}
		return unalias(v), nil
	}}
	p, err := x.Expand(env, in)
	if err != nil {
		return rel{}, located(err, originOfPlan(x))
	}
	y, err := r.plan(p)
	if err != nil {
		return rel{}, err
	}
	if y, err = r.close(y); err == nil && len(kids) == 1 && y.hint == "" {
		y.hint = hint
	}
	return y, err
}

// checkCast refuses casts between types that have none.
func (r *resolver) checkCast(c *expr.Cast) error { return r.castable(c) }

// sql prints a resolved expression as Spark names columns: calls that were rewritten print as they were written, instants in
// the session's time zone.
func (r *resolver) sql(e expr.Expr) string {
	if e == nil {
		return ""
	}
	return expr.Print(e, r.override)
}

func (r *resolver) override(e expr.Expr) (string, bool) {
	switch x := e.(type) {
	case *expr.Literal:
		if x.T.Kind == types.TimestampKind && x.Value != nil && r.ctx.Session != nil && r.ctx.Session.Zone != nil {
			us := x.Value.(int64)
			_, offset := time.Unix(us/1e6, 0).In(r.ctx.Session.Zone).Zone()
			return "TIMESTAMP '" + types.FormatTimestampNTZ(us+int64(offset)*1e6) + "'", true
		}
	case *expr.Call, *expr.Agg, *expr.Cast:
		if p, ok := r.printed[e]; ok {
			return expr.PrintCall(p.name, p.args, r.override), true
		}
	}
	return "", false
}

// full prints an expression with the qualifiers of its columns.
func (r *resolver) full(e expr.Expr) string {
	return expr.Print(e, func(x expr.Expr) (string, bool) {
		switch x := x.(type) {
		case *expr.Column:
			parts := make([]string, 0, 4)
			for _, q := range append(x.Qualifier[:len(x.Qualifier):len(x.Qualifier)], x.Name) {
				parts = append(parts, types.QuoteIfNeeded(q))
			}
			return strings.Join(parts, "."), true
		case *expr.Alias:
			return r.full(x.Child) + " AS " + types.Quote(x.Name), true
		}
		return r.override(x)
	})
}
