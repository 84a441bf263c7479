package analyzer

import (
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func table(name string) logical.Plan { return &logical.UnresolvedRelation{Name: []string{name}} }
func df(id int64, p logical.Plan) logical.Plan {
	return &logical.PlanID{ID: id, Child: p}
}
func of(id int64, name string) expr.Expr { return &expr.Attribute{Name: []string{name}, PlanID: id} }
func col(name string) expr.Expr          { return &expr.Attribute{Name: []string{name}} }
func project(p logical.Plan, list ...expr.Expr) logical.Plan {
	return &logical.Project{List: list, Child: p}
}
func eq(a, b expr.Expr) expr.Expr { return expr.NewFunc("=", a, b) }
func one() expr.Expr              { return expr.NewLiteral(int32(1), types.Int) }

func TestDataFrameColumns(t *testing.T) {
	u := func(id int64) logical.Plan { return df(id, table("u")) }
	join := func(a, b logical.Plan, cond expr.Expr) logical.Plan {
		return df(9, &logical.Join{Left: a, Right: b, Cond: cond})
	}
	filtered := df(2, &logical.Filter{Cond: eq(of(1, "a"), one()), Child: u(1)})
	tests := []struct {
		name string
		p    logical.Plan
		want string
	}{
		{"each side by its id", project(join(u(1), u(2), eq(of(1, "a"), of(2, "a"))), of(2, "a"), of(1, "e")),
			"Project[a#2, e#3](Join[Inner (a#1 = a#2)](u:T; u:T))"},
		{"a frame joined with a filter of itself: the nearer one", join(u(1), filtered, eq(of(1, "a"), of(2, "e"))),
			"Join[Inner (a#2 = e#3)](u:T; Filter[(a#1 = 1)](u:T))"},
		{"a frame joined with itself", join(u(1), u(1), eq(of(1, "a"), of(1, "a"))), "!AMBIGUOUS_COLUMN_REFERENCE"},
		{"a column that the select dropped", df(3, project(df(2, project(u(1), of(1, "a"))), of(1, "e"))), "!CANNOT_RESOLVE_DATAFRAME_COLUMN"},
		{"another frame", df(3, project(u(1), of(7, "a"))), "!CANNOT_RESOLVE_DATAFRAME_COLUMN"},
		{"no such column", df(3, project(u(1), of(1, "zz"))), "!UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"through a rename", df(3, project(df(2, project(u(1), &expr.Alias{Child: of(1, "a"), Name: "x"}, of(1, "e"))), of(2, "x"), of(1, "e"))),
			"Project[x#2, e#3](Project[a#1 AS x#2, e#3](u:T))"},
		{"sort by what the select dropped", df(3, &logical.Sort{Order: []expr.SortOrder{{Child: of(1, "e")}}, Global: true, Child: df(2, project(u(1), of(1, "a")))}),
			"Project[a#1](Sort[e#2](Project[a#1, e#2](u:T)))"},
		{"filter by name on what the select dropped", df(3, &logical.Filter{Cond: eq(col("e"), one()), Child: df(2, project(u(1), of(1, "a")))}),
			"Project[a#1](Filter[(e#2 = 1)](Project[a#1, e#2](u:T)))"},
		{"sort by an aggregate", df(3, &logical.Sort{Order: []expr.SortOrder{{Child: expr.NewFunc("sum", of(1, "e"))}}, Global: true,
			Child: df(2, &logical.Aggregate{Group: []expr.Expr{of(1, "a")}, List: []expr.Expr{of(1, "a")}, Child: u(1)})}),
			"Project[a#1](Sort[sum(e)#3](Agg[a#1|a#1, sum(e#2) AS sum(e)#3](u:T)))"},
		{"star of a frame", project(join(u(1), u(2), eq(of(1, "a"), of(2, "a"))), &expr.Star{PlanID: 2}),
			"Project[a#2, e#3, c#4](Join[Inner (a#1 = a#2)](u:T; u:T))"},
		{"drop by reference", df(3, logical.NewUnary(logical.DropColumns{Columns: []expr.Expr{of(2, "a")}}, join(u(1), u(2), nil))),
			"Project[a#1, e#2, c#3, e#4, c#5](Join[Inner](u:T; u:T))"},
		{"with columns", df(3, logical.NewUnary(logical.WithColumns{Columns: []*expr.Alias{{Child: expr.NewFunc("+", of(1, "e"), one()), Name: "E"}, {Child: one(), Name: "n"}}}, u(1))),
			"Project[a#1, (e#2 + 1) AS E#3, c#4, 1 AS n#5](u:T)"},
	}
	ctx := testContext(t)
	for _, c := range tests {
		p, err := Analyze(ctx, c.p)
		got := ""
		if e, ok := sparkerr.As(err); ok {
			got = "!" + e.Condition
		} else if err != nil {
			got = err.Error()
		} else {
			got = briefly(p)
			checkResolved(t, c.name, p)
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestSubqueryByReference(t *testing.T) {
	ctx := testContext(t)
	sub := df(5, &logical.Aggregate{List: []expr.Expr{expr.NewFunc("max", of(4, "e"))},
		Child: df(6, &logical.Filter{Cond: eq(of(4, "a"), of(1, "a")), Child: df(4, table("u"))})})
	p := &logical.WithRelations{
		Child:      df(7, project(df(1, table("u")), of(1, "a"), &expr.Alias{Child: &expr.Subquery{Kind: expr.ScalarSubquery, PlanRef: 5}, Name: "m"})),
		References: []logical.Plan{sub, &logical.SubqueryAlias{Name: []string{"v"}, Child: df(8, table("t"))}},
	}
	got, err := Analyze(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if s := briefly(got); s != "Project[a#1, sub0()[a#1]{Agg[|max(e#3) AS max(e)#4](Filter[(a#2 = outer(a#1))](u:T))} AS m#5](u:T)" {
		t.Error(s)
	}
	q := &logical.WithRelations{Child: project(table("v"), col("b")), References: p.References}
	if got, err = Analyze(ctx, q); err != nil || briefly(got) != "Project[b#1](v:t:T)" {
		t.Error(err, briefly(got))
	}
}

func TestViewsResolveInTheirOwnContext(t *testing.T) {
	ctx := testContext(t)
	rows, err := analyze(t, ctx, "with t as (select 1 as x) select * from t, (select count(*) from u) c(n)")
	if err != nil || len(rows.Output()) != 2 {
		t.Fatal(rows, err)
	}
}
