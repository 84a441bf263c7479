package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// dataFiles are the files of a table that readers see.
func dataFiles(t *testing.T, dir string) (out []string) {
	for _, f := range files(t, dir) {
		rel, _ := filepath.Rel(dir, f)
		hidden := false
		for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
			hidden = hidden || strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".")
		}
		if !hidden {
			out = append(out, f)
		}
	}
	return out
}

// TestKilledWriter kills a process at some moments of a write. Readers never see half a file, and the write can be repeated:
// each row is there once then, and nothing of the broken attempt is left.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	write := partitionedTable(out) + ";\ninsert overwrite table t select id, repeat('x', 50) as s, id % 20 as p from range(0, 2000000, 1, 8);\n"
	count := "select count(*), count(distinct id), sum(id) from parquet.`" + out + "`;\n"
	const want = "2000000\t2000000\t1999999000000"
	script := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(script, []byte(write), 0o600); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 9))
	for i := range 6 {
		p := start(t, launch{args: []string{"sql", "-S", "-f", script, "--master", "local[2]"}})
		eventually(t, 20*time.Second, "files of the write", func() bool { return len(files(t, out)) > 0 || ended(p) })
		if i%2 == 0 { // when the first file is committed
			eventually(t, 20*time.Second, "a committed file", func() bool { return len(dataFiles(t, out)) > 0 || ended(p) })
		} else {
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		}
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		if len(dataFiles(t, out)) > 0 {
			sql(t, query{text: count, launch: launch{dir: dir}}).good(t) // every file that is seen can be read
		}
	}
	sql(t, query{text: write}).good(t)
	if got := strings.TrimSpace(sql(t, query{text: count, launch: launch{dir: dir}}).good(t)); got != want {
		t.Errorf("the repeated write gave %s, want %s", got, want)
	}
	for _, f := range files(t, out) {
		if strings.Contains(f, "_temporary") {
			t.Errorf("%s is left", f)
		}
	}
}

func partitionedTable(at string) string {
	return "create table t (id bigint, s string, p bigint) using parquet partitioned by (p) location '" + at + "'"
}

func ended(p *process) bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// TestExecutorKilledWhileWriting kills executors while they write and commit: each row is written once.
func TestExecutorKilledWhileWriting(t *testing.T) {
	c := startCluster(t, 2, 3, "spark.speculation=true")
	c.ready(3)
	cl := c.server.connect(t)
	out := filepath.Join(c.dir, "out")
	if _, err := cl.query(timeout(t, time.Minute), partitionedTable(out)); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2, 9))
	for i := range 3 {
		done := make(chan error, 1)
		go func() {
			_, err := cl.query(timeout(t, time.Minute), "insert overwrite table t select id, repeat('x', 50) as s, id % 7 as p from range(0, 2000000, 1, 12)")
			done <- err
		}()
		eventually(t, 20*time.Second, "files of the write", func() bool { return len(files(t, out)) > 0 })
		time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
		if pid, ok := pick(c.executors(), r); ok {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
		}
		if err := <-done; err != nil {
			t.Errorf("write %d: %v", i, err)
		}
		rows, err := cl.query(timeout(t, time.Minute), "select count(*), count(distinct id), sum(id) from parquet.`"+out+"`")
		if got := strings.Join(rows, ""); err != nil || got != "2000000\t2000000\t1999999000000" {
			t.Errorf("write %d gave %s %v", i, got, err)
		}
		for _, f := range files(t, out) {
			if strings.Contains(f, "_temporary") {
				t.Errorf("%s is left", f)
			}
		}
	}
	c.stop()
}

// TestTwoWriters is D17: of two applications that append to one path at the same time, both writes are there once.
func TestTwoWriters(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	sql(t, query{text: "create table t (id bigint, w int) using parquet location '" + out + "';\ninsert into t values (-1, 0);\n", launch: launch{dir: dir}}).good(t)
	var both sync.WaitGroup
	for w := range 2 {
		both.Go(func() {
			home := filepath.Join(dir, fmt.Sprint(w))
			if err := os.Mkdir(home, 0o700); err != nil {
				t.Error(err)
				return
			}
			text := "create table t (id bigint, w int) using parquet location '" + out + "';\n"
			for range 5 {
				text += fmt.Sprintf("insert into t select id, %d from range(0, 100000, 1, 4);\n", w+1)
			}
			r := sql(t, query{text: text, launch: launch{dir: home}})
			if r.code != 0 {
				t.Errorf("writer %d: %s", w, tail(r.errors, 1000))
			}
		})
	}
	both.Wait()
	r := sql(t, query{text: "select w, count(*), count(distinct id) from parquet.`" + out + "` group by 1 order by 1;\n", launch: launch{dir: dir}})
	if got, want := strings.TrimSpace(r.good(t)), "0\t1\t1\n1\t500000\t100000\n2\t500000\t100000"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, f := range files(t, out) {
		if strings.Contains(f, "_temporary") {
			t.Errorf("%s is left", f)
		}
	}
}

// TestReplacedInput is D15: when a file is replaced while it is read, a query sees the old one or the new one, never some of each,
// or it is refused with an error that names the file.
func TestReplacedInput(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, launch{args: []string{"--master", "local[2]"}, dir: dir})
	c := s.connect(t)
	ctx := timeout(t, 2*time.Minute)
	version := func(v int) string {
		out := filepath.Join(dir, fmt.Sprint("v", v))
		_, err := c.query(ctx, fmt.Sprintf("insert overwrite directory '%s' using parquet select id, %d as v, repeat(cast(id %% 1000 as string), %d) as s from range(0, 600000, 1, 1)", out, v, 20+v))
		if err != nil {
			t.Fatal(err)
		}
		return dataFiles(t, out)[0]
	}
	versions := []string{version(1), version(2)}
	at := filepath.Join(dir, "in.parquet")
	replace := func(v int) {
		b, err := os.ReadFile(versions[v])
		if err == nil {
			err = os.WriteFile(at+".tmp", b, 0o600)
		}
		if err == nil {
			err = os.Rename(at+".tmp", at)
		}
		if err != nil {
			t.Error(err)
		}
	}
	replace(0)
	stop, over := context.WithCancel(ctx)
	var replacing sync.WaitGroup
	replacing.Go(func() {
		for v := 1; stop.Err() == nil; v = 1 - v {
			replace(v)
			time.Sleep(3 * time.Millisecond)
		}
	})
	seen := map[string]int{}
	refused := 0
	for range 60 {
		rows, err := c.query(ctx, "select min(v), max(v), count(*), sum(id), count(distinct s) from parquet.`"+at+"`")
		switch got := strings.Join(rows, "\n"); {
		case err == nil && (got == "1\t1\t600000\t179999700000\t1000" || got == "2\t2\t600000\t179999700000\t1000"):
			seen[got]++
		case err != nil && strings.Contains(err.Error(), "in.parquet") && strings.HasPrefix(condition(err), "FAILED_READ_FILE"):
			refused++
		default:
			t.Errorf("got %s %v", got, err)
		}
	}
	over()
	replacing.Wait()
	t.Logf("%v, %d refused", seen, refused)
	s.alive(t)
}
