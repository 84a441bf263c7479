package block

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
)

// ErrGone is the error of a block that its server does not have.
var ErrGone = errors.New("the block is not there (any more)")

// ErrChecksum is the error of a block whose bytes changed on the way.
var ErrChecksum = errors.New("the checksum of the block differs")

// ErrUnchecked is the error of a block about which its server cannot say whether it changed.
var ErrUnchecked = errors.New("the block has no checksum")

// ErrPeerLost is the error of reading from a process that is known to be gone.
var ErrPeerLost = errors.New("the process that keeps the block is gone")

// ServerError is an error that a block server had.
type ServerError struct{ Text string }

func (e *ServerError) Error() string { return e.Text }

// Options say how a client works.
type Options struct {
	RPC     rpc.Config
	Retries int           // spark.shuffle.io.maxRetries: times that a broken connection is made again
	Wait    time.Duration // spark.shuffle.io.retryWait: pause before that
	Window  int64         // spark.reducer.maxSizeInFlight: bytes asked for ahead by a stream
	// Timeout is how long a server may take to answer (spark.network.timeout).
	Timeout time.Duration
}

// Client reads blocks of other processes. It keeps one connection to each. It may be used by several goroutines.
type Client struct {
	o     Options
	mu    sync.Mutex
	peers map[string]*peer
	done  bool
}

// peer is a block server. Its lock is held while a connection is made.
type peer struct {
	addr string
	lost chan struct{} // closed when it is known to be gone
	mu   sync.Mutex
	conn *rpc.Conn
}

// NewClient makes a client.
func NewClient(o Options) *Client {
	if o.Window <= 0 {
		o.Window = 48 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	return &Client{o: o, peers: map[string]*peer{}}
}

func (c *Client) peer(addr string) *peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.peers[addr]
	if p == nil {
		p = &peer{addr: addr, lost: make(chan struct{})}
		c.peers[addr] = p
		if c.done {
			close(p.lost)
		}
	}
	return p
}

// Lose ends all reading from a server that is gone. Reading from it fails at once from then on.
func (c *Client) Lose(addr string) {
	p := c.peer(addr)
	c.mu.Lock()
	select {
	case <-p.lost:
	default:
		close(p.lost)
	}
	c.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// Close ends all connections, and all reading.
func (c *Client) Close() {
	c.mu.Lock()
	c.done = true
	var all []string
	for addr := range c.peers {
		all = append(all, addr)
	}
	c.mu.Unlock()
	for _, addr := range all {
		c.Lose(addr)
	}
}

// nobody is the handler of a client's connections: servers ask nothing.
type nobody struct{}

func (nobody) Call(context.Context, *rpc.Conn, string, []byte) ([]byte, error) {
	return nil, errors.New("a client of blocks answers nothing")
}
func (nobody) Receive(*rpc.Conn, string, []byte) {}

// connect is the connection to a server; one is made if there is none.
func (c *Client) connect(ctx context.Context, p *peer) (*rpc.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.lost:
		return nil, ErrPeerLost
	default:
	}
	if p.conn != nil && p.conn.Err() == nil {
		return p.conn, nil
	}
	conn, err := rpc.Dial(ctx, p.addr, c.o.RPC, nobody{})
	if err != nil {
		return nil, err
	}
	if p.conn != nil {
		p.conn.Close()
	}
	p.conn = conn
	return conn, nil
}

// Remove drops a block of a server.
func (c *Client) Remove(ctx context.Context, addr, name string) error {
	_, err := c.call(ctx, addr, methodDrop, name)
	return err
}

// Check has a server compare what it has of a block with what was written.
func (c *Client) Check(ctx context.Context, addr, name string) (s State, err error) {
	out, err := c.call(ctx, addr, methodCheck, name)
	if err == nil {
		err = rpc.Unmarshal(out, &s)
	}
	return s, err
}

func (c *Client) call(ctx context.Context, addr, method, name string) ([]byte, error) {
	ctx, cancel := c.limited(ctx, addr, name)
	defer cancel()
	conn, err := c.connect(ctx, c.peer(addr))
	if err != nil {
		return nil, err
	}
	body, err := rpc.Marshal(&name)
	if err != nil {
		return nil, err
	}
	return conn.Call(ctx, method, body)
}

func (c *Client) limited(ctx context.Context, addr, name string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.o.Timeout, fmt.Errorf("%s did not serve block %s within %s (spark.network.timeout)", addr, name, c.o.Timeout))
}

// Open starts to read a block. size is how many bytes it is expected to have, 0 if nobody knows: so many are asked for
// ahead at once, as the window allows. It does not wait; errors come from Read.
func (c *Client) Open(ctx context.Context, addr, name string, size int64) *Stream {
	s := &Stream{c: c, ctx: ctx, p: c.peer(addr), name: name, size: -1, hint: size}
	s.retries = c.o.Retries
	s.p.mu.Lock()
	conn := s.p.conn
	s.p.mu.Unlock()
	if conn != nil && conn.Err() == nil {
		s.conn = conn
		s.ask()
	}
	return s
}

// Stream is a block that is being read. It belongs to one goroutine.
type Stream struct {
	c       *Client
	ctx     context.Context
	p       *peer
	name    string
	size    int64 // of the block; -1: not known yet
	hint    int64
	conn    *rpc.Conn
	next    int64   // offset that is asked for next
	ahead   []asked // in order
	rest    []byte  // of the current chunk
	slab    []byte
	at      int64 // offset behind the current chunk
	retries int
	err     error
}

// asked is a chunk that was asked for. Answers come in any order: out is one that came before its connection broke.
type asked struct {
	p      *rpc.Pending // nil: it must be asked for (again), or out has come
	buf    []byte
	out    []byte
	offset int64
	length int
}

// ask asks for chunks ahead, and for those that a broken connection lost.
func (s *Stream) ask() {
	for i := range s.ahead {
		if a := &s.ahead[i]; a.p == nil && a.out == nil && !s.request(a) {
			return
		}
	}
	for s.next-s.at < s.c.o.Window || len(s.ahead) == 0 {
		end := s.size
		if end < 0 {
			end = s.hint
		}
		length := min(end-s.next, Chunk)
		if s.next >= end {
			if s.size >= 0 || len(s.ahead) > 0 {
				return
			}
			length = Chunk // of a block whose size is not known
		}
		a := asked{offset: s.next, length: int(length)}
		if !s.request(&a) {
			return
		}
		s.ahead = append(s.ahead, a)
		s.next += length
	}
}

// request sends a request; it says false if the connection is broken: the wait for an answer will tell.
func (s *Stream) request(a *asked) bool {
	body, err := rpc.Marshal(&readRequest{s.name, a.offset, a.length})
	if err != nil {
		s.err = err
		return false
	}
	a.buf = memory.Buffers.Get(headSize + a.length)
	if a.p, err = s.conn.Start(methodRead, body, a.buf); err != nil {
		memory.Buffers.Put(a.buf)
		a.p, a.buf = nil, nil
		return false
	}
	return true
}

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.release()
		if s.size >= 0 && s.at >= s.size {
			s.err = io.EOF
			return 0, io.EOF
		}
		if err := s.advance(); err != nil {
			s.err = fmt.Errorf("%s, reading block %s from %s: %w", cmp.Or(s.c.o.RPC.Name, "a reader"), s.name, s.p.addr, err)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// release gives the current chunk's memory back.
func (s *Stream) release() {
	if s.slab != nil {
		memory.Buffers.Put(s.slab)
		s.slab, s.rest = nil, nil
	}
}

// advance takes the next chunk. A broken connection is made again, so often as the options say.
func (s *Stream) advance() error {
	for {
		err := s.take()
		var refused *rpc.RefusedError
		var server *ServerError
		switch {
		case err == nil:
			s.retries = s.c.o.Retries
			return nil
		case s.ctx.Err() != nil:
			return context.Cause(s.ctx)
		case errors.Is(err, ErrGone), errors.Is(err, ErrPeerLost), errors.As(err, &refused), errors.As(err, &server):
			return err
		}
		if s.salvage() {
			s.retries = s.c.o.Retries
		}
		if s.retries == 0 {
			return err
		}
		s.retries--
		if err := s.pause(); err != nil {
			return err
		}
	}
}

func (s *Stream) pause() error {
	t := time.NewTimer(s.c.o.Wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.p.lost:
		return ErrPeerLost
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// take waits for the next chunk.
func (s *Stream) take() error {
	ctx, cancel := s.c.limited(s.ctx, s.p.addr, s.name)
	defer cancel()
	if s.conn == nil {
		var err error
		if s.conn, err = s.c.connect(ctx, s.p); err != nil {
			return err
		}
	}
	s.ask()
	if s.err != nil {
		return s.err
	}
	if len(s.ahead) == 0 {
		return s.conn.Err()
	}
	a := &s.ahead[0]
	if a.out == nil {
		if a.p == nil {
			return s.conn.Err()
		}
		p := a.p
		a.p = nil
		var err error
		if a.out, err = p.Wait(ctx); err != nil {
			a.buf = nil // the answer may still be written to it
			return s.why(err)
		}
	}
	if err := s.check(a); err != nil {
		a.out = nil
		return err
	}
	s.ahead = s.ahead[1:]
	return nil
}

// why is ErrPeerLost where an error has that cause.
func (s *Stream) why(err error) error {
	select {
	case <-s.p.lost:
		return ErrPeerLost
	default:
		return err
	}
}

// salvage keeps the answers that came before the connection broke, and says whether there are any. The others are asked
// for again.
func (s *Stream) salvage() (any bool) {
	s.conn = nil
	for i := range s.ahead {
		a := &s.ahead[i]
		if a.p == nil {
			continue
		}
		out, err, ok := a.p.Poll()
		if !ok {
			a.p.Cancel()
		}
		if ok && err == nil {
			a.out, any = out, true
		} else {
			a.buf = nil
		}
		a.p = nil
	}
	return any
}

// check makes an answer the current chunk.
func (s *Stream) check(a *asked) error {
	out := a.out
	if len(out) < headSize {
		return rpc.ErrMalformed
	}
	data, size := out[headSize:], int64(binary.LittleEndian.Uint64(out[8:]))
	switch {
	case crc32.Checksum(data, castagnoli) != binary.LittleEndian.Uint32(out[4:]):
		return ErrChecksum
	case out[0] == statusGone:
		return ErrGone
	case out[0] != statusOK:
		return &ServerError{string(data)}
	case s.size >= 0 && size != s.size || size < s.at+int64(len(data)):
		return &ServerError{"the block changed while it was read"}
	}
	s.size = size
	s.slab, s.rest = a.buf, data
	s.at += int64(len(data))
	if short := len(data) < a.length; short && s.at < size {
		return &ServerError{"the block is cut"}
	}
	return nil
}

// Close gives up what was not read.
func (s *Stream) Close() error {
	s.release()
	for _, a := range s.ahead {
		if a.p != nil {
			a.p.Cancel()
		}
	}
	s.ahead, s.conn = nil, nil
	if s.err == nil {
		s.err = errors.New("the block is closed")
	}
	return nil
}
