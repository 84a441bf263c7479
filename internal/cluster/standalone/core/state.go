package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// State is what the master knows. See the package comment.
type State struct {
	cfg Config
	now time.Time
	out []Action

	workers map[string]*worker
	apps    map[string]*app
	drivers map[string]*drv
	order   []*app // that run, by registration
	waiting []*drv // for a worker, by submission
	ended   []*app
	over    []*drv // drivers that ended

	byWorkerPeer map[Peer]*worker
	byAppPeer    map[Peer]*app

	untold map[held]ExecutorGone // ends of executors whose application was not connected

	nextApp, nextDriver int
	recovering          time.Time // end of the window; zero: closed
	blind               bool      // nothing was saved: whoever comes within the window is believed
}

// worker is a worker that registered.
type worker struct {
	info    WorkerInfo
	peer    Peer
	beat    time.Time
	lost    time.Time // when its connection broke; zero while it stands
	met     bool      // it registered with this master, and is not only read from records
	dead    bool
	leaving bool
	cores   int   // free
	memory  int64 // free
	execs   map[held]*execu
	drivers map[string]*drv
}

type held struct {
	app string
	id  int
}

// execu is an executor that a worker runs or should run.
type execu struct {
	app     *app // nil: nobody has claimed it yet
	appID   string
	id      int
	on      *worker // nil: its worker has not reported yet
	cores   int
	memory  int64
	begun   time.Time
	running bool
	asked   bool // to end
}

type app struct {
	id      string
	number  int
	desc    AppDesc
	peer    Peer
	lost    time.Time
	met     bool // as of a worker
	level   int
	next    int
	execs   map[int]*execu
	begun   time.Time
	ended   time.Time
	outcome string // FINISHED, FAILED, KILLED

	fast    int       // executors in a row that ended at once
	retryAt time.Time // nothing is launched before
	warnAt  time.Time // of a request that nobody fulfils
}

type drv struct {
	id      string
	number  int
	desc    DriverDesc
	state   DriverState
	reason  string
	on      *worker
	was     WorkerInfo // on which it was the last time
	begun   time.Time
	retries int
	killed  bool // on request
	saved   bool // by the master before this one: the worker that it was on may run it
	retryAt time.Time
}

// New makes the state of a master that has just started.
func New(cfg Config) *State {
	return &State{cfg: cfg, workers: map[string]*worker{}, apps: map[string]*app{}, drivers: map[string]*drv{},
		byWorkerPeer: map[Peer]*worker{}, byAppPeer: map[Peer]*app{}, untold: map[held]ExecutorGone{}}
}

// Step takes in what happened and says what to do. The slice is valid until the next Step.
func (s *State) Step(now time.Time, e Event) []Action {
	if at, ok := s.Deadline(); ok && now.Sub(at) > frozen {
		s.thaw(now.Sub(at) + frozen) // and time to read it
	}
	if now.After(s.now) {
		s.now = now
	}
	clear(s.out)
	s.out = s.out[:0]
	s.handle(e)
	s.expire()
	s.schedule()
	return s.out
}

// thaw forgives everybody the time in which the master itself stood still: what they sent has not been read yet.
func (s *State) thaw(d time.Duration) {
	shift := func(t *time.Time) {
		if !t.IsZero() {
			*t = t.Add(d)
		}
	}
	shift(&s.recovering)
	for _, w := range s.workers {
		shift(&w.beat)
		shift(&w.lost)
	}
	for _, a := range s.order {
		shift(&a.lost)
	}
	s.note(true, "the master stood still for %s", d.Round(time.Millisecond))
}

func (s *State) handle(e Event) {
	switch e := e.(type) {
	case WorkerRegistered:
		s.workerRegistered(e)
	case Heartbeat:
		s.heartbeat(e)
	case WorkerLeft:
		if w := s.workers[e.ID]; w != nil && !w.dead {
			s.endWorker(w, "it was told to end")
		}
	case Disconnected:
		s.disconnected(e.Peer)
	case AppRegistered:
		s.appRegistered(e)
	case AppLevel:
		if a := s.apps[e.App]; a != nil {
			a.level = max(e.Total, 0)
		}
	case AppKill:
		s.appKill(e)
	case AppStopped:
		if a := s.apps[e.App]; a != nil {
			s.endApp(a, "FINISHED", "")
		}
		s.answer(e.Ask, Reply{OK: true, ID: e.App})
	case ExecutorStarted:
		if x := s.find(e.Worker, e.App, e.ID); x != nil && !x.running {
			x.running, x.begun = true, s.now
		}
	case ExecutorEnded:
		s.executorEnded(e)
	case DriverSubmitted:
		s.driverSubmitted(e)
	case DriverKill:
		s.driverKill(e)
	case DriverChanged:
		s.driverChanged(e)
	case Clear:
		s.ended, s.over = nil, nil
		s.answer(e.Ask, Reply{OK: true})
	case Decommission:
		s.decommission(e)
	case Recovered:
		s.recovered(e)
	}
}

func (s *State) emit(a Action) { s.out = append(s.out, a) }

func (s *State) tell(p Peer, m Message) {
	if p != 0 {
		s.emit(Tell{p, m})
	}
}

func (s *State) answer(ask Ask, r Reply) {
	if ask != 0 {
		s.emit(Answer{ask, r})
	}
}

func (s *State) note(warn bool, format string, args ...any) {
	s.emit(Note{warn, fmt.Sprintf(format, args...)})
}

func (s *State) find(w, a string, id int) *execu {
	if wk := s.workers[w]; wk != nil {
		return wk.execs[held{a, id}]
	}
	return nil
}

// workerRegistered takes a worker in, or in again, and compares what it runs with what it should run.
func (s *State) workerRegistered(e WorkerRegistered) {
	w := s.workers[e.Info.ID]
	if w == nil || w.dead {
		w = &worker{execs: map[held]*execu{}, drivers: map[string]*drv{}}
		s.workers[e.Info.ID] = w
		s.emit(Save{Record{Worker: &e.Info}})
		s.note(false, "worker %s registered: %d cores, %d bytes", e.Info.ID, e.Info.Cores, e.Info.Memory)
	}
	if w.peer != 0 && w.peer != e.Peer {
		delete(s.byWorkerPeer, w.peer)
		s.emit(Drop{w.peer})
	}
	anew := w.peer != e.Peer
	w.info, w.peer, w.beat, w.lost, w.met = e.Info, e.Peer, s.now, time.Time{}, true
	s.byWorkerPeer[e.Peer] = w
	s.answer(e.Ask, Reply{OK: true, ID: e.Info.ID})
	if w.leaving && !e.Leaving {
		s.tell(w.peer, Leave{}) // it did not hear of it
	}
	w.leaving = w.leaving || e.Leaving
	if anew { // else orders may be under way that it had not got when it wrote this
		s.missing(w, e)
	}
	s.compare(w, e)
	s.count(w)
}

// missing finds what a worker should run and does not.
func (s *State) missing(w *worker, e WorkerRegistered) {
	for _, x := range sortedExecs(w.execs) {
		if !slices.ContainsFunc(e.Executors, func(h Held) bool { return h.App == x.appID && h.ID == x.id }) {
			s.drop(x)
			s.gone(x, ExecutorGone{ID: x.id, Code: -1, Reason: "its worker " + w.info.ID + " does not know it any more", Platform: true})
		}
	}
	for _, d := range sorted(s.drivers) {
		has := slices.ContainsFunc(e.Drivers, func(h HeldDriver) bool { return h.ID == d.id })
		if !has && (d.on == w || d.saved && d.was.ID == w.info.ID) {
			s.unlaunched(d)
		}
	}
}

// compare takes over what a worker runs, or ends it.
func (s *State) compare(w *worker, e WorkerRegistered) {
	for _, h := range e.Executors {
		s.claim(w, h)
	}
	for _, h := range e.Drivers {
		id := h.ID
		if s.drivers[id] == nil && !s.recovering.IsZero() && s.blind {
			s.adopt(h)
		}
		if d := s.drivers[id]; d == nil || d.state.Over() || d.on != nil && d.on != w {
			s.tell(w.peer, KillDriver{id})
		} else if d.on == nil {
			d.on, d.state, d.saved, w.drivers[id] = w, Running, false, d
			if d.killed { // the master that was asked did not get to it
				s.tell(w.peer, KillDriver{id})
			}
			s.waiting = slices.DeleteFunc(s.waiting, func(o *drv) bool { return o == d })
		}
	}
}

// adopt believes that a driver was launched by the master before this one.
func (s *State) adopt(h HeldDriver) {
	d := &drv{id: h.ID, number: s.nextDriver, desc: h.Desc, state: Relaunching, begun: s.now}
	s.nextDriver++
	s.drivers[d.id] = d
	s.saveDriver(d)
	s.saveNumbers()
}

// claim believes that a worker runs an executor, if it may.
func (s *State) claim(w *worker, h Held) {
	k := held{h.App, h.ID}
	if x := w.execs[k]; x != nil {
		return
	}
	a := s.apps[h.App]
	if a == nil && s.recovering.IsZero() || a != nil && (a.execs[h.ID] == nil && s.recovering.IsZero() || a.execs[h.ID] != nil && a.execs[h.ID].on != nil) {
		s.tell(w.peer, KillExecutor{h.App, h.ID})
		return
	}
	var x *execu
	if a != nil {
		x = a.execs[h.ID]
	}
	if x == nil {
		x = &execu{app: a, appID: h.App, id: h.ID}
		if a != nil {
			a.execs[h.ID], a.next = x, max(a.next, h.ID+1)
		}
	}
	x.on, x.cores, x.memory, x.running, x.begun = w, h.Cores, h.Memory, true, s.now
	w.execs[k] = x
}

// count finds what is free on a worker.
func (s *State) count(w *worker) {
	w.cores, w.memory = w.info.Cores, w.info.Memory
	for _, x := range w.execs {
		w.cores -= x.cores
		w.memory -= x.memory
	}
	for _, d := range w.drivers {
		w.cores -= d.desc.Cores
		w.memory -= d.desc.Memory
	}
}

func (s *State) heartbeat(e Heartbeat) {
	w := s.workers[e.ID]
	if w == nil || w.dead || w.peer != e.Peer {
		s.tell(e.Peer, Reregister{})
		return
	}
	w.beat = s.now
}

func (s *State) disconnected(p Peer) {
	if w := s.byWorkerPeer[p]; w != nil {
		delete(s.byWorkerPeer, p)
		w.peer, w.lost = 0, s.now
	}
	if a := s.byAppPeer[p]; a != nil {
		delete(s.byAppPeer, p)
		a.peer, a.lost = 0, s.now
	}
}

func (s *State) appRegistered(e AppRegistered) {
	a := s.apps[e.ID]
	if e.ID == "" || a == nil {
		id := e.ID
		if id == "" {
			id = e.Desc.Launch.AppID
		}
		if id == "" || s.known(id) && e.ID == "" {
			id = fmt.Sprintf("app-%s-%04d", s.now.Format("20060102150405"), s.nextApp)
		}
		if e.ID != "" && s.wasEnded(id) {
			s.answer(e.Ask, Reply{Message: "application " + id + " was removed from the cluster"})
			return
		}
		a = &app{id: id, number: s.nextApp, execs: map[int]*execu{}, begun: s.now, desc: e.Desc}
		s.nextApp++
		s.apps[id] = a
		s.order = append(s.order, a)
		s.emit(Save{Record{App: &AppRecord{id, a.number, a.desc}}})
		s.saveNumbers()
		s.note(false, "application %s (%s) registered", id, e.Desc.Name)
	}
	if a.peer != 0 && a.peer != e.Peer {
		delete(s.byAppPeer, a.peer)
		s.emit(Drop{a.peer})
	}
	a.desc, a.peer, a.lost, a.met, a.level, a.warnAt = e.Desc, e.Peer, time.Time{}, true, max(e.Level, 0), s.now.Add(s.cfg.Starving)
	s.byAppPeer[e.Peer] = a
	a.next = max(a.next, e.Next)
	s.answer(e.Ask, Reply{OK: true, ID: a.id})
	s.reconcile(a, e.Known)
}

// reconcile compares the executors that an application has with those that the master knows.
func (s *State) reconcile(a *app, known []int) {
	for _, w := range sorted(s.workers) {
		for k, x := range w.execs {
			if k.app == a.id && x.app == nil {
				x.app, a.execs[x.id] = a, x
			}
		}
	}
	defer s.told(a.id)
	has := map[int]bool{}
	for _, id := range known {
		has[id] = true
		a.next = max(a.next, id+1)
		switch {
		case a.execs[id] != nil:
		case s.untold[held{a.id, id}].Reason != "":
			s.tell(a.peer, s.untold[held{a.id, id}])
		case s.recovering.IsZero():
			s.tell(a.peer, ExecutorGone{ID: id, Code: -1, Reason: "the master does not know it", Platform: true})
		default:
			a.execs[id] = &execu{app: a, appID: a.id, id: id} // its worker may report it
		}
	}
	for _, x := range sorted(a.execs) {
		if !has[x.id] && x.on != nil && known != nil {
			s.tell(a.peer, ExecutorAdded{x.id, x.on.info.ID, x.on.info.Host, x.cores})
		}
	}
}

// told forgets the ends that an application has heard of, or will never hear of.
func (s *State) told(app string) {
	for k := range s.untold {
		if k.app == app {
			delete(s.untold, k)
		}
	}
}

func (s *State) known(id string) bool { return s.apps[id] != nil || s.wasEnded(id) }

func (s *State) wasEnded(id string) bool {
	return slices.ContainsFunc(s.ended, func(a *app) bool { return a.id == id })
}

func (s *State) appKill(e AppKill) {
	a := s.apps[e.App]
	if a == nil {
		return
	}
	for _, id := range e.IDs {
		if x := a.execs[id]; x != nil && !x.asked {
			x.asked = true
			if x.on == nil {
				s.drop(x)
				s.gone(x, ExecutorGone{ID: x.id, Code: -1, Reason: "killed before its worker came back", Platform: true})
				continue
			}
			s.tell(x.on.peer, KillExecutor{a.id, id})
		}
	}
}

// drop takes an executor out of all books.
func (s *State) drop(x *execu) {
	if x.app != nil {
		delete(x.app.execs, x.id)
	}
	if x.on != nil {
		delete(x.on.execs, held{x.appID, x.id})
		s.count(x.on)
	}
}

// gone tells an application what became of an executor.
func (s *State) gone(x *execu, g ExecutorGone) {
	switch {
	case x.app != nil && x.app.peer != 0:
		s.tell(x.app.peer, g)
	case x.app != nil || !s.recovering.IsZero():
		s.untold[held{x.appID, x.id}] = g // for when it is back
	}
}

func (s *State) executorEnded(e ExecutorEnded) {
	x := s.find(e.Worker, e.App, e.ID)
	if x == nil {
		return
	}
	s.drop(x)
	s.gone(x, ExecutorGone{ID: e.ID, Code: e.Code, Reason: e.Reason, Platform: e.Killed || x.asked, OutOfMemory: e.OutOfMemory})
	a := x.app
	if a == nil && s.recovering.IsZero() {
		s.tell(x.on.peer, CleanApp{x.appID}) // nobody will say that it has ended
	}
	if a == nil || e.Killed || x.asked {
		return
	}
	s.note(true, "executor %s/%d on %s ended: %s", e.App, e.ID, e.Worker, e.Reason)
	if x.running && s.now.Sub(x.begun) >= s.cfg.Settled {
		a.fast, a.retryAt = 0, time.Time{}
		return
	}
	a.fast++
	delay := min(firstDelay<<min(a.fast-1, 10), mostDelay)
	a.retryAt = s.now.Add(delay)
	well := false
	for _, o := range a.execs {
		well = well || o.running && s.now.Sub(o.begun) >= s.cfg.Settled
	}
	if s.cfg.MaxExecutorRetries >= 0 && a.fast >= s.cfg.MaxExecutorRetries && !well {
		s.endApp(a, "FAILED", fmt.Sprintf("%d executors in a row ended soon after their start; the last one: %s", a.fast, e.Reason))
	}
}

// endApp ends an application: its executors go, and its files.
func (s *State) endApp(a *app, outcome, reason string) {
	touched := map[*worker]bool{}
	for _, x := range sorted(a.execs) {
		if x.on != nil {
			touched[x.on] = true
			s.tell(x.on.peer, KillExecutor{a.id, x.id})
		}
		s.drop(x)
	}
	for _, w := range sorted(s.workers) {
		if !w.dead {
			s.tell(w.peer, CleanApp{a.id})
		}
	}
	if reason != "" {
		s.tell(a.peer, AppRemoved{reason})
	}
	if a.peer != 0 {
		delete(s.byAppPeer, a.peer)
	}
	delete(s.apps, a.id)
	s.told(a.id)
	s.order = slices.DeleteFunc(s.order, func(o *app) bool { return o == a })
	a.peer, a.ended, a.outcome = 0, s.now, outcome
	s.ended = append(s.ended, a)
	s.ended = s.ended[max(len(s.ended)-s.cfg.RetainedApps, 0):]
	s.emit(Forget{a.id})
	s.note(reason != "", "application %s ended: %s %s", a.id, outcome, reason)
}

// endWorker declares a worker dead.
func (s *State) endWorker(w *worker, why string) {
	w.dead = true
	if w.peer != 0 {
		delete(s.byWorkerPeer, w.peer)
		s.emit(Drop{w.peer})
		w.peer = 0
	}
	s.emit(Forget{w.info.ID})
	s.note(true, "worker %s is lost: %s", w.info.ID, why)
	for _, x := range sortedExecs(w.execs) {
		s.drop(x)
		s.gone(x, ExecutorGone{ID: x.id, Code: -1, Reason: "worker lost: " + why, Platform: true, Host: true})
	}
	for _, d := range sorted(w.drivers) {
		s.driverLost(d, "worker lost: "+why)
	}
}

func (s *State) decommission(e Decommission) {
	r := Reply{OK: true}
	for _, w := range sorted(s.workers) {
		if w.dead || w.leaving || !slices.Contains(e.IDs, w.info.ID) && !slices.Contains(e.Hosts, w.info.Host) {
			continue
		}
		w.leaving = true
		r.Workers = append(r.Workers, w.info.ID)
		s.tell(w.peer, Leave{})
		for _, x := range sortedExecs(w.execs) {
			if x.app != nil {
				s.tell(x.app.peer, ExecutorLeaving{ID: x.id, Reason: "worker decommissioned"})
			}
		}
	}
	s.answer(e.Ask, r)
}

// recovered opens the window in which what ran before reports back.
func (s *State) recovered(e Recovered) {
	s.recovering, s.blind = s.now.Add(s.cfg.Recovery), len(e.Records) == 0
	defer s.sortRecovered()
	for _, r := range e.Records {
		switch {
		case r.Worker != nil:
			s.workers[r.Worker.ID] = &worker{info: *r.Worker, lost: s.now, beat: s.now, execs: map[held]*execu{}, drivers: map[string]*drv{}}
			s.count(s.workers[r.Worker.ID])
		case r.App != nil:
			a := &app{id: r.App.ID, number: r.App.Number, desc: r.App.Desc, lost: s.now, begun: s.now, execs: map[int]*execu{}}
			s.apps[a.id] = a
			s.order = append(s.order, a)
			s.nextApp = max(s.nextApp, a.number+1)
		case r.Driver != nil:
			d := &drv{id: r.Driver.ID, number: r.Driver.Number, desc: r.Driver.Desc, state: Submitted, killed: r.Driver.Killed,
				begun: time.UnixMilli(r.Driver.SubmitMillis)}
			if r.Driver.Worker != "" { // else nobody has heard of it
				d.state, d.saved, d.was.ID = Relaunching, true, r.Driver.Worker
			}
			s.drivers[d.id] = d
			s.waiting = append(s.waiting, d)
			s.nextDriver = max(s.nextDriver, d.number+1)
		case r.Numbers != nil:
			s.nextApp, s.nextDriver = max(s.nextApp, r.Numbers.App), max(s.nextDriver, r.Numbers.Driver)
		}
	}
}

// sortRecovered puts what was recovered in the order in which it came.
func (s *State) sortRecovered() {
	slices.SortFunc(s.order, func(a, b *app) int { return cmp.Compare(a.number, b.number) })
	slices.SortFunc(s.waiting, func(a, b *drv) int { return cmp.Compare(a.number, b.number) })
}

// expire decides what has waited long enough.
func (s *State) expire() {
	if !s.recovering.IsZero() && (!s.now.Before(s.recovering) || s.allBack()) {
		s.closeWindow()
	}
	for _, w := range sorted(s.workers) {
		switch {
		case w.dead:
			if s.now.Sub(w.beat) > time.Duration(s.cfg.Reap)*s.cfg.WorkerTimeout {
				delete(s.workers, w.info.ID)
			}
		case s.broken(w.lost, w.met) && s.now.Sub(w.lost) >= s.cfg.Grace:
			s.endWorker(w, "its connection broke")
		case w.lost.IsZero() && s.now.Sub(w.beat) >= s.cfg.WorkerTimeout:
			s.endWorker(w, fmt.Sprintf("no heartbeat for %s (spark.worker.timeout)", s.cfg.WorkerTimeout))
		}
	}
	for _, a := range slices.Clone(s.order) {
		if s.broken(a.lost, a.met) && s.now.Sub(a.lost) >= s.cfg.Grace {
			s.endApp(a, "FAILED", "its driver is gone: the connection broke")
		}
	}
}

// broken says whether a lost connection is only forgiven for Config.Grace: who is merely read from records has the whole window.
func (s *State) broken(lost time.Time, met bool) bool {
	return !lost.IsZero() && (met || s.recovering.IsZero())
}

// allBack says whether everything that was known has reported.
func (s *State) allBack() bool {
	if s.blind {
		return false // what ran before is not known, and may still come
	}
	for _, w := range s.workers {
		if !w.lost.IsZero() && !w.dead {
			return false
		}
		for _, x := range w.execs {
			if x.app == nil {
				return false
			}
		}
	}
	for _, a := range s.apps {
		if !a.lost.IsZero() {
			return false
		}
		for _, x := range a.execs {
			if x.on == nil {
				return false
			}
		}
	}
	return true
}

// closeWindow ends what nobody has claimed.
func (s *State) closeWindow() {
	s.recovering = time.Time{}
	for k := range s.untold {
		if s.apps[k.app] == nil {
			delete(s.untold, k)
		}
	}
	for _, w := range sorted(s.workers) {
		orphans := ""
		for _, x := range sortedExecs(w.execs) {
			if x.app == nil {
				s.tell(w.peer, KillExecutor{x.appID, x.id})
				s.drop(x)
				if x.appID != orphans {
					orphans = x.appID
					s.tell(w.peer, CleanApp{x.appID})
				}
			}
		}
	}
	for _, a := range s.order {
		for _, x := range sorted(a.execs) {
			if x.on == nil {
				s.drop(x)
				s.gone(x, ExecutorGone{ID: x.id, Code: -1, Reason: "no worker reported it after the master's restart", Platform: true})
			}
		}
	}
	for _, d := range sorted(s.drivers) {
		switch {
		case d.saved && d.on == nil && d.killed:
			s.endDriver(d, Killed, "killed on request")
		case d.saved && d.on == nil && !d.desc.Supervise:
			s.endDriver(d, Errored, "no worker reported it after the master's restart")
		}
		d.saved = false
	}
}

// Deadline is when Step(now, Tick{}) is due at the latest; ok is false if nothing waits.
func (s *State) Deadline() (at time.Time, ok bool) {
	due := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	if !s.recovering.IsZero() {
		due(s.recovering)
	}
	for _, w := range s.workers {
		switch {
		case w.dead:
			due(w.beat.Add(time.Duration(s.cfg.Reap)*s.cfg.WorkerTimeout + time.Millisecond))
		case s.broken(w.lost, w.met):
			due(w.lost.Add(s.cfg.Grace))
		case w.lost.IsZero():
			due(w.beat.Add(s.cfg.WorkerTimeout))
		}
	}
	for _, a := range s.order {
		if s.broken(a.lost, a.met) {
			due(a.lost.Add(s.cfg.Grace))
		}
		if a.retryAt.After(s.now) {
			due(a.retryAt)
		}
		if s.starves(a) {
			due(a.warnAt)
		}
	}
	for _, d := range s.waiting {
		if d.retryAt.After(s.now) {
			due(d.retryAt)
		}
	}
	return at, ok
}

// sorted lists the values of a map by key.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]V, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}

func sortedExecs(m map[held]*execu) []*execu {
	out := make([]*execu, 0, len(m))
	for _, x := range m {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b *execu) int { return cmp.Or(cmp.Compare(a.appID, b.appID), cmp.Compare(a.id, b.id)) })
	return out
}
