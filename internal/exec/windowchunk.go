package exec

import (
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// windowPage is the number of rows of a page; a multiple of 64.
const windowPage = BatchRows

// windowChunk holds whole partitions. If they do not fit into memory their rows lie in a file, page by page, of which the
// pages in use are read back.
type windowChunk struct {
	schema *types.Schema
	store  *rowStore
	n      int
	starts []int           // first rows of the partitions
	peers  columnar.Bitmap // rows that begin a group of peers

	cols  []columnar.Vector // in memory
	file  *memory.SpillFile
	at    []int64 // positions of the pages
	cache [6]windowCached
	tick  int
	part  []columnar.Vector // a page of cols
	rows  []uint32
}

type windowCached struct {
	page   int
	reader *memory.FrameReader
	cols   []columnar.Vector
	used   int
}

func newWindowChunk(s *types.Schema) *windowChunk {
	return &windowChunk{schema: s, store: newRowStore(s)}
}

func (c *windowChunk) bytes() int64 { return c.store.bytes() + int64(cap(c.peers))*8 }

// add takes rows [from, to) of a batch, whose peers begin at the given bits.
func (c *windowChunk) add(b *columnar.Batch, from, to int, peers columnar.Bitmap) {
	if from == 0 && to == b.N {
		c.store.add(b)
	} else {
		c.rows = sized(c.rows, to-from)
		for i := range c.rows {
			c.rows[i] = uint32(from + i)
		}
		c.store.addRows(b, c.rows)
	}
	for words := (c.n + to - from + 63) / 64; len(c.peers) < words; {
		c.peers = append(c.peers, 0)
	}
	for i := from; i < to; i++ {
		c.peers[(c.n+i-from)>>6] |= (peers[i>>6] >> (uint(i) & 63) & 1) << (uint(c.n+i-from) & 63)
	}
	c.n += to - from
}

// spill writes the full pages at hand to the file, and at the end what is left too.
func (c *windowChunk) spill(d *memory.Dirs, end bool) error {
	if c.file == nil {
		f, err := d.Spill()
		if err != nil {
			return err
		}
		c.file = f
	}
	all := columnar.Batch{Schema: c.schema, Cols: c.store.finish(), N: c.store.n}
	from := 0
	for ; from+windowPage <= all.N || end && from < all.N; from += windowPage {
		at, err := c.file.Position()
		if err != nil {
			return err
		}
		c.at = append(c.at, at)
		if err := c.file.WriteFrame(&all, from, min(from+windowPage, all.N)); err != nil {
			return err
		}
	}
	c.store = newRowStore(c.schema)
	if from < all.N {
		rows := make([]uint32, all.N-from)
		for i := range rows {
			rows[i] = uint32(from + i)
		}
		c.store.addRows(&all, rows)
	}
	return nil
}

// seal ends the collecting.
func (c *windowChunk) seal(d *memory.Dirs) error {
	c.starts = append(c.starts, c.n)
	if c.file == nil {
		c.cols = c.store.finish()
		return nil
	}
	if err := c.spill(d, true); err != nil {
		return err
	}
	at, err := c.file.Position()
	if err != nil {
		return err
	}
	c.at = append(c.at, at)
	for i := range c.cache {
		c.cache[i].page = -1
	}
	return c.file.Done()
}

// page is the columns of a page. Those of a file hold until five other pages have been asked for.
func (c *windowChunk) page(p int) ([]columnar.Vector, error) {
	if c.file == nil {
		c.part = sized(c.part, len(c.cols))
		for i := range c.cols {
			c.part[i] = c.cols[i].Window(p*windowPage, min(p*windowPage+windowPage, c.n))
		}
		return c.part, nil
	}
	c.tick++
	old := &c.cache[0]
	for i := range c.cache {
		e := &c.cache[i]
		if e.page == p {
			e.used = c.tick
			return e.cols, nil
		}
		if e.used < old.used {
			old = e
		}
	}
	r := c.file.Section(c.schema, c.at[p], c.at[p+1])
	b, err := r.Next()
	if err != nil {
		return nil, err
	}
	*old = windowCached{page: p, reader: r, cols: b.Cols, used: c.tick}
	return b.Cols, nil
}

// row is the columns that hold row i, and where.
func (c *windowChunk) row(i int) ([]columnar.Vector, int, error) {
	if c.file == nil {
		return c.cols, i, nil
	}
	cols, err := c.page(i / windowPage)
	return cols, i % windowPage, err
}

// take gathers the rows of a column that are named; noRow gives null if holes says that there are some.
func (c *windowChunk) take(b *rowBuf, col int, rows []uint32, holes bool) (columnar.Vector, error) {
	if c.file == nil {
		if !holes {
			return b.gather(&c.cols[col], rows), nil
		}
		o := joinOut{}
		o.split(rows)
		return b.gatherOuter(&c.cols[col], o.safe, o.present), nil
	}
	a := columnar.NewAppender(c.schema.Fields[col].Type)
	local := sized(c.rows, len(rows))
	c.rows = local
	for from := 0; from < len(rows); {
		p := rows[from] / windowPage
		to := from
		if rows[from] == noRow {
			for to < len(rows) && rows[to] == noRow {
				to++
			}
			a.AppendNulls(to - from)
			from = to
			continue
		}
		for ; to < len(rows) && rows[to] != noRow && rows[to]/windowPage == p; to++ {
			local[to] = rows[to] % windowPage
		}
		cols, err := c.page(int(p))
		if err != nil {
			return columnar.Vector{}, err
		}
		a.AppendRows(&cols[col], local[from:to])
		from = to
	}
	return a.Finish(), nil
}

// nextPeer is the first row after i that begins a group of peers, at most end.
func (c *windowChunk) nextPeer(i, end int) int {
	i++
	for i < end {
		w := c.peers[i>>6] >> (uint(i) & 63)
		if w != 0 {
			return min(i+bits.TrailingZeros64(w), end)
		}
		i = (i | 63) + 1
	}
	return end
}

func (c *windowChunk) close() error {
	c.store, c.cols = nil, nil
	return c.file.Close()
}

// differs sets the bits of the rows whose value is not that of the row before.
func differs(v *columnar.Vector, bits columnar.Bitmap) {
	if v.Form == columnar.Const {
		return
	}
	if v.Form == columnar.Flat && v.Valid == nil {
		switch columnar.LayoutOf(v.Type) {
		case columnar.Int32x:
			differsFixed(columnar.Of[int32](v.Data)[:v.N], bits)
			return
		case columnar.Int64x:
			differsFixed(columnar.Of[int64](v.Data)[:v.N], bits)
			return
		}
	}
	for i := 1; i < v.N; i++ {
		if kernel.CompareNullFirst(v, i-1, v, i) != 0 {
			bits.Set(i)
		}
	}
}

func differsFixed[T int32 | int64](v []T, bits columnar.Bitmap) {
	for i := 1; i < len(v); i++ {
		var d uint64
		if v[i] != v[i-1] {
			d = 1
		}
		bits[i>>6] |= d << (uint(i) & 63)
	}
}
