package scheduler

import (
	"math"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// allocation is the state of ExecutorAllocationManager: how many executors should exist.
type allocation struct {
	wanted        int       // what WantExecutors said last, -1 before
	addAt         time.Time // when to ask for more; zero without a backlog
	step          int       // how many more
	starvingSince time.Time
	lost          bool // the executors that were there last were lost, not let go
}

// allocate runs after every event, in constant time.
func (s *Scheduler) allocate() {
	s.watchStarvation()
	c := &s.cfg.Allocation
	if !c.Dynamic {
		if c.Initial > 0 {
			s.want(c.Initial)
		}
		return
	}
	al := &s.alloc
	target := al.wanted
	if target < 0 {
		target = s.bounded(max(c.Initial, c.Min))
		al.step = 1
	}
	need := s.executorsNeeded()
	switch {
	case s.pending == 0:
		al.addAt, al.step = time.Time{}, 1
		if s.nextStage > 0 { // until the first job, what was asked for initially stays
			target = min(target, s.bounded(need))
		}
	case need <= target:
		target, al.step = s.bounded(need), 1
		al.addAt = time.Time{}
	case al.addAt.IsZero():
		al.addAt = s.now.Add(c.BacklogTimeout)
		s.arm(timerBacklog, al.addAt)
	case !s.now.Before(al.addAt):
		base := max(target, len(s.execs))
		more := s.bounded(min(base+al.step, need))
		if more == base+al.step {
			al.step *= 2
		} else {
			al.step = 1
		}
		target = more
		al.addAt = s.now.Add(c.SustainedTimeout)
		s.arm(timerBacklog, al.addAt)
	default:
		s.arm(timerBacklog, al.addAt)
	}
	s.want(target)
}

// executorsNeeded is how many executors would run all running and waiting tasks at once, and
// one more for each set that is excluded from those there are.
func (s *Scheduler) executorsNeeded() int {
	c := &s.cfg.Allocation
	tasks := float64(s.pending + len(s.attempts))
	n := int(math.Ceil(tasks * c.Ratio / float64(max(1, c.ExecutorCores))))
	if s.cfg.Exclusion.on() {
		for _, ts := range s.sets {
			if !ts.hopeless.IsZero() { // it can run on none of those that are there
				n++
			}
		}
	}
	return n
}

func (s *Scheduler) bounded(n int) int {
	c := &s.cfg.Allocation
	if c.Max > 0 {
		n = min(n, c.Max)
	}
	return max(n, c.Min)
}

func (s *Scheduler) want(n int) {
	if n != s.alloc.wanted {
		s.alloc.wanted = n
		s.emit(WantExecutors{n})
	}
}

// watchStarvation starts the clock while tasks wait and no executor is there.
func (s *Scheduler) watchStarvation() {
	switch {
	case s.pending == 0 || len(s.execs) > 0:
		s.alloc.starvingSince = time.Time{}
	case s.alloc.starvingSince.IsZero() && s.starvation() > 0:
		s.alloc.starvingSince = s.now
		s.arm(timerStarvation, s.now.Add(s.starvation()))
	}
}

// leastReplacement is what a manager has at least to replace executors that are lost.
const leastReplacement = 30 * time.Second

// starvation is how long tasks wait without an executor; 0 is for ever. A cluster that grows is given long; one whose
// executors have all been lost has as long as silence is tolerated.
func (s *Scheduler) starvation() time.Duration {
	d := s.cfg.StarvationTimeout
	if s.alloc.lost && s.cfg.ExecutorTimeout > 0 {
		d = min(d, max(s.cfg.ExecutorTimeout, leastReplacement))
	}
	return d
}

// idleTimeout is how long an executor may be idle, by what lies there; false means for ever.
func (s *Scheduler) idleTimeout(e *executor) (time.Duration, bool) {
	c := &s.cfg.Allocation
	d := c.IdleTimeout
	if e.cached > 0 {
		if c.CachedIdleTimeout == 0 {
			return 0, false
		}
		d = max(d, c.CachedIdleTimeout)
	}
	if e.outputs > 0 && c.ShuffleTracking && !s.cfg.ShuffleService {
		if c.ShuffleIdleTimeout == 0 {
			return 0, false
		}
		d = max(d, c.ShuffleIdleTimeout)
	}
	return d, true
}

// armIdle starts the clock of an executor that has nothing to do. One timer an executor is enough:
// when it rings early, it is wound up again.
func (s *Scheduler) armIdle(e *executor) {
	if !s.cfg.Allocation.Dynamic || len(e.running) > 0 || !e.idleArmed.IsZero() || s.execs[e.id] != e {
		return
	}
	d, ok := s.idleTimeout(e)
	if !ok {
		return
	}
	e.idleArmed = e.idleSince.Add(d)
	s.timers.push(timer{at: e.idleArmed, kind: timerIdle, exec: e})
}

func (s *Scheduler) idleExpired(e *executor, at time.Time) {
	if !e.idleArmed.Equal(at) {
		return
	}
	e.idleArmed = time.Time{}
	if s.execs[e.id] != e || len(e.running) > 0 || e.releasing {
		return
	}
	d, ok := s.idleTimeout(e)
	switch {
	case !ok:
	case e.idleSince.Add(d).After(s.now) || s.keeps() <= s.floor():
		e.idleArmed = maxTime(e.idleSince.Add(d), s.now.Add(time.Second))
		s.timers.push(timer{at: e.idleArmed, kind: timerIdle, exec: e})
	default:
		e.releasing = true
		s.offerAgain(e)
		s.emit(KillExecutors{IDs: []event.ExecutorID{e.id}, Reason: "idle for " + d.String(), Idle: true})
	}
}

// keeps is the number of executors that stay.
func (s *Scheduler) keeps() int {
	n := 0
	for _, e := range s.execList {
		if !e.releasing {
			n++
		}
	}
	return n
}

// floor is the number of executors that must stay: those for the work there is.
func (s *Scheduler) floor() int {
	return max(s.cfg.Allocation.Min, min(s.executorsNeeded(), max(s.alloc.wanted, 0)))
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
