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
type window struct {
	sink func(*columnar.Batch) error
	busy sync.Mutex // held while the sink runs

	mu      sync.Mutex
	changed chan struct{} // closed and renewed when current or held changes
	current int
	held    int64
	waiting [][]*columnar.Batch
	ended   []bool
	err     error
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
		case w.current == part:
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
	w.busy.Lock()
	defer w.busy.Unlock()
	err := w.sink(b)
	if err != nil {
		w.mu.Lock()
		w.err = err
		w.signal()
		w.mu.Unlock()
	}
	return err
}

func (w *window) signal() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// end says that a partition has no more batches. When it is the current one, the next ones' waiting batches go out.
func (w *window) end(_ context.Context, part int) error {
	w.mu.Lock()
	w.ended[part] = true
	for w.current < len(w.ended) && w.ended[w.current] && w.err == nil {
		w.current++
		if w.current == len(w.ended) {
			break
		}
		batches := w.waiting[w.current]
		w.waiting[w.current] = nil
		// The partition's own task may deliver from now on: it finds the sink busy until the waiting batches are out.
		w.busy.Lock()
		w.mu.Unlock()
		err := w.drain(batches)
		w.mu.Lock()
		if err != nil {
			w.err = err
		}
		w.signal()
	}
	err := w.err
	w.mu.Unlock()
	return err
}

// drain delivers waiting batches; it is called with busy held and releases it.
func (w *window) drain(batches []*columnar.Batch) error {
	defer w.busy.Unlock()
	for _, b := range batches {
		n := b.Bytes()
		if err := w.sink(b); err != nil {
			return err
		}
		w.mu.Lock()
		w.held -= n
		w.mu.Unlock()
	}
	return nil
}

// schemaOf is the schema of columns.
func schemaOf(cols []*expr.Column) *types.Schema {
	s := &types.Schema{Fields: make([]types.Field, len(cols))}
	for i, c := range cols {
		s.Fields[i] = types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata}
	}
	return s
}
