package standalone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/cluster/standalone/quorum"
	"github.com/firesteel/firesteel/internal/rpc"
)

// A master among several leads or stands by. What it decides while it leads counts only once the others have it, so two
// masters that both believe to lead cannot contradict each other: one of them cannot save. A standby has no connections of
// workers and applications: who asks it is told where the leader is, and who goes on asking is cut off.

// standing is how a master answers who looks for the leader.
type standing struct {
	Leads  bool
	Leader string // host:port; "": nobody leads
}

// StandbyError says that a master does not lead.
type StandbyError struct {
	Master string // host:port
	Leader string // "": none is known
}

func (e *StandbyError) Error() string {
	if e.Leader == "" {
		return e.Master + " is a standby, and no leader is known: more than half of the masters must run"
	}
	return e.Master + " is a standby, leader is " + e.Leader
}

// quorate says whether the master is one of several.
func (o *MasterOptions) quorate() bool { return len(o.Masters) > 0 }

// masters are the addresses of all masters.
func (m *Master) masters() []string {
	if m.o.quorate() {
		return m.o.Masters
	}
	return []string{m.Addr()}
}

// joinQuorum makes this master one of several. It leads when they have elected it.
func (m *Master) joinQuorum() error {
	if m.o.Recovery == "" {
		return errors.New("several masters need a folder for what they agree on: spark.deploy.recoveryDirectory")
	}
	member, err := quorum.Open(quorum.Options{Self: m.Addr(), Members: m.o.Masters, Dir: m.o.Recovery, Reset: m.o.Reset, Silence: m.o.Silence, Log: m.log,
		Dial: func(ctx context.Context, address string) (*rpc.Conn, error) {
			return rpc.Dial(ctx, address, m.o.rpc("the master at "+m.Addr()), silent{})
		}}, func(t *quorum.Term) { m.put(input{turn: t, turned: true}) })
	if err == nil {
		m.member.Store(member)
	}
	return err
}

// turn begins a term in which this master leads, or ends it.
func (m *Master) turn(t *quorum.Term) {
	m.standBy()
	if t == nil {
		return
	}
	e := core.Recovered{}
	for key, b := range t.Facts {
		r, err := decodeRecord(b)
		if err != nil { // of a newer release
			m.log.Error("this master cannot lead: it does not understand what the others agreed on", "record", key, "error", err)
			m.member.Load().Resign()
			return
		}
		e.Records = append(e.Records, r)
	}
	slices.SortFunc(e.Records, func(a, b core.Record) int { return strings.Compare(a.Key(), b.Key()) })
	m.log.Info("this master leads", "term", t.Number, "records", len(e.Records))
	m.mu.Lock()
	m.leads, m.term = true, t.Number
	m.mu.Unlock()
	m.step(e)
}

// standBy ends what a leader does.
func (m *Master) standBy() {
	m.mu.Lock()
	led := m.leads
	m.leads = false
	m.mu.Unlock()
	for _, e := range m.later {
		if e.instead != nil {
			e.instead()
		}
	}
	m.state, m.later, m.changes = core.New(m.o.Core), nil, nil
	for id, c := range m.asks {
		delete(m.asks, id)
		close(c) // who waits is told
	}
	if !led {
		return
	}
	m.log.Warn("this master does not lead any more")
	for _, p := range m.peers {
		if !p.master.Load() {
			go p.conn.Close()
		}
	}
}

// standing tells who leads.
func (m *Master) standing() standing {
	m.mu.Lock()
	leads := m.leads
	m.mu.Unlock()
	s := standing{Leads: leads, Leader: m.Addr()}
	if !leads {
		s.Leader = ""
		if q := m.member.Load(); q != nil {
			s.Leader = q.Leader()
		}
		if s.Leader == m.Addr() { // elected, and not ready yet
			s.Leader = ""
		}
	}
	return s
}

// standbyError is what a standby answers.
func (m *Master) standbyError() error { return &StandbyError{m.Addr(), m.standing().Leader} }

// agree makes changes with the other masters. If they do not, this one does not lead any more.
func (m *Master) agree(changes []change) bool {
	all := make([]quorum.Change, len(changes))
	for i, c := range changes {
		all[i].Key = c.key
		if c.save == nil {
			continue
		}
		b, err := encodeRecord(c.save)
		if err != nil {
			m.log.Error("a record cannot be written", "key", c.key, "error", err)
			return true
		}
		all[i].Value = b
	}
	if err := m.member.Load().Commit(m.term, all); err != nil {
		m.log.Warn("what was decided does not count", "error", err)
		m.standBy()
		m.member.Load().Renew()
		return false
	}
	return true
}

// fromMaster answers another master.
func (h *masterHandler) fromMaster(ctx context.Context, method string, body []byte) ([]byte, error) {
	q := h.m.member.Load()
	if q == nil {
		return nil, fmt.Errorf("the master at %s is not one of several", h.m.Addr())
	}
	h.p.master.Store(true)
	return q.Handle(ctx, method, body)
}
