package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// timeWindow is a call of window(time, length[, slide[, start]]): rows are put into windows of time.
type timeWindow struct {
	time                 expr.Expr
	length, slide, start int64 // µs
}

// isTimeWindow says whether an unresolved expression is a call of window or session_window, and finds it.
func isTimeWindow(e expr.Expr) (*expr.Func, bool) {
	f, ok := e.(*expr.Func)
	if !ok || len(f.Name) != 1 || len(f.Args) == 0 {
		return nil, false
	}
	return f, len(f.Args) >= 2 && (strings.EqualFold(f.Name[0], "window") || strings.EqualFold(f.Name[0], "session_window"))
}

// hasTimeWindow looks at the top of a select list only.
func hasTimeWindow(list []expr.Expr) bool {
	for _, e := range list {
		if _, ok := isTimeWindow(unalias(e)); ok {
			return true
		}
	}
	return false
}

// withTimeWindow puts the column `window` below a node whose expressions call window(…). The calls then mean the column.
func (r *resolver) withTimeWindow(x rel, lists ...[]expr.Expr) (rel, error) {
	var call *expr.Func
	for _, list := range lists {
		for _, e := range list {
			if e == nil {
				continue
			}
			expr.Walk(e, func(x expr.Expr) bool {
				if f, ok := isTimeWindow(x); ok && call == nil {
					call = f
				}
				_, sub := x.(*expr.Subquery)
				return call == nil && !sub
			})
		}
	}
	if call == nil {
		return x, nil
	}
	if !strings.EqualFold(call.Name[0], "window") {
		return r.withSessions(x, call, lists)
	}
	w, err := r.timeWindow(call, r.scopeOf(x))
	if err != nil {
		return rel{}, err
	}
	y, column, err := r.addWindow(x, w)
	if err != nil {
		return rel{}, err
	}
	r.timed = &windowColumn{w, column}
	return y, nil
}

// windowColumn is the column that calls of window(…) mean.
type windowColumn struct {
	w   *timeWindow
	col *expr.Column
}

// timeWindow resolves the arguments of window(…).
func (r *resolver) timeWindow(f *expr.Func, s *scope) (*timeWindow, error) {
	if len(f.Args) > 4 {
		return nil, fail(f.At, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`window`", "expectedNum", "[2, 3, 4]", "actualNum", itoa(len(f.Args)),
			"docroot", "https://spark.apache.org/docs/latest")
	}
	t, err := r.expr(f.Args[0], s)
	if err != nil {
		return nil, err
	}
	t = unalias(t)
	switch t.Type().Kind {
	case types.TimestampKind:
	case types.StringKind, types.DateKind, types.TimestampNTZKind:
		t = r.to(t, types.Timestamp)
	default:
		return nil, fail(f.At, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.sqlExpr(f), "paramIndex", "first",
			"requiredType", `("TIMESTAMP" or "TIMESTAMP WITHOUT TIME ZONE")`, "inputSql", r.sqlExpr(t), "inputType", sqlType(t.Type()))
	}
	w := &timeWindow{time: t}
	for i, to := range []*int64{&w.length, &w.slide, &w.start} {
		if i+1 >= len(f.Args) {
			break
		}
		if *to, err = r.duration(f.Args[i+1]); err != nil {
			return nil, err
		}
	}
	if len(f.Args) < 3 {
		w.slide = w.length
	}
	switch {
	case w.length <= 0:
		return nil, windowValue(f, "window_duration", w.length)
	case w.slide <= 0:
		return nil, windowValue(f, "slide_duration", w.slide)
	case w.slide > w.length:
		return nil, fail(f.At, "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "sqlExpr", `"window"`, "leftExprName", "`slide_duration`",
			"leftExprValue", itoa(int(w.slide))+"L", "constraint", "<=", "rightExprName", "`window_duration`", "rightExprValue", itoa(int(w.length))+"L")
	}
	return w, nil
}

func windowValue(f *expr.Func, name string, v int64) error {
	return fail(f.At, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", `"window"`, "exprName", "`"+name+"`", "valueRange", "(0, 9223372036854775807]",
		"currentValue", itoa(int(v))+"L")
}

// duration reads an interval: text, or a day-time interval. Months have no fixed length.
func (r *resolver) duration(e expr.Expr) (int64, error) {
	x, err := r.expr(e, &scope{strict: true})
	if err != nil {
		return 0, err
	}
	v, err := r.fold(unalias(x))
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case int64:
		return v, nil
	case types.CalendarInterval:
		if v.Months == 0 {
			return int64(v.Days)*86400e6 + v.Micros, nil
		}
	case string:
		c, ok := types.ParseCalendar(v)
		if !ok {
			return 0, fail(originOf(e), "CANNOT_PARSE_INTERVAL", "intervalString", "'"+v+"'")
		}
		if c.Months == 0 {
			return int64(c.Days)*86400e6 + c.Micros, nil
		}
		return 0, sparkerr.New("_LEGACY_ERROR_TEMP_3231", "interval", v)
	}
	return 0, fail(originOf(e), "_LEGACY_ERROR_TEMP_1207")
}

// arithmetic builds resolved expressions and keeps the first error.
type arithmetic struct {
	r   *resolver
	err error
}

func (a *arithmetic) f(name string, args ...expr.Expr) expr.Expr {
	if a.err != nil {
		return &expr.Literal{}
	}
	e, err := a.r.operator(name, args...)
	if err != nil {
		a.err = err
		return &expr.Literal{}
	}
	return e
}

func long(v int64) expr.Expr { return expr.NewLiteral(v, types.Long) }

// addWindow puts each row into its window, or a copy of it into each of its windows when they overlap.
func (r *resolver) addWindow(x rel, w *timeWindow) (rel, *expr.Column, error) {
	a := &arithmetic{r: r}
	micros := a.f("unix_micros", w.time)
	rest := a.f("%", a.f("-", micros, long(w.start)), long(w.slide))
	rest = a.f("if", a.f("<", rest, long(0)), a.f("+", rest, long(w.slide)), rest)
	last := a.f("-", micros, rest)
	n := int((w.length + w.slide - 1) / w.slide)
	structs := make([]expr.Expr, n)
	for i := range structs {
		start := a.f("-", last, long(int64(i)*w.slide))
		structs[i] = namedStruct([]expr.Expr{expr.NewLiteral("start", types.String), a.f("timestamp_micros", start),
			expr.NewLiteral("end", types.String), a.f("timestamp_micros", a.f("+", start, long(w.length)))})
	}
	if a.err != nil {
		return rel{}, nil, a.err
	}
	present := &logical.Filter{Cond: expr.IsNotNull(w.time), Child: x.p}
	if n == 1 {
		item := &expr.Alias{Child: structs[0], Name: "window", ID: expr.NextID()}
		list := append(columnExprs(x.out), item)
		return rel{p: &logical.Project{List: list, Child: present}, out: outputs(list), hint: x.hint}, item.Column(), nil
	}
	c := &expr.Column{ID: expr.NextID(), Name: "window", T: structs[0].Type()}
	projections := make([][]expr.Expr, n)
	for i, s := range structs {
		projections[i] = append(columnExprs(x.out), s)
	}
	out := append(x.out[:len(x.out):len(x.out)], c)
	var p logical.Plan = &logical.Expand{Projections: projections, Out: out, Child: present}
	fields := c.T.Fields()
	in := a.f("and", a.f(">=", w.time, r.getField(c, fields[0])), a.f("<", w.time, r.getField(c, fields[1])))
	if a.err != nil {
		return rel{}, nil, a.err
	}
	return rel{p: &logical.Filter{Cond: in, Child: p}, out: out, hint: x.hint}, c, nil
}

// windowCall resolves a call of window(…) to the column that stands for it.
func (r *resolver) windowCall(f *expr.Func, s *scope) (expr.Expr, error) {
	w, err := r.timeWindow(f, s)
	if err != nil {
		return nil, err
	}
	if r.timed == nil {
		return nil, fail(f.At, "_LEGACY_ERROR_TEMP_1039")
	}
	have := r.timed.w
	if !expr.Same(have.time, w.time) || have.length != w.length || have.slide != w.slide || have.start != w.start {
		return nil, fail(f.At, "_LEGACY_ERROR_TEMP_1039")
	}
	return r.timed.col, nil
}

// windowTime is window_time(w): the last instant of a window.
func (r *resolver) windowTime(f *expr.Func, s *scope) (expr.Expr, error) {
	e, err := r.expr(f.Args[0], s)
	if err != nil {
		return nil, err
	}
	e = unalias(e)
	if t := e.Type(); t.Kind != types.StructKind || len(t.Fields()) != 2 || t.Fields()[1].Name != "end" {
		return nil, fail(f.At, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.sqlExpr(f), "paramIndex", "first", "requiredType", `"STRUCT<start: TIMESTAMP, end: TIMESTAMP>"`,
			"inputSql", r.sqlExpr(e), "inputType", sqlType(t))
	}
	a := &arithmetic{r: r}
	out := a.f("timestamp_micros", a.f("-", a.f("unix_micros", r.getField(e, e.Type().Fields()[1])), long(1)))
	if a.err != nil {
		return nil, a.err
	}
	if r.printed == nil {
		r.printed = map[expr.Expr]printed{}
	}
	r.printed[out] = printed{"window_time", []expr.Expr{e}}
	return out, nil
}

// withSessions puts the column `session_window` below an aggregate: rows of the same keys belong to one session as long as each
// comes no later than the gap after the one before.
func (r *resolver) withSessions(x rel, call *expr.Func, lists [][]expr.Expr) (rel, error) {
	s := r.scopeOf(x)
	w, err := r.sessionArgs(call, s)
	if err != nil {
		return rel{}, err
	}
	var keys []expr.Expr
	for _, g := range lists[0] {
		if l, ok := g.(*expr.Literal); ok && len(lists) > 1 {
			if n, ok := toInt(l.Value); ok && n >= 1 && int(n) <= len(lists[1]) {
				g = lists[1][n-1]
			}
		}
		if _, ok := isTimeWindow(unalias(g)); ok {
			continue
		}
		k, err := r.expr(unalias(g), s)
		if err != nil {
			return rel{}, err
		}
		keys = append(keys, unalias(k))
	}
	order := []expr.SortOrder{{Child: w.time, NullsFirst: true}}
	over := func(f *expr.Func, by []expr.Expr, order []expr.SortOrder) expr.Expr {
		return &expr.Window{Func: f, Spec: expr.WindowSpec{Partition: by, Order: order}}
	}
	name := func(n string) expr.Expr { return &expr.Attribute{Name: []string{n}} }
	cols := columnExprs(x.out)
	with := func(p logical.Plan, n string, e expr.Expr, keep ...expr.Expr) logical.Plan {
		list := append(append(cols[:len(cols):len(cols)], keep...), &expr.Alias{Child: e, Name: n})
		return &logical.Project{List: list, Child: p}
	}
	micros := func(e expr.Expr) expr.Expr { return expr.NewFunc("unix_micros", e) }
	var p logical.Plan = &logical.Resolved{Plan: &logical.Filter{Cond: expr.IsNotNull(w.time), Child: x.p}}
	p = with(p, "_before", over(expr.NewFunc("lag", w.time), keys, order))
	begins := expr.NewFunc("or", expr.NewFunc("isnull", name("_before")), expr.NewFunc(">", micros(w.time), expr.NewFunc("+", micros(name("_before")), long(w.length))))
	p = with(p, "_session", over(expr.NewFunc("sum", expr.NewFunc("when", begins, long(1), long(0))), keys, order))
	by := append(keys[:len(keys):len(keys)], name("_session"))
	end := expr.NewFunc("timestamp_micros", expr.NewFunc("+", micros(over(expr.NewFunc("max", w.time), by, nil)), long(w.length)))
	p = with(p, "session_window", expr.NewFunc("named_struct", expr.NewLiteral("start", types.String), over(expr.NewFunc("min", w.time), by, nil),
		expr.NewLiteral("end", types.String), end))
	y, err := r.closed(p)
	if err != nil {
		return rel{}, err
	}
	y.hint = x.hint
	r.timed = &windowColumn{w, y.out[len(y.out)-1]}
	return y, nil
}

// sessionArgs are the time and the gap of session_window(time, gap).
func (r *resolver) sessionArgs(f *expr.Func, s *scope) (*timeWindow, error) {
	if len(f.Args) != 2 {
		return nil, fail(f.At, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`session_window`", "expectedNum", "2", "actualNum", itoa(len(f.Args)),
			"docroot", "https://spark.apache.org/docs/latest")
	}
	if c, ok := f.Args[1].(*expr.Func); ok && !foldableCall(c) {
		return nil, sparkerr.Unsupported("session_window with a gap that depends on the row")
	}
	return r.timeWindow(f, s)
}

// foldableCall says whether an unresolved call names no columns.
func foldableCall(f *expr.Func) bool {
	return !expr.Any(f, func(e expr.Expr) bool { _, ok := e.(*expr.Attribute); return ok })
}
