package mesos

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/cluster/submission"
)

// counter drives a desk and writes down what it does.
type counter struct {
	t   *testing.T
	d   *desk
	now time.Time
}

func newCounter(t *testing.T) *counter {
	c := &counter{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	c.d = &desk{deskLimits: deskLimits{queued: 2, retained: 2, retryMost: 4 * time.Second}, task: func(e *entry, _ *offer) (taskInfo, float64, error) {
		return taskInfo{TaskID: ident{e.taskID()}}, 512, nil
	}}
	c.expect("reconcile suppress", subscribed{})
	return c
}

func (c *counter) expect(want string, events ...any) {
	c.t.Helper()
	var words []string
	for _, e := range events {
		for _, a := range c.d.step(c.now, e) {
			switch a := a.(type) {
			case reply:
				words = append(words, fmt.Sprintf("reply:%v", a.OK))
			case tell:
				words = append(words, "tell:"+a.State.State)
			case note:
			case save:
				words = append(words, "save")
			default:
				words = append(words, strings.ReplaceAll(word(a), "driver-20260102030405-", "d"))
			}
		}
	}
	if got := strings.Join(words, " "); got != want {
		c.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func aDriver(supervise bool, more ...string) newDriver {
	d := submission.Driver{Resource: "/app.py", Cores: 1, Memory: 128 << 20, Supervise: supervise, Conf: map[string]string{"spark.app.name": "app"}}
	for i := 0; i < len(more); i += 2 {
		d.Conf[more[i]] = more[i+1]
	}
	return newDriver{driver: d}
}

const prefix = "driver-20260102030405-"

func TestDesk(t *testing.T) {
	c := newCounter(t)
	c.expect("reply:true revive save reply:true save reply:false", aDriver(false), aDriver(false), aDriver(false))
	c.expect("tell:QUEUED tell:NOT_FOUND", askDriver{id: prefix + "0001"}, askDriver{id: "nobody"})
	c.expect("decline:o:5", offers(anOffer("o", "a", 1, 511)))
	c.expect("accept:o:d0001 save", offers(anOffer("o", "a", 1, 512)))
	c.expect("accept:p:d0002 suppress save", offers(anOffer("p", "b", 4, 9000)))
	c.expect("ack:d0001 tell:RUNNING", update(prefix+"0001", "TASK_RUNNING"), askDriver{id: prefix + "0001"})
	// The end of one, as it is told twice.
	c.expect("ack:d0001 save ack:d0001 tell:FINISHED",
		updateOf(status{TaskID: ident{prefix + "0001"}, AgentID: &ident{"a"}, State: "TASK_FINISHED", UUID: "u"}), update(prefix+"0001", "TASK_FINISHED"), askDriver{id: prefix + "0001"})
	// A driver that is killed is not launched again, and one that has ended cannot be killed.
	c.expect("kill:d0002 reply:true save", killDriver{id: prefix + "0002"})
	if at := c.d.wake(); at.IsZero() {
		t.Error("nobody looks whether it ends")
	}
	c.expect("save tell:KILLED reply:false", updateOf(status{TaskID: ident{prefix + "0002"}, AgentID: &ident{"b"}, State: "TASK_KILLED"}),
		askDriver{id: prefix + "0002"}, killDriver{id: prefix + "0002"})
	// What the cluster runs and nobody knows is killed.
	c.expect("ack:stranger kill:stranger", update("stranger", "TASK_RUNNING"))
	c.expect("reply:true save", clearDrivers{})
	c.expect("tell:NOT_FOUND", askDriver{id: prefix + "0001"})
}

func TestSupervisedDriver(t *testing.T) {
	c := newCounter(t)
	fail := func(task string) received {
		return updateOf(status{TaskID: ident{prefix + task}, AgentID: &ident{"a"}, State: "TASK_FAILED", Message: "Command exited with status 3"})
	}
	c.expect("reply:true revive save accept:o:d0001 suppress save", aDriver(true), offers(anOffer("o", "a", 1, 512)))
	c.expect("warn save tell:RETRYING", fail("0001"), askDriver{id: prefix + "0001"})
	if at := c.d.wake(); at != c.now.Add(time.Second) {
		t.Errorf("again at %v", at)
	}
	c.now = c.now.Add(time.Second)
	c.expect("revive accept:p:d0001-retry-1 suppress save", ticked{}, offers(anOffer("p", "a", 1, 512)))
	// The agent is lost, and comes back later with the old task.
	var lost received
	lost.Failure = &failureMsg{AgentID: &ident{"a"}}
	c.expect("warn save kill:d0001-retry-1", lost, updateOf(status{TaskID: ident{prefix + "0001-retry-1"}, AgentID: &ident{"a"}, State: "TASK_RUNNING"}))
	if at := c.d.wake(); at != c.now.Add(2*time.Second) {
		t.Errorf("again at %v", at)
	}
	c.expect("reply:true save tell:KILLED", killDriver{id: prefix + "0001"}, askDriver{id: prefix + "0001"})
}

func TestDeskWithoutMaster(t *testing.T) {
	c := newCounter(t)
	c.expect("reply:true revive save accept:o:d0001 suppress save", aDriver(false), offers(anOffer("o", "a", 1, 512)))
	c.expect("reply:true save reply:true save", broken{}, aDriver(false, "spark.mesos.driver.constraints", "rack:r2"), killDriver{id: prefix + "0001"})
	c.expect("kill:d0001 reconcile reconcile:d0001", subscribed{})
	c.now = c.now.Add(askDrivers)
	c.expect("kill:d0001 reconcile:d0001", ticked{}) // a master that has just begun may not know
	c.expect("save", updateOf(status{TaskID: ident{prefix + "0001"}, State: "TASK_UNKNOWN"}))
	other := anOffer("p", "b", 1, 512)
	other.Attributes = []attribute{{Name: "rack", Type: "TEXT", Text: &struct {
		Value string `json:"value"`
	}{"r2"}}}
	c.expect("decline:o:5 accept:p:d0002 suppress save", offers(anOffer("o", "a", 1, 512), other))
}

// TestDeskDoubts: a master that has just begun to lead may not know a driver's agent yet.
func TestDeskDoubts(t *testing.T) {
	c := newCounter(t)
	c.expect("reply:true revive save accept:o:d0001 suppress save", aDriver(false), offers(anOffer("o", "a", 1, 512)))
	unknown := updateOf(status{TaskID: ident{prefix + "0001"}, State: "TASK_UNKNOWN", Reason: "REASON_RECONCILIATION"})
	c.expect("reconcile reconcile:d0001 suppress", broken{}, subscribed{}, unknown)
	c.now = c.now.Add(askDrivers)
	c.expect("reconcile:d0001", ticked{})
	c.now = c.now.Add(doubt)
	c.expect("save tell:FAILED", unknown, askDriver{id: prefix + "0001"})
}

// TestDispatcher: over the submission protocol, on a test master whose agent runs tasks as processes; a second life knows
// what the first one began.
func TestDispatcher(t *testing.T) {
	m := newMaster(t)
	startAgent(t, m)
	dir := t.TempDir()
	script := filepath.Join(dir, "fake")
	// It stands for the program: the submit command, whose application is /app.py.
	if err := os.WriteFile(script, []byte("#!/bin/sh\nkey=$(grep -c '^spark.hidden=hush$' spark.properties)\nprintf '%s ' \"$key\" \"$@\" >"+
		dir+"/told\ntest -z \"$_FIRESTEEL_PROPERTIES\" && exec sleep ${5}\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := DispatcherOptions{Master: m.address(), Host: "127.0.0.1", Recovery: filepath.Join(dir, "rec"), Binary: script, Name: "d", User: "me", Conf: map[string]string{
		"spark.mesos.dispatcher.driverDefault.spark.hidden": "hush"}}
	if _, err := StartDispatcher(t.Context(), DispatcherOptions{Master: m.address(), Host: "0.0.0.0"}); err == nil {
		t.Error("it listens where everybody could come")
	}
	d, err := StartDispatcher(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("MESOS_SANDBOX", dir)
	c := submission.Client{Address: d.Addr()}
	r, err := c.Create(t.Context(), submission.Request{AppResource: "local:/app.py", AppArgs: []string{"0.2"},
		SparkProperties: map[string]string{"spark.app.name": "app", "spark.driver.memory": "1m", "spark.mesos.driver.memoryOverhead": "1m"}})
	if err != nil || !r.OK {
		t.Fatal(r, err)
	}
	until := func(id, want string) {
		t.Helper()
		clustertest.Eventually(t, func() string {
			if s, err := c.Status(t.Context(), id); err != nil || s.State != want {
				return fmt.Sprint(s, err)
			}
			return ""
		})
	}
	until(r.ID, "FINISHED")
	if b, err := os.ReadFile(filepath.Join(dir, "told")); err != nil || string(b) != "1 submit --properties-file "+dir+"/spark.properties /app.py 0.2 " {
		t.Errorf("the driver was started with %q %v", b, err)
	}
	long, err := c.Create(t.Context(), submission.Request{AppResource: "local:/app.py", AppArgs: []string{"60"},
		SparkProperties: map[string]string{"spark.driver.memory": "1m", "spark.mesos.driver.memoryOverhead": "1m"}})
	if err != nil {
		t.Fatal(err)
	}
	until(long.ID, "RUNNING")
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if d, err = StartDispatcher(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c.Address = d.Addr()
	until(r.ID, "FINISHED")
	until(long.ID, "RUNNING")
	if r, err := c.Kill(t.Context(), long.ID); err != nil || !r.OK {
		t.Error(r, err)
	}
	until(long.ID, "KILLED")
	if b, err := os.ReadFile(filepath.Join(dir, "rec", recordFile)); err != nil || strings.Contains(string(b), "hush") {
		t.Errorf("what is kept of drivers that have ended: %s %v", b, err)
	}
	http.DefaultClient.CloseIdleConnections()
}
