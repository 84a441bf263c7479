package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/tpch"
)

// submissionLimit is how long a submission may wait while the masters elect another leader.
const submissionLimit = 15 * time.Second

// freeAddresses are addresses for masters that nobody listens on now.
func (c *cluster) freeAddresses(n int) (out []string) {
	c.t.Helper()
	host := "127.0.0.1"
	if c.net != nil {
		host = c.net.router()
	}
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			c.t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().String())
	}
	return out
}

// clusterView is what a master's page tells programs.
type clusterView struct {
	Status  string
	Workers []struct {
		State                       string
		Cores, CoresUsed, CoresFree int
	}
	ActiveApps []struct{ ID string }
}

// masterView asks a master for its state.
func (c *cluster) masterView(i int) (v clusterView) {
	c.t.Helper()
	page := c.masters[i].see(`status page (https?://[0-9.:]+)`, 20*time.Second)
	_, _, body := ask(c.t, http.DefaultClient, "GET", page+"/json/", "", nil)
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		c.t.Fatalf("master %d says %s: %v", i, body, err)
	}
	return v
}

// leader is the master that leads; those in skip are not asked.
func (c *cluster) leader(skip ...int) (i int) {
	c.t.Helper()
	eventually(c.t, 20*time.Second, "a master leads", func() bool {
		for i = range c.masters {
			if !slices.Contains(skip, i) && c.masterView(i).Status == "ALIVE" {
				return true
			}
		}
		return false
	})
	return i
}

// mostExecutors looks at the workers until it is stopped, and gives the most executors that each of them had at a time.
func (c *cluster) mostExecutors() (stop func() []int) {
	most, quit, done := make([]int, len(c.workers)), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			now := make([]int, len(c.workers))
			for _, pid := range c.executors() {
				cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)) // it may be gone
				for i := range now {
					if strings.HasPrefix(cwd, filepath.Join(c.dir, "worker"+strconv.Itoa(i))+"/") {
						now[i]++
					}
				}
			}
			for i, n := range now {
				most[i] = max(most[i], n)
			}
			select {
			case <-quit:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() []int {
		close(quit)
		<-done
		return most
	}
}

// submissions are programs that are given to the cluster, each of which writes a line when it runs.
type submissions struct {
	c    *cluster
	app  string
	out  string
	ids  []string // of drivers
	runs []string // what should have run
}

func newSubmissions(c *cluster) *submissions {
	dir := c.t.TempDir()
	s := &submissions{c: c, app: filepath.Join(dir, "app.sh"), out: filepath.Join(dir, "out")}
	if err := os.WriteFile(s.app, []byte("#!/bin/sh\necho \"$2\" >>\"$1\"\n"), 0o700); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// submit gives a program to the cluster and waits until it has run. It says how long it took to be taken, and to be over.
func (s *submissions) submit(name string) (taken, over time.Duration) {
	s.c.t.Helper()
	begin := time.Now()
	p := start(s.c.t, launch{bare: true, args: []string{"submit", "--master", s.c.url, "--deploy-mode", "cluster", "--driver-memory", "128m",
		"--name", name, s.app, s.out, name}})
	if code := p.wait(submissionLimit + 15*time.Second); code != 0 {
		s.c.t.Fatalf("the submission %q ended with %d:\n%s", name, code, tail(p.err.String(), 2000))
	}
	taken = time.Since(begin)
	id := regexp.MustCompile(`driver-\d+-\d+`).FindString(p.err.String())
	if id == "" || slices.Contains(s.ids, id) {
		s.c.t.Errorf("the submission %q got the id %q; before there were %v", name, id, s.ids)
	}
	s.ids, s.runs = append(s.ids, id), append(s.runs, name)
	eventually(s.c.t, submissionLimit, "the submitted program runs", func() bool { return slices.Contains(s.ran(), name) })
	if over = time.Since(begin); over > submissionLimit {
		s.c.t.Errorf("the submission %q waited %v", name, over)
	}
	return taken, over
}

// ran are the programs that have run.
func (s *submissions) ran() []string {
	b, _ := os.ReadFile(s.out) // none yet
	return strings.Fields(string(b))
}

// queryLoop runs queries until it is stopped, and demands their answers.
type queryLoop struct {
	stop    context.CancelFunc
	done    sync.WaitGroup
	ran     atomic.Int32
	slowest atomic.Int64
}

func (c *cluster) queryInLoop(cl *client, want map[int][]string) *queryLoop {
	ctx, stop := context.WithCancel(c.t.Context())
	l := &queryLoop{stop: stop}
	queries := make([]int, 0, len(want))
	for q := range want {
		queries = append(queries, q)
	}
	slices.Sort(queries)
	l.done.Go(func() {
		for ctx.Err() == nil {
			for _, q := range queries {
				begin := time.Now()
				rows, err := cl.query(timeout(c.t, queryLimit), tpch.Query(q))
				c.compare(q, rows, err, want[q])
				l.ran.Add(1)
				l.slowest.Store(max(l.slowest.Load(), int64(time.Since(begin))))
			}
		}
	})
	return l
}

// end waits for the query that runs and tells how many there were, and what the slowest took.
func (l *queryLoop) end() (int, time.Duration) {
	l.stop()
	l.done.Wait()
	return int(l.ran.Load()), time.Duration(l.slowest.Load()).Round(time.Millisecond)
}

// TestMasterFailOver is H01: of three masters the one that leads is killed, and the next one stands still, while queries run and
// programs are submitted. Queries have their answers and executors are not touched; submissions wait less than fifteen seconds,
// each runs once, no id is given twice; the master that stood still does not lead any more when it goes on, and no core is
// given twice.
func TestMasterFailOver(t *testing.T) {
	t.Parallel() // it mostly waits
	data := tpchData(t, 0.1)
	want := answers(t, data, []int{5, 9, 18, 21})
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}}
	c.among = c.freeAddresses(3)
	c.begin(2, 2, nil)
	c.ready(2)
	cl := c.server.connect(t)
	if err := cl.open(timeout(t, time.Minute), data); err != nil {
		t.Fatal(err)
	}
	most, s := c.mostExecutors(), newSubmissions(c)
	taken, over := s.submit("before")
	t.Logf("a submission is taken after %v and over after %v", taken, over)
	before := c.executors()

	leads := c.leader()
	l := c.queryInLoop(cl, want)
	_ = c.masters[leads].cmd.Process.Kill()
	taken, over = s.submit("killed")
	next := c.leader(leads)
	n, slowest := l.end()
	t.Logf("leader %d killed: a submission was taken after %v and over after %v; master %d leads; %d queries meanwhile, the slowest took %v", leads, taken, over, next, n, slowest)
	if now := c.executors(); !slices.Equal(now, before) {
		t.Errorf("the executors were %v and are %v", before, now)
	}
	<-c.masters[leads].ended
	c.startMaster(leads, 0)
	c.noCoreTwice(next, 1)
	c.frozenLeader(cl, want, s)
	if m := most(); slices.Max(m) > 2 {
		t.Errorf("the workers have two cores each, and had %v executors of one", m)
	}
	if got := s.ran(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(s.runs))) {
		t.Errorf("the programs %v ran, not %v", got, s.runs)
	}
	c.stop()
}

// frozenLeader has the leader stand still until another one has replaced an executor and given the cores that were free, and
// go on then.
func (c *cluster) frozenLeader(cl *client, want map[int][]string, s *submissions) {
	c.t.Helper()
	leads := c.leader()
	old := c.masters[leads]
	l := c.queryInLoop(cl, want)
	frozen := time.Now()
	old.signal(syscall.SIGSTOP)
	taken, over := s.submit("frozen")
	next := c.leader(leads)
	_ = syscall.Kill(c.executors()[0], syscall.SIGKILL) // what the next one gives in its place, the old one does not know of
	other := serve(c.t, launch{args: []string{"--master", c.url, "--executor-memory", "512m", "--executor-cores", "1", "--total-executor-cores", "2"}})
	other.alive(c.t)
	eventually(c.t, 30*time.Second, "four executors", func() bool { return len(c.executors()) == 4 })
	stood := time.Since(frozen)
	old.signal(syscall.SIGCONT)
	old.see("this master does not lead any more", 20*time.Second)
	eventually(c.t, 10*time.Second, "the old leader stands by", func() bool { return c.masterView(leads).Status == "STANDBY" })
	c.noCoreTwice(next, 2)
	other.signal(syscall.SIGTERM) // gives back the cores that drivers need
	other.wait(20 * time.Second)
	again, _ := s.submit("thawed")
	n, slowest := l.end()
	c.t.Logf("leader %d stood still for %v: a submission was taken after %v and over after %v, one after it within %v; master %d leads; %d queries meanwhile, the slowest took %v",
		leads, stood.Round(time.Millisecond), taken, over, again, next, n, slowest)
}

// noCoreTwice demands that the leader knows the workers with no more cores given than there are, and so many applications of as
// many ids.
func (c *cluster) noCoreTwice(leader, apps int) {
	c.t.Helper()
	v := c.masterView(leader)
	alive, ids := 0, map[string]bool{}
	for _, w := range v.Workers {
		if w.State == "ALIVE" {
			alive++
		}
		if w.CoresFree < 0 || w.CoresUsed > w.Cores {
			c.t.Errorf("master %d has given %d of %d cores", leader, w.CoresUsed, w.Cores)
		}
	}
	for _, a := range v.ActiveApps {
		ids[a.ID] = true
	}
	if alive != len(c.workers) || len(v.ActiveApps) != apps || len(ids) != apps {
		c.t.Errorf("master %d knows %+v", leader, v)
	}
}

// TestDamagedRecovery is H05: a master whose recovery folder is damaged, or of a newer version, does not start and says why and what
// to do. With --reset-recovery it does, and learns from those who run what there is: the application is not touched.
func TestDamagedRecovery(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startCluster(t, 2, 2)
	c.ready(2)
	before := c.executors()
	_ = c.masters[0].cmd.Process.Kill()
	<-c.masters[0].ended
	records := files(t, c.under("recovery"))
	if len(records) == 0 {
		t.Fatal("nothing is kept")
	}
	good, err := os.ReadFile(records[0])
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(c.url, "spark://"), ":")
	args := []string{"master", "--port", port, "--webui-port", "0", "--rest-port", "-1", "--properties-file", c.properties()}
	for name, text := range map[string]string{
		"cut off": string(good[:len(good)/2]), "newer": strings.Replace(string(good), `"Version":1`, `"Version":99`, 1), "nothing": "",
	} {
		if err := os.WriteFile(records[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := start(t, launch{args: args, bare: true})
		if code := p.wait(20 * time.Second); code == 0 || !strings.Contains(p.err.String(), records[0]) || !strings.Contains(p.err.String(), "--reset-recovery") {
			t.Errorf("%s: the master ended with %d and said %s", name, code, tail(p.err.String(), 500))
		}
	}
	c.masters[0] = start(t, launch{args: append(args, "--reset-recovery"), bare: true})
	c.masters[0].see(`master at spark://`, 20*time.Second)
	eventually(t, 30*time.Second, "workers and application are back", func() bool {
		v := c.masterView(0)
		return v.Status == "ALIVE" && len(v.Workers) == 2 && len(v.ActiveApps) == 1
	})
	c.noCoreTwice(0, 1)
	c.harmed("after the reset", func(context.Context) string { return "" })
	if now := c.executors(); !slices.Equal(now, before) {
		t.Errorf("the executors were %v and are %v", before, now)
	}
	c.stop()
}
