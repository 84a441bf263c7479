package source

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// textCase is a file, and what Spark 4.2 reads of it.
type textCase struct {
	text    string
	schema  string // JSON type names by comma: "a integer,b string"; "" is inferred
	options string // k=v;k=v
	want    string // of the schema
	rows    string // [[…] […]]
}

func options2(s string) map[string]string {
	m := map[string]string{}
	for _, kv := range strings.Split(s, ";") {
		if k, v, ok := strings.Cut(kv, "="); ok {
			m[k] = v
		}
	}
	return m
}

func parseFields(t *testing.T, s string) *types.Schema {
	t.Helper()
	if s == "" {
		return nil
	}
	out := &types.Schema{}
	for _, f := range strings.Split(s, "; ") {
		name, typ, _ := strings.Cut(f, " ")
		if typ[0] != '{' {
			typ = `"` + typ + `"`
		}
		ty, err := types.ParseJSON(typ)
		if err != nil {
			t.Fatal(err)
		}
		out.Fields = append(out.Fields, types.Field{Name: name, Type: ty, Nullable: true})
	}
	return out
}

// printRows prints values as casts to text do, texts in quotes.
func printRows(s *types.Schema, rows [][]any, env *Env) string {
	var out []string
	for _, r := range rows {
		var parts []string
		for i, v := range r {
			if str, ok := v.(string); ok {
				parts = append(parts, fmt.Sprintf("%q", str))
				continue
			}
			parts = append(parts, string(types.AppendValue(nil, v, s.Fields[i].Type, env.zone())))
		}
		out = append(out, strings.Join(parts, " "))
	}
	return strings.Join(out, " | ")
}

func runTextCases(t *testing.T, format string, cases []textCase) {
	t.Helper()
	for i, c := range cases {
		env := testEnv()
		path := fmt.Sprintf("mem:/%s/%d.%s", format, i, format)
		f, p, err := env.FS.Resolve(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(context.Background(), f, p, []byte(c.text)); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%q %s %s", c.text, c.schema, c.options)
		r, err := Open(context.Background(), &catalog.Table{Provider: format, Paths: []string{path}, Options: options2(c.options), Schema: parseFields(t, c.schema)}, env)
		if err != nil {
			if e, ok := sparkerr.As(err); !ok || e.Condition != c.want {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if c.want != "" && r.Schema().Type().String() != c.want {
			t.Errorf("%s: schema %s, want %s", name, r.Schema().Type(), c.want)
		}
		rows, err := tryReadAll(r, Scan{Output: columnsOf(r.Schema()), Limit: -1}, env)
		got := printRows(r.Schema(), rows, env)
		if err != nil {
			got = fmt.Sprint(conditions(err))
		}
		if got != c.rows {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.rows)
		}
	}
}

// conditions are the conditions of an error and its causes.
func conditions(err error) []string {
	var out []string
	for err != nil {
		e, ok := sparkerr.As(err)
		if !ok {
			break
		}
		out = append(out, e.Condition)
		err = e.Cause
	}
	return out
}

func TestReadCSV(t *testing.T) {
	runTextCases(t, "csv", []textCase{
		{"a,b\n1,\"x \"\"y\"\"\"\n\"\",\n,\"z\"\n", "", "", "struct<_c0:string,_c1:string>", `"a" "b" | "1" "\"x \"\"y\"\"\"" | null null | null "z"`},
		{"a,b\n1,x\n2\n3,y,z\n", "", "header=true", "struct<a:string,b:string>", `"1" "x" | "2" null | "3" "y"`},
		{"a,b\n1,x\n2\n3,y,z\n", "a integer; b string", "header=true", "", `1 "x" | 2 null | 3 "y"`},
		{"a,b\n1,x\nq,y\n3,y,z\n", "a integer; b string; _corrupt_record string", "header=true", "", `1 "x" null | null "y" "q,y" | 3 "y" "3,y,z"`},
		{"1,x\nq,y\n", "a integer; b string", "mode=FAILFAST", "", "[FAILED_READ_FILE.NO_HINT MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION]"},
		{"1,x\nq,y\n3,y,z\n", "a integer; b string", "mode=DROPMALFORMED", "", `1 "x"`},
		{"1,2020-01-01 10:00:00,2020-01-01,true,1.5,99999999999,abc\n2,2020-01-01T10:00:00.123Z,2020-1-2,FALSE,1e3,1,\n", "", "inferschema=true",
			"struct<_c0:int,_c1:timestamp,_c2:timestamp,_c3:boolean,_c4:double,_c5:bigint,_c6:string>",
			`1 2020-01-01 10:00:00 2020-01-01 00:00:00 true 1.5 99999999999 "abc" | 2 2020-01-01 10:00:00.123 2020-01-02 00:00:00 false 1000.0 1 null`},
		{"2020-01-01\n2020-01-01 10:00:00\n", "", "inferschema=true", "struct<_c0:timestamp>", "2020-01-01 00:00:00 | 2020-01-01 10:00:00"},
		{"2020-01-01\n", "", "inferschema=true", "struct<_c0:date>", "2020-01-01"},
		{"1\n1.5\n", "", "inferschema=true", "struct<_c0:double>", "1.0 | 1.5"},
		{"1\n99999999999999999999999\n", "", "inferschema=true", "struct<_c0:decimal(23,0)>", "1 | 99999999999999999999999"},
		{"true\n1\n", "", "inferschema=true", "struct<_c0:string>", `"true" | "1"`},
		{"NaN\nInf\n-Inf\n1\n", "", "inferschema=true", "struct<_c0:double>", "NaN | Infinity | -Infinity | 1.0"},
		{" 1\n2\n", "", "inferschema=true", "struct<_c0:double>", "1.0 | 2.0"},
		{"1d\n2f\n", "", "inferschema=true", "struct<_c0:double>", "1.0 | 2.0"},
		{"\"multi\nline\",2\n", "", "", "struct<_c0:string>", `"multi" | "line\""`},
		{"\"multi\nline\",2\n3,4\n", "", "multiline=true", "struct<_c0:string,_c1:string>", `"multi\nline" "2" | "3" "4"`},
		{"#c\n1,2\n\n3,4\n   \n", "", "comment=#", "struct<_c0:string,_c1:string>", `"1" "2" | "3" "4"`},
		{"a||b\n1||2\n", "", "sep=||;header=true", "struct<a:string,b:string>", `"1" "2"`},
		{"NULL,a,\n", "", "nullvalue=NULL", "", `null "a" null`},
		{"\"NULL\",\"\",\n", "", "nullvalue=NULL", "", `null "" null`},
		{"\"\",a\n", "", "emptyvalue=E", "", `"E" "a"`},
		{"a,a,,B\n1,2,3,4\n", "", "header=true", "struct<a0:string,a1:string,_c2:string,B:string>", `"1" "2" "3" "4"`},
		{"a,A\n1,2\n", "", "header=true", "struct<a0:string,A1:string>", `"1" "2"`},
		{"\"unclosed,2\n3,4\n", "", "", "struct<_c0:string>", `"unclosed,2" | "3"`},
		{"x,y\n1,2\n", "a integer; b integer", "header=true", "", "1 2"},
		{"1,a\n", "a boolean; b byte", "", "", "null null"},
		{"true,5\nTrue,128\n", "a boolean; b byte", "", "", "true 5 | true null"},
		{"1.234,1e5,0x10\n", "a decimal(5,2); b decimal(10,0); c integer", "", "", "1.23 100000 null"},
		{"1.5,2,+3\n", "a integer; b double; c integer", "", "", "null 2.0 3"},
		{"2020-01-01,2020-01-01 00:00:00,2020-01-01T10:00:00+02:00,2020-1-1\n", "a date; b timestamp; c timestamp; d date", "", "",
			"2020-01-01 2020-01-01 00:00:00 2020-01-01 08:00:00 2020-01-01"},
		{"01/02/2020,01/02/2020 10:11\n", "a date; b timestamp", "dateformat=dd/MM/yyyy;timestampformat=dd/MM/yyyy HH:mm", "", "2020-02-01 2020-02-01 10:11:00"},
		{"\ufeffa,b\r\n1,2\r3,4", "", "header=true", "struct<a:string,b:string>", `"1" "2" | "3" "4"`},
		{"", "", "", "struct<>", ""},
		{"\n\n", "", "", "struct<>", ""},
		{"a,b\n", "", "header=true;inferschema=true", "struct<a:string,b:string>", ""},
		{"a\n1\n\n2\n", "", "header=true;inferschema=true", "struct<a:int>", "1 | 2"},
		{"a,b\n", "", "sep=", "INVALID_DELIMITER_VALUE.EMPTY_STRING", ""},
	})
}

func TestReadJSON(t *testing.T) {
	runTextCases(t, "json", []textCase{
		{`{"a":1,"b":"x"}` + "\n" + `{"a":2.5,"c":[1,2,null]}` + "\n" + `{"d":{"e":true}}`, "", "", "struct<a:double,b:string,c:array<bigint>,d:struct<e:boolean>>",
			`1.0 "x" null null | 2.5 null [1, 2, null] null | null null null {true}`},
		{"{\"a\":1}\n{bad\n{\"a\":2}\n", "", "", "struct<_corrupt_record:string,a:bigint>", `null 1 | "{bad" null | null 2`},
		{"{\"a\":1}\n{bad\n{\"a\":2}\n", "", "mode=FAILFAST", "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", ""},
		{"{\"a\":1}\n{bad\n{\"a\":2}\n", "", "mode=DROPMALFORMED", "struct<a:bigint>", "1 | 2"},
		{"{\"a\":1}\n{bad\n{\"a\":\"x\"}\n", "a integer; _corrupt_record string", "", "", `1 null | null "{bad" | null "{\"a\":\"x\"}"`},
		{"{\"a\":1, \"b\":\"x\"}\n{\"a\":\"q\",\"b\":\"y\"}\n", "a integer; b string", "", "", `1 "x" | null "y"`},
		{`[{"a":1},{"a":2}]`, "", "multiline=true", "struct<a:bigint>", "1 | 2"},
		{"[{\"a\":1},{\"a\":2}]\n{\"a\":3}", "", "", "struct<a:bigint>", "1 | 2 | 3"},
		{"{\"a\":\n1}\n", "", "multiline=true", "struct<a:bigint>", "1"},
		{"{\"a\":1}{\"a\":2}\n{\"a\":1} trailing", "", "", "struct<a:bigint>", "1 | 1"},
		{`{"a":12345678901234567890,"b":1.0,"c":1e400,"d":"2020-01-01T00:00:00Z","e":"2020-01-01","f":null,"g":{},"h":[]}`, "", "",
			"struct<a:decimal(20,0),b:double,c:double,d:string,e:string,f:string,h:array<string>>",
			`12345678901234567890 1.0 Infinity "2020-01-01T00:00:00Z" "2020-01-01" null []`},
		{"{\"a\":1}\n{\"a\":\"x\"}\n", "", "", "struct<a:string>", `"1" | "x"`},
		{"{\"a\":1}\n{\"a\":[1]}\n", "", "", "struct<a:string>", `"1" | "[1]"`},
		{"{\"a\":{\"b\":1}}\n{\"a\":{\"c\":\"x\"}}\n", "", "", "struct<a:struct<b:bigint,c:string>>", "{1, null} | {null, x}"},
		{"{\"a\":true}\n{\"a\":1}\n", "", "", "struct<a:string>", `"true" | "1"`},
		{`{"a":"2020-01-01 10:00:00"}`, "", "infertimestamp=true", "struct<a:timestamp>", "2020-01-01 10:00:00"},
		{`{"a":1.25}`, "", "prefersdecimal=true", "struct<a:decimal(3,2)>", "1.25"},
		{`{"a":1}`, "", "primitivesasstring=true", "struct<a:string>", `"1"`},
		{`{'a':'x'}`, "", "", "struct<a:string>", `"x"`},
		{`{a:1}`, "", "", "struct<_corrupt_record:string>", `"{a:1}"`},
		{`{a:1}`, "", "allowunquotedfieldnames=true", "struct<a:bigint>", "1"},
		{`{"a":01}`, "", "", "struct<_corrupt_record:string>", `"{\"a\":01}"`},
		{`{"a":NaN,"b":Infinity,"c":-Inf}`, "", "", "struct<_corrupt_record:string>", `"{\"a\":NaN,\"b\":Infinity,\"c\":-Inf}"`},
		{`{"a":"\u00e9\n"}`, "", "", "struct<a:string>", `"é\n"`},
		{`{"A":1,"a":2}`, "", "", "COLUMN_ALREADY_EXISTS", ""},
		{`{"a":1,"a":2}`, "", "", "COLUMN_ALREADY_EXISTS", ""},
		{`{"a":"1","b":1,"c":true,"d":{"x":1},"e":[1, 2]}`, "a integer; b string; c string; d string; e string", "", "",
			`null "1" "true" "{\"x\":1}" "[1, 2]"`},
		{`{"a":1.7,"b":"5","c":3000000000,"d":1}`, "a integer; b integer; c integer; d double", "", "", "null null null 1.0"},
		{`{"a":"2020-01-01","b":"2020-01-01 10:00:00","c":1577836800,"d":"10"}`, "a date; b timestamp; c timestamp; d decimal(5,2)", "", "",
			"2020-01-01 2020-01-01 10:00:00 2020-01-01 00:00:00 10.00"},
		{`{"a":1.239,"b":123456}`, "a decimal(5,2); b decimal(5,2)", "", "", "1.24 null"},
		{`{"a":{"k":1,"l":2}}`, `a {"type":"map","keyType":"string","valueType":"integer","valueContainsNull":true}`, "", "", "{k -> 1, l -> 2}"},
		{"null\n1\n\"x\"\n[]\n{}\n", "a integer", "", "", "null | null | null | null"},
		{"\n   \n{\"a\":1}\n", "", "", "struct<a:bigint>", "1"},
		{`{"a":"","b":""}`, "a integer; b string", "", "", `null ""`},
		{`{"a":"aGVsbG8="}`, "a binary", "", "", "hello"},
		{`{"a":"NaN","b":"Infinity","c":1e500}`, "a double; b float; c double", "", "", "NaN Infinity Infinity"},
		{`{"a":tru}`, "a boolean", "", "", "null"},
		{"{\"a\":\"x\ty\"}", "", "", "struct<_corrupt_record:string>", `"{\"a\":\"x\ty\"}"`},
	})
}

func TestReadText(t *testing.T) {
	runTextCases(t, "text", []textCase{
		{"a\nb\r\n\nc", "", "", "struct<value:string>", `"a" | "b" | "" | "c"`},
		{"a\nb", "", "wholetext=true", "struct<value:string>", `"a\nb"`},
		{"a|b|c", "", "linesep=|", "", `"a" | "b" | "c"`},
	})
}

// What is written in a text format is what Spark writes.
func TestWriteText(t *testing.T) {
	s := types.NewSchema(types.Field{Name: "i", Type: types.Int}, types.Field{Name: "s", Type: types.String, Nullable: true})
	var rows [][]any
	for i, v := range []any{"a", "x,y", `q"q`, `b\s`, `b\,s`, "", nil, " lead", "trail ", "new\nline", "é\t\u0001", `"`, `a\"b`} {
		rows = append(rows, []any{int32(i), v})
	}
	dates := types.NewSchema(types.Field{Name: "d", Type: types.Date}, types.Field{Name: "t", Type: types.Timestamp}, types.Field{Name: "n", Type: types.TimestampNTZ},
		types.Field{Name: "x", Type: types.Decimal(10, 3)}, types.Field{Name: "z", Type: types.Double}, types.Field{Name: "b", Type: types.Binary})
	day := int64(1577934245123456) // 2020-01-02 03:04:05.123456 UTC
	dateRow := [][]any{{int32(18263), day, day, types.I128(1500), 1e10, []byte{1, 2}}}
	nested := types.NewSchema(types.Field{Name: "a", Type: types.Array(types.Int, true)}, types.Field{Name: "m", Type: types.Map(types.String, types.Int, true)},
		types.Field{Name: "s", Type: types.Struct(types.Field{Name: "x", Type: types.Int}, types.Field{Name: "y", Type: types.String, Nullable: true})})
	nestedRow := [][]any{{[]any{int32(1), nil}, types.MapValue{Keys: []any{"k"}, Values: []any{nil}}, []any{int32(1), nil}}}
	for _, c := range []struct {
		format, options string
		schema          *types.Schema
		rows            [][]any
		want            string
	}{
		{"csv", "", s, rows, "0,a\n1,\"x,y\"\n2,\"q\\\"q\"\n3,b\\s\n4,\"b\\\\,s\"\n5,\"\"\n6,\n7,lead\n8,trail\n9,\"new\nline\"\n10,é\n11,\"\\\"\"\n12,\"a\\\\\\\"b\"\n"},
		{"json", "", s, rows[2:7], "{\"i\":2,\"s\":\"q\\\"q\"}\n{\"i\":3,\"s\":\"b\\\\s\"}\n{\"i\":4,\"s\":\"b\\\\,s\"}\n{\"i\":5,\"s\":\"\"}\n{\"i\":6}\n"},
		{"csv", "header=true;quoteall=true", s, rows[:1], "\"i\",\"s\"\n\"0\",\"a\"\n"},
		{"csv", "timezone=America/New_York", dates, dateRow, "2020-01-02,2020-01-01T22:04:05.123-05:00,2020-01-02T03:04:05.123,1.500,1.0E10,[01 02]\n"},
		{"csv", "dateformat=dd/MM/yy;timestampformat=yyyyMMdd HHmmss", dates, dateRow, "02/01/20,20200102 030405,2020-01-02T03:04:05.123,1.500,1.0E10,[01 02]\n"},
		{"json", "", dates, dateRow, `{"d":"2020-01-02","t":"2020-01-02T03:04:05.123Z","n":"2020-01-02T03:04:05.123","x":1.500,"z":1.0E10,"b":"AQI="}` + "\n"},
		{"json", "", nested, nestedRow, `{"a":[1,null],"m":{"k":null},"s":{"x":1}}` + "\n"},
		{"json", "ignorenullfields=false", nested, nestedRow, `{"a":[1,null],"m":{"k":null},"s":{"x":1,"y":null}}` + "\n"},
		{"text", "", types.NewSchema(s.Fields[1]), [][]any{{"a"}, {nil}, {"c"}}, "a\n\nc\n"},
	} {
		env := testEnv()
		if err := writeRows(t, WriteSpec{Format: c.format, Path: "mem:/w", Schema: c.schema, Options: options2(c.options)}, env, c.rows); err != nil {
			t.Errorf("%s %s: %v", c.format, c.options, err)
			continue
		}
		f, p, _ := env.FS.Resolve("mem:/w")
		l, err := f.List(context.Background(), p)
		if err != nil || len(l) != 2 {
			t.Fatalf("%v %v", l, err)
		}
		got, err := vfs.ReadFile(context.Background(), f, l[1].Path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.format, c.options, got, c.want)
		}
	}
	for format, want := range map[string]string{"csv": "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "text": "_LEGACY_ERROR_TEMP_1290", "nosuch": "DATA_SOURCE_NOT_FOUND"} {
		if err := writeRows(t, WriteSpec{Format: format, Path: "mem:/x", Schema: nested}, testEnv(), nestedRow); !sparkerr.Is(err, want) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// Formats that Spark's users know and that are not built are named by the error, by whatever name they were asked for.
func TestFormat(t *testing.T) {
	for name, want := range map[string]string{
		"Parquet": "", "csv": "", "binaryFile": "", "orc": "orc", "AVRO": "avro", "xml": "xml", "com.databricks.spark.avro": "avro",
		"org.apache.spark.sql.execution.datasources.orc": "orc", "org.apache.spark.sql.avro": "avro", "io.delta.sql.DeltaDataSource": "delta", "iceberg": "iceberg",
	} {
		err := Format(name)
		if want == "" && err != nil || want != "" && !strings.Contains(fmt.Sprint(err), `"data source `+want+`" of the class "Firesteel"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Format("org.apache.nope"); !sparkerr.Is(err, "DATA_SOURCE_NOT_FOUND") {
		t.Error(err)
	}
}

// Compressed and partitioned text round-trips, with filters, over many splits.
func TestTextRoundTrip(t *testing.T) {
	var rows [][]any
	for i := range 30000 {
		rows = append(rows, []any{int64(i), fmt.Sprintf("a text that is long enough %d", i), int32(i % 3)})
	}
	for _, format := range []string{"csv", "json"} {
		for _, options := range []string{"", "compression=gzip", "compression=zstd"} {
			env := testEnv()
			if err := writeRows(t, WriteSpec{Format: format, Path: "mem:/r", Schema: idName, Options: options2(options), Partition: []string{"day"}}, env, rows[:10000], rows[10000:]); err != nil {
				t.Fatal(err)
			}
			r, err := Open(context.Background(), &catalog.Table{Provider: format, Paths: []string{"mem:/r"}, Schema: idName}, env)
			if err != nil {
				t.Fatal(err)
			}
			out := columnsOf(r.Schema())
			scan := Scan{Output: []*expr.Column{out[2], out[0], out[1]}, Limit: -1, Filters: []expr.Expr{
				expr.NewCall("<", types.Boolean, out[0], expr.NewLiteral(int64(25000), types.Long)), expr.Eq(out[2], expr.NewLiteral(int32(1), types.Date))}}
			got := readAll(t, r, scan, env)
			if len(got) != 8333 {
				t.Fatalf("%s %s: %d rows", format, options, len(got))
			}
			for _, row := range got {
				if i := row[1].(int64); !reflect.DeepEqual(row, []any{int32(1), i, fmt.Sprintf("a text that is long enough %d", i)}) {
					t.Fatalf("%s %s: %v", format, options, row)
				}
			}
			if n := readAll(t, r, Scan{Limit: -1}, env); len(n) != 30000 {
				t.Errorf("%s: %d rows without columns", format, len(n))
			}
		}
	}
}

func TestPaths(t *testing.T) {
	env := testEnv()
	ctx := context.Background()
	f, _, _ := env.FS.Resolve("mem:/")
	for p, text := range map[string]string{"/d/a.txt": "a", "/d/_hidden": "x", "/d/.dot": "x", "/d/sub/b.txt": "b", "/d/c.log": "c"} {
		if err := vfs.WriteFile(ctx, f, p, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, options, want string }{
		{"mem:/d", "", `"a" | "c"`},
		{"mem:/d", "recursivefilelookup=true", `"a" | "c" | "b"`},
		{"mem:/d", "pathglobfilter=*.txt;recursivefilelookup=true", `"a" | "b"`},
		{"mem:/d/*.txt", "", `"a"`},
		{"mem:/{d,none}/*", "", `"a" | "c" | "b"`},
		{"mem:/none", "", "PATH_NOT_FOUND"},
		{"mem:/d/*.none", "", "PATH_NOT_FOUND"},
		{"s3a://bucket/x", "", "UNSUPPORTED_CALL.WITHOUT_SUGGESTION"},
	} {
		r, err := Open(ctx, &catalog.Table{Provider: "text", Paths: []string{c.path}, Options: options2(c.options)}, env)
		if err != nil {
			if !sparkerr.Is(err, c.want) {
				t.Errorf("%s: %v", c.path, err)
			}
			continue
		}
		rows := readAll(t, r, Scan{Output: columnsOf(r.Schema()), Limit: -1}, env)
		if got := printRows(r.Schema(), rows, env); got != c.want && got != `"a" | "b" | "c"` {
			t.Errorf("%s %s: %s, want %s", c.path, c.options, got, c.want)
		}
	}
	if _, err := Open(ctx, &catalog.Table{Provider: "parquet", Paths: []string{"mem:/d/none*"}}, env); !sparkerr.Is(err, "PATH_NOT_FOUND") {
		t.Error(err)
	}
	if err := f.MkdirAll(ctx, "/empty"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, &catalog.Table{Provider: "parquet", Paths: []string{"mem:/empty"}}, env); !sparkerr.Is(err, "UNABLE_TO_INFER_SCHEMA") {
		t.Error(err)
	}
	if _, err := Open(ctx, &catalog.Table{Provider: "parquet", Paths: []string{"mem:/d/a.txt"}}, env); !sparkerr.Is(err, "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER") {
		t.Error(err)
	}
}
