package kubernetes

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// troubled stands in front of an API server: it refuses the first pods with 429 and 500, carries out one request without
// saying so, and cuts watches when it is told to.
type troubled struct {
	*httptest.Server
	behind *httputil.ReverseProxy

	mu      sync.Mutex
	creates int
	watches map[http.ResponseWriter]context.CancelFunc
}

func newTroubled(t *testing.T, cfg *rest.Config) *troubled {
	rt, err := rest.TransportFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	p := &troubled{watches: map[http.ResponseWriter]context.CancelFunc{}, behind: &httputil.ReverseProxy{Transport: rt, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.cut()
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

func (p *troubled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("watch") != "" {
		p.watch(w, r)
		return
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/pods") {
		p.mu.Lock()
		p.creates++
		n := p.creates
		p.mu.Unlock()
		switch n {
		case 1, 2:
			answer(w, http.StatusTooManyRequests, apierrors.NewTooManyRequests("slow down", 0).ErrStatus)
			return
		case 3, 4:
			answer(w, http.StatusInternalServerError, metav1.Status{Status: metav1.StatusFailure, Code: 500, Reason: metav1.StatusReasonInternalError, Message: "out of order"})
			return
		case 5: // done, but the answer is another one
			p.behind.ServeHTTP(httptest.NewRecorder(), r)
			answer(w, http.StatusInternalServerError, metav1.Status{Status: metav1.StatusFailure, Code: 500, Reason: metav1.StatusReasonInternalError, Message: "out of order"})
			return
		}
	}
	p.behind.ServeHTTP(w, r)
}

func (p *troubled) watch(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	p.mu.Lock()
	p.watches[w] = cancel
	p.mu.Unlock()
	p.behind.ServeHTTP(w, r.WithContext(ctx)) // it breaks the connection when it is cut off
}

// cut breaks the connections of all watches.
func (p *troubled) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w, cancel := range p.watches {
		cancel()
		delete(p.watches, w)
	}
}
