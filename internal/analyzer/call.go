package analyzer

import (
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// printed is how a call that became another expression is shown in column names: as it was written.
type printed struct {
	name string
	args []expr.Expr
}

// call resolves a function call that is not over a window.
func (r *resolver) call(f *expr.Func, s *scope) (expr.Expr, error) { return r.apply(f, s, false) }

// apply resolves a call; over says that a window follows, so that an aggregate runs over the window.
func (r *resolver) apply(f *expr.Func, s *scope, over bool) (expr.Expr, error) {
	if len(f.Name) == 1 {
		if e, done, err := r.special(f, s); done || err != nil {
			return e, err
		}
	}
	row, user, err := r.routine(f)
	if err != nil {
		return nil, err
	}
	aggregate := row != nil && row.Kind == function.Aggregate
	in := s
	if aggregate && s.below != nil {
		in = &scope{cols: s.below.cols, df: s.below.df, below: &scope{cols: s.cols}, strict: s.strict}
	}
	before := r.flags
	r.flags = 0
	q, err := r.arguments(f, in)
	if err != nil {
		return nil, err
	}
	inside := r.flags
	r.flags |= before
	if user != nil {
		return r.userCall(user, q, s)
	}
	if aggregate && !over {
		if inside&hasAgg != 0 {
			return nil, fail(f.At, "NESTED_AGGREGATE_FUNCTION")
		}
		if inside&hasWindow != 0 {
			return nil, fail(f.At, "_LEGACY_ERROR_TEMP_1031")
		}
		r.flags |= hasAgg
	}
	if inside&hasGenerator != 0 {
		return nil, fail(nil, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.sqlExpr(q))
	}
	switch {
	case row.Kind == function.WindowFunc && !over:
		return nil, fail(f.At, "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "funcName", `"`+strings.ToLower(f.Name[len(f.Name)-1])+"("+sqlArgs(r, q.Args)+`)"`)
	case row.Kind == function.Generator:
		r.flags |= hasGenerator
	}
	return r.bindIn(row, q, s)
}

func sqlArgs(r *resolver, args []expr.Expr) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = r.sql(a)
	}
	return strings.Join(parts, ", ")
}

// routine finds what a call's name means: a session's own function, a built-in one, or one of the catalog.
func (r *resolver) routine(f *expr.Func) (*function.Row, *catalog.Function, error) {
	if r.ctx.Catalog != nil && !f.Internal && len(f.Name) <= 3 {
		if fn, err := r.userFunction(f); fn != nil || err != nil {
			return nil, fn, err
		}
	}
	if row, ok := builtin(f); ok {
		return row, nil, nil
	}
	return nil, nil, r.noRoutine(f)
}

// userFunction looks a name up in the catalog; built-in names of one part stand before those that are not temporary.
func (r *resolver) userFunction(f *expr.Func) (*catalog.Function, error) {
	_, isBuiltin := builtin(f)
	if isBuiltin && len(f.Name) > 1 {
		return nil, nil
	}
	if isBuiltin {
		t, ok := r.ctx.Catalog.(interface {
			TempFunction(name string) *catalog.Function
		})
		if !ok {
			return nil, nil
		}
		return t.TempFunction(f.Name[0]), nil
	}
	return r.ctx.Catalog.Function(f.Name, r.path)
}

// builtin finds a row by a plain name or one qualified by builtin or system.builtin.
func builtin(f *expr.Func) (*function.Row, bool) {
	n := len(f.Name)
	switch {
	case n == 2 && !strings.EqualFold(f.Name[0], "builtin"), n == 3 && !(strings.EqualFold(f.Name[0], "system") && strings.EqualFold(f.Name[1], "builtin")), n == 0, n > 3:
		return nil, false
	}
	row, ok := function.Lookup(f.Name[n-1])
	return row, ok && (!row.Internal || f.Internal || !isWord(f.Name[n-1]) || row.Kind == function.Special)
}

func isWord(s string) bool { return s != "" && (s[0] == '_' || s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') }

func (r *resolver) noRoutine(f *expr.Func) error {
	return fail(f.At, "UNRESOLVED_ROUTINE", "routineName", sqlID(f.Name...), "searchPath", r.searchPath())
}

// searchPath is the list of places where unqualified names are looked up, as messages show it.
func (r *resolver) searchPath() string {
	cat, db := "spark_catalog", "default"
	if len(r.path) == 2 {
		cat, db = r.path[0], r.path[1]
	} else if r.ctx.Catalog != nil {
		cat, db = r.ctx.Catalog.Current()
	}
	return "[`system`.`builtin`, `system`.`session`, " + sqlID(cat, db) + "]"
}

// bind coerces resolved arguments by the row of the function.
func (r *resolver) bind(row *function.Row, f *expr.Func, args []expr.Expr) (expr.Expr, error) {
	q := *f
	q.Args = args
	return r.bindIn(row, &q, &scope{})
}

func (r *resolver) bindIn(row *function.Row, f *expr.Func, s *scope) (expr.Expr, error) {
	env := r.env
	higher := false
	env.Lambda = func(l *expr.Lambda, params ...types.Field) (*expr.Lambda, error) {
		higher = true
		return r.lambdaBody(l, params, s)
	}
	f.Internal = true
	e, err := function.Bind(&env, f)
	if !higher && slices.ContainsFunc(f.Args, func(a expr.Expr) bool { _, is := a.(*expr.Lambda); return is }) {
		return nil, fail(f.At, "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "class", row.Name)
	}
	if err != nil {
		return nil, located(err, f.At)
	}
	r.remember(row, f, e)
	return e, nil
}

// remember notes how a call is printed that became something else.
func (r *resolver) remember(row *function.Row, f *expr.Func, e expr.Expr) {
	name := f.Name[len(f.Name)-1]
	switch x := e.(type) {
	case *expr.Call:
		if strings.EqualFold(x.Name, name) || x.Name == row.Name || !isWord(name) {
			return
		}
	case *expr.Agg:
		if strings.EqualFold(x.Name, name) || x.Name == row.Name {
			return
		}
	case *expr.Cast:
		if !isWord(name) || len(f.Args) == 1 {
			return
		}
	default:
		return
	}
	for _, a := range f.Args {
		if a == e {
			return
		}
	}
	if r.printed == nil {
		r.printed = map[expr.Expr]printed{}
	}
	r.printed[e] = printed{strings.ToLower(name), f.Args}
}

// arguments resolves everything a call holds: stars are expanded, names of arguments kept, lambdas left to binding.
func (r *resolver) arguments(f *expr.Func, s *scope) (*expr.Func, error) {
	q := *f
	q.Args = make([]expr.Expr, 0, len(f.Args))
	for _, a := range f.Args {
		var err error
		if q.Args, err = r.argumentOf(f, a, s, q.Args); err != nil {
			return nil, err
		}
	}
	var err error
	if f.Filter != nil {
		if q.Filter, err = r.aggFilter(f, s); err != nil {
			return nil, err
		}
	}
	q.Order, err = r.orders(f.Order, s)
	return &q, err
}

func (r *resolver) argumentOf(f *expr.Func, a expr.Expr, s *scope, out []expr.Expr) ([]expr.Expr, error) {
	switch x := a.(type) {
	case *expr.Star, *expr.Regex:
		list, err := r.starArgument(f, a, s)
		return append(out, list...), err
	case *expr.Lambda:
		return append(out, x), nil
	case *expr.NamedArg:
		if _, ok := x.Value.(*expr.Lambda); ok {
			return append(out, x), nil
		}
		v, err := r.expr(x.Value, s)
		if err != nil {
			return nil, err
		}
		return append(out, &expr.NamedArg{Name: x.Name, Value: unalias(v)}), nil
	case *expr.Alias:
		e, err := r.expr(x, s)
		if err != nil {
			return nil, err
		}
		if n := strings.ToLower(f.Name[len(f.Name)-1]); n != "struct" && n != "named_struct" {
			e = unalias(e)
		}
		return append(out, e), nil
	}
	e, err := r.expr(a, s)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(f.Name[len(f.Name)-1], "struct") {
		e = unalias(e)
	}
	return append(out, e), nil
}

// starArgument expands a star among the arguments: count(*) counts rows, other functions get the columns.
func (r *resolver) starArgument(f *expr.Func, a expr.Expr, s *scope) ([]expr.Expr, error) {
	st, _ := a.(*expr.Star)
	if st != nil && strings.EqualFold(f.Name[len(f.Name)-1], "count") && len(f.Args) == 1 {
		if len(st.Target) == 0 && len(st.Except) == 0 && !f.Distinct {
			return []expr.Expr{&expr.Literal{Value: int32(1), T: types.Int}}, nil
		}
		if len(st.Target) > 0 && !f.Distinct && r.conf("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount") != "true" {
			return nil, fail(nil, "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", "tableName", strings.Join(st.Target, "."))
		}
	}
	list, err := r.expand(a, s)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(f.Name[len(f.Name)-1], "struct") {
		return list, nil
	}
	for i, e := range list {
		list[i] = unalias(e)
	}
	return list, nil
}

func (r *resolver) conf(key string) string {
	if r.ctx.Session == nil || r.ctx.Session.Conf == nil {
		return ""
	}
	return r.ctx.Session.Conf(key)
}

// aggFilter resolves FILTER (WHERE …): boolean, deterministic, without aggregates and windows.
func (r *resolver) aggFilter(f *expr.Func, s *scope) (expr.Expr, error) {
	before := r.flags
	r.flags = 0
	c, err := r.condition(f.Filter, s)
	if err != nil {
		return nil, err
	}
	bad := ""
	switch {
	case r.flags&hasAgg != 0:
		bad = "CONTAINS_AGGREGATE"
	case r.flags&hasWindow != 0:
		bad = "CONTAINS_WINDOW_FUNCTION"
	case c.Type().Kind != types.BooleanKind && c.Type().Kind != types.NullKind:
		bad = "NOT_BOOLEAN"
	case !function.Deterministic(c):
		bad = "NON_DETERMINISTIC"
	}
	if bad != "" {
		return nil, fail(f.At, "INVALID_AGGREGATE_FILTER."+bad, "filterExpr", r.sqlExpr(c), "aggExpr", r.sqlExpr(c), "windowExpr", r.sqlExpr(c))
	}
	r.flags |= before
	return r.to(c, types.Boolean), nil
}

// special resolves calls that are no rows of the function table.
func (r *resolver) special(f *expr.Func, s *scope) (expr.Expr, bool, error) {
	switch n := f.Name[0]; len(n) {
	case len("window"), len("session_window"):
		if _, ok := isTimeWindow(f); ok {
			e, err := r.windowCall(f, s)
			return e, true, err
		}
	case len("grouping"):
		if strings.EqualFold(n, "grouping") {
			e, err := r.groupingCall(f, s)
			return e, true, err
		}
	case len("grouping_id"):
		if strings.EqualFold(n, "grouping_id") {
			e, err := r.groupingCall(f, s)
			return e, true, err
		}
		if strings.EqualFold(n, "window_time") && len(f.Args) == 1 {
			e, err := r.windowTime(f, s)
			return e, true, err
		}
	}
	return nil, false, nil
}

// lambdaScope holds the parameters of the lambdas around.
type lambdaScope struct {
	vars   []*expr.LambdaVar
	parent *lambdaScope
}

// lambdaVar resolves a name to a parameter of a lambda around it.
func (r *resolver) lambdaVar(a *expr.Attribute) (expr.Expr, error) {
	for l := r.lambda; l != nil; l = l.parent {
		for _, v := range l.vars {
			if !r.same(v.Name, a.Name[0]) {
				continue
			}
			var e expr.Expr = v
			for _, f := range a.Name[1:] {
				var err error
				if e, err = r.extract(e, expr.NewLiteral(f, types.String), a.At); err != nil {
					return nil, err
				}
			}
			return e, nil
		}
	}
	return nil, nil
}

// lambdaBody resolves a lambda against parameters of known types; it may take fewer than are offered.
func (r *resolver) lambdaBody(l *expr.Lambda, params []types.Field, s *scope) (*expr.Lambda, error) {
	if len(l.Params) > len(params) {
		return nil, sparkerr.New("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "expectedNumArgs", itoa(len(params)), "actualNumArgs", itoa(len(l.Params)))
	}
	vars := make([]*expr.LambdaVar, len(l.Params))
	for i, p := range l.Params {
		for _, q := range l.Params[:i] {
			if r.same(p.Name, q.Name) {
				return nil, sparkerr.New("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "args", sqlNames(l.Params), "caseSensitiveConfig", `"spark.sql.caseSensitive"`)
			}
		}
		vars[i] = &expr.LambdaVar{Name: p.Name, ID: expr.NextID(), T: params[i].Type, Null: params[i].Nullable}
	}
	r.lambda = &lambdaScope{vars: vars, parent: r.lambda}
	body, err := r.expr(l.Body, s)
	r.lambda = r.lambda.parent
	if err != nil {
		return nil, err
	}
	return &expr.Lambda{Params: vars, Body: unalias(body)}, nil
}

func sqlNames(vars []*expr.LambdaVar) string {
	parts := make([]string, len(vars))
	for i, v := range vars {
		parts[i] = sqlID(v.Name)
	}
	return strings.Join(parts, ", ")
}
