package kernel

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// IsNaN is 1 for NaN and 0 for all else, null included.
func IsNaN(t types.Type) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := c.Scratch.Bytes(columnar.Bool8, n)
		v := FlatArg(c, &args[0])
		for i := range out {
			var f float64
			switch t.Kind {
			case types.FloatKind:
				f = float64(columnar.Of[float32](v.Data)[i])
			case types.DoubleKind:
				f = columnar.Of[float64](v.Data)[i]
			}
			out[i] = b2b(math.IsNaN(f) && rowCounts(v.Valid, i))
		}
		return columnar.Vector{N: n, Data: out}, nil
	}
}

// In compares the first argument with each of the others, which have its type: true when one is equal, else null when a null was
// met, else false. Many constants become a hash set at the first call.
func In(t types.Type) Func {
	var set *constSet
	eq := Compare(Eq, t)
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		if args[0].Null(0) && args[0].Form == columnar.Const || t.Kind == types.NullKind {
			return columnar.Nulls(types.Boolean, n), nil
		}
		if set == nil {
			set = newConstSet(t, args[1:])
		}
		if set.usable {
			return set.test(c, &args[0], n)
		}
		return inEach(c, eq, args, n)
	}
}

func inEach(c *Ctx, eq Func, args []columnar.Vector, n int) (columnar.Vector, error) {
	out := c.Scratch.Bytes(columnar.Bool8, n)
	clear(out)
	unknown := c.Scratch.Bits(n)
	x := FlatArg(c, &args[0])
	for k := 1; k < len(args); k++ {
		y := &args[k]
		if y.Form == columnar.Const && y.Null(0) || y.Type.Kind == types.NullKind {
			for i := range unknown {
				unknown[i] = ^uint64(0)
			}
			continue
		}
		yv := y.Valid
		if y.Form == columnar.Const {
			yv = nil
		}
		c.Valid = columnar.And(c.Scratch.RawBits(n), x.Valid, yv, n)
		pair := [2]columnar.Vector{*x, *y}
		v, err := eq(c, pair[:], n)
		if err != nil {
			return v, err
		}
		for i, b := range v.Data[:n] {
			if rowCounts(c.Valid, i) {
				out[i] |= b
			}
		}
		if yv != nil {
			for i := range unknown {
				unknown[i] |= ^yv[i]
			}
		}
	}
	return inResult(c, out, unknown, x.Valid, n), nil
}

// inResult: null where the value is null, or where nothing was equal and something unknown.
func inResult(c *Ctx, out []byte, unknown, valid columnar.Bitmap, n int) columnar.Vector {
	v := columnar.Vector{N: n, Data: out, Valid: c.Scratch.FullBits(n)}
	nulls := false
	for i := range out {
		if !rowCounts(valid, i) || out[i] == 0 && unknown != nil && unknown.Get(i) {
			v.Valid.Clear(i)
			nulls = true
		}
	}
	if !nulls {
		v.Valid = nil
	}
	return v
}

// constSet is a set of constants: open addressing over 64-bit images for numbers and short texts, a Go map for long texts.
type constSet struct {
	usable bool
	hasNil bool
	layout columnar.Layout
	slots  []uint64 // values
	used   []bool
	mask   uint64
	texts  map[string]struct{}
}

// newConstSet builds the set when all list entries are constants of a type that has an image.
func newConstSet(t types.Type, list []columnar.Vector) *constSet {
	s := &constSet{layout: columnar.LayoutOf(t)}
	if len(list) < 4 {
		return s
	}
	switch s.layout {
	case columnar.Int8x, columnar.Int16x, columnar.Int32x, columnar.Int64x, columnar.View16:
	default:
		return s
	}
	size := uint64(8)
	for size < uint64(len(list))*2 {
		size *= 2
	}
	s.slots, s.used, s.mask = make([]uint64, size), make([]bool, size), size-1
	if s.layout == columnar.View16 {
		s.texts = make(map[string]struct{}, len(list))
	}
	for i := range list {
		if list[i].Form != columnar.Const {
			return s
		}
		if list[i].Null(0) {
			s.hasNil = true
			continue
		}
		if s.texts != nil {
			s.texts[string(list[i].Text(0))] = struct{}{}
			continue
		}
		s.add(imageAt(&list[i], s.layout, 0))
	}
	s.usable = true
	return s
}

func imageAt(v *columnar.Vector, l columnar.Layout, i int) uint64 {
	switch l {
	case columnar.Int8x:
		return uint64(int64(int8(v.Data[i])))
	case columnar.Int16x:
		return uint64(int64(columnar.Of[int16](v.Data)[i]))
	case columnar.Int32x:
		return uint64(int64(columnar.Of[int32](v.Data)[i]))
	}
	return columnar.Of[uint64](v.Data)[i]
}

func (s *constSet) add(x uint64) {
	h := x * 0x9E3779B97F4A7C15 >> 32 & s.mask
	for s.used[h] && s.slots[h] != x {
		h = (h + 1) & s.mask
	}
	s.used[h], s.slots[h] = true, x
}

func (s *constSet) has(x uint64) bool {
	h := x * 0x9E3779B97F4A7C15 >> 32 & s.mask
	for s.used[h] {
		if s.slots[h] == x {
			return true
		}
		h = (h + 1) & s.mask
	}
	return false
}

func (s *constSet) test(c *Ctx, v *columnar.Vector, n int) (columnar.Vector, error) {
	out := c.Scratch.Bytes(columnar.Bool8, n)
	v = FlatArg(c, v)
	switch s.layout {
	case columnar.View16:
		for i := range out {
			out[i] = 0
			if rowCounts(v.Valid, i) {
				_, ok := s.texts[string(v.Text(i))]
				out[i] = b2b(ok)
			}
		}
	case columnar.Int32x:
		for i, x := range columnar.Of[int32](v.Data)[:n] {
			out[i] = b2b(s.has(uint64(int64(x))))
		}
	case columnar.Int64x:
		for i, x := range columnar.Of[uint64](v.Data)[:n] {
			out[i] = b2b(s.has(x))
		}
	default:
		for i := range out {
			out[i] = b2b(s.has(imageAt(v, s.layout, i)))
		}
	}
	var unknown columnar.Bitmap
	if s.hasNil {
		unknown = c.Scratch.FullBits(n)
	}
	if unknown == nil {
		return columnar.Vector{N: n, Data: out, Valid: v.Valid}, nil
	}
	return inResult(c, out, unknown, v.Valid, n), nil
}
