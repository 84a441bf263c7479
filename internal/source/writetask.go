package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// outputFormat writes files of one format.
type outputFormat interface {
	// check refuses schemas that the format cannot store.
	check(s *types.Schema) error
	// extension is the end of file names, e.g. ".snappy.parquet".
	extension() string
	// create starts a file.
	create(w io.Writer, s *types.Schema) (fileWriter, error)
}

// fileWriter writes one file. Close finishes it and leaves the underlying writer open.
type fileWriter interface {
	Write(b *columnar.Batch) error
	Close() error
}

// maxOpenFiles bounds the partitions that a task writes at once; the least recently used file is finished when there are more.
const maxOpenFiles = 64

// TaskWriter writes one attempt of one task. Exactly one of Commit and Abort ends it.
type TaskWriter struct {
	job     *WriteJob
	task    int
	fs      vfs.FS
	path    string // the target
	dir     string // the attempt's
	format  outputFormat
	env     *Env
	data    *types.Schema
	dataAt  []int // columns of the batches that go into the files
	partAt  []int
	open    map[string]*outFile
	clock   int64
	counter map[string]int // files started, by partition
	max     int64          // records of a file; 0: no limit
	msg     CommitMessage
	dirs    map[string]bool

	key  []byte
	rows []uint32
	part columnar.Batch
}

type outFile struct {
	name string
	out  vfs.Writer
	size *countWriter
	w    fileWriter
	rows int64
	used int64
}

type countWriter struct {
	io.Writer
	n int64
}

func (c *countWriter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	return n, err
}

// TaskWriter starts an attempt of a task.
func (j *WriteJob) TaskWriter(ctx context.Context, task, attempt int, env *Env) (*TaskWriter, error) {
	f, path, err := resolve(j.Spec.Path, env)
	if err != nil {
		return nil, err
	}
	o, err := outputFormatOf(&j.Spec, env)
	if err != nil {
		return nil, err
	}
	w := &TaskWriter{job: j, task: task, fs: f, path: path, format: o, env: env, data: j.Spec.dataSchema(env), open: map[string]*outFile{},
		counter: map[string]int{}, dirs: map[string]bool{}, msg: CommitMessage{Task: task}}
	w.dir = vfs.Join(j.temp(path), fmt.Sprintf("attempt-%05d-%d", task, attempt))
	for i, c := range j.Spec.Schema.Fields {
		if j.Spec.partition(c.Name) < 0 {
			w.dataAt = append(w.dataAt, i)
		}
	}
	for _, p := range j.Spec.Partition {
		for i, c := range j.Spec.Schema.Fields {
			if c.Name == p {
				w.partAt = append(w.partAt, i)
			}
		}
	}
	opts := lowerKeys(j.Spec.Options)
	limit := opts.first(env.Conf("spark.sql.files.maxRecordsPerFile", "0"), "maxrecordsperfile")
	if w.max, err = strconv.ParseInt(limit, 10, 64); err != nil {
		return nil, optionError("maxRecordsPerFile", limit)
	}
	return w, f.MkdirAll(ctx, w.dir)
}

// Write adds a batch of the job's schema.
func (w *TaskWriter) Write(ctx context.Context, b *columnar.Batch) error {
	w.msg.Rows += int64(b.N)
	if len(w.partAt) == 0 {
		return w.failure(w.add(ctx, "", w.columns(b)))
	}
	return w.failure(w.partitioned(ctx, b))
}

func (w *TaskWriter) failure(err error) error {
	if err != nil {
		return writeError(w.fs.URI(w.path), err)
	}
	return nil
}

// columns is the batch without its partition columns.
func (w *TaskWriter) columns(b *columnar.Batch) *columnar.Batch {
	w.part.Schema, w.part.N, w.part.Cols = w.data, b.N, w.part.Cols[:0]
	for _, i := range w.dataAt {
		w.part.Cols = append(w.part.Cols, b.Cols[i])
	}
	return &w.part
}

// partitioned deals the rows out to the partitions: runs of equal values at once, as sorted input has them.
func (w *TaskWriter) partitioned(ctx context.Context, b *columnar.Batch) error {
	groups := map[string][]uint32{}
	var order []string
	last, first := "", true
	for i := range b.N {
		w.key = w.directory(w.key[:0], b, i)
		if first || string(w.key) != last {
			last, first = string(w.key), false
			if groups[last] == nil {
				order = append(order, last)
			}
		}
		groups[last] = append(groups[last], uint32(i))
	}
	data := w.columns(b)
	if len(order) == 1 {
		return w.add(ctx, order[0], data)
	}
	for _, dir := range order {
		part := data.Select(groups[dir])
		if err := w.add(ctx, dir, part); err != nil {
			return err
		}
	}
	return nil
}

// directory prints name=value/name=value of a row's partition.
func (w *TaskWriter) directory(dst []byte, b *columnar.Batch, row int) []byte {
	for k, c := range w.partAt {
		if k > 0 {
			dst = append(dst, '/')
		}
		dst = append(append(dst, escapePath(w.job.Spec.Partition[k])...), '=')
		v := b.Cols[c].ValueAt(row)
		if v == nil {
			dst = append(dst, nullPartition...)
			continue
		}
		text := types.AppendValue(nil, v, w.job.Spec.Schema.Fields[c].Type, w.env.zone())
		dst = append(dst, escapePath(string(text))...)
	}
	return dst
}

// add writes a batch to a partition's file, cut where the file is full.
func (w *TaskWriter) add(ctx context.Context, dir string, b *columnar.Batch) error {
	for from := 0; from < b.N; {
		f, err := w.file(ctx, dir)
		if err != nil {
			return err
		}
		n := b.N - from
		if w.max > 0 {
			n = int(min(int64(n), w.max-f.rows))
		}
		part := b
		if n < b.N {
			part = b.Select(w.span(from, from+n))
		}
		if err := f.w.Write(part); err != nil {
			return err
		}
		f.rows += int64(n)
		from += n
		if w.max > 0 && f.rows >= w.max {
			if err := w.finish(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *TaskWriter) span(from, to int) []uint32 {
	w.rows = w.rows[:0]
	for i := from; i < to; i++ {
		w.rows = append(w.rows, uint32(i))
	}
	return w.rows
}

// file is the open file of a partition.
func (w *TaskWriter) file(ctx context.Context, dir string) (*outFile, error) {
	w.clock++
	if f := w.open[dir]; f != nil {
		f.used = w.clock
		return f, nil
	}
	if len(w.open) >= maxOpenFiles {
		if err := w.finish(w.oldest()); err != nil {
			return nil, err
		}
	}
	name := vfs.Join(dir, fmt.Sprintf("part-%05d-%s%sc%03d%s", w.task, w.job.ID, w.separator(), w.counter[dir], w.format.extension()))
	w.counter[dir]++
	out, err := w.fs.Create(ctx, vfs.Join(w.dir, name))
	if err != nil {
		return nil, err
	}
	size := &countWriter{Writer: out}
	fw, err := w.format.create(size, w.data)
	if err != nil {
		return nil, errors.Join(err, out.Abort())
	}
	f := &outFile{name: name, out: out, size: size, w: fw, used: w.clock}
	w.open[dir] = f
	w.dirs[dir] = true
	return f, nil
}

// separator stands between the job's id and the file's number; Spark puts a point there in partition directories.
func (w *TaskWriter) separator() string {
	if len(w.partAt) > 0 {
		return "."
	}
	return "-"
}

func (w *TaskWriter) oldest() string {
	var at string
	var used int64 = -1
	for dir, f := range w.open {
		if used < 0 || f.used < used {
			at, used = dir, f.used
		}
	}
	return at
}

// finish closes a partition's file.
func (w *TaskWriter) finish(dir string) error {
	f := w.open[dir]
	delete(w.open, dir)
	if err := f.w.Close(); err != nil {
		return errors.Join(err, f.out.Abort())
	}
	if err := f.out.Close(); err != nil {
		return err
	}
	w.msg.Files = append(w.msg.Files, f.name)
	w.msg.Bytes += f.size.n
	return nil
}

// Commit finishes the attempt: from now on it is the task's result. The first task writes a file even without rows, so that
// the target tells its schema.
func (w *TaskWriter) Commit(ctx context.Context) (CommitMessage, error) {
	if err := w.commit(ctx); err != nil {
		return CommitMessage{}, w.failure(err)
	}
	return w.msg, nil
}

func (w *TaskWriter) commit(ctx context.Context) error {
	if w.task == 0 && len(w.counter) == 0 && len(w.partAt) == 0 {
		if _, err := w.file(ctx, ""); err != nil {
			return err
		}
	}
	for _, dir := range sortedKeys(w.open) {
		if err := w.finish(dir); err != nil {
			return err
		}
	}
	if len(w.partAt) > 0 {
		w.msg.Partitions = sortedKeys(w.dirs)
	}
	to := w.job.taskDir(w.path, w.task)
	if exists, err := vfs.Exists(ctx, w.fs, to); err != nil || exists {
		return errors.Join(err, fmt.Errorf("task %d was committed by another attempt", w.task))
	}
	return w.fs.Rename(ctx, w.dir, to)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Abort drops what the attempt wrote.
func (w *TaskWriter) Abort(ctx context.Context) error {
	var errs []error
	for _, f := range w.open {
		errs = append(errs, f.out.Abort())
	}
	w.open = nil
	return errors.Join(append(errs, w.fs.Remove(ctx, w.dir))...)
}
