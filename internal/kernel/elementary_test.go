package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestElementary compares with the digits that Java's StrictMath gives.
func TestElementary(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"exp", Exp(1), 2.7182818284590455}, {"tan", Tan(1), 1.5574077246549023}, {"acos", Acos(0.5), 1.0471975511965979}, {"cosh", Cosh(1), 1.543080634815244},
		{"atan", Atan(-4.027881007539733), -1.3274470324383045}, {"log10", Log10(21.091222861968944), 1.3241017607166774},
		{"pow", Pow(2.534101360411267, -0.22989904027732155), 0.8075348132794153}, {"pow", Pow(9.10481674392734, -4.682400541026634), 3.2233537630067454e-05},
		{"asin", Asin(0.9999636232572633), 1.5622667355639621}, {"acos", Acos(0.9953243855487066), 0.09673947036019677}, {"atan2", Atan2(-4.186312346162122, -2.192132764353245), -2.053178868655529}, {"pow", Pow(-2, 3), -8}, {"pow", Pow(-2, 0.5), math.NaN()}, {"pow", Pow(1, math.Inf(1)), math.NaN()},
	} {
		if c.got != c.want && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}

// TestElementaryNear compares with Go's functions within two units of the last place.
func TestElementaryNear(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	near := func(name string, x, got, want float64) {
		if d := math.Abs(got - want); d > 5e-16*math.Abs(want) && d > 1e-300 && !(math.IsNaN(got) && math.IsNaN(want)) && got != want {
			t.Errorf("%s(%v) = %v, want about %v", name, x, got, want)
		}
	}
	for range 20000 {
		x := r.NormFloat64() * 20
		near("exp", x, Exp(x), math.Exp(x))
		near("atan", x, Atan(x), math.Atan(x))
		near("sinh", x, Sinh(x), math.Sinh(x))
		near("cosh", x, Cosh(x), math.Cosh(x))
		near("tanh", x, Tanh(x), math.Tanh(x))
		if s, c := math.Sincos(x); math.Abs(s) > 1e-3 && math.Abs(c) > 1e-3 {
			near("sin", x, Sin(x), s)
			near("cos", x, Cos(x), c)
		}
		near("log10", x*x, Log10(x*x), math.Log10(x*x))
		u := r.Float64()*2 - 1
		if math.Abs(u) < 0.8 { // near 1 Go's own loses digits
			near("asin", u, Asin(u), math.Asin(u))
			near("acos", u, Acos(u), math.Acos(u))
		}
		if p := math.Pow(math.Abs(x), u*9); p > 1e-200 {
			if d := math.Abs(Pow(math.Abs(x), u*9) - p); d > 4e-15*p {
				t.Errorf("pow(%v, %v) = %v, want about %v", math.Abs(x), u*9, Pow(math.Abs(x), u*9), p)
			}
		}
	}
}

// TestBoolPacking goes to bits and back at all lengths.
func TestBoolPacking(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for n := range 200 {
		src, dst := make([]byte, n), make([]byte, n)
		for i := range src {
			src[i] = byte(r.IntN(2))
		}
		bits := make([]uint64, (n+63)/64)
		PackBools(bits, src)
		UnpackBools(dst, bits)
		for i := range src {
			if src[i] != dst[i] || bits[i/64]>>(i%64)&1 != uint64(src[i]) {
				t.Fatalf("bit %d of %d", i, n)
			}
		}
	}
}

// TestLike matches patterns of all kinds.
func TestLike(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"abc", "abc", true}, {"abc", "a%", true}, {"abc", "%c", true}, {"abc", "%b%", true}, {"abc", "a%c", true}, {"ac", "a%c", true}, {"aXbYc", "a%b%c", true},
		{"aba", "aba%aba", false}, {"", "%", true}, {"", "", true}, {"a", "", false}, {"größe", "gr__e", true}, {"größe", "gr___e", false}, {"xxab", "%a_", true},
		{"a%c", `a\%c`, true}, {"abc", `a\%c`, false}, {"special packages requests", "%special%requests%", true}, {"requests special", "%special%requests%", false},
		{"aaab", "%a_b", true}, {"ab", "%%b", true}, {"a_b", `a\_b`, true},
	} {
		p, err := CompileLike(c.pattern, '\\')
		if err != nil || p.Match([]byte(c.text)) != c.want {
			t.Errorf("%q like %q: %v, want %v", c.text, c.pattern, err, c.want)
		}
	}
	if _, err := CompileLike(`a\`, '\\'); err == nil {
		t.Error("an escape at the end is accepted")
	}
}
