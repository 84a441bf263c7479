package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/shuffle"
	"github.com/firesteel/firesteel/internal/wire"
)

// places remembers where map outputs lie, as the driver told.
type places struct {
	mu       sync.Mutex
	shuffles map[event.ShuffleID]*knownShuffle
	lost     map[event.ExecutorID]bool
	blocks   map[event.ExecutorID]string // block servers
}

// knownShuffle is what is known of one shuffle. Its lock is held while the driver is asked.
type knownShuffle struct {
	mu    sync.Mutex
	epoch int64 // -1: nothing is known
	maps  []shuffle.MapStatus
}

func newPlaces() *places {
	return &places{shuffles: map[event.ShuffleID]*knownShuffle{}, lost: map[event.ExecutorID]bool{}, blocks: map[event.ExecutorID]string{}}
}

func (l *places) of(id event.ShuffleID) *knownShuffle {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.shuffles[id]
	if k == nil {
		k = &knownShuffle{epoch: -1}
		l.shuffles[id] = k
	}
	return k
}

func (l *places) forget(id event.ShuffleID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.shuffles, id)
}

// lose notes that an executor is gone. All that is known may be about it, and is asked for again.
// It gives the address of its block server, if that is known.
func (l *places) lose(id event.ExecutorID) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.shuffles)
	l.lost[id] = true
	addr := l.blocks[id]
	delete(l.blocks, id)
	return addr
}

// address is the block server of an executor.
func (l *places) address(id event.ExecutorID) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := l.blocks[id]
	switch {
	case l.lost[id]:
		return "", block.ErrPeerLost
	case addr == "":
		return "", fmt.Errorf("the driver told no address of executor %s", id)
	}
	return addr, nil
}

// errMissing is the cause of a fetch failure where the driver knows no place.
var errMissing = errors.New("Missing an output location for shuffle")

// statuses implements Env.Statuses.
func (p *process) statuses(ctx context.Context, id event.ShuffleID, epoch int64) ([]shuffle.MapStatus, error) {
	k := p.places.of(id)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.epoch >= 0 && k.epoch >= epoch {
		return k.maps, nil
	}
	limit := p.conf.Duration("spark.network.timeout")
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the driver did not say within %s (spark.network.timeout) where shuffle %d lies", limit, id))
	defer cancel()
	var a wire.StatusAnswer
	if err := p.ask(ctx, wire.MethodStatuses, &wire.StatusQuery{Shuffle: id, Epoch: epoch}, &a); err != nil {
		return nil, err
	}
	missing := func() error {
		return &event.FetchError{FetchFailed: event.FetchFailed{Shuffle: id, Map: -1, Cause: fmt.Errorf("%w %d", errMissing, id)}}
	}
	if !a.Known {
		return nil, missing()
	}
	maps := make([]shuffle.MapStatus, len(a.Maps))
	for i, m := range a.Maps {
		if m.At == "" {
			return nil, missing()
		}
		maps[i] = shuffle.MapStatus{Map: i, Epoch: a.Epoch, At: m.At, Host: m.Host, Sizes: m.Sizes}
	}
	p.places.learn(a.Peers)
	k.epoch, k.maps = a.Epoch, maps
	return maps, nil
}

// moved implements shuffle.Peers.Where: it asks the driver anew.
func (p *process) moved(ctx context.Context, id event.ShuffleID, m shuffle.MapStatus) (shuffle.MapStatus, bool) {
	p.places.forget(id)
	maps, err := p.statuses(ctx, id, 0)
	if err != nil || m.Map >= len(maps) || maps[m.Map].At == m.At {
		return m, false
	}
	return maps[m.Map], true
}

func (l *places) learn(peers map[event.ExecutorID]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, at := range peers {
		if !l.lost[id] {
			l.blocks[id] = at
		}
	}
}
