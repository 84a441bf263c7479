package lower

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// collectMetrics notes the metrics, computed by a query of their own over the same input, and goes on with the input.
func (l *Lowerer) collectMetrics(m *connectpb.CollectMetrics, planID int64) (logical.Plan, error) {
	in, err := l.Relation(m.GetInput())
	if err != nil {
		return nil, err
	}
	list, err := l.Exprs(m.GetMetrics())
	if err != nil {
		return nil, err
	}
	if l.Observe != nil {
		l.Observe(m.GetName(), planID, &logical.Aggregate{List: list, Child: in})
	}
	return in, nil
}

func (l *Lowerer) asOfJoin(j *connectpb.AsOfJoin) (logical.Plan, error) {
	out := &logical.AsOfJoin{Using: j.GetUsingColumns(), Exact: j.GetAllowExactMatches(), Direction: j.GetDirection()}
	switch j.GetJoinType() {
	case "", "inner":
	case "left", "leftouter", "left_outer":
		out.Outer = true
	default:
		return nil, sparkerr.New("UNSUPPORTED_JOIN_TYPE", "typ", j.GetJoinType(), "supported", "'inner', 'leftouter', 'left', 'left_outer'")
	}
	var err error
	if out.Left, err = l.Relation(j.GetLeft()); err != nil {
		return nil, err
	}
	if out.Right, err = l.Relation(j.GetRight()); err != nil {
		return nil, err
	}
	for _, e := range []struct {
		to   *expr.Expr
		from *connectpb.Expression
	}{{&out.LeftAsOf, j.GetLeftAsOf()}, {&out.RightAsOf, j.GetRightAsOf()}, {&out.Cond, j.GetJoinExpr()}, {&out.Tolerance, j.GetTolerance()}} {
		if *e.to, err = l.optional(e.from); err != nil {
			return nil, err
		}
	}
	if out.LeftAsOf == nil || out.RightAsOf == nil {
		return nil, invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.AsOfJoin", "name", "left_as_of, right_as_of")
	}
	return out, nil
}

func (l *Lowerer) nearestByJoin(j *connectpb.NearestByJoin) (logical.Plan, error) {
	if n := j.GetNumResults(); n < 1 || n > 100000 {
		return nil, sparkerr.New("NEAREST_BY_JOIN.NUM_RESULTS_OUT_OF_RANGE", "numResults", itoa(n), "min", "1", "max", "100000")
	}
	left, err := l.Relation(j.GetLeft())
	if err != nil {
		return nil, err
	}
	right, err := l.Relation(j.GetRight())
	if err != nil {
		return nil, err
	}
	rank, err := l.Expr(j.GetRankingExpression())
	if err != nil {
		return nil, err
	}
	largest := j.GetDirection() == "similarity"
	if !largest && j.GetDirection() != "distance" {
		return nil, sparkerr.Unsupported("nearestByJoin with direction " + j.GetDirection())
	}
	outer := j.GetJoinType() == "leftouter" || j.GetJoinType() == "left_outer" || j.GetJoinType() == "left"
	if !outer && j.GetJoinType() != "inner" && j.GetJoinType() != "" {
		return nil, sparkerr.New("UNSUPPORTED_JOIN_TYPE", "typ", j.GetJoinType(), "supported", "'inner', 'leftouter'")
	}
	out := &logical.NearestByJoin{Left: left, Right: right, Approx: j.GetMode() == "approx", N: int(j.GetNumResults()), Rank: rank, Similarity: largest}
	if outer {
		out.Kind = logical.LeftJoin
	}
	return out, nil
}

func (l *Lowerer) zip(z *connectpb.Zip) (logical.Plan, error) {
	left, err := l.Relation(z.GetLeft())
	if err != nil {
		return nil, err
	}
	right, err := l.Relation(z.GetRight())
	if err != nil {
		return nil, err
	}
	return logical.NewZip(left, right), nil
}

// transpose reads the rows, whose number is bounded, because the values of the index column become the names of columns.
func (l *Lowerer) transpose(t *connectpb.Transpose) (logical.Plan, error) {
	if l.Collect == nil {
		return nil, unsupportedCase(&connectpb.Relation{RelType: &connectpb.Relation_Transpose{Transpose: t}}, "rel_type")
	}
	in, err := l.Relation(t.GetInput())
	if err != nil {
		return nil, err
	}
	index, err := l.Exprs(t.GetIndexColumns())
	if err != nil {
		return nil, err
	}
	if len(index) > 1 {
		return nil, sparkerr.New("TRANSPOSE_INVALID_INDEX_COLUMN", "reason", "Only one index column is supported")
	}
	s, err := l.Schema(in)
	if err != nil || len(s.Fields) == 0 {
		return in, err
	}
	if len(index) == 0 {
		index = []expr.Expr{&expr.Attribute{Name: []string{s.Fields[0].Name}}}
	}
	list, err := transposed(s, attributeName(index[0]))
	if err != nil {
		return nil, err
	}
	keyed := &logical.Sort{Order: []expr.SortOrder{{Child: &expr.Attribute{Name: []string{"__index"}}, NullsFirst: true}}, Global: true,
		Child: &logical.Project{List: append(list, expr.NewAlias(index[0], "__index")), Child: in}}
	out, rows, err := l.Collect(&logical.Limit{N: count(int32(l.MaxTranspose + 1)), Child: keyed})
	if err != nil {
		return nil, err
	}
	return l.turn(out, rows)
}

func attributeName(e expr.Expr) string {
	if a, ok := e.(*expr.Attribute); ok {
		return a.Name[len(a.Name)-1]
	}
	return ""
}

// transposed are all columns but the index, cast to the type that they have in common.
func transposed(s *types.Schema, index string) ([]expr.Expr, error) {
	var list []expr.Expr
	var ts []types.Type
	for _, f := range s.Fields {
		if f.Name != index {
			list, ts = append(list, &expr.Attribute{Name: []string{f.Name}}), append(ts, f.Type)
		}
	}
	if len(ts) == 0 {
		return nil, nil
	}
	common, ok := types.WiderOf(ts)
	if !ok {
		return nil, sparkerr.New("TRANSPOSE_NO_LEAST_COMMON_TYPE", "dt1", ts[0].SQL(), "dt2", ts[len(ts)-1].SQL())
	}
	for i, e := range list {
		if !ts[i].Equal(common) {
			list[i] = expr.NewAlias(&expr.Cast{Child: e, To: common}, attributeName(e))
		}
	}
	return list, nil
}

// turn makes the transposed relation of rows whose last column is the index; the others are of one type.
func (l *Lowerer) turn(s *types.Schema, rows []*columnar.Batch) (logical.Plan, error) {
	n, last := 0, len(s.Fields)-1
	for _, b := range rows {
		n += b.N
	}
	if n > l.MaxTranspose {
		return nil, sparkerr.New("TRANSPOSE_EXCEED_ROW_LIMIT", "maxValues", itoa(int32(l.MaxTranspose)), "config", `"spark.sql.transposeMaxValues"`)
	}
	names := columnar.NewBuilder(types.String, last)
	for _, f := range s.Fields[:last] {
		names.Append(f.Name)
	}
	out := &types.Schema{Fields: []types.Field{{Name: "key", Type: types.String}}}
	batch := &columnar.Batch{Schema: out, N: last, Cols: []columnar.Vector{names.Finish()}}
	for _, b := range rows {
		for r := range b.N {
			if b.Cols[last].Null(r) {
				continue
			}
			t := types.String
			if last > 0 {
				t = s.Fields[0].Type
			}
			out.Fields = append(out.Fields, types.Field{Name: l.Print(&b.Cols[last], r), Type: t, Nullable: true})
			col := columnar.NewBuilder(t, last)
			for c := range last {
				col.Append(b.Cols[c].ValueAt(r))
			}
			batch.Cols = append(batch.Cols, col.Finish())
		}
	}
	return &logical.LocalRelation{Schema: out, Batches: []*columnar.Batch{batch}}, nil
}
