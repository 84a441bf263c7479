package exec

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

func aggExpr(name string, arg expr.Expr, mode physical.AggMode) physical.AggExpr {
	return physical.AggExpr{Agg: &expr.Agg{Name: name, Args: []expr.Expr{arg}, T: types.Long}, Mode: mode,
		Out: col(name, types.Long), State: []*expr.Column{col("state", types.Long)}}
}

func exprs(cols []*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		out[i] = c
	}
	return out
}

// sums groups rows by all columns but the last and gives the keys, the sum and the count of the last.
func sums(rows [][]any) [][]any {
	var out [][]any
	at := map[string]int{}
	for _, r := range rows {
		keys, v := r[:len(r)-1], r[len(r)-1]
		k := keyText(append([]any(nil), keys...))
		if _, ok := at[k]; !ok {
			at[k] = len(out)
			out = append(out, append(append([]any(nil), keys...), int64(0), int64(0)))
		}
		o := out[at[k]]
		if v != nil {
			o[len(o)-2] = o[len(o)-2].(int64) + v.(int64)
			o[len(o)-1] = o[len(o)-1].(int64) + 1
		}
	}
	return out
}

func TestAggregate(t *testing.T) {
	keySets := map[string][]types.Type{
		"none": {}, "long": {types.Long}, "text": {types.String}, "pair": {types.Int, types.Boolean}, "rows": {types.String, types.Long, types.Date},
	}
	for name, ts := range keySets {
		for _, domain := range []int{2, 20000} {
			for _, budget := range []int64{1 << 30, 400 << 10} {
				for _, phases := range []int{1, 2} {
					t.Run(fmt.Sprintf("%s/%d/budget %d/%d phases", name, domain, budget, phases), func(t *testing.T) {
						checkAggregate(t, ts, domain, budget, phases)
					})
				}
			}
		}
	}
}

func checkAggregate(t *testing.T, ts []types.Type, domain int, budget int64, phases int) {
	r := rand.New(rand.NewPCG(uint64(domain), 9))
	var cols []*expr.Column
	for i, kt := range ts {
		cols = append(cols, col(fmt.Sprint("k", i), kt))
	}
	keys := cols
	cols = append(cols, col("v", types.Long))
	rows := make([][]any, 20000)
	for i := range rows {
		for _, c := range cols {
			rows[i] = append(rows[i], randomKey(r, c.T, domain))
		}
	}
	var plan physical.Plan = table(r, cols, rows, 5000)
	aggs := []physical.AggExpr{aggExpr("sum", cols[len(cols)-1], physical.Complete), aggExpr("count", cols[len(cols)-1], physical.Complete)}
	if phases == 2 {
		partial, final := append([]physical.AggExpr(nil), aggs...), append([]physical.AggExpr(nil), aggs...)
		for i := range aggs {
			partial[i].Mode, final[i].Mode = physical.Partial, physical.Final
		}
		plan = &physical.Aggregate{Mode: physical.Partial, Keys: exprs(keys), Aggs: partial, Child: plan}
		plan = &physical.Aggregate{Mode: physical.Final, Keys: exprs(keys), Aggs: final, Child: plan}
	} else {
		plan = &physical.Aggregate{Mode: physical.Complete, Keys: exprs(keys), Aggs: aggs, Child: plan}
	}
	l := newLab(t, budget)
	task := l.task(0)
	got, want := l.must(plan, task), sums(rows)
	if !reflect.DeepEqual(sorted(got), sorted(want)) {
		t.Fatalf("%d groups, want %d", len(got), len(want))
	}
	if len(want) > 10000 && budget < 1<<20 && task.Metrics.Task.DiskBytesSpilled == 0 {
		t.Error("nothing was spilled")
	}
}

// A Partial that hands its table out early, and lets rows through, gives more rows but the same sums.
func TestPartialPolicy(t *testing.T) {
	const clustered = 0 // runs of four rows a key
	k, v := col("k", types.Long), col("v", types.Long)
	for _, domain := range []int{clustered, 10, 3000, 12000, 1 << 30} {
		r := rand.New(rand.NewPCG(3, 9))
		var rows [][]any
		for i := range 40000 {
			k := int64(i / 4)
			if domain != clustered {
				k = int64(r.IntN(domain))
			}
			rows = append(rows, []any{k, int64(r.IntN(100))})
		}
		l := newLab(t, 1<<30)
		l.env.partial = newPartialPolicy(500, 4000, 9000)
		partial := &physical.Aggregate{Mode: physical.Partial, Keys: []expr.Expr{k}, Child: table(r, []*expr.Column{k, v}, rows, 900),
			Aggs: []physical.AggExpr{aggExpr("sum", v, physical.Partial), aggExpr("count", v, physical.Partial)}}
		final := &physical.Aggregate{Mode: physical.Final, Keys: []expr.Expr{k}, Child: partial, Aggs: append([]physical.AggExpr(nil), partial.Aggs...)}
		for i := range final.Aggs {
			final.Aggs[i].Mode = physical.Final
		}
		task := l.task(0)
		l.env.Metrics = task.Metrics
		got, want := l.must(final, task), sums(rows)
		if !reflect.DeepEqual(sorted(got), sorted(want)) {
			t.Errorf("domain %d: %d groups, want %d", domain, len(got), len(want))
		}
		out := task.Metrics.of(partial).Rows
		if domain == clustered && (out < 10000 || out > 10100) || domain == 10 && out != 10 || domain > 10 && domain < 1<<20 && out != int64(len(want)) || domain == 1<<30 && out < 39900 {
			t.Errorf("domain %d: the partial gave %d rows", domain, out)
		}
	}
}

func TestAggregateWithoutRows(t *testing.T) {
	v := col("v", types.Long)
	empty := &physical.LocalScan{Out: []*expr.Column{v}}
	l := newLab(t, 1<<20)
	aggs := []physical.AggExpr{aggExpr("count", v, physical.Complete)}
	if got := l.must(&physical.Aggregate{Mode: physical.Complete, Aggs: aggs, Child: empty}, l.task(0)); !reflect.DeepEqual(got, [][]any{{int64(0)}}) {
		t.Errorf("without keys: %v", got)
	}
	if got := l.must(&physical.Aggregate{Mode: physical.Complete, Keys: []expr.Expr{v}, Aggs: aggs, Child: empty}, l.task(0)); len(got) != 0 {
		t.Errorf("with a key: %v", got)
	}
}

func TestAggregateDistinctFilterOrder(t *testing.T) {
	k, v, s := col("k", types.Long), col("v", types.Long), col("s", types.String)
	var rows [][]any
	for i := range 3000 {
		rows = append(rows, []any{int64(i % 3), int64(i % 7), fmt.Sprintf("%04d", (i*7919)%3000)})
	}
	r := rand.New(rand.NewPCG(1, 1))
	distinct := aggExpr("sum", v, physical.Complete)
	distinct.Agg.Distinct = true
	filtered := aggExpr("count", v, physical.Complete)
	filtered.Agg.Filter = &expr.Column{ID: s.ID, T: types.Boolean}
	list := aggExpr("list", s, physical.Complete)
	list.Agg.T = types.String
	list.Agg.Order = []expr.SortOrder{{Child: s, Desc: true}}
	l := newLab(t, 1<<30)
	plan := &physical.Aggregate{Mode: physical.Complete, Keys: []expr.Expr{k}, Aggs: []physical.AggExpr{distinct, list},
		Child: table(r, []*expr.Column{k, v, s}, rows, 700)}
	for _, row := range l.must(plan, l.task(0)) {
		if row[1] != int64(0+1+2+3+4+5+6) {
			t.Errorf("distinct sum of group %v is %v", row[0], row[1])
		}
		text := row[2].(string)
		if len(text) != 5*1000 {
			t.Fatalf("%d bytes", len(text))
		}
		for at := 5; at < len(text); at += 5 {
			if text[at-5:at] <= text[at:at+5] {
				t.Fatalf("%q before %q", text[at-5:at], text[at:at+5])
			}
		}
	}
}

// Sums and averages of one column share a state, in one phase or two, but not with those of other rows.
func TestAggregateSharedSums(t *testing.T) {
	in, state := types.Decimal(30, 0), types.Decimal(types.MaxPrecision, 0)
	k, v, w, pass := col("k", types.Long), col("v", in), col("w", in), col("pass", types.Boolean)
	avg := func(of *expr.Column, filter expr.Expr) physical.AggExpr {
		return physical.AggExpr{Agg: &expr.Agg{Name: "avg", Args: []expr.Expr{of}, Filter: filter, T: types.Decimal(34, 4)},
			Out: col("avg", types.Decimal(34, 4)), State: []*expr.Column{col("sum", state), col("count", types.Long)}}
	}
	aggs := []physical.AggExpr{avg(v, pass), avg(v, nil), avg(v, nil), avg(w, nil), avg(v, pass)}
	r := rand.New(rand.NewPCG(5, 1))
	var rows [][]any
	sum, count := [2][5]types.Int128{}, [2][5]int64{}
	for i := range 30000 {
		g, x, y, ok := i%2, types.I128(int64(i)-9), types.I128(int64(3*i)), i%5 == 0
		if i%10000 > 9990 {
			x = types.Int128{Hi: int64(i), Lo: uint64(i)} // more than 64 bits
		}
		rows = append(rows, []any{int64(g), x, y, ok})
		for a, of := range []types.Int128{x, x, x, y, x} {
			if ok || a%4 != 0 {
				sum[g][a], count[g][a] = sum[g][a].Add(of), count[g][a]+1
			}
		}
	}
	child := table(r, []*expr.Column{k, v, w, pass}, rows, 9000)
	phase := func(m physical.AggMode, child physical.Plan) physical.Plan {
		out := &physical.Aggregate{Mode: m, Keys: []expr.Expr{k}, Child: child, Aggs: slices.Clone(aggs)}
		for i := range out.Aggs {
			out.Aggs[i].Mode = m
		}
		return out
	}
	for name, plan := range map[string]physical.Plan{
		"one phase": phase(physical.Complete, child), "two phases": phase(physical.Final, phase(physical.Partial, child)),
	} {
		l := newLab(t, 1<<30)
		for _, row := range l.must(plan, l.task(0)) {
			g := row[0].(int64)
			for a, got := range row[1:] {
				n := types.I128(count[g][a])
				want, _ := sum[g][a].Mul(types.I128(1e4))
				have, _ := got.(types.Int128).Mul(n)
				if have.Sub(want).Abs().Cmp(n) > 0 {
					t.Errorf("%s: average %d of group %d is %v; the sum is %v of %d", name, a, g, got, sum[g][a], count[g][a])
				}
			}
		}
	}
}

// Aggregates that keep all rows are spilled with them.
func TestAggregateWholeSpills(t *testing.T) {
	k, v, s := col("k", types.String), col("v", types.Long), col("s", types.String)
	var rows, plain [][]any
	seen := map[string]bool{}
	for i := range 30000 {
		row := []any{fmt.Sprint("key ", i%2000), int64((i * 7919) % 9000), fmt.Sprintf("%05d", (i*7919)%30000)}
		rows = append(rows, row)
		if d := fmt.Sprint(row[:2]); !seen[d] {
			seen[d] = true
			plain = append(plain, row[:2])
		}
	}
	distinct, list := aggExpr("sum", v, physical.Complete), aggExpr("list", s, physical.Complete)
	distinct.Agg.Distinct = true
	list.Agg.T, list.Agg.Order = types.String, []expr.SortOrder{{Child: s}}
	want := map[any]any{}
	for _, r := range sums(plain) {
		want[r[0]] = r[1]
	}
	for _, budget := range []int64{1 << 30, 500 << 10} {
		l := newLab(t, budget)
		task := l.task(0)
		got := l.must(&physical.Aggregate{Mode: physical.Complete, Keys: []expr.Expr{k}, Aggs: []physical.AggExpr{distinct, list},
			Child: table(rand.New(rand.NewPCG(1, 1)), []*expr.Column{k, v, s}, rows, 2000)}, task)
		if len(got) != len(want) {
			t.Fatalf("%d groups", len(got))
		}
		for _, r := range got {
			text := strings.Split(strings.TrimSuffix(r[2].(string), ";"), ";")
			if r[1] != want[r[0]] || len(text) != 15 || !slices.IsSorted(text) {
				t.Fatalf("budget %d: %v, want a sum of %v", budget, r, want[r[0]])
			}
		}
		if spilled := task.Metrics.Task.DiskBytesSpilled > 0; spilled != (budget < 1<<20) {
			t.Errorf("budget %d: spilled is %v", budget, spilled)
		}
	}
}

// Without keys there is nothing to spill by.
func TestAggregateRefused(t *testing.T) {
	v := col("v", types.Long)
	var rows [][]any
	for i := range 50000 {
		rows = append(rows, []any{int64(i) * 1000})
	}
	d := aggExpr("count", v, physical.Complete)
	d.Agg.Distinct = true
	l := newLab(t, 100<<10)
	_, err := l.run(&physical.Aggregate{Mode: physical.Complete, Aggs: []physical.AggExpr{d},
		Child: table(rand.New(rand.NewPCG(1, 1)), []*expr.Column{v}, rows, 3000)}, l.task(0))
	if !memory.Refused(err) {
		t.Error(err)
	}
}

// BenchmarkGroupBy: one BIGINT key, one sum; the time is of the operator over batches in memory.
func BenchmarkGroupBy(b *testing.B) {
	for _, groups := range []int{4, 10_000, 1_500_000} {
		for _, order := range []string{"random", "clustered"} {
			b.Run(fmt.Sprintf("%d/%s", groups, order), func(b *testing.B) { benchGroupBy(b, groups, order == "clustered") })
		}
	}
}

func benchGroupBy(b *testing.B, groups int, clustered bool) {
	const n = 6_000_000
	r := rand.New(rand.NewPCG(1, 1))
	k, v := col("k", types.Long), col("v", types.Long)
	p := &physical.LocalScan{Out: []*expr.Column{k, v}}
	for at := 0; at < n; at += BatchRows {
		keys, vals := make([]int64, BatchRows), make([]int64, BatchRows)
		for i := range keys {
			if keys[i], vals[i] = r.Int64N(int64(groups))*5, int64(i); clustered {
				keys[i] = int64(at+i) * int64(groups) / n * 5
			}
		}
		p.Batches = append(p.Batches, &columnar.Batch{N: BatchRows, Cols: []columnar.Vector{columnar.NewFlat(types.Long, keys), columnar.NewFlat(types.Long, vals)}})
	}
	agg := &physical.Aggregate{Mode: physical.Complete, Keys: []expr.Expr{k}, Aggs: []physical.AggExpr{aggExpr("sum", v, physical.Complete)}, Child: p}
	l := newLab(b, 8<<30)
	l.env.Wrap = nil
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		op, err := Build(agg, l.env)
		if err != nil {
			b.Fatal(err)
		}
		rows := 0
		if err := Run(b.Context(), l.task(0), op, func(b *columnar.Batch) error { rows += b.N; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/n, "cpu-ns/row")
}

// cpuTime is the process's CPU time in ns: on a shared machine the wall clock says little.
func cpuTime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}
