package main

import (
	"os"
	"os/signal"
	"syscall"
)

// powerSignal asks a worker to leave.
const powerSignal = syscall.SIGPWR

func notifyPower(c chan<- os.Signal) { signal.Notify(c, powerSignal) }
