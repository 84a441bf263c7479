package vfs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Local is the machine's own file system. Files opened for reading are mapped and the mappings kept, see mapping.go.
type Local struct{ maps *mappings }

// NewLocal makes the local file system with an empty cache of mappings.
func NewLocal() *Local { return &Local{newMappings(maxMapped)} }

// LimitMapped bounds the bytes of files that are mapped at a time; what does not fit is read by copying.
func (l *Local) LimitMapped(n int64) {
	l.maps.mu.Lock()
	l.maps.budget = n
	l.maps.mu.Unlock()
}

// localPath turns what follows "file:" into an absolute path: /a, ///a, //localhost/a, or relative to the working directory.
func localPath(rest string) (string, error) {
	if strings.HasPrefix(rest, "//") {
		rest = strings.TrimPrefix(rest[2:], "localhost")
		rest = "/" + strings.TrimLeft(rest, "/")
	}
	return filepath.Abs(rest)
}

// URI implements FS; Spark prints local paths with one slash.
func (l *Local) URI(path string) string { return "file:" + path }

// Open implements FS.
func (l *Local) Open(_ context.Context, path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if st.IsDir() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	}
	return &localFile{File: f, info: infoOf(path, st), maps: l.maps}, nil
}

func infoOf(path string, st fs.FileInfo) Info {
	i := Info{Path: path, Size: st.Size(), ModTime: st.ModTime().UnixMilli(), IsDir: st.IsDir()}
	i.Version = uint64(st.ModTime().UnixNano())*0x9E3779B97F4A7C15 + inode(st)
	if i.IsDir {
		i.Size = 0
	}
	return i
}

type localFile struct {
	*os.File
	info   Info
	maps   *mappings
	m      *mapping
	noView bool
}

func (f *localFile) Info() Info { return f.info }

// View implements File: the first call takes the file's mapping from the cache.
func (f *localFile) View(off, n int64) ([]byte, bool) {
	if f.m == nil && !f.noView {
		f.m = f.maps.get(f.File, f.info)
		f.noView = f.m == nil
	}
	if f.m == nil || off < 0 || n < 0 || off > int64(len(f.m.data))-n {
		return nil, false
	}
	return f.m.data[off : off+n : off+n], true
}

// Forget implements File.
func (f *localFile) Forget(off, n int64) {
	if f.m != nil && off >= 0 && n > 0 && off <= int64(len(f.m.data))-n {
		f.maps.forget(f.m, off, n)
	}
}

func (f *localFile) Close() error {
	if f.m != nil {
		f.maps.put(f.m)
		f.m, f.noView = nil, true
	}
	return f.File.Close()
}

// Create implements FS by a hidden temporary name and a rename; missing parents are made.
func (l *Local) Create(_ context.Context, path string) (Writer, error) {
	var r [8]byte
	if _, err := rand.Read(r[:]); err != nil {
		return nil, err
	}
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(r[:])+".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			f, err = os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		}
	}
	if err != nil {
		return nil, err
	}
	return &localWriter{File: f, tmp: tmp, path: path}, nil
}

type localWriter struct {
	*os.File
	tmp, path string
	done      bool
}

func (w *localWriter) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	err := w.File.Close()
	if err == nil {
		err = os.Rename(w.tmp, w.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(w.tmp))
	}
	return nil
}

func (w *localWriter) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	return errors.Join(w.File.Close(), os.Remove(w.tmp))
}

// Stat implements FS.
func (l *Local) Stat(_ context.Context, path string) (Info, error) {
	st, err := os.Stat(path)
	if err != nil {
		return Info{}, err
	}
	return infoOf(path, st), nil
}

// List implements FS.
func (l *Local) List(ctx context.Context, path string) ([]Info, error) {
	st, err := l.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir {
		return []Info{st}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	out := make([]Info, 0, len(entries))
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		info, err := l.Stat(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the directory was read, or a dangling link
		}
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return sortInfos(out), nil
}

// MkdirAll implements FS.
func (l *Local) MkdirAll(_ context.Context, path string) error { return os.MkdirAll(path, 0o755) }

// Rename implements FS; parents of the new name are made.
func (l *Local) Rename(_ context.Context, from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Remove implements FS.
func (l *Local) Remove(_ context.Context, path string) error { return os.RemoveAll(path) }

// RemoveEmpty implements FS.
func (l *Local) RemoveEmpty(_ context.Context, path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) { // the latter stands for not empty
		return nil
	}
	return err
}

// Grow implements Grower. What is written is seen at once, and outlives the process.
func (l *Local) Grow(_ context.Context, path string, mode uint32) (Growing, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(fs.FileMode(mode)); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return growing{f}, nil
}

type growing struct{ *os.File }

func (growing) Flush() error { return nil }

// SetPermission implements Grower.
func (l *Local) SetPermission(_ context.Context, path string, mode uint32) error {
	return os.Chmod(path, fs.FileMode(mode))
}
