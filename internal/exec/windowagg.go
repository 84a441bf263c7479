package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// newRun makes the computation of a window function.
func (o *windowOp) newRun(c *windowCall) (windowRun, error) {
	switch f := c.fn.(type) {
	case *expr.Agg:
		if c.name == "first" || c.name == "last" || c.name == "any_value" {
			return o.newPicked(c, f.Args, f.IgnoreNulls)
		}
		return o.newWindowAgg(c, f)
	case *expr.Call:
		switch c.name {
		case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist":
			return &rowNumbers{name: c.name}, nil
		case "ntile":
			n, err := constInt(f.Args[0], o.t.Session)
			if err == nil && n <= 0 {
				err = sparkerr.Internal("ntile of %d buckets", n)
			}
			return &rowNumbers{name: c.name, buckets: n}, err
		case "lag", "lead", "nth_value":
			return o.newPicked(c, f.Args, false)
		}
	}
	return nil, sparkerr.Unsupported("the window function " + c.name)
}

func (o *windowOp) newPicked(c *windowCall, args []expr.Expr, ignore bool) (windowRun, error) {
	p := &picked{name: c.name, n: 1, col: c.args[0], deflt: -1, ignore: ignore}
	flags := args[1:]
	if c.name == "lag" || c.name == "lead" || c.name == "nth_value" {
		n, err := constInt(args[1], o.t.Session)
		if err != nil {
			return nil, err
		}
		p.n, flags = n, args[2:]
	}
	if c.name == "lag" {
		p.n = -p.n
	}
	if c.name == "lag" || c.name == "lead" {
		if l, ok := args[2].(*expr.Literal); !ok || l.Value != nil {
			p.deflt = c.args[2]
		}
		flags = args[3:]
	}
	for _, e := range flags {
		v, err := eval.Value(e, o.t.Session)
		if err != nil {
			return nil, err
		}
		p.ignore = p.ignore || v == true
	}
	if c.name == "lag" || c.name == "lead" {
		return p, nil
	}
	var err error
	p.frames, err = newFrameWalk(c, o.order, o.t.Session)
	return p, err
}

// windowAgg is an aggregate over frames.
type windowAgg struct {
	call   *windowCall
	make   func() (kernel.Agg, error)
	agg    kernel.Agg
	ctx    kernel.Ctx
	frames *frameWalk
	c      *windowChunk
	argv   []columnar.Vector
	bufs   []rowBuf
	ids    []uint32
	rows   []uint32

	// All frames are their partitions: one value a partition.
	values columnar.Vector
	// Frames that begin with their partition: the states after each row, or, where the aggregate cannot be chained, rows up to
	// done of partition part in the state run.
	chain *windowChain
	run   kernel.Agg
	part  int
	done  int
	// Others: states of blocks of rows.
	tree *blockTree
	out  rowBuf
}

func (o *windowOp) newWindowAgg(c *windowCall, f *expr.Agg) (windowRun, error) {
	w := &windowAgg{call: c, make: func() (kernel.Agg, error) { return o.env.newAgg(f) }}
	var err error
	if w.agg, err = w.make(); err != nil {
		return nil, err
	}
	w.ctx = *o.t.ctx()
	w.ctx.Scratch = &kernel.Scratch{}
	w.argv, w.bufs = make([]columnar.Vector, len(c.args)), make([]rowBuf, len(c.args))
	w.frames, err = newFrameWalk(c, o.order, o.t.Session)
	return w, err
}

func (w *windowAgg) begin(c *windowChunk) error {
	w.c = c
	w.agg.Reset()
	w.frames.begin(c)
	w.part, w.done, w.tree = -1, 0, nil
	switch {
	case w.call.whole():
		return w.partitions()
	case w.call.spec.Lower.Kind != expr.UnboundedPreceding:
		var err error
		w.tree, err = newBlockTree(w)
		return err
	case w.chain != nil:
		w.chain.begin()
	case w.run == nil:
		return w.startGrowing()
	}
	return nil
}

// startGrowing prepares for frames that begin with their partition.
func (w *windowAgg) startGrowing() error {
	agg, err := w.make()
	if err != nil {
		return err
	}
	if chained, ok := agg.(kernel.Chained); ok {
		w.chain = &windowChain{agg: chained}
		w.chain.begin()
	}
	w.run = agg
	return nil
}

// arguments are the argument columns of rows [from, to), which lie in one page.
func (w *windowAgg) arguments(from, to int) ([]columnar.Vector, error) {
	cols, err := w.c.page(from / windowPage)
	if err != nil {
		return nil, err
	}
	at, end := from%windowPage, (to-1)%windowPage+1
	for i, a := range w.call.args {
		switch {
		case at%64 == 0:
			w.argv[i] = cols[a].Window(at, end)
		default:
			w.rows = sized(w.rows, end-at)
			for k := range w.rows {
				w.rows[k] = uint32(at + k)
			}
			w.argv[i] = w.bufs[i].gather(&cols[a], w.rows)
		}
	}
	return w.argv, nil
}

// update adds rows [from, to), which lie in one page; nil group: all to group 0.
func (w *windowAgg) update(agg kernel.Agg, from, to int, group []uint32, groups int) error {
	args, err := w.arguments(from, to)
	if err != nil {
		return err
	}
	w.ctx.Scratch.Reset()
	return agg.Update(&w.ctx, args, to-from, group, groups)
}

// partitions computes one value for each partition of the chunk.
func (w *windowAgg) partitions() error {
	var walk partitionWalk
	walk.begin(w.c)
	groups := len(w.c.starts) - 1
	for from := 0; from < w.c.n; from += windowPage {
		to := min(from+windowPage, w.c.n)
		w.ids = sized(w.ids, to-from)
		for i := range w.ids {
			walk.at(from + i)
			w.ids[i] = uint32(walk.k)
		}
		if err := w.update(w.agg, from, to, w.ids, groups); err != nil {
			return err
		}
	}
	v, err := w.result(groups)
	w.values = v
	return err
}

// result copies the values of the first groups.
func (w *windowAgg) result(groups int) (columnar.Vector, error) {
	w.ctx.Scratch.Reset()
	v, err := w.agg.Result(&w.ctx, 0, groups)
	if err != nil {
		return v, err
	}
	v.Type = w.call.t
	a := columnar.NewAppender(w.call.t)
	a.AppendVector(&v)
	return a.Finish(), nil
}

func (w *windowAgg) page(from, to int) (columnar.Vector, error) {
	switch {
	case w.call.whole():
		w.ids = sized(w.ids, to-from)
		for i := range w.ids {
			w.frames.at(from + i)
			w.ids[i] = uint32(w.frames.k)
		}
		return w.out.gather(&w.values, w.ids), nil
	case w.tree != nil:
		return w.tree.page(from, to)
	}
	if w.chain != nil {
		frames := *w.frames
		v, err := w.chained(from, to)
		if err == nil {
			return v, nil
		}
		// The sum may have overflowed at a row that is in no frame: the frames themselves decide.
		*w.frames, w.chain = frames, nil
	}
	return inParts(w.call.t, from, to, w.growing)
}

// none are the arguments of no rows.
func (w *windowAgg) none() []columnar.Vector {
	args := make([]columnar.Vector, len(w.call.args))
	for i, a := range w.call.args {
		args[i] = columnar.Nulls(w.c.schema.Fields[a].Type, 0)
		args[i].Valid = nil
	}
	return args
}
