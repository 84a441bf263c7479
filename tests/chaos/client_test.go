package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/firesteel/firesteel/internal/arrowipc"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// server is a running `firesteel connect`.
type server struct {
	*process
	addr string
}

// serve starts a Connect server on a free port.
func serve(t *testing.T, l launch) *server {
	t.Helper()
	l.args = append([]string{"connect", "--port", "0"}, l.args...)
	p := start(t, l)
	return &server{p, p.see(`sc://([0-9.:]+)`, 20*time.Second)}
}

// client is a session of a Connect server.
type client struct {
	t    *testing.T
	conn *grpc.ClientConn
	rpc  connectpb.SparkConnectServiceClient
	id   string
	user string

	operation string // that runs
}

func (s *server) connect(t *testing.T, opts ...grpc.DialOption) *client {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1 << 30))}, opts...)
	conn, err := grpc.NewClient(s.addr, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn, rpc: connectpb.NewSparkConnectServiceClient(conn), id: uuid.NewString(), user: "tester"}
}

// again is another session on the same connection.
func (c *client) again() *client {
	n := *c
	n.id = uuid.NewString()
	return &n
}

func (c *client) context() *connectpb.UserContext { return &connectpb.UserContext{UserId: c.user} }

func sqlPlan(text string) *connectpb.Plan {
	return &connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{RelType: &connectpb.Relation_Sql{Sql: &connectpb.SQL{Query: text}}}}}
}

// request makes the request that runs a plan; operation "" is one that cannot be resumed.
func (c *client) request(p *connectpb.Plan, operation string) *connectpb.ExecutePlanRequest {
	r := &connectpb.ExecutePlanRequest{SessionId: c.id, UserContext: c.context(), Plan: p}
	if operation != "" {
		r.OperationId = &operation
		r.RequestOptions = []*connectpb.ExecutePlanRequest_RequestOption{{RequestOption: &connectpb.ExecutePlanRequest_RequestOption_ReattachOptions{
			ReattachOptions: &connectpb.ReattachOptions{Reattachable: true}}}}
	}
	return r
}

// query runs SQL and gives its rows, values printed with tabs between.
func (c *client) query(ctx context.Context, text string) ([]string, error) {
	return c.run(ctx, sqlPlan(text))
}

func (c *client) run(ctx context.Context, p *connectpb.Plan) ([]string, error) {
	st, err := c.rpc.ExecutePlan(ctx, c.request(p, ""))
	if err != nil {
		return nil, err
	}
	var rows []string
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		more, err := decode(m.GetArrowBatch())
		if err != nil {
			return rows, err
		}
		rows = append(rows, more...)
	}
}

func decode(b *connectpb.ExecutePlanResponse_ArrowBatch) ([]string, error) {
	if b == nil {
		return nil, nil
	}
	_, batches, err := arrowipc.Decode(b.GetData())
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, x := range batches {
		for i := range x.N {
			var cells []string
			for c := range x.Cols {
				cells = append(cells, fmt.Sprint(x.Cols[c].ValueAt(i)))
			}
			rows = append(rows, strings.Join(cells, "\t"))
		}
	}
	return rows, nil
}

// condition is the error class that a status carries.
func condition(err error) string {
	for _, d := range status.Convert(err).Details() {
		if i, ok := d.(*errdetails.ErrorInfo); ok {
			return i.GetMetadata()["errorClass"]
		}
	}
	return fmt.Sprint(err)
}

// alive demands that the server answers a query in a new session.
func (s *server) alive(t *testing.T) {
	t.Helper()
	rows, err := s.connect(t).query(timeout(t, 20*time.Second), "select sum(id) from range(1000)")
	if err != nil || strings.Join(rows, "") != "499500" {
		t.Errorf("the server does not answer: %v %v\n%s", rows, err, tail(s.err.String(), 2000))
	}
	if m := regexp.MustCompile(`(?m)^(panic|fatal error|SIG[A-Z]+):.*`).FindString(s.err.String()); m != "" {
		t.Errorf("the server fell over: %s", m)
	}
}
