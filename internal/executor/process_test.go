package executor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

var toys = map[string]toy{}

func init() {
	toys["echo"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		return wire.Outcome{Result: fmt.Appendf(nil, "%d at %s", t.Partition, env.ID)}, nil
	}
	toys["empty"] = func(context.Context, *executor.Env, *executor.Task) (wire.Outcome, error) { return wire.Outcome{}, nil }
	toys["divide"] = func(context.Context, *executor.Env, *executor.Task) (wire.Outcome, error) {
		return wire.Outcome{}, fmt.Errorf("row 7: %w", sparkerr.New("DIVIDE_BY_ZERO"))
	}
	toys["panic"] = func(context.Context, *executor.Env, *executor.Task) (wire.Outcome, error) { panic("broken") }
	toys["environment"] = func(context.Context, *executor.Env, *executor.Task) (wire.Outcome, error) {
		return wire.Outcome{Result: []byte(os.Getenv(cluster.SecretEnv))}, nil
	}
	toys["wait"] = func(ctx context.Context, _ *executor.Env, t *executor.Task) (wire.Outcome, error) {
		<-ctx.Done()
		return wire.Outcome{}, context.Cause(ctx)
	}
	toys["suicide"] = func(_ context.Context, _ *executor.Env, t *executor.Task) (wire.Outcome, error) {
		if t.Partition == 1 && t.Attempt == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return wire.Outcome{Result: fmt.Appendf(nil, "%d", t.Attempt)}, nil
	}
	toys["commit"] = func(ctx context.Context, _ *executor.Env, t *executor.Task) (wire.Outcome, error) {
		if err := t.Commit(ctx); err != nil {
			return wire.Outcome{}, err
		}
		if t.Partition == 1 && t.Attempt == 0 {
			return wire.Outcome{}, errors.New("rename failed") // the right must pass on
		}
		return wire.Outcome{}, nil
	}
}

func TestRun(t *testing.T) {
	c := start(t, 2, 2, nil)
	out, err := c.run(t, stage("echo", 20))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		if want := fmt.Sprintf("%d at %s", i, r.At); string(r.Data) != want {
			t.Errorf("%s instead of %s", r.Data, want)
		}
	}
	if out, err := c.run(t, stage("environment", 1)); err != nil || len(out[0].Data) > 0 {
		t.Errorf("the secret is in the environment of tasks (%d bytes), %v", len(out[0].Data), err)
	}
	if _, err := c.run(t, stage("commit", 3)); err != nil {
		t.Error(err)
	}
	if n := c.remote.Slots(); n != 4 && n != 2 {
		t.Errorf("%d slots", n)
	}
}

// The type of a task's error, and the fact of a panic, must arrive here.
func TestTaskErrors(t *testing.T) {
	c := start(t, 1, 1, map[string]string{"spark.task.maxFailures": "1"})
	var aborted *scheduler.JobAborted
	if _, err := c.run(t, stage("divide", 1)); !errors.As(err, &aborted) || !sparkerr.Is(err, "DIVIDE_BY_ZERO") || !strings.Contains(err.Error(), "row 7") {
		t.Errorf("error %v", err)
	}
	_, err := c.run(t, stage("panic", 1))
	if e, ok := sparkerr.As(err); !ok || e.Condition != "INTERNAL_ERROR" || !strings.Contains(e.Stack, "process_test.go") {
		t.Errorf("error %v", err)
	}
	if _, err := c.run(t, stage("unknown", 1)); err == nil || !strings.Contains(err.Error(), "there is no toy unknown") {
		t.Errorf("error %v", err)
	}
	local := stage("echo", 1)
	local.Work = nil
	if _, err := c.run(t, local); !sparkerr.Is(err, "INTERNAL_ERROR") {
		t.Errorf("error %v", err)
	}
	if _, err := c.run(t, stage("echo", 1)); err != nil {
		t.Errorf("the slot did not survive: %v", err)
	}
}

// An executor that dies takes its tasks along; they run elsewhere, and another executor takes its place.
func TestKilledExecutor(t *testing.T) {
	c := start(t, 2, 1, nil)
	removed := make(chan event.ExecutorRemoved, 1)
	added := make(chan event.ExecutorAdded, 10)
	c.Bus().Subscribe(func(e event.Event) {
		switch e := e.(type) {
		case event.ExecutorRemoved:
			removed <- e
		case event.ExecutorAdded:
			added <- e
		}
	})
	out, err := c.run(t, stage("suicide", 4))
	if err != nil || string(out[1].Data) != "1" {
		t.Fatalf("%s, %v", out[1].Data, err)
	}
	if r := <-removed; !strings.Contains(r.Reason, "killed by signal 9") {
		t.Errorf("reason %q", r.Reason)
	}
	for range 3 { // the two, and the replacement
		select {
		case <-added:
		case <-time.After(20 * time.Second):
			t.Fatal("no replacement came")
		}
	}
}

// Cancelling a job ends its tasks on the executors.
func TestCancelled(t *testing.T) {
	c := start(t, 1, 2, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	started := make(chan struct{}, 10)
	sub := c.Bus().Subscribe(func(e event.Event) {
		if _, ok := e.(event.TaskStart); ok {
			started <- struct{}{}
		}
	})
	defer sub.Close()
	go func() {
		<-started
		<-started
		cancel(errors.New("Ctrl-C"))
	}()
	_, err := c.RunJob(ctx, &driver.Job{Stages: []*driver.Stage{stage("wait", 2)}, Settle: true})
	if !sparkerr.Is(err, "SPARK_JOB_CANCELLED") || !strings.Contains(err.Error(), "Ctrl-C") {
		t.Errorf("error %v", err)
	}
	if _, err := c.run(t, stage("echo", 2)); err != nil {
		t.Error(err)
	}
}

// Who does not know the secret is not let in.
func TestWrongSecret(t *testing.T) {
	p := &procs{t: t, dir: t.TempDir(), cores: 1}
	ended := make(chan struct{}, 100)
	p.spoil = func(n int, cmd *exec.Cmd) {
		if n == 0 {
			cmd.Env = append(cmd.Env, cluster.SecretEnv+"=wrong")
			ended <- struct{}{}
		}
	}
	c := startOn(t, p, 1, nil)
	if out, err := c.run(t, stage("echo", 1)); err != nil || out[0].At != "1" {
		t.Errorf("%+v, %v", out, err)
	}
	if log := p.log("0"); !strings.Contains(log, "the shared secret (spark.authenticate.secret) is wrong") || strings.Contains(log, "registered") {
		t.Errorf("executor 0 told %q", log)
	}
}

// An executor that is told to end by its machine reports and cleans up.
func TestTerminated(t *testing.T) {
	c := start(t, 1, 1, nil)
	if _, err := c.run(t, stage("echo", 1)); err != nil {
		t.Fatal(err)
	}
	c.procs.kill("0", syscall.SIGTERM)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if out, err := c.run(t, stage("echo", 1)); err != nil {
			t.Fatal(err)
		} else if out[0].At == "1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("executor 0 goes on")
		}
	}
}
