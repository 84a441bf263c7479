package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type shape struct {
	A int32
	B []string
	C map[string]int64
	D *shape
	E event.Reason
	F float64
	G []byte
	H error
	I [3]uint16
	J time.Duration
}

func TestCodec(t *testing.T) {
	in := shape{A: -7, B: []string{"", "x"}, C: map[string]int64{"b": 2, "a": -1}, F: -0.5, G: []byte{}, I: [3]uint16{1, 2, 65535},
		D: &shape{E: event.TaskKilled{Cause: "why"}, J: time.Minute}, E: event.FetchFailed{Map: -1, Cause: errors.New("gone")}}
	b, err := Marshal(&in)
	if err != nil {
		t.Fatal(err)
	}
	var out shape
	if err := Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.E.(event.FetchFailed); got.Cause.Error() != "gone" || got.Map != -1 {
		t.Errorf("reason %+v", got)
	}
	in.E, out.E = nil, nil
	if !reflect.DeepEqual(in, out) {
		t.Errorf("%+v became %+v", in, out)
	}
	for n := range b {
		if err := Unmarshal(b[:n], &out); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	if _, err := Marshal(&struct{ F func() }{}); err == nil {
		t.Error("a function travelled")
	}
}

// Errors keep their kind, and the text of what they were wrapped in.
func TestErrors(t *testing.T) {
	spark := sparkerr.New("DIVIDE_BY_ZERO", "config", "x").WithCause(errors.New("below"))
	spark.Context = &sparkerr.QueryContext{Start: 3, Text: "select"}
	fetch := &event.FetchError{FetchFailed: event.FetchFailed{Shuffle: 1, Map: 2, From: "3", Cause: spark}}
	for _, in := range []error{spark, fetch, &event.KilledError{}, &event.CommitDeniedError{}, fmt.Errorf("scan: %w", spark), context.Canceled} {
		b, err := Marshal(&struct{ Err error }{in})
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ Err error }
		if err := Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		if out.Err.Error() != in.Error() {
			t.Errorf("%q became %q", in, out.Err)
		}
		if a, b := event.ReasonOf(in).Name(), event.ReasonOf(out.Err).Name(); a != b {
			t.Errorf("%v: a %s became a %s", in, a, b)
		}
		a, ok := sparkerr.As(in)
		b2, ok2 := sparkerr.As(out.Err)
		if ok != ok2 || ok && a.Condition != b2.Condition {
			t.Errorf("%v lost its condition", in)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := Marshal(&shape{B: []string{"a"}, D: &shape{}, E: event.FetchFailed{Cause: errors.New("x")}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		var v shape
		if err := Unmarshal(data, &v); err != nil {
			return
		}
		if b, err := Marshal(&v); err != nil {
			t.Fatal(err)
		} else if err := Unmarshal(b, &v); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

// echo answers requests; "wait" waits until the caller gives up.
type echo struct {
	got     chan string
	waiting chan struct{}
	gaveUp  chan error
}

func newEcho() *echo {
	return &echo{make(chan string, 1000), make(chan struct{}, 10), make(chan error, 10)}
}

func (e *echo) Call(ctx context.Context, _ *Conn, method string, body []byte) ([]byte, error) {
	switch method {
	case "fail":
		return nil, sparkerr.New("DIVIDE_BY_ZERO")
	case "panic":
		panic("bad")
	case "wait":
		e.waiting <- struct{}{}
		<-ctx.Done()
		e.gaveUp <- ctx.Err()
		return nil, ctx.Err()
	}
	return body, nil
}

func (e *echo) Receive(_ *Conn, method string, _ []byte) { e.got <- method }

func pair(t *testing.T, server, client Config) (*Server, *Conn, *echo, error) {
	h := newEcho()
	s, err := Listen("127.0.0.1:0", server, func(*Conn) Handler { return h }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := Dial(t.Context(), s.Addr(), client, newEcho())
	if err == nil {
		t.Cleanup(c.Close)
	}
	return s, c, h, err
}

func TestCalls(t *testing.T) {
	s, c, h, err := pair(t, Config{Secret: "s", Name: "driver"}, Config{Secret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("0123456789"), 1<<20)
	for _, body := range [][]byte{nil, []byte("x"), big} {
		if out, err := c.Call(t.Context(), "echo", body); err != nil || !bytes.Equal(out, body) {
			t.Fatalf("%d bytes became %d: %v", len(body), len(out), err)
		}
	}
	if _, err := c.Call(t.Context(), "fail", nil); !sparkerr.Is(err, "DIVIDE_BY_ZERO") {
		t.Errorf("error %v", err)
	}
	if _, err := c.Call(t.Context(), "panic", nil); !sparkerr.Is(err, "INTERNAL_ERROR") {
		t.Errorf("error %v", err)
	}
	for i := range 100 {
		if err := c.Send(fmt.Sprint(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if got := <-h.got; got != fmt.Sprint(i) {
			t.Fatalf("message %s came as number %d", got, i)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		<-h.waiting
		cancel(errors.New("too slow"))
	}()
	if _, err := c.Call(ctx, "wait", nil); err == nil || !strings.Contains(err.Error(), "too slow") || !strings.Contains(err.Error(), "driver") {
		t.Errorf("error %v", err)
	}
	<-h.gaveUp
	go func() {
		<-h.waiting // the request has arrived
		s.Close()
	}()
	var lost *ConnError
	if _, err := c.Call(t.Context(), "wait", nil); !errors.As(err, &lost) {
		t.Errorf("error %v after the end", err)
	}
	<-h.gaveUp
	<-c.Done()
	if c.Send("x", nil) == nil {
		t.Error("a closed connection took a message")
	}
}

func TestHandshake(t *testing.T) {
	cases := []struct {
		name           string
		server, client Config
		want           string
	}{
		{"open", Config{}, Config{}, ""},
		{"right", Config{Secret: "a"}, Config{Secret: "a"}, ""},
		{"wrong", Config{Secret: "a"}, Config{Secret: "b"}, "is wrong"},
		{"none", Config{Secret: "a"}, Config{}, "none was given"},
		{"needless", Config{}, Config{Secret: "a"}, "does not expect"},
		{"messages", Config{Build: "1"}, Config{Build: "2", Release: "0.2.0"}, "it is Firesteel " + Release + " (messages 1), not Firesteel 0.2.0 (messages 2)"},
		{"release", Config{Build: "1"}, Config{Build: "1", Release: "0.2.0"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := pair(t, c.server, c.client)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A listener that says nothing, or nonsense, must not hang or mislead.
func TestNoFiresteel(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			n, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { n.Close() })
		}
	}()
	if _, err := Dial(t.Context(), l.Addr().String(), Config{Timeout: 20 * time.Millisecond}, newEcho()); err == nil || !strings.Contains(err.Error(), "no answer within") {
		t.Errorf("error %v", err)
	}
	s, _, _, _ := pair(t, Config{Secret: "a"}, Config{Secret: "a"})
	n, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if _, err := n.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Read(make([]byte, 1)); err == nil {
		t.Error("nonsense was answered")
	}
}
