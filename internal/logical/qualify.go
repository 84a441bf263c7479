package logical

import "github.com/firesteel/firesteel/internal/expr"

// Qualify keeps the rows for which Cond is true after the window functions of Child's list are computed; Cond may use
// that list's aliases and window functions of its own. Gone after analysis.
type Qualify struct {
	node
	Cond  expr.Expr
	Child Plan
}

func (p *Qualify) Children() []Plan { return []Plan{p.Child} }
func (p *Qualify) WithChildren(c []Plan) Plan {
	q := *p
	q.Child = c[0]
	return &q
}
func (p *Qualify) Exprs() []expr.Expr { return []expr.Expr{p.Cond} }
func (p *Qualify) WithExprs(e []expr.Expr) Plan {
	q := *p
	q.Cond = e[0]
	return &q
}

// Output implements Plan.
func (p *Qualify) Output() []*expr.Column { return p.Child.Output() }
