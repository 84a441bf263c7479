package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeEngine knows ranges, limits of them, and a few relations by name:
// wait runs until it is cancelled, fail fails, panic panics, wide yields one row of 300 kB, cmd is a command.
type fakeEngine struct {
	mu       sync.Mutex
	sessions []*fakeSession
}

func (e *fakeEngine) NewSession(user, id string) (Session, error) {
	s := &fakeSession{conf: conf.New(map[string]string{"spark.app.name": "test"}), started: make(chan string, 100)}
	e.mu.Lock()
	e.sessions = append(e.sessions, s)
	e.mu.Unlock()
	return s, nil
}

type fakeSession struct {
	conf    *conf.Conf
	started chan string // names of queries that run
	mu      sync.Mutex
	runs    []string
	files   []string
	closed  bool
}

func (s *fakeSession) Conf() *conf.Conf { return s.conf }
func (s *fakeSession) Close() error     { s.closed = true; return nil }
func (s *fakeSession) Clone(string) (Session, error) {
	return &fakeSession{conf: s.conf.Clone(), started: make(chan string, 100)}, nil
}
func (s *fakeSession) AddFile(kind, name, path string) error {
	s.files = append(s.files, kind+" "+name)
	return nil
}

func (s *fakeSession) Query(text string, _ map[string]expr.Expr, _ []expr.Expr) (logical.Plan, error) {
	if n, ok := strings.CutPrefix(text, "range "); ok {
		end, err := strconv.ParseInt(n, 10, 64)
		return &logical.Range{End: end, Step: 1}, err
	}
	if text == "cmd" {
		return &logical.SetConf{Key: "k"}, nil
	}
	return &logical.UnresolvedRelation{Name: []string{text}}, nil
}
func (s *fakeSession) Expr(text string) (expr.Expr, error) {
	return &expr.Attribute{Name: []string{text}}, nil
}
func (s *fakeSession) Type(text string) (types.Type, error) {
	switch text {
	case "int":
		return types.Int, nil
	case "struct<a: int>":
		return types.Struct(types.Field{Name: "a", Type: types.Int, Nullable: true}), nil
	}
	return types.Null, errors.New("no type")
}
func (s *fakeSession) Schema(text string) (*types.Schema, error) {
	if text == "a int" {
		return types.NewSchema(types.Field{Name: "a", Type: types.Int, Nullable: true}), nil
	}
	return nil, sparkerr.New("PARSE_SYNTAX_ERROR", "error", text, "hint", "")
}
func (s *fakeSession) Identifier(text string) ([]string, error) { return strings.Split(text, "."), nil }

func (s *fakeSession) Analyze(_ context.Context, p logical.Plan) (Query, error) {
	switch x := p.(type) {
	case *logical.PlanID:
		return s.Analyze(nil, x.Child)
	case *logical.Limit:
		q, err := s.Analyze(nil, x.Child)
		if r, ok := q.(*fakeQuery); ok {
			r.n = min(r.n, int64(x.N.(*expr.Literal).Value.(int32)))
		}
		return q, err
	case *logical.Range:
		return &fakeQuery{s: s, name: "range", n: x.End, schema: types.NewSchema(types.Field{Name: "id", Type: types.Long})}, nil
	case *logical.SetConf:
		return &fakeQuery{s: s, name: "cmd", n: 2, schema: types.NewSchema(types.Field{Name: "key", Type: types.Long})}, nil
	case *logical.UnresolvedRelation:
		if x.Name[0] == "nosuch" {
			return nil, sparkerr.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", "`nosuch`").At(&sparkerr.QueryContext{
				Text: "nosuch", Fragment: "nosuch", Stop: 5, Line: 1})
		}
		return &fakeQuery{s: s, name: x.Name[0], n: 1, schema: types.NewSchema(types.Field{Name: "t", Type: types.String})}, nil
	}
	return nil, sparkerr.Unsupported("a plan in tests")
}

type fakeQuery struct {
	s      *fakeSession
	name   string
	n      int64
	schema *types.Schema
}

func (q *fakeQuery) Schema() *types.Schema            { return q.schema }
func (q *fakeQuery) Explain(m string) (string, error) { return "plan in mode " + m, nil }

func (q *fakeQuery) Checkpoint(_ context.Context, local, _ bool, level string) (logical.Plan, func() error, error) {
	note := func(what string) {
		q.s.mu.Lock()
		defer q.s.mu.Unlock()
		q.s.runs = append(q.s.runs, what)
	}
	note(fmt.Sprint("checkpoint ", q.name, local, level))
	return &logical.Range{End: q.n, Step: 1}, func() error { note("forget " + q.name); return nil }, nil
}

func (q *fakeQuery) Run(ctx context.Context, sink Sink) error {
	q.s.mu.Lock()
	q.s.runs = append(q.s.runs, q.name)
	q.s.mu.Unlock()
	q.s.started <- q.name
	switch q.name {
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "fail":
		return sparkerr.New("DIVIDE_BY_ZERO", "config", "x")
	case "panic":
		panic("broken")
	case "wide":
		b := columnar.NewBuilder(types.String, 1)
		b.Append(strings.Repeat("x", 300_000))
		return sink.Batch(&columnar.Batch{Schema: q.schema, N: 1, Cols: []columnar.Vector{b.Finish()}})
	}
	const size = 100
	for from := int64(0); from < q.n; from += size {
		ids := make([]int64, min(size, q.n-from))
		for i := range ids {
			ids[i] = from + int64(i)
		}
		if err := sink.Batch(&columnar.Batch{Schema: q.schema, N: len(ids), Cols: []columnar.Vector{columnar.NewFlat(types.Long, ids)}}); err != nil {
			return err
		}
	}
	sink.Progress([]Stage{{ID: 1, Tasks: 1, Completed: 1, Done: true}}, 0)
	return nil
}

// client is a connection to a server with a fake engine, in one process.
type client struct {
	connectpb.SparkConnectServiceClient
	t      testing.TB
	conn   *grpc.ClientConn
	srv    *Server
	engine *fakeEngine
	id     string
}

func newClient(t testing.TB, o Options, dial ...grpc.DialOption) *client {
	t.Helper()
	c := &client{t: t, engine: &fakeEngine{}, id: uuid.NewString()}
	c.srv = New(c.engine, o)
	l := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- c.srv.Serve(l) }()
	dial = append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(128<<20)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:///test", dial...)
	if err != nil {
		t.Fatal(err)
	}
	c.conn = conn
	c.SparkConnectServiceClient = connectpb.NewSparkConnectServiceClient(conn)
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), c.srv.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *client) user() *connectpb.UserContext { return &connectpb.UserContext{UserId: "u"} }

// session is the fake behind the client's session.
func (c *client) session() *fakeSession {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return c.engine.sessions[0]
}

func sqlPlan(text string) *connectpb.Plan {
	return &connectpb.Plan{OpType: &connectpb.Plan_Root{Root: sqlRelation(text)}}
}

func sqlRelation(text string) *connectpb.Relation {
	return &connectpb.Relation{RelType: &connectpb.Relation_Sql{Sql: &connectpb.SQL{Query: text}}}
}

func (c *client) request(p *connectpb.Plan, reattachable bool) *connectpb.ExecutePlanRequest {
	op := uuid.NewString()
	r := &connectpb.ExecutePlanRequest{SessionId: c.id, UserContext: c.user(), Plan: p, OperationId: &op}
	if reattachable {
		r.RequestOptions = append(r.RequestOptions, &connectpb.ExecutePlanRequest_RequestOption{
			RequestOption: &connectpb.ExecutePlanRequest_RequestOption_ReattachOptions{ReattachOptions: &connectpb.ReattachOptions{Reattachable: true}}})
	}
	return r
}

// execute runs a plan to its end.
func (c *client) execute(r *connectpb.ExecutePlanRequest) ([]*connectpb.ExecutePlanResponse, error) {
	stream, err := c.ExecutePlan(c.t.Context(), r)
	if err != nil {
		return nil, err
	}
	return readAll(stream)
}

func readAll(stream grpc.ServerStreamingClient[connectpb.ExecutePlanResponse]) ([]*connectpb.ExecutePlanResponse, error) {
	var out []*connectpb.ExecutePlanResponse
	for {
		m, err := stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return out, err
		}
		out = append(out, m)
	}
}
