package exec

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Run opens root, hands every batch to sink until the end, closes root and the task's memory account. It is the only
// loop that pulls. Batches are borrowed by sink until it returns. The error is the first that arose: the cause of a
// cancelled ctx, an operator's or sink's, INTERNAL_ERROR with the stack for a panic, or, after success,
// INTERNAL_ERROR_MEMORY if an operator did not give its memory back.
func Run(ctx context.Context, t *Task, root Operator, sink func(*columnar.Batch) error) error {
	start := time.Now()
	err := guard(func() error { return pull(ctx, t, root, sink) })
	if cerr := guard(root.Close); err == nil {
		err = cerr
	}
	if t.Mem != nil {
		if t.Metrics != nil {
			t.Metrics.Task.PeakExecutionMemory = t.Mem.Peak()
		}
		if merr := t.Mem.Close(); err == nil {
			err = merr
		}
	}
	if t.Metrics != nil {
		t.Metrics.Task.ExecutorRunTime += time.Since(start)
	}
	return err
}

func pull(ctx context.Context, t *Task, root Operator, sink func(*columnar.Batch) error) error {
	if err := root.Open(ctx, t); err != nil {
		return cancelled(ctx, err)
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b, err := root.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return cancelled(ctx, err)
		}
		if b.N == 0 {
			continue
		}
		if err := sink(b); err != nil {
			return err
		}
	}
}

// cancelled prefers the cause of a cancelled context to the error that followed from it.
func cancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

// guard turns a panic into INTERNAL_ERROR with its stack.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e := sparkerr.Internal("%v", r)
			e.Stack = string(debug.Stack())
			if cause, ok := r.(error); ok {
				e.Cause = cause
			}
			err = e
		}
	}()
	return f()
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
