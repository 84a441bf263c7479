package connect

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/arrowipc"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// kinds names the responses of a stream in order.
func kinds(ms []*connectpb.ExecutePlanResponse) string {
	var out []string
	for _, m := range ms {
		switch {
		case m.GetSchema() != nil:
			out = append(out, "schema")
		case m.GetArrowBatch() != nil:
			out = append(out, fmt.Sprint("batch", m.GetArrowBatch().GetRowCount()))
		case m.GetResultComplete() != nil:
			out = append(out, "complete")
		case m.GetSqlCommandResult() != nil:
			out = append(out, "sql")
		default:
			out = append(out, fmt.Sprintf("%T", m.GetResponseType()))
		}
	}
	return strings.Join(out, " ")
}

// numbers are the values of the first column.
func numbers(t *testing.T, ms []*connectpb.ExecutePlanResponse) []any {
	t.Helper()
	var out []any
	var data []byte
	for _, m := range ms {
		b := m.GetArrowBatch()
		if b == nil {
			continue
		}
		if int(b.GetStartOffset()) != len(out) {
			t.Errorf("batch starts at %d after %d rows", b.GetStartOffset(), len(out))
		}
		data = append(data, b.GetData()...)
		if b.GetChunkIndex()+1 < b.GetNumChunksInBatch() {
			continue
		}
		_, batches, err := arrowipc.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		data = nil
		for _, x := range batches {
			if int64(x.N) != b.GetRowCount() {
				t.Errorf("%d rows, announced %d", x.N, b.GetRowCount())
			}
			for i := range x.N {
				out = append(out, x.Cols[0].ValueAt(i))
			}
		}
	}
	return out
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

func expect(t *testing.T, err error, want string) {
	t.Helper()
	if condition(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestQuery(t *testing.T) {
	c := newClient(t, Options{})
	for _, test := range []struct {
		text         string
		reattachable bool
		kinds        string
		rows         int
	}{
		{"range 250", true, "schema batch250 complete", 250},
		{"range 20000", true, "schema batch20000 complete", 20000},
		{"range 50000", true, "schema batch32800 batch17200 complete", 50000},
		{"range 3", false, "schema batch3", 3},
		{"range 0", true, "schema batch0 complete", 0},
		{"cmd", true, "schema batch2 complete", 2},
	} {
		r := c.request(sqlPlan(test.text), test.reattachable)
		ms, err := c.execute(r)
		if err != nil {
			t.Fatal(err)
		}
		if kinds(ms) != test.kinds || len(numbers(t, ms)) != test.rows {
			t.Errorf("%s: %s", test.text, kinds(ms))
		}
		for _, m := range ms {
			if m.GetSessionId() != c.id || m.GetOperationId() != r.GetOperationId() || m.GetResponseId() == "" || m.GetServerSideSessionId() == "" {
				t.Errorf("ids of %v", m)
			}
		}
	}
}

func TestShowString(t *testing.T) {
	c := newClient(t, Options{})
	ms, err := c.execute(c.request(&connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{RelType: &connectpb.Relation_ShowString{
		ShowString: &connectpb.ShowString{Input: sqlRelation("range 250"), NumRows: 2, Truncate: 20}}}}}, true))
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, ms)[0]; got != "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\nonly showing top 2 rows" {
		t.Error(got)
	}
}

// TestSQL: a query is not run but answered with its relation; a command is run once and answered with its rows.
func TestSQL(t *testing.T) {
	c := newClient(t, Options{})
	run := func(text string) (*connectpb.Relation, error) {
		ms, err := c.execute(c.request(&connectpb.Plan{OpType: &connectpb.Plan_Command{Command: &connectpb.Command{
			CommandType: &connectpb.Command_SqlCommand{SqlCommand: &connectpb.SqlCommand{Input: sqlRelation(text)}}}}}, true))
		if err != nil {
			return nil, err
		}
		if kinds(ms) != "sql complete" {
			t.Errorf("%s: %s", text, kinds(ms))
		}
		return ms[0].GetSqlCommandResult().GetRelation(), nil
	}
	rel, err := run("range 5")
	if err != nil || !proto.Equal(rel, sqlRelation("range 5")) {
		t.Error(rel, err)
	}
	if rel, err = run("cmd"); err != nil || len(rel.GetLocalRelation().GetData()) == 0 || !strings.Contains(rel.GetLocalRelation().GetSchema(), `"key"`) {
		t.Error(rel, err)
	}
	if got := c.session().runs; !slices.Equal(got, []string{"cmd"}) {
		t.Error("ran", got)
	}
	_, err = run("nosuch")
	expect(t, err, "TABLE_OR_VIEW_NOT_FOUND")
}

// TestReattach breaks the stream after each response in turn; the client sees every response once.
func TestReattach(t *testing.T) {
	c := newClient(t, Options{})
	r := c.request(sqlPlan("range 150000"), true)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := c.ExecutePlan(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	all := []*connectpb.ExecutePlanResponse{m}
	for all[len(all)-1].GetResultComplete() == nil {
		last := all[len(all)-1].GetResponseId()
		ctx, cancel := context.WithCancel(t.Context())
		again, err := c.ReattachExecute(ctx, &connectpb.ReattachExecuteRequest{SessionId: c.id, UserContext: c.user(),
			OperationId: r.GetOperationId(), LastResponseId: &last})
		if err != nil {
			t.Fatal(err)
		}
		m, err := again.Recv()
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
		if _, err := c.ReleaseExecute(t.Context(), &connectpb.ReleaseExecuteRequest{SessionId: c.id, UserContext: c.user(), OperationId: r.GetOperationId(),
			Release: &connectpb.ReleaseExecuteRequest_ReleaseUntil_{ReleaseUntil: &connectpb.ReleaseExecuteRequest_ReleaseUntil{ResponseId: last}}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := numbers(t, all); len(got) != 150000 || got[149999] != int64(149999) || len(all) < 5 {
		t.Errorf("%d rows", len(got))
	}
	if got := c.session().runs; len(got) != 1 {
		t.Error("ran", got)
	}
}

func TestOperationIDs(t *testing.T) {
	c := newClient(t, Options{})
	r := c.request(sqlPlan("range 5"), true)
	first, err := c.execute(r)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.execute(r)
	if err != nil || kinds(second) != kinds(first) || second[1].GetResponseId() != first[1].GetResponseId() {
		t.Error("the same request again:", kinds(second), err)
	}
	other := proto.Clone(r).(*connectpb.ExecutePlanRequest)
	other.Plan = sqlPlan("range 6")
	_, err = c.execute(other)
	expect(t, err, "INVALID_HANDLE.OPERATION_ALREADY_EXISTS")
	release := &connectpb.ReleaseExecuteRequest{SessionId: c.id, UserContext: c.user(), OperationId: r.GetOperationId(),
		Release: &connectpb.ReleaseExecuteRequest_ReleaseAll_{ReleaseAll: &connectpb.ReleaseExecuteRequest_ReleaseAll{}}}
	if out, err := c.ReleaseExecute(t.Context(), release); err != nil || out.GetOperationId() != r.GetOperationId() {
		t.Error(out, err)
	}
	if out, err := c.ReleaseExecute(t.Context(), release); err != nil || out.OperationId != nil {
		t.Error("released twice:", out, err)
	}
	_, err = c.execute(r)
	expect(t, err, "INVALID_HANDLE.OPERATION_ABANDONED")
	bad := "x"
	other.OperationId = &bad
	_, err = c.execute(other)
	expect(t, err, "INVALID_HANDLE.FORMAT")
	stream, err := c.ReattachExecute(t.Context(), &connectpb.ReattachExecuteRequest{SessionId: c.id, UserContext: c.user(), OperationId: uuid.NewString()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	expect(t, err, "INVALID_HANDLE.OPERATION_NOT_FOUND")
	if !strings.Contains(err.Error(), "INVALID_HANDLE.OPERATION_NOT_FOUND") || status.Code(err) != codes.Internal {
		t.Error(err)
	}
}

// TestDisplaced: a second reader takes the stream over.
func TestDisplaced(t *testing.T) {
	c := newClient(t, Options{})
	r := c.request(sqlPlan("wait"), true)
	first, err := c.ExecutePlan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Recv(); err != nil {
		t.Fatal(err)
	}
	second, err := c.ReattachExecute(t.Context(), &connectpb.ReattachExecuteRequest{SessionId: c.id, UserContext: c.user(), OperationId: r.GetOperationId()})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := second.Recv(); err != nil || m.GetSchema() == nil {
		t.Error(m, err)
	}
	_, err = first.Recv()
	expect(t, err, "INVALID_CURSOR.DISCONNECTED")
}

func TestInterrupt(t *testing.T) {
	c := newClient(t, Options{})
	start := func(tags ...string) (string, grpc.ServerStreamingClient[connectpb.ExecutePlanResponse]) {
		r := c.request(sqlPlan("wait"), true)
		r.Tags = tags
		s, err := c.ExecutePlan(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
		<-c.session().started
		return r.GetOperationId(), s
	}
	idA, a := start("x", "y")
	idB, b := start("y")
	idC, d := start()
	interrupt := func(r *connectpb.InterruptRequest) []string {
		r.SessionId, r.UserContext = c.id, c.user()
		out, err := c.Interrupt(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return out.GetInterruptedIds()
	}
	ids := interrupt(&connectpb.InterruptRequest{InterruptType: connectpb.InterruptRequest_INTERRUPT_TYPE_TAG, Interrupt: &connectpb.InterruptRequest_OperationTag{OperationTag: "x"}})
	if !slices.Equal(ids, []string{idA}) {
		t.Error(ids)
	}
	_, err := a.Recv()
	expect(t, err, "OPERATION_CANCELED")
	ids = interrupt(&connectpb.InterruptRequest{InterruptType: connectpb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID, Interrupt: &connectpb.InterruptRequest_OperationId{OperationId: idB}})
	if !slices.Equal(ids, []string{idB}) {
		t.Error(ids)
	}
	_, err = b.Recv()
	expect(t, err, "OPERATION_CANCELED")
	if ids = interrupt(&connectpb.InterruptRequest{InterruptType: connectpb.InterruptRequest_INTERRUPT_TYPE_ALL}); !slices.Equal(ids, []string{idC}) {
		t.Error(ids)
	}
	_, err = d.Recv()
	expect(t, err, "OPERATION_CANCELED")
	st, err := c.GetStatus(t.Context(), &connectpb.GetStatusRequest{SessionId: c.id, UserContext: c.user(),
		OperationStatus: &connectpb.GetStatusRequest_OperationStatusRequest{OperationIds: []string{idA, "other"}}})
	if err != nil || st.GetOperationStatuses()[0].GetState() != connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED ||
		st.GetOperationStatuses()[1].GetState() != connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_UNKNOWN {
		t.Error(st, err)
	}
}

// TestPlainStreamsEndWithTheCall: what cannot be resumed is cancelled when the client goes.
func TestPlainStreamsEndWithTheCall(t *testing.T) {
	c := newClient(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := c.ExecutePlan(ctx, c.request(sqlPlan("wait"), false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err != nil {
		t.Fatal(err)
	}
	ses, err := c.srv.sessions.find(&connectpb.ConfigRequest{SessionId: c.id, UserContext: c.user()}, false)
	if err != nil {
		t.Fatal(err)
	}
	op := ses.running()[0]
	cancel()
	<-op.ended // or the test times out
}

func TestSessions(t *testing.T) {
	c := newClient(t, Options{})
	config := func(id, observed string) (*connectpb.ConfigResponse, error) {
		r := &connectpb.ConfigRequest{SessionId: id, UserContext: c.user(), Operation: &connectpb.ConfigRequest_Operation{
			OpType: &connectpb.ConfigRequest_Operation_GetAll{GetAll: &connectpb.ConfigRequest_GetAll{}}}}
		if observed != "" {
			r.ClientObservedServerSideSessionId = &observed
		}
		return c.Config(t.Context(), r)
	}
	out, err := config(c.id, "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := config(c.id, out.GetServerSideSessionId()); err != nil || again.GetServerSideSessionId() != out.GetServerSideSessionId() {
		t.Error(again, err)
	}
	_, err = config(c.id, uuid.NewString())
	expect(t, err, "INVALID_HANDLE.SESSION_CHANGED")
	_, err = config("not-a-uuid", "")
	expect(t, err, "INVALID_HANDLE.FORMAT")
	s, err := c.ReattachExecute(t.Context(), &connectpb.ReattachExecuteRequest{SessionId: uuid.NewString(), OperationId: uuid.NewString()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Recv()
	expect(t, err, "INVALID_HANDLE.SESSION_NOT_FOUND")

	clone, err := c.CloneSession(t.Context(), &connectpb.CloneSessionRequest{SessionId: c.id, UserContext: c.user()})
	if err != nil {
		t.Fatal(err)
	}
	if cloned, err := config(clone.GetNewSessionId(), ""); err != nil || cloned.GetServerSideSessionId() != clone.GetNewServerSideSessionId() {
		t.Error(cloned, err)
	}
	_, err = c.CloneSession(t.Context(), &connectpb.CloneSessionRequest{SessionId: c.id, UserContext: c.user(), NewSessionId: &clone.NewSessionId})
	expect(t, err, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS")

	if _, err := c.ReleaseSession(t.Context(), &connectpb.ReleaseSessionRequest{SessionId: c.id, UserContext: c.user()}); err != nil {
		t.Fatal(err)
	}
	if !c.session().closed {
		t.Error("the engine's session is open")
	}
	_, err = config(c.id, "")
	expect(t, err, "INVALID_HANDLE.SESSION_CLOSED")
	if _, err = c.ReleaseSession(t.Context(), &connectpb.ReleaseSessionRequest{SessionId: clone.GetNewSessionId(), UserContext: c.user(), AllowReconnect: true}); err != nil {
		t.Fatal(err)
	}
	if _, err = config(clone.GetNewSessionId(), ""); err != nil {
		t.Error("a session that may be reconnected:", err)
	}
}

func TestConfig(t *testing.T) {
	c := newClient(t, Options{})
	do := func(op *connectpb.ConfigRequest_Operation) (string, error) {
		out, err := c.Config(t.Context(), &connectpb.ConfigRequest{SessionId: c.id, UserContext: c.user(), Operation: op})
		if err != nil {
			return "", err
		}
		var parts []string
		for _, p := range out.GetPairs() {
			if p.Value == nil {
				parts = append(parts, p.GetKey())
			} else {
				parts = append(parts, p.GetKey()+"="+p.GetValue())
			}
		}
		return strings.Join(append(parts, strings.Repeat("!", len(out.GetWarnings()))), " "), nil
	}
	set := func(silent bool, kv ...string) *connectpb.ConfigRequest_Operation {
		s := &connectpb.ConfigRequest_Set{Silent: &silent}
		for i := 0; i < len(kv); i += 2 {
			s.Pairs = append(s.Pairs, &connectpb.KeyValue{Key: kv[i], Value: &kv[i+1]})
		}
		return &connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_Set{Set: s}}
	}
	get := func(keys ...string) *connectpb.ConfigRequest_Operation {
		return &connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_Get{Get: &connectpb.ConfigRequest_Get{Keys: keys}}}
	}
	value := "d"
	prefix := "my."
	tests := []struct {
		op              *connectpb.ConfigRequest_Operation
		want, condition string
	}{
		{set(false, "my.key", "v", "spark.sql.shuffle.partitions", "7"), "", ""},
		{get("spark.sql.shuffle.partitions", "my.key"), "spark.sql.shuffle.partitions=7 my.key=v ", ""},
		{get("nope"), "", "SQL_CONF_NOT_FOUND"},
		{set(false, "spark.sql.warehouse.dir", "x"), "", "CANNOT_MODIFY_STATIC_CONFIG"},
		{set(true, "spark.sql.warehouse.dir", "x", "my.other", "w"), "!", ""},
		{set(false, "spark.sql.ansi.enabled", "x"), "", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{&connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_GetOption{GetOption: &connectpb.ConfigRequest_GetOption{Keys: []string{"nope", "my.key"}}}}, "nope my.key=v ", ""},
		{&connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_GetWithDefault{GetWithDefault: &connectpb.ConfigRequest_GetWithDefault{
			Pairs: []*connectpb.KeyValue{{Key: "nope", Value: &value}, {Key: "nope2"}}}}}, "nope=d nope2 ", ""},
		{&connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_GetAll{GetAll: &connectpb.ConfigRequest_GetAll{Prefix: &prefix}}}, "key=v other=w ", ""},
		{&connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_Unset{Unset: &connectpb.ConfigRequest_Unset{Keys: []string{"spark.sql.shuffle.partitions"}}}}, "", ""},
		{get("spark.sql.shuffle.partitions"), "spark.sql.shuffle.partitions=200 ", ""},
		{&connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_IsModifiable{IsModifiable: &connectpb.ConfigRequest_IsModifiable{
			Keys: []string{"spark.sql.shuffle.partitions", "spark.sql.warehouse.dir"}}}}, "spark.sql.shuffle.partitions=true spark.sql.warehouse.dir=false ", ""},
		{&connectpb.ConfigRequest_Operation{}, "", "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET"},
	}
	for i, test := range tests {
		got, err := do(test.op)
		if test.condition != "" {
			expect(t, err, test.condition)
		} else if err != nil || got != test.want {
			t.Errorf("%d: %q %v, want %q", i, got, err, test.want)
		}
	}
}

func TestArtifacts(t *testing.T) {
	c := newClient(t, Options{MaxArtifact: 1000})
	chunk := func(data string) *connectpb.AddArtifactsRequest_ArtifactChunk {
		return &connectpb.AddArtifactsRequest_ArtifactChunk{Data: []byte(data), Crc: int64(crc32.ChecksumIEEE([]byte(data)))}
	}
	add := func(rs ...*connectpb.AddArtifactsRequest) (string, error) {
		s, err := c.AddArtifacts(t.Context())
		if err != nil {
			return "", err
		}
		for _, r := range rs {
			r.SessionId, r.UserContext = c.id, c.user()
			if err := s.Send(r); err != nil {
				break // the answer says why
			}
		}
		out, err := s.CloseAndRecv()
		var sums []string
		for _, a := range out.GetArtifacts() {
			sums = append(sums, fmt.Sprint(a.GetName(), a.GetIsCrcSuccessful()))
		}
		return strings.Join(sums, " "), err
	}
	batch := func(nameAndData ...string) *connectpb.AddArtifactsRequest {
		b := &connectpb.AddArtifactsRequest_Batch{}
		for i := 0; i < len(nameAndData); i += 2 {
			b.Artifacts = append(b.Artifacts, &connectpb.AddArtifactsRequest_SingleChunkArtifact{Name: nameAndData[i], Data: chunk(nameAndData[i+1])})
		}
		return &connectpb.AddArtifactsRequest{Payload: &connectpb.AddArtifactsRequest_Batch_{Batch: b}}
	}
	begin := func(name string, total, n int64, data string) *connectpb.AddArtifactsRequest {
		return &connectpb.AddArtifactsRequest{Payload: &connectpb.AddArtifactsRequest_BeginChunk{BeginChunk: &connectpb.AddArtifactsRequest_BeginChunkedArtifact{
			Name: name, TotalBytes: total, NumChunks: n, InitialChunk: chunk(data)}}}
	}
	more := func(data string) *connectpb.AddArtifactsRequest {
		return &connectpb.AddArtifactsRequest{Payload: &connectpb.AddArtifactsRequest_Chunk{Chunk: chunk(data)}}
	}
	damaged := batch("files/bad", "x")
	damaged.GetBatch().GetArtifacts()[0].Data.Crc++
	tests := []struct {
		name            string
		rs              []*connectpb.AddArtifactsRequest
		want, condition string
	}{
		{"batch", []*connectpb.AddArtifactsRequest{batch("cache/h1", "one", "files/f.txt", "two")}, "cache/h1true files/f.txttrue", ""},
		{"chunks", []*connectpb.AddArtifactsRequest{begin("pyfiles/a.py", 6, 3, "ab"), more("cd"), more("ef")}, "pyfiles/a.pytrue", ""},
		{"checksum", []*connectpb.AddArtifactsRequest{damaged}, "files/badfalse", ""},
		{"same again", []*connectpb.AddArtifactsRequest{batch("files/f.txt", "two")}, "files/f.txttrue", ""},
		{"other content", []*connectpb.AddArtifactsRequest{batch("files/f.txt", "three")}, "", "ARTIFACT_ALREADY_EXISTS"},
		{"outside", []*connectpb.AddArtifactsRequest{batch("files/../../x", "x")}, "", "INVALID_ARTIFACT_PATH"},
		{"absolute", []*connectpb.AddArtifactsRequest{batch("files//etc/x", "x")}, "", "INVALID_ARTIFACT_PATH"},
		{"unknown kind", []*connectpb.AddArtifactsRequest{batch("forward_to_fs/x", "x")}, "", "UNSUPPORTED_CALL.WITHOUT_SUGGESTION"},
		{"too few chunks", []*connectpb.AddArtifactsRequest{begin("files/c", 4, 2, "ab")}, "", "INTERNAL_ERROR"},
		{"too many bytes", []*connectpb.AddArtifactsRequest{begin("files/d", 3, 2, "ab"), more("cd")}, "", "INTERNAL_ERROR"},
		{"too large", []*connectpb.AddArtifactsRequest{begin("files/e", 1001, 2, "ab")}, "", "INTERNAL_ERROR"},
	}
	for _, test := range tests {
		got, err := add(test.rs...)
		if test.condition != "" {
			if condition(err) != test.condition {
				t.Errorf("%s: %v", test.name, err)
			}
		} else if err != nil || got != test.want {
			t.Errorf("%s: %q %v", test.name, got, err)
		}
	}
	out, err := c.ArtifactStatus(t.Context(), &connectpb.ArtifactStatusesRequest{SessionId: c.id, UserContext: c.user(), Names: []string{"cache/h1", "cache/h2", "files/bad", "files/f.txt"}})
	if s := out.GetStatuses(); err != nil || !s["cache/h1"].GetExists() || s["cache/h2"].GetExists() || s["files/bad"].GetExists() || !s["files/f.txt"].GetExists() {
		t.Error(out, err)
	}
	if got := c.session().files; !slices.Equal(got, []string{"files files/f.txt", "pyfiles pyfiles/a.py", "files files/f.txt"}) {
		t.Error(got)
	}
}

// add stores an artifact as an upload does.
func (a *artifacts) add(t *testing.T, name string, data []byte) (string, error) {
	t.Helper()
	n, err := nameOf(name)
	if err == nil {
		err = a.reserve(n.stored(), int64(len(data)))
	}
	if err != nil {
		return "", err
	}
	f, err := a.stage()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	path, kept, err := a.put(t.Context(), n, f, int64(len(data)))
	if !kept {
		a.giveBack(n.stored(), int64(len(data)))
	}
	return path, errors.Join(err, os.RemoveAll(f.Name()))
}

// TestManyArtifacts is C09: a session has a quota of files and of their bytes, and its other files stay.
func TestManyArtifacts(t *testing.T) {
	for name, c := range map[string]struct {
		size, fit int
	}{"files": {1, mostFiles}, "bytes": {1000, sessionShare}} {
		a := artifacts{quota: sessionShare * 1000}
		if c.size == 1 {
			a.quota = 1 << 30
		}
		t.Cleanup(a.close)
		for i := range c.fit {
			if _, err := a.add(t, fmt.Sprintf("files/%d", i), make([]byte, c.size)); err != nil {
				t.Fatalf("%s: %d: %v", name, i, err)
			}
		}
		if _, err := a.add(t, "files/more", make([]byte, c.size)); !sparkerr.Is(err, "ARTIFACT_QUOTA_EXCEEDED") {
			t.Errorf("%s: more than the quota gives %v", name, err)
		}
		if !a.has("files/0") || a.has("files/more") {
			t.Errorf("%s: what is there is wrong", name)
		}
		if list, err := os.ReadDir(filepath.Join(a.dir, filesFolder)); err != nil || len(list) != c.fit {
			t.Errorf("%s: %d files, %v", name, len(list), err)
		}
	}
}

// TestArchives is C09: archives are unpacked where functions of users look for them, under their names or aliases; the room that they
// take is the session's, and what is refused takes none.
func TestArchives(t *testing.T) {
	pack := func(entries ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := 0; i < len(entries); i += 2 {
			f, err := z.Create(entries[i])
			if err == nil {
				_, err = io.WriteString(f, entries[i+1])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	a := artifacts{quota: 1 << 20}
	t.Cleanup(a.close)
	good := pack("x/y", "1")
	for _, c := range []struct {
		name      string
		data      []byte
		condition string
	}{
		{"archives/plain.zip", good, ""},
		{"archives/named.zip#env", good, ""},
		{"archives/deep.jar#a/b", good, ""},
		{"archives/named.zip#env", good, ""}, // again
		{"archives/other.rar#r", []byte("as it is"), ""},
		{"files/f.txt", []byte("f"), ""},
		{"files/sub/g.txt", []byte("g"), ""},
		{"pyfiles/m.py", []byte("m"), ""},
		{"jars/m.py", []byte("jars lie elsewhere"), ""},
		{"files/m.py", []byte("of another kind"), "ARTIFACT_ALREADY_EXISTS"},
		{"files/other/g.txt", []byte("of another folder"), "ARTIFACT_ALREADY_EXISTS"},
		{"files/./f.txt", []byte("the same"), "ARTIFACT_ALREADY_EXISTS"},
		{"files/f.txt/", []byte("the same"), "ARTIFACT_ALREADY_EXISTS"},
		{"files/f.txt/x", []byte("x"), "INVALID_ARTIFACT_PATH"},
		{"files/sub", []byte("x"), "ARTIFACT_ALREADY_EXISTS"},
		{"archives/other.zip#env", good, "ARTIFACT_ALREADY_EXISTS"},
		{"archives/other.zip#f.txt/x", good, "INVALID_ARTIFACT_PATH"},
		{"archives/up.zip#../up", good, "INVALID_ARTIFACT_PATH"},
		{"archives/up.zip#/up", good, "INVALID_ARTIFACT_PATH"},
		{"archives/up.zip#.", good, "INVALID_ARTIFACT_PATH"},
		{"archives/up.zip#a#b", good, "INVALID_ARTIFACT_PATH"},
		{"archives/../up.zip", good, "INVALID_ARTIFACT_PATH"},
		{"archives/" + strings.Repeat("x", 300) + ".zip", good, "INVALID_ARTIFACT_PATH"},
		{"archives/.", good, "INVALID_ARTIFACT_PATH"},
		{"archives/damaged.zip", []byte("damaged"), "INVALID_ARCHIVE.DAMAGED"},
		{"archives/outside.zip", pack("a", "1", "../x", "2"), "INVALID_ARCHIVE.ENTRY"},
		{"archives/large.zip", pack("a", strings.Repeat("x", 2<<20)), "INVALID_ARCHIVE.TOO_LARGE"},
		{"archives/outside.zip", good, ""}, // the refused one is forgotten
	} {
		before := a.taken
		if _, err := a.add(t, c.name, c.data); c.condition == "" && err != nil || c.condition != "" && (!sparkerr.Is(err, c.condition) || a.taken != before) {
			t.Errorf("%s: %v; took %d bytes", c.name, err, a.taken-before)
		}
	}
	var got []string
	err := filepath.WalkDir(filepath.Join(a.dir, filesFolder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(filepath.Join(a.dir, filesFolder), path)
			got = append(got, rel)
		}
		return err
	})
	if want := "a/b/x/y env/x/y f.txt g.txt m.py outside.zip/x/y plain.zip/x/y r"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v %v", got, err)
	}
	if list, _ := os.ReadDir(a.dir); len(list) != 2 {
		t.Errorf("left over: %v", list)
	}
	dir := a.dir
	a.close()
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder of a closed session is there")
	}
	if _, err := a.stage(); !sparkerr.Is(err, "INVALID_HANDLE.SESSION_CLOSED") || a.dir != "" {
		t.Errorf("a closed session takes uploads: %v", err)
	}
}

// TestSlowCalls is X11: calls whose messages do not come end, whatever their kind, and a token is asked for before any message.
func TestSlowCalls(t *testing.T) {
	const service = "/spark.connect.SparkConnectService/"
	c := newClient(t, Options{Patience: 200 * time.Millisecond})
	begin := func(ctx context.Context, c *client, method string) (grpc.ClientStream, error) {
		return c.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, service+method)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, method := range []string{"Config", "ExecutePlan", "ReattachExecute", "AddArtifacts"} {
		st, err := begin(ctx, c, method)
		if err == nil {
			err = st.RecvMsg(&connectpb.ConfigResponse{})
		}
		if status.Code(err) != codes.Canceled || ctx.Err() != nil {
			t.Errorf("%s without a message: %v", method, err)
		}
	}
	up, err := c.AddArtifacts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	chunk := &connectpb.AddArtifactsRequest_ArtifactChunk{Data: []byte("x"), Crc: int64(crc32.ChecksumIEEE([]byte("x")))}
	for i := range 4 { // longer than the limit in all
		r := &connectpb.AddArtifactsRequest{SessionId: c.id, UserContext: c.user(), Payload: &connectpb.AddArtifactsRequest_Chunk{Chunk: chunk}}
		if i == 0 {
			r.Payload = &connectpb.AddArtifactsRequest_BeginChunk{BeginChunk: &connectpb.AddArtifactsRequest_BeginChunkedArtifact{Name: "files/f", TotalBytes: 5, NumChunks: 5, InitialChunk: chunk}}
		}
		if err := up.Send(r); err != nil {
			t.Fatalf("chunk %d: %v", i, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := up.RecvMsg(&connectpb.AddArtifactsResponse{}); status.Code(err) != codes.Canceled {
		t.Errorf("an upload that stops: %v", err)
	}
	if got, err := c.execute(c.request(sqlPlan("range 3"), false)); err != nil || len(got) == 0 {
		t.Errorf("a call that is quick: %v %v", got, err)
	}
	closed := newClient(t, Options{Token: "of-this-test"})
	for _, method := range []string{"Config", "ExecutePlan", "AddArtifacts", "Unknown"} {
		st, err := begin(ctx, closed, method)
		if err == nil {
			err = st.RecvMsg(&connectpb.ConfigResponse{})
		}
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s without a token: %v", method, err)
		}
	}
}

func TestErrorDetails(t *testing.T) {
	c := newClient(t, Options{})
	_, err := c.execute(c.request(sqlPlan("nosuch"), true))
	var info *errdetails.ErrorInfo
	for _, d := range status.Convert(err).Details() {
		info, _ = d.(*errdetails.ErrorInfo)
	}
	var classes []string
	if info == nil || json.Unmarshal([]byte(info.GetMetadata()["classes"]), &classes) != nil {
		t.Fatal(err)
	}
	m := info.GetMetadata()
	if info.GetDomain() != "org.apache.spark" || info.GetReason() != classes[0] || classes[0] != "org.apache.spark.sql.AnalysisException" ||
		m["sqlState"] != "42P01" || !strings.Contains(m["messageParameters"], "nosuch") || status.Code(err) != codes.Internal {
		t.Error(info)
	}
	out, err := c.FetchErrorDetails(t.Context(), &connectpb.FetchErrorDetailsRequest{SessionId: c.id, UserContext: c.user(), ErrorId: m["errorId"]})
	if err != nil || out.RootErrorIdx == nil || len(out.GetErrors()) != 1 {
		t.Fatal(out, err)
	}
	e := out.GetErrors()[0]
	q := e.GetSparkThrowable().GetQueryContexts()[0]
	if e.GetErrorTypeHierarchy()[0] != classes[0] || e.GetSparkThrowable().GetErrorClass() != "TABLE_OR_VIEW_NOT_FOUND" || q.GetStopIndex() != 5 ||
		q.GetFragment() != "nosuch" || !strings.HasPrefix(q.GetSummary(), "== SQL (line 1, position 1) ==") {
		t.Error(e)
	}
	out, err = c.FetchErrorDetails(t.Context(), &connectpb.FetchErrorDetailsRequest{SessionId: c.id, UserContext: c.user(), ErrorId: uuid.NewString()})
	if err != nil || out.RootErrorIdx != nil {
		t.Error(out, err)
	}
}

func TestFailures(t *testing.T) {
	c := newClient(t, Options{})
	for text, want := range map[string]string{"fail": "DIVIDE_BY_ZERO", "panic": "INTERNAL_ERROR"} {
		for _, reattachable := range []bool{true, false} {
			ms, err := c.execute(c.request(sqlPlan(text), reattachable))
			expect(t, err, want)
			if kinds(ms) != "schema" {
				t.Errorf("%s: %s", text, kinds(ms))
			}
		}
	}
	if ms, err := c.execute(c.request(sqlPlan("range 1"), true)); err != nil || kinds(ms) != "schema batch1 complete" {
		t.Error("after failures:", kinds(ms), err)
	}
	_, err := c.execute(c.request(&connectpb.Plan{}, true))
	expect(t, err, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET")
	_, err = c.execute(c.request(&connectpb.Plan{OpType: &connectpb.Plan_Command{Command: &connectpb.Command{
		CommandType: &connectpb.Command_StreamingQueryCommand{StreamingQueryCommand: &connectpb.StreamingQueryCommand{}}}}}, true))
	expect(t, err, "UNSUPPORTED_CALL.WITHOUT_SUGGESTION")
}

func TestCompressedPlan(t *testing.T) {
	c := newClient(t, Options{})
	raw, err := proto.Marshal(sqlRelation("range 3"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plan := func(data []byte, codec connectpb.CompressionCodec) *connectpb.Plan {
		return &connectpb.Plan{OpType: &connectpb.Plan_CompressedOperation_{CompressedOperation: &connectpb.Plan_CompressedOperation{
			Data: data, OpType: connectpb.Plan_CompressedOperation_OP_TYPE_RELATION, CompressionCodec: codec}}}
	}
	good := z.EncodeAll(raw, nil)
	ms, err := c.execute(c.request(plan(good, connectpb.CompressionCodec_COMPRESSION_CODEC_ZSTD), true))
	if err != nil || kinds(ms) != "schema batch3 complete" {
		t.Error(kinds(ms), err)
	}
	for _, bad := range []*connectpb.Plan{
		plan([]byte("no zstd"), connectpb.CompressionCodec_COMPRESSION_CODEC_ZSTD),
		plan(z.EncodeAll([]byte{0xFF, 0xFF}, nil), connectpb.CompressionCodec_COMPRESSION_CODEC_ZSTD),
		plan(good, connectpb.CompressionCodec_COMPRESSION_CODEC_UNSPECIFIED),
	} {
		_, err = c.execute(c.request(bad, true))
		expect(t, err, "CONNECT_INVALID_PLAN.CANNOT_PARSE")
	}
}

func TestChunks(t *testing.T) {
	c := newClient(t, Options{})
	r := c.request(sqlPlan("wide"), true)
	size := int64(100_000)
	r.RequestOptions = append(r.RequestOptions, &connectpb.ExecutePlanRequest_RequestOption{
		RequestOption: &connectpb.ExecutePlanRequest_RequestOption_ResultChunkingOptions{
			ResultChunkingOptions: &connectpb.ResultChunkingOptions{AllowArrowBatchChunking: true, PreferredArrowChunkSize: &size}}})
	ms, err := c.execute(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, ms); len(got) != 1 || len(got[0].(string)) != 300_000 || len(ms) != 6 {
		t.Errorf("%d responses, %d rows", len(ms), len(got))
	}
}

func TestAnalyze(t *testing.T) {
	c := newClient(t, Options{Version: "9.9"})
	ask := func(r *connectpb.AnalyzePlanRequest) (*connectpb.AnalyzePlanResponse, error) {
		r.SessionId, r.UserContext = c.id, c.user()
		return c.AnalyzePlan(t.Context(), r)
	}
	out, err := ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_Schema_{Schema: &connectpb.AnalyzePlanRequest_Schema{Plan: sqlPlan("range 3")}}})
	if err != nil || out.GetSchema().GetSchema().GetStruct().GetFields()[0].GetName() != "id" {
		t.Error(out, err)
	}
	out, err = ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_TreeString_{TreeString: &connectpb.AnalyzePlanRequest_TreeString{Plan: sqlPlan("range 3")}}})
	if err != nil || out.GetTreeString().GetTreeString() != "root\n |-- id: long (nullable = false)\n" {
		t.Error(out, err)
	}
	out, err = ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_Explain_{Explain: &connectpb.AnalyzePlanRequest_Explain{Plan: sqlPlan("range 3"),
		ExplainMode: connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_FORMATTED}}})
	if err != nil || out.GetExplain().GetExplainString() != "plan in mode formatted" {
		t.Error(out, err)
	}
	out, err = ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_SparkVersion_{}})
	if err != nil || out.GetSparkVersion().GetVersion() != "9.9" {
		t.Error(out, err)
	}
	for text, want := range map[string]bool{"int": false, "a int": true, "a: int": true} {
		out, err = ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_DdlParse{DdlParse: &connectpb.AnalyzePlanRequest_DDLParse{DdlString: text}}})
		if err != nil || (out.GetDdlParse().GetParsed().GetStruct() != nil) != want {
			t.Error(out, err)
		}
	}
	for text, want := range map[string]bool{"range 3": false, "cmd": true} {
		out, err = ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_IsLocal_{IsLocal: &connectpb.AnalyzePlanRequest_IsLocal{Plan: sqlPlan(text)}}})
		if err != nil || out.GetIsLocal().GetIsLocal() != want {
			t.Error(text, out, err)
		}
	}
	_, err = ask(&connectpb.AnalyzePlanRequest{Analyze: &connectpb.AnalyzePlanRequest_SemanticHash_{SemanticHash: &connectpb.AnalyzePlanRequest_SemanticHash{Plan: sqlPlan("range 3")}}})
	expect(t, err, "UNSUPPORTED_CALL.WITHOUT_SUGGESTION")
	_, err = ask(&connectpb.AnalyzePlanRequest{})
	expect(t, err, "CONNECT_INVALID_PLAN.UNKNOWN_ANALYZE_METHOD")
}

func TestCheckpoint(t *testing.T) {
	c := newClient(t, Options{})
	run := func(cmd *connectpb.Command) ([]*connectpb.ExecutePlanResponse, error) {
		return c.execute(c.request(&connectpb.Plan{OpType: &connectpb.Plan_Command{Command: cmd}}, true))
	}
	ms, err := run(&connectpb.Command{CommandType: &connectpb.Command_CheckpointCommand{CheckpointCommand: &connectpb.CheckpointCommand{
		Relation: sqlRelation("range 3"), Local: true}}})
	if err != nil {
		t.Fatal(err)
	}
	kept := ms[0].GetCheckpointCommandResult().GetRelation()
	read := func() error {
		_, err := c.execute(c.request(&connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{
			RelType: &connectpb.Relation_CachedRemoteRelation{CachedRemoteRelation: kept}}}}, true))
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if _, err := run(&connectpb.Command{CommandType: &connectpb.Command_RemoveCachedRemoteRelationCommand{
		RemoveCachedRemoteRelationCommand: &connectpb.RemoveCachedRemoteRelationCommand{Relation: kept}}}); err != nil {
		t.Fatal(err)
	}
	expect(t, read(), "CONNECT_INVALID_PLAN.DATAFRAME_NOT_FOUND")
	if _, err := run(&connectpb.Command{CommandType: &connectpb.Command_CheckpointCommand{CheckpointCommand: &connectpb.CheckpointCommand{
		Relation: sqlRelation("range 4"), Eager: true, StorageLevel: &connectpb.StorageLevel{UseDisk: true, Replication: 2}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReleaseSession(t.Context(), &connectpb.ReleaseSessionRequest{SessionId: c.id, UserContext: c.user()}); err != nil {
		t.Fatal(err)
	}
	did := func() string {
		s := c.session()
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Join(s.runs, "; ")
	}
	const want = "checkpoint rangetrue; range; forget range; checkpoint rangefalseDISK_ONLY_2; forget range"
	for end := time.Now().Add(10 * time.Second); did() != want && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if got := did(); got != want {
		t.Errorf("the engine did: %s", got)
	}
}

func TestToken(t *testing.T) {
	c := newClient(t, Options{Token: "secret"})
	ask := func(ctx context.Context) error {
		_, err := c.ReleaseSession(ctx, &connectpb.ReleaseSessionRequest{SessionId: uuid.NewString()})
		return err
	}
	if err := ask(t.Context()); status.Code(err) != codes.Unauthenticated {
		t.Error("without a token:", err)
	}
	if err := ask(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer secreT")); status.Code(err) != codes.Unauthenticated {
		t.Error("with a wrong token:", err)
	}
	if err := ask(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer secret")); err != nil {
		t.Error(err)
	}
	s, err := c.ExecutePlan(t.Context(), c.request(sqlPlan("range 1"), true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Error("a stream without a token:", err)
	}
}

func TestListen(t *testing.T) {
	for _, test := range []struct {
		address, token string
		ok             bool
	}{
		{"127.0.0.1:0", "", true}, {"localhost:0", "", true}, {"[::1]:0", "", true}, {"0.0.0.0:0", "", false}, {":0", "", false}, {"192.0.2.1:0", "", false},
		{"example.com:0", "", false}, {"0.0.0.0:0", "t", true},
	} {
		s := New(&fakeEngine{}, Options{Address: test.address, Token: test.token})
		l, err := s.Listen()
		if errors.Is(err, ErrExposed) == test.ok {
			t.Errorf("%s: %v", test.address, err)
		}
		if l != nil {
			l.Close()
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCanonical: ids and names make no difference, values and operators do.
func TestCanonical(t *testing.T) {
	plan := func(name, op string, factor int32) logical.Plan {
		id := &expr.Column{ID: expr.NextID(), Name: "id", T: types.Long}
		return &logical.Project{List: []expr.Expr{id, expr.NewAlias(expr.NewCall(op, types.Long, id, expr.NewLiteral(factor, types.Int)), name)},
			Child: &logical.Range{End: 10, Step: 1, Out: []*expr.Column{id}}}
	}
	base := plan("a", "*", 2)
	for _, test := range []struct {
		other logical.Plan
		same  bool
	}{{plan("a", "*", 2), true}, {plan("b", "*", 2), true}, {plan("a", "+", 2), false}, {plan("a", "*", 3), false}} {
		if same := logical.Canonical(base) == logical.Canonical(test.other); same != test.same || same != (canonicalHash(base) == canonicalHash(test.other)) {
			t.Errorf("%s\n%s: %v", logical.Canonical(base), logical.Canonical(test.other), same)
		}
	}
}
