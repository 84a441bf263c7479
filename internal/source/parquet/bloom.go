package parquet

import (
	"encoding/binary"
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Bloom is a split-block Bloom filter of one column chunk.
type Bloom struct {
	blocks []byte
	node   *Node
	conv   conversion
}

// maxBloom bounds the size of a filter that is read.
const maxBloom = 64 << 20

// Bloom reads the filter of a plain column in a row group; nil if there is none.
func (f *File) Bloom(h vfs.File, group int, fld *Field) *Bloom {
	n := fld.Flat()
	if n == nil {
		return nil
	}
	c := &f.RowGroups[group].Columns[n.Leaf]
	if c.bloom.off <= 0 || c.bloom.off >= f.Info.Size {
		return nil
	}
	head, err := readAt(h, c.bloom.off, min(64, f.Info.Size-c.bloom.off))
	if err != nil {
		return nil
	}
	var size int32
	standard := true
	r := &thrift{b: head}
	r.fields(func(id int16, typ byte) {
		switch {
		case id == 1 && typ == tI32:
			size = r.i32()
		case typ == tStruct: // block algorithm, xxHash and no compression are the first members of their unions
			r.fields(func(member int16, t byte) {
				standard = standard && member == 1
				r.skip(t, false)
			})
		default:
			r.skip(typ, false)
		}
	})
	off := c.bloom.off + int64(r.p)
	if r.bad || !standard || size < 32 || size%32 != 0 || size > maxBloom || int64(size) > f.Info.Size-off {
		return nil
	}
	blocks, err := readAt(h, off, int64(size))
	if err != nil {
		return nil
	}
	return &Bloom{blocks, n, fld.conv}
}

var bloomSalt = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// MayContain says whether a value of the column's Spark type may be in the chunk; values that it cannot hash may.
func (b *Bloom) MayContain(v any) bool {
	raw := b.physical(v)
	if raw == nil {
		return true
	}
	h := xxhash.Sum64(raw)
	n := uint64(len(b.blocks) / 32)
	block := b.blocks[(h>>32*n>>32)*32:]
	for i, salt := range bloomSalt {
		word := binary.LittleEndian.Uint32(block[i*4:])
		if word>>(uint32(h)*salt>>27)&1 == 0 {
			return false
		}
	}
	return true
}

// physical is the PLAIN form of a value, nil where types were converted.
func (b *Bloom) physical(v any) []byte {
	if b.conv.step != asIs && b.conv.step != bytesView && b.conv.step != int32Int8 && b.conv.step != int32Int16 && b.conv.step != int32Int64 || b.conv.mul > 1 {
		return nil
	}
	le := binary.LittleEndian
	var n int64
	switch x := v.(type) {
	case string:
		return append([]byte{}, x...)
	case []byte:
		return append([]byte{}, x...)
	case float64:
		return le.AppendUint64(nil, math.Float64bits(x))
	case float32:
		return le.AppendUint32(nil, math.Float32bits(x))
	case int8:
		n = int64(x)
	case int16:
		n = int64(x)
	case int32:
		n = int64(x)
	case int64:
		n = x
	case types.Int128:
		n = x.Int64()
	default:
		return nil
	}
	switch b.node.phys {
	case Int32Type:
		return le.AppendUint32(nil, uint32(n))
	case Int64Type:
		return le.AppendUint64(nil, uint64(n))
	}
	return nil
}
