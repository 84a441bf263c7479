package exec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func longs(from, to, step int64) (out [][]any) {
	for v := from; v < to; v += step {
		out = append(out, []any{v})
	}
	return out
}

func rangePlan(start, end, step int64, parts int) *physical.Range {
	return &physical.Range{Start: start, End: end, Step: step, Partitions: parts, Out: []*expr.Column{{ID: expr.NextID(), Name: "id", T: types.Long}}}
}

func TestRange(t *testing.T) {
	const top = 1<<63 - 1
	cases := []struct {
		start, end, step int64
		parts            int
		want             []int // rows by partition
		first, last      int64
	}{
		{0, 10, 1, 4, []int{2, 3, 2, 3}, 0, 9},
		{0, 10, 3, 2, []int{2, 2}, 0, 9},
		{10, 0, -3, 1, []int{4}, 10, 1},
		{5, 5, 1, 3, []int{0, 0, 0}, 0, 0},
		{-top - 1, top, top, 2, []int{1, 2}, -top - 1, top - 1},
		{0, 10000, 1, 1, []int{10000}, 0, 9999},
	}
	for _, c := range cases {
		l := newLab(t, 1<<20)
		p := rangePlan(c.start, c.end, c.step, c.parts)
		var all [][]any
		for i, want := range c.want {
			rows := l.must(p, l.task(i))
			if len(rows) != want {
				t.Errorf("%+v: partition %d has %d rows", c, i, len(rows))
			}
			all = append(all, rows...)
		}
		if len(all) > 0 && (all[0][0] != c.first || all[len(all)-1][0] != c.last) {
			t.Errorf("%+v: from %v to %v", c, all[0], all[len(all)-1])
		}
		whole := l.task(0)
		whole.Whole = true
		if got := l.must(p, whole); !reflect.DeepEqual(got, all) {
			t.Errorf("%+v: as a whole %d rows", c, len(got))
		}
	}
}

func TestLimitAndTail(t *testing.T) {
	in := rangePlan(0, 10000, 1, 1)
	cases := []struct {
		plan physical.Plan
		want [][]any
	}{
		{&physical.Limit{N: 5, Child: in}, longs(0, 5, 1)},
		{&physical.Limit{N: 5000, Offset: 4000, Global: true, Child: in}, longs(4000, 9000, 1)},
		{&physical.Limit{N: -1, Offset: 9990, Global: true, Child: in}, longs(9990, 10000, 1)},
		{&physical.Limit{N: 0, Child: in}, nil},
		{&physical.Limit{N: 3, Offset: 20000, Global: true, Child: in}, nil},
		{&physical.Tail{N: 3, Child: in}, longs(9997, 10000, 1)},
		{&physical.Tail{N: 5000, Child: in}, longs(5000, 10000, 1)},
		{&physical.Tail{N: 50000, Child: in}, longs(0, 10000, 1)},
		{&physical.Tail{N: 0, Child: in}, nil},
	}
	for i, c := range cases {
		l := newLab(t, 1<<30)
		if got := l.must(c.plan, l.task(0)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("case %d: %d rows, want %d", i, len(got), len(c.want))
		}
	}
}

func TestLimitOverOrderedPartitions(t *testing.T) {
	l := newLab(t, 1<<20)
	p := &physical.Limit{N: 10, Child: rangePlan(0, 100, 1, 4)}
	shared := &Shared{}
	for i := range 4 {
		task := l.task(i)
		task.Shared = shared
		if got, want := l.must(p, task), longs(int64(25*i), int64(25*i+10), 1); !reflect.DeepEqual(got, want) {
			t.Errorf("partition %d: %v, want its own first rows %v", i, got, want)
		}
	}
}

func TestUnionAndCoalesce(t *testing.T) {
	a, b := rangePlan(0, 10, 1, 2), rangePlan(10, 20, 1, 3)
	union := &physical.Union{Inputs: []physical.Plan{a, b}, Out: a.Out}
	if p := PartsOf(union, nil, nil); p.Fixed != 5 || p.Any {
		t.Errorf("%+v", p)
	}
	l := newLab(t, 1<<20)
	collect := func(p physical.Plan, tasks int) (all [][]any) {
		for i := range tasks {
			all = append(all, l.must(p, l.task(i))...)
		}
		return all
	}
	if got := collect(union, 5); !reflect.DeepEqual(got, longs(0, 20, 1)) {
		t.Errorf("union: %v", got)
	}
	co := &physical.Coalesce{N: 2, Child: union}
	if p := PartsOf(co, nil, nil); p.Fixed != 2 {
		t.Errorf("%+v", p)
	}
	if got := collect(co, 2); !reflect.DeepEqual(got, longs(0, 20, 1)) {
		t.Errorf("coalesce: %v", got)
	}
	whole := l.task(0)
	whole.Whole = true
	if got := l.must(co, whole); !reflect.DeepEqual(got, longs(0, 20, 1)) {
		t.Errorf("whole: %v", got)
	}
}

func TestProjectAndFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	a, s, unused := col("a", types.Long), col("s", types.String), col("u", types.Long)
	var rows, want [][]any
	for i := range 9000 {
		var v any = int64(i % 100)
		if i%11 == 0 {
			v = nil
		}
		text := strings.Repeat("x", i%20)
		rows = append(rows, []any{v, text, int64(i)})
		if v != nil && v.(int64) < 40 {
			want = append(want, []any{text, v})
		}
	}
	less := expr.NewCall("<", types.Boolean, a, expr.NewLiteral(int64(40), types.Long))
	p := &physical.Project{List: []expr.Expr{s, expr.NewAlias(a, "b")},
		Child: &physical.Filter{Cond: less, Child: table(r, []*expr.Column{a, s, unused}, rows, 3000)}}
	l := newLab(t, 1<<20)
	if got := l.must(p, l.task(0)); !reflect.DeepEqual(got, want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	if p.Output()[1].Name != "b" {
		t.Error(p.Output()[1].Name)
	}
}

func TestExpand(t *testing.T) {
	in := rangePlan(0, 5, 1, 1)
	tag := func(v int64) expr.Expr { return expr.NewLiteral(v, types.Long) }
	p := &physical.Expand{Projections: [][]expr.Expr{{in.Out[0], tag(1)}, {expr.NewLiteral(nil, types.Long), tag(2)}},
		Out: []*expr.Column{col("id", types.Long), col("tag", types.Long)}, Child: in}
	l := newLab(t, 1<<20)
	got := sorted(l.must(p, l.task(0)))
	var want [][]any
	for i := range int64(5) {
		want = append(want, []any{i, int64(1)}, []any{nil, int64(2)})
	}
	if !reflect.DeepEqual(got, sorted(want)) {
		t.Error(got)
	}
}

// Spark 4.2: spark.range(0, 20, 1, 1).sample(...).
func TestSample(t *testing.T) {
	l := newLab(t, 1<<20)
	for _, c := range sparkSamples {
		p := &physical.Sample{Upper: c.fraction, WithReplacement: c.replace, Seed: c.seed, Child: rangePlan(0, 20, 1, c.parts)}
		var got []int64
		for i := range c.parts {
			for _, r := range l.must(p, l.task(i)) {
				got = append(got, r[0].(int64))
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// failing is an operator that ends badly.
type failing struct {
	Operator
	how func() error
}

func (f *failing) Next(context.Context) (*columnar.Batch, error) { return nil, f.how() }

func TestRunEndsBadly(t *testing.T) {
	l := newLab(t, 1<<20)
	bad := errors.New("bad")
	run := func(ctx context.Context, how func() error) error {
		op, err := Build(rangePlan(0, 1, 1, 1), l.env)
		if err != nil {
			t.Fatal(err)
		}
		return Run(ctx, l.task(0), &failing{op, how}, func(*columnar.Batch) error { return nil })
	}
	if err := run(t.Context(), func() error { return bad }); !errors.Is(err, bad) {
		t.Error(err)
	}
	err := run(t.Context(), func() error { panic(fmt.Errorf("broken: %w", bad)) })
	if e, ok := sparkerr.As(err); !ok || e.Condition != "INTERNAL_ERROR" || !strings.Contains(e.Stack, "TestRunEndsBadly") || !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := run(ctx, func() error { cancel(bad); return ctx.Err() }); !errors.Is(err, bad) {
		t.Errorf("the cause of the cancellation: %v", err)
	}
}

func TestRunFindsLeaks(t *testing.T) {
	l := newLab(t, 1<<20)
	op, err := Build(rangePlan(0, 1, 1, 1), l.env)
	if err != nil {
		t.Fatal(err)
	}
	task := l.task(0)
	err = Run(t.Context(), task, op, func(*columnar.Batch) error { return task.Mem.Reserve("Leaky").Grow(10) })
	if !sparkerr.Is(err, "INTERNAL_ERROR_MEMORY") || !strings.Contains(err.Error(), "Leaky") {
		t.Error(err)
	}
}

// Steady state allocates nothing per batch.
func TestNoAllocations(t *testing.T) {
	in := rangePlan(0, 1<<40, 1, 1)
	even := expr.NewCall("<", types.Boolean, expr.NewCall("%", types.Long, in.Out[0], expr.NewLiteral(int64(10), types.Long)), expr.NewLiteral(int64(5), types.Long))
	p := &physical.Project{List: []expr.Expr{in.Out[0]}, Child: &physical.Filter{Cond: even, Child: in}}
	l := newLab(t, 1<<20)
	op, err := Build(p, &Env{Session: l.env.Session})
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Open(t.Context(), l.task(0)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := op.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(50, func() { _, _ = op.Next(t.Context()) }); n > 1 {
		t.Errorf("%v allocations a batch", n)
	}
	if err := op.Close(); err != nil {
		t.Fatal(err)
	}
}

var sparkSamples = []struct {
	replace  bool
	fraction float64
	seed     int64
	parts    int
	want     []int64
}{
	{false, 0.5, 42, 1, []int64{3, 7, 10, 12, 16, 18}},
	{false, 0.3, 7, 3, []int64{0, 8, 15, 16}},
	{true, 0.8, 42, 1, []int64{5, 6, 7, 10, 11, 13, 13, 17, 18, 18, 19}},
	{true, 1.5, 11, 3, []int64{2, 2, 2, 4, 6, 8, 8, 8, 9, 9, 9, 9, 10, 10, 11, 12, 13, 13, 17, 18}},
	{false, 0.5, -9, 2, []int64{0, 1, 2, 3, 5, 6, 9, 11, 12, 18}},
}
