package exec

import (
	"context"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// compile makes the program of expressions over the columns of a child, for one task.
func (e *Env) compile(list []expr.Expr, in []*expr.Column, t *Task) (*eval.Program, error) {
	return eval.Compile(list, in, t.Session, e.options(t))
}

// compileCut is compile for an operator with a cutter below it.
func (e *Env) compileCut(list []expr.Expr, in []*expr.Column, t *Task) (*eval.Program, error) {
	o := e.options(t)
	o.Heap = pieceBytes()
	return eval.Compile(list, in, t.Session, o)
}

func (e *Env) options(t *Task) eval.Options {
	return eval.Options{Partition: t.Partition, Subquery: e.Subquery, External: e.External}
}

// projectOp computes expressions. Columns that are only passed on cost nothing.
type projectOp struct {
	p      *physical.Project
	env    *Env
	child  *cutter
	schema *types.Schema
	prog   *eval.Program
	out    columnar.Batch
}

func newProject(p *physical.Project, env *Env) (Operator, error) {
	child, err := buildNeeding(p.Child, env, neededBy(p.List))
	if err != nil {
		return nil, err
	}
	return &projectOp{p: p, env: env, child: newCutter(child, p.List), schema: schemaOf(p.Output())}, nil
}

func (o *projectOp) Schema() *types.Schema { return o.schema }

func (o *projectOp) Open(ctx context.Context, t *Task) error {
	prog, err := o.env.compileCut(o.p.List, o.p.Child.Output(), t)
	if err != nil {
		return err
	}
	o.prog = prog
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, len(o.p.List))}
	return o.child.Open(ctx, t)
}

func (o *projectOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		b, err := o.child.Next(ctx)
		if err != nil {
			return nil, err
		}
		if err := o.prog.Run(b, o.out.Cols); err != nil {
			if o.child.again(err) {
				continue
			}
			return nil, err
		}
		o.child.made(o.prog, o.out.Cols)
		o.out.N = b.N
		return &o.out, nil
	}
}

func (o *projectOp) Close() error { return o.child.Close() }

// neededBy are the columns that expressions refer to.
func neededBy(list []expr.Expr) map[expr.ID]*expr.Column {
	need := map[expr.ID]*expr.Column{}
	for _, e := range list {
		expr.Columns(e, need)
		expr.Walk(e, func(x expr.Expr) bool {
			if s, ok := x.(*expr.Subquery); ok {
				for _, o := range s.Outer {
					expr.Columns(o, need)
				}
			}
			return true
		})
	}
	return need
}

// buildNeeding builds a child of which only some columns are looked at: a filter then leaves the others out of its
// gathering (they are null).
func buildNeeding(p physical.Plan, env *Env, need map[expr.ID]*expr.Column) (Operator, error) {
	f, ok := p.(*physical.Filter)
	if !ok {
		return Build(p, env)
	}
	op, err := newFilterOf(f, env, need)
	if err != nil {
		return nil, err
	}
	return env.wrap(p, op), nil
}

// filterOp keeps the rows for which the condition is true.
type filterOp struct {
	p     *physical.Filter
	env   *Env
	child *cutter
	need  []bool // by column; nil: all
	cond  *eval.Filter
	arena []kernel.Scratch
	out   columnar.Batch
}

func newFilter(p *physical.Filter, env *Env) (Operator, error) { return newFilterOf(p, env, nil) }

func newFilterOf(p *physical.Filter, env *Env, need map[expr.ID]*expr.Column) (Operator, error) {
	cols := p.Child.Output()
	o := &filterOp{p: p, env: env, arena: make([]kernel.Scratch, len(cols))}
	below := need
	if need != nil {
		o.need = make([]bool, len(cols))
		for i, c := range cols {
			o.need[i] = need[c.ID] != nil
		}
		below = neededBy([]expr.Expr{p.Cond})
		for id, c := range need {
			below[id] = c
		}
	}
	var child Operator
	var err error
	if below != nil {
		child, err = buildNeeding(p.Child, env, below)
	} else {
		child, err = Build(p.Child, env)
	}
	if err != nil {
		return nil, err
	}
	o.child = newCutter(child, []expr.Expr{p.Cond})
	return o, nil
}

func (o *filterOp) Schema() *types.Schema { return o.child.Schema() }

func (o *filterOp) Open(ctx context.Context, t *Task) error {
	limited := o.env.options(t)
	limited.Heap = pieceBytes()
	cond, err := eval.CompileFilter([]expr.Expr{o.p.Cond}, o.p.Child.Output(), t.Session, limited)
	if err != nil {
		return err
	}
	o.cond = cond
	o.out = columnar.Batch{Schema: o.child.Schema(), Cols: make([]columnar.Vector, len(o.arena))}
	return o.child.Open(ctx, t)
}

func (o *filterOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		b, err := o.child.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		sel, err := o.cond.Select(b, nil)
		if o.child.again(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if o.child.step < BatchRows {
			o.child.madeTexts(o.cond.Texts())
		}
		switch len(sel) {
		case 0:
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		case b.N:
			return b, nil
		default:
			return o.keep(b, sel), nil
		}
	}
}

// keep gathers the selected rows of the columns that are needed.
func (o *filterOp) keep(b *columnar.Batch, sel []uint32) *columnar.Batch {
	o.out.N = len(sel)
	for i := range b.Cols {
		if o.need != nil && !o.need[i] {
			o.out.Cols[i] = columnar.Vector{Type: b.Cols[i].Type, Form: columnar.Const, N: len(sel), Valid: noRows, Data: noBytes[:]}
			continue
		}
		o.arena[i].Reset()
		o.out.Cols[i] = o.arena[i].Gather(&b.Cols[i], sel)
	}
	return &o.out
}

// noRows and noBytes make the constant null that stands for a column nobody looks at.
var (
	noRows  = columnar.Bitmap{0}
	noBytes [64]byte
)

func (o *filterOp) Close() error { return o.child.Close() }

// expandOp emits the input once per projection.
type expandOp struct {
	p      *physical.Expand
	env    *Env
	child  Operator
	schema *types.Schema
	progs  []*eval.Program
	in     *columnar.Batch
	next   int
	out    columnar.Batch
}

func newExpand(p *physical.Expand, env *Env) (Operator, error) {
	child, err := Build(p.Child, env)
	return &expandOp{p: p, env: env, child: child, schema: schemaOf(p.Out)}, err
}

func (o *expandOp) Schema() *types.Schema { return o.schema }

func (o *expandOp) Open(ctx context.Context, t *Task) error {
	for _, list := range o.p.Projections {
		prog, err := o.env.compile(list, o.p.Child.Output(), t)
		if err != nil {
			return err
		}
		o.progs = append(o.progs, prog)
	}
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, len(o.p.Out))}
	return o.child.Open(ctx, t)
}

// Next gives batches of one projection each: the rows of one input row do not stay together.
func (o *expandOp) Next(ctx context.Context) (*columnar.Batch, error) {
	if o.in == nil || o.next == len(o.progs) {
		b, err := o.child.Next(ctx)
		if err != nil {
			return nil, err
		}
		o.in, o.next = b, 0
	}
	if err := o.progs[o.next].Run(o.in, o.out.Cols); err != nil {
		return nil, err
	}
	o.next++
	for i := range o.out.Cols {
		o.out.Cols[i].Type = o.p.Out[i].T
	}
	o.out.N = o.in.N
	return &o.out, nil
}

func (o *expandOp) Close() error { return o.child.Close() }
