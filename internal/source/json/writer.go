package json

import (
	"encoding/base64"
	"io"
	"math"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/source/cell"
	"github.com/firesteel/firesteel/internal/types"
)

// WriterOptions are a writer's options.
type WriterOptions struct {
	KeepNulls bool // write null fields instead of leaving them out
	LineSep   string
	Formats   cell.Formats
}

// Writer writes records, one a line.
type Writer struct {
	w      io.Writer
	o      WriterOptions
	schema types.Type
	buf    []byte
	cell   []byte
	row    columnar.Vector
}

const flushSize = 1 << 18

// NewWriter begins a file.
func NewWriter(w io.Writer, s *types.Schema, o WriterOptions) *Writer {
	return &Writer{w: w, o: o, schema: s.Type()}
}

// Write adds the rows of a batch.
func (w *Writer) Write(b *columnar.Batch) error {
	w.row = columnar.Vector{Type: w.schema, N: b.N, Kids: w.row.Kids[:0]}
	for i := range b.Cols {
		w.row.Kids = append(w.row.Kids, deepFlat(&b.Cols[i]))
	}
	for i := range b.N {
		w.buf = append(w.AppendValue(w.buf, &w.row, i), w.o.LineSep...)
		if len(w.buf) >= flushSize {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// deepFlat makes a vector and all of its kids flat.
func deepFlat(v *columnar.Vector) columnar.Vector {
	out := v.Flatten()
	if len(out.Kids) > 0 {
		out.Kids = append([]columnar.Vector(nil), out.Kids...)
		for i := range out.Kids {
			out.Kids[i] = deepFlat(&out.Kids[i])
		}
	}
	return out
}

// AppendValue prints row i of a vector whose parts are all flat.
func (w *Writer) AppendValue(dst []byte, v *columnar.Vector, i int) []byte {
	if v.Null(i) {
		return append(dst, "null"...)
	}
	switch v.Type.Kind {
	case types.StructKind:
		return w.object(dst, v, i)
	case types.ArrayKind:
		dst = append(dst, '[')
		offs := columnar.Of[int32](v.Data)
		for k := offs[i]; k < offs[i+1]; k++ {
			if k > offs[i] {
				dst = append(dst, ',')
			}
			dst = w.AppendValue(dst, &v.Kids[0], int(k))
		}
		return append(dst, ']')
	case types.MapKind:
		return w.mapOf(dst, v, i)
	case types.BooleanKind, types.ByteKind, types.ShortKind, types.IntKind, types.LongKind, types.DecimalKind:
		return cell.Append(dst, v, i, &w.o.Formats)
	case types.FloatKind:
		if f := float64(columnar.Of[float32](v.Data)[i]); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return cell.Append(dst, v, i, &w.o.Formats)
		}
	case types.DoubleKind:
		if f := columnar.Of[float64](v.Data)[i]; !math.IsNaN(f) && !math.IsInf(f, 0) {
			return cell.Append(dst, v, i, &w.o.Formats)
		}
	case types.StringKind:
		return AppendString(dst, v.Text(i))
	case types.BinaryKind:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Text(i))
		return append(dst, '"')
	}
	w.cell = cell.Append(w.cell[:0], v, i, &w.o.Formats)
	return AppendString(dst, w.cell)
}

func (w *Writer) object(dst []byte, v *columnar.Vector, i int) []byte {
	dst = append(dst, '{')
	first := true
	for k, f := range v.Type.Fields() {
		kid := &v.Kids[k]
		if !w.o.KeepNulls && kid.Null(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendString(dst, []byte(f.Name)), ':')
		dst = w.AppendValue(dst, kid, i)
	}
	return append(dst, '}')
}

func (w *Writer) mapOf(dst []byte, v *columnar.Vector, i int) []byte {
	dst = append(dst, '{')
	offs := columnar.Of[int32](v.Data)
	for k := offs[i]; k < offs[i+1]; k++ {
		if k > offs[i] {
			dst = append(dst, ',')
		}
		key := &v.Kids[0]
		if key.Type.Kind == types.StringKind {
			dst = AppendString(dst, key.Text(int(k)))
		} else {
			w.cell = types.AppendValue(w.cell[:0], key.ValueAt(int(k)), key.Type, time.UTC)
			dst = AppendString(dst, w.cell)
		}
		dst = append(dst, ':')
		dst = w.AppendValue(dst, &v.Kids[1], int(k))
	}
	return append(dst, '}')
}

// AppendString prints a text in quotes.
func AppendString(dst, s []byte) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	start := 0
	for i, c := range s {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

func (w *Writer) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// Close writes what is left; it does not close the underlying writer.
func (w *Writer) Close() error { return w.flush() }
