package mesos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// Manager runs executors as tasks of a Mesos cluster. It is a cluster.Manager.
type Manager struct {
	target string
	client *client
	notify func(cluster.Notice)

	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	queue  []any  // events for the scheduler
	calls  []call // that are to be sent
	awake  chan struct{}
	toSend chan struct{}
	first  chan error // how the first subscription went
	begun  bool
	closed bool
	// useless: the master did not take the framework.
	useless bool
}

var _ cluster.Manager = (*Manager)(nil)

// The limits of waits.
const (
	// firstContact is how long a master that does not answer is tried when the application starts.
	firstContact = 30 * time.Second
	backoff      = 500 * time.Millisecond
	backoffMost  = 15 * time.Second
)

var (
	errStopped = errors.New("the cluster manager was stopped")
	errStale   = errors.New("the Mesos master does not know this connection any more")
)

// New makes the manager for the target of a master URL mesos://…
func New(target string) *Manager {
	return &Manager{target: target, awake: make(chan struct{}, 1), toSend: make(chan struct{}, 1), first: make(chan error, 1)}
}

// Start subscribes the application at the master.
func (m *Manager) Start(ctx context.Context, app cluster.App, notify func(cluster.Notice)) error {
	m.notify = notify
	v := conf.NewValues(app.Conf)
	master, err := parseTarget(m.target)
	if err != nil {
		return err
	}
	if err := checkSettings(v); err != nil {
		return err
	}
	l, err := readLimits(v, &app)
	if err != nil {
		return err
	}
	who, err := readLogin(v)
	if err != nil {
		return err
	}
	f, err := framework(v, &app, who.principal)
	if err != nil {
		return err
	}
	info, err := template(v, app)
	if err != nil {
		return err
	}
	m.client = newClient(master, who)
	if f.ID != nil {
		m.client.id = f.ID.Value
	}
	if !m.begin(newScheduler(l, string(app.ID)+".", info), f) {
		return errStopped
	}
	select {
	case err := <-m.first:
		m.mu.Lock()
		m.useless = err != nil
		m.mu.Unlock()
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-m.ctx.Done():
		return context.Cause(m.ctx)
	}
}

func (m *Manager) begin(s *scheduler, f frameworkInfo) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.begun = true
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.work.Go(func() { m.loop(s) })
	m.work.Go(m.sendAll)
	m.work.Go(func() { m.follow(f) })
	return true
}

// Scale asks for so many executors.
func (m *Manager) Scale(_ context.Context, total int) error { return m.ask(scaled{total}) }

// Kill ends executors.
func (m *Manager) Kill(_ context.Context, ids []event.ExecutorID) error { return m.ask(killed{ids}) }

// errNotStarted is the error of a wish before the manager has begun, or after it has failed to.
var errNotStarted = errors.New("the cluster manager was not started")

// ask queues a wish of the driver, if there is somebody to fulfil it.
func (m *Manager) ask(wish any) error {
	m.mu.Lock()
	begun, closed := m.begun && !m.useless, m.closed
	m.mu.Unlock()
	switch {
	case closed:
		return errStopped
	case !begun:
		return errNotStarted
	}
	m.post(wish)
	return nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// post queues an event for the scheduler.
func (m *Manager) post(e any) {
	m.mu.Lock()
	m.queue = append(m.queue, e)
	m.mu.Unlock()
	wake(m.awake)
}

func (m *Manager) take() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queue
	m.queue = nil
	return q
}

// loop feeds the scheduler and carries out what it decides.
func (m *Manager) loop(s *scheduler) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-m.awake:
		case <-timer.C:
		}
		now := time.Now()
		for _, e := range append(m.take(), ticked{}) {
			for _, a := range s.step(now, e) {
				m.act(a)
			}
		}
		if at := s.wake(); !at.IsZero() {
			timer.Reset(max(time.Until(at), 10*time.Millisecond))
		}
	}
}

func (m *Manager) act(action any) {
	switch a := action.(type) {
	case notify:
		m.notify(a.notice)
	case warn:
		slog.Warn("mesos: " + a.text)
	case call:
		m.mu.Lock()
		m.calls = append(m.calls, a)
		m.mu.Unlock()
		wake(m.toSend)
	}
}

// sendAll sends calls, one after the other.
func (m *Manager) sendAll() {
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-m.toSend:
		}
		m.mu.Lock()
		calls := m.calls
		m.calls = nil
		m.mu.Unlock()
		for _, c := range calls {
			m.send(c)
		}
	}
}

// attempts is how often a call is sent if no answer comes. All calls may come twice: the master drops what it knows.
const attempts = 2

func (m *Manager) send(c call) {
	var err error
	for range attempts {
		err = m.client.send(m.ctx, c)
		var status *StatusError
		if err == nil || m.ctx.Err() != nil || errors.Is(err, errNoStream) || errors.As(err, &status) {
			break
		}
	}
	if err == nil || m.ctx.Err() != nil {
		return
	}
	slog.Warn("mesos: a call was not delivered", "call", c.Type, "error", err)
	var status *StatusError
	if errors.As(err, &status) && status.final() {
		m.client.interrupt(errStale)
	}
	m.post(unsent{c})
}

// follow keeps a stream of events, until it is no use.
func (m *Manager) follow(f frameworkInfo) {
	begin := time.Now()
	pause := backoff
	known := m.client.framework() != "" // the framework may have executors
	started, over := false, false
	for m.ctx.Err() == nil {
		streaming := false
		err := m.client.subscribe(m.ctx, f, func(e received) {
			switch {
			case e.Subscribed != nil:
				slog.Debug("mesos: subscribed", "framework", e.Subscribed.FrameworkID.Value)
				m.post(subscribed{known})
				streaming, known, started = true, true, true
				pause = backoff
				m.answerStart(nil)
			case e.Error != nil:
				over = true
				m.answerStart(fmt.Errorf("the Mesos master refused the framework: %s", e.Error.Message))
			}
			m.post(e)
		})
		if streaming {
			m.post(broken{})
		}
		var status *StatusError
		final := errors.As(err, &status) && status.final()
		switch {
		case m.ctx.Err() != nil || over || m.leaving():
			return
		case final || !started && time.Since(begin) > firstContact:
			if started {
				m.post(received{Error: &errorMsg{err.Error()}})
			}
			m.answerStart(err)
			return
		case streaming:
			slog.Warn("mesos: the connection to the master is lost, and made again", "error", err)
		}
		select {
		case <-m.ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, backoffMost)
	}
}

func (m *Manager) leaving() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// answerStart tells Start how the first subscription went.
func (m *Manager) answerStart(err error) {
	select {
	case m.first <- err:
	default:
	}
}

// teardownLimit bounds the wait for the master when the application ends.
const teardownLimit = 5 * time.Second

// Stop takes the framework off the cluster: the master ends all that is left of it.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	begun, first := m.begun, !m.closed
	m.closed = true
	m.mu.Unlock()
	if !begun || !first {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, teardownLimit)
	defer cancel()
	err := m.client.send(ctx, call{Type: "TEARDOWN"})
	m.cancel(errStopped)
	m.work.Wait()
	m.client.close()
	if errors.Is(err, errNoStream) {
		return nil // a master that is gone, or that removed it, has nothing to take away
	}
	return err
}
