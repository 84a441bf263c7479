package parquet

import "sync"

// padding is readable behind every buffer, so that decoders need no scalar tails.
const padding = 64

// pool hands out byte buffers and takes them back a batch later: what the current batch shows must stay untouched until
// the next call of Next, which recycles. A pool belongs to one scanner at a time.
type pool struct {
	free    [][]byte
	retired [][]byte
	leaves  []*leaf       // with their buffers, for the next scanner
	outs    [][]outColumn // likewise
	sels    [][]uint32
}

func (p *pool) leaf() *leaf {
	if n := len(p.leaves); n > 0 {
		l := p.leaves[n-1]
		p.leaves = p.leaves[:n-1]
		return l
	}
	return new(leaf)
}

func (p *pool) selection() []uint32 {
	n := len(p.sels)
	if n == 0 {
		return nil
	}
	s := p.sels[n-1]
	p.sels = p.sels[:n-1]
	return s
}

func (p *pool) out(n int) []outColumn {
	for i, o := range p.outs {
		if cap(o) >= n {
			last := len(p.outs) - 1
			p.outs[i], p.outs = p.outs[last], p.outs[:last]
			return o[:n]
		}
	}
	return make([]outColumn, n)
}

const maxFree = 256

var pools = sync.Pool{New: func() any { return new(pool) }}

// get returns a buffer of n bytes, not cleared, with padding behind its length.
func (p *pool) get(n int) []byte {
	best := -1
	for i, b := range p.free {
		if cap(b) >= n+padding && (best < 0 || cap(b) < cap(p.free[best])) {
			best = i
		}
	}
	if best >= 0 && cap(p.free[best])/4 <= n+64<<10 {
		b := p.free[best]
		last := len(p.free) - 1
		p.free[best] = p.free[last]
		p.free = p.free[:last]
		return b[:n]
	}
	size := n + padding
	if size <= 1024 {
		return make([]byte, n, size)
	}
	return make([]byte, (size+size/8+4095)&^4095)[:n]
}

// retire gives a buffer back that the current batch may still show.
func (p *pool) retire(b []byte) {
	if cap(b) > 0 {
		p.retired = append(p.retired, b[:0])
	}
}

// recycle makes retired buffers free: the current batch is gone.
func (p *pool) recycle() {
	for _, b := range p.retired {
		if len(p.free) < maxFree {
			p.free = append(p.free, b)
		}
	}
	clear(p.retired)
	p.retired = p.retired[:0]
}
