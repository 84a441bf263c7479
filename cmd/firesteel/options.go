package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// option is a flag that Spark's commands have: a row of the table of options.
type option struct {
	flag string
	arg  string // what its value is called; "": it has none
	key  string // the setting that it is
	env  string // variables that say the same, with less weight; separated by blanks
	help string // lines of at most 54 characters
	only string // the command that has it; "": all that start applications
}

// group are options that belong together, for --help.
type group struct {
	title   string
	options []option
}

// groups is the table of options, in the order of Spark's help.
var groups = []group{
	{"", []option{
		{flag: "master", arg: "MASTER_URL", key: "spark.master", env: "MASTER", help: "Where to run: local, local[N], local[*], local[N,F],\n" +
			"local-cluster[workers,cores,MiB], spark://host:port,\nyarn, k8s://https://host:port, mesos://host:port\n(default local[*])."},
		{flag: "deploy-mode", arg: "DEPLOY_MODE", key: "spark.submit.deployMode", env: "DEPLOY_MODE", help: "\"client\": the driver is here. \"cluster\": it is on the\ncluster (default client)."},
		{flag: "class", arg: "CLASS_NAME", only: "submit", help: "Main class of a JVM application: refused, there is no\nJVM here."},
		{flag: "name", arg: "NAME", key: "spark.app.name", help: "Name of the application."},
		{flag: "jars", arg: "JARS", key: "spark.jars", help: "Jars, separated by commas: kept as a setting, without\neffect."},
		{flag: "packages", arg: "PACKAGES", key: "spark.jars.packages", help: "Maven coordinates: kept as a setting, without effect."},
		{flag: "exclude-packages", arg: "PACKAGES", key: "spark.jars.excludes", help: "What --packages must not bring: without effect."},
		{flag: "repositories", arg: "URLS", key: "spark.jars.repositories", help: "Where --packages looks: without effect."},
		{flag: "py-files", arg: "PY_FILES", key: "spark.submit.pyFiles", help: ".zip, .egg or .py files for the Python path, separated\nby commas."},
		{flag: "files", arg: "FILES", key: "spark.files", help: "Files for the working folders of executors, separated\nby commas; FILE#NAME gives another name."},
		{flag: "archives", arg: "ARCHIVES", key: "spark.archives", help: "Archives that are unpacked there, in folders of their\nnames or of those after #."},
	}},
	{"", []option{
		{flag: "conf, -c", arg: "PROP=VALUE", help: "A setting; may be given many times."},
		{flag: "properties-file", arg: "FILE", help: "File of settings. Without it, spark-defaults.conf of\n$SPARK_CONF_DIR or $SPARK_HOME/conf is read."},
		{flag: "load-spark-defaults", help: "Read spark-defaults.conf as well; --properties-file\nweighs more."},
	}},
	{"", []option{
		{flag: "driver-memory", arg: "MEM", key: "spark.driver.memory", env: "SPARK_DRIVER_MEMORY", help: "Memory of the driver, e.g. 512M or 2G."},
		{flag: "driver-java-options", arg: "OPTIONS", key: "spark.driver.extraJavaOptions", help: "Options of a JVM: without effect."},
		{flag: "driver-library-path", arg: "PATH", key: "spark.driver.extraLibraryPath", help: "Path of a JVM's libraries: without effect."},
		{flag: "driver-class-path", arg: "PATH", key: "spark.driver.extraClassPath", help: "Path of a JVM's classes: without effect."},
	}},
	{"", []option{
		{flag: "executor-memory", arg: "MEM", key: "spark.executor.memory", env: "SPARK_EXECUTOR_MEMORY", help: "Memory of each executor, e.g. 512M or 2G (default 1G)."},
	}},
	{"", []option{
		{flag: "proxy-user", arg: "NAME", key: "spark.yarn.proxyUser", help: "User to act for (YARN)."},
	}},
	{"", []option{
		{flag: "help, -h", help: "Print this text."},
		{flag: "verbose, -v", help: "Tell the settings and where they come from, and each\nstep of the application."},
		{flag: "version", help: "Print the version."},
	}},
	{"Spark Connect", []option{
		{flag: "remote", arg: "CONNECT_URL", help: "Use the server at sc://host:port; --master and\n--deploy-mode cannot be given then."},
	}},
	{"Cluster deploy mode", []option{
		{flag: "driver-cores", arg: "NUM", key: "spark.driver.cores", help: "Cores of the driver (default 1)."},
	}},
	{"Standalone, cluster deploy mode", []option{
		{flag: "supervise", key: "spark.driver.supervise", only: "submit", help: "Start the driver again when it fails."},
	}},
	{"Standalone, YARN and Kubernetes, cluster deploy mode", []option{
		{flag: "kill", arg: "SUBMISSION_ID", only: "submit", help: "End a driver."},
		{flag: "status", arg: "SUBMISSION_ID", only: "submit", help: "Tell the state of a driver."},
	}},
	{"Standalone", []option{
		{flag: "total-executor-cores", arg: "NUM", key: "spark.cores.max", help: "Cores of all executors together."},
	}},
	{"Standalone, YARN and Kubernetes", []option{
		{flag: "executor-cores", arg: "NUM", key: "spark.executor.cores", env: "SPARK_EXECUTOR_CORES", help: "Cores of each executor (default: all of a worker in\nstandalone, else 1)."},
	}},
	{"YARN and Kubernetes", []option{
		{flag: "num-executors", arg: "NUM", key: "spark.executor.instances", help: "Number of executors (default 2); with dynamic\nallocation, the number at the start."},
		{flag: "principal", arg: "PRINCIPAL", key: "spark.kerberos.principal", help: "Who logs in at the key centre."},
		{flag: "keytab", arg: "KEYTAB", key: "spark.kerberos.keytab", help: "File of that principal's keys."},
	}},
	{"YARN", []option{
		{flag: "queue", arg: "QUEUE_NAME", key: "spark.yarn.queue", help: "Queue to submit to (default \"default\")."},
	}},
	{"Firesteel", []option{
		{flag: "profile", arg: "FILE", help: "Write a processor profile of the run (for go tool\npprof)."},
	}},
}

// has says whether a command has the option.
func (o *option) has(command string) bool { return o.only == "" || o.only == command }

// each gives the options of a command.
func each(command string, f func(o *option)) {
	for _, g := range groups {
		for i := range g.options {
			if o := &g.options[i]; o.has(command) {
				f(o)
			}
		}
	}
}

// printOptions writes the options of a command as Spark's help does.
func printOptions(w io.Writer, command string) {
	for _, g := range groups {
		begun := false
		for _, o := range g.options {
			if !o.has(command) {
				continue
			}
			if !begun && g.title != "" {
				fmt.Fprintf(w, "\n %s:\n", g.title)
			} else if !begun {
				fmt.Fprintln(w)
			}
			begun = true
			head := "--" + o.flag
			if o.arg != "" {
				head += " " + o.arg
			}
			text := strings.ReplaceAll(o.help, "\n", "\n"+strings.Repeat(" ", helpColumn))
			if len(head) > helpColumn-4 { // the text does not fit beside it
				fmt.Fprintf(w, "  %s\n%*s%s\n", head, helpColumn, "", text)
			} else {
				fmt.Fprintf(w, "  %-*s%s\n", helpColumn-2, head, text)
			}
		}
	}
}

// helpColumn is where the text of an option begins.
const helpColumn = 32

// ownFlags are the flags of a command that are no options of Spark's.
func ownFlags(f *pflag.FlagSet, command string) *pflag.FlagSet {
	theirs := map[string]bool{}
	each(command, func(o *option) { name, _, _ := strings.Cut(o.flag, ","); theirs[name] = true })
	own := pflag.NewFlagSet(command, pflag.ContinueOnError)
	own.SortFlags = false
	f.VisitAll(func(x *pflag.Flag) {
		if !theirs[x.Name] {
			own.AddFlag(x)
		}
	})
	return own
}
