package session

import (
	"strings"
	"testing"
)

// A grouping by sets gives the rows of a union of groupings, in one process and on executors.
func TestGroupingSetsByStates(t *testing.T) {
	const aggs = "sum(l_quantity), count(*), avg(l_extendedprice), max(l_shipmode), count(l_tax) FILTER (WHERE l_linenumber > 2)"
	query := "SELECT l_returnflag, l_linestatus, l_suppkey, " + aggs + " FROM lineitem GROUP BY ROLLUP (l_returnflag, l_linestatus, l_suppkey)"
	var parts []string
	for _, keys := range []string{"l_returnflag, l_linestatus, l_suppkey", "l_returnflag, l_linestatus, NULL", "l_returnflag, NULL, NULL"} {
		by := strings.ReplaceAll(strings.ReplaceAll(keys, ", NULL", ""), "NULL, ", "")
		parts = append(parts, "SELECT "+keys+", "+aggs+" FROM lineitem GROUP BY "+by)
	}
	parts = append(parts, "SELECT NULL, NULL, NULL, "+aggs+" FROM lineitem")
	local := withTables(t, begin(t, nil, nil))
	want := rows(t, local, strings.Join(parts, " UNION ALL "))
	same(t, "local", rows(t, local, query), want, false)
	same(t, "executors", rows(t, withTables(t, begin(t, newFakeCluster(t, 2, 1), nil)), query), want, false)
	if plan := strings.Join(rows(t, local, "EXPLAIN "+query), "\n"); strings.Index(plan, "Expand") > strings.Index(plan, "partial_sum") {
		t.Errorf("rows are repeated before they are grouped:\n%s", plan)
	}
	same(t, "duplicates", rows(t, local, "SELECT l_returnflag, count(*), grouping_id() FROM lineitem GROUP BY GROUPING SETS ((l_returnflag), (l_returnflag), ())"),
		rows(t, local, "SELECT l_returnflag, count(*), 0 FROM lineitem GROUP BY 1 UNION ALL SELECT l_returnflag, count(*), 0 FROM lineitem GROUP BY 1 UNION ALL SELECT NULL, count(*), 1 FROM lineitem"), false)
}
