package executor

import (
	"os"
	"syscall"
)

// decommissionSignals are those that decommission an executor, besides the one that ends processes.
var decommissionSignals = []os.Signal{syscall.SIGPWR}
