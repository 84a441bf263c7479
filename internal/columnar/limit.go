package columnar

import (
	"math"
	"sync/atomic"
)

// maxValue is the size in bytes up to which one value of a row may grow.
var maxValue atomic.Int64

func init() { maxValue.Store(MaxValueLen) }

// MaxValueLen is the size that no text, binary or nested value may pass, whatever memory there is.
const MaxValueLen = math.MaxInt32

// LimitValues sets the size that one value may have, of what the process has of memory; 0: no other than MaxValueLen.
func LimitValues(n int64) {
	if n <= 0 || n > MaxValueLen {
		n = MaxValueLen
	}
	maxValue.Store(n)
}

// MaxValue is the size in bytes that one value may have.
func MaxValue() int64 { return maxValue.Load() }
