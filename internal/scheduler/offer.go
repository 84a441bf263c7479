package scheduler

import (
	"slices"

	"github.com/firesteel/firesteel/internal/event"
)

// passes are the levels of a round of offers, near ones first, so that no task takes a far slot
// while another could run near its data there.
var passes = [...]event.Locality{event.ProcessLocal, event.NodeLocal, event.NoPref, event.Any}

// schedule matches waiting tasks with free slots, as far as this step could have changed anything:
// all free slots when tasks came (back), otherwise only the slots of the executors that got some.
func (s *Scheduler) schedule() {
	all := s.dirtyAll
	if s.readyCount > 0 && len(s.free) > 0 && (all || len(s.dirty) > 0) {
		if s.barriers > 0 {
			s.offerBarriers()
		}
		if all {
			s.offerAll()
		} else {
			s.offerDirty()
		}
		s.settlePlacement(all)
	}
	for _, ts := range s.stale {
		s.refresh(ts)
	}
	s.stale = s.stale[:0]
	if s.cfg.Exclusion.on() && s.pending > 0 && (all || len(s.dirty) > 0) {
		s.findHopeless()
	}
	for _, e := range s.dirty {
		e.dirty = false
	}
	s.dirtyAll, s.dirty = false, s.dirty[:0]
}

func (s *Scheduler) offerDirty() {
	for _, e := range s.dirty {
		for _, pass := range s.passes() {
			for e.offered() && s.launchOne(e, pass) {
			}
		}
	}
}

// offerAll goes round the executors and gives each one task at a time, so that load spreads.
func (s *Scheduler) offerAll() {
	for _, pass := range s.passes() {
		for len(s.free) > 0 && s.readyCount > 0 && s.offerRound(pass, s.random(len(s.free))) {
		}
	}
}

func (s *Scheduler) passes() []event.Locality {
	if s.prefCount == 0 {
		return passes[3:]
	}
	return passes[:]
}

// offerRound offers each free executor one task, beginning anywhere. It says whether any was launched.
func (s *Scheduler) offerRound(pass event.Locality, start int) bool {
	launched := false
	visit := func(i, end int) {
		for i < min(end, len(s.free)) && s.readyCount > 0 {
			e := s.free[i]
			if s.launchOne(e, pass) {
				launched = true
			}
			if e.pos == i { // otherwise it is full, and another one took its place
				i++
			}
		}
	}
	n := len(s.free)
	visit(start, n)
	visit(0, start)
	return launched
}

// launchOne starts one task on an executor, if any set has one for it.
func (s *Scheduler) launchOne(e *executor, pass event.Locality) bool {
	for _, p := range s.inOrder() {
		if ts := p.neediest(); ts != nil && ts.need(e) <= e.slots && !ts.stage.spec.Barrier && s.tryLaunch(ts, e, pass) {
			return true // usually it can; only otherwise all have to be put in order
		}
		for _, ts := range p.order() {
			if ts.need(e) <= e.slots && !ts.stage.spec.Barrier && s.tryLaunch(ts, e, pass) {
				return true
			}
		}
	}
	return false
}

func (s *Scheduler) tryLaunch(ts *taskSet, e *executor, pass event.Locality) bool {
	if ts.excl.blocks(e) {
		return false
	}
	i, near, ok := s.popTask(ts, e, pass)
	speculative := false
	if !ok && pass == event.Any && len(ts.spec) > 0 {
		if i, ok = ts.popSpeculative(e); ok {
			near, speculative = ts.distance(i, e), true
		} else if len(ts.spec) == 0 {
			s.stale = append(s.stale, ts)
		}
	}
	if !ok {
		return false
	}
	if ts.loc != nil {
		s.touch(ts)
		ts.loc.launched(near)
	}
	s.launch(ts, i, e, near, speculative)
	s.refresh(ts)
	return true
}

// popTask takes a waiting task for an executor, with the locality it would have.
func (s *Scheduler) popTask(ts *taskSet, e *executor, pass event.Locality) (int32, event.Locality, bool) {
	switch {
	case ts.pending == 0:
		return 0, event.Any, false
	case ts.loc != nil:
		return s.popNear(ts, e, pass)
	case pass < event.NoPref:
		return 0, event.Any, false
	}
	i, ok := ts.popAny(e)
	return i, event.ProcessLocal, ok
}

// distance is how near an executor is to the preferred places of a task.
func (ts *taskSet) distance(i int32, e *executor) event.Locality {
	if ts.loc == nil {
		return event.ProcessLocal
	}
	near := event.Any
	for _, l := range ts.stage.spec.Prefs[ts.partition(i)] {
		switch {
		case l.Executor == e.id:
			return event.ProcessLocal
		case l.Host == e.host.name:
			near = event.NodeLocal
		}
	}
	return near
}

// offerBarriers launches the barrier sets for which all tasks find slots at once.
func (s *Scheduler) offerBarriers() {
	for _, p := range s.inOrder() {
		for _, ts := range slices.Clone(p.ready) {
			if ts.stage.spec.Barrier && ts.pending == len(ts.tasks) {
				s.tryBarrier(ts)
			}
		}
	}
}

func (s *Scheduler) tryBarrier(ts *taskSet) {
	var places []*executor
	for _, e := range s.free {
		for n := e.slots / ts.cpus; n > 0 && len(places) < len(ts.tasks) && !ts.excl.blocks(e); n-- {
			places = append(places, e)
		}
	}
	if len(places) < len(ts.tasks) {
		s.barrierWaits(ts)
		return
	}
	peers := make([]event.ExecutorID, len(places))
	for i, e := range places {
		peers[i] = e.id
	}
	ts.peers = peers
	for i, e := range places {
		s.launch(ts, int32(i), e, ts.distance(int32(i), e), false)
	}
	ts.next = int32(len(ts.tasks))
	s.refresh(ts)
}

// need is how many slots a task takes on an executor: what its stage asks for, or more where memory was too small for as many
// tasks side by side.
func (ts *taskSet) need(e *executor) int {
	if ts.stage.spec.Barrier { // all of its tasks must run at once
		return ts.cpus
	}
	return max(ts.cpus, min(ts.cpus*ts.stage.room, e.cores))
}

// giveRoom has half as many tasks of a stage run side by side from now on, as an attempt had too little memory. Attempts that had
// less room than those of now do not count.
func (a *attempt) giveRoom() {
	if st := a.set.stage; a.slots == a.set.need(a.exec) && a.slots < a.exec.cores {
		st.room *= 2
	}
}
