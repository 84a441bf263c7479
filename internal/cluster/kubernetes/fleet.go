package kubernetes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/event"
)

// limits are the settings of the decisions.
type limits struct {
	batch          int           // pods per round
	delay          time.Duration // between rounds; the first pause after a refusal
	maxDelay       time.Duration // the longest pause after refusals
	maxPending     int           // pods that have not started
	maximum        int           // pods in the whole life of the application
	pendingTimeout time.Duration // a pod that has not started by then is replaced
	stuckTimeout   time.Duration // the same for one whose container cannot be made, such as by a missing image
	maxFailures    int           // failures within failureWindow before the application fails; 0: twice the level, at least 3
	failureWindow  time.Duration // 0: for ever
	keep           bool          // pods that ended are not deleted
	patient        bool          // a pod that leaves is replaced when it has gone, not before
}

// pod is what the decisions know of an executor pod.
type pod struct {
	id      event.ExecutorID
	phase   phase
	stuck   string // why a pending pod does not start
	faulty  bool   // it will not start without help
	bound   bool   // it has a node, where it will start at any moment
	leaving bool   // it is being deleted
	grace   time.Duration
	end     ending // of an ended one
}

type phase uint8

const (
	asked   phase = iota // the API server has not answered
	pending              // made, not running
	running
	ended
)

// ending says how a pod ended.
type ending struct {
	code     int
	reason   string
	platform bool
	hostLost bool
	memory   bool // for want of it
}

// member is a pod that counts.
type member struct {
	phase phase
	since time.Time // when it was asked for
	known time.Time // when the API server said that it exists
	stuck string
	bound bool // and not faulty: it may run before this is told
	// dismissed says why the fleet deletes it; its end is then told with this reason.
	dismissed string
	leaving   bool // somebody else deletes it, which was told; its successor need not wait for its end
}

// The events of the fleet.
type (
	scaled  struct{ total int }
	killed  struct{ ids []event.ExecutorID }
	created struct {
		id      event.ExecutorID
		refusal error // nil: it exists
		// unknown: the request may have been carried out in spite of the error.
		unknown bool
		retry   time.Duration // the pause that the server asked for
	}
	observed struct{ pod pod }
	vanished struct{ id event.ExecutorID }
	// listed is a complete list of the application's pods that was asked for at a time.
	listed struct {
		asked time.Time
		pods  []pod
	}
	ticked struct{}
)

// The actions of the fleet.
type (
	createPod struct{ id event.ExecutorID }
	deletePod struct{ id event.ExecutorID }
	retirePod struct{ id event.ExecutorID } // it ended and is kept: take it off the selectors
	notify    struct{ notice cluster.Notice }
	warn      struct{ text string }
)

// fleet decides which pods should exist. It has no clock and does nothing itself.
type fleet struct {
	limits
	level    int
	last     int // number of the newest executor
	members  map[event.ExecutorID]*member
	failures []time.Time
	refusals int       // creations refused in a row
	next     time.Time // no creation before
	failed   bool
	out      []any
}

func newFleet(l limits) *fleet { return &fleet{limits: l, members: map[event.ExecutorID]*member{}} }

// step takes an event at a time and says what to do.
func (f *fleet) step(now time.Time, e any) []any {
	switch e := e.(type) {
	case scaled:
		f.level = e.total
	case killed:
		for _, id := range e.ids {
			f.dismiss(id, "killed by request of the driver")
		}
	case created:
		f.answered(now, e)
	case observed:
		f.observe(now, e.pod)
	case vanished:
		f.vanish(now, e.id)
	case listed:
		f.list(now, e)
	case ticked:
		f.expire(now)
	}
	f.allocate(now)
	out := f.out
	f.out = nil
	return out
}

func (f *fleet) do(action any) { f.out = append(f.out, action) }

// dismiss deletes a pod that is not wanted any more.
func (f *fleet) dismiss(id event.ExecutorID, reason string) {
	if m := f.members[id]; m != nil && m.dismissed == "" {
		m.dismissed = reason
		if m.phase != asked { // else it is deleted when the answer is there
			f.do(deletePod{id})
		}
	}
}

func (f *fleet) answered(now time.Time, e created) {
	m := f.members[e.id]
	if m == nil {
		return
	}
	if e.refusal != nil {
		f.refuse(now, e, m)
		return
	}
	f.refusals = 0
	m.known = now
	if m.phase == asked {
		m.phase = pending
	}
	if m.dismissed != "" {
		f.do(deletePod{e.id})
	}
}

// refuse takes note of a pod that could not be made: the pause before the next attempt doubles, and the application
// fails when there is no executor and there have been too many in a row.
func (f *fleet) refuse(now time.Time, e created, m *member) {
	delete(f.members, e.id)
	if e.unknown {
		f.do(deletePod{e.id})
	}
	f.do(notify{cluster.Exited{ID: e.id, Code: -1, Reason: "The pod could not be created: " + e.refusal.Error(), PlatformFault: true}})
	if m.dismissed != "" {
		return
	}
	f.refusals++
	pause := min(f.delay<<min(f.refusals-1, 16), f.maxDelay)
	f.next = now.Add(max(pause, e.retry))
	f.do(warn{fmt.Sprintf("executor %s could not be created, next attempt in %v: %v", e.id, max(pause, e.retry), e.refusal)})
	if f.refusals >= f.failureLimit() && f.alive() == 0 {
		f.fail(fmt.Errorf("no executor pod could be created in %d attempts: %w", f.refusals, e.refusal))
	}
}

func (f *fleet) observe(now time.Time, p pod) {
	m := f.members[p.id]
	if m == nil {
		return
	}
	if m.known.IsZero() {
		m.known = now
	}
	if p.phase == ended {
		f.bury(now, p.id, p.end)
		if f.keep && m.dismissed == "" {
			f.do(retirePod{p.id})
		} else {
			f.do(deletePod{p.id})
		}
		return
	}
	m.phase, m.stuck, m.bound = max(m.phase, p.phase), p.stuck, p.bound && !p.faulty
	if p.leaving && !m.leaving && m.dismissed == "" {
		m.leaving = true
		f.do(notify{cluster.Leaving{ID: p.id, Grace: p.grace, Reason: "its pod is being deleted"}})
	}
	if p.faulty && m.phase == pending && now.Sub(m.since) >= f.stuckTimeout {
		f.giveUp(now, p.id, p.stuck)
	}
}

// bury removes an executor and tells its end; one that was not dismissed and that no platform fault ended has failed.
func (f *fleet) bury(now time.Time, id event.ExecutorID, e ending) {
	m := f.members[id]
	delete(f.members, id)
	if m.dismissed != "" {
		e.reason, e.platform = m.dismissed, true
	}
	f.do(notify{cluster.Exited{ID: id, Code: e.code, Reason: e.reason, PlatformFault: e.platform, HostLost: e.hostLost, OutOfMemory: e.memory}})
	if !e.platform && e.code != 0 { // status 0: the driver told it to leave
		f.blame(now, id, e.reason)
	}
}

// giveUp replaces a pod that does not start.
func (f *fleet) giveUp(now time.Time, id event.ExecutorID, why string) {
	f.do(deletePod{id})
	delete(f.members, id)
	f.do(notify{cluster.Exited{ID: id, Code: -1, Reason: why, PlatformFault: true}})
	f.blame(now, id, why)
}

// blame counts a failure.
func (f *fleet) blame(now time.Time, id event.ExecutorID, why string) {
	f.do(warn{fmt.Sprintf("executor %s failed: %s", id, why)})
	f.failures = append(f.failures, now)
	if f.failureWindow > 0 {
		f.failures = slices.DeleteFunc(f.failures, func(t time.Time) bool { return now.Sub(t) > f.failureWindow })
	}
	if len(f.failures) > f.failureLimit() {
		f.fail(fmt.Errorf("max number of executor failures (%d) reached; the last one: %s", f.failureLimit(), why))
	}
}

func (f *fleet) failureLimit() int {
	if f.maxFailures > 0 {
		return f.maxFailures
	}
	return max(3, 2*f.level)
}

func (f *fleet) fail(err error) {
	if !f.failed {
		f.failed = true
		f.do(notify{cluster.Failed{Err: err}})
	}
}

const deletedReason = "The pod was deleted by a user or the cluster."

func (f *fleet) vanish(now time.Time, id event.ExecutorID) {
	if f.members[id] != nil {
		f.bury(now, id, ending{code: -1, reason: deletedReason, platform: true})
	}
}

// list compares with a complete list. A pod that was known to exist before the list was asked for and is not in it has
// gone, also if nobody told.
func (f *fleet) list(now time.Time, e listed) {
	seen := map[event.ExecutorID]bool{}
	for _, p := range e.pods {
		seen[p.id] = true
		f.observe(now, p)
	}
	for _, id := range f.ids() {
		if m := f.members[id]; !seen[id] && !m.known.IsZero() && m.known.Before(e.asked) {
			f.vanish(now, id)
		}
	}
}

// expire replaces pods that have been pending for too long.
func (f *fleet) expire(now time.Time) {
	for _, id := range f.ids() {
		m := f.members[id]
		if m.phase == pending && m.dismissed == "" && now.Sub(m.since) >= f.pendingTimeout {
			f.giveUp(now, id, fmt.Sprintf("The pod did not start within %v: %s", f.pendingTimeout, cmp.Or(m.stuck, "no reason is known")))
		}
	}
}

// ids are the members' ids, oldest first.
func (f *fleet) ids() []event.ExecutorID {
	number := func(id event.ExecutorID) int { n, _ := strconv.Atoi(string(id)); return n }
	return slices.SortedFunc(maps.Keys(f.members), func(a, b event.ExecutorID) int { return cmp.Compare(number(a), number(b)) })
}

// alive counts the members that are there to stay.
func (f *fleet) alive() int {
	n := 0
	for _, m := range f.members {
		if m.dismissed == "" && (!m.leaving || f.patient) {
			n++
		}
	}
	return n
}

// allocate asks for the pods that are missing, a batch at a time, or takes back those that have no node yet and are not
// needed any more, newest first.
func (f *fleet) allocate(now time.Time) {
	missing := f.level - f.alive()
	switch {
	case missing < 0:
		f.takeBack(-missing)
	case missing > 0 && !f.failed && !now.Before(f.next):
		waiting, open := f.unstarted()
		if open {
			return
		}
		n := min(missing, f.batch, f.maxPending-waiting, f.maximum-f.last)
		for range n {
			f.last++
			id := event.ExecutorID(strconv.Itoa(f.last))
			f.members[id] = &member{since: now}
			f.do(createPod{id})
		}
		if n > 0 {
			f.next = now.Add(f.delay)
		}
	}
}

// unstarted counts the pods that do not run yet, and says whether a request to create one is open.
func (f *fleet) unstarted() (n int, open bool) {
	for _, m := range f.members {
		if m.phase < running && !m.leaving {
			n++
		}
		open = open || m.phase == asked
	}
	return n, open
}

func (f *fleet) takeBack(n int) {
	ids := f.ids()
	slices.Reverse(ids)
	for _, id := range ids {
		if m := f.members[id]; n > 0 && m.phase < running && !m.bound && m.dismissed == "" && !m.leaving {
			f.dismiss(id, "not needed any more before it had started")
			n--
		}
	}
}

// wake is when the fleet wants to be ticked at the latest; zero if it waits for events only.
func (f *fleet) wake() time.Time {
	var at time.Time
	earlier := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if f.level > f.alive() && !f.failed {
		earlier(f.next)
	}
	for _, m := range f.members {
		if m.phase == pending && m.dismissed == "" {
			earlier(m.since.Add(f.pendingTimeout))
		}
	}
	return at
}
