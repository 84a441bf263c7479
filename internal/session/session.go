package session

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/command"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// Session is a user's view of an application: settings, current database, temporary views.
type Session struct {
	ID      string
	app     *App
	user    string
	conf    *conf.Conf
	catalog *catalog.Session
}

// NewSession opens a session with the application's settings.
func (a *App) NewSession() *Session {
	s := &Session{ID: uuid.NewString(), app: a, user: cluster.UserName(), conf: conf.New(a.Conf.All())}
	s.catalog = catalog.NewSession(a.catalog, s.exactNames)
	a.mu.Lock()
	a.sessions[s] = true
	a.mu.Unlock()
	return s
}

// Close forgets the session.
func (s *Session) Close() {
	s.app.mu.Lock()
	delete(s.app.sessions, s)
	s.app.mu.Unlock()
}

// Conf are the session's settings.
func (s *Session) Conf() *conf.Conf { return s.conf }

func (s *Session) exactNames() bool { return s.conf.Values().Bool("spark.sql.caseSensitive") }

// Parse reads one statement.
func (s *Session) Parse(text string) (logical.Plan, error) {
	text, err := s.substitute(text)
	if err != nil {
		return nil, err
	}
	return sqlparser.ParsePlan(text, s.parserOptions())
}

// ParseExpression reads an expression.
func (s *Session) ParseExpression(text string) (expr.Expr, error) {
	text, err := s.substitute(text)
	if err != nil {
		return nil, err
	}
	return sqlparser.ParseExpression(text, s.parserOptions())
}

func (s *Session) parserOptions() sqlparser.Options {
	return sqlparser.SessionOptions(s.conf.Values().String, time.Now())
}

// Query is a resolved query, or a command that has not run yet.
type Query struct {
	q       *query
	parsed  logical.Plan
	plan    logical.Plan // resolved
	command logical.Command
	result  *command.Result // of a command that was done
}

// Prepare resolves a plan.
func (s *Session) Prepare(ctx context.Context, p logical.Plan) (_ *Query, err error) {
	defer internal(&err)
	q := s.newQuery()
	resolved, err := analyzer.Analyze(q.analysis(ctx), p)
	if err != nil {
		return nil, err
	}
	out := &Query{q: q, parsed: p, plan: resolved}
	out.command, _ = resolved.(logical.Command)
	return out, nil
}

// internal turns a panic, a broken invariant of the engine, into INTERNAL_ERROR with the stack.
func internal(err *error) {
	if r := recover(); r != nil {
		e := sparkerr.Internal("%v", r)
		e.Stack = string(debug.Stack())
		*err = e
	}
}

// Schema are the columns of the result; those of a command are known when it was done.
func (q *Query) Schema() *types.Schema {
	if q.result != nil {
		return q.result.Schema
	}
	return schemaOf(q.plan.Output())
}

// Plan is the resolved plan.
func (q *Query) Plan() logical.Plan { return q.plan }

// SQL parses, resolves and executes one statement: the schema is told first, then the batches, borrowed.
func (s *Session) SQL(ctx context.Context, text string, schema func(*types.Schema) error, sink func(*columnar.Batch) error) error {
	return s.audited(ctx, func() string { return text }, func(ctx context.Context) (rows int64, err error) {
		err = s.sql(ctx, text, schema, func(b *columnar.Batch) error { rows += int64(b.N); return sink(b) })
		return rows, err
	})
}

func (s *Session) sql(ctx context.Context, text string, schema func(*types.Schema) error, sink func(*columnar.Batch) error) error {
	p, err := s.Parse(text)
	if err != nil {
		return err
	}
	q, err := s.Prepare(ctx, p)
	if err != nil {
		return err
	}
	q.q.description = strings.TrimSpace(text)
	if q.command != nil {
		if _, err := q.do(ctx); err != nil {
			return err
		}
	}
	if err := schema(q.Schema()); err != nil {
		return err
	}
	return q.Run(ctx, sink)
}

// open opens the data behind a table.
func (q *query) open(t *catalog.Table) (*types.Schema, catalog.Relation, error) {
	rel, err := source.Open(context.Background(), t, q.src)
	if err != nil {
		return nil, nil, err
	}
	return rel.Schema(), rel, nil
}

// SetUser says whose session it is.
func (s *Session) SetUser(name string) { s.user = name }

// Clone copies the session: settings, temporary views and functions, current catalog and database.
func (s *Session) Clone() *Session {
	c := s.app.NewSession()
	c.user, c.conf = s.user, s.conf.Clone()
	c.catalog = s.catalog.Clone(c.exactNames)
	return c
}

// Describe says what listeners know the query and its jobs by.
func (q *Query) Describe(description string, tags []string) {
	q.q.description, q.q.tags = description, tags
}

// OnProgress is told how far the query is while it runs.
func (q *Query) OnProgress(f func(Progress)) { q.q.progress = f }

// Explain prints the query's plans. Mode: simple, extended, codegen, cost, formatted.
func (q *Query) Explain(mode string) (string, error) { return q.q.explain(mode, q.parsed, q.plan) }
