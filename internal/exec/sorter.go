package exec

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// sorter collects rows and yields them in order. Rows that compare equal keep the order in which they came. With a limit it
// keeps only the first rows of the order, and turns those away early that cannot be among them.
type sorter struct {
	node   physical.Plan
	t      *Task
	mem    *memory.Reservation
	schema *types.Schema
	keys   []sortKey
	limit  int // <0: none

	store *rowStore
	tmp   []uint64
	files []*memory.SpillFile // sorted runs

	// With a limit: the word of the worst row that is still wanted, by a plan that fits all rows.
	plan    *prefixPlan
	bound   uint64
	bounded bool              // bound is set
	worst   []columnar.Vector // that row's keys
	words   []uint64
	sel     []uint32
}

func newSorter(t *Task, node physical.Plan, name string, schema *types.Schema, keys []sortKey, limit int) *sorter {
	s := &sorter{node: node, t: t, mem: t.reserve(name), schema: schema, keys: keys, limit: limit}
	s.store = s.newStore()
	if limit >= 0 {
		s.plan = planByType(keys)
	}
	return s
}

// newStore makes a store for the rows; sorting wants flat keys.
func (s *sorter) newStore() *rowStore { return newCodedStore(s.schema, s.isKey) }

// sortBytes is what sorting n rows takes besides the rows.
func sortBytes(n int) int64 { return int64(n) * 36 }

// add takes rows; b is borrowed.
func (s *sorter) add(b *columnar.Batch) error {
	if s.limit == 0 {
		return nil
	}
	if s.limit > 0 && s.bounded {
		if !s.admit(b) {
			return nil
		}
		s.store.addRows(b, s.sel)
	} else {
		s.store.add(b)
	}
	if s.limit > 0 && s.store.n >= 2*s.limit+2*BatchRows {
		s.compact()
	}
	need := s.store.bytes() + sortBytes(s.store.n)
	if s.store.n < maxBuildRows/2 && (need <= s.mem.Bytes() || s.mem.TryGrow(need-s.mem.Bytes())) {
		return nil
	}
	if s.limit > 0 {
		s.compact()
	}
	return s.spill()
}

// admit selects the rows that may be among the first; false: none.
func (s *sorter) admit(b *columnar.Batch) bool {
	s.words, s.sel = sized(s.words, b.N), sized(s.sel, b.N)
	s.plan.words(s.words, b.Cols, &s.tmp)
	k, bound := 0, s.bound
	for i, w := range s.words {
		s.sel[k] = uint32(i)
		if w <= bound {
			k++
		}
	}
	s.sel = s.sel[:k]
	s.dropTies(b)
	return len(s.sel) > 0
}

// dropTies drops selected rows with the word of the worst row that do not come before it. Equal ones came later.
func (s *sorter) dropTies(b *columnar.Batch) {
	keys, k := s.keys[s.plan.tie:], 0
	for _, r := range s.sel {
		s.sel[k] = r
		if s.words[r] != s.bound || len(keys) > 0 && compareKeys(keys, b.Cols, int(r), s.worst, 0) < 0 {
			k++
		}
	}
	s.sel = s.sel[:k]
}

// compact drops what is not among the first limit rows, and notes the word of the last of them.
func (s *sorter) compact() {
	if s.store.n < s.limit {
		return
	}
	cols, n := s.store.finish(), s.store.n
	order := sortRows(s.keys, cols, n, &s.tmp)
	order = order[:s.limit]
	s.store = s.newStore()
	s.store.addRows(&columnar.Batch{Cols: cols, N: n}, order)
	s.worst = make([]columnar.Vector, len(cols))
	for i := range cols {
		if s.isKey(i) {
			a := columnar.NewAppender(cols[i].Type)
			a.AppendRows(&cols[i], order[s.limit-1:])
			s.worst[i] = a.Finish()
		}
	}
	var w [1]uint64
	s.plan.words(w[:], s.worst, &s.tmp)
	s.bound, s.bounded = w[0], true
}

func (s *sorter) isKey(col int) bool {
	for _, k := range s.keys {
		if k.col == col {
			return true
		}
	}
	return false
}

// spill writes the rows at hand to a file of their own, in order.
func (s *sorter) spill() error {
	if s.store.n == 0 {
		return nil
	}
	f, err := s.t.Dirs.Spill()
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	run := s.sorted()
	for {
		b := run.next()
		if b == nil {
			break
		}
		if err := f.Write(b, 0, b.N); err != nil {
			return err
		}
	}
	s.store = s.newStore()
	s.mem.Release()
	s.t.Metrics.spilled(s.node, f.Rows(), f.Bytes())
	return f.Done()
}

// sorted takes the rows at hand in order.
func (s *sorter) sorted() *sortedRows {
	cols, n := s.store.finish(), s.store.n
	order := sortRows(s.keys, cols, n, &s.tmp)
	if s.limit >= 0 && len(order) > s.limit {
		order = order[:s.limit]
	}
	return newSortedRows(s.schema, cols, order)
}

// rowSource yields borrowed batches, nil at the end.
type rowSource func(ctx context.Context) (*columnar.Batch, error)

// finish yields all rows in order. No more may be added.
func (s *sorter) finish(ctx context.Context) (rowSource, error) {
	if len(s.files) == 0 {
		run := s.sorted()
		return func(context.Context) (*columnar.Batch, error) { return run.next(), nil }, nil
	}
	if err := s.spill(); err != nil {
		return nil, err
	}
	return s.merge(ctx)
}

func (s *sorter) close() error {
	s.store = nil
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	s.files = nil
	s.mem.Release()
	return errors.Join(errs...)
}

// sortedRows yields rows of columns in a given order.
type sortedRows struct {
	cols  []columnar.Vector
	order []uint32
	bufs  []rowBuf
	out   columnar.Batch
}

func newSortedRows(schema *types.Schema, cols []columnar.Vector, order []uint32) *sortedRows {
	return &sortedRows{cols: cols, order: order, bufs: make([]rowBuf, len(cols)),
		out: columnar.Batch{Schema: schema, Cols: make([]columnar.Vector, len(cols))}}
}

func (s *sortedRows) next() *columnar.Batch {
	n := min(len(s.order), BatchRows)
	if n == 0 {
		return nil
	}
	for i := range s.cols {
		s.out.Cols[i] = s.bufs[i].gather(&s.cols[i], s.order[:n])
	}
	s.out.N = n
	s.order = s.order[n:]
	return &s.out
}

// sortItem is a row and its word.
type sortItem struct {
	word uint64
	row  uint32
}

// sortRows gives the numbers of n rows of flat columns in order; equal rows by number.
func sortRows(keys []sortKey, cols []columnar.Vector, n int, tmp *[]uint64) []uint32 {
	order := make([]uint32, n)
	if n == 0 {
		return order
	}
	plan := planByRows(keys, cols, n, tmp)
	words := make([]uint64, n)
	plan.words(words, cols, tmp)
	if plan.used <= 32 {
		sortNarrow(words, plan.used, order)
	} else {
		sortWide(words, plan.used, order)
	}
	if plan.tie < len(keys) {
		t := tieSorter{keys: keys[plan.tie:], cols: cols, order: order, narrow: plan.used <= 32, same: plan.tie == 0, tmp: tmp}
		t.run(words)
	}
	return order
}

const radixRows = 512

// sortNarrow sorts by words of up to 32 bits, which share a word with the row number. words are sorted with them.
func sortNarrow(words []uint64, used uint, order []uint32) {
	for i, w := range words {
		words[i] = w<<32 | uint64(i)
	}
	if len(words) < radixRows {
		slices.Sort(words)
	} else {
		radixNarrow(words, used)
	}
	for i, w := range words {
		order[i] = uint32(w)
	}
}

func radixNarrow(words []uint64, used uint) {
	from, to := words, make([]uint64, len(words))
	for shift := uint(32); shift < 32+used; shift += 8 {
		var at [256]uint32
		for _, w := range from {
			at[byte(w>>shift)]++
		}
		if !offsets(&at, len(from)) {
			continue
		}
		for _, w := range from {
			d := byte(w >> shift)
			to[at[d]] = w
			at[d]++
		}
		from, to = to, from
	}
	if &from[0] != &words[0] {
		copy(words, from)
	}
}

// offsets turns counts into starts; false if all rows have one digit.
func offsets(at *[256]uint32, n int) bool {
	sum := uint32(0)
	for d, c := range at {
		if int(c) == n {
			return false
		}
		at[d] = sum
		sum += c
	}
	return true
}

// sortWide sorts by words of up to 64 bits. words are sorted with them.
func sortWide(words []uint64, used uint, order []uint32) {
	items := make([]sortItem, len(words))
	for i, w := range words {
		items[i] = sortItem{w, uint32(i)}
	}
	if len(items) < radixRows {
		slices.SortFunc(items, func(a, b sortItem) int {
			if c := cmp.Compare(a.word, b.word); c != 0 {
				return c
			}
			return cmp.Compare(a.row, b.row)
		})
	} else {
		items = radixWide(items, used)
	}
	for i, it := range items {
		words[i], order[i] = it.word, it.row
	}
}

func radixWide(from []sortItem, used uint) []sortItem {
	to := make([]sortItem, len(from))
	for shift := uint(0); shift < used; shift += 8 {
		var at [256]uint32
		for _, it := range from {
			at[byte(it.word>>shift)]++
		}
		if !offsets(&at, len(from)) {
			continue
		}
		for _, it := range from {
			d := byte(it.word >> shift)
			to[at[d]] = it
			at[d]++
		}
		from, to = to, from
	}
	return from
}

// tieSorter orders the rows with equal words by the remaining keys.
type tieSorter struct {
	keys   []sortKey
	cols   []columnar.Vector
	order  []uint32
	narrow bool // words have the row number below them
	same   bool // the keys are those that the words were made of
	tmp    *[]uint64
	part   []columnar.Vector
	bufs   []rowBuf
}

// tieRows is the number of tied rows from which they get words of their own.
const tieRows = 32

func (t *tieSorter) run(words []uint64) {
	shift := uint(0)
	if t.narrow {
		shift = 32
	}
	for from := 0; from < len(words); {
		w := words[from] >> shift
		to := from + 1
		for to < len(words) && words[to]>>shift == w {
			to++
		}
		switch n := to - from; {
		case n == 1:
		case n < tieRows || t.same && n == len(words):
			t.compare(t.order[from:to])
		default:
			t.again(t.order[from:to])
		}
		from = to
	}
}

func (t *tieSorter) compare(rows []uint32) {
	slices.SortFunc(rows, func(a, b uint32) int {
		if c := compareKeys(t.keys, t.cols, int(a), t.cols, int(b)); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
}

// again sorts rows by words that are made for them alone.
func (t *tieSorter) again(rows []uint32) {
	if t.part == nil {
		t.part, t.bufs = make([]columnar.Vector, len(t.cols)), make([]rowBuf, len(t.cols))
	}
	for _, k := range t.keys {
		t.part[k.col] = t.bufs[k.col].gather(&t.cols[k.col], rows)
	}
	at := sortRows(t.keys, t.part, len(rows), t.tmp)
	for i, a := range at {
		at[i] = rows[a]
	}
	copy(rows, at)
}
