package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/tpch"
)

func start(t *testing.T) *session.App {
	t.Helper()
	a, err := session.Start(t.Context(), session.Options{Master: "local[2]", Conf: map[string]string{
		"spark.sql.catalogImplementation": "in-memory", "spark.local.dir": t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestRunMeasuresAndChecks(t *testing.T) {
	dir := t.TempDir()
	if err := tpch.Run(t.Context(), tpch.Options{ScaleFactor: 0.01, OutputDir: dir, Tables: []string{"region"}, Parallel: 1}); err != nil {
		t.Fatal(err)
	}
	queries := []Query{
		{"names", "create or replace temporary view n as select r_name from region; select count(*), cast(1.5 as decimal(5,2)), 2.5D, true from n"},
		{"wrong", "select r_regionkey from region"},
		{"failing", "select nothing from region"},
		{"unchecked", "select timestamp'2024-02-29 12:00:00'"},
	}
	answers := Answers{"names": {{"5", "1.50", "2.5", "True"}}, "wrong": {{"4"}, {"3"}, {"2"}, {"1"}, {"7"}}}
	var out bytes.Buffer
	rep, err := Run(t.Context(), start(t), Options{Suite: "own", Data: dir, Queries: queries, Runs: 2, Answers: answers, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	r := rep.Results
	if r[0].Answer != "right" || r[0].Rows != 1 || len(r[0].Hot) != 2 || r[0].Read == 0 || r[0].Error != "" {
		t.Errorf("names: %+v", r[0])
	}
	if r[1].Answer != "wrong: 0, not 1" {
		t.Errorf("wrong: %+v", r[1])
	}
	if !strings.Contains(r[2].Error, "UNRESOLVED_COLUMN") {
		t.Errorf("failing: %+v", r[2])
	}
	if r[3].Answer != "" || r[3].Hash == "" {
		t.Errorf("unchecked: %+v", r[3])
	}
	if rep.Right() {
		t.Error("a report with a wrong answer and a failure is right")
	}
	if !strings.Contains(out.String(), "3 queries") || !strings.Contains(out.String(), "1 right, 1 wrong; 1 failed") {
		t.Errorf("summary:\n%s", out.String())
	}
}

func TestNoTables(t *testing.T) {
	if _, err := Run(t.Context(), start(t), Options{Data: t.TempDir(), Out: &bytes.Buffer{}}); err == nil {
		t.Error("a folder without tables was accepted")
	}
}

func TestCompare(t *testing.T) {
	old := &Report{Results: []Result{{Query: "q1", Cold: 9, Hot: []float64{3, 2}, CPU: 4, Peak: 100, Hash: "a"}, {Query: "q2", Error: "x"}}}
	path := filepath.Join(t.TempDir(), "old.json")
	if err := old.Save(path); err != nil {
		t.Fatal(err)
	}
	kept, err := ReadReport(path)
	if err != nil {
		t.Fatal(err)
	}
	now := &Report{Results: []Result{{Query: "q1", Hot: []float64{1}, CPU: 1, Peak: 50, Hash: "b"}, {Query: "q2", Hot: []float64{1}}}}
	text := Compare(kept, now)
	for _, want := range []string{"0.50", "0.25", "rows differ", "hot 0.500, cpu 0.250"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "q2") {
		t.Errorf("a query that failed before is compared:\n%s", text)
	}
}

func TestReadQueries(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"q10", "q2", "q14b", "q14a"} {
		if err := os.WriteFile(filepath.Join(dir, n+".sql"), []byte("select 1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := ReadQueries(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, q := range all {
		names = append(names, q.Name)
	}
	if got := strings.Join(names, " "); got != "q2 q10 q14a q14b" {
		t.Errorf("order: %s", got)
	}
	if _, err := Select(all, []string{"q3"}); err == nil {
		t.Error("a query that is not there was selected")
	}
	if some, err := Select(all, []string{"q10", "q2"}); err != nil || len(some) != 2 || some[0].Name != "q10" {
		t.Errorf("selected %v, %v", some, err)
	}
}

func TestSimulate(t *testing.T) {
	var out strings.Builder
	if err := Simulate(3, 100, &out); err != nil || !strings.Contains(out.String(), "100 tasks on 3 executors") {
		t.Error(out.String(), err)
	}
}

func TestTasksAreCounted(t *testing.T) {
	var out strings.Builder
	if err := Tasks(t.Context(), start(t), 200, 1, &out); err != nil || !strings.HasPrefix(out.String(), "200 tasks on 2 slots") {
		t.Error(out.String(), err)
	}
}
