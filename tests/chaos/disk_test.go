package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a disk of some MB in memory.
func smallDisk(t *testing.T, mb int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mb)); err != nil {
		t.Skipf("a small disk cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// bigSort spills some 100 MB when it has 128 MB of memory.
const bigSort = "select sum(length(s)), count(*) from (select s from (select concat(id * 7919 % 1000003, repeat('x', 80)) as s from range(0, 2000000, 1, 4)) order by s limit 1900000);\n"

// TestFullDisk is D01 and D02: work goes on in another local directory, or ends with an error that names the directory and what
// is free there. Nothing is left.
func TestFullDisk(t *testing.T) {
	small := smallDisk(t, 16)
	want := sql(t, query{text: bigSort, memory: "2g", master: "local[2]", limit: 2 * time.Minute}).good(t)
	t.Run("another is free", func(t *testing.T) {
		other := t.TempDir()
		r := sql(t, query{text: bigSort, memory: "128m", master: "local[2]", launch: launch{local: small + "," + other}, limit: 2 * time.Minute})
		if got := r.good(t); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("none is free", func(t *testing.T) {
		r := sql(t, query{text: bigSort, memory: "128m", master: "local[2]", launch: launch{local: small}, limit: 2 * time.Minute})
		r.refused(t, "SPILL_OUT_OF_MEMORY", small, "free", "spark.local.dir")
	})
	t.Run("it cannot be written", func(t *testing.T) {
		if err := syscall.Mount("", small, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=16m"); err != nil {
			t.Skipf("it cannot be made read-only: %v", err)
		}
		other := t.TempDir()
		r := sql(t, query{text: bigSort, memory: "128m", master: "local[2]", launch: launch{local: small + "," + other}, limit: 2 * time.Minute})
		if got := r.good(t); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// watchFiles calls see for every file below a folder, again and again, until stop is called.
func watchFiles(dir string, see func(path string)) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err == nil {
					see(path)
				}
				return nil // files come and go
			})
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-over }
}

// TestLocalFiles is X15 and X16: what is on local disks is readable by its owner only, and unreadable when it is encrypted.
func TestLocalFiles(t *testing.T) {
	const marker = "marker-of-the-rows-51c7"
	text := strings.ReplaceAll(bigSort, "repeat('x', 80)", "repeat('"+marker+"', 4)")
	for _, encrypted := range []bool{false, true} {
		t.Run(fmt.Sprintf("encrypted %v", encrypted), func(t *testing.T) {
			local := t.TempDir()
			seen, plain := 0, 0
			stop := watchFiles(local, func(path string) {
				st, err := os.Lstat(path)
				if err != nil || path == local {
					return
				}
				if st.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has mode %v", path, st.Mode())
				}
				if st.Mode().IsRegular() {
					b, err := os.ReadFile(path)
					if err == nil && len(b) > 0 {
						seen++
						if bytes.Contains(b, []byte(marker)) {
							plain++
						}
					}
				}
			})
			r := sql(t, query{text: text, memory: "128m", master: "local[2]", limit: 2 * time.Minute,
				launch: launch{local: local, conf: []string{fmt.Sprintf("spark.io.encryption.enabled=%v", encrypted)}}})
			stop()
			r.good(t)
			switch {
			case seen == 0:
				t.Error("nothing was written: the case shows nothing")
			case encrypted && plain > 0:
				t.Errorf("%d of %d looks saw plain rows", plain, seen)
			case !encrypted && plain == 0:
				t.Error("the rows were not found though they are plain: the case shows nothing")
			}
		})
	}
}

// TestDamagedParquet is D10: files that are cut, changed or made up give an error that names them, or are skipped if
// spark.sql.files.ignoreCorruptFiles says so. They never bring the process down.
func TestDamagedParquet(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "512m"}, dir: dir})
	c := s.connect(t)
	ctx := timeout(t, 2*time.Minute)
	good := filepath.Join(dir, "good")
	if _, err := c.query(ctx, "insert overwrite directory '"+good+"' using parquet select id, cast(id as string) as s, array(id, id + 1) as a, id % 5 as k, "+
		"cast(id as decimal(20,2)) as d from range(0, 3000, 1, 1)"); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(good, "*.parquet"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%v %v", names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	n := len(data)
	cases := map[string][]byte{
		"empty":           {},
		"magic only":      []byte("PAR1PAR1"),
		"no magic":        append([]byte("NOPE"), data[4:]...),
		"no end":          data[:n-4],
		"cut":             data[:n/2],
		"a footer of 2GB": append(append([]byte{}, data[:n-8]...), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'),
		"a footer of all": append(append([]byte{}, data[:n-8]...), byte(n), byte(n>>8), byte(n>>16), 0, 'P', 'A', 'R', '1'),
		"junk":            bytes.Repeat([]byte{0xa5, 0x5a, 0x01}, 1000),
	}
	footer := n - 8 - int(uint32(data[n-8])|uint32(data[n-7])<<8|uint32(data[n-6])<<16)
	for i := range 60 {
		b := append([]byte{}, data...)
		from, to := 4, footer // the pages
		if i%2 == 0 {
			from, to = footer, n-8 // what describes them
		}
		for range 1 + r.IntN(3) {
			b[from+r.IntN(to-from)] ^= byte(1 + r.IntN(255))
		}
		cases[fmt.Sprintf("changed %d", i)] = b
	}
	refused := 0
	for name, b := range cases {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".parquet")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		// A change may hit what nobody reads; then the rows, or other rows, come out. What must not come out is a crash.
		_, err := c.query(ctx, "select count(*), sum(id), max(s), sum(size(a)), sum(k), sum(d) from parquet.`"+path+"`")
		if err == nil {
			continue
		}
		refused++
		if !strings.Contains(err.Error(), filepath.Base(path)) && !strings.HasPrefix(condition(err), "UNRESOLVED_COLUMN") { // a name was changed
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
		for _, bad := range []string{"runtime error", "INTERNAL_ERROR", "Unavailable", "DeadlineExceeded"} {
			if strings.Contains(err.Error(), bad) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	t.Logf("%d of %d files were refused", refused, len(cases))
	if refused < 8 {
		t.Errorf("only %d of %d files were refused", refused, len(cases))
	}
	if _, peak := s.memory(); peak > 640<<20 {
		t.Errorf("the server took %d MB", peak>>20)
	}
	// A damaged file beside a good one is passed over if the setting allows it.
	if err := os.WriteFile(filepath.Join(good, "part-9.parquet"), cases["cut"], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.query(ctx, "set spark.sql.files.ignoreCorruptFiles=true"); err != nil {
		t.Fatal(err)
	}
	if rows, err := c.query(ctx, "select count(*) from parquet.`"+good+"`"); err != nil || strings.Join(rows, "") != "3000" {
		t.Errorf("with ignoreCorruptFiles: %v %v", rows, err)
	}
	s.alive(t)
}

// TestOverwriteOfInput is D18: a query cannot overwrite what it reads.
func TestOverwriteOfInput(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "t")
	r := sql(t, query{text: "create table t (id bigint) using parquet location '" + at + "';\ninsert into t select id from range(10);\n" +
		"insert overwrite table t select id + 1 from t;\n", launch: launch{dir: dir}})
	r.refused(t, "UNSUPPORTED_OVERWRITE")
	r = sql(t, query{text: "select count(*), sum(id) from parquet.`" + at + "`;\n", launch: launch{dir: dir}})
	if got := strings.TrimSpace(r.good(t)); got != "10\t45" {
		t.Errorf("the table has %s", got)
	}
}
