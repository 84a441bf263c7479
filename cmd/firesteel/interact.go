package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/reeflective/readline"

	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/sqlparser"
)

// interact reads statements from the terminal: they end with a semicolon, may span lines, and stay in a history file.
func (sh *sqlShell) interact(ctx context.Context, greet bool) error {
	if greet {
		fmt.Fprintf(os.Stderr, "Firesteel %s (Spark %s semantics). Statements end with ';'. Ctrl-D or 'quit;' ends, Ctrl-C stops a query.\n", session.Version, session.SparkVersion)
	}
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return "firesteel> " })
	rl.Prompt.Secondary(func() string { return "         > " })
	rl.AcceptMultiline = func(line []rune) bool { return complete(string(line)) }
	if home, err := os.UserHomeDir(); err == nil {
		rl.History.AddFromFile("statements", filepath.Join(home, ".firesteel_history"))
	}
	for {
		line, err := rl.Readline()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, readline.ErrInterrupt):
			continue
		case err != nil:
			return err
		}
		for _, stmt := range sqlparser.SplitStatements(line) {
			if word := strings.ToLower(strings.TrimSpace(stmt)); word == "quit" || word == "exit" {
				return nil
			}
			sh.interruptible(ctx, stmt)
		}
	}
}

// complete says whether a text that is being typed ends with a semicolon or is empty.
func complete(text string) bool {
	t := strings.TrimSpace(text)
	return t == "" || strings.HasSuffix(t, ";") || t == "quit" || t == "exit"
}

// interruptible runs a statement that Ctrl-C ends, without ending the shell.
func (sh *sqlShell) interruptible(ctx context.Context, stmt string) {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt)
	defer stop()
	if err := sh.run(ctx, stmt); err != nil {
		failure(err)
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "The query was interrupted.")
		}
	}
}
