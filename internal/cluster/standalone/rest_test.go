package standalone

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/cluster/submission"
)

// restMaster is a master in this process with its submission server and a worker.
func restMaster(t *testing.T) *Master {
	t.Helper()
	m, err := StartMaster(MasterOptions{WebUI: 0, REST: 0, Core: quick()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	startWorker(t, &daemon{says: m.Addr()}, 1, "")
	return m
}

// call makes a request and reads its answer.
func call(t *testing.T, method, url, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	r.Close = true
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("the answer is no JSON: %s", b)
	}
	if out["serverSparkVersion"] != submission.ServerVersion {
		t.Errorf("answer without a version: %s", b)
	}
	return a.StatusCode, out
}

// request is a CreateSubmissionRequest as Spark's client sends it.
func request(args []string, more map[string]string) string {
	settings := map[string]string{"spark.app.name": "app", "spark.master": "spark://127.0.0.1:6066", "spark.submit.deployMode": "cluster", "spark.driver.memory": "64m"}
	for k, v := range more {
		settings[k] = v
	}
	b, _ := json.Marshal(submission.Request{Action: "CreateSubmissionRequest", ClientSparkVersion: "4.2.0", AppResource: "file:/app.py", AppArgs: args,
		SparkProperties: settings, EnvironmentVariables: map[string]string{"SPARK_ENV_LOADED": "1", "HOME": "/elsewhere"}})
	return string(b)
}

func TestSubmissions(t *testing.T) {
	m := restMaster(t)
	base := "http://" + m.REST() + "/v1/submissions/"
	status := func(id, want string) map[string]any {
		t.Helper()
		var body map[string]any
		clustertest.Eventually(t, func() string {
			code, b := call(t, "GET", base+"status/"+id, "")
			if body = b; code != http.StatusOK || b["driverState"] != want {
				return "the driver is " + b["driverState"].(string)
			}
			return ""
		})
		return body
	}
	create := func(args []string, more map[string]string) string {
		t.Helper()
		code, b := call(t, "POST", base+"create", request(args, more))
		if code != http.StatusOK || b["action"] != "CreateSubmissionResponse" || b["success"] != true {
			t.Fatalf("create: %d %v", code, b)
		}
		return b["submissionId"].(string)
	}
	status(create([]string{"exit", "0"}, nil), "FINISHED")
	status(create([]string{"exit", "4"}, nil), "FAILED")
	status(create([]string{"once", filepath.Join(t.TempDir(), "x")}, map[string]string{"spark.driver.supervise": "true"}), "FINISHED")
	id := create([]string{"sleep"}, nil)
	if b := status(id, "RUNNING"); !strings.HasPrefix(b["workerId"].(string), "worker-") {
		t.Errorf("a running driver: %v", b)
	}
	waits := create([]string{"sleep"}, nil)
	status(waits, "SUBMITTED") // the worker has one core
	if code, b := call(t, "POST", base+"kill/"+id, ""); code != http.StatusOK || b["action"] != "KillSubmissionResponse" || b["success"] != true || b["submissionId"] != id {
		t.Errorf("kill: %d %v", code, b)
	}
	status(id, "KILLED")
	status(waits, "RUNNING")
	if code, b := call(t, "POST", base+"killall", ""); code != http.StatusOK || b["action"] != "KillAllSubmissionResponse" || b["success"] != true {
		t.Errorf("killall: %d %v", code, b)
	}
	status(waits, "KILLED")
	if code, b := call(t, "POST", base+"clear", ""); code != http.StatusOK || b["action"] != "ClearResponse" || b["success"] != true {
		t.Errorf("clear: %d %v", code, b)
	}
	if _, b := call(t, "GET", base+"status/"+id, ""); b["success"] != false {
		t.Errorf("a driver that was cleared: %v", b)
	}
	if code, b := call(t, "GET", base+"readyz", ""); code != http.StatusOK || b["success"] != true {
		t.Errorf("readyz: %d %v", code, b)
	}
}

func TestSubmissionErrors(t *testing.T) {
	m, err := StartMaster(MasterOptions{WebUI: -1, REST: 0, Core: quick()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	good := request(nil, nil)
	without := func(field string) string {
		var q map[string]any
		_ = json.Unmarshal([]byte(good), &q)
		delete(q, field)
		b, _ := json.Marshal(q)
		return string(b)
	}
	for _, c := range []struct {
		name, method, path, body string
		code                     int
		says                     string
	}{
		{"root", "GET", "/", "", 400, "Missing protocol version."},
		{"no prefix", "GET", "/v1", "", 400, "Missing the /submissions prefix."},
		{"no action", "GET", "/v1/submissions", "", 400, "Missing an action: please specify one of /create, /kill, /killall, /clear, /status, or /readyz. Please submit requests through"},
		{"unknown action", "POST", "/v1/submissions/launch", "", 400, "Missing an action"},
		{"wrong version", "POST", "/v2/submissions/create", good, 468, "Unknown protocol version 'v2'."},
		{"wrong method", "GET", "/v1/submissions/create", "", 405, "HTTP method GET is not supported by this URL"},
		{"wrong method for a driver", "POST", "/v1/submissions/status/driver-1", "", 405, "HTTP method POST is not supported by this URL"},
		{"no action in it", "POST", "/v1/submissions/create", "{}", 400, "Malformed request: Action field not found in JSON:\n{}"},
		{"kill nobody", "POST", "/v1/submissions/kill/", "", 400, "Submission ID is missing in kill request."},
		{"status of nobody", "GET", "/v1/submissions/status/", "", 400, "Submission ID is missing in status request."},
		{"unknown id killed", "POST", "/v1/submissions/kill/driver-1", "", 200, "Driver driver-1 has already finished or does not exist"},
		{"unknown id asked", "GET", "/v1/submissions/status/driver-1", "", 200, ""},
		{"empty", "POST", "/v1/submissions/create", "", 400, "Malformed request"},
		{"no JSON", "POST", "/v1/submissions/create", "{nope", 400, "Malformed request"},
		{"JSON of another kind", "POST", "/v1/submissions/create", "[1]", 400, "Malformed request"},
		{"another action", "POST", "/v1/submissions/create", strings.Replace(good, "CreateSubmissionRequest", "KillSubmissionRequest", 1), 400, "KillSubmissionRequest"},
		{"no resource", "POST", "/v1/submissions/create", without("appResource"), 400, "appResource"},
		{"no properties", "POST", "/v1/submissions/create", without("sparkProperties"), 400, "sparkProperties"},
		{"no client version", "POST", "/v1/submissions/create", without("clientSparkVersion"), 400, "clientSparkVersion"},
		{"bad memory", "POST", "/v1/submissions/create", request(nil, map[string]string{"spark.driver.memory": "much"}), 400, "spark.driver.memory"},
		{"bad cores", "POST", "/v1/submissions/create", request(nil, map[string]string{"spark.driver.cores": "two"}), 400, "spark.driver.cores"},
		{"bad supervise", "POST", "/v1/submissions/create", request(nil, map[string]string{"spark.driver.supervise": "often"}), 400, "spark.driver.supervise"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, b := call(t, c.method, "http://"+m.REST()+c.path, c.body)
			message, _ := b["message"].(string)
			if code != c.code || !strings.Contains(message, c.says) || code != 200 && b["action"] != "ErrorResponse" || code == 200 && b["success"] != false {
				t.Errorf("%d %v", code, b)
			}
			if code == submission.UnknownVersion && b["highestProtocolVersion"] != submission.Version {
				t.Errorf("no version to go on with: %v", b)
			}
		})
	}
}

// A client names the port of the submission server as its master's; drivers need the master's own.
func TestSubmittedMaster(t *testing.T) {
	m, err := StartMaster(MasterOptions{WebUI: -1, REST: 0, Core: quick()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for given, want := range map[string]string{"": m.URL(), "spark://" + m.REST(): m.URL(), "spark://other:1": "spark://other:1"} {
		s := map[string]string{"spark.master": given}
		if m.reachable(s); s["spark.master"] != want {
			t.Errorf("%q became %q, want %q", given, s["spark.master"], want)
		}
	}
}

func TestDecommissionOverHTTP(t *testing.T) {
	for mode, want := range map[string]int{"": 200, "LOCAL": 200, "ALLOW": 200, "DENY": 405} {
		m, err := StartMaster(MasterOptions{WebUI: 0, REST: -1, Core: quick(), Decommission: mode})
		if err != nil {
			t.Fatal(err)
		}
		w, _ := startWorker(t, &daemon{says: m.Addr()}, 1, "")
		post := func(query, origin string) (int, string) {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+m.WebUI()+"/workers/kill/"+query, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Close = true
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			b, err := io.ReadAll(a.Body)
			if err != nil {
				t.Fatal(err)
			}
			return a.StatusCode, string(b)
		}
		if code, _ := post("?host=127.0.0.1", "http://elsewhere"); code != 405 {
			t.Errorf("%s: a page of another site got %d", mode, code)
		}
		if code, _ := post("", ""); want == 200 && code != 400 {
			t.Errorf("%s: without a host: %d", mode, code)
		}
		if code, body := post("?host=h7&host=127.0.0.1", ""); code != want || want == 200 && !strings.Contains(body, w.says) {
			t.Errorf("%s: %d %s", mode, code, body)
		}
		if want == 200 {
			if err := w.Wait(); err != nil {
				t.Errorf("the worker ended with %v", err)
			}
		}
		m.Close()
	}
}
