package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// keyText is equal for equal keys.
func keyText(row []any) string {
	for i, v := range row {
		switch f := v.(type) {
		case float64:
			if f == 0 {
				row[i] = 0.0
			}
		}
	}
	return fmt.Sprintf("%#v", row)
}

func randomKey(r *rand.Rand, t types.Type, domain int) any {
	if r.IntN(10) == 0 {
		return nil
	}
	k := r.IntN(domain)
	switch t.Kind {
	case types.BooleanKind:
		return k&1 == 0
	case types.ByteKind:
		return int8(k)
	case types.ShortKind:
		return int16(k * 3)
	case types.IntKind, types.DateKind:
		return int32(k * 1_000_003)
	case types.LongKind:
		return int64(k) - 20
	case types.DoubleKind:
		return []float64{math.Copysign(0, -1), 0, math.NaN(), 1.5, math.Inf(1)}[k%5]
	case types.StringKind:
		if k%2 == 0 {
			return fmt.Sprintf("k%d", k)
		}
		return fmt.Sprintf("a key longer than twelve bytes %d", k)
	case types.DecimalKind:
		return types.I128(int64(k))
	case types.ArrayKind:
		return []any{randomKey(r, t.Elem(), 3), randomKey(r, t.Elem(), 2)}
	case types.StructKind:
		return []any{randomKey(r, t.Fields()[0].Type, 3), randomKey(r, t.Fields()[1].Type, 3)}
	}
	return nil
}

func randomVector(r *rand.Rand, t types.Type, n, domain int) columnar.Vector {
	return vectorOf(r, t, n, domain, r.IntN(4))
}

// vectorOf makes a random vector: 0 a constant, 1 rows of a dictionary, which may have an id, else a flat one.
func vectorOf(r *rand.Rand, t types.Type, n, domain, form int) columnar.Vector {
	b := columnar.NewBuilder(t, n)
	switch {
	case form == 0:
		return columnar.NewConst(t, randomKey(r, t, domain), n)
	case form == 1:
		for b.Len() < domain/2+1 {
			if v := randomKey(r, t, domain); v != nil {
				b.Append(v)
			}
		}
		d := b.Finish()
		if r.IntN(2) == 0 {
			d.DictID = columnar.NextDictID()
		}
		codes, valid := make([]uint32, n), columnar.FullBitmap(n)
		for i := range codes {
			codes[i] = r.Uint32N(uint32(d.N))
			if r.IntN(9) == 0 {
				valid.Clear(i)
			}
		}
		return columnar.NewDict(&d, codes, valid)
	}
	for range n {
		b.Append(randomKey(r, t, domain))
	}
	return b.Finish()
}

func TestGroupers(t *testing.T) {
	cases := [][]types.Type{
		{types.Long}, {types.Int}, {types.Byte}, {types.Boolean}, {types.Double}, {types.Decimal(10, 2)}, {types.String}, {types.Binary},
		{types.Int, types.Long}, {types.Int, types.Short, types.Boolean, types.Byte}, {types.Double, types.Int},
		{types.Decimal(30, 2)}, {types.String, types.Long}, {types.Long, types.Long}, {types.Double, types.String, types.String},
		{types.Long, types.Int, types.Date, types.Double, types.Byte, types.Short}, {types.String, types.Int, types.String, types.Long, types.String},
		{types.Array(types.String, true)}, {types.String, types.Struct(types.Field{Type: types.Int}, types.Field{Type: types.String})},
	}
	for _, ts := range cases {
		for _, domain := range []int{3, 60, 5000} {
			t.Run(fmt.Sprintf("%v %d", ts, domain), func(t *testing.T) { checkGrouper(t, ts, domain) })
		}
	}
}

func checkGrouper(t *testing.T, ts []types.Type, domain int) {
	for first := range 4 { // the form of the first batch tells how texts are grouped
		checkGrouperFrom(t, ts, domain, first)
	}
}

func checkGrouperFrom(t *testing.T, ts []types.Type, domain, first int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(domain), uint64(len(ts))))
	f := newFront(ts)
	for range 2 { // again after a reset
		seen, rows := map[string]uint32{}, [][]any{}
		for range 8 {
			n := 1 + r.IntN(3000)
			keys := make([]columnar.Vector, len(ts))
			for i, kt := range ts {
				if kt.Kind == types.BinaryKind {
					kt = types.String
				}
				keys[i] = randomVector(r, kt, n, domain)
				if f.in == nil {
					keys[i] = vectorOf(r, kt, n, domain, first)
				}
				if d := keys[i].Dict; d != nil && f.in == nil {
					d.DictID = columnar.NextDictID()
				}
			}
			ids := make([]uint32, n)
			f.assign(keys, n, ids)
			for i := range n {
				row := make([]any, len(ts))
				for k := range keys {
					row[k] = keys[k].ValueAt(i)
				}
				key := keyText(row)
				want, ok := seen[key]
				if !ok {
					want = ids[i]
					seen[key] = want
				}
				if ids[i] != want {
					t.Fatalf("row %v: group %d, want %d", row, ids[i], want)
				}
				for int(want) >= len(rows) {
					rows = append(rows, nil)
				}
				rows[want] = row
			}
		}
		if f.len() != len(seen) {
			t.Fatalf("%d groups, want %d", f.len(), len(seen))
		}
		checkKeys(t, f, rows)
		f.reset()
	}
}

func checkKeys(t *testing.T, f *front, rows [][]any) {
	t.Helper()
	out := make([]columnar.Vector, len(f.keys))
	for from := 0; from < f.len(); from += 640 {
		to := min(from+640, f.len())
		f.groups(out, from, to)
		for i := range to - from {
			row := make([]any, len(out))
			for k := range out {
				row[k] = out[k].ValueAt(i)
				if b, ok := row[k].([]byte); ok {
					row[k] = string(b)
				}
			}
			if a, b := keyText(row), keyText(rows[from+i]); a != b && !reflect.DeepEqual(row, rows[from+i]) {
				t.Fatalf("group %d has keys %s, want %s", from+i, a, b)
			}
		}
	}
}

// Keys go to and fro between direct address and a table, as their range and their number change; each keeps its group.
func TestWordGroupsChangeTheirForm(t *testing.T) {
	type step struct {
		name   string
		key    func(r *rand.Rand, i int) int64
		batch  int
		direct bool
	}
	any := func(lo, n int64) func(*rand.Rand, int) int64 {
		return func(r *rand.Rand, _ int) int64 { return lo + r.Int64N(n) }
	}
	for _, nulls := range []bool{false, true} {
		r := rand.New(rand.NewPCG(5, 6))
		g := newWordGrouper(types.Long)
		for round, steps := range [][]step{
			{{"close", any(-50, 100), 3, true}, {"in a row", func(_ *rand.Rand, i int) int64 { return 60_000 + int64(i) }, 40, true},
				{"downwards", func(_ *rand.Rand, i int) int64 { return -60_000 - int64(i) }, 40, true},
				{"far away", any(math.MaxInt64-100, 100), 2, false}},
			{{"sparse", any(0, 4_000_000), 3, false}, {"many", any(0, 4_000_000), 250, true}, {"beyond", any(0, 4_100_000), 5, true},
				{"below all", any(math.MinInt64, 1000), 2, false}},
			{{"in the table that is there", any(1_000_000, 1000), 2, false}, {"wider", any(990_000, 50_000), 5, false}},
			{{"after one too large", any(5, 10), 1, true}, {"lower", any(-100, 10), 1, true}},
		} {
			if g.reset(); round == 1 {
				g.free()
				g = newWordGrouper(types.Long)
			}
			want := map[int64]uint32{}
			null := int64(-1)
			for _, s := range steps {
				for b := range s.batch {
					const n = 4096
					keys, valid := make([]int64, n), columnar.FullBitmap(n)
					ids := make([]uint32, n)
					for i := range keys {
						keys[i] = s.key(r, b*n+i)
						if nulls && r.IntN(9) == 0 {
							valid.Clear(i)
						}
					}
					v := columnar.Vector{Type: types.Long, N: n, Data: columnar.Bytes(keys)}
					if nulls {
						v.Valid = valid
					}
					g.assign([]columnar.Vector{v}, n, ids)
					for i, k := range keys {
						if !valid.Get(i) {
							if null < 0 {
								null = int64(ids[i])
							}
							if int64(ids[i]) != null {
								t.Fatalf("%d %s: null has groups %d and %d", round, s.name, null, ids[i])
							}
							continue
						}
						id, known := want[k]
						if !known {
							id = ids[i]
							want[k] = id
						}
						if id != ids[i] || int64(g.vals[id]) != k {
							t.Fatalf("%d %s: key %d has group %d, of %d, before %d", round, s.name, k, ids[i], int64(g.vals[ids[i]]), id)
						}
					}
				}
				if g.hashed == s.direct {
					t.Errorf("%d %s: hashed is %v", round, s.name, g.hashed)
				}
			}
			groups := len(want)
			if null >= 0 {
				groups++
			}
			if g.len() != groups {
				t.Errorf("round %d: %d groups, want %d", round, g.len(), groups)
			}
		}
		g.free()
	}
}
