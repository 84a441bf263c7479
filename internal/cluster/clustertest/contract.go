package clustertest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

// Subject is a manager under test.
type Subject struct {
	// New makes a manager, not started, whose cluster has room for three executors of one core and 64 MiB.
	New func(t *testing.T) cluster.Manager
	// NewBroken makes one whose Start fails; nil: there is no such one.
	NewBroken func(t *testing.T) cluster.Manager
	// Leave asks the cluster to take an executor back in good order; there is room for another one elsewhere. nil: this kind of
	// cluster does not.
	Leave func(t *testing.T, id event.ExecutorID)
	// InProcess: the one executor is this process; it can be neither scaled nor killed.
	InProcess bool
	// First is the number of the first executor; the next ones count up from there.
	First int
	// Listen is where the driver listens, an address that executors reach; "": a port of the loopback interface.
	Listen string
	// App completes the application: settings, the program.
	App func(*cluster.App)
	// Contained: executors are in containers of this machine, where they have other numbers than they know themselves.
	Contained bool
	// Forgives: an executor that leaves with status 0 counts as ended by its cluster.
	Forgives bool
}

// driver makes the driver of an application of a manager.
func (s *Subject) driver(t *testing.T, m cluster.Manager) *Driver {
	d := newDriver(t, m, s.Listen)
	d.complete = s.App
	return d
}

// id is the id of an executor: the first one is 0.
func (s *Subject) id(n int) event.ExecutorID { return event.ExecutorID(strconv.Itoa(s.First + n)) }

func (s *Subject) ids(n ...int) (out []event.ExecutorID) {
	for _, n := range n {
		out = append(out, s.id(n))
	}
	return out
}

// pid is the process of an executor.
func (s *Subject) pid(d *Driver, x Executor) int {
	if !s.Contained {
		return x.PID
	}
	words := []byte("\x00--driver-url\x00" + d.app.DriverURL + "\x00--app-id\x00" + string(d.app.ID) + "\x00--executor-id\x00" + string(x.ID) + "\x00")
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, words) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			return pid
		}
	}
	d.t.Fatalf("executor %s has no process on this machine", x.ID)
	return 0
}

// memory of each executor.
const memory = 64 << 20

// Run holds a manager to the contract of package cluster.
func Run(t *testing.T, s Subject) {
	t.Run("StopWithoutStart", func(t *testing.T) { stopTwice(t, s.New(t)) })
	if s.NewBroken != nil {
		t.Run("FailedStart", func(t *testing.T) { s.failedStart(t, s.NewBroken(t)) })
	}
	if s.InProcess {
		t.Run("InProcess", func(t *testing.T) { s.inProcess(t, s.New(t)) })
		return
	}
	t.Run("Levels", func(t *testing.T) { s.levels(t, s.New(t)) })
	t.Run("Exits", func(t *testing.T) { s.exits(t, s.New(t)) })
	t.Run("Kill", func(t *testing.T) { s.kill(t, s.New(t)) })
	t.Run("Stop", func(t *testing.T) { s.stop(t, s.New(t)) })
}

func stopTwice(t *testing.T, m cluster.Manager) {
	for range 2 {
		if err := m.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
}

func (s *Subject) failedStart(t *testing.T, m cluster.Manager) {
	d := s.driver(t, m)
	if err := d.Launch(1, memory, nil); err == nil {
		t.Error("Start succeeded")
	}
	if err := m.Scale(t.Context(), 1); err == nil {
		t.Error("Scale succeeded after a failed Start")
	}
	stopTwice(t, m)
}

func (s *Subject) inProcess(t *testing.T, m cluster.Manager) {
	d := s.driver(t, m)
	if err := d.Launch(0, 0, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(7)
	d.MustScale(0)
	if err := m.Kill(t.Context(), []event.ExecutorID{event.DriverExecutor}); err != nil {
		t.Errorf("Kill: %v", err)
	}
	if len(d.registered) != 1 || d.registered[0].ID != event.DriverExecutor || d.registered[0].Cores < 1 || len(d.exits) != 0 {
		t.Errorf("told %+v and %+v", d.registered, d.exits)
	}
	stopTwice(t, m)
}

// levels: Scale says how many should exist; again is harmless; less ends none.
func (s *Subject) levels(t *testing.T, m cluster.Manager) {
	d := s.driver(t, m)
	if err := d.Launch(1, memory, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(1)
	d.MustScale(1)
	d.Has(s.ids(0)...)
	d.MustScale(3)
	d.MustScale(3)
	d.Has(s.ids(0, 1, 2)...)
	x := d.Executor(s.id(1))
	pid := s.pid(d, x)
	if x.Secret != "of-the-application" || x.App != string(d.app.ID) || x.Cores != 1 || !filepath.IsAbs(x.Folder) {
		t.Errorf("an executor was started as %+v", x)
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.Contains(string(b), "of-the-application") {
		t.Error("the secret is on the command line")
	}
	if y := d.Executor(s.id(2)); x.Folder == y.Folder && !s.Contained {
		t.Errorf("two executors run in %s", y.Folder)
	}
	d.MustScale(1)
	if err := m.Kill(t.Context(), s.ids(0, 2)); err != nil {
		t.Fatal(err)
	}
	d.Exited(s.id(0))
	d.Exited(s.id(2))
	d.Has(s.ids(1)...) // the level is one: none is replaced
	d.MustScale(2)
	d.Has(s.ids(1, 3)...)
	d.End()
	Gone(t, pid)
}

// exits: an executor's end is told with its status, and it is replaced by one with a new id.
func (s *Subject) exits(t *testing.T, m cluster.Manager) {
	d := s.driver(t, m)
	if err := d.Launch(1, memory, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(2)
	d.Has(s.ids(0, 1)...)
	_ = syscall.Kill(s.pid(d, d.Executor(s.id(0))), syscall.SIGKILL)
	if x := d.Exited(s.id(0)); x.Code != 137 || x.PlatformFault || x.HostLost || !strings.Contains(x.Reason, "signal") {
		t.Errorf("of a killed executor was told %+v", x)
	}
	d.Has(s.ids(1, 2)...)
	_ = d.Executor(s.id(1)).conn.Close()
	if x := d.Exited(s.id(1)); x.Code != 0 || x.PlatformFault != s.Forgives {
		t.Errorf("of one that left was told %+v", x)
	}
	d.mu.Lock()
	delete(d.executors, s.id(1))
	d.mu.Unlock()
	d.Has(s.ids(2, 3)...)
}

// kill: for good, not the executor's fault, and without lowering the level; unknown ids do no harm.
func (s *Subject) kill(t *testing.T, m cluster.Manager) {
	d := s.driver(t, m)
	if err := d.Launch(1, memory, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(2)
	d.Has(s.ids(0, 1)...)
	if err := m.Kill(t.Context(), append(s.ids(0, 77), "nobody")); err != nil {
		t.Fatal(err)
	}
	if x := d.Exited(s.id(0)); !x.PlatformFault {
		t.Errorf("of one that was to end was told %+v", x)
	}
	d.Has(s.ids(1, 2)...)
}

// leave: it is told before, is not the executor's fault, and another one comes.
func leave(t *testing.T, m cluster.Manager, take func(*testing.T, event.ExecutorID)) {
	d := NewDriver(t, m)
	if err := d.Launch(1, memory, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(1)
	d.Has("0")
	pid := d.Executor("0").PID
	take(t, "0")
	if x := d.Exited("0"); !x.PlatformFault {
		t.Errorf("of one that was taken back was told %+v", x)
	}
	if l := d.Leaving(); len(l) != 1 || l[0].ID != "0" || l[0].Reason == "" {
		t.Errorf("before it was taken back was told %+v", l)
	}
	Gone(t, pid)
	d.Has("1")
}

// stop: nothing of the application is left, nothing is told any more.
func (s *Subject) stop(t *testing.T, m cluster.Manager) {
	d := s.driver(t, m)
	if err := d.Launch(1, memory, nil); err != nil {
		t.Fatal(err)
	}
	d.MustScale(3)
	d.Has(s.ids(0, 1, 2)...)
	var pids []int
	for _, id := range s.ids(0, 1, 2) {
		pids = append(pids, s.pid(d, d.Executor(id)))
	}
	stopTwice(t, m)
	d.mu.Lock()
	told := len(d.exits)
	d.mu.Unlock()
	for _, pid := range pids {
		Gone(t, pid)
	}
	if err := m.Scale(t.Context(), 1); err == nil {
		t.Error("a stopped manager was scaled")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.exits) != told || d.failed != nil {
		t.Errorf("told after Stop: %v %v", d.exits, d.failed)
	}
	if slices.ContainsFunc(pids, Alive) {
		t.Error("an executor came back")
	}
}

// Gone waits for the end of a process that is not a child of this one.
func Gone(t testing.TB, pid int) {
	t.Helper()
	Eventually(t, func() string {
		if Alive(pid) {
			return fmt.Sprintf("process %d is still there", pid)
		}
		return ""
	})
}

// Alive says whether a process runs; one that has ended and waits to be asked how does not.
func Alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil { // it has just gone, or there is no /proc
		return syscall.Kill(pid, 0) == nil
	}
	return !strings.Contains(string(b), ") Z ")
}
