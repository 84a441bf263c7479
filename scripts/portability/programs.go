// Command portability is the Go twin of programs.py: TPC-H Q3 and Q9 by SQL, and a word count of cached text by RDDs, whose
// functions run in this program on the executors.
//
//	portability FOLDER_WITH_TPCH [SECONDS [PROGRAM ...]] [--to FILE]
//
// Its lines are those of programs.py. One more program, files, is run when it is named: its tasks read what was sent along by
// --files (names.txt) and --archives (env, with inner.txt in it).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/spark"
)

const q3 = `select l_orderkey, sum(l_extendedprice * (1 - l_discount)) revenue, o_orderdate, o_shippriority
from customer, orders, lineitem
where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey
  and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10`

const q9 = `select nation, o_year, sum(amount) sum_profit from (
  select n_name nation, extract(year from o_orderdate) o_year,
         l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity amount
  from part, supplier, lineitem, partsupp, orders, nation
  where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey and p_partkey = l_partkey
    and o_orderkey = l_orderkey and s_nationkey = n_nationkey and p_name like '%green%') profit
group by nation, o_year order by nation, o_year desc`

func main() { spark.Main(run) }

// options are the arguments.
type options struct {
	folder   string
	seconds  float64
	programs []string
	to       string
}

func readArguments(args []string) (o options, err error) {
	if at := slices.Index(args, "--to"); at >= 0 {
		if at+1 >= len(args) {
			return o, errors.New("--to needs a file")
		}
		o.to = args[at+1]
		args = slices.Delete(slices.Clone(args), at, at+2)
	}
	if len(args) == 0 {
		return o, errors.New("usage: portability FOLDER_WITH_TPCH [SECONDS [PROGRAM ...]] [--to FILE]")
	}
	o.folder, o.programs = args[0], []string{"q3", "q9", "wordcount"}
	if len(args) > 1 {
		o.seconds, err = strconv.ParseFloat(args[1], 64)
	}
	if len(args) > 2 {
		o.programs = args[2:]
	}
	return o, err
}

func run(ctx context.Context) error {
	o, err := readArguments(os.Args[1:])
	if err != nil {
		return err
	}
	out := io.Writer(os.Stdout)
	if o.to != "" {
		f, err := os.OpenFile(o.to, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		out = io.MultiWriter(os.Stdout, f)
	}
	s, err := spark.Builder().GetOrCreate(ctx)
	if err != nil {
		return err
	}
	defer s.Stop(ctx)
	for _, t := range []string{"customer", "orders", "lineitem", "part", "partsupp", "supplier", "nation"} {
		// A table is a file or a folder of files.
		if err := s.Read().Parquet(o.folder + "/" + t + "*").CreateOrReplaceTempView(t); err != nil {
			return err
		}
	}
	return runAll(ctx, s, o, out)
}

// runAll runs the programs; the first one uses up the time. One that fails does not keep the others.
func runAll(ctx context.Context, s *spark.Session, o options, out io.Writer) error {
	known := map[string]func(context.Context, *spark.Session) (string, error){
		"q3":        func(ctx context.Context, s *spark.Session) (string, error) { return query(ctx, s, q3) },
		"q9":        func(ctx context.Context, s *spark.Session) (string, error) { return query(ctx, s, q9) },
		"wordcount": wordCount,
		"files":     files,
	}
	until := time.Now().Add(time.Duration(o.seconds * float64(time.Second)))
	failed := false
	for _, name := range o.programs {
		f := known[name]
		if f == nil {
			return fmt.Errorf("there is no program %q", name)
		}
		for once := true; once || time.Now().Before(until); once = false {
			value, err := f(ctx, s)
			if err != nil {
				failed = true
				line, _, _ := strings.Cut(err.Error(), "\n")
				fmt.Fprintln(out, "FAILED", name, line)
				continue
			}
			fmt.Fprintln(out, "RESULT", name, value)
		}
	}
	if failed {
		return errors.New("a program failed")
	}
	return nil
}

func query(ctx context.Context, s *spark.Session, text string) (string, error) {
	d, err := s.SQL(ctx, text)
	if err != nil {
		return "", err
	}
	rows, err := d.Collect(ctx)
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Trim(r.String(), "[]")
	}
	return strings.Join(lines, ";"), err
}

// partitions of the text.
const partitions = 8

func wordCount(ctx context.Context, s *spark.Session) (string, error) {
	rows, err := s.Table("orders").Select(spark.Col("o_comment")).Collect(ctx)
	if err != nil {
		return "", err
	}
	text := make([]string, len(rows))
	for i, r := range rows {
		if text[i], err = spark.Get[string](r, "o_comment"); err != nil {
			return "", err
		}
	}
	words := spark.FlatMap(spark.Parallelize(s.SparkContext(), text, partitions), split).Cache()
	defer words.Unpersist()
	total, err := words.Count(ctx) // fills the cache
	if err != nil {
		return "", err
	}
	counts := spark.ReduceByKey(spark.Map(words, once), add)
	distinct, err := counts.Count(ctx)
	if err != nil {
		return "", err
	}
	top, err := counts.TakeOrdered(ctx, 20, byCount)
	lines := make([]string, len(top))
	for i, p := range top {
		lines[i] = fmt.Sprintf("%s,%d", p.Key, p.Value)
	}
	return fmt.Sprintf("%d:%d:%s", total, distinct, strings.Join(lines, ";")), err
}

func files(ctx context.Context, s *spark.Session) (string, error) {
	sent := []string{"names.txt", "env/inner.txt"}
	read, err := spark.Distinct(spark.MapWith(spark.Parallelize(s.SparkContext(), make([]int, partitions), partitions), sent, readSent)).Collect(ctx)
	return strings.Join(read, ";"), err
}

// The functions below run on executors.

// readSent reads files by the task's door, and on executors by their names alone.
func readSent(tc *spark.TaskContext, _ int, names []string) string {
	var out []string
	for _, name := range names {
		text, err := os.ReadFile(tc.File(name))
		if tc.ExecutorID() != "driver" {
			here, herr := os.ReadFile(name)
			if err = errors.Join(err, herr); err == nil && string(text) != string(here) {
				err = fmt.Errorf("%s has %q and %q", name, text, here)
			}
		}
		if err != nil {
			tc.Fail(err)
		}
		out = append(out, strings.TrimSpace(string(text)))
	}
	return strings.Join(out, ",")
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
}

func once(word string) spark.Pair[string, int] { return spark.PairOf(word, 1) }

func add(a, b int) int { return a + b }

func byCount(a, b spark.Pair[string, int]) int {
	return cmp.Or(cmp.Compare(b.Value, a.Value), strings.Compare(a.Key, b.Key))
}
