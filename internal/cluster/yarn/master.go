package yarn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// master is an application master: it hosts an allocator.
type master struct {
	conf   hadoop.Conf
	values *conf.Values
	user   *hadoop.User
	rm     *yarn.Master
	maker  *maker
	size   *yarn.Resource
	tell   func(cluster.Notice)
	// launched is told of each container that was given to an executor; nil: nobody is.
	launched func(id event.ExecutorID, container string)
	url      string // tracking URL while the application runs

	alloc *allocator // of the loop
	beat  struct{ slow, fast, now time.Duration }
	haste time.Time // until then it beats fast; of the loop

	cancel context.CancelCauseFunc
	work   sync.WaitGroup
	hands  chan struct{}
	wake   chan struct{}

	mu    sync.Mutex
	queue []func(*allocator)
	nodes map[string]*yarn.Node // by address
	total int                   // containers that were granted, for the report
}

// newMaster makes one; last is the number of the last executor of the master before it.
func newMaster(c hadoop.Conf, u *hadoop.User, v *conf.Values, mk *maker, last int, tell func(cluster.Notice)) *master {
	m := &master{conf: c, values: v, user: u, rm: yarn.NewMaster(c, u), maker: mk, size: executorSize(v, &mk.app.Executor), tell: tell,
		alloc: newAllocator(readLimits(v, c), last), wake: make(chan struct{}, 1), nodes: map[string]*yarn.Node{}}
	m.hands = make(chan struct{}, max(1, v.Int("spark.yarn.containerLauncherMaxThreads")))
	expiry := c.Duration("yarn.am.liveness-monitor.expiry-interval-ms", 10*time.Minute)
	m.beat.slow = max(10*time.Millisecond, min(v.Duration("spark.yarn.scheduler.heartbeat.interval-ms"), expiry/2))
	m.beat.fast = min(v.Duration("spark.yarn.scheduler.initial-allocation.interval"), m.beat.slow)
	m.beat.now = m.beat.fast
	return m
}

// start registers and begins to beat.
func (m *master) start(ctx context.Context) error {
	if err := m.register(ctx); err != nil {
		m.rm.Close()
		return err
	}
	base, cancel := context.WithCancelCause(context.Background())
	m.cancel = cancel
	m.work.Go(func() { m.loop(base) })
	return nil
}

func (m *master) register(ctx context.Context) error {
	host, _ := os.Hostname() // only shown by YARN
	r, err := m.rm.Register(ctx, host, -1, m.url)
	if err != nil {
		return fmt.Errorf("registering as application master: %w", err)
	}
	m.nodeTokens(r.Tokens)
	return nil
}

// renew makes executors that are started from now on have newer tokens.
func (m *master) renew(data []byte) {
	c, err := hadoop.ParseCredentials(data)
	if err == nil {
		err = hadoop.Renew(data)
	}
	if err != nil {
		slog.Warn("new delegation tokens cannot be read", "error", err)
		return
	}
	for alias, t := range c.Tokens {
		m.user.AddToken(alias, t)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.maker.tokens = credentials(m.user, nil, m.maker.app.Secret)
}

// post queues something for the allocator and beats at once.
func (m *master) post(f func(*allocator)) {
	m.mu.Lock()
	m.queue = append(m.queue, f)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *master) scale(total int) { m.post(func(a *allocator) { a.level = total }) }

func (m *master) kill(ids []event.ExecutorID) { m.post(func(a *allocator) { a.kill(ids) }) }

// hurryFor is how long the master beats fast when somebody waits for the reason of an executor's end: the NodeManager tells
// the ResourceManager with its own beat, of a second by default.
const hurryFor = 3 * time.Second

func (m *master) hurry() { m.post(func(*allocator) { m.haste = time.Now().Add(hurryFor) }) }

// leastPause keeps many commands in a row from becoming as many calls.
const leastPause = 20 * time.Millisecond

// loop beats until it is cancelled or YARN ends the attempt.
func (m *master) loop(ctx context.Context) {
	first := true
	for {
		var releases []*yarn.ContainerID
		m.apply(ctx, &releases)
		r, err := m.allocate(ctx, releases, first)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			m.tell(cluster.Failed{Err: fmt.Errorf("YARN: %w", err)})
			return
		}
		first = false
		m.take(ctx, r)
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
			select {
			case <-time.After(leastPause):
			case <-ctx.Done():
				return
			}
		case <-time.After(m.pause()):
		}
	}
}

// pause is the time to the next beat: short at first while containers are wanted, then longer and longer.
func (m *master) pause() time.Duration {
	if n, _ := m.alloc.want(); n > 0 {
		p := m.beat.now
		m.beat.now = min(2*p, m.beat.slow)
		return p
	}
	m.beat.now = m.beat.fast
	if time.Now().Before(m.haste) {
		return m.beat.fast
	}
	return m.beat.slow
}

// apply lets the allocator take what was queued, and carries out what it decides; releases go with the next beat.
func (m *master) apply(ctx context.Context, releases *[]*yarn.ContainerID) {
	m.mu.Lock()
	queue := m.queue
	m.queue = nil
	m.mu.Unlock()
	for _, f := range queue {
		f(m.alloc)
	}
	for _, x := range m.alloc.take() {
		switch x := x.(type) {
		case release:
			*releases = append(*releases, x.container)
		case startContainer:
			m.startContainer(ctx, x)
		case say:
			m.tell(x.notice)
		}
	}
}

// errShutdown says that YARN ended the attempt.
var errShutdown = errors.New("the ResourceManager ended this attempt")

// maxRegistrations bounds how often a beat may find that the ResourceManager has forgotten this master.
const maxRegistrations = 5

func (m *master) allocate(ctx context.Context, releases []*yarn.ContainerID, first bool) (*yarn.AllocateResponse, error) {
	for range maxRegistrations {
		req := &yarn.AllocateRequest{Release: releases, Progress: 0.1}
		n, tell := m.alloc.want()
		if tell {
			req.Ask = []*yarn.ResourceRequest{m.ask(n)}
		}
		if hosts := list(m.values.String("spark.yarn.exclude.nodes")); first && len(hosts) > 0 {
			req.Blacklist = &yarn.Blacklist{Add: hosts}
		}
		r, err := m.rm.Allocate(ctx, req)
		switch {
		case errors.Is(err, yarn.NoSuchAttempt) || err == nil && r.Command == yarn.CommandShutdown:
			return nil, errShutdown
		case errors.Is(err, yarn.NotRegistered) || err == nil && r.Command == yarn.CommandResync:
			if err := m.register(ctx); err != nil {
				return nil, err
			}
			m.alloc.restarted()
			first = true
			continue
		case err != nil:
			return nil, err
		}
		if tell {
			m.alloc.told(n)
		}
		return r, nil
	}
	return nil, errors.New("the ResourceManager forgets this application master again and again")
}

// requestPriority and requestID are the same for all executors: they are all alike.
const requestPriority, requestID = 1, 0

func (m *master) ask(n int) *yarn.ResourceRequest {
	return &yarn.ResourceRequest{Priority: &yarn.Priority{Priority: requestPriority}, Place: "*", Capability: m.size, Count: int32(n),
		RelaxLocality: true, NodeLabel: m.values.String("spark.yarn.executor.nodeLabelExpression"), RequestID: requestID}
}

// take lets the allocator take an answer.
func (m *master) take(ctx context.Context, r *yarn.AllocateResponse) {
	m.nodeTokens(r.Tokens)
	now := time.Now()
	m.alloc.nodes(r.Nodes)
	m.alloc.completed(now, r.Completed)
	m.alloc.granted(r.Allocated)
	m.alloc.preempt(r.Preempt.Containers())
	var releases []*yarn.ContainerID
	m.apply(ctx, &releases)
	for _, id := range releases { // with the next beat
		m.post(func(a *allocator) { a.do(release{id}) })
	}
}

// nodeTokens keeps NodeManagers' tokens: they come once, with the first container on a node, and again after a change.
func (m *master) nodeTokens(tokens []*yarn.NodeToken) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range tokens {
		if t.Node == nil || t.Token == nil {
			continue
		}
		if old := m.nodes[t.Node.Addr()]; old != nil {
			m.work.Go(old.Close)
		}
		m.nodes[t.Node.Addr()] = yarn.NewNode(m.conf, t.Node.Addr(), t.Token)
	}
}

// startLimit is how long the start of a container may take before it is given up.
const startLimit = time.Minute

// startContainer starts an executor's container.
func (m *master) startContainer(ctx context.Context, x startContainer) {
	m.mu.Lock()
	node := m.nodes[x.container.Node.Addr()]
	launch := m.maker.executor(x.id, x.container)
	m.mu.Unlock()
	if m.launched != nil {
		m.launched(x.id, x.container.ID.String())
	}
	m.work.Go(func() {
		select {
		case m.hands <- struct{}{}:
			defer func() { <-m.hands }()
		case <-ctx.Done():
			return
		}
		err := fmt.Errorf("YARN gave no token for node %s", x.container.Node.Addr())
		if node != nil {
			limited, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not started within %v", startLimit))
			defer cancel()
			err = node.Start(limited, x.container, launch)
		}
		m.post(func(a *allocator) { a.launched(time.Now(), x.container.ID.ID, err) })
	})
}

// stop ends the loop. What was granted ends when YARN hears of the application's end.
func (m *master) stop() {
	if m.cancel != nil {
		m.cancel(errors.New("the application master is stopped"))
	}
	m.work.Wait()
	m.mu.Lock()
	nodes := m.nodes
	m.nodes = map[string]*yarn.Node{}
	m.mu.Unlock()
	for _, n := range nodes {
		n.Close()
	}
}

// finish stops and reports the application's end.
func (m *master) finish(ctx context.Context, final int32, diagnostics string) error {
	m.stop()
	defer m.rm.Close()
	attempt := int32(1) // an unmanaged master has no container and only one attempt
	if id, err := yarn.ParseContainerID(os.Getenv("CONTAINER_ID")); err == nil {
		attempt = id.Attempt.Attempt
	}
	return m.rm.Finish(ctx, final, diagnostics, pastURL(m.values, m.conf, m.maker.app.ID, attempt))
}
