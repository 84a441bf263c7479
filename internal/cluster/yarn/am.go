package yarn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/secure"
)

// SpecEnv names, for a driver in the application master's container, the file with what the submission said.
const SpecEnv = "_FIRESTEEL_YARN_SPEC"

func readSpec(name string) (*spec, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sp := new(spec)
	if err := json.Unmarshal(data, sp); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return sp, nil
}

// MasterCommand is the first argument of the application master's process.
const MasterCommand = "yarn-am"

// ApplicationMaster is the first process of the application master's container, from the files there and its environment.
// driver gives the command of a driver from the application's program and its settings file (cluster mode).
func ApplicationMaster(ctx context.Context, driver func(program, properties string, args []string) []string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	sp, err := readSpec(specLink)
	if err != nil {
		return err
	}
	c, err := hadoop.LoadConf(sp.Conf)
	if err != nil {
		return err
	}
	u, err := hadoop.CurrentUser(c)
	if err != nil {
		return err
	}
	id, err := yarn.ParseContainerID(os.Getenv("CONTAINER_ID"))
	if err != nil {
		return fmt.Errorf("CONTAINER_ID: %w", err)
	}
	am := &am{log: log, spec: sp, conf: c, user: u, v: conf.NewValues(sp.Conf), last: int(id.Attempt.Attempt) >= sp.Attempts}
	log.Info("application master", "container", id.String(), "attempt", id.Attempt.Attempt, "of", sp.Attempts)
	if sp.Driver != "" {
		return am.serve(ctx)
	}
	return am.run(ctx, driver)
}

type am struct {
	log  *slog.Logger
	spec *spec
	conf hadoop.Conf
	user *hadoop.User
	v    *conf.Values
	last bool // attempt
}

// finishLimit bounds the reports at the end.
const finishLimit = 30 * time.Second

// run is cluster mode: the driver is a child. Its end is the application's, or the attempt's if there may be another one.
func (a *am) run(ctx context.Context, driver func(program, properties string, args []string) []string) error {
	properties, err := a.properties()
	if err != nil {
		return err
	}
	failure := a.child(ctx, append([]string{a.spec.Binary}, driver(a.spec.command(), properties, a.spec.ProgramArgs)...))
	if ctx.Err() != nil {
		return context.Cause(ctx) // YARN ends the attempt; it knows what to make of that
	}
	if failure != nil && !a.last {
		a.log.Warn("the attempt failed; YARN may start another one", "reason", failure)
		return failure
	}
	final, diagnostics := int32(yarn.FinalSucceeded), ""
	if failure != nil {
		final, diagnostics = yarn.FinalFailed, failure.Error()
	}
	return errors.Join(failure, a.report(final, diagnostics), a.cleanUp())
}

// properties writes the settings file of the driver.
func (a *am) properties() (string, error) {
	name, err := filepath.Abs("__spark_conf__.properties")
	if err != nil {
		return "", err
	}
	settings := maps.Clone(a.spec.Conf)
	settings["spark.master"], settings["spark.submit.deployMode"], settings["spark.app.id"] = "yarn", "client", a.spec.App
	settings["spark.submit.pyFiles"] = "" // they are on the Python path
	if settings["spark.kerberos.keytab"] != "" {
		if settings["spark.kerberos.keytab"], err = filepath.Abs(keytabLink); err != nil {
			return "", err
		}
	}
	if host := os.Getenv("NM_HOST"); host != "" {
		settings["spark.driver.host"] = host
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		if strings.ContainsAny(settings[k], "\r\n") {
			return "", fmt.Errorf("%s: a setting of more than one line cannot be passed to the driver", k)
		}
		fmt.Fprintf(&b, "%s=%s\n", k, settings[k])
	}
	return name, os.WriteFile(name, []byte(b.String()), 0o600)
}

// child runs the driver; signals to end are passed on.
func (a *am) child(ctx context.Context, argv []string) error {
	specFile, err := filepath.Abs(specLink)
	if err != nil {
		return err
	}
	secret, err := hadoop.LoadSecret()
	if err != nil {
		return err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, cluster.ExecutorEnv+"=") })
	cmd.Env = append(cmd.Env, SpecEnv+"="+specFile, cluster.SecretEnv+"="+secret)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	dieWithParent(cmd)
	runtime.LockOSThread() // the child dies with the thread that started it
	defer runtime.UnlockOSThread()
	a.log.Info("starting the driver", "command", argv[0], "program", a.spec.Program)
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // it may have ended already
	defer stop()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("User application exited with status %d", code(exit.ProcessState))
	}
	return err
}

// code is the exit status; 128+n after signal n.
func code(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// report tells YARN the end. A driver that did not get as far as being the master never registered: that comes first then.
func (a *am) report(final int32, diagnostics string) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), finishLimit, errors.New("YARN did not take the report in time"))
	defer cancel()
	rm := yarn.NewMaster(a.conf, a.user)
	defer rm.Close()
	err := rm.Finish(ctx, final, diagnostics, "")
	if errors.Is(err, yarn.NotRegistered) {
		if _, err = rm.Register(ctx, os.Getenv("NM_HOST"), -1, ""); err == nil {
			err = rm.Finish(ctx, final, diagnostics, "")
		}
	}
	return err
}

// cleanUp removes the uploaded files after the last attempt.
func (a *am) cleanUp() error {
	if a.spec.Keep {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), finishLimit)
	defer cancel()
	return removeStaging(ctx, a.conf, a.user, a.spec.Staging)
}

// serve is client mode: the driver is elsewhere; this process asks YARN for what the driver wants.
func (a *am) serve(ctx context.Context) error {
	secret, err := hadoop.LoadSecret()
	if err != nil {
		return err
	}
	s := &server{ended: make(chan struct{}), stop: make(chan stopMessage, 1), failed: make(chan error, 1)}
	by, err := secure.FromEnv(secret)
	if err != nil {
		return err
	}
	c, err := rpc.Dial(ctx, a.spec.Driver, rpc.Config{Secret: secret, TLS: by, Name: "the application master"}, s)
	if err != nil {
		reason := fmt.Sprintf("the driver at %s cannot be reached: %v", a.spec.Driver, err)
		return errors.Join(errors.New(reason), a.report(yarn.FinalFailed, reason))
	}
	var w welcome
	if err := call(ctx, c, sayHello, hello{os.Getenv("CONTAINER_ID")}, &w); err != nil {
		c.Close()
		return err
	}
	w.App.Secret = secret
	if w.Tokens != nil {
		if err := hadoop.Renew(w.Tokens); err != nil {
			c.Close()
			return err
		}
	}
	m, err := a.begin(ctx, c, s, &w)
	if err != nil {
		c.Close()
		return err
	}
	return a.wait(ctx, c, s, m)
}

// begin becomes the master of the driver's application.
func (a *am) begin(ctx context.Context, c *rpc.Conn, s *server, w *welcome) (*master, error) {
	resources, err := launchResources(a.spec.Resources)
	if err != nil {
		return nil, err
	}
	mk := &maker{app: w.App, binary: a.spec.Binary, python: a.spec.Python, resources: resources, tokens: credentials(a.user, nil, w.App.Secret)}
	m := newMaster(a.conf, a.user, conf.NewValues(w.App.Conf), mk, w.Last, func(n cluster.Notice) {
		if f, ok := n.(cluster.Failed); ok {
			select {
			case s.failed <- f.Err:
			default:
			}
		}
		_ = send(c, sayNotice, messageOf(n)) // a driver that is gone is noticed by wait
	})
	m.launched = func(id event.ExecutorID, container string) {
		a.log.Info("executor", "id", id, "container", container)
		_ = send(c, sayLaunched, launchedMessage{id, container})
	}
	m.url = w.App.UI
	if err := m.start(ctx); err != nil {
		return nil, err
	}
	m.scale(w.Level)
	s.serve(m)
	return m, send(c, sayReady, struct{}{})
}

// wait is until the driver, YARN or a failure ends the application.
func (a *am) wait(ctx context.Context, c *rpc.Conn, s *server, m *master) error {
	final, diagnostics := int32(yarn.FinalFailed), ""
	var result error
	select {
	case x := <-s.stop:
		if diagnostics = x.Diagnostics; diagnostics == "" {
			final = yarn.FinalSucceeded
		}
	case err := <-s.failed:
		if diagnostics, result = err.Error(), err; errors.Is(err, errShutdown) {
			m.stop()
			c.Close()
			return err
		}
	case <-c.Done():
		diagnostics = "the driver is gone: " + c.Err().Error()
		result = errors.New(diagnostics)
	case <-ctx.Done():
		m.stop()
		c.Close()
		return context.Cause(ctx)
	}
	limited, cancel := context.WithTimeoutCause(context.Background(), finishLimit, errors.New("YARN did not take the report in time"))
	defer cancel()
	a.log.Info("the application ends", "final", final, "diagnostics", diagnostics)
	err := m.finish(limited, final, diagnostics)
	if final == yarn.FinalFailed && result != nil {
		err = errors.Join(err, a.cleanUp()) // the driver cannot
	}
	close(s.ended)
	select { // the driver hangs up when it has the answer
	case <-c.Done():
	case <-limited.Done():
	}
	c.Close()
	return errors.Join(result, err)
}

// server takes what the driver says; orders that come before there is a master wait for it.
type server struct {
	stop   chan stopMessage
	failed chan error
	ended  chan struct{}

	mu     sync.Mutex
	master *master
	orders []func(*master)
}

func (s *server) serve(m *master) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.master = m
	for _, o := range s.orders {
		o(m)
	}
	s.orders = nil
}

func (s *server) order(o func(*master)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master == nil {
		s.orders = append(s.orders, o)
		return
	}
	o(s.master)
}

// Call implements rpc.Handler.
func (s *server) Call(ctx context.Context, _ *rpc.Conn, method string, body []byte) ([]byte, error) {
	if method != sayStop {
		return nil, fmt.Errorf("unknown request %q", method)
	}
	var m stopMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, err
	}
	select {
	case s.stop <- m:
	default:
	}
	select {
	case <-s.ended:
		return []byte("{}"), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Receive implements rpc.Handler.
func (s *server) Receive(_ *rpc.Conn, method string, body []byte) {
	switch method {
	case sayScale:
		var n int
		if json.Unmarshal(body, &n) == nil {
			s.order(func(m *master) { m.scale(n) })
		}
	case sayTokens:
		var data []byte
		if json.Unmarshal(body, &data) == nil {
			s.order(func(m *master) { m.renew(data) })
		}
	case sayHurry:
		s.order((*master).hurry)
	case sayKill:
		var ids []event.ExecutorID
		if json.Unmarshal(body, &ids) == nil {
			s.order(func(m *master) { m.kill(ids) })
		}
	}
}
