package exec

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Rows are written by two tasks, one of them denied the commit at first, and read back through a shared split queue.
func TestWriteAndScan(t *testing.T) {
	l := newLab(t, 1<<30)
	env := &source.Env{Session: l.env.Session, FS: vfs.NewRegistry()}
	in := rangePlan(0, 20000, 1, 2)
	dir := t.TempDir() + "/out"
	job, err := source.NewWriteJob(t.Context(), source.WriteSpec{Format: "parquet", Path: dir, Schema: schemaOf(in.Out)}, env)
	if err != nil {
		t.Fatal(err)
	}
	write := &physical.WriteFiles{Writer: job, Format: "parquet", Path: dir, Child: in}
	denied := &event.CommitDeniedError{TaskCommitDenied: event.TaskCommitDenied{Partition: 1}}
	var msgs []source.CommitMessage
	for attempt, part := range []int{0, 1, 1} {
		task := l.task(part)
		task.Source, task.Attempt = env, attempt
		task.MayCommit = func(context.Context) error {
			if attempt == 1 {
				return denied
			}
			return nil
		}
		rows, err := l.run(write, task)
		if attempt == 1 {
			if !errors.Is(err, denied) {
				t.Fatal(err)
			}
			continue
		}
		if err != nil || len(rows) != 1 || task.Metrics.Task.Output.RecordsWritten != 10000 {
			t.Fatal(rows, err)
		}
		m, err := source.DecodeCommitMessage(rows[0][0].(string))
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, m)
	}
	if err := job.Commit(t.Context(), msgs, env); err != nil {
		t.Fatal(err)
	}
	checkScan(t, l, env, dir)
}

func checkScan(t *testing.T, l *lab, env *source.Env, dir string) {
	table := &catalog.Table{Provider: "parquet", Paths: []string{dir}}
	rel, err := source.Open(t.Context(), table, env)
	if err != nil {
		t.Fatal(err)
	}
	table.Relation = rel
	id := col("id", types.Long)
	less := expr.NewCall("<", types.Boolean, id, expr.NewLiteral(int64(15000), types.Long))
	scan := &physical.Scan{Table: table, Out: []*expr.Column{id}, Filters: []expr.Expr{less}, Runtime: []physical.RuntimeRef{{ID: 1, Column: id}}, Limit: -1}
	if p := PartsOf(scan, nil, nil); !p.Any || p.Fixed != 0 {
		t.Errorf("%+v", p)
	}
	read := func(f *Filters) (all [][]any) {
		shared := &Shared{}
		for i := range 3 {
			task := l.task(i)
			task.Source, task.Shared, task.Filters = env, shared, f
			all = append(all, l.must(scan, task)...)
		}
		return all
	}
	if got := read(nil); !reflect.DeepEqual(sorted(got), sorted(longs(0, 15000, 1))) {
		t.Errorf("%d rows", len(got))
	}
	keys := &Filters{}
	bits := columnar.NewBitmap(101)
	bits.Set(0)
	bits.Set(100)
	keys.Publish(1, KeySet{Min: 7000, Max: 7100, Bits: bits})
	if got := read(keys); !reflect.DeepEqual(got, [][]any{{int64(7000)}, {int64(7100)}}) {
		t.Errorf("with a runtime filter: %d rows", len(got))
	}
	none := &Filters{}
	none.Publish(1, KeySet{Empty: true})
	if got := read(none); len(got) != 0 {
		t.Errorf("with a filter that nothing passes: %d rows", len(got))
	}
}
