package sqlparser

import (
	"reflect"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func TestParseType(t *testing.T) {
	for text, want := range map[string]string{
		"INT": "int", "bigint": "bigint", "Long": "bigint", "real": "float", "dec": "decimal(10,0)", "numeric(5)": "decimal(5,0)",
		"decimal(38, 18)": "decimal(38,18)", "char(3)": "char(3)", "varchar(10)": "varchar(10)", "timestamp_ntz": "timestamp_ntz",
		"timestamp with local time zone": "timestamp", "interval": "interval", "interval day": "interval day",
		"interval hour to second": "interval hour to second", "void": "void", "variant": "variant", "time(0)": "time(0)",
		"array<array<map<string,struct<a:int,`b c` : array<int>>>>>": "array<array<map<string,struct<a:int,b c:array<int>>>>>",
		"struct<>": "struct<>", "struct<a int not null comment 'x', b string>": "struct<a:int,b:string>",
	} {
		got, err := ParseType(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "int int", "array<int", "map<int>", "array<int>>", "decimal(1,2,3)", "char(x)"} {
		if got, err := ParseType(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestParseSchema(t *testing.T) {
	want := &types.Schema{Fields: []types.Field{
		{Name: "a", Type: types.Int, Nullable: true},
		{Name: "b c", Type: types.String, Metadata: `{"comment":"x\"y"}`},
	}}
	for _, text := range []string{"a INT, `b c` STRING NOT NULL COMMENT 'x\"y'", "struct<a int, `b c`: string not null comment 'x\"y'>"} {
		got, err := ParseSchema(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	if _, err := ParseSchema("a int,"); !sparkerr.Is(err, "PARSE_SYNTAX_ERROR") {
		t.Error(err)
	}
}

func TestParseIdentifier(t *testing.T) {
	for text, want := range map[string][]string{"a": {"a"}, "a.`b.c`.`d``e`": {"a", "b.c", "d`e"}, " a . select ": {"a", "select"}} {
		if got, err := ParseIdentifier(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a.", "a b", "'a'", "a-b"} {
		if got, err := ParseIdentifier(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]types.CalendarInterval{
		"1 year -2 months 3 weeks 4 days":          {Months: 10, Days: 25},
		" interval +1 hour 2 minutes 3.5 seconds ": {Micros: 3723500000},
		"-1.000001 second 7 milliseconds":          {Micros: -1000001 + 7000},
		"- .5 seconds":                             {Micros: -500000},
		"5 microseconds":                           {Micros: 5},
	} {
		if got, err := ParseInterval(text); err != nil || got != want {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"": "INPUT_IS_EMPTY", "1": "MISSING_UNIT", "1 foo": "INVALID_UNIT", "1.5 days": "INVALID_FRACTION",
		"x days": "UNRECOGNIZED_NUMBER", "1x days": "INVALID_VALUE", "intervals 1 day": "INVALID_PREFIX", "99999999999999999999 days": "ARITHMETIC_EXCEPTION",
		"1.1234567890 seconds": "INVALID_PRECISION"} {
		if _, err := ParseInterval(text); !sparkerr.Is(err, "INVALID_INTERVAL_FORMAT."+want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOptions(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	now := time.Date(2024, 2, 29, 23, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		o          Options
		text, want string
	}{
		{Options{DoubleQuotedIdentifiers: true}, `"a b" + 'c'`, `+(a b, "c")`},
		{Options{EscapedStringLiterals: true}, `'a\n'`, `"a\\n"`},
		{Options{ConsecutiveStrings: true}, `'a''b'`, `"ab"`},
		{Options{ExponentAsDecimal: true}, `1e2`, `100:decimal(3,0)`},
		{Options{CalendarIntervals: true}, `interval 1 day 2 hours`, `{0 1 7200000000}:interval`},
		{Options{BangIsNot: true}, `a ! in (1)`, `not(in(a, 1))`},
		{Options{KeepCharTypes: true}, `cast(a as char(3))`, `cast(a as char(3))`},
		{Options{NoSinglePipe: true}, `a | extend`, `|(a, extend)`},
		{Options{TimestampNTZ: true}, `timestamp '1970-01-01 00:00:01'`, `1000000:timestamp_ntz`},
		{Options{Location: berlin}, `timestamp '1970-01-01 01:00:00'`, `0:timestamp`},
		{Options{Location: berlin}, `timestamp '2024-03-31 02:30:00'`, `1711848600000000:timestamp`}, // in the gap
		{Options{Location: berlin}, `timestamp '2024-10-27 02:30:00'`, `1729989000000000:timestamp`}, // twice
		{Options{Location: berlin, Now: now}, `date 'today'`, `19783:date`},
		{Options{Location: berlin, Now: now}, `date 'tomorrow'`, `19784:date`},
		{Options{Now: now}, `date 'yesterday'`, `19781:date`},
		{Options{Now: now}, `timestamp 'now'`, `1709249400000000:timestamp`},
		{Options{EnforceReservedKeywords: true}, `current_date`, `current_date()`},
		{Options{Named: map[string]expr.Expr{"p": text("y")}}, `'x' :p 'z'`, `"xyz"`},
		{Options{Positional: []expr.Expr{whole(7)}}, `? + ?`, `+(7, param( 1))`},
	} {
		e, err := ParseExpression(c.text, c.o)
		if err != nil || dump(e) != c.want {
			t.Errorf("%s: %s %v, want %s", c.text, dump(e), err, c.want)
		}
	}
}

func TestReservedKeywords(t *testing.T) {
	ansi := Options{EnforceReservedKeywords: true}
	for _, text := range []string{"select 1 as from", "select table from t", "select a select from t", "select * from order"} {
		if _, err := ParsePlan(text, ansi); !sparkerr.Is(err, "PARSE_SYNTAX_ERROR") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"select day, left(a, 1), `from` from t left join s on true", "select a date from t cross join u"} {
		if _, err := ParsePlan(text, ansi); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSetOperationOrder(t *testing.T) {
	const text = "select 1 union select 2 intersect select 3"
	a, _ := ParsePlan(text, Options{})
	b, _ := ParsePlan(text, Options{SetOpsFromLeft: true})
	if a.(*logical.SetOp).Kind != logical.Union || b.(*logical.SetOp).Kind != logical.Intersect {
		t.Errorf("%s\n%s", dump(a), dump(b))
	}
}

func TestSplitStatements(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                 nil,
		" ; -- x;\n;":                      nil,
		"select 1;select ';' ":             {"select 1", "select ';'"},
		"a /* ; */ b; c":                   {"a /* ; */ b", "c"},
		"x; begin select 1; select 2; end": {"x", "begin select 1; select 2; end"},
	} {
		if got := SplitStatements(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
	plans, err := ParseScript("select 1; show tables;", Options{})
	if err != nil || len(plans) != 2 {
		t.Errorf("%v %v", plans, err)
	}
}

// TestOrigins: places are those of the clause, in characters.
func TestOrigins(t *testing.T) {
	const text = "select 'é',\n  f(a + 1, b)[0] from t"
	p, err := ParsePlan(text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	chars := []rune(text)
	got := map[string][2]int{}
	for _, e := range p.(*logical.Project).List {
		expr.Walk(e, func(e expr.Expr) bool {
			var at *expr.Origin
			switch x := e.(type) {
			case *expr.Func:
				at = x.At
			case *expr.Attribute:
				at = x.At
			case *expr.Extract:
				at = x.At
			case *expr.Literal:
				at = x.At
			}
			got[string(chars[at.Start:at.Stop+1])] = [2]int{at.Line, at.Pos}
			return true
		})
	}
	want := map[string][2]int{"'é'": {1, 7}, "f(a + 1, b)[0]": {2, 2}, "f(a + 1, b)": {2, 2}, "a + 1": {2, 4}, "a": {2, 4}, "1": {2, 8}, "b": {2, 11}, "0": {2, 14}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestSessionOptions(t *testing.T) {
	conf := map[string]string{"spark.sql.ansi.doubleQuotedIdentifiers": "true", "spark.sql.session.timeZone": "+02:00"}
	get := func(k string) string { return conf[k] }
	o := SessionOptions(get, time.Time{})
	_, offset := time.Unix(0, 0).In(o.Location).Zone()
	if !o.DoubleQuotedIdentifiers || offset != 7200 {
		t.Errorf("%+v", o)
	}
	conf["spark.sql.ansi.enabled"] = "false"
	if SessionOptions(get, time.Time{}).DoubleQuotedIdentifiers {
		t.Error("double quotes are strings without ANSI mode")
	}
}
