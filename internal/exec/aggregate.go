package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// aggregateOp groups its input by hash.
//
// A Partial aggregation need not see all rows of a group together: when its table is full it hands the states on and
// starts over, and when grouping does not reduce the rows it turns each row into a state and groups no more for a
// while. All others keep one table and, when memory is refused, move the states to disk by partitions of the hash and
// merge partition by partition in the end.
type aggregateOp struct {
	p       *physical.Aggregate
	env     *Env
	child   *cutter
	split   bool // the child marks the ends of partitions that no group spans
	schema  *types.Schema
	layout  *aggLayout
	t       *Task
	mem     *memory.Reservation
	prog    *eval.Program
	cols    []columnar.Vector
	table   *aggTable
	partial *partialPolicy // nil: not a Partial
	passed  bool           // the aggregates hold rows that passed ungrouped
	held    int            // rows of cols that wait until the table's groups are handed out
	refused bool           // the table is handed out as it may not grow
	spill   *aggSpill
	todo    []aggPart // spilled partitions to merge
	part    *aggPart  // being merged
	ended   bool      // no more input for the table
	emit    int       // next group to hand out; -1: the table is being filled
	out     columnar.Batch
}

func newAggregate(p *physical.Aggregate, env *Env) (Operator, error) {
	layout := newAggLayout(p)
	child, split := splitInput(p, env)
	if !split {
		var err error
		if child, err = buildNeeding(p.Child, env, neededBy(layout.list)); err != nil {
			return nil, err
		}
	}
	for _, x := range p.Aggs {
		if _, err := env.newAgg(x.Agg); err != nil {
			return nil, err
		}
	}
	return &aggregateOp{p: p, env: env, child: newCutter(child, layout.list), split: split, schema: schemaOf(p.Output()), layout: layout, emit: -1}, nil
}

func (o *aggregateOp) Schema() *types.Schema { return o.schema }

func (o *aggregateOp) Open(ctx context.Context, t *Task) error {
	prog, err := o.env.compileCut(o.layout.list, o.p.Child.Output(), t)
	if err != nil {
		return err
	}
	o.t, o.prog, o.cols = t, prog, make([]columnar.Vector, len(o.layout.list))
	o.mem = t.reserve("HashAggregate")
	if o.table, err = newAggTable(o.layout, o.env, t); err != nil {
		return err
	}
	if (o.p.Mode == physical.Partial || o.p.Loose) && len(o.layout.keys) > 0 {
		o.partial = newPartialPolicy(partialSmall, partialLarge, partialPass)
		if o.env.partial != nil {
			*o.partial = *o.env.partial
		}
	}
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, len(o.schema.Fields))}
	return o.child.Open(ctx, t)
}

func (o *aggregateOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if o.emit >= 0 {
			b, err := o.nextGroups(ctx)
			if b != nil || err != nil {
				return b, err
			}
			continue
		}
		if o.ended {
			more, err := o.nextPart(ctx)
			if err != nil {
				return nil, err
			}
			if !more {
				return nil, io.EOF
			}
			continue
		}
		b, err := o.fill(ctx)
		if b != nil || err != nil {
			return b, err
		}
	}
}

// fill reads input until the table is to be handed out (then it sets emit), or a batch went straight through.
func (o *aggregateOp) fill(ctx context.Context) (*columnar.Batch, error) {
	for {
		if n := o.held; n > 0 {
			o.held = 0
			if full, err := o.add(ctx, n); full || err != nil {
				return nil, err
			}
		}
		b, err := o.child.Next(ctx)
		if errors.Is(err, io.EOF) {
			o.ended = true
			return nil, o.inputEnded(ctx)
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			// What is spilled may belong to groups of the table: then all is handed out in the end.
			if o.split && isMark(b) && o.spill == nil && o.table.len() > 0 {
				o.emit = 0
				return nil, nil
			}
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := o.prog.Run(b, o.cols); err != nil {
			if o.child.again(err) {
				continue
			}
			return nil, err
		}
		o.child.made(o.prog, o.cols)
		if o.partial != nil && o.partial.through(b.N) {
			return o.passRows(b.N)
		}
		if o.passed {
			o.passed = false
			if err := o.table.reset(); err != nil {
				return nil, err
			}
		}
		full, err := o.makeRoom(ctx, b.N)
		if full {
			o.held = b.N
		} else if err == nil {
			full, err = o.add(ctx, b.N)
		}
		if full || err != nil {
			return nil, err
		}
	}
}

// makeRoom reserves what the table may grow by with n more rows, before it does: a table that doubles takes as much again.
// Refused, a Partial hands its groups out first (full), all others spill them.
func (o *aggregateOp) makeRoom(ctx context.Context, n int) (full bool, err error) {
	more := o.table.ahead(n)
	if more == 0 || o.table.len() == 0 {
		return false, nil
	}
	need := roundUp(o.table.bytes()+more) - o.mem.Bytes()
	if need <= 0 || o.mem.TryGrow(need) {
		return false, nil
	}
	if o.partial != nil {
		o.emit, o.refused = 0, true
		return true, nil
	}
	return false, o.dump(ctx)
}

// add puts n rows of the program's columns into the table.
func (o *aggregateOp) add(ctx context.Context, n int) (full bool, err error) {
	if err := o.table.update(o.cols, n); err != nil {
		return false, err
	}
	return o.account(ctx, n)
}

// account reserves what the table holds by now. Refused, or past its limit, a Partial hands its groups out (full), all
// others spill them.
func (o *aggregateOp) account(ctx context.Context, rows int) (full bool, err error) {
	need := roundUp(o.table.bytes())
	if o.partial != nil {
		o.refused = need > o.mem.Bytes() && !o.mem.TryGrow(need-o.mem.Bytes())
		if o.partial.full(rows, o.table.len()) || o.refused {
			o.emit = 0
			return true, nil
		}
		return false, nil
	}
	if need <= o.mem.Bytes() {
		return false, nil
	}
	spill := o.dump
	if o.table.groups == nil {
		spill = nil
	}
	grown := need - o.mem.Bytes()
	if o.mem.TryGrow(grown) {
		return false, nil
	}
	if spill == nil {
		return false, o.mem.Grow(grown)
	}
	return false, spill(ctx)
}

// roundUp spares the pool a call for every small step.
func roundUp(n int64) int64 { return (n + 1<<16 - 1) &^ (1<<16 - 1) }

// inputEnded starts handing out, or merging what was spilled.
func (o *aggregateOp) inputEnded(ctx context.Context) error {
	if o.passed {
		return nil
	}
	if o.spill == nil {
		o.emit = 0
		return nil
	}
	if err := o.dump(ctx); err != nil {
		return err
	}
	parts, err := o.spill.finish()
	o.spill = nil
	o.todo = append(parts, o.todo...)
	return err
}

// nextGroups hands out the next groups of the table; nil after the last.
func (o *aggregateOp) nextGroups(context.Context) (*columnar.Batch, error) {
	from, to := o.emit, min(o.emit+BatchRows, o.table.len())
	if from >= to {
		o.emit = -1
		if o.ended && len(o.todo) == 0 {
			return nil, nil
		}
		if o.refused {
			o.refused = false
			return nil, o.startOver()
		}
		return nil, o.table.reset()
	}
	o.emit = to
	if err := o.table.rows(o.out.Cols, from, to, false); err != nil {
		return nil, err
	}
	o.out.N = to - from
	return &o.out, nil
}

// passRows turns each row into a group of its own: Partial's output when grouping does not pay.
func (o *aggregateOp) passRows(n int) (*columnar.Batch, error) {
	ids := o.partial.identity(n)
	for i := range o.table.calls {
		o.table.calls[i].agg.Reset()
	}
	if err := o.table.updateIDs(o.cols, n, ids, n); err != nil {
		return nil, err
	}
	keys := len(o.layout.keys)
	at := keys
	copy(o.out.Cols, o.cols[:keys])
	for i := range o.table.calls {
		c := &o.table.calls[i]
		c.ctx.Scratch.Reset()
		states, err := c.agg.State(&c.ctx, 0, n)
		if err != nil {
			return nil, err
		}
		for k := range states {
			states[k].Type = c.x.State[k].T
			o.out.Cols[at] = states[k]
			at++
		}
	}
	o.passed, o.out.N = true, n
	return &o.out, nil
}

// startOver empties the table, memory included.
func (o *aggregateOp) startOver() (err error) {
	o.table.free()
	o.table, err = newAggTable(o.layout, o.env, o.t)
	o.mem.Release()
	return err
}

func (o *aggregateOp) Close() error {
	var errs []error
	if o.spill != nil {
		errs = append(errs, o.spill.close())
	}
	if o.part != nil {
		errs = append(errs, o.part.close())
	}
	for _, p := range o.todo {
		errs = append(errs, p.close())
	}
	o.table.free()
	o.spill, o.part, o.todo, o.table = nil, nil, nil, nil
	if o.mem != nil {
		o.mem.Release()
	}
	return errors.Join(append(errs, o.child.Close())...)
}

// partialPolicy decides when a Partial aggregation hands out its groups and when it stops grouping.
//
// It compares how many rows a new group brought in the beginning, when the table was small, with how many it brings when
// the table is large. If that is no better, a large table does not pay: the rows of a group lie together, or hardly any
// repeats. Then small tables follow, which fit the cache; and if they too save next to nothing, rows pass ungrouped.
// When hardly any row of the first table's beginning repeats, some rows pass at once: most inputs end before a large table
// could pay.
type partialPolicy struct {
	small  int  // groups of a small table
	large  int  // groups after which the look is taken
	pass   int  // rows that pass ungrouped before grouping is tried again
	looked bool // the beginning was judged
	limit  int  // groups of the present table
	rows   int  // since the table was empty
	early  int  // rows when it had small groups
	middle int  // rows when it had large/2 groups
	poor   int  // tables in turn that saved almost nothing
	left   int  // rows still to pass
	ids    []uint32
}

const (
	partialSmall = 1 << 15
	partialLarge = 1 << 18
	partialPass  = 1 << 20
)

func newPartialPolicy(small, large, pass int) *partialPolicy {
	return &partialPolicy{small: small, large: large, pass: pass, limit: large}
}

// full counts rows that were added and says whether the table is to be handed out.
func (p *partialPolicy) full(rows, groups int) bool {
	p.rows += rows
	if groups <= p.small {
		p.early = p.rows
	}
	if groups <= p.limit/2 {
		p.middle = p.rows
	}
	if !p.looked && groups >= p.small/2 {
		if p.looked = true; p.rows*50 < groups*51 {
			p.left, p.rows, p.early, p.middle = p.pass/8, 0, 0, 0
			return true
		}
	}
	if groups < p.limit {
		return false
	}
	if p.limit > p.small && p.grows(groups) {
		p.limit *= 4
		return false
	}
	if p.poor++; p.rows*10 > groups*11 {
		p.poor = 0
	}
	p.limit, p.rows, p.early, p.middle = p.small, 0, 0, 0
	if p.poor >= 2 {
		p.left, p.poor = p.pass, 0
	}
	return true
}

// grows says whether a larger table is worth it.
func (p *partialPolicy) grows(groups int) bool {
	early := float64(max(p.early, 1)) / float64(p.small)
	late := float64(p.rows-p.middle) / float64(groups-p.limit/2)
	return late >= 1.5*early
}

// through says whether the next n rows pass without grouping.
func (p *partialPolicy) through(n int) bool {
	if p.left <= 0 {
		return false
	}
	p.left -= n
	return true
}

// identity numbers n rows.
func (p *partialPolicy) identity(n int) []uint32 {
	for len(p.ids) < n {
		p.ids = append(p.ids, uint32(len(p.ids)))
	}
	return p.ids[:n]
}
