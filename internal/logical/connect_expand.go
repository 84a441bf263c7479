package logical

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// find is the first column of a name.
func (env *ExpandEnv) find(cols []*expr.Column, name string) *expr.Column {
	for _, c := range cols {
		if env.Same(c.Name, name) {
			return c
		}
	}
	return nil
}

// pick are the columns of the given names, all columns when there are none; an unknown name is an error.
func (env *ExpandEnv) pick(cols []*expr.Column, names []string) ([]*expr.Column, error) {
	if len(names) == 0 {
		return cols, nil
	}
	var out []*expr.Column
	for _, n := range names {
		c := env.find(cols, strings.Trim(n, "`"))
		if c == nil {
			return nil, unknownColumn(n, cols)
		}
		out = append(out, c)
	}
	return out, nil
}

func unknownColumn(name string, cols []*expr.Column) error {
	near := make([]string, 0, len(cols))
	for _, c := range cols {
		near = append(near, types.Quote(c.Name))
	}
	if len(near) == 0 {
		return sparkerr.New("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", types.Quote(name))
	}
	return sparkerr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.Quote(name), "proposal", strings.Join(near, ", "))
}

// rename names an expression like a column and keeps the column's metadata.
func rename(e expr.Expr, c *expr.Column, name string) *expr.Alias {
	a := expr.NewAlias(e, name)
	a.Metadata = c.Metadata
	return a
}

// Expand implements Expander.
func (p *WithColumns) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	for i, c := range p.Columns {
		for _, d := range p.Columns[:i] {
			if env.Same(c.Name, d.Name) {
				return nil, sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(c.Name)))
			}
		}
	}
	var list []expr.Expr
	used := make([]bool, len(p.Columns))
	for _, c := range in[0].Output() {
		item := expr.Expr(c)
		for i, n := range p.Columns {
			if env.Same(c.Name, n.Name) {
				item, used[i] = n, true
			}
		}
		list = append(list, item)
	}
	for i, n := range p.Columns {
		if !used[i] {
			list = append(list, n)
		}
	}
	return &Project{List: list, Child: in[0]}, nil
}

// Expand implements Expander.
func (p *WithColumnsRenamed) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	cols := in[0].Output()
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	for i, from := range p.From {
		for j := range names {
			if env.Same(names[j], from) {
				names[j] = p.To[i]
			}
		}
	}
	return &Project{List: renamed(cols, names), Child: in[0]}, nil
}

func renamed(cols []*expr.Column, names []string) []expr.Expr {
	list := make([]expr.Expr, len(cols))
	for i, c := range cols {
		list[i] = c
		if c.Name != names[i] {
			list[i] = rename(c, c, names[i])
		}
	}
	return list
}

// Expand implements Expander.
func (p *DropColumns) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	gone := map[expr.ID]bool{}
	for _, e := range p.Columns {
		r, err := env.Resolve(e)
		if err != nil {
			if sparkerr.Is(err, "UNRESOLVED_COLUMN") {
				continue
			}
			return nil, err
		}
		if c, ok := r.(*expr.Column); ok {
			gone[c.ID] = true
		}
	}
	var list []expr.Expr
	for _, c := range in[0].Output() {
		drop := gone[c.ID]
		for _, n := range p.Names {
			drop = drop || env.Same(n, c.Name)
		}
		if !drop {
			list = append(list, c)
		}
	}
	return &Project{List: list, Child: in[0]}, nil
}

// Expand implements Expander.
func (p *ToDF) Expand(_ *ExpandEnv, in []Plan) (Plan, error) {
	cols := in[0].Output()
	if len(cols) != len(p.Names) {
		return nil, sparkerr.New("ASSIGNMENT_ARITY_MISMATCH", "numExpr", strconv.Itoa(len(p.Names)), "numTarget", strconv.Itoa(len(cols)))
	}
	return &Project{List: renamed(cols, p.Names), Child: in[0]}, nil
}

// Expand implements Expander.
func (p *ToSchema) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	var list []expr.Expr
	for _, f := range p.Schema.Fields {
		c := env.find(in[0].Output(), f.Name)
		switch {
		case c == nil && f.Nullable:
			list = append(list, expr.NewAlias(expr.NewLiteral(nil, f.Type), f.Name))
			continue
		case c == nil:
			return nil, unknownColumn(f.Name, in[0].Output())
		case c.Null && !f.Nullable:
			return nil, sparkerr.New("NULLABLE_COLUMN_OR_FIELD", "name", types.Quote(f.Name))
		}
		e := expr.Expr(c)
		if !c.T.Equal(f.Type) {
			e = &expr.Cast{Child: c, To: f.Type}
		}
		a := rename(e, c, f.Name)
		if f.Metadata != "" {
			a.Metadata = f.Metadata
		}
		list = append(list, a)
	}
	return &Project{List: list, Child: in[0]}, nil
}

// fits says whether a fill or replacement value of type v is meant for columns of type c.
func fits(v, c types.Type) bool {
	return v.IsNumeric() && c.IsNumeric() || v.Kind == c.Kind && (v.Kind == types.StringKind || v.Kind == types.BooleanKind)
}

// Expand implements Expander.
func (p *FillNA) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	cols, err := env.pick(in[0].Output(), p.Columns)
	if err != nil {
		return nil, err
	}
	value := map[expr.ID]*expr.Literal{}
	for i, c := range cols {
		v := p.Values[0]
		if len(p.Values) > 1 {
			v = p.Values[i]
		}
		if fits(v.T, c.T) {
			value[c.ID] = v
		}
	}
	var list []expr.Expr
	for _, c := range in[0].Output() {
		v := value[c.ID]
		if v == nil {
			list = append(list, c)
			continue
		}
		from := expr.Expr(c)
		if c.T.IsFractional() {
			from = expr.NewFunc("nanvl", c, expr.NewLiteral(nil, c.T))
		}
		list = append(list, rename(expr.NewFunc("coalesce", from, &expr.Cast{Child: v, To: c.T}), c, c.Name))
	}
	return &Project{List: list, Child: in[0]}, nil
}

// Expand implements Expander.
func (p *DropNA) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	cols, err := env.pick(in[0].Output(), p.Columns)
	if err != nil {
		return nil, err
	}
	least := p.MinNonNulls
	if least == 0 {
		least = len(cols)
	}
	var cond, count expr.Expr
	for _, c := range cols {
		present := expr.Expr(expr.NewFunc("isnotnull", c))
		if c.T.IsFractional() {
			present = expr.NewFunc("and", present, expr.NewFunc("not", expr.NewFunc("isnan", c)))
		}
		one := expr.Expr(&expr.Cast{Child: present, To: types.Int})
		if cond == nil {
			cond, count = present, one
			continue
		}
		op := "or"
		if least == len(cols) {
			op = "and"
		}
		cond, count = expr.NewFunc(op, cond, present), expr.NewFunc("+", count, one)
	}
	switch {
	case least <= 0 || len(cols) == 0:
		return in[0], nil
	case least > 1 && least != len(cols):
		cond = expr.NewFunc(">=", count, expr.NewLiteral(int32(least), types.Int))
	}
	return &Filter{Cond: cond, Child: in[0]}, nil
}

// Expand implements Expander.
func (p *ReplaceNA) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	cols, err := env.pick(in[0].Output(), p.Columns)
	if err != nil {
		return nil, err
	}
	chosen := map[expr.ID]bool{}
	for _, c := range cols {
		chosen[c.ID] = true
	}
	var list []expr.Expr
	for _, c := range in[0].Output() {
		var args []expr.Expr
		for i, old := range p.Old {
			if chosen[c.ID] && fits(old.T, c.T) {
				args = append(args, expr.NewFunc("=", c, &expr.Cast{Child: old, To: c.T}), &expr.Cast{Child: p.New[i], To: c.T})
			}
		}
		if args == nil {
			list = append(list, c)
			continue
		}
		list = append(list, rename(expr.NewFunc("when", append(args, c)...), c, c.Name))
	}
	return &Project{List: list, Child: in[0]}, nil
}

// Expand implements Expander: one row of aggregates, turned into a row for each statistic.
func (p *Summary) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	cols, err := env.pick(in[0].Output(), p.Columns)
	if err != nil {
		return nil, err
	}
	var aggs, rows []expr.Expr
	for _, stat := range p.Statistics {
		row := []expr.Expr{text("summary"), text(stat)}
		for _, c := range cols {
			if !c.T.IsNumeric() && c.T.Kind != types.StringKind {
				continue
			}
			e, err := statistic(stat, c)
			if err != nil {
				return nil, err
			}
			a := expr.NewAlias(&expr.Cast{Child: e, To: types.String}, "s"+strconv.Itoa(len(aggs)))
			aggs = append(aggs, a)
			row = append(row, text(c.Name), &expr.Attribute{Name: []string{a.Name}})
		}
		rows = append(rows, expr.NewFunc("named_struct", row...))
	}
	one := Plan(&OneRow{})
	if len(aggs) > 0 {
		one = &Aggregate{List: aggs, Child: in[0]}
	}
	return &Project{List: []expr.Expr{expr.NewFunc("inline", expr.NewFunc("array", rows...))}, Child: one}, nil
}

func text(s string) expr.Expr { return expr.NewLiteral(s, types.String) }

// statistic is the aggregate of a name; text columns count as numbers where a number is needed, if they can be read as one.
func statistic(stat string, c *expr.Column) (expr.Expr, error) {
	number := expr.Expr(c)
	if c.T.Kind == types.StringKind {
		number = &expr.Cast{Child: c, To: types.Double, Mode: expr.CastTry}
	}
	switch strings.ToLower(stat) {
	case "count", "min", "max":
		return expr.NewFunc(strings.ToLower(stat), c), nil
	case "mean":
		return expr.NewFunc("avg", number), nil
	case "stddev":
		return expr.NewFunc("stddev_samp", number), nil
	case "count_distinct":
		return &expr.Func{Name: []string{"count"}, Args: []expr.Expr{c}, Distinct: true}, nil
	case "approx_count_distinct":
		return expr.NewFunc("approx_count_distinct", c), nil
	}
	share, ok := strings.CutSuffix(stat, "%")
	f, err := strconv.ParseFloat(share, 64)
	if !ok || err != nil || f < 0 || f > 100 {
		return nil, sparkerr.New("UNRECOGNIZED_STATISTIC", "stats", "'"+stat+"'")
	}
	return expr.NewFunc("percentile_approx", number, expr.NewLiteral(f/100, types.Double), expr.NewLiteral(int32(10000), types.Int)), nil
}

// Expand implements Expander.
func (p *SampleBy) Expand(_ *ExpandEnv, in []Plan) (Plan, error) {
	var args []expr.Expr
	for i, v := range p.Values {
		args = append(args, expr.NewFunc("=", p.Column, v), expr.NewLiteral(p.Fractions[i], types.Double))
	}
	share := expr.Expr(expr.NewLiteral(0.0, types.Double))
	if args != nil {
		share = expr.NewFunc("when", append(args, share)...)
	}
	return &Filter{Cond: expr.NewFunc("<", expr.NewFunc("rand", expr.NewLiteral(p.Seed, types.Long)), share), Child: in[0]}, nil
}

// Expand implements Expander.
func (p *ParseText) Expand(_ *ExpandEnv, in []Plan) (Plan, error) {
	cols := in[0].Output()
	if len(cols) != 1 || cols[0].T.Kind != types.StringKind {
		return nil, sparkerr.Unsupported("parse of anything but one column of type STRING")
	}
	if p.Schema == nil {
		return nil, sparkerr.Unsupported("parse without a schema")
	}
	args := []expr.Expr{cols[0], text(ddl(p.Schema))}
	if len(p.Options) > 0 {
		var kv []expr.Expr
		for _, k := range slices.Sorted(maps.Keys(p.Options)) {
			kv = append(kv, text(k), text(p.Options[k]))
		}
		args = append(args, expr.NewFunc("map", kv...))
	}
	parsed := expr.NewAlias(expr.NewFunc("from_"+p.Format, args...), "parsed")
	return &Project{List: []expr.Expr{&expr.Star{Target: []string{"parsed"}}},
		Child: &Project{List: []expr.Expr{parsed}, Child: in[0]}}, nil
}

func ddl(s *types.Schema) string {
	var parts []string
	for _, f := range s.Fields {
		d := types.QuoteIfNeeded(f.Name) + " " + f.Type.SQL()
		if !f.Nullable {
			d += " NOT NULL"
		}
		parts = append(parts, d)
	}
	return strings.Join(parts, ", ")
}

// Expand implements Expander: a pivot of counts, with zero where a pair does not occur.
func (p *Crosstab) Expand(env *ExpandEnv, in []Plan) (Plan, error) {
	cols, err := env.pick(in[0].Output(), []string{p.Column1, p.Column2})
	if err != nil {
		return nil, err
	}
	value := func(c *expr.Column) expr.Expr {
		return expr.NewFunc("coalesce", &expr.Cast{Child: c, To: types.String}, text("null"))
	}
	pivot := &Pivot{
		Group:    []expr.Expr{expr.NewAlias(value(cols[0]), p.Column1+"_"+p.Column2)},
		Explicit: true,
		Column:   value(cols[1]),
		Aggs:     []expr.Expr{expr.NewFunc("count", expr.NewLiteral(int32(1), types.Int))},
		Child:    in[0],
	}
	return NewUnary(FillNA{Values: []*expr.Literal{expr.NewLiteral(int64(0), types.Long)}}, pivot), nil
}

// Expand implements Expander.
func (p *EventTimeWatermark) Expand(_ *ExpandEnv, in []Plan) (Plan, error) { return in[0], nil }
