package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/kubernetes"
	"github.com/firesteel/firesteel/internal/cluster/yarn"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// runLogs prints the logs of an application.
func runLogs(ctx context.Context, args []string) error {
	f := newFlags("logs", "[flags] APPLICATION_ID")
	var app appFlags
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError{errors.New("logs takes the id of one application")}
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if master, err := cluster.ParseMaster(o.MasterOr()); err == nil && master.Kind == cluster.Kubernetes {
		return kubernetes.Logs(ctx, master.Target, o.Conf, f.Arg(0), os.Stdout)
	}
	if !strings.HasPrefix(f.Arg(0), "application_") {
		return sparkerr.Unsupported("logs of " + f.Arg(0) + ", which is no application on YARN")
	}
	return yarn.Logs(ctx, o.Conf, f.Arg(0), os.Stdout)
}
