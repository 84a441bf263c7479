package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// columnWriter collects one leaf's part of the current row group: finished pages, compressed, and the page being filled.
type columnWriter struct {
	node *Node
	t    types.Type
	o    *WriterOptions

	def, rep []uint8 // levels of the page, when the column has any
	entries  int     // of the page
	rows     int     // of the page
	nulls    int64   // of the page
	useDict  bool
	dict     dictWriter
	codes    []uint32
	plain    []byte // values of the page when no dictionary is used; booleans one byte each
	plainLen int    // what the codes' values would take as plain

	raw     []byte // values of the window in physical form
	ends    []uint32
	scratch []uint32
	page    []byte
	packed  []byte
	chunk   []byte // finished data pages
	pages   []pageMeta
	stats   statWriter // of the page
	whole   statWriter // of the chunk
	meta    chunkMeta
	dictHit bool // some data page uses the dictionary
	flat    bool // some data page does not
}

type pageMeta struct {
	off, size int
	row       int64
	nulls     int64
	empty     bool // of values that are not null
	lo, hi    []byte
}

// chunkMeta is what the footer says of a chunk.
type chunkMeta struct {
	values, nulls            int64
	uncompressed, compressed int64
	dataOff, dictOff         int64
	lo, hi                   []byte
	dict, plain              int    // pages by encoding
	columnIndex, offsetIndex []byte // written behind the last row group
	columnSpan, offsetSpan   span
}

func newColumnWriter(n *Node, t types.Type, o *WriterOptions) *columnWriter {
	c := &columnWriter{node: n, t: t, o: o}
	c.reset()
	return c
}

func (c *columnWriter) reset() {
	c.useDict = !c.o.NoDictionary && c.node.phys != BooleanType
	c.dict.reset()
	c.chunk, c.pages, c.meta = c.chunk[:0], c.pages[:0], chunkMeta{}
	c.dictHit, c.flat = false, false
	c.whole.reset(c.node)
	c.clearPage()
}

func (c *columnWriter) clearPage() {
	c.def, c.rep, c.entries, c.rows, c.nulls = c.def[:0], c.rep[:0], 0, 0, 0
	c.codes, c.plain, c.plainLen = c.codes[:0], c.plain[:0], 0
	c.stats.reset(c.node)
}

// buffered is the memory that the column's part of the row group takes.
func (c *columnWriter) buffered() int64 {
	return int64(len(c.chunk) + len(c.plain) + 4*len(c.codes) + c.dict.size)
}

// values adds the values of v at the rows idx (nil: all of its n rows) to the page.
func (c *columnWriter) values(v *columnar.Vector, idx []uint32, n int) {
	if idx != nil {
		n = len(idx)
	}
	if n == 0 {
		return
	}
	c.physical(v, idx, n)
	switch {
	case c.node.phys == BooleanType:
		c.stats.bools(c.raw[:n])
		c.plain = append(c.plain, c.raw[:n]...)
	case c.node.phys == ByteArrayType:
		c.addStrings(n)
	default:
		c.addFixed(n)
	}
}

func (c *columnWriter) addFixed(n int) {
	w := c.node.fixedWidth()
	c.stats.fixed(c.raw[:n*w], w)
	if !c.useDict {
		c.plain = append(c.plain, c.raw[:n*w]...)
		return
	}
	c.plainLen += n * w
	switch w {
	case 4:
		for _, x := range columnar.Of[uint32](c.raw[:n*4]) {
			c.codes = append(c.codes, c.dict.fixed(uint64(x), 4))
		}
	case 8:
		for _, x := range columnar.Of[uint64](c.raw[:n*8]) {
			c.codes = append(c.codes, c.dict.fixed(x, 8))
		}
	default:
		for i := range n {
			c.codes = append(c.codes, c.dict.bytes(c.raw[i*w:i*w+w], 0))
		}
	}
}

func (c *columnWriter) addStrings(n int) {
	from := uint32(0)
	for _, end := range c.ends[:n] {
		s := c.raw[from:end]
		from = end
		c.stats.text(s)
		if c.useDict {
			c.plainLen += len(s) + 4
			c.codes = append(c.codes, c.dict.bytes(s, 4))
			continue
		}
		c.plain = binary.LittleEndian.AppendUint32(c.plain, uint32(len(s)))
		c.plain = append(c.plain, s...)
	}
}

// overflow gives up the dictionary when it is too large, or when it did not shrink the first page.
func (c *columnWriter) overflow() {
	if !c.useDict {
		return
	}
	first := len(c.pages) == 0
	w := bits.Len(uint(max(c.dict.len()-1, 0)))
	if c.dict.size <= c.o.dictionaryBytes() && !(first && c.entries >= 1000 && c.dict.size+len(c.codes)*w/8 >= c.plainLen) {
		return
	}
	c.useDict = false
	c.plain = c.plain[:0]
	width := c.node.fixedWidth()
	for _, code := range c.codes {
		switch {
		case width == 4:
			c.plain = binary.LittleEndian.AppendUint32(c.plain, uint32(c.dict.keys[code]))
		case width == 8:
			c.plain = binary.LittleEndian.AppendUint64(c.plain, c.dict.keys[code])
		case width > 0:
			c.plain = append(c.plain, c.dict.entry(int(code))...)
		default:
			s := c.dict.entry(int(code))
			c.plain = binary.LittleEndian.AppendUint32(c.plain, uint32(len(s)))
			c.plain = append(c.plain, s...)
		}
	}
	c.codes = c.codes[:0]
}

// endWindow closes the page if it is full: rows says that its rows are, all columns close then.
func (c *columnWriter) endWindow(rows bool, firstRow int64) error {
	c.overflow()
	if c.entries == 0 || !rows && max(len(c.plain), len(c.codes)*2) < c.o.pageBytes() {
		return nil
	}
	return c.endPage(firstRow - int64(c.rows))
}

// endPage encodes and compresses the page, which begins at row.
func (c *columnWriter) endPage(row int64) error {
	body := c.page[:0]
	body, c.scratch = appendLevels(body, c.rep, c.node.Rep, c.scratch)
	body, c.scratch = appendLevels(body, c.def, c.node.Def, c.scratch)
	enc := Plain
	switch {
	case c.useDict:
		enc = PlainDictionary
		c.dictHit = true
		c.meta.dict++
		w := uint(bits.Len(uint(max(c.dict.len()-1, 0))))
		body = append(body, byte(w))
		body = appendHybrid(body, c.codes, w)
	case c.node.phys == BooleanType:
		body = appendBits(body, c.plain)
	default:
		body = append(body, c.plain...)
	}
	if !c.useDict {
		c.flat = true
		c.meta.plain++
	}
	c.page = body
	at := len(c.chunk)
	if err := c.addPage(dataPage, enc, c.entries, body); err != nil {
		return err
	}
	lo, hi := c.stats.bounds()
	c.pages = append(c.pages, pageMeta{at, len(c.chunk) - at, row, c.nulls, c.nulls == int64(c.entries), lo, hi})
	c.whole.merge(&c.stats)
	c.meta.values += int64(c.entries)
	c.meta.nulls += c.nulls
	c.clearPage()
	return nil
}

// addPage appends a page with its header to the chunk.
func (c *columnWriter) addPage(kind pageKind, enc Encoding, values int, body []byte) error {
	packed, err := compressPage(c.o.Codec, c.packed[:0], body)
	if err != nil {
		return err
	}
	c.packed = packed
	w := thriftOut{b: c.chunk}
	at := len(w.b)
	w.open()
	w.i32(1, int32(kind))
	w.i32(2, int32(len(body)))
	w.i32(3, int32(len(packed)))
	w.i32(4, int32(crc32.ChecksumIEEE(packed)))
	id := int16(5)
	if kind == dictionaryPage {
		id = 7
	}
	w.sub(id, func() {
		w.i32(1, int32(values))
		w.i32(2, int32(enc))
		if kind == dataPage {
			w.i32(3, int32(RLE))
			w.i32(4, int32(RLE))
		}
	})
	w.close()
	c.meta.uncompressed += int64(len(w.b) - at + len(body))
	c.chunk = append(w.b, packed...)
	return nil
}

// dictionaryPage is the dictionary's page as bytes; nil if no page uses it.
func (c *columnWriter) dictionaryPage() ([]byte, error) {
	if !c.dictHit {
		return nil, nil
	}
	body := c.page[:0]
	w := c.node.fixedWidth()
	for code := range c.dict.len() {
		switch {
		case w == 4:
			body = binary.LittleEndian.AppendUint32(body, uint32(c.dict.keys[code]))
		case w == 8:
			body = binary.LittleEndian.AppendUint64(body, c.dict.keys[code])
		case w > 0:
			body = append(body, c.dict.entry(code)...)
		default:
			s := c.dict.entry(code)
			body = binary.LittleEndian.AppendUint32(body, uint32(len(s)))
			body = append(body, s...)
		}
	}
	c.page = body
	data := c.chunk
	c.chunk = nil
	err := c.addPage(dictionaryPage, PlainDictionary, c.dict.len(), body)
	page := c.chunk
	c.chunk = data
	return page, err
}
