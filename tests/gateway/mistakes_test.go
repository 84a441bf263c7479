package gateway

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMistakes: what cannot work is told in words that help, soon, and nothing is started for it.
func TestMistakes(t *testing.T) {
	app := write(t, filepath.Join(t.TempDir(), "app.py"), "import sys; sys.exit(7)")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "spark://" + free.Addr().String()
	_ = free.Close() // nobody listens there now
	for _, c := range []struct {
		name string
		args string
		code int
		want []string
	}{
		{"no master at the address", "sql --master " + nobody + " -e select(1)", 1, []string{"no master of " + nobody, "connection refused"}},
		{"unknown scheme", "sql --master ftp://host:1 -e select(1)", 1, []string{"Could not parse Master URL: 'ftp://host:1'", "spark://host:port"}},
		{"unknown flag", "submit --bogus " + app, 2, []string{"unknown flag: --bogus"}},
		{"no application", "submit --master local", 2, []string{"needs an application"}},
		{"application that is not there", "submit --master local-cluster[1,1,512] /no/such/app.py", 1, []string{"cannot read the application", "/no/such/app.py"}},
		{"file that is not there", "submit --master local --files /no/such/file " + app, 1, []string{"--files", "/no/such/file"}},
		{"amount", "submit --executor-memory lots " + app, 2, []string{"Executor memory must be a positive number", "--executor-memory"}},
		{"JVM application", "submit --class a.B app.jar", 1, []string{"JVM applications cannot run here"}},
		{"cluster mode of a local master", "submit --master local --deploy-mode cluster " + app, 1, []string{"Cluster deploy mode is not applicable"}},
		{"cluster mode of a shell", "sql --deploy-mode cluster -e select(1)", 1, []string{"Cluster deploy mode is not applicable"}},
		{"status of a local master", "submit --master local --status driver-1", 1, []string{"keeps no submissions"}},
		{"unknown command", "sumbit", 2, []string{`no command "sumbit"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := try(t, nil, strings.Fields(c.args)...)
			if r.code != c.code {
				t.Errorf("exit status %d:\n%s", r.code, r.err)
			}
			for _, w := range c.want {
				if !strings.Contains(r.err, w) {
					t.Errorf("the error lacks %q:\n%s", w, r.err)
				}
			}
		})
	}
}

// TestExitStatus: of the application, also where a signal ended it.
func TestExitStatus(t *testing.T) {
	python := needs(t, "python3")
	for text, want := range map[string]int{"import sys; sys.exit(7)": 7, "raise ValueError('x')": 1, "import os; os.kill(os.getpid(), 9)": 137, "pass": 0} {
		app := write(t, filepath.Join(t.TempDir(), "app.py"), text)
		if r := try(t, []string{"PYSPARK_PYTHON=" + python}, "submit", "--master", "local[1]", app); r.code != want {
			t.Errorf("%s: exit status %d, want %d\n%s", text, r.code, want, r.err)
		}
	}
}

// TestSecrets: who does not know the secret of a cluster is refused, and told so.
func TestSecrets(t *testing.T) {
	conf := t.TempDir()
	write(t, filepath.Join(conf, "spark-defaults.conf"), "spark.authenticate true\nspark.authenticate.secret right\n")
	master := cluster(t, 1, 1, "SPARK_CONF_DIR="+conf)
	if r := try(t, []string{"SPARK_CONF_DIR=" + conf}, "sql", "--master", master, "--executor-memory", "512m", "-S", "--format", "tsv", "-e", "select 40 + 2"); r.out != "42\n" {
		t.Fatalf("with the secret: %+v", r)
	}
	other := t.TempDir()
	write(t, filepath.Join(other, "spark-defaults.conf"), "spark.authenticate true\nspark.authenticate.secret wrong\n")
	for name, env := range map[string]string{"wrong": "SPARK_CONF_DIR=" + other, "none": "SPARK_CONF_DIR="} {
		r := try(t, []string{env}, "sql", "--master", master, "-e", "select 1")
		if r.code != 1 || !strings.Contains(r.err, "secret") {
			t.Errorf("%s secret: exit status %d\n%s", name, r.code, r.err)
		}
		if r.took > 30*time.Second {
			t.Errorf("%s secret: it took %s to find out", name, r.took)
		}
	}
	if r := try(t, []string{"SPARK_CONF_DIR=" + other}, "worker", master, "--webui-port", "-1"); r.code == 0 || !strings.Contains(r.err, "secret") {
		t.Errorf("a worker with a wrong secret: %d\n%s", r.code, r.err)
	}
}

// TestTooBig: no worker has what is asked for. That is told as Spark tells it, and is an error after the time that was set.
func TestTooBig(t *testing.T) {
	conf := t.TempDir()
	write(t, filepath.Join(conf, "spark-defaults.conf"), "spark.starvation.timeout 1s\n")
	master := cluster(t, 1, 1, "SPARK_CONF_DIR="+conf)
	for _, flags := range []string{"--executor-memory 8g", "--executor-cores 4 --executor-memory 512m"} {
		args := append([]string{"sql", "--master", master, "-c", "spark.firesteel.noExecutorTimeout=3s", "-e", "select sum(id) from range(0, 100, 1, 2)"}, strings.Fields(flags)...)
		r := try(t, nil, args...)
		if r.code != 1 || !strings.Contains(r.err, "Initial job has not accepted any resources; check your cluster UI to ensure that workers are registered and have sufficient resources") ||
			!strings.Contains(r.err, "spark.firesteel.noExecutorTimeout") {
			t.Errorf("%s: exit status %d after %s\n%s", flags, r.code, r.took, r.err)
		}
	}
}

// TestPorts: a port that is in use is passed over as often as spark.port.maxRetries says, and told after that.
func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	query := []string{"sql", "--master", "local-cluster[1,1,512]", "-S", "--format", "tsv", "-e", "select 40 + 2", "-c", "spark.driver.port=" + port, "-c"}
	if r := try(t, nil, append(query, "spark.port.maxRetries=16")...); r.out != "42\n" {
		t.Errorf("with retries: %+v", r)
	}
	if r := try(t, nil, append(query, "spark.port.maxRetries=0")...); r.code != 1 || !strings.Contains(r.err, "spark.driver.port") || !strings.Contains(r.err, "address already in use") {
		t.Errorf("without retries: %+v", r)
	}
	for _, args := range [][]string{
		{"master", "--port", port, "--webui-port", "-1", "--rest-port", "-1"},
		{"connect", "--port", port, "--master", "local[1]", "-c", "spark.port.maxRetries=0"},
	} {
		if r := try(t, nil, args...); r.code != 1 || !strings.Contains(r.err, "address already in use") || !strings.Contains(r.err, port) {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// TestKerberosMistakes: a keytab that cannot be used ends the application at once. Without keytab and tickets it runs, and is told that its
// executors get no tokens: it may need none.
func TestKerberosMistakes(t *testing.T) {
	dir := t.TempDir()
	env := []string{"KRB5_CONFIG=" + write(t, filepath.Join(dir, "krb5.conf"), "[libdefaults]\ndefault_realm = HERE\n[realms]\nHERE = {\nkdc = 127.0.0.1:1\n}\n"),
		"KRB5CCNAME=" + filepath.Join(dir, "none")}
	sql := []string{"sql", "--master", "local-cluster[1,1,512]", "-S", "--format", "tsv", "-c", "spark.hadoop.hadoop.security.authentication=kerberos", "-e", "select 40 + 2"}
	if r := try(t, env, sql...); r.code != 0 || r.out != "42\n" || !strings.Contains(r.err, "executors get no tokens") || !strings.Contains(r.err, "no Kerberos credentials") {
		t.Errorf("without tickets: %+v", r)
	}
	for keytab, want := range map[string]string{filepath.Join(dir, "missing"): "no such file", write(t, filepath.Join(dir, "bad"), "no keys"): "keytab"} {
		r := try(t, env, append(sql, "-c", "spark.kerberos.principal=ann", "-c", "spark.kerberos.keytab="+keytab)...)
		if r.code == 0 || !strings.Contains(r.err, "keytab "+keytab) || !strings.Contains(r.err, want) {
			t.Errorf("%s: %+v", keytab, r)
		}
	}
}
