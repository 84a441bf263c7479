package main

import (
	"context"

	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/rdd"
	"github.com/firesteel/firesteel/internal/wire"
)

// runExecutor is an executor of an application, as cluster managers start it. It tells on stderr why it ended.
func runExecutor(ctx context.Context, args []string) error {
	err := executor.Main(ctx, args, map[string]executor.Kind{wire.PlanWork: executor.PlanKind, wire.FunctionWork: rdd.Kind})
	if err != nil {
		return exitCode(executor.Status(err))
	}
	return nil
}
