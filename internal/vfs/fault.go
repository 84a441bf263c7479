package vfs

import (
	"context"
	"sync"
)

// Op names an operation of a file system for fault rules.
type Op string

// The operations that a Faulty file system can fail.
const (
	OpOpen   Op = "open"
	OpRead   Op = "read"
	OpCreate Op = "create"
	OpWrite  Op = "write"
	OpClose  Op = "close"
	OpStat   Op = "stat"
	OpList   Op = "list"
	OpMkdir  Op = "mkdir"
	OpRename Op = "rename"
	OpRemove Op = "remove"
)

// Faulty wraps a file system and fails the operations that its rule picks. For tests of what an error does to its caller.
type Faulty struct {
	FS
	// Fail returns the error of an operation, nil to let it pass; n counts the calls of that operation from 1.
	Fail func(op Op, path string, n int) error

	mu    sync.Mutex
	count map[Op]int
}

func (f *Faulty) check(op Op, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[Op]int{}
	}
	f.count[op]++
	return f.Fail(op, path, f.count[op])
}

// Open implements FS; files of a Faulty have no views, so that each read meets the rule.
func (f *Faulty) Open(ctx context.Context, path string) (File, error) {
	if err := f.check(OpOpen, path); err != nil {
		return nil, err
	}
	h, err := f.FS.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return &faultyFile{h, f}, nil
}

type faultyFile struct {
	File
	fs *Faulty
}

func (h *faultyFile) View(int64, int64) ([]byte, bool) { return nil, false }
func (h *faultyFile) Forget(int64, int64)              {}
func (h *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	if err := h.fs.check(OpRead, h.Info().Path); err != nil {
		return 0, err
	}
	return h.File.ReadAt(b, off)
}

// Create implements FS.
func (f *Faulty) Create(ctx context.Context, path string) (Writer, error) {
	if err := f.check(OpCreate, path); err != nil {
		return nil, err
	}
	w, err := f.FS.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	return &faultyWriter{w, f, path}, nil
}

type faultyWriter struct {
	Writer
	fs   *Faulty
	path string
}

func (w *faultyWriter) Write(b []byte) (int, error) {
	if err := w.fs.check(OpWrite, w.path); err != nil {
		return 0, err
	}
	return w.Writer.Write(b)
}

func (w *faultyWriter) Close() error {
	if err := w.fs.check(OpClose, w.path); err != nil {
		_ = w.Writer.Abort() // the rule's error is the one to report
		return err
	}
	return w.Writer.Close()
}

// Stat implements FS.
func (f *Faulty) Stat(ctx context.Context, path string) (Info, error) {
	if err := f.check(OpStat, path); err != nil {
		return Info{}, err
	}
	return f.FS.Stat(ctx, path)
}

// List implements FS.
func (f *Faulty) List(ctx context.Context, path string) ([]Info, error) {
	if err := f.check(OpList, path); err != nil {
		return nil, err
	}
	return f.FS.List(ctx, path)
}

// MkdirAll implements FS.
func (f *Faulty) MkdirAll(ctx context.Context, path string) error {
	if err := f.check(OpMkdir, path); err != nil {
		return err
	}
	return f.FS.MkdirAll(ctx, path)
}

// Rename implements FS.
func (f *Faulty) Rename(ctx context.Context, from, to string) error {
	if err := f.check(OpRename, from); err != nil {
		return err
	}
	return f.FS.Rename(ctx, from, to)
}

// Remove implements FS.
func (f *Faulty) Remove(ctx context.Context, path string) error {
	if err := f.check(OpRemove, path); err != nil {
		return err
	}
	return f.FS.Remove(ctx, path)
}

// RemoveEmpty implements FS; to the rule it is a Remove.
func (f *Faulty) RemoveEmpty(ctx context.Context, path string) error {
	if err := f.check(OpRemove, path); err != nil {
		return err
	}
	return f.FS.RemoveEmpty(ctx, path)
}
