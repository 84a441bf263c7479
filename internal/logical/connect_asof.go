package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// AsOfJoin joins each left row to the one right row that is nearest by an order among those that match.
type AsOfJoin struct {
	node
	Left, Right         Plan
	LeftAsOf, RightAsOf expr.Expr
	Cond                expr.Expr // nil: none
	Using               []string  // equal columns, in place of Cond
	Outer               bool      // keep left rows without a match
	Tolerance           expr.Expr // nil: none
	Exact               bool      // equal keys match
	Direction           string    // backward, forward, nearest
}

func (p *AsOfJoin) Children() []Plan { return []Plan{p.Left, p.Right} }

// WithChildren implements Plan.
func (p *AsOfJoin) WithChildren(c []Plan) Plan { q := *p; q.Left, q.Right = c[0], c[1]; return &q }

// Exprs implements Plan.
func (p *AsOfJoin) Exprs() []expr.Expr {
	l := exprList{p.LeftAsOf, p.RightAsOf}
	l.one(p.Cond)
	l.one(p.Tolerance)
	return l
}

// WithExprs implements Plan.
func (p *AsOfJoin) WithExprs(e []expr.Expr) Plan {
	q, l := *p, exprList(e)
	q.LeftAsOf, q.RightAsOf = l.takeOne(p.LeftAsOf), l.takeOne(p.RightAsOf)
	q.Cond, q.Tolerance = l.takeOne(p.Cond), l.takeOne(p.Tolerance)
	return &q
}

// Output implements Plan.
func (p *AsOfJoin) Output() []*expr.Column { return nil }

// Expand implements Expander: number the left rows, join all candidates, rank them by distance, and keep the first.
func (p *AsOfJoin) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	left, right := in[0].Output(), in[1].Output()
	a, err := env.Resolve(p.LeftAsOf)
	if err != nil {
		return nil, err
	}
	b, err := env.Resolve(p.RightAsOf)
	if err != nil {
		return nil, err
	}
	cond, distance, err := p.match(a, b)
	if err != nil {
		return nil, err
	}
	for _, u := range p.Using {
		l, r := env.find(left, u), env.find(right, u)
		if l == nil || r == nil {
			return nil, unknownColumn(u, append(left[:len(left):len(left)], right...))
		}
		cond = expr.NewFunc("and", cond, expr.NewFunc("=", l, r))
	}
	if p.Cond != nil {
		cond = expr.NewFunc("and", cond, p.Cond)
	}
	kind := InnerJoin
	if p.Outer {
		kind = LeftJoin
	}
	return firstOfEach(in, kind, cond, expr.SortOrder{Child: distance, NullsFirst: true}, 1), nil
}

func columns(cols []*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		out[i] = c
	}
	return out
}

// match is the condition on the two keys, and the distance that the nearest row has least of.
func (p *AsOfJoin) match(a, b expr.Expr) (cond, distance expr.Expr, err error) {
	less, minus := ">", func(x, y expr.Expr) expr.Expr { return expr.NewFunc("-", x, y) }
	if p.Exact {
		less = ">="
	}
	switch p.Direction {
	case "backward":
		cond, distance = expr.NewFunc(less, a, b), minus(a, b)
		if p.Tolerance != nil {
			cond = expr.NewFunc("and", cond, expr.NewFunc(less, b, minus(a, p.Tolerance)))
		}
	case "forward":
		cond, distance = expr.NewFunc(less, b, a), minus(b, a)
		if p.Tolerance != nil {
			cond = expr.NewFunc("and", cond, expr.NewFunc(less, expr.NewFunc("+", a, p.Tolerance), b))
		}
	case "nearest":
		cond = expr.Expr(expr.True)
		if !p.Exact {
			cond = expr.NewFunc("not", expr.NewFunc("=", a, b))
		}
		distance = expr.NewFunc("if", expr.NewFunc(">", a, b), minus(a, b), minus(b, a))
		if p.Tolerance != nil {
			cond = expr.NewFunc("and", cond, expr.NewFunc("and", expr.NewFunc(less, b, minus(a, p.Tolerance)),
				expr.NewFunc(less, expr.NewFunc("+", a, p.Tolerance), b)))
		}
	default:
		return nil, nil, sparkerr.New("AS_OF_JOIN.UNSUPPORTED_DIRECTION", "direction", p.Direction, "supported", "backward, forward, nearest")
	}
	return cond, distance, nil
}
