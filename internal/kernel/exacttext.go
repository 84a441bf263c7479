package kernel

import (
	"math/big"
	"strings"
)

// textArith is the exact sum, difference or product of two plain decimal numbers. It serves error messages only.
func textArith(op, x, y string) string {
	a, sa := bigDecimal(x)
	b, sb := bigDecimal(y)
	s := max(sa, sb)
	if op == "*" {
		return plainText(a.Mul(a, b), sa+sb)
	}
	scaleUp(a, s-sa)
	scaleUp(b, s-sb)
	if op == "-" {
		return plainText(a.Sub(a, b), s)
	}
	return plainText(a.Add(a, b), s)
}

func bigDecimal(s string) (*big.Int, int) {
	whole, frac, _ := strings.Cut(s, ".")
	v, _ := new(big.Int).SetString(whole+frac, 10)
	return v, len(frac)
}

func scaleUp(v *big.Int, n int) {
	v.Mul(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

func plainText(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		return "-" + s
	}
	return s
}
