package expr

import (
	"fmt"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// Text prints an expression as plans show it: columns with their ids (name#12, name#12L for BIGINT).
func Text(e Expr) string {
	var t planText
	t.expr(e)
	return t.String()
}

// TextList prints expressions with commas between them.
func TextList(list []Expr) string {
	var t planText
	t.list(list, ", ")
	return t.String()
}

// planText collects the text of an expression, in one buffer for all of its parts.
type planText struct{ strings.Builder }

func (t *planText) text(parts ...string) {
	for _, s := range parts {
		t.WriteString(s)
	}
}

func (t *planText) list(list []Expr, sep string) {
	for i, e := range list {
		if i > 0 {
			t.text(sep)
		}
		t.expr(e)
	}
}

func (t *planText) expr(e Expr) {
	switch x := e.(type) {
	case *Column:
		t.text(ColumnText(x))
	case *Literal:
		t.text(literalText(x))
	case *Alias:
		t.expr(x.Child)
		t.text(" AS ", ColumnText(x.Column()))
	case *Cast:
		t.cast(x)
	case *Call:
		t.call(x.Name, x.Args)
	case *Agg:
		t.agg(x)
	case *SortOrder:
		t.order(x)
	case *Window:
		t.expr(x.Func)
		t.text(" ")
		t.window(&x.Spec)
	default:
		t.rare(e)
	}
}

func (t *planText) rare(e Expr) {
	switch x := e.(type) {
	case *OuterRef:
		t.text("outer(", ColumnText(x.Col), ")")
	case *LambdaVar:
		fmt.Fprintf(t, "lambda %s#%d", x.Name, x.ID)
	case *Lambda:
		t.text("lambdafunction(")
		t.expr(x.Body)
		t.text(", ")
		for i, p := range x.Params {
			if i > 0 {
				t.text(", ")
			}
			t.expr(p)
		}
		t.text(")")
	case *Subquery:
		t.subquery(x)
	case *Attribute:
		t.text("'", strings.Join(x.Name, "."))
	case *Func:
		t.text("'", strings.Join(x.Name, "."))
		t.arguments(x.Distinct, x.Args)
	default:
		t.text(e.SQL())
	}
}

func (t *planText) arguments(distinct bool, args []Expr) {
	t.text("(")
	if distinct {
		t.text("distinct ")
	}
	t.list(args, ", ")
	t.text(")")
}

func (t *planText) order(x *SortOrder) {
	t.expr(x.Child)
	dir, nulls := " ASC", " NULLS LAST"
	if x.Desc {
		dir = " DESC"
	}
	if x.NullsFirst {
		nulls = " NULLS FIRST"
	}
	t.text(dir, nulls)
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

func (t *planText) cast(c *Cast) {
	name := "cast("
	if c.Mode == CastTry {
		name = "try_cast("
	}
	t.text(name)
	t.expr(c.Child)
	t.text(" as ", c.To.String(), ")")
}

func (t *planText) call(name string, args []Expr) {
	if op, ok := infix[name]; ok && len(args) == 2 {
		t.around("(", args[0], " "+op+" ", args[1], ")")
		return
	}
	switch {
	case name == "not" && len(args) == 1:
		t.text("NOT ")
		t.expr(args[0])
	case (name == "negative" || name == UnaryMinus) && len(args) == 1:
		t.text("-")
		t.expr(args[0])
	case name == "in" && len(args) > 1:
		t.expr(args[0])
		t.text(" IN (")
		t.list(args[1:], ",")
		t.text(")")
	case name == "when":
		t.branches(args)
	case name == "get_field" && len(args) == 2 && isLiteral(args[1]):
		t.expr(args[0])
		fmt.Fprintf(t, ".%v", args[1].(*Literal).Value)
	case name == "like" && len(args) >= 2:
		t.around("", args[0], " LIKE ", args[1], "")
	case name == "get_item" && len(args) == 2:
		t.around("", args[0], "[", args[1], "]")
	default:
		t.text(name)
		t.arguments(false, args)
	}
}

func (t *planText) around(before string, a Expr, between string, b Expr, after string) {
	t.text(before)
	t.expr(a)
	t.text(between)
	t.expr(b)
	t.text(after)
}

func isLiteral(e Expr) bool { _, ok := e.(*Literal); return ok }

func (t *planText) branches(args []Expr) {
	t.text("CASE")
	for ; len(args) >= 2; args = args[2:] {
		t.around(" WHEN ", args[0], " THEN ", args[1], "")
	}
	if len(args) == 1 {
		t.text(" ELSE ")
		t.expr(args[0])
	}
	t.text(" END")
}

func (t *planText) agg(a *Agg) {
	t.text(a.Name)
	t.arguments(a.Distinct, a.Args)
	if a.Filter != nil {
		t.text(" FILTER (WHERE ")
		t.expr(a.Filter)
		t.text(")")
	}
}

func (t *planText) subquery(s *Subquery) {
	name, end := "scalar-subquery", "]"
	switch s.Kind {
	case ExistsSubquery:
		name = "exists"
	case InSubquery:
		t.list(s.Values, ", ")
		name, end = " IN (list", "])"
	}
	fmt.Fprintf(t, "%s#%d [", name, s.ID)
	t.list(s.Outer, ", ")
	t.text(end)
}

func (t *planText) window(s *WindowSpec) {
	t.text("windowspecdefinition(")
	for _, e := range s.Partition {
		t.expr(e)
		t.text(", ")
	}
	for i := range s.Order {
		t.order(&s.Order[i])
		t.text(", ")
	}
	unit := "RowFrame"
	if s.Unit == Range {
		unit = "RangeFrame"
	}
	t.text("specifiedwindowframe(", unit, ", ")
	t.bound(s.Lower)
	t.text(", ")
	t.bound(s.Upper)
	t.text("))")
}

func (t *planText) bound(b Bound) {
	names := [...]string{"unboundedpreceding$()", "", "currentrow$()", "", "unboundedfollowing$()"}
	switch b.Kind {
	case Preceding:
		t.text("-")
		t.expr(b.Offset)
	case Following:
		t.expr(b.Offset)
	default:
		t.text(names[b.Kind])
	}
}
