package session

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// execution runs one physical plan: its stages one wave after the other, with a look at the sizes in between, and the
// root stage's rows into a sink.
type execution struct {
	app     *App
	q       *query
	stages  []*stage
	place   place
	filters exec.Filters
	kept    map[string]*kept // cached plans on executors that the plan reads
	changed chan struct{}    // has a token when a task started or ended: see report
}

// place is where the tasks of an execution run: in this process (inProcess) or on executors (onExecutors).
type place interface {
	// countTasks is the number of tasks of a stage with this plan.
	countTasks(p physical.Plan) (int, error)
	// runMap runs a stage whose output is partitioned, runBroadcast one whose rows go to all tasks of the stages above.
	runMap(ctx context.Context, s *stage) error
	runBroadcast(ctx context.Context, s *stage) error
	// collect runs the root: its rows go to sink, in the order of the partitions.
	collect(ctx context.Context, s *stage, sink func(*columnar.Batch) error) error
	// forget drops what a stage left that ran, or failed to.
	forget(s *stage)
	// slots is the number of tasks that run at the same time.
	slots() int
}

// stage is one stage of a running plan with what is known of its output.
type stage struct {
	*physical.Stage
	shuffle event.ShuffleID // of a stage whose output is partitioned
	tasks   int
	body    *driver.Stage // what is submitted; set when the stage is started, and the same ever after
	done    bool
	sizes   []int64 // bytes per partition
	rows    int64
	metrics event.AccumulatorID // the first of those that listeners know; 0: nobody asks

	// In this process:
	rel       *exec.Relation // of a broadcast
	collector *exec.Collector
	shared    *exec.Shared
	// On executors:
	broadcast event.BroadcastID   // 0: none
	bytes     int64               // of it
	extra     []event.BroadcastID // bits of its runtime filters

	total   atomic.Int32 // tasks, once known
	ended   atomic.Int32
	running atomic.Int32
	read    atomic.Int64 // bytes of input
}

func newExecution(q *query) *execution {
	x := &execution{app: q.s.app, q: q, changed: make(chan struct{}, 1)}
	if x.app.executors == nil {
		x.place = &inProcess{x}
	} else {
		x.place = newOnExecutors(x)
	}
	return x
}

// run executes the stages in dependency order and hands the root's batches to sink: partition by partition, in order.
// A batch is the sink's until it returns.
func (x *execution) run(ctx context.Context, plan physical.Plan, sink func(*columnar.Batch) error) error {
	defer x.free()
	defer x.report()()
	root, err := x.runBelow(ctx, plan)
	if err != nil {
		return err
	}
	if _, writes := root.Plan.(*physical.WriteFiles); writes {
		x.q.begun = true
	}
	return x.runRoot(ctx, root, sink)
}

// runBelow runs all stages but the root, which it gives.
func (x *execution) runBelow(ctx context.Context, plan physical.Plan) (root *stage, err error) {
	for _, s := range physical.Cut(plan) {
		x.stages = append(x.stages, &stage{Stage: s, shuffle: event.NoShuffle})
	}
	x.tellStages()
	x.q.sql.tell(plan, x.stages)
	for {
		ready := x.ready()
		if len(ready) == 0 {
			return nil, sparkerr.Internal("the stages of the plan wait for each other")
		}
		if ready[0].Root {
			return ready[0], nil
		}
		if err := x.runWave(ctx, ready); err != nil {
			return nil, err
		}
		x.adapt()
	}
}

// ready lists the stages whose inputs are there. The root is listed alone.
func (x *execution) ready() []*stage {
	var out []*stage
	for _, s := range x.stages {
		if s.done || !x.allDone(s.Inputs) || !x.allDone(s.After) {
			continue
		}
		if !s.Root {
			out = append(out, s)
		} else if len(out) == 0 {
			return []*stage{s}
		}
	}
	return out
}

func (x *execution) allDone(ids []int) bool {
	for _, id := range ids {
		if !x.stages[id].done {
			return false
		}
	}
	return true
}

// runWave runs stages that do not depend on each other at the same time; the first error ends all.
func (x *execution) runWave(ctx context.Context, wave []*stage) error {
	if len(wave) == 1 {
		return x.runStage(ctx, wave[0])
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, len(wave))
	var wg sync.WaitGroup
	for i, s := range wave {
		wg.Go(func() {
			if errs[i] = x.runStage(ctx, s); errs[i] != nil {
				cancel(errs[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

// runStage runs a stage, again as a whole when a task fails and the master allows it (local[N,F]): the tasks of a stage
// in one process share queues and counters, so that none of them can be repeated alone.
func (x *execution) runStage(ctx context.Context, s *stage) error {
	for failures := 1; ; failures++ {
		err := x.runOnce(ctx, s)
		if err == nil || failures >= x.app.master.Failures || ctx.Err() != nil {
			return err
		}
		x.forget(s)
	}
}

func (x *execution) runOnce(ctx context.Context, s *stage) error {
	if s.Broadcast {
		return x.place.runBroadcast(ctx, s)
	}
	return x.place.runMap(ctx, s)
}

// forget drops what a failed run of a stage left, so that it can run afresh.
func (x *execution) forget(s *stage) {
	if s.shuffle != event.NoShuffle {
		x.app.driver.ReleaseShuffle(s.shuffle)
	}
	x.place.forget(s)
	s.shuffle, s.body, s.rows = event.NoShuffle, nil, 0
}

// prepare counts the stage's tasks and gives it its identity.
func (x *execution) prepare(s *stage) error {
	if s.body != nil {
		return nil
	}
	n, err := x.place.countTasks(s.Plan)
	if err != nil {
		return err
	}
	if most := x.app.mostTasks(); max(n, s.Part.N) > most {
		return sparkerr.New("TOO_MANY_TASKS", "tasks", strconv.Itoa(max(n, s.Part.N)), "limit", strconv.Itoa(most))
	}
	s.tasks = n
	if !s.Root && !s.Broadcast {
		s.shuffle = x.app.driver.NewShuffle()
	}
	s.body = x.newBody(s, n, s.shuffle)
	s.total.Store(int32(n))
	s.ended.Store(0)
	return nil
}

// taskBytes is what the driver keeps of a task of a stage, and fewTasks how many it keeps at any rate.
const (
	taskBytes = 8 << 10
	fewTasks  = 100_000
)

// mostTasks is how many tasks a stage may have, by the driver's memory.
func (a *App) mostTasks() int { return max(fewTasks, int(a.pool.Usage().Budget/taskBytes)) }

// newBody makes what is submitted of a stage: so many tasks that write a shuffle, or none.
func (x *execution) newBody(s *stage, tasks int, out event.ShuffleID) *driver.Stage {
	spec := scheduler.StageSpec{Name: outline(s.Plan), Shuffle: out, Tasks: tasks}
	seen := map[event.ShuffleID]bool{}
	x.below(s, func(_ *execution, in *stage) {
		if !seen[in.shuffle] {
			seen[in.shuffle] = true
			spec.Parents = append(spec.Parents, in.shuffle)
		}
	})
	x.prefer(s, &spec)
	return &driver.Stage{StageSpec: spec, Watch: func(c driver.TaskChange) { x.note(s, c) }}
}

// job is a stage's body with the stages that it was made from: those are complete, and run again only if outputs are lost.
func (x *execution) job(s *stage, body *driver.Stage) *driver.Job {
	j := &driver.Job{Group: x.q.group, Description: x.q.description, Tags: x.q.tags, Pool: x.q.pool(),
		Properties: x.q.sql.properties(), Settle: true}
	seen := map[*stage]bool{}
	var add func(x *execution, in *stage)
	add = func(x *execution, in *stage) {
		if !seen[in] {
			seen[in] = true
			x.below(in, add)
			j.Stages = append(j.Stages, in.body)
		}
	}
	x.below(s, add)
	j.Stages = append(j.Stages, body)
	return j
}

// runRoot runs the last stage into the sink, again after a failure as long as no row was handed out.
func (x *execution) runRoot(ctx context.Context, s *stage, sink func(*columnar.Batch) error) error {
	begun := false
	for failures := 1; ; failures++ {
		err := x.place.collect(ctx, s, func(b *columnar.Batch) error { begun = true; return sink(b) })
		if err == nil || begun || failures >= x.app.master.Failures || ctx.Err() != nil {
			return err
		}
		x.forget(s)
	}
}

// note counts a stage's task attempts, for progress. It is called by the driver's loop.
func (x *execution) note(s *stage, c driver.TaskChange) {
	if c.Ended {
		s.running.Add(-1)
	} else {
		s.running.Add(1)
	}
	if c.Success {
		s.ended.Add(1)
	}
	if c.Metrics != nil {
		s.read.Add(c.Metrics.Input.BytesRead)
	}
	select {
	case x.changed <- struct{}{}:
	default:
	}
}

// progressPause is the least time between two reports of progress.
const progressPause = 200 * time.Millisecond

// report tells how far the query is, not too often, until stop is called.
func (x *execution) report() (stop func()) {
	if x.q.progress == nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var last time.Time
		for {
			select {
			case <-x.changed:
			case <-quit:
				return
			}
			if time.Since(last) >= progressPause {
				last = time.Now()
				x.q.progress(x.sofar())
			}
		}
	}()
	return func() { close(quit); <-done }
}

// sofar is how far the stages are.
func (x *execution) sofar() (p Progress) {
	for _, s := range x.stages {
		n := int(s.total.Load())
		if n == 0 {
			continue
		}
		done := int(s.ended.Load())
		p.Stages = append(p.Stages, StageProgress{ID: s.ID, Tasks: n, Done: done, Bytes: s.read.Load(), Over: done >= n})
		p.Tasks += int(s.running.Load())
	}
	return p
}

// Partitions is the number of partitions that a stage wrote, 0 of a broadcast.
func (x *execution) Partitions(id int) int {
	if in := x.stages[id]; !in.Broadcast {
		return in.Part.N
	}
	return 0
}

// free gives back what the stages hold.
func (x *execution) free() {
	for _, s := range x.stages {
		x.forget(s)
	}
}

// unwrapJob gives users the error of the task where that is one of theirs.
func unwrapJob(err error) error {
	if e, ok := sparkerr.As(err); ok {
		return e
	}
	return err
}
