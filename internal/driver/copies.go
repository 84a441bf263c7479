package driver

import (
	"maps"
	"slices"

	"github.com/firesteel/firesteel/internal/event"
)

// Cached blocks of replicated storage levels lie at several executors: the driver has others get what one has computed, and
// again when one that had it is lost (spark.storage.replication.proactive).

// wantCopies notes how often a block is to be kept, and sees to it; the lock is held.
func (r *Remote) wantCopies(name string, n int) {
	if n <= 1 {
		return
	}
	r.copies[name] = n
	r.busy.Go(func() { r.replicate(name) })
}

// replicate has other executors get a block until enough have it. What fails is not tried again before the next executor comes
// or goes: a copy is a convenience.
func (r *Remote) replicate(name string) {
	r.mu.Lock()
	want, at := r.copies[name], r.cached[name]
	var from *remoteExecutor
	var st event.BlockStatus
	for _, id := range slices.Sorted(maps.Keys(at)) {
		if e := r.execs[id]; e != nil && !e.over && !e.broken {
			from, st = e, at[id]
			break
		}
	}
	n := len(at) + r.copying[name]
	if from == nil || n >= want || r.stopping {
		r.mu.Unlock()
		return
	}
	r.copying[name]++
	r.mu.Unlock()
	to := r.order(r.pullOf(st, from), from, nil, func(to event.ExecutorID, why string) {
		r.copied(name)
		if why != "" {
			r.log.Warn("a cached block has too few copies", "block", name, "from", from.id, "to", to, "reason", why)
		} else if !r.stopping {
			r.log.Info("a cached block has another copy", "block", name, "from", from.id, "to", to)
			r.busy.Go(func() { r.replicate(name) })
		}
	})
	if to == "" { // nobody is there: see copyMore
		r.mu.Lock()
		r.copied(name)
		r.mu.Unlock()
	}
}

// copied ends the making of a copy; the lock is held.
func (r *Remote) copied(name string) {
	if r.copying[name]--; r.copying[name] <= 0 {
		delete(r.copying, name)
	}
}

// copyMore looks for blocks with too few copies, as an executor has come or gone; the lock is held.
func (r *Remote) copyMore() {
	if r.stopping || !r.o.Conf.Bool("spark.storage.replication.proactive") {
		return
	}
	for name, n := range r.copies {
		if len(r.cached[name]) > 0 && len(r.cached[name]) < n {
			r.busy.Go(func() { r.replicate(name) })
		}
	}
}
