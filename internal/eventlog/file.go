package eventlog

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/firesteel/firesteel/internal/vfs"
)

// file is one open file of a log: lines go through a buffer, compressed if there is a codec.
type file struct {
	out  vfs.Growing
	buf  *bufio.Writer
	zip  *zstd.Encoder // nil: the lines are not compressed
	open bool          // a frame of zip is begun
	size int64         // of the lines
}

// zstdName is the codec's name in settings and at the end of file names.
const zstdName = "zstd"

func newFile(out vfs.Growing, codec string, buffer int) (*file, error) {
	f := &file{out: out, buf: bufio.NewWriterSize(out, buffer)}
	if codec != zstdName {
		return f, nil
	}
	var err error
	f.zip, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	return f, err
}

func (f *file) write(line []byte) error {
	f.size += int64(len(line))
	var w io.Writer = f.buf
	if f.zip != nil {
		if !f.open {
			f.zip.Reset(f.buf)
			f.open = true
		}
		w = f.zip
	}
	_, err := w.Write(line)
	return err
}

// flush makes all lines seen. A frame of compressed lines ends, so that whoever reads the file now finds whole frames only.
func (f *file) flush() error {
	if f.open {
		f.open = false
		if err := f.zip.Close(); err != nil {
			return err
		}
	}
	if err := f.buf.Flush(); err != nil {
		return err
	}
	return f.out.Flush()
}

// close closes the file even if what was left cannot be written.
func (f *file) close() error {
	err := f.flush()
	if e := f.out.Close(); err == nil {
		err = e
	}
	return err
}
