package parquet

import (
	"encoding/binary"
	"io"
	"sort"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// WriterOptions shape a file; the zero value writes uncompressed pages with dictionaries and INT96 timestamps.
type WriterOptions struct {
	Codec           Codec
	Timestamps      TimestampForm
	Legacy          bool // decimals as byte arrays (spark.sql.parquet.writeLegacyFormat)
	NoDictionary    bool
	RowGroupBytes   int64 // of a row group in memory; 0: 128 MB
	PageBytes       int   // 0: 1 MB
	DictionaryBytes int   // 0: 1 MB
	Keys            map[string]string
	CreatedBy       string
}

func (o *WriterOptions) pageBytes() int { return orDefault(o.PageBytes, 1<<20) }
func (o *WriterOptions) dictionaryBytes() int {
	return orDefault(o.DictionaryBytes, 1<<20)
}

func orDefault(v, def int) int {
	if v <= 0 {
		return def
	}
	return v
}

// Pages hold up to pageRows rows and begin at the same rows in all columns; windowRows is how much of a batch is written
// between looks at their sizes. A row group has at most groupRows rows.
const (
	pageRows   = 20000
	windowRows = 5000
	groupRows  = 1 << 20
)

// Writer writes a file of one schema. A row group is held in memory, compressed, until it is full.
type Writer struct {
	out    io.Writer
	off    int64
	schema *types.Schema
	root   *Node
	cols   []*columnWriter
	o      WriterOptions
	rows   int64 // of the row group
	page   int   // rows since the last page end
	total  int64
	groups []groupMeta
	valid  []uint32
}

type groupMeta struct {
	rows   int64
	chunks []chunkMeta
}

// NewWriter starts a file.
func NewWriter(out io.Writer, s *types.Schema, o WriterOptions) (*Writer, error) {
	w := &Writer{out: out, schema: s, o: o}
	sw := schemaWriter{o: &w.o}
	var err error
	if w.root, err = sw.schema(s); err != nil {
		return nil, err
	}
	ts := leafTypes(s.Type(), nil)
	for i, n := range sw.leaves {
		w.cols = append(w.cols, newColumnWriter(n, ts[i], &w.o))
	}
	return w, w.put([]byte(magic))
}

// leafTypes lists the atomic types in the order of the leaves.
func leafTypes(t types.Type, out []types.Type) []types.Type {
	switch t.Kind {
	case types.ArrayKind:
		return leafTypes(t.Elem(), out)
	case types.MapKind:
		return leafTypes(t.Elem(), leafTypes(t.Key(), out))
	case types.StructKind:
		for _, f := range t.Fields() {
			out = leafTypes(f.Type, out)
		}
		return out
	case types.VariantKind:
		return append(out, types.Binary, types.Binary)
	}
	return append(out, t)
}

func (w *Writer) put(b []byte) error {
	n, err := w.out.Write(b)
	w.off += int64(n)
	return err
}

// Write adds a batch of the writer's schema.
func (w *Writer) Write(b *columnar.Batch) error {
	for from := 0; from < b.N; {
		n := min(windowRows, b.N-from, pageRows-w.page)
		if err := w.window(b, from, from+n); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// window adds rows [from, to) of a batch.
func (w *Writer) window(b *columnar.Batch, from, to int) error {
	n := to - from
	s := shredder{w: w}
	for i, node := range w.root.Kids {
		v := &b.Cols[i]
		if !node.isGroup() {
			w.flat(w.cols[node.Leaf], v, from, n)
			continue
		}
		in := make([]entry, n)
		for k := range in {
			in[k].row = int32(from + k)
		}
		s.shred(node, v, in)
	}
	w.rows += int64(n)
	w.page += n
	full := w.page >= pageRows
	var size int64
	for _, c := range w.cols {
		c.rows += n
		if err := c.endWindow(full, w.rows); err != nil {
			return err
		}
		size += c.buffered()
	}
	if full {
		w.page = 0
	}
	limit := w.o.RowGroupBytes
	if limit <= 0 {
		limit = 128 << 20
	}
	if size >= limit || w.rows >= groupRows {
		return w.endGroup()
	}
	return nil
}

// flat adds n rows of a column that is not nested.
func (w *Writer) flat(c *columnWriter, v *columnar.Vector, from, n int) {
	c.entries += n
	w.valid = grow(w.valid, n)
	if !v.MayHaveNulls() {
		for i := range w.valid {
			w.valid[i] = uint32(from + i)
			if c.node.Def > 0 {
				c.def = append(c.def, 1)
			}
		}
		c.values(v, w.valid)
		return
	}
	w.valid = w.valid[:0]
	for i := from; i < from+n; i++ {
		if v.Null(i) {
			c.nulls++
			c.def = append(c.def, 0)
			continue
		}
		if c.node.Def > 0 {
			c.def = append(c.def, 1)
		}
		w.valid = append(w.valid, uint32(i))
	}
	c.values(v, w.valid)
}

// endGroup writes the row group.
func (w *Writer) endGroup() error {
	if w.rows == 0 {
		return nil
	}
	g := groupMeta{rows: w.rows}
	for _, c := range w.cols {
		if c.entries > 0 {
			if err := c.endPage(w.rows - int64(c.rows)); err != nil {
				return err
			}
		}
		if err := w.chunk(c); err != nil {
			return err
		}
		g.chunks = append(g.chunks, c.meta)
		c.reset()
	}
	w.groups = append(w.groups, g)
	w.total += w.rows
	w.rows, w.page = 0, 0
	return nil
}

func (w *Writer) chunk(c *columnWriter) error {
	dict, err := c.dictionaryPage()
	if err != nil {
		return err
	}
	if dict != nil {
		c.meta.dictOff = w.off
		if err := w.put(dict); err != nil {
			return err
		}
	}
	c.meta.dataOff = w.off
	c.meta.compressed = int64(len(dict) + len(c.chunk))
	c.meta.lo, c.meta.hi = c.whole.bounds()
	c.meta.offsetIndex = c.offsetIndex(c.meta.dataOff)
	c.meta.columnIndex = c.columnIndex()
	return w.put(c.chunk)
}

// indexes writes the page indexes of all row groups, as is the custom: column indexes, then offset indexes.
func (w *Writer) indexes() error {
	each := func(f func(m *chunkMeta) error) error {
		for i := range w.groups {
			for k := range w.groups[i].chunks {
				if err := f(&w.groups[i].chunks[k]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := each(func(m *chunkMeta) error {
		m.columnSpan = span{w.off, int32(len(m.columnIndex))}
		return w.put(m.columnIndex)
	}); err != nil {
		return err
	}
	return each(func(m *chunkMeta) error {
		m.offsetSpan = span{w.off, int32(len(m.offsetIndex))}
		return w.put(m.offsetIndex)
	})
}

// columnIndex gives the bounds of each page; nil when a page with values has none.
func (c *columnWriter) columnIndex() []byte {
	for _, p := range c.pages {
		if !p.empty && p.lo == nil {
			return nil
		}
	}
	var t thriftOut
	t.open()
	t.list(1, tTrue, len(c.pages))
	for _, p := range c.pages {
		b := byte(tFalse)
		if p.empty {
			b = tTrue
		}
		t.b = append(t.b, b)
	}
	t.list(2, tBinary, len(c.pages))
	for _, p := range c.pages {
		t.rawBytes(p.lo)
	}
	t.list(3, tBinary, len(c.pages))
	for _, p := range c.pages {
		t.rawBytes(p.hi)
	}
	t.i32(4, 0) // not known to be ordered
	t.list(5, tI64, len(c.pages))
	for _, p := range c.pages {
		t.varint(p.nulls)
	}
	t.close()
	return t.b
}

// offsetIndex says where each page lies and which row it begins with.
func (c *columnWriter) offsetIndex(base int64) []byte {
	var t thriftOut
	t.open()
	t.list(1, tStruct, len(c.pages))
	for _, p := range c.pages {
		t.open()
		t.i64(1, base+int64(p.off))
		t.i32(2, int32(p.size))
		t.i64(3, p.row)
		t.close()
	}
	t.close()
	return t.b
}

// Rows is the number of rows written so far.
func (w *Writer) Rows() int64 { return w.total + w.rows }

// Bytes is the size of the file so far, what is in memory included.
func (w *Writer) Bytes() int64 {
	n := w.off
	for _, c := range w.cols {
		n += c.buffered()
	}
	return n
}

// Close writes what is left and the footer; it does not close the underlying writer.
func (w *Writer) Close() error {
	if err := w.endGroup(); err != nil {
		return err
	}
	if err := w.indexes(); err != nil {
		return err
	}
	f := w.footer()
	n := len(f)
	f = binary.LittleEndian.AppendUint32(f, uint32(n))
	return w.put(append(f, magic...))
}

func (w *Writer) footer() []byte {
	var elems thriftOut
	count := writeElements(&elems, w.root, true)
	var t thriftOut
	t.open()
	t.i32(1, 1)
	t.list(2, tStruct, count)
	t.b = append(t.b, elems.b...)
	t.i64(3, w.total)
	t.list(4, tStruct, len(w.groups))
	for i := range w.groups {
		w.groupMeta(&t, &w.groups[i])
	}
	if len(w.o.Keys) > 0 {
		t.list(5, tStruct, len(w.o.Keys))
		names := make([]string, 0, len(w.o.Keys))
		for k := range w.o.Keys {
			names = append(names, k)
		}
		sort.Strings(names)
		for _, k := range names {
			t.open()
			t.string(1, k)
			t.string(2, w.o.Keys[k])
			t.close()
		}
	}
	t.string(6, w.o.CreatedBy)
	t.list(7, tStruct, len(w.cols))
	for range w.cols {
		t.open()
		t.sub(1, func() {}) // the order of the type
		t.close()
	}
	t.close()
	return t.b
}

func (w *Writer) groupMeta(t *thriftOut, g *groupMeta) {
	var size, packed int64
	t.open()
	t.list(1, tStruct, len(g.chunks))
	for i := range g.chunks {
		m := &g.chunks[i]
		size += m.uncompressed
		packed += m.compressed
		t.open()
		first := m.dataOff
		if m.dictOff > 0 {
			first = m.dictOff
		}
		t.i64(2, first)
		t.sub(3, func() { w.chunkMeta(t, w.cols[i].node, m, i) })
		t.i64(4, m.offsetSpan.off)
		t.i32(5, m.offsetSpan.len)
		if m.columnSpan.len > 0 {
			t.i64(6, m.columnSpan.off)
			t.i32(7, m.columnSpan.len)
		}
		t.close()
	}
	t.i64(2, size)
	t.i64(3, g.rows)
	t.i64(6, packed)
	t.close()
}

func (w *Writer) chunkMeta(t *thriftOut, n *Node, m *chunkMeta, leaf int) {
	t.i32(1, int32(n.phys))
	encodings := []Encoding{RLE}
	if m.plain > 0 {
		encodings = append(encodings, Plain)
	}
	if m.dict > 0 {
		encodings = append(encodings, PlainDictionary)
	}
	t.list(2, tI32, len(encodings))
	for _, e := range encodings {
		t.varint(int64(e))
	}
	path := w.path(leaf)
	t.list(3, tBinary, len(path))
	for _, p := range path {
		t.rawBytes([]byte(p))
	}
	t.i32(4, int32(w.o.Codec))
	t.i64(5, m.values)
	t.i64(6, m.uncompressed)
	t.i64(7, m.compressed)
	t.i64(9, m.dataOff)
	if m.dictOff > 0 {
		t.i64(11, m.dictOff)
	}
	t.sub(12, func() { writeStatistics(t, m, n) })
	w.encodingStats(t, m)
}

func writeStatistics(t *thriftOut, m *chunkMeta, n *Node) {
	old := n.phys != ByteArrayType && n.phys != FixedType && m.lo != nil
	if old {
		t.bytes(1, m.hi)
		t.bytes(2, m.lo)
	}
	t.i64(3, m.nulls)
	if m.lo != nil {
		t.bytes(5, m.hi)
		t.bytes(6, m.lo)
	}
}

func (w *Writer) encodingStats(t *thriftOut, m *chunkMeta) {
	type stat struct {
		kind  pageKind
		enc   Encoding
		count int
	}
	var l []stat
	if m.dictOff > 0 {
		l = append(l, stat{dictionaryPage, PlainDictionary, 1})
	}
	if m.dict > 0 {
		l = append(l, stat{dataPage, PlainDictionary, m.dict})
	}
	if m.plain > 0 {
		l = append(l, stat{dataPage, Plain, m.plain})
	}
	t.list(13, tStruct, len(l))
	for _, s := range l {
		t.open()
		t.i32(1, int32(s.kind))
		t.i32(2, int32(s.enc))
		t.i32(3, int32(s.count))
		t.close()
	}
}

// path is the names from the root to a leaf.
func (w *Writer) path(leaf int) []string {
	var find func(n *Node, at []string) []string
	find = func(n *Node, at []string) []string {
		if n.Leaf == leaf {
			return at
		}
		for _, k := range n.Kids {
			if p := find(k, append(at[:len(at):len(at)], k.name)); p != nil {
				return p
			}
		}
		return nil
	}
	return find(w.root, nil)
}
