package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func (r *resolver) relation(p *logical.UnresolvedRelation) (rel, error) {
	name := p.Name
	if p.NameExpr != nil {
		var err error
		if name, err = r.nameOf(p.NameExpr); err != nil {
			return rel{}, err
		}
	}
	hinted := r.hintFor(name)
	x, err := r.named1(p, name)
	if err != nil {
		return rel{}, err
	}
	if hinted != "" {
		x.hint = hinted
	}
	return x, nil
}

// named1 finds what a relation's name means: a common table expression, a view of the call, a temporary view, a table or
// view of a catalog, or a file by format and path.
func (r *resolver) named1(p *logical.UnresolvedRelation, name []string) (rel, error) {
	if len(name) == 1 {
		if d := r.findCTE(name[0]); d != nil {
			return r.useCTE(d, p.At)
		}
		if v, ok := r.views[strings.ToLower(name[0])]; ok {
			x, err := r.query(v)
			if err != nil {
				return rel{}, err
			}
			return r.aliased(x, name, nil)
		}
	}
	if r.ctx.Catalog != nil {
		view, table, err := r.ctx.Catalog.Relation(name, r.path)
		switch {
		case err != nil:
			return rel{}, located(err, p.At)
		case view != nil:
			return r.tempView(view, p)
		case table != nil && table.Kind == "VIEW":
			return r.view(table, p)
		case table != nil:
			return r.table(table, p)
		}
	}
	if len(name) == 2 && r.ctx.Format != nil {
		switch err := r.ctx.Format(name[0]); {
		case notForPaths[strings.ToLower(name[0])]:
			return rel{}, fail(p.At, "UNSUPPORTED_DATASOURCE_FOR_DIRECT_QUERY", "dataSourceType", strings.ToLower(name[0]))
		case err == nil:
			return r.open(&catalog.Table{Provider: strings.ToLower(name[0]), Paths: []string{name[1]}, Options: p.Options}, name, p.At)
		case !sparkerr.Is(err, "DATA_SOURCE_NOT_FOUND"):
			return rel{}, located(err, p.At)
		}
	}
	return rel{}, fail(p.At, "TABLE_OR_VIEW_NOT_FOUND", "relationName", sqlID(name...), "searchPath", r.searchPath())
}

// notForPaths are the data sources whose data has no path.
var notForPaths = map[string]bool{"jdbc": true, "hive": true}

// table opens a table of the catalog.
func (r *resolver) table(t *catalog.Table, p *logical.UnresolvedRelation) (rel, error) {
	if p.Version != "" || p.AsOf != nil {
		return rel{}, fail(p.At, "UNSUPPORTED_FEATURE.TIME_TRAVEL", "relationId", sqlID(t.Name...))
	}
	if len(p.Options) > 0 {
		q := *t
		q.Options = merged(t.Options, p.Options)
		t = &q
	}
	return r.open(t, t.Name, p.At)
}

func merged(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[strings.ToLower(k)] = v
	}
	return out
}

// open makes a Relation of a table or data source.
func (r *resolver) open(t *catalog.Table, qualifier []string, at *expr.Origin) (rel, error) {
	schema := t.Schema
	if t.Relation == nil {
		if r.ctx.Open == nil {
			return rel{}, sparkerr.Internal("analyzer: no data sources")
		}
		s, opened, err := r.ctx.Open(t)
		if err != nil {
			return rel{}, located(err, at)
		}
		q := *t
		q.Relation = opened
		if s != nil {
			schema = s
		}
		q.Schema = schema
		t = &q
	}
	out := columns(schema, qualifier)
	var p logical.Plan = &logical.Relation{Table: t, Out: out}
	if qualifier != nil {
		p = &logical.SubqueryAlias{Name: qualifier, Child: p}
	}
	return rel{p: p, out: out}, nil
}

// columns makes fresh columns of a schema.
func columns(s *types.Schema, qualifier []string) []*expr.Column {
	out := make([]*expr.Column, len(s.Fields))
	block := make([]expr.Column, len(s.Fields))
	for i, f := range s.Fields {
		c := &block[i]
		*c = expr.Column{ID: expr.NextID(), Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata, Qualifier: qualifier}
		if f.Type.Kind == types.StringKind || f.Type.IsNested() {
			c.T = plainString(f.Type)
		}
		out[i] = c
	}
	return out
}

func (r *resolver) localRelation(p *logical.LocalRelation) rel {
	q := *p
	q.Out = columns(p.Schema, nil)
	return rel{p: &q, out: q.Out}
}

func (r *resolver) rangeLeaf(p *logical.Range) (rel, error) {
	if p.Step == 0 {
		return rel{}, sparkerr.New("FAILED_FUNCTION_CALL", "funcName", "`range`")
	}
	if p.Partitions < 0 {
		return rel{}, notPositive(p.Partitions)
	}
	q := *p
	q.Out = []*expr.Column{{ID: expr.NextID(), Name: "id", T: types.Long}}
	return rel{p: &q, out: q.Out}, nil
}

func (r *resolver) dataSource(p *logical.DataSource) (rel, error) {
	return r.open(&catalog.Table{Provider: strings.ToLower(p.Format), Paths: p.Paths, Schema: p.Schema, Options: merged(nil, p.Options)}, nil, nil)
}

// maxViewDepth bounds views that name views.
const maxViewDepth = 100

// body resolves the plan of a view or function away from the query around it: no common tables, parameters, outer columns.
func (r *resolver) body(p logical.Plan, path []string) (rel, error) {
	old := *r
	r.frame, r.ctes, r.params, r.windows, r.lambda, r.args, r.views, r.refs, r.hints, r.frames = nil, nil, nil, nil, nil, nil, nil, nil, nil, nil
	r.flags, r.path = 0, path
	r.depth++
	x, err := r.query(p)
	*r = old
	return x, err
}

func (r *resolver) tempView(v *catalog.TempView, p *logical.UnresolvedRelation) (rel, error) {
	if r.depth >= maxViewDepth {
		return rel{}, fail(p.At, "VIEW_EXCEED_MAX_NESTED_DEPTH", "viewName", sqlID(v.Name...), "maxNestedDepth", itoa(maxViewDepth))
	}
	plan, _ := v.Plan.(logical.Plan)
	var x rel
	var err error
	switch {
	case plan != nil && v.Resolved:
		x = leaf(refresh(plan))
	case plan != nil:
		x, err = r.body(plan, v.Path)
	case r.ctx.Query == nil:
		return rel{}, sparkerr.Internal("analyzer: no parser for views")
	default:
		if plan, err = r.ctx.Query(v.Text); err == nil {
			x, err = r.body(plan, v.Path)
		}
	}
	if err != nil {
		return rel{}, err
	}
	if !v.Resolved && v.Schema != nil {
		if x, err = r.viewColumns(x, v.Schema, nil, v.Name, p.At, r.implicitly); err != nil {
			return rel{}, err
		}
	} else if len(v.Columns) > 0 {
		if x, err = r.renameView(x, v, p.At); err != nil {
			return rel{}, err
		}
	}
	return r.aliased(x, v.Name, nil)
}

func (r *resolver) renameView(x rel, v *catalog.TempView, at *expr.Origin) (rel, error) {
	if len(v.Columns) != len(x.out) {
		return rel{}, fail(at, "INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "viewName", sqlID(v.Name...), "colName", "", "expectedNum", itoa(len(v.Columns)),
			"actualCols", itoa(len(x.out)), "suggestion", "")
	}
	list := make([]expr.Expr, len(x.out))
	for i, c := range x.out {
		list[i] = c
		if c.Name != v.Columns[i].Name {
			list[i] = &expr.Alias{Child: c, Name: v.Columns[i].Name, ID: expr.NextID(), Metadata: c.Metadata}
		}
	}
	return rel{p: &logical.Project{List: list, Child: x.p}, out: outputs(list)}, nil
}

// view resolves a view of the catalog in the context that it was made in.
func (r *resolver) view(t *catalog.Table, p *logical.UnresolvedRelation) (rel, error) {
	if r.depth >= maxViewDepth {
		return rel{}, fail(p.At, "VIEW_EXCEED_MAX_NESTED_DEPTH", "viewName", sqlID(t.Name...), "maxNestedDepth", itoa(maxViewDepth))
	}
	if r.ctx.Query == nil {
		return rel{}, sparkerr.Internal("analyzer: no parser for views")
	}
	plan, err := r.ctx.Query(t.ViewText)
	if err != nil {
		return rel{}, err
	}
	x, err := r.body(plan, t.ViewPath)
	if err != nil {
		return rel{}, err
	}
	if x, err = r.boundView(x, t, p.At); err != nil {
		return rel{}, err
	}
	return r.aliased(x, t.Name, nil)
}

// viewColumns makes a view's query give the columns that the view had when it was made: matched by the names of the query
// then, cast, and renamed.
func (r *resolver) viewColumns(x rel, schema *types.Schema, names, view []string, at *expr.Origin, fit fitting) (rel, error) {
	if names == nil {
		if len(x.out) != len(schema.Fields) {
			return rel{}, r.viewChanged(view, "", len(schema.Fields), x.out, at)
		}
	}
	list := make([]expr.Expr, len(schema.Fields))
	seen := map[string]int{}
	same := true
	for i, f := range schema.Fields {
		var c *expr.Column
		if names == nil {
			c = x.out[i]
		} else if c = r.nth(x.out, names[i], seen[strings.ToLower(names[i])]); c == nil {
			return rel{}, r.viewChanged(view, names[i], 1, nil, at)
		} else {
			seen[strings.ToLower(names[i])]++
		}
		e, err := fit(c, plainString(f.Type))
		if err != nil {
			return rel{}, err
		}
		list[i] = e
		if e == expr.Expr(c) && c.Name == f.Name {
			same = same && i < len(x.out) && x.out[i] == c
			continue
		}
		same = false
		list[i] = &expr.Alias{Child: e, Name: f.Name, ID: expr.NextID(), Metadata: f.Metadata}
	}
	if same && len(list) == len(x.out) {
		return x, nil
	}
	return rel{p: &logical.Project{List: list, Child: x.p}, out: outputs(list)}, nil
}

// nth is the n-th column of a name.
func (r *resolver) nth(cols []*expr.Column, name string, n int) *expr.Column {
	for _, c := range cols {
		if r.same(c.Name, name) {
			if n == 0 {
				return c
			}
			n--
		}
	}
	return nil
}

func (r *resolver) viewChanged(view []string, col string, want int, out []*expr.Column, at *expr.Origin) error {
	actual := make([]string, len(out))
	for i, c := range out {
		actual[i] = c.Name
	}
	return fail(at, "INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "viewName", sqlID(view...), "colName", sqlID(col), "expectedNum", itoa(want),
		"actualCols", "["+strings.Join(actual, ",")+"]", "suggestion", "CREATE OR REPLACE VIEW "+sqlID(view...))
}

// refresh gives every column that a resolved plan makes a fresh id, so that the plan can be used more than once.
func refresh(p logical.Plan) logical.Plan {
	x := &refresher{ids: map[expr.ID]expr.ID{}, ctes: map[int64]int64{}}
	return x.plan(p)
}

// refresher maps old ids to new ones.
type refresher struct {
	ids  map[expr.ID]expr.ID
	ctes map[int64]int64 // of definitions inside of the plan
}

func (x *refresher) plan(p logical.Plan) logical.Plan {
	logical.Walk(p, func(n logical.Plan) bool {
		switch n := n.(type) {
		case *logical.CTEDef:
			x.ctes[n.ID] = int64(expr.NextID())
		case *logical.RecursiveCTE:
			x.ctes[n.ID] = int64(expr.NextID())
		}
		return true
	})
	return logical.Up(p, func(n logical.Plan) logical.Plan {
		n = logical.MapExprs(n, func(e expr.Expr) expr.Expr { return expr.Up(e, x.expr) })
		return x.node(n)
	})
}

func (x *refresher) id(id expr.ID) expr.ID {
	n, ok := x.ids[id]
	if !ok {
		n = expr.NextID()
		x.ids[id] = n
	}
	return n
}

func (x *refresher) cte(id int64) int64 {
	if n, ok := x.ctes[id]; ok {
		return n
	}
	return id
}

func (x *refresher) column(c *expr.Column) *expr.Column {
	q := *c
	q.ID = x.id(c.ID)
	return &q
}

func (x *refresher) columns(list []*expr.Column) []*expr.Column {
	if list == nil {
		return nil
	}
	out := make([]*expr.Column, len(list))
	for i, c := range list {
		out[i] = x.column(c)
	}
	return out
}

func (x *refresher) expr(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Column:
		return x.column(e)
	case *expr.OuterRef:
		return &expr.OuterRef{Col: x.column(e.Col)}
	case *expr.Alias:
		q := *e
		q.ID = x.id(e.ID)
		return &q
	case *expr.Subquery:
		q := *e
		q.Plan, q.ID = x.plan(e.Plan.(logical.Plan)), expr.NextID()
		return &q
	}
	return e
}

// node renews what a node holds besides expressions and children.
func (x *refresher) node(n logical.Plan) logical.Plan {
	switch n := n.(type) {
	case *logical.Relation:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	case *logical.LocalRelation:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	case *logical.Range:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	case *logical.CachedRelation:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	case *logical.SetOp:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	case *logical.Generate:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	case *logical.Expand:
		q := *n
		q.Out = x.columns(n.Out)
		return &q
	}
	return x.shared(n)
}

func (x *refresher) shared(n logical.Plan) logical.Plan {
	switch n := n.(type) {
	case *logical.CTERef:
		q := *n
		q.ID, q.Out = x.cte(n.ID), x.columns(n.Out)
		return &q
	case *logical.RecursiveCTE:
		q := *n
		q.ID, q.Out = x.cte(n.ID), x.columns(n.Out)
		return &q
	case *logical.CTEDef:
		q := *n
		q.ID = x.cte(n.ID)
		return &q
	case *logical.Join:
		if n.Hint.Exists != nil {
			q := *n
			q.Hint.Exists = x.column(n.Hint.Exists)
			return &q
		}
	}
	return n
}
