package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// resultWindow bounds what the driver has of a stored result ahead of who reads it.
const resultWindow = 8 << 20

// ownShare is the part of the machine's memory that broadcasts may take where the application gave no pool.
const ownShare = 8

// openBlocks makes the driver's block store, and what reads results.
func (r *Remote) openBlocks() error {
	pool, dirs := r.o.Pool, r.o.Dirs
	if pool == nil {
		pool = memory.NewPool(memory.Config{Budget: memory.Available() / ownShare, Key: "spark.driver.memory", StorageFraction: 1})
	}
	if dirs == nil {
		dirs = memory.NewDirs(filepath.Join(os.TempDir(), "firesteel-"+string(r.app.ID)+"-driver"))
		r.ownDirs = dirs
		if r.key != nil {
			seal, err := memory.Cipher(r.key)
			if err != nil {
				return err
			}
			dirs.Encrypt(seal)
		}
	}
	r.blocks = block.NewStore(pool, dirs, nil)
	r.client = block.NewClient(block.Options{RPC: r.rpc(), Retries: int(r.o.Conf.Int("spark.shuffle.io.maxRetries")),
		Wait: r.o.Conf.Duration("spark.shuffle.io.retryWait"), Window: resultWindow, Timeout: r.o.Conf.Duration("spark.network.timeout")})
	return nil
}

func (r *Remote) closeBlocks() error {
	if r.blocks == nil {
		return nil
	}
	r.client.Close()
	r.blocks.Close()
	if r.ownDirs == nil {
		return nil
	}
	return r.ownDirs.Remove()
}

// Lend serves the driver's blocks; see rpc.Lender.
func (h remoteHandler) Lend(ctx context.Context, c *rpc.Conn, method string, body []byte) ([]byte, func(), error) {
	if block.IsMethod(method) {
		return block.Handler{From: served{h.r.blocks, h.r.o.Files}}.Lend(ctx, c, method, body)
	}
	out, err := h.Call(ctx, c, method, body)
	return out, nil, err
}

// served is what the driver serves: its blocks and the application's files.
type served struct {
	block.Source
	files *files.Depot
}

// Open implements block.Source.
func (s served) Open(name string) (block.Reader, error) {
	r, err := s.Source.Open(name)
	if s.files == nil || !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	f, size, err := s.files.Open(name)
	if err != nil {
		return nil, err
	}
	return fileBlock{f, size}, nil
}

// fileBlock is a file of the application.
type fileBlock struct {
	*os.File
	size int64
}

// Size implements block.Reader.
func (f fileBlock) Size() int64 { return f.size }

// SendFiles implements Executors.
func (r *Remote) SendFiles() { r.tellAll(wire.Files{All: r.o.Files.All()}) }

func broadcastName(id event.BroadcastID) string { return fmt.Sprintf("broadcast_%d", id) }

// Broadcast implements Executors.
func (r *Remote) Broadcast(data []byte) (event.BroadcastID, error) {
	id := r.newBroadcast()
	if err := r.blocks.Put(broadcastName(id), block.InMemory|block.OnDisk, data); err != nil {
		return 0, fmt.Errorf("broadcast %d of %d bytes: %w", id, len(data), err)
	}
	r.log.Info("broadcast is ready", "broadcast", id, "bytes", len(data))
	return id, nil
}

// BroadcastFrom puts up what it reads from a stream; see Broadcast. What does not fit into memory lies on disk.
func (r *Remote) BroadcastFrom(in io.Reader) (event.BroadcastID, error) {
	id := r.newBroadcast()
	w := r.blocks.Writer(broadcastName(id), block.InMemory|block.OnDisk)
	n, err := io.Copy(w, in)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("broadcast %d: %w", id, err), w.Abort())
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	r.log.Info("broadcast is ready", "broadcast", id, "bytes", n)
	return id, nil
}

func (r *Remote) newBroadcast() event.BroadcastID {
	return event.BroadcastID(r.nextBroadcast.Add(1))
}

// DropBroadcast implements Executors.
func (r *Remote) DropBroadcast(id event.BroadcastID) {
	_ = r.blocks.Remove(broadcastName(id)) // it has none of its errors
	r.tellAll(wire.DropBlocks{Name: broadcastName(id)})
}

// DropBlocks drops a cached block on all executors, and all whose names start with its name and an underscore: rdd_7 is all
// partitions of RDD 7. It does not wait for them.
func (r *Remote) DropBlocks(name string) {
	r.mu.Lock()
	if block.Cached(name) {
		r.noteDropped(name)
	}
	for b := range r.cached {
		if below(b, name) {
			for id := range r.cached[b] {
				r.uncache(b, r.execs[id])
			}
		}
	}
	for b := range r.copies {
		if below(b, name) {
			delete(r.copies, b)
		}
	}
	for _, e := range r.execs {
		n := len(e.results)
		maps.DeleteFunc(e.results, func(b string, _ bool) bool { return below(b, name) })
		if len(e.results) < n {
			r.held(e)
		}
	}
	r.mu.Unlock()
	r.tellAll(wire.DropBlocks{Name: name})
}

// uncache forgets that an executor has a cached block; the lock is held.
func (r *Remote) uncache(name string, e *remoteExecutor) {
	at := r.cached[name]
	if e == nil {
		return
	}
	if _, ok := at[e.id]; !ok {
		return
	}
	if delete(at, e.id); len(at) == 0 {
		delete(r.cached, name)
	}
	e.cached--
	r.held(e)
}

// held tells the scheduler how much lies at an executor for which it should stay: cached blocks, and results that are still to
// be read. The lock is held.
func (r *Remote) held(e *remoteExecutor) {
	if !e.over && !r.stopping {
		r.d.Post(scheduler.Heartbeat{Executor: e.id, Cached: e.cached + len(e.results)})
	}
}

// Late words of blocks that were dropped come from tasks that still ran then, within lateWord. After that a name is forgotten when
// there are many of them.
const (
	lateWord    = 10 * time.Minute
	manyDropped = 1000
)

// noteDropped remembers that blocks of a name must not come any more; the lock is held.
func (r *Remote) noteDropped(name string) {
	if len(r.dropped) > manyDropped {
		maps.DeleteFunc(r.dropped, func(_ string, at time.Time) bool { return time.Since(at) > lateWord })
	}
	r.dropped[name] = time.Now()
}

// isDropped says whether a block must not come; the lock is held.
func (r *Remote) isDropped(b string) bool {
	_, itself := r.dropped[b]
	_, all := r.dropped[b[:max(strings.LastIndexByte(b, '_'), 0)]]
	return itself || all
}

// KeepBlocks implements Executors.
func (r *Remote) KeepBlocks(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.dropped, name)
}

// below says whether a block is the one of a name or one of those whose names start with it and an underscore.
func below(b, name string) bool {
	return b == name || len(b) > len(name) && b[:len(name)] == name && b[len(name)] == '_'
}

// Cached implements Executors.
func (r *Remote) Cached(name string) []CachedBlock {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []CachedBlock
	for _, id := range slices.Sorted(maps.Keys(r.cached[name])) {
		if e := r.execs[id]; e != nil {
			out = append(out, CachedBlock{r.cached[name][id], id, e.host})
		}
	}
	return out
}

// blockChanged notes how an executor keeps a cached block.
func (r *Remote) blockChanged(e *remoteExecutor, st event.BlockStatus) {
	r.mu.Lock()
	at := r.cached[st.Block]
	switch {
	case st.Level != "" && r.isDropped(st.Block):
		e.out.Put(wire.DropBlocks{Name: st.Block}) // a task that still ran has kept it
	case st.Level != "":
		if at == nil {
			at = map[event.ExecutorID]event.BlockStatus{}
			r.cached[st.Block] = at
		}
		if _, had := at[e.id]; !had {
			e.cached++
			r.held(e)
		}
		at[e.id] = st
		r.wantCopies(st.Block, st.Copies)
	default:
		r.uncache(st.Block, e)
	}
	r.mu.Unlock()
	r.d.bus.Publish(event.BlockUpdated{ID: e.blockManager(), Status: st})
}

// locate answers an executor that looks for a cached block.
func (r *Remote) locate(q *wire.BlockQuery) (*wire.BlockAnswer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &wire.BlockAnswer{At: map[event.ExecutorID]string{}}
	for id := range r.cached[q.Name] {
		if e := r.execs[id]; e != nil {
			a.At[id] = e.blocks
		}
	}
	return a, nil
}

// OpenResult implements Executors.
func (r *Remote) OpenResult(ctx context.Context, res RemoteResult) (io.ReadCloser, error) {
	if res.Stored == "" {
		return nil, sparkerr.Internal("a result that came with its report is to be opened")
	}
	r.mu.Lock()
	e := r.execs[res.At]
	why := r.gone[res.At]
	r.mu.Unlock()
	if e == nil {
		return nil, fmt.Errorf("result %s is lost with executor %s: %s: %w", res.Stored, res.At, why, block.ErrPeerLost)
	}
	return &storedResult{r.client.Open(ctx, e.blocks, res.Stored, res.Size), r, e, e.blocks, res.Stored, sync.Once{}}, nil
}

// storedResult reads a stored result and removes it when it is closed.
type storedResult struct {
	*block.Stream
	r        *Remote
	of       *remoteExecutor
	at, name string
	once     sync.Once
}

func (s *storedResult) Close() (err error) {
	s.once.Do(func() {
		err = s.Stream.Close()
		ctx, cancel := context.WithTimeout(s.r.base, leaveWait)
		defer cancel()
		err = errors.Join(err, s.r.client.Remove(ctx, s.at, s.name))
		s.r.mu.Lock()
		delete(s.of.results, s.name)
		s.r.held(s.of)
		s.r.mu.Unlock()
	})
	return err
}

var _ Executors = (*Remote)(nil)
