package eventlog

import (
	"reflect"
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

// TestPeaks: the form of the executor metrics has the fields of their table, in its order.
func TestPeaks(t *testing.T) {
	form := reflect.TypeFor[peaks]()
	if form.NumField() != int(event.NumExecutorMetrics) {
		t.Fatalf("%d fields for %d metrics", form.NumField(), event.NumExecutorMetrics)
	}
	var p event.ExecutorMetrics
	for i := range p {
		p[i] = int64(i)
	}
	values := reflect.ValueOf(peaksForm(&p))
	for i := range p {
		if name := event.ExecutorMetric(i).String(); form.Field(i).Name != name || values.Field(i).Int() != int64(i) {
			t.Errorf("field %d is %s = %v, not %s", i, form.Field(i).Name, values.Field(i), name)
		}
	}
}
