package spark_test

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/spark"
	F "github.com/firesteel/firesteel/spark/functions"
)

// exampleSession starts an application that leaves nothing behind; the function ends it.
func exampleSession(ctx context.Context) (*spark.Session, func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	s, err := spark.Builder().Master("local[2]").AppName("example").
		Config("spark.sql.warehouse.dir", dir).Config("spark.local.dir", dir).Config("spark.driver.memory", "512m").
		Config("spark.sql.catalogImplementation", "in-memory").Create(ctx)
	if err != nil {
		log.Fatal(err)
	}
	return s, func() {
		if err := s.Stop(ctx); err != nil {
			log.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			log.Fatal(err)
		}
	}
}

// SQL gives a frame; its actions take a context. Arguments take the places of question marks.
func ExampleSession_SQL() {
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	d, err := s.SQL(ctx, "SELECT id, id * id AS square FROM range(10) WHERE id > ? ORDER BY id", 7)
	if err != nil {
		log.Fatal(err)
	}
	if err := d.Show(ctx, 20); err != nil {
		log.Fatal(err)
	}
	// Output:
	// +---+------+
	// | id|square|
	// +---+------+
	// |  8|    64|
	// |  9|    81|
	// +---+------+
}

// Errors of the engine carry Spark's condition.
func ExampleErrorCondition() {
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	_, err := s.Range(0, 3).SelectExpr("1 / id AS q").Collect(ctx)
	condition, state, _, ok := spark.ErrorCondition(err)
	fmt.Println(ok, condition, state)
	// Output:
	// true DIVIDE_BY_ZERO 22012
}

type flight struct {
	Carrier string
	Delay   int64
}

var flights = []flight{{"AA", 20}, {"UA", 5}, {"AA", 40}, {"DL", 16}}

// Columns are expressions; package functions has the functions of them.
func ExampleDataFrame() {
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	late := s.CreateDataFrame(flights).
		Filter(spark.Col("delay").Gt(15)).
		GroupBy(spark.Col("carrier")).
		Agg(F.Avg(spark.Col("delay")).As("late"), F.Count(spark.Lit(1)).As("n")).
		OrderBy(spark.Col("late").Desc())
	if err := late.Show(ctx, 20); err != nil {
		log.Fatal(err)
	}
	// Output:
	// +-------+----+---+
	// |carrier|late|  n|
	// +-------+----+---+
	// |     AA|30.0|  2|
	// |     DL|16.0|  1|
	// +-------+----+---+
}

// The rows of a dataset are values of a Go type.
func ExampleDataset() {
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	late := spark.CreateDataset(s, flights).Where("delay > 15").OrderBy(spark.Col("delay"))
	for f, err := range late.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(f.Carrier, f.Delay)
	}
	// Output:
	// DL 16
	// AA 20
	// AA 40
}

// As gives the rows of a frame a type; a tag names the column of a field.
func ExampleAs() {
	type worst struct {
		Carrier string
		Delay   int64 `spark:"max_delay"`
	}
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	d := s.CreateDataFrame(flights).GroupBy(spark.Col("carrier")).Agg(F.Max(spark.Col("delay")).As("max_delay"))
	list, err := spark.As[worst](d).OrderBy(spark.Col("max_delay").Desc()).Take(ctx, 1)
	fmt.Println(list, err)
	// Output:
	// [{AA 40}] <nil>
}

// The functions capture nothing, so that they can run on executors too.
func ExampleReduceByKey() {
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	lines := spark.Parallelize(s.SparkContext(), []string{"to be or", "not to be"})
	words := spark.FlatMap(lines, strings.Fields)
	ones := spark.Map(words, func(w string) spark.Pair[string, int] { return spark.PairOf(w, 1) })
	counts, err := spark.ReduceByKey(ones, func(a, b int) int { return a + b }).Collect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	slices.SortFunc(counts, func(a, b spark.Pair[string, int]) int { return cmp.Compare(a.Key, b.Key) })
	for _, c := range counts {
		fmt.Println(c.Key, c.Value)
	}
	// Output:
	// be 2
	// not 1
	// or 1
	// to 2
}

// A frame that is cached is kept when an action first computes it.
func ExampleDataFrame_Cache() {
	ctx := context.Background()
	s, stop := exampleSession(ctx)
	defer stop()
	squares := s.Range(0, 1000).SelectExpr("id * id AS square").Cache()
	n, err := squares.Count(ctx) // computes and keeps
	if err != nil {
		log.Fatal(err)
	}
	even, err := squares.Where("square % 2 = 0").Count(ctx) // reads what was kept
	if err != nil {
		log.Fatal(err)
	}
	kept, err := squares.StorageLevel()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, even, kept != spark.None)
	if err := squares.Unpersist(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1000 500 true
}

// Programs that are older than sessions begin with a SparkConf.
func ExampleSQLContext() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	conf := spark.NewSparkConf().SetMaster("local[2]").SetAppName("older").Set("spark.sql.warehouse.dir", dir).
		Set("spark.local.dir", dir).Set("spark.driver.memory", "512m").Set("spark.sql.catalogImplementation", "in-memory")
	sc, err := spark.NewSparkContext(ctx, conf)
	if err != nil {
		log.Fatal(err)
	}
	defer sc.Stop(ctx)
	sum, err := spark.Sum(ctx, spark.Parallelize(sc, []int{1, 2, 3}))
	fmt.Println(sum, err)
	sql := spark.NewSQLContext(sc)
	if err := sql.RegisterDataFrameAsTable(sql.CreateDataFrame(flights), "flights"); err != nil {
		log.Fatal(err)
	}
	d, err := sql.SQL(ctx, "SELECT sum(delay) AS total FROM flights")
	if err != nil {
		log.Fatal(err)
	}
	row, err := d.First(ctx)
	fmt.Println(row.Get(0), err)
	// Output:
	// 6 <nil>
	// 81 <nil>
}
