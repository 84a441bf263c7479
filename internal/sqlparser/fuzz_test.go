package sqlparser

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// FuzzParse: any text gives a plan or a typed error with a place in the text, in bounded time, without a panic.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"queries", "commands", "expressions", "errors"} {
		raw, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range strings.Split(string(raw), "\n--\n") {
			text, _, _ := strings.Cut(c, "\n=>\n")
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		start := time.Now()
		_, err := ParsePlan(text, Options{})
		checkError(t, text, err)
		_, err = ParseExpression(text, Options{EnforceReservedKeywords: true, DoubleQuotedIdentifiers: true, EscapedStringLiterals: true})
		checkError(t, text, err)
		_, err = ParseSchema(text)
		checkError(t, text, err)
		SplitStatements(text)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%v for %d bytes", d, len(text))
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	if err == nil {
		return
	}
	e, ok := sparkerr.As(err)
	if !ok {
		t.Fatalf("%q: %T is no typed error", text, err)
	}
	if c := e.Context; c != nil && c.Text == text && (c.Start < 0 || c.Start > len(text) || c.Stop >= len(text) || c.Line < 1) {
		t.Errorf("%q: place %d to %d, line %d", text, c.Start, c.Stop, c.Line)
	}
	_ = e.Error()
}

func TestDepth(t *testing.T) {
	for _, pair := range [][2]string{{"(", ")"}, {"array<", ">"}, {"not ", ""}, {"- ", ""}, {"case when ", " end"}, {"(select ", ")"}, {"f(", ")"}, {"a[", "]"}, {"x -> ", ""},
		{"cast(", " as int)"}, {"exists (select ", ")"}, {"interval(", ")"}, {"struct(", ")"}, {"trim(", ")"}} {
		deep := strings.Repeat(pair[0], 20_000) + "1" + strings.Repeat(pair[1], 20_000)
		for _, text := range []string{"select " + deep, "select cast(1 as " + deep + ")", "select * from " + deep} {
			if _, err := ParsePlan(text, Options{}); err == nil {
				t.Errorf("%s…: no error", text[:30])
			}
		}
	}
	_, err := ParsePlan("select "+strings.Repeat("(", 5000)+"1"+strings.Repeat(")", 5000), Options{})
	if !sparkerr.Is(err, "FAILED_TO_PARSE_TOO_COMPLEX") {
		t.Errorf("got %v", err)
	}
	if _, err := ParsePlan("select "+strings.Repeat("(", 900)+"1"+strings.Repeat(")", 900), Options{}); err != nil {
		t.Error(err)
	}
}

// TestLongTexts: time grows with the length, not with its square.
func TestLongTexts(t *testing.T) {
	for _, text := range []string{
		"select " + strings.Repeat("a + ", 50_000) + "a",
		"select " + strings.Repeat("a and ", 50_000) + "a",
		"select a from t" + strings.Repeat(" union all select a from t", 20_000),
		"select a in (" + strings.Repeat("'x', ", 50_000) + "'x')",
		"values " + strings.Repeat("(1, 'é'), ", 50_000) + "(1, 'x')",
	} {
		if _, err := ParsePlan(text, Options{}); err != nil {
			t.Errorf("%s…: %v", text[:30], err)
		}
	}
}

const tpch8 = `select o_year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as mkt_share
from (select extract(year from o_orderdate) as o_year, l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation
  from part, supplier, lineitem, orders, customer, nation n1, nation n2, region
  where p_partkey = l_partkey and s_suppkey = l_suppkey and l_orderkey = o_orderkey and o_custkey = c_custkey
    and c_nationkey = n1.n_nationkey and n1.n_regionkey = r_regionkey and r_name = 'AMERICA'
    and s_nationkey = n2.n_nationkey and o_orderdate between date '1995-01-01' and date '1996-12-31'
    and p_type = 'ECONOMY ANODIZED STEEL') as all_nations
group by o_year order by o_year`

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(tpch8)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePlan(tpch8, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
