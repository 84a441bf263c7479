package analyzer

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// window resolves a function over a window.
func (r *resolver) window(x *expr.Window, s *scope) (expr.Expr, error) {
	spec, err := r.namedWindow(x)
	if err != nil {
		return nil, err
	}
	before := r.flags
	r.flags = 0
	f, ok := x.Func.(*expr.Func)
	var fn expr.Expr
	switch {
	case ok:
		fn, err = r.apply(f, s, true)
	default:
		fn, err = r.expr(x.Func, s)
	}
	if err != nil {
		return nil, err
	}
	w := &expr.Window{Func: unalias(fn), At: x.At}
	if w.Spec.Partition, err = r.exprs(spec.Partition, s); err != nil {
		return nil, err
	}
	for i, p := range w.Spec.Partition {
		w.Spec.Partition[i] = unalias(p)
	}
	if w.Spec.Order, err = r.orders(spec.Order, s); err != nil {
		return nil, err
	}
	if err := r.orderable(w.Spec.Order); err != nil {
		return nil, err
	}
	if err := r.frameOf(w, spec, s); err != nil {
		return nil, err
	}
	if r.flags&hasWindow != 0 {
		return nil, sparkerr.Unsupported("a window function within another one")
	}
	r.flags = before | hasWindow | r.flags&^hasWindow
	return w, r.checkWindow(w, x)
}

// namedWindow merges what a window takes over from the WINDOW clause.
func (r *resolver) namedWindow(x *expr.Window) (expr.WindowSpec, error) {
	spec := x.Spec
	for depth := 0; spec.Ref != ""; depth++ {
		base, ok := r.findWindow(spec.Ref)
		if !ok || depth > 50 {
			return spec, fail(x.At, "MISSING_WINDOW_SPECIFICATION", "windowName", spec.Ref, "docroot", "https://spark.apache.org/docs/latest")
		}
		if len(spec.Partition) > 0 {
			base.Partition = spec.Partition
		}
		if len(spec.Order) > 0 {
			base.Order = spec.Order
		}
		if spec.Unit != expr.DefaultFrame {
			base.Unit, base.Lower, base.Upper = spec.Unit, spec.Lower, spec.Upper
		}
		spec = base
	}
	return spec, nil
}

func (r *resolver) findWindow(name string) (expr.WindowSpec, bool) {
	if w, ok := r.windows[name]; ok {
		return w, true
	}
	for n, w := range r.windows {
		if r.same(n, name) {
			return w, true
		}
	}
	return expr.WindowSpec{}, false
}

// rankLike are the window functions that always run over ROWS UNBOUNDED PRECEDING .. CURRENT ROW.
var rankLike = map[string]bool{"row_number": true, "rank": true, "dense_rank": true, "percent_rank": true, "ntile": true}

// frameSQL prints a frame alone.
func frameSQL(s *expr.WindowSpec) string {
	return strings.Trim((&expr.WindowSpec{Unit: s.Unit, Lower: s.Lower, Upper: s.Upper}).SQL(), "()")
}

// frameOf resolves the frame: what is not given follows from the function and the order.
func (r *resolver) frameOf(w *expr.Window, spec expr.WindowSpec, s *scope) error {
	c, isCall := w.Func.(*expr.Call)
	to := &w.Spec
	to.Unit, to.Lower, to.Upper = spec.Unit, spec.Lower, spec.Upper
	switch {
	case isCall && (c.Name == "lag" || c.Name == "lead"):
		return r.offsetFrame(w, c, spec)
	case isCall && rankLike[c.Name]:
		required := expr.WindowSpec{Unit: expr.Rows, Lower: expr.Bound{Kind: expr.UnboundedPreceding}, Upper: expr.Bound{Kind: expr.CurrentRow}}
		if spec.Unit != expr.DefaultFrame && !(spec.Unit == expr.Rows && spec.Lower.Kind == expr.UnboundedPreceding && spec.Upper.Kind == expr.CurrentRow) {
			return fail(w.At, "_LEGACY_ERROR_TEMP_1036", "wf", frameSQL(&spec), "required", frameSQL(&required))
		}
		to.Unit, to.Lower, to.Upper = required.Unit, required.Lower, required.Upper
	case isCall && c.Name == "cume_dist", spec.Unit == expr.DefaultFrame && len(to.Order) > 0:
		to.Unit, to.Lower, to.Upper = expr.Range, expr.Bound{Kind: expr.UnboundedPreceding}, expr.Bound{Kind: expr.CurrentRow}
	case spec.Unit == expr.DefaultFrame:
		to.Unit, to.Lower, to.Upper = expr.Rows, expr.Bound{Kind: expr.UnboundedPreceding}, expr.Bound{Kind: expr.UnboundedFollowing}
	default:
		return r.givenFrame(w, s)
	}
	return nil
}

// offsetFrame is the one row that lag and lead look at.
func (r *resolver) offsetFrame(w *expr.Window, c *expr.Call, spec expr.WindowSpec) error {
	if spec.Unit != expr.DefaultFrame {
		return fail(w.At, "WINDOW_FUNCTION_AND_FRAME_MISMATCH", "funcName", sqlID(c.Name), "windowExpr", r.sqlExpr(w))
	}
	var offset expr.Expr = expr.NewLiteral(int32(1), types.Int)
	if len(c.Args) > 1 {
		offset = c.Args[1]
	}
	if c.Name == "lag" {
		v, err := r.fold(offset)
		if err != nil {
			return err
		}
		if n, ok := toInt(v); ok {
			offset = expr.NewLiteral(int32(-n), types.Int)
		}
	}
	b := expr.Bound{Kind: expr.Following, Offset: offset}
	w.Spec.Unit, w.Spec.Lower, w.Spec.Upper = expr.Rows, b, b
	return nil
}

// givenFrame resolves the offsets of a frame that was written.
func (r *resolver) givenFrame(w *expr.Window, s *scope) error {
	for i, b := range []*expr.Bound{&w.Spec.Lower, &w.Spec.Upper} {
		if b.Offset == nil {
			continue
		}
		e, err := r.expr(b.Offset, s)
		if err != nil {
			return err
		}
		where := [...]string{"lower", "upper"}[i]
		if !foldable(e) {
			return fail(originOf(b.Offset), "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE", "sqlExpr", r.sqlExpr(w), "location", where, "expression", r.sqlExpr(e))
		}
		if e, err = r.frameOffset(w, unalias(e), where); err != nil {
			return err
		}
		b.Offset = e
	}
	if w.Spec.Unit == expr.Range {
		return r.rangeFrame(w)
	}
	return nil
}

// frameOffset fits an offset to the frame: INT for rows, the type of the order for ranges.
func (r *resolver) frameOffset(w *expr.Window, e expr.Expr, where string) (expr.Expr, error) {
	t := e.Type()
	if w.Spec.Unit == expr.Rows {
		if !t.IsIntegral() {
			return nil, fail(originOf(e), "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "sqlExpr", `"`+w.Spec.SQL()+`"`, "location", where,
				"exprType", sqlType(t), "expectedType", sqlType(types.Int))
		}
		return r.to(e, types.Int), nil
	}
	if len(w.Spec.Order) != 1 {
		return e, nil
	}
	o := w.Spec.Order[0].Child.Type()
	switch {
	case o.IsNumeric() && t.IsNumeric() && o.Kind != types.DecimalKind:
		return r.to(e, o), nil
	case o.Kind == types.DateKind && t.IsIntegral():
		return r.to(e, types.Int), nil
	}
	return e, nil
}

func (r *resolver) rangeFrame(w *expr.Window) error {
	spec := &w.Spec
	byValue := spec.Lower.Offset != nil || spec.Upper.Offset != nil
	switch {
	case len(spec.Order) == 0 && (byValue || spec.Lower.Kind != expr.UnboundedPreceding || spec.Upper.Kind != expr.UnboundedFollowing):
		return fail(w.At, "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", "sqlExpr", `"`+spec.SQL()+`"`)
	case byValue && len(spec.Order) > 1:
		return fail(w.At, "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", "sqlExpr", `"`+spec.SQL()+`"`, "orderSpec", orderList(spec.Order))
	case !byValue:
		return nil
	}
	o := spec.Order[0].Child.Type()
	for _, b := range []expr.Bound{spec.Lower, spec.Upper} {
		if b.Offset == nil || rangeFits(o, b.Offset.Type()) {
			continue
		}
		return fail(w.At, "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", "sqlExpr", `"`+spec.SQL()+`"`, "orderSpecType", sqlType(o), "valueBoundaryType", sqlType(b.Offset.Type()))
	}
	return nil
}

// rangeFits says whether an offset of a type can be added to an order of a type.
func rangeFits(order, offset types.Type) bool {
	switch {
	case order.SameType(offset):
		return true
	case order.Kind == types.DecimalKind:
		return offset.IsNumeric()
	case order.Kind == types.DateKind:
		return offset.Kind == types.IntKind || offset.IsInterval() || offset.Kind == types.CalendarKind
	case order.Kind == types.TimestampKind || order.Kind == types.TimestampNTZKind:
		return offset.IsInterval() || offset.Kind == types.CalendarKind
	}
	return order.IsInterval() && offset.Kind == order.Kind
}

func orderList(order []expr.SortOrder) string {
	parts := make([]string, len(order))
	for i := range order {
		parts[i] = order[i].SQL()
	}
	return strings.Join(parts, ", ")
}

// checkWindow: only window functions and aggregates may run over a window, ranks and offsets need an order.
func (r *resolver) checkWindow(w *expr.Window, x *expr.Window) error {
	switch f := w.Func.(type) {
	case *expr.Agg:
		if f.Distinct {
			return fail(x.At, "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "windowExpr", r.sqlExpr(w))
		}
		return nil
	case *expr.Call:
		row, ok := function.Lookup(f.Name)
		if !ok || row.Kind != function.WindowFunc {
			break
		}
		if len(w.Spec.Order) == 0 && (rankLike[f.Name] || f.Name == "cume_dist" || f.Name == "lag" || f.Name == "lead") {
			return fail(x.At, "WINDOW_FUNCTION_FRAME_NOT_ORDERED", "wf_name", f.Name, "wf_expr", r.sql(f))
		}
		return nil
	}
	return fail(x.At, "UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", r.sqlExpr(w.Func))
}

// extractWindows computes the windows of a list in Window nodes, one for each partition and order, and leaves columns.
func (r *resolver) extractWindows(p logical.Plan, in []*expr.Column, list []expr.Expr) (logical.Plan, []expr.Expr) {
	x := &windowExtract{r: r}
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = x.item(e)
	}
	if len(x.groups) == 0 {
		return p, list
	}
	if len(x.inputs) > 0 {
		p = &logical.Project{List: append(columnExprs(in), x.inputs...), Child: p}
	}
	for _, g := range x.groups {
		p = &logical.Window{List: g.list, Partition: g.spec.Partition, Order: g.spec.Order, Child: p}
	}
	return p, out
}

type windowExtract struct {
	r      *resolver
	inputs []expr.Expr // what is computed below the windows
	groups []*windowGroup
}

type windowGroup struct {
	spec expr.WindowSpec
	list []expr.Expr
}

// item replaces windows in an item of the list; an item that is a window itself keeps its name and id.
func (x *windowExtract) item(e expr.Expr) expr.Expr {
	if a, ok := e.(*expr.Alias); ok {
		if w, ok := a.Child.(*expr.Window); ok {
			q := *a
			q.Child = x.prepare(w)
			x.add(&q)
			return q.Column()
		}
	}
	return x.replace(e)
}

func (x *windowExtract) replace(e expr.Expr) expr.Expr {
	w, ok := e.(*expr.Window)
	if !ok {
		return expr.MapChildren(e, x.replace)
	}
	w = x.prepare(w)
	for _, g := range x.groups {
		for _, l := range g.list {
			if a := l.(*expr.Alias); expr.Same(a.Child, w) {
				return a.Column()
			}
		}
	}
	a := &expr.Alias{Child: w, Name: "_we" + itoa(len(x.groups)), ID: expr.NextID(), Auto: true}
	x.add(a)
	return a.Column()
}

func (x *windowExtract) add(a *expr.Alias) {
	w := a.Child.(*expr.Window)
	for _, g := range x.groups {
		if expr.SameAll(g.spec.Partition, w.Spec.Partition) && sameOrders(g.spec.Order, w.Spec.Order) {
			g.list = append(g.list, a)
			return
		}
	}
	x.groups = append(x.groups, &windowGroup{spec: w.Spec, list: []expr.Expr{a}})
}

func sameOrders(a, b []expr.SortOrder) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !expr.Same(&a[i], &b[i]) {
			return false
		}
	}
	return true
}

// prepare computes arguments, partition and order below the windows unless they are columns or constants.
func (x *windowExtract) prepare(w *expr.Window) *expr.Window {
	kids := w.Children()
	out := make([]expr.Expr, len(kids))
	out[0] = expr.MapChildren(kids[0], x.input)
	bounds := 0
	for _, b := range []expr.Bound{w.Spec.Lower, w.Spec.Upper} {
		if b.Offset != nil {
			bounds++
		}
	}
	for i := 1; i < len(kids); i++ {
		out[i] = kids[i]
		if i < len(kids)-bounds {
			out[i] = x.input(kids[i])
		}
	}
	return w.WithChildren(out).(*expr.Window)
}

func (x *windowExtract) input(e expr.Expr) expr.Expr {
	switch e.(type) {
	case *expr.Column, *expr.Literal, *expr.Lambda:
		return e
	}
	if foldable(e) {
		return e
	}
	for _, i := range x.inputs {
		if a := i.(*expr.Alias); expr.Same(a.Child, e) {
			return a.Column()
		}
	}
	a := &expr.Alias{Child: e, Name: "_w" + itoa(len(x.inputs)), ID: expr.NextID(), Auto: true}
	x.inputs = append(x.inputs, a)
	return a.Column()
}

// qualify filters by window functions after those of the select list are computed.
func (r *resolver) qualify(p *logical.Qualify) (rel, error) {
	x, err := r.plan(p.Child)
	if err != nil {
		return rel{}, err
	}
	before := r.flags
	r.flags = 0
	defer func() { r.flags = before }()
	if x.block == nil {
		return r.qualifyPlan(p, x)
	}
	b := x.block
	s := &scope{cols: x.out, below: b.in, df: r.frames}
	cond, err := r.condition(p.Cond, s)
	if err != nil {
		return rel{}, err
	}
	if err := r.boolean(cond, originOf(p.Cond)); err != nil {
		return rel{}, err
	}
	if cond, err = r.regroup(b, cond); err != nil {
		return rel{}, err
	}
	// the condition becomes an item of the list, over which the filter stands
	test := &expr.Alias{Child: inline(r.to(cond, types.Boolean), b.list), Name: "_qualify", ID: expr.NextID(), Auto: true}
	q := *b
	q.list = append(b.list[:len(b.list):len(b.list)], test)
	q.flags |= r.flags
	q.agg = q.agg || r.flags&hasAgg != 0
	plan, err := r.build(&q, outputs(q.list), nil, false)
	if err != nil {
		return rel{}, err
	}
	plan = &logical.Project{List: columnExprs(x.out), Child: &logical.Filter{Cond: test.Column(), Child: plan}}
	return rel{p: plan, out: x.out, hint: x.hint}, nil
}

func (r *resolver) qualifyPlan(p *logical.Qualify, x rel) (rel, error) {
	s := r.scopeOf(x)
	cond, err := r.condition(p.Cond, s)
	if err != nil {
		return rel{}, err
	}
	if err := r.boolean(cond, originOf(p.Cond)); err != nil {
		return rel{}, err
	}
	test := &expr.Alias{Child: r.to(cond, types.Boolean), Name: "_qualify", ID: expr.NextID(), Auto: true}
	below, list := r.extractWindows(x.p, x.out, []expr.Expr{test})
	plan := &logical.Filter{Cond: list[0], Child: below}
	if c, ok := list[0].(*expr.Alias); ok {
		plan.Cond = c.Child
	}
	return rel{p: &logical.Project{List: columnExprs(x.out), Child: plan}, out: x.out, hint: x.hint}, nil
}
