package kernel

import (
	"math"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// Distinct estimates the number of distinct values by HyperLogLog registers: 2^p bytes a group. The partial form is one BINARY.
type Distinct struct {
	aggBase
	p    uint
	regs []byte
	key  []byte
}

// NewDistinct makes the state for a relative standard deviation.
func NewDistinct(rsd float64) *Distinct {
	p := uint(math.Ceil(2 * math.Log(1.106/rsd) / math.Ln2))
	return &Distinct{p: max(p, 4)}
}

func (a *Distinct) room(groups int) {
	a.begin(groups)
	a.regs = growBytes(a.regs, a.groups<<a.p)
}

// Update adds rows.
func (a *Distinct) Update(c *Ctx, args []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	v := &args[0]
	for i := range n {
		if v.Null(i) {
			continue
		}
		a.key = AppendKey(a.key[:0], v, i)
		a.note(groupOf(group, i), hashBytes(a.key))
	}
	return nil
}

// hashBytes is a 64-bit hash with good high and low bits: multiply and fold of eight bytes at a time.
func hashBytes(b []byte) uint64 {
	h := uint64(len(b)) ^ 0x9E3779B97F4A7C15
	for len(b) > 0 {
		var w uint64
		k := min(8, len(b))
		for i := range k {
			w |= uint64(b[i]) << (8 * i)
		}
		hi, lo := bits.Mul64(h^w^0xE7037ED1A0B428DB, 0xA0761D6478BD642F)
		h = hi ^ lo
		b = b[k:]
	}
	hi, lo := bits.Mul64(h^0x8EBC6AF09C88C6E3, 0x589965CC75374CC3)
	return hi ^ lo
}

func (a *Distinct) note(g uint32, h uint64) {
	i := uint64(g)<<a.p + h>>(64-a.p)
	rank := byte(bits.LeadingZeros64(h<<a.p|1<<(a.p-1)) + 1)
	a.regs[i] = max(a.regs[i], rank)
}

// Merge takes the greater of each register.
func (a *Distinct) Merge(c *Ctx, state []columnar.Vector, n int, group []uint32, groups int) error {
	a.room(groups)
	for i := range n {
		if state[0].Null(i) {
			continue
		}
		base := int(groupOf(group, i)) << a.p
		for k, r := range state[0].Text(i) {
			a.regs[base+k] = max(a.regs[base+k], r)
		}
	}
	return nil
}

// State is the registers.
func (a *Distinct) State(c *Ctx, from, to int) ([]columnar.Vector, error) {
	b := columnar.NewBuilder(types.Binary, to-from)
	size := 1 << a.p
	empty := make([]byte, size)
	for g := from; g < to; g++ {
		if (g+1)*size <= len(a.regs) {
			b.Append(a.regs[g*size : (g+1)*size])
		} else {
			b.Append(empty)
		}
	}
	return []columnar.Vector{b.Finish()}, nil
}

// Result is the estimate.
func (a *Distinct) Result(c *Ctx, from, to int) (columnar.Vector, error) {
	out := make([]int64, to-from)
	size := 1 << a.p
	for g := from; g < to && (g+1)*size <= len(a.regs); g++ {
		out[g-from] = estimate(a.regs[g*size:(g+1)*size], a.p)
	}
	return column(types.Long, out), nil
}

// estimate is Ertl's corrected estimator: unbiased at all sizes without tables.
func estimate(regs []byte, p uint) int64 {
	var hist [66]int
	for _, r := range regs {
		hist[r]++
	}
	m, q := float64(len(regs)), int(64-p)
	z := m * tau(1-float64(hist[q+1])/m)
	for k := q; k >= 1; k-- {
		z = 0.5 * (z + float64(hist[k]))
	}
	z += m * sigma(float64(hist[0])/m)
	return int64(math.Round(m * m / (2 * math.Ln2 * z)))
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		old := z
		z += x * y
		y += y
		if z == old {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		old := z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
		if z == old {
			return z / 3
		}
	}
}

// Bytes is the memory held.
func (a *Distinct) Bytes() int64 { return int64(cap(a.regs)) + a.s.Size() }

// Reset empties the state.
func (a *Distinct) Reset() { a.regs, a.groups = a.regs[:0], 0 }
