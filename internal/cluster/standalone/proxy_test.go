package standalone

import (
	"net"
	"sync"
	"testing"
	"time"
)

// proxy is a network between processes that can be cut: bytes are lost, and nobody is told.
type proxy struct {
	address  string
	to       string
	listener net.Listener
	busy     sync.WaitGroup

	mu     sync.Mutex
	whole  *sync.Cond
	broken bool
	over   bool
	conns  []net.Conn
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), to: to, listener: l}
	p.whole = sync.NewCond(&p.mu)
	p.busy.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.over = true
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.whole.Broadcast()
		p.mu.Unlock()
		p.busy.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.DialTimeout("tcp", p.to, time.Second)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.busy.Go(func() { p.carry(in, out) })
		p.busy.Go(func() { p.carry(out, in) })
	}
}

// carry moves bytes, and the end of the connection, while the network is whole.
func (p *proxy) carry(from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		for p.broken && !p.over {
			p.whole.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			_, _ = to.Write(b[:n]) // its reader may be gone
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

func (p *proxy) cut() { p.mu.Lock(); p.broken = true; p.mu.Unlock() }

func (p *proxy) heal() { p.mu.Lock(); p.broken = false; p.whole.Broadcast(); p.mu.Unlock() }
