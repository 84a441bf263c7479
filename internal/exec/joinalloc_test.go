package exec

import (
	"context"
	"fmt"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// TestNoAllocationsPerBatch compares the allocations of plans over few and over many batches.
func TestNoAllocationsPerBatch(t *testing.T) {
	for name, key := range map[string]func(i int) any{
		"dense": func(i int) any { return int64(i % 5000) }, "sparse": func(i int) any { return int64(i%5000) * 1_000_003 },
		"text": func(i int) any { return fmt.Sprintf("key of the row %d", i%5000) },
	} {
		kt := types.Long
		if name == "text" {
			kt = types.String
		}
		build := benchTable(kt, 4000, key)
		twice := benchTable(kt, 8000, func(i int) any { return key(i / 2) })
		plans := map[string]func(probe *rowset) physical.Plan{}
		join := func(kind logical.JoinKind, b *rowset) func(probe *rowset) physical.Plan {
			return func(probe *rowset) physical.Plan {
				return &physical.HashJoin{Left: probe.plan, Right: b.plan, Kind: kind, BuildRight: true, LeftKeys: probe.exprs(0), RightKeys: b.exprs(0)}
			}
		}
		plans["inner"], plans["left"], plans["semi"] = join(logical.InnerJoin, build), join(logical.LeftJoin, build), join(logical.SemiJoin, build)
		plans["duplicates"] = join(logical.InnerJoin, twice)
		plans["top"] = func(probe *rowset) physical.Plan {
			return &physical.TopN{Order: []expr.SortOrder{{Child: probe.cols[1]}}, N: 10, Child: probe.plan}
		}
		few, many := benchTable(kt, 10*4096, key), benchTable(kt, 110*4096, key)
		h := newHarness(t, 1<<30)
		for kind, plan := range plans {
			count := func(probe *rowset) float64 {
				p := plan(probe)
				return testing.AllocsPerRun(3, func() {
					op, err := Build(p, &Env{Session: h.session})
					if err == nil {
						err = Run(context.Background(), h.task(), op, func(*columnar.Batch) error { return nil })
					}
					if err != nil {
						t.Fatal(err)
					}
				})
			}
			if a, b := count(few), count(many); b-a > 25 {
				t.Errorf("%s %s: %.0f allocations for 10 batches, %.0f for 110", name, kind, a, b)
			}
		}
	}
}
