package kernel

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Bits gives the loop of & | ^ (two arguments) or ~ (one) over integers of a type.
func Bits(op string, t types.Type) Func {
	switch t.Kind {
	case types.ByteKind:
		return bitsOf[int8](op)
	case types.ShortKind:
		return bitsOf[int16](op)
	case types.IntKind:
		return bitsOf[int32](op)
	}
	return bitsOf[int64](op)
}

func bitsOf[T signed](op string) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
		v := columnar.Vector{N: n, Data: c.Scratch.last()}
		if op == "~" {
			for i, a := range viewAs[T](args[0].Data)[:n] {
				out[i] = ^a
			}
			return v, nil
		}
		x, y := two2[T](c, args, n)
		for i := range out {
			switch op {
			case "&":
				out[i] = x[i] & y[i]
			case "|":
				out[i] = x[i] | y[i]
			default:
				out[i] = x[i] ^ y[i]
			}
		}
		return v, nil
	}
}

// Shift gives the loop of << >> or >>> over INT or BIGINT; the count is taken modulo the width, as Java does.
func Shift(op string, t types.Type) Func {
	if t.Kind == types.LongKind {
		return shiftOf[int64, uint64](op, 63)
	}
	return shiftOf[int32, uint32](op, 31)
}

func shiftOf[T int32 | int64, U uint32 | uint64](op string, mask int32) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x, y := one[T](c, &args[0], n), one[int32](c, &args[1], n)
		out := Out[T](c, n)
		for i := range out {
			k := uint(y[i] & mask)
			switch op {
			case "<<":
				out[i] = x[i] << k
			case ">>":
				out[i] = x[i] >> k
			default:
				out[i] = T(U(x[i]) >> k)
			}
		}
		return Flat(out), nil
	}
}

// BitCount counts the set bits of integers (as 64 bits wide; INT and smaller as 32) and booleans.
func BitCount(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	out := Out[int32](c, n)
	v := &args[0]
	switch columnar.LayoutOf(v.Type) {
	case columnar.Bool8:
		for i := range out {
			out[i] = int32(v.Data[i])
		}
	case columnar.Int64x:
		for i, x := range columnar.Of[uint64](v.Data)[:n] {
			out[i] = int32(bits.OnesCount64(x))
		}
	case columnar.Int32x: // as a number of 64 bits
		for i, x := range columnar.Of[int32](v.Data)[:n] {
			out[i] = int32(bits.OnesCount64(uint64(int64(x))))
		}
	default:
		for i := range out {
			x := int64(imageAt(v, columnar.LayoutOf(v.Type), i))
			out[i] = int32(bits.OnesCount64(uint64(x)))
		}
	}
	return Flat(out), nil
}

// GetBit gives the bit of an integer at a position, which must lie in the integer's width.
func GetBit(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	l := columnar.LayoutOf(args[0].Type)
	width := int32(l.Width() * 8)
	a, pos := args[0], one[int32](c, &args[1], n)
	if a.Form == columnar.Const {
		a = c.Scratch.Flatten(&a)
	}
	out := Out[int8](c, n)
	for i := range out {
		out[i] = 0
		if !rowCounts(c.Valid, i) {
			continue
		}
		p := pos[i]
		if p < 0 || p >= width {
			return columnar.Vector{}, sparkerr.New("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "functionName", "`getbit`", "parameter", "`pos`",
				"upper", strconv.Itoa(int(width)), "invalidValue", strconv.Itoa(int(p)))
		}
		out[i] = int8(imageAt(&a, l, i) >> uint(p) & 1)
	}
	return Flat(out), nil
}

// Sign gives the loop of negative, positive or abs over numbers and intervals.
func Sign(name string, t types.Type, m Mode) Func {
	if name == "positive" {
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return args[0], nil }
	}
	neg := name != "abs"
	switch columnar.LayoutOf(t) {
	case columnar.Int8x:
		return signInt[int8](neg, t, m)
	case columnar.Int16x:
		return signInt[int16](neg, t, m)
	case columnar.Int32x:
		return signInt[int32](neg, t, m)
	case columnar.Int64x:
		return signInt[int64](neg, t, m)
	case columnar.Float32x:
		return signFloat[float32](neg)
	case columnar.Float64x:
		return signFloat[float64](neg)
	case columnar.Int128x:
		return Each1(t, func(_ *Ctx, a types.Int128) (types.Int128, bool, error) {
			if neg || a.Sign() < 0 {
				a = a.Neg()
			}
			return a, true, nil
		})
	}
	return Each1(t, func(_ *Ctx, a types.CalendarInterval) (types.CalendarInterval, bool, error) {
		if a.Months == math.MinInt32 || a.Days == math.MinInt32 || a.Micros == math.MinInt64 {
			return bad[types.CalendarInterval](m, func() error { return IntervalOverflow("") })
		}
		return types.CalendarInterval{Months: -a.Months, Days: -a.Days, Micros: -a.Micros}, true, nil
	})
}

func signInt[T signed](neg bool, t types.Type, m Mode) Func {
	lo, _ := limits[T]()
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x := viewAs[T](args[0].Data)[:n]
		out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
		v := columnar.Vector{N: n, Data: c.Scratch.last()}
		low := false
		for i, a := range x {
			if neg || a < 0 {
				a = -a
			}
			out[i] = a
			low = low || int64(a) == lo
		}
		if !low || m == Legacy || t.Kind == types.DecimalKind {
			return v, nil
		}
		for i, a := range x {
			if int64(a) == lo && rowCounts(c.Valid, i) {
				return v, signOverflow(t)
			}
		}
		return v, nil
	}
}

func signOverflow(t types.Type) error {
	switch t.Kind {
	case types.YearMonthKind, types.DayTimeKind:
		return IntervalOverflow("")
	}
	return Overflow("overflow", "")
}

func signFloat[T floating](neg bool) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		x := viewAs[T](args[0].Data)[:n]
		out := viewAs[T](c.Scratch.Bytes(layoutOfSize(any(T(0))), n))
		for i, a := range x {
			if neg {
				out[i] = -a
			} else {
				out[i] = T(math.Abs(float64(a)))
			}
		}
		return columnar.Vector{N: n, Data: c.Scratch.last()}, nil
	}
}
