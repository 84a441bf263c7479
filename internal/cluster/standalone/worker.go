package standalone

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// WorkerOptions describe a worker.
type WorkerOptions struct {
	Masters   []string // host:port
	Host      string   // by which others reach this machine; "": 127.0.0.1
	WebUI     int      // port of the status page; negative: none; 0: any
	Cores     int      // to give to executors
	Memory    int64    // bytes to give to executors
	Dir       string   // of what executors and drivers write
	Secret    string   // of the cluster
	AllowOpen bool
	TLS       *secure.TLS   // of connections between daemons and drivers; nil: they are not secured
	PagesTLS  *secure.TLS   // of pages
	Heartbeat time.Duration // 0: 15 s, a quarter of spark.worker.timeout
	Contact   time.Duration // how long a master is looked for at the start; 0: 20 s
	Cleanup   Cleanup
	Binary    string // that runs drivers; "": this program
	Program   Program
	Outputs   Outputs // is told of applications that ended; nil: nobody
	Log       *slog.Logger
}

// Cleanup says what becomes of the folders of applications and drivers that ended.
type Cleanup struct {
	Keep  bool          // all of them (spark.worker.cleanup.enabled=false)
	Every time.Duration // how often old ones are looked for (spark.worker.cleanup.interval); 0: 30 minutes
	TTL   time.Duration // how long nothing must have changed in one (spark.worker.cleanup.appDataTtl); 0: 7 days
}

// Outputs is the shuffle service of a worker's machine.
type Outputs interface {
	// AppEnded says that an application is over and its executors here have gone.
	AppEnded(id event.AppID)
}

// leaveWait is how long an executor or driver may take to leave before it is killed.
const leaveWait = 5 * time.Second

// decommissionWait is how long executors of a worker that is decommissioned may take: those of applications with
// spark.decommission.enabled end their tasks and give their blocks to others first.
const decommissionWait = 10 * time.Minute

// firstContact is how long a worker looks for its master at its start, and reconnect how long it looks for one that is gone.
const (
	firstContact = 20 * time.Second
	reconnect    = 10 * time.Minute
)

// Worker runs executors and drivers for a master.
type Worker struct {
	o    WorkerOptions
	id   string
	log  *slog.Logger
	base context.Context
	stop context.CancelFunc
	busy sync.WaitGroup
	page *http.Server
	web  string

	mu      sync.Mutex
	peer    *Peer
	orders  *rpc.Conn // of the master at which the worker registered last: it launches what that one orders
	execs   map[execKey]*process
	drivers map[string]*process
	reports []core.Event           // that no master has taken yet
	names   map[string]event.AppID // by which executors know their applications
	again   chan struct{}
	news    chan struct{} // there is something to report, or somebody to report to
	err     error         // why the worker ended on its own
	done    chan struct{}
	leaving bool
}

type execKey struct {
	app string
	id  int
}

// process is an executor or driver; p is nil until it has been started.
type process struct {
	p     *child.Process
	asked bool
	held  core.Held
	drive core.HeldDriver
	dir   string
}

// known says whether executors can listen on a host's name: a worker that took them in vain would fail all that it is given.
func known(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
		return fmt.Errorf("the worker cannot be called %s (--host): %w", host, err)
	}
	return nil
}

// StartWorker connects a worker to its master. The caller must Close it.
func StartWorker(ctx context.Context, o WorkerOptions) (*Worker, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if err := allowed(o.Host, o.Secret, o.AllowOpen, "the worker"); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = core.DefaultConfig().WorkerTimeout / 4
	}
	if o.Contact <= 0 {
		o.Contact = firstContact
	}
	o.Cleanup.Every, o.Cleanup.TTL = cmp.Or(o.Cleanup.Every, 30*time.Minute), cmp.Or(o.Cleanup.TTL, 7*24*time.Hour)
	if o.Binary == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		o.Binary = self
	}
	if err := known(ctx, o.Host); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Dir = dir; os.MkdirAll(dir, 0o700) != nil {
		return nil, fmt.Errorf("the work folder %s cannot be made", dir)
	}
	w := &Worker{o: o, log: o.Log, execs: map[execKey]*process{}, drivers: map[string]*process{}, names: map[string]event.AppID{}, again: make(chan struct{}, 1), news: make(chan struct{}, 1), done: make(chan struct{})}
	w.id = fmt.Sprintf("worker-%s-%s-%d", time.Now().Format("20060102150405"), o.Host, os.Getpid())
	w.base, w.stop = context.WithCancel(context.Background())
	if err := w.connect(ctx, o.Contact); err != nil {
		w.stop()
		return nil, err
	}
	if w.page, w.web, err = servePages(o.Host, o.WebUI, w.statusPage(), o.PagesTLS); err != nil {
		w.stop()
		w.peer.Close()
		return nil, err
	}
	w.busy.Go(w.live)
	w.busy.Go(w.reporting)
	if !o.Cleanup.Keep {
		w.busy.Go(w.tidyUp)
	}
	return w, nil
}

// ID names the worker.
func (w *Worker) ID() string { return w.id }

// WebUI is where the status page is; "": nowhere.
func (w *Worker) WebUI() string { return w.web }

// Done is closed when the worker has lost its master for good (Err says how), or left as it was told to.
func (w *Worker) Done() <-chan struct{} { return w.done }

// Err is why the worker ended.
func (w *Worker) Err() error { w.mu.Lock(); defer w.mu.Unlock(); return w.err }

// Close ends the worker with all that it runs.
func (w *Worker) Close() {
	w.stop()
	w.mu.Lock()
	var all []*process
	for _, p := range w.execs {
		all = append(all, p)
	}
	for _, p := range w.drivers {
		all = append(all, p)
	}
	for _, p := range all {
		p.asked = true
	}
	w.mu.Unlock()
	for _, p := range all {
		if p.p != nil {
			w.busy.Go(func() { p.p.End(leaveWait) })
		}
	}
	w.busy.Wait()
	w.goodbye()
	if w.page != nil {
		_ = w.page.Close()
	}
}

// connect registers at the master that leads, with what runs.
func (w *Worker) connect(ctx context.Context, most time.Duration) error {
	o := dialOptions{w.o.Masters, secured(identity(w.o.Secret, w.id, w.o.Program), w.o.TLS), &workerHandler{w}}
	p, err := find(ctx, o, most, func(ctx context.Context, p *Peer) error {
		ctx, cancel := context.WithTimeout(ctx, answerLimit)
		defer cancel()
		w.mu.Lock()
		w.orders = p.Conn // from now on
		w.mu.Unlock()
		if _, err := p.ask(ctx, w.registration()); err != nil {
			return fmt.Errorf("the master at %s did not take the worker: %w", p.Master, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.peer = p
	w.mu.Unlock()
	w.log.Info("registered", "worker", w.id, "master", p.Master)
	w.wake()
	return nil
}

// live sends heartbeats, and connects again when the connection breaks.
func (w *Worker) live() {
	beat := time.NewTicker(w.o.Heartbeat)
	defer beat.Stop()
	for {
		w.mu.Lock()
		peer := w.peer
		w.mu.Unlock()
		select {
		case <-w.base.Done():
			return
		case <-beat.C:
			_ = peer.tell(core.Heartbeat{ID: w.id}) // a connection that broke is seen below
			w.wake()
		case <-w.again:
			if _, err := peer.ask(w.base, w.registration()); err != nil {
				w.log.Warn("registering again failed", "error", err)
			}
		case <-peer.Done():
			w.log.Warn("the connection to the master is lost", "reason", peer.Err())
			if err := w.connect(w.base, reconnect); err != nil {
				if w.base.Err() == nil {
					w.end(fmt.Errorf("the master is gone: %w", err))
				}
				return
			}
		}
	}
}

func (w *Worker) registration() core.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := core.WorkerRegistered{Leaving: w.leaving, Info: core.WorkerInfo{ID: w.id, Host: w.o.Host, Cores: w.o.Cores, Memory: w.o.Memory, WebUI: w.web}}
	for _, x := range w.execs {
		e.Executors = append(e.Executors, x.held)
	}
	for _, id := range slices.Sorted(maps.Keys(w.drivers)) {
		e.Drivers = append(e.Drivers, w.drivers[id].drive)
	}
	return e
}

func (w *Worker) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.done:
	default:
		w.err = err
		close(w.done)
	}
}

// report tells the master something, now or when there is one again.
func (w *Worker) report(e core.Event) {
	w.mu.Lock()
	w.reports = append(w.reports, e)
	w.mu.Unlock()
	w.wake()
}

func (w *Worker) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// reporting tells the master what happened, in order, each until it has taken it in.
func (w *Worker) reporting() {
	for {
		w.mu.Lock()
		peer, left := w.peer, w.leaving && len(w.execs)+len(w.drivers) == 0
		var e core.Event
		if len(w.reports) > 0 {
			e = w.reports[0]
		}
		w.mu.Unlock()
		if left {
			w.end(nil)
		}
		if e != nil && peer.report(w.base, e) == nil {
			w.reported(e)
			continue
		}
		select {
		case <-w.base.Done():
			return
		case <-w.news:
		}
	}
}

// reported forgets what the master knows from now on.
func (w *Worker) reported(e core.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = w.reports[1:]
	switch e := e.(type) {
	case core.ExecutorEnded:
		delete(w.execs, execKey{e.App, e.ID})
	case core.DriverChanged:
		delete(w.drivers, e.ID)
	}
}

// goodbye tells the master that the worker has gone with all that it ran.
func (w *Worker) goodbye() {
	w.mu.Lock()
	peer := w.peer
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWait)
	defer cancel()
	_ = peer.report(ctx, core.WorkerLeft{ID: w.id}) // else it sees the connection end
	peer.Close()
}

// workerHandler takes the master's messages.
type workerHandler struct{ w *Worker }

// Call answers the only question of masters.
func (h workerHandler) Call(_ context.Context, _ *rpc.Conn, method string, body []byte) ([]byte, error) {
	if method == methodLog {
		return h.w.readLog(body)
	}
	return nil, fmt.Errorf("a worker knows no method %q", method)
}

// Receive takes orders.
func (h workerHandler) Receive(c *rpc.Conn, _ string, body []byte) {
	if err := rpc.ReadBatch(codec, body, func(m core.Message) { h.w.take(c, m) }); err != nil {
		h.w.log.Error("an order cannot be read", "error", err)
	}
}

func (w *Worker) take(from *rpc.Conn, m core.Message) {
	switch m := m.(type) {
	case core.LaunchExecutor:
		w.launch(from, m)
	case core.KillExecutor:
		w.kill(w.executor(m.App, m.ID))
	case core.CleanApp:
		w.busy.Go(func() { w.clean(m.App) })
	case core.LaunchDriver:
		w.launchDriver(from, m)
	case core.KillDriver:
		w.mu.Lock()
		p := w.drivers[m.ID]
		w.mu.Unlock()
		w.kill(p)
	case core.Reregister:
		select {
		case w.again <- struct{}{}:
		default:
		}
	case core.Leave:
		w.leave()
	}
}

func (w *Worker) executor(app string, id int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.execs[execKey{app, id}]
}

// Decommission lets the worker go when what it runs has ended: the master gives it nothing more and tells the applications.
func (w *Worker) Decommission() { w.report(core.Decommission{IDs: []string{w.id}}) }

// leave lets executors and drivers go, and then the worker.
func (w *Worker) leave() {
	w.mu.Lock()
	if w.leaving {
		w.mu.Unlock()
		return
	}
	w.leaving = true
	all := slices.Collect(maps.Values(w.execs))
	w.mu.Unlock()
	for _, p := range all {
		w.killWithin(p, decommissionWait)
	}
	w.wake()
}

func (w *Worker) kill(p *process) { w.killWithin(p, leaveWait) }

func (w *Worker) killWithin(p *process, grace time.Duration) {
	if p == nil {
		return
	}
	w.mu.Lock()
	p.asked = true
	run := p.p
	w.mu.Unlock()
	if run != nil {
		w.busy.Go(func() { run.End(grace) })
	}
}

// launch starts an executor.
func (w *Worker) launch(from *rpc.Conn, m core.LaunchExecutor) {
	k := execKey{m.App, m.ID}
	x := &process{held: core.Held{App: m.App, ID: m.ID, Cores: m.Cores, Memory: m.Memory}, dir: filepath.Join(w.o.Dir, filepath.Base(m.App), strconv.Itoa(m.ID))}
	w.mu.Lock()
	if w.execs[k] != nil || w.orders != from || w.base.Err() != nil {
		w.mu.Unlock()
		return
	}
	w.execs[k] = x
	w.names[m.App] = event.AppID(cmp.Or(m.Launch.AppID, m.App))
	w.mu.Unlock()
	w.busy.Go(func() {
		ended := core.ExecutorEnded{Worker: w.id, App: m.App, ID: m.ID}
		p, err := w.startExecutor(m, x.dir)
		if err != nil {
			ended.Code, ended.Reason, ended.Refused = -1, fmt.Sprintf("worker %s could not start it: %v", w.id, err), true
			w.report(ended)
			return
		}
		w.log.Info("executor started", "application", m.App, "executor", m.ID, "pid", p.PID(), "cores", m.Cores)
		w.mu.Lock()
		x.p = p
		asked := x.asked
		w.mu.Unlock()
		if asked {
			p.End(leaveWait)
		}
		w.report(core.ExecutorStarted{Worker: w.id, App: m.App, ID: m.ID})
		ended.Code, ended.Reason = p.Ended()
		ended.OutOfMemory = p.OutOfMemory()
		folders := cluster.LocalFolders(m.Launch.LocalDir, event.AppID(cmp.Or(m.Launch.AppID, m.App)), event.ExecutorID(strconv.Itoa(m.ID)))
		if err := cluster.RemoveFolders(folders); err != nil {
			w.log.Warn("files of an executor cannot be removed", "application", m.App, "executor", m.ID, "error", err)
		}
		w.mu.Lock()
		ended.Killed = x.asked
		w.mu.Unlock()
		w.log.Info("executor ended", "application", m.App, "executor", m.ID, "how", ended.Reason)
		w.report(ended)
	})
}

func (w *Worker) startExecutor(m core.LaunchExecutor, dir string) (*child.Process, error) {
	secret, err := unseal(w.o.Secret, m.Launch.Sealed)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	binary := m.Launch.Binary
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("the program of the application is not on this machine: %w", err)
	}
	app := cluster.App{ID: event.AppID(cmp.Or(m.Launch.AppID, m.App)), Name: m.Name, DriverURL: m.Launch.DriverURL, Secret: secret,
		Executor: cluster.Executor{Cores: m.Cores, Memory: m.Launch.Memory, Env: m.Launch.Env}}
	env, private := cluster.Private(app.Environment())
	return child.Start(child.Spec{Path: binary, Args: app.Arguments(event.ExecutorID(strconv.Itoa(m.ID)), w.o.Host, m.Cores), Env: env, Private: private, Follow: true,
		Dir: dir, Stdout: filepath.Join(dir, "stdout"), Stderr: filepath.Join(dir, "stderr")})
}

// clean takes notice that an application has ended, when its last executor has gone. What its executors have written to their
// folders stays for who wants to know how it went, until it is old.
func (w *Worker) clean(app string) {
	for {
		w.mu.Lock()
		var last *process
		for k, p := range w.execs {
			if k.app == app {
				last = p
			}
		}
		w.mu.Unlock()
		if last == nil {
			break
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-w.base.Done():
			return
		}
	}
	w.mu.Lock()
	name, known := w.names[app]
	delete(w.names, app)
	w.mu.Unlock()
	if known && w.o.Outputs != nil {
		w.o.Outputs.AppEnded(name)
	}
	if !w.o.Cleanup.Keep {
		if err := removeEmpty(filepath.Join(w.o.Dir, filepath.Base(app))); err != nil {
			w.log.Warn("the folder of an application cannot be tidied up", "application", app, "error", err)
		}
	}
}

// launchDriver starts a driver: this program, as the submit command in client mode.
func (w *Worker) launchDriver(from *rpc.Conn, m core.LaunchDriver) {
	d := &process{dir: filepath.Join(w.o.Dir, filepath.Base(m.ID)), drive: core.HeldDriver{ID: m.ID, Desc: m.Desc}}
	if !m.Desc.Supervise {
		d.drive.Desc.Files = nil
	}
	w.mu.Lock()
	if w.drivers[m.ID] != nil || w.orders != from || w.base.Err() != nil {
		w.mu.Unlock()
		return
	}
	w.drivers[m.ID] = d
	w.mu.Unlock()
	w.busy.Go(func() {
		changed := core.DriverChanged{Worker: w.id, ID: m.ID}
		p, err := w.startDriver(m, d.dir)
		if err != nil {
			changed.State, changed.Reason = core.Errored, err.Error()
			w.report(changed)
			return
		}
		w.log.Info("driver started", "driver", m.ID, "pid", p.PID())
		w.mu.Lock()
		d.p = p
		asked := d.asked
		w.mu.Unlock()
		if asked {
			p.End(leaveWait)
		}
		code, why := p.Ended()
		if err := os.Remove(filepath.Join(d.dir, propertiesFile)); err != nil { // it may hold secrets
			w.log.Warn("the settings of a driver cannot be removed", "driver", m.ID, "error", err)
		}
		w.mu.Lock()
		asked = d.asked
		w.mu.Unlock()
		switch {
		case asked:
			changed.State, changed.Reason = core.Killed, "killed on request"
		case code == 0:
			changed.State = core.Finished
		default:
			changed.State, changed.Reason = core.Failed, why
		}
		w.log.Info("driver ended", "driver", m.ID, "state", changed.State, "how", why)
		w.report(changed)
	})
}

func (w *Worker) startDriver(m core.LaunchDriver, dir string) (*child.Process, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, f := range m.Desc.Files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.Name)), f.Data, 0o700); err != nil {
			return nil, err
		}
	}
	settings := maps.Clone(m.Desc.Conf)
	if settings == nil {
		settings = map[string]string{}
	}
	delete(settings, "spark.submit.deployMode")
	if settings["spark.master"] == "" {
		settings["spark.master"] = "spark://" + joined(w.o.Masters)
	}
	if w.o.Secret != "" {
		settings["spark.authenticate"], settings["spark.authenticate.secret"] = "true", w.o.Secret
	}
	file := filepath.Join(dir, propertiesFile)
	if err := writeProperties(file, settings); err != nil {
		return nil, err
	}
	args := append([]string{"submit", "--properties-file", file, m.Desc.Resource}, m.Desc.Args...)
	return child.Start(child.Spec{Path: w.o.Binary, Args: args, Env: m.Desc.Env, Follow: true, Dir: dir, Stdout: filepath.Join(dir, "stdout"), Stderr: filepath.Join(dir, "stderr")})
}
