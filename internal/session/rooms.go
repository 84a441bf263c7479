package session

import (
	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Rooms are the parts of a running application that engines beside the sessions' use, such as that of RDDs. They end with
// the application.
type Rooms struct {
	Driver    *driver.Driver
	Pool      *memory.Pool
	Dirs      *memory.Dirs
	FS        *vfs.Registry
	Shuffle   *shuffle.Local   // of this process
	Executors driver.Executors // nil: tasks run in this process
	Failures  int              // how often a task may fail in local mode
	// NextRDD gives numbers of RDDs that no other has: blocks on executors are named by them.
	NextRDD func() event.RDDID
	Audit   *audit.Log               // nil: off
	File    func(name string) string // where a file that was added to the application is in this process
}

func (a *App) newRDD() event.RDDID { return event.RDDID(a.nextRDD.Add(1) - 1) }

// Rooms gives them.
func (a *App) Rooms() Rooms {
	return Rooms{a.driver, a.pool, a.dirs, a.fs, a.shuffle, a.executors, max(a.master.Failures, 1), a.newRDD, a.audit, a.File}
}
