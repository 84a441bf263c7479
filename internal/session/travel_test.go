package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/tpch"
	"github.com/firesteel/firesteel/internal/wire"
)

// travel sends a plan through the codec.
func travel(t *testing.T, q *query, p physical.Plan) *wire.Fragment {
	t.Helper()
	f := &wire.Fragment{Session: wire.NewSession(q.kernel, q.values.All()), Plan: p}
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out, err := wire.DecodeFragment(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// evaluate runs a plan without scans alone, and prints its rows or its error.
func evaluate(t *testing.T, k *kernel.Session, p physical.Plan) string {
	t.Helper()
	var b strings.Builder
	op, err := exec.Build(p, &exec.Env{Session: k})
	if err == nil {
		err = exec.Run(t.Context(), &exec.Task{Session: k, Whole: true}, op, func(batch *columnar.Batch) error {
			for i := range batch.N {
				for c := range batch.Cols {
					fmt.Fprintf(&b, "%v|", batch.Cols[c].ValueAt(i))
				}
			}
			return nil
		})
	}
	if err != nil {
		fmt.Fprintf(&b, "error %v", err)
	}
	return b.String()
}

// The example of every function means the same after a journey: its plan reads the same, and gives the same value.
func TestExamplesTravel(t *testing.T) {
	s := begin(t, nil, nil)
	n := 0
	for _, r := range function.Rows() {
		if r.Internal {
			continue
		}
		for _, x := range r.Examples {
			parsed, err := s.Parse("SELECT " + x.SQL)
			if err != nil {
				continue // examples of errors
			}
			q, err := s.Prepare(t.Context(), parsed)
			if err != nil || q.command != nil {
				continue
			}
			pl := physical.NewPlanner(q.q.planOptions(), logical.NewEstimator())
			p, err := pl.Plan(q.plan) // as it was resolved: nothing is folded
			if err != nil || len(pl.Subqueries) > 0 {
				continue
			}
			n++
			f := travel(t, q.q, p)
			if got, want := physical.Explain(f.Plan), physical.Explain(p); got != want {
				t.Errorf("%s: %s\nbecame\n%s", x.SQL, want, got)
			}
			k, err := f.Session.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := evaluate(t, k, f.Plan), evaluate(t, q.q.kernel, p); got != want {
				t.Errorf("%s gives %s, and %s after a journey", x.SQL, want, got)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d examples travelled", n)
	}
}

// The plans of the 22 queries read the same after a journey.
func TestQueriesTravel(t *testing.T) {
	for name, settings := range ways {
		s := withTables(t, begin(t, newFakeCluster(t, 2, 2), settings))
		for i := 1; i <= tpch.Queries; i++ {
			parsed, err := s.Parse(tpch.Query(i))
			if err != nil {
				t.Fatal(err)
			}
			q, err := s.Prepare(t.Context(), parsed)
			if err != nil {
				t.Fatal(err)
			}
			plans, err := q.q.plan(q.plan)
			if err != nil {
				t.Fatal(err)
			}
			p := plans.Physical
			for _, sub := range plans.Subqueries {
				v, err := q.q.scalar(t.Context(), sub, nil)
				if err != nil {
					t.Fatal(err)
				}
				p = withValues(p, map[expr.ID]*expr.Literal{sub.ID: v})
			}
			if got, want := physical.Explain(travel(t, q.q, p).Plan), physical.Explain(p); got != want {
				t.Errorf("query %d by %s: %s\nbecame\n%s", i, name, want, got)
			}
		}
	}
}
