package rdd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime/debug"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Env is what tasks of one process share.
type Env struct {
	Executor event.ExecutorID
	Host     string
	Pool     *memory.Pool
	Dirs     *memory.Dirs
	FS       *vfs.Registry
	File     func(name string) string // where a file of the application is
	Shuffle  shuffle.Manager
	Statuses func(ctx context.Context, id event.ShuffleID, epoch int64) ([]shuffle.MapStatus, error)
	// Broadcast reads what the driver has put up; nil in the driver's process, where values are at hand.
	Broadcast func(ctx context.Context, id event.BroadcastID) (io.ReadCloser, error)
	// Blocks are the kept partitions of the driver's process. In an executor Store has them, and Cached reads those of others.
	Blocks *Blocks
	Store  *block.Store
	Cached func(ctx context.Context, name string) (io.ReadCloser, error)
}

// Task is one attempt at one partition. It belongs to one goroutine.
type Task struct {
	ID           event.TaskID
	Stage        event.StageID
	StageAttempt int
	Partition    int // of the last node
	Attempt      int
	Epoch        int64
	Properties   map[string]string
	Metrics      event.TaskMetrics
	Mem          *memory.Account
	Env          *Env

	ctx     context.Context
	commit  func(ctx context.Context) error
	err     error
	accums  map[event.AccumulatorID]accum
	closers []func() error
}

// accum is what a task has added to an accumulator.
type accum interface {
	report() event.Accumulable
}

// Context ends when the task must end.
func (t *Task) Context() context.Context { return t.ctx }

// Commit asks for the right to commit the output of the partition.
func (t *Task) Commit() error { return t.commit(t.ctx) }

// Fail makes the task fail; the first error counts. Who feeds a sequence ends it after that.
func (t *Task) Fail(err error) {
	if t.err == nil && err != nil {
		t.err = err
	}
}

// Err is why the task fails; it is asked before anything is published.
func (t *Task) Err() error {
	if t.err == nil && t.ctx.Err() != nil {
		t.err = context.Cause(t.ctx)
	}
	return t.err
}

// Failed says that sequences should end.
func (t *Task) Failed() bool { return t.err != nil }

// OnClose has something freed when the task ends.
func (t *Task) OnClose(f func() error) { t.closers = append(t.closers, f) }

func (t *Task) close() error {
	var errs []error
	for i := len(t.closers) - 1; i >= 0; i-- {
		errs = append(errs, t.closers[i]())
	}
	return errors.Join(append(errs, t.Mem.Close())...)
}

// FunctionError says that a function of the program panicked.
type FunctionError struct {
	Value any
	Stack string
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("a function of the program panicked: %v\n%s", e.Value, e.Stack)
}

// Unwrap returns the value of the panic, if it is an error.
func (e *FunctionError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// do runs a task to its end: f, then what was to be freed.
func (t *Task) do(f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &FunctionError{p, string(debug.Stack())}
		}
		err = errors.Join(err, t.close())
	}()
	f()
	return t.Err()
}

// each is how often a consumer looks whether the task must end.
const each = 256

// Each consumes a sequence; f returns false to end. It stops when the task fails or must end.
func Each[T any](t *Task, seq iter.Seq[T], f func(v T) bool) {
	n := 0
	seq(func(v T) bool {
		if n++; n%each == 0 && t.Err() != nil {
			return false
		}
		return f(v) && t.err == nil
	})
}

// Input is partition part of the node's i-th dependency, which is narrow: an iter.Seq[T].
func (t *Task) Input(n *Node, i, part int) any { return t.Sequence(n.Deps[i].Node, part) }

// Sequence is a partition of a node: kept, or computed (and kept, if the node is to be).
func (t *Task) Sequence(n *Node, part int) any {
	if n.checkpoint != "" {
		return t.checkpointed(n, part)
	}
	if level := n.StorageLevel(); level != "" {
		if t.Env.Store != nil {
			return t.stored(n, part, level)
		}
		return t.Env.Blocks.sequence(t, n, part, level)
	}
	return n.Op.Compute(t, n, part)
}

// chunkSchema is the form that encoded records have in shuffles and on disk.
var chunkSchema = types.NewSchema(types.Field{Name: "chunk", Type: types.Binary})

// Chunks are the encoded records of a partition of the node's i-th dependency, which is a shuffle, in map order. A chunk is
// borrowed until the next.
func (t *Task) Chunks(n *Node, i, part int) iter.Seq[[]byte] {
	s := n.Deps[i].Shuffle
	return func(yield func([]byte) bool) {
		maps, err := t.Env.Statuses(t.ctx, s.id, t.Epoch)
		if err != nil {
			t.Fail(err)
			return
		}
		r, err := t.Env.Shuffle.Reader(t.ctx, shuffle.Request{Shuffle: s.id, Schema: chunkSchema, Maps: maps, From: part, To: part + 1,
			Metrics: &t.Metrics.ShuffleRead})
		if err != nil {
			t.Fail(err)
			return
		}
		defer func() { t.Fail(r.Close()) }()
		for t.Err() == nil {
			b, err := r.Next(t.ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fail(err)
				return
			}
			if !t.rows(b, yield) {
				return
			}
		}
	}
}

func (t *Task) rows(b *columnar.Batch, yield func([]byte) bool) bool {
	for i := range b.N {
		chunk := b.Cols[0].Text(i)
		if !yield(chunk) {
			return false
		}
	}
	return true
}

// Decoded are the records of chunks.
func Decoded[T any](t *Task, c Codec[T], chunks iter.Seq[[]byte]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for chunk := range chunks {
			for len(chunk) > 0 {
				var v T
				var err error
				if chunk, err = c.Read(chunk, &v); err != nil {
					t.Fail(err)
					return
				}
				t.Metrics.ShuffleRead.RecordsRead++
				if !yield(v) {
					return
				}
			}
		}
	}
}
