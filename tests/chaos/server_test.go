package chaos

import (
	"context"

	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/connect/connecttest"
)

// first is the first answer of a request, or its error.
func (c *client) first(ctx context.Context, r *connectpb.ExecutePlanRequest) error {
	st, err := c.rpc.ExecutePlan(ctx, r)
	if err != nil {
		return err
	}
	_, err = st.Recv()
	return err
}

func compressed(data []byte) *connectpb.Plan {
	return &connectpb.Plan{OpType: &connectpb.Plan_CompressedOperation_{CompressedOperation: &connectpb.Plan_CompressedOperation{
		Data: data, OpType: connectpb.Plan_CompressedOperation_OP_TYPE_RELATION, CompressionCodec: connectpb.CompressionCodec_COMPRESSION_CODEC_ZSTD}}}
}

// TestHostilePlans is C01 and C03: bytes that are no plan, plans that make no sense, and one that unpacks to gigabytes.
func TestHostilePlans(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "512m"}})
	c := s.connect(t)
	ctx := timeout(t, time.Minute)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	bomb := enc.EncodeAll(make([]byte, 1<<30), nil)
	for name, p := range map[string]*connectpb.Plan{
		"no zstd":        compressed([]byte("these bytes are not compressed")),
		"no message":     compressed(enc.EncodeAll([]byte("\xff\xff\xff\xff these bytes are no message"), nil)),
		"a bomb":         compressed(bomb),
		"nothing":        {},
		"an empty query": {OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{}}},
	} {
		if err := c.first(ctx, c.request(p, "")); err == nil || status.Code(err) == codes.Unavailable {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	// One that is nested without end may be answered or refused.
	if err := c.first(ctx, c.request(&connectpb.Plan{OpType: &connectpb.Plan_Root{Root: deepFilter(3000)}}, "")); status.Code(err) == codes.Unavailable {
		t.Error(err)
	}
	if _, peak := s.memory(); peak > 640<<20 {
		t.Errorf("the server took %d MB", peak>>20)
	}
	s.alive(t)
}

// deepFilter is a relation that is nested without end.
func deepFilter(n int) *connectpb.Relation {
	r := &connectpb.Relation{RelType: &connectpb.Relation_Range{Range: &connectpb.Range{End: 3, Step: 1}}}
	for range n {
		r = &connectpb.Relation{RelType: &connectpb.Relation_SubqueryAlias{SubqueryAlias: &connectpb.SubqueryAlias{Input: r, Alias: "a"}}}
	}
	return r
}

// TestMutatedPlans is C01: plans that real clients sent, with bytes changed by chance, never bring the server down, and are answered
// or refused by an error that has a name.
func TestMutatedPlans(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "512m"}})
	c := s.connect(t)
	for _, text := range []string{"create temporary view a as select id, id % 5 as k, cast(id as string) as s from range(50)",
		"create temporary view b as select * from values (1, 'x', 1.5d), (2, null, -0.0d), (3, 'z', null) as t(k, name, v)"} {
		if _, err := c.query(timeout(t, 20*time.Second), text); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := connecttest.Requests()
	if err != nil {
		t.Fatal(err)
	}
	var seeds [][]byte
	for _, r := range recorded {
		if p := connecttest.Plan(r.Method, r.Request); connecttest.Harmless(p) {
			b, err := proto.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			seeds = append(seeds, b)
		}
	}
	if len(seeds) < 300 {
		t.Fatalf("only %d plans were recorded", len(seeds))
	}
	r := rand.New(rand.NewPCG(1, 2))
	n, answered, refused := 0, 0, map[string]bool{}
	for begun := time.Now(); n < 3000 && time.Since(begun) < time.Minute; {
		b := append([]byte{}, seeds[r.IntN(len(seeds))]...)
		for range 1 + r.IntN(4) {
			b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
		}
		var p connectpb.Plan
		if proto.Unmarshal(b, &p) != nil || !connecttest.Harmless(&p) {
			continue
		}
		n++
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := c.run(ctx, &p)
		cancel()
		switch code, name := status.Code(err), condition(err); {
		case err == nil:
			answered++
		case code == codes.Unavailable || strings.HasPrefix(name, "INTERNAL_ERROR") || strings.Contains(err.Error(), "runtime error"):
			t.Fatalf("plan %d (%x): %v", n, b, err)
		default: // one that computes for ever is given up
			refused[name] = true
		}
	}
	t.Logf("%d plans of %d: %d were answered, others refused with %d conditions", n, len(seeds), answered, len(refused))
	if _, peak := s.memory(); peak > 1<<30 {
		t.Errorf("%d MB resident", peak>>20)
	}
	s.alive(t)
}

// TestUsersAreApart is C07: the same session id of two users is two sessions.
func TestUsersAreApart(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	a := s.connect(t)
	b := *a
	b.user = "somebody else"
	ctx := timeout(t, 30*time.Second)
	if _, err := a.query(ctx, "create temporary view v as select 1 as a"); err != nil {
		t.Fatal(err)
	}
	if rows, err := b.query(ctx, "select * from v"); condition(err) != "TABLE_OR_VIEW_NOT_FOUND" {
		t.Errorf("the other user sees the view: %v %v", rows, err)
	}
	if _, err := b.rpc.ReleaseSession(ctx, &connectpb.ReleaseSessionRequest{SessionId: b.id, UserContext: b.context()}); err != nil {
		t.Error(err)
	}
	if rows, err := a.query(ctx, "select * from v"); err != nil || len(rows) != 1 {
		t.Errorf("the first user lost the view: %v %v", rows, err)
	}
}

// TestTokens is X01 and X02.
func TestTokens(t *testing.T) {
	const token = "marker-of-the-token-7f3a"
	open := start(t, launch{args: []string{"connect", "--host", "0.0.0.0", "--port", "0"}})
	if code := open.wait(20 * time.Second); code == 0 || !strings.Contains(open.err.String(), "spark.connect.authenticate.token") {
		t.Errorf("a server for everybody started: %d %s", code, open.err.String())
	}
	s := serve(t, launch{env: []string{"SPARK_CONNECT_AUTHENTICATE_TOKEN=" + token}})
	c := s.connect(t)
	for name, value := range map[string]string{"none": "", "another": "Bearer wrong", "empty": "Bearer ", "long": "Bearer " + strings.Repeat("x", 1<<20), "the start": "Bearer " + token[:10]} {
		ctx := timeout(t, 20*time.Second)
		if value != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
		}
		if _, err := c.query(ctx, "select 1"); err == nil || name != "long" && status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx := metadata.AppendToOutgoingContext(timeout(t, 20*time.Second), "authorization", "Bearer "+token)
	if rows, err := c.query(ctx, "select 1"); err != nil || len(rows) != 1 {
		t.Errorf("the right token: %v %v", rows, err)
	}
	if rows, err := c.query(ctx, "set"); err != nil || strings.Contains(strings.Join(rows, "\n"), token) {
		t.Errorf("SET shows the token, or fails: %v", err)
	}
	if strings.Contains(s.err.String()+s.out.String(), token) {
		t.Error("the log has the token")
	}
}

// TestSlowClient is N09: a client that reads slowly costs the server a window, not its memory.
func TestSlowClient(t *testing.T) {
	t.Parallel() // it mostly waits
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "512m"}})
	c := s.connect(t)
	st, err := c.rpc.ExecutePlan(timeout(t, time.Minute), c.request(sqlPlan("select id, repeat('x', 200) as s from range(5000000)"), ""))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 { // of a gigabyte
		if _, err := st.Recv(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if now, _ := s.memory(); now > 640<<20 {
		t.Errorf("the server holds %d MB", now>>20)
	}
	s.alive(t) // while the other still reads
}

// TestVanishedClient is N10: the query of a client that went away without a word ends, and its slots are free.
func TestVanishedClient(t *testing.T) {
	t.Parallel() // it mostly waits
	s := serve(t, launch{args: []string{"--master", "local[2]"}, conf: []string{"spark.connect.execute.manager.detachedTimeout=2s",
		"spark.connect.session.manager.maintenanceInterval=500ms"}})
	c := s.connect(t)
	id := uuid.NewString()
	st, err := c.rpc.ExecutePlan(t.Context(), c.request(sqlPlan("select count(*) from range(10000000) a join range(10000000) b on a.id % 7 <> b.id % 11"), id))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Recv(); err != nil { // it runs
		t.Fatal(err)
	}
	_ = c.conn.Close()
	c2 := s.connect(t)
	c2.id, c2.user = c.id, c.user
	state := func() string {
		r, err := c2.rpc.GetStatus(timeout(t, 5*time.Second), &connectpb.GetStatusRequest{SessionId: c.id, UserContext: c.context(),
			OperationStatus: &connectpb.GetStatusRequest_OperationStatusRequest{OperationIds: []string{id}}})
		if err != nil || len(r.GetOperationStatuses()) != 1 {
			return fmt.Sprint(err)
		}
		return r.GetOperationStatuses()[0].GetState().String()
	}
	eventually(t, 20*time.Second, "the operation is cancelled", func() bool { return strings.HasSuffix(state(), "CANCELLED") })
	s.alive(t)
}

// TestTwoReaders is N12: of two clients that read one operation the older is told that it was replaced.
func TestTwoReaders(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	c := s.connect(t)
	ctx := timeout(t, 30*time.Second)
	id := uuid.NewString()
	old, err := c.rpc.ExecutePlan(ctx, c.request(sqlPlan("select count(*) from range(100000000) a join range(1000000) b on a.id % 7 <> b.id % 11"), id))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Recv(); err != nil {
		t.Fatal(err)
	}
	young, err := c.rpc.ReattachExecute(ctx, &connectpb.ReattachExecuteRequest{SessionId: c.id, UserContext: c.context(), OperationId: id})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = young.Recv() }() // it waits for the result until the test ends
	for err == nil {
		_, err = old.Recv()
	}
	if got := condition(err); got != "INVALID_CURSOR.DISCONNECTED" {
		t.Errorf("the older got %s (%v)", got, err)
	}
	if _, err := c.rpc.Interrupt(ctx, &connectpb.InterruptRequest{SessionId: c.id, UserContext: c.context(), InterruptType: connectpb.InterruptRequest_INTERRUPT_TYPE_ALL}); err != nil {
		t.Error(err)
	}
}

// TestKilledServer is K15: the client of a killed server gets an error at once, and a new server has the place.
func TestKilledServer(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	c := s.connect(t)
	st, err := c.rpc.ExecutePlan(timeout(t, 20*time.Second), c.request(sqlPlan("select id, repeat('x', 200) from range(5000000)"), uuid.NewString()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Recv(); err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGKILL)
	<-s.ended
	for err == nil {
		_, err = st.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("the client got %v", err)
	}
	_, port, _ := net.SplitHostPort(s.addr)
	again := start(t, launch{args: []string{"connect", "--port", port, "--master", "local[2]"}, dir: s.dir, local: s.local})
	again.see(`sc://([0-9.:]+)`, 20*time.Second)
	if _, err := c.rpc.ReattachExecute(timeout(t, 20*time.Second), &connectpb.ReattachExecuteRequest{SessionId: c.id, UserContext: c.context(), OperationId: uuid.NewString()}); err == nil {
		r, err := c.rpc.ReattachExecute(timeout(t, 20*time.Second), &connectpb.ReattachExecuteRequest{SessionId: c.id, UserContext: c.context(), OperationId: uuid.NewString()})
		if err == nil {
			_, err = r.Recv()
		}
		if got := condition(err); !strings.HasPrefix(got, "INVALID_HANDLE.") {
			t.Errorf("the old session's operation: %v", err)
		}
	}
	(&server{again, s.addr}).alive(t)
}

// TestHostileBytes is X11: connections that say nothing, or nonsense, do not keep others out.
func TestHostileBytes(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 300 {
		conn, err := net.DialTimeout("tcp", s.addr, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		junk := make([]byte, 64)
		for j := range junk {
			junk[j] = byte(r.Uint32())
		}
		if i%3 != 0 { // the others stay silent
			_, _ = conn.Write(junk) // it may be closed already
		}
	}
	s.alive(t)
}
