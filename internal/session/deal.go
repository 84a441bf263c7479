package session

import (
	"github.com/firesteel/firesteel/internal/source"
)

// Bounds of what a task of a scan gets, in bytes of its files: less is not worth a task, and more makes tasks too long to
// repeat (as spark.sql.files.maxPartitionBytes).
const (
	smallTask = 1 << 20
	largeTask = 128 << 20
)

// deal gives the splits of a scan to tasks: runs of neighbours with about as many bytes each, so that partitions keep the
// order of the files. Task i gets splits [ends[i-1], ends[i]). tasks > 0 sets their number; else it is a few for each slot.
func deal(splits []source.Split, tasks, slots int) (ends []int) {
	var total int64
	for _, s := range splits {
		total += s.Bytes()
	}
	n := int64(tasks)
	if n <= 0 {
		n = max(total/largeTask, min(int64(slots)*tasksPerSlot, total/smallTask))
	}
	n = max(min(n, int64(len(splits))), 1)
	ends = make([]int, n)
	at, sum := 0, int64(0)
	for i := range ends {
		// A split belongs to the task in whose share its middle lies.
		for at < len(splits) && (i == len(ends)-1 || (sum+splits[at].Bytes()/2)*n < total*int64(i+1)) {
			sum += splits[at].Bytes()
			at++
		}
		ends[i] = at
	}
	return ends
}

// newPortion is nil where there is nothing to read.
func newPortion(splits []source.Split) (*source.Portion, error) {
	if len(splits) == 0 {
		return nil, nil
	}
	return source.NewPortion(splits)
}
