package parquet

import (
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Range is rows [From, To) of a row group.
type Range struct{ From, To int64 }

// Column is a column of the output: a field of the file, or a constant.
type Column struct {
	Field *Field
	Const *columnar.Vector
}

// Predicate is a conjunct over some of the columns. Select narrows sel, the ascending row numbers to look at (nil: all of
// b's rows), to the rows for which it is true; b has just the columns that Columns names, in that order. The result may
// lie in sel's memory, and holds until the next call.
type Predicate struct {
	Columns []int
	Select  func(b *columnar.Batch, sel []uint32) ([]uint32, error)
	// Safe: it cannot fail for any value, so it may run before others.
	Safe bool
}

// Keys restricts an integer-like column to keys: Bits holds value-Min for values Min..Max; nil Bits: the bounds alone.
type Keys struct {
	Column   int
	Min, Max int64
	Bits     columnar.Bitmap
}

// Scan says what to read of one row group.
type Scan struct {
	File       *File
	Handle     vfs.File
	Group      int
	Ranges     []Range // ascending; nil: all rows
	Schema     *types.Schema
	Columns    []Column
	Predicates []Predicate
	Keys       []Keys
}

// Batch sizes: a piece has at most maxPiece rows, and batches are filled up to minBatch rows where pieces are small.
const (
	maxPiece = 12288
	minBatch = 4096
	maxBatch = minBatch + maxPiece
)

// column is one output column being read. Pieces are of n <= remaining rows.
type column interface {
	remaining() (int, error)
	skip(n int) error
	read(n int) (*columnar.Vector, error)
	seek(row int64) error
	close()
}

// Scanner yields the rows of a Scan.
type Scanner struct {
	scan       Scan
	pool       *pool
	cols       []column
	piece      []*columnar.Vector // of the current piece, nil: not read
	picked     []bool             // the piece has the selected rows only
	steps      []filterStep
	multi      []Predicate
	ranges     []Range
	row        int64 // next row of ranges[0]
	sel        []uint32
	dictSel    []uint32
	out        []outColumn
	outN       int
	nested     bool
	args       columnar.Batch
	batch      columnar.Batch
	pendingN   int // a piece that was read and filtered but did not fit the batch; its rows are pendingSel
	pendingSel []uint32
	started    bool
	empty      bool // no row passes
	closed     bool
}

// NewScanner opens a scan. Close it.
func NewScanner(s Scan) (*Scanner, error) {
	if s.Group < 0 || s.Group >= len(s.File.RowGroups) {
		return nil, fmt.Errorf("row group %d of %d", s.Group, len(s.File.RowGroups))
	}
	g := &s.File.RowGroups[s.Group]
	r := &Scanner{scan: s, pool: pools.Get().(*pool), ranges: s.Ranges}
	if s.Ranges == nil {
		r.ranges = []Range{{0, g.Rows}}
	}
	if len(r.ranges) > 0 {
		r.row = r.ranges[0].From
	}
	for i, c := range s.Columns {
		r.cols = append(r.cols, r.open(c, g))
		if _, ok := r.cols[i].(*nestedColumn); ok {
			r.nested = true
		}
	}
	r.piece, r.picked = make([]*columnar.Vector, len(r.cols)), make([]bool, len(r.cols))
	r.out = r.pool.out(len(r.cols))
	r.sel, r.dictSel = r.pool.selection(), r.pool.selection()
	r.batch = columnar.Batch{Schema: s.Schema, Cols: make([]columnar.Vector, len(r.cols))}
	r.planFilters()
	return r, nil
}

func (r *Scanner) open(c Column, g *RowGroup) column {
	switch {
	case c.Const != nil:
		return &constColumn{v: *c.Const}
	case c.Field.Missing() || c.Field.Type.Kind == types.NullKind:
		return &constColumn{v: nullConst(c.Field.Type)}
	}
	if n := c.Field.Flat(); n != nil {
		l := r.pool.leaf()
		l.reset()
		l.open(r.scan.Handle, &g.Columns[n.Leaf], n, c.Field.Type, c.Field.conv, r.pool)
		return l
	}
	return newNested(r, c.Field, g)
}

// nullConst is a constant null of a type.
func nullConst(t types.Type) columnar.Vector { return columnar.NewConst(t, nil, 1) }

// constColumn is a column of one value.
type constColumn struct{ v, cur columnar.Vector }

func (c *constColumn) remaining() (int, error) { return 1 << 30, nil }
func (c *constColumn) skip(int) error          { return nil }
func (c *constColumn) seek(int64) error        { return nil }
func (c *constColumn) close()                  {}
func (c *constColumn) read(n int) (*columnar.Vector, error) {
	c.cur = c.v
	c.cur.N = n
	return &c.cur, nil
}

// Next returns the next batch, which holds until the next call, or io.EOF.
func (r *Scanner) Next() (b *columnar.Batch, err error) {
	err = vfs.Guard(func() error {
		b, err = r.next()
		return err
	})
	if err != nil {
		b = nil
	}
	return b, err
}

// Close gives the buffers back; the last batch is gone then.
func (r *Scanner) Close() {
	if r.closed {
		return
	}
	r.closed = true
	for _, c := range r.cols {
		c.close()
		if l, ok := c.(*leaf); ok {
			r.pool.leaves = append(r.pool.leaves, l)
		}
	}
	for i := range r.out {
		r.out[i].forget()
	}
	r.pool.outs = append(r.pool.outs, r.out)
	r.pool.sels = append(r.pool.sels, r.dictSel, r.sel)
	r.cols, r.out, r.sel, r.dictSel = nil, nil, nil, nil
	r.empty = true
	r.pool.recycle()
	pools.Put(r.pool)
	r.pool = nil
}

func (r *Scanner) next() (*columnar.Batch, error) {
	r.pool.recycle()
	r.outN = 0
	for i := range r.out {
		r.out[i].reset()
	}
	if len(r.cols) == 0 {
		return r.countOnly()
	}
	if err := r.start(); err != nil {
		return nil, err
	}
	if r.pendingN > 0 {
		n, sel := r.pendingN, r.pendingSel
		r.pendingN, r.pendingSel = 0, nil
		if done, err := r.deliver(n, sel); err != nil || done {
			return &r.batch, err
		}
	}
	for !r.empty && r.pendingN == 0 {
		n, err := r.pieceSize()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		if r.outN > 0 && (r.outN >= minBatch || r.outN+n > maxBatch || r.nested) {
			break
		}
		if done, err := r.readPiece(n); err != nil {
			return nil, err
		} else if done {
			return &r.batch, nil
		}
	}
	if r.outN == 0 {
		return nil, io.EOF
	}
	r.batch.N = r.outN
	for i := range r.out {
		r.batch.Cols[i] = r.out[i].finish(r.outN)
	}
	return &r.batch, nil
}

// countOnly serves scans of no columns: one batch a range.
func (r *Scanner) countOnly() (*columnar.Batch, error) {
	if len(r.ranges) == 0 {
		return nil, io.EOF
	}
	r.batch.N = int(r.ranges[0].To - r.row)
	r.nextRange()
	return &r.batch, nil
}

func (r *Scanner) nextRange() {
	r.ranges = r.ranges[1:]
	if len(r.ranges) > 0 {
		r.row = r.ranges[0].From
	}
}

// pieceSize is the number of rows up to the nearest end of a page or of the range, cut into even pieces; 0 at the end.
func (r *Scanner) pieceSize() (int, error) {
	for len(r.ranges) > 0 && r.row >= r.ranges[0].To {
		r.nextRange()
	}
	if len(r.ranges) == 0 {
		return 0, nil
	}
	n := int(r.ranges[0].To - r.row)
	for i, c := range r.cols {
		if err := c.seek(r.row); err != nil {
			return 0, r.wrap(i, err)
		}
		k, err := c.remaining()
		if err != nil {
			return 0, r.wrap(i, err)
		}
		if k == 0 {
			return 0, r.wrap(i, errValueCount)
		}
		n = min(n, k)
	}
	if n > maxPiece {
		parts := (n + maxPiece - 1) / maxPiece
		n = ((n+parts-1)/parts + 63) &^ 63
	}
	return n, nil
}

func (r *Scanner) wrap(col int, err error) error {
	name := ""
	if f := r.scan.Columns[col].Field; f != nil && f.node != nil {
		name = f.node.name
	}
	return &FormatError{Path: r.scan.File.Info.Path, RowGroup: r.scan.Group, Column: name, Err: err}
}

// column reads column i's part of the current piece unless a filter did already.
func (r *Scanner) column(i, n int) (*columnar.Vector, error) {
	if r.piece[i] == nil {
		v, err := r.cols[i].read(n)
		if err != nil {
			return nil, r.wrap(i, err)
		}
		r.piece[i] = v
	}
	return r.piece[i], nil
}

// readPiece filters the next n rows and adds what passes to the output. done: the batch is complete, without a copy.
func (r *Scanner) readPiece(n int) (done bool, err error) {
	clear(r.piece)
	r.row += int64(n)
	sel, all, err := r.filter(n)
	if err != nil || r.empty {
		return false, err
	}
	if !all && len(sel) == 0 {
		return false, r.skipRest(n)
	}
	if all {
		sel = nil
	}
	for i := range r.cols {
		if r.picked[i], err = r.payload(i, n, sel); err != nil {
			return false, err
		}
	}
	return r.deliver(n, sel)
}

// payload reads a column for the rows that are left; picked says that the piece has just these.
func (r *Scanner) payload(i, n int, sel []uint32) (picked bool, err error) {
	if l, ok := r.cols[i].(*leaf); ok && sel != nil && r.piece[i] == nil {
		v, ok, err := l.readSome(n, sel)
		if err != nil {
			return false, r.wrap(i, err)
		}
		if ok {
			r.piece[i] = v
			return true, nil
		}
	}
	_, err = r.column(i, n)
	return false, err
}

// deliver adds the piece's rows sel (nil: all n) to the output, or keeps it pending if it does not go with what is there.
// done: the batch is complete.
func (r *Scanner) deliver(n int, sel []uint32) (done bool, err error) {
	if sel == nil && r.outN == 0 && (n >= minBatch/2 || r.nested) {
		return true, r.emit(n)
	}
	for i, v := range r.piece {
		if r.outN > 0 && !r.out[i].fits(v) {
			r.pendingN, r.pendingSel = n, sel
			return false, nil
		}
	}
	k := n
	if sel != nil {
		k = len(sel)
	}
	for i, v := range r.piece {
		if r.picked[i] {
			r.out[i].add(v, nil, r.outN, k)
		} else {
			r.out[i].add(v, sel, r.outN, k)
		}
	}
	r.outN += k
	return false, nil
}

// emit shows the piece itself as the batch.
func (r *Scanner) emit(n int) error {
	r.batch.N = n
	for i, v := range r.piece {
		r.batch.Cols[i] = *v
	}
	return nil
}

// skipRest passes over the piece in the columns that no filter read.
func (r *Scanner) skipRest(n int) error {
	for i, c := range r.cols {
		if r.piece[i] == nil {
			if err := c.skip(n); err != nil {
				return r.wrap(i, err)
			}
		}
	}
	return nil
}
