package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/localcluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/secure"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/shuffle/service"
)

// Managers makes the cluster manager of a master whose executors are other processes.
type Managers func(m cluster.Master, v *conf.Values) (cluster.Manager, error)

// openCluster starts the driver of an application whose tasks run on executors of a cluster.
func (a *App) openCluster(ctx context.Context, o *Options) error {
	backend, err := a.newBackend(ctx, o)
	if err != nil {
		return err
	}
	if err := a.openBus(ctx); err != nil {
		return err
	}
	cfg := driver.Config{Scheduler: scheduler.FromConf(a.Conf), Bus: a.bus}
	if err := a.pools(&cfg.Scheduler); err != nil {
		return err
	}
	if err := a.checkAllocation(&cfg.Scheduler.Allocation); err != nil {
		return err
	}
	if _, ok := a.Conf.Given("spark.executor.cores"); !ok && a.master.Kind == cluster.LocalCluster {
		cfg.Scheduler.Allocation.ExecutorCores = a.master.Cores
	}
	if !cfg.Scheduler.Allocation.Dynamic && cfg.Scheduler.Allocation.Initial == 0 {
		cfg.Scheduler.Allocation.Initial = defaultExecutors(&a.master)
	}
	a.executors = backend
	a.driver, err = driver.New(ctx, cfg, backend)
	return err
}

// checkAllocation refuses settings of dynamic allocation that make no sense, in Spark's words.
func (a *App) checkAllocation(c *scheduler.AllocationConfig) error {
	const prefix = "spark.dynamicAllocation."
	switch {
	case !c.Dynamic:
		return nil
	case c.Min < 0:
		return errors.New(prefix + "minExecutors cannot be negative!")
	case c.Max < 0:
		return errors.New(prefix + "maxExecutors must be positive!")
	case c.Max > 0 && c.Min > c.Max:
		return fmt.Errorf("%sminExecutors (%d) must be less than or equal to %smaxExecutors (%d)!", prefix, c.Min, prefix, c.Max)
	case c.BacklogTimeout <= 0:
		return errors.New(prefix + "schedulerBacklogTimeout must be > 0!")
	case c.SustainedTimeout <= 0:
		return errors.New(prefix + "sustainedSchedulerBacklogTimeout must be > 0!")
	case c.Ratio <= 0 || c.Ratio > 1:
		return errors.New(prefix + "executorAllocationRatio must be > 0 and <= 1.0")
	case !c.ShuffleTracking && !a.Conf.Bool("spark.shuffle.service.enabled") && !a.Conf.Bool("spark.decommission.enabled"):
		return errors.New("Dynamic allocation of executors requires one of the following conditions: 1) enabling external shuffle service " +
			"through spark.shuffle.service.enabled. 2) enabling shuffle tracking through " + prefix + "shuffleTracking.enabled. 3) enabling " +
			"shuffle blocks decommission through spark.decommission.enabled and spark.storage.decommission.shuffleBlocks.enabled")
	}
	return nil
}

func (a *App) newBackend(ctx context.Context, o *Options) (driver.Executors, error) {
	if o.executors != nil {
		return o.executors, nil
	}
	if o.Managers == nil {
		return nil, a.master.Unsupported()
	}
	m, err := o.Managers(a.master, a.Conf)
	if err != nil {
		return nil, err
	}
	binary := o.Binary
	if binary == "" {
		if binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("the program that executors run cannot be found: %w", err)
		}
	}
	carried := false
	if p, ok := m.(cluster.Preparer); ok {
		if carried, err = a.prepare(ctx, p); err != nil {
			return nil, err
		}
	}
	if !carried {
		if err := a.addGiven(ctx); err != nil {
			return nil, err
		}
	}
	secret := givenSecret()
	if secret == "" && a.master.Kind == cluster.Standalone {
		secret = driver.NewSecret() // that of the cluster is for its daemons and those who submit
	}
	if a.master.Kind == cluster.LocalCluster && a.Conf.Bool("spark.shuffle.service.enabled") {
		if secret, err = a.serveOutputs(secret, o.Log); err != nil {
			return nil, err
		}
	}
	hadoop, err := a.hdfs.Settings() // executors may have no configuration of Hadoop
	if err != nil {
		return nil, err
	}
	backend := driver.NewRemote(driver.RemoteOptions{Manager: m, Conf: a.Conf, Besides: hadoop, Files: a.files, Log: o.Log, App: cluster.App{
		ID: event.AppID(a.ID), Name: a.Name, User: cluster.UserName(), Conf: a.Conf.All(), Secret: secret,
		Executor: executorOf(a.Conf, binary),
	}})
	if !carried {
		if err := a.delegate(ctx, backend); err != nil {
			return nil, err
		}
	}
	return backend, nil
}

// givenSecret is the application's secret where whoever started this driver made it, as submissions in cluster mode do. It is
// taken out of the environment, so that no child gets it.
func givenSecret() string {
	s := os.Getenv(cluster.SecretEnv)
	_ = os.Unsetenv(cluster.SecretEnv) // it may not be there
	return s
}

// serveOutputs is the shuffle service of a local cluster, whose workers this process stands for. It gives the application's
// secret, which is that of the service where they must know one.
func (a *App) serveOutputs(secret string, log *slog.Logger) (string, error) {
	o := service.Options{Address: net.JoinHostPort(localcluster.Host, a.Conf.String("spark.shuffle.service.port")), Log: log}
	var err error
	if o.RPC.TLS, err = secure.FromConf(a.Conf, secure.RPC); err != nil {
		return "", err
	}
	if a.Conf.Bool("spark.authenticate") {
		if secret = cmp.Or(secret, a.Conf.String("spark.authenticate.secret")); secret == "" {
			secret = driver.NewSecret()
		}
		o.RPC.Secret = service.SecretFor(a.Conf, secret)
	}
	s, err := service.Start(o)
	if err != nil {
		return "", err
	}
	a.outputs = s
	settings := a.Conf.All()
	settings["spark.shuffle.service.port"] = strconv.Itoa(s.Port())
	a.Conf = conf.NewValues(settings)
	return secret, nil
}

// prepare takes over what the manager knows: the application's id, and the driver's address unless one was given. It says
// whether the cluster brings files and tokens to executors.
func (a *App) prepare(ctx context.Context, p cluster.Preparer) (carries bool, err error) {
	known, err := p.Prepare(ctx)
	if err != nil {
		return false, err
	}
	if known.ID != "" {
		a.ID = string(known.ID)
	}
	a.attempt = known.Attempt
	if _, given := a.Conf.Given("spark.driver.host"); !given && known.Host != "" {
		settings := a.Conf.All()
		settings["spark.driver.host"] = known.Host
		a.Conf = conf.NewValues(settings)
	}
	return known.Carries, nil
}

// clearFallback removes what executors have put into the fallback storage, if settings say so.
func (a *App) clearFallback(ctx context.Context) error {
	path := a.Conf.String("spark.storage.decommission.fallbackStorage.path")
	if path == "" || a.executors == nil || !a.Conf.Bool("spark.storage.decommission.fallbackStorage.cleanUp") {
		return nil
	}
	fs, folder, err := a.fs.Resolve(shuffle.FallbackRoot(path, event.AppID(a.ID)))
	if err != nil {
		return err
	}
	return fs.Remove(ctx, folder)
}

// defaultExecutors is how many executors an application gets that does not say: two of the managers that share a cluster
// among many, and all that fit of the others.
func defaultExecutors(m *cluster.Master) int {
	switch m.Kind {
	case cluster.YARN, cluster.Kubernetes:
		return 2
	case cluster.LocalCluster:
		return m.Workers
	}
	return math.MaxInt32
}

// leastOverhead is the least that a container gets above an executor's memory.
const leastOverhead = 384 << 20

// executorOf is what the settings say about executors.
func executorOf(v *conf.Values, binary string) cluster.Executor {
	e := cluster.Executor{Memory: v.Bytes("spark.executor.memory"), Binary: binary, Env: map[string]string{}}
	if _, ok := v.Given("spark.executor.cores"); ok {
		e.Cores = int(v.Int("spark.executor.cores"))
	}
	if _, ok := v.Given("spark.executor.memoryOverhead"); ok {
		e.Overhead = v.Bytes("spark.executor.memoryOverhead")
	} else {
		e.Overhead = max(int64(float64(e.Memory)*v.Double("spark.executor.memoryOverheadFactor")), leastOverhead)
	}
	for k, val := range v.All() {
		if name, ok := strings.CutPrefix(k, "spark.executorEnv."); ok {
			e.Env[name] = val
		}
	}
	return e
}

// executorBudget is what an executor has for rows.
func (a *App) executorBudget() int64 {
	total := a.Conf.Bytes("spark.executor.memory")
	if a.master.Kind == cluster.LocalCluster {
		total = min(total, int64(a.master.MemoryMB)<<20)
	}
	return memory.BudgetOf(total)
}

// LogTo is a logger at the level that the settings ask for (spark.log.level): what the application asks of its cluster and gets.
func LogTo(v map[string]string, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	switch strings.ToUpper(v["spark.log.level"]) {
	case "DEBUG", "TRACE", "ALL":
		level = slog.LevelDebug
	case "INFO":
		level = slog.LevelInfo
	case "ERROR", "FATAL", "OFF":
		level = slog.LevelError
	case "":
		if verbose {
			level = slog.LevelInfo
		}
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
