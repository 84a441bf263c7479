package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/wire"
)

// onExecutors runs the tasks of an execution in other processes: a stage travels as a wire.Fragment. Tasks own their splits
// and share nothing that their results depend on, so each of them can be repeated alone.
type onExecutors struct {
	*execution
	ex driver.Executors

	mu      sync.Mutex // stages of one wave are prepared at the same time
	scans   map[*physical.Scan]*wire.Scan
	filters map[int]wire.Filter
}

func newOnExecutors(x *execution) *onExecutors {
	return &onExecutors{execution: x, ex: x.app.executors, scans: map[*physical.Scan]*wire.Scan{}, filters: map[int]wire.Filter{}}
}

func (x *onExecutors) slots() int { return x.app.Slots() }

// countTasks plans the scans of a stage and counts what its leaves call for.
func (x *onExecutors) countTasks(p physical.Plan) (int, error) {
	for _, s := range wire.ScansOf(p) {
		if err := x.planScan(s); err != nil {
			return 0, err
		}
	}
	return max(exec.PartsOf(p, dealtScans{x}, x).Fixed, 1), nil
}

// dealtScans knows to how many tasks the splits of a scan go. It implements exec.Splits.
type dealtScans struct{ x *onExecutors }

func (d dealtScans) Partitions(p *physical.Scan) int {
	d.x.mu.Lock()
	defer d.x.mu.Unlock()
	return len(d.x.scans[p].Ends)
}

func (dealtScans) Queue(*physical.Scan, int) (exec.Queue, error) {
	return nil, sparkerr.Internal("the driver of a cluster reads no splits itself")
}

// planScan lists the splits of a scan and deals them out.
func (x *onExecutors) planScan(p *physical.Scan) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.scans[p] != nil {
		return nil
	}
	splits, err := exec.PlanScan(p)
	if err != nil {
		return err
	}
	s := &wire.Scan{Ends: deal(splits, p.Tasks, x.slots())}
	if s.Portion, err = newPortion(splits); err != nil {
		return err
	}
	x.scans[p] = s
	return nil
}

// fragment makes the data of a stage's work.
func (x *onExecutors) fragment(s *stage, out wire.Output, tasks []int) (*wire.Work, error) {
	f := &wire.Fragment{Session: wire.NewSession(x.q.kernel, x.q.values.All()), Plan: s.Plan, Tasks: tasks, Output: out, Metrics: s.metrics}
	for _, id := range s.Inputs {
		in := x.stages[id]
		f.Inputs = append(f.Inputs, wire.Input{Stage: id, Schema: *schemaOf(in.Plan.Output()), Shuffle: in.shuffle,
			Partitions: in.Part.N, Broadcast: in.broadcast, Bytes: in.bytes})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	sent := map[int]bool{}
	for _, scan := range wire.ScansOf(s.Plan) {
		f.Scans = append(f.Scans, *x.scans[scan])
		for _, ref := range scan.Runtime {
			if k, ok := x.filters[ref.ID]; ok && !sent[ref.ID] {
				sent[ref.ID] = true
				f.Filters = append(f.Filters, k)
			}
		}
	}
	for _, k := range x.reads(s.Plan) {
		f.Cached = append(f.Cached, k.data)
	}
	data, err := f.Encode()
	return &wire.Work{Kind: wire.PlanWork, Data: data}, err
}

// runMap implements place.
func (x *onExecutors) runMap(ctx context.Context, s *stage) error {
	if err := x.prepare(s); err != nil {
		return err
	}
	out := wire.Output{Kind: wire.MapOutput, Shuffle: s.shuffle, Part: s.Part, Publish: s.Publish}
	keys, err := x.filterKeys(s)
	if err != nil {
		return err
	}
	if s.Part.Kind == physical.RangePart && s.Part.N > 1 {
		if out.Bounds, err = x.sample(ctx, s); err != nil {
			return err
		}
	}
	if s.body.Work, err = x.fragment(s, out, nil); err != nil {
		return err
	}
	j := x.job(s, s.body)
	if len(s.Publish) > 0 {
		j.OnMapResult = func(_ int, result any) error { return mergeKeys(keys, result) }
	}
	res, err := x.app.driver.RunJob(ctx, j)
	if err != nil {
		return unwrapJob(err)
	}
	if err := x.publish(s, keys); err != nil {
		return err
	}
	s.sizes, s.done = res.Bytes, true
	return nil
}

// filterKeys collects the keys of the runtime filters that a stage's rows fill in.
func (x *onExecutors) filterKeys(s *stage) (*exec.FilterKeys, error) {
	keys, err := exec.NewFilterKeys(s.Publish, s.Plan.Output(), &exec.Env{Session: x.q.kernel})
	if err == nil && !s.Broadcast {
		keys.Limit(maxKeys)
	}
	return keys, err
}

// maxKeys is the number of keys of one filter that are kept; of more only the bounds are.
const maxKeys = 1 << 22

func mergeKeys(keys *exec.FilterKeys, result any) error {
	r, err := remoteResult(result)
	if err != nil || len(r.Data) == 0 {
		return err
	}
	var list []wire.FilterKeys
	if err := wire.Unmarshal(r.Data, &list); err != nil {
		return err
	}
	for _, l := range list {
		keys.Merge(exec.KeyList(l))
	}
	return nil
}

// sample runs a stage once to see how its sort keys are spread, and finds the bounds of its ranges.
func (x *onExecutors) sample(ctx context.Context, s *stage) ([]*columnar.Batch, error) {
	body := x.newBody(s, s.tasks, event.NoShuffle)
	body.Watch = nil
	var err error
	body.Work, err = x.fragment(s, wire.Output{Kind: wire.SampleOutput, Order: s.Part.Order, Limit: exec.SampleLimit(s.Part.N)}, nil)
	if err != nil {
		return nil, err
	}
	samples := make([]*exec.KeySample, s.tasks)
	j := x.job(s, body)
	j.OnResult = func(partition int, result any) error {
		r, err := remoteResult(result)
		if err != nil {
			return err
		}
		var w wire.Sample
		if err := wire.Unmarshal(r.Data, &w); err != nil {
			return err
		}
		k := &exec.KeySample{Rows: w.Rows, Keys: &columnar.Batch{}}
		if len(w.Keys) > 0 {
			k.Keys = w.Keys[0]
		}
		samples[partition] = k
		return nil
	}
	if _, err := x.app.driver.RunJob(ctx, j); err != nil {
		return nil, unwrapJob(err)
	}
	return []*columnar.Batch{exec.RangeBounds(samples, s.Part.Order, s.Part.N)}, nil
}

// runBroadcast implements place: the rows come here and go out again, as they are.
func (x *onExecutors) runBroadcast(ctx context.Context, s *stage) error {
	if err := x.prepare(s); err != nil {
		return err
	}
	account := x.app.pool.Shared("broadcast")
	defer account.Close() // what it held is the block store's by then
	col := &collected{mem: account.Reserve("BroadcastExchange")}
	defer col.mem.Release()
	out := wire.Output{Kind: wire.RowOutput, Compress: x.q.values.Bool("spark.broadcast.compress")}
	if err := x.rows(ctx, s, out, func(r io.Reader, _ bool) error { return col.take(r) }); err != nil {
		return err
	}
	data := col.data
	var err error
	if s.rows, err = wire.FrameRows(data); err != nil {
		return err
	}
	keys, err := x.filterKeys(s)
	if err == nil {
		err = readKeys(s, keys, data)
	}
	if err == nil {
		err = x.publish(s, keys)
	}
	if err != nil {
		return err
	}
	s.bytes = int64(len(data))
	col.mem.Release()
	if s.broadcast, err = x.ex.Broadcast(data); err != nil {
		return err
	}
	s.done = true
	return nil
}

// collected are the rows of a broadcast as they come to the driver.
type collected struct {
	mem  *memory.Reservation
	data []byte
}

// collectStep is how much more a broadcast takes at least.
const collectStep = 256 << 10

// take adds a task's rows, or none of them.
func (c *collected) take(r io.Reader) error {
	kept := len(c.data)
	for {
		if len(c.data) == cap(c.data) {
			size := cap(c.data) + max(cap(c.data)/2, collectStep)
			if err := c.mem.Grow(int64(size)); err != nil { // both are there for a moment
				return err
			}
			grown := make([]byte, len(c.data), size)
			copy(grown, c.data)
			c.mem.Shrink(int64(cap(c.data)))
			c.data = grown
		}
		n, err := r.Read(c.data[len(c.data):cap(c.data)])
		c.data = c.data[:len(c.data)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			c.data = c.data[:kept]
			return &lostResult{err}
		}
	}
}

// inlineBits is the size up to which a runtime filter's bits travel with each stage that needs them.
const inlineBits = 64 << 10

// readKeys collects the keys of a broadcast's rows.
func readKeys(s *stage, keys *exec.FilterKeys, data []byte) error {
	if len(s.Publish) == 0 {
		return nil
	}
	r := wire.NewFrameReader(bytes.NewReader(data), schemaOf(s.Plan.Output()))
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = keys.Add(b)
		}
		if err != nil {
			return err
		}
	}
}

// publish makes the runtime filters of a stage known to those that are started from now on.
func (x *onExecutors) publish(s *stage, keys *exec.FilterKeys) (err error) {
	for id, k := range keys.Sets() {
		f := wire.Filter{ID: id, Min: k.Min, Max: k.Max, Bits: k.Bits, Empty: k.Empty}
		if len(k.Bits)*8 > inlineBits {
			words := make([]byte, 0, len(k.Bits)*8)
			for _, w := range k.Bits {
				words = binary.LittleEndian.AppendUint64(words, w)
			}
			if f.At, err = x.ex.Broadcast(words); err != nil {
				return err
			}
			f.Bits = nil
			s.extra = append(s.extra, f.At)
		}
		x.mu.Lock()
		x.filters[id] = f
		x.mu.Unlock()
	}
	return nil
}

// collect implements place.
func (x *onExecutors) collect(ctx context.Context, s *stage, sink func(*columnar.Batch) error) error {
	if err := x.prepare(s); err != nil {
		return err
	}
	schema := schemaOf(s.Plan.Output())
	if _, write := s.Plan.(*physical.WriteFiles); write {
		schema = exec.CommitSchema
	}
	given := int64(0) // rows of the current partition
	return x.rows(ctx, s, wire.Output{Kind: wire.RowOutput}, func(r io.Reader, stored bool) error {
		frames := wire.NewFrameReader(r, schema)
		skip := given // what was given before the rest was lost
		for {
			b, err := frames.Next()
			switch {
			case errors.Is(err, io.EOF):
				given = 0
				return nil
			case err != nil && stored:
				return &lostResult{err}
			case err != nil:
				return err
			case skip >= int64(b.N):
				skip -= int64(b.N)
				continue
			}
			if skip > 0 {
				var rest columnar.Batch
				b.WindowInto(&rest, int(skip), b.N)
				rest.Schema, b, skip = b.Schema, &rest, 0
			}
			if err := sink(b); err != nil {
				return err
			}
			given += int64(b.N)
		}
	})
}

// forget implements place.
func (x *onExecutors) forget(s *stage) {
	if s.broadcast != 0 {
		x.ex.DropBroadcast(s.broadcast)
	}
	for _, id := range s.extra {
		x.ex.DropBroadcast(id)
	}
	s.broadcast, s.extra = 0, nil
}

func remoteResult(v any) (driver.RemoteResult, error) {
	r, ok := v.(driver.RemoteResult)
	if !ok {
		return r, sparkerr.Internal("a task of another process left a result of type %T", v)
	}
	return r, nil
}

// Shuffle and Broadcast complete exec.Inputs, which the driver needs for counting only.
func (x *onExecutors) Shuffle(context.Context, *exec.Task, int, physical.PartitionSpec) (exec.BatchReader, error) {
	return nil, sparkerr.Internal("the driver of a cluster reads no map output itself")
}

func (x *onExecutors) Broadcast(context.Context, *exec.Task, int) (*exec.Relation, error) {
	return nil, sparkerr.Internal("the driver of a cluster reads no broadcast itself")
}
