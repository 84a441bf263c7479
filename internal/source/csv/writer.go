package csv

import (
	"bytes"
	"encoding/hex"
	"io"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/source/cell"
	"github.com/firesteel/firesteel/internal/types"
)

// WriterOptions are a writer's options.
type WriterOptions struct {
	Dialect               // TrimLeft and TrimRight apply to the values
	Header                bool
	QuoteAll              bool
	EscapeQuotes          bool // quote values that have a quote inside
	NullValue, EmptyValue string
	LineSep               string
	Formats               cell.Formats
}

// Writer writes records.
type Writer struct {
	w    io.Writer
	o    WriterOptions
	buf  []byte
	cell []byte
	cols []columnar.Vector
}

// flushSize is how much text is collected before it is written.
const flushSize = 1 << 18

// NewWriter begins a file, with its header if there is one.
func NewWriter(w io.Writer, s *types.Schema, o WriterOptions) (*Writer, error) {
	out := &Writer{w: w, o: o}
	if !o.Header {
		return out, nil
	}
	for i, f := range s.Fields {
		if i > 0 {
			out.buf = append(out.buf, o.Sep...)
		}
		out.buf = out.appendValue(out.buf, []byte(f.Name))
	}
	out.buf = append(out.buf, o.LineSep...)
	return out, nil
}

// Write adds the rows of a batch.
func (w *Writer) Write(b *columnar.Batch) error {
	w.cols = w.cols[:0]
	for i := range b.Cols {
		w.cols = append(w.cols, b.Cols[i].Flatten())
	}
	for row := range b.N {
		for i := range w.cols {
			if i > 0 {
				w.buf = append(w.buf, w.o.Sep...)
			}
			w.field(&w.cols[i], row)
		}
		w.buf = append(w.buf, w.o.LineSep...)
		if len(w.buf) >= flushSize {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) field(v *columnar.Vector, row int) {
	if v.Null(row) {
		w.buf = append(w.buf, w.o.NullValue...)
		return
	}
	if v.Type.Kind == types.BinaryKind {
		w.cell = appendHex(w.cell[:0], v.Text(row))
	} else {
		w.cell = cell.Append(w.cell[:0], v, row, &w.o.Formats)
	}
	w.buf = w.appendValue(w.buf, w.cell)
}

// appendHex prints bytes as [01 02].
func appendHex(dst, v []byte) []byte {
	dst = append(dst, '[')
	for i, c := range v {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, strings.ToUpper(hex.EncodeToString([]byte{c}))...)
	}
	return append(dst, ']')
}

// appendValue trims, quotes and escapes a value as far as needed.
func (w *Writer) appendValue(dst, v []byte) []byte {
	if len(v) == 0 {
		return append(dst, w.o.EmptyValue...)
	}
	space := func(r rune) bool { return r <= ' ' }
	if w.o.TrimLeft {
		v = bytes.TrimLeftFunc(v, space)
	}
	if w.o.TrimRight {
		v = bytes.TrimRightFunc(v, space)
	}
	if !w.o.QuoteAll && !w.needsQuotes(v) {
		return append(dst, v...)
	}
	q, e := w.o.Quote, w.o.Escape
	dst = append(dst, q)
	for _, c := range v {
		switch {
		case c == q && e != 0:
			dst = append(dst, e)
		case c == e && e != q && w.o.EscapeEscape != 0:
			dst = append(dst, w.o.EscapeEscape)
		}
		dst = append(dst, c)
	}
	return append(dst, q)
}

func (w *Writer) needsQuotes(v []byte) bool {
	if w.o.Quote == 0 {
		return false
	}
	return w.o.EscapeQuotes && bytes.IndexByte(v, w.o.Quote) >= 0 || bytes.Contains(v, w.o.Sep) || bytes.ContainsAny(v, "\r\n") ||
		len(v) > 0 && w.o.Comment != 0 && v[0] == w.o.Comment
}

func (w *Writer) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// Close writes what is left; it does not close the underlying writer.
func (w *Writer) Close() error { return w.flush() }
