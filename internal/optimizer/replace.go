package optimizer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// replaceOperators expresses set operations and duplicate removal by unions, joins and aggregates.
func replaceOperators(c *Context, p logical.Plan) (logical.Plan, error) {
	return each(func(n logical.Plan) logical.Plan {
		switch x := n.(type) {
		case *logical.Distinct:
			return distinct(x.Child)
		case *logical.Deduplicate:
			return deduplicate(x)
		case *logical.SetOp:
			return replaceSetOp(x)
		case *logical.Aggregate:
			return computeKeys(dropConstantKeys(x))
		}
		return n
	})(c, p)
}

func distinct(p logical.Plan) logical.Plan {
	cols := columns(p.Output())
	return &logical.Aggregate{Group: cols, List: cols, Child: p}
}

// deduplicate keeps the first row of each key: the other columns by first().
func deduplicate(d *logical.Deduplicate) logical.Plan {
	out := d.Child.Output()
	key := map[expr.ID]bool{}
	group := d.Keys
	if d.AllColumns {
		group = columns(out)
	}
	for _, k := range group {
		if c, ok := k.(*expr.Column); ok {
			key[c.ID] = true
		}
	}
	list := make([]expr.Expr, len(out))
	for i, c := range out {
		list[i] = c
		if !key[c.ID] {
			first := &expr.Agg{Name: "first", Args: []expr.Expr{c}, T: c.T, Null: c.Null}
			list[i] = &expr.Alias{Child: first, Name: c.Name, ID: c.ID, Qualifier: c.Qualifier, Metadata: c.Metadata}
		}
	}
	return &logical.Aggregate{Group: group, List: list, Child: d.Child}
}

// dropConstantKeys groups by columns only; a grouping by constants alone stays, for it gives no row for no input.
func dropConstantKeys(a *logical.Aggregate) *logical.Aggregate {
	var keep []expr.Expr
	for _, g := range a.Group {
		if _, ok := g.(*expr.Literal); !ok {
			keep = append(keep, g)
		}
	}
	if len(keep) == len(a.Group) || len(keep) == 0 {
		return a
	}
	q := *a
	q.Group = keep
	return &q
}

// computeKeys computes keys below the aggregate that items of its list compute with: the rules could write the two differently.
func computeKeys(a *logical.Aggregate) logical.Plan {
	keys := map[string]expr.Expr{}
	for _, g := range a.Group {
		switch g.(type) {
		case *expr.Column, *expr.Literal:
		default:
			keys[expr.Fingerprint(g)] = g
		}
	}
	if len(keys) == 0 || !usesKeys(a.List, keys) {
		return a
	}
	q := *a
	q.Group = make([]expr.Expr, len(a.Group))
	below := columns(a.Child.Output())
	made := map[string]*expr.Column{}
	for i, g := range a.Group {
		f := expr.Fingerprint(g)
		switch {
		case keys[f] == nil:
			q.Group[i] = g
			continue
		case made[f] == nil:
			alias := expr.NewAlias(g, g.SQL())
			below, made[f] = append(below, alias), alias.Column()
		}
		q.Group[i] = made[f]
	}
	q.List = make([]expr.Expr, len(a.List))
	for i, e := range a.List {
		q.List[i] = readKeys(e, made)
	}
	q.Child = &logical.Project{List: below, Child: a.Child}
	return &q
}

// usesKeys says whether a key stands inside of an item, outside of aggregate functions.
func usesKeys(list []expr.Expr, keys map[string]expr.Expr) bool {
	var inside func(e expr.Expr, deep bool) bool
	inside = func(e expr.Expr, deep bool) bool {
		switch x := e.(type) {
		case *expr.Agg, *expr.Column, *expr.Literal:
			return false
		case *expr.Alias:
			return inside(x.Child, deep)
		}
		if keys[expr.Fingerprint(e)] != nil {
			return deep
		}
		for _, c := range e.Children() {
			if inside(c, true) {
				return true
			}
		}
		return false
	}
	for _, e := range list {
		if inside(e, false) {
			return true
		}
	}
	return false
}

func readKeys(e expr.Expr, keys map[string]*expr.Column) expr.Expr {
	switch e.(type) {
	case *expr.Agg, *expr.Column, *expr.Literal:
		return e
	}
	if c := keys[expr.Fingerprint(e)]; c != nil {
		return c
	}
	return expr.MapChildren(e, func(x expr.Expr) expr.Expr { return readKeys(x, keys) })
}

func replaceSetOp(s *logical.SetOp) logical.Plan {
	switch {
	case s.Kind == logical.Union && s.All:
		return flattenUnion(s)
	case s.Kind == logical.Union:
		all := *s
		all.All, all.Inputs = true, make([]logical.Plan, len(s.Inputs))
		for i, in := range s.Inputs {
			all.Inputs[i] = withDuplicates(in)
		}
		return distinct(flattenUnion(&all))
	case s.All:
		return countedSetOp(s)
	}
	kind := logical.SemiJoin
	if s.Kind == logical.Except {
		kind = logical.AntiJoin
	}
	l, r := s.Inputs[0], s.Inputs[1]
	j := &logical.Join{Left: l, Right: r, Kind: kind, Cond: sameRows(l.Output(), r.Output())}
	return renamed(distinct(j), s.Output())
}

// withDuplicates is a plan without the removal of duplicates at its top, for where duplicates are removed all the same.
func withDuplicates(p logical.Plan) logical.Plan {
	a, ok := p.(*logical.Aggregate)
	if !ok || len(a.Group) != len(a.List) {
		return p
	}
	out := a.Child.Output()
	if len(out) != len(a.List) {
		return p
	}
	for i, c := range out {
		if !isColumn(a.Group[i], c.ID) || !isColumn(a.List[i], c.ID) {
			return p
		}
	}
	return a.Child
}

func isColumn(e expr.Expr, id expr.ID) bool {
	c, ok := e.(*expr.Column)
	return ok && c.ID == id
}

// flattenUnion merges nested UNION ALLs.
func flattenUnion(s *logical.SetOp) logical.Plan {
	var inputs []logical.Plan
	for _, in := range s.Inputs {
		if u, ok := in.(*logical.SetOp); ok && u.Kind == logical.Union && u.All {
			inputs = append(inputs, u.Inputs...)
		} else {
			inputs = append(inputs, in)
		}
	}
	q := *s
	q.Inputs, q.Out = inputs, s.Output()
	return &q
}

// sameRows is the null-safe equality of two rows.
func sameRows(a, b []*expr.Column) expr.Expr {
	conds := make([]expr.Expr, len(a))
	for i := range a {
		conds[i] = &expr.Call{Name: "<=>", Args: []expr.Expr{a[i], b[i]}, T: types.Boolean}
	}
	return expr.And(conds...)
}

// renamed gives p's columns the ids of out.
func renamed(p logical.Plan, out []*expr.Column) logical.Plan {
	in := p.Output()
	list := make([]expr.Expr, len(in))
	same := true
	for i, c := range in {
		list[i] = c
		if c.ID != out[i].ID {
			same = false
			list[i] = &expr.Alias{Child: c, Name: out[i].Name, ID: out[i].ID, Qualifier: out[i].Qualifier, Metadata: out[i].Metadata}
		}
	}
	if same {
		return p
	}
	return &logical.Project{List: list, Child: p}
}

// countedSetOp does INTERSECT ALL and EXCEPT ALL: rows of both sides are counted with a sign, and each distinct row comes
// out as often as the counts say, by replicate_rows.
func countedSetOp(s *logical.SetOp) logical.Plan {
	out := s.Output()
	side := func(p logical.Plan, l, r int64) logical.Plan {
		list := columns(p.Output())
		list = append(list, expr.NewAlias(expr.NewLiteral(l, types.Long), "l"), expr.NewAlias(expr.NewLiteral(r, types.Long), "r"))
		return &logical.Project{List: list, Child: p}
	}
	left, right := side(s.Inputs[0], 1, 0), side(s.Inputs[1], 0, 1)
	cols := make([]*expr.Column, len(out)+2)
	for i, c := range left.Output() {
		q := *c
		q.ID = expr.NextID()
		q.Null = q.Null || right.Output()[i].Null
		cols[i] = &q
	}
	u := &logical.SetOp{Kind: logical.Union, All: true, Inputs: []logical.Plan{left, right}, Out: cols}
	keys, n := columns(cols[:len(out)]), len(out)
	sum := func(c *expr.Column) *expr.Alias {
		return expr.NewAlias(&expr.Agg{Name: "sum", Args: []expr.Expr{c}, T: types.Long, Null: true}, c.Name)
	}
	l, r := sum(cols[n]), sum(cols[n+1])
	g := &logical.Aggregate{Group: keys, List: append(append([]expr.Expr(nil), keys...), l, r), Child: u}
	lc, rc := l.Column(), r.Column()
	var times expr.Expr = expr.NewCall("-", types.Long, lc, rc)
	if s.Kind == logical.Intersect {
		times = expr.NewCall("least", types.Long, lc, rc)
	}
	gen := &logical.Generate{Gen: expr.NewCall("replicate_rows", types.Long, times), Child: g,
		Out: []*expr.Column{{ID: expr.NextID(), Name: "n", T: types.Long}}}
	return renamed(&logical.Project{List: keys, Child: gen}, out)
}
