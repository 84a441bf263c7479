package scheduler

import (
	"slices"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// taskSet is one attempt of a stage: Spark's TaskSetManager. An index counts the tasks of the
// set; it is the partition itself in the first attempt.
type taskSet struct {
	stage    *stage
	attempt  int
	parts    []int32 // partition by index, ascending; nil means index == partition
	tasks    []taskState
	priority event.JobID
	pool     *pool
	cpus     int

	zombie    bool // starts no more tasks
	dropped   bool // and runs none
	inReady   bool
	succeeded int
	pending   int // tasks neither done nor running
	running   []*attempt
	slots     int // that they hold

	next  int32   // fresh tasks from here on, when there are no preferences
	again []int32 // tasks to repeat; the last one first
	loc   *placement
	spec  []int32 // tasks that deserve a second attempt

	times      *medianHeap // of successful attempts, for speculation
	resultSize int64
	excl       *exclusion
	hopeless   time.Time          // when the set is given up for a task that no executor may run; zero if there is none
	peers      []event.ExecutorID // executors of a launched barrier set by task
	discarded  bool               // what its attempts still bring is not wanted
	checking   bool               // barrier: the timer for too few slots runs
}

// taskState is one task of a set. It is kept small: a set may have a million of them.
type taskState struct {
	head        *attempt // running attempts
	winner      event.TaskID
	attempts    uint16
	failures    uint16
	done        bool
	speculative bool // in taskSet.spec
}

func (t *taskState) waits() bool { return !t.done && t.head == nil }

// attempt is one running task attempt.
type attempt struct {
	set     *taskSet
	exec    *executor
	info    event.TaskInfo
	next    *attempt // of the same task
	epoch   int64
	started bool
	killed  bool
	slots   int
	posSet  int // in set.running
	posExec int // in exec.running
}

func (ts *taskSet) partition(i int32) int {
	if ts.parts == nil {
		return int(i)
	}
	return int(ts.parts[i])
}

// indexOf is the index of a partition, -1 if the set does not have it.
func (ts *taskSet) indexOf(p int) int {
	if ts.parts == nil {
		return p
	}
	i, ok := slices.BinarySearch(ts.parts, int32(p))
	if !ok {
		return -1
	}
	return i
}

func (ts *taskSet) wantsSlots() bool {
	return !ts.zombie && (ts.pending > 0 || len(ts.spec) > 0)
}

// submitTaskSet makes an attempt of a stage ready to run; its older attempts start no more tasks.
func (s *Scheduler) submitTaskSet(st *stage, parts []int32) {
	for _, old := range slices.Clone(st.sets) {
		s.retire(old)
	}
	ts := &taskSet{
		stage: st, attempt: st.attempts - 1, tasks: make([]taskState, len(parts)),
		priority: st.firstJob(), pool: s.poolFor(st.owner.spec), cpus: max(1, st.spec.CPUs), pending: len(parts),
	}
	if len(parts) < st.spec.Tasks {
		ts.parts = parts
	}
	if s.cfg.Speculation {
		ts.times = &medianHeap{}
		s.arm(timerSpeculation, s.now.Add(s.cfg.SpeculationInterval))
	}
	if st.spec.Prefs != nil {
		s.makePlacement(ts)
	}
	ts.pool.sets++
	st.active = ts
	st.sets = append(st.sets, ts)
	s.sets = append(s.sets, ts)
	s.pending += len(parts)
	s.dirtyAll = true
	s.refresh(ts)
}

// retire makes a set a zombie: it starts no more tasks, but what runs may still end well.
func (s *Scheduler) retire(ts *taskSet) {
	if ts.zombie {
		return
	}
	ts.zombie = true
	s.pending -= ts.pending
	s.sets = slices.DeleteFunc(s.sets, func(o *taskSet) bool { return o == ts })
	s.refresh(ts)
	s.dropIfIdle(ts)
}

// dropIfIdle lets go of a zombie without running tasks.
func (s *Scheduler) dropIfIdle(ts *taskSet) {
	if ts.zombie && len(ts.running) == 0 && !ts.dropped {
		ts.dropped = true
		s.leavePool(ts.pool)
		st := ts.stage
		st.sets = slices.DeleteFunc(st.sets, func(o *taskSet) bool { return o == ts })
	}
}

// refresh keeps the ready list of the set's pool: it holds the sets that want slots.
func (s *Scheduler) refresh(ts *taskSet) {
	want := ts.wantsSlots()
	if want == ts.inReady {
		return
	}
	ts.inReady = want
	n := 1
	if !want {
		n = -1
	}
	s.readyCount += n
	if ts.loc != nil {
		s.prefCount += n
	}
	if ts.stage.spec.Barrier {
		s.barriers += n
	}
	ts.pool.change(ts, want)
}

// requeue makes a task wait for a slot again.
func (s *Scheduler) requeue(ts *taskSet, i int32) {
	if ts.zombie {
		return
	}
	ts.pending++
	s.pending++
	ts.again = append(ts.again, i)
	if ts.loc != nil {
		ts.loc.add(ts.stage.spec.Prefs[ts.partition(i)], i)
	}
	s.dirtyAll = true
	s.refresh(ts)
}

// markDone notes that the partition of a task is finished, by an attempt that is detached already.
// The attempt may be one of another set of the stage; the task may then still wait for a slot.
func (s *Scheduler) markDone(ts *taskSet, i int32, winner *attempt) {
	t := &ts.tasks[i]
	if t.done {
		return
	}
	if t.head == nil && !ts.zombie && winner.set != ts {
		ts.pending--
		s.pending--
	}
	t.done, t.winner = true, winner.info.Task
	ts.succeeded++
	for a := t.head; a != nil; a = a.next {
		s.kill(a, "another attempt succeeded")
	}
	if ts.succeeded == len(ts.tasks) {
		s.excludeAfterSuccess(ts)
		if ts.stage.out == nil {
			s.retire(ts)
		}
	}
	s.refresh(ts)
}

// popAny takes the next task that may run on an executor, wherever its data are.
func (ts *taskSet) popAny(e *executor) (int32, bool) {
	if i, ok := ts.pop(&ts.again, e); ok {
		return i, true
	}
	for n := int32(len(ts.tasks)); ts.next < n; {
		i := ts.next
		ts.next++
		if ts.tasks[i].waits() && !ts.excl.blocksTask(i, e) {
			return i, true
		}
	}
	return 0, false
}

// pop takes the last task of a list that waits and may run on an executor. What no longer
// waits is dropped from the end of the list as it is met.
func (ts *taskSet) pop(list *[]int32, e *executor) (int32, bool) {
	for k := len(*list) - 1; k >= 0; k-- {
		i := (*list)[k]
		waits := ts.tasks[i].waits()
		blocked := waits && ts.excl.blocksTask(i, e)
		if !blocked && k == len(*list)-1 {
			*list = (*list)[:k]
		}
		if waits && !blocked {
			return i, true
		}
	}
	return 0, false
}

// launch starts an attempt of a task on an executor.
func (s *Scheduler) launch(ts *taskSet, i int32, e *executor, near event.Locality, speculative bool) *attempt {
	t := &ts.tasks[i]
	if t.head == nil {
		ts.pending--
		s.pending--
	}
	a := &attempt{
		set: ts, exec: e, next: t.head, epoch: s.epoch, slots: ts.need(e), posSet: len(ts.running), posExec: len(e.running),
		info: event.TaskInfo{
			Task: s.nextTask, Index: int(i), Attempt: int(t.attempts), Partition: ts.partition(i), Launch: s.now,
			Executor: e.id, Host: e.host.name, Locality: near, Speculative: speculative,
		},
	}
	s.nextTask++
	t.head = a
	t.attempts++
	ts.running = append(ts.running, a)
	e.running = append(e.running, a)
	s.attempts[a.info.Task] = a
	s.takeSlots(a, a.slots)
	ts.hopeless = time.Time{}
	st := ts.stage
	launch := LaunchTask{
		Task: a.info.Task, Job: st.owner.spec, Spec: st.spec, Stage: st.id, StageAttempt: ts.attempt, Index: int(i),
		Partition: a.info.Partition, Attempt: a.info.Attempt, Executor: e.id, Locality: near, Speculative: speculative, Epoch: a.epoch,
		Peers: ts.peers,
	}
	s.publish(event.TaskStart{Stage: st.id, StageAttempt: ts.attempt, Info: a.info})
	s.emit(launch)
	return a
}

// detach takes an ended attempt off all lists and frees its slots.
func (s *Scheduler) detach(a *attempt) {
	delete(s.attempts, a.info.Task)
	ts, e := a.set, a.exec
	last := ts.running[len(ts.running)-1]
	ts.running[a.posSet], last.posSet = last, a.posSet
	ts.running[len(ts.running)-1] = nil
	ts.running = ts.running[:len(ts.running)-1]
	last = e.running[len(e.running)-1]
	e.running[a.posExec], last.posExec = last, a.posExec
	e.running[len(e.running)-1] = nil
	e.running = e.running[:len(e.running)-1]
	for p := &ts.tasks[a.info.Index].head; *p != nil; p = &(*p).next {
		if *p == a {
			*p = a.next
			break
		}
	}
	s.takeSlots(a, -a.slots)
	s.dropIfIdle(ts)
}

// kill asks for the end of an attempt, once.
func (s *Scheduler) kill(a *attempt, reason string) {
	if !a.killed && s.execs[a.exec.id] == a.exec {
		a.killed = true
		s.emit(KillTask{Task: a.info.Task, Executor: a.exec.id, Reason: reason})
	}
}
