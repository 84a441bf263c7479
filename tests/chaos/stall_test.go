package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// freeze stops a process for a while.
func freeze(pid int, d time.Duration) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(d)
	return syscall.Kill(pid, syscall.SIGCONT)
}

// TestFrozenExecutor is K06: an executor that stands still for longer than spark.network.timeout is declared lost, and the query
// goes on without it. When it goes on it is told to end.
func TestFrozenExecutor(t *testing.T) {
	deep(t)
	t.Parallel() // it mostly waits
	c := startCluster(t, 2, 3)
	c.ready(3)
	r := rand.New(rand.NewPCG(1, 6))
	pid, _ := pick(c.executors(), r)
	thawed := make(chan error, 1)
	c.harmed("an executor stands still for 15 s", func(running context.Context) string {
		c.onShuffle(running, 2, func(string) error { return nil })
		go func() { thawed <- freeze(pid, 15*time.Second) }()
		return fmt.Sprint(pid)
	})
	if err := <-thawed; err != nil {
		t.Logf("it was ended meanwhile: %v", err)
	}
	eventually(t, 15*time.Second, "the executor of before ends", func() bool { return !slices.Contains(c.executors(), pid) })
	eventually(t, 20*time.Second, "another comes in its place", func() bool { return len(c.executors()) == 3 })
	if log := c.server.err.String(); !strings.Contains(log, "heartbeat timed out after") {
		t.Errorf("the log does not name the cause:\n%s", tail(log, 1500))
	}
	c.harmed("after that", func(context.Context) string { return "" })
	c.stop()
}

// TestFrozenDriver: a driver that stands still for longer than spark.network.timeout does not take its executors for dead when it
// goes on, nor they it.
func TestFrozenDriver(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startCluster(t, 2, 3)
	c.ready(3)
	before := c.executors()
	c.harmed("the driver stands still for 10 s", func(running context.Context) string {
		c.onShuffle(running, 1, func(string) error { return nil })
		return fmt.Sprint(freeze(c.server.cmd.Process.Pid, 10*time.Second))
	})
	if after := c.executors(); !slices.Equal(before, after) {
		t.Errorf("the executors were %v and are %v\n%s", before, after, tail(c.server.err.String(), 1500))
	}
	c.stop()
}

// TestSlowExecutor is K11: with spark.speculation a task whose executor stands still is run a second time on another host, and the
// query does not wait for the first.
func TestSlowExecutor(t *testing.T) {
	t.Parallel() // it mostly waits
	c := networkedCluster(t, 2, 3, "spark.network.timeout=120s", "spark.speculation=true", "spark.speculation.quantile=0.5", "spark.speculation.multiplier=2")
	pid := c.executors()[0]
	begin := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.harmed("an executor stands still, and is not noticed", func(running context.Context) string {
		select {
		case <-running.Done():
		case <-time.After(45 * time.Second):
		}
		return fmt.Sprint(pid, syscall.Kill(pid, syscall.SIGCONT))
	})
	if took := time.Since(begin); took > 40*time.Second {
		t.Errorf("the query waited %v", took)
	}
	c.stop()
}

// TestPoisonTask is K09: a task that always fails ends its job after four attempts with its own error; other jobs go on.
func TestPoisonTask(t *testing.T) {
	c := startCluster(t, 2, 3)
	c.ready(3)
	other := make(chan error, 1)
	go func() {
		rows, err := c.server.connect(t).query(timeout(t, time.Minute), shuffled)
		if got := strings.Join(rows, ""); err == nil && got != shuffledRows {
			err = fmt.Errorf("it gave %s", got)
		}
		other <- err
	}()
	_, err := c.server.connect(t).query(timeout(t, time.Minute), "select sum(case when id = 777 then cast(raise_error('this row is poison') as bigint) else id end) from range(0, 1000, 1, 8)")
	if condition(err) != "USER_RAISED_EXCEPTION" || !strings.Contains(err.Error(), "this row is poison") {
		t.Errorf("the poisoned query ended with %v", err)
	}
	if err := <-other; err != nil {
		t.Errorf("the other query: %v", err)
	}
	if n := len(c.executors()); n != 3 {
		t.Errorf("%d executors are left", n)
	}
	c.stop()
}
