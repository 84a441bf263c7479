package eval_test

import (
	"math/rand/v2"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// lineitem is a batch as the scan of TPC-H makes it: prices flat, small columns as dictionaries, no nulls.
func lineitem(n int) ([]*expr.Column, *columnar.Batch) {
	r := rand.New(rand.NewPCG(5, 6))
	column := func(name string, t types.Type) *expr.Column {
		return &expr.Column{ID: expr.NextID(), Name: name, T: t}
	}
	in := []*expr.Column{column("price", types.Decimal(15, 2)), column("discount", types.Decimal(15, 2)), column("tax", types.Decimal(15, 2)),
		column("shipdate", types.Date), column("flag", types.String), column("key", types.Long), column("x", types.Double)}
	b := &columnar.Batch{N: n}
	for _, c := range in {
		var v columnar.Vector
		switch c.Name {
		case "price", "key":
			vals := make([]int64, n)
			for i := range vals {
				vals[i] = int64(r.IntN(10000000))
			}
			v = columnar.NewFlat(c.T, vals)
		case "x":
			vals := make([]float64, n)
			for i := range vals {
				vals[i] = r.Float64()
			}
			v = columnar.NewFlat(c.T, vals)
		default:
			d := columnar.NewBuilder(c.T, 0)
			for i := range 11 {
				switch c.T.Kind {
				case types.StringKind:
					d.Append(string(rune('A' + i)))
				case types.DateKind:
					d.Append(int32(8000 + 250*i))
				default:
					d.Append(types.I128(int64(i)))
				}
			}
			dict := d.Finish()
			dict.DictID = columnar.NextDictID()
			codes := make([]uint32, n)
			for i := range codes {
				codes[i] = uint32(r.IntN(11))
			}
			v = columnar.NewDict(&dict, codes, nil)
		}
		b.Cols = append(b.Cols, v)
	}
	return in, b
}

func compiled(t testing.TB, in []*expr.Column, texts ...string) []expr.Expr {
	saved := cols
	cols = in
	defer func() { cols = saved }()
	var out []expr.Expr
	for _, s := range texts {
		e, err := bindColumns(s)
		if err != nil {
			t.Fatal(s, err)
		}
		out = append(out, e)
	}
	return out
}

// hot are expressions that must not allocate per batch.
var hot = []string{
	"price * (1 - discount)", "price * (1 - discount) * (1 + tax)", "key + 1", "x * 2 + 1", "year(shipdate)", "shipdate + interval 1 month", "case when flag = 'A' then price else 0 end",
	"price > 100 and discount < 0.05", "flag like 'A%'", "upper(flag)", "substring(flag, 1, 1)", "coalesce(price, 0)", "cast(key as double)", "cast(key as string)", "sqrt(x)", "key in (1, 2, 3, 4, 5)",
	"if(key % 2 = 0, 'even', 'odd')", "length(flag)", "key div 7", "price / 3",
}

// TestNoAllocations runs hot expressions repeatedly and counts allocations.
func TestNoAllocations(t *testing.T) {
	in, b := lineitem(1000)
	out := make([]columnar.Vector, 1)
	for _, text := range hot {
		p, err := eval.Compile(compiled(t, in, text), in, session(), eval.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run := func() {
			if err := p.Run(b, out); err != nil {
				t.Fatal(text, err)
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n > 0 {
			t.Errorf("%s: %.0f allocations a batch", text, n)
		}
	}
	for _, text := range []string{"price > 5000000", "shipdate <= date'1998-09-02'", "flag = 'A'", "price > 100 and discount between 0.05 and 0.07", "key < price", "key % 3 = 1 and x < 0.5"} {
		f, err := eval.CompileFilter(compiled(t, in, text), in, session(), eval.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run := func() {
			if _, err := f.Select(b, nil); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n > 0 {
			t.Errorf("filter %s: %.0f allocations a batch", text, n)
		}
	}
}

func perRow(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
}

func BenchmarkExpressions(b *testing.B) {
	const n = 4096
	in, batch := lineitem(n)
	out := make([]columnar.Vector, 1)
	for _, text := range hot {
		p, err := eval.Compile(compiled(b, in, text), in, session(), eval.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if err := p.Run(batch, out); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, n)
		})
	}
}

func BenchmarkFilters(b *testing.B) {
	const n = 4096
	in, batch := lineitem(n)
	for _, text := range []string{"price > 5000000", "shipdate <= date'1998-09-02'", "discount between 0.05 and 0.07", "key < price", "flag = 'A'", "key % 3 = 1", "x < 0.5"} {
		f, err := eval.CompileFilter(compiled(b, in, text), in, session(), eval.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if _, err := f.Select(batch, nil); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, n)
		})
	}
}

func BenchmarkAggregates(b *testing.B) {
	const n = 4096
	in, batch := lineitem(n)
	group := make([]uint32, n)
	for i := range group {
		group[i] = uint32(i * 7 % 4)
	}
	c := &kernel.Ctx{Session: session(), Scratch: &kernel.Scratch{}}
	for _, text := range []string{"count(1)", "sum(price)", "sum(price * (1 - discount))", "avg(price)", "sum(x)", "sum(key)", "min(key)", "max(flag)", "stddev(x)"} {
		a := compiled(b, in, text)[0].(*expr.Agg)
		p, err := eval.Compile(a.Args, in, session(), eval.Options{})
		if err != nil {
			b.Fatal(err)
		}
		args := make([]columnar.Vector, len(a.Args))
		if err := p.Run(batch, args); err != nil {
			b.Fatal(err)
		}
		for _, grouped := range []bool{false, true} {
			state, _ := eval.NewAgg(a)
			name, ids := text, group
			if !grouped {
				ids = nil
			} else {
				name += " by group"
			}
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					if err := state.Update(c, args, n, ids, 4); err != nil {
						b.Fatal(err)
					}
				}
				perRow(b, n)
			})
		}
	}
}
