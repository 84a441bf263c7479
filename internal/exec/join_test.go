package exec

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

var allJoins = []logical.JoinKind{logical.InnerJoin, logical.LeftJoin, logical.RightJoin, logical.FullJoin, logical.CrossJoin,
	logical.SemiJoin, logical.AntiJoin, logical.ExistenceJoin}

// slowJoin is the join by its definition: every pair is tried. on answers true, false or nil.
func slowJoin(kind logical.JoinKind, left, right [][]any, width int, nullAware bool, on func(l, r []any) any) [][]any {
	var out [][]any
	rightFound := make([]bool, len(right))
	for _, l := range left {
		found := false
		for k, r := range right {
			v := on(l, r)
			if v == true || v == nil && nullAware {
				found, rightFound[k] = true, true
				if kind <= logical.CrossJoin {
					out = append(out, append(append([]any(nil), l...), r...))
				}
			}
		}
		switch {
		case kind == logical.SemiJoin && found, kind == logical.AntiJoin && !found:
			out = append(out, l)
		case kind == logical.ExistenceJoin:
			out = append(out, append(append([]any(nil), l...), found))
		case (kind == logical.LeftJoin || kind == logical.FullJoin) && !found:
			out = append(out, append(append([]any(nil), l...), make([]any, width)...))
		}
	}
	for k, r := range right {
		if !rightFound[k] && (kind == logical.RightJoin || kind == logical.FullJoin) {
			out = append(out, append(make([]any, width), r...))
		}
	}
	return out
}

// keysEqual is the comparison of two keys: nil if unknown.
func keysEqual(a, b []any) any {
	unknown := false
	for i := range a {
		switch {
		case a[i] == nil || b[i] == nil:
			unknown = true
		case !sameKey(a[i], b[i]):
			return false
		}
	}
	if unknown {
		return nil
	}
	return true
}

func sameKey(a, b any) bool {
	switch x := a.(type) {
	case float64:
		y := b.(float64)
		return x == y || x != x && y != y
	case []any:
		return reflect.DeepEqual(x, b)
	}
	return a == b
}

type joinCase struct {
	keys   []types.Type
	domain int
	rows   [2]int
}

func joinCases() map[string]joinCase {
	st := types.Struct(types.Field{Name: "a", Type: types.Int, Nullable: true}, types.Field{Name: "b", Type: types.String, Nullable: true})
	return map[string]joinCase{
		"long":         {[]types.Type{types.Long}, 40, [2]int{90, 60}},
		"long unique":  {[]types.Type{types.Long}, 2000, [2]int{300, 200}},
		"byte":         {[]types.Type{types.Byte}, 100, [2]int{90, 60}},
		"date":         {[]types.Type{types.Date}, 50, [2]int{90, 60}},
		"bool":         {[]types.Type{types.Boolean}, 2, [2]int{30, 20}},
		"double":       {[]types.Type{types.Double}, 20, [2]int{30, 20}},
		"decimal":      {[]types.Type{types.Decimal(30, 2)}, 60, [2]int{90, 60}},
		"string":       {[]types.Type{types.String}, 60, [2]int{90, 60}},
		"string large": {[]types.Type{types.String}, 1000, [2]int{300, 300}},
		"two":          {[]types.Type{types.Int, types.Long}, 8, [2]int{90, 60}},
		"two mixed":    {[]types.Type{types.String, types.Double}, 6, [2]int{90, 60}},
		"struct":       {[]types.Type{st}, 3, [2]int{90, 60}},
		"array":        {[]types.Type{types.Array(types.String, true)}, 3, [2]int{90, 60}},
		"empty build":  {[]types.Type{types.Long}, 5, [2]int{30, 0}},
		"empty probe":  {[]types.Type{types.Long}, 5, [2]int{0, 30}},
		"many":         {[]types.Type{types.Int}, 2, [2]int{200, 300}},
	}
}

// payload follows the keys in the test tables.
var payload = []types.Type{types.Long, types.String}

// sides makes the two tables of a case, whose keys come first.
func (c *joinCase) sides(r *rand.Rand) (l, rt *rowset, at []int) {
	ts := append(append([]types.Type(nil), c.keys...), payload...)
	for i := range c.keys {
		at = append(at, i)
	}
	return newRowset(r, ts, c.rows[0], 40, c.domain), newRowset(r, ts, c.rows[1], 30, c.domain), at
}

// residual is a condition over both sides, as an expression and as Go.
func residual(l, r *rowset, at int) (expr.Expr, func(a, b []any) any) {
	return expr.NewCall("<", types.Boolean, l.cols[at], r.cols[at]), func(a, b []any) any {
		if a[at] == nil || b[at] == nil {
			return nil
		}
		return a[at].(int64) < b[at].(int64)
	}
}

func and3(a, b any) any {
	switch {
	case a == false || b == false:
		return false
	case a == nil || b == nil:
		return nil
	}
	return true
}

func TestHashJoin(t *testing.T) {
	for name, c := range joinCases() {
		for _, kind := range allJoins {
			for v := range 12 {
				buildRight, cond, mode := v&1 == 0, v&2 == 0, v/4
				if (v+v/4+len(name)+int(kind))%2 == 0 {
					continue // every second variant, in turns
				}
				if mode == 2 && c.rows[0]*c.rows[1] < 30000 && name != "empty build" && name != "two mixed" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/right %v/cond %v/%d", name, kind, buildRight, cond, mode), func(t *testing.T) {
					checkJoin(t, c, kind, buildRight, cond, mode)
				})
			}
		}
	}
}

// checkJoin compares a hash join with the definition. Mode 0: own table; 1: shared table; 2: hardly any memory.
func checkJoin(t *testing.T, c joinCase, kind logical.JoinKind, buildRight, withCond bool, mode int) {
	r := rand.New(rand.NewPCG(uint64(c.domain), uint64(kind)))
	l, rt, at := c.sides(r)
	budget := int64(1 << 30)
	if mode == 2 {
		budget = 16 << 10
		if len(c.keys) == 2 {
			budget = 5 << 10
		}
	}
	h := newHarness(t, budget)
	p := &physical.HashJoin{Left: l.plan, Right: rt.plan, Kind: kind, BuildRight: buildRight, LeftKeys: l.exprs(at...), RightKeys: rt.exprs(at...)}
	on := func(a, b []any) any { return keysEqual(a[:len(at)], b[:len(at)]) }
	if withCond {
		cond, f := residual(l, rt, len(at))
		keys := on
		p.Cond, on = cond, func(a, b []any) any { return and3(keys(a, b), f(a, b)) }
	}
	if mode == 1 {
		in := &relations{rel: map[int]*Relation{}}
		h.inputs, p.Broadcast = in, true
		if buildRight {
			p.Right = rt.broadcast(in, 1)
		} else {
			p.Left = l.broadcast(in, 1)
		}
		defer in.rel[1].Free()
	}
	if kind == logical.ExistenceJoin {
		p.Hint.Exists = &expr.Column{ID: expr.NextID(), Name: "exists", T: types.Boolean}
	}
	got := h.mustRun(t, p)
	sameRows(t, got, slowJoin(kind, l.rows, rt.rows, len(l.cols), false, on), true)
	if mode == 2 && c.rows[0]*c.rows[1] > 30000 && kind < logical.CrossJoin && h.spilled == 0 {
		t.Error("nothing was spilled")
	}
}

func TestMergeJoin(t *testing.T) {
	for name, c := range joinCases() {
		for _, kind := range allJoins {
			for v := range 6 {
				withCond, mode := v&1 == 0, v/2
				if (v+v/2+len(name)+int(kind))%2 == 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/cond %v/%d", name, kind, withCond, mode), func(t *testing.T) { checkMergeJoin(t, c, kind, withCond, mode) })
			}
		}
	}
}

// checkMergeJoin: mode 0: as is; 1: hardly any memory; 2: one key has most of the rows, and hardly any memory.
func checkMergeJoin(t *testing.T, c joinCase, kind logical.JoinKind, withCond bool, mode int) {
	r := rand.New(rand.NewPCG(uint64(c.domain), uint64(kind)))
	if mode == 2 {
		c.domain, c.rows = 2, [2]int{150, 150}
	}
	l, rt, at := c.sides(r)
	budget := int64(1 << 30)
	if mode > 0 {
		budget = 3 << 10
	}
	h := newHarness(t, budget)
	sorted := func(s *rowset) physical.Plan {
		var order []expr.SortOrder
		var keys []int
		for _, k := range at {
			order, keys = append(order, expr.SortOrder{Child: s.cols[k], NullsFirst: true}), append(keys, k)
		}
		s.rows = slowSort(s.rows, order, keys)
		return &physical.Sort{Order: order, Child: s.plan}
	}
	p := &physical.MergeJoin{Left: sorted(l), Right: sorted(rt), Kind: kind, LeftKeys: l.exprs(at...), RightKeys: rt.exprs(at...)}
	on := func(a, b []any) any { return keysEqual(a[:len(at)], b[:len(at)]) }
	if withCond {
		cond, f := residual(l, rt, len(at))
		keys := on
		p.Cond, on = cond, func(a, b []any) any { return and3(keys(a, b), f(a, b)) }
	}
	if kind == logical.ExistenceJoin {
		p.Hint.Exists = &expr.Column{ID: expr.NextID(), Name: "exists", T: types.Boolean}
	}
	sameRows(t, h.mustRun(t, p), slowJoin(kind, l.rows, rt.rows, len(l.cols), false, on), true)
}

func TestNullAwareAntiJoin(t *testing.T) {
	for _, domain := range []int{3, 40, 2000} {
		for _, keys := range [][]types.Type{{types.Long}, {types.String}, {types.Long, types.String}} {
			for v := range 16 {
				r := rand.New(rand.NewPCG(uint64(domain), uint64(v)))
				c := joinCase{keys, domain, [2]int{120, 40 * (v & 1)}}
				l, rt, at := c.sides(r)
				if v&8 != 0 {
					rt = newRowset(r, append(append([]types.Type(nil), keys...), payload...), 30*(v&1), 40, domain)
				}
				if v&2 != 0 { // no nulls on the right
					var rows [][]any
					for _, x := range rt.rows {
						if keysEqual(x[:len(at)], x[:len(at)]) == true {
							rows = append(rows, x)
						}
					}
					rt = fixedRowset(append(append([]types.Type(nil), keys...), payload...), rows)
				}
				h := newHarness(t, int64(1<<30)>>(28*(v>>2&1)))
				p := &physical.HashJoin{Left: l.plan, Right: rt.plan, Kind: logical.AntiJoin, BuildRight: true,
					LeftKeys: l.exprs(at...), RightKeys: rt.exprs(at...), Hint: logical.JoinHint{NullAware: true}}
				on := func(a, b []any) any { return keysEqual(a[:len(at)], b[:len(at)]) }
				want := slowJoin(logical.AntiJoin, l.rows, rt.rows, 0, true, on)
				sameRows(t, h.mustRun(t, p), want, true)
				cond, f := residual(l, rt, len(at))
				p.Cond = cond
				want = slowJoin(logical.AntiJoin, l.rows, rt.rows, 0, true, func(a, b []any) any {
					if f(a, b) != true {
						return false
					}
					return on(a, b)
				})
				sameRows(t, h.mustRun(t, p), want, true)
			}
		}
	}
}

func TestSingleJoin(t *testing.T) {
	ts := []types.Type{types.Long, types.Long}
	l := fixedRowset(ts, [][]any{{int64(1), int64(5)}, {int64(2), int64(5)}, {nil, int64(1)}})
	once := fixedRowset(ts, [][]any{{int64(1), int64(9)}, {int64(3), int64(7)}, {int64(3), int64(8)}})
	twice := fixedRowset(ts, [][]any{{int64(1), int64(9)}, {int64(1), int64(7)}})
	for _, mode := range []string{"hash", "loop"} {
		for _, rt := range []*rowset{once, twice} {
			h := newHarness(t, 1<<30)
			var p physical.Plan = &physical.HashJoin{Left: l.plan, Right: rt.plan, Kind: logical.LeftJoin, BuildRight: true,
				LeftKeys: l.exprs(0), RightKeys: rt.exprs(0), Hint: logical.JoinHint{Single: true}}
			if mode == "loop" {
				p = &physical.LoopJoin{Left: l.plan, Right: rt.plan, Kind: logical.LeftJoin, BuildRight: true, Cond: expr.Eq(l.cols[0], rt.cols[0]),
					Hint: logical.JoinHint{Single: true}}
			}
			got, err := h.run(t, p)
			if rt == twice {
				if !sparkerr.Is(err, "SCALAR_SUBQUERY_TOO_MANY_ROWS") {
					t.Errorf("%s: %v", mode, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			sameRows(t, got, [][]any{{int64(1), int64(5), int64(1), int64(9)}, {int64(2), int64(5), nil, nil}, {nil, int64(1), nil, nil}}, true)
		}
	}
}

func TestLoopJoin(t *testing.T) {
	for _, kind := range allJoins {
		for v := range 8 {
			buildRight, withCond := v&1 == 0, v&2 == 0
			r := rand.New(rand.NewPCG(uint64(v), uint64(kind)))
			c := joinCase{[]types.Type{types.Long}, 30, [2]int{60, 110}}
			l, rt, _ := c.sides(r)
			budget := int64(1 << 30)
			if v&4 != 0 {
				budget = 3 << 10
			}
			h := newHarness(t, budget)
			p := &physical.LoopJoin{Left: l.plan, Right: rt.plan, Kind: kind, BuildRight: buildRight}
			if v&4 == 0 {
				in := &relations{rel: map[int]*Relation{}}
				h.inputs, p.Broadcast = in, true
				if buildRight {
					p.Right = rt.broadcast(in, 1)
				} else {
					p.Left = l.broadcast(in, 1)
				}
			}
			on := func(a, b []any) any { return true }
			if withCond {
				p.Cond, on = residual(l, rt, 0)
			}
			if kind == logical.ExistenceJoin {
				p.Hint.Exists = &expr.Column{ID: expr.NextID(), Name: "exists", T: types.Boolean}
			}
			t.Run(fmt.Sprintf("%s/%d", kind, v), func(t *testing.T) {
				sameRows(t, h.mustRun(t, p), slowJoin(kind, l.rows, rt.rows, len(l.cols), false, on), true)
				narrow := *p
				narrow.Narrow = p.Output()[1:2]
				var want [][]any
				for _, r := range slowJoin(kind, l.rows, rt.rows, len(l.cols), false, on) {
					want = append(want, r[1:2])
				}
				sameRows(t, h.mustRun(t, &narrow), want, true)
			})
		}
	}
}

func TestNullAwareLoopJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	c := joinCase{[]types.Type{types.Long}, 300, [2]int{60, 11}}
	l, rt, _ := c.sides(r)
	h := newHarness(t, 1<<30)
	cond, on := residual(l, rt, 0)
	p := &physical.LoopJoin{Left: l.plan, Right: rt.plan, Kind: logical.AntiJoin, BuildRight: true, Cond: cond, Hint: logical.JoinHint{NullAware: true}}
	sameRows(t, h.mustRun(t, p), slowJoin(logical.AntiJoin, l.rows, rt.rows, 0, true, on), true)
}

// TestLargeTables joins tables large enough to be built by several goroutines, and keys that are computed.
func TestLargeTables(t *testing.T) {
	for _, c := range []struct {
		name    string
		t       types.Type
		key     func(i int) any
		rows    int
		partner int // of how many build rows a probe row is the partner
	}{
		{"dense", types.Long, func(i int) any { return int64(i) }, 300000, 1},
		{"dense twice", types.Int, func(i int) any { return int32(i / 2) }, 300000, 2},
		{"sparse", types.Long, func(i int) any { return int64(i) * 1_000_003 }, 300000, 1},
		{"sparse thrice", types.Long, func(i int) any { return int64(i/3) * 1_000_003 }, 300000, 3},
		{"text", types.String, func(i int) any { return fmt.Sprintf("the key of row %d", i) }, 150000, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := make([][]any, c.rows)
			for i := range rows {
				rows[i] = []any{c.key(i), int64(i)}
			}
			build := fixedRowset([]types.Type{c.t, types.Long}, rows)
			probe := fixedRowset([]types.Type{c.t}, [][]any{{c.key(0)}, {c.key(c.rows - 1)}, {c.key(c.rows / 2)}, {c.key(c.rows * 4)}, {nil}})
			in := &relations{rel: map[int]*Relation{}}
			h := newHarness(t, 1<<30)
			h.inputs = in
			p := &physical.HashJoin{Left: probe.plan, Right: build.broadcast(in, 1), BuildRight: true, Broadcast: true, LeftKeys: probe.exprs(0), RightKeys: build.exprs(0)}
			got := h.mustRun(t, p)
			if len(got) != 3*c.partner {
				t.Fatalf("%d rows, want %d", len(got), 3*c.partner)
			}
			for _, r := range got {
				if r[0] != r[1] || r[1] != c.key(int(r[2].(int64))) {
					t.Errorf("row %v", r)
				}
			}
		})
	}
}

func TestJoinByComputedKeys(t *testing.T) {
	c := joinCase{[]types.Type{types.Long}, 40, [2]int{90, 60}}
	for _, budget := range []int64{1 << 30, 6 << 10} {
		for mode := range 2 {
			l, rt, _ := c.sides(rand.New(rand.NewPCG(1, 1)))
			h := newHarness(t, budget)
			plus := func(e expr.Expr) []expr.Expr {
				return []expr.Expr{expr.NewCall("+", types.Long, e, expr.NewLiteral(int64(3), types.Long))}
			}
			p := &physical.HashJoin{Left: l.plan, Right: rt.plan, Kind: logical.FullJoin, BuildRight: true, LeftKeys: plus(l.cols[0]), RightKeys: plus(rt.cols[0])}
			p.LeftKeys[0].(*expr.Call).Mode, p.RightKeys[0].(*expr.Call).Mode = expr.CastAnsi, expr.CastAnsi
			if mode == 1 {
				in := &relations{rel: map[int]*Relation{}}
				h.inputs, p.Broadcast = in, true
				p.Right = rt.broadcast(in, 1)
			}
			p.Narrow = []*expr.Column{p.Output()[4], p.Output()[1]}
			var want [][]any
			for _, r := range slowJoin(logical.FullJoin, l.rows, rt.rows, 3, false, func(a, b []any) any { return keysEqual(a[:1], b[:1]) }) {
				want = append(want, []any{r[4], r[1]})
			}
			sameRows(t, h.mustRun(t, p), want, true)
		}
	}
}
