package session

import (
	"strings"
	"testing"
)

// A common table expression that groups is computed once, however often it is used, and its users may want different rows.
func TestSharedExchanges(t *testing.T) {
	queries := map[string]string{
		"equal": `WITH s AS (SELECT l_suppkey k, l_returnflag f, sum(l_quantity) q FROM lineitem GROUP BY ALL)
			SELECT a.k, a.f, a.q, b.q FROM s a JOIN s b ON a.k = b.k AND a.f < b.f`,
		"filtered": `WITH s AS (SELECT l_suppkey k, count(*) n FROM lineitem GROUP BY ALL)
			SELECT s_name, n FROM s JOIN supplier ON k = s_suppkey WHERE s_nationkey = 3
			UNION ALL SELECT s_name, -n FROM s JOIN supplier ON k = s_suppkey WHERE s_nationkey = 7`,
		"built": `WITH s AS (SELECT l_orderkey k FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 200)
			SELECT o_orderkey, 1 FROM orders WHERE o_orderkey IN (SELECT k FROM s)
			UNION ALL SELECT l_orderkey, l_linenumber FROM lineitem WHERE l_orderkey IN (SELECT k FROM s)`,
	}
	local := withTables(t, begin(t, nil, nil))
	remote := withTables(t, begin(t, newFakeCluster(t, 2, 1), nil))
	// What differs between the uses without making a difference keeps the plans apart.
	apart := strings.NewReplacer("JOIN s b", "JOIN (SELECT k, f, q + 0 AS q FROM (SELECT l_suppkey k, l_returnflag f, sum(l_quantity + 0) q FROM lineitem GROUP BY ALL)) b",
		"-n FROM s", "-n FROM (SELECT l_suppkey k, count(l_suppkey) n FROM lineitem GROUP BY ALL)",
		"FROM lineitem WHERE l_orderkey IN (SELECT k FROM s)", "FROM lineitem WHERE l_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) + 0 > 200)")
	for name, q := range queries {
		want := rows(t, local, apart.Replace(q))
		if len(want) == 0 {
			t.Errorf("%s: no rows", name)
		}
		same(t, name, rows(t, local, q), want, false)
		same(t, name+" on executors", rows(t, remote, q), want, false)
		if plan := strings.Join(rows(t, local, "EXPLAIN "+q), "\n"); !strings.Contains(plan, "ReusedExchange") {
			t.Errorf("%s: nothing is shared:\n%s", name, plan)
		}
	}
	if plan := strings.Join(rows(t, local, `EXPLAIN WITH s AS (SELECT l_suppkey k, sum(rand()) r FROM lineitem GROUP BY ALL)
		SELECT * FROM s a JOIN s b ON a.k = b.k`), "\n"); strings.Contains(plan, "ReusedExchange") {
		t.Errorf("a random plan is shared:\n%s", plan)
	}
}
