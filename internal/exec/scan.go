package exec

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Queue hands out splits; the tasks that share one take turns. It may be called by several goroutines.
type Queue interface {
	Next() (source.Split, bool)
}

// Splits says which splits a task reads where tasks own their splits (across processes).
type Splits interface {
	Queue(p *physical.Scan, partition int) (Queue, error)
	// Partitions is the number of tasks that the scan's splits are dealt to.
	Partitions(p *physical.Scan) int
}

// NewQueue makes a queue of splits in order.
func NewQueue(splits []source.Split) Queue { return &queue{splits: splits} }

type queue struct {
	splits []source.Split
	next   atomic.Int64
}

func (q *queue) Next() (source.Split, bool) {
	i := q.next.Add(1) - 1
	if i >= int64(len(q.splits)) {
		return nil, false
	}
	return q.splits[i], true
}

// PlanScan lists the splits of a scan node in their fixed order, pruned by its filters.
func PlanScan(p *physical.Scan) ([]source.Split, error) {
	rel, ok := p.Table.Relation.(source.Relation)
	if !ok {
		return nil, sparkerr.Internal("the table of a scan was not opened")
	}
	return rel.Plan(scanOf(p))
}

func scanOf(p *physical.Scan) source.Scan {
	return source.Scan{Output: p.Out, Filters: p.Filters, Limit: p.Limit, Options: p.Table.Options}
}

// scanShare is what the tasks of a stage share of one scan.
type scanShare struct {
	queue Queue
	rows  atomic.Int64 // handed out so far, for Limit
}

type scanOp struct {
	p      *physical.Scan
	schema *types.Schema
	t      *Task
	scan   source.Scan
	share  *scanShare
	reader source.Reader
	ready  int // how many runtime filters are in scan.Runtime
	done   bool
}

func newScan(p *physical.Scan, _ *Env) (Operator, error) {
	return &scanOp{p: p, schema: schemaOf(p.Out)}, nil
}

func (o *scanOp) Schema() *types.Schema { return o.schema }

func (o *scanOp) Open(_ context.Context, t *Task) error {
	o.t, o.scan = t, scanOf(o.p)
	share, err := o.openShare(t)
	if err != nil {
		return err
	}
	o.share = share
	return nil
}

func (o *scanOp) openShare(t *Task) (*scanShare, error) {
	if t.Splits != nil {
		q, err := t.Splits.Queue(o.p, t.Partition)
		return &scanShare{queue: q}, err
	}
	open := func() (any, error) {
		splits, err := PlanScan(o.p)
		return &scanShare{queue: NewQueue(splits)}, err
	}
	if t.Shared == nil {
		s, err := open()
		return s.(*scanShare), err
	}
	s, err := t.Shared.Of(o.p, open)
	if err != nil {
		return nil, err
	}
	return s.(*scanShare), nil
}

func (o *scanOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for !o.done {
		if o.reader == nil {
			if err := o.openSplit(ctx); err != nil {
				return nil, err
			}
			continue
		}
		b, err := o.reader.Next()
		if errors.Is(err, io.EOF) {
			if err := o.closeReader(); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		o.share.rows.Add(int64(b.N))
		if o.t.Metrics != nil {
			o.t.Metrics.Task.Input.RecordsRead += int64(b.N)
		}
		return b, nil
	}
	return nil, io.EOF
}

// openSplit takes the next split, or sets done.
func (o *scanOp) openSplit(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if o.p.Limit >= 0 && o.share.rows.Load() >= o.p.Limit || o.gatherFilters() {
		o.done = true
		return nil
	}
	split, ok := o.share.queue.Next()
	if !ok {
		o.done = true
		return nil
	}
	r, err := split.Open(ctx, o.scan, o.t.Source)
	if err != nil {
		return err
	}
	o.reader = r
	if o.t.Metrics != nil {
		o.t.Metrics.Task.Input.BytesRead += split.Bytes()
	}
	return nil
}

// gatherFilters puts the runtime filters that are known by now into the scan; it says whether one lets nothing through.
func (o *scanOp) gatherFilters() (nothing bool) {
	if o.ready == len(o.p.Runtime) {
		return false
	}
	o.scan.Runtime, o.ready = nil, 0
	for _, ref := range o.p.Runtime {
		k, ok := o.t.Filters.Lookup(ref.ID)
		if !ok {
			continue
		}
		if k.Empty {
			return true
		}
		o.ready++
		o.scan.Runtime = append(o.scan.Runtime,
			&source.RuntimeFilter{Column: ref.Column, Min: k.Min, Max: k.Max, Bits: k.Bits, Ready: true})
	}
	return false
}

func (o *scanOp) closeReader() error {
	if o.reader == nil {
		return nil
	}
	r := o.reader
	o.reader = nil
	return r.Close()
}

func (o *scanOp) Close() error { return o.closeReader() }

// cachedScan reads a cached plan.
type cachedScan struct {
	p      *physical.CachedScan
	schema *types.Schema
	t      *Task
	next   int // partition to open next
	end    int
	reader BatchReader
	out    columnar.Batch
}

func newCachedScan(p *physical.CachedScan, _ *Env) (Operator, error) {
	return &cachedScan{p: p, schema: schemaOf(p.Out)}, nil
}

func (o *cachedScan) Schema() *types.Schema { return o.schema }

func (o *cachedScan) Open(_ context.Context, t *Task) error {
	if t.Cache == nil {
		return sparkerr.Internal("the task was given no cache to read %s from", o.p.Name)
	}
	o.t = t
	o.next, o.end = ownPartitions(t, o.p.Partitions)
	return nil
}

// ownPartitions is the range of a leaf's n partitions that the task reads.
func ownPartitions(t *Task, n int) (from, to int) {
	if t.Whole {
		return 0, n
	}
	return min(t.Partition, n), min(t.Partition+1, n)
}

func (o *cachedScan) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if o.reader == nil {
			if o.next == o.end {
				return nil, io.EOF
			}
			r, err := o.t.Cache.Read(ctx, o.t, o.p.Key, o.next)
			if err != nil {
				return nil, err
			}
			o.reader, o.next = r, o.next+1
		}
		b, err := o.reader.Next(ctx)
		if err == nil {
			return relabel(&o.out, b, o.schema), nil
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err := o.Close(); err != nil {
			return nil, err
		}
	}
}

func (o *cachedScan) Close() error {
	if o.reader == nil {
		return nil
	}
	r := o.reader
	o.reader = nil
	return r.Close()
}

// relabel is b under another schema of the same types.
func relabel(dst *columnar.Batch, b *columnar.Batch, s *types.Schema) *columnar.Batch {
	*dst = *b
	dst.Schema = s
	return dst
}
