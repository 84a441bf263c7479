package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/logical"
)

// readPlan runs an unresolved plan.
func readPlan(t *testing.T, s *Session, p logical.Plan) (out []string) {
	t.Helper()
	q, err := s.Prepare(t.Context(), p)
	if err == nil {
		err = q.Run(t.Context(), func(b *columnar.Batch) error {
			for i := range b.N {
				var row []string
				for c := range b.Cols {
					row = append(row, fmt.Sprint(b.Cols[c].ValueAt(i)))
				}
				out = append(out, strings.Join(row, "|"))
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Checkpoints keep the rows as they were, whatever becomes of the files that they came from and of the cache.
func TestCheckpoints(t *testing.T) {
	for name, executors := range map[string]int{"in this process": 0, "on executors": 2} {
		for _, kind := range []string{"local", "local, later", "reliable"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				var c *fakeCluster
				if executors > 0 {
					c = newFakeCluster(t, executors, 1)
				}
				dir, from := t.TempDir(), filepath.Join(t.TempDir(), "in")
				s := begin(t, c, map[string]string{"spark.checkpoint.dir": dir})
				rows(t, s, "INSERT OVERWRITE DIRECTORY '"+from+"' USING parquet SELECT id, id % 3 k, cast(id AS decimal(10,2)) d FROM range(0, 1000, 1, 4)")
				parsed, err := s.Parse("SELECT k, count(*) AS `k`, sum(d) AS `a name, with marks` FROM parquet.`" + from + "` GROUP BY k")
				if err != nil {
					t.Fatal(err)
				}
				q, err := s.Prepare(t.Context(), parsed)
				if err != nil {
					t.Fatal(err)
				}
				p, forget, err := q.Checkpoint(t.Context(), kind != "reliable", kind != "local, later", "MEMORY_ONLY")
				if err != nil {
					t.Fatal(err)
				}
				want := []string{"0|334|{16683300 0}", "1|333|{16616700 0}", "2|333|{16650000 0}"}
				if kind == "local, later" {
					same(t, "at first", readPlan(t, s, p), want, false)
				}
				rows(t, s, "INSERT OVERWRITE DIRECTORY '"+from+"' USING parquet SELECT 7L id, 7L k, 7.00 d")
				rows(t, s, "CLEAR CACHE")
				same(t, "afterwards", readPlan(t, s, p), want, false)
				join := &logical.SetOp{Kind: logical.Union, All: true, Inputs: []logical.Plan{p, p}}
				if got := readPlan(t, s, join); len(got) != 6 {
					t.Errorf("rows %v", got)
				}
				again, err := s.Prepare(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				if got := names(again); got != names(q) {
					t.Errorf("schema %s, not %s", got, names(q))
				}
				if err := forget(); err != nil {
					t.Fatal(err)
				}
				if n := s.leftovers(t, c); n > 0 {
					t.Errorf("%d things are left", n)
				}
				if files, _ := os.ReadDir(dir); (len(files) > 0) != (kind == "reliable") {
					t.Errorf("files %v", files)
				}
			})
		}
	}
	s := begin(t, nil, nil)
	parsed, err := s.Parse("SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	q, err := s.Prepare(t.Context(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := q.Checkpoint(t.Context(), false, true, ""); err == nil || !strings.Contains(err.Error(), "Checkpoint directory has not been set in the SparkContext") {
		t.Errorf("error %v", err)
	}
}

// names are the columns of a query with their types.
func names(q *Query) (out string) {
	for _, f := range q.Schema().Fields {
		out += fmt.Sprintf("%s %s, ", f.Name, f.Type)
	}
	return out
}
