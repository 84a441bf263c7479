package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/firesteel/firesteel/internal/bench"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/tpch"
)

// runBench runs a benchmark in this process and prints a table.
func runBench(ctx context.Context, args []string) error {
	f := newFlags("bench", "tpch|tpcds|scheduler [--data DIR] [flags]")
	var app appFlags
	sf := f.Float64P("scale-factor", "s", 1, "tpch: size of the data, made in data/tpch-N unless it is there")
	data := f.String("data", "", "folder of the tables, NAME.parquet each")
	dir := f.String("query-dir", "", "folder of the queries, NAME.sql each (tpch has its own)")
	names := f.StringSlice("queries", nil, "only these queries, e.g. q1,q6")
	runs := f.Int("runs", 3, "hot runs of each query, after a cold one")
	tasks := f.Int("tasks", 100_000, "scheduler: tasks of the stage")
	executors := f.Int("simulate", 1000, "scheduler: executors of the simulation, which runs ten times as many tasks")
	answers := f.String("answers", "", "JSON file of right answers")
	save := f.String("save", "", "write the figures to this file")
	compare := f.String("compare", "", "print ratios against a file that --save wrote")
	app.register(f)
	if err := app.parse(ctx, f, args); err != nil {
		return err
	}
	if f.Arg(0) == "scheduler" {
		return benchTasks(ctx, &app, *tasks, *executors, *runs)
	}
	o := bench.Options{Suite: f.Arg(0), Data: *data, Runs: *runs, Out: os.Stdout}
	var err error
	if o.Queries, err = benchQueries(o.Suite, *dir); err != nil {
		return err
	}
	if o.Queries, err = bench.Select(o.Queries, *names); err != nil {
		return usageError{err}
	}
	if o.Data == "" {
		if o.Data, err = tpchData(ctx, o.Suite, *sf); err != nil {
			return err
		}
	}
	if *answers != "" {
		if o.Answers, err = bench.ReadAnswers(*answers); err != nil {
			return err
		}
	}
	rep, err := benchmark(ctx, &app, o)
	if err != nil {
		return err
	}
	return finishBench(rep, *save, *compare)
}

// benchQueries are the queries of a suite: those of a folder, if one is given.
func benchQueries(suite, dir string) ([]bench.Query, error) {
	switch {
	case suite != "tpch" && suite != "tpcds":
		return nil, usageError{errors.New("bench needs a benchmark: tpch, tpcds or scheduler")}
	case dir != "":
		return bench.ReadQueries(dir)
	case suite == "tpcds":
		return nil, usageError{errors.New("bench tpcds needs --query-dir")}
	}
	return bench.TPCH(), nil
}

// tpchData is the folder of generated tables, which are made the first time.
func tpchData(ctx context.Context, suite string, sf float64) (string, error) {
	if suite != "tpch" {
		return "", usageError{fmt.Errorf("bench %s needs --data", suite)}
	}
	dir := filepath.Join("data", "tpch-"+strconv.FormatFloat(sf, 'g', -1, 64))
	done := filepath.Join(dir, ".done")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := tpch.Run(ctx, tpch.Options{ScaleFactor: sf, OutputDir: dir, Progress: os.Stderr}); err != nil {
		return "", err
	}
	return dir, os.WriteFile(done, nil, 0o600)
}

func benchmark(ctx context.Context, flags *appFlags, o bench.Options) (rep *bench.Report, err error) {
	err = withApp(ctx, flags, func(a *session.App) (err error) {
		rep, err = bench.Run(ctx, a, o)
		return err
	})
	return rep, err
}

// benchTasks measures the scheduler: empty tasks of an application, and alone.
func benchTasks(ctx context.Context, flags *appFlags, tasks, executors, runs int) error {
	if tasks < 1 || executors < 1 || runs < 1 {
		return usageError{errors.New("bench scheduler needs at least one task, executor and run")}
	}
	err := withApp(ctx, flags, func(a *session.App) error { return bench.Tasks(ctx, a, tasks, runs, os.Stdout) })
	if err != nil {
		return err
	}
	return bench.Simulate(executors, 10*tasks, os.Stdout)
}

// withApp starts an application for f, under the profile that was asked for.
func withApp(ctx context.Context, flags *appFlags, f func(*session.App) error) error {
	so, err := flags.options()
	if err != nil {
		return err
	}
	if so.Name == "" {
		so.Name = "firesteel bench"
	}
	a, err := session.Start(ctx, so)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	stop, err := flags.startProfile()
	if err != nil {
		return err
	}
	err = f(a)
	return errors.Join(err, stop())
}

// finishBench keeps and compares a report; a wrong answer or a failed query is status 1.
func finishBench(rep *bench.Report, save, compare string) error {
	if compare != "" {
		old, err := bench.ReadReport(compare)
		if err != nil {
			return err
		}
		fmt.Println(bench.Compare(old, rep))
	}
	if save != "" {
		if err := rep.Save(save); err != nil {
			return err
		}
	}
	if !rep.Right() {
		return exitCode(1)
	}
	return nil
}
