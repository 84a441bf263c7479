package driver

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/shuffle/service"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// remoteExecutor is an executor that has registered. Its fields are guarded by Remote.mu.
type remoteExecutor struct {
	id     event.ExecutorID
	host   string
	cores  int
	blocks string // host:port of its block server
	conn   *rpc.Conn
	out    *rpc.Outbox[wire.Order]
	works  map[int64]bool // that were sent
	// results are the names of stored results that nobody has read and removed yet.
	results map[string]bool
	// consumers held most of its memory at its last heartbeat.
	consumers []memory.Consumer
	heard     time.Time
	cached    int    // cached blocks that it has
	leave     string // why it was told to leave
	going     bool   // it is decommissioned: see depart
	broken    bool   // the connection is lost
	over      bool   // its loss was told
	exit      *cluster.Exited
	timers    []*time.Timer
}

// remoteHandler serves the connections to the driver.
type remoteHandler struct{ r *Remote }

// Call answers requests of executors.
func (h remoteHandler) Call(ctx context.Context, c *rpc.Conn, method string, body []byte) ([]byte, error) {
	switch method {
	case wire.MethodSettings:
		return answer(body, h.r.settings)
	case wire.MethodRegister:
		return answer(body, func(m *wire.Registration) (*struct{}, error) { return &struct{}{}, h.r.register(c, m) })
	case wire.MethodStatuses:
		return answer(body, func(q *wire.StatusQuery) (*wire.StatusAnswer, error) { return h.r.statuses(ctx, q) })
	case wire.MethodLocate:
		return answer(body, h.r.locate)
	}
	return nil, sparkerr.Internal("the driver knows no request %q", method)
}

// answer decodes a request and encodes what f answers.
func answer[Q, A any](body []byte, f func(*Q) (*A, error)) ([]byte, error) {
	var q Q
	if err := wire.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	a, err := f(&q)
	if err != nil {
		return nil, err
	}
	return wire.Marshal(a)
}

// Receive takes reports. What an executor says after its loss is not heard.
func (h remoteHandler) Receive(c *rpc.Conn, method string, body []byte) {
	r := h.r
	if method != wire.MethodReports {
		return
	}
	r.mu.Lock()
	e := r.byConn[c]
	deaf := e == nil || e.over
	r.mu.Unlock()
	if deaf {
		return
	}
	if err := wire.ReadReports(body, func(m wire.Report) { r.report(e, m) }); err != nil {
		r.log.Error("a message of an executor cannot be read", "executor", e.id, "error", err)
		r.lose(e, scheduler.ExecutorLost{ID: e.id, Reason: "its messages cannot be read: " + err.Error()})
	}
}

func (r *Remote) report(e *remoteExecutor, m wire.Report) {
	switch m := m.(type) {
	case wire.Started:
		r.d.Post(scheduler.TaskStarted{Task: m.Task})
	case wire.Ended:
		r.ended(e, &m)
	case wire.AskCommit:
		r.d.Post(scheduler.CommitRequest{Task: m.Task})
	case wire.Alive:
		r.mu.Lock()
		e.consumers, e.heard = m.Consumers, time.Now()
		r.held(e)
		r.mu.Unlock()
		r.d.bus.Publish(event.ExecutorMetricsUpdate{Executor: e.id,
			Peaks: map[event.StageAttemptID]event.ExecutorMetrics{{Stage: -1, Attempt: -1}: m.Metrics}})
	case wire.BlockChanged:
		r.blockChanged(e, m.Status)
	case wire.Leaving:
		r.log.Info("executor leaves", "executor", e.id, "reason", m.Reason)
		r.d.Post(scheduler.ExecutorDecommissioning{ID: e.id, Reason: m.Reason})
		if m.Stays {
			r.depart(e, m.Reason)
		}
	case wire.Pulled:
		r.pulled(&m)
	}
}

func (r *Remote) ended(e *remoteExecutor, m *wire.Ended) {
	r.mu.Lock()
	t, ok := r.tasks[m.Task]
	if ok = ok && t.on == e; ok {
		delete(r.tasks, m.Task)
	}
	r.mu.Unlock()
	if !ok {
		return
	}
	o := &m.Outcome
	end := scheduler.TaskEnded{Task: m.Task, Reason: m.Reason, Metrics: o.Metrics}
	if _, ok := m.Reason.(event.Success); ok {
		end.Sizes, end.Accums = o.Sizes, o.Accums
		if t.result || o.Result != nil {
			end.Result = RemoteResult{Data: o.Result, Stored: o.Stored, At: e.id, Size: o.ResultSize}
			end.ResultSize = max(o.ResultSize, int64(len(o.Result)))
			if o.Stored != "" {
				r.mu.Lock()
				e.results[o.Stored] = true
				r.held(e)
				r.mu.Unlock()
			}
		}
	}
	r.d.Post(end)
}

// settings answers an executor that starts.
func (r *Remote) settings(a *wire.Application) (*wire.Settings, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.admits(a); err != nil {
		return nil, err
	}
	all := r.o.Conf.All()
	delete(all, "spark.authenticate.secret")
	delete(all, "spark.kerberos.keytab") // they have tokens
	for k, v := range r.o.Besides {
		if _, ok := all[k]; !ok {
			all[k] = v
		}
	}
	return &wire.Settings{Name: r.app.Name, Conf: all, Key: r.key, Services: service.SecretFor(r.o.Conf, r.app.Secret)}, nil
}

// admits says whether an executor may register; the lock is held.
func (r *Remote) admits(a *wire.Application) error {
	var why string
	switch {
	case a.App != r.app.ID:
		why = fmt.Sprintf("this is the driver of application %s, not of %s", r.app.ID, a.App)
	case r.stopping:
		why = "the application has ended"
	case r.gone[a.Executor] != "":
		why = "it is gone: " + r.gone[a.Executor]
	case r.execs[a.Executor] != nil:
		why = "an executor of this id is registered"
	default:
		return nil
	}
	return &rpc.RefusedError{Peer: "the driver", Reason: fmt.Sprintf("executor %s may not register: %s", a.Executor, why)}
}

// register takes an executor in, or an executor that was asked to once more.
func (r *Remote) register(c *rpc.Conn, m *wire.Registration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	added := scheduler.ExecutorAdded{ID: m.Executor, Host: m.Host, Cores: m.Cores, LogURLs: m.LogURLs, Attributes: m.Attributes}
	if e := r.byConn[c]; e != nil && e.id == m.Executor && !e.over {
		r.d.Post(added)
		return nil
	}
	if err := r.admits(&m.Application); err != nil {
		return err
	}
	if m.Cores < 1 || m.Host == "" {
		return sparkerr.Internal("executor %s registered with %d cores on host %q", m.Executor, m.Cores, m.Host)
	}
	e := &remoteExecutor{id: m.Executor, host: m.Host, cores: m.Cores, blocks: m.Blocks, conn: c, works: map[int64]bool{}, results: map[string]bool{}}
	e.out = wire.Orders(c, func(o wire.Order, err error) { r.unsendable(e, o, err) })
	r.execs[e.id], r.byConn[c] = e, e
	if r.credentials != nil { // it may have been started with older ones
		e.out.Put(wire.Credentials{Data: r.credentials})
	}
	if r.o.Files != nil && len(r.o.Files.All()) > 0 {
		e.out.Put(wire.Files{All: r.o.Files.All()})
	}
	r.holdService(e.host)
	r.copyMore()
	r.busy.Go(func() {
		<-c.Done()
		r.disconnected(e)
	})
	r.log.Info("executor registered", "executor", e.id, "host", e.host, "cores", e.cores, "memory", mebibytes(m.Memory), "blocks", e.blocks)
	if m.Memory < r.app.Executor.Memory {
		r.log.Warn("an executor has less memory than was asked for, as its memory cgroup allows no more", "executor", e.id, "host", e.host,
			"asked", mebibytes(r.app.Executor.Memory), "has", mebibytes(m.Memory))
	}
	r.d.Post(added)
	r.d.bus.Publish(event.BlockManagerAdded{Time: time.Now(), ID: e.blockManager(), MaxMemory: m.Memory, OnHeap: m.Memory})
	return nil
}

// blockManager names the executor's block server.
func (e *remoteExecutor) blockManager() event.BlockManagerID {
	host, port, _ := net.SplitHostPort(e.blocks)
	n, _ := strconv.Atoi(port)
	return event.BlockManagerID{Executor: e.id, Host: host, Port: n}
}

// unsendable ends a task that cannot be encoded.
func (r *Remote) unsendable(e *remoteExecutor, o wire.Order, err error) {
	r.log.Error("an order cannot be sent", "executor", e.id, "error", err)
	if l, ok := o.(wire.Launch); ok {
		r.ended(e, &wire.Ended{Task: l.Task.ID, Reason: event.ExceptionFailure{Err: err, Fatal: true}})
	}
}

// disconnected is for a connection that broke: the manager is given a moment to tell why.
func (r *Remote) disconnected(e *remoteExecutor) {
	r.mu.Lock()
	e.broken = true
	if e.over || r.stopping {
		r.mu.Unlock()
		return
	}
	exit := e.exit
	if exit == nil && e.leave == "" {
		e.timers = append(e.timers, time.AfterFunc(reasonWait, func() { r.lose(e, e.lostConnection()) }))
	}
	r.mu.Unlock()
	switch {
	case exit != nil:
		r.lose(e, e.lostBy(exit))
	case e.leave != "":
		r.lose(e, scheduler.ExecutorLost{ID: e.id, Reason: e.leave, PlatformFault: true})
	default:
		r.d.Post(scheduler.ExecutorDisconnected{ID: e.id})
		if m, ok := r.o.Manager.(cluster.Inquirer); ok {
			m.Inquire(e.id)
		}
	}
}

func (e *remoteExecutor) lostConnection() scheduler.ExecutorLost {
	return scheduler.ExecutorLost{ID: e.id, Reason: e.conn.Err().Error()}
}

// lostBy makes the reason of the manager's words.
func (e *remoteExecutor) lostBy(x *cluster.Exited) scheduler.ExecutorLost {
	reason := exitReason(x)
	if x.OutOfMemory || x.Code == 128+int(syscall.SIGKILL) {
		reason += e.lastReport()
	}
	return scheduler.ExecutorLost{ID: e.id, Reason: reason, PlatformFault: x.PlatformFault || e.leave != "", HostLost: x.HostLost, OutOfMemory: x.OutOfMemory}
}

// lastReport says who held the executor's memory, as far as it told.
func (e *remoteExecutor) lastReport() string {
	if e.heard.IsZero() {
		return ""
	}
	text := fmt.Sprintf("; at its last report, %.1f s before, ", time.Since(e.heard).Seconds())
	if len(e.consumers) == 0 {
		return text + "no operator held memory"
	}
	for i, c := range e.consumers {
		if i > 0 {
			text += ", "
		}
		text += c.String()
	}
	return text + " were held"
}

func exitReason(x *cluster.Exited) string {
	how := fmt.Sprintf("exited with code %d", x.Code)
	switch {
	case x.Code > 128 && x.Code < 160:
		how = fmt.Sprintf("killed by signal %d (exit code %d)", x.Code-128, x.Code)
	case x.Code < 0:
		how = "ended"
	}
	if x.Reason != "" {
		how += ": " + x.Reason
	}
	return how
}

// SendCredentials implements Executors.
func (r *Remote) SendCredentials(data []byte) {
	r.mu.Lock()
	r.credentials = data
	r.mu.Unlock()
	r.tellAll(wire.Credentials{Data: data})
}

// notice takes what the manager tells.
func (r *Remote) notice(n cluster.Notice) {
	switch n := n.(type) {
	case cluster.Launched:
		r.log.Info("executor granted", "executor", n.ID, "host", n.Host, "where", n.Where, "cores", n.Cores, "memory", mebibytes(n.Memory))
	case cluster.Exited:
		r.exited(&n)
	case cluster.Leaving:
		r.log.Info("executor will be ended", "executor", n.ID, "grace", n.Grace, "reason", n.Reason)
		r.d.Post(scheduler.ExecutorDecommissioning{ID: n.ID, Reason: n.Reason})
		r.decommission(n.ID, n.Reason)
	case cluster.Credentials:
		r.SendCredentials(n.Data)
	case cluster.Failed:
		r.log.Error("the cluster manager cannot go on", "error", n.Err)
		r.d.fail(n.Err)
	}
}

func (r *Remote) exited(x *cluster.Exited) {
	r.mu.Lock()
	if r.stopping {
		r.mu.Unlock()
		return
	}
	e := r.execs[x.ID]
	if e == nil {
		known := r.gone[x.ID] != ""
		if !known {
			r.gone[x.ID] = exitReason(x)
		}
		r.mu.Unlock()
		if !known {
			r.log.Warn("executor ended before it registered", "executor", x.ID, "reason", exitReason(x))
			r.d.Post(scheduler.ExecutorLost{ID: x.ID, Reason: exitReason(x), PlatformFault: x.PlatformFault})
		}
		return
	}
	e.exit = x
	broken := e.broken
	if !broken { // what it had sent is on the way
		e.timers = append(e.timers, time.AfterFunc(lastWords, func() { r.lose(e, e.lostBy(x)) }))
	}
	r.mu.Unlock()
	if broken {
		r.lose(e, e.lostBy(x))
	}
}

// release tells an executor to leave, and ends the connection if it does not; the lock is held.
func (r *Remote) release(e *remoteExecutor, reason string) {
	if e.leave != "" || e.over {
		return
	}
	e.leave = reason
	e.out.Put(wire.Leave{Reason: reason})
	e.timers = append(e.timers, time.AfterFunc(leaveWait, e.conn.Close))
}

// lose tells once that an executor is gone, to the scheduler and to its peers, and makes sure that it is.
func (r *Remote) lose(e *remoteExecutor, lost scheduler.ExecutorLost) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.over {
		return
	}
	e.over = true
	for _, t := range e.timers {
		t.Stop()
	}
	delete(r.execs, e.id)
	delete(r.byConn, e.conn)
	r.gone[e.id] = lost.Reason
	for id, t := range r.tasks {
		if t.on == e {
			delete(r.tasks, id)
		}
	}
	for name := range r.cached {
		r.uncache(name, e)
	}
	r.copyMore()
	for _, o := range r.execs {
		o.out.Put(wire.PeerLost{Executor: e.id})
	}
	r.pullsLost(e)
	if r.stopping {
		return
	}
	r.log.Warn("executor lost", "executor", e.id, "host", e.host, "reason", lost.Reason)
	if lost.OutOfMemory && e.cores > 1 {
		r.log.Warn("stages that ran there run half as many tasks side by side from now on", "executor", e.id)
	}
	r.d.Post(lost)
	r.d.bus.Publish(event.BlockManagerRemoved{Time: time.Now(), ID: e.blockManager()})
	r.busy.Go(func() {
		e.conn.Close()
		r.client.Lose(e.blocks)
		if e.exit == nil && e.leave == "" {
			r.kill([]event.ExecutorID{e.id})
		}
	})
}

// statuses answers an executor that asks for the outputs of a shuffle.
func (r *Remote) statuses(ctx context.Context, q *wire.StatusQuery) (*wire.StatusAnswer, error) {
	a, err := r.d.outputs(ctx, q.Shuffle)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a.Peers = map[event.ExecutorID]string{}
	for i := range a.Maps {
		if e := r.execs[a.Maps[i].At]; e != nil {
			a.Peers[e.id] = e.blocks
		}
	}
	return a, nil
}

// outputs asks the scheduler where the outputs of a shuffle lie.
func (d *Driver) outputs(ctx context.Context, id event.ShuffleID) (*wire.StatusAnswer, error) {
	answer := make(chan *wire.StatusAnswer, 1)
	ok := d.put(input{ask: func(s *scheduler.Scheduler) {
		a := &wire.StatusAnswer{Epoch: s.Epoch()}
		if maps := s.MapStatuses(id); maps != nil {
			a.Known, a.Maps = true, make([]wire.MapOutputAt, len(maps))
			for i, m := range maps {
				a.Maps[i] = wire.MapOutputAt{At: m.At, Host: m.Host, Sizes: m.Sizes}
			}
		}
		answer <- a
	}})
	if !ok {
		return nil, ErrClosed
	}
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-d.done:
		return nil, ErrClosed
	}
}
