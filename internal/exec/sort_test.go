package exec

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// slowCompare orders two values that are not null.
func slowCompare(a, b any) int {
	switch x := a.(type) {
	case bool:
		if x == b.(bool) {
			return 0
		} else if x {
			return 1
		}
		return -1
	case int8:
		return cmp.Compare(x, b.(int8))
	case int16:
		return cmp.Compare(x, b.(int16))
	case int32:
		return cmp.Compare(x, b.(int32))
	case int64:
		return cmp.Compare(x, b.(int64))
	case float64:
		y := b.(float64)
		switch {
		case x != x || y != y:
			if x != x && y != y {
				return 0
			} else if x != x {
				return 1
			}
			return -1
		case x == y:
			return 0
		}
		return cmp.Compare(x, y)
	case types.Int128:
		return x.Cmp(b.(types.Int128))
	case string:
		return strings.Compare(x, b.(string))
	case []any:
		y := b.([]any)
		for i := range min(len(x), len(y)) {
			if c := slowCompareNulls(x[i], y[i], true); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(x), len(y))
	}
	panic(fmt.Sprintf("%T", a))
}

func slowCompareNulls(a, b any, nullsFirst bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil == nullsFirst && (a == nil || b == nil):
		return -1
	case a == nil || b == nil:
		return 1
	}
	return slowCompare(a, b)
}

func slowSort(rows [][]any, order []expr.SortOrder, keys []int) [][]any {
	out := append([][]any(nil), rows...)
	sort.SliceStable(out, func(i, j int) bool {
		for k, o := range order {
			a, b := out[i][keys[k]], out[j][keys[k]]
			c := slowCompareNulls(a, b, o.NullsFirst)
			if o.Desc && a != nil && b != nil {
				c = -c
			}
			if c != 0 {
				return c < 0
			}
		}
		return false
	})
	return out
}

func sortCases() map[string][]types.Type {
	return map[string][]types.Type{
		"long": {types.Long}, "int": {types.Int}, "byte": {types.Byte}, "bool, short": {types.Boolean, types.Short},
		"double": {types.Double}, "string": {types.String}, "wide": {types.Decimal(38, 2)},
		"string, long, string": {types.String, types.Long, types.String}, "long, string": {types.Long, types.String},
		"array": {types.Array(types.Int, true), types.Long}, "many": {types.Long, types.Double, types.Int, types.String},
	}
}

func TestSort(t *testing.T) {
	for name, ts := range sortCases() {
		for v := range 12 {
			t.Run(fmt.Sprintf("%s/%d", name, v), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(v), uint64(len(name))))
				rows, domain := []int{0, 150, 1500}[v%3], []int{5, 400}[v&1]
				s := newRowset(r, append(append([]types.Type(nil), ts...), payload...), rows, 120, domain)
				budget := int64(1 << 30)
				if v >= 6 {
					budget = 20 << 10
				}
				h := newHarness(t, budget)
				var order []expr.SortOrder
				var keys []int
				for i := range ts {
					order, keys = append(order, expr.SortOrder{Child: s.cols[i], Desc: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0}), append(keys, i)
				}
				want := slowSort(s.rows, order, keys)
				sameRows(t, h.mustRun(t, &physical.Sort{Order: order, Child: s.plan}), want, false)
				if large := budget > 1<<20; large && h.spilled > 0 || !large && rows == 1500 && h.spilled == 0 {
					t.Errorf("%d bytes spilled", h.spilled)
				}
				for _, n := range []int{0, 1, 10, 200, 5000} {
					for _, offset := range []int{0, 7, 300} {
						from := min(offset, len(want))
						to := min(from+n, len(want))
						p := &physical.TopN{Order: order, Child: s.plan, N: int64(n), Offset: int64(offset)}
						sameRows(t, h.mustRun(t, p), want[from:to], false)
					}
				}
			})
		}
	}
}

// TestSortAlikeTexts: texts with much in common, some equal, some with zero bytes at the end.
func TestSortAlikeTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var rows [][]any
	for i := range 3000 {
		text := "a common beginning " + []string{"", "and more of it ", "and more of it but not"}[r.IntN(3)]
		switch r.IntN(5) {
		case 0:
			text += strings.Repeat("\x00", r.IntN(12))
		case 1:
			text += fmt.Sprintf("%07d", r.IntN(1000))
		case 2:
			text += fmt.Sprintf("%014d", r.IntN(1e9))
		}
		rows = append(rows, []any{text, int64(r.IntN(4)), int32(i)})
		if i%50 == 0 {
			rows[i][0] = nil
		}
	}
	s := fixedRowset([]types.Type{types.String, types.Long, types.Int}, rows)
	for _, desc := range []bool{false, true} {
		order := []expr.SortOrder{{Child: s.cols[0], Desc: desc, NullsFirst: desc}, {Child: s.cols[1]}}
		h := newHarness(t, 1<<30)
		want := slowSort(rows, order, []int{0, 1})
		sameRows(t, h.mustRun(t, &physical.Sort{Order: order, Child: s.plan}), want, false)
		for _, n := range []int64{1, 70, 900} {
			sameRows(t, h.mustRun(t, &physical.TopN{Order: order, N: n, Child: s.plan}), want[:n], false)
		}
	}
}

func TestTopNPrunes(t *testing.T) {
	var rows [][]any
	r := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		rows = append(rows, []any{int64(r.IntN(1000000)), "some text that is not short"})
	}
	s := fixedRowset([]types.Type{types.Long, types.String}, rows)
	h := newHarness(t, 1<<20+1<<18) // far too little for all rows
	order := []expr.SortOrder{{Child: s.cols[0], Desc: true}}
	got := h.mustRun(t, &physical.TopN{Order: order, Child: s.plan, N: 10, Offset: 5})
	sameRows(t, got, slowSort(rows, order, []int{0})[5:15], false)
	if h.spilled > 0 {
		t.Errorf("%d bytes spilled", h.spilled)
	}
}

func TestSortWideDecimals(t *testing.T) {
	var rows [][]any
	for _, hi := range []int64{0, -1, 1, 1 << 61, -1 << 62, 7, -8} {
		for _, lo := range []uint64{0, 1, 1 << 62, 1<<62 - 1, 1 << 63, math.MaxUint64, math.MaxUint64 - 1<<62, 3 << 62} {
			rows = append(rows, []any{types.Int128{Lo: lo, Hi: hi}})
		}
	}
	s := fixedRowset([]types.Type{types.Decimal(38, 0)}, rows)
	for _, desc := range []bool{false, true} {
		order := []expr.SortOrder{{Child: s.cols[0], Desc: desc}}
		sameRows(t, newHarness(t, 1<<30).mustRun(t, &physical.Sort{Order: order, Child: s.plan}), slowSort(rows, order, []int{0}), false)
	}
}

func TestSortManyRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := newRowset(r, append([]types.Type{types.Int}, payload...), 12000, 40, 300)
	h := newHarness(t, 8<<10)
	order := []expr.SortOrder{{Child: s.cols[0], NullsFirst: true}}
	sameRows(t, h.mustRun(t, &physical.Sort{Order: order, Child: s.plan}), slowSort(s.rows, order, []int{0}), false)
}
