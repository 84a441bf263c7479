package parquet

import (
	"github.com/firesteel/firesteel/internal/columnar"
)

// nestedColumn reads a column of lists, maps or structs. It reads the levels and values of all of its leaves for a number
// of rows, then builds each node's offsets and validity from the levels of one leaf below it.
//
// In the levels of a leaf, the values of a node inside R lists, whose innermost list's elements begin at definition
// level D, are the entries with repetition level <= R and definition level >= D: its slots. A struct's being null takes no
// slot from its fields.
type nestedColumn struct {
	field  *Field
	leaves map[*Node]*levelLeaf
	order  []*levelLeaf
	pool   *pool
	rows   int64 // of the row group
	row    int64 // next
	cur    columnar.Vector
}

// nestedPiece bounds the rows of a piece: lists may be long.
const nestedPiece = 4096

func newNested(r *Scanner, f *Field, g *RowGroup) column {
	c := &nestedColumn{field: f, leaves: map[*Node]*levelLeaf{}, pool: r.pool, rows: g.Rows}
	c.add(r, f, g)
	return c
}

func (c *nestedColumn) add(r *Scanner, f *Field, g *RowGroup) {
	if f.kind == leafField && c.leaves[f.node] == nil {
		l := &levelLeaf{field: f}
		l.open(r.scan.Handle, &g.Columns[f.node.Leaf], f.node, f.Type, f.conv, r.pool)
		c.leaves[f.node] = l
		c.order = append(c.order, l)
	}
	for _, k := range f.kids {
		c.add(r, k, g)
	}
}

func (c *nestedColumn) remaining() (int, error) {
	return int(min(c.rows-c.row, nestedPiece)), nil
}

func (c *nestedColumn) skip(n int) error {
	c.row += int64(n)
	for _, l := range c.order {
		if err := l.readRows(n, false); err != nil {
			return err
		}
	}
	return nil
}

func (c *nestedColumn) seek(row int64) error {
	if row < c.row {
		return errValueCount
	}
	if n := row - c.row; n > 0 {
		return c.skip(int(n))
	}
	return nil
}

func (c *nestedColumn) read(n int) (*columnar.Vector, error) {
	c.row += int64(n)
	for _, l := range c.order {
		if err := l.readRows(n, true); err != nil {
			return nil, err
		}
	}
	var err error
	c.cur, err = c.build(c.field, 0, 0, n)
	return &c.cur, err
}

func (c *nestedColumn) close() {
	for _, l := range c.order {
		l.pages.close()
	}
}

// temp is a buffer for the current piece.
func (c *nestedColumn) temp(n int) []byte {
	b := c.pool.get(n)
	c.pool.retire(b)
	return b
}

// build makes the vector of a field with n slots at repetition level rep and definition level def.
func (c *nestedColumn) build(f *Field, rep, def, n int) (columnar.Vector, error) {
	if f.kind == missingField {
		return columnar.Nulls(f.Type, n), nil
	}
	w := c.leaves[f.witness()]
	valid, slots := c.validity(f, w, rep, def, n)
	if slots != n {
		return columnar.Vector{}, errLevels
	}
	out := columnar.Vector{Type: f.Type, N: n, Valid: valid}
	switch f.kind {
	case leafField:
		return c.leafVector(out, w), nil
	case structField:
		for _, k := range f.kids {
			v, err := c.build(k, rep, def, n)
			if err != nil {
				return out, err
			}
			out.Kids = append(out.Kids, v)
		}
		return out, nil
	}
	out.Data = c.temp((n + 1) * 4)
	elems := c.offsets(columnar.Of[int32](out.Data), f, w, rep, def)
	for _, k := range f.kids {
		v, err := c.build(k, rep+1, f.elemDef, elems)
		if err != nil {
			return out, err
		}
		out.Kids = append(out.Kids, v)
	}
	return out, nil
}

// validity finds which of a field's slots are not null (nil: all) and counts the slots.
func (c *nestedColumn) validity(f *Field, w *levelLeaf, rep, def, n int) (columnar.Bitmap, int) {
	bits := columnar.NewBitmap(n + 1)
	slots, nulls := 0, 0
	for i, d := range w.outDef {
		if int(w.outRep[i]) > rep || int(d) < def {
			continue
		}
		if slots >= n {
			return nil, slots + 1
		}
		if int(d) >= f.def {
			bits.Set(slots)
		} else {
			nulls++
		}
		slots++
	}
	if nulls == 0 {
		return nil, slots
	}
	return bits[:(n+63)/64], slots
}

// offsets fills a list's or map's offsets from the levels and returns the number of elements.
func (c *nestedColumn) offsets(offs []int32, f *Field, w *levelLeaf, rep, def int) int {
	slot, elems := -1, int32(0)
	for i, d := range w.outDef {
		r := int(w.outRep[i])
		if int(d) < def || r > rep+1 {
			continue
		}
		if r <= rep {
			slot++
			offs[slot] = elems
		}
		if int(d) >= f.elemDef {
			elems++
		}
	}
	offs[slot+1] = elems
	return int(elems)
}

// leafVector puts a leaf's dense values at the slots that are not null.
func (c *nestedColumn) leafVector(out columnar.Vector, w *levelLeaf) columnar.Vector {
	out.Bufs = append([][]byte(nil), w.out.bufs...)
	size := w.out.width * out.N
	out.Data = c.temp(size)
	if out.Valid == nil {
		copy(out.Data, w.out.data)
		return out
	}
	clear(out.Data)
	if w.out.n == 0 {
		return out
	}
	spreadBytes(out.Data, w.out.data[:len(w.out.data)+w.out.width], w.out.width, out.Valid)
	return out
}
