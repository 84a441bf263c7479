package arrowipc

import (
	"bytes"
	"fmt"
	"math/rand"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// samples are values of every type; nil is added to each column.
var samples = []struct {
	t      types.Type
	values []any
}{
	{types.Boolean, []any{true, false, true}},
	{types.Byte, []any{int8(-1), int8(5)}},
	{types.Short, []any{int16(-300)}},
	{types.Int, []any{int32(1), int32(-7)}},
	{types.Long, []any{int64(1) << 40}},
	{types.Float, []any{float32(1.5)}},
	{types.Double, []any{-2.25}},
	{types.Decimal(10, 2), []any{types.I128(12345), types.I128(-1)}},
	{types.Decimal(38, 10), []any{types.Int128{Lo: 5, Hi: 77}, types.I128(-3)}},
	{types.String, []any{"", "short", "a text of more than twelve bytes", "süß"}},
	{types.Binary, []any{[]byte{0, 1, 2}, []byte{}}},
	{types.Date, []any{int32(19000), int32(-1)}},
	{types.Timestamp, []any{int64(1700000000000000)}},
	{types.TimestampNTZ, []any{int64(-1)}},
	{types.Time, []any{int64(3600e9)}},
	{types.YearMonth, []any{int32(14)}},
	{types.DayTime, []any{int64(86400e6)}},
	{types.Calendar, []any{types.CalendarInterval{Months: 1, Days: -2, Micros: 3}}},
	{types.Array(types.Int, true), []any{[]any{int32(1), nil}, []any{}}},
	{types.Map(types.String, types.Long, true), []any{types.MapValue{Keys: []any{"a", "b"}, Values: []any{int64(1), nil}}}},
	{types.Struct(types.Field{Name: "a", Type: types.Int, Nullable: true}, types.Field{Name: "b", Type: types.String}), []any{[]any{int32(1), "x"}, []any{nil, "y"}}},
	{types.Array(types.Array(types.String, false), false), []any{[]any{[]any{"p", "q"}, []any{}}}},
	{types.Null, nil},
}

func sampleBatch(rows int) *columnar.Batch {
	b := &columnar.Batch{Schema: &types.Schema{}, N: rows}
	for i, s := range samples {
		v := columnar.NewBuilder(s.t, rows)
		for r := range rows {
			if k := r % (len(s.values) + 1); k < len(s.values) {
				v.Append(s.values[k])
			} else {
				v.Append(nil)
			}
		}
		b.Cols = append(b.Cols, v.Finish())
		b.Schema.Fields = append(b.Schema.Fields, types.Field{Name: fmt.Sprint("c", i%5), Type: s.t, Nullable: true})
	}
	return b
}

func encode(t testing.TB, b *columnar.Batch, from, to int, o Options) []byte {
	t.Helper()
	e, err := NewEncoder(b.Schema, o)
	if err != nil {
		t.Fatal(err)
	}
	return e.Encode(nil, b, from, to)
}

func sameRows(t *testing.T, want, got *columnar.Batch, from int) {
	t.Helper()
	for c := range got.Cols {
		for r := range got.N {
			if a, b := want.Cols[c].ValueAt(from+r), got.Cols[c].ValueAt(r); !reflect.DeepEqual(a, b) {
				t.Fatalf("column %d %s row %d: %v, want %v", c, want.Cols[c].Type, r, b, a)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, test := range []struct{ rows, from, to int }{{0, 0, 0}, {1, 0, 1}, {100, 0, 100}, {300, 67, 290}, {300, 128, 300}} {
		for _, large := range []bool{false, true} {
			in := sampleBatch(test.rows)
			data := encode(t, in, test.from, test.to, Options{TimeZone: "UTC", Large: large})
			schema, out, err := Decode(data)
			if err != nil || len(out) != 1 {
				t.Fatal(err, len(out))
			}
			if !schema.Type().Equal(in.Schema.Type()) {
				t.Errorf("schema %s, want %s", schema.Type(), in.Schema.Type())
			}
			if out[0].N != test.to-test.from {
				t.Errorf("%d rows", out[0].N)
			}
			sameRows(t, in, out[0], test.from)
		}
	}
}

func TestForms(t *testing.T) {
	text := columnar.NewBuilder(types.String, 2)
	text.Append("a dictionary entry that is long")
	text.Append("short")
	dict := text.Finish()
	valid := columnar.FullBitmap(70)
	valid.Clear(3)
	codes := make([]uint32, 70)
	for i := range codes {
		codes[i] = uint32(i % 2)
	}
	ints := columnar.NewFlat(types.Int, []int32{7, 8})
	in := &columnar.Batch{N: 70, Schema: types.NewSchema(
		types.Field{Name: "d", Type: types.String, Nullable: true}, types.Field{Name: "c", Type: types.String},
		types.Field{Name: "i", Type: types.Int, Nullable: true}, types.Field{Name: "n", Type: types.Int, Nullable: true}),
		Cols: []columnar.Vector{columnar.NewDict(&dict, codes, valid), columnar.NewConst(types.String, "same", 70),
			columnar.NewDict(&ints, codes, valid), columnar.NewConst(types.Int, nil, 70)}}
	_, out, err := Decode(encode(t, in, 2, 69, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, in, out[0], 2)
}

// TestArrowLibrary: the reference library reads our streams with the types and values that Spark gives, and we read its own.
func TestArrowLibrary(t *testing.T) {
	in := sampleBatch(64)
	r, err := ipc.NewReader(bytes.NewReader(encode(t, in, 0, 64, Options{TimeZone: "Europe/Berlin"})))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	want := []string{"bool", "int8", "int16", "int32", "int64", "float32", "float64", "decimal(10, 2)", "decimal(38, 10)", "utf8", "binary",
		"date32", "timestamp[us, tz=Europe/Berlin]", "timestamp[us]", "time64[ns]", "month_interval", "duration[us]", "month_day_nano_interval",
		"list<element: int32, nullable>", "map<utf8, int64, items_nullable>", "struct<a: int32 nullable, b: utf8>",
		"list<element: list<element: utf8>>", "null"}
	for i, f := range r.Schema().Fields() {
		if f.Type.String() != want[i] {
			t.Errorf("column %d is %s, want %s", i, f.Type, want[i])
		}
	}
	var again bytes.Buffer
	w := ipc.NewWriter(&again, ipc.WithSchema(r.Schema()))
	for r.Next() {
		if err := w.Write(r.RecordBatch()); err != nil {
			t.Fatal(err)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, out, err := Decode(again.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, in, out[0], 0)
}

// TestDistinctNames: fields of a struct get names of their own, columns keep theirs.
func TestDistinctNames(t *testing.T) {
	st := types.Struct(types.Field{Name: "a", Type: types.Int}, types.Field{Name: "b", Type: types.Int}, types.Field{Name: "a", Type: types.Int})
	s := types.NewSchema(types.Field{Name: "x", Type: st}, types.Field{Name: "x", Type: types.Int})
	e, err := NewEncoder(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &columnar.Batch{Schema: s, Cols: []columnar.Vector{columnar.NewBuilder(st, 0).Finish(), columnar.NewBuilder(types.Int, 0).Finish()}}
	got, _, err := Decode(e.Encode(nil, b, 0, 0))
	if err != nil || got.Type().String() != "struct<x:struct<a_0:int,b:int,a_1:int>,x:int>" {
		t.Error(got.Type(), err)
	}
}

// TestHostile: damaged streams give errors or other values, never a panic.
func TestHostile(t *testing.T) {
	good := encode(t, sampleBatch(20), 0, 20, Options{TimeZone: "UTC"})
	r := rand.New(rand.NewSource(1))
	for range 20000 {
		bad := bytes.Clone(good)
		for range 1 + r.Intn(4) {
			bad[r.Intn(len(bad))] = byte(r.Intn(256))
		}
		_, batches, err := Decode(bad[:r.Intn(len(bad)+1)])
		if err != nil {
			continue
		}
		for _, b := range batches {
			for c := range b.Cols {
				for i := range b.N {
					b.Cols[c].ValueAt(i)
				}
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	const n = 8192
	long, text := make([]int64, n), columnar.NewBuilder(types.String, n)
	for i := range n {
		long[i] = int64(i)
		text.Append(fmt.Sprint("customer number ", i))
	}
	in := &columnar.Batch{N: n, Schema: types.NewSchema(types.Field{Name: "l", Type: types.Long}, types.Field{Name: "s", Type: types.String}),
		Cols: []columnar.Vector{columnar.NewFlat(types.Long, long), text.Finish()}}
	e, err := NewEncoder(in.Schema, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var out []byte
	for b.Loop() {
		out = e.Encode(out[:0], in, 0, n)
	}
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
}
