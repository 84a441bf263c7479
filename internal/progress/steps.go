package progress

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// Steps tells a log what becomes of jobs: their stages, where each task ran and how it ended, what was read and shuffled. It
// is a listener. Its lines are for people; what they say is in the events.
type Steps struct {
	log    *slog.Logger
	stages map[event.StageAttemptID]*account
}

// account is what the tasks of a stage attempt did.
type account struct {
	total, done, failed, killed int
	on                          map[event.ExecutorID]int // tasks that ended well
	input, output               int64                    // bytes, as all below
	written, local, remote      int64                    // of shuffles: written, read from the executor itself, from others
	spilled                     int64
}

// NewSteps makes a listener that tells a log.
func NewSteps(log *slog.Logger) *Steps {
	return &Steps{log: log, stages: map[event.StageAttemptID]*account{}}
}

// Listen takes one event of the listener bus.
func (s *Steps) Listen(e event.Event) {
	switch e := e.(type) {
	case event.JobStart:
		s.log.Info("job starts", "job", e.Job, "stages", ids(e.Stages), "group", e.Group, "description", e.Description)
	case event.JobEnd:
		if e.Err != nil {
			s.log.Warn("job failed", "job", e.Job, "error", e.Err)
		} else {
			s.log.Info("job ends", "job", e.Job)
		}
	case event.StageSubmitted:
		s.stages[attempt(e.Stage.ID, e.Stage.Attempt)] = &account{total: e.Stage.Tasks, on: map[event.ExecutorID]int{}}
		s.log.Info("stage starts", "stage", name(e.Stage.ID, e.Stage.Attempt), "tasks", e.Stage.Tasks, "computes", e.Stage.Name, "parents", fmt.Sprint(e.Stage.Parents))
	case event.StageCompleted:
		s.completed(&e.Stage)
	case event.TaskStart:
		s.log.Info("task starts", "task", e.Info.Task, "stage", name(e.Stage, e.StageAttempt), "partition", e.Info.Partition, "attempt", e.Info.Attempt,
			"executor", e.Info.Executor, "host", e.Info.Host, "locality", e.Info.Locality)
	case event.TaskEnd:
		s.ended(&e)
	case event.Dropped:
		s.log.Warn("events came faster than they could be told", "lost", e.Count)
	}
}

func name(id event.StageID, attempt int) string { return fmt.Sprintf("%d.%d", id, attempt) }

func ids(stages []event.StageInfo) string {
	out := make([]string, len(stages))
	for i := range stages {
		out[i] = fmt.Sprint(stages[i].ID)
	}
	return strings.Join(out, ",")
}

func (s *Steps) ended(e *event.TaskEnd) {
	a := s.stages[attempt(e.Stage, e.StageAttempt)]
	if a == nil {
		a = &account{on: map[event.ExecutorID]int{}} // of an attempt that is over
	}
	a.add(e)
	args := []any{"task", e.Info.Task, "stage", name(e.Stage, e.StageAttempt), "partition", e.Info.Partition, "executor", e.Info.Executor, "host", e.Info.Host,
		"took", took(e.Info.Launch, e.Info.Finish)}
	if m := e.Metrics; m != nil {
		args = append(args, "wrote", size(m.ShuffleWrite.BytesWritten), "read", size(m.ShuffleRead.LocalBytesRead+m.ShuffleRead.RemoteBytesRead))
	}
	switch e.Reason.(type) {
	case event.Success:
		s.log.Info("task ends", append(args, "done", fmt.Sprintf("%d/%d", a.done, a.total))...)
	case event.TaskKilled, event.Resubmitted:
		s.log.Info("task ends early", append(args, "reason", e.Reason.Describe())...)
	default:
		s.log.Warn("task failed", append(args, "reason", e.Reason.Describe())...)
	}
}

func (a *account) add(e *event.TaskEnd) {
	switch e.Reason.(type) {
	case event.Success:
		a.done++
		a.on[e.Info.Executor]++
	case event.Resubmitted:
		a.done--
	case event.TaskKilled:
		a.killed++
	default:
		a.failed++
	}
	m := e.Metrics
	if m == nil {
		return
	}
	a.input += m.Input.BytesRead
	a.output += m.Output.BytesWritten
	a.written += m.ShuffleWrite.BytesWritten
	a.local += m.ShuffleRead.LocalBytesRead
	a.remote += m.ShuffleRead.RemoteBytesRead
	a.spilled += m.DiskBytesSpilled
}

func (s *Steps) completed(st *event.StageInfo) {
	key := attempt(st.ID, st.Attempt)
	a := s.stages[key]
	delete(s.stages, key)
	if a == nil {
		return
	}
	if st.FailureReason != "" {
		s.log.Warn("stage failed", "stage", name(st.ID, st.Attempt), "done", fmt.Sprintf("%d/%d", a.done, a.total), "reason", st.FailureReason)
		return
	}
	s.log.Info("stage ends", "stage", name(st.ID, st.Attempt), "tasks", a.done, "failed", a.failed, "killed", a.killed, "ran", a.places(),
		"input", size(a.input), "output", size(a.output), "shuffle_written", size(a.written), "shuffle_read_here", size(a.local),
		"shuffle_read_from_others", size(a.remote), "spilled", size(a.spilled), "took", took(st.Submitted, st.Completed))
}

// took is the time between two moments, none when one of them is not known.
func took(from, to time.Time) time.Duration {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return to.Sub(from).Round(time.Millisecond)
}

// places counts tasks by executor.
func (a *account) places() string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(a.on)) {
		out = append(out, fmt.Sprintf("%d on %s", a.on[id], id))
	}
	return strings.Join(out, ", ")
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
