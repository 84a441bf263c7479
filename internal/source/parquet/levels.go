package parquet

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// levelLeaf reads a column of primitive values inside lists, maps or structs: the levels of some rows, and the values
// that are there, densely.
type levelLeaf struct {
	pages
	field *Field

	def, rep []uint8 // of the page
	at       int     // entries of the page that were taken
	values   columnar.Vector
	decoded  bool // values are
	valueAt  int  // dense values of the page that were taken
	present  int  // dense values of the page
	buf      []byte
	bufAt    int
	scratch  []uint32

	// the rows that were read last
	outDef, outRep []uint8
	out            dense
}

// dense collects flat values without nulls.
type dense struct {
	data  []byte
	n     int
	width int
	text  bool
	bufs  [][]byte
}

func (d *dense) reset(width int, text bool) {
	*d = dense{data: d.data[:0], width: width, text: text, bufs: d.bufs[:0]}
}

// add appends values [from, to) of a flat vector.
func (d *dense) add(v *columnar.Vector, from, to int) {
	start := len(d.data)
	need := start + (to-from)*d.width
	if cap(d.data) < need+padding {
		next := columnar.Make(columnar.Bool8, need+need/2+padding)
		copy(next, d.data)
		d.data = next
	}
	d.data = d.data[:need]
	copy(d.data[start:], v.Data[from*d.width:to*d.width])
	d.n += to - from
	if !d.text || len(v.Bufs) == 0 {
		return
	}
	base := uint32(len(d.bufs))
	if base > 0 && sameBuffer(d.bufs[base-1], v.Bufs[0]) {
		base--
	} else {
		d.bufs = append(d.bufs, v.Bufs...)
	}
	views := columnar.Of[columnar.View](d.data[start:])
	for i := range views {
		if views[i].Len > columnar.InlineMax {
			views[i].Buf += base
		}
	}
}

// readRows takes the next n rows; keep says whether their values are wanted.
func (l *levelLeaf) readRows(n int, keep bool) error {
	l.outDef, l.outRep = l.outDef[:0], l.outRep[:0]
	layout := columnar.LayoutOf(l.t)
	l.out.reset(layout.Width(), layout == columnar.View16)
	rows := 0
	for {
		if l.at == len(l.def) {
			if l.seen == l.chunk.Values {
				if rows != n {
					return errValueCount
				}
				return nil
			}
			if err := l.loadPage(); err != nil {
				return err
			}
		}
		end := l.at
		for ; end < len(l.rep); end++ {
			if l.rep[end] == 0 {
				if rows == n {
					break
				}
				rows++
			}
		}
		if err := l.take(end, keep); err != nil {
			return err
		}
		if end < len(l.def) {
			return nil
		}
	}
}

// take hands over the entries of the page up to end.
func (l *levelLeaf) take(end int, keep bool) error {
	def := l.def[l.at:end]
	k := 0
	top := uint8(l.node.Def)
	for _, d := range def {
		if d == top {
			k++
		}
	}
	if keep {
		l.outDef = append(l.outDef, def...)
		l.outRep = append(l.outRep, l.rep[l.at:end]...)
		if k > 0 && l.t.Kind != types.NullKind {
			if err := l.decode(); err != nil {
				return err
			}
			if l.valueAt+k > l.values.N {
				return errShort
			}
			l.out.add(&l.values, l.valueAt, l.valueAt+k)
		}
	}
	l.at = end
	l.valueAt += k
	return nil
}

// loadPage reads the levels of the next page.
func (l *levelLeaf) loadPage() error {
	l.release()
	if err := l.next(); err != nil {
		return err
	}
	buf, err := l.unpack(&l.hdr, l.body)
	if err != nil {
		return err
	}
	h := &l.hdr
	n := int(h.values)
	l.buf, l.bufAt, l.at, l.valueAt, l.decoded = buf, 0, 0, 0, false
	if h.kind == dataPageV2 {
		rep, def := buf[:h.repLen], buf[h.repLen:h.repLen+h.defLen]
		l.bufAt = int(h.repLen) + int(h.defLen)
		if l.rep, err = l.levels(l.rep, rep, n, l.node.Rep); err == nil {
			l.def, err = l.levels(l.def, def, n, l.node.Def)
		}
	} else {
		if l.rep, err = l.levelsV1(l.rep, n, l.node.Rep, h.repEncoding); err == nil {
			l.def, err = l.levelsV1(l.def, n, l.node.Def, h.defEncoding)
		}
	}
	if err != nil {
		return err
	}
	l.present = 0
	for _, d := range l.def {
		if int(d) == l.node.Def {
			l.present++
		}
	}
	return nil
}

func (l *levelLeaf) levelsV1(out []uint8, n, top int, e Encoding) ([]uint8, error) {
	if top == 0 {
		return l.levels(out, nil, n, 0)
	}
	if e != RLE {
		return nil, fmt.Errorf("encoding %d of levels is not supported", e)
	}
	if len(l.buf)-l.bufAt < 4 {
		return nil, errLevels
	}
	size := binary.LittleEndian.Uint32(l.buf[l.bufAt:])
	l.bufAt += 4
	if uint64(size) > uint64(len(l.buf)-l.bufAt) {
		return nil, errLevels
	}
	b := l.buf[l.bufAt : l.bufAt+int(size)]
	l.bufAt += int(size)
	return l.levels(out, b, n, top)
}

// levels decodes n levels up to top.
func (l *levelLeaf) levels(out []uint8, b []byte, n, top int) ([]uint8, error) {
	if cap(out) < n {
		out = make([]uint8, n+n/2)
	}
	out = out[:n]
	if top == 0 {
		clear(out)
		return out, nil
	}
	var h hybrid
	if err := h.start(b, uint(bits.Len(uint(top))), uint32(top)); err != nil {
		return nil, err
	}
	l.scratch = grow(l.scratch, min(n, 4096))
	for i := 0; i < n; i += len(l.scratch) {
		part := l.scratch[:min(len(l.scratch), n-i)]
		if h.read(part) != nil {
			return nil, errLevels
		}
		for k, v := range part {
			out[i+k] = uint8(v)
		}
	}
	return out, nil
}

// decode makes the page's values flat.
func (l *levelLeaf) decode() (err error) {
	if l.decoded {
		return nil
	}
	l.decoded = true
	if e := l.hdr.encoding; e != RLEDictionary && e != PlainDictionary {
		l.values, err = l.flat(e, l.buf, l.bufAt, l.present)
		return err
	}
	d, err := l.dictionary()
	if err != nil {
		return err
	}
	if l.bufAt >= len(l.buf) || d.N == 0 {
		return errShort
	}
	w := uint(l.buf[l.bufAt])
	if w > 31 {
		return errRuns
	}
	var h hybrid
	if err := h.start(l.buf[l.bufAt+1:], w, uint32(d.N-1)); err != nil {
		return err
	}
	width := columnar.LayoutOf(l.t).Width()
	l.values = columnar.Vector{Type: l.t, N: l.present, Data: l.own(l.present * width), Bufs: d.Bufs}
	l.scratch = grow(l.scratch, min(l.present, 4096))
	for i := 0; i < l.present; i += len(l.scratch) {
		part := l.scratch[:min(len(l.scratch), l.present-i)]
		if err := h.read(part); err != nil {
			return err
		}
		gatherBytes(l.values.Data[i*width:], d.Data, width, part)
	}
	return nil
}

// gatherBytes copies the values that codes name.
func gatherBytes(dst, src []byte, width int, codes []uint32) {
	switch width {
	case 1:
		columnar.GatherInto(dst[:len(codes)], src, codes)
	case 2:
		columnar.GatherInto(columnar.Of[int16](dst)[:len(codes)], columnar.Of[int16](src), codes)
	case 4:
		columnar.GatherInto(columnar.Of[uint32](dst)[:len(codes)], columnar.Of[uint32](src), codes)
	case 8:
		columnar.GatherInto(columnar.Of[uint64](dst)[:len(codes)], columnar.Of[uint64](src), codes)
	case 16:
		columnar.GatherInto(columnar.Of[columnar.View](dst)[:len(codes)], columnar.Of[columnar.View](src), codes)
	}
}
