package chaos

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// release ends a session.
func (c *client) release(ctx context.Context) error {
	_, err := c.rpc.ReleaseSession(ctx, &connectpb.ReleaseSessionRequest{SessionId: c.id, UserContext: c.context()})
	return err
}

// stacks ends the server and gives the stacks of its goroutines.
func (s *server) stacks() []string {
	s.signal(syscall.SIGQUIT)
	s.wait(20 * time.Second)
	return regexp.MustCompile(`(?m)^goroutine \d+ [^\n]*\n[^\n]*\n`).FindAllString(s.err.String(), -1)
}

// TestManySessions is M12: of 1,000 queries of 50 sessions at once none is lost, and afterwards the server has no more goroutines
// and open files than after the first queries.
func TestManySessions(t *testing.T) {
	run := func(sessions, each int) (*server, int) {
		s := serve(t, launch{args: []string{"--master", "local[2]"}})
		ctx := timeout(t, time.Minute)
		var wrong atomic.Int64
		var slowest atomic.Int64
		var all sync.WaitGroup
		for i := range sessions {
			all.Go(func() {
				c := s.connect(t)
				for q := range each {
					begin := time.Now()
					rows, err := c.query(ctx, fmt.Sprintf("select sum(id + %d), count(*) from range(1000)", i))
					if want := fmt.Sprintf("%d\t1000", 499500+1000*i); err != nil || strings.Join(rows, "") != want {
						t.Errorf("session %d, query %d: %v %v, want %s", i, q, rows, err, want)
						wrong.Add(1)
					}
					slowest.Store(max(slowest.Load(), int64(time.Since(begin))))
				}
				if err := c.release(ctx); err != nil {
					t.Error(err)
				}
				_ = c.conn.Close()
			})
		}
		all.Wait()
		t.Logf("%d queries of %d sessions: %d wrong, the slowest took %v", sessions*each, sessions, wrong.Load(), time.Duration(slowest.Load()).Round(time.Millisecond))
		time.Sleep(300 * time.Millisecond) // connections are taken down
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
		if err != nil {
			t.Skip(err)
		}
		return s, len(open)
	}
	few, fewFiles := run(2, 5)
	many, manyFiles := run(50, 20)
	a, b := few.stacks(), many.stacks()
	t.Logf("%d goroutines and %d files after few queries, %d and %d after many", len(a), fewFiles, len(b), manyFiles)
	if len(a) == 0 || len(b) > len(a)+10 {
		t.Errorf("goroutines grew from %d to %d:\n%s", len(a), len(b), tail(strings.Join(b, ""), 3000))
	}
	if manyFiles > fewFiles+10 {
		t.Errorf("open files grew from %d to %d", fewFiles, manyFiles)
	}
}

// endless is a query that does not end by itself.
const endless = "select count(*) from range(0, 10000000, 1, 4) a join range(10000000) b on a.id % 7 <> b.id % 11"

// TestCancel is S14 and M16: queries that are cancelled by their operation, their tag or with all of their session, or whose
// client goes away, end at once as Spark's do and free their slots.
func TestCancel(t *testing.T) {
	for _, master := range []string{"local[2]", "local-cluster[2,1,512]"} {
		t.Run(master, func(t *testing.T) {
			s := serve(t, launch{args: []string{"--master", master}})
			s.alive(t) // its executors are there
			for name, how := range map[string]func(c *client, r *connectpb.InterruptRequest){
				"all": func(_ *client, r *connectpb.InterruptRequest) {
					r.InterruptType = connectpb.InterruptRequest_INTERRUPT_TYPE_ALL
				},
				"tag": func(_ *client, r *connectpb.InterruptRequest) {
					r.InterruptType = connectpb.InterruptRequest_INTERRUPT_TYPE_TAG
					r.Interrupt = &connectpb.InterruptRequest_OperationTag{OperationTag: "mine"}
				},
				"operation": func(c *client, r *connectpb.InterruptRequest) {
					r.InterruptType = connectpb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID
					r.Interrupt = &connectpb.InterruptRequest_OperationId{OperationId: c.operation}
				},
				"the client is gone": nil,
			} {
				s.cancelled(t, name, how)
			}
		})
	}
}

func (s *server) cancelled(t *testing.T, name string, how func(c *client, r *connectpb.InterruptRequest)) {
	t.Helper()
	c := s.connect(t)
	c.operation = uuid.NewString()
	ctx, cancel := context.WithCancel(timeout(t, 30*time.Second))
	defer cancel()
	r := c.request(sqlPlan(endless), c.operation)
	r.Tags = []string{"mine"}
	if how == nil {
		r.RequestOptions = nil // it cannot be resumed, and ends with its call
	}
	st, err := c.rpc.ExecutePlan(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(400 * time.Millisecond) // tasks run
	begin := time.Now()
	if how == nil {
		cancel()
	} else {
		i := &connectpb.InterruptRequest{SessionId: c.id, UserContext: c.context()}
		how(c, i)
		if a, err := c.rpc.Interrupt(ctx, i); err != nil || len(a.GetInterruptedIds()) != 1 {
			t.Errorf("%s: interrupted %v %v", name, a.GetInterruptedIds(), err)
		}
	}
	for err == nil {
		_, err = st.Recv()
	}
	if got := condition(err); how != nil && got != "OPERATION_CANCELED" {
		t.Errorf("%s: the query ended with %s (%v)", name, got, err)
	}
	rows, err := s.connect(t).query(timeout(t, 20*time.Second), "select count(*) from range(0, 1000, 1, 4)")
	if took := time.Since(begin); err != nil || strings.Join(rows, "") != "1000" || took > 2*time.Second {
		t.Errorf("%s: the next query: %v %v after %v", name, rows, err, took)
	}
}

// TestFewFiles: a server that may open few files refuses what it cannot serve, and goes on when clients have gone.
func TestFewFiles(t *testing.T) {
	t.Parallel() // it mostly waits
	s := serve(t, launch{args: []string{"--master", "local[2]"}, wrap: []string{"sh", "-c", `ulimit -n 48; exec "$0" "$@"`}})
	var many []*client
	refused := 0
	for range 80 {
		c := s.connect(t)
		many = append(many, c)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := c.query(ctx, "select count(*) from range(0, 100, 1, 4) group by id % 3")
		cancel()
		if err != nil {
			refused++
			if status.Code(err) == codes.OK {
				t.Error(err)
			}
		}
		if refused == 3 {
			break
		}
	}
	if refused == 0 {
		t.Error("nothing was refused: the case shows nothing")
	}
	for _, c := range many {
		_ = c.conn.Close()
	}
	s.alive(t)
}

// TestManyTasks is M08: a stage of 100,000 tasks.
func TestManyTasks(t *testing.T) {
	deep(t)
	for _, master := range []string{"local[2]", "local-cluster[2,1,512]"} {
		t.Run(master, func(t *testing.T) {
			s := serve(t, launch{args: []string{"--master", master, "--driver-memory", "1g"}})
			c := s.connect(t)
			s.alive(t)
			begin := time.Now()
			rows, err := c.query(timeout(t, 5*time.Minute), "select sum(id), count(*) from range(0, 100000, 1, 100000)")
			took := time.Since(begin)
			if got := strings.Join(rows, ""); err != nil || got != "4999950000\t100000" {
				t.Errorf("got %s %v", got, err)
			}
			_, peak := s.memory()
			t.Logf("%.0f tasks a second, %d MB", 100000/took.Seconds(), peak>>20)
			if peak > 700<<20 {
				t.Errorf("the server took %d MB", peak>>20)
			}
			s.alive(t)
		})
	}
}

// TestSkew is M10: a join where one key has 70 % of the rows is answered, in a time like that of one where it has not.
func TestSkew(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "1g"}, conf: []string{"spark.sql.autoBroadcastJoinThreshold=-1"}})
	c := s.connect(t)
	ctx := timeout(t, 2*time.Minute)
	const text = "select count(*), sum(a.v), sum(b.w) from (select case when %s then 1 else id end as k, id as v from range(0, 3000000, 1, 8)) a " +
		"join (select id as k, id * 2 as w from range(0, 3000000, 1, 8)) b on a.k = b.k"
	times := map[string]time.Duration{}
	for cond, want := range map[string]string{"id % 10 < 7": "3000000\t4499998500000\t2700009600000", "id < 0": "3000000\t4499998500000\t8999997000000"} {
		begin := time.Now()
		rows, err := c.query(ctx, fmt.Sprintf(text, cond))
		times[cond] = time.Since(begin)
		if got := strings.Join(rows, ""); err != nil || got != want {
			t.Errorf("%s: got %s %v, want %s", cond, got, err, want)
		}
	}
	t.Logf("%v", times)
	if times["id % 10 < 7"] > 4*times["id < 0"]+2*time.Second {
		t.Errorf("the skewed join took %v", times)
	}
}
