package chaos

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ask makes a request and gives the status, the header and the body.
func ask(t *testing.T, by *http.Client, method, url, body string, header map[string]string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(timeout(t, 20*time.Second), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	r.Close = true
	a, err := by.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, a.Header, string(b)
}

// pages starts a master with pages and submissions and a worker, with settings of theirs.
func pages(t *testing.T, settings string) (master, worker *process, url, page, rest, workerPage string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "daemons.conf")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	master = start(t, launch{args: []string{"master", "--port", "0", "--webui-port", "0", "--rest-port", "0", "--properties-file", file}, bare: true})
	url = master.see(`master at (spark://[0-9.:]+)`, 20*time.Second)
	page = master.see(`status page (https?://[0-9.:]+)`, 20*time.Second)
	rest = master.see(`submissions (https?://[0-9.:]+)`, 20*time.Second)
	worker = start(t, launch{args: []string{"worker", url, "--cores", "2", "--memory", "2g", "--webui-port", "0", "--work-dir", filepath.Join(dir, "work"),
		"--properties-file", file}, bare: true})
	worker.see(`(worker-\S+) with 2 cores`, 20*time.Second)
	return master, worker, url, page, rest, worker.see(`status page (https?://[0-9.:]+)`, 20*time.Second)
}

const submitted = `{"action":"CreateSubmissionRequest","clientSparkVersion":"4.2.0","appResource":%APP%,"mainClass":"","appArgs":[],` +
	`"environmentVariables":{},"sparkProperties":{"spark.app.name":"x","spark.master":"spark://127.0.0.1:1","spark.submit.deployMode":"cluster","spark.driver.memory":"64m"}}`

// TestHostilePages is X07 and X10 for the pages of a standalone cluster: what others may name comes out as text, nothing may
// run on a page, and pages of other sites cannot have anything done.
func TestHostilePages(t *testing.T) {
	t.Parallel() // it mostly waits
	_, _, url, page, rest, workerPage := pages(t, "")
	hostile := `</td><img src=x onerror=alert(1)><script>alert(2)</script>"'`
	s := serve(t, launch{args: []string{"--master", url, "--executor-memory", "512m"}, conf: []string{"spark.app.name=" + hostile, "spark.cores.max=1"}})
	if _, err := s.connect(t).query(timeout(t, time.Minute), "select 1"); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "<img src=x onerror=alert(3)>.py")
	if err := os.WriteFile(program, []byte("import time\ntime.sleep(60)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	create := strings.ReplaceAll(strings.ReplaceAll(submitted, "%APP%", `"file:`+program+`"`), `"spark.app.name":"x"`, `"spark.app.name":"x","spark.some.password":"of-this-driver"`)
	for _, c := range []struct{ method, path, body, header, value string }{
		{"POST", "/v1/submissions/create", create, "Origin", "http://elsewhere.example"},
		{"POST", "/v1/submissions/create", create, "Origin", "null"},
		{"POST", "/v1/submissions/create", create, "Origin", rest}, // a name of theirs may lead here
		{"POST", "/v1/submissions/kill/driver-1", "", "Sec-Fetch-Site", "cross-site"},
		{"POST", "/v1/submissions/killall", "", "Origin", "http://elsewhere.example"},
		{"POST", "/v1/submissions/clear", "", "Origin", "http://elsewhere.example"},
	} {
		if code, _, body := ask(t, http.DefaultClient, c.method, rest+c.path, c.body, map[string]string{c.header: c.value}); code != http.StatusForbidden {
			t.Errorf("%s %s with %s %s: %d %s", c.method, c.path, c.header, c.value, code, body)
		}
	}
	for _, path := range []string{"create", "kill/driver-1", "killall", "clear"} {
		if code, _, _ := ask(t, http.DefaultClient, "GET", rest+"/v1/submissions/"+path, "", nil); code != http.StatusMethodNotAllowed {
			t.Errorf("GET of %s: %d", path, code)
		}
	}
	if code, _, body := ask(t, http.DefaultClient, "POST", rest+"/v1/submissions/create", create, nil); code != http.StatusOK {
		t.Errorf("a program is refused: %d %s", code, body)
	}
	eventually(t, 20*time.Second, "the worker shows its driver", func() bool {
		_, _, body := ask(t, http.DefaultClient, "GET", workerPage+"/json/", "", nil)
		return strings.Contains(body, `"driver-`)
	})
	for _, at := range []string{page + "/", workerPage + "/"} {
		code, _, body := ask(t, http.DefaultClient, "GET", at, "", nil)
		if code != http.StatusOK || strings.Contains(body, "<img") || strings.Contains(body, "<script") {
			t.Errorf("%s: %d\n%s", at, code, body)
		}
		if at == page+"/" && (!strings.Contains(body, "&lt;script&gt;alert(2)") || !strings.Contains(body, "onerror=alert(3)")) {
			t.Errorf("the page does not show the names:\n%s", body)
		}
	}
	for _, at := range []string{page + "/json/", workerPage + "/json/"} {
		_, header, body := ask(t, http.DefaultClient, "GET", at, "", nil)
		if !strings.HasPrefix(header.Get("Content-Type"), "application/json") || strings.Contains(body, "<img") {
			t.Errorf("%s: %v\n%s", at, header, body)
		}
		if strings.Contains(body, "of-this-driver") {
			t.Errorf("%s shows the settings of a driver:\n%s", at, body)
		}
	}
	for _, at := range []string{page + "/", page + "/json/", page + "/<script>", workerPage + "/", workerPage + "/json/", workerPage + "/none", rest + "/v1/submissions/status/<b>", rest + "/"} {
		_, header, _ := ask(t, http.DefaultClient, "GET", at, "", nil)
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s has the policy %q", at, policy)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", at, header)
		}
	}
}

// TestSubmissionsNeedTrust is X18: where a cluster asks for a secret, submissions without one are not taken, and nobody acts for
// another user where that is not checked.
func TestSubmissionsNeedTrust(t *testing.T) {
	t.Parallel() // it mostly waits
	m := start(t, launch{args: []string{"master", "--port", "0", "--webui-port", "-1", "--rest-port", "0"}, bare: true,
		env: []string{"SPARK_AUTHENTICATE_SECRET=of-this-test"}})
	if m.wait(20*time.Second) == 0 || !strings.Contains(m.err.String(), "submission server cannot ask for spark.authenticate.secret") {
		t.Errorf("a master with a secret takes submissions of everybody:\n%s", m.err.String())
	}
	app := filepath.Join(t.TempDir(), "app.py")
	if err := os.WriteFile(app, []byte("print(1)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, launch{args: []string{"submit", "--master", "local[1]", "--proxy-user", "root", app}, bare: true})
	if p.wait(20*time.Second) == 0 || !strings.Contains(p.err.String(), "--proxy-user") {
		t.Errorf("--proxy-user is taken:\n%s", p.err.String())
	}
}
