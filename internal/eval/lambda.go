package eval

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// lambda is the compiled body of an anonymous function: a program over the outer columns and, after them, its parameters.
type lambda struct {
	p       *Program
	outer   []int // outer columns that the body uses
	width   int   // number of outer columns
	params  int
	in      []columnar.Vector
	scratch kernel.Scratch
}

// higherOrder compiles a call with lambda arguments.
func (c *compiler) higherOrder(row *function.Row, x *expr.Call) (*node, error) {
	if row == nil || row.HigherOrder == nil {
		return nil, function.At(sparkerr.Unsupported("function "+x.Name), x.At)
	}
	f, err := row.HigherOrder(x)
	if err != nil {
		return nil, function.At(err, x.At)
	}
	n := &node{kind: lazyNode, at: x.At}
	var bodies []*lambda
	for _, a := range x.Args {
		l, ok := a.(*expr.Lambda)
		if !ok {
			arg, err := c.node(a)
			if err != nil {
				return nil, err
			}
			n.args = append(n.args, arg)
			continue
		}
		body, err := c.lambda(l)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
		n.branches = append(n.branches, &branch{p: body.p, cols: body.outer})
	}
	n.lazy = higherOrderRun(f, bodies, row.NullIn)
	return n, nil
}

func (c *compiler) lambda(l *expr.Lambda) (*lambda, error) {
	width := 0
	ids := make(map[expr.ID]int, len(c.ids)+len(l.Params))
	for id, i := range c.ids {
		ids[id] = i
		width = max(width, i+1)
	}
	for i, p := range l.Params {
		ids[p.ID] = width + i
	}
	p, err := compile([]expr.Expr{l.Body}, ids, c.env)
	if err != nil {
		return nil, err
	}
	out := &lambda{p: p, width: width, params: len(l.Params)}
	seen := map[int]bool{}
	for _, n := range p.allNodes() {
		if n.kind == inputNode && n.col < width && !seen[n.col] {
			seen[n.col] = true
			out.outer = append(out.outer, n.col)
		}
	}
	out.in = make([]columnar.Vector, width+len(l.Params))
	return out, nil
}

// apply runs the body over elements.
func (l *lambda) apply(p *Program, params []columnar.Vector, rows []uint32, n int) (columnar.Vector, error) {
	l.scratch.Reset()
	for _, c := range l.outer {
		if rows == nil {
			l.in[c] = p.in.Cols[c]
		} else {
			l.in[c] = l.scratch.Gather(&p.in.Cols[c], rows[:n])
		}
	}
	copy(l.in[l.width:], params[:min(l.params, len(params))])
	if err := l.p.run(l.in, n); err != nil {
		return columnar.Vector{}, err
	}
	return l.p.outs[0].vec, nil
}

func higherOrderRun(f kernel.HigherOrder, bodies []*lambda, nullIn bool) func(p *Program, n *node) (columnar.Vector, error) {
	applies := make([]kernel.Apply, len(bodies))
	return func(p *Program, n *node) (columnar.Vector, error) {
		n.argv = n.argv[:0]
		for _, a := range n.args {
			if err := a.eval(p); err != nil {
				return columnar.Vector{}, err
			}
			v := a.vec
			if v.Form != columnar.Flat {
				v = n.scratch.Flatten(&v)
			}
			n.argv = append(n.argv, v)
		}
		for i, b := range bodies {
			applies[i] = func(params []columnar.Vector, rows []uint32, k int) (columnar.Vector, error) {
				return b.apply(p, params, rows, k)
			}
		}
		n.ctx.Scratch, n.ctx.Valid = &n.result, nil
		if nullIn {
			n.ctx.Valid = n.combine(p.n)
		}
		v, err := f(&n.ctx, n.argv, applies, p.n)
		if err == nil && nullIn && n.ctx.Valid != nil {
			v.Valid = columnar.And(n.scratch.RawBits(p.n), v.Valid, n.ctx.Valid, p.n)
		}
		return v, err
	}
}
