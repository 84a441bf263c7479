package executor

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// queueSpare is room for tasks that come before the slots of those that have just ended are free again.
const queueSpare = 64

// task is a task attempt of this process.
type task struct {
	Task
	work   *openWork
	ctx    context.Context
	cancel context.CancelCauseFunc
	killed time.Time   // when it was told to end
	reaper *time.Timer // that looks whether it does; guarded by process.mu
}

// openWork is the work of a stage: opened by its first task, closed when it is dropped and the last task has ended.
type openWork struct {
	wire.Work
	users   int // tasks; guarded by process.mu
	dropped bool

	open sync.Mutex // held while it is opened
	run  Work
}

// opened is the work, ready to run. A work that could not be opened is tried again by the next task.
func (w *openWork) opened(ctx context.Context, p *process) (Work, error) {
	w.open.Lock()
	defer w.open.Unlock()
	if w.run != nil {
		return w.run, nil
	}
	kind := p.kinds[w.Kind]
	if kind == nil {
		return nil, sparkerr.Internal("this executor can do no work of kind %q", w.Kind)
	}
	run, err := kind(ctx, p.env, w.Data)
	if err != nil {
		return nil, err
	}
	w.run, w.Data = run, nil
	return run, nil
}

func (w *openWork) close() error {
	w.open.Lock()
	defer w.open.Unlock()
	if w.run == nil {
		return nil
	}
	run := w.run
	w.run = nil
	return run.Close()
}

func (p *process) addWork(w *wire.Work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.works != nil {
		p.works[w.ID] = &openWork{Work: *w}
	}
}

func (p *process) dropWork(id int64) {
	p.mu.Lock()
	w := p.works[id]
	delete(p.works, id)
	idle := w != nil && w.users == 0
	if w != nil {
		w.dropped = true
	}
	p.mu.Unlock()
	if idle {
		go p.closeWork(w) // it may take a while to free, and orders wait
	}
}

func (p *process) closeWork(w *openWork) {
	if err := w.close(); err != nil {
		p.log.Error("the work of a stage was not closed cleanly", "work", w.ID, "error", err)
	}
}

// launch hands a task to the slots.
func (p *process) launch(t *wire.Task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.works[t.Work]
	var why event.Reason
	switch {
	case p.ending:
		why = event.TaskKilled{Cause: "the executor ends"}
	case w == nil:
		why = event.ExceptionFailure{Err: sparkerr.Internal("task %d came before its work", t.ID)}
	case p.running[t.ID] != nil:
		return
	}
	if why != nil {
		p.out.Put(wire.Ended{Task: t.ID, Reason: why})
		return
	}
	x := &task{Task: Task{Task: *t}, work: w}
	x.ctx, x.cancel = context.WithCancelCause(p.ctx)
	x.Commit = func(ctx context.Context) error { return p.commit(ctx, &x.Task) }
	w.users++
	p.running[t.ID] = x
	select {
	case p.queue <- x:
	default:
		p.finish(x)
		p.out.Put(wire.Ended{Task: t.ID, Reason: event.ExceptionFailure{Err: sparkerr.Internal("more tasks came than there are slots")}})
	}
}

// finish takes a task off the books and says whether that was the last use of a work that was dropped; the lock is held.
func (p *process) finish(x *task) bool {
	delete(p.running, x.ID)
	delete(p.commits, x.ID)
	if x.reaper != nil {
		x.reaper.Stop()
	}
	x.cancel(nil)
	x.work.users--
	return x.work.users == 0 && x.work.dropped
}

func (p *process) kill(id event.TaskID, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.running[id]
	if x == nil {
		return
	}
	x.cancel(&event.KilledError{TaskKilled: event.TaskKilled{Cause: reason}})
	if p.conf.Bool("spark.task.reaper.enabled") && x.reaper == nil {
		x.killed = time.Now()
		x.reaper = time.AfterFunc(p.reaperPause(x), func() { p.reap(x) })
	}
}

// reaperPause is the time until the next look at a task that was told to end.
func (p *process) reaperPause(x *task) time.Duration {
	pause := p.conf.Duration("spark.task.reaper.pollingInterval")
	if limit := p.conf.Duration("spark.task.reaper.killTimeout"); limit > 0 {
		pause = min(pause, limit-time.Since(x.killed))
	}
	return max(pause, 10*time.Millisecond)
}

// reap looks after a task that was told to end. One that does not within spark.task.reaper.killTimeout takes the process along:
// its slot would stay lost.
func (p *process) reap(x *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[x.ID] != x {
		return
	}
	took, limit := time.Since(x.killed), p.conf.Duration("spark.task.reaper.killTimeout")
	p.log.Warn("a task that was told to end is still running", "task", x.ID, "for", took.Round(time.Millisecond), "limit", limit)
	if limit > 0 && took >= limit {
		p.log.Error("Killing the executor because a task did not end within spark.task.reaper.killTimeout", "task", x.ID)
		select {
		case p.died <- &stuckTask{x.ID, took}:
		default:
		}
		return
	}
	x.reaper.Reset(p.reaperPause(x))
}

// stuckTask ends an executor whose task cannot be ended.
type stuckTask struct {
	task event.TaskID
	took time.Duration
}

func (e *stuckTask) Error() string {
	return fmt.Sprintf("task %d did not end within %s of being told to (spark.task.reaper.killTimeout)", e.task, e.took.Round(time.Millisecond))
}

// work is a slot: one goroutine that runs one task after the other, so that its stack stays grown.
func (p *process) work() {
	for x := range p.queue {
		p.do(x)
	}
}

func (p *process) do(x *task) {
	p.out.Put(wire.Started{Task: x.ID})
	out, err := p.run(x)
	end := wire.Ended{Task: x.ID, Reason: reason(x.ctx, err)}
	if err == nil {
		end.Outcome = out
	} else {
		end.Outcome.Metrics = out.Metrics
	}
	p.mu.Lock()
	last := p.finish(x)
	p.mu.Unlock()
	p.out.Put(end)
	if last {
		p.closeWork(x.work)
	}
}

// run does a task; a panic becomes an internal error of that task.
func (p *process) run(x *task) (out wire.Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			e := sparkerr.Internal("task %d panicked: %v", x.ID, r)
			e.Stack = string(debug.Stack())
			out, err = wire.Outcome{}, e
		}
	}()
	if x.ctx.Err() != nil {
		return out, context.Cause(x.ctx)
	}
	if err := p.files.Ready(x.ctx); err != nil {
		return out, err
	}
	w, err := x.work.opened(p.ctx, p)
	if err != nil {
		return out, err
	}
	return w.Run(x.ctx, &x.Task)
}

// reason gives the reason that a task's error stands for. Any error of a task that was told to end counts as that, except a
// fetch failure, for the driver must know about it.
func reason(ctx context.Context, err error) event.Reason {
	r := event.ReasonOf(err)
	if _, failed := r.(event.ExceptionFailure); failed && ctx.Err() != nil {
		if k, ok := event.ReasonOf(context.Cause(ctx)).(event.TaskKilled); ok {
			return k
		}
		return event.TaskKilled{Cause: fmt.Sprint(context.Cause(ctx))}
	}
	return r
}

// unsendable replaces a report that cannot be encoded.
func (p *process) unsendable(r wire.Report, err error) {
	p.log.Error("a report cannot be sent", "error", err)
	if e, ok := r.(wire.Ended); ok {
		p.out.Put(wire.Ended{Task: e.Task, Reason: event.ExceptionFailure{Fatal: true,
			Err: sparkerr.Internal("the result of task %d does not travel: %v", e.Task, err)}})
	}
}

// commit asks the driver for the right to commit.
func (p *process) commit(ctx context.Context, t *Task) error {
	limit := p.conf.Duration("spark.network.timeout")
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the driver did not say within %s (spark.network.timeout) whether task %d may commit", limit, t.ID))
	defer cancel()
	answer := make(chan bool, 1)
	p.mu.Lock()
	p.commits[t.ID] = answer
	p.mu.Unlock()
	p.out.Put(wire.AskCommit{Task: t.ID})
	select {
	case allowed := <-answer:
		if allowed {
			return nil
		}
		return &event.CommitDeniedError{TaskCommitDenied: event.TaskCommitDenied{Stage: t.Stage, Partition: t.Partition, Attempt: t.Attempt}}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
