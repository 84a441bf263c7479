package standalone

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
)

// masters are three masters in processes of their own.
type masters struct {
	t         *testing.T
	addresses []string
	daemons   []*daemon
	options   []MasterOptions
}

func threeMasters(t *testing.T, secret string) *masters {
	t.Helper()
	m := &masters{t: t}
	for range 3 { // ports that are free now
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		m.addresses = append(m.addresses, l.Addr().String())
		defer l.Close()
	}
	rules := quick()
	rules.Recovery = 20 * time.Second // longer than it takes to miss a leader that stands still
	for _, a := range m.addresses {
		o := MasterOptions{Port: port(t, a), Secret: secret, Recovery: t.TempDir(), Masters: m.addresses, Silence: 500 * time.Millisecond, WebUI: -1, REST: -1, Core: rules}
		m.options, m.daemons = append(m.options, o), append(m.daemons, nil)
	}
	return m
}

func port(t *testing.T, address string) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}

func (m *masters) start(which ...int) {
	m.t.Helper()
	for _, i := range which {
		m.daemons[i] = startDaemon(m.t, "master", m.options[i])
	}
}

// leader waits until a master leads.
func (m *masters) leader() (i int) {
	m.t.Helper()
	p, err := dialFor(m.t.Context(), dialOptions{m.addresses, identity(m.options[0].Secret, "a test", Program{}), silent{}}, 20*time.Second)
	if err != nil {
		m.t.Fatal(err)
	}
	defer p.Close()
	for i, a := range m.addresses {
		if a == p.Master {
			return i
		}
	}
	m.t.Fatalf("%s leads, which is none of the masters", p.Master)
	return 0
}

func (m *masters) worker(cores int) {
	m.t.Helper()
	dir := m.t.TempDir()
	startDaemon(m.t, "worker", WorkerOptions{Masters: m.addresses, WebUI: -1, Cores: cores, Memory: 1 << 30, Dir: filepath.Join(dir, "work"),
		Secret: m.options[0].Secret, Heartbeat: time.Second}, "SPARK_LOCAL_DIRS="+filepath.Join(dir, "local"))
}

// view asks the leader for its state.
func (m *masters) view() core.View {
	m.t.Helper()
	p, err := dialFor(m.t.Context(), dialOptions{m.addresses, identity(m.options[0].Secret, "a test", Program{}), silent{}}, 20*time.Second)
	if err != nil {
		m.t.Fatal(err)
	}
	defer p.Close()
	v, err := p.View(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return v
}

// settled waits until the leader knows the workers and the application with its executors, no core of them given twice.
func (m *masters) settled(workers, executors, free int) (v core.View) {
	m.t.Helper()
	clustertest.Eventually(m.t, func() string {
		v = m.view()
		cores, alive := 0, 0
		for _, w := range v.Workers {
			if w.State == "ALIVE" {
				alive++
				cores += w.CoresFree
			}
			if w.CoresFree < 0 {
				m.t.Fatalf("worker %s gives cores twice", w.ID)
			}
		}
		if alive != workers || len(v.Apps) != 1 || v.Apps[0].Executors != executors || cores != free {
			return fmt.Sprintf("the leader knows %+v", v)
		}
		return ""
	})
	return v
}

// Whatever happens to the leader, applications run on, requests are taken by the next one, and no id is given twice.
func TestMastersFollowEachOther(t *testing.T) {
	t.Parallel()
	m := threeMasters(t, "s")
	m.start(0, 1, 2)
	m.leader()
	m.worker(2)
	m.worker(3)
	a := newApp(t, m.addresses, map[string]string{"spark.authenticate": "true", "spark.authenticate.secret": "s", "spark.cores.max": "2"})
	if err := a.start(1, 100, nil); err != nil {
		t.Fatal(err)
	}
	a.MustScale(2)
	a.Has("0", "1")
	zero, one := a.Executor("0").PID, a.Executor("1").PID
	same := func() {
		t.Helper()
		a.Has("0", "1")
		if a.Executor("0").PID != zero || a.Executor("1").PID != one || !clustertest.Alive(zero) || !clustertest.Alive(one) {
			t.Error("an executor was touched")
		}
	}
	ids := map[string]bool{}
	submit := func() (id string) {
		t.Helper()
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second) // as promised
		defer cancel()
		c, err := NewClient(ctx, m.addresses, "s", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if id, err = c.Submit(ctx, core.DriverDesc{Resource: "app.py", Args: []string{"exit", "0"}, Cores: 1, Memory: 1 << 20}); err != nil {
			t.Fatal(err)
		}
		if ids[id] {
			t.Errorf("the id %s was given twice", id)
		}
		ids[id] = true
		clustertest.Eventually(t, func() string {
			d, _, err := c.Status(t.Context(), id)
			if err != nil || d.State != core.Finished {
				return fmt.Sprintf("the driver is %+v %v", d, err)
			}
			return ""
		})
		t.Logf("submitted, placed and over after %v", time.Since(begun))
		return id
	}
	submit()
	for round := range 2 {
		i := m.leader()
		m.daemons[i].kill()
		submit()
		same()
		m.settled(2, 2, 3)
		m.start(i)
		i = m.leader()
		if err := m.daemons[i].Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		submit()
		same()
		m.settled(2, 2, 3)
		if err := m.daemons[i].Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		submit()
		same()
		if round == 0 { // an executor's end reaches the application through any leader
			_ = syscall.Kill(one, syscall.SIGKILL)
			a.Has("0", "2")
			a.MustScale(1)
			if err := a.Kill(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			a.MustScale(2)
			one = a.Executor("2").PID
			same = func() {
				t.Helper()
				a.Has("0", "2")
				if a.Executor("0").PID != zero || a.Executor("2").PID != one {
					t.Error("an executor was touched")
				}
			}
		}
	}
	for _, d := range m.daemons {
		d.kill()
	}
	same()
	m.start(0, 1, 2)
	submit()
	same()
	v := m.settled(2, 2, 3)
	if v.Apps[0].Cores != 2 {
		t.Errorf("the application has %+v", v.Apps[0])
	}
	leads := m.daemons[m.leader()]
	leads.leave(t) // in order: the others need not miss it first
	submit()
	same()
	a.End()
	clustertest.Gone(t, zero)
}

// A standby says so, and half of the masters decide nothing.
func TestStandby(t *testing.T) {
	t.Parallel()
	m := threeMasters(t, "")
	m.start(0, 1)
	i := m.leader()
	_, err := dial(t.Context(), dialOptions{m.addresses[1-i : 2-i], identity("", "a test", Program{}), silent{}})
	if err != nil { // it knows the leader, which is found
		t.Error(err)
	}
	_, err = dialOne(t.Context(), dialOptions{nil, identity("", "a test", Program{}), silent{}}, m.addresses[1-i])
	if err == nil || !strings.HasSuffix(err.Error(), "is a standby, leader is "+m.addresses[i]) {
		t.Errorf("the standby said %v", err)
	}
	m.daemons[i].kill()
	clustertest.Eventually(t, func() string {
		_, err := dial(t.Context(), dialOptions{m.addresses, identity("", "a test", Program{}), silent{}})
		if err == nil || !strings.Contains(err.Error(), "is a standby, and no leader is known: more than half of the masters must run") {
			return fmt.Sprintf("one of three said %v", err)
		}
		return ""
	})
}

// A folder that is not a master's own, or damaged, is refused with its path and the way out.
func TestQuorumFolderIsRefused(t *testing.T) {
	t.Parallel()
	m := threeMasters(t, "")
	m.start(0, 1, 2)
	m.leader()
	m.daemons[0].leave(t)
	path := filepath.Join(m.options[0].Recovery, "raft.log")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b[:len(b)-20], "garbage of twenty b."...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = StartMaster(m.options[0])
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "--reset-recovery") {
		t.Errorf("a damaged folder: %v", err)
	}
	m.options[0].Reset = true
	m.start(0)
	m.daemons[1].kill() // with the one that has learned all anew there is a majority
	m.leader()
	o := m.options[1]
	o.Recovery = ""
	if _, err := StartMaster(o); err == nil || !strings.Contains(err.Error(), "spark.deploy.recoveryDirectory") {
		t.Errorf("without a folder: %v", err)
	}
	o = m.options[1]
	o.Port, o.Recovery = 0, t.TempDir()
	if _, err := StartMaster(o); err == nil || !strings.Contains(err.Error(), "is none of the masters") {
		t.Errorf("another address: %v", err)
	}
}

// Clients of the submission protocol are told by a standby as Spark's tells them, and pages name the leader.
func TestStandbyPages(t *testing.T) {
	t.Parallel()
	m := threeMasters(t, "")
	m.start(0, 1)
	o := m.options[2]
	o.WebUI, o.REST = 0, 0
	s, err := StartMaster(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	leads := 0
	clustertest.Eventually(t, func() string { // another may come to lead meanwhile
		if leads = m.leader(); leads == 2 {
			s.member.Load().Resign()
		}
		if st := s.standing(); st.Leads || st.Leader != m.addresses[leads] {
			return fmt.Sprintf("it says %+v", st)
		}
		return ""
	})
	base := "http://" + s.REST() + "/v1/submissions/"
	for _, c := range []struct{ method, path, body string }{{"POST", "create", request([]string{"exit", "0"}, nil)}, {"POST", "kill/driver-1", ""}, {"GET", "status/driver-1", ""}} {
		code, b := call(t, c.method, base+c.path, c.body)
		text, _ := b["message"].(string)
		if code != 200 || b["success"] != false || !strings.HasPrefix(text, "Current state is not alive: STANDBY") || !strings.HasSuffix(text, "leader is "+m.addresses[leads]) {
			t.Errorf("%s: %d %v", c.path, code, b)
		}
	}
	if code, _ := call(t, "GET", base+"readyz", ""); code != 503 {
		t.Errorf("readyz gave %d", code)
	}
	for path, says := range map[string]string{"/": "Status: STANDBY · leader: " + m.addresses[leads], "/json/": `"status": "STANDBY"`} {
		if page := get(t, "http://"+s.WebUI()+path); !strings.Contains(page, says) {
			t.Errorf("%s lacks %q: %s", path, says, page)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRecoveryFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &store{dir}
	if err := s.keep(change{"w", &core.Record{Worker: &core.WorkerInfo{ID: "w", Cores: 2}}}); err != nil {
		t.Fatal(err)
	}
	path := s.path("w")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		says string
	}{
		"other":   {"hello", "damaged"},
		"empty":   {"", "damaged"},
		"cut off": {string(good[:len(good)-5]), "damaged"},
		"flipped": {strings.Replace(string(good), `"Cores":2`, `"Cores":3`, 1), "its checksum is wrong"},
		"newer":   {strings.Replace(string(good), `"Version":1`, `"Version":2`, 1), "has version 2, and this master reads 1"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := StartMaster(MasterOptions{WebUI: -1, REST: -1, Core: quick(), Recovery: dir})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "--reset-recovery") {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := StartMaster(MasterOptions{WebUI: -1, REST: -1, Core: quick(), Recovery: dir, Reset: true})
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if names, _ := filepath.Glob(filepath.Join(dir, "*.json")); len(names) > 0 {
		t.Errorf("after a reset there are %v", names)
	}
}
