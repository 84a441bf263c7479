package chaos

import (
	"context"
	"fmt"
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

	"github.com/firesteel/firesteel/internal/cluster/managers"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/types"
)

// application is a driver in this process with executors in others. It notes what happens.
type application struct {
	*session.Session
	t   *testing.T
	app *session.App
	dir string // spark.local.dir of all its processes

	mu      sync.Mutex
	live    map[event.ExecutorID]bool
	most    int
	removed []event.ExecutorRemoved
	tasks   map[string]int // ends by type and reason: ShuffleMapTask Success
	retried int            // stage attempts but the first
}

func runApplication(t *testing.T, master string, conf ...string) *application {
	t.Helper()
	a := &application{t: t, dir: t.TempDir(), live: map[event.ExecutorID]bool{}, tasks: map[string]int{}}
	o := session.Options{Master: master, Managers: managers.New, Binary: binary, Log: session.LogTo(map[string]string{"spark.log.level": os.Getenv("FIRESTEEL_LOG")}, false), Conf: map[string]string{"spark.sql.catalogImplementation": "in-memory",
		"spark.local.dir": a.dir, "spark.sql.warehouse.dir": filepath.Join(a.dir, "warehouse"), "spark.driver.memory": "1g", "spark.executor.memory": "512m"}}
	for _, c := range append(quickCluster, conf...) {
		k, v, _ := strings.Cut(c, "=")
		o.Conf[k] = v
	}
	var err error
	if a.app, err = session.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	a.app.Bus().Subscribe(a.note)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.app.Close(ctx); err != nil {
			t.Error(err)
		}
		eventually(t, 20*time.Second, "no files are left", func() bool { return len(a.files("")) == 0 })
	})
	a.Session = a.app.NewSession()
	return a
}

func (a *application) note(e event.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch e := e.(type) {
	case event.ExecutorAdded:
		a.live[e.Executor] = true
		a.most = max(a.most, len(a.live))
	case event.ExecutorRemoved:
		delete(a.live, e.Executor)
		a.removed = append(a.removed, e)
	case event.TaskEnd:
		a.tasks[fmt.Sprintf("%s %T", e.TaskType, e.Reason)]++
	case event.StageSubmitted:
		if e.Stage.Attempt > 0 {
			a.retried++
		}
	}
}

// count reads one of the notes.
func (a *application) count(f func() int) int {
	a.app.Bus().Drain()
	a.mu.Lock()
	defer a.mu.Unlock()
	return f()
}

func (a *application) executors() int { return a.count(func() int { return len(a.live) }) }

// maps is how many map tasks have ended well.
func (a *application) maps() int {
	return a.count(func() int { return a.tasks["ShuffleMapTask event.Success"] })
}

func (a *application) query(text string) []string {
	a.t.Helper()
	out, err := a.try(text)
	if err != nil {
		a.t.Fatalf("%s: %v", text, err)
	}
	return out
}

func (a *application) try(text string) (out []string, err error) {
	err = a.SQL(timeout(a.t, 90*time.Second), text, func(*types.Schema) error { return nil }, func(b *columnar.Batch) error {
		for i := range b.N {
			var row []string
			for c := range b.Cols {
				row = append(row, fmt.Sprint(b.Cols[c].ValueAt(i)))
			}
			out = append(out, strings.Join(row, "|"))
		}
		return nil
	})
	return out, err
}

// files are those of executors whose names start so.
func (a *application) files(prefix string) (out []string) {
	for _, f := range files(a.t, a.dir) {
		if strings.HasPrefix(filepath.Base(f), prefix) && strings.Contains(f, "executor-") {
			out = append(out, f)
		}
	}
	return out
}

// pids are the executors' process ids.
func (a *application) pids() (out []int) {
	all, err := os.ReadDir("/proc")
	if err != nil {
		a.t.Skipf("there is no /proc to find executors in: %v", err)
	}
	for _, e := range all {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			args, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // it may be gone
			if strings.Contains(string(args), "\x00executor\x00") && strings.Contains(string(args), "\x00"+a.app.ID+"\x00") {
				out = append(out, pid)
			}
		}
	}
	slices.Sort(out)
	return out
}

// await waits for so many executors.
func (a *application) await(n int) {
	a.t.Helper()
	eventually(a.t, 30*time.Second, fmt.Sprintf("%d executors", n), func() bool { return a.executors() == n })
}

const groupedRows = "400000|1000|499500"

// TestShuffleService: executors that are killed after the map side leave their outputs to the shuffle service, and no map
// task runs again.
func TestShuffleService(t *testing.T) {
	a := runApplication(t, "local-cluster[3,1,512]", "spark.shuffle.service.enabled=true", "spark.shuffle.service.port=0", "spark.authenticate=true")
	a.await(3)
	a.query("cache table g as select id % 1000 k, count(*) n from range(0, 400000, 1, 8) group by id % 1000")
	before := a.maps()
	if before == 0 || len(a.files("shuffle_")) == 0 {
		t.Fatalf("%d map tasks, files %v", before, a.files("shuffle_"))
	}
	for _, pid := range a.pids() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, 20*time.Second, "the executors are replaced", func() bool {
		return a.count(func() int { return len(a.removed) }) >= 3 && a.executors() == 3
	})
	// The cached rows died with the executors: they are computed again, from the map outputs that are still there.
	if got := a.query("select sum(n), count(*), sum(k) from g"); strings.Join(got, "") != groupedRows {
		t.Errorf("rows %v", got)
	}
	a.query("uncache table g")
	if got := a.maps() - before; got > 3 { // of the query's own aggregation
		t.Errorf("%d map tasks ran again", got)
	}
	eventually(t, 10*time.Second, "the outputs are dropped", func() bool { return len(a.files("shuffle_")) == 0 })
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestShuffleServiceOfWorker: a worker serves the outputs of executors that have gone, and removes them when the application
// that wrote them dies.
func TestShuffleServiceOfWorker(t *testing.T) {
	port := freePort(t)
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}, daemons: fmt.Sprintf("spark.shuffle.service.enabled true\nspark.shuffle.service.port %d\n"+
		"spark.authenticate true\nspark.authenticate.secret of-the-cluster\n", port)}
	c.startMasters()
	c.workers = append(c.workers, nil)
	c.startWorker(0)
	a := runApplication(t, c.url, "spark.shuffle.service.enabled=true", fmt.Sprintf("spark.shuffle.service.port=%d", port), "spark.executor.cores=1",
		"spark.authenticate=true", "spark.authenticate.secret=of-the-cluster")
	a.await(2)
	a.query("cache table g as select id % 1000 k, count(*) n from range(0, 400000, 1, 8) group by id % 1000")
	before := a.maps()
	for _, pid := range c.executors() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, 20*time.Second, "the executors are replaced", func() bool {
		return a.count(func() int { return len(a.removed) }) >= 2 && a.executors() == 2
	})
	if got := a.query("select sum(n), count(*), sum(k) from g"); strings.Join(got, "") != groupedRows {
		t.Errorf("rows %v", got)
	}
	if got := a.maps() - before; got > 2 {
		t.Errorf("%d map tasks ran again", got)
	}
	if len(c.shuffleFiles()) == 0 {
		t.Error("there are no map outputs")
	}
	if err := a.app.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	eventually(t, 20*time.Second, "no map outputs are left", func() bool { return len(files(t, c.under("worker0", "local"))) == 0 })
}

// S08: an executor that is told to end during a shuffle gives its outputs to others first; no map task runs again and no stage
// is repeated.
func TestDecommissionDuringShuffle(t *testing.T) {
	a := runApplication(t, "local-cluster[3,1,512]", "spark.decommission.enabled=true", "spark.storage.decommission.enabled=true",
		"spark.sql.autoBroadcastJoinThreshold=-1", "spark.sql.adaptive.enabled=false", "spark.sql.shuffle.partitions=12")
	a.await(3)
	const q = "select count(*), sum(k), sum(n) from (select a.id % 100000 k, count(*) n from range(0, 3000000, 1, 12) a join range(0, 3000000, 1, 12) b on a.id = b.id group by 1)"
	want := a.query(q)
	maps, ended := a.maps(), a.count(func() int { return len(a.removed) })
	for round := range 3 {
		start := a.maps()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for a.maps() < start+4+10*round { // in the midst of the map side, and later
				time.Sleep(time.Millisecond)
			}
			_ = syscall.Kill(a.pids()[0], syscall.SIGTERM)
		}()
		if got := a.query(q); !slices.Equal(got, want) {
			t.Errorf("rows %v, not %v", got, want)
		}
		<-done
		if got := a.maps() - start; got != maps {
			t.Errorf("round %d: %d map tasks ran, not %d", round, got, maps)
		}
		eventually(t, 20*time.Second, "the executor ends", func() bool { return a.count(func() int { return len(a.removed) }) > ended+round })
		a.await(3)
	}
	a.fine()
}
