package memory

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/columnar"
)

const (
	// runtimeShare is the part of a process's memory that is left to what is not accounted: batches in flight, plans, the
	// runtime itself.
	runtimeShare = 0.3
	// heapSpare is the part of it that the runtime's own limit stays below: the program's pages count, too, and the limit
	// is a soft one.
	heapSpare = 10
	// slabShare and outputShare are parts of it too: free buffers that are kept, and row groups that are being written.
	slabShare   = 16
	outputShare = 16
	// valueShare is the part that one value of a row may take: it is copied on its way.
	valueShare = 4
)

// processLimit is the memory that this process may use, 0 while nobody has said so.
var processLimit atomic.Int64

// LimitProcess tells the runtime how much memory the process may use, and gives the budget for a Pool.
func LimitProcess(total int64) (budget int64) {
	processLimit.Store(total)
	debug.SetMemoryLimit(total - total/heapSpare)
	paceCollector()
	forgetProgram()
	columnar.LimitValues(total / valueShare)
	Buffers.Limit(min(slabKept, total/slabShare))
	return BudgetOf(total)
}

// BudgetOf is what a process that may use so much memory has for rows.
func BudgetOf(total int64) int64 { return int64(float64(total) * (1 - runtimeShare)) }

// OutputLimit is how many bytes a writer of a file may collect, at most as many as it would like to.
func OutputLimit(wish int64) int64 {
	if total := processLimit.Load(); total > 0 {
		return max(min(wish, total/outputShare), 1<<20)
	}
	return wish
}

// fullBuffers is the memory of a process from which on its buffers have their full size.
const fullBuffers = 256 << 20

// scaled is the size of a buffer of which a process has many: smaller where there is little memory.
func scaled(size int) int {
	total := processLimit.Load()
	if total == 0 || total >= fullBuffers {
		return size
	}
	return int(max(int64(size)*total/fullBuffers, 16<<10))
}

// NewKey makes a key of spark.io.encryption.keySizeBits: 128, 192 or 256.
func NewKey(bits int) ([]byte, error) {
	if bits != 128 && bits != 192 && bits != 256 {
		return nil, fmt.Errorf("spark.io.encryption.keySizeBits must be 128, 192 or 256, not %d", bits)
	}
	key := make([]byte, bits/8)
	_, err := rand.Read(key)
	return key, err
}

// Cipher makes the cipher of spill files and map outputs from a key.
func Cipher(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}
