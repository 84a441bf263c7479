package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hdfs"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/shuffle/service"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
	"github.com/firesteel/firesteel/internal/wire"
)

// process is a running executor.
type process struct {
	args  *Arguments
	log   *slog.Logger
	kinds map[string]Kind
	conf  *conf.Values
	key   []byte // of files, if they are encrypted
	// services is the secret of shuffle services.
	services string
	env      *Env
	files    *files.Folder
	conn     *rpc.Conn
	out      *rpc.Outbox[wire.Report]
	ready    chan struct{} // closed when orders can be taken

	ctx    context.Context // of tasks
	stop   context.CancelCauseFunc
	leave  chan string // has why the driver let it go
	died   chan error  // has why this process cannot go on
	slots  sync.WaitGroup
	queue  chan *task
	places *places
	client *block.Client
	server *rpc.Server
	// Where shuffle services serve map outputs: the link to that of this machine, and what reads from those of others.
	link     *service.Link
	outside  *block.Client
	served   bool              // that service goes on with the outputs when this process ends
	roots    []string          // folders of this executor's own
	fallback *shuffle.Fallback // nil: there is none
	hdfs     *hdfs.FS

	fetching sync.Map // of broadcasts: the lock that is held while one is fetched

	mu      sync.Mutex
	works   map[int64]*openWork
	running map[event.TaskID]*task
	commits map[event.TaskID]chan bool
	ending  bool
	going   bool // it was told that it will have to go: see decommission
	pulls   sync.WaitGroup
	pulling chan struct{} // has a token of each pull that runs
}

// LostDriverError ends an executor whose driver is gone.
type LostDriverError struct{ Cause error }

func (e *LostDriverError) Error() string { return "the driver is lost: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *LostDriverError) Unwrap() error { return e.Cause }

// ErrTerminated says that an executor was told to end by its machine, and did.
var ErrTerminated = errors.New("the process was told to end")

// Run is an executor from its registration to its end; see Main.
func Run(ctx context.Context, a *Arguments, kinds map[string]Kind, log *slog.Logger) (err error) {
	p := &process{args: a, log: log, kinds: kinds, ready: make(chan struct{}), leave: make(chan string, 1), died: make(chan error, 1), places: newPlaces(), works: map[int64]*openWork{},
		running: map[event.TaskID]*task{}, commits: map[event.TaskID]chan bool{}, queue: make(chan *task, a.Cores+queueSpare), pulling: make(chan struct{}, maxPulls)}
	p.ctx, p.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	defer p.stop(nil)
	if err := p.connect(ctx); err != nil {
		return err
	}
	defer p.conn.Close()
	if err := p.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	close(p.ready)
	if err := p.register(ctx); err != nil {
		return err
	}
	log.Info("registered with the driver", "driver", a.Driver, "host", a.Host, "cores", a.Cores, "memory", a.Memory)
	return p.serve(ctx)
}

// connect makes the connection to the driver, which may not be reachable yet, and asks for the application's settings.
func (p *process) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, dialLimit, fmt.Errorf("the driver did not answer within %s", dialLimit))
	defer cancel()
	cfg := p.rpc()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		var err error
		if p.conn, err = rpc.Dial(ctx, p.args.Driver, cfg, p); err == nil {
			break
		}
		var refused *rpc.RefusedError
		if errors.As(err, &refused) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
	var s wire.Settings
	err := p.ask(ctx, wire.MethodSettings, &wire.Application{App: p.args.App, Executor: p.args.ID}, &s)
	if err != nil {
		p.conn.Close()
		return err
	}
	p.conf, p.key, p.services = conf.NewValues(s.Conf), s.Key, s.Services
	return nil
}

func (p *process) ask(ctx context.Context, method string, v, into any) error {
	return wire.Ask(func(method string, body []byte) ([]byte, error) { return p.conn.Call(ctx, method, body) }, method, v, into)
}

// open makes what tasks need.
func (p *process) open(ctx context.Context) (err error) {
	settings := p.conf.All()
	p.roots = cluster.LocalFolders(settings["spark.local.dir"], p.args.App, p.args.ID)
	dirs := memory.NewDirs(p.roots...)
	if p.key != nil {
		seal, err := memory.Cipher(p.key)
		if err != nil {
			return err
		}
		dirs.Encrypt(seal)
	}
	pool := memory.NewPool(memory.Config{Budget: budget(p.args.Memory), Key: "spark.executor.memory", StorageFraction: p.conf.Double("spark.memory.storageFraction")})
	p.env = &Env{ID: p.args.ID, Host: p.args.Host, Cores: p.args.Cores, Conf: settings, Pool: pool, Dirs: dirs, FS: vfs.NewRegistry()}
	p.hdfs = hdfs.Register(p.env.FS, settings)
	if p.files, err = files.NewFolder(p.args.Folder, p.file); err != nil {
		return err
	}
	p.env.File = p.files.Path
	p.out = wire.Reports(p.conn, p.unsendable)
	p.openBlocks()
	if err := errors.Join(p.listen(), p.linkOutputs(ctx)); err != nil {
		p.closeServers()
		return errors.Join(err, p.removeFiles())
	}
	for range p.args.Cores {
		p.slots.Go(p.work)
	}
	return nil
}

// register tells the driver that this executor is ready.
func (p *process) register(ctx context.Context) error {
	limit := p.conf.Duration("spark.network.timeout")
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the driver did not answer within %s (spark.network.timeout)", limit))
	defer cancel()
	return p.ask(ctx, wire.MethodRegister, &wire.Registration{
		Application: wire.Application{App: p.args.App, Executor: p.args.ID}, Host: p.args.Host, Cores: p.args.Cores, Memory: memory.Capped(p.args.Memory),
		Blocks: p.address(), LogURLs: named("SPARK_LOG_URL_", strings.ToLower), Attributes: named("SPARK_EXECUTOR_ATTRIBUTE_", strings.ToUpper),
	}, nil)
}

// named are the variables with a prefix, by the rest of their names: a cluster manager tells so where logs are, and more.
func named(prefix string, form func(string) string) map[string]string {
	out := map[string]string{}
	for _, e := range os.Environ() {
		k, v, _ := strings.Cut(e, "=")
		if name, ok := strings.CutPrefix(k, prefix); ok {
			out[form(name)] = v
		}
	}
	return out
}

// serve runs until the driver lets this executor go, is lost, or ctx ends.
func (p *process) serve(ctx context.Context) error {
	power := make(chan os.Signal, 1)
	if p.decommissions() {
		signal.Notify(power, decommissionSignals...)
		defer signal.Stop(power)
	}
	told := ctx.Done()
	var limit <-chan time.Time
	every := p.conf.Duration("spark.executor.heartbeatInterval")
	beat := time.NewTicker(max(every, 10*time.Millisecond))
	defer beat.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for known := int64(0); ; {
		select {
		case <-beat.C:
			known = p.reportAlive()
		case <-look.C:
			if u := p.env.Pool.Usage(); u.Execution+u.Storage-known > u.Budget/toldGrowth {
				known = p.reportAlive()
			}
		case why := <-p.leave:
			p.log.Info("the driver let this executor go", "reason", why)
			return nil
		case err := <-p.died:
			p.log.Error("the executor ends at once", "reason", err)
			_ = p.removeFiles() // what stays is removed by who started it
			os.Exit(stuckStatus)
		case <-p.conn.Done():
			return &LostDriverError{p.conn.Err()}
		case s := <-power:
			p.leaveInPeace(fmt.Sprintf("the process received signal %s", s))
		case <-told:
			if told = nil; !p.decommissions() {
				p.drain(ctx)
				return ErrTerminated
			}
			limit = time.After(p.leaveLimit())
			p.leaveInPeace("the process was told to end")
		case <-limit:
			p.log.Warn("the executor did not get rid of its work and its blocks in time", "limit", p.leaveLimit())
			p.drain(ctx)
			return ErrTerminated
		}
	}
}

// A heartbeat comes early when much more memory is held than the driver was told: it may be the last word of an executor that
// the kernel ends.
const (
	toldConsumers = 4 // of those who hold memory are named
	lookEvery     = 100 * time.Millisecond
	toldGrowth    = 8 // the part of the budget that is much
)

// reportAlive tells the driver how this process is, and gives the memory that is held.
func (p *process) reportAlive() int64 {
	u := p.env.Pool.Usage()
	p.out.Put(wire.Alive{Cached: p.env.Blocks.Count(), Metrics: p.metrics(), Consumers: p.env.Pool.Consumers(toldConsumers)})
	return u.Execution + u.Storage
}

// stuckStatus is the status with which an executor exits whose task cannot be ended (as Spark's for an uncaught exception).
const stuckStatus = 50

// drainLimit is how long running tasks may take to end when the machine ends this process.
const drainLimit = 10 * time.Second

// drainMost is how long all of that may take, whatever it waits for.
const drainMost = 20 * time.Second

// drain ends the tasks and reports how they ended.
func (p *process) drain(ctx context.Context) {
	time.AfterFunc(drainMost, func() {
		p.log.Error("the executor is still busy after it was told to end", "limit", drainMost)
		os.Exit(128 + int(syscall.SIGTERM))
	})
	p.log.Info("executor was told to end", "reason", context.Cause(ctx))
	p.out.Put(wire.Leaving{Reason: "the process was told to end"})
	p.endTasks("the executor ends")
	wait, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	p.out.Close()
	_ = p.conn.Drain(wait) // it may be gone
}

// endTasks takes no more tasks, cancels those that run and waits for them.
func (p *process) endTasks(why string) {
	p.mu.Lock()
	first := !p.ending
	p.ending = true
	p.mu.Unlock()
	if !first {
		return
	}
	p.stop(&event.KilledError{TaskKilled: event.TaskKilled{Cause: why}})
	p.pulls.Wait()
	close(p.queue)
	done := make(chan struct{})
	go func() { p.slots.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(drainLimit):
		p.log.Error("tasks do not end", "limit", drainLimit)
	}
}

// close frees all that the executor holds.
func (p *process) close() error {
	p.endTasks("the executor ends")
	p.mu.Lock()
	works := p.works
	p.works = nil
	p.mu.Unlock()
	var errs []error
	for _, w := range works {
		errs = append(errs, w.close())
	}
	p.closeServers()
	p.env.Blocks.Close()
	p.hdfs.Close()
	return errors.Join(append(errs, p.removeFiles())...)
}

// metrics are the gauges of this process that there are.
func (p *process) metrics() (m event.ExecutorMetrics) {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	u := p.env.Pool.Usage()
	m[event.JVMHeapMemory] = int64(s.HeapAlloc)
	m[event.OnHeapExecutionMemory], m[event.OnHeapStorageMemory] = u.Execution, u.Storage
	m[event.OnHeapUnifiedMemory] = u.Execution + u.Storage
	m[event.MajorGCCount], m[event.TotalGCTime] = int64(s.NumGC), int64(s.PauseTotalNs/1e6)
	m[event.MajorGCTime] = m[event.TotalGCTime]
	return m
}

// Call answers requests; the driver makes none.
func (p *process) Call(_ context.Context, _ *rpc.Conn, method string, _ []byte) ([]byte, error) {
	return nil, sparkerr.Internal("an executor knows no request %q", method)
}

// Receive takes orders.
func (p *process) Receive(c *rpc.Conn, method string, body []byte) {
	<-p.ready
	if method != wire.MethodOrders {
		return
	}
	if err := wire.ReadOrders(body, p.obey); err != nil {
		p.log.Error("the driver's orders cannot be read", "error", err)
		go c.Close()
	}
}

func (p *process) obey(o wire.Order) {
	switch o := o.(type) {
	case wire.NewWork:
		p.addWork(&o.Work)
	case wire.DropWork:
		p.dropWork(o.Work)
	case wire.Launch:
		p.launch(&o.Task)
	case wire.KillTask:
		p.kill(o.Task, o.Reason)
	case wire.CommitAnswer:
		p.mu.Lock()
		answer := p.commits[o.Task]
		delete(p.commits, o.Task)
		p.mu.Unlock()
		if answer != nil {
			answer <- o.Allow
		}
	case wire.DropShuffle:
		p.places.forget(o.Shuffle)
		if err := p.env.Shuffle.Remove(o.Shuffle); err != nil {
			p.log.Warn("map outputs cannot be deleted", "shuffle", o.Shuffle, "error", err)
		}
	case wire.DropBlocks:
		p.env.Blocks.RemoveAll(o.Name)
		p.fetching.Delete(o.Name)
	case wire.PeerLost:
		if addr := p.places.lose(o.Executor); addr != "" {
			go p.client.Lose(addr) // it waits for the connection to end
		}
	case wire.Files:
		p.files.Want(o.All)
	case wire.Credentials:
		if err := hadoop.Renew(o.Data); err != nil {
			p.log.Error("the driver's tokens cannot be read", "error", err)
		}
	case wire.RegisterAgain:
		go func() {
			if err := p.register(p.ctx); err != nil {
				p.log.Error("registering again failed", "error", err)
				p.conn.Close()
			}
		}()
	case wire.Decommission:
		p.leaveInPeace(o.Reason)
	case wire.Pull:
		p.move(o.ID, func() error { return p.keep(o) })
	case wire.Stow:
		p.move(o.ID, func() error { return p.stow(o) })
	case wire.Leave:
		select {
		case p.leave <- o.Reason:
		default:
		}
	}
}
