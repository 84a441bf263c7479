package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/session"
)

// runSubmit runs an application: a Python program as a child of this process, which is its driver.
func runSubmit(ctx context.Context, args []string) (result error) {
	f := newFlags("submit", "[flags] APP [ARG …]")
	f.SetInterspersed(false)
	var app appFlags
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	status, kill := app.value("status"), app.value("kill")
	if err := app.hasApplication(f.Arg(0)); status == "" && kill == "" && err != nil {
		return err
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	switch {
	case status != "" || kill != "":
		return audited(o, kill != "", func() error { return tellSubmission(ctx, o, status, kill) })
	case o.Conf["spark.submit.deployMode"] == "cluster":
		return audited(o, true, func() error { return submitCluster(ctx, o, f.Args()) })
	}
	files, argv, err := fetch(ctx, &o, f.Args())
	defer func() { result = errors.Join(result, files.remove()) }()
	if err != nil {
		return err
	}
	if err := present(argv[0], o.Conf); err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = filepath.Base(argv[0])
	}
	if isProgram(argv[0]) {
		return runProgram(o, argv, files.any())
	}
	stop, err := app.startProfile()
	if err != nil {
		return err
	}
	defer func() { result = errors.Join(result, stop()) }()
	return app.withServer(ctx, o, func(remote string) error { return pythonChild(remote, o.Conf["spark.submit.pyFiles"], argv) })
}

// audited does what changes a cluster, and writes it to the audit log.
func audited(o session.Options, changes bool, f func() error) error {
	if !changes {
		return f()
	}
	v := conf.NewValues(o.Conf)
	log, err := audit.Open(v, "")
	if err != nil {
		return err
	}
	defer log.Close()
	return log.Do(audit.Action{Name: "submit", User: audit.Me(), Statement: v.RedactedArgs(os.Args)}, f)
}

// hasApplication refuses what cannot be run here.
func (a *appFlags) hasApplication(name string) error {
	switch {
	case a.value("class") != "" || strings.HasSuffix(name, ".jar"):
		return errors.New("firesteel submit: JVM applications cannot run here; Python and Go programs and SQL can")
	case name == "":
		return usageError{errors.New("submit needs an application: a Python file or a Go program")}
	}
	return nil
}

// present says which file of the application is not there, before anything is started for it.
func present(application string, settings map[string]string) error {
	if _, err := os.Stat(application); err != nil {
		return fmt.Errorf("firesteel submit: cannot read the application: %w", err)
	}
	for _, flag := range []string{"files", "archives"} {
		for name := range strings.SplitSeq(settings["spark."+flag], ",") {
			if path, local := localPath(name); local && path != "" {
				if _, err := os.Stat(path); err != nil {
					return fmt.Errorf("firesteel submit: --%s: %w", flag, err)
				}
			}
		}
	}
	return nil
}

// localPath is the path of a file of this machine; others have a scheme.
func localPath(name string) (path string, local bool) {
	name, _, _ = strings.Cut(strings.TrimSpace(name), "#")
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return "/" + strings.TrimLeft(path, "/"), true
	}
	return name, !strings.Contains(name, "://") && !strings.HasPrefix(name, "local:")
}

// withServer runs f while an application with a Connect server on a free loopback port is up, or with the server of --remote.
func (a *appFlags) withServer(ctx context.Context, o session.Options, f func(remote string) error) error {
	if remote := a.value("remote"); remote != "" {
		return f(remote)
	}
	return serving(ctx, o, f)
}

// serving runs f while an application with a Connect server on a free loopback port is up.
func serving(ctx context.Context, o session.Options, f func(remote string) error) error {
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
	defer showProgress(ctx, a, o, false)()
	return f("sc://" + srv.Addr())
}
