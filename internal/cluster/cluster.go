// Package cluster is the seam to cluster managers: who gives an application its executors. Its
// managers are local (package local: the slots of this process), standalone, YARN, Mesos and
// Kubernetes.
//
// # Contract
//
// A Manager works by levels, not deltas: Scale says how many executors should exist, and calling
// it twice is harmless. The manager reports by notices what became of the executors that it
// launched; it never decides on its own to have more of them than asked, and it replaces those
// that exit as long as the level is not reached. An executor is usable when it has registered
// with the driver (an in-process one: when Registered is told); the notices only explain exits.
//
//   - Start is called once, before all other methods. notify may be called from any goroutine
//     until Stop has returned; it does not block.
//   - Scale and Kill return when the request is made, not when it is fulfilled.
//   - Kill ends executors for good and does not lower the level.
//   - Stop releases everything that Start and Scale took, also after a failed Start, and may be
//     called twice.
package cluster

import (
	"context"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// Manager gives an application its executors.
type Manager interface {
	Start(ctx context.Context, app App, notify func(Notice)) error
	Scale(ctx context.Context, total int) error
	Kill(ctx context.Context, ids []event.ExecutorID) error
	Stop(ctx context.Context) error
}

// App is what a manager must know about the application.
type App struct {
	ID        event.AppID
	Name      string
	User      string
	DriverURL string // where executors register
	Executor  Executor
	Conf      map[string]string // the spark.* settings that were given
}

// Executor is what each executor gets.
type Executor struct {
	Cores   int
	Memory  int64 // bytes, with overhead
	Command []string
	Env     map[string]string
}

// Notice is what a manager tells: one of the types below.
type Notice interface{ isNotice() }

// Registered says that an executor in this process is ready.
type Registered struct {
	ID         event.ExecutorID
	Host       string
	Cores      int
	LogURLs    map[string]string
	Attributes map[string]string
}

// Exited says that an executor ended. PlatformFault: not because of what it ran (preemption,
// node loss, a requested kill). HostLost: its host is gone too.
type Exited struct {
	ID            event.ExecutorID
	Code          int // exit status; 128+n after signal n; -1 if unknown
	Reason        string
	PlatformFault bool
	HostLost      bool
}

// Leaving says that an executor will be ended after the grace time.
type Leaving struct {
	ID     event.ExecutorID
	Grace  time.Duration
	Reason string
}

// Failed says that the manager cannot go on (the application was killed, or it may not have
// executors); all jobs must fail with the error.
type Failed struct{ Err error }

func (Registered) isNotice() {}
func (Exited) isNotice()     {}
func (Leaving) isNotice()    {}
func (Failed) isNotice()     {}
