package kernel

import "math"

var (
	atanHi   = [4]float64{4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01, 1.57079632679489655800e+00}
	atanLo   = [4]float64{2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, 6.12323399573676603587e-17}
	atanPoly = [11]float64{3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01, -1.11111104054623557880e-01,
		9.09088713343650656196e-02, -7.69187620504482999495e-02, 6.66107313738753120669e-02, -5.83357013379057348645e-02,
		4.97687799461593236017e-02, -3.65315727442169155270e-02, 1.62858201153657823623e-02}
)

// Atan is the angle whose tangent is x.
func Atan(x float64) float64 {
	a := math.Abs(x)
	id := -1
	switch {
	case x != x:
		return x
	case a >= 1<<66:
		return math.Copysign(atanHi[3]+atanLo[3], x)
	case a < 1.0/(1<<29):
		return x
	case a < 0.4375:
		a = x
	case a < 0.6875:
		id, a = 0, (2*a-1)/(2+a)
	case a < 1.1875:
		id, a = 1, (a-1)/(a+1)
	case a < 2.4375:
		id, a = 2, (a-1.5)/(1+1.5*a)
	default:
		id, a = 3, -1/a
	}
	z := a * a
	w := z * z
	t := &atanPoly
	s1 := z * (t[0] + w*(t[2]+w*(t[4]+w*(t[6]+w*(t[8]+w*t[10])))))
	s2 := w * (t[1] + w*(t[3]+w*(t[5]+w*(t[7]+w*t[9]))))
	if id < 0 {
		return a - a*(s1+s2)
	}
	return math.Copysign(atanHi[id]-((a*(s1+s2)-atanLo[id])-a), x)
}

// Atan2 is the angle of the point (x, y).
func Atan2(y, x float64) float64 {
	if x != x || y != y || x == 0 || y == 0 || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return math.Atan2(y, x)
	}
	const piLo = 1.2246467991473531772e-16
	k := exponent(y) - exponent(x)
	var z float64
	switch {
	case k > 60:
		z = math.Pi/2 + 0.5*piLo
	case x < 0 && k < -60:
		z = 0
	default:
		z = Atan(math.Abs(y / x))
	}
	switch {
	case x > 0:
		return math.Copysign(z, y)
	case y > 0:
		return math.Pi - (z - piLo)
	}
	return (z - piLo) - math.Pi
}

// Log10 is the logarithm to base 10.
func Log10(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log10(x)
	}
	k := 0
	if x < 0x1p-1022 {
		k, x = -54, x*0x1p54
	}
	k += exponent(x) - 1023
	i := 0
	if k < 0 {
		i = 1
	}
	x = math.Float64frombits(math.Float64bits(x)&(1<<52-1) | uint64(1023-i)<<52)
	y := float64(k + i)
	z := y*3.69423907715893078616e-13 + 4.34294481903251816668e-01*math.Log(x)
	return z + y*3.01029995663611771306e-01
}

// Hypot is the square root of x² + y², corrected by one step in twice the precision.
func Hypot(x, y float64) float64 {
	h := math.Hypot(x, y)
	if h == 0 || h != h || math.IsInf(h, 0) || h > 1e150 || h < 1e-150 {
		return h
	}
	xx, yy, hh := x*x, y*y, h*h
	ex, ey, eh := math.FMA(x, x, -xx), math.FMA(y, y, -yy), math.FMA(h, h, -hh)
	if xx < yy {
		xx, yy, ex, ey = yy, xx, ey, ex
	}
	return h - ((hh-xx-yy)+(eh-ex-ey))/(2*h)
}

// Pow is x to the power of y; special cases are Java's.
func Pow(x, y float64) float64 {
	switch {
	case y == 0:
		return 1
	case x != x || y != y:
		return math.NaN()
	case math.Abs(x) == 1 && math.IsInf(y, 0):
		return math.NaN()
	case y == 1:
		return x
	case y == 2:
		return x * x
	case y == 0.5 && x >= 0:
		return math.Sqrt(x)
	}
	a := math.Abs(x)
	whole := y == math.Trunc(y)
	if a < 0x1p-1000 || math.IsInf(x, 0) || math.IsInf(y, 0) || math.Abs(y) > 1<<31 || a == 1 || x < 0 && !whole {
		return math.Pow(x, y)
	}
	r, ok := powCore(a, y)
	if !ok {
		return math.Pow(x, y)
	}
	if x < 0 && math.Mod(y, 2) != 0 {
		r = -r
	}
	return r
}

// powCore computes log2(a) in twice the precision, multiplies and exponentiates.
func powCore(a, y float64) (float64, bool) {
	n := exponent(a) - 1023
	m := math.Float64bits(a) & (1<<52 - 1)
	a = math.Float64frombits(m | 1023<<52)
	bp, dpH, dpL := 1.0, 0.0, 0.0
	switch j := uint32(m >> 32); {
	case j <= 0x3988e:
	case j < 0xbb67a:
		bp, dpH, dpL = 1.5, 5.84962487220764160156e-01, 1.35003920212974897128e-08
	default:
		n++
		a /= 2
	}
	u, v := a-bp, 1/(a+bp)
	ss := u * v
	sH := highWord(ss)
	half := uint64(0)
	if bp == 1.5 {
		half = 0x00040000
	}
	tH := math.Float64frombits(((math.Float64bits(a)>>32>>1 | 0x20000000) + 0x00080000 + half) << 32)
	tL := a - (tH - bp)
	sL := v * ((u - sH*tH) - sH*tL)
	s2 := ss * ss
	r := s2 * s2 * (5.99999999999994648725e-01 + s2*(4.28571428578550184252e-01+s2*(3.33333329818377432918e-01+s2*(2.72728123808534006489e-01+
		s2*(2.30660745775561754067e-01+s2*2.06975017800338417784e-01)))))
	r += sL * (sH + ss)
	s2 = sH * sH
	tH = highWord(3 + s2 + r)
	tL = r - ((tH - 3) - s2)
	u, v = sH*tH, sL*tH+tL*ss
	pH := highWord(u + v)
	pL := v - (pH - u)
	zH := 9.61796700954437255859e-01 * pH
	zL := -7.02846165095275826516e-09*pH + pL*9.61796693925975554329e-01 + dpL
	t := float64(n)
	t1 := highWord(((zH + zL) + dpH) + t)
	t2 := zL - (((t1 - t) - dpH) - zH)
	y1 := highWord(y)
	pL = (y-y1)*t1 + y*t2
	pH = y1 * t1
	z := pL + pH
	if z >= 1023 || z <= -1021 {
		return 0, false
	}
	return exp2(z, pH, pL), true
}

// exp2 is 2 to the power of z = pH + pL.
func exp2(z, pH, pL float64) float64 {
	n := math.Floor(z + 0.5)
	if math.Abs(z) <= 0.5 {
		n = 0
	}
	pH -= n
	t := highWord(pL + pH)
	u := t * 6.93147182464599609375e-01
	v := (pL-(t-pH))*6.93147180559945286227e-01 + t*-1.90465429995776804525e-09
	z = u + v
	w := v - (z - u)
	t = z * z
	t1 := z - t*(1.66666666666666019037e-01+t*(-2.77777777770155933842e-03+t*(6.61375632143793436117e-05+t*(-1.65339022054652515390e-06+t*4.13813679705723846039e-08))))
	r := (z*t1)/(t1-2) - (w + z*w)
	return math.Ldexp(1-(r-z), int(n))
}
