package columnar

import (
	"fmt"

	"github.com/firesteel/firesteel/internal/types"
)

// Appender collects rows of one type into a flat vector of its own buffers. Strings longer than InlineMax are copied
// to its heap in chunks. It is for whoever keeps rows; Builder adds single Go values.
type Appender struct {
	t     types.Type
	l     Layout
	n     int
	data  []byte
	valid Bitmap // nil until the first null
	bufs  [][]byte
	kids  []*Appender
}

const heapChunk = 1 << 20

// NewAppender makes an empty appender.
func NewAppender(t types.Type) *Appender {
	a := &Appender{t: t, l: LayoutOf(t)}
	switch a.l {
	case List:
		a.kids = []*Appender{NewAppender(t.Elem())}
	case Entries:
		a.kids = []*Appender{NewAppender(t.Key()), NewAppender(t.Elem())}
	case Record:
		for _, f := range RecordFields(t) {
			a.kids = append(a.kids, NewAppender(f.Type))
		}
	}
	if a.l == List || a.l == Entries {
		a.data = Make(a.l, 16)[:4]
	}
	return a
}

// Len is the number of rows so far.
func (a *Appender) Len() int { return a.n }

// Bytes is the memory held.
func (a *Appender) Bytes() int64 {
	n := int64(cap(a.data)) + int64(cap(a.valid))*8
	for _, b := range a.bufs {
		n += int64(cap(b))
	}
	for _, k := range a.kids {
		n += k.Bytes()
	}
	return n
}

// grow makes room for n more bytes of data, keeping the padding, and returns the new part.
func (a *Appender) grow(n int) []byte {
	old := len(a.data)
	if old+n+64 > cap(a.data) {
		next := Make(Int64x, (2*old+n)/8+16)
		next = next[:cap(next)]
		copy(next, a.data)
		a.data = next[:old]
	}
	a.data = a.data[:old+n]
	return a.data[old:]
}

// extendValid notes validity of n new rows from v at positions given by row, before a.n grows.
func (a *Appender) growValid(n int) {
	words := (a.n + n + 63) / 64
	for len(a.valid) < words {
		a.valid = append(a.valid, 0)
	}
}

// markAll sets validity of the rows so far once the first null comes.
func (a *Appender) startNulls() {
	if a.valid == nil {
		a.valid = append(make(Bitmap, 0, (a.n+64)/64*2), FullBitmap(a.n)...)
		if a.valid == nil {
			a.valid = Bitmap{}
		}
	}
}

// AppendVector adds all rows of v, in any form.
func (a *Appender) AppendVector(v *Vector) { a.append(v, nil, v.N) }

// AppendRows adds the rows of v that sel names.
func (a *Appender) AppendRows(v *Vector, sel []uint32) { a.append(v, sel, len(sel)) }

// AppendText adds one STRING or BINARY.
func (a *Appender) AppendText(text []byte) {
	a.setText(a.grow(16), text)
	a.n++
}

// AppendNulls adds n nulls.
func (a *Appender) AppendNulls(n int) {
	v := Nulls(a.t, n)
	a.append(&v, nil, n)
}

func (a *Appender) append(v *Vector, sel []uint32, n int) {
	if n == 0 {
		return
	}
	if v.Form != Flat || v.Type.Kind == types.NullKind && a.l != NoData {
		a.appendOther(v, sel)
		return
	}
	if v.Valid != nil {
		a.startNulls()
	}
	if a.valid != nil {
		a.growValid(n)
		for i := 0; i < n; i++ {
			r := i
			if sel != nil {
				r = int(sel[i])
			}
			if v.Valid == nil || v.Valid.Get(r) {
				a.valid.Set(a.n + i)
			}
		}
	}
	a.appendData(v, sel, n)
	a.n += n
}

// appendOther handles Dict and Const by gathering a flat copy of the chosen rows first.
func (a *Appender) appendOther(v *Vector, sel []uint32) {
	if v.Type.Kind == types.NullKind {
		n := v.N
		if sel != nil {
			n = len(sel)
		}
		a.AppendNulls(n)
		return
	}
	if sel != nil {
		g := Gather(v, sel)
		v = &g
	}
	f := v.Flatten()
	a.append(&f, nil, f.N)
}

func (a *Appender) appendData(v *Vector, sel []uint32, n int) {
	switch a.l {
	case NoData:
	case List, Entries:
		a.appendNested(v, sel, n)
	case Record:
		for i, k := range a.kids {
			kid := &v.Kids[i]
			k.append(kid, sel, n)
		}
	case View16:
		a.appendViews(v, sel, n)
	default:
		a.appendFixed(v, sel, n)
	}
}

func (a *Appender) appendFixed(v *Vector, sel []uint32, n int) {
	w := a.l.Width()
	dst := a.grow(n * w)
	if sel == nil {
		copy(dst, v.Data[:n*w])
		return
	}
	switch w {
	case 1:
		GatherInto(dst, v.Data, sel)
	case 2:
		GatherInto(Of[int16](dst), Of[int16](v.Data), sel)
	case 4:
		GatherInto(Of[uint32](dst), Of[uint32](v.Data), sel)
	case 8:
		GatherInto(Of[uint64](dst), Of[uint64](v.Data), sel)
	case 16:
		GatherInto(Of[View](dst), Of[View](v.Data), sel)
	}
}

func (a *Appender) appendViews(v *Vector, sel []uint32, n int) {
	src := Of[View](v.Data)
	dst := Of[View](a.grow(n * 16))
	for i := range dst {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if v.Valid != nil && !v.Valid.Get(r) {
			dst[i] = View{}
			continue
		}
		dst[i] = src[r]
		if src[r].Len > InlineMax {
			dst[i].Buf, dst[i].Off = a.heap(ViewBytes(&src[r], v.Bufs))
		}
	}
}

// heap copies text to the heap and says where.
func (a *Appender) heap(text []byte) (buf, off uint32) {
	last := len(a.bufs) - 1
	if last < 0 || len(a.bufs[last])+len(text) > cap(a.bufs[last]) {
		size := heapChunk
		if last < 0 {
			size = 4096
		} else if c := cap(a.bufs[last]) * 2; c < size {
			size = c
		}
		a.bufs = append(a.bufs, make([]byte, 0, max(size, len(text))))
		last++
	}
	off = uint32(len(a.bufs[last]))
	a.bufs[last] = append(a.bufs[last], text...)
	return uint32(last), off
}

func (a *Appender) appendNested(v *Vector, sel []uint32, n int) {
	offs := Of[int32](v.Data)
	end := Of[int32](a.data)[a.n]
	dst := Of[int32](a.grow(n * 4))
	var elems []uint32
	for i := range dst {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if v.Valid == nil || v.Valid.Get(r) {
			for e := offs[r]; e < offs[r+1]; e++ {
				elems = append(elems, uint32(e))
			}
		}
		dst[i] = end + int32(len(elems))
	}
	for i, k := range a.kids {
		k.AppendRows(&v.Kids[i], elems)
	}
}

// Finish returns what was collected and leaves the appender empty of buffers; it must not be used again.
func (a *Appender) Finish() Vector {
	out := Vector{Type: a.t, N: a.n, Valid: a.valid, Data: a.data, Bufs: a.bufs}
	for _, k := range a.kids {
		out.Kids = append(out.Kids, k.Finish())
	}
	return out
}

// Builder makes a vector from single Go values. It is for literals, small results and cold paths.
type Builder struct {
	*Appender
}

// NewBuilder makes an empty builder; n is a size hint.
func NewBuilder(t types.Type, n int) *Builder { return &Builder{NewAppender(t)} }

// Append adds one value whose Go type is as types/value.go says; nil is null. Other types panic.
func (b *Builder) Append(v any) { b.appendValue(v) }

func (a *Appender) appendValue(v any) {
	if a.l == NoData {
		a.n++
		return
	}
	if v == nil {
		a.startNulls()
	}
	if a.valid != nil {
		a.growValid(1)
		if v != nil {
			a.valid.Set(a.n)
		}
	}
	a.appendDatum(v)
	a.n++
}

func (a *Appender) appendDatum(v any) {
	switch a.l {
	case List:
		list, _ := v.([]any)
		for _, x := range list {
			a.kids[0].appendValue(x)
		}
		Of[int32](a.grow(4))[0] = int32(a.kids[0].n)
		return
	case Entries:
		m, _ := v.(types.MapValue)
		for i := range m.Keys {
			a.kids[0].appendValue(m.Keys[i])
			a.kids[1].appendValue(m.Values[i])
		}
		Of[int32](a.grow(4))[0] = int32(a.kids[0].n)
		return
	case Record:
		row, _ := v.([]any)
		for i, k := range a.kids {
			if row == nil {
				k.appendValue(nil)
			} else {
				k.appendValue(row[i])
			}
		}
		return
	}
	dst := a.grow(a.l.Width())
	clear(dst)
	if v != nil {
		a.setFixed(dst, v)
	}
}

func (a *Appender) setFixed(dst []byte, v any) {
	switch x := v.(type) {
	case bool:
		Of[bool](dst)[0] = x
	case int8:
		Of[int8](dst)[0] = x
	case int16:
		Of[int16](dst)[0] = x
	case int32:
		Of[int32](dst)[0] = x
	case int64:
		Of[int64](dst)[0] = x
	case float32:
		Of[float32](dst)[0] = x
	case float64:
		Of[float64](dst)[0] = x
	case types.Int128:
		if a.l == Int64x {
			Of[int64](dst)[0] = x.Int64()
		} else {
			Of[types.Int128](dst)[0] = x
		}
	case types.CalendarInterval:
		Of[types.CalendarInterval](dst)[0] = x
	case string:
		a.setText(dst, []byte(x))
	case []byte:
		a.setText(dst, x)
	default:
		panic(fmt.Sprintf("columnar: a %T is no value of type %s", v, a.t))
	}
}

func (a *Appender) setText(dst, text []byte) {
	var buf, off uint32
	if len(text) > InlineMax {
		buf, off = a.heap(text)
	}
	Of[View](dst)[0] = MakeView(text, buf, off)
}

// ValueAt is row i as a Go value (types/value.go), nil for null. It is for results, literals and cold paths.
func (v *Vector) ValueAt(i int) any {
	if v.Null(i) {
		return nil
	}
	d, r := v.values(), v.row(i)
	switch LayoutOf(v.Type) {
	case Bool8:
		return d.Data[r] != 0
	case Int8x:
		return int8(d.Data[r])
	case Int16x:
		return Of[int16](d.Data)[r]
	case Int32x:
		return Of[int32](d.Data)[r]
	case Int64x:
		x := Of[int64](d.Data)[r]
		if v.Type.Kind == types.DecimalKind {
			return types.I128(x)
		}
		return x
	case Int128x:
		return Of[types.Int128](d.Data)[r]
	case Float32x:
		return Of[float32](d.Data)[r]
	case Float64x:
		return Of[float64](d.Data)[r]
	case Interval16:
		return Of[types.CalendarInterval](d.Data)[r]
	case View16:
		if v.Type.Kind == types.BinaryKind {
			return append([]byte{}, v.Text(i)...)
		}
		return string(v.Text(i))
	case List:
		return listAt(&d.Kids[0], Of[int32](d.Data), r)
	case Entries:
		offs := Of[int32](d.Data)
		return types.MapValue{Keys: listAt(&d.Kids[0], offs, r), Values: listAt(&d.Kids[1], offs, r)}
	case Record:
		row := make([]any, len(d.Kids))
		for k := range d.Kids {
			row[k] = d.Kids[k].ValueAt(r)
		}
		return row
	}
	return nil
}

func listAt(kid *Vector, offs []int32, r int) []any {
	out := make([]any, 0, offs[r+1]-offs[r])
	for e := offs[r]; e < offs[r+1]; e++ {
		out = append(out, kid.ValueAt(int(e)))
	}
	return out
}
