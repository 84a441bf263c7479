package executor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// PlanKind opens fragments of plans (wire.PlanWork). The tasks of a stage share the decoded plan, the broadcast relations
// that it reads, and what is derived from them; nothing else, so that each of them can be repeated alone, and gives the
// same rows in the same order then.
func PlanKind(ctx context.Context, env *Env, data []byte) (Work, error) {
	w, err := openPlan(ctx, env, data)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func openPlan(ctx context.Context, env *Env, data []byte) (*planWork, error) {
	f, err := wire.DecodeFragment(data)
	if err != nil {
		return nil, err
	}
	w := &planWork{env: env, f: f, inputs: map[int]*wire.Input{}, relations: map[int]*heldRelation{}, cached: map[string]*cachedPlan{}}
	for _, c := range f.Cached {
		w.cached[c.Key] = &cachedPlan{Cached: c}
	}
	if w.session, err = f.Session.Open(); err != nil {
		return nil, err
	}
	w.source = &source.Env{Session: w.session, FS: env.FS}
	for i := range f.Inputs {
		w.inputs[f.Inputs[i].Stage] = &f.Inputs[i]
	}
	if w.splits, err = openScans(f, w.source); err != nil {
		return nil, err
	}
	return w, w.openFilters(ctx)
}

// planWork is an open fragment.
type planWork struct {
	env     *Env
	f       *wire.Fragment
	session *kernel.Session
	source  *source.Env
	splits  dealtSplits
	filters exec.Filters
	inputs  map[int]*wire.Input
	cached  map[string]*cachedPlan

	mu        sync.Mutex
	relations map[int]*heldRelation // by stage
}

// openFilters makes the runtime filters of the fragment known.
func (w *planWork) openFilters(ctx context.Context) error {
	for _, f := range w.f.Filters {
		if f.At != 0 {
			bits, err := w.fetchBits(ctx, f.At)
			if err != nil {
				return err
			}
			f.Bits = bits
		}
		if f.Bits != nil && !f.Empty && uint64(f.Max)-uint64(f.Min) >= uint64(len(f.Bits))*64 {
			return sparkerr.Internal("runtime filter %d came with too few bits", f.ID)
		}
		w.filters.Publish(f.ID, exec.KeySet{Min: f.Min, Max: f.Max, Bits: f.Bits, Empty: f.Empty})
	}
	return nil
}

func (w *planWork) fetchBits(ctx context.Context, id event.BroadcastID) (columnar.Bitmap, error) {
	r, err := w.env.Broadcast(ctx, id)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	out := make(columnar.Bitmap, len(data)/8)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(data[i*8:])
	}
	return out, nil
}

// Run implements Work.
func (w *planWork) Run(ctx context.Context, t *Task) (wire.Outcome, error) {
	et := w.task(t)
	env := &exec.Env{Session: w.session, Metrics: et.Metrics}
	op, err := exec.Build(w.f.Plan, env)
	if err != nil {
		return wire.Outcome{}, errors.Join(err, et.Mem.Close())
	}
	out := wire.Outcome{Metrics: &et.Metrics.Task}
	switch o := &w.f.Output; o.Kind {
	case wire.MapOutput:
		err = w.runMap(ctx, t, et, env, op, &out)
	case wire.SampleOutput:
		err = w.runSample(ctx, et, env, op, &out)
	default:
		err = w.runRows(ctx, t, et, env, op, &out)
	}
	out.Accums = et.Metrics.Counted(w.f.Plan, w.f.Metrics)
	return out, err
}

// task makes the exec side of a task attempt.
func (w *planWork) task(t *Task) *exec.Task {
	et := &exec.Task{
		ID: t.ID, Stage: t.Stage, Partition: t.Partition, Attempt: t.StageAttempt<<16 | t.Attempt, Session: w.session,
		Mem: w.env.Pool.Account(fmt.Sprintf("task %d", t.ID)), Dirs: w.env.Dirs, Source: w.source, Splits: w.splits,
		Filters: &w.filters, Metrics: &exec.Metrics{}, MayCommit: t.Commit,
	}
	if w.f.Tasks != nil {
		et.Partition = w.f.Tasks[t.Partition]
	}
	et.Inputs, et.Cache = &planInputs{w: w, epoch: t.Epoch, metrics: et.Metrics}, &planCache{w, t.Epoch}
	return et
}

func (w *planWork) runMap(ctx context.Context, t *Task, et *exec.Task, env *exec.Env, op exec.Operator, out *wire.Outcome) error {
	o := &w.f.Output
	dest := shuffle.Output{Shuffle: o.Shuffle, Map: et.Partition, Task: t.ID, Partitions: max(o.Part.N, 1), Schema: op.Schema(), Mem: et.Mem}
	var st shuffle.MapStatus
	var keys *exec.FilterKeys
	var err error
	if len(o.Publish) > 0 {
		if keys, err = exec.NewFilterKeys(o.Publish, w.f.Plan.Output(), env); err != nil {
			return errors.Join(err, op.Close(), et.Mem.Close())
		}
		keys.Limit(maxTaskKeys)
		op = &tap{op, keys}
	}
	if len(o.Bounds) > 0 {
		st, err = exec.WriteRanges(ctx, et, env, op, w.f.Plan.Output(), o.Part, o.Bounds[0], w.env.Shuffle, dest)
	} else {
		st, err = exec.WriteShuffle(ctx, et, env, op, w.f.Plan.Output(), o.Part, w.env.Shuffle, dest)
	}
	out.Sizes = st.Sizes
	if err != nil || keys == nil {
		return err
	}
	var list []wire.FilterKeys
	for _, l := range keys.Lists() {
		list = append(list, wire.FilterKeys(l))
	}
	out.Result, err = wire.Marshal(&list)
	out.ResultSize = int64(len(out.Result))
	return err
}

// maxTaskKeys is the number of keys that a task tells; of more it tells the bounds.
const maxTaskKeys = 1 << 18

// tap notes the keys of the rows that pass.
type tap struct {
	exec.Operator
	keys *exec.FilterKeys
}

func (t *tap) Next(ctx context.Context) (*columnar.Batch, error) {
	b, err := t.Operator.Next(ctx)
	if err == nil && b.N > 0 {
		err = t.keys.Add(b)
	}
	return b, err
}

func (w *planWork) runSample(ctx context.Context, et *exec.Task, env *exec.Env, op exec.Operator, out *wire.Outcome) error {
	s, err := exec.SampleKeys(ctx, et, env, op, w.f.Plan.Output(), w.f.Output.Order, w.f.Output.Limit)
	if err != nil {
		return err
	}
	out.Result, err = wire.Marshal(&wire.Sample{Keys: []*columnar.Batch{s.Keys}, Rows: s.Rows})
	out.ResultSize = int64(len(out.Result))
	return err
}

// runRows makes the task's rows its result.
func (w *planWork) runRows(ctx context.Context, t *Task, et *exec.Task, env *exec.Env, op exec.Operator, out *wire.Outcome) error {
	r := &resultWriter{env: w.env, name: fmt.Sprintf("%s_%d", w.f.Output.Name, t.ID)}
	r.enc.Compress = w.f.Output.Compress
	err := exec.Run(ctx, et, op, r.write)
	if err != nil {
		r.abort()
		return err
	}
	return r.finish(out)
}

// Close implements Work.
func (w *planWork) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.relations {
		h.free()
	}
	clear(w.relations)
	var errs []error
	for _, c := range w.cached {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// dealtSplits are the splits of each scan, by task. It implements exec.Splits.
type dealtSplits map[*physical.Scan]dealt

type dealt struct {
	splits []source.Split
	ends   []int
}

func openScans(f *wire.Fragment, env *source.Env) (dealtSplits, error) {
	scans := wire.ScansOf(f.Plan)
	if len(scans) != len(f.Scans) {
		return nil, sparkerr.Internal("a plan with %d scans came with the splits of %d", len(scans), len(f.Scans))
	}
	out := dealtSplits{}
	for i, s := range f.Scans {
		d := dealt{ends: s.Ends}
		if s.Portion != nil {
			var err error
			if d.splits, err = s.Portion.Open(env); err != nil {
				return nil, err
			}
		}
		last := 0
		for _, e := range s.Ends {
			if e < last || e > len(d.splits) {
				return nil, sparkerr.Internal("the splits of a scan are dealt out wrongly")
			}
			last = e
		}
		out[scans[i]] = d
	}
	return out, nil
}

// Queue implements exec.Splits.
func (l dealtSplits) Queue(p *physical.Scan, partition int) (exec.Queue, error) {
	d, ok := l[p]
	if !ok {
		return nil, sparkerr.Internal("a scan came without its splits")
	}
	if partition < 0 || partition >= len(d.ends) {
		return exec.NewQueue(nil), nil
	}
	from := 0
	if partition > 0 {
		from = d.ends[partition-1]
	}
	return exec.NewQueue(d.splits[from:d.ends[partition]]), nil
}

// Partitions implements exec.Splits.
func (l dealtSplits) Partitions(p *physical.Scan) int { return len(l[p].ends) }

// planInputs reads what the stages below wrote, for one task. It implements exec.Inputs.
type planInputs struct {
	w       *planWork
	epoch   int64
	metrics *exec.Metrics
	known   map[int][]shuffle.MapStatus
}

// Partitions implements exec.Inputs.
func (p *planInputs) Partitions(stage int) int {
	if in := p.w.inputs[stage]; in != nil && in.Shuffle != event.NoShuffle {
		return in.Partitions
	}
	return 0
}

// Shuffle implements exec.Inputs.
func (p *planInputs) Shuffle(ctx context.Context, t *exec.Task, stage int, spec physical.PartitionSpec) (exec.BatchReader, error) {
	in := p.w.inputs[stage]
	if in == nil || in.Shuffle == event.NoShuffle {
		return nil, sparkerr.Internal("stage %d left no shuffle output", stage)
	}
	maps, ok := p.known[stage]
	if !ok {
		var err error
		if maps, err = p.w.env.Statuses(ctx, in.Shuffle, p.epoch); err != nil {
			return nil, err
		}
		if p.known == nil {
			p.known = map[int][]shuffle.MapStatus{}
		}
		p.known[stage] = maps
	}
	one := exec.StageInputs{Manager: p.w.env.Shuffle, Stages: map[int]*exec.StageOutput{
		stage: {Shuffle: in.Shuffle, Maps: maps, Partitions: in.Partitions, Schema: &in.Schema}}}
	return one.Shuffle(ctx, t, stage, spec)
}

// Broadcast implements exec.Inputs.
func (p *planInputs) Broadcast(ctx context.Context, _ *exec.Task, stage int) (*exec.Relation, error) {
	in := p.w.inputs[stage]
	if in == nil || in.Shuffle != event.NoShuffle {
		return nil, sparkerr.Internal("stage %d left no broadcast", stage)
	}
	return p.w.relation(ctx, in)
}

// heldRelation is a broadcast relation with the memory that it takes in this process.
type heldRelation struct {
	mu  sync.Mutex // held while the rows are fetched
	rel *exec.Relation
	mem *memory.Reservation
}

func (h *heldRelation) free() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rel != nil {
		h.rel.Free()
		h.rel = nil
	}
	if h.mem != nil {
		h.mem.Release()
	}
}

// relation fetches a broadcast once for all tasks. A fetch that failed is tried again by the next task.
func (w *planWork) relation(ctx context.Context, in *wire.Input) (*exec.Relation, error) {
	w.mu.Lock()
	h := w.relations[in.Stage]
	if h == nil {
		h = &heldRelation{}
		w.relations[in.Stage] = h
	}
	w.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rel != nil {
		return h.rel, nil
	}
	if h.mem == nil {
		h.mem = w.env.Pool.Shared("broadcast").Reserve("BroadcastExchange")
	}
	rel, err := w.fetch(ctx, in, h.mem)
	if err != nil {
		h.mem.Release()
		return nil, err
	}
	h.rel = rel
	return rel, nil
}

func (w *planWork) fetch(ctx context.Context, in *wire.Input, mem *memory.Reservation) (_ *exec.Relation, err error) {
	r, err := w.env.Broadcast(ctx, in.Broadcast)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	rel := &exec.Relation{Schema: &in.Schema, Mem: w.env.Pool.Shared("hash table")}
	frames := wire.NewFrameReader(r, &in.Schema)
	for {
		b, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return rel, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading broadcast %d: %w", in.Broadcast, err)
		}
		n := b.Bytes()
		if err := mem.Grow(n); err != nil {
			return nil, err
		}
		rel.Batches, rel.Rows, rel.Bytes = append(rel.Batches, b), rel.Rows+int64(b.N), rel.Bytes+n
	}
}

var (
	_ Kind        = PlanKind
	_ exec.Splits = dealtSplits(nil)
	_ exec.Inputs = (*planInputs)(nil)
)
