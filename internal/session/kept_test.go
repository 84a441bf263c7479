package session

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/wire"
)

// keptRows is a cached view with stages below its last one.
const keptRows = `SELECT l_returnflag, l_shipmode, l_suppkey, sum(l_quantity) q, count(*) n, max(l_comment) c FROM lineitem GROUP BY ALL`

// blocks counts the cached blocks of the cluster.
func (c *fakeCluster) blocks() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.cached {
		n += len(at)
	}
	return n
}

// A cached plan's rows stay on the executors, for all levels, and are read from where they lie.
func TestCacheOnExecutors(t *testing.T) {
	local := withTables(t, begin(t, nil, nil))
	rows(t, local, "CREATE TEMPORARY VIEW kept AS "+keptRows)
	queries := []string{"SELECT * FROM kept", "SELECT l_shipmode, sum(q), sum(n) FROM kept GROUP BY ALL",
		"SELECT a.l_suppkey, count(*) FROM kept a JOIN kept b ON a.l_suppkey = b.l_suppkey GROUP BY ALL", "SELECT count(*) FROM kept UNION ALL SELECT max(q) FROM kept",
		"SELECT count(*) FROM lineitem WHERE l_quantity < (SELECT max(q) FROM kept)"}
	for _, level := range []string{"MEMORY_ONLY", "DISK_ONLY", "MEMORY_AND_DISK", "MEMORY_ONLY_SER_2", "OFF_HEAP"} {
		t.Run(level, func(t *testing.T) {
			c := newFakeCluster(t, 2, 1)
			s := withTables(t, begin(t, c, map[string]string{"spark.sql.shuffle.partitions": "5", "spark.sql.adaptive.coalescePartitions.enabled": "false"}))
			rows(t, s, "CREATE TEMPORARY VIEW kept AS "+keptRows)
			var read atomic.Int64
			c.on = func(*fakeCluster, *fakeExecutor, *wire.Task) { read.Add(1) }
			rows(t, s, fmt.Sprintf("CACHE TABLE kept OPTIONS ('storageLevel' '%s')", level))
			first := read.Swap(0)
			if c.blocks() != 5 {
				t.Errorf("%d blocks are cached", c.blocks())
			}
			for _, q := range queries {
				same(t, q, rows(t, s, q), rows(t, local, q), false)
			}
			read.Store(0)
			rows(t, s, queries[0])
			if n := read.Load(); n >= first || n != 5 {
				t.Errorf("reading took %d tasks, filling %d", n, first)
			}
			if plan := strings.Join(rows(t, s, "EXPLAIN SELECT * FROM kept"), "\n"); !strings.Contains(plan, "InMemoryTableScan") {
				t.Errorf("the plan does not read the cache:\n%s", plan)
			}
			rows(t, s, "UNCACHE TABLE kept")
			if c.blocks() != 0 {
				t.Errorf("%d blocks are left", c.blocks())
			}
			for _, e := range c.execs {
				if u := e.env.Pool.Usage(); u.Storage != 0 {
					t.Errorf("executor %s keeps %d bytes after UNCACHE", e.id, u.Storage)
				}
			}
			same(t, "after UNCACHE", rows(t, s, queries[0]), rows(t, local, queries[0]), false)
		})
	}
}

// What was cached on an executor that is gone is computed again, with the map outputs that went along.
func TestCacheIsLost(t *testing.T) {
	local := withTables(t, begin(t, nil, nil))
	want := rows(t, local, keptRows)
	c := newFakeCluster(t, 2, 1)
	s := withTables(t, begin(t, c, map[string]string{"spark.sql.shuffle.partitions": "6", "spark.sql.adaptive.coalescePartitions.enabled": "false"}))
	rows(t, s, "CREATE TEMPORARY VIEW kept AS "+keptRows)
	rows(t, s, "CACHE LAZY TABLE kept")
	if c.blocks() != 0 {
		t.Errorf("%d blocks of a lazy table are there before it is read", c.blocks())
	}
	same(t, "at first", rows(t, s, "SELECT * FROM kept"), want, false)
	for round := range 3 {
		c.kill(c.execs[fakeID(round)])
		if n := c.blocks(); n >= 6 {
			t.Errorf("%d blocks are known after a loss", n)
		}
		same(t, fmt.Sprint("after loss ", round), rows(t, s, "SELECT * FROM kept"), want, false)
		if n := c.blocks(); n < 6 {
			t.Errorf("%d blocks are cached again", n)
		}
	}
	// In the middle of reading, too.
	var once atomic.Bool
	c.on = func(c *fakeCluster, e *fakeExecutor, t *wire.Task) {
		if t.Partition == 3 && once.CompareAndSwap(false, true) {
			c.kill(e)
		}
	}
	same(t, "while it was read", rows(t, s, "SELECT * FROM kept"), want, false)
	if !once.Load() {
		t.Error("no executor was killed")
	}
}

// A cached plan that finds no memory, and may not lie on disk, is computed by whoever reads it.
func TestCacheWithoutRoom(t *testing.T) {
	c := newFakeCluster(t, 2, 1)
	for _, e := range c.execs {
		small := memory.NewPool(memory.Config{Budget: 64 << 10, Key: "spark.executor.memory", StorageFraction: 0.5})
		e.env.Blocks = block.NewStore(small, e.dirs, func(st event.BlockStatus) { c.changed(e, st) })
	}
	s := begin(t, c, nil)
	rows(t, s, "CREATE TEMPORARY VIEW kept AS SELECT id, id % 7 k, repeat('x', 100) t FROM range(0, 100000, 1, 4)")
	rows(t, s, "CACHE TABLE kept OPTIONS ('storageLevel' 'MEMORY_ONLY')")
	if c.blocks() != 0 {
		t.Errorf("%d blocks found room", c.blocks())
	}
	for range 2 {
		if got := rows(t, s, "SELECT count(*), sum(id), sum(k), sum(length(t)) FROM kept"); got[0] != "100000|4999950000|299995|10000000" {
			t.Errorf("the rows are %v", got)
		}
	}
	if got := rows(t, s, "SELECT id FROM kept LIMIT 1"); got[0] != "0" {
		t.Errorf("the first row is %v", got)
	}
	rows(t, s, "UNCACHE TABLE kept")
	if _, err := try(t.Context(), s, "CACHE TABLE kept OPTIONS ('storageLevel' 'FAST')"); err == nil || !strings.Contains(err.Error(), "Invalid StorageLevel: FAST") {
		t.Errorf("an unknown level gave %v", err)
	}
}

// A cached plan that reads another one.
func TestCacheOfCache(t *testing.T) {
	c := newFakeCluster(t, 2, 2)
	s := begin(t, c, map[string]string{"spark.sql.shuffle.partitions": "3"})
	rows(t, s, "CREATE TEMPORARY VIEW a AS SELECT id % 100 k, count(*) n FROM range(0, 10000, 1, 4) GROUP BY 1")
	rows(t, s, "CACHE TABLE a")
	rows(t, s, "CREATE TEMPORARY VIEW b AS SELECT k % 10 j, sum(n) m FROM a GROUP BY 1")
	rows(t, s, "CACHE LAZY TABLE b")
	for range 2 {
		if got := rows(t, s, "SELECT count(*), sum(m) FROM b"); got[0] != "10|10000" {
			t.Errorf("the rows are %v", got)
		}
		c.kill(c.execs[fakeID(len(c.execs)-1)])
	}
	rows(t, s, "CLEAR CACHE")
	if got := rows(t, s, "SELECT count(*), sum(m) FROM b"); got[0] != "10|10000" || c.blocks() != 0 {
		t.Errorf("the rows are %v, %d blocks are left", got, c.blocks())
	}
}
