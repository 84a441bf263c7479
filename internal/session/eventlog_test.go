package session

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// logged is what a reader of an event log makes of it.
type logged struct {
	t            *testing.T
	events       map[string]int
	last         string
	jobs, stages map[string]int // that have not ended: how often they were begun
	tasks        map[string]int
	sql          map[float64]*loggedSQL
	executors    map[string]bool
	properties   map[string]any
}

type loggedSQL struct {
	description string
	ended       bool
	err         string
	plan        loggedPlan
	counted     map[float64]string // the newest value of each metric
	jobs        int
}

type loggedPlan struct {
	NodeName string
	Children []loggedPlan
	Metrics  []struct {
		Name          string
		AccumulatorID float64 `json:"accumulatorId"`
	}
}

// rows is the number of rows that the topmost operator of a name put out.
func (q *loggedSQL) rows(p loggedPlan, name string) string {
	if p.NodeName == name {
		for _, m := range p.Metrics {
			if m.Name == "number of output rows" {
				return q.counted[m.AccumulatorID]
			}
		}
	}
	for _, c := range p.Children {
		if n := q.rows(c, name); n != "" {
			return n
		}
	}
	return ""
}

// replay reads the log of the only application below a folder.
func replay(t *testing.T, dir string) *logged {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "eventlog_v2_*", "events_1_*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v: %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	l := &logged{t: t, events: map[string]int{}, jobs: map[string]int{}, stages: map[string]int{}, tasks: map[string]int{}, sql: map[float64]*loggedSQL{},
		executors: map[string]bool{}}
	for line := range bytes.Lines(data) {
		e := map[string]any{}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		name, _ := e["Event"].(string)
		_, l.last, _ = strings.Cut(name, "SparkListener")
		l.events[l.last]++
		l.add(l.last, e, line)
	}
	return l
}

func at(e map[string]any, keys ...string) any {
	var v any = e
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func (l *logged) add(name string, e map[string]any, line []byte) {
	switch name {
	case "EnvironmentUpdate":
		l.properties, _ = e["Spark Properties"].(map[string]any)
	case "ExecutorAdded":
		l.executors[fmt.Sprint(e["Executor ID"])] = true
	case "JobStart":
		l.jobs[fmt.Sprint(e["Job ID"])]++
		for id, q := range l.sql {
			if at(e, "Properties", "spark.sql.execution.id") == fmt.Sprint(id) {
				q.jobs++
				if at(e, "Properties", "spark.job.description") != q.description {
					l.t.Errorf("a job of %q is described otherwise: %s", q.description, line)
				}
			}
		}
	case "JobEnd":
		l.jobs[fmt.Sprint(e["Job ID"])]--
	case "StageSubmitted":
		l.stages[fmt.Sprint(at(e, "Stage Info", "Stage ID"), at(e, "Stage Info", "Stage Attempt ID"))]++
	case "StageCompleted":
		l.stages[fmt.Sprint(at(e, "Stage Info", "Stage ID"), at(e, "Stage Info", "Stage Attempt ID"))]--
	case "TaskStart":
		l.tasks[fmt.Sprint(at(e, "Task Info", "Task ID"))]++
		if ex := fmt.Sprint(at(e, "Task Info", "Executor ID")); !l.executors[ex] {
			l.t.Errorf("a task runs on executor %s, which is not there", ex)
		}
	case "TaskEnd":
		l.tasks[fmt.Sprint(at(e, "Task Info", "Task ID"))]--
		list, _ := at(e, "Task Info", "Accumulables").([]any)
		for _, a := range list {
			m := a.(map[string]any)
			for _, q := range l.sql {
				q.counted[m["ID"].(float64)] = fmt.Sprint(m["Value"])
			}
		}
	case "SQLExecutionStart", "SQLAdaptiveExecutionUpdate", "SQLExecutionEnd":
		l.addSQL(name, e, line)
	}
}

func (l *logged) addSQL(name string, e map[string]any, line []byte) {
	id := e["executionId"].(float64)
	if name == "SQLExecutionStart" {
		l.sql[id] = &loggedSQL{description: fmt.Sprint(e["description"]), counted: map[float64]string{}}
		return
	}
	q := l.sql[id]
	if q == nil || q.ended {
		l.t.Errorf("no such execution runs: %s", line)
		return
	}
	if name == "SQLExecutionEnd" {
		q.ended, q.err = true, fmt.Sprint(e["errorMessage"])
		return
	}
	var plan struct {
		Plan loggedPlan `json:"sparkPlanInfo"`
	}
	if err := json.Unmarshal(line, &plan); err != nil {
		l.t.Fatal(err)
	}
	q.plan = plan.Plan
}

// settled says that everything that was begun has ended.
func (l *logged) settled() {
	l.t.Helper()
	if l.last != "ApplicationEnd" || l.events["LogStart"] != 1 || l.events["ApplicationStart"] != 1 {
		l.t.Errorf("the log is not that of one application that ended: %v, last %s", l.events, l.last)
	}
	for what, open := range map[string]map[string]int{"job": l.jobs, "stage": l.stages, "task": l.tasks} {
		for id, n := range open {
			if n != 0 {
				l.t.Errorf("%s %s: %d more begun than ended", what, id, n)
			}
		}
	}
	for id, q := range l.sql {
		if !q.ended {
			l.t.Errorf("SQL execution %v has not ended", id)
		}
	}
}

func (l *logged) query(prefix string) *loggedSQL {
	l.t.Helper()
	for _, q := range l.sql {
		if strings.HasPrefix(q.description, prefix) {
			return q
		}
	}
	l.t.Fatalf("no SQL execution %q", prefix)
	return nil
}

// A reader of the log finds every job, stage, task and SQL execution begun and ended, the executions with their jobs and
// with the rows that their operators put out, and no secret: in this process and on executors.
func TestEventLog(t *testing.T) {
	for _, c := range []struct {
		name      string
		cluster   bool
		executors int
	}{{"in this process", false, 1}, {"on executors", true, 2}} {
		t.Run(c.name, func(t *testing.T) {
			var fake *fakeCluster
			if c.cluster {
				fake = newFakeCluster(t, 2, 2)
			}
			dir := t.TempDir()
			s := begin(t, fake, map[string]string{"spark.eventLog.enabled": "true", "spark.eventLog.dir": dir, "spark.eventLog.compress": "false",
				"spark.my.password": "hunter2"})
			withTables(t, s)
			rows(t, s, "SELECT l_returnflag, count(*) FROM lineitem JOIN orders ON l_orderkey = o_orderkey "+
				"WHERE o_totalprice > (SELECT avg(o_totalprice) FROM orders) GROUP BY l_returnflag")
			rows(t, s, "CREATE TABLE made AS SELECT n_nationkey FROM nation")
			if _, err := try(t.Context(), s, "SELECT raise_error('no') FROM nation"); err == nil {
				t.Fatal("the query should fail")
			}
			if err := s.app.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			l := replay(t, dir)
			l.settled()
			if len(l.executors) != c.executors || l.properties["spark.my.password"] == "hunter2" || l.properties["spark.app.id"] != s.app.ID {
				t.Errorf("executors %v, properties %v", l.executors, l.properties)
			}
			q := l.query("SELECT l_returnflag")
			if got := q.rows(q.plan, "Project"); got != "3" || q.jobs < 2 || q.err != "" {
				t.Errorf("%s rows by %d jobs, error %q", got, q.jobs, q.err)
			}
			if q := l.query("CREATE TABLE made"); q.rows(q.plan, "Scan parquet") != "25" || q.plan.NodeName != "Execute CreateTable" {
				t.Errorf("the command's plan is %+v, counted %v", q.plan, q.counted)
			}
			if q := l.query("SELECT raise_error"); !strings.Contains(q.err, "USER_RAISED_EXCEPTION") {
				t.Errorf("the failed query's error is %q", q.err)
			}
		})
	}
}
