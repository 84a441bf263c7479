package core

import (
	"math"
	"time"
)

// Config holds the rules' numbers; the key of each is named.
type Config struct {
	WorkerTimeout      time.Duration // spark.worker.timeout
	Grace              time.Duration // how long a lost connection is forgiven
	Recovery           time.Duration // spark.deploy.recoveryTimeout: how long is waited for what ran before
	SpreadOut          bool          // spark.deploy.spreadOutApps
	SpreadDrivers      bool          // spark.deploy.spreadOutDrivers
	DefaultCores       int           // spark.deploy.defaultCores: an application's limit when it sets none
	MaxExecutorRetries int           // spark.deploy.maxExecutorRetries; negative: without limit
	MaxDrivers         int           // spark.deploy.maxDrivers: that run at the same time
	Reap               int           // spark.dead.worker.persistence: how many timeouts a dead worker stays listed
	RetainedApps       int           // spark.deploy.retainedApplications
	RetainedDrivers    int           // spark.deploy.retainedDrivers
	Starving           time.Duration // how long an application waits for its first executor before it is warned, and between warnings
	Settled            time.Duration // an executor that has run for so long does not count as one that fails at once
}

// DefaultConfig has Spark's defaults.
func DefaultConfig() Config {
	return Config{
		WorkerTimeout: time.Minute, Grace: 5 * time.Second, Recovery: time.Minute, SpreadOut: true, SpreadDrivers: true, DefaultCores: math.MaxInt32,
		MaxExecutorRetries: 10, MaxDrivers: math.MaxInt32, Reap: 15, RetainedApps: 200, RetainedDrivers: 200, Settled: 3 * time.Second, Starving: 15 * time.Second,
	}
}

// The delays before an executor that failed at once is replaced: doubled each time, up to a limit.
const (
	firstDelay = 100 * time.Millisecond
	mostDelay  = 5 * time.Second
)

// frozen is how late the master's clock may be before it takes itself to have stood still: then nobody else was late.
const frozen = 2 * time.Second

// AllCores as an executor's cores means all that its worker has to give.
const AllCores = 0

// Unlimited is the level of an application that takes whatever its other limits allow.
const Unlimited = math.MaxInt32
