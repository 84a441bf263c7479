package expr

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// infix are the operators printed between their two operands, with the text in between.
var infix = map[string]string{
	"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "div": "div", "=": "=", "==": "=", "<=>": "<=>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
	"!=": "!=", "<>": "<>", "and": "AND", "or": "OR", "&": "&", "|": "|", "^": "^", "||": "||", "<<": "<<", ">>": ">>", ">>>": ">>>",
}

func sqlList(args []Expr) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.SQL()
	}
	return strings.Join(parts, ", ")
}

func (e *Column) SQL() string    { return types.QuoteIfNeeded(e.Name) }
func (e *OuterRef) SQL() string  { return "outer(" + e.Col.SQL() + ")" }
func (e *LambdaVar) SQL() string { return "namedlambdavariable()" }
func (e *Default) SQL() string   { return "DEFAULT" }
func (e *Alias) SQL() string     { return e.Child.SQL() + " AS " + types.QuoteIfNeeded(e.Name) }

// SQL of an implicit cast is its child's: the user did not write it.
func (e *Cast) SQL() string {
	if e.Implicit {
		return e.Child.SQL()
	}
	name := "CAST"
	if e.Mode == CastTry {
		name = "TRY_CAST"
	}
	return name + "(" + e.Child.SQL() + " AS " + e.To.SQL() + ")"
}

func (e *Call) SQL() string { return callSQL(e.Name, e.Args) }

func (e *Func) SQL() string {
	if len(e.Name) == 1 && !e.Distinct && e.Filter == nil {
		return callSQL(e.Name[0], e.Args)
	}
	return aggSQL(strings.Join(e.Name, "."), e.Args, e.Distinct, e.Filter)
}

func (e *Agg) SQL() string { return aggSQL(e.Name, e.Args, e.Distinct, e.Filter) }

func aggSQL(name string, args []Expr, distinct bool, filter Expr) string {
	d := ""
	if distinct {
		d = "DISTINCT "
	}
	s := name + "(" + d + sqlList(args) + ")"
	if filter != nil {
		s += " FILTER (WHERE " + filter.SQL() + ")"
	}
	return s
}

func callSQL(name string, args []Expr) string {
	if op, ok := infix[name]; ok && len(args) == 2 {
		return "(" + args[0].SQL() + " " + op + " " + args[1].SQL() + ")"
	}
	switch {
	case len(args) == 1:
		switch name {
		case "not", "!":
			return "(NOT " + args[0].SQL() + ")"
		case "negative":
			return "(- " + args[0].SQL() + ")"
		case "positive":
			return "(+ " + args[0].SQL() + ")"
		case "~":
			return "~" + args[0].SQL()
		case "isnull":
			return "(" + args[0].SQL() + " IS NULL)"
		case "isnotnull":
			return "(" + args[0].SQL() + " IS NOT NULL)"
		}
	case name == "in" && len(args) > 1:
		return "(" + args[0].SQL() + " IN (" + sqlList(args[1:]) + "))"
	case name == "get_field" && len(args) == 2:
		if l, ok := args[1].(*Literal); ok {
			return fmt.Sprintf("%s.%v", args[0].SQL(), l.Value)
		}
	case name == "get_item" && len(args) == 2:
		return args[0].SQL() + "[" + args[1].SQL() + "]"
	case name == "when":
		return caseSQL(args)
	case name == "like" || name == "ilike" || name == "rlike":
		if name == "rlike" {
			return "RLIKE(" + sqlList(args) + ")"
		}
		s := args[0].SQL() + " " + strings.ToUpper(name) + " " + args[1].SQL()
		if len(args) == 3 {
			s += " ESCAPE " + args[2].SQL()
		}
		return s
	}
	return name + "(" + sqlList(args) + ")"
}

// caseSQL prints Call "when": condition, value pairs, then an else value when their number is odd.
func caseSQL(args []Expr) string {
	var b strings.Builder
	b.WriteString("CASE")
	for len(args) >= 2 {
		b.WriteString(" WHEN " + args[0].SQL() + " THEN " + args[1].SQL())
		args = args[2:]
	}
	if len(args) == 1 {
		b.WriteString(" ELSE " + args[0].SQL())
	}
	return b.String() + " END"
}

func (e *SortOrder) SQL() string {
	dir, nulls := "ASC", "NULLS LAST"
	if e.Desc {
		dir = "DESC"
	}
	if e.NullsFirst {
		nulls = "NULLS FIRST"
	}
	return e.Child.SQL() + " " + dir + " " + nulls
}

func (e *Window) SQL() string { return e.Func.SQL() + " OVER " + e.Spec.SQL() }

// SQL prints a window specification with its frame.
func (s WindowSpec) SQL() string {
	var parts []string
	if len(s.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+sqlList(s.Partition))
	}
	if len(s.Order) > 0 {
		o := make([]string, len(s.Order))
		for i := range s.Order {
			o[i] = s.Order[i].SQL()
		}
		parts = append(parts, "ORDER BY "+strings.Join(o, ", "))
	}
	if s.Unit != DefaultFrame {
		unit := "ROWS"
		if s.Unit == Range {
			unit = "RANGE"
		}
		parts = append(parts, unit+" BETWEEN "+s.Lower.SQL()+" AND "+s.Upper.SQL())
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// SQL prints a frame bound.
func (b Bound) SQL() string {
	switch b.Kind {
	case UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case Preceding:
		return b.Offset.SQL() + " PRECEDING"
	case Following:
		return b.Offset.SQL() + " FOLLOWING"
	case UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	}
	return "CURRENT ROW"
}

func (e *Lambda) SQL() string {
	names := make([]string, len(e.Params))
	for i, p := range e.Params {
		names[i] = p.SQL()
	}
	return "lambdafunction(" + e.Body.SQL() + ", " + strings.Join(names, ", ") + ")"
}

func (e *Subquery) SQL() string {
	switch e.Kind {
	case ExistsSubquery:
		return "exists(" + sqlList(e.Outer) + ")"
	case InSubquery:
		return "(" + sqlList(e.Values) + " IN (listquery(" + sqlList(e.Outer) + ")))"
	}
	return "scalarsubquery(" + sqlList(e.Outer) + ")"
}

func (e *Attribute) SQL() string {
	parts := make([]string, len(e.Name))
	for i, p := range e.Name {
		parts[i] = types.QuoteIfNeeded(p)
	}
	return strings.Join(parts, ".")
}

func (e *Star) SQL() string {
	if len(e.Target) == 0 {
		return "*"
	}
	return strings.Join(e.Target, ".") + ".*"
}

func (e *Regex) SQL() string { return e.Pattern }

func (e *Extract) SQL() string {
	if l, ok := e.Key.(*Literal); ok && l.T.Kind == types.StringKind {
		return fmt.Sprintf("%s.%v", e.Child.SQL(), l.Value)
	}
	return e.Child.SQL() + "[" + e.Key.SQL() + "]"
}

func (e *UpdateFields) SQL() string { return "update_fields(" + sqlList(e.Children()) + ")" }
func (e *NamedArg) SQL() string     { return e.Name + " => " + e.Value.SQL() }
func (e *MultiAlias) SQL() string   { return e.Child.SQL() + " AS (" + strings.Join(e.Names, ", ") + ")" }
func (e *Param) SQL() string        { return ":" + e.Name }
func (e *Identifier) SQL() string   { return "IDENTIFIER(" + e.Child.SQL() + ")" }

func (e *GroupingSets) SQL() string {
	names := [...]string{SetsGrouping: "GROUPING SETS", RollupGrouping: "rollup", CubeGrouping: "cube"}
	return names[e.Kind] + "(" + sqlList(e.Children()) + ")"
}
