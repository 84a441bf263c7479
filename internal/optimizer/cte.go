package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// inlineCTEs puts the definition of each shared common table expression where it is used, with fresh column ids.
func inlineCTEs(c *Context, p logical.Plan) (logical.Plan, error) {
	defs := map[int64]logical.Plan{}
	return inline(p, defs), nil
}

func inline(p logical.Plan, defs map[int64]logical.Plan) logical.Plan {
	switch n := p.(type) {
	case *logical.CTEDef:
		defs[n.ID] = inline(n.Def, defs)
		return inline(n.Child, defs)
	case *logical.CTERef:
		if def, ok := defs[n.ID]; ok && !n.Recursive {
			return renamed(fresh(def), n.Out)
		}
		return n
	}
	p = logical.MapChildren(p, func(k logical.Plan) logical.Plan { return inline(k, defs) })
	return mapSubqueries(p, func(q logical.Plan) logical.Plan { return inline(q, defs) })
}

// mapSubqueries applies f to the plans inside the node's expressions.
func mapSubqueries(p logical.Plan, f func(logical.Plan) logical.Plan) logical.Plan {
	return logical.MapExprs(p, func(e expr.Expr) expr.Expr {
		return expr.Up(e, func(x expr.Expr) expr.Expr {
			s, ok := x.(*expr.Subquery)
			if !ok {
				return x
			}
			old := s.Plan.(logical.Plan)
			if next := f(old); next != old {
				q := *s
				q.Plan = next
				return &q
			}
			return x
		})
	})
}

// fresh copies a plan with new ids for all columns that it makes, so that it can stand twice in one plan.
func fresh(p logical.Plan) logical.Plan {
	r := &renewer{ids: map[expr.ID]expr.ID{}}
	return r.plan(p)
}

type renewer struct{ ids map[expr.ID]expr.ID }

// made gives the new id of a column that this copy makes.
func (r *renewer) made(id expr.ID) expr.ID {
	n, ok := r.ids[id]
	if !ok {
		n = expr.NextID()
		r.ids[id] = n
	}
	return n
}

func (r *renewer) cols(cols []*expr.Column) []*expr.Column {
	if cols == nil {
		return nil // a set operation without columns of its own
	}
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		q := *c
		q.ID = r.made(c.ID)
		out[i] = &q
	}
	return out
}

// plan renews leaves first, so that every id is known before a reference to it is met.
func (r *renewer) plan(p logical.Plan) logical.Plan {
	p = logical.MapChildren(p, r.plan)
	p = mapSubqueries(p, r.plan)
	switch n := p.(type) {
	case *logical.Relation:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.LocalRelation:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.Range:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.CTERef:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.RecursiveCTE:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.CachedRelation:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.Generate:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.Expand:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.SetOp:
		q := *n
		q.Out = r.cols(n.Out)
		p = &q
	case *logical.Join:
		if n.Hint.Exists != nil {
			q := *n
			q.Hint.Exists = r.cols([]*expr.Column{n.Hint.Exists})[0]
			p = &q
		}
	}
	return logical.MapExprs(p, r.expr)
}

func (r *renewer) expr(e expr.Expr) expr.Expr {
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		switch n := x.(type) {
		case *expr.Column:
			if id, ok := r.ids[n.ID]; ok {
				q := *n
				q.ID = id
				return &q
			}
		case *expr.OuterRef:
			if id, ok := r.ids[n.Col.ID]; ok {
				q := *n.Col
				q.ID = id
				return &expr.OuterRef{Col: &q}
			}
		case *expr.Alias:
			q := *n
			q.ID = r.made(n.ID)
			return &q
		case *expr.Subquery:
			q := *n
			q.ID = r.made(n.ID)
			return &q
		}
		return x
	})
}

// limitRecursion tells recursions that stand below a LIMIT how many rows are asked for.
func limitRecursion(c *Context, p logical.Plan) (logical.Plan, error) {
	return each(func(n logical.Plan) logical.Plan {
		l, ok := n.(*logical.Limit)
		if !ok {
			return n
		}
		lit, ok := l.N.(*expr.Literal)
		if !ok {
			return n
		}
		most := int64(0)
		switch v := lit.Value.(type) {
		case int32:
			most = int64(v)
		case int64:
			most = v
		}
		if child := limited(l.Child, most); most > 0 && child != l.Child {
			return l.WithChildren([]logical.Plan{child})
		}
		return n
	})(c, p)
}

// limited asks a recursion below projections for so many rows.
func limited(p logical.Plan, most int64) logical.Plan {
	switch n := p.(type) {
	case *logical.Project:
		if child := limited(n.Child, most); child != n.Child {
			return n.WithChildren([]logical.Plan{child})
		}
	case *logical.RecursiveCTE:
		q := *n
		q.Most = most
		return &q
	}
	return p
}
