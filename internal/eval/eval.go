// Package eval compiles resolved expressions into programs that run over batches.
//
// A Program is a graph of nodes, one per distinct sub-expression. Each node owns the buffers of its result, so that a run
// allocates nothing once the buffers have grown. Nodes that may fail are evaluated only for rows that ask for them: branches
// of CASE, right sides of AND and OR, and so on are programs of their own that run over the chosen rows.
package eval

import (
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Options are the task's part of what a program needs.
type Options struct {
	Partition int // number of the task's partition: seeds of random functions, ids
	// Heap is how many bytes of text one expression may make of a batch before the run ends with kernel.ErrWide; 0: any number.
	Heap int
	// Subquery gives the value of a scalar subquery that has run already; nil when there are none.
	Subquery func(*expr.Subquery) (any, error)
	// External compiles a call that eval itself cannot run (user-defined functions); it may be nil or answer nil.
	External func(*expr.Call) (kernel.Func, error)
}

// Program computes a list of expressions over batches of fixed input columns. It belongs to one goroutine.
type Program struct {
	outs  []*node
	nodes []*node
	in    *columnar.Batch
	n     int
	epoch uint64
	base  int64 // rows of earlier batches
}

// Compile makes the program of resolved expressions over the given input columns. Aliases are looked through.
func Compile(exprs []expr.Expr, input []*expr.Column, s *kernel.Session, o Options) (*Program, error) {
	ids := make(map[expr.ID]int, len(input))
	for i, c := range input {
		ids[c.ID] = i
	}
	return compile(exprs, ids, newEnv(s, o))
}

func compile(exprs []expr.Expr, ids map[expr.ID]int, e *env) (*Program, error) {
	p := &Program{}
	c := &compiler{env: e, p: p, ids: ids, known: map[int]*node{}}
	for _, x := range exprs {
		n, err := c.node(x)
		if err != nil {
			return nil, err
		}
		p.outs = append(p.outs, n)
	}
	return p, nil
}

// Run computes the expressions for the rows of b into out, one vector each. They hold until the next Run and may borrow b's
// buffers. Any form of vector may come out.
func (p *Program) Run(b *columnar.Batch, out []columnar.Vector) error {
	if err := p.run(b.Cols, b.N); err != nil {
		return err
	}
	for i, n := range p.outs {
		out[i] = n.vec
	}
	p.base += int64(b.N)
	return nil
}

// Len is the number of expressions.
func (p *Program) Len() int { return len(p.outs) }

// Size is the memory that the program's buffers hold.
func (p *Program) Size() int64 {
	var size int64
	for _, n := range p.nodes {
		size += n.scratch.Size() + n.result.Size()
		for _, b := range n.branches {
			size += b.scratch.Size() + b.p.Size()
		}
	}
	return size
}

// Texts is how many bytes of text the last run made, about.
func (p *Program) Texts() int64 {
	if p == nil { // of a branch that is one node
		return 0
	}
	var size int64
	for _, n := range p.nodes {
		size += n.result.Texts()
		for _, b := range n.branches {
			size += b.p.Texts()
		}
	}
	return size
}

func (p *Program) run(cols []columnar.Vector, n int) error {
	p.n = n
	p.epoch++
	if p.in == nil {
		p.in = &columnar.Batch{}
	}
	p.in.Cols, p.in.N = cols, n
	for _, o := range p.outs {
		if err := o.eval(p); err != nil {
			return err
		}
	}
	return nil
}

func init() {
	utc := &kernel.Session{Zone: time.UTC, ZoneName: "UTC", Ansi: true}
	function.Evaluate = func(e expr.Expr) (any, error) { return Value(e, utc) }
}

// Value evaluates an expression without columns.
func Value(e expr.Expr, s *kernel.Session) (any, error) {
	if l, ok := e.(*expr.Literal); ok {
		return l.Value, nil
	}
	p, err := Compile([]expr.Expr{e}, nil, s, Options{})
	if err != nil {
		return nil, err
	}
	if err := p.run(nil, 1); err != nil {
		return nil, err
	}
	return p.outs[0].vec.ValueAt(0), nil
}

// NewAgg makes the empty state of an aggregate call. Its Distinct, Filter and Order parts are the caller's business: Update gets
// the rows that count.
func NewAgg(a *expr.Agg) (kernel.Agg, error) {
	r, err := aggRow(a)
	if err != nil {
		return nil, err
	}
	return r.NewAgg(a)
}

// StateTypes are the types of the columns of an aggregate's partial state.
func StateTypes(a *expr.Agg) ([]types.Type, error) {
	r, err := aggRow(a)
	if err != nil {
		return nil, err
	}
	return r.StateTypes(a), nil
}

func aggRow(a *expr.Agg) (*function.Row, error) {
	r, ok := function.Lookup(a.Name)
	if !ok || r.NewAgg == nil {
		return nil, function.At(sparkerr.Unsupported("aggregate function "+a.Name), a.At)
	}
	return r, nil
}
