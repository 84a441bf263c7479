package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/firesteel/firesteel/internal/tpch"
)

func runTPCH(ctx context.Context, args []string) error {
	f := newFlags("tpch", "--scale-factor N --output DIR")
	sf := f.Float64P("scale-factor", "s", 1, "size of the data: 1 is about 1 GB as text, 350 MB as Parquet")
	out := f.StringP("output", "o", "", "folder for the eight files (made if missing)")
	tables := f.StringSlice("tables", nil, "only these tables")
	parallel := f.Int("parallel", runtime.GOMAXPROCS(0), "number of workers")
	quiet := f.Bool("quiet", false, "no progress bar")
	if err := f.parse(args); err != nil {
		return err
	}
	if *out == "" {
		return usageError{fmt.Errorf("tpch needs --output DIR")}
	}
	o := tpch.Options{ScaleFactor: *sf, OutputDir: *out, Tables: *tables, Parallel: *parallel}
	if !*quiet {
		o.Progress = os.Stderr
	}
	return tpch.Run(ctx, o)
}

// flags is a flag set that answers --help and reports mistakes as usage errors.
type flags struct {
	*pflag.FlagSet
	use string
}

func newFlags(name, use string) flags {
	f := pflag.NewFlagSet(name, pflag.ContinueOnError)
	f.SortFlags = false
	f.Usage = func() {
		fmt.Fprintf(os.Stdout, "Usage: firesteel %s %s\n\nFlags:\n%s", name, use, f.FlagUsages())
	}
	return flags{f, use}
}

// parse reads the arguments; after --help nothing is left to do.
func (f flags) parse(args []string) error {
	err := f.Parse(args)
	if err == pflag.ErrHelp {
		return exitCode(0)
	}
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", f.Name(), err)}
	}
	return nil
}
