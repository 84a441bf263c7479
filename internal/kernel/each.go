package kernel

import (
	"unsafe"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Value is a Go type that a lifted function takes or returns: bool, int8 … int64, float32, float64, types.Int128 (unscaled; also
// for decimals kept in 64 bits), types.CalendarInterval, string or []byte (of the argument valid only during the call, of
// the result copied), or any for nested types and whatever else (values as types/value.go says, nil for null).
type Value any

type sourceKind uint8

const (
	fixedSource sourceKind = iota
	longSource             // int64 in memory, Int128 for the function
	textSource
	bytesSource
	anySource
)

// source reads rows of a Flat or Const vector as T.
type source[T Value] struct {
	kind  sourceKind
	mask  int // 0 for Const, else all ones
	vals  []T
	longs []int64
	views []columnar.View
	vec   *columnar.Vector
}

func newSource[T Value](v *columnar.Vector) (s source[T]) {
	s.mask, s.vec = -1, v
	if v.Form == columnar.Const {
		s.mask = 0
	}
	var z T
	switch any(z).(type) {
	case string:
		s.kind, s.views = textSource, columnar.Of[columnar.View](v.Data)
	case []byte:
		s.kind, s.views = bytesSource, columnar.Of[columnar.View](v.Data)
	case types.Int128:
		if len(v.Data) > 0 && columnar.LayoutOf(v.Type) == columnar.Int64x {
			s.kind, s.longs = longSource, columnar.Of[int64](v.Data)
			return s
		}
		s.vals = viewAs[T](v.Data)
	case bool, int8, int16, int32, int64, float32, float64, types.CalendarInterval:
		s.vals = viewAs[T](v.Data)
	default:
		s.kind = anySource
	}
	return s
}

// viewAs views bytes as values of a fixed-width type.
func viewAs[T any](data []byte) []T {
	var z T
	n := len(data) / int(unsafe.Sizeof(z))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), n)
}

func (s *source[T]) at(i int) (out T) {
	i &= s.mask
	switch s.kind {
	case fixedSource:
		return s.vals[i]
	case longSource:
		w := types.I128(s.longs[i])
		return *(*T)(unsafe.Pointer(&w))
	case textSource:
		b := columnar.ViewBytes(&s.views[i], s.vec.Bufs)
		str := unsafe.String(unsafe.SliceData(b), len(b))
		return *(*T)(unsafe.Pointer(&str))
	case bytesSource:
		b := columnar.ViewBytes(&s.views[i], s.vec.Bufs)
		return *(*T)(unsafe.Pointer(&b))
	}
	v := s.vec.ValueAt(i)
	if v == nil {
		return out
	}
	return v.(T)
}

// sink collects rows of R into the node's buffers.
type sink[R Value] struct {
	kind  sourceKind
	c     *Ctx
	n     int
	vals  []R
	views []columnar.View
	text  []byte
	any   *columnar.Builder
	valid columnar.Bitmap
}

func newSink[R Value](c *Ctx, n int, t types.Type) (s sink[R]) {
	s.c, s.n = c, n
	var z R
	switch any(z).(type) {
	case string:
		s.kind, s.views, s.text = textSource, Out[columnar.View](c, n), c.Scratch.Text()
	case []byte:
		s.kind, s.views, s.text = bytesSource, Out[columnar.View](c, n), c.Scratch.Text()
	case bool, int8, int16, int32, int64, float32, float64, types.CalendarInterval, types.Int128:
		s.vals = viewAs[R](c.Scratch.Bytes(layoutOfSize(any(z)), n))
	default:
		s.kind, s.any = anySource, columnar.NewBuilder(t, n)
	}
	return s
}

func (s *sink[R]) put(i int, v R) {
	switch s.kind {
	case fixedSource:
		s.vals[i] = v
	case textSource:
		str := *(*string)(unsafe.Pointer(&v))
		s.putText(i, unsafe.Slice(unsafe.StringData(str), len(str)))
	case bytesSource:
		s.putText(i, *(*[]byte)(unsafe.Pointer(&v)))
	default:
		s.any.Append(any(v))
	}
}

func (s *sink[R]) putText(i int, b []byte) {
	off := uint32(len(s.text))
	if len(b) > columnar.InlineMax {
		s.text = append(s.text, b...)
	}
	s.views[i] = columnar.MakeView(b, 0, off)
}

// skip writes a null (or don't-care) row.
func (s *sink[R]) skip(i int) {
	var z R
	switch s.kind {
	case fixedSource:
		s.vals[i] = z
	case anySource:
		s.any.Append(nil)
	default:
		s.views[i] = columnar.View{}
	}
}

func (s *sink[R]) null(i int) {
	if s.valid == nil {
		s.valid = s.c.Scratch.FullBits(s.n)
	}
	s.valid.Clear(i)
	s.skip(i)
}

func (s *sink[R]) finish(t types.Type) columnar.Vector {
	var out columnar.Vector
	switch s.kind {
	case fixedSource:
		var z R
		out = columnar.Vector{N: s.n}
		out.Data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s.vals))), s.n*int(unsafe.Sizeof(z)))
		if _, wide := any(z).(types.Int128); wide && columnar.LayoutOf(t) == columnar.Int64x {
			out.Data = narrow(s.c, out.Data, s.n)
		}
	case anySource:
		out = s.any.Finish()
		if s.c.Valid != nil && s.valid == nil {
			out.Valid = nil // the null rows are those of the arguments
		}
	default:
		out = columnar.Vector{N: s.n, Data: columnar.Bytes(s.views), Bufs: s.c.Scratch.KeepText(s.text)}
	}
	if s.valid != nil {
		out.Valid = s.valid
	}
	return out
}

// narrow keeps the low words: decimals of up to 18 digits lie in 64 bits.
func narrow(c *Ctx, wide []byte, n int) []byte {
	src, dst := columnar.Of[types.Int128](wide), Out[int64](c, n)
	for i := range dst {
		dst[i] = src[i].Int64()
	}
	return columnar.Bytes(dst)
}

// Each0 lifts a function without arguments.
func Each0[R Value](t types.Type, f func(*Ctx) (R, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := newSink[R](c, n, t)
		for i := range n {
			v, ok, err := f(c)
			if err != nil {
				return columnar.Vector{}, err
			}
			if ok {
				out.put(i, v)
			} else {
				out.null(i)
			}
		}
		return out.finish(t), nil
	}
}

// Each1 lifts f over rows whose argument is not null (the row must say NullIn). t is the result's type. f answers false for
// null. This is the cold path: a call per row.
func Each1[A, R Value](t types.Type, f func(*Ctx, A) (R, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, out := newSource[A](&args[0]), newSink[R](c, n, t)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			v, ok, err := f(c, a.at(i))
			if err != nil {
				return columnar.Vector{}, err
			}
			if ok {
				out.put(i, v)
			} else {
				out.null(i)
			}
		}
		return out.finish(t), nil
	}
}

// Each2 is Each1 for two arguments.
func Each2[A, B, R Value](t types.Type, f func(*Ctx, A, B) (R, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, out := newSource[A](&args[0]), newSource[B](&args[1]), newSink[R](c, n, t)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			v, ok, err := f(c, a.at(i), b.at(i))
			if err != nil {
				return columnar.Vector{}, err
			}
			if ok {
				out.put(i, v)
			} else {
				out.null(i)
			}
		}
		return out.finish(t), nil
	}
}

// Each3 is Each1 for three arguments.
func Each3[A, B, C, R Value](t types.Type, f func(*Ctx, A, B, C) (R, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, d, out := newSource[A](&args[0]), newSource[B](&args[1]), newSource[C](&args[2]), newSink[R](c, n, t)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			v, ok, err := f(c, a.at(i), b.at(i), d.at(i))
			if err != nil {
				return columnar.Vector{}, err
			}
			if ok {
				out.put(i, v)
			} else {
				out.null(i)
			}
		}
		return out.finish(t), nil
	}
}

// EachRow lifts f over rows of any arguments as Go values, nil for null; it works for rows with and without NullIn. The slice
// that f gets is reused.
func EachRow(t types.Type, f func(c *Ctx, row []any) (any, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := columnar.NewBuilder(t, n)
		row := make([]any, len(args))
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.Append(nil)
				continue
			}
			for k := range args {
				row[k] = args[k].ValueAt(i)
			}
			v, err := f(c, row)
			if err != nil {
				return columnar.Vector{}, c.tooLarge(err, i)
			}
			out.Append(v)
		}
		return out.Finish(), nil
	}
}
