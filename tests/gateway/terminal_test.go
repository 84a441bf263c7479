package gateway

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is a process on a pseudo terminal.
type terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	tty   *os.File
	shown output
	read  int // how much of shown has been looked at
	done  chan struct{}
}

// open starts a program on a terminal of its own.
func open(t *testing.T, argv ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	x.cmd.Dir = t.TempDir()
	x.cmd.Env = environment("HOME="+t.TempDir(), "TERM=xterm", "SPARK_LOCAL_DIRS="+t.TempDir())
	var err error
	if x.tty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Skipf("there is no pseudo terminal: %v", err)
	}
	x.tty = interruptible(t, x.tty)
	go x.listen()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill() // it may have ended
		<-x.done
		_ = x.tty.Close()
	})
	return x
}

// interruptible is the same file, but reading it ends when it is closed.
func interruptible(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := syscall.Dup(int(f.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close() // the copy stays
	return os.NewFile(uintptr(fd), "terminal")
}

// listen keeps what is shown, and answers those who ask where the cursor is.
func (x *terminal) listen() {
	buf := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(buf)
		_, _ = x.shown.Write(buf[:n])
		if bytes.Contains(buf[:n], []byte("\x1b[6n")) {
			_, _ = x.tty.WriteString("\x1b[1;1R")
		}
		if err != nil {
			break
		}
	}
	_ = x.cmd.Wait() // the state tells
	close(x.done)
}

// controls are what moves the cursor and colours text.
var controls = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]|\x1b\\][^\x07]*\x07")

// see waits until what was shown since the last time has a match, and gives its groups.
func (x *terminal) see(pattern string) []string {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		text := controls.ReplaceAllString(x.shown.String(), "")
		rest := text[min(x.read, len(text)):]
		if m := re.FindStringSubmatchIndex(rest); m != nil {
			x.read += m[1]
			var groups []string
			for i := 0; i < len(m); i += 2 {
				if m[i] >= 0 {
					groups = append(groups, rest[m[i]:m[i+1]])
				}
			}
			return groups
		}
		if time.Now().After(end) {
			x.t.Fatalf("the terminal does not show %q:\n%s", pattern, rest)
		}
	}
}

// ready waits until a shell can be typed into: it has shown its prompt, asked where the cursor is, and gone on with the answer. What
// is typed in between gets lost in the answer.
func (x *terminal) ready(s shell) {
	x.t.Helper()
	x.see(s.ready)
	for end, n := time.Now().Add(limit), -1; ; time.Sleep(quiet) {
		text := x.shown.String()
		_, after, asked := strings.Cut(text[max(strings.LastIndex(text, s.ready), 0):], "\x1b[6n")
		if asked && after != "" && n == len(text) {
			return
		}
		if n = len(text); time.Now().After(end) {
			x.t.Fatalf("the shell does not go on after its prompt: %q", text[max(0, n-500):])
		}
	}
}

// quiet is how long a terminal that is ready shows nothing.
const quiet = 200 * time.Millisecond

// enter types a line.
func (x *terminal) enter(line string) {
	x.t.Helper()
	if _, err := x.tty.WriteString(line + "\r"); err != nil {
		x.t.Fatal(err)
	}
}

// press types a control character.
func (x *terminal) press(c byte) {
	x.t.Helper()
	if _, err := x.tty.Write([]byte{c & 0x1f}); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the end of the process and gives its status.
func (x *terminal) ends() int {
	x.t.Helper()
	select {
	case <-x.done:
		return x.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		_ = x.cmd.Process.Signal(syscall.SIGQUIT)
		time.Sleep(time.Second)
		s := x.shown.String()
		x.t.Fatalf("the process does not end:\n%s", s[max(0, len(s)-6000):])
		return -1
	}
}

// shell is one of the shells on a terminal, and how one types into it.
type shell struct {
	name, link     string
	ready          string // what it shows when it can be typed into
	endless, short string // a query that takes for ever, and one that does not
	answer         string
	mistake, error string
	lines, whole   string // something in two lines, and what it shows
	quit           string
}

var shells = []shell{
	{"sql", "spark-sql", `firesteel> `, "select sum(id % 7) from range(10000000000000);", "select 40 + 2 as n;", `42`,
		"select nothing;", `UNRESOLVED_COLUMN`, "select 'first'\r|| ' second' as t;", `first second`, "quit;"},
	{"shell", "spark-shell", `go> `, `spark.Range(0, 10000000000000).SelectExpr("sum(id % 7)").Collect(ctx)`, `spark.Range(0, 42).Count(ctx)`, `(?m)^42\r?$`,
		"nowhere", `undefined: nowhere`, "func twice(i int) int {\rreturn 2 * i\r}\r" + `fmt.Println("twice", twice(21))`, `twice 42`, ":quit"},
}

// TestShells: what users type into shells, on one slot, so that a query that is not cancelled keeps all others from running.
func TestShells(t *testing.T) {
	for _, master := range []string{"local[1]", "local-cluster[1,1,512]"} {
		for _, s := range shells {
			t.Run(s.name+" on "+master, func(t *testing.T) {
				x := open(t, binary, s.name, "--master", master)
				x.ready(s)
				x.enter(s.short)
				x.see(s.answer)
				x.enter(s.lines)
				x.see(s.whole)
				x.ready(s)
				x.enter(s.mistake)
				x.see(s.error)
				x.ready(s)
				x.enter(s.endless)
				x.see(`\[Stage \d+:`) // it runs
				x.press('c')
				x.see("The query was interrupted")
				x.ready(s)
				x.enter(s.short)
				x.see(s.answer)
				children := descendants(t, x.cmd.Process.Pid)
				if strings.Contains(master, "cluster") != (len(children) == 1) {
					t.Errorf("it has the children %v", children)
				}
				x.ready(s)
				x.press('d')
				if code := x.ends(); code != 0 {
					t.Errorf("exit status %d after Ctrl-D", code)
				}
				gone(t, children)
			})
		}
	}
}

// TestShellsAreLeft: in all ways but Ctrl-D, also in the middle of a query. No process is left behind.
func TestShellsAreLeft(t *testing.T) {
	for _, s := range shells {
		for _, way := range []struct {
			name string
			busy bool
			do   func(x *terminal)
			code int
		}{
			{"Ctrl-C twice at the prompt", false, func(x *terminal) { x.press('c'); x.see("Ctrl-C again leaves"); x.ready(s); x.press('c') }, 130},
			{"its word", false, func(x *terminal) { x.enter(s.quit) }, 0},
			{"Ctrl-C twice in a query", true, func(x *terminal) { x.press('c'); x.press('c') }, -2},
			{"the terminal is closed", true, func(x *terminal) { _ = x.tty.Close() }, -2},
			{"SIGTERM", true, func(x *terminal) { _ = x.cmd.Process.Signal(syscall.SIGTERM) }, -2},
			{"SIGTERM at the prompt", false, func(x *terminal) { _ = x.cmd.Process.Signal(syscall.SIGTERM) }, 0},
		} {
			t.Run(s.name+": "+way.name, func(t *testing.T) {
				x := open(t, binary, s.name, "--master", "local-cluster[1,1,512]")
				x.ready(s)
				if way.busy {
					x.enter(s.endless)
					x.see(`\[Stage \d+:`)
				}
				children := descendants(t, x.cmd.Process.Pid)
				way.do(x)
				if way.name == "Ctrl-C twice in a query" { // the first may have ended it before the second came
					select {
					case <-x.done:
					case <-time.After(2 * time.Second):
						x.press('c')
						x.see("Ctrl-C again leaves")
						x.ready(s)
						x.press('c')
					}
				}
				if code := x.ends(); code != way.code && way.code != -2 {
					t.Errorf("exit status %d", code)
				}
				gone(t, children)
			})
		}
	}
}

// TestLinks: links to the binary by the names of Spark's shells are those shells.
func TestLinks(t *testing.T) {
	for _, s := range shells {
		t.Run(s.link, func(t *testing.T) {
			link := filepath.Join(t.TempDir(), s.link)
			if err := os.Symlink(binary, link); err != nil {
				t.Fatal(err)
			}
			x := open(t, link, "--master", "local[1]")
			x.ready(s)
			x.enter(s.short)
			x.see(s.answer)
			x.ready(s)
			x.press('d')
			if code := x.ends(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		})
	}
}

// TestProgressBar: it counts the tasks that run on executors of all masters.
func TestProgressBar(t *testing.T) {
	for _, master := range []string{"local[2]", "local-cluster[2,1,512]", cluster(t, 2, 1)} {
		t.Run(strings.TrimRight(master, "0123456789.:"), func(t *testing.T) {
			x := open(t, binary, "sql", "--master", master, "--executor-memory", "512m", "-e", "select sum(id % 7) from range(0, 1200000000, 1, 6)")
			bar := x.see(`\[Stage \d+:=*>? *\((\d+) \+ (\d+)\) / (\d+)\]`)
			if bar[2] == "0" || bar[3] != "6" {
				t.Errorf("the first bar is %q", bar[0])
			}
			bar = x.see(`\[Stage \d+:=*>? *\(([1-5]) \+ (\d+)\) / 6\]`)
			if bar[1] == "0" {
				t.Errorf("no task ends: %q", bar[0])
			}
			x.press('c')
			x.ends()
		})
	}
}
