package files

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// pair is a depot and a folder that gets its files from there.
type pair struct {
	*Depot
	*Folder
	dir     string
	fetched atomic.Int64
	spoil   func(io.ReadCloser) io.ReadCloser // nil: files come as they are
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{dir: t.TempDir()}
	root := t.TempDir()
	p.Depot = NewDepot(func() (string, error) { return root, nil }, vfs.NewRegistry())
	var err error
	p.Folder, err = NewFolder(p.dir, func(_ context.Context, f *File) (io.ReadCloser, error) {
		p.fetched.Add(1)
		in, _, err := p.Open(f.Block())
		if err != nil || p.spoil == nil {
			return in, err
		}
		return p.spoil(in), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ready tells the folder what the depot has and waits until it is there.
func (p *pair) ready(t *testing.T) error {
	t.Helper()
	p.Want(p.All())
	return p.Ready(t.Context())
}

// write makes a file.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// text is what a file has in it.
func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func condition(err error) string {
	e, _ := sparkerr.As(err)
	if e == nil {
		return ""
	}
	return e.Condition
}

func zipped(t *testing.T, path string, entries map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range entries {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, path, b.String())
}

// TestDelivery: files and archives come once, as they were when they were added, under the names that were given.
func TestDelivery(t *testing.T) {
	p, from := newPair(t), t.TempDir()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "of the web") }))
	defer web.Close()
	a := write(t, filepath.Join(from, "a.txt"), "first")
	for _, given := range []string{a, a, "file:" + a + "#other name", web.URL + "/b.txt?version=1", "local:/on/all/machines"} {
		if err := p.Depot.Add(t.Context(), given, false); err != nil {
			t.Fatalf("%s: %v", given, err)
		}
	}
	for _, given := range []string{zipped(t, filepath.Join(from, "env.zip"), map[string]string{"bin/run": "go"}) + "#env"} {
		if err := p.Depot.Add(t.Context(), given, true); err != nil {
			t.Fatal(err)
		}
	}
	write(t, a, "changed afterwards")
	for range 2 {
		if err := p.ready(t); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"a.txt": "first", "other name": "first", "b.txt": "of the web", "env/bin/run": "go"} {
		if there, here := text(t, p.Folder.Path(name)), text(t, p.Depot.Path(name)); there != want || here != want {
			t.Errorf("%s: %q there, %q here", name, there, here)
		}
	}
	if n := p.fetched.Load(); n != 4 {
		t.Errorf("%d files were fetched", n)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// TestManyAtOnce: tasks that begin at the same time wait for the one that fetches.
func TestManyAtOnce(t *testing.T) {
	p := newPair(t)
	a := write(t, filepath.Join(t.TempDir(), "a"), strings.Repeat("x", 1<<20))
	if err := p.Depot.Add(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	p.Want(p.All())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := p.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(p.Folder.Path("a")); err != nil || info.Size() != 1<<20 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
	all.Wait()
	if n := p.fetched.Load(); n != 1 {
		t.Errorf("it was fetched %d times", n)
	}
}

// TestRefused: what is added must have a name that stays in the folder, be there, and be of one kind.
func TestRefused(t *testing.T) {
	p, dir := newPair(t), t.TempDir()
	a := write(t, filepath.Join(dir, "a"), "1")
	b := write(t, filepath.Join(dir, "b"), "2")
	if err := p.Depot.Add(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	outside := zipped(t, filepath.Join(dir, "outside.zip"), map[string]string{"../../escaped": "x"})
	for _, c := range []struct {
		given   string
		archive bool
		want    string
	}{
		{a + "#..", false, "INVALID_ARTIFACT_PATH"},
		{a + "#../b", false, "INVALID_ARTIFACT_PATH"},
		{a + "#/etc/passwd", false, "INVALID_ARTIFACT_PATH"},
		{a + `#..\b`, false, "INVALID_ARTIFACT_PATH"},
		{a + "#b\x00c", false, "INVALID_ARTIFACT_PATH"},
		{a + "#" + strings.Repeat("n", 256), false, "INVALID_ARTIFACT_PATH"},
		{"/", false, "INVALID_ARTIFACT_PATH"},
		{filepath.Join(dir, "missing"), false, "PATH_NOT_FOUND"},
		{dir + "#x", false, "UNSUPPORTED_ADD_FILE.DIRECTORY"},
		{b + "#a", false, "ARTIFACT_ALREADY_EXISTS"},
		{a, true, "UNSUPPORTED_CALL.WITHOUT_SUGGESTION"},
		{outside, true, "INVALID_ARCHIVE.ENTRY"},
		{write(t, filepath.Join(dir, "no.tar.gz"), "no archive"), true, "INVALID_ARCHIVE.DAMAGED"},
	} {
		if err := p.Depot.Add(t.Context(), c.given, c.archive); condition(err) != c.want {
			t.Errorf("%q: %v", c.given, err)
		}
	}
	if err := p.ready(t); err != nil || len(p.All()) != 1 {
		t.Errorf("%v, %d files", err, len(p.All()))
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(p.dir), "escaped")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was written outside of the folder")
	}
}

// TestHostileList: what a driver says is checked, and nothing in the folder is written over or through.
func TestHostileList(t *testing.T) {
	p := newPair(t)
	if err := p.Depot.Add(t.Context(), write(t, filepath.Join(t.TempDir(), "a"), "theirs"), false); err != nil {
		t.Fatal(err)
	}
	other := write(t, filepath.Join(t.TempDir(), "victim"), "mine")
	for name, want := range map[string]string{"../a": "INVALID_ARTIFACT_PATH", "/tmp/a": "INVALID_ARTIFACT_PATH", "": "INVALID_ARTIFACT_PATH",
		"mine": "ARTIFACT_ALREADY_EXISTS", "link": "ARTIFACT_ALREADY_EXISTS"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "mine"), "mine")
		if err := os.Symlink(other, filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		f, err := NewFolder(dir, func(context.Context, *File) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("theirs")), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		list := p.All()[0]
		list.Name = name
		f.Want([]File{list})
		if err := f.Ready(t.Context()); condition(err) != want {
			t.Errorf("%q: %v", name, err)
		}
		if text(t, filepath.Join(dir, "mine")) != "mine" || text(t, other) != "mine" {
			t.Errorf("%q: a file was written over", name)
		}
	}
}

// TestBrought: what a cluster manager has brought is taken as it is.
func TestBrought(t *testing.T) {
	p := newPair(t)
	a := write(t, filepath.Join(t.TempDir(), "a"), "the same")
	if err := p.Depot.Add(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(a, filepath.Join(p.dir, "a")); err != nil { // as YARN does
		t.Fatal(err)
	}
	if err := p.ready(t); err != nil || p.fetched.Load() != 0 {
		t.Errorf("%v, %d fetched", err, p.fetched.Load())
	}
}

// cut is a stream that ends early.
type cut struct {
	io.Reader
	io.Closer
}

// TestDamaged: a file that comes cut, longer or changed is not there, nothing is left of it, and the next attempt gets it.
func TestDamaged(t *testing.T) {
	for what, spoil := range map[string]func(io.ReadCloser) io.ReadCloser{
		"cut":     func(r io.ReadCloser) io.ReadCloser { return cut{io.LimitReader(r, 5), r} },
		"longer":  func(r io.ReadCloser) io.ReadCloser { return cut{io.MultiReader(r, strings.NewReader("more")), r} },
		"changed": func(r io.ReadCloser) io.ReadCloser { return cut{strings.NewReader("elsewise"), r} },
		"broken": func(r io.ReadCloser) io.ReadCloser {
			return cut{io.MultiReader(io.LimitReader(r, 3), broken{}), r}
		},
	} {
		p := newPair(t)
		if err := p.Depot.Add(t.Context(), write(t, filepath.Join(t.TempDir(), "a"), "original"), false); err != nil {
			t.Fatal(err)
		}
		p.spoil = spoil
		if err := p.ready(t); condition(err) != "FILE_NOT_DELIVERED" || !strings.Contains(err.Error(), "file a ") {
			t.Errorf("%s: %v", what, err)
		}
		if left, err := os.ReadDir(p.dir); len(left) != 0 {
			t.Errorf("%s: %v is left, %v", what, left, err)
		}
		p.spoil = nil
		if err := p.ready(t); err != nil || text(t, p.Folder.Path("a")) != "original" {
			t.Errorf("%s: the second attempt: %v", what, err)
		}
	}
}

// broken is a stream that fails.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestChangedInDepot: executors do not take a copy that somebody has changed in the driver's folder, or removed.
func TestChangedInDepot(t *testing.T) {
	p := newPair(t)
	if err := p.Depot.Add(t.Context(), write(t, filepath.Join(t.TempDir(), "a"), "original"), false); err != nil {
		t.Fatal(err)
	}
	write(t, p.Depot.Path("a"), "elsewise")
	if err := p.ready(t); condition(err) != "FILE_NOT_DELIVERED" {
		t.Errorf("changed: %v", err)
	}
	if err := os.Remove(p.Depot.Path("a")); err != nil {
		t.Fatal(err)
	}
	if err := p.ready(t); condition(err) != "FILE_NOT_DELIVERED" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	if _, _, err := p.Open("file_1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was not added: %v", err)
	}
	if _, _, err := p.Open("../file_0"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a block that is none: %v", err)
	}
}

// TestGivenUp: a task that is told to end does not wait for another one's fetching.
func TestGivenUp(t *testing.T) {
	p := newPair(t)
	if err := p.Depot.Add(t.Context(), write(t, filepath.Join(t.TempDir(), "a"), "x"), false); err != nil {
		t.Fatal(err)
	}
	p.Folder.turn <- struct{}{} // somebody fetches
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("killed")
	cancel(why)
	p.Want(p.All())
	if err := p.Ready(ctx); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestRewrite(t *testing.T) {
	got, err := Rewrite(" /a/b#c, local:/d#e,,f ", func(a string) (string, error) { return filepath.Base(a) + "!", nil })
	if err != nil || got != "b!#c,local:/d#e,f!" {
		t.Errorf("%q, %v", got, err)
	}
}
