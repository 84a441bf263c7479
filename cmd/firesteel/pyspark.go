package main

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/session"
)

// pysparkStartup is what the interpreter runs before the user's first line.
//
//go:embed pyspark_startup.py
var pysparkStartup []byte

// runPySpark is the user's Python as a shell, with a session of this process in the variable spark.
func runPySpark(ctx context.Context, args []string) error {
	f := newFlags("pyspark", "[flags]")
	var app appFlags
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return usageError{errors.New("pyspark runs no programs: firesteel submit does")}
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if err := clientOnly(o, "Spark shells"); err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = "PySparkShell"
	}
	dir, err := os.MkdirTemp("", "firesteel-pyspark-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	startup := filepath.Join(dir, "startup.py")
	if err := os.WriteFile(startup, pysparkStartup, 0o600); err != nil {
		return err
	}
	env := []string{"OLD_PYTHONSTARTUP=" + os.Getenv("PYTHONSTARTUP"), "PYTHONSTARTUP=" + startup, "FIRESTEEL_VERSION=" + session.Version,
		"FIRESTEEL_MASTER=" + o.MasterOr()}
	// An interrupt is for the interpreter: it stops what it does, and the session goes on.
	return app.withServer(context.WithoutCancel(ctx), o, func(remote string) error {
		return pythonChild(remote, o.Conf["spark.submit.pyFiles"], interactive(), env...)
	})
}

// interactive are the arguments that make the interpreter a shell, also where standard input is not a terminal, and what
// PYSPARK_DRIVER_PYTHON_OPTS adds.
func interactive() []string {
	out := strings.Fields(os.Getenv("PYSPARK_DRIVER_PYTHON_OPTS"))
	if strings.HasPrefix(filepath.Base(python()), "python") {
		out = append(out, "-i")
	}
	return out
}
