package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/session"
)

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPrecedence: flags over --conf over the properties file over spark-defaults.conf over the environment.
func TestPrecedence(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "spark-defaults.conf", "spark.a 1\nspark.b 1\nspark.executor.memory 3g\nnot.sparks 1\n")
	file := writeFile(t, dir, "mine.conf", "spark.b=2\nspark.c: 2\nspark.executor.cores 2\n")
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want map[string]string
	}{
		{"environment", map[string]string{"MASTER": "local[3]", "SPARK_EXECUTOR_MEMORY": "5g"}, nil,
			map[string]string{"spark.master": "local[3]", "spark.executor.memory": "5g"}},
		{"defaults", map[string]string{"SPARK_CONF_DIR": dir, "SPARK_EXECUTOR_MEMORY": "5g"}, nil,
			map[string]string{"spark.a": "1", "spark.b": "1", "spark.executor.memory": "3g", "not.sparks": ""}},
		{"a file in their place", map[string]string{"SPARK_CONF_DIR": dir}, []string{"--properties-file", file},
			map[string]string{"spark.a": "", "spark.b": "2", "spark.executor.cores": "2"}},
		{"a file besides", map[string]string{"SPARK_CONF_DIR": dir}, []string{"--properties-file", file, "--load-spark-defaults"},
			map[string]string{"spark.a": "1", "spark.b": "2"}},
		{"--conf", map[string]string{"SPARK_CONF_DIR": dir}, []string{"-c", "spark.a=x=y", "--conf", `spark.b="quoted"`, "-c", "other=1"},
			map[string]string{"spark.a": "x=y", "spark.b": "quoted", "other": ""}},
		{"flags", nil, []string{"-c", "spark.master=local[9]", "--master", "local[2]", "-c", "spark.app.name=a", "--name", "b", "--queue", "q", "--supervise"},
			map[string]string{"spark.master": "local[2]", "spark.app.name": "b", "spark.yarn.queue": "q", "spark.driver.supervise": "true"}},
		{"amounts", nil, []string{"--driver-memory", "1g", "--executor-memory", "2g", "--executor-cores", "2", "--num-executors", "3", "--total-executor-cores", "6",
			"--driver-cores", "2"},
			map[string]string{"spark.driver.memory": "1g", "spark.executor.memory": "2g", "spark.executor.cores": "2", "spark.executor.instances": "3",
				"spark.cores.max": "6", "spark.driver.cores": "2"}},
		{"files", nil, []string{"--py-files", "a.zip,b.py", "--files", "f", "--jars", "j.jar", "--packages", "p"},
			map[string]string{"spark.submit.pyFiles": "a.zip,b.py", "spark.files": "f", "spark.jars": "j.jar", "spark.jars.packages": "p"}},
		{"arguments of the application", nil, []string{"--name", "n", "app.py", "--name", "theirs"}, map[string]string{"spark.app.name": "n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range strings.Fields("MASTER DEPLOY_MODE SPARK_CONF_DIR SPARK_HOME SPARK_DRIVER_MEMORY SPARK_EXECUTOR_MEMORY SPARK_EXECUTOR_CORES") {
				t.Setenv(name, c.env[name])
			}
			f := newFlags("submit", "")
			f.SetInterspersed(false)
			var app appFlags
			app.register(f)
			if err := app.parse(t.Context(), f, c.args); err != nil {
				t.Fatal(err)
			}
			o, err := app.options()
			if err != nil {
				t.Fatal(err)
			}
			for k, want := range c.want {
				if got := o.Conf[k]; got != want {
					t.Errorf("%s is %q, want %q", k, got, want)
				}
			}
			if o.Master != o.Conf["spark.master"] || o.Name != o.Conf["spark.app.name"] {
				t.Errorf("options say %q, %q", o.Master, o.Name)
			}
		})
	}
}

// TestHome: spark-defaults.conf is that of SPARK_HOME where SPARK_CONF_DIR is not set.
func TestHome(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "conf"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, home, "conf/spark-defaults.conf", "# comment\n\nspark.app.name   home's\n")
	t.Setenv("SPARK_CONF_DIR", "")
	t.Setenv("SPARK_HOME", home)
	var app appFlags
	if p, err := app.properties(); err != nil || p["spark.app.name"] != "home's" {
		t.Errorf("%v, %v", p, err)
	}
}

func TestMistakes(t *testing.T) {
	t.Setenv("SPARK_CONF_DIR", t.TempDir())
	for _, c := range []struct {
		args, want string
		usage      bool
	}{
		{"--bogus app.py", "unknown flag: --bogus", true},
		{"--master", "needs an argument", true},
		{"--conf novalue app.py", "Invalid argument to --conf: novalue", true},
		{"--properties-file /does/not/exist app.py", "Invalid properties file", true},
		{"--deploy-mode sideways app.py", `must be either "client" or "cluster"`, true},
		{"--driver-memory 0 app.py", "Driver memory must be a positive number", true},
		{"--executor-memory abc app.py", "Executor memory must be a positive number", true},
		{"--executor-cores -1 app.py", "Executor cores must be a positive number", true},
		{"--total-executor-cores 2g app.py", "Total executor cores must be a positive number", true},
		{"--num-executors 0 app.py", "Number of executors must be a positive number", true},
		{"--remote sc://h:1 --master local app.py", "Remote cannot be specified with master", true},
		{"--master foo://h app.py", "Could not parse Master URL", false},
		{"--proxy-user u app.py", "--proxy-user on master local[*]", false},
	} {
		f := newFlags("submit", "")
		f.SetInterspersed(false)
		var app appFlags
		app.register(f)
		err := app.parse(t.Context(), f, strings.Fields(c.args))
		if err == nil {
			_, err = app.options()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, new(usageError)) != c.usage {
			t.Errorf("%s: %v", c.args, err)
		}
	}
}

// TestHelp: every option is told, in Spark's order, and none is told twice.
func TestHelp(t *testing.T) {
	var out bytes.Buffer
	printOptions(&out, "submit")
	text, at := out.String(), -1
	for _, flag := range strings.Fields("master deploy-mode class name jars packages exclude-packages repositories py-files files archives conf properties-file " +
		"load-spark-defaults driver-memory driver-java-options driver-library-path driver-class-path executor-memory proxy-user help verbose version remote " +
		"driver-cores supervise kill status total-executor-cores executor-cores num-executors principal keytab queue") {
		next := strings.Index(text, "\n  --"+flag)
		if next <= at {
			t.Errorf("--%s is not told, or not where Spark tells it", flag)
		}
		at = next
	}
	f := newFlags("submit", "")
	var app appFlags
	app.register(f)
	if own := ownFlags(f.FlagSet, "submit").FlagUsages(); own != "" {
		t.Errorf("flags that the table of options does not have:\n%s", own)
	}
	for line := range strings.Lines(text) {
		if len(line) > 90 {
			t.Errorf("a long line: %s", line)
		}
	}
}

// TestFetch: an application and its Python files may lie elsewhere; copies of them go again.
func TestFetch(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/nowhere.py" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "from ", r.URL.Path)
	}))
	defer s.Close()
	o := session.Options{Conf: map[string]string{"spark.submit.pyFiles": "mine.py," + s.URL + "/lib/more.zip?x=1,local:///opt/there.py"}}
	f, argv, err := fetch(t.Context(), &o, []string{s.URL + "/program", "hdfs://an/argument"})
	if err != nil {
		t.Fatal(err)
	}
	files := append([]string{argv[0]}, strings.Split(o.Conf["spark.submit.pyFiles"], ",")...)
	if len(files) != 4 || files[1] != "mine.py" || files[3] != "/opt/there.py" || argv[1] != "hdfs://an/argument" {
		t.Fatalf("files %q, arguments %q", files, argv)
	}
	for name, want := range map[string]string{files[0]: "from /program", files[2]: "from /lib/more.zip"} {
		if b, err := os.ReadFile(name); string(b) != want {
			t.Errorf("%s has %q: %v", name, b, err)
		}
	}
	if filepath.Base(files[2]) != "more.zip" || !isProgram(files[0]) || isProgram(files[2]) {
		t.Errorf("files %q", files)
	}
	if err := f.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(files[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy is still there: %v", err)
	}
	for _, bad := range []string{s.URL + "/nowhere.py", "ftp://x/y.py"} {
		if f, _, err := fetch(t.Context(), &session.Options{}, []string{bad}); err == nil || f.any() {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if f, argv, err := fetch(t.Context(), &session.Options{}, []string{"file:/a/b.py"}); err != nil || argv[0] != "/a/b.py" || f.any() {
		t.Errorf("%q, %v", argv, err)
	}
}
