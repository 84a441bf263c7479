package memory

import (
	"fmt"
	"strconv"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// refused is the error of a request that was not granted: UNABLE_TO_ACQUIRE_MEMORY. The text names the operator, its
// account, the budget and the setting to change.
func (r *Reservation) refused(n int64) error {
	a, p := r.account, r.account.pool
	u := p.Usage()
	detail := fmt.Sprintf("0 (%s of %s holds %s; the process has %s for execution and storage by %s, of which %s and %s are taken: raise %s)",
		r.operator, a.name, formatBytes(r.held), formatBytes(u.Budget), p.key, formatBytes(u.Execution), formatBytes(u.Storage), p.key)
	return sparkerr.New("UNABLE_TO_ACQUIRE_MEMORY", "requestedBytes", strconv.FormatInt(n, 10), "receivedBytes", detail)
}

// Refused says whether err is a refusal of memory.
func Refused(err error) bool { return sparkerr.Is(err, "UNABLE_TO_ACQUIRE_MEMORY") }

// formatBytes prints a size as Spark does: 12.0 B, 1.5 MiB.
func formatBytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 2048 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[i]
}
