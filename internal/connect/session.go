package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/connect/lower"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// sessionKey names a session: ids are the clients', so they count per user.
type sessionKey struct{ user, id string }

// session is what the server keeps of one client session.
type session struct {
	key      sessionKey
	serverID string
	engine   Session
	publish  func(event.Event)

	mu        sync.Mutex
	closed    bool
	lastUsed  time.Time
	ops       map[string]*operation
	gone      tombstones // ids of operations that were released or abandoned
	finished  statuses   // how finished operations ended
	errors    map[string]*sparkerr.Error
	errorIDs  []string
	relations map[string]checkpoint
	artifacts artifacts
}

// checkpoint is a relation whose rows are kept.
type checkpoint struct {
	read   logical.Plan
	forget func() error
}

// tombstones remembers the last ids of things that are gone, up to a number.
type tombstones struct {
	set   map[string]bool
	order []string
	limit int
}

func (t *tombstones) add(id string) {
	if t.set == nil {
		t.set = map[string]bool{}
	}
	if t.set[id] {
		return
	}
	if len(t.order) >= t.limit {
		delete(t.set, t.order[0])
		t.order = t.order[1:]
	}
	t.set[id] = true
	t.order = append(t.order, id)
}

// lowerer makes a Lowerer for one plan of the session.
func (s *session) lowerer(ctx context.Context) *lower.Lowerer {
	v := s.engine.Conf().Values()
	return &lower.Lowerer{
		Parse: s.engine, Artifact: s.artifacts.cached, Remote: s.relation, Format: v.String("spark.sql.sources.default"),
		Collect: func(p logical.Plan) (*types.Schema, []*columnar.Batch, error) { return s.collect(ctx, p) },
		Schema: func(p logical.Plan) (*types.Schema, error) {
			q, err := s.engine.Analyze(ctx, p)
			if err != nil {
				return nil, err
			}
			return q.Schema(), nil
		},
		Print:        s.format().Cell,
		MaxTranspose: int(v.Int("spark.sql.transposeMaxValues")),
	}
}

// collect runs a plan and keeps its rows.
func (s *session) collect(ctx context.Context, p logical.Plan) (*types.Schema, []*columnar.Batch, error) {
	q, err := s.engine.Analyze(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	k := &keeper{ctx: ctx}
	err = q.Run(ctx, k)
	return q.Schema(), k.rows, err
}

// keeper is a Sink that keeps copies of the rows and nothing else.
type keeper struct {
	ctx  context.Context
	rows []*columnar.Batch
}

// Batch implements Sink.
func (k *keeper) Batch(b *columnar.Batch) error {
	if b.N > 0 {
		k.rows = append(k.rows, b.Clone())
	}
	return k.ctx.Err()
}

// Progress and Observed implement Sink.
func (k *keeper) Progress([]Stage, int) {}
func (k *keeper) Observed(Observation)  {}

// relation finds a checkpoint.
func (s *session) relation(id string) (logical.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.relations[id]; ok {
		return c.read, nil
	}
	return nil, sparkerr.New("CONNECT_INVALID_PLAN.DATAFRAME_NOT_FOUND", "dfId", id, "sessionId", s.key.id)
}

// running are the operations that have not ended.
func (s *session) running() []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*operation
	for _, op := range s.ops {
		if op.running() {
			out = append(out, op)
		}
	}
	return out
}

// close cancels what runs, waits for it, and frees what the session holds.
func (s *session) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	ops := s.ops
	s.ops = nil
	s.mu.Unlock()
	for _, op := range ops {
		op.abort(handleError("SESSION_CLOSED", s.key.id))
	}
	for _, op := range ops {
		<-op.ended
		op.close()
	}
	s.mu.Lock()
	kept := s.relations
	s.relations = nil
	s.mu.Unlock()
	var errs []error
	for _, c := range kept {
		errs = append(errs, c.forget())
	}
	s.artifacts.close()
	s.publish(event.ConnectSession{Time: time.Now(), Session: s.key.id, User: s.key.user, Ended: true})
	return errors.Join(append(errs, s.engine.Close())...)
}

// sessions is the session manager.
type sessions struct {
	srv *Server

	mu     sync.Mutex
	live   map[sessionKey]*session
	closed map[sessionKey]bool
	order  []sessionKey // of closed, oldest first
}

func newSessions(srv *Server) *sessions {
	return &sessions{srv: srv, live: map[sessionKey]*session{}, closed: map[sessionKey]bool{}}
}

// request is what all requests carry.
type request interface {
	GetSessionId() string
	GetUserContext() *connectpb.UserContext
}

// get finds the session of a request, or makes it. The error is a status.
func (m *sessions) get(r request, create bool) (*session, error) {
	s, err := m.find(r, create)
	if err != nil {
		e := typed(err, "")
		return nil, statusOf(e, "")
	}
	return s, nil
}

func (m *sessions) find(r request, create bool) (*session, error) {
	key := sessionKey{r.GetUserContext().GetUserId(), r.GetSessionId()}
	if _, err := uuid.Parse(key.id); err != nil || len(key.id) != 36 {
		return nil, handleError("FORMAT", key.id)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed[key] {
		return nil, handleError("SESSION_CLOSED", key.id)
	}
	s := m.live[key]
	observed := ""
	if o, ok := r.(interface {
		GetClientObservedServerSideSessionId() string
	}); ok {
		observed = o.GetClientObservedServerSideSessionId()
	}
	switch {
	case observed != "" && (s == nil || s.serverID != observed):
		return nil, handleError("SESSION_CHANGED", key.id)
	case s == nil && !create:
		return nil, handleError("SESSION_NOT_FOUND", key.id)
	case s == nil:
		e, err := m.srv.engine.NewSession(key.user, key.id)
		if err != nil {
			return nil, err
		}
		s = m.add(key, e)
	}
	s.touch()
	return s, nil
}

// add registers a session; m.mu is held.
func (m *sessions) add(key sessionKey, e Session) *session {
	v := e.Conf().Values()
	s := &session{key: key, serverID: uuid.NewString(), engine: e, publish: m.srv.publish, ops: map[string]*operation{}, errors: map[string]*sparkerr.Error{},
		relations: map[string]checkpoint{}}
	s.gone.limit = int(v.Int("spark.connect.execute.manager.abandonedTombstonesSize"))
	s.artifacts.limit = v.Int("spark.sql.session.localRelationSizeLimit")
	s.artifacts.session, s.artifacts.quota, s.artifacts.parent = key.id, sessionShare*m.srv.opts.MaxArtifact, m.srv.opts.Folder
	m.live[key] = s
	s.publish(event.ConnectSession{Time: time.Now(), Session: key.id, User: key.user})
	return s
}

func (s *session) touch() {
	s.mu.Lock()
	s.lastUsed = time.Now()
	s.mu.Unlock()
}

// release ends a session. Unless the client may come back, its id is not to be used again.
func (m *sessions) release(key sessionKey, reconnect bool) error {
	m.mu.Lock()
	s := m.live[key]
	delete(m.live, key)
	if !reconnect {
		m.bury(key)
	}
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.close()
}

// bury remembers the id of a closed session; m.mu is held.
func (m *sessions) bury(key sessionKey) {
	if m.closed[key] {
		return
	}
	if len(m.order) >= m.srv.opts.ClosedSessions {
		delete(m.closed, m.order[0])
		m.order = m.order[1:]
	}
	m.closed[key] = true
	m.order = append(m.order, key)
}

// clone copies a session under a new id.
func (m *sessions) clone(s *session, id string) (*session, error) {
	if id == "" {
		id = uuid.NewString()
	} else if _, err := uuid.Parse(id); err != nil || len(id) != 36 {
		return nil, sparkerr.New("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT", "targetSessionId", id)
	}
	c, ok := s.engine.(Cloner)
	if !ok {
		return nil, sparkerr.Unsupported("cloneSession")
	}
	key := sessionKey{s.key.user, id}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed[key]:
		return nil, sparkerr.New("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_CLOSED", "targetSessionId", id)
	case m.live[key] != nil:
		return nil, sparkerr.New("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", "targetSessionId", id)
	}
	e, err := c.Clone(id)
	if err != nil {
		return nil, err
	}
	out := m.add(key, e)
	out.touch()
	return out, nil
}

// sweep ends sessions that nobody has used for the session's time-out, and operations that nobody reads.
func (m *sessions) sweep(now time.Time) {
	m.mu.Lock()
	var idle []*session
	for key, s := range m.live {
		s.sweep(now, m.srv.opts.DetachedTimeout)
		if s.idle(now, m.srv.opts.SessionTimeout) {
			idle = append(idle, s)
			delete(m.live, key)
			m.bury(key)
		}
	}
	m.mu.Unlock()
	for _, s := range idle {
		if err := s.close(); err != nil {
			m.srv.opts.Log("closing idle session " + s.key.id + ": " + err.Error())
		}
	}
}

// idle says whether the session has nothing running and was not used for the time-out; a time-out below zero never ends.
func (s *session) idle(now time.Time, timeout time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return timeout >= 0 && len(s.ops) == 0 && now.Sub(s.lastUsed) > timeout
}

// sweep abandons operations that no client has read for the time-out.
func (s *session) sweep(now time.Time, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, op := range s.ops {
		if op.abandoned(now, timeout) {
			op.abort(handleError("OPERATION_ABANDONED", id))
			s.drop(op)
		}
	}
}

// closeAll ends all sessions.
func (m *sessions) closeAll() error {
	m.mu.Lock()
	all := m.live
	m.live = map[sessionKey]*session{}
	m.mu.Unlock()
	var g errgroup.Group
	for _, s := range all {
		g.Go(s.close)
	}
	return g.Wait()
}

// ReleaseSession ends a session.
func (s *Server) ReleaseSession(_ context.Context, r *connectpb.ReleaseSessionRequest) (*connectpb.ReleaseSessionResponse, error) {
	key := sessionKey{r.GetUserContext().GetUserId(), r.GetSessionId()}
	if _, err := uuid.Parse(key.id); err != nil {
		return nil, statusOf(handleError("FORMAT", key.id), "")
	}
	out := &connectpb.ReleaseSessionResponse{SessionId: key.id}
	s.sessions.mu.Lock()
	if ses := s.sessions.live[key]; ses != nil {
		out.ServerSideSessionId = ses.serverID
	}
	s.sessions.mu.Unlock()
	if err := s.sessions.release(key, r.GetAllowReconnect()); err != nil {
		return nil, statusOf(typed(err, ""), "")
	}
	return out, nil
}

// CloneSession copies a session.
func (s *Server) CloneSession(_ context.Context, r *connectpb.CloneSessionRequest) (*connectpb.CloneSessionResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	c, err := s.sessions.clone(ses, r.GetNewSessionId())
	if err != nil {
		return nil, ses.fail(err, "")
	}
	return &connectpb.CloneSessionResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID, NewSessionId: c.key.id,
		NewServerSideSessionId: c.serverID}, nil
}
