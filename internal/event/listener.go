package event

import "time"

// Event is anything on the listener bus. EventName is its name in Spark's event log.
type Event interface{ EventName() string }

// LogStart is the first line of an event log: the Spark release whose form the log has. It is not on the bus.
type LogStart struct{ Version string }

// ApplicationStart opens the application.
type ApplicationStart struct {
	Name    string
	ID      AppID
	Time    time.Time
	User    string
	Attempt string // empty if the cluster manager has no attempts
}

// ApplicationEnd closes the application.
type ApplicationEnd struct {
	Time     time.Time
	ExitCode int
}

// EnvironmentUpdate lists what the application runs with; sensitive values are redacted by the publisher.
type EnvironmentUpdate struct {
	Runtime   map[string]string // Spark: JVM Information
	Spark     map[string]string
	Hadoop    map[string]string
	System    map[string]string
	Metrics   map[string]string
	Classpath map[string]string
}

// ResourceProfileAdded announces what an executor and a task ask for.
type ResourceProfileAdded struct {
	ID                          int
	ExecutorCores, TaskCPUs     int
	ExecutorMemory, OffHeapSize int64
}

// RDDInfo describes one RDD of a stage and how much of it is cached.
type RDDInfo struct {
	ID                RDDID
	Name, Scope       string
	CallSite          string
	Parents           []RDDID
	StorageLevel      string
	Partitions        int
	CachedPartitions  int
	MemSize, DiskSize int64
	Barrier           bool
	DeterministicLvl  string
}

// StageInfo describes one attempt of a stage. Zero times mean "not yet".
type StageInfo struct {
	ID            StageID
	Attempt       int
	Name, Details string
	Tasks         int
	Parents       []StageID
	Shuffle       ShuffleID // NoShuffle for a result stage
	Pool          string
	Submitted     time.Time
	Completed     time.Time
	FailureReason string // empty while running and after success
	RDDs          []RDDInfo
	Accumulables  []Accumulable
	Profile       int
}

// JobStart announces a job with all its stages; some of them may be skipped.
type JobStart struct {
	Job         JobID
	Time        time.Time
	Stages      []StageInfo
	Group       string
	Description string
	Tags        []string
	Properties  map[string]string
}

// JobEnd closes a job. Err is nil after success.
type JobEnd struct {
	Job  JobID
	Time time.Time
	Err  error
}

// StageSubmitted announces that tasks of a stage attempt may start. Group, Description, Tags and Properties are those of the
// job that brought the stage.
type StageSubmitted struct {
	Stage       StageInfo
	Group       string
	Description string
	Tags        []string
	Properties  map[string]string
}

// StageCompleted closes a stage attempt, good or bad.
type StageCompleted struct{ Stage StageInfo }

// TaskInfo describes one task attempt. Index counts within the stage attempt, Partition within the stage.
type TaskInfo struct {
	Task          TaskID
	Index         int
	Attempt       int
	Partition     int
	Launch        time.Time
	Finish        time.Time
	GettingResult time.Time
	Executor      ExecutorID
	Host          string
	Locality      Locality
	Speculative   bool
	Failed        bool
	Killed        bool
	Accumulables  []Accumulable
}

// TaskStart announces a launched attempt.
type TaskStart struct {
	Stage        StageID
	StageAttempt int
	Info         TaskInfo
}

// TaskGettingResult says that the driver began to fetch a large result.
type TaskGettingResult struct{ Info TaskInfo }

// SpeculativeTaskSubmitted says that a second attempt of a slow task was asked for.
type SpeculativeTaskSubmitted struct {
	Stage        StageID
	StageAttempt int
	Index        int
	Partition    int
}

// TaskEnd closes an attempt. Metrics is nil when the executor could not report any.
type TaskEnd struct {
	Stage        StageID
	StageAttempt int
	TaskType     string // ShuffleMapTask or ResultTask
	Reason       Reason
	Info         TaskInfo
	Metrics      *TaskMetrics
	Peaks        *ExecutorMetrics
}

// ExecutorAdded announces an executor.
type ExecutorAdded struct {
	Time       time.Time
	Executor   ExecutorID
	Host       string
	Cores      int
	LogURLs    map[string]string
	Attributes map[string]string
	Profile    int
}

// ExecutorRemoved closes an executor.
type ExecutorRemoved struct {
	Time     time.Time
	Executor ExecutorID
	Reason   string
}

// ExecutorExcluded says that an executor gets no tasks for a while after failures.
// With Stage >= 0 the exclusion holds for that stage attempt only.
type ExecutorExcluded struct {
	Time         time.Time
	Executor     ExecutorID
	Failures     int
	Stage        StageID
	StageAttempt int
}

// ExecutorUnexcluded ends an application-wide exclusion.
type ExecutorUnexcluded struct {
	Time     time.Time
	Executor ExecutorID
}

// NodeExcluded says that all executors of a host get no tasks for a while; Stage as in ExecutorExcluded.
type NodeExcluded struct {
	Time         time.Time
	Host         string
	Failures     int
	Stage        StageID
	StageAttempt int
}

// NodeUnexcluded ends an application-wide exclusion of a host.
type NodeUnexcluded struct {
	Time time.Time
	Host string
}

// ExecutorMetricsUpdate is the part of a heartbeat that listeners see.
type ExecutorMetricsUpdate struct {
	Executor ExecutorID
	Tasks    []TaskProgress
	Peaks    map[StageAttemptID]ExecutorMetrics
}

// StageAttemptID names one attempt of a stage.
type StageAttemptID struct {
	Stage   StageID
	Attempt int
}

// TaskProgress is what a running task has counted so far.
type TaskProgress struct {
	Task         TaskID
	Stage        StageID
	StageAttempt int
	Updates      []Accumulable
}

// StageExecutorMetrics gives the peaks of an executor over a finished stage attempt.
type StageExecutorMetrics struct {
	Executor ExecutorID
	Stage    StageAttemptID
	Peaks    ExecutorMetrics
}

// BlockManagerAdded announces a block store. Sizes are bytes.
type BlockManagerAdded struct {
	Time                       time.Time
	ID                         BlockManagerID
	MaxMemory, OnHeap, OffHeap int64
}

// BlockManagerRemoved closes a block store.
type BlockManagerRemoved struct {
	Time time.Time
	ID   BlockManagerID
}

// BlockUpdated says how a block is stored now.
type BlockUpdated struct {
	ID     BlockManagerID
	Status BlockStatus
}

// UnpersistRDD says that a cached RDD was dropped.
type UnpersistRDD struct{ RDD RDDID }

// Dropped is told to a listener that lost events because it was too slow: how many since the last one it got.
type Dropped struct{ Count int64 }

// schedulerPackage is part of the names that Spark gives to events whose form in the log is that of their class.
const schedulerPackage = "org.apache.spark.scheduler."

// EventName of each event is the name in the event log.
func (LogStart) EventName() string              { return "SparkListenerLogStart" }
func (ApplicationStart) EventName() string      { return "SparkListenerApplicationStart" }
func (ApplicationEnd) EventName() string        { return "SparkListenerApplicationEnd" }
func (EnvironmentUpdate) EventName() string     { return "SparkListenerEnvironmentUpdate" }
func (ResourceProfileAdded) EventName() string  { return "SparkListenerResourceProfileAdded" }
func (JobStart) EventName() string              { return "SparkListenerJobStart" }
func (JobEnd) EventName() string                { return "SparkListenerJobEnd" }
func (StageSubmitted) EventName() string        { return "SparkListenerStageSubmitted" }
func (StageCompleted) EventName() string        { return "SparkListenerStageCompleted" }
func (TaskStart) EventName() string             { return "SparkListenerTaskStart" }
func (TaskGettingResult) EventName() string     { return "SparkListenerTaskGettingResult" }
func (TaskEnd) EventName() string               { return "SparkListenerTaskEnd" }
func (ExecutorAdded) EventName() string         { return "SparkListenerExecutorAdded" }
func (ExecutorRemoved) EventName() string       { return "SparkListenerExecutorRemoved" }
func (ExecutorMetricsUpdate) EventName() string { return "SparkListenerExecutorMetricsUpdate" }
func (StageExecutorMetrics) EventName() string  { return "SparkListenerStageExecutorMetrics" }
func (BlockManagerAdded) EventName() string     { return "SparkListenerBlockManagerAdded" }
func (BlockManagerRemoved) EventName() string   { return "SparkListenerBlockManagerRemoved" }
func (BlockUpdated) EventName() string          { return "SparkListenerBlockUpdated" }
func (UnpersistRDD) EventName() string          { return "SparkListenerUnpersistRDD" }
func (Dropped) EventName() string               { return "FiresteelListenerDropped" }

func (SpeculativeTaskSubmitted) EventName() string {
	return schedulerPackage + "SparkListenerSpeculativeTaskSubmitted"
}
func (ExecutorUnexcluded) EventName() string {
	return schedulerPackage + "SparkListenerExecutorUnexcluded"
}
func (NodeUnexcluded) EventName() string { return schedulerPackage + "SparkListenerNodeUnexcluded" }

// EventName tells exclusion for the application from exclusion for one stage.
func (e ExecutorExcluded) EventName() string {
	if e.Stage >= 0 {
		return schedulerPackage + "SparkListenerExecutorExcludedForStage"
	}
	return schedulerPackage + "SparkListenerExecutorExcluded"
}

// EventName tells exclusion for the application from exclusion for one stage.
func (e NodeExcluded) EventName() string {
	if e.Stage >= 0 {
		return schedulerPackage + "SparkListenerNodeExcludedForStage"
	}
	return schedulerPackage + "SparkListenerNodeExcluded"
}
