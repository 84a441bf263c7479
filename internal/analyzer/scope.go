package analyzer

import (
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// scope is the set of columns that the expressions of one node see.
type scope struct {
	cols   []*expr.Column
	below  *scope        // second choice: the input of the select list below a HAVING or ORDER BY
	lca    []*expr.Alias // earlier items of the same select list
	df     []*dfNode     // DataFrame nodes below, for references by plan id
	index  map[string][]*expr.Column
	strict bool        // no outer columns: lateral aliases and outer scopes do not count
	first  []expr.Expr // groups of a HAVING: columns of below that are among them stand before cols
}

// frame is one subquery level: the scope of the expression that holds the subquery, and the outer columns the subquery used.
type frame struct {
	scope  *scope
	parent *frame
	used   []*expr.Column
}

// indexFrom is the width from which names are looked up in a map.
const indexFrom = 48

func (r *resolver) same(a, b string) bool {
	if len(a) == len(b) {
		if a == b {
			return true
		}
		if r.exact {
			return false
		}
	}
	return !r.exact && strings.EqualFold(a, b)
}

// named are the columns of s with a name.
func (r *resolver) named(s *scope, name string) []*expr.Column {
	if len(s.cols) < indexFrom {
		return s.cols
	}
	if s.index == nil {
		s.index = make(map[string][]*expr.Column, len(s.cols))
		for _, c := range s.cols {
			k := strings.ToLower(c.Name)
			s.index[k] = append(s.index[k], c)
		}
	}
	return s.index[strings.ToLower(name)]
}

// match finds the columns that a name may mean and how many of its parts they take; the rest are fields.
// The longest qualifier wins, and visible columns win over hidden ones.
func (r *resolver) match(s *scope, name []string) (cols []*expr.Column, taken int) {
	for q := min(len(name)-1, 4); q >= 0; q-- {
		cols = r.pick(s, name[:q], name[q])
		if len(cols) > 0 {
			return cols, q + 1
		}
	}
	return nil, 0
}

func (r *resolver) pick(s *scope, qualifier []string, name string) []*expr.Column {
	var one [1]*expr.Column
	out := one[:0]
	hidden := false
	for _, c := range r.named(s, name) {
		if !r.same(c.Name, name) || len(qualifier) > 0 && !r.endsWith(c.Qualifier, qualifier) {
			continue
		}
		switch {
		case len(out) > 0 && c.Hidden && !hidden, contains(out, c.ID):
			continue
		case len(out) > 0 && hidden && !c.Hidden:
			out = out[:0]
		}
		hidden = c.Hidden
		out = append(out, c)
	}
	return out
}

func contains(cols []*expr.Column, id expr.ID) bool {
	for _, c := range cols {
		if c.ID == id {
			return true
		}
	}
	return false
}

func (r *resolver) endsWith(full, tail []string) bool {
	if len(tail) > len(full) {
		return false
	}
	full = full[len(full)-len(tail):]
	for i, t := range tail {
		if !r.same(full[i], t) {
			return false
		}
	}
	return true
}

// lookup resolves a name against the columns of one scope; nil when there is no such column.
func (r *resolver) lookup(s *scope, name []string, at *expr.Origin) (expr.Expr, error) {
	cols, taken := r.match(s, name)
	switch len(cols) {
	case 0:
		return nil, nil
	case 1:
		return r.fields(cols[0], name, taken, at)
	}
	return nil, ambiguous(at, name, cols)
}

// fields applies the parts of a name that follow the column.
func (r *resolver) fields(c *expr.Column, name []string, taken int, at *expr.Origin) (expr.Expr, error) {
	if c.Name != name[taken-1] || c.Hidden {
		q := *c
		q.Name, q.Hidden = name[taken-1], false
		c = &q
	}
	var e expr.Expr = c
	for _, f := range name[taken:] {
		var err error
		if e, err = r.extract(e, &expr.Literal{Value: f, T: types.String}, at); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func ambiguous(at *expr.Origin, name []string, cols []*expr.Column) error {
	refs := make([]string, len(cols))
	for i, c := range cols {
		refs[i] = sqlID(append(c.Qualifier[:len(c.Qualifier):len(c.Qualifier)], c.Name)...)
	}
	sort.Strings(refs)
	return fail(at, "AMBIGUOUS_REFERENCE", "name", sqlID(name...), "referenceNames", "["+strings.Join(refs, ", ")+"]")
}

// attribute resolves a name: function parameters of a lambda, columns, functions without parentheses, lateral aliases,
// the input below a HAVING or ORDER BY, parameters of a SQL function, the queries around.
func (r *resolver) attribute(a *expr.Attribute, s *scope) (expr.Expr, error) {
	if e, err := r.lambdaVar(a); e != nil || err != nil {
		return e, err
	}
	if a.PlanID != 0 {
		return r.dataFrameColumn(a, s)
	}
	e, err := r.groupColumn(a, s)
	if e != nil || err != nil {
		return e, err
	}
	if e, err = r.lookup(s, a.Name, a.At); e != nil || err != nil {
		return e, err
	}
	if e, err = r.bareFunction(a); e != nil || err != nil {
		return e, err
	}
	if len(s.lca) > 0 {
		if e, err = r.lateralAlias(a, s); e != nil || err != nil {
			return e, err
		}
	}
	if s.below != nil {
		if e, err = r.lookup(s.below, a.Name, a.At); e != nil || err != nil {
			return e, err
		}
	}
	if !s.strict {
		if e, err = r.outer(a); e != nil || err != nil {
			return e, err
		}
	}
	if e, err = r.argument(a); e != nil || err != nil {
		return e, err
	}
	if e, err = r.variable(a); e != nil || err != nil {
		return e, err
	}
	return nil, unresolvedColumn(a.At, a.Name, s)
}

// groupColumn resolves a name in HAVING to a column that is a group; nil if it means none.
func (r *resolver) groupColumn(a *expr.Attribute, s *scope) (expr.Expr, error) {
	if len(s.first) == 0 {
		return nil, nil
	}
	cols, taken := r.match(s.below, a.Name)
	if len(cols) != 1 || !inGroup(s.first, cols[0]) {
		return nil, nil
	}
	if e, err := r.fields(cols[0], a.Name, taken, a.At); err == nil {
		return e, nil
	}
	return nil, nil
}

// lateralAlias resolves a name to an earlier item of the same select list.
func (r *resolver) lateralAlias(a *expr.Attribute, s *scope) (expr.Expr, error) {
	var found *expr.Alias
	for _, l := range s.lca {
		if r.same(l.Name, a.Name[0]) {
			if found != nil {
				return nil, fail(a.At, "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "name", sqlID(a.Name...), "n", itoa(countAliases(r, s.lca, a.Name[0])))
			}
			found = l
		}
	}
	if found == nil {
		return nil, nil
	}
	r.flags |= hasLCA
	return r.fields(found.Column(), a.Name, 1, a.At)
}

func countAliases(r *resolver, list []*expr.Alias, name string) int {
	n := 0
	for _, l := range list {
		if r.same(l.Name, name) {
			n++
		}
	}
	return n
}

// outer resolves a name against the queries around this one, nearest first, and notes the use on every level in between.
func (r *resolver) outer(a *expr.Attribute) (expr.Expr, error) {
	for f := r.frame; f != nil; f = f.parent {
		e, err := r.lookup(f.scope, a.Name, a.At)
		if err != nil {
			return nil, err
		}
		if e == nil && f.scope.below != nil {
			if e, err = r.lookup(f.scope.below, a.Name, a.At); err != nil {
				return nil, err
			}
		}
		if e == nil {
			continue
		}
		return r.outerOf(e, f), nil
	}
	return nil, nil
}

// variable resolves a name to the value of a session variable, and fields of it.
func (r *resolver) variable(a *expr.Attribute) (expr.Expr, error) {
	vars, ok := r.ctx.Catalog.(interface {
		Variable(name []string) *catalog.Variable
	})
	if !ok {
		return nil, nil
	}
	for n := len(a.Name); n > 0; n-- {
		v := vars.Variable(a.Name[:n])
		if v == nil {
			continue
		}
		value := expr.Expr(&expr.Literal{Value: v.Value, T: v.Type, At: a.At})
		for _, f := range a.Name[n:] {
			var err error
			if value, err = r.extract(value, expr.NewLiteral(f, types.String), a.At); err != nil {
				return nil, err
			}
		}
		return &expr.Alias{Child: value, Name: a.Name[len(a.Name)-1], ID: expr.NextID(), Auto: true}, nil
	}
	return nil, nil
}
