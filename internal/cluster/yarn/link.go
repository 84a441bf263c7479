package yarn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// What the driver and its application master say to each other in client mode, as JSON.
const (
	sayHello    = "hello"    // master: who it is; the answer is a welcome
	sayReady    = "ready"    // master: YARN knows it
	sayLaunched = "launched" // master: an executor got a container
	sayNotice   = "notice"   // master: a cluster.Notice
	sayScale    = "scale"    // driver
	sayKill     = "kill"     // driver
	sayTokens   = "tokens"   // driver: newest tokens for file systems
	sayHurry    = "hurry"    // driver: an executor is gone, and the reason is wanted
	sayStop     = "stop"     // driver: report the end; answered when YARN knows it
)

type hello struct{ Container string }

type welcome struct {
	App    cluster.App // without the secret
	Last   int         // number of the last executor
	Level  int
	Tokens []byte // newer than those of its container; nil: there are none
}

type launchedMessage struct {
	ID        event.ExecutorID
	Container string
}

// noticeMessage is a notice with what its types have.
type noticeMessage struct {
	Exited  *cluster.Exited  `json:",omitempty"`
	Leaving *cluster.Leaving `json:",omitempty"`
	Failed  string           `json:",omitempty"`
}

type stopMessage struct{ Diagnostics string }

// MasterFailed is the error of an application whose master cannot go on.
type MasterFailed struct{ Reason string }

func (e *MasterFailed) Error() string { return e.Reason }

func (m *noticeMessage) notice() cluster.Notice {
	switch {
	case m.Exited != nil:
		return *m.Exited
	case m.Leaving != nil:
		return *m.Leaving
	}
	return cluster.Failed{Err: &MasterFailed{m.Failed}}
}

func messageOf(n cluster.Notice) *noticeMessage {
	switch n := n.(type) {
	case cluster.Exited:
		return &noticeMessage{Exited: &n}
	case cluster.Leaving:
		return &noticeMessage{Leaving: &n}
	case cluster.Failed:
		return &noticeMessage{Failed: n.Err.Error()}
	}
	return &noticeMessage{Failed: fmt.Sprintf("unknown notice %T", n)}
}

func send(c *rpc.Conn, method string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.Send(method, b)
}

func call(ctx context.Context, c *rpc.Conn, method string, request, answer any) error {
	b, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if b, err = c.Call(ctx, method, b); err != nil {
		return err
	}
	return json.Unmarshal(b, answer)
}

// link is the driver's end. A new application master (the second attempt) takes the place of the one before it, whose
// executors YARN has ended.
type link struct {
	app    cluster.App
	notify func(cluster.Notice)
	server *rpc.Server
	ready  chan struct{} // closed when a master is there for the first time

	mu     sync.Mutex
	conn   *rpc.Conn
	once   sync.Once
	level  int
	last   int
	alive  map[event.ExecutorID]bool
	newest []byte // tokens
	closed bool
}

// newLink listens where executors reach the driver too.
func newLink(v *conf.Values, app cluster.App, notify func(cluster.Notice)) (*link, string, error) {
	l := &link{app: app, notify: notify, ready: make(chan struct{}), alive: map[event.ExecutorID]bool{}}
	host, _, err := net.SplitHostPort(app.DriverURL)
	if err != nil {
		return nil, "", fmt.Errorf("driver address %q: %w", app.DriverURL, err)
	}
	bind := v.String("spark.driver.bindAddress")
	if bind == "" {
		bind = host
	}
	by, err := secure.FromConf(v, secure.RPC)
	if err != nil {
		return nil, "", err
	}
	l.server, err = rpc.Listen(net.JoinHostPort(bind, "0"), rpc.Config{Secret: app.Secret, TLS: by, Name: "the driver"}, func(*rpc.Conn) rpc.Handler { return l }, nil)
	if err != nil {
		return nil, "", fmt.Errorf("listening for the application master: %w", err)
	}
	return l, net.JoinHostPort(host, strconv.Itoa(l.server.Port())), nil
}

// Call implements rpc.Handler.
func (l *link) Call(_ context.Context, c *rpc.Conn, method string, body []byte) ([]byte, error) {
	if method != sayHello {
		return nil, fmt.Errorf("unknown request %q", method)
	}
	var h hello
	if err := json.Unmarshal(body, &h); err != nil {
		return nil, err
	}
	l.mu.Lock()
	gone := slices.Sorted(maps.Keys(l.alive))
	clear(l.alive)
	l.conn = c
	w := welcome{App: l.app, Last: l.last, Level: l.level, Tokens: l.newest}
	l.mu.Unlock()
	w.App.Secret = ""
	for _, id := range gone {
		l.notify(cluster.Exited{ID: id, Code: -1, PlatformFault: true, Reason: "The application master ended, and YARN ended its containers."})
	}
	return json.Marshal(w)
}

// Receive implements rpc.Handler.
func (l *link) Receive(c *rpc.Conn, method string, body []byte) {
	l.mu.Lock()
	current := l.conn == c
	l.mu.Unlock()
	if !current {
		return
	}
	switch method {
	case sayReady:
		l.once.Do(func() { close(l.ready) })
	case sayLaunched:
		var m launchedMessage
		if json.Unmarshal(body, &m) == nil {
			n, _ := strconv.Atoi(string(m.ID))
			l.mu.Lock()
			l.alive[m.ID] = true
			l.last = max(l.last, n)
			l.mu.Unlock()
		}
	case sayNotice:
		var m noticeMessage
		if json.Unmarshal(body, &m) != nil {
			return
		}
		n := m.notice()
		if e, ok := n.(cluster.Exited); ok {
			l.mu.Lock()
			delete(l.alive, e.ID)
			l.mu.Unlock()
		}
		l.notify(n)
	}
}

// scale and kill reach the master that there is; a later one is welcomed with the level.
func (l *link) scale(total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level = total
	if l.conn != nil {
		_ = send(l.conn, sayScale, total)
	}
}

func (l *link) kill(ids []event.ExecutorID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = send(l.conn, sayKill, ids)
	}
}

func (l *link) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = send(l.conn, sayHurry, struct{}{})
	}
}

func (l *link) tokens(data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = data
	if l.conn != nil {
		_ = send(l.conn, sayTokens, data)
	}
}

// stop lets the master report the end to YARN.
func (l *link) stop(ctx context.Context, diagnostics string) error {
	l.mu.Lock()
	c := l.conn
	l.mu.Unlock()
	if c == nil {
		return errors.New("there is no application master")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stopLimit, fmt.Errorf("the application master did not stop within %v", stopLimit))
	defer cancel()
	var none struct{}
	return call(ctx, c, sayStop, stopMessage{diagnostics}, &none)
}

const stopLimit = 15 * time.Second

func (l *link) close() { l.server.Close() }
