package block

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// Level says where a block may lie. With both, it lies in memory while there is room, then on disk.
type Level uint8

// The levels.
const (
	InMemory Level = 1 << iota
	OnDisk
)

var levelNames = [...]string{"", "MEMORY", "DISK", "MEMORY_AND_DISK"}

func (l Level) String() string { return levelNames[l&(InMemory|OnDisk)] }

// ErrNoRoom is the error of a block in memory only for which there is no storage memory.
var ErrNoRoom = errors.New("there is no storage memory for the block")

// Cached says whether a name is that of a cached partition.
func Cached(name string) bool { return strings.HasPrefix(name, "rdd_") }

// Store keeps blocks of bytes or of batches. Memory is the pool's storage memory: blocks that were not used for longest
// give way to others and to tasks, to disk if their level says so. It may be used by several goroutines.
type Store struct {
	pool    *memory.Pool
	dirs    *memory.Dirs
	changed func(event.BlockStatus) // of cached partitions; may be nil

	mu     sync.Mutex
	moved  *sync.Cond // a block that was being moved is not any more
	blocks map[string]*entry
	lru    *list.List // of entries in memory, the one used last in front
	cached int
	closed bool
}

// entry is a stored block; its fields are guarded by Store.mu. Data does not change.
type entry struct {
	name    string
	level   Level
	schema  *types.Schema // of a block of batches
	batches []*columnar.Batch
	chunks  [][]byte // of a block of bytes: each but the last has Chunk bytes
	held    int64    // storage memory
	rows    int64    // of a block of batches
	copies  int      // that there should be elsewhere and here
	file    *file
	place   *list.Element // in Store.lru; nil if it is not in memory
	readers int           // that read from memory or file
	moving  bool          // it is being written to disk
	removed bool
}

// NewStore makes a store, to which the pool turns for memory. changed is told when cached partitions come, move and go.
func NewStore(pool *memory.Pool, dirs *memory.Dirs, changed func(event.BlockStatus)) *Store {
	s := &Store{pool: pool, dirs: dirs, changed: changed, blocks: map[string]*entry{}, lru: list.New()}
	s.moved = sync.NewCond(&s.mu)
	pool.OnEvict(s.evict)
	return s
}

// Count is the number of cached partitions.
func (s *Store) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cached
}

// Status says how a block is stored; false if it is not.
func (s *Store) Status(name string) (event.BlockStatus, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.blocks[name]
	if e == nil {
		return event.BlockStatus{Block: name}, false
	}
	return e.status(), true
}

func (e *entry) status() event.BlockStatus {
	st := event.BlockStatus{Block: e.name, MemSize: e.held, Rows: e.rows, Copies: e.copies}
	var at Level
	if e.place != nil {
		at |= InMemory
	}
	if e.file != nil {
		at |= OnDisk
		st.DiskSize = e.file.size
	}
	st.Level = at.String()
	if e.removed || at == 0 {
		st.Level, st.MemSize, st.DiskSize, st.Rows = "", 0, 0, 0
	}
	return st
}

// tell reports the state of a cached partition; the lock is not held.
func (s *Store) tell(st event.BlockStatus) {
	if s.changed != nil && Cached(st.Block) {
		s.changed(st)
	}
}

// grow takes storage memory, from other blocks if need be.
func (s *Store) grow(n int64) bool {
	if s.pool.GrowStorage(n) {
		return true
	}
	u := s.pool.Usage()
	if n > u.Budget-u.Execution { // in vain
		return false
	}
	for s.evict(n-(u.Budget-u.Execution-u.Storage)) > 0 {
		if s.pool.GrowStorage(n) {
			return true
		}
		u = s.pool.Usage()
	}
	return s.pool.GrowStorage(n)
}

// evict gives at least n bytes of storage memory back, if it can, and says how many it gave.
func (s *Store) evict(n int64) int64 {
	var freed int64
	for freed < n {
		e := s.victim()
		if e == nil {
			break
		}
		freed += s.unload(e)
	}
	return freed
}

// victim takes the block that was not used for longest and is not being read.
func (s *Store) victim() *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := s.lru.Back(); at != nil; at = at.Prev() {
		if e := at.Value.(*entry); e.readers == 0 && !e.moving {
			e.moving = true
			return e
		}
	}
	return nil
}

// unload takes a block out of memory: to disk if its level says so and it is not there yet.
func (s *Store) unload(e *entry) int64 {
	var f *file
	if e.level&OnDisk != 0 && e.file == nil {
		f = s.copyOut(e)
	}
	s.mu.Lock()
	e.moving = false
	s.moved.Broadcast()
	n := e.held
	s.leaveMemory(e)
	if e.file == nil {
		e.file = f
		f = nil
	}
	gone := e.file == nil && !e.removed
	if gone {
		s.forget(e)
	}
	st := e.status()
	if e.removed { // meanwhile, or just now
		f, e.file = e.file, nil
	}
	s.mu.Unlock()
	if f != nil {
		f.remove()
	}
	s.pool.ReleaseStorage(n)
	s.tell(st)
	return n
}

// copyOut writes a block in memory to disk; nil if that fails: the block is lost then, as one may be.
func (s *Store) copyOut(e *entry) *file {
	w, err := newFile(s.dirs)
	if err != nil {
		return nil
	}
	if err = e.writeTo(w); err == nil {
		err = w.flush()
	}
	if err != nil {
		w.remove()
		return nil
	}
	return w
}

// leaveMemory drops what a block has in memory, without giving the memory back; the lock is held.
func (s *Store) leaveMemory(e *entry) {
	if e.place != nil {
		s.lru.Remove(e.place)
		e.place = nil
	}
	e.batches, e.chunks, e.held = nil, nil, 0
}

// forget takes a block off the list; the lock is held.
func (s *Store) forget(e *entry) {
	e.removed = true
	if s.blocks[e.name] == e {
		delete(s.blocks, e.name)
		if Cached(e.name) {
			s.cached--
		}
	}
}

// add puts a complete block on the list. One of that name that is there stays: blocks of a name are the same.
func (s *Store) add(e *entry) error {
	s.mu.Lock()
	if s.closed || s.blocks[e.name] != nil {
		closed := s.closed
		s.mu.Unlock()
		s.pool.ReleaseStorage(e.held)
		e.held = 0
		if e.file != nil {
			e.file.remove()
		}
		if closed {
			return fs.ErrClosed
		}
		return nil
	}
	s.blocks[e.name] = e
	if e.file == nil {
		e.place = s.lru.PushFront(e)
	}
	if Cached(e.name) {
		s.cached++
	}
	st := e.status()
	s.mu.Unlock()
	s.tell(st)
	return nil
}

// Put stores bytes, which belong to the store from then on.
func (s *Store) Put(name string, level Level, data []byte) error {
	w := s.Writer(name, level)
	if level&InMemory != 0 && s.grow(int64(len(data))) {
		w.held = int64(len(data))
		for from := 0; from < len(data); from += Chunk {
			w.chunks = append(w.chunks, data[from:min(from+Chunk, len(data))])
		}
		return w.Close()
	}
	if _, err := w.Write(data); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Close()
}

// Remove drops a block, and what is on disk of it when its last reader is closed.
func (s *Store) Remove(name string) error {
	s.mu.Lock()
	e := s.blocks[name]
	if e == nil {
		s.mu.Unlock()
		return nil
	}
	s.forget(e)
	var f *file
	var n int64
	if !e.moving { // else who moves it cleans up
		n = e.held
		s.leaveMemory(e)
		if e.readers == 0 {
			f, e.file = e.file, nil
		}
	}
	st := e.status()
	s.mu.Unlock()
	s.pool.ReleaseStorage(n)
	if f != nil {
		f.remove()
	}
	s.tell(st)
	return nil
}

// RemoveAll drops the block of a name and all whose names start with the name and an underscore.
func (s *Store) RemoveAll(name string) {
	s.mu.Lock()
	var names []string
	for n := range s.blocks {
		if n == name || strings.HasPrefix(n, name+"_") {
			names = append(names, n)
		}
	}
	s.mu.Unlock()
	for _, n := range names {
		_ = s.Remove(n) // it has none of its errors
	}
}

// Close drops all blocks and takes no more.
func (s *Store) Close() {
	s.mu.Lock()
	s.closed = true
	s.changed = nil
	var names []string
	for n := range s.blocks {
		names = append(names, n)
	}
	s.mu.Unlock()
	for _, n := range names {
		_ = s.Remove(n)
	}
}

// pin finds a block and keeps it from being moved while it is read. One that is being moved is waited for.
func (s *Store) pin(name string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		e := s.blocks[name]
		if e == nil {
			return nil, fmt.Errorf("block %s: %w", name, fs.ErrNotExist)
		}
		if !e.moving {
			e.readers++
			if e.place != nil {
				s.lru.MoveToFront(e.place)
			}
			return e, nil
		}
		s.moved.Wait()
	}
}

func (s *Store) unpin(e *entry) {
	s.mu.Lock()
	e.readers--
	var f *file
	if e.removed && e.readers == 0 {
		f, e.file = e.file, nil
	}
	s.mu.Unlock()
	if f != nil {
		f.remove()
	}
}

// Open implements Source: it reads a block as bytes; one of batches as their frames. What is in memory as batches is
// written to disk for that.
func (s *Store) Open(name string) (Reader, error) {
	e, err := s.pin(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	chunks, f, batches := e.chunks, e.file, e.batches != nil
	s.mu.Unlock()
	if f == nil && batches {
		if f, err = s.export(e); err != nil {
			s.unpin(e)
			return nil, err
		}
	}
	if f != nil {
		return &openFile{s: s, e: e, file: f}, nil
	}
	r := &openChunks{s: s, e: e, chunks: chunks}
	for _, c := range chunks {
		r.size += int64(len(c))
	}
	return r, nil
}

// export writes the frames of a pinned block of batches to disk; the block stays in memory.
func (s *Store) export(e *entry) (*file, error) {
	f := s.copyOut(e)
	if f == nil {
		return nil, fmt.Errorf("block %s cannot be written to disk", e.name)
	}
	s.mu.Lock()
	if e.file == nil {
		e.file, f = f, nil
	}
	out := e.file
	s.mu.Unlock()
	if f != nil {
		f.remove()
	}
	return out, nil
}

// Stream reads a block from its beginning; see Open.
func (s *Store) Stream(name string) (io.ReadCloser, error) {
	r, err := s.Open(name)
	if err != nil {
		return nil, err
	}
	return &whole{io.NewSectionReader(r, 0, r.Size()), r}, nil
}

type whole struct {
	*io.SectionReader
	r Reader
}

func (w *whole) Close() error { return w.r.Close() }

// openChunks reads a block in memory.
type openChunks struct {
	s      *Store
	e      *entry
	chunks [][]byte
	size   int64
	once   sync.Once
}

func (o *openChunks) Size() int64 { return o.size }

func (o *openChunks) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) && at < o.size {
		m := copy(p[n:], o.chunks[at/Chunk][at%Chunk:])
		n, at = n+m, at+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (o *openChunks) Close() error {
	o.once.Do(func() { o.s.unpin(o.e) })
	return nil
}

// writeTo writes the block's bytes, or the frames of its batches.
func (e *entry) writeTo(f *file) error {
	for _, c := range e.chunks {
		if _, err := f.Write(c); err != nil {
			return err
		}
	}
	return writeFrames(f, e.batches)
}
