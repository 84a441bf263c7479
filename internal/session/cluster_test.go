package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/tpch"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/wire"
)

var tables struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if tables.dir != "" {
		os.RemoveAll(tables.dir)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// tpchTables generates the TPC-H tables once, as Parquet files.
func tpchTables(t *testing.T) string {
	t.Helper()
	tables.once.Do(func() {
		if tables.dir, tables.err = os.MkdirTemp("", "firesteel-tpch"); tables.err == nil {
			tables.err = tpch.Run(context.Background(), tpch.Options{ScaleFactor: 0.02, OutputDir: tables.dir, Parallel: 2})
		}
	})
	if tables.err != nil {
		t.Fatal(tables.err)
	}
	return tables.dir
}

// begin starts an application on a fake cluster, or in this process when it is nil, and opens a session.
func begin(t *testing.T, c *fakeCluster, settings map[string]string) *Session {
	t.Helper()
	o := Options{Master: "local[2]", Conf: map[string]string{"spark.sql.catalogImplementation": "in-memory", "spark.sql.warehouse.dir": t.TempDir(),
		"spark.local.dir": t.TempDir(), "spark.driver.memory": "2g"}}
	for k, v := range settings {
		o.Conf[k] = v
	}
	if c != nil {
		o.Master, o.executors = "spark://localhost:7077", c
	}
	a, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a.NewSession()
}

func withTables(t *testing.T, s *Session) *Session {
	t.Helper()
	dir := tpchTables(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ".")
		rows(t, s, fmt.Sprintf("CREATE OR REPLACE TEMPORARY VIEW %s AS SELECT * FROM parquet.`%s`", name, filepath.Join(dir, e.Name())))
	}
	return s
}

// try gives the rows of a statement as texts.
func try(ctx context.Context, s *Session, text string) (out []string, err error) {
	err = s.SQL(ctx, text, func(*types.Schema) error { return nil }, func(b *columnar.Batch) error {
		for i := range b.N {
			var row []string
			for c := range b.Cols {
				row = append(row, fmt.Sprint(b.Cols[c].ValueAt(i)))
			}
			out = append(out, strings.Join(row, "|"))
		}
		return nil
	})
	return out, err
}

func rows(t *testing.T, s *Session, text string) []string {
	t.Helper()
	out, err := try(t.Context(), s, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func same(t *testing.T, name string, got, want []string, ordered bool) {
	t.Helper()
	if !ordered {
		got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("%s: row %d is %s, want %s", name, i, got[i], want[i])
				break
			}
		}
	}
}

// ways are settings under which queries take different operators.
var ways = map[string]map[string]string{
	"broadcast":  nil,
	"shuffle":    {"spark.sql.autoBroadcastJoinThreshold": "-1"},
	"sort-merge": {"spark.sql.autoBroadcastJoinThreshold": "-1", "spark.sql.join.preferSortMergeJoin": "true", "spark.sql.shuffle.partitions": "5"},
}

// The 22 queries give the same rows on executors as in this process.
func TestQueriesOnExecutors(t *testing.T) {
	want := map[int][]string{}
	local := withTables(t, begin(t, nil, nil))
	for q := 1; q <= tpch.Queries; q++ {
		want[q] = rows(t, local, tpch.Query(q))
	}
	for name, settings := range ways {
		t.Run(name, func(t *testing.T) {
			s := withTables(t, begin(t, newFakeCluster(t, 2, 2), settings))
			for q := 1; q <= tpch.Queries; q++ {
				same(t, fmt.Sprint("query ", q), rows(t, s, tpch.Query(q)), want[q], strings.Contains(tpch.Query(q), "order by"))
			}
		})
	}
}

// An executor that dies in the middle of a query takes map outputs along; the rows are the same.
func TestExecutorLoss(t *testing.T) {
	local := withTables(t, begin(t, nil, nil))
	for _, q := range []int{3, 9, 18, 21} {
		t.Run(fmt.Sprint("query ", q), func(t *testing.T) {
			c := newFakeCluster(t, 2, 1)
			var once sync.Once
			done := 0
			c.on = func(c *fakeCluster, e *fakeExecutor, _ *wire.Task) {
				c.mu.Lock()
				done++
				due := done > 3
				c.mu.Unlock()
				if due {
					once.Do(func() { c.kill(e) })
				}
			}
			s := withTables(t, begin(t, c, map[string]string{"spark.sql.autoBroadcastJoinThreshold": "-1"}))
			same(t, "rows", rows(t, s, tpch.Query(q)), rows(t, local, tpch.Query(q)), true)
			if c.next < 3 {
				t.Error("no executor was killed")
			}
		})
	}
}

const wide = "SELECT l_orderkey, l_linenumber, l_comment, l_shipinstruct FROM lineitem"

// Results that are too big to travel with their reports are read from the executors, and computed again when those die.
func TestStoredResults(t *testing.T) {
	want := rows(t, withTables(t, begin(t, nil, nil)), wide)
	for _, when := range []string{"never", "before", "within"} {
		t.Run(when, func(t *testing.T) {
			c := newFakeCluster(t, 2, 1)
			stored, killed := 0, false
			c.onStored = func(c *fakeCluster, r driver.RemoteResult) {
				c.mu.Lock()
				stored++
				e := c.execs[r.At]
				due := stored == 2 && when == "before"
				c.mu.Unlock()
				if due {
					killed = true
					c.kill(e)
				}
			}
			s := withTables(t, begin(t, c, nil))
			var got []string
			err := s.SQL(t.Context(), wide, func(*types.Schema) error { return nil }, func(b *columnar.Batch) error {
				for i := range b.N {
					var row []string
					for k := range b.Cols {
						row = append(row, fmt.Sprint(b.Cols[k].ValueAt(i)))
					}
					got = append(got, strings.Join(row, "|"))
				}
				if when == "within" && !killed && len(got) > 10_000 {
					killed = true
					c.mu.Lock()
					var live []*fakeExecutor
					for _, e := range c.execs {
						live = append(live, e)
					}
					c.mu.Unlock()
					for _, e := range live {
						c.kill(e)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "rows", got, want, false)
			if stored == 0 || killed == (when == "never") {
				t.Errorf("%d results were stored; killed: %v", stored, killed)
			}
		})
	}
}

// Ranges have the bounds of a sample that is drawn first.
func TestRangesOnExecutors(t *testing.T) {
	const text = "SELECT l_orderkey, l_linenumber, l_extendedprice FROM (SELECT /*+ REPARTITION_BY_RANGE(4, l_extendedprice) */ * FROM lineitem)"
	s := withTables(t, begin(t, newFakeCluster(t, 2, 1), nil))
	got := rows(t, s, text)
	same(t, "rows", got, rows(t, withTables(t, begin(t, nil, nil)), text), false)
	parts := rows(t, s, "SELECT count(*), min(l_extendedprice), max(l_extendedprice) FROM (SELECT /*+ REPARTITION_BY_RANGE(4, l_extendedprice) */ * FROM lineitem) "+
		"GROUP BY spark_partition_id() ORDER BY 2")
	if len(parts) != 4 {
		t.Errorf("%d ranges: %v", len(parts), parts)
	}
}

func TestWritesOnExecutors(t *testing.T) {
	c := newFakeCluster(t, 2, 2)
	var once sync.Once
	c.on = func(c *fakeCluster, e *fakeExecutor, task *wire.Task) {
		if task.ID == 2 {
			once.Do(func() { c.kill(e) })
		}
	}
	s := withTables(t, begin(t, c, nil))
	rows(t, s, "CREATE TABLE t USING parquet PARTITIONED BY (l_linestatus) AS SELECT l_orderkey, l_quantity, l_linestatus FROM lineitem")
	rows(t, s, "INSERT INTO t SELECT l_orderkey, l_quantity, l_linestatus FROM lineitem WHERE l_orderkey < 100")
	local := withTables(t, begin(t, nil, nil))
	want := rows(t, local, `SELECT l_linestatus, count(*), sum(l_quantity) FROM (SELECT * FROM lineitem UNION ALL
		SELECT * FROM lineitem WHERE l_orderkey < 100) GROUP BY 1`)
	same(t, "rows", rows(t, s, "SELECT l_linestatus, count(*), sum(l_quantity) FROM t GROUP BY 1"), want, false)
}

// Errors of tasks keep their condition.
func TestErrorsOnExecutors(t *testing.T) {
	s := withTables(t, begin(t, newFakeCluster(t, 2, 1), nil))
	_, err := try(t.Context(), s, "SELECT sum(1 / (l_orderkey - l_orderkey)) FROM lineitem")
	if err == nil || !strings.Contains(err.Error(), "DIVIDE_BY_ZERO") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := try(ctx, s, wide); err == nil {
		t.Error("a cancelled query ran")
	}
	_, err = try(t.Context(), withTables(t, begin(t, newFakeCluster(t, 1, 1), map[string]string{"spark.driver.maxResultSize": "1m"})), wide)
	if err == nil || !strings.Contains(err.Error(), "maxResultSize") {
		t.Errorf("error %v", err)
	}
}
