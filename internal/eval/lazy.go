package eval

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
)

// lazyForms build the nodes of functions that do not evaluate all their arguments for all rows.
var lazyForms map[string]func(c *compiler, x *expr.Call) (*node, error)

func init() { // the forms refer to the compiler, which refers to the forms
	lazyForms = map[string]func(c *compiler, x *expr.Call) (*node, error){
		"and": buildAnd, "or": buildOr, "if": buildWhen, "when": buildWhen, "coalesce": buildCoalesce,
		"isnull": buildNullTest, "isnotnull": buildNullTest,
	}
}

// branch is a sub-expression that is evaluated for chosen rows: in the same program when it cannot fail (direct), else as a program
// over the columns it needs.
type branch struct {
	direct  *node
	p       *Program
	cols    []int // input columns it uses
	in      []columnar.Vector
	scratch kernel.Scratch
}

// branch compiles e as a branch.
func (c *compiler) branch(e expr.Expr) (*branch, error) {
	if c.env.isSafe(e) {
		n, err := c.node(e)
		return &branch{direct: n}, err
	}
	return c.subProgram(e)
}

func (c *compiler) subProgram(e expr.Expr) (*branch, error) {
	p, err := compile([]expr.Expr{e}, c.ids, c.env)
	if err != nil {
		return nil, err
	}
	b := &branch{p: p}
	seen := map[int]bool{}
	for _, n := range p.allNodes() {
		if n.kind == inputNode && !seen[n.col] {
			seen[n.col] = true
			b.cols = append(b.cols, n.col)
		}
	}
	return b, nil
}

// allNodes are the program's nodes and those of the programs inside them.
func (p *Program) allNodes() []*node {
	out := p.nodes
	for _, n := range p.nodes {
		for _, b := range n.branches {
			if b.p == nil {
				continue
			}
			for _, c := range b.cols {
				out = append(out[:len(out):len(out)], &node{kind: inputNode, col: c})
			}
		}
	}
	return out
}

// run evaluates the branch for the rows of sel (all when len(sel) is the number of rows). dense: the vector has all rows.
func (b *branch) run(p *Program, sel []uint32) (v *columnar.Vector, dense bool, err error) {
	if b.direct != nil {
		err := b.direct.eval(p)
		return &b.direct.vec, true, err
	}
	b.p.base = p.base
	if len(sel) == p.n {
		err := b.p.run(p.in.Cols, p.n)
		return &b.p.outs[0].vec, true, err
	}
	b.scratch.Reset()
	if cap(b.in) < len(p.in.Cols) {
		b.in = make([]columnar.Vector, len(p.in.Cols))
	}
	b.in = b.in[:len(p.in.Cols)]
	for _, c := range b.cols {
		b.in[c] = b.scratch.Gather(&p.in.Cols[c], sel)
	}
	err = b.p.run(b.in, len(sel))
	return &b.p.outs[0].vec, false, err
}

// part is the branch's contribution for the rows of sel.
func (b *branch) part(p *Program, sel []uint32) (kernel.Part, error) {
	v, dense, err := b.run(p, sel)
	return kernel.Part{Vec: v, Rows: sel, Dense: dense}, err
}

// isTrue splits rows by a condition: those where it is true, and the others. sel lists the rows asked for.
func (b *branch) isTrue(p *Program, n *node, sel []uint32) (yes, no []uint32, err error) {
	v, dense, err := b.run(p, sel)
	if err != nil {
		return nil, nil, err
	}
	yes, no = n.scratch.IDs(len(sel)), n.scratch.IDs(len(sel))
	if dense && len(sel) != p.n {
		g := n.scratch.Gather(v, sel)
		v = &g
	}
	yes = kernel.SelectTrue(&n.ctx, v, len(sel), sel, yes, false)
	no = kernel.SelectTrue(&n.ctx, v, len(sel), sel, no, true)
	return yes, no, nil
}

func (n *node) allRows(rows int) []uint32 {
	sel := n.scratch.IDs(rows)
	for i := range sel {
		sel[i] = uint32(i)
	}
	return sel
}

func (c *compiler) lazyNode(args []expr.Expr, f func(p *Program, n *node) (columnar.Vector, error)) (*node, error) {
	n := &node{kind: lazyNode, lazy: f}
	for _, a := range args {
		b, err := c.branch(a)
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, b)
	}
	return n, nil
}

// buildWhen serves CASE (condition, value pairs, then an optional else) and IF.
func buildWhen(c *compiler, x *expr.Call) (*node, error) {
	return c.lazyNode(x.Args, runWhen)
}

func runWhen(p *Program, n *node) (columnar.Vector, error) {
	n.ctx.Scratch = &n.result
	b := n.branches
	if len(b) == 3 && b[0].direct != nil && b[1].direct != nil && b[2].direct != nil {
		if v, ok, err := blend(p, n); ok || err != nil {
			return v, err
		}
	}
	rest := n.allRows(p.n)
	parts := make([]kernel.Part, 0, 8)
	for ; len(b) >= 2 && len(rest) > 0; b = b[2:] {
		yes, no, err := b[0].isTrue(p, n, rest)
		if err != nil {
			return columnar.Vector{}, err
		}
		if len(yes) > 0 {
			part, err := b[1].part(p, yes)
			if err != nil {
				return columnar.Vector{}, err
			}
			parts = append(parts, part)
		}
		rest = no
	}
	if len(b)%2 == 1 && len(rest) > 0 {
		part, err := b[len(b)-1].part(p, rest)
		if err != nil {
			return columnar.Vector{}, err
		}
		parts = append(parts, part)
	}
	return kernel.Merge(&n.ctx, n.t, parts, p.n), nil
}

// blend computes both sides for all rows and chooses: neither can fail.
func blend(p *Program, n *node) (v columnar.Vector, ok bool, err error) {
	for _, b := range n.branches {
		if err := b.direct.eval(p); err != nil {
			return v, false, err
		}
	}
	b := n.branches
	v, ok = kernel.Blend(&n.ctx, &b[0].direct.vec, &b[1].direct.vec, &b[2].direct.vec, p.n)
	return v, ok, nil
}

func buildCoalesce(c *compiler, x *expr.Call) (*node, error) {
	return c.lazyNode(x.Args, runCoalesce)
}

// runCoalesce takes from each argument the rows that the earlier ones left null.
func runCoalesce(p *Program, n *node) (columnar.Vector, error) {
	n.ctx.Scratch = &n.result
	rest := n.allRows(p.n)
	parts := make([]kernel.Part, 0, 8)
	for _, b := range n.branches {
		if len(rest) == 0 {
			break
		}
		part, err := b.part(p, rest)
		if err != nil {
			return columnar.Vector{}, err
		}
		v := part.Vec
		if !v.MayHaveNulls() || v.Form == columnar.Const && !v.Null(0) {
			parts = append(parts, part)
			break
		}
		yes, no := n.scratch.IDs(len(rest))[:0], n.scratch.IDs(len(rest))[:0]
		for i, r := range rest {
			at := i
			if part.Dense {
				at = int(r)
			}
			if v.Null(at) {
				no = append(no, r)
			} else {
				yes = append(yes, r)
			}
		}
		if len(yes) > 0 {
			if !part.Dense && len(yes) < len(rest) {
				// keep positions: mark the null rows by the validity that the part carries
				yes = rest
			}
			part.Rows = yes
			parts = append(parts, part)
		}
		rest = no
	}
	return mergeOver(n, parts, p.n), nil
}

// mergeOver merges parts of which a later one may fill again rows that an earlier one left null.
func mergeOver(n *node, parts []kernel.Part, rows int) columnar.Vector {
	if len(parts) == 0 {
		return columnar.NewConst(n.t, nil, rows)
	}
	return kernel.Merge(&n.ctx, n.t, parts, rows)
}

// and, or: the right side is not evaluated where the left side decides.
func buildAnd(c *compiler, x *expr.Call) (*node, error) { return c.lazyNode(x.Args, runAnd) }
func buildOr(c *compiler, x *expr.Call) (*node, error)  { return c.lazyNode(x.Args, runOr) }

func runAnd(p *Program, n *node) (columnar.Vector, error) { return runLogic(p, n, true) }
func runOr(p *Program, n *node) (columnar.Vector, error)  { return runLogic(p, n, false) }

func runLogic(p *Program, n *node, and bool) (columnar.Vector, error) {
	n.ctx.Scratch = &n.result
	left, right := n.branches[0], n.branches[1]
	all := n.allRows(p.n)
	a, _, err := left.run(p, all)
	if err != nil {
		return columnar.Vector{}, err
	}
	if right.direct != nil {
		b, _, err := right.run(p, all)
		if err != nil {
			return columnar.Vector{}, err
		}
		return logic(n, a, b, p.n, and), nil
	}
	open := n.undecided(a, p.n, and)
	if len(open) == 0 {
		return *a, nil
	}
	part, err := right.part(p, open)
	if err != nil {
		return columnar.Vector{}, err
	}
	if len(open) == p.n {
		return logic(n, a, part.Vec, p.n, and), nil
	}
	neutral := n.boolConst(and, p.n)
	closed := kernel.Part{Vec: &neutral, Rows: n.decided(a, p.n, and), Dense: true}
	b := kernel.Merge(&n.ctx, n.t, []kernel.Part{closed, part}, p.n)
	return logic(n, a, &b, p.n, and), nil
}

func logic(n *node, a, b *columnar.Vector, rows int, and bool) columnar.Vector {
	if a.Form == columnar.Const && b.Form == columnar.Const {
		x, y := *a, *b
		x.Form, x.N, y.Form, y.N = columnar.Flat, 1, columnar.Flat, 1
		v := logic(n, &x, &y, 1, and)
		v.Form, v.N = columnar.Const, rows
		return v
	}
	if and {
		return kernel.And(&n.ctx, a, b, rows)
	}
	return kernel.Or(&n.ctx, a, b, rows)
}

func (n *node) boolConst(v bool, rows int) columnar.Vector {
	data := n.result.Bytes(columnar.Bool8, 1)
	data[0] = 0
	if v {
		data[0] = 1
	}
	return columnar.Vector{Type: n.t, Form: columnar.Const, N: rows, Data: data}
}

// undecided are the rows whose left side is null or the neutral value; decided the others.
func (n *node) undecided(a *columnar.Vector, rows int, and bool) []uint32 {
	return n.pick(a, rows, and, false)
}
func (n *node) decided(a *columnar.Vector, rows int, and bool) []uint32 {
	return n.pick(a, rows, and, true)
}

func (n *node) pick(a *columnar.Vector, rows int, and, decided bool) []uint32 {
	out := n.scratch.IDs(rows)
	f := n.scratch.Flatten(a)
	stop := byte(1)
	if and {
		stop = 0
	}
	k := 0
	for i, b := range f.Data[:rows] {
		is := b == stop && (f.Valid == nil || f.Valid.Get(i))
		out[k] = uint32(i)
		if is == decided {
			k++
		}
	}
	return out[:k]
}

// buildNullTest looks at validity only; null values do not matter, errors of the argument do.
func buildNullTest(c *compiler, x *expr.Call) (*node, error) {
	arg, err := c.node(x.Args[0])
	if err != nil {
		return nil, err
	}
	not := x.Name == "isnotnull"
	return &node{kind: lazyNode, args: []*node{arg}, lazy: func(p *Program, n *node) (columnar.Vector, error) {
		if err := arg.eval(p); err != nil {
			return columnar.Vector{}, err
		}
		n.ctx.Scratch = &n.result
		return kernel.NullTest(&n.ctx, &arg.vec, p.n, not), nil
	}}, nil
}

// replacement compiles what a call stands for.
func (c *compiler) replacement(row *function.Row, x *expr.Call) (*node, error) {
	e, err := replaced(row, x, c.env.session)
	if err != nil {
		return nil, err
	}
	n, err := c.node(e)
	if err != nil {
		return nil, err
	}
	return &node{kind: lazyNode, args: []*node{n}, lazy: sameValue}, nil
}

// replaced is the expression that a call stands for.
func replaced(row *function.Row, x *expr.Call, s *kernel.Session) (expr.Expr, error) {
	return row.Replace(&function.BindEnv{Session: s, Fold: func(e expr.Expr) (any, error) { return Value(e, s) }}, x.Args)
}
