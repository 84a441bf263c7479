package columnar

// Window is rows [from, to) of v without a copy: it shares v's buffers and holds as long as v does. from must be a
// multiple of 64, so that validity needs no shifting.
func (v *Vector) Window(from, to int) Vector {
	if from%64 != 0 {
		panic("columnar: a window starts at a multiple of 64")
	}
	out := *v
	out.N = to - from
	if v.Form == Const {
		return out
	}
	if v.Valid != nil {
		out.Valid = v.Valid[from/64 : (to+63)/64]
	}
	if v.Form == Dict {
		out.Codes = v.Codes[from:to]
		return out
	}
	switch l := LayoutOf(v.Type); l {
	case List, Entries:
		out.Data = v.Data[from*4 : (to+1)*4]
	case Record:
		out.Kids = make([]Vector, len(v.Kids))
		for i := range v.Kids {
			out.Kids[i] = v.Kids[i].Window(from, to)
		}
	default:
		out.Data = v.Data[from*l.Width() : to*l.Width()]
	}
	return out
}

// WindowInto makes dst rows [from, to) of b as Window does, reusing dst's column headers.
func (b *Batch) WindowInto(dst *Batch, from, to int) {
	dst.Schema, dst.N = b.Schema, to-from
	if cap(dst.Cols) < len(b.Cols) {
		dst.Cols = make([]Vector, len(b.Cols))
	}
	dst.Cols = dst.Cols[:len(b.Cols)]
	for i := range b.Cols {
		dst.Cols[i] = b.Cols[i].Window(from, to)
	}
}
