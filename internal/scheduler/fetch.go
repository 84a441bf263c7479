package scheduler

import (
	"fmt"
	"slices"

	"github.com/firesteel/firesteel/internal/event"
)

// fetchFailed handles an attempt that could not read a map output: the outputs it blames are
// taken away, and its stage and the map stage will run again.
func (s *Scheduler) fetchFailed(a *attempt, r event.FetchFailed) {
	ts, st := a.set, a.set.stage
	m := s.byShuffle[r.Shuffle]
	if m == nil || !slices.Contains(st.parents, m) || ts.attempt != st.attempts-1 {
		// A late word of an attempt that is already replaced, or a shuffle that the stage does not read.
		if !ts.zombie && ts.tasks[a.info.Index].waits() && !s.countFailure(a, r) {
			s.requeue(ts, int32(a.info.Index))
		}
		return
	}
	s.retire(ts)
	leaves := s.cfg.IgnoreLeaving && s.leaves(r.From)
	if !leaves && !slices.Contains(st.failedTries, ts.attempt) {
		st.failedTries = append(st.failedTries, ts.attempt)
	}
	abort := len(st.failedTries) >= s.cfg.MaxStageAttempts
	s.endAttempt(st, r.Describe())
	s.blame(a, m, r)
	s.excludeUnreadable(r)
	if abort {
		s.abortStage(st, fmt.Sprintf("%s (%s) has failed the maximum allowable number of times: %d. Most recent failure reason:\n%s",
			st, st.spec.Name, s.cfg.MaxStageAttempts, r.Describe()), r.Cause)
		return
	}
	if st.spec.Barrier && !s.resetBarrier(st, r.Describe()) || m.indeterminate && !s.rollBack(m, st) {
		return
	}
	s.enqueueFailed(st)
	s.enqueueFailed(m)
}

// leaves says whether an executor is about to leave in good order, or did: what lies there is lost by nobody's fault.
func (s *Scheduler) leaves(id event.ExecutorID) bool {
	if e := s.execs[id]; e != nil {
		return e.leaving || e.releasing
	}
	return s.gone[id] == goneInOrder
}

// blame takes away the output that could not be read, and with it all outputs of the executor
// that should have served it, unless that was done before the failed attempt was launched: what
// the executor has written since is believed. Of a storage, which is no process, only that output is taken.
func (s *Scheduler) blame(a *attempt, m *stage, r event.FetchFailed) {
	if m.spec.Barrier {
		s.unregisterAll(m.out)
	} else if r.Map >= 0 && r.Map < len(m.out.maps) && m.out.maps[r.Map].at == r.From {
		s.unregister(m.out, r.Map)
		s.rerun(m, r.Map, r.From)
		s.epoch++
	}
	if lost, ok := s.lostEpoch[r.From]; r.From == "" || r.From == event.FallbackStorage || ok && lost >= a.epoch {
		return
	}
	s.lostEpoch[r.From] = a.epoch
	wholeHost := r.Host != "" && s.cfg.ShuffleService
	s.loseOutputs(func(o *output) bool {
		return o.at == r.From || wholeHost && o.host == r.Host
	})
}

// enqueueFailed marks a stage for resubmission after a short delay, so that failures with one cause come together.
func (s *Scheduler) enqueueFailed(st *stage) {
	if st.queued {
		return
	}
	st.queued = true
	if st.state == stageWaiting {
		st.state = stageIdle
	}
	s.failed = append(s.failed, st)
	s.arm(timerResubmit, s.now.Add(s.cfg.ResubmitDelay))
}

// resubmitFailed runs the failed stages again, those of the oldest job first.
func (s *Scheduler) resubmitFailed() {
	again := s.failed
	s.failed = nil
	for _, st := range again {
		st.queued = false
	}
	slices.SortFunc(again, byFirstJob)
	for _, st := range again {
		if s.alive(st) {
			s.submitStage(st)
		}
	}
}

// rollBack discards what was computed from a map stage whose repetition gives other rows, and the
// stage's own output. It says false if that aborted the failed stage.
func (s *Scheduler) rollBack(m, failed *stage) bool {
	s.rollBackReaders(m)
	if m.state != stageRunning && s.alive(m) {
		s.discard(m, "")
	}
	return s.alive(failed)
}

// rollBackReaders discards the outputs and the running attempts of all stages after one that is
// about to run again and whose output is indeterminate. A job whose results were handed out in part
// is aborted, for the other part would not fit. It says false if that left nobody who needs the stage.
func (s *Scheduler) rollBackReaders(m *stage) bool {
	for _, st := range s.after(m) {
		if !s.alive(st) {
			continue
		}
		if st.out == nil && st.owner.count > 0 {
			s.abortStage(st, fmt.Sprintf("A shuffle map stage with indeterminate output was failed and retried. However, "+
				"Firesteel cannot rollback the %s to re-process the input data, and has to fail this job. Please eliminate "+
				"the indeterminacy by checkpointing the RDD before repartition and try again.", st), nil)
			continue
		}
		if st.state == stageRunning || st.out != nil && st.out.available > 0 {
			s.enqueueFailed(st)
		}
		s.discard(st, "rolled back, for "+m.String()+" runs again and its output is indeterminate")
	}
	return s.alive(m)
}

// discard takes away all that a stage has computed or is computing.
func (s *Scheduler) discard(st *stage, reason string) {
	for _, ts := range st.sets {
		ts.discarded = true
	}
	s.endAttempt(st, reason)
	s.stopAttempts(st, "Stage rolled back")
	if st.out != nil {
		s.unregisterAll(st.out)
	}
}

// after lists the stages that read a stage's output, directly or not, by id.
func (s *Scheduler) after(m *stage) []*stage {
	seen := map[*stage]bool{}
	var visit func(*stage)
	visit = func(st *stage) {
		for _, c := range st.children {
			if !seen[c] {
				seen[c] = true
				visit(c)
			}
		}
	}
	visit(m)
	all := make([]*stage, 0, len(seen))
	for st := range seen {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *stage) int { return int(a.id) - int(b.id) })
	return all
}
