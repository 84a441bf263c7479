package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

func open(t *testing.T, path string) *Log {
	t.Helper()
	l, err := Open(conf.NewValues(map[string]string{PathKey: path}), "app-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// lines reads the file; each line must be a JSON object of its own.
func lines(t *testing.T, path string) (out []line) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(b)) {
		var n line
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if n.Event != settled {
			out = append(out, n)
		}
	}
	return out
}

func begin(t *testing.T, l *Log, a Action) *Entry {
	t.Helper()
	e, err := l.Begin(a)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	hostile := "select 1 -- \n{\"event\":\"end\"}\n\x00\xff\u2028 where password='x'"
	for status, err := range map[string]error{Succeeded: nil, Failed: errors.New("no"), Cancelled: sparkerr.New("OPERATION_CANCELED", "operationId", "o")} {
		before := len(lines(t, path))
		e := begin(t, l, Action{Name: "execute", User: "u\n", Peer: "127.0.0.1:1", Session: "s", Operation: "o", Tags: []string{"a"}, Statement: hostile})
		if got := e.End(Outcome{Rows: 7, Err: err}); got != err {
			t.Errorf("the error became %v", got)
		}
		n := lines(t, path)[before:]
		if len(n) != 2 || n[0].Event != begins || n[1].Event != ends || n[0].ID != n[1].ID || n[0].Status != "" || n[1].Status != status || *n[1].Rows != 7 ||
			n[1].Millis == nil || n[0].App != "app-1" || n[1].User != "u\n" || n[1].Peer != "127.0.0.1:1" || n[0].Process != os.Getpid() {
			t.Fatalf("%s: %+v", status, n)
		}
		if s := n[0].Statement; !strings.HasPrefix(s, "select 1 -- \n{") || strings.Contains(s, "'x'") || n[1].Statement != "" {
			t.Errorf("the statements are %q and %q", s, n[1].Statement)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	long := begin(t, l, Action{Name: "execute", Statement: strings.Repeat("é", 1<<20)})
	n := lines(t, path)
	if s := n[len(n)-1].Statement; len(s) > mostText+100 || !strings.HasSuffix(s, "… (2097152 bytes)") {
		t.Errorf("a long statement has %d bytes: …%s", len(s), s[len(s)-30:])
	}
	_ = long.End(Outcome{Rows: -1})
	var off *Log
	if err := off.Do(Action{}, func() error { return nil }); err != nil || off.Close() != nil {
		t.Error(err)
	}
}

// TestLost checks that the lines which a dead process owes are written, and only by a process that has the file to itself.
func TestLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if os.Getenv("AUDIT_TEST_PATH") != "" {
		l := open(t, os.Getenv("AUDIT_TEST_PATH"))
		_ = begin(t, l, Action{Name: "done"}).End(Outcome{Rows: -1})
		for i := range 3 {
			begin(t, l, Action{Name: fmt.Sprint("lost", i), User: "u", Statement: strings.Repeat("x", 900)})
		}
		_, _ = l.file.WriteString(`{"event":"begin","id":"half`)
		os.Exit(3)
	}
	other := open(t, path)
	mine := begin(t, other, Action{Name: "mine"})
	child := exec.Command(os.Args[0], "-test.run=^TestLost$")
	child.Env = append(os.Environ(), "AUDIT_TEST_PATH="+path)
	if out, err := child.CombinedOutput(); child.ProcessState.ExitCode() != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
	lost := func() (names []string) {
		b, _ := os.ReadFile(path)
		for text := range strings.Lines(string(b)) {
			var n line
			if json.Unmarshal([]byte(text), &n) == nil && n.Status == Lost {
				names = append(names, n.Name)
			}
		}
		return names
	}
	again := open(t, path)
	if got := lost(); got != nil {
		t.Errorf("%v were told while another process has the file", got)
	}
	_ = again.Close()
	_ = mine.End(Outcome{Rows: -1})
	_ = other.Close()
	for range 2 { // the second has nothing to tell
		l := open(t, path)
		begin(t, l, Action{Name: "after"}).End(Outcome{Rows: -1})
		_ = l.Close()
		if got := fmt.Sprint(lost()); got != "[lost0 lost1 lost2]" {
			t.Errorf("lost: %s", got)
		}
	}
}

// TestLargeFile checks that the search goes back beyond its first look, and no further than the last settled line.
func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	old := begin(t, l, Action{Name: "old"})
	for range 2000 {
		_ = begin(t, l, Action{Name: "other", Peer: strings.Repeat("x", 500)}).End(Outcome{Rows: -1})
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	if got, err := unfinished(f, info.Size()); err != nil || len(got) != 1 || got[0].ID != old.id || info.Size() < firstLook*2 {
		t.Errorf("%d bytes: %v %v", info.Size(), got, err)
	}
}

// TestSharedAndMoved: several logs append to one file, which is moved away meanwhile. No line is lost or mixed with another.
func TestSharedAndMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var all sync.WaitGroup
	for range 4 {
		l := open(t, path)
		all.Go(func() {
			for range 200 {
				if err := l.Do(Action{Name: "a", Peer: strings.Repeat("x", 5000)}, func() error { return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if n := len(lines(t, path)) + len(lines(t, path+".1")); n != 1600 {
		t.Errorf("%d lines", n)
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "audit"), "/dev/full"} {
		if l, err := Open(conf.NewValues(map[string]string{PathKey: path}), ""); err == nil || !strings.Contains(err.Error(), PathKey) {
			t.Errorf("%s: %v %v", path, l, err)
		}
	}
	path := filepath.Join(dir, "audit")
	l := open(t, path)
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	ran := false
	err := l.Do(Action{Name: "a"}, func() error { ran = true; return nil })
	if !sparkerr.Is(err, "AUDIT_LOG_NOT_WRITABLE") || ran {
		t.Errorf("it ran: %t; %v", ran, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := l.Do(Action{Name: "a"}, func() error { return nil }); err != nil || len(lines(t, path)) != 2 {
		t.Errorf("it does not recover: %v", err)
	}
}

// TestRefusals: of a flood of refusals only some are written, and none is forgotten.
func TestRefusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	for range 1000 {
		l.Refuse(Action{Name: "connect", Peer: "127.0.0.1:9"}, "no token")
	}
	n := lines(t, path)
	if len(n) > 3*refusals || n[0].Status != Refused || n[0].Event != ends {
		t.Fatalf("%d lines, %+v", len(n), n[0])
	}
	l.refused.second = l.refused.second.Add(-2e9)
	l.Refuse(Action{Name: "connect"}, "no token")
	last := lines(t, path)
	if want := fmt.Sprintf("(%d more", 1000-len(n)); !strings.Contains(last[len(last)-1].Error, want) {
		t.Errorf("%s lacks %s", last[len(last)-1].Error, want)
	}
}
