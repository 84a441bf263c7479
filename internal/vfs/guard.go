package vfs

import (
	"runtime"
	"runtime/debug"
)

// Guard runs f, which touches bytes from File.View, and turns a memory fault in them into ErrFault: a mapped file that
// is cut off by somebody else must fail the query, not the process. Other panics pass through.
func Guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			if fault, ok := r.(interface {
				runtime.Error
				Addr() uintptr
			}); ok && fault.Addr() > 1<<16 {
				err = ErrFault
				return
			}
			panic(r)
		}
	}()
	return f()
}
