package kernel

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// aggBase is what all aggregate states share.
type aggBase struct {
	s      Scratch
	groups int
}

// flat is an argument in flat form, good until the next begin.
func (a *aggBase) flat(v *columnar.Vector) *columnar.Vector {
	if v.Form == columnar.Flat {
		return v
	}
	f := a.s.Flatten(v)
	return &f
}

// begin starts a batch with that many groups.
func (a *aggBase) begin(groups int) { a.s.Reset(); a.groups = max(a.groups, groups, 1) }

// grow makes room for n groups; new ones are zero.
func grow[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n <= cap(s) {
		old := len(s)
		s = s[:n]
		clear(s[old:])
		return s
	}
	out := make([]T, n, n+n/2+16)
	copy(out, s)
	return out
}

func groupOf(group []uint32, i int) uint32 {
	if group == nil {
		return 0
	}
	return group[i]
}

// window is rows [from, to) of a state column; groups never seen are zero.
func window[T any](s []T, from, to int) []T {
	out := make([]T, to-from)
	if from < len(s) {
		copy(out, s[from:min(to, len(s))])
	}
	return out
}

func column[T columnar.Fixed](t types.Type, v []T) columnar.Vector {
	data := columnar.Make(columnar.LayoutOf(t), len(v))
	copy(columnar.Of[T](data), v)
	return columnar.Vector{Type: t, N: len(v), Data: data}
}

// setNulls marks the rows whose flag is not wanted as null.
func setNulls(v *columnar.Vector, null func(i int) bool) {
	for i := range v.N {
		if null(i) {
			if v.Valid == nil {
				v.Valid = columnar.FullBitmap(v.N)
			}
			v.Valid.Clear(i)
		}
	}
}

// ---- count ----

// Count counts rows of which no argument is null; without arguments all rows.
type Count struct {
	aggBase
	n []int64
}

// Update adds rows.
func (a *Count) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.n = grow(a.n, a.groups)
	var valid columnar.Bitmap
	for i := range args {
		v := &args[i]
		if (v.Form == columnar.Const || v.Type.Kind == types.NullKind) && n > 0 {
			if v.Null(0) {
				return nil
			}
			continue
		}
		if v.Valid != nil {
			valid = columnar.And(a.s.RawBits(n), valid, v.Valid, n)
		}
	}
	switch {
	case group == nil && valid == nil:
		a.n[0] += int64(n)
	case group == nil:
		a.n[0] += int64(valid.Count(n))
	case valid == nil:
		counts := a.n
		for _, g := range group[:n] {
			counts[g]++
		}
	default:
		counts := a.n
		for i, g := range group[:n] {
			counts[g] += int64(valid[i>>6] >> (uint(i) & 63) & 1)
		}
	}
	return nil
}

// Merge adds partial counts.
func (a *Count) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.n = grow(a.n, a.groups)
	for i, v := range columnar.Of[int64](a.flat(&state[0]).Data)[:n] {
		a.n[groupOf(group, i)] += v
	}
	return nil
}

// State is the counts.
func (a *Count) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{column(types.Long, window(a.n, from, to))}, nil
}

// Result is the counts.
func (a *Count) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	return column(types.Long, window(a.n, from, to)), nil
}

// Bytes is the memory held.
func (a *Count) Bytes() int64 { return int64(cap(a.n))*8 + a.s.Size() }

// Reset empties the state.
func (a *Count) Reset() { a.n, a.groups = a.n[:0], 0 }

// CountIf counts rows whose argument is true.
type CountIf struct{ Count }

// Update adds rows.
func (a *CountIf) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.n = grow(a.n, a.groups)
	v := a.flat(&args[0])
	for i, b := range v.Data[:n] {
		if rowCounts(v.Valid, i) {
			a.n[groupOf(group, i)] += int64(b)
		}
	}
	return nil
}

// ---- sum of 64-bit integers, doubles and intervals ----

// SumLong adds integers of any width (also year-month and day-time intervals) in 64 bits.
type SumLong struct {
	aggBase
	in, out types.Type
	mode    Mode
	sum     []int64
	seen    []bool
	over    []bool // groups that left the range (Try)
}

// NewSumLong makes the state for arguments of type in and results of type out.
func NewSumLong(in, out types.Type, m Mode) *SumLong { return &SumLong{in: in, out: out, mode: m} }

func (a *SumLong) room(groups int) {
	a.begin(groups)
	a.sum, a.seen = grow(a.sum, a.groups), grow(a.seen, a.groups)
}

// Update adds rows.
func (a *SumLong) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	v := a.flat(&args[0])
	switch columnar.LayoutOf(a.in) {
	case columnar.Int8x:
		return sumInts(a, columnar.Of[int8](v.Data)[:n], v.Valid, group)
	case columnar.Int16x:
		return sumInts(a, columnar.Of[int16](v.Data)[:n], v.Valid, group)
	case columnar.Int32x:
		return sumInts(a, columnar.Of[int32](v.Data)[:n], v.Valid, group)
	}
	return sumInts(a, columnar.Of[int64](v.Data)[:n], v.Valid, group)
}

func sumInts[T signed](a *SumLong, x []T, valid columnar.Bitmap, group []uint32) error {
	var over int64
	switch {
	case group == nil:
		total, any := a.sum[0], a.seen[0]
		for i, t := range x {
			if valid != nil && !valid.Get(i) {
				continue
			}
			v := int64(t)
			s := total + v
			over |= (total ^ s) & (v ^ s)
			total, any = s, true
		}
		a.sum[0], a.seen[0] = total, any
	case valid == nil:
		sum, seen := a.sum, a.seen
		group = group[:len(x)]
		for i, t := range x {
			g, v := group[i], int64(t)
			o := sum[g]
			s := o + v
			over |= (o ^ s) & (v ^ s)
			sum[g], seen[g] = s, true
		}
	default:
		for i, t := range x {
			if !valid.Get(i) {
				continue
			}
			g, v := group[i], int64(t)
			o := a.sum[g]
			s := o + v
			bad := (o ^ s) & (v ^ s)
			over |= bad
			a.sum[g], a.seen[g] = s, true
		}
	}
	if over < 0 && a.mode != Legacy {
		return a.overflowed(group)
	}
	return nil
}

// overflowed fails, or in Try mode gives up the sums of the batch's groups that are not certain.
func (a *SumLong) overflowed(group []uint32) error {
	if a.mode == Ansi {
		if a.out.IsInterval() {
			return IntervalOverflow("try_add")
		}
		return Overflow("overflow", "try_sum")
	}
	a.over = grow(a.over, a.groups)
	if group == nil {
		a.over[0] = true
	}
	for _, g := range group {
		a.over[g] = true
	}
	return nil
}

// Merge adds partial sums.
func (a *SumLong) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	v := a.flat(&state[0])
	return sumInts(a, columnar.Of[int64](v.Data)[:n], v.Valid, group)
}

func (a *SumLong) sums(t types.Type, from, to int) columnar.Vector {
	sum, seen, over := window(a.sum, from, to), window(a.seen, from, to), window(a.over, from, to)
	var v columnar.Vector
	if columnar.LayoutOf(t) == columnar.Int32x {
		small := make([]int32, len(sum))
		for i, s := range sum {
			small[i] = int32(s)
		}
		v = column(t, small)
	} else {
		v = column(t, sum)
	}
	setNulls(&v, func(i int) bool { return !seen[i] || over[i] })
	return v
}

// State is the sums as BIGINT.
func (a *SumLong) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{a.sums(types.Long, from, to)}, nil
}

// Result is the sums, null for groups without values.
func (a *SumLong) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	if columnar.LayoutOf(a.out) == columnar.Int32x {
		for _, s := range window(a.sum, from, to) {
			if s != int64(int32(s)) {
				return columnar.Vector{}, IntervalOverflow("try_add")
			}
		}
	}
	return a.sums(a.out, from, to), nil
}

// Bytes is the memory held.
func (a *SumLong) Bytes() int64 {
	return int64(cap(a.sum))*8 + int64(cap(a.seen)) + int64(cap(a.over)) + a.s.Size()
}

// Reset empties the state.
func (a *SumLong) Reset() {
	a.sum, a.seen, a.over, a.groups = a.sum[:0], a.seen[:0], a.over[:0], 0
}

// SumDouble adds floats and doubles, or counts them too for averages (of any number but decimals).
type SumDouble struct {
	aggBase
	in  types.Type
	avg bool
	sum []float64
	n   []int64
}

// NewSumDouble makes the state of a sum, or with avg of an average.
func NewSumDouble(in types.Type, avg bool) *SumDouble { return &SumDouble{in: in, avg: avg} }

func (a *SumDouble) room(groups int) {
	a.begin(groups)
	a.sum, a.n = grow(a.sum, a.groups), grow(a.n, a.groups)
}

// Update adds rows.
func (a *SumDouble) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	v := a.flat(&args[0])
	switch columnar.LayoutOf(a.in) {
	case columnar.Int8x:
		sumDoubles(a, columnar.Of[int8](v.Data)[:n], v.Valid, group)
	case columnar.Int16x:
		sumDoubles(a, columnar.Of[int16](v.Data)[:n], v.Valid, group)
	case columnar.Int32x:
		sumDoubles(a, columnar.Of[int32](v.Data)[:n], v.Valid, group)
	case columnar.Int64x:
		sumDoubles(a, columnar.Of[int64](v.Data)[:n], v.Valid, group)
	case columnar.Float32x:
		sumDoubles(a, columnar.Of[float32](v.Data)[:n], v.Valid, group)
	default:
		sumDoubles(a, columnar.Of[float64](v.Data)[:n], v.Valid, group)
	}
	return nil
}

func sumDoubles[T signed | floating](a *SumDouble, x []T, valid columnar.Bitmap, group []uint32) {
	switch {
	case group == nil:
		total, k := a.sum[0], int64(0)
		for i, v := range x {
			if valid != nil && !valid.Get(i) {
				continue
			}
			total += float64(v)
			k++
		}
		a.sum[0] = total
		a.n[0] += k
	case valid == nil:
		sum, count := a.sum, a.n
		group = group[:len(x)]
		for i, v := range x {
			g := group[i]
			sum[g] += float64(v)
			count[g]++
		}
	default:
		for i, v := range x {
			if valid.Get(i) {
				a.sum[group[i]] += float64(v)
				a.n[group[i]]++
			}
		}
	}
}

// Merge adds partial sums and counts.
func (a *SumDouble) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	sum, count := columnar.Of[float64](a.flat(&state[0]).Data)[:n], columnar.Of[int64](a.flat(&state[1]).Data)[:n]
	for i := range sum {
		if count[i] > 0 {
			g := groupOf(group, i)
			a.sum[g] += sum[i]
			a.n[g] += count[i]
		}
	}
	return nil
}

// State is sum and count.
func (a *SumDouble) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	return []columnar.Vector{column(types.Double, window(a.sum, from, to)), column(types.Long, window(a.n, from, to))}, nil
}

// Result is the sum or the average; null for groups without values.
func (a *SumDouble) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	sum, n := window(a.sum, from, to), window(a.n, from, to)
	if a.avg {
		for i := range sum {
			sum[i] /= float64(n[i])
		}
	}
	v := column(types.Double, sum)
	setNulls(&v, func(i int) bool { return n[i] == 0 })
	return v, nil
}

// Bytes is the memory held.
func (a *SumDouble) Bytes() int64 { return int64(cap(a.sum))*16 + a.s.Size() }

// Reset empties the state.
func (a *SumDouble) Reset() { a.sum, a.n, a.groups = a.sum[:0], a.n[:0], 0 }

// ---- sums and averages of decimals, averages of intervals ----

// SumWide adds decimals, integers or intervals in 128 bits and counts them.
type SumWide struct {
	aggBase
	in, out types.Type
	avg     bool
	mode    Mode
	sum     []types.Int128
	n       []int64
	over    []bool
	local   []int64
	lead    *SumWide // has the sums of this one too
}

// Follow makes the state read another's sums instead of adding rows itself, if it would add the same: both are given the
// same rows, arguments and groups. It says whether it does.
func (a *SumWide) Follow(lead *SumWide) bool {
	if a.in != lead.in || lead.lead != nil {
		return false
	}
	a.lead = lead
	return true
}

// source is the state that has the sums.
func (a *SumWide) source() *SumWide {
	if a.lead != nil {
		return a.lead
	}
	return a
}

// NewSumWide makes the state of a sum of in as type out, or with avg of an average.
func NewSumWide(in, out types.Type, avg bool, m Mode) *SumWide {
	return &SumWide{in: in, out: out, avg: avg, mode: m}
}

// SumType is the type of the partial sums.
func (a *SumWide) SumType() types.Type { return WideSumType(a.in) }

// WideSumType is the type of the partial sum in SumWide's state.
func WideSumType(in types.Type) types.Type {
	if in.Kind == types.DecimalKind {
		return types.Decimal(types.MaxPrecision, int(in.Scale))
	}
	return types.Decimal(types.MaxPrecision, 0)
}

func (a *SumWide) room(groups int) {
	a.begin(groups)
	a.sum, a.n = grow(a.sum, a.groups), grow(a.n, a.groups)
}

// Update adds rows.
func (a *SumWide) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	if a.lead != nil {
		return nil
	}
	a.room(groups)
	v := a.flat(&args[0])
	switch columnar.LayoutOf(a.in) {
	case columnar.Int128x:
		a.addWide(columnar.Of[types.Int128](v.Data)[:n], v.Valid, group)
	case columnar.Int32x:
		addNarrow(a, columnar.Of[int32](v.Data)[:n], v.Valid, group, math.MaxInt32)
	default:
		limit := int64(math.MaxInt64)
		if a.in.Kind == types.DecimalKind {
			limit = types.PowInt64(int(a.in.Precision))
		}
		addNarrow(a, columnar.Of[int64](v.Data)[:n], v.Valid, group, limit)
	}
	return nil
}

// addNarrow adds values of magnitude below limit: in 64 bits for as many rows at a time as cannot overflow.
func addNarrow[T int32 | int64](a *SumWide, x []T, valid columnar.Bitmap, group []uint32, limit int64) {
	step := int(min(math.MaxInt64/limit, 1<<20))
	if valid != nil || step < localRows || group != nil && a.groups*4 > len(x) {
		for i, v := range x {
			if rowCounts(valid, i) {
				g := groupOf(group, i)
				a.sum[g] = a.sum[g].Add(types.I128(int64(v)))
				a.n[g]++
			}
		}
		return
	}
	for len(x) > 0 {
		k := min(step, len(x))
		if group == nil {
			var total int64
			for _, v := range x[:k] {
				total += int64(v)
			}
			a.sum[0] = a.sum[0].Add(types.I128(total))
			a.n[0] += int64(k)
			x = x[k:]
			continue
		}
		a.addLocal(func(local []int64) {
			part := group[:k]
			count := a.n
			for i, v := range x[:k] {
				g := part[i]
				local[g] += int64(v)
				count[g]++
			}
		})
		x, group = x[k:], group[k:]
	}
}

// localRows is the least number of rows for which sums in 64 bits are worth their merge.
const localRows = 256

// addLocal sums into 64-bit accumulators and adds these to the wide ones.
func (a *SumWide) addLocal(f func(local []int64)) {
	if cap(a.local) < a.groups {
		a.local = make([]int64, a.groups*2)
	}
	local := a.local[:a.groups]
	clear(local)
	f(local)
	for g, v := range local {
		s, over := a.sum[g].AddOverflows(types.I128(v))
		a.sum[g] = s
		a.noteOver(uint32(g), over)
	}
}

// addWide adds values of 128 bits. Most are small: then they too are added in 64 bits, some rows at a time.
func (a *SumWide) addWide(x []types.Int128, valid columnar.Bitmap, group []uint32) {
	if valid != nil || group != nil && a.groups*4 > len(x) {
		a.addWhole(x, valid, group)
		return
	}
	const step = 1 << 12
	for len(x) > 0 {
		k := min(step, len(x))
		part := group
		if group != nil {
			part = group[:k]
		}
		if magnitude(x[:k]) < 1<<(63-12) {
			a.addSmall(x[:k], part)
		} else {
			a.addWhole(x[:k], nil, part)
		}
		if x = x[k:]; group != nil {
			group = group[k:]
		}
	}
}

// magnitude is a number that no absolute value of the values is above; the largest if one does not fit 64 bits.
func magnitude(x []types.Int128) uint64 {
	var all, wide uint64
	for i := range x {
		sign := uint64(int64(x[i].Lo) >> 63)
		all |= x[i].Lo ^ sign
		wide |= uint64(x[i].Hi) ^ sign
	}
	if wide != 0 {
		return math.MaxUint64
	}
	return all + 1
}

func (a *SumWide) addSmall(x []types.Int128, group []uint32) {
	if group == nil {
		var total int64
		for i := range x {
			total += int64(x[i].Lo)
		}
		s, over := a.sum[0].AddOverflows(types.I128(total))
		a.sum[0] = s
		a.n[0] += int64(len(x))
		a.noteOver(0, over)
		return
	}
	a.addLocal(func(local []int64) {
		count := a.n
		group = group[:len(x)]
		for i := range x {
			g := group[i]
			local[g] += int64(x[i].Lo)
			count[g]++
		}
	})
}

func (a *SumWide) noteOver(g uint32, over bool) {
	if over {
		a.over = grow(a.over, a.groups)
		a.over[g] = true
	}
}

func (a *SumWide) addWhole(x []types.Int128, valid columnar.Bitmap, group []uint32) {
	sum, count := a.sum, a.n
	for i := range x {
		if !rowCounts(valid, i) {
			continue
		}
		g := groupOf(group, i)
		s, over := sum[g].AddOverflows(x[i])
		sum[g] = s
		count[g]++
		a.noteOver(g, over)
	}
}

// Merge adds partial sums and counts; a null sum with rows is an overflow.
func (a *SumWide) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	if a.lead != nil {
		return nil
	}
	a.room(groups)
	sums := a.flat(&state[0])
	counts := columnar.Of[int64](a.flat(&state[1]).Data)[:n]
	for i, v := range columnar.Of[types.Int128](sums.Data)[:n] {
		if counts[i] == 0 {
			continue
		}
		g := groupOf(group, i)
		s, over := a.sum[g].AddOverflows(v)
		a.sum[g] = s
		a.n[g] += counts[i]
		a.noteOver(g, over || sums.Null(i))
	}
	return nil
}

// State is sum and count.
func (a *SumWide) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	src := a.source()
	v := column(a.SumType(), window(src.sum, from, to))
	over := window(src.over, from, to)
	setNulls(&v, func(i int) bool { return over[i] })
	return []columnar.Vector{v, column(types.Long, window(src.n, from, to))}, nil
}

// Result is the sum or the average as the result type; null for groups without values.
func (a *SumWide) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	src := a.source()
	sum, n, over := window(src.sum, from, to), window(src.n, from, to), window(src.over, from, to)
	null := make([]bool, len(sum))
	for i := range sum {
		if n[i] == 0 {
			null[i] = true
			continue
		}
		v, ok := a.final(sum[i], n[i])
		if !ok || over[i] {
			if a.mode == Ansi {
				return columnar.Vector{}, a.overflow()
			}
			null[i], v = true, types.Int128{}
		}
		sum[i] = v
	}
	v := a.asOut(sum)
	setNulls(&v, func(i int) bool { return null[i] })
	return v, nil
}

func (a *SumWide) final(sum types.Int128, n int64) (types.Int128, bool) {
	if a.out.Kind != types.DecimalKind {
		if a.avg {
			sum, _ = types.DivScaled(sum, types.I128(n), 0, true)
		}
		if columnar.LayoutOf(a.out) == columnar.Int32x {
			return sum, sum.Fits64() && sum.Int64() == int64(int32(sum.Int64()))
		}
		return sum, sum.Fits64()
	}
	ok := true
	if a.avg {
		sum, ok = types.DivScaled(sum, types.I128(n), int(a.out.Scale)-int(a.in.Scale), true)
	}
	return sum, ok && sum.FitsPrecision(int(a.out.Precision))
}

func (a *SumWide) overflow() error {
	switch {
	case a.out.IsInterval():
		return IntervalOverflow("try_add")
	case a.avg:
		return Overflow("Overflow in sum of decimals", "try_avg")
	case a.out.Kind == types.DecimalKind:
		return Overflow("Overflow in sum of decimals", "try_sum")
	}
	return Overflow("overflow", "try_sum")
}

func (a *SumWide) asOut(sum []types.Int128) columnar.Vector {
	switch columnar.LayoutOf(a.out) {
	case columnar.Int128x:
		return column(a.out, sum)
	case columnar.Int32x:
		out := make([]int32, len(sum))
		for i, s := range sum {
			out[i] = int32(s.Int64())
		}
		return column(a.out, out)
	}
	out := make([]int64, len(sum))
	for i, s := range sum {
		out[i] = s.Int64()
	}
	return column(a.out, out)
}

// Bytes is the memory held.
func (a *SumWide) Bytes() int64 {
	return int64(cap(a.sum))*16 + int64(cap(a.n))*8 + int64(cap(a.over)) + int64(cap(a.local))*8 + a.s.Size()
}

// Reset empties the state.
func (a *SumWide) Reset() { a.sum, a.n, a.over, a.groups = a.sum[:0], a.n[:0], a.over[:0], 0 }
