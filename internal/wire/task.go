// Package wire is what travels between a driver and its executors: tasks, what became of them, and the encoding of plans.
//
// A stage's work travels once to each executor that gets a task of it, as driver.Work; a task itself is a few numbers.
package wire

import "github.com/firesteel/firesteel/internal/event"

// Task is one task attempt on its way to an executor.
type Task struct {
	ID           event.TaskID
	Work         int64       // of its stage: see Work
	Job          event.JobID // that brought the stage
	Stage        event.StageID
	StageAttempt int
	Partition    int
	Attempt      int
	Tasks        int // of the stage
	Executor     event.ExecutorID
	Locality     event.Locality
	Speculative  bool
	Epoch        int64 // map output locations older than it must not be used
	Peers        []event.ExecutorID
	Group        string
	Tags         []string
	Properties   map[string]string
}

// Work is the work of a stage as data. Kind names who runs it on the executor; Data is decoded once a process.
type Work struct {
	ID   int64
	Kind string
	Data []byte
}

// The kinds of work.
const (
	PlanWork     = "plan"     // a fragment of a physical plan
	FunctionWork = "function" // functions of a Go application's own binary
)

// Outcome is what a task that did its work reports.
type Outcome struct {
	// Sizes are the bytes per reduce partition of a map task's output.
	Sizes []int64
	// Result is the task's result, if it is small enough to travel with the report.
	Result []byte
	// Stored names the block of the executor's store that holds a bigger result; whoever read it removes it.
	Stored     string
	ResultSize int64
	Accums     []event.Accumulable
	Metrics    *event.TaskMetrics
}
