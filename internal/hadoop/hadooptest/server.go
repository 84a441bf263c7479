// Package hadooptest is a server of Hadoop's RPC for tests: the framing, the handshake with tokens, calls to handlers.
package hadooptest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
)

// Exception is an error that clients see as an exception of the class.
type Exception struct{ Class, Message string }

func (e *Exception) Error() string { return e.Class + ": " + e.Message }

// Hangup is an error that makes the server close the connection without an answer.
var Hangup = errors.New("hang up")

// Call is one call.
type Call struct {
	Method   string
	User     string // effective user of the connection; of tokens, their identifier
	Protocol string
	Body     []byte
}

// Server answers calls by its handler.
type Server struct {
	listener net.Listener
	handle   func(Call) (any, error)
	tokens   []*hadoop.Token // not nil: clients must have one of them
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// Start starts a server on loopback that ends with the test; with tokens, it accepts only those.
func Start(t testing.TB, tokens []*hadoop.Token, handle func(Call) (any, error)) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{listener: l, handle: handle, tokens: tokens, conns: map[net.Conn]bool{}}
	s.wg.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// Addr is host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is its port.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Close ends the server and all connections.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.Break()
	s.wg.Wait()
}

// Break closes all connections.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			_ = s.serve(c) // clients that hang up are none of a test's business
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

type header struct {
	Kind     int32  `pb:"1"`
	CallID   int32  `pb:"3,sint,req"`
	ClientID []byte `pb:"4,req"`
}

type method struct {
	Method   string `pb:"1"`
	Protocol string `pb:"2"`
}

type response struct {
	CallID uint32 `pb:"1,req"`
	Status int32  `pb:"2,req"`
	Class  string `pb:"4"`
	Error  string `pb:"5"`
	Detail int32  `pb:"6"`
}

type context struct {
	User *struct {
		Effective string `pb:"1"`
	} `pb:"2"`
	Protocol string `pb:"3"`
}

type sasl struct {
	State int32   `pb:"2,req"`
	Token []byte  `pb:"3"`
	Auths []*auth `pb:"4"`
}

type auth struct {
	Method    string `pb:"1"`
	Mechanism string `pb:"2"`
	Protocol  string `pb:"3,req"`
	ServerID  string `pb:"4"`
	Challenge []byte `pb:"5"`
}

// frame reads a frame: its header and what follows.
func frame(r io.Reader) (*header, []byte, error) {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(n[:]))
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, nil, err
	}
	h := new(header)
	rest, err := pb.ConsumeDelimited(b, h)
	return h, rest, err
}

func write(w io.Writer, parts ...any) error {
	b := make([]byte, 4)
	for _, p := range parts {
		b = pb.AppendDelimited(b, p)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	_, err := w.Write(b)
	return err
}

func (s *Server) serve(c net.Conn) error {
	r := bufio.NewReader(c)
	var hello [7]byte
	if _, err := io.ReadFull(r, hello[:]); err != nil {
		return err
	}
	if string(hello[:4]) != "hrpc" || hello[4] != 9 {
		return errors.New("not Hadoop RPC version 9")
	}
	user := ""
	switch {
	case hello[6] == 0xDF:
		var err error
		if user, err = s.negotiate(c, r); err != nil {
			return err
		}
	case s.tokens != nil:
		return write(c, &response{Status: 2, Class: "org.apache.hadoop.security.AccessControlException",
			Error: "SIMPLE authentication is not enabled.  Available:[TOKEN]\n\tat java", Detail: 15})
	}
	var about context
	_, rest, err := frame(r)
	if err != nil {
		return err
	}
	if _, err := pb.ConsumeDelimited(rest, &about); err != nil {
		return err
	}
	if about.User != nil {
		user = about.User.Effective
	}
	return s.calls(c, r, user)
}

func (s *Server) negotiate(c net.Conn, r io.Reader) (string, error) {
	const id = -33
	next := func() (*sasl, []byte, error) {
		_, rest, err := frame(r)
		if err != nil {
			return nil, nil, err
		}
		m := new(sasl)
		_, err = pb.ConsumeDelimited(rest, m)
		return m, rest, err
	}
	call := int32(id)
	if _, _, err := next(); err != nil {
		return "", err
	}
	offer := &sasl{State: 1, Auths: []*auth{{Method: "TOKEN", Mechanism: "DIGEST-MD5", ServerID: "default",
		Challenge: []byte(`realm="default",nonce="MDEyMzQ1Njc4OQ==",qop="auth",charset=utf-8,algorithm=md5-sess`)}}}
	if err := write(c, &response{CallID: uint32(call)}, offer); err != nil {
		return "", err
	}
	m, raw, err := next()
	if err != nil {
		return "", err
	}
	// Java's services compare the choice with their offer, fields that are there and empty included.
	if !bytes.Contains(raw, pb.Marshal(&auth{Method: "TOKEN", Mechanism: "DIGEST-MD5", ServerID: "default"})) {
		_ = write(c, &response{CallID: uint32(call), Status: 2, Class: "org.apache.hadoop.security.AccessControlException",
			Error: "TOKEN authentication is not enabled.  Available:[TOKEN]", Detail: 15})
		return "", errors.New("a choice that was not offered")
	}
	for _, t := range s.tokens {
		d := hadoop.NewTokenDigest(t, "", "default")
		if answer, err := d.Check(m.Token); err == nil && d.User() == base64.StdEncoding.EncodeToString(t.Identifier) {
			return string(t.Identifier), write(c, &response{CallID: uint32(call)}, &sasl{State: 0, Token: answer})
		}
	}
	_ = write(c, &response{CallID: uint32(call), Status: 2, Class: "javax.security.sasl.SaslException",
		Error: "DIGEST-MD5: digest response format violation. Mismatched response.", Detail: 15})
	return "", errors.New("wrong token")
}

func (s *Server) calls(c net.Conn, r io.Reader, user string) error {
	var writing sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		h, rest, err := frame(r)
		if err != nil {
			return err
		}
		if h.CallID < 0 {
			continue // a ping
		}
		var m method
		body, err := pb.ConsumeDelimited(rest, &m)
		if err != nil {
			return err
		}
		if n, used := binary.Uvarint(body); used > 0 && int(n) == len(body)-used {
			body = body[used:]
		}
		wg.Go(func() {
			out, err := s.handle(Call{m.Method, user, m.Protocol, body})
			writing.Lock()
			defer writing.Unlock()
			if errors.Is(err, Hangup) {
				_ = c.Close()
				return
			}
			if err != nil {
				e, ok := errors.AsType[*Exception](err)
				if !ok {
					e = &Exception{"java.io.IOException", err.Error()}
				}
				_ = write(c, &response{CallID: uint32(h.CallID), Status: 1, Class: e.Class, Error: e.Message + "\n\tat java.lang.Thread", Detail: 1})
				return
			}
			_ = write(c, &response{CallID: uint32(h.CallID)}, out)
		})
	}
}
