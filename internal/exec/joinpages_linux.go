package exec

import (
	"syscall"
	"unsafe"
)

const hugePage = 2 << 20

// hugePages asks for large pages under a fresh buffer, before it is first touched. It is a hint only.
func hugePages(b []byte) {
	if len(b) < 2*hugePage {
		return
	}
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (hugePage - 1)
	b = b[skip:]
	b = b[:len(b)&^(hugePage-1)]
	_ = syscall.Madvise(b, 14) // MADV_HUGEPAGE; the answer does not matter
}
