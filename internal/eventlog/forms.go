package eventlog

import (
	"github.com/firesteel/firesteel/internal/event"
)

// The types of this file are lines of the log: their fields have Spark's names and order. Event is the event's name.

type logStart struct {
	Event   string
	Version string `json:"Spark Version"`
}

type applicationStart struct {
	Event     string
	Name      string `json:"App Name"`
	ID        string `json:"App ID"`
	Timestamp int64
	User      string
	Attempt   string `json:"App Attempt ID,omitempty"`
}

type applicationEnd struct {
	Event     string
	Timestamp int64
	ExitCode  int
}

type environmentUpdate struct {
	Event     string
	Runtime   map[string]string `json:"JVM Information"`
	Spark     map[string]string `json:"Spark Properties"`
	Hadoop    map[string]string `json:"Hadoop Properties"`
	System    map[string]string `json:"System Properties"`
	Metrics   map[string]string `json:"Metrics Properties"`
	Classpath map[string]string `json:"Classpath Entries"`
}

type profileAdded struct {
	Event    string
	ID       int                        `json:"Resource Profile Id"`
	Executor map[string]executorRequest `json:"Executor Resource Requests"`
	Task     map[string]taskRequest     `json:"Task Resource Requests"`
}

type executorRequest struct {
	Name   string `json:"Resource Name"`
	Amount int64
	Script string `json:"Discovery Script"`
	Vendor string
}

type taskRequest struct {
	Name   string `json:"Resource Name"`
	Amount float64
}

func profileForm(name string, p *event.ResourceProfileAdded) profileAdded {
	f := profileAdded{Event: name, ID: p.ID, Executor: map[string]executorRequest{}, Task: map[string]taskRequest{"cpus": {"cpus", float64(p.TaskCPUs)}}}
	for resource, n := range map[string]int64{"cores": int64(p.ExecutorCores), "memory": p.ExecutorMemory >> 20, "offHeap": p.OffHeapSize >> 20} {
		f.Executor[resource] = executorRequest{Name: resource, Amount: n}
	}
	return f
}

type executorAdded struct {
	Event     string
	Timestamp int64
	ID        event.ExecutorID `json:"Executor ID"`
	Info      executorInfo     `json:"Executor Info"`
}

type executorInfo struct {
	Host       string
	Cores      int               `json:"Total Cores"`
	LogURLs    map[string]string `json:"Log Urls"`
	Attributes map[string]string
	Resources  struct{}
	Profile    int `json:"Resource Profile Id"`
}

type executorRemoved struct {
	Event     string
	Timestamp int64
	ID        event.ExecutorID `json:"Executor ID"`
	Reason    string           `json:"Removed Reason"`
}

type blockManager struct {
	Executor event.ExecutorID `json:"Executor ID"`
	Host     string
	Port     int
}

// placeOf is a block manager as readers take it: they refuse one without a port.
func placeOf(id event.BlockManagerID) blockManager {
	return blockManager{id.Executor, id.Host, max(id.Port, 1)}
}

type blockManagerAdded struct {
	Event     string
	ID        blockManager `json:"Block Manager ID"`
	Memory    int64        `json:"Maximum Memory"`
	Timestamp int64
	OnHeap    int64 `json:"Maximum Onheap Memory"`
	OffHeap   int64 `json:"Maximum Offheap Memory"`
}

type blockManagerRemoved struct {
	Event     string
	ID        blockManager `json:"Block Manager ID"`
	Timestamp int64
}

type unpersistRDD struct {
	Event string
	RDD   event.RDDID `json:"RDD ID"`
}

type blockUpdated struct {
	Event string
	Info  blockInfo `json:"Block Updated Info"`
}

type blockInfo struct {
	ID    blockManager `json:"Block Manager ID"`
	Block string       `json:"Block ID"`
	Level storageLevel `json:"Storage Level"`
	Mem   int64        `json:"Memory Size"`
	Disk  int64        `json:"Disk Size"`
}

type speculativeTask struct {
	Event   string
	Stage   event.StageID `json:"stageId"`
	Attempt int           `json:"stageAttemptId"`
}

type executorExcluded struct {
	Event    string
	Time     int64            `json:"time"`
	Executor event.ExecutorID `json:"executorId"`
	Failures int              `json:"taskFailures,omitempty"`
	Stage    *event.StageID   `json:"stageId,omitempty"`
	Attempt  *int             `json:"stageAttemptId,omitempty"`
}

type nodeExcluded struct {
	Event    string
	Time     int64          `json:"time"`
	Host     string         `json:"hostId"`
	Failures int            `json:"executorFailures,omitempty"`
	Stage    *event.StageID `json:"stageId,omitempty"`
	Attempt  *int           `json:"stageAttemptId,omitempty"`
}
