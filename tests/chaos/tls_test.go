package chaos

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/firesteel/firesteel/internal/secure/securetest"
)

// TestTLSOfClients is X03 for what people and clients reach: pages of master and worker, submissions and Connect. Who does not
// speak TLS, an old one, or trusts another authority gets nothing.
func TestTLSOfClients(t *testing.T) {
	t.Parallel() // it mostly waits
	authority, other := securetest.NewAuthority(t), securetest.NewAuthority(t)
	store, trust := authority.Stores("127.0.0.1", "of-the-store")
	settings := []string{"spark.ssl.enabled=true", "spark.ssl.keyStore=" + store, "spark.ssl.keyStorePassword=of-the-store", "spark.ssl.trustStore=" + trust,
		"spark.ssl.trustStorePassword=of-the-store"}
	_, _, _, page, rest, workerPage := pages(t, strings.ReplaceAll(strings.Join(settings, "\n"), "=", " ")+"\n")
	by := func(c *tls.Config) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
	}
	for _, at := range []string{page + "/", page + "/json/", workerPage + "/", rest + "/v1/submissions/readyz"} {
		if !strings.HasPrefix(at, "https://") {
			t.Errorf("%s is told as its address", at)
		}
		if code, _, body := ask(t, by(&tls.Config{RootCAs: authority.Pool()}), "GET", at, "", nil); code != http.StatusOK {
			t.Errorf("%s: %d %s", at, code, body)
		}
		for name, c := range map[string]*tls.Config{
			"another authority": {RootCAs: other.Pool()},
			"another name":      {RootCAs: authority.Pool(), ServerName: "elsewhere.example"},
			"TLS 1.1":           {RootCAs: authority.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		} {
			if r, err := by(c).Get(at); err == nil {
				r.Body.Close()
				t.Errorf("%s with %s: %s", at, name, r.Status)
			}
		}
		if r, err := http.Get("http" + strings.TrimPrefix(at, "https")); err == nil {
			r.Body.Close()
			if r.StatusCode != http.StatusBadRequest {
				t.Errorf("%s without TLS: %s", at, r.Status)
			}
		}
	}
	s := serve(t, launch{args: []string{"--master", "local[2]"}, conf: settings})
	with := func(c *tls.Config) *client { return s.connect(t, grpc.WithTransportCredentials(credentials.NewTLS(c))) }
	if rows, err := with(&tls.Config{RootCAs: authority.Pool()}).query(timeout(t, time.Minute), "select 1"); err != nil || fmt.Sprint(rows) != "[1]" {
		t.Errorf("by TLS: %v %v", rows, err)
	}
	for name, c := range map[string]*client{
		"another authority": with(&tls.Config{RootCAs: other.Pool()}),
		"another name":      with(&tls.Config{RootCAs: authority.Pool(), ServerName: "elsewhere.example"}),
		"TLS 1.1":           with(&tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}),
		"no TLS":            s.connect(t),
	} {
		if rows, err := c.query(timeout(t, 20*time.Second), "select 1"); status.Code(err) != codes.Unavailable {
			t.Errorf("Connect with %s: %v %v", name, rows, err)
		}
	}
}
