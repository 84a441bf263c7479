package source

import (
	"context"
	"errors"
	"sync"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// parquetFormat reads Parquet files.
type parquetFormat struct{}

func (parquetFormat) name() string { return "Parquet" }

// sparkRowKey is where Spark puts its own schema into a footer.
const sparkRowKey = "org.apache.spark.sql.parquet.row.metadata"

func schemaOptions(e *Env) parquet.SchemaOptions {
	return parquet.SchemaOptions{
		BinaryAsString: e.flag("spark.sql.parquet.binaryAsString", false),
		NoNTZ:          !e.flag("spark.sql.parquet.inferTimestampNTZ.enabled", true),
		NanosAsLong:    e.flag("spark.sql.legacy.parquet.nanosAsLong", false),
	}
}

// fileSchema is Spark's own schema if the file has it, else what its columns map to.
func fileSchema(f *parquet.File, e *Env) (*types.Schema, error) {
	if text, ok := f.Keys[sparkRowKey]; ok {
		if t, err := types.ParseJSON(text); err == nil && t.Kind == types.StructKind {
			return types.NewSchema(t.Fields()...), nil
		}
	}
	return f.SparkSchema(schemaOptions(e))
}

// infer reads the schema of the first file, or merges those of all.
func (parquetFormat) infer(ctx context.Context, r *fileRelation) (*types.Schema, error) {
	merge, err := r.opts.boolean("mergeschema", r.env.flag("spark.sql.parquet.mergeSchema", false))
	if err != nil {
		return nil, err
	}
	ignore := r.ignoresCorrupt()
	var out *types.Schema
	for i := range r.files {
		f, err := footer(ctx, &r.files[i])
		if err != nil {
			if ignore {
				continue
			}
			return nil, err
		}
		s, err := fileSchema(f, r.env)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = s
		} else if out, err = mergeSchemas(out, s, r.env.caseSensitive()); err != nil {
			return nil, err
		}
		if !merge {
			break
		}
	}
	return out, nil
}

func (r *fileRelation) ignoresCorrupt() bool {
	return r.opts.flag("ignorecorruptfiles", r.env.flag("spark.sql.files.ignoreCorruptFiles", false))
}

func (r *fileRelation) ignoresMissing() bool {
	return r.opts.flag("ignoremissingfiles", r.env.flag("spark.sql.files.ignoreMissingFiles", false))
}

// statFiles is the number of footers that are read for statistics; the rest is extrapolated by size.
const statFiles = 256

func (parquetFormat) stats(ctx context.Context, r *fileRelation) *catalog.Stats {
	out := r.byteStats()
	out.Columns = map[string]catalog.ColumnStats{}
	sum := newStatSum(r.data)
	var seen int64
	for i := range r.files {
		if i == statFiles {
			break
		}
		f, err := footer(ctx, &r.files[i])
		if err != nil {
			return &catalog.Stats{Rows: -1, Bytes: out.Bytes}
		}
		seen += r.files[i].info.Size
		sum.add(ctx, r, &r.files[i], f)
	}
	out.Rows = sum.rows
	if seen < out.Bytes && seen > 0 {
		out.Rows = int64(float64(sum.rows) * float64(out.Bytes) / float64(seen))
		return out
	}
	sum.finish(out)
	return out
}

// parquetSplit is a row group, or some of its rows.
type parquetSplit struct {
	r      *fileRelation
	file   *inputFile
	group  int
	ranges []parquet.Range // nil: all
	rows   int64
	bytes  int64
	digest uint64 // of the file that was planned, parquet.File.Digest
}

func (s *parquetSplit) Bytes() int64    { return s.bytes }
func (s *parquetSplit) Rows() int64     { return s.rows }
func (s *parquetSplit) Hosts() []string { return nil }

// Bounds of the rows of a split; between them a thirty-second of the table, so that few large row groups still feed many
// tasks, and many small ones are not cut.
const (
	minSplitRows = 40_000
	maxSplitRows = 1 << 17
)

func (r *fileRelation) splitRows() int64 {
	return min(max(r.Stats().Rows/32, minSplitRows), maxSplitRows)
}

func (parquetFormat) plan(ctx context.Context, r *fileRelation, in *inputFile, conds []expr.Expr) ([]Split, error) {
	f, err := footer(ctx, in)
	if err != nil {
		if r.ignoresCorrupt() || r.ignoresMissing() && sparkerr.Is(err, "FAILED_READ_FILE.FILE_NOT_EXIST") {
			return nil, nil
		}
		return nil, err
	}
	fields := &fileFields{r: r, in: in, f: f, by: map[string]*parquet.Field{}}
	prune := r.env.flag("spark.sql.parquet.filterPushdown", true)
	var out []Split
	for g := range f.RowGroups {
		group := &f.RowGroups[g]
		if group.Rows == 0 || prune && !fields.groupMatches(g, conds) {
			continue
		}
		splits, err := cutGroup(ctx, r, in, f, g)
		if err != nil {
			return nil, err
		}
		out = append(out, splits...)
	}
	return out, fields.err
}

// cutGroup makes splits of a row group.
func cutGroup(ctx context.Context, r *fileRelation, in *inputFile, f *parquet.File, g int) ([]Split, error) {
	group := &f.RowGroups[g]
	var size int64
	for i := range group.Columns {
		size += group.Columns[i].Compressed
	}
	whole := &parquetSplit{r: r, file: in, group: g, rows: group.Rows, bytes: size, digest: f.Digest}
	parts := (group.Rows + r.splitRows() - 1) / r.splitRows()
	if parts <= 1 {
		return []Split{whole}, nil
	}
	h, _, err := openParquet(ctx, in)
	if err != nil {
		return nil, err
	}
	cuts := append(f.Cuts(h, g, (group.Rows+parts-1)/parts), group.Rows)
	var out []Split
	var from int64
	for _, to := range cuts {
		part := *whole
		part.ranges, part.rows = []parquet.Range{{From: from, To: to}}, to-from
		part.bytes = size * part.rows / group.Rows
		out = append(out, &part)
		from = to
	}
	return out, h.Close()
}

// limit leaves of a split only its first n rows.
func (s *parquetSplit) limit(n int64) Split {
	if n >= s.rows {
		return s
	}
	out := *s
	out.ranges, out.rows, out.bytes = parquet.Intersect(s.span(), []parquet.Range{{From: s.span()[0].From, To: s.span()[0].From + n}}), n, s.bytes*n/s.rows
	return &out
}

// span are the split's rows.
func (s *parquetSplit) span() []parquet.Range {
	if s.ranges == nil {
		return []parquet.Range{{From: 0, To: s.rows}}
	}
	return s.ranges
}

// fileFields resolves the relation's columns in one file.
type fileFields struct {
	r   *fileRelation
	in  *inputFile
	f   *parquet.File
	by  map[string]*parquet.Field
	err error
}

func (ff *fileFields) field(name string) *parquet.Field {
	if fld, ok := ff.by[name]; ok {
		return fld
	}
	var fld *parquet.Field
	if c := findField(ff.r.data, name, ff.r.env.caseSensitive()); c != nil {
		var err error
		if fld, err = ff.f.Resolve(c.Name, c.Type, ff.r.env.caseSensitive()); err != nil {
			ff.err = columnError(ff.in.uri(), err)
			fld = nil
		}
	}
	ff.by[name] = fld
	return fld
}

// columnError gives Spark's condition to what Resolve found.
func columnError(uri string, err error) error {
	var m *parquet.MismatchError
	var a *parquet.AmbiguousError
	switch {
	case errors.As(err, &m):
		return sparkerr.New("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "path", uri, "column", m.Column,
			"expectedType", m.Expected.String(), "actualType", m.Actual).WithCause(err)
	case errors.As(err, &a):
		return sparkerr.New("_LEGACY_ERROR_TEMP_2093", "requiredFieldName", a.Name, "matchedOrcFields", listOf(a.Found)).WithCause(err)
	}
	return readError(uri, err)
}

func listOf(names []string) string {
	s := "["
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s + "]"
}

func (ff *fileFields) groupMatches(g int, conds []expr.Expr) bool {
	get := func(c *expr.Column) (parquet.Bounds, bool) {
		if p := ff.r.partition(c.Name); p >= 0 {
			return constBounds(ff.in.part[p], ff.f.RowGroups[g].Rows), true
		}
		fld := ff.field(c.Name)
		if fld == nil {
			return parquet.Bounds{}, false
		}
		if fld.Missing() {
			return constBounds(nil, ff.f.RowGroups[g].Rows), true
		}
		return ff.f.Bounds(g, fld), true
	}
	for _, c := range conds {
		if !mayMatch(c, get) {
			return false
		}
	}
	return true
}

// constBounds are the bounds of a column that has one value in all rows.
func constBounds(v any, rows int64) parquet.Bounds {
	b := parquet.Bounds{Min: v, Max: v, Rows: rows}
	if v == nil {
		b.Nulls = rows
	}
	return b
}

// Open implements Split.
func (s *parquetSplit) Open(ctx context.Context, scan Scan, env *Env) (Reader, error) {
	h, f, err := openParquet(ctx, s.file)
	if err != nil {
		if s.r.ignoresMissing() && sparkerr.Is(err, "FAILED_READ_FILE.FILE_NOT_EXIST") || s.r.ignoresCorrupt() {
			return emptyReader{}, nil
		}
		return nil, err
	}
	if f.Digest != s.digest {
		h.Close()
		return nil, sparkerr.New("FAILED_READ_FILE.FILE_NOT_EXIST", "path", s.file.uri()).WithCause(errChanged)
	}
	p := parquet.Scan{File: f, Handle: h, Group: s.group, Ranges: s.ranges, Schema: outputSchema(scan.Output)}
	fields := &fileFields{r: s.r, in: s.file, f: f, by: map[string]*parquet.Field{}}
	if err := s.fill(&p, fields, scan, env); err != nil {
		h.Close()
		return nil, err
	}
	if !fields.keysMatch(s.group, scan.Runtime) {
		return emptyReader{}, h.Close()
	}
	if env.flag("spark.sql.parquet.filterPushdown", true) {
		ranges, nothing := fields.narrow(h, s.group, p.Ranges, s.conds(scan))
		if nothing {
			return emptyReader{}, h.Close()
		}
		p.Ranges = ranges
	}
	sc, err := parquet.NewScanner(p)
	if err != nil {
		h.Close()
		return nil, readError(s.file.uri(), err)
	}
	return &parquetReader{s: sc, h: h, split: s, scan: scan, preds: p.Predicates}, nil
}

var errChanged = errors.New("the file was replaced while the query ran")

// fill puts columns, predicates and keys into the scan.
func (s *parquetSplit) fill(p *parquet.Scan, fields *fileFields, scan Scan, env *Env) error {
	at := make(map[expr.ID]int, len(scan.Output))
	for i, c := range scan.Output {
		at[c.ID] = i
		if k := s.r.partition(c.Name); k >= 0 {
			v := columnar.NewConst(c.T, s.file.part[k], 1)
			p.Columns = append(p.Columns, parquet.Column{Const: &v})
			continue
		}
		fld := fields.field(c.Name)
		if fields.err != nil {
			return fields.err
		}
		if fld == nil {
			return sparkerr.Internal("the scan asks for column %s, which the relation does not have", c.Name)
		}
		p.Columns = append(p.Columns, parquet.Column{Field: fld})
	}
	var err error
	if p.Predicates, err = s.r.preds.take(scan, func() ([]parquet.Predicate, error) {
		var out []parquet.Predicate
		for _, c := range s.conds(scan) {
			pred, err := predicate(c, at, scan.Output, env)
			if err != nil {
				return nil, err
			}
			out = append(out, pred)
		}
		return out, nil
	}); err != nil {
		return err
	}
	for _, k := range scan.Runtime {
		if i, ok := at[k.Column.ID]; ok && k.Ready {
			p.Keys = append(p.Keys, parquet.Keys{Column: i, Min: k.Min, Max: k.Max, Bits: k.Bits})
		}
	}
	return nil
}

// conds are the scan's conjuncts but those that were decided by partition values when the splits were listed.
func (s *parquetSplit) conds(scan Scan) []expr.Expr {
	var out []expr.Expr
	for _, e := range scan.Filters {
		for _, c := range expr.Conjuncts(e) {
			if !s.r.onlyPartitions(c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// predicate compiles a conjunct over the output's columns that it uses.
func predicate(c expr.Expr, at map[expr.ID]int, output []*expr.Column, env *Env) (parquet.Predicate, error) {
	used := map[expr.ID]*expr.Column{}
	expr.Columns(c, used)
	p := parquet.Predicate{Safe: eval.Safe(c) && function.Deterministic(c)}
	var in []*expr.Column
	for i, col := range output {
		if used[col.ID] != nil {
			p.Columns, in = append(p.Columns, i), append(in, col)
		}
	}
	if len(in) != len(used) {
		return p, sparkerr.Internal("a filter of the scan uses a column that the scan does not read: %s", c.SQL())
	}
	f, err := eval.CompileFilter([]expr.Expr{c}, in, env.Session, eval.Options{})
	if err != nil {
		return p, err
	}
	p.Select = f.Select
	return p, nil
}

func outputSchema(cols []*expr.Column) *types.Schema {
	s := &types.Schema{}
	for _, c := range cols {
		s.Fields = append(s.Fields, types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata})
	}
	return s
}

// parquetReader reads one split.
type parquetReader struct {
	s     *parquet.Scanner
	h     vfs.File
	split *parquetSplit
	scan  Scan
	preds []parquet.Predicate
	once  sync.Once
	err   error
}

// Next implements Reader.
func (r *parquetReader) Next() (*columnar.Batch, error) {
	b, err := r.s.Next()
	if err == nil {
		return b, nil
	}
	return nil, r.split.scanError(err)
}

func (s *parquetSplit) scanError(err error) error {
	var bad *parquet.FormatError
	if !errors.As(err, &bad) && !errors.Is(err, vfs.ErrFault) {
		return err // io.EOF, or what a predicate found
	}
	if s.r.ignoresCorrupt() {
		return errEnd
	}
	return readError(s.file.uri(), err)
}

// Close implements Reader.
func (r *parquetReader) Close() error {
	r.once.Do(func() {
		r.s.Close()
		r.split.r.preds.give(r.scan, r.preds)
		r.err = r.h.Close()
	})
	return r.err
}
