package connect

import (
	"context"
	"crypto/subtle"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/firesteel/firesteel/internal/audit"
)

// begins looks at the header of every call, before anything else of the call is read: it must have the token, and its messages
// have to come in time.
func (s *Server) begins(ctx context.Context, _ *tap.Info) (context.Context, error) {
	if err := s.authorize(ctx); err != nil {
		return nil, err
	}
	ctx, give := context.WithCancel(ctx)
	p := &patience{limit: s.opts.Patience, timer: time.AfterFunc(s.opts.Patience, give)}
	p.forget = context.AfterFunc(ctx, func() { p.timer.Stop() })
	return context.WithValue(ctx, patienceKey{}, p), nil
}

// authorize checks the token in constant time.
func (s *Server) authorize(ctx context.Context) error {
	if s.opts.Token == "" {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, v := range md.Get("authorization") {
		if subtle.ConstantTimeCompare([]byte(v), []byte("Bearer "+s.opts.Token)) == 1 {
			return nil
		}
	}
	s.opts.Audit.Refuse(audit.Action{Name: "connect", Peer: peerOf(ctx)}, "Invalid authentication token")
	return status.Error(codes.Unauthenticated, "Invalid authentication token")
}

// patience ends a call whose next message does not come. It lies in the context of the call.
type patience struct {
	limit  time.Duration
	timer  *time.Timer
	forget func() bool
}

type patienceKey struct{}

// arrived says that the only message of a call is there.
func arrived(ctx context.Context) {
	if p, ok := ctx.Value(patienceKey{}).(*patience); ok {
		p.timer.Stop()
		p.forget()
	}
}

// patientStream is a stream whose client sends one message, or many.
type patientStream struct {
	grpc.ServerStream
	many bool
}

// RecvMsg waits for the next message.
func (s *patientStream) RecvMsg(m any) error {
	if !s.many {
		defer arrived(s.Context())
	} else if p, ok := s.Context().Value(patienceKey{}).(*patience); ok {
		p.timer.Reset(p.limit)
		defer p.timer.Stop() // what is done with it may take its time
	}
	return s.ServerStream.RecvMsg(m)
}
