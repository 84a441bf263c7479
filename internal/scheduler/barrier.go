package scheduler

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/event"
)

// barrierFailed ends the whole attempt of a barrier stage, for its tasks live and die together.
func (s *Scheduler) barrierFailed(a *attempt, r event.Reason) {
	ts, st := a.set, a.set.stage
	if ts.attempt != st.attempts-1 {
		return
	}
	reason := fmt.Sprintf("Stage failed because barrier task %s finished unsuccessfully.\n%s", a.taskName(), a.describe(r))
	st.failedTries = append(st.failedTries, ts.attempt)
	s.endAttempt(st, reason)
	s.stopAttempts(st, reason)
	if len(st.failedTries) >= s.cfg.MaxStageAttempts {
		var cause error
		if f, ok := r.(event.ExceptionFailure); ok {
			cause = f.Err
		}
		s.abortStage(st, fmt.Sprintf("%s (%s) has failed the maximum allowable number of times: %d. Most recent failure reason: %s",
			st, st.spec.Name, s.cfg.MaxStageAttempts, reason), cause)
		return
	}
	if s.resetBarrier(st, reason) {
		s.enqueueFailed(st)
	}
}

// resetBarrier prepares a barrier stage to run again as a whole. It says false if that was too
// late, for results were handed out, and the stage was aborted.
func (s *Scheduler) resetBarrier(st *stage, reason string) bool {
	if st.out == nil && st.owner.count > 0 {
		s.abortStage(st, fmt.Sprintf("%s cannot be retried as a whole: %d of its results were handed out already. %s",
			st, st.owner.count, reason), nil)
		return false
	}
	s.discard(st, reason)
	return true
}

func (a *attempt) taskName() string {
	return fmt.Sprintf("%s(%d, %d)", a.set.stage.taskType(), a.set.stage.id, a.info.Partition)
}

// barrierWaits starts the clock for a barrier set that does not find slots for all tasks. The
// clock counts only while the cluster as a whole is too small; slots that others hold come free.
func (s *Scheduler) barrierWaits(ts *taskSet) {
	if ts.checking || s.totalTasks(ts.cpus) >= len(ts.tasks) {
		return
	}
	ts.checking = true
	s.timers.push(timer{at: s.now.Add(s.cfg.BarrierCheckInterval), kind: timerBarrier, set: ts})
}

func (s *Scheduler) barrierExpired(ts *taskSet) {
	ts.checking = false
	st := ts.stage
	if ts.zombie || ts.pending < len(ts.tasks) || s.totalTasks(ts.cpus) >= len(ts.tasks) {
		st.checks = 0
		return
	}
	st.checks++
	if st.checks < s.cfg.BarrierMaxChecks {
		s.barrierWaits(ts)
		return
	}
	s.abortStage(st, fmt.Sprintf("[SPARK-24819]: Barrier execution mode does not allow run a barrier stage that requires "+
		"more slots than the total number of slots in the cluster currently. Please init a new cluster with more resources(e.g. "+
		"CPU, GPU) or repartition the input RDD(s) to reduce the number of slots required to run this barrier stage. "+
		"Required slots: %d, available: %d", len(ts.tasks), s.totalTasks(ts.cpus)), nil)
}

// totalTasks is how many tasks the executors could run at once.
func (s *Scheduler) totalTasks(cpus int) int {
	n := 0
	for _, e := range s.execList {
		if e.usable() {
			n += e.cores / cpus
		}
	}
	return n
}
