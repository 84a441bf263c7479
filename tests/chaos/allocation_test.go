package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// elastic are the settings of an application that grows from one executor to four and shrinks again soon.
var elastic = []string{"spark.dynamicAllocation.enabled=true", "spark.dynamicAllocation.minExecutors=1", "spark.dynamicAllocation.maxExecutors=4",
	"spark.dynamicAllocation.executorIdleTimeout=1s", "spark.dynamicAllocation.schedulerBacklogTimeout=100ms", "spark.executor.cores=1",
	"spark.sql.autoBroadcastJoinThreshold=-1", "spark.sql.adaptive.enabled=false", "spark.sql.shuffle.partitions=24"}

const burst = "select count(*), sum(k), sum(n) from (select a.id % 100000 k, count(*) n from range(0, 3000000, 1, 24) a join range(0, 3000000, 1, 24) b on a.id = b.id group by 1)"

// bursty runs two bursts of work with pauses, and demands that executors come with each and go after it, that rows are the
// same, and that nothing ran twice because of it.
func bursty(t *testing.T, a *application) {
	t.Helper()
	a.await(1)
	var want []string
	maps := 0
	for i := range 2 {
		before := a.maps()
		a.mu.Lock()
		a.most = 0
		a.mu.Unlock()
		got := a.query(burst)
		if most := a.count(func() int { return a.most }); most != 4 {
			t.Errorf("burst %d: %d executors at the most", i, most)
		}
		ran := a.maps() - before
		if i == 0 {
			want, maps = got, ran
		}
		if !slices.Equal(got, want) || ran != maps {
			t.Errorf("burst %d: %d map tasks, not %d; rows %v, not %v", i, ran, maps, got, want)
		}
		a.await(1)
	}
	a.fine()
}

// fine demands that no task failed and no stage was repeated.
func (a *application) fine() {
	a.t.Helper()
	a.count(func() int {
		for how, n := range a.tasks {
			if !strings.HasSuffix(how, " event.Success") {
				a.t.Errorf("%d times %s", n, how)
			}
		}
		if a.retried > 0 {
			a.t.Errorf("%d stages were repeated", a.retried)
		}
		return 0
	})
}

// S06: executors come with the work and go without it, 1 → 4 → 1; what goes costs nothing.
func TestDynamicAllocation(t *testing.T) {
	ways := map[string][]string{
		"tracking":     {"spark.dynamicAllocation.shuffleTracking.enabled=true"},
		"service":      {"spark.shuffle.service.enabled=true", "spark.shuffle.service.port=0", "spark.dynamicAllocation.shuffleTracking.enabled=false"},
		"decommission": {"spark.decommission.enabled=true", "spark.storage.decommission.enabled=true", "spark.dynamicAllocation.shuffleTracking.enabled=false"},
	}
	for name, conf := range ways {
		t.Run(name, func(t *testing.T) {
			if name != "decommission" {
				deep(t)
			}
			bursty(t, runApplication(t, "local-cluster[4,1,512]", append(slices.Clone(elastic), conf...)...))
		})
	}
}

// TestDynamicAllocationOnWorkers is the same with a master and workers.
func TestDynamicAllocationOnWorkers(t *testing.T) {
	port := freePort(t)
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}, daemons: fmt.Sprintf("spark.shuffle.service.enabled true\nspark.shuffle.service.port %d\n", port)}
	c.startMasters()
	c.workers = append(c.workers, nil)
	c.startWorker(0)
	c.daemons = ""
	c.workers = append(c.workers, nil)
	c.startWorker(1)
	bursty(t, runApplication(t, c.url, append(slices.Clone(elastic), "spark.shuffle.service.enabled=true", fmt.Sprintf("spark.shuffle.service.port=%d", port),
		"spark.dynamicAllocation.shuffleTracking.enabled=false")...))
}

// Executors with cached partitions stay as long as those do, and what they wrote is not computed again when they go.
func TestDynamicAllocationKeepsCache(t *testing.T) {
	a := runApplication(t, "local-cluster[4,1,512]", append(slices.Clone(elastic), "spark.shuffle.service.enabled=true", "spark.shuffle.service.port=0",
		"spark.dynamicAllocation.shuffleTracking.enabled=false")...)
	a.await(1)
	a.query("cache table g as select a.id % 100000 k, count(*) n from range(0, 3000000, 1, 24) a join range(0, 3000000, 1, 24) b on a.id = b.id group by 1")
	had := a.executors()
	time.Sleep(2500 * time.Millisecond) // idle for longer than is allowed without cached blocks
	if now := a.executors(); now != had || had < 2 {
		t.Errorf("%d executors keep the table, of %d", now, had)
	}
	before := a.maps()
	if got := a.query("select sum(n), count(*) from g"); strings.Join(got, "") != "3000000|100000" {
		t.Errorf("rows %v", got)
	}
	if got := a.maps() - before; got > 24 {
		t.Errorf("%d map tasks ran", got)
	}
	a.query("uncache table g")
	a.await(1)
	a.fine()
}
