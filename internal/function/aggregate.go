package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, aggRows, windowRows) }

// aggr makes the row of an aggregate function.
func aggr(name, since, usage string, s *Sig, states func(a *expr.Agg) []types.Type, f func(a *expr.Agg) (kernel.Agg, error), examples ...string) *Row {
	r := &Row{Name: name, Kind: Aggregate, Since: since, Usage: usage, Sig: s, StateTypes: states, NewAgg: f}
	return r.examples(examples)
}

// states is a fixed partial form.
func states(list ...types.Type) func(*expr.Agg) []types.Type {
	return func(*expr.Agg) []types.Type { return list }
}

func argType(a *expr.Agg) types.Type { return a.Args[0].Type() }

const abc = " FROM VALUES (1), (2), (3) AS tab(col)"

func aggRows() []*Row {
	return group("agg_funcs",
		aggr("count", "1.0.0", "count(*) or count(expr, …): the number of rows, or of rows where no expression is null.", sig(to(types.Long), tAny.repeated(1)).never(),
			states(types.Long), func(a *expr.Agg) (kernel.Agg, error) { return &kernel.Count{}, nil }, "count(col) FROM VALUES (NULL), (5), (20) AS tab(col)", "2"),
		aggr("count_if", "3.0.0", "count_if(expr): the number of rows where the condition is true.", sig(to(types.Long), tBool).never(),
			states(types.Long), func(a *expr.Agg) (kernel.Agg, error) { return &kernel.CountIf{}, nil },
			"count_if(col % 2 = 0) FROM VALUES (NULL), (0), (1), (2), (3) AS tab(col)", "2"),
		sumRow("sum", "1.0.0", "sum(expr): the sum of the values.", "sum(col) FROM VALUES (5), (10), (15) AS tab(col)", "30"),
		sumRow("try_sum", "3.3.0", "try_sum(expr): the sum of the values, or null when it overflows.",
			"try_sum(col) FROM VALUES (9223372036854775807L), (1L) AS tab(col)", "NULL"),
		avgRow("avg", "1.0.0", "avg(expr): the mean of the values.", "avg(col)"+abc, "2.0").alias("mean").own(),
		avgRow("try_avg", "3.3.0", "try_avg(expr): the mean of the values, or null when it overflows.", "try_avg(col)"+abc, "2.0"),
		extreme("max", true, "max(expr): the greatest value.", "max(col)"+abc, "3"),
		extreme("min", false, "min(expr): the least value.", "min(col)"+abc, "1"),
		first("first", "2.0.0", false, "first(expr[, ignoreNulls]): a group's first value.", "first(col) FROM VALUES (10), (5), (20) AS tab(col)", "10").alias("first_value").own(),
		first("last", "2.0.0", true, "last(expr[, ignoreNulls]): a group's last value.", "last(col) FROM VALUES (10), (5), (20) AS tab(col)", "20").alias("last_value").own(),
		first("any_value", "3.4.0", false, "any_value(expr[, ignoreNulls]): some value of a group.", "any_value(col) FROM VALUES (10), (5), (20) AS tab(col)", "10"),
		by("max_by", true, "max_by(x, y): the x that stands beside the greatest y.", "max_by(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS tab(x, y)", "b"),
		by("min_by", false, "min_by(x, y): the x that stands beside the least y.", "min_by(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS tab(x, y)", "a"),
		moment("stddev", kernel.StddevSamp, "1.6.0", "stddev(expr): the standard deviation of a sample.", "stddev(col)"+abc, "1.0").alias("std").own(),
		moment("stddev_samp", kernel.StddevSamp, "1.6.0", "stddev_samp(expr): the standard deviation of a sample.", "stddev_samp(col)"+abc, "1.0"),
		moment("stddev_pop", kernel.StddevPop, "1.6.0", "stddev_pop(expr): the standard deviation of a population.", "stddev_pop(col)"+abc, "0.816496580927726"),
		moment("variance", kernel.VarSamp, "1.6.0", "variance(expr): the variance of a sample.", "variance(col)"+abc, "1.0"),
		moment("var_samp", kernel.VarSamp, "1.6.0", "var_samp(expr): the variance of a sample.", "var_samp(col)"+abc, "1.0"),
		moment("var_pop", kernel.VarPop, "1.6.0", "var_pop(expr): the variance of a population.", "var_pop(col)"+abc, "0.6666666666666666"),
		moment("skewness", kernel.Skewness, "1.6.0", "skewness(expr): the skewness of the values.",
			"skewness(col) FROM VALUES (-10), (-20), (100), (1000) AS tab(col)", "1.1135657469022011"),
		moment("kurtosis", kernel.Kurtosis, "1.6.0", "kurtosis(expr): the excess kurtosis of the values.",
			"kurtosis(col) FROM VALUES (1), (10), (100), (10), (1) AS tab(col)", "0.19432323191698986"),
		relation("covar_pop", kernel.CovarPop, "2.0.0", "covar_pop(x, y): the covariance of a population.", "0.6666666666666666"),
		relation("covar_samp", kernel.CovarSamp, "2.0.0", "covar_samp(x, y): the covariance of a sample.", "1.0"),
		relation("corr", kernel.Corr, "1.6.0", "corr(x, y): Pearson's correlation.", "1.0"),
		relation("regr_count", kernel.RegrCount, "3.3.0", "regr_count(y, x): the number of pairs without null.", "3"),
		relation("regr_avgx", kernel.RegrAvgX, "3.3.0", "regr_avgx(y, x): the mean of x over pairs without null.", "2.0"),
		relation("regr_avgy", kernel.RegrAvgY, "3.3.0", "regr_avgy(y, x): the mean of y over pairs without null.", "2.0"),
		relation("regr_sxx", kernel.RegrSXX, "3.4.0", "regr_sxx(y, x): the sum of squares of x about its mean.", "2.0"),
		relation("regr_syy", kernel.RegrSYY, "3.4.0", "regr_syy(y, x): the sum of squares of y about its mean.", "2.0"),
		relation("regr_sxy", kernel.RegrSXY, "3.4.0", "regr_sxy(y, x): the sum of products about the means.", "2.0"),
		relation("regr_slope", kernel.RegrSlope, "3.4.0", "regr_slope(y, x): the slope of the fitted line.", "1.0"),
		relation("regr_intercept", kernel.RegrIntercept, "3.4.0", "regr_intercept(y, x): where the fitted line meets the y axis.", "0.0"),
		relation("regr_r2", kernel.RegrR2, "3.3.0", "regr_r2(y, x): the coefficient of determination.", "1.0"),
		logical("bool_and", '&', "bool_and(expr): whether all values are true.", "bool_and(col) FROM VALUES (true), (false) AS tab(col)", "false").alias("every").own(),
		logical("bool_or", '|', "bool_or(expr): whether one value is true.", "bool_or(col) FROM VALUES (true), (false) AS tab(col)", "true").alias("some", "any").own(),
		fold("bit_and", '&', "bit_and(expr): the bits set in all values.", "bit_and(col) FROM VALUES (3), (5) AS tab(col)", "1"),
		fold("bit_or", '|', "bit_or(expr): the bits set in one value.", "bit_or(col) FROM VALUES (3), (5) AS tab(col)", "7"),
		fold("bit_xor", '^', "bit_xor(expr): the bits set in an odd number of values.", "bit_xor(col) FROM VALUES (3), (5) AS tab(col)", "6"),
		aggr("approx_count_distinct", "1.6.0", "approx_count_distinct(expr[, rsd]): an estimate of the number of distinct values.",
			sig(to(types.Long), tAny, tDouble.defaultTo(0.05).constant()).never(), states(types.Binary),
			func(a *expr.Agg) (kernel.Agg, error) {
				rsd, _ := constant(a.Args[1]).(float64)
				return kernel.NewDistinct(rsd), nil
			}, "approx_count_distinct(col) FROM VALUES (1), (1), (2), (2), (3) AS tab(col)", "3").alias("approx_distinct"),
	)
}

// Evaluate gives the value of a constant expression; eval, which is above this package, sets it.
var Evaluate func(e expr.Expr) (any, error)

// constant is the value of a constant argument; nil when it has none.
func constant(e expr.Expr) any {
	if l, ok := e.(*expr.Literal); ok {
		return l.Value
	}
	if !Foldable(e) {
		return nil
	}
	v, err := Evaluate(e)
	if err != nil {
		return nil
	}
	return v
}

func asInteger(n int64, t types.Type) any {
	switch t.Kind {
	case types.ByteKind:
		return int8(n)
	case types.ShortKind:
		return int16(n)
	case types.IntKind:
		return int32(n)
	}
	return n
}

func aggMode(a *expr.Agg) kernel.Mode {
	if strings.HasPrefix(a.Name, "try_") {
		return kernel.Try
	}
	return Mode(a.Mode)
}

// sumOut widens integers to BIGINT and decimals by ten digits.
func sumOut(args []expr.Expr) types.Type {
	switch t := args[0].Type(); {
	case t.IsIntegral():
		return types.Long
	case t.Kind == types.DecimalKind:
		return types.BoundedDecimal(int(t.Precision)+10, int(t.Scale))
	case t.Kind == types.YearMonthKind, t.Kind == types.DayTimeKind:
		return t
	}
	return types.Double
}

func sumRow(name, since, usage string, examples ...string) *Row {
	return aggr(name, since, usage, sig(sumOut, tNumInt), func(a *expr.Agg) []types.Type {
		switch t := argType(a); {
		case t.IsIntegral():
			return []types.Type{types.Long}
		case t.Kind == types.DecimalKind || t.IsInterval():
			return []types.Type{kernel.WideSumType(t), types.Long}
		}
		return []types.Type{types.Double, types.Long}
	}, func(a *expr.Agg) (kernel.Agg, error) {
		switch t := argType(a); {
		case t.IsIntegral():
			return kernel.NewSumLong(t, a.T, aggMode(a)), nil
		case t.Kind == types.DecimalKind || t.IsInterval():
			return kernel.NewSumWide(t, a.T, false, aggMode(a)), nil
		default:
			return kernel.NewSumDouble(t, false), nil
		}
	}, examples...)
}

func avgOut(args []expr.Expr) types.Type {
	switch t := args[0].Type(); t.Kind {
	case types.DecimalKind:
		return types.BoundedDecimal(int(t.Precision)+4, int(t.Scale)+4)
	case types.YearMonthKind:
		return types.YearMonth
	case types.DayTimeKind:
		return types.DayTime
	}
	return types.Double
}

func avgRow(name, since, usage string, examples ...string) *Row {
	return aggr(name, since, usage, sig(avgOut, tNumInt), func(a *expr.Agg) []types.Type {
		if t := argType(a); t.Kind == types.DecimalKind || t.IsInterval() {
			return []types.Type{kernel.WideSumType(t), types.Long}
		}
		return []types.Type{types.Double, types.Long}
	}, func(a *expr.Agg) (kernel.Agg, error) {
		if t := argType(a); t.Kind == types.DecimalKind || t.IsInterval() {
			return kernel.NewSumWide(t, a.T, true, aggMode(a)), nil
		}
		return kernel.NewSumDouble(argType(a), true), nil
	}, examples...)
}

// orderable refuses types that < does not order.
func orderable(name string, i int) func(args []expr.Expr) error {
	return func(args []expr.Expr) error {
		if t := args[i].Type(); !t.IsOrderable() {
			return mismatch("INVALID_ORDERING_TYPE", expr.NewFunc(name, args...), "functionName", types.Quote(name), "dataType", quoted(t.SQL()))
		}
		return nil
	}
}

func extreme(name string, max bool, usage string, examples ...string) *Row {
	return aggr(name, "1.0.0", usage, sig(like(0), tAny).check(orderable(name, 0)), func(a *expr.Agg) []types.Type { return []types.Type{a.T} },
		func(a *expr.Agg) (kernel.Agg, error) { return kernel.NewMinMax(argType(a), max), nil }, examples...)
}

func first(name, since string, last bool, usage string, examples ...string) *Row {
	return aggr(name, since, usage, sig(like(0), tAny, tBool.optional().constant()), func(a *expr.Agg) []types.Type { return []types.Type{a.T, types.Boolean} },
		func(a *expr.Agg) (kernel.Agg, error) {
			ignore := a.IgnoreNulls || len(a.Args) > 1 && constant(a.Args[1]) == true
			return kernel.NewFirstLast(argType(a), last, ignore), nil
		}, examples...)
}

func by(name string, max bool, usage string, examples ...string) *Row {
	return aggr(name, "3.0.0", usage, sig(like(0), tAny, tAny).check(orderable(name, 1)),
		func(a *expr.Agg) []types.Type { return []types.Type{argType(a), a.Args[1].Type()} },
		func(a *expr.Agg) (kernel.Agg, error) {
			return kernel.NewExtremeBy(argType(a), a.Args[1].Type(), max), nil
		}, examples...)
}

func moment(name string, m kernel.Moment, since, usage string, examples ...string) *Row {
	return aggr(name, since, usage, sig(to(types.Double), tDouble), states(kernel.MomentState...),
		func(*expr.Agg) (kernel.Agg, error) { return kernel.NewMoments(m), nil }, examples...)
}

func relation(name string, r kernel.Relation, since, usage, result string) *Row {
	t := types.Double
	if r == kernel.RegrCount {
		t = types.Long
	}
	s := sig(to(t), tDouble, tDouble)
	if r == kernel.RegrCount {
		s = s.never()
	}
	return aggr(name, since, usage, s, states(kernel.CovarianceState...),
		func(*expr.Agg) (kernel.Agg, error) { return kernel.NewCovariance(r), nil },
		name+"(c1, c2) FROM VALUES (1, 1), (2, 2), (3, 3) AS tab(c1, c2)", result)
}

func logical(name string, op byte, usage string, examples ...string) *Row {
	return aggr(name, "3.0.0", usage, sig(to(types.Boolean), tBool), states(types.Boolean),
		func(*expr.Agg) (kernel.Agg, error) { return kernel.NewBitwise(types.Boolean, op), nil }, examples...)
}

func fold(name string, op byte, usage string, examples ...string) *Row {
	return aggr(name, "3.0.0", usage, sig(like(0), tIntegral), func(a *expr.Agg) []types.Type { return []types.Type{a.T} },
		func(a *expr.Agg) (kernel.Agg, error) { return kernel.NewBitwise(a.T, op), nil }, examples...)
}

// ---- window functions: bound here, evaluated by the window operator ----

func window(name, since, usage string, s *Sig, examples ...string) *Row {
	r := &Row{Name: name, Kind: WindowFunc, Since: since, Usage: usage, Sig: s}
	return r.examples(examples)
}

func windowRows() []*Row {
	const over = " OVER (PARTITION BY a ORDER BY b) FROM VALUES ('x', 2), ('x', 1), ('y', 3) AS tab(a, b)"
	lag := sig(like(0), tAny, tInt.defaultTo(int32(1)), tAny.orElse(expr.NewLiteral(nil, types.Null))).nullable()
	rows := group("window_funcs",
		window("row_number", "2.0.0", "row_number(): the number of the row in its partition, from 1.", sig(to(types.Int)).never(), "a, b, row_number()"+over, "x 1 1\nx 2 2\ny 3 1"),
		window("rank", "2.0.0", "rank(): one more than the number of rows before the row's peers.", sig(to(types.Int), tAny.repeated(0)).never(), "a, b, rank()"+over, "x 1 1\nx 2 2\ny 3 1"),
		window("dense_rank", "2.0.0", "dense_rank(): the number of the row's group of peers, from 1.", sig(to(types.Int), tAny.repeated(0)).never(), "a, b, dense_rank()"+over, "x 1 1\nx 2 2\ny 3 1"),
		window("percent_rank", "2.0.0", "percent_rank(): (rank - 1) / (rows - 1).", sig(to(types.Double), tAny.repeated(0)).never(), "a, b, percent_rank()"+over, "x 1 0.0\nx 2 1.0\ny 3 0.0"),
		window("cume_dist", "2.0.0", "cume_dist(): the share of rows up to the row's peers.", sig(to(types.Double)).never(), "a, b, cume_dist()"+over, "x 1 0.5\nx 2 1.0\ny 3 1.0"),
		window("ntile", "2.0.0", "ntile(n): the number of the row's bucket among n of equal size.", sig(to(types.Int), tInt.defaultTo(int32(1)).constant()).never(), "a, b, ntile(2)"+over, "x 1 1\nx 2 2\ny 3 1"),
		window("lag", "2.0.0", "lag(input[, offset[, default]]): the value of an earlier row of the partition.", lag, "a, b, lag(b)"+over, "x 1 NULL\nx 2 1\ny 3 NULL"),
		window("lead", "2.0.0", "lead(input[, offset[, default]]): the value of a later row of the partition.", lag, "a, b, lead(b)"+over, "x 1 2\nx 2 NULL\ny 3 NULL"),
		window("nth_value", "3.1.0", "nth_value(input, n): the value of the n-th row of the frame.", sig(like(0), tAny, tInt.constant(), tBool.optional().constant()).nullable(), "a, b, nth_value(b, 2)"+over, "x 1 NULL\nx 2 2\ny 3 NULL"),
	)
	for _, r := range rows {
		if r.Name == "lag" || r.Name == "lead" || r.Name == "nth_value" {
			r.Bind = bindOffset(r)
		}
	}
	return rows
}

// bindOffset binds lag, lead and nth_value; IGNORE NULLS becomes a last argument true.
func bindOffset(r *Row) func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	return func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		ignore := call.IgnoreNulls
		e, err := r.bindSig(env, call)
		if err != nil {
			return nil, err
		}
		c := e.(*expr.Call)
		if r.Name != "nth_value" && c.Args[2].Type().Kind != types.NullKind {
			if t, ok := types.Wider(c.T, c.Args[2].Type()); ok {
				c.Args[0], c.Args[2], c.T = castTo(env, c.Args[0], t), castTo(env, c.Args[2], t), t
			} else {
				return nil, mismatch("UNEXPECTED_INPUT_TYPE", call, "paramIndex", "third", "requiredType", quoted(c.T.SQL()), "inputSql", quoted(c.Args[2].SQL()),
					"inputType", quoted(c.Args[2].Type().SQL()))
			}
		}
		if ignore {
			c.Args = append(c.Args, expr.True)
		}
		return c, nil
	}
}
