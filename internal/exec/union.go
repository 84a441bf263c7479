package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// Parts is how a stage's plan may be spread over tasks: Fixed partitions must each be run by the task of that number;
// Any says that there are scans whose splits all tasks share, so that more tasks help.
type Parts struct {
	Fixed int
	Any   bool
}

// PartsOf finds out. splits is nil where the tasks of a stage share their splits; inputs may be nil if p has no StageInput.
func PartsOf(p physical.Plan, splits Splits, inputs Inputs) Parts {
	switch p := p.(type) {
	case *physical.Scan:
		switch {
		case splits != nil:
			return Parts{Fixed: splits.Partitions(p)}
		case p.Tasks > 0:
			return Parts{Fixed: p.Tasks}
		}
		return Parts{Any: true}
	case *physical.LocalScan, *physical.OneRow:
		return Parts{Fixed: 1}
	case *physical.Range:
		return Parts{Fixed: max(p.Partitions, 1)}
	case *physical.CachedScan:
		return Parts{Fixed: p.Partitions}
	case *physical.StageInput:
		if p.Specs != nil {
			return Parts{Fixed: len(p.Specs)}
		}
		return Parts{Fixed: inputs.Partitions(p.Stage)}
	case *physical.Union:
		var sum Parts
		for _, c := range p.Inputs {
			part := PartsOf(c, splits, inputs)
			sum.Fixed += part.Fixed
			sum.Any = sum.Any || part.Any
		}
		return sum
	case *physical.Coalesce:
		part := PartsOf(p.Child, splits, inputs)
		part.Fixed = min(part.Fixed, p.N)
		return part
	}
	var most Parts
	for _, c := range p.Children() {
		part := PartsOf(c, splits, inputs)
		most.Fixed = max(most.Fixed, part.Fixed)
		most.Any = most.Any || part.Any
	}
	return most
}

// source of a union or coalesce: a child plan and the partition of it to run; -1: as the task is.
type portion struct {
	child     int
	partition int
}

// sequence runs portions of child plans one after the other. Each is built when its turn comes.
type sequence struct {
	plans    []physical.Plan
	env      *Env
	schema   *types.Schema
	portions func(t *Task) []portion
	t        *Task
	todo     []portion
	op       Operator
	out      columnar.Batch
}

func (o *sequence) Schema() *types.Schema { return o.schema }

func (o *sequence) Open(_ context.Context, t *Task) error {
	o.t, o.todo = t, o.portions(t)
	return nil
}

func (o *sequence) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if o.op == nil {
			if len(o.todo) == 0 {
				return nil, io.EOF
			}
			if err := o.start(ctx, o.todo[0]); err != nil {
				return nil, err
			}
			o.todo = o.todo[1:]
		}
		b, err := o.op.Next(ctx)
		if err == nil {
			return relabel(&o.out, b, o.schema), nil
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err := o.Close(); err != nil {
			return nil, err
		}
	}
}

func (o *sequence) start(ctx context.Context, s portion) error {
	op, err := Build(o.plans[s.child], o.env)
	if err != nil {
		return err
	}
	o.op = op
	t := o.t
	if s.partition >= 0 {
		t = t.at(s.partition)
	}
	return op.Open(ctx, t)
}

func (o *sequence) Close() error {
	if o.op == nil {
		return nil
	}
	op := o.op
	o.op = nil
	return op.Close()
}

// maxChecked is how many children are built ahead of their turn. Each task of a union of thousands would build them all.
const maxChecked = 16

// checked builds the first children once, so that plans which cannot run fail in Build and not in the middle of a task.
func checked(plans []physical.Plan, env *Env) error {
	_, err := buildAll(plans[:min(len(plans), maxChecked)], &Env{Session: env.Session, Subquery: env.Subquery, External: env.External})
	return err
}

// newUnion: each input's fixed partitions follow those of the inputs before it; inputs with shared splits run in every task.
func newUnion(p *physical.Union, env *Env) (Operator, error) {
	o := &sequence{plans: p.Inputs, env: env, schema: schemaOf(p.Out)}
	o.portions = func(t *Task) []portion {
		var out []portion
		first := 0
		for i, c := range p.Inputs {
			if t.Whole {
				out = append(out, portion{i, -1})
				continue
			}
			part := PartsOf(c, t.Splits, t.Inputs)
			local := t.Partition - first
			if part.Any || local >= 0 && local < part.Fixed {
				out = append(out, portion{i, local})
			}
			first += part.Fixed
		}
		return out
	}
	return o, checked(p.Inputs, env)
}

// newCoalesce: partition i of N runs partitions [i*n/N, (i+1)*n/N) of the child.
func newCoalesce(p *physical.Coalesce, env *Env) (Operator, error) {
	o := &sequence{plans: []physical.Plan{p.Child}, env: env, schema: schemaOf(p.Output())}
	o.portions = func(t *Task) []portion {
		if t.Whole {
			return []portion{{0, -1}}
		}
		part := PartsOf(p.Child, t.Splits, t.Inputs)
		n, groups := part.Fixed, max(min(p.N, part.Fixed), 1)
		var out []portion
		if t.Partition < groups {
			for i := t.Partition * n / groups; i < (t.Partition+1)*n/groups; i++ {
				out = append(out, portion{0, i})
			}
		}
		if part.Any && len(out) == 0 {
			out = append(out, portion{0, max(n, t.Partition)})
		}
		return out
	}
	return o, checked(o.plans, env)
}

// through hands its child's batches on: an exchange in a plan that one task runs alone.
type through struct {
	Operator
}

func newThrough(child physical.Plan, env *Env) (Operator, error) {
	op, err := Build(child, env)
	return &through{op}, err
}
