package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// cteDef is a common table expression in scope.
type cteDef struct {
	cte    logical.CTE
	scope  *cteScope // where its query is resolved
	id     int64
	p      logical.Plan
	out    []*expr.Column
	inline bool // put in place at each use: used once, or it refers to outer columns
	placed bool // p is in the plan already
	refs   int
	self   bool // the reference is inside of its own recursive step
}

type cteScope struct {
	def    *cteDef
	parent *cteScope
	nest   int // how many expressions and definitions it is inside of
}

// findCTE finds what a name means: the innermost definition. With LEGACY precedence those outside of a subquery or another
// definition stand before those inside.
func (r *resolver) findCTE(name string) *cteDef {
	var best *cteScope
	for s := r.ctes; s != nil; s = s.parent {
		if r.same(s.def.cte.Name, name) && (best == nil || s.nest < best.nest) {
			best = s
			if !r.outerCTEsFirst() {
				break
			}
		}
	}
	if best == nil {
		return nil
	}
	return best.def
}

const ctePrecedence = "spark.sql.legacy.ctePrecedencePolicy"

func (r *resolver) outerCTEsFirst() bool { return strings.EqualFold(r.conf(ctePrecedence), "LEGACY") }

// checkHiding refuses a name that hides one of a query around, where the session wants to hear of it.
func (r *resolver) checkHiding(c logical.CTE) error {
	if !strings.EqualFold(r.conf(ctePrecedence), "EXCEPTION") {
		return nil
	}
	for s := r.ctes; s != nil; s = s.parent {
		if s.nest < r.nest && r.same(s.def.cte.Name, c.Name) {
			return fail(c.At, "AMBIGUOUS_ALIAS_IN_NESTED_CTE", "name", sqlID(c.Name), "config", `"`+ctePrecedence+`"`, "docroot", "https://spark.apache.org/docs/latest")
		}
	}
	return nil
}

// with resolves the common table expressions in order, then the query. Those that are used more than once become
// definitions around the query, the others stand in place.
func (r *resolver) with(p *logical.With) (rel, error) {
	old := r.ctes
	defer func() { r.ctes = old }()
	uses := countUses(p)
	var defs []*cteDef
	for i, c := range p.CTEs {
		if err := r.checkHiding(c); err != nil {
			return rel{}, err
		}
		d := &cteDef{cte: c, scope: r.ctes, inline: uses[i] <= 1}
		if err := r.define(d, p.Recursive); err != nil {
			return rel{}, err
		}
		defs = append(defs, d)
		r.ctes = &cteScope{def: d, parent: r.ctes, nest: r.nest}
	}
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	for i := len(defs) - 1; i >= 0; i-- {
		if d := defs[i]; d.refs > 0 {
			x.p = &logical.CTEDef{ID: d.id, Def: d.p, Child: x.p}
		}
	}
	return x, nil
}

// define resolves a common table expression's query.
func (r *resolver) define(d *cteDef, recursive bool) error {
	d.id = int64(expr.NextID())
	old, uses := r.ctes, r.outerUses
	r.ctes = d.scope
	r.nest++
	defer func() { r.ctes, r.nest = old, r.nest-1 }()
	if recursive && mentions(d.cte.Plan, d.cte.Name) {
		return r.recursion(d)
	}
	x, err := r.query(d.cte.Plan)
	if err != nil {
		return err
	}
	if r.outerUses != uses {
		d.inline = true
	}
	return r.setDef(d, x)
}

// setDef gives the query's columns the names of the definition.
func (r *resolver) setDef(d *cteDef, x rel) error {
	names := d.cte.Columns
	if len(names) > 0 && len(names) != len(x.out) {
		return fail(d.cte.At, "ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(x.out)), "numTarget", itoa(len(names)))
	}
	if len(names) > 0 {
		list := make([]expr.Expr, len(x.out))
		for i, c := range x.out {
			list[i] = c
			if c.Name != names[i] {
				list[i] = &expr.Alias{Child: c, Name: names[i], ID: expr.NextID(), Metadata: c.Metadata}
			}
		}
		x = rel{p: &logical.Project{List: list, Child: x.p}, out: outputs(list)}
	}
	d.p, d.out = x.p, x.out
	return nil
}

// useCTE resolves a reference by name.
func (r *resolver) useCTE(d *cteDef, at *expr.Origin) (rel, error) {
	name := []string{d.cte.Name}
	switch {
	case d.self:
		d.refs++
		out := freshColumns(d.out)
		x, err := r.aliased(rel{p: &logical.CTERef{ID: d.id, Out: out, Recursive: true}, out: out}, name, nil)
		return x, err
	case d.inline && !d.placed:
		d.placed = true
		return r.aliased(rel{p: d.p, out: d.out}, name, nil)
	case d.inline:
		return r.again(d, name)
	}
	d.refs++
	out := freshColumns(d.out)
	return r.aliased(rel{p: &logical.CTERef{ID: d.id, Out: out}, out: out}, name, nil)
}

// again puts another copy of a definition in place.
func (r *resolver) again(d *cteDef, name []string) (rel, error) {
	return r.aliased(leaf(refresh(d.p)), name, nil)
}

func freshColumns(cols []*expr.Column) []*expr.Column {
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		q := *c
		q.ID, q.Qualifier = expr.NextID(), nil
		out[i] = &q
	}
	return out
}

// unionOf is the UNION at the top of a recursive definition, with the inner WITHs around it.
func unionOf(p logical.Plan) (u *logical.SetOp, around []*logical.With) {
	for {
		switch x := p.(type) {
		case *logical.SetOp:
			if x.Kind == logical.Union && len(x.Inputs) >= 2 {
				return x, around
			}
			return nil, nil
		case *logical.PlanID:
			p = x.Child
		case *logical.With:
			around = append(around, x)
			p = x.Child
		default:
			return nil, nil
		}
	}
}

// recursion resolves a definition that refers to itself: anchor UNION ALL step, where inner WITHs around the union hold for both.
func (r *resolver) recursion(d *cteDef) error {
	u, around := unionOf(d.cte.Plan)
	if u == nil {
		return fail(d.cte.At, "INVALID_RECURSIVE_CTE")
	}
	var defs []*cteDef
	for _, w := range around {
		for _, c := range w.CTEs {
			if mentions(c.Plan, d.cte.Name) {
				return fail(d.cte.At, "INVALID_RECURSIVE_CTE")
			}
			inner := &cteDef{cte: c, scope: r.ctes}
			if err := r.define(inner, w.Recursive); err != nil {
				return err
			}
			defs = append(defs, inner)
			r.ctes = &cteScope{def: inner, parent: r.ctes, nest: r.nest}
		}
	}
	if err := r.recursive(d, u); err != nil {
		return err
	}
	for i := len(defs) - 1; i >= 0; i-- {
		if in := defs[i]; in.refs > 0 {
			d.p = &logical.CTEDef{ID: in.id, Def: in.p, Child: d.p}
		}
	}
	return nil
}

// recursive resolves anchor and step.
func (r *resolver) recursive(d *cteDef, u *logical.SetOp) error {
	if !u.All {
		return fail(d.cte.At, "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE")
	}
	anchorPlan, stepPlan := u.Inputs[0], u.Inputs[1]
	if len(u.Inputs) > 2 || mentions(anchorPlan, d.cte.Name) {
		return fail(d.cte.At, "INVALID_RECURSIVE_CTE")
	}
	anchor, err := r.query(anchorPlan)
	if err != nil {
		return err
	}
	names := d.cte.Columns
	if len(names) > 0 && len(names) != len(anchor.out) {
		return fail(d.cte.At, "ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(anchor.out)), "numTarget", itoa(len(names)))
	}
	self := &cteDef{cte: d.cte, id: int64(expr.NextID()), self: true, out: make([]*expr.Column, len(anchor.out))}
	for i, c := range anchor.out {
		q := *c
		q.Null = true
		if i < len(names) {
			q.Name = names[i]
		}
		self.out[i] = &q
	}
	r.ctes = &cteScope{def: self, parent: r.ctes, nest: r.nest}
	step, err := r.query(stepPlan)
	if err != nil {
		return err
	}
	if misplaced(step.p, self.id, false) {
		return fail(d.cte.At, "INVALID_RECURSIVE_REFERENCE.PLACE")
	}
	if step, err = r.fitStep(d, anchor, step); err != nil {
		return err
	}
	out := make([]*expr.Column, len(self.out))
	for i, c := range self.out {
		q := *c
		q.ID, q.Qualifier, q.Null = expr.NextID(), nil, anchor.out[i].Null || step.out[i].Null
		out[i] = &q
	}
	d.p = &logical.RecursiveCTE{ID: self.id, Name: d.cte.Name, Anchor: anchor.p, Step: step.p, MaxLevel: d.cte.MaxLevel, UnionAll: u.All, Out: out}
	d.out = out
	return nil
}

// misplaced says whether a step refers to the recursion where it would have to see all of its rows, or none: below an
// aggregate, a window, a sort, or on the side of an outer, semi or anti join that may be padded or is only looked at.
func misplaced(p logical.Plan, id int64, below bool) bool {
	left, right := below, below
	switch x := p.(type) {
	case *logical.CTERef:
		return below && x.Recursive && x.ID == id
	case *logical.Aggregate, *logical.Window, *logical.Sort, *logical.Distinct, *logical.Deduplicate:
		left = true
	case *logical.Join:
		switch x.Kind {
		case logical.InnerJoin, logical.CrossJoin:
		case logical.RightJoin:
			left = true
		case logical.FullJoin:
			left, right = true, true
		default:
			right = true
		}
	}
	for i, c := range p.Children() {
		side := left
		if i > 0 {
			side = right
		}
		if misplaced(c, id, side) {
			return true
		}
	}
	for _, e := range p.Exprs() {
		if expr.Any(e, func(y expr.Expr) bool {
			s, ok := y.(*expr.Subquery)
			return ok && misplaced(s.Plan.(logical.Plan), id, below)
		}) {
			return true
		}
	}
	return false
}

// fitStep casts the step's columns to the anchor's types.
func (r *resolver) fitStep(d *cteDef, anchor, step rel) (rel, error) {
	if len(step.out) != len(anchor.out) {
		return rel{}, fail(d.cte.At, "NUM_COLUMNS_MISMATCH", "operator", "UNION", "firstNumColumns", itoa(len(anchor.out)), "invalidOrdinalNum", "second",
			"invalidNumColumns", itoa(len(step.out)))
	}
	list := make([]expr.Expr, len(step.out))
	changed := false
	for i, c := range step.out {
		want := anchor.out[i].T
		wider, ok := r.common(c.T, want)
		if !ok {
			return rel{}, incompatible("UNION", i, 1, c.T, want, d.cte.At)
		}
		if !wider.SameType(want) {
			return rel{}, fail(d.cte.At, "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "left", sqlType(want), "right", sqlType(c.T))
		}
		list[i] = c
		if e := r.to(c, want); e != expr.Expr(c) {
			list[i], changed = &expr.Alias{Child: e, Name: c.Name, ID: expr.NextID()}, true
		}
	}
	if !changed {
		return step, nil
	}
	return rel{p: &logical.Project{List: list, Child: step.p}, out: outputs(list)}, nil
}

// countUses counts how often the names of a WITH occur below it, at most (names that are bound again inside count too).
func countUses(p *logical.With) []int {
	uses := make([]int, len(p.CTEs))
	if len(uses) == 0 {
		return uses
	}
	seen := func(name string) {
		for i := range p.CTEs {
			if len(p.CTEs[i].Name) == len(name) && foldEqual(p.CTEs[i].Name, name) {
				uses[i]++
			}
		}
	}
	for i, c := range p.CTEs {
		own := uses[i]
		eachRelation(c.Plan, seen)
		uses[i] = own // in its own query the name means the recursion, or something outside
	}
	eachRelation(p.Child, seen)
	return uses
}

// mentions says whether a plan refers to a relation of that name from outside: names that inner WITHs bind do not count.
func mentions(p logical.Plan, name string) bool {
	found := false
	v := &nameWalk{name: name, found: func() { found = true }}
	v.plan(p)
	return found
}

// nameWalk finds references to a name in an unresolved plan.
type nameWalk struct {
	name  string
	found func()
}

func (v *nameWalk) plan(p logical.Plan) {
	switch x := p.(type) {
	case nil:
		return
	case *logical.UnresolvedRelation:
		if len(x.Name) == 1 && foldEqual(x.Name[0], v.name) {
			v.found()
		}
	case *logical.With:
		for _, c := range x.CTEs {
			bound := foldEqual(c.Name, v.name)
			if !bound || !x.Recursive {
				v.plan(c.Plan)
			}
			if bound {
				return
			}
		}
	}
	for _, e := range p.Exprs() {
		v.expr(e)
	}
	for _, c := range p.Children() {
		v.plan(c)
	}
}

func (v *nameWalk) expr(e expr.Expr) {
	switch x := e.(type) {
	case nil, *expr.Attribute, *expr.Literal, *expr.Column, *expr.Star:
		return
	case *expr.Subquery:
		if p, ok := x.Plan.(logical.Plan); ok {
			v.plan(p)
		}
	}
	for _, c := range e.Children() {
		v.expr(c)
	}
}

func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// eachRelation calls f for every unqualified relation name in an unresolved plan, subqueries included.
func eachRelation(p logical.Plan, f func(string)) {
	switch x := p.(type) {
	case nil:
		return
	case *logical.UnresolvedRelation:
		if len(x.Name) == 1 {
			f(x.Name[0])
		}
	case *logical.With:
		for _, c := range x.CTEs {
			eachRelation(c.Plan, f)
		}
	}
	for _, e := range p.Exprs() {
		eachSubquery(e, f)
	}
	for _, c := range p.Children() {
		eachRelation(c, f)
	}
}

func eachSubquery(e expr.Expr, f func(string)) {
	switch x := e.(type) {
	case nil, *expr.Attribute, *expr.Literal, *expr.Column, *expr.Star:
		return
	case *expr.Subquery:
		if p, ok := x.Plan.(logical.Plan); ok {
			eachRelation(p, f)
		}
	}
	for _, c := range e.Children() {
		eachSubquery(c, f)
	}
}

// EachRelation calls f with the name of every relation in an unresolved plan, subqueries included, that is no common table
// expression of the plan itself.
func EachRelation(p logical.Plan, f func(name []string)) {
	if p == nil {
		return
	}
	ctes := map[string]bool{}
	var plan func(p logical.Plan)
	var sub func(e expr.Expr)
	sub = func(e expr.Expr) {
		if s, ok := e.(*expr.Subquery); ok {
			if q, ok := s.Plan.(logical.Plan); ok {
				plan(q)
			}
		}
		for _, c := range e.Children() {
			sub(c)
		}
	}
	plan = func(p logical.Plan) {
		switch x := p.(type) {
		case *logical.UnresolvedRelation:
			if len(x.Name) > 0 && !(len(x.Name) == 1 && ctes[lower(x.Name[0])]) {
				f(x.Name)
			}
		case *logical.With:
			for _, c := range x.CTEs {
				if x.Recursive {
					ctes[lower(c.Name)] = true
				}
				plan(c.Plan)
				ctes[lower(c.Name)] = true
			}
		}
		for _, e := range p.Exprs() {
			if e != nil {
				sub(e)
			}
		}
		for _, c := range p.Children() {
			plan(c)
		}
	}
	plan(p)
}
