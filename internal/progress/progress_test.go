package progress

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func submit(id event.StageID, tasks int) event.Event {
	return event.StageSubmitted{Stage: event.StageInfo{ID: id, Tasks: tasks, Submitted: start}}
}

func TestBar(t *testing.T) {
	var out strings.Builder
	b := New(&out, 40)
	last := func() string {
		s := out.String()
		out.Reset()
		return s
	}
	b.Listen(submit(3, 200))
	for range 14 {
		b.Listen(event.TaskStart{Stage: 3})
	}
	for range 12 {
		b.Listen(event.TaskEnd{Stage: 3, Reason: event.Success{}})
	}
	b.Refresh(start.Add(Delay))
	if s := last(); s != "" {
		t.Errorf("a young stage is shown: %q", s)
	}
	b.Refresh(start.Add(time.Second))
	if s := last(); s != "\r[Stage 3:>               (12 + 2) / 200]" {
		t.Errorf("got %q", s)
	}
	b.Refresh(start.Add(2 * time.Second))
	if s := last(); s != "" {
		t.Errorf("an unchanged line is drawn again: %q", s)
	}
	b.Listen(event.TaskEnd{Stage: 3, Reason: event.TaskKilled{}})
	b.Listen(event.TaskEnd{Stage: 3, Reason: event.Resubmitted{}})
	b.Listen(submit(4, 2))
	b.Refresh(start.Add(2 * time.Second))
	if s := last(); s != "\r[Stage 3:(11 + 1) / 200][Stage 4:(0 + 0) / 2]" {
		t.Errorf("got %q", s)
	}
	b.Listen(event.StageCompleted{Stage: event.StageInfo{ID: 3}})
	b.Listen(event.StageCompleted{Stage: event.StageInfo{ID: 4}})
	if s := last(); s != "\r"+strings.Repeat(" ", 40)+"\r" {
		t.Errorf("the line is not wiped: %q", s)
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		b := New(&out, 30)
		b.Listen(event.StageSubmitted{Stage: event.StageInfo{ID: 1, Tasks: 1, Submitted: time.Now()}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b.Run(ctx)
		if got, want := out.String(), "\r[Stage 1:>        (0 + 0) / 1]\r"+strings.Repeat(" ", 30)+"\r"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
