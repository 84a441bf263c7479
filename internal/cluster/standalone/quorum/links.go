package quorum

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/firesteel/firesteel/internal/rpc"
)

// The methods with which members talk.
const (
	methodAppend   = "quorum.append"
	methodVote     = "quorum.vote"
	methodPreVote  = "quorum.prevote"
	methodSnapshot = "quorum.snapshot"
	methodTimeout  = "quorum.timeout"
)

// IsMethod says whether a method is for Handle.
func IsMethod(name string) bool {
	switch name {
	case methodAppend, methodVote, methodPreVote, methodSnapshot, methodTimeout:
		return true
	}
	return false
}

// codec knows what travels between members.
var codec = func() *rpc.Codec {
	c := rpc.NewCodec()
	rpc.Custom(c, func(e *rpc.Encoder, t time.Time) { e.Int(t.UnixNano()) }, func(d *rpc.Decoder) time.Time { return time.Unix(0, d.Int()) })
	return c
}()

// snapshotMessage is a snapshot on its way.
type snapshotMessage struct {
	Request raft.InstallSnapshotRequest
	Data    []byte
}

// patience is how long a member waits for another one's answer, and slow how long for one to something large.
const (
	patience = 3 * time.Second
	slow     = time.Minute
	large    = 1 << 20
)

// links are the connections to the other members. They implement raft.Transport.
type links struct {
	self     raft.ServerAddress
	dial     func(ctx context.Context, address string) (*rpc.Conn, error)
	incoming chan raft.RPC
	base     context.Context
	stop     context.CancelCauseFunc

	mu        sync.Mutex
	to        map[raft.ServerAddress]*link
	heartbeat func(raft.RPC)
}

// link is the connection to one member, made when it is needed.
type link struct {
	mu   sync.Mutex
	conn *rpc.Conn
}

func newLinks(self string, dial func(context.Context, string) (*rpc.Conn, error)) *links {
	l := &links{self: raft.ServerAddress(self), dial: dial, incoming: make(chan raft.RPC), to: map[raft.ServerAddress]*link{}}
	l.base, l.stop = context.WithCancelCause(context.Background())
	return l
}

// close ends the connections.
func (l *links) close() {
	l.stop(raft.ErrTransportShutdown)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.to {
		k.mu.Lock()
		if k.conn != nil {
			k.conn.Close()
		}
		k.mu.Unlock()
	}
}

func (l *links) conn(ctx context.Context, target raft.ServerAddress) (*rpc.Conn, error) {
	l.mu.Lock()
	k := l.to[target]
	if k == nil {
		k = &link{}
		l.to[target] = k
	}
	l.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn != nil && k.conn.Err() == nil {
		return k.conn, nil
	}
	if l.base.Err() != nil {
		return nil, raft.ErrTransportShutdown
	}
	c, err := l.dial(ctx, string(target))
	if err != nil {
		return nil, err
	}
	k.conn = c
	return c, nil
}

// call asks another member.
func (l *links) call(target raft.ServerAddress, method string, request, response any) error {
	body, err := codec.Append(nil, request)
	if err != nil {
		return err
	}
	limit := patience
	if len(body) > large {
		limit = slow
	}
	ctx, cancel := context.WithTimeoutCause(l.base, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	c, err := l.conn(ctx, target)
	if err != nil {
		return err
	}
	out, err := c.Call(ctx, method, body)
	if err != nil {
		return err
	}
	return codec.Decode(out, response)
}

// handle answers another member.
func (l *links) handle(ctx context.Context, method string, body []byte) ([]byte, error) {
	r := raft.RPC{}
	var err error
	beat := false
	switch method {
	case methodAppend:
		q := &raft.AppendEntriesRequest{}
		err = codec.Decode(body, q)
		r.Command, beat = q, len(q.Entries) == 0 && q.PrevLogEntry == 0 && q.PrevLogTerm == 0 && q.LeaderCommitIndex == 0
	case methodVote:
		q := &raft.RequestVoteRequest{}
		r.Command, err = q, codec.Decode(body, q)
	case methodPreVote:
		q := &raft.RequestPreVoteRequest{}
		r.Command, err = q, codec.Decode(body, q)
	case methodTimeout:
		q := &raft.TimeoutNowRequest{}
		r.Command, err = q, codec.Decode(body, q)
	case methodSnapshot:
		q := &snapshotMessage{}
		err = codec.Decode(body, q)
		r.Command, r.Reader = &q.Request, bytes.NewReader(q.Data)
	default:
		err = fmt.Errorf("a master knows no method %q", method)
	}
	if err != nil {
		return nil, err
	}
	return l.deliver(ctx, r, beat)
}

// deliver hands a request to raft and waits for its answer.
func (l *links) deliver(ctx context.Context, r raft.RPC, beat bool) ([]byte, error) {
	answer := make(chan raft.RPCResponse, 1)
	r.RespChan = answer
	l.mu.Lock()
	fast := l.heartbeat
	l.mu.Unlock()
	if beat && fast != nil {
		fast(r)
	} else {
		select {
		case l.incoming <- r:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-l.base.Done():
			return nil, raft.ErrTransportShutdown
		}
	}
	select {
	case a := <-answer:
		if a.Error != nil {
			return nil, a.Error
		}
		return encodeResponse(a.Response)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.base.Done():
		return nil, raft.ErrTransportShutdown
	}
}

func encodeResponse(response any) ([]byte, error) {
	switch x := response.(type) {
	case *raft.AppendEntriesResponse:
		return codec.Append(nil, x)
	case *raft.RequestVoteResponse:
		return codec.Append(nil, x)
	case *raft.RequestPreVoteResponse:
		return codec.Append(nil, x)
	case *raft.InstallSnapshotResponse:
		return codec.Append(nil, x)
	case *raft.TimeoutNowResponse:
		return codec.Append(nil, x)
	}
	return nil, fmt.Errorf("raft answered with %T", response)
}

// Consumer implements raft.Transport.
func (l *links) Consumer() <-chan raft.RPC { return l.incoming }

// LocalAddr implements raft.Transport.
func (l *links) LocalAddr() raft.ServerAddress { return l.self }

// AppendEntriesPipeline implements raft.Transport: entries go one request after the other.
func (l *links) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

// AppendEntries implements raft.Transport.
func (l *links) AppendEntries(_ raft.ServerID, to raft.ServerAddress, q *raft.AppendEntriesRequest, a *raft.AppendEntriesResponse) error {
	return l.call(to, methodAppend, q, a)
}

// RequestVote implements raft.Transport.
func (l *links) RequestVote(_ raft.ServerID, to raft.ServerAddress, q *raft.RequestVoteRequest, a *raft.RequestVoteResponse) error {
	return l.call(to, methodVote, q, a)
}

// RequestPreVote implements raft.WithPreVote.
func (l *links) RequestPreVote(_ raft.ServerID, to raft.ServerAddress, q *raft.RequestPreVoteRequest, a *raft.RequestPreVoteResponse) error {
	return l.call(to, methodPreVote, q, a)
}

// maxSnapshot bounds a snapshot that is sent.
const maxSnapshot = 400 << 20

// InstallSnapshot implements raft.Transport.
func (l *links) InstallSnapshot(_ raft.ServerID, to raft.ServerAddress, q *raft.InstallSnapshotRequest, a *raft.InstallSnapshotResponse, data io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(data, maxSnapshot+1))
	if err != nil {
		return err
	}
	if len(b) > maxSnapshot {
		return errors.New("the snapshot is too large to be sent")
	}
	return l.call(to, methodSnapshot, &snapshotMessage{*q, b}, a)
}

// TimeoutNow implements raft.Transport.
func (l *links) TimeoutNow(_ raft.ServerID, to raft.ServerAddress, q *raft.TimeoutNowRequest, a *raft.TimeoutNowResponse) error {
	return l.call(to, methodTimeout, q, a)
}

// EncodePeer implements raft.Transport.
func (l *links) EncodePeer(_ raft.ServerID, a raft.ServerAddress) []byte { return []byte(a) }

// DecodePeer implements raft.Transport.
func (l *links) DecodePeer(b []byte) raft.ServerAddress { return raft.ServerAddress(b) }

// SetHeartbeatHandler implements raft.Transport.
func (l *links) SetHeartbeatHandler(h func(raft.RPC)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heartbeat = h
}

var (
	_ raft.Transport   = (*links)(nil)
	_ raft.WithPreVote = (*links)(nil)
)
