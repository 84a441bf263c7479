package eval_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// cols are the columns that random tests may use in SQL.
var cols = []*expr.Column{
	{ID: expr.NextID(), Name: "i", T: types.Int, Null: true},
	{ID: expr.NextID(), Name: "l", T: types.Long, Null: true},
	{ID: expr.NextID(), Name: "d", T: types.Double, Null: true},
	{ID: expr.NextID(), Name: "n", T: types.Decimal(12, 2), Null: true},
	{ID: expr.NextID(), Name: "w", T: types.Decimal(30, 4), Null: true},
	{ID: expr.NextID(), Name: "s", T: types.String, Null: true},
	{ID: expr.NextID(), Name: "t", T: types.Date, Null: true},
	{ID: expr.NextID(), Name: "ts", T: types.Timestamp, Null: true},
	{ID: expr.NextID(), Name: "b", T: types.Boolean, Null: true},
	{ID: expr.NextID(), Name: "a", T: types.Array(types.Int, true), Null: true},
	{ID: expr.NextID(), Name: "r", T: types.Struct(types.Field{Name: "x", Type: types.Int, Nullable: true}, types.Field{Name: "y", Type: types.String, Nullable: true}), Null: true},
	{ID: expr.NextID(), Name: "y", T: types.Byte, Null: true},
	{ID: expr.NextID(), Name: "f", T: types.Float, Null: true},
}

func randomValue(r *rand.Rand, t types.Type, nulls bool) any {
	if nulls && r.IntN(6) == 0 {
		return nil
	}
	switch t.Kind {
	case types.IntKind:
		return int32(r.IntN(7) - 3)
	case types.ByteKind:
		return int8(r.IntN(7) - 3)
	case types.LongKind:
		return int64(r.IntN(2000) - 1000)
	case types.DoubleKind:
		return float64(r.IntN(100)-50) / 4
	case types.FloatKind:
		return float32(r.IntN(100)-50) / 4
	case types.DecimalKind:
		return types.I128(int64(r.IntN(2000000) - 1000000))
	case types.StringKind:
		list := []string{"", "a", "abc", "hello world, how are you", "special requests here", "PROMO BRUSHED TIN", "12", " x ", "größe"}
		return list[r.IntN(len(list))]
	case types.DateKind:
		return int32(r.IntN(20000))
	case types.TimestampKind:
		return int64(r.IntN(2000000000))*1000003 - 5e14
	case types.BooleanKind:
		return r.IntN(2) == 0
	case types.ArrayKind:
		out := []any{}
		for range r.IntN(4) {
			out = append(out, randomValue(r, t.Elem(), true))
		}
		return out
	case types.StructKind:
		out := []any{}
		for _, f := range t.Fields() {
			out = append(out, randomValue(r, f.Type, true))
		}
		return out
	}
	panic(t.String())
}

// randomVector makes a column of random form.
func randomVector(r *rand.Rand, t types.Type, n int) columnar.Vector {
	nulls := r.IntN(3) > 0
	switch form := r.IntN(5); {
	case form == 0:
		return columnar.NewConst(t, randomValue(r, t, nulls), n)
	case form <= 2:
		entries := 1 + r.IntN(8)
		b := columnar.NewBuilder(t, entries)
		for range entries {
			b.Append(randomValue(r, t, false))
		}
		dict := b.Finish()
		if r.IntN(2) == 0 {
			dict.DictID = columnar.NextDictID()
		}
		codes := make([]uint32, n)
		var valid columnar.Bitmap
		if nulls {
			valid = columnar.FullBitmap(n)
		}
		for i := range codes {
			codes[i] = uint32(r.IntN(entries))
			if nulls && r.IntN(6) == 0 {
				valid.Clear(i)
				codes[i] = 0
			}
		}
		return columnar.NewDict(&dict, codes, valid)
	}
	b := columnar.NewBuilder(t, n)
	for range n {
		b.Append(randomValue(r, t, nulls))
	}
	return b.Finish()
}

func randomBatch(r *rand.Rand, n int) *columnar.Batch {
	b := &columnar.Batch{N: n, Cols: make([]columnar.Vector, len(cols))}
	for i, c := range cols {
		b.Cols[i] = randomVector(r, c.T, n)
	}
	return b
}

// bindColumns resolves SQL text over cols.
func bindColumns(text string) (expr.Expr, error) {
	e, err := sqlparser.ParseExpression(text, sqlparser.Options{Location: session().Zone})
	if err != nil {
		return nil, err
	}
	e = expr.Up(e, func(x expr.Expr) expr.Expr {
		a, ok := x.(*expr.Attribute)
		if !ok {
			return x
		}
		for _, c := range cols {
			if len(a.Name) == 1 && c.Name == a.Name[0] {
				return c
			}
		}
		return x
	})
	return resolve(bindEnv(session()), e, nil)
}

// texts are expressions over cols: each is computed for whole batches and, with the columns' values put in as constants, row by row.
var texts = []string{
	"i + 1", "l - i", "i * l", "d * 2 + l", "n + n", "n * n", "n * (1 - n)", "w * n", "w + n", "n / 7", "w / n", "i % 3", "l div 7", "pmod(i, 3)", "-i", "abs(l)",
	"i = 1", "i <> y", "l > 10", "l >= i", "d < 0", "d <= f", "n > 100", "w = n", "s = 'abc'", "s < 'b'", "s = 'special requests here'", "t >= date'1990-01-01'",
	"a = a", "r = r", "r < r", "i <=> y", "s <=> null", "b and i > 0", "b or i > 0", "not b", "i is null", "s is not null", "i in (1, 2, null)", "i in (1, 2)",
	"l in (1,2,3,4,5,6,7,8)", "s in ('a', 'abc', '12', 'x', 'hello world, how are you')", "i between 0 and 2", "case when i > 0 then 'pos' when i < 0 then 'neg' else 'zero or null' end",
	"case when i <> 0 then l / i else 0 end", "if(b, i, y)", "if(b, s, 'none of them')", "coalesce(i, y, 7)", "coalesce(s, 'x')", "nvl2(i, l, d)", "nullif(i, 1)", "b and 10 div i > 0",
	"i <> 0 and l / i > 1", "i = 0 or l / i > 1", "cast(i as string)", "cast(l as double)", "cast(d as int)", "cast(n as string)", "cast(w as decimal(12,2))", "cast(n as double)",
	"cast(t as timestamp)", "cast(ts as date)", "cast(ts as string)", "cast(a as string)", "cast(r as string)", "cast(a as array<string>)", "try_cast(s as int)", "try_cast(s as double)",
	"t + 1", "t + interval 1 month", "t - t", "ts + interval 1 day 2 hours", "ts - ts", "cast(b as int)", "i & 3", "i | y", "y << 2", "try_add(i, y)", "try_divide(l, i)", "case when b then a end",
	"if(b, r, null)", "cast(i as boolean)", "cast(f as decimal(10,3))", "isnan(d)", "(i + 1) * (i + 1)", "i + y > 0 and l > 5 and s <> 'a'",
	"transform(a, x -> x + l)", "transform(a, (x, k) -> k)", "filter(a, x -> x > i)", "exists(a, x -> x > 1)", "forall(a, x -> x < i)", "aggregate(a, 0L, (acc, x) -> acc + coalesce(x, 0) + y)",
	"aggregate(a, 0, (acc, x) -> acc + 1, acc -> acc * i)", "case when b then 10 div i end", "s like '%special%requests%'", "s like '_b%'", "substring(s, 2, 3)", "upper(s)", "length(s)", "trim(s)",
	"concat(s, '-', i)", "year(t)", "date_trunc('month', ts)", "round(n, 1)", "round(d)", "ceil(n)", "greatest(i, y, 1)", "least(s, 'b')", "if(b, l, 0L)", "if(b, l, l + 1)", "date_add(t, i)",
}

// TestBatchesAgainstRows compares programs over batches of all forms with single rows.
func TestBatchesAgainstRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := session()
	for _, text := range texts {
		e, err := bindColumns(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		p, err := eval.Compile([]expr.Expr{e}, cols, s, eval.Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		f, err := eval.CompileFilter(conditions(e), cols, s, eval.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			b := randomBatch(r, r.IntN(150))
			if !compareRun(t, text, e, p, f, b) {
				break
			}
		}
	}
}

func conditions(e expr.Expr) []expr.Expr {
	if e.Type().Kind != types.BooleanKind {
		return nil
	}
	return []expr.Expr{expr.IsNotNull(cols[0]), e}
}

func compareRun(t *testing.T, text string, e expr.Expr, p *eval.Program, f *eval.Filter, b *columnar.Batch) bool {
	t.Helper()
	var out [1]columnar.Vector
	err := p.Run(b, out[:])
	var rows []uint32
	failed := false
	for i := range b.N {
		want, rowErr := rowValue(e, b, i)
		if rowErr != nil {
			failed = true
			continue
		}
		if want == true && !b.Cols[0].Null(i) {
			rows = append(rows, uint32(i))
		}
		if err != nil {
			continue
		}
		if got := out[0].ValueAt(i); show(got, e.Type()) != show(want, e.Type()) {
			t.Errorf("%s: row %d of %d: %s, want %s (form %d)", text, i, b.N, show(got, e.Type()), show(want, e.Type()), out[0].Form)
			return false
		}
	}
	if failed != (err != nil) {
		t.Errorf("%s: batch error %v, rows fail %v", text, err, failed)
		return false
	}
	if e.Type().Kind == types.BooleanKind && !failed {
		sel, err := f.Select(b, nil)
		if err != nil || fmt.Sprint(sel) != fmt.Sprint(rows) && len(sel)+len(rows) > 0 {
			t.Errorf("%s: selected %v %v, want %v", text, sel, err, rows)
			return false
		}
	}
	return true
}

// rowValue computes e with the values of one row as constants.
func rowValue(e expr.Expr, b *columnar.Batch, i int) (any, error) {
	one := expr.Up(e, func(x expr.Expr) expr.Expr {
		for k, c := range cols {
			if x == c {
				return expr.NewLiteral(b.Cols[k].ValueAt(i), c.T)
			}
		}
		return x
	})
	return eval.Value(one, session())
}
