// Package lines cuts text files, or parts of them, into lines.
package lines

import (
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"github.com/firesteel/firesteel/internal/vfs"
)

// Splittable says whether a part of a file can be read by itself: compressed files must be read from their beginning.
func Splittable(path string) bool { return decoder(path) == nil }

// decoder is what decompresses files of a name, nil for plain ones.
func decoder(path string) func(io.Reader) (io.ReadCloser, error) {
	switch ext := path[strings.LastIndexByte(path, '.')+1:]; ext {
	case "gz":
		return func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	case "deflate":
		return func(r io.Reader) (io.ReadCloser, error) { return zlib.NewReader(r) }
	case "bz2":
		return func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(bzip2.NewReader(r)), nil }
	case "zst":
		return func(r io.Reader) (io.ReadCloser, error) {
			z, err := zstd.NewReader(r)
			if err != nil {
				return nil, err
			}
			return z.IOReadCloser(), nil
		}
	}
	return nil
}

// Input is an open file as a stream of plain text.
type Input struct {
	file vfs.File
	r    io.Reader
	z    io.Closer
}

// Open opens a file, or its bytes from off on, decompressed as its name says.
func Open(ctx context.Context, fs vfs.FS, path string, off int64) (*Input, error) {
	f, err := fs.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	in := &Input{file: f, r: io.NewSectionReader(f, off, f.Info().Size-off)}
	if open := decoder(path); open != nil {
		z, err := open(in.r)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		in.r, in.z = z, z
	}
	return in, nil
}

// Decode makes the stream one of UTF-8, from another encoding.
func (in *Input) Decode(from encoding.Encoding) { in.r = transform.NewReader(in.r, from.NewDecoder()) }

// Read implements io.Reader.
func (in *Input) Read(b []byte) (int, error) { return in.r.Read(b) }

// Close closes the file.
func (in *Input) Close() error {
	var err error
	if in.z != nil {
		err = in.z.Close()
	}
	return errors.Join(err, in.file.Close())
}

// Block is a piece of input that lines lie in.
type Block struct {
	Data []byte
	used int // lines were handed out up to here
}

// Reader yields the lines of an input. Lines are parts of blocks; a block is reused after Recycle once it is not the current
// one any more.
type Reader struct {
	in    io.Reader
	sep   []byte // nil: \n, \r\n or \r
	cur   *Block
	spent []*Block
	free  []*Block
	pos   int64 // of cur's unread part in the input
	end   int64 // lines that begin behind end are another part's; <0: none
	eof   bool
	done  bool
}

const blockSize = 1 << 20

// New reads a whole input, with lines ended by sep, or by any of the usual ends when sep is empty.
func New(in io.Reader, sep []byte) *Reader {
	return &Reader{in: in, sep: sep, cur: &Block{}, end: -1}
}

// NewPart reads the lines that begin in bytes (off, off+n] of a file, or [0, n] when off is 0; in begins at off. Neighbouring
// parts so yield every line once.
func NewPart(in io.Reader, sep []byte, off, n int64) (*Reader, error) {
	r := New(in, sep)
	r.pos, r.end = off, off+n
	if off > 0 {
		if _, _, err := r.line(); err != nil && err != io.EOF {
			return nil, err
		}
	}
	return r, nil
}

// Recycle says that the lines handed out so far are not needed any more.
func (r *Reader) Recycle() {
	r.free = append(r.free, r.spent...)
	r.spent = r.spent[:0]
}

// Next returns the next line without its end, and where it lies; io.EOF ends.
func (r *Reader) Next() (line []byte, b *Block, off int, err error) {
	if r.end >= 0 && r.pos > r.end {
		return nil, nil, 0, io.EOF
	}
	line, off, err = r.line()
	return line, r.cur, off, err
}

func (r *Reader) line() ([]byte, int, error) {
	if r.done {
		return nil, 0, io.EOF
	}
	from := 0 // bytes of the rest that were searched
	for {
		rest := r.cur.Data[r.cur.used:]
		if n, size := r.find(rest, from); n >= 0 {
			off := r.cur.used
			r.cur.used += n + size
			r.pos += int64(n + size)
			return rest[:n:n], off, nil
		}
		if r.eof {
			r.done = true
			if len(rest) == 0 {
				return nil, 0, io.EOF
			}
			off := r.cur.used
			r.cur.used += len(rest)
			r.pos += int64(len(rest))
			return rest, off, nil
		}
		from = max(0, len(rest)-max(len(r.sep), 2)+1)
		if err := r.fill(rest); err != nil {
			return nil, 0, err
		}
	}
}

// find looks for a line end in b from on; n is where it begins, -1 if there is none, and size its length. A \r at the end of
// what is there may be half of one.
func (r *Reader) find(b []byte, from int) (n, size int) {
	if len(r.sep) > 0 {
		if i := bytes.Index(b[from:], r.sep); i >= 0 {
			return from + i, len(r.sep)
		}
		return -1, 0
	}
	i := bytes.IndexByte(b[from:], '\n')
	part := b[from:]
	if i >= 0 {
		part = part[:i]
	}
	if k := bytes.IndexByte(part, '\r'); k >= 0 {
		k += from
		switch {
		case k+1 < len(b) && b[k+1] == '\n':
			return k, 2
		case k+1 < len(b) || r.eof:
			return k, 1
		}
		return -1, 0
	}
	if i < 0 {
		return -1, 0
	}
	return from + i, 1
}

// fill makes a new current block of what is left of the old one and more input.
func (r *Reader) fill(rest []byte) error {
	var b *Block
	if n := len(r.free); n > 0 {
		b, r.free = r.free[n-1], r.free[:n-1]
	} else {
		b = &Block{}
	}
	size := max(blockSize, 2*len(rest))
	if cap(b.Data) < size {
		b.Data = make([]byte, size)
	}
	b.Data = b.Data[:size]
	n := copy(b.Data, rest)
	if r.cur.used > 0 {
		r.spent = append(r.spent, r.cur)
	} else {
		r.free = append(r.free, r.cur)
	}
	got, err := io.ReadFull(r.in, b.Data[n:])
	b.Data, b.used = b.Data[:n+got], 0
	r.cur = b
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		r.eof = true
		return nil
	}
	return err
}
