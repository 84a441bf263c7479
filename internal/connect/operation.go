package connect

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// operation is one ExecutePlan: a producer that fills a bounded buffer of responses, and at most one client that reads it.
// Responses stay until the client releases them, so that a broken stream can be resumed.
type operation struct {
	id           string
	session      *session
	tags         []string
	plan         *connectpb.Plan
	reattachable bool
	cancel       context.CancelFunc
	ended        chan struct{} // closed when the producer has returned
	keep         int64         // bytes of sent responses that are kept
	ahead        int64         // bytes of unsent responses from which the producer waits

	mu       sync.Mutex
	change   chan struct{} // closed and replaced whenever something changes
	first    int           // position of buf[0] in the stream
	buf      []*response
	sent     int   // position of the first response that was never sent
	sentSize int64 // bytes of buf that were sent
	newSize  int64 // bytes of buf that were not
	reader   int   // number of the present reader; a newer one displaces it
	readers  int   // readers at work
	idleFrom time.Time
	done     bool
	err      error // after done: how the stream ends; a status
	aborted  *sparkerr.Error
}

type response struct {
	msg  *connectpb.ExecutePlanResponse
	size int64
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

// push appends a response. It waits while too much is unread, and fails when the operation has been cancelled.
func (op *operation) push(ctx context.Context, m *connectpb.ExecutePlanResponse) error {
	m.SessionId, m.ServerSideSessionId = op.session.key.id, op.session.serverID
	m.OperationId, m.ResponseId = op.id, uuid.NewString()
	r := &response{m, int64(proto.Size(m))}
	op.mu.Lock()
	for op.newSize > 0 && op.newSize+r.size > op.ahead && ctx.Err() == nil {
		wait := op.change
		op.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
		}
		op.mu.Lock()
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
	return op.newSize > 0
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
		r := &response{m, int64(proto.Size(m))}
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
		if r.msg.ResponseId == after {
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
func (op *operation) next(ctx context.Context, reader, at int) (*response, error) {
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
			r := op.buf[at-op.first]
			op.mu.Unlock()
			return r, nil
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
		if r.msg.ResponseId == id {
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
		r, err := op.next(ctx, reader, at)
		if r == nil {
			return err
		}
		if err := send(r.msg); err != nil {
			return err
		}
		op.markSent(at)
	}
}
