package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/kubernetes"
	"github.com/firesteel/firesteel/internal/cluster/submission"
	"github.com/firesteel/firesteel/internal/cluster/yarn"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// runLogs prints the logs of an application.
func runLogs(ctx context.Context, args []string) error {
	f := newFlags("logs", "[flags] ID")
	var app appFlags
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError{errors.New("logs takes the id of one application or driver")}
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if strings.HasPrefix(f.Arg(0), "application_") {
		return yarn.Logs(ctx, o.Conf, f.Arg(0), os.Stdout)
	}
	master, err := cluster.ParseMaster(o.MasterOr())
	if err != nil {
		return err
	}
	return logsOf(ctx, master, o, f.Arg(0))
}

// logsOf prints what a driver has written: what went to its standard error is printed there.
func logsOf(ctx context.Context, master cluster.Master, o session.Options, id string) error {
	var read func(stream string, out io.Writer) error
	switch master.Kind {
	case cluster.Kubernetes:
		return kubernetes.Logs(ctx, master.Target, o.Conf, id, os.Stdout)
	case cluster.Standalone:
		c, err := standaloneClient(ctx, master, o)
		if err != nil {
			return err
		}
		defer c.Close()
		read = func(stream string, out io.Writer) error { return c.Log(ctx, id, stream, out) }
	case cluster.Mesos:
		c := submission.Client{Address: master.Target}
		read = func(stream string, out io.Writer) error { return c.Log(ctx, id, stream, out) }
	default:
		return sparkerr.Unsupported("logs of " + id + " at " + master.URL)
	}
	return errors.Join(read("stdout", os.Stdout), read("stderr", os.Stderr))
}
