package parquet

import (
	"encoding/binary"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// take copies values, all or those that idx names.
func take[T columnar.Fixed](dst []byte, src []byte, idx []uint32, n int) {
	d, s := columnar.Of[T](dst)[:n], columnar.Of[T](src)
	if idx == nil {
		copy(d, s[:n])
		return
	}
	columnar.GatherInto(d, s, idx)
}

// convert copies values with a conversion.
func convert[S, D columnar.Fixed](dst, src []byte, idx []uint32, n int, f func(S) D) {
	d, s := columnar.Of[D](dst)[:n], columnar.Of[S](src)
	for i := range d {
		r := uint32(i)
		if idx != nil {
			r = idx[i]
		}
		d[i] = f(s[r])
	}
}

func (c *columnWriter) fixed(d *columnar.Vector, idx []uint32, n int) {
	switch l := columnar.LayoutOf(c.t); {
	case l == columnar.Bool8:
		take[uint8](c.raw, d.Data, idx, n)
	case l == columnar.Int8x:
		convert(c.raw, d.Data, idx, n, func(v int8) int32 { return int32(v) })
	case l == columnar.Int16x:
		convert(c.raw, d.Data, idx, n, func(v int16) int32 { return int32(v) })
	case l == columnar.Int32x || l == columnar.Float32x:
		take[uint32](c.raw, d.Data, idx, n)
	case l == columnar.Float64x:
		take[uint64](c.raw, d.Data, idx, n)
	case l == columnar.Int64x:
		c.fixed64(d, idx, n)
	case l == columnar.Int128x:
		wide := columnar.Of[types.Int128](d.Data)
		c.bigEndian(n, idx, func(r uint32) types.Int128 { return wide[r] })
	}
}

func (c *columnWriter) fixed64(d *columnar.Vector, idx []uint32, n int) {
	src := columnar.Of[int64](d.Data)
	switch {
	case c.node.phys == Int32Type: // decimals to nine digits
		convert(c.raw, d.Data, idx, n, func(v int64) int32 { return int32(v) })
	case c.node.phys == FixedType:
		c.bigEndian(n, idx, func(r uint32) types.Int128 { return types.I128(src[r]) })
	case c.node.phys == Int96Type:
		c.int96(src, idx, n)
	case c.node.logical.kind == logicalTimestamp && c.node.logical.unit == millis:
		convert(c.raw, d.Data, idx, n, func(v int64) int64 { return types.FloorDiv(v, 1000) })
	case c.t.Kind == types.TimeKind:
		convert(c.raw, d.Data, idx, n, func(v int64) int64 { return v / 1000 })
	default:
		take[uint64](c.raw, d.Data, idx, n)
	}
}

func (c *columnWriter) bigEndian(n int, idx []uint32, at func(r uint32) types.Int128) {
	w := int(c.node.length)
	var b [16]byte
	for i := range n {
		r := uint32(i)
		if idx != nil {
			r = idx[i]
		}
		v := at(r)
		binary.BigEndian.PutUint64(b[:8], uint64(v.Hi))
		binary.BigEndian.PutUint64(b[8:], v.Lo)
		copy(c.raw[i*w:i*w+w], b[16-w:])
	}
}

func (c *columnWriter) int96(src []int64, idx []uint32, n int) {
	for i := range n {
		r := uint32(i)
		if idx != nil {
			r = idx[i]
		}
		day := types.FloorDiv(src[r], 86400e6)
		binary.LittleEndian.PutUint64(c.raw[i*12:], uint64(src[r]-day*86400e6)*1000)
		binary.LittleEndian.PutUint32(c.raw[i*12+8:], uint32(day+julianEpoch))
	}
}
