package standalone

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// Manager is an application's side of a standalone cluster. It implements cluster.Manager.
type Manager struct {
	masters []string
	secret  string
	program Program
	tls     *secure.TLS
	wrong   error // in the settings
	max     int   // cores of all executors; 0: no limit
	warn    func(string)
	base    context.Context
	stop    context.CancelFunc
	busy    sync.WaitGroup
	notify  func(cluster.Notice)

	mu      sync.Mutex
	started bool
	stopped bool
	peer    *Peer
	id      string
	desc    core.AppDesc
	level   int
	known   map[int]bool
	killed  map[int]bool // known ones whose end was asked for
	next    int          // greater than every id that was known
	first   time.Duration
}

// NewManager makes the manager of an application on the cluster of a spark:// master.
func NewManager(m cluster.Master, v *conf.Values) *Manager {
	out := &Manager{masters: m.Addresses, first: firstContact, known: map[int]bool{}, killed: map[int]bool{}, warn: func(s string) { fmt.Fprintln(os.Stderr, "WARN", s) }}
	if n, ok := v.Given("spark.cores.max"); ok {
		out.max, _ = strconv.Atoi(n) // settings were checked
	}
	if v.Bool("spark.authenticate") {
		out.secret = v.String("spark.authenticate.secret")
	}
	out.tls, out.wrong = secure.FromConf(v, secure.RPC)
	return out
}

// Start implements cluster.Manager.
func (m *Manager) Start(ctx context.Context, app cluster.App, notify func(cluster.Notice)) error {
	if m.wrong != nil {
		return m.wrong
	}
	m.mu.Lock()
	if m.started || m.stopped {
		m.mu.Unlock()
		return errors.New("the application was registered before")
	}
	m.started, m.notify = true, notify
	m.base, m.stop = context.WithCancel(context.Background())
	m.mu.Unlock()
	sealed, err := seal(m.secret, app.Secret)
	if err != nil {
		return err
	}
	bare := app
	bare.Secret = ""
	m.desc = core.AppDesc{Name: app.Name, User: app.User, CoresMax: m.max, CoresPer: app.Executor.Cores, Memory: app.Executor.Memory,
		SubmitMillis: time.Now().UnixMilli(), StartMillis: time.Now().UnixMilli(), Launch: core.Launch{AppID: string(app.ID), DriverURL: app.DriverURL,
			Binary: app.Executor.Binary, Memory: app.Executor.Memory, Overhead: app.Executor.Overhead, LocalDir: app.Conf["spark.local.dir"], Env: bare.Environment(), Sealed: sealed}}
	if err := m.connect(ctx, m.first, m.waiting); err != nil {
		return err
	}
	m.busy.Go(m.live)
	return nil
}

// connect registers the application at the master that leads, with what it has.
func (m *Manager) connect(ctx context.Context, most time.Duration, waiting func(retry, of int)) error {
	o := dialOptions{m.masters, secured(identity(m.secret, "application "+m.desc.Name, m.program), m.tls), &appHandler{m}}
	p, err := look(ctx, o, most, m.register, waiting)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.peer = p
	kill := core.AppKill{App: m.id, IDs: slices.Sorted(maps.Keys(m.killed))}
	if len(kill.IDs) > 0 {
		_ = p.tell(kill) // else they are told with the next connection
	}
	_ = p.tell(core.AppLevel{App: m.id, Total: m.level}) // it may have changed meanwhile
	return nil
}

// waitingEvery is how many retries pass between two words about a master that does not answer.
const waitingEvery = 10

// waiting says that the master does not answer: at once, and then now and again.
func (m *Manager) waiting(retry, of int) {
	if retry%waitingEvery == 1 {
		m.warn(fmt.Sprintf("waiting for master spark://%s, retry %d of %d", strings.Join(m.masters, ","), retry, of))
	}
}

func (m *Manager) register(ctx context.Context, p *Peer) error {
	m.mu.Lock()
	e := core.AppRegistered{ID: m.id, Desc: m.desc, Level: m.level, Known: slices.Sorted(maps.Keys(m.known)), Next: m.next}
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	r, err := p.ask(ctx, e)
	if err != nil {
		return fmt.Errorf("the master at %s did not take the application: %w", p.Master, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id = r.ID
	return nil
}

// live connects again when the connection breaks. The application goes on with what it has meanwhile.
func (m *Manager) live() {
	for {
		m.mu.Lock()
		peer := m.peer
		m.mu.Unlock()
		select {
		case <-m.base.Done():
			return
		case <-peer.Done():
		}
		m.warn("the connection to the master is lost, and made again: " + peer.Err().Error())
		for {
			err := m.connect(m.base, reconnect, func(int, int) {})
			if err == nil || m.base.Err() != nil {
				break
			}
			m.warn(err.Error())
			select {
			case <-m.base.Done():
			case <-time.After(5 * time.Second):
			}
		}
		if m.base.Err() != nil {
			return
		}
	}
}

// Scale implements cluster.Manager.
func (m *Manager) Scale(_ context.Context, total int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.level = total
	if m.peer == nil || m.stopped {
		return errors.New("the application is not registered")
	}
	_ = m.peer.tell(core.AppLevel{App: m.id, Total: total}) // else it is told with the next connection
	return nil
}

// Kill implements cluster.Manager.
func (m *Manager) Kill(_ context.Context, ids []event.ExecutorID) error {
	e := core.AppKill{}
	for _, id := range ids {
		if n, err := strconv.Atoi(string(id)); err == nil {
			e.IDs = append(e.IDs, n)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.peer == nil || m.stopped {
		return errors.New("the application is not registered")
	}
	e.App = m.id
	for _, id := range e.IDs {
		m.killed[id] = m.known[id]
	}
	maps.DeleteFunc(m.killed, func(_ int, known bool) bool { return !known })
	_ = m.peer.tell(e) // else they are told with the next connection
	return nil
}

// Stop implements cluster.Manager.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	first := m.started && !m.stopped
	m.stopped = true
	m.mu.Unlock()
	if !first {
		return nil
	}
	m.stop()
	m.busy.Wait()
	m.mu.Lock()
	peer := m.peer // that of now: it may have been made while this waited
	m.mu.Unlock()
	if peer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaveWait)
	defer cancel()
	_, err := peer.ask(ctx, core.AppStopped{App: m.id})
	peer.Close()
	var lost *rpc.ConnError
	if errors.As(err, &lost) {
		return nil // a master that is gone learns of it when it is back
	}
	return err
}

// appHandler takes the master's messages.
type appHandler struct{ m *Manager }

// Call refuses: masters ask nothing.
func (appHandler) Call(_ context.Context, _ *rpc.Conn, method string, _ []byte) ([]byte, error) {
	return nil, fmt.Errorf("an application knows no method %q", method)
}

// Receive takes news.
func (h appHandler) Receive(_ *rpc.Conn, _ string, body []byte) {
	if err := rpc.ReadBatch(codec, body, h.m.take); err != nil {
		h.m.warn("a message of the master cannot be read: " + err.Error())
	}
}

func (m *Manager) take(msg core.Message) {
	switch msg := msg.(type) {
	case core.ExecutorAdded:
		m.mu.Lock()
		m.known[msg.ID] = true
		m.next = max(m.next, msg.ID+1)
		m.mu.Unlock()
		m.tell(cluster.Launched{ID: execID(msg.ID), Host: msg.Host, Where: msg.Worker, Cores: msg.Cores, Memory: m.desc.Memory})
	case core.ExecutorGone:
		m.mu.Lock()
		delete(m.known, msg.ID)
		delete(m.killed, msg.ID)
		m.mu.Unlock()
		m.tell(cluster.Exited{ID: execID(msg.ID), Code: msg.Code, Reason: msg.Reason, PlatformFault: msg.Platform, HostLost: msg.Host, OutOfMemory: msg.OutOfMemory})
	case core.ExecutorLeaving:
		m.tell(cluster.Leaving{ID: execID(msg.ID), Grace: msg.Grace, Reason: msg.Reason})
	case core.AppRemoved:
		m.tell(cluster.Failed{Err: fmt.Errorf("Master removed our application: %s", msg.Reason)})
	case core.Warning:
		m.warn(msg.Text)
	}
}

func (m *Manager) tell(n cluster.Notice) {
	m.mu.Lock()
	over := m.stopped
	m.mu.Unlock()
	if !over {
		m.notify(n)
	}
}

func execID(n int) event.ExecutorID { return event.ExecutorID(strconv.Itoa(n)) }

var _ cluster.Manager = (*Manager)(nil)
