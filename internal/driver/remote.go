package driver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/secure"
	"github.com/firesteel/firesteel/internal/shuffle/service"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// RemoteOptions say what a Remote needs.
type RemoteOptions struct {
	Manager cluster.Manager
	// App describes the application. Remote fills in DriverURL, and Secret unless one is given.
	App  cluster.App
	Conf *conf.Values
	// Besides are settings for executors which are not those of the application: they count where Conf says nothing.
	Besides map[string]string
	// Pool and Dirs are where broadcasts lie; nil: Remote has its own.
	Pool *memory.Pool
	Dirs *memory.Dirs
	// Files are those of the application; nil: it has none.
	Files *files.Depot
	// Log is told what the application asks for and gets; nil: nobody.
	Log *slog.Logger
}

// Limits of waits that no setting of Spark names.
const (
	// reasonWait is how long a broken connection waits for the manager to tell why its executor ended.
	reasonWait = 3 * time.Second
	// lastWords is how long an executor whose end was told may still deliver what it had sent.
	lastWords = time.Second
	// leaveWait is how long an executor that was told to leave may take.
	leaveWait = 5 * time.Second
	// managerWait is the limit of requests to the cluster manager.
	managerWait = time.Minute
	// handshakeLimit bounds how long a connection may take to be made.
	handshakeLimit = 30 * time.Second
)

// Remote is the backend whose executors are other processes: a cluster manager launches them, they register here and take
// tasks as data (Stage.Work). It implements Executors.
type Remote struct {
	o      RemoteOptions
	log    *slog.Logger
	d      *Driver
	server *rpc.Server
	app    cluster.App
	key    []byte // of spill files and map outputs, if they are encrypted
	tls    *secure.TLS
	base   context.Context // of requests to the manager
	cancel context.CancelFunc
	busy   sync.WaitGroup // requests to the manager, watchers of connections

	blocks        *block.Store
	client        *block.Client
	services      map[string]*service.Link // to the shuffle services of hosts, where those serve map outputs; guarded by mu
	ownDirs       *memory.Dirs
	nextBroadcast atomic.Int64

	mu       sync.Mutex
	execs    map[event.ExecutorID]*remoteExecutor
	byConn   map[*rpc.Conn]*remoteExecutor
	gone     map[event.ExecutorID]string // executors that ended or were told to, and why
	works    map[event.StageID]*remoteWork
	tasks    map[event.TaskID]remoteTask
	cached   map[string]map[event.ExecutorID]event.BlockStatus // cached blocks by name
	dropped  map[string]time.Time                              // when: names of cached blocks that must not come (back)
	nextWork int64
	// credentials are the newest tokens for file systems.
	credentials []byte
	pulls       map[int64]*pull // orders that are not answered yet
	copies      map[string]int  // how often a cached block is to be kept, where that is more than once
	copying     map[string]int  // copies of cached blocks that are being made
	nextPull    int64
	wanted      int // executors, as told to the manager
	scaling     bool
	stopping    bool
	settled     bool // the executors that were asked for at the start are there: see Ready
}

// remoteWork is the work of a stage that runs.
type remoteWork struct{ work wire.Work }

// remoteTask is an attempt that has not ended.
type remoteTask struct {
	on     *remoteExecutor
	result bool // of a result stage
}

// NewRemote makes a backend. The manager must not be started.
func NewRemote(o RemoteOptions) *Remote {
	r := &Remote{o: o, log: o.Log, execs: map[event.ExecutorID]*remoteExecutor{}, byConn: map[*rpc.Conn]*remoteExecutor{},
		gone: map[event.ExecutorID]string{}, works: map[event.StageID]*remoteWork{}, tasks: map[event.TaskID]remoteTask{},
		cached: map[string]map[event.ExecutorID]event.BlockStatus{}, dropped: map[string]time.Time{}, pulls: map[int64]*pull{}, copies: map[string]int{},
		copying: map[string]int{}}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.base, r.cancel = context.WithCancel(context.Background())
	return r
}

// Start listens for executors and starts the cluster manager.
func (r *Remote) Start(ctx context.Context, d *Driver) error {
	r.d = d
	r.app = r.o.App
	if r.app.Secret == "" {
		r.app.Secret = r.o.Conf.String("spark.authenticate.secret")
	}
	if r.app.Secret == "" {
		r.app.Secret = NewSecret()
	}
	if err := r.secure(); err != nil {
		return err
	}
	if r.o.Conf.Bool("spark.io.encryption.enabled") {
		key, err := memory.NewKey(int(r.o.Conf.Int("spark.io.encryption.keySizeBits")))
		if err != nil {
			return err
		}
		r.key = key
	}
	if err := r.openBlocks(); err != nil {
		return err
	}
	if err := r.listen(); err != nil {
		return err
	}
	r.log.Info("driver listens", "address", r.app.DriverURL, "application", r.app.ID)
	if err := r.o.Manager.Start(ctx, r.app, r.notice); err != nil {
		return err
	}
	d.Post(scheduler.Tick{}) // asks for the executors that the application starts with
	return nil
}

// rpc is how the driver presents itself.
func (r *Remote) rpc() rpc.Config {
	return rpc.Config{Secret: r.app.Secret, TLS: r.tls, Build: wire.Build(), Name: "the driver", Timeout: min(r.o.Conf.Duration("spark.network.timeout"), handshakeLimit)}
}

// secure reads what secures connections, and has executors know it before they connect.
func (r *Remote) secure() (err error) {
	if r.tls, err = secure.FromConf(r.o.Conf, secure.RPC); err != nil || r.tls == nil {
		return err
	}
	sealed, err := r.tls.Seal(r.app.Secret)
	env := maps.Clone(r.app.Executor.Env)
	if env == nil {
		env = map[string]string{}
	}
	env[secure.Env] = sealed
	r.app.Executor.Env = env
	return err
}

// NewSecret makes a secret that an application may have.
func NewSecret() string {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand does not fail
	}
	return hex.EncodeToString(b)
}

// listen opens the driver's port, or one of the next ones if it is taken.
func (r *Remote) listen() error {
	host := r.o.Conf.String("spark.driver.host")
	if host == "" {
		host = "127.0.0.1"
	}
	bind := r.o.Conf.String("spark.driver.bindAddress")
	if bind == "" {
		bind = host
	}
	port, tries := int(r.o.Conf.Int("spark.driver.port")), int(r.o.Conf.Int("spark.port.maxRetries"))
	var err error
	for i := 0; ; i++ {
		r.server, err = rpc.Listen(net.JoinHostPort(bind, strconv.Itoa(port)), r.rpc(), func(*rpc.Conn) rpc.Handler { return remoteHandler{r} }, r.refused)
		if err == nil {
			break
		}
		if port == 0 || i >= tries || !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("the driver cannot listen (spark.driver.bindAddress, spark.driver.port): %w", err)
		}
		port++
	}
	r.app.DriverURL = net.JoinHostPort(host, strconv.Itoa(r.server.Port()))
	return nil
}

func (r *Remote) refused(peer string, err error) {
	r.log.Warn("a connection to the driver was refused", "peer", peer, "reason", err)
}

// Address is host:port at which executors register.
func (r *Remote) Address() string { return r.app.DriverURL }

// Launch sends a task to its executor, after the work of its stage if that is not there yet.
func (r *Remote) Launch(t scheduler.LaunchTask) {
	st, _ := t.Spec.Body.(*Stage)
	if st == nil || st.Work == nil {
		r.d.Post(scheduler.TaskEnded{Task: t.Task, Reason: event.ExceptionFailure{Fatal: true,
			Err: sparkerr.Internal("stage %d (%s) cannot run in another process: it has no work that travels", t.Stage, t.Spec.Name)}})
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.execs[t.Executor]
	if e == nil || e.over {
		return // its loss is told, and takes the attempt along
	}
	w := r.works[t.Stage]
	if w == nil {
		r.nextWork++
		w = &remoteWork{wire.Work{ID: r.nextWork, Kind: st.Work.Kind, Data: st.Work.Data}}
		r.works[t.Stage] = w
	}
	if !e.works[w.work.ID] {
		e.works[w.work.ID] = true
		e.out.Put(wire.NewWork{Work: w.work})
	}
	r.tasks[t.Task] = remoteTask{e, t.Spec.Shuffle == event.NoShuffle}
	e.out.Put(wire.Launch{Task: wire.Task{
		ID: t.Task, Work: w.work.ID, Job: t.Job.ID, Stage: t.Stage, StageAttempt: t.StageAttempt, Partition: t.Partition,
		Attempt: t.Attempt, Tasks: t.Spec.Tasks, Executor: t.Executor, Locality: t.Locality, Speculative: t.Speculative,
		Epoch: t.Epoch, Peers: t.Peers, Group: t.Job.Group, Tags: t.Job.Tags, Properties: t.Job.Properties,
	}})
}

// stageOver forgets the work of a stage attempt that ended. Another attempt sends it again.
func (r *Remote) stageOver(id event.StageID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.works[id]
	if w == nil {
		return
	}
	delete(r.works, id)
	for _, e := range r.execs {
		if e.works[w.work.ID] {
			delete(e.works, w.work.ID)
			e.out.Put(wire.DropWork{Work: w.work.ID})
		}
	}
}

// Kill passes the order on.
func (r *Remote) Kill(task event.TaskID, executor event.ExecutorID, reason string) {
	r.tell(executor, wire.KillTask{Task: task, Reason: reason})
}

// CommitAnswer passes the answer on.
func (r *Remote) CommitAnswer(task event.TaskID, allow bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.tasks[task]; ok && !t.on.over {
		t.on.out.Put(wire.CommitAnswer{Task: task, Allow: allow})
	}
}

// ForgetShuffle passes the order on.
func (r *Remote) ForgetShuffle(id event.ShuffleID) {
	r.tellAll(wire.DropShuffle{Shuffle: id})
	r.dropOutside(id)
}

// Reregister passes the order on.
func (r *Remote) Reregister(id event.ExecutorID) { r.tell(id, wire.RegisterAgain{}) }

func (r *Remote) tell(id event.ExecutorID, o wire.Order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.execs[id]; e != nil && !e.over {
		e.out.Put(o)
	}
}

func (r *Remote) tellAll(o wire.Order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.execs {
		e.out.Put(o)
	}
}

// Scale asks the manager for so many executors. A newer number replaces one that has not been told yet.
func (r *Remote) Scale(total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = total
	if r.scaling || r.stopping {
		return
	}
	r.scaling = true
	r.busy.Go(r.scale)
}

func (r *Remote) scale() {
	for told := -1; ; {
		r.mu.Lock()
		total := r.wanted
		if total == told || r.stopping {
			r.scaling = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		told = total
		r.tellRequest(total)
		ctx, cancel := context.WithTimeoutCause(r.base, managerWait, fmt.Errorf("the cluster manager did not answer within %s", managerWait))
		if err := r.o.Manager.Scale(ctx, total); err != nil && r.base.Err() == nil {
			r.log.Error("the cluster manager did not take the request for executors", "total", total, "error", err)
		}
		cancel()
	}
}

// tellRequest logs what the manager is asked for.
func (r *Remote) tellRequest(total int) {
	number, cores := strconv.Itoa(total), strconv.Itoa(r.app.Executor.Cores)
	if total > manyExecutors {
		number = "as many as there are"
	}
	if r.app.Executor.Cores == 0 {
		cores = "as many as there are"
	}
	r.log.Info("executors asked for", "number", number, "cores", cores, "memory", mebibytes(r.app.Executor.Memory))
}

// mebibytes is a number of bytes for people.
func mebibytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MiB" }

// KillExecutors tells executors to leave, and the manager to end those that do not.
func (r *Remote) KillExecutors(ids []event.ExecutorID, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.log.Info("executor is released", "executor", id, "reason", reason)
		if e := r.execs[id]; e != nil {
			r.release(e, reason)
		} else if r.gone[id] == "" {
			r.gone[id] = reason
		}
	}
	if !r.stopping {
		r.busy.Go(func() { r.kill(ids) })
	}
}

func (r *Remote) kill(ids []event.ExecutorID) {
	ctx, cancel := context.WithTimeoutCause(r.base, managerWait, fmt.Errorf("the cluster manager did not answer within %s", managerWait))
	defer cancel()
	if err := r.o.Manager.Kill(ctx, ids); err != nil && r.base.Err() == nil {
		r.log.Error("the cluster manager did not end executors", "executors", ids, "error", err)
	}
}

// Registered is the number of task slots of the executors that are there.
func (r *Remote) Registered() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, e := range r.execs {
		if !e.broken {
			n += e.cores
		}
	}
	return n
}

// Slots implements Executors.
func (r *Remote) Slots() int {
	n := r.Registered()
	if r.o.Conf.Bool("spark.dynamicAllocation.enabled") {
		most := min(int(r.o.Conf.Int("spark.dynamicAllocation.maxExecutors")), dynamicExecutors)
		return max(n, most*max(r.app.Executor.Cores, 1))
	}
	if n > 0 {
		return n
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.expected()
}

// dynamicExecutors is the number of executors that work is planned for where more come when there is more to do.
const dynamicExecutors = 16

// expected is the number of slots that the settings ask for.
func (r *Remote) expected() int {
	cores := max(r.app.Executor.Cores, 1)
	if n := int(r.o.Conf.Int("spark.cores.max")); n > 0 {
		return n
	}
	if r.wanted > manyExecutors {
		return 2 * cores // all that there are were asked for, and nobody knows how many
	}
	return cores * max(r.wanted, 1)
}

// manyExecutors is beyond any number that means one.
const manyExecutors = 1 << 20

// Limits of waiting for executors before work is planned for them (spark.scheduler.maxRegisteredResourcesWaitingTime).
const (
	firstExecutorWait = 30 * time.Second
	otherExecutorWait = 2 * time.Second
	quietWait         = 50 * time.Millisecond // no other one came for so long
)

// asked waits until the scheduler has said how many executors the application starts with. Without that, a query that comes at
// once takes none for what was wanted, and is planned for one slot.
func (r *Remote) asked(ctx context.Context) error {
	r.mu.Lock()
	over := r.settled || r.stopping
	r.mu.Unlock()
	if over {
		return nil
	}
	handled := make(chan struct{}) // what was posted before is handled before
	if !r.d.put(input{ask: func(*scheduler.Scheduler) { close(handled) }}) {
		return ErrClosed
	}
	select {
	case <-handled:
		return nil
	case <-r.d.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Ready implements Executors.
func (r *Remote) Ready(ctx context.Context) error {
	if err := r.asked(ctx); err != nil {
		return err
	}
	start, last, lastChange := time.Now(), 0, time.Now()
	first := firstExecutorWait
	if most := r.o.Conf.Duration("spark.firesteel.noExecutorTimeout"); most > 0 {
		first = min(first, most) // then the job waits that long again, and fails
	}
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		r.mu.Lock()
		n, wanted := len(r.execs), r.wanted
		settled := r.settled || r.stopping || wanted == 0 // then they come when there is something to do
		r.settled = settled || n > 0 && (n >= wanted || time.Since(start) > otherExecutorWait || wanted > manyExecutors && time.Since(lastChange) > quietWait)
		settled = r.settled
		r.mu.Unlock()
		if n != last {
			last, lastChange = n, time.Now()
			if n == 1 {
				start = lastChange
			}
		}
		if settled || n == 0 && time.Since(start) > first {
			tick.Stop()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return context.Cause(ctx)
		}
	}
}

// Stop tells all executors to leave, waits for them, and gives what the manager took back.
func (r *Remote) Stop(ctx context.Context) error {
	r.mu.Lock()
	if r.stopping {
		r.mu.Unlock()
		return nil
	}
	r.stopping = true
	execs := maps.Clone(r.execs)
	for _, e := range execs {
		r.release(e, "the application ended")
	}
	r.mu.Unlock()
	wait, stop := context.WithTimeout(ctx, leaveWait)
	defer stop()
	for _, e := range execs {
		select {
		case <-e.conn.Done():
		case <-wait.Done():
		}
	}
	r.cancel()
	var err error
	if r.d != nil {
		err = r.o.Manager.Stop(ctx)
	}
	if r.server != nil {
		r.server.Close()
	}
	r.busy.Wait()
	r.leaveServices(ctx)
	err = errors.Join(err, r.closeBlocks())
	for _, e := range execs {
		for _, t := range e.timers {
			t.Stop()
		}
	}
	r.log.Info("executors are released", "application", r.app.ID)
	return err
}
