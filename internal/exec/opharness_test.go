package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// rowset is a table of rows for tests: its plan, and its rows as Go values.
type rowset struct {
	plan physical.Plan
	cols []*expr.Column
	rows [][]any
}

// newRowset makes random rows of some types in batches of up to size rows, in all forms of vectors.
func newRowset(r *rand.Rand, ts []types.Type, rows, size, domain int) *rowset {
	s := &rowset{}
	for i, t := range ts {
		s.cols = append(s.cols, col(fmt.Sprintf("c%d", i), t))
	}
	var batches []*columnar.Batch
	schema := schemaOf(s.cols)
	for rows > 0 {
		n := min(r.IntN(size)+1, rows)
		rows -= n
		b := &columnar.Batch{Schema: schema, N: n}
		for _, t := range ts {
			b.Cols = append(b.Cols, randomVector(r, t, n, domain))
		}
		batches = append(batches, b)
		s.rows = append(s.rows, rowsOf(b)...)
	}
	s.plan = &physical.LocalScan{Batches: batches, Out: s.cols}
	return s
}

// fixedRowset makes a table of given rows, in one batch.
func fixedRowset(ts []types.Type, rows [][]any) *rowset {
	s := &rowset{rows: rows}
	b := &columnar.Batch{N: len(rows)}
	for i, t := range ts {
		s.cols = append(s.cols, col(fmt.Sprintf("c%d", i), t))
		v := columnar.NewBuilder(t, len(rows))
		for _, r := range rows {
			v.Append(r[i])
		}
		b.Cols = append(b.Cols, v.Finish())
	}
	b.Schema = schemaOf(s.cols)
	s.plan = &physical.LocalScan{Batches: []*columnar.Batch{b}, Out: s.cols}
	return s
}

// exprs are the columns that are named.
func (s *rowset) exprs(at ...int) []expr.Expr {
	out := make([]expr.Expr, len(at))
	for i, a := range at {
		out[i] = s.cols[a]
	}
	return out
}

func rowsOf(b *columnar.Batch) [][]any {
	rows := make([][]any, b.N)
	for i := range rows {
		rows[i] = make([]any, len(b.Cols))
		for c := range b.Cols {
			rows[i][c] = b.Cols[c].ValueAt(i)
		}
	}
	return rows
}

// sameRows compares rows, also in order unless anyOrder.
func sameRows(t *testing.T, got, want [][]any, anyOrder bool) {
	t.Helper()
	g, w := rowTexts(got), rowTexts(want)
	if anyOrder {
		sort.Strings(g)
		sort.Strings(w)
	}
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("row %d of %d and %d:\n got %s\nwant %s", i, len(g), len(w), g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("%d rows, want %d", len(g), len(w))
	}
}

func rowTexts(rows [][]any) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = keyText(append([]any(nil), r...))
	}
	return out
}

// harness runs plans in one task each.
type harness struct {
	pool    *memory.Pool
	dirs    *memory.Dirs
	session *kernel.Session
	inputs  Inputs
	spilled int64
}

func newHarness(t testing.TB, budget int64) *harness {
	h := &harness{
		pool:    memory.NewPool(memory.Config{Budget: budget, Key: "spark.executor.memory"}),
		dirs:    memory.NewDirs(t.TempDir()),
		session: &kernel.Session{Ansi: true, Zone: time.UTC, ZoneName: "UTC", Conf: func(string) string { return "" }},
	}
	t.Cleanup(func() {
		if u := h.pool.Usage(); u.Execution != 0 {
			t.Errorf("%d bytes are still reserved", u.Execution)
		}
	})
	return h
}

func (h *harness) task() *Task {
	return &Task{Session: h.session, Mem: h.pool.Account("task"), Dirs: h.dirs, Inputs: h.inputs, Whole: h.inputs == nil, Metrics: &Metrics{}}
}

// run gives the rows of a plan. Batches that operators lend are spoiled as soon as they may be.
func (h *harness) run(t testing.TB, p physical.Plan) ([][]any, error) {
	t.Helper()
	op, err := Build(p, &Env{Session: h.session, Wrap: spoil})
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	task := h.task()
	err = Run(context.Background(), task, op, func(b *columnar.Batch) error {
		if len(b.Cols) != len(p.Output()) {
			t.Fatalf("%d columns, want %d", len(b.Cols), len(p.Output()))
		}
		rows = append(rows, rowsOf(b)...)
		return nil
	})
	h.spilled += task.Metrics.Task.DiskBytesSpilled
	return rows, err
}

func (h *harness) mustRun(t testing.TB, p physical.Plan) [][]any {
	t.Helper()
	rows, err := h.run(t, p)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// relations gives broadcast stages to tasks.
type relations struct {
	rel map[int]*Relation
}

func (r *relations) Shuffle(context.Context, *Task, int, physical.PartitionSpec) (BatchReader, error) {
	panic("no shuffle here")
}
func (r *relations) Partitions(int) int { return 0 }
func (r *relations) Broadcast(_ context.Context, _ *Task, stage int) (*Relation, error) {
	return r.rel[stage], nil
}

// broadcast stands for a set as the input from a broadcast stage.
func (s *rowset) broadcast(r *relations, stage int) physical.Plan {
	r.rel[stage] = &Relation{Schema: schemaOf(s.cols), Batches: s.plan.(*physical.LocalScan).Batches, Rows: int64(len(s.rows))}
	return &physical.StageInput{Stage: stage, Out: s.cols, From: &physical.Broadcast{Child: s.plan}}
}
