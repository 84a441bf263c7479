package exec

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/eval"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// partitionWalk goes through a chunk's partitions in order.
type partitionWalk struct {
	c          *windowChunk
	k          int // number of the partition
	start, end int
}

func (w *partitionWalk) begin(c *windowChunk) { *w = partitionWalk{c: c, k: -1} }

// at moves to the partition of row i, which is not before the current one; it says whether that is another.
func (w *partitionWalk) at(i int) bool {
	moved := false
	for w.k < 0 || i >= w.end {
		w.k++
		w.start, w.end = w.c.starts[w.k], w.c.starts[w.k+1]
		moved = true
	}
	return moved
}

// frameWalk gives the frames of a chunk's rows in order.
type frameWalk struct {
	partitionWalk
	call       *windowCall
	key        sortKey
	rows       [2]int // ROWS: offsets of the bounds
	lo, hi     int    // RANGE with offsets: where the bounds stand
	peer, past int    // the peers of the row at hand
}

func newFrameWalk(call *windowCall, order []sortKey, s *kernel.Session) (*frameWalk, error) {
	f := &frameWalk{call: call}
	if call.byCol >= 0 {
		f.key = sortKey{0, call.spec.Order[0].Child.Type(), order[0].desc, order[0].nullsFirst}
	}
	if call.spec.Unit != expr.Rows {
		return f, nil
	}
	for i, b := range []expr.Bound{call.spec.Lower, call.spec.Upper} {
		if b.Offset == nil {
			continue
		}
		n, err := constInt(b.Offset, s)
		if err != nil {
			return nil, err
		}
		if b.Kind == expr.Preceding {
			n = -n
		}
		f.rows[i] = n
	}
	return f, nil
}

// constInt is the value of a constant integer expression.
func constInt(e expr.Expr, s *kernel.Session) (int, error) {
	v, err := eval.Value(e, s)
	if err != nil {
		return 0, err
	}
	switch n := v.(type) {
	case int8:
		return int(n), nil
	case int16:
		return int(n), nil
	case int32:
		return int(n), nil
	case int64:
		return int(n), nil
	}
	return 0, sparkerr.Internal("%s is no integer", e.SQL())
}

func (f *frameWalk) begin(c *windowChunk) { f.partitionWalk.begin(c) }

// frame is the first row of row i's frame, and the row after its last.
func (f *frameWalk) frame(i int) (lo, hi int, err error) {
	if f.at(i) {
		f.lo, f.hi, f.past = f.start, f.start, f.start
	}
	spec := &f.call.spec
	if spec.Unit == expr.Rows {
		lo, hi = f.rowFrame(i)
	} else {
		if i >= f.past {
			f.peer, f.past = i, f.c.nextPeer(i, f.end)
		}
		if lo, err = f.lower(i); err == nil {
			hi, err = f.upper(i)
		}
	}
	return lo, max(lo, hi), err
}

func (f *frameWalk) rowFrame(i int) (lo, hi int) {
	lo, hi = f.start, f.end
	if f.call.spec.Lower.Kind != expr.UnboundedPreceding {
		lo = min(max(i+f.rows[0], f.start), f.end)
	}
	if f.call.spec.Upper.Kind != expr.UnboundedFollowing {
		hi = min(max(i+f.rows[1]+1, f.start), f.end)
	}
	return lo, hi
}

func (f *frameWalk) lower(i int) (int, error) {
	switch {
	case f.call.spec.Lower.Kind == expr.UnboundedPreceding:
		return f.start, nil
	case f.call.lower < 0:
		return f.peer, nil
	}
	for f.lo < f.end {
		c, err := f.compare(f.lo, i, f.call.lower)
		if err != nil || c >= 0 {
			return f.lo, err
		}
		f.lo++
	}
	return f.lo, nil
}

func (f *frameWalk) upper(i int) (int, error) {
	switch {
	case f.call.spec.Upper.Kind == expr.UnboundedFollowing:
		return f.end, nil
	case f.call.upper < 0:
		return f.past, nil
	}
	for f.hi < f.end {
		c, err := f.compare(f.hi, i, f.call.upper)
		if err != nil || c > 0 {
			return f.hi, err
		}
		f.hi++
	}
	return f.hi, nil
}

// compare orders row r against the bound of row i.
func (f *frameWalk) compare(r, i, bound int) (int, error) {
	x, xi, err := f.c.row(i)
	if err != nil {
		return 0, err
	}
	y, yi, err := f.c.row(r)
	if err != nil {
		return 0, err
	}
	key := [1]sortKey{f.key}
	return compareKeys(key[:], y[f.call.byCol:f.call.byCol+1], yi, x[bound:bound+1], xi), nil
}

// whole says whether every frame is its partition.
func (c *windowCall) whole() bool {
	return c.spec.Lower.Kind == expr.UnboundedPreceding && c.spec.Upper.Kind == expr.UnboundedFollowing
}

// ---- functions of positions ----

// rowNumbers is row_number, rank, dense_rank, percent_rank, cume_dist and ntile: they look at positions only.
type rowNumbers struct {
	name    string
	buckets int
	walk    partitionWalk
	rank    int
	dense   int
	past    int
	ints    []int32
	doubles []float64
}

func (r *rowNumbers) begin(c *windowChunk) error {
	r.walk.begin(c)
	return nil
}

func (r *rowNumbers) page(from, to int) (columnar.Vector, error) {
	n := to - from
	r.ints, r.doubles = sized(r.ints, n), sized(r.doubles, n)
	for i := from; i < to; i++ {
		if r.walk.at(i) {
			r.rank, r.dense, r.past = 0, 0, i
		}
		if i == r.past {
			r.rank, r.dense, r.past = i-r.walk.start+1, r.dense+1, r.walk.c.nextPeer(i, r.walk.end)
		}
		r.set(i-from, i-r.walk.start, r.walk.end-r.walk.start)
	}
	if r.name == "percent_rank" || r.name == "cume_dist" {
		return columnar.Vector{N: n, Data: columnar.Bytes(r.doubles)}, nil
	}
	return columnar.Vector{N: n, Data: columnar.Bytes(r.ints)}, nil
}

// set computes the value of the row at a position of a partition of some rows.
func (r *rowNumbers) set(k, at, rows int) {
	switch r.name {
	case "row_number":
		r.ints[k] = int32(at + 1)
	case "rank":
		r.ints[k] = int32(r.rank)
	case "dense_rank":
		r.ints[k] = int32(r.dense)
	case "percent_rank":
		r.doubles[k] = 0
		if rows > 1 {
			r.doubles[k] = float64(r.rank-1) / float64(rows-1)
		}
	case "cume_dist":
		r.doubles[k] = float64(r.past-r.walk.start) / float64(rows)
	case "ntile":
		small, larger := rows/r.buckets, rows%r.buckets
		if at < larger*(small+1) {
			r.ints[k] = int32(at/(small+1) + 1)
		} else {
			r.ints[k] = int32(larger + (at-larger*(small+1))/small + 1)
		}
	}
}

// picked is a function that picks one row's value: lag, lead, nth_value, first, last, any_value.
type picked struct {
	name    string
	n       int // lag and lead: rows ahead; nth_value: which, from 1
	col     int
	deflt   int // column of the default, -1: null
	ignore  bool
	frames  *frameWalk
	c       *windowChunk
	some    []uint32 // ignore: the rows that are not null
	next    int      // the first of some that is not before the row, or the frame, at hand
	rows    []uint32
	buf     rowBuf
	page0   rowBuf
	walk    partitionWalk
	lastSet int
}

func (p *picked) begin(c *windowChunk) error {
	p.c, p.next, p.lastSet, p.some = c, 0, 0, p.some[:0]
	p.walk.begin(c)
	if p.frames != nil {
		p.frames.begin(c)
	}
	if !p.ignore {
		return nil
	}
	for from := 0; from < c.n; from += windowPage {
		cols, err := c.page(from / windowPage)
		if err != nil {
			return err
		}
		v := &cols[p.col]
		for i := range min(windowPage, c.n-from) {
			if !v.Null(i) {
				p.some = append(p.some, uint32(from+i))
			}
		}
	}
	return nil
}

func (p *picked) page(from, to int) (columnar.Vector, error) {
	p.rows = sized(p.rows, to-from)
	holes := false
	for i := from; i < to; i++ {
		r, err := p.pick(i)
		if err != nil {
			return columnar.Vector{}, err
		}
		p.rows[i-from] = r
		holes = holes || r == noRow
	}
	v, err := p.c.take(&p.buf, p.col, p.rows, holes)
	if err != nil || !holes || p.deflt < 0 {
		return v, err
	}
	return p.withDefaults(&v, from)
}

// pick is the row whose value row i gets.
func (p *picked) pick(i int) (uint32, error) {
	if p.frames == nil {
		return p.ahead(i), nil
	}
	lo, hi, err := p.frames.frame(i)
	if err != nil || lo >= hi {
		return noRow, err
	}
	switch {
	case p.name == "last" && !p.ignore:
		return uint32(hi - 1), nil
	case p.name == "last":
		p.lastSet = max(p.lastSet, 0)
		for p.lastSet < len(p.some) && int(p.some[p.lastSet]) < hi {
			p.lastSet++
		}
		if p.lastSet > 0 && int(p.some[p.lastSet-1]) >= lo {
			return p.some[p.lastSet-1], nil
		}
		return noRow, nil
	case !p.ignore:
		if lo+p.n-1 < hi {
			return uint32(lo + p.n - 1), nil
		}
		return noRow, nil
	}
	p.skipTo(lo)
	if k := p.next + p.n - 1; k < len(p.some) && int(p.some[k]) < hi {
		return p.some[k], nil
	}
	return noRow, nil
}

func (p *picked) skipTo(i int) {
	for p.next < len(p.some) && int(p.some[p.next]) < i {
		p.next++
	}
}

// ahead is the row n rows on, or n values on.
func (p *picked) ahead(i int) uint32 {
	p.walk.at(i)
	to := i + p.n
	if p.ignore && p.n != 0 {
		p.skipTo(i)
		k := p.next + p.n
		if p.n > 0 && (p.next == len(p.some) || int(p.some[p.next]) != i) {
			k--
		}
		if k < 0 || k >= len(p.some) {
			return noRow
		}
		to = int(p.some[k])
	}
	if to < p.walk.start || to >= p.walk.end {
		return noRow
	}
	return uint32(to)
}

// withDefaults puts the default of its own row where there is no row to pick.
func (p *picked) withDefaults(v *columnar.Vector, from int) (columnar.Vector, error) {
	cols, err := p.c.page(from / windowPage)
	if err != nil {
		return *v, err
	}
	a := columnar.NewAppender(p.c.schema.Fields[p.col].Type)
	a.AppendVector(v)
	a.AppendVector(&cols[p.deflt])
	both := a.Finish()
	for i, r := range p.rows {
		if p.rows[i] = uint32(i); r == noRow {
			p.rows[i] = uint32(v.N + i)
		}
	}
	return p.page0.gather(&both, p.rows), nil
}
