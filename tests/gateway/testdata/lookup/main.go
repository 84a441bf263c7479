// Command lookup reads in its tasks what was sent along with it, and prints who read what: by the task's door, and from the folder that
// the executor runs in.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/spark"
)

func main() { spark.Main(run) }

func run(ctx context.Context) error {
	s, err := spark.Builder().GetOrCreate(ctx)
	if err != nil {
		return err
	}
	defer s.Stop(context.WithoutCancel(ctx))
	sc := s.SparkContext()
	names := strings.Split(os.Args[1], ",")
	rows, err := spark.MapWith(spark.Parallelize(sc, []int{0, 1, 2, 3}, 4), names, read).Collect(ctx)
	if err != nil {
		return err
	}
	later := filepath.Join(os.TempDir(), fmt.Sprintf("later-%d.txt", os.Getpid()))
	if err := os.WriteFile(later, []byte("added later"), 0o600); err != nil {
		return err
	}
	defer os.Remove(later)
	if err := sc.AddFile(ctx, later+"#later"); err != nil {
		return err
	}
	more, err := spark.MapWith(spark.Parallelize(sc, []int{0, 1, 2, 3}, 4), []string{"later"}, read).Collect(ctx)
	for _, row := range append(rows, more...) {
		fmt.Println(row)
	}
	for _, name := range append(names, "later") {
		b, err := os.ReadFile(sc.File(name))
		if err != nil {
			return err
		}
		fmt.Printf("driver %s=%s\n", name, b)
	}
	fmt.Fprintln(os.Stderr, "lookup has read all")
	return err
}

// read gives what is in files of the application.
func read(tc *spark.TaskContext, _ int, names []string) string {
	where := "executor"
	if tc.ExecutorID() == "driver" {
		where = "here"
	}
	out := []string{where}
	for _, name := range names {
		b, err := os.ReadFile(tc.File(name))
		if err != nil {
			tc.Fail(err)
		}
		if direct, err := os.ReadFile(name); where == "executor" && (err != nil || string(direct) != string(b)) {
			tc.Fail(fmt.Errorf("in the working folder %s is %q, %v", name, direct, err))
		}
		out = append(out, fmt.Sprintf("%s=%s", name, b))
	}
	return strings.Join(out, " ")
}
