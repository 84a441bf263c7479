package exec

import (
	"context"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// joinRows is the number of pairs that a join puts into a batch when a row has several partners.
const joinRows = 4096

// joinProbe looks batches of the probe side up in a table and makes the join's output. It belongs to one task.
//
// For each batch: begin, then next until nil. At the end of the probe side: rest until nil, for the build side's own rows.
type joinProbe struct {
	shape *joinShape
	out   *joinOut
	cond  *joinCond
	keys  []int // of the probe side
	tab   *joinTable

	in      *columnar.Batch
	refs    []*columnar.Vector
	words   joinWords
	valid   columnar.Bitmap // rows without a null key; nil: all
	heads   []uint32
	pend    []uint32
	codes   []uint32
	pos     int    // the row whose partners come next
	chain   uint32 // the partner that comes next, from 1; 0: the first
	done    bool   // all pairs were seen
	flushed bool

	// matched has the probe rows with a partner: of this batch, or, if deferred, of all batches, this one's from bit base on.
	matched  columnar.Bitmap
	deferred bool
	base     int

	buildMatched columnar.Bitmap
	restAt       int

	prow, brow []uint32
	rows       []uint32
	bufs       [2][]uint32
	slow       nullAwareScan
}

func newJoinProbe(shape *joinShape, cond *joinCond, keys []int) *joinProbe {
	return &joinProbe{shape: shape, out: newJoinOut(shape), cond: cond, keys: keys, refs: make([]*columnar.Vector, len(keys))}
}

// use turns to another table; a probe side begins anew.
func (p *joinProbe) use(tab *joinTable) {
	p.tab, p.restAt = tab, 0
	if p.shape.rowsOfBuild() {
		p.buildMatched = sized(p.buildMatched, (tab.n+63)/64)
		clear(p.buildMatched)
	}
}

// begin takes the next batch of the probe side, borrowed until next has given nil.
func (p *joinProbe) begin(in *columnar.Batch) {
	p.start(in)
	p.lookup()
}

// start is begin for a caller that sets heads itself.
func (p *joinProbe) start(in *columnar.Batch) {
	p.in, p.pos, p.chain, p.done, p.flushed = in, 0, 0, false, false
	if p.tracks() && !p.deferred {
		p.matched = sized(p.matched, (in.N+63)/64)
		clear(p.matched)
		p.base = 0
	}
	p.slow.start()
}

// tracks says whether it must be known which rows of the probe side have a partner.
func (p *joinProbe) tracks() bool { return p.shape.rowsOfProbe() || p.shape.single }

// lookup finds the first partner of every row.
func (p *joinProbe) lookup() {
	n := p.in.N
	p.heads, p.pend = sized(p.heads, n), sized(p.pend, n)
	for i, k := range p.keys {
		p.refs[i] = &p.in.Cols[k]
	}
	if len(p.keys) == 0 { // every row is every row's partner
		first := uint32(0)
		if p.tab.n > 0 {
			first = 1
		}
		for i := range p.heads {
			p.heads[i] = first
		}
		return
	}
	if !p.lookupDict() {
		var words []uint64
		words, p.valid = p.words.run(p.tab.index, p.refs, n)
		p.tab.index.find(words, p.heads, p.pend)
	}
	if p.valid != nil {
		for i := range p.heads {
			p.heads[i] &= -uint32(p.valid[i>>6] >> (uint(i) & 63) & 1)
		}
	}
}

// lookupDict looks the entries of a dictionary up instead of the rows if there are fewer.
func (p *joinProbe) lookupDict() bool {
	v := p.refs[0]
	if len(p.refs) != 1 || v.Form != columnar.Dict || v.Dict.N > p.in.N {
		return false
	}
	p.refs[0] = v.Dict
	words, _ := p.words.run(p.tab.index, p.refs, v.Dict.N)
	p.codes = sized(p.codes, v.Dict.N)
	p.tab.index.find(words, p.codes, p.pend)
	columnar.GatherInto(p.heads, p.codes, v.Codes[:p.in.N])
	p.refs[0], p.valid = v, v.Valid
	return true
}

// next is the next output batch for the current one, nil when there is no more.
func (p *joinProbe) next(ctx context.Context) (*columnar.Batch, error) {
	for !p.done {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out, err := p.step()
		if err != nil || out != nil {
			return out, err
		}
	}
	if p.flushed || p.deferred {
		return nil, nil
	}
	p.flushed = true
	if p.tracks() {
		return p.flush(p.in), nil
	}
	return nil, nil
}

// plainPairs says whether pairs need nothing but their keys' words to be pairs.
func (p *joinProbe) plainPairs() bool {
	return p.cond == nil && !p.tab.hashed() && !p.deferred && !p.shape.nullAware
}

func (t *joinTable) hashed() bool { return t.index != nil && t.index.hashed }

func (t *joinTable) next() []uint32 {
	if t.index == nil {
		return nil
	}
	return t.index.next
}

// step handles some pairs and gives what comes out of them, or nil.
func (p *joinProbe) step() (*columnar.Batch, error) {
	unique := p.tab.next() == nil && p.tab.index != nil
	switch {
	case p.shape.probeFlag != noFlag && p.plainPairs():
		p.done = true
		p.markHeads()
		return nil, nil
	case p.shape.pairs && unique && p.cond == nil && !p.deferred:
		p.done, p.flushed = true, true
		return p.uniquePairs(), nil
	case p.shape.nullAware:
		return nil, p.nullAwareStep()
	}
	p.fill()
	if p.tab.hashed() {
		p.verify()
		p.compact()
	}
	if p.cond != nil {
		var err error
		if p.prow, p.brow, err = p.cond.filter(p.in, p.tab.cols, p.prow, p.brow); err != nil {
			return nil, err
		}
	}
	if err := p.note(); err != nil || !p.shape.pairs || len(p.prow) == 0 {
		return nil, err
	}
	return p.out.pairs(p.in, p.tab.cols, p.prow, p.brow, false), nil
}

// markHeads notes the rows with a partner, all at once.
func (p *joinProbe) markHeads() {
	for i, h := range p.heads {
		var bit uint64
		if h != 0 {
			bit = 1
		}
		p.matched[i>>6] |= bit << (uint(i) & 63)
	}
}

// uniquePairs makes the one batch that comes out when no row has two partners.
func (p *joinProbe) uniquePairs() *columnar.Batch {
	n := p.in.N
	p.brow, p.prow = sized(p.brow, n), sized(p.prow, n)
	if !p.tab.hashed() && !p.shape.probeOuter {
		k := 0
		for i, h := range p.heads {
			p.prow[k], p.brow[k] = uint32(i), h-1
			if h != 0 {
				k++
			}
		}
		p.prow, p.brow = p.prow[:k], p.brow[:k]
		return p.emitUnique(k == n, false)
	}
	found := 0
	for i, h := range p.heads {
		p.prow[i], p.brow[i] = uint32(i), h-1 // 0-1 is noRow
	}
	if p.tab.hashed() {
		p.verify()
	}
	for _, b := range p.brow {
		if b != noRow {
			found++
		}
	}
	if p.shape.probeOuter {
		return p.emitUnique(true, found < n)
	}
	p.compact()
	return p.emitUnique(found == n, false)
}

func (p *joinProbe) emitUnique(all, holes bool) *columnar.Batch {
	if p.shape.rowsOfBuild() {
		for _, b := range p.brow {
			if b != noRow {
				p.buildMatched.Set(int(b))
			}
		}
	}
	if len(p.brow) == 0 {
		return nil
	}
	prow := p.prow
	if all {
		prow = nil
	}
	return p.out.pairs(p.in, p.tab.cols, prow, p.brow, holes)
}

// fill collects the next pairs into prow and brow, up to joinRows.
func (p *joinProbe) fill() {
	p.prow, p.brow = sized(p.prow, joinRows), sized(p.brow, joinRows)
	prow, brow, next := p.prow[:joinRows], p.brow[:joinRows], p.tab.next()
	all := p.tab.index == nil
	k, i, h := 0, p.pos, p.chain
	skip := p.shape.probeFlag != noFlag
	once := p.shape.buildFlag != noFlag && !p.shape.pairs && p.plainPairs()
	for ; i < p.in.N; i++ {
		if h == 0 {
			h = p.heads[i]
			if skip && h != 0 && p.matched.Get(p.base+i) {
				h = 0
			}
			// All rows with a key find their partner with the first probe row that has it.
			if once && h != 0 && p.buildMatched.Get(int(h-1)) {
				h = 0
			}
		}
		for h != 0 && k < joinRows {
			prow[k], brow[k] = uint32(i), h-1
			k++
			switch {
			case next != nil:
				h = next[h-1]
			case all && int(h) < p.tab.n:
				h++
			default:
				h = 0
			}
		}
		if k == joinRows {
			break
		}
	}
	if h == 0 && i < p.in.N {
		i++
	}
	p.pos, p.chain = i, h
	p.done = i >= p.in.N
	p.prow, p.brow = prow[:k], brow[:k]
}

// verify compares the keys of pairs that were found by hash; the wrong ones get noRow.
func (p *joinProbe) verify() {
	for i, k := range p.tab.keys {
		dropUnequal(p.refs[i], &p.tab.cols[k], p.prow, p.brow, &p.bufs)
	}
}

// compact removes pairs with noRow.
func (p *joinProbe) compact() {
	k := 0
	for i, b := range p.brow {
		p.prow[k], p.brow[k] = p.prow[i], b
		if b != noRow {
			k++
		}
	}
	p.prow, p.brow = p.prow[:k], p.brow[:k]
}

// note records who has a partner.
func (p *joinProbe) note() error {
	if p.shape.rowsOfBuild() {
		for _, b := range p.brow {
			p.buildMatched.Set(int(b))
		}
	}
	if p.shape.single {
		for _, r := range p.prow {
			if p.matched.Get(p.base + int(r)) {
				return sparkerr.New("SCALAR_SUBQUERY_TOO_MANY_ROWS")
			}
			p.matched.Set(p.base + int(r))
		}
		return nil
	}
	if p.tracks() {
		for _, r := range p.prow {
			p.matched.Set(p.base + int(r))
		}
	}
	return nil
}

// flush makes what comes out of a batch once it is known which of its rows have partners; nil: nothing.
func (p *joinProbe) flush(in *columnar.Batch) *columnar.Batch {
	want := uint64(0)
	switch {
	case p.shape.probeFlag == markMatched:
		return p.out.marked(in, p.matched, p.base)
	case p.shape.probeFlag == keepMatched:
		want = 1
	case p.shape.probeFlag == noFlag && !p.shape.probeOuter:
		return nil
	}
	p.rows = sized(p.rows, in.N)
	k := 0
	for i := range p.rows {
		at := p.base + i
		p.rows[k] = uint32(i)
		if p.matched[at>>6]>>(uint(at)&63)&1 == want {
			k++
		}
	}
	switch k {
	case 0:
		return nil
	case in.N:
		return p.out.probeRows(in, nil)
	}
	return p.out.probeRows(in, p.rows[:k])
}

// rest is the next batch of the build side's own rows, nil after the last.
func (p *joinProbe) rest() *columnar.Batch {
	if !p.shape.rowsOfBuild() {
		return nil
	}
	want := uint64(0)
	if p.shape.buildFlag == keepMatched {
		want = 1
	}
	p.rows = sized(p.rows, joinRows)[:0]
	for ; p.restAt < p.tab.n && len(p.rows) < joinRows; p.restAt++ {
		bit := p.buildMatched[p.restAt>>6] >> (uint(p.restAt) & 63) & 1
		if p.shape.buildFlag == markMatched || bit == want {
			p.rows = append(p.rows, uint32(p.restAt))
		}
	}
	if len(p.rows) == 0 {
		return nil
	}
	return p.out.buildRows(p.tab.cols, p.rows, p.buildMatched)
}
