package driver

import (
	"context"
	"io"

	"github.com/firesteel/firesteel/internal/event"
)

// Executors is a backend whose executors are other processes (Remote), as those see it who make the work: stages with
// Stage.Work run on it, and Job.OnResult gets a RemoteResult of each task.
type Executors interface {
	Backend
	// Ready waits until executors are registered: all that were asked for if they come soon, at least one else. It gives up
	// without an error when none comes for long; those that come later get the tasks then.
	Ready(ctx context.Context) error
	// Slots is the number of task slots of all executors that are registered; while none is, of those that are expected.
	Slots() int
	// Broadcast puts up data that executors may read (executor.Env.Broadcast) until it is dropped. Ids are above 0; data
	// belongs to the backend from then on.
	Broadcast(data []byte) (event.BroadcastID, error)
	// DropBroadcast forgets the data, here and on the executors. It does not wait for them.
	DropBroadcast(id event.BroadcastID)
	// DropBlocks makes all executors forget a block, and all whose names start with its name and an underscore. It does not
	// wait for them.
	DropBlocks(name string)
	// KeepBlocks says that blocks of a name that was dropped may come again.
	KeepBlocks(name string)
	// Cached says how each executor that has a cached block (rdd_<id>_<partition>) keeps it, and on which host it is.
	Cached(name string) []CachedBlock
	// SendFiles tells executors of files that were added to the application's: tasks that are launched later find them.
	SendFiles()
	// SendCredentials gives tokens for file systems, in Hadoop's form, to all executors, also to those that come later.
	SendCredentials(data []byte)
	// OpenResult reads a stored result from the executor that keeps it. Closing the reader removes it there. An executor or
	// a block that is gone is an error, at once or from Read.
	OpenResult(ctx context.Context, r RemoteResult) (io.ReadCloser, error)
}

// CachedBlock is a cached block at an executor.
type CachedBlock struct {
	event.BlockStatus
	At   event.ExecutorID
	Host string
}

// RemoteResult is the result of a task that ran in another process: the bytes of wire.Outcome.Result, or where a stored one
// lies.
type RemoteResult struct {
	Data   []byte
	Stored string // block in the store of executor At; empty: Data is all
	At     event.ExecutorID
	Size   int64
}
