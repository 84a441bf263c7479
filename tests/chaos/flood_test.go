package chaos

import (
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// preface is what an HTTP/2 client says first, with empty settings.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// frame appends a frame of HTTP/2.
func frame(to []byte, kind, flags byte, stream uint32, payload string) []byte {
	to = append(to, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags,
		byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
	return append(to, payload...)
}

// call is the header of a call of the service: POST, http, its path, authority, content type and te.
func call() string {
	const path, kind = "/spark.connect.SparkConnectService/ExecutePlan", "application/grpc"
	return "\x83\x86\x04" + string(rune(len(path))) + path + "\x01\x01x" + "\x0f\x10" + string(rune(len(kind))) + kind + "\x00\x02te\x08trailers"
}

// drain reads what comes until the connection ends.
func drain(c net.Conn) {
	b := make([]byte, 32<<10)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

// descriptors is how many files and connections a process has open.
func (p *process) descriptors() int {
	list, err := os.ReadDir("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd")
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

// answered says whether a server takes a call for one: its answer begins with :status 200.
func answered(t *testing.T, addr string) bool {
	c := dial(t, addr)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // a closed one fails below
	if _, err := c.Write(frame(frame([]byte(preface), 1, 4, 1, call()), 0, 1, 1, "\x00\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatal(err)
		}
		body := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, body); err != nil {
			t.Fatal(err)
		}
		if head[3] == 1 {
			return len(body) > 0 && body[0] == 0x88
		}
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestIdleConnections is X11: ten thousand connections, of which half have begun HTTP/2, do not keep others from being served.
func TestIdleConnections(t *testing.T) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	const n = 10_000
	if l.Cur < n+500 {
		t.Skipf("X11 needs %d open files, %d are allowed (ulimit -n)", n+500, l.Cur)
	}
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	s.alive(t)
	before, _ := s.memory()
	var idle []net.Conn
	for i := range n {
		c := dial(t, s.addr)
		if i%2 == 0 {
			if _, err := c.Write([]byte(preface)); err != nil {
				t.Fatal(err)
			}
		}
		idle = append(idle, c)
	}
	s.alive(t)
	with, _ := s.memory()
	t.Logf("resident: %d MB before, %d MB with the connections", before>>20, with>>20)
	if with-before > 1<<30 {
		t.Errorf("a connection costs %d bytes", (with-before)/n)
	}
	for _, c := range idle {
		_ = c.Close()
	}
	eventually(t, 30*time.Second, "the connections are closed", func() bool { return s.descriptors() < 100 })
	s.alive(t)
}

// TestRapidReset is X11: a connection begins calls and resets them at once, another floods with pings. Neither costs more than
// its connection, and others are served meanwhile.
func TestRapidReset(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	s.alive(t)
	if !answered(t, s.addr) {
		t.Fatal("the frames of this test are no call")
	}
	resets, pings := dial(t, s.addr), dial(t, s.addr)
	for _, c := range []net.Conn{resets, pings} {
		go drain(c)
		if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	flooded := make(chan int, 2)
	go func() { // what is written after the server has hung up is refused
		b, sent := []byte(preface), 0
		for ; sent < 200_000; sent++ {
			id := uint32(2*sent + 1)
			b = frame(frame(b, 1, 4, id, call()), 3, 0, id, "\x00\x00\x00\x08")
			if len(b) > 64<<10 {
				if _, err := resets.Write(b); err != nil {
					break
				}
				b = b[:0]
			}
		}
		flooded <- sent
	}()
	go func() {
		b, sent := []byte(preface), 0
		for ; sent < 200_000; sent++ {
			b = frame(b, 6, 0, 0, "12345678")
			if len(b) > 64<<10 {
				if _, err := pings.Write(b); err != nil {
					break
				}
				b = b[:0]
			}
		}
		flooded <- sent
	}()
	s.alive(t)
	t.Logf("%d and %d frames were sent", <-flooded, <-flooded)
	s.alive(t)
	_, peak := s.memory()
	t.Logf("at most %d MB resident", peak>>20)
	if peak > 600<<20 {
		t.Errorf("%d MB resident", peak>>20)
	}
	_ = resets.Close()
	_ = pings.Close()
	eventually(t, 30*time.Second, "the connections are closed", func() bool { return s.descriptors() < 100 })
	s.alive(t)
}
