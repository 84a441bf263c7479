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
