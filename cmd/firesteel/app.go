package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/managers"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// appFlags are the options of Spark that say where and how an application runs, as they were given to a command that starts
// one.
type appFlags struct {
	command        string
	given          map[string]*string // by flag
	supervise      bool
	conf           []string
	propertiesFile string
	defaultsToo    bool
	verbose        bool
	version        bool
	profile        string
}

// register adds the options to the flags of a command, whose own were added before.
func (a *appFlags) register(f flags) {
	a.command, a.given = f.Name(), map[string]*string{}
	f.StringArrayVarP(&a.conf, "conf", "c", nil, "")
	f.StringVar(&a.propertiesFile, "properties-file", "", "")
	f.BoolVar(&a.defaultsToo, "load-spark-defaults", false, "")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "")
	f.BoolVar(&a.version, "version", false, "")
	f.StringVar(&a.profile, "profile", "", "")
	each(a.command, func(o *option) {
		switch {
		case o.flag == "supervise":
			f.BoolVar(&a.supervise, o.flag, false, "")
		case o.arg != "" && f.Lookup(strings.TrimSuffix(o.flag, ", -c")) == nil:
			a.given[o.flag] = f.String(o.flag, "", "")
		}
	})
	usage := f.use
	f.Usage = func() {
		fmt.Fprintf(os.Stdout, "Usage: firesteel %s %s\n\n", a.command, usage)
		if own := ownFlags(f.FlagSet, a.command).FlagUsages(); own != "" {
			fmt.Fprintf(os.Stdout, "Flags:\n%s\n", own)
		}
		fmt.Fprintln(os.Stdout, "Options:")
		printOptions(os.Stdout, a.command)
	}
}

// value is what was given to a flag that has a value.
func (a *appFlags) value(flag string) string {
	if v := a.given[flag]; v != nil {
		return *v
	}
	return ""
}

// parse reads the command line; after --help and --version nothing is left to do.
func (a *appFlags) parse(ctx context.Context, f flags, args []string) error {
	if err := f.parse(args); err != nil {
		return err
	}
	if !a.version {
		return nil
	}
	if err := runVersion(ctx, nil); err != nil {
		return err
	}
	fmt.Println("Spark version " + session.SparkVersion) // what scripts look for
	return exitCode(0)
}

// options merges the settings: flags over --conf over the properties file over the environment.
func (a *appFlags) options() (session.Options, error) {
	s, err := a.merged()
	if err != nil {
		return session.Options{}, err
	}
	if a.verbose {
		s.print(os.Stderr)
	}
	if err := s.check(); err != nil {
		return session.Options{}, err
	}
	return session.Options{Master: s.values["spark.master"], Name: s.values["spark.app.name"], Conf: s.values, Managers: managers.New,
		Log: session.LogTo(s.values, a.verbose)}, nil
}

// merged are the settings that hold, with where they come from.
func (a *appFlags) merged() (*settings, error) {
	s := &settings{values: map[string]string{}, from: map[string]string{}}
	each(a.command, func(o *option) {
		for name := range strings.FieldsSeq(o.env) {
			if v := os.Getenv(name); v != "" && o.key != "" {
				s.set(o.key, v, "$"+name)
			}
		}
	})
	if err := a.files(s); err != nil {
		return nil, err
	}
	for _, kv := range a.conf {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("Invalid argument to --conf: %s", kv)}
		}
		s.set(strings.TrimSpace(k), strings.Trim(strings.TrimSpace(v), `"`), "--conf")
	}
	each(a.command, func(o *option) {
		if v := a.value(o.flag); v != "" && o.key != "" {
			s.set(o.key, v, "--"+o.flag)
		}
	})
	if a.supervise {
		s.set("spark.driver.supervise", "true", "--supervise")
	}
	s.warn()
	return s, a.remoteOnly(s)
}

// remoteOnly refuses what does not go together with --remote.
func (a *appFlags) remoteOnly(s *settings) error {
	if a.value("remote") == "" {
		return nil
	}
	if a.value("master") != "" || a.value("deploy-mode") != "" {
		return usageError{errors.New("Remote cannot be specified with master and/or deploy mode.")}
	}
	switch a.command {
	case "submit", "pyspark":
		return nil
	}
	return sparkerr.Unsupported("firesteel " + a.command + " --remote")
}

// files reads spark-defaults.conf and the properties file.
func (a *appFlags) files(s *settings) error {
	if a.propertiesFile == "" || a.defaultsToo {
		if path := defaultsFile(); path != "" {
			b, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("spark-defaults.conf cannot be read: %w", err)
			}
			s.setAll(conf.ParseProperties(string(b)), path)
		}
	}
	if a.propertiesFile == "" {
		return nil
	}
	b, err := os.ReadFile(a.propertiesFile)
	if err != nil {
		return usageError{fmt.Errorf("Invalid properties file '%s': %w", a.propertiesFile, err)}
	}
	s.setAll(conf.ParseProperties(string(b)), a.propertiesFile)
	return nil
}

// defaultsFile is the properties file of this machine; "": no variable names one.
func defaultsFile() string {
	dir := os.Getenv("SPARK_CONF_DIR")
	if home := os.Getenv("SPARK_HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, "conf")
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "spark-defaults.conf")
}

// properties are the settings of the properties files alone, for daemons.
func (a *appFlags) properties() (map[string]string, error) {
	s := &settings{values: map[string]string{}, from: map[string]string{}}
	err := a.files(s)
	return s.values, err
}

// settings are keys and values, and where each comes from.
type settings struct {
	values, from map[string]string
	ignored      []string // keys that are none of Spark's
}

func (s *settings) set(key, value, from string) {
	if !strings.HasPrefix(key, "spark.") {
		s.ignored = append(s.ignored, key)
		return
	}
	s.values[key], s.from[key] = value, from
}

func (s *settings) setAll(values map[string]string, from string) {
	for _, k := range slices.Sorted(maps.Keys(values)) {
		s.set(k, values[k], from)
	}
}

// forJVMs are settings that only a JVM could follow.
var forJVMs = []string{"spark.jars", "spark.jars.packages", "spark.driver.extraJavaOptions", "spark.driver.extraLibraryPath", "spark.driver.extraClassPath"}

// warn tells what will have no effect.
func (s *settings) warn() {
	for _, k := range s.ignored {
		fmt.Fprintf(os.Stderr, "WARN Ignoring non-Spark config property: %s\n", k)
	}
	for _, k := range forJVMs {
		if s.values[k] != "" {
			fmt.Fprintf(os.Stderr, "WARN There is no JVM here: %s (%s) has no effect.\n", k, s.from[k])
		}
	}
}

// print lists what holds. Values that look like secrets are hidden.
func (s *settings) print(w *os.File) {
	fmt.Fprintln(w, "Settings, and where each comes from:")
	hide := conf.NewValues(s.values)
	for _, k := range slices.Sorted(maps.Keys(s.values)) {
		fmt.Fprintf(w, "  (%s,%s)  %s\n", k, hide.Redacted(k, s.values[k]), s.from[k])
	}
}

// amounts are settings that must be positive, and what Spark calls them.
var amounts = []struct {
	key, name string
	bytes     bool
}{
	{"spark.driver.memory", "Driver memory", true},
	{"spark.executor.memory", "Executor memory", true},
	{"spark.driver.cores", "Driver cores", false},
	{"spark.executor.cores", "Executor cores", false},
	{"spark.cores.max", "Total executor cores", false},
	{"spark.executor.instances", "Number of executors", false},
}

// check refuses what no application can be started with, in Spark's words.
func (s *settings) check() error {
	for _, a := range amounts {
		text, given := s.values[a.key]
		if !given || a.key == "spark.executor.instances" && s.values["spark.dynamicAllocation.enabled"] == "true" {
			continue
		}
		n, err := conf.ParseBytes(text, 1)
		if err == nil && !a.bytes && strings.Trim(text, " 0123456789") != "" {
			n = 0 // 2g is no number of cores
		}
		if err != nil || n <= 0 {
			return usageError{fmt.Errorf("%s must be a positive number, not %q (%s, %s)", a.name, text, a.key, s.from[a.key])}
		}
	}
	switch mode := s.values["spark.submit.deployMode"]; mode {
	case "", "client", "cluster":
	default:
		return usageError{fmt.Errorf("--deploy-mode must be either \"client\" or \"cluster\", not %q", mode)}
	}
	return s.checkMaster()
}

// checkMaster refuses what the cluster manager cannot do.
func (s *settings) checkMaster() error {
	url := s.values["spark.master"]
	if url == "" {
		url = "local[*]"
	}
	m, err := cluster.ParseMaster(url)
	switch {
	case err != nil:
		return err
	case s.values["spark.yarn.proxyUser"] != "" && m.Kind != cluster.YARN:
		return sparkerr.Unsupported("--proxy-user on master " + url)
	}
	return nil
}

// clientOnly is an error for shells, whose driver must be where the terminal is.
func clientOnly(o session.Options, what string) error {
	if o.Conf["spark.submit.deployMode"] == "cluster" {
		return fmt.Errorf("Cluster deploy mode is not applicable to %s.", what)
	}
	return nil
}
