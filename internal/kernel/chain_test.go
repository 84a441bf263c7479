package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// chainCase is an aggregate and values for it.
type chainCase struct {
	name  string
	make  func() Agg
	t     types.Type
	value func(r *rand.Rand) any
}

func chainCases() []chainCase {
	money, wide := types.Decimal(9, 2), types.Decimal(30, 4)
	text := func(r *rand.Rand) any { return fmt.Sprintf("%0*d", 1+r.IntN(30), r.IntN(50)) }
	number := func(r *rand.Rand) any { return r.Int64N(2000) - 1000 }
	big := func(r *rand.Rand) any {
		v, _ := types.I128(r.Int64()).Mul(types.I128(r.Int64N(9) - 4))
		return v
	}
	list := types.Array(types.Long, true)
	cases := []chainCase{
		{"count", func() Agg { return &Count{} }, types.Long, number},
		{"sum of longs", func() Agg { return NewSumLong(types.Long, types.Long, Ansi) }, types.Long, number},
		{"try_sum that overflows", func() Agg { return NewSumLong(types.Long, types.Long, Try) }, types.Long, func(r *rand.Rand) any { return r.Int64() }},
		{"sum that wraps", func() Agg { return NewSumLong(types.Long, types.Long, Legacy) }, types.Long, func(r *rand.Rand) any { return r.Int64() }},
		{"sum of doubles", func() Agg { return NewSumDouble(types.Double, false) }, types.Double, func(r *rand.Rand) any { return r.NormFloat64() * 1e9 }},
		{"avg of ints", func() Agg { return NewSumDouble(types.Int, true) }, types.Int, func(r *rand.Rand) any { return r.Int32N(100) }},
		{"sum of decimals", func() Agg { return NewSumWide(wide, types.Decimal(38, 4), false, Ansi) }, wide, big},
		{"avg of small decimals", func() Agg { return NewSumWide(money, types.Decimal(13, 6), true, Ansi) }, money, func(r *rand.Rand) any { return types.I128(r.Int64N(1e6)) }},
	}
	for _, max := range []bool{false, true} {
		for _, t := range []chainCase{{t: types.Long, value: number}, {t: types.Int, value: func(r *rand.Rand) any { return r.Int32N(9) }},
			{t: types.Double, value: func(r *rand.Rand) any { return r.NormFloat64() }}, {t: wide, value: big}, {t: types.String, value: text},
			{t: types.Boolean, value: func(r *rand.Rand) any { return r.IntN(2) > 0 }},
			{t: list, value: func(r *rand.Rand) any { return []any{r.Int64N(5), r.Int64N(5)} }}} {
			t.name = fmt.Sprintf("extreme of %s, max %v", t.t.SQL(), max)
			t.make = func() Agg { return NewMinMax(t.t, max) }
			cases = append(cases, t)
		}
	}
	return cases
}

// Chained groups are what a fresh state has after each row.
func TestChain(t *testing.T) {
	const n = 400
	for _, c := range chainCases() {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 7))
			b := columnar.NewBuilder(c.t, n)
			for range n {
				if r.IntN(8) == 0 {
					b.Append(nil)
				} else {
					b.Append(c.value(r))
				}
			}
			v := b.Finish()
			fresh := columnar.NewBitmap(n + 1)
			ids := make([]uint32, n)
			for i := range ids {
				ids[i] = uint32(i + 1)
				if i == 0 || r.IntN(50) == 0 {
					fresh.Set(i + 1)
				}
			}
			ctx := &Ctx{Session: &Session{Ansi: true}, Scratch: &Scratch{}}
			all, ok := c.make().(Chained)
			if !ok {
				t.Fatal("it cannot be chained")
			}
			if err := all.Update(ctx, []columnar.Vector{v}, n, ids, n+1); err != nil {
				t.Fatal(err)
			}
			if err := all.Chain(1, n+1, fresh); err != nil {
				t.Fatal(err)
			}
			got, err := all.Result(ctx, 1, n+1)
			if err != nil {
				t.Fatal(err)
			}
			one := c.make()
			for i := range n {
				if fresh.Get(i + 1) {
					one.Reset()
				}
				row := columnar.Gather(&v, []uint32{uint32(i)})
				if err := one.Update(ctx, []columnar.Vector{row}, 1, nil, 1); err != nil {
					t.Fatal(err)
				}
				want, err := one.Result(ctx, 0, 1)
				if err != nil {
					t.Fatal(err)
				}
				if g, w := fmt.Sprint(got.ValueAt(i)), fmt.Sprint(want.ValueAt(0)); g != w {
					t.Fatalf("after row %d: %s, want %s", i, g, w)
				}
			}
		})
	}
}
