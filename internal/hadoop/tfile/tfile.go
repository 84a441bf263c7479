// Package tfile reads Hadoop's TFile, the form in which NodeManagers put aggregated logs: keys with values in blocks, and an
// index at the end.
package tfile

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// ErrFormat is the error of a file that is no TFile, or a damaged one.
var ErrFormat = errors.New("malformed TFile")

var magic = [16]byte{0xd1, 0x11, 0xd3, 0x68, 0x91, 0xb5, 0xd7, 0xb6, 0x39, 0xdf, 0x41, 0x40, 0x92, 0xba, 0xe1, 0x50}

const (
	tailSize  = 8 + 4 + len(magic) // offset of the index of meta blocks, version, magic
	maxString = 1 << 16
	maxBlocks = 1 << 20
	dataIndex = "data:BCFile.index"
)

// region is where a block lies.
type region struct{ offset, size int64 }

// Each calls take for every record, in the order of the file. The value can be read until take returns.
func Each(f io.ReaderAt, size int64, take func(key string, value io.Reader) error) error {
	compression, blocks, err := index(f, size)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := b.within(size); err != nil {
			return err
		}
		in, err := open(io.NewSectionReader(f, b.offset, b.size), compression)
		if err != nil {
			return err
		}
		if err := records(bufio.NewReader(in), take); err != nil {
			return err
		}
	}
	return nil
}

func (r region) within(size int64) error {
	if r.offset < 0 || r.size < 0 || r.offset > size || r.size > size-r.offset {
		return fmt.Errorf("%w: a block of %d bytes at %d", ErrFormat, r.size, r.offset)
	}
	return nil
}

// index finds the data blocks.
func index(f io.ReaderAt, size int64) (string, []region, error) {
	if size < int64(tailSize+len(magic)) {
		return "", nil, fmt.Errorf("%w: %d bytes", ErrFormat, size)
	}
	var tail [tailSize]byte
	if _, err := f.ReadAt(tail[:], size-int64(tailSize)); err != nil && err != io.EOF {
		return "", nil, err
	}
	if [16]byte(tail[12:]) != magic {
		return "", nil, fmt.Errorf("%w: no magic at its end", ErrFormat)
	}
	at := int64(binary.BigEndian.Uint64(tail[:8]))
	meta := region{at, size - int64(tailSize) - at}
	if err := meta.within(size); err != nil {
		return "", nil, err
	}
	r := &reader{in: bufio.NewReader(io.NewSectionReader(f, meta.offset, meta.size))}
	for range r.count() {
		name, compression, at := r.text(), r.text(), r.region()
		if r.err != nil {
			break
		}
		if name == dataIndex {
			return blocksOf(f, size, compression, at)
		}
	}
	if r.err == nil {
		r.err = fmt.Errorf("%w: no index", ErrFormat)
	}
	return "", nil, r.err
}

func blocksOf(f io.ReaderAt, size int64, compression string, at region) (string, []region, error) {
	if err := at.within(size); err != nil {
		return "", nil, err
	}
	in, err := open(io.NewSectionReader(f, at.offset, at.size), compression)
	if err != nil {
		return "", nil, err
	}
	r := &reader{in: bufio.NewReader(in)}
	data := r.text()
	var blocks []region
	for range r.count() {
		if blocks = append(blocks, r.region()); r.err != nil {
			break
		}
	}
	return data, blocks, r.err
}

func open(in io.Reader, compression string) (io.Reader, error) {
	switch compression {
	case "none":
		return in, nil
	case "gz":
		return zlib.NewReader(in)
	}
	return nil, sparkerr.Unsupported("TFile compression " + compression)
}

// records calls take for the records of a block.
func records(in *bufio.Reader, take func(string, io.Reader) error) error {
	for {
		if _, err := in.Peek(1); err == io.EOF {
			return nil
		}
		r := &reader{in: in}
		key := r.text()
		if r.err != nil {
			return r.err
		}
		v := &chunks{r: r}
		if err := take(key, v); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, v); err != nil {
			return err
		}
	}
}

// chunks is a value: chunks with their sizes before them, negative but for the last one.
type chunks struct {
	r    *reader
	left int64
	last bool
}

func (c *chunks) Read(b []byte) (int, error) {
	for c.left == 0 {
		if c.last {
			return 0, io.EOF
		}
		n := c.r.vlong()
		if c.r.err != nil {
			return 0, c.r.err
		}
		c.left, c.last = n, n >= 0
		if n < 0 {
			c.left = -n
		}
	}
	if int64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.r.in.Read(b)
	c.left -= int64(n)
	if err == io.EOF {
		err = fmt.Errorf("%w: %w", ErrFormat, io.ErrUnexpectedEOF)
	}
	return n, err
}

// reader reads TFile's own forms; after an error it gives nothing.
type reader struct {
	in  *bufio.Reader
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		r.err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
}

func (r *reader) take(n int) []byte {
	b := make([]byte, n)
	if r.err != nil {
		return b
	}
	if _, err := io.ReadFull(r.in, b); err != nil {
		r.fail(err)
	}
	return b
}

// vlong reads a number whose first byte is itself, or tells how many follow and has the highest bits.
func (r *reader) vlong() int64 {
	first := int64(int8(r.take(1)[0]))
	var high int64
	var more int
	switch group := (first + 128) / 8; {
	case first >= -32:
		return first
	case group >= 7:
		high, more = first+52, 1
	case group >= 3:
		high, more = first+88, 2
	case group >= 1:
		high, more = first+112, 3
	default:
		more = int(first + 129)
		if more < 4 {
			r.fail(errors.New("a number of too few bytes"))
			return 0
		}
		var b [8]byte
		in := r.take(more)
		if int8(in[0]) < 0 {
			binary.BigEndian.PutUint64(b[:], ^uint64(0))
		}
		copy(b[8-more:], in)
		return int64(binary.BigEndian.Uint64(b[:]))
	}
	for _, x := range r.take(more) {
		high = high<<8 | int64(x)
	}
	return high
}

func (r *reader) count() int {
	n := r.vlong()
	if n < 0 || n > maxBlocks {
		r.fail(fmt.Errorf("%d entries", n))
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.vlong()
	if n < 0 || n > maxString {
		r.fail(fmt.Errorf("a text of %d bytes", n))
		return ""
	}
	return string(r.take(int(n)))
}

func (r *reader) region() region {
	at, size := r.vlong(), r.vlong()
	r.vlong() // when it is unpacked
	return region{at, size}
}
