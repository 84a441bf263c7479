package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster/managers"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/session"
)

// appFlags are the flags of Spark that say where and how an application runs; every command that starts one has them.
type appFlags struct {
	master, name, propertiesFile                string
	driverMemory, executorMemory, executorCores string
	numExecutors, totalCores, deployMode        string
	conf                                        []string
	verbose                                     bool
	profile                                     string
}

func (a *appFlags) register(f flags) {
	f.StringVar(&a.master, "master", "", "where to run: local, local[N], local[*], local[N,F], local-cluster[n,cores,MiB], spark://host:port, yarn, k8s://…, mesos://… (default local[*])")
	f.StringVar(&a.deployMode, "deploy-mode", "", "client or cluster")
	f.StringVar(&a.name, "name", "", "name of the application")
	f.StringArrayVarP(&a.conf, "conf", "c", nil, "setting KEY=VALUE; may be given many times")
	f.StringVar(&a.propertiesFile, "properties-file", "", "file of settings (default $SPARK_CONF_DIR/spark-defaults.conf)")
	f.StringVar(&a.driverMemory, "driver-memory", "", "memory of this process, e.g. 2g")
	f.StringVar(&a.executorMemory, "executor-memory", "", "memory of each executor")
	f.StringVar(&a.executorCores, "executor-cores", "", "cores of each executor")
	f.StringVar(&a.numExecutors, "num-executors", "", "number of executors")
	f.StringVar(&a.totalCores, "total-executor-cores", "", "cores of all executors together")
	f.StringVar(&a.profile, "profile", "", "write a processor profile of the run to this file (for go tool pprof)")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "print the settings that hold, and where they come from")
}

// options merges the settings: flags over the properties file over the environment.
func (a *appFlags) options() (session.Options, error) {
	settings, err := a.properties()
	if err != nil {
		return session.Options{}, err
	}
	for _, kv := range a.conf {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return session.Options{}, usageError{fmt.Errorf("--conf takes KEY=VALUE, not %q", kv)}
		}
		settings[strings.TrimSpace(k)] = strings.Trim(strings.TrimSpace(v), `"`)
	}
	for key, v := range map[string]string{
		"spark.driver.memory": a.driverMemory, "spark.executor.memory": a.executorMemory, "spark.executor.cores": a.executorCores,
		"spark.executor.instances": a.numExecutors, "spark.cores.max": a.totalCores, "spark.submit.deployMode": a.deployMode,
		"spark.app.name": a.name, "spark.master": a.master,
	} {
		if v != "" {
			settings[key] = v
		}
	}
	master := settings["spark.master"]
	if master == "" {
		master = os.Getenv("MASTER")
	}
	return session.Options{Master: master, Name: settings["spark.app.name"], Conf: settings, Managers: managers.New,
		Log: session.LogTo(settings, a.verbose)}, nil
}

// properties reads the properties file: KEY, white space or =, VALUE; # starts a comment.
func (a *appFlags) properties() (map[string]string, error) {
	settings := map[string]string{}
	path := a.propertiesFile
	if path == "" {
		dir := os.Getenv("SPARK_CONF_DIR")
		if dir == "" && os.Getenv("SPARK_HOME") != "" {
			dir = filepath.Join(os.Getenv("SPARK_HOME"), "conf")
		}
		if dir == "" {
			return settings, nil
		}
		path = filepath.Join(dir, "spark-defaults.conf")
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && a.propertiesFile == "" {
		return settings, nil
	}
	if err != nil {
		return nil, err
	}
	return conf.ParseProperties(string(b)), nil
}
