package mesos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The limits of waits.
const (
	callLimit    = 10 * time.Second // for the answer to a call, and for the head of a stream
	dialLimit    = 5 * time.Second
	redirects    = 5
	quietBeats   = 5 // heartbeats that may be missing before a stream counts as broken
	defaultBeat  = 15 * time.Second
	apiPath      = "/api/v1/scheduler"
	answerAtMost = 4 << 10 // bytes of an error's text
)

// StatusError is an answer of the master that refuses a request.
type StatusError struct {
	Code int
	Text string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the Mesos master answered %d %s: %s", e.Code, http.StatusText(e.Code), e.Text)
}

// final says that to try again is no use: the login is wrong, or the request is.
func (e *StatusError) final() bool {
	return e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden || e.Code == http.StatusBadRequest
}

// client speaks to the leading master.
type client struct {
	masters masters
	login   login
	http    *http.Client

	mu     sync.Mutex
	leader string                  // where the stream comes from; "": there is none
	stream string                  // the stream's id
	id     string                  // the framework's
	cut    context.CancelCauseFunc // ends the stream
}

func newClient(m masters, l login) *client {
	t := &http.Transport{DialContext: (&net.Dialer{Timeout: dialLimit}).DialContext, ResponseHeaderTimeout: callLimit, DisableCompression: true}
	return &client{masters: m, login: l, http: &http.Client{Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// post sends a call to a master and, if it is not the leading one, to the one that it names. The body must be closed.
func (c *client) post(ctx context.Context, host string, stream string, body []byte) (*http.Response, string, error) {
	for range redirects {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+apiPath, bytes.NewReader(body))
		if err != nil {
			return nil, "", err
		}
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Accept", "application/json")
		if stream != "" {
			q.Header.Set("Mesos-Stream-Id", stream)
		}
		if c.login.secret != "" {
			q.SetBasicAuth(c.login.principal, c.login.secret)
		}
		r, err := c.http.Do(q)
		if err != nil {
			return nil, "", err
		}
		if r.StatusCode != http.StatusTemporaryRedirect {
			return r, host, nil
		}
		r.Body.Close()
		to, err := url.Parse(r.Header.Get("Location")) // //host:port/master/api/v1/scheduler
		if err != nil || to.Host == "" {
			return nil, "", fmt.Errorf("the Mesos master at %s leads to %q, which is no master", host, r.Header.Get("Location"))
		}
		host = to.Host
	}
	return nil, "", fmt.Errorf("the Mesos masters lead from one to another, more than %d times; the last one is %s", redirects, host)
}

func refused(r *http.Response) error {
	defer r.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(r.Body, answerAtMost)) // what is there of it
	return &StatusError{r.StatusCode, strings.TrimSpace(string(text))}
}

// subscribe opens a stream of events and gives them to take until it ends, which it does in error. With an id the
// framework goes on, else it is a new one.
func (c *client) subscribe(ctx context.Context, f frameworkInfo, take func(received)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.mu.Lock()
	c.cut = cancel
	c.mu.Unlock()
	q := call{Type: "SUBSCRIBE", Subscribe: &subscribeCall{f}}
	if id := c.framework(); id != "" {
		q.Subscribe.FrameworkInfo.ID = &ident{id}
	}
	q.FrameworkID = q.Subscribe.FrameworkInfo.ID
	body, err := json.Marshal(&q)
	if err != nil {
		return err
	}
	at, err := c.masters.find(ctx)
	if err != nil {
		return err
	}
	r, host, err := c.post(ctx, at, "", body)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return refused(r)
	}
	defer r.Body.Close()
	defer c.connected("", "")
	stream := r.Header.Get("Mesos-Stream-Id")
	beat := defaultBeat
	silence := time.AfterFunc(quietBeats*beat, func() { cancel(fmt.Errorf("the Mesos master at %s was silent for too long", host)) })
	defer silence.Stop()
	in := bufio.NewReaderSize(r.Body, 64<<10)
	for {
		b, err := readRecord(in)
		if err != nil {
			return causeOr(ctx, err)
		}
		var e received
		if err := json.Unmarshal(b, &e); err != nil {
			return fmt.Errorf("an event of the Mesos master cannot be read: %w", err)
		}
		if e.Subscribed != nil {
			c.begun(host, stream, e.Subscribed.FrameworkID.Value)
			if s := e.Subscribed.Heartbeat; s > 0 {
				beat = time.Duration(s * float64(time.Second))
			}
		}
		silence.Reset(quietBeats * beat)
		take(e)
	}
}

// causeOr is the reason why a context was ended, or else the error.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (c *client) framework() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// connectedTo is the master of the stream; "": there is none.
func (c *client) connectedTo() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader
}

func (c *client) begun(leader, stream, id string) {
	c.mu.Lock()
	c.id = id
	c.mu.Unlock()
	c.connected(leader, stream)
}

func (c *client) connected(leader, stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader, c.stream = leader, stream
}

// interrupt ends the stream, so that another one is opened.
func (c *client) interrupt(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut != nil {
		c.cut(why)
	}
}

var errNoStream = errors.New("the connection to the Mesos master is broken")

// send sends a call that belongs to the stream.
func (c *client) send(ctx context.Context, q call) error {
	c.mu.Lock()
	leader, stream, id := c.leader, c.stream, c.id
	c.mu.Unlock()
	if leader == "" {
		return errNoStream
	}
	q.FrameworkID = &ident{id}
	body, err := json.Marshal(&q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, callLimit, fmt.Errorf("the Mesos master at %s did not answer within %s", leader, callLimit))
	defer cancel()
	r, _, err := c.post(ctx, leader, stream, body)
	if err != nil {
		return causeOr(ctx, err)
	}
	if r.StatusCode != http.StatusAccepted && r.StatusCode != http.StatusOK {
		return refused(r)
	}
	return r.Body.Close()
}
