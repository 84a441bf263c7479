package exec

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// Collector gathers the rows of a broadcast stage from its tasks. The rows are copied once and paid by a shared account.
type Collector struct {
	mu    sync.Mutex
	mem   *memory.Reservation
	parts map[int][]*columnar.Batch
	rows  int64
	bytes int64
	keys  map[int]*keyCollector // by filter
}

// NewCollector makes a collector that pays from mem, a shared account of the process.
func NewCollector(mem *memory.Account) *Collector {
	return &Collector{mem: mem.Reserve("BroadcastExchange"), parts: map[int][]*columnar.Batch{}, keys: map[int]*keyCollector{}}
}

// Add takes the copied rows of one task, and the keys that are to be published. A second attempt of a partition is left out.
func (c *Collector) Add(partition int, p *CollectedPart) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, again := c.parts[partition]; again {
		return nil
	}
	if err := c.mem.Grow(p.bytes); err != nil {
		return err
	}
	c.parts[partition] = p.batches
	c.rows += p.rows
	c.bytes += p.bytes
	for _, k := range p.keys {
		if have := c.keys[k.id]; have != nil {
			have.values = append(have.values, k.values...)
		} else {
			c.keys[k.id] = k
		}
	}
	return nil
}

// Relation is all that was added, in the order of the partitions. schema is that of the stage's output.
func (c *Collector) Relation(schema *types.Schema) *Relation {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &Relation{Schema: schema, Rows: c.rows, Bytes: c.bytes}
	last := -1
	for p := range c.parts {
		last = max(last, p)
	}
	for p := range last + 1 {
		r.Batches = append(r.Batches, c.parts[p]...)
	}
	return r
}

// Publish fills in the runtime filters. It is called when all tasks have added their rows.
func (c *Collector) Publish(f *Filters) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, k := range c.keys {
		f.Publish(id, k.set())
	}
}

// Free gives the memory of the rows back.
func (c *Collector) Free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts = map[int][]*columnar.Batch{}
	c.mem.Release()
}

// CollectedPart is what one task of a broadcast stage yields.
type CollectedPart struct {
	batches []*columnar.Batch
	rows    int64
	bytes   int64
	keys    []*keyCollector
}

// Batches are the rows, for a driver that sends them elsewhere.
func (p *CollectedPart) Batches() []*columnar.Batch { return p.batches }

// broadcastRows is the number of rows of the batches that a collector keeps.
const broadcastRows = 16384

// Collect runs root as one task of a broadcast stage whose columns are out.
func Collect(ctx context.Context, t *Task, env *Env, root Operator, out []*expr.Column, publish []physical.RuntimePub) (*CollectedPart, error) {
	p := &CollectedPart{}
	keys, err := newKeyCollectors(publish, out, env, t)
	if err != nil {
		return nil, errors.Join(err, root.Close(), t.Mem.Close())
	}
	schema := schemaOf(out)
	kept := newKeptRows(schema)
	flush := func() {
		if kept.rows() == 0 {
			return
		}
		b, bytes := kept.cut()
		p.batches, p.bytes = append(p.batches, b), p.bytes+bytes
	}
	var held *memory.Reservation
	if t.Mem != nil {
		held = t.reserve("BroadcastExchange")
	}
	err = Run(ctx, t, closing{root, func() {
		if held != nil {
			held.Release()
		}
	}}, func(b *columnar.Batch) error {
		kept.add(b)
		p.rows += int64(b.N)
		if err := keys.add(b); err != nil {
			return err
		}
		if len(schema.Fields) == 0 {
			p.batches = append(p.batches, &columnar.Batch{Schema: schema, N: b.N})
			return nil
		}
		if kept.rows() >= broadcastRows {
			flush()
			if held != nil {
				return held.Resize(ctx, p.bytes, nil)
			}
		}
		return nil
	})
	flush()
	kept.seal()
	p.keys = keys.list
	return p, err
}

// closing adds work to an operator's Close.
type closing struct {
	Operator
	then func()
}

func (c closing) Close() error {
	err := c.Operator.Close()
	c.then()
	return err
}

// FilterKeys finds runtime filters from rows that come as batches, and from what other FilterKeys found.
type FilterKeys struct{ k *keyCollectors }

// KeyList are the keys of one filter that came by: all of them in order, or only their bounds if they are too many.
type KeyList struct {
	ID       int
	Min, Max int64
	Many     bool
	Values   []int64
}

// NewFilterKeys prepares for batches whose columns are in.
func NewFilterKeys(publish []physical.RuntimePub, in []*expr.Column, env *Env) (*FilterKeys, error) {
	k, err := newKeyCollectors(publish, in, env, &Task{Session: env.Session})
	return &FilterKeys{k}, err
}

// Add notes the keys of a batch.
func (f *FilterKeys) Add(b *columnar.Batch) error { return f.k.add(b) }

// Limit makes filters of more than n keys say no more than their bounds.
func (f *FilterKeys) Limit(n int) {
	for _, c := range f.k.list {
		c.limit = n
	}
}

// Lists are the keys of each filter so far.
func (f *FilterKeys) Lists() []KeyList {
	out := make([]KeyList, len(f.k.list))
	for i, c := range f.k.list {
		slices.Sort(c.values)
		c.values = slices.Compact(c.values)
		out[i] = KeyList{ID: c.id, Min: c.min, Max: c.max, Many: c.many, Values: c.values}
	}
	return out
}

// Merge adds keys that were found elsewhere; of filters that are not these nothing is taken.
func (f *FilterKeys) Merge(l KeyList) {
	for _, c := range f.k.list {
		if c.id != l.ID {
			continue
		}
		c.values = append(c.values, l.Values...)
		if l.Many {
			c.bound(l.Min, l.Max)
		}
		c.fold()
	}
}

// Sets are the filters of all that was added, by id.
func (f *FilterKeys) Sets() map[int]KeySet {
	out := make(map[int]KeySet, len(f.k.list))
	for _, c := range f.k.list {
		out[c.id] = c.set()
	}
	return out
}

// keyCollectors gather the values of runtime filter keys.
type keyCollectors struct {
	list []*keyCollector
	prog *eval.Program
	out  []columnar.Vector
	flat kernel.Scratch
	word []uint64
}

type keyCollector struct {
	id     int
	values []int64
	limit  int // of values; 0: none
	// many says that more keys came than values has, which lie between min and max.
	many     bool
	min, max int64
}

// bound notes that all keys between two may have come.
func (c *keyCollector) bound(low, high int64) {
	if !c.many {
		c.many, c.min, c.max = true, low, high
		return
	}
	c.min, c.max = min(c.min, low), max(c.max, high)
}

// fold leaves only the bounds of values that are too many.
func (c *keyCollector) fold() {
	if c.limit == 0 || len(c.values) <= c.limit && !c.many {
		return
	}
	for _, v := range c.values {
		c.bound(v, v)
	}
	c.values = nil
}

func newKeyCollectors(publish []physical.RuntimePub, in []*expr.Column, env *Env, t *Task) (*keyCollectors, error) {
	k := &keyCollectors{}
	if len(publish) == 0 {
		return k, nil
	}
	var list []expr.Expr
	for _, p := range publish {
		list = append(list, p.Key)
		k.list = append(k.list, &keyCollector{id: p.ID})
	}
	prog, err := env.compile(list, in, t)
	k.prog, k.out = prog, make([]columnar.Vector, len(list))
	return k, err
}

// add notes the keys of a batch; nulls match nothing and are left out.
func (k *keyCollectors) add(b *columnar.Batch) error {
	if k.prog == nil {
		return nil
	}
	if err := k.prog.Run(b, k.out); err != nil {
		return err
	}
	for i, c := range k.list {
		k.flat.Reset()
		v := k.flat.Flatten(&k.out[i])
		l := columnar.LayoutOf(v.Type)
		if !wordLayout(l) {
			continue
		}
		if cap(k.word) < b.N {
			k.word = make([]uint64, b.N+b.N/4)
		}
		word := k.word[:b.N]
		loadWords(word, &v, l)
		for r, w := range word {
			if v.Valid == nil || v.Valid.Get(r) {
				c.values = append(c.values, int64(w))
			}
		}
		c.fold()
	}
	return nil
}

// An exact filter of up to smallFilterBits (2 MB) is always worth its bits: it spares the probe side a look into a hash
// table, and the scan the other columns. Above, up to maxFilterBits (32 MB), it may have filterBits a key.
const (
	smallFilterBits = 1 << 24
	maxFilterBits   = 1 << 28
	filterBits      = 256
)

// set is the filter of the values.
func (c *keyCollector) set() KeySet {
	switch {
	case c.many:
		k := KeySet{Min: c.min, Max: c.max}
		for _, v := range c.values {
			k.Min, k.Max = min(k.Min, v), max(k.Max, v)
		}
		return k
	case len(c.values) == 0:
		return KeySet{Empty: true}
	}
	k := KeySet{Min: math.MaxInt64, Max: math.MinInt64}
	for _, v := range c.values {
		k.Min, k.Max = min(k.Min, v), max(k.Max, v)
	}
	span := uint64(k.Max) - uint64(k.Min)
	if span >= maxFilterBits || span >= smallFilterBits && span/filterBits > uint64(len(c.values)) {
		return k
	}
	k.Bits = columnar.NewBitmap(int(span) + 1)
	for _, v := range c.values {
		k.Bits.Set(int(v - k.Min))
	}
	return k
}

// publishOp is a Broadcast in a plan that one task runs alone: rows pass, and at their end the filters are filled in.
type publishOp struct {
	p     *physical.Broadcast
	env   *Env
	child Operator
	t     *Task
	keys  *keyCollectors
}

func newPublish(p *physical.Broadcast, env *Env) (Operator, error) {
	child, err := Build(p.Child, env)
	if err != nil || len(p.Publish) == 0 {
		return child, err
	}
	return &publishOp{p: p, env: env, child: child}, nil
}

func (o *publishOp) Schema() *types.Schema { return o.child.Schema() }

func (o *publishOp) Open(ctx context.Context, t *Task) error {
	keys, err := newKeyCollectors(o.p.Publish, o.p.Child.Output(), o.env, t)
	if err != nil {
		return err
	}
	o.t, o.keys = t, keys
	return o.child.Open(ctx, t)
}

func (o *publishOp) Next(ctx context.Context) (*columnar.Batch, error) {
	b, err := o.child.Next(ctx)
	if errors.Is(err, io.EOF) && o.t.Filters != nil && o.keys != nil {
		for _, k := range o.keys.list {
			o.t.Filters.Publish(k.id, k.set())
		}
		o.keys = nil
	}
	if err != nil {
		return nil, err
	}
	return b, o.keys.add(b)
}

func (o *publishOp) Close() error { return o.child.Close() }
