package vfs

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// residentFiles are the bytes of mapped files in this process.
func residentFiles(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "RssFile:")
	if !ok {
		t.Skip("this kernel does not tell mapped files apart")
	}
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// What was read of a mapped file leaves the process, and can be read again.
func TestForgottenPagesLeave(t *testing.T) {
	const size, part = 128 << 20, 1 << 20
	l := NewLocal()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := l.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := residentFiles(t)
	for range 2 {
		for off := int64(0); off < size; off += part {
			v, ok := f.View(off, part)
			if !ok {
				t.Skip("no mappings here")
			}
			for i := 0; i < len(v); i += 4096 {
				if v[i] != 0 {
					t.Fatal("other bytes than the file's")
				}
			}
			f.Forget(off, part)
		}
	}
	if grown := residentFiles(t) - before; grown > maxTouched+16<<20 {
		t.Errorf("%d bytes of the file are resident", grown)
	}
	f.Forget(-1, 5)
	f.Forget(size-1, 5)
}
