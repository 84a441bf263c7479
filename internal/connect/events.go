package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Jobs are what listeners know the jobs of an operation by.
type Jobs struct {
	Description string
	Tags        []string
}

type jobsKey struct{}

// JobsOf gives what the jobs that are run under a context are known by; false if nobody asks.
func JobsOf(ctx context.Context) (Jobs, bool) {
	j, ok := ctx.Value(jobsKey{}).(Jobs)
	return j, ok
}

func (s *Server) publish(e event.Event) {
	if s.opts.Publish != nil {
		s.opts.Publish(e)
	}
}

// published tells listeners when an operation starts, and runs it under its name.
func (s *Server) published(ctx context.Context, op *operation, p *connectpb.Plan, run func(context.Context) (int64, error)) (rows int64, err error) {
	if s.opts.Publish == nil {
		return run(ctx)
	}
	key, tag, text := op.session.key, op.jobTag(), statement(p)
	s.publish(event.ConnectOperationStarted{Time: time.Now(), JobTag: tag, Operation: op.id, Session: key.id, User: key.user, Statement: text, Tags: op.tags})
	jobs := Jobs{Description: text, Tags: []string{tag}}
	for _, t := range op.tags {
		jobs.Tags = append(jobs.Tags, fmt.Sprintf("SparkConnect_SessionTag_User_%s_Session_%s_Tag_%s", key.user, key.id, t))
	}
	err = sparkerr.Internal("a panic")
	defer func() { s.publish(op.outcome(rows, err)) }()
	rows, err = run(context.WithValue(ctx, jobsKey{}, jobs))
	return rows, err
}

// jobTag is the tag that all jobs of an operation have.
func (op *operation) jobTag() string {
	return fmt.Sprintf("SparkConnect_OperationTag_User_%s_Session_%s_Operation_%s", op.session.key.user, op.session.key.id, op.id)
}

// outcome is how an operation ended.
func (op *operation) outcome(rows int64, err error) event.ConnectOperation {
	e := event.ConnectOperation{Time: time.Now(), JobTag: op.jobTag(), Operation: op.id, Rows: rows}
	op.mu.Lock()
	aborted := op.aborted != nil
	op.mu.Unlock()
	switch {
	case aborted || errors.Is(err, context.Canceled):
		e.State = event.ConnectCanceled
	case err != nil:
		e.State, e.Err = event.ConnectFailed, typed(err, "")
	}
	return e
}

// listening tells where the server answers, or did until now.
func (s *Server) listening(ended bool) {
	host, port, err := net.SplitHostPort(s.address)
	if err != nil { // it never listened
		return
	}
	n, _ := strconv.Atoi(port) // it is one
	s.publish(event.ConnectService{Time: time.Now(), Host: host, Port: n, Ended: ended})
}
