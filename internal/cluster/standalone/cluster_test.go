package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
)

func TestContract(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	startWorker(t, m, 1, "")
	startWorker(t, m, 2, "")
	clustertest.Run(t, clustertest.Subject{New: func(t *testing.T) cluster.Manager { return newApp(t, []string{m.says}, nil).m },
		NewBroken: func(t *testing.T) cluster.Manager {
			return newApp(t, []string{m.says}, map[string]string{"spark.authenticate": "true", "spark.authenticate.secret": "wrong"}).m
		},
		Leave: func(t *testing.T, _ event.ExecutorID) {
			p, err := dialFor(t.Context(), dialOptions{[]string{m.says}, identity("", "a test", Program{}), silent{}}, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			for _, w := range view(t, m.says, "").Workers {
				if w.Executors > 0 {
					if _, err := p.ask(t.Context(), core.Decommission{IDs: []string{w.ID}}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}})
}

// Executors are spread over the workers or packed, within the application's cores, the cluster's default and the memory.
func TestScheduling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		packed       bool
		defaultCores int
		most         string
		mib          int64
		free         []int // cores of the workers
		memory       []int64
	}{
		"spread":         {most: "2", mib: 100, free: []int{1, 1}, memory: []int64{924, 924}},
		"packed":         {most: "2", mib: 100, packed: true, free: []int{0, 2}, memory: []int64{824, 1024}},
		"default":        {defaultCores: 3, mib: 100, free: []int{0, 1}, memory: []int64{824, 924}},
		"above default":  {defaultCores: 1, most: "4", mib: 100, free: []int{0, 0}, memory: []int64{824, 824}},
		"all":            {mib: 100, free: []int{0, 0}, memory: []int64{824, 824}},
		"as memory goes": {mib: 600, free: []int{1, 1}, memory: []int64{424, 424}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := quick()
			rules.SpreadOut = !c.packed
			if c.defaultCores > 0 {
				rules.DefaultCores = c.defaultCores
			}
			m := startDaemon(t, "master", MasterOptions{WebUI: -1, REST: -1, Core: rules})
			startWorker(t, m, 2, "")
			startWorker(t, m, 2, "")
			settings := map[string]string{}
			if c.most != "" {
				settings["spark.cores.max"] = c.most
			}
			a := newApp(t, []string{m.says}, settings)
			if err := a.start(1, c.mib, nil); err != nil {
				t.Fatal(err)
			}
			a.MustScale(100)
			var ids []event.ExecutorID
			for i := range 4 - c.free[0] - c.free[1] {
				ids = append(ids, event.ExecutorID(strconv.Itoa(i)))
			}
			a.Has(ids...)
			ws := view(t, m.says, "").Workers
			slices.SortFunc(ws, func(a, b core.WorkerView) int { return a.CoresFree - b.CoresFree })
			for i, w := range ws {
				if w.CoresFree != c.free[i] || w.MemoryFree != c.memory[i]<<20 {
					t.Errorf("a worker has %d cores and %d MiB left, want %d and %d", w.CoresFree, w.MemoryFree>>20, c.free[i], c.memory[i])
				}
			}
		})
	}
}

func TestExecutorIsReplaced(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{Secret: "s"})
	w, work := startWorker(t, m, 2, "s")
	a := newApp(t, []string{m.says}, map[string]string{"spark.authenticate": "true", "spark.authenticate.secret": "s"})
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(2)
	a.Has("0", "1")
	x := a.Executor("0")
	if x.Secret != "of-the-application" || x.App != "app-toy" || x.Cores != 1 {
		t.Errorf("an executor was started with %+v", x)
	}
	_ = syscall.Kill(x.PID, syscall.SIGKILL)
	if e := a.Exited("0"); e.Code != 137 || !strings.Contains(e.Reason, "signal 9") || e.PlatformFault || e.HostLost {
		t.Errorf("told %+v", e)
	}
	a.Has("1", "2")
	if err := a.Kill(t.Context(), []event.ExecutorID{"1"}); err != nil {
		t.Fatal(err)
	}
	if e := a.Exited("1"); !e.PlatformFault {
		t.Errorf("of one that was to end it was told %+v", e)
	}
	a.Has("2", "3")
	last := a.Executor("3")
	a.End()
	clustertest.Gone(t, last.PID)
	empty(t, work)
	w.leave(t)
	m.leave(t)
}

func TestWorkerIsKilled(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	w, _ := startWorker(t, m, 2, "")
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(2)
	a.Has("0", "1")
	zero, one := a.Executor("0"), a.Executor("1")
	w.kill()
	for _, id := range []event.ExecutorID{"0", "1"} {
		if e := a.Exited(id); !e.HostLost || !e.PlatformFault || !strings.Contains(e.Reason, "worker lost") {
			t.Errorf("executor %s: told %+v", id, e)
		}
	}
	clustertest.Gone(t, zero.PID)
	clustertest.Gone(t, one.PID)
	other, work := startWorker(t, m, 2, "")
	a.Has("2", "3")
	other.leave(t) // as a user ends a worker: told at once
	if e := a.Exited("2"); !e.HostLost {
		t.Errorf("told %+v", e)
	}
	a.End()
	names, _ := filepath.Glob(filepath.Join(work, "*", "*", "*"))
	for _, n := range names {
		if !strings.HasSuffix(n, "stderr") && !strings.HasSuffix(n, "stdout") {
			t.Errorf("left: %s", n)
		}
	}
}

func TestMasterRestarts(t *testing.T) {
	for _, mode := range []string{"NONE", "FILESYSTEM"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := MasterOptions{Secret: "s"}
			if mode == "FILESYSTEM" {
				o.Recovery = t.TempDir()
			}
			m := startMaster(t, o)
			startWorker(t, m, 2, "s")
			_, second := startWorker(t, m, 2, "s")
			a := newApp(t, []string{m.says}, map[string]string{"spark.authenticate": "true", "spark.authenticate.secret": "s", "spark.cores.max": "3"})
			if err := a.start(1, 100, nil); err != nil {
				t.Fatal(err)
			}
			a.MustScale(9)
			a.Has("0", "1", "2")
			before := a.Executor("0").PID
			runs := filepath.Join(t.TempDir(), "runs")
			c, err := NewClient(t.Context(), []string{m.says}, "s", nil)
			if err != nil {
				t.Fatal(err)
			}
			driver, err := c.Submit(t.Context(), core.DriverDesc{Resource: "app.py", Args: []string{"child", runs}, Cores: 1, Memory: 1})
			if err != nil {
				t.Fatal(err)
			}
			clustertest.Eventually(t, func() string {
				if _, err := os.Stat(runs); err != nil {
					return "the driver does not run"
				}
				return ""
			})
			c.Close()
			m.kill()
			_ = syscall.Kill(a.Executor("1").PID, syscall.SIGKILL) // while there is no master
			_, port, _ := net.SplitHostPort(m.says)
			o.Port, _ = strconv.Atoi(port)
			m = startMaster(t, o)
			if e := a.Exited("1"); e.Code != 137 {
				t.Errorf("told %+v", e)
			}
			a.Has("0", "2", "3") // a new one has a new number
			if a.Executor("0").PID != before || !clustertest.Alive(before) {
				t.Error("an executor was touched")
			}
			v := view(t, m.says, "s")
			cores := 0
			for _, w := range v.Workers {
				if w.CoresFree < 0 {
					t.Errorf("worker %s gives cores twice: %+v", w.ID, w)
				}
				cores += w.CoresFree
			}
			if len(v.Workers) != 2 || cores != 0 || len(v.Apps) != 1 || v.Apps[0].Executors != 3 || v.Apps[0].Cores != 3 {
				t.Errorf("the new master knows %+v", v)
			}
			if len(v.ActiveDrivers) != 1 || v.ActiveDrivers[0].ID != driver || v.ActiveDrivers[0].State != core.Running {
				t.Errorf("the new master knows the drivers %+v", v.ActiveDrivers)
			}
			a.End()
			clustertest.Eventually(t, func() string {
				if m, _ := filepath.Glob(filepath.Join(second, "app-*")); len(m) > 0 {
					return "left: " + m[0]
				}
				return ""
			})
		})
	}
}

// An executor that never comes back is told, and what ended without a master leaves nothing behind.
func TestWorkerDiesWithoutMaster(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	w, _ := startWorker(t, m, 1, "")
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	a.Has("0")
	m.kill()
	w.kill()
	_, port, _ := net.SplitHostPort(m.says)
	p, _ := strconv.Atoi(port)
	m = startMaster(t, MasterOptions{Port: p})
	if e := a.Exited("0"); !e.PlatformFault {
		t.Errorf("told %+v", e)
	}
	startWorker(t, m, 1, "")
	a.Has("1")
}

func TestDriverIsKilled(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	_, work := startWorker(t, m, 1, "")
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	a.Has("0")
	pid := a.Executor("0").PID
	a.m.stop() // the manager does not connect again, as a process that was killed does not
	a.m.busy.Wait()
	a.m.peer.Close()
	clustertest.Gone(t, pid)
	empty(t, work)
	clustertest.Eventually(t, func() string {
		if v := view(t, m.says, ""); len(v.Apps) != 0 || len(v.EndedApps) != 1 || v.EndedApps[0].State != "FAILED" || v.Workers[0].CoresFree != 1 {
			return "the application still holds something"
		}
		return ""
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{Secret: "right"})
	for name, c := range map[string]struct{ secret, says string }{
		"wrong secret": {"wrong", "the shared secret (spark.authenticate.secret) is wrong"},
		"no secret":    {"", "asks for a shared secret (spark.authenticate), but none was given"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{}
			if c.secret != "" {
				settings = map[string]string{"spark.authenticate": "true", "spark.authenticate.secret": c.secret}
			}
			a := newApp(t, []string{m.says}, settings)
			err := a.start(1, 100, nil)
			var refused *rpc.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "right") {
				t.Errorf("the application got %v", err)
			}
			_, err = StartWorker(t.Context(), WorkerOptions{Masters: []string{m.says}, WebUI: -1, Cores: 1, Dir: t.TempDir(), Secret: c.secret})
			if !errors.As(err, &refused) {
				t.Errorf("the worker got %v", err)
			}
			if _, err = NewClient(t.Context(), []string{m.says}, c.secret, nil); !errors.As(err, &refused) {
				t.Errorf("the client got %v", err)
			}
		})
	}
	if _, err := StartMaster(MasterOptions{Host: "0.0.0.0", WebUI: -1, REST: -1}); err == nil || !strings.Contains(err.Error(), "without authentication") {
		t.Errorf("a master that is open to everybody: %v", err)
	}
}

func TestNoMaster(t *testing.T) {
	t.Parallel()
	if firstContact > 20*time.Second {
		t.Errorf("a master is looked for for %s", firstContact)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	_ = l.Close()
	a := newApp(t, []string{nobody}, nil)
	a.m.first = lookEvery + 100*time.Millisecond
	var said []string
	a.m.warn = func(s string) { said = append(said, s) }
	if err := a.start(1, 100, nil); err == nil || !strings.Contains(err.Error(), "no master of spark://"+nobody+" can be used") {
		t.Errorf("the application got %v", err)
	}
	if want := "waiting for master spark://" + nobody + ", retry 1 of 1"; !slices.Equal(said, []string{want}) {
		t.Errorf("said while it waited: %q, want %q", said, want)
	}
	if err := a.Scale(t.Context(), 1); err == nil {
		t.Error("an application that is not registered was scaled")
	}
	_, err = StartWorker(t.Context(), WorkerOptions{Masters: []string{nobody}, WebUI: -1, Cores: 1, Dir: t.TempDir(), Contact: 200 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), nobody) {
		t.Errorf("the worker got %v", err)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	m, err := StartMaster(MasterOptions{WebUI: 0, REST: 0, Core: quick()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, port, _ := net.SplitHostPort(m.Addr())
	p, _ := strconv.Atoi(port)
	if _, err := StartMaster(MasterOptions{Port: p, WebUI: -1, REST: -1}); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "--port") {
		t.Errorf("a second master on the port: %v", err)
	}
	_, port, _ = net.SplitHostPort(m.WebUI())
	p, _ = strconv.Atoi(port)
	other, err := StartMaster(MasterOptions{WebUI: p, REST: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.WebUI() == m.WebUI() {
		t.Error("two status pages at one address")
	}
}

func TestWorkerTooSmall(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	startWorker(t, m, 2, "")
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(4, 4096, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	clustertest.Eventually(t, func() string {
		if !strings.Contains(a.warned(), "an executor needs 4 cores and 4096 MiB; of 1 workers the freest has 2 cores, and the most memory free on one is 1024 MiB") {
			return "warned: " + a.warned()
		}
		return ""
	})
}

func TestExecutorsThatEndAtOnce(t *testing.T) {
	t.Parallel()
	o := MasterOptions{WebUI: -1, REST: -1, Core: quick()}
	o.Core.MaxExecutorRetries = 3
	m := startDaemon(t, "master", o)
	_, work := startWorker(t, m, 1, "")
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, map[string]string{clustertest.ExitEnv: "9"}); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	if err := a.Failed(); !strings.Contains(err.Error(), "exited with status 9") {
		t.Errorf("it gave up with %v", err)
	}
	empty(t, work)
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	w, _ := startWorker(t, m, 2, "")
	c, err := NewClient(t.Context(), []string{m.says}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	submit := func(supervise bool, args ...string) string {
		id, err := c.Submit(t.Context(), core.DriverDesc{Resource: "app.py", Args: args, Cores: 1, Memory: 1 << 20, Supervise: supervise})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	reaches := func(id string, s core.DriverState) (d core.DriverView) {
		t.Helper()
		clustertest.Eventually(t, func() string {
			d, _, _ = c.Status(t.Context(), id)
			if d.State != s {
				return "the driver is " + string(d.State) + " (" + d.Reason + "), not " + string(s)
			}
			return ""
		})
		return d
	}
	reaches(submit(false, "exit", "0"), core.Finished)
	if d := reaches(submit(false, "exit", "7"), core.Failed); !strings.Contains(d.Reason, "status 7") {
		t.Errorf("reason %q", d.Reason)
	}
	said := submit(false, "say", "150000") // more than travels at a time
	reaches(said, core.Finished)
	var out, errs strings.Builder
	if err := errors.Join(c.Log(t.Context(), said, "stdout", &out), c.Log(t.Context(), said, "stderr", &errs)); err != nil {
		t.Error(err)
	}
	if s := out.String(); !strings.HasPrefix(s, "line 0\nline 1\n") || !strings.HasSuffix(s, "line 149999\n") || strings.Count(s, "\n") != 150000 || errs.String() != "and an error\n" {
		t.Errorf("%d bytes of a log, and %q", len(s), errs.String())
	}
	for _, q := range [][2]string{{"driver-0", "stdout"}, {said, "../" + said + "/stdout"}} {
		if err := c.Log(t.Context(), q[0], q[1], io.Discard); err == nil {
			t.Errorf("there is a log %q", q)
		}
	}
	reaches(submit(true, "once", filepath.Join(t.TempDir(), "ran")), core.Finished) // the second time
	file := filepath.Join(t.TempDir(), "child")
	id := submit(false, "child", file)
	var pid int
	clustertest.Eventually(t, func() string {
		b, _ := os.ReadFile(file)
		if pid, _ = strconv.Atoi(string(b)); pid == 0 {
			return "no child"
		}
		return ""
	})
	if _, err := c.Kill(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	reaches(id, core.Killed)
	clustertest.Gone(t, pid)
	if _, err := c.Kill(t.Context(), id); err == nil || !strings.Contains(err.Error(), "already finished or does not exist") {
		t.Errorf("killed twice: %v", err)
	}
	// A worker that is killed takes its drivers along; one that is supervised runs elsewhere.
	_ = os.Remove(file)
	id = submit(true, "child", file)
	clustertest.Eventually(t, func() string {
		b, _ := os.ReadFile(file)
		if pid, _ = strconv.Atoi(string(b)); pid == 0 {
			return "no child"
		}
		return ""
	})
	w.kill()
	clustertest.Gone(t, pid)
	_ = os.Remove(file)
	startWorker(t, m, 2, "")
	clustertest.Eventually(t, func() string {
		if _, err := os.Stat(file); err != nil {
			return "the driver was not launched again"
		}
		return ""
	})
	reaches(id, core.Running)
	if _, err := c.Kill(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	reaches(id, core.Killed)
}

// Programs of another release join if they understand each other; if not, both are named.
func TestOtherReleases(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	later, other := Program{Release: "9.1.0"}, Program{Release: "9.2.0", Messages: "others"}
	dir := t.TempDir()
	worker := WorkerOptions{Masters: []string{m.says}, WebUI: -1, Cores: 1, Memory: 1 << 30, Dir: dir, Program: later}
	startDaemon(t, "worker", worker, "SPARK_LOCAL_DIRS="+dir)
	a := newApp(t, []string{m.says}, nil)
	a.m.program = later
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	a.Has("0")
	refused := func(who string, err error) {
		t.Helper()
		var r *rpc.RefusedError
		if !errors.As(err, &r) || !strings.Contains(err.Error(), "it is Firesteel "+rpc.Release+" (messages ") || !strings.HasSuffix(err.Error(), "not Firesteel 9.2.0 (messages others)") {
			t.Errorf("the %s got %v", who, err)
		}
	}
	worker.Program = other
	_, err := StartWorker(t.Context(), worker)
	refused("worker", err)
	b := newApp(t, []string{m.says}, nil)
	b.m.program = other
	refused("application", b.start(1, 100, nil))
	clustertest.Eventually(t, func() string {
		if text := m.err.String(); strings.Count(text, "not Firesteel 9.2.0") < 2 {
			return "the master's log says " + text
		}
		return ""
	})
}

// What an executor has written stays when its application has ended, until it is old; folders in use stay in any case.
func TestOldFolders(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	dir := t.TempDir()
	old := filepath.Join(dir, "app-of-last-week", "0")
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	w := WorkerOptions{Masters: []string{m.says}, WebUI: -1, Cores: 1, Memory: 1 << 30, Dir: dir, Heartbeat: time.Second,
		Cleanup: Cleanup{Every: 100 * time.Millisecond, TTL: 2 * time.Second}}
	startDaemon(t, "worker", w, "SPARK_LOCAL_DIRS="+t.TempDir())
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	a.Has("0")
	logs := filepath.Join(dir, string(view(t, m.says, "").Apps[0].ID), "0", "stderr")
	longAgo := time.Now().Add(-time.Hour)
	for _, name := range []string{filepath.Dir(old), old, logs, filepath.Dir(logs), filepath.Dir(filepath.Dir(logs))} {
		if err := os.Chtimes(name, longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	clustertest.Eventually(t, func() string {
		if _, err := os.Stat(filepath.Dir(old)); err == nil {
			return "an old folder is still there"
		}
		return ""
	})
	if err := os.WriteFile(logs, []byte("what it said"), 0o600); err != nil { // that it is still there was seen by this
		t.Fatal(err)
	}
	a.End()
	clustertest.Eventually(t, func() string {
		if _, err := os.Stat(filepath.Join(filepath.Dir(logs), "stdout")); err == nil {
			return "an empty file is left"
		}
		return ""
	})
	if b, err := os.ReadFile(logs); err != nil || string(b) != "what it said" {
		t.Errorf("the log holds %q %v", b, err)
	}
	empty(t, dir)
}

// A worker that is decommissioned gets nothing more, tells the applications and ends when what it ran has.
func TestWorkerIsDecommissioned(t *testing.T) {
	t.Parallel()
	m := startMaster(t, MasterOptions{})
	w, err := StartWorker(t.Context(), WorkerOptions{Masters: []string{m.says}, WebUI: -1, Cores: 2, Memory: 1 << 30, Dir: t.TempDir(), Heartbeat: time.Second, Binary: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(2)
	a.Has("0", "1")
	startWorker(t, m, 2, "")
	w.Decommission()
	a.Has("2", "3")
	for _, id := range []event.ExecutorID{"0", "1"} {
		if x := a.Exited(id); !x.PlatformFault {
			t.Errorf("of an executor that had to go was told %+v", x)
		}
	}
	if l := a.Leaving(); len(l) != 2 || l[0].Reason != "worker decommissioned" {
		t.Errorf("told of those that leave: %+v", l)
	}
	select {
	case <-w.Done():
		if w.Err() != nil {
			t.Error(w.Err())
		}
	case <-time.After(20 * time.Second):
		t.Error("the worker stays")
	}
}

// A worker that was cut off for longer than its timeout ends what was replaced meanwhile, and is of use again.
func TestWorkerIsCutOff(t *testing.T) {
	t.Parallel()
	rules := quick()
	rules.WorkerTimeout = 2 * time.Second
	m := startDaemon(t, "master", MasterOptions{WebUI: -1, REST: -1, Core: rules})
	via := startProxy(t, m.says)
	work := t.TempDir()
	startDaemon(t, "worker", WorkerOptions{Masters: []string{via.address}, WebUI: -1, Cores: 1, Memory: 1 << 30, Dir: work, Heartbeat: 200 * time.Millisecond},
		"SPARK_LOCAL_DIRS="+t.TempDir())
	a := newApp(t, []string{m.says}, nil)
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(1)
	a.Has("0")
	pid := a.Executor("0").PID
	old := view(t, m.says, "").Workers[0].ID
	via.cut()
	if x := a.Exited("0"); !x.HostLost || !x.PlatformFault || !strings.Contains(x.Reason, "worker lost") {
		t.Errorf("told %+v", x)
	}
	other, _ := startWorker(t, m, 1, "")
	a.Has("1") // elsewhere
	_ = other
	via.heal()
	clustertest.Gone(t, pid)
	clustertest.Eventually(t, func() string {
		v := view(t, m.says, "")
		for _, w := range v.Workers {
			if w.ID == old && w.State == "ALIVE" && w.CoresFree == 1 && w.Executors == 0 {
				return ""
			}
		}
		return fmt.Sprintf("the workers are %+v", v.Workers)
	})
	a.MustScale(2)
	a.Has("1", "2") // there
	a.End()
}
