package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/mesos"
	"github.com/firesteel/firesteel/internal/cluster/submission"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/session"
)

// runMesosDispatcher runs drivers on a Mesos cluster for those who submit them, until it is interrupted.
func runMesosDispatcher(ctx context.Context, args []string) error {
	f := newFlags("mesos-dispatcher", "--master mesos://HOST:PORT [--host H] [--port P] [flags]")
	var d daemonFlags
	f.StringVarP(&d.host, "host", "h", envOr("SPARK_MESOS_DISPATCHER_HOST", "127.0.0.1"), "address to listen on")
	f.IntVarP(&d.port, "port", "p", envInt("SPARK_MESOS_DISPATCHER_PORT", 7077), "port to listen on; 0 is any free one")
	f.StringVar(&d.propertiesFile, "properties-file", "", "file of settings (default $SPARK_CONF_DIR/spark-defaults.conf)")
	f.BoolVar(&d.open, "allow-unauthenticated", false, "listen on addresses of the network: whoever reaches the port may run programs")
	url := f.StringP("master", "m", "", "the cluster, mesos://HOST:PORT")
	name := f.String("name", "Spark Cluster", "name of the framework")
	if err := f.parse(args); err != nil {
		return err
	}
	master, err := cluster.ParseMaster(*url)
	if err != nil || master.Kind != cluster.Mesos {
		return usageError{errors.New("mesos-dispatcher needs --master mesos://HOST:PORT")}
	}
	v, err := d.settings()
	if err != nil {
		return err
	}
	recovery, err := recoveryFolder(v)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	slog.SetDefault(daemonLog())
	log, err := audit.Open(v, "")
	if err != nil {
		return err
	}
	defer log.Close()
	m, err := mesos.StartDispatcher(ctx, mesos.DispatcherOptions{Audit: log, Master: master.Target, Host: d.host, Port: d.port, AllowOpen: d.open, Recovery: recovery,
		Binary: self, Name: *name, User: cluster.UserName(), Conf: v.All()})
	if err != nil {
		return fmt.Errorf("firesteel mesos-dispatcher: %w", err)
	}
	fmt.Fprintf(os.Stderr, "Firesteel %s: dispatcher at mesos://%s for %s\n", session.Version, m.Addr(), *url)
	select {
	case <-ctx.Done():
	case <-m.Done():
	}
	return m.Close()
}

// submitMesos hands an application to a dispatcher. Agents fetch its files: they must reach them.
func submitMesos(ctx context.Context, master cluster.Master, o session.Options, argv []string) error {
	settings := map[string]string{}
	for k, s := range o.Conf {
		settings[k] = s
	}
	resource, err := reachableFile(argv[0])
	if err != nil {
		return fmt.Errorf("firesteel submit: cannot read the application: %w", err)
	}
	for _, key := range files.Keys {
		if settings[key] == "" {
			continue
		}
		if settings[key], err = files.Rewrite(settings[key], reachableFile); err != nil {
			return fmt.Errorf("firesteel submit: %s: %w", key, err)
		}
	}
	env := map[string]string{"PYSPARK_PYTHON": pythonPath()}
	for _, kv := range os.Environ() {
		if k, s, _ := strings.Cut(kv, "="); strings.HasPrefix(k, "SPARK_") || strings.HasPrefix(k, "PYSPARK_") {
			env[k] = s
		}
	}
	r, err := submission.Client{Address: master.Target}.Create(ctx, submission.Request{AppResource: resource, AppArgs: append([]string{}, argv[1:]...),
		SparkProperties: settings, EnvironmentVariables: env})
	if err != nil {
		return fmt.Errorf("firesteel submit: %w", err)
	}
	if !r.OK {
		return fmt.Errorf("firesteel submit: the dispatcher refused the application: %s", r.Message)
	}
	fmt.Fprintf(os.Stderr, "Driver successfully submitted as %s\n", r.ID)
	return tellMesos(ctx, master, r.ID, "")
}

// reachableFile makes the path of a file of this machine absolute; addresses stay as they are.
func reachableFile(name string) (string, error) {
	if scheme, _, ok := strings.Cut(name, ":"); ok && len(scheme) > 1 && scheme != "file" {
		return name, nil
	}
	path, err := filepath.Abs(strings.TrimPrefix(strings.TrimPrefix(name, "file://"), "file:"))
	if err != nil {
		return "", err
	}
	_, err = os.Stat(path)
	return path, err
}

// tellMesos shows the state of a driver, or ends it.
func tellMesos(ctx context.Context, master cluster.Master, status, kill string) error {
	c := submission.Client{Address: master.Target}
	if kill != "" {
		r, err := c.Kill(ctx, kill)
		if err == nil && !r.OK {
			err = errors.New(r.Message)
		}
		if err == nil {
			fmt.Println(r.Message)
		}
		return err
	}
	d, err := c.Status(ctx, status)
	if err != nil {
		return err
	}
	if !d.Found {
		return fmt.Errorf("the dispatcher does not know %s", status)
	}
	fmt.Printf("State of %s is %s\n", status, d.State)
	if d.State == "RUNNING" {
		fmt.Printf("Driver running on %s (%s)\n", d.Place, d.Worker)
	}
	if d.Message != "" {
		fmt.Println(d.Message)
	}
	return nil
}
