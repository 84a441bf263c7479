package eval_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

func aggregate(a *expr.Agg) (string, error) { return "", fmt.Errorf("%s needs rows", a.Name) }

// query is "agg FROM VALUES (…), (…) AS t(a, b)" taken apart: the call over columns, and the columns' vectors.
func query(text string) (*expr.Agg, []columnar.Vector, []*expr.Column, error) {
	plan, err := sqlparser.ParsePlan("SELECT "+text, sqlparser.Options{Location: session().Zone})
	if err != nil {
		return nil, nil, nil, err
	}
	project, ok := plan.(*logical.Project)
	if !ok {
		return nil, nil, nil, fmt.Errorf("%T is no projection", plan)
	}
	alias := project.Child.(*logical.SubqueryAlias)
	rows := alias.Child.(*logical.Values).Rows
	vars := map[string]*expr.LambdaVar{}
	var vecs []columnar.Vector
	var in []*expr.Column
	for k, name := range alias.Columns {
		var list []expr.Expr
		t := types.Null
		for _, r := range rows {
			e, err := resolve(bindEnv(session()), r[k], nil)
			if err != nil {
				return nil, nil, nil, err
			}
			list = append(list, e)
			t, _ = types.Wider(t, e.Type())
		}
		b := columnar.NewBuilder(t, len(rows))
		for _, e := range list {
			v, err := eval.Value(function.Cast(bindEnv(session()), e, t), session())
			if err != nil {
				return nil, nil, nil, err
			}
			b.Append(v)
		}
		vecs = append(vecs, b.Finish())
		id := expr.NextID()
		vars[strings.ToLower(name)] = &expr.LambdaVar{Name: name, ID: id, T: t, Null: true}
		in = append(in, &expr.Column{ID: id, Name: name, T: t, Null: true})
	}
	e, err := resolve(bindEnv(session()), project.List[0], vars)
	if err != nil {
		return nil, nil, nil, err
	}
	agg, ok := e.(*expr.Agg)
	if !ok {
		return nil, nil, nil, fmt.Errorf("%s is no aggregate", e.SQL())
	}
	return agg, vecs, in, nil
}

// inputs computes what Update gets: the arguments and the order columns.
func inputs(a *expr.Agg, vecs []columnar.Vector, in []*expr.Column, n int) ([]columnar.Vector, error) {
	list := append([]expr.Expr{}, a.Args...)
	for _, o := range a.Order {
		list = append(list, o.Child)
	}
	p, err := eval.Compile(list, in, session(), eval.Options{})
	if err != nil {
		return nil, err
	}
	out := make([]columnar.Vector, len(list))
	return out, p.Run(&columnar.Batch{Cols: vecs, N: n}, out)
}

func runAgg(text string) (string, error) {
	a, vecs, in, err := query(text)
	if err != nil {
		return "", err
	}
	args, err := inputs(a, vecs, in, vecs[0].N)
	if err != nil {
		return "", err
	}
	state, err := eval.NewAgg(a)
	if err != nil {
		return "", err
	}
	c := &kernel.Ctx{Session: session(), Scratch: &kernel.Scratch{}}
	if err := state.Update(c, args, vecs[0].N, nil, 1); err != nil {
		return "", err
	}
	v, err := state.Result(c, 0, 1)
	if err != nil {
		return "", err
	}
	return show(v.ValueAt(0), a.T), nil
}

// TestAggregateExamples runs the examples of every aggregate.
func TestAggregateExamples(t *testing.T) {
	for _, r := range function.Rows() {
		if r.Kind != function.Aggregate {
			continue
		}
		if len(r.Examples) == 0 || r.Usage == "" || r.Since == "" || r.Group == "" {
			t.Errorf("%s: no example, usage, version or group", r.Name)
		}
		for _, x := range r.Examples {
			got, err := runAgg(x.SQL)
			if err != nil || got != x.Result {
				t.Errorf("%s: %s = %s %v, want %s", r.Name, x.SQL, got, err, x.Result)
			}
		}
	}
}

// aggTexts are aggregates over the random columns.
var aggTexts = []string{
	"count(1)", "count(i)", "count(i, s)", "count_if(b)", "sum(i)", "sum(l)", "sum(y)", "sum(d)", "sum(n)", "sum(w)", "avg(i)", "avg(n)", "avg(d)", "min(i)", "max(l)", "min(s)", "max(s)",
	"min(d)", "max(t)", "min(n)", "max(w)", "max(a)", "min(r)", "max(b)", "first(s)", "last(s)", "first(i, true)", "last(a)", "max_by(s, l)", "min_by(a, n)", "stddev(l)", "var_pop(d)",
	"skewness(d)", "kurtosis(d)", "corr(l, d)", "covar_samp(i, l)", "regr_slope(l, i)", "bool_and(b)", "bool_or(b)", "bit_and(i)", "bit_or(l)", "bit_xor(y)", "collect_list(s)",
	"collect_set(i)", "percentile(l, 0.3)", "median(d)", "percentile(l, 0.9)", "approx_percentile(l, 0.5)", "mode(i, true)", "approx_count_distinct(l)", "listagg(s, '-')",
	"try_sum(l)", "try_avg(n)", "percentile_cont(0.4) within group (order by d)", "any_value(i)",
}

// TestAggregatesByGroup compares grouped states over batches of all forms, merged from two partial states, with one state per group.
func TestAggregatesByGroup(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	c := &kernel.Ctx{Session: session(), Scratch: &kernel.Scratch{}}
	const groups = 5
	for _, text := range aggTexts {
		e, err := bindColumns(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		a := e.(*expr.Agg)
		var parts [2]kernel.Agg
		var single [groups]kernel.Agg
		for i := range parts {
			if parts[i], err = eval.NewAgg(a); err != nil {
				t.Fatal(text, err)
			}
		}
		for g := range single {
			single[g], _ = eval.NewAgg(a)
		}
		for k := range 4 {
			b := randomBatch(r, 60)
			args, err := inputs(a, b.Cols, cols, b.N)
			if err != nil {
				t.Fatal(text, err)
			}
			group := make([]uint32, b.N)
			var of [groups][]uint32
			for i := range group {
				group[i] = uint32(r.IntN(groups))
				of[group[i]] = append(of[group[i]], uint32(i))
			}
			if err := parts[k/2].Update(c, args, b.N, group, groups); err != nil {
				t.Fatal(text, err)
			}
			for g, rows := range of {
				sub := make([]columnar.Vector, len(args))
				for i := range args {
					sub[i] = columnar.Gather(&args[i], rows)
				}
				if err := single[g].Update(c, sub, len(rows), nil, 1); err != nil {
					t.Fatal(text, err)
				}
			}
		}
		compareAgg(t, c, text, a, parts, single[:])
	}
}

func compareAgg(t *testing.T, c *kernel.Ctx, text string, a *expr.Agg, parts [2]kernel.Agg, single []kernel.Agg) {
	t.Helper()
	merged, _ := eval.NewAgg(a)
	wantTypes, _ := eval.StateTypes(a)
	for _, p := range parts {
		state, err := p.State(c, 0, len(single))
		if err != nil {
			t.Fatal(text, err)
		}
		group := make([]uint32, len(single))
		for i := range group {
			group[i] = uint32(i)
		}
		for i := range state {
			if !state[i].Type.SameType(wantTypes[i]) || len(state) != len(wantTypes) {
				t.Errorf("%s: state column %d is %v, not %v", text, i, state[i].Type, wantTypes[i])
			}
		}
		if err := merged.Merge(c, state, len(single), group, len(single)); err != nil {
			t.Fatal(text, err)
		}
	}
	got, err := merged.Result(c, 0, len(single))
	if err != nil {
		t.Fatal(text, err)
	}
	for g := range single {
		want, err := single[g].Result(c, 0, 1)
		if err != nil {
			t.Fatal(text, err)
		}
		x, y := got.ValueAt(g), want.ValueAt(0)
		if !near(x, y) && show(x, a.T) != show(y, a.T) {
			t.Errorf("%s: group %d: %s, want %s", text, g, show(x, a.T), show(y, a.T))
		}
	}
}

// near: merged moments differ in the last digits.
func near(a, b any) bool {
	x, ok1 := a.(float64)
	y, ok2 := b.(float64)
	return ok1 && ok2 && (x == y || (x-y)*(x-y) <= 1e-18*(x*x+y*y))
}
