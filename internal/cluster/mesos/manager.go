package mesos

import (
	"context"
	"errors"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// Manager runs executors as tasks of a Mesos cluster. It is a cluster.Manager.
type Manager struct {
	target string
	host
}

var _ cluster.Manager = (*Manager)(nil)

// New makes the manager for the target of a master URL mesos://…
func New(target string) *Manager { return &Manager{target: target, host: newHost()} }

// Start subscribes the application at the master.
func (m *Manager) Start(ctx context.Context, app cluster.App, tell func(cluster.Notice)) error {
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
	m.client, m.decide = newClient(master, who), newScheduler(l, string(app.ID)+".", info)
	m.perform = func(action any) { tell(action.(notify).notice) }
	return m.start(ctx, f)
}

// Scale asks for so many executors.
func (m *Manager) Scale(_ context.Context, total int) error { return m.ask(scaled{total}) }

// Kill ends executors.
func (m *Manager) Kill(_ context.Context, ids []event.ExecutorID) error { return m.ask(killed{ids}) }

// teardownLimit bounds the wait for the master when the application ends.
const teardownLimit = 5 * time.Second

// Stop takes the framework off the cluster: the master ends all that is left of it.
func (m *Manager) Stop(ctx context.Context) error {
	if !m.end() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, teardownLimit)
	defer cancel()
	err := m.client.send(ctx, call{Type: "TEARDOWN"})
	m.leave()
	if errors.Is(err, errNoStream) {
		return nil // a master that is gone, or that removed it, has nothing to take away
	}
	return err
}
