package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// windowOp computes window functions over input that is sorted by partition and order. It collects whole partitions into a
// chunk (many small ones together), computes the functions page by page and yields the pages.
type windowOp struct {
	p      *physical.Window
	env    *Env
	child  Operator
	form   *joinSide
	place  []int // where in the form the child's columns lie
	part   []int // partition keys in the form
	order  []sortKey
	calls  []windowCall
	schema *types.Schema

	t       *Task
	mem     *memory.Reservation
	cur     *columnar.Batch // the child's batch in the form
	breaks  columnar.Bitmap // rows of cur that begin a partition
	peers   columnar.Bitmap // and those that begin a group of peers
	pos     int
	last    []columnar.Vector // the last row seen
	ended   bool
	chunk   *windowChunk
	next    int // row of the chunk that is yielded next
	out     columnar.Batch
	ready   bool // the chunk is complete
	pending []windowRun
}

// windowCall is one window function of the plan: where its inputs lie in the form.
type windowCall struct {
	fn    expr.Expr // Call or Agg
	name  string    // the row's name
	args  []int
	spec  expr.WindowSpec
	lower int // RANGE with offsets: the bounds' columns, -1 without
	upper int
	byCol int // and the ordered column in the bounds' type
	t     types.Type
}

// windowRun computes one function over a chunk, page by page in order.
type windowRun interface {
	// begin starts a chunk.
	begin(c *windowChunk) error
	// page is the function's value for rows [from, to) of the chunk.
	page(from, to int) (columnar.Vector, error)
}

func newWindow(p *physical.Window, env *Env) (Operator, error) {
	o := &windowOp{p: p, env: env, schema: schemaOf(p.Output())}
	b := &windowPlan{env: env, in: p.Child.Output()}
	for _, e := range p.Partition {
		o.part = append(o.part, b.add(e))
	}
	orderAt := make([]int, len(p.Order))
	for i, s := range p.Order {
		if err := checkOrder(s.Child.Type()); err != nil {
			return nil, err
		}
		orderAt[i] = b.add(s.Child)
	}
	for _, e := range p.List {
		c, err := b.call(e)
		if err != nil {
			return nil, err
		}
		o.calls = append(o.calls, c)
	}
	o.form, o.place = sortForm(b.in, b.list)
	at := func(i int) int {
		if i < 0 {
			return i
		}
		return o.form.keys[i]
	}
	for i := range o.part {
		o.part[i] = at(o.part[i])
	}
	for i := range orderAt {
		orderAt[i] = at(orderAt[i])
	}
	o.order = sortKeysOf(p.Order, orderAt)
	for i := range o.calls {
		c := &o.calls[i]
		for k := range c.args {
			c.args[k] = at(c.args[k])
		}
		c.lower, c.upper, c.byCol = at(c.lower), at(c.upper), at(c.byCol)
	}
	var err error
	o.child, err = Build(p.Child, env)
	return o, err
}

// windowPlan gathers the expressions that the functions need of each row.
type windowPlan struct {
	env  *Env
	in   []*expr.Column
	list []expr.Expr
}

func (b *windowPlan) add(e expr.Expr) int {
	b.list = append(b.list, e)
	return len(b.list) - 1
}

func (b *windowPlan) call(e expr.Expr) (windowCall, error) {
	a, ok := e.(*expr.Alias)
	if !ok {
		return windowCall{}, sparkerr.Internal("a window expression has no name: %s", e.SQL())
	}
	w, ok := a.Child.(*expr.Window)
	if !ok {
		return windowCall{}, sparkerr.Internal("no window function: %s", e.SQL())
	}
	c := windowCall{fn: w.Func, spec: w.Spec, t: w.Type(), lower: -1, upper: -1, byCol: -1}
	var args []expr.Expr
	switch f := w.Func.(type) {
	case *expr.Agg:
		if f.Filter != nil || f.Distinct || len(f.Order) > 0 {
			return c, sparkerr.Unsupported("FILTER, DISTINCT or ORDER BY in an aggregate over a window")
		}
		c.name, args = f.Name, f.Args
	case *expr.Call:
		c.name, args = f.Name, f.Args
	default:
		return c, sparkerr.Internal("no window function: %s", w.Func.SQL())
	}
	if row, ok := function.Lookup(c.name); ok {
		c.name = row.Name
	}
	for _, x := range args {
		c.args = append(c.args, b.add(x))
	}
	return c, b.bounds(&c)
}

// bounds adds the columns of a RANGE frame with offsets: for each row the smallest and largest order that it reaches.
func (b *windowPlan) bounds(c *windowCall) error {
	s := &c.spec
	if s.Unit != expr.Range || s.Lower.Offset == nil && s.Upper.Offset == nil {
		return nil
	}
	if len(s.Order) != 1 {
		return sparkerr.Internal("a RANGE frame with an offset needs one order: %s", s.SQL())
	}
	o := s.Order[0]
	low, err := b.bound(o, s.Lower)
	if err != nil {
		return err
	}
	high, err := b.bound(o, s.Upper)
	if err != nil {
		return err
	}
	t := o.Child.Type()
	for _, e := range []expr.Expr{low, high} {
		if e != nil && !e.Type().SameType(t) {
			t = e.Type()
		}
	}
	fit := func(e expr.Expr) int {
		if e == nil {
			return -1
		}
		if !e.Type().SameType(t) {
			e = &expr.Cast{Child: e, To: t, Mode: expr.CastAnsi}
		}
		return b.add(e)
	}
	c.lower, c.upper, c.byCol = fit(low), fit(high), fit(o.Child)
	return nil
}

// bound is the order that a frame reaches from a row; nil if it is not given by an offset.
func (b *windowPlan) bound(o expr.SortOrder, to expr.Bound) (expr.Expr, error) {
	if to.Offset == nil {
		return nil, nil
	}
	op := "+"
	if (to.Kind == expr.Preceding) != o.Desc {
		op = "-"
	}
	env := &function.BindEnv{Session: b.env.Session}
	return function.Bind(env, expr.NewFunc(op, o.Child, to.Offset))
}

func (o *windowOp) Schema() *types.Schema { return o.schema }

func (o *windowOp) Open(ctx context.Context, t *Task) error {
	o.t, o.mem = t, t.reserve("Window")
	var err error
	if o.form, err = o.form.forTask(t, o.env); err != nil {
		return err
	}
	for i := range o.calls {
		r, err := o.newRun(&o.calls[i])
		if err != nil {
			return err
		}
		o.pending = append(o.pending, r)
	}
	o.out = columnar.Batch{Schema: o.schema, Cols: make([]columnar.Vector, len(o.schema.Fields))}
	return o.child.Open(ctx, t)
}

func (o *windowOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if o.ready {
			if o.next < o.chunk.n {
				return o.yield()
			}
			if err := o.drop(); err != nil {
				return nil, err
			}
		}
		if err := o.collect(ctx); err != nil {
			return nil, err
		}
		if o.chunk == nil {
			return nil, io.EOF
		}
	}
}

// collect reads until the chunk is complete; without more rows there is no chunk.
func (o *windowOp) collect(ctx context.Context) error {
	for {
		if o.cur == nil && !o.ended {
			if err := o.read(ctx); err != nil {
				return err
			}
		}
		if o.ended {
			if o.chunk == nil {
				return nil
			}
			return o.start()
		}
		if o.chunk == nil {
			o.chunk = newWindowChunk(o.form.schema)
		}
		to := o.pos
		for to < o.cur.N {
			if o.breaks.Get(to) {
				if rows := o.chunk.n + to - o.pos; rows > 0 && (rows >= windowRows || o.chunk.file != nil) {
					break
				}
				o.chunk.starts = append(o.chunk.starts, o.chunk.n+to-o.pos)
			}
			to++
		}
		if err := o.take(to); err != nil {
			return err
		}
		if to < o.cur.N {
			return o.start()
		}
		o.cur = nil
	}
}

// windowRows is the number of rows from which a chunk ends with the partition at hand.
const windowRows = BatchRows

// take moves rows up to to of the current batch into the chunk.
func (o *windowOp) take(to int) error {
	if to == o.pos {
		return nil
	}
	o.chunk.add(o.cur, o.pos, to, o.peers)
	o.pos = to
	need := o.chunk.bytes()
	if need <= o.mem.Bytes() || o.mem.TryGrow(need-o.mem.Bytes()) {
		return nil
	}
	if err := o.chunk.spill(o.t.Dirs, false); err != nil {
		return err
	}
	o.mem.Shrink(max(o.mem.Bytes()-o.chunk.bytes(), 0))
	return nil
}

// read takes the child's next batch and finds where partitions and peers begin.
func (o *windowOp) read(ctx context.Context) error {
	b, err := o.child.Next(ctx)
	if errors.Is(err, io.EOF) {
		o.ended = true
		return nil
	}
	if err != nil || b.N == 0 {
		return err
	}
	if o.cur, err = o.form.load(b); err != nil {
		return err
	}
	n := b.N
	o.pos = 0
	o.breaks, o.peers = sized(o.breaks, (n+63)/64), sized(o.peers, (n+63)/64)
	clear(o.breaks)
	first := o.last == nil
	for _, c := range o.part {
		o.changes(c, o.breaks)
	}
	if first {
		o.breaks.Set(0)
	}
	copy(o.peers, o.breaks)
	for _, k := range o.order {
		o.changes(k.col, o.peers)
	}
	if first {
		o.last = make([]columnar.Vector, len(o.cur.Cols))
	}
	for _, c := range o.part {
		o.last[c] = lastRow(&o.cur.Cols[c])
	}
	for _, k := range o.order {
		o.last[k.col] = lastRow(&o.cur.Cols[k.col])
	}
	return nil
}

func lastRow(v *columnar.Vector) columnar.Vector {
	a := columnar.NewAppender(v.Type)
	a.AppendRows(v, []uint32{uint32(v.N - 1)})
	return a.Finish()
}

// changes sets the bits of the rows of the current batch that differ from the row before them in a column.
func (o *windowOp) changes(col int, bits columnar.Bitmap) {
	v := &o.cur.Cols[col]
	if o.last != nil && kernel.CompareNullFirst(v, 0, &o.last[col], 0) != 0 {
		bits.Set(0)
	}
	differs(v, bits)
}

// start begins to compute the functions over the chunk.
func (o *windowOp) start() error {
	if err := o.chunk.seal(o.t.Dirs); err != nil {
		return err
	}
	if f := o.chunk.file; f != nil {
		o.t.Metrics.spilled(o.p, f.Rows(), f.Bytes())
	}
	o.ready, o.next = true, 0
	for _, r := range o.pending {
		if err := r.begin(o.chunk); err != nil {
			return err
		}
	}
	return nil
}

// yield is the next page of the chunk with the functions' values.
func (o *windowOp) yield() (*columnar.Batch, error) {
	from := o.next
	to := min(from+windowPage, o.chunk.n)
	cols, err := o.chunk.page(from / windowPage)
	if err != nil {
		return nil, err
	}
	for i, c := range o.place {
		o.out.Cols[i] = cols[c]
	}
	for i, r := range o.pending {
		v, err := r.page(from, to)
		if err != nil {
			return nil, err
		}
		v.Type = o.calls[i].t
		o.out.Cols[len(o.place)+i] = v
	}
	if o.chunk.file != nil { // the page may have been put out of the way meanwhile
		if cols, err = o.chunk.page(from / windowPage); err != nil {
			return nil, err
		}
		for i, c := range o.place {
			o.out.Cols[i] = cols[c]
		}
	}
	o.out.N = to - from
	o.next = to
	return &o.out, nil
}

func (o *windowOp) drop() error {
	err := o.chunk.close()
	o.chunk, o.ready = nil, false
	o.mem.Release()
	return err
}

func (o *windowOp) Close() error {
	var err error
	if o.chunk != nil {
		err = o.chunk.close()
		o.chunk = nil
	}
	if o.mem != nil {
		o.mem.Release()
	}
	return errors.Join(o.child.Close(), err)
}
