package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

const (
	aggFan    = 16 // partitions of a spill
	aggBits   = 4
	aggLevels = 10 // how often a partition may be split again
)

// aggSpill is an aggregation on disk, by bits of the key's hash: the states of the groups, and for aggregates that keep
// more than their state tells (DISTINCT, ORDER BY inside) the rows that they hold.
type aggSpill struct {
	level  int
	states spillSet
	whole  []spillSet // by call; unused for those that have a state
}

// spillSet spreads rows, whose first columns are the keys, over the files of the partitions.
type spillSet struct {
	schema *types.Schema
	files  [aggFan]*memory.SpillFile
	hashes []uint64
	words  []uint64
	order  []uint32
	bounds [aggFan + 1]uint32
	arena  []kernel.Scratch
	flat   []kernel.Scratch
	sorted columnar.Batch
}

func newSpillSet(schema *types.Schema) spillSet {
	n := len(schema.Fields)
	return spillSet{schema: schema, arena: make([]kernel.Scratch, n), flat: make([]kernel.Scratch, n)}
}

// aggPart is one spilled partition: all there is of its keys.
type aggPart struct {
	file  *memory.SpillFile
	whole []*memory.SpillFile // by call; nil for those that have a state
	level int
}

func (p *aggPart) close() error {
	errs := []error{p.file.Close()}
	for _, f := range p.whole {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
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
		o.spill = &aggSpill{level: level, states: newSpillSet(o.layout.spill), whole: make([]spillSet, len(o.layout.calls))}
		for i := range o.layout.calls {
			if c := &o.layout.calls[i]; c.whole {
				o.spill.whole[i] = newSpillSet(o.layout.rowSchema(c))
			}
		}
	}
	before, n := o.spill.bytes(), o.table.len()
	if err := o.dumpStates(n); err != nil {
		return err
	}
	if err := o.dumpWhole(n); err != nil {
		return err
	}
	if o.t.Metrics != nil {
		o.t.Metrics.Task.MemoryBytesSpilled += o.table.bytes()
	}
	o.t.Metrics.spilled(o.p, int64(n), o.spill.bytes()-before)
	return o.startOver()
}

func (o *aggregateOp) dumpStates(n int) error {
	for from := 0; from < n; from += BatchRows {
		to := min(from+BatchRows, n)
		if err := o.table.rows(o.table.cols, from, to, true); err != nil {
			return err
		}
		if err := o.spill.states.write(o.t, o.spill.level, o.table.cols, len(o.layout.keys), to-from); err != nil {
			return err
		}
	}
	return nil
}

// dumpWhole writes the rows that aggregates hold, each with the keys of its group.
func (o *aggregateOp) dumpWhole(n int) error {
	keys := make([]columnar.Vector, len(o.layout.keys))
	for i := range o.table.calls {
		c := &o.table.calls[i]
		if !c.whole {
			continue
		}
		o.table.groups.groups(keys, 0, n)
		arena := make([]kernel.Scratch, len(keys))
		cols := make([]columnar.Vector, len(keys), len(keys)+len(c.args)+len(c.order))
		err := c.agg.(wholeAgg).held(func(group []uint32, rows []columnar.Vector) error {
			for k := range keys {
				arena[k].Reset()
				cols[k] = arena[k].Gather(&keys[k], group)
			}
			return o.spill.whole[i].write(o.t, o.spill.level, append(cols, rows...), len(keys), len(group))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// write adds n rows to the partitions they belong to.
func (s *spillSet) write(t *Task, level int, cols []columnar.Vector, keys, n int) error {
	if cap(s.hashes) < n {
		s.hashes, s.words, s.order = make([]uint64, n), make([]uint64, n), make([]uint32, n)
	}
	s.sorted.Cols = s.sorted.Cols[:0]
	for i := range cols {
		s.flat[i].Reset()
		s.sorted.Cols = append(s.sorted.Cols, s.flat[i].Flatten(&cols[i]))
	}
	hashes := s.hashes[:n]
	keyHashes(s.sorted.Cols[:keys], n, hashes, s.words)
	shift := 64 - aggBits*uint(level+1)
	for i, h := range hashes {
		hashes[i] = h >> shift % aggFan
	}
	s.sort(hashes)
	s.sorted.Schema, s.sorted.N = s.schema, n
	for i := range s.sorted.Cols {
		s.arena[i].Reset()
		s.sorted.Cols[i] = s.arena[i].Gather(&s.sorted.Cols[i], s.order[:n])
	}
	for p := range aggFan {
		if s.bounds[p] == s.bounds[p+1] {
			continue
		}
		if s.files[p] == nil {
			f, err := t.Dirs.Spill()
			if err != nil {
				return err
			}
			s.files[p] = f
		}
		if err := s.files[p].Write(&s.sorted, int(s.bounds[p]), int(s.bounds[p+1])); err != nil {
			return err
		}
	}
	return nil
}

// sort orders rows by partition.
func (s *spillSet) sort(parts []uint64) {
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

// sets are the states and what is used of the others.
func (s *aggSpill) sets() []*spillSet {
	out := []*spillSet{&s.states}
	for i := range s.whole {
		out = append(out, &s.whole[i])
	}
	return out
}

func (s *aggSpill) bytes() (n int64) {
	for _, set := range s.sets() {
		for _, f := range set.files {
			if f != nil {
				n += f.Bytes()
			}
		}
	}
	return n
}

// finish ends writing and lists the partitions. A partition has states whenever it has rows.
func (s *aggSpill) finish() ([]aggPart, error) {
	var parts []aggPart
	var errs []error
	for p, f := range s.states.files {
		if f == nil {
			continue
		}
		part := aggPart{file: f, level: s.level, whole: make([]*memory.SpillFile, len(s.whole))}
		errs = append(errs, f.Done())
		for i := range s.whole {
			if w := s.whole[i].files[p]; w != nil {
				part.whole[i] = w
				errs = append(errs, w.Done())
			}
		}
		parts = append(parts, part)
	}
	return parts, errors.Join(errs...)
}

func (s *aggSpill) close() error {
	var errs []error
	for _, set := range s.sets() {
		for _, f := range set.files {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// nextPart merges the next spilled partition into the table and starts handing it out; a partition that does not fit is
// split further. It answers false when there is none.
func (o *aggregateOp) nextPart(ctx context.Context) (bool, error) {
	if o.part != nil {
		err := o.part.close()
		o.part = nil
		if err != nil {
			return false, err
		}
	}
	if len(o.todo) == 0 {
		return false, nil
	}
	o.part, o.todo = &o.todo[0], o.todo[1:]
	err := o.replay(ctx, o.part.file, o.layout.spill, func(b *columnar.Batch) error { return o.table.merge(b.Cols, b.N) })
	for i, f := range o.part.whole {
		if f == nil || err != nil {
			continue
		}
		err = o.replay(ctx, f, o.layout.rowSchema(&o.layout.calls[i]), func(b *columnar.Batch) error { return o.table.again(i, b) })
	}
	if err != nil {
		return false, err
	}
	return true, o.inputEnded(ctx)
}

// replay feeds the batches of a file to the table.
func (o *aggregateOp) replay(ctx context.Context, f *memory.SpillFile, schema *types.Schema, add func(*columnar.Batch) error) error {
	read, err := f.Reader(schema)
	if err != nil {
		return err
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b, err := read.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := o.makeRoom(ctx, b.N); err != nil {
			return err
		}
		if err := add(b); err != nil {
			return err
		}
		if _, err := o.account(ctx, b.N); err != nil {
			return err
		}
	}
}
