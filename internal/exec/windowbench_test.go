package exec

import (
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

func BenchmarkWindow(b *testing.B) {
	const n = 500_000
	for _, rows := range []int{10, 100_000} { // of a partition
		s := benchTable(types.Long, n, func(i int) any { return int64(i / rows) })
		order := []expr.SortOrder{{Child: s.cols[1]}}
		sum := windowAggOf("sum", s.cols[1])
		rank := &expr.Call{Name: "rank", T: types.Int}
		lag := &expr.Call{Name: "lag", T: types.Long, Null: true, Args: []expr.Expr{s.cols[1], expr.NewLiteral(int32(1), types.Int), expr.NewLiteral(nil, types.Null)}}
		for _, c := range []struct {
			name string
			fn   expr.Expr
			spec expr.WindowSpec
		}{
			{"rank", rank, rowsFrame(unbPrec, current)}, {"lag", lag, rowsFrame(unbPrec, current)}, {"sum of all", sum, rowsFrame(unbPrec, unbFoll)},
			{"running sum", sum, rowsFrame(unbPrec, current)}, {"sum of 10", sum, rowsFrame(bound(expr.Preceding, 9), current)},
			{"sum of 1000", sum, rowsFrame(bound(expr.Preceding, 999), current)}, {"range of 100", sum, rangeFrame(byLong(expr.Preceding, 100), current)},
		} {
			h := newHarness(b, 8<<30)
			c.spec.Partition, c.spec.Order = s.exprs(0), order
			p := &physical.Window{Partition: s.exprs(0), Order: order, Child: s.plan,
				List: []expr.Expr{expr.NewAlias(&expr.Window{Func: c.fn, Spec: c.spec}, "w")}}
			b.Run(c.name+" in "+map[int]string{10: "small", 100_000: "large"}[rows], func(b *testing.B) {
				start := cpu()
				for b.Loop() {
					drainPlan(b, h, p)
				}
				b.ReportMetric((cpu()-start)/float64(b.N)/n, "cpu-ns/row")
			})
		}
	}
}
