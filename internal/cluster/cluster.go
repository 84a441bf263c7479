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
//   - Each executor is started in a folder of its own, in which it may write.
//   - Start is called once, before all other methods. notify may be called from any goroutine
//     until Stop has returned; it does not block.
//   - Scale and Kill return when the request is made, not when it is fulfilled.
//   - Kill ends executors for good and does not lower the level.
//   - Stop releases everything that Start and Scale took, also after a failed Start, and may be
//     called twice.
package cluster

import (
	"context"
	"maps"
	"strconv"
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

// Preparer is what a manager implements as well that knows something of the application before it is started. Prepare comes
// before Start then, and Stop after it in any case.
type Preparer interface {
	Prepare(ctx context.Context) (Prepared, error)
}

// Inquirer is what a manager implements as well that does not hear at once of executors' ends. Inquire says that the driver
// lost the connection to an executor and waits for the reason; it does not block.
type Inquirer interface {
	Inquire(id event.ExecutorID)
}

// Prepared is what a manager knows before it is started.
type Prepared struct {
	ID event.AppID // by which the cluster knows the application; "": it has no name of its own for it
	// Attempt numbers the attempts at running the application in cluster mode; "": the cluster makes one only.
	Attempt string
	Host    string // at which the cluster reaches this machine; "": it does not know
	// Carries says that the cluster brings the files and archives that settings name, and the user's tokens, to executors itself.
	Carries bool
}

// App is what a manager must know about the application.
type App struct {
	ID        event.AppID
	Name      string
	User      string
	DriverURL string // host:port at which executors register
	UI        string // URL of the application's pages; "": it has none
	// Secret that executors must know (spark.authenticate); empty: none. It travels in the variable SecretEnv, never on a
	// command line, and is not logged.
	Secret   string
	Executor Executor
	Conf     map[string]string // the spark.* settings that were given
}

// SecretEnv is the environment variable that carries an application's secret to its processes.
const SecretEnv = "_FIRESTEEL_SECRET"

// ExecutorEnv is set to 1 for executors: an application's own binary becomes an executor by it, at the beginning of main.
const ExecutorEnv = "_FIRESTEEL_EXECUTOR"

// Executor is what each executor gets.
type Executor struct {
	Cores  int   // task slots; 0: as the manager likes (all of a worker's)
	Memory int64 // bytes, without overhead
	// Overhead is what a container gets above Memory.
	Overhead int64
	// Binary is the program that executors run, a file on the driver's machine: firesteel itself, or the binary of a Go
	// application. Managers ship it where executors do not see the same files.
	Binary string
	Env    map[string]string // spark.executorEnv.*
}

// Arguments are the arguments (after the binary) of executor id on a host with so many cores. The same for all managers.
func (a *App) Arguments(id event.ExecutorID, host string, cores int) []string {
	return []string{"executor", "--driver-url", a.DriverURL, "--app-id", string(a.ID), "--executor-id", string(id),
		"--host", host, "--cores", strconv.Itoa(cores), "--memory", strconv.FormatInt(a.Executor.Memory, 10)}
}

// Environment are the variables that every executor needs besides those of its machine.
func (a *App) Environment() map[string]string {
	env := maps.Clone(a.Executor.Env)
	if env == nil {
		env = map[string]string{}
	}
	env[ExecutorEnv] = "1"
	if a.User != "" {
		env["SPARK_USER"] = a.User // as whom executors go to file systems, whoever runs them
	}
	if a.Secret != "" {
		env[SecretEnv] = a.Secret
	}
	return env
}

// Private takes what others on the machine must not see out of the variables of Environment, for child.Spec.
func Private(env map[string]string) (open, private map[string]string) {
	open, private = maps.Clone(env), map[string]string{}
	if s, ok := open[SecretEnv]; ok {
		private[SecretEnv] = s
		delete(open, SecretEnv)
	}
	return open, private
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

// Launched says that the cluster granted an executor: where it was started, and with what. It is for people: an executor counts
// when it registers.
type Launched struct {
	ID     event.ExecutorID
	Host   string
	Where  string // worker, container or pod
	Cores  int
	Memory int64
}

// Exited says that an executor ended. PlatformFault: not because of what it ran (preemption,
// node loss, a requested kill). HostLost: its host is gone too. OutOfMemory: it took more than it was allowed.
type Exited struct {
	ID            event.ExecutorID
	Code          int // exit status; 128+n after signal n; -1 if unknown
	Reason        string
	PlatformFault bool
	HostLost      bool
	OutOfMemory   bool
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

// Credentials are the newest tokens with which executors prove themselves to file systems, in Hadoop's form.
type Credentials struct{ Data []byte }

func (Credentials) isNotice() {}
func (Registered) isNotice()  {}
func (Launched) isNotice()    {}
func (Exited) isNotice()      {}
func (Leaving) isNotice()     {}
func (Failed) isNotice()      {}
