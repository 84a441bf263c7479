package source

import (
	"compress/flate"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// textCodec compresses whole text files.
type textCodec struct {
	extension string
	open      func(io.Writer) (io.WriteCloser, error)
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

// textCodecOf reads the option compression.
func textCodecOf(o options) (textCodec, error) {
	switch name := strings.ToLower(o.first("none", "compression", "codec")); name {
	case "none", "uncompressed":
		return textCodec{"", func(w io.Writer) (io.WriteCloser, error) { return plainWriter{w}, nil }}, nil
	case "gzip":
		return textCodec{".gz", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }}, nil
	case "deflate":
		return textCodec{".deflate", func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriterLevel(w, flate.DefaultCompression) }}, nil
	case "zstd":
		return textCodec{".zst", func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }}, nil
	case "bzip2", "lz4", "snappy":
		return textCodec{}, sparkerr.Unsupported("writing text with codec " + name)
	default:
		return textCodec{}, sparkerr.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name,
			"availableCodecs", "bzip2, deflate, uncompressed, snappy, none, zstd, lz4, gzip")
	}
}

// textFile closes the codec behind the writer.
type textFile struct {
	fileWriter
	z io.Closer
}

// Close implements fileWriter.
func (t *textFile) Close() error { return errors.Join(t.fileWriter.Close(), t.z.Close()) }

// lineFormat reads text: each line is a row, or each file with wholetext.
type lineFormat struct{}

func (lineFormat) name() string { return "Text" }

func (lineFormat) infer(context.Context, *fileRelation) (*types.Schema, error) {
	return types.NewSchema(types.Field{Name: "value", Type: types.String, Nullable: true}), nil
}

func (lineFormat) stats(_ context.Context, r *fileRelation) *catalog.Stats { return r.byteStats() }

func (f lineFormat) plan(_ context.Context, r *fileRelation, in *inputFile, _ []expr.Expr) ([]Split, error) {
	return cutText(f, r, in), checkText(r.data)
}

func checkText(s *types.Schema) error {
	if n := len(s.Fields); n != 1 {
		return sparkerr.New("_LEGACY_ERROR_TEMP_1290", "schemaSize", itoa(n))
	}
	if s.Fields[0].Type.Kind != types.StringKind {
		return badType("Text", s.Fields[0])
	}
	return nil
}

func (lineFormat) whole(o options) bool { return o.flag("wholetext", false) }

// lineParser makes a row of each record as it is.
type lineParser struct {
	cols []*rows.Column
	n    int
}

func (p *lineParser) Columns() []*rows.Column { return p.cols }
func (p *lineParser) Rows() int               { return p.n }
func (p *lineParser) Reset() {
	p.n = 0
	for _, c := range p.cols {
		c.Reset()
	}
}

func (p *lineParser) take(line []byte, block, off int) error {
	p.n++
	for _, c := range p.cols {
		c.View(line, block, off)
	}
	return nil
}

func (f lineFormat) read(ctx context.Context, s *textSplit, want []int, env *Env) (recordParser, feed, error) {
	var blocks rows.Blocks
	p := &lineParser{}
	for range want {
		p.cols = append(p.cols, rows.NewColumn(types.String, &blocks))
	}
	if f.whole(s.r.opts) {
		b, err := readWhole(ctx, s.file, s.r.opts)
		return p, &wholeFeed{data: b, blocks: &blocks, take: p.take}, err
	}
	l, err := openLines(ctx, s, &blocks, p.take)
	return p, l, err
}

// lineOutput writes a column of text, one line a row.
type lineOutput struct {
	sep   string
	codec textCodec
}

func newLineOutput(o options) (*lineOutput, error) {
	c, err := textCodecOf(o)
	return &lineOutput{o.first("\n", "linesep"), c}, err
}

func (l *lineOutput) extension() string           { return ".txt" + l.codec.extension }
func (l *lineOutput) check(s *types.Schema) error { return checkText(s) }

func (l *lineOutput) create(w io.Writer, _ *types.Schema) (fileWriter, error) {
	z, err := l.codec.open(w)
	return &textFile{&lineWriter{w: z, sep: l.sep}, z}, err
}

type lineWriter struct {
	w   io.Writer
	sep string
	buf []byte
}

// Write implements fileWriter.
func (l *lineWriter) Write(b *columnar.Batch) error {
	v := &b.Cols[0]
	for i := range b.N {
		if !v.Null(i) {
			l.buf = append(l.buf, v.Text(i)...)
		}
		l.buf = append(l.buf, l.sep...)
	}
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}

// Close implements fileWriter.
func (l *lineWriter) Close() error { return nil }
