package memory

import (
	"bufio"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

const (
	spillFlush = 256 << 10 // bytes collected before a write, and of a frame, about: a reader holds one
	spillRead  = 128 << 10 // bytes read ahead
)

// SpillFile is a temporary file of frames: batches that an operator moved out of memory. It belongs to one goroutine;
// readers of it may run side by side once writing is over. When its disk is full it goes on in another local directory.
type SpillFile struct {
	dirs  *Dirs
	parts []spillPart
	enc   frame.Encoder
	buf   []byte
	rows  int64
	bytes int64

	flush   int   // bytes collected before a write
	largest int64 // bytes of a frame
}

// spillPart is the part of a spill file that lies in one file of the disk: from its position to that of the next part.
type spillPart struct {
	f    *os.File
	from int64
}

// Spill makes a spill file.
func (d *Dirs) Spill() (*SpillFile, error) {
	s := &SpillFile{dirs: d, flush: scaled(spillFlush)}
	s.enc.Seal = d.seal
	if err := s.extend(nil); err != nil {
		return nil, s.trouble(err, 0)
	}
	return s, nil
}

// extend goes on in a new file of a directory that is not full.
func (s *SpillFile) extend(full map[string]bool) error {
	f, err := s.dirs.createBut("temp_local_", full)
	if err != nil {
		return err
	}
	s.parts = append(s.parts, spillPart{f, s.bytes})
	return nil
}

// Compress makes later writes compress string bytes.
func (s *SpillFile) Compress(on bool) { s.enc.Compress = on }

// Rows and Bytes are what was written so far, before and after encoding.
func (s *SpillFile) Rows() int64  { return s.rows }
func (s *SpillFile) Bytes() int64 { return s.bytes + int64(len(s.buf)) }

// Write appends rows [from, to) of b, as one frame or, if they are large, several.
func (s *SpillFile) Write(b *columnar.Batch, from, to int) error {
	for from < to {
		end := from + b.RowsWithin(from, to, int64(s.flush))
		if err := s.WriteFrame(b, from, end); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// WriteFrame appends rows [from, to) of b as one frame.
func (s *SpillFile) WriteFrame(b *columnar.Batch, from, to int) error {
	before := len(s.buf)
	s.buf = s.enc.Append(s.buf, b, from, to)
	s.largest = max(s.largest, int64(len(s.buf)-before))
	s.rows += int64(to - from)
	if len(s.buf) < s.flush {
		return nil
	}
	return s.Flush()
}

// ReaderBytes is what one reader of the file holds, about.
func (s *SpillFile) ReaderBytes() int64 { return spillRead + 3*s.largest }

// Flush writes what is buffered, and drops the buffer of a file that will get no more.
func (s *SpillFile) Flush() error {
	rest := s.buf
	if s.buf = s.buf[:0]; cap(rest) > 4*s.flush { // of a large row: those that follow may be small
		s.buf = nil
	}
	var full map[string]bool
	for len(rest) > 0 {
		f := s.parts[len(s.parts)-1].f
		n, err := f.Write(rest)
		s.bytes += int64(n)
		rest = rest[n:]
		if err == nil {
			continue
		}
		if full == nil {
			full = map[string]bool{}
		}
		dir := filepath.Dir(f.Name())
		full[dir] = true
		s.dirs.failed(dir, err)
		if !DiskTrouble(err) || s.extend(full) != nil {
			return s.trouble(err, int64(len(rest)))
		}
	}
	return nil
}

// trouble is the error of a spill file that found room nowhere. It names the directories with what is free there.
func (s *SpillFile) trouble(err error, need int64) error {
	text := err.Error()
	if need > 0 {
		text += fmt.Sprintf("; %s more are needed after %s, and the local directories (spark.local.dir) have", formatBytes(need), formatBytes(s.bytes))
	}
	for _, dir := range s.dirs.All() {
		text += fmt.Sprintf(" [%s: %s free]", dir, formatBytes(diskFree(dir)))
	}
	return sparkerr.New("SPILL_OUT_OF_MEMORY", "consumerToSpill", "a spill file", "message", text).WithCause(err)
}

// Position flushes and gives the offset at which the next frame will start.
func (s *SpillFile) Position() (int64, error) {
	err := s.Flush()
	return s.bytes, err
}

// Done flushes and gives the write buffer back; reading comes next.
func (s *SpillFile) Done() error {
	err := s.Flush()
	s.buf, s.enc = nil, frame.Encoder{Seal: s.enc.Seal}
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
	r := NewFrameReader(s.section(from, to), schema).Sealed(s.dirs.seal)
	r.name = s.parts[0].f.Name()
	return r
}

// section reads the bytes between two positions.
func (s *SpillFile) section(from, to int64) io.Reader {
	var in []io.Reader
	for i, p := range s.parts {
		end := s.bytes
		if i+1 < len(s.parts) {
			end = s.parts[i+1].from
		}
		if lo, hi := max(from, p.from), min(to, end); lo < hi {
			in = append(in, io.NewSectionReader(p.f, lo-p.from, hi-lo))
		}
	}
	if len(in) == 1 {
		return in[0]
	}
	return io.MultiReader(in...)
}

// Copy writes the bytes between two positions to w, as they are.
func (s *SpillFile) Copy(w io.Writer, from, to int64) error {
	_, err := io.Copy(w, s.section(from, to))
	return err
}

// Close deletes the file. It may be called twice, and on nil.
func (s *SpillFile) Close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, p := range s.parts {
		errs = append(errs, p.f.Close(), os.Remove(p.f.Name()))
	}
	s.parts = nil
	return errors.Join(errs...)
}

// FrameReader reads batches from a stream of frames.
type FrameReader struct {
	r    *bufio.Reader
	dec  *frame.Decoder
	buf  []byte
	name string // of the file, for errors
}

// NewFrameReader reads frames of a schema from r until its end.
func NewFrameReader(r io.Reader, schema *types.Schema) *FrameReader {
	return &FrameReader{r: bufio.NewReaderSize(r, spillRead), dec: frame.NewDecoder(schema)}
}

// Sealed says that the frames are encrypted, unless the cipher is nil.
func (r *FrameReader) Sealed(seal cipher.AEAD) *FrameReader {
	r.dec.Seal = seal
	return r
}

// Next is the next batch, borrowed until the following call; io.EOF after the last. A damaged or cut stream is
// frame.ErrCorrupt.
func (r *FrameReader) Next() (*columnar.Batch, error) {
	b, err := r.next()
	if err != nil && r.name != "" && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("reading %s: %w", r.name, err)
	}
	return b, err
}

func (r *FrameReader) next() (*columnar.Batch, error) {
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
	if err := r.fill(size + frame.HeaderSize); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it ends too early", frame.ErrCorrupt)
		}
		return nil, err
	}
	return r.dec.Decode(r.buf[:size+frame.HeaderSize])
}

// fillStep is how much memory a frame's length alone may claim: it may be damaged, and more is taken only as bytes arrive.
const fillStep = 16 << 20

// fill reads n bytes into buf.
func (r *FrameReader) fill(n int) error {
	for have := 0; have < n; {
		upTo := min(n, max(2*have, fillStep))
		if cap(r.buf) < upTo {
			grown := columnar.Make(columnar.Int8x, upTo+upTo/4)
			copy(grown, r.buf[:have])
			r.buf = grown
		}
		got, err := io.ReadFull(r.r, r.buf[have:upTo])
		if err != nil {
			return err
		}
		have += got
	}
	return nil
}

// Reset starts over with another stream of the same schema.
func (r *FrameReader) Reset(in io.Reader) { r.r.Reset(in) }
