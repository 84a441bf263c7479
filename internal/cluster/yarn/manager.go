package yarn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/delegation"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Manager gives an application executors that are YARN's containers. It is a cluster.Manager.
type Manager struct {
	v      *conf.Values
	client *client // nil where the driver runs in the application master's container
	spec   *spec   // of such a driver
	notify func(cluster.Notice)

	keeper  *delegation.Keeper // of delegation tokens; nil: there is nothing to keep
	staging *staging
	link    *link   // client mode: to the application master in its container
	master  *master // the application master, where it is this process
	cancel  context.CancelFunc
	watch   sync.WaitGroup

	mu        sync.Mutex
	submitted bool
	failed    error
	stopped   bool
}

var (
	_ cluster.Manager  = (*Manager)(nil)
	_ cluster.Preparer = (*Manager)(nil)
	_ cluster.Inquirer = (*Manager)(nil)
)

// New makes a manager with the application's settings.
func New(v *conf.Values) *Manager { return &Manager{v: v} }

// Prepare gets the application's id, and the address at which the cluster reaches this machine.
func (m *Manager) Prepare(ctx context.Context) (cluster.Prepared, error) {
	if name := os.Getenv(SpecEnv); name != "" {
		sp, err := readSpec(name)
		if err != nil {
			return cluster.Prepared{}, err
		}
		m.spec = sp
		out := cluster.Prepared{ID: event.AppID(sp.App), Host: os.Getenv("NM_HOST"), Carries: true}
		if id, err := yarn.ParseContainerID(os.Getenv("CONTAINER_ID")); err == nil {
			out.Attempt = strconv.Itoa(int(id.Attempt.Attempt))
		}
		return out, nil
	}
	c, err := newClient(ctx, m.v)
	if err != nil {
		return cluster.Prepared{}, err
	}
	m.client = c
	return cluster.Prepared{ID: event.AppID(c.id.String()), Host: c.hostFor(), Carries: true}, nil
}

// Start submits the application and waits for its master; a driver in the master's container becomes the master.
func (m *Manager) Start(ctx context.Context, app cluster.App, notify func(cluster.Notice)) error {
	m.notify = func(n cluster.Notice) {
		m.mu.Lock()
		if f, ok := n.(cluster.Failed); ok && m.failed == nil {
			m.failed = f.Err
		}
		m.mu.Unlock()
		notify(n)
	}
	if m.client == nil && m.spec == nil {
		if _, err := m.Prepare(ctx); err != nil {
			return err
		}
	}
	if m.spec != nil {
		return m.startInside(ctx, app)
	}
	return m.startOutside(ctx, app)
}

// startInside is cluster mode: this process runs in the application master's container.
func (m *Manager) startInside(ctx context.Context, app cluster.App) error {
	c, err := hadoop.LoadConf(m.v.All())
	if err != nil {
		return err
	}
	u, err := hadoop.CurrentUser(c)
	if err != nil {
		return err
	}
	sp := *m.spec
	if sp.Binary, err = executorCommand(m.spec); err != nil {
		return err
	}
	return m.begin(ctx, c, u, app, &sp)
}

// executorCommand is what executors of a driver in the application master's container run: firesteel where that is the driver,
// else the application's program, as a Go program is driver and executor itself.
func executorCommand(sp *spec) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, command := range []string{sp.Binary, sp.command()} {
		file, err := filepath.EvalSymlinks(command)
		if err != nil {
			continue // a program may be no file here
		}
		if there, err := filepath.EvalSymlinks(self); err == nil && file == there {
			return command, nil
		}
	}
	return "", fmt.Errorf("the driver %s is neither firesteel nor the application that was submitted", self)
}

// begin makes this process the application master.
func (m *Manager) begin(ctx context.Context, c hadoop.Conf, u *hadoop.User, app cluster.App, sp *spec) error {
	resources, err := launchResources(sp.Resources)
	if err != nil {
		return err
	}
	mk := &maker{app: app, binary: sp.Binary, python: sp.Python, resources: resources, tokens: credentials(u, nil, app.Secret)}
	ms := newMaster(c, u, m.v, mk, 0, m.notify)
	ms.url = app.UI
	if err := ms.start(ctx); err != nil {
		return err
	}
	m.master = ms
	m.keep(c, sp.Staging)
	return nil
}

// startOutside is client mode.
func (m *Manager) startOutside(ctx context.Context, app cluster.App) error {
	c := m.client
	app.User = c.user.Short() // as YARN knows the user: by a keytab, or whom --proxy-user names
	if err := c.check(false, &app.Executor); err != nil {
		return err
	}
	s, err := newStaging(ctx, m.v, c.conf, c.user, c.id)
	if err != nil {
		return err
	}
	m.staging = s
	sp, err := stage(ctx, c, s, app.Executor.Binary)
	if err != nil {
		return err
	}
	if m.v.Bool("spark.yarn.unmanagedAM.enabled") {
		return m.startUnmanaged(ctx, app, sp)
	}
	if m.link, sp.Driver, err = newLink(m.v, app, m.notify); err != nil {
		return err
	}
	if err := s.spec(ctx, sp); err != nil {
		return err
	}
	launch, err := c.masterLaunch(s, sp, app.Secret)
	if err != nil {
		return err
	}
	if err := m.submit(ctx, launch); err != nil {
		return err
	}
	m.keep(c.conf, s.root)
	return m.await(ctx, m.link.ready)
}

func (m *Manager) submit(ctx context.Context, launch *yarn.Launch) error {
	m.mu.Lock()
	m.submitted = true
	m.mu.Unlock()
	if err := m.client.rm.Submit(ctx, m.client.submission(false, launch)); err != nil {
		return fmt.Errorf("submitting %s: %w", m.client.id, err)
	}
	return nil
}

// await waits for the master, or for the application's early end, and watches the application from then on.
func (m *Manager) await(ctx context.Context, ready <-chan struct{}) error {
	base, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	ended := make(chan error, 1)
	m.watch.Go(func() {
		r, err := m.client.follow(base, io.Discard)
		if base.Err() != nil {
			return
		}
		if err == nil {
			if err = outcome(r); err == nil {
				err = &EndedError{m.client.id.String(), r.FinalName(), "its application master ended it"}
			}
		}
		ended <- err
		m.notify(cluster.Failed{Err: err})
	})
	select {
	case <-ready:
		return nil
	case err := <-ended:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the application master of %s: %w", m.client.id, context.Cause(ctx))
	}
}

// startUnmanaged makes the driver the application master, without a container.
func (m *Manager) startUnmanaged(ctx context.Context, app cluster.App, sp *spec) error {
	c := m.client
	if c.conf.Kerberos() { // the ResourceManager gives the token to users whose full name is their short one
		return sparkerr.Unsupported("spark.yarn.unmanagedAM.enabled with Kerberos")
	}
	if err := m.submit(ctx, nil); err != nil {
		return err
	}
	token, err := c.masterToken(ctx)
	if err != nil {
		return err
	}
	u := &hadoop.User{Name: c.user.Name}
	for alias, t := range c.user.Credentials().Tokens {
		u.AddToken(alias, t)
	}
	u.AddToken(hadoop.KindAMRM, token)
	sp.Resources, sp.Staging = m.staging.all, m.staging.root
	if err := m.begin(ctx, c.conf, u, app, sp); err != nil {
		return err
	}
	done := make(chan struct{})
	close(done)
	return m.await(ctx, done)
}

// masterToken waits until the ResourceManager gives the token of an unmanaged master.
func (c *client) masterToken(ctx context.Context) (*hadoop.Token, error) {
	for {
		r, err := c.rm.Report(ctx, c.id)
		if err != nil {
			return nil, err
		}
		if r.Ended() {
			return nil, outcome(r)
		}
		if r.AMRMToken != nil {
			return r.AMRMToken, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// stage uploads what all containers need.
func stage(ctx context.Context, c *client, s *staging, binary string) (*spec, error) {
	sp := &spec{App: c.id.String(), Name: c.v.String("spark.app.name"), Keep: c.v.Bool("spark.yarn.preserve.staging.files"),
		Attempts: attempts(c.v, c.conf), Conf: maps.Clone(c.v.All())}
	delete(sp.Conf, "spark.authenticate.secret") // it is among the credentials
	var err error
	if sp.Binary, err = s.binary(ctx, c.v, binary); err != nil {
		return nil, err
	}
	if err := s.hadoopConf(ctx, c.conf); err != nil {
		return nil, err
	}
	if sp.Python, err = s.files(ctx, c.v); err != nil {
		return nil, err
	}
	return sp, c.tokens(ctx, s.root)
}

// Errors of requests at the wrong time.
var (
	errNotStarted = errors.New("the YARN cluster manager is not started")
	errStopped    = errors.New("the YARN cluster manager is stopped")
)

// asked carries out a request where the application master is.
func (m *Manager) asked(here func(*master), there func(*link)) error {
	m.mu.Lock()
	stopped := m.stopped
	m.mu.Unlock()
	switch {
	case stopped:
		return errStopped
	case m.master != nil:
		here(m.master)
	case m.link != nil:
		there(m.link)
	default:
		return errNotStarted
	}
	return nil
}

// Scale implements cluster.Manager.
func (m *Manager) Scale(_ context.Context, total int) error {
	return m.asked(func(x *master) { x.scale(total) }, func(l *link) { l.scale(total) })
}

// Kill implements cluster.Manager.
func (m *Manager) Kill(_ context.Context, ids []event.ExecutorID) error {
	return m.asked(func(x *master) { x.kill(ids) }, func(l *link) { l.kill(ids) })
}

// Inquire implements cluster.Inquirer.
func (m *Manager) Inquire(event.ExecutorID) {
	_ = m.asked((*master).hurry, (*link).hurry) // nobody waits for a reason before the start or after the end
}

// Stop implements cluster.Manager: the application ends well, unless it was said to have failed.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	if m.stopped {
		m.mu.Unlock()
		return nil
	}
	m.stopped = true
	submitted, failed := m.submitted, m.failed
	m.mu.Unlock()
	if m.keeper != nil {
		m.keeper.Stop()
	}
	if m.cancel != nil {
		m.cancel()
	}
	m.watch.Wait()
	var errs []error
	switch {
	case m.spec != nil:
		if m.master != nil { // the container's first process reports the end
			m.master.stop()
			m.master.rm.Close()
		}
	case submitted:
		errs = append(errs, m.end(ctx, failed))
	}
	if m.link != nil {
		m.link.close()
	}
	if m.staging != nil {
		if !m.v.Bool("spark.yarn.preserve.staging.files") {
			errs = append(errs, m.staging.remove(context.WithoutCancel(ctx)))
		}
		m.staging.close()
	}
	if m.client != nil {
		m.client.close()
	}
	return errors.Join(errs...)
}

// end reports the application's end, or kills it if there is nobody to report it.
func (m *Manager) end(ctx context.Context, failed error) error {
	final, diagnostics := int32(yarn.FinalSucceeded), ""
	if failed != nil {
		final, diagnostics = yarn.FinalFailed, failed.Error()
	}
	var err error
	if m.master != nil {
		limited, cancel := context.WithTimeoutCause(ctx, finishLimit, errors.New("YARN did not take the report in time"))
		err = m.master.finish(limited, final, diagnostics)
		cancel()
	} else if m.link != nil {
		err = m.link.stop(ctx, diagnostics)
	} else {
		err = errNotStarted
	}
	if err == nil {
		return nil
	}
	if r, reportErr := m.client.rm.Report(ctx, m.client.id); reportErr == nil && r.Ended() {
		return nil // by the failure that was told
	}
	return m.client.rm.Kill(ctx, m.client.id, "the driver ended: "+err.Error())
}
