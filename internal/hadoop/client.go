package hadoop

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Service is a service and what must be known to reach it.
type Service struct {
	Protocol  string   // e.g. org.apache.hadoop.hdfs.protocol.ClientProtocol
	Addrs     []string // host:port; of highly available pairs all
	Principal string   // of Kerberos, with _HOST for the host's name; "" where there is none
	// TokenKind and TokenService choose the user's token for the service; without one, TokenService "" takes any of the kind.
	TokenKind, TokenService string
	// RetryFor is how long a service that cannot be reached is tried; 0 means DefaultRetry.
	RetryFor time.Duration
}

// DefaultRetry is how long services that cannot be reached are tried.
const DefaultRetry = 20 * time.Second

// Client calls one service. Its methods may be called by several goroutines.
type Client struct {
	conf    Conf
	user    *User
	service Service

	mu      sync.Mutex
	current *conn
	active  int // index of the address that answered last
	closed  bool
	dialing chan struct{} // holds a token while nobody connects
}

// NewClient makes a client; it connects at the first call.
func NewClient(c Conf, u *User, s Service) *Client {
	cl := &Client{conf: c, user: u, service: s, dialing: make(chan struct{}, 1)}
	cl.dialing <- struct{}{}
	return cl
}

// ErrClientClosed is the error of a call after Close.
var ErrClientClosed = errors.New("the client is closed")

// Call calls a method. A connection that cannot be made, a standby and a request to try again are tried again for the time
// that the service grants; a connection that broke after the request was sent only if the call is idempotent.
func (c *Client) Call(ctx context.Context, method string, request, response any, idempotent bool) error {
	limit := c.service.RetryFor
	if limit == 0 {
		limit = DefaultRetry
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit+callLimit, fmt.Errorf("no answer within %v", limit+callLimit))
	defer cancel()
	wait := 100 * time.Millisecond
	for end := time.Now().Add(limit); ; {
		err := c.once(ctx, method, request, response)
		next := c.verdict(err, idempotent)
		if next == giveUp || next == failOver && len(c.service.Addrs) == 0 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: tried for %v: %w", method, limit, err)
		}
		if next == failOver {
			c.rotate()
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
		wait = min(wait*2, 2*time.Second)
	}
}

// callLimit bounds a call that the service has, beyond the time in which it is tried again.
const callLimit = 2 * time.Minute

type verdict uint8

const (
	giveUp verdict = iota
	repeat
	failOver
)

// verdict says what to do after a call.
func (c *Client) verdict(err error, idempotent bool) verdict {
	var lost *ConnError
	switch {
	case err == nil, errors.Is(err, ErrClientClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return giveUp
	case errors.Is(err, Exception("StandbyException")):
		return failOver
	case errors.Is(err, Exception("RetriableException")):
		return repeat
	case errors.As(err, &lost) && (!lost.Sent || idempotent):
		return failOver
	}
	return giveUp
}

// once calls on the connection that there is, or on a new one.
func (c *Client) once(ctx context.Context, method string, request, response any) error {
	n, err := c.connection(ctx)
	if err != nil {
		return err
	}
	return n.call(ctx, method, request, response)
}

func (c *Client) connection(ctx context.Context) (*conn, error) {
	select {
	case <-c.dialing:
		defer func() { c.dialing <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.mu.Lock()
	n, closed, addr := c.current, c.closed, ""
	if len(c.service.Addrs) > 0 {
		addr = c.service.Addrs[c.active%len(c.service.Addrs)]
	}
	c.mu.Unlock()
	if closed {
		return nil, ErrClientClosed
	}
	if n != nil && !n.broken() {
		return n, nil
	}
	if addr == "" {
		return nil, &ConnError{Service: c.service.Protocol, Cause: errors.New("the configuration has no address of it")}
	}
	if n != nil {
		n.close()
	}
	n, err := dial(ctx, c, addr, c.user, c.user.Token(c.service.TokenKind, c.service.TokenService))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		n.close()
		return nil, ErrClientClosed
	}
	c.current = n
	return n, nil
}

// rotate turns to the next address.
func (c *Client) rotate() {
	c.mu.Lock()
	n := c.current
	c.current = nil
	if len(c.service.Addrs) > 1 {
		c.active++
	}
	c.mu.Unlock()
	if n != nil {
		n.close()
	}
}

// Reconnect drops the connection, so that the next call uses the user's tokens of then.
func (c *Client) Reconnect() {
	c.mu.Lock()
	n := c.current
	c.current = nil
	c.mu.Unlock()
	if n != nil {
		n.close()
	}
}

// Addr is the address that is used now.
func (c *Client) Addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.service.Addrs) == 0 {
		return ""
	}
	return c.service.Addrs[c.active%len(c.service.Addrs)]
}

// Close ends the connection; calls that wait fail.
func (c *Client) Close() {
	c.mu.Lock()
	n := c.current
	c.current, c.closed = nil, true
	c.mu.Unlock()
	if n != nil {
		n.close()
	}
}
