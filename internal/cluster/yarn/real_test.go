package yarn

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/yarn"
)

// realSettings are those of an application on the cluster that scripts/clusters/yarn-up started. Containers and tests see the
// same files there.
func realSettings(t *testing.T) (map[string]string, string) {
	if os.Getenv("FIRESTEEL_YARN") == "" {
		t.Skip("no YARN: FIRESTEEL_YARN is not set (see scripts/clusters/yarn-up)")
	}
	dir := t.TempDir()
	return map[string]string{"spark.app.name": t.Name(), "spark.executor.memory": "256m", "spark.driver.memory": "256m", "spark.yarn.report.interval": "100ms",
		"spark.executorEnv.STAND_IN_DIR": dir, "spark.yarn.appMasterEnv.STAND_IN_DIR": dir, "spark.yarn.tags": "one,two", "spark.yarn.priority": "3"}, dir
}

// realApp starts an application in client mode and a function that waits for the next notice.
func realApp(t *testing.T, settings map[string]string) (*Manager, func() cluster.Notice) {
	t.Helper()
	v := conf.NewValues(settings)
	m := New(v)
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	p, err := m.Prepare(ctx)
	if err != nil {
		t.Fatal(err)
	}
	notices := make(chan cluster.Notice, 100)
	t.Cleanup(func() { _ = m.Stop(context.Background()) })
	err = m.Start(ctx, cluster.App{ID: p.ID, User: m.client.user.Short(), DriverURL: p.Host + ":1", UI: settings["ui"], Secret: "s3cret", Conf: settings,
		Executor: cluster.Executor{Cores: 1, Memory: 256 << 20, Binary: self(t), Env: prefixed(v, "spark.executorEnv.")}}, func(n cluster.Notice) { notices <- n })
	if err != nil {
		t.Fatal(err)
	}
	return m, func() cluster.Notice {
		t.Helper()
		select {
		case n := <-notices:
			return n
		case <-time.After(2 * limit):
			t.Fatal("no notice came")
			return nil
		}
	}
}

func awaitFile(t *testing.T, name string) string {
	t.Helper()
	for end := time.Now().Add(2 * limit); !there(name); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", name)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRealClientMode(t *testing.T) {
	settings, dir := realSettings(t)
	greeting := filepath.Join(dir, "greeting.txt")
	if err := os.WriteFile(greeting, []byte("hi"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings["spark.files"] = greeting
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the pages of ", r.URL.Path) }))
	defer pages.Close()
	settings["ui"], settings["spark.yarn.historyServer.address"] = pages.URL, strings.TrimPrefix(pages.URL, "http://")
	m, notice := realApp(t, settings)
	if err := m.Scale(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	got := awaitFile(t, filepath.Join(dir, "executor-1"))
	if !strings.Contains(got, "secret s3cret\nenvironment secret \"\"\n") || !strings.Contains(got, "greeting hi") {
		t.Error(got)
	}
	_, logs, _ := strings.Cut(got, "\nlogs ")
	logs, _, _ = strings.Cut(logs, "\n")
	if page := fetch(t, logs); !strings.Contains(page, "executor 1 is here") {
		t.Errorf("%s: %s", logs, page)
	}
	r := realReport(t, m.client.id)
	if page := fetch(t, r.TrackingURL+"jobs/"); r.OriginalURL != pages.URL || page != "the pages of /jobs/" {
		t.Errorf("tracking URL %s of %s: %s", r.TrackingURL, r.OriginalURL, page)
	}
	awaitFile(t, filepath.Join(dir, "executor-2"))
	if err := m.Kill(t.Context(), []event.ExecutorID{"1"}); err != nil {
		t.Fatal(err)
	}
	if e, ok := notice().(cluster.Exited); !ok || e.ID != "1" || !e.PlatformFault {
		t.Errorf("%+v", e)
	}
	awaitFile(t, filepath.Join(dir, "executor-3"))
	id := m.client.id
	if err := m.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if r = realReport(t, id); r.OriginalURL != fmt.Sprintf("%s/history/%s/1", settings["spark.yarn.historyServer.address"], id) {
		t.Errorf("the tracking URL of an application that has ended is %s", r.OriginalURL)
	}
	if page := fetch(t, r.TrackingURL); page != fmt.Sprintf("the pages of /history/%s/1", id) {
		t.Errorf("the proxy leads from %s to %s", r.TrackingURL, page)
	}
	if r.Final != yarn.FinalSucceeded || len(r.Tags) != 2 || r.Type != "SPARK" {
		t.Errorf("%+v", r)
	}
}

// fetch gives a page.
func fetch(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(b)
}

func realReport(t *testing.T, id yarn.ApplicationID) *yarn.Report {
	t.Helper()
	c, err := hadoop.LoadConf(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := hadoop.CurrentUser(c)
	if err != nil {
		t.Fatal(err)
	}
	rm := yarn.NewClient(c, u)
	defer rm.Close()
	r, err := rm.Report(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The second attempt of an application whose driver fails at first finishes it.
func TestRealClusterMode(t *testing.T) {
	settings, dir := realSettings(t)
	program := filepath.Join(dir, "app")
	if err := os.WriteFile(program, []byte("the program"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := Submit(ctx, Submission{Conf: settings, Binary: self(t), Program: program, Args: []string{"fail at first"}}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	id, err := yarn.ParseApplicationID(strings.Fields(out.String())[2])
	if err != nil {
		t.Fatal(err)
	}
	if r := realReport(t, id); r.Final != yarn.FinalSucceeded || r.Attempt == nil || r.Attempt.Attempt != 2 {
		t.Errorf("%+v", r)
	}
}

// An application in another queue takes back what is its own: the executors are told to leave and then preempted, which is
// nobody's fault.
func TestRealPreemption(t *testing.T) {
	settings, dir := realSettings(t)
	settings["spark.executor.maxNumFailures"] = "1"
	greedy, notice := realApp(t, settings)
	c, err := hadoop.LoadConf(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := hadoop.CurrentUser(c)
	if err != nil {
		t.Fatal(err)
	}
	rm := yarn.NewClient(c, u)
	defer rm.Close()
	nodes, err := rm.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cores := 0
	for _, n := range nodes {
		cores += int(n.Capability.Cores)
	}
	if err := greedy.Scale(t.Context(), cores-1); err != nil { // all but the master's
		t.Fatal(err)
	}
	for n := range cores - 1 {
		awaitFile(t, filepath.Join(dir, "executor-"+string(rune('1'+n))))
	}
	other, _ := realSettings(t)
	other["spark.yarn.queue"] = "other"
	modest, _ := realApp(t, other)
	if err := modest.Scale(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(other["spark.executorEnv.STAND_IN_DIR"], "executor-1"))
	leaving := false
	for {
		switch n := notice().(type) {
		case cluster.Leaving:
			leaving = true
			continue
		case cluster.Exited:
			if !n.PlatformFault || !strings.Contains(n.Reason, "was preempted") {
				t.Errorf("%+v", n)
			}
		default:
			t.Errorf("%+v", n)
		}
		break
	}
	if !leaving {
		t.Error("the preemption was not announced")
	}
	for _, m := range []*Manager{modest, greedy} {
		if err := m.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
