package session

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// execution runs one physical plan: its stages one wave after the other, with a look at the sizes in between, and the
// root stage's rows into a sink.
type execution struct {
	app     *App
	q       *query
	stages  []*stage
	filters exec.Filters
	told    atomic.Int64 // when progress was last told, in ns since the epoch
	metrics *exec.Metrics
	src     *source.Env
}

// stage is one stage of a running plan with what is known of its output.
type stage struct {
	*physical.Stage
	shuffle   event.ShuffleID // of a stage whose output is partitioned
	tasks     int
	body      *driver.Stage // what is submitted; set when the stage is started, and the same ever after
	done      bool
	sizes     []int64 // bytes per partition
	rows      int64
	rel       *exec.Relation // of a broadcast
	collector *exec.Collector
	shared    *exec.Shared

	total   atomic.Int32 // tasks, once known
	ended   atomic.Int32
	running atomic.Int32
	read    atomic.Int64 // bytes of input
}

// run executes the stages in dependency order and hands the root's batches to sink: partition by partition, in order.
// A batch is the sink's until it returns.
func (x *execution) run(ctx context.Context, plan physical.Plan, sink func(*columnar.Batch) error) error {
	for _, s := range physical.Cut(plan) {
		x.stages = append(x.stages, &stage{Stage: s, shuffle: event.NoShuffle})
	}
	defer x.free()
	for {
		ready := x.ready()
		if len(ready) == 0 {
			return sparkerr.Internal("the stages of the plan wait for each other")
		}
		if ready[0].Root {
			return x.runRoot(ctx, ready[0], sink)
		}
		if err := x.runWave(ctx, ready); err != nil {
			return err
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
		return x.runBroadcast(ctx, s)
	}
	x.prepare(s)
	return x.runMap(ctx, s)
}

// forget drops what a failed run of a stage left, so that it can run afresh.
func (x *execution) forget(s *stage) {
	if s.shuffle != event.NoShuffle {
		x.app.driver.ReleaseShuffle(s.shuffle)
	}
	if s.collector != nil {
		s.collector.Free()
	}
	s.shuffle, s.collector, s.body, s.shared, s.rows = event.NoShuffle, nil, nil, nil, 0
}

// prepare counts the stage's tasks and gives it its identity.
func (x *execution) prepare(s *stage) {
	if s.body != nil {
		return
	}
	s.tasks = x.countTasks(s.Plan)
	s.shared = &exec.Shared{}
	spec := scheduler.StageSpec{Name: "stage", Shuffle: event.NoShuffle, Tasks: s.tasks}
	if !s.Root && !s.Broadcast {
		s.shuffle = x.app.driver.NewShuffle()
		spec.Shuffle = s.shuffle
	}
	for _, id := range s.Inputs {
		if in := x.stages[id]; in.shuffle != event.NoShuffle {
			spec.Parents = append(spec.Parents, in.shuffle)
		}
	}
	s.body = &driver.Stage{StageSpec: spec}
	s.total.Store(int32(s.tasks))
	s.ended.Store(0)
}

// job is the stage with the stages that it was made from: those are complete, and run again only if outputs are lost.
func (x *execution) job(s *stage) *driver.Job {
	j := &driver.Job{Group: x.q.group, Description: x.q.description, Tags: x.q.tags, Pool: x.q.pool(), Settle: true}
	seen := map[int]bool{}
	var add func(s *stage)
	add = func(s *stage) {
		if seen[s.ID] {
			return
		}
		seen[s.ID] = true
		for _, id := range s.Inputs {
			if in := x.stages[id]; in.shuffle != event.NoShuffle {
				add(in)
			}
		}
		j.Stages = append(j.Stages, s.body)
	}
	add(s)
	return j
}

func (x *execution) runMap(ctx context.Context, s *stage) error {
	n := s.Part.N
	var mu sync.Mutex
	s.body.Run = x.watched(s, func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t, env, op, err := x.start(s, tc)
		if err != nil {
			return driver.TaskOutcome{}, err
		}
		st, err := exec.WriteShuffle(ctx, t, env, op, s.Plan.Output(), s.Part, x.app.shuffle, shuffle.Output{
			Shuffle: s.shuffle, Map: tc.Partition, Task: tc.Task, Partitions: n, Schema: op.Schema(), Mem: t.Mem})
		mu.Lock()
		for _, r := range st.Rows {
			s.rows += r
		}
		mu.Unlock()
		return driver.TaskOutcome{Sizes: st.Sizes, Metrics: &t.Metrics.Task}, err
	})
	res, err := x.app.driver.RunJob(ctx, x.job(s))
	if err != nil {
		return unwrapJob(err)
	}
	s.sizes, s.done = res.Bytes, true
	return nil
}

// runBroadcast collects a stage's rows in memory for all tasks of the stages above, and tells the scans that wait for its keys.
func (x *execution) runBroadcast(ctx context.Context, s *stage) error {
	x.prepare(s)
	s.collector = exec.NewCollector(x.app.pool.Shared("broadcast"))
	out := s.Plan.Output()
	s.body.Run = x.watched(s, func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t, env, op, err := x.start(s, tc)
		if err != nil {
			return driver.TaskOutcome{}, err
		}
		part, err := exec.Collect(ctx, t, env, op, out, s.Publish)
		if err == nil {
			err = s.collector.Add(tc.Partition, part)
		}
		return driver.TaskOutcome{Metrics: &t.Metrics.Task}, err
	})
	if _, err := x.app.driver.RunJob(ctx, x.job(s)); err != nil {
		return unwrapJob(err)
	}
	s.rel = s.collector.Relation(schemaOf(out))
	s.rel.Mem = x.app.pool.Shared("hash table")
	s.rows, s.done = s.rel.Rows, true
	s.collector.Publish(&x.filters)
	return nil
}

// runRoot runs the last stage into the sink, again after a failure as long as no row was handed out.
func (x *execution) runRoot(ctx context.Context, s *stage, sink func(*columnar.Batch) error) error {
	begun := false
	for failures := 1; ; failures++ {
		err := x.collect(ctx, s, func(b *columnar.Batch) error { begun = true; return sink(b) })
		if err == nil || begun || failures >= x.app.master.Failures || ctx.Err() != nil {
			return err
		}
		x.forget(s)
	}
}

// collect runs a stage whose rows go to sink, in the order of the partitions.
func (x *execution) collect(ctx context.Context, s *stage, sink func(*columnar.Batch) error) error {
	x.prepare(s)
	window := newWindow(s.tasks, sink)
	s.body.Run = x.watched(s, func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t, _, op, err := x.start(s, tc)
		if err != nil {
			return driver.TaskOutcome{}, err
		}
		err = exec.Run(ctx, t, op, func(b *columnar.Batch) error { return window.put(ctx, tc.Partition, b) })
		if err == nil {
			err = window.end(ctx, tc.Partition)
		}
		return driver.TaskOutcome{Metrics: &t.Metrics.Task}, err
	})
	_, err := x.app.driver.RunJob(ctx, x.job(s))
	return unwrapJob(err)
}

// watched counts a stage's tasks around run, for progress.
func (x *execution) watched(s *stage, run driver.RunFunc) driver.RunFunc {
	return func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		s.running.Add(1)
		out, err := run(ctx, tc)
		s.running.Add(-1)
		if err == nil {
			s.ended.Add(1)
		}
		if out.Metrics != nil {
			s.read.Add(out.Metrics.Input.BytesRead)
		}
		x.tell()
		return out, err
	}
}

// progressPause is the least time between two reports of progress.
const progressPause = 200 * time.Millisecond

// tell reports progress, not too often.
func (x *execution) tell() {
	now, last := time.Now().UnixNano(), x.told.Load()
	if x.q.progress == nil || now-last < int64(progressPause) || !x.told.CompareAndSwap(last, now) {
		return
	}
	var p Progress
	for _, s := range x.stages {
		n := int(s.total.Load())
		if n == 0 {
			continue
		}
		done := int(s.ended.Load())
		p.Stages = append(p.Stages, StageProgress{ID: s.ID, Tasks: n, Done: done, Bytes: s.read.Load(), Over: done >= n})
		p.Tasks += int(s.running.Load())
	}
	x.q.progress(p)
}

// start makes the exec side of a task attempt and the operators that it runs.
func (x *execution) start(s *stage, tc *driver.TaskContext) (*exec.Task, *exec.Env, exec.Operator, error) {
	t := x.task(s, tc)
	env := &exec.Env{Session: x.q.kernel, Metrics: t.Metrics}
	op, err := exec.Build(s.Plan, env)
	if err != nil {
		return nil, nil, nil, errors.Join(err, t.Mem.Close())
	}
	return t, env, op, nil
}

// task makes the exec side of a task attempt.
func (x *execution) task(s *stage, tc *driver.TaskContext) *exec.Task {
	return &exec.Task{
		ID: tc.Task, Stage: tc.Stage, Partition: tc.Partition, Attempt: tc.Attempt, Session: x.q.kernel,
		Mem: x.app.pool.Account("task"), Dirs: x.app.dirs, Source: x.src, Inputs: x, Cache: x.app.cache, Filters: &x.filters,
		Shared: s.shared, Metrics: &exec.Metrics{}, MayCommit: tc.Commit, Parts: x.countTasks,
	}
}

// Shuffle, Partitions and Broadcast implement exec.Inputs.
func (x *execution) Shuffle(ctx context.Context, t *exec.Task, id int, spec physical.PartitionSpec) (exec.BatchReader, error) {
	in := x.stages[id]
	maps := x.app.shuffle.Statuses(in.shuffle)
	if spec.MapTo > 0 {
		maps = maps[spec.MapFrom:spec.MapTo]
	}
	return x.app.shuffle.Reader(ctx, shuffle.Request{Shuffle: in.shuffle, Schema: schemaOf(in.Plan.Output()), Maps: maps, From: spec.From, To: spec.To})
}

// Partitions is the number of partitions that a stage wrote.
func (x *execution) Partitions(id int) int {
	if in := x.stages[id]; !in.Broadcast {
		return in.Part.N
	}
	return 0
}

// Broadcast is the relation that a broadcast stage collected.
func (x *execution) Broadcast(_ context.Context, _ *exec.Task, id int) (*exec.Relation, error) {
	return x.stages[id].rel, nil
}

// free gives back what the stages hold.
func (x *execution) free() {
	for _, s := range x.stages {
		if s.shuffle != event.NoShuffle {
			x.app.driver.ReleaseShuffle(s.shuffle)
		}
		if s.rel != nil {
			s.rel.Free()
		}
		if s.collector != nil {
			s.collector.Free()
		}
	}
}

// unwrapJob gives users the error of the task where that is one of theirs.
func unwrapJob(err error) error {
	if e, ok := sparkerr.As(err); ok {
		return e
	}
	return err
}
