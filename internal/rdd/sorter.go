package rdd

import (
	"container/heap"
	"iter"
	"slices"

	"github.com/firesteel/firesteel/internal/memory"
)

// Sorter sorts records within the task's memory; what does not fit is sorted in runs on disk. Equal records keep their
// order.
type Sorter[T any] struct {
	t       *Task
	mem     *memory.Reservation
	codec   Codec[T]
	compare func(a, b T) int
	list    []T
	weight  int64
	file    *runFile
	runs    [][2]int64
}

// NewSorter makes a sorter of a task.
func NewSorter[T any](t *Task, codec Codec[T], compare func(a, b T) int) *Sorter[T] {
	s := &Sorter[T]{t: t, mem: t.Mem.Reserve("sorting"), codec: codec, compare: compare}
	t.OnClose(func() error { s.mem.Release(); return nil })
	return s
}

// Add takes a record.
func (s *Sorter[T]) Add(v T) {
	s.list = append(s.list, v)
	if s.weight += 2 * s.codec.Weigh(&v); s.weight < combinerStep {
		return
	}
	if !s.mem.TryGrow(s.weight) {
		s.t.Fail(s.spill())
	}
	s.weight = 0
}

// spill writes a run.
func (s *Sorter[T]) spill() error {
	if s.file == nil {
		f, err := s.t.newRunFile()
		if err != nil {
			return err
		}
		s.file = f
	}
	slices.SortStableFunc(s.list, s.compare)
	from, err := s.file.f.Position()
	if err != nil {
		return err
	}
	for i := range s.list {
		if err := s.file.add(func(b []byte) ([]byte, error) { return s.codec.Append(b, &s.list[i]) }); err != nil {
			return err
		}
	}
	to, err := s.file.end()
	s.runs = append(s.runs, [2]int64{from, to})
	s.t.Metrics.MemoryBytesSpilled += s.mem.Bytes()
	s.t.Metrics.DiskBytesSpilled += to - from
	clear(s.list)
	s.list = s.list[:0]
	s.mem.Release()
	return err
}

// All gives the records in order.
func (s *Sorter[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		if s.t.Err() != nil {
			return
		}
		slices.SortStableFunc(s.list, s.compare)
		if s.file == nil {
			for _, v := range s.list {
				if !yield(v) {
					return
				}
			}
			return
		}
		s.merge(yield)
	}
}

// merge gives the records of all runs, the last of which is in memory.
func (s *Sorter[T]) merge(yield func(T) bool) {
	m := &merger[T]{compare: s.compare}
	add := func(next func() (T, bool)) {
		if v, ok := next(); ok {
			m.heads = append(m.heads, head[T]{v, len(m.heads), next})
		}
	}
	for _, r := range s.runs {
		add(records(s.t, s.codec, s.file.chunks(r[0], r[1])))
	}
	i := 0
	add(func() (v T, ok bool) {
		if i == len(s.list) {
			return v, false
		}
		i++
		return s.list[i-1], true
	})
	heap.Init(m)
	for len(m.heads) > 0 && s.t.err == nil {
		h := &m.heads[0]
		if !yield(h.v) {
			return
		}
		var ok bool
		if h.v, ok = h.next(); ok {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
}

// head is the next record of a run; runs are numbered in the order in which they were written.
type head[T any] struct {
	v    T
	run  int
	next func() (T, bool)
}

type merger[T any] struct {
	heads   []head[T]
	compare func(a, b T) int
}

func (m *merger[T]) Len() int { return len(m.heads) }
func (m *merger[T]) Less(i, j int) bool {
	if c := m.compare(m.heads[i].v, m.heads[j].v); c != 0 {
		return c < 0
	}
	return m.heads[i].run < m.heads[j].run
}
func (m *merger[T]) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merger[T]) Push(x any)    { m.heads = append(m.heads, x.(head[T])) }
func (m *merger[T]) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}
