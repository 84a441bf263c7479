package exec

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// benchTable has a key column in batches of 4096 rows.
func benchTable(t types.Type, n int, key func(i int) any) *rowset {
	s := &rowset{cols: []*expr.Column{col("k", t), col("v", types.Long)}}
	p := &physical.LocalScan{Out: s.cols}
	for from := 0; from < n; from += 4096 {
		b := &columnar.Batch{Schema: schemaOf(s.cols), N: min(4096, n-from)}
		k, v := columnar.NewBuilder(t, b.N), columnar.NewBuilder(types.Long, b.N)
		for i := range b.N {
			k.Append(key(from + i))
			v.Append(int64(from + i))
		}
		b.Cols = []columnar.Vector{k.Finish(), v.Finish()}
		p.Batches = append(p.Batches, b)
	}
	s.plan = p
	return s
}

func drainPlan(b *testing.B, h *harness, p physical.Plan) int {
	op, err := Build(p, &Env{Session: h.session})
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	if err := Run(b.Context(), h.task(), op, func(x *columnar.Batch) error { rows += x.N; return nil }); err != nil {
		b.Fatal(err)
	}
	return rows
}

// cpu is the process's CPU time in ns: other load on the machine does not count.
func cpu() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkHashJoin(b *testing.B) {
	keys := []struct {
		name string
		t    types.Type
		key  func(i int) any
	}{
		{"dense", types.Long, func(i int) any { return int64(i) }},
		{"sparse", types.Long, func(i int) any { return int64(i) * 7_000_003 }},
		{"text", types.String, func(i int) any { return fmt.Sprintf("Customer#%09d", i) }},
	}
	for _, k := range keys {
		for _, n := range []int{10_000, 1_500_000} {
			build := benchTable(k.t, n, k.key)
			r := rand.New(rand.NewPCG(1, 2))
			probe := benchTable(k.t, 2_000_000, func(int) any { return k.key(r.IntN(2 * n)) })
			h := newHarness(b, 8<<30)
			in := &relations{rel: map[int]*Relation{}}
			h.inputs = in
			right := build.broadcast(in, 1)
			p := &physical.HashJoin{Left: probe.plan, Right: right, BuildRight: true, Broadcast: true, LeftKeys: probe.exprs(0), RightKeys: build.exprs(0)}
			p.Narrow = []*expr.Column{probe.cols[1], build.cols[1]}
			b.Run(fmt.Sprintf("build/%s/%d", k.name, n), func(b *testing.B) {
				p := *p
				p.Left = fixedRowset([]types.Type{k.t, types.Long}, [][]any{{k.key(1), int64(1)}}).plan
				p.LeftKeys = []expr.Expr{p.Left.Output()[0]}
				p.Narrow = build.cols[1:]
				start := cpu()
				for b.Loop() {
					drainPlan(b, h, &p)
					in.rel[1].derived = nil
				}
				b.ReportMetric((cpu()-start)/float64(b.N)/float64(n), "cpu-ns/row")
			})
			b.Run(fmt.Sprintf("probe/%s/%d", k.name, n), func(b *testing.B) {
				drainPlan(b, h, p)
				b.ResetTimer()
				start := cpu()
				for b.Loop() {
					drainPlan(b, h, p)
				}
				b.ReportMetric((cpu()-start)/float64(b.N)/2e6, "cpu-ns/row")
			})
		}
	}
}

func BenchmarkSort(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		t    types.Type
		key  func(i int) any
	}{
		{"bigint", types.Long, func(int) any { return int64(r.Uint64()) }},
		{"bigint narrow", types.Long, func(int) any { return int64(r.IntN(1 << 22)) }},
		{"text", types.String, func(int) any { return fmt.Sprintf("%09d of them", r.IntN(1e9)) }},
		{"text alike", types.String, func(int) any { return fmt.Sprintf("Customer#%09d", r.IntN(1e9)) }},
	} {
		s := benchTable(c.t, 1_000_000, c.key)
		h := newHarness(b, 8<<30)
		order := []expr.SortOrder{{Child: s.cols[0]}}
		b.Run(c.name, func(b *testing.B) {
			start := cpu()
			for b.Loop() {
				drainPlan(b, h, &physical.Sort{Order: order, Child: s.plan})
			}
			b.ReportMetric((cpu()-start)/float64(b.N)/1e6, "cpu-ns/row")
		})
		b.Run(c.name+" top 100", func(b *testing.B) {
			start := cpu()
			for b.Loop() {
				drainPlan(b, h, &physical.TopN{Order: order, N: 100, Child: s.plan})
			}
			b.ReportMetric((cpu()-start)/float64(b.N)/1e6, "cpu-ns/row")
		})
	}
}
