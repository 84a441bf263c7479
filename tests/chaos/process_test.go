package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// process is a running firesteel with a working directory and local directory of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   output
	err   output
	dir   string // working directory: warehouse and what is written by relative names
	local string // spark.local.dir
	ended chan struct{}
}

// launch describes a process to start.
type launch struct {
	args  []string
	conf  []string // KEY=VALUE
	env   []string
	dir   string // working directory; made if empty
	local string // spark.local.dir; made if empty
	stdin io.Reader
	wrap  []string // command that runs the binary, with its arguments
	bare  bool     // it takes no settings
}

// start starts firesteel. What it leaves running is killed when the test ends.
func start(t *testing.T, l launch) *process {
	t.Helper()
	p := &process{t: t, dir: l.dir, local: l.local, ended: make(chan struct{})}
	if p.dir == "" {
		p.dir = t.TempDir()
	}
	if p.local == "" {
		p.local = t.TempDir()
	}
	args := append(append([]string{}, l.wrap...), binary)
	args = append(args, l.args...)
	if !l.bare {
		args = append(args, "-c", "spark.local.dir="+p.local)
	}
	for _, kv := range l.conf {
		args = append(args, "-c", kv)
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = p.dir, l.stdin, &p.out, &p.err
	p.cmd.Env = append(os.Environ(), l.env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the state tells
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		<-p.ended
	})
	return p
}

// wait waits for the end and gives the exit status.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGQUIT)
		time.Sleep(500 * time.Millisecond)
		p.t.Fatalf("no end after %v\n%s", limit, tail(p.err.String(), 6000))
		return -1
	}
}

// signal sends a signal to the process.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// busy is how many times longer than on a machine that does little else something may take that happens at some time.
const busy = 3

// see waits until standard error has a match and gives its first group.
func (p *process) see(pattern string, limit time.Duration) string {
	p.t.Helper()
	limit *= busy
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.err.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-p.ended:
			p.t.Fatalf("ended before it printed %q:\n%s", pattern, tail(p.err.String(), 3000))
		default:
		}
	}
	p.t.Fatalf("did not print %q in %v:\n%s", pattern, limit, tail(p.err.String(), 3000))
	return ""
}

// memory is the resident memory of the process in bytes, now and at most.
func (p *process) memory() (now, peak int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, p.peak()
	}
	return statusField(b, "VmRSS:"), statusField(b, "VmHWM:")
}

func statusField(b []byte, name string) int64 {
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == name {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// peak is the greatest resident memory of a process that has ended.
func (p *process) peak() int64 {
	<-p.ended
	if u, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss << 10
	}
	return 0
}

// leftovers are the files below the local directory.
func (p *process) leftovers() []string { return files(p.t, p.local) }

func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// query is one run of `firesteel sql`.
type query struct {
	launch
	memory string // --driver-memory
	master string
	text   string
	limit  time.Duration // one minute unless given
}

// result is what a run of SQL gave.
type result struct {
	rows   string // tab separated
	errors string
	code   int
	peak   int64
	cpu    time.Duration // that it took of processors
}

// sql runs statements in a process of their own. Nothing may be left in its local directory.
func sql(t *testing.T, q query) result {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script.sql")
	if err := os.WriteFile(script, []byte(q.text), 0o600); err != nil {
		t.Fatal(err)
	}
	q.args = append([]string{"sql", "-S", "--format", "tsv", "-f", script}, q.args...)
	if q.memory != "" {
		q.args = append(q.args, "--driver-memory", q.memory)
	}
	if q.master != "" {
		q.args = append(q.args, "--master", q.master)
	}
	if q.limit == 0 {
		q.limit = time.Minute
	}
	p := start(t, q.launch)
	code := p.wait(q.limit)
	used := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	r := result{p.out.String(), p.err.String(), code, p.peak(), used}
	if strings.Contains(r.errors, "goroutine ") || strings.Contains(r.errors, "panic:") {
		t.Errorf("the process fell over:\n%s", tail(r.errors, 4000))
	}
	if left := p.leftovers(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return r
}

// good demands success and gives the rows.
func (r result) good(t *testing.T) string {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit status %d:\n%s", r.code, tail(r.errors, 3000))
	}
	return r.rows
}

// refused demands a failure whose text has all the words.
func (r result) refused(t *testing.T, words ...string) {
	t.Helper()
	if r.code == 0 {
		t.Errorf("succeeded, want an error with %q; rows: %s", words, tail(r.rows, 300))
		return
	}
	for _, w := range words {
		if !strings.Contains(r.errors, w) {
			t.Errorf("the error lacks %q:\n%s", w, tail(r.errors, 2000))
		}
	}
}

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n:]
}

// eventually waits until f holds.
func eventually(t *testing.T, limit time.Duration, what string, f func() bool) time.Duration {
	t.Helper()
	limit *= busy
	begin := time.Now()
	for !f() {
		if time.Since(begin) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begin)
}

func timeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
