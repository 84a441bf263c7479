package scheduler

import (
	"fmt"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// exclusion is what one task set learned about bad executors and hosts. The nil exclusion blocks nothing.
type exclusion struct {
	failures map[event.ExecutorID]map[int32]int // of this set, by executor and index
	host     map[event.ExecutorID]string
	perHost  map[string]map[int32]int
	execs    map[event.ExecutorID]bool // excluded for the stage
	hosts    map[string]bool
	limits   *ExclusionConfig
}

// on says whether anything is excluded at all.
func (c *ExclusionConfig) on() bool { return c.Enabled || c.Application || c.FetchFailures }

// blocks says that no task of the set may run on an executor.
func (x *exclusion) blocks(e *executor) bool {
	return x != nil && (x.execs[e.id] || x.hosts[e.host.name])
}

// blocksTask says that one task may not run on an executor.
func (x *exclusion) blocksTask(i int32, e *executor) bool {
	return x != nil && x.limits.Enabled && (x.failures[e.id][i] >= x.limits.AttemptsPerExecutor || x.perHost[e.host.name][i] >= x.limits.AttemptsPerNode)
}

// noteFailure counts a failure against the executor where it happened.
func (s *Scheduler) noteFailure(a *attempt, r event.Reason) {
	if _, lost := r.(event.ExecutorLostFailure); lost || !s.cfg.Exclusion.Enabled && !s.cfg.Exclusion.Application {
		return
	}
	ts, i, id, h := a.set, int32(a.info.Index), a.exec.id, a.exec.host.name
	if ts.excl == nil {
		ts.excl = &exclusion{
			failures: map[event.ExecutorID]map[int32]int{}, host: map[event.ExecutorID]string{}, perHost: map[string]map[int32]int{},
			execs: map[event.ExecutorID]bool{}, hosts: map[string]bool{}, limits: &s.cfg.Exclusion,
		}
	}
	x := ts.excl
	count(x.failures, id, i)
	count(x.perHost, h, i)
	x.host[id] = h
	if n := len(x.failures[id]); x.limits.Enabled && n >= s.cfg.Exclusion.StageFailuresPerExecutor && !x.execs[id] {
		x.execs[id] = true
		s.publish(event.ExecutorExcluded{Time: s.now, Executor: id, Failures: n, Stage: ts.stage.id, StageAttempt: ts.attempt})
		s.excludeHostForStage(ts, h)
	}
}

func count[K comparable](m map[K]map[int32]int, k K, i int32) {
	if m[k] == nil {
		m[k] = map[int32]int{}
	}
	m[k][i]++
}

func (s *Scheduler) excludeHostForStage(ts *taskSet, h string) {
	x, n := ts.excl, 0
	for id := range x.execs {
		if x.host[id] == h {
			n++
		}
	}
	if n >= s.cfg.Exclusion.StageExecutorsPerNode && !x.hosts[h] {
		x.hosts[h] = true
		s.publish(event.NodeExcluded{Time: s.now, Host: h, Failures: n, Stage: ts.stage.id, StageAttempt: ts.attempt})
	}
}

// healthTracker is what the application learned about bad executors and hosts from stages that
// succeeded in spite of them.
type healthTracker struct {
	failures map[event.ExecutorID][]time.Time // when each failure is forgotten, oldest first
	execs    map[event.ExecutorID]excludedExec
	hosts    map[string]time.Time
}

type excludedExec struct {
	host  string
	until time.Time
}

func (h *healthTracker) hostExcluded(name string) time.Time { return h.hosts[name] }

// excludeAfterSuccess counts the failures of a set that succeeded against its executors: the work was possible elsewhere.
func (s *Scheduler) excludeAfterSuccess(ts *taskSet) {
	if ts.excl == nil {
		return
	}
	if !s.cfg.Exclusion.Application {
		ts.excl = nil
		return
	}
	h, until := s.tracker(), s.now.Add(s.cfg.Exclusion.Timeout)
	for _, id := range sortedKeys(ts.excl.failures) {
		for range ts.excl.failures[id] {
			h.failures[id] = append(h.failures[id], until)
		}
		if _, ok := h.execs[id]; !ok && len(h.failures[id]) >= s.cfg.Exclusion.AppFailuresPerExecutor {
			s.excludeExecutor(id, ts.excl.host[id], len(h.failures[id]), until)
		}
	}
	ts.excl = nil
}

func (s *Scheduler) tracker() *healthTracker {
	h := &s.health
	if h.failures == nil {
		*h = healthTracker{map[event.ExecutorID][]time.Time{}, map[event.ExecutorID]excludedExec{}, map[string]time.Time{}}
	}
	return h
}

// excludeUnreadable excludes at once who could not be read from: the executor, or its host where a shuffle service serves.
func (s *Scheduler) excludeUnreadable(r event.FetchFailed) {
	if !s.cfg.Exclusion.FetchFailures || r.From == "" || r.From == event.FallbackStorage {
		return
	}
	h, until := s.tracker(), s.now.Add(s.cfg.Exclusion.Timeout)
	if _, out := h.hosts[r.Host]; s.cfg.ShuffleService && !out {
		s.excludeHost(r.Host, 1, until)
		s.arm(timerExclusion, until)
	} else if _, out := h.execs[r.From]; !s.cfg.ShuffleService && !out {
		s.excludeExecutor(r.From, r.Host, 1, until)
	}
}

func (s *Scheduler) excludeExecutor(id event.ExecutorID, hostName string, failures int, until time.Time) {
	h := &s.health
	h.execs[id] = excludedExec{hostName, until}
	s.publish(event.ExecutorExcluded{Time: s.now, Executor: id, Failures: failures, Stage: -1})
	s.setExcluded(id, until)
	if e := s.execs[id]; e != nil && s.cfg.Exclusion.Kill {
		s.emit(KillExecutors{IDs: []event.ExecutorID{id}, Reason: "it was excluded for its failures (spark.excludeOnFailure.killExcludedExecutors)"})
	}
	n := 0
	for _, x := range h.execs {
		if x.host == hostName {
			n++
		}
	}
	if _, ok := h.hosts[hostName]; !ok && n >= s.cfg.Exclusion.AppExecutorsPerNode {
		s.excludeHost(hostName, n, until)
	}
	s.arm(timerExclusion, until)
}

func (s *Scheduler) excludeHost(name string, failures int, until time.Time) {
	s.health.hosts[name] = until
	s.publish(event.NodeExcluded{Time: s.now, Host: name, Failures: failures, Stage: -1})
	s.setHostExcluded(name, until)
	if h := s.hosts[name]; h != nil && s.cfg.Exclusion.Kill {
		k := KillExecutors{Reason: "its host was excluded for failures there (spark.excludeOnFailure.killExcludedExecutors)"}
		for _, e := range h.execs {
			k.IDs = append(k.IDs, e.id)
		}
		s.emit(k)
	}
}

func (s *Scheduler) setExcluded(id event.ExecutorID, until time.Time) {
	if e := s.execs[id]; e != nil {
		e.excluded = until
		s.offerAgain(e)
	}
}

func (s *Scheduler) setHostExcluded(name string, until time.Time) {
	if h := s.hosts[name]; h != nil {
		h.excluded = until
		for _, e := range h.execs {
			s.offerAgain(e)
		}
	}
}

// expireExclusions lets executors and hosts work again whose time is over.
func (s *Scheduler) expireExclusions() {
	h := &s.health
	for _, id := range sortedKeys(h.failures) {
		fs := h.failures[id]
		for len(fs) > 0 && !fs[0].After(s.now) {
			fs = fs[1:]
		}
		h.failures[id] = fs
		if len(fs) == 0 {
			delete(h.failures, id)
		}
	}
	for _, id := range sortedKeys(h.execs) {
		if until := h.execs[id].until; until.After(s.now) {
			s.arm(timerExclusion, until)
			continue
		}
		delete(h.execs, id)
		s.publish(event.ExecutorUnexcluded{Time: s.now, Executor: id})
		s.setExcluded(id, time.Time{})
	}
	for _, name := range sortedKeys(h.hosts) {
		if until := h.hosts[name]; until.After(s.now) {
			s.arm(timerExclusion, until)
			continue
		}
		delete(h.hosts, name)
		s.publish(event.NodeUnexcluded{Time: s.now, Host: name})
		s.setHostExcluded(name, time.Time{})
	}
	s.dirtyAll = true
}

// findHopeless starts the clock of sets with a task that no executor may run.
func (s *Scheduler) findHopeless() {
	for _, ts := range s.sets {
		if ts.pending == 0 || !ts.hopeless.IsZero() || len(s.execs) == 0 || ts.excl == nil && len(s.health.execs) == 0 {
			continue
		}
		if _, found := s.hopelessTask(ts); found {
			ts.hopeless = s.now.Add(s.cfg.Exclusion.UnschedulableTaskSetTimeout)
			s.timers.push(timer{at: ts.hopeless, kind: timerUnschedulable, set: ts})
		}
	}
}

// hopelessTask finds a waiting task that is excluded everywhere. Only tasks that failed can be,
// and those lie on the list of tasks to repeat, unless all executors are excluded altogether.
func (s *Scheduler) hopelessTask(ts *taskSet) (int32, bool) {
	if k := len(ts.again) - 1; k >= 0 && ts.tasks[ts.again[k]].waits() {
		return ts.again[k], s.excludedEverywhere(ts, ts.again[k])
	}
	for i := ts.next; int(i) < len(ts.tasks); i++ {
		if ts.tasks[i].waits() {
			return i, s.excludedEverywhere(ts, i)
		}
	}
	return 0, false
}

func (s *Scheduler) excludedEverywhere(ts *taskSet, i int32) bool {
	for _, e := range s.execList {
		if e.usable() && !ts.excl.blocks(e) && !ts.excl.blocksTask(i, e) {
			return false
		}
	}
	return true
}

func (s *Scheduler) unschedulableExpired(ts *taskSet, at time.Time) {
	if ts.zombie || !ts.hopeless.Equal(at) {
		return
	}
	ts.hopeless = time.Time{}
	i, found := s.hopelessTask(ts)
	if !found {
		return
	}
	s.abortStage(ts.stage, fmt.Sprintf("Aborting TaskSet %s because task %d (partition %d) cannot run anywhere due to node and "+
		"executor excludeOnFailure. Most recent failure: exclusion behavior can be configured via spark.excludeOnFailure.*.",
		ts.name(), i, ts.partition(i)), nil)
}
