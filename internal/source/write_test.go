package source

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// rowsBatch makes a batch of rows.
func rowsBatch(s *types.Schema, rows [][]any) *columnar.Batch {
	b := &columnar.Batch{Schema: s, N: len(rows)}
	for i, f := range s.Fields {
		v := columnar.NewBuilder(f.Type, len(rows))
		for _, r := range rows {
			v.Append(r[i])
		}
		b.Cols = append(b.Cols, v.Finish())
	}
	return b
}

// writeRows runs a whole job: one task for each list of rows.
func writeRows(t testing.TB, spec WriteSpec, env *Env, tasks ...[][]any) error {
	t.Helper()
	ctx := context.Background()
	j, err := NewWriteJob(ctx, spec, env)
	if err != nil {
		return err
	}
	if j.Skip {
		return j.Commit(ctx, nil, env)
	}
	var msgs []CommitMessage
	for i, rows := range tasks {
		w, err := j.TaskWriter(ctx, i, 0, env)
		if err != nil {
			return err
		}
		if err := w.Write(ctx, rowsBatch(spec.Schema, rows)); err != nil {
			return errors.Join(err, w.Abort(ctx), j.Abort(ctx, env))
		}
		m, err := w.Commit(ctx)
		if err != nil {
			return errors.Join(err, w.Abort(ctx), j.Abort(ctx, env))
		}
		m, err = DecodeCommitMessage(m.Encode())
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, m)
	}
	return j.Commit(ctx, msgs, env)
}

// tree lists all files below a path, names of jobs replaced.
func tree(t testing.TB, env *Env, path string) []string {
	t.Helper()
	f, p, err := env.FS.Resolve(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(dir string)
	walk = func(dir string) {
		l, err := f.List(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l {
			if e.IsDir {
				walk(e.Path)
				continue
			}
			name := strings.TrimPrefix(e.Path, p+"/")
			if i := strings.Index(name, "part-"); i >= 0 && len(name) > i+47 {
				name = name[:i+11] + "ID" + name[i+47:]
			}
			out = append(out, name)
		}
	}
	walk(p)
	sort.Strings(out)
	return out
}

func readPath(t testing.TB, env *Env, format, path string, options map[string]string, schema *types.Schema) (*types.Schema, [][]any) {
	t.Helper()
	r, err := Open(context.Background(), &catalog.Table{Provider: format, Paths: []string{path}, Options: options, Schema: schema}, env)
	if err != nil {
		t.Fatal(err)
	}
	rows := readAll(t, r, Scan{Output: columnsOf(r.Schema()), Limit: -1}, env)
	return r.Schema(), rows
}

func sortRows(rows [][]any) [][]any {
	sort.Slice(rows, func(i, j int) bool { return fmt.Sprint(rows[i]) < fmt.Sprint(rows[j]) })
	return rows
}

var idName = types.NewSchema(types.Field{Name: "id", Type: types.Long}, types.Field{Name: "name", Type: types.String, Nullable: true},
	types.Field{Name: "day", Type: types.Date, Nullable: true})

func TestWriteModes(t *testing.T) {
	env := testEnv()
	spec := WriteSpec{Format: "parquet", Path: "mem:/t", Schema: idName}
	one := [][]any{{int64(1), "a", int32(10)}, {int64(2), nil, nil}}
	if err := writeRows(t, spec, env, one, [][]any{{int64(3), "c", int32(1)}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"_SUCCESS", "part-00000-ID-c000.snappy.parquet", "part-00001-ID-c000.snappy.parquet"}
	if got := tree(t, env, "mem:/t"); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if err := writeRows(t, spec, env, one); !sparkerr.Is(err, "PATH_ALREADY_EXISTS") {
		t.Errorf("error mode: %v", err)
	}
	spec.Mode = Ignore
	if err := writeRows(t, spec, env, one); err != nil {
		t.Error(err)
	}
	spec.Mode = Append
	if err := writeRows(t, spec, env, [][]any{{int64(4), "d", nil}}); err != nil {
		t.Fatal(err)
	}
	if _, rows := readPath(t, env, "parquet", "mem:/t", nil, nil); len(rows) != 4 {
		t.Errorf("after append: %v", rows)
	}
	spec.Mode = Overwrite
	if err := writeRows(t, spec, env, one); err != nil {
		t.Fatal(err)
	}
	s, rows := readPath(t, env, "parquet", "mem:/t", nil, nil)
	if !reflect.DeepEqual(rows, one) || !s.Type().SameType(idName.Type()) {
		t.Errorf("after overwrite: %v %v", s, rows)
	}
}

func TestWriteNoRows(t *testing.T) {
	env := testEnv()
	if err := writeRows(t, WriteSpec{Format: "parquet", Path: "mem:/e", Schema: idName}, env, nil); err != nil {
		t.Fatal(err)
	}
	if s, rows := readPath(t, env, "parquet", "mem:/e", nil, nil); len(rows) != 0 || len(s.Fields) != 3 {
		t.Errorf("%v %v", s, rows)
	}
}

func TestWritePartitions(t *testing.T) {
	env := testEnv()
	spec := WriteSpec{Format: "parquet", Path: "mem:/p", Schema: idName, Partition: []string{"day", "name"}}
	rows := [][]any{{int64(1), "a/b", int32(0)}, {int64(2), "", int32(0)}, {int64(3), nil, nil}, {int64(4), "a/b", int32(0)}}
	if err := writeRows(t, spec, env, rows); err != nil {
		t.Fatal(err)
	}
	want := []string{"_SUCCESS", "day=1970-01-01/name=__HIVE_DEFAULT_PARTITION__/part-00000-ID.c000.snappy.parquet",
		"day=1970-01-01/name=a%2Fb/part-00000-ID.c000.snappy.parquet",
		"day=__HIVE_DEFAULT_PARTITION__/name=__HIVE_DEFAULT_PARTITION__/part-00000-ID.c000.snappy.parquet"}
	if got := tree(t, env, "mem:/p"); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	s, got := readPath(t, env, "parquet", "mem:/p", nil, nil)
	if n := s.Names(); !reflect.DeepEqual(n, []string{"id", "day", "name"}) || s.Fields[1].Type != types.Date {
		t.Errorf("schema %v", s)
	}
	if r := fmt.Sprint(sortRows(got)); r != "[[1 0 a/b] [2 0 <nil>] [3 <nil> <nil>] [4 0 a/b]]" {
		t.Error(r)
	}

	// Only the partition that is written is replaced.
	spec.Mode, spec.Dynamic = Overwrite, true
	if err := writeRows(t, spec, env, [][]any{{int64(9), "a/b", int32(0)}}); err != nil {
		t.Fatal(err)
	}
	if _, got = readPath(t, env, "parquet", "mem:/p", nil, nil); fmt.Sprint(sortRows(got)) != "[[2 0 <nil>] [3 <nil> <nil>] [9 0 a/b]]" {
		t.Error(got)
	}
	// Static values bound what is replaced.
	spec.Dynamic, spec.Static = false, []string{"day=1970-01-01"}
	if err := writeRows(t, spec, env, [][]any{{int64(7), "x", int32(0)}}); err != nil {
		t.Fatal(err)
	}
	if _, got = readPath(t, env, "parquet", "mem:/p", nil, nil); fmt.Sprint(sortRows(got)) != "[[3 <nil> <nil>] [7 0 x]]" {
		t.Error(got)
	}
}

func TestPartitionPruning(t *testing.T) {
	env := testEnv()
	spec := WriteSpec{Format: "parquet", Path: "mem:/pp", Schema: idName, Partition: []string{"name"}}
	if err := writeRows(t, spec, env, [][]any{{int64(1), "1", int32(0)}, {int64(2), "2", int32(0)}, {int64(3), "3", nil}}); err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), &catalog.Table{Provider: "parquet", Paths: []string{"mem:/pp"}}, env)
	if err != nil {
		t.Fatal(err)
	}
	out := columnsOf(r.Schema())
	if out[2].T != types.Int {
		t.Fatalf("partition column of type %s", out[2].T)
	}
	scan := Scan{Output: out, Limit: -1, Filters: []expr.Expr{expr.NewCall(">", types.Boolean, out[2], expr.NewLiteral(int32(1), types.Int)), expr.IsNotNull(out[1])}}
	splits, err := r.Plan(scan)
	if err != nil || len(splits) != 1 { // name=1 by its value, name=3 by its statistics
		t.Fatalf("%d splits, %v", len(splits), err)
	}
	if rows := readAll(t, r, scan, env); fmt.Sprint(rows) != "[[2 0 2]]" {
		t.Error(rows)
	}
}

func TestMaxRecordsPerFile(t *testing.T) {
	env := testEnv("spark.sql.files.maxRecordsPerFile", "2")
	var rows [][]any
	for i := range 5 {
		rows = append(rows, []any{int64(i), "x", nil})
	}
	if err := writeRows(t, WriteSpec{Format: "parquet", Path: "mem:/m", Schema: idName}, env, rows); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, env, "mem:/m"); len(got) != 4 || got[3] != "part-00000-ID-c002.snappy.parquet" {
		t.Errorf("%q", got)
	}
	if _, got := readPath(t, env, "parquet", "mem:/m", nil, nil); !reflect.DeepEqual(got, rows) {
		t.Error(got)
	}
}

// Whatever operation fails, the target shows nothing of the job after its abort.
func TestWriteFailures(t *testing.T) {
	mem := vfs.NewMemory("mem")
	for _, op := range []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpClose, vfs.OpRename} {
		t.Run(string(op), func(t *testing.T) {
			env := testEnv()
			env.FS.Register("mem", &vfs.Faulty{FS: mem, Fail: func(o vfs.Op, path string, n int) error {
				if o == op && n == 1 {
					return errors.New("disk on fire")
				}
				return nil
			}})
			err := writeRows(t, WriteSpec{Format: "parquet", Path: "mem:/f", Schema: idName, Mode: Append}, env, [][]any{{int64(1), "a", nil}})
			if !sparkerr.Is(err, "TASK_WRITE_FAILED") {
				t.Errorf("%v", err)
			}
			if got := tree(t, env, "mem:/f"); len(got) != 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// A second attempt of a task cannot commit.
func TestCommitOnce(t *testing.T) {
	ctx, env := context.Background(), testEnv()
	j, err := NewWriteJob(ctx, WriteSpec{Format: "parquet", Path: "mem:/o", Schema: idName}, env)
	if err != nil {
		t.Fatal(err)
	}
	var ws [2]*TaskWriter
	for i := range ws {
		if ws[i], err = j.TaskWriter(ctx, 0, i, env); err != nil {
			t.Fatal(err)
		}
		if err := ws[i].Write(ctx, rowsBatch(idName, [][]any{{int64(i), "a", nil}})); err != nil {
			t.Fatal(err)
		}
	}
	m, err := ws[1].Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ws[0].Commit(ctx); err == nil {
		t.Fatal("both attempts committed")
	}
	if err := ws[0].Abort(ctx); err != nil {
		t.Fatal(err)
	}
	if err := j.Commit(ctx, []CommitMessage{m}, env); err != nil {
		t.Fatal(err)
	}
	if _, rows := readPath(t, env, "parquet", "mem:/o", nil, nil); fmt.Sprint(rows) != "[[1 a <nil>]]" {
		t.Error(rows)
	}
}

// Jobs that end do not take away the temporary files of others that begin.
func TestWritersSideBySide(t *testing.T) {
	const writers, rounds = 4, 200
	ctx, env := context.Background(), testEnv()
	out := "file:" + t.TempDir()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range rounds {
				j, err := NewWriteJob(ctx, WriteSpec{Format: "parquet", Path: out, Schema: idName, Mode: Append}, env)
				if err == nil {
					err = writeOne(ctx, j, env)
				}
				if err != nil {
					t.Errorf("%v: %v", err, errors.Unwrap(err))
					return
				}
			}
		})
	}
	all.Wait()
	if _, rows := readPath(t, env, "parquet", out, nil, nil); len(rows) != writers*rounds {
		t.Errorf("%d rows of %d", len(rows), writers*rounds)
	}
}

// writeOne writes a row and commits the job.
func writeOne(ctx context.Context, j *WriteJob, env *Env) error {
	w, err := j.TaskWriter(ctx, 0, 0, env)
	if err != nil {
		return err
	}
	if err := w.Write(ctx, rowsBatch(idName, [][]any{{int64(1), "a", nil}})); err != nil {
		return err
	}
	m, err := w.Commit(ctx)
	if err != nil {
		return err
	}
	return j.Commit(ctx, []CommitMessage{m}, env)
}
