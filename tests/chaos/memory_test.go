package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// footprint is what the children of a process used of memory, at most: all of it (as the system counts it), and the part that
// is no file's.
type footprint struct {
	mu             sync.Mutex
	resident, anon int64
}

// watch looks at the children of a process until it has ended.
func watch(p *process) *footprint {
	f := &footprint{}
	go func() {
		for {
			select {
			case <-p.ended:
				return
			case <-time.After(20 * time.Millisecond):
				f.look(p.cmd.Process.Pid)
			}
		}
	}()
	return f
}

func (f *footprint) look(parent int) {
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent)) // without it the test finds nothing, and says so
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, path := range all {
		more, _ := os.ReadFile(path) // the thread may have ended
		list = append(append(list, ' '), more...)
	}
	for _, pid := range strings.Fields(string(list)) {
		b, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			continue
		}
		f.mu.Lock()
		f.resident = max(f.resident, statusField(b, "VmHWM:"))
		f.anon = max(f.anon, statusField(b, "RssAnon:"))
		f.mu.Unlock()
	}
}

// wide is a query for n rows of 512 bytes.
func wide(n int) string {
	return fmt.Sprintf("select id, (id * 7919) %% 1000003 as k, repeat(sha2(cast(id as string), 512), 4) as pad from range(0, %d, 1, 16)", n)
}

// TestSmallExecutor is M01: an executor sorts, groups and joins many times what its memory holds, and stays within it. Quick:
// 200 MB in 96 MB; long: 5 GB in 256 MB, where all of the resident memory counts, the program's own pages as well.
func TestSmallExecutor(t *testing.T) {
	mb, n := 96, 400_000
	long := os.Getenv("FIRESTEEL_DEEP") != ""
	if long {
		mb, n = 256, 10_000_000
	}
	rows := strconv.Itoa(n)
	bytes := strconv.Itoa(n * 512)
	for _, c := range []struct{ name, text, want string }{
		{"sort", "select count(*), sum(length(pad)), max(id) from (select * from (" + wide(n) + ") order by pad limit 1000000000)",
			rows + "\t" + bytes + "\t" + strconv.Itoa(n-1)},
		{"groups", "select sum(c), sum(length(m)) = 512 * count(*), max(c) from (select k, count(*) c, max(pad) m from (" + wide(n) + ") group by k)",
			rows + "\ttrue\t" + strconv.Itoa((n+1_000_002)/1_000_003)},
		{"groups of wide keys", "select count(*), sum(c), max(l) from (select pad, count(*) c, max(length(pad)) l from (" + wide(n) + ") group by pad)",
			rows + "\t" + rows + "\t512"},
		{"join", "select count(*), sum(length(a.pad) + length(b.pad)), max(a.id) from (" + wide(n) + ") a join (" + wide(n) + ") b on a.id = b.id",
			rows + "\t" + strconv.Itoa(n*1024) + "\t" + strconv.Itoa(n-1)},
		{"merge join", "select /*+ MERGE(a) */ count(*), sum(length(a.pad) + length(b.pad)), max(a.id) from (" + wide(n) + ") a join (" + wide(n) + ") b on a.id = b.id",
			rows + "\t" + strconv.Itoa(n*1024) + "\t" + strconv.Itoa(n-1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			size := strconv.Itoa(mb)
			p := start(t, launch{args: []string{"sql", "-S", "--format", "tsv", "--master", "local-cluster[1,1," + size + "]", "--executor-memory", size + "m",
				"--driver-memory", "512m", "-e", c.text}})
			f := watch(p)
			limit := 2 * time.Minute
			if long {
				limit = 10 * time.Minute
			}
			if code := p.wait(limit); code != 0 {
				t.Fatalf("exit status %d:\n%s", code, tail(p.err.String(), 3000))
			}
			if got := strings.TrimSpace(p.out.String()); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			t.Logf("the executor had %d MB of memory and %d MB with its files, of %d MB", f.anon>>20, f.resident>>20, mb)
			used := f.anon
			if long {
				used = f.resident
			}
			if most := int64(mb) << 20 * 5 / 4; used == 0 || used > most {
				t.Errorf("it used %d MB, more than %d MB", used>>20, most>>20)
			}
			if left := p.leftovers(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestLargeValues is M06: rows of a megabyte do not multiply by the thousands of a batch, a value may have a quarter of the
// memory, and one that is larger is refused with its size, its row and the key to change before it is made.
func TestLargeValues(t *testing.T) {
	const memory = 512 << 20
	for _, c := range []struct{ name, text, want, refusal string }{
		{"a text of 120 MB", "select length(repeat('x', 120*1024*1024))", "125829120", ""},
		{"two rows of 60 MB", "select sum(length(repeat(cast(id as string), 60*1024*1024))) from range(2)", "125829120", ""},
		{"a text of 1 GB", "select length(repeat('x', 1024*1024*1024))", "", "repeat would make a value of 1073741824 bytes in row 1 of partition 0"},
		{"a text of 1 GB in one row of many", "select sum(length(repeat('x', if(id = 2500, 1024*1024*1024, 1)))) from range(0, 5000, 1, 1)", "",
			"in row 2501 of partition 0; a value may have 134217728 bytes, a quarter of the process's memory: raise spark.driver.memory"},
		{"padding to 1 GB", "select length(lpad('x', 1024*1024*1024, 'ab')) from range(3)", "", "lpad would make a value of 1073741824 bytes"},
		{"a sequence of 10^9", "select size(sequence(1, 1000000000)) from range(3)", "", "sequence would make a value"},
		{"400 rows of 1 MB", "select max(length(p)), count(*) from (select repeat(cast(id as string), 1024*256) p from range(0, 400, 1, 1)) where p not like '%z'", "786432\t400", ""},
		{"1,000 sequences of 100,000", "select count(*), max(c) from (select explode(sequence(1, 100000 + id)) c from range(0, 1000, 1, 1))", "100499500\t100999", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sql(t, query{text: c.text + ";\n", memory: "512m", master: "local[1]"})
			if c.refusal != "" {
				r.refused(t, c.refusal, "UNABLE_TO_ACQUIRE_MEMORY")
			} else if got := strings.TrimSpace(r.good(t)); got != c.want {
				t.Errorf("got %s, want %s", tail(got, 200), c.want)
			}
			if t.Logf("%d MB", r.peak>>20); r.peak > memory*5/4 {
				t.Errorf("used %d MB of %d", r.peak>>20, int64(memory)>>20)
			}
		})
	}
}

// TestResultTooLarge is M04: a result above spark.driver.maxResultSize is refused by name while the driver is still small, and
// the server goes on.
func TestResultTooLarge(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local-cluster[1,1,256]", "--driver-memory", "128m"}, conf: []string{"spark.driver.maxResultSize=32m"}})
	c := s.connect(t)
	_, err := c.query(timeout(t, time.Minute), wide(400_000))
	if err == nil || !strings.Contains(err.Error(), "is bigger than spark.driver.maxResultSize (32.0 MiB)") {
		t.Errorf("got %v", err)
	}
	if _, peak := s.memory(); peak > 160<<20 {
		t.Errorf("the driver took %d MB", peak>>20)
	}
	s.alive(t)
}
