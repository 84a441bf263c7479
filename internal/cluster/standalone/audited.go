package standalone

import (
	"context"
	"errors"
	"strings"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
)

// audited puts a question of somebody at an address to the master's decisions, and writes to the audit log what users ask for;
// what daemons tell each other is not written.
func (m *Master) audited(ctx context.Context, peer string, event core.Event, question func(core.Ask) core.Event) (core.Reply, error) {
	a, ok := actionOf(event)
	if !ok {
		return m.Ask(ctx, question)
	}
	a.Peer = peer
	e, err := m.o.Audit.Begin(a)
	if err != nil {
		return core.Reply{}, err
	}
	r, err := m.Ask(ctx, question)
	out := audit.Outcome{Rows: -1, Result: r.ID, Err: err}
	if err == nil && !r.OK && r.Message != "" {
		out.Err = errors.New(r.Message)
	}
	_ = e.End(out)
	return r, err
}

func actionOf(event core.Event) (audit.Action, bool) {
	switch e := event.(type) {
	case core.AppRegistered:
		return audit.Action{Name: "register application", User: e.Desc.User, Operation: e.ID, Statement: e.Desc.Name}, true
	case core.DriverSubmitted:
		return audit.Action{Name: "submit", Statement: strings.Join(append([]string{e.Desc.Resource, e.Desc.MainClass}, e.Desc.Args...), " ")}, true
	case core.DriverKill:
		if e.All {
			e.ID = "all drivers"
		}
		return audit.Action{Name: "kill", Statement: e.ID}, true
	case core.Clear:
		return audit.Action{Name: "clear"}, true
	case core.Decommission:
		return audit.Action{Name: "decommission", Statement: strings.Join(append(e.IDs, e.Hosts...), " ")}, true
	}
	return audit.Action{}, false
}
