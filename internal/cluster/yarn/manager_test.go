package yarn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// TestMain makes the test's own binary everything that runs in containers: application masters, drivers and executors.
func TestMain(m *testing.M) {
	stand := map[string]func(context.Context, []string) error{"yarn-am": standInMaster, "driver": standInDriver, "executor": standInExecutor}
	if len(os.Args) > 1 && stand[os.Args[1]] != nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := stand[os.Args[1]](ctx, os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func standInMaster(ctx context.Context, _ []string) error {
	return ApplicationMaster(ctx, func(program, properties string, args []string) []string {
		return append([]string{"driver", properties, program}, args...)
	})
}

// standInExecutor writes down what it was given and waits for its end.
func standInExecutor(ctx context.Context, args []string) error {
	if os.Getenv(toyEnv) != "" {
		return toyExecutor()
	}
	secret, err := hadoop.LoadSecret()
	if err != nil {
		return err
	}
	id := args[slices.Index(args, "--executor-id")+1]
	fmt.Printf("executor %s is here\n", id)
	greeting, _ := os.ReadFile("greeting.txt") // only where it was sent
	text := fmt.Sprintf("%s\nsecret %s\nenvironment secret %q\nexecutor %s\nlogs %s\ngreeting %s\n", strings.Join(args, " "), secret,
		os.Getenv(cluster.SecretEnv), os.Getenv(cluster.ExecutorEnv), os.Getenv("SPARK_LOG_URL_STDOUT"), greeting)
	at := filepath.Join(os.Getenv("STAND_IN_DIR"), "executor-"+id)
	if err := os.WriteFile(at+".new", []byte(text), 0o600); err != nil {
		return err
	}
	if err := os.Rename(at+".new", at); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// standInDriver is a driver of cluster mode: it waits for two executors and ends as its program's argument says.
func standInDriver(ctx context.Context, args []string) error {
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	id, err := yarn.ParseContainerID(os.Getenv("CONTAINER_ID"))
	if err != nil {
		return err
	}
	program, err := os.ReadFile(args[1])
	if err != nil || string(program) != "the program" {
		return fmt.Errorf("the program is %q, %v", program, err)
	}
	secret := os.Getenv(cluster.SecretEnv)
	if secret == "" || os.Getenv(cluster.ExecutorEnv) != "" {
		return errors.New("a driver without secret, or one that is taken for an executor")
	}
	v := conf.NewValues(conf.ParseProperties(string(data)))
	m := New(v)
	p, err := m.Prepare(ctx)
	if err != nil {
		return err
	}
	app := cluster.App{ID: p.ID, User: "ann", DriverURL: p.Host + ":1", Secret: secret, Conf: v.All(),
		Executor: cluster.Executor{Cores: 1, Memory: v.Bytes("spark.executor.memory"), Env: prefixed(v, "spark.executorEnv.")}}
	if err := m.Start(ctx, app, func(cluster.Notice) {}); err != nil {
		return err
	}
	defer m.Stop(context.WithoutCancel(ctx))
	if err := m.Scale(ctx, 2); err != nil {
		return err
	}
	for _, name := range []string{"executor-1", "executor-2"} {
		for !there(filepath.Join(os.Getenv("STAND_IN_DIR"), name)) {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	switch {
	case args[2] == "fail", args[2] == "fail at first" && id.Attempt.Attempt == 1:
		return errors.New("failing as told")
	case args[2] == "wait":
		<-ctx.Done()
	}
	return nil
}

func there(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func alone(t *testing.T) {
	for _, key := range []string{"HADOOP_CONF_DIR", "YARN_CONF_DIR", "HADOOP_HOME", SpecEnv, hadoop.TokenFile} {
		t.Setenv(key, "")
	}
	t.Setenv("HADOOP_USER_NAME", "ann")
}

// app is an application under test in client mode.
type app struct {
	*fake
	m *Manager

	mu      sync.Mutex
	notices []cluster.Notice
}

func self(t *testing.T) string {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func startApp(t *testing.T, f *fake, settings map[string]string) *app {
	t.Helper()
	v := conf.NewValues(settings)
	a := &app{fake: f, m: New(v)}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	p, err := a.m.Prepare(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != "application_1000_0007" || p.Host != "127.0.0.1" {
		t.Errorf("prepared %+v", p)
	}
	t.Cleanup(func() { _ = a.m.Stop(context.Background()) })
	err = a.m.Start(ctx, cluster.App{ID: p.ID, Name: "fake", User: "ann", DriverURL: "127.0.0.1:1", Secret: "s3cret", Conf: settings,
		Executor: cluster.Executor{Cores: 2, Memory: 512 << 20, Binary: self(t), Env: prefixed(v, "spark.executorEnv.")}}, func(n cluster.Notice) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.notices = append(a.notices, n)
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, f.logs())
	}
	return a
}

const limit = 30 * time.Second

// eventually waits for what other processes do.
func (f *fake) eventually(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("not seen: %s\n%s", what, f.logs())
		}
	}
}

func (f *fake) executor(id string) string {
	f.t.Helper()
	name := filepath.Join(f.dir, "executor-"+id)
	f.eventually("executor "+id, func() bool { return there(name) })
	data, err := os.ReadFile(name)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

func (a *app) exit(id event.ExecutorID) cluster.Exited {
	a.t.Helper()
	var e cluster.Exited
	a.eventually("the end of executor "+string(id), func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, n := range a.notices {
			if x, ok := n.(cluster.Exited); ok && x.ID == id {
				e = x
				return true
			}
		}
		return false
	})
	return e
}

func (a *app) scale(n int) {
	a.t.Helper()
	if err := a.m.Scale(context.Background(), n); err != nil {
		a.t.Fatal(err)
	}
}

func (a *app) succeed() {
	a.t.Helper()
	if err := a.m.Stop(context.Background()); err != nil {
		a.t.Error(err)
	}
	if r, _ := a.state(); r.State != yarn.StateFinished || r.Final != yarn.FinalSucceeded {
		a.t.Errorf("the application ended as %s, %s: %s", r.StateName(), r.FinalName(), r.Diagnostics)
	}
	if there(filepath.Join(a.dir, "staging", ".sparkStaging", "application_1000_0007")) {
		a.t.Error("uploaded files were left")
	}
}

func TestClientMode(t *testing.T) {
	alone(t)
	f := newFake(t)
	greeting := filepath.Join(f.dir, "hello")
	if err := os.WriteFile(greeting, []byte("hi"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startApp(t, f, f.settings("spark.files", greeting+"#greeting.txt"))
	a.scale(2)
	want := "--driver-url 127.0.0.1:1 --app-id application_1000_0007 --executor-id 1 --host 127.0.0.1 --cores 2 --memory 536870912\n" +
		"secret s3cret\nenvironment secret \"\"\nexecutor 1\n" +
		"logs http://node:8042/node/containerlogs/container_1000_0007_01_000002/ann/stdout?start=-4096\ngreeting hi\n"
	if got := f.executor("1"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.executor("2")
	f.mu.Lock()
	if ask := "ask 2 of 896 MB 2 cores"; !slices.Contains(f.log, ask) {
		t.Errorf("no %q among %q", ask, f.log)
	}
	for _, l := range f.launches {
		if secret := []byte("s3cret"); bytes.Contains([]byte(fmt.Sprint(l.Command)), secret) || bytes.Contains(pb.Marshal(&yarn.Launch{Environment: l.Environment}), secret) {
			t.Errorf("the secret is where NodeManagers log it: %+v", l)
		}
	}
	if len(f.launches) < 3 {
		t.Errorf("%d launches", len(f.launches))
	}
	if f.app.MaxAttempts != 2 || f.app.Resource.Memory != 896 || f.app.Type != "SPARK" || f.app.Name != "fake" || f.report.User != "ann" {
		t.Errorf("submitted %+v by %s", f.app, f.report.User)
	}
	f.mu.Unlock()

	f.kill(func(p *process) bool { return p.id.ID == 2 })
	if e := a.exit("1"); e.Code != 137 || e.PlatformFault || !strings.Contains(e.Reason, "container_1000_0007_01_000002 on host 127.0.0.1") {
		t.Errorf("%+v", e)
	}
	f.executor("3")
	if err := a.m.Kill(context.Background(), []event.ExecutorID{"2"}); err != nil {
		t.Fatal(err)
	}
	if e := a.exit("2"); !e.PlatformFault {
		t.Errorf("%+v", e)
	}
	f.executor("4")
	f.mu.Lock()
	f.forgetful = 1 // as after a restart
	f.mu.Unlock()
	a.scale(3)
	f.executor("5")
	a.succeed()
}

// The application master ends, the driver does not: it gets executors by the next one.
func TestClientModeSurvivesTheMaster(t *testing.T) {
	alone(t)
	f := newFake(t)
	a := startApp(t, f, f.settings("spark.yarn.binary", "local:"+self(t)))
	a.scale(2)
	f.executor("1")
	f.executor("2")
	f.kill(func(p *process) bool { return p.master })
	for _, id := range []event.ExecutorID{"1", "2"} {
		if e := a.exit(id); !e.PlatformFault {
			t.Errorf("%+v", e)
		}
	}
	f.executor("3")
	f.executor("4")
	if _, n := f.state(); n != 2 {
		t.Errorf("%d attempts", n)
	}
	a.succeed()
}

func TestClientModeIsKilled(t *testing.T) {
	alone(t)
	f := newFake(t)
	a := startApp(t, f, f.settings("spark.yarn.binary", "local:"+self(t)))
	var out bytes.Buffer
	if err := Status(t.Context(), f.settings(), "application_1000_0007", &out); err != nil || !strings.Contains(out.String(), "(state: RUNNING)") {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := Kill(t.Context(), f.settings(), "application_1000_0007", &out); err != nil || !strings.HasSuffix(out.String(), "Killed application application_1000_0007\n") {
		t.Errorf("%v: %s", err, out.String())
	}
	var ended *EndedError
	a.eventually("the failure", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, n := range a.notices {
			if x, ok := n.(cluster.Failed); ok {
				return errors.As(x.Err, &ended)
			}
		}
		return false
	})
	if ended.State != "KILLED" || ended.Diagnostics != "killed by a user" {
		t.Errorf("%+v", ended)
	}
	if err := Kill(t.Context(), f.settings(), "application_1000_0007", &out); !errors.Is(err, errAlready) {
		t.Errorf("%v", err)
	}
	if err := a.m.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestUnmanagedMaster(t *testing.T) {
	alone(t)
	f := newFake(t)
	a := startApp(t, f, f.settings("spark.yarn.binary", "local:"+self(t), "spark.yarn.unmanagedAM.enabled", "true"))
	a.scale(1)
	f.executor("1")
	a.succeed()
}

// submitApp runs an application in cluster mode to its end.
func submitApp(t *testing.T, f *fake, settings map[string]string, args ...string) (string, error) {
	t.Helper()
	program := filepath.Join(f.dir, "app")
	if err := os.WriteFile(program, []byte("the program"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out bytes.Buffer
	err := Submit(ctx, Submission{Conf: settings, Binary: self(t), Program: program, Args: args}, &out)
	return out.String(), err
}

func TestClusterMode(t *testing.T) {
	alone(t)
	for _, c := range []struct {
		end      string
		attempts int32
		state    string // of the failure; "": it succeeds
	}{{"well", 1, ""}, {"fail at first", 2, ""}, {"fail", 2, "FAILED"}} {
		t.Run(c.end, func(t *testing.T) {
			f := newFake(t)
			out, err := submitApp(t, f, f.settings(), c.end)
			var ended *EndedError
			switch {
			case c.state == "" && err != nil:
				t.Errorf("%v\n%s", err, f.logs())
			case c.state != "" && (!errors.As(err, &ended) || ended.State != c.state || ended.Diagnostics != "User application exited with status 3"):
				t.Errorf("%v\n%s", err, f.logs())
			}
			if !strings.HasPrefix(out, "Submitted application application_1000_0007\n") {
				t.Error(out)
			}
			if _, n := f.state(); n != c.attempts {
				t.Errorf("%d attempts, want %d", n, c.attempts)
			}
			if there(filepath.Join(f.dir, "staging", ".sparkStaging", "application_1000_0007")) {
				t.Error("uploaded files were left")
			}
		})
	}
}

// The client need not stay; the application ends when it is killed.
func TestClusterModeGoesOn(t *testing.T) {
	alone(t)
	f := newFake(t)
	settings := f.settings("spark.yarn.submit.waitAppCompletion", "false")
	if _, err := submitApp(t, f, settings, "wait"); err != nil {
		t.Fatal(err)
	}
	f.executor("1")
	f.executor("2")
	f.kill(func(p *process) bool { return p.master }) // the driver ends with the first process, and the second attempt runs
	f.eventually("the second attempt", func() bool { r, n := f.state(); return n == 2 && r.State == yarn.StateRunning })
	if err := Kill(t.Context(), settings, "application_1000_0007", &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	alone(t)
	f := newFake(t)
	var big *TooBigError
	if _, err := submitApp(t, f, f.settings("spark.executor.memory", "4g")); !errors.As(err, &big) || big.Need != 4096+409+1 || big.Most != maxMemory {
		t.Errorf("%v", err)
	}
	var twice *DuplicateError
	for _, name := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(f.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.dir, name, "same"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := submitApp(t, f, f.settings("spark.files", filepath.Join(f.dir, "a", "same")+","+filepath.Join(f.dir, "b", "same"))); !errors.As(err, &twice) {
		t.Errorf("%v", err)
	}
	if f.app != nil {
		t.Error("something was submitted")
	}
	if there(filepath.Join(f.dir, "staging", ".sparkStaging", "application_1000_0007")) {
		t.Error("files of what was not submitted were left")
	}
	var none *NoConfError
	if _, err := New(conf.NewValues(nil)).Prepare(t.Context()); !errors.As(err, &none) {
		t.Errorf("%v", err)
	}
	if err := Status(t.Context(), f.settings(), "application_1000_0009", &bytes.Buffer{}); !errors.Is(err, yarn.NoSuchApplication) {
		t.Errorf("%v", err)
	}
}

// Tokens that were renewed reach the driver, and the containers that are started from then on, also by a new master.
func TestRenewedTokens(t *testing.T) {
	alone(t)
	f := newFake(t)
	a := startApp(t, f, f.settings())
	a.scale(1)
	f.executor("1")
	c := hadoop.NewCredentials()
	c.Tokens["nn:1"] = &hadoop.Token{Identifier: []byte("id"), Password: []byte("pw"), Kind: hadoop.KindHDFS, Service: "nn:1"}
	a.m.spread(c.Bytes())
	a.mu.Lock()
	if n, ok := a.notices[len(a.notices)-1].(cluster.Credentials); !ok || !bytes.Equal(n.Data, c.Bytes()) {
		t.Errorf("%+v", a.notices)
	}
	a.mu.Unlock()
	has := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		got, err := hadoop.ParseCredentials(f.launches[len(f.launches)-1].Tokens)
		return err == nil && got.Find(hadoop.KindHDFS, "nn:1") != nil && string(got.Secrets[hadoop.AppSecret]) == "s3cret"
	}
	a.scale(2)
	f.executor("2")
	if !has() {
		t.Error("executor 2 has old tokens")
	}
	f.kill(func(p *process) bool { return p.master })
	f.executor("3")
	f.executor("4")
	if !has() {
		t.Error("the new master's executors have old tokens")
	}
	a.succeed()
}
