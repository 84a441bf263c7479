package event

import "time"

// ConnectService opens (or closes) the Spark Connect server of the application.
type ConnectService struct {
	Time  time.Time
	Host  string
	Port  int
	Ended bool
}

// ConnectSession opens (or closes) a session of a client.
type ConnectSession struct {
	Time          time.Time
	Session, User string
	Ended         bool
}

// ConnectOperationStarted opens an operation of a session. JobTag is among the tags of its jobs.
type ConnectOperationStarted struct {
	Time              time.Time
	JobTag, Operation string
	Session, User     string
	Statement         string
	Tags              []string // the client's
}

// ConnectState is what an operation has come to.
type ConnectState uint8

// The states of an operation. It is closed when its results are not kept any more.
const (
	ConnectFinished ConnectState = iota
	ConnectFailed
	ConnectCanceled
	ConnectClosed
)

var connectStates = [...]string{"Finished", "Failed", "Canceled", "Closed"}

// ConnectOperation tells of a new state of an operation. Err is that of one that failed, Rows counts what one that finished
// gave.
type ConnectOperation struct {
	Time              time.Time
	JobTag, Operation string
	State             ConnectState
	Err               error
	Rows              int64
}

const connectPackage = "org.apache.spark.sql.connect.service.SparkListenerConnect"

func startedOr(ended bool, end string) string {
	if ended {
		return end
	}
	return "Started"
}

// EventName of each Connect event carries the package it has in Spark's log.
func (e ConnectService) EventName() string {
	return connectPackage + "Service" + startedOr(e.Ended, "End")
}
func (e ConnectSession) EventName() string {
	return connectPackage + "Session" + startedOr(e.Ended, "Closed")
}
func (ConnectOperationStarted) EventName() string { return connectPackage + "OperationStarted" }
func (e ConnectOperation) EventName() string {
	return connectPackage + "Operation" + connectStates[e.State]
}
