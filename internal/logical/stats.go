package logical

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// Estimate is what planning believes about a plan's output: rows and, per column, how its values are spread.
// The figures come from file footers and ANALYZE through textbook selectivities; they choose among right plans only.
type Estimate struct {
	Rows float64
	Cols map[expr.ID]ColumnEstimate
}

// ColumnEstimate describes a column's values. Distinct is at least 1; Min and Max are NaN when unknown.
// Dropped is the share of a nearly unique column's values that filters took away. Columns of one Source, a relation, have
// together no more combinations of values than it has rows, which are SourceRows; 0: of no relation.
type ColumnEstimate struct {
	Distinct, NullShare, Min, Max, Width, Dropped float64

	Source     expr.ID
	SourceRows float64
}

// Bytes is the estimated size of the output in the engine's layout.
func (e Estimate) Bytes(out []*expr.Column) float64 {
	width := 8.0
	for _, c := range out {
		width += e.Column(c).Width
	}
	return e.Rows * width
}

// Column is what is known of a column, with defaults when nothing is.
func (e Estimate) Column(c *expr.Column) ColumnEstimate {
	if s, ok := e.Cols[c.ID]; ok {
		s.Distinct = math.Max(1, math.Min(s.Distinct, e.Rows))
		return s
	}
	return ColumnEstimate{Distinct: math.Max(1, math.Min(e.Rows, e.Rows/10+100)), Min: math.NaN(), Max: math.NaN(), Width: width(c.T)}
}

// width is the bytes a value of the type takes, views with a guess at their text.
func width(t types.Type) float64 {
	switch t.Kind {
	case types.NullKind:
		return 0
	case types.BooleanKind, types.ByteKind:
		return 1
	case types.ShortKind:
		return 2
	case types.IntKind, types.FloatKind, types.DateKind, types.YearMonthKind:
		return 4
	case types.StringKind, types.BinaryKind:
		return 28
	case types.DecimalKind:
		if t.Precision > types.MaxLongDigits {
			return 16
		}
	case types.ArrayKind, types.MapKind:
		return 100
	case types.StructKind:
		w := 0.0
		for _, f := range t.Fields() {
			w += width(f.Type)
		}
		return w
	}
	return 8
}

// Estimator estimates plans and remembers what it has seen.
type Estimator struct{ seen map[Plan]Estimate }

// NewEstimator makes an estimator for one query.
func NewEstimator() *Estimator { return &Estimator{seen: map[Plan]Estimate{}} }

// Of estimates a resolved plan.
func (s *Estimator) Of(p Plan) Estimate {
	if e, ok := s.seen[p]; ok {
		return e
	}
	e := s.estimate(p)
	e.Rows = math.Max(e.Rows, 0)
	s.seen[p] = e
	return e
}

// Assume sets what is believed of a plan.
func (s *Estimator) Assume(p Plan, e Estimate) { s.seen[p] = e }

func (s *Estimator) estimate(p Plan) Estimate {
	switch n := p.(type) {
	case *Relation:
		return s.relation(n)
	case *LocalRelation:
		rows := 0
		for _, b := range n.Batches {
			rows += b.N
		}
		return Estimate{Rows: float64(rows)}
	case *OneRow:
		return Estimate{Rows: 1}
	case *Range:
		rows := float64(n.End-n.Start) / float64(n.Step)
		return Estimate{Rows: rows, Cols: map[expr.ID]ColumnEstimate{n.Out[0].ID: {Distinct: rows, Min: float64(n.Start), Max: float64(n.End), Width: 8}}}
	case *CachedRelation:
		if n.Stats != nil && n.Stats.Rows >= 0 {
			return Estimate{Rows: float64(n.Stats.Rows)}
		}
		return s.Of(n.Plan)
	case *Filter:
		in := s.Of(n.Child)
		return in.filtered(expr.Conjuncts(n.Cond))
	case *Project:
		in := s.Of(n.Child)
		return Estimate{Rows: in.Rows, Cols: in.mapped(n.List)}
	case *Join:
		return s.join(n)
	case *Aggregate:
		in := s.Of(n.Child)
		return Estimate{Rows: in.groups(n.Group), Cols: in.mapped(n.List)}
	case *Distinct:
		in := s.Of(n.Child)
		var keys []expr.Expr
		for _, c := range n.Child.Output() {
			keys = append(keys, c)
		}
		return Estimate{Rows: in.groups(keys), Cols: in.Cols}
	case *Limit:
		in := s.Of(n.Child)
		if l, ok := n.N.(*expr.Literal); ok {
			in.Rows = math.Min(in.Rows, number(l.Value))
		}
		return in
	case *SetOp:
		return s.setOp(n)
	case *Expand:
		in := s.Of(n.Child)
		return Estimate{Rows: in.Rows * float64(len(n.Projections)), Cols: in.Cols}
	case *Generate:
		in := s.Of(n.Child)
		return Estimate{Rows: in.Rows * 4, Cols: in.Cols}
	case *Sample:
		in := s.Of(n.Child)
		return Estimate{Rows: in.Rows * (n.Upper - n.Lower), Cols: in.Cols}
	case *CTERef, *RecursiveCTE:
		return Estimate{Rows: 1e6}
	}
	if c := p.Children(); len(c) > 0 {
		return s.Of(c[len(c)-1])
	}
	return Estimate{Rows: 1000}
}

func (s *Estimator) relation(n *Relation) Estimate {
	st := n.Table.Stats
	if st == nil && n.Table.Relation != nil {
		st = n.Table.Relation.Stats()
	}
	if st == nil || st.Rows < 0 {
		rows := 1e6
		if st != nil && st.Bytes > 0 {
			rows = float64(st.Bytes) / 50
		}
		return Estimate{Rows: rows}.filtered(n.Filters)
	}
	e := Estimate{Rows: float64(st.Rows), Cols: make(map[expr.ID]ColumnEstimate, len(n.Out))}
	for _, c := range n.Out {
		if cs, ok := st.Columns[c.Name]; ok {
			e.Cols[c.ID] = fromStats(c, cs, e.Rows)
		}
	}
	e = e.filtered(n.Filters)
	for id, c := range e.Cols {
		c.Source, c.SourceRows = n.Out[0].ID, e.Rows
		e.Cols[id] = c
	}
	return e
}

func fromStats(c *expr.Column, cs catalog.ColumnStats, rows float64) ColumnEstimate {
	out := ColumnEstimate{Min: number(cs.Min), Max: number(cs.Max), Width: width(c.T), Distinct: float64(cs.Distinct)}
	if cs.Nulls > 0 && rows > 0 {
		out.NullShare = float64(cs.Nulls) / rows
	}
	if cs.AvgLen > 0 {
		out.Width = 16 + cs.AvgLen
	}
	if span := out.Max - out.Min + 1; cs.Distinct < 0 {
		out.Distinct = rows
		integral := c.T.IsIntegral() || c.T.Kind == types.DateKind || c.T.Kind == types.DecimalKind
		switch {
		case integral && span > 0:
			out.Distinct = math.Min(rows, span)
		case c.T.Kind == types.StringKind:
			out.Distinct = rows/10 + 1
		}
	}
	return out
}

// number maps a value to the real line: numbers as they are, dates as days, timestamps as µs; NaN for others.
func number(v any) float64 {
	switch x := v.(type) {
	case int8:
		return float64(x)
	case int16:
		return float64(x)
	case int32:
		return float64(x)
	case int64:
		return float64(x)
	case float32:
		return float64(x)
	case float64:
		return x
	case types.Int128:
		return float64(x.Hi)*math.Exp2(64) + float64(x.Lo)
	}
	return math.NaN()
}

// mapped carries column estimates through a list of named expressions.
func (e Estimate) mapped(list []expr.Expr) map[expr.ID]ColumnEstimate {
	cols := make(map[expr.ID]ColumnEstimate, len(list))
	for _, x := range list {
		switch n := x.(type) {
		case *expr.Column:
			cols[n.ID] = e.Column(n)
		case *expr.Alias:
			cols[n.ID] = e.ofExpr(n.Child)
		}
	}
	return cols
}

// ofExpr guesses the values of an expression: at most as many as its columns have together.
func (e Estimate) ofExpr(x expr.Expr) ColumnEstimate {
	if c, ok := x.(*expr.Column); ok {
		return e.Column(c)
	}
	if c, ok := x.(*expr.Cast); ok {
		if in, ok := c.Child.(*expr.Column); ok && c.To.Kind != types.DecimalKind {
			return e.Column(in)
		}
	}
	out := ColumnEstimate{Distinct: 1, Min: math.NaN(), Max: math.NaN(), Width: width(x.Type())}
	if call, ok := x.(*expr.Call); ok && len(call.Args) == 1 {
		switch call.Name {
		case "year":
			out.Distinct = 10
			return out
		case "month":
			out.Distinct = 12
			return out
		}
	}
	cols := map[expr.ID]*expr.Column{}
	expr.Columns(x, cols)
	for _, c := range cols {
		out.Distinct *= e.Column(c).Distinct
	}
	out.Distinct = math.Min(out.Distinct, math.Max(1, e.Rows))
	if x.Type().Kind == types.BooleanKind {
		out.Distinct = math.Min(out.Distinct, 2)
	}
	return out
}

// groups estimates the number of distinct combinations of keys.
func (e Estimate) groups(keys []expr.Expr) float64 {
	g := 1.0
	type source struct{ values, rows float64 }
	sources := map[expr.ID]source{}
	for _, k := range keys {
		if a, ok := k.(*expr.Alias); ok {
			k = a.Child
		}
		c := e.ofExpr(k)
		if c.Source == 0 {
			g *= c.Distinct
			continue
		}
		s, ok := sources[c.Source]
		if !ok {
			s.values = 1
		}
		sources[c.Source] = source{s.values * c.Distinct, math.Max(c.SourceRows, 1)}
	}
	for _, s := range sources {
		g *= math.Min(s.values, s.rows)
	}
	return math.Min(g, math.Max(e.Rows, 1))
}

// Groups estimates the number of distinct combinations of keys.
func (e Estimate) Groups(keys []expr.Expr) float64 { return e.groups(keys) }

// filtered applies conditions: rows shrink by their selectivities, columns are narrowed by what they say.
func (e Estimate) filtered(conds []expr.Expr) Estimate {
	if len(conds) == 0 {
		return e
	}
	sel := 1.0
	cols := make(map[expr.ID]ColumnEstimate, len(e.Cols))
	for id, c := range e.Cols {
		cols[id] = c
	}
	out := Estimate{Rows: e.Rows, Cols: cols}
	for _, c := range conds {
		sel *= out.selectivity(c)
		out.narrow(c)
	}
	out.Rows = e.Rows * sel
	for id, c := range out.Cols {
		if c.Distinct >= e.Rows/2 {
			c.Dropped = 1 - (1-c.Dropped)*sel
			out.Cols[id] = c
		}
	}
	return out
}

// narrow takes over what "column op constant" says about the column's range.
func (e Estimate) narrow(cond expr.Expr) {
	if c, ok := cond.(*expr.Call); ok {
		if col, lo, hi, ok := betweenConst(c); ok {
			if s, known := e.Cols[col.ID]; known {
				s.Distinct = math.Max(1, s.Distinct*math.Max(0.0001, e.rangeShare(s, ">=", lo)+e.rangeShare(s, "<=", hi)-1))
				s.Min, s.Max = math.Max(s.Min, lo), math.Min(s.Max, hi)
				e.Cols[col.ID] = s
			}
			return
		}
	}
	col, op, v, ok := compareConst(cond)
	if !ok {
		return
	}
	s, known := e.Cols[col.ID]
	if !known {
		return
	}
	x := number(v)
	share := e.rangeShare(s, op, x)
	switch op {
	case "=":
		s.Distinct, s.Min, s.Max = 1, x, x
	case "<", "<=":
		s.Max = math.Min(s.Max, x)
		s.Distinct = math.Max(1, s.Distinct*share)
	case ">", ">=":
		s.Min = math.Max(s.Min, x)
		s.Distinct = math.Max(1, s.Distinct*share)
	}
	e.Cols[col.ID] = s
}

// betweenConst takes apart "column between constant and constant" over numbers.
func betweenConst(c *expr.Call) (col *expr.Column, lo, hi float64, ok bool) {
	if c.Name != "between" || len(c.Args) != 3 {
		return nil, 0, 0, false
	}
	col, ok = bare(c.Args[0]).(*expr.Column)
	low, ok1 := bare(c.Args[1]).(*expr.Literal)
	high, ok2 := bare(c.Args[2]).(*expr.Literal)
	if !ok || !ok1 || !ok2 {
		return nil, 0, 0, false
	}
	lo, hi = number(low.Value), number(high.Value)
	return col, lo, hi, !math.IsNaN(lo) && !math.IsNaN(hi)
}

// compareConst takes apart "column op constant" in either order.
func compareConst(cond expr.Expr) (*expr.Column, string, any, bool) {
	c, ok := cond.(*expr.Call)
	if !ok || len(c.Args) != 2 || flip[c.Name] == "" {
		return nil, "", nil, false
	}
	op := c.Name
	a, b := bare(c.Args[0]), bare(c.Args[1])
	if _, isConst := a.(*expr.Literal); isConst {
		a, b, op = b, a, flip[op]
	}
	col, ok1 := a.(*expr.Column)
	lit, ok2 := b.(*expr.Literal)
	return col, op, constValue(lit, ok2), ok1 && ok2
}

func constValue(l *expr.Literal, ok bool) any {
	if !ok {
		return nil
	}
	return l.Value
}

var flip = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "<=>": "<=>"}

// bare strips casts.
func bare(x expr.Expr) expr.Expr {
	for {
		c, ok := x.(*expr.Cast)
		if !ok {
			return x
		}
		x = c.Child
	}
}

func (e Estimate) rangeShare(s ColumnEstimate, op string, x float64) float64 {
	if math.IsNaN(x) || math.IsNaN(s.Min) || math.IsNaN(s.Max) || s.Max <= s.Min {
		return 1.0 / 3
	}
	f := (x - s.Min) / (s.Max - s.Min)
	if op == ">" || op == ">=" {
		f = 1 - f
	}
	return math.Min(1, math.Max(0.0001, f))
}

// selectivity is the share of rows for which a condition holds.
func (e Estimate) selectivity(cond expr.Expr) float64 {
	if col, op, v, ok := compareConst(cond); ok {
		s := e.Column(col)
		if op == "=" || op == "<=>" {
			return 1 / s.Distinct
		}
		return e.rangeShare(s, op, number(v))
	}
	c, ok := cond.(*expr.Call)
	if !ok {
		if l, ok := cond.(*expr.Literal); ok && l.Value == true {
			return 1
		}
		return 0.5
	}
	return e.callSelectivity(c)
}

func (e Estimate) callSelectivity(c *expr.Call) float64 {
	switch c.Name {
	case "and":
		return e.selectivity(c.Args[0]) * e.selectivity(c.Args[1])
	case "or":
		a, b := e.selectivity(c.Args[0]), e.selectivity(c.Args[1])
		return a + b - a*b
	case "not":
		return math.Max(0.01, 1-e.selectivity(c.Args[0]))
	case "isnotnull":
		return 1
	case "isnull":
		return 0.05
	case "between":
		if col, lo, hi, ok := betweenConst(c); ok {
			s := e.Column(col)
			return math.Max(0.0001, e.rangeShare(s, ">=", lo)+e.rangeShare(s, "<=", hi)-1)
		}
		return 0.25
	case "in":
		return math.Min(1, float64(len(c.Args)-1)/e.ofExpr(c.Args[0]).Distinct)
	case "=":
		return 1 / math.Max(e.ofExpr(c.Args[0]).Distinct, e.ofExpr(c.Args[1]).Distinct)
	case "<", "<=", ">", ">=":
		return 1.0 / 3
	case "like", "contains":
		return patternShare(c)
	case "rlike":
		return 0.1
	case "startswith", "endswith":
		return 0.05
	}
	return 0.5
}

// patternShare is the share of texts that a pattern is believed to match: the fewer the more letters it asks for.
func patternShare(c *expr.Call) float64 {
	text, ok := c.Args[1].(*expr.Literal)
	if !ok {
		return 0.1
	}
	pattern, _ := text.Value.(string)
	letters := len(pattern)
	if c.Name == "like" {
		letters -= strings.Count(pattern, "%") + strings.Count(pattern, "_")
	}
	return math.Max(0.01, 0.25*math.Pow(0.7, float64(letters-1)))
}

func (s *Estimator) join(n *Join) Estimate {
	l, r := s.Of(n.Left), s.Of(n.Right)
	cols := make(map[expr.ID]ColumnEstimate, len(l.Cols)+len(r.Cols))
	for id, c := range l.Cols {
		cols[id] = c
	}
	for id, c := range r.Cols {
		cols[id] = c
	}
	keys, rest := EquiKeys(n)
	rows := JoinRows(l, r, keys)
	both := Estimate{Rows: rows, Cols: cols}
	for _, c := range rest {
		rows *= both.selectivity(c)
	}
	switch n.Kind {
	case SemiJoin, ExistenceJoin:
		rows = l.Rows * matchShare(l, r, keys)
		if n.Kind == ExistenceJoin {
			rows = l.Rows
		}
	case AntiJoin:
		rows = l.Rows * math.Max(0.1, 1-matchShare(l, r, keys))
	case LeftJoin:
		rows = math.Max(rows, l.Rows)
	case RightJoin:
		rows = math.Max(rows, r.Rows)
	case FullJoin:
		rows = math.Max(rows, l.Rows+r.Rows)
	}
	return Estimate{Rows: rows, Cols: cols}
}

// JoinRows estimates an inner equi-join.
func JoinRows(l, r Estimate, keys []KeyPair) float64 { return l.Rows * r.Rows / keyValues(l, r, keys) }

// keyValues estimates how many values the keys of a join have together. Keys count with falling weight, the most selective one
// first, because they are seldom independent. Several keys have at most as many values as a side has rows: which side that is
// cannot be known (both lineitem to partsupp and returns to sales are joins by two columns), so it is the mean of both.
func keyValues(l, r Estimate, keys []KeyPair) float64 {
	values := make([]float64, len(keys))
	for i, k := range keys {
		values[i] = max(1, l.ofExpr(k.Left).Distinct, r.ofExpr(k.Right).Distinct)
	}
	slices.SortFunc(values, func(a, b float64) int { return cmp.Compare(b, a) })
	together, weight := 1.0, 1.0
	for _, v := range values {
		together *= math.Pow(v, weight)
		weight *= 0.7
	}
	if len(values) > 1 {
		together = max(values[0], min(together, math.Sqrt(l.Rows*r.Rows)))
	}
	return together
}

// matchShare is the share of left rows that find a match.
func matchShare(l, r Estimate, keys []KeyPair) float64 {
	share := 1.0
	for _, k := range keys {
		have := r.ofExpr(k.Right)
		share = math.Min(share, have.Distinct/math.Max(1, l.ofExpr(k.Left).Distinct))
		share = math.Min(share, 1-have.Dropped)
	}
	if len(keys) == 0 {
		share = 0.5
	}
	return math.Min(1, share)
}

// KeyPair is one equality of a join: Left over the left side's columns, Right over the right side's.
type KeyPair struct {
	Left, Right expr.Expr
	NullSafe    bool
}

// EquiKeys splits a join's condition into equalities between its sides and the rest.
func EquiKeys(n *Join) (keys []KeyPair, rest []expr.Expr) {
	left, right := idSet(n.Left.Output()), idSet(n.Right.Output())
	for _, c := range expr.Conjuncts(n.Cond) {
		if k, ok := equality(c, left, right); ok {
			keys = append(keys, k)
		} else {
			rest = append(rest, c)
		}
	}
	return keys, rest
}

func equality(c expr.Expr, left, right map[expr.ID]bool) (KeyPair, bool) {
	call, ok := c.(*expr.Call)
	if !ok || call.Name != "=" && call.Name != "<=>" {
		return KeyPair{}, false
	}
	a, b := call.Args[0], call.Args[1]
	switch {
	case Covered(a, left) && Covered(b, right):
		return KeyPair{a, b, call.Name == "<=>"}, true
	case Covered(a, right) && Covered(b, left):
		return KeyPair{b, a, call.Name == "<=>"}, true
	}
	return KeyPair{}, false
}

// Covered says whether e uses at least one column, only columns of the set, and no outer reference. An uncorrelated scalar
// subquery counts as the constant that it will be; other subqueries do not go.
func Covered(e expr.Expr, ids map[expr.ID]bool) bool {
	some, ok := false, true
	expr.Walk(e, func(x expr.Expr) bool {
		switch c := x.(type) {
		case *expr.Column:
			some = true
			ok = ok && ids[c.ID]
		case *expr.Subquery:
			ok = ok && c.Kind == expr.ScalarSubquery && len(c.Outer) == 0
		case *expr.OuterRef:
			ok = false
		}
		return ok
	})
	return some && ok
}

func idSet(cols []*expr.Column) map[expr.ID]bool {
	m := make(map[expr.ID]bool, len(cols))
	for _, c := range cols {
		m[c.ID] = true
	}
	return m
}

func (s *Estimator) setOp(n *SetOp) Estimate {
	out := Estimate{Cols: map[expr.ID]ColumnEstimate{}}
	for _, in := range n.Inputs {
		out.Rows += s.Of(in).Rows
	}
	for i, c := range n.Output() {
		out.Cols[c.ID] = s.sameColumn(n.Inputs, i, out.Rows)
	}
	if n.Kind != Union {
		out.Rows = s.Of(n.Inputs[0]).Rows
	}
	return out
}

// sameColumn describes column i of several inputs together, which are taken to have values in common.
func (s *Estimator) sameColumn(inputs []Plan, i int, rows float64) ColumnEstimate {
	var out ColumnEstimate
	for k, in := range inputs {
		e := s.Of(in)
		c := e.Column(in.Output()[i])
		if k == 0 {
			out = c
			out.NullShare, out.Dropped, out.Source = 0, 0, 0
		} else {
			out.Distinct, out.Width = math.Max(out.Distinct, c.Distinct), math.Max(out.Width, c.Width)
			out.Min, out.Max = math.Min(out.Min, c.Min), math.Max(out.Max, c.Max) // NaN if one is
		}
		out.NullShare += c.NullShare * e.Rows / math.Max(rows, 1)
	}
	return out
}
