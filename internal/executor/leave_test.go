package executor_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/wire"
)

var leaves = map[string]string{"spark.decommission.enabled": "true", "spark.storage.decommission.enabled": "true"}

func init() {
	toys["slow"] = func(ctx context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		select {
		case <-time.After(700 * time.Millisecond):
			return wire.Outcome{Result: fmt.Appendf(nil, "%d %s", t.Attempt, env.ID)}, nil
		case <-ctx.Done():
			return wire.Outcome{}, context.Cause(ctx)
		}
	}
}

// awaitEnd waits until an executor has ended.
func (c *testCluster) awaitEnd(t *testing.T, id event.ExecutorID) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); c.procs.has(id); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("executor %s goes on", id)
		}
	}
}

// An executor that is told to end gives what it has to others first: nothing is computed again.
func TestDecommission(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGPWR} {
		t.Run(s.String(), func(t *testing.T) {
			c := start(t, 2, 2, leaves)
			c.waitFor(t, 4)
			maps := c.mapRuns()
			bad := make(chan event.Reason, 100)
			c.Bus().Subscribe(func(e event.Event) {
				if e, ok := e.(event.TaskEnd); ok {
					if _, ok := e.Reason.(event.Success); !ok {
						bad <- e.Reason
					}
				}
			})
			if _, err := c.run(t, stage("cache", 4)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.run(t, mapStage("map", 6)); err != nil {
				t.Fatal(err)
			}
			c.procs.kill("0", s)
			c.awaitEnd(t, "0")
			for p := range 4 {
				if at := c.remote.Cached(fmt.Sprintf("rdd_5_%d", p)); len(at) != 1 || at[0].At == "0" {
					t.Errorf("cached partition %d lies at %v", p, at)
				}
			}
			out, err := c.run(t, mapStage("map", 6), reduceStage("reduce"))
			if err != nil {
				t.Fatal(err)
			}
			wantSums(t, out, 6)
			if _, err := c.run(t, stage("cached", 4)); err != nil {
				t.Error(err)
			}
			if n := maps(); n != 6 {
				t.Errorf("%d map tasks ran, not 6", n)
			}
			select {
			case r := <-bad:
				t.Errorf("a task failed: %+v", r)
			default:
			}
		})
	}
}

// Tasks that run on an executor that is told to end may end, also when they write outputs; there are no new ones.
func TestDecommissionBusy(t *testing.T) {
	c := start(t, 2, 1, leaves)
	c.waitFor(t, 2)
	started := make(chan event.TaskInfo, 100)
	sub := c.Bus().Subscribe(func(e event.Event) {
		if e, ok := e.(event.TaskStart); ok {
			started <- e.Info
		}
	})
	defer sub.Close()
	go func() {
		for i := range started {
			if i.Executor == "0" {
				c.procs.kill("0", syscall.SIGTERM)
				return
			}
		}
	}()
	out, err := c.run(t, stage("slow", 6))
	if err != nil {
		t.Fatal(err)
	}
	at0 := 0
	for i, r := range out {
		attempt, at, _ := strings.Cut(string(r.Data), " ")
		if attempt != "0" {
			t.Errorf("task %d was repeated", i)
		}
		if at == "0" {
			at0++
		}
	}
	if at0 > 2 {
		t.Errorf("%d tasks ran at the executor that was to leave", at0)
	}
	c.awaitEnd(t, "0")
}

// A driver that hears of the end of an executor from its manager has it decommissioned.
func TestDecommissionByManager(t *testing.T) {
	c := start(t, 2, 1, leaves)
	c.waitFor(t, 2)
	if _, err := c.run(t, mapStage("map", 6)); err != nil {
		t.Fatal(err)
	}
	c.procs.tellLeaving("0")
	c.awaitEnd(t, "0")
	for _, st := range must(c.MapStatuses(t.Context(), 0)) {
		if st.At == "0" || st.At == "" {
			t.Errorf("map %d lies at %q", st.Map, st.At)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// withFallback has executors that leave put map outputs into a folder.
func withFallback(t *testing.T) (settings map[string]string, dir string) {
	settings, dir = maps.Clone(leaves), t.TempDir()
	settings["spark.storage.decommission.fallbackStorage.path"] = "file:" + dir
	return settings, dir
}

// The only executor there is puts its map outputs into the fallback storage, from where its successor reads them. One that is gone there,
// or damaged, is made again, and no other one.
func TestFallbackStorage(t *testing.T) {
	for what, c := range map[string]struct {
		spoil func(path string) error
		runs  int
	}{
		"read":    {func(string) error { return nil }, 3},
		"gone":    {os.Remove, 4},
		"cut":     {func(path string) error { return os.Truncate(path, 1000) }, 4},
		"changed": {change, 4},
	} {
		t.Run(what, func(t *testing.T) {
			settings, dir := withFallback(t)
			x := start(t, 1, 1, settings)
			ran := x.mapRuns()
			if _, err := x.run(t, mapStage("map", 3)); err != nil {
				t.Fatal(err)
			}
			x.procs.kill("0", syscall.SIGTERM)
			x.awaitEnd(t, "0")
			files, err := filepath.Glob(filepath.Join(dir, "app-1", "0", "shuffle_0_*"))
			if err != nil || len(files) != 3 {
				t.Fatalf("in the storage are %v, %v", files, err)
			}
			if err := c.spoil(files[1]); err != nil {
				t.Fatal(err)
			}
			out, err := x.run(t, mapStage("map", 3), reduceStage("reduce"))
			if err != nil {
				t.Fatal(err)
			}
			wantSums(t, out, 3)
			if n := ran(); n != c.runs {
				t.Errorf("%d map tasks ran, not %d", n, c.runs)
			}
		})
	}
}

// change changes a byte in the middle of a file.
func change(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[len(b)/2]++
	return os.WriteFile(path, b, 0o600)
}

// Where the storage takes nothing, the executor goes without, and what it had is made again.
func TestFallbackStorageFails(t *testing.T) {
	settings, dir := withFallback(t)
	settings["spark.storage.decommission.fallbackStorage.path"] = "file:" + filepath.Join(dir, "file", "below")
	settings["spark.storage.decommission.replicationReattemptInterval"] = "10ms"
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, 1, 1, settings)
	c.mapsAfterLeaving(t)
}

// The only executor there is has nobody to give its blocks to, and may go without.
func TestDecommissionAlone(t *testing.T) {
	c := start(t, 1, 1, leaves)
	c.mapsAfterLeaving(t)
}

// mapsAfterLeaving ends the only executor when it has map outputs, and demands that a job which needs them succeeds.
func (c *testCluster) mapsAfterLeaving(t *testing.T) {
	t.Helper()
	if _, err := c.run(t, mapStage("map", 2)); err != nil {
		t.Fatal(err)
	}
	c.procs.kill("0", syscall.SIGTERM)
	c.awaitEnd(t, "0")
	out, err := c.run(t, mapStage("map", 2), reduceStage("reduce"))
	if err != nil {
		t.Fatal(err)
	}
	wantSums(t, out, 2)
}
