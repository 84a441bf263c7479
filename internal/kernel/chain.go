package kernel

import (
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Chained is an aggregate whose groups can be turned into running totals: each row a group of its own, chained.
type Chained interface {
	Agg
	// Chain adds to each group of [from, to), in order, what the one before it holds by then; a group g whose bit is set in fresh
	// stays as it is.
	Chain(from, to int, fresh columnar.Bitmap) error
}

// Chain implements Chained.
func (a *Count) Chain(from, to int, fresh columnar.Bitmap) error {
	for g := from; g < to; g++ {
		if !fresh.Get(g) {
			a.n[g] += a.n[g-1]
		}
	}
	return nil
}

// Chain implements Chained.
func (a *SumLong) Chain(from, to int, fresh columnar.Bitmap) error {
	if len(a.over) > 0 {
		a.over = grow(a.over, a.groups)
	}
	for g := from; g < to; g++ {
		if fresh.Get(g) {
			continue
		}
		x, y := a.sum[g-1], a.sum[g]
		s := x + y
		if (x^s)&(y^s) < 0 && a.mode != Legacy {
			if err := a.overflowed([]uint32{uint32(g)}); err != nil {
				return err
			}
		}
		a.sum[g] = s
		a.seen[g] = a.seen[g] || a.seen[g-1]
		if len(a.over) > 0 {
			a.over[g] = a.over[g] || a.over[g-1]
		}
	}
	return nil
}

// Chain implements Chained.
func (a *SumDouble) Chain(from, to int, fresh columnar.Bitmap) error {
	for g := from; g < to; g++ {
		if !fresh.Get(g) && a.n[g-1] > 0 {
			a.sum[g] += a.sum[g-1]
			a.n[g] += a.n[g-1]
		}
	}
	return nil
}

// Chain implements Chained. One that follows another has nothing of its own.
func (a *SumWide) Chain(from, to int, fresh columnar.Bitmap) error {
	if a.lead != nil {
		return nil
	}
	for g := from; g < to; g++ {
		if fresh.Get(g) {
			continue
		}
		s, over := a.sum[g].AddOverflows(a.sum[g-1])
		a.sum[g] = s
		a.n[g] += a.n[g-1]
		a.noteOver(uint32(g), over || g-1 < len(a.over) && a.over[g-1])
	}
	return nil
}

// Chain implements Chained.
func (a *MinMax) Chain(from, to int, fresh columnar.Bitmap) error {
	switch a.v.l {
	case columnar.Int32x:
		chainExtremes[int32](a, from, to, fresh)
	case columnar.Int64x:
		chainExtremes[int64](a, from, to, fresh)
	default:
		a.chain(from, to, fresh)
	}
	return nil
}

func chainExtremes[T interface {
	Ordered
	columnar.Fixed
}](a *MinMax, from, to int, fresh columnar.Bitmap) {
	best, state := columnar.Of[T](a.v.data), a.v.state
	for g := from; g < to; g++ {
		if fresh.Get(g) || state[g-1] != slotValue {
			continue
		}
		if k := best[g-1]; state[g] != slotValue || (k > best[g]) == a.max {
			best[g], state[g] = k, slotValue
		}
	}
}

func (a *MinMax) chain(from, to int, fresh columnar.Bitmap) {
	all := a.v.all()
	for g := from; g < to; g++ {
		if fresh.Get(g) || a.v.state[g-1] != slotValue {
			continue
		}
		if a.v.state[g] == slotValue {
			if c := a.v.order(&all, g-1, g); c == 0 || (c > 0) != a.max {
				continue
			}
		}
		a.v.copy(g, g-1)
	}
}

// all is a view of all groups' values.
func (s *slots) all() columnar.Vector {
	return columnar.Vector{Type: s.t, N: len(s.state), Data: s.data, Bufs: s.heap}
}

// order compares the values of two groups; all is what all gave.
func (s *slots) order(all *columnar.Vector, a, b int) int {
	switch {
	case s.width == 0:
		x, y := columnar.NewConst(s.t, s.rows[a], 1), columnar.NewConst(s.t, s.rows[b], 1)
		return CompareAt(&x, 0, &y, 0)
	case s.l == columnar.Int128x:
		v := columnar.Of[types.Int128](s.data)
		return v[a].Cmp(v[b])
	}
	return CompareAt(all, a, all, b)
}

// copy gives a group the value of another.
func (s *slots) copy(to, from int) {
	s.state[to] = s.state[from]
	switch {
	case s.width == 0:
		s.rows[to] = s.rows[from]
	case s.l == columnar.View16:
		views := columnar.Of[columnar.View](s.data)
		for _, v := range []struct{ g, sign int }{{to, -1}, {from, 1}} {
			if n := views[v.g].Len; n > columnar.InlineMax {
				s.live += v.sign * int(n)
			}
		}
		views[to] = views[from]
	default:
		copy(s.data[to*s.width:(to+1)*s.width], s.data[from*s.width:])
	}
}
