package kubernetes

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

func testLimits() limits {
	return limits{batch: 2, delay: time.Second, maxDelay: time.Minute, maxPending: 100, maximum: 1000, pendingTimeout: 10 * time.Minute,
		stuckTimeout: time.Minute}
}

// script drives a fleet and writes down what it does, one word an action.
type script struct {
	t   *testing.T
	f   *fleet
	now time.Time
}

func newScript(t *testing.T, l limits) *script { return &script{t, newFleet(l), time.Unix(1000, 0)} }

func (s *script) step(events ...any) string {
	var words []string
	for _, e := range events {
		for _, a := range s.f.step(s.now, e) {
			if w := word(a); w != "" {
				words = append(words, w)
			}
		}
	}
	return strings.Join(words, " ")
}

func word(a any) string {
	switch a := a.(type) {
	case createPod:
		return "create:" + string(a.id)
	case deletePod:
		return "delete:" + string(a.id)
	case retirePod:
		return "retire:" + string(a.id)
	case notify:
		switch n := a.notice.(type) {
		case cluster.Exited:
			if n.PlatformFault {
				return "lost:" + string(n.ID)
			}
			return "exited:" + string(n.ID)
		case cluster.Leaving:
			return "leaving:" + string(n.ID)
		case cluster.Failed:
			return "failed"
		}
	}
	return ""
}

func (s *script) want(want string, events ...any) {
	s.t.Helper()
	if got := s.step(events...); got != want {
		s.t.Fatalf("after %+v: %q, want %q", events, got, want)
	}
}

func (s *script) wait(d time.Duration) { s.now = s.now.Add(d) }

func exists(ids ...string) []any {
	var out []any
	for _, id := range ids {
		out = append(out, created{id: event.ExecutorID(id)})
	}
	return out
}

func is(id string, p phase) observed { return observed{pod{id: event.ExecutorID(id), phase: p}} }

func TestBatches(t *testing.T) {
	s := newScript(t, testLimits())
	s.want("create:1 create:2", scaled{5})
	s.want("", ticked{})
	s.want("", exists("1", "2")...) // the delay has not passed
	s.wait(time.Second)
	s.want("create:3 create:4", ticked{})
	s.wait(time.Second)
	s.want("", ticked{}) // two requests are open
	s.want("create:5", exists("3", "4")...)
	if w := s.f.wake(); w.IsZero() {
		t.Error("nothing wakes the fleet while pods are pending")
	}
}

func TestPendingLimit(t *testing.T) {
	l := testLimits()
	l.batch, l.maxPending, l.maximum = 10, 3, 4
	s := newScript(t, l)
	s.want("create:1 create:2 create:3", scaled{9})
	s.step(exists("1", "2", "3")...)
	s.wait(time.Second)
	s.want("", ticked{})
	s.want("create:4", is("1", running), is("2", running)) // the last of the four that there may ever be
	s.step(exists("4")...)
	s.wait(time.Minute)
	s.want("exited:4 delete:4", is("4", ended))
	s.want("", ticked{})
}

func TestScaleDownTakesBackWhatHasNotStarted(t *testing.T) {
	l := testLimits()
	l.batch = 10
	s := newScript(t, l)
	s.want("create:1 create:2 create:3 create:4", scaled{4})
	s.step(exists("1", "2", "3")...)
	s.step(is("1", running))
	s.want("delete:3", scaled{2}) // 4 is deleted when its answer is there
	s.want("delete:4", exists("4")...)
	s.want("lost:3", vanished{"3"})
	s.want("lost:4", vanished{"4"})
	s.want("", is("2", running), scaled{1}) // running ones stay until Kill
	s.want("delete:1", killed{[]event.ExecutorID{"1"}})
	s.want("lost:1 delete:1", observed{pod{id: "1", phase: ended, end: ending{code: 143, reason: "status 143"}}})
	s.wait(time.Minute)
	s.want("", ticked{})
	if len(s.f.failures) != 0 {
		t.Error("executors that were dismissed count as failures")
	}
}

func TestEndedPodsAreReplaced(t *testing.T) {
	s := newScript(t, testLimits())
	s.step(scaled{1})
	s.step(exists("1")...)
	s.step(is("1", running))
	s.wait(time.Minute)
	s.want("exited:1 delete:1 create:2", observed{pod{id: "1", phase: ended, end: ending{code: 1}}})
	s.want("", observed{pod{id: "1", phase: ended}}, vanished{"1"}) // told once
	l := testLimits()
	l.keep = true
	s = newScript(t, l)
	s.step(scaled{1})
	s.step(exists("1")...)
	s.wait(time.Minute)
	s.want("exited:1 retire:1 create:2", observed{pod{id: "1", phase: ended}})
}

func TestLeavingIsToldOnce(t *testing.T) {
	s := newScript(t, testLimits())
	s.step(scaled{1})
	s.step(exists("1")...)
	leaving := observed{pod{id: "1", phase: running, leaving: true, grace: 30 * time.Second}}
	s.want("leaving:1", leaving)
	s.want("", leaving)
	s.wait(time.Second)
	s.want("create:2", ticked{}) // while the first one hands over what it has
	s.step(exists("2")...)
	s.wait(time.Minute)
	s.want("lost:1", vanished{"1"})
}

// TestTakenBack: only pods without a node. One that has a node may have registered with the driver already.
func TestTakenBack(t *testing.T) {
	s := newScript(t, testLimits())
	s.step(scaled{2})
	s.step(exists("1")...)
	s.step(created{id: "2"}, observed{pod{id: "1", phase: pending, bound: true}}, observed{pod{id: "2", phase: pending}})
	s.want("delete:2", scaled{0})
	s.want("", observed{pod{id: "1", phase: pending, bound: true}})
	s.want("delete:1", observed{pod{id: "1", phase: pending, bound: true, faulty: true}}) // it will not start
}

func TestListsFindWhatNobodyTold(t *testing.T) {
	s := newScript(t, testLimits())
	s.step(scaled{2})
	s.step(exists("1")...)
	s.want("", listed{asked: s.now.Add(-time.Second)}) // the list is older than the pod
	s.wait(time.Minute)
	s.want("lost:1", listed{asked: s.now}) // 2 has not been answered: it may not exist yet
	s.want("create:3", exists("2")...)
	s.step(exists("3")...)
	s.want("", listed{asked: s.now.Add(time.Second), pods: []pod{{id: "2", phase: running}, {id: "3", phase: pending}}})
}

func TestRefusalsBackOffAndEnd(t *testing.T) {
	l := testLimits()
	l.batch = 1
	s := newScript(t, l)
	refusal := errors.New("exceeded quota")
	s.want("create:1", scaled{1})
	s.want("lost:1", created{id: "1", refusal: refusal})
	s.wait(time.Second)
	s.want("create:2", ticked{})
	s.want("lost:2", created{id: "2", refusal: refusal, retry: 5 * time.Second})
	s.wait(4 * time.Second)
	s.want("", ticked{}) // longer than the pause of its own, since the server said so
	s.wait(time.Second)
	s.want("create:3", ticked{})
	var failed cluster.Failed
	for _, a := range s.f.step(s.now, created{id: "3", refusal: refusal}) {
		if n, ok := a.(notify); ok {
			if f, ok := n.notice.(cluster.Failed); ok {
				failed = f
			}
		}
	}
	if !errors.Is(failed.Err, refusal) {
		t.Errorf("the application failed with %v", failed.Err)
	}
	s.wait(time.Hour)
	s.want("", ticked{}) // and asks no more
}

func TestRefusalsDoNotEndAnApplicationThatHasExecutors(t *testing.T) {
	l := testLimits()
	l.batch = 1
	s := newScript(t, l)
	s.step(scaled{2})
	s.step(created{id: "1"}, is("1", running))
	last := time.Duration(0)
	for i := 2; i < 14; i++ {
		for s.step(ticked{}) == "" {
			s.wait(time.Second)
			last += time.Second
		}
		if i > 10 && last != time.Minute {
			t.Errorf("the pause before attempt %d was %v", i, last)
		}
		last = 0
		s.want(fmt.Sprint("lost:", i), created{id: event.ExecutorID(fmt.Sprint(i)), refusal: errors.New("exceeded quota")})
	}
}

// TestLostAnswers: a request without an answer may have made the pod.
func TestLostAnswers(t *testing.T) {
	s := newScript(t, testLimits())
	s.step(scaled{1})
	s.want("delete:1 lost:1", created{id: "1", refusal: errors.New("timeout"), unknown: true})
}

func TestTooManyFailures(t *testing.T) {
	for _, window := range []time.Duration{0, time.Second} {
		l := testLimits()
		l.failureWindow = window
		s := newScript(t, l)
		s.step(scaled{1})
		failed := false
		for i := 1; i <= 6; i++ {
			s.step(exists(fmt.Sprint(i))...)
			s.wait(time.Minute)
			failed = failed || strings.Contains(s.step(observed{pod{id: event.ExecutorID(fmt.Sprint(i)), phase: ended, end: ending{code: 1}}}), "failed")
		}
		if failed != (window == 0) {
			t.Errorf("with a window of %v: failed %v", window, failed)
		}
	}
}

func TestPodsThatDoNotStart(t *testing.T) {
	s := newScript(t, testLimits())
	s.step(scaled{1})
	s.step(exists("1")...)
	pull := observed{pod{id: "1", phase: pending, stuck: "ImagePullBackOff: no such image", faulty: true}}
	s.want("", pull)
	s.wait(time.Minute)
	s.want("delete:1 lost:1 create:2", pull)
	s.step(exists("2")...)
	s.step(observed{pod{id: "2", phase: pending, stuck: "Unschedulable: 0/1 nodes"}})
	s.wait(10 * time.Minute)
	out := s.f.step(s.now, ticked{})
	if i := slices.IndexFunc(out, func(a any) bool { return word(a) == "lost:2" }); i < 0 ||
		!strings.Contains(out[i].(notify).notice.(cluster.Exited).Reason, "Unschedulable: 0/1 nodes") {
		t.Errorf("%+v", out)
	}
	if len(s.f.failures) != 2 {
		t.Errorf("%d failures", len(s.f.failures))
	}
}

// TestFleetOnAnyCluster: whatever a cluster does, no more pods exist than the highest level asked for, every executor's end is
// told exactly once, and when the cluster behaves the level is reached.
func TestFleetOnAnyCluster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := testLimits()
		l.maxFailures, l.maximum = 1<<30, 1<<30
		f, now := newFleet(l), time.Unix(1000, 0)
		open, pods, told := map[event.ExecutorID]bool{}, map[event.ExecutorID]phase{}, map[event.ExecutorID]int{}
		level, highest := 0, 0
		feed := func(e any) {
			for _, a := range f.step(now, e) {
				switch a := a.(type) {
				case createPod:
					open[a.id] = true
				case deletePod:
					if rapid.Bool().Draw(t, "deleted at once") {
						delete(pods, a.id)
					}
				case notify:
					if x, ok := a.notice.(cluster.Exited); ok {
						told[x.ID]++
					}
				}
			}
		}
		ids := func(m map[event.ExecutorID]phase) []event.ExecutorID {
			var out []event.ExecutorID
			for id := range m {
				out = append(out, id)
			}
			slices.Sort(out)
			return out
		}
		answer := func(id event.ExecutorID, ok bool) {
			delete(open, id)
			if ok {
				pods[id] = pending
				feed(created{id: id})
			} else {
				feed(created{id: id, refusal: errors.New("no")})
			}
		}
		list := func() {
			e := listed{asked: now}
			for _, id := range ids(pods) {
				e.pods = append(e.pods, pod{id: id, phase: pods[id]})
			}
			now = now.Add(time.Millisecond)
			feed(e)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 2000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				level = rapid.IntRange(0, 6).Draw(t, "level")
				highest = max(highest, level)
				feed(scaled{level})
			case 1:
				for _, id := range slices.Sorted(func(yield func(event.ExecutorID) bool) {
					for id := range open {
						if !yield(id) {
							return
						}
					}
				}) {
					answer(id, rapid.Bool().Draw(t, "created"))
				}
			case 2:
				for _, id := range ids(pods) {
					pods[id] = phase(rapid.IntRange(int(pods[id]), int(ended)).Draw(t, "phase"))
					feed(observed{pod{id: id, phase: pods[id]}})
				}
			case 3:
				if all := ids(pods); len(all) > 0 {
					id := rapid.SampledFrom(all).Draw(t, "victim")
					delete(pods, id)
					if rapid.Bool().Draw(t, "watched") {
						feed(vanished{id})
					}
				}
			case 4:
				list()
			case 5:
				feed(ticked{})
			}
			if f.alive() > highest {
				t.Fatalf("%d executors, highest level %d", f.alive(), highest)
			}
		}
		for range 20 { // the cluster behaves
			for len(open) > 0 {
				for id := range open {
					answer(id, true)
				}
			}
			now = now.Add(2 * time.Minute)
			list()
		}
		if f.alive() < level {
			t.Fatalf("%d executors in the end, level %d", f.alive(), level)
		}
		for id, n := range told {
			if n != 1 || f.members[id] != nil {
				t.Fatalf("the end of %s was told %d times, member %v", id, n, f.members[id])
			}
		}
		for i := 1; i <= f.last; i++ {
			if id := event.ExecutorID(fmt.Sprint(i)); told[id] == 0 && f.members[id] == nil {
				t.Fatalf("the end of %s was not told", id)
			}
		}
	})
}
