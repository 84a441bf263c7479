package scheduler

import (
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// speculate looks for running attempts that take much longer than their finished peers, and asks
// for a second attempt of each. It costs time in the number of running attempts, once per interval.
func (s *Scheduler) speculate() {
	if !s.cfg.Speculation || len(s.sets) == 0 {
		return
	}
	for _, ts := range s.sets {
		if threshold, ok := s.slowAfter(ts); ok {
			s.markSlow(ts, threshold)
		}
	}
	s.arm(timerSpeculation, s.now.Add(s.cfg.SpeculationInterval))
}

// slowAfter is how long an attempt of a set may run before it counts as slow, if that is known yet.
func (s *Scheduler) slowAfter(ts *taskSet) (time.Duration, bool) {
	n := len(ts.tasks)
	if ts.stage.spec.Barrier || len(ts.running) == 0 {
		return 0, false
	}
	if short := s.cfg.SpeculationDurationOfShort; short > 0 && (n == 1 || n <= s.cfg.Allocation.ExecutorCores/ts.cpus) {
		return short, true
	}
	if n == 1 || ts.succeeded < max(int(s.cfg.SpeculationQuantile*float64(n)), 1) || ts.times.len() == 0 {
		return 0, false
	}
	t := time.Duration(s.cfg.SpeculationMultiplier * float64(ts.times.median()))
	return max(t, s.cfg.SpeculationMinRuntime), true
}

func (s *Scheduler) markSlow(ts *taskSet, threshold time.Duration) {
	for _, a := range ts.running {
		t := &ts.tasks[a.info.Index]
		if t.done || t.speculative || t.head.next != nil || a.killed || s.now.Sub(a.info.Launch) <= threshold {
			continue
		}
		t.speculative = true
		ts.spec = append(ts.spec, int32(a.info.Index))
		s.dirtyAll = true
		s.publish(event.SpeculativeTaskSubmitted{
			Stage: ts.stage.id, StageAttempt: ts.attempt, Index: a.info.Index, Partition: a.info.Partition,
		})
	}
	s.refresh(ts)
}

// popSpeculative takes a slow task whose only attempt runs on another host. Tasks that no longer
// qualify are dropped from the list.
func (ts *taskSet) popSpeculative(e *executor) (int32, bool) {
	kept, found := ts.spec[:0], int32(-1)
	for _, i := range ts.spec {
		t := &ts.tasks[i]
		switch {
		case t.done || t.head == nil || t.head.next != nil:
			t.speculative = false
		case found < 0 && t.head.exec.host != e.host && !ts.excl.blocksTask(i, e):
			t.speculative = false
			found = i
		default:
			kept = append(kept, i)
		}
	}
	ts.spec = kept
	return found, found >= 0
}

// medianHeap keeps the median of a growing list: the lower half in a max-heap (negated), the upper in a min-heap.
type medianHeap struct{ low, high int64Heap }

func (m *medianHeap) len() int { return len(m.low) + len(m.high) }

func (m *medianHeap) add(v int64) {
	if len(m.low) == 0 || v <= -m.low[0] {
		m.low.push(-v)
	} else {
		m.high.push(v)
	}
	if len(m.low) > len(m.high)+1 {
		m.high.push(-m.low.pop())
	} else if len(m.high) > len(m.low) {
		m.low.push(-m.high.pop())
	}
}

func (m *medianHeap) median() int64 {
	if len(m.low) > len(m.high) {
		return -m.low[0]
	}
	return (m.high[0] - m.low[0]) / 2
}

type int64Heap []int64

func (h *int64Heap) push(v int64) {
	*h = append(*h, v)
	q := *h
	for i := len(q) - 1; i > 0 && q[i] < q[(i-1)/2]; i = (i - 1) / 2 {
		q[i], q[(i-1)/2] = q[(i-1)/2], q[i]
	}
}

func (h *int64Heap) pop() int64 {
	q := *h
	top, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	*h = q
	for i := 0; 2*i+1 < len(q); {
		c := 2*i + 1
		if c+1 < len(q) && q[c+1] < q[c] {
			c++
		}
		if q[i] <= q[c] {
			break
		}
		q[i], q[c] = q[c], q[i]
		i = c
	}
	return top
}
