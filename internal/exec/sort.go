package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// sortOp yields its input in order: all of it, or the rows from offset up to limit.
type sortOp struct {
	node   physical.Plan
	env    *Env
	name   string
	child  Operator
	form   *joinSide
	keys   []sortKey
	place  []int // where in the form each output column lies
	schema *types.Schema
	limit  int // of rows to sort out, offset included; <0: all
	skip   int

	sorter *sorter
	rows   rowSource
	out    columnar.Batch
}

func newSort(p *physical.Sort, env *Env) (Operator, error) {
	return newSortOp(p, env, "Sort", p.Order, p.Child, -1, 0)
}

// newTopN: the rows after the first Offset, N of them.
func newTopN(p *physical.TopN, env *Env) (Operator, error) {
	return newSortOp(p, env, "TopN", p.Order, p.Child, int(min(p.N, maxBuildRows)+min(p.Offset, maxBuildRows)), int(min(p.Offset, maxBuildRows)))
}

func newSortOp(p physical.Plan, env *Env, name string, order []expr.SortOrder, child physical.Plan, limit, skip int) (Operator, error) {
	o := &sortOp{node: p, env: env, name: name, schema: schemaOf(child.Output()), limit: limit, skip: skip}
	var list []expr.Expr
	for _, s := range order {
		if err := checkOrder(s.Child.Type()); err != nil {
			return nil, err
		}
		list = append(list, s.Child)
	}
	o.form, o.place = sortForm(child.Output(), list)
	o.keys = sortKeysOf(order, o.form.keys)
	var err error
	o.child, err = Build(child, env)
	return o, err
}

// sortForm is the form of an input of which all columns are kept, and where each of them lies in it.
func sortForm(cols []*expr.Column, keys []expr.Expr) (*joinSide, []int) {
	used := map[expr.ID]bool{}
	for _, c := range cols {
		used[c.ID] = true
	}
	form := newJoinSide(cols, keys, used)
	place := make([]int, len(cols))
	for i, c := range cols {
		place[i], _ = indexOf(form.cols, c.ID)
	}
	return form, place
}

// checkOrder refuses types that bytes do not order.
func checkOrder(t types.Type) error {
	if t.Kind == types.StringKind && t.Collation != "" && t.Collation != "UTF8_BINARY" {
		return sparkerr.Unsupported("sorting by the collation " + t.Collation)
	}
	return nil
}

func (o *sortOp) Schema() *types.Schema { return o.schema }

func (o *sortOp) Open(ctx context.Context, t *Task) error {
	var err error
	if o.form, err = o.form.forTask(t, o.env); err != nil {
		return err
	}
	o.sorter = newSorter(t, o.node, o.name, o.form.schema, o.keys, o.limit)
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, len(o.place))}
	return o.child.Open(ctx, t)
}

func (o *sortOp) Next(ctx context.Context) (*columnar.Batch, error) {
	if o.rows == nil {
		if o.limit != 0 {
			if err := o.form.drain(ctx, o.child, o.sorter.add); err != nil {
				return nil, err
			}
		}
		var err error
		if o.rows, err = o.sorter.finish(ctx); err != nil {
			return nil, err
		}
	}
	for {
		b, err := o.rows(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			return nil, io.EOF
		}
		if o.skip >= b.N {
			o.skip -= b.N
			continue
		}
		return o.yield(b), nil
	}
}

// yield is the output form of sorted rows, without those that are to be skipped.
func (o *sortOp) yield(b *columnar.Batch) *columnar.Batch {
	for i, c := range o.place {
		if o.out.Cols[i] = b.Cols[c]; o.skip > 0 {
			o.out.Cols[i] = b.Cols[c].Slice(o.skip, b.N)
		}
	}
	o.out.N = b.N - o.skip
	o.skip = 0
	return &o.out
}

func (o *sortOp) Close() error {
	var err error
	if o.sorter != nil {
		err = o.sorter.close()
	}
	return errors.Join(o.child.Close(), err)
}
