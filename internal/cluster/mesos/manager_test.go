package mesos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

func TestMain(m *testing.M) {
	clustertest.ExecutorMain()
	goleak.VerifyTestMain(m)
}

// master is a Mesos master as far as one framework sees it: it offers one agent, runs nothing, and tells what the test says.
type master struct {
	*httptest.Server
	mu    sync.Mutex
	login login
	end   chan struct{}
	out   chan string
	calls chan call
	subs  []call
	known string // the framework's id
}

func newMaster(t *testing.T) *master {
	m := &master{out: make(chan string, 20), calls: make(chan call, 100), end: make(chan struct{})}
	m.Server = httptest.NewServer(m)
	t.Cleanup(func() { m.hangUp(); m.Close() })
	return m
}

func (m *master) address() string { return strings.TrimPrefix(m.URL, "http://") }

// hangUp ends the stream.
func (m *master) hangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.end)
	m.end = make(chan struct{})
}

func (m *master) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.login.secret != "" {
		if who, secret, _ := r.BasicAuth(); who != m.login.principal || secret != m.login.secret {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
	}
	var c call
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || r.URL.Path != apiPath {
		http.Error(w, fmt.Sprint("cannot read: ", err), http.StatusBadRequest)
		return
	}
	if c.Type != "SUBSCRIBE" {
		if r.Header.Get("Mesos-Stream-Id") != "stream" || c.FrameworkID == nil || c.FrameworkID.Value != "fw-0" {
			http.Error(w, "another stream", http.StatusBadRequest)
			return
		}
		m.calls <- c
		w.WriteHeader(http.StatusAccepted)
		return
	}
	m.mu.Lock()
	m.subs = append(m.subs, c)
	end := m.end
	m.mu.Unlock()
	w.Header().Set("Mesos-Stream-Id", "stream")
	write := func(s string) {
		fmt.Fprintf(w, "%d\n%s", len(s), s)
		w.(http.Flusher).Flush()
	}
	write(`{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"fw-0"},"heartbeat_interval_seconds":15}}`)
	write(`{"type":"HEARTBEAT"}`)
	for {
		select {
		case <-end:
			return
		case <-r.Context().Done():
			return
		case s := <-m.out:
			write(s)
		}
	}
}

func (m *master) next(t *testing.T, kind string) call {
	t.Helper()
	for {
		select {
		case c := <-m.calls:
			if c.Type == kind {
				return c
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no call %s came", kind)
		}
	}
}

func (m *master) offer(id string) {
	b, _ := json.Marshal(map[string]any{"type": "OFFERS", "offers": map[string]any{"offers": []offer{anOffer(id, "agent", 2, 4096)}}})
	m.out <- string(b)
}

func (m *master) update(id, state string) { m.tell(id, state, "") }

func (m *master) tell(id, state, message string) {
	b, _ := json.Marshal(map[string]any{"type": "UPDATE", "update": map[string]any{
		"status": status{TaskID: ident{id}, AgentID: &ident{"agent"}, State: state, Message: message, UUID: "dXVpZA=="}}})
	m.out <- string(b)
}

func testApp(more map[string]string) cluster.App {
	settings := map[string]string{"spark.app.name": "test"}
	for k, v := range more {
		settings[k] = v
	}
	return cluster.App{ID: "app-1", Name: "test", User: "me", DriverURL: "driver:1", Secret: "hush", Conf: settings,
		Executor: cluster.Executor{Cores: 1, Memory: 512 << 20, Overhead: 384 << 20, Binary: "/opt/it's/firesteel", Env: map[string]string{"A": "b"}}}
}

func start(t *testing.T, target string, app cluster.App) (*Manager, chan cluster.Notice) {
	t.Helper()
	m := New(target)
	notices := make(chan cluster.Notice, 100)
	t.Cleanup(func() { _ = m.Stop(t.Context()) })
	if err := m.Start(t.Context(), app, func(n cluster.Notice) { notices <- n }); err != nil {
		t.Fatal(err)
	}
	return m, notices
}

func await[T cluster.Notice](t *testing.T, notices chan cluster.Notice) T {
	t.Helper()
	select {
	case n := <-notices:
		x, ok := n.(T)
		if !ok {
			t.Fatalf("a notice %+v", n)
		}
		return x
	case <-time.After(10 * time.Second):
		t.Fatal("no notice came")
	}
	panic("not reached")
}

func TestManager(t *testing.T) {
	s := newMaster(t)
	m, notices := start(t, s.address(), testApp(map[string]string{"spark.mesos.role": "spark", "spark.mesos.task.labels": `a:b,c\:d`}))
	if err := m.Scale(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.offer("o1")
	a := s.next(t, "ACCEPT")
	task := a.Accept.Operations[0].Launch.TaskInfos[0]
	want := sandboxed + `exec '/opt/it'\''s/firesteel' 'executor' '--driver-url' 'driver:1' '--app-id' 'app-1' '--executor-id' '1' '--host' 'agent' '--cores' '1' '--memory' '536870912'`
	if task.Command.Value != want || !task.Command.Shell {
		t.Errorf("the command is %s", task.Command.Value)
	}
	vars := map[string]string{}
	for _, v := range task.Command.Environment.Variables {
		vars[v.Name] = v.Value
	}
	if vars["A"] != "b" || vars[cluster.SecretEnv] != "hush" || vars[cluster.ExecutorEnv] != "1" {
		t.Errorf("the environment is %v", vars)
	}
	if l := task.Labels.Labels; len(l) != 2 || l[1].Key != "c:d" || task.Resources[1].Scalar.Value != 896 || task.AgentID.Value != "agent" {
		t.Errorf("the task is %+v", task)
	}
	s.next(t, "SUPPRESS")
	s.update("app-1.1", "TASK_RUNNING")
	if k := s.next(t, "ACKNOWLEDGE"); k.Acknowledge.UUID != "dXVpZA==" {
		t.Errorf("acknowledged: %+v", k.Acknowledge)
	}
	// The stream breaks: the framework goes on and asks for its tasks.
	s.hangUp()
	if r := s.next(t, "RECONCILE"); len(r.Reconcile.Tasks) != 0 {
		t.Errorf("reconciled: %+v", r.Reconcile)
	}
	if r := s.next(t, "RECONCILE"); len(r.Reconcile.Tasks) != 1 {
		t.Errorf("reconciled: %+v", r.Reconcile)
	}
	s.mu.Lock()
	first, second := s.subs[0], s.subs[1]
	s.mu.Unlock()
	if first.FrameworkID != nil || second.FrameworkID.Value != "fw-0" || second.Subscribe.FrameworkInfo.ID.Value != "fw-0" ||
		first.Subscribe.FrameworkInfo.Roles[0] != "spark" || first.Subscribe.FrameworkInfo.Name != "test" {
		t.Errorf("subscribed with %+v and %+v", first, second)
	}
	s.update("app-1.1", "TASK_UNREACHABLE")
	if x := await[cluster.Exited](t, notices); x.ID != "1" || !x.HostLost {
		t.Errorf("%+v", x)
	}
	s.next(t, "REVIVE")
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	s.next(t, "TEARDOWN")
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRedirect: any master leads to the leading one, and the login goes along.
func TestRedirect(t *testing.T) {
	s := newMaster(t)
	s.login = login{"p", "s"}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Location"] = []string{"//" + s.address() + "/master" + apiPath}
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer other.Close()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, notices := start(t, strings.TrimPrefix(other.URL, "http://"), testApp(map[string]string{"spark.mesos.principal": "p", "spark.mesos.secret.file": file}))
	_ = m.Scale(t.Context(), 1)
	s.offer("o")
	s.next(t, "ACCEPT")
	s.out <- `{"type":"ERROR","error":{"message":"Framework failed over"}}`
	if x := await[cluster.Failed](t, notices); !strings.Contains(x.Err.Error(), "failed over") {
		t.Error(x.Err)
	}
}

func TestStartFails(t *testing.T) {
	s := newMaster(t)
	s.login = login{"p", "s"}
	for target, c := range map[string]map[string]string{
		s.address():          {"spark.mesos.principal": "p", "spark.mesos.secret": "wrong"},
		s.address() + " ":    nil,
		"zk://h:2181":        nil,
		"127.0.0.1:5050/x":   nil,
		s.address() + "#now": nil,
	} {
		m := New(target)
		if err := m.Start(t.Context(), testApp(c), func(cluster.Notice) {}); err == nil {
			t.Errorf("%q: no error", target)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var status *StatusError
	m := New(s.address())
	if err := m.Start(t.Context(), testApp(nil), func(cluster.Notice) {}); !errors.As(err, &status) || status.Code != http.StatusUnauthorized {
		t.Error(err)
	}
	_ = m.Stop(t.Context())
	for key, value := range map[string]string{"spark.mesos.executor.docker.image": "x", "spark.mesos.coarse": "false", "spark.mesos.gpus.max": "1",
		"spark.mesos.constraints": ":x", "spark.mesos.secret": "alone", "spark.cores.max": "0", "spark.mesos.task.labels": ":x", "spark.mesos.extra.cores": "-1"} {
		m := New(s.address())
		if err := m.Start(t.Context(), testApp(map[string]string{key: value}), func(cluster.Notice) {}); err == nil {
			t.Errorf("%s=%s: no error", key, value)
		} else if _, ok := sparkerr.As(err); !ok {
			t.Errorf("%s=%s: an error without a condition: %v", key, value, err)
		}
		_ = m.Stop(t.Context())
	}
}

// TestMasterThatIsNotThere: a master that answers nothing at all ends the attempt when the caller gives up.
func TestMasterThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, c, 1)
			c.Close()
		}
	}()
	m := New(l.Addr().String())
	started := make(chan error, 1)
	go func() { started <- m.Start(t.Context(), testApp(nil), func(cluster.Notice) {}) }()
	time.Sleep(20 * time.Millisecond)
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-started; !errors.Is(err, errStopped) {
		t.Error(err)
	}
}

func TestPrograms(t *testing.T) {
	for want, c := range map[string]map[string]string{
		"exec 'firesteel-4'*/bin/firesteel": {"spark.executor.uri": "http://h/firesteel-4.tgz"},
		"exec './firesteel'":                {"spark.executor.uri": "http://h/firesteel"},
		"exec '/opt/f/bin/firesteel'":       {"spark.mesos.executor.home": "/opt/f", "spark.mesos.uris": "http://h/a.zip, http://h/b"},
	} {
		app := testApp(c)
		s := newMaster(t)
		m, _ := start(t, s.address(), app)
		_ = m.Scale(t.Context(), 1)
		s.offer("o")
		got := s.next(t, "ACCEPT").Accept.Operations[0].Launch.TaskInfos[0].Command
		if !strings.HasPrefix(got.Value, sandboxed+want+" ") || len(got.URIs) == 0 || got.URIs[0].Extract == strings.HasSuffix(got.URIs[0].Value, "firesteel") {
			t.Errorf("%+v", got)
		}
		_ = m.Stop(t.Context())
	}
}
