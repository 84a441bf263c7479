package session

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// blockFiles are the files of cached rows of this process.
func blockFiles(t *testing.T, a *App) (files []string) {
	t.Helper()
	for _, dir := range a.dirs.All() {
		found, err := filepath.Glob(filepath.Join(dir, "block_*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

const cachedRows = "SELECT id, cast(id AS string) || ' of many rows with a text' s, id % 1000 k FROM range(0, 600000, 1, 8)"

// wantCached are the answers to questions about cachedRows.
func wantCached(t *testing.T, s *Session) {
	t.Helper()
	for q, want := range map[string]string{
		"SELECT count(*), sum(id), min(s), max(k) FROM c":                           "600000|179999700000|0 of many rows with a text|999",
		"SELECT count(*), max(n) FROM (SELECT k, count(*) n FROM c GROUP BY k)":     "1000|600",
		"SELECT s FROM c ORDER BY s DESC LIMIT 1":                                   "99999 of many rows with a text",
		"SELECT count(*) FROM c a JOIN c b ON a.id = b.id WHERE a.k = 7":            "600",
		"SELECT count(*) FROM c WHERE id > (SELECT avg(id) FROM c) AND k = 3":       "300",
		"SELECT count(DISTINCT s) FROM (SELECT s FROM c UNION ALL SELECT s FROM c)": "600000",
	} {
		if got := rows(t, s, q); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, not %s", q, got, want)
		}
	}
}

// Cached rows share the memory with tasks and go to disk for them; all levels give the same rows; nothing is left after UNCACHE.
func TestCacheYields(t *testing.T) {
	for _, level := range []string{"MEMORY_AND_DISK", "DISK_ONLY_3", "MEMORY_ONLY_SER_2", "OFF_HEAP"} {
		if level == "MEMORY_ONLY_SER_2" && os.Getenv("FIRESTEEL_DEEP") == "" {
			break // the others go the same way
		}
		t.Run(level, func(t *testing.T) {
			s := begin(t, nil, map[string]string{"spark.driver.memory": "80m"})
			rows(t, s, "CREATE TEMPORARY VIEW c AS "+cachedRows)
			rows(t, s, fmt.Sprintf("CACHE TABLE c OPTIONS ('storageLevel' '%s')", level))
			u := s.app.pool.Usage()
			if u.Storage > u.Budget || strings.HasPrefix(level, "DISK") != (u.Storage == 0) {
				t.Errorf("usage %+v", u)
			}
			wantCached(t, s)
			if len(blockFiles(t, s.app)) == 0 {
				t.Error("nothing went to disk")
			}
			rows(t, s, "UNCACHE TABLE c")
			if n := s.leftovers(t, nil); n > 0 {
				t.Errorf("%d things are left", n)
			}
		})
	}
}

// D07: cached rows whose file is damaged are computed again by the query that finds it.
func TestCacheIsDamaged(t *testing.T) {
	s := begin(t, nil, nil)
	rows(t, s, "CREATE TEMPORARY VIEW c AS "+cachedRows)
	rows(t, s, "CACHE TABLE c OPTIONS ('storageLevel' 'DISK_ONLY')")
	files := blockFiles(t, s.app)
	if len(files) < 4 {
		t.Fatalf("files %v", files)
	}
	for i, f := range files {
		if i%2 == 1 {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for j := range 100 {
			data[len(data)/2+j] ^= 0x55
		}
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantCached(t, s)
	for _, f := range blockFiles(t, s.app) { // a deleted file stays readable for who has it open
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	wantCached(t, s)
}

// A table that is dropped from the cache while queries read it is computed for those.
func TestUncacheWhileReading(t *testing.T) {
	s := begin(t, nil, nil)
	rows(t, s, "CREATE TEMPORARY VIEW c AS "+cachedRows)
	rows(t, s, "CACHE TABLE c")
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err := try(t.Context(), s, "UNCACHE TABLE IF EXISTS c"); err != nil {
				done <- err
				return
			}
			if _, err := try(t.Context(), s, "CACHE LAZY TABLE c"); err != nil {
				done <- err
				return
			}
		}
	}()
	for range 10 {
		if got := rows(t, s, "SELECT count(*), sum(id) FROM c"); got[0] != "600000|179999700000" {
			t.Errorf("rows %v", got)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A server that has answered hundreds of queries has nothing more than before: blocks, files, broadcasts, map outputs.
func TestNothingIsLeft(t *testing.T) {
	for name, executors := range map[string]int{"in this process": 0, "on executors": 2} {
		t.Run(name, func(t *testing.T) {
			var c *fakeCluster
			if executors > 0 {
				c = newFakeCluster(t, executors, 1)
			}
			s := begin(t, c, map[string]string{"spark.sql.shuffle.partitions": "3", "spark.ui.enabled": "false"})
			rows(t, s, "CREATE TEMPORARY VIEW a AS SELECT id, id % 10 k FROM range(0, 3000, 1, 3)")
			queries := []string{"SELECT k, count(*) FROM a GROUP BY k", "SELECT count(*) FROM a x JOIN a y ON x.id = y.id", "SELECT * FROM a ORDER BY k, id LIMIT 5",
				"SELECT /*+ SHUFFLE_HASH(y) */ count(*) FROM a x JOIN a y ON x.id = y.id", "CACHE TABLE b AS SELECT k, sum(id) s FROM a GROUP BY k", "SELECT sum(s) FROM b",
				"UNCACHE TABLE b", "DROP VIEW b", "SELECT raise_error('no') FROM a", "SELECT DISTINCT k FROM a WHERE id > (SELECT avg(id) FROM a)",
				"SELECT repeat('x', 2000) t, id FROM a", "SELECT id / (id - 1500) FROM a"}
			var files, goroutines int
			for i := range 300 {
				q := queries[i%len(queries)]
				if _, err := try(t.Context(), s, q); err != nil != (strings.Contains(q, "raise_error") || strings.Contains(q, "1500")) {
					t.Fatalf("%s: %v", q, err)
				}
				if i == 2*len(queries)-1 {
					files, goroutines = s.leftovers(t, c), runtime.NumGoroutine()
				}
			}
			if n := s.leftovers(t, c); n > files || n > 0 {
				t.Errorf("%d things are left, %d after the first round", n, files)
			}
			for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines+5 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			}
			if n := runtime.NumGoroutine(); n > goroutines+5 {
				t.Errorf("%d goroutines, %d after the first round", n, goroutines)
			}
		})
	}
}

// leftovers counts what queries have left behind.
func (s *Session) leftovers(t *testing.T, c *fakeCluster) (n int) {
	t.Helper()
	count := func() (n int, what []string) {
		note := func(k int, name string) {
			if n += k; k > 0 {
				what = append(what, fmt.Sprint(k, " ", name))
			}
		}
		note(int(s.app.pool.Usage().Storage+s.app.pool.Usage().Execution), "bytes of the driver")
		note(s.app.blocks.Count(), "blocks of the driver")
		note(filesBelow(s.app.dirs.All()), "files of the driver")
		note(len(s.app.cache.byKey), "cached plans")
		note(s.app.driver.Shuffles(t.Context()), "shuffles")
		if c == nil {
			return n, what
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		note(len(c.broadcasts), "broadcasts")
		for _, e := range c.execs {
			note(filesBelow(e.dirs.All()), "files of executor "+string(e.id))
			note(int(e.env.Pool.Usage().Storage), "bytes stored at executor "+string(e.id))
			note(len(e.stored), "results at executor "+string(e.id))
		}
		return n, what
	}
	var what []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // what is dropped is not waited for
		if n, what = count(); n == 0 {
			return 0
		}
	}
	t.Logf("left: %s", strings.Join(what, ", "))
	return n
}

func filesBelow(dirs []string) (n int) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return nil
		})
	}
	return n
}

// A plan over local rows is found in the cache by its rows, however many there are, and not by those that only print alike.
func TestCacheOfLocalRows(t *testing.T) {
	s := begin(t, nil, nil)
	rows(t, s, "CACHE TABLE c AS SELECT * FROM VALUES (NULL), ('x')")
	same(t, "null", rows(t, s, "SELECT col1 IS NULL FROM VALUES (NULL), ('x')"), []string{"true", "false"}, false)
	same(t, "text", rows(t, s, "SELECT col1 IS NULL FROM VALUES ('<nil>'), ('x')"), []string{"false", "false"}, false)
	empty := logical.LocalRelation{Schema: types.NewSchema(), Batches: []*columnar.Batch{{N: 1 << 30}}}
	if n := len(logical.Canonical(&empty)); n > 1000 {
		t.Errorf("the canonical text of rows without columns has %d bytes", n)
	}
}
