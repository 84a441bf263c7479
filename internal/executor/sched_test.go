package executor_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// output is a file in which tasks that may commit leave a line.
func output() string { return filepath.Join(os.Getenv("SPARK_LOCAL_DIRS"), "output") }

func init() {
	// The first attempt at task 0 hangs, with or without the right to commit; all others commit at once.
	hang := func(first bool) toy {
		return func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
			slow := t.Partition == 0 && !t.Speculative && t.Attempt == 0
			if slow && first {
				<-ctx.Done()
			}
			if err := t.Commit(ctx); err != nil {
				return wire.Outcome{}, err
			}
			if slow {
				select {
				case <-ctx.Done():
					return wire.Outcome{}, context.Cause(ctx)
				case <-time.After(700 * time.Millisecond):
				}
			}
			f, err := os.OpenFile(output(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				return wire.Outcome{}, err
			}
			defer f.Close()
			_, err = fmt.Fprintln(f, t.Partition)
			return wire.Outcome{}, err
		}
	}
	toys["hang, then commit"] = hang(true)
	toys["commit, then be slow"] = hang(false)
	toys["bad at 0"] = func(_ context.Context, env *executor.Env, _ *executor.Task) (wire.Outcome, error) {
		if env.ID == "0" {
			return wire.Outcome{}, fmt.Errorf("the disk of executor 0 is broken")
		}
		time.Sleep(100 * time.Millisecond) // so that executor 0 gets more than one
		return wire.Outcome{}, nil
	}
	toys["bad everywhere"] = func(context.Context, *executor.Env, *executor.Task) (wire.Outcome, error) {
		return wire.Outcome{}, fmt.Errorf("all disks are broken")
	}
	toys["peers"] = func(ctx context.Context, _ *executor.Env, t *executor.Task) (wire.Outcome, error) {
		switch {
		case t.StageAttempt == 0 && t.Partition == 1:
			return wire.Outcome{}, fmt.Errorf("one of them fails")
		case t.StageAttempt == 0:
			<-ctx.Done() // the others are ended then
			return wire.Outcome{}, context.Cause(ctx)
		}
		return wire.Outcome{Result: fmt.Append(nil, len(t.Peers), " ", t.StageAttempt)}, nil
	}
	toys["deaf"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		if env.ID == "0" {
			if err := os.WriteFile(output(), nil, 0o600); err != nil {
				return wire.Outcome{}, err
			}
			select {} // it does not hear that it should end
		}
		return wire.Outcome{}, nil
	}
}

// farApart starts executors that say to be on different machines.
func farApart(t *testing.T, executors, cores int, settings map[string]string) *testCluster {
	p := &procs{t: t, dir: t.TempDir(), cores: cores, host: func(n int) string { return fmt.Sprintf("127.0.0.%d", n%4+1) }}
	c := startOn(t, p, executors, settings)
	c.waitFor(t, executors*cores)
	return c
}

// K11: a slow task gets a second attempt elsewhere; whoever asks first may commit, and nobody else: one output a partition.
func TestSpeculation(t *testing.T) {
	for _, name := range []string{"hang, then commit", "commit, then be slow"} {
		t.Run(name, func(t *testing.T) {
			c := farApart(t, 2, 2, map[string]string{"spark.speculation": "true", "spark.speculation.interval": "50ms", "spark.speculation.multiplier": "1.1",
				"spark.speculation.quantile": "0.5", "spark.speculation.minTaskRuntime": "100ms"})
			ends := make(chan event.TaskEnd, 100)
			c.Bus().Subscribe(func(e event.Event) {
				if e, ok := e.(event.TaskEnd); ok {
					ends <- e
				}
			})
			if _, err := c.RunJob(t.Context(), &driver.Job{Stages: []*driver.Stage{stage(name, 6)}, Settle: true}); err != nil {
				t.Fatal(err)
			}
			lines := strings.Fields(string(must(os.ReadFile(filepath.Join(c.procs.dir, "output")))))
			if slices.Sort(lines); !slices.Equal(lines, []string{"0", "1", "2", "3", "4", "5"}) {
				t.Errorf("partitions were committed: %v", lines)
			}
			c.Bus().Drain()
			close(ends)
			speculative, won := 0, 0
			for e := range ends {
				if e.Info.Speculative {
					if speculative++; e.Info.Partition != 0 {
						t.Logf("task %d was speculated about", e.Info.Partition)
					}
					if _, ok := e.Reason.(event.Success); ok {
						won++
					}
				}
			}
			if first := name == "hang, then commit"; speculative == 0 || first && won == 0 {
				t.Errorf("%d speculative attempts, %d of them won", speculative, won)
			}
		})
	}
}

// S10: an executor where tasks fail is left alone for a time, and then tried again.
func TestExclusion(t *testing.T) {
	c := farApart(t, 2, 1, map[string]string{"spark.excludeOnFailure.enabled": "true", "spark.excludeOnFailure.timeout": "1s", "spark.task.maxFailures": "4"})
	told := make(chan string, 100)
	c.Bus().Subscribe(func(e event.Event) {
		switch e := e.(type) {
		case event.ExecutorExcluded:
			told <- fmt.Sprintf("%s excluded, stage %v", e.Executor, e.Stage >= 0)
		case event.ExecutorUnexcluded:
			told <- fmt.Sprintf("%s again", e.Executor)
		}
	})
	if _, err := c.run(t, stage("bad at 0", 6)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 excluded, stage true", "0 excluded, stage false", "0 again"} {
		select {
		case got := <-told:
			if got != want {
				t.Errorf("%s, not %s", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nobody told: %s", want)
		}
	}
	out, err := c.run(t, stage("echo", 20))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(out, func(r driver.RemoteResult) bool { return r.At == "0" }) {
		t.Error("executor 0 gets no tasks though its time is over")
	}
}

// An executor that is excluded for its failures is ended where that is asked for, and another one comes in its place.
func TestExcludedIsEnded(t *testing.T) {
	c := farApart(t, 2, 1, map[string]string{"spark.excludeOnFailure.enabled": "true", "spark.excludeOnFailure.killExcludedExecutors": "true"})
	if _, err := c.run(t, stage("bad at 0", 6)); err != nil {
		t.Fatal(err)
	}
	there := func() (names string) {
		c.procs.mu.Lock()
		defer c.procs.mu.Unlock()
		for _, id := range slices.Sorted(maps.Keys(c.procs.running)) {
			names += " " + string(id)
		}
		return names
	}
	for limit := time.Now().Add(10 * time.Second); there() != " 1 2" || c.remote.Registered() != 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("there are%s, %d of them registered", there(), c.remote.Registered())
		}
	}
	if _, err := c.run(t, stage("bad at 0", 6)); err != nil {
		t.Error(err)
	}
}

// S11: where all executors are excluded the job ends after a time, and says why.
func TestAllExcluded(t *testing.T) {
	c := farApart(t, 2, 1, map[string]string{"spark.excludeOnFailure.enabled": "true", "spark.task.maxFailures": "9",
		"spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout": "500ms"})
	_, err := c.run(t, stage("bad everywhere", 1))
	if err == nil || !strings.Contains(err.Error(), "cannot run anywhere due to node and executor excludeOnFailure") {
		t.Errorf("error %v", err)
	}
}

// S15: the tasks of a barrier stage run together and are repeated together; where they do not fit that is an error after a time.
func TestBarrier(t *testing.T) {
	c := start(t, 2, 2, map[string]string{"spark.scheduler.barrier.maxConcurrentTasksCheck.interval": "100ms", "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures": "3"})
	c.waitFor(t, 4)
	st := stage("peers", 4)
	st.Barrier = true
	out, err := c.run(t, st)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		if string(r.Data) != "4 1" {
			t.Errorf("task %d has %s (peers, stage attempt)", i, r.Data)
		}
	}
	st = stage("peers", 5)
	st.Barrier = true
	if _, err := c.run(t, st); err == nil || !strings.Contains(err.Error(), "[SPARK-24819]") {
		t.Errorf("error %v", err)
	}
}

// A killed task that goes on takes its executor along, so that its slot is free again.
func TestReaper(t *testing.T) {
	c := start(t, 1, 1, map[string]string{"spark.task.reaper.enabled": "true", "spark.task.reaper.killTimeout": "300ms", "spark.task.reaper.pollingInterval": "100ms"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(c.procs.dir, "output")); err == nil {
				cancel()
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err := c.RunJob(ctx, &driver.Job{Stages: []*driver.Stage{stage("deaf", 1)}})
	if !sparkerr.Is(err, "SPARK_JOB_CANCELLED") {
		t.Errorf("error %v", err)
	}
	if _, err := c.run(t, stage("deaf", 1)); err != nil {
		t.Error(err)
	}
	if log := c.procs.log("0"); !strings.Contains(log, "did not end within") {
		t.Errorf("executor 0 told %q", log)
	}
}
