package exec

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

func rowsFrame(lo, hi expr.Bound) expr.WindowSpec {
	return expr.WindowSpec{Unit: expr.Rows, Lower: lo, Upper: hi}
}

func rangeFrame(lo, hi expr.Bound) expr.WindowSpec {
	return expr.WindowSpec{Unit: expr.Range, Lower: lo, Upper: hi}
}

func bound(k expr.BoundKind, n ...int32) expr.Bound {
	b := expr.Bound{Kind: k}
	if len(n) > 0 {
		b.Offset = expr.NewLiteral(n[0], types.Int)
	}
	return b
}

var (
	unbPrec = bound(expr.UnboundedPreceding)
	current = bound(expr.CurrentRow)
	unbFoll = bound(expr.UnboundedFollowing)
)

func byLong(k expr.BoundKind, n int64) expr.Bound {
	return expr.Bound{Kind: k, Offset: expr.NewLiteral(n, types.Long)}
}

// testFrames are frames over rows whose order is a BIGINT.
func testFrames() []expr.WindowSpec {
	p, f := expr.Preceding, expr.Following
	return []expr.WindowSpec{
		rowsFrame(unbPrec, unbFoll), rowsFrame(unbPrec, current), rangeFrame(unbPrec, current), rowsFrame(current, unbFoll), rangeFrame(current, unbFoll),
		rowsFrame(bound(p, 2), bound(f, 3)), rowsFrame(bound(p, 70), current), rowsFrame(bound(f, 1), bound(f, 40)), rowsFrame(bound(p, 9), bound(p, 4)),
		rowsFrame(unbPrec, bound(f, 2)), rowsFrame(bound(f, 3), bound(f, 1)), rowsFrame(unbPrec, bound(p, 3)), rangeFrame(current, current),
		rangeFrame(byLong(p, 3), current), rangeFrame(byLong(p, 2), byLong(f, 5)), rangeFrame(byLong(f, 1), byLong(f, 4)), rangeFrame(byLong(p, 5), unbFoll),
		rangeFrame(unbPrec, byLong(p, 1)),
	}
}

// slowFrame are the rows of row i's frame in a partition of sorted rows, by the definition.
func slowFrame(part [][]any, i, orderCol int, o expr.SortOrder, s expr.WindowSpec) [][]any {
	at := func(b expr.Bound) int {
		n := 0
		if b.Offset != nil {
			switch v := b.Offset.(*expr.Literal).Value.(type) {
			case int32:
				n = int(v)
			case int64:
				n = int(v)
			}
		}
		if b.Kind == expr.Preceding {
			n = -n
		}
		return n
	}
	cmpRows := func(a, b any) int {
		c := slowCompareNulls(a, b, o.NullsFirst)
		if o.Desc && a != nil && b != nil {
			c = -c
		}
		return c
	}
	reach := func(b expr.Bound) any { // the order that is n away from row i's
		v := part[i][orderCol]
		if v == nil {
			return nil
		}
		n := int64(at(b))
		if o.Desc {
			n = -n
		}
		return v.(int64) + n
	}
	var out [][]any
	for j, r := range part {
		in := true
		if s.Lower.Kind != expr.UnboundedPreceding {
			if s.Unit == expr.Rows {
				in = j >= i+at(s.Lower)
			} else {
				in = cmpRows(r[orderCol], reach(s.Lower)) >= 0
			}
		}
		if in && s.Upper.Kind != expr.UnboundedFollowing {
			if s.Unit == expr.Rows {
				in = j <= i+at(s.Upper)
			} else {
				in = cmpRows(r[orderCol], reach(s.Upper)) <= 0
			}
		}
		if in {
			out = append(out, r)
		}
	}
	return out
}

// slowAgg folds column col of rows.
func slowAgg(name string, rows [][]any, col int) any {
	var sum int64
	var out any
	n := int64(0)
	list := []any{}
	for _, r := range rows {
		v := r[col]
		if v == nil {
			continue
		}
		n++
		switch {
		case name == "collect_list":
			list = append(list, v)
		case name == "max" && (out == nil || v.(int64) > out.(int64)):
			out = v
		case name == "sum":
			sum += v.(int64)
			out = sum
		}
	}
	switch name {
	case "count":
		return n
	case "collect_list":
		return list
	}
	return out
}

func windowAggOf(name string, arg expr.Expr) *expr.Agg {
	t := types.Long
	if name == "collect_list" {
		t = types.Array(types.Long, false)
	}
	return &expr.Agg{Name: name, Args: []expr.Expr{arg}, T: t, Null: true}
}

// windowTable are rows (partition STRING, order BIGINT, value BIGINT, unique INT), sorted.
func windowTable(r *rand.Rand, rows, parts, orders int, o expr.SortOrder) (*rowset, []expr.SortOrder, [][][]any) {
	var vals [][]any
	for i := range rows {
		v := []any{fmt.Sprintf("partition %d", r.IntN(parts)), int64(r.IntN(orders)), int64(r.IntN(1000)), int32(i)}
		for k := range 3 {
			if r.IntN(12) == 0 {
				v[k] = nil
			}
		}
		vals = append(vals, v)
	}
	ts := []types.Type{types.String, types.Long, types.Long, types.Int}
	s := fixedRowset(ts, nil)
	order := []expr.SortOrder{{Child: s.cols[0], NullsFirst: true}, o}
	order[1].Child = s.cols[1]
	s.rows = slowSort(vals, order, []int{0, 1})
	s.plan = table(r, s.cols, s.rows, 70)
	var out [][][]any
	for i, row := range s.rows {
		if i == 0 || row[0] != s.rows[i-1][0] {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], row)
	}
	return s, order, out
}

func TestWindowFrames(t *testing.T) {
	for v := range 16 {
		r := rand.New(rand.NewPCG(uint64(v), 9))
		o := expr.SortOrder{Desc: v&1 != 0, NullsFirst: v&2 != 0}
		rows, parts := 300, 4
		if v&4 != 0 {
			rows, parts = 6000, 1500
		}
		budget := int64(1 << 30)
		if v&8 != 0 {
			budget = 4 << 10
			if v&4 != 0 {
				rows, parts, budget = 5500, 3, 40<<10
			}
		}
		s, order, partitions := windowTable(r, rows, parts, 40, o)
		for k, spec := range testFrames() {
			if (v+v/2+k)%3 == 0 {
				continue // two of three, in turns
			}
			if rows == 5500 && v != 12 {
				continue
			}
			if rows > 5000 && k != 1 && k != 2 && k != 6 && k != 14 {
				continue // the slow reference would take long
			}
			t.Run(fmt.Sprintf("%d/%d", v, k), func(t *testing.T) {
				spec.Partition, spec.Order = s.exprs(0), order[1:]
				p := &physical.Window{Partition: s.exprs(0), Order: order[1:], Child: s.plan}
				names := []string{"sum", "count", "max", "collect_list"}
				if rows > 5000 {
					names = names[:3]
				}
				for _, n := range names {
					p.List = append(p.List, expr.NewAlias(&expr.Window{Func: windowAggOf(n, s.cols[2]), Spec: spec}, n))
				}
				picks := []string{"first", "last", "nth_value"}
				for _, n := range picks {
					for _, ignore := range []bool{false, true} {
						var f expr.Expr = &expr.Agg{Name: n, Args: s.exprs(2), T: types.Long, Null: true, IgnoreNulls: ignore}
						if n == "nth_value" {
							f = &expr.Call{Name: n, Args: []expr.Expr{s.cols[2], expr.NewLiteral(int32(2), types.Int), expr.NewLiteral(ignore, types.Boolean)}, T: types.Long, Null: true}
						}
						p.List = append(p.List, expr.NewAlias(&expr.Window{Func: f, Spec: spec}, n))
					}
				}
				var want [][]any
				for _, part := range partitions {
					for i, row := range part {
						frame := slowFrame(part, i, 1, order[1], spec)
						out := append([]any(nil), row...)
						for _, n := range names {
							out = append(out, slowAgg(n, frame, 2))
						}
						want = append(want, append(out, slowPicks(frame)...))
					}
				}
				sameRows(t, newHarness(t, budget).mustRun(t, p), want, false)
			})
		}
	}
}

// slowPicks are first, last and the second value of column 2, each with nulls and without.
func slowPicks(frame [][]any) []any {
	var all, some []any
	for _, r := range frame {
		all = append(all, r[2])
		if r[2] != nil {
			some = append(some, r[2])
		}
	}
	var out []any
	for _, at := range []func(v []any) int{func([]any) int { return 0 }, func(v []any) int { return len(v) - 1 }, func([]any) int { return 1 }} {
		for _, v := range [][]any{all, some} {
			if k := at(v); k >= 0 && k < len(v) {
				out = append(out, v[k])
			} else {
				out = append(out, nil)
			}
		}
	}
	return out
}

func TestWindowRanks(t *testing.T) {
	names := []string{"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"}
	for v := range 4 {
		r := rand.New(rand.NewPCG(uint64(v), 1))
		rows, parts, budget := 500, 7, int64(1<<30)
		if v&1 != 0 {
			rows, parts = 6000, 1
		}
		if v&2 != 0 {
			budget = 30 << 10
		}
		s, order, partitions := windowTable(r, rows, parts, 30, expr.SortOrder{NullsFirst: true})
		p := &physical.Window{Partition: s.exprs(0), Order: order[1:], Child: s.plan}
		spec := expr.WindowSpec{Unit: expr.Rows, Partition: s.exprs(0), Order: order[1:], Upper: current}
		for _, n := range names {
			c := &expr.Call{Name: n, T: types.Int}
			switch n {
			case "percent_rank", "cume_dist":
				c.T = types.Double
			case "ntile":
				c.Args = []expr.Expr{expr.NewLiteral(int32(7), types.Int)}
			}
			p.List = append(p.List, expr.NewAlias(&expr.Window{Func: c, Spec: spec}, n))
		}
		offsets := []int32{1, -2, 0, 300}
		for _, n := range []string{"lag", "lead"} {
			for _, k := range offsets {
				for _, ignore := range []bool{false, true} {
					c := &expr.Call{Name: n, T: types.Long, Null: true, Args: []expr.Expr{s.cols[2], expr.NewLiteral(k, types.Int), expr.NewLiteral(nil, types.Null),
						expr.NewLiteral(ignore, types.Boolean)}}
					if k == 1 {
						c.Args[2] = s.cols[1]
					}
					p.List = append(p.List, expr.NewAlias(&expr.Window{Func: c, Spec: spec}, n))
				}
			}
		}
		var want [][]any
		for _, part := range partitions {
			rank, dense := 0, 0
			for i, row := range part {
				if i == 0 || row[1] != part[i-1][1] {
					rank, dense = i+1, dense+1
				}
				upTo := i
				for upTo < len(part) && part[upTo][1] == row[1] {
					upTo++
				}
				pr := 0.0
				if len(part) > 1 {
					pr = float64(rank-1) / float64(len(part)-1)
				}
				out := append(append([]any(nil), row...), int32(i+1), int32(rank), int32(dense), pr, float64(upTo)/float64(len(part)), slowTile(i, len(part), 7))
				for _, sign := range []int{-1, 1} {
					for _, k := range offsets {
						out = append(out, slowAhead(part, i, sign*int(k), false, k == 1), slowAhead(part, i, sign*int(k), true, k == 1))
					}
				}
				want = append(want, out)
			}
		}
		h := newHarness(t, budget)
		sameRows(t, h.mustRun(t, p), want, false)
		if v == 3 && h.spilled == 0 {
			t.Error("nothing was spilled")
		}
	}
}

func slowTile(i, n, buckets int) int32 {
	at := 0
	for b := range buckets {
		size := n / buckets
		if b < n%buckets {
			size++
		}
		if at += size; i < at {
			return int32(b + 1)
		}
	}
	panic("no bucket")
}

func slowAhead(part [][]any, i, k int, ignore, deflt bool) any {
	step := 1
	if k < 0 {
		step, k = -1, -k
	}
	j := i
	for ; k > 0 && j >= 0 && j < len(part); k-- {
		for j += step; ignore && j >= 0 && j < len(part) && part[j][2] == nil; {
			j += step
		}
	}
	if j >= 0 && j < len(part) {
		return part[j][2]
	}
	if deflt {
		return part[i][1]
	}
	return nil
}
