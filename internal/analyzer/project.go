package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

func (r *resolver) project(p *logical.Project) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	timed := r.timed
	defer func() { r.timed = timed }()
	if hasTimeWindow(p.List) {
		if x, err = r.withTimeWindow(x, p.List); err != nil {
			return rel{}, err
		}
	}
	in := r.scopeOf(x)
	b := &block{child: x.p, in: in}
	if err := r.selectList(b, p.List, in); err != nil {
		return rel{}, err
	}
	b.agg = b.flags&hasAgg != 0
	b.at = originOfPlan(p)
	return rel{block: b, out: b.outputs(), hint: x.hint}, nil
}

// scopeOf is the scope that a resolved plan's columns make.
func (r *resolver) scopeOf(x rel) *scope { return &scope{cols: x.out, df: r.frames} }

// selectList resolves and names the items of a SELECT into b.
func (r *resolver) selectList(b *block, list []expr.Expr, in *scope) error {
	before := r.flags
	r.flags = 0
	defer func() { r.flags = before }()
	s := *in
	b.list = make([]expr.Expr, 0, len(list))
	for _, e := range list {
		if err := r.selectItem(b, e, &s); err != nil {
			return err
		}
	}
	b.flags = r.flags
	return nil
}

func (r *resolver) selectItem(b *block, e expr.Expr, s *scope) error {
	switch x := e.(type) {
	case *expr.Star, *expr.Regex:
		cols, err := r.expand(e, s)
		if err != nil {
			return err
		}
		b.list = append(b.list, cols...)
		return nil
	case *expr.MultiAlias:
		return r.multiAlias(b, x, s)
	}
	before := r.flags
	r.flags = 0
	v, err := r.expr(e, s)
	if err != nil {
		return err
	}
	found := r.flags
	r.flags |= before
	if found&hasGenerator != 0 {
		return r.generatorItem(b, e, v, nil, found)
	}
	item, err := r.nameItem(e, v)
	if err != nil {
		return err
	}
	b.list = append(b.list, item)
	if a, ok := item.(*expr.Alias); ok && !a.Auto {
		s.lca = append(s.lca, a)
	}
	return nil
}

// nameItem gives an item of a select list the name that Spark gives it.
func (r *resolver) nameItem(e, v expr.Expr) (expr.Expr, error) {
	switch x := v.(type) {
	case *expr.Column, *expr.Alias:
		return v, nil
	case *expr.OuterRef:
		return &expr.Alias{Child: v, Name: x.Col.Name, ID: expr.NextID(), Metadata: x.Col.Metadata, Auto: true}, nil
	}
	return &expr.Alias{Child: v, Name: r.autoName(e, v), ID: expr.NextID(), Auto: true}, nil
}

// autoName is the name of an unaliased expression: the last part of a field access by name, the name of a column that is
// only cast, else the printed expression.
func (r *resolver) autoName(e, v expr.Expr) string {
	if a, ok := e.(*expr.Attribute); ok {
		if _, isCall := v.(*expr.Call); isCall && !bareFunctions[strings.ToLower(a.Name[len(a.Name)-1])] {
			return a.Name[len(a.Name)-1]
		}
	}
	if c, ok := v.(*expr.Cast); ok && !c.Implicit {
		switch x := c.Child.(type) {
		case *expr.Column:
			return x.Name
		case *expr.OuterRef:
			return x.Col.Name
		case *expr.Call:
			if a, ok := castChild(e).(*expr.Attribute); ok && x.Name == "get_field" {
				return a.Name[len(a.Name)-1]
			}
		}
	}
	return r.sql(v)
}

func castChild(e expr.Expr) expr.Expr {
	if c, ok := e.(*expr.Cast); ok {
		return c.Child
	}
	return nil
}

// generated is a generator of a select list with its columns.
type generated struct {
	call  *expr.Call
	out   []*expr.Column
	outer bool
}

func (r *resolver) multiAlias(b *block, x *expr.MultiAlias, s *scope) error {
	before := r.flags
	r.flags = 0
	v, err := r.expr(x.Child, s)
	if err != nil {
		return err
	}
	found := r.flags
	r.flags |= before
	if found&hasGenerator == 0 {
		return fail(originOf(x), "MULTI_ALIAS_WITHOUT_GENERATOR", "expr", r.sqlExpr(v), "names", strings.Join(x.Names, ", "))
	}
	return r.generatorItem(b, x.Child, v, x.Names, found)
}

// generatorItem adds the columns of a generator in which those things were found to the list.
func (r *resolver) generatorItem(b *block, e, v expr.Expr, names []string, found flags) error {
	if found&hasLCA != 0 {
		return fail(originOf(e), "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GENERATOR", "lca", r.aliasIn(v, b), "generatorExpr", r.sqlExpr(v))
	}
	if a, ok := v.(*expr.Alias); ok && names == nil {
		v, names = a.Child, []string{a.Name}
	}
	c, ok := v.(*expr.Call)
	row, isRow := (*function.Row)(nil), false
	if ok {
		row, isRow = function.Lookup(c.Name)
	}
	if !isRow || row.Kind != function.Generator {
		return fail(nil, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.sqlExpr(v))
	}
	g := &generated{call: c, outer: isOuterGenerator(c)}
	var err error
	if g.out, err = r.generatorColumns(row, c, names, nil, originOf(e)); err != nil {
		return err
	}
	b.gens = append(b.gens, g)
	for _, o := range g.out {
		b.list = append(b.list, o)
	}
	return nil
}

// aliasIn is the name of an item of the list that an expression refers to.
func (r *resolver) aliasIn(e expr.Expr, b *block) (name string) {
	expr.Walk(e, func(x expr.Expr) bool {
		for _, l := range b.list {
			if a, ok := l.(*expr.Alias); ok && a.ID == idOf(x) {
				name = sqlID(a.Name)
			}
		}
		return name == ""
	})
	return name
}

// isOuterGenerator says whether the generator's name asks for a row of nulls when there is none.
func isOuterGenerator(c *expr.Call) bool { return strings.HasSuffix(c.Name, "_outer") }

// generatorColumns names the columns of a generator.
func (r *resolver) generatorColumns(row *function.Row, c *expr.Call, names, qualifier []string, at *expr.Origin) ([]*expr.Column, error) {
	fields := generatorFields(row, c)
	if len(names) > 0 && len(names) != len(fields) {
		return nil, fail(at, "UDTF_ALIAS_NUMBER_MISMATCH", "aliasesSize", itoa(len(fields)), "aliasesNames", strings.Join(names, ","))
	}
	out := make([]*expr.Column, len(fields))
	for i, f := range fields {
		name := f.Name
		if len(names) > 0 {
			name = names[i]
		}
		out[i] = &expr.Column{ID: expr.NextID(), Name: name, T: f.Type, Null: f.Nullable || isOuterGenerator(c), Qualifier: qualifier, Metadata: f.Metadata}
	}
	return out, nil
}

func generatorFields(row *function.Row, c *expr.Call) []types.Field {
	if row.Columns != nil {
		return row.Columns(c)
	}
	if c.T.Kind == types.StructKind {
		return c.T.Fields()
	}
	return []types.Field{{Name: "col", Type: c.T, Nullable: c.Null}}
}

// outputs are the columns of the block's list; those of outer generators may be null.
func (b *block) outputs() []*expr.Column { return outputs(b.list) }

// extractGenerators puts a Generate node below the list for each generator of the block.
func (r *resolver) extractGenerators(p logical.Plan, list []expr.Expr, b *block) (logical.Plan, []expr.Expr, error) {
	have := p.Output()
	for _, g := range b.gens {
		wanted := false
		for _, e := range list {
			wanted = wanted || idOf(e) == g.out[0].ID
		}
		if !wanted || contains(have, g.out[0].ID) {
			continue
		}
		p = &logical.Generate{Gen: g.call, Outer: g.outer, Names: columnNames(g.out), Out: g.out, Child: p}
	}
	return p, list, nil
}

func columnNames(cols []*expr.Column) []string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	return names
}
