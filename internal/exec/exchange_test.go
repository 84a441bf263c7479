package exec

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/types"
)

// exchanged runs plans as map tasks of a shuffle and gives the rows of each partition.
func exchanged(l *lab, m shuffle.Manager, plans []physical.Plan, part physical.Partitioning) [][][]any {
	t := l.t
	shared, out := &Shared{}, plans[0].Output()
	statuses := make([]shuffle.MapStatus, len(plans))
	for i, p := range plans {
		op, err := Build(p, l.env)
		if err != nil {
			t.Fatal(err)
		}
		task := l.task(i)
		task.Shared, task.Whole = shared, true
		statuses[i], err = WriteShuffle(context.Background(), task, l.env, op, out, part, m,
			shuffle.Output{Shuffle: 1, Map: i, Partitions: part.N, Schema: schemaOf(out), Mem: task.Mem})
		if err != nil {
			t.Fatal(err)
		}
	}
	l.inputs = &StageInputs{Manager: m, Stages: map[int]*StageOutput{7: {Shuffle: 1, Maps: statuses, Partitions: part.N, Schema: schemaOf(out)}}}
	rows := make([][][]any, part.N)
	var wg sync.WaitGroup
	for i := range rows {
		wg.Go(func() {
			in := &physical.StageInput{Stage: 7, Out: out, From: &physical.Exchange{Part: part, Child: plans[0]}}
			op, err := Build(in, &Env{Session: l.env.Session})
			if err == nil {
				err = Run(context.Background(), l.task(i), op, func(b *columnar.Batch) error {
					for r := range b.N {
						row := make([]any, len(b.Cols))
						for c := range row {
							row[c] = b.Cols[c].ValueAt(r)
						}
						rows[i] = append(rows[i], row)
					}
					return nil
				})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := m.Remove(1); err != nil {
		t.Error(err)
	}
	if u := l.pool.Usage(); u.Execution != 0 {
		t.Errorf("%d bytes are still reserved", u.Execution)
	}
	return rows
}

func exchangeInput(r *rand.Rand) (plans []physical.Plan, cols []*expr.Column, all [][]any) {
	cols = []*expr.Column{col("a", types.Long), col("s", types.String), col("d", types.Decimal(30, 1))}
	for range 3 {
		var rows [][]any
		for range 7000 {
			rows = append(rows, []any{randomKey(r, types.Long, 500), randomKey(r, types.String, 90), randomKey(r, types.Decimal(30, 1), 99)})
		}
		plans, all = append(plans, table(r, cols, rows, 3000)), append(all, rows...)
	}
	return plans, cols, all
}

func TestExchange(t *testing.T) {
	for _, budget := range []int64{1 << 30, 900 << 10} {
		for _, files := range []bool{false, true} {
			for _, kind := range []physical.PartKind{physical.SinglePart, physical.HashPart, physical.RoundRobinPart, physical.RangePart} {
				if files && kind == physical.RangePart {
					continue
				}
				t.Run(fmt.Sprintf("kind %d, budget %d, files %v", kind, budget, files), func(t *testing.T) { checkExchange(t, kind, budget, files) })
			}
		}
	}
}

func checkExchange(t *testing.T, kind physical.PartKind, budget int64, files bool) {
	l := newLab(t, budget)
	var m shuffle.Manager = shuffle.NewLocal(l.pool, l.dirs)
	if files {
		m = shuffle.NewFiles(l.dirs, event.DriverExecutor, "localhost", true, nil)
	}
	plans, cols, all := exchangeInput(rand.New(rand.NewPCG(1, 2)))
	part := physical.Partitioning{Kind: kind, N: 6, Keys: []expr.Expr{cols[0], cols[1]}}
	order := []expr.SortOrder{{Child: cols[1], Desc: true, NullsFirst: true}, {Child: cols[0]}}
	switch kind {
	case physical.SinglePart:
		part.N = 1
	case physical.RangePart:
		part.Order = order
	}
	got := exchanged(l, m, plans, part)
	var flat [][]any
	home := map[string]int{}
	for p, rows := range got {
		flat = append(flat, rows...)
		if kind != physical.SinglePart && (len(rows) < len(all)/part.N/2 || len(rows) > len(all)/part.N*2) {
			t.Errorf("partition %d has %d rows", p, len(rows))
		}
		for _, r := range rows {
			k := fmt.Sprint(r[:2])
			if was, ok := home[k]; ok && was != p && kind != physical.RoundRobinPart {
				t.Fatalf("key %s is in partitions %d and %d", k, was, p)
			}
			home[k] = p
		}
	}
	if !reflect.DeepEqual(sorted(flat), sorted(all)) {
		t.Fatalf("%d rows of %d", len(flat), len(all))
	}
	if kind == physical.RangePart {
		checkRanges(t, got, order)
	}
}

// checkRanges: no row of a partition comes after one of the next.
func checkRanges(t *testing.T, parts [][][]any, order []expr.SortOrder) {
	var cols []columnar.Vector
	var last []int
	s, a := columnar.NewBuilder(types.String, 0), columnar.NewBuilder(types.Long, 0)
	for _, rows := range parts {
		for _, r := range rows {
			s.Append(r[1])
			a.Append(r[0])
		}
		last = append(last, s.Len())
	}
	cols = []columnar.Vector{s.Finish(), a.Finish()}
	most := 0
	for i := range last[0] {
		if compareRows(cols, i, cols, most, order) > 0 {
			most = i
		}
	}
	for p := 1; p < len(last); p++ {
		next := most
		for i := last[p-1]; i < last[p]; i++ {
			if compareRows(cols, i, cols, most, order) < 0 {
				t.Fatalf("partition %d holds a row that belongs before it", p)
			}
			if compareRows(cols, i, cols, next, order) > 0 {
				next = i
			}
		}
		most = next
	}
}

// The hash of Spark: hash(...) of these rows as Spark 4.2 prints it.
func TestMurmur(t *testing.T) {
	one := func(ty types.Type, v any) columnar.Vector {
		b := columnar.NewBuilder(ty, 1)
		b.Append(v)
		return b.Finish()
	}
	wide := types.Decimal(30, 1)
	hi, lo := bits.Mul64(12345678901234567890, 10)
	minus := types.Int128{Lo: lo + 1, Hi: int64(hi)}.Neg() // -12345678901234567890.1
	cases := []struct {
		cols []columnar.Vector
		want int32
	}{
		{[]columnar.Vector{one(types.Int, int32(1))}, -559580957},
		{[]columnar.Vector{one(types.Long, int64(1))}, -1712319331},
		{[]columnar.Vector{one(types.Double, 1.5)}, 1290763749},
		{[]columnar.Vector{one(types.Float, float32(1.5))}, -221251528},
		{[]columnar.Vector{one(types.Boolean, true)}, -559580957},
		{[]columnar.Vector{one(types.Int, nil)}, 42},
		{[]columnar.Vector{one(types.Date, int32(18262))}, -725858435},
		{[]columnar.Vector{one(types.Decimal(5, 1), types.I128(15))}, -18083236},
		{[]columnar.Vector{one(wide, types.I128(123))}, -1536290115},
		{[]columnar.Vector{one(wide, minus)}, 579886331},
		{[]columnar.Vector{one(types.Struct(types.Field{Type: types.Int}, types.Field{Type: types.String}), []any{int32(1), "xyzabcd"})}, 770346995},
		{[]columnar.Vector{one(types.String, "Spark"), one(types.Array(types.Int, true), []any{int32(123)}), one(types.Int, int32(2))}, -1321691492},
	}
	for _, c := range cases {
		h := []uint32{partitionSeed}
		for i := range c.cols {
			murmurColumn(&c.cols[i], h)
		}
		if int32(h[0]) != c.want {
			t.Errorf("%d, want %d", int32(h[0]), c.want)
		}
	}
}

// A final aggregation over an exchange by its key finishes partition after partition.
func TestAggregateOverExchange(t *testing.T) {
	for _, budget := range []int64{1 << 30, 700 << 10} {
		l := newLab(t, budget)
		k, v := col("k", types.Long), col("v", types.Long)
		r := rand.New(rand.NewPCG(4, 4))
		var rows [][]any
		for range 20000 {
			rows = append(rows, []any{randomKey(r, types.Long, 9000), int64(r.IntN(9))})
		}
		cols := []*expr.Column{k, v}
		m := shuffle.NewLocal(l.pool, l.dirs)
		ex := &physical.Exchange{Part: physical.Partitioning{Kind: physical.HashPart, N: 10, Keys: []expr.Expr{k}}, Child: table(r, cols, rows, 3000)}
		task := l.task(0)
		op, err := Build(ex.Child, l.env)
		if err != nil {
			t.Fatal(err)
		}
		st, err := WriteShuffle(t.Context(), task, l.env, op, cols, ex.Part, m, shuffle.Output{Shuffle: 1, Partitions: 10, Schema: schemaOf(cols), Mem: task.Mem})
		if err != nil {
			t.Fatal(err)
		}
		l.inputs = &StageInputs{Manager: m, Stages: map[int]*StageOutput{0: {Shuffle: 1, Maps: []shuffle.MapStatus{st}, Partitions: 10, Schema: schemaOf(cols)}}}
		in := &physical.StageInput{Out: cols, From: ex, Specs: []physical.PartitionSpec{{From: 0, To: 7}, {From: 7, To: 10}}}
		agg := &physical.Aggregate{Mode: physical.Complete, Keys: []expr.Expr{k}, Child: in,
			Aggs: []physical.AggExpr{aggExpr("sum", v, physical.Complete), aggExpr("count", v, physical.Complete)}}
		var got [][]any
		for i := range 2 {
			l.env.Metrics = &Metrics{}
			op, err := Build(agg, l.env)
			if err != nil {
				t.Fatal(err)
			}
			if err := Run(t.Context(), l.task(i), op, func(b *columnar.Batch) error {
				for i := range b.N {
					got = append(got, []any{b.Cols[0].ValueAt(i), b.Cols[1].ValueAt(i), b.Cols[2].ValueAt(i)})
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if want := sums(rows); !reflect.DeepEqual(sorted(got), sorted(want)) {
			t.Errorf("budget %d: %d groups, want %d", budget, len(got), len(want))
		}
		if err := m.Remove(1); err != nil {
			t.Error(err)
		}
	}
}

func TestBroadcast(t *testing.T) {
	l := newLab(t, 1<<30)
	a := col("a", types.Int)
	rows := [][]any{}
	for i := range 5000 {
		rows = append(rows, []any{int32(i%900 + 100)})
	}
	rows = append(rows, []any{nil})
	pool := l.pool.Shared("broadcast")
	c := NewCollector(pool)
	for p := range 2 {
		op, err := Build(table(rand.New(rand.NewPCG(1, 1)), []*expr.Column{a}, rows, 700), l.env)
		if err != nil {
			t.Fatal(err)
		}
		task := l.task(p)
		task.Whole = true
		part, err := Collect(context.Background(), task, l.env, op, []*expr.Column{a}, []physical.RuntimePub{{ID: 3, Key: a}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // two attempts count once
			if err := c.Add(p, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := &Filters{}
	c.Publish(f)
	k, ok := f.Lookup(3)
	if !ok || k.Min != 100 || k.Max != 999 || k.Bits.Count(900) != 900 {
		t.Errorf("%+v", k)
	}
	rel := c.Relation(schemaOf([]*expr.Column{a}))
	if rel.Rows != int64(2*len(rows)) || l.pool.Usage().Execution == 0 {
		t.Errorf("%d rows, %d bytes", rel.Rows, l.pool.Usage().Execution)
	}
	c.Free()
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkExchange(b *testing.B) {
	const n, cols = 1 << 20, 8
	r := rand.New(rand.NewPCG(1, 1))
	p := &physical.LocalScan{}
	for c := range cols {
		p.Out = append(p.Out, col(fmt.Sprint("c", c), types.Long))
	}
	for at := 0; at < n; at += BatchRows {
		batch := &columnar.Batch{N: BatchRows}
		for range cols {
			vals := make([]int64, BatchRows)
			for i := range vals {
				vals[i] = r.Int64()
			}
			batch.Cols = append(batch.Cols, columnar.NewFlat(types.Long, vals))
		}
		p.Batches = append(p.Batches, batch)
	}
	for _, parts := range []int{4, 64, 200} {
		b.Run(fmt.Sprint(parts), func(b *testing.B) {
			l := newLab(b, 8<<30)
			l.env.Wrap = nil
			m := shuffle.NewLocal(l.pool, l.dirs)
			part := physical.Partitioning{Kind: physical.HashPart, N: parts, Keys: []expr.Expr{p.Out[0]}}
			start := cpuTime()
			for b.Loop() {
				op, _ := Build(p, l.env)
				t := l.task(0)
				if _, err := WriteShuffle(b.Context(), t, l.env, op, p.Out, part, m,
					shuffle.Output{Shuffle: 1, Partitions: parts, Schema: schemaOf(p.Out), Mem: t.Mem}); err != nil {
					b.Fatal(err)
				}
				if err := m.Remove(1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/n, "cpu-ns/row")
		})
	}
}

func TestRemainders(t *testing.T) {
	hashes := []uint32{0, 1, 5, 11, 12, 13, 1<<31 - 1, 1 << 31, 1<<31 + 1, ^uint32(0), ^uint32(0) - 11, 0xdeadbeef}
	rnd := newXORShift(7)
	for range 1000 {
		hashes = append(hashes, uint32(rnd.below(1<<31-1))*2654435761)
	}
	out := make([]uint32, len(hashes))
	for _, n := range []int32{1, 2, 3, 7, 12, 64, 200, 1000, 65535, 1<<31 - 1} {
		remainders(out, hashes, uint32(n))
		for i, h := range hashes {
			want := int32(h) % n
			if want < 0 {
				want += n
			}
			if out[i] != uint32(want) {
				t.Fatalf("%d by %d: %d, want %d", int32(h), n, out[i], want)
			}
		}
	}
}
