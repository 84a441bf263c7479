package scheduler

import (
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// placement is the delay scheduling of a task set whose tasks have preferred locations. A task is
// offered near its data first; what is farther away becomes allowed after Config.LocalityWait
// without a near enough launch.
type placement struct {
	byExec map[event.ExecutorID]*nearList
	byHost map[string]*nearList
	execs  []*nearList // all of byExec
	hosts  []*nearList // all of byHost
	noPref []int32

	level   event.Locality // farthest that is allowed now: ProcessLocal, NodeLocal or Any
	since   time.Time      // when the wait for the next level began
	armed   time.Time      // timer for it
	refused bool           // an offer was refused since the last reset of the wait
	// within one round of offers
	touched     bool
	refusedNow  bool
	launchedNow bool
	nearest     event.Locality
}

// nearList holds the tasks that prefer one executor or host. It is cleaned as it is read.
type nearList struct {
	tasks []int32
	alive bool // the executor, or one on the host, is there
}

func (s *Scheduler) makePlacement(ts *taskSet) {
	p := &placement{byExec: map[event.ExecutorID]*nearList{}, byHost: map[string]*nearList{}, since: s.now}
	ts.loc = p
	for i := int32(len(ts.tasks)) - 1; i >= 0; i-- {
		p.add(ts.stage.spec.Prefs[ts.partition(i)], i)
	}
	for id, l := range p.byExec {
		l.alive = s.execs[id] != nil
	}
	for name, l := range p.byHost {
		l.alive = s.hosts[name] != nil
	}
}

// add puts a task on the lists of the places it prefers.
func (p *placement) add(prefs []Location, i int32) {
	if len(prefs) == 0 {
		p.noPref = append(p.noPref, i)
	}
	for _, l := range prefs {
		if l.Executor != "" {
			p.execs = appendTo(p.byExec, p.execs, l.Executor, i)
		}
		if l.Host != "" {
			p.hosts = appendTo(p.byHost, p.hosts, l.Host, i)
		}
	}
}

func appendTo[K comparable](by map[K]*nearList, all []*nearList, key K, i int32) []*nearList {
	l := by[key]
	if l == nil {
		l = &nearList{}
		by[key] = l
		all = append(all, l)
	}
	l.tasks = append(l.tasks, i)
	return all
}

// placeChanged tells the sets with preferences that an executor came or went.
func (s *Scheduler) placeChanged(e *executor, alive bool) {
	for _, ts := range s.sets {
		if ts.loc != nil {
			ts.loc.changed(e, alive, s.now)
		}
	}
}

func (p *placement) changed(e *executor, alive bool, now time.Time) {
	if l := p.byHost[e.host.name]; l != nil {
		l.alive = len(e.host.execs) > 0
		p.nearer(l, event.NodeLocal, now)
	}
	if l := p.byExec[e.id]; l != nil {
		l.alive = alive
		p.nearer(l, event.ProcessLocal, now)
	}
}

// nearer goes back to a nearer level when tasks can run there again.
func (p *placement) nearer(l *nearList, level event.Locality, now time.Time) {
	if l.alive && len(l.tasks) > 0 && level < p.level {
		p.level, p.since = level, now
	}
}

// allowed is the farthest level at which the set takes offers now.
func (s *Scheduler) allowed(ts *taskSet) event.Locality {
	p := ts.loc
	for p.level < event.Any {
		lists, next := p.execs, event.NodeLocal
		if p.level == event.NodeLocal {
			lists, next = p.hosts, event.Any
		}
		wait := s.cfg.LocalityWait[p.level]
		switch {
		case !ts.anyWaits(lists):
			p.level, p.since = next, s.now
		case s.now.Sub(p.since) >= wait:
			p.level, p.since = next, p.since.Add(wait)
		default:
			return p.level
		}
	}
	return event.Any
}

// anyWaits says whether a task waits for a place that is alive.
func (ts *taskSet) anyWaits(lists []*nearList) bool {
	for _, l := range lists {
		for l.alive && len(l.tasks) > 0 {
			if ts.tasks[l.tasks[len(l.tasks)-1]].waits() {
				return true
			}
			l.tasks = l.tasks[:len(l.tasks)-1]
		}
	}
	return false
}

// popNear takes a task for an executor that is at most as far as pass and the delay allow.
func (s *Scheduler) popNear(ts *taskSet, e *executor, pass event.Locality) (int32, event.Locality, bool) {
	p := ts.loc
	s.touch(ts)
	level := min(pass, s.allowed(ts))
	if l := p.byExec[e.id]; l != nil {
		if i, ok := ts.pop(&l.tasks, e); ok {
			return i, event.ProcessLocal, true
		}
	}
	if l := p.byHost[e.host.name]; l != nil && level >= event.NodeLocal {
		if i, ok := ts.pop(&l.tasks, e); ok {
			return i, event.NodeLocal, true
		}
	}
	if pass >= event.NoPref {
		if i, ok := ts.pop(&p.noPref, e); ok {
			return i, event.ProcessLocal, true
		}
	}
	if level == event.Any {
		if i, ok := ts.popAny(e); ok {
			return i, event.Any, true
		}
	} else if pass == event.Any {
		p.refusedNow = true
	}
	return 0, event.Any, false
}

// touch notes that a set with preferences saw offers in this round.
func (s *Scheduler) touch(ts *taskSet) {
	if p := ts.loc; !p.touched {
		p.touched, p.refusedNow, p.launchedNow, p.nearest = true, false, false, event.Any
		s.touched = append(s.touched, ts)
	}
}

func (p *placement) launched(near event.Locality) {
	if !p.launchedNow || near < p.nearest {
		p.nearest = near
	}
	p.launchedNow = true
}

// settlePlacement ends a round of offers. The wait begins anew when tasks were launched and none
// was refused for its distance, as since Spark 3.1 (SPARK-18886): otherwise one near launch now
// and then would keep all other slots idle for ever.
func (s *Scheduler) settlePlacement(allSlots bool) {
	for _, ts := range s.touched {
		p := ts.loc
		p.touched = false
		switch {
		case p.refusedNow:
			p.refused = true
		case p.launchedNow && (allSlots || !p.refused):
			p.refused, p.since, p.level = false, s.now, levelOf(p.nearest)
		}
		if p.refusedNow && ts.inReady {
			s.armLocality(ts)
		}
	}
	s.touched = s.touched[:0]
}

func (s *Scheduler) armLocality(ts *taskSet) {
	p := ts.loc
	if p.level == event.Any {
		return
	}
	at := p.since.Add(s.cfg.LocalityWait[p.level])
	if p.armed.IsZero() || at.Before(p.armed) {
		p.armed = at
		s.timers.push(timer{at: at, kind: timerLocality, set: ts})
	}
}

func levelOf(l event.Locality) event.Locality {
	if l == event.NoPref || l == event.RackLocal {
		return event.Any
	}
	return l
}
