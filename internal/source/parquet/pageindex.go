package parquet

import (
	"sort"

	"github.com/firesteel/firesteel/internal/vfs"
)

// PageBounds are the bounds of the rows [From, To) of a row group, which lie in one page of a column.
type PageBounds struct {
	Range
	Bounds
}

// pageIndex is a chunk's offset index.
type pageIndex struct {
	offs []int64 // of the pages' headers
	rows []int64 // first row of each page
}

// readOffsetIndex reads where the pages of a chunk lie; nil if the file does not say, or says what cannot be.
func readOffsetIndex(h vfs.File, c *Chunk, rows int64) *pageIndex {
	b, err := indexBytes(h, c.offsetIndex)
	if err != nil || b == nil {
		return nil
	}
	type location struct{ off, row int64 }
	var locs []location
	r := &thrift{b: b}
	r.fields(func(id int16, typ byte) {
		if id != 1 {
			r.skip(typ, false)
			return
		}
		locs = structs(r, typ, func(r *thrift, l *location) {
			r.fields(func(id int16, typ byte) {
				switch id {
				case 1:
					l.off = r.i64()
				case 3:
					l.row = r.i64()
				default:
					r.skip(typ, false)
				}
			})
		})
	})
	out := &pageIndex{}
	for i, l := range locs {
		before := location{c.start() - 1, -1}
		if i > 0 {
			before = locs[i-1]
		}
		if l.off <= before.off || l.row <= before.row || l.row >= rows || l.off >= c.start()+c.Compressed || i == 0 && l.row != 0 {
			return nil
		}
		out.offs, out.rows = append(out.offs, l.off), append(out.rows, l.row)
	}
	if r.bad || len(locs) == 0 {
		return nil
	}
	return out
}

func indexBytes(h vfs.File, s span) ([]byte, error) {
	if s.len <= 0 {
		return nil, nil
	}
	return readAt(h, s.off, int64(s.len))
}

// Pages gives the bounds of each page of a plain column in a row group; nil if there is no index to tell.
func (f *File) Pages(h vfs.File, group int, fld *Field) []PageBounds {
	n := fld.Flat()
	if n == nil {
		return nil
	}
	g := &f.RowGroups[group]
	c := &g.Columns[n.Leaf]
	if c.columnIndex.len <= 0 || n.phys == Int96Type {
		return nil
	}
	at := readOffsetIndex(h, c, g.Rows)
	if at == nil || len(at.rows) < 2 {
		return nil
	}
	b, err := indexBytes(h, c.columnIndex)
	if err != nil {
		return nil
	}
	return columnIndexBounds(b, at, fld, g.Rows)
}

func columnIndexBounds(b []byte, at *pageIndex, fld *Field, rows int64) []PageBounds {
	var null []bool
	var lo, hi [][]byte
	var nulls []int64
	r := &thrift{b: b}
	r.fields(func(id int16, typ byte) {
		if typ != tList || id < 1 || id == 4 || id > 5 {
			r.skip(typ, false)
			return
		}
		_, n := r.list()
		for i := 0; i < n && !r.bad; i++ {
			switch id {
			case 1:
				null = append(null, r.byte() == tTrue)
			case 2:
				lo = append(lo, r.binary())
			case 3:
				hi = append(hi, r.binary())
			case 5:
				nulls = append(nulls, r.i64())
			}
		}
	})
	n := len(at.rows)
	if r.bad || len(null) != n || len(lo) != n || len(hi) != n || len(nulls) != 0 && len(nulls) != n {
		return nil
	}
	out := make([]PageBounds, n)
	for i := range out {
		p := &out[i]
		p.From, p.To = at.rows[i], rows
		if i+1 < n {
			p.To = at.rows[i+1]
		}
		p.Rows, p.Nulls = p.To-p.From, -1
		if len(nulls) == n {
			p.Nulls = nulls[i]
		}
		if null[i] {
			p.Nulls = p.Rows
			continue
		}
		if p.Min, p.Max = fld.bound(lo[i]), fld.bound(hi[i]); p.Min == nil || p.Max == nil {
			p.Min, p.Max = nil, nil
		}
	}
	return out
}

// Cuts are rows near to multiples of step where pages of the row group's largest plain column begin: where it can be cut
// so that few pages are read twice. Without an index they are the multiples themselves.
func (f *File) Cuts(h vfs.File, group int, step int64) []int64 {
	g := &f.RowGroups[group]
	largest := -1
	for i := range g.Columns {
		if f.Leaves[i].Rep == 0 && (largest < 0 || g.Columns[i].Compressed > g.Columns[largest].Compressed) {
			largest = i
		}
	}
	var at *pageIndex
	if largest >= 0 {
		at = readOffsetIndex(h, &g.Columns[largest], g.Rows)
	}
	var out []int64
	for row := step; row < g.Rows-step/2; row += step {
		cut := row
		if at != nil && len(at.rows) > 1 {
			i := sort.Search(len(at.rows), func(i int) bool { return at.rows[i] >= row })
			if i == len(at.rows) || i > 0 && row-at.rows[i-1] < at.rows[i]-row {
				i--
			}
			cut = at.rows[i]
		}
		if cut > 0 && (len(out) == 0 || cut > out[len(out)-1]) {
			out = append(out, cut)
		}
	}
	return out
}

// Intersect gives the rows that are in both lists of ascending ranges.
func Intersect(a, b []Range) []Range {
	var out []Range
	for len(a) > 0 && len(b) > 0 {
		r := Range{max(a[0].From, b[0].From), min(a[0].To, b[0].To)}
		if r.From < r.To {
			out = append(out, r)
		}
		if a[0].To < b[0].To {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// jump goes to the page that holds a row, if the file has an index and the row is not in the current page or the next.
func (l *leaf) jump(row int64) {
	if l.noIndex || row < l.seen {
		return
	}
	if l.index == nil {
		if l.index = readOffsetIndex(l.win.f, l.chunk, l.chunk.Values); l.index == nil {
			l.noIndex = true
			return
		}
	}
	i := sort.Search(len(l.index.rows), func(i int) bool { return l.index.rows[i] > row }) - 1
	if l.index.rows[i] <= l.seen {
		return
	}
	if l.dictBody == 0 && l.seen == 0 { // the dictionary page is noted before it is passed over
		if l.header() == nil && l.hdr.kind == dictionaryPage {
			l.dictHdr, l.dictBody = l.hdr, l.body
		}
	}
	l.release()
	l.loaded, l.rows, l.done = false, 0, 0
	l.pos, l.seen = l.index.offs[i], l.index.rows[i]
}
