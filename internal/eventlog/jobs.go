package eventlog

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/event"
)

type jobStart struct {
	Event      string
	Job        event.JobID     `json:"Job ID"`
	Time       int64           `json:"Submission Time"`
	Stages     []stageInfo     `json:"Stage Infos"`
	IDs        []event.StageID `json:"Stage IDs"`
	Properties map[string]string
}

func (e *encoder) jobStart(name string, ev *event.JobStart) jobStart {
	f := jobStart{Event: name, Job: ev.Job, Time: millis(ev.Time), Stages: []stageInfo{}, IDs: []event.StageID{}}
	pool := ""
	for i := range ev.Stages {
		s := &ev.Stages[i]
		f.Stages, f.IDs, pool = append(f.Stages, stageForm(s, nil)), append(f.IDs, s.ID), s.Pool
	}
	f.Properties = e.properties(ev.Properties, ev.Group, ev.Description, pool, ev.Tags)
	return f
}

type jobEnd struct {
	Event  string
	Job    event.JobID `json:"Job ID"`
	Time   int64       `json:"Completion Time"`
	Result jobResult   `json:"Job Result"`
}

type jobResult struct {
	Result    string
	Exception *exception `json:",omitempty"`
}

type exception struct {
	Message string
	Stack   []struct{} `json:"Stack Trace"`
}

func (e *encoder) result(err error) jobResult {
	if err == nil {
		return jobResult{Result: "JobSucceeded"}
	}
	return jobResult{"JobFailed", &exception{e.redactText(err.Error()), []struct{}{}}}
}

type stageSubmitted struct {
	Event      string
	Stage      stageInfo `json:"Stage Info"`
	Properties map[string]string
}

type stageCompleted struct {
	Event string
	Stage stageInfo `json:"Stage Info"`
}

type stageInfo struct {
	ID           event.StageID   `json:"Stage ID"`
	Attempt      int             `json:"Stage Attempt ID"`
	Name         string          `json:"Stage Name"`
	Tasks        int             `json:"Number of Tasks"`
	RDDs         []rddInfo       `json:"RDD Info"`
	Parents      []event.StageID `json:"Parent IDs"`
	Details      string
	Submitted    int64  `json:"Submission Time,omitempty"`
	Completed    int64  `json:"Completion Time,omitempty"`
	Failure      string `json:"Failure Reason,omitempty"`
	Accumulables []accumulable
	Profile      int  `json:"Resource Profile Id"`
	Push         bool `json:"Shuffle Push Enabled"`
	Mergers      int  `json:"Shuffle Push Mergers Count"`
}

func stageForm(s *event.StageInfo, counted []accumulable) stageInfo {
	f := stageInfo{ID: s.ID, Attempt: s.Attempt, Name: s.Name, Tasks: s.Tasks, RDDs: []rddInfo{}, Parents: s.Parents, Details: s.Details,
		Submitted: millis(s.Submitted), Completed: millis(s.Completed), Failure: s.FailureReason, Accumulables: counted, Profile: s.Profile}
	if f.Parents == nil {
		f.Parents = []event.StageID{}
	}
	if f.Accumulables == nil {
		f.Accumulables = []accumulable{}
	}
	for i := range s.RDDs {
		f.RDDs = append(f.RDDs, rddForm(&s.RDDs[i]))
	}
	return f
}

type rddInfo struct {
	ID            event.RDDID `json:"RDD ID"`
	Name          string
	Scope         string        `json:",omitempty"`
	CallSite      string        `json:"Callsite"`
	Parents       []event.RDDID `json:"Parent IDs"`
	Level         storageLevel  `json:"Storage Level"`
	Barrier       bool
	Deterministic string `json:"DeterministicLevel"`
	Partitions    int    `json:"Number of Partitions"`
	Cached        int    `json:"Number of Cached Partitions"`
	Mem           int64  `json:"Memory Size"`
	Disk          int64  `json:"Disk Size"`
}

func rddForm(r *event.RDDInfo) rddInfo {
	f := rddInfo{r.ID, r.Name, r.Scope, r.CallSite, r.Parents, levelOf(r.StorageLevel), r.Barrier, r.DeterministicLvl, r.Partitions,
		r.CachedPartitions, r.MemSize, r.DiskSize}
	if f.Parents == nil {
		f.Parents = []event.RDDID{}
	}
	if f.Deterministic == "" {
		f.Deterministic = "DETERMINATE"
	}
	return f
}

type storageLevel struct {
	Disk         bool `json:"Use Disk"`
	Memory       bool `json:"Use Memory"`
	OffHeap      bool `json:"Use Off Heap"`
	Deserialized bool
	Replication  int
}

// levelOf takes the name of a storage level apart: MEMORY_AND_DISK_2.
func levelOf(name string) storageLevel {
	l := storageLevel{Disk: strings.Contains(name, "DISK"), Memory: strings.Contains(name, "MEMORY") || name == "OFF_HEAP", OffHeap: name == "OFF_HEAP",
		Replication: 1}
	l.Deserialized = l.Memory && !l.OffHeap && !strings.Contains(name, "_SER")
	if l.OffHeap {
		l.Disk = true
	}
	if i := strings.LastIndexByte(name, '_'); i >= 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil {
			l.Replication = n
		}
	}
	return l
}
