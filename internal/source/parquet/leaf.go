package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/firesteel/firesteel/internal/columnar"
)

// leaf reads a column of primitive values that is not inside a list, map or struct, piece by piece. A piece lies within
// one page: a window on the page where that needs no change, else it is made in the leaf's own buffers. A piece holds
// until the next but one call of the scanner's Next.
type leaf struct {
	pages
	rows, done int // of the current page
	loaded     bool
	form       leafForm
	valid      columnar.Bitmap // of the page; nil: no nulls
	values     int             // not null in the page
	taken      int             // of values
	hyb        hybrid
	text       text
	textBase   int
	flatPage   columnar.Vector // dense values of the page

	cur       columnar.Vector // the piece
	codes     []uint32
	dense     []uint32
	validBuf  columnar.Bitmap
	pageValid columnar.Bitmap
	spreadBuf []byte
	bufs      [1][]byte

	index   *pageIndex
	noIndex bool
}

type leafForm uint8

const (
	codesForm leafForm = iota
	flatForm
	textForm
)

// reset forgets the column that was read and keeps the buffers.
func (l *leaf) reset() {
	*l = leaf{codes: l.codes, dense: l.dense, validBuf: l.validBuf, pageValid: l.pageValid, spreadBuf: l.spreadBuf}
}

// remaining is the number of rows left in the current page; at its end it moves on to the next. 0 is the chunk's end.
func (l *leaf) remaining() (int, error) {
	if l.done < l.rows {
		return l.rows - l.done, nil
	}
	if l.seen == l.chunk.Values {
		return 0, nil
	}
	l.release()
	l.loaded = false
	l.rows, l.done = 0, 0
	if err := l.next(); err != nil {
		return 0, err
	}
	l.rows = int(l.hdr.values)
	return l.rows, nil
}

// skip passes over n rows of the current page.
func (l *leaf) skip(n int) error {
	from := l.done
	l.done += n
	if !l.loaded || l.done == l.rows {
		return nil
	}
	return l.advance(l.present(from, l.done))
}

// present counts the values that are not null among rows [from, to) of the page.
func (l *leaf) present(from, to int) int {
	if l.valid == nil {
		return to - from
	}
	return countBits(l.valid, from, to)
}

// advance passes over n values.
func (l *leaf) advance(n int) error {
	l.taken += n
	switch l.form {
	case codesForm:
		return l.hyb.skip(n)
	case textForm:
		return l.text.skip(n)
	}
	return nil
}

// load decompresses the current page and gets ready to read at row done.
func (l *leaf) load() error {
	if l.loaded {
		return nil
	}
	buf, err := l.unpack(&l.hdr, l.body)
	if err != nil {
		return err
	}
	at, err := l.levels(buf)
	if err != nil {
		return err
	}
	l.loaded, l.taken = true, 0
	if err := l.start(buf, at); err != nil {
		return err
	}
	return l.advance(l.present(0, l.done))
}

// levels reads the definition levels at the page's head and returns where the values begin.
func (l *leaf) levels(buf []byte) (at int, err error) {
	h := &l.hdr
	l.valid, l.values = nil, l.rows
	if l.node.Def == 0 {
		if h.kind == dataPageV2 {
			return int(h.defLen) + int(h.repLen), nil
		}
		return 0, nil
	}
	lo, hi := 0, 0
	if h.kind == dataPageV2 {
		lo, hi = int(h.repLen), int(h.repLen)+int(h.defLen)
	} else {
		if h.defEncoding != RLE {
			return 0, fmt.Errorf("encoding %d of levels is not supported", h.defEncoding)
		}
		if len(buf) < 4 {
			return 0, errLevels
		}
		n := binary.LittleEndian.Uint32(buf)
		if uint64(n) > uint64(len(buf)-4) {
			return 0, errLevels
		}
		lo, hi = 4, 4+int(n)
	}
	words := (l.rows + 63) / 64
	if cap(l.pageValid) < words {
		l.pageValid = make(columnar.Bitmap, words)
	}
	bm := l.pageValid[:words]
	if l.values, err = presence(buf[lo:hi], l.rows, bm); err != nil {
		return 0, err
	}
	if l.values < l.rows {
		l.valid = bm
	}
	return hi, nil
}

// start decodes the page's values, or gets ready to decode them piece by piece.
func (l *leaf) start(buf []byte, at int) (err error) {
	switch e := l.hdr.encoding; {
	case l.values == 0: // all encodings are the same, and there may be no dictionary
		l.form = flatForm
		l.flatPage = columnar.Vector{Data: l.own(padding)}
		clear(l.flatPage.Data)
		return nil
	case e == RLEDictionary || e == PlainDictionary:
		d, err := l.dictionary()
		if err != nil {
			return err
		}
		l.form = codesForm
		return l.startCodes(buf, at, d.N)
	case e == Plain && l.conv.step == bytesView && l.node.phys == ByteArrayType:
		l.form, l.text, l.textBase = textForm, text{b: buf[at:]}, at
		l.bufs[0] = buf
		return nil
	default:
		l.form = flatForm
		l.flatPage, err = l.flat(e, buf, at, l.values)
		return err
	}
}

func (l *leaf) startCodes(buf []byte, at, n int) error {
	if at >= len(buf) || n == 0 {
		return errShort
	}
	w := uint(buf[at])
	if w > 31 {
		return errRuns
	}
	return l.hyb.start(buf[at+1:], w, uint32(n-1))
}

// read makes the next n rows the piece; n is at most remaining.
func (l *leaf) read(n int) (*columnar.Vector, error) {
	if err := l.load(); err != nil {
		return nil, err
	}
	from := l.done
	l.done += n
	k := l.present(from, l.done)
	var valid columnar.Bitmap
	if k < n {
		valid = l.validity(from, n)
	}
	l.cur = columnar.Vector{Type: l.t, N: n, Valid: valid}
	var err error
	switch l.form {
	case codesForm:
		err = l.readCodes(n, k)
	case textForm:
		err = l.readText(n, k)
	default:
		l.readFlat(n, k)
	}
	l.taken += k
	return &l.cur, err
}

// readSome makes the chosen of the next n rows the piece, where that is less work than to read all: ok tells. sel ascends.
func (l *leaf) readSome(n int, sel []uint32) (v *columnar.Vector, ok bool, err error) {
	if len(sel)*4 > n {
		return nil, false, nil
	}
	if err := l.load(); err != nil {
		return nil, false, err
	}
	if l.valid != nil || l.form == flatForm {
		return nil, false, nil
	}
	l.done += n
	l.taken += n
	l.cur = columnar.Vector{Type: l.t, N: len(sel)}
	if l.form == codesForm {
		l.codes = grow(l.codes, len(sel))
		l.cur.Form, l.cur.Dict, l.cur.Codes = columnar.Dict, l.dict, l.codes
		return &l.cur, true, l.hyb.pick(l.codes, sel, n)
	}
	l.spreadBuf = growBytes(l.spreadBuf, len(sel)*16)
	l.cur.Data, l.cur.Bufs = l.spreadBuf, l.bufs[:]
	return &l.cur, true, l.text.pick(columnar.Of[columnar.View](l.spreadBuf), sel, n, l.textBase)
}

// validity copies the bits of n rows from row on, so that they begin at bit 0.
func (l *leaf) validity(from, n int) columnar.Bitmap {
	words := (n + 63) / 64
	if cap(l.validBuf) < words {
		l.validBuf = make(columnar.Bitmap, words+words/2)
	}
	l.validBuf = l.validBuf[:words]
	copyBits(l.validBuf, l.valid, from, n)
	return l.validBuf
}

func grow(b []uint32, n int) []uint32 {
	if cap(b) < n+16 {
		b = make([]uint32, n+n/2+16)
	}
	return b[:n]
}

// readCodes makes a dictionary piece of n rows with k values.
func (l *leaf) readCodes(n, k int) error {
	l.codes = grow(l.codes, n)
	l.cur.Form, l.cur.Dict, l.cur.Codes = columnar.Dict, l.dict, l.codes
	if k == n {
		return l.hyb.read(l.codes)
	}
	l.dense = grow(l.dense, k)
	if err := l.hyb.read(l.dense); err != nil {
		return err
	}
	l.dense[:k+1][k] = 0
	spreadCodes(l.codes, l.dense[:k+1], l.cur.Valid)
	return nil
}

// spreadCodes is spread that gives null rows code 0.
func spreadCodes(dst, src []uint32, valid columnar.Bitmap) {
	j := 0
	for i := range dst {
		bit := uint32(valid[i>>6] >> (uint(i) & 63) & 1)
		dst[i] = src[j] & -bit
		j += int(bit)
	}
}

// readText makes a piece of views.
func (l *leaf) readText(n, k int) error {
	l.cur.Bufs = l.bufs[:]
	l.spreadBuf = growBytes(l.spreadBuf, (n+1)*16)
	dst := columnar.Of[columnar.View](l.spreadBuf)
	l.cur.Data = l.spreadBuf[:n*16]
	if err := l.text.views(dst[:k], l.textBase); err != nil || k == n {
		return err
	}
	spreadBack(dst[:n], k, l.cur.Valid)
	return nil
}

// spreadBack spreads dst[:k] over dst in place, from the end; null rows become empty.
func spreadBack(dst []columnar.View, k int, valid columnar.Bitmap) {
	for i := len(dst) - 1; i >= 0; i-- {
		if valid.Get(i) {
			k--
			dst[i] = dst[k]
		} else {
			dst[i] = columnar.View{}
		}
	}
}

func growBytes(b []byte, n int) []byte {
	if cap(b) < n+padding {
		b = columnar.Make(columnar.Bool8, n+n/2+padding)
	}
	return b[:n]
}

// readFlat makes a piece of the page's flat values: a window on them if there are no nulls.
func (l *leaf) readFlat(n, k int) {
	w := columnar.LayoutOf(l.t).Width()
	src := l.flatPage.Data[l.taken*w:]
	l.cur.Bufs = l.flatPage.Bufs
	if k == n {
		l.cur.Data = src[:n*w]
		return
	}
	l.spreadBuf = growBytes(l.spreadBuf, n*w)
	spreadBytes(l.spreadBuf, src[:k*w+w], w, l.cur.Valid)
	l.cur.Data = l.spreadBuf
}

// dictionaryAhead decodes the dictionary before any data page is read; nil if the chunk has none.
func (l *leaf) dictionaryAhead() (*columnar.Vector, error) {
	if l.seen == 0 {
		if _, err := l.remaining(); err != nil {
			return nil, err
		}
	}
	if l.dictBody == 0 {
		return nil, nil
	}
	return l.dictionary()
}

// seek moves forward to a row of the row group.
func (l *leaf) seek(row int64) error {
	for {
		at := l.seen - int64(l.rows) + int64(l.done)
		if at == row {
			return nil
		}
		l.jump(row)
		if at = l.seen - int64(l.rows) + int64(l.done); at == row {
			return nil
		}
		n, err := l.remaining()
		if err != nil {
			return err
		}
		if n == 0 || at > row {
			return errValueCount
		}
		if err := l.skip(int(min(int64(n), row-at))); err != nil {
			return err
		}
	}
}
