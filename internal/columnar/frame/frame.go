// Package frame encodes batches for shuffle and spill: one self-contained, checksummed frame per batch.
//
// A frame is a 16-byte header (magic, length of the body, rows, CRC-32C of the body; little endian) and the columns
// one after the other. The body of a sealed frame, which has a magic of its own, is what a cipher made of the columns;
// the header stays readable, and is authenticated with the body. Integers are packed to 1, 2, 4 or 8 bytes as distances from their minimum; dictionaries and
// constants stay what they are; strings are lengths and bytes, the bytes compressed by LZ4 if asked for. This packs as
// well as LZ4 on integer columns at more than ten times the speed, so only string bytes are ever compressed.
package frame

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/firesteel/firesteel/internal/columnar"
)

// HeaderSize is the number of bytes before the body.
const HeaderSize = 16

const (
	magic  = 0x31465346 // FSF1
	sealed = 0x53465346 // FSFS
)

// ErrCorrupt says that bytes are no whole, unharmed frame.
var ErrCorrupt = errors.New("the frame is damaged")

var table = crc32.MakeTable(crc32.Castagnoli)

// Encodings of a column.
const (
	encNone   byte = iota // no data: VOID
	encRaw                // values as they lie
	encPacked             // integers: minimum, then distances of width bytes
	encNarrow             // 128-bit integers that all fit 64 bits, packed
	encConst              // one row, encoded as flat
	encDict               // packed codes, then the dictionary encoded as flat
	encText               // packed lengths, then the bytes
	encList               // packed lengths, then the kids
	encRecord             // the kids
)

const (
	hasNulls   byte = 1
	compressed byte = 2
)

// Body is the length of the body that follows a header, and the number of rows.
func Body(header []byte) (size, rows int, err error) {
	if len(header) < HeaderSize {
		return 0, 0, ErrCorrupt
	}
	if m := binary.LittleEndian.Uint32(header); m != magic && m != sealed {
		return 0, 0, ErrCorrupt
	}
	return int(binary.LittleEndian.Uint32(header[4:])), int(binary.LittleEndian.Uint32(header[8:])), nil
}

// Encoder writes frames. Its buffers are reused from frame to frame; it belongs to one goroutine.
type Encoder struct {
	// Compress string bytes by LZ4 where that makes them smaller.
	Compress bool
	// Seal encrypts bodies, if it is set. It makes its own nonces (cipher.NewGCMWithRandomNonce).
	Seal  cipher.AEAD
	lens  []uint32
	text  []byte
	plain []byte // a body before it is sealed
	low   []int64
	lz    lzState
}

// Append adds the frame of rows [from, to) of b to dst.
func (e *Encoder) Append(dst []byte, b *columnar.Batch, from, to int) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	for i := range b.Cols {
		dst = e.column(dst, &b.Cols[i], from, to)
	}
	header, body := dst[start:start+HeaderSize], dst[start+HeaderSize:]
	binary.LittleEndian.PutUint32(header, magic)
	binary.LittleEndian.PutUint32(header[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(header[8:], uint32(to-from))
	if e.Seal != nil {
		return e.seal(dst, start)
	}
	fixChecksum(dst[start:])
	return dst
}

// seal encrypts the body of the frame that begins at start.
func (e *Encoder) seal(dst []byte, start int) []byte {
	binary.LittleEndian.PutUint32(dst[start:], sealed)
	body := dst[start+HeaderSize:]
	binary.LittleEndian.PutUint32(dst[start+4:], uint32(len(body)+e.Seal.Overhead()))
	e.plain = append(e.plain[:0], body...)
	dst = e.Seal.Seal(dst[:start+HeaderSize], nil, e.plain, dst[start:start+12])
	fixChecksum(dst[start:])
	return dst
}

// fixChecksum writes the checksum of a frame's body.
func fixChecksum(f []byte) {
	binary.LittleEndian.PutUint32(f[12:], crc32.Checksum(f[HeaderSize:], table))
}
