// Package localcluster is the cluster manager behind local-cluster[n,cores,MiB]: n executors as child processes of the
// driver, for tests of what only separate processes show.
package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/event"
)

// Host is the address of all executors.
const Host = "127.0.0.1"

const (
	// retryPause is the least time between two starts that replace an executor.
	retryPause = 200 * time.Millisecond
	// maxFastExits is how many executors in a row may end within settled before the manager gives up.
	maxFastExits = 10
	settled      = 3 * time.Second
	// leaveWait is how long executors may take to leave before they are killed.
	leaveWait = 3 * time.Second
)

// Manager starts executors as children of this process. It implements cluster.Manager.
type Manager struct {
	master cluster.Master
	app    cluster.App
	notify func(cluster.Notice)
	dir    string // of the executors' output
	base   context.Context
	cancel context.CancelFunc
	busy   sync.WaitGroup

	mu       sync.Mutex
	started  bool
	stopped  bool
	level    int
	next     int
	fast     int // executors in a row that ended soon after their start
	children map[event.ExecutorID]*executor
	waking   bool // a replacement waits for its pause
}

type executor struct {
	*child.Process
	asked bool // to end
}

// New makes a manager of a local-cluster master.
func New(m cluster.Master) *Manager {
	return &Manager{master: m, children: map[event.ExecutorID]*executor{}}
}

// Start implements cluster.Manager.
func (m *Manager) Start(_ context.Context, app cluster.App, notify func(cluster.Notice)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started || m.stopped {
		return errors.New("the local cluster was started before")
	}
	dir, err := os.MkdirTemp("", "firesteel-local-cluster-")
	if err != nil {
		return err
	}
	if app.Executor.Cores == 0 {
		app.Executor.Cores = m.master.Cores
	}
	app.Executor.Memory = min(app.Executor.Memory, int64(m.master.MemoryMB)<<20)
	m.app, m.notify, m.dir, m.started = app, notify, dir, true
	m.base, m.cancel = context.WithCancel(context.Background())
	return nil
}

// most is the number of executors that fit: as many as the workers' cores allow.
func (m *Manager) most() int {
	return m.master.Workers * max(m.master.Cores/max(m.app.Executor.Cores, 1), 1)
}

// Scale implements cluster.Manager. More executors than fit are not started.
func (m *Manager) Scale(_ context.Context, total int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.started || m.stopped {
		return errors.New("the local cluster is not running")
	}
	m.level = min(total, m.most())
	return m.fill()
}

// fill starts what is missing; the lock is held.
func (m *Manager) fill() error {
	for len(m.children) < m.level && !m.stopped {
		if err := m.launch(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) launch() error {
	id := event.ExecutorID(fmt.Sprint(m.next))
	m.next++
	dir := filepath.Join(m.dir, string(id))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	log := filepath.Join(dir, "stderr")
	local, err := cluster.LocalDirs(m.app.Conf["spark.local.dir"])
	if err != nil {
		return err
	}
	env, private := cluster.Private(m.app.Environment())
	env["SPARK_LOCAL_DIRS"] = local
	p, err := child.Start(child.Spec{Path: m.app.Executor.Binary, Args: m.app.Arguments(id, Host, m.app.Executor.Cores), Env: env, Private: private,
		Dir: dir, Stdout: log, Stderr: log})
	if err != nil {
		return fmt.Errorf("executor %s could not be started: %w", id, err)
	}
	c := &executor{Process: p}
	m.children[id] = c
	m.notify(cluster.Launched{ID: id, Host: Host, Where: fmt.Sprintf("process %d", p.PID()), Cores: m.app.Executor.Cores, Memory: m.app.Executor.Memory})
	m.busy.Go(func() { m.watch(id, c) })
	return nil
}

// watch waits for the end of an executor, tells it, and sees to a replacement.
func (m *Manager) watch(id event.ExecutorID, c *executor) {
	code, reason := c.Ended()
	left := cluster.RemoveFolders(cluster.LocalFolders(m.app.Conf["spark.local.dir"], m.app.ID, id)) // it may have been killed
	m.mu.Lock()
	delete(m.children, id)
	asked, stopped := c.asked, m.stopped
	if c.Lived() < settled && !asked {
		m.fast++
	} else {
		m.fast = 0
	}
	gaveUp := m.fast >= maxFastExits
	if gaveUp {
		m.level = 0
	}
	pause := !stopped && !m.waking && len(m.children) < m.level
	m.waking = m.waking || pause
	m.mu.Unlock()
	if stopped {
		return
	}
	if left != nil {
		reason += "; its files cannot be removed: " + left.Error()
	}
	m.notify(cluster.Exited{ID: id, Code: code, Reason: reason, PlatformFault: asked, OutOfMemory: c.OutOfMemory()})
	if gaveUp {
		m.notify(cluster.Failed{Err: fmt.Errorf("%d executors in a row ended soon after their start; the last one %s; its output: %s",
			maxFastExits, reason, child.Tail(filepath.Join(m.dir, string(id), "stderr")))})
		return
	}
	if pause {
		m.replace()
	}
}

func (m *Manager) replace() {
	select {
	case <-time.After(retryPause):
	case <-m.base.Done():
		return
	}
	m.mu.Lock()
	m.waking = false
	err := m.fill()
	m.mu.Unlock()
	if err != nil {
		m.notify(cluster.Failed{Err: err})
	}
}

// Kill implements cluster.Manager.
func (m *Manager) Kill(_ context.Context, ids []event.ExecutorID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if c := m.children[id]; c != nil && !c.asked {
			c.asked = true
			m.busy.Go(func() { c.End(leaveWait) })
		}
	}
	return nil
}

// Stop implements cluster.Manager.
func (m *Manager) Stop(context.Context) error {
	m.mu.Lock()
	if m.stopped || !m.started {
		m.stopped = true
		m.mu.Unlock()
		return nil
	}
	m.stopped = true
	m.cancel()
	for _, c := range m.children {
		c.asked = true
		m.busy.Go(func() { c.End(leaveWait) })
	}
	m.mu.Unlock()
	m.busy.Wait()
	return os.RemoveAll(m.dir)
}
