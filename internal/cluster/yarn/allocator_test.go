package yarn

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

var someApp = &yarn.ApplicationID{ID: 1, Timestamp: 5}

func containerID(n int64) *yarn.ContainerID {
	return &yarn.ContainerID{Attempt: &yarn.AttemptID{App: someApp, Attempt: 1}, ID: n}
}

func container(n int64, host string) *yarn.Container {
	return &yarn.Container{ID: containerID(n), Node: &yarn.NodeID{Host: host, Port: 1}}
}

// told prints actions shortly.
func told(l []action) string {
	var out []string
	for _, x := range l {
		switch x := x.(type) {
		case startContainer:
			out = append(out, fmt.Sprintf("start %s in %d", x.id, x.container.ID.ID))
		case release:
			out = append(out, fmt.Sprintf("release %d", x.container.ID))
		case say:
			switch n := x.notice.(type) {
			case cluster.Exited:
				out = append(out, fmt.Sprintf("exited %s code %d platform %t host %t", n.ID, n.Code, n.PlatformFault, n.HostLost))
			case cluster.Leaving:
				out = append(out, fmt.Sprintf("leaving %s %v", n.ID, n.Grace))
			case cluster.Failed:
				out = append(out, "failed")
			}
		}
	}
	return strings.Join(out, "; ")
}

func expect(t *testing.T, a *allocator, want string) {
	t.Helper()
	if got := told(a.take()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func expectAsk(t *testing.T, a *allocator, n int, tell bool) {
	t.Helper()
	if got, must := a.want(); got != n || must != tell {
		t.Errorf("wants %d, to be told %t; want %d, %t", got, must, n, tell)
	}
	a.told(n)
}

func TestAllocatorReachesTheLevel(t *testing.T) {
	a := newAllocator(limits{}, 0)
	expectAsk(t, a, 0, false)
	a.level = 2
	expectAsk(t, a, 2, true)
	expectAsk(t, a, 2, false)
	a.granted([]*yarn.Container{container(1, "h")})
	expect(t, a, "start 1 in 1")
	expectAsk(t, a, 1, false) // the ResourceManager has subtracted it
	a.level = 1
	expectAsk(t, a, 0, true)
	a.granted([]*yarn.Container{container(2, "h")}) // it crossed the request
	expect(t, a, "release 2")
	a.level = 3
	expectAsk(t, a, 2, true)
	a.granted([]*yarn.Container{container(3, "h"), container(4, "g")})
	expect(t, a, "start 2 in 3; start 3 in 4")
	expectAsk(t, a, 0, false)
	a.restarted() // the ResourceManager lost its memory; nothing is wanted
	expectAsk(t, a, 0, false)
	a.completed(time.Time{}, []*yarn.ContainerStatus{{ID: containerID(2), Exit: yarn.ExitByMaster}}) // of what was released at once
	expect(t, a, "")
}

func TestAllocatorReplacesWhatEnded(t *testing.T) {
	a := newAllocator(limits{}, 7) // a master before this one had seven
	a.level = 2
	expectAsk(t, a, 2, true)
	a.granted([]*yarn.Container{container(1, "h"), container(2, "g")})
	expect(t, a, "start 8 in 1; start 9 in 2")
	a.completed(time.Time{}, []*yarn.ContainerStatus{{ID: containerID(1), Exit: 137}})
	expect(t, a, "exited 8 code 137 platform false host false")
	expectAsk(t, a, 1, true)
	a.kill([]event.ExecutorID{"9", "99"})
	a.kill([]event.ExecutorID{"9"})
	expect(t, a, "release 2")
	expectAsk(t, a, 2, true)
	a.completed(time.Time{}, []*yarn.ContainerStatus{{ID: containerID(2), Exit: yarn.ExitAborted}})
	expect(t, a, "exited 9 code -1 platform true host false")
	expectAsk(t, a, 2, false)
	a.granted([]*yarn.Container{container(3, "h")})
	expect(t, a, "start 10 in 3")
	a.launched(time.Time{}, 3, errors.New("no room"))
	expect(t, a, "release 3; exited 10 code -1 platform true host false")
	expectAsk(t, a, 2, true)
}

// What exit statuses mean is what Spark makes of them.
func TestExits(t *testing.T) {
	for _, c := range []struct {
		exit     int32
		code     int
		platform bool
		reason   string
	}{
		{0, 0, true, "exited because of a YARN event"},
		{1, 1, false, "Exit status: 1. Diagnostics: so it goes"},
		{137, 137, false, "Exit status: 137 (signal 9: killed)."},
		{143, 143, false, "Exit status: 143 (signal 15: terminated)."},
		{yarn.ExitAborted, -1, true, "Exit status: -100."},
		{yarn.ExitDisksFailed, -1, true, "Exit status: -101."},
		{yarn.ExitPreempted, -1, true, "was preempted"},
		{yarn.ExitVirtualMemory, -1, false, "exceeding virtual memory limits"},
		{yarn.ExitPhysicalMemory, -1, false, "Consider boosting spark.executor.memoryOverhead"},
		{yarn.ExitByMaster, -1, true, "Exit status: -105."},
		{yarn.ExitByResourceManager, -1, true, "Exit status: -106."},
		{yarn.ExitAfterApplication, -1, true, "Exit status: -107."},
		{yarn.ExitInvalid, -1, false, "Exit status: -1000."},
	} {
		e := exitOf(&member{id: "1", container: container(1, "h")}, &yarn.ContainerStatus{ID: containerID(1), Exit: c.exit, Diagnostics: " so it goes\n"})
		if e.Code != c.code || e.PlatformFault != c.platform || !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Reason, "on host h") && c.exit != 0 {
			t.Errorf("%d: %+v", c.exit, e)
		}
	}
}

func TestAllocatorLosesNodes(t *testing.T) {
	a := newAllocator(limits{}, 0)
	a.level = 2
	expectAsk(t, a, 2, true)
	a.granted([]*yarn.Container{container(1, "h"), container(2, "g")})
	a.take()
	a.nodes([]*yarn.NodeReport{{Node: &yarn.NodeID{Host: "h"}, State: yarn.NodeLost}})
	a.completed(time.Time{}, []*yarn.ContainerStatus{{ID: containerID(1), Exit: yarn.ExitAborted}})
	expect(t, a, "exited 1 code -1 platform true host true")
	report := []*yarn.NodeReport{{Node: &yarn.NodeID{Host: "g"}, State: yarn.NodeDecommissioning, Timeout: 60}}
	a.nodes(report)
	a.nodes(report)
	expect(t, a, "leaving 2 1m0s")
	a.nodes([]*yarn.NodeReport{{Node: &yarn.NodeID{Host: "h"}, State: yarn.NodeRunning}})
	a.granted([]*yarn.Container{container(3, "h")})
	a.completed(time.Time{}, []*yarn.ContainerStatus{{ID: containerID(3), Exit: 1}})
	expect(t, a, "start 3 in 3; exited 3 code 1 platform false host false")
}

func TestAllocatorTellsPreemption(t *testing.T) {
	a := newAllocator(limits{grace: 5 * time.Second}, 0)
	a.level = 2
	a.granted([]*yarn.Container{container(1, "h"), container(2, "g")})
	a.take()
	a.preempt([]*yarn.ContainerID{containerID(2), containerID(9)})
	a.preempt([]*yarn.ContainerID{containerID(2)})
	expect(t, a, "leaving 2 5s")
	a.completed(time.Time{}, []*yarn.ContainerStatus{{ID: containerID(2), Exit: yarn.ExitPreempted}})
	expect(t, a, "exited 2 code -1 platform true host false")
}

func TestAllocatorGivesUp(t *testing.T) {
	now := time.Unix(1000, 0)
	fail := func(a *allocator, n int64, exit int32) {
		a.granted([]*yarn.Container{container(n, "h")})
		a.completed(now, []*yarn.ContainerStatus{{ID: containerID(n), Exit: exit}})
	}
	a := newAllocator(limits{}, 0)
	a.level = 1
	for n := range int64(20) {
		fail(a, n, yarn.ExitPreempted) // not the executors' fault
	}
	for n := range int64(3) {
		fail(a, 20+n, 1)
	}
	if strings.Contains(told(a.take()), "failed") {
		t.Error("three failures were too many; least is three")
	}
	fail(a, 30, 1)
	fail(a, 31, 1)
	expect(t, a, "start 24 in 30; exited 24 code 1 platform false host false; failed; release 31")
	if n, _ := a.want(); n != 0 {
		t.Errorf("asks for %d after it gave up", n)
	}

	a = newAllocator(limits{maxFailures: 1, window: time.Minute}, 0)
	a.level = 1
	for n := range int64(5) {
		now = now.Add(2 * time.Minute)
		fail(a, n, 1)
	}
	if strings.Contains(told(a.take()), "failed") {
		t.Error("failures counted that were older than the window")
	}
	fail(a, 9, 1)
	if !strings.HasSuffix(told(a.take()), "failed") {
		t.Error("two failures in the window were not too many")
	}
}
