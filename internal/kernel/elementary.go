package kernel

import "math"

// The elementary functions here give the same last digit as Java's StrictMath, which Spark uses: the published algorithms of Sun's
// freely distributable math library, with its constants. Go's own functions differ now and then by one unit in the last place.

const (
	ln2Hi  = 6.93147180369123816490e-01
	ln2Lo  = 1.90821492927058770002e-10
	pio2Hi = 1.57079632679489655800e+00
	pio2Lo = 6.12323399573676603587e-17
	pio4Hi = 7.85398163397448278999e-01
)

// Exp is e to the power of x.
func Exp(x float64) float64 {
	switch {
	case x != x || x > 7.09782712893383973096e+02 || x < -7.45133219101941108420e+02:
		return math.Exp(x)
	case math.Abs(x) < 1.0/(1<<28):
		return 1 + x
	}
	k, hi, lo := 0, x, 0.0
	if a := math.Abs(x); a > 0.5*math.Ln2 {
		switch {
		case a >= 1.5*math.Ln2:
			k = int(x*1.44269504088896338700e+00 + math.Copysign(0.5, x))
		case x > 0:
			k = 1
		default:
			k = -1
		}
		hi, lo = x-float64(k)*ln2Hi, float64(k)*ln2Lo
		x = hi - lo
	}
	t := x * x
	c := x - t*(1.66666666666666019037e-01+t*(-2.77777777770155933842e-03+t*(6.61375632143793436117e-05+t*(-1.65339022054652515390e-06+t*4.13813679705723846039e-08))))
	if k == 0 {
		return 1 - ((x*c)/(c-2) - x)
	}
	return math.Ldexp(1-((lo-(x*c)/(2-c))-hi), k)
}

// Sinh, Cosh and Tanh are the hyperbolic functions.
func Sinh(x float64) float64 {
	a, h := math.Abs(x), math.Copysign(0.5, x)
	switch {
	case x != x || math.IsInf(x, 0) || a < 1.0/(1<<28):
		return x
	case a < 22:
		t := math.Expm1(a)
		if a < 1 {
			return h * (2*t - t*t/(t+1))
		}
		return h * (t + t/(t+1))
	case a < 709.78:
		return h * Exp(a)
	}
	w := Exp(0.5 * a)
	return h * w * w
}

// Cosh is the hyperbolic cosine.
func Cosh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x || math.IsInf(x, 0):
		return a
	case a < 0.5*math.Ln2:
		t := math.Expm1(a)
		w := 1 + t
		return 1 + t*t/(w+w)
	case a < 22:
		t := Exp(a)
		return 0.5*t + 0.5/t
	case a < 709.78:
		return 0.5 * Exp(a)
	}
	w := Exp(0.5 * a)
	return 0.5 * w * w
}

// Tanh is the hyperbolic tangent.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	var z float64
	switch {
	case x != x:
		return x
	case a >= 22:
		z = 1
	case a >= 1:
		z = 1 - 2/(math.Expm1(2*a)+2)
	default:
		t := math.Expm1(-2 * a)
		z = -t / (t + 2)
	}
	return math.Copysign(z, x)
}

// arcRatio is the rational approximation that Asin and Acos share.
func arcRatio(z float64) float64 {
	p := z * (1.66666666666666657415e-01 + z*(-3.25565818622400915405e-01+z*(2.01212532134862925881e-01+z*(-4.00555345006794114027e-02+
		z*(7.91534994289814532176e-04+z*3.47933107596021167570e-05)))))
	q := 1 + z*(-2.40339491173441421878e+00+z*(2.02094576023350569471e+00+z*(-6.88283971605453293030e-01+z*7.70381505559019352791e-02)))
	return p / q
}

// highWord drops the low 32 bits.
func highWord(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ (1<<32 - 1)) }

// Acos is the angle whose cosine is x.
func Acos(x float64) float64 {
	switch {
	case x != x || x > 1 || x < -1:
		return math.NaN()
	case x == 1:
		return 0
	case x == -1:
		return math.Pi
	case math.Abs(x) < 0.5:
		return pio2Hi - (x - (pio2Lo - x*arcRatio(x*x)))
	case x < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		return math.Pi - 2*(s+(arcRatio(z)*s-pio2Lo))
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	df := highWord(s)
	c := (z - df*df) / (s + df)
	return 2 * (df + (arcRatio(z)*s + c))
}

// Asin is the angle whose sine is x.
func Asin(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x || a > 1:
		return math.NaN()
	case a == 1:
		return x*pio2Hi + x*pio2Lo
	case a < 1.0/(1<<27):
		return x
	case a < 0.5:
		return x + x*arcRatio(x*x)
	}
	t := (1 - a) * 0.5
	s, r := math.Sqrt(t), arcRatio(t)
	if a >= 0.975 {
		t = pio2Hi - (2*(s+s*r) - pio2Lo)
	} else {
		w := highWord(s)
		c := (t - w*w) / (s + w)
		p := 2*s*r - (pio2Lo - 2*c)
		t = pio4Hi - (p - (pio4Hi - 2*w))
	}
	return math.Copysign(t, x)
}

// reduce brings x within ±pi/4: x = n*pi/2 + hi + lo. ok is false for arguments too large for it.
func reduce(x float64) (n int, hi, lo float64, ok bool) {
	if math.Abs(x) <= pio4Hi {
		return 0, x, 0, true
	}
	if !(math.Abs(x) < 1<<19*math.Pi/2) {
		return 0, 0, 0, false
	}
	fn := math.Floor(math.Abs(x)*6.36619772367581382433e-01 + 0.5)
	r, w := math.Abs(x)-fn*1.57079632673412561417e+00, fn*6.07710050650619224932e-11
	exp := exponent(x)
	hi = r - w
	if exp-exponent(hi) > 16 {
		t := r
		w = fn * 6.07710050630396597660e-11
		r = t - w
		w = fn*2.02226624879595063154e-21 - ((t - r) - w)
		hi = r - w
		if exp-exponent(hi) > 49 {
			t = r
			w = fn * 2.02226624871116645580e-21
			r = t - w
			w = fn*8.47842766036889956997e-32 - ((t - r) - w)
			hi = r - w
		}
	}
	lo = (r - hi) - w
	n = int(fn)
	if x < 0 {
		return -n, -hi, -lo, true
	}
	return n, hi, lo, true
}

func exponent(x float64) int { return int(math.Float64bits(x) >> 52 & 0x7ff) }

func kernelSin(x, y float64, hasTail bool) float64 {
	if exponent(x) < 0x3e4 {
		return x
	}
	z := x * x
	v := z * x
	r := 8.33333333332248946124e-03 + z*(-1.98412698298579493134e-04+z*(2.75573137070700676789e-06+z*(-2.50507602534068634195e-08+z*1.58969099521155010221e-10)))
	if !hasTail {
		return x + v*(-1.66666666666666324348e-01+z*r)
	}
	return x - ((z*(0.5*y-v*r) - y) - v*-1.66666666666666324348e-01)
}

func kernelCos(x, y float64) float64 {
	if exponent(x) < 0x3e4 {
		return 1
	}
	z := x * x
	r := z * (4.16666666666666019037e-02 + z*(-1.38888888888741095749e-03+z*(2.48015872894767294178e-05+z*(-2.75573143513906633035e-07+
		z*(2.08757232129817482790e-09+z*-1.13596475577881948265e-11)))))
	if math.Abs(x) < 0.3 {
		return 1 - (0.5*z - (z*r - x*y))
	}
	qx := 0.28125
	if a := math.Abs(x); a <= 0.78125 {
		qx = math.Float64frombits((math.Float64bits(a)>>32 - 0x00200000) << 32)
	}
	hz := 0.5*z - qx
	return (1 - qx) - (hz - (z*r - x*y))
}

// Sin is the sine.
func Sin(x float64) float64 {
	n, hi, lo, ok := reduce(x)
	if !ok {
		return math.Sin(x)
	}
	tail := n != 0
	switch n & 3 {
	case 0:
		return kernelSin(hi, lo, tail)
	case 1:
		return kernelCos(hi, lo)
	case 2:
		return -kernelSin(hi, lo, true)
	}
	return -kernelCos(hi, lo)
}

// Cos is the cosine.
func Cos(x float64) float64 {
	n, hi, lo, ok := reduce(x)
	if !ok {
		return math.Cos(x)
	}
	switch n & 3 {
	case 0:
		return kernelCos(hi, lo)
	case 1:
		return -kernelSin(hi, lo, true)
	case 2:
		return -kernelCos(hi, lo)
	}
	return kernelSin(hi, lo, true)
}

var tanPoly = [...]float64{3.33333333333334091986e-01, 1.33333333333201242699e-01, 5.39682539762260521377e-02, 2.18694882948595424599e-02,
	8.86323982359930005737e-03, 3.59207910759131235356e-03, 1.45620945432529025516e-03, 5.88041240820264096874e-04, 2.46463134818469906812e-04,
	7.81794442939557092300e-05, 7.14072491382608190305e-05, -1.85586374855275456654e-05, 2.59073051863633712884e-05}

// Tan is the tangent.
func Tan(x float64) float64 {
	n, hi, lo, ok := reduce(x)
	if !ok {
		return math.Tan(x)
	}
	return kernelTan(hi, lo, n&1 == 1)
}

// kernelTan is the tangent near 0, or with inverse set minus its reciprocal.
func kernelTan(x, y float64, inverse bool) float64 {
	if math.Abs(x) < 1.0/(1<<28) {
		if inverse {
			return -1 / (x + y)
		}
		return x
	}
	big, neg := math.Abs(x) >= 0.6744, x < 0
	if big {
		if neg {
			x, y = -x, -y
		}
		x = (pio4Hi - x) + (3.06161699786838301793e-17 - y)
		y = 0
	}
	z := x * x
	w := z * z
	t := tanPoly
	r := t[1] + w*(t[3]+w*(t[5]+w*(t[7]+w*(t[9]+w*t[11]))))
	v := z * (t[2] + w*(t[4]+w*(t[6]+w*(t[8]+w*(t[10]+w*t[12])))))
	s := z * x
	r = y + z*(s*(r+v)+y)
	r += t[0] * s
	w = x + r
	if big {
		k := 1.0
		if inverse {
			k = -1
		}
		res := k - 2*(x-(w*w/(w+k)-r))
		if neg {
			return -res
		}
		return res
	}
	if !inverse {
		return w
	}
	zh := highWord(w)
	v = r - (zh - x)
	a := -1 / w
	th := highWord(a)
	s = 1 + th*zh
	return th + a*(s+th*v)
}
