package event

import "strconv"

// Ids count up from 0 within an application, except where said otherwise.
type (
	// JobID names one submitted job.
	JobID int32
	// StageID names one stage; its attempts are numbered from 0.
	StageID int32
	// ShuffleID names the output of one map stage (one exchange).
	ShuffleID int32
	// TaskID names one task attempt; it is unique in the application (Spark's TID).
	TaskID int64
	// RDDID names one RDD.
	RDDID int32
	// BroadcastID names one broadcast value.
	BroadcastID int64
	// AccumulatorID names one accumulator or SQL metric.
	AccumulatorID int64
	// ExecutionID names one SQL execution.
	ExecutionID int64
	// ExecutorID names one executor process; an id is never given twice. DriverExecutor is the driver itself.
	ExecutorID string
	// AppID names the application for all outside: UI, logs, cluster managers.
	AppID string
)

// DriverExecutor is the executor id of the driver, and of the only executor in local mode.
const DriverExecutor ExecutorID = "driver"

// FallbackStorage stands where an executor does for map outputs that lie in the fallback storage.
const FallbackStorage ExecutorID = "fallback"

// NoShuffle is the shuffle id of a stage that writes no shuffle output.
const NoShuffle ShuffleID = -1

// NoJob is the id of no job.
const NoJob JobID = -1

func (id JobID) String() string     { return strconv.Itoa(int(id)) }
func (id StageID) String() string   { return strconv.Itoa(int(id)) }
func (id ShuffleID) String() string { return strconv.Itoa(int(id)) }
func (id TaskID) String() string    { return strconv.FormatInt(int64(id), 10) }

// BlockManagerID says where a block store answers.
type BlockManagerID struct {
	Executor ExecutorID
	Host     string
	Port     int
}

// Locality says how near a task ran to its data; a smaller value is nearer.
type Locality uint8

// The locality levels, in Spark's order.
const (
	ProcessLocal Locality = iota
	NodeLocal
	NoPref
	RackLocal
	Any
)

var localityNames = [...]string{"PROCESS_LOCAL", "NODE_LOCAL", "NO_PREF", "RACK_LOCAL", "ANY"}

// String is Spark's name of the level, e.g. NODE_LOCAL.
func (l Locality) String() string { return localityNames[l] }
