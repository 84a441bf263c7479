package exec

import (
	"context"
	"errors"
	"math/bits"

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

// WriteShuffle runs root as one map task and writes its rows, whose columns are out, by partition into the output o of
// m. The rows of a RangePart are spread when they are first read, by bounds that come from samples of all tasks of the
// stage (which share t.Shared); where that cannot be, over files, the bounds are handed in: see WriteRanges.
func WriteShuffle(ctx context.Context, t *Task, env *Env, root Operator, out []*expr.Column, part physical.Partitioning,
	m shuffle.Manager, o shuffle.Output) (shuffle.MapStatus, error) {
	if part.Kind == physical.RangePart && part.N > 1 {
		return writeLate(ctx, t, env, root, out, part, m, o)
	}
	p, err := newPartitioner(env, t, out, part, nil)
	return write(ctx, t, root, m, o, p, err)
}

// WriteRanges is WriteShuffle for a RangePart whose bounds are known: RangeBounds of the stage's SampleKeys.
func WriteRanges(ctx context.Context, t *Task, env *Env, root Operator, out []*expr.Column, part physical.Partitioning,
	bounds *columnar.Batch, m shuffle.Manager, o shuffle.Output) (shuffle.MapStatus, error) {
	p, err := newPartitioner(env, t, out, part, bounds)
	return write(ctx, t, root, m, o, p, err)
}

// write runs root and writes what the partitioner makes of its batches.
func write(ctx context.Context, t *Task, root Operator, m shuffle.Manager, o shuffle.Output, p *partitioner, err error) (shuffle.MapStatus, error) {
	var w shuffle.Writer
	if err == nil {
		w, err = m.Writer(o)
	}
	if err != nil {
		return shuffle.MapStatus{}, errors.Join(err, root.Close(), t.Mem.Close())
	}
	var st shuffle.MapStatus
	commit := func() (err error) {
		st, err = w.Commit(ctx)
		return err
	}
	err = Run(ctx, t, &committing{root, commit, w.Abort}, func(b *columnar.Batch) error {
		order, limits, err := p.split(b)
		if err != nil {
			return err
		}
		return w.Write(ctx, b, order, limits)
	})
	if err == nil && t.Metrics != nil {
		for i := range st.Sizes {
			t.Metrics.Task.ShuffleWrite.BytesWritten += st.Sizes[i]
			t.Metrics.Task.ShuffleWrite.RecordsWritten += st.Rows[i]
		}
	}
	return st, err
}

// committing commits when the operator has ended well, while the task still pays for what the writer holds.
type committing struct {
	Operator
	commit func() error
	abort  func()
}

func (c *committing) Next(ctx context.Context) (*columnar.Batch, error) {
	b, err := c.Operator.Next(ctx)
	if err == nil || !isEOF(err) {
		return b, err
	}
	if cerr := c.commit(); cerr != nil {
		return nil, cerr
	}
	return nil, err
}

func (c *committing) Close() error {
	c.abort()
	return c.Operator.Close()
}

// partitioner says which partition each row of a batch belongs to.
type partitioner struct {
	n      int
	split  func(b *columnar.Batch) (order, limits []uint32, err error)
	prog   *eval.Program
	keys   []columnar.Vector
	flat   []kernel.Scratch
	hashes []uint32
	pids   []uint32
	order  []uint32
	limits []uint32
	next   []uint32
	round  int
}

func newPartitioner(env *Env, t *Task, in []*expr.Column, part physical.Partitioning, bounds *columnar.Batch) (*partitioner, error) {
	p := &partitioner{n: max(part.N, 1)}
	p.limits, p.next = make([]uint32, p.n+1), make([]uint32, p.n)
	list := part.Keys
	switch {
	case part.Kind == physical.SinglePart || p.n == 1:
		p.split = func(*columnar.Batch) ([]uint32, []uint32, error) { return nil, nil, nil }
		return p, nil
	case part.Kind == physical.HashPart:
		p.split = p.byHash
	case part.Kind == physical.RangePart:
		if bounds == nil {
			return nil, sparkerr.Internal("a range exchange was given no bounds")
		}
		list = orderExprs(part.Order)
		r := &ranger{bounds: bounds, order: part.Order}
		p.split = func(b *columnar.Batch) ([]uint32, []uint32, error) { return p.byRange(b, r) }
	case part.Kind == physical.RoundRobinPart:
		p.round = newXORShift(int64(t.Partition)).below(p.n)
		p.split = p.inTurn
	default:
		return nil, sparkerr.Internal("an exchange cannot partition by kind %d", part.Kind)
	}
	p.keys, p.flat = make([]columnar.Vector, len(list)), make([]kernel.Scratch, len(list))
	var err error
	if len(list) > 0 {
		p.prog, err = env.compile(list, in, t)
	}
	return p, err
}

func orderExprs(order []expr.SortOrder) []expr.Expr {
	list := make([]expr.Expr, len(order))
	for i, o := range order {
		list[i] = o.Child
	}
	return list
}

func (p *partitioner) room(n int) {
	if cap(p.pids) < n {
		p.hashes, p.pids, p.order = make([]uint32, n+n/4), make([]uint32, n+n/4), make([]uint32, n+n/4)
	}
	p.hashes, p.pids, p.order = p.hashes[:n], p.pids[:n], p.order[:n]
}

// byHash is Spark's HashPartitioning: the non-negative remainder of the Murmur3 hash of the keys.
func (p *partitioner) byHash(b *columnar.Batch) (order, limits []uint32, err error) {
	if err := p.prog.Run(b, p.keys); err != nil {
		return nil, nil, err
	}
	p.room(b.N)
	for i := range p.hashes {
		p.hashes[i] = partitionSeed
	}
	for i := range p.keys {
		p.flat[i].Reset()
		v := p.flat[i].Flatten(&p.keys[i])
		murmurColumn(&v, p.hashes)
	}
	remainders(p.pids, p.hashes, uint32(p.n))
	return p.sort()
}

// remainders computes the non-negative remainders of signed hashes by n, without a division for each.
func remainders(out, hashes []uint32, n uint32) {
	out = out[:len(hashes)]
	if n&(n-1) == 0 {
		for i, h := range hashes {
			out[i] = h & (n - 1)
		}
		return
	}
	// The remainder of an unsigned h is the high word of (h*inverse mod 2^64)*n; a negative hash is h - 2^32.
	inverse := ^uint64(0)/uint64(n) + 1
	less := uint32((1 << 32) % uint64(n))
	for i, h := range hashes {
		hi, _ := bits.Mul64(inverse*uint64(h), uint64(n))
		r := uint32(hi)
		negative := uint32(int32(h) >> 31)
		r += (n - less) & negative
		if r >= n {
			r -= n
		}
		out[i] = r
	}
}

// inTurn deals rows out one by one.
func (p *partitioner) inTurn(b *columnar.Batch) (order, limits []uint32, err error) {
	p.room(b.N)
	for i := range p.pids {
		p.round++
		if p.round >= p.n {
			p.round = 0
		}
		p.pids[i] = uint32(p.round)
	}
	return p.sort()
}

// sort orders rows by partition, keeping their order within one.
func (p *partitioner) sort() (order, limits []uint32, err error) {
	limits, next := p.limits, p.next
	clear(limits)
	for _, id := range p.pids {
		limits[id+1]++
	}
	for i := range next {
		limits[i+1] += limits[i]
		next[i] = limits[i]
	}
	for i, id := range p.pids {
		p.order[next[id]] = uint32(i)
		next[id]++
	}
	return p.order, limits, nil
}

// StageOutput is what a finished stage left for the stages above: the map outputs of a shuffle, or a broadcast relation.
type StageOutput struct {
	Shuffle    event.ShuffleID
	Maps       []shuffle.MapStatus
	Partitions int
	Schema     *types.Schema
	Relation   *Relation // of a broadcast; nil for a shuffle
}

// StageInputs implements Inputs over a shuffle manager.
type StageInputs struct {
	Manager shuffle.Manager
	Stages  map[int]*StageOutput
}

// Partitions implements Inputs.
func (s *StageInputs) Partitions(stage int) int {
	if o := s.Stages[stage]; o != nil && o.Relation == nil {
		return o.Partitions
	}
	return 0
}

// Broadcast implements Inputs.
func (s *StageInputs) Broadcast(_ context.Context, _ *Task, stage int) (*Relation, error) {
	o := s.Stages[stage]
	if o == nil || o.Relation == nil {
		return nil, sparkerr.Internal("stage %d left no broadcast", stage)
	}
	return o.Relation, nil
}

// Shuffle implements Inputs.
func (s *StageInputs) Shuffle(ctx context.Context, t *Task, stage int, spec physical.PartitionSpec) (BatchReader, error) {
	o := s.Stages[stage]
	if o == nil || o.Relation != nil {
		return nil, sparkerr.Internal("stage %d left no shuffle output", stage)
	}
	maps := o.Maps
	if spec.MapTo > 0 {
		maps = maps[min(spec.MapFrom, len(maps)):min(spec.MapTo, len(maps))]
	}
	r, err := s.Manager.Reader(ctx, shuffle.Request{Shuffle: o.Shuffle, Schema: o.Schema, Maps: maps, From: spec.From, To: spec.To, Metrics: t.ReadMetrics()})
	if err != nil {
		return nil, err
	}
	return &countingReader{r, t.Metrics}, nil
}

// ReadMetrics are where readers of shuffles count; nil if nothing is measured.
func (t *Task) ReadMetrics() *event.ShuffleReadMetrics {
	if t.Metrics == nil {
		return nil
	}
	return &t.Metrics.Task.ShuffleRead
}

// countingReader notes what a task reads.
type countingReader struct {
	shuffle.Reader
	m *Metrics
}

func (r *countingReader) Next(ctx context.Context) (*columnar.Batch, error) {
	b, err := r.Reader.Next(ctx)
	if err == nil && r.m != nil {
		r.m.Task.ShuffleRead.RecordsRead += int64(b.N)
	}
	return b, err
}
