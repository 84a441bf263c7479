package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// cachedPlan is a cached plan that a fragment reads: the fragment that computes it is opened when a partition is nowhere.
type cachedPlan struct {
	wire.Cached
	mu   sync.Mutex // held while it is opened
	work *planWork
}

func (c *cachedPlan) level() (l block.Level) {
	if c.Memory {
		l |= block.InMemory
	}
	if c.Disk {
		l |= block.OnDisk
	}
	return l
}

// opened is the fragment that computes the plan. One that could not be opened is tried again by the next task.
func (c *cachedPlan) opened(ctx context.Context, env *Env) (*planWork, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.work != nil {
		return c.work, nil
	}
	w, err := openPlan(ctx, env, c.Data)
	if err != nil {
		return nil, fmt.Errorf("the cached plan %s: %w", c.Name, err)
	}
	c.work, c.Data = w, nil
	return w, nil
}

func (c *cachedPlan) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.work == nil {
		return nil
	}
	return c.work.Close()
}

// planCache reads cached plans for one task. It implements exec.Cache.
type planCache struct {
	w     *planWork
	epoch int64
}

// Read gives a partition from where it lies: here, else in another executor, else it is computed and kept here.
func (p *planCache) Read(ctx context.Context, t *exec.Task, key string, partition int) (exec.BatchReader, error) {
	c := p.w.cached[key]
	if c == nil {
		return nil, sparkerr.Internal("the fragment came without the cached plan %s", key)
	}
	name := fmt.Sprintf("%s_%d", c.Name, partition)
	if r := p.here(c, name); r != nil {
		return r, nil
	}
	if r := p.elsewhere(ctx, c, name); r != nil {
		return r, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return p.compute(ctx, t, c, name, partition)
}

// here reads the partition from this process; nil if it is not there. What cannot be read is dropped.
func (p *planCache) here(c *cachedPlan, name string) exec.BatchReader {
	blocks := p.w.env.Blocks
	r, err := blocks.Batches(name, &c.Schema)
	if err != nil {
		return nil
	}
	return startReading(&keptReader{next: r.Next, close: r.Close, failed: func() { _ = blocks.Remove(name) }}) // it has none of its errors
}

// elsewhere pulls the partition from another executor; nil if none has it.
func (p *planCache) elsewhere(ctx context.Context, c *cachedPlan, name string) exec.BatchReader {
	if p.w.env.Cached == nil {
		return nil
	}
	in, err := p.w.env.Cached(ctx, name)
	if err != nil {
		return nil
	}
	return startReading(&keptReader{next: memory.NewFrameReader(in, &c.Schema).Next, close: in.Close, failed: func() {}})
}

// keptReader reads a kept partition. A failure after the first batch fails the task, and its next attempt finds the partition
// elsewhere or computes it.
type keptReader struct {
	next   func() (*columnar.Batch, error)
	close  func() error
	failed func()
	first  *columnar.Batch // that startReading read
	err    error           // with it
	begun  bool
}

// startReading reads the first batch, so that a partition that is lost meanwhile is found out before rows went on; nil then.
func startReading(r *keptReader) exec.BatchReader {
	r.first, r.err = r.next()
	if r.err != nil && !errors.Is(r.err, io.EOF) {
		r.failed()
		_ = r.close() // it is given up
		return nil
	}
	return r
}

func (r *keptReader) Next(context.Context) (*columnar.Batch, error) {
	if !r.begun {
		r.begun = true
		return r.first, r.err
	}
	b, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed()
	}
	return b, err
}

func (r *keptReader) Close() error { return r.close() }

// compute computes a partition and keeps it here.
func (p *planCache) compute(ctx context.Context, t *exec.Task, c *cachedPlan, name string, partition int) (_ exec.BatchReader, err error) {
	w, err := c.opened(ctx, p.w.env)
	if err != nil {
		return nil, err
	}
	op, err := exec.Build(w.f.Plan, &exec.Env{Session: w.session, Metrics: t.Metrics})
	if err != nil {
		return nil, err
	}
	out := w.env.Blocks.BatchWriter(name, c.level(), &c.Schema)
	out.Copies(c.Copies)
	defer func() {
		if err != nil {
			out.Abort()
			err = errors.Join(err, op.Close())
		}
	}()
	sub := *t
	sub.Partition, sub.Whole, sub.Session, sub.Source, sub.Splits, sub.Filters = partition, false, w.session, w.source, w.splits, &w.filters
	sub.Inputs, sub.Cache = &planInputs{w: w, epoch: p.epoch, metrics: t.Metrics}, &planCache{w, p.epoch}
	sub.Shared, sub.Parts, sub.MayCommit = nil, nil, nil
	if err := op.Open(ctx, &sub); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		b, err := op.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		err = out.Add(b)
		if errors.Is(err, block.ErrNoRoom) {
			return &overflow{out: out, batches: out.Added(), last: b, op: op}, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if err := op.Close(); err != nil {
		return nil, err
	}
	r, err := out.Finish()
	if err != nil {
		return nil, err
	}
	return &keptReader{next: r.Next, close: r.Close, failed: func() {}, begun: true}, nil
}

// overflow reads a partition that finds no room: what was kept before that came out, then the rest as it is computed.
type overflow struct {
	out     *block.BatchWriter
	batches []*columnar.Batch
	last    *columnar.Batch // of op, after batches
	op      exec.Operator
}

func (o *overflow) Next(ctx context.Context) (*columnar.Batch, error) {
	if len(o.batches) > 0 {
		b := o.batches[0]
		o.batches = o.batches[1:]
		return b, nil
	}
	if b := o.last; b != nil {
		o.out.Abort()
		o.last = nil
		return b, nil
	}
	return o.op.Next(ctx)
}

func (o *overflow) Close() error {
	o.out.Abort()
	return o.op.Close()
}

var _ exec.Cache = (*planCache)(nil)
