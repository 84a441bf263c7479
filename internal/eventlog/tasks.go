package eventlog

import (
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

type taskStart struct {
	Event   string
	Stage   event.StageID `json:"Stage ID"`
	Attempt int           `json:"Stage Attempt ID"`
	Info    taskInfo      `json:"Task Info"`
}

type taskGettingResult struct {
	Event string
	Info  taskInfo `json:"Task Info"`
}

type taskInfo struct {
	ID            event.TaskID `json:"Task ID"`
	Index         int
	Attempt       int
	Partition     int              `json:"Partition ID"`
	Launch        int64            `json:"Launch Time"`
	Executor      event.ExecutorID `json:"Executor ID"`
	Host          string
	Locality      string
	Speculative   bool
	GettingResult int64 `json:"Getting Result Time"`
	Finish        int64 `json:"Finish Time"`
	Failed        bool
	Killed        bool
	Accumulables  []accumulable
}

func taskForm(t *event.TaskInfo, counted []accumulable) taskInfo {
	f := taskInfo{t.Task, t.Index, t.Attempt, t.Partition, millis(t.Launch), t.Executor, t.Host, t.Locality.String(), t.Speculative,
		millis(t.GettingResult), millis(t.Finish), t.Failed, t.Killed, counted}
	if f.Accumulables == nil {
		f.Accumulables = []accumulable{}
	}
	return f
}

type taskEnd struct {
	Event   string
	Stage   event.StageID `json:"Stage ID"`
	Attempt int           `json:"Stage Attempt ID"`
	Type    string        `json:"Task Type"`
	Reason  any           `json:"Task End Reason"`
	Info    taskInfo      `json:"Task Info"`
	Peaks   peaks         `json:"Task Executor Metrics"`
	Metrics *taskMetrics  `json:"Task Metrics,omitempty"`
}

func (e *encoder) taskEnd(name string, ev *event.TaskEnd) taskEnd {
	return taskEnd{Event: name, Stage: ev.Stage, Attempt: ev.StageAttempt, Type: ev.TaskType, Reason: e.reason(ev.Reason),
		Info: taskForm(&ev.Info, e.sums.task(ev)), Peaks: peaksForm(ev.Peaks), Metrics: metricsForm(ev.Metrics)}
}

// The reasons of tasks' ends.

type plainReason struct{ Reason string }

type fetchFailed struct {
	Reason  string
	From    *blockManager   `json:"Block Manager Address,omitempty"`
	Shuffle event.ShuffleID `json:"Shuffle ID"`
	MapID   int             `json:"Map ID"`
	Map     int             `json:"Map Index"`
	Reduce  int             `json:"Reduce ID"`
	Message string
}

type exceptionFailure struct {
	Reason      string
	Class       string `json:"Class Name"`
	Description string
	Stack       []struct{} `json:"Stack Trace"`
	FullStack   string     `json:"Full Stack Trace"`
	Updates     []struct{} `json:"Accumulator Updates"`
}

type executorLost struct {
	Reason string
	ID     event.ExecutorID `json:"Executor ID"`
	ByApp  bool             `json:"Exit Caused By App"`
	Loss   string           `json:"Loss Reason"`
}

type taskKilled struct {
	Reason  string
	Why     string     `json:"Kill Reason"`
	Updates []struct{} `json:"Accumulator Updates"`
}

type commitDenied struct {
	Reason    string
	Job       event.StageID `json:"Job ID"` // Spark puts the stage there, too
	Partition int           `json:"Partition ID"`
	Attempt   int           `json:"Attempt Number"`
}

func (e *encoder) reason(r event.Reason) any {
	if r == nil {
		r = event.UnknownReason{}
	}
	name := r.Name()
	switch r := r.(type) {
	case event.FetchFailed:
		f := fetchFailed{Reason: name, Shuffle: r.Shuffle, MapID: r.Map, Map: r.Map, Reduce: r.Reduce, Message: r.Describe()}
		if at, ok := e.places[r.From]; ok {
			f.From = &at
		}
		return f
	case event.ExceptionFailure:
		return e.exceptionForm(name, &r)
	case event.ExecutorLostFailure:
		return executorLost{name, r.Executor, !r.Blameless, r.Cause}
	case event.TaskKilled:
		return taskKilled{name, r.Cause, []struct{}{}}
	case event.TaskCommitDenied:
		return commitDenied{name, r.Stage, r.Partition, r.Attempt}
	}
	return plainReason{name}
}

// plainException is the class of errors that have none of Spark's.
const plainException = "org.apache.spark.SparkException"

func (e *encoder) exceptionForm(name string, r *event.ExceptionFailure) exceptionFailure {
	text := e.redactText(r.Describe())
	f := exceptionFailure{Reason: name, Class: plainException, Description: text, Stack: []struct{}{}, Updates: []struct{}{}}
	stack := ""
	if se, ok := sparkerr.As(r.Err); ok {
		f.Class = se.Classes()[0]
		if se.Stack != "" {
			stack = "\n" + se.Stack
		}
	}
	f.FullStack = f.Class + ": " + text + stack
	return f
}

// taskMetrics are in Spark's units: ms, but CPU time and shuffle write time ns.
type taskMetrics struct {
	DeserializeTime int64         `json:"Executor Deserialize Time"`
	DeserializeCPU  int64         `json:"Executor Deserialize CPU Time"`
	RunTime         int64         `json:"Executor Run Time"`
	CPUTime         int64         `json:"Executor CPU Time"`
	PeakMemory      int64         `json:"Peak Execution Memory"`
	PeakOnHeap      int64         `json:"Peak On Heap Execution Memory"`
	PeakOffHeap     int64         `json:"Peak Off Heap Execution Memory"`
	ResultSize      int64         `json:"Result Size"`
	GCTime          int64         `json:"JVM GC Time"`
	SerializeTime   int64         `json:"Result Serialization Time"`
	MemorySpilled   int64         `json:"Memory Bytes Spilled"`
	DiskSpilled     int64         `json:"Disk Bytes Spilled"`
	Read            shuffleRead   `json:"Shuffle Read Metrics"`
	Write           shuffleWrite  `json:"Shuffle Write Metrics"`
	Input           inputMetrics  `json:"Input Metrics"`
	Output          outputMetrics `json:"Output Metrics"`
	Blocks          []blockState  `json:"Updated Blocks"`
}

type shuffleRead struct {
	RemoteBlocks  int64 `json:"Remote Blocks Fetched"`
	LocalBlocks   int64 `json:"Local Blocks Fetched"`
	Wait          int64 `json:"Fetch Wait Time"`
	RemoteBytes   int64 `json:"Remote Bytes Read"`
	ToDisk        int64 `json:"Remote Bytes Read To Disk"`
	LocalBytes    int64 `json:"Local Bytes Read"`
	Records       int64 `json:"Total Records Read"`
	RemoteReqTime int64 `json:"Remote Requests Duration"`
}

type shuffleWrite struct {
	Bytes   int64 `json:"Shuffle Bytes Written"`
	Time    int64 `json:"Shuffle Write Time"`
	Records int64 `json:"Shuffle Records Written"`
}

type inputMetrics struct {
	Bytes   int64 `json:"Bytes Read"`
	Records int64 `json:"Records Read"`
}

type outputMetrics struct {
	Bytes   int64 `json:"Bytes Written"`
	Records int64 `json:"Records Written"`
}

type blockState struct {
	Block  string `json:"Block ID"`
	Status blockStatus
}

type blockStatus struct {
	Level storageLevel `json:"Storage Level"`
	Mem   int64        `json:"Memory Size"`
	Disk  int64        `json:"Disk Size"`
}

func metricsForm(m *event.TaskMetrics) *taskMetrics {
	if m == nil {
		return nil
	}
	r, w := &m.ShuffleRead, &m.ShuffleWrite
	f := &taskMetrics{
		DeserializeTime: m.ExecutorDeserializeTime.Milliseconds(), DeserializeCPU: m.ExecutorDeserializeCPUTime.Nanoseconds(),
		RunTime: m.ExecutorRunTime.Milliseconds(), CPUTime: m.ExecutorCPUTime.Nanoseconds(), PeakMemory: m.PeakExecutionMemory,
		PeakOnHeap: m.PeakOnHeapMemory, PeakOffHeap: m.PeakOffHeapMemory, ResultSize: m.ResultSize, GCTime: m.GCTime.Milliseconds(),
		SerializeTime: m.ResultSerializationTime.Milliseconds(), MemorySpilled: m.MemoryBytesSpilled, DiskSpilled: m.DiskBytesSpilled,
		Read: shuffleRead{r.RemoteBlocksFetched, r.LocalBlocksFetched, r.FetchWaitTime.Milliseconds(), r.RemoteBytesRead, r.RemoteBytesReadToDisk,
			r.LocalBytesRead, r.RecordsRead, r.RemoteReqsDuration.Milliseconds()},
		Write: shuffleWrite{w.BytesWritten, w.WriteTime.Nanoseconds(), w.RecordsWritten},
		Input: inputMetrics{m.Input.BytesRead, m.Input.RecordsRead}, Output: outputMetrics{m.Output.BytesWritten, m.Output.RecordsWritten}, Blocks: []blockState{},
	}
	for _, b := range m.UpdatedBlocks {
		f.Blocks = append(f.Blocks, blockState{b.Block, blockStatus{levelOf(b.Level), b.MemSize, b.DiskSize}})
	}
	return f
}

// peaks are the executor metrics, in their order; the fields have their names.
type peaks struct {
	JVMHeapMemory, JVMOffHeapMemory, OnHeapExecutionMemory, OffHeapExecutionMemory,
	OnHeapStorageMemory, OffHeapStorageMemory, OnHeapUnifiedMemory, OffHeapUnifiedMemory,
	DirectPoolMemory, MappedPoolMemory, ProcessTreeJVMVMemory, ProcessTreeJVMRSSMemory,
	ProcessTreePythonVMemory, ProcessTreePythonRSSMemory, ProcessTreeOtherVMemory, ProcessTreeOtherRSSMemory,
	MinorGCCount, MinorGCTime, MajorGCCount, MajorGCTime,
	TotalGCTime, ConcurrentGCCount, ConcurrentGCTime int64
}

func peaksForm(p *event.ExecutorMetrics) peaks {
	if p == nil {
		return peaks{}
	}
	return peaks{p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7],
		p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15],
		p[16], p[17], p[18], p[19], p[20], p[21], p[22]}
}
