package scheduler

import (
	"container/heap"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// The simulator plays a cluster to the scheduler: executors on hosts that run tasks, die, fall
// silent, fail tasks and lose outputs, and a network that delays, repeats, reorders and loses what
// is said. After every step Check must hold; faults end after a while, and then every job must
// end; what a job read must fit together. A seed that fails is printed as a script.
func TestSimulation(t *testing.T) {
	seeds := 200
	if os.Getenv("FIRESTEEL_DEEP") != "" {
		seeds = 100_000
	}
	if testing.Short() {
		seeds = 40
	}
	ended := map[string]int{}
	for seed := range seeds {
		w := newWorld(uint64(seed))
		if err := w.run(); err != nil {
			again := newWorld(uint64(seed))
			again.record = true
			_ = again.run()
			t.Fatalf("seed %d: %v\n\n%s", seed, err, again.script.String())
		}
		for _, r := range w.ends {
			ended[r]++
		}
	}
	t.Logf("%d seeds: %v", seeds, ended)
	if ended["ok"] < seeds/2 || ended["aborted"] == 0 || ended["cancelled"] == 0 {
		t.Errorf("the simulation does not reach all ends of jobs: %v", ended)
	}
}

// lineage says which run of each indeterminate map output some data were computed from.
type lineage map[outputKey]event.TaskID

type outputKey struct {
	shuffle event.ShuffleID
	m       int
}

// merge adds another lineage; it says false if they do not fit together.
func (l lineage) merge(o lineage) bool {
	for k, v := range o {
		if old, ok := l[k]; ok && old != v {
			return false
		}
		l[k] = v
	}
	return true
}

type world struct {
	rng    rng
	s      *Scheduler
	cfg    string
	now    time.Time
	queue  simQueue
	seq    int
	record bool
	script strings.Builder

	faults   int // that may still happen
	speak    map[event.ExecutorID]*process
	procs    []*process // that live
	nextExec int
	target   int
	store    map[stored]lineage // outputs, by who holds them
	jobs     map[event.JobID]*JobSubmitted
	results  map[event.JobID]map[int]lineage
	ended    map[event.JobID]bool
	holders  map[string]*simTask // who was allowed to commit
	ends     []string
	service  bool
	beats    time.Duration
	fail     error
}

type stored struct {
	key  outputKey
	task event.TaskID
}

// process is an executor as it really is, whatever the scheduler believes.
type process struct {
	id    event.ExecutorID
	host  string
	alive bool
	mute  bool // nothing comes out any more
	tasks map[event.TaskID]*simTask
}

type simTask struct {
	l      LaunchTask
	p      *process
	killed bool
	over   bool
	result *TaskEnded // waits for the right to commit
}

type simItem struct {
	at  time.Time
	seq int
	do  func()
}

type simQueue []simItem

func (q simQueue) Len() int { return len(q) }
func (q simQueue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].seq < q[j].seq
}
func (q simQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)   { *q = append(*q, x.(simItem)) }
func (q *simQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

type rng uint64

func (r *rng) n(n int) int {
	*r = *r*6364136223846793005 + 1442695040888963407
	return int((uint64(*r) >> 33) % uint64(n))
}

// one says true once in n times.
func (r *rng) one(n int) bool { return r.n(n) == 0 }

func (r *rng) ms(most int) time.Duration { return time.Duration(1+r.n(most)) * time.Millisecond }

func newWorld(seed uint64) *world {
	w := &world{
		rng: rng(seed*2 + 1), now: scriptStart, speak: map[event.ExecutorID]*process{}, store: map[stored]lineage{},
		jobs: map[event.JobID]*JobSubmitted{}, results: map[event.JobID]map[int]lineage{}, ended: map[event.JobID]bool{},
		holders: map[string]*simTask{},
	}
	for range 8 {
		w.rng.n(2)
	}
	w.faults = w.rng.n(25)
	w.target = 2 + w.rng.n(4)
	w.service = w.rng.one(5)
	w.cfg = w.settings(seed)
	r := newRunner()
	if err := r.setConfig(w.cfg); err != nil {
		panic(err)
	}
	w.s = New(r.cfg)
	w.beats = r.cfg.ExecutorTimeout / 4
	return w
}

func (w *world) settings(seed uint64) string {
	cfg := fmt.Sprintf("seed=%d service=%v", seed, w.service)
	for _, choice := range []string{"speculation=true", "exclusion=true application=true", "unreadable=true", "kill=true", "attempts=5", "fair=true pool=a:1:0 pool=b:3:1:fair", "timeout=4s", "maxFailures=2", "resubmit=10ms"} {
		if w.rng.one(2) {
			cfg += " " + choice
		}
	}
	if w.rng.one(4) {
		cfg += fmt.Sprintf(" dynamic=true min=1 max=6 cores=2")
		w.target = 1
	}
	return cfg
}

func (w *world) run() error {
	if w.record {
		fmt.Fprintf(&w.script, "config %s\n", w.cfg)
	}
	for range w.target {
		w.startExecutor()
	}
	for id := range 1 + w.rng.n(3) {
		j := w.makeJob(event.JobID(id))
		w.jobs[j.ID] = j
		w.after(w.rng.ms(300), func() { w.step(*j) })
		if w.rng.one(6) {
			w.after(w.rng.ms(2000), func() { w.step(JobCancelled{ID: j.ID, Reason: "by the simulation"}) })
		}
	}
	w.after(w.rng.ms(500), w.chaos)
	for range 200_000 {
		if w.fail != nil || !w.next() {
			break
		}
	}
	return w.verdict()
}

// next lets the next thing happen: what is queued, or the scheduler's deadline. It says false at the end.
func (w *world) next() bool {
	if len(w.ended) == len(w.jobs) && len(w.s.attempts) == 0 {
		return false
	}
	at, ok := w.s.Deadline()
	if len(w.queue) == 0 && !ok {
		return false
	}
	if ok && (len(w.queue) == 0 || at.Before(w.queue[0].at)) {
		if at.After(w.now) {
			w.now = at
		}
		w.step(Tick{})
		return true
	}
	it := heap.Pop(&w.queue).(simItem)
	w.now = it.at
	it.do()
	return true
}

func (w *world) verdict() error {
	if w.fail != nil {
		return w.fail
	}
	for _, id := range sortedKeys(w.jobs) {
		if !w.ended[id] {
			return fmt.Errorf("job %d hangs at %v; %d attempts, %d pending, %d executors", id, w.now.Sub(scriptStart), len(w.s.attempts), w.s.pending, len(w.s.execs))
		}
	}
	if len(w.s.attempts)+w.s.pending+len(w.s.jobs)+len(w.s.stages) > 0 {
		return fmt.Errorf("left behind: %d attempts, %d pending, %d jobs, %d stages", len(w.s.attempts), w.s.pending, len(w.s.jobs), len(w.s.stages))
	}
	return nil
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.queue, simItem{w.now.Add(d), w.seq, do})
}

// step hands an event to the scheduler, checks it, and carries out what it says.
func (w *world) step(ev Event) {
	if w.fail != nil {
		return
	}
	if w.record {
		fmt.Fprintf(&w.script, "at %v\n", w.now.Sub(scriptStart))
		if _, ok := ev.(Tick); ok {
			fmt.Fprintln(&w.script, "tick")
		} else {
			fmt.Fprintln(&w.script, eventText(ev))
		}
	}
	defer func() {
		if p := recover(); p != nil {
			w.fail = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	actions := slices.Clone(w.s.Step(w.now, ev))
	if err := w.s.Check(); err != nil {
		w.fail = fmt.Errorf("at %v: %w", w.now.Sub(scriptStart), err)
		return
	}
	for _, a := range actions {
		w.perform(a)
	}
}

func (w *world) perform(a Action) {
	switch a := a.(type) {
	case LaunchTask:
		w.after(w.rng.ms(20), func() { w.launch(a) })
	case KillTask:
		w.after(w.rng.ms(20), func() {
			if p := w.speak[a.Executor]; p != nil && p.tasks[a.Task] != nil {
				p.tasks[a.Task].killed = true
			}
		})
	case CommitAnswer:
		w.commitAnswer(a)
	case WantExecutors:
		w.target = a.Total
		w.after(w.rng.ms(300), w.replace)
	case KillExecutors:
		for _, id := range a.IDs {
			w.after(w.rng.ms(50), func() { w.die(w.speak[id], true) })
		}
	case TaskAccepted:
		w.accepted(a)
	case JobEnded:
		w.jobEnded(a)
	}
}

func (w *world) accepted(a TaskAccepted) {
	if !a.Final {
		return
	}
	rs := w.results[a.Job]
	if rs == nil {
		rs = map[int]lineage{}
		w.results[a.Job] = rs
	}
	if rs[a.Partition] != nil || w.ended[a.Job] {
		w.fail = fmt.Errorf("job %d: partition %d accepted again, or late", a.Job, a.Partition)
	}
	rs[a.Partition] = a.Result.(lineage)
}

func (w *world) jobEnded(a JobEnded) {
	if w.ended[a.ID] {
		w.fail = fmt.Errorf("job %d ended twice", a.ID)
	}
	w.ended[a.ID] = true
	var aborted *JobAborted
	switch {
	case errors.As(a.Err, &aborted):
		w.ends = append(w.ends, "aborted")
	case a.Err != nil:
		w.ends = append(w.ends, "cancelled")
	default:
		w.ends = append(w.ends, "ok")
		w.checkResults(a.ID)
	}
}

// checkResults wants every partition once, all computed from the same run of what is indeterminate.
func (w *world) checkResults(id event.JobID) {
	j := w.jobs[id]
	last := j.Stages[len(j.Stages)-1]
	if last.Shuffle != event.NoShuffle {
		return
	}
	if len(w.results[id]) != last.Tasks {
		w.fail = fmt.Errorf("job %d ended well with %d of %d results", id, len(w.results[id]), last.Tasks)
	}
	all := lineage{}
	for p := range last.Tasks {
		if !all.merge(w.results[id][p]) {
			w.fail = fmt.Errorf("job %d: results of different runs of an indeterminate stage", id)
		}
	}
}

// makeJob draws a DAG. Shuffles are shared by all jobs: the same id is always the same stage.
func (w *world) makeJob(id event.JobID) *JobSubmitted {
	j := &JobSubmitted{ID: id}
	if w.rng.one(2) {
		j.Pool = "a"
	} else if w.rng.one(2) {
		j.Pool = "b"
	} else if w.rng.one(2) {
		j.Pool = "of its own"
	}
	maps := w.rng.n(4)
	for m := range maps {
		j.Stages = append(j.Stages, sharedStage(event.ShuffleID(m), w.cfg))
	}
	if maps > 0 && w.rng.one(4) {
		return j
	}
	last := &StageSpec{Name: "sim", Shuffle: event.NoShuffle, Tasks: 1 + w.rng.n(6)}
	for m := range maps {
		if m == maps-1 || w.rng.one(2) {
			last.Parents = append(last.Parents, event.ShuffleID(m))
		}
	}
	if w.rng.one(4) {
		last.Prefs = w.prefs(last.Tasks)
	}
	if w.rng.one(10) {
		last.Barrier, last.Tasks, last.Prefs = true, 2, nil
	}
	j.Stages = append(j.Stages, last)
	return j
}

// sharedStage is the map stage of a shuffle; it follows from the id and the settings alone.
func sharedStage(id event.ShuffleID, cfg string) *StageSpec {
	r := rng(len(cfg)*7 + int(id)*13 + int(cfg[5]))
	for range 5 {
		r.n(2)
	}
	st := &StageSpec{Name: "sim", Shuffle: id, Tasks: 1 + r.n(5), Indeterminate: r.one(3), Barrier: false}
	for p := range id {
		if r.one(2) {
			st.Parents = append(st.Parents, p)
		}
	}
	if r.one(4) {
		st.CPUs = 2
	}
	return st
}

func (w *world) prefs(n int) [][]Location {
	all := make([][]Location, n)
	for i := range all {
		switch w.rng.n(3) {
		case 0:
			all[i] = []Location{{Host: fmt.Sprintf("h%d", w.rng.n(4))}}
		case 1:
			e := w.rng.n(6)
			all[i] = []Location{{Executor: event.ExecutorID(fmt.Sprintf("e%d", e)), Host: fmt.Sprintf("h%d", e%3)}}
		}
	}
	return all
}

func (w *world) startExecutor() {
	p := &process{
		id: event.ExecutorID(fmt.Sprintf("e%d", w.nextExec)), host: fmt.Sprintf("h%d", w.nextExec%3), alive: true, tasks: map[event.TaskID]*simTask{},
	}
	w.nextExec++
	w.speak[p.id] = p
	w.procs = append(w.procs, p)
	w.after(w.rng.ms(100), func() { w.step(ExecutorAdded{ID: p.id, Host: p.host, Cores: 2}) })
	if w.beats > 0 {
		w.after(w.beats, func() { w.beat(p) })
	}
}

func (w *world) beat(p *process) {
	if !p.alive {
		return
	}
	w.say(p, Heartbeat{Executor: p.id})
	w.after(w.beats, func() { w.beat(p) })
}

// replace starts executors until there are as many as there should be.
func (w *world) replace() {
	n := 0
	for _, p := range w.procs {
		if !p.mute {
			n++
		}
	}
	for ; n < w.target; n++ {
		w.startExecutor()
	}
}

// say sends a message of an executor: late, perhaps twice, or not at all.
func (w *world) say(p *process, ev Event) {
	if p.mute {
		return
	}
	w.after(w.rng.ms(20), func() { w.step(ev) })
	if w.fault(20) {
		w.after(w.rng.ms(2000), func() { w.step(ev) })
	}
}

// fault says whether a fault happens that is as likely as 1 in n, and counts it.
func (w *world) fault(n int) bool {
	if w.faults == 0 || !w.rng.one(n) {
		return false
	}
	w.faults--
	return true
}

// chaos does harm from time to time, as long as there are faults left.
func (w *world) chaos() {
	if w.faults == 0 || len(w.procs) == 0 {
		return
	}
	w.faults--
	p := w.procs[w.rng.n(len(w.procs))]
	switch w.rng.n(5) {
	case 0, 1:
		w.die(p, w.rng.one(2))
	case 2: // falls silent; the driver must find out, or the manager does
		p.mute = true
		if w.beats == 0 || w.rng.one(2) {
			w.after(w.rng.ms(3000), func() { w.step(ExecutorLost{ID: p.id, Reason: "silent"}) })
		}
		w.after(w.rng.ms(5000), func() { w.die(p, false) })
		w.after(w.rng.ms(1000), w.replace)
	case 3:
		w.step(ExecutorDecommissioning{ID: p.id})
		w.after(w.rng.ms(1000), func() { w.die(p, false) })
		w.after(w.rng.ms(500), w.replace)
	case 4:
		w.step(ExecutorDisconnected{ID: p.id})
		w.after(w.rng.ms(500), func() { w.die(p, true) })
	}
	w.after(w.rng.ms(800), w.chaos)
}

// die ends a process; the manager tells the driver a while later, and replaces it.
func (w *world) die(p *process, platform bool) {
	if p == nil || !p.alive {
		return
	}
	p.alive, p.mute = false, true
	w.procs = slices.DeleteFunc(w.procs, func(o *process) bool { return o == p })
	p.tasks = map[event.TaskID]*simTask{}
	hungry := w.rng.one(3)
	w.after(w.rng.ms(500), func() { w.step(ExecutorLost{ID: p.id, Reason: "exited", PlatformFault: platform, OutOfMemory: hungry}) })
	w.after(w.rng.ms(600), w.replace)
}

func (w *world) launch(l LaunchTask) {
	p := w.speak[l.Executor]
	if !p.alive {
		return
	}
	t := &simTask{l: l, p: p}
	p.tasks[l.Task] = t
	w.say(p, TaskStarted{Task: l.Task})
	took := w.rng.ms(200)
	if w.fault(15) {
		took += w.rng.ms(20_000) // a straggler
	}
	w.work(t, w.now.Add(took))
}

// work looks now and then whether the task was killed, until it is done.
func (w *world) work(t *simTask, until time.Time) {
	w.after(min(until.Sub(w.now), 50*time.Millisecond), func() {
		switch {
		case !t.p.alive:
		case t.killed && !w.rng.one(4):
			w.end(t, TaskEnded{Task: t.l.Task, Reason: event.TaskKilled{Cause: "asked"}})
		case w.now.Before(until):
			w.work(t, until)
		default:
			w.finish(t)
		}
	})
}

func (w *world) end(t *simTask, ev TaskEnded) {
	if t.over {
		w.fail = fmt.Errorf("the simulation ended task %d twice", t.l.Task)
	}
	t.over = true
	delete(t.p.tasks, t.l.Task)
	if k := t.commitKey(); w.holders[k] == t {
		delete(w.holders, k)
	}
	w.say(t.p, ev)
}

// finish reads the inputs, and then fails, or asks to commit, or reports the output.
func (w *world) finish(t *simTask) {
	data := lineage{}
	for _, id := range t.l.Spec.Parents {
		if f := w.read(id, data); f != nil {
			w.end(t, TaskEnded{Task: t.l.Task, Reason: *f})
			return
		}
	}
	switch {
	case w.fault(12):
		w.end(t, TaskEnded{Task: t.l.Task, Reason: event.ExceptionFailure{Err: errors.New("boom")}})
	case t.l.Spec.Shuffle == event.NoShuffle:
		w.commit(t, TaskEnded{Task: t.l.Task, Reason: event.Success{}, Result: data})
	default:
		key := outputKey{t.l.Spec.Shuffle, t.l.Partition}
		if t.l.Spec.Indeterminate {
			data[key] = t.l.Task
		}
		w.store[stored{key, t.l.Task}] = data
		w.end(t, TaskEnded{Task: t.l.Task, Reason: event.Success{}, Sizes: []int64{1, int64(t.l.Partition)}})
	}
}

// commit asks for the right to commit, in jobs that write, and ends a task that is killed while it waits.
func (w *world) commit(t *simTask, ev TaskEnded) {
	if t.l.Job.ID%2 == 0 {
		w.end(t, ev)
		return
	}
	t.result = &ev
	w.say(t.p, CommitRequest{t.l.Task})
	w.awaitKill(t)
}

func (w *world) awaitKill(t *simTask) {
	w.after(50*time.Millisecond, func() {
		switch {
		case t.over || !t.p.alive:
		case t.killed:
			w.end(t, TaskEnded{Task: t.l.Task, Reason: event.TaskKilled{Cause: "asked"}})
		default:
			w.awaitKill(t)
		}
	})
}

// read collects the lineage of all outputs of a shuffle, as the scheduler says where they lie.
func (w *world) read(id event.ShuffleID, into lineage) *event.FetchFailed {
	for _, st := range w.s.MapStatuses(id) {
		p := w.speak[st.At]
		if st.At == "" {
			return &event.FetchFailed{Shuffle: id, Map: -1}
		}
		if !p.alive && !w.service || p.mute && p.alive || w.fault(60) {
			return &event.FetchFailed{Shuffle: id, Map: st.Map, From: st.At, Host: p.host, Cause: errors.New("connection refused")}
		}
		if !into.merge(w.store[stored{outputKey{id, st.Map}, st.Task}]) {
			w.fail = fmt.Errorf("a task reads outputs of different runs of an indeterminate stage, below shuffle %d", id)
		}
	}
	return nil
}

func (t *simTask) commitKey() string { return fmt.Sprintf("%d/%d", t.l.Stage, t.l.Partition) }

// commitAnswer notes who may commit; two at a time must not.
func (w *world) commitAnswer(a CommitAnswer) {
	for _, p := range w.procs {
		t := p.tasks[a.Task]
		if t == nil {
			continue
		}
		w.after(w.rng.ms(20), func() { w.answered(t, a.Allow) })
		if !a.Allow {
			continue
		}
		if other := w.holders[t.commitKey()]; other != nil && other != t && other.p.alive && !other.p.mute && !other.over {
			w.fail = fmt.Errorf("tasks %d and %d may both commit", other.l.Task, t.l.Task)
		}
		w.holders[t.commitKey()] = t
	}
}

func (w *world) answered(t *simTask, allow bool) {
	switch {
	case t.over || !t.p.alive || t.result == nil:
	case allow:
		took := w.rng.ms(100)
		if w.fault(4) {
			took += w.rng.ms(10_000) // a slow commit
		}
		w.after(took, func() { w.committed(t) })
	default:
		w.end(t, TaskEnded{Task: t.l.Task, Reason: event.TaskCommitDenied{Partition: t.l.Partition}})
	}
}

// committed ends a task whose commit took effect, or failed.
func (w *world) committed(t *simTask) {
	switch {
	case t.over || !t.p.alive:
	case w.fault(8):
		w.end(t, TaskEnded{Task: t.l.Task, Reason: event.ExceptionFailure{Err: errors.New("rename failed")}})
	default:
		w.end(t, *t.result)
	}
}
