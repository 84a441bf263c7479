package quorum

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a member with its server, and the terms that it was told of.
type node struct {
	t      *testing.T
	self   string
	dir    string
	server *rpc.Server
	m      atomic.Pointer[Member]
	deaf   atomic.Bool // hears and says nothing

	mu    sync.Mutex
	conns []*rpc.Conn
	term  *Term
	terms int
}

func (n *node) Call(ctx context.Context, _ *rpc.Conn, method string, body []byte) ([]byte, error) {
	m := n.m.Load()
	if m == nil || n.deaf.Load() {
		return nil, errors.New("nobody is here")
	}
	return m.Handle(ctx, method, body)
}

func (n *node) Receive(*rpc.Conn, string, []byte) {}

func (n *node) told(t *Term) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.term = t; t != nil {
		n.terms++
	}
}

func (n *node) leads() *Term {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.term
}

func (n *node) listen(address string) {
	n.t.Helper()
	s, err := rpc.Listen(address, rpc.Config{}, func(*rpc.Conn) rpc.Handler { return n }, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	n.server, n.self = s, s.Addr()
}

func (n *node) options(members []string) Options {
	return Options{Self: n.self, Members: members, Dir: n.dir, Silence: 300 * time.Millisecond, Dial: func(ctx context.Context, a string) (*rpc.Conn, error) {
		if n.deaf.Load() {
			return nil, errors.New("cut off")
		}
		c, err := rpc.Dial(ctx, a, rpc.Config{}, n)
		n.mu.Lock()
		defer n.mu.Unlock()
		if err == nil {
			n.conns = append(n.conns, c)
		}
		return c, err
	}}
}

// cut cuts the node off.
func (n *node) cut() {
	n.deaf.Store(true)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.Close()
	}
}

func (n *node) open(members []string) {
	n.t.Helper()
	m, err := Open(n.options(members), n.told)
	if err != nil {
		n.t.Fatal(err)
	}
	n.m.Store(m)
}

// close ends the member, and its server.
func (n *node) close() {
	if m := n.m.Swap(nil); m != nil {
		if err := m.Close(); err != nil {
			n.t.Error(err)
		}
	}
	n.told(nil)
	n.server.Close()
}

// three are three members on this machine.
func three(t *testing.T) (nodes []*node, members []string) {
	t.Helper()
	for range 3 {
		n := &node{t: t, dir: t.TempDir()}
		n.listen("127.0.0.1:0")
		nodes, members = append(nodes, n), append(members, n.self)
	}
	for _, n := range nodes {
		n.open(members)
		t.Cleanup(n.close)
	}
	return nodes, members
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// leader waits for a leader among the nodes.
func leader(t *testing.T, nodes ...*node) (n *node, term *Term) {
	t.Helper()
	eventually(t, "nobody leads", func() bool {
		for _, n = range nodes {
			if term = n.leads(); term != nil {
				return true
			}
		}
		return false
	})
	return n, term
}

func others(nodes []*node, n *node) []*node {
	var out []*node
	for _, o := range nodes {
		if o != n {
			out = append(out, o)
		}
	}
	return out
}

func set(key, value string) []Change { return []Change{{key, []byte(value)}} }

func TestLeadersFollowEachOther(t *testing.T) {
	nodes, members := three(t)
	first, term := leader(t, nodes...)
	if len(term.Facts) != 0 {
		t.Errorf("the first leader begins with %v", term.Facts)
	}
	for i := range 20 {
		if err := first.m.Load().Commit(term.Number, set(fmt.Sprint("key", i), fmt.Sprint("value", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.m.Load().Commit(term.Number, []Change{{Key: "key3"}, {"key4", []byte("new")}}); err != nil {
		t.Fatal(err)
	}
	first.close()
	rest := others(nodes, first)
	second, next := leader(t, rest...)
	if len(next.Facts) != 19 || string(next.Facts["key4"]) != "new" || next.Facts["key3"] != nil || next.Number <= term.Number {
		t.Errorf("the second leader begins term %d with %q", next.Number, next.Facts)
	}
	for _, n := range rest {
		eventually(t, "it does not know its leader", func() bool { return n.m.Load().Leader() == second.self })
	}
	if err := second.m.Load().Commit(next.Number, set("later", "1")); err != nil {
		t.Fatal(err)
	}
	first.listen(first.self) // it comes back as it went, and the others go
	first.open(members)
	eventually(t, "the first leader does not know the second", func() bool { return first.m.Load().Leader() == second.self })
	second.m.Load().Resign()
	_, third := leader(t, others(nodes, second)...)
	if string(third.Facts["later"]) != "1" || len(third.Facts) != 20 {
		t.Errorf("the third leader begins with %q", third.Facts)
	}
	for _, n := range nodes {
		n.close()
	}
	for _, n := range nodes { // all at once
		n.listen(n.self)
		n.open(members)
	}
	if _, last := leader(t, nodes...); len(last.Facts) != 20 {
		t.Errorf("after all were gone the facts are %q", last.Facts)
	}
}

// A leader that is cut off commits nothing; when it is back it follows.
func TestLeaderIsCutOff(t *testing.T) {
	nodes, _ := three(t)
	first, term := leader(t, nodes...)
	if err := first.m.Load().Commit(term.Number, set("a", "1")); err != nil {
		t.Fatal(err)
	}
	first.cut()
	late := make(chan error, 1)
	go func() { late <- first.m.Load().Commit(term.Number, set("a", "lost")) }()
	second, next := leader(t, others(nodes, first)...)
	if err := <-late; err == nil {
		t.Error("a leader that was cut off committed something")
	}
	if err := second.m.Load().Commit(next.Number, set("a", "2")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the one that is cut off still leads", func() bool { return first.leads() == nil })
	first.deaf.Store(false)
	eventually(t, "it does not follow", func() bool { return first.m.Load().Leader() == second.self })
	eventually(t, "it does not learn what it missed", func() bool {
		first.m.Load().raft.Barrier(0)
		return second.m.Load().raft.AppliedIndex() == first.m.Load().raft.AppliedIndex()
	})
}

// What a leader decided in a term that is over does not count, even if it leads again.
func TestTermIsOver(t *testing.T) {
	n := &node{t: t, dir: t.TempDir()}
	n.listen("127.0.0.1:0")
	n.open([]string{n.self})
	_, term := leader(t, n)
	if err := n.m.Load().Commit(term.Number-1, set("a", "1")); !errors.Is(err, errOver) {
		t.Errorf("a change of an earlier term gave %v", err)
	}
	n.close()
	n.listen(n.self)
	n.open([]string{n.self})
	defer n.close()
	_, next := leader(t, n)
	if err := n.m.Load().Commit(term.Number, set("a", "1")); !errors.Is(err, errOver) || len(next.Facts) != 0 {
		t.Errorf("a change of the term before gave %v", err)
	}
}

// Snapshots hold what the log forgets, and reach members that were away for long.
func TestSnapshots(t *testing.T) {
	nodes, members := three(t)
	lead, term := leader(t, nodes...)
	away := others(nodes, lead)[0]
	away.close()
	for i := range 300 {
		if err := lead.m.Load().Commit(term.Number, set(fmt.Sprint("key", i%10), strings.Repeat("x", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := lead.m.Load().raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	if first, err := lead.m.Load().disk.FirstIndex(); err != nil || first < 100 {
		t.Errorf("the log begins at %d %v", first, err)
	}
	away.listen(away.self)
	away.open(members)
	eventually(t, "it does not learn what it missed", func() bool {
		return away.m.Load().raft.AppliedIndex() >= lead.m.Load().raft.AppliedIndex()
	})
	other := others(others(nodes, lead), away)[0]
	other.close()
	lead.close()
	other.listen(other.self)
	other.open(members)
	if _, next := leader(t, away, other); len(next.Facts) != 10 || len(next.Facts["key9"]) != 299 {
		t.Errorf("after a snapshot the facts are %d", len(next.Facts))
	}
}

func TestFolderIsRefused(t *testing.T) {
	n := &node{t: t, dir: t.TempDir()}
	n.listen("127.0.0.1:0")
	members := []string{n.self}
	n.open(members)
	_, term := leader(t, n)
	for i := range 50 {
		if err := n.m.Load().Commit(term.Number, set(fmt.Sprint(i), strings.Repeat("marker of a value", 200))); err != nil {
			t.Fatal(err)
		}
	}
	n.close()
	path := filepath.Join(n.dir, logName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", st.Mode())
	}
	refused := func(name, says string, members []string, harm func(b []byte) []byte) {
		t.Helper()
		if err := os.WriteFile(path, harm(append([]byte(nil), good...)), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(n.options(members), n.told)
		var dir *DirError
		if !errors.As(err, &dir) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "--reset-recovery") {
			t.Errorf("%s: got %v", name, err)
		}
		if err == nil {
			_ = m.Close()
		}
	}
	refused("another file", "damaged", members, func([]byte) []byte { return []byte(strings.Repeat("this is something else\n", 1000)) })
	refused("cut off", "damaged", members, func(b []byte) []byte { return b[:len(b)/2] })
	refused("flipped", "damaged", members, func(b []byte) []byte {
		at := strings.Index(string(b), "bWFya2VyIG9mIGEgdmFsdWVt") // in an entry
		b[at+5] ^= 1
		return b
	})
	refused("other members", "is that of a master among "+n.self+", not among", []string{n.self, "127.0.0.1:1"}, func(b []byte) []byte { return b })
	refused("of the future", "has version 2, and this master reads 1", members, func(b []byte) []byte {
		n := recordHead + int(binary.BigEndian.Uint32(b))
		return append(record(recordAbout, []byte(`{"Version":2,"New":"field"}`)), b[n:]...)
	})
	refused("empty", "cut off", members, func([]byte) []byte { return nil })
	refused("something after it", "damaged", members, func(b []byte) []byte { return append(b, "\x00\x00\x00\x00\x00\x00\x00\x00"...) })
	// A crash may cut the last record off: it was promised to nobody.
	if err := errors.Join(os.WriteFile(path, good[:len(good)-3], 0o600), os.Remove(filepath.Join(n.dir, markName))); err != nil {
		t.Fatal(err)
	}
	n.listen(n.self)
	n.open(members)
	if _, term := leader(t, n); len(term.Facts) < 49 {
		t.Errorf("after a crash there are %d facts", len(term.Facts))
	}
	n.close()
	o := n.options(members)
	o.Reset = true
	n.listen(n.self)
	m, err := Open(o, n.told)
	if err != nil {
		t.Fatal(err)
	}
	n.m.Store(m)
	if _, term := leader(t, n); len(term.Facts) != 0 {
		t.Errorf("after a reset there is %q", term.Facts)
	}
	if _, err := Open(n.options(members), n.told); err == nil || !strings.Contains(err.Error(), "another process uses the folder") {
		t.Errorf("a second member in the folder: %v", err)
	}
	n.close()
}

func TestMembersAreChecked(t *testing.T) {
	for _, c := range []struct {
		self, says string
		members    []string
	}{
		{"h1:1", "is none of the masters", []string{"h2:1", "h3:1"}},
		{"h1:1", "named twice", []string{"h1:1", "h2:1", "h2:1"}},
	} {
		if _, err := Open(Options{Self: c.self, Members: c.members, Dir: t.TempDir()}, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v gave %v", c, err)
		}
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(encodeLog(&raft.Log{Index: 7, Term: 2, Data: []byte("data"), Extensions: []byte("more"), AppendedAt: time.Unix(5, 6)}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var l raft.Log
		if decodeLog(b, &l) == nil && string(encodeLog(&l)) != string(b) {
			t.Errorf("%x is read as %+v", b, l)
		}
	})
}

// What other processes send gives an answer or an error.
func FuzzMessages(f *testing.F) {
	b, err := codec.Append(nil, &raft.AppendEntriesRequest{Term: 1, Entries: []*raft.Log{{Index: 1, Data: []byte("x")}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(methodAppend, b)
	f.Add(methodSnapshot, b)
	f.Fuzz(func(_ *testing.T, method string, body []byte) {
		l := newLinks("self", nil)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, _ = l.handle(ctx, method, body)
		l.close()
	})
}
