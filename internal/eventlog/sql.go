package eventlog

import (
	"github.com/firesteel/firesteel/internal/event"
)

type sqlStart struct {
	Event       string
	ID          event.ExecutionID `json:"executionId"`
	Root        event.ExecutionID `json:"rootExecutionId"`
	Description string            `json:"description"`
	Details     string            `json:"details"`
	Plan        string            `json:"physicalPlanDescription"`
	Info        planInfo          `json:"sparkPlanInfo"`
	Time        int64             `json:"time"`
	Modified    map[string]string `json:"modifiedConfigs"`
	Tags        []string          `json:"jobTags"`
	Group       *string           `json:"jobGroupId"`
	Query       string            `json:"queryId,omitempty"`
}

type sqlEnd struct {
	Event string
	ID    event.ExecutionID `json:"executionId"`
	Time  int64             `json:"time"`
	Error string            `json:"errorMessage"`
	Query string            `json:"queryId,omitempty"`
}

type sqlUpdate struct {
	Event string
	ID    event.ExecutionID `json:"executionId"`
	Plan  string            `json:"physicalPlanDescription"`
	Info  planInfo          `json:"sparkPlanInfo"`
}

type sqlMetricUpdate struct {
	Event   string
	ID      event.ExecutionID `json:"executionId"`
	Metrics []metricInfo      `json:"sqlPlanMetrics"`
}

type driverUpdates struct {
	Event   string
	ID      event.ExecutionID `json:"executionId"`
	Updates [][2]int64        `json:"accumUpdates"`
}

type planInfo struct {
	Name     string            `json:"nodeName"`
	Text     string            `json:"simpleString"`
	Children []planInfo        `json:"children"`
	Metadata map[string]string `json:"metadata"`
	Metrics  []metricInfo      `json:"metrics"`
}

type metricInfo struct {
	Name string              `json:"name"`
	ID   event.AccumulatorID `json:"accumulatorId"`
	Kind string              `json:"metricType"`
}

// sqlForm is the form of what SQL executions do.
func (e *encoder) sqlForm(name string, ev event.Event) any {
	switch ev := ev.(type) {
	case event.SQLExecutionStart:
		f := sqlStart{Event: name, ID: ev.Execution, Root: ev.Root, Description: e.describe(ev.Description), Details: e.redactText(ev.Details),
			Plan: e.redactText(ev.PhysicalPlan), Info: e.planForm(ev.Plan), Time: millis(ev.Time), Modified: e.redact(ev.ModifiedConfigs),
			Tags: ev.JobTags, Query: ev.QueryID}
		if f.Tags == nil {
			f.Tags = []string{}
		}
		if ev.JobGroup != "" {
			f.Group = &ev.JobGroup
		}
		return f
	case event.SQLExecutionEnd:
		f := sqlEnd{Event: name, ID: ev.Execution, Time: millis(ev.Time), Query: ev.QueryID}
		if ev.Err != nil {
			f.Error = e.redactText(ev.Err.Error())
		}
		return f
	case event.SQLAdaptiveUpdate:
		return sqlUpdate{name, ev.Execution, e.redactText(ev.PhysicalPlan), e.planForm(ev.Plan)}
	case event.SQLAdaptiveMetricUpdate:
		return sqlMetricUpdate{name, ev.Execution, metricForms(ev.Metrics)}
	case event.DriverAccumUpdates:
		f := driverUpdates{Event: name, ID: ev.Execution, Updates: [][2]int64{}}
		for _, u := range ev.Updates {
			f.Updates = append(f.Updates, [2]int64{int64(u.ID), u.Value})
		}
		return f
	}
	return nil
}

func (e *encoder) planForm(p *event.PlanInfo) planInfo {
	if p == nil {
		p = &event.PlanInfo{}
	}
	f := planInfo{p.NodeName, e.redactText(p.SimpleString), make([]planInfo, 0, len(p.Children)), noNil(p.Metadata), metricForms(p.Metrics)}
	for _, c := range p.Children {
		f.Children = append(f.Children, e.planForm(c))
	}
	return f
}

func metricForms(list []event.MetricInfo) []metricInfo {
	out := make([]metricInfo, 0, len(list))
	for _, m := range list {
		out = append(out, metricInfo(m))
	}
	return out
}
