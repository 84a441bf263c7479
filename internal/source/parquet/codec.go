package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/firesteel/firesteel/internal/source/parquet/snappy"
)

var errLength = errors.New("a page does not decompress to the length that its header says")

// decompress fills dst, which has exactly the page's uncompressed length, from src.
func decompress(c Codec, dst, src []byte) error {
	switch c {
	case Uncompressed:
		if len(dst) != len(src) {
			return errLength
		}
		copy(dst, src)
		return nil
	case Snappy:
		return snappy.Decode(dst, src)
	case Gzip:
		return gunzip(dst, src)
	case Zstd:
		return unzstd(dst, src)
	case LZ4Raw:
		return lz4Block(dst, src)
	case LZ4Hadoop:
		return lz4Hadoop(dst, src)
	case Brotli:
		return readWhole(dst, brotli.NewReader(bytes.NewReader(src)))
	}
	return fmt.Errorf("codec %d is not supported", c)
}

// readWhole reads exactly len(dst) bytes and the end.
func readWhole(dst []byte, r io.Reader) error {
	if _, err := io.ReadFull(r, dst); err != nil {
		return fmt.Errorf("%w: %w", errLength, err)
	}
	var one [1]byte
	if n, err := r.Read(one[:]); n > 0 {
		return errLength
	} else if err != nil && err != io.EOF {
		return err
	}
	return nil
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

func gunzip(dst, src []byte) error {
	z := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(z)
	if err := z.Reset(bytes.NewReader(src)); err != nil {
		return err
	}
	return readWhole(dst, z)
}

// zstdReader serves all goroutines: DecodeAll keeps no state between calls.
var zstdReader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
})

func unzstd(dst, src []byte) error {
	z, err := zstdReader()
	if err != nil {
		return err
	}
	out, err := z.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && len(out) != len(dst) {
		err = errLength
	}
	return err
}

func lz4Block(dst, src []byte) error {
	n, err := lz4.UncompressBlock(src, dst)
	if err == nil && n != len(dst) {
		err = errLength
	}
	return err
}

// lz4Hadoop reads Hadoop's framing: big-endian uncompressed and compressed lengths before each block. Some writers put a
// bare block or an LZ4 frame under the same codec number.
func lz4Hadoop(dst, src []byte) error {
	if hadoopBlocks(dst, src) == nil {
		return nil
	}
	if len(src) >= 4 && binary.LittleEndian.Uint32(src) == 0x184D2204 {
		return readWhole(dst, lz4.NewReader(bytes.NewReader(src)))
	}
	return lz4Block(dst, src)
}

func hadoopBlocks(dst, src []byte) error {
	for len(dst) > 0 {
		if len(src) < 8 {
			return errLength
		}
		raw, packed := binary.BigEndian.Uint32(src), binary.BigEndian.Uint32(src[4:])
		src = src[8:]
		if uint64(raw) > uint64(len(dst)) || uint64(packed) > uint64(len(src)) || raw == 0 {
			return errLength
		}
		if err := lz4Block(dst[:raw], src[:packed]); err != nil {
			return err
		}
		dst, src = dst[raw:], src[packed:]
	}
	if len(src) != 0 {
		return errLength
	}
	return nil
}
