package eval

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

type compiler struct {
	env   *env
	p     *Program
	ids   map[expr.ID]int
	known map[int]*node
}

// node compiles e, or finds the node of an equal expression.
func (c *compiler) node(e expr.Expr) (*node, error) {
	if a, ok := e.(*expr.Alias); ok {
		return c.node(a.Child)
	}
	same := c.env.sameness(e)
	if same.shared {
		if n, ok := c.known[same.class]; ok {
			return n, nil
		}
	}
	n, err := c.build(e)
	if err != nil {
		return nil, err
	}
	n.t = e.Type()
	n.ctx.Session, n.ctx.Partition, n.ctx.Heap = c.env.session, c.env.options.Partition, c.env.options.Heap
	if same.shared {
		c.known[same.class] = n
	}
	c.p.nodes = append(c.p.nodes, n)
	return n, nil
}

func (c *compiler) build(e expr.Expr) (*node, error) {
	switch x := e.(type) {
	case *expr.Literal:
		return &node{kind: constNode, value: columnar.NewConst(x.T, x.Value, 1)}, nil
	case *expr.Column:
		return c.input(x.ID, x.Name)
	case *expr.LambdaVar:
		return c.input(x.ID, x.Name)
	case *expr.SortOrder:
		return c.build(x.Child)
	case *expr.Cast:
		return c.cast(x)
	case *expr.Call:
		return c.call(x)
	case *expr.Subquery:
		return c.subquery(x)
	}
	return nil, sparkerr.Internal("eval: %T cannot be evaluated: %s", e, e.SQL())
}

func (c *compiler) input(id expr.ID, name string) (*node, error) {
	i, ok := c.ids[id]
	if !ok {
		return nil, sparkerr.Internal("eval: column %s#%d is not among the input columns", name, id)
	}
	return &node{kind: inputNode, col: i}, nil
}

func (c *compiler) subquery(x *expr.Subquery) (*node, error) {
	if x.Kind != expr.ScalarSubquery || c.env.options.Subquery == nil {
		return nil, sparkerr.Internal("eval: a subquery was left in an expression: %s", x.SQL())
	}
	v, err := c.env.options.Subquery(x)
	if err != nil {
		return nil, err
	}
	return &node{kind: constNode, value: columnar.NewConst(x.T, v, 1)}, nil
}

func (c *compiler) cast(x *expr.Cast) (*node, error) {
	child, err := c.node(x.Child)
	if err != nil {
		return nil, err
	}
	if x.Child.Type().SameType(x.To) {
		return &node{kind: lazyNode, args: []*node{child}, lazy: sameValue}, nil
	}
	f, err := kernel.Cast(x.Child.Type(), x.To, function.Mode(x.Mode))
	if err != nil {
		return nil, function.At(err, x.At)
	}
	at := x.At
	return c.finish(&node{kind: callNode, args: []*node{child}, fn: f, nullIn: true, pure: true, at: at}), nil
}

// sameValue passes the argument on: casts that change nothing but the type's name.
func sameValue(p *Program, n *node) (columnar.Vector, error) {
	err := n.args[0].eval(p)
	return n.args[0].vec, err
}

// finish notes whether a node is built of constants only.
func (c *compiler) finish(n *node) *node {
	n.stable = n.pure
	for _, a := range n.args {
		n.stable = n.stable && (a.kind == constNode || a.stable)
	}
	return n
}

func (c *compiler) call(x *expr.Call) (*node, error) {
	row, ok := function.Lookup(x.Name)
	if !ok && c.env.options.External == nil {
		return nil, function.At(sparkerr.Unsupported("function "+x.Name), x.At)
	}
	if ok {
		if build, lazy := lazyForms[row.Name]; lazy {
			n, err := build(c, x)
			if n != nil {
				n.at = x.At
			}
			return n, err
		}
	}
	if ok && row.Replace != nil {
		return c.replacement(row, x)
	}
	for _, a := range x.Args {
		if _, lambda := a.(*expr.Lambda); lambda {
			return c.higherOrder(row, x)
		}
	}
	f, err := c.kernel(row, x)
	if err != nil {
		return nil, function.At(err, x.At)
	}
	n := &node{kind: callNode, fn: f, at: x.At}
	if ok {
		n.nullIn, n.pure = row.NullIn, !row.NonDeterministic
	}
	for _, a := range x.Args {
		arg, err := c.node(a)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
	}
	return c.finish(n), nil
}

func (c *compiler) kernel(row *function.Row, x *expr.Call) (kernel.Func, error) {
	if c.env.options.External != nil {
		if f, err := c.env.options.External(x); f != nil || err != nil {
			return f, err
		}
	}
	if row == nil || row.Kernel == nil {
		return nil, sparkerr.Unsupported("function " + x.Name)
	}
	f, err := row.Kernel(x)
	if err == nil && f == nil {
		err = sparkerr.Unsupported("function " + x.SQL())
	}
	return f, err
}
