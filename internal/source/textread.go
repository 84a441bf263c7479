package source

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/lines"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// recordParser makes rows of the text of records.
type recordParser interface {
	Columns() []*rows.Column
	Rows() int
	Reset()
}

// feed reads one record into its parser; io.EOF ends.
type feed interface {
	next() error
	// recycle says that the batch made of the records so far is gone.
	recycle()
	io.Closer
}

// textFormat is what differs between the formats that are read record by record.
type textFormat interface {
	fileFormat
	// whole says that records may span lines, so that files cannot be cut.
	whole(o options) bool
	// read opens a part of a file for the wanted columns (positions in r.data).
	read(ctx context.Context, s *textSplit, want []int, env *Env) (recordParser, feed, error)
}

// textSplit is a part of a file: the records that begin in it.
type textSplit struct {
	r        *fileRelation
	format   textFormat
	file     *inputFile
	off, len int64
}

func (s *textSplit) Bytes() int64    { return s.len }
func (s *textSplit) Rows() int64     { return -1 }
func (s *textSplit) Hosts() []string { return nil }

// Bounds of split sizes; between them a sixteenth of all input.
const (
	minSplit = 4 << 20
	maxSplit = 128 << 20
)

// cutText makes the splits of a text file.
func cutText(f textFormat, r *fileRelation, in *inputFile) []Split {
	size := in.info.Size
	if f.whole(r.opts) || !splittable(in, r.opts) {
		return []Split{&textSplit{r: r, format: f, file: in, len: size}}
	}
	step := min(max(r.byteStats().Bytes/16, minSplit), maxSplit)
	var out []Split
	for off := int64(0); off < size; off += step {
		out = append(out, &textSplit{r: r, format: f, file: in, off: off, len: min(step, size-off)})
	}
	return out
}

// splittable says whether a part of a file can be read by itself.
func splittable(in *inputFile, o options) bool { return lines.Splittable(in.info.Path) && isUTF8(o) }

// openText opens a file from off on, decompressed and as UTF-8.
func openText(ctx context.Context, in *inputFile, o options, off int64) (*lines.Input, error) {
	from, err := charset(o)
	if err != nil {
		return nil, err
	}
	src, err := lines.Open(ctx, in.fs, in.info.Path, off)
	if err == nil && from != nil {
		src.Decode(from)
	}
	return src, err
}

// Open implements Split.
func (s *textSplit) Open(ctx context.Context, scan Scan, env *Env) (Reader, error) {
	t := &textReader{split: s, env: env, out: columnar.Batch{Schema: outputSchema(scan.Output), Cols: make([]columnar.Vector, len(scan.Output))}}
	var want []int
	for _, c := range scan.Output {
		if k := s.r.partition(c.Name); k >= 0 {
			t.consts = append(t.consts, columnar.NewConst(c.T, s.file.part[k], 1))
			t.at = append(t.at, -len(t.consts))
			continue
		}
		i := fieldAt(s.r.data, c.Name, env.caseSensitive())
		if i < 0 {
			return nil, sparkerr.Internal("the scan asks for column %s, which the relation does not have", c.Name)
		}
		t.at = append(t.at, len(want))
		want = append(want, i)
	}
	if err := t.compile(scan); err != nil {
		return nil, err
	}
	var err error
	t.p, t.f, err = s.format.read(ctx, s, want, env)
	if err != nil {
		if s.r.ignoresMissing() && sparkerr.Is(readError("", err), "FAILED_READ_FILE.FILE_NOT_EXIST") {
			return emptyReader{}, nil
		}
		return nil, readError(s.file.uri(), err)
	}
	return t, nil
}

func fieldAt(s *types.Schema, name string, caseSensitive bool) int {
	for i := range s.Fields {
		if sameName(s.Fields[i].Name, name, caseSensitive) {
			return i
		}
	}
	return -1
}

// textReader turns records into batches.
type textReader struct {
	split  *textSplit
	env    *Env
	p      recordParser
	f      feed
	at     []int // output column: position among the parser's, or -1-k for constant k
	consts []columnar.Vector
	filter *eval.Filter
	out    columnar.Batch
	eof    bool
}

// textBatch is the number of rows of a batch.
const textBatch = 4096

func (t *textReader) compile(scan Scan) error {
	var conds []expr.Expr
	for _, e := range scan.Filters {
		for _, c := range expr.Conjuncts(e) {
			if !t.split.r.onlyPartitions(c) {
				conds = append(conds, c)
			}
		}
	}
	if len(conds) == 0 {
		return nil
	}
	var err error
	t.filter, err = eval.CompileFilter(conds, scan.Output, t.env.Session, eval.Options{})
	return err
}

// Next implements Reader.
func (t *textReader) Next() (*columnar.Batch, error) {
	for {
		if t.eof {
			return nil, io.EOF
		}
		t.p.Reset()
		t.f.recycle()
		for t.p.Rows() < textBatch && !t.eof {
			err := t.f.next()
			if errors.Is(err, io.EOF) {
				t.eof = true
			} else if err != nil {
				return nil, t.fail(err)
			}
		}
		if t.p.Rows() == 0 {
			continue
		}
		b, err := t.batch()
		if err != nil || b.N > 0 {
			return b, err
		}
	}
}

// fail wraps an error in Spark's condition for files, as its readers do with all errors of records.
func (t *textReader) fail(err error) error {
	if t.split.r.ignoresCorrupt() && !sparkerr.Is(err, "MALFORMED_RECORD_IN_PARSING") {
		return io.EOF
	}
	return sparkerr.New("FAILED_READ_FILE.NO_HINT", "path", t.split.file.uri()).WithCause(err)
}

func (t *textReader) batch() (*columnar.Batch, error) {
	t.out.N = t.p.Rows()
	cols := t.p.Columns()
	for i, k := range t.at {
		if k >= 0 {
			t.out.Cols[i] = cols[k].Vector()
			continue
		}
		t.out.Cols[i] = t.consts[-1-k]
		t.out.Cols[i].N = t.out.N
	}
	if t.filter == nil {
		return &t.out, nil
	}
	sel, err := t.filter.Select(&t.out, nil)
	if err != nil || len(sel) == t.out.N {
		return &t.out, err
	}
	return t.out.Select(sel), nil
}

// Close implements Reader.
func (t *textReader) Close() error { return t.f.Close() }

// lineFeed hands the lines of a part of a file to a function.
type lineFeed struct {
	in     *lines.Input
	r      *lines.Reader
	blocks *rows.Blocks
	block  *lines.Block
	number int
	take   func(line []byte, block, off int) error
}

// openLines opens the lines of a split.
func openLines(ctx context.Context, s *textSplit, blocks *rows.Blocks, take func(line []byte, block, off int) error) (*lineFeed, error) {
	in, err := openText(ctx, s.file, s.r.opts, s.off)
	if err != nil {
		return nil, err
	}
	sep := s.r.opts["linesep"]
	r := lines.New(in, []byte(sep))
	if splittable(s.file, s.r.opts) {
		if r, err = lines.NewPart(in, []byte(sep), s.off, s.len); err != nil {
			return nil, errors.Join(err, in.Close())
		}
	}
	return &lineFeed{in: in, r: r, blocks: blocks, take: take}, nil
}

func (f *lineFeed) next() error {
	line, b, off, err := f.r.Next()
	if err != nil {
		return err
	}
	if b != f.block {
		f.block, f.number = b, f.blocks.Add(b.Data)
	}
	return f.take(line, f.number, off)
}

func (f *lineFeed) recycle() {
	f.r.Recycle()
	f.blocks.Reset()
	f.block = nil
}

// Close implements io.Closer.
func (f *lineFeed) Close() error { return f.in.Close() }

// readWhole reads a whole file, decompressed and as UTF-8.
func readWhole(ctx context.Context, in *inputFile, o options) ([]byte, error) {
	r, err := openText(ctx, in, o, 0)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

// eachLine calls f for the lines of a file until f says stop.
func eachLine(ctx context.Context, in *inputFile, o options, f func(line []byte) (stop bool)) error {
	src, err := openText(ctx, in, o, 0)
	if err != nil {
		return readError(in.uri(), err)
	}
	r := lines.New(src, []byte(o["linesep"]))
	for {
		line, _, _, err := r.Next()
		if err == io.EOF || err == nil && f(line) {
			return src.Close()
		}
		if err != nil {
			return readError(in.uri(), errors.Join(err, src.Close()))
		}
		r.Recycle()
	}
}
