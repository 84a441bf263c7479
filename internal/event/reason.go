package event

import (
	"errors"
	"fmt"
	"strings"
)

// Reason says why a task attempt ended. It is one of the types of this file. Reasons travel
// typed from the task to the client: what the scheduler does follows from the type alone.
type Reason interface {
	// Name is Spark's name in the event log, e.g. "ExceptionFailure".
	Name() string
	// Describe is the text shown to people, as in "most recent failure: …".
	Describe() string
}

// Success is the reason of an attempt that did its work.
type Success struct{}

// ExceptionFailure is an error of the task's own code. Err keeps its type.
type ExceptionFailure struct {
	Err error
	// Fatal says that another attempt cannot help (a result that cannot be encoded, an output that exists already).
	Fatal bool
}

// FetchFailed says that a map output could not be read: the map stage must be repeated for it.
// Map is -1 when no single output is to blame (the locations themselves were missing). From is
// the executor that should have served it, empty if unknown.
type FetchFailed struct {
	Shuffle ShuffleID
	Map     int
	Reduce  int
	From    ExecutorID
	Host    string
	Cause   error
}

// ExecutorLostFailure says that the executor went away below the attempt. Blameless says that
// this was the platform's doing (preemption, decommission, node loss) and never counts against the task.
type ExecutorLostFailure struct {
	Executor  ExecutorID
	Cause     string
	Blameless bool
}

// TaskKilled says that the driver asked for the end of the attempt.
type TaskKilled struct{ Cause string }

// TaskCommitDenied says that another attempt holds the right to commit the partition.
type TaskCommitDenied struct {
	Stage              StageID
	Partition, Attempt int
}

// TaskResultLost says that the result was gone from the executor's block store when it was fetched.
type TaskResultLost struct{}

// Resubmitted says that a finished map task must run again, for its output was lost with its executor.
type Resubmitted struct{}

// UnknownReason is an end without an explanation.
type UnknownReason struct{}

func (Success) Name() string             { return "Success" }
func (ExceptionFailure) Name() string    { return "ExceptionFailure" }
func (FetchFailed) Name() string         { return "FetchFailed" }
func (ExecutorLostFailure) Name() string { return "ExecutorLostFailure" }
func (TaskKilled) Name() string          { return "TaskKilled" }
func (TaskCommitDenied) Name() string    { return "TaskCommitDenied" }
func (TaskResultLost) Name() string      { return "TaskResultLost" }
func (Resubmitted) Name() string         { return "Resubmitted" }
func (UnknownReason) Name() string       { return "UnknownReason" }

// Describe is "Success".
func (Success) Describe() string { return "Success" }

// Describe is the text of the error.
func (r ExceptionFailure) Describe() string {
	if r.Err == nil {
		return "unknown error"
	}
	return r.Err.Error()
}

// Describe names the block and the executor that did not serve it.
func (r FetchFailed) Describe() string {
	at := "null"
	if r.From != "" {
		at = fmt.Sprintf("BlockManagerId(%s, %s)", r.From, r.Host)
	}
	text := fmt.Sprintf("FetchFailed(%s, shuffleId=%d, mapIndex=%d, reduceId=%d", at, r.Shuffle, r.Map, r.Reduce)
	if r.Cause != nil {
		text += ", message=" + r.Cause.Error()
	}
	return text + ")"
}

// Describe says which executor went and why.
func (r ExecutorLostFailure) Describe() string {
	how := "caused by one of the running tasks"
	if r.Blameless {
		how = "unrelated to the running tasks"
	}
	text := fmt.Sprintf("ExecutorLostFailure (executor %s exited %s)", r.Executor, how)
	if r.Cause != "" {
		text += " Reason: " + strings.TrimSpace(r.Cause)
	}
	return text
}

// Describe says by whom or why.
func (r TaskKilled) Describe() string { return "TaskKilled (" + r.Cause + ")" }

// Describe names stage, partition and attempt.
func (r TaskCommitDenied) Describe() string {
	return fmt.Sprintf("TaskCommitDenied (Driver denied task commit) for job: %d, partition: %d, attemptNumber: %d",
		r.Stage, r.Partition, r.Attempt)
}

// Describe is fixed text.
func (TaskResultLost) Describe() string { return "TaskResultLost (result lost from block manager)" }

// Describe is fixed text.
func (Resubmitted) Describe() string { return "Resubmitted (resubmitted due to lost executor)" }

// Describe is fixed text.
func (UnknownReason) Describe() string { return "UnknownReason" }

// FetchError is the error by which a reader of shuffle blocks reports a FetchFailed through
// ordinary Go error returns. ReasonOf finds it below any wrapping.
type FetchError struct{ FetchFailed }

// Error is the description of the failure.
func (e *FetchError) Error() string { return e.Describe() }

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Cause }

// CommitDeniedError is the error by which a committer reports that it was denied.
type CommitDeniedError struct{ TaskCommitDenied }

// Error is the description of the denial.
func (e *CommitDeniedError) Error() string { return e.Describe() }

// KilledError is the error (and the context cause) of an attempt that was told to end.
type KilledError struct{ TaskKilled }

// Error is the description of the kill.
func (e *KilledError) Error() string { return e.Describe() }

// ReasonOf gives the reason that an error of a task stands for; a nil error is Success. A fetch
// failure wins over everything it is wrapped in, so that user code which catches and rewraps
// errors cannot hide it.
func ReasonOf(err error) Reason {
	if err == nil {
		return Success{}
	}
	var fetch *FetchError
	if errors.As(err, &fetch) {
		return fetch.FetchFailed
	}
	var killed *KilledError
	if errors.As(err, &killed) {
		return killed.TaskKilled
	}
	var denied *CommitDeniedError
	if errors.As(err, &denied) {
		return denied.TaskCommitDenied
	}
	return ExceptionFailure{Err: err}
}
