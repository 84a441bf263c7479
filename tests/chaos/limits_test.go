package chaos

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// each joins n texts.
func each(n int, sep string, f func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = f(i)
	}
	return strings.Join(parts, sep)
}

func nested(n int, open, inner, end string) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
}

// slow statements take some seconds; one like them is always run.
var slow = map[string]bool{"50,000 conditions": true, "50,000 alternatives": true, "no list of 50,000": true, "20,000 branches": true}

// TestHugeStatements is M14, M07 and M17: statements without measure get an answer or a refusal by name,
// in some seconds.
func TestHugeStatements(t *testing.T) {
	number := func(i int) string { return fmt.Sprint(i + 100) }
	doubled := "select id as a0 from range(3)"
	for i := range 40 {
		doubled = fmt.Sprintf("select a%d + a%d as a%d from (%s)", i, i, i+1, doubled)
	}
	for _, c := range []struct{ name, text, want, refusal string }{
		{"50,000 conditions", "select count(*) from range(10) where " + each(50000, " and ", func(i int) string { return "id<>" + number(i) }), "10", ""},
		{"50,000 conditions over a join", "select count(*) from range(10) t join range(10) u on t.id=u.id where " +
			each(50000, " and ", func(i int) string { return "t.id<>" + number(i) }), "10", ""},
		{"50,000 alternatives", "select count(*) from range(103) where " + each(50000, " or ", func(i int) string { return "id=" + number(i) }), "3", ""},
		{"a list of 50,000", "select count(*) from range(103) where id in (" + each(50000, ",", number) + ")", "3", ""},
		{"no list of 50,000", "select count(*) from range(103) where id not in (" + each(50000, ",", number) + ")", "100", ""},
		{"5,000 unions", "select count(*), sum(a) from (" + each(5000, " union all ", func(int) string { return "select 1 as a" }) + ")", "5000\t5000", ""},
		{"1,000 unions without duplicates", "select count(*), sum(a) from (" + each(1000, " union ", func(i int) string { return fmt.Sprintf("select %d as a", i%9) }) + ")",
			"9\t36", ""},
		{"100,000 operators", "select " + each(100000, " + ", func(int) string { return "id" }) + " from range(1, 2)", "100000", ""},
		{"20,000 branches", "select case " + each(20000, " ", func(i int) string { return fmt.Sprintf("when id=%d then %d", i, i+1) }) + " end from range(3)", "1\n2\n3", ""},
		{"joins of 100 relations", "select count(*) from range(3) t0 " +
			each(99, " ", func(i int) string { return fmt.Sprintf("join range(3) t%d on t0.id=t%d.id", i+1, i+1) }), "3", ""},
		{"products of 300 relations", "select count(*) from " + each(300, ",", func(i int) string { return fmt.Sprintf("range(1) t%d", i) }), "1", ""},
		{"10,000 columns", "select c0 + c9999 from (select " + each(10000, ",", func(i int) string { return fmt.Sprintf("id + %d as c%d", i, i) }) + " from range(3))",
			"9999\n10001\n10003", ""},
		{"1,000 lateral aliases", "select a1000 from (select id as a0, " + each(1000, ", ", func(i int) string { return fmt.Sprintf("a%d + 1 as a%d", i, i+1) }) + " from range(1))",
			"1000", ""},
		{"a column doubled 40 times", doubled, "0\n1099511627776\n2199023255552", ""},
		{"1,000 named queries", "with " + each(1000, ",", func(i int) string {
			if i == 0 {
				return "c0 as (select * from range(3))"
			}
			return fmt.Sprintf("c%d as (select * from c%d)", i, i-1)
		}) + " select count(*) from c999", "3", ""},
		{"a text of 10 MB", "select length('" + strings.Repeat("x", 10_000_000) + "')", "10000000", ""},
		{"a regular expression that goes back", "select repeat('a', 50000) || 'b' rlike '(a+)+$'", "false", ""},
		{"2,000 parentheses", "select " + nested(2000, "(", "1", ")"), "", "TOO_COMPLEX"},
		{"1,000 nested queries", "select count(*) from " + nested(1000, "(select * from ", "range(10)", ")"), "", "TOO_COMPLEX"},
		{"2,000 calls", "select " + nested(2000, "abs(", "1", ")"), "", "TOO_COMPLEX"},
		{"2,000 negations", "select " + strings.Repeat("not ", 2000) + "true", "", "TOO_COMPLEX"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if slow[c.name] {
				deep(t)
			}
			r := sql(t, query{text: c.text + ";\n", limit: 2 * time.Minute})
			if c.refusal != "" {
				r.refused(t, c.refusal)
			} else if got := strings.TrimSpace(r.good(t)); got != c.want {
				t.Errorf("got %s, want %s", tail(got, 200), c.want)
			}
			if r.cpu > 30*time.Second { // some seconds, on a machine that does little else
				t.Errorf("took %v of processors", r.cpu)
			}
		})
	}
}

// TestExplosion is M16: a join without an end stops soon after it is told to.
func TestExplosion(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	c := s.connect(t)
	ctx := timeout(t, 2*time.Second)
	if _, err := c.query(ctx, "select count(*) from range(10000000) a join range(10000000) b on a.id % 7 <> b.id % 11"); err == nil {
		t.Fatal("it ended")
	}
	s.alive(t) // its slots are free again: the next query does not wait for it
}
