package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

var zstdWriter = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(0), zstd.WithEncoderLevel(zstd.SpeedDefault))
})

// compressPage appends the compressed form of src to dst.
func compressPage(c Codec, dst, src []byte) ([]byte, error) {
	switch c {
	case Uncompressed:
		return append(dst, src...), nil
	case Snappy:
		at := len(dst)
		dst = append(dst, make([]byte, s2.MaxEncodedLen(len(src)))...)
		return dst[:at+len(s2.EncodeSnappy(dst[at:], src))], nil
	case Zstd:
		z, err := zstdWriter()
		if err != nil {
			return nil, err
		}
		return z.EncodeAll(src, dst), nil
	case LZ4Raw:
		return lz4Compress(dst, src)
	case LZ4Hadoop:
		at := len(dst)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(src)))
		dst, err := lz4Compress(append(dst, 0, 0, 0, 0), src)
		if err == nil {
			binary.BigEndian.PutUint32(dst[at+4:], uint32(len(dst)-at-8))
		}
		return dst, err
	case Gzip:
		return throughWriter(dst, src, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	case Brotli:
		return throughWriter(dst, src, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	}
	return nil, fmt.Errorf("codec %d is not supported", c)
}

func lz4Compress(dst, src []byte) ([]byte, error) {
	at := len(dst)
	dst = append(dst, make([]byte, lz4.CompressBlockBound(len(src)))...)
	n, err := lz4.CompressBlock(src, dst[at:], nil)
	return dst[:at+n], err
}

func throughWriter(dst, src []byte, open func(io.Writer) io.WriteCloser) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	w := open(buf)
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// codecNames are the values of spark.sql.parquet.compression.codec, with the part of a file's name that tells of it.
var codecNames = map[string]struct {
	codec Codec
	part  string
}{
	"none": {Uncompressed, ""}, "uncompressed": {Uncompressed, ""}, "snappy": {Snappy, ".snappy"}, "gzip": {Gzip, ".gz"},
	"lz4": {LZ4Hadoop, ".lz4hadoop"}, "lz4_raw": {LZ4Raw, ".lz4raw"}, "zstd": {Zstd, ".zstd"}, "brotli": {Brotli, ".br"},
}

// CodecByName finds a codec by Spark's name for it; part goes into file names: part-00000-….snappy.parquet.
func CodecByName(name string) (c Codec, part string, ok bool) {
	e, ok := codecNames[name]
	return e.codec, e.part, ok
}
