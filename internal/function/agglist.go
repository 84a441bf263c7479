package function

import (
	"math"
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, listRows) }

// collected makes a row whose state is the list of all values.
func collected(name, since, usage string, s *Sig, elem func(a *expr.Agg) types.Type, keepNulls, distinct bool,
	finish func(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error), examples ...string) *Row {
	return aggr(name, since, usage, s, func(a *expr.Agg) []types.Type { return []types.Type{types.Array(elem(a), keepNulls)} },
		func(a *expr.Agg) (kernel.Agg, error) {
			var f func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error)
			if finish != nil {
				f = finish(a)
			}
			return kernel.NewCollect(elem(a), a.T, keepNulls, distinct, f), nil
		}, examples...)
}

func listOf(args []expr.Expr) types.Type { return types.Array(args[0].Type(), false) }

func listRows() []*Row {
	return group("agg_funcs",
		collected("collect_list", "2.0.0", "collect_list(expr): the values that are not null, as an array.", sig(listOf, tAny).never(), argType, false, false, nil,
			"collect_list(col) FROM VALUES (1), (2), (1) AS tab(col)", "[1, 2, 1]").alias("array_agg").own(),
		collected("collect_set", "2.0.0", "collect_set(expr): the distinct values that are not null, as an array.", sig(listOf, tAny).never(), argType, false, true, nil,
			"collect_set(col) FROM VALUES (1), (2), (1) AS tab(col)", "[1, 2]"),
		percentileRow("percentile", "2.1.0", "percentile(col, p[, frequency]): the exact percentile, interpolated; p may be an array.",
			"percentile(col, 0.3) FROM VALUES (0), (10) AS tab(col)", "3.0"),
		medianRow(),
		withinRow("percentile_cont", false, "percentile_cont(p) WITHIN GROUP (ORDER BY v): the interpolated percentile.",
			"percentile_cont(0.25) WITHIN GROUP (ORDER BY col) FROM VALUES (0), (10) AS tab(col)", "2.5"),
		withinRow("percentile_disc", true, "percentile_disc(p) WITHIN GROUP (ORDER BY v): the first value whose share reaches p.",
			"percentile_disc(0.25) WITHIN GROUP (ORDER BY col) FROM VALUES (0), (10) AS tab(col)", "0.0"),
		collected("approx_percentile", "2.1.0", "approx_percentile(col, p[, accuracy]): a value near the percentile; p may be an array.",
			sig(approxOut, oneOf(tNum, tDate, tAnyTS, tYearMonth, tDayTime), oneOf(tDouble, arrayOf(tDouble)).constant(), tIntegral.optional().constant()), argType, false, false,
			approxPercentile, "approx_percentile(col, 0.5) FROM VALUES (0), (6), (7), (9), (10) AS tab(col)", "7").alias("percentile_approx").own(),
		modeRow(),
		collected("histogram_numeric", "3.3.0", "histogram_numeric(col, n): a histogram of n bins of uneven width.",
			sig(histogramOut, oneOf(tNum, tDate, tAnyTS, tYearMonth, tDayTime), tInt.constant()), argType, false, false, histogram,
			"histogram_numeric(col, 5) FROM VALUES (0), (1), (2), (10) AS tab(col)", "[{0, 1.0}, {1, 1.0}, {2, 1.0}, {10, 1.0}]"),
		listaggRow(),
	)
}

func doubles(list *columnar.Vector, rows []uint32) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = number(list.ValueAt(int(r)), list.Type)
	}
	sort.Float64s(out)
	return out
}

func number(v any, t types.Type) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case float32:
		return float64(x)
	case types.Int128:
		return x.Float64(int(t.Scale))
	}
	n, _ := integerValue(v)
	return float64(n)
}

// interpolate is the percentile p of sorted values.
func interpolate(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	lo, hi := math.Floor(at), math.Ceil(at)
	if lo == hi || sorted[int(lo)] == sorted[int(hi)] {
		return sorted[int(lo)]
	}
	return (hi-at)*sorted[int(lo)] + (at-lo)*sorted[int(hi)]
}

func percentileOut(args []expr.Expr) types.Type {
	t := types.Double
	if args[0].Type().IsInterval() {
		t = types.DayTime
		if args[0].Type().Kind == types.YearMonthKind {
			t = types.YearMonth
		}
	}
	if len(args) > 1 && args[1].Type().Kind == types.ArrayKind {
		return types.Array(t, false)
	}
	return t
}

// ofDouble gives a percentile the result's type.
func ofDouble(f float64, t types.Type) any {
	switch t.Kind {
	case types.YearMonthKind:
		return int32(f)
	case types.DayTimeKind:
		return int64(f)
	}
	return f
}

// percentages are the constant percentages of an argument; many for an array.
func percentages(e expr.Expr) (list []float64, many bool) {
	switch v := constant(e).(type) {
	case float64:
		return []float64{v}, false
	case []any:
		for _, x := range v {
			f, _ := x.(float64)
			list = append(list, f)
		}
		return list, true
	}
	return nil, false
}

// answerEach computes one value, or one for each percentage.
func answerEach(e expr.Expr, f func(p float64) any) any {
	list, many := percentages(e)
	if !many {
		if len(list) == 0 {
			return nil
		}
		return f(list[0])
	}
	out := make([]any, len(list))
	for i, p := range list {
		out[i] = f(p)
	}
	return out
}

func scalarOf(t types.Type) types.Type {
	if t.Kind == types.ArrayKind {
		return t.Elem()
	}
	return t
}

func percentileRow(name, since, usage string, examples ...string) *Row {
	elem := func(a *expr.Agg) types.Type {
		if len(a.Args) < 3 {
			return argType(a)
		}
		return types.Struct(types.Field{Name: "v", Type: argType(a), Nullable: true}, types.Field{Name: "p", Type: a.Args[1].Type(), Nullable: true},
			types.Field{Name: "n", Type: types.Long, Nullable: true})
	}
	return collected(name, since, usage, sig(percentileOut, oneOf(tNum, tYearMonth, tDayTime), oneOf(tDouble, arrayOf(tDouble)).constant(), tLong.optional()), elem, false, false,
		func(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
			return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
				var sorted []float64
				if len(a.Args) < 3 {
					sorted = doubles(list, rows)
				} else {
					sorted = repeated(list, rows)
				}
				if len(sorted) == 0 {
					return nil, nil
				}
				return answerEach(a.Args[1], func(p float64) any { return ofDouble(interpolate(sorted, p), scalarOf(a.T)) }), nil
			}
		}, examples...)
}

// repeated are the values, each as often as its frequency says.
func repeated(list *columnar.Vector, rows []uint32) []float64 {
	var out []float64
	for _, r := range rows {
		n, _ := list.Kids[2].ValueAt(int(r)).(int64)
		v := number(list.Kids[0].ValueAt(int(r)), list.Kids[0].Type)
		for ; n > 0; n-- {
			out = append(out, v)
		}
	}
	sort.Float64s(out)
	return out
}

func medianRow() *Row {
	half := expr.NewLiteral(0.5, types.Double)
	return collected("median", "3.4.0", "median(col): the middle value, interpolated.", sig(percentileOut, oneOf(tNum, tYearMonth, tDayTime)), argType, false, false,
		func(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
			return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
				sorted := doubles(list, rows)
				if len(sorted) == 0 {
					return nil, nil
				}
				return answerEach(half, func(p float64) any { return ofDouble(interpolate(sorted, p), a.T) }), nil
			}
		}, "median(col) FROM VALUES (0), (10) AS tab(col)", "5.0")
}

// withinRow is an ordered-set percentile: the ordering column becomes the first argument, a descending order the third.
func withinRow(name string, disc bool, usage string, examples ...string) *Row {
	r := collected(name, "3.3.0", usage, sig(percentileOut, oneOf(tNum, tYearMonth, tDayTime), oneOf(tDouble, arrayOf(tDouble)).constant(), tBool.optional()), argType, false, false,
		func(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
			desc := len(a.Args) > 2 && constant(a.Args[2]) == true
			return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
				sorted := doubles(list, rows)
				if len(sorted) == 0 {
					return nil, nil
				}
				if desc {
					sort.Sort(sort.Reverse(sort.Float64Slice(sorted)))
				}
				return answerEach(a.Args[1], func(p float64) any {
					if disc {
						return ofDouble(sorted[max(int(math.Ceil(p*float64(len(sorted))))-1, 0)], scalarOf(a.T))
					}
					return ofDouble(interpolate(sorted, p), scalarOf(a.T))
				}), nil
			}
		}, examples...)
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		q := *call
		if len(call.Order) == 1 {
			if err := needArgs(call, 1, 1); err != nil {
				return nil, err
			}
			q.Args = []expr.Expr{call.Order[0].Child, call.Args[0]}
			if call.Order[0].Desc {
				q.Args = append(q.Args, expr.True)
			}
			q.Order = nil
		}
		return r.bindSig(env, &q)
	}
	return r
}

func approxOut(args []expr.Expr) types.Type {
	if args[1].Type().Kind == types.ArrayKind {
		return types.Array(args[0].Type(), false)
	}
	return args[0].Type()
}

// approxPercentile answers with a value of the column whose rank reaches the percentage.
func approxPercentile(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
	return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
		if len(rows) == 0 {
			return nil, nil
		}
		sorted := kernel.SortRows(list, rows, false, false)
		return answerEach(a.Args[1], func(p float64) any {
			at := max(int(math.Ceil(p*float64(len(sorted))))-1, 0)
			return list.ValueAt(int(sorted[min(at, len(sorted)-1)]))
		}), nil
	}
}

func modeRow() *Row {
	r := collected("mode", "3.4.0", "mode(col[, deterministic]): the most frequent value.", sig(like(0), tAny, tBool.optional().constant()), argType, false, false,
		func(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
			lowest := len(a.Args) > 1 && constant(a.Args[1]) == true
			desc := len(a.Args) > 2
			return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
				if lowest && list.Type.IsOrderable() {
					rows = kernel.SortRows(list, rows, desc, false)
				}
				count := map[string]int{}
				best, most := -1, 0
				keys := make([]string, len(rows))
				for i, r := range rows {
					keys[i] = string(kernel.AppendKey(nil, list, int(r)))
					count[keys[i]]++
				}
				for i, k := range keys {
					if count[k] > most {
						best, most = i, count[k]
					}
				}
				if best < 0 {
					return nil, nil
				}
				return list.ValueAt(int(rows[best])), nil
			}
		}, "mode(col) FROM VALUES (0), (10), (10) AS tab(col)", "10")
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		q := *call
		if len(call.Order) == 1 && len(call.Args) == 0 {
			q.Args, q.Order = []expr.Expr{call.Order[0].Child, expr.True}, nil
		}
		return r.bindSig(env, &q)
	}
	return r
}

func histogramOut(args []expr.Expr) types.Type {
	return types.Array(types.Struct(types.Field{Name: "x", Type: args[0].Type(), Nullable: true}, types.Field{Name: "y", Type: types.Double, Nullable: true}), true)
}

// histogram merges the closest neighbours until no more than n bins are left.
func histogram(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
	return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
		n, _ := integerValue(constant(a.Args[1]))
		type bin struct{ x, y float64 }
		var bins []bin
		for _, v := range doubles(list, rows) {
			if k := len(bins); k > 0 && bins[k-1].x == v {
				bins[k-1].y++
			} else {
				bins = append(bins, bin{v, 1})
			}
		}
		for int64(len(bins)) > max(n, 1) {
			at := 0
			for i := 1; i+1 < len(bins); i++ {
				if bins[i+1].x-bins[i].x < bins[at+1].x-bins[at].x {
					at = i
				}
			}
			l, r := bins[at], bins[at+1]
			bins[at] = bin{(l.x*l.y + r.x*r.y) / (l.y + r.y), l.y + r.y}
			bins = append(bins[:at+1], bins[at+2:]...)
		}
		if len(bins) == 0 {
			return nil, nil
		}
		out := make([]any, len(bins))
		for i, b := range bins {
			out[i] = []any{numberAs(b.x, list.Type), b.y}
		}
		return out, nil
	}
}

// numberAs is a double as a value of a numeric or datetime type.
func numberAs(f float64, t types.Type) any {
	switch t.Kind {
	case types.DoubleKind:
		return f
	case types.FloatKind:
		return float32(f)
	case types.DecimalKind:
		v, s, _ := types.DecimalFromFloat(f, 64)
		v, _ = types.Rescale(v, s, int(t.Scale))
		return v
	case types.DateKind, types.YearMonthKind:
		return int32(f)
	}
	return asInteger(int64(f), t)
}

// listaggRow joins texts. Order columns follow the arguments in Update.
func listaggRow() *Row {
	elem := func(a *expr.Agg) types.Type {
		fields := []types.Field{{Name: "v", Type: argType(a), Nullable: true}}
		for _, x := range a.Args[1:] {
			fields = append(fields, types.Field{Name: "d", Type: x.Type(), Nullable: true})
		}
		for _, o := range a.Order {
			fields = append(fields, types.Field{Name: "o", Type: o.Child.Type(), Nullable: true})
		}
		return types.Struct(fields...)
	}
	return collected("listagg", "4.0.0", "listagg(expr[, delimiter]) [WITHIN GROUP (ORDER BY …)]: the values joined to one text.",
		sig(like(0), tStrBin, tStrBin.orElse(expr.NewLiteral(nil, types.Null)).constant()), elem, false, false,
		func(a *expr.Agg) func(*kernel.Ctx, *columnar.Vector, []uint32) (any, error) {
			delim := textOf(constant(a.Args[1]))
			return func(_ *kernel.Ctx, list *columnar.Vector, rows []uint32) (any, error) {
				if len(rows) == 0 {
					return nil, nil
				}
				for i := len(a.Order) - 1; i >= 0; i-- {
					kid := list.Kids[len(a.Args)+i].Flatten()
					rows = kernel.SortRows(&kid, rows, a.Order[i].Desc, !a.Order[i].NullsFirst)
				}
				parts := make([]string, len(rows))
				for i, r := range rows {
					parts[i] = string(list.Kids[0].Text(int(r)))
				}
				text := strings.Join(parts, delim)
				if a.T.Kind == types.BinaryKind {
					return []byte(text), nil
				}
				return text, nil
			}
		}, "listagg(col, ', ') FROM VALUES ('a'), ('b'), ('c') AS tab(col)", "a, b, c").alias("string_agg").own()
}

func textOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	}
	return ""
}
