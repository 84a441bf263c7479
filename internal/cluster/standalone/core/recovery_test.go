package core

import (
	"reflect"
	"testing"
	"time"
	"unsafe"
)

// A master that knows nothing believes all who come within the window, not only the first.
func TestRestartWithoutRecords(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.step(Recovered{})
	m.worker(1, "idle", 2, 100)
	m.wait(time.Second)
	if m.s.View().Recovering {
		t.Error("a master without records says that it recovers")
	}
	m.step(WorkerRegistered{Peer: 2, Info: WorkerInfo{ID: "busy", Cores: 3, Memory: 100}, Executors: []Held{{"app-x", 0, 1, 10}, {"app-y", 3, 1, 10}},
		Drivers: []HeldDriver{{ID: "driver-1", Desc: DriverDesc{Cores: 1, Memory: 5}}}})
	if len(m.told[2]) != 0 {
		t.Errorf("the worker was told %+v", m.told[2])
	}
	if d := m.s.drivers["driver-1"]; d == nil || d.state != Running || m.s.workers["busy"].cores != 0 {
		t.Errorf("the driver is %+v", d)
	}
	m.step(ExecutorEnded{Worker: "busy", App: "app-x", ID: 0, Code: 7, Reason: "exit status 7"})
	m.step(AppRegistered{Peer: 3, ID: "app-x", Level: 1, Known: []int{0}, Next: 5, Desc: AppDesc{CoresPer: 1, Memory: 10, CoresMax: 1}})
	want := []Message{ExecutorGone{ID: 0, Code: 7, Reason: "exit status 7"}, ExecutorAdded{5, "idle", "hidle", 1}}
	if !reflect.DeepEqual(m.told[3], want) {
		t.Errorf("the application was told %+v, want %+v", m.told[3], want)
	}
	for range 2 {
		m.wait(35 * time.Second)
		m.step(Heartbeat{1, "idle"})
		m.step(Heartbeat{2, "busy"})
	}
	if got := m.told[2]; !reflect.DeepEqual(got, []Message{KillExecutor{"app-y", 3}, CleanApp{"app-y"}}) {
		t.Errorf("after the window the worker was told %+v", got)
	}
}

// As long as an executor's worker has not come back, its cores are not given to another one.
func TestCoresAreNotGivenTwice(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.step(Recovered{})
	m.worker(1, "1", 4, 100, Held{"app-x", 0, 2, 10})
	m.step(AppRegistered{Peer: 3, ID: "app-x", Level: Unlimited, Known: []int{0, 1}, Desc: AppDesc{CoresPer: 2, Memory: 10, CoresMax: 4}})
	m.worker(2, "2", 4, 100, Held{"app-x", 1, 2, 10})
	m.wait(10 * time.Second)
	if m.launched(1) != nil || m.launched(2) != nil {
		t.Error("the application has more cores than it may")
	}
}

// A master that stood still does not take the others for dead.
func TestFrozenMaster(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 2, 100)
	m.app(2, 1, 0, 1, 10)
	m.now = m.now.Add(10 * time.Minute)
	m.step(Tick{})
	m.step(Heartbeat{1, "1"})
	m.wait(50 * time.Second)
	if m.s.workers["1"].dead {
		t.Error("a worker died of the master's sleep")
	}
	m.wait(20 * time.Second)
	if !m.s.workers["1"].dead {
		t.Error("a silent worker lives on")
	}
}

// What happened while an application was away is told when it is back.
func TestUntoldEnds(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 1, 100)
	m.app(2, 1, 0, 1, 10)
	id := m.appID()
	m.step(ExecutorStarted{"1", id, 0})
	m.step(Disconnected{2})
	m.step(ExecutorEnded{Worker: "1", App: id, ID: 0, Code: 137, Reason: "killed"})
	m.step(AppRegistered{Peer: 3, ID: id, Level: 1, Desc: m.s.order[0].desc, Known: []int{0}, Next: 1})
	if len(m.told[3]) == 0 || m.told[3][0] != (ExecutorGone{ID: 0, Code: 137, Reason: "killed"}) || len(m.s.untold) != 0 {
		t.Errorf("told %+v", m.told[3])
	}
}

func TestWorkerLeaves(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 1, 100)
	m.app(2, 1, 0, 1, 10)
	m.step(WorkerLeft{"1"})
	if g, ok := m.told[2][1].(ExecutorGone); !ok || !g.Host || !g.Platform || !m.s.workers["1"].dead {
		t.Errorf("told %+v", m.told[2])
	}
}

// A supervised driver that fails while the window is open does not wait for its end.
func TestRelaunchWithinTheWindow(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.step(Recovered{})
	m.worker(1, "1", 2, 100)
	m.step(DriverSubmitted{Desc: DriverDesc{Memory: 5, Supervise: true}})
	first := m.told[1][0].(LaunchDriver)
	m.step(DriverChanged{Worker: "1", ID: first.ID, State: Failed})
	m.wait(firstDelay)
	if len(m.told[1]) != 2 {
		t.Error("the driver was not launched again")
	}
}

// Who came to this master and left is forgiven for a moment only, also while others are awaited that ran before.
func TestYoungMasterNoticesLosses(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.step(Recovered{})
	m.worker(1, "1", 2, 100)
	m.app(2, Unlimited, 0, 1, 10)
	m.step(Disconnected{Peer: 1})
	m.wait(6 * time.Second)
	if w := m.s.workers["1"]; !w.dead {
		t.Error("a worker that is gone is still counted on")
	}
	m.worker(3, "3", 2, 100)
	if got := m.launched(3); len(got) != 2 {
		t.Errorf("executors in their place: %v", got)
	}
	m.step(Disconnected{Peer: 2})
	m.wait(6 * time.Second)
	if len(m.s.order) != 0 {
		t.Error("an application whose driver is gone holds its cores")
	}
}

// records are what a master has saved, as its host keeps it.
func records(actions []Action, kept map[string]Record) {
	for _, a := range actions {
		switch a := a.(type) {
		case Save:
			kept[a.Record.Key()] = a.Record
		case Forget:
			delete(kept, a.Key)
		}
	}
}

// A master that follows another one gives no id again, launches what was not launched, and ends what was to end.
func TestNextMaster(t *testing.T) {
	kept := map[string]Record{}
	now := time.Unix(1000, 0)
	first := New(DefaultConfig())
	do := func(s *State, e Event) (told []Message, answers []Reply) {
		t.Helper()
		actions := s.Step(now, e)
		records(actions, kept)
		for _, a := range actions {
			switch a := a.(type) {
			case Tell:
				told = append(told, a.Message)
			case Answer:
				answers = append(answers, a.Reply)
			}
		}
		return told, answers
	}
	do(first, Recovered{})
	_, a := do(first, DriverSubmitted{Ask: 1, Desc: DriverDesc{Cores: 1, Memory: 1, Token: "one"}})
	if _, again := do(first, DriverSubmitted{Ask: 2, Desc: DriverDesc{Cores: 1, Memory: 1, Token: "one"}}); !reflect.DeepEqual(a, again) {
		t.Errorf("the same submission gave %+v and %+v", a, again)
	}
	waits := a[0].ID
	do(first, DriverKill{Ask: 3, ID: waits})
	_, a = do(first, DriverSubmitted{Ask: 4, Desc: DriverDesc{Cores: 9, Memory: 1, Token: "two"}})
	waits = a[0].ID
	do(first, WorkerRegistered{Peer: 1, Ask: 5, Info: WorkerInfo{ID: "w", Cores: 2, Memory: 10}})
	_, a = do(first, DriverSubmitted{Ask: 6, Desc: DriverDesc{Cores: 1, Memory: 1}})
	runs := a[0].ID
	if told, _ := do(first, DriverKill{Ask: 7, ID: runs}); !reflect.DeepEqual(told, []Message{KillDriver{runs}}) {
		t.Errorf("told %+v", told)
	}

	e := Recovered{}
	for _, key := range []string{"w", waits, runs, "numbers"} {
		if r, ok := kept[key]; ok {
			e.Records = append(e.Records, r)
		}
	}
	if len(e.Records) != len(kept) {
		t.Fatalf("the first master left %+v", kept)
	}
	second := New(DefaultConfig())
	do(second, e)
	told, _ := do(second, WorkerRegistered{Peer: 1, Ask: 1, Info: WorkerInfo{ID: "w", Cores: 20, Memory: 10}, Drivers: []HeldDriver{{ID: runs}}})
	if len(told) != 2 || told[0] != (KillDriver{runs}) || told[1].(LaunchDriver).ID != waits {
		t.Errorf("the worker was told %+v", told)
	}
	_, a = do(second, DriverSubmitted{Ask: 2, Desc: DriverDesc{Cores: 1, Memory: 1, Token: "two"}})
	if a[0].ID != waits {
		t.Errorf("a submission that was made before gave %+v", a)
	}
	_, a = do(second, DriverSubmitted{Ask: 3, Desc: DriverDesc{Cores: 1, Memory: 1}})
	if want := "driver-" + now.Format("20060102150405") + "-0003"; a[0].ID != want {
		t.Errorf("a new driver is %s, want %s", a[0].ID, want)
	}
}

// A driver that was placed on a worker, which never heard of it, is launched all the same, and once: the connection broke, or the
// master before this one went when it had saved that.
func TestUnheardDriver(t *testing.T) {
	m := newMaster(t, DefaultConfig())
	m.worker(1, "1", 1, 100)
	m.step(DriverSubmitted{Desc: DriverDesc{Memory: 5}})
	first := m.told[1][0].(LaunchDriver)
	m.worker(1, "1", 1, 100) // it was on its way while the worker wrote this
	if len(m.told[1]) != 1 {
		t.Errorf("a driver was launched twice: %+v", m.told[1])
	}
	m.step(Disconnected{1})
	m.worker(2, "1", 1, 100)
	if !reflect.DeepEqual(m.told[2], []Message{first}) {
		t.Errorf("after a broken connection the worker was told %+v", m.told[2])
	}
	records := []Record{{Worker: &WorkerInfo{ID: "1"}}, {Worker: &WorkerInfo{ID: "2"}}, {Driver: &DriverRecord{ID: "runs", Number: 1, Worker: "1"}},
		{Driver: &DriverRecord{ID: "unheard", Number: 2, Worker: "1"}}, {Driver: &DriverRecord{ID: "unwanted", Number: 3, Worker: "1", Killed: true}},
		{Driver: &DriverRecord{ID: "lost", Number: 4, Worker: "2"}}}
	m = newMaster(t, DefaultConfig())
	m.step(Recovered{Records: records})
	m.step(WorkerRegistered{Peer: 1, Info: WorkerInfo{ID: "1", Cores: 9, Memory: 100}, Drivers: []HeldDriver{{ID: "runs"}}})
	if !reflect.DeepEqual(m.told[1], []Message{LaunchDriver{ID: "unheard"}}) {
		t.Errorf("after an election the worker was told %+v", m.told[1])
	}
	m.wait(40 * time.Second)
	m.step(Heartbeat{1, "1"})
	m.wait(30 * time.Second)
	ends := map[string]DriverState{}
	for _, d := range m.s.over {
		ends[d.id] = d.state
	}
	if want := map[string]DriverState{"unwanted": Killed, "lost": Errored}; !reflect.DeepEqual(ends, want) {
		t.Errorf("ended %v, want %v", ends, want)
	}
}

// TestClockJumps is D20: when the wall clock of the master's machine is set by an hour, no worker is taken for dead, and one that is
// silent still is noticed in time.
func TestClockJumps(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		m := newMaster(t, DefaultConfig())
		m.now = time.Now()
		m.worker(1, "1", 2, 100)
		m.app(2, 1, 0, 1, 10)
		set := m.now
		*(*uint64)(unsafe.Pointer(&set)) += uint64(by/time.Second) << 30 // the wall clock's seconds, above its nanoseconds (package time)
		if !set.Equal(m.now) || set.Unix() != m.now.Add(by).Unix() {
			t.Fatalf("the form of times has changed: %v became %v", m.now, set)
		}
		m.now = set
		m.wait(30 * time.Second)
		m.step(Heartbeat{1, "1"})
		m.wait(55 * time.Second)
		if m.s.workers["1"].dead {
			t.Errorf("a worker died as the clock was set by %v", by)
		}
		m.wait(10 * time.Second)
		if !m.s.workers["1"].dead {
			t.Errorf("a silent worker lives on, the clock was set by %v", by)
		}
	}
}
