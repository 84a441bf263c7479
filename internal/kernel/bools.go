package kernel

import (
	"encoding/binary"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
)

// PackBools sets bit i of dst to byte i (0 or 1) of src. dst has room for len(src) bits; the rest of its last word is cleared.
func PackBools(dst columnar.Bitmap, src []byte) {
	n := len(src)
	for w := 0; w < n>>6; w++ {
		chunk := src[w*64 : w*64+64 : w*64+64]
		var word uint64
		for k := 0; k < 8; k++ {
			x := binary.LittleEndian.Uint64(chunk[k*8:])
			word |= x * 0x0102040810204080 >> 56 << (uint(k) * 8)
		}
		dst[w] = word
	}
	if r := n & 63; r != 0 {
		var word uint64
		for i, b := range src[n-r:] {
			word |= uint64(b) << uint(i)
		}
		dst[n>>6] = word
	}
}

// spread holds for each byte its bits as eight bytes.
var spread = func() (t [256]uint64) {
	for i := range t {
		for b := range 8 {
			t[i] |= uint64(i>>b&1) << (8 * b)
		}
	}
	return t
}()

// UnpackBools sets byte i of dst to bit i of src.
func UnpackBools(dst []byte, src columnar.Bitmap) {
	n := len(dst)
	for w := 0; w < n>>6; w++ {
		word := src[w]
		chunk := dst[w*64 : w*64+64 : w*64+64]
		for k := 0; k < 8; k++ {
			binary.LittleEndian.PutUint64(chunk[k*8:], spread[word>>(8*k)&255])
		}
	}
	for i := n &^ 63; i < n; i++ {
		dst[i] = byte(src[i>>6] >> (uint(i) & 63) & 1)
	}
}

// boolArg is a Flat or Const boolean vector.
type boolArg struct {
	vals  []byte
	valid columnar.Bitmap
}

func boolFlat(c *Ctx, v *columnar.Vector, n int) boolArg {
	if v.Form != columnar.Flat {
		f := c.Scratch.Flatten(v)
		return boolArg{f.Data[:n], f.Valid}
	}
	return boolArg{v.Data[:n], v.Valid}
}

// And and Or are three-valued over two boolean vectors of any form.
func And(c *Ctx, a, b *columnar.Vector, n int) columnar.Vector { return kleene(c, a, b, n, true) }

// Or is the three-valued disjunction.
func Or(c *Ctx, a, b *columnar.Vector, n int) columnar.Vector { return kleene(c, a, b, n, false) }

func kleene(c *Ctx, av, bv *columnar.Vector, n int, and bool) columnar.Vector {
	a, b := boolFlat(c, av, n), boolFlat(c, bv, n)
	out := c.Scratch.Bytes(columnar.Bool8, n)
	if a.valid == nil && b.valid == nil {
		x, y := a.vals[:len(out)], b.vals[:len(out)]
		if and {
			for i := range out {
				out[i] = x[i] & y[i]
			}
		} else {
			for i := range out {
				out[i] = x[i] | y[i]
			}
		}
		return columnar.Vector{N: n, Data: out}
	}
	ta, tb := c.Scratch.RawBits(n), c.Scratch.RawBits(n)
	PackBools(ta, a.vals)
	PackBools(tb, b.vals)
	valid := c.Scratch.RawBits(n)
	for w := range valid {
		va, vb := ^uint64(0), ^uint64(0)
		if a.valid != nil {
			va = a.valid[w]
		}
		if b.valid != nil {
			vb = b.valid[w]
		}
		t1, t2, f1, f2 := ta[w]&va, tb[w]&vb, va&^ta[w], vb&^tb[w]
		t, f := t1&t2, f1|f2
		if !and {
			t, f = t1|t2, f1&f2
		}
		ta[w], valid[w] = t, t|f
	}
	UnpackBools(out, ta)
	return columnar.Vector{N: n, Data: out, Valid: valid}
}

// NotFunc negates booleans (a row with NullIn).
func NotFunc(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
	src, out := args[0].Data[:n], c.Scratch.Bytes(columnar.Bool8, n)
	for i := range out {
		out[i] = src[i] ^ 1
	}
	return columnar.Vector{N: n, Data: out}, nil
}

// NullTest is 1 where the vector (any form) is null; with not set, where it is not null.
func NullTest(c *Ctx, v *columnar.Vector, n int, not bool) columnar.Vector {
	if v.Form == columnar.Const || !v.MayHaveNulls() || v.Type.Kind == 0 {
		out := c.Scratch.Bytes(columnar.Bool8, 1)
		out[0] = 0
		if (n > 0 && v.Null(0)) != not {
			out[0] = 1
		}
		return columnar.Vector{Form: columnar.Const, N: n, Data: out}
	}
	out := c.Scratch.Bytes(columnar.Bool8, n)
	UnpackBools(out, v.Valid)
	if !not {
		for i := range out {
			out[i] ^= 1
		}
	}
	return columnar.Vector{N: n, Data: out}
}

// SelectTrue appends to out[:0] the row numbers of v (boolean, any form, n rows) that are true; with not set, those that are
// not true. rows maps positions to row numbers; nil: positions are row numbers. out has room for n.
func SelectTrue(c *Ctx, v *columnar.Vector, n int, rows, out []uint32, not bool) []uint32 {
	switch v.Form {
	case columnar.Const:
		if (v.Data[0] == 1 && !v.Null(0)) == not {
			return out[:0]
		}
		out = out[:n]
		if rows != nil {
			copy(out, rows)
			return out
		}
		for i := range out {
			out[i] = uint32(i)
		}
		return out
	case columnar.Dict:
		return selectPass(v, v.Dict.Data, n, rows, out, not)
	}
	flip := byte(0)
	if not {
		flip = 1
	}
	src := v.Data[:n]
	out = out[:n]
	k := 0
	switch {
	case v.Valid != nil:
		for i, b := range src {
			out[k] = rowAt(rows, i)
			k += int(b&byte(v.Valid[i>>6]>>(uint(i)&63)&1) ^ flip)
		}
	case rows != nil:
		rows = rows[:len(src)]
		for i, b := range src {
			out[k] = rows[i]
			k += int(b ^ flip)
		}
	default:
		for i, b := range src {
			out[k] = uint32(i)
			k += int(b ^ flip)
		}
	}
	return out[:k]
}

func rowAt(rows []uint32, i int) uint32 {
	if rows == nil {
		return uint32(i)
	}
	return rows[i]
}

// selectPass selects by a table of one byte an entry.
func selectPass(v *columnar.Vector, pass []byte, n int, rows, out []uint32, not bool) []uint32 {
	flip := byte(0)
	if not {
		flip = 1
	}
	out = out[:n]
	k := 0
	for i, c := range v.Codes[:n] {
		ok := pass[c]
		if v.Valid != nil {
			ok &= byte(v.Valid[i>>6] >> (uint(i) & 63) & 1)
		}
		out[k] = rowAt(rows, i)
		k += int(ok ^ flip)
	}
	return out[:k]
}

// CountValid is the number of rows of a vector (any form) that are not null.
func CountValid(v *columnar.Vector, n int) int {
	switch {
	case n == 0:
		return 0
	case v.Form == columnar.Const || v.Type.Kind == 0:
		if v.Null(0) {
			return 0
		}
		return n
	case v.Valid == nil:
		return n
	}
	c := 0
	for _, w := range v.Valid[:n>>6] {
		c += bits.OnesCount64(w)
	}
	if r := uint(n) & 63; r != 0 {
		c += bits.OnesCount64(v.Valid[n>>6] & (1<<r - 1))
	}
	return c
}
