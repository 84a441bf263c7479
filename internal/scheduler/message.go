package scheduler

import (
	"github.com/firesteel/firesteel/internal/event"
)

// Event is what happened: one of the types below.
type Event interface{ isEvent() }

// JobSubmitted asks for a job. The last stage is the one the job waits for.
type JobSubmitted struct {
	ID          event.JobID
	Stages      []*StageSpec
	Group       string
	Description string
	Tags        []string
	Pool        string
	Properties  map[string]string
}

// StageSpec is a stage as data. It is never changed after submission, so it may be shared.
type StageSpec struct {
	Name, Details string
	// Shuffle is the output of a map stage, event.NoShuffle for a result stage.
	Shuffle event.ShuffleID
	Tasks   int
	// Parents are the shuffles that the stage reads. Each is written by an earlier stage of the job.
	Parents []event.ShuffleID
	// Prefs are the preferred places of each task; nil when there are none at all.
	Prefs [][]Location
	CPUs  int // per task; 0 means 1
	// Indeterminate says that a repeated task may give other rows, or the same in another order.
	Indeterminate bool
	// Barrier says that all tasks must run at the same time.
	Barrier bool
	RDDs    []event.RDDInfo
	// Body is the host's own; it comes back with every LaunchTask.
	Body any
}

// Location is a preferred place: an executor on a host, or with an empty executor the host itself.
type Location struct {
	Executor event.ExecutorID
	Host     string
}

// JobCancelled ends jobs: the one of ID, or those of Group, or those with Tag, or those that
// need Stage, or All. Reason follows "Job 3 cancelled " in the error.
type JobCancelled struct {
	ID     event.JobID
	Stage  event.StageID
	By     CancelBy
	Group  string // By CancelGroup
	Tag    string // By CancelTag
	Future bool   // By CancelGroup: refuse later jobs of the group, too
	Reason string
}

// CancelBy says which field of JobCancelled selects.
type CancelBy uint8

// The selectors of JobCancelled.
const (
	CancelJob CancelBy = iota
	CancelStage
	CancelGroup
	CancelTag
	CancelAll
)

// ExecutorAdded says that an executor registered with so many slots.
type ExecutorAdded struct {
	ID         event.ExecutorID
	Host       string
	Cores      int
	LogURLs    map[string]string
	Attributes map[string]string
}

// ExecutorDisconnected says that the connection broke and the reason of the loss is being asked
// for; until ExecutorLost comes the executor gets no tasks.
type ExecutorDisconnected struct{ ID event.ExecutorID }

// ExecutorLost says that an executor is gone. PlatformFault: not because of what it ran.
// HostLost: its host went too, and what a shuffle service kept there. OutOfMemory: what ran there took more than the process
// was allowed; stages that ran there give their tasks more room from now on.
type ExecutorLost struct {
	ID            event.ExecutorID
	Reason        string
	PlatformFault bool
	HostLost      bool
	OutOfMemory   bool
}

// ExecutorDecommissioning says that an executor will leave soon; it gets no more tasks.
type ExecutorDecommissioning struct {
	ID     event.ExecutorID
	Reason string
}

// TaskStarted says that an executor took up an attempt.
type TaskStarted struct{ Task event.TaskID }

// TaskEnded closes an attempt.
type TaskEnded struct {
	Task   event.TaskID
	Reason event.Reason
	// Sizes are the bytes per reduce partition that a successful map task wrote.
	Sizes []int64
	// Result is the host's own; it comes back with TaskAccepted.
	Result     any
	ResultSize int64 // bytes that Result takes on the driver
	Metrics    *event.TaskMetrics
	Peaks      *event.ExecutorMetrics
	Accums     []event.Accumulable
}

// MapOutputMoved says that a map output was migrated to another executor, or to event.FallbackStorage.
type MapOutputMoved struct {
	Shuffle event.ShuffleID
	Map     int
	To      event.ExecutorID
}

// ShuffleReleased says that nobody will read the shuffle again.
type ShuffleReleased struct{ Shuffle event.ShuffleID }

// CommitRequest asks whether an attempt may commit the output of its partition.
type CommitRequest struct{ Task event.TaskID }

// Heartbeat says that an executor is alive. Cached counts the blocks it caches.
type Heartbeat struct {
	Executor event.ExecutorID
	Cached   int
}

// Tick says that a Deadline has passed. It does no harm at other times.
type Tick struct{}

func (JobSubmitted) isEvent()            {}
func (JobCancelled) isEvent()            {}
func (ExecutorAdded) isEvent()           {}
func (ExecutorDisconnected) isEvent()    {}
func (ExecutorLost) isEvent()            {}
func (ExecutorDecommissioning) isEvent() {}
func (TaskStarted) isEvent()             {}
func (TaskEnded) isEvent()               {}
func (MapOutputMoved) isEvent()          {}
func (ShuffleReleased) isEvent()         {}
func (CommitRequest) isEvent()           {}
func (Heartbeat) isEvent()               {}
func (Tick) isEvent()                    {}

// Action is what the host must do: one of the types below.
type Action interface{ isAction() }

// LaunchTask starts an attempt on an executor.
type LaunchTask struct {
	Task         event.TaskID
	Job          *JobSubmitted // the job that brought the stage
	Spec         *StageSpec
	Stage        event.StageID
	StageAttempt int
	Index        int // in the stage attempt
	Partition    int // in the stage
	Attempt      int // of this partition, within the stage attempt
	Executor     event.ExecutorID
	Locality     event.Locality
	Speculative  bool
	// Epoch orders what the task saw of map outputs; locations older than it must not be used.
	Epoch int64
	// Peers are the executors of all tasks of a barrier stage by partition, nil otherwise.
	Peers []event.ExecutorID
}

// KillTask ends an attempt.
type KillTask struct {
	Task     event.TaskID
	Executor event.ExecutorID
	Reason   string
}

// WantExecutors says how many executors should exist.
type WantExecutors struct{ Total int }

// KillExecutors ends executors for good: idle ones, and those declared lost that still answer.
type KillExecutors struct {
	IDs    []event.ExecutorID
	Reason string
	Idle   bool // they have nothing to do, and what lies there may be moved first
}

// Reregister asks an executor that heartbeats but is not known to register again.
type Reregister struct{ Executor event.ExecutorID }

// TaskAccepted hands over what a successful attempt brought. It comes once per partition of a
// result stage: results of other attempts of the partition are not accepted. For a map stage it
// comes when there is a result or an accumulator, and again when a lost output was recomputed.
type TaskAccepted struct {
	Job       event.JobID // that brought the stage
	Stage     event.StageID
	Partition int
	Task      event.TaskID
	Final     bool // the stage is a result stage
	Result    any
	Accums    []event.Accumulable
}

// JobEnded closes a job. Err is nil after success. For a job that ends in a map stage, Bytes are the
// sizes of its reduce partitions, nil if its tasks reported none.
type JobEnded struct {
	ID    event.JobID
	Err   error
	Bytes []int64
}

// ForgetShuffle tells whoever holds map outputs to delete them.
type ForgetShuffle struct{ Shuffle event.ShuffleID }

// CommitAnswer answers a CommitRequest.
type CommitAnswer struct {
	Task  event.TaskID
	Allow bool
}

// Publish puts an event on the listener bus.
type Publish struct{ Event event.Event }

func (LaunchTask) isAction()    {}
func (KillTask) isAction()      {}
func (WantExecutors) isAction() {}
func (KillExecutors) isAction() {}
func (Reregister) isAction()    {}
func (TaskAccepted) isAction()  {}
func (JobEnded) isAction()      {}
func (ForgetShuffle) isAction() {}
func (CommitAnswer) isAction()  {}
func (Publish) isAction()       {}

// MapStatus says where a map output lies and how many bytes it has per reduce partition.
type MapStatus struct {
	Map   int
	Task  event.TaskID // the attempt that wrote it; names its blocks
	Epoch int64
	At    event.ExecutorID // empty when the output is missing
	Host  string
	Sizes []int64
}

// JobAborted is the error of a job that a stage took down.
type JobAborted struct {
	Job    event.JobID
	Reason string
	Cause  error // the last error of the task that failed too often, if that was it
}

// Error is Spark's text.
func (e *JobAborted) Error() string { return "Job aborted due to stage failure: " + e.Reason }

// Unwrap returns the cause, so that the error condition of the failed task is found.
func (e *JobAborted) Unwrap() error { return e.Cause }
