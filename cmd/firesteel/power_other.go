//go:build !linux

package main

import (
	"os"
	"syscall"
)

// powerSignal is no signal: this system has none that asks a worker to leave.
const powerSignal = syscall.Signal(0)

func notifyPower(chan<- os.Signal) {}
