package kernel

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Mode says how a conversion or an operation fails.
type Mode uint8

// Ansi raises errors, Legacy wraps around or answers null as old Spark did, Try answers null.
const (
	Ansi Mode = iota
	Legacy
	Try
)

// CastKeepsValues says whether a cast leaves the stored values as they are: only the type's name changes.
func CastKeepsValues(from, to types.Type) bool {
	switch {
	case from.SameType(to):
		return true
	case from.Kind == types.StringKind && to.Kind == types.StringKind:
		return to.Char == 0
	case from.Kind == types.DecimalKind && to.Kind == types.DecimalKind:
		return from.Scale == to.Scale && to.Precision >= from.Precision && columnar.LayoutOf(from) == columnar.LayoutOf(to)
	case from.Kind == types.StringKind && to.Kind == types.BinaryKind, from.Kind == types.BinaryKind && to.Kind == types.StringKind:
		return true
	case from.Kind == to.Kind && from.IsInterval():
		return to.To >= from.To
	case from.Kind == types.TimeKind && to.Kind == types.TimeKind:
		return to.Precision >= from.Precision
	}
	return false
}

// CastNeverFails says whether a cast raises no error for any value.
func CastNeverFails(from, to types.Type, m Mode) bool {
	if m == Try || from.Kind == types.NullKind || CastKeepsValues(from, to) {
		return true
	}
	if to.Kind == types.StringKind {
		return to.Char == 0
	}
	if m == Legacy {
		return !to.IsNested() && !from.IsNested()
	}
	switch {
	case from.IsNumeric() && from.Kind != types.DecimalKind && to.Kind > from.Kind && to.Kind <= types.DoubleKind:
		return true
	case from.IsNumeric() && (to.IsFractional() || to.Kind == types.BooleanKind):
		return true
	case from.IsIntegral() && to.Kind == types.DecimalKind:
		return to.Precision-to.Scale >= types.DecimalFor(from).Precision
	case from.Kind == types.DecimalKind && to.Kind == types.DecimalKind:
		return to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
	case from.Kind == types.BooleanKind && to.IsNumeric():
		return to.Kind != types.DecimalKind || to.Precision > to.Scale
	case from.IsDatetime() && to.IsDatetime():
		return true
	}
	return false
}

// Cast gives the conversion between two types as a Func of one argument whose null rows are null in the result.
func Cast(from, to types.Type, m Mode) (Func, error) {
	f := castFunc(from, to, m)
	if f == nil {
		return nil, sparkerr.Unsupported("cast from " + from.SQL() + " to " + to.SQL())
	}
	return f, nil
}

func castFunc(from, to types.Type, m Mode) Func {
	switch {
	case from.Kind == types.NullKind:
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			return columnar.Nulls(to, n), nil
		}
	case CastKeepsValues(from, to):
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return args[0], nil }
	case from.IsNested() && to.Kind != types.StringKind && to.Kind == from.Kind:
		return castNested(from, to, m)
	case from.Kind == types.VariantKind || to.Kind == types.VariantKind:
		if VariantCast == nil {
			return nil
		}
		return VariantCast(from, to, m)
	}
	switch to.Kind {
	case types.StringKind:
		return castToString(from, to, m)
	case types.BinaryKind:
		return castToBinary(from)
	case types.BooleanKind:
		return castToBoolean(from, m)
	case types.ByteKind:
		return castToInt[int8](from, to, m)
	case types.ShortKind:
		return castToInt[int16](from, to, m)
	case types.IntKind:
		return castToInt[int32](from, to, m)
	case types.LongKind:
		return castToInt[int64](from, to, m)
	case types.FloatKind:
		return castToFloat[float32](from, to, m, 32)
	case types.DoubleKind:
		return castToFloat[float64](from, to, m, 64)
	case types.DecimalKind:
		return castToDecimal(from, to, m)
	case types.DateKind, types.TimestampKind, types.TimestampNTZKind, types.TimeKind:
		return castToDatetime(from, to, m)
	case types.YearMonthKind, types.DayTimeKind, types.CalendarKind:
		return castToInterval(from, to, m)
	}
	return nil
}

// VariantCast gives the casts from and to VARIANT; it is set by the room that knows the format.
var VariantCast func(from, to types.Type, m Mode) Func

// bad is the answer of a failed conversion: null, or the error in ANSI mode.
func bad[R any](m Mode, err func() error) (R, bool, error) {
	var z R
	if m == Ansi {
		return z, false, err()
	}
	return z, false, nil
}

// ---- to text ----

// textFunc lifts f, which appends the text of a value to dst.
func textFunc[A Value](f func(c *Ctx, dst []byte, a A) []byte) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a := newSource[A](&args[0])
		out, heap := Out[columnar.View](c, n), c.Scratch.Text()
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out[i] = columnar.View{}
				continue
			}
			at := len(heap)
			heap = f(c, heap, a.at(i))
			out[i] = columnar.MakeView(heap[at:], 0, uint32(at))
			if len(heap)-at <= columnar.InlineMax {
				heap = heap[:at]
			}
		}
		v := Flat(out)
		v.Bufs = c.Scratch.KeepText(heap)
		return v, nil
	}
}

// AppendText lifts f as Each1 does, for results that are built by appending to dst; f answers false for null.
func AppendText[A Value](f func(c *Ctx, dst []byte, a A) ([]byte, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a := newSource[A](&args[0])
		out, heap := Out[columnar.View](c, n), c.Scratch.Text()
		var valid columnar.Bitmap
		for i := range n {
			out[i] = columnar.View{}
			if c.Valid != nil && !c.Valid.Get(i) {
				continue
			}
			at := len(heap)
			next, ok, err := f(c, heap, a.at(i))
			if err != nil {
				return columnar.Vector{}, err
			}
			if !ok {
				if valid == nil {
					valid = c.Scratch.FullBits(n)
				}
				valid.Clear(i)
				continue
			}
			heap = next
			out[i] = columnar.MakeView(heap[at:], 0, uint32(at))
			if len(heap)-at <= columnar.InlineMax {
				heap = heap[:at]
			}
		}
		v := Flat(out)
		v.Bufs, v.Valid = c.Scratch.KeepText(heap), valid
		return v, nil
	}
}

func castToString(from, to types.Type, m Mode) Func {
	if from.Kind == types.StringKind { // to CHAR or VARCHAR: as STRING
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) { return args[0], nil }
	}
	return castText(from)
}

func castText(t types.Type) Func {
	switch t.Kind {
	case types.BooleanKind:
		return textFunc(func(_ *Ctx, dst []byte, a bool) []byte { return types.AppendValue(dst, a, t, nil) })
	case types.ByteKind:
		return textFunc(func(_ *Ctx, dst []byte, a int8) []byte { return appendInt(dst, int64(a)) })
	case types.ShortKind:
		return textFunc(func(_ *Ctx, dst []byte, a int16) []byte { return appendInt(dst, int64(a)) })
	case types.IntKind:
		return textFunc(func(_ *Ctx, dst []byte, a int32) []byte { return appendInt(dst, int64(a)) })
	case types.LongKind:
		return textFunc(func(_ *Ctx, dst []byte, a int64) []byte { return appendInt(dst, a) })
	case types.FloatKind:
		return textFunc(func(_ *Ctx, dst []byte, a float32) []byte { return append(dst, types.FormatFloat(float64(a), 32)...) })
	case types.DoubleKind:
		return textFunc(func(_ *Ctx, dst []byte, a float64) []byte { return append(dst, types.FormatFloat(a, 64)...) })
	case types.DecimalKind:
		return textFunc(func(_ *Ctx, dst []byte, a types.Int128) []byte { return types.AppendDecimal(dst, a, int(t.Scale)) })
	case types.DateKind:
		return textFunc(func(_ *Ctx, dst []byte, a int32) []byte { return types.AppendDate(dst, a) })
	case types.TimestampKind:
		return textFunc(func(c *Ctx, dst []byte, a int64) []byte { return types.AppendTimestamp(dst, types.ToLocal(a, c.Zone)) })
	case types.TimestampNTZKind:
		return textFunc(func(_ *Ctx, dst []byte, a int64) []byte { return types.AppendTimestamp(dst, a) })
	case types.TimeKind:
		return textFunc(func(_ *Ctx, dst []byte, a int64) []byte { return types.AppendTime(dst, a) })
	case types.YearMonthKind:
		return textFunc(func(_ *Ctx, dst []byte, a int32) []byte { return types.AppendYearMonth(dst, a, t) })
	case types.DayTimeKind:
		return textFunc(func(_ *Ctx, dst []byte, a int64) []byte { return types.AppendDayTime(dst, a, t) })
	case types.CalendarKind:
		return textFunc(func(_ *Ctx, dst []byte, a types.CalendarInterval) []byte { return types.AppendCalendar(dst, a) })
	}
	return textFunc(func(c *Ctx, dst []byte, a any) []byte { return types.AppendValue(dst, a, t, c.Zone) })
}

func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

func castToBinary(from types.Type) Func {
	size := map[types.Kind]int{types.ByteKind: 1, types.ShortKind: 2, types.IntKind: 4, types.LongKind: 8}[from.Kind]
	if size == 0 {
		return nil
	}
	return textFunc(func(_ *Ctx, dst []byte, a any) []byte {
		v := integerOf(a)
		for i := size - 1; i >= 0; i-- {
			dst = append(dst, byte(v>>(8*i)))
		}
		return dst
	})
}

func integerOf(a any) int64 {
	switch x := a.(type) {
	case int8:
		return int64(x)
	case int16:
		return int64(x)
	case int32:
		return int64(x)
	case int64:
		return x
	}
	return 0
}

func castToBoolean(from types.Type, m Mode) Func {
	one := func(c *Ctx, n int) columnar.Vector { return columnar.NewConst(from, zeroOf(from), n) }
	switch {
	case from.Kind == types.StringKind:
		return Each1(types.Boolean, func(_ *Ctx, a string) (bool, bool, error) {
			if v, ok := types.ParseBool(a); ok {
				return v, true, nil
			}
			return bad[bool](m, func() error { return castInvalid(strings.Clone(a), from, types.Boolean) })
		})
	case from.IsNumeric() || from.Kind == types.TimestampKind:
		ne := Compare(Ne, from)
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			return ne(c, []columnar.Vector{args[0], one(c, n)}, n)
		}
	case from.Kind == types.DateKind || from.Kind == types.TimestampNTZKind:
		return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
			return columnar.Nulls(types.Boolean, n), nil
		}
	}
	return nil
}

func zeroOf(t types.Type) any {
	switch t.Kind {
	case types.ByteKind:
		return int8(0)
	case types.ShortKind:
		return int16(0)
	case types.IntKind:
		return int32(0)
	case types.FloatKind:
		return float32(0)
	case types.DoubleKind:
		return float64(0)
	case types.DecimalKind:
		return types.Int128{}
	}
	return int64(0)
}

// ---- nested ----

// castNested converts the parts.
func castNested(from, to types.Type, m Mode) Func {
	parts := func(t types.Type) []types.Type {
		switch t.Kind {
		case types.ArrayKind:
			return []types.Type{t.Elem()}
		case types.MapKind:
			return []types.Type{t.Key(), t.Elem()}
		}
		out := make([]types.Type, len(t.Fields()))
		for i, f := range t.Fields() {
			out[i] = f.Type
		}
		return out
	}
	a, b := parts(from), parts(to)
	if len(a) != len(b) {
		return nil
	}
	funcs := make([]Func, len(a))
	for i := range a {
		if a[i].SameType(b[i]) {
			continue
		}
		if funcs[i] = castFunc(a[i], b[i], m); funcs[i] == nil {
			return nil
		}
	}
	scratch := make([]Scratch, len(a))
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		out := args[0]
		if out.Form == columnar.Const {
			out = c.Scratch.Flatten(&out)
		}
		out.Kids = append([]columnar.Vector(nil), out.Kids...)
		for i, f := range funcs {
			if f == nil {
				continue
			}
			kid := out.Kids[i].Flatten()
			scratch[i] = Scratch{} // kids of earlier results may still be in use
			sub := Ctx{Session: c.Session, Partition: c.Partition, Scratch: &scratch[i], Valid: kid.Valid}
			if from.Kind == types.StructKind && c.Valid != nil {
				sub.Valid = columnar.And(nil, kid.Valid, c.Valid, n)
			}
			v, err := f(&sub, []columnar.Vector{kid}, kid.N)
			if err != nil {
				return v, err
			}
			v.Type = b[i]
			v.Valid = columnar.And(nil, v.Valid, kid.Valid, kid.N)
			out.Kids[i] = v
		}
		return out, nil
	}
}
