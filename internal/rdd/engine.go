package rdd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Host is the application that an engine is part of.
type Host struct {
	Driver *driver.Driver
	Env    *Env // of the driver's process
	// Executors is set where tasks run in other processes.
	Executors driver.Executors
	// Failures is how often a task may fail in local mode.
	Failures int
	// NextRDD gives the application's next number of an RDD; nil: the engine counts itself.
	NextRDD func() event.RDDID
	Audit   *audit.Log // nil: off
}

// Engine runs the jobs of RDDs in one application.
type Engine struct {
	host    Host
	nextRDD atomic.Int32

	mu      sync.Mutex
	nextAcc int64
	accums  map[event.AccumulatorID]func(event.Accumulable) error
	closed  bool
}

// NewEngine makes the engine of an application.
func NewEngine(h Host) *Engine {
	return &Engine{host: h, accums: map[event.AccumulatorID]func(event.Accumulable) error{}}
}

// NewRDD gives an id that was not given before.
func (e *Engine) NewRDD() event.RDDID {
	if e.host.NextRDD != nil {
		return e.host.NextRDD()
	}
	return event.RDDID(e.nextRDD.Add(1) - 1)
}

// Env is the environment of tasks in the driver's process.
func (e *Engine) Env() *Env { return e.host.Env }

// Remote says that tasks run in other processes.
func (e *Engine) Remote() bool { return e.host.Executors != nil }

// Props are what a program has said about its jobs.
type Props struct {
	Group, Description, Pool string
	Tags                     []string
	Properties               map[string]string
}

// Job runs an action on partitions of a node.
type Job struct {
	Node   *Node
	Parts  []int // nil: all
	Action Action
	// Each gets the results as tasks end, with the index in Parts (or the partition); nil if nobody wants them. An error
	// ends the job.
	Each  func(i int, v any) error
	Props Props
}

// Run runs a job and writes it to the audit log.
func (e *Engine) Run(ctx context.Context, j Job) error {
	if e.host.Audit == nil || audit.Covered(ctx) {
		return e.run(ctx, j)
	}
	a := audit.Action{Name: "execute", User: audit.Me(), Tags: j.Props.Tags, Statement: fmt.Sprintf("job of RDD %d, %s at %s: %T", j.Node.ID, j.Node.Name, j.Node.Site, j.Action)}
	return e.host.Audit.Do(a, func() error { return e.run(audit.Cover(ctx), j) })
}

// run runs a job. In local mode a job whose task failed is repeated as far as the master allows.
func (e *Engine) run(ctx context.Context, j Job) error {
	if err := j.Node.resolve(ctx); err != nil {
		return err
	}
	if j.Parts == nil {
		j.Parts = make([]int, j.Node.Parts)
		for i := range j.Parts {
			j.Parts[i] = i
		}
	}
	if len(j.Parts) == 0 {
		return nil
	}
	done := make([]bool, len(j.Parts))
	for failures, lost := 0, 0; ; {
		err := e.attempt(ctx, &j, done)
		var part *lostPart
		if errors.As(err, &part) && lost < maxLostParts { // it is computed now
			lost++
			continue
		}
		if failures++; err == nil || e.Remote() || failures >= e.host.Failures || ctx.Err() != nil {
			return userError(err)
		}
	}
}

// maxLostParts is how often a job is repeated because a kept partition could not be read.
const maxLostParts = 100

// userError gives users the error of their function or of the engine, and not how often it was tried.
func userError(err error) error {
	var f *FunctionError
	if errors.As(err, &f) {
		return err
	}
	if e, ok := sparkerr.As(err); ok && e.Condition != "INTERNAL_ERROR" {
		return e
	}
	return err
}

// attempt runs a job for the partitions that are not done yet.
func (e *Engine) attempt(ctx context.Context, j *Job, done []bool) error {
	var left, parts []int
	for i, p := range j.Parts {
		if !done[i] {
			left, parts = append(left, i), append(parts, p)
		}
	}
	body, err := e.resultStage(j, parts)
	if err != nil {
		return err
	}
	stages, err := e.parents(j.Node)
	if err != nil {
		return err
	}
	dj := &driver.Job{Stages: append(stages, body), Group: j.Props.Group, Description: j.Props.Description, Pool: j.Props.Pool,
		Tags: j.Props.Tags, Properties: maps.Clone(j.Props.Properties), Settle: true}
	dj.OnAccums = func(_ event.StageID, updates []event.Accumulable) { e.count(updates) }
	dj.OnResult = func(task int, result any) error {
		i := left[task]
		v, err := e.result(ctx, j.Action, result)
		if err == nil && j.Each != nil {
			err = j.Each(i, v)
		}
		done[i] = err == nil
		return err
	}
	_, err = e.host.Driver.RunJob(ctx, dj)
	return err
}

// result is what a task brought.
func (e *Engine) result(ctx context.Context, a Action, result any) (any, error) {
	r, ok := result.(driver.RemoteResult)
	if !ok {
		return result, nil
	}
	if r.Stored == "" {
		return a.Decode(r.Data)
	}
	in, err := e.host.Executors.OpenResult(ctx, r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	return a.Decode(data)
}

// resultStage is the last stage of a job.
func (e *Engine) resultStage(j *Job, parts []int) (*driver.Stage, error) {
	s := &driver.Stage{StageSpec: e.spec(j.Node, event.NoShuffle, len(parts))}
	s.Prefs = e.prefs(j.Node, parts)
	if e.Remote() {
		var err error
		s.Work, err = encodeStage(j.Node, nil, j.Action, parts)
		return s, err
	}
	node, action := j.Node, j.Action
	s.Run = func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t := e.task(ctx, tc, parts[tc.Partition])
		return t.runAction(node, action)
	}
	return s, nil
}

// spec describes a stage to the scheduler.
func (e *Engine) spec(n *Node, out event.ShuffleID, tasks int) scheduler.StageSpec {
	spec := scheduler.StageSpec{Name: n.title(), Shuffle: out, Tasks: tasks, Indeterminate: n.Order == Indeterminate}
	for _, s := range shufflesOf(n) {
		spec.Parents = append(spec.Parents, s.id)
	}
	for _, x := range narrowOf(n) {
		info := event.RDDInfo{ID: x.ID, Name: x.Name, CallSite: x.title(), Partitions: x.Parts, StorageLevel: x.StorageLevel()}
		for _, d := range x.Deps {
			info.Parents = append(info.Parents, d.Node.ID)
		}
		spec.RDDs = append(spec.RDDs, info)
	}
	return spec
}

// narrowOf are the nodes that a stage ending in n computes.
func narrowOf(n *Node) []*Node {
	var out []*Node
	seen := map[*Node]bool{}
	var walk func(n *Node)
	walk = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		out = append(out, n)
		if n.IsCheckpointed() {
			return
		}
		for _, d := range n.Deps {
			if d.Shuffle == nil {
				walk(d.Node)
			}
		}
	}
	walk(n)
	return out
}

// shufflesOf are the shuffles that a stage ending in n reads, each once.
func shufflesOf(n *Node) []*Shuffle {
	var out []*Shuffle
	for _, x := range narrowOf(n) {
		if x.IsCheckpointed() {
			continue
		}
		for _, d := range x.Deps {
			if d.Shuffle != nil && !slices.ContainsFunc(out, func(s *Shuffle) bool { return s.mapStage == d.Shuffle.mapStage }) {
				out = append(out, d.Shuffle)
			}
		}
	}
	return out
}

// parents are the map stages that a stage ending in n needs, theirs before them.
func (e *Engine) parents(n *Node) ([]*driver.Stage, error) {
	var out []*driver.Stage
	seen := map[*mapStage]bool{}
	var walk func(n *Node) error
	walk = func(n *Node) error {
		for _, s := range shufflesOf(n) {
			if seen[s.mapStage] {
				continue
			}
			seen[s.mapStage] = true
			if err := walk(s.parent); err != nil {
				return err
			}
			body, err := e.mapBody(s.mapStage)
			if err != nil {
				return err
			}
			out = append(out, body)
		}
		return nil
	}
	return out, walk(n)
}

// mapBody is the stage that writes a shuffle: the same one in every job.
func (e *Engine) mapBody(m *mapStage) (_ *driver.Stage, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.body != nil {
		return m.body, nil
	}
	s := &driver.Stage{StageSpec: e.spec(m.parent, m.id, m.parent.Parts)}
	all := make([]int, m.parent.Parts)
	for i := range all {
		all[i] = i
	}
	s.Prefs = e.prefs(m.parent, all)
	if e.Remote() {
		if s.Work, err = encodeStage(m.parent, m, nil, nil); err != nil {
			return nil, err
		}
	}
	s.Run = func(ctx context.Context, tc *driver.TaskContext) (driver.TaskOutcome, error) {
		t := e.task(ctx, tc, tc.Partition)
		return t.runMap(m)
	}
	m.body = s
	return s, nil
}

// task makes a task of this process.
func (e *Engine) task(ctx context.Context, tc *driver.TaskContext, part int) *Task {
	return &Task{ID: tc.Task, Stage: tc.Stage, StageAttempt: tc.StageAttempt, Partition: part, Attempt: tc.Attempt, Epoch: tc.Epoch,
		Properties: tc.Properties, Mem: e.host.Env.Pool.Account("task " + tc.Task.String()), Env: e.host.Env, ctx: ctx, commit: tc.Commit,
		accums: map[event.AccumulatorID]accum{}}
}

func (t *Task) runAction(n *Node, a Action) (driver.TaskOutcome, error) {
	var out driver.TaskOutcome
	err := t.do(func() { out.Result = a.Run(t, t.Sequence(n, t.Partition)) })
	return t.outcome(out), err
}

func (t *Task) runMap(m *mapStage) (driver.TaskOutcome, error) {
	var out driver.TaskOutcome
	err := t.do(func() {
		w, err := t.newChunkWriter(m)
		if err != nil {
			t.Fail(err)
			return
		}
		m.writer.Write(t, t.Sequence(m.parent, t.Partition), w)
		w.commit()
		out.Sizes = w.status.Sizes
	})
	return t.outcome(out), err
}

// outcome adds metrics and what was added to accumulators.
func (t *Task) outcome(out driver.TaskOutcome) driver.TaskOutcome {
	t.Metrics.PeakExecutionMemory = t.Mem.Peak()
	out.Metrics = &t.Metrics
	ids := slices.Sorted(maps.Keys(t.accums))
	for _, id := range ids {
		out.Accums = append(out.Accums, t.accums[id].report())
	}
	return out
}

// count adds the updates of a task that counts to the accumulators of the driver.
func (e *Engine) count(updates []event.Accumulable) {
	for _, u := range updates {
		e.mu.Lock()
		add := e.accums[u.ID]
		e.mu.Unlock()
		if add != nil {
			_ = add(u) // a damaged update is a broken invariant that the task's own result has told of
		}
	}
}

// Persist keeps the partitions of a node at a storage level when they are computed, until Unpersist or as long as somebody holds
// the node.
func (e *Engine) Persist(n *Node, level string) error {
	if err := CheckLevel(level); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.level != "" && n.level != level {
		return sparkerr.IllegalArgument("Cannot change storage level of an RDD after it was already assigned a level")
	}
	n.level = level
	if e.Remote() {
		e.host.Executors.KeepBlocks(storedNames(n))
	}
	if !n.watched {
		n.watched = true
		runtime.AddCleanup(n, e.drop, n.ID)
	}
	return nil
}

// drop forgets the partitions of a node that nobody holds any more.
func (e *Engine) drop(id event.RDDID) {
	if e.Remote() {
		e.host.Executors.DropBlocks(storedNames(&Node{ID: id}))
	}
	_ = e.host.Env.Blocks.Drop(id) // files that stay go with the application's folder
}

// Unpersist forgets what is kept of a node.
func (e *Engine) Unpersist(n *Node) error {
	n.mu.Lock()
	n.level = ""
	n.mu.Unlock()
	if e.Remote() {
		e.host.Executors.DropBlocks(storedNames(n))
	}
	return e.host.Env.Blocks.Drop(n.ID)
}

// Cancel ends the jobs of a group, or those with a tag, or all.
func (e *Engine) Cancel(c scheduler.JobCancelled) { e.host.Driver.Cancel(c) }
