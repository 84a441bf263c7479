package spark_test

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/spark"
)

// The functions of these tests run in executors: processes of the test's binary.

func onExecutors(t *testing.T) *spark.SparkContext {
	if testing.Short() {
		t.Skip("it starts processes")
	}
	return on(t, "local-cluster[2,1,512]").SparkContext()
}

func double(i int) int      { return 2 * i }
func isOdd(i int) bool      { return i%2 == 1 }
func modulo7(i int) int     { return i % 7 }
func identity(i int) int    { return i }
func length(v []int) int    { return len(v) }
func text(i int) string     { return fmt.Sprintf("record %06d", i) }
func reversed(a, b int) int { return b - a }

func TestClusterOperations(t *testing.T) {
	sc, ctx := onExecutors(t), t.Context()
	r := spark.Parallelize(sc, numbers(1000), 5)
	equal(t, must[int](t)(spark.Map(r.Filter(isOdd), double).Reduce(ctx, add)), 500_000)
	groups := spark.MapValues(spark.GroupBy(r, modulo7, 3), length)
	equal(t, must[map[int]int](t)(spark.CollectAsMap(ctx, groups)), map[int]int{0: 143, 1: 143, 2: 143, 3: 143, 4: 143, 5: 143, 6: 142})
	// A literal that captures nothing travels too.
	pairs := spark.Map(r, func(i int) spark.Pair[int, string] { return spark.PairOf(i%10, fmt.Sprint(i)) })
	joined := spark.Join(pairs, spark.Parallelize(sc, []spark.Pair[int, bool]{{3, true}}), 4)
	equal(t, must[int64](t)(joined.Count(ctx)), 100)
	equal(t, collected(t, spark.SortBy(spark.Map(r, identity), func(i int) int { return -i }, true, 3))[:3], []int{999, 998, 997})
	equal(t, must[[]int](t)(r.TakeOrdered(ctx, 2, reversed)), []int{999, 998})
	equal(t, sorted(t, spark.Distinct(spark.Map(r, modulo7)), cmp.Compare[int]), numbers(7))
	equal(t, must[int](t)(spark.Aggregate(ctx, r, 0, add, add)), 499_500)
	means := spark.MapPartitions(r, func(tc *spark.TaskContext, in iter.Seq[int]) iter.Seq[string] {
		return slices.Values([]string{fmt.Sprint(tc.PartitionID(), len(slices.Collect(in)), tc.ExecutorID() != "driver")})
	})
	equal(t, collected(t, means), []string{"0 200 true", "1 200 true", "2 200 true", "3 200 true", "4 200 true"})
}

// TestClusterBigResults: results that are too big to travel with the report of their task.
func TestClusterBigResults(t *testing.T) {
	sc := onExecutors(t)
	got := collected(t, spark.Map(spark.Parallelize(sc, numbers(300_000), 2), text))
	for i, s := range got {
		if s != text(i) {
			t.Fatalf("record %d is %q", i, s)
		}
	}
	equal(t, len(got), 300_000)
}

type clusterArgs struct {
	Names *spark.Broadcast[map[int]string]
	Seen  *spark.Accumulator[int64]
	Least int
}

func named(tc *spark.TaskContext, i int, a clusterArgs) string {
	if i >= a.Least {
		a.Seen.Add(tc, 1)
	}
	return a.Names.Value()[i]
}

func TestClusterShared(t *testing.T) {
	sc := onExecutors(t)
	names := must[*spark.Broadcast[map[int]string]](t)(spark.NewBroadcast(sc, map[int]string{1: "one", 2: "two"}))
	a := clusterArgs{names, sc.LongAccumulator("seen"), 2}
	equal(t, collected(t, spark.MapWith(spark.Parallelize(sc, []int{1, 2, 3}, 3), a, named)), []string{"one", "two", ""})
	equal(t, a.Seen.Value(), 2)
}

func counted(tc *spark.TaskContext, i int, runs *spark.Accumulator[int64]) string {
	runs.Add(tc, 1)
	return text(i)
}

func TestClusterPersist(t *testing.T) {
	sc := onExecutors(t)
	for _, level := range []spark.StorageLevel{spark.MemoryOnly, spark.MemoryAndDisk, spark.DiskOnly, spark.OffHeap, spark.MemoryAndDiskSer2, spark.DiskOnly3} {
		runs := sc.LongAccumulator("computed")
		r := spark.MapWith(spark.Parallelize(sc, numbers(20_000), 4), runs, counted).Persist(level)
		first := collected(t, r)
		equal(t, len(first), 20_000)
		for range 3 {
			equal(t, must[int64](t)(r.Count(t.Context())), 20_000)
			equal(t, collected(t, r), first)
		}
		equal(t, runs.Value(), 20_000)
		if err := r.Unpersist(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClusterFiles(t *testing.T) {
	sc, out := onExecutors(t), t.TempDir()+"/out"
	if err := spark.Map(spark.Parallelize(sc, numbers(100), 3), text).SaveAsTextFile(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	lines := collected(t, sc.TextFile(out))
	equal(t, len(lines), 100)
	equal(t, lines[99], text(99))
	sc.SetCheckpointDir(t.TempDir())
	r := spark.Map(sc.TextFile(out), strings.ToUpper)
	if err := r.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, collected(t, r)[99], strings.ToUpper(text(99)))
}

func failing(i int) int {
	if i == 3 {
		panic(fmt.Errorf("record %d is bad", i))
	}
	return i
}

func TestClusterRefusals(t *testing.T) {
	sc, ctx := onExecutors(t), t.Context()
	r := spark.Parallelize(sc, numbers(4), 2)
	least := len(t.Name())
	_, err := r.Filter(func(i int) bool { return i > least }).Count(ctx)
	var c *spark.ClosureError
	if !errors.As(err, &c) || !strings.Contains(c.Name, "TestClusterRefusals") {
		t.Errorf("a closure: %v", err)
	}
	if _, err := spark.Map(r, failing).Count(ctx); err == nil || !strings.Contains(err.Error(), "record 3 is bad") {
		t.Errorf("a panic: %v", err)
	}
	equal(t, must[int64](t)(r.Count(ctx)), 4) // the executors live on
}
