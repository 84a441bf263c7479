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

	raw     []byte // values of the window in physical form
	one     [1]uint32
	seen    []bool   // by code
	remap   []uint32 // our code+1 for codes of the dictionary remapOf; 0: not known yet
	remapOf uint64
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
	c.remapOf = 0
	c.chunk, c.pages, c.meta = c.chunk[:0], c.pages[:0], chunkMeta{}
	c.dictHit, c.flat = false, false
	c.whole.reset(c.node)
	c.clearPage()
}

func (c *columnWriter) clearPage() {
	c.def, c.rep, c.entries, c.rows, c.nulls = c.def[:0], c.rep[:0], 0, 0, 0
	c.codes, c.plain = c.codes[:0], c.plain[:0]
	c.stats.reset(c.node)
}

// buffered is the memory that the column's part of the row group takes.
func (c *columnWriter) buffered() int64 {
	return int64(len(c.chunk) + len(c.plain) + 4*len(c.codes) + c.dict.size)
}

// values adds the values of v at the rows idx to the page.
func (c *columnWriter) values(v *columnar.Vector, idx []uint32) {
	n := len(idx)
	switch {
	case n == 0:
	case v.Form == columnar.Dict && c.useDict && v.Dict.DictID != 0:
		c.translate(v, idx)
	case c.node.phys == ByteArrayType:
		d, at := c.flatRows(v, idx)
		c.addStrings(d, at)
	default:
		d, at := c.flatRows(v, idx)
		c.raw = growBytes(c.raw, n*max(c.node.fixedWidth(), 1))
		c.fixed(d, at, n)
		c.addFixed(n)
	}
}

// flatRows finds the flat values of a vector and where those of the rows are.
func (c *columnWriter) flatRows(v *columnar.Vector, idx []uint32) (*columnar.Vector, []uint32) {
	switch v.Form {
	case columnar.Dict:
		c.scratch = grow(c.scratch, len(idx))
		columnar.GatherInto(c.scratch, v.Codes, idx)
		return v.Dict, c.scratch
	case columnar.Const:
		c.scratch = grow(c.scratch, len(idx))
		clear(c.scratch)
		return v, c.scratch
	}
	return v, idx
}

// translate adds values that come as codes of another dictionary: each of its entries is looked up once.
func (c *columnWriter) translate(v *columnar.Vector, idx []uint32) {
	if c.remapOf != v.Dict.DictID || len(c.remap) < v.Dict.N {
		c.remap = grow(c.remap, v.Dict.N)
		clear(c.remap)
		c.remapOf = v.Dict.DictID
	}
	for _, i := range idx {
		from := v.Codes[i]
		to := c.remap[from]
		if to == 0 {
			to = c.entryCode(v.Dict, from) + 1
			c.remap[from] = to
		}
		c.codes = append(c.codes, to-1)
	}
}

// entryCode is the code of one entry of another dictionary.
func (c *columnWriter) entryCode(d *columnar.Vector, entry uint32) uint32 {
	if c.node.phys == ByteArrayType {
		return c.dict.bytes(columnar.ViewBytes(&columnar.Of[columnar.View](d.Data)[entry], d.Bufs), 4)
	}
	w := c.node.fixedWidth()
	c.raw = growBytes(c.raw, w)
	c.one[0] = entry
	c.fixed(d, c.one[:], 1)
	switch w {
	case 4:
		return c.dict.fixed(uint64(binary.LittleEndian.Uint32(c.raw)), 4)
	case 8:
		return c.dict.fixed(binary.LittleEndian.Uint64(c.raw), 8)
	}
	return c.dict.bytes(c.raw[:w], 0)
}

// addFixed adds the n values in raw.
func (c *columnWriter) addFixed(n int) {
	w := c.node.fixedWidth()
	switch {
	case c.node.phys == BooleanType:
		c.stats.bools(c.raw[:n])
		c.plain = append(c.plain, c.raw[:n]...)
	case !c.useDict:
		c.stats.fixed(c.raw[:n*w], w)
		c.plain = append(c.plain, c.raw[:n*w]...)
	case w == 4:
		for _, x := range columnar.Of[uint32](c.raw[:n*4]) {
			c.codes = append(c.codes, c.dict.fixed(uint64(x), 4))
		}
	case w == 8:
		for _, x := range columnar.Of[uint64](c.raw[:n*8]) {
			c.codes = append(c.codes, c.dict.fixed(x, 8))
		}
	default:
		for i := range n {
			c.codes = append(c.codes, c.dict.bytes(c.raw[i*w:i*w+w], 0))
		}
	}
}

func (c *columnWriter) addStrings(d *columnar.Vector, idx []uint32) {
	views := columnar.Of[columnar.View](d.Data)
	for _, i := range idx {
		s := columnar.ViewBytes(&views[i], d.Bufs)
		if c.useDict {
			c.codes = append(c.codes, c.dict.bytes(s, 4))
			continue
		}
		c.stats.text(s)
		c.plain = binary.LittleEndian.AppendUint32(c.plain, uint32(len(s)))
		c.plain = append(c.plain, s...)
	}
}

// appendEntry appends a dictionary entry in PLAIN form.
func (c *columnWriter) appendEntry(dst []byte, code uint32) []byte {
	switch w := c.node.fixedWidth(); {
	case w == 4:
		return binary.LittleEndian.AppendUint32(dst, uint32(c.dict.keys[code]))
	case w == 8:
		return binary.LittleEndian.AppendUint64(dst, c.dict.keys[code])
	case w > 0:
		return append(dst, c.dict.entry(int(code))...)
	}
	s := c.dict.entry(int(code))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

// codeStats puts the page's values into its statistics, each distinct one once.
func (c *columnWriter) codeStats() {
	if cap(c.seen) < c.dict.len() {
		c.seen = make([]bool, c.dict.len()*2)
	}
	seen := c.seen[:c.dict.len()]
	clear(seen)
	w := c.node.fixedWidth()
	for _, code := range c.codes {
		if seen[code] {
			continue
		}
		seen[code] = true
		if w == 0 {
			c.stats.text(c.dict.entry(int(code)))
		} else {
			c.raw = c.appendEntry(c.raw[:0], code)
			c.stats.fixed(c.raw, w)
		}
	}
}

// overflow gives up the dictionary when it is too large, or when it did not shrink the first page.
func (c *columnWriter) overflow() {
	if !c.useDict || c.dict.size <= c.o.dictionaryBytes() && !c.poor() {
		return
	}
	c.codeStats()
	c.useDict = false
	c.plain = c.plain[:0]
	for _, code := range c.codes {
		c.plain = c.appendEntry(c.plain, code)
	}
	c.codes = c.codes[:0]
}

// poor says that the first page is not smaller with its dictionary.
func (c *columnWriter) poor() bool {
	if len(c.pages) > 0 || len(c.codes) < 1000 || c.dict.len() < len(c.codes)/2 {
		return false
	}
	plain := len(c.codes) * c.node.fixedWidth()
	if plain == 0 {
		for _, code := range c.codes {
			plain += len(c.dict.entry(int(code))) + 4
		}
	}
	return c.dict.size+len(c.codes)*bits.Len(uint(c.dict.len()))/8 >= plain
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
		c.codeStats()
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
	for code := range c.dict.len() {
		body = c.appendEntry(body, uint32(code))
	}
	c.page = body
	data := c.chunk
	c.chunk = nil
	err := c.addPage(dictionaryPage, PlainDictionary, c.dict.len(), body)
	page := c.chunk
	c.chunk = data
	return page, err
}
