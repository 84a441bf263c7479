package scheduler

import (
	"math"
	"time"
)

// Config holds the rules' numbers. DefaultConfig has Spark's defaults; the key of each is named.
type Config struct {
	MaxTaskFailures  int           // spark.task.maxFailures
	MaxStageAttempts int           // spark.stage.maxConsecutiveAttempts: that fail in a row as outputs cannot be read
	MaxAttempts      int           // spark.stage.maxAttempts: of a stage in all, if that is more
	IgnoreLeaving    bool          // spark.stage.ignoreDecommissionFetchFailure: who leaves in good order does not count among those
	ResubmitDelay    time.Duration // pause before failed stages run again, so that failures of one cause come together
	CancelledGroups  int           // spark.scheduler.numCancelledJobGroupsToTrack: that are cancelled with all their future
	MaxResultSize    int64         // spark.driver.maxResultSize, bytes per job; 0 = unlimited

	LocalityWait    [4]time.Duration // spark.locality.wait.{process,node}; by event.Locality, the other levels never wait
	Fair            bool             // spark.scheduler.mode
	Pools           []PoolConfig     // spark.scheduler.allocation.file
	ShuffleService  bool             // spark.shuffle.service.enabled: map outputs belong to the host
	ExecutorTimeout time.Duration    // spark.network.timeout: silence after which an executor is lost; 0 = never
	// StarvationTimeout ends all jobs when there is work but no executor for so long; 0 = wait forever, as Spark does:
	// spark.firesteel.noExecutorTimeout. When executors were there and are lost it is at most ExecutorTimeout (30 s at least).
	StarvationTimeout time.Duration

	Speculation                bool          // spark.speculation
	SpeculationInterval        time.Duration // spark.speculation.interval
	SpeculationMultiplier      float64       // spark.speculation.multiplier
	SpeculationQuantile        float64       // spark.speculation.quantile
	SpeculationMinRuntime      time.Duration // spark.speculation.minTaskRuntime
	SpeculationDurationOfShort time.Duration // spark.speculation.task.duration.threshold; 0 = unset

	Exclusion ExclusionConfig

	BarrierCheckInterval time.Duration // spark.scheduler.barrier.maxConcurrentTasksCheck.interval
	BarrierMaxChecks     int           // spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures

	Allocation AllocationConfig

	Seed uint64 // of all choices that are free
}

// ExclusionConfig is spark.excludeOnFailure.*: when an executor or host stops getting tasks.
type ExclusionConfig struct {
	Enabled                     bool          // taskAndStage.enabled
	Application                 bool          // application.enabled: executors may be excluded from the whole application, too
	FetchFailures               bool          // application.fetchFailure.enabled: at once when outputs cannot be read
	Kill                        bool          // killExcludedExecutors: instead of waiting for the timeout
	AttemptsPerExecutor         int           // task.maxTaskAttemptsPerExecutor
	AttemptsPerNode             int           // task.maxTaskAttemptsPerNode
	StageFailuresPerExecutor    int           // stage.maxFailedTasksPerExecutor
	StageExecutorsPerNode       int           // stage.maxFailedExecutorsPerNode
	AppFailuresPerExecutor      int           // application.maxFailedTasksPerExecutor
	AppExecutorsPerNode         int           // application.maxFailedExecutorsPerNode
	Timeout                     time.Duration // timeout
	UnschedulableTaskSetTimeout time.Duration // spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout
}

// AllocationConfig is how many executors to ask for. Without Dynamic it is always Initial.
type AllocationConfig struct {
	Dynamic            bool          // spark.dynamicAllocation.enabled
	Min, Max, Initial  int           // spark.dynamicAllocation.{min,max,initial}Executors; Max 0 = unbounded. Initial: spark.executor.instances
	ExecutorCores      int           // spark.executor.cores: slots to expect of an executor
	Ratio              float64       // spark.dynamicAllocation.executorAllocationRatio
	BacklogTimeout     time.Duration // spark.dynamicAllocation.schedulerBacklogTimeout
	SustainedTimeout   time.Duration // spark.dynamicAllocation.sustainedSchedulerBacklogTimeout
	IdleTimeout        time.Duration // spark.dynamicAllocation.executorIdleTimeout
	CachedIdleTimeout  time.Duration // spark.dynamicAllocation.cachedExecutorIdleTimeout; 0 = never
	ShuffleTracking    bool          // spark.dynamicAllocation.shuffleTracking.enabled
	ShuffleIdleTimeout time.Duration // spark.dynamicAllocation.shuffleTracking.timeout; 0 = never
}

// PoolConfig is one pool of the fair scheduler.
type PoolConfig struct {
	Name     string
	Fair     bool // the mode within the pool
	Weight   int
	MinShare int
}

// DefaultPool is the pool of jobs that name none, or one that is not configured only by name.
const DefaultPool = "default"

// DefaultConfig has Spark's defaults.
func DefaultConfig() Config {
	wait := 3 * time.Second
	return Config{
		MaxTaskFailures:  4,
		MaxStageAttempts: 4,
		MaxAttempts:      math.MaxInt32,
		IgnoreLeaving:    true,
		CancelledGroups:  1000,
		ResubmitDelay:    200 * time.Millisecond,
		MaxResultSize:    1 << 30,
		LocalityWait:     [4]time.Duration{wait, wait, 0, wait},

		SpeculationInterval:   100 * time.Millisecond,
		SpeculationMultiplier: 3,
		SpeculationQuantile:   0.9,
		SpeculationMinRuntime: 100 * time.Millisecond,

		Exclusion: ExclusionConfig{
			AttemptsPerExecutor: 1, AttemptsPerNode: 2,
			StageFailuresPerExecutor: 2, StageExecutorsPerNode: 2,
			AppFailuresPerExecutor: 2, AppExecutorsPerNode: 2,
			Timeout: time.Hour, UnschedulableTaskSetTimeout: 2 * time.Minute,
		},
		BarrierCheckInterval: 15 * time.Second,
		BarrierMaxChecks:     40,
		Allocation: AllocationConfig{
			ExecutorCores: 1, Ratio: 1,
			BacklogTimeout: time.Second, SustainedTimeout: time.Second,
			IdleTimeout: time.Minute, ShuffleTracking: true,
		},
	}
}
