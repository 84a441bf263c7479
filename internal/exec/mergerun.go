package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
)

// mergeRun joins one key whose right rows lie in a file: all left rows of the key, piece by piece, with each frame of the
// file. Then, if the right side's rows come out on their own, those without a partner.
type mergeRun struct {
	file    *memory.SpillFile
	reader  *memory.FrameReader
	piece   *columnar.Batch // left rows of the key
	end     int             // where the piece ends in the left batch
	base    int             // number of the frame's first row
	frame   int             // rows of the frame
	matched columnar.Bitmap // right rows with a partner
	last    bool            // the pass over the right rows alone has begun
}

// startRun moves the window, which is all of one key, and the rest of the key's right rows to a file.
func (o *mergeJoin) startRun(ctx context.Context) error {
	f, err := o.t.Dirs.Spill()
	if err != nil {
		return err
	}
	run := &mergeRun{file: f}
	o.run = run
	w := &o.win
	all := columnar.Batch{Schema: o.rightForm.schema, Cols: w.cols, N: w.n}
	if err := f.Write(&all, w.start, w.n); err != nil {
		return err
	}
	early := moveBits(w.matched, w.start, w.n)
	w.start, w.n, w.refused = 0, 0, false
	o.mem.Release()
	for !o.rightDone {
		b, err := o.nextRight(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		n := 0
		for n < b.N && compareSides(o.rightKeys, b.Cols, n, o.keys, o.cur.Cols, o.pos) == 0 {
			n++
		}
		if err := f.Write(b, 0, n); err != nil {
			return err
		}
		if n < b.N {
			o.windowOf(b, n)
			break
		}
	}
	if err := f.Done(); err != nil {
		return err
	}
	o.t.Metrics.spilled(o.p, f.Rows(), f.Bytes())
	run.matched = columnar.NewBitmap(int(f.Rows()))
	copy(run.matched, early)
	o.probing.deferred = true
	return o.nextPiece()
}

// windowOf makes the rows of a right batch from row n on the window.
func (o *mergeJoin) windowOf(b *columnar.Batch, n int) {
	store := newRowStore(o.rightForm.schema)
	rows := make([]uint32, b.N-n)
	for i := range rows {
		rows[i] = uint32(n + i)
	}
	store.addRows(b, rows)
	o.win.matched = nil
	o.setWindow(store)
}

// nextPiece takes the left rows of the key that are in the batch at hand.
func (o *mergeJoin) nextPiece() error {
	r := o.run
	r.end = o.pos
	for r.end < o.cur.N && (r.piece == nil || o.sameAsPiece(r.end)) {
		if r.piece == nil {
			r.piece = o.cur.Select([]uint32{uint32(o.pos)}).Clone()
		}
		r.end++
	}
	if r.end == o.pos {
		return nil
	}
	r.piece = o.leftRows(o.pos, r.end).Clone() // it is needed when the next left batch has come
	r.base, r.frame = 0, 0
	if o.probing.tracks() {
		o.probing.matched = columnar.NewBitmap(r.piece.N)
	}
	o.probing.base = 0
	var err error
	r.reader, err = r.file.Reader(o.rightForm.schema)
	return err
}

func (o *mergeJoin) sameAsPiece(i int) bool {
	return compareKeys(o.keys, o.run.piece.Cols, 0, o.cur.Cols, i) == 0
}

// next begins with the next frame, or ends the piece or the run.
func (r *mergeRun) next(ctx context.Context, o *mergeJoin) (*columnar.Batch, error) {
	if r.last {
		return r.rest(o)
	}
	b, err := r.reader.Next()
	if errors.Is(err, io.EOF) {
		return r.pieceDone(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	p := o.probing
	r.frame = b.N
	p.use(&joinTable{cols: b.Cols, n: b.N})
	p.start(r.piece)
	p.heads = sized(p.heads, r.piece.N)
	for i := range p.heads {
		p.heads[i] = 1
	}
	o.active = true
	return nil, nil
}

// probed notes which rows of a frame found a partner.
func (r *mergeRun) probed(o *mergeJoin) {
	if o.shape.rowsOfBuild() {
		for i := range r.frame {
			if o.probing.buildMatched.Get(i) {
				r.matched.Set(r.base + i)
			}
		}
	}
	r.base += r.frame
}

// pieceDone gives the piece's own rows and goes on with the next, which may be in the next left batch.
func (r *mergeRun) pieceDone(ctx context.Context, o *mergeJoin) (*columnar.Batch, error) {
	out := o.probing.flush(r.piece)
	if o.pos = r.end; o.pos == o.cur.N {
		if err := o.readLeft(ctx); err != nil {
			return nil, err
		}
	}
	more := false
	if !o.leftDone {
		before := o.pos
		if o.cur.N > 0 && o.sameAsPiece(o.pos) {
			if err := o.nextPiece(); err != nil {
				return nil, err
			}
			more = r.end > before
		}
	}
	if !more {
		var err error
		r.last, r.base = true, 0
		if r.reader, err = r.file.Reader(o.rightForm.schema); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rest hands out the right rows without a partner, and ends the run.
func (r *mergeRun) rest(o *mergeJoin) (*columnar.Batch, error) {
	b, err := r.reader.Next()
	if errors.Is(err, io.EOF) || !o.shape.rowsOfBuild() && err == nil {
		o.run = nil
		o.probing.deferred, o.probing.matched = false, nil
		return nil, r.file.Close()
	}
	if err != nil {
		return nil, err
	}
	var rows []uint32
	for i := range b.N {
		if !r.matched.Get(r.base + i) {
			rows = append(rows, uint32(i))
		}
	}
	r.base += b.N
	if len(rows) == 0 {
		return nil, nil
	}
	return o.probing.out.buildRows(b.Cols, rows, nil), nil
}
