package logical

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
)

// Canonical is a text that two resolved plans share if they compute the same rows by the same operators: column ids are
// numbered in the order of their appearance, names do not count.
func Canonical(p Plan) string {
	c := &canonizer{ids: map[expr.ID]int{}}
	c.plan(p)
	return c.b.String()
}

// Hash is a number of Canonical, for clients that compare plans.
func Hash(p Plan) int32 {
	h := fnv.New32a()
	h.Write([]byte(Canonical(p)))
	return int32(h.Sum32())
}

type canonizer struct {
	b   strings.Builder
	ids map[expr.ID]int
}

func (c *canonizer) id(id expr.ID) int {
	n, ok := c.ids[id]
	if !ok {
		n = len(c.ids)
		c.ids[id] = n
	}
	return n
}

func (c *canonizer) plan(p Plan) {
	switch n := p.(type) {
	case *SubqueryAlias:
		c.plan(n.Child)
		return
	case *PlanID:
		c.plan(n.Child)
		return
	}
	fmt.Fprintf(&c.b, "%T", p)
	c.details(p)
	c.b.WriteByte('{')
	for _, k := range p.Children() {
		c.plan(k)
	}
	for _, o := range p.Output() {
		c.id(o.ID)
	}
	for _, e := range p.Exprs() {
		c.expr(e)
	}
	c.b.WriteByte('}')
}

// details are what tells nodes of one kind apart besides expressions and children.
func (c *canonizer) details(p Plan) {
	switch n := p.(type) {
	case *Relation:
		fmt.Fprintf(&c.b, " %v %v %s %v %v", n.Table.Name, n.Table.Paths, n.Table.Provider, n.Table.Options, columnNames(n.Out))
	case *LocalRelation:
		for _, b := range n.Batches {
			fmt.Fprintf(&c.b, " %p", b)
		}
	case *Range:
		fmt.Fprintf(&c.b, " %d %d %d %d", n.Start, n.End, n.Step, n.Partitions)
	case *Join:
		fmt.Fprintf(&c.b, " %d %s %s", n.Kind, n.Hint.Left, n.Hint.Right)
	case *SetOp:
		fmt.Fprintf(&c.b, " %d %v", n.Kind, n.All)
	case *Sort:
		fmt.Fprintf(&c.b, " %v", n.Global)
		for _, o := range n.Order {
			fmt.Fprintf(&c.b, " %v %v", o.Desc, o.NullsFirst)
		}
	case *Sample:
		fmt.Fprintf(&c.b, " %v %v %v %d", n.Lower, n.Upper, n.WithReplacement, n.Seed)
	case *Repartition:
		fmt.Fprintf(&c.b, " %d %v %v", n.N, n.Shuffle, n.Range)
	case *Generate:
		fmt.Fprintf(&c.b, " %v", n.Outer)
	case *CachedRelation:
		c.b.WriteString(" " + n.Key)
	case *CTERef:
		fmt.Fprintf(&c.b, " %d", n.ID)
	}
}

func columnNames(cols []*expr.Column) []string {
	names := make([]string, len(cols))
	for i, col := range cols {
		names[i] = col.Name
	}
	return names
}

// expr writes an expression with numbered columns; a subquery is written as its plan.
func (c *canonizer) expr(e expr.Expr) {
	switch x := e.(type) {
	case *expr.Column:
		fmt.Fprintf(&c.b, "#%d,", c.id(x.ID))
		return
	case *expr.OuterRef:
		fmt.Fprintf(&c.b, "outer%d,", c.id(x.Col.ID))
		return
	case *expr.LambdaVar:
		fmt.Fprintf(&c.b, "λ%d,", c.id(x.ID))
		return
	case *expr.Alias:
		c.id(x.ID)
		c.expr(x.Child)
		return
	case *expr.Subquery:
		c.plan(x.Plan.(Plan))
	}
	kids := e.Children()
	if len(kids) == 0 {
		c.b.WriteString(expr.Fingerprint(e) + ",")
		return
	}
	c.b.WriteString(expr.Head(e) + "(")
	for _, k := range kids {
		c.expr(k)
	}
	c.b.WriteString("),")
}
