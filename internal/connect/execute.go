package connect

import (
	"context"
	"runtime/debug"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// ExecutePlan runs a plan and streams its results. A plan sent again under the same operation id joins the running one.
func (s *Server) ExecutePlan(r *connectpb.ExecutePlanRequest, stream connectpb.SparkConnectService_ExecutePlanServer) error {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return err
	}
	op, err := s.start(ses, r, peerOf(stream.Context()))
	if err != nil {
		return ses.fail(err, r.GetOperationId())
	}
	err = op.stream(stream.Context(), 0, stream.Send)
	if !op.reattachable {
		op.abort(sparkerr.New("OPERATION_CANCELED", "operationId", op.id)) // no effect if it has ended
		<-op.ended
		ses.forget(op)
	}
	return err
}

// start makes the operation of a request and runs it, or finds the one that the request is a repetition of.
func (s *Server) start(ses *session, r *connectpb.ExecutePlanRequest, peer string) (*operation, error) {
	id := r.GetOperationId()
	if id == "" {
		id = uuid.NewString()
	} else if _, err := uuid.Parse(id); err != nil || len(id) != 36 {
		return nil, handleError("FORMAT", id)
	}
	v := ses.engine.Conf().Values()
	op := newOperation(id, ses, r, v.Bytes("spark.connect.execute.reattachable.observerRetryBufferSize"), s.opts.ReadAhead)
	op.peer = peer
	op.spool = &spoolFile{Spool: s.opts.Spool}
	op.reattachable = op.reattachable && v.Bool("spark.connect.execute.reattachable.enabled")
	ctx, cancel := context.WithCancel(s.base)
	op.cancel = cancel
	ses.mu.Lock()
	defer ses.mu.Unlock()
	old := ses.ops[id]
	switch {
	case ses.closed:
		cancel()
		return nil, handleError("SESSION_CLOSED", ses.key.id)
	case ses.gone.set[id]:
		cancel()
		return nil, handleError("OPERATION_ABANDONED", id)
	case old != nil && old.reattachable && (r.GetPlan() == nil || proto.Equal(old.plan, r.GetPlan())):
		cancel()
		return old, nil
	case old != nil:
		cancel()
		return nil, handleError("OPERATION_ALREADY_EXISTS", id)
	}
	ses.ops[id] = op
	s.work.Go(func() { s.run(ctx, op, r) })
	return op, nil
}

// run is the producer of an operation. A panic is a broken invariant and ends it with INTERNAL_ERROR.
func (s *Server) run(ctx context.Context, op *operation, r *connectpb.ExecutePlanRequest) {
	defer op.cancel()
	var err error
	defer func() {
		op.finish(err)
		op.session.settle(op)
	}()
	defer func() {
		if p := recover(); p != nil {
			e := sparkerr.Internal("%v", p)
			e.Stack = string(debug.Stack())
			err = e
		}
	}()
	err = s.audited(audit.Cover(ctx), op, r)
}

// audited writes down what is executed.
func (s *Server) audited(ctx context.Context, op *operation, r *connectpb.ExecutePlanRequest) error {
	p, broken := op.session.unpack(r.GetPlan())
	a := audit.Action{Name: "execute", User: op.session.key.user, Peer: op.peer, Session: op.session.key.id, Operation: op.id, Tags: op.tags}
	if s.opts.Audit != nil {
		a.Statement = statement(p)
	}
	e, err := s.opts.Audit.Begin(a)
	if err != nil {
		return err
	}
	end := audit.Outcome{Err: sparkerr.Internal("a panic")}
	defer func() { _ = e.End(end) }()
	if end.Err = broken; broken == nil {
		end.Rows, end.Err = s.published(ctx, op, p, func(ctx context.Context) (int64, error) { return s.execute(ctx, op, r, p) })
	}
	return end.Err
}

// execute does what the plan says and pushes the responses. It tells how many rows it pushed.
func (s *Server) execute(ctx context.Context, op *operation, r *connectpb.ExecutePlanRequest, p *connectpb.Plan) (rows int64, err error) {
	out := newResults(ctx, op, r)
	err = out.plan(p)
	return out.offset, err
}

// plan does what a plan says.
func (o *results) plan(p *connectpb.Plan) error {
	switch k := p.GetOpType().(type) {
	case *connectpb.Plan_Root:
		return o.relation(k.Root)
	case *connectpb.Plan_Command:
		return o.command(k.Command)
	}
	return sparkerr.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Plan", "name", "op_type")
}

// forget removes a finished operation from its session.
func (s *session) forget(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ops[op.id] == op {
		s.drop(op)
	}
}

// drop takes an operation from those that clients can read; s.mu is held.
func (s *session) drop(op *operation) {
	delete(s.ops, op.id)
	s.gone.add(op.id)
	s.finished.add(op)
	op.close()
}

// settle notes how an operation ended that was dropped before its end.
func (s *session) settle(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, dropped := s.finished.by[op.id]; dropped {
		s.finished.by[op.id] = op.state()
	}
}

// ReattachExecute resumes the stream of an operation.
func (s *Server) ReattachExecute(r *connectpb.ReattachExecuteRequest, stream connectpb.SparkConnectService_ReattachExecuteServer) error {
	ses, err := s.sessions.get(r, false)
	if err != nil {
		return err
	}
	op, at, err := ses.resume(r)
	if err != nil {
		return ses.fail(err, r.GetOperationId())
	}
	a, _ := actionOf(stream.Context(), r, s.opts.Audit)
	return notDone(s.opts.Audit.Do(a, func() error { return op.stream(stream.Context(), at, stream.Send) }))
}

func (s *session) resume(r *connectpb.ReattachExecuteRequest) (*operation, int, error) {
	id := r.GetOperationId()
	s.mu.Lock()
	op, gone := s.ops[id], s.gone.set[id]
	s.mu.Unlock()
	switch {
	case op == nil && gone:
		return nil, 0, handleError("OPERATION_ABANDONED", id)
	case op == nil:
		return nil, 0, handleError("OPERATION_NOT_FOUND", id)
	case !op.reattachable:
		return nil, 0, sparkerr.New("INVALID_CURSOR.NOT_REATTACHABLE")
	}
	at, err := op.position(r.GetLastResponseId())
	return op, at, err
}

// ReleaseExecute drops responses that the client has, or the whole operation. Clients send it late and often, so an
// operation that is not known is no error.
func (s *Server) ReleaseExecute(_ context.Context, r *connectpb.ReleaseExecuteRequest) (*connectpb.ReleaseExecuteResponse, error) {
	ses, err := s.sessions.get(r, false)
	if err != nil {
		return nil, err
	}
	out := &connectpb.ReleaseExecuteResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID}
	ses.mu.Lock()
	op := ses.ops[r.GetOperationId()]
	ses.mu.Unlock()
	if op == nil {
		return out, nil
	}
	out.OperationId = &op.id
	switch k := r.GetRelease().(type) {
	case *connectpb.ReleaseExecuteRequest_ReleaseUntil_:
		op.release(k.ReleaseUntil.GetResponseId())
	case *connectpb.ReleaseExecuteRequest_ReleaseAll_:
		op.abort(sparkerr.New("OPERATION_CANCELED", "operationId", op.id))
		ses.forget(op)
	default:
		return nil, ses.fail(sparkerr.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.ReleaseExecuteRequest",
			"name", "release"), op.id)
	}
	return out, nil
}

// Interrupt cancels running operations: all, those of a tag, or one.
func (s *Server) Interrupt(_ context.Context, r *connectpb.InterruptRequest) (*connectpb.InterruptResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	out := &connectpb.InterruptResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID}
	match := map[connectpb.InterruptRequest_InterruptType]func(*operation) bool{
		connectpb.InterruptRequest_INTERRUPT_TYPE_ALL:          func(*operation) bool { return true },
		connectpb.InterruptRequest_INTERRUPT_TYPE_TAG:          func(op *operation) bool { return op.tagged(r.GetOperationTag()) },
		connectpb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID: func(op *operation) bool { return op.id == r.GetOperationId() },
	}[r.GetInterruptType()]
	if match == nil {
		return nil, ses.fail(sparkerr.Unsupported("interrupt of type "+r.GetInterruptType().String()), "")
	}
	for _, op := range ses.running() {
		if match(op) {
			op.abort(sparkerr.New("OPERATION_CANCELED", "operationId", op.id))
			out.InterruptedIds = append(out.InterruptedIds, op.id)
		}
	}
	return out, nil
}

func (op *operation) tagged(tag string) bool {
	for _, t := range op.tags {
		if t == tag {
			return true
		}
	}
	return false
}
