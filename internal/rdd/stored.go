package rdd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/types"
)

// Executors keep partitions in their block store, encoded, so that the driver knows where they lie and other executors can
// read them. In the driver's own process they are kept as Go values: see Blocks.

func storedName(n *Node, part int) string { return storedNames(n) + "_" + strconv.Itoa(part) }
func storedNames(n *Node) string          { return fmt.Sprintf("rdd_%d", n.ID) }

func storeLevel(level string) (l block.Level) {
	if inMemory(level) {
		l |= block.InMemory
	}
	if onDisk(level) {
		l |= block.OnDisk
	}
	return l
}

// stored is a partition that this executor or another keeps, or one that is computed and kept while it is read.
func (t *Task) stored(n *Node, part int, level string) any {
	name := storedName(n, part)
	next, err := t.openStored(name)
	switch {
	case err == nil:
		return n.Elem.Decode(t, next)
	case !errors.Is(err, fs.ErrNotExist):
		t.Fail(fmt.Errorf("%s: %w", name, err))
	}
	s := &storeSink{w: t.Env.Store.BatchWriter(name, storeLevel(level), chunkSchema)}
	s.w.Copies(copiesOf(level))
	t.OnClose(func() error { s.w.Abort(); return nil })
	return n.Elem.Tee(t, n.Op.Compute(t, n, part), s)
}

// openStored opens a kept partition as chunks; fs.ErrNotExist says that nobody has it.
func (t *Task) openStored(name string) (func() ([]byte, error), error) {
	r, err := t.Env.Store.Batches(name, chunkSchema)
	if err == nil {
		t.OnClose(r.Close)
		next := chunksOf(r.Next)
		return func() ([]byte, error) {
			chunk, err := next()
			if err != nil && !errors.Is(err, io.EOF) { // the next attempt finds it elsewhere, or computes it
				err = errors.Join(fmt.Errorf("%s: %w", name, err), t.Env.Store.Remove(name))
			}
			return chunk, err
		}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	in, err := t.Env.Cached(t.ctx, name)
	if err != nil {
		return nil, err
	}
	t.OnClose(in.Close)
	return chunksOf(memory.NewFrameReader(in, chunkSchema).Next), nil
}

// chunksOf gives the rows of batches, until io.EOF.
func chunksOf(batches func() (*columnar.Batch, error)) func() ([]byte, error) {
	var b *columnar.Batch
	i := 0
	return func() ([]byte, error) {
		for b == nil || i >= b.N {
			var err error
			if b, err = batches(); err != nil {
				return nil, err
			}
			i = 0
		}
		i++
		return b.Cols[0].Text(i - 1), nil
	}
}

// storeSink takes the chunks of a partition that is to be kept.
type storeSink struct {
	w    *block.BatchWriter
	over bool // there was no room for it
}

func (s *storeSink) add(t *Task, chunk []byte) {
	b := columnar.NewBuilder(types.Binary, 1)
	b.Append(chunk)
	err := s.w.Add(&columnar.Batch{Schema: chunkSchema, N: 1, Cols: []columnar.Vector{b.Finish()}})
	if errors.Is(err, block.ErrNoRoom) {
		s.over = true
		return
	}
	t.Fail(err)
}

// Tee passes a sequence on and stores it, all of it, even if the reader has enough.
func (Elements[T]) Tee(t *Task, seq any, s *storeSink) any {
	return iter.Seq[T](func(yield func(T) bool) {
		codec, err := CodecOf[T]()
		if err != nil {
			s.over = true // what cannot be encoded is computed again each time
		}
		var chunk []byte
		wanted := true
		Each(t, seq.(iter.Seq[T]), func(v T) bool {
			if !s.over {
				if chunk, err = codec.Append(chunk, &v); err != nil {
					t.Fail(err)
					return false
				}
				if len(chunk) >= chunkSize {
					s.add(t, chunk)
					chunk = chunk[:0]
				}
			}
			wanted = wanted && yield(v)
			return wanted || !s.over
		})
		if len(chunk) > 0 && !s.over && t.Err() == nil {
			s.add(t, chunk)
		}
		if !s.over && t.Err() == nil {
			t.Fail(s.w.Close())
		}
	})
}

// locator is a backend that knows where kept partitions lie.
type locator interface {
	CachedAt(name string) []scheduler.Location
}

// keptAt says where a partition of a node, or the one of the same number that it is computed from, is kept.
func (e *Engine) keptAt(n *Node, part int) []scheduler.Location {
	where, ok := e.host.Executors.(locator)
	for ok {
		if n.StorageLevel() != "" {
			if at := where.CachedAt(storedName(n, part)); at != nil {
				return at
			}
		}
		if len(n.Deps) != 1 || n.Deps[0].Shuffle != nil || n.Deps[0].Node.Parts != n.Parts {
			break
		}
		n = n.Deps[0].Node
	}
	return nil
}

// prefs are the places where tasks of the partitions are best run; nil if it does not matter.
func (e *Engine) prefs(n *Node, parts []int) [][]scheduler.Location {
	var out [][]scheduler.Location
	for i, p := range parts {
		at := e.keptAt(n, p)
		if at == nil && n.Prefs != nil {
			for _, host := range n.Prefs[p] {
				at = append(at, scheduler.Location{Host: host})
			}
		}
		if at != nil && out == nil {
			out = make([][]scheduler.Location, len(parts))
		}
		if at != nil {
			out[i] = at
		}
	}
	return out
}
