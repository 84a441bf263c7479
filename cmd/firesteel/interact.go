package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/reeflective/readline"
	"golang.org/x/term"
)

// repl is a shell on a terminal: it reads what may span lines, keeps it in a history file, and runs it. Ctrl-C stops what runs;
// a second one, or two at the prompt, leave, as Ctrl-D does.
type repl struct {
	prompt, more string
	history      string                 // name of the file in the home folder
	complete     func(text string) bool // whether a text can be run
	// run does what was typed. quit ends the shell, and so does an exitCode.
	run func(ctx context.Context, text string) (quit bool, err error)
}

// leaveWait is how long what runs may take to end after the second Ctrl-C.
const leaveWait = 5 * time.Second

// errLeft is how a shell ends that was left by Ctrl-C.
const errLeft = exitCode(130)

func (r *repl) interact(ctx context.Context) error {
	ended := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ended = append(ended, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), ended...)
	defer stop()
	if state, err := term.GetState(int(os.Stdin.Fd())); err == nil {
		defer term.Restore(int(os.Stdin.Fd()), state) // the editor may be in the middle of a line
	}
	rl := r.editor()
	for interrupts := 0; ; {
		text, err := readLine(ctx, rl)
		switch {
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			return nil
		case errors.Is(err, readline.ErrInterrupt):
			if interrupts++; interrupts == 2 {
				return errLeft
			}
			fmt.Fprintln(os.Stderr, "Ctrl-C again leaves, and so does Ctrl-D.")
			continue
		case err != nil:
			return err
		}
		interrupts = 0
		if quit, err := r.interruptible(ctx, text); quit || err != nil {
			return err
		}
	}
}

func (r *repl) editor() *readline.Shell {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return r.prompt })
	rl.Prompt.Secondary(func() string { return r.more })
	rl.AcceptMultiline = func(line []rune) bool { return r.complete(string(line)) }
	if home, err := os.UserHomeDir(); err == nil {
		rl.History.AddFromFile("statements", filepath.Join(home, r.history))
	}
	return rl
}

// readLine reads from the terminal until ctx ends.
func readLine(ctx context.Context, rl *readline.Shell) (string, error) {
	type input struct {
		text string
		err  error
	}
	got := make(chan input, 1)
	go func() {
		text, err := rl.Readline()
		got <- input{text, err}
	}()
	select {
	case in := <-got:
		return in.text, in.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// interruptible runs a text that Ctrl-C ends, without ending the shell. What does not end after the second Ctrl-C is left
// behind with the process.
func (r *repl) interruptible(ctx context.Context, text string) (quit bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	done := make(chan struct{})
	go func() {
		defer close(done)
		quit, err = r.run(inner, text)
	}()
	for left := false; ; {
		select {
		case <-done:
			switch {
			case left:
				return true, errLeft
			case inner.Err() != nil:
				fmt.Fprintln(os.Stderr, "The query was interrupted.")
			case errors.As(err, new(exitCode)):
				return true, err
			case err != nil:
				fmt.Fprintln(os.Stderr, err)
			}
			return quit, nil
		case <-interrupts:
			if left = inner.Err() != nil; left {
				time.AfterFunc(leaveWait, func() { os.Exit(int(errLeft)) })
			}
			cancel()
		}
	}
}
