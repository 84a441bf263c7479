package eventlog

import (
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// BenchmarkTask is what the log costs for each task.
func BenchmarkTask(b *testing.B) {
	e := newEncoder(conf.NewValues(nil))
	info := event.TaskInfo{Task: 9, Launch: at, Executor: "1", Host: "host"}
	done := info
	done.Finish = at.Add(time.Second)
	metrics := &event.TaskMetrics{ExecutorRunTime: time.Second, Input: event.InputMetrics{BytesRead: 1 << 20, RecordsRead: 1000}}
	start := event.TaskStart{Info: info}
	end := event.TaskEnd{TaskType: "ResultTask", Reason: event.Success{}, Info: done, Metrics: metrics}
	b.ReportAllocs()
	for b.Loop() {
		for _, ev := range []event.Event{start, end} {
			if _, err := e.line(ev); err != nil {
				b.Fatal(err)
			}
		}
	}
}
