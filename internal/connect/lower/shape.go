package lower

import (
	"strings"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

func (l *Lowerer) aggregate(a *connectpb.Aggregate) (logical.Plan, error) {
	in, err := l.Relation(a.GetInput())
	if err != nil {
		return nil, err
	}
	group, err := l.Exprs(a.GetGroupingExpressions())
	if err != nil {
		return nil, err
	}
	aggs, err := l.Exprs(a.GetAggregateExpressions())
	if err != nil {
		return nil, err
	}
	out := &logical.Aggregate{Group: group, List: append(group[:len(group):len(group)], aggs...), Child: in}
	switch a.GetGroupType() {
	case connectpb.Aggregate_GROUP_TYPE_GROUPBY:
	case connectpb.Aggregate_GROUP_TYPE_ROLLUP:
		out.Group = []expr.Expr{&expr.GroupingSets{Kind: expr.RollupGrouping, Sets: singles(group)}}
	case connectpb.Aggregate_GROUP_TYPE_CUBE:
		out.Group = []expr.Expr{&expr.GroupingSets{Kind: expr.CubeGrouping, Sets: singles(group)}}
	case connectpb.Aggregate_GROUP_TYPE_PIVOT:
		return l.pivot(a.GetPivot(), group, aggs, in)
	case connectpb.Aggregate_GROUP_TYPE_GROUPING_SETS:
		sets := &expr.GroupingSets{Kind: expr.SetsGrouping}
		for _, s := range a.GetGroupingSets() {
			es, err := l.Exprs(s.GetGroupingSet())
			if err != nil {
				return nil, err
			}
			sets.Sets = append(sets.Sets, es)
		}
		if len(sets.Sets) == 0 {
			return nil, invalid("FIELD_CANNOT_BE_EMPTY", "fieldName", "grouping_sets", "fullName", "spark.connect.Aggregate")
		}
		out.Group = []expr.Expr{sets}
	default:
		return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.Aggregate.GroupType", "name", a.GetGroupType().String(),
			"number", itoa(int32(a.GetGroupType())))
	}
	return out, nil
}

// singles makes a set of each expression.
func singles(es []expr.Expr) [][]expr.Expr {
	out := make([][]expr.Expr, len(es))
	for i, e := range es {
		out[i] = []expr.Expr{e}
	}
	return out
}

func (l *Lowerer) pivot(p *connectpb.Aggregate_Pivot, group, aggs []expr.Expr, in logical.Plan) (logical.Plan, error) {
	if p == nil {
		return nil, invalid("AGGREGATE_WITH_PIVOT_REQUIRES_PIVOT")
	}
	col, err := l.Expr(p.GetCol())
	if err != nil {
		return nil, err
	}
	out := &logical.Pivot{Group: group, Explicit: true, Column: col, Aggs: aggs, Child: in}
	for _, v := range p.GetValues() {
		lit, err := l.Literal(v)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, lit)
	}
	return out, nil
}

func (l *Lowerer) sample(s *connectpb.Sample) (logical.Plan, error) {
	return unary(l, s.GetInput(), func(p logical.Plan) logical.Plan {
		return &logical.Sample{Lower: s.GetLowerBound(), Upper: s.GetUpperBound(), WithReplacement: s.GetWithReplacement(), Seed: s.GetSeed(),
			HasSeed: s.Seed != nil, Child: p}
	})
}

func (l *Lowerer) deduplicate(d *connectpb.Deduplicate) (logical.Plan, error) {
	switch all, names := d.GetAllColumnsAsKeys(), len(d.GetColumnNames()) > 0; {
	case all && names:
		return nil, invalid("DEDUPLICATE_ALL_COLUMNS_AND_SUBSET")
	case !all && !names:
		return nil, invalid("DEDUPLICATE_REQUIRES_COLUMNS_OR_ALL")
	}
	return unary(l, d.GetInput(), func(p logical.Plan) logical.Plan {
		out := &logical.Deduplicate{AllColumns: d.GetAllColumnsAsKeys(), WithinWatermark: d.GetWithinWatermark(), Child: p}
		for _, n := range d.GetColumnNames() {
			out.Keys = append(out.Keys, &expr.Attribute{Name: []string{n}})
		}
		return out
	})
}

func (l *Lowerer) repartition(r *connectpb.Repartition) (logical.Plan, error) {
	return unary(l, r.GetInput(), func(p logical.Plan) logical.Plan {
		return &logical.Repartition{N: int(r.GetNumPartitions()), Shuffle: r.GetShuffle(), Child: p}
	})
}

// repartitionBy: a list with sort orders means ranges, else hashes.
func (l *Lowerer) repartitionBy(r *connectpb.RepartitionByExpression) (logical.Plan, error) {
	in, err := l.Relation(r.GetInput())
	if err != nil {
		return nil, err
	}
	by, err := l.Exprs(r.GetPartitionExprs())
	out := &logical.Repartition{N: int(r.GetNumPartitions()), Shuffle: true, By: by, Child: in}
	for _, e := range by {
		if _, ok := e.(*expr.SortOrder); ok {
			out.Range = true
		}
	}
	return out, err
}

func (l *Lowerer) renamed(r *connectpb.WithColumnsRenamed) (logical.Plan, error) {
	var out logical.WithColumnsRenamed
	for _, n := range r.GetRenames() {
		out.From, out.To = append(out.From, n.GetColName()), append(out.To, n.GetNewColName())
	}
	if len(out.From) == 0 {
		for from, to := range r.GetRenameColumnsMap() {
			out.From, out.To = append(out.From, from), append(out.To, to)
		}
	}
	return unary(l, r.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(out, p) })
}

func (l *Lowerer) drop(d *connectpb.Drop) (logical.Plan, error) {
	out := logical.DropColumns{Names: d.GetColumnNames()}
	var err error
	if out.Columns, err = l.Exprs(d.GetColumns()); err != nil {
		return nil, err
	}
	return unary(l, d.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(out, p) })
}

func (l *Lowerer) hint(h *connectpb.Hint) (logical.Plan, error) {
	in, err := l.Relation(h.GetInput())
	if err != nil {
		return nil, err
	}
	args, err := l.Exprs(h.GetParameters())
	return &logical.Hint{Name: strings.ToUpper(h.GetName()), Args: args, Child: in}, err
}

func (l *Lowerer) unpivot(u *connectpb.Unpivot) (logical.Plan, error) {
	in, err := l.Relation(u.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.Unpivot{IdsGiven: true, Variable: u.GetVariableColumnName(), ValueNames: []string{u.GetValueColumnName()}, IncludeNulls: true, Child: in}
	if out.Ids, err = l.Exprs(u.GetIds()); err != nil || u.GetValues() == nil {
		return out, err
	}
	values, err := l.Exprs(u.GetValues().GetValues())
	out.Values, out.ValuesGiven = singles(values), true
	return out, err
}

func (l *Lowerer) toSchema(t *connectpb.ToSchema) (logical.Plan, error) {
	st, err := l.Type(t.GetSchema())
	if err != nil {
		return nil, err
	}
	if st.Kind != types.StructKind {
		return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", st.SQL(), "dataType", st.SQL())
	}
	s := logical.ToSchema{Schema: types.NewSchema(st.Fields()...)}
	return unary(l, t.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(s, p) })
}

func (l *Lowerer) parse(p *connectpb.Parse) (logical.Plan, error) {
	out := logical.ParseText{Options: p.GetOptions()}
	switch p.GetFormat() {
	case connectpb.Parse_PARSE_FORMAT_CSV:
		out.Format = "csv"
	case connectpb.Parse_PARSE_FORMAT_JSON:
		out.Format = "json"
	case connectpb.Parse_PARSE_FORMAT_XML:
		out.Format = "xml"
	default:
		return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.Parse.ParseFormat", "name", p.GetFormat().String(), "number", itoa(int32(p.GetFormat())))
	}
	if p.GetSchema() != nil {
		t, err := l.Type(p.GetSchema())
		if err != nil {
			return nil, err
		}
		if t.Kind != types.StructKind {
			return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", t.SQL(), "dataType", t.SQL())
		}
		out.Schema = types.NewSchema(t.Fields()...)
	}
	return unary(l, p.GetInput(), func(in logical.Plan) logical.Plan { return logical.NewUnary(out, in) })
}
