package child

import (
	"fmt"
	"sync"

	"github.com/firesteel/firesteel/internal/cgroup"
)

// killings counts by memory cgroup which of the kernel's killings are explained already: one killing explains one end.
var killings = struct {
	sync.Mutex
	known map[string]int64
}{known: map[string]int64{}}

// joined notes that a process of ours runs in a group.
func joined(g cgroup.Memory) {
	killings.Lock()
	defer killings.Unlock()
	if n, ok := g.Kills(); ok {
		if _, known := killings.known[g.Name()]; !known {
			killings.known[g.Name()] = n
		}
	}
}

// starved says how a process that was killed by SIGKILL had been over the limit of its group; "" when the kernel has killed
// nothing there.
func starved(g cgroup.Memory) string {
	killings.Lock()
	defer killings.Unlock()
	n, ok := g.Kills()
	known, watched := killings.known[g.Name()]
	if !ok || !watched || n <= known {
		return ""
	}
	killings.known[g.Name()] = known + 1
	name, limit, current, peak, ok := g.Full()
	if !ok {
		return "by the kernel, as the machine has no memory left"
	}
	text := fmt.Sprintf("by the kernel, as its memory cgroup %s was full: the limit is %s, ", name, mebibytes(limit))
	if peak > 0 {
		text += fmt.Sprintf("the most that was used %s, ", mebibytes(peak))
	}
	return text + fmt.Sprintf("used without it %s. Give it less memory (spark.executor.memory) or the group more", mebibytes(current))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
