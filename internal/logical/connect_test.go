package logical

import (
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// table is a resolved input with columns a INT, b STRING, c DOUBLE.
func table() *Resolved {
	col := func(name string, t types.Type) *expr.Column {
		return &expr.Column{ID: expr.NextID(), Name: name, T: t, Null: true}
	}
	return &Resolved{Plan: &LocalRelation{Out: []*expr.Column{col("a", types.Int), col("b", types.String), col("c", types.Double)}}}
}

var testEnv = &ExpandEnv{
	Same:    strings.EqualFold,
	Resolve: func(e expr.Expr) (expr.Expr, error) { return e, nil },
}

// listText prints a select list: names, and function calls.
func listText(list []expr.Expr) string {
	var out []string
	for _, e := range list {
		out = append(out, shortText(e))
	}
	return strings.Join(out, ", ")
}

func shortText(e expr.Expr) string {
	switch x := e.(type) {
	case *expr.Column:
		return x.Name
	case *expr.Alias:
		return shortText(x.Child) + " as " + x.Name
	case *expr.Func:
		var args []string
		for _, a := range x.Args {
			args = append(args, shortText(a))
		}
		return x.Name[0] + "(" + strings.Join(args, " ") + ")"
	case *expr.Cast:
		return shortText(x.Child) + "::" + x.To.String()
	}
	return e.SQL()
}

func TestExpand(t *testing.T) {
	in := table()
	one := expr.NewLiteral(int32(1), types.Int)
	yes := expr.NewLiteral("x", types.String)
	tests := []struct {
		node Expander
		want string
	}{
		{NewUnary(WithColumns{Columns: []*expr.Alias{expr.NewAlias(one, "A"), expr.NewAlias(one, "d")}}, in), "1 as A, b, c, 1 as d"},
		{NewUnary(WithColumnsRenamed{From: []string{"a", "z", "x"}, To: []string{"x", "y", "w"}}, in), "a as w, b, c"},
		{NewUnary(DropColumns{Names: []string{"B", "z"}, Columns: []expr.Expr{in.Output()[2]}}, in), "a"},
		{NewUnary(ToDF{Names: []string{"p", "b", "q"}}, in), "a as p, b, c as q"},
		{NewUnary(ToSchema{Schema: types.NewSchema(types.Field{Name: "C", Type: types.Float, Nullable: true}, types.Field{Name: "n", Type: types.Int, Nullable: true})}, in),
			"c::float as C, NULL as n"},
		{NewUnary(FillNA{Values: []*expr.Literal{one}}, in), "coalesce(a 1::int) as a, b, coalesce(nanvl(c NULL) 1::double) as c"},
		{NewUnary(FillNA{Columns: []string{"b", "a"}, Values: []*expr.Literal{yes, yes}}, in), "a, coalesce(b x::string) as b, c"},
		{NewUnary(DropNA{Columns: []string{"a", "c"}}, in), "and(isnotnull(a) and(isnotnull(c) not(isnan(c))))"},
		{NewUnary(DropNA{Columns: []string{"a", "b"}, MinNonNulls: 1}, in), "or(isnotnull(a) isnotnull(b))"},
		{NewUnary(ReplaceNA{Old: []*expr.Literal{yes}, New: []*expr.Literal{expr.NewLiteral(nil, types.String)}}, in), "a, when(=(b x::string) NULL::string b) as b, c"},
		{NewUnary(EventTimeWatermark{Column: "a"}, in), ""},
	}
	for _, test := range tests {
		p, err := test.node.Expand(testEnv, []Plan{in})
		if err != nil {
			t.Errorf("%T: %v", test.node, err)
			continue
		}
		if got := listText(p.Exprs()); got != test.want {
			t.Errorf("%T: %s, want %s", test.node, got, test.want)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	in := table()
	one := expr.NewLiteral(int32(1), types.Int)
	for condition, node := range map[string]Expander{
		"COLUMN_ALREADY_EXISTS":     NewUnary(WithColumns{Columns: []*expr.Alias{expr.NewAlias(one, "x"), expr.NewAlias(one, "X")}}, in),
		"ASSIGNMENT_ARITY_MISMATCH": NewUnary(ToDF{Names: []string{"p"}}, in),
		"UNRESOLVED_COLUMN":         NewUnary(FillNA{Columns: []string{"z"}, Values: []*expr.Literal{one}}, in),
		"NULLABLE_COLUMN_OR_FIELD":  NewUnary(ToSchema{Schema: types.NewSchema(types.Field{Name: "a", Type: types.Int})}, in),
	} {
		if _, err := node.Expand(testEnv, []Plan{in}); !sparkerr.Is(err, condition) {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

// TestZip: the projections of both sides become one chain over the left side's source.
func TestZip(t *testing.T) {
	side := func(factor int32) (*Resolved, *Range) {
		id := &expr.Column{ID: expr.NextID(), Name: "id", T: types.Long}
		r := &Range{End: 3, Step: 1, Out: []*expr.Column{id}}
		return &Resolved{Plan: &Project{List: []expr.Expr{expr.NewAlias(expr.NewCall("*", types.Long, id, expr.NewLiteral(factor, types.Int)), "x")}, Child: r}}, r
	}
	left, source := side(2)
	right, _ := side(3)
	p, err := NewZip(left, right).Expand(testEnv, []Plan{left, right})
	if err != nil {
		t.Fatal(err)
	}
	if got := listText(p.Exprs()); got != "x, x" {
		t.Error(got)
	}
	known := map[expr.ID]bool{source.Out[0].ID: true}
	top := p.(*Project).Child.(*Resolved).Plan
	for _, e := range top.Exprs() {
		for id := range columnsOf(e) {
			if !known[id] && id != left.Output()[0].ID {
				t.Errorf("%s refers to the right side's source", shortText(e))
			}
		}
	}
	other := &Resolved{Plan: &Range{End: 4, Step: 1, Out: []*expr.Column{{ID: expr.NextID(), Name: "id", T: types.Long}}}}
	if _, err := NewZip(left, other).Expand(testEnv, []Plan{left, other}); !sparkerr.Is(err, "ZIP_PLANS_NOT_MERGEABLE") {
		t.Error(err)
	}
}

func columnsOf(e expr.Expr) map[expr.ID]*expr.Column {
	out := map[expr.ID]*expr.Column{}
	expr.Columns(e, out)
	return out
}
