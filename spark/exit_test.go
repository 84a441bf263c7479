package spark_test

import (
	"os"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/spark"
)

func exiting(i int) int {
	if i == 3 {
		os.Exit(0)
	}
	return i
}

// A task that ends its executor, with whatever status, has failed; after four times the job ends, and says how.
func TestExitingTask(t *testing.T) {
	sc := onExecutors(t)
	_, err := spark.Map(spark.Parallelize(sc, numbers(4), 4), exiting).Collect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "failed 4 times") || !strings.Contains(err.Error(), "exited with status 0") {
		t.Errorf("the job ended with %v", err)
	}
	got, err := spark.Map(spark.Parallelize(sc, numbers(3), 3), exiting).Collect(t.Context()) // other executors have come
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, numbers(3))
}
