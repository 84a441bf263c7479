package tpch

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// The file writer of the Parquet library has one open row group. Here the row
// groups of a file are filled at the same time, each into memory, and appended
// in order: tableFile.begin, rowGroup.write, tableFile.append.

const magic = "PAR1"

// tableFile is a Parquet file under a temporary name. begin and append are
// each to be called from one goroutine at a time.
type tableFile struct {
	path   string
	file   *os.File
	out    *bufio.Writer
	offset int64

	table  *Table
	schema *schema.Schema
	props  *parquet.WriterProperties
	meta   *metadata.FileMetaDataBuilder
	index  *metadata.PageIndexBuilder
	dicts  []arrow.Array // of Coded columns
	groups int16
}

// createTableFile opens a temporary file beside path.
func createTableFile(t *Table, path string) (*tableFile, error) {
	sc, err := parquetSchema(t)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("tpch: %w", err)
	}
	w := &tableFile{path: path, file: f, out: bufio.NewWriterSize(f, 1<<20), table: t, schema: sc, props: properties(t)}
	w.meta = metadata.NewFileMetadataBuilder(sc, w.props, nil)
	w.index = &metadata.PageIndexBuilder{Schema: sc}
	w.dicts = make([]arrow.Array, len(t.Columns))
	for i, c := range t.Columns {
		if c.Kind == Coded {
			w.dicts[i] = stringArray(c.Values)
		}
	}
	if _, err := w.Write([]byte(magic)); err != nil {
		w.abort()
		return nil, err
	}
	return w, nil
}

// Write and Tell make the file the sink of the library's page writers.
func (w *tableFile) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.offset += int64(n)
	if err != nil {
		return n, fmt.Errorf("tpch: %w", err)
	}
	return n, nil
}

func (w *tableFile) Tell() int64 { return w.offset }

// parquetSchema makes all columns required, with field numbers from 1.
func parquetSchema(t *Table) (*schema.Schema, error) {
	fields := make(schema.FieldList, len(t.Columns))
	for i, c := range t.Columns {
		var logical schema.LogicalType = schema.NoLogicalType{}
		physical := parquet.Types.Int64
		switch c.Kind {
		case Int64:
		case Int32:
			physical = parquet.Types.Int32
		case Decimal:
			logical = schema.NewDecimalLogicalType(15, 2)
		case Date:
			physical, logical = parquet.Types.Int32, schema.DateLogicalType{}
		case Coded, Text:
			physical, logical = parquet.Types.ByteArray, schema.StringLogicalType{}
		}
		node, err := schema.NewPrimitiveNodeLogical(c.Name, parquet.Repetitions.Required, logical, physical, -1, int32(i+1))
		if err != nil {
			return nil, fmt.Errorf("tpch: %w", err)
		}
		fields[i] = node
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("tpch: %w", err)
	}
	return schema.NewSchema(root), nil
}

// properties lets pages end only where rowGroup.write ends them.
func properties(t *Table) *parquet.WriterProperties {
	opts := []parquet.WriterProperty{
		parquet.WithCreatedBy("firesteel"),
		parquet.WithCompression(compress.Codecs.Snappy),
		parquet.WithDataPageVersion(parquet.DataPageV1),
		parquet.WithDataPageSize(1 << 30),
		parquet.WithBatchSize(1 << 20),
		parquet.WithDictionaryDefault(false),
		parquet.WithPageIndexEnabled(true),
	}
	for _, c := range t.Columns {
		if c.Kind == Coded || c.repetitive {
			opts = append(opts, parquet.WithDictionaryFor(c.Name, true))
		}
	}
	return parquet.NewWriterProperties(opts...)
}

func stringArray(values []string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	return b.NewArray()
}

// rowGroup is a row group in the making. One goroutine may write it while
// others write others.
type rowGroup struct {
	table   *Table
	ordinal int16
	rows    int
	meta    *metadata.RowGroupMetaDataBuilder
	columns []file.ColumnChunkWriter
	dicts   []arrow.Array
	strings []parquet.ByteArray // scratch
}

// begin starts the file's next row group.
func (w *tableFile) begin() (*rowGroup, error) {
	g := &rowGroup{table: w.table, ordinal: w.groups, meta: w.meta.AppendRowGroup(), dicts: w.dicts}
	w.groups++
	if err := w.index.AppendRowGroup(); err != nil {
		return nil, fmt.Errorf("tpch: %w", err)
	}
	for i, c := range w.table.Columns {
		meta := g.meta.NextColumnChunk()
		pages, err := file.NewPageWriter(w, w.props.CompressionFor(c.Name), w.props.CompressionLevelFor(c.Name),
			meta, g.ordinal, int16(i), w.props.Allocator(), true, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("tpch: %w", err)
		}
		columnIndex, err := w.index.GetColumnIndexBuilder(i)
		if err != nil {
			return nil, fmt.Errorf("tpch: %w", err)
		}
		offsetIndex, err := w.index.GetOffsetIndexBuilder(i)
		if err != nil {
			return nil, fmt.Errorf("tpch: %w", err)
		}
		pages.SetIndexBuilders(columnIndex, offsetIndex)
		column := file.NewColumnChunkWriter(meta, pages, w.props)
		if c.Kind == Coded {
			if err := presetDictionary(column, w.dicts[i]); err != nil {
				return nil, fmt.Errorf("tpch: %w", err)
			}
		}
		g.columns = append(g.columns, column)
	}
	return g, nil
}

// presetDictionary makes the codes of a column positions in values.
func presetDictionary(column file.ColumnChunkWriter, values arrow.Array) error {
	encoder, ok := column.CurrentEncoder().(interface{ PutDictionary(arrow.Array) error })
	if !ok {
		return fmt.Errorf("column %s is not dictionary encoded", column.Descr().Name())
	}
	return encoder.PutDictionary(values)
}

// write appends a batch, one page per column.
func (g *rowGroup) write(b *Batch) error {
	g.rows += b.Rows
	for i := range g.columns {
		if err := g.writeColumn(i, &b.Columns[i]); err != nil {
			return fmt.Errorf("tpch: column %s: %w", g.table.Columns[i].Name, err)
		}
	}
	return nil
}

func (g *rowGroup) writeColumn(i int, v *Vector) error {
	var err error
	switch column := g.columns[i].(type) {
	case *file.Int64ColumnChunkWriter:
		_, err = column.WriteBatch(v.Int64, nil, nil)
	case *file.Int32ColumnChunkWriter:
		_, err = column.WriteBatch(v.Int32, nil, nil)
	case *file.ByteArrayColumnChunkWriter:
		if g.table.Columns[i].Kind == Coded {
			err = writeCodes(column, v.Int32, g.dicts[i])
			break
		}
		g.strings = sized(g.strings, len(v.Ends))
		begin := int32(0)
		for row, end := range v.Ends {
			g.strings[row] = v.Text[begin:end]
			begin = end
		}
		_, err = column.WriteBatch(g.strings, nil, nil)
	}
	if err != nil {
		return err
	}
	return g.columns[i].(interface{ FlushCurrentPage() error }).FlushCurrentPage()
}

// writeCodes writes positions in the preset dictionary, and the statistics,
// which the library leaves to the caller here.
func writeCodes(column *file.ByteArrayColumnChunkWriter, codes []int32, dict arrow.Array) error {
	buffer := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(codes))
	data := array.NewData(arrow.PrimitiveTypes.Int32, len(codes), []*memory.Buffer{nil, buffer}, nil, 0, 0)
	defer data.Release()
	indices := array.NewInt32Data(data)
	defer indices.Release()
	if err := column.WriteDictIndices(indices, nil, nil); err != nil {
		return err
	}
	var used [256]bool
	for _, c := range codes {
		used[uint8(c)] = true
	}
	values := dict.(*array.String)
	var seen [256]parquet.ByteArray
	n := 0
	for c := range values.Len() {
		if used[c] {
			seen[n] = parquet.ByteArray(values.Value(c))
			n++
		}
	}
	column.PageStatistics().(*metadata.ByteArrayStatistics).Update(seen[:n], 0)
	return nil
}

// append writes a filled row group to the file. Row groups must be appended
// in the order they were begun.
func (w *tableFile) append(g *rowGroup) error {
	before := w.offset
	for _, column := range g.columns {
		if err := column.Close(); err != nil {
			return fmt.Errorf("tpch: %w", err)
		}
	}
	g.meta.SetNumRows(g.rows)
	if err := g.meta.Finish(w.offset-before, g.ordinal); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	return nil
}

// commit writes the indexes and the footer and gives the file its name.
func (w *tableFile) commit() error {
	if err := w.finish(); err != nil {
		w.abort()
		return err
	}
	if err := os.Rename(w.file.Name(), w.path); err != nil {
		w.abort()
		return fmt.Errorf("tpch: %w", err)
	}
	return nil
}

func (w *tableFile) finish() error {
	var place metadata.PageIndexLocation
	w.index.Finish()
	if err := w.index.WriteTo(w, &place); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	if err := w.meta.SetPageIndexLocation(place); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	footer, err := w.meta.Finish()
	if err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	n, err := footer.WriteTo(w, nil)
	if err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	if _, err := w.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, magic...)); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	if err := w.file.Chmod(0o644); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	return nil
}

// abort removes the temporary file. It may follow a failure of any method.
func (w *tableFile) abort() {
	w.file.Close()
	os.Remove(w.file.Name())
}
