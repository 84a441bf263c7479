package memory

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/cgroup"
)

// fallback is assumed where neither the cgroup nor the system says how much memory there is.
const fallback = 4 << 30

// Available is the memory in bytes that this process may use: the smallest limit of its cgroups if there is one, else what the
// machine has.
func Available() int64 { return Capped(machineMemory()) }

// Capped is a memory that was set, or the smallest limit of the cgroups that this process is in, if that is less: the kernel
// would kill the process that believed in more.
func Capped(total int64) int64 {
	if limit, ok := cgroup.Self().Limit(); ok {
		return min(total, limit)
	}
	return total
}

func machineMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return fallback
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		fields := strings.Fields(in.Text())
		if len(fields) >= 2 && fields[0] == "MemTotal:" {
			if kb, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return kb << 10
			}
		}
	}
	return fallback
}
