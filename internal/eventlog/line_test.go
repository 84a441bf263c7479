package eventlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

var update = flag.Bool("update", false, "write the lines into testdata")

const queryID = "01a22081-0417-789d-8e19-8464b24a9cbc"

var at = time.UnixMilli(1_700_000_000_123)

// everything is at least one event of each kind, and one for each reason of a task's end.
func everything() []event.Event {
	stage := event.StageInfo{ID: 3, Attempt: 1, Name: "Project < Scan", Details: "why", Tasks: 4, Parents: []event.StageID{1, 2}, Pool: "p",
		Submitted: at, RDDs: []event.RDDInfo{{ID: 7, Name: "words", Scope: `{"id":"1","name":"map"}`, CallSite: "main.go:12", Parents: []event.RDDID{6},
			StorageLevel: "MEMORY_AND_DISK_2", Partitions: 4, CachedPartitions: 2, MemSize: 100, DiskSize: 50}}}
	over := stage
	over.Completed, over.FailureReason = at.Add(time.Second), "lost"
	info := event.TaskInfo{Task: 9, Index: 1, Attempt: 2, Partition: 3, Launch: at, Executor: "1", Host: "h", Locality: event.NodeLocal}
	counted := info
	counted.Finish = at.Add(time.Second)
	counted.Accumulables = []event.Accumulable{
		{ID: 5, Name: "number of output rows", Update: int64(12), Internal: true, CountFailed: true, Metadata: "sql"},
		{ID: 1<<32 + 1, Name: "seen", Update: "\x18", Text: "12"},
		{ID: 1<<32 + 2, Name: "ratio", Update: "?", Text: "0.5"},
		{ID: 1<<32 + 3, Name: "words", Update: "?", Text: "[a b]"},
	}
	metrics := &event.TaskMetrics{
		ExecutorDeserializeTime: time.Millisecond, ExecutorDeserializeCPUTime: 2 * time.Microsecond, ExecutorRunTime: 3 * time.Millisecond,
		ExecutorCPUTime: 4 * time.Microsecond, ResultSize: 5, GCTime: 6 * time.Millisecond, ResultSerializationTime: 7 * time.Millisecond,
		MemoryBytesSpilled: 8, DiskBytesSpilled: 9, PeakExecutionMemory: 10, PeakOnHeapMemory: 11, PeakOffHeapMemory: 12,
		Input: event.InputMetrics{BytesRead: 13, RecordsRead: 14}, Output: event.OutputMetrics{BytesWritten: 15, RecordsWritten: 16},
		ShuffleRead: event.ShuffleReadMetrics{RemoteBlocksFetched: 17, LocalBlocksFetched: 18, FetchWaitTime: 19 * time.Millisecond, RemoteBytesRead: 20,
			RemoteBytesReadToDisk: 21, LocalBytesRead: 22, RecordsRead: 23, RemoteReqsDuration: 24 * time.Millisecond},
		ShuffleWrite:  event.ShuffleWriteMetrics{BytesWritten: 25, RecordsWritten: 26, WriteTime: 27},
		UpdatedBlocks: []event.BlockStatus{{Block: "rdd_7_0", Level: "DISK_ONLY", DiskSize: 28}},
	}
	plan := &event.PlanInfo{NodeName: "Project", SimpleString: "Project [a#1]", Children: []*event.PlanInfo{{NodeName: "Scan parquet", SimpleString: "FileScan parquet",
		Metadata: map[string]string{"Format": "Parquet"}}}, Metrics: []event.MetricInfo{{Name: "number of output rows", ID: 5, Kind: "sum"}}}
	manager := event.BlockManagerID{Executor: "1", Host: "h", Port: 77}
	list := []event.Event{
		event.LogStart{Version: "4.2.0"},
		event.ResourceProfileAdded{ExecutorCores: 2, TaskCPUs: 1, ExecutorMemory: 1 << 30},
		event.BlockManagerAdded{Time: at, ID: event.BlockManagerID{Executor: "driver", Host: "d"}, MaxMemory: 99, OnHeap: 99},
		event.EnvironmentUpdate{Runtime: map[string]string{"Java Version": "none"}, Spark: map[string]string{"spark.master": "local", "spark.my.password": "hunter2"}},
		event.ApplicationStart{Name: "app <1>", ID: "app-1", Time: at, User: "me", Attempt: "1"},
		event.ExecutorAdded{Time: at, Executor: "1", Host: "h", Cores: 2, LogURLs: map[string]string{"stdout": "http://h/1"}},
		event.BlockManagerAdded{Time: at, ID: manager, MaxMemory: 88, OnHeap: 88},
		event.SQLExecutionStart{Execution: 4, Root: 4, Description: "select 1", Details: "d", PhysicalPlan: "== Physical Plan ==", Plan: plan, Time: at,
			ModifiedConfigs: map[string]string{"spark.sql.x": "1", "spark.sql.token": "t"}, JobTags: []string{"tag"}, JobGroup: "g", QueryID: queryID},
		event.SQLAdaptiveUpdate{Execution: 4, PhysicalPlan: "== Physical Plan ==", Plan: plan},
		event.SQLAdaptiveMetricUpdate{Execution: 4, Metrics: plan.Metrics},
		event.DriverAccumUpdates{Execution: 4, Updates: []event.AccumUpdate{{ID: 5, Value: 6}}},
		event.JobStart{Job: 2, Time: at, Stages: []event.StageInfo{stage}, Group: "g", Description: "what", Tags: []string{"a", "b"},
			Properties: map[string]string{"spark.sql.execution.id": "4", "api.token": "t"}},
		event.StageSubmitted{Stage: stage, Group: "g", Description: "what"},
		event.TaskStart{Stage: 3, StageAttempt: 1, Info: info},
		event.TaskGettingResult{Info: info},
		event.SpeculativeTaskSubmitted{Stage: 3, StageAttempt: 1, Index: 1, Partition: 3},
		event.TaskEnd{Stage: 3, StageAttempt: 1, TaskType: "ResultTask", Reason: event.Success{}, Info: counted, Metrics: metrics, Peaks: &event.ExecutorMetrics{1, 2}},
		event.BlockUpdated{ID: manager, Status: event.BlockStatus{Block: "rdd_7_0", Level: "MEMORY_ONLY", MemSize: 3}},
	}
	for _, r := range []event.Reason{
		event.ExceptionFailure{Err: sparkerr.New("DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`)},
		event.ExceptionFailure{Err: errors.New("disk is gone")},
		event.FetchFailed{Shuffle: 1, Map: 2, Reduce: 3, From: "1", Host: "h", Cause: errors.New("connection reset")},
		event.FetchFailed{Shuffle: 1, Map: -1, Reduce: 3},
		event.ExecutorLostFailure{Executor: "1", Cause: "killed by signal 9", Blameless: true}, event.TaskKilled{Cause: "Stage finished"},
		event.TaskCommitDenied{Stage: 3, Partition: 1, Attempt: 2}, event.TaskResultLost{}, event.Resubmitted{}, event.UnknownReason{},
	} {
		list = append(list, event.TaskEnd{Stage: 3, StageAttempt: 1, TaskType: "ShuffleMapTask", Reason: r, Info: info})
	}
	return append(list,
		event.StageCompleted{Stage: over},
		event.JobEnd{Job: 2, Time: at, Err: errors.New("Job aborted")}, event.JobEnd{Job: 3, Time: at},
		event.SQLExecutionEnd{Execution: 4, Time: at, Err: errors.New("[X] y"), QueryID: queryID}, event.SQLExecutionEnd{Execution: 5, Time: at},
		event.UnpersistRDD{RDD: 7},
		event.ExecutorExcluded{Time: at, Executor: "1", Failures: 2, Stage: -1}, event.ExecutorExcluded{Time: at, Executor: "1", Failures: 2, Stage: 3},
		event.ExecutorUnexcluded{Time: at, Executor: "1"},
		event.NodeExcluded{Time: at, Host: "h", Failures: 2, Stage: -1}, event.NodeExcluded{Time: at, Host: "h", Failures: 2, Stage: 3},
		event.NodeUnexcluded{Time: at, Host: "h"},
		event.BlockManagerRemoved{Time: at, ID: manager}, event.ExecutorRemoved{Time: at, Executor: "1", Reason: "lost"},
		event.ConnectService{Time: at, Host: "h", Port: 15002}, event.ConnectSession{Time: at, Session: "s", User: "u"},
		event.ConnectOperationStarted{Time: at, JobTag: "tag", Operation: "o", Session: "s", User: "u", Statement: "select 1", Tags: []string{"mine"}},
		event.ConnectOperation{Time: at, JobTag: "tag", Operation: "o", State: event.ConnectFinished, Rows: 3},
		event.ConnectOperation{Time: at, JobTag: "tag", Operation: "o", State: event.ConnectFailed, Err: errors.New("[X] y")},
		event.ConnectOperation{Time: at, JobTag: "tag", Operation: "o", State: event.ConnectCanceled},
		event.ConnectOperation{Time: at, JobTag: "tag", Operation: "o", State: event.ConnectClosed},
		event.ConnectSession{Time: at, Session: "s", User: "u", Ended: true}, event.ConnectService{Time: at, Host: "h", Port: 15002, Ended: true},
		event.ApplicationEnd{Time: at, ExitCode: 1})
}

func lines(t *testing.T, settings map[string]string, events []event.Event) []byte {
	t.Helper()
	e := newEncoder(conf.NewValues(settings))
	var out bytes.Buffer
	for _, ev := range events {
		line, err := e.line(ev)
		if err != nil || len(line) == 0 {
			t.Fatalf("%s: %q, %v", ev.EventName(), line, err)
		}
		out.Write(line)
	}
	return out.Bytes()
}

var withBlocks = map[string]string{"spark.eventLog.logBlockUpdates.enabled": "true"}

// The lines of all events are those of testdata, which a Spark 4.2 has read and written back (docs/event-log.md).
func TestLines(t *testing.T) {
	const file = "testdata/lines.jsonl"
	got := lines(t, withBlocks, everything())
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("line %d is\n%s\nwant\n%s", i+1, append(g, make([]string, len(w))...)[i], append(w, make([]string, len(g))...)[i])
		}
	}
}

// Every line has the fields that Spark 4.2 gave to the event in a run of its own, with values of the same kind.
func TestFields(t *testing.T) {
	var spark map[string]any
	data, err := os.ReadFile("testdata/spark-4.2.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &spark); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range bytes.Lines(lines(t, withBlocks, everything())) {
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		name := kindOf(got)
		want, ok := spark[name]
		if !ok || seen[name] && strings.Contains(name, "SQLExecutionEnd") { // the second one has no query id
			continue
		}
		seen[name] = true
		if diff := missing(name, want, got); len(diff) > 0 {
			t.Error(strings.Join(diff, "\n"))
		}
	}
	if len(seen) != len(spark) {
		t.Errorf("%d kinds of Spark's %d were compared", len(seen), len(spark))
	}
}

// kindOf is the event's name, and what its form depends on.
func kindOf(e map[string]any) string {
	name, _ := e["Event"].(string)
	switch name {
	case "SparkListenerTaskEnd":
		return fmt.Sprint(name, " ", e["Task End Reason"].(map[string]any)["Reason"])
	case "SparkListenerJobEnd":
		return fmt.Sprint(name, " ", e["Job Result"].(map[string]any)["Result"])
	}
	return name
}

// missing lists what want has and got has not, or not of the same kind.
func missing(path string, want, got any) (out []string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{path + " is no object"}
		}
		for k, v := range w {
			if absent[k] {
				continue
			}
			x, ok := g[k]
			if !ok {
				out = append(out, path+" has no "+k)
				continue
			}
			out = append(out, missing(path+"/"+k, v, x)...)
		}
	case []any:
		g, ok := got.([]any)
		if !ok {
			return []string{path + " is no list"}
		}
		if len(w) > 0 && len(g) > 0 {
			return missing(path+"[0]", w[0], g[0])
		}
	case string:
		kind := map[string]string{"string": "string", "number": "float64", "bool": "bool", "map": "map[string]interface {}"}[w]
		if fmt.Sprintf("%T", got) != kind {
			out = append(out, fmt.Sprintf("%s is a %T, not a %s", path, got, w))
		}
	}
	return out
}

// absent are fields that a task without metrics does not have.
var absent = map[string]bool{"Task Metrics": true}

// Nothing secret is written, whether the key, the value or a pattern of texts gives it away.
func TestRedaction(t *testing.T) {
	settings := map[string]string{"spark.redaction.string.regex": "select \\d+", "spark.eventLog.logBlockUpdates.enabled": "true"}
	got := string(lines(t, settings, everything()))
	for _, secret := range []string{"hunter2", `"t"`, "select 1"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if n := strings.Count(got, conf.Hidden); n != 5 {
		t.Errorf("%d values are hidden, want 4", n)
	}
}

// Sums of a program's accumulators go on from stage to stage, those of the engine do not.
func TestSums(t *testing.T) {
	e := newEncoder(conf.NewValues(nil))
	end := func(stage event.StageID) string {
		info := event.TaskInfo{Accumulables: []event.Accumulable{{ID: 1, Name: "rows", Update: int64(2), Internal: true}, {ID: 2, Name: "mine", Text: "2"}, {ID: 3, Name: "half", Text: "0.25"}}}
		for range 2 {
			if _, err := e.line(event.TaskEnd{Stage: stage, Reason: event.Success{}, Info: info}); err != nil {
				t.Fatal(err)
			}
		}
		line, err := e.line(event.StageCompleted{Stage: event.StageInfo{ID: stage}})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Info struct{ Accumulables []struct{ Value string } } `json:"Stage Info"`
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(got.Info.Accumulables)
	}
	if got := end(0) + end(1); got != "[{4} {4} {0.5}][{4} {8} {1}]" {
		t.Error(got)
	}
}
