package session

import (
	"context"
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// recursion is the leaf of a physical plan that stands for a recursive common table expression until the plan runs.
type recursion struct{ cte *logical.RecursiveCTE }

func (p *recursion) Children() []physical.Plan                  { return nil }
func (p *recursion) WithChildren([]physical.Plan) physical.Plan { return p }
func (p *recursion) Exprs() []expr.Expr                         { return nil }
func (p *recursion) WithExprs([]expr.Expr) physical.Plan        { return p }

// Output implements physical.Plan.
func (p *recursion) Output() []*expr.Column { return p.cte.Out }

// unroll computes the recursive common table expressions of a plan and puts their rows in their place.
func (q *query) unroll(ctx context.Context, p physical.Plan) (physical.Plan, error) {
	var failed error
	out := physical.Up(p, func(n physical.Plan) physical.Plan {
		r, ok := n.(*recursion)
		if !ok || failed != nil {
			return n
		}
		rows, err := q.recurse(ctx, r.cte)
		if err != nil {
			failed = err
			return n
		}
		return &physical.LocalScan{Batches: rows, Out: r.cte.Out}
	})
	return out, failed
}

// recurse computes the anchor, and the step over the rows that came last until none come.
func (q *query) recurse(ctx context.Context, r *logical.RecursiveCTE) ([]*columnar.Batch, error) {
	levels, most := int64(r.MaxLevel), q.values.Int("spark.sql.cteRecursionRowLimit")
	if r.MaxLevel == 0 {
		levels = q.values.Int("spark.sql.cteRecursionLevelLimit")
	}
	last, n, err := q.gather(ctx, r.Anchor)
	if err != nil {
		return nil, err
	}
	all, total := last, n
	for level := int64(1); n > 0; level++ {
		switch {
		case r.Most > 0 && total >= r.Most:
			return all, nil
		case r.Most == 0 && most >= 0 && total > most:
			return nil, sparkerr.New("RECURSION_ROW_LIMIT_EXCEEDED", "rowLimit", strconv.FormatInt(most, 10))
		case levels >= 0 && level > levels:
			return nil, sparkerr.New("RECURSION_LEVEL_LIMIT_EXCEEDED", "levelLimit", strconv.FormatInt(levels, 10))
		}
		if last, n, err = q.gather(ctx, overRows(reseeded(r.Step, level-1), r.ID, last)); err != nil {
			return nil, err
		}
		all, total = append(all[:len(all):len(all)], last...), total+n
	}
	return all, nil
}

// gather runs an optimized plan and keeps its rows.
func (q *query) gather(ctx context.Context, p logical.Plan) (rows []*columnar.Batch, n int64, err error) {
	pl := physical.NewPlanner(q.planOptions(), logical.NewEstimator())
	pl.Extra = q.extra
	phys, err := pl.Plan(p)
	if err != nil {
		return nil, 0, err
	}
	err = q.execute(ctx, &Plans{Optimized: p, Physical: phys, Subqueries: pl.Subqueries}, func(b *columnar.Batch) error {
		if b.N > 0 {
			rows, n = append(rows, b.Clone()), n+int64(b.N)
		}
		return nil
	})
	return rows, n, err
}

// overRows puts rows in the place of the references to a recursion's last result, in subqueries too.
func overRows(p logical.Plan, id int64, rows []*columnar.Batch) logical.Plan {
	return logical.Up(p, func(n logical.Plan) logical.Plan {
		if ref, ok := n.(*logical.CTERef); ok && ref.Recursive && ref.ID == id {
			return &logical.LocalRelation{Batches: rows, Out: ref.Out}
		}
		return logical.MapExprs(n, func(e expr.Expr) expr.Expr {
			return expr.Up(e, func(x expr.Expr) expr.Expr {
				s, ok := x.(*expr.Subquery)
				if !ok {
					return x
				}
				old := s.Plan.(logical.Plan)
				next := overRows(old, id, rows)
				if next == old {
					return x
				}
				y := *s
				y.Plan = next
				return &y
			})
		})
	})
}

// reseeded shifts the seeds of a step's random functions, so that each run of it draws other values.
func reseeded(p logical.Plan, by int64) logical.Plan {
	return logical.UpExprs(p, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Call)
		if !ok {
			return x
		}
		row, ok := function.Lookup(c.Name)
		if !ok || !row.NonDeterministic {
			return x
		}
		q := *c
		if q.Seed += by; row.Replace == nil || len(c.Args) == 0 {
			return &q
		}
		last := len(c.Args) - 1 // what replaces the call takes its seed from the last argument
		if l, ok := c.Args[last].(*expr.Literal); ok {
			seed := *l
			switch v := l.Value.(type) {
			case int32:
				seed.Value = v + int32(by)
			case int64:
				seed.Value = v + by
			}
			q.Args = append(append([]expr.Expr(nil), c.Args[:last]...), &seed)
		}
		return &q
	})
}
