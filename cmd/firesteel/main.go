// Command firesteel is all of Firesteel in one binary: see the table of commands.
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
	"syscall"
	"time"

	"github.com/firesteel/firesteel/internal/cluster/child"
)

// command is one row of the table: its name, the names of links that mean it, and what it does.
type command struct {
	name  string
	links []string // argv[0] of links to the binary
	use   string   // arguments, for --help
	short string
	run   func(ctx context.Context, args []string) error
}

// commands is the table, in the order in which --help lists it.
func commands() []command {
	return []command{
		{"sql", []string{"spark-sql"}, "[-e SQL | -f FILE] [--master URL]", "run SQL, or type it", runSQL},
		{"submit", []string{"spark-submit"}, "[--master URL] APP [ARG …]", "run an application", runSubmit},
		{"shell", []string{"spark-shell"}, "[-e CODE] [--master URL]", "type Go, with spark and sc ready", runShell},
		{"pyspark", []string{"pyspark"}, "[--master URL]", "type Python, with spark ready", runPySpark},
		{"connect", nil, "[--host H] [--port P] [--master URL]", "serve Spark Connect clients", runConnect},
		{"master", nil, "[--host H] [--port P]", "be the master of a standalone cluster", runMaster},
		{"worker", nil, "spark://HOST:PORT [--cores N] [--memory SIZE]", "be a worker of a standalone cluster", runWorker},
		{"shuffle", nil, "[--host H] [--port P]", "serve the map outputs of this machine's executors, also when those have gone", runShuffle},
		{"mesos-dispatcher", []string{"start-mesos-dispatcher.sh"}, "--master mesos://HOST:PORT [--host H] [--port P]", "run drivers on a Mesos cluster", runMesosDispatcher},
		{"bench", nil, "tpch|tpcds|scheduler [--data DIR] [--queries q1,q2] [--runs N]", "run a benchmark and print its figures", runBench},
		{"tpch", nil, "--scale-factor N --output DIR", "make the TPC-H tables as Parquet", runTPCH},
		{"executor", nil, "", "run tasks of an application (started by cluster managers)", runExecutor},
		{"logs", nil, "[--master URL] ID", "print the logs of an application on YARN, or of a driver on Kubernetes (NAMESPACE:POD), Mesos or a standalone cluster", runLogs},
		{"yarn-am", nil, "", "be the master of an application on YARN (started by YARN)", runYARNMaster},
		{"image", nil, "--output FILE", "write a container image of this binary", runImage},
		{"home", nil, "DIR", "make a folder that serves as SPARK_HOME: bin and sbin with links by Spark's names", runHome},
		{"version", nil, "", "print the version", runVersion},
	}
}

func main() {
	child.FollowParent()
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	go insist()
	code := dispatch(ctx, os.Args)
	stop()
	os.Exit(code)
}

// endings are the signals that tell the process to end. A terminal that is closed does so, unless the process was started to
// outlive it (nohup).
func endings() []os.Signal {
	out := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		out = append(out, syscall.SIGHUP)
	}
	return out
}

// patience is how long a process that was told to end may take to put things in order.
const patience = 20 * time.Second

// insist ends the process when it was told to end (an interrupt does not count) and does not, whatever it is busy with. An
// executor may take its time, and has limits of its own.
func insist() {
	if len(os.Args) > 1 && os.Args[1] == "executor" {
		return
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	<-told
	time.Sleep(patience)
	fmt.Fprintf(os.Stderr, "firesteel: still busy %s after it was told to end\n", patience)
	os.Exit(143)
}

// exitCode is an error that only carries the status to exit with: the reason was told already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a mistake in the command line.
type usageError struct{ error }

func dispatch(ctx context.Context, argv []string) int {
	err := choose(ctx, argv)
	var code exitCode
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "firesteel: %v\nTry 'firesteel --help'.\n", err)
		return 2
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// choose finds the command by the link's name or the first argument.
func choose(ctx context.Context, argv []string) error {
	link := filepath.Base(argv[0])
	for _, s := range scripts() {
		if s.link == link {
			adoptHome(argv[0])
			if err := loadEnvironment(ctx); err != nil {
				return err
			}
			return s.run(ctx, argv[1:])
		}
	}
	for _, c := range commands() {
		for _, l := range c.links {
			if l == link {
				return c.run(ctx, argv[1:])
			}
		}
	}
	if len(argv) < 2 {
		printHelp(os.Stderr)
		return exitCode(2)
	}
	switch name := argv[1]; name {
	case "-h", "--help", "help":
		printHelp(os.Stdout)
		return nil
	case "--version":
		return runVersion(ctx, nil)
	default:
		for _, c := range commands() {
			if c.name == name {
				return c.run(ctx, argv[2:])
			}
		}
		return usageError{fmt.Errorf("there is no command %q%s", name, suggest(name))}
	}
}

// suggest names the command that starts like the given word.
func suggest(name string) string {
	for _, c := range commands() {
		if len(name) > 1 && (strings.HasPrefix(c.name, name[:2]) || strings.Contains(c.name, name)) {
			return fmt.Sprintf(" (did you mean %q?)", c.name)
		}
	}
	return ""
}

func printHelp(w io.Writer) {
	fmt.Fprint(w, "Firesteel runs Spark applications: SQL, PySpark and Go, on this machine or on a cluster.\n\nUsage: firesteel COMMAND [FLAG …]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-16s %s\n", c.name, c.short)
		if c.use != "" {
			fmt.Fprintf(w, "                   firesteel %s %s\n", c.name, c.use)
		}
	}
	fmt.Fprint(w, "\n'firesteel COMMAND --help' tells the flags of a command.\n")
}
