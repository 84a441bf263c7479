package analyzer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/logical"
)

// The shapes follow what Spark 4.2 answers for the same statements.
var resolveTests = []struct{ sql, want string }{
	{`select max(b) as b from t group by a having max(b) > 0`,
		`Filter[(b#3 > bigint(0))](Agg[a#1|max(b#2) AS b#3](t:T))`},
	{`select a as b, max(b) as m from t group by a order by b`,
		`Sort[b#2](Agg[a#1|a#1 AS b#2, max(b#3) AS m#4](t:T))`},
	{`select 1 from t having 1=1`,
		`Filter[(1 = 1)](Agg[|1 AS 1#1](t:T))`},
	{`select a+1 as x, x+1 as y from t`,
		`Project[x#12, (x#12 + 1) AS y#13](Project[a#1, b#2, c#3, d#4, ts#5, arr#6, m#7, s#8, dec#9, dbl#10, bool#11, (a#1 + 1) AS x#12](t:T))`},
	{`select a+1 as x, x from u`,
		`Project[x#4, x#4](Project[a#1, e#2, c#3, (a#1 + 1) AS x#4](u:T))`},
	{`select a as x, count(*) as n, n+x as y from t group by a`,
		`Project[x#3, n#4, (n#4 + bigint(x#3)) AS y#5](Project[a#1, count(1)#2, a#1 AS x#3, count(1)#2 AS n#4](Agg[a#1|a#1, count(1) AS count(1)#2](t:T)))`},
	{`select a from t order by b`,
		`Project[a#1](Sort[b#2](Project[a#1, b#2](t:T)))`},
	{`select a k, count(*) from t group by k order by count(*) desc, k`,
		`Sort[count(1)#3 desc, k#2](Agg[a#1|a#1 AS k#2, count(1) AS count(1)#3](t:T))`},
	{`select a, sum(b) from t group by 1 having sum(b) > 1 order by 2, max(c)`,
		`Project[a#1, sum(b)#3](Sort[sum(b)#3, max(c)#5](Filter[(sum(b)#3 > bigint(1))](Agg[a#1|a#1, sum(b#2) AS sum(b)#3, max(c#4) AS max(c)#5](t:T))))`},
	{`select a, b, grouping(a), count(*) from (select a, b from t) group by a, b with rollup having grouping(a) = 1 order by grouping(b)`,
		`Project[a#3, b#4, grouping(a)#6, count(1)#7](Sort[tinyint(((spark_grouping_id#5 >> 0) & 1))](Filter[(int(tinyint(((spark_grouping_id#5 >> 1) & 1))) = 1)](Agg[a#3, b#4, spark_grouping_id#5|a#3, b#4, tinyint(((spark_grouping_id#5 >> 1) & 1)) AS grouping(a)#6, count(1) AS count(1)#7, spark_grouping_id#5](Expand[a#1, b#2, a#1, b#2, 0 | a#1, b#2, a#1, NULL, 1 | a#1, b#2, NULL, NULL, 3](__auto_generated_subquery_name:Project[a#1, b#2](t:T))))))`},
	{`select a+1, count(*) from u group by a+1 with cube`,
		`Agg[(a + 1)#5, spark_grouping_id#6|(a + 1)#5 AS (a + 1)#7, count(1) AS count(1)#8](Expand[a#1, e#2, c#3, (a + 1)#4, 0 | a#1, e#2, c#3, NULL, 1](Project[a#1, e#2, c#3, (a#1 + 1) AS (a + 1)#4](u:T)))`},
	{`select sum(sum(a)) over (partition by b) from t group by b`,
		`Project[sum(sum(a)) OVER (PARTITION BY b ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)#4](Window[sum(sum(a)#3) OVER (PARTITION BY b#1 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS sum(sum(a)) OVER (PARTITION BY b ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)#4](Agg[b#1|sum(a#2) AS sum(a)#3, b#1](t:T)))`},
	{`select a, sum(b+1) over (partition by a order by b) s, rank() over (partition by a order by b) r, s + 1 from (select a, b from t)`,
		`Project[a#1, s#4, r#5, (s#4 + bigint(1)) AS (s + 1)#6](Window[RANK() OVER (PARTITION BY a#1 ORDER BY b#2 ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS r#5](Project[a#1, b#2, s#4](Window[sum(_w0#3) OVER (PARTITION BY a#1 ORDER BY b#2 ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s#4](Project[a#1, b#2, (b#2 + bigint(1)) AS _w0#3](__auto_generated_subquery_name:Project[a#1, b#2](t:T))))))`},
	{`select u.* from u join u v using (a)`,
		`Project[a#1, e#3, c#4](Project[a#1, e#3, c#4, e#5, c#6, a#2](Join[Inner (a#1 = a#2)](u:T; v:u:T)))`},
	{`select v.a, x.a from u v full join u x using (a)`,
		`Project[a#1, a#2](Project[coalesce(a#1, a#2) AS a#3, e#4, c#5, e#6, c#7, a#1, a#2](Join[FullOuter (a#1 = a#2)](v:u:T; x:u:T)))`},
	{`select a from t union all select c from t`,
		`Union(Project[bigint(a#1) AS a#2](Project[a#1](t:T)); Project[bigint(c#3) AS c#4](Project[c#3](t:T)))`},
	{`select a from t except select a from u`,
		`Except(Project[a#1](t:T); Project[a#2](u:T))`},
	{`select * from u x where exists (select 1 from u where u.a = x.a)`,
		`Project[a#1, e#4, c#5](Filter[sub1()[a#1]{Project[1 AS 1#3](Filter[(a#2 = outer(a#1))](u:T))}](x:u:T))`},
	{`select * from u where a in (select b from t)`,
		`Project[a#1, e#3, c#4](Filter[sub2(bigint(a#1))[]{Project[b#2](t:T)}](u:T))`},
	{`select a from u x where e > (select max(e) from u where u.a = x.a and u.e in (select b from t where t.a = x.e))`,
		`Project[a#2](Filter[(e#1 > sub0()[a#2, e#1]{Agg[|max(e#4) AS max(e)#7](Filter[((a#3 = outer(a#2)) AND sub2(bigint(e#4))[outer(e#1)]{Project[b#6](Filter[(a#5 = outer(e#1))](t:T))})](u:T))})](x:u:T))`},
	{`select a, (select max(e) from u where u.a = t.a) from t group by a`,
		`Project[a#1, sub0()[a#1]{Agg[|max(e#3) AS max(e)#4](Filter[(a#2 = outer(a#1))](u:T))} AS scalarsubquery(a)#5](Agg[a#1|a#1](t:T))`},
	{`with x as (select a from t), y as (select * from x) select * from y join x on x.a = y.a`,
		`CTE1(Project[a#1](t:T); Project[a#2, a#3](Join[Inner (a#3 = a#2)](y:Project[a#2](x:ref1); x:ref1)))`},
	{`with x(k) as (select a from t) select k from x`,
		`Project[k#2](x:Project[a#1 AS k#2](Project[a#1](t:T)))`},
	{`with recursive r(n) as (select 1 union all select n+1 from r where n < 5) select * from r`,
		`Project[n#4](r:Recursive1(Project[1 AS 1#1](OneRow[]()); Project[(n#2 + 1) AS (n + 1)#3](Filter[(n#2 < 5)](r:ref1))))`},
	{`select x.a, z from u x, lateral (select x.a + 1 as z from u where u.a = x.a)`,
		`Project[a#2, z#3](Join[Inner lateral](x:u:T; __auto_generated_subquery_name:Project[(outer(a#2) + 1) AS z#3](Filter[(a#1 = outer(a#2))](u:T))))`},
	{`select * from values (1,'a'),(2L,null) as v(x,y)`,
		`Project[x#1, y#2](v:Local2)`},
	{`select * from (select a, c from t) pivot (sum(a) for c in ('x','y' as yy))`,
		`Project[x#3, yy#4](Agg[|sum(a#1) FILTER (WHERE (c#2 <=> 'x')) AS x#3, sum(a#1) FILTER (WHERE (c#2 <=> 'y')) AS yy#4](__auto_generated_subquery_name:Project[a#1, c#2](t:T)))`},
	{`select * from (select a, b, c from t) unpivot (v for n in (a, b))`,
		`Project[c#3, n#5, v#4](Filter[(v#4 IS NOT NULL)](Expand[c#3, 'a', bigint(a#1) | c#3, 'b', b#2](__auto_generated_subquery_name:Project[a#1, b#2, c#3](t:T))))`},
	{`select * except (e, c) from u`,
		`Project[a#1](u:T)`},
	{`select s.f, m['k'], arr[0], s.* from t`,
		`Project[s#1.'f' AS f#2, m#3['k'] AS m[k]#4, arr#5[0] AS arr[0]#6, s#1.'f' AS f#7, s#1.'g' AS g#8](t:T)`},
	{`select /*+ broadcast(v) */ x.a from u x join u v on x.a = v.a`,
		`Project[a#1](Join[Inner (a#1 = a#2) hint /BROADCAST](x:u:T; v:u:T))`},
	{`select a, b from t group by all order by all`,
		`Sort[a#1, b#2](Agg[a#1, b#2|a#1, b#2](t:T))`},
	{`select a from t limit 1 + 1 offset 2`,
		`Limit[2](Offset[2](Project[a#1](t:T)))`},
	{`select a x, rank() over w from t window w as (partition by a order by b) order by x`,
		`Sort[x#4](Project[a#1 AS x#4, RANK() OVER (PARTITION BY a ORDER BY b ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)#3](Window[RANK() OVER (PARTITION BY a#1 ORDER BY b#2 ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS RANK() OVER (PARTITION BY a ORDER BY b ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)#3](t:T)))`},
	{`select a, row_number() over (order by a) rn from u qualify rn = 1`,
		`Project[a#1, rn#2](Filter[_qualify#3](Project[a#1, rn#2, (rn#2 = 1) AS _qualify#3](Window[row_number() OVER (ORDER BY a#1 ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS rn#2](u:T))))`},
}

// Functions on time put rows into windows below the aggregate.
func TestTimeWindows(t *testing.T) {
	ctx := testContext(t)
	for _, c := range []struct{ sql, nodes, types string }{
		{"select window(ts, '5 minutes') w, count(*) from t group by window(ts, '5 minutes')", "Agg Project Filter", "struct<start:timestamp,end:timestamp> bigint"},
		{"select a, window.start, count(*) from t group by a, window(ts, '10 minutes', '5 minutes') order by start", "Sort Agg Filter Expand Filter", "int timestamp bigint"},
		{"select a, session_window.end, count(*) from t group by a, session_window(ts, '5 minutes')", "Agg Project Window Project Window Project Project Window Filter", "int timestamp bigint"},
	} {
		p, err := analyze(t, ctx, c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		var nodes, kinds []string
		logical.Walk(p, func(n logical.Plan) bool {
			if s := fmt.Sprintf("%T", n); !strings.HasSuffix(s, "Alias") && !strings.HasSuffix(s, "Relation") {
				nodes = append(nodes, strings.Replace(strings.TrimPrefix(s, "*logical."), "Aggregate", "Agg", 1))
			}
			return true
		})
		for _, o := range p.Output() {
			kinds = append(kinds, o.T.String())
		}
		if got := strings.Join(nodes, " "); got != c.nodes || strings.Join(kinds, " ") != c.types {
			t.Errorf("%s\ngot  %s: %s\nwant %s: %s", c.sql, got, kinds, c.nodes, c.types)
		}
		checkResolved(t, c.sql, p)
	}
}

func TestResolve(t *testing.T) {
	ctx := testContext(t)
	for _, c := range resolveTests {
		p, err := analyze(t, ctx, c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if got := briefly(p); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.sql, got, c.want)
		}
		checkResolved(t, c.sql, p)
	}
}
