package mesos

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

// limits are the settings of the decisions.
type limits struct {
	cores       int     // of each executor; 0: all whole ones of an offer
	coresMax    int     // of all executors together; 0: no limit
	memory      float64 // MiB of each executor, overhead included
	port        uint64  // that each executor listens on; 0: any
	constraints []constraint
	// How long offers are refused for, in seconds: by constraints, when spark.cores.max is reached, and for other reasons.
	refuseUnmet, refuseReached, refuse float64
	maxFailures                        int           // of executors before the application fails; 0: twice the most that ran, at least 3
	failureWindow                      time.Duration // 0: for ever
}

// The fixed rules.
const (
	// maxAgentFailures is how many executors may fail on an agent before no more are started there.
	maxAgentFailures = 2
	// restFirst and restMost are the first and the longest pause when tasks end before they have run. The first one that
	// does is replaced at once: its offer may just have been taken back.
	restFirst, restMost = time.Second, time.Minute
	// reconcileEvery is how often the master is asked for the state of all tasks, in case an update was lost.
	reconcileEvery = 10 * time.Minute
	// askAgain and askAgainMost are the first and the longest pause before the master is asked again.
	askAgain, askAgainMost = 5 * time.Second, time.Minute
	// doubt is how long after a stream has begun a master that does not know a task's agent is not believed: it may have just begun
	// to lead, and agents register with it one after the other.
	doubt = 30 * time.Second
)

// task is a task that counts, an executor.
type task struct {
	agent, host string
	cores       int
	running     bool
	// unsure: the master has not confirmed it since it was asked.
	unsure bool
	// dismissed says why it was killed; its end is then told with this reason.
	dismissed string
}

// The events of the scheduler besides the master's.
type (
	scaled     struct{ total int }
	killed     struct{ ids []event.ExecutorID }
	broken     struct{}            // the stream ended
	unsent     struct{ call call } // a call could not be delivered
	ticked     struct{}
	subscribed struct{ again bool } // a stream begins; again: not the first one
)

// The actions of the scheduler: calls, and these.
type (
	notify struct{ notice cluster.Notice }
	warn   struct{ text string }
)

// scheduler decides what to do with offers and tasks. It has no clock and does nothing itself.
type scheduler struct {
	limits
	prefix string // of task ids, which are unique in the life of a framework
	info   func(id event.ExecutorID, o *offer, cores int) taskInfo

	level    int
	last     int // number of the newest executor
	tasks    map[event.ExecutorID]*task
	most     int            // executors at the same time, so far
	bad      map[string]int // failures by agent
	seen     map[string]bool
	flops    int       // tasks in a row that ended before they ran
	resting  time.Time // no task is started before
	failures []time.Time
	up       bool
	quiet    bool // offers are suppressed
	owed     bool // the last request for offers was not delivered
	failed   bool

	since   time.Time // when the stream began
	nextAsk time.Time // when to reconcile again
	pause   time.Duration
	out     []any
}

func newScheduler(l limits, prefix string, info func(event.ExecutorID, *offer, int) taskInfo) *scheduler {
	return &scheduler{limits: l, prefix: prefix, info: info, tasks: map[event.ExecutorID]*task{}, bad: map[string]int{}, seen: map[string]bool{}}
}

// step takes an event at a time and says what to do.
func (s *scheduler) step(now time.Time, e any) []any {
	switch e := e.(type) {
	case scaled:
		s.scale(e.total)
	case killed:
		for _, id := range e.ids {
			s.dismiss(id, "killed by request of the driver")
		}
	case subscribed:
		s.subscribe(now, e.again)
	case broken:
		s.up = false
	case unsent:
		s.notDelivered(now, &e.call)
	case ticked:
		s.tick(now)
	case received:
		s.receive(now, &e)
	}
	s.balance()
	out := s.out
	s.out = nil
	return out
}

func (s *scheduler) do(action any) { s.out = append(s.out, action) }

func (s *scheduler) receive(now time.Time, e *received) {
	switch {
	case e.Offers != nil:
		s.consider(now, e.Offers.Offers)
	case e.Update != nil:
		s.update(now, &e.Update.Status)
	case e.Failure != nil && e.Failure.AgentID != nil && e.Failure.ExecutorID == nil:
		s.agentLost(now, e.Failure.AgentID.Value)
	case e.Error != nil:
		s.fail(fmt.Errorf("the Mesos master removed the framework: %s", e.Error.Message))
	}
}

// scale changes the level. Filters of earlier refusals must not delay what is wanted now.
func (s *scheduler) scale(total int) {
	rises := total > s.level
	s.level = total
	if rises && s.up && s.wants() {
		s.revive()
	}
}

func (s *scheduler) revive() {
	s.quiet, s.owed = false, false
	s.do(call{Type: "REVIVE"})
}

// subscribe begins with a new stream: the master has no suppression of it, and may know other tasks than the scheduler.
func (s *scheduler) subscribe(now time.Time, again bool) {
	s.up, s.quiet, s.owed, s.since = true, false, false, now
	for _, id := range s.ids() {
		t := s.tasks[id]
		t.unsure = true
		if t.dismissed != "" {
			s.kill(id, t)
		}
	}
	if again {
		s.do(call{Type: "RECONCILE", Reconcile: &reconcileCall{Tasks: []killCall{}}}) // also what the scheduler does not know
		s.pause = askAgain
		s.ask(now)
	} else {
		s.nextAsk, s.pause = now.Add(reconcileEvery), askAgain
	}
}

// ask asks for the state of all tasks that are unsure. A master that has just begun may not know yet, and says nothing.
func (s *scheduler) ask(now time.Time) {
	var list []killCall
	for _, id := range s.ids() {
		if t := s.tasks[id]; t.unsure {
			list = append(list, killCall{ident{s.prefix + string(id)}, &ident{t.agent}})
		}
	}
	if len(list) == 0 {
		s.nextAsk, s.pause = now.Add(reconcileEvery), askAgain
		return
	}
	s.do(call{Type: "RECONCILE", Reconcile: &reconcileCall{Tasks: list}})
	s.nextAsk = now.Add(s.pause)
	s.pause = min(2*s.pause, askAgainMost)
}

func (s *scheduler) tick(now time.Time) {
	if !s.up || now.Before(s.nextAsk) {
		return
	}
	if s.pause == askAgain { // a new round
		for _, t := range s.tasks {
			t.unsure = true
		}
	}
	for _, id := range s.ids() {
		if t := s.tasks[id]; t.dismissed != "" {
			s.kill(id, t) // the first request may have been lost
		}
	}
	if s.owed && s.wants() {
		s.revive()
	}
	s.ask(now)
}

// notDelivered mends what a lost call leaves: tasks that may not have been started are asked for, and wishes are said again.
func (s *scheduler) notDelivered(now time.Time, c *call) {
	switch c.Type {
	case "ACCEPT":
		for i := range c.Accept.Operations {
			for _, t := range c.Accept.Operations[i].Launch.TaskInfos {
				if known := s.tasks[s.executor(t.TaskID.Value)]; known != nil {
					known.unsure = true
				}
			}
		}
	case "KILL", "RECONCILE", "REVIVE":
	default:
		return // the master sends it again, or offers again
	}
	s.owed = s.owed || c.Type == "REVIVE"
	s.pause = 2 * askAgain
	s.nextAsk = now.Add(askAgain)
}

// executor is the id of the executor that a task is; "" if the task is of another life of the framework.
func (s *scheduler) executor(task string) event.ExecutorID {
	id, ok := strings.CutPrefix(task, s.prefix)
	if !ok {
		return ""
	}
	return event.ExecutorID(id)
}

// dismiss kills a task that is not wanted any more.
func (s *scheduler) dismiss(id event.ExecutorID, reason string) {
	if t := s.tasks[id]; t != nil && t.dismissed == "" {
		t.dismissed = reason
		s.kill(id, t)
	}
}

func (s *scheduler) kill(id event.ExecutorID, t *task) {
	if s.up {
		s.do(call{Type: "KILL", Kill: &killCall{ident{s.prefix + string(id)}, &ident{t.agent}}})
	}
}

// consider answers offers: executors are placed one at a time on each offer in turn, as long as any fits.
func (s *scheduler) consider(now time.Time, offers []offer) {
	stocks := make([]*stock, len(offers))
	launched := make([][]taskInfo, len(offers))
	for i := range offers {
		s.seen[offers[i].AgentID.Value] = true
		stocks[i] = newStock(&offers[i])
	}
	for placed := !now.Before(s.resting); placed; {
		placed = false
		for i := range offers {
			if t, ok := s.place(&offers[i], stocks[i]); ok {
				launched[i] = append(launched[i], t)
				placed = true
			}
		}
	}
	for i := range offers {
		if len(launched[i]) == 0 {
			s.do(call{Type: "DECLINE", Decline: &declineCall{[]ident{offers[i].ID}, filters{s.refusal(now, &offers[i])}}})
			continue
		}
		op := operation{Type: "LAUNCH"}
		op.Launch.TaskInfos = launched[i]
		s.do(call{Type: "ACCEPT", Accept: &acceptCall{[]ident{offers[i].ID}, []operation{op}, filters{s.refuse}}})
	}
	s.hopeless()
}

// place puts one more executor on an offer, if it may and fits.
func (s *scheduler) place(o *offer, left *stock) (taskInfo, bool) {
	if s.failed || !s.meets(o) || s.bad[o.AgentID.Value] >= maxAgentFailures || !s.wants() {
		return taskInfo{}, false
	}
	cores := s.cores
	if cores == 0 {
		cores = int(math.Floor(left.amount("cpus")))
		if s.coresMax > 0 {
			cores = min(cores, s.coresMax-s.used())
		}
	}
	if cores < 1 || left.amount("cpus") < float64(cores) || left.amount("mem") < s.memory || s.port != 0 && !left.hasPort(s.port) {
		return taskInfo{}, false
	}
	s.last++
	id := event.ExecutorID(strconv.Itoa(s.last))
	t := s.info(id, o, cores)
	t.TaskID, t.AgentID = ident{s.prefix + string(id)}, o.AgentID
	t.Resources = append(left.take("cpus", float64(cores)), left.take("mem", s.memory)...)
	if s.port != 0 {
		t.Resources = append(t.Resources, left.takePort(s.port)...)
	}
	s.tasks[id] = &task{agent: o.AgentID.Value, host: o.Hostname, cores: cores}
	s.most = max(s.most, len(s.tasks))
	return t, true
}

func (s *scheduler) meets(o *offer) bool {
	return !slices.ContainsFunc(s.constraints, func(c constraint) bool { return !c.holds(o.Attributes) })
}

// refusal is for how long an offer that is declined should not come back.
func (s *scheduler) refusal(now time.Time, o *offer) float64 {
	switch {
	case now.Before(s.resting):
		return s.resting.Sub(now).Seconds()
	case !s.meets(o):
		return s.refuseUnmet
	case s.coresReached():
		return s.refuseReached
	}
	return s.refuse
}

// used counts the cores of all tasks, also of those that are being killed: they hold them.
func (s *scheduler) used() int {
	n := 0
	for _, t := range s.tasks {
		n += t.cores
	}
	return n
}

func (s *scheduler) coresReached() bool {
	return s.coresMax > 0 && s.used()+max(s.cores, 1) > s.coresMax
}

// alive counts the tasks that were not dismissed.
func (s *scheduler) alive() int {
	n := 0
	for _, t := range s.tasks {
		if t.dismissed == "" {
			n++
		}
	}
	return n
}

// wants says whether one more executor is wanted.
func (s *scheduler) wants() bool { return !s.failed && s.alive() < s.level && !s.coresReached() }

// balance takes back what has not started and is not needed any more, and turns offers on and off.
func (s *scheduler) balance() {
	if over := s.alive() - s.level; over > 0 {
		ids := s.ids()
		slices.Reverse(ids)
		for _, id := range ids {
			if t := s.tasks[id]; over > 0 && !t.running && t.dismissed == "" {
				s.dismiss(id, "not needed any more before it had started")
				over--
			}
		}
	}
	switch wants := s.wants(); {
	case !s.up:
	case wants && s.quiet:
		s.revive()
	case !wants && !s.quiet:
		s.quiet = true
		s.do(call{Type: "SUPPRESS"})
	}
}

// ids are the tasks' ids, oldest first.
func (s *scheduler) ids() []event.ExecutorID {
	number := func(id event.ExecutorID) int { n, _ := strconv.Atoi(string(id)); return n }
	return slices.SortedFunc(maps.Keys(s.tasks), func(a, b event.ExecutorID) int { return cmp.Compare(number(a), number(b)) })
}

// update takes the state of a task. Updates may come again, and out of order with other news.
func (s *scheduler) update(now time.Time, u *status) {
	if u.UUID != "" && u.AgentID != nil {
		s.do(call{Type: "ACKNOWLEDGE", Acknowledge: &acknowledgeCall{*u.AgentID, u.TaskID, u.UUID}})
	}
	id := s.executor(u.TaskID.Value)
	t := s.tasks[id]
	end, over := ending(u)
	switch {
	case t == nil && !over: // of another life, or given up for lost: its place is taken
		s.do(call{Type: "KILL", Kill: &killCall{u.TaskID, u.AgentID}})
	case t == nil:
	case t.dismissed == "" && doubtful(u, s.since, now):
		t.unsure = true
	case !over:
		t.unsure = false
		if u.State == "TASK_RUNNING" {
			t.running, s.flops = true, 0
		}
	default:
		s.bury(now, id, end)
	}
}

// doubtful says that a master does not know a task that it may soon know.
func doubtful(u *status, since, now time.Time) bool {
	return u.State == "TASK_UNKNOWN" && now.Before(since.Add(doubt))
}

// bury removes an executor and tells its end. One that was not dismissed and that no platform fault ended has failed.
func (s *scheduler) bury(now time.Time, id event.ExecutorID, e cluster.Exited) {
	t := s.tasks[id]
	delete(s.tasks, id)
	e.ID = id
	if !t.running && t.dismissed == "" {
		if s.flops++; s.flops > 1 {
			s.resting = now.Add(min(restFirst<<min(s.flops-2, 10), restMost))
		}
	}
	if t.dismissed != "" {
		e.Reason, e.PlatformFault = t.dismissed, true
	}
	s.do(notify{e})
	if t.dismissed == "" && e.Code != 0 { // status 0: the driver told it to leave
		s.do(warn{fmt.Sprintf("executor %s on %s ended: %s", id, t.host, e.Reason)})
	}
	if !e.PlatformFault && e.Code != 0 {
		s.blame(now, t.agent, e.Reason)
	}
	if s.up && s.wants() {
		s.revive()
	}
}

func (s *scheduler) blame(now time.Time, agent, why string) {
	if s.bad[agent]++; s.bad[agent] == maxAgentFailures {
		s.do(warn{fmt.Sprintf("no more executors are started on agent %s, where %d have failed", agent, maxAgentFailures)})
	}
	s.failures = append(s.failures, now)
	if s.failureWindow > 0 {
		s.failures = slices.DeleteFunc(s.failures, func(t time.Time) bool { return now.Sub(t) > s.failureWindow })
	}
	limit := s.maxFailures
	if limit == 0 {
		limit = max(3, 2*s.most)
	}
	if len(s.failures) > limit {
		s.fail(fmt.Errorf("max number of executor failures (%d) reached; the last one: %s", limit, why))
	}
}

// hopeless gives up when nothing runs and executors have failed on every agent that there is.
func (s *scheduler) hopeless() {
	if len(s.tasks) > 0 || len(s.bad) == 0 {
		return
	}
	for agent := range s.seen {
		if s.bad[agent] < maxAgentFailures {
			return
		}
	}
	s.fail(fmt.Errorf("executors have failed %d times on each of the %d agents that offer resources, and no more are started there",
		maxAgentFailures, len(s.seen)))
}

func (s *scheduler) fail(err error) {
	if !s.failed {
		s.failed = true
		s.do(notify{cluster.Failed{Err: err}})
	}
}

// agentLost buries the executors of an agent that was removed. Should it come back, they are killed.
func (s *scheduler) agentLost(now time.Time, agent string) {
	delete(s.seen, agent)
	for _, id := range s.ids() {
		if s.tasks[id].agent == agent {
			s.bury(now, id, cluster.Exited{Code: -1, Reason: "its agent was lost", PlatformFault: true, HostLost: true})
		}
	}
}

// wake is when the scheduler wants to be ticked at the latest; zero if it waits for events only.
func (s *scheduler) wake() time.Time {
	if !s.up || len(s.tasks) == 0 && !s.owed {
		return time.Time{}
	}
	return s.nextAsk
}
