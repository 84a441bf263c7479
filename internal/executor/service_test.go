package executor_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle/service"
	"github.com/firesteel/firesteel/internal/wire"
)

func init() {
	// The first attempts wait until the file "go" is there.
	toys["reduce when told"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		for t.StageAttempt == 0 && t.Attempt == 0 && ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(os.Getenv("SPARK_LOCAL_DIRS"), "go")); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		return reduceTask(ctx, env, t)
	}
}

// startService starts a shuffle service and gives the settings by which an application finds it.
func startService(t *testing.T, secret string) (*service.Server, map[string]string) {
	t.Helper()
	s, err := service.Start(service.Options{Address: "127.0.0.1:0", RPC: rpc.Config{Secret: service.SecretOf(secret)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	settings := map[string]string{"spark.shuffle.service.enabled": "true", "spark.shuffle.service.port": strconv.Itoa(s.Port())}
	if secret != "" {
		settings["spark.authenticate"], settings["spark.authenticate.secret"] = "true", secret
	}
	return s, settings
}

// mapRuns counts the attempts of map tasks from now on.
func (c *testCluster) mapRuns() func() int {
	n := 0
	sub := c.Bus().Subscribe(func(e event.Event) {
		if e, ok := e.(event.TaskEnd); ok && e.TaskType == "ShuffleMapTask" {
			n++
		}
	})
	return func() int { c.Bus().Drain(); sub.Close(); return n }
}

// Map outputs outlive the executors that wrote them where a shuffle service serves them: nothing is computed again.
func TestOutputsOutliveExecutors(t *testing.T) {
	for _, secret := range []string{"", "of the cluster"} {
		for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			t.Run(how.String()+" "+secret, func(t *testing.T) {
				_, settings := startService(t, secret)
				c := start(t, 2, 2, settings)
				c.waitFor(t, 4)
				maps := c.mapRuns()
				if _, err := c.run(t, mapStage("map", 6)); err != nil {
					t.Fatal(err)
				}
				for _, id := range []event.ExecutorID{"0", "1"} {
					c.procs.kill(id, how)
				}
				for deadline := time.Now().Add(20 * time.Second); c.procs.has("0") || c.procs.has("1"); time.Sleep(5 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatal("the executors did not end")
					}
				}
				out, err := c.run(t, mapStage("map", 6), reduceStage("reduce"))
				if err != nil {
					t.Fatal(err)
				}
				wantSums(t, out, 6)
				if n := maps(); n != 6 {
					t.Errorf("%d map tasks ran, not 6", n)
				}
				for _, f := range c.procs.left() {
					if strings.Contains(f, "executor-0") && !strings.HasPrefix(filepath.Base(f), "shuffle_") && filepath.Base(f) != "served" {
						t.Errorf("%s is left of a dead executor", f)
					}
				}
				c.ReleaseShuffle(0)
				for deadline := time.Now().Add(20 * time.Second); len(c.procs.outputs()) > 0; time.Sleep(5 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("outputs that nobody needs are left: %v", c.procs.outputs())
					}
				}
			})
		}
	}
}

// An executor that finds no shuffle service where there should be one says so and ends.
func TestNoService(t *testing.T) {
	s, settings := startService(t, "")
	_ = s.Close()
	settings["spark.shuffle.registration.maxAttempts"] = "1"
	c := start(t, 1, 1, settings)
	want := "Unable to register with external shuffle server at 127.0.0.1:" + settings["spark.shuffle.service.port"]
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(c.procs.log("0"), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("executor 0 told %q", c.procs.log("0"))
		}
	}
}

// has says whether an executor runs.
func (p *procs) has(id event.ExecutorID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[id] != nil
}

// outputs are the files of map outputs.
func (p *procs) outputs() (files []string) {
	for _, f := range p.left() {
		if strings.HasPrefix(filepath.Base(f), "shuffle_") {
			files = append(files, f)
		}
	}
	return files
}
