package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/progress"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// sqlShell runs statements of one session and prints their rows.
type sqlShell struct {
	s      *session.Session
	out    io.Writer
	format string // table, tsv
	timing bool
	limit  int // rows that a table shows; 0: all
}

func runSQL(ctx context.Context, args []string) (result error) {
	f := newFlags("sql", "[-e SQL | -f FILE] [flags]")
	var app appFlags
	text := f.StringP("execute", "e", "", "run these statements and end")
	file := f.StringP("file", "f", "", "run the statements of this file and end")
	database := f.String("database", "", "database to start in")
	format := f.String("format", "", "how rows are printed: table or tsv (default table; tsv under the name spark-sql)")
	timing := f.Bool("timing", true, "print how long each statement took (to the terminal, never to standard output)")
	silent := f.BoolP("silent", "S", false, "no timing, no greeting")
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	o, err := app.options()
	if err != nil {
		return err
	}
	if err := clientOnly(o, "the Spark SQL shell"); err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = "firesteel sql"
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
	defer a.Close(context.WithoutCancel(ctx))
	defer showProgress(ctx, a, o, !*silent)()
	sh := &sqlShell{s: a.NewSession(), out: os.Stdout, format: *format, timing: *timing && !*silent}
	if sh.format == "" {
		sh.format = "table"
		if filepath.Base(os.Args[0]) == "spark-sql" {
			sh.format = "tsv"
		}
	}
	if *database != "" {
		if err := sh.run(ctx, "USE "+types.Quote(*database)); err != nil {
			return err
		}
	}
	switch {
	case *text != "":
		return sh.script(ctx, *text)
	case *file != "":
		b, err := os.ReadFile(*file)
		if err != nil {
			return err
		}
		return sh.script(ctx, string(b))
	case !term.IsTerminal(int(os.Stdin.Fd())):
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return sh.script(ctx, string(b))
	}
	return sh.interact(ctx, !*silent)
}

// showProgress draws Spark's progress bar on a terminal's standard error while stages run longer than a moment, as
// spark.ui.showConsoleProgress says, or else by default. A log that tells each task leaves no room for it. The function that
// is returned ends it.
func showProgress(ctx context.Context, a *session.App, o session.Options, byDefault bool) func() {
	fd, on := int(os.Stderr.Fd()), byDefault
	if _, given := a.Conf.Given("spark.ui.showConsoleProgress"); given {
		on = a.Conf.Bool("spark.ui.showConsoleProgress")
	}
	if !on || !term.IsTerminal(fd) || o.Log.Enabled(ctx, slog.LevelInfo) {
		return func() {}
	}
	width, _, err := term.GetSize(fd)
	if err != nil {
		width = 80
	}
	bar := progress.New(os.Stderr, width)
	sub := a.Bus().Subscribe(bar.Listen)
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		bar.Run(ctx)
	}()
	return func() {
		sub.Close()
		stop()
		<-done
	}
}

// script runs statements until one fails.
func (sh *sqlShell) script(ctx context.Context, text string) error {
	for _, stmt := range sqlparser.SplitStatements(text) {
		if err := sh.run(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

// run executes one statement and prints its rows.
func (sh *sqlShell) run(ctx context.Context, stmt string) error {
	start := time.Now()
	p := &printer{sh: sh}
	if err := sh.s.SQL(ctx, stmt, p.begin, p.batch); err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	if sh.timing {
		fmt.Fprintf(os.Stderr, "Time taken: %.3f seconds, Fetched %d row(s)\n", time.Since(start).Seconds(), p.rows)
	}
	return nil
}

// printer prints the rows of one result. A table needs all rows it shows before the first line; tsv prints as they come.
type printer struct {
	sh     *sqlShell
	schema *types.Schema
	format *show.Format
	kept   []*columnar.Batch
	rows   int
}

func (p *printer) begin(s *types.Schema) error {
	p.schema = s
	loc, _ := types.Zone(p.sh.s.Conf().Values().String("spark.sql.session.timeZone"))
	p.format = &show.Format{Zone: loc}
	return nil
}

// tableRows is how many rows a printed table has at most.
const tableRows = 10_000

func (p *printer) batch(b *columnar.Batch) error {
	first := p.rows
	p.rows += b.N
	if p.sh.format != "tsv" {
		if first < tableRows {
			p.kept = append(p.kept, b.Clone())
		}
		return nil
	}
	var line strings.Builder
	for i := range b.N {
		for c := range b.Cols {
			if c > 0 {
				line.WriteByte('\t')
			}
			if b.Cols[c].Null(i) {
				line.WriteString("NULL")
			} else {
				line.WriteString(p.format.Cell(&b.Cols[c], i))
			}
		}
		line.WriteByte('\n')
	}
	_, err := io.WriteString(p.sh.out, line.String())
	return err
}

func (p *printer) end() error {
	if p.sh.format == "tsv" || p.schema == nil || len(p.schema.Fields) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(p.sh.out, strings.TrimRight(p.format.Text(p.schema.Names(), p.kept, show.Options{Rows: tableRows}), "\n"))
	return err
}

// interact reads statements from the terminal: they end with a semicolon.
func (sh *sqlShell) interact(ctx context.Context, greet bool) error {
	if greet {
		fmt.Fprintf(os.Stderr, "Firesteel %s (Spark %s semantics). Statements end with ';'. Ctrl-D or 'quit;' ends, Ctrl-C stops a query.\n", session.Version, session.SparkVersion)
	}
	r := &repl{prompt: "firesteel> ", more: "         > ", history: ".firesteel_history", complete: completeSQL, run: sh.typed}
	return r.interact(ctx)
}

// completeSQL says whether a text that is being typed ends with a semicolon or is empty.
func completeSQL(text string) bool {
	t := strings.TrimSpace(text)
	return t == "" || strings.HasSuffix(t, ";") || t == "quit" || t == "exit"
}

// typed runs statements one after the other until one fails.
func (sh *sqlShell) typed(ctx context.Context, text string) (quit bool, err error) {
	for _, stmt := range sqlparser.SplitStatements(text) {
		if word := strings.ToLower(strings.TrimSpace(stmt)); word == "quit" || word == "exit" {
			return true, nil
		}
		if err := sh.run(ctx, stmt); err != nil {
			return false, err
		}
	}
	return false, nil
}
