package mesos

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The answers are those of a real master and agent, cut down to what is read of them.
func TestSandbox(t *testing.T) {
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	at := s.Listener.Addr().String()
	page := func(path string, v any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if name, secret, _ := r.BasicAuth(); name != "fs" || secret != "hush" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			if text, ok := v.(string); ok {
				_, _ = io.WriteString(w, text+r.URL.Query().Get("path"))
				return
			}
			_ = json.NewEncoder(w).Encode(v)
		})
	}
	type m = map[string]any
	page("/slaves", m{"slaves": []m{{"id": "S0", "pid": "slave(1)@elsewhere:5051"}, {"id": "S1", "pid": "slave(1)@" + at}}})
	page("/state", m{"frameworks": []m{{"id": "other", "executors": []m{{"id": "driver-1", "directory": "/wrong"}}},
		{"id": "fw", "executors": []m{{"id": "driver-2", "directory": "/two"}}, "completed_executors": []m{{"id": "driver-1", "directory": "/one"}}}},
		"completed_frameworks": []m{}})
	page("/files/download", "the file ")
	c := newClient(masters{}, login{"fs", "hush"})
	defer c.close()
	agent, err := c.agentAddress(t.Context(), at, "S1")
	if err != nil || agent != at {
		t.Fatalf("the agent is at %q: %v", agent, err)
	}
	for task, want := range map[string]string{"driver-1": "/one", "driver-2": "/two"} {
		if dir, err := c.sandbox(t.Context(), agent, "fw", task); err != nil || dir != want {
			t.Errorf("the sandbox of %s is %q: %v", task, dir, err)
		}
	}
	body, err := c.get(t.Context(), agent, "/files/download?path=%2Fone%2Fstdout")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, _ := io.ReadAll(body); string(b) != "the file /one/stdout" {
		t.Errorf("%q", b)
	}
	_, gone := c.agentAddress(t.Context(), at, "S7")
	_, swept := c.sandbox(t.Context(), agent, "fw", "driver-7")
	c.login = login{}
	_, stranger := c.get(t.Context(), agent, "/state")
	for want, err := range map[string]error{"S7 is not at the master": gone, "does not have the sandbox of driver-7": swept, "who are you?": stranger} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestPlaces: where a driver is, or was, is known as long as the dispatcher remembers it.
func TestPlaces(t *testing.T) {
	d := &desk{drivers: []*entry{{ID: "driver-1", Agent: "S1", Retries: 2, State: stateFinished}, {ID: "driver-2", State: stateQueued}}}
	for id, want := range map[string]place{"driver-1": {true, "driver-1-retry-2", "S1"}, "driver-2": {true, "driver-2", ""}, "driver-3": {}} {
		to := make(chan place, 1)
		for _, a := range d.step(time.Unix(0, 0), askPlace{id, to}) {
			if x, ok := a.(tellPlace); ok {
				if x.place != want {
					t.Errorf("%s is at %+v, want %+v", id, x.place, want)
				}
				x.to <- x.place
			}
		}
		if len(to) != 1 {
			t.Errorf("nothing was told of %s", id)
		}
	}
}
