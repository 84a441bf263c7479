package kernel

import (
	"math"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Moment names a statistic of one column.
type Moment uint8

// The statistics of Moments.
const (
	StddevPop Moment = iota
	StddevSamp
	VarPop
	VarSamp
	Skewness
	Kurtosis
)

// Moments computes central moments by numerically stable updates. Arguments are DOUBLE.
type Moments struct {
	aggBase
	what       Moment
	n, avg     []float64
	m2, m3, m4 []float64
}

// NewMoments makes the state of a statistic.
func NewMoments(m Moment) *Moments { return &Moments{what: m} }

// MomentState are the types of the partial form: count, mean and the second to fourth central moments times count.
var MomentState = []types.Type{types.Double, types.Double, types.Double, types.Double, types.Double}

func (a *Moments) room(groups int) {
	a.begin(groups)
	for _, s := range a.fields() {
		*s = grow(*s, a.groups)
	}
}

func (a *Moments) fields() [5]*[]float64 { return [5]*[]float64{&a.n, &a.avg, &a.m2, &a.m3, &a.m4} }

// Update adds rows.
func (a *Moments) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	v := a.flat(&args[0])
	high := a.what >= Skewness
	for i, x := range columnar.Of[float64](v.Data)[:n] {
		if !rowCounts(v.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		k := a.n[g] + 1
		delta := x - a.avg[g]
		dn := delta / k
		a.n[g] = k
		a.avg[g] += dn
		m2 := a.m2[g] + delta*(delta-dn)
		if high {
			d2, dn2 := delta*delta, dn*dn
			m3 := a.m3[g] - 3*dn*m2 + delta*(d2-dn2)
			a.m4[g] = a.m4[g] - 4*dn*m3 - 6*dn2*m2 + delta*(delta*d2-dn*dn2)
			a.m3[g] = m3
		}
		a.m2[g] = m2
	}
	return nil
}

// Merge joins partial moments.
func (a *Moments) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	var s [5][]float64
	for k := range s {
		s[k] = columnar.Of[float64](a.flat(&state[k]).Data)
	}
	for i := range n {
		n2 := s[0][i]
		if n2 == 0 {
			continue
		}
		g := groupOf(group, i)
		n1 := a.n[g]
		total := n1 + n2
		delta := s[1][i] - a.avg[g]
		dn := delta / total
		a.m4[g] += s[4][i] + dn*dn*dn*delta*n1*n2*(n1*n1-n1*n2+n2*n2) + 6*dn*dn*(n1*n1*s[2][i]+n2*n2*a.m2[g]) + 4*dn*(n1*s[3][i]-n2*a.m3[g])
		a.m3[g] += s[3][i] + dn*dn*delta*n1*n2*(n1-n2) + 3*dn*(n1*s[2][i]-n2*a.m2[g])
		a.m2[g] += s[2][i] + delta*dn*n1*n2
		a.avg[g] += dn * n2
		a.n[g] = total
	}
	return nil
}

// State is the five columns of MomentState.
func (a *Moments) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	var out []columnar.Vector
	for _, s := range a.fields() {
		out = append(out, column(types.Double, window(*s, from, to)))
	}
	return out, nil
}

// Result is the statistic; null where it is not defined.
func (a *Moments) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	n, m2, m3, m4 := window(a.n, from, to), window(a.m2, from, to), window(a.m3, from, to), window(a.m4, from, to)
	out := make([]float64, to-from)
	null := make([]bool, to-from)
	for i := range out {
		out[i], null[i] = a.statistic(n[i], m2[i], m3[i], m4[i])
	}
	v := column(types.Double, out)
	setNulls(&v, func(i int) bool { return null[i] })
	return v, nil
}

func (a *Moments) statistic(n, m2, m3, m4 float64) (v float64, null bool) {
	switch {
	case n == 0:
		return 0, true
	case n == 1 && (a.what == StddevSamp || a.what == VarSamp), m2 == 0 && a.what >= Skewness:
		return 0, true
	}
	switch a.what {
	case StddevPop:
		return math.Sqrt(m2 / n), false
	case StddevSamp:
		return math.Sqrt(m2 / (n - 1)), false
	case VarPop:
		return m2 / n, false
	case VarSamp:
		return m2 / (n - 1), false
	case Skewness:
		return math.Sqrt(n) * m3 / math.Sqrt(m2*m2*m2), false
	}
	return n*m4/(m2*m2) - 3, false
}

// Bytes is the memory held.
func (a *Moments) Bytes() int64 { return int64(cap(a.n))*40 + a.s.Size() }

// Reset empties the state.
func (a *Moments) Reset() {
	for _, s := range a.fields() {
		*s = (*s)[:0]
	}
	a.groups = 0
}

// Relation names a statistic of two columns.
type Relation uint8

// The statistics of Covariance; those of regression take the dependent variable y first.
const (
	CovarPop Relation = iota
	CovarSamp
	Corr
	RegrCount
	RegrAvgX
	RegrAvgY
	RegrSXX
	RegrSYY
	RegrSXY
	RegrSlope
	RegrIntercept
	RegrR2
)

// Covariance computes co-moments of two DOUBLE columns; rows with a null in one of them do not count.
type Covariance struct {
	aggBase
	what                Relation
	n, x, y, ck, xm, ym []float64
}

// NewCovariance makes the state of a statistic.
func NewCovariance(r Relation) *Covariance { return &Covariance{what: r} }

// CovarianceState are the types of the partial form.
var CovarianceState = []types.Type{types.Double, types.Double, types.Double, types.Double, types.Double, types.Double}

func (a *Covariance) fields() [6]*[]float64 {
	return [6]*[]float64{&a.n, &a.x, &a.y, &a.ck, &a.xm, &a.ym}
}

func (a *Covariance) room(groups int) {
	a.begin(groups)
	for _, s := range a.fields() {
		*s = grow(*s, a.groups)
	}
}

// Update adds rows.
func (a *Covariance) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	first, second := a.flat(&args[0]), a.flat(&args[1])
	if a.what >= RegrCount {
		first, second = second, first // regr(y, x)
	}
	xs, ys := columnar.Of[float64](first.Data)[:n], columnar.Of[float64](second.Data)[:n]
	for i := range xs {
		if !rowCounts(first.Valid, i) || !rowCounts(second.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		k := a.n[g] + 1
		dx, dy := xs[i]-a.x[g], ys[i]-a.y[g]
		a.n[g] = k
		a.x[g] += dx / k
		a.y[g] += dy / k
		a.ck[g] += dx * (ys[i] - a.y[g])
		if a.what >= RegrCount { // as var_pop rounds
			a.xm[g] += dx * (dx - dx/k)
			a.ym[g] += dy * (dy - dy/k)
			continue
		}
		a.xm[g] += dx * (xs[i] - a.x[g])
		a.ym[g] += dy * (ys[i] - a.y[g])
	}
	return nil
}

// Merge joins partial co-moments.
func (a *Covariance) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	var s [6][]float64
	for k := range s {
		s[k] = columnar.Of[float64](a.flat(&state[k]).Data)
	}
	for i := range n {
		n2 := s[0][i]
		if n2 == 0 {
			continue
		}
		g := groupOf(group, i)
		n1 := a.n[g]
		total := n1 + n2
		dx, dy := s[1][i]-a.x[g], s[2][i]-a.y[g]
		dxn, dyn := dx/total, dy/total
		a.ck[g] += s[3][i] + dx*dyn*n1*n2
		a.xm[g] += s[4][i] + dx*dxn*n1*n2
		a.ym[g] += s[5][i] + dy*dyn*n1*n2
		a.x[g] += dxn * n2
		a.y[g] += dyn * n2
		a.n[g] = total
	}
	return nil
}

// State is the six columns of CovarianceState.
func (a *Covariance) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	var out []columnar.Vector
	for _, s := range a.fields() {
		out = append(out, column(types.Double, window(*s, from, to)))
	}
	return out, nil
}

// Result is the statistic (BIGINT for regr_count); null where it is not defined.
func (a *Covariance) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	var w [6][]float64
	for k, s := range a.fields() {
		w[k] = window(*s, from, to)
	}
	out, null := make([]float64, to-from), make([]bool, to-from)
	if a.what == RegrCount {
		counts := make([]int64, to-from)
		for i, n := range w[0] {
			counts[i] = int64(n)
		}
		return column(types.Long, counts), nil
	}
	for i := range out {
		out[i], null[i] = a.statistic(w[0][i], w[1][i], w[2][i], w[3][i], w[4][i], w[5][i])
	}
	v := column(types.Double, out)
	setNulls(&v, func(i int) bool { return null[i] })
	return v, nil
}

func (a *Covariance) statistic(n, x, y, ck, xm, ym float64) (v float64, null bool) {
	if n == 0 {
		return 0, true
	}
	switch a.what {
	case CovarPop:
		return ck / n, false
	case CovarSamp:
		return ck / (n - 1), n == 1
	case Corr:
		return ck / math.Sqrt(xm*ym), n == 1 || xm*ym == 0
	case RegrAvgX:
		return x, false
	case RegrAvgY:
		return y, false
	case RegrSXX:
		return xm, false
	case RegrSYY:
		return ym, false
	case RegrSXY:
		return ck, false
	case RegrSlope:
		return ck / xm, n < 2 || xm == 0
	case RegrIntercept:
		return y - ck/xm*x, n < 2 || xm == 0
	}
	switch { // R2
	case xm == 0:
		return 0, true
	case ym == 0:
		return 1, false
	}
	r := ck / math.Sqrt(xm*ym)
	return r * r, false
}

// Bytes is the memory held.
func (a *Covariance) Bytes() int64 { return int64(cap(a.n))*48 + a.s.Size() }

// Reset empties the state.
func (a *Covariance) Reset() {
	for _, s := range a.fields() {
		*s = (*s)[:0]
	}
	a.groups = 0
}

// Bitwise folds integers by & | or ^, or booleans by AND and OR, which is the same on one bit.
type Bitwise struct {
	aggBase
	t    types.Type
	op   byte
	vals []int64
	seen []bool
}

// NewBitwise makes the state for op '&', '|' or '^' over a type.
func NewBitwise(t types.Type, op byte) *Bitwise { return &Bitwise{t: t, op: op} }

// Update adds rows.
func (a *Bitwise) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.begin(groups)
	a.vals, a.seen = grow(a.vals, a.groups), grow(a.seen, a.groups)
	v := a.flat(&args[0])
	l := columnar.LayoutOf(a.t)
	for i := range n {
		if !rowCounts(v.Valid, i) {
			continue
		}
		g := groupOf(group, i)
		x := int64(0)
		if l == columnar.Bool8 {
			x = int64(v.Data[i])
		} else {
			x = int64(imageAt(v, l, i))
		}
		switch {
		case !a.seen[g]:
			a.vals[g], a.seen[g] = x, true
		case a.op == '&':
			a.vals[g] &= x
		case a.op == '|':
			a.vals[g] |= x
		default:
			a.vals[g] ^= x
		}
	}
	return nil
}

// Merge adds partial results.
func (a *Bitwise) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	return a.Update(c, state, n, group, groups)
}

// State is the folded values.
func (a *Bitwise) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	v, err := a.Result(c, from, to)
	return []columnar.Vector{v}, err
}

// Result is the folded values, null for groups without any.
func (a *Bitwise) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	vals, seen := window(a.vals, from, to), window(a.seen, from, to)
	var v columnar.Vector
	switch columnar.LayoutOf(a.t) {
	case columnar.Bool8, columnar.Int8x:
		v = column(a.t, narrowed[int8](vals))
	case columnar.Int16x:
		v = column(a.t, narrowed[int16](vals))
	case columnar.Int32x:
		v = column(a.t, narrowed[int32](vals))
	default:
		v = column(a.t, vals)
	}
	setNulls(&v, func(i int) bool { return !seen[i] })
	return v, nil
}

func narrowed[T int8 | int16 | int32](v []int64) []T {
	out := make([]T, len(v))
	for i, x := range v {
		out[i] = T(x)
	}
	return out
}

// Bytes is the memory held.
func (a *Bitwise) Bytes() int64 { return int64(cap(a.vals))*9 + a.s.Size() }

// Reset empties the state.
func (a *Bitwise) Reset() { a.vals, a.seen, a.groups = a.vals[:0], a.seen[:0], 0 }
