package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// slots hold one value of any type for each group.
type slots struct {
	t     types.Type
	l     columnar.Layout
	width int
	data  []byte // fixed widths and views
	state []byte // 0 nothing yet, 1 null, 2 a value
	rows  []any  // nested types

	heap [][]byte // chunks of texts longer than a view holds: these stay where they are, so that growing copies nothing
	held int      // bytes of the chunks
	live int      // bytes that groups refer to
}

// Sizes of chunks: each is twice as large as the one before.
const (
	firstTexts = 1 << 12
	mostTexts  = 1 << 20
)

const (
	slotEmpty = iota
	slotNull
	slotValue
)

func newSlots(t types.Type) slots {
	l := columnar.LayoutOf(t)
	s := slots{t: t, l: l}
	if l < columnar.List {
		s.width = l.Width()
	}
	return s
}

func (s *slots) room(groups int) {
	if s.width > 0 {
		s.data = growBytes(s.data, groups*s.width)
	} else {
		s.rows = grow(s.rows, groups)
	}
	s.state = grow(s.state, groups)
}

// growBytes keeps the buffer aligned for every layout.
func growBytes(b []byte, n int) []byte {
	if n <= len(b) {
		return b
	}
	if n > cap(b) {
		next := columnar.Make(columnar.Int64x, (n+n/2)/8+2)
		copy(next, b)
		clear(next[len(b):])
		return next[:n]
	}
	old := len(b)
	b = b[:n]
	clear(b[old:])
	return b
}

// set stores row i of a flat vector (null included) for a group.
func (s *slots) set(g uint32, v *columnar.Vector, i int) {
	if v.Null(i) {
		s.state[g] = slotNull
		return
	}
	s.state[g] = slotValue
	switch {
	case s.width == 0:
		s.rows[g] = v.ValueAt(i)
	case s.l == columnar.View16:
		s.setText(g, v.Text(i))
	default:
		copy(s.data[int(g)*s.width:int(g+1)*s.width], v.Data[i*s.width:])
	}
}

func (s *slots) setText(g uint32, text []byte) {
	views := columnar.Of[columnar.View](s.data)
	if old := &views[g]; old.Len > columnar.InlineMax {
		s.live -= int(old.Len)
	}
	var buf, off uint32
	if len(text) > columnar.InlineMax {
		if s.held > 1<<16 && s.held > 4*(s.live+len(text)) {
			s.compact(views, g)
		}
		s.live += len(text)
		buf, off = s.keep(text)
	}
	views[g] = columnar.MakeView(text, buf, off)
}

// keep copies a text to the last chunk, or to a new one if it does not fit.
func (s *slots) keep(text []byte) (buf, off uint32) {
	last := len(s.heap) - 1
	if last < 0 || len(s.heap[last])+len(text) > cap(s.heap[last]) {
		size := firstTexts
		if last >= 0 {
			size = min(2*cap(s.heap[last]), mostTexts)
		}
		size = max(size, len(text))
		s.heap = append(s.heap, make([]byte, 0, size))
		s.held += size
		last++
	}
	off = uint32(len(s.heap[last]))
	s.heap[last] = append(s.heap[last], text...)
	return uint32(last), off
}

// compact drops the texts that no group holds any more, that of group gone among them.
func (s *slots) compact(views []columnar.View, gone uint32) {
	old := s.heap
	s.heap, s.held = nil, 0
	for i := range views {
		if v := &views[i]; v.Len > columnar.InlineMax && uint32(i) != gone {
			v.Buf, v.Off = s.keep(old[v.Buf][v.Off : v.Off+v.Len])
		}
	}
}

// compare orders row i of a flat vector against the group's value.
func (s *slots) compare(g uint32, v *columnar.Vector, i int) int {
	if s.width == 0 {
		one := columnar.NewConst(s.t, s.rows[g], 1)
		return CompareAt(v, i, &one, 0)
	}
	w := s.all()
	return CompareAt(v, i, &w, int(g))
}

// vector is groups [from, to), null where there is no value.
func (s *slots) vector(from, to int) columnar.Vector {
	n := to - from
	state := window(s.state, from, to)
	if s.width == 0 {
		b := columnar.NewBuilder(s.t, n)
		for i := range n {
			if state[i] == slotValue {
				b.Append(s.rows[from+i])
			} else {
				b.Append(nil)
			}
		}
		return b.Finish()
	}
	v := columnar.Vector{Type: s.t, N: n, Data: columnar.Make(s.l, n)}
	if from < len(s.state) {
		copy(v.Data, s.data[from*s.width:min(to, len(s.state))*s.width])
	}
	if s.l == columnar.View16 {
		v.Bufs = s.heap
	}
	setNulls(&v, func(i int) bool { return state[i] != slotValue })
	return v
}

// flags says for groups [from, to) whether they have been set.
func (s *slots) flags(from, to int) columnar.Vector {
	out := make([]bool, to-from)
	for i, st := range window(s.state, from, to) {
		out[i] = st != slotEmpty
	}
	return column(types.Boolean, out)
}

func (s *slots) bytes() int64 {
	return int64(cap(s.data)) + int64(cap(s.state)) + int64(s.held) + int64(cap(s.rows))*64
}

func (s *slots) reset() {
	clear(s.rows)
	s.data, s.state, s.rows, s.live = s.data[:0], s.state[:0], s.rows[:0], 0
	s.heap, s.held = s.heap[:min(len(s.heap), 1)], 0
	for i := range s.heap {
		s.heap[i] = s.heap[i][:0]
		s.held += cap(s.heap[i])
	}
}

// ---- min and max ----

// MinMax keeps the least or the greatest value of each group.
type MinMax struct {
	aggBase
	max bool
	v   slots
}

// NewMinMax makes the state for a type.
func NewMinMax(t types.Type, max bool) *MinMax { return &MinMax{max: max, v: newSlots(t)} }

// Update adds rows.
func (a *MinMax) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.v.room(a.groups)
	v := a.flat(&args[0])
	switch a.v.l {
	case columnar.Bool8:
		extreme[uint8](a, v, n, group)
	case columnar.Int8x:
		extreme[int8](a, v, n, group)
	case columnar.Int16x:
		extreme[int16](a, v, n, group)
	case columnar.Int32x:
		extreme[int32](a, v, n, group)
	case columnar.Int64x:
		extreme[int64](a, v, n, group)
	case columnar.View16:
		a.texts(v, n, group)
	case columnar.Float64x:
		extremeFloat[float64](a, v, n, group)
	case columnar.Float32x:
		extremeFloat[float32](a, v, n, group)
	case columnar.Int128x:
		a.wide(v, n, group)
	default:
		a.general(v, n, group)
	}
	return nil
}

func (a *MinMax) wide(v *columnar.Vector, n int, group []uint32) {
	x, best, state := columnar.Of[types.Int128](v.Data)[:n], columnar.Of[types.Int128](a.v.data), a.v.state
	for i := range x {
		if !rowCounts(v.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		if c := x[i].Cmp(best[g]); state[g] != slotValue || c != 0 && (c > 0) == a.max {
			best[g], state[g] = x[i], slotValue
		}
	}
}

// texts compares prefixes before it looks at whole texts.
func (a *MinMax) texts(v *columnar.Vector, n int, group []uint32) {
	x := columnar.Of[columnar.View](v.Data)[:n]
	for i := range x {
		if !rowCounts(v.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		if a.v.state[g] == slotValue {
			best := &columnar.Of[columnar.View](a.v.data)[g]
			if best.Len == x[i].Len && best.Prefix == x[i].Prefix && best.Len <= 4 {
				continue
			}
			c := columnar.ViewCompare(&x[i], v.Bufs, best, a.v.heap)
			if c == 0 || (c > 0) != a.max {
				continue
			}
		}
		a.v.set(g, v, i)
	}
}

// extremeFloat: NaN is the greatest value.
func extremeFloat[T interface {
	float32 | float64
	columnar.Fixed
}](a *MinMax, v *columnar.Vector, n int, group []uint32) {
	x, best, state := columnar.Of[T](v.Data)[:n], columnar.Of[T](a.v.data), a.v.state
	for i, k := range x {
		if !rowCounts(v.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		b := best[g]
		if state[g] != slotValue || a.max && (k > b || k != k) || !a.max && (k < b || b != b) {
			best[g], state[g] = k, slotValue
		}
	}
}

func extreme[T interface {
	Ordered
	columnar.Fixed
}](a *MinMax, v *columnar.Vector, n int, group []uint32) {
	x, best, state := columnar.Of[T](v.Data)[:n], columnar.Of[T](a.v.data), a.v.state
	if group == nil && v.Valid == nil && n > 0 {
		m := x[0]
		if state[0] == slotValue {
			m = best[0]
		}
		if a.max {
			for _, k := range x {
				m = max(m, k)
			}
		} else {
			for _, k := range x {
				m = min(m, k)
			}
		}
		best[0], state[0] = m, slotValue
		return
	}
	for i, k := range x {
		if !rowCounts(v.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		if state[g] != slotValue || (k > best[g]) == a.max && k != best[g] {
			best[g], state[g] = k, slotValue
		}
	}
}

func (a *MinMax) general(v *columnar.Vector, n int, group []uint32) {
	for i := range n {
		if v.Null(i) {
			continue
		}
		g := groupOf(group, i)
		if a.v.state[g] == slotValue {
			c := a.v.compare(g, v, i)
			if c == 0 || (c > 0) != a.max {
				continue
			}
		}
		a.v.set(g, v, i)
	}
}

// Merge adds partial extremes.
func (a *MinMax) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	return a.Update(c, state, n, group, groups)
}

// State is the extremes.
func (a *MinMax) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{a.v.vector(from, to)}, nil
}

// Result is the extremes, null for groups without values.
func (a *MinMax) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	return a.v.vector(from, to), nil
}

// Bytes is the memory held.
func (a *MinMax) Bytes() int64 { return a.v.bytes() + a.s.Size() }

// Reset empties the state.
func (a *MinMax) Reset() { a.v.reset(); a.groups = 0 }

// ---- first and last ----

// FirstLast keeps the first or the last value of each group in the order of arrival.
type FirstLast struct {
	aggBase
	last, ignoreNulls bool
	v                 slots
}

// NewFirstLast makes the state for a type.
func NewFirstLast(t types.Type, last, ignoreNulls bool) *FirstLast {
	return &FirstLast{last: last, ignoreNulls: ignoreNulls, v: newSlots(t)}
}

// Update adds rows.
func (a *FirstLast) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.v.room(a.groups)
	v := a.flat(&args[0])
	for i := range n {
		g := groupOf(group, i)
		if !a.last && a.v.state[g] != slotEmpty || a.ignoreNulls && v.Null(i) {
			continue
		}
		a.v.set(g, v, i)
	}
	return nil
}

// Merge adds partial values; the second state column says which groups had rows.
func (a *FirstLast) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.v.room(a.groups)
	v, set := a.flat(&state[0]), a.flat(&state[1])
	for i := range n {
		g := groupOf(group, i)
		if set.Data[i] == 1 && (a.last || a.v.state[g] == slotEmpty) {
			a.v.set(g, v, i)
		}
	}
	return nil
}

// State is the value and whether there was a row.
func (a *FirstLast) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{a.v.vector(from, to), a.v.flags(from, to)}, nil
}

// Result is the value.
func (a *FirstLast) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	return a.v.vector(from, to), nil
}

// Bytes is the memory held.
func (a *FirstLast) Bytes() int64 { return a.v.bytes() + a.s.Size() }

// Reset empties the state.
func (a *FirstLast) Reset() { a.v.reset(); a.groups = 0 }

// ---- max_by and min_by ----

// ExtremeBy keeps the value that stands beside the extreme of another column.
type ExtremeBy struct {
	aggBase
	max       bool
	value, by slots
}

// NewExtremeBy makes the state for the types of the value and of the ordering.
func NewExtremeBy(value, by types.Type, max bool) *ExtremeBy {
	return &ExtremeBy{max: max, value: newSlots(value), by: newSlots(by)}
}

// Update adds rows; rows without ordering do not count.
func (a *ExtremeBy) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.value.room(a.groups)
	a.by.room(a.groups)
	v, o := a.flat(&args[0]), a.flat(&args[1])
	for i := range n {
		if o.Null(i) {
			continue
		}
		g := groupOf(group, i)
		if a.by.state[g] == slotValue {
			// Among equals the last one wins, as in Spark.
			if cmp := a.by.compare(g, o, i); cmp != 0 && (cmp > 0) != a.max {
				continue
			}
		}
		a.by.set(g, o, i)
		a.value.set(g, v, i)
	}
	return nil
}

// Merge adds partial results.
func (a *ExtremeBy) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	return a.Update(c, state, n, group, groups)
}

// State is value and ordering.
func (a *ExtremeBy) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{a.value.vector(from, to), a.by.vector(from, to)}, nil
}

// Result is the value.
func (a *ExtremeBy) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	return a.value.vector(from, to), nil
}

// Bytes is the memory held.
func (a *ExtremeBy) Bytes() int64 { return a.value.bytes() + a.by.bytes() + a.s.Size() }

// Reset empties the state.
func (a *ExtremeBy) Reset() { a.value.reset(); a.by.reset(); a.groups = 0 }
