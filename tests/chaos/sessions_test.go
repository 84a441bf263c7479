package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// TestSharedSession: two clients on one session id use one session: views and settings of one are the other's, and their queries
// run side by side.
func TestSharedSession(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	a := s.connect(t)
	b := s.connect(t)
	b.id = a.id
	ctx := timeout(t, time.Minute)
	if _, err := a.query(ctx, "create temporary view v as select 7 as x"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.query(ctx, "set spark.sql.shuffle.partitions=3"); err != nil {
		t.Fatal(err)
	}
	if rows, err := b.query(ctx, "select x from v"); err != nil || strings.Join(rows, "") != "7" {
		t.Errorf("the view of the other client: %v %v", rows, err)
	}
	if rows, err := a.query(ctx, "set spark.sql.shuffle.partitions"); err != nil || strings.Join(rows, "") != "spark.sql.shuffle.partitions\t3" {
		t.Errorf("the setting of the other client: %v %v", rows, err)
	}
	var both sync.WaitGroup
	for n, c := range []*client{a, b} {
		both.Go(func() {
			for i := range 50 {
				rows, err := c.query(ctx, fmt.Sprintf("select sum(id) + %d + max(x) from range(%d) join v", n, i+1))
				if want := fmt.Sprint(i*(i+1)/2 + n + 7); err != nil || strings.Join(rows, "") != want {
					t.Errorf("client %d, query %d: %v %v, want %s", n, i, rows, err, want)
				}
			}
		})
	}
	both.Wait()
	if err := a.release(ctx); err != nil {
		t.Error(err)
	}
	if rows, err := b.query(ctx, "select 1"); condition(err) != "INVALID_HANDLE.SESSION_CLOSED" {
		t.Errorf("a query of the session that the other client released: %v %v", rows, err)
	}
}

// TestRestartedServer is K15: who comes back to a server that was killed and started again is told that his operation and his
// session are gone, by the conditions that make Spark's clients open another session.
func TestRestartedServer(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	c := s.connect(t)
	ctx := timeout(t, time.Minute)
	c.operation = uuid.NewString()
	st, err := c.rpc.ExecutePlan(ctx, c.request(sqlPlan("select id, repeat('x', 200) from range(2000000)"), c.operation))
	if err != nil {
		t.Fatal(err)
	}
	first, err := st.Recv()
	if err != nil {
		t.Fatal(err)
	}
	seen := first.GetServerSideSessionId()
	s.signal(syscall.SIGKILL)
	<-s.ended
	_, port, _ := strings.Cut(s.addr, ":")
	again := &server{start(t, launch{args: []string{"connect", "--port", port, "--master", "local[2]"}, dir: s.dir, local: s.local}), s.addr}
	again.see(`sc://([0-9.:]+)`, 20*time.Second)
	n := again.connect(t)
	n.id, n.user = c.id, c.user
	reattach := func(last *string) error {
		st, err := n.rpc.ReattachExecute(ctx, &connectpb.ReattachExecuteRequest{SessionId: n.id, UserContext: n.context(), OperationId: c.operation,
			LastResponseId: last, ClientObservedServerSideSessionId: &seen})
		if err == nil {
			_, err = st.Recv()
		}
		return err
	}
	if err := reattach(nil); !slices.Contains([]string{"INVALID_HANDLE.SESSION_NOT_FOUND", "INVALID_HANDLE.OPERATION_NOT_FOUND", "INVALID_HANDLE.SESSION_CHANGED"}, condition(err)) {
		t.Errorf("the operation of before: %v", err)
	}
	r := n.request(sqlPlan("select 1"), uuid.NewString())
	r.ClientObservedServerSideSessionId = &seen
	if err := n.first(ctx, r); condition(err) != "INVALID_HANDLE.SESSION_CHANGED" {
		t.Errorf("the session of before: %v", err)
	}
	id := seen
	if _, err := n.rpc.Config(ctx, &connectpb.ConfigRequest{SessionId: n.id, UserContext: n.context(), ClientObservedServerSideSessionId: &id,
		Operation: &connectpb.ConfigRequest_Operation{OpType: &connectpb.ConfigRequest_Operation_GetAll{GetAll: &connectpb.ConfigRequest_GetAll{}}}}); condition(err) != "INVALID_HANDLE.SESSION_CHANGED" {
		t.Errorf("the settings of before: %v", err)
	}
	again.alive(t)
}

// names are identifiers that mean something elsewhere.
var names = []string{"a`b", `a"b`, "a'b", "a;b", "a--b", "a/*b*/", "a b", " a ", "..", "../../x", "%2e%2e", "a%b", "a\tb", "a\nb", "select", "null", "1a", "é", "日本", "😀", "שלום", "a.b", "a=b", "a/b",
	`a\b`, "#", "?", "*", "A", "__HIVE_DEFAULT_PARTITION__", strings.Repeat("x", 128), "$(touch x)", "`", "{a}", ":b", "a\u202eb"}

func backquoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// TestNames is C04: odd names make the way through columns, views, tables, SHOW CREATE and Parquet, and odd values through the
// names of directories; nothing is written outside, and nothing in them is executed.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, launch{args: []string{"--master", "local[2]"}, dir: dir})
	c := s.connect(t)
	ctx := timeout(t, 2*time.Minute)
	one := func(text string) (string, error) {
		rows, err := c.query(ctx, text)
		return strings.Join(rows, "\n"), err
	}
	for i, name := range names {
		q := backquoted(name)
		at := filepath.Join(dir, fmt.Sprint("out", i))
		check := func(what, text, want string) {
			t.Helper()
			if got, err := one(text); err != nil || got != want {
				t.Errorf("%s of %q: %q %v, want %q", what, name, got, err, want)
			}
		}
		check("a column", "select "+q+" from (select 5 as "+q+")", "5")
		check("a view", "create or replace temporary view "+q+" as select 6 as "+q, "")
		check("a view's column", "select "+q+"."+q+" from "+q, "6")
		check("a drop", "drop view "+q, "")
		check("a file", "insert overwrite directory '"+at+"' using parquet select 8 as "+q, "")
		check("a file's column", "select "+q+" from parquet.`"+at+"`", "8")
		check("a value", "select "+literal(name)+" = '"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name)+"'", "true")
		if _, err := one(fmt.Sprintf("create table t%d (id int, %s string) using parquet partitioned by (p)", i, q)); err == nil {
			t.Error("a partition column that there is not")
		}
		table := fmt.Sprint("t", i)
		check("a table", "create table "+table+" (id int, p string, "+backquoted("c"+name)+" int) using parquet partitioned by (p)", "")
		check("a partition", "insert into "+table+" select 1, 2, "+literal(name), "")
		back := "p = " + literal(name)
		if name == "__HIVE_DEFAULT_PARTITION__" {
			back = "p is null" // to Spark too
		}
		check("a partition's value", "select id, "+backquoted("c"+name)+", "+back+" from "+table, "1\t2\ttrue")
		made, err := one("show create table " + table)
		if err != nil || !strings.Contains(made, backquoted("c"+name)) && !strings.Contains(made, "c"+name) {
			t.Errorf("SHOW CREATE of %q: %s %v", name, made, err)
		}
		check("a drop", "drop table "+table, "")
		check("the same table", strings.Replace(made, "spark_catalog.default.", "", 1), "")
		check("its columns", "select count("+backquoted("c"+name)+") from "+table, "0")
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 3 { // this test's folders only
		t.Errorf("there is more than before: %v", entries)
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("something was executed or written outside its folder")
	}
	s.alive(t)
}

// literal is a value as SQL without any character that means something.
func literal(name string) string { return fmt.Sprintf("decode(unhex('%X'), 'UTF-8')", name) }

// TestParameters is C06: parameters are values, whatever they hold.
func TestParameters(t *testing.T) {
	s := serve(t, launch{args: []string{"--master", "local[2]"}})
	c := s.connect(t)
	ctx := timeout(t, time.Minute)
	text := func(v string) *connectpb.Expression {
		return &connectpb.Expression{ExprType: &connectpb.Expression_Literal_{Literal: &connectpb.Expression_Literal{LiteralType: &connectpb.Expression_Literal_String_{String_: v}}}}
	}
	for _, v := range append([]string{"' or '1'='1", "'; drop table t; --", "${spark.app.name}", ":v", "?", `\'`, "\x00", "{{x}}", "%s"}, names...) {
		for _, q := range []*connectpb.SQL{
			{Query: "select :v = " + literal(v) + ", length(:v)", NamedArguments: map[string]*connectpb.Expression{"v": text(v)}},
			{Query: "select ? = " + literal(v) + ", length(?)", PosArguments: []*connectpb.Expression{text(v), text(v)}},
		} {
			p := &connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &connectpb.Relation{RelType: &connectpb.Relation_Sql{Sql: q}}}}
			rows, err := c.run(ctx, p)
			if want := fmt.Sprintf("true\t%d", len([]rune(v))); err != nil || strings.Join(rows, "") != want {
				t.Errorf("%q in %s: %v %v", v, q.Query, rows, err)
			}
		}
	}
}

// TestStoppedShell is K19: Ctrl-C ends a query that the command-line client runs, and the client with it when it reads a script;
// no process and no file is left.
func TestStoppedShell(t *testing.T) {
	t.Parallel() // it mostly waits
	script := filepath.Join(t.TempDir(), "script.sql")
	if err := os.WriteFile(script, []byte(endless+";\nselect 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, master := range []string{"local[2]", "local-cluster[2,1,512]"} {
		p := start(t, launch{args: []string{"sql", "-S", "-f", script, "--master", master}})
		time.Sleep(time.Second)
		begin := time.Now()
		p.signal(syscall.SIGINT)
		select {
		case <-p.ended:
		case <-time.After(2 * time.Second):
			p.signal(syscall.SIGINT) // the second one insists
		}
		if code := p.wait(10 * time.Second); code == 0 || p.out.String() != "" {
			t.Errorf("%s: ended with %d and printed %q", master, code, p.out.String())
		}
		if left := p.leftovers(); len(left) > 0 {
			t.Errorf("%s: %v is left", master, left)
		}
		t.Logf("%s: ended %v after Ctrl-C", master, time.Since(begin).Round(10*time.Millisecond))
		eventually(t, 5*time.Second, "no process is left", func() bool { return syscall.Kill(-p.cmd.Process.Pid, 0) != nil })
	}
}

// TestUnknownHost is N13: a worker that is to be called by a name that nobody knows says so when it starts.
func TestUnknownHost(t *testing.T) {
	t.Parallel() // it mostly waits
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}}
	c.startMasters()
	w := start(t, launch{args: []string{"worker", c.url, "--host", "no-such-host.invalid", "--webui-port", "-1", "--work-dir", c.under("work"), "--allow-unauthenticated"}, bare: true})
	if code := w.wait(30 * time.Second); code == 0 || !strings.Contains(w.err.String(), "no-such-host.invalid") {
		t.Errorf("it ended with %d: %s", code, w.err.String())
	}
	if os.Getenv("FIRESTEEL_DEEP") == "" {
		return // a driver tries for twenty seconds
	}
	d := start(t, launch{args: []string{"sql", "-S", "-e", "select 1", "--master", "spark://no-such-host.invalid:7077"}})
	if code := d.wait(90 * time.Second); code == 0 || !strings.Contains(d.err.String(), "no-such-host.invalid") {
		t.Errorf("a driver ended with %d: %s", code, d.err.String())
	}
}

// TestBadDiskIsExcluded is S10 and D02: a worker whose local disk is full fails its tasks; with spark.excludeOnFailure.enabled
// they go elsewhere and the job ends well.
func TestBadDiskIsExcluded(t *testing.T) {
	t.Parallel() // it mostly waits
	c := &cluster{t: t, dir: t.TempDir(), seen: map[int]string{}, net: newNetwork(t, 2)}
	c.disks = map[int]string{0: smallDisk(t, 1)}
	c.begin(2, 3, []string{"spark.excludeOnFailure.enabled=true", "spark.excludeOnFailure.timeout=60s"})
	c.ready(3)
	c.harmed("a worker's disk is full", func(context.Context) string { return "" })
	c.stop()
}
