package scheduler

import (
	"cmp"
	"slices"
)

// pool is a queue of task sets. With the FIFO scheduler there is only one.
type pool struct {
	PoolConfig
	ready   []*taskSet // that want slots, by priority
	running int        // tasks
	sets    int        // that may still start or run tasks
	named   bool       // made for a job that named it; it goes with its last set
}

func (s *Scheduler) makePools() {
	if s.cfg.Fair {
		for _, c := range s.cfg.Pools {
			s.addPool(c)
		}
	}
	if s.poolByID[DefaultPool] == nil {
		s.addPool(PoolConfig{Name: DefaultPool, Weight: 1})
	}
}

func (s *Scheduler) addPool(c PoolConfig) *pool {
	c.Weight = max(1, c.Weight)
	p := &pool{PoolConfig: c}
	s.pools = append(s.pools, p)
	s.poolByID[c.Name] = p
	return p
}

// poolFor is the pool of a job; a name that is not configured makes a FIFO pool of weight 1 for as long as it is used.
func (s *Scheduler) poolFor(j *JobSubmitted) *pool {
	if !s.cfg.Fair || j.Pool == "" {
		return s.poolByID[DefaultPool]
	}
	if p := s.poolByID[j.Pool]; p != nil {
		return p
	}
	p := s.addPool(PoolConfig{Name: j.Pool, Weight: 1})
	p.named = true
	return p
}

// leavePool says that a set starts and runs no more tasks.
func (s *Scheduler) leavePool(p *pool) {
	p.sets--
	if p.named && p.sets == 0 {
		delete(s.poolByID, p.Name)
		s.pools = slices.DeleteFunc(s.pools, func(o *pool) bool { return o == p })
	}
}

// byPriority is the FIFO order: oldest job first, then oldest stage.
func byPriority(a, b *taskSet) int {
	return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.stage.id, b.stage.id), cmp.Compare(a.attempt, b.attempt))
}

// change puts a set into the ready list, or takes it out.
func (p *pool) change(ts *taskSet, in bool) {
	i, _ := slices.BinarySearchFunc(p.ready, ts, byPriority)
	if in {
		p.ready = slices.Insert(p.ready, i, ts)
	} else {
		p.ready = slices.Delete(p.ready, i, i+1)
	}
}

// inOrder sorts the pools by need, the neediest first.
func (s *Scheduler) inOrder() []*pool {
	if len(s.pools) > 1 {
		slices.SortFunc(s.pools, comparePools)
	}
	return s.pools
}

func comparePools(a, b *pool) int {
	return cmp.Or(
		compareFair(a.running, a.MinShare, a.Weight, b.running, b.MinShare, b.Weight),
		cmp.Compare(a.Name, b.Name))
}

// compareFair is Spark's fair order: who is below its minimum share first, by how far; then by running tasks per weight.
func compareFair(runA, minA, weightA, runB, minB, weightB int) int {
	needyA, needyB := runA < minA, runB < minB
	switch {
	case needyA && !needyB:
		return -1
	case needyB && !needyA:
		return 1
	case needyA:
		return cmp.Compare(float64(runA)/float64(max(minA, 1)), float64(runB)/float64(max(minB, 1)))
	}
	return cmp.Compare(float64(runA)/float64(weightA), float64(runB)/float64(weightB))
}

// neediest is the first of order in a fair pool of several sets.
func (p *pool) neediest() *taskSet {
	if !p.Fair || len(p.ready) < 2 {
		return nil
	}
	first := p.ready[0]
	for _, ts := range p.ready[1:] {
		if len(ts.running) < len(first.running) {
			first = ts
		}
	}
	return first
}

// order is the order in which the pool's sets are offered slots.
func (p *pool) order() []*taskSet {
	if !p.Fair || len(p.ready) < 2 {
		return p.ready
	}
	fair := slices.Clone(p.ready)
	slices.SortStableFunc(fair, func(a, b *taskSet) int {
		return compareFair(len(a.running), 0, 1, len(b.running), 0, 1)
	})
	return fair
}
