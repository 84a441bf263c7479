package scheduler

import (
	"fmt"
	"slices"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// taskEnded handles the end of an attempt. Ends of attempts that are not known (any more), for
// their executor was lost or they ended before, are ignored.
func (s *Scheduler) taskEnded(ev *TaskEnded) {
	a := s.attempts[ev.Task]
	if a == nil {
		return
	}
	s.detach(a)
	if _, ok := ev.Reason.(event.Success); ok {
		s.attemptSucceeded(a, ev)
		return
	}
	if ev.Reason == nil {
		ev.Reason = event.UnknownReason{}
	}
	s.attemptFailed(a, ev.Reason, ev)
}

// publishEnd tells listeners about the end of an attempt.
func (s *Scheduler) publishEnd(a *attempt, r event.Reason, ev *TaskEnded) {
	info := a.info
	info.Finish = s.now
	info.Accumulables = ev.Accums
	switch r.(type) {
	case event.Success:
	case event.TaskKilled, event.TaskCommitDenied:
		info.Killed = true
	default:
		info.Failed = true
	}
	s.publish(event.TaskEnd{
		Stage: a.set.stage.id, StageAttempt: a.set.attempt, TaskType: a.set.stage.taskType(), Reason: r, Info: info,
		Metrics: ev.Metrics, Peaks: ev.Peaks,
	})
}

// alive says whether any job still needs the stage.
func (s *Scheduler) alive(st *stage) bool { return s.stages[st.id] == st }

func (s *Scheduler) attemptSucceeded(a *attempt, ev *TaskEnded) {
	ts, st := a.set, a.set.stage
	if ts.tasks[a.info.Index].done && s.alive(st) {
		s.publishEnd(a, event.TaskKilled{Cause: "another attempt succeeded"}, ev)
		return
	}
	s.publishEnd(a, event.Success{}, ev)
	if !s.alive(st) || ts.discarded || st.indeterminate && ts.attempt < st.attempts-1 {
		s.releaseCommit(a)
		return // nobody wants it, or it does not fit to what the newer attempt computes
	}
	if ts.times != nil {
		ts.times.add(int64(s.now.Sub(a.info.Launch)))
	}
	if !s.roomForResult(ts, ev) {
		return
	}
	s.markDone(ts, int32(a.info.Index), a)
	s.markDoneElsewhere(a)
	if st.out != nil {
		s.mapTaskDone(a, ev)
	} else {
		s.resultTaskDone(a, ev)
	}
}

// markDoneElsewhere tells the other attempts of the stage that a partition is done.
func (s *Scheduler) markDoneElsewhere(a *attempt) {
	ts := a.set
	sets := ts.stage.sets
	if len(sets) == 1 && sets[0] == ts {
		return
	}
	for _, other := range slices.Clone(sets) {
		if other == ts || other.discarded {
			continue
		}
		if i := other.indexOf(a.info.Partition); i >= 0 {
			s.markDone(other, int32(i), a)
		}
	}
}

// roomForResult aborts a stage whose results are too large for the driver.
func (s *Scheduler) roomForResult(ts *taskSet, ev *TaskEnded) bool {
	ts.resultSize += ev.ResultSize
	if s.cfg.MaxResultSize <= 0 || ts.resultSize <= s.cfg.MaxResultSize || ts.stage.out != nil {
		return true
	}
	s.abortStage(ts.stage, fmt.Sprintf("Total size of serialized results of %d tasks (%s) is bigger than "+
		"spark.driver.maxResultSize (%s)", ts.succeeded+1, bytesText(ts.resultSize), bytesText(s.cfg.MaxResultSize)), nil)
	return false
}

// bytesText is a size as Spark prints it, e.g. 1024.0 MiB.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, u := float64(n), 0
	for v >= 2048 && u < len(units)-1 { // Spark changes the unit at twice its size
		v /= 1024
		u++
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}

func (s *Scheduler) mapTaskDone(a *attempt, ev *TaskEnded) {
	st, p := a.set.stage, a.info.Partition
	st.arrived(p)
	if lost, ok := s.lostEpoch[a.exec.id]; !ok || a.epoch > lost {
		s.register(st.out, p, output{at: a.exec.id, task: a.info.Task, host: a.exec.host.name, epoch: s.epoch, sizes: ev.Sizes})
	}
	s.accept(a, ev)
	switch {
	case st.state == stageRunning && st.expecting == 0:
		s.mapStageDone(st)
	case st.state != stageRunning && st.out.complete():
		s.completedLate(st)
	}
}

// completedLate is for a map stage that an attempt of old completed while the stage waited to run again.
func (s *Scheduler) completedLate(st *stage) {
	if !st.queued {
		s.mapStageDone(st)
	}
}

func (s *Scheduler) resultTaskDone(a *attempt, ev *TaskEnded) {
	st, p := a.set.stage, a.info.Partition
	j := st.owner
	st.arrived(p)
	if j.done[p] {
		return
	}
	j.done[p] = true
	j.count++
	s.accept(a, ev)
	if j.satisfied() {
		s.endAttempt(st, "")
		s.stopAttempts(st, "Stage finished")
		s.finishJob(j)
	}
}

func (s *Scheduler) accept(a *attempt, ev *TaskEnded) {
	st := a.set.stage
	if st.out != nil && ev.Result == nil && ev.Accums == nil {
		return
	}
	s.emit(TaskAccepted{
		Job: st.owner.id(), Stage: st.id, Partition: a.info.Partition, Task: a.info.Task, Final: st.out == nil,
		Result: ev.Result, Accums: ev.Accums,
	})
}

// attemptFailed handles every end that is not a success. The attempt is detached already.
func (s *Scheduler) attemptFailed(a *attempt, r event.Reason, ev *TaskEnded) {
	s.publishEnd(a, r, ev)
	ts, st := a.set, a.set.stage
	s.releaseCommit(a)
	if !s.alive(st) {
		return
	}
	if f, ok := r.(event.FetchFailed); ok {
		s.fetchFailed(a, f)
		return
	}
	t := &ts.tasks[a.info.Index]
	if ts.zombie || t.done || ts.discarded {
		return
	}
	if st.spec.Barrier {
		s.barrierFailed(a, r)
		return
	}
	if counts(r) && s.countFailure(a, r) {
		return
	}
	if t.head == nil {
		s.requeue(ts, int32(a.info.Index))
	}
}

// counts says whether a failure brings the task nearer to its limit.
func counts(r event.Reason) bool {
	switch r := r.(type) {
	case event.TaskKilled, event.TaskCommitDenied:
		return false
	case event.ExecutorLostFailure:
		return !r.Blameless
	}
	return true
}

// countFailure notes a failure and says whether it took the stage down.
func (s *Scheduler) countFailure(a *attempt, r event.Reason) bool {
	ts := a.set
	t := &ts.tasks[a.info.Index]
	t.failures++
	s.noteFailure(a, r)
	var cause error
	if f, ok := r.(event.ExceptionFailure); ok {
		cause = f.Err
		if sparkerr.Is(f.Err, "UNABLE_TO_ACQUIRE_MEMORY") {
			a.giveRoom()
		}
		if f.Fatal {
			s.abortStage(ts.stage, fmt.Sprintf("Task %d.%d in stage %s had a failure that cannot be retried: %s",
				a.info.Index, a.info.Attempt, ts.name(), r.Describe()), cause)
			return true
		}
	}
	if int(t.failures) < s.cfg.MaxTaskFailures {
		return false
	}
	s.abortStage(ts.stage, fmt.Sprintf("Task %d in stage %s failed %d times, most recent failure: %s",
		a.info.Index, ts.name(), s.cfg.MaxTaskFailures, a.describe(r)), cause)
	return true
}

// name is the stage attempt as Spark writes it, e.g. 3.0.
func (ts *taskSet) name() string { return fmt.Sprintf("%d.%d", ts.stage.id, ts.attempt) }

func (a *attempt) describe(r event.Reason) string {
	return fmt.Sprintf("Lost task %d.%d in stage %s (TID %d) (%s executor %s): %s",
		a.info.Index, a.info.Attempt, a.set.name(), a.info.Task, a.info.Host, a.info.Executor, r.Describe())
}
