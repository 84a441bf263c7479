package exec

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// limitOp passes N rows after the first Offset and then asks its child no more. Tasks that share the splits of a scan count
// together: once they have yielded N rows among them none goes on, for rows come in no order then, and N of any will do.
type limitOp struct {
	p      *physical.Limit
	child  Operator
	skip   int64
	left   int64         // <0: all
	shared *atomic.Int64 // rows yielded by all tasks; nil: counted alone
	out    columnar.Batch
	sel    []uint32
}

func newLimit(p *physical.Limit, env *Env) (Operator, error) {
	child, err := Build(p.Child, env)
	return &limitOp{p: p, child: child, skip: p.Offset, left: p.N}, err
}

func (o *limitOp) Schema() *types.Schema { return o.child.Schema() }

func (o *limitOp) Open(ctx context.Context, t *Task) error {
	if t.Shared != nil && !t.Whole && !o.p.Global && o.p.N >= 0 && o.p.Offset == 0 && unordered(o.p.Child) {
		c, err := t.Shared.Of(o.p, func() (any, error) { return new(atomic.Int64), nil })
		if err != nil {
			return err
		}
		o.shared = c.(*atomic.Int64)
	}
	return o.child.Open(ctx, t)
}

// unordered says whether a plan's rows come from a queue of splits.
func unordered(p physical.Plan) bool {
	found := false
	physical.Walk(p, func(n physical.Plan) bool {
		_, scan := n.(*physical.Scan)
		found = found || scan
		return !found
	})
	return found
}

func (o *limitOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if o.left == 0 || o.shared != nil && o.shared.Load() >= o.p.N {
			return nil, io.EOF
		}
		b, err := o.child.Next(ctx)
		if err != nil {
			return nil, err
		}
		if o.skip >= int64(b.N) {
			o.skip -= int64(b.N)
			continue
		}
		if o.skip > 0 {
			b = o.drop(b, int(o.skip))
			o.skip = 0
		}
		if o.left >= 0 && int64(b.N) > o.left {
			head(&o.out, b, int(o.left))
			b = &o.out
		}
		if o.left > 0 {
			o.left -= int64(b.N)
		}
		if o.shared != nil {
			o.shared.Add(int64(b.N))
		}
		return b, nil
	}
}

// drop is b without its first n rows.
func (o *limitOp) drop(b *columnar.Batch, n int) *columnar.Batch {
	o.sel = o.sel[:0]
	for i := n; i < b.N; i++ {
		o.sel = append(o.sel, uint32(i))
	}
	return b.Select(o.sel)
}

// head makes dst the first n rows of b, sharing its buffers.
func head(dst, b *columnar.Batch, n int) { b.WindowInto(dst, 0, n) }

func (o *limitOp) Close() error { return o.child.Close() }

// tailOp keeps the last N rows.
type tailOp struct {
	p     *physical.Tail
	child Operator
	mem   *memory.Reservation
	kept  []*columnar.Batch
	rows  int64
	built bool
}

func newTail(p *physical.Tail, env *Env) (Operator, error) {
	child, err := Build(p.Child, env)
	return &tailOp{p: p, child: child}, err
}

func (o *tailOp) Schema() *types.Schema { return o.child.Schema() }

func (o *tailOp) Open(ctx context.Context, t *Task) error {
	o.mem = t.reserve("Tail")
	return o.child.Open(ctx, t)
}

func (o *tailOp) Next(ctx context.Context) (*columnar.Batch, error) {
	if !o.built {
		if err := o.build(ctx); err != nil {
			return nil, err
		}
	}
	if len(o.kept) == 0 {
		return nil, io.EOF
	}
	b := o.kept[0]
	o.kept = o.kept[1:]
	if o.rows > o.p.N {
		cut := int(o.rows - o.p.N)
		o.rows = o.p.N
		sel := make([]uint32, b.N-cut)
		for i := range sel {
			sel[i] = uint32(cut + i)
		}
		b = b.Select(sel)
	}
	return b, nil
}

func (o *tailOp) build(ctx context.Context) error {
	o.built = true
	for {
		b, err := o.child.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if b.N == 0 || o.p.N == 0 {
			continue
		}
		c := b.Clone()
		if err := o.mem.Grow(c.Bytes()); err != nil {
			return err
		}
		o.kept = append(o.kept, c)
		o.rows += int64(c.N)
		for o.rows-int64(o.kept[0].N) >= o.p.N {
			o.mem.Shrink(o.kept[0].Bytes())
			o.rows -= int64(o.kept[0].N)
			o.kept = o.kept[1:]
		}
	}
}

func (o *tailOp) Close() error {
	o.kept = nil
	if o.mem != nil {
		o.mem.Release()
	}
	return o.child.Close()
}
