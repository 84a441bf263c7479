// Package clustertest is the contract of cluster.Manager as tests, and the toy applications with which they are made: a
// driver that only listens, and executors that only say who they are.
//
// A test binary that calls ExecutorMain first in its TestMain is the executors' program.
package clustertest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/event"
)

// ExitEnv, in cluster.Executor.Env, makes executors end at once with this status.
const ExitEnv = "_CLUSTERTEST_EXIT"

// ExecutorMain is an executor where this process was started as one, and does not return then.
func ExecutorMain() {
	if os.Getenv(cluster.ExecutorEnv) == "1" {
		child.FollowParent()
		os.Exit(executor(os.Args[1:]))
	}
}

// executor says to its driver who it is, and leaves when the connection ends.
func executor(args []string) int {
	if code, err := strconv.Atoi(os.Getenv(ExitEnv)); err == nil {
		return code
	}
	value := func(flag string) string {
		for i, a := range args {
			if a == flag {
				return args[i+1]
			}
		}
		return "?"
	}
	c, err := net.Dial("tcp", value("--driver-url"))
	if err != nil {
		return 3
	}
	fmt.Fprintf(c, "%s %d %s %s %s %s\n", value("--executor-id"), os.Getpid(), value("--cores"), value("--app-id"), os.Getenv(cluster.SecretEnv), folder())
	_, _ = io.ReadAll(c) // until the driver lets go
	return 0
}

// folder is the one that this process runs in, or why it cannot write there.
func folder() string {
	dir, err := os.Getwd()
	if err == nil {
		err = errors.Join(os.WriteFile("toy", nil, 0o600), os.Remove("toy"))
	}
	if err != nil {
		return "!" + strings.ReplaceAll(err.Error(), " ", "_")
	}
	return strings.ReplaceAll(dir, " ", "_")
}

// Executor is an executor as its driver sees it.
type Executor struct {
	ID     event.ExecutorID
	PID    int
	Cores  int
	App    string
	Secret string
	Folder string // that it runs in, or "!" and why it cannot write there
	conn   net.Conn
}

// Driver is an application's driver for toy executors. It keeps what its manager tells.
type Driver struct {
	cluster.Manager
	t        testing.TB
	listener net.Listener
	busy     sync.WaitGroup
	complete func(*cluster.App) // nil: nothing is missing
	app      cluster.App        // that was launched

	mu         sync.Mutex
	executors  map[event.ExecutorID]Executor
	exits      map[event.ExecutorID]cluster.Exited
	leaving    []cluster.Leaving
	registered []cluster.Registered
	failed     error
}

// NewDriver makes the driver of an application of a manager. It ends with the test.
func NewDriver(t testing.TB, m cluster.Manager) *Driver { return newDriver(t, m, "") }

func newDriver(t testing.TB, m cluster.Manager, listen string) *Driver {
	d := &Driver{Manager: m, t: t, executors: map[event.ExecutorID]Executor{}, exits: map[event.ExecutorID]cluster.Exited{}}
	var err error
	if d.listener, err = net.Listen("tcp", cmp.Or(listen, "127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	d.busy.Go(d.accept)
	t.Cleanup(d.End)
	return d
}

func (d *Driver) accept() {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return
		}
		x := Executor{conn: c}
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = fmt.Sscan(line, &x.ID, &x.PID, &x.Cores, &x.App, &x.Secret, &x.Folder)
		d.mu.Lock()
		if _, ok := d.exits[x.ID]; ok {
			_ = c.Close() // it was told to have ended
		} else {
			d.executors[x.ID] = x
		}
		d.mu.Unlock()
	}
}

// App is the application that Launch starts.
func (d *Driver) App(cores int, memory int64, env map[string]string) cluster.App {
	return cluster.App{ID: "app-toy", Name: "toy", User: "me", DriverURL: d.listener.Addr().String(), Secret: "of-the-application",
		Executor: cluster.Executor{Cores: cores, Memory: memory, Binary: os.Args[0], Env: env}}
}

// Launch starts the manager for executors of so many cores and bytes.
func (d *Driver) Launch(cores int, memory int64, env map[string]string) error {
	d.app = d.App(cores, memory, env)
	if d.complete != nil {
		d.complete(&d.app)
	}
	return d.Start(d.t.Context(), d.app, d.Told)
}

// Told takes the manager's notices.
func (d *Driver) Told(n cluster.Notice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch n := n.(type) {
	case cluster.Registered:
		d.registered = append(d.registered, n)
	case cluster.Exited:
		d.exits[n.ID] = n
		if x, ok := d.executors[n.ID]; ok {
			_ = x.conn.Close()
			delete(d.executors, n.ID)
		}
	case cluster.Leaving:
		d.leaving = append(d.leaving, n)
	case cluster.Failed:
		d.failed = n.Err
	}
}

// End stops the manager and lets all executors go. It may be called more than once.
func (d *Driver) End() {
	if err := d.Stop(context.Background()); err != nil {
		d.t.Errorf("Stop: %v", err)
	}
	_ = d.listener.Close()
	d.busy.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.executors {
		_ = x.conn.Close()
	}
}

// MustScale sets the level.
func (d *Driver) MustScale(total int) {
	d.t.Helper()
	if err := d.Scale(d.t.Context(), total); err != nil {
		d.t.Fatal(err)
	}
}

// Has waits until exactly these executors are there.
func (d *Driver) Has(ids ...event.ExecutorID) {
	d.t.Helper()
	Eventually(d.t, func() string {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, id := range ids {
			if _, ok := d.executors[id]; !ok {
				return fmt.Sprintf("executor %s is missing; %d are there; exits %v; failed %v", id, len(d.executors), d.exits, d.failed)
			}
		}
		if len(d.executors) != len(ids) {
			return fmt.Sprintf("%d executors, not %d", len(d.executors), len(ids))
		}
		return ""
	})
}

// Executor is the one with the id; zero if it is not there.
func (d *Driver) Executor(id event.ExecutorID) Executor {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.executors[id]
}

// Exited waits for the notice of an executor's end.
func (d *Driver) Exited(id event.ExecutorID) (x cluster.Exited) {
	d.t.Helper()
	Eventually(d.t, func() string {
		d.mu.Lock()
		defer d.mu.Unlock()
		var ok bool
		if x, ok = d.exits[id]; !ok {
			return "the end of executor " + string(id) + " was not told"
		}
		return ""
	})
	return x
}

// Leaving are the notices of executors that will end.
func (d *Driver) Leaving() []cluster.Leaving {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]cluster.Leaving(nil), d.leaving...)
}

// Failed waits for the notice that the manager has given up.
func (d *Driver) Failed() (err error) {
	d.t.Helper()
	Eventually(d.t, func() string {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err = d.failed; err == nil {
			return "the manager goes on"
		}
		return ""
	})
	return err
}

// patience is how long Eventually waits: longer than a pod takes to start on a busy machine.
const patience = time.Minute

// Eventually waits until f has nothing to complain about.
func Eventually(t testing.TB, f func() string) {
	t.Helper()
	why := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if why = f(); why == "" {
			return
		}
	}
	t.Fatal(why)
}
