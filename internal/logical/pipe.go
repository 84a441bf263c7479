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

// ExtendColumns adds columns (|> EXTEND). They hold no aggregates.
type ExtendColumns struct {
	unary
	List []expr.Expr
	At   *expr.Origin
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
func (p *ExtendColumns) WithChildren(c []Plan) Plan { q := *p; q.Child = c[0]; return &q }
func (p *ExtendColumns) WithExprs([]expr.Expr) Plan { return p }
func (p *DropNamed) WithChildren(c []Plan) Plan     { q := *p; q.Child = c[0]; return &q }
func (p *DropNamed) WithExprs([]expr.Expr) Plan     { return p }
func (p *PipeAggregate) WithChildren(c []Plan) Plan { q := *p; q.Child = c[0]; return &q }
func (p *PipeAggregate) WithExprs([]expr.Expr) Plan { return p }

// Expand implements Expander.
func (p *SetColumn) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	if _, err := env.Resolve(&expr.Attribute{Name: []string{p.Name}, At: p.At}); err != nil {
		return nil, err
	}
	if err := noAggregate(env, p.Value, "SET"); err != nil {
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
func (p *PipeAggregate) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
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
	for _, e := range p.List {
		if r, err := env.Resolve(e); err == nil && findAggregate(r) == nil {
			return nil, sparkerr.New("PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION", "expr", r.SQL()).At(place(e))
		}
	}
	a.List = append(a.List, p.List...)
	return a, nil
}

// Expand implements Expander.
func (p *ExtendColumns) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	for _, e := range p.List {
		if err := noAggregate(env, e, "EXTEND"); err != nil {
			return nil, err
		}
	}
	list := []expr.Expr{&expr.Star{At: p.At}}
	return &Project{List: append(list, p.List...), Child: in[0]}, nil
}

// noAggregate refuses aggregates in a clause. What does not resolve yet is left to the clause itself.
func noAggregate(env *ExpandEnv, e expr.Expr, clause string) error {
	r, err := env.Resolve(e)
	if err != nil {
		return nil
	}
	if a := findAggregate(r); a != nil {
		return sparkerr.New("PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "expr", a.SQL(), "clause", clause).At(place(a))
	}
	return nil
}

// findAggregate is the first aggregate of e that is no window function; nil if there is none.
func findAggregate(e expr.Expr) (found *expr.Agg) {
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Window:
			return false
		case *expr.Agg:
			if found == nil {
				found = x
			}
			return false
		}
		return true
	})
	return found
}

// place is where an expression stands, as errors want it; nil if unknown.
func place(e expr.Expr) *sparkerr.QueryContext {
	var o *expr.Origin
	switch x := e.(type) {
	case *expr.Alias:
		return place(x.Child)
	case *expr.Agg:
		o = x.At
	case *expr.Attribute:
		o = x.At
	case *expr.Func:
		o = x.At
	case *expr.Literal:
		o = x.At
	}
	if o == nil {
		return nil
	}
	return &sparkerr.QueryContext{ObjectType: o.ObjectType, ObjectName: o.ObjectName, Start: o.Start, Stop: o.Stop, Line: o.Line, Pos: o.Pos,
		Text: o.Text, Fragment: string([]rune(o.Text)[o.Start : o.Stop+1])}
}

// NewSetColumn, NewExtendColumns, NewDropNamed and NewPipeAggregate make the nodes of this file over a child.
func NewSetColumn(child Plan, name string, value expr.Expr, at *expr.Origin) *SetColumn {
	return &SetColumn{unary{Child: child}, name, value, at}
}
func NewExtendColumns(child Plan, list []expr.Expr, at *expr.Origin) *ExtendColumns {
	return &ExtendColumns{unary{Child: child}, list, at}
}
func NewDropNamed(child Plan, columns []expr.Expr) *DropNamed {
	return &DropNamed{unary{Child: child}, columns}
}
func NewPipeAggregate(child Plan, group, list []expr.Expr) *PipeAggregate {
	return &PipeAggregate{unary{Child: child}, group, list}
}
