package chaos

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A table is written while one executor dies and another one stands still for a while, with speculation on: each partition is
// committed once.
func TestWriteOnce(t *testing.T) {
	t.Parallel() // it mostly waits
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}, apart: true}
	c.startMasters()
	for i := range 2 {
		c.workers = append(c.workers, nil)
		c.startWorker(i)
	}
	a := runApplication(t, c.url, "spark.executor.cores=1", "spark.speculation=true", "spark.speculation.interval=50ms", "spark.speculation.multiplier=1.5",
		"spark.speculation.quantile=0.3", "spark.network.timeout=20s")
	a.await(4)
	for round := range 2 {
		out := filepath.Join(a.dir, "out", string(rune('a'+round)))
		ended := a.count(func() int { return a.tasks["ResultTask event.Success"] })
		done, pids := make(chan struct{}), c.executors()
		go func() {
			defer close(done)
			for a.count(func() int { return a.tasks["ResultTask event.Success"] }) < ended+6 {
				time.Sleep(time.Millisecond)
			}
			_ = syscall.Kill(pids[0], syscall.SIGSTOP)
			_ = syscall.Kill(pids[3], syscall.SIGKILL)
		}()
		a.query("insert overwrite directory '" + out + "' using parquet select id, sha2(cast(id as string), 512) h from range(0, 2400000, 1, 48)")
		<-done
		_ = syscall.Kill(pids[0], syscall.SIGCONT)
		if got := a.query("select count(*), count(distinct id), sum(id) from parquet.`" + out + "`"); strings.Join(got, "") != "2400000|2400000|2879998800000" {
			t.Errorf("rows %v", got)
		}
		time.Sleep(300 * time.Millisecond) // what stood still wakes up, and must not add anything
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		parts := 0
		for _, e := range entries {
			switch name := e.Name(); {
			case strings.HasPrefix(name, "part-"):
				parts++
			case name != "_SUCCESS":
				t.Errorf("%s is left", name)
			}
		}
		if parts != 48 {
			t.Errorf("%d files, not 48", parts)
		}
		a.await(4)
	}
}
