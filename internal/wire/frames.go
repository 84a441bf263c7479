package wire

import (
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/types"
)

// Rows travel as frames, one after the other (see columnar/frame).

// AppendFrames adds a batch to a stream of frames.
func AppendFrames(dst []byte, enc *frame.Encoder, b *columnar.Batch) []byte {
	for from := 0; from < b.N; from += frameRows {
		dst = enc.Append(dst, b, from, min(from+frameRows, b.N))
	}
	return dst
}

// decodeFrame reads one frame. The batch owns data from then on.
func decodeFrame(data []byte, s *types.Schema) (*columnar.Batch, error) {
	size, rows, err := frame.Body(data)
	if err != nil || rows > frameRows || size+frame.HeaderSize != len(data) {
		return nil, frame.ErrCorrupt
	}
	return frame.NewDecoder(s).Decode(data)
}

// FrameReader reads the batches of a stream of frames. Each batch is its own: the next one does not touch it.
type FrameReader struct {
	r io.Reader
	s *types.Schema
}

// NewFrameReader reads frames of a schema from r.
func NewFrameReader(r io.Reader, s *types.Schema) *FrameReader { return &FrameReader{r: r, s: s} }

// Next is the next batch; io.EOF after the last.
func (f *FrameReader) Next() (*columnar.Batch, error) {
	head := make([]byte, frame.HeaderSize)
	if _, err := io.ReadFull(f.r, head); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, cut(err)
	}
	size, _, err := frame.Body(head)
	if err != nil {
		return nil, err
	}
	data, err := readAll(f.r, head, size)
	if err != nil {
		return nil, cut(err)
	}
	return decodeFrame(data, f.s)
}

// piece is how much room is made for bytes that have not come yet.
const piece = 1 << 20

// readAll reads n bytes behind head.
func readAll(r io.Reader, head []byte, n int) ([]byte, error) {
	out := make([]byte, len(head), len(head)+min(n, piece))
	copy(out, head)
	for n > 0 {
		step := min(n, max(piece, len(out)))
		at := len(out)
		out = append(out, make([]byte, step)...)
		if _, err := io.ReadFull(r, out[at:]); err != nil {
			return nil, err
		}
		n -= step
	}
	return out, nil
}

func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends too early", frame.ErrCorrupt)
	}
	return err
}

// FrameRows counts the rows of a stream of frames that is in memory, without reading more than the headers.
func FrameRows(data []byte) (rows int64, err error) {
	for len(data) > 0 {
		size, n, err := frame.Body(data)
		if err != nil || len(data) < size+frame.HeaderSize {
			return rows, frame.ErrCorrupt
		}
		rows, data = rows+int64(n), data[size+frame.HeaderSize:]
	}
	return rows, nil
}
