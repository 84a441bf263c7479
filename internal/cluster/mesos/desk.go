package mesos

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/submission"
)

// The states of drivers, as clients are told them.
const (
	stateQueued   = "QUEUED"
	stateRunning  = "RUNNING" // launched
	stateRetrying = "RETRYING"
	stateFinished = "FINISHED"
	stateFailed   = "FAILED"
	stateKilled   = "KILLED"
)

// entry is a driver that was submitted. It is what the dispatcher remembers over a restart.
type entry struct {
	ID      string
	Driver  submission.Driver
	State   string
	Message string        `json:",omitempty"`
	Task    string        `json:",omitempty"` // of the present attempt
	Agent   string        `json:",omitempty"`
	Host    string        `json:",omitempty"`
	Retries int           `json:",omitempty"`
	Next    time.Time     `json:",omitzero"` // no attempt before
	Pause   time.Duration `json:",omitempty"`
	Asked   bool          `json:",omitempty"` // its end was asked for

	unsure      bool // the master has not confirmed the task since it was asked
	constraints []constraint
}

func (e *entry) waits() bool { return e.State == stateQueued || e.State == stateRetrying }
func (e *entry) over() bool {
	return e.State == stateFinished || e.State == stateFailed || e.State == stateKilled
}

// deskLimits are the settings of the decisions.
type deskLimits struct {
	queued, retained int
	retryMost        time.Duration
}

// The events of the desk besides the scheduler's, and its actions besides calls and warn.
type (
	newDriver struct {
		driver submission.Driver
		to     chan submission.Reply
	}
	killDriver struct {
		id string // "": all
		to chan submission.Reply
	}
	clearDrivers struct{ to chan submission.Reply }
	askDriver    struct {
		id string
		to chan submission.State
	}
	reply struct {
		to chan submission.Reply
		submission.Reply
	}
	tell struct {
		to chan submission.State
		submission.State
	}
	save struct{ drivers []*entry } // the drivers have changed
	note struct{ text string }
)

// desk decides when and where drivers run. It has no clock and does nothing itself.
type desk struct {
	deskLimits
	task func(e *entry, o *offer) (taskInfo, float64, error) // of an attempt, and its memory in MiB

	drivers []*entry // in the order in which they came
	last    int      // number of the newest one
	up      bool
	quiet   bool
	owed    bool
	since   time.Time // when the stream began
	nextAsk time.Time
	changed bool
	out     []any
}

// askDrivers is the pause between questions for the state of drivers' tasks.
const askDrivers = 15 * time.Second

// step takes an event at a time and says what to do.
func (d *desk) step(now time.Time, e any) []any {
	switch e := e.(type) {
	case newDriver:
		d.submit(now, e)
	case killDriver:
		d.kill(e)
	case clearDrivers:
		d.drivers = slices.DeleteFunc(d.drivers, (*entry).over)
		d.changed = true
		d.do(reply{e.to, submission.Reply{OK: true, Message: "Drivers that have ended are forgotten."}})
	case askDriver:
		d.do(tell{e.to, d.status(e.id)})
	case askPlace:
		d.do(tellPlace{e.to, d.placeOf(e.id)})
	case subscribed:
		d.subscribe(now)
	case broken:
		d.up = false
	case unsent:
		d.notDelivered(now, &e.call)
	case ticked:
		d.tick(now)
	case received:
		d.receive(now, &e)
	}
	d.balance(now)
	if d.changed {
		d.changed = false
		d.forgetOld()
		d.do(save{d.drivers})
	}
	out := d.out
	d.out = nil
	return out
}

func (d *desk) do(action any) { d.out = append(d.out, action) }

func (d *desk) find(id string) *entry {
	if i := slices.IndexFunc(d.drivers, func(e *entry) bool { return e.ID == id }); i >= 0 {
		return d.drivers[i]
	}
	return nil
}

func (d *desk) submit(now time.Time, q newDriver) {
	refuse := func(why string) { d.do(reply{q.to, submission.Reply{Message: why}}) }
	waiting := 0
	for _, e := range d.drivers {
		if e.waits() {
			waiting++
		}
	}
	if waiting >= d.queued {
		refuse(fmt.Sprintf("Already reached maximum submission size (spark.mesos.maxDrivers=%d)", d.queued))
		return
	}
	constraints, err := parseConstraints(q.driver.Conf["spark.mesos.driver.constraints"])
	if err != nil {
		refuse("spark.mesos.driver.constraints: " + err.Error())
		return
	}
	d.last++
	e := &entry{ID: fmt.Sprintf("driver-%s-%04d", now.UTC().Format("20060102150405"), d.last), Driver: q.driver, State: stateQueued, constraints: constraints}
	d.drivers = append(d.drivers, e)
	d.changed = true
	d.do(note{"driver " + e.ID + " was submitted: " + q.driver.Resource})
	d.do(reply{q.to, submission.Reply{OK: true, ID: e.ID, Message: "Driver submitted as " + e.ID}})
}

func (d *desk) kill(q killDriver) {
	if q.id == "" {
		for _, e := range d.drivers {
			d.end(e)
		}
		d.do(reply{q.to, submission.Reply{OK: true, Message: "Killing all drivers"}})
		return
	}
	e := d.find(q.id)
	if e == nil || e.over() {
		message := "Cannot find driver " + q.id
		if e != nil {
			message = "Driver already terminated"
		}
		d.do(reply{q.to, submission.Reply{ID: q.id, Message: message}})
		return
	}
	message := "Killing running driver"
	if e.waits() {
		message = "Removed driver while it's pending"
	}
	d.end(e)
	d.do(reply{q.to, submission.Reply{OK: true, ID: q.id, Message: message}})
}

// end ends a driver: at once if it waits.
func (d *desk) end(e *entry) {
	switch {
	case e.waits():
		d.finish(e, stateKilled, "killed on request")
	case e.State == stateRunning:
		e.Asked, d.changed = true, true
		d.killTask(e)
	}
}

func (d *desk) killTask(e *entry) {
	if d.up {
		d.do(call{Type: "KILL", Kill: &killCall{ident{e.Task}, &ident{e.Agent}}})
	}
}

func (d *desk) finish(e *entry, state, message string) {
	e.State, e.Message, e.Task, e.unsure = state, message, "", false
	e.Driver.Conf = map[string]string{"spark.app.name": e.Driver.Conf["spark.app.name"]} // the rest may be secret, and is of no use any more
	e.Driver.Env = nil
	d.changed = true
	d.do(note{"driver " + e.ID + " ended: " + state + ": " + message})
}

// forgetOld keeps so many drivers that have ended, the newest.
func (d *desk) forgetOld() {
	over := 0
	for _, e := range slices.Backward(d.drivers) {
		if e.over() {
			if over++; over > d.retained {
				d.drivers = slices.DeleteFunc(d.drivers, func(x *entry) bool { return x == e })
			}
		}
	}
}

func (d *desk) status(id string) submission.State {
	e := d.find(id)
	if e == nil {
		return submission.State{State: "NOT_FOUND"}
	}
	return submission.State{Found: true, State: e.State, Worker: e.Agent, Place: e.Host, Message: e.Message}
}

func (d *desk) subscribe(now time.Time) {
	d.up, d.quiet, d.owed, d.since = true, false, false, now
	for _, e := range d.drivers {
		if e.unsure = e.State == stateRunning; e.unsure && e.Asked {
			d.killTask(e)
		}
	}
	d.do(call{Type: "RECONCILE", Reconcile: &reconcileCall{Tasks: []killCall{}}}) // also what nobody remembers
	d.reconcile(now)
}

func (d *desk) reconcile(now time.Time) {
	var list []killCall
	for _, e := range d.drivers {
		if e.State == stateRunning && e.unsure {
			list = append(list, killCall{ident{e.Task}, &ident{e.Agent}})
		}
	}
	if d.nextAsk = now.Add(reconcileEvery); len(list) > 0 {
		d.do(call{Type: "RECONCILE", Reconcile: &reconcileCall{Tasks: list}})
		d.nextAsk = now.Add(askDrivers)
	}
}

func (d *desk) tick(now time.Time) {
	if !d.up || now.Before(d.nextAsk) {
		return
	}
	for _, e := range d.drivers {
		if e.State == stateRunning && e.Asked {
			d.killTask(e) // the first request may have been lost
		}
	}
	if d.owed {
		d.quiet = true // balance asks again
	}
	d.reconcile(now)
}

func (d *desk) notDelivered(now time.Time, c *call) {
	switch c.Type {
	case "ACCEPT":
		for _, t := range c.Accept.Operations[0].Launch.TaskInfos {
			if e := d.byTask(t.TaskID.Value); e != nil {
				e.unsure = true
			}
		}
	case "REVIVE":
		d.owed = true
	case "KILL", "RECONCILE":
	default:
		return
	}
	d.nextAsk = now.Add(askDrivers / 3)
}

func (d *desk) byTask(task string) *entry {
	if i := slices.IndexFunc(d.drivers, func(e *entry) bool { return e.Task == task && e.State == stateRunning }); i >= 0 {
		return d.drivers[i]
	}
	return nil
}

func (d *desk) receive(now time.Time, e *received) {
	switch {
	case e.Offers != nil:
		for i := range e.Offers.Offers {
			d.consider(now, &e.Offers.Offers[i])
		}
	case e.Update != nil:
		d.update(now, &e.Update.Status)
	case e.Failure != nil && e.Failure.AgentID != nil && e.Failure.ExecutorID == nil:
		for _, x := range d.drivers {
			if x.State == stateRunning && x.Agent == e.Failure.AgentID.Value {
				d.ended(now, x, cluster.Exited{Code: -1, Reason: "its agent was lost", PlatformFault: true})
			}
		}
	case e.Error != nil:
		d.do(warn{"the Mesos master removed the dispatcher: " + e.Error.Message})
	}
}

// consider launches as many waiting drivers on an offer as fit, first come first served.
func (d *desk) consider(now time.Time, o *offer) {
	left := newStock(o)
	var tasks []taskInfo
	for _, e := range d.drivers {
		if !e.waits() || now.Before(e.Next) || slices.ContainsFunc(e.constraints, func(c constraint) bool { return !c.holds(o.Attributes) }) {
			continue
		}
		if t, ok := d.place(e, o, left); ok {
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		d.do(call{Type: "DECLINE", Decline: &declineCall{[]ident{o.ID}, filters{defaultRefusal}}})
		return
	}
	op := operation{Type: "LAUNCH"}
	op.Launch.TaskInfos = tasks
	d.do(call{Type: "ACCEPT", Accept: &acceptCall{[]ident{o.ID}, []operation{op}, filters{defaultRefusal}}})
}

// defaultRefusal is for how many seconds what is not used is not offered again, as the API has it.
const defaultRefusal = 5

func (d *desk) place(e *entry, o *offer, left *stock) (taskInfo, bool) {
	t, memory, err := d.task(e, o)
	if err != nil {
		d.finish(e, stateFailed, err.Error())
		return t, false
	}
	cores := float64(e.Driver.Cores)
	if left.amount("cpus") < cores || left.amount("mem") < memory {
		return t, false
	}
	t.TaskID, t.AgentID = ident{t.TaskID.Value}, o.AgentID
	t.Resources = append(left.take("cpus", cores), left.take("mem", memory)...)
	e.State, e.Task, e.Agent, e.Host, e.Message = stateRunning, t.TaskID.Value, o.AgentID.Value, o.Hostname, ""
	d.changed = true
	d.do(note{fmt.Sprintf("driver %s is launched on %s", e.ID, o.Hostname)})
	return t, true
}

func (d *desk) update(now time.Time, u *status) {
	if u.UUID != "" && u.AgentID != nil {
		d.do(call{Type: "ACKNOWLEDGE", Acknowledge: &acknowledgeCall{*u.AgentID, u.TaskID, u.UUID}})
	}
	e := d.byTask(u.TaskID.Value)
	end, over := ending(u)
	switch {
	case e == nil && !over: // its place is taken, or it was given up
		d.do(call{Type: "KILL", Kill: &killCall{u.TaskID, u.AgentID}})
	case e == nil:
	case !e.Asked && doubtful(u, d.since, now):
		e.unsure = true
	case !over:
		e.unsure = false
	default:
		end.PlatformFault = end.PlatformFault && u.State != "TASK_KILLED"
		d.ended(now, e, end)
	}
}

// ended takes the end of an attempt. A driver that is supervised is launched again unless it was asked to end.
func (d *desk) ended(now time.Time, e *entry, x cluster.Exited) {
	switch {
	case e.Asked:
		d.finish(e, stateKilled, "killed on request")
	case x.Code == 0 && !x.PlatformFault:
		d.finish(e, stateFinished, x.Reason)
	case !e.Driver.Supervise:
		d.finish(e, stateFailed, x.Reason)
	default:
		e.Pause = min(max(2*e.Pause, time.Second), d.retryMost)
		e.State, e.Task, e.Message, e.Next, e.unsure = stateRetrying, "", x.Reason, now.Add(e.Pause), false
		e.Retries++
		d.changed = true
		d.do(warn{fmt.Sprintf("driver %s ended and is launched again in %v: %s", e.ID, e.Pause, x.Reason)})
	}
}

// balance turns offers on and off.
func (d *desk) balance(now time.Time) {
	wants := slices.ContainsFunc(d.drivers, func(e *entry) bool { return e.waits() && !now.Before(e.Next) })
	switch {
	case !d.up:
	case wants && d.quiet:
		d.quiet, d.owed = false, false
		d.do(call{Type: "REVIVE"})
	case !wants && !d.quiet:
		d.quiet = true
		d.do(call{Type: "SUPPRESS"})
	}
}

func (d *desk) wake() time.Time {
	at := time.Time{}
	if d.up && slices.ContainsFunc(d.drivers, func(e *entry) bool { return e.State == stateRunning }) || d.owed {
		at = d.nextAsk
	}
	for _, e := range d.drivers {
		if e.State == stateRetrying && (at.IsZero() || e.Next.Before(at)) {
			at = e.Next
		}
	}
	return at
}

// taskID is the id of the next attempt of a driver.
func (e *entry) taskID() string {
	if e.Retries == 0 {
		return e.ID
	}
	return fmt.Sprintf("%s-retry-%d", e.ID, e.Retries)
}

func (e *entry) name() string {
	return cmp.Or(strings.TrimSpace(e.Driver.Conf["spark.app.name"]), e.Driver.Resource)
}
