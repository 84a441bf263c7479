package yarn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// allocator decides which containers are wanted and what became of those that were granted. It does no IO; what is to be
// done is taken with take.
type allocator struct {
	limits limits

	level   int
	last    int // number of the last executor
	asked   int // containers that the ResourceManager thinks are wanted
	resend  bool
	members map[int64]*member // by container
	lost    map[string]bool   // hosts
	fails   []time.Time
	failed  bool
	acts    []action
}

// limits are what settings say about failures.
type limits struct {
	maxFailures int           // 0: twice the level, at least 3
	window      time.Duration // in which failures count; 0: for ever
	grace       time.Duration // which YARN leaves to containers that it wants back
}

// member is an executor's container.
type member struct {
	id        event.ExecutorID
	container *yarn.Container
	started   bool
	dismissed string // why it was given up
	leaving   bool
}

// action is something that the master does for the allocator.
type action any

type (
	startContainer struct {
		id        event.ExecutorID
		container *yarn.Container
	}
	release struct{ container *yarn.ContainerID }
	// say tells the driver.
	say struct{ notice cluster.Notice }
)

func newAllocator(l limits, last int) *allocator {
	return &allocator{limits: l, last: last, members: map[int64]*member{}, lost: map[string]bool{}}
}

func (a *allocator) do(x action) { a.acts = append(a.acts, x) }

// take gives the actions since the last time.
func (a *allocator) take() []action {
	out := a.acts
	a.acts = nil
	return out
}

// alive counts the executors that were not given up.
func (a *allocator) alive() int {
	n := 0
	for _, m := range a.members {
		if m.dismissed == "" {
			n++
		}
	}
	return n
}

// want is how many containers should be granted, and whether the ResourceManager must be told.
func (a *allocator) want() (int, bool) {
	n := max(0, a.level-a.alive())
	if a.failed {
		n = 0
	}
	return n, n != a.asked || a.resend
}

// told notes what the ResourceManager was told.
func (a *allocator) told(n int) { a.asked, a.resend = n, false }

// restarted says that the ResourceManager forgot what it was told.
func (a *allocator) restarted() { a.asked, a.resend = 0, a.level > a.alive() }

// ids are the members, oldest first.
func (a *allocator) ids() []int64 {
	return slices.SortedFunc(maps.Keys(a.members), func(x, y int64) int {
		n, _ := strconv.Atoi(string(a.members[x].id))
		m, _ := strconv.Atoi(string(a.members[y].id))
		return n - m
	})
}

// granted takes containers. More than are wanted may come, when a request and a grant crossed.
func (a *allocator) granted(containers []*yarn.Container) {
	for _, c := range containers {
		if c.ID == nil || c.Node == nil || a.members[c.ID.ID] != nil {
			continue
		}
		a.asked = max(0, a.asked-1)
		if a.alive() >= a.level || a.failed {
			a.do(release{c.ID})
			continue
		}
		a.last++
		id := event.ExecutorID(strconv.Itoa(a.last))
		a.members[c.ID.ID] = &member{id: id, container: c}
		delete(a.lost, c.Node.Host) // it is back
		a.do(startContainer{id, c})
	}
}

// launched notes that a container was started, or why not.
func (a *allocator) launched(now time.Time, container int64, err error) {
	m := a.members[container]
	if m == nil {
		return
	}
	if err == nil {
		m.started = true
		return
	}
	delete(a.members, container)
	a.do(release{m.container.ID})
	why := fmt.Sprintf("Container %s on host %s could not be started: %v", m.container.ID, m.container.Node.Host, err)
	a.do(say{cluster.Exited{ID: m.id, Code: -1, Reason: why, PlatformFault: true}})
	if m.dismissed == "" {
		a.blame(now, why)
	}
}

// kill gives up executors for good. Those that are not known have ended already.
func (a *allocator) kill(ids []event.ExecutorID) {
	for _, m := range a.members {
		if slices.Contains(ids, m.id) && m.dismissed == "" {
			m.dismissed = "the driver asked for its end"
			a.do(release{m.container.ID})
		}
	}
}

// nodes takes news of nodes.
func (a *allocator) nodes(reports []*yarn.NodeReport) {
	for _, r := range reports {
		if r.Node == nil {
			continue
		}
		switch r.State {
		case yarn.NodeLost, yarn.NodeDecommissioned, yarn.NodeShutdown:
			a.lost[r.Node.Host] = true
		case yarn.NodeRunning:
			delete(a.lost, r.Node.Host)
		case yarn.NodeDecommissioning:
			a.leave(time.Duration(r.Timeout)*time.Second, "its node is being decommissioned", func(m *member) bool { return m.container.Node.Host == r.Node.Host })
		}
	}
}

// preempt takes the containers that YARN wants back.
func (a *allocator) preempt(ids []*yarn.ContainerID) {
	a.leave(a.limits.grace, "YARN preempts it", func(m *member) bool {
		return slices.ContainsFunc(ids, func(id *yarn.ContainerID) bool { return id.ID == m.container.ID.ID })
	})
}

// leave tells once that executors will be ended.
func (a *allocator) leave(grace time.Duration, why string, which func(*member) bool) {
	for _, id := range a.ids() {
		if m := a.members[id]; !m.leaving && m.dismissed == "" && which(m) {
			m.leaving = true
			a.do(say{cluster.Leaving{ID: m.id, Grace: grace, Reason: why}})
		}
	}
}

// completed takes the ends of containers.
func (a *allocator) completed(now time.Time, list []*yarn.ContainerStatus) {
	for _, s := range list {
		if s.ID == nil {
			continue
		}
		m := a.members[s.ID.ID]
		if m == nil {
			continue // released before it was anything
		}
		delete(a.members, s.ID.ID)
		e := exitOf(m, s)
		e.HostLost = a.lost[m.container.Node.Host]
		a.do(say{e})
		if !e.PlatformFault {
			a.blame(now, e.Reason)
		}
	}
}

// exitOf says what a container's exit status means, as Spark's allocator does: what YARN or the driver did is not the
// executor's fault, nor is an orderly end.
func exitOf(m *member, s *yarn.ContainerStatus) cluster.Exited {
	host := m.container.Node.Host
	e := cluster.Exited{ID: m.id, Code: -1}
	if s.Exit >= 0 {
		e.Code = int(s.Exit)
	}
	at := fmt.Sprintf("%s on host %s", s.ID, host)
	detail := strings.TrimSpace(s.Diagnostics)
	switch {
	case m.dismissed != "":
		e.PlatformFault, e.Reason = true, fmt.Sprintf("Container %s was released: %s", at, m.dismissed)
	case s.Exit == 0:
		e.PlatformFault, e.Reason = true, fmt.Sprintf("Executor for container %s exited because of a YARN event (e.g., preemption) and not because of an error in the running job.", at)
	case s.Exit == yarn.ExitPreempted:
		e.PlatformFault, e.Reason = true, fmt.Sprintf("Container %s was preempted.", at)
	case s.Exit == yarn.ExitVirtualMemory:
		e.OutOfMemory = true
		e.Reason = fmt.Sprintf("Container %s was killed by YARN for exceeding virtual memory limits. Consider boosting spark.executor.memoryOverhead or disabling yarn.nodemanager.vmem-check-enabled. %s", at, detail)
	case s.Exit == yarn.ExitPhysicalMemory:
		e.OutOfMemory = true
		e.Reason = fmt.Sprintf("Container %s was killed by YARN for exceeding physical memory limits. Consider boosting spark.executor.memoryOverhead. %s", at, detail)
	case s.Exit == yarn.ExitAborted, s.Exit == yarn.ExitDisksFailed, s.Exit == yarn.ExitByMaster, s.Exit == yarn.ExitByResourceManager,
		s.Exit == yarn.ExitAfterApplication:
		e.PlatformFault, e.Reason = true, fmt.Sprintf("Container marked as failed: %s. Exit status: %d. Diagnostics: %s", at, s.Exit, detail)
	default:
		e.Reason = fmt.Sprintf("Container %s failed. Exit status: %s. Diagnostics: %s", at, status(s.Exit), detail)
	}
	return e
}

// status names the signal with which a shell says that its command was ended.
func status(exit int32) string {
	if n := exit - 128; n > 0 && n < 65 {
		return fmt.Sprintf("%d (signal %d: %v)", exit, n, syscall.Signal(n))
	}
	return strconv.Itoa(int(exit))
}

// blame counts a failure; too many end the application.
func (a *allocator) blame(now time.Time, why string) {
	a.fails = append(a.fails, now)
	if a.limits.window > 0 {
		a.fails = slices.DeleteFunc(a.fails, func(t time.Time) bool { return now.Sub(t) > a.limits.window })
	}
	most := a.limits.maxFailures
	if most <= 0 {
		most = max(3, 2*a.level)
	}
	if len(a.fails) > most && !a.failed {
		a.failed = true
		a.do(say{cluster.Failed{Err: &TooManyFailures{Most: most, Last: why}}})
	}
}

// TooManyFailures ends an application whose executors fail again and again.
type TooManyFailures struct {
	Most int
	Last string
}

func (e *TooManyFailures) Error() string {
	return fmt.Sprintf("Max number of executor failures (%d) reached. The last one: %s", e.Most, e.Last)
}
