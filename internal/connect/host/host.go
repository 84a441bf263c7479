// Package host lets the Connect server serve the sessions of an application.
package host

import (
	"context"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/connect"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// Engine makes the server's sessions in one application.
type Engine struct{ App *session.App }

// NewSession implements connect.Engine.
func (e Engine) NewSession(user, _ string) (connect.Session, error) {
	s := e.App.NewSession()
	if user != "" {
		s.SetUser(user)
	}
	return &adapter{s}, nil
}

type adapter struct{ s *session.Session }

func (a *adapter) Conf() *conf.Conf { return a.s.Conf() }
func (a *adapter) Close() error     { a.s.Close(); return nil }

// Clone implements connect.Cloner.
func (a *adapter) Clone(string) (connect.Session, error) { return &adapter{a.s.Clone()}, nil }

// Query parses a statement and binds its parameter markers.
func (a *adapter) Query(text string, named map[string]expr.Expr, positional []expr.Expr) (logical.Plan, error) {
	p, err := a.s.Parse(text)
	if err != nil || len(named) == 0 && len(positional) == 0 {
		return p, err
	}
	return &logical.WithParams{Named: named, Positional: positional, Child: p}, nil
}

func (a *adapter) Expr(text string) (expr.Expr, error)       { return a.s.ParseExpression(text) }
func (a *adapter) Type(text string) (types.Type, error)      { return sqlparser.ParseType(text) }
func (a *adapter) Schema(text string) (*types.Schema, error) { return sqlparser.ParseSchema(text) }
func (a *adapter) Identifier(text string) ([]string, error)  { return sqlparser.ParseIdentifier(text) }

func (a *adapter) Analyze(ctx context.Context, p logical.Plan) (connect.Query, error) {
	q, err := a.s.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	return &query{q}, nil
}

type query struct{ *session.Query }

// Run implements connect.Query.
func (q *query) Run(ctx context.Context, sink connect.Sink) error {
	q.OnProgress(func(p session.Progress) {
		stages := make([]connect.Stage, len(p.Stages))
		for i, s := range p.Stages {
			stages[i] = connect.Stage{ID: int64(s.ID), Tasks: int64(s.Tasks), Completed: int64(s.Done), BytesRead: s.Bytes, Done: s.Over}
		}
		sink.Progress(stages, p.Tasks)
	})
	if jobs, ok := connect.JobsOf(ctx); ok {
		q.Describe(jobs.Description, jobs.Tags)
	}
	return q.Query.Run(ctx, func(b *columnar.Batch) error { return sink.Batch(b) })
}

// SameAs implements connect.Comparer.
func (q *query) SameAs(other connect.Query) bool {
	o, ok := other.(*query)
	return ok && session.SameResult(q.Query, o.Query)
}
