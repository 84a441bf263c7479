package vfs

import "syscall"

// forgetPages takes the pages of a mapped file out of the process; they come back when they are touched. It is a hint only.
func forgetPages(b []byte) { _ = syscall.Madvise(b, syscall.MADV_DONTNEED) }
