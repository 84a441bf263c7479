package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Op is a comparison.
type Op uint8

// The comparisons. Floats follow Spark: NaN equals NaN and is greater than every other number; -0.0 equals 0.0.
const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
)

// Swap is the comparison with its sides exchanged.
func (o Op) Swap() Op { return [...]Op{Eq, Ne, Gt, Ge, Lt, Le}[o] }

// Ordered are the number types that < orders.
type Ordered interface {
	~int8 | ~uint8 | ~int16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

func b2b(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Compare gives the loop that compares two columns of one type (a row with NullIn).
func Compare(op Op, t types.Type) Func {
	switch columnar.LayoutOf(t) {
	case columnar.Bool8:
		return compareFixed[uint8](op)
	case columnar.Int8x:
		return compareFixed[int8](op)
	case columnar.Int16x:
		return compareFixed[int16](op)
	case columnar.Int32x:
		return compareFixed[int32](op)
	case columnar.Int64x:
		return compareFixed[int64](op)
	case columnar.Float32x:
		return compareFloat[float32](op)
	case columnar.Float64x:
		return compareFloat[float64](op)
	case columnar.Int128x:
		return compareWide(op)
	case columnar.View16:
		return compareViews(op)
	}
	return compareAny(op)
}

// sides puts a constant, if there is one, to the right.
func sides(op Op, args []columnar.Vector) (Op, *columnar.Vector, *columnar.Vector) {
	if args[0].Form == columnar.Const {
		return op.Swap(), &args[1], &args[0]
	}
	return op, &args[0], &args[1]
}

func compareFixed[T Ordered2](op Op) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		op, a, b := sides(op, args)
		out := c.Scratch.Bytes(columnar.Bool8, n)
		x, y := columnar.Of[T](a.Data)[:n], columnar.Of[T](b.Data)
		if b.Form == columnar.Const {
			compareConst(op, out, x, y[0])
		} else {
			compareCols(op, out, x, y[:n])
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

// Ordered2 are the ordered types that lie in vectors.
type Ordered2 interface {
	Ordered
	columnar.Fixed
}

// compareConst: > and >= are written as negations so that NaN compares as the greatest number.
func compareConst[T Ordered](op Op, out []byte, x []T, y T) {
	out = out[:len(x)]
	switch op {
	case Eq:
		for i, v := range x {
			out[i] = b2b(v == y)
		}
	case Ne:
		for i, v := range x {
			out[i] = b2b(v != y)
		}
	case Lt:
		for i, v := range x {
			out[i] = b2b(v < y)
		}
	case Le:
		for i, v := range x {
			out[i] = b2b(v <= y)
		}
	case Gt:
		for i, v := range x {
			out[i] = b2b(!(v <= y))
		}
	case Ge:
		for i, v := range x {
			out[i] = b2b(!(v < y))
		}
	}
}

func compareCols[T Ordered](op Op, out []byte, x, y []T) {
	out, y = out[:len(x)], y[:len(x)]
	switch op {
	case Eq:
		for i, v := range x {
			out[i] = b2b(v == y[i])
		}
	case Ne:
		for i, v := range x {
			out[i] = b2b(v != y[i])
		}
	case Lt:
		for i, v := range x {
			out[i] = b2b(v < y[i])
		}
	case Le:
		for i, v := range x {
			out[i] = b2b(v <= y[i])
		}
	case Gt:
		for i, v := range x {
			out[i] = b2b(v > y[i])
		}
	case Ge:
		for i, v := range x {
			out[i] = b2b(v >= y[i])
		}
	}
}

// compareFloat handles NaN on the right, which compareConst and compareCols do not.
func compareFloat[T interface {
	float32 | float64
	columnar.Fixed
}](op Op) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		op, a, b := sides(op, args)
		out := c.Scratch.Bytes(columnar.Bool8, n)
		x, y := columnar.Of[T](a.Data)[:n], columnar.Of[T](b.Data)
		if b.Form == columnar.Const && y[0] == y[0] {
			compareConst(op, out, x, y[0])
			return columnar.Vector{N: n, Data: out}, nil
		}
		mask := -1
		if b.Form == columnar.Const {
			mask = 0
		}
		flip := byte(0)
		if op == Ne || op == Ge || op == Le {
			flip = 1
		}
		for i, v := range x {
			w := y[i&mask]
			var r byte
			switch op {
			case Eq, Ne:
				r = b2b(v == w) | b2b(v != v)&b2b(w != w)
			case Lt, Ge:
				r = b2b(v < w) | b2b(w != w)&b2b(v == v)
			default:
				r = b2b(v > w) | b2b(v != v)&b2b(w == w)
			}
			out[i] = r ^ flip
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

func holds(op Op, cmp int) byte {
	switch op {
	case Eq:
		return b2b(cmp == 0)
	case Ne:
		return b2b(cmp != 0)
	case Lt:
		return b2b(cmp < 0)
	case Le:
		return b2b(cmp <= 0)
	case Gt:
		return b2b(cmp > 0)
	}
	return b2b(cmp >= 0)
}

func compareWide(op Op) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		op, a, b := sides(op, args)
		out := c.Scratch.Bytes(columnar.Bool8, n)
		x, y := columnar.Of[types.Int128](a.Data)[:n], columnar.Of[types.Int128](b.Data)
		mask := -1
		if b.Form == columnar.Const {
			mask = 0
		}
		for i := range x {
			out[i] = holds(op, x[i].Cmp(y[i&mask]))
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

func compareViews(op Op) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		op, a, b := sides(op, args)
		out := c.Scratch.Bytes(columnar.Bool8, n)
		x, y := columnar.Of[columnar.View](a.Data)[:n], columnar.Of[columnar.View](b.Data)
		mask := -1
		if b.Form == columnar.Const {
			mask = 0
		}
		if op == Eq || op == Ne {
			flip := b2b(op == Ne)
			for i := range x {
				w := &y[i&mask]
				out[i] = flip
				if x[i].Len == w.Len && x[i].Prefix == w.Prefix && rowCounts(c.Valid, i) && columnar.ViewEqual(&x[i], a.Bufs, w, b.Bufs) {
					out[i] = flip ^ 1
				}
			}
			return columnar.Vector{N: n, Data: out}, nil
		}
		for i := range x {
			out[i] = 0
			if rowCounts(c.Valid, i) {
				out[i] = holds(op, columnar.ViewCompare(&x[i], a.Bufs, &y[i&mask], b.Bufs))
			}
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

func rowCounts(valid columnar.Bitmap, i int) bool { return valid == nil || valid.Get(i) }

func compareAny(op Op) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := c.Scratch.Bytes(columnar.Bool8, n)
		for i := range out {
			out[i] = 0
			if rowCounts(c.Valid, i) {
				out[i] = holds(op, CompareAt(&args[0], i, &args[1], i))
			}
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

// NullSafeEq compares two columns of one type; null equals null and nothing else. Its row does not say NullIn.
func NullSafeEq(t types.Type) Func {
	eq := Compare(Eq, t)
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		for i := range args {
			if args[i].Form == columnar.Const && args[i].Null(0) || args[i].Type.Kind == types.NullKind {
				return nullSafeNull(c, &args[1-i], n), nil
			}
		}
		c.Valid = nil
		var both columnar.Bitmap
		a, b := args[0].Valid, args[1].Valid
		if args[0].Form == columnar.Const {
			a = nil
		}
		if args[1].Form == columnar.Const {
			b = nil
		}
		if a != nil || b != nil {
			both = columnar.And(c.Scratch.RawBits(n), a, b, n)
			c.Valid = both
		}
		v, err := eq(c, args, n)
		if both == nil || err != nil {
			return v, err
		}
		for i := range v.Data[:n] {
			va, vb := rowCounts(a, i), rowCounts(b, i)
			if !va || !vb {
				v.Data[i] = b2b(va == vb)
			}
		}
		return v, nil
	}
}

func nullSafeNull(c *Ctx, other *columnar.Vector, n int) columnar.Vector {
	v := NullTest(c, other, n, false)
	if v.Form == columnar.Const {
		v = c.Scratch.Flatten(&columnar.Vector{Type: types.Boolean, Form: columnar.Const, N: n, Data: v.Data})
	}
	return v
}
