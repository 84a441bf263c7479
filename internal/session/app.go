// Package session composes the rooms: an App is one running application (driver, executors, memory, catalog); its
// Sessions take SQL or plans and give rows.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/local"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/eventlog"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/hadoop/delegation"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/metastore"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/shuffle/service"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Version is Firesteel's own version; SparkVersion the release whose semantics it has.
const (
	Version      = rpc.Release
	SparkVersion = "4.2.0"
)

// Options start an application.
type Options struct {
	Master string            // "" means local[*]
	Name   string            // spark.app.name
	Conf   map[string]string // spark.* settings
	// Managers makes cluster managers; nil: local masters only.
	Managers Managers
	// Binary is the program that executors run; "": this one.
	Binary string
	// Log is told what the application asks of its cluster and gets; nil: nobody.
	Log *slog.Logger

	executors driver.Executors // tests put a cluster of their own here
}

// App is a running application.
type App struct {
	ID      string
	Name    string
	Started time.Time
	Conf    *conf.Values // what the application was started with

	master  cluster.Master
	slots   int
	pool    *memory.Pool
	dirs    *memory.Dirs
	fs      *vfs.Registry
	hdfs    *hdfs.FS
	bus     *driver.Bus
	driver  *driver.Driver
	shuffle *shuffle.Local
	catalog *catalog.Shared
	cache   *cacheManager
	// executors is the backend where tasks run in other processes; nil: they run in this one.
	executors driver.Executors
	keeper    *delegation.Keeper // of executors' tokens; nil: nobody keeps them
	outputs   *service.Server    // the shuffle service of a local cluster
	log       *slog.Logger
	audit     *audit.Log
	running   *audit.Entry // of the application
	blocks    *block.Store // cached rows of this process
	files     *files.Depot

	eventLog *eventlog.Log // nil: none
	attempt  string        // of the application, where the cluster manager counts those

	poolBySession bool // sessions that name no pool have one of their own

	nextStage  atomic.Int32
	nextQuery  atomic.Int64
	nextResult atomic.Int64
	nextRDD    atomic.Int64
	nextSQL    atomic.Int64 // SQL execution
	nextMetric atomic.Int64
	mu         sync.Mutex
	sessions   map[*Session]bool
	resources  map[string][]string // files, jars and archives that were added, as they were given, by kind
	closed     bool
}

// Start starts an application. The caller must Close it.
func Start(ctx context.Context, o Options) (*App, error) {
	settings := map[string]string{}
	for k, v := range o.Conf {
		settings[k] = v
	}
	if o.Master == "" {
		o.Master = "local[*]"
	}
	settings["spark.master"] = o.Master
	if o.Name != "" {
		settings["spark.app.name"] = o.Name
	}
	master, err := cluster.ParseMaster(o.Master)
	if err != nil {
		return nil, err
	}
	reg := vfs.NewRegistry()
	h := hdfs.Register(reg, settings)
	a := &App{
		ID: cmp.Or(settings["spark.app.id"], newAppID(master.Kind)), Name: settings["spark.app.name"], Started: time.Now(),
		Conf: conf.NewValues(settings), master: master, fs: reg, hdfs: h, sessions: map[*Session]bool{},
	}
	a.openLog(&o)
	if err := a.open(ctx, &o); err != nil {
		return nil, errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	a.followJobs()
	return a, nil
}

// newAppID names an application as Spark's masters do.
func newAppID(k cluster.Kind) string {
	now := time.Now()
	if k == cluster.Local {
		return "local-" + fmt.Sprint(now.UnixMilli())
	}
	return fmt.Sprintf("app-%s-%04d", now.Format("20060102150405"), rand.IntN(10_000))
}

func (a *App) open(ctx context.Context, o *Options) error {
	if err := a.openAudit(); err != nil {
		return err
	}
	a.pool = memory.NewPool(memory.Config{Budget: a.budget(), Key: "spark.driver.memory", StorageFraction: a.Conf.Double("spark.memory.storageFraction")})
	if err := a.openDirs(); err != nil {
		return err
	}
	a.files = files.NewDepot(a.dirs.Next, a.fs)
	a.shuffle = shuffle.NewLocal(a.pool, a.dirs)
	a.blocks = block.NewStore(a.pool, a.dirs, nil)
	var err error
	if a.catalog, err = a.openCatalog(); err != nil {
		return err
	}
	a.cache = newCacheManager(a)
	if a.master.Kind != cluster.Local {
		return a.openCluster(ctx, o)
	}
	if err := a.addGiven(ctx); err != nil {
		return err
	}
	pool := local.New(a.threads())
	a.slots = pool.Slots()
	backend := driver.NewLocal(pool)
	backend.Forget = func(id event.ShuffleID) { _ = a.shuffle.Remove(id) }
	if err := a.openBus(ctx); err != nil {
		return err
	}
	cfg := driver.Config{Scheduler: driver.LocalConfig(scheduler.FromConf(a.Conf), a.master), Bus: a.bus}
	cfg.Scheduler.MaxTaskFailures = 1 // stages are repeated as a whole: see runStage
	if err := a.pools(&cfg.Scheduler); err != nil {
		return err
	}
	a.driver, err = driver.New(ctx, cfg, backend)
	return err
}

// threads is the number of task slots: local means one, * all cores.
func (a *App) threads() int {
	if a.master.Threads > 0 {
		return a.master.Threads
	}
	return runtime.GOMAXPROCS(0)
}

// Slots is the number of tasks that run at the same time.
func (a *App) Slots() int {
	if a.executors != nil {
		return max(a.executors.Slots(), 1)
	}
	return a.slots
}

// Bus is where the application's events can be listened to.
func (a *App) Bus() *driver.Bus { return a.bus }

// Dirs are the application's local directories on this machine.
func (a *App) Dirs() *memory.Dirs { return a.dirs }

// openDirs makes the local directories (spark.local.dir), encrypted if spark.io.encryption.enabled says so.
func (a *App) openDirs() error {
	roots := strings.Split(a.localDir(), ",")
	for i, id := 0, uuid.NewString(); i < len(roots); i++ {
		roots[i] = filepath.Join(strings.TrimSpace(roots[i]), "firesteel-"+id)
	}
	a.dirs = memory.NewDirs(roots...)
	if !a.Conf.Bool("spark.io.encryption.enabled") {
		return nil
	}
	key, err := memory.NewKey(int(a.Conf.Int("spark.io.encryption.keySizeBits")))
	if err != nil {
		return err
	}
	seal, err := memory.Cipher(key)
	a.dirs.Encrypt(seal)
	return err
}

func (a *App) localDir() string {
	if d := os.Getenv("SPARK_LOCAL_DIRS"); d != "" {
		return d
	}
	if d, ok := a.Conf.Given("spark.local.dir"); ok {
		return d
	}
	return os.TempDir()
}

// warehouse is the folder that managed tables lie in.
func (a *App) warehouse() string {
	dir, given := a.Conf.Given("spark.sql.warehouse.dir")
	if given {
		if uri, err := a.fs.Qualify(dir); err == nil {
			dir = uri
		}
		if scheme, _ := vfs.SplitScheme(dir); scheme != "file" {
			return strings.TrimRight(dir, "/")
		}
	} else if dir = a.Conf.String("spark.sql.warehouse.dir"); dir == "" {
		dir = "spark-warehouse"
	}
	dir = strings.TrimPrefix(dir, "file:")
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return "file:" + dir
}

// openCatalog opens the persistent catalog of the warehouse, or one in memory where spark.sql.catalogImplementation was
// set to that.
func (a *App) openCatalog() (*catalog.Shared, error) {
	if v, ok := a.Conf.Given("spark.sql.catalogImplementation"); ok && v == "in-memory" {
		return catalog.NewShared(&catalog.Memory{}, a.warehouse())
	}
	store, err := metastore.Open(a.fs, a.warehouse())
	if err != nil {
		return nil, err
	}
	return catalog.NewShared(store, a.warehouse())
}

// mappedShare is the part of a memory that was set which mapped files may take.
const mappedShare = 8

// budget is the memory for rows: of spark.driver.memory if that was given, else of what the machine has.
func (a *App) budget() int64 {
	total := memory.Available() * 6 / 10
	if _, ok := a.Conf.Given("spark.driver.memory"); ok {
		given := a.Conf.Bytes("spark.driver.memory")
		if total = memory.Capped(given); total < given {
			a.log.Warn("this process has less memory than spark.driver.memory, as its memory cgroup allows no more", "given", given, "has", total)
		}
		if f, _, err := a.fs.Resolve("file:/"); err == nil {
			if l, ok := f.(*vfs.Local); ok {
				l.LimitMapped(total / mappedShare)
			}
		}
	}
	return memory.LimitProcess(total)
}

// Close stops the application: sessions, jobs, executors; and removes its files.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	a.mu.Unlock()
	var errs []error
	if a.cache != nil && a.executors != nil { // they are told
		errs = append(errs, a.cache.close())
	}
	if a.keeper != nil {
		a.keeper.Stop()
	}
	a.settleLog()
	if a.driver != nil {
		errs = append(errs, a.driver.Close(ctx))
	}
	errs = append(errs, a.closeBus(ctx))
	if a.outputs != nil {
		errs = append(errs, a.outputs.Close())
	}
	if a.cache != nil {
		errs = append(errs, a.cache.close())
	}
	if a.blocks != nil {
		a.blocks.Close()
	}
	if a.shuffle != nil {
		errs = append(errs, a.shuffle.Close())
	}
	if a.dirs != nil {
		errs = append(errs, a.dirs.Remove())
	}
	errs = append(errs, a.clearFallback(ctx))
	a.hdfs.Close()
	_ = a.running.End(audit.Outcome{Rows: -1})
	errs = append(errs, a.audit.Close())
	a.log.Info("application ends", "id", a.ID, "ran", time.Since(a.Started).Round(time.Millisecond))
	return errors.Join(errs...)
}

// MasterOr is the master that holds: local[*] unless one is given.
func (o Options) MasterOr() string {
	if o.Master == "" {
		return "local[*]"
	}
	return o.Master
}
