package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
)

// windowChain has the states of an aggregate after each row of a page, counted from the row's partition on. Frames that begin
// with their partition are the state after their last row.
type windowChain struct {
	agg    kernel.Chained
	page   int               // -1: none yet
	states []columnar.Vector // of the rows of the page
	start  int               // number of the first partition that begins behind the page
	fresh  columnar.Bitmap
	last   [1]uint32
}

func (h *windowChain) begin() { h.page, h.start, h.states = -1, 0, nil }

// advance computes the states of the page after the present one.
func (h *windowChain) advance(w *windowAgg) error {
	from := (h.page + 1) * windowPage
	to := min(from+windowPage, w.c.n)
	n := to - from
	h.agg.Reset()
	if err := h.carry(w, n+1); err != nil {
		return err
	}
	w.ids = sized(w.ids, n)
	for i := range w.ids {
		w.ids[i] = uint32(i + 1)
	}
	if err := w.update(h.agg, from, to, w.ids, n+1); err != nil {
		return err
	}
	h.markStarts(w.c.starts, from, n)
	if err := h.agg.Chain(1, n+1, h.fresh); err != nil {
		return err
	}
	w.ctx.Scratch.Reset()
	states, err := h.agg.State(&w.ctx, 1, n+1)
	if err != nil {
		return err
	}
	h.states = h.states[:0]
	for i := range states {
		a := columnar.NewAppender(states[i].Type)
		a.AppendVector(&states[i])
		h.states = append(h.states, a.Finish())
	}
	h.page++
	return nil
}

// carry puts the state after the last row of the present page in group 0.
func (h *windowChain) carry(w *windowAgg, groups int) error {
	if h.page < 0 {
		return nil
	}
	last := make([]columnar.Vector, len(h.states))
	for i := range last {
		last[i] = columnar.Gather(&h.states[i], []uint32{windowPage - 1})
	}
	w.ctx.Scratch.Reset()
	return h.agg.Merge(&w.ctx, last, 1, h.last[:], groups)
}

// markStarts sets the bits of the rows that begin partitions; row from is bit 1.
func (h *windowChain) markStarts(starts []int, from, n int) {
	h.fresh = sized(h.fresh, (n+64)/64)
	clear(h.fresh)
	for ; h.start < len(starts) && starts[h.start] < from+n; h.start++ {
		h.fresh.Set(starts[h.start] - from + 1)
	}
}

// chained computes frames that begin with their partition.
func (w *windowAgg) chained(from, to int) (columnar.Vector, error) {
	h, groups := w.chain, to-from
	if err := w.startGroups(groups); err != nil {
		return columnar.Vector{}, err
	}
	var rows, of []uint32
	for i := from; i < to; i++ {
		lo, hi, err := w.frames.frame(i)
		if err != nil {
			return columnar.Vector{}, err
		}
		if hi <= lo {
			continue
		}
		for h.page < (hi-1)/windowPage {
			if err := w.mergeChain(rows, of, groups); err != nil {
				return columnar.Vector{}, err
			}
			rows, of = rows[:0], of[:0]
			if err := h.advance(w); err != nil {
				return columnar.Vector{}, err
			}
		}
		rows, of = append(rows, uint32((hi-1)%windowPage)), append(of, uint32(i-from))
	}
	if err := w.mergeChain(rows, of, groups); err != nil {
		return columnar.Vector{}, err
	}
	return w.result(groups)
}

// mergeChain gives groups the states after rows of the chain's page.
func (w *windowAgg) mergeChain(rows, of []uint32, groups int) error {
	if len(rows) == 0 {
		return nil
	}
	states := make([]columnar.Vector, len(w.chain.states))
	for i := range states {
		states[i] = columnar.Gather(&w.chain.states[i], rows)
	}
	w.ctx.Scratch.Reset()
	return w.agg.Merge(&w.ctx, states, len(rows), of, groups)
}
