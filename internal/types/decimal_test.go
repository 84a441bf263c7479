package types

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func bigOf(v Int128) *big.Int {
	b := new(big.Int).SetInt64(v.Hi)
	b.Lsh(b, 64)
	return b.Add(b, new(big.Int).SetUint64(v.Lo))
}

func drawDecimal(t *rapid.T, name string) Int128 {
	p := rapid.IntRange(1, MaxPrecision).Draw(t, name+"p")
	v := Int128{rapid.Uint64().Draw(t, name+"lo"), rapid.Int64().Draw(t, name+"hi")}
	_, r := v.QuoRem(pow10[p])
	return r
}

func roundedQuo(a, b *big.Int, round bool) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if round && r.Cmp(new(big.Int).Abs(b)) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}

// TestDecimalArithmetic compares with arbitrary-precision integers.
func TestDecimalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDecimal(t, "a"), drawDecimal(t, "b")
		drop := rapid.IntRange(0, 38).Draw(t, "drop")
		want := roundedQuo(new(big.Int).Mul(bigOf(a), bigOf(b)), bigOf(pow10[drop]), true)
		got, ok := MulScaled(a, b, drop)
		if ok != (want.BitLen() <= 127) || ok && bigOf(got).Cmp(want) != 0 {
			t.Fatalf("%v * %v / 1e%d = %v %v, want %v", bigOf(a), bigOf(b), drop, bigOf(got), ok, want)
		}
		if b == (Int128{}) {
			return
		}
		round := rapid.Bool().Draw(t, "round")
		up := rapid.IntRange(0, 38).Draw(t, "up")
		want = roundedQuo(new(big.Int).Mul(bigOf(a), bigOf(pow10[up])), bigOf(b), round)
		got, ok = DivScaled(a, b, up, round)
		if ok != (want.BitLen() <= 127) || ok && bigOf(got).Cmp(want) != 0 {
			t.Fatalf("%v e%d / %v = %v %v, want %v", bigOf(a), up, bigOf(b), bigOf(got), ok, want)
		}
		q, r := a.QuoRem(b)
		wq, wr := new(big.Int).QuoRem(bigOf(a), bigOf(b), new(big.Int))
		if bigOf(q).Cmp(wq) != 0 || bigOf(r).Cmp(wr) != 0 {
			t.Fatalf("%v quorem %v = %v %v, want %v %v", bigOf(a), bigOf(b), bigOf(q), bigOf(r), wq, wr)
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		in, out string
		ok      bool
	}{
		{"12.50", "12.50", true}, {"-.5", "-0.5", true}, {"1e3", "1000", true}, {"1.5E-2", "0.015", true}, {"", "", false}, {"1e", "", false},
		{"99999999999999999999999999999999999999", "99999999999999999999999999999999999999", true}, {"1e38", "", false}, {"0x1", "", false},
		{"0.000000000000000000000000000000000000006", "0.00000000000000000000000000000000000001", true},
	} {
		v, s, ok := ParseDecimal(c.in)
		if ok != c.ok || ok && FormatDecimal(v, s) != c.out {
			t.Errorf("ParseDecimal(%q) = %s %v", c.in, FormatDecimal(v, s), ok)
		}
	}
}

func TestDecimalResult(t *testing.T) {
	for _, c := range []struct {
		op   string
		a, b Type
		want Type
	}{
		{"+", Decimal(15, 2), Decimal(1, 0), Decimal(16, 2)},
		{"*", Decimal(15, 2), Decimal(16, 2), Decimal(32, 4)},
		{"*", Decimal(32, 4), Decimal(16, 2), Decimal(38, 6)},
		{"/", Decimal(10, 0), Decimal(10, 0), Decimal(21, 11)},
		{"%", Decimal(10, 2), Decimal(5, 3), Decimal(5, 3)},
	} {
		if got := DecimalResult(c.op, c.a, c.b, true); got != c.want {
			t.Errorf("%v %s %v = %v, want %v", c.a, c.op, c.b, got, c.want)
		}
	}
}

func TestWider(t *testing.T) {
	for _, c := range []struct{ a, b, want Type }{
		{Int, Long, Long}, {Int, Float, Double}, {String, Int, Long}, {String, Decimal(5, 2), Double}, {Int, Decimal(5, 2), Decimal(12, 2)},
		{Date, Timestamp, Timestamp}, {Date, TimestampNTZ, TimestampNTZ}, {String, Date, Date}, {Null, Boolean, Boolean},
	} {
		if got, ok := Wider(c.a, c.b); !ok || got != c.want {
			t.Errorf("Wider(%v, %v) = %v %v, want %v", c.a, c.b, got, ok, c.want)
		}
		if got, ok := Wider(c.b, c.a); !ok || got != c.want {
			t.Errorf("Wider(%v, %v) = %v %v, want %v", c.b, c.a, got, ok, c.want)
		}
	}
	if _, ok := Wider(Boolean, Int); ok {
		t.Error("boolean and int have a common type")
	}
}
