package exec

import (
	"context"
	"errors"
	"io"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// mergeRows is the number of right rows that are held before left rows are joined with what is complete.
const mergeRows = 8 * BatchRows

// mergeJoin joins inputs that are sorted by their keys, ascending and nulls first. Left rows stream by; of the right side it
// holds a window: the rows from the key at hand on, as far as the left batch reaches. A key whose right rows do not fit
// into memory is joined from a file (mergerun.go).
type mergeJoin struct {
	p           *physical.MergeJoin
	env         *Env
	shape       *joinShape
	left, right Operator
	leftForm    *joinSide
	rightForm   *joinSide
	keys        []sortKey // of both sides, by position of the left form
	rightKeys   []sortKey
	plan        *prefixPlan

	t       *Task
	mem     *memory.Reservation
	probing *joinProbe
	active  bool // probing has output left

	cur       *columnar.Batch // the left batch, its words, and the row to go on with
	curWords  []uint64
	pos       int
	leftDone  bool
	rightDone bool

	win     mergeWindow
	dropped []uint32 // window rows that left it and may come out on their own
	run     *mergeRun
	tmp     []uint64
}

// mergeWindow are the right rows [start, n) of cols.
type mergeWindow struct {
	cols    []columnar.Vector
	words   []uint64
	n       int
	start   int
	limit   int
	refused bool // no memory for more
	matched columnar.Bitmap
}

func newMergeJoin(p *physical.MergeJoin, env *Env) (Operator, error) {
	in := joinInputs{left: p.Left, right: p.Right, leftKeys: p.LeftKeys, rightKeys: p.RightKeys, kind: p.Kind, buildRight: true,
		cond: p.Cond, hint: p.Hint, out: p.Output()}
	o := &mergeJoin{p: p, env: env}
	var err error
	if o.shape, o.leftForm, o.rightForm, err = in.shape(); err != nil {
		return nil, err
	}
	if err := checkJoinKeys(p.LeftKeys); err != nil {
		return nil, err
	}
	for i, k := range p.LeftKeys {
		o.keys = append(o.keys, sortKey{o.leftForm.keys[i], k.Type(), false, true})
		o.rightKeys = append(o.rightKeys, sortKey{o.rightForm.keys[i], k.Type(), false, true})
	}
	o.plan = planByType(o.keys)
	if o.left, err = Build(p.Left, env); err != nil {
		return nil, err
	}
	o.right, err = Build(p.Right, env)
	return o, err
}

func (o *mergeJoin) Schema() *types.Schema { return o.shape.schema }

func (o *mergeJoin) Open(ctx context.Context, t *Task) error {
	o.t, o.mem = t, t.reserve("MergeJoin")
	var err error
	if o.leftForm, err = o.leftForm.forTask(t, o.env); err != nil {
		return err
	}
	if o.rightForm, err = o.rightForm.forTask(t, o.env); err != nil {
		return err
	}
	cond, err := newJoinCond(t, o.env, o.shape.cond, o.leftForm, o.rightForm)
	if err != nil {
		return err
	}
	o.probing = newJoinProbe(o.shape, cond, o.leftForm.keys)
	o.win.limit = mergeRows
	if err := o.left.Open(ctx, t); err != nil {
		return err
	}
	return o.right.Open(ctx, t)
}

func (o *mergeJoin) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if o.active {
			out, err := o.probing.next(ctx)
			if err != nil || out != nil {
				return out, err
			}
			o.probed()
		}
		if len(o.dropped) > 0 {
			return o.unmatched(), nil
		}
		if o.run != nil {
			out, err := o.run.next(ctx, o)
			if err != nil || out != nil {
				return out, err
			}
			continue
		}
		if err := o.step(ctx); err != nil {
			return nil, err
		}
	}
}

// probed ends the probing of some left rows.
func (o *mergeJoin) probed() {
	o.active = false
	if o.run != nil {
		o.run.probed(o)
		return
	}
	if o.shape.rowsOfBuild() {
		copy(o.win.matched, o.probing.buildMatched)
	}
	o.dropBelow(o.pos - 1)
}

// unmatched is the batch of the rows that left the window, without those that found a partner.
func (o *mergeJoin) unmatched() *columnar.Batch {
	rows := o.dropped[:min(len(o.dropped), BatchRows)]
	o.dropped = o.dropped[len(rows):]
	return o.probing.out.buildRows(o.win.cols, rows, nil)
}

// dropBelow moves the start of the window to the first row that is not before left row i.
func (o *mergeJoin) dropBelow(i int) {
	w := &o.win
	for w.start < w.n && o.compare(w.start, i) < 0 {
		o.drop()
	}
}

// drop removes the window's first row.
func (o *mergeJoin) drop() {
	w := &o.win
	if o.shape.rowsOfBuild() && !w.matched.Get(w.start) {
		o.dropped = append(o.dropped, uint32(w.start))
	}
	w.start++
}

// compare orders window row r against left row i.
func (o *mergeJoin) compare(r, i int) int {
	if a, b := o.win.words[r], o.curWords[i]; a != b {
		if a < b {
			return -1
		}
		return 1
	}
	return compareSides(o.rightKeys[o.plan.tie:], o.win.cols, r, o.keys[o.plan.tie:], o.cur.Cols, i)
}

// compareSides is compareKeys for keys that lie in different places.
func compareSides(ka []sortKey, a []columnar.Vector, i int, kb []sortKey, b []columnar.Vector, j int) int {
	for k := range ka {
		x, y := a[ka[k].col:ka[k].col+1], b[kb[k].col:kb[k].col+1]
		one := [1]sortKey{{0, ka[k].t, false, true}}
		if c := compareKeys(one[:], x, i, y, j); c != 0 {
			return c
		}
	}
	return 0
}

// step makes progress: it reads on, joins some left rows, or drops right rows that no left row can meet.
func (o *mergeJoin) step(ctx context.Context) error {
	if !o.leftDone && (o.cur == nil || o.pos == o.cur.N) {
		return o.readLeft(ctx)
	}
	if o.leftDone {
		return o.finish(ctx)
	}
	if err := o.readRight(ctx); err != nil || len(o.dropped) > 0 {
		return err
	}
	to := o.complete()
	if to > o.pos {
		o.join(to)
		return nil
	}
	before := o.win.start
	o.dropBelow(o.pos)
	switch {
	case o.win.start > before || o.win.start == o.win.n:
		return nil
	case !o.win.refused:
		o.win.limit *= 2 // one key fills the window
		return nil
	}
	return o.startRun(ctx)
}

func (o *mergeJoin) readLeft(ctx context.Context) error {
	b, err := o.left.Next(ctx)
	if errors.Is(err, io.EOF) {
		o.leftDone, o.cur = true, nil
		return nil
	}
	if err != nil {
		return err
	}
	o.pos = 0
	if o.cur, err = o.leftForm.load(b); err != nil {
		return err
	}
	o.curWords = sized(o.curWords, b.N)
	o.plan.words(o.curWords, o.cur.Cols, &o.tmp)
	return nil
}

// covers says whether the window reaches beyond the left batch.
func (o *mergeJoin) covers() bool {
	return o.rightDone || o.win.n > o.win.start && o.compare(o.win.n-1, o.cur.N-1) > 0
}

// readRight reads on until the window covers the left batch or may not grow.
func (o *mergeJoin) readRight(ctx context.Context) error {
	if o.covers() || o.full() {
		return nil
	}
	if o.dropBelow(o.pos); len(o.dropped) > 0 {
		return nil
	}
	w := &o.win
	store := newRowStore(o.rightForm.schema)
	old := w.start
	if w.start < w.n {
		o.keepWindow(store)
	}
	w.matched = moveBits(w.matched, old, w.n)
	for {
		b, err := o.nextRight(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		store.add(b)
		if o.beyond(b) || store.n >= w.limit || !o.grant(store.bytes()+int64(store.n)*16) {
			break
		}
	}
	o.setWindow(store)
	return nil
}

// full says whether the window may not grow.
func (o *mergeJoin) full() bool {
	return o.win.n-o.win.start >= o.win.limit || o.win.refused && o.win.n > o.win.start
}

// grant asks for memory for the window; refused, it notes so.
func (o *mergeJoin) grant(need int64) bool {
	o.win.refused = need > o.mem.Bytes() && !o.mem.TryGrow(need-o.mem.Bytes())
	return !o.win.refused
}

// nextRight is the next batch of the right side in its form, nil at the end.
func (o *mergeJoin) nextRight(ctx context.Context) (*columnar.Batch, error) {
	for {
		b, err := o.right.Next(ctx)
		if errors.Is(err, io.EOF) {
			o.rightDone = true
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if b.N > 0 {
			return o.rightForm.load(b)
		}
	}
}

// keepWindow copies the window's rows to a store.
func (o *mergeJoin) keepWindow(store *rowStore) {
	w := &o.win
	rows := make([]uint32, w.n-w.start)
	for i := range rows {
		rows[i] = uint32(w.start + i)
	}
	store.addRows(&columnar.Batch{Cols: w.cols, N: w.n}, rows)
}

// beyond says whether the last row of a right batch comes after the last left row.
func (o *mergeJoin) beyond(b *columnar.Batch) bool {
	return compareSides(o.rightKeys, b.Cols, b.N-1, o.keys, o.cur.Cols, o.cur.N-1) > 0
}

func (o *mergeJoin) setWindow(store *rowStore) {
	w := &o.win
	w.cols, w.n, w.start = store.finish(), store.n, 0
	w.words = sized(w.words, w.n)
	planFor(o.plan, o.rightKeys).words(w.words, w.cols, &o.tmp)
	for len(w.matched) < (w.n+63)/64 {
		w.matched = append(w.matched, 0)
	}
}

// planFor is a plan over other places of the same keys.
func planFor(p *prefixPlan, keys []sortKey) *prefixPlan {
	q := *p
	q.parts = append([]prefixPart(nil), p.parts...)
	for i := range q.parts {
		q.parts[i].key = keys[i]
	}
	return &q
}

// moveBits shifts bits [from, n) to the front.
func moveBits(b columnar.Bitmap, from, n int) columnar.Bitmap {
	out := columnar.NewBitmap(n - from)
	for i := from; i < n; i++ {
		if b.Get(i) {
			out.Set(i - from)
		}
	}
	return out
}

// complete is the end of the left rows whose partners are all in the window.
func (o *mergeJoin) complete() int {
	if o.covers() {
		return o.cur.N
	}
	to := o.pos
	for to < o.cur.N && (nullKey(o.keys, o.cur.Cols, to) || o.win.n > o.win.start && o.compare(o.win.n-1, to) > 0) {
		to++
	}
	return to
}

// join begins to probe left rows [pos, to).
func (o *mergeJoin) join(to int) {
	in := o.leftRows(o.pos, to)
	p, w := o.probing, &o.win
	heads := sized(p.heads, in.N)
	r := w.start
	found := false
	for k := range heads {
		i := o.pos + k
		heads[k] = 0
		if nullKey(o.keys, o.cur.Cols, i) {
			continue
		}
		c := 1
		for r < w.n {
			if c = o.compare(r, i); c >= 0 {
				break
			}
			r++
		}
		if r < w.n && c == 0 {
			heads[k], found = uint32(r)+1, true
		}
	}
	p.use(&joinTable{cols: w.cols, n: w.n, index: &joinIndex{next: o.chains(w.start, found)}})
	copy(p.buildMatched, w.matched)
	p.start(in)
	p.heads = heads
	o.pos, o.active = to, true
}

// chains links the window's rows with equal keys; nil if there are none.
func (o *mergeJoin) chains(from int, found bool) []uint32 {
	w := &o.win
	var next []uint32
	for r := from; found && r+1 < w.n; r++ {
		if w.words[r] == w.words[r+1] && compareKeys(o.rightKeys, w.cols, r, w.cols, r+1) == 0 {
			if next == nil {
				next = make([]uint32, w.n)
			}
			next[r] = uint32(r) + 2
		}
	}
	return next
}

func nullKey(keys []sortKey, cols []columnar.Vector, i int) bool {
	for _, k := range keys {
		if cols[k.col].Null(i) {
			return true
		}
	}
	return false
}

// leftRows is rows [from, to) of the left batch.
func (o *mergeJoin) leftRows(from, to int) *columnar.Batch {
	if from == 0 && to == o.cur.N {
		return o.cur
	}
	rows := make([]uint32, to-from)
	for i := range rows {
		rows[i] = uint32(from + i)
	}
	return o.cur.Select(rows)
}

// finish hands out what is left of the right side after the last left row.
func (o *mergeJoin) finish(ctx context.Context) error {
	w := &o.win
	if !o.shape.rowsOfBuild() {
		return io.EOF
	}
	for w.start < w.n {
		o.drop()
	}
	if len(o.dropped) > 0 || o.rightDone {
		if len(o.dropped) == 0 {
			return io.EOF
		}
		return nil
	}
	b, err := o.nextRight(ctx)
	if b == nil {
		return err
	}
	store := newRowStore(o.rightForm.schema)
	store.add(b)
	w.matched = nil
	o.setWindow(store)
	return nil
}

func (o *mergeJoin) Close() error {
	var err error
	if o.run != nil {
		err = o.run.file.Close()
		o.run = nil
	}
	o.win = mergeWindow{}
	if o.mem != nil {
		o.mem.Release()
	}
	return errors.Join(o.left.Close(), o.right.Close(), err)
}
