package session

import (
	"context"
	"errors"
	"os"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/logical"
)

// openAudit opens the audit log, if there is to be one. The application is its first action.
func (a *App) openAudit() (err error) {
	if a.audit, err = audit.Open(a.Conf, a.ID); err != nil {
		return err
	}
	a.running, err = a.audit.Begin(audit.Action{Name: "application", User: audit.Me(), Statement: a.Conf.RedactedArgs(os.Args)})
	return err
}

// Audit is the audit log of the application; nil: there is none.
func (a *App) Audit() *audit.Log { return a.audit }

// audited runs something that a program or a user of this process asks for, and writes it down, unless it is part of what is
// written down already. run tells how many rows it gave.
func (s *Session) audited(ctx context.Context, statement func() string, run func(context.Context) (int64, error)) error {
	if s.app.audit == nil || audit.Covered(ctx) {
		_, err := run(ctx)
		return err
	}
	e, err := s.app.audit.Begin(audit.Action{Name: "execute", User: s.user, Session: s.ID, Statement: statement()})
	if err != nil {
		return err
	}
	out := audit.Outcome{Err: errors.New("a panic")}
	defer func() { _ = e.End(out) }()
	out.Rows, out.Err = run(audit.Cover(ctx))
	return out.Err
}

// Run executes a query, or does a command; batches go to sink, borrowed, from one goroutine at a time.
func (q *Query) Run(ctx context.Context, sink func(*columnar.Batch) error) (err error) {
	defer internal(&err)
	statement := func() string { return logical.Format(q.parsed) }
	return q.q.s.audited(ctx, statement, func(ctx context.Context) (rows int64, err error) {
		count := func(b *columnar.Batch) error { rows += int64(b.N); return sink(b) }
		if q.command != nil {
			err = q.runCommand(ctx, count)
		} else {
			err = q.q.run(ctx, q.plan, count)
		}
		return rows, err
	})
}
