package driver

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
)

// Backend runs tasks somewhere. Its methods are called by the driver's loop, one at a time, and
// return at once; what becomes of a task is told with Driver.Post, later, from any goroutine.
type Backend interface {
	// Start is called once, before all others.
	Start(ctx context.Context, d *Driver) error
	// Launch starts an attempt. Exactly one scheduler.TaskEnded must follow, or ExecutorLost for its executor.
	Launch(t scheduler.LaunchTask)
	// Kill ends an attempt; its TaskEnded still follows.
	Kill(task event.TaskID, executor event.ExecutorID, reason string)
	// Scale says how many executors should exist.
	Scale(total int)
	// KillExecutors ends executors for good.
	KillExecutors(ids []event.ExecutorID, reason string)
	// Reregister asks an executor to register again.
	Reregister(id event.ExecutorID)
	// CommitAnswer answers a scheduler.CommitRequest.
	CommitAnswer(task event.TaskID, allow bool)
	// ForgetShuffle deletes the outputs of a shuffle.
	ForgetShuffle(id event.ShuffleID)
	// Stop ends all tasks and executors and waits for them, or for ctx. Nothing is posted after it.
	Stop(ctx context.Context) error
}

// Config is what a driver needs.
type Config struct {
	Scheduler scheduler.Config
	// Bus carries the events; whoever made it closes it after the driver. nil: one that ends with the driver.
	Bus *Bus
}

// ErrClosed is the error of a job that is submitted after Close.
var ErrClosed = errors.New("the driver is stopped")

// Driver hosts one scheduler. See the package comment.
type Driver struct {
	s       *scheduler.Scheduler
	backend Backend
	bus     *Bus
	ownBus  bool
	remote  *Remote // the backend, if it is that

	nextJob     atomic.Int32
	nextShuffle atomic.Int32

	mu      sync.Mutex
	queue   []input
	closing bool          // no more jobs
	closed  bool          // no more events
	failed  error         // why there are no more jobs; nil: the driver is stopped
	wake    chan struct{} // has a token when the queue is not empty
	done    chan struct{} // closed when the loop has ended

	jobs  map[event.JobID]*Handle // of the loop
	tasks map[event.TaskID]liveTask
}

type liveTask struct {
	of    *Handle
	stage *Stage
	on    event.ExecutorID
}

// input is one entry of the queue: an event, or a question, or the wish to end.
type input struct {
	event scheduler.Event
	job   *Handle // of a JobSubmitted
	ask   func(*scheduler.Scheduler)
	fail  error
	stop  stopping
}

type stopping uint8

const (
	stopWhenIdle stopping = iota + 1 // when the last task has ended
	stopNow
)

// New starts a driver on a backend.
func New(ctx context.Context, cfg Config, b Backend) (*Driver, error) {
	d := &Driver{
		s: scheduler.New(cfg.Scheduler), backend: b, bus: cfg.Bus, wake: make(chan struct{}, 1), done: make(chan struct{}),
		jobs: map[event.JobID]*Handle{}, tasks: map[event.TaskID]liveTask{},
	}
	if d.remote, _ = b.(*Remote); d.bus == nil {
		d.bus, d.ownBus = NewBus(0), true
	}
	if err := b.Start(ctx, d); err != nil {
		return nil, errors.Join(err, b.Stop(ctx))
	}
	go d.loop()
	return d, nil
}

// Bus is the listener bus of the application.
func (d *Driver) Bus() *Bus { return d.bus }

// Post hands an event to the scheduler. It never blocks; after Close it does nothing.
func (d *Driver) Post(e scheduler.Event) { d.put(input{event: e}) }

// Cancel ends jobs.
func (d *Driver) Cancel(c scheduler.JobCancelled) { d.Post(c) }

// NewShuffle gives a shuffle id that was not given before.
func (d *Driver) NewShuffle() event.ShuffleID { return event.ShuffleID(d.nextShuffle.Add(1) - 1) }

// ReleaseShuffle says that nobody will submit a stage that reads or writes the shuffle again.
func (d *Driver) ReleaseShuffle(id event.ShuffleID) { d.Post(scheduler.ShuffleReleased{Shuffle: id}) }

// MapStatuses says where the outputs of a shuffle lie.
func (d *Driver) MapStatuses(ctx context.Context, id event.ShuffleID) ([]scheduler.MapStatus, error) {
	answer := make(chan []scheduler.MapStatus, 1)
	if !d.put(input{ask: func(s *scheduler.Scheduler) { answer <- s.MapStatuses(id) }}) {
		return nil, ErrClosed
	}
	select {
	case st := <-answer:
		return st, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-d.done:
		return nil, ErrClosed
	}
}

// Submit starts a job. The caller must Wait for it.
func (d *Driver) Submit(j *Job) (*Handle, error) {
	id := event.JobID(d.nextJob.Add(1) - 1)
	h := &Handle{id: id, job: j, d: d, wake: make(chan struct{}, 1)}
	specs := make([]*scheduler.StageSpec, len(j.Stages))
	for i, st := range j.Stages {
		spec := st.StageSpec
		spec.Body = st
		specs[i] = &spec
	}
	ok := d.put(input{job: h, event: scheduler.JobSubmitted{
		ID: id, Stages: specs, Group: j.Group, Description: j.Description, Tags: j.Tags, Pool: j.Pool, Properties: j.Properties,
	}})
	if !ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.failed != nil {
			return nil, d.failed
		}
		return nil, ErrClosed
	}
	return h, nil
}

// fail ends all jobs with an error and takes no more.
func (d *Driver) fail(err error) {
	d.mu.Lock()
	d.closing = true
	if d.failed == nil {
		d.failed = err
	}
	d.mu.Unlock()
	d.put(input{fail: err})
}

// RunJob runs a job to its end; see Handle.Wait.
func (d *Driver) RunJob(ctx context.Context, j *Job) (*JobResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	h, err := d.Submit(j)
	if err != nil {
		return nil, err
	}
	return h.Wait(ctx)
}

// Close fails the jobs that still run, waits for their tasks as long as ctx allows, stops the
// backend, and publishes the last events. It may be called twice.
func (d *Driver) Close(ctx context.Context) error {
	d.Cancel(scheduler.JobCancelled{By: scheduler.CancelAll, Reason: "because SparkContext was shut down"})
	d.put(input{stop: stopWhenIdle})
	var late error
	select {
	case <-d.done:
	case <-ctx.Done():
		late = context.Cause(ctx)
		d.put(input{stop: stopNow})
		<-d.done
	}
	late = errors.Join(late, d.backend.Stop(ctx))
	if d.ownBus {
		late = errors.Join(late, d.bus.Close(ctx))
	}
	return late
}

// put appends to the queue; it says false after the end.
func (d *Driver) put(in input) bool {
	d.mu.Lock()
	if d.closed || d.closing && in.job != nil {
		d.mu.Unlock()
		return false
	}
	d.closing = d.closing || in.stop != 0
	d.queue = append(d.queue, in)
	first := len(d.queue) == 1
	d.mu.Unlock()
	if first {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
	return true
}

func (d *Driver) take(old []input) []input {
	d.mu.Lock()
	defer d.mu.Unlock()
	batch := d.queue
	d.queue = old[:0]
	return batch
}

func (d *Driver) loop() {
	defer close(d.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var armed time.Time // what the timer is set to
	var batch []input
	var stop stopping
	for stop != stopNow && (stop == 0 || len(d.tasks) > 0) {
		if at, ok := d.s.Deadline(); ok && !at.Equal(armed) {
			armed = at
			timer.Reset(time.Until(at))
		}
		select {
		case <-d.wake:
			batch = d.take(batch)
		case <-timer.C:
			armed = time.Time{}
			batch = append(batch[:0], input{event: scheduler.Tick{}})
		}
		for i, in := range batch {
			batch[i] = input{}
			if in.stop != 0 {
				stop = in.stop
				continue
			}
			d.handle(in)
		}
	}
	d.abandon()
}

func (d *Driver) handle(in input) {
	if in.ask != nil {
		in.ask(d.s)
		return
	}
	if in.fail != nil {
		for id, h := range d.jobs {
			delete(d.jobs, id)
			h.finish(scheduler.JobEnded{ID: id, Err: in.fail})
		}
		in.event = scheduler.JobCancelled{By: scheduler.CancelAll, Reason: "because " + in.fail.Error()}
	}
	if in.job != nil {
		d.jobs[in.job.id] = in.job
	}
	if e, ok := in.event.(scheduler.TaskEnded); ok {
		d.noteEnd(&e)
	}
	for _, a := range d.s.Step(time.Now(), in.event) {
		d.perform(a)
	}
	switch e := in.event.(type) {
	case scheduler.TaskEnded:
		d.taskOver(e.Task)
	case scheduler.ExecutorLost:
		d.executorOver(e.ID)
	}
}

func (d *Driver) perform(a scheduler.Action) {
	switch a := a.(type) {
	case scheduler.LaunchTask:
		if h := d.jobs[a.Job.ID]; h != nil {
			h.attempts(1)
			stage, _ := a.Spec.Body.(*Stage)
			d.tasks[a.Task] = liveTask{h, stage, a.Executor}
			stage.watch(TaskChange{})
		}
		d.backend.Launch(a)
	case scheduler.Publish:
		d.bus.Publish(a.Event)
		if e, ok := a.Event.(event.StageCompleted); ok && d.remote != nil {
			d.remote.stageOver(e.Stage.ID)
		}
	case scheduler.TaskAccepted:
		if h := d.jobs[a.Job]; h != nil {
			h.accept(a)
		}
	case scheduler.JobEnded:
		if h := d.jobs[a.ID]; h != nil {
			delete(d.jobs, a.ID)
			h.finish(a)
		}
	case scheduler.KillTask:
		d.backend.Kill(a.Task, a.Executor, a.Reason)
	case scheduler.CommitAnswer:
		d.backend.CommitAnswer(a.Task, a.Allow)
	case scheduler.WantExecutors:
		d.backend.Scale(a.Total)
	case scheduler.KillExecutors:
		if a.Idle && d.remote != nil && d.remote.retire(a.IDs, a.Reason) {
			break
		}
		d.backend.KillExecutors(a.IDs, a.Reason)
		for _, id := range a.IDs {
			d.executorOver(id)
		}
	case scheduler.Reregister:
		d.backend.Reregister(a.Executor)
	case scheduler.ForgetShuffle:
		d.backend.ForgetShuffle(a.Shuffle)
	}
}

// noteEnd tells who watches the stage how an attempt ended.
func (d *Driver) noteEnd(e *scheduler.TaskEnded) {
	_, success := e.Reason.(event.Success)
	if t, ok := d.tasks[e.Task]; ok {
		t.stage.watch(TaskChange{Ended: true, Success: success, Metrics: e.Metrics})
		t.stage = nil // once
		d.tasks[e.Task] = t
	}
}

func (s *Stage) watch(c TaskChange) {
	if s != nil && s.Watch != nil {
		s.Watch(c)
	}
}

func (d *Driver) taskOver(id event.TaskID) {
	if t, ok := d.tasks[id]; ok {
		delete(d.tasks, id)
		t.stage.watch(TaskChange{Ended: true})
		t.of.attempts(-1)
	}
}

func (d *Driver) executorOver(id event.ExecutorID) {
	for task, t := range d.tasks {
		if t.on == id {
			d.taskOver(task)
		}
	}
}

// abandon refuses all further input and ends the handles of jobs that the scheduler has not ended.
func (d *Driver) abandon() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for id, h := range d.jobs {
		h.finish(scheduler.JobEnded{ID: id, Err: ErrClosed})
	}
	for id := range d.tasks {
		d.taskOver(id)
	}
}

// Shuffles is the number of shuffles whose outputs the application keeps.
func (d *Driver) Shuffles(ctx context.Context) int {
	answer := make(chan int, 1)
	if !d.put(input{ask: func(s *scheduler.Scheduler) { answer <- s.Shuffles() }}) {
		return 0
	}
	select {
	case n := <-answer:
		return n
	case <-ctx.Done():
	case <-d.done:
	}
	return 0
}
