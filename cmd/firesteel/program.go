package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
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

// runProgram becomes a Go program, so that signals reach it and it does not outlive this process; one that somebody must tidy up
// after is a child. The program is the driver; it finds its settings in the variable spark.SubmitSettings.
func runProgram(o session.Options, argv []string, child bool) error {
	settings := maps.Clone(o.Conf)
	if o.Master != "" {
		settings["spark.master"] = o.Master
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	name, err := filepath.Abs(argv[0]) // a file, and no command of the path
	if err != nil {
		return err
	}
	env := append(os.Environ(), spark.SubmitSettings+"="+string(text))
	if child {
		cmd := exec.Command(name, argv[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, env
		return attend(cmd)
	}
	err = syscall.Exec(name, append([]string{name}, argv[1:]...), env)
	return fmt.Errorf("firesteel submit: %s: %w", argv[0], err)
}

// attend runs a child to its end. An interrupt reaches it by the terminal, and other signals from here: it decides what to
// do, and this process ends after it. Should this process be killed, the child is told to end, where the system can do that.
func attend(cmd *exec.Cmd) error {
	runtime.LockOSThread() // the child's end is tied to this thread's
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = endsWithParent()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endings()...)
	defer close(signals)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("firesteel: the program cannot be started: %w", err)
	}
	go func() {
		for s := range signals {
			if s != os.Interrupt {
				_ = cmd.Process.Signal(s) // it may have ended already
			}
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitCode(statusOf(exit.ProcessState))
	}
	return err
}

// statusOf is the exit status of a process, as shells tell it: 128 and the number of the signal that ended it.
func statusOf(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
