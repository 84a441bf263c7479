package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/scheduler"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/wire"
)

// An executor that is decommissioned (spark.decommission.enabled) takes no more tasks. What runs there goes on, and what lies
// there moves meanwhile (spark.storage.decommission.*): the driver tells other executors to get it. When nothing is left the
// executor is told to leave, so that none of its work is done again.

const (
	// departLook is the time between two looks at what an executor that leaves still has.
	departLook = 50 * time.Millisecond
	// departLimit is how long an executor may take to leave where spark.executor.decommission.forceKillTimeout does not say.
	departLimit = time.Hour
	// aloneWait is how long an executor without others waits for one that could take its blocks.
	aloneWait = 5 * time.Second
)

// decommission tells an executor that it will have to go, if the application wants to make use of that.
func (r *Remote) decommission(id event.ExecutorID, reason string) {
	if !r.o.Conf.Bool("spark.decommission.enabled") {
		return
	}
	r.mu.Lock()
	e := r.execs[id]
	if e != nil && !e.going {
		e.out.Put(wire.Decommission{Reason: reason})
	}
	r.mu.Unlock()
	if e != nil {
		r.depart(e, reason)
	}
}

// retire decommissions executors that are not needed any more, if that is how they leave.
func (r *Remote) retire(ids []event.ExecutorID, reason string) bool {
	if !r.o.Conf.Bool("spark.decommission.enabled") {
		return false
	}
	for _, id := range ids {
		r.decommission(id, reason)
	}
	return true
}

// depart sees an executor off, once.
func (r *Remote) depart(e *remoteExecutor, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.going || e.over || r.stopping {
		return
	}
	e.going = true
	r.busy.Go(func() {
		limit := departLimit
		if _, ok := r.o.Conf.Given("spark.executor.decommission.forceKillTimeout"); ok {
			limit = r.o.Conf.Duration("spark.executor.decommission.forceKillTimeout")
		}
		ctx, cancel := context.WithTimeoutCause(r.base, limit, fmt.Errorf("it did not end within %s (spark.executor.decommission.forceKillTimeout)", limit))
		defer cancel()
		d := &departure{r: r, e: e, failed: map[string]int{}}
		err := d.run(ctx)
		if r.base.Err() != nil || errors.Is(err, errOver) {
			return
		}
		why := "decommissioned: " + reason
		if err != nil {
			why = fmt.Sprintf("%s, but %v", why, err)
		}
		r.log.Info("decommissioned executor is released", "executor", e.id, "moved", d.moved, "reason", why)
		r.mu.Lock()
		r.release(e, why)
		r.mu.Unlock()
	})
}

// errOver says that an executor is lost already.
var errOver = errors.New("it is lost")

// departure moves what an executor has that leaves.
type departure struct {
	r      *Remote
	e      *remoteExecutor
	failed map[string]int // attempts by block that failed
	moved  int
	paused time.Time // until when what failed is left alone
	alone  time.Time // since when nobody is there that could take a block
}

// run returns when nothing runs or lies at the executor any more that could be moved.
func (d *departure) run(ctx context.Context) error {
	look := time.NewTicker(departLook)
	defer look.Stop()
	for {
		d.r.mu.Lock()
		over := d.e.over
		d.r.mu.Unlock()
		if over {
			return errOver
		}
		running, list, err := d.holdings(ctx)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			if err := d.move(ctx, list); err != nil {
				return err
			}
		}
		alone := !d.alone.IsZero() && time.Since(d.alone) > aloneWait
		if running == 0 && (len(list) == 0 || alone) {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// holding is a block that should move.
type holding struct {
	wire.Pull
	outside bool                      // into the fallback storage, for others did not take it
	moved   func(to event.ExecutorID) // what to do then
}

// holdings are the blocks that should still move, and what else keeps the executor: tasks, and results that are being read.
func (d *departure) holdings(ctx context.Context) (busy int, list []holding, err error) {
	r, e := d.r, d.e
	v := r.o.Conf
	migrate := v.Bool("spark.storage.decommission.enabled")
	shuffles := migrate && v.Bool("spark.storage.decommission.shuffleBlocks.enabled") && !v.Bool("spark.shuffle.service.enabled")
	answer := make(chan []scheduler.OutputAt, 1)
	var running int
	ok := r.d.put(input{ask: func(s *scheduler.Scheduler) {
		running = s.RunningAt(e.id)
		var at []scheduler.OutputAt
		if shuffles {
			at = s.OutputsAt(e.id)
		}
		answer <- at
	}})
	if !ok {
		return 0, nil, ErrClosed
	}
	var outputs []scheduler.OutputAt
	select {
	case outputs = <-answer:
	case <-r.d.done:
		return 0, nil, ErrClosed
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	}
	for _, o := range outputs {
		p := shuffle.Part{Shuffle: o.Shuffle, Map: o.Map, To: -1}
		list = d.add(list, holding{Pull: wire.Pull{From: e.blocks, Name: p.Name(), Size: o.Bytes, Shuffle: o.Shuffle, Map: o.Map}, moved: func(to event.ExecutorID) {
			r.outputMoved(o, to)
		}})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if migrate && v.Bool("spark.storage.decommission.rddBlocks.enabled") {
		for _, name := range slices.Sorted(maps.Keys(r.cached)) {
			if st, ok := r.cached[name][e.id]; ok && !r.keptElsewhere(name, e) {
				list = d.add(list, holding{Pull: r.pullOf(st, e), moved: func(event.ExecutorID) {}})
			}
		}
	}
	return running + len(e.results), list, nil
}

// add appends a block, unless it failed to move too often: to others, and then to the fallback storage.
func (d *departure) add(list []holding, h holding) []holding {
	n, most := d.failed[h.Name], max(int(d.r.o.Conf.Int("spark.storage.decommission.maxReplicationFailuresPerBlock")), 1)
	h.outside = n >= most && d.mayStow(h)
	if h.outside {
		n -= most
	}
	if n >= most {
		return list
	}
	return append(list, h)
}

// mayStow says whether a block may go to the fallback storage: map outputs may, where there is one.
func (d *departure) mayStow(h holding) bool {
	return h.Shuffle != event.NoShuffle && d.r.o.Conf.String("spark.storage.decommission.fallbackStorage.path") != ""
}

// send has a block moved; it gives "" if nobody is there that could take it. See order.
func (d *departure) send(h holding, load map[event.ExecutorID]int64, done func(to event.ExecutorID, err string)) event.ExecutorID {
	if !h.outside {
		if to := d.r.order(h.Pull, d.e, load, done); to != "" {
			return to
		}
	}
	if d.mayStow(h) {
		return d.r.stow(h.Pull, d.e, done)
	}
	return ""
}

// keptElsewhere says that executors that stay have a block as often as it should be kept; the lock is held.
func (r *Remote) keptElsewhere(name string, but *remoteExecutor) bool {
	n := 0
	for id := range r.cached[name] {
		if o := r.execs[id]; o != nil && o != but && !o.going {
			n++
		}
	}
	return n >= max(r.copies[name], 1)
}

func (r *Remote) pullOf(st event.BlockStatus, from *remoteExecutor) wire.Pull {
	return wire.Pull{From: from.blocks, Name: st.Block, Size: max(st.DiskSize, 0), Rows: st.Rows, Copies: st.Copies, Shuffle: event.NoShuffle, Disk: st.MemSize == 0}
}

// move has other executors get blocks, a few at a time, and waits for them. Without others it waits for one.
func (d *departure) move(ctx context.Context, list []holding) error {
	if time.Now().Before(d.paused) {
		return nil
	}
	type result struct {
		h   holding
		to  event.ExecutorID
		err string
	}
	most := max(int(d.r.o.Conf.Int("spark.storage.decommission.shuffleBlocks.maxThreads")), 1)
	done := make(chan result, most)
	load, flying := map[event.ExecutorID]int64{}, 0
	failed := false
	take := func(x result) {
		flying--
		if x.err == "" {
			d.moved++
			x.h.moved(x.to)
			return
		}
		failed = true
		d.failed[x.h.Name]++
		d.r.log.Warn("a block of a decommissioned executor was not moved", "block", x.h.Name, "from", d.e.id, "to", x.to, "reason", x.err)
	}
	for _, h := range list {
		if flying == most {
			select {
			case x := <-done:
				take(x)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		to := d.send(h, load, func(to event.ExecutorID, err string) { done <- result{h, to, err} })
		if to == "" { // nobody is there
			if d.alone.IsZero() {
				d.alone = time.Now()
			}
			break
		}
		d.alone = time.Time{}
		load[to] += h.Size + 1
		flying++
	}
	for flying > 0 {
		select {
		case x := <-done:
			take(x)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if failed {
		d.paused = time.Now().Add(min(d.r.o.Conf.Duration("spark.storage.decommission.replicationReattemptInterval"), time.Second))
	}
	return nil
}

// outputMoved tells the scheduler where an output lies now. One that is not needed any more is dropped there.
func (r *Remote) outputMoved(o scheduler.OutputAt, to event.ExecutorID) {
	r.d.Post(scheduler.MapOutputMoved{Shuffle: o.Shuffle, Map: o.Map, To: to})
	r.d.put(input{ask: func(s *scheduler.Scheduler) {
		if s.MapStatuses(o.Shuffle) == nil {
			r.tell(to, wire.DropShuffle{Shuffle: o.Shuffle})
		}
	}})
}

// pull is an order that is not answered yet.
type pull struct {
	from, to *remoteExecutor
	done     func(to event.ExecutorID, err string)
}

// order has some executor get a block of another: one that stays, has not got it, and has least to get, on another machine if
// there is one. It gives "" if there is none. done is called once, with the lock held, and must not block.
func (r *Remote) order(p wire.Pull, from *remoteExecutor, load map[event.ExecutorID]int64, done func(to event.ExecutorID, err string)) event.ExecutorID {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return ""
	}
	var best *remoteExecutor
	for _, id := range slices.Sorted(maps.Keys(r.execs)) {
		o := r.execs[id]
		_, has := r.cached[p.Name][id]
		if o == from || o.going || o.broken || o.over || o.leave != "" || has {
			continue
		}
		if best == nil || cmp.Or(boolCompare(best.host == from.host, o.host == from.host), cmp.Compare(load[best.id], load[id])) > 0 {
			best = o
		}
	}
	if best == nil {
		return ""
	}
	r.nextPull++
	p.ID = r.nextPull
	r.pulls[p.ID] = &pull{from, best, done}
	best.out.Put(p)
	return best.id
}

// stow has an executor put a map output of its own into the fallback storage; done is as order's.
func (r *Remote) stow(p wire.Pull, at *remoteExecutor, done func(to event.ExecutorID, err string)) event.ExecutorID {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping || at.over {
		return ""
	}
	r.nextPull++
	r.pulls[r.nextPull] = &pull{at, at, func(_ event.ExecutorID, err string) { done(event.FallbackStorage, err) }}
	at.out.Put(wire.Stow{ID: r.nextPull, Shuffle: p.Shuffle, Map: p.Map})
	return event.FallbackStorage
}

// boolCompare orders false before true.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// pulled takes the answer to a Pull.
func (r *Remote) pulled(m *wire.Pulled) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.pulls[m.ID]; p != nil {
		delete(r.pulls, m.ID)
		p.done(p.to.id, m.Failed)
	}
}

// pullsLost ends the orders that an executor cannot answer any more; the lock is held.
func (r *Remote) pullsLost(e *remoteExecutor) {
	for id, p := range r.pulls {
		if p.to == e {
			delete(r.pulls, id)
			p.done(e.id, "executor "+string(e.id)+" is lost")
		}
	}
}
