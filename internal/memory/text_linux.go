package memory

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram lets the pages of the program's own text and constants leave the process: starting touches most of them once, and
// what is used comes back by itself. It is a hint only.
func forgetProgram() {
	exe, err := os.Executable()
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		// from-to permissions offset device inode path
		c := strings.Fields(s.Text())
		if len(c) != 6 || c[5] != exe || c[1] != "r-xp" && c[1] != "r--p" {
			continue
		}
		from, to, _ := strings.Cut(c[0], "-")
		lo, err1 := strconv.ParseUint(from, 16, 64)
		hi, err2 := strconv.ParseUint(to, 16, 64)
		if err1 == nil && err2 == nil {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(lo), uintptr(hi-lo), syscall.MADV_DONTNEED)
		}
	}
}
