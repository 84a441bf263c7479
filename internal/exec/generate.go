package exec

import (
	"context"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// generateOp runs a generator for each row and puts the generated columns behind those of the row that are wanted.
type generateOp struct {
	p      *physical.Generate
	env    *Env
	child  *cutter
	fn     kernel.Func
	keep   []int // the child's columns
	outer  bool
	schema *types.Schema

	args *eval.Program
	argv []columnar.Vector
	flat kernel.Scratch
	ctx  kernel.Ctx

	in   *columnar.Batch
	offs []int32         // of the generated rows of each row
	gen  columnar.Vector // List or Entries
	cols []columnar.Vector
	row  int // the row whose generated rows come next
	elem int32

	rows, elems []uint32
	bufs        []rowBuf
	pad         joinOut
	out         columnar.Batch
}

func newGenerate(p *physical.Generate, env *Env) (Operator, error) {
	o := &generateOp{p: p, env: env, schema: schemaOf(p.Output()), outer: p.Outer || strings.HasSuffix(p.Gen.Name, "_outer")}
	if err := o.findKernel(); err != nil {
		return nil, err
	}
	need := neededBy(p.Gen.Args)
	for _, c := range p.Required {
		i, err := indexOf(p.Child.Output(), c.ID)
		if err != nil {
			return nil, err
		}
		o.keep = append(o.keep, i)
		need[c.ID] = c
	}
	child, err := buildNeeding(p.Child, env, need)
	if err != nil {
		return nil, err
	}
	o.child = newCutter(child, p.Gen.Args)
	return o, nil
}

func (o *generateOp) findKernel() error {
	if o.env.External != nil {
		f, err := o.env.External(o.p.Gen)
		if o.fn = f; f != nil || err != nil {
			return err
		}
	}
	row, ok := function.Lookup(o.p.Gen.Name)
	if !ok || row.Kind != function.Generator || row.Kernel == nil {
		return function.At(sparkerr.Unsupported("generator "+o.p.Gen.Name), o.p.Gen.At)
	}
	f, err := row.Kernel(o.p.Gen)
	o.fn = f
	return err
}

func (o *generateOp) Schema() *types.Schema { return o.schema }

func (o *generateOp) Open(ctx context.Context, t *Task) error {
	var err error
	if o.args, err = o.env.compileCut(o.p.Gen.Args, o.p.Child.Output(), t); err != nil {
		return err
	}
	o.argv = make([]columnar.Vector, len(o.p.Gen.Args))
	o.ctx = *t.ctx()
	o.ctx.Scratch = &kernel.Scratch{}
	n := len(o.schema.Fields)
	o.bufs = make([]rowBuf, n)
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, n)}
	return o.child.Open(ctx, t)
}

func (o *generateOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if o.in != nil {
			if o.collect(); len(o.rows) > 0 {
				return o.yield(), nil
			}
		}
		b, err := o.child.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b.N > 0 {
			if err := o.run(b); err != nil && !o.child.again(err) {
				return nil, err
			}
		}
	}
}

// run generates the rows of a batch.
func (o *generateOp) run(b *columnar.Batch) error {
	if err := o.args.Run(b, o.argv); err != nil {
		return err
	}
	o.child.made(o.args, o.argv)
	o.flat.Reset()
	for i := range o.argv {
		o.argv[i] = o.flat.Flatten(&o.argv[i])
	}
	o.ctx.Scratch.Reset()
	v, err := o.fn(&o.ctx, o.argv, b.N)
	if err != nil {
		return function.At(err, o.p.Gen.At)
	}
	o.in, o.gen, o.row, o.elem = b, v, 0, -1
	o.ctx.RowBase += int64(b.N)
	o.offs = columnar.Of[int32](v.Data)[:b.N+1]
	o.cols = v.Kids
	if len(v.Kids) == 1 && (len(o.p.Out) != 1 || wrapped(&v.Kids[0], o.p.Out[0])) {
		elem := v.Kids[0].Flatten()
		o.cols = elem.Kids
	}
	if len(o.cols) != len(o.p.Out) {
		return sparkerr.Internal("the generator %s gave %d columns, not %d", o.p.Gen.Name, len(o.cols), len(o.p.Out))
	}
	return nil
}

// wrapped says whether the one generated column is the field of a record: its type is not that of the record.
func wrapped(v *columnar.Vector, out *expr.Column) bool {
	return len(v.Kids) == 1 && !v.Type.SameType(out.T)
}

// collect picks the next pairs of rows and generated rows, up to a batch.
func (o *generateOp) collect() {
	o.rows, o.elems = o.rows[:0], o.elems[:0]
	for ; o.row < o.in.N && len(o.rows) < BatchRows; o.row++ {
		from, to := o.offs[o.row], o.offs[o.row+1]
		if o.gen.Valid != nil && !o.gen.Valid.Get(o.row) {
			to = from
		}
		if from == to {
			if o.outer {
				o.rows, o.elems = append(o.rows, uint32(o.row)), append(o.elems, noRow)
			}
			continue
		}
		if o.elem >= 0 {
			from = o.elem
		}
		end := min(to, from+int32(BatchRows-len(o.rows)))
		for e := from; e < end; e++ {
			o.rows, o.elems = append(o.rows, uint32(o.row)), append(o.elems, uint32(e))
		}
		if o.elem = -1; end < to {
			o.elem = end
			return
		}
	}
	if len(o.rows) == 0 {
		o.in = nil
	}
}

func (o *generateOp) yield() *columnar.Batch {
	for i, c := range o.keep {
		o.out.Cols[i] = o.bufs[i].gather(&o.in.Cols[c], o.rows)
	}
	if o.outer {
		o.pad.split(o.elems)
	}
	for i := range o.cols {
		at := len(o.keep) + i
		if o.outer {
			o.out.Cols[at] = o.bufs[at].gatherOuter(&o.cols[i], o.pad.safe, o.pad.present)
		} else {
			o.out.Cols[at] = o.bufs[at].gather(&o.cols[i], o.elems)
		}
		o.out.Cols[at].Type = o.p.Out[i].T
	}
	o.out.N = len(o.rows)
	return &o.out
}

func (o *generateOp) Close() error { return o.child.Close() }
