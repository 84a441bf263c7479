package spark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/yarn"
	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/rdd"
	"github.com/firesteel/firesteel/internal/wire"
)

var initialised atomic.Bool

// ErrNotInitialised says that a program asked for executors, but does not become one when it is started as an executor.
var ErrNotInitialised = errors.New("spark: executors run this program: its main must begin with spark.Main or spark.Init")

// Init makes this process an executor (or YARN's application master of a driver elsewhere), if a cluster manager started it as
// one, and ends it with the executor's work. Otherwise it returns. It is the first statement of main (or of TestMain) of a program that runs on clusters.
func Init() {
	if os.Getenv(cluster.ExecutorEnv) != "1" {
		initialised.Store(true)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	if len(os.Args) > 1 && os.Args[1] == yarn.MasterCommand {
		err := yarn.ApplicationMaster(ctx, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		end(err, stop)
	}
	kinds := map[string]executor.Kind{wire.PlanWork: executor.PlanKind, wire.FunctionWork: rdd.Kind}
	err := executor.Main(ctx, os.Args[1:], kinds) // it logs why it ends
	end(err, stop)
}

func end(err error, stop func()) {
	stop()
	os.Exit(executor.Status(err))
}

// Main is the main of a program that runs on clusters: Init, then run until it returns or the process is told to end
// (SIGINT, SIGTERM), which ends run's context. An error is printed, and ends the process with status 1.
func Main(run func(ctx context.Context) error) {
	Init()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// mayStart refuses executors to programs that cannot be executors.
func mayStart(master string) error {
	if master == "" {
		return nil
	}
	m, err := cluster.ParseMaster(master)
	if err != nil {
		return err
	}
	if m.Kind != cluster.Local && !initialised.Load() {
		return ErrNotInitialised
	}
	return nil
}
