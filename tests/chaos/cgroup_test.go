package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// memoryGroup makes a memory cgroup of so many bytes, or skips the test by name.
func memoryGroup(t *testing.T, limit int64) string {
	t.Helper()
	dir, file := filepath.Join("/sys/fs/cgroup/memory", "firesteel-"+strconv.Itoa(os.Getpid())), "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		dir, file = filepath.Join("/sys/fs/cgroup", filepath.Base(dir)), "memory.max"
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip("M02 needs to make a memory cgroup:", err)
	}
	t.Cleanup(func() {
		eventually(t, 10*time.Second, "the cgroup is empty", func() bool { return os.Remove(dir) == nil })
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(limit, 10)), 0o600); err != nil {
		t.Skip("M02 needs a memory cgroup with a limit:", err)
	}
	return dir
}

// usage is what a group has of its memory.
func usage(t *testing.T, group string) int64 {
	t.Helper()
	for _, name := range []string{"memory.usage_in_bytes", "memory.current"} {
		if b, err := os.ReadFile(filepath.Join(group, name)); err == nil {
			n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the cgroup does not tell what it uses")
	return 0
}

// TestMemoryGroup is M02: a worker and its executor lie in a memory cgroup that is filled by something else, so that the kernel
// kills the executor. The driver is told why, with figures and with who held the memory, and the query ends well in the next
// executor, where half as many tasks run side by side.
func TestMemoryGroup(t *testing.T) {
	const limit, spare = 400 << 20, 128 << 20
	group := memoryGroup(t, limit)
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}, groups: map[int]string{0: group}, cores: 2}
	c.begin(1, 1, nil)
	cl := c.server.connect(t)
	text := "select count(*), sum(length(pad)) from (select * from (" + wide(1_000_000) + ") order by pad limit 1000000000)"
	if _, err := cl.query(timeout(t, time.Minute), "select count(*) from range(0, 1000, 1, 4)"); err != nil {
		t.Fatal(err)
	}
	ballast := fill(t, group, limit-spare-usage(t, group))
	const told = `reason="killed by signal 9 \(exit code 137\): was killed by signal 9 \(killed\), by the kernel, as its memory cgroup \S+ was full: ` +
		`the limit is (400\.0 MiB, the most that was used \d+\.\d MiB, used without it \d+\.\d MiB\. .*; at its last report, \d+\.\d s before, .*Sort \d+.* were held)`
	relieved := make(chan struct{})
	go func() {
		defer close(relieved)
		for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(50 * time.Millisecond) {
			if strings.Contains(c.server.err.String(), "by the kernel") {
				break
			}
		}
		_ = os.Remove(ballast) // gives the memory back
	}()
	rows, err := cl.query(timeout(t, 2*time.Minute), text)
	<-relieved
	if err != nil || len(rows) != 1 || rows[0] != "1000000\t512000000" {
		t.Errorf("the query gives %q, %v", rows, err)
	}
	t.Log("the driver was told:", c.server.see(told, time.Second))
	c.server.see("an executor has less memory than was asked for, as its memory cgroup allows no more.* asked=\"512 MiB\" has=\"400 MiB\"", time.Second)
	c.server.see("stages that ran there run half as many tasks side by side from now on", time.Second)
	c.stop()
}

// fill takes memory of a group by a file in memory that belongs to no process, and gives its path.
func fill(t *testing.T, group string, bytes int64) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "firesteel-ballast-")
	if err != nil {
		t.Skip("M02 needs files in memory:", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "ballast")
	filler := exec.Command("sh", "-c", `echo $$ >"$0/cgroup.procs" && head -c "$1" /dev/zero >"$2"`, group, strconv.FormatInt(bytes, 10), path)
	if out, err := filler.CombinedOutput(); err != nil {
		t.Fatalf("the cgroup cannot be filled: %v\n%s", err, out)
	}
	return path
}
