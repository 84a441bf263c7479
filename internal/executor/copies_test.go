package executor_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/wire"
)

func init() {
	toys["cache twice"] = func(_ context.Context, env *executor.Env, t *executor.Task) (wire.Outcome, error) {
		w := env.Blocks.BatchWriter(fmt.Sprintf("rdd_5_%d", t.Partition), block.InMemory, longs)
		w.Copies(2)
		if err := w.Add(numbers(t.Partition*100, 100)); err != nil {
			return wire.Outcome{}, err
		}
		return wire.Outcome{}, w.Close()
	}
}

// wantCopies waits until each of the cached blocks lies at so many executors, and none of them at one that has died.
func (c *testCluster) wantCopies(t *testing.T, n int, but event.ExecutorID) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		ok := true
		for p := range 4 {
			at := c.remote.Cached(fmt.Sprintf("rdd_5_%d", p))
			ok = ok && len(at) == n && !slices.ContainsFunc(at, func(b driver.CachedBlock) bool { return b.At == but })
		}
		if ok {
			return
		}
		if time.Now().After(deadline) {
			for p := range 4 {
				t.Errorf("partition %d lies at %v", p, c.remote.Cached(fmt.Sprintf("rdd_5_%d", p)))
			}
			t.Fatalf("there are not %d of each", n)
		}
	}
}

// Blocks of replicated levels lie at two executors, again so when one of them has died, and nowhere when they are dropped.
func TestCopies(t *testing.T) {
	c := start(t, 3, 1, nil)
	c.waitFor(t, 3)
	if _, err := c.run(t, stage("cache twice", 4)); err != nil {
		t.Fatal(err)
	}
	c.wantCopies(t, 2, "")
	at := c.remote.Cached("rdd_5_0")[0]
	if at.Rows != 100 || at.MemSize == 0 {
		t.Errorf("block %+v", at)
	}
	c.procs.kill(at.At, syscall.SIGKILL)
	c.awaitEnd(t, at.At)
	c.wantCopies(t, 2, at.At)
	if _, err := c.run(t, stage("cached", 4)); err != nil {
		t.Error(err)
	}
	c.remote.DropBlocks("rdd_5")
	c.wantCopies(t, 0, "")
	c.wantEmpty(t)
}
