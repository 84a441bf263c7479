// Package examples_test builds the examples as users do, and runs them on all masters that need nothing else.
package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit bounds everything that the test waits for.
const limit = 90 * time.Second

func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	out := filepath.Join(dir, filepath.Base(pkg))
	if b, err := exec.Command("go", "build", "-o", out, pkg).CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, b)
	}
	return out
}

// start runs a daemon until the test ends, and gives what the first line of its stderr that matches has in parentheses.
func start(t *testing.T, line string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = t.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = w
	if err := errors.Join(cmd.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(limit/3, func() { cmd.Process.Kill() })
		cmd.Wait()
		if !kill.Stop() {
			t.Errorf("%v does not end", argv)
		}
	})
	found := make(chan string, 1)
	go func() {
		defer r.Close()
		re := regexp.MustCompile(line)
		for in := bufio.NewScanner(r); in.Scan(); {
			if m := re.FindStringSubmatch(in.Text()); m != nil {
				select {
				case found <- m[len(m)-1]:
				default:
				}
			}
		}
		close(found)
	}()
	select {
	case s, ok := <-found:
		if !ok {
			t.Fatalf("%v ends at once", argv)
		}
		return s
	case <-time.After(limit):
		t.Fatalf("%v does not start", argv)
	}
	return ""
}

func run(t *testing.T, master string, argv ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "MASTER="+master, "SPARK_LOCAL_DIRS="+t.TempDir())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, errs.String())
	}
	return out.String(), err
}

func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and starts programs")
	}
	dir := t.TempDir()
	firesteel := build(t, dir, "../../cmd/firesteel")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("The wind, the rain and the sun.\nRain again\n\nthe end\n", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	master := start(t, `master at (spark://\S+:\d+)`, firesteel, "master", "--port", "0", "--webui-port", "-1", "--rest-port", "-1")
	start(t, `(registered|worker)`, firesteel, "worker", master, "--port", "0", "--webui-port", "-1", "--cores", "2", "--memory", "2g",
		"--work-dir", t.TempDir())
	for _, x := range []struct{ name, want string }{
		{"wordcount", "800 the\n400 rain\n200 again\n200 and\n200 end\n200 sun\n200 wind\n"},
		{"dataset", "5 letters: again (200 times)\n4 letters: rain, wind (600 times)\n3 letters: and, end, sun, the (1400 times)\n"},
		{"sql", "+------+-----+-----+\n|letter|lines|words|\n+------+-----+-----+\n|     t|  400| 1800|\n|     r|  200|  400|\n+------+-----+-----+\n\n"},
	} {
		program := build(t, dir, "./"+x.name)
		for _, m := range []string{"local[2]", "local-cluster[2,1,1024]", master} {
			t.Run(x.name+" on "+strings.TrimRight(m, "0123456789.:"), func(t *testing.T) {
				out, err := run(t, m, program, text)
				if err != nil || out != x.want {
					t.Errorf("%v\n%s\nwanted\n%s", err, out, x.want)
				}
			})
		}
		t.Run(x.name+" submitted", func(t *testing.T) {
			out, err := run(t, "", firesteel, "submit", "--master", "local-cluster[1,2,1024]", program, text)
			if err != nil || out != x.want {
				t.Errorf("%v\n%s\nwanted\n%s", err, out, x.want)
			}
		})
	}
}
