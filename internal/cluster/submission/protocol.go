// Package submission is the protocol by which drivers are submitted to a cluster over HTTP, version v1, as Spark's clients
// speak it: the standalone master and the dispatcher of Mesos serve it.
//
// # Contract
//
// Handler reads and checks requests and writes answers; what they mean is the Server's. Client asks such a server.
package submission

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/conf"
)

// The protocol's version, what clients are told of the server (the Spark release whose protocol this is), and the status of
// a request in another version.
const (
	Version        = "v1"
	ServerVersion  = "4.2.0"
	UnknownVersion = 468
)

// maxMessage bounds a request or an answer, in bytes.
const maxMessage = 32 << 20

// Request is a CreateSubmissionRequest.
type Request struct {
	Action               string            `json:"action"`
	ClientSparkVersion   string            `json:"clientSparkVersion"`
	Message              string            `json:"message,omitempty"`
	AppResource          string            `json:"appResource"`
	MainClass            string            `json:"mainClass"`
	AppArgs              []string          `json:"appArgs"`
	SparkProperties      map[string]string `json:"sparkProperties"`
	EnvironmentVariables map[string]string `json:"environmentVariables"`
}

// Driver is what a request asks for, checked.
type Driver struct {
	Resource, MainClass string
	Args                []string
	Conf, Env           map[string]string
	Cores               int
	Memory              int64
	Supervise           bool
}

// Reply answers a request: ID is the driver's, if it is about one.
type Reply struct {
	OK          bool
	ID, Message string
}

// State is what is known of a driver; Found is false if nothing is.
type State struct {
	Found                         bool
	State, Worker, Place, Message string
}

// Server is who runs drivers. An error means that it cannot answer now.
type Server interface {
	Create(ctx context.Context, d Driver) (Reply, error)
	Kill(ctx context.Context, id string) (Reply, error)
	KillAll(ctx context.Context) (Reply, error)
	Clear(ctx context.Context) (Reply, error)
	Status(ctx context.Context, id string) (State, error)
	Ready(ctx context.Context) error
}

// Logger is a Server that has what drivers write, to stdout or stderr. It is served besides the protocol, at log/ID/STREAM.
type Logger interface {
	Log(ctx context.Context, id, stream string) (io.ReadCloser, error)
}

// response is any answer.
type response struct {
	Action    string  `json:"action"`
	Version   string  `json:"serverSparkVersion"`
	ID        string  `json:"submissionId,omitempty"`
	Success   *bool   `json:"success,omitempty"`
	Message   *string `json:"message,omitempty"`
	State     string  `json:"driverState,omitempty"`
	Worker    string  `json:"workerId,omitempty"`
	Place     string  `json:"workerHostPort,omitempty"`
	Supported string  `json:"highestProtocolVersion,omitempty"`
}

// Handler serves /v1/submissions. What is asked for is written to the audit log.
func Handler(by Server, log *audit.Log) http.Handler {
	mux, s := http.NewServeMux(), audited{by, log}
	mux.HandleFunc("POST /v1/submissions/create", func(w http.ResponseWriter, r *http.Request) { create(s, w, r) })
	reply := func(path, action string, ask func(r *http.Request) (Reply, error)) {
		mux.HandleFunc("POST /v1/submissions/"+path, func(w http.ResponseWriter, r *http.Request) {
			a, err := ask(r)
			answer(w, action, a, err)
		})
	}
	reply("kill/{id}", "KillSubmissionResponse", func(r *http.Request) (Reply, error) {
		a, err := s.Kill(r.Context(), r.PathValue("id"))
		a.ID = r.PathValue("id")
		return a, err
	})
	reply("killall", "KillAllSubmissionResponse", func(r *http.Request) (Reply, error) { return s.KillAll(r.Context()) })
	reply("clear", "ClearResponse", func(r *http.Request) (Reply, error) { return s.Clear(r.Context()) })
	mux.HandleFunc("GET /v1/submissions/status/{id}", func(w http.ResponseWriter, r *http.Request) { status(s, w, r) })
	mux.HandleFunc("GET /v1/submissions/readyz", func(w http.ResponseWriter, r *http.Request) {
		err, code, message := s.Ready(r.Context()), http.StatusOK, ""
		if err != nil {
			code, message = http.StatusServiceUnavailable, err.Error()
		}
		write(w, code, &response{Action: "ReadyzResponse", Success: flag(err == nil), Message: &message})
	})
	if l, ok := by.(Logger); ok {
		mux.HandleFunc("GET /v1/submissions/log/{id}/{stream}", func(w http.ResponseWriter, r *http.Request) { readLog(l, w, r) })
	}
	mux.HandleFunc("/", unknown)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if FromPage(r) {
			log.Refuse(audit.Action{Name: "submission", Peer: r.RemoteAddr, Statement: r.Method + " " + r.URL.Path}, "a page of a browser sent it")
			refuse(w, http.StatusForbidden, "Submissions are not taken from pages of a browser")
			return
		}
		mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), peerKey{}, r.RemoteAddr)))
	})
}

// FromPage says whether a page had a browser send a request that changes something. Programs do not name a page, and any site
// could have a reader's browser do it where no password is asked; the site may even claim to be this host.
func FromPage(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return !reads && (r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "")
}

// methods are those of the actions.
var methods = map[string]string{"create": http.MethodPost, "kill": http.MethodPost, "killall": http.MethodPost, "clear": http.MethodPost,
	"status": http.MethodGet, "readyz": http.MethodGet}

// unknown answers what no other door takes: another version, or no action of this one.
func unknown(w http.ResponseWriter, r *http.Request) {
	const hint = " Please submit requests through http://[host]:[port]/" + Version + "/submissions/..."
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	e := &response{Action: "ErrorResponse"}
	code, message := http.StatusBadRequest, ""
	action := ""
	if len(parts) > 2 {
		action = parts[2]
	}
	switch {
	case len(parts) == 0:
		message = "Missing protocol version." + hint
	case parts[0] != Version:
		code, e.Supported, message = UnknownVersion, Version, fmt.Sprintf("Unknown protocol version '%s'."+hint, parts[0])
	case len(parts) == 1 || parts[1] != "submissions":
		message = "Missing the /submissions prefix." + hint
	case methods[action] != "" && methods[action] != r.Method:
		code, message = http.StatusMethodNotAllowed, "HTTP method "+r.Method+" is not supported by this URL"
		w.Header().Set("Allow", methods[action])
	case len(parts) == 3 && (action == "kill" || action == "status"):
		message = "Submission ID is missing in " + action + " request."
	default:
		message = "Missing an action: please specify one of /create, /kill, /killall, /clear, /status, or /readyz." + hint
	}
	e.Message = &message
	write(w, code, e)
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, code int, message string) {
	write(w, code, &response{Action: "ErrorResponse", Message: &message})
}

func flag(b bool) *bool { return &b }

func write(w http.ResponseWriter, code int, v *response) {
	v.Version = ServerVersion
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the reader is gone
}

func answer(w http.ResponseWriter, action string, a Reply, err error) {
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	write(w, http.StatusOK, &response{Action: action, ID: a.ID, Success: &a.OK, Message: &a.Message})
}

func create(s Server, w http.ResponseWriter, r *http.Request) {
	d, err := read(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Malformed request: "+err.Error())
		return
	}
	a, err := s.Create(r.Context(), d)
	answer(w, "CreateSubmissionResponse", a, err)
}

func status(s Server, w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	d, err := s.Status(r.Context(), id)
	if err != nil {
		answer(w, "", Reply{}, err)
		return
	}
	out := &response{Action: "SubmissionStatusResponse", ID: id, Success: &d.Found, State: d.State, Worker: d.Worker, Place: d.Place}
	if d.Message != "" {
		out.Message = &d.Message
	}
	write(w, http.StatusOK, out)
}

func readLog(l Logger, w http.ResponseWriter, r *http.Request) {
	in, err := l.Log(r.Context(), r.PathValue("id"), r.PathValue("stream"))
	if err != nil {
		refuse(w, http.StatusNotFound, err.Error())
		return
	}
	defer in.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.Copy(w, in) // whoever reads sees that it is cut off
}

// check finds what is no number or size in the settings of a driver.
func check(settings map[string]string) error {
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

// read reads and checks a CreateSubmissionRequest.
func read(body io.Reader) (d Driver, err error) {
	b, err := io.ReadAll(io.LimitReader(body, maxMessage+1))
	if err != nil {
		return d, err
	}
	if len(b) > maxMessage {
		return d, fmt.Errorf("it has more than %d bytes", maxMessage)
	}
	var q Request
	if err := json.Unmarshal(b, &q); err != nil {
		return d, err
	}
	switch {
	case q.Action == "":
		return d, fmt.Errorf("Action field not found in JSON:\n%s", b)
	case q.Action != "CreateSubmissionRequest":
		return d, fmt.Errorf("the action is %q, not CreateSubmissionRequest", q.Action)
	case q.AppResource == "":
		return d, errors.New("appResource is missing")
	case q.SparkProperties == nil:
		return d, errors.New("sparkProperties is missing")
	case q.ClientSparkVersion == "":
		return d, errors.New("clientSparkVersion is missing")
	}
	if err := check(q.SparkProperties); err != nil {
		return d, err
	}
	return driver(&q), nil
}

// driver is what a request that was checked asks for.
func driver(q *Request) Driver {
	v := conf.NewValues(q.SparkProperties)
	d := Driver{Resource: strings.TrimPrefix(strings.TrimPrefix(q.AppResource, "file://"), "file:"), MainClass: q.MainClass, Args: q.AppArgs,
		Conf: q.SparkProperties, Env: sparkOnly(q.EnvironmentVariables), Memory: v.Bytes("spark.driver.memory"), Cores: 1}
	if n, err := strconv.Atoi(q.SparkProperties["spark.driver.cores"]); err == nil && n > 0 {
		d.Cores = n
	}
	d.Supervise = q.SparkProperties["spark.driver.supervise"] == "true"
	if strings.HasSuffix(d.Resource, ".py") && len(d.Args) > 1 && d.Args[0] == q.AppResource {
		d.Args = d.Args[1:] // as clients of Python programs repeat it
	}
	return d
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
