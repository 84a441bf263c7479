package exec

import (
	"context"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// stageInput reads what a stage below wrote: its task's partition of a shuffle, or all of a broadcast.
type stageInput struct {
	p      *physical.StageInput
	schema *types.Schema
	t      *Task
	todo   []physical.PartitionSpec
	reader BatchReader
	rel    *Relation
	batch  int
	out    columnar.Batch
	// split makes the partitions of a range of them come one after the other, with a mark after each.
	split bool
	mark  bool // due
}

// endOfPartition is the mark that a split stageInput yields after each partition: no rows, no columns.
var endOfPartition = &columnar.Batch{}

// isMark tells the mark from empty batches, through wrappers that copy the batch.
func isMark(b *columnar.Batch) bool { return b.N == 0 && b.Schema == nil }

func newStageInput(p *physical.StageInput, _ *Env) (Operator, error) {
	return &stageInput{p: p, schema: schemaOf(p.Out)}, nil
}

func (o *stageInput) Schema() *types.Schema { return o.schema }

func (o *stageInput) Open(ctx context.Context, t *Task) error {
	if t.Inputs == nil {
		return sparkerr.Internal("the task was given no inputs to read stage %d from", o.p.Stage)
	}
	o.t = t
	if o.isBroadcast() {
		rel, err := t.Inputs.Broadcast(ctx, t, o.p.Stage)
		o.rel = rel
		return err
	}
	specs := o.p.Specs
	if specs == nil {
		for i := range t.Inputs.Partitions(o.p.Stage) {
			specs = append(specs, physical.PartitionSpec{From: i, To: i + 1})
		}
	}
	from, to := ownPartitions(t, len(specs))
	o.todo = specs[from:to]
	if o.split {
		o.todo = single(o.todo)
	}
	return nil
}

// single breaks ranges of partitions up.
func single(specs []physical.PartitionSpec) (out []physical.PartitionSpec) {
	for _, s := range specs {
		for p := s.From; p < s.To; p++ {
			out = append(out, physical.PartitionSpec{From: p, To: p + 1, MapFrom: s.MapFrom, MapTo: s.MapTo})
		}
	}
	return out
}

func (o *stageInput) isBroadcast() bool {
	if _, ok := o.p.From.(*physical.Broadcast); ok {
		return true
	}
	return o.p.From == nil && o.p.Specs == nil && o.t.Inputs.Partitions(o.p.Stage) == 0
}

func (o *stageInput) Next(ctx context.Context) (*columnar.Batch, error) {
	if o.rel != nil {
		if o.batch == len(o.rel.Batches) {
			return nil, io.EOF
		}
		o.batch++
		return relabel(&o.out, o.rel.Batches[o.batch-1], o.schema), nil
	}
	for {
		if o.reader == nil {
			if o.mark {
				o.mark = false
				return endOfPartition, nil
			}
			if len(o.todo) == 0 {
				return nil, io.EOF
			}
			r, err := o.t.Inputs.Shuffle(ctx, o.t, o.p.Stage, o.todo[0])
			if err != nil {
				return nil, err
			}
			o.reader, o.todo = r, o.todo[1:]
		}
		b, err := o.reader.Next(ctx)
		if err == nil {
			return relabel(&o.out, b, o.schema), nil
		}
		if !isEOF(err) {
			return nil, err
		}
		o.mark = o.split
		if err := o.Close(); err != nil {
			return nil, err
		}
	}
}

func (o *stageInput) Close() error {
	if o.reader == nil {
		return nil
	}
	r := o.reader
	o.reader = nil
	return r.Close()
}

// BroadcastOf finds the relation behind a broadcast build side, so that a join may share one table among tasks; nil if
// p is not the input from a broadcast stage.
func BroadcastOf(ctx context.Context, t *Task, p physical.Plan) (*Relation, error) {
	in, ok := p.(*physical.StageInput)
	if !ok || t.Inputs == nil {
		return nil, nil
	}
	if _, ok := in.From.(*physical.Broadcast); !ok {
		return nil, nil
	}
	return t.Inputs.Broadcast(ctx, t, in.Stage)
}

// splitInput makes a hash-partitioned input that p groups come partition by partition if no group spans partitions: then
// each can be finished before the next, in a table that stays in the cache.
func splitInput(p *physical.Aggregate, env *Env) (Operator, bool) {
	in, ok := p.Child.(*physical.StageInput)
	if !ok || len(p.Keys) == 0 {
		return nil, false
	}
	ex, ok := in.From.(*physical.Exchange)
	if !ok || ex.Part.Kind != physical.HashPart || len(ex.Part.Keys) == 0 {
		return nil, false
	}
	for _, k := range ex.Part.Keys {
		c, ok := k.(*expr.Column)
		if !ok || !isKeyColumn(p.Keys, c.ID) {
			return nil, false
		}
	}
	return env.wrap(in, &stageInput{p: in, schema: schemaOf(in.Out), split: true}), true
}

// isKeyColumn says whether a column itself is one of the keys.
func isKeyColumn(keys []expr.Expr, id expr.ID) bool {
	for _, k := range keys {
		if a, ok := k.(*expr.Alias); ok {
			k = a.Child
		}
		if c, ok := k.(*expr.Column); ok && c.ID == id {
			return true
		}
	}
	return false
}
