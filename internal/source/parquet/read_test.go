package parquet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// arrowCase is an Arrow type with a generator of values, and what we read for each value.
type arrowCase struct {
	name   string
	arrow  arrow.DataType
	append func(b array.Builder, i int, r *rand.Rand) any // returns the value as we read it
	spark  types.Type
}

var words = []string{"", "a", "twelve bytes", "thirteen byte", "a rather long string that is not inline", "zz"}

func arrowCases() []arrowCase {
	pick := func(i int, r *rand.Rand) int64 { // few values, then many: dictionaries overflow or not
		if i%7 == 0 {
			return r.Int64() - math.MaxInt64/2
		}
		return int64(i % 5)
	}
	return []arrowCase{
		{"bool", arrow.FixedWidthTypes.Boolean, func(b array.Builder, i int, r *rand.Rand) any {
			v := r.IntN(3) == 0
			b.(*array.BooleanBuilder).Append(v)
			return v
		}, types.Boolean},
		{"int8", arrow.PrimitiveTypes.Int8, func(b array.Builder, i int, r *rand.Rand) any {
			v := int8(pick(i, r))
			b.(*array.Int8Builder).Append(v)
			return v
		}, types.Byte},
		{"int16", arrow.PrimitiveTypes.Int16, func(b array.Builder, i int, r *rand.Rand) any {
			v := int16(pick(i, r))
			b.(*array.Int16Builder).Append(v)
			return v
		}, types.Short},
		{"int32", arrow.PrimitiveTypes.Int32, func(b array.Builder, i int, r *rand.Rand) any {
			v := int32(pick(i, r))
			b.(*array.Int32Builder).Append(v)
			return v
		}, types.Int},
		{"int64", arrow.PrimitiveTypes.Int64, func(b array.Builder, i int, r *rand.Rand) any {
			v := pick(i, r)
			b.(*array.Int64Builder).Append(v)
			return v
		}, types.Long},
		{"uint8", arrow.PrimitiveTypes.Uint8, func(b array.Builder, i int, r *rand.Rand) any {
			v := uint8(pick(i, r))
			b.(*array.Uint8Builder).Append(v)
			return int16(v)
		}, types.Short},
		{"uint32", arrow.PrimitiveTypes.Uint32, func(b array.Builder, i int, r *rand.Rand) any {
			v := uint32(pick(i, r))
			b.(*array.Uint32Builder).Append(v)
			return int64(v)
		}, types.Long},
		{"uint64", arrow.PrimitiveTypes.Uint64, func(b array.Builder, i int, r *rand.Rand) any {
			v := uint64(pick(i, r))
			b.(*array.Uint64Builder).Append(v)
			return types.Int128{Lo: v}
		}, types.Decimal(20, 0)},
		{"float", arrow.PrimitiveTypes.Float32, func(b array.Builder, i int, r *rand.Rand) any {
			v := float32(pick(i, r)) / 3
			b.(*array.Float32Builder).Append(v)
			return v
		}, types.Float},
		{"double", arrow.PrimitiveTypes.Float64, func(b array.Builder, i int, r *rand.Rand) any {
			v := float64(pick(i, r)) / 3
			b.(*array.Float64Builder).Append(v)
			return v
		}, types.Double},
		{"string", arrow.BinaryTypes.String, func(b array.Builder, i int, r *rand.Rand) any {
			v := words[r.IntN(len(words))]
			if i%11 == 0 {
				v += fmt.Sprint(i)
			}
			b.(*array.StringBuilder).Append(v)
			return v
		}, types.String},
		{"binary", arrow.BinaryTypes.Binary, func(b array.Builder, i int, r *rand.Rand) any {
			v := []byte(words[r.IntN(len(words))])
			b.(*array.BinaryBuilder).Append(v)
			return append([]byte{}, v...)
		}, types.Binary},
		{"fixed", &arrow.FixedSizeBinaryType{ByteWidth: 5}, func(b array.Builder, i int, r *rand.Rand) any {
			v := []byte(fmt.Sprintf("%05d", r.IntN(100)))
			b.(*array.FixedSizeBinaryBuilder).Append(v)
			return v
		}, types.Binary},
		{"date", arrow.FixedWidthTypes.Date32, func(b array.Builder, i int, r *rand.Rand) any {
			v := int32(pick(i, r) % 100000)
			b.(*array.Date32Builder).Append(arrow.Date32(v))
			return v
		}, types.Date},
		{"ts_ms", &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, func(b array.Builder, i int, r *rand.Rand) any {
			v := pick(i, r) % 4e12
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
			return v * 1000
		}, types.Timestamp},
		{"ts_us_ntz", &arrow.TimestampType{Unit: arrow.Microsecond}, func(b array.Builder, i int, r *rand.Rand) any {
			v := pick(i, r)
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
			return v
		}, types.TimestampNTZ},
		{"decimal9", &arrow.Decimal128Type{Precision: 9, Scale: 2}, decimalCase, types.Decimal(9, 2)},
		{"decimal18", &arrow.Decimal128Type{Precision: 18, Scale: 3}, decimalCase, types.Decimal(18, 3)},
		{"decimal38", &arrow.Decimal128Type{Precision: 38, Scale: 10}, decimalCase, types.Decimal(38, 10)},
		{"list", arrow.ListOf(arrow.PrimitiveTypes.Int32), func(b array.Builder, i int, r *rand.Rand) any {
			l := b.(*array.ListBuilder)
			l.Append(true)
			out := []any{}
			for k := range r.IntN(4) {
				if k == 2 {
					l.ValueBuilder().AppendNull()
					out = append(out, nil)
					continue
				}
				l.ValueBuilder().(*array.Int32Builder).Append(int32(i + k))
				out = append(out, int32(i+k))
			}
			return out
		}, types.Array(types.Int, true)},
		{"map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), func(b array.Builder, i int, r *rand.Rand) any {
			m := b.(*array.MapBuilder)
			m.Append(true)
			out := types.MapValue{Keys: []any{}, Values: []any{}}
			for k := range r.IntN(3) {
				key := fmt.Sprintf("key number %d of %d", k, i)
				m.KeyBuilder().(*array.StringBuilder).Append(key)
				out.Keys = append(out.Keys, key)
				if i%3 == 0 {
					m.ItemBuilder().AppendNull()
					out.Values = append(out.Values, nil)
					continue
				}
				m.ItemBuilder().(*array.Int64Builder).Append(int64(i))
				out.Values = append(out.Values, int64(i))
			}
			return out
		}, types.Map(types.String, types.Long, true)},
		{"struct", arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
			arrow.Field{Name: "y", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}), func(b array.Builder, i int, r *rand.Rand) any {
			s := b.(*array.StructBuilder)
			s.Append(true)
			out := []any{nil, nil}
			if i%4 == 0 {
				s.FieldBuilder(0).AppendNull()
			} else {
				s.FieldBuilder(0).(*array.Int32Builder).Append(int32(i))
				out[0] = int32(i)
			}
			l := s.FieldBuilder(1).(*array.ListBuilder)
			if i%5 == 0 {
				l.AppendNull()
				return out
			}
			l.Append(true)
			list := []any{}
			for k := range r.IntN(3) {
				v := words[(i+k)%len(words)]
				l.ValueBuilder().(*array.StringBuilder).Append(v)
				list = append(list, v)
			}
			out[1] = list
			return out
		}, types.Struct(types.Field{Name: "x", Type: types.Int, Nullable: true}, types.Field{Name: "y", Type: types.Array(types.String, true), Nullable: true})},
		{"listlist", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int64)), func(b array.Builder, i int, r *rand.Rand) any {
			l := b.(*array.ListBuilder)
			l.Append(true)
			in := l.ValueBuilder().(*array.ListBuilder)
			out := []any{}
			for k := range r.IntN(3) {
				if k == 1 {
					in.AppendNull()
					out = append(out, nil)
					continue
				}
				in.Append(true)
				list := []any{}
				for j := range r.IntN(3) {
					in.ValueBuilder().(*array.Int64Builder).Append(int64(i + j))
					list = append(list, int64(i+j))
				}
				out = append(out, list)
			}
			return out
		}, types.Array(types.Array(types.Long, true), true)},
	}
}

func decimalCase(b array.Builder, i int, r *rand.Rand) any {
	v := r.Int64N(1e8) - 5e7
	if i%3 == 0 {
		v = int64(i % 4)
	}
	b.(*array.Decimal128Builder).Append(decimal128.FromI64(v))
	return types.I128(v)
}

// arrowFile writes the cases as columns of one file and returns what is to be read, by column.
func arrowFile(t *testing.T, cases []arrowCase, rows int, nulls int, seed uint64, opts ...pq.WriterProperty) ([]byte, [][]any) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var fields []arrow.Field
	for _, c := range cases {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.arrow, Nullable: nulls > 0})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	want := make([][]any, len(cases))
	for k, c := range cases {
		for i := range rows {
			if nulls > 0 && (r.IntN(nulls) == 0 || i/64 == 3) {
				b.Field(k).AppendNull()
				want[k] = append(want[k], nil)
				continue
			}
			want[k] = append(want[k], c.append(b.Field(k), i, r))
		}
	}
	rec := b.NewRecordBatch()
	var out bytes.Buffer
	props := append([]pq.WriterProperty{pq.WithDataPageSize(4000), pq.WithMaxRowGroupLength(int64(rows/2 + 1)), pq.WithBatchSize(128)}, opts...)
	w, err := pqarrow.NewFileWriter(rec.Schema(), &out, pq.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), want
}

func memFile(t testing.TB, data []byte) vfs.File {
	t.Helper()
	ctx, m := context.Background(), vfs.NewMemory("mem")
	if err := vfs.WriteFile(ctx, m, "/f", data); err != nil {
		t.Fatal(err)
	}
	h, err := m.Open(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// readColumns reads all row groups and returns the values by column.
func readColumns(h vfs.File, names []string, ts []types.Type, with func(*Scan)) ([][]any, error) {
	f, err := Open(h)
	if err != nil {
		return nil, err
	}
	out := make([][]any, len(names))
	for g := range f.RowGroups {
		s := Scan{File: f, Handle: h, Group: g}
		for i, n := range names {
			fld, err := f.Resolve(n, ts[i], false)
			if err != nil {
				return nil, err
			}
			s.Columns = append(s.Columns, Column{Field: fld})
		}
		if with != nil {
			with(&s)
		}
		r, err := NewScanner(s)
		if err != nil {
			return nil, err
		}
		for {
			b, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				r.Close()
				return nil, err
			}
			for i := range b.Cols {
				if b.Cols[i].N != b.N {
					return nil, fmt.Errorf("column %d has %d rows, the batch %d", i, b.Cols[i].N, b.N)
				}
				for k := range b.N {
					out[i] = append(out[i], b.Cols[i].ValueAt(k))
				}
			}
		}
		r.Close()
	}
	return out, nil
}

func caseNames(cases []arrowCase) (names []string, ts []types.Type) {
	for _, c := range cases {
		names, ts = append(names, c.name), append(ts, c.spark)
	}
	return names, ts
}

func compareColumns(t *testing.T, names []string, got, want [][]any) {
	t.Helper()
	for c := range want {
		if len(got[c]) != len(want[c]) {
			t.Errorf("%s: %d rows, want %d", names[c], len(got[c]), len(want[c]))
			continue
		}
		for i := range want[c] {
			if !reflect.DeepEqual(got[c][i], want[c][i]) {
				t.Errorf("%s, row %d: %#v, want %#v", names[c], i, got[c][i], want[c][i])
				break
			}
		}
	}
}

// Files of another writer read equal: every type, with and without nulls, dictionary and plain pages of both versions,
// every codec.
func TestReadArrowFiles(t *testing.T) {
	cases := arrowCases()
	names, ts := caseNames(cases)
	for _, nulls := range []int{0, 2, 7} {
		for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Zstd, compress.Codecs.Lz4Raw, compress.Codecs.Brotli} {
			for _, dict := range []bool{true, false} {
				for _, v := range []pq.DataPageVersion{pq.DataPageV1, pq.DataPageV2} {
					name := fmt.Sprintf("nulls=%d/%s/dict=%t/v%d", nulls, codec, dict, v)
					t.Run(name, func(t *testing.T) {
						data, want := arrowFile(t, cases, 1500, nulls, 7, pq.WithCompression(codec), pq.WithDictionaryDefault(dict), pq.WithDataPageVersion(v))
						h := memFile(t, data)
						f, err := Open(h)
						if err != nil {
							t.Fatal(err)
						}
						s, err := f.SparkSchema(SchemaOptions{})
						if err != nil {
							t.Fatal(err)
						}
						for i, c := range cases {
							if !s.Fields[i].Type.Equal(c.spark) {
								t.Errorf("%s: type %s, want %s", c.name, s.Fields[i].Type, c.spark)
							}
						}
						got, err := readColumns(h, names, ts, nil)
						if err != nil {
							t.Fatal(err)
						}
						compareColumns(t, names, got, want)
					})
				}
			}
		}
	}
}

// The encodings that writers choose only when told to.
func TestReadEncodings(t *testing.T) {
	all := map[string]arrowCase{}
	for _, c := range arrowCases() {
		all[c.name] = c
	}
	for _, e := range []struct {
		enc   pq.Encoding
		names []string
	}{
		{pq.Encodings.DeltaBinaryPacked, []string{"int32", "int64", "date", "ts_us_ntz", "int8"}},
		{pq.Encodings.DeltaLengthByteArray, []string{"string", "binary"}},
		{pq.Encodings.DeltaByteArray, []string{"string", "binary"}},
		{pq.Encodings.ByteStreamSplit, []string{"float", "double", "int32", "int64", "fixed", "decimal38"}},
		{pq.Encodings.RLE, []string{"bool"}},
	} {
		var cases []arrowCase
		for _, n := range e.names {
			cases = append(cases, all[n])
		}
		for _, nulls := range []int{0, 3} {
			for _, v := range []pq.DataPageVersion{pq.DataPageV1, pq.DataPageV2} {
				t.Run(fmt.Sprintf("%s/nulls=%d/v%d", e.enc, nulls, v), func(t *testing.T) {
					data, want := arrowFile(t, cases, 3000, nulls, 3, pq.WithDictionaryDefault(false), pq.WithEncoding(e.enc), pq.WithDataPageVersion(v))
					names, ts := caseNames(cases)
					got, err := readColumns(memFile(t, data), names, ts, nil)
					if err != nil {
						t.Fatal(err)
					}
					compareColumns(t, names, got, want)
				})
			}
		}
	}
}

// Filters, keys and ranges give the rows that a look at every value gives.
func TestScanFilters(t *testing.T) {
	cases := arrowCases()
	names, ts := caseNames(cases)
	at := map[string]int{}
	for i, n := range names {
		at[n] = i
	}
	const rows = 9000
	for _, nulls := range []int{0, 5} {
		for _, dict := range []bool{true, false} {
			data, want := arrowFile(t, cases, rows, nulls, 11, pq.WithDictionaryDefault(dict))
			h := memFile(t, data)
			short := func(v any) bool { s, ok := v.(string); return ok && len(s) < 13 }
			small := func(v any) bool { n, ok := v.(int64); return ok && n >= 1 && n <= 3 }
			odd := func(v any) bool { n, ok := v.(int32); return ok && n&1 == 1 }
			bits := columnar.NewBitmap(64)
			bits.Set(0)
			bits.Set(2)
			for name, c := range map[string]struct {
				with func(s *Scan)
				pass func(row int) bool
			}{
				"string": {func(s *Scan) { s.Predicates = []Predicate{rowPredicate(short, true, at["string"])} },
					func(i int) bool { return short(want[at["string"]][i]) }},
				"two": {func(s *Scan) {
					s.Predicates = []Predicate{rowPredicate(odd, true, at["int32"]), rowPredicate(small, false, at["int64"])}
				}, func(i int) bool { return odd(want[at["int32"]][i]) && small(want[at["int64"]][i]) }},
				"keys": {func(s *Scan) { s.Keys = []Keys{{Column: at["int64"], Min: 1, Max: 3, Bits: bits}} },
					func(i int) bool { v := want[at["int64"]][i]; return v == int64(1) || v == int64(3) }},
				"sparse": {func(s *Scan) {
					s.Keys = []Keys{{Column: at["int64"], Min: 2, Max: 2}}
					s.Predicates = []Predicate{rowPredicate(func(v any) bool { d, ok := v.(int32); return ok && d%3 == 0 }, true, at["date"])}
				}, func(i int) bool {
					d, ok := want[at["date"]][i].(int32)
					return ok && d%3 == 0 && want[at["int64"]][i] == int64(2)
				}},
				"none": {func(s *Scan) {
					s.Predicates = []Predicate{rowPredicate(func(any) bool { return false }, true, at["date"])}
				}, func(int) bool { return false }},
				"ranges": {func(s *Scan) {
					s.Ranges = []Range{{100, 164}, {1000, 1001}, {2777, 4000}}
					s.Predicates = []Predicate{rowPredicate(odd, true, at["int32"])}
				}, func(i int) bool {
					if i %= rows/2 + 1; i < 100 || i >= 164 && i != 1000 && i < 2777 || i >= 4000 {
						return false
					}
					return true
				}},
			} {
				t.Run(fmt.Sprintf("%s/nulls=%d/dict=%t", name, nulls, dict), func(t *testing.T) {
					got, err := readColumns(h, names, ts, c.with)
					if err != nil {
						t.Fatal(err)
					}
					expect := make([][]any, len(want))
					for i := range rows {
						if !c.pass(i) || name == "ranges" && !odd(want[at["int32"]][i]) {
							continue
						}
						for k := range want {
							expect[k] = append(expect[k], want[k][i])
						}
					}
					compareColumns(t, names, got, expect)
				})
			}
		}
	}
}

// rowPredicate tests one column value by value.
func rowPredicate(pass func(any) bool, safe bool, col int) Predicate {
	return Predicate{Columns: []int{col}, Safe: safe, Select: func(b *columnar.Batch, sel []uint32) ([]uint32, error) {
		out := []uint32{}
		if sel == nil {
			for i := range b.N {
				sel = append(sel, uint32(i))
			}
		}
		for _, i := range sel {
			if pass(b.Cols[0].ValueAt(int(i))) {
				out = append(out, i)
			}
		}
		return out, nil
	}}
}
