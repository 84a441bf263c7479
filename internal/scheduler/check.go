package scheduler

import (
	"errors"
	"fmt"
	"slices"

	"github.com/firesteel/firesteel/internal/event"
)

// Check looks at every invariant and describes those that do not hold. It scans the whole state:
// it is for tests, after every Step.
func (s *Scheduler) Check() error {
	c := &checker{s: s}
	c.executors()
	c.attempts()
	c.taskSets()
	c.stages()
	c.jobs()
	c.shuffles()
	return errors.Join(c.errs...)
}

type checker struct {
	s    *Scheduler
	errs []error
}

func (c *checker) want(ok bool, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf(format, args...))
	}
}

func (c *checker) executors() {
	s := c.s
	c.want(len(s.execs) == len(s.execList), "%d executors by id, %d in the list", len(s.execs), len(s.execList))
	for _, e := range s.execList {
		used := 0
		for i, a := range e.running {
			used += a.slots
			c.want(a.posExec == i && a.exec == e, "executor %s: attempt %d misplaced", e.id, a.info.Task)
			c.want(s.attempts[a.info.Task] == a, "executor %s: ghost attempt %d", e.id, a.info.Task)
		}
		c.want(e.slots >= 0 && e.slots+used == e.cores, "executor %s: %d cores, %d used, %d free", e.id, e.cores, used, e.slots)
		c.want(e.offered() == (e.slots > 0 && e.usable()), "executor %s: offered is %v", e.id, e.offered())
		c.want(!e.offered() || s.free[e.pos] == e, "executor %s: wrong place in the free list", e.id)
		c.want(s.gone[e.id] == 0, "executor %s is gone and there", e.id)
		c.want(slices.Contains(e.host.execs, e) && s.hosts[e.host.name] == e.host, "executor %s: host %s", e.id, e.host.name)
	}
}

func (c *checker) attempts() {
	s := c.s
	onExecs, onSets := 0, map[*taskSet]bool{}
	for _, e := range s.execList {
		onExecs += len(e.running)
	}
	c.want(onExecs == len(s.attempts), "%d attempts, %d on executors", len(s.attempts), onExecs)
	for id, a := range s.attempts {
		c.want(a.info.Task == id && s.execs[a.exec.id] == a.exec, "attempt %d: executor %s is not there", id, a.exec.id)
		c.want(a.posSet < len(a.set.running) && a.set.running[a.posSet] == a, "attempt %d: not in its set", id)
		c.want(a.set.tasks[a.info.Index].has(a), "attempt %d: not with its task", id)
		c.want(a.epoch <= s.epoch, "attempt %d: epoch %d of %d", id, a.epoch, s.epoch)
		if st := a.set.stage; s.alive(st) {
			c.want(slices.Contains(st.sets, a.set), "attempt %d: stage %d forgot its set", id, st.id)
		} else {
			c.want(a.killed && a.set.zombie, "attempt %d: stage %d is gone and it was not killed", id, st.id)
		}
		if !onSets[a.set] {
			onSets[a.set] = true
			held := 0
			for _, r := range a.set.running {
				held += r.slots
			}
			c.want(a.set.slots == held, "set %s: %d slots, says %d", a.set.name(), held, a.set.slots)
		}
	}
}

func (t *taskState) has(a *attempt) bool {
	for b := t.head; b != nil; b = b.next {
		if b == a {
			return true
		}
	}
	return false
}

func (c *checker) taskSets() {
	s := c.s
	pending, ready := 0, 0
	for _, ts := range s.sets {
		done, waits := 0, 0
		for i := range ts.tasks {
			t := &ts.tasks[i]
			if t.done {
				done++
			}
			if t.waits() {
				waits++
			}
			c.want(int(t.failures) < s.cfg.MaxTaskFailures, "set %s: task %d failed %d times", ts.name(), i, t.failures)
		}
		c.want(done == ts.succeeded && waits == ts.pending, "set %s: %d done, says %d; %d wait, says %d",
			ts.name(), done, ts.succeeded, waits, ts.pending)
		c.want(!ts.zombie && s.alive(ts.stage) && ts.stage.active == ts, "set %s is listed, but not active", ts.name())
		c.want(ts.inReady == ts.wantsSlots(), "set %s: ready is %v", ts.name(), ts.inReady)
		pending += waits
	}
	c.want(pending == s.pending, "%d tasks wait, says %d", pending, s.pending)
	for _, p := range s.pools {
		ready += len(p.ready)
		c.want(slices.IsSortedFunc(p.ready, byPriority), "pool %s is not in order", p.Name)
		running := 0
		for _, a := range s.attempts {
			if a.set.pool == p {
				running++
			}
		}
		c.want(running == p.running, "pool %s: %d running, says %d", p.Name, running, p.running)
		c.want(!p.named || p.sets > 0, "pool %s outlived its sets", p.Name)
	}
	for _, a := range s.attempts {
		c.want(s.poolByID[a.set.pool.Name] == a.set.pool, "an attempt of set %s runs in a pool that is gone", a.set.name())
	}
	c.want(ready == s.readyCount, "%d sets ready, says %d", ready, s.readyCount)
	c.idle()
}

// idle wants that no slot stays free beside a task that could use it at once.
func (c *checker) idle() {
	for _, ts := range c.s.sets {
		if ts.stage.spec.Barrier && ts.pending == len(ts.tasks) && ts.excl == nil {
			slots := 0
			for _, e := range c.s.free {
				slots += e.slots / ts.cpus
			}
			c.want(slots < len(ts.tasks), "barrier set %s waits beside %d free slots", ts.name(), slots)
		}
	}
	for _, e := range c.s.free {
		for _, p := range c.s.pools {
			for _, ts := range p.ready {
				plain := ts.loc == nil && ts.excl == nil && !ts.stage.spec.Barrier && ts.pending > 0
				c.want(!plain || ts.need(e) > e.slots, "executor %s has %d free slots and set %s %d waiting tasks", e.id, e.slots, ts.name(), ts.pending)
			}
		}
	}
}

func (c *checker) stages() {
	s := c.s
	for _, id := range sortedKeys(s.stages) {
		st := s.stages[id]
		c.want(len(st.jobs) > 0, "stage %d without a job", id)
		for _, j := range st.jobs {
			c.want(s.jobs[j.id()] == j, "stage %d needs dead job %d", id, j.id())
		}
		expecting := 0
		for _, x := range st.expected {
			if x {
				expecting++
			}
		}
		c.want(expecting == st.expecting, "stage %d expects %d, says %d", id, expecting, st.expecting)
		c.want(st.queued == slices.Contains(s.failed, st), "stage %d: queued is %v", id, st.queued)
		c.progress(st)
		for p, t := range st.committer {
			a := s.attempts[t]
			done := st.out == nil && st.owner.done[p] || st.out != nil
			c.want(a != nil || done, "stage %d: committer %d of partition %d is gone", id, t, p)
		}
	}
}

// progress wants that nothing waits for something that will not happen.
func (c *checker) progress(st *stage) {
	switch st.state {
	case stageRunning:
		ts := st.active
		c.want(ts != nil && !ts.zombie, "stage %d runs without an active attempt", st.id)
		c.want(st.expecting > 0, "stage %d runs and expects nothing", st.id)
		c.want(ts == nil || ts.pending+len(ts.running) > 0 || ts.succeeded < len(ts.tasks), "stage %d runs without tasks", st.id)
	case stageWaiting:
		moving := slices.ContainsFunc(st.parents, func(p *stage) bool {
			return p.queued || !p.available() && p.state != stageIdle // a queued one that is complete by then wakes its readers
		})
		c.want(moving, "stage %d waits for no parent", st.id)
	}
}

func (c *checker) jobs() {
	for _, id := range sortedKeys(c.s.jobs) {
		j := c.s.jobs[id]
		c.want(!j.satisfied(), "job %d has all it wants and did not end", id)
		c.want(j.final.queued || j.final.state != stageIdle, "job %d: its last stage %d is idle", id, j.final.id)
		for _, st := range j.stages {
			c.want(c.s.stages[st.id] == st, "job %d lost stage %d", id, st.id)
		}
		n := 0
		for _, d := range j.done {
			if d {
				n++
			}
		}
		c.want(n == j.count, "job %d: %d done, says %d", id, n, j.count)
	}
}

func (c *checker) shuffles() {
	s := c.s
	held := map[event.ExecutorID]int{}
	for _, id := range sortedKeys(s.shuffles) {
		sh := s.shuffles[id]
		n, sums := 0, make([]int64, len(sh.bytes))
		for m, o := range sh.maps {
			if o.at == "" {
				continue
			}
			n++
			held[o.at]++
			for r, b := range o.sizes {
				sums[r] += b
			}
			c.want(s.gone[o.at] == 0 || s.cfg.ShuffleService, "shuffle %d: map %d lies on lost executor %s", id, m, o.at)
		}
		c.want(n == sh.available, "shuffle %d: %d outputs, says %d", id, n, sh.available)
		c.want(slices.Equal(sums, sh.bytes), "shuffle %d: bytes %v, says %v", id, sums, sh.bytes)
	}
	for _, e := range s.execList {
		c.want(e.outputs == held[e.id], "executor %s holds %d outputs, says %d", e.id, held[e.id], e.outputs)
	}
}
