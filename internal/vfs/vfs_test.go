package vfs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// suite is the contract of a file system; root is an empty directory of it.
func suite(t *testing.T, f FS, root string) {
	ctx := context.Background()
	a, sub := Join(root, "a"), Join(root, "d", "e")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(WriteFile(ctx, f, a, []byte("hello")))
	must(WriteFile(ctx, f, Join(sub, "b"), []byte("x")))
	got, err := ReadFile(ctx, f, a)
	must(err)
	if string(got) != "hello" {
		t.Fatalf("read %q", got)
	}
	h, err := f.Open(ctx, a)
	must(err)
	if v, ok := h.View(1, 3); ok && string(v) != "ell" {
		t.Fatalf("view %q", v)
	}
	if _, ok := h.View(3, 3); ok {
		t.Fatal("a view beyond the end")
	}
	must(h.Close())
	w, err := f.Create(ctx, Join(root, "gone"))
	must(err)
	must(w.Abort())
	l, err := f.List(ctx, root)
	must(err)
	if n := names(l); !reflect.DeepEqual(n, []string{"a", "d"}) {
		t.Fatalf("list %v", n)
	}
	must(f.Rename(ctx, Join(root, "d"), Join(root, "g")))
	if ok, err := Exists(ctx, f, Join(sub, "b")); ok || err != nil {
		t.Fatalf("old name exists: %v %v", ok, err)
	}
	if _, err := f.Stat(ctx, Join(root, "g", "e", "b")); err != nil {
		t.Fatal(err)
	}
	must(f.RemoveEmpty(ctx, Join(root, "g", "e")))
	if _, err := f.Stat(ctx, Join(root, "g", "e", "b")); err != nil {
		t.Fatalf("the directory that was removed held a file: %v", err)
	}
	must(f.MkdirAll(ctx, Join(root, "h")))
	must(f.RemoveEmpty(ctx, Join(root, "h")))
	must(f.RemoveEmpty(ctx, Join(root, "h")))
	if ok, err := Exists(ctx, f, Join(root, "h")); ok || err != nil {
		t.Fatalf("an empty directory is left: %v", err)
	}
	must(f.Remove(ctx, Join(root, "g")))
	must(f.Remove(ctx, Join(root, "g")))
	if _, err := f.Open(ctx, Join(root, "g", "e", "b")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("open of a removed file: %v", err)
	}
}

func names(l []Info) []string {
	var n []string
	for _, i := range l {
		n = append(n, i.Name())
	}
	return n
}

func TestContract(t *testing.T) {
	t.Run("local", func(t *testing.T) { suite(t, NewLocal(), t.TempDir()) })
	t.Run("memory", func(t *testing.T) { suite(t, NewMemory("mem"), "/x") })
	t.Run("faulty", func(t *testing.T) {
		suite(t, &Faulty{FS: NewMemory("mem"), Fail: func(Op, string, int) error { return nil }}, "/x")
	})
}

func TestGlob(t *testing.T) {
	ctx, f := context.Background(), NewMemory("mem")
	for _, p := range []string{"/t/y=2020/m=1/a.csv", "/t/y=2020/m=2/b.csv", "/t/y=2021/m=1/c.json", "/t/x.csv"} {
		if err := WriteFile(ctx, f, p, nil); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string][]string{
		"/t/*.csv":              {"/t/x.csv"},
		"/t/y=202?/m=1":         {"/t/y=2020/m=1", "/t/y=2021/m=1"},
		"/t/*/m={1,2}/*.{csv,}": {"/t/y=2020/m=1/a.csv", "/t/y=2020/m=2/b.csv"},
		"/t/y=202[^0]/*/*":      {"/t/y=2021/m=1/c.json"},
		"/t/y=20[0-9]0/m=[12]":  {"/t/y=2020/m=1", "/t/y=2020/m=2"},
		"/none/*":               nil,
	} {
		l, err := Glob(ctx, f, pattern)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range l {
			got = append(got, i.Path)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	r := NewRegistry()
	for uri, want := range map[string]string{"/a/b": "/a/b", "file:/a": "/a", "file:///a/b": "/a/b", "file://localhost/a": "/a"} {
		if _, p, err := r.Resolve(uri); err != nil || p != want {
			t.Errorf("%s: %q %v", uri, p, err)
		}
	}
	var e *SchemeError
	if _, _, err := r.Resolve("s3a://bucket/x"); !errors.As(err, &e) || e.Scheme != "s3a" {
		t.Errorf("s3a: %v", err)
	}
}

// A mapped file that is cut off while it is read gives an error, not a crash.
func TestTruncatedMapping(t *testing.T) {
	ctx, l := context.Background(), NewLocal()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := l.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, ok := f.View(1<<19, 1<<19)
	if !ok {
		t.Skip("no mappings here")
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	sum := 0
	err = Guard(func() error {
		for _, b := range v {
			sum += int(b)
		}
		return nil
	})
	if !errors.Is(err, ErrFault) {
		t.Fatalf("err = %v, sum %d", err, sum)
	}
	defer func() {
		if recover() == nil {
			t.Error("Guard must let other panics pass")
		}
	}()
	_ = Guard(func() error { panic("other") })
}

func TestMappingsAreKeptAndReplaced(t *testing.T) {
	ctx, l := context.Background(), NewLocal()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	view := func() []byte {
		t.Helper()
		f, err := l.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		v, ok := f.View(0, f.Info().Size)
		if !ok {
			t.Skip("no mappings here")
		}
		return v
	}
	if err := WriteFile(ctx, l, path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	a, b := view(), view()
	if &a[0] != &b[0] {
		t.Error("the second open mapped again")
	}
	if err := WriteFile(ctx, l, path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if c := view(); string(c) != "two" {
		t.Errorf("after replacement: %q", c)
	}
}

// Plain paths are of the default file system, once the registry knows one.
func TestDefaultFileSystem(t *testing.T) {
	r := NewRegistry()
	if got, err := r.Qualify("/a"); err != nil || got != "/a" {
		t.Errorf("%q, %v", got, err)
	}
	r.Register("mem", NewMemory("mem"))
	r.SetDefault(func() (string, string, error) { return "mem://host:1", "/user/ann", nil })
	for in, want := range map[string]string{"/a/b": "mem://host:1/a/b", "b/c": "mem://host:1/user/ann/b/c", "file:/a": "file:/a", "x:b": "x:b", "": ""} {
		if got, err := r.Qualify(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if f, p, err := r.Resolve("/a"); err != nil || f != r.by["mem"] || p != "//host:1/a" {
		t.Errorf("%v %q %v", f, p, err)
	}
	r.SetDefault(func() (string, string, error) { return "", "", nil })
	if f, p, err := r.Resolve("/a"); err != nil || f != r.by["file"] || p != "/a" {
		t.Errorf("%v %q %v", f, p, err)
	}
	broken := errors.New("broken configuration")
	r.SetDefault(func() (string, string, error) { return "", "", broken })
	if _, _, err := r.Resolve("/a"); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
