package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shuffled is a query with a shuffle that takes some seconds on three cores, and its answer.
const (
	shuffled     = "select count(*), sum(c), sum(k) from (select id % 1000003 as k, count(*) as c from range(0, 24000000, 1, 12) group by 1)"
	shuffledRows = "1000003\t24000000\t500002500003"
)

// small is the same with a tenth of the rows.
const (
	small     = "select count(*), sum(c), sum(k) from (select id % 100003 as k, count(*) as c from range(0, 2400000, 1, 12) group by 1)"
	smallRows = "100003\t2400000\t5000250003"
)

// harmed runs the query while harm is done to the cluster, and demands its answer.
func (c *cluster) harmed(name string, harm func(running context.Context) string) {
	c.t.Helper()
	c.answers(name, shuffled, shuffledRows, harm)
}

func (c *cluster) answers(name, text, want string, harm func(running context.Context) string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	running, over := context.WithCancel(ctx)
	told := make(chan string, 1)
	go func() { told <- harm(running) }()
	rows, err := c.server.connect(c.t).query(ctx, text)
	over()
	c.t.Logf("%s: %s", name, <-told)
	if got := strings.Join(rows, "\n"); err != nil || got != want {
		c.t.Errorf("%s: got %s %v, want %s", name, got, err, want)
	}
	c.note()
}

// onShuffle does something to map outputs as they appear, until it has been done to so many or the query is over.
func (c *cluster) onShuffle(running context.Context, most int, do func(path string) error) string {
	done := map[string]bool{}
	for running.Err() == nil && len(done) < most {
		for _, f := range c.shuffleFiles() {
			if !done[f] && len(done) < most && do(f) == nil {
				done[f] = true
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Sprintf("%d map outputs", len(done))
}

// TestExecutorFaults is K01, K02, D04, D06 and the short form of K06: one query, harmed in five ways, has one answer.
func TestExecutorFaults(t *testing.T) {
	c := startCluster(t, 2, 3)
	c.ready(3)
	r := rand.New(rand.NewPCG(7, 8))
	c.harmed("no harm", func(context.Context) string { return "" })
	c.harmed("K01 an executor killed", func(context.Context) string {
		time.Sleep(300 * time.Millisecond)
		pid, _ := pick(c.executors(), r)
		return fmt.Sprint(pid, syscall.Kill(pid, syscall.SIGKILL))
	})
	c.harmed("K02 an executor with map outputs killed", func(running context.Context) string {
		c.onShuffle(running, 3, func(string) error { return nil }) // they are there
		pid, _ := pick(c.executors(), r)
		return fmt.Sprint(pid, syscall.Kill(pid, syscall.SIGKILL))
	})
	c.harmed("K06 an executor stopped for a moment", func(context.Context) string {
		pid, _ := pick(c.executors(), r)
		stopped := syscall.Kill(pid, syscall.SIGSTOP)
		time.Sleep(2 * time.Second)
		return fmt.Sprint(pid, stopped, syscall.Kill(pid, syscall.SIGCONT))
	})
	c.harmed("D06 map outputs deleted", func(running context.Context) string { return c.onShuffle(running, 4, os.Remove) })
	c.harmed("D04 map outputs changed", func(running context.Context) string {
		return c.onShuffle(running, 4, func(path string) error { return flip(path, r) })
	})
	c.stop()
}

// TestClusterGone is K05: when all workers die with their executors, the query ends with an error that says so.
func TestClusterGone(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startCluster(t, 1, 2, "spark.firesteel.noExecutorTimeout=12s")
	c.ready(2)
	failed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		_, err := c.server.connect(t).query(ctx, strings.ReplaceAll(shuffled, "24000000", "2400000000"))
		failed <- err
	}()
	time.Sleep(time.Second)
	pids := c.executors()
	_ = c.workers[0].cmd.Process.Kill()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	err := <-failed
	t.Logf("the query ended with: %v", err)
	if err == nil || !strings.Contains(err.Error(), "no executor") {
		t.Errorf("the query did not end with the reason: %v", err)
	}
	<-c.workers[0].ended
	c.startWorker(0)
	c.ready(2) // and the cluster can be used again
	c.stop()
}

// TestDriverKilled is K13: executors do not outlive their driver, and leave nothing.
func TestDriverKilled(t *testing.T) {
	c := startCluster(t, 2, 3)
	c.ready(3)
	go func() { _, _ = c.server.connect(t).query(t.Context(), shuffled) }() // it dies with the server
	time.Sleep(500 * time.Millisecond)
	c.server.signal(syscall.SIGKILL)
	eventually(t, 15*time.Second, "the executors end", func() bool { return len(c.executors()) == 0 })
	eventually(t, 10*time.Second, "their files are removed", func() bool {
		return len(files(t, c.under("worker0", "local")))+len(files(t, c.under("worker1", "local"))) == 0
	})
	c.workers[0].signal(syscall.SIGTERM)
	c.workers[1].signal(syscall.SIGTERM)
	if codes := []int{c.workers[0].wait(20 * time.Second), c.workers[1].wait(20 * time.Second)}; !slices.Equal(codes, []int{0, 0}) {
		t.Errorf("the workers ended with %v", codes)
	}
}
