package hadoop_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/hadooptest"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
)

type text struct {
	S string `pb:"1"`
}

func echo(c hadooptest.Call) (any, error) {
	var m text
	if err := pb.Unmarshal(c.Body, &m); err != nil {
		return nil, err
	}
	switch c.Method {
	case "fail":
		return nil, &hadooptest.Exception{Class: "org.apache.hadoop.x.BadException", Message: m.S}
	case "hang up":
		return nil, hadooptest.Hangup
	}
	return &text{c.User + ":" + m.S}, nil
}

func client(t *testing.T, c hadoop.Conf, u *hadoop.User, addrs ...string) *hadoop.Client {
	cl := hadoop.NewClient(c, u, hadoop.Service{Protocol: "p", Addrs: addrs, TokenKind: "k", RetryFor: 1})
	t.Cleanup(cl.Close)
	return cl
}

func TestCalls(t *testing.T) {
	s := hadooptest.Start(t, nil, echo)
	cl := client(t, nil, &hadoop.User{Name: "ann"}, s.Addr())
	ctx := context.Background()
	for i := range 20 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			var r text
			want := fmt.Sprintf("%d%s", i, strings.Repeat("x", i*1000))
			if err := cl.Call(ctx, "echo", &text{want}, &r, true); err != nil || r.S != "ann:"+want {
				t.Errorf("%d bytes, %v", len(r.S), err)
			}
		})
	}
}

func TestExceptions(t *testing.T) {
	s := hadooptest.Start(t, nil, echo)
	cl := client(t, nil, &hadoop.User{Name: "ann"}, s.Addr())
	err := cl.Call(context.Background(), "fail", &text{"because"}, &text{}, true)
	if !errors.Is(err, hadoop.Exception("BadException")) || errors.Is(err, hadoop.Exception("Bad")) || !strings.HasSuffix(err.Error(), "BadException: because") {
		t.Errorf("%v", err)
	}
	var lost *hadoop.ConnError
	if err := cl.Call(context.Background(), "hang up", &text{}, &text{}, false); !errors.As(err, &lost) || !lost.Sent {
		t.Errorf("of a call that was sent: %v", err)
	}
	var r text
	if err := cl.Call(context.Background(), "echo", &text{"again"}, &r, false); err != nil || r.S != "ann:again" {
		t.Errorf("after the connection broke: %q, %v", r.S, err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("no longer wanted")
	cancel(why)
	if err := cl.Call(ctx, "echo", &text{"x"}, &r, false); !errors.Is(err, why) {
		t.Errorf("of a call that was given up: %v", err)
	}
	cl.Close()
	if err := cl.Call(context.Background(), "echo", &text{}, &r, true); !errors.Is(err, hadoop.ErrClientClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestTokens(t *testing.T) {
	good := &hadoop.Token{Identifier: []byte("id"), Password: []byte("secret"), Kind: "k"}
	s := hadooptest.Start(t, []*hadoop.Token{good}, echo)
	call := func(u *hadoop.User) (string, error) {
		var r text
		err := client(t, nil, u, s.Addr()).Call(context.Background(), "echo", &text{"x"}, &r, true)
		return r.S, err
	}
	u := &hadoop.User{Name: "ann"}
	u.AddToken("a", good)
	if got, err := call(u); err != nil || got != "id:x" {
		t.Errorf("with the token: %q, %v", got, err)
	}
	bad := &hadoop.User{Name: "ann"}
	bad.AddToken("a", &hadoop.Token{Identifier: []byte("id"), Password: []byte("guess"), Kind: "k"})
	if _, err := call(bad); !errors.Is(err, hadoop.Exception("SaslException")) {
		t.Errorf("with a wrong token: %v", err)
	}
	if _, err := call(&hadoop.User{Name: "ann"}); !errors.Is(err, hadoop.Exception("AccessControlException")) {
		t.Errorf("without one: %v", err)
	}
}

// A client of a pair finds the active one, and the other after a fail-over.
func TestFailOver(t *testing.T) {
	var active atomic.Int32
	pair := make([]string, 2)
	for i := range pair {
		pair[i] = hadooptest.Start(t, nil, func(c hadooptest.Call) (any, error) {
			if int(active.Load()) != i {
				return nil, &hadooptest.Exception{Class: "org.apache.hadoop.ipc.StandbyException", Message: "Operation category READ is not supported"}
			}
			return &text{fmt.Sprint(i)}, nil
		}).Addr()
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := dead.Addr().String()
	_ = dead.Close()
	cl := hadoop.NewClient(nil, &hadoop.User{Name: "ann"}, hadoop.Service{Protocol: "p", Addrs: append(pair, addr)})
	t.Cleanup(cl.Close)
	for _, want := range []int32{0, 1, 0} {
		active.Store(want)
		var r text
		if err := cl.Call(context.Background(), "which", &text{}, &r, true); err != nil || r.S != fmt.Sprint(want) {
			t.Errorf("got %q, %v; want %d", r.S, err, want)
		}
	}
}

// Where services want Kerberos, a service that takes everybody is not trusted.
func TestNoFallback(t *testing.T) {
	s := hadooptest.Start(t, []*hadoop.Token{}, echo)
	err := client(t, hadoop.Conf{"hadoop.security.authentication": "kerberos"}, &hadoop.User{Name: "ann"}, s.Addr()).
		Call(context.Background(), "echo", &text{}, &text{}, true)
	var auth *hadoop.AuthError
	if !errors.As(err, &auth) {
		t.Errorf("%v", err)
	}
}
