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
	// A Ctrl-C is a character while the editor has the terminal, and a signal at all other times.
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	rl := r.editor()
	var line <-chan input
	for times := 0; ; {
		if line == nil {
			line = readLine(rl)
		}
		var in input
		select {
		case <-ctx.Done():
			return nil
		case <-interrupts:
			in.err = readline.ErrInterrupt
		case in = <-line:
			line = nil
		}
		switch {
		case errors.Is(in.err, io.EOF):
			return nil
		case errors.Is(in.err, readline.ErrInterrupt):
			if times++; times == 2 {
				return errLeft
			}
			fmt.Fprintln(os.Stderr, "Ctrl-C again leaves, and so does Ctrl-D.")
		case in.err != nil:
			return in.err
		default:
			times = 0
			if quit, err := r.interruptible(ctx, in.text, interrupts); quit || err != nil {
				return err
			}
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

// input is what was typed.
type input struct {
	text string
	err  error
}

// readLine reads from the terminal once.
func readLine(rl *readline.Shell) <-chan input {
	got := make(chan input, 1)
	go func() {
		text, err := rl.Readline()
		got <- input{text, err}
	}()
	return got
}

// interruptible runs a text that Ctrl-C ends, without ending the shell. What does not end after the second Ctrl-C is left
// behind with the process.
func (r *repl) interruptible(ctx context.Context, text string, interrupts <-chan os.Signal) (quit bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
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
