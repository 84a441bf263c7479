package core

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// master drives a State and keeps what each peer was told.
type master struct {
	t    *testing.T
	s    *State
	now  time.Time
	told map[Peer][]Message
	last []Action
}

func newMaster(t *testing.T, cfg Config) *master {
	return &master{t: t, s: New(cfg), now: start, told: map[Peer][]Message{}}
}

func (m *master) step(e Event) []Action {
	m.last = append([]Action(nil), m.s.Step(m.now, e)...)
	for _, a := range m.last {
		if tell, ok := a.(Tell); ok {
			m.told[tell.Peer] = append(m.told[tell.Peer], tell.Message)
		}
	}
	if err := m.s.check(); err != nil {
		m.t.Fatalf("after %#v: %v", e, err)
	}
	return m.last
}

func (m *master) wait(d time.Duration) {
	end := m.now.Add(d)
	for {
		at, ok := m.s.Deadline()
		if !ok || at.After(end) {
			break
		}
		if at.After(m.now) {
			m.now = at
		}
		m.step(Tick{})
		if next, ok := m.s.Deadline(); ok && !next.After(m.now) {
			m.t.Fatalf("the deadline %v does not pass", next)
		}
	}
	m.now = end
	m.step(Tick{})
}

func (m *master) worker(p Peer, id string, cores int, memory int64, runs ...Held) {
	m.step(WorkerRegistered{Peer: p, Info: WorkerInfo{ID: id, Host: "h" + id, Cores: cores, Memory: memory}, Executors: runs})
}

func (m *master) app(p Peer, level, coresMax, per int, memory int64) {
	m.step(AppRegistered{Peer: p, Level: level, Desc: AppDesc{Name: "a", CoresMax: coresMax, CoresPer: per, Memory: memory}})
}

// launched lists what a worker was told to start: cores of each executor.
func (m *master) launched(p Peer) (cores []int) {
	for _, msg := range m.told[p] {
		if l, ok := msg.(LaunchExecutor); ok {
			cores = append(cores, l.Cores)
		}
	}
	return cores
}

func (m *master) appID() string { return m.s.order[0].id }

// check wants that the books agree.
func (s *State) check() error {
	for id, w := range s.workers {
		cores, memory := w.info.Cores, w.info.Memory
		for k, x := range w.execs {
			if x.on != w || k != (held{x.appID, x.id}) {
				return fmt.Errorf("worker %s: executor %v is elsewhere", id, k)
			}
			if x.app != nil && x.app.execs[x.id] != x {
				return fmt.Errorf("worker %s: application forgot executor %v", id, k)
			}
			cores -= x.cores
			memory -= x.memory
		}
		for _, d := range w.drivers {
			if d.on != w {
				return fmt.Errorf("worker %s: driver %s is elsewhere", id, d.id)
			}
			cores -= d.desc.Cores
			memory -= d.desc.Memory
		}
		if cores != w.cores || memory != w.memory {
			return fmt.Errorf("worker %s: %d cores free, says %d", id, cores, w.cores)
		}
		if w.dead && len(w.execs)+len(w.drivers) > 0 {
			return fmt.Errorf("worker %s is dead and runs something", id)
		}
	}
	for id, a := range s.apps {
		used := 0
		for _, x := range a.execs {
			if x.app != a || x.on != nil && x.on.execs[held{id, x.id}] != x {
				return fmt.Errorf("application %s: executor %d is not on its worker", id, x.id)
			}
			used += x.cores
		}
		if a.desc.CoresMax > 0 && used > a.desc.CoresMax {
			return fmt.Errorf("application %s has %d cores of %d", id, used, a.desc.CoresMax)
		}
	}
	for _, d := range s.waiting {
		if d.on != nil || s.drivers[d.id] != d {
			return fmt.Errorf("driver %s waits and runs", d.id)
		}
	}
	return nil
}

func TestPlacement(t *testing.T) {
	cases := []struct {
		name             string
		spread           bool
		level, most, per int
		one, two         []int
	}{
		{"all cores, one executor a worker", true, Unlimited, 0, AllCores, []int{4}, []int{2}},
		{"limited cores are spread", true, Unlimited, 4, AllCores, []int{2}, []int{2}},
		{"limited cores are packed", false, Unlimited, 4, AllCores, []int{4}, nil},
		{"small executors", true, Unlimited, 0, 1, []int{1, 1, 1, 1}, []int{1, 1}},
		{"as many as asked", true, 3, 0, 1, []int{1, 1}, []int{1}},
		{"too large for one worker", true, Unlimited, 0, 3, []int{3}, nil},
		{"the level limits workers", true, 1, 0, AllCores, []int{4}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.SpreadOut = c.spread
			m := newMaster(t, cfg)
			m.worker(1, "1", 4, 1000)
			m.worker(2, "2", 2, 1000)
			m.app(3, c.level, c.most, c.per, 10)
			if one, two := m.launched(1), m.launched(2); !reflect.DeepEqual(one, c.one) || !reflect.DeepEqual(two, c.two) {
				t.Errorf("got %v and %v, want %v and %v", one, two, c.one, c.two)
			}
		})
	}
}

func TestMemoryLimitsExecutors(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 8, 25)
	m.app(2, Unlimited, 0, 1, 10)
	if got := m.launched(1); len(got) != 2 {
		t.Errorf("%d executors of 10 bytes on a worker of 25", len(got))
	}
}

func TestReplacement(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 2, 100)
	m.app(2, 1, 0, 1, 10)
	id := m.appID()
	m.step(ExecutorStarted{"1", id, 0})
	m.step(ExecutorEnded{Worker: "1", App: id, ID: 0, Code: 137, Reason: "killed by signal 9"})
	if len(m.launched(1)) != 1 {
		t.Error("what failed at once was replaced without a delay")
	}
	m.wait(firstDelay)
	if len(m.launched(1)) != 2 {
		t.Error("the executor was not replaced")
	}
	gone := m.told[2][1].(ExecutorGone)
	if gone.Code != 137 || gone.Platform {
		t.Errorf("%+v", gone)
	}
	m.step(AppKill{App: id, IDs: []int{1}})
	m.step(ExecutorEnded{Worker: "1", App: id, ID: 1, Killed: true})
	if len(m.launched(1)) != 3 {
		t.Error("a kill lowered the level")
	}
	m.step(AppLevel{App: id, Total: 0})
	m.step(AppKill{App: id, IDs: []int{2}})
	m.step(ExecutorEnded{Worker: "1", App: id, ID: 2, Killed: true})
	if len(m.launched(1)) != 3 {
		t.Error("more than the level was launched")
	}
}

func TestFailingApplicationIsRemoved(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 2, 100)
	m.app(2, 1, 0, 1, 10)
	id := m.appID()
	for i := range 10 {
		m.step(ExecutorEnded{Worker: "1", App: id, ID: i, Code: 1, Reason: "exit status 1"})
		m.now = m.now.Add(6 * time.Second)
		m.step(Heartbeat{1, "1"})
		m.step(Tick{})
	}
	last := m.told[2][len(m.told[2])-1]
	if r, ok := last.(AppRemoved); !ok || !strings.Contains(r.Reason, "exit status 1") || len(m.s.apps) != 0 {
		t.Errorf("the application was told %#v", last)
	}
}

func TestLostConnections(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 2, 100)
	m.app(2, 1, 0, 1, 10)
	id := m.appID()
	m.step(ExecutorStarted{"1", id, 0})
	m.step(Disconnected{1})
	m.now = m.now.Add(time.Second)
	m.worker(3, "1", 2, 100, Held{id, 0, 1, 10})
	m.step(Disconnected{2})
	m.step(AppRegistered{Peer: 4, ID: id, Level: 1, Desc: m.s.order[0].desc, Known: []int{0}})
	m.wait(20 * time.Second)
	if len(m.s.order) != 1 || len(m.s.order[0].execs) != 1 || m.launched(3) != nil {
		t.Fatal("who came back in time lost something")
	}
	m.step(Heartbeat{3, "1"})
	m.step(Disconnected{4})
	m.wait(6 * time.Second)
	if len(m.s.apps) != 0 {
		t.Error("an application without a driver lives on")
	}
	if last := m.told[3][len(m.told[3])-1]; last != (CleanApp{id}) {
		t.Errorf("the worker was told %#v", last)
	}
	m.wait(2 * time.Minute)
	if w := m.s.workers["1"]; !w.dead {
		t.Error("a silent worker lives on")
	}
}

func TestMasterRestart(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.step(Recovered{})
	m.worker(1, "1", 4, 100, Held{"app-x", 0, 2, 10}, Held{"app-y", 7, 2, 10})
	m.step(AppRegistered{Peer: 2, ID: "app-x", Level: 1, Known: []int{0, 1}, Desc: AppDesc{CoresPer: 2, Memory: 10}})
	if len(m.s.apps["app-x"].execs) != 2 || m.launched(1) != nil {
		t.Error("an executor was forgotten, or launched twice")
	}
	for range 6 {
		m.now = m.now.Add(10 * time.Second)
		m.step(Heartbeat{1, "1"})
	}
	var killed []KillExecutor
	for _, msg := range m.told[1] {
		if k, ok := msg.(KillExecutor); ok {
			killed = append(killed, k)
		}
	}
	if !reflect.DeepEqual(killed, []KillExecutor{{"app-y", 7}}) {
		t.Errorf("killed %v", killed)
	}
	if x := m.s.apps["app-x"]; len(x.execs) != 1 || x.execs[0] == nil {
		t.Errorf("executors %v", x.execs)
	}
}

func TestStarvingApplicationIsWarned(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 1, 100)
	m.app(2, 1, 0, 4, 10)
	m.wait(DefaultConfig().Starving)
	if len(m.told[2]) != 1 || !strings.Contains(m.told[2][0].(Warning).Text, "needs 4 cores") {
		t.Errorf("told %v", m.told[2])
	}
}

func TestDrivers(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.step(DriverSubmitted{Ask: 1, Desc: DriverDesc{Resource: "app.py", Memory: 10, Supervise: true}})
	id := m.last[len(m.last)-1].(Answer).Reply.ID
	m.worker(1, "1", 1, 100)
	if _, ok := m.told[1][0].(LaunchDriver); !ok {
		t.Fatalf("told %v", m.told[1])
	}
	m.step(DriverChanged{Worker: "1", ID: id, State: Failed, Reason: "exit status 2"})
	m.wait(time.Second)
	if len(m.told[1]) != 2 {
		t.Fatal("a supervised driver was not launched again")
	}
	m.step(DriverKill{Ask: 2, ID: id})
	m.step(DriverChanged{Worker: "1", ID: id, State: Killed})
	m.step(DriverKill{Ask: 3, ID: id})
	if r := m.last[0].(Answer).Reply; r.OK || m.s.workers["1"].cores != 1 || len(m.s.over) != 1 {
		t.Errorf("reply %+v", r)
	}
}

// TestSimulation throws events in any order at a master; the books must agree after each.
func TestSimulation(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		m := newMaster(t, DefaultConfig())
		if rng.IntN(2) == 0 {
			m.step(Recovered{})
		}
		apps := func() string {
			if len(m.s.order) == 0 {
				return "none"
			}
			return m.s.order[rng.IntN(len(m.s.order))].id
		}
		for range 200 {
			w := fmt.Sprint(rng.IntN(3))
			switch rng.IntN(12) {
			case 0, 1:
				var runs []Held
				if old := m.s.workers[w]; old != nil {
					for k, x := range old.execs {
						if rng.IntN(4) > 0 {
							runs = append(runs, Held{k.app, k.id, x.cores, x.memory})
						}
					}
				}
				m.worker(Peer(1+rng.IntN(20)), w, 1+rng.IntN(4), 40, runs...)
			case 2:
				m.app(Peer(21+rng.IntN(20)), rng.IntN(5), rng.IntN(6), rng.IntN(3), 10)
			case 3:
				m.step(Disconnected{Peer(1 + rng.IntN(40))})
			case 4, 5:
				m.step(ExecutorStarted{w, apps(), rng.IntN(6)})
			case 6, 7:
				m.step(ExecutorEnded{Worker: w, App: apps(), ID: rng.IntN(8), Killed: rng.IntN(2) == 0})
			case 8:
				m.step(AppLevel{apps(), rng.IntN(6)})
			case 9:
				m.step(DriverSubmitted{Desc: DriverDesc{Memory: 5, Supervise: rng.IntN(2) == 0}})
			case 10:
				m.step(DriverChanged{Worker: w, ID: fmt.Sprintf("driver-%s-%04d", start.Format("20060102150405"), rng.IntN(4)), State: Failed})
			default:
				m.wait(time.Duration(rng.IntN(20)) * time.Second)
			}
		}
	}
}
