package exec

import (
	"context"
	"errors"
	"slices"
	"sort"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// ranger finds the range of a row among sorted bounds.
type ranger struct {
	bounds *columnar.Batch
	order  []expr.SortOrder
}

func (p *partitioner) byRange(b *columnar.Batch, r *ranger) (order, limits []uint32, err error) {
	if err := p.prog.Run(b, p.keys); err != nil {
		return nil, nil, err
	}
	p.room(b.N)
	for i := range p.keys {
		p.flat[i].Reset()
		p.keys[i] = p.flat[i].Flatten(&p.keys[i])
	}
	for i := range p.pids {
		p.pids[i] = uint32(min(r.find(p.keys, i), p.n-1))
	}
	return p.sort()
}

// find is the number of bounds that row i lies behind.
func (r *ranger) find(keys []columnar.Vector, i int) int {
	return sort.Search(r.bounds.N, func(k int) bool { return compareRows(keys, i, r.bounds.Cols, k, r.order) <= 0 })
}

// compareRows compares row i of a with row j of b by an order.
func compareRows(a []columnar.Vector, i int, b []columnar.Vector, j int, order []expr.SortOrder) int {
	for k := range a {
		na, nb := a[k].Null(i), b[k].Null(j)
		switch {
		case na && nb:
			continue
		case na != nb:
			if na == order[k].NullsFirst {
				return -1
			}
			return 1
		}
		if c := kernel.CompareAt(&a[k], i, &b[k], j); c != 0 {
			if order[k].Desc {
				return -c
			}
			return c
		}
	}
	return 0
}

// KeySample is a sample of the sort keys of one task's rows.
type KeySample struct {
	Keys *columnar.Batch
	Rows int64 // that it stands for
}

// reservoir draws a sample of the sort keys that pass, seeded by the partition.
type reservoir struct {
	order []expr.SortOrder
	prog  *eval.Program
	keys  []columnar.Vector
	rng   *xorShift
	limit int
	drawn [][]any
	rows  int64
}

func newReservoir(t *Task, env *Env, in []*expr.Column, order []expr.SortOrder, limit int) (*reservoir, error) {
	prog, err := env.compile(orderExprs(order), in, t)
	return &reservoir{order: order, prog: prog, keys: make([]columnar.Vector, len(order)), rng: newXORShift(int64(t.Partition)), limit: limit}, err
}

func (r *reservoir) add(b *columnar.Batch) error {
	if err := r.prog.Run(b, r.keys); err != nil {
		return err
	}
	for i := range b.N {
		r.rows++
		at := len(r.drawn)
		if at == r.limit {
			if at = int(r.rng.double() * float64(r.rows)); at >= r.limit {
				continue
			}
		} else {
			r.drawn = append(r.drawn, make([]any, len(r.keys)))
		}
		for k := range r.keys {
			r.drawn[at][k] = r.keys[k].ValueAt(i)
		}
	}
	return nil
}

func (r *reservoir) sample() *KeySample {
	s := &KeySample{Rows: r.rows, Keys: &columnar.Batch{Schema: &types.Schema{}, N: len(r.drawn)}}
	for k, o := range r.order {
		v := columnar.NewBuilder(o.Child.Type(), len(r.drawn))
		for _, row := range r.drawn {
			v.Append(row[k])
		}
		s.Keys.Schema.Fields = append(s.Keys.Schema.Fields, types.Field{Type: o.Child.Type(), Nullable: true})
		s.Keys.Cols = append(s.Keys.Cols, v.Finish())
	}
	return s
}

// SampleKeys runs root and draws a sample of up to limit rows' sort keys.
func SampleKeys(ctx context.Context, t *Task, env *Env, root Operator, in []*expr.Column, order []expr.SortOrder, limit int) (*KeySample, error) {
	r, err := newReservoir(t, env, in, order, limit)
	if err != nil {
		return nil, errors.Join(err, root.Close(), t.Mem.Close())
	}
	if err := Run(ctx, t, root, r.add); err != nil {
		return nil, err
	}
	return r.sample(), nil
}

// SampleLimit is the number of rows that each task of a stage should draw to find the bounds of n ranges.
func SampleLimit(n int) int { return max(1000, 60*n) }

// RangeBounds chooses up to n-1 bounds from samples so that each of n ranges has about as many rows. Rows up to a bound,
// itself included, belong to its partition.
func RangeBounds(samples []*KeySample, order []expr.SortOrder, n int) *columnar.Batch {
	type drawn struct {
		sample, row int
		weight      float64
	}
	var all []drawn
	var total float64
	out := &columnar.Batch{}
	for s, k := range samples {
		out.Schema = k.Keys.Schema
		for i := range k.Keys.N {
			w := float64(k.Rows) / float64(k.Keys.N)
			all, total = append(all, drawn{s, i, w}), total+w
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		return compareRows(samples[all[i].sample].Keys.Cols, all[i].row, samples[all[j].sample].Keys.Cols, all[j].row, order) < 0
	})
	cols := make([]*columnar.Builder, len(order))
	for i := range cols {
		cols[i] = columnar.NewBuilder(order[i].Child.Type(), n)
	}
	step, sum, last := total/float64(n), 0.0, -1
	target := step
	for i, d := range all {
		sum += d.weight
		if sum < target || out.N == n-1 {
			continue
		}
		if last >= 0 && compareRows(samples[d.sample].Keys.Cols, d.row, samples[all[last].sample].Keys.Cols, all[last].row, order) == 0 {
			continue // a frequent key: its rows stay together
		}
		for k, c := range cols {
			c.Append(samples[d.sample].Keys.Cols[k].ValueAt(d.row))
		}
		out.N++
		last, target = i, target+step
	}
	for _, c := range cols {
		out.Cols = append(out.Cols, c.Finish())
	}
	return out
}

// lateRanges is what the tasks of a stage share whose rows are spread by range after the last of them has ended.
type lateRanges struct {
	mu      sync.Mutex
	samples map[int]*KeySample // by map
	bounds  *columnar.Batch
}

type lateKey event.ShuffleID

// writeLate writes the rows unspread, draws a sample, and leaves word how to spread them.
func writeLate(ctx context.Context, t *Task, env *Env, root Operator, out []*expr.Column, part physical.Partitioning,
	m shuffle.Manager, o shuffle.Output) (shuffle.MapStatus, error) {
	sample, err := newReservoir(t, env, out, part.Order, SampleLimit(part.N))
	if t.Shared == nil {
		err = sparkerr.Internal("a range exchange needs what the tasks of its stage share")
	}
	p := &partitioner{}
	if err == nil {
		var v any
		v, err = t.Shared.Of(lateKey(o.Shuffle), func() (any, error) { return &lateRanges{samples: map[int]*KeySample{}}, nil })
		if late, ok := v.(*lateRanges); ok {
			p.split = func(b *columnar.Batch) ([]uint32, []uint32, error) { return nil, nil, sample.add(b) }
			o.Late = func() (shuffle.Split, error) { return late.splitter(env, t, out, part) }
			root = &committing{root, func() error { late.note(o.Map, sample.sample()); return nil }, func() {}}
		}
	}
	return write(ctx, t, root, m, o, p, err)
}

func (l *lateRanges) note(m int, s *KeySample) {
	l.mu.Lock()
	l.samples[m] = s
	l.mu.Unlock()
}

// splitter makes a function that spreads batches; the first one finds the bounds.
func (l *lateRanges) splitter(env *Env, t *Task, out []*expr.Column, part physical.Partitioning) (shuffle.Split, error) {
	l.mu.Lock()
	if l.bounds == nil {
		maps := make([]int, 0, len(l.samples))
		for m := range l.samples {
			maps = append(maps, m)
		}
		slices.Sort(maps)
		samples := make([]*KeySample, len(maps))
		for i, m := range maps {
			samples[i] = l.samples[m]
		}
		l.bounds = RangeBounds(samples, part.Order, part.N)
	}
	bounds := l.bounds
	l.mu.Unlock()
	p, err := newPartitioner(env, t, out, part, bounds)
	return p.split, err
}
