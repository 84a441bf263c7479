package kernel

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Arith gives the loop of a op b for one of + - * / % div pmod over two numbers. Both sides have the type t, except decimals, which
// keep precision and scale of their own (ta, tb); out is the result's type. Rows with a null side are null (NullIn).
func Arith(op string, ta, tb, out types.Type, m Mode) Func {
	if ta.Kind == types.DecimalKind {
		return arithDecimal(op, ta, tb, out, m)
	}
	switch ta.Kind {
	case types.ByteKind:
		return arithInt[int8](op, m)
	case types.ShortKind:
		return arithInt[int16](op, m)
	case types.IntKind, types.YearMonthKind:
		return arithInt[int32](op, m)
	case types.LongKind, types.DayTimeKind:
		return arithInt[int64](op, m)
	case types.FloatKind:
		return arithFloat[float32](op, m)
	case types.DoubleKind:
		return arithFloat[float64](op, m)
	}
	return nil
}

// two views both arguments as flat values; a constant is written out.
func two[T columnar.Fixed](c *Ctx, args []columnar.Vector, n int) (x, y []T) {
	return one[T](c, &args[0], n), one[T](c, &args[1], n)
}

func one[T columnar.Fixed](c *Ctx, v *columnar.Vector, n int) []T {
	x := columnar.Of[T](v.Data)
	if v.Form != columnar.Const {
		return x[:n]
	}
	out := Out[T](c, n)
	k := x[0]
	for i := range out {
		out[i] = k
	}
	return out
}

var tryNames = map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply", "/": "try_divide", "%": "try_mod"}

func arithInt[T signed](op string, m Mode) Func {
	switch op {
	case "+":
		return checked[T](m, op, addLoop[T], func(a, b types.Int128) types.Int128 { return a.Add(b) })
	case "-":
		return checked[T](m, op, subLoop[T], func(a, b types.Int128) types.Int128 { return a.Sub(b) })
	case "*":
		return checked[T](m, op, mulLoop[T], func(a, b types.Int128) types.Int128 { return types.MulInt64(a.Int64(), b.Int64()) })
	case "%":
		return remainder[T](m, false)
	case "pmod":
		return remainder[T](m, true)
	case "div":
		return divideInt[T](m)
	}
	return nil
}

// addLoop, subLoop and mulLoop wrap around and say whether some row left the range.
func addLoop[T signed](out, x, y []T) bool {
	x, y = x[:len(out)], y[:len(out)]
	var over T
	for i := range out {
		a, b := x[i], y[i]
		s := a + b
		out[i] = s
		over |= (a ^ s) & (b ^ s)
	}
	return over < 0
}

func subLoop[T signed](out, x, y []T) bool {
	x, y = x[:len(out)], y[:len(out)]
	var over T
	for i := range out {
		a, b := x[i], y[i]
		s := a - b
		out[i] = s
		over |= (a ^ b) & (a ^ s)
	}
	return over < 0
}

func mulLoop[T signed](out, x, y []T) bool {
	x, y = x[:len(out)], y[:len(out)]
	var over uint64
	for i := range out {
		a, b := int64(x[i]), int64(y[i])
		hi, lo := bits.Mul64(uint64(a), uint64(b))
		high := int64(hi) - (a>>63)&b - (b>>63)&a
		r := T(lo)
		out[i] = r
		over |= uint64(high^(int64(lo)>>63)) | uint64(int64(r)^int64(lo))
	}
	return over != 0
}

// checked runs a loop and, when it reports an overflow, looks for the rows that count.
func checked[T signed](m Mode, op string, loop func(out, x, y []T) bool, exact func(a, b types.Int128) types.Int128) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two2[T](c, args, n)
		out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
		over := loop(out, x, y)
		v := columnar.Vector{N: n, Data: c.Scratch.last()}
		if !over || m == Legacy {
			return v, nil
		}
		for i := range out {
			if exact(types.I128(int64(x[i])), types.I128(int64(y[i]))) == types.I128(int64(out[i])) || !rowCounts(c.Valid, i) {
				continue
			}
			if m == Ansi {
				return v, intOverflow[T](op, int64(x[i]), int64(y[i]))
			}
			v.Valid = clearBit(c, v.Valid, i, n)
		}
		return v, nil
	}
}

// two2 is two for number types that are no named part of columnar.Fixed's set.
func two2[T signed](c *Ctx, args []columnar.Vector, n int) (x, y []T) {
	var out [2][]T
	for k := range out {
		v := viewAs[T](args[k].Data)
		if args[k].Form == columnar.Const {
			f := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
			for i := range f {
				f[i] = v[0]
			}
			v = f
		}
		out[k] = v[:n]
	}
	return out[0], out[1]
}

func intOverflow[T signed](op string, a, b int64) error {
	switch any(T(0)).(type) {
	case int32:
		return Overflow("overflow", tryNames[op])
	case int64:
		return Overflow("overflow", tryNames[op])
	}
	return SmallOverflow(a, op, b, tryNames[op])
}

// zeroDivisor finds a row that counts whose divisor is 0; in the other modes those rows become null.
func zeroDivisor[T signed | floating](c *Ctx, v *columnar.Vector, y []T, m Mode, err func() error) error {
	for i, b := range y {
		if b != 0 || !rowCounts(c.Valid, i) {
			continue
		}
		if m == Ansi {
			return err()
		}
		v.Valid = clearBit(c, v.Valid, i, len(y))
	}
	return nil
}

func remainder[T signed](m Mode, positive bool) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two2[T](c, args, n)
		out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
		v := columnar.Vector{N: n, Data: c.Scratch.last()}
		zero := false
		for i := range out {
			b := y[i]
			if b == 0 {
				zero, out[i] = true, 0
				continue
			}
			if b == -1 {
				out[i] = 0
				continue
			}
			r := x[i] % b
			if positive && r < 0 {
				r = (r + b) % b
			}
			out[i] = r
		}
		if zero {
			return v, zeroDivisor(c, &v, y, m, RemainderByZero)
		}
		return v, nil
	}
}

func divideInt[T signed](m Mode) Func {
	lo, _ := limits[T]()
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two2[T](c, args, n)
		out := Out[int64](c, n)
		v := Flat(out)
		zero := false
		for i := range out {
			a, b := int64(x[i]), int64(y[i])
			switch {
			case b == 0:
				zero, out[i] = true, 0
			case a == lo && b == -1 && lo == math.MinInt64:
				out[i] = a
				if !rowCounts(c.Valid, i) || m == Legacy {
					break
				}
				if m == Ansi {
					return v, Overflow("Overflow in integral divide", "try_divide")
				}
				v.Valid = clearBit(c, v.Valid, i, n)
			default:
				out[i] = a / b
			}
		}
		if zero {
			return v, zeroDivisor(c, &v, y, m, DivideByZero)
		}
		return v, nil
	}
}

func arithFloat[T floating](op string, m Mode) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		if args[0].Form != args[1].Form && op != "div" && op != "%" && op != "pmod" {
			if v, ok := floatConst[T](c, op, args, n); ok {
				return v, nil
			}
		}
		x, y := floats2[T](c, args, n)
		out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
		v := columnar.Vector{N: n, Data: c.Scratch.last()}
		x, y = x[:len(out)], y[:len(out)]
		switch op {
		case "+":
			for i := range out {
				out[i] = x[i] + y[i]
			}
		case "-":
			for i := range out {
				out[i] = x[i] - y[i]
			}
		case "*":
			for i := range out {
				out[i] = x[i] * y[i]
			}
		case "/":
			zeros := 0
			for i := range out {
				out[i] = x[i] / y[i]
				zeros += b2i(y[i] == 0)
			}
			if zeros > 0 {
				return v, zeroDivisor(c, &v, y, m, DivideByZero)
			}
		case "div":
			return divideFloat(c, x, y, m)
		default:
			zeros := 0
			for i := range out {
				out[i] = T(floatRemainder(float64(x[i]), float64(y[i]), op == "pmod"))
				zeros += b2i(y[i] == 0)
			}
			if zeros > 0 {
				return v, zeroDivisor(c, &v, y, m, RemainderByZero)
			}
		}
		return v, nil
	}
}

// floatConst is + - * or / with one constant side; false for a division by zero and for constants divided by a column.
func floatConst[T floating](c *Ctx, op string, args []columnar.Vector, n int) (columnar.Vector, bool) {
	col, k := &args[0], viewAs[T](args[1].Data)[0]
	first := args[0].Form == columnar.Const
	if first {
		col, k = &args[1], viewAs[T](args[0].Data)[0]
	}
	if op == "/" && (first || k == 0) {
		return columnar.Vector{}, false
	}
	x := viewAs[T](col.Data)[:n]
	out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))[:len(x)]
	switch {
	case op == "+":
		for i, a := range x {
			out[i] = a + k
		}
	case op == "*":
		for i, a := range x {
			out[i] = a * k
		}
	case op == "/":
		for i, a := range x {
			out[i] = a / k
		}
	case first:
		for i, a := range x {
			out[i] = k - a
		}
	default:
		for i, a := range x {
			out[i] = a - k
		}
	}
	return columnar.Vector{N: n, Data: c.Scratch.last()}, true
}

func floats2[T floating](c *Ctx, args []columnar.Vector, n int) (x, y []T) {
	var out [2][]T
	for k := range out {
		v := viewAs[T](args[k].Data)
		if args[k].Form == columnar.Const {
			f := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
			for i := range f {
				f[i] = v[0]
			}
			v = f
		}
		out[k] = v[:n]
	}
	return out[0], out[1]
}

func floatRemainder(a, b float64, positive bool) float64 {
	r := math.Mod(a, b)
	if positive && r < 0 {
		r = math.Mod(r+b, b)
	}
	return r
}

func divideFloat[T floating](c *Ctx, x, y []T, m Mode) (columnar.Vector, error) {
	out := Out[int64](c, len(x))
	v := Flat(out)
	for i := range out {
		out[i] = int64(float64(x[i]) / float64(y[i]))
	}
	return v, zeroDivisor(c, &v, y, m, DivideByZero)
}

// ---- decimals ----

// arithDecimal picks the narrowest arithmetic that the types prove safe.
func arithDecimal(op string, ta, tb, out types.Type, m Mode) Func {
	if f := fastDecimal(op, ta, tb, out, m); f != nil {
		return f
	}
	show := func(a, b types.Int128) string { return exactText(op, a, int(ta.Scale), b, int(tb.Scale)) }
	var f func(a, b types.Int128) (types.Int128, bool)
	sa, sb, so := int(ta.Scale), int(tb.Scale), int(out.Scale)
	switch op {
	case "+", "-":
		f = wideAdd(sa, sb, so, op == "-")
	case "*":
		f = func(a, b types.Int128) (types.Int128, bool) {
			if drop := sa + sb - so; drop >= 0 {
				return types.MulScaled(a, b, drop)
			}
			v, ok := types.MulScaled(a, b, 0)
			if !ok {
				return v, false
			}
			return types.Rescale(v, sa+sb, so)
		}
	case "/":
		f = func(a, b types.Int128) (types.Int128, bool) {
			if up := so + sb - sa; up >= 0 {
				return types.DivScaled(a, b, up, true)
			}
			v, ok := types.Rescale(a, sa, so+sb)
			if !ok {
				return v, false
			}
			return types.DivScaled(v, b, 0, true)
		}
	case "div":
		return decimalDiv(ta, tb, m)
	default:
		f = wideRemainder(sa, sb, so, op == "pmod")
	}
	divides := op == "/" || op == "%" || op == "pmod"
	p := int(out.Precision)
	slow := Each2(out, func(c *Ctx, a, b types.Int128) (types.Int128, bool, error) {
		if divides && b == (types.Int128{}) {
			if op == "/" {
				return bad[types.Int128](m, DivideByZero)
			}
			return bad[types.Int128](m, RemainderByZero)
		}
		if r, ok := f(a, b); ok && r.FitsPrecision(p) {
			return r, true, nil
		}
		return bad[types.Int128](m, func() error { return DecimalOverflow(show(a, b), out) })
	})
	narrow := columnar.LayoutOf(ta) == columnar.Int64x && columnar.LayoutOf(tb) == columnar.Int64x
	if up := so + sb - sa; op == "/" && narrow && up >= 0 && up <= types.MaxLongDigits {
		return divideNarrow(up, out, slow)
	}
	return slow
}

// divideNarrow divides 64-bit decimals; batches with a zero divisor or a result that does not fit are left to the slow loop.
func divideNarrow(up int, t types.Type, slow Func) Func {
	limit := types.Pow10(int(t.Precision))
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two[int64](c, args, n)
		out := Out[types.Int128](c, n)
		ok := true
		for i := range out {
			if y[i] == 0 {
				ok = ok && !rowCounts(c.Valid, i)
				out[i] = types.Int128{}
				continue
			}
			q, fits := types.DivScaled(types.I128(x[i]), types.I128(y[i]), up, true)
			out[i] = q
			ok = ok && (fits && q.Abs().Cmp(limit) < 0 || !rowCounts(c.Valid, i))
		}
		if !ok {
			return slow(c, args, n)
		}
		if columnar.LayoutOf(t) == columnar.Int64x {
			return columnar.Vector{N: n, Data: narrow(c, columnar.Bytes(out), n)}, nil
		}
		return Flat(out), nil
	}
}

// fastDecimal is the arithmetic on 64-bit operands where the types exclude overflow.
func fastDecimal(op string, ta, tb, out types.Type, m Mode) Func {
	a64, b64, o64 := columnar.LayoutOf(ta) == columnar.Int64x, columnar.LayoutOf(tb) == columnar.Int64x, columnar.LayoutOf(out) == columnar.Int64x
	sa, sb, so := int(ta.Scale), int(tb.Scale), int(out.Scale)
	switch op {
	case "+", "-":
		upA, upB := so-sa, so-sb
		if !a64 || !b64 || upA < 0 || upB < 0 || int(ta.Precision)+upA >= int(out.Precision) || int(tb.Precision)+upB >= int(out.Precision) {
			return nil
		}
		if o64 {
			return addScaled(types.PowInt64(upA), types.PowInt64(upB), op == "-")
		}
		if upA <= types.MaxLongDigits && upB <= types.MaxLongDigits {
			return addScaledWide(types.PowInt64(upA), types.PowInt64(upB), op == "-")
		}
	case "*":
		if so != sa+sb || int(ta.Precision)+int(tb.Precision) > int(out.Precision) {
			break
		}
		if a64 && b64 && o64 {
			return mul64
		}
		if a64 && b64 {
			return mulWide64
		}
	}
	if op == "*" && so == sa+sb && !o64 && (a64 || b64) {
		return mulMixed(ta, tb, out, m)
	}
	return nil
}

// addScaled computes a*fa ± b*fb in 64 bits.
func addScaled(fa, fb int64, sub bool) Func {
	if sub {
		fb = -fb
	}
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := Out[int64](c, n)
		if args[0].Form == columnar.Const || args[1].Form == columnar.Const {
			k, f, col := columnar.Of[int64](args[0].Data)[0]*fa, fb, &args[1]
			if args[1].Form == columnar.Const {
				k, f, col = columnar.Of[int64](args[1].Data)[0]*fb, fa, &args[0]
			}
			x := columnar.Of[int64](col.Data)[:len(out)]
			for i := range out {
				out[i] = x[i]*f + k
			}
			return Flat(out), nil
		}
		x, y := columnar.Of[int64](args[0].Data)[:len(out)], columnar.Of[int64](args[1].Data)[:len(out)]
		for i := range out {
			out[i] = x[i]*fa + y[i]*fb
		}
		return Flat(out), nil
	}
}

func addScaledWide(fa, fb int64, sub bool) Func {
	if sub {
		fb = -fb
	}
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := two[int64](c, args, n)
		out := Out[types.Int128](c, n)
		for i := range out {
			out[i] = types.MulInt64(x[i], fa).Add(types.MulInt64(y[i], fb))
		}
		return Flat(out), nil
	}
}

func mul64(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	x, y := two[int64](c, args, n)
	out := Out[int64](c, n)
	x, y = x[:len(out)], y[:len(out)]
	for i := range out {
		out[i] = x[i] * y[i]
	}
	return Flat(out), nil
}

func mulWide64(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	x, y := two[int64](c, args, n)
	out := Out[types.Int128](c, n)
	x, y = x[:len(out)], y[:len(out)]
	for i := range out {
		out[i] = types.MulInt64(x[i], y[i])
	}
	return Flat(out), nil
}

// mulMixed multiplies a wide by a narrow decimal: rows whose wide side is small need one 64-bit product, the others the checked one.
func mulMixed(ta, tb, out types.Type, m Mode) Func {
	p := int(out.Precision)
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b := &args[0], &args[1]
		if columnar.LayoutOf(ta) == columnar.Int64x {
			a, b = b, a
		}
		x, y := one[types.Int128](c, a, n), one[int64](c, b, n)
		r := Out[types.Int128](c, n)
		for i := range r {
			if x[i].Fits64() {
				r[i] = types.MulInt64(x[i].Int64(), y[i])
				if p == types.MaxPrecision { // |product| < 2^126 < 10^38
					continue
				}
			} else {
				v, ok := x[i].Mul(types.I128(y[i]))
				if !ok || !v.FitsPrecision(types.MaxPrecision) {
					v = types.Int128{Hi: math.MaxInt64} // fits no precision
				}
				r[i] = v
			}
			if !r[i].FitsPrecision(p) && rowCounts(c.Valid, i) {
				return mulSlow(ta, tb, out, m, c, args, n)
			}
		}
		return Flat(r), nil
	}
}

// mulSlow repeats a multiplication row by row: some row overflows.
func mulSlow(ta, tb, out types.Type, m Mode, c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	return Each2(out, func(c *Ctx, a, b types.Int128) (types.Int128, bool, error) {
		if v, ok := a.Mul(b); ok && v.FitsPrecision(int(out.Precision)) {
			return v, true, nil
		}
		return bad[types.Int128](m, func() error { return DecimalOverflow(exactText("*", a, int(ta.Scale), b, int(tb.Scale)), out) })
	})(c, args, n)
}

func wideAdd(sa, sb, so int, sub bool) func(a, b types.Int128) (types.Int128, bool) {
	return func(a, b types.Int128) (types.Int128, bool) {
		if sub {
			b = b.Neg()
		}
		return types.AddScaled(a, sa, b, sb, so)
	}
}

func wideRemainder(sa, sb, so int, positive bool) func(a, b types.Int128) (types.Int128, bool) {
	s := max(sa, sb)
	return func(a, b types.Int128) (types.Int128, bool) {
		x, ok1 := types.Rescale(a, sa, s)
		y, ok2 := types.Rescale(b, sb, s)
		if !ok1 || !ok2 {
			return x, false
		}
		_, r := x.QuoRem(y)
		if positive && r.Sign() < 0 {
			_, r = r.Add(y).QuoRem(y)
		}
		return types.Rescale(r, s, so)
	}
}

func decimalDiv(ta, tb types.Type, m Mode) Func {
	sa, sb := int(ta.Scale), int(tb.Scale)
	return Each2(types.Long, func(c *Ctx, a, b types.Int128) (int64, bool, error) {
		if b == (types.Int128{}) {
			return bad[int64](m, DivideByZero)
		}
		var q types.Int128
		ok := true
		if sb >= sa {
			q, ok = types.DivScaled(a, b, sb-sa, false)
		} else if y, fits := types.Rescale(b, sb, sa); fits {
			q, _ = a.QuoRem(y)
		}
		if ok && q.Fits64() {
			return q.Int64(), true, nil
		}
		if m == Legacy {
			return q.Int64(), true, nil
		}
		return bad[int64](m, func() error { return Overflow("Overflow in integral divide", "try_divide") })
	})
}

// exactText prints the exact result of an operation that overflowed, for the message.
func exactText(op string, a types.Int128, sa int, b types.Int128, sb int) string {
	x, y := types.FormatDecimal(a, sa), types.FormatDecimal(b, sb)
	f := bigText(op, x, y)
	if f == "" {
		return x + " " + op + " " + y
	}
	return f
}

// bigText computes with text numbers: only for messages.
func bigText(op, x, y string) string {
	switch op {
	case "+", "-", "*":
		return textArith(op, x, y)
	}
	a, _ := strconv.ParseFloat(x, 64)
	b, _ := strconv.ParseFloat(y, 64)
	if op == "/" && b != 0 {
		return strconv.FormatFloat(a/b, 'f', -1, 64)
	}
	return ""
}
