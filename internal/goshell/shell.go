// Package goshell is the Go shell: an interpreter with a session ready in it. Programs that are typed there are like compiled
// ones, with three differences: package spark has the session's methods besides its own names, so that spark is the session
// too; functions of RDDs take and give RDDs without type parameters, because the interpreter has no generic functions of
// compiled packages; and functions of RDDs run in this process only, because executors do not know what was typed.
//
// The names of compiled packages are in tables that go generate writes.
package goshell

//go:generate go run ./generate

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"io"
	"maps"
	"reflect"
	"regexp"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/traefik/yaegi/interp"

	"github.com/firesteel/firesteel/spark"
)

const (
	sparkPath = "github.com/firesteel/firesteel/spark"
	shellPath = "firesteel/shell"
)

// Shell interprets Go with a session. It runs one text at a time.
type Shell struct {
	in  *interp.Interpreter
	out io.Writer
	ctx context.Context // of what is run, for the variable ctx of the program

	program *interp.Program // for execute
	err     error
	done    chan struct{}
	begun   atomic.Bool // the program runs, or must not run any more
}

// Config says what a shell works with.
type Config struct {
	Session     *spark.Session
	In          io.Reader
	Out, Errors io.Writer
}

// prelude is what is typed before the user's first line.
const prelude = `import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/spark"
	"github.com/firesteel/firesteel/spark/functions"
	"firesteel/shell"
)
var session, sc, ctx = shell.Session, shell.SparkContext, shell.Context`

// New makes a shell.
func New(c Config) (*Shell, error) {
	sh := &Shell{out: c.Out, ctx: context.Background()}
	sh.in = interp.New(interp.Options{Stdin: c.In, Stdout: c.Out, Stderr: c.Errors})
	names := interp.Exports{}
	for p, table := range tables {
		names[p] = table()
	}
	maps.Copy(names[sparkPath+"/spark"], untyped)
	addMethods(names[sparkPath+"/spark"], c.Session)
	names["os/os"]["Exit"] = reflect.ValueOf(func(code int) { panic(&ExitError{code}) })
	sc := c.Session.SparkContext()
	names[shellPath+"/shell"] = map[string]reflect.Value{
		"Session": reflect.ValueOf(&c.Session).Elem(), "SparkContext": reflect.ValueOf(&sc).Elem(),
		"Context": reflect.ValueOf(&sh.ctx).Elem(), "Print": reflect.ValueOf(sh.print), "Execute": reflect.ValueOf(sh.execute),
	}
	if err := sh.in.Use(names); err != nil {
		return nil, fmt.Errorf("the interpreter cannot start: %w", err)
	}
	for text := range strings.SplitSeq(prelude, "\nvar ") {
		if !strings.HasPrefix(text, "import") {
			text = "var " + text
		}
		if _, err := sh.in.Eval(text); err != nil {
			return nil, fmt.Errorf("the interpreter cannot start: %w", err)
		}
	}
	return sh, nil
}

// addMethods makes the session's methods functions of package spark, where it has no such name.
func addMethods(names map[string]reflect.Value, s *spark.Session) {
	v := reflect.ValueOf(s)
	for i := range v.NumMethod() {
		if name := v.Type().Method(i).Name; !names[name].IsValid() {
			names[name] = v.Method(i)
		}
	}
}

// ExitError says that the program asked to end (os.Exit).
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Code) }

// Error is a mistake in what was typed, or a panic of it.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Run interprets a text: declarations, statements, or an expression, whose value is printed. The variable ctx of the program
// ends with the context of this call, and so does the program.
func (sh *Shell) Run(ctx context.Context, text string) (err error) {
	defer func() {
		if r := recover(); r != nil { // of the interpreter itself
			err = &Error{fmt.Sprintf("the interpreter failed: %v\n%s", r, debug.Stack())}
		}
	}()
	sh.ctx = ctx
	if _, err := sh.in.Eval("ctx = shell.Context"); err != nil {
		return err
	}
	p, err := sh.compile(text)
	if err != nil {
		return &Error{place.ReplaceAllString(err.Error(), "")}
	}
	return plain(sh.stoppable(ctx, p))
}

// stoppable runs a program until it ends or the context does. A program that is stopped shares its frame with the next one, so
// its end must be waited for, of which the interpreter does not tell: that is why the program is run from within another one.
func (sh *Shell) stoppable(ctx context.Context, p *interp.Program) error {
	outer, err := sh.in.Compile("shell.Execute()")
	if err != nil {
		return err
	}
	sh.program, sh.err, sh.done = p, nil, make(chan struct{})
	sh.begun.Store(false)
	if _, err = sh.in.ExecuteWithContext(ctx, outer); err != nil && ctx.Err() == nil {
		return err
	}
	if !sh.begun.CompareAndSwap(false, true) {
		<-sh.done
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return sh.err
}

// execute is what the outer program calls.
func (sh *Shell) execute() {
	if !sh.begun.CompareAndSwap(false, true) {
		return // it was stopped before
	}
	defer close(sh.done)
	_, sh.err = sh.in.Execute(sh.program)
}

// place is where the interpreter found a mistake, in a text that is not quite the user's.
var place = regexp.MustCompile(`(?m)^(_\.go:)?\d+:\d+: `)

// compile makes an expression print its value, where it has one.
func (sh *Shell) compile(text string) (*interp.Program, error) {
	text = strings.TrimSpace(text)
	if _, err := parser.ParseExpr(text); err == nil && !strings.HasPrefix(text, "fmt.Print") {
		if p, err := sh.in.Compile("shell.Print(" + text + ")"); err == nil {
			return p, nil
		}
	}
	return sh.in.Compile(text)
}

// plain gives the error inside a panic of the program.
func plain(err error) error {
	var p interp.Panic
	if !errors.As(err, &p) {
		return err
	}
	value := p.Value
	if v, ok := value.(reflect.Value); ok && v.IsValid() && v.CanInterface() {
		value = v.Interface()
	}
	if inner, ok := value.(error); ok {
		var exit *ExitError
		if errors.As(inner, &exit) {
			return exit
		}
		return fmt.Errorf("panic: %w", inner)
	}
	return &Error{fmt.Sprintf("panic: %v", value)}
}

// print shows the values of an expression. An error among them is shown alone.
func (sh *Shell) print(values ...any) {
	for _, v := range values {
		if err, ok := v.(error); ok {
			fmt.Fprintln(sh.out, "error:", err)
			return
		}
	}
	for _, v := range values {
		if v != nil {
			fmt.Fprintln(sh.out, describe(v))
		}
	}
}

// describe is a value as the shell shows it.
func describe(v any) string {
	switch x := v.(type) {
	case *spark.DataFrame:
		return frameText(x)
	case *RDD:
		return x.String()
	case fmt.Stringer:
		return x.String()
	case string:
		return fmt.Sprintf("%q", x)
	}
	return fmt.Sprintf("%v", v)
}

// frameText names the columns of a frame, as Spark's shells do.
func frameText(d *spark.DataFrame) string {
	s, err := d.Schema()
	if err != nil {
		return "error: " + err.Error()
	}
	cols := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		cols[i] = f.Name + ": " + f.Type.String()
	}
	return "DataFrame[" + strings.Join(cols, ", ") + "]"
}
