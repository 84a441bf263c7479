package progress

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

func TestSteps(t *testing.T) {
	var out bytes.Buffer
	s := NewSteps(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	told := func(e event.Event) string {
		t.Helper()
		out.Reset()
		s.Listen(e)
		return out.String()
	}
	info := func(id event.TaskID, on event.ExecutorID) event.TaskInfo {
		return event.TaskInfo{Task: id, Partition: int(id), Executor: on, Host: "h", Launch: start, Finish: start.Add(2 * time.Second)}
	}
	stage := event.StageInfo{ID: 4, Attempt: 1, Name: "Scan", Tasks: 3, Submitted: start, Completed: start.Add(5 * time.Second)}
	for _, c := range []struct {
		e    event.Event
		want string
	}{
		{event.JobStart{Job: 1, Stages: []event.StageInfo{{ID: 3}, {ID: 4}}, Group: "g"}, `msg="job starts" job=1 stages=3,4 group=g`},
		{event.StageSubmitted{Stage: stage}, `msg="stage starts" stage=4.1 tasks=3 computes=Scan`},
		{event.TaskStart{Stage: 4, StageAttempt: 1, Info: info(7, "2")}, `msg="task starts" task=7 stage=4.1 partition=7 attempt=0 executor=2 host=h locality=`},
		{event.TaskEnd{Stage: 4, StageAttempt: 1, Reason: event.Success{}, Info: info(7, "2"), Metrics: &event.TaskMetrics{
			ShuffleWrite: event.ShuffleWriteMetrics{BytesWritten: 2048}, ShuffleRead: event.ShuffleReadMetrics{LocalBytesRead: 3, RemoteBytesRead: 4}}},
			`msg="task ends" task=7 stage=4.1 partition=7 executor=2 host=h took=2s wrote="2.0 KiB" read="7 B" done=1/3`},
		{event.TaskEnd{Stage: 4, StageAttempt: 1, Reason: event.ExceptionFailure{Err: errors.New("bad")}, Info: info(8, "1")}, `level=WARN msg="task failed" task=8`},
		{event.TaskEnd{Stage: 4, StageAttempt: 1, Reason: event.TaskKilled{Cause: "no use"}, Info: info(9, "1")}, `msg="task ends early" task=9`},
		{event.TaskEnd{Stage: 9, Reason: event.Resubmitted{}, Info: event.TaskInfo{Task: 5, Finish: start}},
			`msg="task ends early" task=5 stage=9.0 partition=0 executor="" host="" took=0s reason=`},
		{event.TaskEnd{Stage: 4, StageAttempt: 1, Reason: event.Success{}, Info: info(10, "1"), Metrics: &event.TaskMetrics{
			Input: event.InputMetrics{BytesRead: 5 << 20}, ShuffleWrite: event.ShuffleWriteMetrics{BytesWritten: 3 << 30}}}, `done=2/3`},
		{event.StageCompleted{Stage: stage}, `msg="stage ends" stage=4.1 tasks=2 failed=1 killed=1 ran="1 on 1, 1 on 2" input="5.0 MiB" output="0 B" ` +
			`shuffle_written="3.0 GiB" shuffle_read_here="3 B" shuffle_read_from_others="4 B" spilled="0 B" took=5s`},
		{event.JobEnd{Job: 1}, `level=INFO msg="job ends" job=1`},
		{event.JobEnd{Job: 1, Err: errors.New("bad")}, `level=WARN msg="job failed" job=1 error=bad`},
		{event.Dropped{Count: 5}, "lost=5"},
	} {
		if got := told(c.e); !strings.Contains(got, c.want) {
			t.Errorf("%T is told as\n%swhich lacks\n%s", c.e, got, c.want)
		}
	}
	if len(s.stages) > 0 {
		t.Error("stages are kept after their end")
	}
	stage.FailureReason = "lost"
	told(event.StageSubmitted{Stage: stage})
	if got := told(event.StageCompleted{Stage: stage}); !strings.Contains(got, `level=WARN msg="stage failed" stage=4.1 done=0/3 reason=lost`) {
		t.Error(got)
	}
	if got := told(event.TaskEnd{Stage: 9, Reason: event.Success{}, Info: info(1, "1")}); !strings.Contains(got, "task ends") {
		t.Error("a late task is not told:", got)
	}
}
