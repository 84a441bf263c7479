package hadoop

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop/pb"
)

// Limits of the wire.
const (
	// maxResponse is Hadoop's own limit (ipc.maximum.response.length).
	maxResponse = 128 << 20
	grantAtOnce = 1 << 20
	// connectTimeout is how long connecting and the handshake may take.
	connectTimeout = 20 * time.Second
	// writeTimeout is how long a service may not take what is sent to it.
	writeTimeout = 60 * time.Second
	// pingInterval is how often a connection shows that it is alive while a call waits (ipc.ping.interval).
	pingInterval = 60 * time.Second
)

// Numbers of calls that mean something else.
const (
	callContext = -3
	callPing    = -4
	callSasl    = -33
)

const (
	rpcProtobuf = 2
	authNone    = 0
	authSasl    = 0xDF
)

type requestHeader struct {
	Kind     int32  `pb:"1,req"`
	Op       int32  `pb:"2,req"`
	CallID   int32  `pb:"3,sint,req"`
	ClientID []byte `pb:"4,req"`
	Retry    int32  `pb:"5,sint"`
}

type methodHeader struct {
	Method   string `pb:"1,req"`
	Protocol string `pb:"2,req"`
	Version  int64  `pb:"3,req"`
}

type responseHeader struct {
	CallID uint32 `pb:"1"`
	Status int32  `pb:"2"`
	Class  string `pb:"4"`
	Error  string `pb:"5"`
	Detail int32  `pb:"6"`
}

type connectionContext struct {
	User     *userInformation `pb:"2"`
	Protocol string           `pb:"3"`
}

type userInformation struct {
	Effective string `pb:"1"`
	Real      string `pb:"2"`
}

// RemoteError is an exception of a service.
type RemoteError struct {
	Service string
	Class   string // of Java, e.g. org.apache.hadoop.ipc.StandbyException
	Message string // its first line
	Detail  int32
}

func (e *RemoteError) Error() string {
	return e.Service + ": " + e.Class[strings.LastIndexByte(e.Class, '.')+1:] + ": " + e.Message
}

// Is says whether the exception is of a class, given without its package.
func (e *RemoteError) Is(target error) bool {
	t, ok := target.(Exception)
	return ok && e.Class[strings.LastIndexByte(e.Class, '.')+1:] == string(t)
}

// Exception is a class of exceptions for errors.Is, by its simple name.
type Exception string

func (e Exception) Error() string { return string(e) }

// ConnError says that the connection to a service could not be made or broke.
type ConnError struct {
	Service string
	// Sent says that the service may have carried out the call.
	Sent  bool
	Cause error
}

func (e *ConnError) Error() string { return "connection to " + e.Service + ": " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *ConnError) Unwrap() error { return e.Cause }

// conn is one connection.
type conn struct {
	client   *Client
	addr     string
	user     *User
	token    *Token
	net      net.Conn
	r        *bufio.Reader
	id       []byte
	writing  sync.Mutex
	reading  sync.WaitGroup
	mu       sync.Mutex
	next     int32
	waiting  map[int32]chan reply
	err      error
	finished chan struct{}
}

type reply struct {
	body []byte
	err  error
}

// dial connects and introduces the user.
func dial(ctx context.Context, client *Client, addr string, user *User, token *Token) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	n, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, &ConnError{Service: addr, Cause: err}
	}
	c := &conn{client: client, addr: addr, user: user, token: token, net: n, r: bufio.NewReader(n), id: make([]byte, 16),
		waiting: map[int32]chan reply{}, finished: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = n.SetDeadline(time.Unix(1, 0)) })
	err = c.handshake()
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = n.Close()
		var remote *RemoteError
		var auth *AuthError
		if errors.As(err, &remote) || errors.As(err, &auth) {
			return nil, err
		}
		return nil, &ConnError{Service: addr, Cause: err}
	}
	c.reading.Add(1)
	go c.read()
	return c, nil
}

func (c *conn) handshake() error {
	if _, err := rand.Read(c.id); err != nil {
		return err
	}
	auth := byte(authNone)
	if c.token != nil || c.client.conf.Kerberos() {
		auth = authSasl
	}
	if _, err := c.net.Write([]byte{'h', 'r', 'p', 'c', 9, 0, auth}); err != nil {
		return err
	}
	if auth == authSasl {
		if err := c.negotiate(); err != nil {
			return err
		}
	}
	about := &connectionContext{Protocol: c.client.service.Protocol}
	if c.token == nil {
		about.User = &userInformation{Effective: c.user.Name, Real: c.user.Real}
	}
	return c.write(c.header(callContext), about)
}

func (c *conn) header(call int32) *requestHeader {
	return &requestHeader{Kind: rpcProtobuf, CallID: call, ClientID: c.id, Retry: -1}
}

// write sends one frame.
func (c *conn) write(parts ...any) error {
	b := make([]byte, 4, 256)
	for _, p := range parts {
		b = pb.AppendDelimited(b, p)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.net.Write(b)
	return err
}

// readFrame reads one answer: its header, and what follows it.
func (c *conn) readFrame() (*responseHeader, []byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil {
		return nil, nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxResponse {
		return nil, nil, fmt.Errorf("an answer of %d bytes, more than %d", n, maxResponse)
	}
	b, err := ReadBounded(c.r, int(n))
	if err != nil {
		return nil, nil, err
	}
	h := new(responseHeader)
	rest, err := pb.ConsumeDelimited(b, h)
	return h, rest, err
}

// ReadBounded reads n bytes, taking memory only as they come.
func ReadBounded(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, min(n, grantAtOnce))
	for have := 0; ; {
		if _, err := io.ReadFull(r, b[have:]); err != nil {
			return nil, err
		}
		if have = len(b); have == n {
			return b, nil
		}
		grown := make([]byte, min(n, 4*have))
		copy(grown, b)
		b = grown
	}
}

func (c *conn) failure(h *responseHeader) error {
	if h.Status == 0 {
		return nil
	}
	message, _, _ := strings.Cut(h.Error, "\n")
	return &RemoteError{Service: c.addr, Class: h.Class, Message: message, Detail: h.Detail}
}

func (c *conn) writeSasl(m *saslMessage) error {
	h := c.header(callSasl)
	return c.write(h, m)
}

func (c *conn) readSasl() (*saslMessage, error) {
	h, rest, err := c.readFrame()
	if err != nil {
		return nil, err
	}
	if err := c.failure(h); err != nil {
		return nil, err
	}
	if int32(h.CallID) != callSasl {
		return nil, &AuthError{c.addr, fmt.Sprintf("an answer to call %d within the handshake", int32(h.CallID))}
	}
	m := new(saslMessage)
	_, err = pb.ConsumeDelimited(rest, m)
	return m, err
}

// read hands answers to who waits for them until the connection ends.
func (c *conn) read() {
	defer c.reading.Done()
	for {
		h, rest, err := c.readFrame()
		if err != nil {
			c.fail(err)
			return
		}
		if h.Status == 2 {
			c.fail(c.failure(h))
			return
		}
		r := reply{body: rest, err: c.failure(h)}
		c.mu.Lock()
		w := c.waiting[int32(h.CallID)]
		delete(c.waiting, int32(h.CallID))
		c.mu.Unlock()
		if w != nil {
			w <- r
		}
	}
}

// fail ends the connection; calls that wait get the cause.
func (c *conn) fail(cause error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	if errors.Is(cause, io.EOF) {
		cause = errors.New("the service closed it")
	}
	var remote *RemoteError
	if c.err = cause; !errors.As(cause, &remote) {
		c.err = &ConnError{Service: c.addr, Sent: true, Cause: cause}
	}
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	_ = c.net.Close()
	for _, w := range waiting {
		w <- reply{err: c.err}
	}
	close(c.finished)
}

func (c *conn) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

var errClosed = errors.New("it was closed")

func (c *conn) close() {
	c.fail(errClosed)
	c.reading.Wait()
}

// call sends a request and waits for the answer.
func (c *conn) call(ctx context.Context, method string, request, response any) error {
	w := make(chan reply, 1)
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return &ConnError{Service: c.addr, Cause: c.err} // nothing was sent
	}
	c.next++
	id := c.next
	c.waiting[id] = w
	c.mu.Unlock()
	if err := c.write(c.header(id), &methodHeader{method, c.client.service.Protocol, 1}, request); err != nil {
		c.fail(err)
	}
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	for {
		select {
		case r := <-w:
			if r.err != nil {
				return r.err
			}
			_, err := pb.ConsumeDelimited(r.body, response)
			return err
		case <-ping.C:
			if err := c.write(c.header(callPing)); err != nil {
				c.fail(err)
			}
		case <-ctx.Done():
			c.mu.Lock()
			delete(c.waiting, id)
			c.mu.Unlock()
			return fmt.Errorf("%s at %s was given up: %w", method, c.addr, context.Cause(ctx))
		}
	}
}
