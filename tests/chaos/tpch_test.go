package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/tpch"
)

// TestTPCHOnCluster demands that the 22 queries have the same answers on a master, two workers and two executors as in one
// process, and that nothing is left of the cluster.
func TestTPCHOnCluster(t *testing.T) {
	data := tpchData(t, 0.1)
	queries := make([]int, tpch.Queries)
	for i := range queries {
		queries[i] = i + 1
	}
	want := answers(t, data, queries)
	c := startCluster(t, 2, 2)
	c.ready(2)
	cl := c.server.connect(t)
	ctx := timeout(t, 2*time.Minute)
	if err := cl.open(ctx, data); err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		rows, err := cl.query(ctx, tpch.Query(q))
		c.compare(q, rows, err, want[q])
	}
	c.stop()
}

func (c *cluster) compare(q int, rows []string, err error, want []string) {
	c.t.Helper()
	slices.Sort(rows)
	switch {
	case err != nil:
		c.t.Errorf("query %d: %v", q, err)
	case !slices.Equal(rows, want):
		c.t.Errorf("query %d gave %d rows, want %d: %s\nwant %s", q, len(rows), len(want), tail(strings.Join(rows, "\n"), 500), tail(strings.Join(want, "\n"), 500))
	}
}

// TestExecutorKilled kills an executor in the middle of queries with much to lose: early, and as soon as there are map outputs.
// The answers are those without faults, and another executor comes each time.
func TestExecutorKilled(t *testing.T) {
	queries := []int{9, 18, 21}
	data := tpchData(t, 0.1)
	want := answers(t, data, queries)
	c := startCluster(t, 2, 2)
	c.ready(2)
	for _, setting := range []string{"set spark.sql.autoBroadcastJoinThreshold=67108864", "set spark.sql.autoBroadcastJoinThreshold=-1"} {
		cl := c.server.connect(t)
		ctx := timeout(t, time.Minute)
		if err := cl.open(ctx, data); err != nil {
			t.Fatal(err)
		}
		if _, err := cl.query(ctx, setting); err != nil {
			t.Fatal(err)
		}
		for _, q := range queries {
			c.killDuring(cl, q, want[q])
		}
	}
	c.stop()
}

// killDuring runs a query without faults to see how long it takes, and then with an executor killed at some moments of it.
func (c *cluster) killDuring(cl *client, q int, want []string) {
	c.t.Helper()
	start := time.Now()
	rows, err := cl.query(timeout(c.t, time.Minute), tpch.Query(q))
	c.compare(q, rows, err, want)
	took := time.Since(start)
	for _, at := range []time.Duration{0, took / 3} {
		for tries := 1; !c.killOnce(cl, q, want, at); tries++ {
			if tries == 5 {
				c.t.Errorf("query %d was always over before an executor could be killed", q)
				break
			}
		}
	}
}

// killOnce runs a query and kills an executor after a while; 0: when there are map outputs. It says whether the query still ran.
func (c *cluster) killOnce(cl *client, q int, want []string, at time.Duration) (ran bool) {
	c.t.Helper()
	before := c.executors()
	over := make(chan struct{})
	ctx, cancel := context.WithTimeout(c.t.Context(), queryLimit)
	defer cancel()
	var rows []string
	var err error
	go func() {
		defer close(over)
		rows, err = cl.query(ctx, tpch.Query(q))
	}()
	victim := before[q%len(before)]
	if at > 0 {
		select {
		case <-over:
		case <-time.After(at):
		}
	} else {
		eventually(c.t, queryLimit, "map outputs", func() bool {
			select {
			case <-over:
				return true
			default:
				return len(c.shuffleFiles()) > 0
			}
		})
	}
	select {
	case <-over:
	default:
		ran = true
	}
	killed := time.Now()
	_ = syscall.Kill(victim, syscall.SIGKILL) // it lives, or is missed below
	<-over
	answered := time.Since(killed)
	c.compare(q, rows, err, want)
	eventually(c.t, 30*time.Second, "a new executor", func() bool {
		now := c.executors()
		return len(now) >= len(before) && !slices.Contains(now, victim)
	})
	c.t.Logf("query %d: executor killed after %v, answered %v later, a new executor after %v", q, at, answered, time.Since(killed))
	c.note()
	return ran
}

// TestCachedTableOnCluster kills an executor that keeps partitions of a cached table, and damages what others keep on disk.
func TestCachedTableOnCluster(t *testing.T) {
	c := startCluster(t, 2, 2)
	c.ready(2)
	cl := c.server.connect(t)
	ctx := timeout(t, 2*time.Minute)
	do := func(text string) []string {
		t.Helper()
		rows, err := cl.query(ctx, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return rows
	}
	const sum = "select count(*), sum(n), sum(k), max(t) from kept"
	for _, level := range []string{"MEMORY_ONLY", "DISK_ONLY", "MEMORY_AND_DISK"} {
		do("create or replace temporary view kept as select id % 100000 k, count(*) n, max(repeat(id, 3)) t from range(0, 1000000, 1, 6) group by 1")
		do(fmt.Sprintf("cache table kept options ('storageLevel' '%s')", level))
		want := do(sum)
		before := c.executors()
		_ = syscall.Kill(before[0], syscall.SIGKILL) // it is missed below
		if got := do(sum); !slices.Equal(got, want) {
			t.Errorf("%s: after a loss the table has %v, want %v", level, got, want)
		}
		eventually(t, 30*time.Second, "a new executor", func() bool {
			now := c.executors()
			return len(now) >= len(before) && !slices.Contains(now, before[0])
		})
		c.note()
		if got := do(sum); !slices.Equal(got, want) {
			t.Errorf("%s: with a new executor the table has %v, want %v", level, got, want)
		}
		do("uncache table kept")
	}
	c.stop()
}
