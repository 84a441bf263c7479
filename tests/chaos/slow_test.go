package chaos

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// dribble opens n connections to an address, sends what they begin with, and then more a byte at a time, until the other side ends
// them. It gives how long the last one stood. answered is asked meanwhile.
func dribble(t *testing.T, addr string, n int, begin string, more byte, pause, limit time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	last := time.Duration(0)
	for range n {
		c := dial(t, addr)
		if _, err := io.WriteString(c, begin); err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		all.Go(func() {
			drain(c)
			close(over)
			mu.Lock()
			last = max(last, time.Since(start))
			mu.Unlock()
		})
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(pause):
				}
				if _, err := c.Write([]byte{more}); err != nil || time.Since(start) > limit {
					_ = c.Close() // it is over, or has stood too long
					<-over
					return
				}
			}
		})
	}
	all.Wait()
	return last
}

// TestSlowClients is X11: hundreds of connections at each listener that send their beginning, header or body a byte at a time are
// ended, and others are served meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()  // it mostly waits
	const n = 300 // more than what a listener between processes has handshakes
	_, _, url, page, rest, workerPage := pages(t, "")
	connect := serve(t, launch{args: []string{"--master", "local[2]"}, conf: []string{"spark.connect.grpc.keepAlive.time=2s", "spark.connect.grpc.keepAlive.timeout=2s"}})
	shuffle := start(t, launch{args: []string{"shuffle", "--port", "0", "--host", "127.0.0.1"}, bare: true})
	outputs := shuffle.see(`at ([0-9.]+:[0-9]+)`, 20*time.Second)
	host := func(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }
	get, post := "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "POST /v1/submissions/create HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{"
	cases := []struct {
		name, addr, begin string
		more              byte
		most              time.Duration
	}{
		{"page of the master, header", host(page), get, 'x', 15 * time.Second},
		{"page of the worker, header", host(workerPage), get, 'x', 15 * time.Second},
		{"submissions, header", host(rest), get, 'x', 15 * time.Second},
		{"submissions, body", host(rest), post, ' ', 45 * time.Second},
		{"page of the master, body", host(page), strings.Replace(post, "/v1/submissions/create", "/workers/kill", 1), ' ', 45 * time.Second},
		{"master, handshake", host(url), "\x40\x00\x00\x00", 'x', 15 * time.Second},
		{"shuffle service, handshake", outputs, "\x40\x00\x00\x00", 'x', 15 * time.Second},
		{"Connect, nothing", connect.addr, "", 0, 15 * time.Second},
		{"Connect, preface", connect.addr, preface[:10], 'x', 15 * time.Second},
		{"Connect, header", connect.addr, preface + "\x00\x10\x00\x01\x04\x00\x00\x00\x01", 0x82, 15 * time.Second},
		{"Connect, ping", connect.addr, preface + "\x00\x00\x08\x06\x00\x00\x00\x00\x00", 'x', 15 * time.Second},
	}
	var all sync.WaitGroup
	slow := make(chan struct{})
	for _, c := range cases {
		all.Go(func() {
			pause := 700 * time.Millisecond
			if c.begin == "" {
				pause = time.Hour // it says nothing
			}
			took := dribble(t, c.addr, n, c.begin, c.more, pause, 2*c.most)
			if took > c.most {
				t.Errorf("%s: the last of %d connections stood for %s", c.name, n, took)
			}
			t.Logf("%s: ended after %.1f s", c.name, took.Seconds())
		})
	}
	go func() { all.Wait(); close(slow) }()
	worst := map[string]time.Duration{}
	for more := true; more; {
		select {
		case <-slow:
			more = false
		case <-time.After(time.Second):
		}
		for name, f := range map[string]func() bool{
			"pages": func() bool {
				code, _, _ := ask(t, http.DefaultClient, "GET", page+"/json/", "", nil)
				return code == 200
			},
			"submissions": func() bool {
				code, _, _ := ask(t, http.DefaultClient, "GET", rest+"/v1/submissions/readyz", "", nil)
				return code == 200
			},
			"Connect": func() bool { connect.alive(t); return true },
		} {
			begun := time.Now()
			if !f() {
				t.Errorf("%s do not answer", name)
			}
			worst[name] = max(worst[name], time.Since(begun))
		}
	}
	t.Logf("the slowest answers meanwhile: %v", worst)
	for name, took := range worst {
		if took > 10*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// TestSlowHandshakes is X11: slow handshakes keep no worker from joining, also while others come again and again.
func TestSlowHandshakes(t *testing.T) {
	t.Parallel() // it mostly waits
	m := start(t, launch{args: []string{"master", "--port", "0", "--webui-port", "-1", "--rest-port", "-1"}, bare: true})
	url := m.see(`master at (spark://[0-9.:]+)`, 20*time.Second)
	stop := make(chan struct{})
	var all sync.WaitGroup
	opened := 0
	all.Go(func() {
		var conns []net.Conn
		defer func() {
			for _, c := range conns {
				_ = c.Close()
			}
		}()
		for ; ; opened++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "spark://"))
			if err != nil {
				t.Error(err)
				return
			}
			if conns = append(conns, c); len(conns) > 1000 {
				_ = conns[0].Close()
				conns = conns[1:]
			}
		}
	})
	time.Sleep(2 * time.Second) // more than may be in their handshake
	begun := time.Now()
	w := start(t, launch{args: []string{"worker", url, "--cores", "1", "--memory", "1g", "--webui-port", "-1", "--work-dir", filepath.Join(t.TempDir(), "work")}, bare: true})
	w.see(`(worker-\S+) with 1 cores`, 20*time.Second)
	took := time.Since(begun)
	close(stop)
	all.Wait()
	t.Logf("%d connections said nothing, a worker joined in %s", opened, took)
}

// TestLargeHeaders is X11: a megabyte of header is refused by every listener, and costs it nothing.
func TestLargeHeaders(t *testing.T) {
	master, _, url, page, rest, workerPage := pages(t, "")
	connect := serve(t, launch{args: []string{"--master", "local[2]"}})
	connect.alive(t)
	large := strings.Repeat("x", 1<<20)
	for _, at := range []string{page, rest, workerPage} {
		for range 20 {
			c := dial(t, strings.TrimPrefix(at, "http://"))
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))                                                 // a closed one fails below
			go func() { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: "+large+"\r\n\r\n") }() // it is refused meanwhile
			answer, _ := io.ReadAll(c)                                                                          // reset after the answer
			if !bytes.Contains(answer, []byte("431 Request Header Fields Too Large")) {
				t.Errorf("%s answers %.100s", at, answer)
			}
		}
		if code, _, _ := ask(t, http.DefaultClient, "GET", at+"/", "", nil); code >= 500 {
			t.Errorf("%s does not answer: %d", at, code)
		}
	}
	// Of HTTP/2, in frames of a header that goes on and on.
	for range 20 {
		c := dial(t, connect.addr)
		go drain(c)
		b := frame([]byte(preface), 1, 0, 1, "\x83\x86\x04\x01/\x00\x01x\x7f\xff\xff\x3f") // a value of a megabyte begins
		for range 64 {
			b = frame(b, 9, 0, 1, large[:16<<10])
		}
		_ = c.SetWriteDeadline(time.Now().Add(20 * time.Second)) // a closed one fails below
		_, _ = c.Write(frame(b, 9, 4, 1, "x"))                   // it is refused meanwhile
	}
	// Between processes there is no header, but a first message.
	for range 20 {
		c := dial(t, strings.TrimPrefix(url, "spark://"))
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // a closed one fails below
		_, _ = io.WriteString(c, "\x00\x00\x10\x00"+large)  // it is refused meanwhile
		if answer, _ := io.ReadAll(c); len(answer) > 1000 {
			t.Errorf("the master answers %d bytes", len(answer))
		}
	}
	connect.alive(t)
	for name, p := range map[string]*process{"master": master, "Connect": connect.process} {
		_, peak := p.memory()
		t.Logf("%s: %d MB resident at most", name, peak>>20)
		if peak > 128<<20 {
			t.Errorf("%s: %d MB resident", name, peak>>20)
		}
	}
}
