package standalone

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/cluster/standalone/quorum"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// MasterOptions describe a master.
type MasterOptions struct {
	Host      string        // to listen on and to be called by; "": 127.0.0.1
	Port      int           // 0: any
	WebUI     int           // port of the status pages; negative: none; 0: any
	REST      int           // port of the submission server; negative: none; 0: any
	Secret    string        // of the cluster; "": everybody is let in
	AllowOpen bool          // listen on addresses of the network without a secret
	Recovery  string        // folder of what outlives the master; "": nothing does
	Reset     bool          // forget what the folder holds
	Masters   []string      // host:port of all masters, of which this is one; nil: it is alone
	TLS       *secure.TLS   // of connections between daemons and drivers; nil: they are not secured
	PagesTLS  *secure.TLS   // of pages and submissions
	Silence   time.Duration // how long a leader may not be heard of before another is elected; 0: 2 s
	// Decommission says from where workers may be taken out of service over HTTP: LOCAL (or ""), ALLOW or DENY.
	Decommission string
	Core         core.Config
	Program      Program
	Log          *slog.Logger
	Audit        *audit.Log // nil: off
}

// Master hosts the decisions of a standalone cluster.
type Master struct {
	o      MasterOptions
	log    *slog.Logger
	server *rpc.Server
	store  *store
	begun  time.Time
	pages  []*http.Server
	webURL string
	rest   string

	mu    sync.Mutex
	queue []input
	wake  chan struct{}
	quit  chan struct{}
	busy  sync.WaitGroup

	// Of the loop:
	state   *core.State
	peers   map[core.Peer]*peer
	asks    map[core.Ask]chan core.Reply
	changes []change // that must last
	later   []effect // what is done when they do

	member atomic.Pointer[quorum.Member] // nil: this master is alone
	leads  bool                          // of mu, written by the loop
	term   uint64                        // in which it leads

	closed   bool      // of mu
	nextPeer core.Peer // of mu
	nextAsk  core.Ask  // of mu
}

type input struct {
	event core.Event
	join  *peer
	ask   chan core.Reply
	id    core.Ask
	view  chan core.View
	taken chan struct{}

	worker string // whose connection is wanted
	found  chan *peer

	turned bool
	turn   *quorum.Term
}

// effect is what is done when the changes before it last, or instead of it when they do not.
type effect struct{ do, instead func() }

// peer is a connection: a worker, an application or somebody who asks.
type peer struct {
	id     core.Peer
	conn   *rpc.Conn
	out    *rpc.Outbox[core.Message]
	master atomic.Bool // it is another master
}

// StartMaster starts a master. The caller must Close it.
func StartMaster(o MasterOptions) (*Master, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if err := allowed(o.Host, o.Secret, o.AllowOpen, "the master"); err != nil {
		return nil, err
	}
	if o.Secret != "" && o.REST >= 0 {
		return nil, errors.New("the submission server cannot ask for spark.authenticate.secret, and who can reach it runs programs as this user: " +
			"turn it off (spark.master.rest.enabled=false, --rest-port -1), or do without authentication")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &Master{o: o, log: o.Log, begun: time.Now(), wake: make(chan struct{}, 1), quit: make(chan struct{}), state: core.New(o.Core),
		peers: map[core.Peer]*peer{}, asks: map[core.Ask]chan core.Reply{}}
	records, err := m.openStore()
	if err != nil {
		return nil, err
	}
	if !o.quorate() {
		m.leads = true
		m.put(input{event: core.Recovered{Records: records}}) // before anybody comes
	}
	if m.server, err = rpc.Listen(net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), o.rpc("the master"), m.welcome, m.refused); err != nil {
		return nil, fmt.Errorf("the master cannot listen (--host, --port): %w", err)
	}
	if o.quorate() {
		if err := m.joinQuorum(); err != nil {
			m.Close()
			return nil, err
		}
	}
	m.busy.Go(m.loop)
	if err := errors.Join(m.serve(o.WebUI, m.statusPages(), &m.webURL), m.serve(o.REST, m.submissions(), &m.rest)); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// rpc is how this master presents itself.
func (o *MasterOptions) rpc(name string) rpc.Config {
	return secured(identity(o.Secret, name, o.Program), o.TLS)
}

// allowed refuses to listen where everybody could come, without authentication.
func allowed(host, secret string, open bool, who string) error {
	if secret != "" || open || host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s does not listen on %s without authentication: set spark.authenticate and spark.authenticate.secret, or use a loopback address", who, host)
}

// maxPorts is how many ports are tried for pages, one after the other, as Spark does.
const maxPorts = 16

// serve serves HTTP on a port or one of the next; url is set to its address.
func (m *Master) serve(port int, h http.Handler, url *string) error {
	srv, address, err := servePages(m.o.Host, port, h, m.o.PagesTLS)
	if err == nil && srv != nil {
		*url = address
		m.pages = append(m.pages, srv)
	}
	return err
}

func servePages(host string, port int, h http.Handler, by *secure.TLS) (*http.Server, string, error) {
	if port < 0 {
		return nil, "", nil
	}
	config, err := by.Server("")
	if err != nil {
		return nil, "", err
	}
	for i := 0; ; i++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			srv := secure.Pages(h)
			address := l.Addr().String()
			if config != nil {
				l = tls.NewListener(l, config)
			}
			go func() { _ = srv.Serve(l) }() // it ends with Close
			return srv, address, nil
		}
		if port == 0 || i >= maxPorts || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, "", fmt.Errorf("no port for the pages: %w", err)
		}
		port++
	}
}

// Addr is host:port at which workers and applications connect; WebUI and REST those of the pages and of submissions ("": none).
func (m *Master) Addr() string  { return net.JoinHostPort(m.o.Host, strconv.Itoa(m.server.Port())) }
func (m *Master) WebUI() string { return m.webURL }
func (m *Master) REST() string  { return m.rest }

// URL is the master URL of the cluster.
func (m *Master) URL() string { return "spark://" + m.Addr() }

// Close ends the master; workers and applications go on without it.
func (m *Master) Close() {
	m.mu.Lock()
	over := m.closed
	m.closed = true
	m.mu.Unlock()
	if over {
		return
	}
	member := m.member.Load()
	if member != nil {
		member.Resign()
	}
	close(m.quit)
	for _, p := range m.pages {
		_ = p.Close()
	}
	m.server.Close()
	m.busy.Wait()
	if member != nil {
		if err := member.Close(); err != nil {
			m.log.Warn("the recovery folder was not closed in order", "error", err)
		}
	}
}

func (m *Master) refused(peer string, err error) {
	m.log.Warn("a connection was refused", "peer", peer, "reason", err)
	m.o.Audit.Refuse(audit.Action{Name: "connect", Peer: peer}, err.Error())
}

func (m *Master) welcome(c *rpc.Conn) rpc.Handler {
	m.mu.Lock()
	m.nextPeer++
	p := &peer{id: m.nextPeer, conn: c}
	m.mu.Unlock()
	p.out = rpc.NewOutbox(c, codec, methodMessage, func(msg core.Message, err error) {
		m.log.Error("a message cannot be sent", "message", msg, "error", err)
	})
	m.put(input{join: p})
	go func() {
		<-c.Done()
		m.put(input{event: core.Disconnected{Peer: p.id}})
	}()
	return &masterHandler{m, p}
}

func (m *Master) put(in input) {
	m.mu.Lock()
	m.queue = append(m.queue, in)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// answerLimit is how long who asks waits for the master's loop.
const answerLimit = 30 * time.Second

// Ask puts a question to the master's decisions.
func (m *Master) Ask(ctx context.Context, question func(core.Ask) core.Event) (core.Reply, error) {
	m.mu.Lock()
	m.nextAsk++
	id := m.nextAsk
	m.mu.Unlock()
	answer := make(chan core.Reply, 1)
	m.put(input{event: question(id), id: id, ask: answer})
	return await(ctx, m, answer)
}

// await waits for the loop; a standby closes the channel.
func await[T any](ctx context.Context, m *Master, c chan T) (T, error) {
	var none T
	select {
	case v, ok := <-c:
		if !ok {
			return none, m.standbyError()
		}
		return v, nil
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-m.quit:
		return none, errors.New("the master ends")
	case <-time.After(answerLimit):
		return none, fmt.Errorf("the master did not answer within %s", answerLimit)
	}
}

// View is the master's state.
func (m *Master) View(ctx context.Context) (core.View, error) {
	c := make(chan core.View, 1)
	m.put(input{view: c})
	return await(ctx, m, c)
}

func (m *Master) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at, ok := m.state.Deadline(); ok {
			timer.Reset(max(time.Until(at), 0))
		}
		select {
		case <-m.wake:
		case <-timer.C:
			if m.leads {
				m.step(core.Tick{})
			}
		case <-m.quit:
			return
		}
		m.mu.Lock()
		batch := m.queue
		m.queue = nil
		m.mu.Unlock()
		for _, in := range batch {
			m.handle(in)
		}
		m.settle()
	}
}

func (m *Master) handle(in input) {
	switch {
	case in.join != nil:
		m.peers[in.join.id] = in.join
	case in.turned:
		m.settle()
		m.turn(in.turn)
	case in.view != nil:
		if m.leads {
			v := m.state.View()
			m.then(func() { in.view <- v }, func() { close(in.view) })
		} else {
			close(in.view)
		}
	case in.found != nil:
		if m.leads {
			in.found <- m.connected(in.worker)
		} else {
			close(in.found)
		}
	default:
		m.happened(in)
	}
}

func (m *Master) happened(in input) {
	d, gone := in.event.(core.Disconnected)
	switch {
	case m.leads:
		if in.ask != nil {
			m.asks[in.id] = in.ask
		}
		m.step(in.event)
		if in.taken != nil {
			m.then(func() { in.taken <- struct{}{} }, func() { close(in.taken) })
		}
	case in.ask != nil:
		close(in.ask)
	case in.taken != nil:
		close(in.taken)
	}
	if gone {
		delete(m.peers, d.Peer)
	}
}

// then does something when all changes so far last. instead may be nil.
func (m *Master) then(do, instead func()) { m.later = append(m.later, effect{do, instead}) }

// settle makes the changes last, and does what waits for that.
func (m *Master) settle() {
	if !m.keep(m.changes) {
		return // it stands by, and has let go of all
	}
	later := m.later
	m.changes, m.later = nil, nil
	for _, e := range later {
		e.do()
	}
}

func (m *Master) step(e core.Event) {
	for _, a := range m.state.Step(time.Now(), e) {
		switch a := a.(type) {
		case core.Save:
			m.changes = append(m.changes, change{a.Record.Key(), &a.Record})
		case core.Forget:
			m.changes = append(m.changes, change{key: a.Key})
		default:
			m.then(func() { m.do(a) }, nil)
		}
	}
}

func (m *Master) do(a core.Action) {
	switch a := a.(type) {
	case core.Tell:
		if p := m.peers[a.Peer]; p != nil {
			p.out.Put(a.Message)
		}
	case core.Answer:
		if c := m.asks[a.Ask]; c != nil {
			delete(m.asks, a.Ask)
			c <- a.Reply
		}
	case core.Drop:
		if p := m.peers[a.Peer]; p != nil {
			go p.conn.Close()
		}
	case core.Note:
		if a.Warn {
			m.log.Warn(a.Text)
		} else {
			m.log.Info(a.Text)
		}
	}
}

// masterHandler takes what one peer sends.
type masterHandler struct {
	m *Master
	p *peer
}

// Call answers events that are asked, and looks at the state.
func (h *masterHandler) Call(ctx context.Context, _ *rpc.Conn, method string, body []byte) ([]byte, error) {
	if quorum.IsMethod(method) {
		return h.fromMaster(ctx, method, body)
	}
	out, err := h.answer(ctx, method, body)
	var standby *StandbyError
	if errors.As(err, &standby) { // who asks sees the connection end, and looks for the leader
		go h.p.conn.Close()
		<-ctx.Done()
	}
	return out, err
}

func (h *masterHandler) answer(ctx context.Context, method string, body []byte) ([]byte, error) {
	switch method {
	case methodStanding:
		s := h.m.standing()
		return codec.Append(nil, &s)
	case methodView:
		v, err := h.m.View(ctx)
		if err != nil {
			return nil, err
		}
		return codec.Append(nil, &v)
	case methodLog:
		return h.m.logOf(ctx, body)
	case methodReport:
		var e envelope
		if err := codec.Decode(body, &e); err != nil {
			return nil, err
		}
		taken := make(chan struct{}, 1)
		h.m.put(input{event: stamped(e.Event, h.p.id, 0), taken: taken})
		_, err := await(ctx, h.m, taken)
		return nil, err
	case methodEvent:
		var e envelope
		if err := codec.Decode(body, &e); err != nil {
			return nil, err
		}
		r, err := h.m.audited(ctx, h.p.conn.Peer(), e.Event, func(id core.Ask) core.Event { return stamped(e.Event, h.p.id, id) })
		if err != nil {
			return nil, err
		}
		return codec.Append(nil, &r)
	}
	return nil, fmt.Errorf("the master knows no method %q", method)
}

// Receive takes events that nobody waits for.
func (h *masterHandler) Receive(_ *rpc.Conn, method string, body []byte) {
	var e envelope
	if method != methodEvent || codec.Decode(body, &e) != nil || e.Event == nil {
		h.m.log.Warn("a message was not understood", "peer", h.p.conn.Peer(), "method", method)
		return
	}
	h.m.put(input{event: stamped(e.Event, h.p.id, 0)})
}

// stamped says in an event who sent it and who waits for the answer, whatever the sender wrote there.
func stamped(e core.Event, p core.Peer, ask core.Ask) core.Event {
	switch e := e.(type) {
	case core.WorkerRegistered:
		e.Peer, e.Ask = p, ask
		return e
	case core.AppRegistered:
		e.Peer, e.Ask = p, ask
		return e
	case core.Heartbeat:
		e.Peer = p
		return e
	case core.AppStopped:
		e.Ask = ask
		return e
	case core.DriverSubmitted:
		e.Ask = ask
		return e
	case core.DriverKill:
		e.Ask = ask
		return e
	case core.Clear:
		e.Ask = ask
		return e
	case core.Decommission:
		e.Ask = ask
		return e
	}
	return e
}
