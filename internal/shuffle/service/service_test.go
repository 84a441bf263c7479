package service

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, secret string) *Server {
	t.Helper()
	s, err := Start(Options{Address: "127.0.0.1:0", RPC: rpc.Config{Secret: secret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var longs = types.NewSchema(types.Field{Name: "k", Type: types.Long})

// executorOf makes the folder of an executor with the outputs of maps of shuffle 0, two partitions each, and other files.
func executorOf(t *testing.T, root string, app event.AppID, id event.ExecutorID, maps int) (*memory.Dirs, *shuffle.Files, []shuffle.MapStatus) {
	t.Helper()
	dirs := memory.NewDirs(filepath.Join(root, "firesteel-"+string(app), "executor-"+string(id)))
	files := shuffle.NewFiles(dirs, id, "127.0.0.1", true, nil)
	var out []shuffle.MapStatus
	for m := range maps {
		acc := memory.NewPool(memory.Config{Budget: 1 << 24, StorageFraction: 0.5}).Account("test")
		w, err := files.Writer(shuffle.Output{Shuffle: 0, Map: m, Partitions: 2, Schema: longs, Mem: acc})
		if err != nil {
			t.Fatal(err)
		}
		k := columnar.NewBuilder(types.Long, 4)
		for i := range 4 {
			k.Append(int64(m*4 + i))
		}
		b := &columnar.Batch{Schema: longs, N: 4, Cols: []columnar.Vector{k.Finish()}}
		if err := w.Write(t.Context(), b, []uint32{0, 1, 2, 3}, []uint32{0, 2, 4}); err != nil {
			t.Fatal(err)
		}
		st, err := w.Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, st)
	}
	f, err := dirs.Create("spill_")
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	return dirs, files, out
}

func link(t *testing.T, s *Server, secret string, r Registration) *Link {
	t.Helper()
	if r.Grace == 0 {
		r.Grace = time.Hour
	}
	l := NewLink(s.Address(), rpc.Config{Secret: secret}, r)
	t.Cleanup(l.Close)
	if err := l.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func gone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// An executor's outputs are served when it is gone, dropped with their shuffle, and gone with the application.
func TestServe(t *testing.T) {
	s, root := serve(t, "s"), t.TempDir()
	dirs, _, maps := executorOf(t, root, "app-1", "7", 3)
	exec := link(t, s, "s", Registration{App: "app-1", Executor: "7", Folders: dirs.All()})
	drv := link(t, s, "s", Registration{App: "app-1"})
	exec.Close()
	c := block.NewClient(block.Options{RPC: rpc.Config{Secret: "s"}})
	defer c.Close()
	peers := shuffle.Peers{Service: &shuffle.Service{Client: c, App: "app-1", Port: s.Port()}}
	reader := shuffle.NewFiles(memory.NewDirs(t.TempDir()), "8", "127.0.0.1", true, peers)
	read := func() (n, sum int64, err error) {
		r, err := reader.Reader(t.Context(), shuffle.Request{Shuffle: 0, Schema: longs, Maps: maps, From: 0, To: 2})
		if err != nil {
			return 0, 0, err
		}
		defer r.Close()
		for {
			b, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				return n, sum, nil
			}
			if err != nil {
				return n, sum, err
			}
			for i := range b.N {
				n, sum = n+1, sum+b.Cols[0].ValueAt(i).(int64)
			}
		}
	}
	if n, sum, err := read(); n != 12 || sum != 66 || err != nil {
		t.Errorf("%d rows of sum %d, %v", n, sum, err)
	}
	part := shuffle.Part{Shuffle: 0, Map: 1, From: 0, To: 2}
	if st, err := c.Check(t.Context(), s.Address(), part.Outside("app-1", "7")); st != block.Sound || err != nil {
		t.Errorf("state %d, %v", st, err)
	}
	if st, err := c.Check(t.Context(), s.Address(), part.Outside("app-1", "8")); st != block.Gone || err != nil {
		t.Errorf("state %d, %v", st, err)
	}
	if err := drv.Drop(0); err != nil {
		t.Fatal(err)
	}
	wait(t, "the shuffle was not dropped", func() bool {
		files, _ := filepath.Glob(filepath.Join(dirs.All()[0], "shuffle_*"))
		return len(files) == 0
	})
	var failed *event.FetchError
	if _, _, err := read(); !errors.As(err, &failed) || !errors.Is(err, block.ErrGone) {
		t.Errorf("error %v", err)
	}
	if err := drv.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !gone(filepath.Join(root, "firesteel-app-1")) {
		t.Error("the application's folder is left")
	}
}

// An application whose processes are all gone is forgotten, but not at once.
func TestAbandoned(t *testing.T) {
	s, root := serve(t, ""), t.TempDir()
	dirs, _, _ := executorOf(t, root, "app-1", "0", 1)
	r := Registration{App: "app-1", Executor: "0", Folders: dirs.All(), Grace: 30 * time.Millisecond}
	exec, drv := link(t, s, "", r), link(t, s, "", Registration{App: "app-1", Grace: 30 * time.Millisecond})
	exec.Close()
	time.Sleep(100 * time.Millisecond)
	if gone(dirs.All()[0]) {
		t.Fatal("it was forgotten while its driver lived")
	}
	drv.Close()
	wait(t, "it was not forgotten", func() bool { return gone(filepath.Join(root, "firesteel-app-1")) })
}

// A link is made again when the service comes back.
func TestRestart(t *testing.T) {
	s, root := serve(t, ""), t.TempDir()
	dirs, _, _ := executorOf(t, root, "app-1", "0", 1)
	link(t, s, "", Registration{App: "app-1", Executor: "0", Folders: dirs.All()})
	addr := s.Address()
	s.rpc.Close()
	again, err := Start(Options{Address: addr})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	wait(t, "it did not register again", func() bool { return len(again.folders("app-1", "0")) == 1 })
}

// Folders of others, links and names that lead elsewhere are refused, and so is who does not know the secret.
func TestRefused(t *testing.T) {
	s, root := serve(t, "s"), t.TempDir()
	dirs, _, _ := executorOf(t, root, "app-1", "0", 1)
	good := dirs.All()[0]
	other, _, _ := executorOf(t, root, "app-2", "0", 1)
	linked := filepath.Join(filepath.Dir(good), "link")
	if err := os.Symlink(root, linked); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{root, "relative", other.All()[0], good + "/../x", filepath.Dir(good), linked, "/", ""} {
		l := NewLink(s.Address(), rpc.Config{Secret: "s"}, Registration{App: "app-1", Executor: "0", Folders: []string{dir}})
		if err := l.Register(t.Context()); err == nil || !strings.Contains(err.Error(), "is no folder of executor") {
			t.Errorf("%q: error %v", dir, err)
		}
		l.Close()
	}
	link(t, s, "s", Registration{App: "app-1", Executor: "0", Folders: []string{good}})
	for _, name := range []string{"app/app-1/0/shuffle_0_0_0_9", "app/app-1/0/../../etc/passwd", "app/app-1/0/shuffle_0_../../0_0_1", "shuffle_0_0_0_1", "", "app/app-2/0/shuffle_0_0_0_1", "app/app-1//shuffle_0_0_0_1"} {
		if r, err := s.Open(name); err == nil {
			t.Errorf("%q was opened", name)
			_ = r.Close()
		}
	}
	var refused *rpc.RefusedError
	l := NewLink(s.Address(), rpc.Config{Secret: "x"}, Registration{App: "app-1"})
	if err := l.Register(context.Background()); !errors.As(err, &refused) {
		t.Errorf("error %v", err)
	}
	l.Close()
	if _, err := Start(Options{Address: "0.0.0.0:0"}); err == nil || !strings.Contains(err.Error(), "without a secret") {
		t.Errorf("error %v", err)
	}
}

// The whole file of an output can be read, and damage of it is found.
func TestWhole(t *testing.T) {
	s, root := serve(t, ""), t.TempDir()
	dirs, _, _ := executorOf(t, root, "app-1", "0", 1)
	link(t, s, "", Registration{App: "app-1", Executor: "0", Folders: dirs.All()})
	path := filepath.Join(dirs.All()[0], shuffle.FileName(0, 0))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := block.NewClient(block.Options{})
	defer c.Close()
	name := shuffle.Part{Shuffle: 0, Map: 0, To: -1}.Outside("app-1", "0")
	r := c.Open(t.Context(), s.Address(), name, 0)
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
	}
	_ = r.Close()
	data[10] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if st, err := c.Check(t.Context(), s.Address(), name); st != block.Damaged || err != nil {
		t.Errorf("state %d, %v", st, err)
	}
}
