package exec

import "github.com/firesteel/firesteel/internal/columnar"

// startGroups makes the state one of that many groups without rows.
func (w *windowAgg) startGroups(groups int) error {
	w.agg.Reset()
	w.ctx.Scratch.Reset()
	return w.agg.Update(&w.ctx, w.none(), 0, []uint32{}, groups)
}

// addRows adds rows of the chunk to groups.
func (w *windowAgg) addRows(rows, of []uint32, groups int) error {
	if len(rows) == 0 {
		return nil
	}
	for i, a := range w.call.args {
		v, err := w.c.take(&w.bufs[i], a, rows, false)
		if err != nil {
			return err
		}
		w.argv[i] = v
	}
	w.ctx.Scratch.Reset()
	return w.agg.Update(&w.ctx, w.argv, len(rows), of, groups)
}

// carries are states that frames begin with.
type carries struct {
	states []*columnar.Appender
	n      int
	at     int // the last one holds the rows before this one; -1: there is none
	which  []uint32
	of     []uint32
}

// growing computes frames that begin with their partition: each is the state of all blocks before the one it ends in, which
// runs along, and the rows of that block. Many frames are computed at once, each a group of the aggregate.
func (w *windowAgg) growing(from, to int) (columnar.Vector, error) {
	carry := carries{at: -1}
	var rows, of []uint32
	for i := from; i < to; i++ {
		lo, hi, err := w.frames.frame(i)
		if err != nil {
			return columnar.Vector{}, err
		}
		if w.part != w.frames.k {
			w.run.Reset()
			w.part, w.done, carry.at = w.frames.k, lo, -1
		}
		block := max(hi/blockFan*blockFan, lo)
		if block > lo {
			if err := w.runTo(block, &carry); err != nil {
				return columnar.Vector{}, err
			}
			carry.which, carry.of = append(carry.which, uint32(carry.n-1)), append(carry.of, uint32(i-from))
		}
		for r := block; r < hi; r++ {
			rows, of = append(rows, uint32(r)), append(of, uint32(i-from))
		}
	}
	groups := to - from
	if err := w.startGroups(groups); err != nil {
		return columnar.Vector{}, err
	}
	if err := w.addCarries(&carry, groups); err != nil {
		return columnar.Vector{}, err
	}
	if err := w.addRows(rows, of, groups); err != nil {
		return columnar.Vector{}, err
	}
	return w.result(groups)
}

// runTo lets the running state take the rows before end, and notes it.
func (w *windowAgg) runTo(end int, c *carries) error {
	if c.at == end {
		return nil
	}
	for w.done < end {
		to := min(end, w.done/windowPage*windowPage+windowPage)
		if err := w.update(w.run, w.done, to, nil, 1); err != nil {
			return err
		}
		w.done = to
	}
	w.ctx.Scratch.Reset()
	states, err := w.run.State(&w.ctx, 0, 1)
	if err != nil {
		return err
	}
	if c.states == nil {
		for _, s := range states {
			c.states = append(c.states, columnar.NewAppender(s.Type))
		}
	}
	for i := range states {
		c.states[i].AppendVector(&states[i])
	}
	c.n, c.at = c.n+1, end
	return nil
}

func (w *windowAgg) addCarries(c *carries, groups int) error {
	if c.n == 0 {
		return nil
	}
	states := make([]columnar.Vector, len(c.states))
	for i, a := range c.states {
		all := a.Finish()
		states[i] = columnar.Gather(&all, c.which)
	}
	w.ctx.Scratch.Reset()
	return w.agg.Merge(&w.ctx, states, len(c.which), c.of, groups)
}
