package mesos

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"
)

func TestParseTarget(t *testing.T) {
	for target, want := range map[string]masters{
		"h:1":                          {address: "h:1"},
		"h":                            {address: "h:5050"},
		"zk://a:1,b/mesos":             {keepers: []string{"a:1", "b:2181"}, path: "/mesos"},
		"zk://u:p@a:1/x/y/":            {keepers: []string{"a:1"}, path: "/x/y", login: "u:p"},
		"zk://[::1]:2181/mesos":        {keepers: []string{"[::1]:2181"}, path: "/mesos"},
		"zk://10.0.0.1:2181,h:1/mesos": {keepers: []string{"10.0.0.1:2181", "h:1"}, path: "/mesos"},
	} {
		m, err := parseTarget(target)
		if err != nil || m.address != want.address || m.path != want.path || m.login != want.login || !slices.Equal(m.keepers, want.keepers) {
			t.Errorf("%s: %+v %v", target, m, err)
		}
	}
	for _, target := range []string{"", "h:1/x", ":5050", "zk://", "zk://h:1", "zk://h:1/", "zk:///mesos", "zk://a:1,,b/mesos"} {
		if m, err := parseTarget(target); err == nil {
			t.Errorf("%q: %+v", target, m)
		}
	}
}

func TestLeader(t *testing.T) {
	host, err := leader([]byte(`{"address":{"hostname":"m1","ip":"10.0.0.1","port":5050},"hostname":"m1","id":"x","ip":16777343,"pid":"master@10.0.0.1:5050","port":5050}`))
	if host != "m1:5050" || err != nil {
		t.Error(host, err)
	}
	for _, bad := range []string{"", "{}", `{"address":{"ip":"10.0.0.1"}}`, "[1]"} {
		if host, err := leader([]byte(bad)); err == nil {
			t.Errorf("%q: %s", bad, host)
		}
	}
}

// TestKeepersThatAreSilent: the question ends with its context, and at once where nobody listens.
func TestKeepersThatAreSilent(t *testing.T) {
	if m, err := parseTarget("zk://127.0.0.1:1/mesos"); err != nil {
		t.Error(err)
	} else if host, err := m.find(t.Context()); err == nil {
		t.Error(host)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m, err := parseTarget("zk://" + l.Addr().String() + "/mesos")
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, enough)
	defer cancel()
	if host, err := m.find(ctx); !errors.Is(err, enough) {
		t.Error(host, err)
	}
}
