package mesos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// decider decides what a framework does: events with the time in, calls and other actions out.
type decider interface {
	step(now time.Time, e any) []any
	// wake is when it wants to be ticked at the latest; zero if it waits for events only.
	wake() time.Time
}

// host keeps a framework at a master: one goroutine feeds the decider, one keeps the stream of events, and one sends the
// calls in the order in which they were made.
type host struct {
	client  *client
	decide  decider
	perform func(action any) // what is neither call nor warn

	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	queue  []any  // events for the decider
	calls  []call // that are to be sent
	awake  chan struct{}
	toSend chan struct{}
	first  chan error // how the first subscription went
	begun  bool
	closed bool
	// useless: the master did not take the framework.
	useless bool
}

func newHost() host {
	return host{awake: make(chan struct{}, 1), toSend: make(chan struct{}, 1), first: make(chan error, 1)}
}

// The limits of waits.
const (
	// firstContact is how long a master that does not answer is tried when the framework starts.
	firstContact = 30 * time.Second
	backoff      = 500 * time.Millisecond
	backoffMost  = 15 * time.Second
)

var (
	errStopped    = errors.New("the cluster manager was stopped")
	errNotStarted = errors.New("the cluster manager was not started") // a wish before the begin, or after it has failed
	errStale      = errors.New("the Mesos master does not know this connection any more")
)

// start begins the framework and waits until a master has taken it.
func (m *host) start(ctx context.Context, f frameworkInfo) error {
	if f.ID != nil {
		m.client.id = f.ID.Value
	}
	if !m.begin(f) {
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

func (m *host) begin(f frameworkInfo) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.begun = true
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.work.Go(m.loop)
	m.work.Go(m.sendAll)
	m.work.Go(func() { m.follow(f) })
	return true
}

// end says whether the framework had begun and ends now for the first time.
func (m *host) end() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.begun && !m.closed
	m.closed = true
	return was
}

// leave ends the connection and waits for all that runs.
func (m *host) leave() {
	m.cancel(errStopped)
	m.work.Wait()
	m.client.close()
}

// ask queues a wish, if there is somebody to fulfil it.
func (m *host) ask(wish any) error {
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

// post queues an event for the decider.
func (m *host) post(e any) {
	m.mu.Lock()
	m.queue = append(m.queue, e)
	m.mu.Unlock()
	wake(m.awake)
}

func (m *host) take() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queue
	m.queue = nil
	return q
}

// loop feeds the decider and carries out what it decides.
func (m *host) loop() {
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
			for _, a := range m.decide.step(now, e) {
				m.act(a)
			}
		}
		if at := m.decide.wake(); !at.IsZero() {
			timer.Reset(max(time.Until(at), 10*time.Millisecond))
		}
	}
}

func (m *host) act(action any) {
	switch a := action.(type) {
	case warn:
		slog.Warn("mesos: " + a.text)
	case call:
		m.mu.Lock()
		m.calls = append(m.calls, a)
		m.mu.Unlock()
		wake(m.toSend)
	default:
		m.perform(a)
	}
}

// sendAll sends calls, one after the other.
func (m *host) sendAll() {
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

func (m *host) send(c call) {
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
func (m *host) follow(f frameworkInfo) {
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

func (m *host) leaving() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// answerStart tells Start how the first subscription went.
func (m *host) answerStart(err error) {
	select {
	case m.first <- err:
	default:
	}
}
