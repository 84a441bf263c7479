package types

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// pow10 holds 10^0 .. 10^38.
var pow10 = func() (t [MaxPrecision + 1]Int128) {
	t[0] = I128(1)
	for i := 1; i < len(t); i++ {
		t[i] = t[i-1].shiftLeft(3).Add(t[i-1].shiftLeft(1))
	}
	return t
}()

var pow10u64 = [20]uint64{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
	10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000}

// Pow10 is 10^n for n in 0..38; PowInt64 for n in 0..18.
func Pow10(n int) Int128   { return pow10[n] }
func PowInt64(n int) int64 { return int64(pow10u64[n]) }

func (a Int128) shiftLeft(n uint) Int128 {
	return Int128{a.Lo << n, a.Hi<<n | int64(a.Lo>>(64-n))}
}

// Abs is |a|; the smallest Int128 stays itself.
func (a Int128) Abs() Int128 {
	if a.Hi < 0 {
		return a.Neg()
	}
	return a
}

// MulInt64 is the exact product of two int64.
func MulInt64(a, b int64) Int128 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return Int128{lo, int64(hi) - (a>>63)&b - (b>>63)&a}
}

// AddOverflows is a+b and whether it left the range of an Int128.
func (a Int128) AddOverflows(b Int128) (Int128, bool) {
	s := a.Add(b)
	return s, (a.Hi^s.Hi)&(b.Hi^s.Hi) < 0
}

// wide is an unsigned 256-bit number, low word first.
type wide [4]uint64

func (w wide) fits127() bool { return w[3] == 0 && w[2] == 0 && w[1]>>63 == 0 }

// mulWide multiplies two magnitudes of up to 127 bits.
func mulWide(a, b Int128) (w wide) {
	ah, al, bh, bl := uint64(a.Hi), a.Lo, uint64(b.Hi), b.Lo
	var c, c2 uint64
	w[1], w[0] = bits.Mul64(al, bl)
	h, l := bits.Mul64(ah, bl)
	w[1], c = bits.Add64(w[1], l, 0)
	w[2], w[3] = bits.Add64(h, 0, c)
	h, l = bits.Mul64(al, bh)
	w[1], c = bits.Add64(w[1], l, 0)
	w[2], c2 = bits.Add64(w[2], h, c)
	w[3] += c2
	h, l = bits.Mul64(ah, bh)
	w[2], c = bits.Add64(w[2], l, 0)
	w[3], _ = bits.Add64(w[3], h, c)
	return w
}

// div64 divides by d and returns the remainder.
func (w *wide) div64(d uint64) (rem uint64) {
	for i := 3; i >= 0; i-- {
		w[i], rem = bits.Div64(rem, w[i], d)
	}
	return rem
}

// dropDigits divides by 10^n, rounding half up (by magnitude) when round is set, else towards zero.
func (w *wide) dropDigits(n int, round bool) {
	for n > 1 {
		k := min(n-1, 19)
		w.div64(pow10u64[k])
		n -= k
	}
	if n == 1 && w.div64(10) >= 5 && round {
		w.inc()
	}
}

func (w *wide) inc() {
	for i := range w {
		w[i]++
		if w[i] != 0 {
			return
		}
	}
}

// divWide divides w by the magnitude d: quotient in w, remainder returned.
func (w *wide) divWide(d Int128) Int128 {
	if d.Hi == 0 {
		return Int128{Lo: w.div64(d.Lo)}
	}
	// Two-word long division with a normalised divisor.
	s := uint(bits.LeadingZeros64(uint64(d.Hi)))
	dh, dl := uint64(d.Hi)<<s|d.Lo>>1>>(63-s), d.Lo<<s
	var n [5]uint64
	n[4] = w[3] >> 1 >> (63 - s)
	for i := 3; i > 0; i-- {
		n[i] = w[i]<<s | w[i-1]>>1>>(63-s)
	}
	n[0] = w[0] << s
	var q wide
	for j := 2; j >= 0; j-- {
		q[j] = divStep(&n, j, dh, dl)
	}
	*w = q
	lo, hi := n[0]>>s|n[1]<<1<<(63-s), n[1]>>s
	return Int128{lo, int64(hi)}
}

// divStep finds one quotient word of n[j..j+2] / (dh,dl) and subtracts.
func divStep(n *[5]uint64, j int, dh, dl uint64) uint64 {
	var q, r uint64
	over := false
	if n[j+2] >= dh {
		q = math.MaxUint64
		var c uint64
		r, c = bits.Add64(n[j+1], dh, 0)
		over = c != 0
	} else {
		q, r = bits.Div64(n[j+2], n[j+1], dh)
	}
	for !over {
		h, l := bits.Mul64(q, dl)
		if h < r || h == r && l <= n[j] {
			break
		}
		q--
		var c uint64
		r, c = bits.Add64(r, dh, 0)
		over = c != 0
	}
	h1, l1 := bits.Mul64(q, dl)
	h2, l2 := bits.Mul64(q, dh)
	mid, c := bits.Add64(h1, l2, 0)
	top := h2 + c
	var b uint64
	n[j], b = bits.Sub64(n[j], l1, 0)
	n[j+1], b = bits.Sub64(n[j+1], mid, b)
	n[j+2], b = bits.Sub64(n[j+2], top, b)
	if b != 0 {
		q--
		var c uint64
		n[j], c = bits.Add64(n[j], dl, 0)
		n[j+1], c = bits.Add64(n[j+1], dh, c)
		n[j+2] += c
	}
	return q
}

func signed(w wide, neg bool) (Int128, bool) {
	if !w.fits127() {
		return Int128{}, false
	}
	v := Int128{w[0], int64(w[1])}
	if neg {
		v = v.Neg()
	}
	return v, true
}

// MulScaled is a*b divided by 10^drop, rounded half up; false when the result leaves 127 bits.
func MulScaled(a, b Int128, drop int) (Int128, bool) {
	if drop == 0 && a.Fits64() && b.Fits64() {
		return MulInt64(a.Int64(), b.Int64()), true
	}
	w := mulWide(a.Abs(), b.Abs())
	w.dropDigits(drop, true)
	return signed(w, (a.Hi^b.Hi) < 0)
}

// Mul is a*b; false when it leaves 127 bits.
func (a Int128) Mul(b Int128) (Int128, bool) { return MulScaled(a, b, 0) }

// DivScaled is a*10^up / b, rounded half up when round is set, else towards zero; false when the result leaves 127 bits.
// b must not be 0; up may be at most 76.
func DivScaled(a, b Int128, up int, round bool) (Int128, bool) {
	neg := (a.Hi ^ b.Hi) < 0
	a, b = a.Abs(), b.Abs()
	if a.Hi == 0 && b.Hi == 0 && up <= 19 {
		return divNarrow(a.Lo, b.Lo, pow10u64[up], neg, round)
	}
	first := min(up, MaxPrecision)
	w := mulWide(a, pow10[first])
	for up -= first; up > 0; {
		k := min(up, 19)
		if !w.mul64(pow10u64[k]) {
			return Int128{}, false
		}
		up -= k
	}
	rem := w.divWide(b)
	if round {
		twice := rem.shiftLeft(1)
		if twice.Hi < 0 || twice.Cmp(b) >= 0 {
			w.inc()
		}
	}
	return signed(w, neg)
}

// divNarrow is a*factor/b where one 128-bit product and two divisions suffice.
func divNarrow(a, b, factor uint64, neg, round bool) (Int128, bool) {
	hi, lo := bits.Mul64(a, factor)
	qh, rem := hi/b, hi%b
	ql, rem := bits.Div64(rem, lo, b)
	v := Int128{ql, int64(qh)}
	if v.Hi < 0 {
		return Int128{}, false
	}
	if round && rem >= b-rem {
		v = v.Add(Int128{Lo: 1})
	}
	if neg {
		v = v.Neg()
	}
	return v, v.Hi >= 0 || neg
}

func (w *wide) mul64(m uint64) bool {
	var carry uint64
	for i := range w {
		h, l := bits.Mul64(w[i], m)
		var c uint64
		w[i], c = bits.Add64(l, carry, 0)
		carry = h + c
	}
	return carry == 0
}

// QuoRem is the quotient towards zero and the remainder with the sign of a. b must not be 0.
func (a Int128) QuoRem(b Int128) (q, r Int128) {
	if a.Fits64() && b.Fits64() && !(a.Int64() == math.MinInt64 && b.Int64() == -1) {
		return I128(a.Int64() / b.Int64()), I128(a.Int64() % b.Int64())
	}
	ua, ub := a.Abs(), b.Abs()
	w := wide{ua.Lo, uint64(ua.Hi)}
	r = w.divWide(ub)
	q = Int128{w[0], int64(w[1])}
	if (a.Hi ^ b.Hi) < 0 {
		q = q.Neg()
	}
	if a.Hi < 0 {
		r = r.Neg()
	}
	return q, r
}

// Rescale changes the number of fraction digits, rounding half up; false when the result leaves 127 bits.
func Rescale(v Int128, from, to int) (Int128, bool) {
	switch {
	case from == to:
		return v, true
	case to > from:
		if to-from > MaxPrecision {
			return Int128{}, v == Int128{}
		}
		return v.Mul(pow10[to-from])
	}
	w := wide{v.Abs().Lo, uint64(v.Abs().Hi)}
	w.dropDigits(from-to, true)
	return signed(w, v.Hi < 0)
}

// RoundMode says how digits are dropped.
type RoundMode uint8

// The rounding modes that functions use.
const (
	HalfUp RoundMode = iota
	HalfEven
	Floor
	Ceiling
	Down
)

// DropDigits divides by 10^n with a rounding mode.
func DropDigits(v Int128, n int, m RoundMode) Int128 {
	if n <= 0 {
		return v
	}
	if n > MaxPrecision {
		switch {
		case m == Floor && v.Sign() < 0:
			return I128(-1)
		case m == Ceiling && v.Sign() > 0:
			return I128(1)
		}
		return Int128{}
	}
	q, r := v.QuoRem(pow10[n])
	if r == (Int128{}) || m == Down {
		return q
	}
	away := false
	switch m {
	case Floor:
		away = v.Hi < 0
	case Ceiling:
		away = v.Hi >= 0
	default:
		c := r.Abs().shiftLeft(1).Cmp(pow10[n])
		if n == MaxPrecision { // doubling may not overflow: 2*10^38 needs 128 bits
			half, _ := pow10[n].QuoRem(I128(2))
			c = r.Abs().Cmp(half)
		}
		away = c > 0 || c == 0 && (m == HalfUp || q.Lo&1 == 1)
	}
	switch {
	case !away:
		return q
	case v.Hi < 0:
		return q.Sub(I128(1))
	}
	return q.Add(I128(1))
}

// FitsPrecision says whether |v| < 10^p.
func (a Int128) FitsPrecision(p int) bool { return a.Abs().Cmp(pow10[p]) < 0 && a.Abs().Hi >= 0 }

// Digits is the number of decimal digits of |a|; 1 for 0.
func (a Int128) Digits() int {
	a = a.Abs()
	n := 1
	for n < MaxPrecision && a.Cmp(pow10[n]) >= 0 {
		n++
	}
	if n == MaxPrecision && a.Cmp(pow10[MaxPrecision]) >= 0 {
		n++
	}
	return n
}

// ToDecimal fits an unscaled value of one scale to the precision and scale of t; false when it does not fit.
func ToDecimal(v Int128, scale int, t Type) (Int128, bool) {
	v, ok := Rescale(v, scale, int(t.Scale))
	return v, ok && v.FitsPrecision(int(t.Precision))
}

// Float64 is the nearest double of an unscaled value.
func (a Int128) Float64(scale int) float64 {
	if a.Fits64() && scale <= 22 {
		if v := a.Int64(); v > -1<<53 && v < 1<<53 {
			return float64(v) / math.Pow10(scale)
		}
	}
	f, _ := strconv.ParseFloat(FormatDecimal(a, scale), 64)
	return f
}

// DecimalFromFloat is the decimal of the shortest text of f, as an unscaled value with a scale (not below 0); false for
// NaN, infinities and numbers too large for 38 digits. Digits past the 38th fraction digit are rounded away.
func DecimalFromFloat(f float64, bitSize int) (v Int128, scale int, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return v, 0, false
	}
	return ParseDecimal(strconv.FormatFloat(f, 'e', -1, bitSize))
}

// ParseDecimal reads [+-]digits[.digits][e[+-]digits]. Fraction digits beyond what 38 digits hold are rounded half up.
// ok is false for other text and for numbers too large.
func ParseDecimal(s string) (v Int128, scale int, ok bool) {
	d, valid := scanDecimal(s)
	if !valid || d.tooLarge() {
		return Int128{}, 0, false
	}
	return d.value()
}

// IsDecimalText says whether s has the form that ParseDecimal reads, whatever its size.
func IsDecimalText(s string) bool { _, ok := scanDecimal(s); return ok }

// digits is a scanned number: text of its digits without leading zeros, and a power of ten.
type digits struct {
	neg   bool
	text  []byte
	scale int // number is ±text * 10^-scale
}

func scanDecimal(s string) (d digits, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		d.neg = s[i] == '-'
		i++
	}
	seen, point := false, false
	var buf [64]byte
	d.text = buf[:0]
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if point {
			d.scale++
		}
		if len(d.text) > 0 || c != '0' {
			d.text = append(d.text, c)
		}
	}
	if !seen {
		return d, false
	}
	if i == len(s) {
		return d, true
	}
	if s[i] != 'e' && s[i] != 'E' || i+1 == len(s) {
		return d, false
	}
	e, err := strconv.Atoi(s[i+1:])
	if err != nil || strings.HasPrefix(s[i+1:], "+-") || e > 1<<30 || e < -1<<30 {
		return d, false
	}
	d.scale -= e
	return d, true
}

func (d *digits) tooLarge() bool { return len(d.text) > 0 && len(d.text)-d.scale > MaxPrecision }

func (d *digits) value() (Int128, int, bool) {
	text, scale := d.text, d.scale
	if len(text) == 0 {
		return Int128{}, max(0, min(scale, MaxPrecision)), true
	}
	up := false
	if drop := max(len(text)-MaxPrecision, scale-MaxPrecision); drop > 0 {
		if drop > len(text) {
			return Int128{}, MaxPrecision, true
		}
		up = text[len(text)-drop] >= '5'
		text, scale = text[:len(text)-drop], scale-drop
	}
	var v Int128
	for _, c := range text {
		v = v.shiftLeft(3).Add(v.shiftLeft(1)).Add(I128(int64(c - '0')))
	}
	if up {
		v = v.Add(I128(1))
	}
	if scale < 0 {
		v, _ = v.Mul(pow10[-scale])
		scale = 0
	}
	if d.neg {
		v = v.Neg()
	}
	return v, scale, true
}

// ---- result types ----

// adjust keeps at least min(scale, 6) fraction digits when more than 38 digits are needed.
func adjust(p, s int) Type {
	if p <= MaxPrecision {
		return Decimal(p, s)
	}
	return Decimal(MaxPrecision, max(MaxPrecision-(p-s), min(s, 6)))
}

// BoundedDecimal cuts precision and scale at 38.
func BoundedDecimal(p, s int) Type { return Decimal(min(p, MaxPrecision), min(s, MaxPrecision)) }

// DecimalResult is the type of a op b for op one of + - * / % div (div: the decimal that its bigint result comes from).
// With allowLoss the scale gives way when the precision exceeds 38; else both are cut.
func DecimalResult(op string, a, b Type, allowLoss bool) Type {
	p1, s1, p2, s2 := int(a.Precision), int(a.Scale), int(b.Precision), int(b.Scale)
	var p, s int
	switch op {
	case "+", "-":
		s = max(s1, s2)
		p = max(p1-s1, p2-s2) + s + 1
	case "*":
		p, s = p1+p2+1, s1+s2
	case "/":
		if !allowLoss {
			intDig := min(MaxPrecision, p1-s1+s2)
			decDig := min(MaxPrecision, max(6, s1+p2+1))
			if diff := intDig + decDig - MaxPrecision; diff > 0 {
				decDig -= diff/2 + 1
				intDig = MaxPrecision - decDig
			}
			return BoundedDecimal(intDig+decDig, decDig)
		}
		s = max(6, s1+p2+1)
		p = p1 - s1 + s2 + s
	case "%":
		s = max(s1, s2)
		p = min(p1-s1, p2-s2) + s
	case "div":
		p, s = p1-s1+s2, 0
		if p == 0 {
			p = 1
		}
	}
	if allowLoss {
		return adjust(p, s)
	}
	return BoundedDecimal(p, s)
}

// DecimalFor is the decimal that holds every value of a numeric type: DECIMAL(10,0) for INT; for a float or double the
// default that Spark chooses.
func DecimalFor(t Type) Type {
	switch t.Kind {
	case ByteKind:
		return Decimal(3, 0)
	case ShortKind:
		return Decimal(5, 0)
	case IntKind:
		return Decimal(10, 0)
	case LongKind:
		return Decimal(20, 0)
	case FloatKind:
		return Decimal(14, 7)
	case DoubleKind:
		return Decimal(30, 15)
	case DecimalKind:
		return t
	}
	return Decimal(MaxPrecision, 18)
}

// DecimalForLong is the narrowest decimal of an integer constant.
func DecimalForLong(v int64) Type { return Decimal(I128(v).Digits(), 0) }

// WiderDecimal holds every value of both decimals, cut at 38 digits keeping the integer part.
func WiderDecimal(a, b Type) Type {
	s := max(int(a.Scale), int(b.Scale))
	i := max(int(a.Precision)-int(a.Scale), int(b.Precision)-int(b.Scale))
	if i+s <= MaxPrecision {
		return Decimal(i+s, s)
	}
	return Decimal(MaxPrecision, max(0, min(s, MaxPrecision-i)))
}

// AddScaled is a*10^-sa + b*10^-sb as an unscaled value of scale so, rounded half up; false when it leaves 127 bits.
func AddScaled(a Int128, sa int, b Int128, sb, so int) (Int128, bool) {
	s := max(sa, sb, so)
	x, y := mulWide(a.Abs(), pow10[s-sa]), mulWide(b.Abs(), pow10[s-sb])
	neg := a.Hi < 0
	if (a.Hi < 0) == (b.Hi < 0) {
		x.add(&y)
	} else if x.sub(&y) {
		neg = !neg
	}
	x.dropDigits(s-so, true)
	return signed(x, neg)
}

func (w *wide) add(o *wide) {
	var c uint64
	for i := range w {
		w[i], c = bits.Add64(w[i], o[i], c)
	}
}

// sub leaves |w-o| in w and says whether o was larger.
func (w *wide) sub(o *wide) bool {
	var b uint64
	for i := range w {
		w[i], b = bits.Sub64(w[i], o[i], b)
	}
	if b == 0 {
		return false
	}
	for i := range w {
		w[i] = ^w[i]
	}
	w.inc()
	return true
}
