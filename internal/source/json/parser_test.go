package json

import (
	"testing"

	"github.com/firesteel/firesteel/internal/source/csv"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/types"
)

func formats() csv.Formats {
	return csv.Formats{Date: types.ParseDate, Timestamp: func(s string) (int64, bool) { return types.ParseTimestampNTZ(s, true) },
		TimestampNTZ: func(s string) (int64, bool) { return types.ParseTimestampNTZ(s, true) }}
}

var fields = []types.Field{
	{Name: "a", Type: types.Int}, {Name: "b", Type: types.String}, {Name: "c", Type: types.Array(types.Double, true)},
	{Name: "d", Type: types.Struct(types.Field{Name: "x", Type: types.Date}, types.Field{Name: "y", Type: types.Map(types.String, types.Long, true)})},
	{Name: "_corrupt_record", Type: types.String},
}

// Any text makes rows of all columns, or none, and never a panic; what infers a schema can be read by it.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":"x\u00e9","c":[1.5,null],"d":{"x":"2020-01-01","y":{"k":1}}}`, `[{"a":1},{"a":"x"}]`, `{"b":{"q":[1, 2]}} tail`, `{"a":`, `{'a':-Infinity}`} {
		f.Add([]byte(s))
	}
	o := Options{Syntax: Syntax{SingleQuotes: true, NonNumericNumbers: true}, Formats: formats(), CorruptColumn: "_corrupt_record"}
	f.Fuzz(func(t *testing.T, b []byte) {
		var blocks rows.Blocks
		p := NewParser(o, fields, &blocks)
		for range 2 {
			if err := p.Record(b, blocks.Add(b), 0); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range p.Columns() {
			if c.Len() != p.Rows() {
				t.Fatalf("column %d has %d rows of %d", i, c.Len(), p.Rows())
			}
			v := c.Vector()
			for r := range v.N {
				v.ValueAt(r)
			}
		}
		in := NewInferrer(o)
		in.Add(b)
		if s, err := in.Schema(); err == nil {
			q := NewParser(o, s.Fields, nil)
			if err := q.Record(b, -1, 0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestNoAllocationPerRecord(t *testing.T) {
	o := Options{Formats: formats()}
	var blocks rows.Blocks
	p := NewParser(o, fields[:3], &blocks)
	line := []byte(`{"a":12345,"b":"a text that is not inline","c":[1.5,2.5],"z":{"skipped":[1,2,3]}}`)
	b := blocks.Add(line)
	run := func() {
		p.Reset()
		for range 1000 {
			if err := p.Record(line, b, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n > 3 {
		t.Errorf("%v allocations for 1000 records", n)
	}
}
