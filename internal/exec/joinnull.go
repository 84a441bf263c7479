package exec

import "github.com/firesteel/firesteel/internal/columnar"

// nullAwareScan walks the pairs in which a null makes the comparison of NOT IN unknown, so that the probe row must go: of
// a probe row with a null key with every build row, and of any other with the build rows that have one.
type nullAwareScan struct {
	on  bool
	row int
	at  int
}

func (s *nullAwareScan) start() { *s = nullAwareScan{} }

// nullAwareStep handles some pairs of a null-aware anti join.
func (p *joinProbe) nullAwareStep() error {
	if !p.slow.on {
		return p.nullAwareFirst()
	}
	p.fillUnknown()
	return p.nullAwarePairs(true)
}

// nullAwareFirst handles the pairs that the index knows, then, for a single key without a condition, all the others at once.
func (p *joinProbe) nullAwareFirst() error {
	if p.cond == nil && len(p.keys) == 1 && p.probeAllOrNulls() {
		p.done = true
		return nil
	}
	p.fill()
	if p.done {
		p.done, p.slow.on = false, true
	}
	return p.nullAwarePairs(false)
}

// probeAllOrNulls answers for one key without a condition: with a null on the build side every row goes, else those with
// a null key go unless the build side is empty. It says false if hashes must still be verified.
func (p *joinProbe) probeAllOrNulls() bool {
	n := p.in.N
	if len(p.tab.nulls) > 0 {
		for i := range n {
			p.matched.Set(p.base + i)
		}
		return true
	}
	if p.tab.hashed() || p.deferred {
		return false
	}
	p.markHeads()
	if p.valid != nil && p.tab.n > 0 {
		for i := range n {
			if !p.valid.Get(i) {
				p.matched.Set(i)
			}
		}
	}
	return true
}

// nullAwarePairs sorts out the collected pairs and notes what is left.
func (p *joinProbe) nullAwarePairs(unknown bool) error {
	switch {
	case unknown:
		for i, k := range p.tab.keys {
			p.dropKnownUnequal(p.refs[i], &p.tab.cols[k])
		}
		p.compact()
	case p.tab.hashed():
		p.verify()
		p.compact()
	}
	if p.cond != nil {
		var err error
		if p.prow, p.brow, err = p.cond.filter(p.in, p.tab.cols, p.prow, p.brow); err != nil {
			return err
		}
	}
	return p.note()
}

// dropKnownUnequal puts noRow where both values are known and differ.
func (p *joinProbe) dropKnownUnequal(a, b *columnar.Vector) {
	var prow, brow, at []uint32
	for i, r := range p.brow {
		if r != noRow && !a.Null(int(p.prow[i])) && !b.Null(int(r)) {
			prow, brow, at = append(prow, p.prow[i]), append(brow, r), append(at, uint32(i))
		}
	}
	dropUnequal(a, b, prow, brow, &p.bufs)
	for k, r := range brow {
		if r == noRow {
			p.brow[at[k]] = noRow
		}
	}
}

// fillUnknown collects the next pairs with a null on either side, up to joinRows.
func (p *joinProbe) fillUnknown() {
	p.prow, p.brow = sized(p.prow, joinRows)[:0], sized(p.brow, joinRows)[:0]
	s := &p.slow
	for s.row < p.in.N && len(p.prow) < joinRows {
		nullKey := p.valid != nil && !p.valid.Get(s.row)
		limit := len(p.tab.nulls)
		if nullKey {
			limit = p.tab.n
		}
		if s.at == limit || s.at == 0 && p.matched.Get(p.base+s.row) {
			s.row, s.at = s.row+1, 0
			continue
		}
		b := uint32(s.at)
		if !nullKey {
			b = p.tab.nulls[s.at]
		}
		p.prow, p.brow = append(p.prow, uint32(s.row)), append(p.brow, b)
		s.at++
	}
	p.done = s.row == p.in.N
}
