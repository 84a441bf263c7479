package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// cacheManager knows which plans are cached, and keeps their rows: in storage memory while it lasts, then on disk. The
// rows of a plan are computed at its first use.
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
	level                string
	plan                 logical.Plan

	fill   sync.Mutex // held while the rows are computed
	filled bool
	schema *types.Schema
	memory []*columnar.Batch
	held   int64
	disk   *memory.SpillFile
	rows   int64

	kept *kept // on executors: in place of all the above
}

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
	} else if e.filled {
		out.Stats = &catalog.Stats{Rows: e.rows, Bytes: e.held}
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

// clear forgets all.
func (c *cacheManager) clear() error {
	c.mu.Lock()
	all := c.byKey
	c.entries, c.byKey = map[string]*cached{}, map[string]*cached{}
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
		if readsBelow(e.plan, location) {
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
	c.app.pool.ReleaseStorage(e.held)
	e.memory, e.held, e.filled = nil, 0, false
	if e.disk == nil {
		return nil
	}
	d := e.disk
	e.disk = nil
	return d.Close()
}

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
			failed = sparkerr.Internal("the cached plan %s was dropped while a query read it", scan.Name)
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
		if failed = c.fillOnce(ctx, q, e); failed != nil {
			return n
		}
		s.Partitions = c.partitions(scan.Key)
		return &s
	})
	return out, uses, failed
}

// fillNow computes the rows of a plan unless they are there.
func (c *cacheManager) fillNow(ctx context.Context, q *query, e *cached) error {
	if c.app.executors != nil {
		return c.fillAll(ctx, q, e)
	}
	return c.fillOnce(ctx, q, e)
}

func (c *cacheManager) fillOnce(ctx context.Context, q *query, e *cached) error {
	e.fill.Lock()
	defer e.fill.Unlock()
	if e.filled {
		return nil
	}
	e.schema = schemaOf(e.plan.Output())
	err := q.run(ctx, e.plan, func(b *columnar.Batch) error { return c.keep(e, b) })
	if err == nil && e.disk != nil {
		err = e.disk.Done()
	}
	e.filled = err == nil
	return err
}

// keep stores a borrowed batch.
func (c *cacheManager) keep(e *cached, b *columnar.Batch) error {
	e.rows += int64(b.N)
	if mem, _ := levels(e.level); mem {
		own := b.Clone()
		if n := own.Bytes(); c.app.pool.GrowStorage(n) {
			e.memory, e.held = append(e.memory, own), e.held+n
			return nil
		}
	}
	if e.disk == nil {
		d, err := c.app.dirs.Spill()
		if err != nil {
			return err
		}
		e.disk = d
	}
	return e.disk.Write(b, 0, b.N)
}

// partitions is the number of tasks that read a cached plan: its memory is dealt to as many as there are slots; what lies
// on disk is the first one's.
func (c *cacheManager) partitions(key string) int {
	e := c.entry(key)
	if e == nil || e.rows < 40_000 {
		return 1
	}
	return c.app.slots
}

// Read implements exec.Cache.
func (c *cacheManager) Read(_ context.Context, _ *exec.Task, key string, partition int) (exec.BatchReader, error) {
	e := c.entry(key)
	if e == nil || !e.filled {
		return nil, sparkerr.Internal("nothing is cached under %s", key)
	}
	n := c.partitions(key)
	from, to := len(e.memory)*partition/n, len(e.memory)*(partition+1)/n
	r := &cacheReader{batches: e.memory[from:to]}
	if partition == 0 && e.disk != nil {
		var err error
		if r.disk, err = e.disk.Reader(e.schema); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// cacheReader yields the batches in memory, then those on disk.
type cacheReader struct {
	batches []*columnar.Batch
	disk    *memory.FrameReader
}

func (r *cacheReader) Next(context.Context) (*columnar.Batch, error) {
	if len(r.batches) > 0 {
		b := r.batches[0]
		r.batches = r.batches[1:]
		return b, nil
	}
	if r.disk == nil {
		return nil, io.EOF
	}
	return r.disk.Next()
}

func (r *cacheReader) Close() error { return nil }
