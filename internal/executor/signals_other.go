//go:build !linux

package executor

import (
	"os"
	"syscall"
)

// decommissionSignals are those that decommission an executor, besides the one that ends processes. There is no SIGPWR here.
var decommissionSignals = []os.Signal{syscall.SIGUSR1}
