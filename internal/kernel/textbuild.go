package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// textOut collects texts that are built at the end of one heap: nothing is allocated per row.
type textOut struct {
	c     *Ctx
	views []columnar.View
	text  []byte
	valid columnar.Bitmap
}

func newTextOut(c *Ctx, n int) textOut {
	return textOut{c: c, views: Out[columnar.View](c, n), text: c.Scratch.Text()}
}

// put ends row i, whose text was appended to the heap; heap is what the builder returned.
func (o *textOut) put(i int, heap []byte) {
	at := len(o.text)
	piece := heap[at:]
	o.views[i] = columnar.MakeView(piece, 0, uint32(at))
	if len(piece) <= columnar.InlineMax {
		heap = heap[:at]
	}
	o.text = heap
}

func (o *textOut) skip(i int) { o.views[i] = columnar.View{} }

func (o *textOut) null(i int) {
	if o.valid == nil {
		o.valid = o.c.Scratch.FullBits(len(o.views))
	}
	o.valid.Clear(i)
	o.skip(i)
}

func (o *textOut) finish() columnar.Vector {
	return columnar.Vector{N: len(o.views), Data: columnar.Bytes(o.views), Valid: o.valid, Bufs: o.c.Scratch.KeepText(o.text)}
}

// take ends row i by what a builder answered.
func (o *textOut) take(i int, heap []byte, ok bool) error {
	if !ok {
		o.null(i)
		return nil
	}
	o.put(i, heap)
	return o.full(i)
}

// Text1 lifts a builder of texts: f appends the text of a row to dst and answers false for null. The row must say NullIn. Short
// texts cost no memory, long ones lie in one buffer of the node.
func Text1[A Value](f func(c *Ctx, dst []byte, a A) ([]byte, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, out := newSource[A](&args[0]), newTextOut(c, n)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			heap, ok, err := f(c, out.text, a.at(i))
			if err != nil {
				return columnar.Vector{}, c.tooLarge(err, i)
			}
			if err := out.take(i, heap, ok); err != nil {
				return columnar.Vector{}, err
			}
		}
		return out.finish(), nil
	}
}

// Text2 is Text1 for two arguments.
func Text2[A, B Value](f func(c *Ctx, dst []byte, a A, b B) ([]byte, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, out := newSource[A](&args[0]), newSource[B](&args[1]), newTextOut(c, n)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			heap, ok, err := f(c, out.text, a.at(i), b.at(i))
			if err != nil {
				return columnar.Vector{}, c.tooLarge(err, i)
			}
			if err := out.take(i, heap, ok); err != nil {
				return columnar.Vector{}, err
			}
		}
		return out.finish(), nil
	}
}

// Text3 is Text1 for three arguments.
func Text3[A, B, D Value](f func(c *Ctx, dst []byte, a A, b B, d D) ([]byte, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, d, out := newSource[A](&args[0]), newSource[B](&args[1]), newSource[D](&args[2]), newTextOut(c, n)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			heap, ok, err := f(c, out.text, a.at(i), b.at(i), d.at(i))
			if err != nil {
				return columnar.Vector{}, c.tooLarge(err, i)
			}
			if err := out.take(i, heap, ok); err != nil {
				return columnar.Vector{}, err
			}
		}
		return out.finish(), nil
	}
}

// Text4 is Text1 for four arguments.
func Text4[A, B, D, E Value](f func(c *Ctx, dst []byte, a A, b B, d D, e E) ([]byte, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, d, e := newSource[A](&args[0]), newSource[B](&args[1]), newSource[D](&args[2]), newSource[E](&args[3])
		out := newTextOut(c, n)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			heap, ok, err := f(c, out.text, a.at(i), b.at(i), d.at(i), e.at(i))
			if err != nil {
				return columnar.Vector{}, c.tooLarge(err, i)
			}
			if err := out.take(i, heap, ok); err != nil {
				return columnar.Vector{}, err
			}
		}
		return out.finish(), nil
	}
}

// Each4 is Each1 for four arguments.
func Each4[A, B, D, E, R Value](t types.Type, f func(*Ctx, A, B, D, E) (R, bool, error)) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		a, b, d, e := newSource[A](&args[0]), newSource[B](&args[1]), newSource[D](&args[2]), newSource[E](&args[3])
		out := newSink[R](c, n, t)
		for i := range n {
			if c.Valid != nil && !c.Valid.Get(i) {
				out.skip(i)
				continue
			}
			v, ok, err := f(c, a.at(i), b.at(i), d.at(i), e.at(i))
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

// TextRows builds the text of each of n rows: f appends that of row i to dst, or answers false for null.
func TextRows(c *Ctx, n int, f func(dst []byte, i int) ([]byte, bool)) columnar.Vector {
	out := newTextOut(c, n)
	for i := range n {
		if heap, ok := f(out.text, i); ok {
			out.put(i, heap)
		} else {
			out.null(i)
		}
	}
	return out.finish()
}

// Span is the range of elements of row i of an array or map vector, Flat or Const.
func Span(v *columnar.Vector, i int) (from, to int) {
	if v.Form == columnar.Const {
		i = 0
	}
	offs := columnar.Of[int32](v.Data)
	return int(offs[i]), int(offs[i+1])
}
