package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

type stageState uint8

const (
	stageIdle    stageState = iota // not asked for, or done
	stageWaiting                   // for parents
	stageRunning                   // its newest attempt has tasks to do
)

// stage is a stage that at least one active job needs.
type stage struct {
	id            event.StageID
	spec          *StageSpec
	owner         *job // that brought it
	parents       []*stage
	children      []*stage
	jobs          []*job // that need it, by ascending id
	out           *shuffle
	indeterminate bool // itself, or through what it reads
	info          event.StageInfo

	state       stageState
	queued      bool // in Scheduler.failed
	attempts    int  // number of the next attempt
	failedTries []int
	active      *taskSet   // the newest attempt, also when it is a zombie
	sets        []*taskSet // attempts with running tasks, and the newest
	expected    []bool     // partitions whose end the newest attempt waits for
	expecting   int
	committer   map[int]event.TaskID // who may commit, by partition
	checks      int                  // barrier: how often there were too few slots
	room        int                  // times its slots that a task takes: more than 1 after memory was too small
}

func (st *stage) taskType() string {
	if st.out != nil {
		return "ShuffleMapTask"
	}
	return "ResultTask"
}

// String is Spark's way to name a stage in messages.
func (st *stage) String() string {
	if st.out != nil {
		return fmt.Sprintf("ShuffleMapStage %d", st.id)
	}
	return fmt.Sprintf("ResultStage %d", st.id)
}

func (st *stage) available() bool { return st.out != nil && st.out.complete() }

func (st *stage) expect(p int) {
	if !st.expected[p] {
		st.expected[p] = true
		st.expecting++
	}
}

func (st *stage) arrived(p int) {
	if st.expected != nil && st.expected[p] {
		st.expected[p] = false
		st.expecting--
	}
}

// stageFor gives the stage of a spec to a job: the one that other jobs use for the same shuffle, or a new one.
func (s *Scheduler) stageFor(j *job, spec *StageSpec) *stage {
	if spec.Shuffle != event.NoShuffle {
		if st := s.byShuffle[spec.Shuffle]; st != nil {
			st.jobs = append(st.jobs, j)
			slices.SortFunc(st.jobs, func(a, b *job) int { return int(a.id()) - int(b.id()) })
			return st
		}
	}
	st := &stage{id: s.nextStage, spec: spec, owner: j, jobs: []*job{j}, indeterminate: spec.Indeterminate, room: 1}
	s.nextStage++
	s.stages[st.id] = st
	if spec.Shuffle != event.NoShuffle {
		s.byShuffle[spec.Shuffle] = st
		st.out = s.shuffleFor(spec)
	}
	for _, id := range spec.Parents {
		p := s.byShuffle[id]
		st.parents = append(st.parents, p)
		p.children = append(p.children, st)
		st.indeterminate = st.indeterminate || p.indeterminate
	}
	st.info = st.describe()
	return st
}

func (s *Scheduler) shuffleFor(spec *StageSpec) *shuffle {
	sh := s.shuffles[spec.Shuffle]
	if sh == nil {
		sh = &shuffle{id: spec.Shuffle, maps: make([]output, spec.Tasks)}
		s.shuffles[spec.Shuffle] = sh
	}
	return sh
}

func (st *stage) describe() event.StageInfo {
	info := event.StageInfo{
		ID: st.id, Name: st.spec.Name, Details: st.spec.Details, Tasks: st.spec.Tasks,
		Shuffle: st.spec.Shuffle, Pool: st.owner.spec.Pool, RDDs: st.spec.RDDs,
	}
	for _, p := range st.parents {
		info.Parents = append(info.Parents, p.id)
	}
	return info
}

// submitStage runs a stage, or first the parents that are missing. It does nothing for a stage
// that runs, waits, or is queued for resubmission.
func (s *Scheduler) submitStage(st *stage) {
	if st.state != stageIdle || st.queued || len(st.jobs) == 0 {
		return
	}
	if st.available() { // late outputs of older attempts completed it
		s.mapStageDone(st)
		return
	}
	if most := max(s.cfg.MaxAttempts, s.cfg.MaxStageAttempts); st.attempts >= most {
		s.abortStage(st, fmt.Sprintf("%s (name=%s) has been resubmitted for the maximum allowable number of times: %d, which is the max value of "+
			"config `spark.stage.maxAttempts` and `spark.stage.maxConsecutiveAttempts`.", st, st.spec.Name, most), nil)
		return
	}
	missing := false
	for _, p := range st.parents {
		if !p.available() {
			missing = true
			s.submitStage(p)
		}
	}
	if len(st.jobs) == 0 || st.queued { // a parent took the job down, or rolled the stage back
		return
	}
	if missing {
		st.state = stageWaiting
		return
	}
	s.submitMissing(st)
}

// submitMissing starts an attempt of a stage for the partitions that have no output yet.
func (s *Scheduler) submitMissing(st *stage) {
	if st.out != nil && st.out.available > 0 && (st.indeterminate || st.spec.Barrier) {
		s.unregisterAll(st.out) // half of it is worth nothing
	}
	if st.out != nil && st.indeterminate && !s.rollBackReaders(st) {
		return
	}
	parts := s.missing(st)
	st.info.Attempt = st.attempts
	st.info.Tasks = len(parts)
	st.info.Submitted, st.info.Completed = s.now, time.Time{}
	st.info.FailureReason = ""
	st.attempts++
	st.state = stageRunning
	st.expected, st.expecting = make([]bool, st.spec.Tasks), 0
	for _, p := range parts {
		st.expect(int(p))
	}
	of := st.owner.spec
	s.publish(event.StageSubmitted{Stage: st.info, Group: of.Group, Description: of.Description, Tags: of.Tags, Properties: of.Properties})
	s.submitTaskSet(st, parts)
}

// missing lists the partitions that have to run, ascending.
func (s *Scheduler) missing(st *stage) []int32 {
	parts := make([]int32, 0, st.spec.Tasks)
	for p := range st.spec.Tasks {
		if st.out != nil && st.out.maps[p].at == "" || st.out == nil && !st.owner.done[p] {
			parts = append(parts, int32(p))
		}
	}
	return parts
}

// endAttempt closes the running attempt of a stage for listeners; reason is empty after success.
func (s *Scheduler) endAttempt(st *stage, reason string) {
	if st.state != stageRunning {
		return
	}
	st.state = stageIdle
	st.info.Completed = s.now
	st.info.FailureReason = reason
	if reason == "" {
		st.failedTries = st.failedTries[:0]
	}
	s.publish(event.StageCompleted{Stage: st.info})
}

// mapStageDone is called when all tasks of the running attempt have ended well.
func (s *Scheduler) mapStageDone(st *stage) {
	s.endAttempt(st, "")
	st.state = stageIdle
	s.stopAttempts(st, "Stage finished")
	s.epoch++
	if !st.out.complete() { // some outputs were lost meanwhile
		s.submitStage(st)
		return
	}
	st.committer = nil
	for _, j := range slices.Clone(st.jobs) {
		if j.final == st {
			s.finishJob(j)
		}
	}
	s.wakeChildren(st)
}

// wakeChildren submits the stages that waited for a parent.
func (s *Scheduler) wakeChildren(st *stage) {
	waiting := make([]*stage, 0, len(st.children))
	for _, c := range st.children {
		if c.state == stageWaiting {
			waiting = append(waiting, c)
		}
	}
	slices.SortFunc(waiting, byFirstJob)
	for _, c := range waiting {
		if c.state == stageWaiting {
			c.state = stageIdle
			s.submitStage(c)
		}
	}
}

// byFirstJob orders stages by their oldest job, then by id.
func byFirstJob(a, b *stage) int {
	if d := int(a.firstJob()) - int(b.firstJob()); d != 0 {
		return d
	}
	return int(a.id) - int(b.id)
}

func (st *stage) firstJob() event.JobID {
	if len(st.jobs) == 0 {
		return event.NoJob
	}
	return st.jobs[0].id()
}

// stopAttempts turns all attempts of a stage into zombies and kills what runs of them.
func (s *Scheduler) stopAttempts(st *stage, reason string) {
	for _, ts := range slices.Clone(st.sets) {
		s.retire(ts)
		for _, a := range ts.running {
			s.kill(a, reason)
		}
	}
}

// dropStage forgets a stage that no job needs; its output stays.
func (s *Scheduler) dropStage(st *stage, reason string) {
	s.endAttempt(st, reason)
	st.state = stageIdle
	s.stopAttempts(st, reason)
	delete(s.stages, st.id)
	for _, p := range st.parents {
		p.children = slices.DeleteFunc(p.children, func(c *stage) bool { return c == st })
	}
	if st.queued {
		st.queued = false
		s.failed = slices.DeleteFunc(s.failed, func(f *stage) bool { return f == st })
	}
	if st.out == nil {
		return
	}
	delete(s.byShuffle, st.spec.Shuffle)
	if st.out.released {
		s.forget(st.out)
	}
}
