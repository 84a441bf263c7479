package spark

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// GroupedData is a frame whose rows are grouped; Agg makes a frame of it.
type GroupedData struct {
	d     *DataFrame
	group []expr.Expr
	kind  *expr.GroupingKind // nil: plain groups
	pivot *logical.Pivot
	err   error
}

// GroupBy groups by columns; without columns all rows are one group.
func (d *DataFrame) GroupBy(cols ...Column) *GroupedData {
	list, err := lowered(cols)
	return &GroupedData{d: d, group: list, err: err}
}

// Rollup groups by the columns, by all but the last, and so on up to none.
func (d *DataFrame) Rollup(cols ...Column) *GroupedData { return d.grouping(expr.RollupGrouping, cols) }

// Cube groups by all subsets of the columns.
func (d *DataFrame) Cube(cols ...Column) *GroupedData { return d.grouping(expr.CubeGrouping, cols) }

func (d *DataFrame) grouping(kind expr.GroupingKind, cols []Column) *GroupedData {
	g := d.GroupBy(cols...)
	g.kind = &kind
	return g
}

// Pivot turns the values of a column into columns; without values, all that occur.
func (g *GroupedData) Pivot(col Column, values ...any) *GroupedData {
	out := *g
	list, err := lowered([]Column{col})
	out.err = firstError(g.err, err)
	if out.err != nil {
		return &out
	}
	out.pivot = &logical.Pivot{Explicit: true, Column: list[0]}
	for _, v := range values {
		c := asColumn(v)
		out.err = firstError(out.err, c.err)
		out.pivot.Values = append(out.pivot.Values, c.e)
	}
	return &out
}

// Agg computes aggregates of each group.
func (g *GroupedData) Agg(cols ...Column) *DataFrame {
	list, err := lowered(cols)
	return g.d.over(firstError(g.err, err), func(p logical.Plan) logical.Plan {
		if g.pivot != nil {
			out := *g.pivot
			out.Group, out.Aggs, out.Child = g.group, list, p
			return &out
		}
		out := &logical.Aggregate{Group: g.group, List: append(g.group[:len(g.group):len(g.group)], list...), Child: p}
		if g.kind != nil {
			sets := make([][]expr.Expr, len(g.group))
			for i, e := range g.group {
				sets[i] = []expr.Expr{e}
			}
			out.Group = []expr.Expr{&expr.GroupingSets{Kind: *g.kind, Sets: sets}}
		}
		return out
	})
}

// Agg aggregates all rows.
func (d *DataFrame) Agg(cols ...Column) *DataFrame { return d.GroupBy().Agg(cols...) }

// Count counts the rows of each group, in a column count.
func (g *GroupedData) Count() *DataFrame { return g.Agg(Fn("count", Lit(1)).As("count")) }

// Sum adds up columns; Avg, Min, Max likewise.
func (g *GroupedData) Sum(names ...string) *DataFrame { return g.each("sum", names) }

// Avg averages columns.
func (g *GroupedData) Avg(names ...string) *DataFrame { return g.each("avg", names) }

// Min takes the least value of columns.
func (g *GroupedData) Min(names ...string) *DataFrame { return g.each("min", names) }

// Max takes the greatest value of columns.
func (g *GroupedData) Max(names ...string) *DataFrame { return g.each("max", names) }

func (g *GroupedData) each(function string, names []string) *DataFrame {
	if len(names) == 0 {
		return g.d.s.failed(fmt.Errorf("spark: %s needs the names of columns", function))
	}
	cols := make([]Column, len(names))
	for i, n := range names {
		cols[i] = Fn(function, Col(n))
	}
	return g.Agg(cols...)
}
