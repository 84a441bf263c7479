package scheduler

import "time"

type timerKind uint8

const (
	timerResubmit timerKind = iota
	timerSpeculation
	timerExclusion
	timerBacklog
	timerStarvation
	numTimerKinds // the kinds below belong to one object each

	timerLocality
	timerUnschedulable
	timerBarrier
	timerIdle
	timerHeartbeat
)

// timer is one entry of the heap. Entries are never removed early: who is woken looks whether
// there still is a reason. At most one entry per owner and time is useful, see arm.
type timer struct {
	at   time.Time
	kind timerKind
	set  *taskSet
	exec *executor
}

// timerHeap is a binary heap by time.
type timerHeap []timer

func (h *timerHeap) push(t timer) {
	*h = append(*h, t)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q[i].at.Before(q[up].at) {
			return
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

func (h *timerHeap) pop() timer {
	q := *h
	top := q[0]
	last := len(q) - 1
	q[0], q[last] = q[last], timer{}
	q = q[:last]
	*h = q
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(q) {
			return top
		}
		if c+1 < len(q) && q[c+1].at.Before(q[c].at) {
			c++
		}
		if !q[c].at.Before(q[i].at) {
			return top
		}
		q[i], q[c] = q[c], q[i]
		i = c
	}
}

// arm wakes the only owner of a kind at a time, or earlier if that is armed already.
func (s *Scheduler) arm(kind timerKind, at time.Time) {
	if t := s.armed[kind]; !t.IsZero() && !at.Before(t) {
		return
	}
	s.armed[kind] = at
	s.timers.push(timer{at: at, kind: kind})
}

// fireTimers wakes everybody who is due.
func (s *Scheduler) fireTimers() {
	for len(s.timers) > 0 && !s.timers[0].at.After(s.now) {
		s.fire(s.timers.pop())
	}
}

func (s *Scheduler) fire(t timer) {
	if t.kind < numTimerKinds && s.armed[t.kind].Equal(t.at) {
		s.armed[t.kind] = time.Time{}
	}
	switch t.kind {
	case timerResubmit:
		s.resubmitFailed()
	case timerSpeculation:
		s.speculate()
	case timerExclusion:
		s.expireExclusions()
	case timerBacklog: // allocate runs after every event anyway
	case timerStarvation:
		s.starved()
	case timerLocality:
		t.set.loc.armed = time.Time{}
		s.dirtyAll = true
	case timerUnschedulable:
		s.unschedulableExpired(t.set, t.at)
	case timerBarrier:
		s.barrierExpired(t.set)
	case timerIdle:
		s.idleExpired(t.exec, t.at)
	case timerHeartbeat:
		s.heartbeatExpired(t.exec)
	}
}
