package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/types"
)

// blockFan is the number of rows, or of blocks of the level below, of a block.
const blockFan = 16

// blockTree computes an aggregate over frames that begin and end anywhere: frames are put together of the states of blocks
// of rows, in the order of the rows. Many frames are computed at once, each a group of the aggregate.
type blockTree struct {
	w      *windowAgg
	levels [][]columnar.Vector // per level the states of its blocks
	pieces []treePieces        // per level, rows first
	bufs   []rowBuf
	states []columnar.Vector
}

// treePieces are rows or blocks that frames take whole: those at their left ends in order, and those at their right ends.
type treePieces struct {
	left, right     []uint32
	leftOf, rightOf []uint32 // the frames they belong to
}

// newBlockTree computes the states of all blocks that frames may take.
func newBlockTree(w *windowAgg) (*blockTree, error) {
	t := &blockTree{w: w, pieces: make([]treePieces, 1)}
	n := (w.c.n + blockFan - 1) / blockFan
	if n <= 1 {
		return t, nil
	}
	agg, err := w.make()
	if err != nil {
		return nil, err
	}
	for from := 0; from < w.c.n; from += windowPage {
		to := min(from+windowPage, w.c.n)
		w.ids = sized(w.ids, to-from)
		for i := range w.ids {
			w.ids[i] = uint32((from + i) / blockFan)
		}
		if err := w.update(agg, from, to, w.ids, n); err != nil {
			return nil, err
		}
	}
	for {
		states, err := t.keep(agg, n)
		if err != nil {
			return nil, err
		}
		t.levels = append(t.levels, states)
		t.pieces = append(t.pieces, treePieces{})
		above := (n + blockFan - 1) / blockFan
		if above <= 1 {
			t.bufs = make([]rowBuf, len(states))
			t.states = make([]columnar.Vector, len(states))
			return t, nil
		}
		if agg, err = w.make(); err != nil {
			return nil, err
		}
		ids := make([]uint32, n)
		for i := range ids {
			ids[i] = uint32(i / blockFan)
		}
		w.ctx.Scratch.Reset()
		if err := agg.Merge(&w.ctx, states, n, ids, above); err != nil {
			return nil, err
		}
		n = above
	}
}

// keep copies the states of n blocks.
func (t *blockTree) keep(agg kernel.Agg, n int) ([]columnar.Vector, error) {
	t.w.ctx.Scratch.Reset()
	states, err := agg.State(&t.w.ctx, 0, n)
	out := make([]columnar.Vector, len(states))
	for i := range states {
		a := columnar.NewAppender(states[i].Type)
		a.AppendVector(&states[i])
		out[i] = a.Finish()
	}
	return out, err
}

// treeRows is the number of frames that are computed at once.
const treeRows = 512

func (t *blockTree) page(from, to int) (columnar.Vector, error) {
	return inParts(t.w.call.t, from, to, t.frames)
}

// inParts computes a page treeRows rows at a time.
func inParts(t types.Type, from, to int, f func(from, to int) (columnar.Vector, error)) (columnar.Vector, error) {
	values := columnar.NewAppender(t)
	for ; from < to; from += treeRows {
		v, err := f(from, min(from+treeRows, to))
		if err != nil {
			return v, err
		}
		values.AppendVector(&v)
	}
	return values.Finish(), nil
}

// frames computes the values of rows [from, to).
func (t *blockTree) frames(from, to int) (columnar.Vector, error) {
	for i := range t.pieces {
		p := &t.pieces[i]
		p.left, p.right, p.leftOf, p.rightOf = p.left[:0], p.right[:0], p.leftOf[:0], p.rightOf[:0]
	}
	for i := from; i < to; i++ {
		lo, hi, err := t.w.frames.frame(i)
		if err != nil {
			return columnar.Vector{}, err
		}
		t.split(lo, hi, uint32(i-from))
	}
	w, groups := t.w, to-from
	if err := w.startGroups(groups); err != nil {
		return columnar.Vector{}, err
	}
	last := len(t.pieces) - 1
	for k := range t.pieces {
		if err := t.add(k, t.pieces[k].left, t.pieces[k].leftOf, groups); err != nil {
			return columnar.Vector{}, err
		}
	}
	for k := last; k >= 0; k-- {
		if err := t.add(k, t.pieces[k].right, t.pieces[k].rightOf, groups); err != nil {
			return columnar.Vector{}, err
		}
	}
	return w.result(groups)
}

// split notes the pieces of a frame.
func (t *blockTree) split(lo, hi int, frame uint32) {
	for k := range t.pieces {
		p := &t.pieces[k]
		top := k == len(t.pieces)-1
		for lo < hi && (top || lo%blockFan != 0) {
			p.left, p.leftOf = append(p.left, uint32(lo)), append(p.leftOf, frame)
			lo++
		}
		if lo >= hi {
			return
		}
		end := hi / blockFan * blockFan
		for r := end; r < hi; r++ {
			p.right, p.rightOf = append(p.right, uint32(r)), append(p.rightOf, frame)
		}
		lo, hi = lo/blockFan, end/blockFan
	}
}

// add adds pieces of a level to their frames.
func (t *blockTree) add(level int, pieces, of []uint32, groups int) error {
	if len(pieces) == 0 {
		return nil
	}
	w := t.w
	if level == 0 {
		return w.addRows(pieces, of, groups)
	}
	for i := range t.states {
		t.states[i] = t.bufs[i].gather(&t.levels[level-1][i], pieces)
	}
	w.ctx.Scratch.Reset()
	return w.agg.Merge(&w.ctx, t.states, len(pieces), of, groups)
}
