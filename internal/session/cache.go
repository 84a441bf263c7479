package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// cacheManager knows which plans are cached, and keeps their rows: in storage memory while there is room, then on disk (see
// block.Store). The rows of a plan are computed at its first use.
type cacheManager struct {
	app     *App
	mu      sync.Mutex
	entries map[string]*cached // by canonical plan
	byKey   map[string]*cached
	next    int
}

// cached is one cached plan.
type cached struct {
	key, name, canonical string
	fixed                bool // a checkpoint: the rows stay as they were
	level                string
	plan                 logical.Plan

	fill   sync.Mutex             // held while the rows are computed
	filled atomic.Pointer[filled] // nil while they are not
	kept   *kept                  // on executors: in place of it
}

// filled are the rows of a cached plan in this process: blocks rdd_<id>_<number>, in order.
type filled struct {
	rdd    event.RDDID
	schema *types.Schema
	blocks int
	rows   int64
	bytes  int64
}

func (f *filled) name() string       { return fmt.Sprintf("rdd_%d", f.rdd) }
func (f *filled) block(i int) string { return fmt.Sprintf("rdd_%d_%d", f.rdd, i) }

func newCacheManager(a *App) *cacheManager {
	return &cacheManager{app: a, entries: map[string]*cached{}, byKey: map[string]*cached{}}
}

// add caches a resolved plan; it says false if it is cached already.
func (c *cacheManager) add(name, level string, p logical.Plan) (*cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	canonical := logical.Canonical(plain(p))
	if e := c.entries[canonical]; e != nil {
		return e, false
	}
	c.next++
	e := &cached{key: fmt.Sprintf("cache %d", c.next), name: name, canonical: canonical, level: level, plan: p}
	c.entries[canonical], c.byKey[e.key] = e, e
	return e, true
}

// find is the entry of a plan, nil if it is not cached.
func (c *cacheManager) find(p logical.Plan) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) == 0 {
		return nil
	}
	return c.entries[logical.Canonical(plain(p))]
}

// plain is a plan with what is cached in it written out.
func plain(p logical.Plan) logical.Plan {
	if r, ok := p.(*logical.CachedRelation); ok {
		return plain(r.Plan)
	}
	return logical.MapChildren(p, plain)
}

// current replaces reads of what is not cached any more by what they computed.
func (c *cacheManager) current(p logical.Plan) logical.Plan {
	if r, ok := p.(*logical.CachedRelation); ok && c.entry(r.Key) == nil {
		return c.current(r.Plan)
	}
	return logical.MapChildren(p, c.current)
}

// lookup replaces a cached plan by a read of its rows; nil if it is not cached.
func (c *cacheManager) lookup(p logical.Plan) logical.Plan {
	e := c.find(p)
	if e == nil {
		return nil
	}
	out := &logical.CachedRelation{Key: e.key, Name: e.name, Out: p.Output(), Plan: p}
	if k := e.onExecutors(); k != nil {
		out.Stats = k.stats()
	} else if f := e.filled.Load(); f != nil {
		out.Stats = &catalog.Stats{Rows: f.rows, Bytes: f.bytes}
	}
	return out
}

// onExecutors is what executors keep of the plan, nil while they keep nothing.
func (e *cached) onExecutors() *kept {
	if !e.fill.TryLock() {
		return nil // it is being made
	}
	defer e.fill.Unlock()
	return e.kept
}

// remove forgets a plan and says whether it was cached.
func (c *cacheManager) remove(p logical.Plan) (bool, error) {
	e := c.find(p)
	if e == nil {
		return false, nil
	}
	c.mu.Lock()
	delete(c.entries, e.canonical)
	delete(c.byKey, e.key)
	c.mu.Unlock()
	return true, c.free(e)
}

// clear forgets all but checkpoints.
func (c *cacheManager) clear() error { return c.drop(func(e *cached) bool { return !e.fixed }) }

// close forgets all.
func (c *cacheManager) close() error { return c.drop(func(*cached) bool { return true }) }

func (c *cacheManager) drop(which func(*cached) bool) error {
	c.mu.Lock()
	all := map[string]*cached{}
	for key, e := range c.byKey {
		if which(e) {
			all[key] = e
			delete(c.byKey, key)
			delete(c.entries, e.canonical)
		}
	}
	c.mu.Unlock()
	var errs []error
	for _, e := range all {
		errs = append(errs, c.free(e))
	}
	return errors.Join(errs...)
}

// changed drops the rows of plans that read files at or below a location, or above it; they are computed anew.
func (c *cacheManager) changed(location string) {
	c.mu.Lock()
	var stale []*cached
	for _, e := range c.byKey {
		if !e.fixed && readsBelow(e.plan, location) {
			stale = append(stale, e)
		}
	}
	c.mu.Unlock()
	for _, e := range stale {
		_ = c.free(e) // a spill file that cannot be removed goes with the application's folder
	}
}

func readsBelow(p logical.Plan, location string) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if r, ok := n.(*logical.Relation); ok {
			for _, path := range append([]string{r.Table.Location}, r.Table.Paths...) {
				found = found || path != "" && (strings.HasPrefix(path, location) || strings.HasPrefix(location, path))
			}
		}
		return !found
	})
	return found
}

func (c *cacheManager) free(e *cached) error {
	e.fill.Lock()
	defer e.fill.Unlock()
	if k := e.kept; k != nil {
		e.kept = nil
		c.app.Bus().Publish(event.UnpersistRDD{RDD: k.rdd})
		k.release()
		return nil
	}
	if f := e.filled.Swap(nil); f != nil {
		c.app.Bus().Publish(event.UnpersistRDD{RDD: f.rdd})
		c.app.blocks.RemoveAll(f.name())
	}
	return nil
}

// lostRows is the error of a query that read cached rows which are not there any more, or whose file changed: the query runs
// again without them, if nobody has seen rows of it.
type lostRows struct {
	e     *cached // nil: it was dropped
	f     *filled // what was lost
	name  string
	cause error
}

func (l *lostRows) Error() string {
	return fmt.Sprintf("the cached rows of %s were lost: %v", cmp.Or(l.name, "a plan"), l.cause)
}

// Unwrap returns the cause.
func (l *lostRows) Unwrap() error { return l.cause }

// spoil forgets rows that cannot be read, unless others have taken their place meanwhile.
func (c *cacheManager) spoil(l *lostRows) {
	if l.e != nil && l.e.filled.CompareAndSwap(l.f, nil) {
		c.app.blocks.RemoveAll(l.f.name())
	}
}

// errDropped is the cause of rows that were lost because somebody dropped them.
var errDropped = errors.New("it was dropped")

func (c *cacheManager) entry(key string) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byKey[key]
}

// ensure computes the rows of the cached plans that a physical plan reads, and tells its scans how many partitions they have.
// On executors it gives what they keep, or will: each is a use that is to be released, also after an error.
func (c *cacheManager) ensure(ctx context.Context, q *query, p physical.Plan) (physical.Plan, map[string]*kept, error) {
	var failed error
	uses := map[string]*kept{}
	out := physical.Up(p, func(n physical.Plan) physical.Plan {
		scan, ok := n.(*physical.CachedScan)
		if !ok || failed != nil {
			return n
		}
		e := c.entry(scan.Key)
		if e == nil {
			failed = &lostRows{name: scan.Name, cause: errDropped}
			return n
		}
		s := *scan
		if c.app.executors != nil {
			k := uses[scan.Key]
			if k == nil {
				if k, failed = c.use(ctx, q, e); failed != nil {
					return n
				}
				uses[scan.Key] = k
			}
			s.Partitions = k.root.tasks
			return &s
		}
		f, err := c.fillOnce(ctx, q, e)
		if failed = err; failed != nil {
			return n
		}
		s.Partitions = c.partitions(f)
		return &s
	})
	return out, uses, failed
}

// fillNow computes the rows of a plan unless they are there.
func (c *cacheManager) fillNow(ctx context.Context, q *query, e *cached) error {
	if c.app.executors != nil {
		return c.fillAll(ctx, q, e)
	}
	_, err := c.fillOnce(ctx, q, e)
	return err
}

func (c *cacheManager) fillOnce(ctx context.Context, q *query, e *cached) (*filled, error) {
	e.fill.Lock()
	defer e.fill.Unlock()
	if f := e.filled.Load(); f != nil {
		return f, nil
	}
	w := &fillWriter{store: c.app.blocks, level: block.OnDisk, f: &filled{rdd: c.app.newRDD(), schema: schemaOf(e.plan.Output())}}
	if mem, _ := levels(e.level); mem {
		w.level |= block.InMemory // what does not fit lies on disk at every level: the rows of a process are computed as a whole
	}
	sub := *q
	err := sub.run(ctx, e.plan, w.add)
	if err == nil {
		err = w.next()
	}
	if err != nil {
		w.abort()
		return nil, err
	}
	e.filled.Store(w.f)
	return w.f, nil
}

// Bounds of the size of blocks: a block is a part of what is there already, so that their number stays small.
const (
	smallBlock = 1 << 20
	largeBlock = 64 << 20
	blockShare = 64
)

// fillWriter writes the rows of a cached plan to blocks.
type fillWriter struct {
	store *block.Store
	level block.Level
	f     *filled
	out   *block.BatchWriter
	bytes int64 // of the current block
}

// add stores a borrowed batch.
func (w *fillWriter) add(b *columnar.Batch) error {
	if w.out == nil {
		w.out, w.bytes = w.store.BatchWriter(w.f.block(w.f.blocks), w.level, w.f.schema), 0
	}
	if err := w.out.Add(b); err != nil {
		return err
	}
	n := b.Bytes()
	w.bytes += n
	w.f.rows, w.f.bytes = w.f.rows+int64(b.N), w.f.bytes+n
	if w.bytes >= min(max(w.f.bytes/blockShare, smallBlock), largeBlock) {
		return w.next()
	}
	return nil
}

// next ends the current block.
func (w *fillWriter) next() error {
	if w.out == nil {
		return nil
	}
	out := w.out
	w.out = nil
	w.f.blocks++
	return out.Close()
}

func (w *fillWriter) abort() {
	if w.out != nil {
		w.out.Abort()
	}
	w.store.RemoveAll(w.f.name())
}

// partitions is the number of tasks that read cached rows: the blocks are dealt to as many as there are slots.
func (c *cacheManager) partitions(f *filled) int {
	if f.rows < 40_000 {
		return 1
	}
	return max(min(c.app.slots, f.blocks), 1)
}

// Read implements exec.Cache.
func (c *cacheManager) Read(_ context.Context, _ *exec.Task, key string, partition int) (exec.BatchReader, error) {
	e := c.entry(key)
	if e == nil {
		return nil, &lostRows{cause: errDropped}
	}
	f := e.filled.Load()
	if f == nil {
		return nil, &lostRows{name: e.name, cause: errDropped}
	}
	n := c.partitions(f)
	return &cacheReader{store: c.app.blocks, e: e, f: f, at: f.blocks * partition / n, end: f.blocks * (partition + 1) / n}, nil
}

// cacheReader reads blocks one after the other.
type cacheReader struct {
	store   *block.Store
	e       *cached
	f       *filled
	at, end int
	in      *block.BatchReader
}

func (r *cacheReader) Next(context.Context) (*columnar.Batch, error) {
	for {
		if r.in == nil {
			if r.at == r.end {
				return nil, io.EOF
			}
			in, err := r.store.Batches(r.f.block(r.at), r.f.schema)
			if err != nil {
				return nil, &lostRows{r.e, r.f, r.e.name, err}
			}
			r.in = in
			r.at++
		}
		b, err := r.in.Next()
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, io.EOF) {
			return nil, &lostRows{r.e, r.f, r.e.name, err}
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
}

func (r *cacheReader) Close() error {
	if r.in == nil {
		return nil
	}
	in := r.in
	r.in = nil
	return in.Close()
}
