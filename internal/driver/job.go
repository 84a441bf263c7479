package driver

import (
	"context"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// RunFunc does the work of one task of a stage. The driver looks at nothing but what it returns.
// It must return soon after ctx is done; context.Cause(ctx) says why, and returning it is fine.
// A lost map output is reported as an *event.FetchError, at any depth of wrapping.
type RunFunc func(ctx context.Context, t *TaskContext) (TaskOutcome, error)

// TaskContext tells a task who it is.
type TaskContext struct {
	Task         event.TaskID
	Job          event.JobID // that brought the stage
	Stage        event.StageID
	StageAttempt int
	Partition    int
	Attempt      int
	Tasks        int // of the stage
	Executor     event.ExecutorID
	Locality     event.Locality
	Speculative  bool
	Epoch        int64
	Peers        []event.ExecutorID // of a barrier stage
	Group        string
	Tags         []string
	Properties   map[string]string

	commit func(ctx context.Context) error
}

// Commit asks the driver for the right to commit the output of the partition. It returns an
// *event.CommitDeniedError if another attempt has it; the task must return that error then.
func (t *TaskContext) Commit(ctx context.Context) error { return t.commit(ctx) }

// TaskOutcome is what a task that did its work reports.
type TaskOutcome struct {
	// Sizes are the bytes per reduce partition of a map task's output.
	Sizes []int64
	// Result goes to Job.OnResult; a handle to rows, or the rows themselves.
	Result     any
	ResultSize int64 // bytes that Result holds on the driver; they count against spark.driver.maxResultSize
	Accums     []event.Accumulable
	// Metrics are also reported when the task fails, if it can.
	Metrics *event.TaskMetrics
}

// Stage is one stage of a job: what the scheduler must know, and the work. It may be submitted
// several times, but is never changed after the first.
type Stage struct {
	scheduler.StageSpec // Body belongs to the driver
	// Run does the work in this process.
	Run RunFunc
	// Work is the same as data, for executors in other processes; a backend that has such runs it and never Run. Its ID
	// is set by the backend.
	Work *wire.Work
	// Watch, if set, is told by the driver's loop when an attempt of a task starts and ends. It must not block.
	Watch func(TaskChange)
}

// TaskChange is the start or the end of a task attempt.
type TaskChange struct {
	Ended, Success bool
	Metrics        *event.TaskMetrics // at the end; may be nil
}

// Job is a DAG of stages, parents before children. It ends in a result stage, or in a map stage
// (then JobResult.Bytes has the sizes).
type Job struct {
	Stages      []*Stage
	Group       string
	Description string
	Tags        []string
	Pool        string
	Properties  map[string]string
	// OnResult gets the result of each partition of the result stage, once, in the order in which
	// tasks end. It is called by RunJob (Wait) in its caller's goroutine; an error cancels the job.
	OnResult func(partition int, result any) error
	// OnMapResult gets the results of map tasks that have one, like OnResult: again when a lost output was recomputed, and of the
	// stages below, too.
	OnMapResult func(partition int, result any) error
	// OnAccums gets the accumulator updates of each task that counts, like OnResult.
	OnAccums func(stage event.StageID, updates []event.Accumulable)
	// Settle makes RunJob return only when the last attempt of the job's tasks has ended, so that what they share can be freed.
	// Executors share nothing with the driver: an attempt there that was told to end is given settleLimit and no more, for its
	// executor may stand still.
	Settle bool
}

// JobResult is what a job that ended well brought.
type JobResult struct {
	ID    event.JobID
	Bytes []int64 // per reduce partition of a final map stage
}

// Handle is a submitted job.
type Handle struct {
	id  event.JobID
	job *Job
	d   *Driver

	wake     chan struct{} // has a token when there is something new
	mu       sync.Mutex
	accepted []scheduler.TaskAccepted
	ended    bool
	end      scheduler.JobEnded
	live     int // attempts that have not ended
}

// ID is the job's id.
func (h *Handle) ID() event.JobID { return h.id }

func (h *Handle) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *Handle) accept(a scheduler.TaskAccepted) {
	if h.job.OnResult == nil && h.job.OnAccums == nil && h.job.OnMapResult == nil {
		return
	}
	h.mu.Lock()
	h.accepted = append(h.accepted, a)
	h.mu.Unlock()
	h.signal()
}

func (h *Handle) finish(end scheduler.JobEnded) {
	h.mu.Lock()
	h.ended, h.end = true, end
	h.mu.Unlock()
	h.signal()
}

// attempts counts attempts that start (1) or end (-1) and says how many live.
func (h *Handle) attempts(n int) int {
	h.mu.Lock()
	h.live += n
	live, ended := h.live, h.ended
	h.mu.Unlock()
	if live == 0 && ended {
		h.signal()
	}
	return live
}

func (h *Handle) take() (accepted []scheduler.TaskAccepted, over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	accepted, h.accepted = h.accepted, nil
	return accepted, h.ended && (h.live == 0 || !h.job.Settle)
}

// Cancel asks for the end of the job. The reason follows "Job 3 cancelled " in the error.
func (h *Handle) Cancel(reason string) {
	h.d.Cancel(scheduler.JobCancelled{ID: h.id, Reason: reason})
}

// settleLimit is how long a job that has ended waits for attempts on executors.
const settleLimit = time.Second

func (h *Handle) hasEnded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// Wait delivers results until the job ends, and returns how it did. When ctx ends first the job is
// cancelled, and the error has the cause of ctx below it. It is called once.
func (h *Handle) Wait(ctx context.Context) (*JobResult, error) {
	var why error // that this side ended the job
	done := ctx.Done()
	var late <-chan time.Time
	for {
		accepted, over := h.take()
		for _, a := range accepted {
			if why != nil {
				break
			}
			if why = h.deliver(a); why != nil {
				h.Cancel("because its results were not taken: " + why.Error())
			}
		}
		if over {
			return h.result(why)
		}
		if late == nil && h.d.remote != nil && h.hasEnded() {
			late = time.After(settleLimit)
		}
		select {
		case <-h.wake:
		case <-late:
			return h.result(why)
		case <-done:
			done = nil
			if why == nil {
				why = context.Cause(ctx)
				h.Cancel("because " + why.Error())
			}
		}
	}
}

func (h *Handle) deliver(a scheduler.TaskAccepted) error {
	if h.job.OnAccums != nil && a.Accums != nil {
		h.job.OnAccums(a.Stage, a.Accums)
	}
	if !a.Final && h.job.OnMapResult != nil && a.Result != nil {
		return h.job.OnMapResult(a.Partition, a.Result)
	}
	if h.job.OnResult == nil || !a.Final {
		return nil
	}
	return h.job.OnResult(a.Partition, a.Result)
}

func (h *Handle) result(why error) (*JobResult, error) {
	err := h.end.Err
	switch {
	case why != nil && err == nil: // it ended before the cancellation came through
		return nil, why
	case why != nil:
		if e, ok := err.(*sparkerr.Error); ok && e.Cause == nil {
			c := *e // listeners hold the other one
			return nil, c.WithCause(why)
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	return &JobResult{ID: h.id, Bytes: h.end.Bytes}, nil
}
