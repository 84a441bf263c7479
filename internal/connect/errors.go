package connect

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

const (
	domain = "org.apache.spark"
	// maxText bounds the message in the status: it travels in a trailer, and peers take 8 KiB of those. Clients fetch the rest.
	maxText = 2048
	// maxParams bounds the parameters in the trailer.
	maxParams = 1024
	// maxErrors is how many errors of a session can be fetched.
	maxErrors = 64
)

func handleError(sub, handle string) *sparkerr.Error {
	return sparkerr.New("INVALID_HANDLE."+sub, "handle", handle)
}

// typed gives every error a condition: cancellation its own, what comes without one INTERNAL_ERROR.
func typed(err error, operation string) *sparkerr.Error {
	if e, ok := sparkerr.As(err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) {
		return sparkerr.New("OPERATION_CANCELED", "operationId", operation).WithCause(err)
	}
	return sparkerr.New("INTERNAL_ERROR", "message", err.Error()).WithCause(err)
}

// fail turns an error into the status that clients understand, and keeps it for FetchErrorDetails.
func (s *session) fail(err error, operation string) error {
	if err == nil {
		return nil
	}
	e := typed(err, operation)
	id := ""
	if s != nil && s.engine.Conf().Values().Bool("spark.sql.connect.enrichError.enabled") {
		id = s.keepError(e)
	}
	return statusOf(e, id)
}

// statusOf encodes an error; id names it for FetchErrorDetails.
func statusOf(e *sparkerr.Error, id string) error {
	classes := e.Classes()
	names, _ := json.Marshal(classes) // a list of strings cannot fail
	info := &errdetails.ErrorInfo{Reason: classes[0], Domain: domain, Metadata: map[string]string{"classes": string(names)}}
	if e.Condition != "" {
		info.Metadata["errorClass"] = e.Condition
	}
	if state := e.SQLState(); state != "" {
		info.Metadata["sqlState"] = state
	}
	if params, err := json.Marshal(e.Params); err == nil && len(params) <= maxParams {
		info.Metadata["messageParameters"] = string(params)
	}
	if id != "" {
		info.Metadata["errorId"] = id
	}
	st := status.New(codes.Internal, cut(e.Error()))
	if with, err := st.WithDetails(info); err == nil {
		st = with
	}
	return st.Err()
}

// cut shortens a text to maxText bytes at a character's border.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText-3], "") + "..."
}

// keepError remembers an error for FetchErrorDetails and gives its id. The oldest one is forgotten.
func (s *session) keepError(e *sparkerr.Error) string {
	id := uuid.NewString()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errorIDs) == maxErrors {
		delete(s.errors, s.errorIDs[0])
		s.errorIDs = s.errorIDs[1:]
	}
	s.errorIDs = append(s.errorIDs, id)
	s.errors[id] = e
	return id
}

// takeError gives a remembered error once more; fetching does not remove it, because fetches are retried.
func (s *session) takeError(id string) *sparkerr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errors[id]
}

// FetchErrorDetails gives all there is about an error: the whole text, the causes, the place.
func (s *Server) FetchErrorDetails(_ context.Context, r *connectpb.FetchErrorDetailsRequest) (*connectpb.FetchErrorDetailsResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	out := &connectpb.FetchErrorDetailsResponse{SessionId: r.GetSessionId(), ServerSideSessionId: ses.serverID}
	if e := ses.takeError(r.GetErrorId()); e != nil {
		root := int32(0)
		out.RootErrorIdx = &root
		out.Errors = errorChain(e, ses.engine.Conf().Values().Bool("spark.sql.connect.serverStacktrace.enabled"))
	}
	return out, nil
}

// maxCauses bounds the chain of causes.
const maxCauses = 5

// errorChain lists an error and its typed causes; each points to the next by index.
func errorChain(e *sparkerr.Error, stack bool) []*connectpb.FetchErrorDetailsResponse_Error {
	var out []*connectpb.FetchErrorDetailsResponse_Error
	for e != nil && len(out) < maxCauses {
		if n := len(out); n > 0 {
			next := int32(n)
			out[n-1].CauseIdx = &next
		}
		out = append(out, errorMessage(e, stack))
		var cause *sparkerr.Error
		if !errors.As(e.Cause, &cause) {
			break
		}
		e = cause
	}
	return out
}

func errorMessage(e *sparkerr.Error, stack bool) *connectpb.FetchErrorDetailsResponse_Error {
	m := &connectpb.FetchErrorDetailsResponse_Error{ErrorTypeHierarchy: e.Classes(), Message: e.Error()}
	if stack && e.Stack != "" {
		m.StackTrace = stackTrace(e.Stack)
	}
	if e.Condition == "" {
		return m
	}
	condition, state := e.Condition, e.SQLState()
	t := &connectpb.FetchErrorDetailsResponse_SparkThrowable{ErrorClass: &condition, MessageParameters: e.Params}
	if state != "" {
		t.SqlState = &state
	}
	if c := e.Context; c != nil {
		t.QueryContexts = append(t.QueryContexts, queryContext(c))
	}
	m.SparkThrowable = t
	return m
}

func queryContext(c *sparkerr.QueryContext) *connectpb.FetchErrorDetailsResponse_QueryContext {
	if c.DataFrame || c.Text == "" && c.CallSite != "" {
		return &connectpb.FetchErrorDetailsResponse_QueryContext{ContextType: connectpb.FetchErrorDetailsResponse_QueryContext_DATAFRAME,
			Fragment: c.Fragment, CallSite: c.CallSite, Summary: c.Summary()}
	}
	return &connectpb.FetchErrorDetailsResponse_QueryContext{ContextType: connectpb.FetchErrorDetailsResponse_QueryContext_SQL,
		ObjectType: c.ObjectType, ObjectName: c.ObjectName, StartIndex: int32(c.Start), StopIndex: int32(c.Stop), Fragment: c.Fragment, Summary: c.Summary()}
}

// stackTrace reads the text of a Go stack: a function's line, then an indented one with file and line.
func stackTrace(text string) []*connectpb.FetchErrorDetailsResponse_StackTraceElement {
	var out []*connectpb.FetchErrorDetailsResponse_StackTraceElement
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "goroutine ") {
			continue
		}
		if at, ok := strings.CutPrefix(line, "\t"); ok && len(out) > 0 {
			at, _, _ = strings.Cut(at, " ")
			out[len(out)-1].FileName = &at
			continue
		}
		name := line
		if i := strings.LastIndexByte(name, '('); i > 0 {
			name = name[:i]
		}
		e := &connectpb.FetchErrorDetailsResponse_StackTraceElement{MethodName: name}
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			e.DeclaringClass, e.MethodName = name[:i], name[i+1:]
		}
		out = append(out, e)
	}
	return out
}
