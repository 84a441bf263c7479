package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/session"
)

// runSubmit runs an application: a Python program as a child of this process, which is its driver.
func runSubmit(ctx context.Context, args []string) (result error) {
	f := newFlags("submit", "[flags] APP [ARG …]")
	f.SetInterspersed(false)
	var app appFlags
	app.register(f)
	pyFiles := f.String("py-files", "", "zip, egg or py files for the Python path, separated by commas")
	class := f.String("class", "", "main class of a JVM application (refused: there is no JVM)")
	files := f.String("files", "", "files for the driver and the executors, separated by commas")
	status := f.String("status", "", "show the state of the submission with this ID (cluster mode)")
	kill := f.String("kill", "", "end the submission with this ID (cluster mode)")
	supervise := f.Bool("supervise", false, "launch the driver again when it fails (cluster mode)")
	driverCores := f.String("driver-cores", "", "cores of the driver (cluster mode)")
	if err := f.parse(args); err != nil {
		return err
	}
	switch {
	case *class != "" || strings.HasSuffix(f.Arg(0), ".jar"):
		return errors.New("firesteel submit: JVM applications cannot run here; Python and Go programs and SQL can")
	case f.NArg() == 0 && *status == "" && *kill == "":
		return usageError{errors.New("submit needs an application")}
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if *supervise {
		o.Conf["spark.driver.supervise"] = "true"
	}
	for key, v := range map[string]string{"spark.submit.pyFiles": *pyFiles, "spark.files": *files, "spark.driver.cores": *driverCores} {
		if v != "" {
			o.Conf[key] = v
		}
	}
	*pyFiles = o.Conf["spark.submit.pyFiles"]
	switch {
	case *status != "" || *kill != "":
		return tellSubmission(ctx, o, *status, *kill)
	case o.Conf["spark.submit.deployMode"] == "cluster":
		return submitCluster(ctx, o, f.Args())
	}
	if o.Name == "" {
		o.Name = filepath.Base(f.Arg(0))
	}
	if isProgram(f.Arg(0)) {
		return runProgram(o, f.Args())
	}
	stop, err := app.startProfile()
	if err != nil {
		return err
	}
	defer func() { result = errors.Join(result, stop()) }()
	return withServer(ctx, o, func(remote string) error { return runPython(ctx, remote, *pyFiles, f.Args()) })
}

// runPython runs the program with the user's Python; SPARK_REMOTE makes its session one of this process.
func runPython(ctx context.Context, remote, pyFiles string, argv []string) error {
	if _, err := os.Stat(argv[0]); err != nil {
		return fmt.Errorf("firesteel submit: cannot read the application: %w", err)
	}
	return pythonChild(remote, pyFiles, argv)
}

// withServer runs f while an application with a Connect server on a free loopback port is up.
func withServer(ctx context.Context, o session.Options, f func(remote string) error) error {
	a, err := session.Start(ctx, o)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	srv, err := serve(a, "127.0.0.1", 0)
	if err != nil {
		return err
	}
	defer srv.Stop()
	return f("sc://" + srv.Addr())
}
