package kernel

import "github.com/firesteel/firesteel/internal/columnar"

// Blend chooses row by row between two columns of one type: a where cond is true, else b (also where cond is null). ok is false when
// there is no fast loop for the type or the forms; nothing is done then.
func Blend(c *Ctx, cond, a, b *columnar.Vector, n int) (v columnar.Vector, ok bool) {
	l := columnar.LayoutOf(a.Type)
	if l != columnar.LayoutOf(b.Type) || l.Width() != 8 && l.Width() != 4 || cond.Form == columnar.Const || nullConst(a) || nullConst(b) {
		return v, false
	}
	mask := c.Scratch.Bytes(columnar.Bool8, n)
	if cond.Form == columnar.Dict {
		table := cond.Dict.Data
		for i, code := range cond.Codes[:n] {
			mask[i] = table[code]
		}
	} else {
		copy(mask, cond.Data[:n])
	}
	if cond.Valid != nil {
		for i := range mask {
			mask[i] &= byte(cond.Valid[i>>6] >> (uint(i) & 63) & 1)
		}
	}
	v = columnar.Vector{Type: a.Type, N: n, Data: c.Scratch.Bytes(l, n)}
	if l.Width() == 8 {
		blend(columnar.Of[uint64](v.Data), mask, blendArg[uint64](c, a, n), blendArg[uint64](c, b, n))
	} else {
		blend(columnar.Of[uint32](v.Data), mask, blendArg[uint32](c, a, n), blendArg[uint32](c, b, n))
	}
	va, vb := rowValid(a), rowValid(b)
	if va == nil && vb == nil {
		return v, true
	}
	v.Valid = c.Scratch.RawBits(n)
	PackBools(v.Valid, mask)
	for w, m := range v.Valid {
		x, y := ^uint64(0), ^uint64(0)
		if va != nil {
			x = va[w]
		}
		if vb != nil {
			y = vb[w]
		}
		v.Valid[w] = m&x | ^m&y
	}
	return v, true
}

func nullConst(v *columnar.Vector) bool {
	return v.Form == columnar.Const && v.Null(0) || v.Type.Kind == 0
}

func rowValid(v *columnar.Vector) columnar.Bitmap {
	if v.Form == columnar.Const {
		return nil
	}
	return v.Valid
}

func blendArg[T uint32 | uint64](c *Ctx, v *columnar.Vector, n int) []T {
	if v.Form == columnar.Dict {
		f := c.Scratch.Flatten(v)
		v = &f
	}
	return columnar.Of[T](v.Data)[:min(n, len(columnar.Of[T](v.Data)))]
}

// blend: a side of one value is a constant.
func blend[T uint32 | uint64](out []T, mask []byte, a, b []T) {
	mask = mask[:len(out)]
	switch {
	case len(a) == 1 && len(b) == 1:
		x, y := a[0], b[0]
		for i := range out {
			out[i] = y ^ (x^y)&-T(mask[i])
		}
	case len(a) == 1:
		x := a[0]
		b = b[:len(out)]
		for i := range out {
			out[i] = b[i] ^ (x^b[i])&-T(mask[i])
		}
	case len(b) == 1:
		y := b[0]
		a = a[:len(out)]
		for i := range out {
			out[i] = y ^ (a[i]^y)&-T(mask[i])
		}
	default:
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			out[i] = b[i] ^ (a[i]^b[i])&-T(mask[i])
		}
	}
}
