package session

import (
	"context"
	"errors"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/shuffle"
)

// inProcess runs the tasks of an execution as functions of this process: rows are handed over by reference.
type inProcess struct{ *execution }

func (x *inProcess) slots() int { return x.app.slots }

// countTasks is the number of tasks of a stage, or of a part of its plan: what the leaves call for. Scans whose splits all
// tasks share get as many as there are slots; a stage over broadcasts only has one.
func (x *inProcess) countTasks(p physical.Plan) (int, error) { return x.count(p), nil }

func (x *inProcess) count(p physical.Plan) int {
	parts := exec.PartsOf(p, nil, x)
	if parts.Any {
		return max(parts.Fixed, x.app.slots)
	}
	return max(1, parts.Fixed)
}

// prepare is the execution's, with what the tasks of the stage share.
func (x *inProcess) prepare(s *stage) error {
	if s.body == nil {
		s.shared = &exec.Shared{}
	}
	return x.execution.prepare(s)
}

func (x *inProcess) runMap(ctx context.Context, s *stage) error {
	if err := x.prepare(s); err != nil {
		return err
	}
	n := s.Part.N
	var mu sync.Mutex
	s.body.Run = func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
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
		return driver.TaskOutcome{Sizes: st.Sizes, Metrics: &t.Metrics.Task, Accums: t.Metrics.Counted(s.Plan, s.metrics)}, err
	}
	res, err := x.app.driver.RunJob(ctx, x.job(s, s.body))
	if err != nil {
		return unwrapJob(err)
	}
	s.sizes, s.done = res.Bytes, true
	return nil
}

// runBroadcast collects a stage's rows in memory for all tasks of the stages above, and tells the scans that wait for its keys.
func (x *inProcess) runBroadcast(ctx context.Context, s *stage) error {
	if err := x.prepare(s); err != nil {
		return err
	}
	s.collector = exec.NewCollector(x.app.pool.Shared("broadcast"))
	out := s.Plan.Output()
	s.body.Run = func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t, env, op, err := x.start(s, tc)
		if err != nil {
			return driver.TaskOutcome{}, err
		}
		part, err := exec.Collect(ctx, t, env, op, out, s.Publish)
		if err == nil {
			err = s.collector.Add(tc.Partition, part)
		}
		return driver.TaskOutcome{Metrics: &t.Metrics.Task, Accums: t.Metrics.Counted(s.Plan, s.metrics)}, err
	}
	if _, err := x.app.driver.RunJob(ctx, x.job(s, s.body)); err != nil {
		return unwrapJob(err)
	}
	s.rel = s.collector.Relation(schemaOf(out))
	s.rel.Mem = x.app.pool.Shared("hash table")
	s.rows, s.done = s.rel.Rows, true
	s.collector.Publish(&x.filters)
	return nil
}

// collect runs a stage whose rows go to sink, in the order of the partitions.
func (x *inProcess) collect(ctx context.Context, s *stage, sink func(*columnar.Batch) error) error {
	if err := x.prepare(s); err != nil {
		return err
	}
	window := newWindow(s.tasks, sink)
	s.body.Run = func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t, _, op, err := x.start(s, tc)
		if err != nil {
			return driver.TaskOutcome{}, err
		}
		err = exec.Run(ctx, t, op, func(b *columnar.Batch) error { return window.put(ctx, tc.Partition, b) })
		if err == nil {
			err = window.end(ctx, tc.Partition)
		}
		return driver.TaskOutcome{Metrics: &t.Metrics.Task, Accums: t.Metrics.Counted(s.Plan, s.metrics)}, err
	}
	_, err := x.app.driver.RunJob(ctx, x.job(s, s.body))
	return unwrapJob(err)
}

// start makes the exec side of a task attempt and the operators that it runs.
func (x *inProcess) start(s *stage, tc *driver.TaskContext) (*exec.Task, *exec.Env, exec.Operator, error) {
	t := x.task(s, tc)
	env := &exec.Env{Session: x.q.kernel, Metrics: t.Metrics}
	op, err := exec.Build(s.Plan, env)
	if err != nil {
		return nil, nil, nil, errors.Join(err, t.Mem.Close())
	}
	return t, env, op, nil
}

// task makes the exec side of a task attempt.
func (x *inProcess) task(s *stage, tc *driver.TaskContext) *exec.Task {
	return &exec.Task{
		ID: tc.Task, Stage: tc.Stage, Partition: tc.Partition, Attempt: tc.Attempt, Session: x.q.kernel,
		Mem: x.app.pool.Account("task"), Dirs: x.app.dirs, Source: x.q.src, Inputs: x, Cache: x.app.cache, Filters: &x.filters,
		Shared: s.shared, Metrics: &exec.Metrics{}, MayCommit: tc.Commit, Parts: x.count,
	}
}

// Shuffle and Broadcast implement exec.Inputs, with the execution's Partitions.
func (x *inProcess) Shuffle(ctx context.Context, t *exec.Task, id int, spec physical.PartitionSpec) (exec.BatchReader, error) {
	in := x.stages[id]
	maps := x.app.shuffle.Statuses(in.shuffle)
	if spec.MapTo > 0 {
		maps = maps[spec.MapFrom:spec.MapTo]
	}
	return x.app.shuffle.Reader(ctx, shuffle.Request{Shuffle: in.shuffle, Schema: schemaOf(in.Plan.Output()), Maps: maps, From: spec.From, To: spec.To,
		Metrics: t.ReadMetrics()})
}

// Broadcast is the relation that a broadcast stage collected.
func (x *inProcess) Broadcast(_ context.Context, _ *exec.Task, id int) (*exec.Relation, error) {
	return x.stages[id].rel, nil
}

// forget implements place.
func (x *inProcess) forget(s *stage) {
	if s.rel != nil {
		s.rel.Free()
	}
	if s.collector != nil {
		s.collector.Free()
	}
	s.rel, s.collector, s.shared = nil, nil, nil
}

var _ exec.Inputs = (*inProcess)(nil)
