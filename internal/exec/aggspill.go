package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
)

const (
	aggFan    = 16 // partitions of a spill
	aggBits   = 4
	aggLevels = 10 // how often a partition may be split again
)

// aggSpill collects the states of an aggregation on disk, by bits of the key's hash.
type aggSpill struct {
	level  int
	files  [aggFan]*memory.SpillFile
	hashes []uint64
	words  []uint64
	order  []uint32
	bounds [aggFan + 1]uint32
	arena  []kernel.Scratch
	sorted columnar.Batch
}

// aggPart is one spilled partition: all states of its keys.
type aggPart struct {
	file  *memory.SpillFile
	level int
	read  *memory.FrameReader
}

// dump moves all groups to disk and empties the table, memory included.
func (o *aggregateOp) dump(context.Context) error {
	if o.spill == nil {
		level := 0
		if o.part != nil {
			level = o.part.level + 1
		}
		if level > aggLevels {
			return o.mem.Grow(roundUp(o.table.bytes()))
		}
		o.spill = &aggSpill{level: level, arena: make([]kernel.Scratch, len(o.layout.spill.Fields))}
	}
	n := o.table.len()
	before := o.spill.bytes()
	for from := 0; from < n; from += BatchRows {
		to := min(from+BatchRows, n)
		if err := o.table.rows(o.table.cols, from, to, true); err != nil {
			return err
		}
		if err := o.spill.write(o, to-from); err != nil {
			return err
		}
	}
	if o.t.Metrics != nil {
		o.t.Metrics.Task.MemoryBytesSpilled += o.table.bytes()
	}
	o.t.Metrics.spilled(o.p, int64(n), o.spill.bytes()-before)
	o.table.free()
	table, err := newAggTable(o.layout, o.env, o.t)
	o.table = table
	o.mem.Release()
	return err
}

// write adds n rows of the table's columns to the partitions they belong to.
func (s *aggSpill) write(o *aggregateOp, n int) error {
	if cap(s.hashes) < n {
		s.hashes, s.words, s.order = make([]uint64, BatchRows), make([]uint64, BatchRows), make([]uint32, BatchRows)
	}
	hashes := s.hashes[:n]
	keyHashes(o.table.cols[:len(o.layout.keys)], n, hashes, s.words)
	shift := 64 - aggBits*uint(s.level+1)
	for i, h := range hashes {
		hashes[i] = h >> shift % aggFan
	}
	s.sort(hashes)
	s.sorted.Schema, s.sorted.N = o.layout.spill, n
	s.sorted.Cols = s.sorted.Cols[:0]
	for i := range o.table.cols {
		s.arena[i].Reset()
		s.sorted.Cols = append(s.sorted.Cols, s.arena[i].Gather(&o.table.cols[i], s.order[:n]))
	}
	for p := range aggFan {
		from, to := int(s.bounds[p]), int(s.bounds[p+1])
		if from == to {
			continue
		}
		if s.files[p] == nil {
			f, err := o.t.Dirs.Spill()
			if err != nil {
				return err
			}
			s.files[p] = f
		}
		if err := s.files[p].Write(&s.sorted, from, to); err != nil {
			return err
		}
	}
	return nil
}

// sort orders rows by partition.
func (s *aggSpill) sort(parts []uint64) {
	clear(s.bounds[:])
	for _, p := range parts {
		s.bounds[p+1]++
	}
	for i := range aggFan {
		s.bounds[i+1] += s.bounds[i]
	}
	var next [aggFan]uint32
	copy(next[:], s.bounds[:aggFan])
	for i, p := range parts {
		s.order[next[p]] = uint32(i)
		next[p]++
	}
}

func (s *aggSpill) bytes() (n int64) {
	for _, f := range s.files {
		if f != nil {
			n += f.Bytes()
		}
	}
	return n
}

// finish ends writing and lists the partitions.
func (s *aggSpill) finish() ([]aggPart, error) {
	var parts []aggPart
	var errs []error
	for _, f := range s.files {
		if f != nil {
			errs = append(errs, f.Done())
			parts = append(parts, aggPart{file: f, level: s.level})
		}
	}
	return parts, errors.Join(errs...)
}

func (s *aggSpill) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// nextPart merges the next spilled partition into the table and starts handing it out; a partition that does not fit is
// split further. It answers false when there is none.
func (o *aggregateOp) nextPart(ctx context.Context) (bool, error) {
	if o.part != nil {
		err := o.part.file.Close()
		o.part = nil
		if err != nil {
			return false, err
		}
	}
	if len(o.todo) == 0 {
		return false, nil
	}
	o.part, o.todo = &o.todo[0], o.todo[1:]
	read, err := o.part.file.Reader(o.layout.spill)
	if err != nil {
		return false, err
	}
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		b, err := read.Next()
		if errors.Is(err, io.EOF) {
			return true, o.inputEnded(ctx)
		}
		if err != nil {
			return false, err
		}
		if err := o.table.merge(b.Cols, b.N); err != nil {
			return false, err
		}
		if _, err := o.account(ctx, b.N); err != nil {
			return false, err
		}
	}
}
