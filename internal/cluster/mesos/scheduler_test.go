package mesos

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

func testLimits() limits {
	return limits{cores: 1, memory: 512, refuse: 5, refuseUnmet: 120, refuseReached: 60}
}

func noInfo(event.ExecutorID, *offer, int) taskInfo { return taskInfo{} }

// script drives a scheduler and writes down what it does, one word an action.
type script struct {
	t   *testing.T
	s   *scheduler
	now time.Time
	ids map[string]string // of tasks by what they are called in updates
}

func newScript(t *testing.T, l limits, level int) *script {
	x := &script{t: t, s: newScheduler(l, "app.", noInfo), now: time.Unix(1000, 0)}
	x.expect("", scaled{level})
	x.expect("", subscribed{})
	return x
}

func (x *script) expect(want string, events ...any) {
	x.t.Helper()
	var words []string
	for _, e := range events {
		for _, a := range x.s.step(x.now, e) {
			words = append(words, word(a))
		}
	}
	if got := strings.Join(words, " "); got != want {
		x.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func word(a any) string {
	switch a := a.(type) {
	case notify:
		switch n := a.notice.(type) {
		case cluster.Exited:
			w := fmt.Sprintf("exited:%s:%d", n.ID, n.Code)
			if n.PlatformFault {
				w += ":platform"
			}
			if n.HostLost {
				w += ":host"
			}
			return w
		case cluster.Failed:
			return "failed"
		}
	case warn:
		return "warn"
	case call:
		switch {
		case a.Accept != nil:
			w := "accept:" + a.Accept.OfferIDs[0].Value
			for _, t := range a.Accept.Operations[0].Launch.TaskInfos {
				w += ":" + t.TaskID.Value
			}
			return w
		case a.Decline != nil:
			return fmt.Sprintf("decline:%s:%g", a.Decline.OfferIDs[0].Value, a.Decline.Filters.RefuseSeconds)
		case a.Kill != nil:
			return "kill:" + a.Kill.TaskID.Value
		case a.Acknowledge != nil:
			return "ack:" + a.Acknowledge.TaskID.Value
		case a.Reconcile != nil:
			w := "reconcile"
			for _, t := range a.Reconcile.Tasks {
				w += ":" + t.TaskID.Value
			}
			return w
		}
		return strings.ToLower(a.Type)
	}
	return fmt.Sprintf("%T", a)
}

func anOffer(id, agent string, cpus, mem float64) offer {
	return offer{ID: ident{id}, AgentID: ident{agent}, Hostname: agent, Resources: []resource{
		{Name: "cpus", Type: "SCALAR", Scalar: &scalar{cpus}}, {Name: "mem", Type: "SCALAR", Scalar: &scalar{mem}},
		{Name: "ports", Type: "RANGES", Ranges: &ranges{[]span{{31000, 31009}}}}}}
}

func offers(list ...offer) received {
	var e received
	e.Offers = &struct {
		Offers []offer `json:"offers"`
	}{list}
	return e
}

func update(task, state string) received {
	return updateOf(status{TaskID: ident{task}, AgentID: &ident{"a"}, State: state, UUID: "u"})
}

func updateOf(s status) received {
	var e received
	e.Update = &struct {
		Status status `json:"status"`
	}{s}
	return e
}

func TestExecutorsGoRoundTheOffers(t *testing.T) {
	x := newScript(t, testLimits(), 3)
	x.expect("accept:o1:app.1:app.3 accept:o2:app.2 suppress", offers(anOffer("o1", "a", 4, 4096), anOffer("o2", "b", 1, 4096)))
	x.expect("ack:app.1", update("app.1", "TASK_RUNNING"))
	x.expect("decline:o3:5", offers(anOffer("o3", "a", 4, 4096))) // it was under way when offers were suppressed
	x.expect("revive accept:o4:app.4 suppress", scaled{4}, offers(anOffer("o4", "a", 4, 4096)))
	// Fewer are wanted: those that have not started go, the newest first; the running one stays.
	x.expect("kill:app.4 kill:app.3 kill:app.2", scaled{0})
}

func TestCoresMax(t *testing.T) {
	l := testLimits()
	l.cores, l.coresMax = 2, 5
	x := newScript(t, l, 100)
	x.expect("accept:o:app.1:app.2 suppress", offers(anOffer("o", "a", 16, 16384)))
	x.expect("decline:p:60", offers(anOffer("p", "b", 16, 16384)))
	// What is being killed holds its cores until it has ended.
	x.expect("kill:app.1", killed{[]event.ExecutorID{"1"}})
	x.expect("ack:app.1 exited:1:-1:platform revive", update("app.1", "TASK_KILLED"))

	l.cores = 0 // all whole cores of an offer
	x = newScript(t, l, 100)
	x.expect("accept:o:app.1 accept:p:app.2 suppress", offers(anOffer("o", "a", 3.9, 8192), anOffer("p", "b", 8, 8192)))
	if a, b := x.s.tasks["1"].cores, x.s.tasks["2"].cores; a != 3 || b != 2 {
		t.Errorf("%d and %d cores", a, b)
	}
}

func TestConstraintsAndPorts(t *testing.T) {
	text := func(name, value string) attribute {
		return attribute{Name: name, Text: &struct {
			Value string `json:"value"`
		}{value}}
	}
	agent := []attribute{text("rack", "r1"), {Name: "level", Scalar: &scalar{3}}, {Name: "slots", Ranges: &ranges{[]span{{1, 4}, {9, 9}}}}}
	for c, want := range map[string]bool{
		"": true, "rack:r1": true, "rack:r0,r1": true, "rack:r2": false, "rack": true, "rack:": true, "disk": false, "level:3": true, "level:2.5": true,
		"level:4": false, "level:9,1": true, "level:x": false, "slots:9": true, "slots:5": false, "rack:r1;level:2": true, "rack:r1;level:4": false,
	} {
		list, err := parseConstraints(c)
		if err != nil {
			t.Fatal(err)
		}
		o := anOffer("o", "a", 1, 1)
		o.Attributes = agent
		s := newScheduler(limits{constraints: list}, "", noInfo)
		if s.meets(&o) != want {
			t.Errorf("%q: %v", c, !want)
		}
	}
	if _, err := parseConstraints("rack:r1;:x"); err == nil {
		t.Error("a constraint without attribute")
	}
	l := testLimits()
	l.constraints = []constraint{{"rack", []string{"r1"}}}
	l.port = 31005
	x := newScript(t, l, 9)
	good := anOffer("o", "a", 4, 4096)
	good.Attributes = agent
	// A port makes it one executor on each agent.
	x.expect("accept:o:app.1 decline:p:120", offers(good, anOffer("p", "b", 4, 4096)))
}

// TestReservations: what a task takes names the reservations that it comes from.
func TestReservations(t *testing.T) {
	o := anOffer("o", "a", 1, 600)
	own := resource{Name: "cpus", Type: "SCALAR", Scalar: &scalar{0.7}, Reservations: []byte(`[{"type":"STATIC","role":"spark"}]`)}
	o.Resources = append([]resource{own}, o.Resources...)
	s := newStock(&o)
	parts := s.take("cpus", 1)
	if len(parts) != 2 || parts[0].Scalar.Value != 0.7 || string(parts[0].Reservations) != string(own.Reservations) || parts[1].Scalar.Value != 0.3 {
		t.Errorf("%+v", parts)
	}
	if got := s.amount("cpus"); got != 0.7 || o.Resources[0].Scalar.Value != 0.7 {
		t.Errorf("%g are left, the offer has %g", got, o.Resources[0].Scalar.Value)
	}
	p := s.takePort(31005)
	if len(p) != 1 || s.hasPort(31005) || !s.hasPort(31004) || !s.hasPort(31006) || s.takePort(31005) != nil {
		t.Errorf("%+v, left %+v", p, s.left)
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		s    status
		want string
	}{
		{status{State: "TASK_FINISHED", Message: "Command exited with status 0"}, "exited:1:0"},
		{status{State: "TASK_FAILED", Message: "Command exited with status 3"}, "exited:1:3"},
		{status{State: "TASK_FAILED", Message: "Command terminated with signal Killed"}, "exited:1:137"},
		{status{State: "TASK_FAILED", Message: "Command terminated with signal Segmentation fault (core dumped)"}, "exited:1:139"},
		{status{State: "TASK_FAILED", Reason: "REASON_CONTAINER_LIMITATION_MEMORY"}, "exited:1:137"},
		{status{State: "TASK_FAILED", Reason: "REASON_EXECUTOR_TERMINATED"}, "exited:1:-1"},
		{status{State: "TASK_ERROR", Reason: "REASON_TASK_INVALID"}, "exited:1:-1"},
		{status{State: "TASK_KILLED"}, "exited:1:-1:platform"},
		{status{State: "TASK_DROPPED"}, "exited:1:-1:platform"},
		{status{State: "TASK_LOST", Reason: "REASON_INVALID_OFFERS"}, "exited:1:-1:platform"},
		{status{State: "TASK_LOST", Reason: "REASON_AGENT_DISCONNECTED"}, "exited:1:-1:platform:host"},
		{status{State: "TASK_UNREACHABLE"}, "exited:1:-1:platform:host"},
		{status{State: "TASK_GONE_BY_OPERATOR"}, "exited:1:-1:platform:host"},
	} {
		x := newScript(t, testLimits(), 1)
		x.expect("accept:o:app.1 suppress", offers(anOffer("o", "a", 1, 512)))
		c.s.TaskID, c.s.AgentID = ident{"app.1"}, &ident{"a"}
		if c.s.State != "TASK_FINISHED" { // one that the driver told to leave is no failure
			c.want += " warn"
		}
		x.expect(c.want+" revive", updateOf(c.s))
		x.expect("accept:p:app.2 suppress", offers(anOffer("p", "a", 1, 512))) // never the same id again
		x.expect("", updateOf(c.s))                                            // the update comes again
	}
}

// TestLostAgentComesBack: what was replaced is killed when it turns up.
func TestLostAgentComesBack(t *testing.T) {
	x := newScript(t, testLimits(), 1)
	x.expect("accept:o:app.1 suppress", offers(anOffer("o", "a", 1, 512)))
	x.expect("exited:1:-1:platform:host warn revive", received{Failure: &failureMsg{AgentID: &ident{"a"}}})
	x.expect("accept:p:app.2 suppress", offers(anOffer("p", "b", 1, 512)))
	x.expect("ack:app.1 kill:app.1", update("app.1", "TASK_RUNNING"))
	x.expect("ack:other.7 kill:other.7", update("other.7", "TASK_RUNNING")) // of an earlier life of the framework
}

func TestFailOver(t *testing.T) {
	x := newScript(t, testLimits(), 3)
	x.expect("accept:o:app.1:app.2:app.3 suppress", offers(anOffer("o", "a", 3, 4096)))
	x.expect("ack:app.1 ack:app.2", update("app.1", "TASK_RUNNING"), update("app.2", "TASK_RUNNING"))
	x.expect("", broken{}, killed{[]event.ExecutorID{"3"}})
	x.expect("kill:app.3 reconcile reconcile:app.1:app.2:app.3", subscribed{again: true})
	x.expect("", updateOf(status{TaskID: ident{"app.1"}, State: "TASK_RUNNING", Reason: "REASON_RECONCILIATION"}), ticked{})
	x.now = x.now.Add(askAgain)
	x.expect("kill:app.3 reconcile:app.2:app.3", ticked{}) // the master said nothing of two
	unknown := updateOf(status{TaskID: ident{"app.2"}, State: "TASK_UNKNOWN", Reason: "REASON_RECONCILIATION"})
	x.expect("", unknown) // its agent may still register
	x.now = x.now.Add(2 * askAgain)
	x.expect("kill:app.3 reconcile:app.2:app.3", ticked{})
	x.now = x.now.Add(doubt)
	x.expect("exited:2:-1:platform warn revive", unknown)
	x.expect("exited:3:-1:platform revive", updateOf(status{TaskID: ident{"app.3"}, State: "TASK_UNKNOWN"}))
}

func TestLostCalls(t *testing.T) {
	x := newScript(t, testLimits(), 1)
	o := anOffer("o", "a", 1, 512)
	accept := x.s.step(x.now, offers(o))[0].(call)
	x.expect("", unsent{accept}, ticked{})
	x.now = x.now.Add(askAgain)
	x.expect("reconcile:app.1", ticked{})
	x.expect("exited:1:-1:platform warn revive", updateOf(status{TaskID: ident{"app.1"}, State: "TASK_DROPPED"}))
	x.expect("", unsent{call{Type: "REVIVE"}}, ticked{})
	x.now = x.now.Add(askAgain)
	x.expect("revive", ticked{})
	x.expect("", ticked{})
}

func TestFailures(t *testing.T) {
	fail := func(n int) received {
		return updateOf(status{TaskID: ident{fmt.Sprintf("app.%d", n)}, AgentID: &ident{"a"}, State: "TASK_FAILED"})
	}
	x := newScript(t, testLimits(), 1)
	x.expect("accept:o:app.1 suppress", offers(anOffer("o", "a", 1, 512)))
	x.expect("exited:1:-1 warn revive accept:o:app.2 suppress", fail(1), offers(anOffer("o", "a", 1, 512)))
	x.expect("exited:2:-1 warn warn revive", fail(2))
	// There is another agent, so there is hope; and then there is none.
	x.now = x.now.Add(time.Second)
	x.expect("decline:o:5 accept:p:app.3 suppress", offers(anOffer("o", "a", 1, 512), anOffer("p", "b", 1, 512)))
	x.expect("exited:3:-1 warn revive", fail(3))
	x.now = x.now.Add(2 * time.Second)
	x.expect("accept:p:app.4 suppress", offers(anOffer("p", "b", 1, 512)))
	x.expect("exited:4:-1 warn warn failed", fail(4))

	l := testLimits()
	l.maxFailures = 100
	x = newScript(t, l, 1)
	x.expect("accept:o:app.1 suppress exited:1:-1 warn revive accept:o:app.2 suppress exited:2:-1 warn warn revive",
		offers(anOffer("o", "a", 1, 512)), fail(1), offers(anOffer("o", "a", 1, 512)), fail(2))
	x.now = x.now.Add(time.Second)
	x.expect("decline:o:5 failed suppress", offers(anOffer("o", "a", 1, 512))) // on the only agent
	x.expect("", received{Error: &errorMsg{"Framework failed over"}})
}

// TestDroppedTasks: tasks that end before they run are replaced slower and slower, and an agent that cannot start them is left alone.
func TestDroppedTasks(t *testing.T) {
	drop := func(n int, reason string) received {
		return updateOf(status{TaskID: ident{fmt.Sprintf("app.%d", n)}, AgentID: &ident{"a"}, State: "TASK_DROPPED", Reason: reason})
	}
	x := newScript(t, testLimits(), 1)
	offer := func() received { return offers(anOffer("o", "a", 1, 512)) }
	x.expect("accept:o:app.1 suppress exited:1:-1:platform warn revive accept:o:app.2 suppress", offer(), drop(1, "REASON_INVALID_OFFERS"), offer())
	x.expect("exited:2:-1:platform warn revive decline:o:1", drop(2, "REASON_INVALID_OFFERS"), offer())
	x.now = x.now.Add(time.Second)
	x.expect("accept:o:app.3 suppress exited:3:-1:platform warn revive decline:o:2", offer(), drop(3, "REASON_INVALID_OFFERS"), offer())
	x.now = x.now.Add(2 * time.Second)
	x.expect("accept:o:app.4 suppress exited:4:-1 warn revive", offer(), drop(4, "REASON_EXECUTOR_TERMINATED"))
	x.now = x.now.Add(4 * time.Second)
	x.expect("accept:o:app.5 suppress exited:5:-1 warn warn revive", offer(), drop(5, "REASON_EXECUTOR_TERMINATED"))
	x.now = x.now.Add(time.Minute)
	x.expect("decline:o:5 failed suppress", offer())
}

// TestRecordedEvents: the scheduler takes the stream of a real master, with tasks that are not its own.
func TestRecordedEvents(t *testing.T) {
	x := newScript(t, testLimits(), 2)
	acks, kills, answers := 0, 0, 0
	owed, offered := 0, 0
	for _, e := range readAll(t, bytes.NewReader(recorded(t))) {
		if e.Update != nil && e.Update.Status.UUID != "" {
			owed++
		}
		if e.Offers != nil {
			offered += len(e.Offers.Offers)
		}
		for _, a := range x.s.step(x.now, e) {
			switch w := word(a); {
			case strings.HasPrefix(w, "ack:"):
				acks++
			case strings.HasPrefix(w, "kill:"):
				kills++
			case strings.HasPrefix(w, "accept:"), strings.HasPrefix(w, "decline:"):
				answers++
			}
		}
	}
	if owed == 0 || acks != owed || offered != answers || kills == 0 || !x.s.failed {
		t.Errorf("%d of %d updates acknowledged, %d of %d offers answered, %d foreign tasks killed, failed: %v", acks, owed, answers, offered, kills, x.s.failed)
	}
}

// TestAlways: whatever happens, in whatever order, offers are answered once, ids are new, and limits hold.
func TestAlways(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := testLimits()
		l.cores, l.coresMax = rapid.IntRange(0, 3).Draw(r, "cores"), rapid.SampledFrom([]int{0, 4, 9}).Draw(r, "max")
		l.maxFailures = 1000
		s := newScheduler(l, "x.", noInfo)
		used := map[string]bool{}
		told := map[event.ExecutorID]bool{}
		now := time.Unix(0, 0)
		n := 0
		states := []string{"TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_FAILED", "TASK_KILLED", "TASK_UNREACHABLE", "TASK_UNKNOWN", "TASK_FINISHED"}
		agents := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 700).Draw(r, "pause")) * time.Second)
			var e any
			open := map[string]bool{}
			some := event.ExecutorID(fmt.Sprint(rapid.IntRange(1, 12).Draw(r, "executor")))
			switch rapid.IntRange(0, 7).Draw(r, "event") {
			case 0:
				e = scaled{rapid.IntRange(0, 8).Draw(r, "level")}
			case 1:
				e = killed{[]event.ExecutorID{some}}
			case 2:
				e = subscribed{rapid.Bool().Draw(r, "again")}
			case 3:
				e = broken{}
			case 4:
				e = ticked{}
			case 5:
				e = received{Failure: &failureMsg{AgentID: &ident{agents.Draw(r, "agent")}}}
			case 6:
				e = updateOf(status{TaskID: ident{"x." + string(some)}, AgentID: &ident{"a"}, State: rapid.SampledFrom(states).Draw(r, "state")})
			default:
				var list []offer
				for range rapid.IntRange(1, 3).Draw(r, "offers") {
					n++
					id := fmt.Sprint("o", n)
					open[id] = true
					list = append(list, anOffer(id, agents.Draw(r, "agent"), rapid.Float64Range(0, 6).Draw(r, "cpus"), rapid.Float64Range(0, 2048).Draw(r, "mem")))
				}
				e = offers(list...)
			}
			for _, a := range s.step(now, e) {
				switch a := a.(type) {
				case call:
					var answered []ident
					if a.Accept != nil {
						answered = a.Accept.OfferIDs
						for _, t := range a.Accept.Operations[0].Launch.TaskInfos {
							if used[t.TaskID.Value] {
								r.Fatalf("the task id %s is used again", t.TaskID.Value)
							}
							used[t.TaskID.Value] = true
						}
					} else if a.Decline != nil {
						answered = a.Decline.OfferIDs
					}
					for _, id := range answered {
						if !open[id.Value] {
							r.Fatalf("offer %s is answered again", id.Value)
						}
						delete(open, id.Value)
					}
				case notify:
					if x, ok := a.notice.(cluster.Exited); ok {
						if told[x.ID] || !used["x."+string(x.ID)] {
							r.Fatalf("the end of %s is told twice, or of nothing", x.ID)
						}
						told[x.ID] = true
					}
				}
			}
			if len(open) > 0 {
				r.Fatalf("offers without answer: %v", open)
			}
			if l.coresMax > 0 && s.used() > l.coresMax {
				r.Fatalf("%d cores are used", s.used())
			}
			running := slices.ContainsFunc(s.ids(), func(id event.ExecutorID) bool { return s.tasks[id].running })
			if s.up && s.alive() > s.level && !running {
				r.Fatalf("%d executors, %d wanted", s.alive(), s.level)
			}
		}
	})
}
