package sparkerr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// at places a fragment in a text, as the parser does.
func at(text, fragment string) *QueryContext {
	start := strings.Index(text, fragment)
	line := strings.Count(text[:start], "\n") + 1
	return &QueryContext{Text: text, Fragment: fragment, Start: start, Stop: start + len(fragment) - 1,
		Line: line, Pos: start - strings.LastIndex(text[:start], "\n") - 1}
}

// The texts are what Spark 4.3.0 prints for these statements.
func TestError(t *testing.T) {
	divide := func() *Error { return New("DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`) }
	const divideText = "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. " +
		"If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22012"
	nocol := New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", "`zz`", "proposal", "`id`").At(at("select id from range(2) order by zz", "zz"))
	nocol.Plan = "'Sort ['zz ASC NULLS FIRST], true\n"
	tests := []struct {
		err  *Error
		want string
	}{
		{divide(), divideText},
		{divide().At(at("select 1/0", "1/0")), divideText + "\n== SQL (line 1, position 8) ==\nselect 1/0\n       ^^^\n"},
		{divide().At(at("select 1,\n 2 + 1/0,\n 3", "1/0")), divideText + "\n== SQL (line 2, position 6) ==\n 2 + 1/0,\n     ^^^\n"},
		{divide().At(&QueryContext{DataFrame: true, Fragment: "__truediv__", CallSite: "a.py:22"}),
			divideText + "\n== DataFrame ==\n\"__truediv__\" was called from\na.py:22\n"},
		{New("PARSE_SYNTAX_ERROR", "error", "'selec'", "hint", "").At(&QueryContext{Text: "selec 1", Line: 1}),
			"\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'. SQLSTATE: 42601 (line 1, pos 0)\n\n== SQL ==\nselec 1\n^^^\n"},
		{New("INVALID_TYPED_LITERAL", "valueType", `"DATE"`, "value", "'2020-13-01'").At(at("select date'2020-13-01'", "date'2020-13-01'")),
			"\n[INVALID_TYPED_LITERAL] The value of the typed literal \"DATE\" is invalid: '2020-13-01'. SQLSTATE: 42604\n" +
				"== SQL (line 1, position 8) ==\nselect date'2020-13-01'\n       ^^^^^^^^^^^^^^^^\n"},
		{New("UNCLOSED_BRACKETED_COMMENT").At(&QueryContext{Text: "select /* "}),
			"\n[UNCLOSED_BRACKETED_COMMENT] Found an unclosed bracketed comment. Please, append */ at the end of the comment. SQLSTATE: 42601\n== SQL ==\nselect /* "},
		{nocol, "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `zz` cannot be resolved. " +
			"Did you mean one of the following? [`id`]. SQLSTATE: 42703; line 1 pos 33;\n'Sort ['zz ASC NULLS FIRST], true\n"},
		{New("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", "Invalid value for MonthOfYear (valid values 1 - 12): 13"),
			"[DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION] Invalid value for MonthOfYear (valid values 1 - 12): 13.  SQLSTATE: 22023"},
		{IllegalArgument("requirement failed: step cannot be 0"), "requirement failed: step cannot be 0"},
		{New("INVALID_HANDLE.SESSION_CLOSED", "handle", "x"), "[INVALID_HANDLE.SESSION_CLOSED] The handle x is invalid. Session was closed. SQLSTATE: 08003"},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%s:\ngot  %q\nwant %q", test.err.Condition, got, test.want)
		}
	}
}

func TestSummaryCutsLongLines(t *testing.T) {
	text := "select id from range(2) order by zz, " + strings.Repeat("x", 40)
	want := "== SQL (line 1, position 34) ==\n...elect id from range(2) order by zz, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\n" + strings.Repeat(" ", 35) + "^^\n"
	if got := at(text, "zz").Summary(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestClasses(t *testing.T) {
	tests := []struct {
		err  *Error
		want string // the classes below RuntimeException or Exception
	}{
		{New("DIVIDE_BY_ZERO"), "SparkArithmeticException ArithmeticException RuntimeException"},
		{New("CAST_INVALID_INPUT", "targetType", `"INT"`), "SparkNumberFormatException NumberFormatException IllegalArgumentException RuntimeException"},
		{New("CAST_INVALID_INPUT", "targetType", `"DATE"`), "SparkDateTimeException DateTimeException RuntimeException"},
		{New("CAST_INVALID_INPUT", "targetType", `"BOOLEAN"`), "SparkRuntimeException RuntimeException"},
		{New("INVALID_ARRAY_INDEX"), "SparkArrayIndexOutOfBoundsException ArrayIndexOutOfBoundsException IndexOutOfBoundsException RuntimeException"},
		{New("PARSE_SYNTAX_ERROR"), "ParseException AnalysisException"},
		{New("UNRESOLVED_COLUMN.WITH_SUGGESTION"), "AnalysisException"},
		{New("SCHEMA_NOT_FOUND"), "NoSuchNamespaceException NoSuchDatabaseException AnalysisException"},
		{New("SQL_CONF_NOT_FOUND"), "SparkNoSuchElementException NoSuchElementException RuntimeException"},
		{New("INVALID_CONF_VALUE.TYPE_MISMATCH"), "SparkIllegalArgumentException IllegalArgumentException RuntimeException"},
		{New("INTERNAL_ERROR"), "SparkException"},
		{New("SCALAR_SUBQUERY_TOO_MANY_ROWS"), "SparkException"},
		{&Error{Condition: "INTERNAL_ERROR", Class: PythonException}, "PythonException RuntimeException"},
	}
	for _, test := range tests {
		var names []string
		for _, c := range test.err.Classes() {
			names = append(names, c[strings.LastIndexByte(c, '.')+1:])
		}
		if got := strings.Join(names, " "); got != test.want+" Exception Throwable Object" {
			t.Errorf("%s: %s", test.err.Condition, got)
		}
	}
}

func TestCatalogue(t *testing.T) {
	n, subs := 0, 0
	Conditions(func(name string, c Condition) {
		n++
		if strings.Contains(name, ".") {
			subs++
		}
		if len(c.SQLState) != 5 && !strings.HasPrefix(name, "_LEGACY") {
			t.Errorf("%s has SQLSTATE %q", name, c.SQLState)
		}
		if strings.Contains(name, ".") && strings.TrimSpace(c.Message) == "" {
			t.Errorf("%s has no text", name)
		}
	})
	if n-subs < 1300 || subs < 700 {
		t.Errorf("%d conditions, %d sub-conditions", n-subs, subs)
	}
	for name := range byCondition {
		if Lookup(name).SQLState == "" {
			t.Errorf("the class table names %s, which is no condition", name)
		}
	}
}

func TestFill(t *testing.T) {
	params := map[string]string{"a": "<b>", "b": "2"}
	if got := fill("<a> < <b> <c> <'=, <. Got: <b>> <", params); got != "<b> < 2 <c> <'=, <. Got: 2> <" {
		t.Error(got)
	}
}

func TestIsLooksThroughWrapping(t *testing.T) {
	err := fmt.Errorf("task 3: %w", New("INVALID_HANDLE.FORMAT"))
	if !Is(err, "INVALID_HANDLE") || !Is(err, "INVALID_HANDLE.FORMAT") || Is(err, "INVALID") || Is(errors.New("x"), "INVALID_HANDLE") {
		t.Error("wrong match")
	}
}

func BenchmarkFirstError(b *testing.B) {
	for b.Loop() {
		readTable()
	}
}
