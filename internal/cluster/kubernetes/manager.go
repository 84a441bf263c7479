package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// Manager runs executors as pods. It is a cluster.Manager.
type Manager struct {
	target    string
	conf      *conf.Values
	notify    func(cluster.Notice)
	*launcher // nil until Start

	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup // everything that runs; the loop and the watch, and what they start
	hands  chan struct{}  // requests at the same time

	mu     sync.Mutex
	queue  []any
	awake  chan struct{}
	begun  bool
	closed bool
}

var _ cluster.Manager = (*Manager)(nil)

// parallelRequests bounds what a Manager asks of the API server at the same time.
const parallelRequests = 8

// New gives a manager for the API server at a URL, the target of a master URL k8s://…
func New(target string) *Manager {
	return &Manager{target: target, awake: make(chan struct{}, 1), hands: make(chan struct{}, parallelRequests)}
}

var errStopped = errors.New("the cluster manager was stopped")

// Start connects, makes the Secret of the application if it has a secret, and begins to watch.
func (m *Manager) Start(ctx context.Context, app cluster.App, notify func(cluster.Notice)) error {
	m.notify, m.conf = notify, conf.NewValues(app.Conf)
	cfg, err := connection(m.conf, m.target, m.authPrefix())
	if err != nil {
		return err
	}
	limit := time.Duration(m.conf.Int("spark.kubernetes.driver.requestTimeout")) * time.Millisecond
	c, err := newClient(cfg, m.conf.String("spark.kubernetes.namespace"), limit)
	if err != nil {
		return fmt.Errorf("kubernetes: %w", err)
	}
	l, err := readLimits(m.conf)
	if err != nil {
		return err
	}
	if m.launcher, err = newLauncher(ctx, c, m.conf, app); err != nil {
		c.close()
		return err
	}
	m.begin(newFleet(l))
	return nil
}

// authPrefix: a driver that a submission started finds its credentials under another prefix than one on a user's machine.
func (m *Manager) authPrefix() string {
	if m.conf.Bool("spark.kubernetes.submitInDriver") {
		return authDriver
	}
	return authClient
}

func (m *Manager) begin(f *fleet) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.begun = true
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.work.Go(func() { m.loop(f) })
	m.work.Go(m.follow)
}

func readLimits(v *conf.Values) (limits, error) {
	l := limits{
		batch: int(v.Int("spark.kubernetes.allocation.batch.size")), delay: v.Duration("spark.kubernetes.allocation.batch.delay"),
		maxDelay: time.Minute, maxPending: int(v.Int("spark.kubernetes.allocation.maxPendingPods")),
		maximum:        int(v.Int("spark.kubernetes.allocation.maximum")),
		pendingTimeout: v.Duration("spark.kubernetes.allocation.executor.timeout"), stuckTimeout: time.Minute,
		maxFailures: int(v.Int("spark.executor.maxNumFailures")), failureWindow: v.Duration("spark.executor.failuresValidityInterval"),
		keep: !v.Bool("spark.kubernetes.executor.deleteOnTermination"), patient: v.Bool("spark.kubernetes.driver.waitToReusePersistentVolumeClaim"),
	}
	for key, n := range map[string]int{
		"spark.kubernetes.allocation.batch.size": l.batch, "spark.kubernetes.allocation.batch.delay": int(l.delay),
		"spark.kubernetes.allocation.maxPendingPods": l.maxPending, "spark.kubernetes.allocation.maximum": l.maximum,
	} {
		if n <= 0 {
			return l, invalid(key, v.String(key), "must be positive")
		}
	}
	if a := v.String("spark.kubernetes.allocation.pods.allocator"); a != "direct" {
		return l, invalid("spark.kubernetes.allocation.pods.allocator", a, "is not supported: pods are allocated directly")
	}
	l.stuckTimeout = min(l.stuckTimeout, l.pendingTimeout)
	return l, nil
}

// Scale asks for so many executors.
func (m *Manager) Scale(_ context.Context, total int) error { return m.ask(scaled{total}) }

// Kill deletes executors' pods.
func (m *Manager) Kill(_ context.Context, ids []event.ExecutorID) error { return m.ask(killed{ids}) }

// errNotStarted is the error of a wish before the manager has begun, or after it has failed to.
var errNotStarted = errors.New("the cluster manager was not started")

// ask queues a wish of the driver, if there is somebody to fulfil it.
func (m *Manager) ask(wish any) error {
	m.mu.Lock()
	begun, closed := m.begun, m.closed
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

// post queues events for the loop.
func (m *Manager) post(events ...any) {
	m.mu.Lock()
	m.queue = append(m.queue, events...)
	m.mu.Unlock()
	select {
	case m.awake <- struct{}{}:
	default:
	}
}

func (m *Manager) take() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queue
	m.queue = nil
	return q
}

// loop feeds the fleet and carries out what it decides.
func (m *Manager) loop(f *fleet) {
	timer := time.NewTimer(0)
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
			for _, a := range f.step(now, e) {
				m.act(a)
			}
		}
		if at := f.wake(); !at.IsZero() {
			timer.Reset(max(time.Until(at), 10*time.Millisecond))
		}
	}
}

func (m *Manager) act(action any) {
	switch a := action.(type) {
	case notify:
		if x, ok := a.notice.(cluster.Exited); ok {
			m.free(x.ID) // its successor, which may be asked for next, can have its claims
		}
		m.notify(a.notice)
	case warn:
		slog.Warn("kubernetes: " + a.text)
	case createPod:
		m.request(func(ctx context.Context) { m.post(m.tryCreate(ctx, a.id)) })
	case deletePod:
		m.request(func(ctx context.Context) { m.report("delete the pod of executor "+string(a.id), m.remove(ctx, a.id)) })
	case retirePod:
		m.request(func(ctx context.Context) { m.report("label the pod of executor "+string(a.id), m.retire(ctx, a.id)) })
	}
}

// request runs f in the background, when a hand is free. What was begun is not cut off at the end: the server might carry
// out a request after its sender has given up, and what it makes then would be left behind.
func (m *Manager) request(f func(ctx context.Context)) {
	m.work.Go(func() {
		select {
		case m.hands <- struct{}{}:
			defer func() { <-m.hands }()
			f(context.WithoutCancel(m.ctx))
		case <-m.ctx.Done():
		}
	})
}

func (m *Manager) report(what string, err error) {
	if err != nil && m.ctx.Err() == nil {
		slog.Warn("kubernetes: could not "+what, "error", err)
	}
}

func (m *Manager) tryCreate(ctx context.Context, id event.ExecutorID) created {
	err := m.launch(ctx, id)
	if err == nil {
		return created{id: id}
	}
	c := created{id: id, refusal: err}
	var status apierrors.APIStatus
	c.unknown = !errors.As(err, &status) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsInternalError(err)
	if s, ok := apierrors.SuggestsClientDelay(err); ok {
		c.retry = time.Duration(s) * time.Second
	}
	return c
}

// follow lists the executor pods and watches them from there, again and again: after the polling interval, and whenever
// the watch ends, such as by 410 Gone.
func (m *Manager) follow() {
	poll := m.conf.Duration("spark.kubernetes.executor.apiPollingInterval")
	if !m.conf.Bool("spark.kubernetes.executor.enableApiPolling") {
		poll = time.Hour
	}
	watching := m.conf.Bool("spark.kubernetes.executor.enableApiWatcher")
	failures := 0
	for m.ctx.Err() == nil {
		version, err := m.relist()
		if err == nil && watching {
			err = m.watch(version, poll)
		} else if err == nil {
			m.sleep(poll)
		}
		if err == nil {
			failures = 0
			continue
		}
		if failures++; failures > 1 { // one is a watch that ended
			m.report("follow the executor pods", err)
		}
		m.sleep(min(200*time.Millisecond<<min(failures-1, 8), 30*time.Second))
	}
}

func (m *Manager) sleep(d time.Duration) {
	select {
	case <-m.ctx.Done():
	case <-time.After(d):
	}
}

func (m *Manager) relist() (version string, err error) {
	asked := time.Now()
	o := metav1.ListOptions{LabelSelector: m.selector()}
	if m.conf.Bool("spark.kubernetes.executor.enablePollingWithResourceVersion") {
		o.ResourceVersion = "0"
	}
	l, err := m.client.pods.list(m.ctx, o)
	if err != nil {
		return "", err
	}
	e := listed{asked: asked}
	if o.ResourceVersion == "0" {
		e.asked = asked.Add(-m.conf.Duration("spark.kubernetes.executor.missingPodDetectDelta")) // a cache may be late
	}
	for i := range l.Items {
		e.pods = append(e.pods, m.describe(&l.Items[i]))
	}
	m.post(e)
	return l.ResourceVersion, nil
}

// watch tells what happens after a version, for at most a time.
func (m *Manager) watch(version string, for_ time.Duration) error {
	ctx, cancel := context.WithTimeout(m.ctx, for_)
	defer cancel()
	w, err := m.client.pods.watch(ctx, metav1.ListOptions{LabelSelector: m.selector(), ResourceVersion: version})
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.ResultChan():
			if !ok {
				if ctx.Err() != nil {
					return nil
				}
				return errors.New("the watch was closed")
			}
			if err := m.seen(string(e.Type), e.Object); err != nil {
				return err
			}
		}
	}
}

func (m *Manager) seen(kind string, o any) error {
	p, ok := o.(*corev1.Pod)
	if !ok {
		if s, ok := o.(*metav1.Status); ok {
			return &apierrors.StatusError{ErrStatus: *s}
		}
		return fmt.Errorf("the watch told %s of a %T", kind, o)
	}
	d := m.describe(p)
	if kind == "DELETED" && d.phase != ended {
		m.post(vanished{d.id})
	} else {
		m.post(observed{d})
	}
	return nil
}

// Stop deletes everything that was created, and waits for what runs.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	begun, first := m.begun, !m.closed
	m.closed = true
	m.mu.Unlock()
	if begun {
		m.cancel(errStopped)
		m.work.Wait() // requests end with the context
	}
	if m.launcher == nil || !first {
		return nil
	}
	defer m.client.close()
	return m.clear(ctx)
}
