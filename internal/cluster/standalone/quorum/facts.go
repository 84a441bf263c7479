package quorum

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/hashicorp/raft"
)

// Change sets a fact, or forgets it if Value is nil.
type Change struct {
	Key   string
	Value []byte
}

// command is an entry of the log. One without changes asks for all facts, at the beginning of a term.
type command struct {
	Term    uint64 // of the leader who proposed it; 0: of the entry
	Changes []Change
}

// beginning is what the first command of a term gives its leader.
type beginning struct {
	term  uint64
	facts map[string][]byte
}

// errOver is the result of a command of an earlier term.
var errOver = errors.New("the term is over")

// facts is what the members agree on. It implements raft.FSM.
type facts struct {
	mu  sync.Mutex
	all map[string][]byte
}

// Apply implements raft.FSM.
func (f *facts) Apply(l *raft.Log) any {
	var c command
	if err := json.Unmarshal(l.Data, &c); err != nil {
		return fmt.Errorf("entry %d of the log cannot be read: %w", l.Index, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(c.Changes) == 0 {
		return beginning{l.Term, maps.Clone(f.all)}
	}
	if c.Term != l.Term {
		return errOver
	}
	for _, ch := range c.Changes {
		if ch.Value == nil {
			delete(f.all, ch.Key)
		} else {
			f.all[ch.Key] = ch.Value
		}
	}
	return nil
}

// picture is a snapshot of the facts. It implements raft.FSMSnapshot.
type picture struct{ all map[string][]byte }

// Snapshot implements raft.FSM.
func (f *facts) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return picture{maps.Clone(f.all)}, nil
}

// Persist implements raft.FSMSnapshot.
func (p picture) Persist(sink raft.SnapshotSink) error {
	if err := json.NewEncoder(sink).Encode(p.all); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (picture) Release() {}

// Restore implements raft.FSM.
func (f *facts) Restore(in io.ReadCloser) error {
	defer in.Close()
	all := map[string][]byte{}
	if err := json.NewDecoder(in).Decode(&all); err != nil {
		return fmt.Errorf("a snapshot cannot be read: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = all
	return nil
}
