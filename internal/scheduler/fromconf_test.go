package scheduler

import (
	"reflect"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
)

// Without settings the table of keys and DefaultConfig must agree.
func TestFromConfDefaults(t *testing.T) {
	want := DefaultConfig()
	want.ExecutorTimeout, want.StarvationTimeout = 2*time.Minute, 10*time.Minute
	if got := FromConf(conf.NewValues(nil)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFromConf(t *testing.T) {
	c := FromConf(conf.NewValues(map[string]string{
		"spark.task.maxFailures": "7", "spark.scheduler.mode": "fair", "spark.network.timeout": "5", "spark.locality.wait": "1s",
		"spark.locality.wait.node": "0", "spark.speculation": "true", "spark.speculation.interval": "50ms", "spark.driver.maxResultSize": "2m",
		"spark.excludeOnFailure.enabled": "true", "spark.excludeOnFailure.timeout": "10s", "spark.dynamicAllocation.enabled": "true",
		"spark.dynamicAllocation.minExecutors": "2", "spark.dynamicAllocation.maxExecutors": "9", "spark.executor.cores": "4",
		"spark.dynamicAllocation.schedulerBacklogTimeout": "3s",
	}))
	for _, f := range []struct{ got, want any }{
		{c.MaxTaskFailures, 7}, {c.Fair, true}, {c.ExecutorTimeout, 5 * time.Second}, {c.LocalityWait[0], time.Second},
		{c.LocalityWait[1], time.Duration(0)}, {c.Speculation, true}, {c.SpeculationInterval, 50 * time.Millisecond}, {c.MaxResultSize, int64(2 << 20)},
		{c.Exclusion.Enabled, true}, {c.Exclusion.Timeout, 10 * time.Second}, {c.Allocation.Min, 2}, {c.Allocation.Max, 9},
		{c.Allocation.Initial, 2}, {c.Allocation.ExecutorCores, 4}, {c.Allocation.SustainedTimeout, 3 * time.Second},
	} {
		if f.got != f.want {
			t.Errorf("got %v, want %v", f.got, f.want)
		}
	}
}
