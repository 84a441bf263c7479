package spark

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// ErrEmpty is the error of First, Reduce and their like when there is nothing.
var ErrEmpty = errors.New("spark: empty collection")

var errEnough = errors.New("enough rows")

// StorageLevel says where cached rows are kept.
type StorageLevel string

// The storage levels.
const (
	None               StorageLevel = "NONE"
	MemoryOnly         StorageLevel = "MEMORY_ONLY"
	MemoryAndDisk      StorageLevel = "MEMORY_AND_DISK"
	DiskOnly           StorageLevel = "DISK_ONLY"
	MemoryOnlySer      StorageLevel = "MEMORY_ONLY_SER"
	MemoryAndDiskSer   StorageLevel = "MEMORY_AND_DISK_SER"
	MemoryAndDiskDeser StorageLevel = "MEMORY_AND_DISK_DESER"
	OffHeap            StorageLevel = "OFF_HEAP"
	MemoryOnly2        StorageLevel = "MEMORY_ONLY_2"
	MemoryAndDisk2     StorageLevel = "MEMORY_AND_DISK_2"
	DiskOnly2          StorageLevel = "DISK_ONLY_2"
	DiskOnly3          StorageLevel = "DISK_ONLY_3"
	MemoryOnlySer2     StorageLevel = "MEMORY_ONLY_SER_2"
	MemoryAndDiskSer2  StorageLevel = "MEMORY_AND_DISK_SER_2"
)

// SaveMode says what a write does when something is there already.
type SaveMode uint8

// The save modes.
const (
	ErrorIfExists SaveMode = iota
	Append
	Overwrite
	Ignore
)

var saveModes = [...]logical.SaveMode{ErrorIfExists: logical.ErrorIfExists, Append: logical.Append, Overwrite: logical.Overwrite, Ignore: logical.Ignore}

// DataFrameReader reads files. Begin with Session.Read.
type DataFrameReader struct {
	s       *Session
	format  string
	schema  *types.Schema
	options map[string]string
	err     error
}

// Read begins to read files.
func (s *Session) Read() *DataFrameReader {
	return &DataFrameReader{s: s, options: map[string]string{}}
}

// Format says what the files are: parquet, csv, json, text, ….
func (r *DataFrameReader) Format(name string) *DataFrameReader { r.format = name; return r }

// Option sets an option of the format.
func (r *DataFrameReader) Option(key string, value any) *DataFrameReader {
	r.options[strings.ToLower(key)] = fmt.Sprint(value)
	return r
}

// Schema says which columns to read, instead of finding out.
func (r *DataFrameReader) Schema(s *StructType) *DataFrameReader { r.schema = s; return r }

// SchemaDDL is Schema in SQL's form.
func (r *DataFrameReader) SchemaDDL(ddl string) *DataFrameReader {
	s, err := sqlparser.ParseSchema(ddl)
	r.schema, r.err = s, firstError(r.err, err)
	return r
}

// Load reads files, folders or patterns.
func (r *DataFrameReader) Load(paths ...string) *DataFrame {
	if r.err != nil {
		return r.s.failed(r.err)
	}
	format := r.format
	if format == "" {
		format = r.s.s.Conf().Values().String("spark.sql.sources.default")
	}
	return r.s.frame(&logical.DataSource{Format: format, Paths: paths, Schema: r.schema, Options: maps.Clone(r.options)})
}

// Parquet reads Parquet files; CSV, JSON, Text likewise.
func (r *DataFrameReader) Parquet(paths ...string) *DataFrame {
	return r.Format("parquet").Load(paths...)
}

// CSV reads CSV files.
func (r *DataFrameReader) CSV(paths ...string) *DataFrame { return r.Format("csv").Load(paths...) }

// JSON reads JSON files.
func (r *DataFrameReader) JSON(paths ...string) *DataFrame { return r.Format("json").Load(paths...) }

// Text reads text files: a row a line, in a column value.
func (r *DataFrameReader) Text(paths ...string) *DataFrame { return r.Format("text").Load(paths...) }

// Table reads a table.
func (r *DataFrameReader) Table(name string) *DataFrame { return r.s.Table(name) }

// DataFrameWriter writes a frame. Begin with DataFrame.Write.
type DataFrameWriter struct {
	d                   *DataFrame
	format              string
	mode                SaveMode
	options             map[string]string
	partition, bucketBy []string
	sortBy              []string
	buckets             int
}

// Format says what files are written: parquet, csv, json, text, ….
func (w *DataFrameWriter) Format(name string) *DataFrameWriter { w.format = name; return w }

// Mode says what happens when something is there already; an error if nothing is said.
func (w *DataFrameWriter) Mode(m SaveMode) *DataFrameWriter { w.mode = m; return w }

// Option sets an option of the format.
func (w *DataFrameWriter) Option(key string, value any) *DataFrameWriter {
	w.options[strings.ToLower(key)] = fmt.Sprint(value)
	return w
}

// PartitionBy puts the rows of each value of the columns in a folder of its own.
func (w *DataFrameWriter) PartitionBy(names ...string) *DataFrameWriter {
	w.partition = names
	return w
}

// BucketBy spreads a table's rows over n buckets.
func (w *DataFrameWriter) BucketBy(n int, names ...string) *DataFrameWriter {
	w.buckets, w.bucketBy = n, names
	return w
}

// SortBy sorts the rows of each bucket.
func (w *DataFrameWriter) SortBy(names ...string) *DataFrameWriter { w.sortBy = names; return w }

func (w *DataFrameWriter) formatOrDefault() string {
	if w.format != "" {
		return w.format
	}
	return w.d.s.s.Conf().Values().String("spark.sql.sources.default")
}

// Save writes files below a path.
func (w *DataFrameWriter) Save(ctx context.Context, path string) error {
	return w.run(ctx, func() logical.Plan {
		return &logical.WriteFiles{Format: w.formatOrDefault(), Path: path, Mode: saveModes[w.mode], Options: w.options, PartitionBy: w.partition,
			BucketBy: w.bucketBy, Buckets: w.buckets, SortBy: w.sortBy, Query: w.d.plan}
	})
}

// Parquet writes Parquet files; CSV, JSON, Text likewise.
func (w *DataFrameWriter) Parquet(ctx context.Context, path string) error {
	return w.Format("parquet").Save(ctx, path)
}

// CSV writes CSV files.
func (w *DataFrameWriter) CSV(ctx context.Context, path string) error {
	return w.Format("csv").Save(ctx, path)
}

// JSON writes JSON files.
func (w *DataFrameWriter) JSON(ctx context.Context, path string) error {
	return w.Format("json").Save(ctx, path)
}

// Text writes text files of the only column.
func (w *DataFrameWriter) Text(ctx context.Context, path string) error {
	return w.Format("text").Save(ctx, path)
}

// SaveAsTable writes a table, which it creates.
func (w *DataFrameWriter) SaveAsTable(ctx context.Context, name string) error {
	parts, err := identifier(name)
	if err != nil {
		return err
	}
	return w.run(ctx, func() logical.Plan {
		return &logical.CreateTable{Name: parts, Provider: w.formatOrDefault(), Options: w.options, Location: w.options["path"],
			External: w.options["path"] != "", Partition: w.partition, BucketBy: w.bucketBy, Buckets: w.buckets, SortBy: w.sortBy,
			Mode: saveModes[w.mode], Query: w.d.plan}
	})
}

// InsertInto writes into a table that exists, columns by position.
func (w *DataFrameWriter) InsertInto(ctx context.Context, name string) error {
	parts, err := identifier(name)
	if err != nil {
		return err
	}
	return w.run(ctx, func() logical.Plan {
		return &logical.InsertInto{Table: parts, Overwrite: w.mode == Overwrite, Options: w.options, Query: w.d.plan}
	})
}

func (w *DataFrameWriter) run(ctx context.Context, plan func() logical.Plan) error {
	if w.d.err != nil {
		return w.d.err
	}
	_, err := w.d.s.do(ctx, plan())
	return err
}

func identifier(name string) ([]string, error) { return sqlparser.ParseIdentifier(name) }

func parseType(sql string) (types.Type, error) { return sqlparser.ParseType(sql) }

// rowAt copies a row out of a batch.
func rowAt(s *types.Schema, b *columnar.Batch, i int, zone *time.Location) Row {
	values := make([]any, len(b.Cols))
	for c := range b.Cols {
		values[c] = fromEngine(b.Cols[c].ValueAt(i), s.Fields[c].Type, zone)
	}
	return Row{schema: s, values: values}
}

// sessionZone is the session time zone; UTC for a frame without a session.
func (s *Session) sessionZone() *time.Location {
	if s == nil {
		return time.UTC
	}
	return s.zone()
}
