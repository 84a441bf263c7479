package kernel

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Round gives the loop that rounds numbers of type t to scale digits, result type out: HalfUp (round), HalfEven (bround), Floor or
// Ceiling. Integers are only changed by negative scales.
func Round(t, out types.Type, scale int, mode types.RoundMode, m Mode) Func {
	switch t.Kind {
	case types.ByteKind:
		return roundInt[int8](t, scale, mode, m)
	case types.ShortKind:
		return roundInt[int16](t, scale, mode, m)
	case types.IntKind:
		return roundInt[int32](t, scale, mode, m)
	case types.LongKind:
		return roundInt[int64](t, scale, mode, m)
	case types.FloatKind:
		return Each1(out, func(_ *Ctx, a float32) (float32, bool, error) {
			return float32(roundFloat(float64(a), 32, scale, mode)), true, nil
		})
	case types.DoubleKind:
		return Each1(out, func(_ *Ctx, a float64) (float64, bool, error) { return roundFloat(a, 64, scale, mode), true, nil })
	}
	return roundDecimal(t, out, scale, mode, m)
}

func roundDecimal(t, out types.Type, scale int, mode types.RoundMode, m Mode) Func {
	from, to := int(t.Scale), int(out.Scale)
	keep := max(min(scale, from), -types.MaxPrecision)
	return Each1(out, func(_ *Ctx, a types.Int128) (types.Int128, bool, error) {
		v := types.DropDigits(a, from-keep, mode)
		v, ok := types.Rescale(v, 0, to-keep)
		if !ok || !v.FitsPrecision(int(out.Precision)) {
			return bad[types.Int128](m, func() error { return DecimalOverflow(types.FormatDecimal(a, from), out) })
		}
		return v, true, nil
	})
}

func roundInt[T signed](t types.Type, scale int, mode types.RoundMode, m Mode) Func {
	if scale >= 0 {
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return args[0], nil }
	}
	lo, hi := limits[T]()
	return Each1(t, func(_ *Ctx, a T) (T, bool, error) {
		v := types.I128(0)
		if -scale <= types.MaxPrecision {
			v, _ = types.DropDigits(types.I128(int64(a)), -scale, mode).Mul(types.Pow10(-scale))
		}
		if !v.Fits64() || v.Int64() < lo || v.Int64() > hi {
			if m == Legacy {
				return T(v.Int64()), true, nil
			}
			return bad[T](m, func() error { return Overflow("Overflow", "") })
		}
		return T(v.Int64()), true, nil
	})
}

// roundFloat rounds the shortest text of the number, as BigDecimal does. Numbers with no digits to drop are returned as they are.
func roundFloat(f float64, bitSize, scale int, mode types.RoundMode) float64 {
	if f != f || math.IsInf(f, 0) || f == 0 {
		return f
	}
	if a := math.Abs(f); scale >= 0 && a == math.Trunc(a) || a >= 1e17 && scale >= 0 {
		return f
	}
	v, s, ok := types.DecimalFromFloat(f, bitSize)
	if !ok || s <= scale {
		return f
	}
	v = types.DropDigits(v, s-scale, mode)
	if scale < 0 {
		v, ok = types.Rescale(v, 0, -scale)
		if !ok {
			return f
		}
		scale = 0
	}
	return v.Float64(scale)
}

// ToLong gives floor or ceil of numbers as BIGINT, or as the decimal type out.
func ToLong(t, out types.Type, up bool, m Mode) Func {
	mode, round := types.Floor, math.Floor
	if up {
		mode, round = types.Ceiling, math.Ceil
	}
	switch {
	case t.Kind == types.DecimalKind:
		return Each1(out, func(_ *Ctx, a types.Int128) (types.Int128, bool, error) {
			return types.DropDigits(a, int(t.Scale), mode), true, nil
		})
	case t.Kind == types.LongKind:
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return args[0], nil }
	}
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[float64](args[0].Data)[:n], Out[int64](c, n)
		for i, f := range x {
			r := round(f)
			switch {
			case r != r:
				out[i] = 0
			case r >= math.MaxInt64:
				out[i] = math.MaxInt64
			case r <= math.MinInt64:
				out[i] = math.MinInt64
			default:
				out[i] = int64(r)
			}
		}
		return Flat(out), nil
	}
}

// Doubles lifts a function of doubles; the call per row is cheap beside the function.
func Doubles(f func(float64) float64) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, out := columnar.Of[float64](args[0].Data)[:n], Out[float64](c, n)
		for i, a := range x {
			out[i] = f(a)
		}
		return Flat(out), nil
	}
}

// Sqrt is the square root: one instruction a row.
func Sqrt(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	x, out := columnar.Of[float64](args[0].Data)[:n], Out[float64](c, n)
	for i, a := range x {
		out[i] = math.Sqrt(a)
	}
	return Flat(out), nil
}

// Extreme gives greatest (max) or least: the extreme of the arguments that are not null. Its row does not say NullIn.
func Extreme(t types.Type, max bool) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		rows := make([][]uint32, len(args))
		for i := range n {
			best := -1
			for k := range args {
				if args[k].Null(i) {
					continue
				}
				if best < 0 {
					best = k
				} else if cmp := CompareAt(&args[k], i, &args[best], i); cmp != 0 && (cmp > 0) == max {
					best = k
				}
			}
			if best >= 0 {
				rows[best] = append(rows[best], uint32(i))
			}
		}
		var parts []Part
		for k := range args {
			if len(rows[k]) > 0 {
				parts = append(parts, Part{Vec: &args[k], Rows: rows[k], Dense: true})
			}
		}
		if len(parts) == 0 {
			return columnar.Nulls(t, n), nil
		}
		return Merge(c, t, parts, n), nil
	}
}
