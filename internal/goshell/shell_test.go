package goshell

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/spark"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// typed is a shell of a local session, and what it prints.
func typed(t *testing.T) (*Shell, *bytes.Buffer) {
	t.Helper()
	s, err := spark.Builder().Master("local[2]").AppName("test").Config("spark.sql.warehouse.dir", t.TempDir()).
		Config("spark.sql.catalogImplementation", "in-memory").Config("spark.local.dir", t.TempDir()).Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var out bytes.Buffer
	sh, err := New(Config{Session: s, In: strings.NewReader(""), Out: &out, Errors: &out})
	if err != nil {
		t.Fatal(err)
	}
	return sh, &out
}

func TestRun(t *testing.T) {
	sh, out := typed(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("the sun\nthe rain and the wind\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{`1 + 2`, "3"},
		{`x := 20`, ""},
		{`x + 22`, "42"},
		{`func twice(i int) int { return 2 * i }`, ""},
		{`twice(x)`, "40"},
		{"for i := 0; i < 2; i++ {\n\tfmt.Println(\"row\", i)\n}", "row 0\nrow 1"},
		{`fmt.Println("hello")`, "hello"},
		{`strings.ToUpper("abc")`, `"ABC"`},
		{`import "unicode"`, ""},
		{`unicode.IsUpper('A')`, "true"},
		{`spark.Range(0, 10).Count(ctx)`, "10"},
		{`df := spark.Range(0, 10).Filter(spark.Col("id").Gt(6))`, ""},
		{`df`, "DataFrame[id: bigint]"},
		{`df.Collect(ctx)`, "[[7] [8] [9]]"},
		{`q, err := spark.SQL(ctx, "select sum(id) as total from range(5)")`, ""},
		{`err == nil`, "true"},
		{`q.Collect(ctx)`, "[[10]]"},
		{`df.GroupBy(spark.Col("id").Mod(spark.Lit(2)).As("odd")).Agg(functions.Count(spark.Col("id")).As("n")).OrderBy(spark.Col("odd")).Collect(ctx)`, "[0,1]"},
		{`type word struct { Text string; Length int }`, ""},
		{`spark.CreateDataFrame([]word{{"a", 1}, {"bcd", 3}})`, "DataFrame[text: string, length: bigint]"},
		{`sc.DefaultParallelism()`, "2"},
		{`session.Version()`, "4.2.0"},
		{`words := spark.FlatMap(sc.TextFile("` + text + `"), strings.Fields)`, ""},
		{`counts := spark.ReduceByKey(spark.Map(words, func(w string) (string, int) { return w, 1 }), func(a, b int) int { return a + b })`, ""},
		{`spark.SortByKey(counts, true).Collect(ctx)`, "[{and 1} {rain 1} {sun 1} {the 3} {wind 1}]"},
		{`spark.SortBy(counts, func(p spark.Pair) int { return p.Value.(int) }, false).First(ctx)`, "{the 3}"},
		{`numbers := spark.Parallelize(sc, []int{5, 3, 9, 1})`, ""},
		{`numbers`, "RDD["},
		{`numbers.Filter(func(i int) bool { return i > x - 17 }).Count(ctx)`, "2"},
		{`numbers.Reduce(ctx, func(a, b int) int { return a + b })`, "18"},
		{`numbers.TakeOrdered(ctx, 2, func(a, b int) int { return b - a })`, "[9 5]"},
		{`spark.CountByValue(ctx, spark.Map(numbers, func(i int) bool { return i > 4 }))`, "map[false:2 true:2]"},
		{`spark.Distinct(spark.Map(sc.Range(0, 10, 1), func(i int64) int64 { return i % 3 })).Count(ctx)`, "3"},
		{`spark.Join(counts, spark.Parallelize(sc, []spark.Pair{spark.PairOf("sun", "yellow")})).Collect(ctx)`, "[{sun {1 yellow}}]"},
		{`spark.GroupBy(numbers, func(i int) bool { return i > 4 }).Count(ctx)`, "2"},
		{`spark.Union(numbers, numbers).Count(ctx)`, "8"},
		{`spark.MapValues(counts, func(n int) string { return strconv.Itoa(n) + " times" }).Filter(func(p spark.Pair) bool { return p.Key == "the" }).First(ctx)`, "{the 3 times}"},
		{`spark.Values(spark.KeyBy(numbers, func(i int) int { return -i })).Count(ctx)`, "4"},
	} {
		out.Reset()
		if err := sh.Run(t.Context(), c.text); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := strings.TrimSpace(out.String()); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s prints\n%s\nwant\n%s", c.text, got, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	sh, out := typed(t)
	for _, c := range []struct{ text, want string }{
		{`nowhere`, "undefined: nowhere"},
		{`spark.Nothing()`, "has no symbol Nothing"},
		{`func broken( {`, "expected"},
		{`import "no/such"`, "no/such"},
		{`panic("on purpose")`, "panic: on purpose"},
		{`panic(errors.New("an error"))`, "an error"},
		{`[]int{}[len(os.Args) + 3]`, "out of range"},
		{`spark.Map(5, func(i int) int { return i })`, "a int is no RDD"},
		{`spark.Map(sc.TextFile("x"), 7)`, "takes a function of 1 arguments"},
		{`os.Exit(3)`, "exit status 3"},
	} {
		out.Reset()
		if err := sh.Run(t.Context(), c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, and prints %s", c.text, err, out)
		}
	}
	for _, c := range []struct{ text, want string }{
		{`spark.SQL(ctx, "select nope")`, "error: [UNRESOLVED_COLUMN"},
		{`spark.Map(spark.Parallelize(sc, []string{"a"}), func(i int) int { return i }).Collect(ctx)`, "the function takes a int, and the record is a string"},
		{`spark.Keys(spark.Parallelize(sc, []string{"a"})).Collect(ctx)`, "the record is no pair"},
		{`1 + 1`, "2"}, // and goes on
	} {
		out.Reset()
		if err := sh.Run(t.Context(), c.text); err != nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %v, and prints %s", c.text, err, out)
		}
	}
	var exit *ExitError
	if err := sh.Run(t.Context(), `os.Exit(4)`); !errors.As(err, &exit) || exit.Code != 4 {
		t.Error(err)
	}
}

// TestInterrupt: what runs ends with the context, a loop as well as a query, and the next line is as good as ever.
func TestInterrupt(t *testing.T) {
	sh, out := typed(t)
	for _, text := range []string{`for i := 0; ; i++ { x := i; _ = x }`, `spark.Range(0, 10000000000000).SelectExpr("sum(id % 7)").Collect(ctx)`} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := sh.Run(ctx, text)
		if err == nil && !strings.Contains(out.String(), "error:") {
			t.Errorf("%s goes on: %v %s", text, err, out)
		}
		cancel()
		out.Reset()
		if err := sh.Run(t.Context(), `spark.Range(0, 3).Count(ctx)`); err != nil || strings.TrimSpace(out.String()) != "3" {
			t.Errorf("after %s: %v %s", text, err, out)
		}
	}
}

func TestComplete(t *testing.T) {
	for text, want := range map[string]bool{
		"1 + 2": true, "": true, "f(1,": false, "f(1,\n2)": true, "func f() {": false, "func f() {\n}": true, "x :=": false, "x := 1 +": false,
		"s := `a": false, "s := `a\nb`": true, "a.": false, "/* open": false, "// note": true, "x // note": true, "spark.Range(0, 3).": false,
		"spark.Range(0, 3).\n\tCount(ctx)": true, "if x {\n}": true, "if x {\n} else {": false, "f)": true, "x := \"abc": true, "func f() {\n\n": true, "return": true, "import (": false,
	} {
		if got := Complete(text); got != want {
			t.Errorf("Complete(%q) is %v", text, got)
		}
	}
}

// TestNames: what programs may use of package spark is what it has.
func TestNames(t *testing.T) {
	names := tables[sparkPath+"/spark"]()
	for _, n := range strings.Fields("Col Lit Expr DataFrame Row MemoryOnly NewSparkConf SparkContext Builder") {
		if !names[n].IsValid() {
			t.Errorf("the table of package spark lacks %s: run go generate", n)
		}
	}
}
