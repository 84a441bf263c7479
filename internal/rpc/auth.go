package rpc

import (
	"bufio"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/secure"
)

// Version is that of the protocol; processes of other versions are refused by name.
const Version = "1"

// Release is Firesteel's own version. Processes of different releases understand each other if their protocol and their
// messages (Config.Build) are the same; if not, both are named.
const Release = "0.1.0"

// Config says how this process presents itself.
type Config struct {
	// Secret, if not empty, must be known by the peer; an empty one means that nobody is asked.
	Secret string
	// Build tells programs apart whose messages differ; "" agrees with all.
	Build string
	// Release is that of the program; "" is this one's.
	Release string
	// Name is what the peer's messages call this process: executor 3, worker at host:port.
	Name string
	// TLS secures the connection before anything else is said; nil: it is not secured.
	TLS *secure.TLS
	// Timeout of connecting and of the handshake; 0 means 10 s.
	Timeout time.Duration
}

func (c *Config) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return 10 * time.Second
}

// RefusedError says that the peer, or this side, did not let the other in.
type RefusedError struct{ Peer, Reason string }

func (e *RefusedError) Error() string { return e.Peer + " refused the connection: " + e.Reason }

const (
	magic      = "firesteel rpc"
	maxHello   = 4 << 10
	nonceBytes = 32
)

// hello is the first frame of each side; proof the second; verdict what the listening side ends the handshake with.
type (
	hello struct {
		Magic, Version, Build, Name string
		Auth                        bool
		Nonce                       []byte
		Refused                     string // by the listening side
	}
	proof   struct{ MAC []byte }
	verdict struct {
		Refused string
		MAC     []byte
	}
)

func newHello(c *Config) hello {
	h := hello{Magic: magic, Version: Version, Name: c.Name, Auth: c.Secret != "", Nonce: make([]byte, nonceBytes)}
	if c.Build != "" {
		h.Build = cmp.Or(c.Release, Release) + " " + c.Build
	}
	if _, err := rand.Read(h.Nonce); err != nil {
		panic(err) // crypto/rand does not fail
	}
	return h
}

// mac proves that one knows the secret: of whose side it is, and both nonces.
func mac(secret, side string, client, server []byte) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(side))
	m.Write(client)
	m.Write(server)
	return m.Sum(nil)
}

// unfit says why the peer's hello cannot be accepted; "" if it can.
func (h *hello) unfit(own *hello) string {
	switch {
	case h.Magic != magic || len(h.Nonce) != nonceBytes:
		return "this is no Firesteel process"
	case h.Version != own.Version:
		return fmt.Sprintf("it is %s with version %s of the protocol, not %s with version %s", own.program(), own.Version, h.program(), h.Version)
	case h.Build != "" && own.Build != "" && h.messages() != own.messages():
		return fmt.Sprintf("it is %s, not %s", own.program(), h.program())
	case h.Auth && !own.Auth:
		return "it does not expect a shared secret (spark.authenticate), but one was given"
	case !h.Auth && own.Auth:
		return "it asks for a shared secret (spark.authenticate), but none was given"
	}
	return ""
}

// messages is the digest of a hello's messages, without the release.
func (h *hello) messages() string { return h.Build[strings.LastIndexByte(h.Build, ' ')+1:] }

// program names whose hello it is.
func (h *hello) program() string {
	text := "Firesteel"
	if release, messages, ok := strings.Cut(h.Build, " "); ok {
		text += " " + release + " (messages " + messages + ")"
	} else if h.Build != "" {
		text += " (messages " + h.Build + ")"
	}
	return text
}

func send(n net.Conn, v any) error {
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(n, b)
}

func receive(r *bufio.Reader, into any) error {
	b, err := readFrame(r, maxHello)
	if err != nil {
		return err
	}
	_, err = plain.Next(b, into) // later releases may say more
	return err
}

// greet is the connecting side of the handshake; it returns the peer's name.
func greet(n net.Conn, r *bufio.Reader, c *Config) (string, error) {
	own, peer := newHello(c), hello{}
	if err := send(n, &own); err != nil {
		return "", err
	}
	if err := receive(r, &peer); err != nil {
		return "", fmt.Errorf("it does not answer as a Firesteel process: %w", err)
	}
	at := n.RemoteAddr().String()
	if peer.Refused != "" {
		return "", &RefusedError{at, peer.Refused}
	}
	if own.Auth {
		if err := send(n, &proof{mac(c.Secret, "client", own.Nonce, peer.Nonce)}); err != nil {
			return "", err
		}
	}
	var v verdict
	if err := receive(r, &v); err != nil {
		return "", err
	}
	switch {
	case v.Refused != "":
		return "", &RefusedError{at, v.Refused}
	case own.Auth && !hmac.Equal(v.MAC, mac(c.Secret, "server", own.Nonce, peer.Nonce)):
		return "", &RefusedError{"this process", at + " does not know the shared secret (spark.authenticate.secret)"}
	}
	return named(peer.Name, at), nil
}

// admit is the listening side.
func admit(n net.Conn, r *bufio.Reader, c *Config) (string, error) {
	own, peer := newHello(c), hello{}
	if err := receive(r, &peer); err != nil {
		return "", err
	}
	if own.Refused = peer.unfit(&own); own.Refused != "" {
		return "", errors.Join(send(n, &own), errors.New(own.Refused))
	}
	if err := send(n, &own); err != nil {
		return "", err
	}
	var v verdict
	if own.Auth {
		var p proof
		if err := receive(r, &p); err != nil {
			return "", err
		}
		if !hmac.Equal(p.MAC, mac(c.Secret, "client", peer.Nonce, own.Nonce)) {
			v.Refused = "the shared secret (spark.authenticate.secret) is wrong"
			return "", errors.Join(send(n, &v), errors.New(v.Refused))
		}
		v.MAC = mac(c.Secret, "server", peer.Nonce, own.Nonce)
	}
	return named(peer.Name, n.RemoteAddr().String()), send(n, &v)
}

func named(name, at string) string {
	if name == "" {
		return at
	}
	return name + " (" + at + ")"
}

// Dial connects to a process that listens.
func Dial(ctx context.Context, addr string, c Config, h Handler) (*Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout(), fmt.Errorf("no answer within %s", c.timeout()))
	defer cancel()
	var d net.Dialer
	n, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached: %w", addr, err)
	}
	raw := n
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	n, err = secureClient(ctx, raw, addr, &c)
	r, peer := bufio.NewReaderSize(n, 64<<10), ""
	if err == nil {
		peer, err = greet(n, r, &c)
	}
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		var refused *RefusedError
		if errors.As(err, &refused) {
			return nil, err
		}
		return nil, fmt.Errorf("connecting to %s failed: %w", addr, err)
	}
	return newConn(n, r, peer, h), nil
}

// Server accepts connections.
type Server struct {
	listener net.Listener
	cfg      Config
	tls      *tls.Config // nil: connections are not secured
	handler  func(*Conn) Handler
	refused  func(peer string, err error)
	serving  sync.WaitGroup

	mu     sync.Mutex
	conns  map[*Conn]bool
	shakes map[net.Conn]time.Time // connections in their handshake, and since when
	closed bool
	done   chan struct{}
}

// maxHandshakes bounds the connections that have not proved who they are. When another one comes the oldest of them has to go: who
// means well is quick, and who is slow on purpose does not keep others out.
const maxHandshakes = 256

// Listen serves connections at addr; handler makes the handler of each. refused, if not nil, is told about peers that
// were not let in.
func Listen(addr string, c Config, handler func(*Conn) Handler, refused func(peer string, err error)) (*Server, error) {
	tlsConfig, err := c.TLS.Server(c.Secret)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, cfg: c, tls: tlsConfig, handler: handler, refused: refused, conns: map[*Conn]bool{}, shakes: map[net.Conn]time.Time{}, done: make(chan struct{})}
	s.serving.Go(s.accept)
	return s, nil
}

// Addr is where the server listens: host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the port it listens on.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *Server) accept() {
	for {
		n, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors: others may become free
			select {
			case <-s.done:
				return
			case <-time.After(50 * time.Millisecond):
				continue
			}
		}
		s.mu.Lock()
		if s.closed {
			_ = n.Close()
		} else {
			if len(s.shakes) == maxHandshakes {
				s.crowdOut()
			}
			s.shakes[n] = time.Now()
			s.serving.Go(func() { s.welcome(n) })
		}
		s.mu.Unlock()
	}
}

// crowdOut ends the oldest handshake; s.mu is held.
func (s *Server) crowdOut() {
	var oldest net.Conn
	for n, since := range s.shakes {
		if oldest == nil || since.Before(s.shakes[oldest]) {
			oldest = n
		}
	}
	delete(s.shakes, oldest)
	_ = oldest.Close()
}

// lazy is a handler that is known only when the connection is made.
type lazy struct {
	ready chan struct{}
	h     Handler
}

func (l *lazy) Call(ctx context.Context, c *Conn, method string, body []byte) ([]byte, error) {
	<-l.ready
	return l.h.Call(ctx, c, method, body)
}

func (l *lazy) Lend(ctx context.Context, c *Conn, method string, body []byte) ([]byte, func(), error) {
	<-l.ready
	if h, ok := l.h.(Lender); ok {
		return h.Lend(ctx, c, method, body)
	}
	out, err := l.h.Call(ctx, c, method, body)
	return out, nil, err
}

func (l *lazy) Receive(c *Conn, method string, body []byte) {
	<-l.ready
	l.h.Receive(c, method, body)
}

func (s *Server) welcome(n net.Conn) {
	raw := n
	_ = raw.SetDeadline(time.Now().Add(s.cfg.timeout()))
	n, err := secureServer(raw, s.tls)
	r, peer := (*bufio.Reader)(nil), ""
	if err == nil {
		r = bufio.NewReaderSize(n, 64<<10)
		peer, err = admit(n, r, &s.cfg)
	}
	if err == nil {
		err = n.SetDeadline(time.Time{})
	}
	s.mu.Lock()
	delete(s.shakes, raw)
	if err != nil || s.closed {
		s.mu.Unlock()
		_ = raw.Close()
		if err != nil && s.refused != nil {
			s.refused(raw.RemoteAddr().String(), err)
		}
		return
	}
	l := &lazy{ready: make(chan struct{})}
	c := newConn(n, r, peer, l)
	s.conns[c] = true
	s.mu.Unlock()
	l.h = s.handler(c)
	close(l.ready)
	<-c.Done()
	c.serving.Wait()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// Close stops listening, ends all connections and waits for what serves them.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	for n := range s.shakes {
		_ = n.Close()
	}
	s.mu.Unlock()
	_ = s.listener.Close()
	for _, c := range conns {
		c.fail(ErrClosed)
	}
	s.serving.Wait()
}
