package expr

import (
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// Override gives the text of an expression in place of the usual one; false for the usual one.
type Override func(e Expr) (string, bool)

// Print is Spark's printed form of an expression: the name of an unaliased column, and what error messages quote.
func Print(e Expr, o Override) string {
	p := printer{o: o}
	p.expr(e)
	return p.b.String()
}

// PrintCall prints a call of a function by a name of the caller's choice.
func PrintCall(name string, args []Expr, o Override) string {
	p := printer{o: o}
	p.call(name, args)
	return p.b.String()
}

// PrintList prints expressions with commas between.
func PrintList(list []Expr, o Override) string {
	p := printer{o: o}
	p.list(list)
	return p.b.String()
}

type printer struct {
	b strings.Builder
	o Override
}

func (p *printer) text(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *printer) expr(e Expr) {
	if p.o != nil {
		if s, ok := p.o(e); ok {
			p.text(s)
			return
		}
	}
	switch x := e.(type) {
	case *Literal:
		p.text(x.text())
	case *Column:
		p.text(x.Name)
	case *Alias:
		p.expr(x.Child)
		p.text(" AS ", types.QuoteIfNeeded(x.Name))
	case *Cast:
		p.cast(x)
	case *Call:
		p.call(x.Name, x.Args)
	case *Agg:
		p.agg(x)
	case *Func:
		p.fun(x)
	case *Window:
		p.expr(x.Func)
		p.text(" OVER ")
		p.spec(&x.Spec)
	case *SortOrder:
		p.order(x)
	case *Subquery:
		p.subquery(x)
	default:
		p.rare(e)
	}
}

func (p *printer) rare(e Expr) {
	switch x := e.(type) {
	case *OuterRef:
		p.text("outer(")
		for _, q := range x.Col.Qualifier {
			p.text(types.QuoteIfNeeded(q), ".")
		}
		p.text(types.QuoteIfNeeded(x.Col.Name), ")")
	case *Lambda:
		p.text("lambdafunction(")
		p.expr(x.Body)
		for _, v := range x.Params {
			p.text(", ")
			p.expr(v)
		}
		p.text(")")
	case *LambdaVar:
		p.text("namedlambdavariable()")
	case *Attribute:
		p.text(strings.Join(x.Name, "."))
	case *Star:
		for _, t := range x.Target {
			p.text(types.QuoteIfNeeded(t), ".")
		}
		p.text("*")
	case *Regex:
		p.text(x.Pattern)
	case *Extract:
		p.extract(x)
	case *NamedArg:
		p.text(x.Name, " => ")
		p.expr(x.Value)
	default:
		p.sugar(e)
	}
}

func (p *printer) sugar(e Expr) {
	switch x := e.(type) {
	case *UpdateFields:
		p.text("update_fields(")
		p.list(x.Children())
		p.text(")")
	case *MultiAlias:
		p.expr(x.Child)
		p.text(" AS (", strings.Join(x.Names, ", "), ")")
	case *Param:
		p.text(":", x.Name)
	case *Identifier:
		p.text("IDENTIFIER(")
		p.expr(x.Child)
		p.text(")")
	case *GroupingSets:
		p.text([...]string{SetsGrouping: "GROUPING SETS", RollupGrouping: "rollup", CubeGrouping: "cube"}[x.Kind], "(")
		p.list(x.Children())
		p.text(")")
	case *Default:
		p.text("DEFAULT")
	default:
		p.text(e.SQL())
	}
}

func (p *printer) list(list []Expr) {
	for i, e := range list {
		if i > 0 {
			p.text(", ")
		}
		p.expr(e)
	}
}

// cast: what coercion put in is printed as its child, the user did not write it.
func (p *printer) cast(x *Cast) {
	if x.Implicit {
		p.expr(x.Child)
		return
	}
	if x.Mode == CastTry {
		p.text("TRY_")
	}
	p.text("CAST(")
	p.expr(x.Child)
	p.text(" AS ", x.To.SQL(), ")")
}

func (p *printer) fun(x *Func) {
	if len(x.Name) == 1 && !x.Distinct && x.Filter == nil && len(x.Order) == 0 {
		p.call(x.Name[0], x.Args)
		return
	}
	p.agg(&Agg{Name: strings.Join(x.Name, "."), Args: x.Args, Distinct: x.Distinct, Filter: x.Filter, Order: x.Order})
}

func (p *printer) agg(x *Agg) {
	name, args := shownName(x.Name), x.Args
	switch {
	case x.Distinct:
		p.text(name, "(DISTINCT ")
		p.list(args)
		p.text(")")
	case withoutDirection[x.Name] && len(args) == 2 && len(x.Order) == 0:
		p.text(name, "(")
		p.expr(args[1])
		p.text(") WITHIN GROUP (ORDER BY ")
		p.expr(args[0])
		p.text(")")
	default:
		p.named(x.Name, args)
	}
	if len(x.Order) > 0 {
		p.text(" WITHIN GROUP (ORDER BY ")
		plain := withoutDirection[x.Name]
		for i := range x.Order {
			if i > 0 {
				p.text(", ")
			}
			if plain {
				p.expr(x.Order[i].Child)
				if x.Order[i].Desc {
					p.text(" DESC")
				}
				continue
			}
			p.order(&x.Order[i])
		}
		p.text(")")
	}
	if x.Filter != nil {
		p.text(" FILTER (WHERE ")
		p.expr(x.Filter)
		p.text(")")
	}
}

// withoutDirection are the aggregates whose order is printed without ASC NULLS FIRST.
var withoutDirection = map[string]bool{"percentile_cont": true, "percentile_disc": true}

func (p *printer) order(x *SortOrder) {
	p.expr(x.Child)
	if x.Desc {
		p.text(" DESC")
	} else {
		p.text(" ASC")
	}
	if x.NullsFirst {
		p.text(" NULLS FIRST")
	} else {
		p.text(" NULLS LAST")
	}
}

func (p *printer) spec(s *WindowSpec) {
	p.text("(")
	sep := ""
	if len(s.Partition) > 0 {
		p.text("PARTITION BY ")
		p.list(s.Partition)
		sep = " "
	}
	if len(s.Order) > 0 {
		p.text(sep, "ORDER BY ")
		for i := range s.Order {
			if i > 0 {
				p.text(", ")
			}
			p.order(&s.Order[i])
		}
		sep = " "
	}
	if s.Unit != DefaultFrame {
		p.text(sep, [...]string{Rows: "ROWS", Range: "RANGE"}[s.Unit], " BETWEEN ")
		p.bound(s.Lower)
		p.text(" AND ")
		p.bound(s.Upper)
	}
	p.text(")")
}

func (p *printer) bound(b Bound) {
	switch b.Kind {
	case UnboundedPreceding:
		p.text("UNBOUNDED PRECEDING")
	case Preceding:
		p.expr(b.Offset)
		p.text(" PRECEDING")
	case Following:
		p.expr(b.Offset)
		p.text(" FOLLOWING")
	case UnboundedFollowing:
		p.text("UNBOUNDED FOLLOWING")
	default:
		p.text("CURRENT ROW")
	}
}

func (p *printer) subquery(x *Subquery) {
	switch x.Kind {
	case ExistsSubquery:
		p.text("exists(")
		p.list(x.Outer)
		p.text(")")
	case InSubquery:
		p.text("(")
		p.inValues(x.Values)
		p.text(" IN (listquery(")
		p.list(x.Outer)
		p.text(")))")
	default:
		p.text("scalarsubquery(")
		p.list(x.Outer)
		p.text(")")
	}
}

// inValues prints several left sides of IN as the struct that they are.
func (p *printer) inValues(values []Expr) {
	if len(values) == 1 {
		p.expr(values[0])
		return
	}
	p.text("named_struct(")
	for i, v := range values {
		if i > 0 {
			p.text(", ")
		}
		p.text("'", Print(v, p.o), "', ")
		p.expr(v)
	}
	p.text(")")
}

func (p *printer) extract(x *Extract) {
	p.expr(x.Child)
	if l, ok := x.Key.(*Literal); ok && l.T.Kind == types.StringKind {
		p.text(".", l.text())
		return
	}
	p.text("[")
	p.expr(x.Key)
	p.text("]")
}

// The printed forms of the nodes.

func (e *Literal) SQL() string      { return e.text() }
func (e *Column) SQL() string       { return e.Name }
func (e *OuterRef) SQL() string     { return Print(e, nil) }
func (e *LambdaVar) SQL() string    { return Print(e, nil) }
func (e *Default) SQL() string      { return Print(e, nil) }
func (e *Alias) SQL() string        { return Print(e, nil) }
func (e *Cast) SQL() string         { return Print(e, nil) }
func (e *Call) SQL() string         { return Print(e, nil) }
func (e *Func) SQL() string         { return Print(e, nil) }
func (e *Agg) SQL() string          { return Print(e, nil) }
func (e *SortOrder) SQL() string    { return Print(e, nil) }
func (e *Window) SQL() string       { return Print(e, nil) }
func (e *Lambda) SQL() string       { return Print(e, nil) }
func (e *Subquery) SQL() string     { return Print(e, nil) }
func (e *Attribute) SQL() string    { return Print(e, nil) }
func (e *Star) SQL() string         { return Print(e, nil) }
func (e *Regex) SQL() string        { return Print(e, nil) }
func (e *Extract) SQL() string      { return Print(e, nil) }
func (e *UpdateFields) SQL() string { return Print(e, nil) }
func (e *NamedArg) SQL() string     { return Print(e, nil) }
func (e *MultiAlias) SQL() string   { return Print(e, nil) }
func (e *Param) SQL() string        { return Print(e, nil) }
func (e *Identifier) SQL() string   { return Print(e, nil) }
func (e *GroupingSets) SQL() string { return Print(e, nil) }

// SQL prints a window specification with its frame.
func (s WindowSpec) SQL() string {
	var p printer
	p.spec(&s)
	return p.b.String()
}

// SQL prints a frame bound.
func (b Bound) SQL() string {
	var p printer
	p.bound(b)
	return p.b.String()
}
