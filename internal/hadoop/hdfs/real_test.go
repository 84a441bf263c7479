package hdfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// real gives the cluster that scripts/clusters/yarn-up started, and an empty directory of it.
func real(t *testing.T) (*FS, string) {
	if os.Getenv("FIRESTEEL_YARN") == "" {
		t.Skip("no Hadoop: FIRESTEEL_YARN is not set (see scripts/clusters/yarn-up)")
	}
	c, err := hadoop.LoadConf(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := hadoop.CurrentUser(c)
	if err != nil {
		t.Fatal(err)
	}
	f := New(c, u)
	_, root := vfs.SplitScheme(Default(c) + "/tmp/firesteel-test-" + randomName())
	t.Cleanup(func() {
		if err := f.Remove(context.Background(), root); err != nil {
			t.Error(err)
		}
		f.Close()
	})
	return f, root
}

func randomName() string {
	return string([]byte{'a' + byte(rand.IntN(26)), 'a' + byte(rand.IntN(26)), 'a' + byte(rand.IntN(26))})
}

func TestRealContract(t *testing.T) {
	f, root := real(t)
	contract(t, f, root)
}

// Files of many blocks are read back in any order, and their blocks lie on the cluster's hosts.
func TestRealBlocks(t *testing.T) {
	f, root := real(t)
	ctx := context.Background()
	path := vfs.Join(root, "big")
	if err := f.MkdirAll(ctx, root); err != nil {
		t.Fatal(err)
	}
	f.conf["dfs.blocksize"] = "1048576"
	data := make([]byte, 5<<20+12345)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	if err := vfs.WriteFile(ctx, f, path, data); err != nil {
		t.Fatal(err)
	}
	got, err := vfs.ReadFile(ctx, f, path)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read %d bytes: %v", len(got), err)
	}
	h, err := f.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for range 200 {
		off := rand.IntN(len(data))
		b := make([]byte, rand.IntN(200_000))
		n, err := h.ReadAt(b, int64(off))
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if !bytes.Equal(b[:n], data[off:off+n]) {
			t.Fatalf("%d bytes at %d differ", n, off)
		}
	}
	for off := 0; off < len(data); off += 70_000 {
		b := make([]byte, min(70_000, len(data)-off))
		if _, err := h.ReadAt(b, int64(off)); err != nil || !bytes.Equal(b, data[off:off+len(b)]) {
			t.Fatalf("sequential read at %d: %v", off, err)
		}
	}
	hosts, err := f.Hosts(ctx, path, 0, int64(len(data)))
	if err != nil || len(hosts) == 0 {
		t.Fatalf("hosts %v, %v", hosts, err)
	}
	t.Log("hosts", hosts)
}

// contract is what package vfs wants of a file system.
func contract(t *testing.T, f *FS, root string) {
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, sub := vfs.Join(root, "a"), vfs.Join(root, "d", "e")
	must(vfs.WriteFile(ctx, f, a, []byte("hello")))
	must(vfs.WriteFile(ctx, f, a, []byte("again")))
	must(vfs.WriteFile(ctx, f, vfs.Join(root, "empty"), nil))
	must(vfs.WriteFile(ctx, f, vfs.Join(sub, "b"), []byte("x")))
	for name, want := range map[string]string{"a": "again", "empty": "", "d/e/b": "x"} {
		if got, err := vfs.ReadFile(ctx, f, vfs.Join(root, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	w, err := f.Create(ctx, vfs.Join(root, "gone"))
	must(err)
	_, err = w.Write(make([]byte, 100_000))
	must(err)
	must(w.Abort())
	l, err := f.List(ctx, root)
	must(err)
	if len(l) != 3 || l[0].Path != a || l[0].Size != 5 || !l[1].IsDir || l[2].Name() != "empty" {
		t.Errorf("list %+v", l)
	}
	if l, err := f.List(ctx, a); err != nil || len(l) != 1 || l[0].Path != a {
		t.Errorf("list of a file: %+v, %v", l, err)
	}
	must(f.Rename(ctx, vfs.Join(root, "d"), vfs.Join(root, "new", "g")))
	if ok, err := vfs.Exists(ctx, f, vfs.Join(sub, "b")); ok || err != nil {
		t.Errorf("the old name exists: %v, %v", ok, err)
	}
	must(f.Rename(ctx, vfs.Join(root, "new", "g", "e", "b"), a))
	if got, err := vfs.ReadFile(ctx, f, a); err != nil || string(got) != "x" {
		t.Errorf("after a rename over it: %q, %v", got, err)
	}
	must(f.Remove(ctx, vfs.Join(root, "new")))
	must(f.Remove(ctx, vfs.Join(root, "new")))
	for _, err := range []error{
		f.Rename(ctx, vfs.Join(root, "none"), vfs.Join(root, "x")),
		func() error { _, err := f.Open(ctx, vfs.Join(root, "none")); return err }(),
		func() error { _, err := f.List(ctx, vfs.Join(root, "none")); return err }(),
		func() error { _, err := f.Stat(ctx, vfs.Join(root, "none")); return err }(),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of a file that is not there: %v", err)
		}
	}
}

// A file that grows is flushed at any place: in the middle of checksums' chunks, at the end of blocks, and with nothing new.
func TestRealGrow(t *testing.T) {
	f, root := real(t)
	ctx := context.Background()
	if err := f.MkdirAll(ctx, root); err != nil {
		t.Fatal(err)
	}
	path := vfs.Join(root, "log")
	g, err := f.Grow(ctx, path, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Grow(ctx, path, 0o660); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the file exists, and the answer is %v", err)
	}
	var want bytes.Buffer
	for i := range 300 {
		line := bytes.Repeat([]byte{byte('a' + i%26)}, []int{1, 511, 512, 513, 100_000, 1 << 20}[i%6])
		want.Write(line)
		if _, err := g.Write(line); err != nil {
			t.Fatal(err)
		}
		for range i % 3 {
			if err := g.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(g.Close(), g.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := vfs.ReadFile(ctx, f, path); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes are read, want %d: %v", len(got), want.Len(), err)
	}
}
