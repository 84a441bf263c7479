package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/spark"
)

// isProgram says whether an application is a program of its own, such as one in Go, and not a script.
func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && !strings.HasSuffix(path, ".py")
}

// runProgram runs a Go program as a child of this process. The program is the driver; it finds its settings in the variable
// spark.SubmitSettings.
func runProgram(o session.Options, argv []string) error {
	settings := maps.Clone(o.Conf)
	if o.Master != "" {
		settings["spark.master"] = o.Master
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	if !strings.Contains(argv[0], "/") {
		cmd.Path, cmd.Err = "./"+argv[0], nil // a file, and no command of the path
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), spark.SubmitSettings+"="+string(text))
	return attend(cmd)
}

// attend runs a child to its end. An interrupt reaches it by the terminal, and other signals from here: it decides what to
// do, and this process ends after it.
func attend(cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer close(signals)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("firesteel submit: %w", err)
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // it may have ended already
			}
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitCode(max(1, exit.ExitCode()))
	}
	return err
}
