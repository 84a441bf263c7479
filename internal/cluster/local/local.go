// Package local is the cluster manager of this process: one executor, "driver", with a fixed
// number of slots. Nothing is serialized: a task is a function.
package local

import (
	"context"
	"runtime"
	"sync"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

// Host is the host name of the in-process executor.
const Host = "localhost"

// Pool is the slots: so many goroutines that live as long as the pool, so that their stacks stay
// grown. It is a cluster.Manager whose only executor is there from Start to Stop.
type Pool struct {
	slots   int
	tasks   chan task
	workers sync.WaitGroup

	mu      sync.Mutex
	running map[event.TaskID]context.CancelCauseFunc
	state   state
	base    context.Context
	stop    context.CancelCauseFunc
}

type state uint8

const (
	idle state = iota
	started
	stopped
)

type task struct {
	id  event.TaskID
	ctx context.Context
	run func(context.Context)
}

// New gives a pool of n slots, or one per CPU that the process may use if n is 0.
func New(n int) *Pool {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	base, stop := context.WithCancelCause(context.Background())
	// Everything in flight fits the channel: the scheduler launches at most one task a slot.
	return &Pool{slots: n, tasks: make(chan task, n), running: map[event.TaskID]context.CancelCauseFunc{}, base: base, stop: stop}
}

// Slots is the number of slots.
func (p *Pool) Slots() int { return p.slots }

// Start starts the workers and tells that the executor is there.
func (p *Pool) Start(_ context.Context, _ cluster.App, notify func(cluster.Notice)) error {
	p.mu.Lock()
	if p.state != idle {
		p.mu.Unlock()
		return nil
	}
	p.state = started
	p.mu.Unlock()
	for range p.slots {
		p.workers.Go(p.work)
	}
	notify(cluster.Registered{ID: event.DriverExecutor, Host: Host, Cores: p.slots})
	return nil
}

func (p *Pool) work() {
	for t := range p.tasks {
		t.run(t.ctx)
		p.Cancel(t.id, nil)
	}
}

// Go runs a task on the next free slot. It does not block as long as no more tasks are in flight
// than there are slots. It says false, and run is never called, if the pool is not started or stopped.
func (p *Pool) Go(id event.TaskID, run func(context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != started {
		return false
	}
	ctx, cancel := context.WithCancelCause(p.base)
	p.running[id] = cancel
	p.tasks <- task{id, ctx, run}
	return true
}

// Cancel cancels the context of a task with a cause, if it has not ended.
func (p *Pool) Cancel(id event.TaskID, cause error) {
	p.mu.Lock()
	cancel := p.running[id]
	delete(p.running, id)
	p.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}

// Scale does nothing: there is one executor.
func (p *Pool) Scale(context.Context, int) error { return nil }

// Kill does nothing: the executor cannot be ended without the driver.
func (p *Pool) Kill(context.Context, []event.ExecutorID) error { return nil }

// Stop cancels all tasks and waits for the workers, or for ctx.
func (p *Pool) Stop(ctx context.Context) error {
	p.mu.Lock()
	if p.state != stopped {
		p.state = stopped
		p.stop(&event.KilledError{TaskKilled: event.TaskKilled{Cause: "the application is stopping"}})
		close(p.tasks)
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		p.workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
