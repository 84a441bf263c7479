package spark_test

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/firesteel/firesteel/spark"
)

func context2(t testing.TB, settings ...string) *spark.SparkContext {
	return local(t, settings...).SparkContext()
}

func collected[T any](t testing.TB, r *spark.RDD[T]) []T {
	t.Helper()
	return must[[]T](t)(r.Collect(t.Context()))
}

// sorted collects an RDD whose order does not matter.
func sorted[T any](t testing.TB, r *spark.RDD[T], compare func(a, b T) int) []T {
	t.Helper()
	out := collected(t, r)
	slices.SortFunc(out, compare)
	return out
}

func equal[T any](t testing.TB, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func byKey[K cmp.Ordered, V any](a, b spark.Pair[K, V]) int { return cmp.Compare(a.Key, b.Key) }

func add(a, b int) int                     { return a + b }
func one(w string) spark.Pair[string, int] { return spark.PairOf(w, 1) }

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

const poem = "the wind the rain\nand the sun\n\nrain again\r\nthe end"

var poemCounts = map[string]int{"the": 4, "wind": 1, "rain": 2, "and": 1, "sun": 1, "again": 1, "end": 1}

func TestWordCount(t *testing.T) {
	sc := context2(t)
	path := writeFile(t, filepath.Join(t.TempDir(), "poem.txt"), poem)
	for _, parts := range []int{1, 2, 7, 100} {
		counts := spark.ReduceByKey(spark.Map(spark.FlatMap(sc.TextFile(path, parts), strings.Fields), one), add, 3)
		equal(t, must[map[string]int](t)(spark.CollectAsMap(t.Context(), counts)), poemCounts)
		equal(t, must[int](t)(counts.NumPartitions(t.Context())), 3)
	}
}

// TestReduceBeyondMemory has maps bigger than the memory that they may take.
func TestReduceBeyondMemory(t *testing.T) {
	sc := context2(t, "spark.driver.memory", "16m")
	const n = 150_000
	pairs := spark.Map(sc.Range(0, 2*n, 1, 4), func(i int64) spark.Pair[string, int64] {
		return spark.PairOf(fmt.Sprintf("a key that is not too short %d", i%n), i)
	})
	sums := spark.ReduceByKey(pairs, func(a, b int64) int64 { return a + b }, 2)
	wrong := sums.Filter(func(p spark.Pair[string, int64]) bool {
		var k int64
		_, err := fmt.Sscanf(p.Key, "a key that is not too short %d", &k)
		return err != nil || p.Value != 2*k+n
	})
	equal(t, must[int64](t)(wrong.Count(t.Context())), 0)
	equal(t, must[int64](t)(sums.Count(t.Context())), n)
}

func TestNarrow(t *testing.T) {
	sc := context2(t)
	r := spark.Parallelize(sc, numbers(10), 3)
	equal(t, collected(t, spark.Glom(r)), [][]int{{0, 1, 2}, {3, 4, 5}, {6, 7, 8, 9}})
	equal(t, collected(t, r.Filter(func(i int) bool { return i%2 == 1 })), []int{1, 3, 5, 7, 9})
	equal(t, collected(t, spark.FlatMap(r, func(i int) []int { return make([]int, i%2) })), make([]int, 5))
	equal(t, collected(t, r.Union(spark.Parallelize(sc, []int{7}))), append(numbers(10), 7))
	equal(t, collected(t, spark.Glom(r.Coalesce(2))), [][]int{{0, 1, 2}, {3, 4, 5, 6, 7, 8, 9}})
	sums := spark.MapPartitions(r, func(_ *spark.TaskContext, in iter.Seq[int]) iter.Seq[int] {
		sum := 0
		for v := range in {
			sum += v
		}
		return slices.Values([]int{sum})
	})
	equal(t, collected(t, sums), []int{3, 12, 30})
	equal(t, collected(t, sc.Range(10, 0, -3, 2)), []int64{10, 7, 4, 1})
	equal(t, collected(t, spark.EmptyRDD[string](sc)), nil)
	equal(t, collected(t, spark.Zip(r, spark.Map(r, func(i int) string { return fmt.Sprint(i) })))[9], spark.PairOf(9, "9"))
	equal(t, collected(t, spark.ZipWithIndex(r.Filter(func(i int) bool { return i > 6 }))),
		[]spark.Pair[int, int64]{{7, 0}, {8, 1}, {9, 2}})
	equal(t, must[int64](t)(spark.Cartesian(r, r).Count(t.Context())), 100)
	part := collected(t, r.Sample(false, 0.5, 42))
	equal(t, collected(t, r.Sample(false, 0.5, 42)), part)
	if len(part) == 0 || len(part) == 10 {
		t.Errorf("a sample of half of 10 has %d", len(part))
	}
}

func TestActions(t *testing.T) {
	sc, ctx := context2(t), t.Context()
	r := spark.Parallelize(sc, numbers(100), 8)
	equal(t, must[int64](t)(r.Count(ctx)), 100)
	equal(t, must[[]int](t)(r.Take(ctx, 30)), numbers(30))
	equal(t, must[[]int](t)(r.Take(ctx, 1000)), numbers(100))
	equal(t, must[int](t)(r.First(ctx)), 0)
	equal(t, must[int](t)(r.Reduce(ctx, add)), 4950)
	equal(t, must[int](t)(r.Fold(ctx, 0, add)), 4950)
	equal(t, must[string](t)(spark.Aggregate(ctx, r.Filter(func(i int) bool { return i < 3 }), "",
		func(s string, i int) string { return s + fmt.Sprint(i) }, func(a, b string) string { return a + b })), "012")
	equal(t, must[int](t)(spark.Sum(ctx, r)), 4950)
	equal(t, must[[]int](t)(r.TakeOrdered(ctx, 3, func(a, b int) int { return b - a })), []int{99, 98, 97})
	equal(t, must[map[int]int64](t)(spark.CountByValue(ctx, spark.Map(r, func(i int) int { return i % 2 }))), map[int]int64{0: 50, 1: 50})
	equal(t, must[bool](t)(r.IsEmpty(ctx)), false)
	equal(t, must[bool](t)(spark.EmptyRDD[int](sc).IsEmpty(ctx)), true)
	if _, err := spark.EmptyRDD[int](sc).Reduce(ctx, add); err == nil || !strings.Contains(err.Error(), "empty collection") {
		t.Errorf("reduce of nothing: %v", err)
	}
	var seen []int
	for v, err := range r.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, v); v == 40 {
			break
		}
	}
	equal(t, seen, numbers(41))
}

func TestPairs(t *testing.T) {
	sc := context2(t)
	type P = spark.Pair[string, int]
	l := spark.Parallelize(sc, []P{{"a", 1}, {"b", 2}, {"a", 3}})
	r := spark.Parallelize(sc, []spark.Pair[string, string]{{"a", "x"}, {"c", "y"}})
	equal(t, sorted(t, spark.Map(spark.Join(l, r), func(p spark.Pair[string, spark.Two[int, string]]) string { return fmt.Sprint(p) }), strings.Compare),
		[]string{"{a {1 x}}", "{a {3 x}}"})
	equal(t, sorted(t, spark.Map(spark.LeftOuterJoin(l, r), func(p spark.Pair[string, spark.Two[int, spark.Optional[string]]]) string {
		return fmt.Sprint(p.Key, p.Value.First, p.Value.Second.Valid)
	}), strings.Compare), []string{"a1 true", "a3 true", "b2 false"})
	equal(t, sorted(t, spark.Keys(spark.RightOuterJoin(l, r)), strings.Compare), []string{"a", "a", "c"})
	equal(t, sorted(t, spark.Keys(spark.FullOuterJoin(l, r)), strings.Compare), []string{"a", "a", "b", "c"})
	equal(t, collected(t, spark.SubtractByKey(l, r)), []P{{"b", 2}})
	a, b := spark.Parallelize(sc, []int{1, 2, 2, 3}), spark.Parallelize(sc, []int{2, 3, 3, 4})
	equal(t, sorted(t, spark.Intersection(a, b), cmp.Compare[int]), []int{2, 3})
	equal(t, sorted(t, spark.Subtract(a, b), cmp.Compare[int]), []int{1})
	equal(t, sorted(t, spark.Distinct(a), cmp.Compare[int]), []int{1, 2, 3})
	groups := spark.MapValues(spark.GroupByKey(l), func(v []int) int { return len(v) })
	equal(t, sorted(t, groups, byKey[string, int]), []P{{"a", 2}, {"b", 1}})
	means := spark.AggregateByKey(l, spark.Two[int, int]{}, func(s spark.Two[int, int], v int) spark.Two[int, int] {
		return spark.Two[int, int]{First: s.First + v, Second: s.Second + 1}
	}, func(a, b spark.Two[int, int]) spark.Two[int, int] {
		return spark.Two[int, int]{First: a.First + b.First, Second: a.Second + b.Second}
	})
	equal(t, must[map[string]spark.Two[int, int]](t)(spark.CollectAsMap(t.Context(), means)), map[string]spark.Two[int, int]{"a": {First: 4, Second: 2}, "b": {First: 2, Second: 1}})
	equal(t, must[[]int](t)(spark.Lookup(t.Context(), spark.ReduceByKey(l, add), "a")), []int{4})
	equal(t, must[map[string]int64](t)(spark.CountByKey(t.Context(), l)), map[string]int64{"a": 2, "b": 1})
}

// TestKnownSpread: what lies by its keys already is not shuffled again.
func TestKnownSpread(t *testing.T) {
	sc := context2(t)
	l := spark.ReduceByKey(spark.Parallelize(sc, []spark.Pair[int, int]{{1, 1}, {2, 2}, {1, 5}}), add, 3)
	j := spark.Join(l, spark.MapValues(l, func(v int) int { return -v }))
	text := must[string](t)(j.ToDebugString(t.Context()))
	if n := strings.Count(text, "+-"); n != 2 { // the same shuffle, twice
		t.Errorf("%d shuffles in\n%s", n, text)
	}
	equal(t, sorted(t, j, byKey[int, spark.Two[int, int]]), []spark.Pair[int, spark.Two[int, int]]{{1, spark.Two[int, int]{First: 6, Second: -6}}, {2, spark.Two[int, int]{First: 2, Second: -2}}})
}

func TestSort(t *testing.T) {
	sc := context2(t)
	data := make([]spark.Pair[int, string], 5000)
	for i := range data {
		k := i * 7919 % 5000
		data[i] = spark.PairOf(k, fmt.Sprint(k))
	}
	r := spark.SortByKey(spark.Parallelize(sc, data, 5), true, 4)
	got := collected(t, r)
	for i, p := range got {
		if p.Key != i || p.Value != fmt.Sprint(i) {
			t.Fatalf("record %d is %v", i, p)
		}
	}
	parts := collected(t, spark.Glom(r))
	if len(parts) != 4 || slices.ContainsFunc(parts, func(p []spark.Pair[int, string]) bool { return len(p) < 500 }) {
		t.Errorf("the parts are uneven: %d", len(parts))
	}
	equal(t, collected(t, spark.SortBy(spark.Parallelize(sc, []string{"ccc", "a", "bb"}, 2), func(s string) int { return len(s) }, false)), []string{"ccc", "bb", "a"})
	floats := collected(t, spark.SortBy(spark.Parallelize(sc, []float64{2, math.NaN(), -1}), func(f float64) float64 { return f }, true))
	equal(t, fmt.Sprint(floats), "[NaN -1 2]")
}

func TestPersist(t *testing.T) {
	for _, level := range []spark.StorageLevel{spark.MemoryOnly, spark.MemoryAndDisk, spark.DiskOnly, spark.OffHeap, spark.MemoryAndDiskSer2, spark.DiskOnly3} {
		sc, ctx := context2(t), t.Context()
		runs := sc.LongAccumulator("computed")
		r := spark.MapWith(spark.Parallelize(sc, numbers(1000), 4), runs, func(tc *spark.TaskContext, i int, runs *spark.Accumulator[int64]) string {
			runs.Add(tc, 1)
			return fmt.Sprint(i)
		}).Persist(level)
		first := collected(t, r)
		equal(t, must[[]string](t)(r.Take(ctx, 3)), first[:3])
		equal(t, collected(t, r), first)
		equal(t, runs.Value(), 1000)
		equal(t, r.StorageLevel(), level)
		if err := r.Unpersist(); err != nil {
			t.Fatal(err)
		}
		equal(t, collected(t, r), first)
		equal(t, runs.Value(), 2000)
	}
}

func TestCheckpoint(t *testing.T) {
	sc := context2(t)
	r := spark.Map(spark.Parallelize(sc, numbers(100), 4), func(i int) string { return fmt.Sprint(i) })
	if err := r.Checkpoint(t.Context()); err == nil {
		t.Error("a checkpoint without a folder")
	}
	want := collected(t, r)
	sc.SetCheckpointDir(t.TempDir())
	if err := r.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, collected(t, r), want)
	equal(t, r.IsCheckpointed(), true)
}

func TestFiles(t *testing.T) {
	sc, ctx, dir := context2(t), t.Context(), t.TempDir()
	out := filepath.Join(dir, "out")
	if err := spark.Parallelize(sc, numbers(10), 3).SaveAsTextFile(ctx, out); err != nil {
		t.Fatal(err)
	}
	names := must[[]string](t)(filepath.Glob(out + "/*"))
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	equal(t, names, []string{"_SUCCESS", "part-00000", "part-00001", "part-00002"})
	equal(t, strings.Join(collected(t, sc.TextFile(out)), ""), "0123456789")
	equal(t, strings.Join(collected(t, sc.TextFile(out+"/part-0000[12]")), ""), "3456789")
	err := spark.Parallelize(sc, numbers(1)).SaveAsTextFile(ctx, out)
	if !errors.Is(err, os.ErrExist) {
		t.Errorf("saving over a folder: %v", err)
	}
	if _, err := sc.TextFile(dir + "/none").Count(ctx); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "Input path does not exist") {
		t.Errorf("no such file: %v", err)
	}
	f := must[*os.File](t)(os.Create(dir + "/poem.gz"))
	z := gzip.NewWriter(f)
	_, werr := z.Write([]byte(poem))
	if err := errors.Join(werr, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	equal(t, collected(t, sc.TextFile(dir+"/poem.gz")), []string{"the wind the rain", "and the sun", "", "rain again", "the end"})
	whole := collected(t, sc.WholeTextFiles(dir+"/poem.gz"))
	if len(whole) != 1 || whole[0].Value != poem {
		t.Errorf("whole files: %v", whole)
	}
}

func TestShared(t *testing.T) {
	sc, ctx := context2(t), t.Context()
	type args struct {
		Names *spark.Broadcast[map[int]string]
		Seen  *spark.Accumulator[int64]
		Least int
	}
	names := must[*spark.Broadcast[map[int]string]](t)(spark.NewBroadcast(sc, map[int]string{1: "one", 2: "two"}))
	a := args{names, sc.LongAccumulator("seen"), 2}
	r := spark.MapWith(spark.Parallelize(sc, []int{1, 2, 3}), a, func(tc *spark.TaskContext, i int, a args) string {
		if i >= a.Least {
			a.Seen.Add(tc, 1)
		}
		return a.Names.Value()[i]
	})
	equal(t, collected(t, r), []string{"one", "two", ""})
	equal(t, a.Seen.Value(), 2)
	names.Destroy(sc)
	if _, err := r.Collect(ctx); err == nil || !strings.Contains(err.Error(), "was destroyed") {
		t.Errorf("a destroyed broadcast: %v", err)
	}
}

var errOdd = errors.New("an odd one")

func TestFailures(t *testing.T) {
	sc, ctx := context2(t), t.Context()
	r := spark.Map(spark.Parallelize(sc, numbers(4), 2), func(i int) int {
		if i == 3 {
			panic(errOdd)
		}
		return i
	})
	var f *spark.FunctionError
	if _, err := r.Collect(ctx); !errors.Is(err, errOdd) || !errors.As(err, &f) {
		t.Errorf("a panic: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.Count(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled action: %v", err)
	}
	if _, err := spark.Map(spark.Parallelize(sc, numbers(4), 0), func(i int) int { return i }).Count(ctx); err == nil {
		t.Error("an RDD without partitions")
	}
	chans := spark.Map(spark.Parallelize(sc, numbers(2)), func(int) spark.Pair[int, chan int] { return spark.Pair[int, chan int]{} })
	if _, err := spark.GroupByKey(chans).Count(ctx); err == nil || !strings.Contains(err.Error(), "chan") {
		t.Errorf("records that cannot be encoded: %v", err)
	}
}

// TestRetries: local[N,F] lets a task fail F-1 times; what failed attempts added to accumulators does not count.
func TestRetries(t *testing.T) {
	for _, fails := range []int32{2, 3} {
		sc := on(t, "local[2,3]").SparkContext()
		var failed atomic.Int32
		seen := sc.LongAccumulator("seen")
		r := spark.MapWith(spark.Parallelize(sc, numbers(4), 2), seen, func(tc *spark.TaskContext, i int, seen *spark.Accumulator[int64]) int {
			seen.Add(tc, 1)
			if i == 3 && failed.Add(1) <= fails {
				panic(errOdd)
			}
			return i
		})
		got, err := r.Collect(t.Context())
		if fails == 3 {
			if !errors.Is(err, errOdd) {
				t.Errorf("three failures: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, numbers(4))
		equal(t, seen.Value(), 4)
	}
}
