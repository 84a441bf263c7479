package tpch

// The generator's numbers come from independent streams, one per column, of
// the multiplicative congruential generator seed = 16807 * seed mod (2^31-1).
// A stream is just its seed; each table row (order, for lineitem) owns a fixed
// number of draws of each stream, so that any row can be reached by a jump.
const (
	modulus    = 1<<31 - 1
	multiplier = 16807
)

// seed is the state of a stream, in 1..modulus-1.
type seed uint64

// next is the state after one draw.
func (s seed) next() seed {
	p := uint64(s) * multiplier
	p = p&modulus + p>>31
	if p >= modulus {
		p -= modulus
	}
	return seed(p)
}

// below maps the state to an integer from 0 up to, not including, span. The
// floating point steps and their order decide the outcome.
func (s seed) below(span float64) int32 {
	return int32(float64(int64(s)) / modulus * span)
}

// jump is the state after as many draws as f stands for.
func (s seed) jump(f factor) seed {
	return seed(mulmod(uint64(s), uint64(f)))
}

// factor is a power of the multiplier: a number of draws to jump over.
type factor uint64

// draws makes the factor for n ≥ 0 draws.
func draws(n int64) factor {
	result, base := uint64(1), uint64(multiplier)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = mulmod(result, base)
		}
		base = mulmod(base, base)
	}
	return factor(result)
}

// mulmod is a*b mod modulus for a and b below the modulus.
func mulmod(a, b uint64) uint64 {
	p := a * b
	p = p&modulus + p>>31
	if p >= modulus {
		p -= modulus
	}
	return p
}

// linesPerOrder is the greatest number of lineitem rows of one order; streams
// of lineitem own that many draws (twice as many for comments) per order.
const linesPerOrder = 7

// leftover[k] jumps over k draws.
var leftover = func() (f [2*linesPerOrder + 1]factor) {
	for k := range f {
		f[k] = draws(int64(k))
	}
	return f
}()

// stream is a seed with the number of its draws per row.
type stream struct {
	seed   seed
	perRow int64
}

// at is the seed at the begin of a row, counted from zero.
func (s stream) at(row int64) seed { return s.seed.jump(draws(s.perRow * row)) }

// wideScale is the scale factor from which the keys of parts and customers
// are drawn by a 64-bit generator, as they outgrow the range of the other.
const wideScale = 30000

// keyStream draws keys from 1 to span.
type keyStream struct {
	state int64
	span  int64
	wide  bool
}

// newKeyStream is positioned on a row. span must be positive.
func newKeyStream(s stream, row int64, sf float64, span int64) keyStream {
	k := keyStream{state: int64(s.seed), span: span, wide: sf >= wideScale}
	k.skip(s.perRow * row)
	return k
}

// next draws one key.
func (k *keyStream) next() int64 {
	if !k.wide {
		s := seed(k.state).next()
		k.state = int64(s)
		return 1 + int64(s.below(float64(k.span)))
	}
	k.state = k.state*6364136223846793005 + 1
	v := k.state
	if v < 0 {
		v = -v
	}
	return 1 + v%k.span
}

// skip jumps over draws. The wide generator jumps by the narrow one's rule,
// overflow included, as the reference generator does.
func (k *keyStream) skip(n int64) {
	if !k.wide {
		k.state = int64(seed(k.state).jump(draws(n)))
		return
	}
	base := int64(multiplier)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			k.state = base * k.state % modulus
		}
		base = base * base % modulus
	}
}
