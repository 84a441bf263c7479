package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/firesteel/firesteel/internal/goshell"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/spark"
)

// runShell is a shell for Go, with a session of this process in spark and its context in sc.
func runShell(ctx context.Context, args []string) (result error) {
	f := newFlags("shell", "[-e CODE] [-I FILE] [flags]")
	var app appFlags
	text := f.StringP("execute", "e", "", "run this and end")
	preload := f.StringArrayP("include", "I", nil, "run this file first; may be given many times")
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return usageError{fmt.Errorf("the shell runs no programs, such as %q: firesteel submit does", f.Arg(0))}
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if err := clientOnly(o, "Spark shells"); err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = "Spark shell"
	}
	stop, err := app.startProfile()
	if err != nil {
		return err
	}
	defer func() { result = errors.Join(result, stop()) }()
	a, err := session.Start(ctx, o)
	if err != nil {
		return err
	}
	s := spark.Over(a)
	defer s.Stop(context.WithoutCancel(ctx))
	defer showProgress(ctx, a, o, true)()
	sh, err := goshell.New(goshell.Config{Session: s, In: os.Stdin, Out: os.Stdout, Errors: os.Stderr})
	if err != nil {
		return err
	}
	return shellWork(ctx, sh, s, *preload, *text)
}

// shellWork runs what was given, or what is typed.
func shellWork(ctx context.Context, sh *goshell.Shell, s *spark.Session, preload []string, text string) error {
	for _, path := range preload {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := shellScript(ctx, sh, string(b)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if text != "" {
		return shellScript(ctx, sh, text)
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return shellScript(ctx, sh, string(b))
	}
	fmt.Fprintf(os.Stderr, "Firesteel %s (Spark %s semantics), a shell for Go. :help tells more, Ctrl-D or :quit ends, Ctrl-C stops what runs.\n"+
		"Spark context available as 'sc' (master = %s, app id = %s).\nSpark session available as 'spark'.\n",
		session.Version, session.SparkVersion, s.SparkContext().Master(), s.SparkContext().ApplicationID())
	r := &repl{prompt: "go> ", more: "  | ", history: ".firesteel_go_history",
		complete: func(text string) bool { return strings.HasPrefix(text, ":") || goshell.Complete(text) }}
	r.run = func(ctx context.Context, text string) (bool, error) { return shellLine(ctx, sh, text) }
	return r.interact(ctx)
}

const shellHelp = `Type Go: statements, declarations, or an expression, whose value is printed. A line that is not complete goes on.
  spark    package spark of compiled programs, with the session's methods: spark.SQL(ctx, "…"), spark.Range(0, 9), spark.Col("id")
  sc       the SparkContext: sc.TextFile("…")
  ctx      the context of what is typed; Ctrl-C ends it
  session  the session as a value
  functions, fmt, strings, strconv, math, time, … are imported
RDDs: spark.ReduceByKey(spark.Map(words, func(w string) (string, int) { return w, 1 }), func(a, b int) int { return a + b })
  :quit    leave`

// shellLine runs what was typed.
func shellLine(ctx context.Context, sh *goshell.Shell, text string) (quit bool, err error) {
	switch strings.TrimSpace(text) {
	case "":
		return false, nil
	case ":quit", ":q", ":exit", "exit", "quit":
		return true, nil
	case ":help", ":h", ":?":
		fmt.Fprintln(os.Stderr, shellHelp)
		return false, nil
	}
	if strings.HasPrefix(strings.TrimSpace(text), ":") {
		return false, fmt.Errorf("there is no command %s: :help and :quit are", strings.TrimSpace(text))
	}
	err = sh.Run(ctx, text)
	var exit *goshell.ExitError
	if errors.As(err, &exit) {
		return true, exitCode(exit.Code)
	}
	return false, err
}

// shellScript runs a text piece by piece until one fails.
func shellScript(ctx context.Context, sh *goshell.Shell, text string) error {
	piece := ""
	for line := range strings.Lines(text) {
		if piece += line; !goshell.Complete(piece) {
			continue
		}
		if quit, err := shellLine(ctx, sh, piece); quit || err != nil {
			return err
		}
		piece = ""
	}
	if strings.TrimSpace(piece) == "" {
		return nil
	}
	_, err := shellLine(ctx, sh, piece)
	return err
}
