package rpc

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Handler answers what the peer sends.
type Handler interface {
	// Call answers a request, on a goroutine of its own. ctx ends with the connection, or when the peer gives up.
	Call(ctx context.Context, c *Conn, method string, body []byte) ([]byte, error)
	// Receive takes a message. Messages of a connection come one after the other in the order in which they were sent;
	// it must not block.
	Receive(c *Conn, method string, body []byte)
}

// Lender is a Handler whose answers may lie in memory that it wants back. It is asked instead of Call; release, if not nil,
// is called once the answer is sent, and not at all when the connection breaks before.
type Lender interface {
	Lend(ctx context.Context, c *Conn, method string, body []byte) (out []byte, release func(), err error)
}

// ConnError says that the connection to a peer broke, and why.
type ConnError struct {
	Peer  string
	Cause error
}

func (e *ConnError) Error() string {
	return "the connection to " + e.Peer + " is lost: " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *ConnError) Unwrap() error { return e.Cause }

// ErrClosed is the cause of the end of a connection that was closed on this side.
var ErrClosed = errors.New("it was closed")

// Frames: length of what follows (4), kind (1), number of the request (4), length of the method (1), method, body.
const (
	frameCall byte = iota + 1
	frameReply
	frameError
	frameMessage
	frameCancel
)

const (
	frameHead = 10
	maxFrame  = 512 << 20
	// grantAtOnce is how much is allocated for a frame before its bytes have come.
	grantAtOnce = 1 << 20
	// writeTimeout is how long a peer may not take what is sent to it.
	writeTimeout = 120 * time.Second
)

// Conn is one connection. Its methods may be called by several goroutines.
type Conn struct {
	net     net.Conn
	peer    string
	handler Handler
	ctx     context.Context
	cancel  context.CancelCauseFunc
	serving sync.WaitGroup
	buffer  *bufio.Writer // of a connection over TLS

	mu      sync.Mutex
	next    uint32
	waiting map[uint32]*Pending
	calls   map[uint32]context.CancelFunc // of the peer's requests
	out     net.Buffers
	back    []func() // memory to give back when out is sent
	writing bool     // what was taken from out is on its way
	wake    chan struct{}
	err     error // why it is closed
	done    chan struct{}
	// Tag is for the handler's own use.
	Tag any
}

type answer struct {
	body []byte
	err  error
}

func newConn(n net.Conn, r *bufio.Reader, peer string, h Handler) *Conn {
	c := &Conn{net: n, peer: peer, handler: h, waiting: map[uint32]*Pending{}, calls: map[uint32]context.CancelFunc{},
		wake: make(chan struct{}, 1), done: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.serving.Add(2)
	go c.read(r)
	go c.write()
	return c
}

// Peer names the other side.
func (c *Conn) Peer() string { return c.peer }

// Done is closed when the connection has ended; Err then says why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is nil while the connection stands, then a *ConnError.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection and waits for the goroutines that serve it, requests of the peer included. It must not be
// called by a Handler's method.
func (c *Conn) Close() {
	c.fail(ErrClosed)
	c.serving.Wait()
}

// fail ends the connection once.
func (c *Conn) fail(cause error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = &ConnError{c.peer, cause}
	err := c.err
	waiting := c.waiting
	c.waiting = nil
	c.out, c.back = nil, nil
	c.mu.Unlock()
	_ = c.net.Close()
	for _, w := range waiting {
		w.answer <- answer{err: err}
	}
	c.cancel(err)
	close(c.done)
}

// Drain waits until all that was sent so far has been handed to the network, or the connection or ctx has ended.
func (c *Conn) Drain(ctx context.Context) error {
	for {
		c.mu.Lock()
		busy, err := c.writing || len(c.out) > 0, c.err
		c.mu.Unlock()
		if err != nil || !busy {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.done:
		case <-time.After(time.Millisecond):
		}
	}
}

// Call sends a request and waits for its answer, for the end of ctx or of the connection. An error that the peer's
// handler returned keeps its type as far as AddErrors knows it.
func (c *Conn) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	p, err := c.Start(method, body, nil)
	if err != nil {
		return nil, err
	}
	return p.Wait(ctx)
}

// Pending is a request that was sent and whose answer somebody will wait for.
type Pending struct {
	c      *Conn
	id     uint32
	method string
	into   []byte
	answer chan answer
}

// Start sends a request. Where its answer fits into the capacity of into it is read to there, without a copy: into must not
// be touched until Wait has returned, and not be used again if Wait fails.
func (c *Conn) Start(method string, body, into []byte) (*Pending, error) {
	p := &Pending{c: c, method: method, into: into, answer: make(chan answer, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	c.next++
	p.id = c.next
	c.waiting[p.id] = p
	c.put(frameCall, p.id, method, body, nil)
	return p, nil
}

// Wait waits for the answer; see Call. It is called once.
func (p *Pending) Wait(ctx context.Context) ([]byte, error) {
	select {
	case a := <-p.answer:
		return a.body, a.err
	case <-ctx.Done():
		p.Cancel()
		return nil, fmt.Errorf("%s at %s was given up: %w", p.method, p.c.peer, context.Cause(ctx))
	}
}

// Poll is the answer if it has come; ok is false while it has not. After it has, Wait must not be called.
func (p *Pending) Poll() (body []byte, err error, ok bool) {
	select {
	case a := <-p.answer:
		return a.body, a.err, true
	default:
		return nil, nil, false
	}
}

// Cancel gives the request up.
func (p *Pending) Cancel() {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	delete(p.c.waiting, p.id)
	p.c.put(frameCancel, p.id, "", nil, nil)
}

// Send sends a message; it does not wait. After the end of the connection it does nothing but say so.
func (c *Conn) Send(method string, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.put(frameMessage, 0, method, body, nil)
	return nil
}

// put queues a frame; the lock is held. release, if not nil, is called when the frame is sent.
func (c *Conn) put(kind byte, id uint32, method string, body []byte, release func()) {
	if c.err != nil {
		return
	}
	head := make([]byte, frameHead, frameHead+len(method))
	binary.LittleEndian.PutUint32(head, uint32(frameHead-4+len(method)+len(body)))
	head[4] = kind
	binary.LittleEndian.PutUint32(head[5:], id)
	head[9] = byte(len(method))
	c.out = append(c.out, append(head, method...))
	if len(body) > 0 {
		c.out = append(c.out, body)
	}
	if release != nil {
		c.back = append(c.back, release)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write hands queued frames to the network.
func (c *Conn) write() {
	defer c.serving.Done()
	for {
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
		c.mu.Lock()
		batch, back := c.out, c.back
		c.out, c.back, c.writing = nil, nil, len(batch) > 0
		c.mu.Unlock()
		if len(batch) == 0 {
			continue
		}
		_ = c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := c.transmit(batch); err != nil {
			c.fail(fmt.Errorf("sending failed: %w", err))
			return
		}
		for _, release := range back {
			release()
		}
		c.mu.Lock()
		c.writing = false
		more := len(c.out) > 0
		c.mu.Unlock()
		if more {
			select {
			case c.wake <- struct{}{}:
			default:
			}
		}
	}
}

// transmit writes queued frames: at once, or in few records of TLS.
func (c *Conn) transmit(batch net.Buffers) error {
	if _, sealed := c.net.(*tls.Conn); !sealed {
		_, err := batch.WriteTo(c.net)
		return err
	}
	if c.buffer == nil {
		c.buffer = bufio.NewWriterSize(c.net, 64<<10)
	}
	for _, b := range batch {
		if _, err := c.buffer.Write(b); err != nil {
			return err
		}
	}
	return c.buffer.Flush()
}

func (c *Conn) read(r *bufio.Reader) {
	defer c.serving.Done()
	for {
		err := c.next1(r)
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the peer closed it")
		}
		c.fail(err)
		return
	}
}

// next1 reads and handles one frame.
func (c *Conn) next1(r *bufio.Reader) error {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size, kind, id, n := int(binary.LittleEndian.Uint32(head[:])), head[4], binary.LittleEndian.Uint32(head[5:]), int(head[9])
	if size -= frameHead - 4 + n; size < 0 || size > maxFrame {
		return fmt.Errorf("%w: a frame of %d bytes", ErrMalformed, size)
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return unexpected(err)
	}
	if kind == frameReply {
		return c.reply(r, id, size)
	}
	body, err := readBody(r, size)
	if err != nil {
		return err
	}
	return c.take(kind, id, string(name), body)
}

// reply reads an answer to where its request wants it.
func (c *Conn) reply(r *bufio.Reader, id uint32, size int) error {
	c.mu.Lock()
	p := c.waiting[id]
	delete(c.waiting, id)
	c.mu.Unlock()
	if p == nil { // it was given up
		_, err := io.CopyN(io.Discard, r, int64(size))
		return unexpected(err)
	}
	var body []byte
	var err error
	if size > 0 && size <= cap(p.into) {
		body = p.into[:size]
		_, err = io.ReadFull(r, body)
		err = unexpected(err)
	} else {
		body, err = readBody(r, size)
	}
	if err != nil {
		c.fail(err)
		p.answer <- answer{err: c.Err()}
		return err
	}
	p.answer <- answer{body: body}
	return nil
}

// take handles any other frame.
func (c *Conn) take(kind byte, id uint32, method string, body []byte) error {
	switch kind {
	case frameMessage:
		c.handler.Receive(c, method, body)
	case frameCall:
		c.serve(id, method, body)
	case frameError:
		var e struct{ Err error }
		if err := Unmarshal(body, &e); err != nil || e.Err == nil {
			e.Err = fmt.Errorf("%s failed at %s, and its error cannot be read: %w", method, c.peer, errors.Join(err, ErrMalformed))
		}
		c.answered(id, answer{err: e.Err})
	case frameCancel:
		c.mu.Lock()
		stop := c.calls[id]
		c.mu.Unlock()
		if stop != nil {
			stop()
		}
	default:
		return fmt.Errorf("%w: frame kind %d", ErrMalformed, kind)
	}
	return nil
}

// answered hands an answer to who waits for it; nobody does if the call was given up.
func (c *Conn) answered(id uint32, a answer) {
	c.mu.Lock()
	w := c.waiting[id]
	delete(c.waiting, id)
	c.mu.Unlock()
	if w != nil {
		w.answer <- a
	}
}

// serve answers a request of the peer.
func (c *Conn) serve(id uint32, method string, body []byte) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.mu.Lock()
	c.calls[id] = cancel
	c.mu.Unlock()
	c.serving.Go(func() {
		out, release, err := c.handle(ctx, method, body)
		cancel()
		kind := frameReply
		if err != nil {
			kind = frameError
			e := struct{ Err error }{err}
			if out, err = Marshal(&e); err != nil {
				out = nil
			}
		}
		c.mu.Lock()
		delete(c.calls, id)
		c.put(kind, id, "", out, release)
		c.mu.Unlock()
	})
}

// handle turns a panic of the handler into an error of the call.
func (c *Conn) handle(ctx context.Context, method string, body []byte) (out []byte, release func(), err error) {
	defer func() {
		if p := recover(); p != nil {
			e := sparkerr.Internal("the request %s failed: %v", method, p)
			e.Stack = string(debug.Stack())
			err = e
		}
	}()
	if l, ok := c.handler.(Lender); ok {
		return l.Lend(ctx, c, method, body)
	}
	out, err = c.handler.Call(ctx, c, method, body)
	return out, nil, err
}

// readFrame reads a length and so many bytes.
func readFrame(r io.Reader, most int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n > most {
		return nil, fmt.Errorf("%w: a frame of %d bytes, more than %d", ErrMalformed, n, most)
	}
	return readBody(r, n)
}

// readBody reads n bytes. Memory is taken as the bytes come.
func readBody(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, min(n, grantAtOnce))
	for have := 0; ; {
		if _, err := io.ReadFull(r, buf[have:]); err != nil {
			return nil, unexpected(err)
		}
		if have = len(buf); have == n {
			return buf, nil
		}
		grown := make([]byte, min(n, 4*have))
		copy(grown, buf)
		buf = grown
	}
}

// unexpected is for an end in the middle of a frame.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func writeFrame(w io.Writer, body []byte) error {
	_, err := w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}
