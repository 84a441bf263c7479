package parquet

import (
	"sort"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// filterStep is all that restricts one column by itself. Where the column is dictionary-encoded it is decided once per
// dictionary entry: pass says which entries do.
type filterStep struct {
	col      int
	preds    []Predicate
	keys     []Keys
	dict     *columnar.Vector // that pass is for
	pass     []byte           // 0 or 1 for each entry
	passed   int              // entries that pass
	passNull bool
	byRow    bool // a predicate fails for some entry: decide row by row, as only rows that are there may fail
}

// planFilters groups what the scan asks by column; predicates that may fail keep their order behind those that cannot.
func (r *Scanner) planFilters() {
	of := map[int]int{}
	step := func(col int) *filterStep {
		i, ok := of[col]
		if !ok {
			i = len(r.steps)
			of[col] = i
			r.steps = append(r.steps, filterStep{col: col})
		}
		return &r.steps[i]
	}
	for _, p := range r.scan.Predicates {
		if len(p.Columns) == 1 && p.Safe {
			s := step(p.Columns[0])
			s.preds = append(s.preds, p)
		}
	}
	for _, k := range r.scan.Keys {
		s := step(k.Column)
		s.keys = append(s.keys, k)
	}
	for _, safe := range []bool{true, false} {
		for _, p := range r.scan.Predicates {
			if p.Safe == safe && (len(p.Columns) != 1 || !p.Safe) {
				r.multi = append(r.multi, p)
			}
		}
	}
}

// start looks at the dictionaries of the filtered columns: nothing needs to be read if no entry passes, and the most
// selective column comes first.
func (r *Scanner) start() error {
	if r.started {
		return nil
	}
	r.started = true
	r.empty = len(r.ranges) == 0
	share := make(map[int]float64, len(r.steps))
	for i := range r.steps {
		s := &r.steps[i]
		share[s.col] = 1
		l, ok := r.cols[s.col].(*leaf)
		if !ok || r.empty || !l.chunk.allDictionary {
			continue
		}
		d, err := l.dictionaryAhead()
		if err != nil {
			return r.wrap(s.col, err)
		}
		if d == nil || d.N == 0 {
			continue
		}
		r.prepare(s, d)
		if !s.byRow {
			share[s.col] = float64(s.passed) / float64(d.N)
			r.empty = s.passed == 0 && !s.passNull
		}
	}
	sort.SliceStable(r.steps, func(i, j int) bool { return share[r.steps[i].col] < share[r.steps[j].col] })
	return nil
}

// prepare makes the pass table of a dictionary.
func (r *Scanner) prepare(s *filterStep, d *columnar.Vector) {
	s.dict, s.byRow = d, false
	if cap(s.pass) < d.N {
		s.pass = make([]byte, d.N)
	}
	s.pass = s.pass[:d.N]
	rows := r.sel // of the current piece
	r.sel = r.dictSel
	defer func() { r.sel, r.dictSel = rows, r.sel }()
	one := nullRow(d.Type)
	sel, err := r.run(s, &one, 1, nil, true)
	if err == nil {
		s.passNull = len(sel) == 1
		sel, err = r.run(s, d, d.N, nil, true)
	}
	if err != nil {
		s.byRow = true
		return
	}
	clear(s.pass)
	for _, i := range sel {
		s.pass[i] = 1
	}
	s.passed = len(sel)
}

func nullRow(t types.Type) columnar.Vector { return columnar.Nulls(t, 1) }

// run applies a step's predicates and keys to the rows sel (all: every row) of a column of n rows.
func (r *Scanner) run(s *filterStep, v *columnar.Vector, n int, sel []uint32, all bool) ([]uint32, error) {
	for _, k := range s.keys {
		sel = r.selectKeys(v, n, sel, all, &k)
		all = false
	}
	for _, p := range s.preds {
		if !all && len(sel) == 0 {
			break
		}
		r.args.Cols = append(r.args.Cols[:0], *v)
		var err error
		if sel, err = r.apply(p, n, sel, all); err != nil {
			return nil, err
		}
		all = false
	}
	if all {
		sel = r.rows(n)
		for i := range sel {
			sel[i] = uint32(i)
		}
	}
	return sel, nil
}

// apply runs a predicate on r.args and copies the selection, which lives in the predicate's memory.
func (r *Scanner) apply(p Predicate, n int, sel []uint32, all bool) ([]uint32, error) {
	r.args.N = n
	if all {
		sel = nil
	}
	got, err := p.Select(&r.args, sel)
	if err != nil {
		return nil, err
	}
	return r.rows(n)[:copy(r.rows(n), got)], nil
}

// rows is the scanner's own selection buffer with room for n rows.
func (r *Scanner) rows(n int) []uint32 {
	if cap(r.sel) < n {
		r.sel = make([]uint32, max(n, maxPiece))
	}
	return r.sel[:n]
}

// filter finds the rows of the next n that pass; all says that every row does.
func (r *Scanner) filter(n int) (sel []uint32, all bool, err error) {
	all = true
	for i := range r.steps {
		if sel, all, err = r.filterColumn(&r.steps[i], n, sel, all); err != nil || !all && len(sel) == 0 {
			return sel, all, err
		}
	}
	for _, p := range r.multi {
		r.args.Cols = r.args.Cols[:0]
		for _, c := range p.Columns {
			v, err := r.column(c, n)
			if err != nil {
				return nil, false, err
			}
			r.args.Cols = append(r.args.Cols, *v)
		}
		if sel, err = r.apply(p, n, sel, all); err != nil {
			return nil, false, err
		}
		if all = len(sel) == n; len(sel) == 0 {
			break
		}
	}
	return sel, all, nil
}

func (r *Scanner) filterColumn(s *filterStep, n int, sel []uint32, all bool) ([]uint32, bool, error) {
	v, err := r.column(s.col, n)
	if err != nil {
		return nil, false, err
	}
	if v.Form == columnar.Dict {
		if s.dict != v.Dict {
			r.prepare(s, v.Dict)
		}
		if !s.byRow {
			return r.filterCodes(s, v, sel, all)
		}
	}
	if sel, err = r.run(s, v, n, sel, all); err != nil {
		return nil, false, err
	}
	return sel, len(sel) == n, nil
}

func (r *Scanner) filterCodes(s *filterStep, v *columnar.Vector, sel []uint32, all bool) ([]uint32, bool, error) {
	nulls := v.Valid != nil
	switch {
	case s.passed == s.dict.N && (!nulls || s.passNull):
		return sel, all, nil
	case s.passed == 0 && (!nulls || !s.passNull):
		return nil, false, nil
	}
	out := r.rows(v.N)
	k := 0
	switch {
	case nulls:
		k = passNulls(out, sel, all, v, s.pass, s.passNull)
	case all:
		k = passAll(out, v.Codes, s.pass)
	default:
		k = passSome(out, sel, v.Codes, s.pass)
	}
	return out[:k], k == v.N, nil
}

// passAll lists the rows whose code passes; branch-free.
func passAll(out, codes []uint32, pass []byte) int {
	k := 0
	out = out[:len(codes)]
	for i, c := range codes {
		out[k] = uint32(i)
		k += int(pass[c])
	}
	return k
}

// passSome narrows sel, which may be out.
func passSome(out, sel, codes []uint32, pass []byte) int {
	k := 0
	for _, i := range sel {
		out[k] = i
		k += int(pass[codes[i]])
	}
	return k
}

func passNulls(out, sel []uint32, all bool, v *columnar.Vector, pass []byte, null bool) int {
	k, ifNull := 0, 0
	if null {
		ifNull = 1
	}
	one := func(i uint32) {
		out[k] = i
		if v.Valid.Get(int(i)) {
			k += int(pass[v.Codes[i]])
		} else {
			k += ifNull
		}
	}
	if all {
		for i := range v.N {
			one(uint32(i))
		}
		return k
	}
	for _, i := range sel {
		one(i)
	}
	return k
}

// selectKeys narrows the selection to rows whose value is one of the keys; null never is.
func (r *Scanner) selectKeys(v *columnar.Vector, n int, sel []uint32, all bool, k *Keys) []uint32 {
	out := r.rows(n)
	if all {
		sel = out
		for i := range sel {
			sel[i] = uint32(i)
		}
	}
	if v.Form != columnar.Flat {
		flat := v.Flatten()
		v = &flat
	}
	if v.Valid != nil {
		m := 0
		for _, i := range sel {
			out[m] = i
			m += int(v.Valid[i>>6] >> (i & 63) & 1)
		}
		sel = out[:m]
	}
	var m int
	switch columnar.LayoutOf(v.Type) {
	case columnar.Int8x:
		m = keysOf(out, sel, columnar.Of[int8](v.Data), k)
	case columnar.Int16x:
		m = keysOf(out, sel, columnar.Of[int16](v.Data), k)
	case columnar.Int32x:
		m = keysOf(out, sel, columnar.Of[int32](v.Data), k)
	case columnar.Int64x:
		m = keysOf(out, sel, columnar.Of[int64](v.Data), k)
	default:
		return sel // no keys of this type: the filter is only an aid
	}
	return out[:m]
}

// keysOf narrows sel to out, which may be the same memory.
func keysOf[T ~int8 | ~int16 | ~int32 | ~int64](out, sel []uint32, v []T, k *Keys) int {
	m, span, bits := 0, uint64(k.Max)-uint64(k.Min), k.Bits
	if k.Min > k.Max {
		return 0
	}
	if bits == nil {
		for _, i := range sel {
			out[m] = i
			if uint64(int64(v[i]))-uint64(k.Min) <= span {
				m++
			}
		}
		return m
	}
	span = min(span, uint64(len(bits))*64-1)
	for _, i := range sel {
		out[m] = i
		if u := uint64(int64(v[i])) - uint64(k.Min); u <= span {
			m += int(bits[u>>6] >> (u & 63) & 1)
		}
	}
	return m
}
