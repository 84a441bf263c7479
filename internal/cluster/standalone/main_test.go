package standalone

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/conf"
)

// roleEnv makes this test's binary a process of a cluster; optionsEnv holds its options as JSON.
const (
	roleEnv    = "_STANDALONE_TEST_ROLE"
	optionsEnv = "_STANDALONE_TEST_OPTIONS"
)

func TestMain(m *testing.M) {
	clustertest.ExecutorMain()
	child.FollowParent()
	if len(os.Args) > 1 && os.Args[1] == "submit" {
		os.Exit(toyDriver(os.Args[1:]))
	}
	switch os.Getenv(roleEnv) {
	case "":
		goleak.VerifyTestMain(m)
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

// toyDriver is what a worker starts for a driver: "submit --properties-file FILE PROGRAM ARG…". The program is the argument:
// "sleep" stays, "exit N" ends, "say N" writes so many lines, "once FILE" fails the first time, "child" leaves a process of its own behind when it is killed.
func toyDriver(args []string) int {
	switch words := args[4:]; words[0] {
	case "say":
		n, _ := strconv.Atoi(words[1])
		for i := range n {
			fmt.Printf("line %d\n", i)
		}
		fmt.Fprintln(os.Stderr, "and an error")
		return 0
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
	err  *output
}

// output is what a process wrote so far.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Write(b []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(b) }
func (o *output) String() string              { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

func startDaemon(t *testing.T, role string, options any, env ...string) *daemon {
	t.Helper()
	o, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{Cmd: exec.Command(os.Args[0]), err: &output{}}
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

// app is an application of toy executors, with its manager and what that warned of.
type app struct {
	*clustertest.Driver
	m *Manager

	mu      sync.Mutex
	warning string
}

func newApp(t *testing.T, masters []string, settings map[string]string) *app {
	t.Helper()
	m, err := cluster.ParseMaster("spark://" + strings.Join(masters, ","))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{m: NewManager(m, conf.NewValues(settings))}
	a.m.warn = func(s string) { a.mu.Lock(); a.warning += s + "\n"; a.mu.Unlock() }
	a.Driver = clustertest.NewDriver(t, a.m)
	return a
}

func (a *app) warned() string { a.mu.Lock(); defer a.mu.Unlock(); return a.warning }

// start registers the application: so many cores and MiB an executor.
func (a *app) start(cores int, mib int64, env map[string]string) error {
	return a.Launch(cores, mib<<20, env)
}

// empty waits until a folder holds nothing.
func empty(t *testing.T, dir string) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		if names, _ := os.ReadDir(dir); len(names) > 0 {
			return fmt.Sprintf("%s still holds %v", dir, names)
		}
		return ""
	})
}

// view asks a master for its state.
func view(t *testing.T, master, secret string) core.View {
	t.Helper()
	p, err := dialFor(t.Context(), dialOptions{[]string{master}, identity(secret, "a test", Program{}), silent{}}, 5*time.Second)
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
