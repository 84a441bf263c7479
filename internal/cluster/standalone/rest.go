package standalone

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/conf"
)

// The submission protocol, version v1, as Spark's clients speak it over HTTP.
const (
	restVersion = "v1"
	maxRequest  = 32 << 20
	// unknownVersion is the status of a request in another version of the protocol.
	unknownVersion = 468
	// serverVersion is what clients are told: the Spark release whose protocol this is.
	serverVersion = "4.2.0"
)

// createRequest is a CreateSubmissionRequest.
type createRequest struct {
	Action               string            `json:"action"`
	ClientSparkVersion   string            `json:"clientSparkVersion"`
	Message              string            `json:"message"`
	AppResource          string            `json:"appResource"`
	MainClass            string            `json:"mainClass"`
	AppArgs              []string          `json:"appArgs"`
	SparkProperties      map[string]string `json:"sparkProperties"`
	EnvironmentVariables map[string]string `json:"environmentVariables"`
}

// submissions serves /v1/submissions.
func (m *Master) submissions() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/submissions/create", m.restCreate)
	mux.HandleFunc("POST /v1/submissions/kill/{id}", m.restKill)
	mux.HandleFunc("POST /v1/submissions/killall", func(w http.ResponseWriter, r *http.Request) {
		m.restAsk(w, r, "KillAllSubmissionResponse", func(a core.Ask) core.Event { return core.DriverKill{Ask: a, All: true} }, nil)
	})
	mux.HandleFunc("POST /v1/submissions/clear", func(w http.ResponseWriter, r *http.Request) {
		m.restAsk(w, r, "ClearResponse", func(a core.Ask) core.Event { return core.Clear{Ask: a} }, nil)
	})
	mux.HandleFunc("GET /v1/submissions/status/{id}", m.restStatus)
	mux.HandleFunc("GET /v1/submissions/readyz", m.restReady)
	mux.HandleFunc("/", restUnknown)
	return mux
}

// restUnknown answers what no other door takes: another version, or no action of this one.
func restUnknown(w http.ResponseWriter, r *http.Request) {
	const hint = " Please submit requests through http://[host]:[port]/" + restVersion + "/submissions/..."
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	switch {
	case len(parts) == 0:
		restError(w, http.StatusBadRequest, "Missing protocol version."+hint, nil)
	case parts[0] != restVersion:
		restError(w, unknownVersion, fmt.Sprintf("Unknown protocol version '%s'."+hint, parts[0]), map[string]any{"highestProtocolVersion": restVersion})
	case len(parts) == 1 || parts[1] != "submissions":
		restError(w, http.StatusBadRequest, "Missing the /submissions prefix."+hint, nil)
	case len(parts) == 3 && (parts[2] == "kill" || parts[2] == "status"):
		restError(w, http.StatusBadRequest, "Submission ID is missing in "+parts[2]+" request.", nil)
	default:
		restError(w, http.StatusBadRequest, "Missing an action: please specify one of /create, /kill, /killall, /clear or /status."+hint, nil)
	}
}

func restError(w http.ResponseWriter, code int, message string, more map[string]any) {
	body := map[string]any{"action": "ErrorResponse", "message": message, "serverSparkVersion": serverVersion}
	for k, v := range more {
		body[k] = v
	}
	writeJSON(w, code, body)
}

func (m *Master) restReady(w http.ResponseWriter, r *http.Request) {
	v, err := m.View(r.Context())
	if err != nil || v.Recovering {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"action": "ReadyzResponse", "serverSparkVersion": serverVersion, "success": false, "message": "Master is not ready."})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"action": "ReadyzResponse", "serverSparkVersion": serverVersion, "success": true, "message": ""})
}

func (m *Master) restCreate(w http.ResponseWriter, r *http.Request) {
	d, err := readCreate(r.Body)
	if err != nil {
		restError(w, http.StatusBadRequest, "Malformed request: "+err.Error(), nil)
		return
	}
	m.reachable(d.Conf)
	m.restAsk(w, r, "CreateSubmissionResponse", func(a core.Ask) core.Event { return core.DriverSubmitted{Ask: a, Desc: d} }, nil)
}

// reachable makes the master's URL of a submission one that drivers can use: clients name the port of this server.
func (m *Master) reachable(settings map[string]string) {
	_, rest, err := net.SplitHostPort(m.rest)
	if err != nil || settings["spark.master"] == "" {
		settings["spark.master"] = m.URL()
		return
	}
	settings["spark.master"] = strings.ReplaceAll(settings["spark.master"], ":"+rest, ":"+strconv.Itoa(m.server.Port()))
}

// checkSettings finds what is no number or size in the settings of a submission.
func checkSettings(settings map[string]string) error {
	for key, s := range settings {
		var err error
		switch key {
		case "spark.driver.supervise":
			_, err = strconv.ParseBool(s)
		case "spark.driver.cores", "spark.cores.max", "spark.executor.cores":
			_, err = strconv.Atoi(s)
		case "spark.driver.memory", "spark.executor.memory":
			_, err = conf.ParseBytes(s, 1<<20)
		}
		if err != nil {
			return fmt.Errorf("property %s has the value %q: %w", key, s, err)
		}
	}
	return nil
}

// readCreate reads and checks a CreateSubmissionRequest.
func readCreate(body io.Reader) (core.DriverDesc, error) {
	var q createRequest
	var d core.DriverDesc
	b, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
	if err != nil {
		return d, err
	}
	if len(b) > maxRequest {
		return d, fmt.Errorf("it has more than %d bytes", maxRequest)
	}
	if err := json.Unmarshal(b, &q); err != nil {
		return d, err
	}
	switch {
	case q.Action != "CreateSubmissionRequest":
		return d, fmt.Errorf("the action is %q, not CreateSubmissionRequest", q.Action)
	case q.AppResource == "":
		return d, errors.New("appResource is missing")
	case q.SparkProperties == nil:
		return d, errors.New("sparkProperties is missing")
	case q.ClientSparkVersion == "":
		return d, errors.New("clientSparkVersion is missing")
	}
	if err := checkSettings(q.SparkProperties); err != nil {
		return d, err
	}
	v := conf.NewValues(q.SparkProperties)
	d = core.DriverDesc{Resource: strings.TrimPrefix(strings.TrimPrefix(q.AppResource, "file://"), "file:"), MainClass: q.MainClass, Args: q.AppArgs,
		Conf: q.SparkProperties, Env: sparkOnly(q.EnvironmentVariables), Memory: v.Bytes("spark.driver.memory"), Cores: 1}
	if n, err := strconv.Atoi(q.SparkProperties["spark.driver.cores"]); err == nil && n > 0 {
		d.Cores = n
	}
	d.Supervise = q.SparkProperties["spark.driver.supervise"] == "true"
	if strings.HasSuffix(d.Resource, ".py") && len(d.Args) > 1 && d.Args[0] == q.AppResource {
		d.Args = d.Args[1:] // as clients of Python programs repeat it
	}
	return d, nil
}

// sparkOnly keeps the variables that belong to Spark; others of the client's machine would mislead the driver.
func sparkOnly(env map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range env {
		if (strings.HasPrefix(k, "SPARK_") || strings.HasPrefix(k, "PYSPARK_")) && k != "SPARK_ENV_LOADED" && k != "SPARK_HOME" && k != "SPARK_CONF_DIR" {
			out[k] = v
		}
	}
	return out
}

// restAsk puts a question to the master and writes its answer.
func (m *Master) restAsk(w http.ResponseWriter, r *http.Request, action string, question func(core.Ask) core.Event, more map[string]any) {
	reply, err := m.Ask(r.Context(), question)
	if err != nil {
		restError(w, http.StatusServiceUnavailable, err.Error(), nil)
		return
	}
	body := map[string]any{"action": action, "message": reply.Message, "serverSparkVersion": serverVersion, "success": reply.OK}
	if reply.ID != "" {
		body["submissionId"] = reply.ID
	}
	for k, v := range more {
		body[k] = v
	}
	writeJSON(w, http.StatusOK, body)
}

func (m *Master) restKill(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	m.restAsk(w, r, "KillSubmissionResponse", func(a core.Ask) core.Event { return core.DriverKill{Ask: a, ID: id} }, map[string]any{"submissionId": id})
}

func (m *Master) restStatus(w http.ResponseWriter, r *http.Request) {
	v, err := m.View(r.Context())
	if err != nil {
		restError(w, http.StatusServiceUnavailable, err.Error(), nil)
		return
	}
	id := r.PathValue("id")
	d, ok := findDriver(v, id)
	body := map[string]any{"action": "SubmissionStatusResponse", "serverSparkVersion": serverVersion, "submissionId": id, "success": ok}
	if ok {
		body["driverState"] = d.State
		if d.Worker != "" {
			body["workerId"], body["workerHostPort"] = d.Worker, d.Host
		}
		if d.Reason != "" {
			body["message"] = d.Reason
		}
	}
	writeJSON(w, http.StatusOK, body)
}
