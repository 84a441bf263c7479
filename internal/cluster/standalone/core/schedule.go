package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// schedule gives drivers and then applications, in the order of their registration, what is free.
func (s *State) schedule() {
	for _, d := range slices.Clone(s.waiting) {
		s.placeDriver(d)
	}
	for _, a := range s.order {
		if a.peer == 0 || a.retryAt.After(s.now) {
			continue
		}
		s.placeApp(a)
		s.warn(a)
	}
}

// usable lists the workers that may start something, those with the most free cores first.
func (s *State) usable(cores int, memory int64) []*worker {
	var out []*worker
	for _, w := range sorted(s.workers) {
		if !w.dead && !w.leaving && w.peer != 0 && w.cores >= max(cores, 1) && w.memory >= memory {
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b *worker) int { return cmp.Compare(b.cores, a.cores) })
	return out
}

// coresLeft is how many more cores an application may have.
func (s *State) coresLeft(a *app) int {
	left := a.desc.CoresMax
	if left <= 0 {
		left = s.cfg.DefaultCores
	}
	for _, x := range a.execs {
		left -= x.cores
	}
	return left
}

// share is what a worker gives to one application in one round.
type share struct {
	w     *worker
	cores int // of its executors together
	execs int
}

// placeApp launches the executors that an application wants and workers can give.
func (s *State) placeApp(a *app) {
	level, left := a.level-len(a.execs), s.coresLeft(a)
	per := a.desc.CoresPer
	if level <= 0 || left < max(per, 1) || a.unsure() {
		return
	}
	var shares []*share
	for _, w := range s.usable(per, a.desc.Memory) {
		if per == AllCores && hosts(w, a) {
			continue // it has its one executor there
		}
		shares = append(shares, &share{w: w})
	}
	if per == AllCores {
		shares = shares[:min(len(shares), level)]
		s.deal(shares, left, a.desc.Memory, 1, level, true)
	} else {
		s.deal(shares, left, a.desc.Memory, per, level, false)
	}
	for _, sh := range shares {
		for range sh.execs {
			s.launch(a, sh.w, sh.cores/sh.execs)
		}
	}
}

// unsure says whether the application has executors whose workers have not come back yet: what they have is not counted.
func (a *app) unsure() bool {
	for _, x := range a.execs {
		if x.on == nil {
			return true
		}
	}
	return false
}

func hosts(w *worker, a *app) bool {
	for _, x := range w.execs {
		if x.app == a {
			return true
		}
	}
	return false
}

// deal gives out cores, step at a time: to the workers in turn, or to one after the other. one: a worker's cores make one executor.
func (s *State) deal(shares []*share, left int, memory int64, step, level int, one bool) {
	fits := func(sh *share) bool {
		if left < step || sh.w.cores-sh.cores < step {
			return false
		}
		if one {
			return true
		}
		return level > 0 && sh.w.memory-int64(sh.execs)*memory >= memory
	}
	give := func(sh *share) {
		sh.cores += step
		left -= step
		if !one || sh.execs == 0 {
			sh.execs++
			level--
		}
	}
	for again := true; again; {
		again = false
		for _, sh := range shares {
			for fits(sh) {
				give(sh)
				if s.cfg.SpreadOut {
					again = true
					break
				}
			}
		}
	}
}

func (s *State) launch(a *app, w *worker, cores int) {
	x := &execu{app: a, appID: a.id, id: a.next, on: w, cores: cores, memory: a.desc.Memory, begun: s.now}
	a.next++
	a.execs[x.id] = x
	w.execs[held{a.id, x.id}] = x
	s.count(w)
	s.tell(w.peer, LaunchExecutor{App: a.id, Name: a.desc.Name, ID: x.id, Cores: cores, Memory: a.desc.Memory, Launch: a.desc.Launch})
	s.tell(a.peer, ExecutorAdded{x.id, w.info.ID, w.info.Host, cores})
	s.note(false, "executor %s/%d goes to %s with %d cores", a.id, x.id, w.info.ID, cores)
}

// starves says whether an application wants executors and has none.
func (s *State) starves(a *app) bool { return a.peer != 0 && a.level > 0 && len(a.execs) == 0 }

// warn tells an application that nobody can give it what it asks for, and why.
func (s *State) warn(a *app) {
	if !s.starves(a) {
		a.warnAt = s.now.Add(s.cfg.Starving)
		return
	}
	if s.now.Before(a.warnAt) {
		return
	}
	a.warnAt = s.now.Add(s.cfg.Starving)
	s.tell(a.peer, Warning{"Initial job has not accepted any resources; check your cluster UI to ensure that workers are registered and have " +
		"sufficient resources: " + s.shortage(a)})
}

// shortage says what an executor needs and what the workers have.
func (s *State) shortage(a *app) string {
	alive, cores, memory := 0, 0, int64(0)
	for _, w := range s.workers {
		if !w.dead && !w.leaving {
			alive++
			cores, memory = max(cores, w.cores), max(memory, w.memory)
		}
	}
	if alive == 0 {
		return "no worker is registered"
	}
	return fmt.Sprintf("an executor needs %d cores and %d MiB; of %d workers the freest has %d cores, and the most memory free on one is %d MiB",
		max(a.desc.CoresPer, 1), a.desc.Memory>>20, alive, cores, memory>>20)
}

func (s *State) driverSubmitted(e DriverSubmitted) {
	if e.Desc.Cores < 1 {
		e.Desc.Cores = 1
	}
	if id := s.driverOf(e.Desc.Token); id != "" {
		s.answer(e.Ask, Reply{OK: true, ID: id, Message: "Driver successfully submitted as " + id})
		return
	}
	d := &drv{id: fmt.Sprintf("driver-%s-%04d", s.now.Format("20060102150405"), s.nextDriver), number: s.nextDriver, desc: e.Desc, state: Submitted, begun: s.now}
	s.nextDriver++
	s.drivers[d.id] = d
	s.waiting = append(s.waiting, d)
	s.saveDriver(d)
	s.saveNumbers()
	s.answer(e.Ask, Reply{OK: true, ID: d.id, Message: "Driver successfully submitted as " + d.id})
}

// driverOf finds the driver of a submission that was made before.
func (s *State) driverOf(token string) string {
	if token == "" {
		return ""
	}
	for _, d := range sorted(s.drivers) {
		if d.desc.Token == token {
			return d.id
		}
	}
	for _, d := range s.over {
		if d.desc.Token == token {
			return d.id
		}
	}
	return ""
}

func (s *State) saveNumbers() {
	s.emit(Save{Record{Numbers: &Numbers{s.nextApp, s.nextDriver}}})
}

func (s *State) saveDriver(d *drv) {
	r := &DriverRecord{ID: d.id, Number: d.number, Desc: d.desc, SubmitMillis: d.begun.UnixMilli(), Killed: d.killed}
	if d.on != nil {
		r.Worker = d.on.info.ID
	}
	s.emit(Save{Record{Driver: r}})
}

func (s *State) placeDriver(d *drv) {
	if d.retryAt.After(s.now) || d.saved || s.driversRunning() >= s.cfg.MaxDrivers {
		return
	}
	ws := s.usable(d.desc.Cores, d.desc.Memory)
	if len(ws) == 0 {
		return
	}
	w := ws[0]
	if !s.cfg.SpreadDrivers {
		w = ws[len(ws)-1]
	}
	d.on, d.state = w, Running
	w.drivers[d.id] = d
	s.count(w)
	s.waiting = slices.DeleteFunc(s.waiting, func(o *drv) bool { return o == d })
	s.saveDriver(d)
	s.tell(w.peer, LaunchDriver{d.id, d.desc})
	s.note(false, "driver %s goes to %s", d.id, w.info.ID)
}

func (s *State) driversRunning() int {
	n := 0
	for _, d := range s.drivers {
		if d.on != nil {
			n++
		}
	}
	return n
}

func (s *State) driverKill(e DriverKill) {
	if e.All {
		for _, d := range sorted(s.drivers) {
			s.killDriver(d)
		}
		s.answer(e.Ask, Reply{OK: true, Message: "Kill request for all drivers submitted"})
		return
	}
	d := s.drivers[e.ID]
	switch {
	case d == nil && slices.ContainsFunc(s.over, func(o *drv) bool { return o.id == e.ID }):
		s.answer(e.Ask, Reply{ID: e.ID, Message: "Driver " + e.ID + " has already finished or does not exist"})
	case d == nil:
		s.answer(e.Ask, Reply{ID: e.ID, Message: "Driver " + e.ID + " has already finished or does not exist"})
	default:
		s.killDriver(d)
		s.answer(e.Ask, Reply{OK: true, ID: e.ID, Message: "Kill request for " + e.ID + " submitted"})
	}
}

func (s *State) killDriver(d *drv) {
	if d.on == nil && !d.saved {
		s.endDriver(d, Killed, "killed on request")
		return
	}
	if d.on == nil { // its worker may report it
		d.killed = true
		s.saveDriver(d)
		return
	}
	d.desc.Supervise, d.killed = false, true
	s.saveDriver(d)
	s.tell(d.on.peer, KillDriver{d.id})
}

func (s *State) driverChanged(e DriverChanged) {
	d := s.drivers[e.ID]
	if d == nil || d.on == nil || d.on.info.ID != e.Worker || !e.State.Over() {
		return
	}
	if d.desc.Supervise && (e.State == Failed || e.State == Errored) {
		s.driverLost(d, e.Reason)
		return
	}
	s.endDriver(d, e.State, e.Reason)
}

// driverLost launches a supervised driver again; another one has failed.
func (s *State) driverLost(d *drv, why string) {
	if d.killed {
		s.endDriver(d, Killed, why)
		return
	}
	if !d.desc.Supervise {
		s.endDriver(d, Errored, why)
		return
	}
	s.leave(d)
	d.retries++
	d.state, d.reason = Relaunching, why
	d.retryAt = s.now.Add(min(firstDelay<<min(d.retries-1, 10), mostDelay))
	s.waiting = append(s.waiting, d)
	s.note(true, "driver %s is launched again: %s", d.id, why)
}

// unlaunched puts a driver back of which its worker never heard, as the connection or the master that placed it broke: a worker
// knows what it has launched until the end of it is saved.
func (s *State) unlaunched(d *drv) {
	if d.killed {
		s.endDriver(d, Killed, "killed on request")
		return
	}
	s.leave(d)
	d.state, d.saved = Submitted, false
	if !slices.Contains(s.waiting, d) {
		s.waiting = append(s.waiting, d)
	}
	s.saveDriver(d)
	s.note(true, "driver %s waits again: its worker %s has not heard of it", d.id, d.was.ID)
}

func (s *State) leave(d *drv) {
	if d.on != nil {
		delete(d.on.drivers, d.id)
		s.count(d.on)
		d.on, d.was = nil, d.on.info
	}
}

func (s *State) endDriver(d *drv, state DriverState, why string) {
	s.leave(d)
	s.waiting = slices.DeleteFunc(s.waiting, func(o *drv) bool { return o == d })
	delete(s.drivers, d.id)
	d.state, d.reason = state, why
	s.over = append(s.over, d)
	s.over = s.over[max(len(s.over)-s.cfg.RetainedDrivers, 0):]
	s.emit(Forget{d.id})
	s.note(state != Finished, "driver %s ended: %s %s", d.id, state, why)
}

// WorkerView, AppView and DriverView are how people see workers, applications and drivers.
type (
	WorkerView struct {
		WorkerInfo
		State                string // ALIVE, DEAD, DECOMMISSIONED
		CoresFree            int
		MemoryFree           int64
		Heartbeat            time.Time
		Executors, NumDriver int
	}
	AppView struct {
		ID, Name, User, State string
		Cores, Executors      int
		MemoryPer             int64
		Begun, Ended          time.Time
	}
	DriverView struct {
		ID, Worker, Host, Reason, Resource string
		State                              DriverState
		Cores                              int
		Memory                             int64
		Begun                              time.Time
	}
)

// View is a snapshot of a master for its pages.
type View struct {
	Recovering                  bool
	Workers                     []WorkerView
	Apps, EndedApps             []AppView
	ActiveDrivers, EndedDrivers []DriverView
}

// PeerOf is the connection of a worker, unless it is lost.
func (s *State) PeerOf(worker string) (Peer, bool) {
	w := s.workers[worker]
	if w == nil || w.dead || !w.lost.IsZero() {
		return 0, false
	}
	return w.peer, true
}

// View makes a snapshot.
func (s *State) View() View {
	v := View{Recovering: !s.recovering.IsZero() && !s.blind}
	for _, w := range sorted(s.workers) {
		state := "ALIVE"
		switch {
		case w.dead || !w.lost.IsZero():
			state = "DEAD"
		case w.leaving:
			state = "DECOMMISSIONED"
		}
		v.Workers = append(v.Workers, WorkerView{w.info, state, w.cores, w.memory, w.beat, len(w.execs), len(w.drivers)})
	}
	for _, a := range s.order {
		v.Apps = append(v.Apps, s.viewApp(a))
	}
	for _, a := range s.ended {
		v.EndedApps = append(v.EndedApps, s.viewApp(a))
	}
	for _, d := range sorted(s.drivers) {
		v.ActiveDrivers = append(v.ActiveDrivers, viewDriver(d))
	}
	for _, d := range s.over {
		v.EndedDrivers = append(v.EndedDrivers, viewDriver(d))
	}
	return v
}

func (s *State) viewApp(a *app) AppView {
	v := AppView{ID: a.id, Name: a.desc.Name, User: a.desc.User, State: a.outcome, Executors: len(a.execs), MemoryPer: a.desc.Memory, Begun: a.begun, Ended: a.ended}
	for _, x := range a.execs {
		v.Cores += x.cores
	}
	if v.State == "" {
		if v.State = "RUNNING"; len(a.execs) == 0 {
			v.State = "WAITING"
		}
	}
	return v
}

func viewDriver(d *drv) DriverView {
	v := DriverView{ID: d.id, State: d.state, Reason: d.reason, Resource: d.desc.Resource, Cores: d.desc.Cores, Memory: d.desc.Memory, Begun: d.begun}
	switch {
	case d.on != nil:
		v.Worker, v.Host = d.on.info.ID, d.on.info.Host
	case d.state.Over():
		v.Worker, v.Host = d.was.ID, d.was.Host
	}
	return v
}
