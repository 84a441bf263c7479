package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Markers stand for secrets: none of them may be seen anywhere.
const (
	clusterMarker = "marker-of-the-cluster-7f3a"
	otherMarker   = "marker-of-a-setting-9c1d"
)

// TestSecrets is X13, X05 and X03 for a cluster of real processes: with a shared secret and TLS between all of them a query
// is answered, and neither lists of processes, environments, logs, pages, files nor answers show a secret.
func TestSecrets(t *testing.T) {
	t.Parallel() // it mostly waits
	dir := t.TempDir()
	settings := filepath.Join(dir, "secret.conf")
	text := "spark.authenticate true\nspark.authenticate.secret " + clusterMarker + "\nspark.firesteel.tls auto\nspark.io.encryption.enabled true\n" +
		"spark.some.password " + otherMarker + "\nspark.log.level INFO\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	master := start(t, launch{args: []string{"master", "--port", "0", "--webui-port", "0", "--rest-port", "-1", "--properties-file", settings}, bare: true})
	url := master.see(`master at (spark://[0-9.:]+)`, 20*time.Second)
	page := master.see(`status page (http://[0-9.:]+)`, 20*time.Second)
	work, local := filepath.Join(dir, "work"), filepath.Join(dir, "local")
	worker := start(t, launch{args: []string{"worker", url, "--cores", "2", "--memory", "2g", "--webui-port", "-1", "--work-dir", work, "--properties-file", settings},
		env: []string{"SPARK_LOCAL_DIRS=" + local, "SPARK_AUTHENTICATE_SECRET=" + clusterMarker}, bare: true})
	worker.see(`(worker-\S+) with 2 cores`, 20*time.Second)
	s := serve(t, launch{args: []string{"--master", url, "--executor-memory", "512m", "--properties-file", settings},
		env: []string{"SPARK_AUTHENTICATE_SECRET=" + clusterMarker}})
	c := s.connect(t)
	rows, err := c.query(timeout(t, time.Minute), "select count(*), sum(c) from (select id % 1000 k, count(*) c from range(0, 100000, 1, 4) group by 1)")
	if err != nil || strings.Join(rows, "") != "1000\t100000" {
		t.Fatalf("got %v %v\n%s", rows, err, tail(s.err.String(), 2000))
	}
	seen := map[string][]byte{"the master's log": []byte(master.err.String()), "the worker's log": []byte(worker.err.String()), "the server's log": []byte(s.err.String())}
	for _, q := range []string{"set", "set -v", "set spark.some.password", "set spark.authenticate.secret"} {
		rows, err := c.query(timeout(t, 30*time.Second), q)
		seen[q] = []byte(strings.Join(rows, "\n") + fmt.Sprint(err))
	}
	for _, path := range []string{"/", "/json/"} {
		seen["the master's page "+path] = get(t, page+path)
	}
	executors := 0
	for _, pid := range descendants(t, worker.cmd.Process.Pid, s.cmd.Process.Pid, master.cmd.Process.Pid) {
		args, err := os.ReadFile("/proc/" + pid + "/cmdline")
		if err != nil {
			continue
		}
		seen["the arguments of "+pid] = args
		if bytes.Contains(args, []byte("\x00executor\x00")) {
			executors++
			env, err := os.ReadFile("/proc/" + pid + "/environ")
			if err != nil {
				t.Error(err)
			}
			seen["the environment of executor "+pid] = env
			if bytes.Contains(env, []byte("_FIRESTEEL_SECRET")) {
				t.Errorf("the application's secret is in the environment of executor %s", pid)
			}
		}
	}
	if executors == 0 {
		t.Error("no executor was found")
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || path == settings || err == nil && d.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		if data, err := os.ReadFile(path); err == nil {
			seen[path] = data
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for where, what := range seen {
		for _, marker := range []string{clusterMarker, otherMarker} {
			if i := bytes.Index(what, []byte(marker)); i >= 0 {
				t.Errorf("%s shows %s: …%s", where, marker, tail(string(what[:i]), 80))
			}
		}
	}
	// Who does not speak TLS, or knows another secret, is turned away with a reason.
	address := strings.TrimPrefix(url, "spark://")
	plain := start(t, launch{args: []string{"worker", "spark://" + address, "--webui-port", "-1", "--work-dir", filepath.Join(dir, "other")},
		env: []string{"SPARK_AUTHENTICATE_SECRET=" + clusterMarker}, bare: true})
	if plain.wait(time.Minute) == 0 {
		t.Error("a worker without TLS was let in")
	}
	if !strings.Contains(master.err.String(), "does not speak TLS") {
		t.Errorf("the master says nothing of the worker without TLS:\n%s", tail(master.err.String(), 1000))
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// descendants are processes and all that they started.
func descendants(t *testing.T, roots ...int) []string {
	t.Helper()
	var out []string
	for _, r := range roots {
		out = append(out, fmt.Sprint(r))
	}
	for i := 0; i < len(out); i++ {
		lists, _ := filepath.Glob("/proc/" + out[i] + "/task/*/children") // it may have ended
		for _, l := range lists {
			data, _ := os.ReadFile(l)
			out = append(out, strings.Fields(string(data))...)
		}
	}
	return out
}
