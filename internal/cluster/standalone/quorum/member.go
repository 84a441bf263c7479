package quorum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/firesteel/firesteel/internal/rpc"
)

// Options describe a member.
type Options struct {
	Self    string   // host:port, one of Members
	Members []string // of all masters
	Dir     string   // its own
	Reset   bool     // forget what the folder holds
	// Dial connects to another member.
	Dial func(ctx context.Context, address string) (*rpc.Conn, error)
	// Silence is how long nothing may be heard of a leader before another one is elected; 0: 2 s.
	Silence time.Duration
	Log     *slog.Logger
}

// Term is a time in which this member leads.
type Term struct {
	Number uint64
	Facts  map[string][]byte // committed before it
}

// Member is one of several masters.
type Member struct {
	raft   *raft.Raft
	links  *links
	disk   *disk
	turns  chan bool
	busy   sync.WaitGroup
	quit   chan struct{}
	change func(*Term)
}

// The limits of what waits for other members.
const (
	commitLimit = 20 * time.Second
	snapshots   = 2   // are kept
	keptEntries = 128 // of the log besides a snapshot
	perSnapshot = 1024
	perMessage  = 4 // entries; one may hold the files of a submission
)

// Open makes a member of the masters. change is told when a term begins in which it leads, and with nil when it is over, one after
// the other; it must not block.
func Open(o Options, change func(*Term)) (m *Member, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Silence <= 0 {
		o.Silence = 2 * time.Second
	}
	members := slices.Clone(o.Members)
	slices.Sort(members)
	if len(slices.Compact(slices.Clone(members))) != len(members) {
		return nil, fmt.Errorf("a master is named twice in %s", strings.Join(o.Members, ","))
	}
	if !slices.Contains(members, o.Self) {
		return nil, fmt.Errorf("%s is none of the masters %s: the address of this one (--host, --port) must be among them", o.Self, strings.Join(o.Members, ","))
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the recovery folder cannot be used: %w", err)
	}
	if o.Reset {
		if err := reset(o.Dir); err != nil {
			return nil, fmt.Errorf("the recovery folder cannot be emptied: %w", err)
		}
	}
	m = &Member{links: newLinks(o.Self, o.Dial), turns: make(chan bool, 16), quit: make(chan struct{}), change: change}
	if m.disk, err = openDisk(o.Dir, o.Self, members); err != nil {
		return nil, err
	}
	if err := m.begin(o, members); err != nil {
		m.links.close()
		return nil, errors.Join(err, m.disk.close(false))
	}
	m.busy.Go(m.watch)
	return m, nil
}

func (m *Member) begin(o Options, members []string) error {
	log := hclog.New(&hclog.LoggerOptions{Name: "raft", Level: hclog.Warn, Output: lines{o.Log}, DisableTime: true})
	shots, err := raft.NewFileSnapshotStoreWithLogger(o.Dir, snapshots, log)
	if err != nil {
		return &DirError{filepath.Join(o.Dir, snapshotName), err}
	}
	c := raft.DefaultConfig()
	c.LocalID, c.Logger, c.NotifyCh, c.NoLegacyTelemetry = raft.ServerID(o.Self), log, m.turns, true
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = o.Silence, o.Silence, o.Silence*3/4
	c.SnapshotThreshold, c.TrailingLogs, c.SnapshotInterval, c.MaxAppendEntries = perSnapshot, keptEntries, 30*time.Second, perMessage
	f := &facts{all: map[string][]byte{}}
	known, err := raft.HasExistingState(m.disk, m.disk, shots)
	if err != nil {
		return &DirError{o.Dir, err}
	}
	if !known {
		var all raft.Configuration
		for _, a := range members {
			all.Servers = append(all.Servers, raft.Server{ID: raft.ServerID(a), Address: raft.ServerAddress(a)})
		}
		if err := raft.BootstrapCluster(c, m.disk, m.disk, shots, m.links, all); err != nil {
			return fmt.Errorf("the recovery folder %s cannot be begun: %w", o.Dir, err)
		}
	}
	if m.raft, err = raft.NewRaft(c, f, m.disk, m.disk, shots, m.links); err != nil {
		return &DirError{o.Dir, err}
	}
	return nil
}

// watch tells the host of terms.
func (m *Member) watch() {
	for {
		select {
		case leads := <-m.turns:
			if !leads {
				m.change(nil)
				continue
			}
			if t, err := m.first(); err == nil { // else the term is over already, which comes next
				m.change(t)
			}
		case <-m.quit:
			return
		}
	}
}

// first begins a term: what was committed before is known once its first command is applied.
func (m *Member) first() (*Term, error) {
	body, err := json.Marshal(command{})
	if err != nil {
		return nil, err
	}
	f := m.raft.Apply(body, commitLimit)
	if err := f.Error(); err != nil {
		return nil, err
	}
	b, ok := f.Response().(beginning)
	if !ok {
		return nil, fmt.Errorf("the first command of a term gave %v", f.Response())
	}
	return &Term{b.term, b.facts}, nil
}

// Commit makes changes in the name of a term of this member.
func (m *Member) Commit(term uint64, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	body, err := json.Marshal(command{term, changes})
	if err != nil {
		return err
	}
	f := m.raft.Apply(body, commitLimit)
	if err := f.Error(); err != nil {
		return fmt.Errorf("the other masters did not take a change: %w", err)
	}
	if err, ok := f.Response().(error); ok {
		return err
	}
	return nil
}

// Renew begins a term again for a host that could not commit, if this member still leads: nobody else would tell it.
func (m *Member) Renew() {
	if m.raft.State() != raft.Leader {
		return
	}
	select {
	case m.turns <- true:
	default: // it is told of more recent turns
	}
}

// Leader is the address of the member that leads, as far as this one knows; "": nobody.
func (m *Member) Leader() string {
	a, _ := m.raft.LeaderWithID()
	return string(a)
}

// Handle answers another member: what came for a method of IsMethod.
func (m *Member) Handle(ctx context.Context, method string, body []byte) ([]byte, error) {
	return m.links.handle(ctx, method, body)
}

// Resign lets another member lead, if there is one; it is for a leader that ends.
func (m *Member) Resign() {
	if m.raft.State() == raft.Leader {
		_ = m.raft.LeadershipTransfer().Error() // else they elect one when they miss this one
	}
}

// Close ends the membership of this process; the folder keeps what it needs to go on.
func (m *Member) Close() error {
	f := m.raft.Shutdown()
	m.links.close() // what raft waits for ends
	err := f.Error()
	close(m.quit)
	m.busy.Wait()
	return errors.Join(err, m.disk.close(err == nil))
}

// lines writes raft's log to ours.
type lines struct{ log *slog.Logger }

func (l lines) Write(b []byte) (int, error) {
	l.log.Warn(strings.TrimSpace(string(b)))
	return len(b), nil
}
