package chaos

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// proxyEnv makes this test's binary a fault proxy: it takes the connections that a rule of iptables redirects to it, passes
// them on to where they were meant to go, and harms them as the lines of its standard input say:
//
//	pass           nothing happens
//	refuse         every connection is reset at once, also those that stand
//	reset N        a connection is reset when N bytes have come back on it
//	throttle N     N bytes a second come back on a connection
//	delay D        every piece that comes back is late by D
const proxyEnv = "_FIRESTEEL_CHAOS_PROXY"

// proxyMark is on the packets of the proxy itself, which are not redirected.
const proxyMark = 7

type faultProxy struct {
	mu    sync.Mutex
	kind  string
	limit int64
	delay time.Duration
	open  map[*net.TCPConn]bool

	passed atomic.Int64 // bytes
}

func beProxy() int {
	l, err := net.Listen("tcp4", "0.0.0.0:0") // it is in a network namespace of the test
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p := &faultProxy{kind: "pass", open: map[*net.TCPConn]bool{}}
	go p.accept(l)
	fmt.Fprintf(os.Stderr, "the proxy is at %d\n", l.Addr().(*net.TCPAddr).Port)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if err := p.order(in.Text()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Fprintf(os.Stderr, "now: %s after %d bytes\n", in.Text(), p.passed.Load())
	}
	return 0
}

func (p *faultProxy) order(line string) (err error) {
	kind, arg, _ := strings.Cut(line, " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kind = kind
	switch kind {
	case "pass":
	case "refuse":
		for c := range p.open {
			reset(c)
		}
	case "reset", "throttle":
		p.limit, err = strconv.ParseInt(arg, 10, 64)
	case "delay":
		p.delay, err = time.ParseDuration(arg)
	default:
		err = fmt.Errorf("no such fault: %s", line)
	}
	return err
}

func (p *faultProxy) now() (kind string, limit int64, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kind, p.limit, p.delay
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // it may be closed already
	_ = c.Close()
}

func (p *faultProxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go p.serve(c.(*net.TCPConn))
	}
}

func (p *faultProxy) serve(c *net.TCPConn) {
	defer reset(c)
	if kind, _, _ := p.now(); kind == "refuse" {
		return
	}
	to, err := meant(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	d := net.Dialer{Timeout: 5 * time.Second, Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		if err := raw.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_MARK, proxyMark)
		}); err != nil {
			return err
		}
		return failed
	}}
	conn, err := d.Dial("tcp4", to)
	if err != nil {
		return
	}
	back := conn.(*net.TCPConn)
	defer reset(back)
	p.mu.Lock()
	p.open[c] = true
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(back, c) // the other direction tells
		_ = back.CloseWrite()
	}()
	p.copyBack(c, back)
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
}

// copyBack passes on what a server answers, with the fault of the moment.
func (p *faultProxy) copyBack(to, from *net.TCPConn) {
	buf := make([]byte, 8<<10)
	var passed int64
	for {
		n, err := from.Read(buf)
		if n > 0 {
			kind, limit, delay := p.now()
			switch {
			case kind == "reset" && passed+int64(n) > limit:
				_, _ = to.Write(buf[:max(0, limit-passed)])
				return
			case kind == "throttle":
				time.Sleep(time.Duration(n) * time.Second / time.Duration(limit))
			case kind == "delay":
				time.Sleep(delay)
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
			passed += int64(n)
			p.passed.Add(int64(n))
		}
		if err != nil {
			_ = to.SetLinger(-1)
			_ = to.CloseWrite()
			return
		}
	}
}

// meant is the address that a redirected connection was meant for (SO_ORIGINAL_DST).
func meant(c *net.TCPConn) (string, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return "", err
	}
	var to *syscall.IPv6Mreq // the first 16 bytes are a sockaddr_in
	var failed error
	if err := raw.Control(func(fd uintptr) { to, failed = syscall.GetsockoptIPv6Mreq(int(fd), syscall.IPPROTO_IP, 80) }); err != nil {
		return "", err
	}
	if failed != nil {
		return "", fmt.Errorf("where a connection was meant to go: %w", failed)
	}
	b := to.Multiaddr
	return net.JoinHostPort(net.IP(b[4:8]).String(), strconv.Itoa(int(b[2])<<8|int(b[3]))), nil
}

// proxy is a running fault proxy.
type proxy struct {
	t     *testing.T
	p     *process
	stdin io.Writer
	n     int
}

// proxied puts a proxy between worker i and all other workers: it harms what worker i reads from them.
func (n *network) proxied(i int) *proxy {
	n.t.Helper()
	r, w := io.Pipe()
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	wrap := n.within(i)
	p := &process{t: n.t, cmd: exec.Command(wrap[0], append(wrap[1:], self)...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), proxyEnv+"=1")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = r, &p.out, &p.err
	if err := p.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	n.t.Cleanup(func() {
		_ = w.Close()
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	port := p.see(`the proxy is at (\d+)`, 10*time.Second)
	for j := range n.size {
		if j != i {
			n.rule(i, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-d", n.address(j), "-m", "mark", "!", "--mark", strconv.Itoa(proxyMark), "-j", "REDIRECT", "--to-ports", port)
		}
	}
	return &proxy{n.t, p, w, 0}
}

// order makes the proxy do another kind of harm; it gives how many bytes have come through so far.
func (p *proxy) order(line string) (passed int64) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		p.t.Fatal(err)
	}
	p.n++
	eventually(p.t, 5*time.Second, "the proxy obeys", func() bool { return strings.Count(p.p.err.String(), " bytes\n") >= p.n })
	lines := strings.Split(strings.TrimSpace(p.p.err.String()), "\n")
	f := strings.Fields(lines[len(lines)-1])
	passed, err := strconv.ParseInt(f[len(f)-2], 10, 64)
	if err != nil {
		p.t.Fatalf("the proxy says %s", lines[len(lines)-1])
	}
	return passed
}
