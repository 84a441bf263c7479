package event

import "time"

// TaskMetrics is what one task attempt measured. Sizes are bytes. Durations are Go durations;
// the event log and REST render them in Spark's units (ms for wall time, ns for CPU and shuffle write).
type TaskMetrics struct {
	ExecutorDeserializeTime    time.Duration
	ExecutorDeserializeCPUTime time.Duration
	ExecutorRunTime            time.Duration
	ExecutorCPUTime            time.Duration
	ResultSize                 int64
	GCTime                     time.Duration // Spark: JVM GC Time
	ResultSerializationTime    time.Duration
	MemoryBytesSpilled         int64
	DiskBytesSpilled           int64
	PeakExecutionMemory        int64
	PeakOnHeapMemory           int64
	PeakOffHeapMemory          int64
	Input                      InputMetrics
	Output                     OutputMetrics
	ShuffleRead                ShuffleReadMetrics
	ShuffleWrite               ShuffleWriteMetrics
	UpdatedBlocks              []BlockStatus
}

// InputMetrics counts what a task read from sources.
type InputMetrics struct{ BytesRead, RecordsRead int64 }

// OutputMetrics counts what a task wrote to sinks.
type OutputMetrics struct{ BytesWritten, RecordsWritten int64 }

// ShuffleReadMetrics counts what a task pulled from map outputs.
type ShuffleReadMetrics struct {
	RemoteBlocksFetched   int64
	LocalBlocksFetched    int64
	FetchWaitTime         time.Duration
	RemoteBytesRead       int64
	RemoteBytesReadToDisk int64
	LocalBytesRead        int64
	RecordsRead           int64
	RemoteReqsDuration    time.Duration
}

// ShuffleWriteMetrics counts what a task wrote as map output.
type ShuffleWriteMetrics struct {
	BytesWritten, RecordsWritten int64
	WriteTime                    time.Duration
}

// Accumulable is one accumulator's part in a task or stage. Update is the task's own
// contribution and Value the total so far; either may be nil. Text is the contribution for people, where Update is in
// the form of a codec.
type Accumulable struct {
	ID            AccumulatorID
	Name          string
	Update, Value any
	Text          string
	Internal      bool
	CountFailed   bool
	Metadata      string // "sql" for SQL metrics
}

// BlockStatus says how one block is stored.
type BlockStatus struct {
	Block             string
	Level             string
	MemSize, DiskSize int64
	Rows              int64 // of a block of rows
	Copies            int   // how many executors should have it, where that is more than one
}

// ExecutorMetric indexes ExecutorMetrics.
type ExecutorMetric uint8

// The executor metrics in the order of Spark's event log.
const (
	JVMHeapMemory ExecutorMetric = iota
	JVMOffHeapMemory
	OnHeapExecutionMemory
	OffHeapExecutionMemory
	OnHeapStorageMemory
	OffHeapStorageMemory
	OnHeapUnifiedMemory
	OffHeapUnifiedMemory
	DirectPoolMemory
	MappedPoolMemory
	ProcessTreeJVMVMemory
	ProcessTreeJVMRSSMemory
	ProcessTreePythonVMemory
	ProcessTreePythonRSSMemory
	ProcessTreeOtherVMemory
	ProcessTreeOtherRSSMemory
	MinorGCCount
	MinorGCTime
	MajorGCCount
	MajorGCTime
	TotalGCTime
	ConcurrentGCCount
	ConcurrentGCTime
	NumExecutorMetrics
)

var executorMetricNames = [NumExecutorMetrics]string{
	"JVMHeapMemory", "JVMOffHeapMemory", "OnHeapExecutionMemory", "OffHeapExecutionMemory",
	"OnHeapStorageMemory", "OffHeapStorageMemory", "OnHeapUnifiedMemory", "OffHeapUnifiedMemory",
	"DirectPoolMemory", "MappedPoolMemory", "ProcessTreeJVMVMemory", "ProcessTreeJVMRSSMemory",
	"ProcessTreePythonVMemory", "ProcessTreePythonRSSMemory", "ProcessTreeOtherVMemory",
	"ProcessTreeOtherRSSMemory", "MinorGCCount", "MinorGCTime", "MajorGCCount", "MajorGCTime",
	"TotalGCTime", "ConcurrentGCCount", "ConcurrentGCTime",
}

// String is Spark's name of the metric.
func (m ExecutorMetric) String() string { return executorMetricNames[m] }

// ExecutorMetrics are the polled gauges of one executor (peaks, in events); bytes, counts and milliseconds.
type ExecutorMetrics [NumExecutorMetrics]int64
