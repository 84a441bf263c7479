package rdd

import (
	"iter"

	"github.com/firesteel/firesteel/internal/memory"
)

// Combiner brings the values of equal keys together: a hash table that keeps the order in which keys came first, bounded
// by the task's memory. Refused memory, it calls Full, or moves its entries to disk, spread by hash over a few files, which
// are brought together one after the other at the end.
type Combiner[K comparable, C any] struct {
	t       *Task
	mem     *memory.Reservation
	keys    Codec[K]
	vals    Codec[C]
	merge   func(a, b C) C // joins two values of a key that were combined apart
	index   map[K]int32
	entries []combined[K, C]
	weight  int64 // of what is not reserved yet
	full    func()
	runs    []*runFile
	level   int
}

type combined[K comparable, C any] struct {
	Key   K
	Value C
}

const (
	// combinerRuns is over how many files a combiner spreads what it moves to disk.
	combinerRuns = 16
	// combinerStep is how much is reserved at a time.
	combinerStep = 256 << 10
	// entryOverhead is what an entry costs besides key and value: its place in the index.
	entryOverhead = 48
	// combinerLevels is how often what does not fit is spread anew.
	combinerLevels = 8
)

// NewCombiner makes a combiner of a task. full, if given, must empty it (see Drain) when memory is refused.
func NewCombiner[K comparable, C any](t *Task, keys Codec[K], vals Codec[C], merge func(a, b C) C, full func()) *Combiner[K, C] {
	c := &Combiner[K, C]{t: t, mem: t.Mem.Reserve("combining by key"), keys: keys, vals: vals, merge: merge, full: full, index: map[K]int32{}}
	t.OnClose(func() error { c.mem.Release(); return nil })
	return c
}

// At is the value of a key, and whether the key is new; more is about how many bytes the value is going to grow. The
// pointer holds until the next call.
func (c *Combiner[K, C]) At(k K, more int64) (v *C, fresh bool) {
	if i, ok := c.index[k]; ok {
		c.charge(more)
		if i, ok = c.index[k]; ok {
			return &c.entries[i].Value, false
		}
	}
	c.charge(c.keys.Weigh(&k) + more + entryOverhead)
	c.index[k] = int32(len(c.entries))
	c.entries = append(c.entries, combined[K, C]{Key: k})
	return &c.entries[len(c.entries)-1].Value, true
}

// charge books n bytes; refused, the combiner becomes empty.
func (c *Combiner[K, C]) charge(n int64) {
	if c.weight += n; c.weight < combinerStep || c.t.Failed() {
		return
	}
	switch {
	case c.level == combinerLevels: // what has the same hash so far will not be told apart by more of it
		c.t.Fail(c.mem.Grow(c.weight))
	case !c.mem.TryGrow(c.weight):
		c.t.Fail(c.spill())
	}
	c.weight = 0
}

// spill empties the combiner.
func (c *Combiner[K, C]) spill() error {
	if c.full != nil {
		c.full()
	} else if err := c.toDisk(); err != nil {
		return err
	}
	c.forget()
	return c.t.err
}

func (c *Combiner[K, C]) forget() {
	clear(c.index)
	clear(c.entries)
	c.entries = c.entries[:0]
	c.mem.Release()
}

// toDisk moves all entries to the files.
func (c *Combiner[K, C]) toDisk() error {
	if c.runs == nil {
		for range combinerRuns {
			r, err := c.t.newRunFile()
			if err != nil {
				return err
			}
			c.runs = append(c.runs, r)
		}
	}
	for i := range c.entries {
		e := &c.entries[i]
		run := c.runs[c.keys.Hash(&e.Key)>>(56-4*c.level)%combinerRuns]
		err := run.add(func(b []byte) ([]byte, error) {
			b, err := c.keys.Append(b, &e.Key)
			if err != nil {
				return b, err
			}
			return c.vals.Append(b, &e.Value)
		})
		if err != nil {
			return err
		}
	}
	c.t.Metrics.MemoryBytesSpilled += c.mem.Bytes()
	return nil
}

// Drain gives what is in memory and leaves the combiner empty.
func (c *Combiner[K, C]) Drain(f func(k *K, v *C)) {
	for i := range c.entries {
		f(&c.entries[i].Key, &c.entries[i].Value)
	}
	c.forget()
}

// All gives each key once. Keys come in the order in which they first came, as long as nothing went to disk.
func (c *Combiner[K, C]) All() iter.Seq2[K, C] {
	return func(yield func(K, C) bool) {
		if c.runs == nil {
			for i := range c.entries {
				if !yield(c.entries[i].Key, c.entries[i].Value) {
					return
				}
			}
			c.forget()
			return
		}
		if err := c.toDisk(); err != nil {
			c.t.Fail(err)
			return
		}
		c.forget()
		for _, r := range c.runs {
			if !c.reunite(r, yield) {
				return
			}
		}
	}
}

// reunite brings the entries of one file together.
func (c *Combiner[K, C]) reunite(r *runFile, yield func(K, C) bool) bool {
	end, err := r.end()
	if err != nil {
		c.t.Fail(err)
		return false
	}
	c.t.Metrics.DiskBytesSpilled += end
	part := NewCombiner(c.t, c.keys, c.vals, c.merge, nil)
	part.level = c.level + 1
	codec, err := CodecOf[combined[K, C]]()
	if err != nil {
		c.t.Fail(err)
		return false
	}
	next := records(c.t, codec, r.chunks(0, end))
	for {
		e, ok := next()
		if !ok {
			break
		}
		v, fresh := part.At(e.Key, c.vals.Weigh(&e.Value))
		if fresh {
			*v = e.Value
		} else {
			*v = c.merge(*v, e.Value)
		}
	}
	c.t.Fail(r.f.Close())
	if c.t.Err() != nil {
		return false
	}
	for k, v := range part.All() {
		if !yield(k, v) {
			return false
		}
	}
	return c.t.err == nil
}
