package logical

import (
	"strconv"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// SetColumn replaces the columns of a name by a value (|> SET). The name must exist.
type SetColumn struct {
	unary
	Name  string
	Value expr.Expr
	At    *expr.Origin
}

// DropNamed removes columns (|> DROP). They must exist.
type DropNamed struct {
	unary
	Columns []expr.Expr
}

// PipeAggregate is |> AGGREGATE List GROUP BY Group; the result has the groups, then List. A whole number among the
// groups is the place of a column of Child.
type PipeAggregate struct {
	unary
	Group []expr.Expr // named or not
	List  []expr.Expr
}

func (p *SetColumn) WithChildren(c []Plan) Plan     { q := *p; q.Child = c[0]; return &q }
func (p *SetColumn) WithExprs([]expr.Expr) Plan     { return p }
func (p *DropNamed) WithChildren(c []Plan) Plan     { q := *p; q.Child = c[0]; return &q }
func (p *DropNamed) WithExprs([]expr.Expr) Plan     { return p }
func (p *PipeAggregate) WithChildren(c []Plan) Plan { q := *p; q.Child = c[0]; return &q }
func (p *PipeAggregate) WithExprs([]expr.Expr) Plan { return p }

// Expand implements Expander.
func (p *SetColumn) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	if _, err := env.Resolve(&expr.Attribute{Name: []string{p.Name}, At: p.At}); err != nil {
		return nil, err
	}
	var list []expr.Expr
	for _, c := range in[0].Output() {
		if env.Same(c.Name, p.Name) {
			list = append(list, expr.NewAlias(p.Value, p.Name))
			continue
		}
		list = append(list, c)
	}
	return &Project{List: list, Child: in[0]}, nil
}

// Expand implements Expander.
func (p *DropNamed) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	gone := make(map[expr.ID]bool, len(p.Columns))
	for _, e := range p.Columns {
		r, err := env.Resolve(e)
		if err != nil {
			return nil, err
		}
		if c, ok := r.(*expr.Column); ok {
			gone[c.ID] = true
		}
	}
	var list []expr.Expr
	for _, c := range in[0].Output() {
		if !gone[c.ID] {
			list = append(list, c)
		}
	}
	return &Project{List: list, Child: in[0]}, nil
}

// Expand implements Expander.
func (p *PipeAggregate) Expand(_ *ExpandEnv, in []Plan) (Plan, error) {
	a := &Aggregate{Child: in[0]}
	cols := in[0].Output()
	for _, g := range p.Group {
		var bare expr.Expr
		switch x := g.(type) {
		case *expr.Alias:
			bare = x.Child
		case *expr.Literal:
			n, ok := x.Value.(int32)
			if ok && (n < 1 || int(n) > len(cols)) {
				return nil, sparkerr.New("GROUP_BY_POS_OUT_OF_RANGE", "index", strconv.Itoa(int(n)), "size", strconv.Itoa(len(cols)))
			}
			if ok {
				g = cols[n-1]
			}
			bare = g
		default:
			bare = g
		}
		a.Group = append(a.Group, bare)
		a.List = append(a.List, g)
	}
	a.List = append(a.List, p.List...)
	return a, nil
}

// NewSetColumn, NewDropNamed and NewPipeAggregate make the nodes of this file over a child.
func NewSetColumn(child Plan, name string, value expr.Expr, at *expr.Origin) *SetColumn {
	return &SetColumn{unary{Child: child}, name, value, at}
}
func NewDropNamed(child Plan, columns []expr.Expr) *DropNamed {
	return &DropNamed{unary{Child: child}, columns}
}
func NewPipeAggregate(child Plan, group, list []expr.Expr) *PipeAggregate {
	return &PipeAggregate{unary{Child: child}, group, list}
}
