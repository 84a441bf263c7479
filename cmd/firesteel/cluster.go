package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/kubernetes"
	"github.com/firesteel/firesteel/internal/cluster/yarn"
	"github.com/firesteel/firesteel/internal/session"
)

// submitCluster starts an application whose driver runs on the cluster.
func submitCluster(ctx context.Context, o session.Options, argv []string) error {
	master, err := cluster.ParseMaster(o.MasterOr())
	if err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = filepath.Base(argv[0])
	}
	o.Conf["spark.app.name"] = o.Name
	switch master.Kind {
	case cluster.Kubernetes:
		err = kubernetes.Submit(ctx, kubernetes.Submission{Target: master.Target, Conf: o.Conf, Resource: argv[0], Args: argv[1:], User: cluster.UserName()}, os.Stderr)
		if failed := (*kubernetes.ExitError)(nil); errors.As(err, &failed) {
			fmt.Fprintln(os.Stderr, failed)
			return exitCode(max(1, failed.Code))
		}
		return err
	case cluster.Standalone:
		return submitStandalone(ctx, master, o, argv)
	case cluster.YARN:
		return submitYARN(ctx, o, argv)
	case cluster.Mesos:
		return submitMesos(ctx, master, o, argv)
	case cluster.Local, cluster.LocalCluster:
		return errors.New("firesteel submit: Cluster deploy mode is not applicable to master \"local\"")
	}
	return master.Unsupported()
}

// tellSubmission shows the state of a submission, or ends it.
func tellSubmission(ctx context.Context, o session.Options, status, kill string) error {
	master, err := cluster.ParseMaster(o.MasterOr())
	if err != nil {
		return err
	}
	switch {
	case master.Kind == cluster.Kubernetes && kill != "":
		return kubernetes.Kill(ctx, master.Target, o.Conf, kill, os.Stdout)
	case master.Kind == cluster.Local || master.Kind == cluster.LocalCluster:
		return fmt.Errorf("firesteel submit: master %q keeps no submissions: --status and --kill ask the master of a cluster", master.URL)
	case master.Kind == cluster.Standalone:
		return tellStandalone(ctx, master, o, status, kill)
	case master.Kind == cluster.Mesos:
		return tellMesos(ctx, master, status, kill)
	case master.Kind == cluster.YARN && kill != "":
		return yarn.Kill(ctx, o.Conf, kill, os.Stdout)
	case master.Kind == cluster.YARN:
		return yarn.Status(ctx, o.Conf, status, os.Stdout)
	case master.Kind == cluster.Kubernetes:
		return kubernetes.Status(ctx, master.Target, o.Conf, status, os.Stdout)
	}
	return master.Unsupported()
}

// submitYARN starts an application whose driver is this program in a container of YARN.
func submitYARN(ctx context.Context, o session.Options, argv []string) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	err = yarn.Submit(ctx, yarn.Submission{Conf: o.Conf, Binary: binary, Program: argv[0], Args: argv[1:]}, os.Stderr)
	if failed := (*yarn.EndedError)(nil); errors.As(err, &failed) {
		fmt.Fprintln(os.Stderr, failed)
		return exitCode(1)
	}
	return err
}

// runYARNMaster is the application master of an application on YARN, as YARN starts it. In cluster mode it starts the driver,
// which is this program too.
func runYARNMaster(ctx context.Context, _ []string) error {
	return yarn.ApplicationMaster(ctx, func(program, properties string, args []string) []string {
		return append([]string{"submit", "--properties-file", properties, program}, args...)
	})
}
