// Package shuffle moves rows between stages: map tasks write their output by partition, tasks of the next stage read
// partitions of all map outputs, in map order.
//
// There are two managers. Local keeps the batches of a process in memory and hands them over by reference; Files writes
// one file a map task (frames by partition, an index at the end), renamed into place when the task commits, for readers
// here and on other nodes. Operators know neither.
package shuffle

import (
	"context"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/types"
)

// MapStatus says what one map task wrote and where it lies: bytes and rows of each partition.
type MapStatus struct {
	Map   int
	Epoch int64
	At    event.ExecutorID
	Host  string
	Sizes []int64
	Rows  []int64
}

// Output names the output that a map task attempt is about to write.
type Output struct {
	Shuffle    event.ShuffleID
	Map        int // number of the map task's partition
	Task       event.TaskID
	Partitions int
	Schema     *types.Schema
	Mem        *memory.Account // of the task
	// Late, if set, says that all rows are written to partition 0 and spread when the first reader comes, which is after
	// the last map task has ended: it makes the function that does it. Only Local can do so.
	Late func() (Split, error)
}

// Split spreads the rows of a batch: partition p has rows order[bounds[p]:bounds[p+1]]; a nil order puts all in partition 0.
// What it returns holds until its next call. It belongs to one goroutine.
type Split func(b *columnar.Batch) (order, bounds []uint32, err error)

// Request says what a reader wants: partitions [From, To) of the map outputs that Maps names, in the order of Map.
type Request struct {
	Shuffle  event.ShuffleID
	Schema   *types.Schema
	Maps     []MapStatus
	From, To int
	Metrics  *event.ShuffleReadMetrics // counts what is read; nil: nobody does
}

// count notes that partitions of a map output are read: from this process's executor, or from another one.
func (r *Request) count(m *MapStatus, here bool) {
	c := r.Metrics
	if c == nil {
		return
	}
	n := max(m.size(r.From, r.To), 0)
	if here {
		c.LocalBlocksFetched++
		c.LocalBytesRead += n
	} else {
		c.RemoteBlocksFetched++
		c.RemoteBytesRead += n
	}
}

// Writer collects the output of one map task. It belongs to one goroutine.
type Writer interface {
	// Write takes over rows of b (copies of them): rows order[bounds[p]:bounds[p+1]] belong to partition p. A nil order
	// stands for all rows, in partition 0.
	Write(ctx context.Context, b *columnar.Batch, order, bounds []uint32) error
	// Commit publishes the output; after it or after an error only Abort may follow, which then does nothing more than clean up.
	Commit(ctx context.Context) (MapStatus, error)
	// Abort forgets what is not committed. It is safe at any time and twice.
	Abort()
}

// Reader yields batches borrowed until the next call, io.EOF after the last. What cannot be read is an
// *event.FetchError that names the map output.
type Reader interface {
	Next(ctx context.Context) (*columnar.Batch, error)
	Close() error
}

// Manager writes and reads the map outputs of one process.
type Manager interface {
	Writer(o Output) (Writer, error)
	Reader(ctx context.Context, r Request) (Reader, error)
	// Remove deletes all outputs of a shuffle.
	Remove(id event.ShuffleID) error
}

// failed is the error of a map output that cannot be read.
func failed(r *Request, m MapStatus, reduce int, cause error) error {
	return &event.FetchError{FetchFailed: event.FetchFailed{
		Shuffle: r.Shuffle, Map: m.Map, Reduce: reduce, From: m.At, Host: m.Host, Cause: cause}}
}
