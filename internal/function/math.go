package function

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, mathRows, roundRows, randomRows, extremeRows) }

// real1 is a function of one double.
func real1(name, since, usage string, f func(float64) float64, examples ...string) *Row {
	return fn(name, since, usage, sig(to(types.Double), tDouble), is(kernel.Doubles(f)), examples...).total()
}

// logarithm is null for arguments at or below low.
func logarithm(name, since, usage string, low float64, f func(float64) float64, examples ...string) *Row {
	return fn(name, since, usage, sig(to(types.Double), tDouble).nullable(), m1(func(_ *kernel.Ctx, a float64) (float64, bool, error) {
		return f(a), !(a <= low), nil
	}), examples...).total()
}

func real2(name, since, usage string, f func(a, b float64) float64, examples ...string) *Row {
	return fn(name, since, usage, sig(to(types.Double), tDouble, tDouble), f2(f), examples...).total()
}

func mathRows() []*Row {
	return group("math_funcs",
		fn("sqrt", "1.1.1", "sqrt(expr): the square root.", sig(to(types.Double), tDouble), is(kernel.Sqrt), "sqrt(4)", "2.0").total(),
		real1("cbrt", "1.4.0", "cbrt(expr): the cube root.", math.Cbrt, "cbrt(27.0)", "3.0"),
		real1("exp", "1.4.0", "exp(expr): e to the power of expr.", kernel.Exp, "exp(0)", "1.0"),
		real1("expm1", "1.4.0", "expm1(expr): exp(expr) - 1, exact near 0.", math.Expm1, "expm1(0)", "0.0"),
		logarithm("ln", "1.4.0", "ln(expr): the natural logarithm.", 0, math.Log, "ln(1)", "0.0"),
		logarithm("log10", "1.4.0", "log10(expr): the logarithm to base 10.", 0, kernel.Log10, "log10(10)", "1.0"),
		logarithm("log2", "1.4.0", "log2(expr): the logarithm to base 2.", 0, func(a float64) float64 { return math.Log(a) / math.Log(2) }, "log2(2)", "1.0"),
		logarithm("log1p", "1.4.0", "log1p(expr): ln(1 + expr), exact near 0.", -1, math.Log1p, "log1p(0)", "0.0"),
		logRow(),
		real2("pow", "1.4.0", "pow(a, b): a to the power of b.", kernel.Pow, "pow(2, 3)", "8.0").alias("power").own(),
		real2("hypot", "1.4.0", "hypot(a, b): the square root of a² + b².", kernel.Hypot, "hypot(3, 4)", "5.0"),
		real2("atan2", "1.4.0", "atan2(y, x): the angle of the point (x, y).", func(y, x float64) float64 { return kernel.Atan2(y+0, x+0) }, "atan2(0, 0)", "0.0"),
		real1("sin", "1.4.0", "sin(expr): the sine.", kernel.Sin, "sin(0)", "0.0"),
		real1("cos", "1.4.0", "cos(expr): the cosine.", kernel.Cos, "cos(0)", "1.0"),
		real1("tan", "1.4.0", "tan(expr): the tangent.", kernel.Tan, "tan(0)", "0.0"),
		real1("cot", "2.3.0", "cot(expr): the cotangent.", func(a float64) float64 { return 1 / kernel.Tan(a) }, "cot(0)", "Infinity"),
		real1("sec", "3.3.0", "sec(expr): the secant.", func(a float64) float64 { return 1 / kernel.Cos(a) }, "sec(0)", "1.0"),
		real1("csc", "3.3.0", "csc(expr): the cosecant.", func(a float64) float64 { return 1 / kernel.Sin(a) }, "csc(0)", "Infinity"),
		real1("asin", "1.4.0", "asin(expr): the angle whose sine is expr.", kernel.Asin, "asin(0)", "0.0", "asin(2)", "NaN"),
		real1("acos", "1.4.0", "acos(expr): the angle whose cosine is expr.", kernel.Acos, "acos(1)", "0.0", "acos(2)", "NaN"),
		real1("atan", "1.4.0", "atan(expr): the angle whose tangent is expr.", kernel.Atan, "atan(0)", "0.0"),
		real1("sinh", "1.4.0", "sinh(expr): the hyperbolic sine.", kernel.Sinh, "sinh(0)", "0.0"),
		real1("cosh", "1.4.0", "cosh(expr): the hyperbolic cosine.", kernel.Cosh, "cosh(0)", "1.0"),
		real1("tanh", "1.4.0", "tanh(expr): the hyperbolic tangent.", kernel.Tanh, "tanh(0)", "0.0"),
		real1("asinh", "3.0.0", "asinh(expr): the inverse hyperbolic sine.", math.Asinh, "asinh(0)", "0.0"),
		real1("acosh", "3.0.0", "acosh(expr): the inverse hyperbolic cosine.", math.Acosh, "acosh(1)", "0.0", "acosh(0)", "NaN"),
		real1("atanh", "3.0.0", "atanh(expr): the inverse hyperbolic tangent.", func(a float64) float64 { return 0.5 * (math.Log1p(a) - math.Log1p(-a)) }, "atanh(0)", "0.0", "atanh(2)", "NaN"),
		real1("degrees", "1.4.0", "degrees(expr): radians as degrees.", func(a float64) float64 { return a * 57.29577951308232 }, "degrees(3.141592653589793)", "180.0"),
		real1("radians", "1.4.0", "radians(expr): degrees as radians.", func(a float64) float64 { return a * 0.017453292519943295 }, "radians(180)", "3.141592653589793"),
		real1("rint", "1.4.0", "rint(expr): the nearest whole number, ties to even.", math.RoundToEven, "rint(12.3456)", "12.0"),
		signRow(),
		constantRow("e", "1.5.0", "e(): Euler's number.", math.E, "2.718281828459045"),
		constantRow("pi", "1.5.0", "pi(): the ratio of a circle's circumference to its diameter.", math.Pi, "3.141592653589793"),
		fn("factorial", "1.5.0", "factorial(expr): the product of 1 to expr, for 0 to 20; null outside.", sig(to(types.Long), tInt).nullable(),
			m1(func(_ *kernel.Ctx, a int32) (int64, bool, error) { return factorial(a), a >= 0 && a <= 20, nil }), "factorial(5)", "120").total(),
		fn("bin", "1.5.0", "bin(expr): the binary digits of a number.", sig(to(types.String), tLong),
			f1(func(a int64) string { return strconv.FormatUint(uint64(a), 2) }), "bin(13)", "1101", "bin(-13)", strings.Repeat("1", 60)+"0011").total(),
		fn("conv", "1.5.0", "conv(num, from, to): the digits of a number in another base.", sig(to(types.String), tStr, tInt, tInt).nullable(),
			m3(convert), "conv('100', 2, 10)", "4", "conv(-10, 16, -10)", "-16"),
		widthBucket(),
	)
}

func logRow() *Row {
	r := &Row{Name: "log", Since: "1.5.0", Usage: "log([base,] expr): the logarithm to a base, or the natural one.", NullIn: true, Total: always}
	s := sig(to(types.Double), tDouble, tDouble.optional()).nullable()
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if len(call.Args) == 1 {
			e, err := bindCall(env, "e")
			if err != nil {
				return nil, err
			}
			q := *call
			q.Args = []expr.Expr{e, call.Args[0]}
			call = &q
		}
		r.Sig = s
		return r.bindSig(env, call)
	}
	r.Kernel = m2(func(_ *kernel.Ctx, base, a float64) (float64, bool, error) {
		return math.Log(a) / math.Log(base), !(base <= 0 || a <= 0), nil
	})
	return r.examples([]string{"log(10, 100)", "2.0", "log(1)", "0.0"})
}

func signRow() *Row {
	return fn("sign", "1.4.0", "sign(expr): -1, 0 or 1 by the sign of a number or interval.", sig(to(types.Double), oneOf(tDouble, tYearMonth, tDayTime)), func(c *expr.Call) (kernel.Func, error) {
		switch c.Args[0].Type().Kind {
		case types.YearMonthKind:
			return kernel.Each1(c.T, func(_ *kernel.Ctx, a int32) (float64, bool, error) { return signOf(float64(a)), true, nil }), nil
		case types.DayTimeKind:
			return kernel.Each1(c.T, func(_ *kernel.Ctx, a int64) (float64, bool, error) { return signOf(float64(a)), true, nil }), nil
		}
		return kernel.Doubles(signOf), nil
	}, "sign(40)", "1.0", "sign(-0.5)", "-1.0").alias("signum").own().total()
}

func signOf(a float64) float64 {
	switch {
	case a > 0:
		return 1
	case a < 0:
		return -1
	}
	return a
}

func constantRow(name, since, usage string, v float64, text string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, Sig: sig(to(types.Double)).never(), Total: always,
		Kernel: func(c *expr.Call) (kernel.Func, error) {
			return kernel.Each0(c.T, func(*kernel.Ctx) (float64, bool, error) { return v, true, nil }), nil
		}}
	return r.examples([]string{name + "()", text})
}

func factorial(n int32) int64 {
	f := int64(1)
	for i := int64(2); i <= int64(n); i++ {
		f *= i
	}
	return f
}

// convert reads digits of one base, as far as they go, and prints them in another; a negative target base prints signed numbers.
func convert(_ *kernel.Ctx, num string, from, to int32) (string, bool, error) {
	target := to
	if target < 0 {
		target = -target
	}
	num = strings.Trim(num, " ")
	if from < 2 || from > 36 || target < 2 || target > 36 || num == "" {
		return "", false, nil
	}
	neg := num[0] == '-'
	if neg {
		num = num[1:]
	}
	var v uint64
	over := false
	for _, c := range []byte(strings.ToLower(num)) {
		d := int32(99)
		switch {
		case c >= '0' && c <= '9':
			d = int32(c - '0')
		case c >= 'a' && c <= 'z':
			d = int32(c-'a') + 10
		}
		if d >= from {
			break
		}
		hi, lo := bits.Mul64(v, uint64(from))
		sum, carry := bits.Add64(lo, uint64(d), 0)
		over = over || hi+carry != 0
		v = sum
	}
	if over {
		return "", false, kernel.Overflow("Overflow in function conv()", "")
	}
	if neg && to > 0 {
		v = -v
	}
	sign := ""
	if to < 0 && int64(v) < 0 && !neg {
		v, sign = -v, "-"
	} else if neg && to < 0 {
		sign = "-"
	}
	return sign + strings.ToUpper(strconv.FormatUint(v, int(target))), true, nil
}

func widthBucket() *Row {
	v := oneOf(tDouble, tYearMonth, tDayTime)
	return fn("width_bucket", "3.1.0", "width_bucket(value, low, high, n): the number of the bucket among n of equal width that holds the value.",
		sig(to(types.Long), v, v, v, tLong).nullable(), rowsOf(func(_ *kernel.Ctx, row []any) (any, error) {
			x, lo, hi := number(row[0], types.Double), number(row[1], types.Double), number(row[2], types.Double)
			n := row[3].(int64)
			if n <= 0 || n == math.MaxInt64 || x != x || lo == hi || lo != lo || hi != hi || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
				return nil, nil
			}
			lower, upper := min(lo, hi), max(lo, hi)
			if lo < hi {
				switch {
				case x < lower:
					return int64(0), nil
				case x >= upper:
					return n + 1, nil
				}
				return int64(float64(n)*(x-lower)/(upper-lower)) + 1, nil
			}
			switch {
			case x > upper:
				return int64(0), nil
			case x <= lower:
				return n + 1, nil
			}
			return int64(float64(n)*(upper-x)/(upper-lower)) + 1, nil
		}), "width_bucket(5.3, 0.2, 10.6, 5)", "3", "width_bucket(8.1, 0.0, 5.7, 4)", "5")
}

// ---- rounding ----

func roundRows() []*Row {
	return group("math_funcs",
		rounding("round", types.HalfUp, "1.5.0", "round(expr[, d]): the number rounded to d digits, halves away from zero.", "round(2.5, 0)", "3", "round(25, -1)", "30"),
		rounding("bround", types.HalfEven, "2.0.0", "bround(expr[, d]): the number rounded to d digits, halves to the even neighbour.", "bround(2.5, 0)", "2", "bround(25, -1)", "20"),
		whole("ceil", true, "1.4.0", "ceil(expr[, d]): the least number with d digits that is not below expr.", "ceil(-0.1)", "0", "ceil(5)", "5", "ceil(3.1411, 3)", "3.142", "ceil(3.1411, -3)", "1000").alias("ceiling").own(),
		whole("floor", false, "1.1.1", "floor(expr[, d]): the greatest number with d digits that is not above expr.", "floor(-0.1)", "-1", "floor(5)", "5", "floor(3.1411, 3)", "3.141"),
	)
}

// roundedType is the type of a number rounded to a scale.
func roundedType(t types.Type, scale int) types.Type {
	if t.Kind != types.DecimalKind {
		return t
	}
	whole := int(t.Precision) - int(t.Scale) + 1
	if scale < 0 {
		return types.BoundedDecimal(max(whole, -scale+1), 0)
	}
	s := min(int(t.Scale), scale)
	return types.BoundedDecimal(whole+s, s)
}

// scaleArg is the constant scale argument.
func scaleArg(env *BindEnv, call *expr.Func, e expr.Expr) (int, bool, error) {
	if !Foldable(e) {
		return 0, false, notConstant(call, "scale", types.Int, e)
	}
	v, err := env.Fold(castTo(env, e, types.Int))
	if err != nil {
		return 0, false, err
	}
	n, ok := v.(int32)
	return int(n), ok, nil
}

func rounding(name string, mode types.RoundMode, since, usage string, examples ...string) *Row {
	r := &Row{Name: name, Since: since, Usage: usage, NullIn: true}
	s := sig(nil, tNum, tInt.defaultTo(int32(0)))
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 1, 2); err != nil {
			return nil, err
		}
		q := *call
		if len(q.Args) == 1 {
			q.Args = []expr.Expr{q.Args[0], s.In[1].or}
		}
		r2 := *r
		r2.Sig, r2.Bind = s, nil
		args, err := r2.coerce(env, &q, q.Args)
		if err != nil {
			return nil, err
		}
		scale, _, err := scaleArg(env, &q, args[1])
		if err != nil {
			return nil, err
		}
		return r.call(env, &q, roundedType(args[0].Type(), scale), args[0].Nullable() || args[1].Nullable(), args...), nil
	}
	r.Kernel = func(c *expr.Call) (kernel.Func, error) {
		scale, _ := constant(c.Args[1]).(int32)
		return kernel.Round(c.Args[0].Type(), c.T, int(scale), mode, Mode(c.Mode)), nil
	}
	return r.examples(examples)
}

// whole is ceil or floor: to BIGINT or a decimal without fraction, or with a second argument to that many digits as a decimal.
func whole(name string, up bool, since, usage string, examples ...string) *Row {
	mode := types.Floor
	if up {
		mode = types.Ceiling
	}
	r := &Row{Name: name, Since: since, Usage: usage, NullIn: true}
	one, two := sig(nil, oneOf(tDouble, tDecimal, tLong)), sig(nil, tDecimal, tInt)
	r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
		if err := needArgs(call, 1, 2); err != nil {
			return nil, err
		}
		r2 := *r
		r2.Sig, r2.Bind = one, nil
		if len(call.Args) == 2 {
			r2.Sig = two
		}
		args, err := r2.coerce(env, call, call.Args)
		if err != nil {
			return nil, err
		}
		t := args[0].Type()
		out := types.Long
		if len(args) == 2 {
			scale, _, err := scaleArg(env, call, args[1])
			if err != nil {
				return nil, err
			}
			out = roundedType(t, scale)
		} else if t.Kind == types.DecimalKind {
			out = types.BoundedDecimal(int(t.Precision)-int(t.Scale)+min(1, int(t.Scale)), 0)
			if t.Scale == 0 {
				out = t
			}
		}
		null := args[0].Nullable() || len(args) == 2 && args[1].Nullable()
		return r.call(env, call, out, null, args...), nil
	}
	r.Kernel = func(c *expr.Call) (kernel.Func, error) {
		if len(c.Args) == 1 {
			return kernel.ToLong(c.Args[0].Type(), c.T, up, Mode(c.Mode)), nil
		}
		scale, _ := constant(c.Args[1]).(int32)
		return kernel.Round(c.Args[0].Type(), c.T, int(scale), mode, Mode(c.Mode)), nil
	}
	return r.examples(examples)
}

func extremeRows() []*Row {
	row := func(name string, max bool, usage string, examples ...string) *Row {
		s := sig(like(0), tAny.repeated(2)).common().check(orderable(name, 0))
		s.Plain = true
		r := fn(name, "1.5.0", usage, s, func(c *expr.Call) (kernel.Func, error) { return kernel.Extreme(c.T, max), nil }, examples...).seesNulls().total()
		return r
	}
	return group("conditional_funcs",
		row("greatest", true, "greatest(a, b, …): the greatest of the values that are not null.", "greatest(10, 9, 2, 4, 3)", "10"),
		row("least", false, "least(a, b, …): the least of the values that are not null.", "least(10, 9, 2, 4, 3)", "2"),
	)
}

// ---- random numbers ----

// xorShift is the generator of random functions, as Spark seeds and steps it: the same seed gives the same numbers.
type xorShift struct {
	s     uint64
	spare float64
	has   bool
}

func newXorShift(seed int64) *xorShift {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	low := murmur3(b[:], 0x3c074a61)
	high := murmur3(b[:], low)
	return &xorShift{s: uint64(high)<<32 | uint64(low)}
}

// murmur3 is MurmurHash3 (x86, 32 bits) of whole words.
func murmur3(b []byte, seed uint32) uint32 {
	h := seed
	for i := 0; i+4 <= len(b); i += 4 {
		k := binary.LittleEndian.Uint32(b[i:]) * 0xcc9e2d51
		k = bits.RotateLeft32(k, 15) * 0x1b873593
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	h ^= uint32(len(b))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (x *xorShift) next(n uint) uint64 {
	x.s ^= x.s << 21
	x.s ^= x.s >> 35
	x.s ^= x.s << 4
	return x.s & (1<<n - 1)
}

func (x *xorShift) float() float64 { return float64(x.next(26)<<27+x.next(27)) * 0x1p-53 }

func (x *xorShift) normal() float64 {
	if x.has {
		x.has = false
		return x.spare
	}
	for {
		u, v := 2*x.float()-1, 2*x.float()-1
		if s := u*u + v*v; s > 0 && s < 1 {
			m := math.Sqrt(-2 * math.Log(s) / s)
			x.spare, x.has = v*m, true
			return u * m
		}
	}
}

func randomRows() []*Row {
	row := func(name, usage string, next func(x *xorShift) float64, examples ...string) *Row {
		r := &Row{Name: name, Since: "1.5.0", Usage: usage, NonDeterministic: true}
		r.Bind = func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
			if err := needArgs(call, 0, 1); err != nil {
				return nil, err
			}
			c := r.call(env, call, types.Double, false, call.Args...)
			c.Seed = env.Session.Seed
			if len(call.Args) == 1 {
				if !Foldable(call.Args[0]) {
					return nil, notConstant(call, "seed", types.Long, call.Args[0])
				}
				t := call.Args[0].Type()
				if !t.IsIntegral() && t.Kind != types.NullKind {
					return nil, wrongType(call, 0, In{name: `("INT" or "BIGINT")`, any: []In{tInt}}, call.Args[0])
				}
				v, err := env.Fold(castTo(env, call.Args[0], types.Long))
				if err != nil {
					return nil, err
				}
				c.Seed, _ = v.(int64)
			}
			return c, nil
		}
		r.Kernel = func(c *expr.Call) (kernel.Func, error) {
			var x *xorShift
			return kernel.Each0(c.T, func(ctx *kernel.Ctx) (float64, bool, error) {
				if x == nil {
					x = newXorShift(c.Seed + int64(ctx.Partition))
				}
				return next(x), true, nil
			}), nil
		}
		return r.examples(examples)
	}
	return group("math_funcs",
		row("rand", "rand([seed]): random numbers from 0 up to 1.", (*xorShift).float, "rand(0)", "0.7604953758285915").alias("random").own(),
		row("randn", "randn([seed]): random numbers of the standard normal distribution.", (*xorShift).normal, "randn(0)", "1.6034991609278433"),
	)
}
