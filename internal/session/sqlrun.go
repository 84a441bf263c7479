package session

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
)

// sqlRun is a SQL execution as listeners see it: a query, or a command with the queries that it runs.
type sqlRun struct {
	app *App
	id  event.ExecutionID
	uid string // the same, for the whole world

	mu      sync.Mutex
	started bool
	command string            // "": a query
	parts   []*event.PlanInfo // of plans that were run, the newest last
}

// maxParts is how many plans of one execution are shown; recursions run many.
const maxParts = 20

// openSQL makes a query, or a command, a SQL execution for listeners, unless it is part of one or nobody listens. The
// function that is returned ends it.
func (q *query) openSQL(command string) (end func(error)) {
	a := q.s.app
	if q.sql != nil || a.eventLog == nil {
		return func(error) {}
	}
	r := &sqlRun{app: a, id: event.ExecutionID(a.nextSQL.Add(1) - 1), uid: uuid.NewString(), command: command}
	q.sql = r
	if command != "" {
		r.start(q, command, nil)
	}
	return func(err error) {
		q.sql = nil
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.started {
			a.bus.Publish(event.SQLExecutionEnd{Execution: r.id, Time: time.Now(), Err: err, QueryID: r.uid})
		}
	}
}

// start tells listeners of the execution, once; r may be nil.
func (r *sqlRun) start(q *query, outline string, p physical.Plan) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started {
		return
	}
	r.started = true
	ev := event.SQLExecutionStart{Execution: r.id, Root: r.id, Description: q.description, Time: time.Now(), ModifiedConfigs: q.modified(),
		JobTags: q.tags, JobGroup: q.group, QueryID: r.uid}
	if ev.Description == "" {
		ev.Description = outline
	}
	if p == nil {
		ev.Plan = r.shown()
		ev.PhysicalPlan = "== Physical Plan ==\n" + ev.Plan.SimpleString + "\n"
	} else {
		ev.PhysicalPlan, ev.Plan = planText(p), planInfo(p)
	}
	r.app.bus.Publish(ev)
}

func planText(p physical.Plan) string { return "== Physical Plan ==\n" + physical.Explain(p) + "\n" }

// modified are the session's settings that the application was not started with.
func (q *query) modified() map[string]string {
	out := q.values.All()
	for k, v := range q.s.app.Conf.All() {
		if out[k] == v {
			delete(out, k)
		}
	}
	return out
}

// properties are those of the execution's jobs; r may be nil.
func (r *sqlRun) properties() map[string]string {
	if r == nil {
		return nil
	}
	return map[string]string{"spark.sql.execution.id": strconv.FormatInt(int64(r.id), 10), "spark.sql.execution.root.id": strconv.FormatInt(int64(r.id), 10)}
}

// tell shows listeners the stages that a plan was cut into, with the metrics that the tasks will count.
func (r *sqlRun) tell(plan physical.Plan, stages []*stage) {
	if r == nil {
		return
	}
	for _, s := range stages {
		n := int64(exec.MetricsOf(s.Plan))
		s.metrics = event.AccumulatorID(r.app.nextMetric.Add(n) - n + 1)
	}
	info := (&planDrawing{stages: stages, drawn: map[int]*event.PlanInfo{}}).stage(stages[len(stages)-1])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = append(r.parts, info)
	if len(r.parts) > maxParts {
		r.parts = r.parts[1:]
	}
	r.app.bus.Publish(event.SQLAdaptiveUpdate{Execution: r.id, PhysicalPlan: planText(plan), Plan: r.shown()})
}

// shown is the newest plan with those that were run for it below. The lock is held.
func (r *sqlRun) shown() *event.PlanInfo {
	top := &event.PlanInfo{NodeName: "Execute " + r.command, SimpleString: "Execute " + r.command}
	if len(r.parts) > 0 {
		top = r.parts[len(r.parts)-1]
		if r.command != "" {
			top = &event.PlanInfo{NodeName: "Execute " + r.command, SimpleString: "Execute " + r.command, Children: []*event.PlanInfo{top}}
		}
		if len(r.parts) > 1 {
			with := *top
			for i, p := range r.parts[:len(r.parts)-1] {
				with.Children = append(with.Children[:len(with.Children):len(with.Children)],
					&event.PlanInfo{NodeName: "Subquery", SimpleString: "Subquery " + strconv.Itoa(i+1), Children: []*event.PlanInfo{p}})
			}
			top = &with
		}
	}
	return top
}

// planInfo is a plan without metrics.
func planInfo(p physical.Plan) *event.PlanInfo {
	i := &event.PlanInfo{NodeName: nodeName(p), SimpleString: physical.Describe(p)}
	for _, c := range p.Children() {
		i.Children = append(i.Children, planInfo(c))
	}
	return i
}

// nodeName is the name of an operator that readers show; Spark has the format in that of a scan.
func nodeName(p physical.Plan) string {
	if s, ok := p.(*physical.Scan); ok {
		return "Scan " + s.Table.Provider
	}
	return physical.Name(p)
}

// planDrawing puts the plans of stages together, with the metrics of each.
type planDrawing struct {
	stages []*stage
	drawn  map[int]*event.PlanInfo // exchanges, by the stage below
}

// stage draws the plan of a stage.
func (d *planDrawing) stage(s *stage) *event.PlanInfo {
	next := 0
	var draw func(p physical.Plan) *event.PlanInfo
	draw = func(p physical.Plan) *event.PlanInfo {
		in, input := p.(*physical.StageInput)
		if input {
			next++
			return d.exchange(in)
		}
		i := &event.PlanInfo{NodeName: nodeName(p), SimpleString: physical.Describe(p), Metrics: exec.NodeMetricInfos(s.metrics, next)}
		next++
		for _, c := range p.Children() {
			i.Children = append(i.Children, draw(c))
		}
		return i
	}
	return draw(s.Plan)
}

// exchange draws what is between two stages, and the stage below. What several read is drawn once.
func (d *planDrawing) exchange(in *physical.StageInput) *event.PlanInfo {
	if i := d.drawn[in.Stage]; i != nil {
		return &event.PlanInfo{NodeName: "ReusedExchange", SimpleString: "ReusedExchange of stage " + strconv.Itoa(in.Stage), Children: []*event.PlanInfo{i}}
	}
	below := d.stages[in.Stage]
	i := &event.PlanInfo{NodeName: physical.Name(in.From), SimpleString: physical.DescribeExchange(in.From, in.Stage),
		Metrics: exec.OutputMetricInfos(below.metrics, below.Plan)}
	i.Children = []*event.PlanInfo{d.stage(below)}
	d.drawn[in.Stage] = i
	return i
}

// commandName names a command for people.
func commandName(c logical.Command) string {
	name := fmt.Sprintf("%T", c)
	return name[strings.LastIndexByte(name, '.')+1:]
}
