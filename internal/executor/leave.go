package executor

import (
	"errors"
	"io"
	"time"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/wire"
)

// An executor that is decommissioned (spark.decommission.enabled) takes no more tasks; those that run end as usual. It tells
// the driver, which has its blocks moved to others and tells it to leave when nothing is left: see driver's depart.go.

// leaveMost is how long an executor that was told to end by its machine may take where
// spark.executor.decommission.forceKillTimeout does not say; who told it may kill it earlier.
const leaveMost = time.Hour

func (p *process) decommissions() bool { return p.conf.Bool("spark.decommission.enabled") }

func (p *process) leaveLimit() time.Duration {
	if _, ok := p.conf.Given("spark.executor.decommission.forceKillTimeout"); ok {
		return p.conf.Duration("spark.executor.decommission.forceKillTimeout")
	}
	return leaveMost
}

// leaveInPeace takes no more tasks and asks the driver for leave.
func (p *process) leaveInPeace(why string) {
	p.mu.Lock()
	first := !p.going
	p.going = true
	p.mu.Unlock()
	if first {
		p.log.Info("executor is decommissioned", "reason", why)
		p.out.Put(wire.Leaving{Reason: why, Stays: true})
	}
}

// maxPulls is how many blocks an executor gets from others at the same time, besides what its tasks read.
const maxPulls = 8

// move moves a block, and answers the order.
func (p *process) move(id int64, do func() error) {
	p.mu.Lock()
	if p.ending {
		p.mu.Unlock()
		p.out.Put(wire.Pulled{ID: id, Failed: "the executor ends"})
		return
	}
	p.pulls.Add(1)
	p.mu.Unlock()
	go func() {
		defer p.pulls.Done()
		p.pulling <- struct{}{}
		defer func() { <-p.pulling }()
		m := wire.Pulled{ID: id}
		if err := do(); err != nil {
			m.Failed = err.Error()
		}
		p.out.Put(m)
	}()
}

// stow puts a map output into the fallback storage.
func (p *process) stow(o wire.Stow) error {
	if p.fallback == nil {
		return errors.New("there is no fallback storage")
	}
	return p.fallback.Keep(p.ctx, p.env.Shuffle, o.Shuffle, o.Map)
}

// keep gets a block from another executor and keeps it.
func (p *process) keep(o wire.Pull) (err error) {
	in := p.client.Open(p.ctx, o.From, o.Name, o.Size)
	defer func() { err = errors.Join(err, in.Close()) }()
	if o.Shuffle != event.NoShuffle {
		return p.env.Shuffle.Adopt(o.Shuffle, o.Map, in)
	}
	level := anywhere
	if o.Disk {
		level = block.OnDisk
	}
	w := p.env.Blocks.Writer(o.Name, level)
	w.Rows(o.Rows)
	w.Copies(o.Copies)
	if _, err := io.Copy(w, in); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Close()
}
