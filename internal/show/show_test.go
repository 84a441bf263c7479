package show

import (
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

type col struct {
	name   string
	t      types.Type
	values []any
}

func batch(cols ...col) ([]string, []*columnar.Batch) {
	b := &columnar.Batch{}
	var names []string
	for _, c := range cols {
		v := columnar.NewBuilder(c.t, len(c.values))
		for _, x := range c.values {
			v.Append(x)
		}
		b.N = len(c.values)
		b.Cols = append(b.Cols, v.Finish())
		names = append(names, c.name)
	}
	return names, []*columnar.Batch{b}
}

func ids(n int) col {
	c := col{"id", types.Long, nil}
	for i := range n {
		c.values = append(c.values, int64(i))
	}
	return c
}

func text(name string, values ...any) col { return col{name, types.String, values} }

// The texts are what Spark 4.3.0 prints.
func TestText(t *testing.T) {
	tests := []struct {
		cols []col
		o    Options
		want string
	}{
		{[]col{ids(4)}, Options{Rows: 3, Truncate: 20}, "+---+\n| id|\n+---+\n|  0|\n|  1|\n|  2|\n+---+\nonly showing top 3 rows"},
		{[]col{ids(2)}, Options{Rows: 1, Truncate: 20}, "+---+\n| id|\n+---+\n|  0|\n+---+\nonly showing top 1 row"},
		{[]col{ids(0)}, Options{Rows: 20, Truncate: 20}, "+---+\n| id|\n+---+\n+---+\n"},
		{[]col{ids(1)}, Options{Rows: 0, Truncate: 20}, "+---+\n| id|\n+---+\n+---+\nonly showing top 0 rows"},
		{[]col{ids(2)}, Options{Rows: 1, Truncate: 20, Vertical: true}, "-RECORD 0--\n id  | 0   \nonly showing top 1 row"},
		{[]col{ids(0)}, Options{Rows: 1, Truncate: 20, Vertical: true}, "(0 rows)"},
		{[]col{text("x", "a"), text("yyyyy", "abcdefghijklmnopqrstuvwxyz")}, Options{Rows: 20},
			"+---+--------------------------+\n|x  |yyyyy                     |\n+---+--------------------------+\n|a  |abcdefghijklmnopqrstuvwxyz|\n+---+--------------------------+\n"},
		{[]col{text("y", "abcdefghijklmnopqrstuvwxyz"), text("abcdefghijklmnopqrstuvwxyz", "abc")}, Options{Rows: 20, Truncate: 20},
			"+--------------------+--------------------------+\n|                   y|abcdefghijklmnopqrstuvwxyz|\n+--------------------+--------------------------+\n|abcdefghijklmnopq...|                       abc|\n+--------------------+--------------------------+\n"},
		{[]col{text("x", "abcdef")}, Options{Rows: 20, Truncate: 3}, "+---+\n|  x|\n+---+\n|abc|\n+---+\n"},
		{[]col{text("x", "한국 中文"), text("y", "😀"), text("z", "a\nb\tc")}, Options{Rows: 20, Truncate: 20},
			"+---------+---+-------+\n|        x|  y|      z|\n+---------+---+-------+\n|한국 中文| 😀|a\\nb\\tc|\n+---------+---+-------+\n"},
		{[]col{text("x", "한국 中文"), text("yyyyyyy", "😀")}, Options{Rows: 20, Truncate: 20, Vertical: true},
			"-RECORD 0------------\n x       | 한국 中文 \n yyyyyyy | 😀        \n"},
		{nil, Options{Rows: 20, Truncate: 20}, "++\n||\n++\n++\n"},
	}
	for _, test := range tests {
		names, batches := batch(test.cols...)
		if got := (&Format{}).Text(names, batches, test.o); got != test.want {
			t.Errorf("%+v\ngot\n%s\nwant\n%s", test.o, got, test.want)
		}
	}
}

func TestHTML(t *testing.T) {
	names, batches := batch(text("x", `<a&b>"'`), text("z", nil))
	want := "<table border='1'>\n<tr><th>x</th><th>z</th></tr>\n<tr><td>&lt;a&amp;b&gt;&quot;'</td><td>NULL</td></tr>\n</table>\n"
	if got := (&Format{}).HTML(names, batches, Options{Rows: 20, Truncate: 20}); got != want {
		t.Error(got)
	}
	names, batches = batch(ids(2))
	want = "<table border='1'>\n<tr><th>id</th></tr>\n<tr><td>0</td></tr>\n</table>\nonly showing top 1 row\n"
	if got := (&Format{}).HTML(names, batches, Options{Rows: 1, Truncate: 20}); got != want {
		t.Error(got)
	}
}

func dayTime(from, to uint8) types.Type {
	return types.Type{Kind: types.DayTimeKind, From: from, To: to}
}

func TestCell(t *testing.T) {
	point := types.Struct(types.Field{Name: "a", Type: types.Int}, types.Field{Name: "b", Type: types.String, Nullable: true})
	const dayAndMore = int64(86400e6 + 7384e6 + 5e5) // 1 day 02:03:04.5
	tests := []struct {
		t    types.Type
		v    any
		want string
	}{
		{types.Boolean, true, "true"},
		{types.Byte, int8(-1), "-1"},
		{types.Double, 1e10, "1.0E10"},
		{types.Double, 1e-5, "1.0E-5"},
		{types.Decimal(10, 2), types.I128(150), "1.50"},
		{types.Binary, []byte{0x31, 0x32, 0xff}, "[31 32 FF]"},
		{types.Date, int32(18263), "2020-01-02"},
		{types.Timestamp, int64(1577934245120000), "2020-01-02 04:04:05.12"},
		{types.TimestampNTZ, int64(1577934245000000), "2020-01-02 03:04:05"},
		{types.Array(types.Int, true), []any{int32(1), nil, int32(3)}, "[1, NULL, 3]"},
		{types.Map(types.String, types.Int, true), types.MapValue{Keys: []any{"k", "l"}, Values: []any{int32(1), nil}}, "{k -> 1, l -> NULL}"},
		{point, []any{int32(1), nil}, "{1, NULL}"},
		{types.YearMonth, int32(14), "INTERVAL '1-2' YEAR TO MONTH"},
		{types.Type{Kind: types.YearMonthKind, From: types.Month, To: types.Month}, int32(-14), "INTERVAL '-14' MONTH"},
		{types.Type{Kind: types.YearMonthKind, From: types.Year, To: types.Year}, int32(36), "INTERVAL '3' YEAR"},
		{types.DayTime, dayAndMore, "INTERVAL '1 02:03:04.5' DAY TO SECOND"},
		{types.DayTime, -dayAndMore, "INTERVAL '-1 02:03:04.5' DAY TO SECOND"},
		{dayTime(types.Day, types.Day), int64(86400e6), "INTERVAL '1' DAY"},
		{dayTime(types.Hour, types.Hour), int64(5 * 3600e6), "INTERVAL '05' HOUR"},
		{dayTime(types.Second, types.Second), int64(90e6), "INTERVAL '90' SECOND"},
		{dayTime(types.Day, types.Hour), int64(26 * 3600e6), "INTERVAL '1 02' DAY TO HOUR"},
		{dayTime(types.Minute, types.Second), int64(184250000), "INTERVAL '03:04.25' MINUTE TO SECOND"},
		{types.Calendar, types.CalendarInterval{}, "0 seconds"},
		{types.Calendar, types.CalendarInterval{Months: 14, Days: 3, Micros: 14706500000}, "1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds"},
		{types.Calendar, types.CalendarInterval{Micros: -3723250000}, "-1 hours -2 minutes -3.25 seconds"},
		{types.Variant, []any{[]byte{2, 1, 0, 0, 2, 12, 1}, []byte{1, 1, 0, 1, 'a'}}, `{"a":1}`},
	}
	f := &Format{Zone: time.FixedZone("", 3600)}
	for _, test := range tests {
		names, batches := batch(col{"c", test.t, []any{test.v, nil}})
		if got := f.Cell(&batches[0].Cols[0], 0); got != test.want {
			t.Errorf("%s %v: %q, want %q", names, test.v, got, test.want)
		}
		if got := f.Cell(&batches[0].Cols[0], 1); got != "NULL" {
			t.Errorf("null of %s: %q", test.t, got)
		}
	}
}

func TestBinaryStyles(t *testing.T) {
	for style, want := range map[string]string{"UTF-8": "12", "BASIC": "[49, 50]", "BASE64": "MTI", "HEX": "3132", "HEX_DISCRETE": "[31 32]", "": "[31 32]"} {
		if got := (&Format{BinaryStyle: style}).Value([]byte("12"), types.Binary); got != want {
			t.Errorf("%s: %q", style, got)
		}
	}
}
