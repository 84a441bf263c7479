package submission

import (
	"context"
	"errors"
	"strings"

	"github.com/firesteel/firesteel/internal/audit"
)

// peerKey finds the address of who asks in the context of a request.
type peerKey struct{}

// audited is a Server whose work is written to the audit log.
type audited struct {
	Server
	log *audit.Log
}

func (s audited) do(ctx context.Context, a audit.Action, ask func() (Reply, error)) (Reply, error) {
	a.Peer, _ = ctx.Value(peerKey{}).(string)
	e, err := s.log.Begin(a)
	if err != nil {
		return Reply{}, err
	}
	r, err := ask()
	out := audit.Outcome{Rows: -1, Result: r.ID, Err: err}
	if err == nil && !r.OK {
		out.Err = errors.New(r.Message)
	}
	_ = e.End(out)
	return r, err
}

// Create implements Server, as do the others.
func (s audited) Create(ctx context.Context, d Driver) (Reply, error) {
	a := audit.Action{Name: "submit", Statement: strings.Join(append([]string{d.Resource, d.MainClass}, d.Args...), " ")}
	return s.do(ctx, a, func() (Reply, error) { return s.Server.Create(ctx, d) })
}

func (s audited) Kill(ctx context.Context, id string) (Reply, error) {
	return s.do(ctx, audit.Action{Name: "kill", Statement: id}, func() (Reply, error) { return s.Server.Kill(ctx, id) })
}

func (s audited) KillAll(ctx context.Context) (Reply, error) {
	return s.do(ctx, audit.Action{Name: "kill", Statement: "all drivers"}, func() (Reply, error) { return s.Server.KillAll(ctx) })
}

func (s audited) Clear(ctx context.Context) (Reply, error) {
	return s.do(ctx, audit.Action{Name: "clear"}, func() (Reply, error) { return s.Server.Clear(ctx) })
}
