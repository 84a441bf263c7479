package memory

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/types"
)

const (
	spillFlush = 256 << 10 // bytes collected before a write
	spillRead  = 128 << 10 // bytes read ahead
)

// SpillFile is a temporary file of frames: batches that an operator moved out of memory. It belongs to one goroutine;
// readers of it may run side by side once writing is over.
type SpillFile struct {
	f     *os.File
	enc   frame.Encoder
	buf   []byte
	rows  int64
	bytes int64
}

// Spill makes a spill file.
func (d *Dirs) Spill() (*SpillFile, error) {
	f, err := d.Create("temp_local_")
	if err != nil {
		return nil, fmt.Errorf("a spill file cannot be made: %w", err)
	}
	return &SpillFile{f: f}, nil
}

// Compress makes later writes compress string bytes.
func (s *SpillFile) Compress(on bool) { s.enc.Compress = on }

// Rows and Bytes are what was written so far, before and after encoding.
func (s *SpillFile) Rows() int64  { return s.rows }
func (s *SpillFile) Bytes() int64 { return s.bytes + int64(len(s.buf)) }

// Write appends rows [from, to) of b as one frame.
func (s *SpillFile) Write(b *columnar.Batch, from, to int) error {
	if from == to {
		return nil
	}
	s.buf = s.enc.Append(s.buf, b, from, to)
	s.rows += int64(to - from)
	if len(s.buf) < spillFlush {
		return nil
	}
	return s.Flush()
}

// Flush writes what is buffered, and drops the buffer of a file that will get no more.
func (s *SpillFile) Flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	n, err := s.f.Write(s.buf)
	s.bytes += int64(n)
	s.buf = s.buf[:0]
	if err != nil {
		return fmt.Errorf("writing a spill file failed: %w", err)
	}
	return nil
}

// Position flushes and gives the offset at which the next frame will start.
func (s *SpillFile) Position() (int64, error) {
	err := s.Flush()
	return s.bytes, err
}

// Done flushes and gives the write buffer back; reading comes next.
func (s *SpillFile) Done() error {
	err := s.Flush()
	s.buf, s.enc = nil, frame.Encoder{}
	return err
}

// Reader reads all frames in order. The schema is that of the batches written.
func (s *SpillFile) Reader(schema *types.Schema) (*FrameReader, error) {
	if err := s.Flush(); err != nil {
		return nil, err
	}
	return s.Section(schema, 0, s.bytes), nil
}

// Section reads the frames between two positions.
func (s *SpillFile) Section(schema *types.Schema, from, to int64) *FrameReader {
	return NewFrameReader(io.NewSectionReader(s.f, from, to-from), schema)
}

// Copy writes the bytes between two positions to w, as they are.
func (s *SpillFile) Copy(w io.Writer, from, to int64) error {
	_, err := io.Copy(w, io.NewSectionReader(s.f, from, to-from))
	return err
}

// Close deletes the file. It may be called twice, and on nil.
func (s *SpillFile) Close() error {
	if s == nil || s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	err := f.Close()
	return errors.Join(err, os.Remove(f.Name()))
}

// FrameReader reads batches from a stream of frames.
type FrameReader struct {
	r   *bufio.Reader
	dec *frame.Decoder
	buf []byte
}

// NewFrameReader reads frames of a schema from r until its end.
func NewFrameReader(r io.Reader, schema *types.Schema) *FrameReader {
	return &FrameReader{r: bufio.NewReaderSize(r, spillRead), dec: frame.NewDecoder(schema)}
}

// Next is the next batch, borrowed until the following call; io.EOF after the last. A damaged or cut stream is
// frame.ErrCorrupt.
func (r *FrameReader) Next() (*columnar.Batch, error) {
	head, err := r.r.Peek(frame.HeaderSize)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	size, _, err := frame.Body(head)
	if err != nil {
		return nil, err
	}
	size += frame.HeaderSize
	if cap(r.buf) < size {
		r.buf = columnar.Make(columnar.Int8x, size+size/4)
	}
	if _, err := io.ReadFull(r.r, r.buf[:size]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it ends too early", frame.ErrCorrupt)
		}
		return nil, err
	}
	return r.dec.Decode(r.buf[:size])
}

// Reset starts over with another stream of the same schema.
func (r *FrameReader) Reset(in io.Reader) { r.r.Reset(in) }
