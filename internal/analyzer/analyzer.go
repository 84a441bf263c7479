// Package analyzer turns the unresolved plan that SQL text and Connect plans lower to into a resolved one.
//
// It is one bottom-up pass with explicit scopes: a node's children are resolved first, then its expressions against the
// children's columns. Every leaf gets fresh column ids, so self-joins need no second look. In the result every expression is
// a Literal, Column, Alias, Cast, Call, Agg, Window, SortOrder, Lambda, LambdaVar, Subquery or OuterRef, and every node
// answers Output.
package analyzer

import (
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Catalog is what analysis asks of the session's catalog.
type Catalog interface {
	// Relation finds what a name of one to three parts stands for: a temporary view, or a table or view of a catalog.
	// Both are nil when there is none; an error means that the catalog could not answer. path, when not nil, is the
	// catalog and database to complete the name with in place of the current ones.
	Relation(name, path []string) (*catalog.TempView, *catalog.Table, error)
	// Function finds a user-defined function; nil when there is none.
	Function(name, path []string) (*catalog.Function, error)
	// Current is the current catalog and database.
	Current() (cat, db string)
}

// Context is what analysis sees of the session. Catalog may be nil when no names occur; the functions may be nil, and what
// needs them then fails with an error that says so.
type Context struct {
	Session *kernel.Session
	Catalog Catalog
	// Fold evaluates a resolved expression without columns.
	Fold func(e expr.Expr) (any, error)
	// Open lists and opens a data source: a table of the catalog, a format with paths, or `format`.`path`.
	Open func(t *catalog.Table) (*types.Schema, catalog.Relation, error)
	// Format says whether a name is a data source format, for `format`.`path`: nil; DATA_SOURCE_NOT_FOUND, it is none; or
	// another error, why it cannot be read.
	Format func(name string) error
	// Query and Expr parse SQL text: of views, functions, expression strings.
	Query func(text string) (logical.Plan, error)
	Expr  func(text string) (expr.Expr, error)
	// Values runs a resolved plan with one column and returns at most max of its values (PIVOT without values).
	Values func(p logical.Plan, max int) ([]any, error)
	// UserFunction makes the resolved call of a function that the session registered with an Impl.
	UserFunction func(f *catalog.Function, call *expr.Func) (expr.Expr, error)
	// Cached gives what to read in place of a resolved plan whose rows are kept, with the same columns; nil when they are not.
	// It is asked for every part of a resolved plan, largest first.
	Cached func(p logical.Plan) logical.Plan
}

// Analyze resolves a query, or the queries inside of a command that are its children.
func Analyze(ctx *Context, p logical.Plan) (logical.Plan, error) {
	r := newResolver(ctx)
	if c, ok := p.(logical.Command); ok {
		return r.command(c)
	}
	out, err := r.query(p)
	if err != nil {
		return nil, err
	}
	return r.useCache(out.p), nil
}

// useCache reads kept rows in place of computing them again.
func (r *resolver) useCache(p logical.Plan) logical.Plan {
	if r.ctx.Cached == nil {
		return p
	}
	if q := r.ctx.Cached(p); q != nil {
		return q
	}
	p = logical.MapChildren(p, r.useCache)
	if r.subqueries == 0 {
		return p
	}
	return logical.MapExprs(p, func(e expr.Expr) expr.Expr {
		return expr.Up(e, func(x expr.Expr) expr.Expr {
			s, ok := x.(*expr.Subquery)
			if !ok {
				return x
			}
			q := *s
			q.Plan = r.useCache(s.Plan.(logical.Plan))
			return &q
		})
	})
}

// resolver holds the state of one analysis. Fields that change with the place in the plan are saved and restored around it.
type resolver struct {
	*progress
	ctx     *Context
	env     function.BindEnv
	ansi    bool
	exact   bool // case-sensitive names
	frame   *frame
	ctes    *cteScope
	params  *params
	windows map[string]expr.WindowSpec
	lambda  *lambdaScope
	args    *funcArgs
	path    []string // catalog and database of the view or function whose body is being resolved; nil: the session's
	depth   int      // of nested views and functions
	nest    int      // of subqueries in expressions and of common table expressions
	flags   flags
	refs    map[int64]logical.Plan  // WithRelations: plans by plan id
	views   map[string]logical.Plan // WithRelations: plans by name
	frames  []*dfNode               // DataFrame nodes resolved below the current node
	hints   []*pendingHint
	timed   *windowColumn // what window(…) means in the node that is being resolved
}

// progress is what one analysis has gathered, wherever in the plan it is.
type progress struct {
	printed    map[expr.Expr]printed
	kept       map[*logical.Resolved]rel // subtrees resolved before their parent was expanded
	outerUses  int                       // references to outer columns so far
	subqueries int                       // resolved so far
}

func newResolver(ctx *Context) *resolver {
	r := &resolver{ctx: ctx, progress: &progress{}}
	if s := ctx.Session; s != nil {
		r.ansi, r.exact = s.Ansi, s.CaseSensitive
	}
	r.env = function.BindEnv{Session: ctx.Session, Fold: ctx.Fold}
	return r
}

// flags say what came up in the expressions resolved since they were cleared.
type flags uint16

const (
	hasAgg flags = 1 << iota
	hasWindow
	hasGenerator
	hasSubquery
	hasLCA
	hasGrouping
	hasOuter
)

// rel is a resolved plan with its output, or a select list that is not closed yet (see block).
type rel struct {
	p     logical.Plan
	out   []*expr.Column
	block *block
	hint  string // join strategy hint that holds for this relation
}

func leaf(p logical.Plan) rel { return rel{p: p, out: p.Output()} }

// query resolves a whole query: pending select lists are closed and hidden columns cut.
func (r *resolver) query(p logical.Plan) (rel, error) {
	x, err := r.plan(p)
	if err != nil {
		return rel{}, err
	}
	return r.visible(x)
}

// closed resolves a plan and closes a pending select list.
func (r *resolver) closed(p logical.Plan) (rel, error) {
	x, err := r.plan(p)
	if err != nil {
		return rel{}, err
	}
	return r.close(x)
}

// visible closes x and cuts columns that names reach but * does not.
func (r *resolver) visible(x rel) (rel, error) {
	x, err := r.close(x)
	if err != nil {
		return rel{}, err
	}
	return cutHidden(x), nil
}

func cutHidden(x rel) rel {
	n := 0
	for _, c := range x.out {
		if c.Hidden {
			n++
		}
	}
	if n == 0 {
		return x
	}
	out := make([]*expr.Column, 0, len(x.out)-n)
	for _, c := range x.out {
		if !c.Hidden {
			out = append(out, c)
		}
	}
	return rel{p: &logical.Project{List: columnExprs(out), Child: x.p}, out: out, hint: x.hint}
}

func columnExprs(cols []*expr.Column) []expr.Expr {
	list := make([]expr.Expr, len(cols))
	for i, c := range cols {
		list[i] = c
	}
	return list
}

// command resolves the children of a command; those it analyzes itself are no children.
func (r *resolver) command(c logical.Command) (logical.Plan, error) {
	kids := c.Children()
	if len(kids) == 0 {
		return c, nil
	}
	out := make([]logical.Plan, len(kids))
	for i, k := range kids {
		if in, ok := c.(*logical.InsertInto); ok {
			var err error
			if k, err = r.withDefaults(in, k); err != nil {
				return nil, err
			}
		}
		if m, ok := k.(logical.Command); ok {
			q, err := r.command(m)
			if err != nil {
				return nil, err
			}
			out[i] = q
			continue
		}
		x, err := r.query(k)
		if err != nil {
			return nil, err
		}
		out[i] = r.useCache(x.p)
	}
	return c.WithChildren(out), nil
}

// plan resolves one node.
func (r *resolver) plan(p logical.Plan) (rel, error) {
	switch x := p.(type) {
	case *logical.Project:
		return r.project(x)
	case *logical.Aggregate:
		return r.aggregate(x)
	case *logical.Filter:
		return r.filter(x)
	case *logical.Join:
		return r.join(x)
	case *logical.UnresolvedRelation:
		return r.relation(x)
	case *logical.SubqueryAlias:
		return r.alias(x)
	case *logical.Sort:
		return r.sort(x)
	case *logical.Limit, *logical.Offset, *logical.Tail:
		return r.limit(x)
	case *logical.PlanID:
		return r.planID(x)
	case *logical.SetOp:
		return r.setOp(x)
	case *logical.With:
		return r.with(x)
	case *logical.WithWindows:
		return r.withWindows(x)
	case *logical.WithParams:
		return r.withParams(x)
	case *logical.WithRelations:
		return r.withRelations(x)
	case *logical.OneRow, *logical.Relation, *logical.CTERef, *logical.CachedRelation:
		return leaf(x), nil
	}
	return r.plan2(p)
}

// plan2 resolves the rarer nodes.
func (r *resolver) plan2(p logical.Plan) (rel, error) {
	switch x := p.(type) {
	case *logical.Values:
		return r.values(x)
	case *logical.LocalRelation:
		return r.localRelation(x), nil
	case *logical.Range:
		return r.rangeLeaf(x)
	case *logical.DataSource:
		return r.dataSource(x)
	case *logical.TableFunction:
		return r.tableFunction(x)
	case *logical.Generate:
		return r.generate(x)
	case *logical.Distinct:
		return r.distinct(x)
	case *logical.Deduplicate:
		return r.deduplicate(x)
	case *logical.Pivot:
		return r.pivot(x)
	case *logical.Unpivot:
		return r.unpivot(x)
	case *logical.Sample:
		return r.sample(x)
	case *logical.Repartition:
		return r.repartition(x)
	case *logical.Hint:
		return r.hint(x)
	case logical.Command:
		q, err := r.command(x)
		return rel{p: q, out: q.Output()}, err
	}
	return r.extra(p)
}

// unknown is the answer for a node that this resolver does not know.
func unknown(p logical.Plan) error { return sparkerr.Internal("analyzer: plan node %T", p) }
