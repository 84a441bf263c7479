package connect

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// newSession makes a server and a session without any connection.
func testSession(t *testing.T, o Options) (*Server, *session) {
	t.Helper()
	srv := New(&fakeEngine{}, o)
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := srv.sessions.find(&connectpb.ConfigRequest{SessionId: uuid.NewString()}, true)
	if err != nil {
		t.Fatal(err)
	}
	return srv, s
}

// TestBackPressure: the producer runs ahead by the bound and no further; what was sent is kept up to its own bound.
func TestBackPressure(t *testing.T) {
	_, s := testSession(t, Options{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		const message, ahead, keep = 1000, 10_000, 5_000
		op := newOperation("op", s, &connectpb.ExecutePlanRequest{}, keep, ahead)
		op.reattachable, op.cancel = true, cancel
		produced := 0
		stopped := make(chan error, 1)
		go func() {
			for {
				m := &connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_ArrowBatch_{
					ArrowBatch: &connectpb.ExecutePlanResponse_ArrowBatch{Data: make([]byte, message)}}}
				if err := op.push(ctx, m); err != nil {
					stopped <- err
					return
				}
				produced++
			}
		}()
		synctest.Wait()
		if produced == 0 || produced > ahead/message {
			t.Errorf("%d messages ahead of a client that reads none", produced)
		}
		reader := op.attach()
		var ids []string
		for at := range 100 {
			r, err := op.next(ctx, reader, at)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, r.GetResponseId())
			op.markSent(at)
		}
		synctest.Wait()
		if produced > 100+ahead/message || op.sentSize > keep+2*message || op.newSize > ahead+message {
			t.Errorf("%d produced, %d bytes kept, %d ahead", produced, op.sentSize, op.newSize)
		}
		if at, err := op.position(ids[98]); err != nil || at != 99 {
			t.Error(at, err)
		}
		if _, err := op.position(ids[10]); err == nil {
			t.Error("a response beyond the bound is still there")
		}
		op.release(ids[98])
		if op.first != 99 {
			t.Errorf("%d after release", op.first)
		}
		cancel()
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestAbandoned: an operation that nobody reads ends after its time-out, and so does a session that nobody uses.
func TestAbandoned(t *testing.T) {
	srv, s := testSession(t, Options{DetachedTimeout: time.Minute, SessionTimeout: time.Hour})
	id := uuid.NewString()
	req := &connectpb.ExecutePlanRequest{SessionId: s.key.id, OperationId: &id, Plan: sqlPlan("wait"), RequestOptions: []*connectpb.ExecutePlanRequest_RequestOption{{
		RequestOption: &connectpb.ExecutePlanRequest_RequestOption_ReattachOptions{ReattachOptions: &connectpb.ReattachOptions{Reattachable: true}}}}}
	op, err := srv.start(s, req, "")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	srv.sessions.sweep(now.Add(30 * time.Second))
	if !op.running() {
		t.Error("ended too early")
	}
	reader := op.attach()
	srv.sessions.sweep(now.Add(2 * time.Minute))
	if !op.running() || reader != 1 {
		t.Error("ended while it was read")
	}
	op.detach()
	srv.sessions.sweep(now.Add(2 * time.Minute))
	<-op.ended
	expect(t, op.err, "INVALID_HANDLE.OPERATION_ABANDONED")
	if _, err := srv.start(s, req, ""); err == nil {
		t.Error("an abandoned operation runs again")
	}
	srv.sessions.sweep(now.Add(2 * time.Hour))
	_, err = srv.sessions.get(&connectpb.ConfigRequest{SessionId: s.key.id}, true)
	expect(t, err, "INVALID_HANDLE.SESSION_CLOSED")
	if !s.engine.(*fakeSession).closed {
		t.Error("the engine's session is open")
	}
}

// A client that stops reading does not hold up its query: the rest goes to a file, and comes back in order.
func TestSpool(t *testing.T) {
	_, s := testSession(t, Options{})
	for _, sealed := range []bool{false, true} {
		dir := t.TempDir()
		spool := Spool{Create: func() (*os.File, error) { return os.CreateTemp(dir, "result_") }}
		if sealed {
			b, err := aes.NewCipher(make([]byte, 16))
			if err != nil {
				t.Fatal(err)
			}
			if spool.Seal, err = cipher.NewGCMWithRandomNonce(b); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Test(t, func(t *testing.T) {
			op := newOperation("op", s, &connectpb.ExecutePlanRequest{}, 0, 100)
			op.spool = &spoolFile{Spool: spool}
			op.cancel = func() {}
			for i := range 20 {
				m := &connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_ArrowBatch_{
					ArrowBatch: &connectpb.ExecutePlanResponse_ArrowBatch{RowCount: int64(i), Data: make([]byte, 50)}}}
				if err := op.push(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			op.finish(nil)
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("names are left in the folder: %v %v", left, err)
			}
			var got []int64
			if err := op.stream(t.Context(), 0, func(m *connectpb.ExecutePlanResponse) error {
				got = append(got, m.GetArrowBatch().GetRowCount())
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if len(got) != 20 || !slices.IsSorted(got) {
				t.Errorf("read back %v", got)
			}
			if op.newSize != 0 || op.slow {
				t.Errorf("%d bytes unread, slow %v", op.newSize, op.slow)
			}
			op.close()
		})
	}
}
