package connect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/event"
)

// heard keeps what a server publishes.
type heard struct {
	mu   sync.Mutex
	list []event.Event
}

func (h *heard) take(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, e)
}

// names are the short names of what was published since the last time.
func (h *heard) names() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, e := range h.list {
		_, name, _ := strings.Cut(e.EventName(), "SparkListenerConnect")
		out = append(out, name)
	}
	h.list = nil
	return strings.Join(out, " ")
}

// Listeners are told of each session and operation, and how it ended.
func TestEvents(t *testing.T) {
	var h heard
	c := newClient(t, Options{Publish: h.take})
	for _, test := range []struct{ text, want string }{
		{"range 3", "SessionStarted OperationStarted OperationFinished OperationClosed"},
		{"fail", "OperationStarted OperationFailed OperationClosed"},
		{"panic", "OperationStarted OperationFailed OperationClosed"},
	} {
		_, err := c.execute(c.request(sqlPlan(test.text), false))
		if (err != nil) != strings.Contains(test.want, "Failed") {
			t.Errorf("%s: %v", test.text, err)
		}
		list := slices.Clone(h.list)
		if got := h.names(); got != test.want {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
		started := list[len(list)-3].(event.ConnectOperationStarted)
		ended := list[len(list)-2].(event.ConnectOperation)
		if started.Statement != test.text || started.User != "u" || started.Session != c.id || ended.JobTag != started.JobTag {
			t.Errorf("%s: %+v, %+v", test.text, started, ended)
		}
		if ended.State == event.ConnectFinished && ended.Rows != 3 || ended.State == event.ConnectFailed && ended.Err == nil {
			t.Errorf("%s: %+v", test.text, ended)
		}
	}
	stream, err := c.ExecutePlan(t.Context(), c.request(sqlPlan("wait"), false))
	if err == nil {
		_, err = stream.Recv()
	}
	if err == nil {
		_, err = c.Interrupt(t.Context(), &connectpb.InterruptRequest{SessionId: c.id, UserContext: c.user(), InterruptType: connectpb.InterruptRequest_INTERRUPT_TYPE_ALL})
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = readAll(stream)
	expect(t, err, "OPERATION_CANCELED")
	if _, err := c.ReleaseSession(t.Context(), &connectpb.ReleaseSessionRequest{SessionId: c.id, UserContext: c.user()}); err != nil {
		t.Fatal(err)
	}
	if got, want := h.names(), "OperationStarted OperationCanceled OperationClosed SessionClosed"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The jobs of an operation have its tag, by which readers find them, and those of the client.
func TestJobs(t *testing.T) {
	s := New(&fakeEngine{}, Options{Publish: func(event.Event) {}})
	defer s.stop()
	op := &operation{id: "o", tags: []string{"mine"}, session: &session{key: sessionKey{"u", "s"}}}
	_, err := s.published(t.Context(), op, sqlPlan("select 1"), func(ctx context.Context) (int64, error) {
		j, ok := JobsOf(ctx)
		want := "{select 1 [SparkConnect_OperationTag_User_u_Session_s_Operation_o SparkConnect_SessionTag_User_u_Session_s_Tag_mine]} true"
		if got := fmt.Sprint(j, ok); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A server that listens, and one that does so no more, are told with their address.
func TestServiceEvents(t *testing.T) {
	var h heard
	s := New(&fakeEngine{}, Options{Address: "127.0.0.1:0", Publish: h.take})
	l, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if first, ok := h.list[0].(event.ConnectService); !ok || first.Host != "127.0.0.1" || first.Port == 0 {
		t.Errorf("%+v", h.list[0])
	}
	if got := h.names(); got != "ServiceStarted ServiceEnd" {
		t.Error(got)
	}
}
