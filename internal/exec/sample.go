package exec

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/types"
)

// sampleOp draws rows as Spark does, so that a seed gives the same sample: without replacement by one double of an
// XORShift generator a row, with replacement by a Poisson number of copies a row.
type sampleOp struct {
	p     *physical.Sample
	child Operator
	draw  func() int // copies of the next row
	sel   []uint32
	arena []kernel.Scratch
	out   columnar.Batch
}

func newSample(p *physical.Sample, env *Env) (Operator, error) {
	child, err := Build(p.Child, env)
	return &sampleOp{p: p, child: child, arena: make([]kernel.Scratch, len(p.Output()))}, err
}

func (o *sampleOp) Schema() *types.Schema { return o.child.Schema() }

func (o *sampleOp) Open(ctx context.Context, t *Task) error {
	if o.p.WithReplacement {
		o.draw = poissonDraw(o.p.Upper-o.p.Lower, o.p.Seed, t.Partition)
	} else {
		o.draw = cellDraw(o.p.Lower, o.p.Upper, o.p.Seed+int64(t.Partition))
	}
	o.out = columnar.Batch{Schema: o.child.Schema(), Cols: make([]columnar.Vector, len(o.arena))}
	return o.child.Open(ctx, t)
}

func (o *sampleOp) Next(ctx context.Context) (*columnar.Batch, error) {
	for {
		b, err := o.child.Next(ctx)
		if err != nil {
			return nil, err
		}
		o.sel = o.sel[:0]
		for i := range b.N {
			for range o.draw() {
				o.sel = append(o.sel, uint32(i))
			}
		}
		if len(o.sel) == 0 {
			continue
		}
		o.out.N = len(o.sel)
		for i := range b.Cols {
			o.arena[i].Reset()
			o.out.Cols[i] = o.arena[i].Gather(&b.Cols[i], o.sel)
		}
		return &o.out, nil
	}
}

func (o *sampleOp) Close() error { return o.child.Close() }

func cellDraw(lower, upper float64, seed int64) func() int {
	rng := newXORShift(seed)
	return func() int {
		if upper-lower <= 0 {
			return 0
		}
		if x := rng.double(); x >= lower && x < upper {
			return 1
		}
		return 0
	}
}

// xorShift is Spark's XORShiftRandom.
type xorShift struct{ seed uint64 }

func newXORShift(seed int64) *xorShift {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	low := murmur3Bytes(b[:], 0x3c074a61)
	high := murmur3Bytes(b[:], low)
	return &xorShift{uint64(high)<<32 | uint64(low)}
}

func (x *xorShift) next(n uint) uint64 {
	s := x.seed ^ x.seed<<21
	s ^= s >> 35
	s ^= s << 4
	x.seed = s
	return s & (1<<n - 1)
}

func (x *xorShift) double() float64 { return float64(x.next(26)<<27+x.next(27)) * 0x1p-53 }

// murmur3Bytes is the 32-bit MurmurHash3 of bytes.
func murmur3Bytes(b []byte, seed uint32) uint32 {
	h, n := seed, len(b)
	for len(b) >= 4 {
		h = murmurMix(h, binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	var k uint32
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	if len(b) > 0 {
		h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	}
	return murmurEnd(h, uint32(n))
}

// poissonDraw is Spark's PoissonSampler: the generator is seeded by the number of the partition among the longs that
// java.util.Random gives for the seed.
func poissonDraw(mean float64, seed int64, partition int) func() int {
	java := newJavaRandom(seed)
	s := java.long()
	for range partition {
		s = java.long()
	}
	rng, p := newWell(s), math.Exp(-mean)
	return func() int {
		if mean <= 0 {
			return 0
		}
		n, r := 0, 1.0
		for float64(n) < 1000*mean {
			r *= rng.double()
			if r < p {
				return n
			}
			n++
		}
		return n
	}
}

// javaRandom is java.util.Random.
type javaRandom struct{ seed uint64 }

func newJavaRandom(seed int64) *javaRandom {
	return &javaRandom{(uint64(seed) ^ 0x5DEECE66D) & (1<<48 - 1)}
}

func (j *javaRandom) next() int32 {
	j.seed = (j.seed*0x5DEECE66D + 0xB) & (1<<48 - 1)
	return int32(j.seed >> 16)
}

func (j *javaRandom) long() int64 {
	hi := int64(j.next()) << 32
	return hi + int64(j.next())
}

// well is the WELL19937c generator (Panneton, L'Ecuyer, Matsumoto 2006).
type well struct {
	v     [624]uint32
	index int
}

func newWell(seed int64) *well {
	w := &well{}
	w.v[0], w.v[1] = uint32(uint64(seed)>>32), uint32(seed)
	for i := 2; i < len(w.v); i++ {
		l := int64(int32(w.v[i-2]))
		w.v[i] = uint32(1812433253*(l^(l>>30)) + int64(i))
	}
	return w
}

func (w *well) next() uint32 {
	const r = 624
	i := w.index
	rm1, rm2 := (i+r-1)%r, (i+r-2)%r
	v0, m1, m2, m3 := w.v[i], w.v[(i+70)%r], w.v[(i+179)%r], w.v[(i+449)%r]
	z0 := 0x80000000&w.v[rm1] ^ 0x7FFFFFFF&w.v[rm2]
	z1 := v0 ^ v0<<25 ^ m1 ^ m1>>27
	z2 := m2>>9 ^ m3 ^ m3>>1
	z3 := z1 ^ z2
	z4 := z0 ^ z1 ^ z1<<9 ^ z2 ^ z2<<21 ^ z3 ^ z3>>21
	w.v[i], w.v[rm1] = z3, z4
	w.v[rm2] &= 0x80000000
	w.index = rm1
	z4 ^= z4 << 7 & 0xe46e1700
	z4 ^= z4 << 15 & 0x9b868000
	return z4
}

func (w *well) double() float64 {
	hi := uint64(w.next()>>6) << 26
	return float64(hi|uint64(w.next()>>6)) * 0x1p-52
}

// below is java's nextInt(n) of the generator.
func (x *xorShift) below(n int) int {
	r := int32(x.next(31))
	if n&(n-1) == 0 {
		return int(int64(n) * int64(r) >> 31)
	}
	for u := r; ; u = int32(x.next(31)) {
		r = u % int32(n)
		if int64(u)-int64(r)+int64(n-1) <= math.MaxInt32 {
			return int(r)
		}
	}
}
