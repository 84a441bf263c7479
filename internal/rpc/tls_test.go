package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/secure"
	"github.com/firesteel/firesteel/internal/secure/securetest"
)

// secured makes a server whose connections are secured, and what it says about those that it refuses.
func secured(t *testing.T, c Config) (*Server, func() string) {
	t.Helper()
	var mu sync.Mutex
	var told []string
	s, err := Listen("127.0.0.1:0", c, func(*Conn) Handler { return mirror{} }, func(_ string, err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err.Error())
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, func() string {
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			mu.Lock()
			text := strings.Join(told, "\n")
			told = nil
			mu.Unlock()
			if text != "" {
				return text
			}
		}
		return ""
	}
}

type mirror struct{}

func (mirror) Call(_ context.Context, _ *Conn, _ string, body []byte) ([]byte, error) {
	return body, nil
}
func (mirror) Receive(*Conn, string, []byte) {}

func tlsOf(t *testing.T, settings map[string]string) *secure.TLS {
	t.Helper()
	s, err := secure.FromConf(conf.NewValues(settings), secure.RPC)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func files(cert, key, ca string) map[string]string {
	return map[string]string{"spark.firesteel.tls": "files", "spark.firesteel.tls.cert": cert, "spark.firesteel.tls.key": key, "spark.firesteel.tls.ca": ca}
}

// talk sends something large enough for many records there and back.
func talk(t *testing.T, addr string, c Config) error {
	t.Helper()
	conn, err := Dial(t.Context(), addr, c, mirror{})
	if err != nil {
		return err
	}
	defer conn.Close()
	text := strings.Repeat("firesteel", 200_000)
	got, err := conn.Call(t.Context(), "echo", []byte(text))
	if err == nil && string(got) != text {
		t.Error("what came back is not what was sent")
	}
	return err
}

// TestSecured is X03 for connections between processes.
func TestSecured(t *testing.T) {
	ca, other := securetest.NewAuthority(t), securetest.NewAuthority(t)
	soon := time.Now().Add(time.Hour)
	pair := func(a *securetest.Authority, host string, ends time.Time) map[string]string {
		cert, key := a.Pair(host, ends)
		return files(cert, key, ca.CA())
	}
	auto := map[string]string{"spark.firesteel.tls": "auto"}
	keyStore, trustStore := ca.Stores("127.0.0.1", "pass word")
	stores := map[string]string{"spark.ssl.rpc.enabled": "true", "spark.ssl.keyStore": keyStore, "spark.ssl.keyStorePassword": "pass word",
		"spark.ssl.trustStore": trustStore, "spark.ssl.trustStorePassword": "pass word", "spark.ssl.rpc.needClientAuth": "true"}
	good := pair(ca, "127.0.0.1", soon)
	for _, c := range []struct {
		name           string
		server, client map[string]string
		secret         string // of the client
		says, log      string // what the client and the server's log say; "": all is well
	}{
		{"derived", auto, auto, "s", "", ""},
		{"derived of another secret", auto, auto, "t", "is not trusted", "bad certificate"},
		{"files", good, good, "s", "", ""},
		{"PKCS#12", stores, stores, "s", "", ""},
		{"files and the wrong secret", good, good, "t", "the shared secret (spark.authenticate.secret) is wrong", "the shared secret"},
		{"another authority", pair(other, "127.0.0.1", soon), good, "s", "unknown authority", "bad certificate"},
		{"expired", pair(ca, "127.0.0.1", time.Now().Add(-time.Hour)), good, "s", "expired", "bad certificate"},
		{"another host", pair(ca, "example.org", soon), good, "s", "127.0.0.1", "bad certificate"},
		{"a plain client", good, nil, "s", "does not answer as a Firesteel process", "it does not speak TLS"},
		{"a plain server", nil, good, "s", "it went away when TLS began", "a frame of"},
		{"no certificate where one is asked for", stores, good, "s", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, log := secured(t, Config{Secret: "s", TLS: tlsOf(t, c.server)})
			err := talk(t, s.Addr(), Config{Secret: c.secret, TLS: tlsOf(t, c.client), Timeout: 5 * time.Second})
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the client got %v, want %q", err, c.says)
			}
			if c.log != "" {
				if told := log(); !strings.Contains(told, c.log) {
					t.Errorf("the log says %q, want %q", told, c.log)
				}
			}
		})
	}
	if _, err := Listen("127.0.0.1:0", Config{TLS: tlsOf(t, auto)}, nil, nil); err == nil || !strings.Contains(err.Error(), "spark.authenticate.secret") {
		t.Errorf("keys were derived from nothing: %v", err)
	}
}

// TestOldTLS: versions and suites that are too weak are refused, and there is no way down.
func TestOldTLS(t *testing.T) {
	ca := securetest.NewAuthority(t)
	cert, key := ca.Pair("127.0.0.1", time.Now().Add(time.Hour))
	s, log := secured(t, Config{Secret: "s", TLS: tlsOf(t, files(cert, key, ca.CA()))})
	for name, cfg := range map[string]*tls.Config{
		"TLS 1.0": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10},
		"TLS 1.1": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"RC4":     {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}},
	} {
		cfg.RootCAs, cfg.ServerName = ca.Pool(), "127.0.0.1"
		c, err := tls.Dial("tcp", s.Addr(), cfg)
		if err == nil {
			c.Close()
			t.Errorf("%s was let in", name)
		}
		if told := log(); !strings.Contains(told, "TLS failed") {
			t.Errorf("%s: the log says %q", name, told)
		}
	}
	for _, wrong := range []map[string]string{
		{"spark.ssl.rpc.enabled": "true"},
		{"spark.firesteel.tls": "files"},
		{"spark.firesteel.tls": "perhaps"},
		{"spark.ssl.rpc.enabled": "true", "spark.ssl.keyStore": ca.CA()},
		{"spark.ssl.rpc.enabled": "true", "spark.ssl.rpc.certChain": cert, "spark.ssl.rpc.privateKey": key, "spark.ssl.trustStore": ca.CA(), "spark.ssl.protocol": "SSLv3"},
		{"spark.ssl.rpc.enabled": "true", "spark.ssl.rpc.certChain": cert, "spark.ssl.rpc.privateKey": key, "spark.ssl.trustStore": ca.CA(),
			"spark.ssl.enabledAlgorithms": "TLS_RSA_WITH_NULL_SHA"},
	} {
		if _, err := secure.FromConf(conf.NewValues(wrong), secure.RPC); err == nil {
			t.Errorf("%v are fine settings", wrong)
		}
	}
}

// TestReplay is X05: what a peer sent in a handshake that succeeded proves nothing in another.
func TestReplay(t *testing.T) {
	s, log := secured(t, Config{Secret: "s"})
	l, err := net.Listen("tcp", "127.0.0.1:0") // a tap between a real client and the server
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	said := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		up, err := net.Dial("tcp", s.Addr())
		if err != nil {
			return
		}
		defer up.Close()
		var heard strings.Builder
		go func() { _, _ = io.Copy(c, up) }()
		_, _ = io.Copy(up, io.TeeReader(c, &heard))
		said <- []byte(heard.String())
	}()
	conn, err := Dial(t.Context(), l.Addr().String(), Config{Secret: "s"}, mirror{})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	replayed, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer replayed.Close()
	if _, err := replayed.Write(<-said); err != nil {
		t.Fatal(err)
	}
	if told := log(); !strings.Contains(told, "the shared secret (spark.authenticate.secret) is wrong") {
		t.Errorf("the replay was answered by %q", told)
	}
}

// TestSealedSettings: executors read the settings with their application's secret, and with no other.
func TestSealedSettings(t *testing.T) {
	by := tlsOf(t, map[string]string{"spark.firesteel.tls": "auto"})
	sealed, err := by.Seal("mine")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(secure.Env, sealed)
	if _, err := secure.FromEnv("yours"); err == nil {
		t.Error("another secret opens them")
	}
	t.Setenv(secure.Env, sealed)
	got, err := secure.FromEnv("mine")
	if err != nil || got == nil {
		t.Fatal(got, err)
	}
	var refused *RefusedError
	s, _ := secured(t, Config{Secret: "mine", TLS: by})
	if err := talk(t, s.Addr(), Config{Secret: "mine", TLS: got}); err != nil {
		t.Error(err)
	}
	if err := talk(t, s.Addr(), Config{Secret: "yours", TLS: got}); !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
}
