package connect

import (
	"context"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// maxStatuses is how many finished operations of a session can be asked for.
const maxStatuses = 1000

type state = connectpb.GetStatusResponse_OperationStatus_OperationState

// statuses remembers how operations ended that are no longer held.
type statuses struct {
	by    map[string]state
	order []string
}

func (t *statuses) add(op *operation) {
	if t.by == nil {
		t.by = map[string]state{}
	}
	if len(t.order) == maxStatuses {
		delete(t.by, t.order[0])
		t.order = t.order[1:]
	}
	t.order = append(t.order, op.id)
	t.by[op.id] = op.state()
}

func (op *operation) state() state {
	op.mu.Lock()
	defer op.mu.Unlock()
	switch {
	case !op.done && op.aborted != nil:
		return connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_TERMINATING
	case !op.done:
		return connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING
	case op.aborted != nil:
		return connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED
	case op.err != nil:
		return connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_FAILED
	}
	return connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_SUCCEEDED
}

// GetStatus tells how operations are doing: those asked for, or all that are known.
func (s *Server) GetStatus(_ context.Context, r *connectpb.GetStatusRequest) (*connectpb.GetStatusResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	out := &connectpb.GetStatusResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID}
	if r.GetOperationStatus() == nil {
		return out, nil
	}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	ids := r.GetOperationStatus().GetOperationIds()
	if len(ids) == 0 {
		ids = append(ids, ses.finished.order...)
		for id := range ses.ops {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		st := connectpb.GetStatusResponse_OperationStatus_OPERATION_STATE_UNKNOWN
		if op := ses.ops[id]; op != nil {
			st = op.state()
		} else if f, ok := ses.finished.by[id]; ok {
			st = f
		}
		out.OperationStatuses = append(out.OperationStatuses, &connectpb.GetStatusResponse_OperationStatus{OperationId: id, State: st})
	}
	return out, nil
}
