package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// window gives bytes of a file: in place where the file has views, else through a read-ahead buffer.
type window struct {
	f   vfs.File
	end int64 // of what may be read ahead
	buf []byte
	off int64
}

const readAhead = 1 << 20

// bytes returns n bytes at off; they hold until the next call.
func (w *window) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > w.end-n {
		return nil, io.ErrUnexpectedEOF
	}
	if b, ok := w.f.View(off, n); ok {
		return b, nil
	}
	if off < w.off || off+n > w.off+int64(len(w.buf)) {
		size := min(max(n, readAhead), w.end-off)
		if int64(cap(w.buf)) < size {
			w.buf = make([]byte, size)
		}
		w.buf, w.off = w.buf[:size], off
		if k, err := w.f.ReadAt(w.buf, off); int64(k) < size {
			w.buf = w.buf[:0]
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return w.buf[off-w.off:][:n], nil
}

// pages walks over the pages of a column chunk.
type pages struct {
	win   window
	pool  *pool
	chunk *Chunk
	node  *Node
	t     types.Type
	conv  conversion

	pos, end int64
	seen     int64 // values of the pages whose headers were read
	hdr      pageHeader
	body     int64 // offset of the current page's bytes
	dictHdr  pageHeader
	dictBody int64 // 0: none
	dict     *columnar.Vector
	dictBuf  [][]byte // buffers of the dictionary
	held     [][]byte // buffers of the current page
}

var (
	errHeader     = errors.New("a page header is damaged")
	errValueCount = errors.New("the pages do not have as many values as the column chunk")
)

// maxPage bounds a page's size, maxValues the number of its values (nulls take no bytes).
const (
	maxPage   = 1 << 30
	maxValues = 1 << 26
)

func (p *pages) open(f vfs.File, c *Chunk, n *Node, t types.Type, conv conversion, pl *pool) {
	*p = pages{win: window{f: f, end: c.start() + c.Compressed}, pool: pl, chunk: c, node: n, t: t, conv: conv}
	p.pos, p.end = c.start(), c.start()+c.Compressed
}

// next reads the header of the next data page; the dictionary page before the first is noted on the way.
func (p *pages) next() error {
	for {
		if p.pos >= p.end {
			return errValueCount
		}
		if err := p.header(); err != nil {
			return err
		}
		h := &p.hdr
		switch h.kind {
		case dictionaryPage:
			if p.dictBody != 0 || p.seen > 0 {
				return fmt.Errorf("%w: a second dictionary page", errHeader)
			}
			p.dictHdr, p.dictBody = *h, p.body
		case dataPage, dataPageV2:
			if h.values == 0 {
				continue
			}
			p.seen += int64(h.values)
			if p.seen > p.chunk.Values || h.values > maxValues {
				return errValueCount
			}
			return nil
		}
	}
}

// own takes a buffer from the pool for the current page.
func (p *pages) own(n int) []byte {
	b := p.pool.get(n)
	p.held = append(p.held, b)
	return b
}

// release retires the current page's buffers.
func (p *pages) release() {
	for _, b := range p.held {
		p.pool.retire(b)
	}
	p.held = p.held[:0]
}

// header reads the page header at pos and moves pos behind the page.
func (p *pages) header() error {
	for size := int64(256); ; size *= 8 {
		size = min(size, p.end-p.pos)
		b, err := p.win.bytes(p.pos, size)
		if err != nil {
			return err
		}
		r := thrift{b: b}
		p.hdr.read(&r)
		if r.bad && size < p.end-p.pos {
			continue
		}
		h := &p.hdr
		if r.bad || h.compressed < 0 || h.uncompressed < 0 || h.uncompressed > maxPage || h.values < 0 ||
			int64(h.compressed) > p.end-p.pos-int64(r.p) {
			return errHeader
		}
		p.body = p.pos + int64(r.p)
		p.pos = p.body + int64(h.compressed)
		return nil
	}
}

// unpack decompresses a page into a buffer of the pool: levels of v2 pages, which are never compressed, come first.
func (p *pages) unpack(h *pageHeader, body int64) ([]byte, error) {
	src, err := p.win.bytes(body, int64(h.compressed))
	if err != nil {
		return nil, err
	}
	levels := 0
	if h.kind == dataPageV2 {
		if h.defLen < 0 || h.repLen < 0 || int64(h.defLen)+int64(h.repLen) > int64(min(h.compressed, h.uncompressed)) {
			return nil, errHeader
		}
		levels = int(h.defLen) + int(h.repLen)
	}
	codec := p.chunk.Codec
	if h.kind == dataPageV2 && h.plainBody {
		codec = Uncompressed
	}
	if codec == Snappy && len(src)-levels < int(h.uncompressed)/64 { // Snappy copies at most 64 bytes with 3
		return nil, errLength
	}
	dst := p.own(int(h.uncompressed))
	copy(dst, src[:levels])
	if levels == len(dst) && len(src) == levels {
		return dst, nil
	}
	if err := decompress(codec, dst[levels:], src[levels:]); err != nil {
		return nil, err
	}
	return dst, nil
}

// dictionary decodes the dictionary page once.
func (p *pages) dictionary() (*columnar.Vector, error) {
	if p.dict != nil {
		return p.dict, nil
	}
	if p.dictBody == 0 {
		return nil, fmt.Errorf("%w: a page refers to a dictionary that is not there", errHeader)
	}
	page := p.held
	p.held = p.dictBuf
	v, err := p.readDictionary(&p.dictHdr)
	p.held, p.dictBuf = page, p.held
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	v.DictID = columnar.NextDictID()
	p.dict = &v
	return p.dict, nil
}

func (p *pages) readDictionary(h *pageHeader) (columnar.Vector, error) {
	if h.encoding != Plain && h.encoding != PlainDictionary {
		return columnar.Vector{}, fmt.Errorf("encoding %d is not supported", h.encoding)
	}
	buf, err := p.unpack(h, p.dictBody)
	if err != nil {
		return columnar.Vector{}, err
	}
	return p.plain(buf, 0, int(h.values))
}

// close retires all buffers and lets go of the file's pages.
func (p *pages) close() {
	if p.win.f != nil {
		p.win.f.Forget(p.chunk.start(), p.chunk.Compressed)
	}
	p.release()
	for _, b := range p.dictBuf {
		p.pool.retire(b)
	}
	p.dict, p.dictBuf = nil, nil
}

// fixedWidth is the width in bytes of a physical type; 0 for booleans and byte strings.
func (n *Node) fixedWidth() int {
	switch n.phys {
	case Int32Type, FloatType:
		return 4
	case Int64Type, DoubleType:
		return 8
	case Int96Type:
		return 12
	case FixedType:
		return int(n.length)
	}
	return 0
}

// plain decodes n PLAIN values at buf[at:] to a flat vector, which is a view of buf where the layouts agree.
func (p *pages) plain(buf []byte, at, n int) (columnar.Vector, error) {
	v := columnar.Vector{Type: p.t, N: n}
	if w := p.node.fixedWidth(); w > 0 {
		if n > (len(buf)-at)/w {
			return v, errShort
		}
		return p.fixed(buf, at, n)
	}
	if p.node.phys == BooleanType {
		if n > (len(buf)-at)*8 {
			return v, errShort
		}
		v.Data = p.own(n)
		expandBits(v.Data, buf[at:])
		return v, nil
	}
	if n > (len(buf)-at)/4 {
		return v, errShort
	}
	if p.conv.step == bytesView {
		v.Data, v.Bufs = p.own(n*16), [][]byte{buf}
		t := text{b: buf[at:]}
		return v, t.views(columnar.Of[columnar.View](v.Data), at)
	}
	return p.plainDecimals(buf, at, n)
}

// fixed turns n fixed-width values at buf[at:] into a vector.
func (p *pages) fixed(buf []byte, at, n int) (columnar.Vector, error) {
	v := columnar.Vector{Type: p.t, N: n}
	w := p.node.fixedWidth()
	src := buf[at : at+n*w]
	switch p.conv.step {
	case asIs:
		v.Data = src
	case bytesView:
		v.Data, v.Bufs = p.own(n*16), [][]byte{buf}
		d := columnar.Of[columnar.View](v.Data)
		for i := range d {
			d[i] = view(buf, at+i*w, w)
		}
	default:
		v.Data = p.own(n * columnar.LayoutOf(p.t).Width())
		p.conv.convertFixed(v.Data, src, n, w)
	}
	return v, nil
}

func (p *pages) plainDecimals(buf []byte, at, n int) (columnar.Vector, error) {
	v := columnar.Vector{Type: p.t, N: n}
	v.Data = p.own(n * columnar.LayoutOf(p.t).Width())
	offs := []int64{0, 0}
	width := columnar.LayoutOf(p.t).Width()
	for i := range n {
		if len(buf)-at < 4 {
			return v, errShort
		}
		k := int(uint32(buf[at]) | uint32(buf[at+1])<<8 | uint32(buf[at+2])<<16 | uint32(buf[at+3])<<24)
		at += 4
		if k > len(buf)-at {
			return v, errShort
		}
		offs[0], offs[1] = int64(at), int64(at+k)
		p.conv.convertStrings(v.Data[i*width:], strings{buf, offs})
		at += k
	}
	return v, nil
}

// expandBits makes a byte 0 or 1 of each bit.
func expandBits(dst, src []byte) {
	for i := range dst {
		dst[i] = src[i>>3] >> (uint(i) & 7) & 1
	}
}

// flat decodes n values at buf[at:] of any encoding but the dictionary's to a flat vector.
func (p *pages) flat(e Encoding, buf []byte, at, n int) (columnar.Vector, error) {
	switch {
	case e == Plain:
		return p.plain(buf, at, n)
	case e == RLE && p.node.phys == BooleanType:
		return p.rleBools(buf, at, n)
	case e == DeltaBinary && (p.node.phys == Int32Type || p.node.phys == Int64Type):
		return p.deltaFixed(buf, at, n)
	case e == ByteStreamSplit && p.node.fixedWidth() > 0:
		w := p.node.fixedWidth()
		if n > (len(buf)-at)/w {
			return columnar.Vector{}, errShort
		}
		raw := p.own(n * w)
		if err := unsplit(raw, buf[at:], n, w); err != nil {
			return columnar.Vector{}, err
		}
		return p.fixed(raw, 0, n)
	case e == DeltaLength && p.node.phys == ByteArrayType:
		if n > len(buf)*8 {
			return columnar.Vector{}, errShort
		}
		offs, err := deltaLength(buf[at:], n)
		if err != nil {
			return columnar.Vector{}, err
		}
		for i := range offs {
			offs[i] += int64(at)
		}
		return p.fromStrings(strings{buf, offs}), nil
	case e == DeltaByteArray && (p.node.phys == ByteArrayType || p.node.phys == FixedType):
		return p.deltaBytes(buf, at, n)
	}
	return columnar.Vector{}, fmt.Errorf("encoding %d of %s values is not supported", e, p.node.phys)
}

func (p *pages) fromStrings(s strings) columnar.Vector {
	n := len(s.offs) - 1
	v := columnar.Vector{Type: p.t, N: n, Data: p.own(n * columnar.LayoutOf(p.t).Width())}
	if p.conv.step == bytesView {
		v.Bufs = [][]byte{s.buf}
	}
	p.conv.convertStrings(v.Data, s)
	return v
}

func (p *pages) deltaBytes(buf []byte, at, n int) (columnar.Vector, error) {
	if n > len(buf)*8 {
		return columnar.Vector{}, errShort
	}
	s, err := deltaStrings(buf[at:], n, p.own)
	if err != nil {
		return columnar.Vector{}, err
	}
	if w := p.node.fixedWidth(); w > 0 {
		if len(s.buf) != n*w {
			return columnar.Vector{}, errShort
		}
		return p.fixed(s.buf, 0, n)
	}
	return p.fromStrings(s), nil
}

func (p *pages) deltaFixed(buf []byte, at, n int) (columnar.Vector, error) {
	raw := p.own(n * 8)
	got, _, err := deltaInts(columnar.Of[int64](raw)[:n], buf[at:])
	if err != nil || got < n {
		return columnar.Vector{}, errDelta
	}
	if p.node.phys == Int32Type {
		narrow, wide := columnar.Of[int32](raw), columnar.Of[int64](raw)
		for i := range n {
			narrow[i] = int32(wide[i])
		}
	}
	return p.fixed(raw, 0, n)
}

// rleBools reads booleans in the hybrid encoding with its length before it.
func (p *pages) rleBools(buf []byte, at, n int) (columnar.Vector, error) {
	v := columnar.Vector{Type: p.t, N: n}
	if len(buf)-at < 4 {
		return v, errShort
	}
	if n > maxPage/8 {
		return v, errShort
	}
	bm := make(columnar.Bitmap, (n+63)/64)
	if _, err := presence(buf[at+4:], n, bm); err != nil {
		return v, err
	}
	v.Data = p.own(n)
	expandBits(v.Data, bitmapBytes(bm))
	return v, nil
}

func bitmapBytes(b columnar.Bitmap) []byte { return columnar.Bytes([]uint64(b)) }
