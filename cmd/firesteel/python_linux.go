package main

import "syscall"

// endsWithParent makes the system end a child when the thread that started it dies, even by SIGKILL.
func endsWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
