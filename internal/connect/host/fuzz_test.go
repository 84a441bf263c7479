package host

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/firesteel/firesteel/internal/connect"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/connect/connecttest"
	"github.com/firesteel/firesteel/internal/session"
)

// serve starts an application with a server in this process.
func serve(t testing.TB) connectpb.SparkConnectServiceClient {
	t.Helper()
	dir := t.TempDir()
	a, err := session.Start(context.Background(), session.Options{Master: "local[2]", Conf: map[string]string{"spark.local.dir": dir, "spark.driver.memory": "512m",
		"spark.sql.warehouse.dir": dir + "/warehouse", "spark.sql.catalogImplementation": "in-memory"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := connect.New(Engine{App: a}, connect.Options{Version: session.SparkVersion})
	l := bufconn.Listen(1 << 20)
	go func() { _ = srv.Serve(l) }() // it ends with Close
	conn, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256<<20)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), srv.Close(), a.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return connectpb.NewSparkConnectServiceClient(conn)
}

// setup makes what the recorded plans read.
var setup = []string{"create temporary view a as select id, id % 5 as k, cast(id as string) as s from range(50)",
	"create temporary view b as select * from values (1, 'x', 1.5d), (2, null, -0.0d), (3, 'z', null) as t(k, name, v)"}

// run executes a plan in a session and reads all that comes, for some seconds at most.
func run(ctx context.Context, c connectpb.SparkConnectServiceClient, session string, p *connectpb.Plan) error {
	st, err := c.ExecutePlan(ctx, &connectpb.ExecutePlanRequest{SessionId: session, UserContext: &connectpb.UserContext{UserId: "fuzz"}, Plan: p})
	for err == nil {
		_, err = st.Recv()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// server is an engine with what recorded plans read, as a client sees it.
type server struct {
	connectpb.SparkConnectServiceClient
	goroutines int
}

func newServer(t testing.TB) *server {
	c := serve(t)
	return &server{c, runtime.NumGoroutine()}
}

func user() *connectpb.UserContext { return &connectpb.UserContext{UserId: "fuzz"} }

// session begins one.
func (s *server) session(t testing.TB) (id string) {
	t.Helper()
	id = uuid.NewString()
	for _, text := range setup {
		if err := run(t.Context(), s, id, &connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{RelType: &connectpb.Relation_Sql{Sql: &connectpb.SQL{Query: text}}}}}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// release ends a session, with all that still runs there.
func (s *server) release(t testing.TB, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := s.ReleaseSession(ctx, &connectpb.ReleaseSessionRequest{SessionId: id, UserContext: user()}); err != nil {
		t.Fatalf("a session does not end: %v", err)
	}
	if n := runtime.NumGoroutine(); n > s.goroutines+200 {
		t.Errorf("%d goroutines, %d at first", n, s.goroutines)
	}
}

// patience is how long a client waits for a plan that chance has made.
const patience = 3 * time.Second

// try has a plan executed or explained, until the client gives up.
func (s *server) try(t testing.TB, id string, p *connectpb.Plan, explain bool) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !explain {
		return run(ctx, s, id, p)
	}
	_, err := s.AnalyzePlan(ctx, &connectpb.AnalyzePlanRequest{SessionId: id, UserContext: user(), Analyze: &connectpb.AnalyzePlanRequest_Explain_{
		Explain: &connectpb.AnalyzePlanRequest_Explain{Plan: p, ExplainMode: connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED}}})
	return err
}

var fault = regexp.MustCompile(`runtime error|INTERNAL_ERROR|reflect:|interface conversion`)

// faulty says whether an error is the server's own.
func faulty(err error) bool {
	return err != nil && (status.Code(err) == codes.Unavailable || fault.MatchString(err.Error()))
}

// harmless are the recorded messages whose plans may run.
func harmless(t testing.TB) (messages []connecttest.Request, plans []*connectpb.Plan) {
	t.Helper()
	all, err := connecttest.Requests()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if p := connecttest.Plan(r.Method, r.Request); connecttest.Harmless(p) {
			messages, plans = append(messages, r), append(plans, p)
		}
	}
	return messages, plans
}

// TestChangedPlans is C01: plans made of parts of those that real clients sent, with odd values. Each ends soon, at the latest when
// its client gives up, with rows or an error that has a name; nothing of a session is left.
func TestChangedPlans(t *testing.T) {
	seed, lasts := uint64(1), 10*time.Second
	if os.Getenv("FIRESTEEL_DEEP") != "" {
		seed, lasts = uint64(time.Now().UnixNano()), 10*time.Minute
	}
	_, plans := harmless(t)
	m := connecttest.NewMutator(seed, plans)
	s := newServer(t)
	answered, refused, waited, n := 0, map[string]int{}, 0, 0
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		id := s.session(t)
		for range 50 {
			p := m.Plan()
			if !connecttest.Harmless(p) {
				continue
			}
			n++
			err := s.try(t, id, p, n%4 == 0)
			switch {
			case faulty(err):
				t.Errorf("plan %d of seed %d: %v\n%v", n, seed, err, p)
			case err == nil:
				answered++
			case status.Code(err) == codes.DeadlineExceeded:
				waited++
			default:
				refused[condition(err)]++
			}
		}
		s.release(t, id)
	}
	t.Logf("%d plans of seed %d: %d were answered, %d given up, the others refused with %d conditions: %v", n, seed, answered, waited, len(refused), refused)
	if answered < n/4 || len(refused) < 10 {
		t.Error("the plans show little")
	}
}

// TestGivenUpPlans has the plans of real clients read a range without end: when the client gives up, all that runs for it ends.
func TestGivenUpPlans(t *testing.T) {
	_, plans := harmless(t)
	s := newServer(t)
	every, n := 5, 0
	if os.Getenv("FIRESTEEL_DEEP") != "" {
		every = 1
	}
	id := s.session(t)
	for i, p := range plans {
		if i%every != 0 || !connecttest.Endless(p) {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err := run(ctx, s, id, p)
		cancel()
		if status.Code(err) != codes.DeadlineExceeded {
			continue
		}
		n++
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		if err := run(ctx, s, id, count); err != nil {
			t.Fatalf("after a plan that was given up: %v\n%v", err, p)
		}
		cancel()
	}
	s.release(t, id)
	t.Logf("%d were given up", n)
	if n < 20 {
		t.Error("few run for long")
	}
}

// count is a query that needs all slots for a moment.
var count = &connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{RelType: &connectpb.Relation_Sql{Sql: &connectpb.SQL{
	Query: "select count(*) from range(0, 100, 1, 2)"}}}}}

// condition is the name that an error begins with.
func condition(err error) string {
	text := status.Convert(err).Message()
	if name, _, ok := strings.Cut(strings.TrimPrefix(text, "["), "]"); ok && text[0] == '[' {
		return name
	}
	return "other"
}

// FuzzPlans is TestChangedPlans with messages whose bytes are changed.
func FuzzPlans(f *testing.F) {
	messages, _ := harmless(f)
	for i, r := range messages {
		if i%7 == 0 || os.Getenv("FIRESTEEL_DEEP") != "" {
			f.Add(r.Method, r.Request)
		}
	}
	s := newServer(f)
	f.Fuzz(func(t *testing.T, method string, data []byte) {
		p := connecttest.Plan(method, data)
		if !connecttest.Harmless(p) {
			return
		}
		id := s.session(t)
		defer s.release(t, id)
		if err := s.try(t, id, p, method == "AnalyzePlan"); faulty(err) {
			t.Errorf("%v\n%v", err, p)
		}
	})
}
