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
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/progress"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// sqlShell runs statements of one session and prints their rows.
type sqlShell struct {
	app     *session.App
	s       *session.Session
	out     io.Writer
	format  string // table, tsv
	timing  bool
	echo    bool // statements are printed before they are run
	sources int  // files that are being run by SOURCE
}

// sqlFlags are the flags that the SQL shell has and no other command.
type sqlFlags struct {
	text, file, database, format string
	timing, silent               bool
	inits, vars, hiveVars, confs []string
}

func (q *sqlFlags) register(f flags) {
	f.StringVarP(&q.text, "execute", "e", "", "run these statements and end")
	f.StringVarP(&q.file, "file", "f", "", "run the statements of this file and end")
	f.StringArrayVarP(&q.inits, "init", "i", nil, "run the statements of this file first; may be given many times")
	f.StringArrayVarP(&q.vars, "define", "d", nil, "NAME=VALUE of a variable, which statements write as ${NAME}; may be given many times")
	f.StringArrayVar(&q.hiveVars, "hivevar", nil, "the same as --define")
	f.StringArrayVar(&q.confs, "hiveconf", nil, "NAME=VALUE of a setting or variable; may be given many times")
	f.StringVar(&q.database, "database", "", "database to start in")
	f.StringVar(&q.format, "format", "", "how rows are printed: table or tsv (default table; tsv under the name spark-sql)")
	f.BoolVar(&q.timing, "timing", true, "print how long each statement took (to the terminal, never to standard output)")
	f.BoolVarP(&q.silent, "silent", "S", false, "no timing, no greeting")
}

// variables are the names and values that the session starts with, the last ones of a name. Settings that only a whole
// application can have go to the application's, where those weigh more that were given in another way.
func (q *sqlFlags) variables(app map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, l := range []struct {
		flag string
		list []string
	}{{"--hiveconf", q.confs}, {"--define", q.vars}, {"--hivevar", q.hiveVars}} {
		for _, kv := range l.list {
			k, v, ok := strings.Cut(kv, "=")
			switch {
			case !ok || k == "":
				return nil, usageError{fmt.Errorf("%s is NAME=VALUE, not %q", l.flag, kv)}
			case conf.Modifiable(k) == nil:
				out[k] = v
			case app[k] == "":
				app[k] = v
			}
		}
	}
	return out, nil
}

func runSQL(ctx context.Context, args []string) (result error) {
	f := newFlags("sql", "[-e SQL | -f FILE] [flags]")
	var app appFlags
	var own sqlFlags
	own.register(f)
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	if own.text != "" && own.file != "" {
		return usageError{errors.New("The '-e' and '-f' options cannot be specified simultaneously")}
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
	vars, err := own.variables(o.Conf)
	if err != nil {
		return err
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
	defer showProgress(ctx, a, o, !own.silent)()
	sh := &sqlShell{app: a, s: a.NewSession(), out: os.Stdout, format: own.format, timing: own.timing && !own.silent, echo: app.verbose}
	if sh.format == "" {
		sh.format = "table"
		if filepath.Base(os.Args[0]) == "spark-sql" {
			sh.format = "tsv"
		}
	}
	if quit, err := sh.begin(ctx, &own, vars); quit || err != nil {
		return err
	}
	return sh.work(ctx, &own)
}

// begin does what comes before the statements: variables, the database, and files.
func (sh *sqlShell) begin(ctx context.Context, own *sqlFlags, vars map[string]string) (quit bool, err error) {
	for k, v := range vars {
		if err := sh.s.Conf().Set(k, v); err != nil {
			return false, err
		}
	}
	if own.database != "" {
		if err := sh.run(ctx, "USE "+types.Quote(own.database)); err != nil {
			return false, err
		}
	}
	for _, file := range own.inits {
		if quit, err := sh.file(ctx, file); quit || err != nil {
			return quit, err
		}
	}
	return false, nil
}

// work runs the statements that were given, or that are typed.
func (sh *sqlShell) work(ctx context.Context, own *sqlFlags) (err error) {
	switch {
	case own.text != "":
		_, err = sh.statements(ctx, own.text)
	case own.file != "":
		_, err = sh.file(ctx, own.file)
	case !term.IsTerminal(int(os.Stdin.Fd())):
		var b []byte
		if b, err = io.ReadAll(os.Stdin); err == nil {
			_, err = sh.statements(ctx, string(b))
		}
	default:
		err = sh.interact(ctx, !own.silent)
	}
	return err
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

// statements runs statements one after the other until one fails, or says that the shell should end.
func (sh *sqlShell) statements(ctx context.Context, text string) (quit bool, err error) {
	for _, stmt := range sqlparser.SplitStatements(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(stmt), " ")
		switch word = strings.ToLower(word); {
		case rest == "" && (word == "quit" || word == "exit"):
			return true, nil
		case word == "source":
			quit, err = sh.source(ctx, strings.TrimSpace(rest))
		default:
			err = sh.run(ctx, stmt)
		}
		if quit || err != nil {
			return quit, err
		}
	}
	return false, nil
}

// file runs the statements of a file: of this machine, or of a file system that its URI names.
func (sh *sqlShell) file(ctx context.Context, path string) (quit bool, err error) {
	if scheme, _ := vfs.SplitScheme(path); scheme == "file" && !strings.Contains(path, ":") {
		path = "file:" + path
	}
	f, name, err := sh.app.Rooms().FS.Resolve(path)
	if err != nil {
		return false, err
	}
	text, err := vfs.ReadFile(ctx, f, name)
	if err != nil {
		return false, err
	}
	return sh.statements(ctx, string(text))
}

// maxSources is how many files may run each other by SOURCE.
const maxSources = 50

// source runs a file in the middle of statements, as the command SOURCE.
func (sh *sqlShell) source(ctx context.Context, path string) (quit bool, err error) {
	if sh.sources++; sh.sources > maxSources {
		return false, fmt.Errorf("%s: %d files run each other", path, maxSources)
	}
	defer func() { sh.sources-- }()
	return sh.file(ctx, path)
}

// run executes one statement and prints its rows.
func (sh *sqlShell) run(ctx context.Context, stmt string) error {
	if sh.echo {
		fmt.Fprintln(sh.out, strings.TrimSpace(stmt))
	}
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
	if p.sh.format != "tsv" || len(s.Fields) == 0 || !p.sh.s.Conf().Values().Bool("hive.cli.print.header") {
		return nil
	}
	_, err := fmt.Fprintln(p.sh.out, strings.Join(s.Names(), "\t"))
	return err
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
	r := &repl{prompt: "firesteel> ", more: "         > ", history: ".firesteel_history", complete: completeSQL, run: sh.statements}
	return r.interact(ctx)
}

// completeSQL says whether a text that is being typed ends with a semicolon or is empty.
func completeSQL(text string) bool {
	t := strings.TrimSpace(text)
	return t == "" || strings.HasSuffix(t, ";") || t == "quit" || t == "exit"
}
