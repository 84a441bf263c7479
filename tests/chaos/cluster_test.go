package chaos

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/tpch"
)

// quickCluster makes a dead or silent executor be noticed in seconds.
var quickCluster = []string{"spark.executor.heartbeatInterval=1s", "spark.network.timeout=6s", "spark.shuffle.io.retryWait=200ms"}

// cluster is a standalone cluster of real processes, with a Connect server as its application.
type cluster struct {
	t       *testing.T
	dir     string // all that its processes write lies below
	url     string
	masters []*process
	workers []*process
	server  *server
	seen    map[int]string // every process that was ever part of it, and what it is
	daemons string         // settings of master and workers besides those that all have
	apart   bool           // workers have addresses of their own
	among   []string       // addresses of the masters, if there are several
	cores   int            // of an executor, if it has more than one
	net     *network       // nil: all on loopback
	proxies []*proxy       // between its workers
	groups  map[int]string // memory cgroups of workers and what they start
	disks   map[int]string // local directories of workers that are not below dir
}

// startCluster starts a master, workers of two cores each and a server that takes executors cores of them, one each.
func startCluster(t *testing.T, workers, executors int, conf ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}}
	c.begin(workers, executors, conf)
	return c
}

func (c *cluster) begin(workers, executors int, conf []string) {
	c.t.Helper()
	c.startMasters()
	for range workers {
		c.workers = append(c.workers, nil)
		c.startWorker(len(c.workers) - 1)
	}
	cores := max(1, c.cores)
	args := []string{"--master", c.url, "--executor-cores", strconv.Itoa(cores), "--executor-memory", "512m", "--total-executor-cores", strconv.Itoa(cores * executors)}
	if c.net != nil {
		args = append(args, "--properties-file", c.properties())
		conf = append([]string{"spark.driver.host=" + c.net.router()}, conf...)
	}
	c.server = serve(c.t, launch{args: args, conf: append(append([]string{}, quickCluster...), conf...), local: c.under("driver")})
	c.note()
}

// under makes a folder of the cluster.
func (c *cluster) under(names ...string) string {
	dir := filepath.Join(append([]string{c.dir}, names...)...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	return dir
}

// properties are the settings of master and workers.
func (c *cluster) properties() string {
	path := filepath.Join(c.dir, "daemons.conf")
	text := "spark.worker.timeout 6\nspark.deploy.recoveryMode FILESYSTEM\nspark.deploy.recoveryDirectory " + c.under("recovery") + "\n" + c.daemons
	if c.net != nil {
		text += "spark.authenticate true\nspark.authenticate.secret of-this-test\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// startMasters starts the master, or all of them.
func (c *cluster) startMasters() {
	c.t.Helper()
	for i := range max(1, len(c.among)) {
		c.masters = append(c.masters, nil)
		c.startMaster(i, 0)
	}
}

// startMaster starts a master; port 0 is any free one.
func (c *cluster) startMaster(i, port int) {
	c.t.Helper()
	l := launch{args: []string{"master", "--rest-port", "-1", "--properties-file", c.properties()}, bare: true}
	switch {
	case len(c.among) > 0:
		_, own, _ := net.SplitHostPort(c.among[i])
		l.args = append(l.args, "--port", own, "--webui-port", "0", "--ha", strings.Join(c.among, ","))
		l.env = []string{"SPARK_MASTER_OPTS=-Dspark.deploy.recoveryDirectory=" + c.under("recovery"+strconv.Itoa(i))}
	default:
		l.args = append(l.args, "--port", strconv.Itoa(port), "--webui-port", "-1")
	}
	if c.net != nil {
		l.args = append(l.args, "--host", c.net.router())
	}
	c.masters[i] = start(c.t, l)
	c.url = c.masters[i].see(`master at (spark://[0-9.:]+)`, 20*time.Second)
	if len(c.among) > 0 {
		c.url = "spark://" + strings.Join(c.among, ",")
	}
}

// restartMaster starts a master again where it was.
func (c *cluster) restartMaster(i int) {
	port, err := strconv.Atoi(c.url[strings.LastIndexByte(c.url, ':')+1:])
	if err != nil {
		c.t.Fatal(err)
	}
	c.startMaster(i, port) // one of several knows its own
	c.note()
}

// localDir is the local directory of a worker's executors.
func (c *cluster) localDir(i int) string {
	if dir := c.disks[i]; dir != "" {
		return dir
	}
	return c.under("worker"+strconv.Itoa(i), "local")
}

func (c *cluster) startWorker(i int) {
	c.t.Helper()
	name := "worker" + strconv.Itoa(i)
	l := launch{args: []string{"worker", c.url, "--cores", "2", "--memory", "2g", "--webui-port", "-1", "--work-dir", c.under(name, "work"),
		"--properties-file", c.properties()}, env: []string{"SPARK_LOCAL_DIRS=" + c.localDir(i)}, bare: true}
	if c.net != nil {
		l.wrap, l.args = c.net.within(i), append(l.args, "--host", c.net.address(i))
	}
	if group := c.groups[i]; group != "" {
		l.wrap = []string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, group}
	}
	if c.apart {
		l.args = append(l.args, "--host", fmt.Sprintf("127.0.0.%d", i+1))
	}
	c.workers[i] = start(c.t, l)
	c.workers[i].see(`(worker-\S+) with 2 cores`, 20*time.Second)
	c.note()
}

// note remembers the processes that there are now, for the search for leftovers.
func (c *cluster) note() {
	for _, m := range c.masters {
		c.seen[m.cmd.Process.Pid] = "master"
	}
	for _, w := range c.workers {
		if w != nil {
			c.seen[w.cmd.Process.Pid] = "worker"
		}
	}
	if c.server != nil {
		c.seen[c.server.cmd.Process.Pid] = "server"
	}
	for _, pid := range c.executors() {
		c.seen[pid] = "executor"
	}
}

// executors are the process ids of the executors that live, also those of workers that died.
func (c *cluster) executors() []int {
	var out []int
	all, err := os.ReadDir("/proc")
	if err != nil {
		c.t.Skipf("there is no /proc to find executors in: %v", err)
	}
	for _, e := range all {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		args, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // it may be gone
		cwd, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if bytes.Contains(args, []byte("\x00executor\x00")) && strings.HasPrefix(cwd, c.dir+"/") {
			out = append(out, pid)
		}
	}
	slices.Sort(out)
	return out
}

// ready waits until so many executors live and one query has been answered.
func (c *cluster) ready(executors int) {
	c.t.Helper()
	cl := c.server.connect(c.t)
	if rows, err := cl.query(timeout(c.t, 60*time.Second), "select sum(id) from range(0, 1000, 1, 8)"); err != nil || strings.Join(rows, "") != "499500" {
		c.t.Fatalf("the cluster does not answer: %v %v\n%s", rows, err, tail(c.server.err.String(), 2000))
	}
	eventually(c.t, 30*time.Second, fmt.Sprintf("%d executors", executors), func() bool { return len(c.executors()) >= executors })
	c.note()
}

// shuffleFiles are the map outputs that lie on the workers' disks.
func (c *cluster) shuffleFiles() []string {
	var out []string
	for i := range c.workers {
		for _, f := range files(c.t, c.under("worker"+strconv.Itoa(i), "local")) {
			if strings.HasPrefix(filepath.Base(f), "shuffle_") {
				out = append(out, f)
			}
		}
	}
	return out
}

// stop ends the cluster in order, and demands that neither processes nor files are left.
func (c *cluster) stop() {
	c.t.Helper()
	c.note()
	_ = syscall.Kill(c.server.cmd.Process.Pid, syscall.SIGTERM) // what has ended is seen below
	c.server.wait(30 * time.Second)
	for _, w := range c.workers {
		_ = syscall.Kill(w.cmd.Process.Pid, syscall.SIGTERM)
		w.wait(20 * time.Second)
	}
	for _, m := range c.masters {
		_ = syscall.Kill(m.cmd.Process.Pid, syscall.SIGTERM)
		m.wait(20 * time.Second)
	}
	gone := func() bool { return len(c.executors()) == 0 }
	for end := time.Now().Add(20 * time.Second); !gone() && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
	}
	for _, pid := range c.executors() {
		c.t.Errorf("executor %d is still there", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	left := files(c.t, c.under("driver"))
	for i := range c.workers {
		left = append(left, files(c.t, c.under("worker"+strconv.Itoa(i), "local"))...)
	}
	if len(left) > 0 {
		c.t.Errorf("%d files are left, such as %v", len(left), left[:min(5, len(left))])
	}
}

// tpchData makes the benchmark's tables, or takes those that TPCH names.
func tpchData(t *testing.T, scale float64) string {
	t.Helper()
	if dir := os.Getenv("TPCH"); dir != "" {
		return dir
	}
	dir := t.TempDir()
	if err := tpch.Run(t.Context(), tpch.Options{ScaleFactor: scale, OutputDir: dir, Parallel: 2}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tpchTables(dir string) []string {
	var out []string
	for _, name := range []string{"customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"} {
		out = append(out, fmt.Sprintf("create or replace temporary view %s using parquet options (path '%s')", name, filepath.Join(dir, name+".parquet")))
	}
	return out
}

// open makes a session that knows the tables.
func (c *client) open(ctx context.Context, data string) error {
	for _, text := range tpchTables(data) {
		if _, err := c.query(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// answers are the rows of the queries, sorted, on a server without faults.
func answers(t *testing.T, data string, queries []int) map[int][]string {
	t.Helper()
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	c := s.connect(t)
	ctx := timeout(t, 3*time.Minute)
	if err := c.open(ctx, data); err != nil {
		t.Fatal(err)
	}
	out := map[int][]string{}
	for _, q := range queries {
		rows, err := c.query(ctx, tpch.Query(q))
		if err != nil {
			t.Fatalf("query %d without faults: %v", q, err)
		}
		slices.Sort(rows)
		out[q] = rows
	}
	s.signal(syscall.SIGTERM)
	s.wait(20 * time.Second)
	return out
}

// fault is a way to harm a cluster. It says what it did.
type fault struct {
	name string
	do   func(c *cluster, r *rand.Rand) string
}

func pick(pids []int, r *rand.Rand) (int, bool) {
	if len(pids) == 0 {
		return 0, false
	}
	return pids[r.IntN(len(pids))], true
}

var faults = []fault{
	{"kill an executor", func(c *cluster, r *rand.Rand) string {
		pid, ok := pick(c.executors(), r)
		if !ok {
			return "none lives"
		}
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
		return fmt.Sprint(pid)
	}},
	{"stop an executor for longer than spark.network.timeout", func(c *cluster, r *rand.Rand) string {
		pid, ok := pick(c.executors(), r)
		if !ok {
			return "none lives"
		}
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		time.Sleep(8 * time.Second)
		_ = syscall.Kill(pid, syscall.SIGCONT)
		return fmt.Sprint(pid)
	}},
	{"stop an executor for a moment", func(c *cluster, r *rand.Rand) string {
		pid, ok := pick(c.executors(), r)
		if !ok {
			return "none lives"
		}
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		time.Sleep(2 * time.Second)
		_ = syscall.Kill(pid, syscall.SIGCONT)
		return fmt.Sprint(pid)
	}},
	{"kill a worker, start it again", func(c *cluster, r *rand.Rand) string {
		i := r.IntN(len(c.workers))
		_ = c.workers[i].cmd.Process.Kill()
		<-c.workers[i].ended
		time.Sleep(time.Second)
		c.startWorker(i)
		return fmt.Sprint(i)
	}},
	{"stop a worker for longer than spark.worker.timeout", func(c *cluster, r *rand.Rand) string {
		i := r.IntN(len(c.workers))
		_ = syscall.Kill(c.workers[i].cmd.Process.Pid, syscall.SIGSTOP)
		time.Sleep(8 * time.Second)
		_ = syscall.Kill(c.workers[i].cmd.Process.Pid, syscall.SIGCONT)
		return fmt.Sprint(i)
	}},
	{"delete map outputs", func(c *cluster, r *rand.Rand) string {
		n := 0
		for _, f := range c.shuffleFiles() {
			if r.IntN(2) == 0 && os.Remove(f) == nil {
				n++
			}
		}
		return fmt.Sprintf("%d", n)
	}},
	{"corrupt map outputs", func(c *cluster, r *rand.Rand) string {
		n := 0
		for _, f := range c.shuffleFiles() {
			if r.IntN(2) == 0 && flip(f, r) == nil {
				n++
			}
		}
		return fmt.Sprintf("%d", n)
	}},
	{"cut a worker off, and heal it", func(c *cluster, r *rand.Rand) string {
		if c.net == nil {
			return "there are no network namespaces"
		}
		i, d := r.IntN(len(c.workers)), time.Duration(1+r.IntN(9))*time.Second
		c.net.cut(i)
		time.Sleep(d)
		c.net.heal(i)
		return fmt.Sprint(i, " for ", d)
	}},
	{"refuse connections to a worker, and allow them again", func(c *cluster, r *rand.Rand) string {
		if c.net == nil {
			return "there are no network namespaces"
		}
		i := r.IntN(len(c.workers))
		c.net.refuse(i)
		time.Sleep(2 * time.Second)
		n := c.net.refusals(i)
		c.net.heal(i)
		return fmt.Sprint(i, ", ", n, " refused")
	}},
	{"kill a master, start it again", func(c *cluster, r *rand.Rand) string {
		i := r.IntN(len(c.masters))
		_ = c.masters[i].cmd.Process.Kill()
		<-c.masters[i].ended
		time.Sleep(time.Second)
		c.restartMaster(i)
		return fmt.Sprint(i)
	}},
	{"stop a master for longer than it takes to elect another", func(c *cluster, r *rand.Rand) string {
		i := r.IntN(len(c.masters))
		_ = syscall.Kill(c.masters[i].cmd.Process.Pid, syscall.SIGSTOP)
		time.Sleep(8 * time.Second)
		_ = syscall.Kill(c.masters[i].cmd.Process.Pid, syscall.SIGCONT)
		return fmt.Sprint(i)
	}},
}

// flip changes a few bytes of a file.
func flip(path string, r *rand.Rand) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() == 0 {
		return fmt.Errorf("nothing to change in %s: %w", path, err)
	}
	for range 3 {
		at := r.Int64N(st.Size())
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		b[0] ^= byte(1 + r.IntN(255))
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
	}
	return nil
}

// TestChaos runs TPC-H in a loop while something breaks every ten seconds, and demands the answers of a run without faults.
// FIRESTEEL_CHAOS_TIME is how long it lasts (90 s unless given), FIRESTEEL_CHAOS_SEED repeats a run, FIRESTEEL_CHAOS_FAULT
// does only the faults whose names have these words, FIRESTEEL_CHAOS_EVERY is the time between faults, FIRESTEEL_CHAOS_MASTERS
// is how many masters there are (1).
func TestChaos(t *testing.T) {
	deep(t)
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("FIRESTEEL_CHAOS_SEED"), 10, 64); err == nil {
		seed = s
	}
	lasts, err := time.ParseDuration(os.Getenv("FIRESTEEL_CHAOS_TIME"))
	if err != nil {
		lasts = 90 * time.Second
	}
	t.Logf("to repeat: FIRESTEEL_DEEP=1 FIRESTEEL_CHAOS_SEED=%d FIRESTEEL_CHAOS_TIME=%v FIRESTEEL_CHAOS_EVERY=%s FIRESTEEL_CHAOS_FAULT=%q FIRESTEEL_CHAOS_MASTERS=%s go test -run TestChaos ./tests/chaos",
		seed, lasts, os.Getenv("FIRESTEEL_CHAOS_EVERY"), os.Getenv("FIRESTEEL_CHAOS_FAULT"), os.Getenv("FIRESTEEL_CHAOS_MASTERS"))
	data := tpchData(t, 1)
	queries := make([]int, tpch.Queries)
	for i := range queries {
		queries[i] = i + 1
	}
	want := answers(t, data, queries)
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}}
	if networked() == "" {
		c.net = newNetwork(t, 2)
	}
	if n, err := strconv.Atoi(os.Getenv("FIRESTEEL_CHAOS_MASTERS")); err == nil && n > 1 {
		c.among = c.freeAddresses(n)
	}
	c.begin(2, 3, nil)
	c.ready(3)
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var harm sync.WaitGroup
	faults := 0
	harm.Go(func() { faults = c.breakThings(ctx, rand.New(rand.NewPCG(seed, 1)), begin) })
	ran, wrong, slowest := c.loop(ctx, data, want, rand.New(rand.NewPCG(seed, 2)), begin)
	harm.Wait()
	now, peak := c.server.memory()
	t.Logf("%d faults, %d queries, %d wrong or failed, the slowest took %v; the server has %d MB, at most %d MB", faults, ran, wrong, slowest.Round(time.Millisecond), now>>20, peak>>20)
	if ran < int(lasts/(20*time.Second)) {
		t.Errorf("only %d queries in %v", ran, lasts)
	}
	c.server.alive(t)
	c.stop()
	t.Logf("server:\n%s", tail(c.server.err.String(), 6000))
}

// breakThings does one fault after the other, and says how many.
func (c *cluster) breakThings(ctx context.Context, r *rand.Rand, begin time.Time) (done int) {
	var some []fault
	for _, f := range faults {
		if strings.Contains(f.name, os.Getenv("FIRESTEEL_CHAOS_FAULT")) {
			some = append(some, f)
		}
	}
	every, err := time.ParseDuration(os.Getenv("FIRESTEEL_CHAOS_EVERY"))
	if err != nil {
		every = 10 * time.Second
	}
	for {
		select {
		case <-ctx.Done():
			return done
		case <-time.After(every):
		}
		f := some[r.IntN(len(some))]
		at := time.Since(begin).Round(100 * time.Millisecond)
		what := f.do(c, r)
		done++
		c.t.Logf("%7v fault: %s: %s", at, f.name, what)
		c.note()
	}
}

// queryLimit is how long a query may take with faults: what detection takes, and what has to be done again.
const queryLimit = 90 * time.Second

func (c *cluster) loop(ctx context.Context, data string, want map[int][]string, r *rand.Rand, begin time.Time) (ran, wrong int, slowest time.Duration) {
	cl := c.server.connect(c.t)
	if err := cl.open(timeout(c.t, time.Minute), data); err != nil {
		c.t.Error(err)
		return 0, 0, 0
	}
	for ctx.Err() == nil {
		for _, i := range r.Perm(tpch.Queries) {
			if ctx.Err() != nil {
				break
			}
			q, start := i+1, time.Now()
			one, cancel := context.WithTimeout(c.t.Context(), queryLimit)
			rows, err := cl.query(one, tpch.Query(q))
			cancel()
			took := time.Since(start)
			slowest = max(slowest, took)
			ran++
			slices.Sort(rows)
			switch {
			case err != nil:
				wrong++
				c.t.Errorf("%7v query %d after %v: %v", time.Since(begin).Round(100*time.Millisecond), q, took, err)
			case !slices.Equal(rows, want[q]):
				wrong++
				c.t.Errorf("%7v query %d gave %d rows, want %d: %s\nwant %s", time.Since(begin).Round(100*time.Millisecond), q, len(rows), len(want[q]),
					tail(strings.Join(rows, "\n"), 500), tail(strings.Join(want[q], "\n"), 500))
			}
		}
	}
	return ran, wrong, slowest
}
