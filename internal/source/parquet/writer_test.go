package parquet

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	pgo "github.com/parquet-go/parquet-go"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// batchOf makes a batch of Go values by column.
func batchOf(s *types.Schema, cols [][]any, from, to int) *columnar.Batch {
	b := &columnar.Batch{Schema: s, N: to - from}
	for i, f := range s.Fields {
		v := columnar.NewBuilder(f.Type, to-from)
		for _, x := range cols[i][from:to] {
			v.Append(x)
		}
		b.Cols = append(b.Cols, v.Finish())
	}
	return b
}

// writeValues writes the columns in batches of uneven size.
func writeValues(t testing.TB, s *types.Schema, cols [][]any, o WriterOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, s, o)
	if err != nil {
		t.Fatal(err)
	}
	rows := len(cols[0])
	for from := 0; from < rows; {
		to := min(rows, from+1+from%7000)
		if err := w.Write(batchOf(s, cols, from, to)); err != nil {
			t.Fatal(err)
		}
		from = to
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Rows() != int64(rows) {
		t.Fatalf("%d rows written, want %d", w.Rows(), rows)
	}
	return out.Bytes()
}

// writtenSchema has the arrow cases' types; what Parquet has no place for is as Spark has it.
func writtenSchema(nullable bool) (*types.Schema, []string, []types.Type) {
	names, ts := caseNames(arrowCases())
	s := &types.Schema{}
	for i, n := range names {
		s.Fields = append(s.Fields, types.Field{Name: n, Type: ts[i], Nullable: nullable})
	}
	return s, names, ts
}

// What is written reads back equal, and other readers accept it.
func TestWriteAndRead(t *testing.T) {
	for _, nulls := range []int{0, 4} {
		_, want := arrowFile(t, arrowCases(), 26000, nulls, 9)
		s, names, ts := writtenSchema(nulls > 0)
		for _, o := range []WriterOptions{
			{Codec: Snappy}, {Codec: Snappy, Timestamps: MicrosTimestamps, RowGroupBytes: 1 << 20}, {Codec: Zstd, NoDictionary: true, Legacy: true},
			{Codec: Gzip, PageBytes: 3000, DictionaryBytes: 2000}, {Codec: LZ4Raw}, {Codec: LZ4Hadoop, Timestamps: MillisTimestamps}, {Codec: Brotli},
			{Codec: Uncompressed},
		} {
			if testing.Short() && o.Codec != Snappy {
				continue
			}
			t.Run(fmt.Sprintf("nulls=%d/%+v", nulls, o), func(t *testing.T) {
				data := writeValues(t, s, want, o)
				got, err := readColumns(memFile(t, data), names, ts, nil)
				if err != nil {
					t.Fatal(err)
				}
				compareColumns(t, names, got, want)
				if o.Codec != LZ4Hadoop && o.Codec != LZ4Raw { // the two do not read the first, one of them not the second
					readByOthers(t, data, len(want[0]))
				}
			})
		}
	}
}

func readByOthers(t *testing.T, data []byte, rows int) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	ar, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := ar.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if table.NumRows() != int64(rows) {
		t.Errorf("arrow-go reads %d rows, want %d", table.NumRows(), rows)
	}
	table.Release()
	f, err := pgo.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if f.NumRows() != int64(rows) {
		t.Errorf("parquet-go reads %d rows, want %d", f.NumRows(), rows)
	}
	for _, g := range f.RowGroups() {
		for i, c := range g.ColumnChunks() {
			values, err := countValues(c)
			if err != nil {
				t.Errorf("parquet-go, column %d: %v", i, err)
			}
			if values < g.NumRows() {
				t.Errorf("parquet-go, column %d: %d values of %d rows", i, values, g.NumRows())
			}
		}
	}
}

func countValues(c pgo.ColumnChunk) (n int64, err error) {
	pages := c.Pages()
	defer pages.Close()
	for {
		p, err := pages.ReadPage()
		if err != nil {
			if n == c.NumValues() {
				return n, nil
			}
			return n, err
		}
		n += p.NumValues()
	}
}

func TestWriteEmptyAndUnsupported(t *testing.T) {
	s := types.NewSchema(types.Field{Name: "a", Type: types.Int})
	data := writeValues(t, s, [][]any{{}}, WriterOptions{})
	f, err := Open(memFile(t, data))
	if err != nil || f.Rows != 0 || len(f.Leaves) != 1 {
		t.Fatalf("%+v %v", f, err)
	}
	if _, err := NewWriter(&bytes.Buffer{}, types.NewSchema(types.Field{Name: "c", Type: types.Calendar}), WriterOptions{}); err == nil {
		t.Error("an interval was accepted")
	}
}

// Vectors of all forms are written alike.
func TestWriteForms(t *testing.T) {
	s := types.NewSchema(types.Field{Name: "d", Type: types.String, Nullable: true}, types.Field{Name: "c", Type: types.Long}, types.Field{Name: "n", Type: types.Int, Nullable: true},
		types.Field{Name: "l", Type: types.Array(types.String, true), Nullable: true})
	const n = 12000
	dict := columnar.NewBuilder(types.String, 3)
	for _, w := range words[:3] {
		dict.Append(w)
	}
	d := dict.Finish()
	codes, valid := make([]uint32, n), columnar.FullBitmap(n)
	want := make([][]any, 4)
	list := columnar.NewDict(&d, codes, nil)
	offs := make([]int32, n+1)
	for i := range codes {
		codes[i] = uint32(i * 7 % 3)
		var v any = words[codes[i]]
		if i%5 == 0 {
			valid.Clear(i)
			v = nil
		}
		offs[i+1] = int32(i + 1)
		want[0], want[1], want[2] = append(want[0], v), append(want[1], int64(42)), append(want[2], nil)
		want[3] = append(want[3], []any{words[codes[i]]})
	}
	b := &columnar.Batch{Schema: s, N: n, Cols: []columnar.Vector{columnar.NewDict(&d, codes, valid), columnar.NewConst(types.Long, int64(42), n),
		columnar.NewConst(types.Int, nil, n), {Type: s.Fields[3].Type, N: n, Data: columnar.Bytes(offs), Kids: []columnar.Vector{list}}}}
	var out bytes.Buffer
	w, err := NewWriter(&out, s, WriterOptions{Codec: Snappy})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readColumns(memFile(t, out.Bytes()), []string{"d", "c", "n", "l"}, []types.Type{types.String, types.Long, types.Int, s.Fields[3].Type}, nil)
	if err != nil {
		t.Fatal(err)
	}
	compareColumns(t, []string{"d", "c", "n", "l"}, got, want)
}

// VOID columns have no values, inside lists too.
func TestVoid(t *testing.T) {
	s := types.NewSchema(types.Field{Name: "v", Type: types.Null, Nullable: true}, types.Field{Name: "l", Type: types.Array(types.Null, true), Nullable: true})
	cols := [][]any{{nil, nil, nil}, {[]any{nil, nil}, nil, []any{}}}
	data := writeValues(t, s, cols, WriterOptions{})
	f, err := Open(memFile(t, data))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.SparkSchema(SchemaOptions{}); err != nil || !got.Type().Equal(s.Type()) {
		t.Errorf("%v %v", got, err)
	}
	got, err := readColumns(memFile(t, data), []string{"v", "l"}, []types.Type{types.Null, s.Fields[1].Type}, nil)
	if err != nil {
		t.Fatal(err)
	}
	compareColumns(t, []string{"v", "l"}, got, cols)
}

// Bounds in the footer enclose the values.
func TestWrittenBounds(t *testing.T) {
	s := types.NewSchema(types.Field{Name: "i", Type: types.Int, Nullable: true}, types.Field{Name: "s", Type: types.String}, types.Field{Name: "d", Type: types.Decimal(20, 2)},
		types.Field{Name: "f", Type: types.Double}, types.Field{Name: "t", Type: types.Timestamp})
	cols := [][]any{{int32(5), nil, int32(-7)}, {"b", "a", "ü"}, {types.I128(-3), types.I128(4), types.I128(0)}, {0.0, 2.5, -1.5}, {int64(1), int64(2), int64(3)}}
	f, err := Open(memFile(t, writeValues(t, s, cols, WriterOptions{})))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][3]any{{int32(-7), int32(5), int64(1)}, {"a", "ü", int64(0)}, {types.I128(-3), types.I128(4), int64(0)}, {-1.5, 2.5, int64(0)}, {nil, nil, int64(0)}} {
		fld, err := f.Resolve(s.Fields[i].Name, s.Fields[i].Type, true)
		if err != nil {
			t.Fatal(err)
		}
		b := f.Bounds(0, fld)
		if b.Min != want[0] || b.Max != want[1] || b.Nulls != want[2] {
			t.Errorf("%s: %+v, want %v", s.Fields[i].Name, b, want)
		}
	}
}
