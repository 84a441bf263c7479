package memory

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/firesteel/firesteel/internal/columnar"
)

// Slabs are buffers that go from hand to hand instead of back to the garbage collector: touching fresh memory costs
// more than filling it. Sizes are powers of two from 4 KB to 64 MB, padding included, for Go rounds what is larger up to pages.
// What is free is kept up to a limit and belongs to no account; who holds a slab pays for it.
type Slabs struct {
	// Poison fills returned slabs with garbage, so that tests notice who still reads them.
	Poison bool
	mu     sync.Mutex
	free   [slabClasses][][]byte
	idle   [slabClasses]int // how many were free all the time since the last Trim
	kept   int64
	limit  int64
}

const (
	slabMin     = 12 // bits of the smallest size
	slabClasses = 15
	slabKept    = 128 << 20
)

// Pad is what follows the bytes of a buffer in its slab: a buffer of 2^n-Pad bytes fills one.
const Pad = 64

// Buffers are the slabs of this process.
var Buffers = &Slabs{limit: slabKept}

// Limit sets how many bytes of free buffers are kept; more than that are let go.
func (s *Slabs) Limit(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
	for c := range s.free {
		for s.kept > n && len(s.free[c]) > 0 {
			s.pop(c)
		}
	}
}

// pop takes the last free buffer of a class.
func (s *Slabs) pop(c int) []byte {
	last := len(s.free[c]) - 1
	b := s.free[c][last]
	s.free[c][last] = nil
	s.free[c] = s.free[c][:last]
	s.idle[c] = min(s.idle[c], last)
	s.kept -= int64(cap(b))
	return b
}

// Trim lets go of half the buffers that nobody took since the last call.
func (s *Slabs) Trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.free {
		for range (s.idle[c] + 1) / 2 {
			s.pop(c)
		}
		s.idle[c] = len(s.free[c])
	}
}

func slabClass(n int) int { return max(bits.Len(uint(max(n, 1)-1))-slabMin, 0) }

// Get gives a padded, 8-byte aligned buffer of n bytes with any content.
func (s *Slabs) Get(n int) []byte { return s.take(n + Pad)[:n] }

// take gives n bytes of a slab, padding included.
func (s *Slabs) take(n int) []byte {
	c := slabClass(n)
	if c >= slabClasses {
		return columnar.Make(columnar.Int8x, n-Pad)[:n]
	}
	s.mu.Lock()
	if len(s.free[c]) > 0 {
		b := s.pop(c)
		s.mu.Unlock()
		return b[:n]
	}
	s.mu.Unlock()
	return columnar.Make(columnar.Int8x, 1<<(c+slabMin)-Pad)[:n]
}

// Put gives a buffer of Get back. Nobody may use it any more.
func (s *Slabs) Put(b []byte) {
	size := cap(b)
	if size < 1<<slabMin || size&(size-1) != 0 {
		return
	}
	if s.Poison {
		b = b[:size]
		for i := range b {
			b[i] = 0xDB
		}
	}
	c := slabClass(size)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c < slabClasses && s.kept+int64(size) <= s.limit {
		s.free[c] = append(s.free[c], b)
		s.kept += int64(cap(b))
	}
}

// Slots gives a zeroed slice of n values of a pointer-free type in a slab, and the slab, which is to be Put back.
func Slots[T any](s *Slabs, n int) ([]T, []byte) {
	var z T
	b := s.take(n * int(unsafe.Sizeof(z))) // nobody reads past them
	clear(b)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), b
}
