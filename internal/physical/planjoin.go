package physical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// strategy is how a join is done.
type strategy uint8

const (
	broadcastHash strategy = iota
	shuffledHash
	sortMerge
	broadcastLoop
	cartesian
)

func (pl *Planner) join(n *logical.Join) (Plan, spread, error) {
	l, ls, err := pl.plan(n.Left)
	if err != nil {
		return nil, ls, err
	}
	r, rs, err := pl.plan(n.Right)
	if err != nil {
		return nil, rs, err
	}
	keys, rest := logical.EquiKeys(n)
	how, buildRight := pl.choose(n, len(keys) > 0)
	cond := expr.And(rest...)
	lk, rk := keyLists(keys)
	switch how {
	case broadcastHash:
		l, r, s := pl.broadcastSide(l, r, ls, rs, buildRight, outerSide(n.Kind, buildRight))
		return &HashJoin{Left: l, Right: r, Kind: n.Kind, BuildRight: buildRight, Broadcast: true, LeftKeys: lk, RightKeys: rk, Cond: cond, Hint: n.Hint}, s, nil
	case broadcastLoop:
		l, r, s := pl.broadcastSide(l, r, ls, rs, buildRight, outerSide(n.Kind, buildRight))
		return &LoopJoin{Left: l, Right: r, Kind: n.Kind, BuildRight: buildRight, Broadcast: true, Cond: expr.And(append(rest, keyConds(keys)...)...), Hint: n.Hint}, s, nil
	case cartesian:
		return &LoopJoin{Left: pl.toSingle(l, ls), Right: pl.toSingle(r, rs), Kind: n.Kind, BuildRight: true, Cond: expr.And(append(rest, keyConds(keys)...)...), Hint: n.Hint}, single, nil
	}
	l, r, s := pl.coPartition(l, r, ls, rs, lk, rk, pl.est.Of(n.Left).Rows+pl.est.Of(n.Right).Rows)
	if n.Kind == logical.FullJoin && s.kind == HashPart {
		s = spread{kind: UnknownPart, n: s.n}
	}
	if how == shuffledHash {
		return &HashJoin{Left: l, Right: r, Kind: n.Kind, BuildRight: buildRight, LeftKeys: lk, RightKeys: rk, Cond: cond, Hint: n.Hint}, s, nil
	}
	l, r = sorted(l, lk), sorted(r, rk)
	return &MergeJoin{Left: l, Right: r, Kind: n.Kind, LeftKeys: lk, RightKeys: rk, Cond: cond, Hint: n.Hint}, s, nil
}

func sorted(c Plan, keys []expr.Expr) Plan {
	order := make([]expr.SortOrder, len(keys))
	for i, k := range keys {
		order[i] = expr.SortOrder{Child: k, NullsFirst: true}
	}
	return &Sort{Order: order, Child: c}
}

// keyLists splits key pairs; null-safe pairs become two plain ones: the value or a default, and whether it is null.
func keyLists(keys []logical.KeyPair) (l, r []expr.Expr) {
	for _, k := range keys {
		if !k.NullSafe || !k.Left.Nullable() && !k.Right.Nullable() {
			l, r = append(l, k.Left), append(r, k.Right)
			continue
		}
		l = append(l, orDefault(k.Left), isNull(k.Left))
		r = append(r, orDefault(k.Right), isNull(k.Right))
	}
	return l, r
}

func isNull(e expr.Expr) expr.Expr {
	return &expr.Call{Name: "isnull", Args: []expr.Expr{e}, T: types.Boolean}
}

// orDefault is coalesce(e, zero of its type).
func orDefault(e expr.Expr) expr.Expr {
	return &expr.Call{Name: "coalesce", Args: []expr.Expr{e, zero(e.Type())}, T: e.Type()}
}

func zero(t types.Type) expr.Expr {
	var v any
	switch t.Kind {
	case types.BooleanKind:
		v = false
	case types.ByteKind:
		v = int8(0)
	case types.ShortKind:
		v = int16(0)
	case types.IntKind, types.DateKind, types.YearMonthKind:
		v = int32(0)
	case types.FloatKind:
		v = float32(0)
	case types.DoubleKind:
		v = float64(0)
	case types.DecimalKind:
		v = types.Int128{}
	case types.StringKind:
		v = ""
	case types.BinaryKind:
		v = []byte{}
	case types.CalendarKind:
		v = types.CalendarInterval{}
	case types.ArrayKind:
		v = []any{}
	case types.StructKind:
		row := make([]any, len(t.Fields()))
		for i, f := range t.Fields() {
			row[i] = zero(f.Type).(*expr.Literal).Value
		}
		v = row
	case types.NullKind:
		return &expr.Literal{T: t}
	default:
		v = int64(0)
	}
	return &expr.Literal{Value: v, T: t}
}

func keyConds(keys []logical.KeyPair) []expr.Expr {
	out := make([]expr.Expr, len(keys))
	for i, k := range keys {
		op := "="
		if k.NullSafe {
			op = "<=>"
		}
		out[i] = expr.NewCall(op, types.Boolean, k.Left, k.Right)
	}
	return out
}

// outerSide says whether the build side's rows appear in the output on their own (unmatched), so that a broadcast build
// would need the tasks to agree on who emits them. In one process they do; across processes such joins are not broadcast.
func outerSide(k logical.JoinKind, buildRight bool) bool {
	switch k {
	case logical.FullJoin:
		return true
	case logical.LeftJoin, logical.SemiJoin, logical.AntiJoin, logical.ExistenceJoin:
		return !buildRight
	case logical.RightJoin:
		return buildRight
	}
	return false
}

// broadcastSide wraps the build side; the join's rows lie as the probe side's do. When the build side's own rows come out
// the last task to end yields them, which only the tasks of one process can agree on.
func (pl *Planner) broadcastSide(l, r Plan, ls, rs spread, buildRight, outer bool) (Plan, Plan, spread) {
	probe := ls
	if !buildRight {
		probe = rs
	}
	if outer && pl.InProcess && probe.kind != SinglePart {
		probe = spread{kind: UnknownPart, n: probe.n}
	} else if outer && probe.kind != SinglePart {
		if buildRight {
			l = pl.toSingle(l, ls)
		} else {
			r = pl.toSingle(r, rs)
		}
		probe = single
	}
	if buildRight {
		return l, &Broadcast{Child: r}, probe
	}
	return &Broadcast{Child: l}, r, probe
}

// coPartition shuffles both sides by their keys unless both lie right already.
func (pl *Planner) coPartition(l, r Plan, ls, rs spread, lk, rk []expr.Expr, rows float64) (Plan, Plan, spread) {
	if ls.kind == SinglePart && rs.kind == SinglePart {
		return l, r, single
	}
	n := pl.partitions(rows)
	if aligned(ls, lk) && ls.n > 0 {
		n = ls.n
	} else if aligned(rs, rk) && rs.n > 0 {
		n = rs.n
	}
	if !aligned(ls, lk) || ls.n != n {
		l = exchange(l, HashPart, n, lk)
	}
	if !aligned(rs, rk) || rs.n != n {
		r = exchange(r, HashPart, n, rk)
	}
	return l, r, spread{kind: HashPart, n: n, keys: lk}
}

// aligned says whether rows lie by exactly these keys in this order.
func aligned(s spread, keys []expr.Expr) bool {
	if s.kind != HashPart || len(s.keys) != len(keys) {
		return false
	}
	for i := range keys {
		if expr.Fingerprint(s.keys[i]) != expr.Fingerprint(keys[i]) {
			return false
		}
	}
	return true
}

// indexBytes is what a hash table has for each row besides the row: building many short rows costs more than few long ones.
const indexBytes = 32

// choose picks the strategy and the build side: hints first, then a broadcast of a small side, then shuffled hash or
// sort-merge, and loops where there are no keys.
func (pl *Planner) choose(n *logical.Join, keys bool) (how strategy, buildRight bool) {
	l, r := pl.est.Of(n.Left), pl.est.Of(n.Right)
	lb, rb := l.Bytes(n.Left.Output()), r.Bytes(n.Right.Output())
	canRight, canLeft := pl.canBuild(n, true, keys), pl.canBuild(n, false, keys)
	switch {
	case canRight && canLeft:
		buildRight = rb+indexBytes*r.Rows <= lb+indexBytes*l.Rows || repeats(n, l)
	default:
		buildRight = canRight
	}
	if how, side, ok := hinted(n.Hint, canLeft, canRight, keys, buildRight); ok && !(pl.Frugal && how <= broadcastLoop) {
		return how, side
	}
	small := rb
	if !buildRight {
		small = lb
	}
	fits := pl.BroadcastBytes >= 0 && !pl.Frugal && small <= float64(pl.BroadcastBytes)
	switch {
	case !keys && (fits || n.Kind != logical.InnerJoin && n.Kind != logical.CrossJoin):
		return broadcastLoop, buildRight
	case !keys && pl.InProcess:
		return broadcastLoop, buildRight
	case !keys:
		return cartesian, true
	case fits && (pl.InProcess || !outerSide(n.Kind, buildRight)):
		return broadcastHash, buildRight
	case n.Hint.NullAware:
		return broadcastHash, true
	case !pl.InProcess && pl.PreferSortMerge && orderable(n):
		return sortMerge, buildRight
	}
	return shuffledHash, buildRight
}

// repeats says whether a semi or anti join should not build over its left rows because many have the same keys: each probe row
// would have to mark them all, where a table over the right rows is asked once for each left one.
func repeats(n *logical.Join, l logical.Estimate) bool {
	if n.Kind != logical.SemiJoin && n.Kind != logical.AntiJoin {
		return false
	}
	pairs, rest := logical.EquiKeys(n)
	keys, _ := keyLists(pairs)
	const most = 8
	return len(rest) == 0 && l.Rows > most*l.Groups(keys)
}

// canBuild says whether the join kind allows a hash table over that side.
func (pl *Planner) canBuild(n *logical.Join, right, keys bool) bool {
	switch {
	case n.Hint.NullAware, n.Hint.Single, n.Kind == logical.ExistenceJoin:
		return right
	case !keys:
		return right || n.Kind == logical.InnerJoin || n.Kind == logical.CrossJoin || n.Kind == logical.RightJoin
	}
	return true
}

func hinted(h logical.JoinHint, canLeft, canRight, keys, smallRight bool) (how strategy, buildRight, ok bool) {
	both := [2]string{h.Left, h.Right}
	has := func(name string) (left, right bool) { return both[0] == name, both[1] == name }
	if l, r := has("BROADCAST"); l && canLeft || r && canRight {
		right := r && canRight && !(l && canLeft && !smallRight)
		if keys {
			return broadcastHash, right, true
		}
		return broadcastLoop, right, true
	}
	if l, r := has("MERGE"); (l || r) && keys {
		return sortMerge, smallRight, true
	}
	if l, r := has("SHUFFLE_HASH"); (l && canLeft || r && canRight) && keys {
		return shuffledHash, r && canRight && !(l && canLeft && !smallRight), true
	}
	if l, r := has("SHUFFLE_REPLICATE_NL"); l || r {
		return cartesian, true, true
	}
	return 0, false, false
}

// orderable says whether the join keys have an order.
func orderable(n *logical.Join) bool {
	keys, _ := logical.EquiKeys(n)
	for _, k := range keys {
		if t := k.Left.Type(); t.Kind == types.MapKind || t.Kind == types.VariantKind {
			return false
		}
	}
	return true
}
