// Package rows builds vectors value by value, for formats that are read row by row. Nothing is allocated per value: texts
// are views over the input's blocks, or copied to a heap that belongs to the column.
package rows

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Column collects the values of one column. Each row appends exactly one value: by Null, by the setter of the type's
// layout, or for nested types by appending to Kids and then End.
type Column struct {
	Type   types.Type
	Kids   []*Column // array: elements; map: keys, values; struct: fields
	layout columnar.Layout
	width  int
	n      int
	data   []byte
	valid  columnar.Bitmap
	nulls  bool
	heap   []byte
	blocks *Blocks
}

// Blocks are the input buffers that the views of a batch point into. Buffer 0 of a vector is the column's heap; block i is
// buffer i+1.
type Blocks struct{ bufs [][]byte }

// Add notes a block and returns its number for View.
func (b *Blocks) Add(block []byte) int {
	b.bufs = append(b.bufs, block)
	return len(b.bufs) - 1
}

// Reset forgets all blocks.
func (b *Blocks) Reset() {
	clear(b.bufs)
	b.bufs = b.bufs[:0]
}

// NewColumn makes an empty column; blocks may be nil if View is not used.
func NewColumn(t types.Type, blocks *Blocks) *Column {
	c := &Column{Type: t, layout: columnar.LayoutOf(t), blocks: blocks}
	c.width = c.layout.Width()
	switch c.layout {
	case columnar.List:
		c.Kids = []*Column{NewColumn(t.Elem(), blocks)}
	case columnar.Entries:
		c.Kids = []*Column{NewColumn(t.Key(), blocks), NewColumn(t.Elem(), blocks)}
	case columnar.Record:
		for _, f := range columnar.RecordFields(t) {
			c.Kids = append(c.Kids, NewColumn(f.Type, blocks))
		}
	}
	c.Reset()
	return c
}

// Reset empties the column and keeps its buffers: vectors made before are gone.
func (c *Column) Reset() {
	c.n, c.nulls, c.data, c.heap = 0, false, c.data[:0], c.heap[:0]
	if c.offsets() {
		columnar.Of[int32](c.grow())[0] = 0
	}
	for _, k := range c.Kids {
		k.Reset()
	}
}

func (c *Column) offsets() bool { return c.layout == columnar.List || c.layout == columnar.Entries }

// Len is the number of values.
func (c *Column) Len() int { return c.n }

const padding = 64

// grow adds room for one value and returns it.
func (c *Column) grow() []byte {
	at := len(c.data)
	if at+c.width+padding > cap(c.data) {
		next := columnar.Make(columnar.Bool8, 2*at+1024+padding)
		copy(next, c.data)
		c.data = next
	}
	c.data = c.data[:at+c.width]
	return c.data[at:]
}

// next counts a value that is not null.
func (c *Column) next() {
	if c.nulls {
		c.mark(true)
	}
	c.n++
}

// mark sets the validity of value n.
func (c *Column) mark(valid bool) {
	if w := c.n >> 6; w >= len(c.valid) {
		c.valid = append(c.valid, 0)
	}
	if valid {
		c.valid.Set(c.n)
	} else {
		c.valid.Clear(c.n)
	}
}

// Null appends a null.
func (c *Column) Null() {
	if !c.nulls {
		c.nulls = true
		c.valid = append(c.valid[:0], columnar.FullBitmap(c.n)...)
	}
	c.mark(false)
	switch {
	case c.offsets():
		last := columnar.Of[int32](c.data)[c.n]
		columnar.Of[int32](c.grow())[0] = last
	case c.layout == columnar.Record:
		for _, k := range c.Kids {
			if k.n == c.n {
				k.Null()
			}
		}
	case c.width > 0:
		clear(c.grow())
	}
	c.n++
}

// Bool, Int, Float, Double, Decimal and Interval append a value of the layout that the type has.
func (c *Column) Bool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	c.grow()[0] = b
	c.next()
}

// Int appends to a column of 8, 16, 32 or 64 bits, which must hold v.
func (c *Column) Int(v int64) {
	b := c.grow()
	switch c.width {
	case 1:
		b[0] = byte(v)
	case 2:
		columnar.Of[int16](b)[0] = int16(v)
	case 4:
		columnar.Of[int32](b)[0] = int32(v)
	default:
		columnar.Of[int64](b)[0] = v
	}
	c.next()
}

// Float appends to a FLOAT column.
func (c *Column) Float(v float32) {
	columnar.Of[float32](c.grow())[0] = v
	c.next()
}

// Double appends to a DOUBLE column.
func (c *Column) Double(v float64) {
	columnar.Of[float64](c.grow())[0] = v
	c.next()
}

// Decimal appends an unscaled value that fits the type.
func (c *Column) Decimal(v types.Int128) {
	if c.width == 8 {
		columnar.Of[int64](c.grow())[0] = v.Int64()
	} else {
		columnar.Of[types.Int128](c.grow())[0] = v
	}
	c.next()
}

// View appends a text that lies at offset off of a block.
func (c *Column) View(text []byte, block, off int) {
	columnar.Of[columnar.View](c.grow())[0] = columnar.MakeView(text, uint32(block+1), uint32(off))
	c.next()
}

// Text appends a copy of a text.
func (c *Column) Text(text []byte) {
	off := len(c.heap)
	if len(text) > columnar.InlineMax {
		c.heap = append(c.heap, text...)
	}
	columnar.Of[columnar.View](c.grow())[0] = columnar.MakeView(text, 0, uint32(off))
	c.next()
}

// End ends a nested value that is not null: what was appended to Kids since the last End belongs to it.
func (c *Column) End() {
	if c.offsets() {
		columnar.Of[int32](c.grow())[0] = int32(c.Kids[0].n)
	}
	c.next()
}

// Truncate drops the values behind the first n.
func (c *Column) Truncate(n int) {
	if n >= c.n {
		for _, k := range c.Kids { // a nested value that was begun
			if c.offsets() {
				k.Truncate(int(columnar.Of[int32](c.data)[c.n]))
			} else {
				k.Truncate(n)
			}
		}
		return
	}
	c.n = n
	kids := n
	if c.offsets() {
		kids = int(columnar.Of[int32](c.data)[n])
		c.data = c.data[:(n+1)*4]
	} else {
		c.data = c.data[:n*c.width]
	}
	if c.nulls {
		c.valid = c.valid[:(n+63)/64]
	}
	for _, k := range c.Kids {
		k.Truncate(kids)
	}
}

// Vector shows the values; it holds until the next Reset.
func (c *Column) Vector() columnar.Vector {
	v := columnar.Vector{Type: c.Type, N: c.n, Data: c.data}
	if c.nulls {
		v.Valid = c.valid
	}
	if c.layout == columnar.View16 {
		v.Bufs = append(v.Bufs, c.heap)
		if c.blocks != nil {
			v.Bufs = append(v.Bufs, c.blocks.bufs...)
		}
	}
	for _, k := range c.Kids {
		v.Kids = append(v.Kids, k.Vector())
	}
	return v
}

// String shows bytes as a string without a copy, for parsers that do not keep it.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// ParseFloat reads a floating-point number; text of digits, signs, points and exponents takes a short way.
func ParseFloat(s string, bits int) (float64, bool) {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c|0x20 == 'e') {
			return types.ParseFloat(s, bits)
		}
	}
	v, err := strconv.ParseFloat(s, bits)
	return v, err == nil || math.IsInf(v, 0)
}
