package mesos

import (
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/event"
)

// agent runs the tasks of a test master as processes of this machine, and offers what they leave of three cores.
type agent struct {
	m    *master
	dir  string // of sandboxes
	end  chan struct{}
	work sync.WaitGroup

	runs   map[string]*child.Process
	killed map[string]bool
	offers int
	subs   int  // subscriptions so far: each begins without an offer and without suppression
	open   bool // an offer is out
	quiet  bool // offers are suppressed
}

func startAgent(t *testing.T, m *master) *agent {
	a := &agent{m: m, dir: t.TempDir(), end: make(chan struct{}), runs: map[string]*child.Process{}, killed: map[string]bool{}}
	a.work.Go(a.serve)
	t.Cleanup(a.close)
	return a
}

func (a *agent) close() {
	close(a.end)
	a.work.Wait()
	for _, p := range a.runs {
		p.End(time.Second)
	}
}

func (a *agent) serve() {
	for {
		select {
		case <-a.end:
			return
		case c := <-a.m.calls:
			a.take(&c)
		case <-time.After(5 * time.Millisecond):
		}
		a.reap()
		a.m.mu.Lock()
		subs := len(a.m.subs)
		a.m.mu.Unlock()
		if subs != a.subs {
			a.subs, a.open, a.quiet = subs, false, false
		}
		if free := 3 - len(a.runs); free > 0 && a.subs > 0 && !a.open && !a.quiet {
			a.open = true
			a.offers++
			b, _ := json.Marshal(map[string]any{"type": "OFFERS", "offers": map[string]any{
				"offers": []offer{anOffer(fmt.Sprint("offer-", a.offers), "agent", float64(free), float64(64*free))}}})
			a.m.out <- string(b)
		}
	}
}

func (a *agent) take(c *call) {
	switch c.Type {
	case "SUPPRESS":
		a.quiet = true
	case "REVIVE":
		a.quiet = false
	case "DECLINE":
		a.open = false
	case "TEARDOWN":
		for id, p := range a.runs {
			p.End(time.Second)
			delete(a.runs, id)
		}
		a.open = false
	case "KILL":
		if p := a.runs[c.Kill.TaskID.Value]; p != nil {
			a.killed[c.Kill.TaskID.Value] = true
			p.End(time.Second)
		} else {
			a.m.update(c.Kill.TaskID.Value, "TASK_UNKNOWN")
		}
	case "ACCEPT":
		a.open = false
		for _, t := range c.Accept.Operations[0].Launch.TaskInfos {
			a.launch(&t)
		}
	}
}

func (a *agent) launch(t *taskInfo) {
	env := map[string]string{}
	for _, v := range t.Command.Environment.Variables {
		env[v.Name] = v.Value
	}
	sandbox, err := os.MkdirTemp(a.dir, "sandbox-")
	var p *child.Process
	if err == nil {
		p, err = child.Start(child.Spec{Path: "/bin/sh", Args: []string{"-c", t.Command.Value}, Env: env, Follow: true, Dir: sandbox})
	}
	if err != nil {
		a.m.update(t.TaskID.Value, "TASK_FAILED")
		return
	}
	a.runs[t.TaskID.Value] = p
	a.m.update(t.TaskID.Value, "TASK_RUNNING")
}

// reap tells of the tasks that have ended.
func (a *agent) reap() {
	for id, p := range a.runs {
		select {
		case <-p.Done():
		default:
			continue
		}
		delete(a.runs, id)
		code, _ := p.Ended()
		switch {
		case a.killed[id]:
			a.m.tell(id, "TASK_KILLED", "Command terminated with signal Terminated")
		case code == 137:
			a.m.tell(id, "TASK_FAILED", "Command terminated with signal Killed")
		case code != 0:
			a.m.tell(id, "TASK_FAILED", fmt.Sprint("Command exited with status ", code))
		default:
			a.m.tell(id, "TASK_FINISHED", "Command exited with status 0")
		}
	}
}

// contract is the contract on a master. Applications have ids of their own.
func contract(t *testing.T, address, name string) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	clustertest.Run(t, clustertest.Subject{
		New:       func(*testing.T) cluster.Manager { return New(address) },
		NewBroken: func(*testing.T) cluster.Manager { return New("zk://nowhere") },
		First:     1,
		App: func(a *cluster.App) {
			n++
			a.ID, a.User, a.Conf = event.AppID(fmt.Sprintf("%s-%d", name, n)), me.Username, map[string]string{"spark.app.name": name}
		},
	})
}

// TestContract: on a test master, whose agent runs tasks as processes of this machine.
func TestContract(t *testing.T) {
	m := newMaster(t)
	startAgent(t, m)
	contract(t, m.address(), "contract")
}

// TestRealContract: on a real master with real agents on this machine.
func TestRealContract(t *testing.T) {
	address := os.Getenv("FIRESTEEL_MESOS_MASTER")
	if address == "" {
		t.Skip("no Mesos: FIRESTEEL_MESOS_MASTER is not set (scripts/clusters/mesos-up starts one)")
	}
	contract(t, strings.TrimPrefix(address, "mesos://"), fmt.Sprint("contract-", time.Now().UnixNano()))
}
