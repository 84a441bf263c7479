package spark_test

import (
	"fmt"
	"math/big"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/spark"
	F "github.com/firesteel/firesteel/spark/functions"
)

type trade struct {
	ID     int64
	Symbol string
	Price  float64
	Lots   *int32
	Tags   []string
	Hidden string `spark:"-"`
}

func num(n int32) *int32 { return &n }

func trades(s *spark.Session) *spark.DataFrame {
	return s.CreateDataFrame([]trade{
		{ID: 1, Symbol: "A", Price: 10, Lots: num(3), Tags: []string{"x"}},
		{ID: 2, Symbol: "B", Price: 20, Lots: nil, Tags: []string{"x", "y"}},
		{ID: 3, Symbol: "A", Price: 30, Lots: num(5)},
	})
}

func shown(t testing.TB, d *spark.DataFrame) string {
	t.Helper()
	return must[string](t)(d.ShowString(t.Context(), 20, spark.ShowOptions{Truncate: 20}))
}

func same(t testing.TB, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(strings.ReplaceAll(want, "\t", "")) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestShow(t *testing.T) {
	s := local(t)
	same(t, shown(t, trades(s).OrderBy(spark.Col("id").Desc())), `
		+---+------+-----+----+------+
		| id|symbol|price|lots|  tags|
		+---+------+-----+----+------+
		|  3|     A| 30.0|   5|  NULL|
		|  2|     B| 20.0|NULL|[x, y]|
		|  1|     A| 10.0|   3|   [x]|
		+---+------+-----+----+------+`)
}

func TestGroups(t *testing.T) {
	s := local(t)
	d := trades(s).GroupBy(spark.Col("symbol")).Agg(
		F.Sum(spark.Col("price")).As("total"), F.CountDistinct(spark.Col("lots")).As("lots"),
		F.CountAll().FilterWhere(spark.Col("price").Gt(15)).As("dear")).OrderBy(spark.Col("symbol"))
	same(t, shown(t, d), `
		+------+-----+----+----+
		|symbol|total|lots|dear|
		+------+-----+----+----+
		|     A| 40.0|   2|   1|
		|     B| 20.0|   0|   1|
		+------+-----+----+----+`)
	same(t, shown(t, trades(s).GroupBy().Pivot(spark.Col("symbol"), "A", "B").Agg(F.Max(spark.Col("price")))), `
		+----+----+
		|   A|   B|
		+----+----+
		|30.0|20.0|
		+----+----+`)
}

func TestColumns(t *testing.T) {
	s := local(t)
	c := spark.Col
	for _, test := range []struct {
		col  spark.Column
		want any
	}{
		{c("id").Plus(1), int64(2)},
		{c("price").Div(4), 2.5},
		{c("symbol").Eq("A").And(c("lots").IsNotNull()), true},
		{c("symbol").In("B", "C").Not(), true},
		{c("id").Between(0, 1), true},
		{c("symbol").Like("_"), true},
		{spark.When(c("id").Gt(5), "big").When(c("id").Gt(0), "small").Otherwise("none"), "small"},
		{c("price").CastTo("int"), int32(10)},
		{spark.Lit("x").TryCast(spark.IntegerType), nil},
		{c("tags").GetItem(0), "x"},
		{spark.Expr("id * 2 AS d"), int64(2)},
		{F.Transform(c("tags"), spark.Lambda(func(x ...spark.Column) spark.Column { return F.Upper(x[0]) }, "x")), []any{"X"}},
		{F.Struct(c("id"), c("symbol")).GetField("symbol"), "A"},
		{F.Struct(c("id")).WithField("b", spark.Lit(7)).GetField("b"), int32(7)},
		{F.RowNumber().Over(spark.Window().PartitionBy(c("symbol")).OrderBy(c("price"))), int32(1)},
		{F.Sum(c("id")).Over(spark.Window().OrderBy(c("id")).RowsBetween(spark.CurrentRow, 1)), int64(3)},
		{spark.Lit([]int32{1, 2}), []any{int32(1), int32(2)}},
		{spark.Lit(spark.Decimal{Unscaled: big.NewInt(125), Scale: 2}).Plus(1), spark.Decimal{Unscaled: big.NewInt(225), Scale: 2}},
		{spark.Lit(90 * time.Second), 90 * time.Second},
		{spark.Lit(spark.Date(1)), spark.Date(1)},
		{spark.Lit(nil), nil},
	} {
		row := must[spark.Row](t)(trades(s).Select(c("id"), test.col.As("v")).OrderBy(c("id")).First(t.Context()))
		if got := row.Get(1); !reflect.DeepEqual(got, test.want) && fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %v (%T), want %v (%T)", test.col, got, got, test.want, test.want)
		}
	}
}

// A frame carries its first error to the action; the analyzer's errors have Spark's conditions.
func TestErrors(t *testing.T) {
	s := local(t)
	bad := trades(s).Select(spark.Col("a`b")).Filter(spark.Col("id").Gt(1))
	if bad.Err() == nil {
		t.Error("no error on the frame")
	}
	if _, err := bad.Collect(t.Context()); err != bad.Err() {
		t.Errorf("the action returns %v", err)
	}
	_, err := trades(s).Select(spark.Col("nocol")).Collect(t.Context())
	if cond, state, params, ok := spark.ErrorCondition(err); !ok || cond != "UNRESOLVED_COLUMN.WITH_SUGGESTION" || state != "42703" || params["objectName"] != "`nocol`" {
		t.Errorf("%v: %s %s %v", err, cond, state, params)
	}
	if _, err := s.SQL(t.Context(), "SELEC 1"); err == nil {
		t.Error("no error for bad SQL")
	}
	if _, err := trades(s).Join(trades(s), spark.Col("x"), "sideways").Schema(); err == nil || !strings.Contains(err.Error(), "sideways") {
		t.Errorf("join type: %v", err)
	}
}

func TestJoins(t *testing.T) {
	s := local(t)
	l, r := s.Range(0, 4), s.Range(2, 6)
	if n := must[int64](t)(l.Join(r, l.Col("id").Eq(r.Col("id")), spark.Inner).Count(t.Context())); n != 2 {
		t.Errorf("inner join: %d rows", n)
	}
	d := l.Join(r, l.Col("id").Eq(r.Col("id")), spark.FullOuter).Select(l.Col("id").As("l"), r.Col("id").As("r")).Filter(spark.Col("r").IsNull())
	if n := must[int64](t)(d.Count(t.Context())); n != 2 {
		t.Errorf("full join: %d rows without a right side", n)
	}
	if n := must[int64](t)(l.JoinUsing(r, []string{"id"}, spark.LeftAnti).Count(t.Context())); n != 2 {
		t.Errorf("anti join: %d rows", n)
	}
	if n := must[int64](t)(l.Union(r).Distinct().Count(t.Context())); n != 6 {
		t.Errorf("union: %d rows", n)
	}
}

func TestWriteAndRead(t *testing.T) {
	s := local(t)
	path := filepath.Join(t.TempDir(), "out")
	d := trades(s)
	if err := d.Write().PartitionBy("symbol").Parquet(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := d.Write().Parquet(t.Context(), path); err == nil {
		t.Error("a second write did not fail")
	}
	if err := d.Write().Mode(spark.Overwrite).Parquet(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := d.Write().Mode(spark.Append).Parquet(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if n := must[int64](t)(s.Read().Parquet(path).Count(t.Context())); n != 6 {
		t.Errorf("%d rows", n)
	}
	csv := writeFile(t, filepath.Join(t.TempDir(), "a.csv"), "a,b\n1,x\n2,y\n")
	got := must[[]spark.Row](t)(s.Read().Option("header", true).SchemaDDL("a INT, b STRING").CSV(csv).Collect(t.Context()))
	if fmt.Sprint(got) != "[[1,x] [2,y]]" {
		t.Errorf("csv: %v", got)
	}
	if err := d.Drop("tags").Write().SaveAsTable(t.Context(), "trades"); err != nil {
		t.Fatal(err)
	}
	if ok := must[bool](t)(s.Catalog().TableExists(t.Context(), "trades")); !ok {
		t.Error("no table")
	}
}

func TestSQLAndViews(t *testing.T) {
	s := local(t)
	if err := trades(s).CreateOrReplaceTempView("trades"); err != nil {
		t.Fatal(err)
	}
	d := must[*spark.DataFrame](t)(s.SQL(t.Context(), "SELECT sum(price) AS p FROM trades WHERE symbol = :s AND id < :n", map[string]any{"s": "A", "n": 10}))
	if row := must[spark.Row](t)(d.First(t.Context())); must[float64](t)(spark.Get[float64](row, "p")) != 40 {
		t.Errorf("row %v", row)
	}
	d = must[*spark.DataFrame](t)(s.SQL(t.Context(), "SELECT ? + ?", 1, int64(2)))
	if row := must[spark.Row](t)(d.First(t.Context())); row.Get(0) != int64(3) {
		t.Errorf("row %v", row)
	}
	// A command runs once, whatever is asked of its frame.
	d = must[*spark.DataFrame](t)(s.SQL(t.Context(), "CREATE TABLE made (a INT) USING parquet"))
	must[int64](t)(d.Count(t.Context()))
	must[*spark.DataFrame](t)(s.SQL(t.Context(), "INSERT INTO made VALUES (1), (2)"))
	if n := must[int64](t)(s.Table("made").Count(t.Context())); n != 2 {
		t.Errorf("%d rows", n)
	}
	if dropped := must[bool](t)(s.Catalog().DropTempView(t.Context(), "trades")); !dropped {
		t.Error("the view was not dropped")
	}
}

func TestCache(t *testing.T) {
	s := local(t)
	d := s.Range(0, 1000).Select(spark.Col("id"), F.Rand(7).As("r")).Cache()
	if l := must[spark.StorageLevel](t)(d.StorageLevel()); l != spark.MemoryAndDisk {
		t.Errorf("level %s", l)
	}
	a, b := must[[]spark.Row](t)(d.Collect(t.Context())), must[[]spark.Row](t)(d.Collect(t.Context()))
	if !reflect.DeepEqual(a, b) {
		t.Error("cached rows differ")
	}
	if err := d.Unpersist(); err != nil {
		t.Fatal(err)
	}
	if l := must[spark.StorageLevel](t)(d.StorageLevel()); l != spark.None {
		t.Errorf("level %s", l)
	}
}

// Rows end early without an error, and with the query's error otherwise.
func TestRows(t *testing.T) {
	s := local(t)
	n := 0
	for row, err := range s.Range(0, 100_000).Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Get(0) != int64(n) {
			t.Fatalf("row %d is %v", n, row)
		}
		if n++; n == 5000 {
			break
		}
	}
	var last error
	for _, err := range s.Range(0, 10).Select(spark.Lit(1).Div(spark.Col("id").Minus(5))).Rows(t.Context()) {
		last = err
	}
	if cond, _, _, _ := spark.ErrorCondition(last); cond != "DIVIDE_BY_ZERO" {
		t.Errorf("error %v", last)
	}
}

func TestCreateDataFrameOf(t *testing.T) {
	s := local(t)
	schema := must[*spark.StructType](t)(spark.ParseSchema("a SMALLINT NOT NULL, d DATE, ts TIMESTAMP, m MAP<STRING, INT>, dec DECIMAL(5,2), n STRUCT<x: DOUBLE>"))
	ts := time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)
	in := []spark.Row{
		spark.NewRow(7, spark.DateOf(ts), ts, []spark.MapEntry{{Key: "k", Value: 1}}, spark.Decimal{Unscaled: big.NewInt(15), Scale: 1}, spark.NewRow(1)),
		spark.NewRow(8, nil, nil, nil, nil, nil),
	}
	got := must[[]spark.Row](t)(s.CreateDataFrameOf(in, schema).Collect(t.Context()))
	if want := "[[7,2024-02-29,2024-02-29 12:30:00 +0000 UTC,[{k 1}],1.50,[1.0]] [8,null,null,null,null,null]]"; fmt.Sprint(got) != want {
		t.Errorf("rows %v", got)
	}
	if err := s.CreateDataFrameOf([]spark.Row{spark.NewRow(1<<20, nil, nil, nil, nil, nil)}, schema).Err(); err == nil {
		t.Error("a number that does not fit was taken")
	}
}
