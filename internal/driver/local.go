package driver

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/local"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Local is the backend of local mode: the tasks are functions that run on the slots of this process.
type Local struct {
	pool *local.Pool
	d    *Driver
	// Forget is told about shuffles whose outputs are not needed any more; nil if nobody cares. It must not block.
	Forget func(event.ShuffleID)

	mu      sync.Mutex
	commits map[event.TaskID]chan bool
}

// NewLocal gives a backend on a pool that is not started.
func NewLocal(p *local.Pool) *Local {
	return &Local{pool: p, commits: map[event.TaskID]chan bool{}}
}

// LocalConfig is the scheduler's configuration for a local master: a task fails once, unless the
// master says more, and nothing is far away.
func LocalConfig(cfg scheduler.Config, m cluster.Master) scheduler.Config {
	cfg.MaxTaskFailures = max(1, m.Failures)
	cfg.LocalityWait = [4]time.Duration{}
	cfg.ExecutorTimeout = 0
	cfg.Allocation.Dynamic = false
	cfg.Allocation.Initial = 0
	return cfg
}

// Start starts the pool.
func (l *Local) Start(ctx context.Context, d *Driver) error {
	l.d = d
	return l.pool.Start(ctx, cluster.App{}, func(n cluster.Notice) {
		if r, ok := n.(cluster.Registered); ok {
			d.Post(scheduler.ExecutorAdded{ID: r.ID, Host: r.Host, Cores: r.Cores})
		}
	})
}

// Launch queues the task on the pool.
func (l *Local) Launch(t scheduler.LaunchTask) {
	if !l.pool.Go(t.Task, func(ctx context.Context) { l.run(ctx, t) }) {
		l.d.Post(scheduler.TaskEnded{Task: t.Task, Reason: event.TaskKilled{Cause: "the executor is stopped"}})
	}
}

func (l *Local) run(ctx context.Context, t scheduler.LaunchTask) {
	l.d.Post(scheduler.TaskStarted{Task: t.Task})
	tc := &TaskContext{
		Task: t.Task, Job: t.Job.ID, Stage: t.Stage, StageAttempt: t.StageAttempt, Partition: t.Partition, Attempt: t.Attempt,
		Tasks: t.Spec.Tasks, Executor: t.Executor, Locality: t.Locality, Speculative: t.Speculative, Epoch: t.Epoch, Peers: t.Peers,
		Group: t.Job.Group, Tags: t.Job.Tags, Properties: t.Job.Properties,
	}
	tc.commit = func(ctx context.Context) error { return l.commit(ctx, &t) }
	out, err := protect(ctx, t.Spec.Body.(*Stage).Run, tc)
	end := scheduler.TaskEnded{Task: t.Task, Reason: reason(ctx, err), Metrics: out.Metrics}
	if err == nil {
		end.Sizes, end.Result, end.ResultSize, end.Accums = out.Sizes, out.Result, out.ResultSize, out.Accums
	}
	l.d.Post(end)
}

// protect turns a panic of a task into an internal error of that task.
func protect(ctx context.Context, run RunFunc, tc *TaskContext) (out TaskOutcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			e := sparkerr.Internal("task %d panicked: %v", tc.Task, p)
			e.Stack = string(debug.Stack())
			err = e
		}
	}()
	return run(ctx, tc)
}

// reason gives the reason that a task's error stands for. Any error of a task that was told to end
// counts as that, except a fetch failure, for the driver must know about it.
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

// Kill cancels the context of a task.
func (l *Local) Kill(task event.TaskID, _ event.ExecutorID, reason string) {
	l.pool.Cancel(task, &event.KilledError{TaskKilled: event.TaskKilled{Cause: reason}})
}

func (l *Local) commit(ctx context.Context, t *scheduler.LaunchTask) error {
	answer := make(chan bool, 1)
	l.mu.Lock()
	l.commits[t.Task] = answer
	l.mu.Unlock()
	l.d.Post(scheduler.CommitRequest{Task: t.Task})
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

// CommitAnswer hands the answer to the waiting task.
func (l *Local) CommitAnswer(task event.TaskID, allow bool) {
	l.mu.Lock()
	answer := l.commits[task]
	delete(l.commits, task)
	l.mu.Unlock()
	if answer != nil {
		answer <- allow
	}
}

// ForgetShuffle passes the word on.
func (l *Local) ForgetShuffle(id event.ShuffleID) {
	if l.Forget != nil {
		l.Forget(id)
	}
}

// Scale does nothing: there is one executor.
func (l *Local) Scale(int) {}

// KillExecutors does nothing: the executor is this process.
func (l *Local) KillExecutors([]event.ExecutorID, string) {}

// Reregister does nothing: the executor does not heartbeat.
func (l *Local) Reregister(event.ExecutorID) {}

// Stop ends all tasks and waits for them.
func (l *Local) Stop(ctx context.Context) error { return l.pool.Stop(ctx) }
