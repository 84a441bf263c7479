package executor_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/scheduler"
)

// fleetEnv says how many executors a process of this test's binary is.
const fleetEnv = "FIRESTEEL_TEST_FLEET"

// beFleet is many executors in one process.
func beFleet(ctx context.Context, args []string, kinds map[string]executor.Kind) error {
	n, err := strconv.Atoi(os.Getenv(fleetEnv))
	if err != nil {
		return err
	}
	first, err := executor.ParseArguments(args)
	if err != nil {
		return err
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		one := *first
		one.ID = event.ExecutorID(strconv.Itoa(i))
		all.Go(func() { errs[i] = executor.Run(ctx, &one, kinds, slog.New(slog.DiscardHandler)) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// fleet is a cluster manager whose executors are all one process.
type fleet struct {
	dir string
	n   int
	app cluster.App
	cmd *exec.Cmd
}

func (f *fleet) Start(_ context.Context, app cluster.App, _ func(cluster.Notice)) error {
	f.app = app
	return nil
}

func (f *fleet) Scale(_ context.Context, total int) error {
	if f.cmd != nil || total == 0 {
		return nil
	}
	f.cmd = exec.Command(os.Args[0], f.app.Arguments("0", "127.0.0.1", 1)...)
	f.cmd.Env = append(os.Environ(), "SPARK_LOCAL_DIRS="+f.dir, fleetEnv+"="+strconv.Itoa(f.n))
	for k, v := range f.app.Environment() {
		f.cmd.Env = append(f.cmd.Env, k+"="+v)
	}
	f.cmd.Stderr = os.Stderr
	return f.cmd.Start()
}

func (f *fleet) Kill(context.Context, []event.ExecutorID) error { return nil }

func (f *fleet) Stop(context.Context) error {
	if f.cmd == nil {
		return nil
	}
	_ = f.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	return f.cmd.Wait()
}

// processorTime is what this process has taken of processors.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestManyExecutors is M20: 200 executors with heartbeats ten times as often as by default take less than a fifth of a core of
// their driver, and take tasks.
func TestManyExecutors(t *testing.T) {
	const executors, looks = 200, 3 * time.Second
	f := &fleet{dir: t.TempDir(), n: executors}
	values := conf.NewValues(map[string]string{"spark.executor.instances": strconv.Itoa(executors), "spark.executor.heartbeatInterval": "1s"})
	r := driver.NewRemote(driver.RemoteOptions{Manager: f, Conf: values, App: cluster.App{ID: "app-1", Name: "test",
		Executor: cluster.Executor{Cores: 1, Memory: 256 << 20, Binary: os.Args[0]}}})
	d, err := driver.New(t.Context(), driver.Config{Scheduler: scheduler.FromConf(values)}, r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for limit := time.Now().Add(30 * time.Second); r.Registered() < executors; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d executors have registered", r.Registered())
		}
	}
	c := &testCluster{Driver: d, remote: r}
	out, err := c.run(t, stage("echo", 10*executors))
	if err != nil {
		t.Fatal(err)
	}
	where := map[event.ExecutorID]bool{}
	for _, o := range out {
		where[o.At] = true
	}
	begin, before := time.Now(), processorTime(t)
	time.Sleep(looks)
	share := float64(processorTime(t)-before) / float64(time.Since(begin))
	t.Logf("tasks ran on %d executors; the driver of %d idle ones takes %.1f %% of a core", len(where), executors, 100*share)
	if share > 0.2 || len(where) < executors/2 || r.Registered() != executors {
		t.Errorf("too much, or too few: %d are registered", r.Registered())
	}
}
