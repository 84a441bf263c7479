package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/child"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/secure"
)

// Arguments are those of the command executor, as cluster.App.Arguments makes them.
type Arguments struct {
	Driver string // host:port
	App    event.AppID
	ID     event.ExecutorID
	Host   string // by which others reach this machine
	Bind   string // address to listen on; "" is Host
	Cores  int
	Memory int64
	Folder string // of the application's files; "": that in which the process runs
	Secret string
	TLS    *secure.TLS // nil: connections are not secured
}

// ParseArguments reads flags; the word executor may stand before them. The secret is taken out of the environment.
func ParseArguments(args []string) (*Arguments, error) {
	a := &Arguments{Cores: 1, Host: "127.0.0.1", Memory: 1 << 30, Secret: os.Getenv(cluster.SecretEnv)}
	if err := os.Unsetenv(cluster.SecretEnv); err != nil {
		return nil, err
	}
	if a.Secret == "" { // on YARN it is among the container's credentials
		var err error
		if a.Secret, err = hadoop.LoadSecret(); err != nil {
			return nil, err
		}
	}
	var err error
	if a.TLS, err = secure.FromEnv(a.Secret); err != nil {
		return nil, err
	}
	if len(args) > 0 && args[0] == "executor" {
		args = args[1:]
	}
	for len(args) > 0 {
		name, value, ok := strings.Cut(args[0], "=")
		if args = args[1:]; !ok {
			if len(args) == 0 {
				return nil, fmt.Errorf("executor: %s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		if err := a.set(name, value); err != nil {
			return nil, err
		}
	}
	if a.Bind == "" {
		a.Bind = a.Host
	}
	if a.Driver == "" || a.App == "" || a.ID == "" {
		return nil, errors.New("executor: --driver-url, --app-id and --executor-id are needed; cluster managers start executors, people do not")
	}
	return a, nil
}

func (a *Arguments) set(name, value string) (err error) {
	switch name {
	case "--driver-url":
		a.Driver = value
	case "--app-id":
		a.App = event.AppID(value)
	case "--executor-id":
		a.ID = event.ExecutorID(value)
	case "--host":
		a.Host = value
	case "--bind-address":
		a.Bind = value
	case "--cores":
		a.Cores, err = strconv.Atoi(value)
	case "--memory":
		a.Memory, err = strconv.ParseInt(value, 10, 64)
	default:
		return fmt.Errorf("executor: there is no flag %s", name)
	}
	if err != nil || a.Cores < 1 || a.Memory < 1 {
		return fmt.Errorf("executor: %s %s is no positive number", name, value)
	}
	return nil
}

// Main is an executor from its arguments (cluster.App.Arguments) to its end: it returns nil when the driver let it go, or
// ctx ended and all was reported, and an error when it could not register or lost its driver. The process should exit with
// status 1 then. kinds are the kinds of work that it can do, by their names.
func Main(ctx context.Context, args []string, kinds map[string]Kind) error {
	child.FollowParent()
	a, err := ParseArguments(args)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("executor", a.ID)
	err = Run(ctx, a, kinds, log)
	if err != nil && !errors.Is(err, ErrTerminated) {
		log.Error("executor ends", "reason", err)
	}
	return err
}

// Status is the exit status of an executor: cluster managers tell by it that a signal ended it, and not what it ran.
func Status(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrTerminated):
		return 128 + int(syscall.SIGTERM)
	}
	return 1
}

// budget is the part of the process's memory that is accounted for; the rest is left to what is not: batches in flight,
// plans, the runtime itself. The runtime gets the whole as its limit.
func budget(total int64) int64 { return memory.LimitProcess(memory.Capped(total)) }

// dialLimit is how long an executor tries to reach its driver.
const dialLimit = 30 * time.Second
