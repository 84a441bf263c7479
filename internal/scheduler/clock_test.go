package scheduler

import (
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/firesteel/firesteel/internal/event"
)

// jump is the same moment of the monotonic clock as t, with the wall clock set by so much. The wall clock's seconds lie above its
// 30 bits of nanoseconds (package time).
func jump(t *testing.T, at time.Time, by time.Duration) time.Time {
	t.Helper()
	out := at
	*(*uint64)(unsafe.Pointer(&out)) += uint64(by/time.Second) << 30
	if !out.Equal(at) || out.Unix() != at.Add(by).Unix() {
		t.Fatalf("the form of times has changed: %v became %v", at, out)
	}
	return out
}

// TestClockJumps is D20: when the wall clock is set by an hour, forwards or back, nobody is taken for dead, and who is silent still
// is noticed in time.
func TestClockJumps(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		cfg := DefaultConfig()
		cfg.ExecutorTimeout, cfg.Speculation = 10*time.Second, true
		s, begin := New(cfg), time.Now()
		var acts []Action
		step := func(after time.Duration, set time.Duration, ev Event) {
			acts = append(acts[:0], s.Step(jump(t, begin.Add(after), set), ev)...)
		}
		lost := func() bool {
			return slices.ContainsFunc(acts, func(a Action) bool {
				p, ok := a.(Publish)
				_, removed := p.Event.(event.ExecutorRemoved)
				return ok && removed
			})
		}
		step(0, 0, ExecutorAdded{ID: "1", Host: "h", Cores: 1})
		step(0, 0, JobSubmitted{ID: 0, Stages: []*StageSpec{{Shuffle: event.NoShuffle, Tasks: 1}}})
		step(time.Second, by, Tick{})
		step(time.Second, by, Heartbeat{Executor: "1"})
		for after := 2 * time.Second; after <= 10*time.Second; after += time.Second {
			if step(after, by, Tick{}); lost() {
				t.Fatalf("the executor is lost %v after its heartbeat, the clock was set by %v", after-time.Second, by)
			}
		}
		at, ok := s.Deadline()
		if in := at.Sub(jump(t, begin.Add(10*time.Second), by)); !ok || in > 2*time.Second {
			t.Errorf("the clock was set by %v, and the next deadline is in %v", by, in)
		}
		if step(11500*time.Millisecond, by, Tick{}); !lost() {
			t.Errorf("a silent executor lives on, the clock was set by %v", by)
		}
	}
}
