package executor_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/wire"
)

// TestMain makes the test's binary an executor where it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(cluster.ExecutorEnv) == "1" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		kinds := map[string]executor.Kind{"toy": toyKind, wire.PlanWork: executor.PlanKind}
		run := executor.Main
		if os.Getenv(fleetEnv) != "" {
			run = beFleet
		}
		err := run(ctx, os.Args[1:], kinds)
		stop()
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// toys are the works of tests, by name.
type toy func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error)

type toyWork struct {
	env *executor.Env
	run toy
}

func toyKind(_ context.Context, env *executor.Env, data []byte) (executor.Work, error) {
	run := toys[string(data)]
	if run == nil {
		return nil, fmt.Errorf("there is no toy %s", data)
	}
	return &toyWork{env, run}, nil
}

func (w *toyWork) Run(ctx context.Context, t *executor.Task) (wire.Outcome, error) {
	return w.run(ctx, w.env, t)
}

func (w *toyWork) Close() error { return nil }

// procs is a cluster manager whose executors are processes of this test's binary.
type procs struct {
	t     testing.TB
	dir   string
	cores int
	// host is that of the n-th executor; nil: 127.0.0.1.
	host func(n int) string
	// spoil changes an executor's command line before it starts.
	spoil func(n int, cmd *exec.Cmd)
	files *files.Depot // of the application

	mu      sync.Mutex
	app     cluster.App
	notify  func(cluster.Notice)
	next    int
	want    int
	running map[event.ExecutorID]*exec.Cmd
	stopped bool
	waiting sync.WaitGroup
	asked   []int // totals
}

func (p *procs) Start(_ context.Context, app cluster.App, notify func(cluster.Notice)) error {
	p.app, p.notify, p.running = app, notify, map[event.ExecutorID]*exec.Cmd{}
	return nil
}

func (p *procs) Scale(_ context.Context, total int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want = total
	p.asked = append(p.asked, total)
	return p.fill()
}

// fill starts what is missing; the lock is held.
func (p *procs) fill() error {
	for !p.stopped && len(p.running) < p.want {
		id := event.ExecutorID(strconv.Itoa(p.next))
		p.next++
		host := "127.0.0.1"
		if p.host != nil {
			host = p.host(p.next - 1)
		}
		cmd := exec.Command(os.Args[0], p.app.Arguments(id, host, p.cores)...)
		cmd.Env = append(os.Environ(), "SPARK_LOCAL_DIRS="+p.dir)
		for k, v := range p.app.Environment() {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		if p.spoil != nil {
			p.spoil(p.next-1, cmd)
		}
		log, err := os.Create(filepath.Join(p.dir, "stderr-"+string(id)))
		if err != nil {
			return err
		}
		cmd.Stderr = log
		err = cmd.Start()
		_ = log.Close()
		if err != nil {
			return err
		}
		p.running[id] = cmd
		p.waiting.Go(func() { p.wait(id, cmd) })
	}
	return nil
}

func (p *procs) wait(id event.ExecutorID, cmd *exec.Cmd) {
	_ = cmd.Wait()
	n := cluster.Exited{ID: id, Code: cmd.ProcessState.ExitCode()}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		n.Code = 128 + int(s.Signal())
		_ = cluster.RemoveFolders([]string{filepath.Join(p.dir, "firesteel-"+string(p.app.ID), "executor-"+string(id))}) // as a worker does
	}
	p.mu.Lock()
	delete(p.running, id)
	stopped := p.stopped
	if !stopped {
		_ = p.fill()
	}
	p.mu.Unlock()
	if !stopped {
		p.notify(n)
	}
}

func (p *procs) Kill(_ context.Context, ids []event.ExecutorID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if cmd := p.running[id]; cmd != nil {
			_ = cmd.Process.Kill()
		}
	}
	return nil
}

func (p *procs) Stop(context.Context) error {
	p.mu.Lock()
	p.stopped = true
	for _, cmd := range p.running {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	p.mu.Unlock()
	p.waiting.Wait()
	return nil
}

// kill sends a signal to an executor.
func (p *procs) kill(id event.ExecutorID, s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cmd := p.running[id]; cmd != nil {
		_ = cmd.Process.Signal(s)
	}
}

// tellLeaving says that an executor will have to go, as a manager does.
func (p *procs) tellLeaving(id event.ExecutorID) {
	p.notify(cluster.Leaving{ID: id, Reason: "its node is being decommissioned"})
}

// log is what an executor wrote.
func (p *procs) log(id string) string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "stderr-"+id))
	return string(b)
}

type testCluster struct {
	*driver.Driver
	remote *driver.Remote
	procs  *procs
}

// start makes an application with so many executors.
func start(t testing.TB, executors, cores int, settings map[string]string) *testCluster {
	p := &procs{t: t, dir: t.TempDir(), cores: cores}
	return startOn(t, p, executors, settings)
}

func startOn(t testing.TB, p *procs, executors int, settings map[string]string) *testCluster {
	t.Helper()
	all := map[string]string{"spark.shuffle.io.retryWait": "100ms", "spark.executor.heartbeatInterval": "200ms", "spark.executor.instances": strconv.Itoa(executors)}
	for k, v := range settings {
		all[k] = v
	}
	values := conf.NewValues(all)
	r := driver.NewRemote(driver.RemoteOptions{Manager: p, Conf: values, Files: p.files, App: cluster.App{ID: "app-1", Name: "test",
		Executor: cluster.Executor{Cores: p.cores, Memory: 256 << 20, Binary: os.Args[0]}}})
	cfg := scheduler.FromConf(values)
	cfg.Allocation.ExecutorCores = p.cores
	d, err := driver.New(context.Background(), driver.Config{Scheduler: cfg}, r)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCluster{d, r, p}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for i := range p.next {
				t.Logf("executor %d:\n%s", i, p.log(strconv.Itoa(i)))
			}
		}
		if left := p.left(); len(left) > 0 {
			t.Errorf("files are left: %v", left)
		}
	})
	return c
}

// left are the files of executors that are still there.
func (p *procs) left() (files []string) {
	_ = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Dir(path) != p.dir {
			files = append(files, path)
		}
		return nil
	})
	return files
}

func stage(name string, tasks int) *driver.Stage {
	return &driver.Stage{StageSpec: scheduler.StageSpec{Name: name, Shuffle: event.NoShuffle, Tasks: tasks}, Work: &wire.Work{Kind: "toy", Data: []byte(name)}}
}

// run runs a job of result tasks and gives the results by partition.
func (c *testCluster) run(t testing.TB, stages ...*driver.Stage) ([]driver.RemoteResult, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	out := make([]driver.RemoteResult, stages[len(stages)-1].Tasks)
	_, err := c.RunJob(ctx, &driver.Job{Stages: stages, OnResult: func(p int, r any) error {
		out[p] = r.(driver.RemoteResult)
		return nil
	}})
	return out, err
}
