package analyzer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sqlparser"
)

// tpchQueries are the texts of the 22 queries.
func tpchQueries(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../tpch/queries/*.sql")
	if err != nil || len(files) < 22 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = strings.TrimRight(string(b), "; \n")
	}
	return out
}

func TestTPCH(t *testing.T) {
	ctx := testContext(t)
	for name, text := range tpchQueries(t) {
		p, err := analyze(t, ctx, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkResolved(t, name, p)
	}
}

// checkResolved fails when a resolved plan breaks what the package promises.
func checkResolved(t testing.TB, name string, p logical.Plan) {
	t.Helper()
	made := map[expr.ID]bool{}
	var plan func(p logical.Plan)
	plan = func(p logical.Plan) {
		in := map[expr.ID]bool{}
		for _, c := range p.Children() {
			plan(c)
			for _, o := range c.Output() {
				in[o.ID] = true
			}
		}
		if j, ok := p.(*logical.Join); ok && j.Lateral {
			for _, o := range j.Left.Output() {
				in[o.ID] = true
			}
		}
		for _, e := range p.Exprs() {
			if a, ok := e.(*expr.Alias); ok {
				if made[a.ID] {
					t.Errorf("%s: id of %s made twice", name, a.Name)
				}
				made[a.ID] = true
			}
			expr.Walk(e, func(x expr.Expr) bool {
				switch x := x.(type) {
				case *expr.Column:
					if !in[x.ID] {
						t.Errorf("%s: column %s of %T is not in its input", name, x.Name, p)
					}
				case *expr.Literal, *expr.Alias, *expr.Cast, *expr.Call, *expr.Agg, *expr.Window, *expr.SortOrder, *expr.Lambda, *expr.LambdaVar:
				case *expr.OuterRef:
				case *expr.Subquery:
					plan(x.Plan.(logical.Plan))
				default:
					t.Errorf("%s: %T is left", name, x)
				}
				return true
			})
		}
	}
	plan(p)
}

func BenchmarkTPCH(b *testing.B) {
	ctx := testContext(b)
	for name, text := range tpchQueries(b) {
		p, err := sqlparser.ParsePlan(text, parseOptions)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Analyze(ctx, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
