package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// selectConst writes to out the rows (all when rows is nil) whose value compares to y, branch-free, and returns their number.
func selectConst[T Ordered](op Op, x []T, y T, rows, out []uint32) int {
	if rows != nil {
		return selectConstRows(op, x, y, rows, out)
	}
	out = out[:len(x)]
	k := 0
	switch op {
	case Eq:
		for i, v := range x {
			out[k] = uint32(i)
			k += b2i(v == y)
		}
	case Ne:
		for i, v := range x {
			out[k] = uint32(i)
			k += b2i(v != y)
		}
	case Lt:
		for i, v := range x {
			out[k] = uint32(i)
			k += b2i(v < y)
		}
	case Le:
		for i, v := range x {
			out[k] = uint32(i)
			k += b2i(v <= y)
		}
	case Gt:
		for i, v := range x {
			out[k] = uint32(i)
			k += b2i(!(v <= y))
		}
	case Ge:
		for i, v := range x {
			out[k] = uint32(i)
			k += b2i(!(v < y))
		}
	}
	return k
}

func selectConstRows[T Ordered](op Op, x []T, y T, rows, out []uint32) int {
	out = out[:len(rows)]
	k := 0
	switch op {
	case Eq:
		for _, r := range rows {
			out[k] = r
			k += b2i(x[r] == y)
		}
	case Ne:
		for _, r := range rows {
			out[k] = r
			k += b2i(x[r] != y)
		}
	case Lt:
		for _, r := range rows {
			out[k] = r
			k += b2i(x[r] < y)
		}
	case Le:
		for _, r := range rows {
			out[k] = r
			k += b2i(x[r] <= y)
		}
	case Gt:
		for _, r := range rows {
			out[k] = r
			k += b2i(!(x[r] <= y))
		}
	case Ge:
		for _, r := range rows {
			out[k] = r
			k += b2i(!(x[r] < y))
		}
	}
	return k
}

// selectCols compares two integer columns row by row.
func selectCols[T Ordered](op Op, x, y []T, rows, out []uint32) int {
	k := 0
	n := len(x)
	if rows != nil {
		n = len(rows)
	}
	out = out[:n]
	switch op {
	case Eq:
		for i := range n {
			r := rowAt(rows, i)
			out[k] = r
			k += b2i(x[r] == y[r])
		}
	case Ne:
		for i := range n {
			r := rowAt(rows, i)
			out[k] = r
			k += b2i(x[r] != y[r])
		}
	case Lt, Gt:
		if op == Gt {
			x, y = y, x
		}
		for i := range n {
			r := rowAt(rows, i)
			out[k] = r
			k += b2i(x[r] < y[r])
		}
	case Le, Ge:
		if op == Ge {
			x, y = y, x
		}
		for i := range n {
			r := rowAt(rows, i)
			out[k] = r
			k += b2i(x[r] <= y[r])
		}
	}
	return k
}

// KeepValid drops from sel, in place, the rows that are null.
func KeepValid(valid columnar.Bitmap, sel []uint32) []uint32 {
	if valid == nil {
		return sel
	}
	k := 0
	for _, r := range sel {
		sel[k] = r
		k += int(valid[r>>6] >> (r & 63) & 1)
	}
	return sel[:k]
}

// CanSelectConst says whether SelectConst works for a type and a value.
func CanSelectConst(t types.Type, value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case float64:
		return v == v
	case float32:
		return v == v
	}
	switch columnar.LayoutOf(t) {
	case columnar.Int8x, columnar.Int16x, columnar.Int32x, columnar.Int64x, columnar.Float32x, columnar.Float64x, columnar.View16:
		return true
	}
	return false
}

// SelectConst writes to out the rows of a flat vector that compare to the constant y (a Const vector of the same type): rows names
// those to look at, nil all. out has room for them and may be rows itself. The result is out's filled part.
func SelectConst(op Op, v, y *columnar.Vector, rows, out []uint32) []uint32 {
	n, k := v.N, 0
	switch columnar.LayoutOf(v.Type) {
	case columnar.Int8x:
		k = selectConst(op, columnar.Of[int8](v.Data)[:n], columnar.Of[int8](y.Data)[0], rows, out)
	case columnar.Int16x:
		k = selectConst(op, columnar.Of[int16](v.Data)[:n], columnar.Of[int16](y.Data)[0], rows, out)
	case columnar.Int32x:
		k = selectConst(op, columnar.Of[int32](v.Data)[:n], columnar.Of[int32](y.Data)[0], rows, out)
	case columnar.Int64x:
		k = selectConst(op, columnar.Of[int64](v.Data)[:n], columnar.Of[int64](y.Data)[0], rows, out)
	case columnar.Float32x:
		k = selectConst(op, columnar.Of[float32](v.Data)[:n], columnar.Of[float32](y.Data)[0], rows, out)
	case columnar.Float64x:
		k = selectConst(op, columnar.Of[float64](v.Data)[:n], columnar.Of[float64](y.Data)[0], rows, out)
	case columnar.View16:
		k = selectView(op, v, y, rows, out)
	}
	return KeepValid(v.Valid, out[:k])
}

func selectView(op Op, v, y *columnar.Vector, rows, out []uint32) int {
	x, w := columnar.Of[columnar.View](v.Data), &columnar.Of[columnar.View](y.Data)[0]
	n := v.N
	if rows != nil {
		n = len(rows)
	}
	k := 0
	if op == Eq && w.Len <= columnar.InlineMax {
		for i := range n {
			r := rowAt(rows, i)
			out[k] = r
			k += b2i(x[r] == *w)
		}
		return k
	}
	for i := range n {
		r := rowAt(rows, i)
		if v.Valid != nil && !v.Valid.Get(int(r)) {
			continue
		}
		out[k] = r
		switch op {
		case Eq:
			k += b2i(columnar.ViewEqual(&x[r], v.Bufs, w, y.Bufs))
		case Ne:
			k += b2i(!columnar.ViewEqual(&x[r], v.Bufs, w, y.Bufs))
		default:
			k += int(holds(op, columnar.ViewCompare(&x[r], v.Bufs, w, y.Bufs)))
		}
	}
	return k
}

// CanSelectCols says whether SelectCols works for a type.
func CanSelectCols(t types.Type) bool {
	switch columnar.LayoutOf(t) {
	case columnar.Int32x, columnar.Int64x:
		return true
	}
	return false
}

// SelectCols writes to out the rows where two flat vectors of one type compare.
func SelectCols(op Op, a, b *columnar.Vector, rows, out []uint32) []uint32 {
	k := 0
	if columnar.LayoutOf(a.Type) == columnar.Int32x {
		k = selectCols(op, columnar.Of[int32](a.Data)[:a.N], columnar.Of[int32](b.Data)[:a.N], rows, out)
	} else {
		k = selectCols(op, columnar.Of[int64](a.Data)[:a.N], columnar.Of[int64](b.Data)[:a.N], rows, out)
	}
	return KeepValid(b.Valid, KeepValid(a.Valid, out[:k]))
}

// SelectPass writes to out the rows of a dictionary vector whose entry's byte in pass is 1.
func SelectPass(v *columnar.Vector, pass []byte, rows, out []uint32) []uint32 {
	k := 0
	if rows == nil {
		codes := v.Codes[:v.N]
		out = out[:len(codes)]
		for i, c := range codes {
			out[k] = uint32(i)
			k += int(pass[c])
		}
	} else {
		for _, r := range rows {
			out[k] = r
			k += int(pass[v.Codes[r]])
		}
	}
	return KeepValid(v.Valid, out[:k])
}

// SelectNull writes to out the rows that are null, or with not set those that are not.
func SelectNull(v *columnar.Vector, not bool, rows, out []uint32) []uint32 {
	n := v.N
	if rows != nil {
		n = len(rows)
	}
	k := 0
	if v.Form == columnar.Const || !v.MayHaveNulls() || v.Type.Kind == types.NullKind {
		if n > 0 && v.Null(0) == not {
			return out[:0]
		}
		for i := range n {
			out[i] = rowAt(rows, i)
		}
		return out[:n]
	}
	flip := uint64(b2i(!not))
	for i := range n {
		r := rowAt(rows, i)
		out[k] = r
		k += int(v.Valid[r>>6]>>(r&63)&1 ^ flip)
	}
	return out[:k]
}
