package exec

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Env is what operators are built with.
type Env struct {
	Session *kernel.Session
	Metrics *Metrics // nil: nothing is measured
	// Subquery gives the value of a scalar subquery that has run already; External compiles calls that eval does not know
	// (user-defined functions). Both may be nil.
	Subquery func(*expr.Subquery) (any, error)
	External func(*expr.Call) (kernel.Func, error)
	// ExternalAgg makes the state of aggregates that eval does not know; it may be nil or answer nil.
	ExternalAgg func(*expr.Agg) (kernel.Agg, error)
	// Wrap, if set, is put around every operator; tests spoil borrowed batches with it.
	Wrap func(p physical.Plan, op Operator) Operator
	// partial replaces the limits of Partial aggregations in tests.
	partial *partialPolicy
}

// Build makes the operator tree of a plan for one task. It neither opens nor reads anything.
func Build(p physical.Plan, env *Env) (Operator, error) {
	op, err := construct(p, env)
	if err != nil {
		return nil, err
	}
	return env.wrap(p, op), nil
}

func (env *Env) wrap(p physical.Plan, op Operator) Operator {
	if env.Metrics != nil {
		op = measure(op, env.Metrics.of(p))
	}
	if env.Wrap != nil {
		op = env.Wrap(p, op)
	}
	return op
}

func construct(p physical.Plan, env *Env) (Operator, error) {
	switch p := p.(type) {
	case *physical.Scan:
		return newScan(p, env)
	case *physical.LocalScan:
		return newLocalScan(p, env)
	case *physical.OneRow:
		return newOneRow(p, env)
	case *physical.Range:
		return newRange(p, env)
	case *physical.CachedScan:
		return newCachedScan(p, env)
	case *physical.StageInput:
		return newStageInput(p, env)
	case *physical.Project:
		return newProject(p, env)
	case *physical.Filter:
		return newFilter(p, env)
	case *physical.Limit:
		return newLimit(p, env)
	case *physical.Tail:
		return newTail(p, env)
	case *physical.Sample:
		return newSample(p, env)
	case *physical.Expand:
		return newExpand(p, env)
	case *physical.Union:
		return newUnion(p, env)
	case *physical.Coalesce:
		return newCoalesce(p, env)
	case *physical.Exchange:
		return newThrough(p.Child, env)
	case *physical.Broadcast:
		return newPublish(p, env)
	case *physical.Aggregate:
		return newAggregate(p, env)
	case *physical.WriteFiles:
		return newWriteFiles(p, env)
	}
	return constructHeavy(p, env)
}

// constructHeavy covers joins, sorts, windows and generators.
func constructHeavy(p physical.Plan, env *Env) (Operator, error) {
	switch p := p.(type) {
	case *physical.HashJoin:
		return newHashJoin(p, env)
	case *physical.MergeJoin:
		return newMergeJoin(p, env)
	case *physical.LoopJoin:
		return newLoopJoin(p, env)
	case *physical.Sort:
		return newSort(p, env)
	case *physical.TopN:
		return newTopN(p, env)
	case *physical.Window:
		return newWindow(p, env)
	case *physical.Generate:
		return newGenerate(p, env)
	}
	return nil, sparkerr.Internal("no operator runs the plan node %T", p)
}

// buildAll builds the children of a node.
func buildAll(plans []physical.Plan, env *Env) ([]Operator, error) {
	ops := make([]Operator, len(plans))
	for i, p := range plans {
		op, err := Build(p, env)
		if err != nil {
			return nil, err
		}
		ops[i] = op
	}
	return ops, nil
}

// schemaOf is the schema of a plan's output.
func schemaOf(cols []*expr.Column) *types.Schema {
	s := &types.Schema{Fields: make([]types.Field, len(cols))}
	for i, c := range cols {
		s.Fields[i] = types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata}
	}
	return s
}

// indexOf finds a column by id in a plan's output.
func indexOf(cols []*expr.Column, id expr.ID) (int, error) {
	for i, c := range cols {
		if c.ID == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("column %d is not among the inputs: %w", id, sparkerr.Internal("unbound column #%d", id))
}
