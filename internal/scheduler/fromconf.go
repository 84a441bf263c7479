package scheduler

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// FromConf reads the spark.* keys that the fields of Config name; what is not set has Spark's default.
// The pools of spark.scheduler.allocation.file are the caller's to read.
func FromConf(v *conf.Values) Config {
	c := DefaultConfig()
	r := reader{v}
	r.integer("spark.task.maxFailures", &c.MaxTaskFailures)
	r.integer("spark.stage.maxConsecutiveAttempts", &c.MaxStageAttempts)
	r.integer("spark.stage.maxAttempts", &c.MaxAttempts)
	r.boolean("spark.stage.ignoreDecommissionFetchFailure", &c.IgnoreLeaving)
	r.integer("spark.scheduler.numCancelledJobGroupsToTrack", &c.CancelledGroups)
	r.bytes("spark.driver.maxResultSize", &c.MaxResultSize)
	c.Fair = strings.EqualFold(v.String("spark.scheduler.mode"), "FAIR")
	r.boolean("spark.shuffle.service.enabled", &c.ShuffleService)
	r.duration("spark.network.timeout", &c.ExecutorTimeout)
	r.duration("spark.firesteel.noExecutorTimeout", &c.StarvationTimeout)
	r.locality(&c)
	r.speculation(&c)
	r.exclusion(&c.Exclusion)
	r.allocation(&c.Allocation)
	r.duration("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", &c.BarrierCheckInterval)
	r.integer("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", &c.BarrierMaxChecks)
	return c
}

// reader sets a field if its key has a value that can be read.
type reader struct{ v *conf.Values }

func (r reader) integer(key string, into *int) {
	if n, err := strconv.Atoi(strings.TrimSpace(r.v.String(key))); err == nil {
		*into = n
	}
}

func (r reader) number(key string, into *float64) {
	if f, err := strconv.ParseFloat(strings.TrimSpace(r.v.String(key)), 64); err == nil {
		*into = f
	}
}

func (r reader) bytes(key string, into *int64) {
	if n, err := conf.ParseBytes(r.v.String(key), 1); err == nil {
		*into = n
	}
}

func (r reader) boolean(key string, into *bool) {
	if b, err := strconv.ParseBool(strings.TrimSpace(r.v.String(key))); err == nil {
		*into = b
	}
}

func (r reader) duration(key string, into *time.Duration) {
	s, ok := r.v.Lookup(key)
	if !ok {
		return
	}
	d, err := conf.ParseDuration(s)
	if row := conf.Lookup(key); row != nil {
		d = r.v.Duration(key)
	}
	if err == nil {
		*into = d
	}
}

func (r reader) locality(c *Config) {
	wait := c.LocalityWait[event.ProcessLocal]
	r.duration("spark.locality.wait", &wait)
	for level, key := range map[event.Locality]string{
		event.ProcessLocal: "spark.locality.wait.process", event.NodeLocal: "spark.locality.wait.node", event.RackLocal: "spark.locality.wait.rack",
	} {
		c.LocalityWait[level] = wait
		r.duration(key, &c.LocalityWait[level])
	}
}

func (r reader) speculation(c *Config) {
	r.boolean("spark.speculation", &c.Speculation)
	r.duration("spark.speculation.interval", &c.SpeculationInterval)
	r.number("spark.speculation.multiplier", &c.SpeculationMultiplier)
	r.number("spark.speculation.quantile", &c.SpeculationQuantile)
	r.duration("spark.speculation.minTaskRuntime", &c.SpeculationMinRuntime)
	r.duration("spark.speculation.task.duration.threshold", &c.SpeculationDurationOfShort)
}

func (r reader) exclusion(x *ExclusionConfig) {
	const prefix = "spark.excludeOnFailure."
	r.boolean(prefix+"enabled", &x.Enabled)
	x.Application = x.Enabled
	r.boolean(prefix+"taskAndStage.enabled", &x.Enabled)
	r.boolean(prefix+"application.enabled", &x.Application)
	r.boolean(prefix+"application.fetchFailure.enabled", &x.FetchFailures)
	r.boolean(prefix+"killExcludedExecutors", &x.Kill)
	r.integer(prefix+"task.maxTaskAttemptsPerExecutor", &x.AttemptsPerExecutor)
	r.integer(prefix+"task.maxTaskAttemptsPerNode", &x.AttemptsPerNode)
	r.integer(prefix+"stage.maxFailedTasksPerExecutor", &x.StageFailuresPerExecutor)
	r.integer(prefix+"stage.maxFailedExecutorsPerNode", &x.StageExecutorsPerNode)
	r.integer(prefix+"application.maxFailedTasksPerExecutor", &x.AppFailuresPerExecutor)
	r.integer(prefix+"application.maxFailedExecutorsPerNode", &x.AppExecutorsPerNode)
	r.duration(prefix+"timeout", &x.Timeout)
	r.duration("spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout", &x.UnschedulableTaskSetTimeout)
}

func (r reader) allocation(a *AllocationConfig) {
	const prefix = "spark.dynamicAllocation."
	r.boolean(prefix+"enabled", &a.Dynamic)
	r.integer(prefix+"minExecutors", &a.Min)
	r.integer(prefix+"maxExecutors", &a.Max)
	if a.Max == math.MaxInt32 { // Spark's "infinity"
		a.Max = 0
	}
	instances := 0
	r.integer("spark.executor.instances", &instances)
	a.Initial = instances
	if a.Dynamic {
		r.integer(prefix+"initialExecutors", &a.Initial)
		a.Initial = max(a.Initial, instances, a.Min)
	}
	r.integer("spark.executor.cores", &a.ExecutorCores)
	r.number(prefix+"executorAllocationRatio", &a.Ratio)
	r.duration(prefix+"schedulerBacklogTimeout", &a.BacklogTimeout)
	a.SustainedTimeout = a.BacklogTimeout
	r.duration(prefix+"sustainedSchedulerBacklogTimeout", &a.SustainedTimeout)
	r.duration(prefix+"executorIdleTimeout", &a.IdleTimeout)
	r.forever(prefix+"cachedExecutorIdleTimeout", &a.CachedIdleTimeout)
	r.boolean(prefix+"shuffleTracking.enabled", &a.ShuffleTracking)
	r.forever(prefix+"shuffleTracking.timeout", &a.ShuffleIdleTimeout)
}

// forever reads a timeout whose infinity is Spark's largest number of seconds or milliseconds; it becomes 0.
func (r reader) forever(key string, into *time.Duration) {
	r.duration(key, into)
	if *into >= math.MaxInt32*time.Second {
		*into = 0
	}
}
