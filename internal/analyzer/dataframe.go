package analyzer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// dfNode is a resolved DataFrame node of the client: its id, its columns, and the DataFrame nodes below.
type dfNode struct {
	id       int64
	cols     []*expr.Column
	children []*dfNode
}

// planID resolves a node that the client may refer to by its id.
func (r *resolver) planID(p *logical.PlanID) (rel, error) {
	old := r.frames
	r.frames = nil
	x, err := r.plan(p.Child)
	if err != nil {
		return rel{}, err
	}
	r.frames = append(old[:len(old):len(old)], &dfNode{id: p.ID, cols: x.out, children: r.frames})
	return x, nil
}

// candidate is a column that a reference by plan id may mean, and how deep below it was found.
type candidate struct {
	e     expr.Expr
	depth int
}

// dataFrameColumn resolves df["name"]: the column of the node with that id, if it still comes up to here.
func (r *resolver) dataFrameColumn(a *expr.Attribute, s *scope) (expr.Expr, error) {
	e, matched, err := r.byPlanID(a, s)
	if err != nil || e != nil {
		return e, err
	}
	if s.below != nil {
		if e, m, err := r.byPlanID(a, &scope{cols: s.below.cols, df: append(s.df, s.below.df...)}); e != nil || err != nil {
			return e, err
		} else if m {
			matched = true
		}
	}
	for f := r.frame; f != nil && !matched; f = f.parent {
		e, m, err := r.byPlanID(a, f.scope)
		if err != nil {
			return nil, err
		}
		if e != nil {
			return r.outerOf(e, f), nil
		}
		matched = m
	}
	if !matched && len(s.df) == 0 {
		b := *a
		b.PlanID = 0
		return r.attribute(&b, s)
	}
	if matched {
		if err := r.missingInDataFrame(a, s); err != nil {
			return nil, err
		}
	}
	return nil, fail(a.At, "CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", sqlID(a.Name...))
}

// missingInDataFrame is the error when the DataFrame itself has no such column.
func (r *resolver) missingInDataFrame(a *expr.Attribute, s *scope) error {
	for _, n := range findNodes(s.df, a.PlanID) {
		e, err := r.lookup(&scope{cols: n.cols}, a.Name, a.At)
		if err != nil {
			return err
		}
		if e == nil {
			return unresolvedColumn(a.At, a.Name, &scope{cols: n.cols})
		}
	}
	return nil
}

func findNodes(list []*dfNode, id int64) []*dfNode {
	var out []*dfNode
	for _, n := range list {
		if n.id == id {
			out = append(out, n)
			continue
		}
		out = append(out, findNodes(n.children, id)...)
	}
	return out
}

func (r *resolver) byPlanID(a *expr.Attribute, s *scope) (expr.Expr, bool, error) {
	found, matched, err := r.search(s.df, a, s.cols, 0)
	if err != nil || len(found) == 0 {
		return nil, matched, err
	}
	best := found[:0:0]
	for _, c := range found {
		switch {
		case len(best) == 0 || c.depth < best[0].depth:
			best = append(best[:0], c)
		case c.depth == best[0].depth:
			best = append(best, c)
		}
	}
	if len(best) > 1 {
		return nil, true, sparkerr.New("AMBIGUOUS_COLUMN_REFERENCE", "name", sqlID(a.Name...)).At(place(a.At))
	}
	return current(best[0].e, s.cols), true, nil
}

// current gives a column the nullability and the like that it has here.
func current(e expr.Expr, cols []*expr.Column) expr.Expr {
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok {
			return x
		}
		for _, d := range cols {
			if d.ID == c.ID {
				q := *d
				q.Name = c.Name
				return &q
			}
		}
		return x
	})
}

// search finds the nodes with the id among a list of nodes and below, and resolves the name in each. A column counts only if
// every node on the way up passes it on.
func (r *resolver) search(list []*dfNode, a *expr.Attribute, up []*expr.Column, depth int) (found []candidate, matched bool, err error) {
	for _, n := range list {
		var here []candidate
		m := n.id == a.PlanID
		if m {
			e, err := r.lookup(&scope{cols: n.cols}, a.Name, a.At)
			if err != nil {
				return nil, true, err
			}
			if e != nil {
				here = []candidate{{e, depth}}
			}
		} else if here, m, err = r.search(n.children, a, n.cols, depth+1); err != nil {
			return nil, true, err
		}
		matched = matched || m
		for _, c := range here {
			if coveredBy(c.e, up) {
				found = append(found, c)
			}
		}
	}
	return found, matched, nil
}

// dataFrameColumns are the columns of df["*"]: those of the node that come up to here.
func (r *resolver) dataFrameColumns(id int64, s *scope) ([]*expr.Column, error) {
	nodes := findNodes(s.df, id)
	if len(nodes) == 0 {
		return nil, fail(nil, "CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", "`*`")
	}
	var out []*expr.Column
	for _, c := range nodes[0].cols {
		if !contains(s.cols, c.ID) {
			return nil, fail(nil, "CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", "`*`")
		}
		out = append(out, c)
	}
	return out, nil
}

// outerOf makes outer references of the columns of e, which belong to the scope of f.
func (r *resolver) outerOf(e expr.Expr, f *frame) expr.Expr {
	r.flags |= hasOuter
	r.outerUses++
	return expr.Up(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok {
			return x
		}
		for g := r.frame; ; g = g.parent {
			if !contains(g.used, c.ID) {
				g.used = append(g.used, c)
			}
			if g == f {
				break
			}
		}
		return &expr.OuterRef{Col: c}
	})
}

// withRelations resolves its child with plans by id for subquery expressions, and by name for relations.
func (r *resolver) withRelations(p *logical.WithRelations) (rel, error) {
	refs, views := r.refs, r.views
	r.refs, r.views = map[int64]logical.Plan{}, map[string]logical.Plan{}
	for k, v := range refs {
		r.refs[k] = v
	}
	for k, v := range views {
		r.views[k] = v
	}
	for _, ref := range p.References {
		r.addReference(ref)
	}
	x, err := r.plan(p.Child)
	if err == nil {
		x, err = r.close(x)
	}
	r.refs, r.views = refs, views
	return x, err
}

func (r *resolver) addReference(ref logical.Plan) {
	switch x := ref.(type) {
	case *logical.PlanID:
		r.refs[x.ID] = ref
		r.addReference(x.Child)
	case *logical.SubqueryAlias:
		r.views[lower(x.Name[len(x.Name)-1])] = x.Child
	}
}
