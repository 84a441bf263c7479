package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit bounds everything that a test waits for. It is for ever, on a machine that does much else too.
const limit = 4 * time.Minute

// output collects what a process prints; it may be read while the process runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// environment is that of the test without Spark's variables, with more.
func environment(more ...string) []string {
	var out []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SPARK_") && !strings.HasPrefix(kv, "PYSPARK_") && !strings.HasPrefix(kv, "MASTER=") {
			out = append(out, kv)
		}
	}
	return append(out, more...)
}

// result is how a process ended.
type result struct {
	out, err string
	code     int
	took     time.Duration
}

// try runs firesteel to its end, in a folder of its own.
func try(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = t.TempDir(), environment(env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v does not end:\n%s", args, errs.String())
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
}

// daemon is a master or a worker.
type daemon struct {
	cmd *exec.Cmd
	log output
}

// start runs a daemon until the test ends, and gives what the first match on its log has in parentheses.
func start(t *testing.T, env []string, line string, args ...string) (*daemon, string) {
	t.Helper()
	d := &daemon{cmd: exec.Command(binary, args...)}
	d.cmd.Dir, d.cmd.Env, d.cmd.Stderr = t.TempDir(), environment(env...), &d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		kill := time.AfterFunc(limit/2, func() { _ = d.cmd.Process.Kill() })
		_ = d.cmd.Wait() // the state tells
		if !kill.Stop() {
			t.Errorf("%v does not end", args)
		}
	})
	re := regexp.MustCompile(line)
	var found string
	eventually(t, "a line like "+line, d.log.String, func() bool {
		m := re.FindStringSubmatch(d.log.String())
		if m != nil {
			found = m[len(m)-1]
		}
		return m != nil
	})
	return d, found
}

// cluster is a master with workers, each with so many cores and 1 GiB.
func cluster(t *testing.T, workers, cores int, env ...string) (master string) {
	t.Helper()
	_, master = start(t, env, `master at (spark://\S+:\d+)`, "master", "--port", "0", "--webui-port", "-1", "--rest-port", "-1")
	for range workers {
		start(t, env, `with \d+ cores and`, "worker", master, "--webui-port", "-1", "--cores", strconv.Itoa(cores), "--memory", "1g", "--work-dir", t.TempDir())
	}
	return master
}

func eventually(t *testing.T, what string, why func() string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in %s: %s\n%s", limit, what, why())
		}
	}
}

// descendants are the processes below one.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	list, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(list) == 0 {
		t.Skip("this system does not list its processes in /proc")
	}
	children := map[int][]int{}
	for _, path := range list {
		if parent, ok := parentOf(path); ok {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			children[parent] = append(children[parent], child)
		}
	}
	var out []int
	for todo := []int{pid}; len(todo) > 0; {
		next := children[todo[0]]
		out, todo = append(out, next...), append(todo[1:], next...)
	}
	return out
}

// parentOf reads a /proc/N/stat; ok is false for a process that has ended.
func parentOf(path string) (pid int, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	f := strings.Fields(string(b)[strings.LastIndexByte(string(b), ')')+1:])
	if len(f) < 2 || f[0] == "Z" {
		return 0, false
	}
	pid, err = strconv.Atoi(f[1])
	return pid, err == nil
}

// gone waits for the end of processes.
func gone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("the end of process %d", pid), func() string { return "" }, func() bool {
			_, ok := parentOf(fmt.Sprintf("/proc/%d/stat", pid))
			return !ok
		})
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}
