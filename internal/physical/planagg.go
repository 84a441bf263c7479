package physical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// aggregate plans grouping: keys and aggregates are computed by (usually two) Aggregate nodes, and the expressions of
// the select list over them by a projection on top.
func (pl *Planner) aggregate(n *logical.Aggregate) (Plan, spread, error) {
	b := &aggBuilder{pl: pl, keyOf: map[string]*expr.Column{}, aggOf: map[string]int{}}
	for _, k := range n.Group {
		b.addKey(k)
	}
	list := make([]expr.Expr, len(n.List))
	for i, e := range n.List {
		var err error
		if list[i], err = b.rewriteNamed(e); err != nil {
			return nil, spread{}, err
		}
	}
	rows := pl.est.Of(n).Rows
	out, s, done, err := b.planRollup(n, rows)
	if err != nil {
		return nil, s, err
	}
	if !done {
		if out, s, done, err = b.planEager(n, rows); err != nil {
			return nil, s, err
		}
	}
	if !done {
		var c Plan
		if c, s, err = pl.plan(n.Child); err != nil {
			return nil, s, err
		}
		out, s = b.stack(c, s, rows, pl.est.Of(n.Child).Rows)
	}
	return &Project{List: list, Child: out}, s.through(list), nil
}

// aggBuilder collects the keys and the distinct aggregate calls of a grouping.
type aggBuilder struct {
	pl    *Planner
	keys  []expr.Expr // named
	cols  []expr.Expr // references to the keys
	keyOf map[string]*expr.Column
	aggs  []AggExpr
	aggOf map[string]int
}

func (b *aggBuilder) addKey(e expr.Expr) {
	if _, seen := b.keyOf[expr.Fingerprint(e)]; seen {
		return
	}
	var col *expr.Column
	switch k := e.(type) {
	case *expr.Column:
		col = k
		b.keys = append(b.keys, k)
	case *expr.Alias:
		col = k.Column()
		b.keys = append(b.keys, k)
		b.keyOf[expr.Fingerprint(k.Child)] = col
	default:
		a := expr.NewAlias(e, e.SQL())
		col = a.Column()
		b.keys = append(b.keys, a)
	}
	b.keyOf[expr.Fingerprint(e)] = col
	b.cols = append(b.cols, col)
}

// rewriteNamed puts references in place of keys and aggregates, keeping the name and id of the output.
func (b *aggBuilder) rewriteNamed(e expr.Expr) (expr.Expr, error) {
	a, ok := e.(*expr.Alias)
	if !ok {
		out, err := b.rewrite(e)
		if c, isCol := out.(*expr.Column); isCol && err == nil {
			if orig, wasCol := e.(*expr.Column); wasCol && orig.ID != c.ID {
				return &expr.Alias{Child: c, Name: orig.Name, ID: orig.ID, Qualifier: orig.Qualifier, Metadata: orig.Metadata}, nil
			}
		}
		return out, err
	}
	child, err := b.rewrite(a.Child)
	if err != nil {
		return nil, err
	}
	return a.WithChildren([]expr.Expr{child}), nil
}

func (b *aggBuilder) rewrite(e expr.Expr) (expr.Expr, error) {
	if col, ok := b.keyOf[expr.Fingerprint(e)]; ok {
		return col, nil
	}
	if a, ok := e.(*expr.Agg); ok {
		return b.add(a)
	}
	var failed error
	out := expr.MapChildren(e, func(c expr.Expr) expr.Expr {
		n, err := b.rewrite(c)
		if err != nil {
			failed = err
			return c
		}
		return n
	})
	return out, failed
}

func (b *aggBuilder) add(a *expr.Agg) (expr.Expr, error) {
	key := expr.Fingerprint(a)
	if i, ok := b.aggOf[key]; ok {
		return b.aggs[i].Out, nil
	}
	ts, err := b.pl.StateTypes(a)
	if err != nil {
		return nil, err
	}
	x := AggExpr{Agg: a, Mode: Complete, Out: &expr.Column{ID: expr.NextID(), Name: a.SQL(), T: a.T, Null: a.Null}}
	for _, t := range ts {
		x.State = append(x.State, &expr.Column{ID: expr.NextID(), Name: "state", T: t, Null: true})
	}
	b.aggOf[key] = len(b.aggs)
	b.aggs = append(b.aggs, x)
	return x.Out, nil
}

func (b *aggBuilder) mode(m AggMode) []AggExpr {
	out := append([]AggExpr(nil), b.aggs...)
	for i := range out {
		out[i].Mode = m
	}
	return out
}

// stack builds the Aggregate nodes over c.
func (b *aggBuilder) stack(c Plan, s spread, groups, rows float64) (Plan, spread) {
	if s.kind == SinglePart || s.kind == HashPart && len(b.keys) > 0 && subset(s.keys, b.keys) {
		return b.complete(c, s)
	}
	d, ok := b.oneDistinct()
	switch {
	case !ok:
		c, s = b.raw(c, s, rows)
		return b.complete(c, s)
	case d != nil:
		return b.distinct(c, s, d, rows)
	}
	part := &Aggregate{Mode: Partial, Keys: b.keys, Aggs: b.mode(Partial), Child: c}
	ex, s := b.pl.byKeys(part, spread{kind: UnknownPart, n: s.n}, b.cols, groups)
	return &Aggregate{Mode: Final, Keys: b.cols, Aggs: b.mode(Final), Child: ex}, s
}

func (b *aggBuilder) complete(c Plan, s spread) (Plan, spread) {
	return &Aggregate{Mode: Complete, Keys: b.keys, Aggs: b.mode(Complete), Child: c}, s
}

// raw shuffles the input rows themselves by the keys, for aggregates that cannot be done in two phases.
func (b *aggBuilder) raw(c Plan, s spread, rows float64) (Plan, spread) {
	named := false
	for _, k := range b.keys {
		if _, ok := k.(*expr.Alias); ok {
			named = true
		}
	}
	if named {
		list := append([]expr.Expr(nil), columns(c.Output())...)
		for _, k := range b.keys {
			if _, ok := k.(*expr.Alias); ok {
				list = append(list, k)
			}
		}
		c = &Project{List: list, Child: c}
		b.keys = b.cols
	}
	return b.pl.byKeys(c, s, b.cols, rows)
}

func columns(cols []*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		out[i] = c
	}
	return out
}

// oneDistinct gives the arguments of the DISTINCT aggregates when all of them agree and have no filter or order: those
// can be done by grouping twice. ok is false when they do not; the list is nil when there are none.
func (b *aggBuilder) oneDistinct() (args []expr.Expr, ok bool) {
	key := ""
	for _, a := range b.aggs {
		if !a.Agg.Distinct {
			continue
		}
		k := ""
		for _, x := range a.Agg.Args {
			k += expr.Fingerprint(x) + ";"
		}
		if a.Agg.Filter != nil || len(a.Agg.Order) > 0 || args != nil && k != key {
			return nil, false
		}
		args, key = a.Agg.Args, k
	}
	return args, true
}

// distinct groups by keys and the distinct arguments first, then by the keys: Partial, exchange, PartialMerge, then the
// distinct aggregates see each value once. With keys the exchange is by the keys, so that one shuffle is enough, and a
// single distinct aggregate needs no PartialMerge.
func (b *aggBuilder) distinct(c Plan, s spread, args []expr.Expr, rows float64) (Plan, spread) {
	inner := append([]expr.Expr(nil), b.keys...)
	innerCols := append([]expr.Expr(nil), b.cols...)
	arg := map[string]*expr.Column{}
	for _, a := range args {
		if _, seen := arg[expr.Fingerprint(a)]; seen {
			continue
		}
		if _, ok := a.(*expr.Literal); ok {
			continue
		}
		col, isCol := a.(*expr.Column)
		var named expr.Expr = col
		if !isCol {
			al := expr.NewAlias(a, a.SQL())
			named, col = al, al.Column()
		}
		arg[expr.Fingerprint(a)] = col
		inner, innerCols = append(inner, named), append(innerCols, col)
	}
	var others, all []AggExpr
	for _, a := range b.aggs {
		if !a.Agg.Distinct {
			others = append(others, a)
		}
	}
	for _, a := range b.aggs {
		a.Mode = Final
		if a.Agg.Distinct {
			q := *a.Agg
			q.Distinct, q.Args = false, make([]expr.Expr, len(a.Agg.Args))
			for i, x := range a.Agg.Args {
				q.Args[i] = x
				if col, ok := arg[expr.Fingerprint(x)]; ok {
					q.Args[i] = col
				}
			}
			a.Agg, a.Mode = &q, Complete
		}
		all = append(all, a)
	}
	set := func(l []AggExpr, m AggMode) []AggExpr {
		out := append([]AggExpr(nil), l...)
		for i := range out {
			out[i].Mode = m
		}
		return out
	}
	var plan Plan = &Aggregate{Mode: Partial, Keys: inner, Aggs: set(others, Partial), Child: c}
	if len(b.cols) == 0 {
		// No keys: spread by the distinct values, count them apart, and merge the counts at the end.
		plan, s = b.pl.byKeys(plan, spread{kind: UnknownPart, n: s.n}, innerCols, rows)
		plan = &Aggregate{Mode: PartialMerge, Keys: innerCols, Aggs: set(others, PartialMerge), Child: plan}
		second := append([]AggExpr(nil), all...)
		for i := range second {
			second[i].Mode = PartialMerge
			if second[i].Agg != b.aggs[i].Agg {
				second[i].Mode = Partial
			}
		}
		plan = &Aggregate{Mode: Partial, Aggs: second, Child: plan}
		plan = b.pl.toSingle(plan, s)
		return &Aggregate{Mode: Final, Aggs: set(all, Final), Child: plan}, single
	}
	plan, s = b.pl.byKeys(plan, spread{kind: UnknownPart, n: s.n}, b.cols, rows)
	if len(b.aggs)-len(others) == 1 {
		return &Aggregate{Mode: Complete, Keys: b.cols, Aggs: distinctAgain(all, b.aggs), Child: plan}, s
	}
	plan = &Aggregate{Mode: PartialMerge, Keys: innerCols, Aggs: set(others, PartialMerge), Child: plan}
	return &Aggregate{Mode: Complete, Keys: b.cols, Aggs: all, Child: plan}, s
}

// distinctAgain lets the last phase find the distinct arguments itself, over those that the first left: one aggregate keeps
// its set by the numbers of the groups, so that the keys need not be looked up with each argument. Several would each keep
// the same set.
func distinctAgain(last, asked []AggExpr) []AggExpr {
	out := append([]AggExpr(nil), last...)
	for i := range out {
		if asked[i].Agg.Distinct {
			q := *out[i].Agg
			q.Distinct, out[i].Agg = true, &q
		}
	}
	return out
}
