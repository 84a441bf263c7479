// Package executor is a long-running process of one application: it registers with the driver, runs tasks on its slots,
// keeps map outputs, cached blocks and big results, serves them to whoever pulls, and reports. It takes orders from the
// driver only and never asks another executor for anything but immutable blocks.
package executor

import (
	"context"
	"io"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/vfs"
	"github.com/firesteel/firesteel/internal/wire"
)

// Env is what the work of all stages shares in one executor process.
type Env struct {
	ID    event.ExecutorID
	Host  string
	Cores int
	Conf  map[string]string // the application's settings
	Pool  *memory.Pool
	Dirs  *memory.Dirs
	FS    *vfs.Registry
	// File is where a file of the application is. All are there when a task begins.
	File    func(name string) string
	Shuffle *shuffle.Files // fetches what other executors wrote
	// Blocks are the cached partitions of this process (rdd_<id>_<partition>), and its results and broadcasts. The driver
	// knows which cached partitions lie here: see driver.Remote.Cached.
	Blocks *block.Store
	// Cached reads a cached partition that lies in another executor, as the frames of its batches. It is an fs.ErrNotExist
	// if the driver knows of none.
	Cached func(ctx context.Context, name string) (io.ReadCloser, error)
	// Statuses says where the outputs of a shuffle lie, in map order, as the driver knows it at the epoch or later. An
	// output that is missing is an *event.FetchError.
	Statuses func(ctx context.Context, id event.ShuffleID, epoch int64) ([]shuffle.MapStatus, error)
	// Broadcast reads a value that the driver has put up under an id (see driver.Remote.Broadcast), in pieces.
	Broadcast func(ctx context.Context, id event.BroadcastID) (io.ReadCloser, error)
	// Store keeps a task's result that is too big to travel with its report, as a block that the driver fetches. The block
	// is there when the writer is closed; a writer that has Abort() error drops it then.
	Store func(name string) (io.WriteCloser, error)
}

// Task is one task attempt as the work sees it.
type Task struct {
	wire.Task
	// Commit asks the driver for the right to commit the output of the partition. It returns an
	// *event.CommitDeniedError if another attempt has it; the task must return that error then.
	Commit func(ctx context.Context) error
}

// Kind opens the work of stages of one kind. What is opened is shared by the tasks of the stage in this process.
type Kind func(ctx context.Context, env *Env, data []byte) (Work, error)

// Work is the open work of one stage.
type Work interface {
	// Run does one task. It must return soon after ctx is done; context.Cause(ctx) says why.
	Run(ctx context.Context, t *Task) (wire.Outcome, error)
	// Close frees what the tasks shared, after the last has ended.
	Close() error
}
