package scheduler

import (
	"slices"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// executor is a registered executor.
type executor struct {
	id      event.ExecutorID
	host    *host
	cores   int
	slots   int // free
	running []*attempt
	outputs int // map outputs that lie there
	cached  int // cached blocks that lie there
	pos     int // in Scheduler.free, -1 if it takes no tasks
	dirty   bool

	suspended bool // disconnected, the reason is not known yet
	leaving   bool // decommissioned
	releasing bool // asked to end because it was idle
	excluded  time.Time
	seen      time.Time
	idleSince time.Time
	idleArmed time.Time
}

// host is a machine with at least one executor.
type host struct {
	name     string
	execs    []*executor
	excluded time.Time
}

// farewell is how an executor went; the zero value is for those that did not.
type farewell uint8

const (
	goneLost    farewell = 1 + iota
	goneInOrder          // after it was decommissioned, or let go
)

// usable says whether an executor may get tasks at all.
func (e *executor) usable() bool {
	return !e.suspended && !e.leaving && !e.releasing && e.excluded.IsZero() && e.host.excluded.IsZero()
}

// offered says whether it can take a task now.
func (e *executor) offered() bool { return e.pos >= 0 }

func (s *Scheduler) addExecutor(ev *ExecutorAdded) {
	if s.execs[ev.ID] != nil {
		return
	}
	if s.gone[ev.ID] != 0 {
		s.emit(KillExecutors{IDs: []event.ExecutorID{ev.ID}, Reason: "executor " + string(ev.ID) + " was declared lost"})
		return
	}
	h := s.hosts[ev.Host]
	if h == nil {
		h = &host{name: ev.Host, excluded: s.health.hostExcluded(ev.Host)}
		s.hosts[ev.Host] = h
	}
	e := &executor{id: ev.ID, host: h, cores: ev.Cores, slots: ev.Cores, pos: -1, seen: s.now, idleSince: s.now}
	h.execs = append(h.execs, e)
	s.execs[e.id] = e
	s.execList = append(s.execList, e)
	s.publish(event.ExecutorAdded{
		Time: s.now, Executor: e.id, Host: ev.Host, Cores: ev.Cores, LogURLs: ev.LogURLs, Attributes: ev.Attributes,
	})
	s.placeChanged(e, true)
	s.offerAgain(e)
	s.dirtyAll = true // the levels of delay scheduling changed
	s.armIdle(e)
	if s.cfg.ExecutorTimeout > 0 {
		s.timers.push(timer{at: s.now.Add(s.cfg.ExecutorTimeout), kind: timerHeartbeat, exec: e})
	}
}

// offerAgain puts an executor on the free list, or takes it off, as its state says.
func (s *Scheduler) offerAgain(e *executor) {
	want := e.slots > 0 && e.usable() && s.execs[e.id] == e
	switch {
	case want && e.pos < 0:
		e.pos = len(s.free)
		s.free = append(s.free, e)
	case !want && e.pos >= 0:
		last := s.free[len(s.free)-1]
		s.free[e.pos], last.pos = last, e.pos
		s.free = s.free[:len(s.free)-1]
		e.pos = -1
	}
	if want && !e.dirty {
		e.dirty = true
		s.dirty = append(s.dirty, e)
	}
}

// takeSlots gives n slots of an attempt's executor away, or back when n is negative.
func (s *Scheduler) takeSlots(a *attempt, n int) {
	e, one := a.exec, 1
	if n < 0 {
		one = -1
	}
	e.slots -= n
	a.set.slots += n
	a.set.pool.running += one
	switch {
	case n > 0 && e.slots > 0: // still offered; no need to look at the lists
	default:
		s.offerAgain(e)
	}
	if len(e.running) == 0 {
		e.idleSince = s.now
		s.armIdle(e)
	}
}

func (s *Scheduler) suspendExecutor(id event.ExecutorID) {
	if e := s.execs[id]; e != nil {
		e.suspended = true
		s.offerAgain(e)
		s.dirtyAll = true // a task may have lost the last place where it could run
	}
}

func (s *Scheduler) decommission(id event.ExecutorID) {
	if e := s.execs[id]; e != nil {
		e.leaving = true
		s.offerAgain(e)
		s.dirtyAll = true
	}
}

// loseExecutor forgets an executor: what ran there failed, what lay there is lost.
func (s *Scheduler) loseExecutor(ev ExecutorLost) {
	e := s.execs[ev.ID]
	if e == nil {
		s.gone[ev.ID] = max(s.gone[ev.ID], goneLost)
		return
	}
	s.gone[e.id] = goneLost
	if e.leaving || e.releasing {
		s.gone[e.id] = goneInOrder
	}
	delete(s.execs, e.id)
	s.execList = slices.DeleteFunc(s.execList, func(o *executor) bool { return o == e })
	e.host.execs = slices.DeleteFunc(e.host.execs, func(o *executor) bool { return o == e })
	if len(e.host.execs) == 0 {
		delete(s.hosts, e.host.name)
	}
	s.alloc.lost = !e.releasing && !e.leaving
	s.offerAgain(e)
	s.lostEpoch[e.id] = s.epoch
	s.publish(event.ExecutorRemoved{Time: s.now, Executor: e.id, Reason: ev.Reason})
	s.loseOutputs(func(o *output) bool {
		return o.at == e.id && !s.cfg.ShuffleService || ev.HostLost && o.host == e.host.name
	})
	s.placeChanged(e, false)
	s.dirtyAll = true
	if ev.OutOfMemory {
		for _, a := range e.running {
			a.giveRoom()
		}
	}
	for len(e.running) > 0 {
		a := e.running[len(e.running)-1]
		s.detach(a)
		s.attemptFailed(a, event.ExecutorLostFailure{
			Executor: e.id, Cause: ev.Reason, Blameless: ev.PlatformFault || e.leaving || e.releasing || !a.started,
		}, &TaskEnded{})
	}
}

// heartbeat keeps an executor alive; one that is not known is told what to do.
func (s *Scheduler) heartbeat(ev Heartbeat) {
	e := s.execs[ev.Executor]
	switch {
	case e != nil:
		e.seen, e.cached = s.now, ev.Cached
		s.armIdle(e)
	case s.gone[ev.Executor] != 0:
		s.emit(KillExecutors{IDs: []event.ExecutorID{ev.Executor}, Reason: "executor " + string(ev.Executor) + " was declared lost"})
	default:
		s.emit(Reregister{ev.Executor})
	}
}

func (s *Scheduler) heartbeatExpired(e *executor) {
	if s.execs[e.id] != e {
		return
	}
	at := e.seen.Add(s.cfg.ExecutorTimeout)
	if s.rested {
		at = maxTime(at, s.now.Add(rest/2)) // time to read them
	}
	if at.After(s.now) {
		s.timers.push(timer{at: at, kind: timerHeartbeat, exec: e})
		return
	}
	reason := "Executor heartbeat timed out after " + s.cfg.ExecutorTimeout.String()
	s.emit(KillExecutors{IDs: []event.ExecutorID{e.id}, Reason: reason})
	s.loseExecutor(ExecutorLost{ID: e.id, Reason: reason})
}
