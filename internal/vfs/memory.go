package vfs

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"sync"
	"time"
)

// Memory is a file system in memory: for tests and for the mem: scheme. Directories exist while they were made or hold something.
type Memory struct {
	scheme string
	mu     sync.Mutex
	files  map[string]*memNode
	clock  int64
}

type memNode struct {
	data []byte
	info Info
}

// NewMemory makes an empty file system that prints its paths with the scheme.
func NewMemory(scheme string) *Memory {
	return &Memory{scheme: scheme, files: map[string]*memNode{}}
}

func clean(path string) string {
	if path = strings.TrimRight(path, "/"); path == "" {
		return "/"
	}
	return path
}

// URI implements FS.
func (m *Memory) URI(path string) string { return m.scheme + ":" + path }

func notExist(op, path string) error {
	return &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist}
}

// Open implements FS.
func (m *Memory) Open(_ context.Context, path string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.files[clean(path)]
	if n == nil || n.info.IsDir {
		return nil, notExist("open", path)
	}
	return &memFile{bytes.NewReader(n.data), n}, nil
}

type memFile struct {
	*bytes.Reader
	n *memNode
}

func (f *memFile) Info() Info   { return f.n.info }
func (f *memFile) Close() error { return nil }
func (f *memFile) View(off, n int64) ([]byte, bool) {
	if off < 0 || n < 0 || off > int64(len(f.n.data))-n {
		return nil, false
	}
	return f.n.data[off : off+n : off+n], true
}

func (f *memFile) Forget(int64, int64) {}

// Create implements FS.
func (m *Memory) Create(_ context.Context, path string) (Writer, error) {
	return &memWriter{m: m, path: clean(path)}, nil
}

type memWriter struct {
	bytes.Buffer
	m    *Memory
	path string
	done bool
}

func (w *memWriter) Close() error {
	if !w.done {
		w.done = true
		w.m.mu.Lock()
		defer w.m.mu.Unlock()
		w.m.put(w.path, w.Bytes(), false)
	}
	return nil
}

func (w *memWriter) Abort() error { w.done = true; return nil }

func (m *Memory) put(path string, data []byte, dir bool) {
	m.clock++
	m.files[path] = &memNode{data, Info{Path: path, Size: int64(len(data)), IsDir: dir, Version: uint64(m.clock), ModTime: time.Now().UnixMilli()}}
	if up := Dir(path); up != path && m.files[up] == nil {
		m.put(up, nil, true)
	}
}

// Stat implements FS.
func (m *Memory) Stat(_ context.Context, path string) (Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.files[clean(path)]; n != nil {
		return n.info, nil
	}
	return Info{}, notExist("stat", path)
}

// List implements FS.
func (m *Memory) List(_ context.Context, path string) ([]Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path = clean(path)
	n := m.files[path]
	if n == nil {
		return nil, notExist("list", path)
	}
	if !n.info.IsDir {
		return []Info{n.info}, nil
	}
	var out []Info
	for p, n := range m.files {
		if p != path && Dir(p) == path {
			out = append(out, n.info)
		}
	}
	return sortInfos(out), nil
}

// MkdirAll implements FS.
func (m *Memory) MkdirAll(_ context.Context, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	path = clean(path)
	if n := m.files[path]; n == nil {
		m.put(path, nil, true)
	} else if !n.info.IsDir {
		return &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
	}
	return nil
}

// Rename implements FS.
func (m *Memory) Rename(_ context.Context, from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, to = clean(from), clean(to)
	n := m.files[from]
	if n == nil {
		return notExist("rename", from)
	}
	if t := m.files[to]; t != nil && t.info.IsDir {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	moved := map[string]*memNode{}
	for p, n := range m.files {
		if p == from || strings.HasPrefix(p, from+"/") {
			moved[to+p[len(from):]] = n
			delete(m.files, p)
		}
	}
	for p, n := range moved {
		m.put(p, n.data, n.info.IsDir)
	}
	return nil
}

// RemoveEmpty implements FS.
func (m *Memory) RemoveEmpty(_ context.Context, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	path = clean(path)
	for p := range m.files {
		if strings.HasPrefix(p, path+"/") {
			return nil
		}
	}
	delete(m.files, path)
	return nil
}

// Remove implements FS.
func (m *Memory) Remove(_ context.Context, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	path = clean(path)
	for p := range m.files {
		if p == path || strings.HasPrefix(p, path+"/") {
			delete(m.files, p)
		}
	}
	return nil
}
