package wire

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/types"
)

// values are one of each kind that a literal may hold.
var values = []struct {
	t types.Type
	v any
}{
	{types.Null, nil}, {types.Boolean, true}, {types.Byte, int8(-3)}, {types.Short, int16(300)}, {types.Int, int32(-7)},
	{types.Long, int64(math.MinInt64)}, {types.Float, float32(1.5)}, {types.Double, math.Inf(-1)}, {types.Decimal(38, 2), types.Int128{Lo: 5, Hi: -1}},
	{types.Decimal(9, 2), types.I128(-12)}, {types.String, "čau"}, {types.Char(3), "abc"}, {types.Binary, []byte{}}, {types.Date, int32(19000)},
	{types.Timestamp, int64(1)}, {types.TimestampNTZ, int64(-1)}, {types.Time, int64(77)}, {types.YearMonth, int32(14)}, {types.DayTime, int64(5)},
	{types.Calendar, types.CalendarInterval{Months: 1, Days: -2, Micros: 3}}, {types.Array(types.Int, true), []any{int32(1), nil}},
	{types.Map(types.String, types.Array(types.Long, false), true), types.MapValue{Keys: []any{"a"}, Values: []any{[]any{int64(1)}}}},
	{types.Struct(types.Field{Name: "x", Type: types.Int}, types.Field{Name: "y", Type: types.Variant, Nullable: true, Metadata: "{}"}), []any{int32(1), nil}},
}

func through[T any](t testing.TB, v T) T {
	t.Helper()
	data, err := Marshal(&v)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLiterals(t *testing.T) {
	for _, c := range values {
		in := expr.Expr(&expr.Literal{Value: c.v, T: c.t})
		out := through(t, in).(*expr.Literal)
		if !out.T.Equal(c.t) || !reflect.DeepEqual(out.Value, c.v) {
			t.Errorf("%v of %s became %v of %s", c.v, c.t, out.Value, out.T)
		}
	}
}

// plan has two scans of one table, a column that occurs often, and a text that is long.
func plan() physical.Plan {
	at := &expr.Origin{Text: "SELECT a + 1 FROM t", Start: 7, Stop: 11, Line: 1, Pos: 7}
	a := &expr.Column{ID: expr.NextID(), Name: "a", T: types.Int, Qualifier: []string{"t"}}
	b := columnar.NewBuilder(types.Int, 3)
	for _, v := range []any{int32(1), nil, int32(3)} {
		b.Append(v)
	}
	batch := &columnar.Batch{Schema: types.NewSchema(types.Field{Name: "a", Type: types.Int, Nullable: true}), Cols: []columnar.Vector{b.Finish()}, N: 3}
	local := &physical.LocalScan{Batches: []*columnar.Batch{batch}, Out: []*expr.Column{a}}
	sum := &expr.Call{Name: "+", Args: []expr.Expr{a, expr.NewLiteral(int32(1), types.Int)}, T: types.Int, Mode: expr.CastAnsi, At: at}
	p := &physical.Project{List: []expr.Expr{&expr.Alias{Child: sum, Name: "b", ID: expr.NextID()}}, Child: &physical.Filter{Cond: sum, Child: local}}
	in := &physical.StageInput{Stage: 3, Out: []*expr.Column{a}, Specs: []physical.PartitionSpec{{From: 0, To: 4}},
		From: &physical.Exchange{Part: physical.Partitioning{Kind: physical.HashPart, N: 4, Keys: []expr.Expr{a}}, Child: p}}
	w := &physical.WriteFiles{Writer: &source.WriteJob{Spec: source.WriteSpec{Format: "csv", Path: "/x", Schema: batch.Schema}, ID: "1"}, Child: in}
	return &physical.Union{Inputs: []physical.Plan{p, w, p}, Out: []*expr.Column{a}}
}

func TestPlan(t *testing.T) {
	in := plan()
	out := through(t, in).(*physical.Union)
	if out.Inputs[0] != out.Inputs[2] {
		t.Error("a node that two nodes share became two")
	}
	p := out.Inputs[0].(*physical.Project)
	scan := p.Child.(*physical.Filter).Child.(*physical.LocalScan)
	if p.List[0].(*expr.Alias).Child.(*expr.Call).Args[0] != expr.Expr(scan.Out[0]) {
		t.Error("a column became two")
	}
	if got := scan.Batches[0].Cols[0].ValueAt(2); got != int32(3) || !scan.Batches[0].Cols[0].Null(1) {
		t.Errorf("row 2 is %v", got)
	}
	input := out.Inputs[1].(*physical.WriteFiles).Child.(*physical.StageInput)
	below := input.From.(*physical.Exchange)
	if _, cut := below.Child.(*physical.LocalScan); !cut || len(below.Part.Keys) != 1 || input.Specs[0].To != 4 {
		t.Errorf("the input became %+v", input)
	}
	for _, i := range []int{0, 2} {
		if a, b := physical.Explain(in.Children()[i]), physical.Explain(out.Inputs[i]); a != b {
			t.Errorf("%s\nbecame\n%s", a, b)
		}
	}
	if got := out.Inputs[1].(*physical.WriteFiles).Writer.(*source.WriteJob).Spec.Schema.Fields[0].Name; got != "a" {
		t.Errorf("the write job's column is %s", got)
	}
}

// Ids that come from elsewhere are not given again here.
func TestIDs(t *testing.T) {
	far := expr.NextID() + 1000
	through(t, expr.Expr(&expr.Column{ID: far, T: types.Int}))
	if id := expr.NextID(); id <= far {
		t.Errorf("%d was given again", id)
	}
}

func fragment() *Fragment {
	k := &kernel.Session{ZoneName: "Europe/Prague", Ansi: true, Now: 5, Seed: 9}
	return &Fragment{Session: NewSession(k, map[string]string{"spark.sql.mapKeyDedupPolicy": "LAST_WIN"}), Plan: plan(), Tasks: []int{1},
		Inputs:  []Input{{Stage: 3, Shuffle: 2, Partitions: 4}, {Stage: 4, Shuffle: event.NoShuffle, Broadcast: 7}},
		Filters: []Filter{{ID: 1, Min: -5, Max: 60, Bits: columnar.Bitmap{1, 1 << 63}}},
		Output:  Output{Kind: MapOutput, Shuffle: 4, Part: physical.Partitioning{Kind: physical.RangePart, N: 2}}}
}

func TestFragment(t *testing.T) {
	data, err := fragment().Encode()
	if err != nil {
		t.Fatal(err)
	}
	f, err := DecodeFragment(data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Session.Open()
	if err != nil {
		t.Fatal(err)
	}
	if s.Conf("spark.sql.mapKeyDedupPolicy") != "LAST_WIN" || s.Conf("spark.sql.shuffle.partitions") != "200" || s.Zone.String() != "Europe/Prague" {
		t.Error("the session's settings differ")
	}
	if f.Filters[0].Bits[1] != 1<<63 || f.Inputs[1].Broadcast != 7 || f.Tasks[0] != 1 {
		t.Errorf("%+v", f)
	}
	again, err := f.Encode()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("encoding again gives other bytes (%v)", err)
	}
	for n := range data {
		if _, err := DecodeFragment(data[:n]); err == nil {
			t.Fatalf("%d of %d bytes are a fragment", n, len(data))
		}
	}
}

func FuzzFragment(f *testing.F) {
	data, err := fragment().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for i := 0; i < len(data); i += 7 {
		damaged := bytes.Clone(data)
		damaged[i] ^= 0xff
		f.Add(damaged)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if f, err := DecodeFragment(data); err == nil {
			ScansOf(f.Plan)
		}
	})
}
