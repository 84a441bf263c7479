package lower

import (
	"math"
	"strconv"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// statistics lowers the functions on missing data and the statistic functions.
func (l *Lowerer) statistics(r *connectpb.Relation) (logical.Plan, error) {
	switch k := r.GetRelType().(type) {
	case *connectpb.Relation_FillNa:
		return l.fill(k.FillNa)
	case *connectpb.Relation_DropNa:
		return l.dropNA(k.DropNa)
	case *connectpb.Relation_Replace:
		return l.replace(k.Replace)
	case *connectpb.Relation_Summary:
		stats := k.Summary.GetStatistics()
		if len(stats) == 0 {
			stats = []string{"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"}
		}
		return unary(l, k.Summary.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(logical.Summary{Statistics: stats}, p) })
	case *connectpb.Relation_Describe:
		s := logical.Summary{Columns: k.Describe.GetCols(), Statistics: []string{"count", "mean", "stddev", "min", "max"}}
		return unary(l, k.Describe.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(s, p) })
	case *connectpb.Relation_Crosstab:
		c := logical.Crosstab{Column1: k.Crosstab.GetCol1(), Column2: k.Crosstab.GetCol2()}
		return unary(l, k.Crosstab.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(c, p) })
	case *connectpb.Relation_Cov:
		return l.pairwise("covar_samp", "cov", k.Cov.GetInput(), k.Cov.GetCol1(), k.Cov.GetCol2())
	case *connectpb.Relation_Corr:
		if m := k.Corr.GetMethod(); m != "" && m != "pearson" {
			return nil, sparkerr.Unsupported("correlation by method " + m)
		}
		return l.pairwise("corr", "corr", k.Corr.GetInput(), k.Corr.GetCol1(), k.Corr.GetCol2())
	case *connectpb.Relation_ApproxQuantile:
		return l.approxQuantile(k.ApproxQuantile)
	case *connectpb.Relation_FreqItems:
		return l.freqItems(k.FreqItems)
	case *connectpb.Relation_SampleBy:
		return l.sampleBy(k.SampleBy)
	}
	return nil, unsupportedCase(r, "rel_type")
}

func (l *Lowerer) fill(f *connectpb.NAFill) (logical.Plan, error) {
	switch n := len(f.GetValues()); {
	case n == 0:
		return nil, invalid("NA_FILL_VALUES_EMPTY")
	case n > 1 && n != len(f.GetCols()):
		return nil, invalid("NA_FILL_VALUES_LENGTH_MISMATCH")
	}
	out := logical.FillNA{Columns: f.GetCols()}
	for _, v := range f.GetValues() {
		lit, err := l.Literal(v)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, lit)
	}
	return unary(l, f.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(out, p) })
}

// dropNA: a given minimum below one keeps every row.
func (l *Lowerer) dropNA(d *connectpb.NADrop) (logical.Plan, error) {
	if d.MinNonNulls != nil && d.GetMinNonNulls() <= 0 {
		return l.Relation(d.GetInput())
	}
	out := logical.DropNA{Columns: d.GetCols(), MinNonNulls: int(d.GetMinNonNulls())}
	return unary(l, d.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(out, p) })
}

func (l *Lowerer) replace(r *connectpb.NAReplace) (logical.Plan, error) {
	out := logical.ReplaceNA{Columns: r.GetCols()}
	for _, p := range r.GetReplacements() {
		from, err := l.Literal(p.GetOldValue())
		if err != nil {
			return nil, err
		}
		to, err := l.Literal(p.GetNewValue())
		if err != nil {
			return nil, err
		}
		out.Old, out.New = append(out.Old, from), append(out.New, to)
	}
	return unary(l, r.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(out, p) })
}

// pairwise is one row with an aggregate of two columns.
func (l *Lowerer) pairwise(function, name string, in *connectpb.Relation, a, b string) (logical.Plan, error) {
	x, err := ParseAttribute(a)
	if err != nil {
		return nil, err
	}
	y, err := ParseAttribute(b)
	if err != nil {
		return nil, err
	}
	f := expr.NewFunc(function, asDouble(x), asDouble(y))
	return unary(l, in, func(p logical.Plan) logical.Plan {
		return &logical.Aggregate{List: []expr.Expr{expr.NewAlias(f, name)}, Child: p}
	})
}

func asDouble(name []string) expr.Expr {
	return &expr.Cast{Child: &expr.Attribute{Name: name}, To: types.Double}
}

// approxQuantile is one row with an array of quantiles for each column.
func (l *Lowerer) approxQuantile(q *connectpb.StatApproxQuantile) (logical.Plan, error) {
	e := q.GetRelativeError()
	if e < 0 || math.IsNaN(e) {
		return nil, invalid("ASSERTION_FAILURE", "message", "requirement failed: Relative Error must be non-negative")
	}
	accuracy := int32(math.MaxInt32)
	if e > 0 && 1/e < math.MaxInt32 {
		accuracy = int32(math.Max(1, math.Ceil(1/e)))
	}
	shares := expr.NewLiteral(anys(q.GetProbabilities()), types.Array(types.Double, false))
	var list []expr.Expr
	for _, c := range q.GetCols() {
		name, err := ParseAttribute(c)
		if err != nil {
			return nil, err
		}
		f := expr.Expr(expr.NewFunc("percentile_approx", asDouble(name), shares, expr.NewLiteral(accuracy, types.Int)))
		list = append(list, expr.NewFunc("coalesce", f, &expr.Cast{Child: expr.NewFunc("array"), To: types.Array(types.Double, true)}))
	}
	return unary(l, q.GetInput(), func(p logical.Plan) logical.Plan {
		return &logical.Aggregate{List: []expr.Expr{expr.NewAlias(expr.NewFunc("array", list...), "approx_quantile")}, Child: p}
	})
}

func (l *Lowerer) sampleBy(s *connectpb.StatSampleBy) (logical.Plan, error) {
	col, err := l.Expr(s.GetCol())
	if err != nil {
		return nil, err
	}
	out := logical.SampleBy{Column: col, Seed: s.GetSeed()}
	for _, f := range s.GetFractions() {
		v, err := l.Literal(f.GetStratum())
		if err != nil {
			return nil, err
		}
		out.Values, out.Fractions = append(out.Values, v), append(out.Fractions, f.GetFraction())
	}
	return unary(l, s.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(out, p) })
}

// freqItems is one row with an array for each column: the items that occur in more than the given share of the rows.
// Spark's own answer may hold some items more; this one is exact.
func (l *Lowerer) freqItems(f *connectpb.StatFreqItems) (logical.Plan, error) {
	support := 0.01
	if f.Support != nil {
		support = f.GetSupport()
	}
	if !(support >= 1e-4 && support <= 1) {
		return nil, invalid("ASSERTION_FAILURE", "message", "requirement failed: Support must be in [1e-4, 1], but got "+strconv.FormatFloat(support, 'g', -1, 64)+".")
	}
	over := func(by ...expr.Expr) expr.Expr {
		return &expr.Window{Func: expr.NewFunc("count", count(1)), Spec: expr.WindowSpec{Partition: by}}
	}
	counted := []expr.Expr{expr.NewAlias(over(), "n")}
	var sets []expr.Expr
	for i, c := range f.GetCols() {
		name, err := ParseAttribute(c)
		if err != nil {
			return nil, err
		}
		item, times := "c"+strconv.Itoa(i), "n"+strconv.Itoa(i)
		col := &expr.Attribute{Name: name}
		counted = append(counted, expr.NewAlias(col, item), expr.NewAlias(over(col), times))
		often := expr.NewFunc(">", &expr.Attribute{Name: []string{times}},
			expr.NewFunc("*", &expr.Attribute{Name: []string{"n"}}, expr.NewLiteral(support, types.Double)))
		pick := expr.NewFunc("when", often, &expr.Attribute{Name: []string{item}})
		sets = append(sets, expr.NewAlias(expr.NewFunc("collect_set", pick), c+"_freqItems"))
	}
	return unary(l, f.GetInput(), func(p logical.Plan) logical.Plan {
		return &logical.Aggregate{List: sets, Child: &logical.Project{List: counted, Child: p}}
	})
}
