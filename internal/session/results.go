package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/wire"
)

// lostResult says that a stored result, or the rest of it, cannot be read any more: its task must run again.
type lostResult struct{ cause error }

func (e *lostResult) Error() string { return "a stored result was lost: " + e.cause.Error() }

// Unwrap returns the cause.
func (e *lostResult) Unwrap() error { return e.cause }

// maxLost is the number of times that results of a stage may be lost (as a task may fail: spark.task.maxFailures).
const maxLost = 4

// results hands the results of a stage's tasks over in the order of the partitions.
type results struct {
	x       *onExecutors
	take    func(r io.Reader, stored bool) error
	ctx     context.Context
	next    int // partition
	waiting map[int]driver.RemoteResult
	lost    error // the current partition's result could not be read
	refused error // what take answered: the job ended for it
}

// rows runs a stage and gives the frames of each partition to take, in the order of the partitions. What is stored is read
// from the executor that has it while take reads. When take answers *lostResult, the task is run again, and take gets the
// same rows once more.
func (x *onExecutors) rows(ctx context.Context, s *stage, out wire.Output, take func(r io.Reader, stored bool) error) error {
	res := &results{x: x, take: take, ctx: ctx, waiting: map[int]driver.RemoteResult{}}
	out.Name = fmt.Sprintf("taskresult_%d", x.app.nextResult.Add(1))
	defer x.ex.DropBlocks(out.Name) // of attempts that did not count, too
	var err error
	if s.body.Work, err = x.fragment(s, out, nil); err != nil {
		return err
	}
	body, tasks := s.body, []int(nil)
	for lost := 0; ; lost++ {
		j := x.job(s, body)
		j.OnResult = func(task int, result any) error {
			r, err := remoteResult(result)
			if err != nil {
				return err
			}
			if tasks != nil {
				task = tasks[task]
			}
			res.waiting[task] = r
			res.refused = res.deliver()
			return res.refused
		}
		if _, err := x.app.driver.RunJob(ctx, j); err != nil {
			if res.refused != nil {
				return res.refused
			}
			return unwrapJob(err)
		}
		if err := res.deliver(); err != nil {
			return err
		}
		if res.lost == nil {
			return nil
		}
		if lost+1 == maxLost {
			return res.lost
		}
		tasks, res.lost = []int{res.next}, nil
		body = x.newBody(s, len(tasks), event.NoShuffle)
		if body.Work, err = x.fragment(s, out, tasks); err != nil {
			return err
		}
	}
}

// deliver hands over what is due. It stops at a result that was lost.
func (r *results) deliver() error {
	for r.lost == nil {
		w, ok := r.waiting[r.next]
		if !ok {
			return nil
		}
		delete(r.waiting, r.next)
		err := r.read(w)
		var lost *lostResult
		switch {
		case errors.As(err, &lost) && r.ctx.Err() == nil:
			r.lost = lost
		case err != nil:
			return err
		default:
			r.next++
		}
	}
	return nil
}

func (r *results) read(w driver.RemoteResult) error {
	if w.Stored == "" {
		return r.take(bytes.NewReader(w.Data), false)
	}
	in, err := r.x.ex.OpenResult(r.ctx, w)
	if err != nil {
		return &lostResult{err}
	}
	err = r.take(in, true)
	if cerr := in.Close(); err == nil && cerr != nil {
		return nil // all of it was read; the block goes with its executor
	}
	return err
}
