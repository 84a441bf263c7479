package exec

import (
	"context"
	"io"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// BatchRows is the number of rows that operators put into a batch when the choice is theirs.
const BatchRows = 4096

// localScan yields windows of batches in memory; they are its first partition.
type localScan struct {
	p      *physical.LocalScan
	schema *types.Schema
	batch  int
	row    int
	out    columnar.Batch
}

func newLocalScan(p *physical.LocalScan, _ *Env) (Operator, error) {
	return &localScan{p: p, schema: schemaOf(p.Out)}, nil
}

func (o *localScan) Schema() *types.Schema { return o.schema }

func (o *localScan) Open(_ context.Context, t *Task) error {
	if !t.Whole && t.Partition > 0 {
		o.batch = len(o.p.Batches)
	}
	return nil
}

func (o *localScan) Next(context.Context) (*columnar.Batch, error) {
	for o.batch < len(o.p.Batches) {
		b := o.p.Batches[o.batch]
		if o.row >= b.N {
			o.batch, o.row = o.batch+1, 0
			continue
		}
		end := min(o.row+BatchRows, b.N)
		b.WindowInto(&o.out, o.row, end)
		o.out.Schema, o.row = o.schema, end
		return &o.out, nil
	}
	return nil, io.EOF
}

func (o *localScan) Close() error { return nil }

// oneRow yields one row without columns.
type oneRow struct {
	schema *types.Schema
	done   bool
}

func newOneRow(p *physical.OneRow, _ *Env) (Operator, error) {
	return &oneRow{schema: schemaOf(p.Output())}, nil
}

func (o *oneRow) Schema() *types.Schema { return o.schema }

func (o *oneRow) Open(_ context.Context, t *Task) error {
	o.done = !t.Whole && t.Partition > 0
	return nil
}

func (o *oneRow) Next(context.Context) (*columnar.Batch, error) {
	if o.done {
		return nil, io.EOF
	}
	o.done = true
	return &columnar.Batch{Schema: o.schema, N: 1}, nil
}

func (o *oneRow) Close() error { return nil }

// rangeOp yields its part of a sequence. Partition i of n holds elements [i*count/n, (i+1)*count/n), as in Spark.
type rangeOp struct {
	p      *physical.Range
	schema *types.Schema
	next   uint64 // number of an element
	end    uint64
	out    columnar.Batch
	values []int64
}

func newRange(p *physical.Range, _ *Env) (Operator, error) {
	return &rangeOp{p: p, schema: schemaOf(p.Out)}, nil
}

func (o *rangeOp) Schema() *types.Schema { return o.schema }

// rangeCount is the number of elements of start, start+step, … before end; step is not 0.
func rangeCount(start, end, step int64) uint64 {
	var span, by uint64
	switch {
	case step > 0 && end > start:
		span, by = uint64(end)-uint64(start), uint64(step)
	case step < 0 && end < start:
		span, by = uint64(start)-uint64(end), -uint64(step)
	default:
		return 0
	}
	return (span-1)/by + 1
}

// share is i*count/n without overflow.
func share(count uint64, i, n int) uint64 {
	hi, lo := bits.Mul64(count, uint64(i))
	q, _ := bits.Div64(hi, lo, uint64(n))
	return q
}

func (o *rangeOp) Open(_ context.Context, t *Task) error {
	n := max(o.p.Partitions, 1)
	from, to := ownPartitions(t, n)
	count := rangeCount(o.p.Start, o.p.End, o.p.Step)
	if o.end = count; to < n {
		o.end = share(count, to, n)
	}
	if o.next = count; from < n {
		o.next = share(count, from, n)
	}
	o.values = columnar.Of[int64](columnar.Make(columnar.Int64x, int(min(o.end-o.next, BatchRows))))
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, 1)}
	return nil
}

func (o *rangeOp) Next(context.Context) (*columnar.Batch, error) {
	if o.next >= o.end {
		return nil, io.EOF
	}
	n := int(min(o.end-o.next, BatchRows))
	v := uint64(o.p.Start) + o.next*uint64(o.p.Step) // wraps as two's complement; the element itself fits
	vals := o.values[:n]
	for i := range vals {
		vals[i] = int64(v)
		v += uint64(o.p.Step)
	}
	o.next += uint64(n)
	o.out.N = n
	o.out.Cols[0] = columnar.NewFlat(types.Long, vals)
	return &o.out, nil
}

func (o *rangeOp) Close() error { return nil }
