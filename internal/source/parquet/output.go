package parquet

import (
	"github.com/firesteel/firesteel/internal/columnar"
)

// outColumn collects the chosen rows of several pieces of one column.
type outColumn struct {
	started bool
	form    columnar.Form
	first   columnar.Vector // type, dictionary, constant or nested rows
	width   int
	text    bool
	data    []byte
	codes   []uint32
	valid   columnar.Bitmap
	nulls   bool
	bufs    [][]byte
}

func (o *outColumn) reset() {
	o.started, o.nulls = false, false
	clear(o.bufs)
	o.bufs = o.bufs[:0]
}

// forget drops what the column refers to and keeps its own buffers.
func (o *outColumn) forget() {
	o.reset()
	o.first = columnar.Vector{}
}

// fits says whether a piece can be added to what is there: codes need the same dictionary.
func (o *outColumn) fits(v *columnar.Vector) bool {
	if v.Form != o.form || v.Form == columnar.Flat && v.Kids != nil {
		return false
	}
	return v.Form != columnar.Dict || v.Dict == o.first.Dict
}

// add appends k rows of a piece, those of sel or all, to the n rows that are there.
func (o *outColumn) add(v *columnar.Vector, sel []uint32, n, k int) {
	if !o.started {
		o.start(v, sel)
	}
	switch {
	case o.form == columnar.Const || v.Kids != nil:
		return
	case o.form == columnar.Dict:
		o.codes = growRows(o.codes)
		put(o.codes[n:n+k], v.Codes, sel)
	default:
		o.addFlat(v, sel, n, k)
	}
	o.addValid(v, sel, n, k)
}

func (o *outColumn) start(v *columnar.Vector, sel []uint32) {
	o.started, o.form, o.first = true, v.Form, *v
	l := columnar.LayoutOf(v.Type)
	o.width, o.text = l.Width(), l == columnar.View16
	if v.Kids != nil && v.Form == columnar.Flat && sel != nil {
		o.first = columnar.Gather(v, sel)
	}
}

func growRows(b []uint32) []uint32 {
	if cap(b) < maxBatch {
		b = make([]uint32, maxBatch)
	}
	return b[:maxBatch]
}

func put[T any](dst, src []T, sel []uint32) {
	if sel == nil {
		copy(dst, src)
		return
	}
	if len(sel) > len(src)/16*15 {
		putRuns(dst, src, sel)
		return
	}
	columnar.GatherInto(dst, src, sel)
}

// putRuns copies the rows of an ascending selection that leaves out few: run by run.
func putRuns[T any](dst, src []T, sel []uint32) {
	for k := 0; k < len(sel); {
		n := consecutive(sel[k:])
		copy(dst[k:k+n], src[sel[k]:])
		k += n
	}
}

// consecutive is the number of rows at the head of an ascending selection that follow each other.
func consecutive(sel []uint32) int {
	lo, n := sel[0], 1
	for step := 16; n+step <= len(sel) && sel[n+step-1]-lo == uint32(n+step-1); {
		n += step
	}
	for n < len(sel) && sel[n]-lo == uint32(n) {
		n++
	}
	return n
}

func (o *outColumn) addFlat(v *columnar.Vector, sel []uint32, n, k int) {
	o.data = growBytes(o.data, maxBatch*o.width)
	dst := o.data[n*o.width : (n+k)*o.width]
	switch {
	case o.text:
		o.addViews(columnar.Of[columnar.View](dst), v, sel)
	case o.width == 1:
		put(dst, v.Data, sel)
	case o.width == 2:
		put(columnar.Of[int16](dst), columnar.Of[int16](v.Data), sel)
	case o.width == 4:
		put(columnar.Of[uint32](dst), columnar.Of[uint32](v.Data), sel)
	case o.width == 8:
		put(columnar.Of[uint64](dst), columnar.Of[uint64](v.Data), sel)
	case o.width == 16:
		put(columnar.Of[columnar.View](dst), columnar.Of[columnar.View](v.Data), sel)
	}
}

// addViews copies views and makes those of long texts point to the batch's list of buffers.
func (o *outColumn) addViews(dst []columnar.View, v *columnar.Vector, sel []uint32) {
	put(dst, columnar.Of[columnar.View](v.Data), sel)
	base := uint32(len(o.bufs))
	if len(v.Bufs) == 1 && base > 0 && sameBuffer(o.bufs[base-1], v.Bufs[0]) {
		base--
	} else {
		o.bufs = append(o.bufs, v.Bufs...)
	}
	if base == 0 {
		return
	}
	for i := range dst {
		if dst[i].Len > columnar.InlineMax {
			dst[i].Buf += base
		}
	}
}

func sameBuffer(a, b []byte) bool {
	return len(a) > 0 && len(b) > 0 && &a[0] == &b[0]
}

func (o *outColumn) addValid(v *columnar.Vector, sel []uint32, n, k int) {
	if v.Valid == nil && !o.nulls {
		return
	}
	if o.valid == nil {
		o.valid = columnar.NewBitmap(maxBatch)
	}
	if !o.nulls {
		o.nulls = true
		clear(o.valid)
		setBits(o.valid, 0, n)
	}
	if v.Valid == nil {
		setBits(o.valid, n, k)
		return
	}
	for i := range k {
		s := uint32(i)
		if sel != nil {
			s = sel[i]
		}
		o.valid[(n+i)>>6] |= (v.Valid[s>>6] >> (s & 63) & 1) << (uint(n+i) & 63)
	}
}

// finish is the column of n rows.
func (o *outColumn) finish(n int) columnar.Vector {
	v := o.first
	v.N = n
	if o.form == columnar.Const || v.Kids != nil {
		return v
	}
	v.Valid = nil
	if o.nulls {
		v.Valid = o.valid[:(n+63)/64]
	}
	if o.form == columnar.Dict {
		v.Codes = o.codes[:n]
		return v
	}
	v.Data, v.Bufs = o.data[:n*o.width], nil
	if o.text {
		v.Bufs = o.bufs
	}
	return v
}
