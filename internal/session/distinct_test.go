package session

import (
	"strings"
	"testing"
)

// Duplicates are removed before semi and anti joins, and the answers stay what they were.
func TestDistinctBelowJoins(t *testing.T) {
	local := withTables(t, begin(t, nil, nil))
	remote := withTables(t, begin(t, newFakeCluster(t, 2, 1), nil))
	queries := map[string][2]string{
		"intersect": {"SELECT l_returnflag, l_linestatus FROM lineitem INTERSECT SELECT l_returnflag, l_linestatus FROM lineitem WHERE l_quantity > 49",
			"SELECT l_returnflag, l_linestatus FROM lineitem GROUP BY ALL HAVING max(l_quantity) > 49"},
		"except": {"SELECT l_linenumber, l_shipmode FROM lineitem EXCEPT SELECT l_linenumber, l_shipmode FROM lineitem WHERE l_linenumber < 3",
			"SELECT l_linenumber, l_shipmode FROM lineitem GROUP BY ALL HAVING l_linenumber >= 3"},
		"exists": {"SELECT p_partkey FROM part WHERE p_size IN (SELECT l_linenumber FROM lineitem)",
			"SELECT p_partkey FROM part WHERE p_size BETWEEN 1 AND 7"},
	}
	for name, q := range queries {
		want := rows(t, local, q[1])
		if len(want) == 0 {
			t.Errorf("%s: no rows", name)
		}
		same(t, name, rows(t, local, q[0]), want, false)
		same(t, name+" on executors", rows(t, remote, q[0]), want, false)
		plan := strings.Join(rows(t, local, "EXPLAIN "+q[0]), "\n")
		if strings.Index(plan, "HashAggregate") < strings.Index(plan, "Join") {
			t.Errorf("%s: duplicates are removed above the join:\n%s", name, plan)
		}
	}
}

// Texts that come from a join's build side are grouped, exchanged and sorted as codes of dictionaries: the same rows come out
// as for texts that are computed.
func TestTextsOfJoins(t *testing.T) {
	query := func(f string) string {
		s := func(c string) string { return strings.ReplaceAll(f, "?", c) }
		return "SELECT " + s("p_brand") + " b, " + s("p_type") + " t, " + s("s_name") + " n, l_linenumber, count(*), max(" + s("p_name") + ") FROM lineitem" +
			" JOIN part ON p_partkey = l_partkey LEFT JOIN supplier ON s_suppkey = l_suppkey AND s_nationkey < 20" +
			" GROUP BY ROLLUP (" + s("p_brand") + ", " + s("p_type") + "), " + s("s_name") + ", l_linenumber ORDER BY ALL LIMIT 5000"
	}
	local := withTables(t, begin(t, nil, nil))
	want := rows(t, local, query("concat(?, '')"))
	if len(want) == 0 {
		t.Error("no rows")
	}
	same(t, "local", rows(t, local, query("?")), want, true)
	same(t, "executors", rows(t, withTables(t, begin(t, newFakeCluster(t, 2, 1), nil)), query("?")), want, true)
}

// The repetitive side of a join is grouped before it: whoever meets several partners counts as often, who meets none not at all.
func TestGroupingBelowJoins(t *testing.T) {
	local := withTables(t, begin(t, nil, nil))
	remote := withTables(t, begin(t, newFakeCluster(t, 2, 1), nil))
	const aggs = "sum(l_quantity$), count(l_tax$), avg(l_extendedprice$), min(l_shipdate), max(l_comment), sum(l_tax$) FILTER (WHERE l_linenumber > 2)"
	for name, from := range map[string]string{
		"one partner":      "lineitem JOIN supplier ON l_suppkey = s_suppkey",
		"many partners":    "lineitem JOIN partsupp ON l_suppkey = ps_suppkey JOIN supplier ON s_suppkey = ps_suppkey",
		"perhaps none":     "lineitem LEFT JOIN (SELECT * FROM supplier WHERE s_nationkey < 12) ON l_suppkey = s_suppkey",
		"more than equal":  "lineitem JOIN supplier ON l_suppkey = s_suppkey AND l_linenumber < s_nationkey",
		"on the right":     "supplier RIGHT JOIN lineitem ON l_suppkey = s_suppkey",
		"of a view's rows": "supplier JOIN (SELECT * FROM lineitem JOIN orders ON o_orderkey = l_orderkey) ON l_suppkey = s_suppkey",
	} {
		query := func(also string) string {
			return "SELECT s_suppkey, s_name, s_nationkey, " + strings.ReplaceAll(aggs, "$", also) + " FROM " + from + " GROUP BY s_suppkey, s_name, s_nationkey"
		}
		want := rows(t, local, query(" + 0 * coalesce(s_nationkey, 0)")) // needs both sides
		if len(want) == 0 {
			t.Errorf("%s: no rows", name)
		}
		same(t, name, rows(t, local, query("")), want, false)
		same(t, name+" on executors", rows(t, remote, query("")), want, false)
		chosen := name != "more than equal" && name != "of a view's rows" // there it saves too little
		plan := strings.Join(rows(t, local, "EXPLAIN "+query("")), "\n")
		if chosen && strings.Index(plan, "partial_sum") < strings.Index(plan, "Join ") {
			t.Errorf("%s: grouped above the join only:\n%s", name, plan)
		}
	}
}

// Of nested unions without duplicates only the outermost removes them.
func TestNestedUnions(t *testing.T) {
	s := begin(t, nil, nil)
	query := "SELECT 1 AS a UNION SELECT 2 UNION ALL SELECT 2 UNION SELECT id FROM range(4) UNION SELECT 1"
	same(t, "union", rows(t, s, query), rows(t, s, "SELECT id FROM range(4)"), false)
	same(t, "union all", rows(t, s, "SELECT 1 UNION SELECT 1 UNION ALL SELECT 1"), rows(t, s, "SELECT 1 FROM range(2)"), false)
	plan := strings.Join(rows(t, s, "EXPLAIN EXTENDED SELECT 1 AS a UNION SELECT 2 UNION SELECT 3"), "\n")
	_, plan, _ = strings.Cut(plan, "Optimized Logical Plan")
	plan, _, _ = strings.Cut(plan, "Physical Plan")
	if strings.Count(plan, "Aggregate") != 1 || strings.Count(plan, "Union") != 1 {
		t.Errorf("the plan is\n%s", plan)
	}
}
