package kernel

import (
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

type signed interface{ int8 | int16 | int32 | int64 }
type floating interface{ float32 | float64 }

func limits[T signed]() (lo, hi int64) {
	var z T
	switch any(z).(type) {
	case int8:
		return math.MinInt8, math.MaxInt8
	case int16:
		return math.MinInt16, math.MaxInt16
	case int32:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

func castToInt[R signed](from, to types.Type, m Mode) Func {
	lo, hi := limits[R]()
	overflow := func(c *Ctx, v any) error { return castOverflow(v, from, to, c.Zone) }
	switch from.Kind {
	case types.BooleanKind:
		return convert(func(a uint8) R { return R(a) })
	case types.ByteKind:
		return narrowInt[int8, R](from, to, m)
	case types.ShortKind:
		return narrowInt[int16, R](from, to, m)
	case types.IntKind:
		return narrowInt[int32, R](from, to, m)
	case types.LongKind:
		return narrowInt[int64, R](from, to, m)
	case types.FloatKind:
		return floatToInt[float32, R](from, to, m)
	case types.DoubleKind:
		return floatToInt[float64, R](from, to, m)
	case types.DecimalKind:
		return Each1(to, func(c *Ctx, a types.Int128) (R, bool, error) {
			q := types.DropDigits(a, int(from.Scale), types.Down)
			if q.Fits64() && q.Int64() >= lo && q.Int64() <= hi || m == Legacy {
				return R(q.Int64()), true, nil
			}
			return bad[R](m, func() error { return overflow(c, a) })
		})
	case types.StringKind:
		return Each1(to, func(c *Ctx, a string) (R, bool, error) {
			if v, ok := types.ParseLong(a, lo, hi, m == Legacy); ok {
				return R(v), true, nil
			}
			return bad[R](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case types.TimestampKind:
		return Each1(to, func(c *Ctx, a int64) (R, bool, error) {
			s := types.FloorDiv(a, types.MicrosPerSecond)
			if s >= lo && s <= hi || m == Legacy {
				return R(s), true, nil
			}
			return bad[R](m, func() error { return overflow(c, a) })
		})
	case types.TimeKind:
		return Each1(to, func(c *Ctx, a int64) (R, bool, error) {
			s := a / 1e9
			if s >= lo && s <= hi {
				return R(s), true, nil
			}
			return bad[R](m, func() error { return overflow(c, a) })
		})
	case types.YearMonthKind, types.DayTimeKind:
		return Each1(to, func(c *Ctx, a any) (R, bool, error) {
			v := intervalUnits(a, from)
			if v >= lo && v <= hi {
				return R(v), true, nil
			}
			return bad[R](m, func() error { return overflow(c, a) })
		})
	case types.DateKind, types.TimestampNTZKind:
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			return columnar.Nulls(to, n), nil
		}
	}
	return nil
}

// intervalUnits is the number of whole end units of an interval.
func intervalUnits(a any, t types.Type) int64 {
	if t.Kind == types.YearMonthKind {
		v := int64(a.(int32))
		if t.To == types.Year {
			v /= 12
		}
		return v
	}
	return a.(int64) / dayTimeUnit(t.To)
}

func dayTimeUnit(field uint8) int64 {
	return [...]int64{types.MicrosPerDay, types.MicrosPerHour, types.MicrosPerMinute, types.MicrosPerSecond}[field]
}

// convert is a loop that cannot fail; the conversion is inlined by the compiler where it can be.
func convert[A, R columnar.Fixed](f func(A) R) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[A](args[0].Data)[:n], Out[R](c, n)
		for i, v := range x {
			out[i] = f(v)
		}
		return Flat(out), nil
	}
}

// widen copies with a conversion of the number type.
func widen[A, R Ordered2](c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	x, out := columnar.Of[A](args[0].Data)[:n], Out[R](c, n)
	for i, v := range x {
		out[i] = R(v)
	}
	return Flat(out), nil
}

// narrowInt copies integers and looks afterwards whether one changed.
func narrowInt[A, R signed](from, to types.Type, m Mode) Func {
	if m == Legacy || to.Kind > from.Kind {
		return widen[A, R]
	}
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[A](args[0].Data)[:n], Out[R](c, n)
		var diff A
		for i, v := range x {
			r := R(v)
			out[i] = r
			diff |= v ^ A(r)
		}
		v := Flat(out)
		if diff == 0 {
			return v, nil
		}
		for i, a := range x {
			if A(out[i]) == a || !rowCounts(c.Valid, i) {
				continue
			}
			if m == Ansi {
				return v, castOverflow(args[0].ValueAt(i), from, to, c.Zone)
			}
			v.Valid = clearBit(c, v.Valid, i, n)
		}
		return v, nil
	}
}

func clearBit(c *Ctx, b columnar.Bitmap, i, n int) columnar.Bitmap {
	if b == nil {
		b = c.Scratch.FullBits(n)
	}
	b.Clear(i)
	return b
}

func floatToInt[A floating, R signed](from, to types.Type, m Mode) Func {
	lo, hi := limits[R]()
	flo, fhi := float64(lo), float64(hi) // 2^63 rounds up: compare below it
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[A](args[0].Data)[:n], Out[R](c, n)
		v := Flat(out)
		for i, a := range x {
			f := float64(a)
			t := math.Trunc(f)
			if t >= flo && (t < fhi || t == fhi && hi < 1<<62) {
				out[i] = R(int64(t))
				continue
			}
			out[i] = 0
			if !rowCounts(c.Valid, i) {
				continue
			}
			switch m {
			case Ansi:
				return v, castOverflow(args[0].ValueAt(i), from, to, c.Zone)
			case Try:
				v.Valid = clearBit(c, v.Valid, i, n)
			default:
				out[i] = saturate[R](f)
			}
		}
		return v, nil
	}
}

// saturate converts as Java's casts do: through int for the small types, NaN is 0.
func saturate[R signed](f float64) R {
	lo, hi := limits[R]()
	if hi < math.MaxInt32 {
		return R(saturate[int32](f))
	}
	switch {
	case f != f:
		return 0
	case f < 0:
		return R(lo)
	}
	return R(hi)
}

func castToFloat[R floating](from, to types.Type, m Mode, bitSize int) Func {
	switch from.Kind {
	case types.BooleanKind:
		return widenTo[uint8, R]()
	case types.ByteKind:
		return widenTo[int8, R]()
	case types.ShortKind:
		return widenTo[int16, R]()
	case types.IntKind:
		return widenTo[int32, R]()
	case types.LongKind:
		return widenTo[int64, R]()
	case types.FloatKind:
		return widenTo[float32, R]()
	case types.DoubleKind:
		return widenTo[float64, R]()
	case types.DecimalKind:
		return decimalToFloat[R](from)
	case types.StringKind:
		return Each1(to, func(c *Ctx, a string) (R, bool, error) {
			if v, ok := types.ParseFloat(a, bitSize); ok {
				return R(v), true, nil
			}
			return bad[R](m, func() error { return castInvalid(strings.Clone(a), from, to) })
		})
	case types.TimestampKind:
		return Each1(to, func(c *Ctx, a int64) (R, bool, error) { return R(float64(a) / 1e6), true, nil })
	case types.TimeKind:
		return Each1(to, func(c *Ctx, a int64) (R, bool, error) { return R(float64(a) / 1e9), true, nil })
	case types.DateKind, types.TimestampNTZKind:
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			return columnar.Nulls(to, n), nil
		}
	}
	return nil
}

func widenTo[A Ordered2, R floating]() Func {
	var z R
	if _, ok := any(z).(float32); ok {
		return widen[A, float32]
	}
	return widen[A, float64]
}

// decimalToFloat divides by the power of ten when both are exact in a double, which rounds correctly.
func decimalToFloat[R floating](from types.Type) Func {
	scale := int(from.Scale)
	if columnar.LayoutOf(from) == columnar.Int128x {
		return Each1(types.Double, func(_ *Ctx, a types.Int128) (R, bool, error) { return R(a.Float64(scale)), true, nil })
	}
	div := math.Pow10(scale)
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x := columnar.Of[int64](args[0].Data)[:n]
		out := viewAs[R](c.Scratch.Bytes(layoutOfSize(any(R(0))), n))
		for i, v := range x {
			if v < 1<<53 && v > -1<<53 {
				out[i] = R(float64(v) / div)
			} else {
				out[i] = R(types.I128(v).Float64(scale))
			}
		}
		return columnar.Vector{N: n, Data: c.Scratch.last()}, nil
	}
}

// ---- to decimal ----

func castToDecimal(from, to types.Type, m Mode) Func {
	s := int(to.Scale)
	fit := func(v types.Int128, scale int, show func() string) (types.Int128, bool, error) {
		if r, ok := types.ToDecimal(v, scale, to); ok {
			return r, true, nil
		}
		return bad[types.Int128](m, func() error { return DecimalOverflow(show(), to) })
	}
	switch from.Kind {
	case types.BooleanKind:
		return Each1(to, func(_ *Ctx, a bool) (types.Int128, bool, error) {
			v := types.I128(int64(b2i(a)))
			return fit(v, 0, func() string { return types.FormatDecimal(v, 0) })
		})
	case types.ByteKind, types.ShortKind, types.IntKind, types.LongKind:
		return intToDecimal(from, to, m)
	case types.FloatKind:
		return Each1(to, func(_ *Ctx, a float32) (types.Int128, bool, error) { return floatToDecimal(float64(a), 32, to, m) })
	case types.DoubleKind:
		return Each1(to, func(_ *Ctx, a float64) (types.Int128, bool, error) { return floatToDecimal(a, 64, to, m) })
	case types.DecimalKind:
		return decimalToDecimal(from, to, m)
	case types.StringKind:
		return Each1(to, func(_ *Ctx, a string) (types.Int128, bool, error) {
			text := types.TrimAll(a)
			v, scale, ok := types.ParseDecimal(text)
			switch {
			case !ok && types.IsDecimalText(text):
				return bad[types.Int128](m, func() error { return DecimalOverflow(strings.Clone(text), to) })
			case !ok:
				return bad[types.Int128](m, func() error { return castInvalid(strings.Clone(a), from, to) })
			}
			return fit(v, scale, func() string { return types.FormatDecimal(v, scale) })
		})
	case types.TimestampKind:
		return Each1(to, func(_ *Ctx, a int64) (types.Int128, bool, error) {
			return fit(types.I128(a), 6, func() string { return types.FormatDecimal(types.I128(a), 6) })
		})
	case types.TimeKind:
		return Each1(to, func(_ *Ctx, a int64) (types.Int128, bool, error) {
			return fit(types.I128(a), 9, func() string { return types.FormatDecimal(types.I128(a), 9) })
		})
	case types.YearMonthKind:
		return Each1(to, func(_ *Ctx, a int32) (types.Int128, bool, error) {
			v := types.I128(intervalUnits(a, from))
			return fit(v, 0, func() string { return types.FormatDecimal(v, 0) })
		})
	case types.DayTimeKind:
		unit := dayTimeUnit(from.To)
		return Each1(to, func(_ *Ctx, a int64) (types.Int128, bool, error) {
			v, _ := types.DivScaled(types.I128(a), types.I128(unit), max(s, 6), true)
			return fit(v, max(s, 6), func() string { return types.FormatDecimal(v, max(s, 6)) })
		})
	case types.DateKind, types.TimestampNTZKind:
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			return columnar.Nulls(to, n), nil
		}
	}
	return nil
}

func floatToDecimal(f float64, bitSize int, to types.Type, m Mode) (types.Int128, bool, error) {
	if v, scale, ok := types.DecimalFromFloat(f, bitSize); ok {
		if r, fits := types.ToDecimal(v, scale, to); fits {
			return r, true, nil
		}
	}
	return bad[types.Int128](m, func() error { return DecimalOverflow(types.FormatFloat(f, bitSize), to) })
}

func intToDecimal(from, to types.Type, m Mode) Func {
	s := int(to.Scale)
	if columnar.LayoutOf(to) == columnar.Int64x && to.Precision-to.Scale >= types.DecimalFor(from).Precision {
		factor := types.PowInt64(s)
		switch from.Kind {
		case types.ByteKind:
			return scaleInt[int8](factor)
		case types.ShortKind:
			return scaleInt[int16](factor)
		case types.IntKind:
			return scaleInt[int32](factor)
		}
	}
	if columnar.LayoutOf(to) == columnar.Int128x && s <= types.MaxLongDigits && to.Precision-to.Scale >= types.DecimalFor(from).Precision {
		factor := types.PowInt64(s)
		switch from.Kind {
		case types.IntKind:
			return scaleWide[int32](factor)
		case types.LongKind:
			return scaleWide[int64](factor)
		}
	}
	f := func(v int64) (types.Int128, bool, error) {
		if r, ok := types.ToDecimal(types.I128(v), 0, to); ok {
			return r, true, nil
		}
		return bad[types.Int128](m, func() error { return DecimalOverflow(types.FormatDecimal(types.I128(v), 0), to) })
	}
	switch from.Kind {
	case types.ByteKind:
		return Each1(to, func(_ *Ctx, a int8) (types.Int128, bool, error) { return f(int64(a)) })
	case types.ShortKind:
		return Each1(to, func(_ *Ctx, a int16) (types.Int128, bool, error) { return f(int64(a)) })
	case types.IntKind:
		return Each1(to, func(_ *Ctx, a int32) (types.Int128, bool, error) { return f(int64(a)) })
	}
	return Each1(to, func(_ *Ctx, a int64) (types.Int128, bool, error) { return f(a) })
}

// scaleInt multiplies by a power of ten; the types prove that it fits.
func scaleInt[A signed](factor int64) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[A](args[0].Data)[:n], Out[int64](c, n)
		for i, v := range x {
			out[i] = int64(v) * factor
		}
		return Flat(out), nil
	}
}

// scaleWide is scaleInt with 128-bit results.
func scaleWide[A int32 | int64](factor int64) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[A](args[0].Data)[:n], Out[types.Int128](c, n)
		for i, v := range x {
			out[i] = types.MulInt64(int64(v), factor)
		}
		return Flat(out), nil
	}
}

func decimalToDecimal(from, to types.Type, m Mode) Func {
	up := int(to.Scale) - int(from.Scale)
	safe := up >= 0 && to.Precision-to.Scale >= from.Precision-from.Scale
	in, out := columnar.LayoutOf(from), columnar.LayoutOf(to)
	switch {
	case safe && in == columnar.Int64x && out == columnar.Int64x:
		return scaleInt[int64](types.PowInt64(up))
	case safe && in == columnar.Int64x && up <= types.MaxLongDigits:
		return scaleWide[int64](types.PowInt64(up))
	}
	return Each1(to, func(_ *Ctx, a types.Int128) (types.Int128, bool, error) {
		if r, ok := types.ToDecimal(a, int(from.Scale), to); ok {
			return r, true, nil
		}
		return bad[types.Int128](m, func() error { return DecimalOverflow(types.FormatDecimal(a, int(from.Scale)), to) })
	})
}
