package standalone

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// roleEnv makes this test's binary a process of a cluster; optionsEnv holds its options as JSON.
const (
	roleEnv    = "_STANDALONE_TEST_ROLE"
	optionsEnv = "_STANDALONE_TEST_OPTIONS"
)

func TestMain(m *testing.M) {
	child.FollowParent()
	if os.Getenv(cluster.ExecutorEnv) == "1" {
		os.Exit(toyExecutor(os.Args[1:]))
	}
	switch os.Getenv(roleEnv) {
	case "":
		goleak.VerifyTestMain(m)
	case "driver":
		os.Exit(toyDriver(os.Args[1:]))
	default:
		if err := beDaemon(os.Getenv(roleEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// beDaemon is a master or worker until SIGTERM. It prints where it is.
func beDaemon(role string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if role == "master" {
		var o MasterOptions
		if err := json.Unmarshal([]byte(os.Getenv(optionsEnv)), &o); err != nil {
			return err
		}
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
		m, err := StartMaster(o)
		if err != nil {
			return err
		}
		defer m.Close()
		fmt.Println("ready", m.Addr())
		<-ctx.Done()
		return nil
	}
	var o WorkerOptions
	if err := json.Unmarshal([]byte(os.Getenv(optionsEnv)), &o); err != nil {
		return err
	}
	w, err := StartWorker(ctx, o)
	if err != nil {
		return err
	}
	defer w.Close()
	fmt.Println("ready", w.ID())
	select {
	case <-ctx.Done():
		return nil
	case <-w.Done():
		return w.Err()
	}
}

// toyExecutor says to its driver who it is, and leaves with the connection, or at once where TOY says with which status.
func toyExecutor(args []string) int {
	if code, err := strconv.Atoi(os.Getenv("TOY")); err == nil {
		return code
	}
	value := func(flag string) string {
		for i, a := range args {
			if a == flag {
				return args[i+1]
			}
		}
		return ""
	}
	c, err := net.Dial("tcp", value("--driver-url"))
	if err != nil {
		return 3
	}
	fmt.Fprintf(c, "%s %d %s %s %s\n", value("--executor-id"), os.Getpid(), value("--cores"), value("--app-id"), os.Getenv(cluster.SecretEnv))
	_, _ = io.ReadAll(c)
	return 0
}

// toyDriver is what a worker starts for a driver: "submit --properties-file FILE PROGRAM ARG…". The program is the argument:
// "sleep" stays, "exit N" ends, "once FILE" fails the first time, "child" leaves a process of its own behind when it is killed.
func toyDriver(args []string) int {
	switch words := args[4:]; words[0] {
	case "exit":
		n, _ := strconv.Atoi(words[1])
		return n
	case "once":
		if _, err := os.Stat(words[1]); err == nil {
			return 0
		}
		_ = os.WriteFile(words[1], nil, 0o600)
		return 7
	case "child":
		c := exec.Command("sleep", "600")
		if c.Start() == nil {
			_ = os.WriteFile(words[1], []byte(strconv.Itoa(c.Process.Pid)), 0o600)
		}
	}
	time.Sleep(10 * time.Minute)
	return 0
}

// daemon is a master or worker in a process of its own.
type daemon struct {
	*exec.Cmd
	says string // what it printed when it was ready
	err  *strings.Builder
}

func startDaemon(t *testing.T, role string, options any, env ...string) *daemon {
	t.Helper()
	o, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{Cmd: exec.Command(os.Args[0]), err: &strings.Builder{}}
	d.Env = append(os.Environ(), append(env, roleEnv+"="+role, optionsEnv+"="+string(o))...)
	d.Stderr = d.err
	out, err := d.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	line, _ := bufio.NewReader(out).ReadString('\n')
	if d.says = strings.TrimSpace(strings.TrimPrefix(line, "ready ")); d.says == "" {
		d.kill()
		t.Fatalf("the %s did not start: %s", role, d.err)
	}
	return d
}

func (d *daemon) kill() {
	_ = d.Process.Kill() // it may have ended
	_ = d.Wait()
}

// leave ends the daemon as its user would.
func (d *daemon) leave(t *testing.T) {
	t.Helper()
	_ = d.Process.Signal(syscall.SIGTERM)
	if err := d.Wait(); err != nil {
		t.Errorf("the process ended badly: %v %s", err, d.err)
	}
}

// quick are rules for tests: what takes a minute elsewhere takes a second.
func quick() core.Config {
	c := core.DefaultConfig()
	c.Grace, c.Recovery, c.Starving, c.WorkerTimeout = 500*time.Millisecond, 3*time.Second, 200*time.Millisecond, 10*time.Second
	return c
}

func startMaster(t *testing.T, o MasterOptions) *daemon {
	t.Helper()
	o.WebUI, o.REST, o.Core = -1, -1, quick()
	return startDaemon(t, "master", o)
}

func startWorker(t *testing.T, m *daemon, cores int, secret string) (*daemon, string) {
	t.Helper()
	dir := t.TempDir()
	return startDaemon(t, "worker", WorkerOptions{Masters: []string{m.says}, WebUI: -1, Cores: cores, Memory: 1 << 30, Dir: filepath.Join(dir, "work"),
		Secret: secret, Heartbeat: time.Second}, "SPARK_LOCAL_DIRS="+filepath.Join(dir, "local")), filepath.Join(dir, "work")
}

// toy is an executor as its driver sees it.
type toy struct {
	id     event.ExecutorID
	pid    int
	cores  int
	app    string
	secret string
	conn   net.Conn
}

// toyApp is an application with a real manager and toy executors.
type toyApp struct {
	*Manager
	t        *testing.T
	listener net.Listener
	busy     sync.WaitGroup

	mu      sync.Mutex
	toys    map[event.ExecutorID]toy
	exits   map[event.ExecutorID]cluster.Exited
	failed  error
	warning string
}

func newApp(t *testing.T, masters []string, settings map[string]string) *toyApp {
	t.Helper()
	m, err := cluster.ParseMaster("spark://" + strings.Join(masters, ","))
	if err != nil {
		t.Fatal(err)
	}
	a := &toyApp{Manager: NewManager(m, conf.NewValues(settings)), t: t, toys: map[event.ExecutorID]toy{}, exits: map[event.ExecutorID]cluster.Exited{}}
	a.warn = func(s string) { a.mu.Lock(); a.warning += s + "\n"; a.mu.Unlock() }
	if a.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	a.busy.Go(a.accept)
	t.Cleanup(a.end)
	return a
}

func (a *toyApp) accept() {
	for {
		c, err := a.listener.Accept()
		if err != nil {
			return
		}
		x := toy{conn: c}
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = fmt.Sscan(line, &x.id, &x.pid, &x.cores, &x.app, &x.secret)
		a.mu.Lock()
		a.toys[x.id] = x
		a.mu.Unlock()
	}
}

// start registers the application: so many cores and MiB an executor.
func (a *toyApp) start(cores int, mib int64, env map[string]string) error {
	return a.Start(a.t.Context(), cluster.App{ID: "app-toy", Name: "toy", User: "me", DriverURL: a.listener.Addr().String(), Secret: "of-the-application",
		Executor: cluster.Executor{Cores: cores, Memory: mib << 20, Binary: os.Args[0], Env: env}}, a.told)
}

func (a *toyApp) told(n cluster.Notice) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch n := n.(type) {
	case cluster.Exited:
		a.exits[n.ID] = n
		if x, ok := a.toys[n.ID]; ok {
			_ = x.conn.Close()
			delete(a.toys, n.ID)
		}
	case cluster.Failed:
		a.failed = n.Err
	}
}

func (a *toyApp) end() {
	if err := a.Stop(context.Background()); err != nil {
		a.t.Errorf("Stop: %v", err)
	}
	_ = a.listener.Close()
	a.busy.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.toys {
		_ = x.conn.Close()
	}
}

func (a *toyApp) scale(n int) {
	a.t.Helper()
	if err := a.Scale(a.t.Context(), n); err != nil {
		a.t.Fatal(err)
	}
}

// has waits until exactly these executors are there.
func (a *toyApp) has(ids ...event.ExecutorID) {
	a.t.Helper()
	eventually(a.t, func() string {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, id := range ids {
			if _, ok := a.toys[id]; !ok {
				return fmt.Sprintf("executor %s is missing; %d are there; exits %v", id, len(a.toys), a.exits)
			}
		}
		if len(a.toys) != len(ids) {
			return fmt.Sprintf("%d executors, not %d", len(a.toys), len(ids))
		}
		return ""
	})
}

func (a *toyApp) toy(id event.ExecutorID) toy {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.toys[id]
}

// exited waits for the notice of an executor's end.
func (a *toyApp) exited(id event.ExecutorID) cluster.Exited {
	a.t.Helper()
	var x cluster.Exited
	eventually(a.t, func() string {
		a.mu.Lock()
		defer a.mu.Unlock()
		var ok bool
		if x, ok = a.exits[id]; !ok {
			return "the end of executor " + string(id) + " was not told"
		}
		return ""
	})
	return x
}

// eventually waits until f has nothing to complain about.
func eventually(t *testing.T, f func() string) {
	t.Helper()
	why := ""
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if why = f(); why == "" {
			return
		}
	}
	t.Fatal(why)
}

// gone waits for the end of a process that is not a child of this one.
func gone(t *testing.T, pid int) {
	t.Helper()
	eventually(t, func() string {
		if syscall.Kill(pid, 0) == nil && !zombie(pid) {
			return fmt.Sprintf("process %d is still there", pid)
		}
		return ""
	})
}

// zombie says whether a process has ended and only waits to be asked how.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(b), ") Z ")
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil && !zombie(pid) }

// empty waits until a folder holds nothing.
func empty(t *testing.T, dir string) {
	t.Helper()
	eventually(t, func() string {
		if names, _ := os.ReadDir(dir); len(names) > 0 {
			return fmt.Sprintf("%s still holds %v", dir, names)
		}
		return ""
	})
}

// view asks a master for its state.
func view(t *testing.T, master, secret string) core.View {
	t.Helper()
	p, err := dialFor(t.Context(), dialOptions{[]string{master}, secret, "a test", silent{}}, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	v, err := p.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}
