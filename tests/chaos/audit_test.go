package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// record is a line of the audit log.
type record struct {
	Event, ID, Application, Action, User, Peer, Session, Operation, Statement, Status, Error, Result string
	Time                                                                                             time.Time
	Process                                                                                          int
	Tags                                                                                             []string
	Milliseconds, Rows                                                                               *int64
}

// auditLog reads the log; every line must be a whole one.
func auditLog(t *testing.T, path string) (out []record) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Time.IsZero() || r.Process == 0 {
			t.Errorf("%q: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

// audited finds the two lines of an action by its name and a part of its statement.
func audited(t *testing.T, log []record, action, statement string) (begin, end record) {
	t.Helper()
	for _, r := range log {
		switch {
		case r.Action == action && r.Event == "begin" && strings.Contains(r.Statement, statement):
			begin = r
		case r.ID == begin.ID && r.Event == "end":
			end = r
		}
	}
	if begin.ID == "" || end.ID == "" {
		t.Errorf("%s %q has the lines %+v and %+v", action, statement, begin, end)
	}
	return begin, end
}

// TestAuditLog is X20: everything that a server does for clients has a line before it begins and one when it has ended, also
// when the server is killed; nobody can make it run what is not written down; secrets are not in it.
func TestAuditLog(t *testing.T) {
	t.Parallel() // it mostly waits
	const token = "marker-of-the-token-7f3a"
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := launch{args: []string{"--master", "local[2]"}, conf: []string{"spark.firesteel.audit.path=" + path, "spark.some.password=" + otherMarker},
		env: []string{"SPARK_CONNECT_AUTHENTICATE_TOKEN=" + token}}
	s := serve(t, l)
	c := s.connect(t)
	if _, err := c.query(metadata.AppendToOutgoingContext(timeout(t, 20*time.Second), "authorization", "Bearer guess"), "select 'never'"); err == nil {
		t.Error("a wrong token is taken")
	}
	ctx := metadata.AppendToOutgoingContext(timeout(t, time.Minute), "authorization", "Bearer "+token)
	if _, err := c.query(ctx, "select id from range(7)"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.query(ctx, "select nope /* \n{\"event\":\"end\"}\n */"); err == nil {
		t.Error("a query without sense is answered")
	}
	if _, err := c.query(ctx, "set spark.other.secret="+otherMarker+" and more"); err != nil {
		t.Error(err)
	}
	value := otherMarker
	if _, err := c.rpc.Config(ctx, &connectpb.ConfigRequest{SessionId: c.id, UserContext: c.context(), Operation: &connectpb.ConfigRequest_Operation{
		OpType: &connectpb.ConfigRequest_Operation_Set{Set: &connectpb.ConfigRequest_Set{Pairs: []*connectpb.KeyValue{{Key: "spark.my.token", Value: &value}}}}}}); err != nil {
		t.Error(err)
	}
	if err := c.upload(ctx, "files/data.txt", "hello"); err != nil {
		t.Error(err)
	}
	slow, id := "select count(*) from range(100000000) a join range(1000000) b on a.id % 7 <> b.id % 11", uuid.NewString()
	st, err := c.rpc.ExecutePlan(ctx, c.request(sqlPlan(slow), id))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Recv(); err != nil {
		t.Fatal(err)
	}
	if begin, _ := running(auditLog(t, path), id); begin.Statement != slow {
		t.Errorf("while a query runs its line is %+v", begin)
	}
	if _, err := c.rpc.Interrupt(ctx, &connectpb.InterruptRequest{SessionId: c.id, UserContext: c.context(), InterruptType: connectpb.InterruptRequest_INTERRUPT_TYPE_ALL}); err != nil {
		t.Error(err)
	}
	for err == nil {
		_, err = st.Recv()
	}
	other, id2 := s.connect(t), uuid.NewString()
	if st, err = other.rpc.ExecutePlan(ctx, other.request(sqlPlan(slow), id2)); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Recv(); err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGKILL)
	<-s.ended

	log := auditLog(t, path)
	begin, end := audited(t, log, "execute", "range(7)")
	host, _, err := net.SplitHostPort(begin.Peer)
	if err != nil || host != "127.0.0.1" || begin.User != "tester" || begin.Session != c.id || begin.Operation == "" || begin.Application == "" ||
		begin.Process != s.cmd.Process.Pid || begin.Status != "" {
		t.Errorf("%+v", begin)
	}
	if end.Status != "SUCCEEDED" || end.Rows == nil || *end.Rows != 7 || end.Milliseconds == nil || end.User != "tester" || end.Peer != begin.Peer || end.Time.Before(begin.Time) {
		t.Errorf("%+v", end)
	}
	if _, end := audited(t, log, "execute", "select nope"); end.Status != "FAILED" || !strings.Contains(end.Error, "UNRESOLVED_COLUMN") {
		t.Errorf("%+v", end)
	}
	if begin, _ := audited(t, log, "config", "spark.my.token"); begin.Session != c.id {
		t.Errorf("%+v", begin)
	}
	audited(t, log, "artifact", "files/data.txt (5 bytes)")
	audited(t, log, "interrupt", "all")
	if _, end := running(log, id); end.Status != "CANCELLED" {
		t.Errorf("the interrupted query: %+v", end)
	}
	if begin, end := running(log, id2); begin.Statement != slow || end.ID != "" {
		t.Errorf("the query that was running when the server was killed: %+v %+v", begin, end)
	}
	refused := false
	for _, r := range log {
		refused = refused || r.Status == "REFUSED" && r.Action == "connect" && r.Peer != ""
	}
	if !refused {
		t.Error("the wrong token is not in it")
	}
	serve(t, l)
	log = auditLog(t, path)
	if _, end := running(log, id2); end.Status != "LOST" {
		t.Errorf("after the restart: %+v", end)
	}
	if _, end := audited(t, log[:len(log)-1], "application", "connect --port 0"); end.Status != "LOST" {
		t.Errorf("the killed application: %+v", end)
	}
	text, err := os.ReadFile(path)
	info, err2 := os.Stat(path)
	if err != nil || err2 != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v %v", err, err2, info.Mode())
	}
	for _, secret := range []string{token, otherMarker, "and more", "never", "guess"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// running finds the lines of an operation.
func running(log []record, operation string) (begin, end record) {
	for _, r := range log {
		if r.Operation == operation && r.Action == "execute" {
			if r.Event == "begin" {
				begin = r
			} else {
				end = r
			}
		}
	}
	return begin, end
}

// TestAuditLogIsFull: what cannot be written down is not run, and runs again when it can.
func TestAuditLogIsFull(t *testing.T) {
	dir := smallDisk(t, 1)
	path := filepath.Join(dir, "audit.jsonl")
	s := serve(t, launch{args: []string{"--master", "local[2]"}, conf: []string{"spark.firesteel.audit.path=" + path}})
	c := s.connect(t)
	ctx := timeout(t, time.Minute)
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, make([]byte, 2<<20), 0o600) // as far as it goes
	table := filepath.Join(t.TempDir(), "out")
	write := func() error {
		_, err := c.query(ctx, fmt.Sprintf("insert overwrite directory '%s' using parquet select 1 as a", table))
		return err
	}
	var err error
	for range 100 { // the last page of the log has room
		if err = write(); err != nil {
			break
		}
		_ = os.RemoveAll(table)
	}
	if _, missing := os.Stat(table); condition(err) != "AUDIT_LOG_NOT_WRITABLE" || missing == nil {
		t.Errorf("with a full disk: %v; %v", err, missing)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Error(err)
	}
	s.alive(t)
}

// TestAuditLogOfCluster is X20 for masters and the command line: registered applications, submissions and kills over HTTP, what
// pages may not ask, statements of the SQL shell.
func TestAuditLogOfCluster(t *testing.T) {
	t.Parallel() // it mostly waits
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	_, _, url, page, rest, _ := pages(t, "spark.firesteel.audit.path "+path+"\n")
	create := strings.ReplaceAll(submitted, "%APP%", `"file:/nowhere/app.py"`)
	_, _, body := ask(t, http.DefaultClient, "POST", rest+"/v1/submissions/create", create, nil)
	var made struct{ SubmissionID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || made.SubmissionID == "" {
		t.Fatalf("%v\n%s", err, body)
	}
	ask(t, http.DefaultClient, "POST", rest+"/v1/submissions/kill/driver-nobody", "", nil)
	ask(t, http.DefaultClient, "POST", rest+"/v1/submissions/killall", "", map[string]string{"Origin": "http://elsewhere.example"})
	ask(t, http.DefaultClient, "POST", page+"/workers/kill", "host=nowhere", map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	sql := start(t, launch{args: []string{"sql", "--master", url, "--name", "the shell", "--executor-memory", "512m", "-e", "select 40 + 2; select nope"},
		conf: []string{"spark.firesteel.audit.path=" + path}})
	if code := sql.wait(time.Minute); code != 1 || !strings.Contains(sql.out.String(), "42") {
		t.Fatalf("%d %s %s", code, sql.out.String(), sql.err.String())
	}
	log := auditLog(t, path)
	for _, c := range []struct{ action, statement, status string }{
		{"submit", "/nowhere/app.py", "SUCCEEDED"},
		{"kill", "driver-nobody", "FAILED"},
		{"decommission", "nowhere", "SUCCEEDED"},
		{"register application", "the shell", "SUCCEEDED"},
		{"application", " sql --master " + url, "SUCCEEDED"},
		{"execute", "select 40 + 2", "SUCCEEDED"},
		{"execute", "select nope", "FAILED"},
	} {
		begin, end := audited(t, log, c.action, c.statement)
		if end.Status != c.status {
			t.Errorf("%+v", end)
		}
		if local := c.action == "application" || c.action == "execute"; local == (begin.Peer != "") || local && begin.User == "" {
			t.Errorf("%+v", begin)
		}
		if c.action == "submit" && end.Result != made.SubmissionID {
			t.Errorf("the driver is %s, not %s", end.Result, made.SubmissionID)
		}
	}
	refused := 0
	for _, r := range log {
		if r.Status == "REFUSED" && r.Action == "submission" && strings.Contains(r.Statement, "killall") {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d refusals", refused)
	}
}

// upload sends a small artifact.
func (c *client) upload(ctx context.Context, name, data string) error {
	st, err := c.rpc.AddArtifacts(ctx)
	if err != nil {
		return err
	}
	chunk := &connectpb.AddArtifactsRequest_ArtifactChunk{Data: []byte(data), Crc: int64(crc32.ChecksumIEEE([]byte(data)))}
	err = st.Send(&connectpb.AddArtifactsRequest{SessionId: c.id, UserContext: c.context(), Payload: &connectpb.AddArtifactsRequest_Batch_{
		Batch: &connectpb.AddArtifactsRequest_Batch{Artifacts: []*connectpb.AddArtifactsRequest_SingleChunkArtifact{{Name: name, Data: chunk}}}}})
	if err != nil {
		return err
	}
	_, err = st.CloseAndRecv()
	return err
}
