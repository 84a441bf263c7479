package expr

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// Text prints an expression as plans show it: columns with their ids (name#12, name#12L for BIGINT).
func Text(e Expr) string {
	switch x := e.(type) {
	case *Column:
		return ColumnText(x)
	case *OuterRef:
		return "outer(" + ColumnText(x.Col) + ")"
	case *LambdaVar:
		return fmt.Sprintf("lambda %s#%d", x.Name, x.ID)
	case *Literal:
		return literalText(x)
	case *Alias:
		return fmt.Sprintf("%s AS %s", Text(x.Child), ColumnText(x.Column()))
	case *Cast:
		return castText(x)
	case *Call:
		return callText(x.Name, x.Args)
	case *Agg:
		return aggText(x)
	case *SortOrder:
		dir, nulls := "ASC", "NULLS LAST"
		if x.Desc {
			dir = "DESC"
		}
		if x.NullsFirst {
			nulls = "NULLS FIRST"
		}
		return Text(x.Child) + " " + dir + " " + nulls
	case *Window:
		return Text(x.Func) + " " + x.Spec.text()
	case *Lambda:
		params := make([]Expr, len(x.Params))
		for i, p := range x.Params {
			params[i] = p
		}
		return "lambdafunction(" + Text(x.Body) + ", " + TextList(params) + ")"
	case *Subquery:
		return subqueryText(x)
	case *Attribute:
		return "'" + strings.Join(x.Name, ".")
	case *Func:
		d := ""
		if x.Distinct {
			d = "distinct "
		}
		return "'" + strings.Join(x.Name, ".") + "(" + d + TextList(x.Args) + ")"
	}
	return e.SQL()
}

// TextList prints expressions with commas between them.
func TextList(list []Expr) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = Text(e)
	}
	return strings.Join(parts, ", ")
}

// ColumnText is name#id.
func ColumnText(c *Column) string {
	suffix := ""
	if c.T.Kind == types.LongKind {
		suffix = "L"
	}
	return fmt.Sprintf("%s#%d%s", c.Name, c.ID, suffix)
}

// ColumnTexts prints columns in brackets.
func ColumnTexts(cols []*Column) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = ColumnText(c)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func literalText(l *Literal) string {
	if l.Value == nil {
		return "null"
	}
	switch l.T.Kind {
	case types.DateKind:
		return types.FormatDate(l.Value.(int32))
	case types.TimestampKind, types.TimestampNTZKind:
		return types.FormatTimestampNTZ(l.Value.(int64))
	case types.BinaryKind:
		return fmt.Sprintf("0x%X", l.Value)
	}
	return ValueSQL(l.Value, l.T)
}

func castText(c *Cast) string {
	name := "cast"
	if c.Mode == CastTry {
		name = "try_cast"
	}
	return name + "(" + Text(c.Child) + " as " + c.To.String() + ")"
}

func callText(name string, args []Expr) string {
	if op, ok := infix[name]; ok && len(args) == 2 {
		return "(" + Text(args[0]) + " " + op + " " + Text(args[1]) + ")"
	}
	switch {
	case name == "not" && len(args) == 1:
		return "NOT " + Text(args[0])
	case (name == "negative" || name == UnaryMinus) && len(args) == 1:
		return "-" + Text(args[0])
	case name == "in" && len(args) > 1:
		return Text(args[0]) + " IN (" + strings.ReplaceAll(TextList(args[1:]), ", ", ",") + ")"
	case name == "when":
		return caseText(args)
	case name == "get_field" && len(args) == 2:
		if l, ok := args[1].(*Literal); ok {
			return fmt.Sprintf("%s.%v", Text(args[0]), l.Value)
		}
	case name == "like" && len(args) >= 2:
		return Text(args[0]) + " LIKE " + Text(args[1])
	case name == "get_item" && len(args) == 2:
		return Text(args[0]) + "[" + Text(args[1]) + "]"
	}
	return name + "(" + TextList(args) + ")"
}

func caseText(args []Expr) string {
	var b strings.Builder
	b.WriteString("CASE")
	for len(args) >= 2 {
		b.WriteString(" WHEN " + Text(args[0]) + " THEN " + Text(args[1]))
		args = args[2:]
	}
	if len(args) == 1 {
		b.WriteString(" ELSE " + Text(args[0]))
	}
	return b.String() + " END"
}

func aggText(a *Agg) string {
	d := ""
	if a.Distinct {
		d = "distinct "
	}
	s := a.Name + "(" + d + TextList(a.Args) + ")"
	if a.Filter != nil {
		s += " FILTER (WHERE " + Text(a.Filter) + ")"
	}
	return s
}

func subqueryText(s *Subquery) string {
	switch s.Kind {
	case ExistsSubquery:
		return fmt.Sprintf("exists#%d [%s]", s.ID, TextList(s.Outer))
	case InSubquery:
		return fmt.Sprintf("%s IN (list#%d [%s])", TextList(s.Values), s.ID, TextList(s.Outer))
	}
	return fmt.Sprintf("scalar-subquery#%d [%s]", s.ID, TextList(s.Outer))
}

// text prints a window specification as plans do.
func (s WindowSpec) text() string {
	var in []string
	for _, e := range s.Partition {
		in = append(in, Text(e))
	}
	for i := range s.Order {
		in = append(in, Text(&s.Order[i]))
	}
	unit := "RowFrame"
	if s.Unit == Range {
		unit = "RangeFrame"
	}
	in = append(in, fmt.Sprintf("specifiedwindowframe(%s, %s, %s)", unit, s.Lower.text(), s.Upper.text()))
	return "windowspecdefinition(" + strings.Join(in, ", ") + ")"
}

func (b Bound) text() string {
	names := [...]string{"unboundedpreceding$()", "", "currentrow$()", "", "unboundedfollowing$()"}
	switch b.Kind {
	case Preceding:
		return "-" + Text(b.Offset)
	case Following:
		return Text(b.Offset)
	}
	return names[b.Kind]
}
