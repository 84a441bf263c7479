package spark_test

import (
	"strings"
	"testing"

	"github.com/firesteel/firesteel/spark"
	F "github.com/firesteel/firesteel/spark/functions"
)

type total struct {
	Symbol string
	Sum    float64 `spark:"total"`
	N      *int64
}

func TestDataset(t *testing.T) {
	s, ctx := local(t), t.Context()
	list := []trade{{ID: 1, Symbol: "A", Price: 10, Lots: num(3), Tags: []string{"x"}}, {ID: 2, Symbol: "B", Price: 20}, {ID: 3, Symbol: "A", Price: 30, Tags: []string{}}}
	ds := spark.CreateDataset(s, list)
	equal(t, must[[]trade](t)(ds.Collect(ctx)), list)
	equal(t, must[[]trade](t)(ds.Where("price > 15").OrderBy(spark.Col("id").Desc()).Take(ctx, 1)), list[2:])
	equal(t, must[trade](t)(ds.Filter(spark.Col("symbol").Eq("B")).First(ctx)), list[1])
	equal(t, must[int64](t)(ds.Union(ds).Distinct().Count(ctx)), 3)
	sums := spark.As[total](ds.GroupBy(spark.Col("symbol")).Agg(F.Count(spark.Col("lots")).As("N"), F.Sum(spark.Col("price")).As("TOTAL")).OrderBy(spark.Col("symbol")))
	got := must[[]total](t)(sums.Collect(ctx))
	if len(got) != 2 || got[0].Symbol != "A" || got[0].Sum != 40 || *got[0].N != 1 || got[1].Sum != 20 {
		t.Errorf("got %v", got)
	}
	var seen []int64
	for v, err := range spark.As[int64](s.Range(0, 100_000)).All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, v); v == 5000 {
			break
		}
	}
	equal(t, len(seen), 5001)
}

func TestDatasetFits(t *testing.T) {
	s, ctx := local(t), t.Context()
	type narrow struct{ ID int32 }
	type wide struct{ ID float64 }
	type other struct{ Name string }
	equal(t, must[[]wide](t)(spark.As[wide](s.Range(0, 2)).Collect(ctx)), []wide{{0}, {1}})
	if err := spark.As[narrow](s.Range(0, 2)).Err(); condition(err) != "CANNOT_UP_CAST_DATATYPE" {
		t.Errorf("BIGINT in an int32: %v", err)
	}
	if _, err := spark.As[other](s.Range(0, 2)).Collect(ctx); !strings.HasPrefix(condition(err), "UNRESOLVED_COLUMN") {
		t.Errorf("a column that is not there: %v", err)
	}
	d := must[*spark.DataFrame](t)(s.SQL(ctx, "SELECT CAST(NULL AS INT) AS id"))
	if _, err := spark.As[narrow](d).Collect(ctx); err == nil || !strings.Contains(err.Error(), "use a pointer") {
		t.Errorf("a null in an int32: %v", err)
	}
	if err := spark.As[chan int](s.Range(0, 2)).Err(); err == nil {
		t.Error("a channel is no row")
	}
}

func TestContexts(t *testing.T) {
	sc, ctx := context2(t), t.Context()
	hive := spark.NewHiveContext(sc)
	if err := hive.RegisterDataFrameAsTable(hive.Range(0, 7), "sevens"); err != nil {
		t.Fatal(err)
	}
	equal(t, must[int64](t)(hive.Table("sevens").Count(ctx)), 7)
	other := spark.NewSQLContext(sc).NewSession()
	if _, err := other.Table("sevens").Count(ctx); condition(err) != "TABLE_OR_VIEW_NOT_FOUND" {
		t.Errorf("a view of another session: %v", err)
	}
	equal(t, other.SetConf("spark.sql.shuffle.partitions", "3"), nil)
	equal(t, must[string](t)(other.GetConf("spark.sql.shuffle.partitions")), "3")
}

func condition(err error) string {
	c, _, _, _ := spark.ErrorCondition(err)
	return c
}
