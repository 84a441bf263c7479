package spark_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/spark"
)

// Kept partitions give way to what needs memory: to disk if their level says so, else they are computed again.
func TestPersistYields(t *testing.T) {
	for level, again := range map[spark.StorageLevel]bool{spark.MemoryAndDisk: false, spark.MemoryOnly: true} {
		t.Run(string(level), func(t *testing.T) {
			sc := local(t, "spark.driver.memory", "48m").SparkContext()
			runs := sc.LongAccumulator("computed")
			r := spark.MapWith(spark.Parallelize(sc, numbers(200_000), 8), runs, func(tc *spark.TaskContext, i int, runs *spark.Accumulator[int64]) string {
				runs.Add(tc, 1)
				return fmt.Sprintf("%0100d", i)
			}).Persist(level)
			equal(t, must[int64](t)(r.Count(t.Context())), 200_000)
			sorted := spark.SortBy(spark.Map(spark.Parallelize(sc, numbers(200_000), 8), func(i int) string { return fmt.Sprintf("%0100d", -i) }), func(s string) string { return s }, true)
			equal(t, must[int64](t)(sorted.Count(t.Context())), 200_000)
			equal(t, must[int64](t)(r.Count(t.Context())), 200_000)
			if n := runs.Value(); n < 200_000 || n > 200_000 != again {
				t.Errorf("%d records were computed", n)
			}
			if err := r.Unpersist(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A kept partition whose file is damaged is computed again.
func TestPersistIsDamaged(t *testing.T) {
	dir := t.TempDir()
	sc := local(t, "spark.local.dir", dir).SparkContext()
	runs := sc.LongAccumulator("computed")
	r := spark.MapWith(spark.Parallelize(sc, numbers(10_000), 4), runs, func(tc *spark.TaskContext, i int, runs *spark.Accumulator[int64]) string {
		runs.Add(tc, 1)
		return fmt.Sprintf("record %d", i)
	}).Persist(spark.DiskOnly)
	want := collected(t, r)
	files := localFiles(t, dir)
	if len(files) != 4 {
		t.Fatalf("files %v", files)
	}
	data := must[[]byte](t)(os.ReadFile(files[2]))
	data[len(data)/2] ^= 1
	if err := os.WriteFile(files[2], data, 0o600); err != nil {
		t.Fatal(err)
	}
	equal(t, collected(t, r), want)
	if n := runs.Value(); n <= 10_000 || n > 20_000 {
		t.Errorf("%d records were computed", n)
	}
}

// localFiles are the files below a folder that have something in them.
func localFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil && info.Size() > 0 {
				files = append(files, path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What is kept of RDDs and broadcasts that nobody holds any more goes by itself, on executors, too.
func TestNobodyHoldsIt(t *testing.T) {
	sc := onExecutors(t)
	dir := sc.Conf().Get("spark.local.dir", "")
	use := func() {
		names := must[*spark.Broadcast[map[int]string]](t)(spark.NewBroadcast(sc, map[int]string{1: strings.Repeat("one", 10_000)}))
		a := clusterArgs{names, sc.LongAccumulator("seen"), 2}
		r := spark.MapWith(spark.Parallelize(sc, numbers(3000), 3), a, named).Persist(spark.DiskOnly)
		equal(t, len(collected(t, r)), 3000)
		pairs := spark.ReduceByKey(spark.Map(r, lengthOf), sumOf)
		equal(t, len(collected(t, pairs)), 2)
		if len(localFiles(t, dir)) == 0 {
			t.Error("no files were made")
		}
	}
	use()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		runtime.GC()
		files := localFiles(t, dir)
		if len(files) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("files are left: %v", files)
		}
	}
}

func lengthOf(s string) spark.Pair[int, int] { return spark.Pair[int, int]{Key: len(s), Value: 1} }

func sumOf(a, b int) int { return a + b }

// An RDD that was forgotten can be kept again.
func TestPersistAgain(t *testing.T) {
	sc := onExecutors(t)
	runs := sc.LongAccumulator("computed")
	r := spark.MapWith(spark.Parallelize(sc, numbers(100), 4), runs, counted)
	for i := range 3 {
		r = r.Persist(spark.MemoryAndDisk)
		equal(t, must[int64](t)(r.Count(t.Context())), 100)
		equal(t, must[int64](t)(r.Count(t.Context())), 100)
		equal(t, runs.Value(), int64(100*(i+1)))
		if err := r.Unpersist(); err != nil {
			t.Fatal(err)
		}
	}
}
