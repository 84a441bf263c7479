package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// binary gives the nodes of this file what a node with two children answers.
type binary struct {
	node
	Left, Right Plan
}

func (p *binary) Children() []Plan       { return []Plan{p.Left, p.Right} }
func (p *binary) Output() []*expr.Column { return nil }

// Expand implements Expander: all pairs, numbered for each left row by rank.
func (p *NearestByJoin) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	rank, err := env.Resolve(p.Rank)
	if err != nil {
		return nil, err
	}
	return firstOfEach(in, p.Kind, expr.True, expr.SortOrder{Child: rank, Desc: p.Similarity}, p.N), nil
}

// firstOfEach joins two resolved inputs and keeps, for each left row, the first n pairs by an order.
func firstOfEach(in []Plan, kind JoinKind, cond expr.Expr, order expr.SortOrder, n int) Plan {
	left := in[0].Output()
	row := expr.NewAlias(expr.NewFunc("monotonically_increasing_id"), "__left_row")
	joined := &Join{Left: &Project{List: append(columns(left), row), Child: in[0]}, Right: in[1], Kind: kind, Cond: cond}
	rank := expr.NewAlias(&expr.Window{Func: expr.NewFunc("row_number"), Spec: expr.WindowSpec{
		Partition: []expr.Expr{&expr.Attribute{Name: []string{"__left_row"}}},
		Order:     []expr.SortOrder{order},
	}}, "__pair_rank")
	both := append(columns(left), columns(in[1].Output())...)
	if kind == LeftJoin {
		both = append(columns(left), columns(nullable(in[1].Output()))...)
	}
	ranked := &Project{List: append(both[:len(both):len(both)], rank), Child: joined}
	first := &Filter{Cond: expr.NewFunc("<=", &expr.Attribute{Name: []string{"__pair_rank"}}, expr.NewLiteral(int32(n), types.Int)), Child: ranked}
	return &Project{List: both, Child: first}
}

// Zip pairs the rows of two inputs that are projections of the same plan.
type Zip struct{ binary }

// NewZip sets the inputs.
func NewZip(left, right Plan) *Zip { return &Zip{binary{Left: left, Right: right}} }

func (p *Zip) WithChildren(c []Plan) Plan { return NewZip(c[0], c[1]) }
func (p *Zip) Exprs() []expr.Expr         { return nil }
func (p *Zip) WithExprs([]expr.Expr) Plan { return p }

// Expand implements Expander: one chain of projections over the common plan computes the columns of both sides.
func (p *Zip) Expand(_ *ExpandEnv, in []Plan) (Plan, error) {
	left, lefts := unproject(in[0])
	right, rights := unproject(in[1])
	if Canonical(left) != Canonical(right) {
		return nil, sparkerr.New("ZIP_PLANS_NOT_MERGEABLE")
	}
	same := map[expr.ID]*expr.Column{}
	for i, c := range right.Output() {
		same[c.ID] = left.Output()[i]
	}
	out := Plan(&Resolved{Plan: left})
	carried := columns(left.Output())
	for _, list := range lefts {
		out = &Resolved{Plan: &Project{List: append(list[:len(list):len(list)], missing(carried, list)...), Child: peel(out)}}
	}
	keep := append(columns(in[0].Output()), carried...)
	for _, list := range rights {
		mapped := make([]expr.Expr, len(list))
		for i, e := range list {
			mapped[i] = replaceColumns(e, same)
		}
		out = &Resolved{Plan: &Project{List: append(mapped, missing(keep, mapped)...), Child: peel(out)}}
	}
	final := columns(in[0].Output())
	for _, c := range in[1].Output() {
		final = append(final, replaceColumns(c, same))
	}
	return &Project{List: final, Child: out}, nil
}

// unproject takes the projections off a resolved plan; the lists come lowest first.
func unproject(p Plan) (Plan, [][]expr.Expr) {
	p = peel(p)
	var lists [][]expr.Expr
	for {
		x, ok := p.(*Project)
		if !ok {
			return p, lists
		}
		lists = append([][]expr.Expr{x.List}, lists...)
		p = x.Child
	}
}

func peel(p Plan) Plan {
	if r, ok := p.(*Resolved); ok {
		return r.Plan
	}
	return p
}

// missing are the columns that a list does not yield yet.
func missing(cols, list []expr.Expr) []expr.Expr {
	have := map[expr.ID]bool{}
	for _, c := range outputOf(list) {
		have[c.ID] = true
	}
	var out []expr.Expr
	for _, e := range cols {
		if c := e.(*expr.Column); !have[c.ID] {
			have[c.ID] = true
			out = append(out, c)
		}
	}
	return out
}

func replaceColumns(e expr.Expr, by map[expr.ID]*expr.Column) expr.Expr {
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.Column); ok && by[c.ID] != nil {
			return by[c.ID]
		}
		return x
	})
}
