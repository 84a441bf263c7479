package driver

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/firesteel/firesteel/internal/event"
)

// DefaultQueue is how many events may wait for a listener (spark.scheduler.listenerbus.eventqueue.capacity).
const DefaultQueue = 10000

// Bus carries events from publishers to listeners. Each listener has a goroutine and a bounded
// queue of its own: a slow one loses events, counted, and holds up neither publishers nor other
// listeners. A listener gets the events in the order in which they were published.
type Bus struct {
	capacity int
	mu       sync.Mutex
	subs     atomic.Pointer[[]*Subscription]
	closed   bool
}

// Subscription is one listener on a bus.
type Subscription struct {
	bus    *Bus
	listen func(event.Event)

	mu      sync.Mutex
	changed *sync.Cond
	queue   []event.Event
	lost    int64 // since the last event that was queued
	dropped int64 // in all
	panics  int64
	busy    bool
	closed  bool
	done    chan struct{}
}

// NewBus gives a bus whose queues hold so many events; 0 means DefaultQueue.
func NewBus(capacity int) *Bus {
	if capacity <= 0 {
		capacity = DefaultQueue
	}
	b := &Bus{capacity: capacity}
	b.subs.Store(&[]*Subscription{})
	return b
}

// Publish queues an event for every listener. It never blocks.
func (b *Bus) Publish(e event.Event) {
	for _, s := range *b.subs.Load() {
		s.put(e, b.capacity)
	}
}

// Active says whether anybody listens.
func (b *Bus) Active() bool { return len(*b.subs.Load()) > 0 }

// Subscribe calls listen, on one goroutine, for every event published from now on. Where events
// were lost, an event.Dropped tells how many. A listener that panics loses the event, no more.
// On a closed bus the subscription gets nothing.
func (b *Bus) Subscribe(listen func(event.Event)) *Subscription {
	s := &Subscription{bus: b, listen: listen, done: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		s.closed = true
		close(s.done)
		return s
	}
	b.replace(append([]*Subscription{s}, *b.subs.Load()...))
	go s.run()
	return s
}

func (b *Bus) replace(subs []*Subscription) { b.subs.Store(&subs) }

// Close delivers what is queued, as long as ctx allows, and ends all subscriptions.
func (b *Bus) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	subs := *b.subs.Load()
	b.replace([]*Subscription{})
	b.mu.Unlock()
	for _, s := range subs {
		s.close()
	}
	for _, s := range subs {
		select {
		case <-s.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Drain waits until every listener has seen all that was published before.
func (b *Bus) Drain() {
	for _, s := range *b.subs.Load() {
		s.drain()
	}
}

func (s *Subscription) put(e event.Event, capacity int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if len(s.queue) >= capacity {
		s.lost++
		s.dropped++
		return
	}
	if s.lost > 0 {
		s.queue = append(s.queue, event.Dropped{Count: s.lost})
		s.lost = 0
	}
	s.queue = append(s.queue, e)
	if len(s.queue) <= 2 {
		s.changed.Broadcast()
	}
}

func (s *Subscription) run() {
	defer close(s.done)
	var batch []event.Event
	for {
		batch = s.take(batch)
		if len(batch) == 0 {
			return
		}
		for i, e := range batch {
			s.deliver(e)
			batch[i] = nil
		}
	}
}

// take waits for events and swaps the queue for the given empty one; it gives none at the end.
func (s *Subscription) take(old []event.Event) []event.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.changed.Broadcast()
	for len(s.queue) == 0 && !s.closed {
		s.changed.Wait()
	}
	batch := s.queue
	s.queue = old[:0]
	s.busy = len(batch) > 0
	return batch
}

func (s *Subscription) deliver(e event.Event) {
	defer func() {
		if recover() != nil {
			s.mu.Lock()
			s.panics++
			s.mu.Unlock()
		}
	}()
	s.listen(e)
}

func (s *Subscription) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for (len(s.queue) > 0 || s.busy) && !s.ended() {
		s.changed.Wait()
	}
}

func (s *Subscription) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *Subscription) close() {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
}

// Close ends the subscription; events that are still queued are delivered first. It does not wait
// for that, so a listener may close itself.
func (s *Subscription) Close() {
	b := s.bus
	b.mu.Lock()
	var rest []*Subscription
	for _, o := range *b.subs.Load() {
		if o != s {
			rest = append(rest, o)
		}
	}
	b.replace(rest)
	b.mu.Unlock()
	s.close()
}

// Dropped is how many events the listener lost because it was too slow.
func (s *Subscription) Dropped() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Panics is how many events made the listener panic.
func (s *Subscription) Panics() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.panics
}
