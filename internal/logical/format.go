package logical

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
)

// Format prints a plan as a tree, a node a line, as Spark's EXPLAIN EXTENDED does. Nodes with unresolved parts begin with '.
func Format(p Plan) string {
	var b strings.Builder
	format(&b, p, "", "")
	return b.String()
}

// format writes p after first, and its children after rest.
func format(b *strings.Builder, p Plan, first, rest string) {
	b.WriteString(first)
	if p == nil {
		b.WriteString("null\n")
		return
	}
	b.WriteString(Line(p))
	b.WriteByte('\n')
	children := formatChildren(p)
	for i, c := range children {
		if i == len(children)-1 {
			format(b, c, rest+"+- ", rest+"   ")
		} else {
			format(b, c, rest+":- ", rest+":  ")
		}
	}
}

// formatChildren are the plans below a node: its children, those of its common table expressions, its query.
func formatChildren(p Plan) []Plan {
	switch x := p.(type) {
	case *With:
		list := make([]Plan, 0, len(x.CTEs)+1)
		for _, c := range x.CTEs {
			list = append(list, &SubqueryAlias{Name: []string{c.Name}, Columns: c.Columns, Child: c.Plan})
		}
		return append(list, x.Child)
	case *CreateView:
		return queryChild(x.Query)
	case *Explain:
		return queryChild(x.Query)
	case *MultiInsert:
		return x.Inserts
	}
	return p.Children()
}

// Line is the text of a node without its children.
func Line(p Plan) string {
	name, text := nodeText(p)
	if text != "" {
		name += " " + text
	}
	if unresolved(p) {
		return "'" + name
	}
	return name
}

// unresolved says whether a node or one of its own expressions is of the kinds that analysis removes.
func unresolved(p Plan) bool {
	switch p.(type) {
	case *UnresolvedRelation, *TableFunction, *With, *Qualify:
		return true
	}
	for _, e := range p.Exprs() {
		if expr.Any(e, isUnresolved) {
			return true
		}
	}
	return false
}

func isUnresolved(e expr.Expr) bool {
	switch e.(type) {
	case *expr.Attribute, *expr.Star, *expr.Func, *expr.Extract, *expr.Identifier, *expr.Param, *expr.Regex, *expr.UpdateFields:
		return true
	}
	return false
}

func bracketed(list []expr.Expr) string { return "[" + expr.PrintList(list, withIDs) + "]" }

// exprText prints an expression; columns and aliases carry their ids.
func exprText(e expr.Expr) string { return expr.Print(e, withIDs) }

func withIDs(e expr.Expr) (string, bool) {
	switch x := e.(type) {
	case *expr.Column:
		return columnText(x), true
	case *expr.Alias:
		return exprText(x.Child) + " AS " + x.Name + "#" + strconv.FormatUint(uint64(x.ID), 10), true
	case *expr.Attribute:
		return "'" + x.SQL(), true
	}
	return "", false
}

func columnText(c *expr.Column) string { return c.Name + "#" + strconv.FormatUint(uint64(c.ID), 10) }

func columnsText(cols []*expr.Column) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = columnText(c)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func orderText(order []expr.SortOrder) string {
	parts := make([]string, len(order))
	for i := range order {
		parts[i] = exprText(&order[i])
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func dotted(name []string) string { return strings.Join(name, ".") }

// nodeText is the name of a node in Spark's plans, and its arguments.
func nodeText(p Plan) (name, text string) {
	switch x := p.(type) {
	case *Project:
		return "Project", bracketed(x.List)
	case *Filter:
		if x.Having && unresolved(p) {
			return "UnresolvedHaving", exprText(x.Cond)
		}
		return "Filter", exprText(x.Cond)
	case *Qualify:
		return "UnresolvedQualify", exprText(x.Cond)
	case *Join:
		return "Join", joinText(x)
	case *Aggregate:
		return "Aggregate", bracketed(x.Group) + ", " + bracketed(x.List)
	case *Sort:
		return "Sort", orderText(x.Order) + ", " + strconv.FormatBool(x.Global)
	case *Limit:
		return "GlobalLimit", exprText(x.N)
	case *Offset:
		return "Offset", exprText(x.N)
	case *Tail:
		return "Tail", exprText(x.N)
	case *SetOp:
		return setText(x)
	case *Distinct:
		return "Distinct", ""
	case *Deduplicate:
		return "Deduplicate", bracketed(x.Keys)
	case *SubqueryAlias:
		if x.Columns != nil {
			return "SubqueryAlias", dotted(x.Name) + " [" + strings.Join(x.Columns, ", ") + "]"
		}
		return "SubqueryAlias", dotted(x.Name)
	case *Window:
		return "Window", bracketed(x.List) + ", " + bracketed(x.Partition) + ", " + orderText(x.Order)
	case *Generate:
		return "Generate", exprText(x.Gen) + ", " + strconv.FormatBool(x.Outer) + ", " + x.Alias + ", " + columnsText(x.Out)
	case *Expand:
		rows := make([]string, len(x.Projections))
		for i, r := range x.Projections {
			rows[i] = bracketed(r)
		}
		return "Expand", "[" + strings.Join(rows, ", ") + "], " + columnsText(x.Out)
	case *Repartition:
		if len(x.By) > 0 {
			return "RepartitionByExpression", bracketed(x.By)
		}
		return "Repartition", fmt.Sprintf("%d, %t", x.N, x.Shuffle)
	case *Hint:
		return "UnresolvedHint", x.Name + ", " + bracketed(x.Args)
	case *With:
		return "CTE", ""
	}
	return leafText(p)
}

// leafText is nodeText of leaves and commands.
func leafText(p Plan) (name, text string) {
	switch x := p.(type) {
	case *UnresolvedRelation:
		return "UnresolvedRelation", "[" + strings.Join(x.Name, ", ") + "], [], " + strconv.FormatBool(x.Streaming)
	case *TableFunction:
		return "UnresolvedTableValuedFunction", "[" + strings.Join(x.Func.Name, ", ") + "], " + bracketed(x.Func.Args)
	case *Relation:
		text = columnsText(x.Out)
		if x.Table != nil {
			text = strings.TrimSpace(dotted(x.Table.Name)+text) + " " + x.Table.Provider
		}
		return "Relation", text
	case *LocalRelation:
		return "LocalRelation", columnsText(x.Out)
	case *OneRow:
		return "OneRowRelation", ""
	case *Values:
		return "UnresolvedInlineTable", strconv.Itoa(len(x.Rows)) + " rows"
	case *Range:
		return "Range", fmt.Sprintf("(%d, %d, step=%d)", x.Start, x.End, x.Step)
	case *CTERef:
		return "CTERelationRef", fmt.Sprintf("%d, %s", x.ID, columnsText(x.Out))
	case *CTEDef:
		return "WithCTE", strconv.FormatInt(x.ID, 10)
	case *CachedRelation:
		return "InMemoryRelation", columnsText(x.Out)
	}
	return reflect.TypeOf(p).Elem().Name(), ""
}

func joinText(x *Join) string {
	text := x.Kind.String()
	switch {
	case x.Natural:
		text = "NaturalJoin(" + text + ")"
	case x.Using != nil:
		text = "UsingJoin(" + text + ", [" + strings.Join(x.Using, ", ") + "])"
	}
	if x.Cond != nil {
		text += ", " + exprText(x.Cond)
	}
	for _, h := range []struct{ side, hint string }{{"leftHint", x.Hint.Left}, {"rightHint", x.Hint.Right}} {
		if h.hint != "" {
			text += ", " + h.side + "=(strategy=" + strings.ToLower(h.hint) + ")"
		}
	}
	return text
}

func setText(x *SetOp) (name, text string) {
	name = [...]string{"Union", "Intersect", "Except"}[x.Kind]
	switch {
	case x.Kind == Union && !x.All:
		return name, "distinct"
	case x.Kind == Union:
		return name, fmt.Sprintf("%t, %t", x.ByName, x.AllowMissing)
	case x.All:
		return name + " All", "true"
	}
	return name, "false"
}
