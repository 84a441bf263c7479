// Package logical holds the logical plan: the one unresolved form that SQL text and Connect plans lower to,
// the resolved form that the analyzer makes of it, and the walking and rewriting of both.
//
// Plans are immutable. A rule returns the same pointer when it changed nothing.
package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
)

// Plan is a node of a logical plan.
type Plan interface {
	expr.Plan
	Children() []Plan
	WithChildren(c []Plan) Plan
	// Exprs are the node's own expressions in a fixed order; WithExprs puts others (same number) in their place.
	Exprs() []expr.Expr
	WithExprs(e []expr.Expr) Plan
	// Output are the columns of a resolved node.
	Output() []*expr.Column
}

// node gives every plan node its marker.
type node struct{}

func (node) IsPlan() {}

// MapChildren applies f to the children and rebuilds p only if one changed.
func MapChildren(p Plan, f func(Plan) Plan) Plan {
	old := p.Children()
	var out []Plan
	for i, c := range old {
		n := f(c)
		if n != c && out == nil {
			out = append(make([]Plan, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, n)
		}
	}
	if out == nil {
		return p
	}
	return p.WithChildren(out)
}

// MapExprs applies f to the node's own expressions and rebuilds p only if one changed.
func MapExprs(p Plan, f func(expr.Expr) expr.Expr) Plan {
	old := p.Exprs()
	var out []expr.Expr
	for i, e := range old {
		n := f(e)
		if n != e && out == nil {
			out = append(make([]expr.Expr, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, n)
		}
	}
	if out == nil {
		return p
	}
	return p.WithExprs(out)
}

// Up rewrites bottom-up, Down top-down. Plans inside subquery expressions are not visited.
func Up(p Plan, f func(Plan) Plan) Plan {
	return f(MapChildren(p, func(c Plan) Plan { return Up(c, f) }))
}

// Down rewrites the node, then the children of what came out.
func Down(p Plan, f func(Plan) Plan) Plan {
	return MapChildren(f(p), func(c Plan) Plan { return Down(c, f) })
}

// Walk visits p and everything below; f returns false to skip the children of a node.
func Walk(p Plan, f func(Plan) bool) {
	if !f(p) {
		return
	}
	for _, c := range p.Children() {
		Walk(c, f)
	}
}

// UpExprs rewrites every expression of every node bottom-up.
func UpExprs(p Plan, f func(expr.Expr) expr.Expr) Plan {
	return Up(p, func(n Plan) Plan {
		return MapExprs(n, func(e expr.Expr) expr.Expr { return expr.Up(e, f) })
	})
}

// outputOf are the columns that a list of named expressions produces; unnamed ones are left out.
func outputOf(list []expr.Expr) []*expr.Column {
	out := make([]*expr.Column, 0, len(list))
	for _, e := range list {
		switch x := e.(type) {
		case *expr.Column:
			out = append(out, x)
		case *expr.Alias:
			out = append(out, x.Column())
		}
	}
	return out
}

// nullable copies columns as nullable ones.
func nullable(cols []*expr.Column) []*expr.Column {
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
