package session

import (
	"context"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// windowBytes is how much of the results of later partitions waits while an earlier one is not finished.
const windowBytes = 64 << 20

// window hands the batches of many tasks to one sink in the order of the partitions. The task of the current partition
// calls the sink itself; the others keep copies up to a limit and then wait. Tasks start in the order of their
// partitions, so the current one always runs.
//
// One goroutine at a time is with the sink: the current partition's task, or the one that ended the partition before and
// is draining what waited. The sink is never called with mu held.
type window struct {
	sink func(*columnar.Batch) error

	mu       sync.Mutex
	changed  chan struct{} // closed and renewed when draining ends, held shrinks or err is set
	current  int
	draining bool
	held     int64
	waiting  [][]*columnar.Batch
	ended    []bool
	err      error
}

func newWindow(tasks int, sink func(*columnar.Batch) error) *window {
	return &window{sink: sink, changed: make(chan struct{}), waiting: make([][]*columnar.Batch, tasks), ended: make([]bool, tasks)}
}

// put delivers a borrowed batch of a partition.
func (w *window) put(ctx context.Context, part int, b *columnar.Batch) error {
	var own *columnar.Batch
	for {
		w.mu.Lock()
		switch {
		case w.err != nil:
			defer w.mu.Unlock()
			return w.err
		case w.current == part && !w.draining:
			w.mu.Unlock()
			return w.deliver(b)
		case own == nil:
			w.mu.Unlock()
			own = b.Clone()
			continue
		case w.held < windowBytes:
			w.waiting[part] = append(w.waiting[part], own)
			w.held += own.Bytes()
			w.mu.Unlock()
			return nil
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (w *window) deliver(b *columnar.Batch) error {
	err := w.sink(b)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fail(err)
	}
	return err
}

func (w *window) fail(err error) {
	if w.err == nil {
		w.err = err
	}
	w.signal()
}

func (w *window) signal() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// end says that a partition has no more batches. When it is the current one, the next ones' waiting batches go out.
func (w *window) end(_ context.Context, part int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended[part] = true
	if w.draining || part != w.current {
		return w.err // who drains, or ends the current partition, goes on with this one
	}
	w.draining = true
	for w.ended[w.current] && w.current+1 < len(w.ended) && w.err == nil {
		w.current++
		w.drain()
	}
	w.draining = false
	w.signal()
	return w.err
}

// drain delivers what waits of the current partition, until nothing does. It gives mu back while the sink runs.
func (w *window) drain() {
	for len(w.waiting[w.current]) > 0 && w.err == nil {
		b := w.waiting[w.current][0]
		w.waiting[w.current][0] = nil // the list would keep it
		w.waiting[w.current] = w.waiting[w.current][1:]
		w.mu.Unlock()
		err := w.sink(b)
		w.mu.Lock()
		w.held -= b.Bytes()
		if err != nil {
			w.fail(err)
			return
		}
		w.signal()
	}
}

// schemaOf is the schema of columns.
func schemaOf(cols []*expr.Column) *types.Schema {
	s := &types.Schema{Fields: make([]types.Field, len(cols))}
	for i, c := range cols {
		s.Fields[i] = types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata}
	}
	return s
}
