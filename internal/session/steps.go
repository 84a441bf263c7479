package session

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/progress"
)

// openLog makes the log that is told the steps of the application, which is nobody's if none was given.
func (a *App) openLog(o *Options) {
	if a.log = o.Log; a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.log.Info("application starts", "name", a.Name, "id", a.ID, "master", o.Master)
}

// tells says whether anybody listens.
func (a *App) tells() bool { return a.log.Enabled(context.Background(), slog.LevelInfo) }

// followJobs tells what becomes of jobs.
func (a *App) followJobs() {
	if a.tells() {
		a.driver.Bus().Subscribe(progress.NewSteps(a.log).Listen)
	}
}

// settleLog lets everything be told that has happened, so that what is told next comes after it.
func (a *App) settleLog() {
	if a.tells() && a.driver != nil {
		a.driver.Bus().Drain()
	}
}

// told makes a sink that counts rows, and a function that tells how the query ended.
func (q *query) told(sink func(*columnar.Batch) error) (counted func(*columnar.Batch) error, end func(err error)) {
	a := q.s.app
	if !a.tells() {
		return sink, func(error) {}
	}
	id, start, rows := a.nextQuery.Add(1), time.Now(), 0
	q.number = id
	a.log.Info("query starts", "query", id, "session", q.s.ID, "description", q.description)
	counted = func(b *columnar.Batch) error { rows += b.N; return sink(b) }
	return counted, func(err error) {
		a.settleLog()
		if err != nil {
			a.log.Info("query failed", "query", id, "took", time.Since(start).Round(time.Millisecond), "error", err)
			return
		}
		a.log.Info("query has its results", "query", id, "rows", rows, "took", time.Since(start).Round(time.Millisecond))
	}
}

// tellStages tells into which stages a plan was cut.
func (x *execution) tellStages() {
	if !x.app.tells() {
		return
	}
	x.app.log.Info("query is planned", "query", x.q.number, "stages", len(x.stages), "slots", x.app.Slots())
	for _, s := range x.stages {
		to := "the client"
		switch {
		case s.Broadcast:
			to = "all tasks, by broadcast"
		case !s.Root:
			to = s.Part.String()
		}
		x.app.log.Info("stage of the plan", "query", x.q.number, "stage", s.ID, "computes", outline(s.Plan), "inputs", s.Inputs, "to", to)
	}
}

// outline names the operators of a stage's plan, the last first.
func outline(p physical.Plan) string {
	if in, ok := p.(*physical.StageInput); ok {
		return fmt.Sprintf("stage %d", in.Stage)
	}
	var parts []string
	for _, c := range p.Children() {
		parts = append(parts, outline(c))
	}
	switch len(parts) {
	case 0:
		return physical.Name(p)
	case 1:
		return physical.Name(p) + " < " + parts[0]
	}
	return physical.Name(p) + " < (" + strings.Join(parts, "; ") + ")"
}
