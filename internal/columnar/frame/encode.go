package frame

import (
	"encoding/binary"
	"slices"

	"github.com/pierrec/lz4/v4"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

type lzState struct {
	c   lz4.Compressor
	out []byte
}

func (e *Encoder) column(dst []byte, v *columnar.Vector, from, to int) []byte {
	switch {
	case v.Type.Kind == types.NullKind:
		return append(dst, encNone, 0)
	case v.Form == columnar.Const:
		dst = append(dst, encConst, 0)
		one := *v
		one.Form, one.N = columnar.Flat, 1
		return e.flatColumn(dst, &one, 0, 1)
	case v.Form == columnar.Dict:
		return e.dict(dst, v, from, to)
	}
	return e.flatColumn(dst, v, from, to)
}

// dict keeps a dictionary that is not larger than the rows; else the rows are written flat.
func (e *Encoder) dict(dst []byte, v *columnar.Vector, from, to int) []byte {
	if v.Dict.N > to-from {
		g := columnar.Gather(v.Dict, v.Codes[from:to])
		g.Valid = e.bits(v.Valid, from, to)
		return e.flatColumn(dst, &g, 0, to-from)
	}
	dst = e.open(dst, encDict, v.Valid, from, to)
	dst = packCodes(dst, v.Codes[from:to])
	dst = binary.LittleEndian.AppendUint32(dst, uint32(v.Dict.N))
	return e.flatColumn(dst, v.Dict, 0, v.Dict.N)
}

// open writes encoding, flags and validity.
func (e *Encoder) open(dst []byte, enc byte, valid columnar.Bitmap, from, to int) []byte {
	if valid == nil {
		return append(dst, enc, 0)
	}
	dst = append(dst, enc, hasNulls)
	n := to - from
	words := valid[from/64 : (to+63)/64]
	shift := uint(from % 64)
	for i := 0; i < (n+63)/64; i++ {
		w := words[i] >> shift
		if shift > 0 && i+1 < len(words) {
			w |= words[i+1] << (64 - shift)
		}
		if rest := n - i*64; rest < 64 {
			w &= 1<<uint(rest) - 1
		}
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

// bits is validity of rows [from, to) as a bitmap of its own.
func (e *Encoder) bits(valid columnar.Bitmap, from, to int) columnar.Bitmap {
	if valid == nil {
		return nil
	}
	out := columnar.NewBitmap(to - from)
	for i := from; i < to; i++ {
		if valid.Get(i) {
			out.Set(i - from)
		}
	}
	return out
}

func (e *Encoder) flatColumn(dst []byte, v *columnar.Vector, from, to int) []byte {
	l := columnar.LayoutOf(v.Type)
	switch l {
	case columnar.NoData:
		return append(dst, encNone, 0)
	case columnar.Int16x:
		dst = e.open(dst, encPacked, v.Valid, from, to)
		return packInts(dst, columnar.Of[int16](v.Data)[from:to], v.Valid, from)
	case columnar.Int32x:
		dst = e.open(dst, encPacked, v.Valid, from, to)
		return packInts(dst, columnar.Of[int32](v.Data)[from:to], v.Valid, from)
	case columnar.Int64x:
		dst = e.open(dst, encPacked, v.Valid, from, to)
		return packInts(dst, columnar.Of[int64](v.Data)[from:to], v.Valid, from)
	case columnar.Int128x:
		return e.wide(dst, v, from, to)
	case columnar.View16:
		return e.texts(dst, v, from, to)
	case columnar.List, columnar.Entries:
		return e.list(dst, v, from, to)
	case columnar.Record:
		dst = e.open(dst, encRecord, v.Valid, from, to)
		for i := range v.Kids {
			dst = e.column(dst, &v.Kids[i], from, to)
		}
		return dst
	}
	dst = e.open(dst, encRaw, v.Valid, from, to)
	w := l.Width()
	return append(dst, v.Data[from*w:to*w]...)
}

// wide writes 128-bit integers, in 64 bits if all fit.
func (e *Encoder) wide(dst []byte, v *columnar.Vector, from, to int) []byte {
	vals := columnar.Of[types.Int128](v.Data)[from:to]
	e.low = slices.Grow(e.low[:0], len(vals))[:len(vals)]
	low := e.low
	for i, x := range vals {
		low[i] = x.Int64()
		if !x.Fits64() && (v.Valid == nil || v.Valid.Get(from+i)) {
			dst = e.open(dst, encRaw, v.Valid, from, to)
			return append(dst, v.Data[from*16:to*16]...)
		}
	}
	dst = e.open(dst, encNarrow, v.Valid, from, to)
	return packInts(dst, low, v.Valid, from)
}

// texts writes lengths, then bytes; null rows have length 0.
func (e *Encoder) texts(dst []byte, v *columnar.Vector, from, to int) []byte {
	views := columnar.Of[columnar.View](v.Data)[from:to]
	e.lens = slices.Grow(e.lens[:0], len(views))[:len(views)]
	text := e.text[:0]
	for i := range views {
		if v.Valid != nil && !v.Valid.Get(from+i) {
			e.lens[i] = 0
			continue
		}
		e.lens[i] = views[i].Len
		text = append(text, columnar.ViewBytes(&views[i], v.Bufs)...)
	}
	e.text = text
	at := len(dst) + 1
	dst = e.open(dst, encText, v.Valid, from, to)
	dst = packCodes(dst, e.lens)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	if small := e.squeeze(text); small != nil {
		dst[at] |= compressed
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(small)))
		return append(dst, small...)
	}
	return append(dst, text...)
}

// squeeze compresses text; nil if that is not wanted or does not help.
func (e *Encoder) squeeze(text []byte) []byte {
	if !e.Compress || len(text) < 64 {
		return nil
	}
	if bound := lz4.CompressBlockBound(len(text)); cap(e.lz.out) < bound {
		e.lz.out = make([]byte, bound)
	}
	n, err := e.lz.c.CompressBlock(text, e.lz.out[:cap(e.lz.out)])
	if err != nil || n == 0 || n >= len(text) {
		return nil
	}
	return e.lz.out[:n]
}

func (e *Encoder) list(dst []byte, v *columnar.Vector, from, to int) []byte {
	offs := columnar.Of[int32](v.Data)
	lens := make([]uint32, to-from)
	for i := range lens {
		lens[i] = uint32(offs[from+i+1] - offs[from+i])
	}
	dst = e.open(dst, encList, v.Valid, from, to)
	dst = packCodes(dst, lens)
	for i := range v.Kids {
		dst = e.column(dst, &v.Kids[i], int(offs[from]), int(offs[to]))
	}
	return dst
}
