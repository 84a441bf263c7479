package scheduler

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// job is an active job. It is dropped when it ends.
type job struct {
	spec   *JobSubmitted
	stages []*stage // parents before children
	final  *stage
	done   []bool // partitions of a final result stage
	count  int    // of done
}

func (j *job) id() event.JobID { return j.spec.ID }

// submitJob creates the stages that do not exist yet and starts those that can run.
func (s *Scheduler) submitJob(spec *JobSubmitted) {
	if s.jobs[spec.ID] != nil {
		return
	}
	if err := s.validate(spec); err != nil {
		s.emit(JobEnded{ID: spec.ID, Err: err})
		return
	}
	j := &job{spec: spec}
	for _, st := range spec.Stages {
		j.stages = append(j.stages, s.stageFor(j, st))
	}
	j.final = j.stages[len(j.stages)-1]
	s.jobs[spec.ID] = j
	s.publish(event.JobStart{
		Job: spec.ID, Time: s.now, Stages: s.stageInfos(j), Group: spec.Group,
		Description: spec.Description, Tags: spec.Tags, Properties: spec.Properties,
	})
	if j.final.out == nil {
		j.done = make([]bool, j.final.spec.Tasks)
	}
	if j.satisfied() {
		s.finishJob(j)
		return
	}
	s.submitStage(j.final)
}

// satisfied says that nothing (more) has to run for the job.
func (j *job) satisfied() bool {
	if j.final.out != nil {
		return j.final.out.complete()
	}
	return j.count == len(j.done)
}

// validate refuses a job that breaks the host's side of the contract, or whose group is cancelled for good.
func (s *Scheduler) validate(spec *JobSubmitted) error {
	if spec.Group != "" && slices.Contains(s.refused, spec.Group) {
		return cancelled(spec.ID, "part of cancelled job group "+spec.Group)
	}
	if len(spec.Stages) == 0 {
		return sparkerr.Internal("job %d has no stages", spec.ID)
	}
	known := map[event.ShuffleID]bool{}
	for i, st := range spec.Stages {
		if st.Tasks < 0 || st.Prefs != nil && len(st.Prefs) != st.Tasks {
			return sparkerr.Internal("stage %d of job %d: %d tasks, %d preferences", i, spec.ID, st.Tasks, len(st.Prefs))
		}
		for _, p := range st.Parents {
			if !known[p] {
				return sparkerr.Internal("stage %d of job %d reads shuffle %d, which no earlier stage writes", i, spec.ID, p)
			}
		}
		if st.Shuffle == event.NoShuffle {
			if i < len(spec.Stages)-1 {
				return sparkerr.Internal("result stage %d of job %d is not the last", i, spec.ID)
			}
			continue
		}
		if known[st.Shuffle] {
			return sparkerr.Internal("job %d writes shuffle %d twice", spec.ID, st.Shuffle)
		}
		if sh := s.shuffles[st.Shuffle]; sh != nil && len(sh.maps) != st.Tasks {
			return sparkerr.Internal("shuffle %d has %d maps, not %d", st.Shuffle, len(sh.maps), st.Tasks)
		}
		known[st.Shuffle] = true
	}
	return nil
}

func (s *Scheduler) stageInfos(j *job) []event.StageInfo {
	infos := make([]event.StageInfo, len(j.stages))
	for i, st := range j.stages {
		infos[i] = st.info
	}
	return infos
}

// finishJob ends a job well.
func (s *Scheduler) finishJob(j *job) {
	end := JobEnded{ID: j.id()}
	if out := j.final.out; out != nil {
		end.Bytes = slices.Clone(out.bytes)
	}
	s.dropJob(j, "Job "+j.id().String()+" is finished")
	s.publish(event.JobEnd{Job: j.id(), Time: s.now})
	s.emit(end)
}

// failJob ends a job badly, with all that only it needs.
func (s *Scheduler) failJob(j *job, err error) {
	s.dropJob(j, err.Error())
	s.publish(event.JobEnd{Job: j.id(), Time: s.now, Err: err})
	s.emit(JobEnded{ID: j.id(), Err: err})
}

// dropJob forgets a job and the stages that no other job needs; what still runs of them is killed.
func (s *Scheduler) dropJob(j *job, reason string) {
	delete(s.jobs, j.id())
	for _, st := range slices.Backward(j.stages) {
		st.jobs = slices.DeleteFunc(st.jobs, func(o *job) bool { return o == j })
		if len(st.jobs) == 0 {
			s.dropStage(st, reason)
		}
	}
}

// abortStage fails all jobs that need a stage.
func (s *Scheduler) abortStage(st *stage, reason string, cause error) {
	for _, j := range slices.Clone(st.jobs) {
		s.failJob(j, &JobAborted{Job: j.id(), Reason: reason, Cause: cause})
	}
}

// cancelJobs ends the jobs that the event selects, by ascending id.
func (s *Scheduler) cancelJobs(ev *JobCancelled) {
	if ev.By == CancelGroup && ev.Future {
		s.refuse(ev.Group)
	}
	for _, j := range s.selected(ev) {
		if s.jobs[j.id()] == j {
			s.failJob(j, cancelled(j.id(), ev.Reason))
		}
	}
}

// refuse lets no job of a group begin any more. The group that was refused first is forgotten when there are too many.
func (s *Scheduler) refuse(group string) {
	if slices.Contains(s.refused, group) || s.cfg.CancelledGroups < 1 {
		return
	}
	if len(s.refused) >= s.cfg.CancelledGroups {
		s.refused = s.refused[1:]
	}
	s.refused = append(s.refused, group)
}

func (s *Scheduler) selected(ev *JobCancelled) []*job {
	switch ev.By {
	case CancelJob:
		if j := s.jobs[ev.ID]; j != nil {
			return []*job{j}
		}
		return nil
	case CancelStage:
		if st := s.stages[ev.Stage]; st != nil {
			return slices.Clone(st.jobs)
		}
		return nil
	}
	var js []*job
	for _, id := range sortedKeys(s.jobs) {
		j := s.jobs[id]
		if ev.By == CancelAll || ev.By == CancelGroup && j.spec.Group == ev.Group ||
			ev.By == CancelTag && slices.Contains(j.spec.Tags, ev.Tag) {
			js = append(js, j)
		}
	}
	return js
}

// cancelled is Spark's error of a cancelled job.
func cancelled(id event.JobID, reason string) error {
	return sparkerr.New("SPARK_JOB_CANCELLED", "jobId", id.String(), "reason", reason)
}

// starved fails all jobs if there still is no executor.
func (s *Scheduler) starved() {
	limit := s.starvation()
	if len(s.execs) > 0 || s.pending == 0 || s.now.Before(s.alloc.starvingSince.Add(limit)) {
		return
	}
	what := "no executor registered"
	if s.alloc.lost {
		what = "all executors were lost and no executor came in their place"
	}
	for _, id := range sortedKeys(s.jobs) {
		s.failJob(s.jobs[id], &JobAborted{Job: id, Reason: fmt.Sprintf("%s within %v (spark.firesteel.noExecutorTimeout); "+
			"check the cluster UI to ensure that workers are registered and have sufficient resources", what, limit), Cause: ErrNoExecutors})
	}
}

// ErrNoExecutors is the cause of a job that ended because no executor came in time.
var ErrNoExecutors = errors.New("no executors")

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
