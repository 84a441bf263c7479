package connect

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// operation is one ExecutePlan: a producer that fills a bounded buffer of responses, and at most one client that reads it.
// Responses stay until the client releases them, so that a broken stream can be resumed.
type operation struct {
	id           string
	session      *session
	tags         []string
	peer         string // where it was asked for
	plan         *connectpb.Plan
	reattachable bool
	cancel       context.CancelFunc
	ended        chan struct{} // closed when the producer has returned
	keep         int64         // bytes of sent responses that are kept
	ahead        int64         // bytes of unsent responses from which the producer waits
	spool        *spoolFile    // for what a slow client leaves unread; nil: the producer waits

	mu       sync.Mutex
	change   chan struct{} // closed and replaced whenever something changes
	first    int           // position of buf[0] in the stream
	buf      []*response
	sent     int   // position of the first response that was never sent
	sentSize int64 // bytes of buf that were sent
	newSize  int64 // bytes of buf that were not
	slow     bool  // the producer waited in vain, and the client has not caught up since
	reader   int   // number of the present reader; a newer one displaces it
	readers  int   // readers at work
	idleFrom time.Time
	done     bool
	err      error // after done: how the stream ends; a status
	aborted  *sparkerr.Error
}

// response is a message in memory, or its place in the spool.
type response struct {
	id     string
	msg    *connectpb.ExecutePlanResponse
	size   int64 // in memory
	at     int64 // in the spool
	stored int
}

func newOperation(id string, s *session, r *connectpb.ExecutePlanRequest, keep, ahead int64) *operation {
	op := &operation{id: id, session: s, tags: r.GetTags(), plan: r.GetPlan(), ended: make(chan struct{}), change: make(chan struct{}),
		keep: keep, ahead: ahead, idleFrom: time.Now()}
	for _, o := range r.GetRequestOptions() {
		if o.GetReattachOptions().GetReattachable() {
			op.reattachable = true
		}
	}
	return op
}

// changed wakes everybody who waits; op.mu is held.
func (op *operation) changed() {
	close(op.change)
	op.change = make(chan struct{})
}

// push appends a response. While too much is unread it waits for a while, and then puts the response on a disk if it can. It
// fails when the operation has been cancelled.
func (op *operation) push(ctx context.Context, m *connectpb.ExecutePlanResponse) error {
	m.SessionId, m.ServerSideSessionId = op.session.key.id, op.session.serverID
	m.OperationId, m.ResponseId = op.id, uuid.NewString()
	r := &response{id: m.ResponseId, msg: m, size: int64(proto.Size(m))}
	patience := time.NewTimer(spoolAfter)
	defer patience.Stop()
	op.mu.Lock()
	for op.newSize > 0 && op.newSize+r.size > op.ahead && ctx.Err() == nil {
		if op.slow {
			if stored, ok := op.spool.add(m); ok {
				r = stored
				break
			}
		}
		wait := op.change
		op.mu.Unlock()
		late := false
		select {
		case <-wait:
		case <-patience.C:
			late = true
		case <-ctx.Done():
		}
		op.mu.Lock()
		op.slow = op.slow || late
	}
	defer op.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	op.buf = append(op.buf, r)
	op.newSize += r.size
	op.changed()
	return nil
}

// backlog says whether the client has not read everything yet.
func (op *operation) backlog() bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.newSize > 0 || op.slow
}

// finish ends the stream: with result_complete if it may be resumed, or with an error.
func (op *operation) finish(err error) {
	op.mu.Lock()
	if op.aborted != nil {
		err = op.aborted
	}
	op.mu.Unlock()
	if err == nil && op.reattachable {
		// The bound does not count here: the last word must always fit.
		m := &connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_ResultComplete_{
			ResultComplete: &connectpb.ExecutePlanResponse_ResultComplete{}}}
		m.SessionId, m.ServerSideSessionId = op.session.key.id, op.session.serverID
		m.OperationId, m.ResponseId = op.id, uuid.NewString()
		op.mu.Lock()
		r := &response{id: m.ResponseId, msg: m, size: int64(proto.Size(m))}
		op.buf = append(op.buf, r)
		op.newSize += r.size
		op.mu.Unlock()
	}
	st := op.session.fail(err, op.id)
	op.mu.Lock()
	op.done, op.err = true, st
	op.idleFrom = time.Now()
	op.changed()
	op.mu.Unlock()
	close(op.ended)
}

// abort cancels the producer; the stream then ends with the given error.
func (op *operation) abort(e *sparkerr.Error) {
	op.mu.Lock()
	if op.aborted == nil && !op.done {
		op.aborted = e
	}
	op.mu.Unlock()
	op.cancel()
}

func (op *operation) running() bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	return !op.done
}

// abandoned says whether no client has read for the time-out.
func (op *operation) abandoned(now time.Time, timeout time.Duration) bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.readers == 0 && now.Sub(op.idleFrom) > timeout
}

// position is where reading goes on after a response; "" is the beginning.
func (op *operation) position(after string) (int, error) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if after == "" {
		if op.first > 0 {
			return 0, sparkerr.New("INVALID_CURSOR.POSITION_NOT_AVAILABLE", "index", "1", "responseId", "")
		}
		return 0, nil
	}
	for i, r := range op.buf {
		if r.id == after {
			return op.first + i + 1, nil
		}
	}
	return 0, sparkerr.New("INVALID_CURSOR.POSITION_NOT_FOUND", "responseId", after)
}

// attach makes the caller the reader; an earlier one is displaced. detach ends it.
func (op *operation) attach() int {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.reader++
	op.readers++
	op.changed()
	return op.reader
}

func (op *operation) detach() {
	op.mu.Lock()
	op.readers--
	op.idleFrom = time.Now()
	op.mu.Unlock()
}

// next waits for the response at a position. It is nil at the end of the stream, whose error comes with it.
func (op *operation) next(ctx context.Context, reader, at int) (*connectpb.ExecutePlanResponse, error) {
	for {
		op.mu.Lock()
		wait := op.change
		switch {
		case op.reader != reader:
			op.mu.Unlock()
			return nil, statusOf(sparkerr.New("INVALID_CURSOR.DISCONNECTED"), "")
		case at < op.first:
			op.mu.Unlock()
			return nil, statusOf(sparkerr.New("INVALID_CURSOR.POSITION_NOT_AVAILABLE", "index", "1", "responseId", ""), "")
		case at < op.first+len(op.buf):
			m, err := op.message(op.buf[at-op.first])
			op.mu.Unlock()
			return m, err
		case op.done:
			err := op.err
			op.mu.Unlock()
			return nil, err
		}
		op.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// message is what a response says; op.mu is held.
func (op *operation) message(r *response) (*connectpb.ExecutePlanResponse, error) {
	if r.msg != nil {
		return r.msg, nil
	}
	m, err := op.spool.read(r)
	if err != nil {
		return nil, op.session.fail(err, op.id)
	}
	return m, nil
}

// close gives back what the operation holds on disks; it has been forgotten.
func (op *operation) close() {
	op.mu.Lock()
	op.spool.close()
	op.mu.Unlock()
	op.session.publish(event.ConnectOperation{Time: time.Now(), JobTag: op.jobTag(), Operation: op.id, State: event.ConnectClosed})
}

// markSent notes that the response at a position went out, and drops the oldest sent ones beyond the bound; those of
// operations that cannot be resumed go at once.
func (op *operation) markSent(at int) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if at >= op.sent && at >= op.first {
		op.sent = at + 1
		size := op.buf[at-op.first].size
		op.sentSize += size
		op.newSize -= size
		op.slow = op.slow && op.sent < op.first+len(op.buf)
	}
	drop := 0
	for size := op.sentSize; drop < op.sent-op.first-1 && (size > op.keep || !op.reattachable); drop++ {
		size -= op.buf[drop].size
	}
	op.drop(drop)
	op.changed()
}

// drop removes the first n responses, which have been sent; op.mu is held.
func (op *operation) drop(n int) {
	for _, r := range op.buf[:n] {
		op.sentSize -= r.size
	}
	op.buf = slices.Delete(op.buf, 0, n)
	op.first += n
}

// release drops everything up to a response that the client has.
func (op *operation) release(id string) {
	op.mu.Lock()
	defer op.mu.Unlock()
	for i, r := range op.buf[:max(op.sent-op.first, 0)] {
		if r.id == id {
			op.drop(i + 1)
			op.changed()
			return
		}
	}
}

// stream sends responses from a position on until the stream ends or the reader goes.
func (op *operation) stream(ctx context.Context, at int, send func(*connectpb.ExecutePlanResponse) error) error {
	reader := op.attach()
	defer op.detach()
	for ; ; at++ {
		m, err := op.next(ctx, reader, at)
		if m == nil {
			return err
		}
		if err := send(m); err != nil {
			return err
		}
		op.markSent(at)
	}
}
