package analyzer

import (
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// pivot turns into an aggregate in which each value has a column of its own for each aggregate function, over the rows
// where the pivot column has that value.
func (r *resolver) pivot(p *logical.Pivot) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	x = cutHidden(x)
	s := r.scopeOf(x)
	before := r.flags
	r.flags = 0
	defer func() { r.flags = before }()
	col, err := r.expr(p.Column, s)
	if err != nil {
		return rel{}, err
	}
	col = unalias(col)
	switch { // it gets into the arguments of the aggregate functions
	case findAgg(col) != nil:
		return rel{}, fail(originOf(p.Column), "NESTED_AGGREGATE_FUNCTION")
	case expr.Any(col, isWindow):
		return rel{}, fail(originOf(p.Column), "_LEGACY_ERROR_TEMP_1031")
	case r.flags&hasGenerator != 0:
		return rel{}, fail(originOf(p.Column), "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.sqlExpr(col))
	}
	if !col.Type().IsOrderable() {
		return rel{}, fail(originOf(p.Column), "INCOMPARABLE_PIVOT_COLUMN", "columnName", sqlID(r.sql(col)))
	}
	aggs, err := r.pivotAggs(p.Aggs, s)
	if err != nil {
		return rel{}, err
	}
	group, err := r.pivotGroup(p, x, col, aggs, s)
	if err != nil {
		return rel{}, err
	}
	values, err := r.pivotValues(p, x, col, s)
	if err != nil {
		return rel{}, err
	}
	list := group[:len(group):len(group)]
	keys := make([]expr.Expr, len(group))
	for i, g := range group {
		keys[i] = unalias(g)
	}
	for _, v := range values {
		cols, err := r.pivotColumns(col, v, aggs)
		if err != nil {
			return rel{}, err
		}
		list = append(list, cols...)
	}
	return rel{p: &logical.Aggregate{Group: keys, List: list, Child: x.p}, out: outputs(list)}, nil
}

// pivotAggs resolves the aggregate functions; each must hold one.
func (r *resolver) pivotAggs(in []expr.Expr, s *scope) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(in))
	for i, e := range in {
		v, err := r.expr(e, s)
		if err != nil {
			return nil, err
		}
		if findAgg(v) == nil {
			return nil, sparkerr.New("_LEGACY_ERROR_TEMP_1006", "sql", r.sql(v))
		}
		out[i] = v
	}
	return out, nil
}

// pivotGroup are the grouping columns: those given, or all that neither the pivot column nor the aggregates use.
func (r *resolver) pivotGroup(p *logical.Pivot, x rel, col expr.Expr, aggs []expr.Expr, s *scope) ([]expr.Expr, error) {
	var group []expr.Expr
	if p.Group != nil || p.Explicit {
		for _, g := range p.Group {
			v, err := r.expr(g, s)
			if err != nil {
				return nil, err
			}
			item, err := r.nameItem(g, v)
			if err != nil {
				return nil, err
			}
			group = append(group, item)
		}
		return group, nil
	}
	used := map[expr.ID]*expr.Column{}
	expr.Columns(col, used)
	for _, a := range aggs {
		expr.Columns(a, used)
	}
	for _, c := range x.out {
		if used[c.ID] == nil {
			group = append(group, c)
		}
	}
	return group, nil
}

// pivotValue is one value of the pivot column and its name.
type pivotValue struct {
	e    expr.Expr
	name string
}

func (r *resolver) pivotValues(p *logical.Pivot, x rel, col expr.Expr, s *scope) ([]pivotValue, error) {
	if len(p.Values) == 0 {
		return r.foundValues(x, col)
	}
	out := make([]pivotValue, len(p.Values))
	for i, e := range p.Values {
		v, err := r.expr(e, &scope{cols: s.cols, strict: true})
		if err != nil {
			return nil, err
		}
		name := ""
		if a, ok := v.(*expr.Alias); ok && !a.Auto {
			name = a.Name
		}
		v = unalias(v)
		if !foldable(v) {
			return nil, fail(originOf(e), "NON_LITERAL_PIVOT_VALUES", "expression", r.sqlExpr(v))
		}
		if _, ok := r.common(v.Type(), col.Type()); !ok {
			return nil, fail(originOf(e), "PIVOT_VALUE_DATA_TYPE_MISMATCH", "value", r.sql(v), "valueType", v.Type().String(), "pivotType", col.Type().String())
		}
		v = r.to(v, col.Type())
		if name == "" {
			if name, err = r.valueName(v); err != nil {
				return nil, err
			}
		}
		out[i] = pivotValue{v, name}
	}
	return out, nil
}

// valueName is the text of a value: the value cast to STRING.
func (r *resolver) valueName(v expr.Expr) (string, error) {
	if l, ok := v.(*expr.Literal); ok {
		if l.Value == nil {
			return "null", nil
		}
		if l.T.Kind == types.StringKind {
			return l.Value.(string), nil
		}
	}
	t, err := r.fold(&expr.Cast{Child: v, To: types.String, Mode: r.castMode(), Implicit: true})
	if err != nil {
		return "", err
	}
	if t == nil {
		return "null", nil
	}
	return t.(string), nil
}

// maxPivotValues is the default of spark.sql.pivotMaxValues.
const maxPivotValues = 10000

// foundValues asks for the distinct values of the pivot column, in order.
func (r *resolver) foundValues(x rel, col expr.Expr) ([]pivotValue, error) {
	if r.ctx.Values == nil {
		return nil, sparkerr.Unsupported("pivot without values")
	}
	a := expr.NewAlias(col, "v")
	q := &logical.Sort{Order: []expr.SortOrder{{Child: a.Column(), NullsFirst: true}}, Global: true,
		Child: &logical.Distinct{Child: &logical.Project{List: []expr.Expr{a}, Child: x.p}}}
	vals, err := r.ctx.Values(refresh(q), maxPivotValues+1)
	if err != nil {
		return nil, err
	}
	if len(vals) > maxPivotValues {
		return nil, sparkerr.New("_LEGACY_ERROR_TEMP_1324", "pivotColumn", r.sql(col), "maxValues", itoa(maxPivotValues))
	}
	out := make([]pivotValue, len(vals))
	for i, v := range vals {
		l := expr.NewLiteral(v, col.Type())
		name, err := r.valueName(l)
		if err != nil {
			return nil, err
		}
		out[i] = pivotValue{l, name}
	}
	return out, nil
}

// pivotColumns are the aggregates of one value: the functions see only rows with the value.
func (r *resolver) pivotColumns(col expr.Expr, v pivotValue, aggs []expr.Expr) ([]expr.Expr, error) {
	match, err := r.operator("<=>", col, v.e)
	if err != nil {
		return nil, err
	}
	out := make([]expr.Expr, len(aggs))
	for i, a := range aggs {
		name := v.name
		if len(aggs) > 1 {
			if n, ok := a.(*expr.Alias); ok {
				name += "_" + n.Name
			} else {
				name += "_" + r.sql(a)
			}
		}
		out[i] = &expr.Alias{Child: onlyWhere(unalias(a), match), Name: name, ID: expr.NextID()}
	}
	return out, nil
}

// onlyWhere adds a condition to the FILTER of every aggregate in e. Without such rows the result is null.
func onlyWhere(e, cond expr.Expr) expr.Expr {
	if a, ok := e.(*expr.Agg); ok {
		q := *a
		q.Filter = expr.And(a.Filter, cond)
		if a.Null {
			return &q
		}
		some := &expr.Agg{Name: "count", Args: []expr.Expr{expr.NewLiteral(int32(1), types.Int)}, Filter: cond, T: types.Long, Mode: a.Mode}
		zero := expr.NewCall("=", types.Boolean, some, expr.NewLiteral(int64(0), types.Long))
		return &expr.Call{Name: "if", Args: []expr.Expr{zero, &expr.Literal{T: a.T}, &q}, T: a.T, Null: true, Mode: a.Mode}
	}
	return expr.MapChildren(e, func(x expr.Expr) expr.Expr { return onlyWhere(x, cond) })
}

// unpivot turns into an Expand with one row for each value tuple.
func (r *resolver) unpivot(p *logical.Unpivot) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	x = cutHidden(x)
	s := r.scopeOf(x)
	ids, values, err := r.unpivotColumns(p, x, s)
	if err != nil {
		return rel{}, err
	}
	if len(values) == 0 {
		return rel{}, fail(nil, "UNPIVOT_REQUIRES_VALUE_COLUMNS")
	}
	width := len(p.ValueNames)
	target := make([]types.Type, width)
	null := make([]bool, width)
	for i, tuple := range values {
		if len(tuple) != width {
			return rel{}, fail(nil, "UNPIVOT_VALUE_SIZE_MISMATCH", "names", strings.Join(p.ValueNames, ", "))
		}
		for k, c := range tuple {
			t, ok := c.T, true
			if i > 0 {
				t, ok = r.common(target[k], c.T)
				ok = ok && (target[k].Kind == types.StringKind) == (c.T.Kind == types.StringKind)
			}
			if !ok {
				return rel{}, unpivotTypes(values)
			}
			target[k] = t
			null[k] = null[k] || c.Null
		}
	}
	return r.unpivotExpand(p, x, ids, values, target, null)
}

func unpivotTypes(values [][]*expr.Column) error {
	byType := map[string][]string{}
	var order []string
	for _, tuple := range values {
		for _, c := range tuple {
			t := sqlType(c.T)
			if byType[t] == nil {
				order = append(order, t)
			}
			byType[t] = append(byType[t], sqlID(c.Name))
		}
	}
	slices.Sort(order)
	parts := make([]string, len(order))
	for i, t := range order {
		parts[i] = t + " (" + strings.Join(byType[t], ", ") + ")"
	}
	return fail(nil, "UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "types", strings.Join(parts, ", "))
}

// unpivotColumns resolves ids and values; what is not given is all the rest.
func (r *resolver) unpivotColumns(p *logical.Unpivot, x rel, s *scope) (ids []*expr.Column, values [][]*expr.Column, err error) {
	if p.IdsGiven || p.Ids != nil {
		if ids, err = r.unpivotList(p.Ids, s, "id"); err != nil {
			return nil, nil, err
		}
	}
	used := map[expr.ID]bool{}
	for _, tuple := range p.Values {
		cols, err := r.unpivotList(tuple, s, "value")
		if err != nil {
			return nil, nil, err
		}
		if len(tuple) == 1 && len(cols) > 1 { // a star
			for _, c := range cols {
				values = append(values, []*expr.Column{c})
				used[c.ID] = true
			}
			continue
		}
		for _, c := range cols {
			used[c.ID] = true
		}
		values = append(values, cols)
	}
	if !p.ValuesGiven && len(p.Values) == 0 {
		for _, c := range x.out {
			if !contains(ids, c.ID) {
				values = append(values, []*expr.Column{c})
			}
		}
	}
	if !p.IdsGiven && p.Ids == nil {
		for _, c := range x.out {
			if !used[c.ID] {
				ids = append(ids, c)
			}
		}
	}
	return ids, values, nil
}

func (r *resolver) unpivotList(list []expr.Expr, s *scope, what string) ([]*expr.Column, error) {
	var out []*expr.Column
	for _, e := range list {
		vs, err := r.expand(e, s)
		if err != nil {
			return nil, err
		}
		if vs == nil {
			v, err := r.expr(e, s)
			if err != nil {
				return nil, err
			}
			vs = []expr.Expr{v}
		}
		for _, v := range vs {
			c, ok := unalias(v).(*expr.Column)
			if !ok {
				return nil, fail(originOf(e), "UNPIVOT_REQUIRES_ATTRIBUTES", "given", what, "empty", map[string]string{"id": "value", "value": "id"}[what], "expressions", r.sqlExpr(v))
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func (r *resolver) unpivotExpand(p *logical.Unpivot, x rel, ids []*expr.Column, values [][]*expr.Column, target []types.Type, null []bool) (rel, error) {
	// ids keep their names but not their ids: each row of the input comes several times
	out := make([]*expr.Column, 0, len(ids)+1+len(target))
	out = append(out, ids...)
	out = append(out, &expr.Column{ID: expr.NextID(), Name: p.Variable, T: types.String})
	for k, t := range target {
		out = append(out, &expr.Column{ID: expr.NextID(), Name: p.ValueNames[k], T: t, Null: null[k]})
	}
	projections := make([][]expr.Expr, len(values))
	for i, tuple := range values {
		row := columnExprs(ids)
		name := ""
		if i < len(p.ValueAliases) {
			name = p.ValueAliases[i]
		}
		if name == "" {
			name = strings.Join(columnNames(tuple), "_")
		}
		row = append(row, expr.NewLiteral(name, types.String))
		for k, c := range tuple {
			row = append(row, r.to(c, target[k]))
		}
		projections[i] = row
	}
	var plan logical.Plan = &logical.Expand{Projections: projections, Out: out, Child: x.p}
	if !p.IncludeNulls {
		var cond expr.Expr
		for _, c := range out[len(ids)+1:] {
			if cond == nil {
				cond = expr.IsNotNull(c)
			} else {
				cond = expr.NewCall("or", types.Boolean, cond, expr.IsNotNull(c))
			}
		}
		plan = &logical.Filter{Cond: cond, Child: plan}
	}
	return rel{p: plan, out: out}, nil
}
