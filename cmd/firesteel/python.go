package main

import (
	"os"
	"os/exec"
	"strings"
)

// pythonChild is an interpreter whose sessions are of the server, until it ends. env are more variables for it. The error is an
// exitCode where it did not end well.
func pythonChild(remote, pyFiles string, argv []string, env ...string) error {
	cmd := exec.Command(python(), argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(append(os.Environ(), env...), "SPARK_REMOTE="+remote, "SPARK_CONNECT_MODE_ENABLED=1", "PYTHONUNBUFFERED=1")
	if pyFiles != "" {
		path := strings.ReplaceAll(pyFiles, ",", string(os.PathListSeparator))
		cmd.Env = append(cmd.Env, "PYTHONPATH="+path+string(os.PathListSeparator)+os.Getenv("PYTHONPATH"))
	}
	return attend(cmd)
}

// python is the interpreter that Spark's variables name, else the one on the path.
func python() string {
	for _, key := range []string{"PYSPARK_DRIVER_PYTHON", "PYSPARK_PYTHON"} {
		if p := os.Getenv(key); p != "" {
			return p
		}
	}
	return "python3"
}

// pythonPath is where the interpreter lies, for a process elsewhere on this machine.
func pythonPath() string {
	p, err := exec.LookPath(python())
	if err != nil {
		return python()
	}
	return p
}
