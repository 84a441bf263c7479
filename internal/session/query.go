package session

import (
	"context"
	"errors"
	"time"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/optimizer"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// query is one run of one plan: the session's settings as they were when it began.
type query struct {
	s           *Session
	values      *conf.Values
	kernel      *kernel.Session
	src         *source.Env
	group       string
	description string
	tags        []string
	progress    func(Progress)
	frugal      bool  // memory was refused: see run
	begun       bool  // rows were handed out, or tasks of a write have begun
	number      int64 // in the log
	sql         *sqlRun
}

// newQuery takes a snapshot of the session's settings.
func (s *Session) newQuery() *query {
	v := s.conf.Values()
	q := &query{s: s, values: v}
	q.kernel = &kernel.Session{
		ZoneName: v.String("spark.sql.session.timeZone"), Ansi: v.Bool("spark.sql.ansi.enabled"), Now: time.Now().UnixMicro(),
		User: s.user, CaseSensitive: v.Bool("spark.sql.caseSensitive"), Conf: v.String, Seed: time.Now().UnixNano(),
	}
	q.kernel.Zone = zoneOf(q.kernel.ZoneName)
	q.kernel.Catalog, q.kernel.Database = s.catalog.Current()
	q.src = &source.Env{Session: q.kernel, FS: s.app.fs}
	return q
}

// zoneOf loads a session time zone; the name was checked when it was set.
func zoneOf(name string) *time.Location {
	if loc, ok := types.Zone(name); ok {
		return loc
	}
	return time.UTC
}

// analysis is the context in which the query's plans are resolved.
func (q *query) analysis(ctx context.Context) *analyzer.Context {
	return &analyzer.Context{
		Session: q.kernel, Catalog: q.s.catalog, Fold: q.fold, Format: source.Format,
		Open: q.open, Query: q.s.Parse, Expr: q.s.ParseExpression, Cached: q.s.app.cache.lookup,
		Values: func(p logical.Plan, most int) ([]any, error) { return q.columnValues(ctx, p, most) },
	}
}

func (q *query) fold(e expr.Expr) (any, error) { return eval.Value(e, q.kernel) }

// columnValues runs a resolved plan of one column.
func (q *query) columnValues(ctx context.Context, p logical.Plan, most int) ([]any, error) {
	var out []any
	err := q.run(ctx, &logical.Limit{N: expr.NewLiteral(int32(most), types.Int), Child: p}, func(b *columnar.Batch) error {
		for i := range b.N {
			out = append(out, b.Cols[0].ValueAt(i))
		}
		return nil
	})
	return out, err
}

// Plans are the stages that a query goes through, for EXPLAIN.
type Plans struct {
	Parsed, Analyzed, Optimized logical.Plan
	Physical                    physical.Plan
	Subqueries                  []physical.Subquery
}

// plan optimizes and plans a resolved plan.
func (q *query) plan(analyzed logical.Plan) (*Plans, error) {
	est := logical.NewEstimator()
	opt, err := optimizer.Optimize(&optimizer.Context{Fold: q.fold, Estimator: est}, q.s.app.cache.current(analyzed))
	if err != nil {
		return nil, err
	}
	pl := physical.NewPlanner(q.planOptions(), est)
	pl.Extra = q.extra
	phys, err := pl.Plan(opt)
	if err != nil {
		return nil, err
	}
	return &Plans{Analyzed: analyzed, Optimized: opt, Physical: phys, Subqueries: pl.Subqueries}, nil
}

func (q *query) planOptions() physical.Options {
	o := physical.Options{
		Slots: q.s.app.Slots(), InProcess: q.s.app.executors == nil, BroadcastBytes: q.values.Bytes("spark.sql.autoBroadcastJoinThreshold"),
		StateTypes: eval.StateTypes,
	}
	if _, given := q.values.Given("spark.sql.shuffle.partitions"); given {
		o.ShufflePartitions = int(q.values.Int("spark.sql.shuffle.partitions"))
	}
	if _, given := q.values.Given("spark.sql.join.preferSortMergeJoin"); given {
		o.PreferSortMerge = q.values.Bool("spark.sql.join.preferSortMergeJoin")
	}
	switch {
	case o.BroadcastBytes < 0:
	case o.InProcess:
		// One table serves all tasks of the process, so a build side pays off up to a good part of the memory.
		o.BroadcastBytes = max(o.BroadcastBytes, q.s.app.pool.Usage().Budget/8)
	default:
		o.BroadcastBytes = max(o.BroadcastBytes, min(clusterBroadcast, q.s.app.executorBudget()/8))
	}
	o.Frugal = q.frugal
	return o
}

// clusterBroadcast is the size up to which build sides are sent to all executors: one table serves all tasks of a process,
// which is cheaper than a shuffle of both sides beyond Spark's threshold.
const clusterBroadcast = 64 << 20

// maxLostRows is how often a query is run again because cached rows that it read were lost.
const maxLostRows = 3

// run is runOnce, and again without cached rows that were lost, as long as nobody has seen rows of the query.
func (q *query) run(ctx context.Context, analyzed logical.Plan, sink func(*columnar.Batch) error) (err error) {
	sink, end := q.told(sink)
	defer func() { end(err) }()
	endSQL := q.openSQL("")
	defer func() { endSQL(err) }()
	for tries := 0; ; tries++ {
		err := q.runOnce(ctx, analyzed, sink)
		var lost *lostRows
		if !errors.As(err, &lost) {
			return err
		}
		q.s.app.cache.spoil(lost)
		if q.begun || tries == maxLostRows || ctx.Err() != nil {
			return err
		}
	}
}

// runOnce optimizes, plans and executes a resolved plan; its batches go to sink, borrowed. A plan with broadcasts that was refused
// memory before anything of it was seen is planned without them and run once more.
func (q *query) runOnce(ctx context.Context, analyzed logical.Plan, sink func(*columnar.Batch) error) error {
	if x := q.s.app.executors; x != nil {
		if err := x.Ready(ctx); err != nil { // plans depend on how many slots there are
			return err
		}
	}
	plans, err := q.plan(analyzed)
	if err != nil {
		return err
	}
	q.begun = false
	err = q.execute(ctx, plans, func(b *columnar.Batch) error { q.begun = true; return sink(b) })
	if err == nil || q.begun || q.frugal || !memory.Refused(err) || !broadcasts(plans) {
		return err
	}
	again := *q
	again.frugal = true
	if plans, err2 := again.plan(analyzed); err2 == nil {
		return again.execute(ctx, plans, sink)
	}
	return err
}

// broadcasts says whether a side of a join is kept whole by every process: the sizes of those are estimated, and one that
// is larger after all is better shuffled.
func broadcasts(p *Plans) (found bool) {
	look := func(n physical.Plan) bool {
		_, is := n.(*physical.Broadcast)
		found = found || is
		return !found
	}
	physical.Walk(p.Physical, look)
	for _, s := range p.Subqueries {
		physical.Walk(s.Plan, look)
	}
	return found
}

// execute runs the subqueries of a planned query and then the query.
func (q *query) execute(ctx context.Context, plans *Plans, sink func(*columnar.Batch) error) error {
	if q.sql != nil { // a description may be long
		q.sql.start(q, outline(plans.Physical), plans.Physical)
	}
	values, err := q.subqueries(ctx, plans)
	if err != nil {
		return err
	}
	return q.runPlan(ctx, withValues(plans.Physical, values), sink)
}

// subqueries runs the scalar subqueries of a planned query.
func (q *query) subqueries(ctx context.Context, plans *Plans) (map[expr.ID]*expr.Literal, error) {
	values := map[expr.ID]*expr.Literal{}
	for _, s := range plans.Subqueries {
		v, err := q.scalar(ctx, s, values)
		if err != nil {
			return nil, err
		}
		values[s.ID] = v
	}
	return values, nil
}

// runPlan executes a physical plan whose subqueries have their values.
func (q *query) runPlan(ctx context.Context, p physical.Plan, sink func(*columnar.Batch) error) error {
	x, p, err := q.newExecution(ctx, p)
	if err != nil {
		return err
	}
	defer x.letGo()
	return x.run(ctx, p, sink)
}

// newExecution is the execution of a physical plan, which it makes ready: what it reads of the cache is there, and is let go
// with execution.letGo.
func (q *query) newExecution(ctx context.Context, p physical.Plan) (*execution, physical.Plan, error) {
	p, err := q.unroll(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	x := newExecution(q)
	if p, x.kept, err = q.s.app.cache.ensure(ctx, q, p); err != nil {
		x.letGo()
		return nil, nil, err
	}
	return x, p, nil
}

// scalar runs a scalar subquery: no row is null, more than one an error.
func (q *query) scalar(ctx context.Context, s physical.Subquery, known map[expr.ID]*expr.Literal) (*expr.Literal, error) {
	out, rows := &expr.Literal{T: s.T}, 0
	err := q.runPlan(ctx, withValues(s.Plan, known), func(b *columnar.Batch) error {
		if rows += b.N; rows > 1 {
			return sparkerr.New("SCALAR_SUBQUERY_TOO_MANY_ROWS")
		}
		if b.N == 1 {
			out.Value = b.Cols[0].ValueAt(0)
		}
		return nil
	})
	return out, err
}

// withValues puts the values of scalar subqueries in their place.
func withValues(p physical.Plan, values map[expr.ID]*expr.Literal) physical.Plan {
	if len(values) == 0 {
		return p
	}
	return physical.Up(p, func(n physical.Plan) physical.Plan {
		return physical.MapExprs(n, func(e expr.Expr) expr.Expr {
			return expr.Up(e, func(x expr.Expr) expr.Expr {
				if s, ok := x.(*expr.Subquery); ok {
					if v, ok := values[s.ID]; ok {
						return v
					}
				}
				return x
			})
		})
	})
}

// extra plans the nodes that the physical room does not know.
func (q *query) extra(pl *physical.Planner, p logical.Plan) (physical.Plan, error) {
	switch n := p.(type) {
	case *writePlan:
		return q.planWrite(pl, n)
	case *logical.RecursiveCTE:
		return &recursion{n}, nil
	}
	return nil, nil
}

// Progress is how far a running query is.
type Progress struct {
	Stages []StageProgress
	Tasks  int // running
}

// StageProgress is how far one stage is.
type StageProgress struct {
	ID, Tasks, Done int
	Bytes           int64
	Over            bool
}
